"""Cost reports of months that were imported: the amounts of `proforma run`, and what AWS documents of moves, items and margins."""
import json
import tomllib
from decimal import Decimal
from types import SimpleNamespace

import pytest

from desk import BASIC, Desk, accounts, arn, only, pages, present
from policy_months import PolicyMonth
from program import ROOT, priced
from server import CURRENT, NEXT, PREVIOUS, in_period, invalid, refused

DEMO = ROOT / "fixtures" / "demo"
FIGURES = ("aws_cost", "pro_forma_cost", "margin", "margin_percentage", "currency")
MEMBERS = ("AWSCost", "ProformaCost", "Margin", "MarginPercentage", "Currency")
OCTOBER = {"InclusiveStartBillingPeriod": PREVIOUS, "ExclusiveEndBillingPeriod": CURRENT}


def figures(row):
    assert set(row) - {"Attributes"} == {"Arn", *MEMBERS}
    assert_plain(row)
    return tuple(row[member] for member in MEMBERS)


def assert_plain(row):
    """Decimal texts without an exponent, a plus, a needless zero, or more than ten decimals."""
    for member in MEMBERS[:-1]:
        text = row[member]
        whole, _, fraction = text.removeprefix("-").partition(".")
        assert whole.isdigit() and (not fraction or fraction.isdigit()) and len(fraction) <= 10, text
        assert text != "-0" and not fraction.endswith("0") and (whole == "0" or not whole.startswith("0")) and not text.endswith("."), text


def reports(client, period=PREVIOUS, **more):
    return {row["Arn"]: row for row in pages(client, "list_billing_group_cost_reports", "BillingGroupCostReports", BillingPeriod=period, **more)}


def report_of(client, group, period=PREVIOUS):
    return only(list(reports(client, period, Filters={"BillingGroupArns": [group.arn]}).values()))


def by_attributes(client, group, attributes, periods=None, **more):
    rows, token = [], None
    while True:
        page = client.get_billing_group_cost_report(**present({
            "Arn": group.arn, "GroupBy": attributes, "BillingPeriodRange": periods or OCTOBER, "NextToken": token}), **more)
        rows += page["BillingGroupCostReportResults"]
        if not (token := page.get("NextToken")):
            return rows


# ---- The demo month, configured through the API

def demo_book():
    """The demo's book without what the API has no words for: policies, parents, transfers."""
    book = tomllib.loads((DEMO / "book.toml").read_text())
    transfers = {transfer["name"]: transfer for transfer in book.pop("responsibility_transfers")}
    for table in ("distributions", "allocations"):
        book.pop(table)
    for group in book["billing_groups"]:
        group.pop("parent", None)
        if transfer := transfers.get(group.pop("responsibility_transfer", None)):
            group |= {"accounts": transfer["accounts"], "primary_account_id": transfer["source_account_id"]}
    book["billing_groups"] = [group for group in book["billing_groups"] if group["accounts"]]
    return book


def wire(table, names):
    """Members of a table of the book as the API calls them; numbers are numbers there."""
    numbers = {"modifier_percentage", "rate_value", "begin_range_inclusive", "end_range_exclusive", "flat_charge_value", "percentage_value"}
    return {wire_name: float(table[own]) if own in numbers else table[own] for own, wire_name in names.items() if own in table}


