"""Data exports of custom billing views, on either store: to the last digit what Cost Explorer answers of the same view, and delivered anew when the view is another."""
import csv
import datetime
import json
import random
import time
from decimal import Decimal
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from desk import NUMBERS, Desk, account, name
from policy_months import PolicyMonth
from random_families import RandomMonth
from server import PAYER, PREVIOUS, in_period
from test_cost_explorer import ACCOUNT, CANARY, asked, customer, groups, view
from test_custom_view_costs import PRIMARY, SERVICES, custom, day, narrowed
from test_data_exports import COST, CUR2, FOCUS, SECONDS_TO_DELIVER, csv_rows, definition, delivered, executions, files, refused, show, succeeded
from test_families import book_of
from test_report_definitions import definition as report_definition
from test_report_definitions import delivered as report_delivered
from test_report_definitions import legacy_month

NOBODYS = f"arn:aws:billing::{PAYER}:billingview/custom-nobody0000"


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers with lines on many days, tags and cost categories, a custom line item, and a bucket that is a folder."""
    bucket = tmp_path_factory.mktemp("bucket")
    server = new_server(transfers=False, options=["--export-buckets", f"reports={bucket}"])
    server.apply({"payer_account_id": PAYER, "currency": "USD", "exports": {"tags": ["user_cost_center"]},
                  "reports": {"tags": ["user_cost_center"], "cost_categories": ["Team"]}}, "--period", PREVIOUS)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=7.77))
    ours, theirs, outside = customer(desk, plan), customer(desk, plan, 3), account()
    desk.flat(ours, 12.5, Name=name("care"), BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    month, chance = PolicyMonth(), random.Random(11)
    for number, member in enumerate([*ours.accounts, *theirs.accounts, outside]):
        for place in range(14):
            service, usage_type, unit = SERVICES[place % 3]
            month.line(member, cost=f"{chance.randrange(1, 10**4)}.{chance.randrange(10**10):010}", service=service, usage_type=usage_type, unit=unit,
                       hour=chance.randrange(24 * 31), tags={"user_cost_center": f"team-{number % 3}"} if place % 2 else {},
                       categories={"Team": ["platform", "shop"][place % 4 // 2]} if place % 4 else {})
    month.line(ours.primary, "Tax", cost=CANARY, service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("view-exports") / "cost"))
    viewer = server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [ours.arn])
    return SimpleNamespace(server=server, client=server.client(service="bcm-data-exports"), costs=server.client(service="ce"), views=server.client(service="billing"),
                           ours=ours, theirs=theirs, bucket=bucket, viewer=server.client(viewer, service="bcm-data-exports"))


def of_view(world, arn, *given, **more):
    """The definition of an export of a view."""
    export = definition(world.ours, *given, **more)
    for properties in export["DataQuery"]["TableConfigurations"].values():
        properties["BILLING_VIEW_ARN"] = arn
    return export


def costs(world, arn):
    return Decimal(asked(world.costs, BillingViewArn=arn)["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"])


def data(world, export):
    """The rows that lie in the bucket."""
    folder = world.bucket / "pro-forma" / export["Name"] / "data" / f"BILLING_PERIOD={PREVIOUS}"
    file, = (folder / path for path in files(folder))
    if file.suffix == ".parquet":
        return [{column: None if value is None else str(value) if isinstance(value, str) else repr(value) for column, value in row.items()}
                for row in pq.read_table(file).to_pylist()]
    return csv_rows(file.read_bytes())


def summed(rows, column=COST):
    return sum((Decimal(row[column] or 0) for row in rows), Decimal(0))


def made(world, export):
    arn = world.client.create_export(Export=export)["ExportArn"]
    return arn, succeeded(world.client, arn)


def random_view(world, chance, known):
    """A view of one to three others, narrowed or not."""
    sources = chance.sample([view(world.ours), view(world.theirs), *known], chance.randrange(1, 3))
    accounts = [*world.ours.accounts, *world.theirs.accounts]
    lines = chance.choice([None, narrowed("LINKED_ACCOUNT", chance.sample(accounts, 2)), narrowed("user_cost_center", [f"team-{chance.randrange(3)}"], "tags"),
                           narrowed("Team", [chance.choice(["platform", "shop"])], "costCategories")])
    first = chance.randrange(1, 28)
    days = chance.choice([None, {"timeRange": {"beginDateInclusive": day(first), "endDateInclusive": day(chance.randrange(first, 29), 23)}}])
    expression = (lines or {}) | (days or {})
    return custom(world, *sources, **({"dataFilterExpression": expression} if expression else {}))


def test_an_export_is_what_cost_explorer_says_of_the_view(world):
    chance, known, exports = random.Random(29), [], []
    for number in range(16):
        arn = random_view(world, chance, known[-3:])
        known.append(arn)
        table = FOCUS if number % 3 == 2 else CUR2
        export = of_view(world, arn, f"SELECT * FROM {table}", table=table, kind=chance.choice(["PARQUET", "TEXT_OR_CSV"]))
        exports.append((arn, export, table, world.client.create_export(Export=export)["ExportArn"]))
    filled = 0
    for arn, export, table, id in exports:
        succeeded(world.client, id)
        rows = data(world, export)
        cost, member = ("BilledCost", "SubAccountId") if table == FOCUS else (COST, "line_item_usage_account_id")
        assert summed(rows, cost) == costs(world, arn), (arn, export)
        # A row's day is that of the facts: what the residue takes is how lines were rounded to fifteen digits, and no line that one of the two has on another day.
        cause = "x_ProformaCause" if table == FOCUS else "identity_line_item_id"
        residues = [Decimal(row[cost]) for row in rows if (row[cause] or "").startswith("residue/")]
        assert sum(map(abs, residues), Decimal(0)) <= len(rows) * Decimal("0.00000000005"), (residues, export)
        # No account has lines that it has not there; amounts are those of lines, the rest is one row's.
        of_costs = groups(asked(world.costs, BillingViewArn=arn, GroupBy=ACCOUNT))
        assert {(row[member],) for row in rows if Decimal(row[cost] or 0) > Decimal("0.0001")} <= of_costs.keys()
        assert CANARY not in json.dumps(rows)
        filled += bool(rows)
    assert filled > 5


def test_days_and_values_are_those_of_the_filter(world):
    arn = custom(world, view(world.ours), dataFilterExpression=narrowed("user_cost_center", ["team-0"], "tags") | {
        "timeRange": {"beginDateInclusive": day(3), "endDateInclusive": day(20, 23)}})
    export = of_view(world, arn, f"SELECT line_item_usage_start_date, resource_tags.user_cost_center, identity_line_item_id, {COST} FROM {CUR2}")
    made(world, export)
    rows = [row for row in data(world, export) if not row["identity_line_item_id"].startswith("residue/")]
    assert {row["user_cost_center"] for row in rows} == {"team-0"} and rows
    assert all(f"{PREVIOUS}-03" <= row["line_item_usage_start_date"] < f"{PREVIOUS}-21" for row in rows)
    # A statement narrows what the view has, and a custom line item without a day is on the first of the month.
    whole = of_view(world, custom(world, view(world.ours)), f"SELECT line_item_product_code, {COST} FROM {CUR2}")
    made(world, whole)
    assert Decimal("12.5") in {Decimal(row[COST]) for row in data(world, whole)}


def test_what_two_sources_have_is_there_twice(world):
    inner = custom(world, view(world.ours))
    twice = custom(world, view(world.ours), inner)
    exports = [of_view(world, arn) for arn in (inner, twice)]
    [made(world, export) for export in exports]
    once, doubled = (data(world, export) for export in exports)
    assert len(doubled) == 2 * len(once) and summed(doubled) == 2 * summed(once) == costs(world, twice)
    # A view of one group alone is that group's export, byte for byte of what rows say.
    plain = definition(world.ours)
    made(world, plain)
    assert sorted(map(str, once)) == sorted(map(str, data(world, plain)))


def test_another_view_is_delivered_anew(world):
    arn = custom(world, view(world.ours))
    export = of_view(world, arn)
    id, _ = made(world, export)
    before = summed(data(world, export))
    world.views.update_billing_view(arn=arn, dataFilterExpression=narrowed("LINKED_ACCOUNT", world.ours.accounts[:1]))
    succeeded(world.client, id, 2)
    assert summed(data(world, export)) == costs(world, arn) != before
    # Names and tags are nothing that is delivered.
    world.views.update_billing_view(arn=arn, description="another")
    world.views.update_billing_view(arn=arn, dataFilterExpression={})
    succeeded(world.client, id, 3)
    assert summed(data(world, export)) == before
    time.sleep(2)
    assert len(executions(world.client, id)) == 3
    world.views.associate_source_views(arn=arn, sourceViews=[view(world.theirs)])
    succeeded(world.client, id, 4)
    assert summed(data(world, export)) == costs(world, arn)


def test_a_view_that_is_not_healthy_fails_until_it_is(world):
    base = custom(world, view(world.theirs))
    arn = custom(world, view(world.ours), base)
    export = of_view(world, arn)
    id, _ = made(world, export)
    there = data(world, export)
    world.views.delete_billing_view(arn=base, force=True)
    status = delivered(world.client, id, 2)[0]["ExecutionStatus"]
    assert (status["StatusCode"], status["StatusReason"]) == ("QUERY_FAILURE", "INSUFFICIENT_PERMISSION")
    said = world.client.get_export(ExportArn=id)["ExportStatus"]
    assert (said["StatusCode"], said["StatusReason"]) == ("UNHEALTHY", "INSUFFICIENT_PERMISSION")
    # What lies there stays, and nobody tries again.
    assert data(world, export) == there
    time.sleep(3)
    assert len(executions(world.client, id)) == 2
    with refused("ValidationException", "not healthy"):
        world.client.create_export(Export=of_view(world, arn))
    world.views.disassociate_source_views(arn=arn, sourceViews=[base])
    until = time.monotonic() + SECONDS_TO_DELIVER
    while executions(world.client, id)[0]["ExecutionStatus"]["StatusCode"] != "DELIVERY_SUCCESS":
        assert time.monotonic() < until
        time.sleep(0.2)
    assert world.client.get_export(ExportArn=id)["ExportStatus"]["StatusCode"] == "HEALTHY"
    assert summed(data(world, export)) == costs(world, arn)
    # One that is gone itself.
    world.views.delete_billing_view(arn=arn)
    assert delivered(world.client, id, 4)[0]["ExecutionStatus"]["StatusReason"] == "INSUFFICIENT_PERMISSION"


def test_the_primary_view_is_not_exported_by_way_of_another(world):
    arn = custom(world, custom(world, PRIMARY), view(world.ours))
    with refused("ValidationException", "primary view"):
        world.client.create_export(Export=of_view(world, arn))
    # A view that comes to have it fails; what AWS charges reaches no file.
    healthy = custom(world, view(world.ours))
    export = of_view(world, healthy)
    id, _ = made(world, export)
    world.views.associate_source_views(arn=healthy, sourceViews=[PRIMARY])
    assert delivered(world.client, id, 2)[0]["ExecutionStatus"]["StatusCode"] == "QUERY_FAILURE"
    assert CANARY not in json.dumps(data(world, export))


def test_exports_of_custom_views_are_the_payer_s_alone(world):
    own = custom(world, view(world.ours))
    for arn in (own, NOBODYS):
        with pytest.raises(world.viewer.exceptions.ClientError) as caught:
            world.viewer.create_export(Export=of_view(world, arn))
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    for arn in (NOBODYS, NOBODYS.replace(PAYER, "888888888888")):
        with refused("ValidationException", "billing view"):
            world.client.create_export(Export=of_view(world, arn))


def test_ten_exports_of_a_custom_view(world):
    arn = custom(world, view(world.ours))
    for _ in range(10):
        world.client.create_export(Export=of_view(world, arn, f"SELECT {COST} FROM {CUR2} LIMIT 1"))
    with pytest.raises(world.client.exceptions.ServiceQuotaExceededException):
        world.client.create_export(Export=of_view(world, arn))


def committed(new_server, tmp_path_factory, seed):
    """Two groups at public prices with commitments of everybody, which are simulated anew inside each."""
    bucket, month = tmp_path_factory.mktemp("bucket"), RandomMonth(seed)
    server = new_server(transfers=False, options=["--export-buckets", f"reports={bucket}"])
    members = month.members[:3], month.members[3:]
    server.apply(book_of(*members) | {"currency": "USD"}, "--period", PREVIOUS)
    server.load(month.write(tmp_path_factory.mktemp("committed") / "cost"))
    ours, theirs = (SimpleNamespace(id=accounts[0], primary=accounts[0], accounts=accounts,
                                    arn=f"arn:aws:billingconductor::{PAYER}:billinggroup/{accounts[0]}") for accounts in members)
    return SimpleNamespace(server=server, client=server.client(service="bcm-data-exports"), costs=server.client(service="ce"), views=server.client(service="billing"),
                           ours=ours, theirs=theirs, bucket=bucket)


@pytest.fixture(scope="module", params=[1, 3])
def commitments(request, new_server, tmp_path_factory):
    return committed(new_server, tmp_path_factory, request.param)


@pytest.mark.parametrize("granularity", ["HOURLY", "DAILY"])
def test_views_of_groups_with_commitments(commitments, granularity):
    """What is covered goes with its usage, what is left unused with its fee: on the accounts and days that Cost Explorer has them."""
    world = commitments
    days = lambda first, last: {"timeRange": {"beginDateInclusive": day(first), "endDateInclusive": day(last, 23)}}  # noqa: E731
    base = custom(world, view(world.ours), dataFilterExpression=narrowed("LINKED_ACCOUNT", world.ours.accounts[:1]))
    views = [base, custom(world, view(world.ours), dataFilterExpression=narrowed("LINKED_ACCOUNT", world.ours.accounts[1:]) | days(1, 2)),
             custom(world, view(world.ours), view(world.theirs), dataFilterExpression=days(2, 20)), custom(world, base, view(world.theirs), dataFilterExpression=days(1, 1))]
    exports = []
    for arn in views:
        for table in (CUR2, FOCUS):
            export = of_view(world, arn, f"SELECT * FROM {table}", table=table, kind="PARQUET", properties={"TIME_GRANULARITY": granularity})
            exports.append((arn, table, export, world.client.create_export(Export=export)["ExportArn"]))
    for arn, table, export, id in exports:
        succeeded(world.client, id)
        # A view has ten exports at most; what was delivered stays.
        world.client.delete_export(ExportArn=id)
        rows = data(world, export)
        cost, cause = ("BilledCost", "x_ProformaCause") if table == FOCUS else (COST, "identity_line_item_id")
        assert summed(rows, cost) == costs(world, arn) and rows, (arn, export)
        residues = [Decimal(row[cost]) for row in rows if (row[cause] or "").startswith("residue/")]
        assert sum(map(abs, residues), Decimal(0)) <= len(rows) * Decimal("0.00000000005"), (residues, export)


def test_a_legacy_report_of_a_view_has_the_columns_of_its_lines(new_server, tmp_path):
    """Even the name of a column may be of an account that the view does not have; what it costs is what Cost Explorer says."""
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    server = new_server(options=["--export-buckets", f"reports={bucket}"])
    show(server, {"tags": ["user_secret"]})
    desk, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    ours = desk.group(2, plan=desk.plan(desk.rule(ModifierPercentage=3.3)))
    for number in range(40):
        month.line(ours.accounts[number % 2], cost="1", public=f"{number}.41", hour=12 * number, resource=f"i-{number % 4}")
    folder = legacy_month(tmp_path / "cost", month)
    shared, secret = "product/shared", ["product/secret", "resourceTags/user:Secret"]
    for path in folder.iterdir():
        header, *rows = csv.reader(path.open(newline=""))
        place = header.index("lineItem/UsageAccountId")
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header + [shared, *secret], *(row + ["x", *(["hidden"] * 2 if row[place] == ours.accounts[1] else [""] * 2)] for row in rows)])
    server.load(folder)
    world = SimpleNamespace(views=server.client(service="billing"), costs=server.client(service="ce"), ours=ours)
    client = server.client(service="cur")
    whole, narrow = (custom(world, view(ours), **more) for more in ({}, {"dataFilterExpression": narrowed("LINKED_ACCOUNT", ours.accounts[:1])}))
    days = {"timeRange": {"beginDateInclusive": day(3), "endDateInclusive": day(9, 23)}}
    # The second account is used at noon of each day, the first at its beginning: in these days both are.
    short = custom(world, view(ours), dataFilterExpression=days)
    for arn, has_secret in [(whole, True), (narrow, False), (short, True)]:
        for unit in ("HOURLY", "DAILY"):
            report = report_definition(ours, TimeUnit=unit, BillingViewArn=arn)
            client.put_report_definition(ReportDefinition=report)
            report_delivered(client, report["ReportName"])
            file, = (bucket / "cur" / report["ReportName"]).rglob("*.csv.gz")
            manifest, = (bucket / "cur" / report["ReportName"]).rglob("*Manifest.json")
            rows = csv_rows(file.read_bytes())
            assert {column: column in rows[0] for column in (shared, *secret)} == {shared: True} | dict.fromkeys(secret, has_secret), (arn, unit)
            assert has_secret or ("ecret" not in manifest.read_text() and "hidden" not in json.dumps(rows))
            assert summed(rows, "lineItem/UnblendedCost") == costs(world, arn) > 0
