"""Cost Explorer's answers to random questions, against DuckDB over the same cost files, to the last digit; billing groups' against their statements.

A generated month of 20,000 lines with Savings Plans, reservations, discounts, credits, tax, support and the Marketplace, cut by tags.
"""
import json
import subprocess
import sys
from collections import defaultdict
from types import SimpleNamespace
from unittest import mock

import pytest

import cube
from cost_explorer import Lines, Questions, answered, compare
from program import ROOT, units
from server import CURRENT
from test_generated import PERIOD, SMALL, make_book

SEED = 20261123
QUESTIONS = 300
MONTH = {"Start": f"{PERIOD}-01", "End": f"{CURRENT}-01"}
# As cost files write them, by the key that a user gave.
TAGS = {"team": "user_team", "Environment": "user_environment"}
# The answers are the store's in nothing but which run a month shows.
pytestmark = pytest.mark.parametrize("new_server", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", "20000", "--period", PERIOD, "--out", folder / "month", *SMALL,
               "--edp", "both", "--seed", str(SEED % 1000)]
    subprocess.run(command, check=True, capture_output=True)
    data = folder / "month" / "data"
    book = make_book(cube.classes(data), folder / "month") | {"reports": {"tags": list(TAGS.values())}}
    server = new_server(start=False, payer=book["payer_account_id"]).start()
    server.apply(book, "--period", PERIOD)
    server.load(data, PERIOD)
    return SimpleNamespace(server=server, client=server.client(service="ce"), lines=Lines(data, PERIOD, TAGS), book=book)


def test_random_questions_are_answered_as_duckdb_does(world):
    questions = Questions(world.lines, SEED)
    for _ in range(QUESTIONS):
        compare(world.client, world.lines, questions.question())


def test_the_values_of_dimensions_are_those_of_the_lines(world):
    for name in world.lines.dimensions:
        page = world.client.get_dimension_values(TimePeriod=MONTH, Dimension=name)
        expected = world.lines.values(name)
        assert page["TotalSize"] == len(expected), name
        assert [of["Value"] for of in page["DimensionValues"]] == sorted(expected)[:1000], name
    for key in TAGS:
        assert world.client.get_tags(TimePeriod=MONTH, TagKey=key)["Tags"] == world.lines.values(f"tag {key}")
    assert world.client.get_tags(TimePeriod=MONTH)["Tags"] == ["environment", "team"]


def test_amortized_cost_is_the_unblended_cost_of_another_time(world):
    """What commitments cost is spread, not changed: both sums are the same but for what is paid or spread beyond the month."""
    question = {"TimePeriod": MONTH, "Granularity": "MONTHLY", "Metrics": ["AmortizedCost", "UnblendedCost"]}
    compare(world.client, world.lines, question)
    daily = answered(world.client, question | {"Granularity": "DAILY"})
    total = answered(world.client, question)[f"{PERIOD}-01", ()][0]
    assert {name: sum(amounts[name] for amounts, _ in daily.values()) for name in total} == total


def statements(world):
    """The lines of every group's statement, by group."""
    folder, = [path.parent for path in world.server.data.glob("payers/*/runs/**/reconciliation.json")]
    for path in (folder / "statements").glob("*.json"):
        yield json.loads(path.read_text())


def view(world, group):
    primary = next(of["primary_account_id"] for of in world.book["billing_groups"] if of["name"] == group)
    return f"arn:aws:billing::{world.server.payer}:billingview/billing-group-{primary}"


