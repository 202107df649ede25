"""A generated month of 100,000 lines: the program against DuckDB and docs/pricing.md written again, to the last digit.

The month has Savings Plans and reservations across groups, tiered SKUs, spot, free usage and the Marketplace; the
ways in which an enterprise discount is delivered, INT96 times, a month that is not final and empty amounts are
variants of it.
"""
import json
import subprocess
import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest

import cube
import pricing
from program import ROOT, priced, query, quoted, report, units

PERIOD = "2026-10"
SMALL = ["--skus", "3000", "--products", "60", "--accounts", "300", "--customers", "15", "--tag-profiles", "100",
         "--jobs", "1"]
VARIANTS = {
    "discount-in-both": ["--edp", "both"],
    "discount-in-columns-int96": ["--edp", "columns", "--ts", "int96", "--seed", "2"],
    "discount-in-lines": ["--edp", "items", "--seed", "3"],
    "no-discount-not-final": ["--edp", "none", "--not-final", "--seed", "5"],
    "nulls-for-zeros": ["--edp", "columns", "--seed", "6"],
}
# Amounts that AWS leaves empty or sets to 0, by the family of the column: both mean that there is none.
EMPTY_OR_ZERO = [
    "line_item_normalized_usage_amount", "line_item_unblended_cost", "pricing_public_on_demand_cost",
    "reservation_effective_cost", "reservation_unused_recurring_fee",
    "reservation_unused_amortized_upfront_fee_for_billing_period",
    "reservation_amortized_upfront_fee_for_billing_period", "savings_plan_savings_plan_effective_cost",
    "savings_plan_used_commitment", "savings_plan_total_commitment_to_date",
    "savings_plan_amortized_upfront_commitment_for_billing_period",
]

# ---- The month, its book, the run, and the independent classes.

