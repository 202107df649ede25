"""Cost Explorer by the hour and by resource: what reads cost files again. Against DuckDB over the same files, to the last digit; and who sees what."""
import datetime
import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

import cube
from cost_explorer import Lines, Questions, answered, compare
from desk import NUMBERS, Desk, account, name
from policy_months import PolicyMonth
from program import ROOT, units
from server import CURRENT, PAYER, PREVIOUS, QUIET, in_period
from test_cost_explorer import CANARY, refused, view
from test_generated import PERIOD, SMALL, make_book

SEED = 20261124
QUESTIONS = 60
# The desk's clock stands on the tenth of November.
DAYS = 5
LAST_DAYS = {"Start": f"{PERIOD}-27", "End": f"{CURRENT}-01"}
RESOURCE = [{"Type": "DIMENSION", "Key": "RESOURCE_ID"}]
TAGS = {"team": "user_team"}
EVERYTHING = {"Not": {"Dimensions": {"Key": "SERVICE", "Values": ["nothing"]}}}


@pytest.fixture(scope="module")
def generated(new_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    command = [sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", "20000", "--period", PERIOD, "--out", folder / "month", *SMALL,
               "--edp", "both", "--seed", str(SEED % 1000)]
    subprocess.run(command, check=True, capture_output=True)
    data = folder / "month" / "data"
    book = make_book(cube.classes(data), folder / "month") | {"reports": {"tags": list(TAGS.values())}}
    server = new_server(start=False, payer=book["payer_account_id"]).start()
    server.apply(book, "--period", PERIOD)
    server.load(data, PERIOD)
    return SimpleNamespace(server=server, client=server.client(service="ce"), lines=Lines(data, PERIOD, TAGS), book=book)


sqlite_alone = pytest.mark.parametrize("new_server", ["sqlite"], indirect=True, scope="module")


@sqlite_alone
def test_random_questions_are_answered_as_duckdb_does(generated):
    questions = Questions(generated.lines, SEED)
    seen = set()
    for _ in range(QUESTIONS):
        question, operation = questions.question_of_lines(DAYS)
        compare(generated.client, generated.lines, question, operation)
        seen.add((question["Granularity"], operation))
    assert len(seen) == 4


@sqlite_alone
def test_hours_and_resources_add_up_to_what_classes_say(generated):
    metrics = ["UnblendedCost", "NetUnblendedCost", "AmortizedCost", "UsageQuantity"]
    by_day = answered(generated.client, {"TimePeriod": LAST_DAYS, "Granularity": "DAILY", "Metrics": metrics})
    for question, operation in [({"Granularity": "HOURLY"}, "get_cost_and_usage"),
                                ({"Granularity": "DAILY", "GroupBy": RESOURCE, "Filter": EVERYTHING}, "get_cost_and_usage_with_resources")]:
        found = answered(generated.client, {"TimePeriod": LAST_DAYS, "Metrics": metrics} | question, operation)
        for (day, _), (amounts, _) in by_day.items():
            of_day = [of for (time, _), (of, _) in found.items() if time.startswith(day)]
            assert {name: sum(of[name] for of in of_day) for name in metrics} == amounts, (day, operation)


@sqlite_alone
def test_a_group_s_lines_add_up_to_its_bill(generated):
    """Each line is rounded as in the group's pro forma files; days of its bill are rounded once."""
    seen = 0
    for of in generated.book["billing_groups"]:
        given = {"TimePeriod": LAST_DAYS, "Metrics": ["UnblendedCost", "UsageQuantity"],
                 "BillingViewArn": f"arn:aws:billing::{generated.server.payer}:billingview/billing-group-{of['primary_account_id']}"}
        days = answered(generated.client, given | {"Granularity": "DAILY", "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}]})
        hours = answered(generated.client, given | {"Granularity": "HOURLY", "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}]})
        sums = {}
        for (time, keys), (amounts, _) in hours.items():
            of_day = sums.setdefault((time[:10], keys), {"UnblendedCost": 0, "UsageQuantity": 0})
            for name, amount in amounts.items():
                of_day[name] += amount
        assert sums.keys() == days.keys()
        seen += len(sums)
        for place, (amounts, _) in days.items():
            assert sums[place]["UsageQuantity"] == amounts["UsageQuantity"]
            assert abs(sums[place]["UnblendedCost"] - amounts["UnblendedCost"]) < 1_000_000, place
    assert seen > 20


# ---- Who sees what

@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers with a line of a resource in two hours; one resource's name has an account of the other customer's in it."""
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    ours, theirs = desk.group(2, plan=plan), desk.group(1, plan=plan)
    desk.flat(ours, 10, BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    outside = account()
    month = PolicyMonth()
    for place, member in enumerate([*ours.accounts, *theirs.accounts, outside]):
        month.line(member, cost=CANARY, public="2", hour=27 * 24 + 5, resource=f"i-{place}")
        month.line(member, cost=CANARY, public="3", hour=28 * 24 + 6, resource=f"i-{place}", unit="Hrs")
    month.line(ours.primary, cost=CANARY, public="5", hour=28 * 24 + 6, resource=f"arn:aws:ec2:us-east-1:{theirs.primary}:instance/i-9")
    month.line(ours.accounts[1], cost=CANARY, public="7", hour=28 * 24 + 6, resource=f"arn:aws:s3:::logs-{ours.accounts[0]}-1")
    month.line(ours.primary, "Tax", cost="1.5", hour=0)
    folder = month.write(tmp_path_factory.mktemp("who") / "cost")
    server.load(folder)
    viewer = server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [ours.arn])
    narrow = server.keys(f"narrow-{next(NUMBERS)}", "group-viewer", [ours.arn], [ours.accounts[1]])
    return SimpleNamespace(server=server, client=server.client(service="ce"), ours=ours, theirs=theirs, outside=outside, folder=folder,
                           viewer=server.client(viewer, service="ce"), narrow=server.client(narrow, service="ce"))


def by_resource(client, **more):
    given = {"TimePeriod": LAST_DAYS, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], "GroupBy": RESOURCE, "Filter": EVERYTHING} | more
    found = answered(client, given, "get_cost_and_usage_with_resources")
    return {(time[8:], *keys): amounts["UnblendedCost"] for (time, keys), (amounts, _) in found.items()}


def test_a_viewer_sees_its_own_pro_forma_and_no_name_of_others(world):
    amount = lambda text: units(text)
    expected = {("28", "i-0"): amount("2.2"), ("28", "i-1"): amount("2.2"), ("29", "i-0"): amount("3.3"), ("29", "i-1"): amount("3.3"),
                ("29", "NoResourceId"): amount("5.5")}
    logs = f"arn:aws:s3:::logs-{world.ours.accounts[0]}-1"
    expected["29", logs] = amount("7.7")
    for client, arn in ((world.viewer, None), (world.viewer, view(world.ours)), (world.client, view(world.ours))):
        assert by_resource(client, **({"BillingViewArn": arn} if arn else {})) == expected
    # Who is narrowed to an account is not told of another one by the name of a resource, and does not find it.
    assert by_resource(world.narrow) == {place: of for place, of in expected.items() if place[1] == "i-1"} | {("29", "NoResourceId"): amount("7.7")}
    assert by_resource(world.narrow, Filter={"Dimensions": {"Key": "RESOURCE_ID", "Values": [logs]}}) == {}
    assert by_resource(world.viewer, Filter={"Dimensions": {"Key": "RESOURCE_ID", "Values": [logs]}}) == {("29", logs): amount("7.7")}
    text = json.dumps(world.viewer.get_cost_and_usage_with_resources(
        TimePeriod=LAST_DAYS, Granularity="HOURLY", Filter=EVERYTHING, GroupBy=RESOURCE,
        Metrics=["UnblendedCost", "NetUnblendedCost", "AmortizedCost", "NetAmortizedCost", "BlendedCost", "UsageQuantity"]))
    assert "31415926" not in text and not any(of in text for of in [*world.theirs.accounts, world.outside, PAYER, "i-2", "i-9"])
    # What has an account of others in its name is not found by it either.
    named = {"Dimensions": {"Key": "RESOURCE_ID", "Values": [f"arn:aws:ec2:us-east-1:{world.theirs.primary}:instance/i-9"]}}
    assert by_resource(world.viewer, Filter=named) == {}
    assert len(by_resource(world.client, Filter=named)) == 1
    others = [view(world.theirs), view(), view(payer="888888888888")]
    said = {refused(lambda arn=arn: by_resource(world.viewer, BillingViewArn=arn), "AccessDeniedException") for arn in others}
    assert len(said) == 1
    assert "PAYER_ACCOUNT" in refused(lambda: by_resource(world.viewer, Filter={"Dimensions": {"Key": "PAYER_ACCOUNT", "Values": [PAYER]}}))


def test_hours_are_told_as_hours(world):
    period = {"Start": "2026-10-28T04:00:00Z", "End": "2026-10-28T07:00:00Z"}
    answer = world.viewer.get_cost_and_usage(TimePeriod=period, Granularity="HOURLY", Metrics=["UnblendedCost", "UsageQuantity"])
    assert [of["TimePeriod"]["Start"] for of in answer["ResultsByTime"]] == [f"2026-10-28T0{hour}:00:00Z" for hour in (4, 5, 6)]
    assert [of["Total"]["UnblendedCost"]["Amount"] for of in answer["ResultsByTime"]] == ["0", "4.4", "0"]
    assert answer["ResultsByTime"][1]["Total"]["UsageQuantity"] == {"Amount": "2", "Unit": "Hrs"}
    assert answer["ResultsByTime"][1]["TimePeriod"]["End"] == "2026-10-28T06:00:00Z"
    # The payer is charged what AWS charges; months without a run are empty beside those that have one.
    answer = world.client.get_cost_and_usage(TimePeriod={"Start": "2026-10-31", "End": "2026-11-02"}, Granularity="HOURLY", Metrics=["UnblendedCost"])
    assert len(answer["ResultsByTime"]) == 48 and {of["Total"]["UnblendedCost"]["Amount"] for of in answer["ResultsByTime"]} == {"0"}


def test_what_is_refused_says_why(world):
    given = {"TimePeriod": LAST_DAYS, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], "Filter": EVERYTHING, "GroupBy": RESOURCE}
    ask = lambda **more: world.client.get_cost_and_usage_with_resources(**given | more)
    for more, says in [
        ({"GroupBy": []}, "neither names RESOURCE_ID"),
        ({"TimePeriod": {"Start": "2026-10-26", "End": "2026-11-01"}}, "`2026-10-26` is more than 14 days ago"),
        ({"TimePeriod": {"Start": "2026-10-27T00:00:00Z", "End": "2026-11-01"}}, "time of day"),
        ({"Granularity": "HOURLY", "TimePeriod": {"Start": "2026-10-28T05:30:00Z", "End": "2026-11-01"}}, "within an hour"),
        ({"Granularity": "HOURLY", "TimePeriod": {"Start": "2026-10-28T05:00:00Z", "End": "2026-10-28T05:00:00Z"}}, "should be before"),
        ({"Granularity": "HOURLY", "TimePeriod": {"Start": "2026-11-11T05:00:00Z", "End": "2026-11-12T05:00:00Z"}}, "in the future"),
        ({"Filter": {"And": [{"Dimensions": {"Key": "RESOURCE_ID", "Values": ["a"]}}] * 7}}, "7 conditions on RESOURCE_ID"),
    ]:
        assert says in refused(lambda more=more: ask(**more)), more
    of_classes = {"TimePeriod": LAST_DAYS, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}
    for more in ({"GroupBy": RESOURCE}, {"Filter": {"Dimensions": {"Key": "RESOURCE_ID", "Values": ["i-1"]}}}):
        assert "GetCostAndUsageWithResources" in refused(lambda more=more: world.client.get_cost_and_usage(**of_classes | more))
    refused(lambda: ask(NextPageToken="nonsense"), "InvalidNextTokenException")


def test_custom_views_and_cost_categories_are_of_lines_too(world):
    """A view's parts are summed, within its days and accounts; a category that was defined tells lines apart as it does classes."""
    views = world.server.client(service="billing")
    custom = lambda *sources, **more: views.create_billing_view(name=name("view"), sourceViews=list(sources), **more)["arn"]
    both = custom(view(world.ours), view(world.theirs))
    assert by_resource(world.client, BillingViewArn=both) == by_resource(world.client, BillingViewArn=view(world.ours)) | by_resource(
        world.client, BillingViewArn=view(world.theirs))
    twice = custom(both, view(world.ours))
    assert by_resource(world.client, BillingViewArn=twice)["28", "i-0"] == units("4.4")
    first, day_29 = world.ours.accounts[0], {"beginDateInclusive": datetime.datetime(2026, 10, 29, tzinfo=datetime.UTC)}
    narrow = custom(both, dataFilterExpression={"dimensions": {"key": "LINKED_ACCOUNT", "values": [first]}, "timeRange": day_29})
    assert by_resource(world.client, BillingViewArn=narrow) == {("29", "i-0"): units("3.3"), ("29", "NoResourceId"): units("5.5")}
    said = refused(lambda: by_resource(world.viewer, BillingViewArn=both), "AccessDeniedException")
    assert both not in said
    ways = custom(*(custom(both) for _ in range(5)))
    assert "by 10 ways" in refused(lambda: by_resource(world.client, BillingViewArn=ways))
    kind = name("kind")
    rule = {"Value": "first", "Rule": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [first]}}}
    world.client.create_cost_category_definition(Name=kind, RuleVersion="CostCategoryExpression.v1", Rules=[rule], DefaultValue="rest",
                                                 EffectiveStart="2026-10-01T00:00:00Z")
    given = {"TimePeriod": LAST_DAYS, "Metrics": ["UnblendedCost"], "GroupBy": [{"Type": "COST_CATEGORY", "Key": kind}], "BillingViewArn": both}
    by_hour = answered(world.client, given | {"Granularity": "HOURLY"})
    by_day = answered(world.client, given | {"Granularity": "DAILY"})
    assert {(time[:10], keys): of for (time, keys), (of, _) in by_hour.items()} == {place: of for place, (of, _) in by_day.items()}
    assert {keys for _, keys in by_hour} == {(f"{kind}$first",), (f"{kind}$rest",)}
    of_first = {"CostCategories": {"Key": kind, "Values": ["first"]}}
    assert set(by_resource(world.viewer, Filter=of_first)) == {("28", "i-0"), ("29", "i-0"), ("29", "NoResourceId")}


def test_the_aws_cli_asks_unmodified(world):
    plain = QUIET | world.server.root.environment | {"PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-m", "awscli", "ce", "get-cost-and-usage-with-resources", "--endpoint-url", world.server.endpoint, "--granularity", "HOURLY",
               "--time-period", "Start=2026-10-28T05:00:00Z,End=2026-10-28T06:00:00Z", "--metrics", "UnblendedCost",
               "--filter", json.dumps({"Dimensions": {"Key": "RESOURCE_ID", "Values": ["i-0"]}})]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=plain)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["ResultsByTime"][0]["Total"]["UnblendedCost"] == {"Amount": CANARY, "Unit": "USD"}


def one_line(new_server, folder, hours, times=1):
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(1, plan=desk.plan(desk.rule(ModifierPercentage=10)))
    month = PolicyMonth()
    for number in range(times):
        row = month.line(group.primary, cost="5", hour=28 * 24, resource=f"i-{number}")
        row["line_item_usage_end_date"] = f"2026-10-29T{hours:02}:00:00Z" if hours < 24 else "2026-10-30T00:00:00Z"
    server.load(month.write(folder / "cost"))
    return server, group


def test_files_by_the_day_have_no_hours(new_server, tmp_path):
    server, _ = one_line(new_server, tmp_path, 24)
    client = server.client(service="ce")
    hourly = {"TimePeriod": {"Start": "2026-10-29T00:00:00Z", "End": "2026-10-30T00:00:00Z"}, "Granularity": "HOURLY", "Metrics": ["UnblendedCost"]}
    assert "tell usage by the day" in refused(lambda: client.get_cost_and_usage(**hourly), "DataUnavailableException")
    assert by_resource(client) == {("29", "i-0"): units("5")}


def test_whoever_has_usage_by_the_day_alone_is_told_hours_of_hourly_files(new_server, tmp_path):
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    computing, storage = desk.group(1, plan=plan), desk.group(1, plan=plan)
    month = PolicyMonth()
    month.line(computing.primary, cost="5", hour=28 * 24 + 5)
    row = month.line(storage.primary, cost="5", hour=28 * 24)
    row["line_item_usage_end_date"] = "2026-10-30T00:00:00Z"
    server.load(month.write(tmp_path / "cost"))
    period = {"Start": "2026-10-29T00:00:00Z", "End": "2026-10-29T02:00:00Z"}
    answer = server.client(service="ce").get_cost_and_usage(TimePeriod=period, Granularity="HOURLY", Metrics=["UnblendedCost"], BillingViewArn=view(storage))
    assert [of["Total"]["UnblendedCost"]["Amount"] for of in answer["ResultsByTime"]] == ["5.5", "0"]


def test_files_that_are_gone_are_said_to_be(new_server, tmp_path):
    server, group = one_line(new_server, tmp_path, 1)
    viewer = server.client(server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [group.arn]), service="ce")
    # The desk has kept them, wherever they came from: both are gone.
    shutil.rmtree(tmp_path / "cost")
    kept, = server.data.glob("payers/*/cost-files")
    kept.rename(kept.with_name("elsewhere"))
    assert str(kept) in refused(lambda: by_resource(server.client(service="ce")), "DataUnavailableException")
    said = refused(lambda: by_resource(viewer), "DataUnavailableException")
    assert str(server.data) not in said and "cannot be read again" in said
    # A file that is another by now is not what was priced.
    kept.with_name("elsewhere").rename(kept)
    path = next(path for path in kept.glob("*.csv") if b"i-0" in path.read_bytes())
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content.replace(b"i-0", b"i-7"))
    refused(lambda: by_resource(viewer), "DataUnavailableException")
    path.write_bytes(content)
    assert by_resource(viewer) == {("29", "i-0"): units("5.5")}


def test_pages_are_of_one_answer(new_server, tmp_path):
    server, _ = one_line(new_server, tmp_path, 1, times=5_300)
    client = server.client(service="ce")
    given = {"TimePeriod": LAST_DAYS, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], "GroupBy": RESOURCE, "Filter": EVERYTHING}
    first = client.get_cost_and_usage_with_resources(**given)
    # Two days without groups take the room of one group each.
    assert [len(of["Groups"]) for of in first["ResultsByTime"]] == [0, 0, 4_998]
    second = client.get_cost_and_usage_with_resources(**given, NextPageToken=first["NextPageToken"])
    assert [len(of["Groups"]) for of in second["ResultsByTime"]] == [302, 0, 0] and "NextPageToken" not in second