def test_a_billing_group_view_is_the_group_s_statement(world):
    seen = 0
    for statement in statements(world):
        of_currency, = statement["statements"]
        arn = view(world, statement["billing_group"])
        for keys, members in ((["LINKED_ACCOUNT", "USAGE_TYPE"], ("account_id", "usage_type")), (["OPERATION", "REGION"], ("operation", "region"))):
            expected = defaultdict(int)
            for service in of_currency["services"]:
                for line in service["usage_types"]:
                    named = zip(keys, (line[member] for member in members))
                    absent = {"OPERATION": "NoOperation", "REGION": "NoRegion", "USAGE_TYPE": "NoUsageType"}
                    expected[tuple(value or absent[key] for key, value in named)] += units(line["amount"])
            question = {"TimePeriod": MONTH, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost", "NetAmortizedCost"], "BillingViewArn": arn,
                        "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in keys]}
            found = {keys: amounts for (_, keys), (amounts, _) in answered(world.client, question).items()}
            assert {keys: amounts["UnblendedCost"] for keys, amounts in found.items()} == expected
            # Whatever the metric is called, it is what the group is charged.
            assert all(amounts["NetAmortizedCost"] == amounts["UnblendedCost"] for amounts in found.values())
        daily = answered(world.client, {"TimePeriod": MONTH, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], "BillingViewArn": arn})
        assert sum(amounts["UnblendedCost"] for amounts, _ in daily.values()) == units(of_currency["total"])
        seen += 1
    assert seen == len(world.book["billing_groups"])


