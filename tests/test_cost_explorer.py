"""Cost Explorer through boto3 and the AWS CLI, on either store: shapes, pages, views, what is refused, and who sees what."""
import hashlib
import json
import subprocess
import sys
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from desk import NUMBERS, Desk, account
from policy_months import PolicyMonth
from server import CURRENT, PAYER, PREVIOUS, QUIET, in_period

OCTOBER = {"Start": "2026-10-01", "End": "2026-11-01"}
# What AWS charges for every line of anybody, and the margin on it: no customer may ever find a digit of these.
CANARY, PRICE = "31415926.5358979323", "271"
# The same at the average rates of the organization, which tell of others' prices.
AVERAGED = "27182818.2845904523"
EVERYTHING = ["AmortizedCost", "BlendedCost", "NetAmortizedCost", "NetUnblendedCost", "UnblendedCost", "UsageQuantity"]
SERVICE = [{"Type": "DIMENSION", "Key": "SERVICE"}]
ACCOUNT = [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}]


def view(group=None, payer=PAYER):
    return f"arn:aws:billing::{payer}:billingview/" + ("primary" if group is None else f"billing-group-{group.primary}")


def customer(desk, plan, members=2):
    group = desk.group(members, plan=plan)
    desk.flat(group, 10, BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    return group


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers, each with lines of three services on two days, one of them tagged; and a viewer of each."""
    server = new_server(transfers=False)
    reports = {"tags": ["user_cost_center", "aws_created_by"], "cost_categories": ["Team"]}
    server.apply({"payer_account_id": PAYER, "currency": "USD", "reports": reports}, "--period", PREVIOUS)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    ours, theirs, outside = customer(desk, plan), customer(desk, plan, 3), account()
    month = PolicyMonth()
    for group in (ours, theirs):
        for number, member in enumerate(group.accounts):
            for place, service in enumerate(["AmazonS3", "AWSLambda", "AmazonEC2"]):
                tags = {"user_cost_center": f"team-{number}"} if place == 0 else {}
                month.line(member, cost=CANARY, blended=AVERAGED, public=PRICE, service=service, hour=5 + 24 * place, tags=tags,
                           categories={"Team": "platform"} if place == 1 else {}, unit=["GB-Mo", "Requests", "Hrs"][place],
                           usage_type=["TimedStorage-ByteHrs", "Lambda-Requests", "USW2-BoxUsage:m5.large"][place])
    month.line(outside, cost="7.25", service="AmazonEC2", usage_type="EBS:VolumeUsage.gp3", unit="GB-Mo")
    month.line(ours.accounts[0], "Tax", cost="1.5", service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("cost-explorer") / "cost"))
    viewer = server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [ours.arn])
    narrow = server.keys(f"narrow-{next(NUMBERS)}", "group-viewer", [ours.arn], [ours.accounts[1]])
    return SimpleNamespace(server=server, client=server.client(service="ce"), ours=ours, theirs=theirs, outside=outside,
                           viewer=server.client(viewer, service="ce"), narrow=server.client(narrow, service="ce"), viewer_keys=viewer)


def asked(client, **more):
    given = {"TimePeriod": OCTOBER, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]} | more
    return client.get_cost_and_usage(**given)


def groups(answer, metric="UnblendedCost"):
    of, = answer["ResultsByTime"]
    return {tuple(group["Keys"]): group["Metrics"][metric]["Amount"] for group in of["Groups"]}


def refused(act, code="ValidationException"):
    with pytest.raises(ClientError) as raised:
        act()
    assert raised.value.response["Error"]["Code"] == code, raised.value
    return raised.value.response["Error"]["Message"]


# ---- Answers

def test_the_payer_sees_what_aws_charges_by_service(world):
    answer = asked(world.client, GroupBy=SERVICE, Metrics=["UnblendedCost", "UsageQuantity"])
    assert answer["GroupDefinitions"] == SERVICE and "NextPageToken" not in answer
    assert answer["ResultsByTime"][0]["TimePeriod"] == OCTOBER and answer["ResultsByTime"][0]["Total"] == {}
    assert answer["ResultsByTime"][0]["Estimated"] is True
    compute = "157079632.6794896615"
    assert groups(answer) == {("AWSLambda",): compute, ("AmazonS3",): compute, ("Amazon Elastic Compute Cloud - Compute",): compute,
                              ("EC2 - Other",): "7.25", ("Tax",): "1.5"}
    by_service = {group["Keys"][0]: group["Metrics"]["UsageQuantity"] for group in answer["ResultsByTime"][0]["Groups"]}
    assert by_service["AWSLambda"] == {"Amount": "5", "Unit": "Requests"} and by_service["Tax"]["Amount"] == "0"


def test_days_without_groups_are_totals(world):
    answer = asked(world.client, Granularity="DAILY", TimePeriod={"Start": "2026-10-01", "End": "2026-10-05"}, Metrics=["UnblendedCost", "UsageQuantity"])
    assert [of["TimePeriod"] for of in answer["ResultsByTime"]] == [
        {"Start": f"2026-10-0{day}", "End": f"2026-10-0{day + 1}"} for day in range(1, 5)]
    assert all(of["Groups"] == [] for of in answer["ResultsByTime"])
    assert answer["ResultsByTime"][1]["Total"]["UsageQuantity"] == {"Amount": "5", "Unit": "Requests"}
    # Gigabytes and hours cannot be added; an empty day has nothing to add.
    assert answer["ResultsByTime"][0]["Total"]["UsageQuantity"]["Unit"] == "GB-Mo"
    assert answer["ResultsByTime"][3]["Total"] == {"UnblendedCost": {"Amount": "0", "Unit": "USD"}, "UsageQuantity": {"Amount": "0", "Unit": "N/A"}}
    whole = asked(world.client, Metrics=["UsageQuantity"])["ResultsByTime"][0]["Total"]["UsageQuantity"]
    assert whole == {"Amount": "16", "Unit": "N/A"}


def test_filters_choose_and_groups_tell_apart(world):
    ours = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": world.ours.accounts}}
    storage = {"Dimensions": {"Key": "SERVICE", "Values": ["AmazonS3"]}}
    both = groups(asked(world.client, GroupBy=ACCOUNT, Filter={"And": [ours, storage]}))
    assert both == {(member,): CANARY for member in world.ours.accounts}
    either = groups(asked(world.client, GroupBy=SERVICE, Filter={"Or": [storage, {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Tax"]}}]}))
    assert either.keys() == {("AmazonS3",), ("Tax",)}
    others = groups(asked(world.client, GroupBy=ACCOUNT, Filter={"Not": {"Or": [ours, {"Dimensions": {"Key": "REGION", "Values": ["nowhere"]}}]}}))
    assert others.keys() == {(member,) for member in [*world.theirs.accounts, world.outside]}
    two = asked(world.client, GroupBy=[*ACCOUNT, {"Type": "DIMENSION", "Key": "REGION"}], Filter=ours)
    assert {keys[1] for keys in groups(two)} == {"us-east-1"}


def test_tags_are_known_by_the_keys_that_users_gave(world):
    by_tag = groups(asked(world.client, GroupBy=[{"Type": "TAG", "Key": "CostCenter"}], Metrics=["UsageQuantity"]), "UsageQuantity")
    assert by_tag == {("CostCenter$",): "11", ("CostCenter$team-0",): "2", ("CostCenter$team-1",): "2", ("CostCenter$team-2",): "1"}
    chosen = asked(world.client, Metrics=["UsageQuantity"], Filter={"Tags": {"Key": "CostCenter", "Values": ["team-0", ""]}})
    assert chosen["ResultsByTime"][0]["Total"]["UsageQuantity"]["Amount"] == "13"
    absent = asked(world.client, Metrics=["UsageQuantity"], Filter={"Tags": {"Key": "CostCenter", "MatchOptions": ["ABSENT"]}})
    assert absent["ResultsByTime"][0]["Total"]["UsageQuantity"]["Amount"] == "11"
    # A tag that nobody has activated is on no line.
    assert groups(asked(world.client, GroupBy=[{"Type": "TAG", "Key": "Owner"}], Metrics=["UsageQuantity"]), "UsageQuantity") == {("Owner$",): "16"}
    assert world.client.get_tags(TimePeriod=OCTOBER)["Tags"] == ["cost_center"]
    assert world.client.get_tags(TimePeriod=OCTOBER, TagKey="CostCenter")["Tags"] == ["", "team-0", "team-1", "team-2"]
    listed = world.client.list_cost_allocation_tags()["CostAllocationTags"]
    assert listed == [{"TagKey": "aws_created_by", "Type": "AWSGenerated", "Status": "Active"},
                      {"TagKey": "cost_center", "Type": "UserDefined", "Status": "Active"}]
    assert world.client.list_cost_allocation_tags(Status="Inactive")["CostAllocationTags"] == []


def test_cost_categories_are_those_of_the_lines(world):
    assert world.client.get_cost_categories(TimePeriod=OCTOBER)["CostCategoryNames"] == ["Team"]
    assert world.client.get_cost_categories(TimePeriod=OCTOBER, CostCategoryName="Team")["CostCategoryValues"] == ["", "platform"]
    by_team = groups(asked(world.client, GroupBy=[{"Type": "COST_CATEGORY", "Key": "Team"}], Metrics=["UsageQuantity"]), "UsageQuantity")
    assert by_team == {("Team$",): "11", ("Team$platform",): "5"}


def test_values_of_dimensions(world):
    values = lambda **more: world.client.get_dimension_values(**{"TimePeriod": OCTOBER} | more)
    services = values(Dimension="SERVICE")
    assert [of["Value"] for of in services["DimensionValues"]] == [
        "AWSLambda", "Amazon Elastic Compute Cloud - Compute", "AmazonS3", "EC2 - Other", "Tax"]
    assert services["ReturnSize"] == services["TotalSize"] == 5
    assert [of["Value"] for of in values(Dimension="SERVICE", SearchString="lambda")["DimensionValues"]] == ["AWSLambda"]
    cheapest = values(Dimension="SERVICE", SortBy=[{"Key": "UnblendedCost", "SortOrder": "ASCENDING"}], MaxResults=2)
    assert [of["Value"] for of in cheapest["DimensionValues"]] == ["Tax", "EC2 - Other"]
    assert [of["Value"] for of in values(Dimension="INSTANCE_TYPE")["DimensionValues"]] == ["NoInstanceType", "m5.large"]
    assert {of["Value"] for of in values(Dimension="LINKED_ACCOUNT")["DimensionValues"]} == {
        *world.ours.accounts, *world.theirs.accounts, world.outside}


def test_accounts_have_their_names_beside_them(world):
    named = {world.ours.primary: "Larkfield", world.theirs.primary: "Globex"}
    world.server.own("DeclareAccounts", {"Accounts": [{"AccountId": member, "Name": text} for member, text in named.items()], "Complete": False})
    for client, seen in ((world.client, named), (world.viewer, {world.ours.primary: "Larkfield"})):
        expected = [{"Value": member, "Attributes": {"description": text}} for member, text in sorted(seen.items())]
        assert asked(client, GroupBy=[*SERVICE, *ACCOUNT])["DimensionValueAttributes"] == expected
        listed = client.get_dimension_values(TimePeriod=OCTOBER, Dimension="LINKED_ACCOUNT")["DimensionValues"]
        assert [of for of in listed if of["Attributes"]] == expected
    assert asked(world.client, GroupBy=SERVICE)["DimensionValueAttributes"] == []


# ---- Views

def charged(world, group):
    report = in_period(world.server.client(), PREVIOUS).list_billing_group_cost_reports(
        BillingPeriod=PREVIOUS, Filters={"BillingGroupArns": [group.arn]})["BillingGroupCostReports"][0]
    return report["ProformaCost"]


def test_a_group_s_view_is_its_cost_report(world):
    for group in (world.ours, world.theirs):
        total = asked(world.client, BillingViewArn=view(group), Metrics=EVERYTHING)["ResultsByTime"][0]["Total"]
        costs = {total[metric]["Amount"] for metric in EVERYTHING if metric.endswith("Cost")}
        assert costs == {charged(world, group)}
        by_account = groups(asked(world.client, BillingViewArn=view(group), GroupBy=ACCOUNT))
        assert {keys[0] for keys in by_account} == set(group.accounts)


def test_the_primary_view_is_the_payer_s_own(world):
    assert asked(world.client, BillingViewArn=view())["ResultsByTime"] == asked(world.client)["ResultsByTime"]
    # Pro forma has no tax and no account outside of groups; AWS's bill has no custom line item.
    pro_forma = groups(asked(world.client, BillingViewArn=view(world.ours), GroupBy=SERVICE))
    assert ("Tax",) not in pro_forma and ("AWS Billing Conductor",) in pro_forma
    assert ("AWS Billing Conductor",) not in groups(asked(world.client, GroupBy=SERVICE))


def test_a_view_that_there_is_not_is_named(world):
    for arn in (view(payer="888888888888"), f"arn:aws:billing::{PAYER}:billingview/billing-group-123456789012", f"arn:aws:billing::{PAYER}:billingview/custom-1"):
        assert arn in refused(lambda: asked(world.client, BillingViewArn=arn), "ResourceNotFoundException")


# ---- Who sees what

OPERATIONS = {
    "get_cost_and_usage": {"TimePeriod": OCTOBER, "Granularity": "DAILY", "Metrics": EVERYTHING, "GroupBy": ACCOUNT},
    "get_dimension_values": {"TimePeriod": OCTOBER, "Dimension": "LINKED_ACCOUNT"},
    "get_tags": {"TimePeriod": OCTOBER, "TagKey": "CostCenter"},
    "get_cost_categories": {"TimePeriod": OCTOBER},
}


def test_a_viewer_sees_its_own_pro_forma_and_nothing_else(world):
    total = asked(world.viewer, Metrics=EVERYTHING)["ResultsByTime"][0]["Total"]
    assert {total[metric]["Amount"] for metric in EVERYTHING if metric.endswith("Cost")} == {charged(world, world.ours)}
    assert asked(world.viewer, BillingViewArn=view(world.ours), Metrics=EVERYTHING)["ResultsByTime"][0]["Total"] == total
    for operation, given in OPERATIONS.items():
        text = json.dumps(getattr(world.viewer, operation)(**given))
        assert "31415926" not in text and "27182818" not in text and not any(member in text for member in [*world.theirs.accounts, world.outside, PAYER]), operation
    assert {keys[0] for keys in groups(asked(world.viewer, GroupBy=ACCOUNT))} == set(world.ours.accounts)
    assert world.viewer.get_tags(TimePeriod=OCTOBER, TagKey="CostCenter")["Tags"] == ["", "team-0", "team-1"]


def test_a_viewer_of_an_account_sees_that_account(world):
    assert groups(asked(world.narrow, GroupBy=ACCOUNT)).keys() == {(world.ours.accounts[1],)}
    assert groups(asked(world.narrow, GroupBy=ACCOUNT, BillingViewArn=view(world.ours))).keys() == {(world.ours.accounts[1],)}
    assert ("AWS Billing Conductor",) not in groups(asked(world.narrow, GroupBy=SERVICE)), "the fee is on the primary account"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_other_view_is_told_from_one_that_is_not_there(world, operation):
    others = [view(world.theirs), view(), f"arn:aws:billing::{PAYER}:billingview/billing-group-123456789012", view(payer="888888888888")]
    for client in (world.viewer, world.narrow):
        said = {refused(lambda arn=arn: getattr(client, operation)(**OPERATIONS[operation] | {"BillingViewArn": arn}), "AccessDeniedException")
                for arn in others}
        assert len(said) == 1


def test_a_viewer_cannot_ask_for_what_names_others(world):
    for name in ("PAYER_ACCOUNT", "RESERVATION_ID", "SAVINGS_PLAN_ARN"):
        assert name in refused(lambda: asked(world.viewer, Filter={"Dimensions": {"Key": name, "Values": ["x"]}}))
        assert name in refused(lambda: world.viewer.get_dimension_values(TimePeriod=OCTOBER, Dimension=name))
    refused(world.viewer.list_cost_allocation_tags, "AccessDeniedException")


@pytest.mark.parametrize("operation", ["get_reservation_coverage", "get_reservation_utilization", "get_savings_plans_coverage",
                                       "get_savings_plans_utilization", "get_savings_plans_utilization_details"])
def test_commitments_are_the_payer_s_own(world, operation):
    for client in (world.viewer, world.narrow):
        message = refused(lambda client=client: getattr(client, operation)(TimePeriod=OCTOBER), "AccessDeniedException")
        assert "31415926" not in message


def test_what_is_refused_of_commitments_says_why(world):
    client, by = world.client, lambda key: [{"Type": "DIMENSION", "Key": key}]
    coverage = {"TimePeriod": OCTOBER}
    for operation, given, says in [
        ("get_reservation_utilization", {"GroupBy": by("SERVICE")}, "`SERVICE` is not how utilization is grouped"),
        ("get_reservation_utilization", {"GroupBy": by("SUBSCRIPTION_ID"), "Granularity": "DAILY"}, "cannot be set with GroupBy"),
        ("get_reservation_utilization", {"Granularity": "HOURLY"}, "HOURLY"),
        ("get_reservation_utilization", {"Filter": {"Dimensions": {"Key": "OPERATION", "Values": ["a"]}}}, "not told apart by OPERATION"),
        ("get_reservation_utilization", {"SortBy": {"Key": "Time"}}, "`Time`"),
        ("get_savings_plans_coverage", {"GroupBy": by("OPERATION")}, "`OPERATION` is none of"),
        ("get_savings_plans_coverage", {"GroupBy": by("REGION") * 2}, "each once"),
        ("get_savings_plans_coverage", {"GroupBy": by("REGION"), "Granularity": "DAILY"}, "cannot be set with GroupBy"),
        ("get_savings_plans_coverage", {"Metrics": ["Hour"]}, "`Hour`"),
        ("get_savings_plans_coverage", {"Filter": {"Dimensions": {"Key": "OPERATION", "Values": ["a"]}}}, "not filtered by OPERATION"),
        ("get_savings_plans_coverage", {"SortBy": {"Key": "Hour"}}, "`Hour`"),
        ("get_reservation_coverage", {"SortBy": {"Key": "Hour"}}, "`Hour`"),
        ("get_reservation_coverage", {"GroupBy": by("AZ") * 2}, "each once"),
        ("get_savings_plans_utilization", {"SortBy": {"Key": "Time"}}, "`Time`"),
        ("get_savings_plans_utilization_details", {"SortBy": {"Key": "Time"}}, "`Time`"),
    ]:
        assert says in refused(lambda operation=operation, given=given: getattr(client, operation)(**coverage | given))
    assert "no reservation" in refused(lambda: client.get_reservation_utilization(**coverage), "DataUnavailableException")


def test_another_payer_sees_nothing(new_server):
    other = new_server(payer="777777777777", transfers=False).client(service="ce")
    assert "no cost data of 2026-10" in refused(lambda: asked(other), "DataUnavailableException")


# ---- What is refused

@pytest.mark.parametrize("given, says", [
    ({"Granularity": "HOURLY"}, "`2026-10-01` is more than 14 days ago"),
    ({"Metrics": ["Cost"]}, "`Cost`"),
    ({"TimePeriod": {"Start": "2026-10-05", "End": "2026-10-05"}}, "Start date (and hour) should be before end date (and hour)"),
    ({"TimePeriod": {"Start": "2026-10-32", "End": "2026-11-05"}}, "2026-10-32"),
    ({"TimePeriod": {"Start": "2026-12-01", "End": "2026-12-05"}}, "in the future"),
    ({"GroupBy": [*SERVICE, *ACCOUNT, {"Type": "TAG", "Key": "a"}]}, "3 groups are too many"),
    ({"GroupBy": [*SERVICE, *SERVICE]}, "twice"),
    ({"GroupBy": [{"Type": "DIMENSION", "Key": "DATABASE_ENGINE"}]}, "cannot tell the dimension `DATABASE_ENGINE`"),
    ({"Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["a"]}, "Tags": {"Key": "b", "Values": ["c"]}}}, "Expression has more than one roots."),
    ({"Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["a"], "MatchOptions": ["CONTAINS"]}}}, "`CONTAINS`"),
    ({"NextPageToken": "nonsense"}, ""),
])
def test_what_is_refused_says_why(world, given, says):
    code = "InvalidNextTokenException" if "NextPageToken" in given else "ValidationException"
    assert says in refused(lambda: asked(world.client, **given), code)


def test_months_without_data(world):
    assert "2026-01 to 2026-02" in refused(
        lambda: asked(world.client, TimePeriod={"Start": "2026-01-01", "End": "2026-03-01"}), "DataUnavailableException")
    # A month without a run is an empty one beside those that have one.
    answer = asked(world.client, TimePeriod={"Start": "2026-09-15", "End": f"{CURRENT}-01"})
    assert [(of["TimePeriod"]["Start"], of["Total"]["UnblendedCost"]["Amount"] == "0") for of in answer["ResultsByTime"]] == [
        ("2026-09-15", True), ("2026-10-01", False)]


def test_a_closed_month_is_not_estimated(new_server, tmp_path_factory):
    server = new_server()
    member = account()
    month = PolicyMonth()
    month.line(member, cost="5")
    server.load(month.write(tmp_path_factory.mktemp("closed") / "cost"))
    client = server.client(service="ce")
    assert asked(client)["ResultsByTime"][0]["Estimated"] is True
    server.command("close", PREVIOUS)
    assert asked(client)["ResultsByTime"][0]["Estimated"] is False


# ---- Pages

def test_pages_are_of_one_answer(new_server, tmp_path_factory):
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    rule = desk.rule(ModifierPercentage=10)
    group = desk.group(1, plan=desk.plan(rule))
    others = [f"{300000000000 + number}" for number in range(5_250)]
    month = PolicyMonth()
    for member in [group.primary, *others]:
        month.line(member, cost="2", hour=30)
    month.line(group.primary, cost="3", hour=60)
    server.load(month.write(tmp_path_factory.mktemp("pages") / "cost"))
    client = server.client(service="ce")
    given = {"Granularity": "DAILY", "GroupBy": ACCOUNT}
    first = asked(client, **given)
    sizes = lambda answer: [(of["TimePeriod"]["Start"], len(of["Groups"])) for of in answer["ResultsByTime"] if of["Groups"]]
    assert sizes(first) == [("2026-10-02", 4_999)], "a day without groups takes the room of one"
    second = asked(client, **given, NextPageToken=first["NextPageToken"])
    assert sizes(second) == [("2026-10-02", 252), ("2026-10-03", 1)] and "NextPageToken" not in second
    days = [of["TimePeriod"]["Start"] for of in first["ResultsByTime"] + second["ResultsByTime"][1:]]
    assert days == [f"2026-10-{day:02}" for day in range(1, 32)]
    members = [group["Keys"][0] for page in (first, second) for of in page["ResultsByTime"] if of["TimePeriod"]["Start"] == "2026-10-02" for group in of["Groups"]]
    assert members == sorted([group.primary, *others])
    # A token is good for its question, and for the months as they were priced.
    for other in ({"Metrics": ["AmortizedCost"]}, {"BillingViewArn": view(group)}):
        refused(lambda other=other: asked(client, **given | other, NextPageToken=first["NextPageToken"]), "InvalidNextTokenException")
    values = client.get_dimension_values(TimePeriod=OCTOBER, Dimension="LINKED_ACCOUNT")
    assert (values["ReturnSize"], values["TotalSize"]) == (1_000, 5_251)
    last = client.get_dimension_values(TimePeriod=OCTOBER, Dimension="LINKED_ACCOUNT", NextPageToken=values["NextPageToken"])
    assert last["DimensionValues"][0]["Value"] == sorted([group.primary, *others])[1_000]
    desk.client.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    server.settle()
    refused(lambda: asked(client, **given, NextPageToken=first["NextPageToken"]), "RequestChangedException")
    assert sizes(asked(client, **given)) == sizes(first)


# ---- Metrics of averages and discounts

SECOND = {"TimePeriod": {"Start": "2026-10-02", "End": "2026-10-03"}, "Granularity": "DAILY"}
PLAN, RESERVED = f"arn:aws:savingsplans::{PAYER}:savingsplan/a", f"arn:aws:ec2:us-east-1:{PAYER}:reserved-instances/a"


def total(client, metric, **more):
    return asked(client, Metrics=[metric], **more)["ResultsByTime"][0]["Total"][metric]["Amount"]


def test_blended_cost_is_the_sum_of_its_column(world):
    assert total(world.client, "BlendedCost") == "407742274.2688567845", "fifteen lines; those without one add nothing"
    assert total(world.client, "BlendedCost", **SECOND) == "135914091.4229522615"
    found = groups(asked(world.client, Metrics=["BlendedCost"], GroupBy=ACCOUNT), "BlendedCost")
    assert found[world.ours.accounts[0],] == "81548454.8537713569" and found[world.outside,] == "0"


def commitments(member, net=True):
    """What a payer with a discount of a tenth has of commitments, each on the second day."""
    month = PolicyMonth()
    of = lambda **columns: {name: value for name, value in columns.items() if net or "_net_" not in name or name.startswith("line_item")}
    plan = {"savings_plan_savings_plan_a_r_n": PLAN, "hour": 30}
    reserved = {"reservation_reservation_a_r_n": RESERVED, "hour": 30}
    month.line(member, "SavingsPlanCoveredUsage", cost="5", net="4.5", blended="5", **plan, **of(
        savings_plan_savings_plan_effective_cost="3", savings_plan_net_savings_plan_effective_cost="2.7"))
    month.line(member, "SavingsPlanNegation", cost="-5", net="-4.5", blended="-5", **plan)
    month.line(PAYER, "SavingsPlanRecurringFee", cost="1", net="0.9", blended="1", **plan, **of(
        savings_plan_total_commitment_to_date="4", savings_plan_used_commitment="3", savings_plan_recurring_commitment_for_billing_period="1",
        savings_plan_net_recurring_commitment_for_billing_period="0.9", savings_plan_amortized_upfront_commitment_for_billing_period="3",
        savings_plan_net_amortized_upfront_commitment_for_billing_period="2.5"))
    month.line(member, "DiscountedUsage", cost="0", net="0", **reserved, **of(reservation_effective_cost="2", reservation_net_effective_cost="1.8"))
    # Without net costs of its own: nothing is taken off.
    month.line(member, "DiscountedUsage", cost="0", net="0", **reserved, **of(reservation_effective_cost="0.25"))
    month.line(PAYER, "RIFee", cost="3", net="2.7", blended="3", **reserved, **of(
        reservation_unused_recurring_fee="1", reservation_net_unused_recurring_fee="0.9",
        reservation_unused_amortized_upfront_fee_for_billing_period="0.5", reservation_net_unused_amortized_upfront_fee_for_billing_period="0.4"))
    month.line(PAYER, "Fee", cost="70", net="63", blended="70", **reserved)
    month.line(member, cost="11", net="9.9", blended="10", hour=30)
    return month


def test_net_amortized_cost_spreads_what_discounts_leave(new_server, tmp_path_factory):
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(1, plan=desk.plan(desk.rule(ModifierPercentage=10)))
    server.load(commitments(group.primary).write(tmp_path_factory.mktemp("discounted") / "cost"))
    client = server.client(service="ce")
    expected = {"SavingsPlanCoveredUsage": "2.7", "SavingsPlanNegation": "0", "SavingsPlanRecurringFee": "0.85", "DiscountedUsage": "2.05",
                "RIFee": "1.3", "Fee": "0", "Usage": "9.9"}
    by_type = [{"Type": "DIMENSION", "Key": "RECORD_TYPE"}]
    for when in ({}, SECOND):
        found = groups(asked(client, Metrics=["NetAmortizedCost"], GroupBy=by_type, **when), "NetAmortizedCost")
        assert {kind: found.get((kind,), "0") for kind in expected} == expected, when
    # Every service of AWS's that takes a metric takes it by its own spelling.
    compared = client.get_cost_and_usage_comparisons(
        MetricForComparison="NetAmortizedCost", BaselineTimePeriod=OCTOBER, ComparisonTimePeriod=OCTOBER)
    assert compared["TotalCostAndUsage"]["NetAmortizedCost"]["BaselineTimePeriodAmount"] == "16.8"
    for metric in ("BLENDED_COST", "NET_AMORTIZED_COST"):
        ahead = {"Start": "2026-12-01", "End": "2027-01-01"}
        said = refused(lambda metric=metric: client.get_cost_forecast(Metric=metric, Granularity="MONTHLY", TimePeriod=ahead), "DataUnavailableException")
        assert "needs 3 whole months with data" in said
    values = client.get_dimension_values(TimePeriod=OCTOBER, Dimension="RECORD_TYPE", SortBy=[{"Key": "BlendedCost", "SortOrder": "DESCENDING"}])
    assert values["DimensionValues"][0]["Value"] == "Fee"


def test_what_cost_files_do_not_say_is_refused(new_server, tmp_path_factory):
    server = new_server(transfers=False)
    month = commitments(account(), net=False)
    for row in month.rows:
        row["line_item_blended_cost"] = None
    server.load(month.write(tmp_path_factory.mktemp("undiscounted") / "cost"))
    client = server.client(service="ce")
    assert total(client, "AmortizedCost") == "18.75"
    told = refused(lambda: total(client, "BlendedCost"))
    assert "BlendedCost is not known of 2026-10" in told and "`line_item_blended_cost`; ask for UnblendedCost" in told
    assert "lack columns of those of commitments" in refused(lambda: total(client, "NetAmortizedCost"))


# ---- Runs of earlier versions

LATER = ["blended_cost", "net_amortized_cost"]


def rewritten(path, mark, version, without):
    """Makes a file of a run one of an earlier layout."""
    table = pq.read_table(path).drop_columns(without)
    kept = {name: value for name, value in (pq.read_metadata(path).metadata or {}).items() if name.startswith(b"proforma.")}
    if b"proforma.abilities" in kept:
        abilities = json.loads(kept[b"proforma.abilities"])
        later = ("blended cost", "net cost of reservations", "net cost of Savings Plans")
        kept[b"proforma.abilities"] = json.dumps({name: of for name, of in abilities.items() if name not in later}).encode()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    pq.write_table(table.replace_schema_metadata(kept | {b"proforma.version": version}), path, compression="zstd")
    text = mark.read_text()
    assert text.count(before) == 1
    mark.write_text(text.replace(before, hashlib.sha256(path.read_bytes()).hexdigest()))


def as_written_before(folder, version):
    """Makes a run's cubes those of an earlier layout: of the first, from before amortized cost was kept by day, or the second, from before averages were."""
    mark = folder / "reconciliation.json"
    without = LATER + ["normalized_usage_amount", "amortized_cost"] * (version == b"1")
    rewritten(folder / "cost-cube-daily.parquet", mark, version, without)
    rewritten(folder / "cost-cube.parquet", mark, b"3", LATER)


def test_an_older_run_answers_what_it_has(new_server, tmp_path_factory):
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    rule = desk.rule(ModifierPercentage=10)
    group = desk.group(1, plan=desk.plan(rule))
    month = PolicyMonth()
    month.line(group.primary, cost="5", hour=30)
    server.load(month.write(tmp_path_factory.mktemp("older") / "cost"))
    folder, = [path.parent for path in server.data.glob("payers/*/runs/**/reconciliation.json")]
    as_written_before(folder, b"1")
    server.restart()
    client = server.client(service="ce")
    second = {"TimePeriod": {"Start": "2026-10-02", "End": "2026-10-03"}, "Granularity": "DAILY"}
    amount = lambda answer, metric: answer["ResultsByTime"][0]["Total"][metric]["Amount"]
    assert amount(asked(client, Metrics=["AmortizedCost"]), "AmortizedCost") == "5"
    assert amount(asked(client, **second), "UnblendedCost") == "5"
    assert amount(asked(client, **second, BillingViewArn=view(group), Metrics=["AmortizedCost"]), "AmortizedCost") == "5.5"
    assert "import the month's cost files again" in refused(lambda: asked(client, **second, Metrics=["AmortizedCost"]))
    # Pricing it again reads the cost files again, for what the run lacks.
    in_period(server.client(), PREVIOUS).update_pricing_rule(Arn=rule, ModifierPercentage=20)
    server.settle()
    assert amount(asked(client, **second, Metrics=["AmortizedCost"]), "AmortizedCost") == "5"
    assert amount(asked(client, **second, BillingViewArn=view(group)), "UnblendedCost") == "6"


def test_a_run_of_before_averages_says_what_to_do(new_server, tmp_path_factory):
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    rule = desk.rule(ModifierPercentage=10)
    group = desk.group(1, plan=desk.plan(rule))
    server.load(commitments(group.primary).write(tmp_path_factory.mktemp("before-averages") / "cost"))
    folder, = [path.parent for path in server.data.glob("payers/*/runs/**/reconciliation.json")]
    as_written_before(folder, b"2")
    server.restart()
    client = server.client(service="ce")
    assert total(client, "AmortizedCost", **SECOND) == "18.75" and total(client, "BlendedCost", BillingViewArn=view(group)) != "0"
    for metric in ("BlendedCost", "NetAmortizedCost"):
        assert "`proforma import" in refused(lambda metric=metric: total(client, metric))
    in_period(server.client(), PREVIOUS).update_pricing_rule(Arn=rule, ModifierPercentage=20)
    server.settle()
    assert total(client, "BlendedCost", **SECOND) == "84" and total(client, "NetAmortizedCost", **SECOND) == "16.8"


# ---- Other clients

def test_the_aws_cli_asks_unmodified(world):
    plain = QUIET | world.server.root.environment | {"PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-m", "awscli", "ce", "get-cost-and-usage", "--endpoint-url", world.server.endpoint, "--granularity", "MONTHLY",
               "--time-period", "Start=2026-10-01,End=2026-11-01", "--metrics", "BlendedCost", "UnblendedCost", "UsageQuantity",
               "--group-by", "Type=DIMENSION,Key=SERVICE"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=plain)
    assert ran.returncode == 0, ran.stderr
    same = asked(world.client, GroupBy=SERVICE, Metrics=["BlendedCost", "UnblendedCost", "UsageQuantity"])
    assert json.loads(ran.stdout)["ResultsByTime"] == json.loads(json.dumps(same["ResultsByTime"]))
