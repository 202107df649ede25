"""Streams of the plan expanded into the rows of one Parquet file, with the file's exact totals."""
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gen_cur_plan import (
    LT, MKT_SELLERS, REGIONS, RIUSE, SELLERS, SPCOV, SPFEE, SPNEG, USAGE, dec10, isum, rand_b, rate_mul,
)


# ---------------------------------------------------------------------------------- columns
def schema():
    s, d, t = pa.string(), pa.float64(), pa.timestamp("ms")
    m = pa.map_(pa.string(), pa.string())
    md = pa.map_(pa.string(), pa.float64())
    cols = [
        ("bill_bill_type", s), ("bill_billing_entity", s), ("bill_billing_period_end_date", t),
        ("bill_billing_period_start_date", t), ("bill_invoice_id", s), ("bill_invoicing_entity", s),
        ("bill_payer_account_id", s), ("bill_payer_account_name", s), ("cost_category", m), ("discount", md),
        ("discount_total_discount", d), ("identity_line_item_id", s), ("identity_time_interval", s),
        ("line_item_availability_zone", s), ("line_item_blended_cost", d), ("line_item_blended_rate", s),
        ("line_item_currency_code", s), ("line_item_legal_entity", s), ("line_item_line_item_description", s),
        ("line_item_line_item_type", s), ("line_item_net_unblended_cost", d), ("line_item_net_unblended_rate", s),
        ("line_item_normalization_factor", d), ("line_item_normalized_usage_amount", d), ("line_item_operation", s),
        ("line_item_product_code", s), ("line_item_resource_id", s), ("line_item_tax_type", s),
        ("line_item_unblended_cost", d), ("line_item_unblended_rate", s), ("line_item_usage_account_id", s),
        ("line_item_usage_account_name", s), ("line_item_usage_amount", d), ("line_item_usage_end_date", t),
        ("line_item_usage_start_date", t), ("line_item_usage_type", s), ("pricing_currency", s),
        ("pricing_lease_contract_length", s), ("pricing_offering_class", s), ("pricing_public_on_demand_cost", d),
        ("pricing_public_on_demand_rate", s), ("pricing_purchase_option", s), ("pricing_rate_code", s),
        ("pricing_term", s), ("pricing_unit", s), ("product", m), ("product_instance_type", s),
        ("product_product_family", s), ("product_region_code", s), ("product_servicecode", s), ("product_sku", s),
        ("reservation_amortized_upfront_cost_for_usage", d), ("reservation_amortized_upfront_fee_for_billing_period", d),
        ("reservation_effective_cost", d), ("reservation_number_of_reservations", s),
        ("reservation_recurring_fee_for_usage", d), ("reservation_reservation_a_r_n", s),
        ("reservation_subscription_id", s), ("reservation_total_reserved_units", s),
        ("reservation_unused_amortized_upfront_fee_for_billing_period", d), ("reservation_unused_quantity", d),
        ("reservation_unused_recurring_fee", d), ("resource_tags", m),
        ("savings_plan_amortized_upfront_commitment_for_billing_period", d), ("savings_plan_offering_type", s),
        ("savings_plan_payment_option", s), ("savings_plan_purchase_term", s),
        ("savings_plan_recurring_commitment_for_billing_period", d), ("savings_plan_savings_plan_a_r_n", s),
        ("savings_plan_savings_plan_effective_cost", d), ("savings_plan_savings_plan_rate", d),
        ("savings_plan_total_commitment_to_date", d), ("savings_plan_used_commitment", d),
    ]
    return pa.schema(cols)


