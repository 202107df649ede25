"""FOCUS exports obey FOCUS 1.2, by the rules in focus_rules.py and by what the statement and the cost files say.

The demo month and a generated one, as Parquet and as CSV. Every kind of rule is shown a row that breaks it.
"""
import csv
import gzip
import json
import re
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import cube
import focus_rules
import test_demo
import test_generated
from program import PROGRAM, ROOT, SECONDS_MAX, priced, query, quoted

ISSUER = "Larkfield"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def exports(run):
    """The exported file of every billing group."""
    return {row["billing_group"]: run.out / "pro-forma" / row["file"] for row in run.json("pro-forma/export.json")["files"]}


def rows(table, **where):
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in where.items())]


def exact(number):
    """A double as the decimal that its shortest text is."""
    return Decimal(repr(number))


def total(table, column="BilledCost", **where):
    return sum((exact(row[column]) for row in rows(table, **where)), Decimal(0))


# ---- The months.

def demo_month(folder):
    book = folder / "book.toml"
    book.write_text(test_demo.BOOK.read_text() + f'\n[exports]\ninvoice_issuer = "{ISSUER}"\ntags = ["user_team"]\n')
    return SimpleNamespace(cost=test_demo.COST, book=book, period=test_demo.PERIOD)


def generated_month(folder):
    command = [sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", "30000", "--period", test_generated.PERIOD,
               "--out", folder / "month", *test_generated.SMALL, "--edp", "both", "--seed", "7"]
    subprocess.run(command, check=True, capture_output=True)
    data = folder / "month" / "data"
    book = test_generated.make_book(cube.classes(data), folder / "month") | {"exports": {"invoice_issuer": ISSUER}}
    # Its files have no names of accounts: those of the book stand in.
    ids = [account for group in book["billing_groups"] for account in group["accounts"]]
    book["accounts"] = [{"id": account, "name": f"account-{number}"} for number, account in enumerate(ids)]
    (folder / "book.json").write_text(json.dumps(book))
    return SimpleNamespace(cost=data, book=folder / "book.json", period=test_generated.PERIOD)


