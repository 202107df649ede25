"""The demo month as a visitor runs it: its figures, each checked by another way to them than the program's own."""
import json
import subprocess
import tomllib
from decimal import Decimal
from fractions import Fraction

import pytest

import cube
import family_months
import own_coverage
import pricing
from own_coverage import ONE
from program import PROGRAM, ROOT, SECONDS_MAX, priced, query, quoted, units

PERIOD = "2026-10"
COST = ROOT / "fixtures" / "demo" / "cost"
BOOK = ROOT / "fixtures" / "demo" / "book.toml"
FILES = f"read_parquet({quoted(COST / '**' / '*.parquet')})"

# Billing group, AWS cost, pro forma cost, margin: what `make demo` shows. None is the accounts in no group.
FIGURES = [
    ("greenway-holding", "0", "0", "0"),
    ("meadowlark-bikes", "4817.143911788", "6166.4606566741", "1349.3167448861"),
    ("fernhollow-clinic", "2826.5518", "3579.9909470199", "753.4391470199"),
    ("pinecone-games", "7008.621521344", "9649.6883245757", "2641.0668032317"),
    ("saltbox-analytics", "13111.58521446", "11317.8048986492", "-1793.7803158108"),
    ("quill-and-harbor", "2005.16704", "2256.9546233904", "251.7875833904"),
    ("old-mill-bakery", "40.179472", "113.1007840957", "72.9213120957"),
    (None, "2103.56490232", None, None),
]
LOSS = "saltbox-analytics"
# The reseller's own support plan, which is dealt out, and the credit that its customer keeps.
SUPPORT, CREDIT = "1284.6", "-400"

WHOLE_MONTH = {"begin": 0, "end": family_months.HOURS}
# What members of groups own, as `own_coverage` takes it.
COMMITMENTS = [
    {"arn": "arn:aws:rds:us-east-1:210000000003:ri:orders-2026", "owner": "210000000003", **WHOLE_MONTH,
     "service": "AmazonRDS", "region": "us-east-1", "operation": "CreateDBInstance:0014", "form": "InstanceUsage",
     "instance_type": "db.r6g.large", "zone": None, "instances": 2, "factor": 4 * ONE},
    {"arn": "arn:aws:savingsplans::210000000001:savingsplan/1b0c4f7e-52aa-4c1d-9f60-0d5b7c3e8a11", "owner": "210000000001",
     **WHOLE_MONTH, "offering": "ComputeSavingsPlans", "family": None, "region": "Any", "commitment": units("0.5"),
     "rates": {("AmazonEC2", "BoxUsage:m7g.large", "RunInstances"): units("0.063"),
               ("AmazonECS", "Fargate-vCPU-Hours:perCPU", "FargateTask"): units("0.0305")}},
    {"arn": "arn:aws:savingsplans::250000000002:savingsplan/e8f17a60-3c4d-4e92-b1d7-94a2c65f0d33", "owner": "250000000002",
     **WHOLE_MONTH, "offering": "EC2InstanceSavingsPlans", "family": "t4g", "region": "eu-central-1",
     "commitment": units("0.075"),
     "rates": {("AmazonEC2", "EUC1-BoxUsage:t4g.medium", "RunInstances"): units("0.024")}}]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return priced(COST, BOOK, PERIOD, tmp_path_factory.mktemp("demo") / "out", "--output", "json")


@pytest.fixture(scope="module")
def book():
    """The book; groups of billing transfers with the accounts of these."""
    book = tomllib.loads(BOOK.read_text())
    transfers = {transfer["name"]: transfer for transfer in book["responsibility_transfers"]}
    for group in book["billing_groups"]:
        if transfer := transfers.get(group.get("responsibility_transfer")):
            group |= {"accounts": transfer["accounts"], "primary_account_id": transfer["source_account_id"]}
    return book


@pytest.fixture(scope="module")
def connection():
    return cube.classes(COST)


@pytest.fixture(scope="module")
def lines(connection, book):
    """Every class priced by docs/pricing.md and docs/commitments.md written again, as its group's own commitments cover it.

    Custom tiers, which that leaves out, count as no rule.
    """
    percentages = [rule["name"] for rule in book["pricing_rules"] if rule["type"] != "TIERING"]
    plans = [plan | {"pricing_rules": [rule for rule in plan["pricing_rules"] if rule in percentages]}
             for plan in book["pricing_plans"]]
    book = pricing.Book(book | {"pricing_plans": plans})
    simulation = own_coverage.Simulation(family_months.lines_of(exact(connection)), COMMITMENTS, book)
    return pricing.price(family_months.classes(simulation.lines), book, real=cube.priceable(connection))


