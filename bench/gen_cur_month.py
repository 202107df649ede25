"""The rows that come once a month: reservation and upfront fees, tax, credits, refunds, discounts, support."""
import numpy as np
import pyarrow as pa

from gen_cur_plan import (
    BUNDLED, CAP, CREDIT, E10, EDP, FEE, LT, MKT_SELLERS, PRD, REFUND, REGIONS, RIFEE, SELLERS, SPUP, TAX, TAXES,
    isum, rand_b,
)
from gen_cur_rows import const, dcol, f8, scol, write


def month_rows(ctx, fi, tots):
    """the last file: RIFee, Fee, upfront fees, tax, credits, refunds, discounts, support."""
    a, pl = ctx.a, ctx.pl
    sk, ac, SP, RI = pl["sk"], pl["ac"], pl["SP"], pl["RI"]
    rng = np.random.default_rng([a.seed, 99])
    A, NP = a.accounts, tots[0]["np"]
    cost, edp = tots[0]["acct_prod_cost"], tots[0]["acct_prod_edp"].copy()
    rec, upf = (tots[0].get(k, np.zeros(RI["n"], np.int64)) for k in ("ri_rec", "ri_upf"))
    code_vals = ctx.d["code"][0]
    allcodes = list(code_vals) + ["ComputeSavingsPlans"] + ctx.mkt_codes + ["AWSSupportEnterprise", "OCBPremiumSupport"]
    R = []  # dict blocks

    def blk(typ, acct, code, cost, **kw):
        n = len(acct)
        R.append(dict(typ=np.full(n, typ), acct=np.asarray(acct), code=np.asarray(code), cost=np.asarray(cost, np.int64), **kw))
    n = RI["n"]
    tot_rec, tot_upf = RI["rec"] * RI["units"], RI["upf"] * RI["units"]
    rf_disc = -np.rint(tot_rec * a.edp_pct).astype(np.int64) if a.edp != "none" else np.zeros(n, np.int64)
    blk(RIFEE, RI["acct"], ctx.d["code"][1][RI["sku"]], tot_rec, ri=np.arange(n), disc=rf_disc, usage=RI["units"].astype(float),
        d=[f"USD {r / E10:.6g} hourly fee per {'Linux/UNIX (Amazon VPC)' if sk['kind'][s] == 'compute' else 'MySQL'}, {sk['itype'][s]} instance"
           for s, r in zip(RI["sku"], RI["rec"].tolist())])
    np.add.at(edp, RI["acct"] * NP + ctx.d["code"][1][RI["sku"]], rf_disc)
    up = np.flatnonzero(RI["opt"] > 0)[: max(1, n // 12)]
    blk(FEE, RI["acct"][up], ctx.d["code"][1][RI["sku"]][up], np.minimum(RI["upf"][up] * RI["num"][up] * 8760, CAP), ri=up, bt=1,
        d=[f"Sign up charge for subscription: {RI['sub'][i]}" for i in up])
    u = np.flatnonzero(SP["opt"] > 0)[: max(1, SP["n"] // 12)]
    blk(SPUP, SP["owner"][u], np.full(len(u), len(code_vals)), np.minimum((SP["commit"][u] - SP["rec"][u]) * 8760, CAP), sp=u, bt=1,
        d=[f"USD one-time fee for Savings Plan {i}" for i in u])
    # discounts per (account, product)
    if a.edp in ("both", "items"):
        nz = np.flatnonzero(edp)
        blk(EDP, nz // NP, nz % NP, edp[nz], net0=1, d=["Enterprise Program Discount"] * len(nz))
    pos = np.flatnonzero(cost > 10**8)
    pp = rng.choice(pos, max(1, len(pos) // 60), replace=False)
    blk(PRD, pp // NP, pp % NP, -np.rint(cost[pp] * .03).astype(np.int64), d=["Private Rate Discount"] * len(pp))
    pp = rng.choice(pos, max(1, len(pos) // 200), replace=False)
    blk(BUNDLED, pp // NP, pp % NP, -np.rint(cost[pp] * .01).astype(np.int64), d=["Bundled discount: free usage with another service"] * len(pp))
    pp = rng.choice(pos, max(1, len(pos) // 12), replace=False)
    blk(CREDIT, pp // NP, pp % NP, -np.rint(cost[pp] * rng.uniform(.02, .4, len(pp))).astype(np.int64),
        d=[f"AWS Credits MAP-{i % 7}" for i in range(len(pp))])
    pp = rng.choice(pos, max(1, len(pos) // 250), replace=False)
    blk(REFUND, pp // NP, pp % NP, -np.rint(cost[pp] * rng.uniform(.01, .1, len(pp))).astype(np.int64), bt=2,
        d=[f"Refund for case {100000 + i}" for i in range(len(pp))])
    # tax per (account, product), by seller of record
    tr = np.array([x[1] for x in TAXES])[ac["seller"]]
    net = cost + (edp if a.edp != "none" else 0)
    tx = np.flatnonzero((net > 10**8) & (tr[np.arange(A * NP) // NP] > 0)) if a.tax else np.array([], int)
    if len(tx) > a.rows * .02:
        tx = tx[np.argsort(-net[tx])[: int(a.rows * .02)]]
    blk(TAX, tx // NP, tx % NP, np.rint(net[tx] * tr[tx // NP] / 10**8).astype(np.int64) * 10**8, tax=1,
        d=[f"Tax for product code {allcodes[i]}" for i in tx % NP])
    # enterprise support, allocated to accounts; marketplace annual contracts
    by_acct = net.reshape(A, NP)[:, :len(code_vals)].sum(1)
    sup = np.flatnonzero(by_acct > 0)
    blk(FEE, sup, np.full(len(sup), len(allcodes) - 2), np.rint(by_acct[sup] * .03 / 10**6).astype(np.int64) * 10**6,
        d=["AWS Enterprise Support charge"] * len(sup))
    nm = max(2, A // 100)
    mk = rng.integers(0, 64, nm)
    blk(FEE, rng.choice(A, nm), len(code_vals) + 1 + mk, rng.integers(500, 250000, nm) * E10, bt=1, mkt=1,
        d=[f"AWS Marketplace annual contract {i}" for i in range(nm)])
    # ------------------------------------------------------------------ flatten
    tot = sum(len(b["acct"]) for b in R)
    g = lambda k, dflt, dt: np.concatenate([np.asarray(b[k], dt) if k in b and np.ndim(b[k]) else np.full(len(b["acct"]), b.get(k, dflt), dt) for b in R]) if tot else np.array([], dt)
    typ, acct, code, c_ = g("typ", 0, int), g("acct", 0, int), g("code", 0, int), g("cost", 0, np.int64)
    ri, sp, bt, mkt, taxf, disc = g("ri", -1, int), g("sp", -1, int), g("bt", 0, int), g("mkt", 0, int), g("tax", 0, int), g("disc", 0, np.int64)
    mkt = ((code > len(code_vals)) & (code <= len(code_vals) + 64)).astype(int)
    usage = g("usage", 0.0, float)
    usage[(typ == FEE) | (typ == SPUP) | (typ == TAX)] = 1.0
    descr = [x for b in R for x in b["d"]]
    net_ = c_ + disc
    net_[g("net0", 0, int) == 1] = 0
    du, dc = np.unique(np.array(descr, object).astype(str), return_inverse=True)
    n = tot
    row = np.arange(n)
    isf = typ == RIFEE
    k = np.where(isf, ri, 0)
    unused = np.where(isf, (RI["units"] - RI["used"])[k], 0)
    # unused parts close the RI identity exactly
    u_rec = np.where(isf, (tot_rec - rec)[k], 0)
    u_upf = np.where(isf, (tot_upf - upf)[k], 0)
    seller = ac["seller"][acct]
    le = np.where(mkt == 1, 3 + (code - len(code_vals) - 1) % len(MKT_SELLERS), seller)
    hm = ctx.hour_ms
    lid = [x.decode() for x in rand_b(rng, n, 52)]
    iv = [f"{str(pl['d0'])}:00:00Z/{str(pl['d1'])}:00:00Z"]
    cols = {
        "bill_bill_type": dcol(bt, ["Anniversary", "Purchase", "Refund"]),
        "bill_billing_entity": dcol(mkt, ["AWS", "AWS Marketplace"]),
        "bill_billing_period_start_date": pa.array(np.full(n, hm[0]), pa.timestamp("ms")),
        "bill_billing_period_end_date": pa.array(np.full(n, hm[-1]), pa.timestamp("ms")),
        "bill_invoice_id": dcol(seller * 2 + mkt, [f"INV-{a.period}-{i}" for i in range(6)]) if a.final else const(n, None),
        "bill_invoicing_entity": dcol(seller, SELLERS),
        "bill_payer_account_id": const(n, ctx.payer), "bill_payer_account_name": const(n, "payer-main"),
        "cost_category": ctx.ccmap.take(pa.array(acct.astype(np.int32))),
        "identity_line_item_id": pa.array(lid), "identity_time_interval": dcol(np.zeros(n), iv),
        "line_item_blended_cost": pa.array(c_ / 1e10, mask=np.isin(typ, [EDP, PRD, BUNDLED])),
        "line_item_currency_code": const(n, "USD"), "line_item_legal_entity": scol(row, le, SELLERS + MKT_SELLERS),
        "line_item_line_item_description": dcol(dc, du.tolist()),
        "line_item_line_item_type": scol(row, typ, LT),
        "line_item_product_code": scol(row, code, allcodes), "product_servicecode": scol(row, np.where(np.isin(typ, [TAX]), -1, code), allcodes),
        "line_item_tax_type": scol(row, np.where(taxf == 1, seller, -1), [t[0] for t in TAXES]),
        "line_item_unblended_cost": f8(c_),
        "line_item_usage_account_id": scol(row, acct, ctx.ac_id), "line_item_usage_account_name": scol(row, acct, ctx.ac_name),
        "line_item_usage_amount": pa.array(usage),
        "line_item_usage_start_date": pa.array(np.full(n, hm[0]), pa.timestamp("ms")),
        # fee rows end at 23:59:59, as AWS writes them; every other monthly row ends at the exclusive month end
        "line_item_usage_end_date": pa.array(np.where(np.isin(typ, [RIFEE, FEE]), hm[-1] - 1000, hm[-1]), pa.timestamp("ms")),
        "line_item_usage_type": scol(row, np.where(isf, ri, -1), [f"{REGIONS[sk['region'][s]][1]}HeavyUsage:{sk['itype'][s]}" for s in RI["sku"]]),
        "line_item_operation": scol(row, np.where(isf, ctx.d["op"][1][RI["sku"]][k], -1), ctx.d["op"][0]),
        "product_sku": scol(row, np.where(isf, RI["sku"][k], -1), sk["sku"]),
        "pricing_term": scol(row, np.where(isf, 0, -1), ["Reserved"]),
        "pricing_purchase_option": scol(row, np.where(ri >= 0, RI["opt"][np.maximum(ri, 0)], -1), ctx.opt),
        "reservation_reservation_a_r_n": scol(row, ri, RI["arn"]), "reservation_subscription_id": scol(row, ri, RI["sub"]),
        "reservation_amortized_upfront_fee_for_billing_period": f8(np.where(isf, tot_upf[k], 0)),
        "reservation_unused_quantity": pa.array(unused.astype(float)),
        "reservation_unused_recurring_fee": f8(u_rec), "reservation_unused_amortized_upfront_fee_for_billing_period": f8(u_upf),
        "reservation_number_of_reservations": scol(row, np.where(isf, ri, -1), [str(x) for x in RI["num"].tolist()]),
        "reservation_total_reserved_units": scol(row, np.where(isf, ri, -1), [str(x) for x in RI["units"].tolist()]),
        "savings_plan_savings_plan_a_r_n": scol(row, sp, SP["arn"]),
        "product": pa.array([[]], pa.map_(pa.string(), pa.string())).take(pa.array(np.zeros(n, np.int32))),
    }
    if a.edp in ("both", "columns"):
        cols["line_item_net_unblended_cost"] = f8(net_)
        cols["discount_total_discount"] = f8(disc)
        nz = disc != 0
        cols["discount"] = pa.MapArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(nz)]).astype(np.int32)),
                                                   pa.array(["EdpDiscount"] * int(nz.sum()), pa.string()), pa.array(disc[nz] / 1e10))
    path = f"{a.dir}/{a.name}-{fi + 1:05d}.snappy.parquet"
    write(ctx, path, cols, n)
    t = {"rows": n, "file": path, "by_type": {}, "ri_unused": isum(u_rec) + isum(u_upf), "ri_total": isum(tot_rec) + isum(tot_upf),
         "ri_eff": isum(rec) + isum(upf), "edp": isum(disc)}
    for x in np.unique(typ).tolist():
        q = typ == x
        t["by_type"][LT[x]] = [int(q.sum()), isum(c_[q]), 0, isum(net_[q]), 0, 0]
    return t