class Ctx:
    """Shared, read-only lookups (forked into the workers)."""

    def __init__(self, a, pl):
        self.a, self.pl = a, pl
        sk, ac = pl["sk"], pl["ac"]
        self.sch = schema()
        rng = np.random.default_rng(a.seed + 77)
        self.opt = ["No Upfront", "Partial Upfront", "All Upfront"]
        H, d0 = pl["H"], pl["d0"]
        hh = [str(d0 + np.timedelta64(i, "h")) + ":00:00Z" for i in range(H + 1)]
        self.intervals = pa.array([f"{hh[i]}/{hh[i + 1]}" for i in range(H)])
        self.hour_ms = (d0 + np.arange(H + 1).astype("timedelta64[h]")).astype("datetime64[ms]").astype(np.int64)
        self.payer = f"{10**11 + a.seed:012d}"
        self.mkt_codes = [x.decode() for x in rand_b(rng, 64, 25)]
        # dictionaries on SKU level: value list + code per SKU
        def enc(values):
            u, c = {}, np.empty(len(values), np.int32)
            for i, v in enumerate(values):
                c[i] = -1 if v is None else u.setdefault(v, len(u))
            return list(u), c
        self.d = {k: enc(v) for k, v in dict(
            utype=sk["utype"], op=sk["op"], unit=sk["unit"], itype=sk["itype"], family=sk["family"], code=sk["code"],
            region=[REGIONS[r][0] for r in sk["region"]]).items()}
        tags_k = ["user_environment", "user_team", "user_cost_center", "user_application", "user_owner", "user_name"]
        prof = []
        for i in range(a.tag_profiles):
            k = int(rng.integers(2, 7))
            vals = [["prod", "dev", "test", "stage"][int(rng.integers(4))], f"team-{int(rng.zipf(1.4)) % 120}",
                    f"CC-{1000 + int(rng.zipf(1.3)) % 400}", f"app-{int(rng.integers(900))}",
                    f"owner{int(rng.integers(500))}@example.com", f"res-{i}"]
            prof.append(list(zip(tags_k[:k], vals[:k])))
        prof.append([])
        self.tagmap = pa.array(prof, pa.map_(pa.string(), pa.string()))
        pm = []
        for i in range(len(sk["sku"])):
            e = [("product_name", sk["name"][i]), ("region", REGIONS[sk["region"][i]][0]), ("servicename", sk["name"][i])]
            if sk["itype"][i]:
                e += [("instance_type_family", sk["itype"][i].split(".")[-2]), ("operating_system", "Linux"),
                      ("tenancy", "Shared"), ("vcpu", "2")]
            pm.append(e)
        pm.append([("product_name", "Savings Plans for AWS Compute usage")])
        pm.append([("product_name", "AWS Marketplace product")])
        pm.append([])
        self.prodmap = pa.array(pm, pa.map_(pa.string(), pa.string()))
        self.ccmap = pa.array([[("customer", f"customer-{c:04d}"), ("business_unit", f"bu-{c % 12}")] for c in ac["cust"]],
                              pa.map_(pa.string(), pa.string()))
        self.ac_id, self.ac_name = ac["id"], ac["name"]


STATS = ["line_item_usage_start_date", "line_item_usage_account_id", "line_item_line_item_type", "line_item_product_code"]


def dcol(codes, values):
    """row codes (-1 = null) + value list -> dictionary array."""
    codes = np.asarray(codes, np.int32)
    mask = codes < 0
    ind = pa.array(np.where(mask, 0, codes) if mask.any() else codes, pa.int32(), mask=mask if mask.any() else None)
    return pa.DictionaryArray.from_arrays(ind, values if isinstance(values, pa.Array) else pa.array(values, pa.string()))


def scol(row, stream_codes, values):
    """stream-level codes (-1 = null) into `values`; compacted and de-duplicated (a Parquet dictionary must be
    unique), then spread to rows."""
    stream_codes = np.asarray(stream_codes)
    u = np.unique(stream_codes)
    u = u[u >= 0]
    if not len(u):
        return pa.nulls(len(row), pa.string())
    pos, cmap = {}, np.empty(len(u), np.int32)
    for i, v in enumerate(values[j] for j in u.tolist()):
        cmap[i] = pos.setdefault(v, len(pos))
    loc = np.where(stream_codes < 0, -1, cmap[np.minimum(np.searchsorted(u, stream_codes), len(u) - 1)])
    return dcol(loc[row], list(pos))


def const(n, v):
    return pa.nulls(n, pa.string()) if v is None else dcol(np.zeros(n, np.int32), [v])


def f8(e10):
    return pa.array(e10 / 1e10)


def write(ctx, path, cols, n):
    arrs = []
    for f in ctx.sch:
        v = cols.get(f.name)
        if v is None:
            if pa.types.is_float64(f.type) and f.name not in ctx.nullable:
                v = pa.array(np.zeros(n))
            elif pa.types.is_map(f.type):
                v = pa.array([[]], f.type).take(pa.array(np.zeros(n, np.int32)))
            else:
                v = pa.nulls(n, f.type)
        arrs.append(v)
    tb = pa.Table.from_arrays(arrs, names=ctx.sch.names)
    pq.write_table(tb, path, compression="snappy", version="1.0" if ctx.a.ts == "int96" else "2.4", store_schema=False,
                   use_deprecated_int96_timestamps=ctx.a.ts == "int96", row_group_size=ctx.a.row_group,
                   write_statistics=True if ctx.a.stats == "all" else STATS)