@pytest.fixture(scope="module", params=[demo_month, generated_month], ids=["demo", "generated"])
def month(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("focus")
    month = request.param(folder)
    month.run = priced(month.cost, month.book, month.period, folder / "out", "--export", "focus")
    month.files = exports(month.run)
    # A group that is only the parent of others has a file without rows.
    month.files = {group: file for group, file in month.files.items() if group != "greenway-holding"}
    month.tables = {group: pq.read_table(file, partitioning=None) for group, file in month.files.items()}
    month.lines = f"read_parquet({quoted(month.cost / '**' / '*.parquet')}, hive_partitioning = false)"
    month.folder = folder
    return month


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Every kind of row: the demo's groups with commitments of their own, used whole by one and in part by the other."""
    month = demo_month(tmp_path_factory.mktemp("good"))
    run = priced(month.cost, month.book, month.period, month.book.parent / "out", "--export", "focus")
    return pa.concat_tables(pq.read_table(exports(run)[group], partitioning=None)
                            for group in ("meadowlark-bikes", "quill-and-harbor"))


# ---- The rules.

def test_every_file_obeys_the_rules(month):
    for group, table in month.tables.items():
        assert table.num_rows and focus_rules.broken(table)[:5] == [], group


def test_billed_costs_sum_to_the_statement(month):
    for group, table in month.tables.items():
        for statement in month.run.statement(group)["statements"]:
            assert total(table, BillingCurrency=statement["currency"]) == Decimal(statement["total"]), group


def test_the_account_and_the_issuer_are_the_group_s(month):
    for group, table in month.tables.items():
        row = table.slice(0, 1).to_pylist()[0]
        assert (row["BillingAccountName"], row["InvoiceIssuerName"]) == (group, ISSUER)
        start, end = row["BillingPeriodStart"], row["BillingPeriodEnd"]
        assert f"{start:%Y-%m-%d} {end:%Y-%m-%d}" == "2026-10-01 2026-11-01"


def test_covered_usage_has_no_negation_and_what_is_paid_is_used_or_unused(month):
    """By commitment: what its fees cost in the month is the effective cost of the usage and of what was left."""
    seen = set()
    for group, table in month.tables.items():
        paid, effective = defaultdict(Decimal), defaultdict(Decimal)
        accounts = ", ".join({quoted(account) for account in table["SubAccountId"].to_pylist()})
        for arn, cost in query(f"""
                SELECT coalesce(nullif(savings_plan_savings_plan_a_r_n, ''), reservation_reservation_a_r_n) AS arn,
                       sum(CASE line_item_line_item_type
                           WHEN 'SavingsPlanRecurringFee' THEN {money('line_item_unblended_cost')}
                             + {money('savings_plan_amortized_upfront_commitment_for_billing_period')}
                           ELSE {money('line_item_unblended_cost')}
                             + {money('reservation_amortized_upfront_fee_for_billing_period')} END)
                FROM {month.lines} WHERE line_item_line_item_type IN ('SavingsPlanRecurringFee', 'RIFee')
                AND line_item_usage_account_id IN ({accounts}) GROUP BY arn"""):
            paid[arn] = cost
        for row in table.to_pylist():
            if row["CommitmentDiscountStatus"] is not None:
                effective[row["CommitmentDiscountId"]] += exact(row["EffectiveCost"])
                seen.add((row["CommitmentDiscountCategory"], row["CommitmentDiscountStatus"]))
            assert "covered by a Savings Plan" not in row["ChargeDescription"], "a negation"
        for arn in paid | effective:
            # What accounts of other groups took of it is unused by this one.
            assert abs(paid[arn] - effective[arn]) <= Decimal("1e-9"), (group, arn)
    # In the generated month, plans and what they cover are in different groups.
    assert {("Spend", "Unused"), ("Usage", "Used")} <= seen
    assert ("Spend", "Used") in seen or month.cost != test_demo.COST


def money(column):
    return f"coalesce(CAST({column} AS DECIMAL(38, 10)), 0)"


def test_accounts_have_their_names(month):
    """The cost files' or, where they have none, the book's."""
    names = {row["SubAccountName"] for table in month.tables.values() for row in table.to_pylist()}
    assert None not in names and names & {"meadowlark-prod", "account-0"}


def test_custom_line_items_are_adjustments_and_credits(month):
    for group, table in month.tables.items():
        statement, = month.run.statement(group)["statements"]
        expected = {(f"customlineitem/{item['name']}", "Credit" if item["amount"].startswith("-") else "Adjustment"):
                    Decimal(item["amount"]) for item in statement["custom_line_items"]}
        there = {(row["x_ProformaCause"], row["ChargeCategory"]): exact(row["BilledCost"]) for row in table.to_pylist()
                 if (row["x_ProformaCause"] or "").startswith("customlineitem/")}
        assert there == expected, group


def test_a_file_names_no_account_of_others(month):
    groups = {row["billing_group"] for row in month.run.cost_report if row["billing_group"]}
    assert groups == set(month.tables)
    accounts = {account for account, in query(f"SELECT DISTINCT line_item_usage_account_id FROM {month.lines}")}
    owners = {account: group for group, table in month.tables.items() for account in table["SubAccountId"].to_pylist()}
    assert len(owners) > len(groups)
    for group, table in month.tables.items():
        texts = {text for column in table.columns if column.type == pa.string() for text in set(column.to_pylist()) if text}
        mentioned = {number for text in texts for number in re.findall(r"\d{12,13}", text)} & accounts
        assert {owners.get(account) for account in mentioned} == {group}


def test_amounts_that_only_aws_charges_are_in_no_file(month):
    """Net costs, discounts, taxes and credits: a file has the operator's prices, AWS's public ones, and quantities."""
    values = lambda name, where="": {value for value, in query(f"SELECT DISTINCT {name} FROM {month.lines} {where}")}
    hidden = "line_item_line_item_type IN ('Tax', 'Credit', 'Refund', 'EdpDiscount')"
    known = set.union(*(values(name, f"WHERE NOT {hidden}") for name in (
        "line_item_unblended_cost", "pricing_public_on_demand_cost", "line_item_usage_amount",
        "savings_plan_savings_plan_effective_cost", "reservation_effective_cost", "CAST(line_item_unblended_rate AS DOUBLE)")))
    secrets = values("line_item_net_unblended_cost") | values("line_item_unblended_cost", f"WHERE {hidden}")
    # The demo passes one credit on.
    secrets = {value for value in secrets - known - {-400.0} if value and abs(value) > 0.01}
    assert secrets
    # What is left of a quantity that a commitment covers in part may be any number.
    amounts = [name for name in focus_rules.NUMBERS if not name.endswith("Quantity")]
    for group, table in month.tables.items():
        there = {value for name in amounts for value in table[name].to_pylist() if value}
        assert not secrets & there, group


# ---- The forms.

def test_the_same_export_again_has_the_same_bytes(month):
    again = priced(month.cost, month.book, month.period, month.folder / "again", "--export", "focus", "--threads", "1")
    later = month.folder / "later"
    command = [PROGRAM, "export", "--run", month.run.out, "--export", "focus", "--cost", month.cost, "--out", later]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)
    assert ended.returncode == 0, ended.stderr
    for group, file in exports(again).items():
        if group not in month.files:
            continue
        name = file.relative_to(again.out / "pro-forma")
        assert file.read_bytes() == month.files[group].read_bytes() == (later / name).read_bytes(), group


