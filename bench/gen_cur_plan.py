"""The catalogue of the generated month (services, regions, SKUs, accounts) and the plan of its streams."""
import numpy as np

E10 = 10**10
CAP = 260_000 * E10          # a double carries 10 exact decimals only below 2**18 = 262,144
B32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
B36 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ23456789", dtype=np.uint8)

# ---------------------------------------------------------------------------------- catalogue
REGIONS = [  # code, usage-type prefix, location, weight
    ("us-east-1", "", "US East (N. Virginia)", 30), ("us-west-2", "USW2-", "US West (Oregon)", 16),
    ("eu-west-1", "EU-", "EU (Ireland)", 12), ("eu-central-1", "EUC1-", "EU (Frankfurt)", 10),
    ("us-east-2", "USE2-", "US East (Ohio)", 8), ("ap-southeast-1", "APS1-", "Asia Pacific (Singapore)", 4),
    ("ap-northeast-1", "APN1-", "Asia Pacific (Tokyo)", 4), ("eu-west-2", "EUW2-", "EU (London)", 4),
    ("ap-southeast-2", "APS2-", "Asia Pacific (Sydney)", 3), ("ca-central-1", "CAN1-", "Canada (Central)", 2),
    ("ap-south-1", "APS3-", "Asia Pacific (Mumbai)", 2), ("sa-east-1", "SAE1-", "South America (Sao Paulo)", 1),
    ("eu-west-3", "EUW3-", "EU (Paris)", 1), ("eu-north-1", "EUN1-", "EU (Stockholm)", 1),
    ("us-west-1", "USW1-", "US West (N. California)", 1), ("ap-northeast-2", "APN2-", "Asia Pacific (Seoul)", 1),
]
# product code, product name, family, kind, share of SKUs, share of rows
PRODUCTS = [
    ("AmazonEC2", "Amazon Elastic Compute Cloud", "Compute Instance", "compute", .20, .20),
    ("AmazonEC2", "Amazon Elastic Compute Cloud", "Storage", "storage", .02, .10),
    ("AmazonEC2", "Amazon Elastic Compute Cloud", "NAT Gateway", "hours", .004, .01),
    ("AmazonEC2", "Amazon Elastic Compute Cloud", "Data Transfer", "transfer", .03, .09),
    ("AmazonRDS", "Amazon Relational Database Service", "Database Instance", "compute_db", .10, .04),
    ("AmazonRDS", "Amazon Relational Database Service", "Database Storage", "storage", .02, .02),
    ("AmazonS3", "Amazon Simple Storage Service", "Storage", "tier_storage", .01, .05),
    ("AmazonS3", "Amazon Simple Storage Service", "API Request", "requests", .02, .12),
    ("AmazonS3", "Amazon Simple Storage Service", "Data Transfer", "tier_transfer", .01, .03),
    ("AWSLambda", "AWS Lambda", "Serverless", "free_requests", .006, .05),
    ("AmazonCloudFront", "Amazon CloudFront", "Data Transfer", "tier_transfer", .01, .02),
    ("AmazonCloudWatch", "AmazonCloudWatch", "Metric", "requests", .02, .05),
    ("AmazonDynamoDB", "Amazon DynamoDB", "Amazon DynamoDB PayPerRequest Throughput", "requests", .01, .02),
    ("AmazonECS", "Amazon Elastic Container Service", "Compute", "fargate", .01, .03),
    ("AmazonEKS", "Amazon Elastic Container Service for Kubernetes", "Compute", "hours", .004, .01),
    ("AWSELB", "Elastic Load Balancing", "Load Balancer-Application", "hours", .008, .03),
    ("AmazonVPC", "Amazon Virtual Private Cloud", "VpcEndpoint", "hours", .008, .03),
    ("AmazonElastiCache", "Amazon ElastiCache", "Cache Instance", "compute_db", .03, .01),
    ("AmazonES", "Amazon OpenSearch Service", "Amazon OpenSearch Service Instance", "compute_db", .03, .01),
    ("AmazonRedshift", "Amazon Redshift", "Compute Instance", "compute_db", .01, .003),
    ("AWSQueueService", "Amazon Simple Queue Service", "API Request", "free_requests", .006, .02),
    ("AmazonSNS", "Amazon Simple Notification Service", "API Request", "requests", .005, .01),
    ("awskms", "AWS Key Management Service", "API Request", "requests", .008, .02),
    ("AmazonApiGateway", "Amazon API Gateway", "API Calls", "requests", .005, .01),
    ("AmazonKinesis", "Amazon Kinesis", "Kinesis Streams", "hours", .005, .005),
    ("AmazonRoute53", "Amazon Route 53", "DNS Query", "requests", .004, .01),
    ("AWSCloudTrail", "AWS CloudTrail", "Management Tools", "requests", .003, .01),
    ("AWSConfig", "AWS Config", "Management Tools", "requests", .003, .01),
    ("AmazonGuardDuty", "Amazon GuardDuty", "Security", "requests", .004, .01),
    ("AWSGlue", "AWS Glue", "AWS Glue", "hours", .004, .005),
    ("AmazonAthena", "Amazon Athena", "Athena Queries", "transfer", .003, .003),
    ("AmazonSageMaker", "Amazon SageMaker", "ML Instance", "compute_db", .03, .004),
    ("AmazonBedrock", "Amazon Bedrock", "Amazon Bedrock", "requests", .02, .01),
    ("AmazonEFS", "Amazon Elastic File System", "Storage", "storage", .004, .01),
    ("AWSSecretsManager", "AWS Secrets Manager", "Secret", "hours", .003, .01),
    ("AmazonWorkSpaces", "Amazon WorkSpaces", "Enterprise Applications", "hours", .01, .002),
    ("AmazonMSK", "Amazon Managed Streaming for Apache Kafka", "Managed Streaming for Apache Kafka (MSK)", "hours", .005, .002),
    ("AWSBackup", "AWS Backup", "AWS Backup Storage", "storage", .005, .01),
    ("AWSDataTransfer", "AWS Data Transfer", "Data Transfer", "free_transfer", .01, .04),
]
FAMS = ["m5", "m6i", "m7g", "c5", "c6i", "c7g", "r5", "r6i", "r7g", "t3", "t4g", "m5a", "i3", "g4dn", "p4d", "x2idn"]
FAM_BASE = [.096, .096, .0816, .085, .085, .0725, .126, .126, .1071, .0832, .0672, .086, .156, .526, 4.1, .6]
SIZES = [("large", 4, 1), ("xlarge", 8, 2), ("2xlarge", 16, 4), ("4xlarge", 32, 8), ("8xlarge", 64, 16),
         ("12xlarge", 96, 24), ("16xlarge", 128, 32), ("24xlarge", 192, 48), ("medium", 2, .5), ("small", 1, .25)]