@pytest.fixture(scope="module", params=VARIANTS, ids=list(VARIANTS))
def month(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    command = [sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", "100000", "--period", PERIOD,
               "--out", folder / "month", *SMALL, *VARIANTS[request.param]]
    subprocess.run(command, check=True, capture_output=True)
    if request.param == "nulls-for-zeros":
        empty_zeros(folder / "month" / "data")
    connection = cube.classes(folder / "month" / "data")
    book = make_book(connection, folder / "month")
    (folder / "book.json").write_text(json.dumps(book))
    run = priced(folder / "month" / "data", folder / "book.json", PERIOD, folder / "out", "--no-simulation")
    truth = json.loads((folder / "month" / "truth" / "truth.json").read_text())
    lines = pricing.price(cube.priceable(connection), pricing.Book(book))
    return SimpleNamespace(connection=connection, book=book, run=run, truth=truth, lines=lines)


def empty_zeros(data):
    """Writes a month's files again, with nulls where amounts are 0."""
    nulls = ", ".join(f"nullif({column}, 0) AS {column}" for column in EMPTY_OR_ZERO)
    for file in data.rglob("*.parquet"):
        rewritten = file.with_suffix(".rewritten")
        query(f"COPY (SELECT * REPLACE ({nulls}) FROM read_parquet({quoted(file)}, hive_partitioning = false)) "
              f"TO {quoted(rewritten)} (FORMAT parquet, COMPRESSION snappy)")
        rewritten.replace(file)


def make_book(connection, folder):
    """Six groups of the month's accounts, and every seventh in none; three plans over rules of every scope."""
    listed = connection.execute(
        f"SELECT account_id FROM read_parquet({quoted(folder / 'truth' / 'accounts.parquet')}) ORDER BY 1").fetchall()
    groups = [[account for account, in listed[place::7]] for place in range(6)]
    rules = [percentage("up", "GLOBAL", "MARKUP", "8.25"), percentage("down", "GLOBAL", "DISCOUNT", "11.1111"),
             percentage("marketplace", "BILLING_ENTITY", "MARKUP", "3.5", billing_entity="AWS Marketplace"),
             percentage("aws", "BILLING_ENTITY", "DISCOUNT", "0.0001", billing_entity="AWS"),
             percentage("ec2", "SERVICE", "DISCOUNT", "4.5", service="AmazonEC2"),
             percentage("s3", "SERVICE", "MARKUP", "12.3456", service="AmazonS3"),
             percentage("transfer", "SERVICE", "MARKUP", "250", service="AWSDataTransfer"),
             percentage("support", "SERVICE", "MARKUP", "50", service="AWSSupportEnterprise")]
    skus = sku_rules(connection)
    names = [rule["name"] for rule in skus]
    plans = {
        "every-scope": ["up", "marketplace", "ec2", "s3", *names],
        "half-the-skus": ["down", "aws", "transfer", *names[::2]],
        "no-global": ["marketplace", "s3", "support", *names[1::2]],
    }
    plan_names = [*plans, "BasicPricingPlan"]
    files = f"read_parquet({quoted(folder / 'data' / '**' / '*.parquet')})"
    payer, = connection.execute(f"SELECT any_value(bill_payer_account_id) FROM {files}").fetchone()
    return {
        "payer_account_id": payer,
        "currency": "USD",
        "pricing_rules": rules + skus,
        "pricing_plans": [{"name": name, "pricing_rules": of_plan} for name, of_plan in plans.items()],
        "billing_groups": [{"name": f"group-{place}", "primary_account_id": ids[0], "accounts": ids,
                            "pricing_plan": plan_names[place % len(plan_names)]} for place, ids in enumerate(groups)],
    }


def percentage(name, scope, kind, percent, **selector):
    return {"name": name, "scope": scope, "type": kind, "modifier_percentage": percent, **selector}


def sku_rules(connection):
    """Rules for the SKUs with the most cost, each third for one operation only."""
    rows = connection.execute("""
        SELECT service, usage_type, operation FROM classes WHERE sku IS NOT NULL AND type = 'Usage'
        GROUP BY service, usage_type, operation
        ORDER BY sum(public_on_demand_cost) DESC, service, usage_type, operation LIMIT 60""").fetchall()
    rules = {}
    for number, (service, usage_type, operation) in enumerate(rows):
        selector = {"service": service, "usage_type": usage_type}
        if number % 3 == 0:
            selector["operation"] = operation
        kind, percent = [("DISCOUNT", f"{number}.125"), ("MARKUP", f"{number / 8:.3f}")][number % 2]
        rules.setdefault(tuple(selector.items()), percentage(f"sku-{number}", "SKU", kind, percent, **selector))
    return list(rules.values())


# ---- The tests.

def test_the_classes_are_those_of_a_group_by(month):
    cube.assert_same(month.run, month.connection)


def test_the_totals_are_the_generators(month):
    reconciliation = month.run.reconciliation
    assert list(reconciliation["currencies"]) == ["USD"]
    part = reconciliation["currencies"]["USD"]
    assert reconciliation["lines"]["read"] == month.truth["rows"]
    assert units(part["cost_files_unblended_total"]) == units(month.truth["total_unblended_cost"])
    net = month.truth["total_net_unblended_cost"] or month.truth["total_unblended_cost"]
    assert units(part["cost_files_total"]) == units(net) == sum(line["net"] for line in month.lines)
    assert part["difference"] == "0"


def test_aws_cost_by_group_and_product(month):
    expected = defaultdict(int)
    for line in month.lines:
        if not line["left_out"]:
            owner = (line["group"], None) if line["group"] else (None, line["account"])
            expected[*owner, line["service"] or line["product"]] += line["net"]
    there = {(row["billing_group"], row["account_id"], row["product"]): units(row["aws_cost"])
             for row in month.run.cost_report}
    assert there == expected


def test_the_pro_forma_bills(month):
    total = 0
    by_product = defaultdict(int)
    for group in month.book["billing_groups"]:
        exact = pricing.statement_lines(month.lines, group["name"])
        expected = dict(zip(exact, pricing.shown(list(exact.values()))))
        statement, = month.run.statement(group["name"])["statements"]
        there = {}
        for service in statement["services"]:
            for line in service["usage_types"]:
                key = (line["account_id"], service["product"], line["usage_type"], line["operation"], line["region"],
                       line["line_item_type"], line["pricing_unit"])
                there[key] = units(line["amount"])
                by_product[group["name"], service["product"]] += units(line["amount"])
        assert there == expected
        assert units(statement["total"]) == pricing.half_away(sum(exact.values())) == sum(there.values())
        total += units(statement["total"])
    assert units(month.run.reconciliation["currencies"]["USD"]["pro_forma_total"]) == total
    rows = [row for row in month.run.cost_report if row["billing_group"]]
    assert {(row["billing_group"], row["product"]): units(row["pro_forma_cost"]) for row in rows
            if units(row["pro_forma_cost"])} == {key: amount for key, amount in by_product.items() if amount}
    assert all(units(row["margin"]) == units(row["pro_forma_cost"]) - units(row["aws_cost"]) for row in rows)


def test_aws_cost_and_usage_by_day(month):
    """The daily cube against a GROUP BY of the lines with the day."""
    days = cube.priceable(month.connection, "days")
    costs, usage = defaultdict(int), defaultdict(int)
    for line in days:
        left_out = pricing.left_out(line)
        if not left_out:
            costs[line["account"], line["day"], line["service"] or line["product"]] += line["net"]
        if line["type"] in pricing.METERED + ("FlatRateSubscription",) and left_out != "SplitCostAllocation":
            usage[line["day"], line["region"], line["unit"]] += units(line["usage_amount"])
    rows = report(month.run.out, "--by", "account,day,service", "--metric", "aws-cost")
    assert {(row["account"], row["day"], row["service"]): units(row["aws_cost"]) for row in rows} == costs
    rows = report(month.run.out, "--by", "day,region", "--metric", "usage")
    assert {(row["day"], row["region"], row["pricing_unit"]): units(row["usage_amount"]) for row in rows} == usage


def test_pro_forma_by_day(month):
    """A class's operation, applied to its days: what is shown is less than 10⁻¹⁰ a class away from that."""
    whole = {tuple(line[name] for name, *_ in cube.KEY): line for line in month.lines}
    exact, classes = defaultdict(int), defaultdict(int)
    for day in cube.priceable(month.connection, "days"):
        line = whole[tuple(day[name] for name, *_ in cube.KEY)]
        if line["treatment"] in ("priced", "at cost"):
            name = "public" if line["base"] in ("public", "tiered, public") else "unblended"
            amount = day[name] * line.get("factor", pricing.ONE) * pricing.AMOUNT // pricing.ONE
            if line["base"] == "own tiers":
                amount = line["amount"] * day["usage"] // line["usage"]
            exact[line["group"], day["day"]] += amount
            classes[line["group"], day["day"]] += 1
    rows = [row for row in report(month.run.out, "--by", "group,day") if row["day"]]
    shown = {(row["billing_group"], row["day"]): units(row["pro_forma_cost"]) for row in rows}
    assert shown.keys() == exact.keys()
    for key, amount in exact.items():
        assert abs(shown[key] * pricing.AMOUNT - amount) < classes[key] * pricing.AMOUNT, key
    totals = defaultdict(int)
    for row in report(month.run.out, "--by", "group,day,account"):
        totals[row["billing_group"]] += units(row["pro_forma_cost"])
    for group in month.book["billing_groups"]:
        statement, = month.run.statement(group["name"])["statements"]
        assert totals[group["name"]] == units(statement["total"])


def test_the_reconciliation_names_what_is_left_out_and_dropped(month):
    part = month.run.reconciliation["currencies"]["USD"]
    left_out, dropped = defaultdict(int), defaultdict(int)
    for line in month.lines:
        if line["left_out"]:
            left_out[line["left_out"]] += line["net"]
        if line["treatment"] == "dropped":
            dropped[line["left_out"] or line["type"]] += line["net"]
    of_base = lambda *names: [line for line in month.lines if line["base"] in names]
    assert {name: units(cost) for name, cost in part["left_out_of_aws_cost"].items()} == left_out
    assert {name: units(cost) for name, cost in part["dropped_from_pro_forma"].items()} == dropped
    assert units(part["fallen_back_total"]) == sum(line["unblended"] for line in of_base("fallen back"))
    lines = month.run.reconciliation["lines"]
    count = lambda treatments: sum(line["lines"] for line in month.lines if line["treatment"] in treatments)
    assert lines["rated"] == count(("priced", "at cost"))
    assert lines["dropped_from_pro_forma"] == count(("dropped",))
    assert lines["ungrouped"] == count(("ungrouped",))
    assert lines["fallen_back"] == sum(line["lines"] for line in of_base("fallen back") if line["unblended"])
    for name, base, cost in (("zero_rate_classes", "zero rate", "public"),
                             ("tiered_classes_on_unblended_cost", "tiered, unblended", "unblended"),
                             ("tiered_classes_on_public_cost", "tiered, public", "public")):
        listed = [units(row["amount"]) for row in month.run.reconciliation[name]]
        assert sorted(listed) == sorted(line[cost] for line in of_base(base))


def test_the_month_shows_every_case(month):
    """A month that lacks a case would leave a rule unchecked."""
    seen = {(line["treatment"], line["base"] or line["type"]) for line in month.lines}
    cases = {("priced", "spot"), ("priced", "own tiers"), ("priced", "public"), ("priced", "fallen back"),
             ("at cost", "SavingsPlanCoveredUsage"), ("at cost", "SavingsPlanNegation"),
             ("dropped", "SavingsPlanNegation"), ("at cost", "SavingsPlanRecurringFee"), ("at cost", "DiscountedUsage"), ("at cost", "RIFee"),
             ("dropped", "Credit"), ("dropped", "Tax"), ("ungrouped", "Usage")}
    assert cases - seen == set()
    assert {("priced", "tiered, unblended"), ("priced", "tiered, public"), ("priced", "own tiers")} & seen
    assert any(line["base"] == "public" and line["type"] == "SavingsPlanCoveredUsage" for line in month.lines)
