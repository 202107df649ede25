#!/usr/bin/env python3
"""gen_cur.py - deterministic, vectorised generator of a realistic CUR 2.0 Parquet data set.

    python gen_cur.py gen    --rows 1e6 --out DIR [--seed 1 --accounts 2000 ...]
    python gen_cur.py verify --out DIR          # needs duckdb

The plan of the month is in gen_cur_plan.py, the rows in gen_cur_rows.py and gen_cur_month.py.

One billing period of one payer organisation, hourly line items, written the way AWS Data
Exports delivers it:

    OUT/data/BILLING_PERIOD=2025-01/cur2-00001.snappy.parquet ...
    OUT/metadata/BILLING_PERIOD=2025-01/cur2-Manifest.json
    OUT/truth/truth.json            exact control totals (decimal strings, scale 10)
    OUT/truth/accounts.parquet      account -> name, seller, customer (billing group) ...
    OUT/truth/skus.parquet          the price list the rows were rated with (tiers, free tiers)

Model ("streams"): a stream is one (account, SKU, resource, purchase mode, price tier) that emits
one row per hour over [start, start+len).  Every attribute except hour / usage / cost is a
stream attribute, so the whole month is planned globally from ~N/300 streams (that makes org-wide
tier crossing, free-tier consumption, Savings Plan used commitment and RI utilisation exact) and
each output file only expands its own streams.

All money is computed as int64 in units of 1e-10 USD and only then written as double, so these
identities hold exactly at 10 decimals (checked by `verify`):
  Usage:                 unblended_cost            = round(unblended_rate * usage_amount, 10)
  all priced rows:       public_on_demand_cost     = round(public_on_demand_rate * usage, 10)
  SP covered + negation: sum(unblended) per (account, SP, usage type, operation, AZ, hour) = 0
  SP:                    sum(effective_cost, covered) = sum(used_commitment, RecurringFee)
  RI:                    sum(effective, DiscountedUsage) + sum(unused fee parts, RIFee)
                           = sum(RIFee unblended) + sum(amortized upfront, RIFee)
  EDP (--edp both):      sum(unblended incl. EdpDiscount rows) = sum(net_unblended)
                         sum(EdpDiscount rows) = sum(discount_total_discount)
  tiers:                 per tiered SKU, usage billed at tier k = the org-wide span of tier k
"""
import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal

import gen_cur_rows
import pyarrow as pa
import pyarrow.parquet as pq
from gen_cur_month import month_rows
from gen_cur_plan import E10, SELLERS, dec10, isum, plan


ARRAYS = ("acct_prod_cost", "acct_prod_edp", "ri_rec", "ri_upf")


def fold(results):
    """keep one running sum of the big per-(account, product) and per-RI arrays, in the first entry."""
    out = []
    for t in results:
        big = {k: t.pop(k) for k in ARRAYS if k in t}
        out.append(t)
        for k, v in big.items():
            out[0][k] = out[0][k] + v if k in out[0] else v
    return out


def dstr(v):
    return dec10([v])[0] if abs(v) < 9 * 10**18 else f"{'-' if v < 0 else ''}{abs(v) // E10}.{abs(v) % E10:010d}"


def manifest_type(field):
    if pa.types.is_string(field.type):
        return "OptionalString"
    if pa.types.is_float64(field.type):
        return "OptionalBigDecimal"
    return "DateTime" if pa.types.is_timestamp(field.type) else "Map"