def configured(client, book):
    """Makes everything in a book; billing groups by their names."""
    rules, plans, groups, items = {}, {"BasicPricingPlan": BASIC}, {}, {}
    for rule in book["pricing_rules"]:
        given = wire(rule, {"name": "Name", "scope": "Scope", "type": "Type", "modifier_percentage": "ModifierPercentage", "service": "Service",
                            "usage_type": "UsageType", "operation": "Operation", "billing_entity": "BillingEntity"})
        if tiers := rule.get("custom_tiers"):
            keys = {"begin_range_inclusive": "BeginRangeInclusive", "end_range_exclusive": "EndRangeExclusive", "rate_value": "RateValue"}
            given["Tiering"] = {"CustomTiers": [wire(tier, keys) for tier in tiers]}
        rules[rule["name"]] = client.create_pricing_rule(**given)["Arn"]
    for plan in book["pricing_plans"]:
        plans[plan["name"]] = client.create_pricing_plan(Name=plan["name"], PricingRuleArns=[rules[of] for of in plan["pricing_rules"]])["Arn"]
    for group in book["billing_groups"]:
        groups[group["name"]] = SimpleNamespace(arn=client.create_billing_group(
            Name=group["name"], Description=group["description"], PrimaryAccountId=group["primary_account_id"],
            AccountGrouping={"LinkedAccountIds": group["accounts"]}, ComputationPreference={"PricingPlanArn": plans[group["pricing_plan"]]})["Arn"])
    for item in book["custom_line_items"]:
        group = groups[item["billing_group"]]
        charge = {"Type": item["type"]}
        if "flat_charge_value" in item:
            charge["Flat"] = {"ChargeValue": float(item["flat_charge_value"])}
        else:
            associated = [group.arn if of == "billing_group" else items[of] for of in item.get("associated_values", ["billing_group"])]
            charge["Percentage"] = {"PercentageValue": float(item["percentage_value"]), "AssociatedValues": associated}
        for filter_ in item.get("line_item_filters", []):
            charge["LineItemFilters"] = [wire(filter_, {"attribute": "Attribute", "match_option": "MatchOption", "values": "Values",
                                                        "attribute_values": "AttributeValues"})]
        service = item.get("presentation_service")
        items[item["name"]] = client.create_custom_line_item(**present({
            "Name": item["name"], "Description": item["description"], "BillingGroupArn": group.arn, "ChargeDetails": charge,
            "AccountId": item.get("account_id"), "ComputationRule": item.get("computation_rule"),
            "PresentationDetails": {"Service": service} if service else None, "BillingPeriodRange": present({
                "InclusiveStartBillingPeriod": max(item["start"], PREVIOUS), "ExclusiveEndBillingPeriod": item.get("end")})}))["Arn"]
    return groups


@pytest.fixture(scope="module")
def demo(new_server, tmp_path_factory):
    """The demo month, by `proforma run` of a book, and by the API on a server that has imported the same files."""
    folder, book = tmp_path_factory.mktemp("demo"), demo_book()
    (folder / "book.json").write_text(json.dumps(book))
    result = priced(DEMO / "cost", folder / "book.json", PREVIOUS, folder / "out", "--output", "json")
    server = new_server()
    groups = configured(in_period(server.client(), PREVIOUS), book)
    server.load(DEMO / "cost")
    return SimpleNamespace(server=server, client=server.client(), book=book, groups=groups, result=result,
                           totals={row["billing_group"]: row for row in json.loads(result.stdout) if row["billing_group"]})


def test_totals_are_those_of_the_run(demo):
    listed = reports(demo.client)
    expected = {demo.groups[group].arn: tuple(row[figure] for figure in FIGURES) for group, row in demo.totals.items()}
    assert {group: figures(row) for group, row in listed.items()} == expected
    assert any(margin.startswith("-") for _, _, margin, *_ in expected.values())


def test_products_are_those_of_the_run(demo):
    for group, made in demo.groups.items():
        # Products are told apart by their names, as the documented example is.
        expected = {row["product_name"]: tuple(row[figure] for figure in FIGURES) for row in demo.result.cost_report if row["billing_group"] == group}
        rows = by_attributes(demo.client, made, ["PRODUCT_NAME"])
        assert {only(row["Attributes"])["Value"]: figures(row) for row in rows} == expected
        assert {only(row["Attributes"])["Key"] for row in rows} == {"PRODUCT_NAME"}
        total = report_of(demo.client, made)
        assert sum(Decimal(row["ProformaCost"]) for row in rows) == Decimal(total["ProformaCost"])


def test_periods_are_named_as_aws_does(demo):
    made = demo.groups["pinecone-games"]
    total = report_of(demo.client, made)
    row = only(by_attributes(demo.client, made, ["BILLING_PERIOD"]))
    assert row.pop("Attributes") == [{"Key": "BILLING_PERIOD", "Value": "Oct 2026"}]
    assert row == total
    assert [attribute["Key"] for attribute in by_attributes(demo.client, made, ["PRODUCT_NAME", "BILLING_PERIOD"])[0]["Attributes"]] == [
        "PRODUCT_NAME", "BILLING_PERIOD"]


def test_without_grouping_there_is_one_row(demo):
    made = demo.groups["saltbox-analytics"]
    row = only(by_attributes(demo.client, made, None))
    assert present({**row, "Attributes": row.get("Attributes") or None}) == report_of(demo.client, made)
    year = {"InclusiveStartBillingPeriod": "2025-11", "ExclusiveEndBillingPeriod": CURRENT}
    assert figures(only(by_attributes(demo.client, made, None, year))) == figures(row)


