"""Costs of custom billing views, on either store: held to sums over what their sources answer by themselves, to the last digit; and who sees which."""
import base64
import datetime
import json
import random
import subprocess
import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest

from desk import NUMBERS, Desk, account, name
from policy_months import PolicyMonth
from program import units
from server import PAYER, PREVIOUS, QUIET, in_period
from test_cost_explorer import ACCOUNT, CANARY, OCTOBER, SERVICE, asked, customer, groups, refused, view

PRIMARY = view()
NOBODYS = f"arn:aws:billing::{PAYER}:billingview/custom-nobody0000"
CATEGORY, TAG = [{"Type": "COST_CATEGORY", "Key": "Team"}], [{"Type": "TAG", "Key": "CostCenter"}]
METRICS = ["AmortizedCost", "UnblendedCost", "UsageQuantity"]
SERVICES = [("AmazonS3", "TimedStorage-ByteHrs", "GB-Mo"), ("AWSLambda", "Lambda-Requests", "Requests"), ("AmazonEC2", "USW2-BoxUsage:m5.large", "Hrs")]


def day(number, hour=0):
    return datetime.datetime(2026, 10, number, hour, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers with lines of three services on many days, some with a tag or a cost category; and viewers of the first."""
    server = new_server(transfers=False)
    reports = {"tags": ["user_cost_center"], "cost_categories": ["Team"]}
    server.apply({"payer_account_id": PAYER, "currency": "USD", "reports": reports}, "--period", PREVIOUS)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    ours, theirs, outside = customer(desk, plan), customer(desk, plan, 3), account()
    month, chance = PolicyMonth(), random.Random(7)
    for number, member in enumerate([*ours.accounts, *theirs.accounts, outside]):
        for place in range(12):
            service, usage_type, unit = SERVICES[place % 3]
            month.line(member, cost=f"{chance.randrange(1, 10**6)}.{chance.randrange(10**10):010}", service=service, usage_type=usage_type, unit=unit,
                       hour=chance.randrange(24 * 31), tags={"user_cost_center": f"team-{number % 3}"} if place % 2 else {},
                       categories={"Team": ["platform", "shop"][place % 4 // 2]} if place % 4 else {})
    month.line(ours.primary, "Tax", cost=CANARY, service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("custom-views") / "cost"))
    viewer = server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [ours.arn])
    narrow = server.keys(f"narrow-{next(NUMBERS)}", "group-viewer", [ours.arn], [ours.accounts[1]])
    return SimpleNamespace(server=server, client=server.client(service="ce"), views=server.client(service="billing"), ours=ours, theirs=theirs,
                           outside=outside, viewer=server.client(viewer, service="ce"), narrow=server.client(narrow, service="ce"), viewer_keys=viewer)


def custom(world, *sources, **more):
    return world.views.create_billing_view(name=name("view"), sourceViews=list(sources), **more)["arn"]


def narrowed(key, values, kind="dimensions", **more):
    return {kind: {"key": key, "values": values}} | more


# ---- A view over again: what its sources answer by themselves, with its filter and within its days

def as_filter(given):
    (kind, of), = ((kind, of) for kind, of in given.items() if kind != "timeRange")
    return {{"dimensions": "Dimensions", "tags": "Tags", "costCategories": "CostCategories"}[kind]: {"Key": of["key"], "Values": of["values"]}}


def answered(client, arn, question):
    """What a view answers by day: amounts by day, keys and metric, in whole units."""
    found = defaultdict(int)
    for of in asked(client, **question | {"Granularity": "DAILY", "BillingViewArn": arn})["ResultsByTime"]:
        rows = [(tuple(group["Keys"]), group["Metrics"]) for group in of["Groups"]] or [((), of["Total"])]
        for keys, metrics in rows:
            for metric, value in metrics.items():
                found[of["TimePeriod"]["Start"], keys, metric] += units(value["Amount"])
    return found


def naive(world, arn, question, known):
    """A view's answer by its definition: the sum over its sources, each asked with the view's filter beside the question's, of the days within its range."""
    if arn not in known:
        return answered(world.client, arn, question)
    sources, given = known[arn]
    parts = [part for part in ([as_filter(given)] if any(kind != "timeRange" for kind in given or {}) else []) + [question.get("Filter")] if part]
    inner = question | ({"Filter": parts[0] if len(parts) == 1 else {"And": parts}} if parts else {})
    within = (given or {}).get("timeRange", {})
    first, last = (str(within[end].date()) if end in within else limit
                   for end, limit in (("beginDateInclusive", "0000"), ("endDateInclusive", "9999")))
    found = defaultdict(int)
    for source in sources:
        for (start, keys, metric), amount in naive(world, source, inner, known).items():
            found[start, keys, metric] += amount if first <= start <= last else 0
    return found


def there(amounts):
    return {place: amount for place, amount in amounts.items() if amount}


def test_views_are_sums_over_their_sources(world):
    ours, theirs = view(world.ours), view(world.theirs)
    known = {}

    def make(sources, given=None):
        arn = custom(world, *sources, **{"dataFilterExpression": given} if given else {})
        known[arn] = (sources, given)
        return arn

    accounts = make([PRIMARY], narrowed("LINKED_ACCOUNT", [world.ours.primary, world.outside]))
    tagged = make([ours], narrowed("CostCenter", ["team-0", "team-1"], "tags"))
    team = make([theirs, ours], narrowed("Team", ["platform"], "costCategories", timeRange={"beginDateInclusive": day(5), "endDateInclusive": day(20, 23)}))
    made = [make([ours]), make([ours, theirs]), accounts, tagged, team, make([tagged, theirs]), make([PRIMARY, ours]),
            make([accounts, team], narrowed("LINKED_ACCOUNT", [world.ours.primary, world.theirs.accounts[1]])),
            make([team], {"timeRange": {"beginDateInclusive": day(10, 12)}})]
    made.append(make([made[-1], made[-2], tagged]))
    chance = random.Random(11)
    lambdas = {"Dimensions": {"Key": "SERVICE", "Values": ["AWSLambda", "AmazonS3"]}}
    filters = [None, lambdas, {"Not": lambdas}, {"Tags": {"Key": "CostCenter", "MatchOptions": ["ABSENT"]}},
               {"Or": [lambdas, {"CostCategories": {"Key": "Team", "Values": ["shop", ""]}}]}]
    for arn in made:
        for _ in range(6):
            given = chance.choice(filters)
            question = {"Metrics": METRICS} | ({"Filter": given} if given else {}) | chance.choice(
                [{}, {"GroupBy": SERVICE}, {"GroupBy": ACCOUNT}, {"GroupBy": [*CATEGORY, *TAG]}, {"GroupBy": [*SERVICE, *ACCOUNT]}])
            expected, found = naive(world, arn, question, known), answered(world.client, arn, question)
            assert there(found) == there(expected), (known[arn], question)
            # The month at once is its days together.
            by_keys = defaultdict(int)
            for (_, keys, metric), amount in expected.items():
                by_keys[keys, metric] += amount
            of, = asked(world.client, **question | {"BillingViewArn": arn})["ResultsByTime"]
            rows = [(tuple(group["Keys"]), group["Metrics"]) for group in of["Groups"]] or [((), of["Total"])]
            month = {(keys, metric): units(value["Amount"]) for keys, metrics in rows for metric, value in metrics.items()}
            assert there(month) == there(by_keys), (known[arn], question)
    # What two sources have counts twice.
    total = lambda arn: units(asked(world.client, BillingViewArn=arn)["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"])  # noqa: E731
    assert total(make([accounts, PRIMARY])) == total(accounts) + total(PRIMARY)


def test_every_operation_takes_a_custom_view(world):
    arn = custom(world, view(world.ours), dataFilterExpression=narrowed("Team", ["platform"], "costCategories"))
    more = {"TimePeriod": OCTOBER, "BillingViewArn": arn}
    assert [of["Value"] for of in world.client.get_dimension_values(**more, Dimension="LINKED_ACCOUNT")["DimensionValues"]] == world.ours.accounts
    assert set(world.client.get_tags(**more, TagKey="CostCenter")["Tags"]) <= {"", "team-0", "team-1"}
    assert world.client.get_cost_categories(**more, CostCategoryName="Team")["CostCategoryValues"] == ["platform"]
    compared = world.client.get_cost_and_usage_comparisons(
        BillingViewArn=arn, BaselineTimePeriod=OCTOBER, ComparisonTimePeriod=OCTOBER, MetricForComparison="UnblendedCost")
    total = asked(world.client, BillingViewArn=arn)["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"]
    assert compared["TotalCostAndUsage"]["UnblendedCost"] == {"BaselineTimePeriodAmount": total, "ComparisonTimePeriodAmount": total, "Difference": "0", "Unit": "USD"}
    assert "3 whole months" in refused(lambda: world.client.get_cost_forecast(
        BillingViewArn=arn, TimePeriod={"Start": "2026-12-01", "End": "2027-01-01"}, Granularity="MONTHLY", Metric="UNBLENDED_COST"),
        "DataUnavailableException")
    of_group = "has a billing group's pro forma"
    assert of_group in refused(lambda: asked(world.client, BillingViewArn=arn, Filter={"Dimensions": {"Key": "PAYER_ACCOUNT", "Values": [PAYER]}}))
    own = custom(world, PRIMARY)
    assert asked(world.client, BillingViewArn=own, Filter={"Dimensions": {"Key": "PAYER_ACCOUNT", "Values": [PAYER]}})


def test_a_view_of_which_a_part_is_gone_has_no_costs(world):
    base = custom(world, view(world.ours))
    upon = custom(world, base)
    further = custom(world, upon)
    before = asked(world.client, BillingViewArn=further)["ResultsByTime"]
    assert before == asked(world.client, BillingViewArn=view(world.ours))["ResultsByTime"]
    world.views.delete_billing_view(arn=base, force=True)
    for arn in (upon, further):
        assert arn in refused(lambda arn=arn: asked(world.client, BillingViewArn=arn), "BillingViewHealthStatusException")
    assert base in refused(lambda: asked(world.client, BillingViewArn=base), "ResourceNotFoundException")
    assert len({refused(lambda arn=arn: asked(world.viewer, BillingViewArn=arn), "AccessDeniedException") for arn in (base, upon, further, NOBODYS)}) == 1


def test_a_customer_sees_what_is_made_of_its_own_alone(world):
    ours, theirs = view(world.ours), view(world.theirs)
    own = custom(world, ours, dataFilterExpression=narrowed("LINKED_ACCOUNT", world.ours.accounts[:1]))
    plain = custom(world, custom(world, ours))
    found = asked(world.viewer, BillingViewArn=own, GroupBy=ACCOUNT)
    assert groups(found).keys() == {(world.ours.primary,)} and found == {**asked(world.client, BillingViewArn=own, GroupBy=ACCOUNT),
                                                                          "ResponseMetadata": found["ResponseMetadata"]}
    assert groups(asked(world.narrow, BillingViewArn=plain, GroupBy=ACCOUNT)).keys() == {(world.ours.accounts[1],)}
    assert "31415926" not in json.dumps(asked(world.viewer, BillingViewArn=plain, GroupBy=SERVICE))
    hidden = [custom(world, theirs), custom(world, ours, theirs), custom(world, PRIMARY), custom(world, ours, custom(world, theirs)), NOBODYS,
              NOBODYS.replace(PAYER, "888888888888")]
    said = {refused(lambda arn=arn: asked(world.viewer, BillingViewArn=arn), "AccessDeniedException") for arn in hidden}
    # Whoever is narrowed to an account is not told of a view that names another one.
    said |= {refused(lambda arn=arn: asked(world.narrow, BillingViewArn=arn), "AccessDeniedException") for arn in [*hidden, own]}
    assert len(said) == 1


def test_pages_are_of_one_view(world):
    arn = custom(world, view(world.ours))
    values = lambda: world.client.get_dimension_values(TimePeriod=OCTOBER, Dimension="LINKED_ACCOUNT", BillingViewArn=arn)  # noqa: E731
    assert values()["TotalSize"] == 2
    world.views.associate_source_views(arn=arn, sourceViews=[view(world.theirs)])
    assert values()["TotalSize"] == 5


def test_budgets_and_saved_reports_are_of_custom_views(world):
    arn = custom(world, view(world.ours), dataFilterExpression=narrowed("Team", ["shop"], "costCategories"))
    expected = asked(world.client, BillingViewArn=arn)["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"]
    given = {"Name": name("report"), "BillingViewArn": arn, "TimeRange": "LAST_MONTH", "GroupBy": SERVICE}
    assert world.server.own("PutSavedReport", given).status == 200
    made = world.server.own("RunSavedReport", {"Name": given["Name"], "Format": "JSON"}).json
    totals = json.loads(base64.b64decode(made["Document"]))["Totals"]
    assert expected in totals[-1].values(), totals
    budgets = world.server.client(service="budgets")
    budget = {"BudgetName": name("budget"), "BudgetLimit": {"Amount": "100", "Unit": "USD"}, "TimeUnit": "QUARTERLY", "BudgetType": "COST", "BillingViewArn": arn}
    budgets.create_budget(AccountId=PAYER, Budget=budget)
    described = lambda: budgets.describe_budget(AccountId=PAYER, BudgetName=budget["BudgetName"])["Budget"]  # noqa: E731
    assert described()["CalculatedSpend"]["ActualSpend"] == {"Amount": expected, "Unit": "USD"}
    # A source that goes takes the answer with it, and the way out is told.
    base = custom(world, view(world.ours))
    world.views.associate_source_views(arn=arn, sourceViews=[base])
    world.views.delete_billing_view(arn=base, force=True)
    assert described()["HealthStatus"]["StatusReason"] == "BILLING_VIEW_UNHEALTHY"
    refused(lambda: budgets.create_budget(AccountId=PAYER, Budget=budget | {"BudgetName": name("budget")}), "BillingViewHealthStatusException")
    answer = world.server.own("RunSavedReport", {"Name": given["Name"], "Format": "JSON"})
    assert answer.status == 400 and "is not healthy" in answer.json["message"]
    # A customer keeps its own of what is made of its own alone.
    other = custom(world, view(world.theirs))
    answers = [world.server.own("PutSavedReport", given | {"Name": name("report"), "BillingViewArn": of}, world.viewer_keys) for of in (other, NOBODYS)]
    assert {answer.status for answer in answers} <= {400, 403} and answers[0].body.replace(other.encode(), b"") == answers[1].body.replace(NOBODYS.encode(), b"")
    own = custom(world, view(world.ours))
    assert world.server.own("PutSavedReport", given | {"Name": name("report"), "BillingViewArn": own}, world.viewer_keys).status == 200


def test_the_aws_cli_asks_of_a_custom_view(world):
    arn = custom(world, view(world.ours), view(world.theirs))
    plain = QUIET | world.server.root.environment | {"PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-m", "awscli", "ce", "get-cost-and-usage", "--endpoint-url", world.server.endpoint, "--granularity", "MONTHLY",
               "--time-period", "Start=2026-10-01,End=2026-11-01", "--metrics", "UnblendedCost", "--group-by", "Type=DIMENSION,Key=SERVICE",
               "--billing-view-arn", arn]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=plain)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["ResultsByTime"] == json.loads(json.dumps(asked(world.client, GroupBy=SERVICE, BillingViewArn=arn)["ResultsByTime"]))