OSES = [("Linux", "RunInstances", 1.0), ("Windows", "RunInstances:0002", 1.9), ("RHEL", "RunInstances:0010", 1.35)]
SELLERS = ["Amazon Web Services, Inc.", "Amazon Web Services EMEA SARL", "Amazon Web Services Canada, Inc."]
TAXES = [("US Sales Tax", .0), ("VAT", .20), ("Canada Tax", .13)]
MKT_SELLERS = ["Datadog, Inc.", "Snowflake Inc.", "Red Hat, Inc.", "Palo Alto Networks, Inc.", "MongoDB, Inc.",
               "Confluent, Inc.", "CrowdStrike Inc.", "Elasticsearch, Inc."]

# line item types; the index is the code used everywhere below
LT = ["Usage", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "DiscountedUsage", "SavingsPlanRecurringFee",
      "RIFee", "Fee", "SavingsPlanUpfrontFee", "Tax", "Credit", "Refund", "EdpDiscount", "PrivateRateDiscount",
      "BundledDiscount"]
(USAGE, SPCOV, SPNEG, RIUSE, SPFEE, RIFEE, FEE, SPUP, TAX, CREDIT, REFUND, EDP, PRD, BUNDLED) = range(len(LT))


def rand_b(rng, n, width, alpha=B32):
    """n random fixed-width strings as a numpy 'S' array (fast)."""
    return alpha[rng.integers(0, len(alpha), (n, width), dtype=np.uint8)].view(f"S{width}").ravel()


def dec10(x_e10):
    """int64 (1e-10 units) -> list of plain decimal strings with 10 decimals, like AWS rate columns."""
    out = []
    for v in np.asarray(x_e10, dtype=np.int64).tolist():
        s = "-" if v < 0 else ""
        v = abs(v)
        out.append(f"{s}{v // E10}.{v % E10:010d}")
    return out