def test_months_without_cost_files_are_empty(demo):
    made = demo.groups["fernhollow-clinic"]
    assert [report_of(demo.client, made, CURRENT)[member] for member in MEMBERS] == ["0", "0", "0", "0", "USD"]
    assert by_attributes(demo.client, made, ["PRODUCT_NAME"], {"InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": NEXT}) == []


def test_reports_are_refused(demo):
    made = demo.groups["fernhollow-clinic"]
    with invalid("ILLEGAL_BILLING_PERIOD_RANGE"):
        by_attributes(demo.client, made, None, {"InclusiveStartBillingPeriod": "2025-10", "ExclusiveEndBillingPeriod": CURRENT})
    with invalid("ILLEGAL_BILLING_PERIOD_RANGE"):
        by_attributes(demo.client, made, None, {"InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": CURRENT})
    with invalid("ILLEGAL_BILLING_PERIOD"):
        reports(demo.client, NEXT)
    with refused("ResourceNotFoundException") as caught:
        demo.client.get_billing_group_cost_report(Arn=arn("billinggroup", "000000000000"))
    assert caught.error.response["ResourceType"] == "billinggroup"


# ---- Small months with figures that are in the documents

@pytest.fixture(scope="module")
def small(new_server):
    """A payer; each test imports a month of its own over the last, as AWS overwrites its files."""
    server = new_server()
    past = Desk(in_period(server.client(), PREVIOUS))
    return SimpleNamespace(server=server, client=server.client(), past=past, month=PolicyMonth())


def load(small, folder, add):
    """The month with more lines in it; `add` makes them."""
    add(small.month)
    small.server.load(small.month.write(folder / "cost"))


def test_an_account_that_moves_counts_whole_months(small, tmp_path):
    """TV-1: accounts of 100 in each half; the third moves, and is never where it was."""
    of = accounts(6)
    left, right = small.past.group(of[:3], plan=BASIC), small.past.group(of[3:], plan=BASIC)
    load(small, tmp_path, lambda month: [month.line(account, cost="100", hour=hour) for account in of for hour in (5, 500)])
    total = lambda group: report_of(small.client, group)["ProformaCost"]
    assert (total(left), total(right)) == ("600", "600")
    small.past.client.disassociate_accounts(Arn=left.arn, AccountIds=[of[2]])
    small.past.client.associate_accounts(Arn=right.arn, AccountIds=[of[2]])
    small.server.settle()
    assert (total(left), total(right)) == ("400", "800")


def test_items_of_awss_sample(small, tmp_path):
    """TV-8, D-1: usage of 100 at 10 % more, a fee of 10, and 10 % of the usage; then of the fee, too; then the fee is a credit."""
    past, since = small.past, {"BillingPeriodRange": {"InclusiveStartBillingPeriod": PREVIOUS}}
    group = past.group(plan=past.plan(past.rule(ModifierPercentage=10)))
    fee, percentage = past.flat(group, 10, **since), past.percentage(group, 10, [group.arn], **since)
    load(small, tmp_path, lambda month: month.line(group.primary, cost="80", public="100"))
    assert figures(report_of(small.client, group)) == ("80", "131", "51", "38.9313", "USD")
    past.client.batch_associate_resources_to_custom_line_item(TargetArn=percentage, ResourceArns=[fee], **since)
    small.server.settle()
    assert report_of(small.client, group)["ProformaCost"] == "132"
    past.client.batch_disassociate_resources_from_custom_line_item(TargetArn=percentage, ResourceArns=[fee], **since)
    past.client.delete_custom_line_item(Arn=fee, **since)
    credit = past.item(group, {"Flat": {"ChargeValue": 10}, "Type": "CREDIT"}, **since)
    past.client.batch_associate_resources_to_custom_line_item(TargetArn=percentage, ResourceArns=[credit], **since)
    small.server.settle()
    # 110 − 10, and 10 % of that.
    assert report_of(small.client, group)["ProformaCost"] == "110"
    assert {only(row["Attributes"])["Value"] for row in by_attributes(small.client, group, ["PRODUCT_NAME"])} >= {"AWS Billing Conductor"}