def gen(a):
    t0 = time.time()
    a.rows = int(float(a.rows))
    a.dir = f"{a.out}/data/BILLING_PERIOD={a.period}"
    meta = f"{a.out}/metadata/BILLING_PERIOD={a.period}"
    for d in (a.dir, meta, f"{a.out}/truth"):
        os.makedirs(d, exist_ok=True)
    for f in os.listdir(a.dir):
        os.unlink(f"{a.dir}/{f}")
    pl = plan(a)
    ctx = gen_cur_rows.ctx = gen_cur_rows.Ctx(a, pl)      # the workers are forked and find it there
    ctx.nullable = {"line_item_net_unblended_cost", "discount_total_discount", "line_item_blended_cost"}
    nf = int(pl["files"].max()) + 1
    print(f"planned {len(pl['files'])} streams, {int(pl['st']['ln'].sum())} hourly rows, {nf}+1 files, {time.time() - t0:.1f}s", file=sys.stderr)
    if a.jobs > 1 and nf > 1:
        with ProcessPoolExecutor(a.jobs, mp_context=multiprocessing.get_context("fork")) as ex:
            tots = fold(ex.map(gen_cur_rows.do_file, range(nf)))
    else:
        tots = fold(map(gen_cur_rows.do_file, range(nf)))
    tots.append(month_rows(ctx, nf, tots))
    by, rows = {}, 0
    for t in tots:
        rows += t["rows"]
        for k, v in t["by_type"].items():
            b = by.setdefault(k, [0] * 6)
            for i in range(6):
                b[i] += v[i]
    names = ["rows", "unblended_cost", "public_on_demand_cost", "net_unblended_cost", "sp_effective_cost", "ri_effective_cost"]
    truth = {
        "seed": a.seed, "rows": rows, "files": len(tots), "period": a.period, "accounts": a.accounts, "edp_mode": a.edp,
        "by_line_item_type": {k: {n: (v[i] if i == 0 else dstr(v[i])) for i, n in enumerate(names)} for k, v in sorted(by.items())},
        "total_unblended_cost": dstr(sum(v[1] for v in by.values())),
        "total_net_unblended_cost": dstr(sum(v[3] for v in by.values())) if a.edp in ("both", "columns") else None,
        "sp_used_commitment": dstr(isum(pl["SP"]["used"]) * pl["H"]), "sp_effective_cost": dstr(sum(t.get("sp_eff", 0) for t in tots)),
        "ri_effective_cost": dstr(tots[-1]["ri_eff"]), "ri_unused": dstr(tots[-1]["ri_unused"]), "ri_total_fee": dstr(tots[-1]["ri_total"]),
        "edp_discount": dstr(sum(t["edp"] for t in tots)),
    }
    json.dump(truth, open(f"{a.out}/truth/truth.json", "w"), indent=1)
    ac, sk = pl["ac"], pl["sk"]
    pq.write_table(pa.table({"account_id": ac["id"], "account_name": ac["name"], "seller": [SELLERS[i] for i in ac["seller"]],
                             "customer": [f"customer-{c:04d}" for c in ac["cust"]]}), f"{a.out}/truth/accounts.parquet")
    pq.write_table(pa.table({"sku": sk["sku"], "product_code": sk["code"], "usage_type": sk["utype"], "operation": sk["op"],
                             "unit": sk["unit"], "public_rate": dec10(sk["pubrate"]),
                             "tiers": [json.dumps([[b, dec10([r])[0]] for b, r in t]) if t else None for t in sk["tiers"]]}),
                   f"{a.out}/truth/skus.parquet")
    size = sum(os.path.getsize(t["file"]) for t in tots)
    el = time.time() - t0
    json.dump({"exportArn": f"arn:aws:bcm-data-exports:us-east-1:{ctx.payer}:export/{a.name}", "exportName": a.name, "executionId": f"gen-{a.seed}",
               "columns": [{"name": f.name, "type": manifest_type(f)} for f in ctx.sch], "contentType": "application/vnd.apache.parquet", "compression": "PARQUET",
               "billingPeriod": {"start": f"{pl['d0']}:00:00.000Z", "end": f"{pl['d1']}:00:00.000Z"},
               "dataFiles": [f"s3://example-bucket/{os.path.relpath(t['file'], a.out)}" for t in tots]},
              open(f"{meta}/{a.name}-Manifest.json", "w"), indent=1)
    print(json.dumps({"rows": rows, "files": len(tots), "bytes": size, "bytes_per_row": round(size / rows, 1), "seconds": round(el, 1),
                      "rows_per_s": int(rows / el)}))