def exact(connection):
    """The rows of the files with decimals for doubles."""
    there = {column for column, *_ in connection.execute(f"DESCRIBE SELECT * FROM {FILES}").fetchall()}
    typed = ", ".join(f"{cube.money(name)} AS {name}" for name in family_months.AMOUNTS if name in there)
    return f"(SELECT * REPLACE ({typed}) FROM {FILES})"


def test_the_table_shows_the_figures(demo):
    rows = json.loads(demo.stdout)
    figures = [(row["billing_group"], row["aws_cost"], row["pro_forma_cost"], row["margin"]) for row in rows
               if row["kind"] != "subtree"]
    assert figures == FIGURES
    assert [row["billing_group"] for row in rows if row["margin"] and row["margin"].startswith("-")] == [LOSS]
    # A parent of two, and the reseller with its customer.
    below = {"greenway-holding": ("meadowlark-bikes", "fernhollow-clinic"),
             "quill-and-harbor": ("quill-and-harbor", "old-mill-bakery")}
    charged = {group: Decimal(cost) for group, _, cost, _ in FIGURES if group}
    subtrees = {row["billing_group"]: Decimal(row["pro_forma_cost"]) for row in rows if row["kind"] == "subtree"}
    assert subtrees == {group: sum(charged[of] for of in groups) for group, groups in below.items()}


def test_the_level_below_is_charged_what_the_demo_charges(demo, tmp_path):
    ended = subprocess.run([PROGRAM, "run", "--upstream", demo.out, "--account", "250000000001", "--book",
                            ROOT / "fixtures" / "demo" / "quill.toml", "--out", tmp_path / "quill", "--output", "json"],
                           capture_output=True, text=True, timeout=SECONDS_MAX)
    assert ended.returncode == 0, ended.stderr
    customer, rest = json.loads(ended.stdout)
    charged = {group: Decimal(cost) for group, _, cost, _ in FIGURES if group}
    assert Decimal(customer["aws_cost"]) == charged["old-mill-bakery"]
    assert Decimal(rest["aws_cost"]) == charged["quill-and-harbor"]
    # Public prices up 30 %; what has none, the share of support and the care package among it, costs what it costs Quill & Harbor.
    assert customer["pro_forma_cost"] == "137.3191353244"


def test_everything_is_accounted_for(demo):
    lines, unblended = query(f"SELECT count(*), sum({cube.money('line_item_unblended_cost')}) FROM {FILES}")[0]
    part = demo.reconciliation["currencies"]["USD"]
    assert demo.reconciliation["lines"]["read"] == lines
    assert Decimal(part["cost_files_total"]) == Decimal(part["cost_files_unblended_total"]) == unblended
    assert part["difference"] == "0"
    assert Decimal(part["pro_forma_total"]) == sum(Decimal(cost) for _, _, cost, _ in FIGURES if cost)
    assert demo.reconciliation["rules_without_lines"] == demo.reconciliation["warnings"] == []


def test_aws_cost_is_that_of_the_groups_accounts(connection, book):
    group_of = pricing.Book(book).group_of
    lines = cube.priceable(connection)
    for group, aws_cost, *_ in FIGURES:
        counted = [line["net"] for line in lines
                   if group_of.get(line["account"]) == group and not pricing.left_out(line)]
        # What is dealt out is cost of the account that has it.
        assert sum(counted) + (units(SUPPORT) if group is None else 0) == units(aws_cost), group


def test_commitments_are_used_inside_the_groups_alone(demo):
    """As in the real bill, but for quill's; those of the reseller, which is in no group, cover nothing."""
    there = demo.json("commitments.json")
    assert (there["simulated"], there["inventory"]["untold"]) == (True, [])
    groups = {it["arn"].split(":")[4]: it["billing_group"] for it in there["commitments"]}
    assert set(groups.values()) == {"meadowlark-bikes", "quill-and-harbor", None}
    used = query(f"""SELECT savings_plan_savings_plan_a_r_n, sum({cube.money('savings_plan_used_commitment')}) FROM {FILES}
        WHERE line_item_line_item_type = 'SavingsPlanRecurringFee' GROUP BY 1""")
    # In normalised units: two instances of four for 744 hours.
    expected = dict(used) | {it["arn"]: Decimal(2 * 4 * 744) for it in there["commitments"] if ":rds:" in it["arn"]}
    # By day, twelve hours of 31 days, what is left covers an eighth of another server.
    expected[COMMITMENTS[-1]["arn"]] += Decimal("0.003") * 12 * 31
    for it in there["commitments"]:
        assert Decimal(it["used"]) == (expected[it["arn"]] if it["billing_group"] else 0), it
        assert Decimal(it["unused"]) == Decimal(it["given"]) - Decimal(it["used"]), it