def test_the_most_specific_rule_prices_a_line(small, tmp_path):
    """D-2"""
    past = small.past
    group = past.group(plan=past.plan(
        past.rule(Scope="SKU", Type="DISCOUNT", ModifierPercentage=5, Service="AmazonEC2", UsageType="BoxUsage:t3.micro", Operation="RunInstances"),
        past.rule(Scope="SERVICE", ModifierPercentage=10, Service="AmazonEC2"),
        past.rule(Scope="BILLING_ENTITY", ModifierPercentage=20, BillingEntity="AWS"), past.rule(ModifierPercentage=30)))
    load(small, tmp_path, lambda month: [
        month.line(group.primary, cost="100", usage_type="BoxUsage:t3.micro"), month.line(group.primary, cost="100", usage_type="BoxUsage:t3.large"),
        month.line(group.primary, cost="100", service="AmazonS3", usage_type="TimedStorage-ByteHrs", operation="StandardStorage"),
        month.line(group.primary, cost="100", service="abcdefgh", usage_type="Software", operation="Hourly", bill_billing_entity="AWS Marketplace")])
    assert report_of(small.client, group)["ProformaCost"] == str(95 + 110 + 120 + 130)


def test_a_changed_rule_is_in_the_report_at_once(small, tmp_path):
    past = small.past
    rule = past.rule(ModifierPercentage=10)
    group = past.group(plan=past.plan(rule))
    load(small, tmp_path, lambda month: month.line(group.primary, cost="0.0000000003"))
    assert report_of(small.client, group)["ProformaCost"] == "0.0000000003"
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=900)
    small.server.settle()
    assert figures(report_of(small.client, group)) == ("0.0000000003", "0.000000003", "0.0000000027", "90", "USD")
    # What counts from this month on leaves the last as it was.
    small.client.update_pricing_rule(Arn=rule, ModifierPercentage=0)
    small.server.settle()
    assert report_of(small.client, group)["ProformaCost"] == "0.000000003"


def test_a_loss_is_negative(small, tmp_path):
    group = small.past.group(plan=small.past.plan(small.past.rule(Type="DISCOUNT", ModifierPercentage=50)))
    load(small, tmp_path, lambda month: month.line(group.primary, cost="100"))
    assert figures(report_of(small.client, group)) == ("100", "50", "-50", "-100", "USD")


def test_many_products_come_in_pages(small, tmp_path):
    group = small.past.group(plan=BASIC)
    load(small, tmp_path, lambda month: [month.line(group.primary, cost="1", service=f"Product{number:03}") for number in range(523)])
    for size in (200, 300):
        rows = by_attributes(small.client, group, ["PRODUCT_NAME"], MaxResults=size)
        assert len({only(row["Attributes"])["Value"] for row in rows}) == len(rows) == 523
        first = small.client.get_billing_group_cost_report(Arn=group.arn, GroupBy=["PRODUCT_NAME"], BillingPeriodRange=OCTOBER, MaxResults=size)
        assert len(first["BillingGroupCostReportResults"]) == size


def test_a_month_that_is_closed_stays(small, tmp_path):
    past = small.past
    rule = past.rule(ModifierPercentage=10)
    group = past.group(plan=past.plan(rule))
    load(small, tmp_path, lambda month: month.line(group.primary, cost="100"))
    before = reports(small.client)
    small.server.command("close", PREVIOUS)
    with invalid("INVALID_BILLING_PERIOD_FOR_OPERATION"):
        past.client.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    with invalid("INVALID_BILLING_PERIOD_FOR_OPERATION"):
        Desk(small.client).flat(group, BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    small.client.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    small.client.delete_billing_group(Arn=group.arn)
    small.server.settle()
    small.server.restart()
    small.client = small.server.client()
    assert reports(small.client) == before
    assert report_of(small.client, group)["ProformaCost"] == "110"


def test_what_comes_late_is_an_adjustment(new_server, tmp_path):
    """The closed month stays; the difference stands in the current one, once, however often the files are read."""
    server = new_server()
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group(plan=past.plan(past.rule(ModifierPercentage=10)))
    month.line(group.primary, cost="100")
    server.load(month.write(tmp_path / "first"))
    server.command("close", PREVIOUS)
    month.line(group.primary, cost="50")
    late = month.write(tmp_path / "late")
    for _ in range(2):
        server.load(late)
        assert report_of(server.client(), group)["ProformaCost"] == "110"
        closed = only(json.loads(server.command("periods", "--output", "json"))["Periods"])
        assert (closed["BillingPeriod"], closed["ClosedBy"]) == (PREVIOUS, "root")
        adjustment = {"BillingGroupArn": group.arn, "PostedIn": CURRENT, "Currency": "USD", "Amount": "55"}
        assert closed["Adjustments"] == [adjustment]