def test_csv_says_the_same_in_iso_8601_and_plain_numbers(month):
    run = priced(month.cost, month.book, month.period, month.folder / "csv", "--export", "focus", "--export-format", "csv")
    for group, file in exports(run).items():
        if group not in month.tables:
            continue
        with gzip.open(file, "rt", newline="") as text:
            there = list(csv.DictReader(text))
        table = month.tables[group]
        assert list(there[0]) == table.column_names
        for row, expected in zip(there, table.to_pylist(), strict=True):
            for name, field in row.items():
                assert "E+" not in field or name not in focus_rules.NUMBERS, (name, field)
                assert not field or name not in focus_rules.TIMES or INSTANT.fullmatch(field), (name, field)
                assert value(name, field) == expected[name], (name, field)


def value(name, field):
    """A CSV field as its Parquet value: an empty one is null."""
    if field == "":
        return None
    if name in focus_rules.NUMBERS:
        return float(field)
    if name in focus_rules.TIMES:
        return datetime.fromisoformat(field.replace("Z", "+00:00")).astimezone(timezone.utc).replace(tzinfo=None)
    return field


# ---- FOCUS in, FOCUS out.

def test_focus_files_are_exported_by_the_same_rules(month):
    """The export of each group is priced again as cost data of its own: covered usage, unused rows and all."""
    for group, table in month.tables.items():
        accounts = sorted(set(table["SubAccountId"].to_pylist()))
        # The billing account of cost data is the payer, who is no group's primary account.
        payer, primary = "999999999999", table["BillingAccountId"][0].as_py()
        place, payers = table.column_names.index("BillingAccountId"), pa.array([payer] * table.num_rows)
        cost = month.folder / f"{group}.parquet"
        pq.write_table(table.set_column(place, "BillingAccountId", payers), cost)
        book = month.folder / f"{group}.json"
        book.write_text(json.dumps({
            "payer_account_id": payer, "currency": "USD", "exports": {"invoice_issuer": ISSUER},
            "billing_groups": [{"name": group, "primary_account_id": primary, "accounts": sorted({primary, *accounts}),
                                "pricing_plan": "BasicPricingPlan"}]}))
        again = priced(cost, book, month.period, month.folder / f"{group}-again", "--export", "focus")
        out = pq.read_table(exports(again)[group], partitioning=None)
        # From FOCUS, what was unused of a reservation is known in money alone.
        assert focus_rules.rules(focus_rules.broken(out)) <= {"CommitmentDiscountQuantity is there with a commitment"}
        statement, = again.statement(group)["statements"]
        assert total(out) == Decimal(statement["total"])
        for status in ("Used", "Unused"):
            was, now = (total(of, "EffectiveCost", CommitmentDiscountStatus=status) for of in (table, out))
            assert abs(was - now) <= Decimal("1e-9"), (group, status)
        for column in ("CommitmentDiscountId", "SubAccountId"):
            there, given = (set(of[column].to_pylist()) for of in (out, table))
            assert there <= given, (group, column)


# ---- The rules find what breaks them.