def verify(a):
    import duckdb
    T = json.load(open(f"{a.out}/truth/truth.json"))
    con = duckdb.connect()
    src = f"read_parquet('{a.out}/data/*/*.parquet')"
    t0 = time.time()
    bad = 0

    def chk(name, got, want, tol="0"):
        nonlocal bad
        ok = abs(Decimal(str(got)) - Decimal(str(want))) <= Decimal(tol)
        bad += not ok
        print("ok  " if ok else "FAIL", name, got, want)

    def D(c):                                      # doubles back to exact 1e-10 integers
        return f"sum(cast(round({c}*1e10) as hugeint))"

    def i10(s):
        return int(s.replace(".", ""))
    n, u, net = con.execute(f"select count(*), {D('line_item_unblended_cost')}, {D('line_item_net_unblended_cost')} from {src}").fetchone()
    chk("rows", n, T["rows"])
    chk("total unblended", u, i10(T["total_unblended_cost"]))
    if T["total_net_unblended_cost"]:
        chk("total net", net, i10(T["total_net_unblended_cost"]))
    if T["edp_mode"] == "both":
        d1, d2 = con.execute(f"select {D('line_item_unblended_cost')} filter (line_item_line_item_type='EdpDiscount'), {D('discount_total_discount')} from {src}").fetchone()
        chk("EdpDiscount rows = discount_total_discount", d1, d2)
        chk("unblended incl. EDP rows = net", u, net)
    for r in con.execute(f"""select line_item_line_item_type t, count(*), {D('line_item_unblended_cost')}, {D('pricing_public_on_demand_cost')},
            {D('savings_plan_savings_plan_effective_cost')}, {D('reservation_effective_cost')} from {src} group by 1 order by 1""").fetchall():
        w = T["by_line_item_type"][r[0]]
        chk(f"{r[0]} rows", r[1], w["rows"])
        chk(f"{r[0]} unblended", r[2], i10(w["unblended_cost"]))
        chk(f"{r[0]} public OD", r[3], i10(w["public_on_demand_cost"]))
    e, uc = con.execute(f"select {D('savings_plan_savings_plan_effective_cost')}, {D('savings_plan_used_commitment')} from {src}").fetchone()
    chk("SP effective = used commitment", e, uc)
    x = con.execute(f"""select count(*) from (select sum(cast(round(line_item_unblended_cost*1e10) as hugeint)) s from {src}
        where line_item_line_item_type in ('SavingsPlanCoveredUsage','SavingsPlanNegation')
        group by line_item_usage_account_id, savings_plan_savings_plan_a_r_n, line_item_usage_type, line_item_operation, line_item_availability_zone, line_item_usage_start_date having s<>0)""").fetchone()[0]
    chk("SP groups that do not net to 0", x, 0)
    x = con.execute(f"""select {D('reservation_effective_cost')} + {D('reservation_unused_recurring_fee')} + {D('reservation_unused_amortized_upfront_fee_for_billing_period')}
        - sum(cast(round(line_item_unblended_cost*1e10) as hugeint)) filter (line_item_line_item_type='RIFee') - {D('reservation_amortized_upfront_fee_for_billing_period')} from {src}""").fetchone()[0]
    chk("RI identity", x, 0)
    x, mx = con.execute(f"""select count(*) filter (abs(c - r)>1e-10*1.01 + 4e-16*abs(c)), max(abs(c-r)) from (select line_item_unblended_cost c,
        round(cast(line_item_unblended_rate as double)*line_item_usage_amount,10) r from {src} where line_item_line_item_type='Usage')""").fetchone()
    chk(f"Usage rows with cost <> rate*usage (max diff {mx})", x, 0)
    # tiers: usage billed in each tier equals the org-wide span
    tq = con.execute(f"""with s as (select sku, public_rate, json(tiers) tj from read_parquet('{a.out}/truth/skus.parquet') where tiers is not null),
        u as (select product_sku sku, line_item_unblended_rate r, sum(cast(round(line_item_usage_amount*1e10) as hugeint))/1e10 q from {src}
              where line_item_line_item_type='Usage' and product_sku in (select sku from s) group by all)
        select sku, any_value(tj), list(struct_pack(r, q)) from u join s using (sku) group by sku""").fetchall()
    worst, crossed = 0.0, 0
    for _, tj, us in tq:
        tiers = json.loads(tj)
        q = {}
        for z in us:
            q[z["r"]] = q.get(z["r"], 0) + z["q"]
        total = sum(q.values())
        for i, (b, r) in enumerate(tiers):
            hi = tiers[i + 1][0] if i + 1 < len(tiers) else float("inf")
            span = max(0.0, min(total, hi) - b)
            worst = max(worst, abs(span - q.get(r, 0.0)))
            crossed += i > 0 and span > 0
    chk(f"tiered SKUs {len(tq)}, tiers crossed {crossed}, worst usage diff", round(worst, 4), 0, "0.01")
    card = con.execute(f"""select count(distinct line_item_usage_account_id), count(distinct line_item_product_code), count(distinct product_sku),
        count(distinct line_item_resource_id), count(distinct identity_line_item_id), count(distinct line_item_usage_type), count(distinct resource_tags) from {src}""").fetchone()
    print("cardinality accounts/products/skus/resources/line ids/usage types/tag sets:", card)
    print(f"verify {'OK' if not bad else 'FAILED ' + str(bad)} in {time.time() - t0:.1f}s, duckdb {duckdb.__version__}")
    sys.exit(bool(bad))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("cmd", choices=["gen", "verify"])
    p.add_argument("--out", required=True)
    p.add_argument("--rows", default="1e6")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--accounts", type=int, default=2000)
    p.add_argument("--customers", type=int, default=120)
    p.add_argument("--skus", type=int, default=20000)
    p.add_argument("--products", type=int, default=200)
    p.add_argument("--tag-profiles", type=int, default=20000)
    p.add_argument("--period", default="2025-01")
    p.add_argument("--name", default="cur2")
    p.add_argument("--file-rows", type=int, default=1_000_000)
    p.add_argument("--row-group", type=int, default=250_000)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--order", choices=["random", "hour", "stream"], default="random")
    p.add_argument("--edp", choices=["both", "columns", "items", "none"], default="both")
    p.add_argument("--edp-pct", type=float, default=.09)
    p.add_argument("--ts", choices=["ms", "int96"], default="ms")
    p.add_argument("--stats", choices=["some", "all"], default="some", help="column statistics (all costs ~40%% more time)")
    p.add_argument("--no-tax", dest="tax", action="store_false")
    p.add_argument("--not-final", dest="final", action="store_false", help="month-to-date: no invoice ids")
    a = p.parse_args()
    gen(a) if a.cmd == "gen" else verify(a)


if __name__ == "__main__":
    main()