def test_the_classes_are_those_of_a_group_by(demo, connection):
    cube.assert_same(demo, connection)


def bills(lines, book):
    """What the groups' lines cost, in units of 10⁻²⁰."""
    bills = {}
    for group in book["billing_groups"]:
        exact = pricing.statement_lines(lines, group["name"])
        bills[group["name"]] = sum(exact.values())
        if group["pricing_plan"] == "games":
            transfer = [key for key in exact if key[1:3] == ("AWSDataTransfer", "DataTransfer-Out-Bytes")]
            tiering, = (rule for rule in book["pricing_rules"] if rule["type"] == "TIERING")
            bills[group["name"]] += at_tiers(group, tiering) - sum(exact[key] for key in transfer)
    return bills


def test_the_bills_follow_from_the_rules(demo, lines, book):
    for group, expected in bills(lines, book).items():
        statement, = demo.statement(group)["statements"]
        kept = units(CREDIT) * 10**10 if group == LOSS else 0
        assert units(statement["services_total"]) == pricing.half_away(expected + kept), group


def test_the_support_plan_is_shared_by_what_the_bills_come_to(demo, lines, book):
    weights = {group: bill for group, bill in bills(lines, book).items() if bill}
    exact = {group: Fraction(units(SUPPORT) * weight, sum(weights.values())) for group, weight in weights.items()}
    parts = {group: int(part) for group, part in exact.items()}
    by_remainder = sorted(parts, key=lambda group: (parts[group] - exact[group], group))
    for group in by_remainder[:units(SUPPORT) - sum(parts.values())]:
        parts[group] += 1
    charged = {}
    for group in book["billing_groups"]:
        statement, = demo.statement(group["name"])["statements"]
        charged |= {group["name"]: units(item["amount"]) for item in statement["custom_line_items"]
                    if item["name"] == "shared-support"}
    assert charged == parts
    assert sum(charged.values()) == units(SUPPORT)


def at_tiers(group, rule):
    """The group's own usage of a rule's usage type at the rule's tiers, in units of 10⁻²⁰."""
    usage, = query(f"""SELECT sum({cube.money('line_item_usage_amount')}) FROM {FILES}
        WHERE line_item_usage_account_id IN ({', '.join(map(quoted, group['accounts']))})
        AND product_servicecode = {quoted(rule['service'])}
        AND line_item_usage_type = {quoted(rule['usage_type'])}""")[0]
    amount = Decimal(0)
    for tier in rule["custom_tiers"]:
        begin = Decimal(tier["begin_range_inclusive"])
        end = Decimal(tier.get("end_range_exclusive", "Infinity"))
        amount += max(Decimal(0), min(usage, end) - begin) * Decimal(tier["rate_value"])
    return int(amount * 10**20)