ctx = None


def do_file(fi):
    """expand the streams of file fi into rows, write it, return totals."""
    a, pl = ctx.a, ctx.pl
    sk, ac, SP, RI = pl["sk"], pl["ac"], pl["SP"], pl["RI"]
    rng = np.random.default_rng([a.seed, 1000 + fi])
    sel = np.flatnonzero(pl["files"] == fi)
    S = {k: v[sel] for k, v in pl["st"].items()}
    ns = len(sel)
    ln = S["ln"]
    n = int(ln.sum())
    row = np.repeat(np.arange(ns, dtype=np.int32), ln)
    off = np.concatenate([[0], np.cumsum(ln)[:-1]])
    hour = (np.arange(n) - off[row] + S["start"][row]).astype(np.int32)
    if a.order == "random":
        p = rng.permutation(n)
        row, hour = row[p], hour[p]
    elif a.order == "hour":
        p = np.argsort(hour, kind="stable")
        row, hour = row[p], hour[p]
    mode, sku, acct = S["mode"], S["sku"], S["acct"]
    mkt = S["rid"] >= 10**9
    base = S["base"][row]
    vr = S["vary"][row]
    usage = base
    if vr.any():
        f = rng.uniform(.6, 1.4, int(vr.sum()))
        rows_v = np.flatnonzero(vr)
        kv = sk["kind"][sku][row[rows_v]]
        comp = np.isin(kv, ["compute", "compute_db", "hours"])
        f[comp] = np.where(rng.random(int(comp.sum())) < .93, 1.0, np.round(rng.integers(1, 3600, int(comp.sum())) / 3600, 6))
        usage = base.copy()
        nv = np.round(base[rows_v] * f, 10)
        rq = kv == "requests"
        nv[rq] = np.floor(nv[rq]) + 1
        usage[rows_v] = nv
    rmode = mode[row]
    rate = S["rate"][row]
    cost = np.where(vr, rate_mul(rate, usage), S["cost"][row])
    cost[rmode == RIUSE] = 0
    pub = sk["pubrate"][sku]
    pub[mkt | (mode == SPFEE)] = 0
    podc = rate_mul(pub[row], usage)
    podc[rmode == SPNEG] = -podc[rmode == SPNEG]
    podc[rmode == SPFEE] = 0
    # reservations and savings plans
    rii, spi = S["ri"], S["sp"]
    isri = rmode == RIUSE
    r_rec = np.zeros(n, np.int64)
    r_upf = np.zeros(n, np.int64)
    if isri.any():
        k = rii[row[isri]]
        r_rec[isri] = rate_mul(RI["rec"][k], usage[isri])
        r_upf[isri] = rate_mul(RI["upf"][k], usage[isri])
    sp_eff = np.zeros(n, np.int64)
    iscov = rmode == SPCOV
    if iscov.any():
        sp_eff[iscov] = rate_mul(S["sp_rate"][row[iscov]], usage[iscov])
    isfee = rmode == SPFEE
    # EDP: AWS-entity Usage and SP recurring fees
    edp = np.zeros(n, np.int64)
    if a.edp != "none":
        ed = ((rmode == USAGE) & ~mkt[row]) | isfee
        edp[ed] = -np.rint(cost[ed] * a.edp_pct).astype(np.int64)
    net = cost + edp
    # ------------------------------------------------------------------ columns
    D = ctx.d
    def skc(name):
        vals, codes = D[name]
        c = codes[sku].copy()
        c[mkt | (mode == SPFEE)] = -1
        return scol(row, c, vals)
    code_vals, code_codes = D["code"]
    allcodes = list(code_vals) + ["ComputeSavingsPlans"] + ctx.mkt_codes
    pc = code_codes[sku].copy()
    pc[mode == SPFEE] = len(code_vals)
    pc[mkt] = len(code_vals) + 1 + (S["rid"][mkt] - 10**9)
    ut_vals, ut_codes = D["utype"]
    nu = len(ut_vals)
    utl = list(ut_vals) + ["ComputeSP:1yrNoUpfront", "ComputeSP:3yrPartialUpfront", "MP:Units-Usage"]
    uc = ut_codes[sku].copy()
    uc[mode == SPFEE] = nu
    uc[mkt] = nu + 2
    spot = S["spot"].astype(bool)
    # descriptions: unique per SKU/tier
    desc_key = sku.astype(np.int64) * 8 + S["tier"]
    desc_key[mode == SPFEE] = -2 - spi[mode == SPFEE]
    desc_key[mkt] = -10**6 - (S["rid"][mkt] - 10**9)
    dk, dinv = np.unique(desc_key + (S["mode"].astype(np.int64) << 40), return_inverse=True)
    dvals = []
    firsts = np.zeros(len(dk), int)
    firsts[dinv[::-1]] = np.arange(ns)[::-1]
    for i in firsts:
        md, s = int(mode[i]), int(sku[i])
        if mkt[i]:
            t = f"AWS Marketplace hourly software usage {int(S['rid'][i]) - 10**9}"
        elif md == SPFEE:
            t = f"{SP['term'][spi[i]]} {ctx.opt[SP['opt'][spi[i]]]} Compute Savings Plan {int(spi[i])}"
        elif md == SPNEG:
            t = f"SavingsPlanNegation used by AccountId : {ac['id'][acct[i]]} and UsageSku : {sk['sku'][s]}"
        elif md == RIUSE:
            t = f"{sk['itype'][s]} reserved instance applied"
        elif spot[i]:
            t = f"{sk['itype'][s]} Linux/UNIX Spot Instance-hour in {REGIONS[sk['region'][s]][2]} in VPC Zone #1"
        elif S["tier"][i]:
            t = sk["descr"][s] + f" (tier {int(S['tier'][i])})"
        else:
            t = sk["descr"][s]
        dvals.append(t)
    # negation descriptions carry the account, so make them unique
    dv, dcode = np.unique(np.array(dvals, dtype=object).astype(str), return_inverse=True)
    # rates
    rs = S["rate"].copy()
    rs[mode == RIUSE] = 0
    ur, uinv = np.unique(rs, return_inverse=True)
    urs = dec10(ur)
    has_rate = mode != SPFEE
    ucode = np.where(has_rate, uinv, -1)
    pr, pinv = np.unique(pub, return_inverse=True)
    prs = dec10(pr)
    pcode = np.where(mkt | (mode == SPFEE), -1, pinv)
    nr, ninv = np.unique(np.where(mode == USAGE, rs - np.rint(rs * a.edp_pct).astype(np.int64), rs), return_inverse=True)
    # rate codes
    free = (S["rate"] == 0) & (S["tier"] == 0) & np.array([t is not None and t[0][1] == 0 for t in sk["tiers"]])[sku] & ~mkt
    rck = sku.astype(np.int64) * 16 + S["tier"]
    ru, rinv = np.unique(rck, return_inverse=True)
    suf = ["6YS6EN2CT7", "PGHJ3S3EYE", "D42MF2PVJS", "VXGXCWQKTY"]
    rvals = []
    for v in ru.tolist():
        s, t = divmod(v, 16)
        fr = sk["tiers"][s] is not None and sk["tiers"][s][t][1] == 0
        rvals.append(f"{sk['sku'][s]}.{'A429C66SYZ' if fr else 'JRTCKXETXF'}.{suf[t]}")
    rcc = np.where(mkt | (mode == SPFEE) | (mode == SPNEG), -1, rinv)
    # identifiers
    lid = rand_b(np.random.default_rng([a.seed, 5, fi]), ns, 52)
    lid_v = [x.decode() for x in lid]
    rid_src = S["rid"]
    ridr = rand_b(np.random.default_rng([a.seed, 6, fi]), ns, 17)
    kinds = sk["kind"][sku]
    rid_v = []
    for i in range(ns):
        if rid_src[i] < 0:
            rid_v.append(None)
            continue
        x, r, o = ridr[i].decode(), REGIONS[sk["region"][sku[i]]][0], ac["id"][acct[i]]
        k = kinds[i]
        if mkt[i]:
            rid_v.append(f"arn:aws:aws-marketplace:us-east-1:{o}:{x}")
        elif k == "compute":
            rid_v.append(f"i-0{x}")
        elif k == "storage":
            rid_v.append(f"vol-0{x}")
        elif k in ("tier_storage", "requests", "tier_transfer"):
            rid_v.append(f"bucket-{x[:9]}")
        elif k == "compute_db":
            rid_v.append(f"arn:aws:rds:{r}:{o}:db:{x[:12]}")
        elif k == "transfer":
            rid_v.append(None)
        else:
            rid_v.append(f"arn:aws:svc:{r}:{o}:{k}/{x}")
    rid_codes = np.array([-1 if v is None else i for i, v in enumerate(rid_v)])
    azc = np.where(S["az"] < 0, -1, sk["region"][sku] * 3 + S["az"])
    azv = [f"{r[0]}{z_}" for r in REGIONS for z_ in "abc"]
    mt = pa.array(np.where(mode == SPFEE, len(sk["sku"]), np.where(mkt, len(sk["sku"]) + 1, sku))[row].astype(np.int32))
    seller = ac["seller"][acct]
    le = np.where(mkt, 3 + (np.maximum(S["rid"], 10**9) - 10**9) % len(MKT_SELLERS), seller)
    tl = pa.array(np.where(S["tag"] < 0, a.tag_profiles, S["tag"])[row].astype(np.int32))
    nf = np.where((mode == USAGE) | (mode == RIUSE) | (mode == SPCOV), sk["nf"][sku], 0.0)
    inv = (seller * 2 + mkt).astype(int)
    inv_v = [f"INV-{a.period}-{i}" for i in range(6)]
    c = {
        "bill_bill_type": const(n, "Anniversary"),
        "bill_billing_entity": dcol(mkt[row].astype(np.int32), ["AWS", "AWS Marketplace"]),
        "bill_billing_period_start_date": pa.array(np.full(n, ctx.hour_ms[0]), pa.timestamp("ms")),
        "bill_billing_period_end_date": pa.array(np.full(n, ctx.hour_ms[-1]), pa.timestamp("ms")),
        "bill_invoice_id": scol(row, inv, inv_v) if a.final else const(n, None),
        "bill_invoicing_entity": scol(row, seller, SELLERS),
        "bill_payer_account_id": const(n, ctx.payer), "bill_payer_account_name": const(n, "payer-main"),
        "cost_category": ctx.ccmap.take(pa.array(acct[row].astype(np.int32))),
        "identity_line_item_id": dcol(row, lid_v),
        "identity_time_interval": dcol(hour, ctx.intervals),
        "line_item_availability_zone": scol(row, azc, azv),
        "line_item_blended_cost": f8(cost), "line_item_blended_rate": scol(row, ucode, urs),
        "line_item_currency_code": const(n, "USD"),
        "line_item_legal_entity": scol(row, le, SELLERS + MKT_SELLERS),
        "line_item_line_item_description": dcol(dcode[dinv][row], dv.tolist()),
        "line_item_line_item_type": scol(row, mode.astype(int), LT),
        "line_item_normalization_factor": pa.array(nf[row]),
        "line_item_normalized_usage_amount": pa.array(nf[row] * usage),
        "line_item_operation": skc("op"),
        "line_item_product_code": scol(row, pc, allcodes),
        "line_item_resource_id": scol(row, rid_codes, rid_v),
        "line_item_unblended_cost": f8(cost), "line_item_unblended_rate": scol(row, ucode, urs),
        "line_item_usage_account_id": scol(row, acct, ctx.ac_id),
        "line_item_usage_account_name": scol(row, acct, ctx.ac_name),
        "line_item_usage_amount": pa.array(usage),
        "line_item_usage_start_date": pa.array(ctx.hour_ms[hour], pa.timestamp("ms")),
        "line_item_usage_end_date": pa.array(ctx.hour_ms[hour + 1], pa.timestamp("ms")),
        "line_item_usage_type": scol(row, uc, utl),
        "pricing_currency": const(n, "USD"),
        "pricing_lease_contract_length": scol(row, np.where(mode == RIUSE, 0, -1), ["1yr"]),
        "pricing_offering_class": scol(row, np.where(mode == RIUSE, 0, -1), ["standard"]),
        "pricing_public_on_demand_cost": f8(podc),
        "pricing_public_on_demand_rate": scol(row, pcode, prs),
        "pricing_purchase_option": scol(row, np.where(mode == RIUSE, RI["opt"][np.maximum(rii, 0)], -1), ctx.opt),
        "pricing_rate_code": scol(row, rcc, rvals),
        "pricing_term": scol(row, np.where(mode == RIUSE, 1, np.where(free | mkt | spot | (mode == SPFEE), -1, 0)), ["OnDemand", "Reserved"]),
        "pricing_unit": skc("unit"),
        "product": ctx.prodmap.take(mt),
        "product_instance_type": skc("itype"), "product_product_family": skc("family"),
        "product_region_code": skc("region"),
        "product_servicecode": scol(row, pc, allcodes), "product_sku": scol(row, np.where(mkt | (mode == SPFEE), -1, sku), sk["sku"]),
        "reservation_amortized_upfront_cost_for_usage": f8(r_upf), "reservation_recurring_fee_for_usage": f8(r_rec),
        "reservation_effective_cost": f8(r_rec + r_upf),
        "reservation_reservation_a_r_n": scol(row, rii, RI["arn"]),
        "reservation_subscription_id": scol(row, rii, RI["sub"]),
        "resource_tags": ctx.tagmap.take(tl),
        "savings_plan_savings_plan_a_r_n": scol(row, spi, SP["arn"]),
        "savings_plan_offering_type": scol(row, spi, SP["typ"].tolist()),
        "savings_plan_payment_option": scol(row, np.where(spi < 0, -1, SP["opt"][np.maximum(spi, 0)]), ctx.opt),
        "savings_plan_purchase_term": scol(row, spi, SP["term"].tolist()),
        "savings_plan_savings_plan_effective_cost": f8(sp_eff),
        "savings_plan_savings_plan_rate": f8(np.where(iscov, S["sp_rate"][row], 0)),
    }
    fk = np.where(isfee, spi[row], 0)
    c["savings_plan_total_commitment_to_date"] = f8(np.where(isfee, SP["commit"][fk], 0))
    c["savings_plan_used_commitment"] = f8(np.where(isfee, SP["used"][fk], 0))
    c["savings_plan_recurring_commitment_for_billing_period"] = f8(np.where(isfee, SP["rec"][fk], 0))
    c["savings_plan_amortized_upfront_commitment_for_billing_period"] = f8(np.where(isfee, SP["commit"][fk] - SP["rec"][fk], 0))
    if a.edp in ("both", "columns"):
        c["line_item_net_unblended_cost"] = f8(net)
        c["line_item_net_unblended_rate"] = scol(row, np.where(has_rate, ninv, -1), dec10(nr))
        c["discount_total_discount"] = f8(edp)
        nz = edp != 0
        offs = np.concatenate([[0], np.cumsum(nz)]).astype(np.int32)
        c["discount"] = pa.MapArray.from_arrays(pa.array(offs), pa.DictionaryArray.from_arrays(pa.array(np.zeros(int(nz.sum()), np.int32)), pa.array(["EdpDiscount"])).cast(pa.string()),
                                                pa.array(edp[nz] / 1e10))
    path = f"{a.dir}/{a.name}-{fi + 1:05d}.snappy.parquet"
    write(ctx, path, c, n)
    # ------------------------------------------------------------------ totals
    np_ = len(allcodes)
    t = {"rows": n, "file": path, "by_type": {}}
    for k in np.unique(mode).tolist():
        q = rmode == k
        t["by_type"][LT[k]] = [int(q.sum()), isum(cost[q]), isum(podc[q]), isum(net[q]), isum(sp_eff[q]), isum((r_rec + r_upf)[q])]
    key = acct[row].astype(np.int64) * np_ + pc[row]
    m = ac["id"].__len__() * np_
    def agg(x):
        hi, lo = x >> 24, x & 0xFFFFFF
        return (np.bincount(key, hi, m).astype(np.int64) << 24) + np.bincount(key, lo, m).astype(np.int64)
    t["acct_prod_cost"], t["acct_prod_edp"] = agg(cost), agg(edp)
    t["np"] = np_
    if isri.any():
        k = rii[row[isri]]
        t["ri_rec"] = (np.bincount(k, r_rec[isri] >> 24, RI["n"]).astype(np.int64) << 24) + np.bincount(k, r_rec[isri] & 0xFFFFFF, RI["n"]).astype(np.int64)
        t["ri_upf"] = (np.bincount(k, r_upf[isri] >> 24, RI["n"]).astype(np.int64) << 24) + np.bincount(k, r_upf[isri] & 0xFFFFFF, RI["n"]).astype(np.int64)
    t["sp_eff"] = isum(sp_eff)
    t["edp"] = isum(edp)
    return t
