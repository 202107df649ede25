"""Exports by day and by month, on either store: the rows of the hourly export of the same view, as DuckDB sums them over every other column, and to the last digit the bill."""
import datetime
import decimal
import json
import random
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import pyarrow.parquet as pq
import pytest

from desk import Desk
from policy_months import PolicyMonth
from server import PREVIOUS, in_period
from test_custom_view_costs import custom, day, narrowed
from test_custom_view_exports import committed, costs, of_view
from test_cost_explorer import view
from test_data_exports import COST, CUR2, FOCUS, charged, csv_rows, definition, show, succeeded
from test_report_definitions import definition as report_definition
from test_report_definitions import delivered as report_delivered
from test_report_definitions import legacy_month

MADE = "residue/%", "customlineitem/%"
IDENTITY = "identity_line_item_id", "identity_time_interval"
HOURS = "line_item_usage_start_date", "line_item_usage_end_date"
ADDED_UP = ("line_item_blended_cost", "line_item_normalized_usage_amount", "line_item_unblended_cost", "line_item_usage_amount", "pricing_public_on_demand_cost",
            "reservation_amortized_upfront_cost_for_usage", "reservation_amortized_upfront_fee_for_billing_period", "reservation_effective_cost",
            "reservation_recurring_fee_for_usage", "reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_normalized_unit_quantity",
            "reservation_unused_quantity", "reservation_unused_recurring_fee", "savings_plan_amortized_upfront_commitment_for_billing_period",
            "savings_plan_recurring_commitment_for_billing_period", "savings_plan_savings_plan_effective_cost", "savings_plan_total_commitment_to_date",
            "savings_plan_used_commitment")
FOCUS_ADDED_UP = ("BilledCost", "CommitmentDiscountQuantity", "ConsumedQuantity", "ContractedCost", "EffectiveCost", "ListCost", "PricingCurrencyEffectiveCost",
                  "PricingQuantity")