USAGE = {"ChargeCategory": "Usage", "PricingCategory": "Standard"}
PLANTED = [
    ("ChargeDescription: null is null", USAGE, {"ChargeDescription": ""}),
    ("ServiceName is never null", USAGE, {"ServiceName": None}),
    ("InvoiceId is always null", USAGE, {"InvoiceId": "1"}),
    ("ChargeCategory is one of its values", {"ChargeCategory": "Purchase"}, {"ChargeCategory": "Tax"}),
    ("ServiceSubcategory is one of its category's", USAGE, {"ServiceSubcategory": "Caching of Things"}),
    ("RegionId and RegionName are there together", USAGE, {"RegionName": None}),
    ("ResourceId and ResourceType are there together", USAGE, {"ResourceId": None, "ResourceType": "bucket"}),
    ("SkuMeter is null without SkuId", USAGE, {"SkuId": None, "SkuPriceId": None}),
    ("PricingUnit is spelt as FOCUS spells units", USAGE, {"PricingUnit": "Hrs"}),
    ("ConsumedUnit is spelt as FOCUS spells units", USAGE, {"ConsumedUnit": "GB-Mo"}),
    ("AvailabilityZone is a zone", USAGE, {"AvailabilityZone": "eu-west-1"}),
    ("the billing period is a month, its end exclusive", USAGE, {"BillingPeriodEnd": datetime(2026, 10, 31, 23, 59, 59)}),
    ("the charge period's end is exclusive", USAGE, {"ChargePeriodEnd": datetime(2026, 10, 31, 23, 59, 59)}),
    ("usage and nothing else is usage-based", {"ChargeCategory": "Purchase"}, {"ChargeFrequency": "Usage-Based"}),
    ("ConsumedQuantity is there on used usage", {"CommitmentDiscountStatus": "Unused"}, {"ConsumedQuantity": 0.0}),
    ("usage under a commitment is Committed", {"CommitmentDiscountStatus": "Used"}, {"PricingCategory": "Standard"}),
    ("what a commitment covers is billed nothing", {"CommitmentDiscountStatus": "Unused"}, {"BilledCost": 1.0}),
    ("what a commitment covers is billed nothing", {"CommitmentDiscountStatus": "Used"}, {"BilledCost": -1.0}),
    ("a purchase for later usage has no effective cost",
     {"ChargeCategory": "Purchase", "CommitmentDiscountCategory": "Spend"}, {"EffectiveCost": 12.0}),
    ("a row without a source line names its cause", {"ChargeCategory": "Adjustment"}, {"x_ProformaCause": None}),
    ("a charge without a price costs the same everywhere", {"ChargeCategory": "Adjustment"}, {"ListCost": 1.0}),
    ("ContractedCost is ContractedUnitPrice × PricingQuantity", USAGE, {"ContractedUnitPrice": 123.0}),
    ("ListCost is ListUnitPrice × PricingQuantity", USAGE, {"ListUnitPrice": 123.0}),
    ("a ServiceName has one ServiceCategory", {"ServiceName": "Amazon Elastic Compute Cloud"},
     {"ServiceCategory": "Other", "ServiceSubcategory": "Other (Other)"}),
    ("a file has one BillingAccountId", USAGE, {"BillingAccountId": "1"}),
]


@pytest.mark.parametrize("rule, where, change", PLANTED, ids=[f"{number}-{rule}" for number, (rule, *_) in enumerate(PLANTED)])
def test_a_row_that_breaks_a_rule_is_found(good, rule, where, change):
    listed = good.to_pylist()
    places = [place for place, row in enumerate(listed)
              if all(row[name] == value for name, value in where.items()) and any(row[name] != change[name] for name in change)
              and (row["RegionId"] is not None and row["SkuMeter"] is not None or row["ChargeCategory"] != "Usage"
                   or row["CommitmentDiscountStatus"] is not None)]
    listed[places[0]] |= change
    assert rule in focus_rules.rules(focus_rules.broken(pa.Table.from_pylist(listed, good.schema)))


def test_a_file_with_other_columns_is_found(good):
    texts = good.set_column(good.column_names.index("BilledCost"), "BilledCost", good["BilledCost"].cast(pa.string()))
    for table in (good.drop_columns(["InvoiceId"]), good.select(good.column_names[::-1]), texts):
        assert focus_rules.broken(table)