def isum(a):
    """exact python-int sum of an int64 array (no overflow)."""
    a = np.asarray(a, dtype=np.int64)
    return (int((a >> 24).sum()) << 24) + int((a & 0xFFFFFF).sum())


def rate_mul(rate_e10, usage):
    """round(rate*usage, 10) in 1e-10 units; rate is exact int, usage a double with <=10 decimals."""
    return np.rint(rate_e10 * usage).astype(np.int64)


# ---------------------------------------------------------------------------------- planning
def build_skus(rng, n_skus, n_products):
    prods = list(PRODUCTS)
    named = len({p[0] for p in prods})
    extra = max(0, n_products - named)
    rest_s, rest_r = max(.02, 1 - sum(p[4] for p in prods)), max(.02, 1 - sum(p[5] for p in prods))
    zs = 1 / np.arange(1, extra + 1) ** 1.1 if extra else np.array([])
    for i in range(extra):
        prods.append((f"AWSService{i + 1:03d}", f"AWS Service {i + 1:03d}", "Service Usage",
                      ["hours", "requests", "storage"][i % 3], rest_s * zs[i] / zs.sum(), rest_r * zs[i] / zs.sum()))
    s_share = np.array([p[4] for p in prods]) / sum(p[4] for p in prods)
    counts = np.maximum(1, np.floor(s_share * n_skus).astype(int))
    counts[0] += n_skus - counts.sum()
    rw = np.array([r[3] for r in REGIONS], float)
    rw /= rw.sum()
    c = {k: [] for k in ("pidx code name family kind region utype op unit rate itype nf descr weight tiers".split())}
    for pi, (code, name, family, kind, _, rshare) in enumerate(prods):
        n = int(counts[pi])
        w = 1 / (np.arange(1, n + 1) ** 1.05)
        w = w / w.sum() * rshare
        reg = rng.choice(len(REGIONS), n, p=rw)
        for j in range(n):
            r = int(reg[j])
            pre = REGIONS[r][1]
            itype, nf, op, tiers = None, 0.0, "", None
            if kind == "compute":
                f, s = int(rng.integers(len(FAMS))), SIZES[int(rng.integers(len(SIZES)))]
                o = OSES[int(rng.choice(3, p=[.75, .15, .10]))]
                itype, nf, op = f"{FAMS[f]}.{s[0]}", float(s[1]), o[1]
                rate = round(FAM_BASE[f] * s[2] * o[2] * (1 + .02 * r), 4)
                ut, unit = f"{pre}BoxUsage:{itype}", "Hrs"
                d = f"${rate} per On Demand {o[0]} {itype} Instance Hour"
            elif kind == "compute_db":
                f, s = int(rng.integers(len(FAMS))), SIZES[int(rng.integers(len(SIZES)))]
                itype, nf, op = f"db.{FAMS[f]}.{s[0]}", float(s[1]), "CreateDBInstance:0002"
                rate = round(FAM_BASE[f] * s[2] * 1.7 * (1 + .02 * r), 4)
                ut, unit = f"{pre}InstanceUsage:{itype}-{j % 7}", "Hrs"
                d = f"USD {rate} per {itype} instance hour (or partial hour)"
            elif kind == "fargate":
                rate, unit = round(.04048 * (1 + .02 * r), 8), "hours"
                ut, op = f"{pre}Fargate-vCPU-Hours:perCPU-{j}", "FargateTask"
                d = f"AWS Fargate - vCPU - {REGIONS[r][2]}"
            elif kind == "hours":
                rate, unit = round(float(rng.choice([.0225, .045, .01, .1, .008, .05])) * (1 + .02 * r), 6), "Hrs"
                ut, op = f"{pre}{family.replace(' ', '')}-Hours-{j}", "CreateHours"
                d = f"${rate} per {family}-hour (or partial hour)"
            elif kind == "storage":
                rate, unit = round(float(rng.choice([.08, .1, .023, .125, .05])) * (1 + .02 * r), 6), "GB-Mo"
                ut, op = f"{pre}Volume:Usage.gp{j}", "CreateVolume-Gp3"
                d = f"${rate} per GB-month of provisioned storage - {REGIONS[r][2]}"
            elif kind == "transfer":
                rate, unit = float(rng.choice([0.0, .01, .02, .05])), "GB"
                ut, op = f"{pre}{REGIONS[int(rng.integers(len(REGIONS)))][1] or 'USE1-'}AWS-Out-Bytes-{j}", "InterZone-Out"
                d = f"${rate} per GB - {REGIONS[r][2]} data transfer"
            elif kind == "tier_storage":
                rate, unit = round(.023 * (1 + .02 * r), 6), "GB-Mo"
                ut, op = f"{pre}TimedStorage-ByteHrs-{j}" if j else f"{pre}TimedStorage-ByteHrs", "StandardStorage"
                tiers = [(0, rate), (51200, round(rate * .957, 6)), (512000, round(rate * .913, 6))]
                d = f"${rate} per GB - first 50 TB / month of storage used"
            elif kind == "tier_transfer":
                rate, unit = round(.09 * (1 + .02 * r), 6), "GB"
                ut, op = f"{pre}DataTransfer-Out-Bytes-{j}" if j else f"{pre}DataTransfer-Out-Bytes", "GetObject"
                tiers = [(0, rate), (10240, round(rate * .944, 6)), (51200, round(rate * .778, 6)), (153600, round(rate * .556, 6))]
                d = f"${rate} per GB - first 10 TB / month data transfer out"
            elif kind == "free_transfer":
                rate, unit = round(.09 * (1 + .02 * r), 6), "GB"
                ut, op = f"{pre}DataTransfer-Out-Bytes-F{j}", "RunInstances"
                tiers = [(0, 0.0), (100, rate), (10340, round(rate * .944, 6))]
                d = "$0.000 per GB - data transfer out under the monthly global free tier"
            elif kind == "free_requests":
                rate, unit = float(rng.choice([2e-7, 4e-7])), "Requests"
                ut, op = f"{pre}Requests-Tier1-{j}", "Invoke"
                tiers = [(0, 0.0), (1_000_000, rate)]
                d = "First 1,000,000 requests per month are free"
            else:  # requests
                rate, unit = float(rng.choice([4e-7, 5e-6, 1e-6, 3e-7, 1.25e-6, 3e-6])), "Requests"
                ut, op = f"{pre}Requests-Tier{1 + j % 4}-{j}", ["GetObject", "PutObject", "ListBucket", "HeadObject"][j % 4]
                d = f"${rate * 1e4:.4f} per 10,000 requests"
            for k, v in zip(c, (pi, code, name, family, kind, r, ut, op, unit, int(round(rate * E10)), itype, nf, d,
                                float(w[j]), [(b, int(round(x * E10))) for b, x in tiers] if tiers else None)):
                c[k].append(v)
    n = len(c["code"])
    c["sku"] = [s.decode() for s in rand_b(rng, n, 16, B36)]
    c["rate"] = np.array(c["rate"], np.int64)
    c["weight"] = np.array(c["weight"]) / sum(c["weight"])
    c["nf"] = np.array(c["nf"])
    c["kind"] = np.array(c["kind"])
    c["region"] = np.array(c["region"])
    codes = sorted(set(c["code"]), key=c["code"].index)
    c["codes"] = codes
    ci = {x: i for i, x in enumerate(codes)}
    c["codeidx"] = np.array([ci[x] for x in c["code"]])
    # the public rate AWS shows is the dearest (first paid) tier
    c["pubrate"] = np.array([max(t[1] for t in tt) if tt else r for r, tt in zip(c["rate"].tolist(), c["tiers"])], np.int64)
    return c