FIFTEEN_DIGITS = decimal.Context(prec=15, rounding=decimal.ROUND_HALF_UP)
UNITS = {"DAILY": "day", "MONTHLY": "month"}


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers whose few resources are used in many hours, with tags, and two credits that nothing is left of."""
    bucket = tmp_path_factory.mktemp("bucket")
    server = new_server(options=["--export-buckets", f"reports={bucket}"])
    show(server, {"tags": ["user_cost_center"]})
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=7.77))
    ours, theirs = desk.group(2, plan=plan), desk.group(1, plan=plan)
    desk.flat(ours, 12.5, Name="care", BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    month, chance = PolicyMonth(), random.Random(5)
    for member in (*ours.accounts, *theirs.accounts):
        for number in range(240):
            usage = chance.randrange(1, 5000)
            month.line(member, cost="5", public=str(usage * Decimal("0.0123456789")), hour=chance.randrange(24 * 30), resource=f"i-{number % 3}", usage=str(usage),
                       tags={"user_cost_center": f"team-{number % 2}"} if number % 5 else {}, service=["AmazonEC2", "AmazonS3"][number % 2])
    month.line(ours.primary, "Credit", cost="-1.0000000001", hour=3)
    month.line(ours.primary, "Credit", cost="1.0000000001", hour=4)
    server.load(month.write(tmp_path_factory.mktemp("granular") / "cost"))
    return SimpleNamespace(server=server, desk=desk, client=server.client(service="bcm-data-exports"), costs=server.client(service="ce"),
                           views=server.client(service="billing"), ours=ours, theirs=theirs, bucket=bucket)


def file_of(world, export):
    file, = (world.bucket / "pro-forma" / export["Name"] / "data" / f"BILLING_PERIOD={PREVIOUS}").iterdir()
    return file


def exported(world, granularity, statement=f"SELECT * FROM {CUR2}", table=CUR2, arn=None, **more):
    properties = {"TIME_GRANULARITY": granularity} | more.pop("properties", {})
    if arn:
        export = of_view(world, arn, statement, table=table, kind="PARQUET", properties=properties, **more)
    else:
        export = definition(world.ours, statement, table=table, kind="PARQUET", properties=properties, **more)
    made = world.client.create_export(Export=export)["ExportArn"]
    succeeded(world.client, made)
    # A view has ten exports at most; what was delivered stays.
    world.client.delete_export(ExportArn=made)
    return file_of(world, export)


def summed_by_duckdb(hourly, unit, added_up, apart, start):
    """The lines of an hourly file, summed over every column but their hours; without rows that no line stands behind."""
    connection = duckdb.connect()
    # A double is the decimal that its shortest text says: what is cast as it is, is off in the last digit from 90 on.
    there = set(pq.read_schema(hourly).names)
    sums = [column for column in added_up if column in there]
    excluded = [column for column in (*sums, *apart) if column in there]
    selected = ", ".join(f"sum(CAST(CAST(\"{column}\" AS VARCHAR) AS DECIMAL(38, 14))) AS \"{column}\"" for column in sums)
    made = f"NOT (identity_line_item_id LIKE '{MADE[0]}' OR identity_line_item_id LIKE '{MADE[1]}')" if "identity_line_item_id" in there else "\"x_ProformaCause\" IS NULL"
    cursor = connection.execute(f"SELECT * EXCLUDE ({', '.join(excluded)}), date_trunc('{unit}', \"{start}\") AS begun, {selected} "
                                f"FROM read_parquet('{hourly}', hive_partitioning = false) WHERE {made} GROUP BY ALL")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()], sums


def comparable(rows, sums, apart):
    """Rows as what they agree in, with their sums as decimals of fifteen digits."""
    def text(value):
        return json.dumps(sorted(value.items() if isinstance(value, dict) else value)) if isinstance(value, (dict, list)) else repr(value)

    def amount(value):
        return None if value is None else FIFTEEN_DIGITS.create_decimal(Decimal(repr(value) if isinstance(value, float) else value))

    def plain(value):
        return None if value is None else str(value.normalize())
    return sorted((tuple((column, text(row[column])) for column in sorted(row) if column not in (*sums, *apart)),
                   tuple(plain(amount(row[column])) for column in sums)) for row in rows)


def lines(file):
    rows = pq.read_table(file).to_pylist()
    made = lambda row: (row.get("identity_line_item_id") or "").startswith(("residue/", "customlineitem/")) or row.get("x_ProformaCause")  # noqa: E731
    return [row for row in rows if not made(row)], rows


def total(rows, column=COST):
    return sum((Decimal(repr(row[column])) for row in rows if row[column] is not None), Decimal(0))


@pytest.mark.parametrize("granularity", UNITS)
@pytest.mark.parametrize("resources", ["TRUE", "FALSE"])
def test_rows_are_what_duckdb_sums_of_the_hourly_export(world, granularity, resources):
    more = {"properties": {"INCLUDE_RESOURCES": resources}}
    hourly = exported(world, "HOURLY", **more)
    summed = exported(world, granularity, **more)
    own, every = lines(summed)
    expected, sums = summed_by_duckdb(hourly, UNITS[granularity], ADDED_UP, (*IDENTITY, *HOURS), HOURS[0])
    found = [{column: value for column, value in row.items() if column not in (*IDENTITY, *HOURS)} | {"begun": row[HOURS[0]]} for row in own]
    assert comparable(found, sums, ()) == comparable(expected, sums, ())
    assert len(own) < len(lines(hourly)[0]) and (resources == "TRUE") == ("line_item_resource_id" in own[0])
    # The bill, to the last digit; every row is days or months, and has an id of its own.
    assert total(every) == charged(world.server, world.ours)
    assert len({row["identity_line_item_id"] for row in every}) == len(every)
    for row in own:
        start, end = (row[column] for column in HOURS)
        assert start.hour == end.hour == 0 and row["identity_time_interval"] == f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"
        assert end - start == datetime.timedelta(days=1 if granularity == "DAILY" else 31)
    # The same again has the same bytes.
    assert exported(world, granularity, **more).read_bytes() == summed.read_bytes()


@pytest.mark.parametrize("granularity", UNITS)
def test_focus_by_day_and_month(world, granularity):
    hourly, summed = (exported(world, of, f"SELECT * FROM {FOCUS}", FOCUS) for of in ("HOURLY", granularity))
    apart = "ChargePeriodStart", "ChargePeriodEnd"
    own, every = lines(summed)
    expected, sums = summed_by_duckdb(hourly, UNITS[granularity], FOCUS_ADDED_UP, apart, apart[0])
    found = [{column: value for column, value in row.items() if column not in apart} | {"begun": row[apart[0]]} for row in own]
    assert comparable(found, sums, ()) == comparable(expected, sums, ())
    assert len(own) < len(lines(hourly)[0]) and total(every, "BilledCost") == charged(world.server, world.ours)


@pytest.fixture(scope="module")
def commitments(new_server, tmp_path_factory):
    return committed(new_server, tmp_path_factory, 1)


@pytest.mark.parametrize("granularity", UNITS)
@pytest.mark.parametrize("table", [CUR2, FOCUS])
def test_what_commitments_cover_and_cost_by_day_and_month(commitments, granularity, table):
    """Covered parts of lines, fees and what is left unused, of a group in which they are simulated anew."""
    world = commitments
    hourly, summed = (exported(world, of, f"SELECT * FROM {table}", table) for of in ("HOURLY", granularity))
    added_up, apart, start, cost = {CUR2: (ADDED_UP, (*IDENTITY, *HOURS), HOURS[0], COST),
                                    FOCUS: (FOCUS_ADDED_UP, ("ChargePeriodStart", "ChargePeriodEnd"), "ChargePeriodStart", "BilledCost")}[table]
    own, every = lines(summed)
    expected, sums = summed_by_duckdb(hourly, UNITS[granularity], added_up, apart, start)
    found = [{column: value for column, value in row.items() if column not in apart} | {"begun": row[start]} for row in own]
    assert comparable(found, sums, ()) == comparable(expected, sums, ())
    assert len(own) < len(lines(hourly)[0]) and total(every, cost) == charged(world.server, world.ours)
    # There was something to sum.
    filled = {column for column in sums if any(row[column] for row in own)}
    assert filled >= ({"CommitmentDiscountQuantity"} if table == FOCUS else {"reservation_effective_cost", "savings_plan_savings_plan_effective_cost"}), filled


def test_a_statement_is_asked_of_the_summed_table(world):
    """Conditions look at sums, not at lines; a column that is not selected keeps rows apart all the same."""
    whole, _ = lines(exported(world, "DAILY"))
    bound = sorted(row[COST] for row in whole)[len(whole) // 2]
    found = pq.read_table(exported(world, "DAILY", f"SELECT {COST} AS cost FROM {CUR2} WHERE {COST} > {bound} AND line_item_line_item_type = 'Usage'")).to_pylist()
    assert sorted(row["cost"] for row in found) == sorted(row[COST] for row in whole if row[COST] > bound and row["line_item_line_item_type"] == "Usage")


def test_a_custom_view_by_day(world):
    """Of what the view has and no other line, to the last digit what Cost Explorer answers."""
    base = custom(world, view(world.ours), dataFilterExpression=narrowed("LINKED_ACCOUNT", world.ours.accounts[:1]) | {
        "timeRange": {"beginDateInclusive": day(3), "endDateInclusive": day(20, 23)}})
    arn = custom(world, base, view(world.theirs))
    hourly, daily = (exported(world, of, arn=arn) for of in ("HOURLY", "DAILY"))
    own, every = lines(daily)
    expected, sums = summed_by_duckdb(hourly, "day", ADDED_UP, (*IDENTITY, *HOURS), HOURS[0])
    found = [{column: value for column, value in row.items() if column not in (*IDENTITY, *HOURS)} | {"begun": row[HOURS[0]]} for row in own]
    assert comparable(found, sums, ()) == comparable(expected, sums, ())
    assert total(every) == costs(world, arn) == total(lines(hourly)[1])


@pytest.mark.parametrize("granularity", UNITS)
def test_a_legacy_report_by_day_and_month(new_server, tmp_path, granularity):
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    server = new_server(options=["--export-buckets", f"reports={bucket}"])
    desk, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = desk.group(1, plan=desk.plan(desk.rule(ModifierPercentage=3.3)))
    for number in range(60):
        month.line(group.primary, cost="1", public=f"{number}.41", hour=number, resource=f"i-{number % 2}")
    server.load(legacy_month(tmp_path / "cost", month))
    client = server.client(service="cur")
    given = report_definition(group, TimeUnit=granularity)
    client.put_report_definition(ReportDefinition=given)
    assert report_delivered(client, given["ReportName"])["TimeUnit"] == granularity
    file, = (bucket / "cur" / given["ReportName"]).rglob("*.csv.gz")
    rows = csv_rows(file.read_bytes())
    assert sum(Decimal(row["lineItem/UnblendedCost"]) for row in rows) == charged(server, group)
    own = [row for row in rows if not row["identity/LineItemId"].startswith("residue/")]
    assert len(own) == {"DAILY": 6, "MONTHLY": 2}[granularity]
    assert sorted(Decimal(row["lineItem/UsageAmount"]) for row in own) == {"DAILY": [6, 6, 12, 12, 12, 12], "MONTHLY": [30, 30]}[granularity]