def test_the_readme_shows_what_explain_prints(demo):
    fences = (ROOT / "README.md").read_text().split("```")[1::2]
    shown = [fence.strip("\n").partition("\n") for fence in fences if fence.startswith("\n$ proforma explain")]
    assert len(shown) == 2, "a product and a line"
    for command, _, expected in shown:
        words = command.removeprefix("$ proforma ").replace("out/demo", str(demo.out)).split()
        ended = subprocess.run([PROGRAM, *words], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.rstrip("\n") == expected, command


def test_every_amount_of_the_cost_report_is_explained(demo):
    for row in demo.cost_report:
        if not row["billing_group"]:
            continue
        explained, = explain(demo, "--group", row["billing_group"], "--product", row["product"])
        parts = [part["amount"] for part in explained["classes"] + explained["custom_line_items"]]
        total = sum(map(Decimal, parts), Decimal(explained["shown_at_ten_decimals"]))
        assert total == Decimal(row["pro_forma_cost"]) == Decimal(explained["amount"]), row
        # Tax and support are explained, but are in nobody's AWS cost.
        counted = [part["aws_cost"] for part in explained["classes"]
                   if part["treatment"].removeprefix("not on the bill: ") not in ("tax", "support")]
        assert sum(map(Decimal, counted)) == Decimal(row["aws_cost"]), row


def test_the_rows_of_a_day_are_priced_from_the_files(demo):
    rows = query(f"""SELECT identity_line_item_id, identity_time_interval, line_item_usage_account_id, line_item_line_item_type,
                     {cube.money('line_item_unblended_cost')}, {cube.money('pricing_public_on_demand_cost')}
                     FROM {FILES} WHERE identity_time_interval = '2026-10-07T00:00:00Z/2026-10-08T00:00:00Z'
                     ORDER BY 1 LIMIT 40""")
    assert len(rows) == 40
    for id_, interval, account, kind, unblended, public in rows:
        row, = explain(demo, "--line", id_, "--interval", interval, "--cost", COST)
        told = row["arithmetic"]
        assert (told["account_id"], told["line_item_type"], told["lines"]) == (account, kind, 1)
        assert Decimal(row["measures"].get("unblended_cost", "0")) == unblended
        base = told["base"] and Decimal(told["base"]["amount"])
        if base is not None and not told["tier_pool"]:
            assert base == {"unblended cost": unblended, "public On-Demand cost": public}[told["base"]["name"]]
            assert Decimal(told["amount"]) == base * Decimal(told["factor"] or 1)
            assert Decimal(row["exported_amount"]) == Decimal(told["amount"]).quantize(Decimal("1e-14"))


def explain(demo, *arguments):
    ended = subprocess.run([PROGRAM, "explain", "--run", demo.out, "--output", "json", *arguments], capture_output=True,
                           text=True, timeout=SECONDS_MAX)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_custom_line_items(demo, lines):
    def charges(group):
        statement, = demo.statement(group)["statements"]
        return {(item["name"], item["product"], item["line_item_type"]): item["amount"]
                for item in statement["custom_line_items"] if item["name"] != "shared-support"}

    meadowlark = charges("meadowlark-bikes")
    fee = meadowlark.pop(("platform-fee", "AWSBillingConductor", "Fee"))
    assert meadowlark == {("managed-service", "AWSBillingConductor", "Fee"): "450"}
    base = sum(line["amount"] for line in lines
               if line["group"] == "meadowlark-bikes" and line["type"] != "SavingsPlanNegation")
    # 2.5 % is 25 in a thousand; shown amounts lie within one unit of the exact ones.
    assert abs(units(fee) - (base + units("450") * 10**10) * 25 / 1_000 / 10**10) <= 1
    assert charges("pinecone-games") == {("goodwill-october", "AWSBillingConductor", "Credit"): "-150"}
    assert charges("fernhollow-clinic") == {("threat-watch", "AmazonGuardDuty", "Proforma_Fee"): "95"}
    assert charges("old-mill-bakery") == {("care-package", "AWSBillingConductor", "Fee"): "29"}
    assert charges("quill-and-harbor") == {}, "it begins in November"
    rebate, = charges(LOSS).items()
    assert rebate[0] == ("lake-rebate", "AmazonS3", "Proforma_Credit")
    storage = sum(line["amount"] for line in lines if line["group"] == LOSS and line["service"] == "AmazonS3")
    assert units(rebate[1]) == -pricing.half_away(storage * 4 // 100)


def test_the_desk_shows_orders_of_both_directions(tmp_path):
    """What `make demo` prints of the billing desk: an order that runs low, one that has expired, and invoices that find none."""
    script = ROOT / "fixtures" / "demo" / "desk" / "demo.sh"
    ended = subprocess.run([script, PROGRAM, tmp_path / "out"], capture_output=True, text=True, timeout=SECONDS_MAX * 10)
    assert ended.returncode == 0, ended.stderr

    def asked(*command):
        answer = subprocess.run([PROGRAM, *command, "--data", tmp_path / "out" / "desk", "--now", "2026-11-05T10:00:00Z", "--output", "json"],
                                capture_output=True, text=True, timeout=SECONDS_MAX)
        return json.loads(answer.stdout)

    orders = {row["PurchaseOrderId"]: row for row in asked("po", "list")["PurchaseOrders"]}
    # What AWS invoices in its monthly invoice, and what Meadowlark is charged, to the last digit of each.
    assert {name: (row["Status"], Decimal(row["BalanceAmount"])) for name, row in orders.items()} == {
        "AWS-2026-H2": ("ACTIVE", Decimal("40000") - Decimal("31656.345861912")), "AWS-2026-H1": ("EXPIRED", Decimal("150000")),
        "MB-771": ("ACTIVE", Decimal("9000") - Decimal("6166.46"))}
    assert Decimal(orders["AWS-2026-H2"]["BalanceAmount"]) < Decimal("40000") / 4, "it runs low"
    invoices = {row["InvoiceId"]: row.get("PurchaseOrderId") for row in asked("po", "invoices")["InvoiceMatches"]}
    assert invoices == {"2201847731": "AWS-2026-H2", "2201847902": None, "LF-2026-0001": "MB-771", "LF-2026-0002": None}
    assert "it does not bill from `Brightwater Metrics, Inc.`" in ended.stdout and "the buyer has none" in ended.stdout
    assert "AWS-2026-H2 runs low" in ended.stdout and "too few months for a forecast" in ended.stdout and "{" not in ended.stdout
    assert (tmp_path / "out" / "LF-2026-0001.pdf").read_bytes().startswith(b"%PDF-")