def build_accounts(rng, n, customers):
    ids = rng.choice(9 * 10**11, n, replace=False) + 10**11
    ids = [f"{i:012d}" for i in ids]
    envs = ["prod", "dev", "test", "stage", "sandbox", "data", "security", "network"]
    names = [f"{envs[int(rng.integers(8))]}-{rand_b(rng, 1, 6)[0].decode()}" for _ in ids]
    seller = rng.choice(3, n, p=[.6, .32, .08])
    wc = 1 / np.arange(1, customers + 1) ** .8
    cust = rng.choice(customers, n, p=wc / wc.sum())
    w = 1 / np.arange(1, n + 1) ** .9
    return dict(id=ids, name=names, seller=seller, cust=cust, w=w / w.sum())


def plan(a):
    """Everything global: SKUs, accounts, streams (with tiers already cut), SPs, RIs."""
    rng = np.random.default_rng(a.seed)
    sk = build_skus(rng, a.skus, a.products)
    ac = build_accounts(rng, a.accounts, a.customers)
    y, m = map(int, a.period.split("-"))
    d0 = np.datetime64(f"{y:04d}-{m:02d}-01T00", "h")
    d1 = np.datetime64(f"{y + m // 12:04d}-{m % 12 + 1:02d}-01T00", "h")
    H = int((d1 - d0) / np.timedelta64(1, "h"))
    N = int(a.rows)
    n_sp = max(2, int(.003 * N / H))
    n_ri = max(3, int(.0006 * N))
    budget = int(N * .955) - n_sp * H - 2 * n_ri
    # --- base streams: draw more than enough, then cut at the row budget
    full, b_ = (.35, 1.6) if N >= 5e6 else (.06, 6.0)     # small sets: shorter streams, so more accounts / SKUs / resources
    S = int(budget / (H * (full + (1 - full) * .6 / (.6 + b_)) * .8)) + 64
    sku = rng.choice(len(sk["sku"]), S, p=sk["weight"])
    acct = rng.choice(a.accounts, S, p=ac["w"])
    kind = sk["kind"][sku]
    ln = np.where(rng.random(S) < full, H, 1 + (rng.beta(.6, b_, S) * (H - 1)).astype(int))
    start = (rng.random(S) * (H - ln + 1)).astype(int)
    mode = np.full(S, USAGE, np.int8)
    u = rng.random(S)
    el_sp = (kind == "compute") | (kind == "fargate")
    el_ri = (kind == "compute") | (kind == "compute_db")
    mode[el_sp & (u < .33)] = SPCOV
    mode[el_ri & (u >= .33) & (u < .52)] = RIUSE
    ln[mode == SPCOV], start[mode == SPCOV] = H, 0
    keep = np.cumsum(ln + np.where(mode == SPCOV, H * .7, 0)) <= budget
    keep[:8] = True
    sku, acct, kind, ln, start, mode = (x[keep] for x in (sku, acct, kind, ln, start, mode))
    S = len(sku)
    # --- hourly usage of a stream (rounded to 10 decimals; constant for planned modes)
    base = np.ones(S)
    st = np.isin(kind, ["storage", "tier_storage"])
    base[st] = np.round(10 ** rng.normal(2.0, .9, st.sum()) / H, 10)
    ts = kind == "tier_storage"
    base[ts] = np.round(10 ** rng.normal(3.6, .8, ts.sum()) / H, 10)
    tr = np.isin(kind, ["transfer", "tier_transfer", "free_transfer"])
    base[tr] = np.round(10 ** rng.normal(-1.5, 1.4, tr.sum()), 10)
    tt = kind == "tier_transfer"
    base[tt] = np.round(10 ** rng.normal(.5, .9, tt.sum()), 10)
    rq = np.isin(kind, ["requests", "free_requests"])
    base[rq] = np.floor(10 ** rng.normal(2.6, 1.2, rq.sum())) + 1
    fg = kind == "fargate"
    base[fg] = np.round(rng.choice([.25, .5, 1, 2, 4], fg.sum()) * rng.integers(1, 9, fg.sum()), 10)
    is_tier = np.array([t is not None for t in sk["tiers"]])[sku]
    vary = ~(is_tier | (mode != USAGE))          # only plain usage varies hour by hour
    az = rng.integers(0, 3, S)
    az[~np.isin(kind, ["compute", "compute_db", "fargate"])] = -1
    tag = np.where(rng.random(S) < .62, rng.integers(0, a.tag_profiles, S), -1)
    rate = sk["rate"][sku].copy()
    tier = np.zeros(S, np.int8)
    # --- spot: a share of plain compute usage
    spot = (kind == "compute") & (mode == USAGE) & (rng.random(S) < .08)
    rate[spot] = np.rint(rate[spot] * rng.uniform(.25, .45, spot.sum()) / 10**6).astype(np.int64) * 10**6
    # --- Savings Plans
    sp = np.full(S, -1)
    cov = np.flatnonzero(mode == SPCOV)
    sp[cov] = rng.integers(0, n_sp, len(cov))
    sp_disc = rng.uniform(.18, .55, n_sp)
    sp_rate = np.zeros(S, np.int64)
    sp_rate[cov] = np.rint(rate[cov] * (1 - sp_disc[sp[cov]])).astype(np.int64)
    cost_h = rate_mul(rate, base)
    eff_h = rate_mul(sp_rate, base)
    sp_used = np.zeros(n_sp, np.int64)
    np.add.at(sp_used, sp[cov], eff_h[cov])
    sp_commit = np.maximum(10**8, np.ceil(sp_used / rng.uniform(.88, 1.0, n_sp) / 10**7).astype(np.int64) * 10**7)
    sp_opt = rng.choice(3, n_sp, p=[.6, .25, .15])       # No / Partial / All upfront
    SP = dict(n=n_sp, used=sp_used, commit=sp_commit, opt=sp_opt, owner=rng.choice(min(50, a.accounts), n_sp),
              rec=np.where(sp_opt == 0, sp_commit, np.where(sp_opt == 1, sp_commit // 2, 0)),
              arn=[f"arn:aws:savingsplans::{{}}:savingsplan/{x.decode()}" for x in rand_b(rng, n_sp, 36)],
              term=rng.choice(["1yr", "3yr"], n_sp), typ=rng.choice(["ComputeSavingsPlans", "EC2InstanceSavingsPlans"], n_sp))
    SP["arn"] = [x.format(ac["id"][o]) for x, o in zip(SP["arn"], SP["owner"])]
    # --- negation streams: one per (account, SP, sku, az)
    key = ((acct[cov].astype(np.int64) * n_sp + sp[cov]) * len(sk["sku"]) + sku[cov]) * 4 + az[cov] + 1
    uk, first, inv = np.unique(key, return_index=True, return_inverse=True)
    neg_cost = np.zeros(len(uk), np.int64)
    np.add.at(neg_cost, inv, -cost_h[cov])
    neg_use = np.round(np.bincount(inv, base[cov], len(uk)), 10)
    g = cov[first]
    # --- Reserved Instances: one per RI stream group (account, sku) up to n_ri
    ri = np.full(S, -1)
    rix = np.flatnonzero(mode == RIUSE)
    rk = acct[rix].astype(np.int64) * len(sk["sku"]) + sku[rix]
    ruk, rfirst, rinv = np.unique(rk, return_index=True, return_inverse=True)
    ri[rix] = rinv
    nri = len(ruk)
    r_sku, r_acct = sku[rix[rfirst]], acct[rix[rfirst]]
    r_opt = rng.choice(3, nri, p=[.5, .3, .2])
    r_rate = np.rint(sk["rate"][r_sku] * rng.uniform(.45, .72, nri)).astype(np.int64)     # effective hourly
    r_rec = np.where(r_opt == 0, r_rate, np.where(r_opt == 1, r_rate // 2, 0))
    r_upf = r_rate - r_rec
    conc = np.zeros((nri, 2), np.int64)
    np.add.at(conc[:, 0], rinv, 1)
    used_h = np.zeros(nri, np.int64)
    np.add.at(used_h, rinv, ln[rix])
    r_num = np.maximum(1, conc[:, 0])
    RI = dict(n=nri, sku=r_sku, acct=r_acct, opt=r_opt, rec=r_rec, upf=r_upf, num=r_num, used=used_h, units=r_num * H,
              sub=[str(10**10 + int(x)) for x in rng.integers(0, 10**9, nri)],
              arn=[f"arn:aws:ec2:{REGIONS[sk['region'][s]][0]}:{ac['id'][o]}:reserved-instances/{x.decode()}"
                   for s, o, x in zip(r_sku, r_acct, rand_b(rng, nri, 36))])
    # --- tier cutting: org-wide cumulative usage of each tiered SKU, hour by hour
    parts = [dict(sku=sku, acct=acct, ln=ln, start=start, mode=mode, base=base, vary=vary, az=az, tag=tag, rate=rate,
                  tier=tier, sp=sp, sp_rate=sp_rate, ri=ri, spot=spot, cost=cost_h, rid=np.arange(S))]
    drop = np.zeros(S, bool)
    cut = {k: [] for k in ("src", "ln", "start", "base", "rate", "tier")}
    ti = np.flatnonzero(is_tier)
    order = ti[np.argsort(sku[ti], kind="stable")]
    bounds = np.flatnonzero(np.diff(sku[order])) + 1
    for grp in np.split(order, bounds) if len(order) else []:
        s0 = int(sku[grp[0]])
        tiers = sk["tiers"][s0]
        diff = np.zeros(H + 1)
        np.add.at(diff, start[grp], base[grp])
        np.add.at(diff, start[grp] + ln[grp], -base[grp])
        cum = np.concatenate([[0.0], np.cumsum(np.cumsum(diff)[:H])])
        # for every boundary: the hour it falls in, and the fraction of that hour before it
        cuts = []
        for k, (b, _) in enumerate(tiers[1:], 1):
            if b < cum[-1]:
                h = int(np.searchsorted(cum, b, side="right") - 1)
                cuts.append((h, (b - cum[h]) / (cum[h + 1] - cum[h]), k))
        hs = sorted({h for h, _, _ in cuts})
        edges = [0] + [e for h in hs for e in (h, h + 1)] + [H]
        drop[grp] = True
        for e0, e1 in zip(edges[:-1], edges[1:]):
            if e1 <= e0:
                continue
            lo, hi = np.maximum(start[grp], e0), np.minimum(start[grp] + ln[grp], e1)
            act = grp[hi > lo]
            if not len(act):
                continue
            inside = sorted((f, k) for h, f, k in cuts if h == e0 and e1 == e0 + 1)
            t0 = max([k for h, f, k in cuts if h < e0], default=0)
            fr = [0.0] + [f for f, _ in inside] + [1.0]
            ks = [t0] + [k for _, k in inside]
            for f0, f1, k in zip(fr[:-1], fr[1:], ks):
                if f1 - f0 <= 0:
                    continue
                cut["src"].append(act)
                cut["ln"].append((hi - lo)[hi > lo])
                cut["start"].append(lo[hi > lo])
                b = base[act] if f1 - f0 == 1 else np.round(base[act] * (f1 - f0), 10)
                cut["base"].append(b)
                cut["rate"].append(np.full(len(act), tiers[k][1], np.int64))
                cut["tier"].append(np.full(len(act), k, np.int8))
    P = parts[0]
    sel = ~drop
    cols = {k: v[sel] for k, v in P.items()}
    if cut["src"]:
        src = np.concatenate(cut["src"])
        t = {k: v[src].copy() for k, v in P.items()}
        for k in ("ln", "start", "base", "rate", "tier"):
            t[k] = np.concatenate(cut[k])
        ok = t["base"] > 0
        t = {k: v[ok] for k, v in t.items()}
        cols = {k: np.concatenate([cols[k], t[k].astype(cols[k].dtype)]) for k in cols}
    cols["cost"] = rate_mul(cols["rate"], cols["base"])
    # --- append negation and SP fee streams
    def app(**kw):
        n = len(kw["acct"])
        for k in cols:
            v = kw.get(k)
            if v is None:
                v = np.full(n, {"sku": 0, "az": -1, "tag": -1, "sp": -1, "ri": -1, "rid": -1}.get(k, 0))
            cols[k] = np.concatenate([cols[k], np.asarray(v).astype(cols[k].dtype)])
    app(acct=acct[g], sku=sku[g], ln=np.full(len(g), H), mode=np.full(len(g), SPNEG), base=neg_use, az=az[g],
        rate=rate[g], sp=sp[g], cost=neg_cost, rid=np.full(len(g), -1))
    app(acct=SP["owner"], ln=np.full(n_sp, H), mode=np.full(n_sp, SPFEE), base=np.ones(n_sp), sp=np.arange(n_sp),
        cost=SP["rec"], rid=np.full(n_sp, -1))
    # --- marketplace hourly usage
    nm = max(2, int(.01 * budget / H))
    app(acct=rng.choice(a.accounts, nm, p=ac["w"]), ln=np.full(nm, H), mode=np.full(nm, USAGE), base=np.ones(nm),
        rate=np.rint(rng.uniform(.01, 3, nm) * 100).astype(np.int64) * 10**8, rid=np.arange(nm) % 64 + 10**9)
    mk = cols["rid"] >= 10**9
    cols["cost"][mk] = rate_mul(cols["rate"][mk], cols["base"][mk])
    # --- shuffle streams and cut into files
    n = len(cols["acct"])
    p = rng.permutation(n)
    cols = {k: v[p] for k, v in cols.items()}
    cols["lid"] = np.arange(n)
    files = np.floor((np.cumsum(cols["ln"]) - cols["ln"]) / a.file_rows).astype(int)
    return dict(sk=sk, ac=ac, SP=SP, RI=RI, st=cols, files=files, H=H, d0=d0, d1=d1)