def test_savings_plans_are_used_as_their_lines_say(world):
    rows = world.lines.connection.execute("""
        SELECT plan, CAST(sum(CASE WHEN "RECORD_TYPE" = 'SavingsPlanRecurringFee' THEN committed ELSE 0 END) AS VARCHAR),
            CAST(sum(CASE WHEN "RECORD_TYPE" = 'SavingsPlanRecurringFee' THEN used ELSE 0 END) AS VARCHAR),
            CAST(sum(CASE WHEN "RECORD_TYPE" = 'SavingsPlanCoveredUsage' THEN "UnblendedCost" ELSE 0 END) AS VARCHAR)
        FROM lines WHERE plan <> '' GROUP BY 1 ORDER BY 1""").fetchall()
    pages = []
    given = {"TimePeriod": MONTH, "MaxResults": 1}
    while True:
        page = world.client.get_savings_plans_utilization_details(**given)
        pages += page["SavingsPlansUtilizationDetails"]
        if not (token := page.get("NextToken")):
            break
        given["NextToken"] = token
    found = [(of["SavingsPlanArn"], *(units(of["Utilization"][name]) for name in ("TotalCommitment", "UsedCommitment")),
              units(of["Savings"]["OnDemandCostEquivalent"])) for of in pages]
    assert len(found) > 1 and found == [(plan, int(total), int(used), int(on_demand)) for plan, total, used, on_demand in rows]
    whole = world.client.get_savings_plans_utilization(TimePeriod=MONTH)["Total"]["Utilization"]
    assert units(whole["TotalCommitment"]) == sum(of[1] for of in found)
    days = world.client.get_savings_plans_utilization(TimePeriod=MONTH, Granularity="DAILY")["SavingsPlansUtilizationsByTime"]
    assert sum(units(day["Utilization"]["UsedCommitment"]) for day in days) == sum(of[2] for of in found)
    ask = world.client.get_savings_plans_utilization_details
    by_savings = paged(ask, "SavingsPlansUtilizationDetails", "NextToken", TimePeriod=MONTH, MaxResults=2, DataType=["SAVINGS"],
                       SortBy={"Key": "NetSavings", "SortOrder": "DESCENDING"})
    savings = [units(of["Savings"]["NetSavings"]) for of in by_savings]
    assert savings == sorted(savings, reverse=True) and len(savings) == len(found) and all(set(of) == {"SavingsPlanArn", "Savings"} for of in by_savings)
    assert {of["SavingsPlanArn"] for of in by_savings} == {of[0] for of in found}
    owner = found[0][0].split(":")[4]
    of_owner = world.client.get_savings_plans_utilization_details(
        TimePeriod=MONTH, MaxResults=100, Filter={"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [owner]}})["SavingsPlansUtilizationDetails"]
    assert [of["SavingsPlanArn"] for of in of_owner] == [of[0] for of in found if of[0].split(":")[4] == owner]
    # Every part of And must hold.
    plan = lambda arn: {"Dimensions": {"Key": "SAVINGS_PLAN_ARN", "Values": [arn]}}
    both = world.client.get_savings_plans_utilization_details(TimePeriod=MONTH, Filter={"And": [plan(found[0][0]), plan(found[1][0])]})
    assert both["SavingsPlansUtilizationDetails"] == []


def test_reservations_cover_as_lines_say(world):
    hours = lambda condition: f"""CAST(coalesce(sum(CASE WHEN {condition} THEN "UsageQuantity" END), 0) AS VARCHAR)"""
    reserved, on_demand = "RECORD_TYPE = 'DiscountedUsage'", "PURCHASE_TYPE = 'On Demand Instances' AND RECORD_TYPE = 'Usage'"
    rows = world.lines.connection.execute(f"""
        SELECT "INSTANCE_TYPE", {hours(on_demand)}, {hours(reserved)},
            CAST(coalesce(sum(CASE WHEN {on_demand} THEN "UnblendedCost" END), 0) AS VARCHAR)
        FROM lines WHERE "SERVICE" = 'Amazon Elastic Compute Cloud - Compute' AND "INSTANCE_TYPE" <> 'NoInstanceType'
            AND ("RECORD_TYPE" = 'DiscountedUsage' OR ({on_demand})) GROUP BY 1 ORDER BY 1""").fetchall()
    found, given = [], {"TimePeriod": MONTH, "GroupBy": [{"Type": "DIMENSION", "Key": "INSTANCE_TYPE"}], "MaxResults": 7}
    while True:
        page = world.client.get_reservation_coverage(**given)
        of_time, = page["CoveragesByTime"]
        for group in of_time["Groups"]:
            covered = group["Coverage"]
            found.append((group["Attributes"]["instanceType"], *(units(covered["CoverageHours"][name]) for name in ("OnDemandHours", "ReservedHours")),
                          units(covered["CoverageCost"]["OnDemandCost"])))
        if not (token := page.get("NextPageToken")):
            break
        given["NextPageToken"] = token
    assert found == [(name, *map(int, sums)) for name, *sums in rows] and len(found) > 7
    two = world.client.get_reservation_coverage(TimePeriod=MONTH, MaxResults=1_000, GroupBy=[{"Type": "DIMENSION", "Key": key} for key in ("REGION", "INSTANCE_TYPE")])
    summed = defaultdict(int)
    for group in two["CoveragesByTime"][0]["Groups"]:
        assert set(group["Attributes"]) == {"region", "instanceType"}
        summed[group["Attributes"]["instanceType"]] += units(group["Coverage"]["CoverageHours"]["TotalRunningHours"])
    assert summed == {name: on_demand + reserved for name, on_demand, reserved, _ in found}
    by_cost = world.client.get_reservation_coverage(
        TimePeriod=MONTH, GroupBy=given["GroupBy"], MaxResults=1_000, SortBy={"Key": "OnDemandCost", "SortOrder": "DESCENDING"})
    costs = [units(group["Coverage"]["CoverageCost"]["OnDemandCost"]) for group in by_cost["CoveragesByTime"][0]["Groups"]]
    assert costs == sorted((cost for *_, cost in found), reverse=True)
    days = world.client.get_reservation_coverage(TimePeriod=MONTH, Granularity="DAILY", Metrics=["Hour"])
    assert len(days["CoveragesByTime"]) == 31 and set(days["Total"]) == {"CoverageHours"}
    assert units(days["Total"]["CoverageHours"]["ReservedHours"]) == sum(of[2] for of in found)
    assert sum(units(day["Total"]["CoverageHours"]["OnDemandHours"]) for day in days["CoveragesByTime"]) == sum(of[1] for of in found)


FIGURES = ("PurchasedHours", "TotalActualHours", "UnusedHours", "AmortizedRecurringFee", "AmortizedUpfrontFee", "OnDemandCostOfRIHoursUsed",
           "RICostForUnusedHours", "RealizedSavings", "NetRISavings")


def paged(ask, member, token, **given):
    """All entries of a list, page after page."""
    found = []
    while True:
        page = ask(**given)
        found += page[member]
        if not page.get(token):
            return found
        given[token] = page[token]


def reservations_of(world):
    """By DuckDB: the figures of every reservation of EC2."""
    of = lambda kind, column: f"coalesce(sum(CASE WHEN \"RECORD_TYPE\" = '{kind}' THEN {column} END), 0)"
    used, fee, unused = of("DiscountedUsage", '"AmortizedCost"'), of("RIFee", '"UnblendedCost" + upfront'), of("RIFee", "unused_recurring + unused_upfront")
    listed = of("DiscountedUsage", "listed")
    columns = [of("RIFee", "bought"), of("DiscountedUsage", "bought"), f"{of('RIFee', 'bought')} - {of('DiscountedUsage', 'bought')}",
               of("RIFee", '"UnblendedCost"'), of("RIFee", "upfront"), listed, unused, f"{listed} - {used}", f"{listed} - {fee}"]
    rows = world.lines.connection.execute(f"""
        SELECT reservation, {', '.join(f'CAST({column} AS VARCHAR)' for column in columns)} FROM lines
        WHERE reservation LIKE '%:ec2:%' GROUP BY 1 HAVING {of("RIFee", "bought")} > 0 ORDER BY 1""").fetchall()
    return {row[0]: dict(zip(FIGURES, map(int, row[1:]))) for row in rows}


def test_reservations_are_used_as_their_lines_say(world):
    client, expected = world.client, reservations_of(world)
    asked = {"TimePeriod": MONTH, "GroupBy": [{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}], "MaxResults": 1}
    pages = paged(client.get_reservation_utilization, "UtilizationsByTime", "NextPageToken", **asked)
    groups = [group for page in pages for group in page["Groups"]]
    figures = lambda of: {name: units(of[name]) for name in FIGURES}
    assert len(expected) > 1 and {of["Attributes"]["reservationARN"]: figures(of["Utilization"]) for of in groups} == expected
    for group in groups:
        assert group["Key"] == "SUBSCRIPTION_ID" and group["Attributes"]["reservationARN"].endswith(group["Value"])
        of = group["Utilization"]
        potential, realized, unrealized = (units(of[name]) for name in ("TotalPotentialRISavings", "RealizedSavings", "UnrealizedSavings"))
        assert potential == realized + unrealized
    whole = {name: sum(of[name] for of in expected.values()) for name in FIGURES}
    assert figures(pages[0]["Total"]) == whole
    by_time = [client.get_reservation_utilization(TimePeriod=MONTH, Granularity=granularity) for granularity in ("MONTHLY", "DAILY")]
    for answer, times in zip(by_time, (1, 31)):
        assert len(answer["UtilizationsByTime"]) == times and figures(answer["Total"]) == whole
        assert {name: sum(units(of["Total"][name]) for of in answer["UtilizationsByTime"]) for name in FIGURES} == whole
    # Without a granularity it is by day, as at AWS.
    assert client.get_reservation_utilization(TimePeriod=MONTH) == by_time[1] | {"ResponseMetadata": mock.ANY}
    sorted_by = client.get_reservation_utilization(**asked | {"MaxResults": 100}, SortBy={"Key": "UnusedHours", "SortOrder": "DESCENDING"})
    hours = [units(group["Utilization"]["UnusedHours"]) for group in sorted_by["UtilizationsByTime"][0]["Groups"]]
    assert hours == sorted(hours, reverse=True)


def test_reservations_are_picked_by_what_they_are(world):
    asked = {"TimePeriod": MONTH, "GroupBy": [{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}]}
    all_groups = world.client.get_reservation_utilization(**asked)["UtilizationsByTime"][0]["Groups"]
    for key, attribute in (("LINKED_ACCOUNT", "accountId"), ("INSTANCE_TYPE", "instanceType"), ("REGION", "region"), ("PLATFORM", "platform")):
        value = all_groups[-1]["Attributes"][attribute]
        picked = world.client.get_reservation_utilization(**asked, Filter={"Dimensions": {"Key": key, "Values": [value]}})
        assert picked["UtilizationsByTime"][0]["Groups"] == [of for of in all_groups if of["Attributes"][attribute] == value]


ELIGIBLE = """(("SERVICE" = 'Amazon Elastic Compute Cloud - Compute' AND "INSTANCE_TYPE" <> 'NoInstanceType') OR "USAGE_TYPE" LIKE '%Fargate-%'
    OR "USAGE_TYPE" LIKE '%Lambda-GB-Second%' OR "USAGE_TYPE" LIKE '%Lambda-Provisioned-%' OR "USAGE_TYPE" LIKE '%:ml.%'
    OR ("SERVICE", "USAGE_TYPE") IN (SELECT "SERVICE", "USAGE_TYPE" FROM lines WHERE "RECORD_TYPE" = 'SavingsPlanCoveredUsage'))"""


def covered_spend(world, *columns):
    covered = "\"RECORD_TYPE\" = 'SavingsPlanCoveredUsage'"
    at_rates = f"\"RECORD_TYPE\" = 'Usage' AND \"PURCHASE_TYPE\" = 'On Demand Instances' AND \"BILLING_ENTITY\" <> 'AWS Marketplace' AND {ELIGIBLE}"
    spend = lambda condition: f"CAST(coalesce(sum(CASE WHEN {condition} THEN \"UnblendedCost\" END), 0) AS VARCHAR)"
    keys = ", ".join(f'"{column}"' if column != "day" else "CAST(day AS VARCHAR)" for column in columns)
    by = ", ".join(str(place + 1) for place in range(len(columns)))
    rows = world.lines.connection.execute(f"""
        SELECT {keys}, {spend(covered)}, {spend(at_rates)} FROM lines WHERE {covered} OR ({at_rates}) GROUP BY {by}""").fetchall()
    return {row[:-2]: (int(row[-2]), int(row[-1])) for row in rows}


def test_savings_plans_cover_as_lines_say(world):
    figures = lambda of: (units(of["Coverage"]["SpendCoveredBySavingsPlans"]), units(of["Coverage"]["OnDemandCost"]))
    ask = lambda **given: paged(world.client.get_savings_plans_coverage, "SavingsPlansCoverages", "NextToken", TimePeriod=MONTH, **given)
    for keys in (["SERVICE"], ["REGION", "SERVICE"]):
        rows = ask(GroupBy=[{"Type": "DIMENSION", "Key": key} for key in keys], MaxResults=3)
        assert {tuple(of["Attributes"][key] for key in keys): figures(of) for of in rows} == covered_spend(world, *keys)
    by_day = covered_spend(world, "day")
    days = ask(Granularity="DAILY", MaxResults=100)
    assert {(of["TimePeriod"]["Start"],): figures(of) for of in days} == by_day and len(days) == 31
    whole, = ask(Metrics=["SpendCoveredBySavingsPlans"])
    assert figures(whole) == tuple(sum(of[place] for of in by_day.values()) for place in (0, 1))
    assert units(whole["Coverage"]["TotalCost"]) == sum(figures(whole))
    region = ask(GroupBy=[{"Type": "DIMENSION", "Key": "REGION"}], SortBy={"Key": "TotalCost", "SortOrder": "DESCENDING"})[0]["Attributes"]["REGION"]
    only, = ask(Filter={"Dimensions": {"Key": "REGION", "Values": [region]}})
    assert figures(only) == covered_spend(world, "REGION")[region,]
    families = ask(GroupBy=[{"Type": "DIMENSION", "Key": "INSTANCE_FAMILY"}], MaxResults=100)
    assert len({of["Attributes"]["INSTANCE_FAMILY"] for of in families}) == len(families) > 3
    assert tuple(sum(figures(of)[place] for of in families) for place in (0, 1)) == figures(whole)
