"""The cost cube as DuckDB makes it: a GROUP BY of a month's lines by the full class key, and exact sums."""
import duckdb

from program import quoted, units

# The usage that a commitment could cover, by marks of its usage type: only there zone and size tell classes apart.
COVERABLE = ("BoxUsage|UnusedBox|UnusedDed|DedicatedUsage|HostUsage|Fargate|Lambda-GB-Second|Lambda-Provisioned|InstanceUsage"
             "|Multi-AZUsage|NodeUsage|ESInstance|Node:|:ml\\.|CapacityUnit-Hrs")
RATE = "CAST(nullif(line_item_unblended_rate, '') AS DECIMAL(38, 10))"
PUBLIC_RATE = "CAST(nullif(pricing_public_on_demand_rate, '') AS DECIMAL(38, 10))"


def money(column):
    """A double as the decimal that was written: its shortest text, at ten decimals."""
    return f"round(CAST(CAST({column} AS VARCHAR) AS DECIMAL(38, 20)), 10)"


def or_none(column):
    """The same, 0 where there is none."""
    return f"coalesce({money(column)}, 0)"


# The class key: a name here, the name in the cube, and the value of a line: the column of that name, or an expression.
SAME = object()
KEY = [
    ("account", "line_item_usage_account_id", SAME), ("service", "product_servicecode", SAME),
    ("product", "line_item_product_code", SAME), ("usage_type", "line_item_usage_type", SAME),
    ("operation", "line_item_operation", SAME), ("type", "line_item_line_item_type", SAME),
    ("sku", "product_sku", SAME), ("region", "product_region_code", SAME), ("unit", "pricing_unit", SAME),
    ("term", "pricing_term", SAME), ("rate_code", "pricing_rate_code", SAME),
    ("public_rate", "pricing_public_on_demand_rate", PUBLIC_RATE),
    ("rate_state", "line_item_unblended_rate_state",
     f"CASE WHEN {RATE} > 0 THEN '+' WHEN {RATE} IS NOT NULL THEN '0' END"),
    ("public_state", "pricing_public_on_demand_cost_state",
     "CASE WHEN coalesce(pricing_public_on_demand_cost, 0) <> 0 THEN '+' END"),
    ("reservation", "reservation_reservation_a_r_n", SAME), ("savings_plan", "savings_plan_savings_plan_a_r_n", SAME),
    ("zone", "line_item_availability_zone",
     f"CASE WHEN regexp_matches(line_item_usage_type, '{COVERABLE}') THEN line_item_availability_zone END"),
    ("size", "line_item_normalization_factor", f"CASE WHEN regexp_matches(line_item_usage_type, '{COVERABLE}') "
     "THEN CAST(line_item_normalization_factor AS DECIMAL(38, 10)) END"),
    ("description", "line_item_line_item_description",
     f"CASE WHEN {RATE} <= 0 OR line_item_line_item_type IN ('Fee', 'Credit', 'Refund') "
     "OR line_item_line_item_type LIKE '%Discount' THEN line_item_line_item_description END"),
    ("bill_type", "bill_bill_type", SAME), ("billing_entity", "bill_billing_entity", SAME),
    ("invoicing_entity", "bill_invoicing_entity", SAME), ("legal_entity", "line_item_legal_entity", SAME),
    ("invoice", "bill_invoice_id", SAME), ("currency", "line_item_currency_code", SAME),
    ("pricing_currency", "pricing_currency", SAME),
]
DECIMAL_KEYS = ("public_rate", "size")
NET = f"coalesce({money('line_item_net_unblended_cost')}, {money('line_item_unblended_cost')})"

# The sums of a class: the name in the cube, the value of a line.
MEASURES = [
    ("usage_amount", money("line_item_usage_amount")),
    ("normalized_usage_amount", money("line_item_normalized_usage_amount")),
    ("unblended_cost", money("line_item_unblended_cost")),
    ("net_unblended_cost", NET),
    ("public_on_demand_cost", money("pricing_public_on_demand_cost")),
    ("reservation_effective_cost", money("reservation_effective_cost")),
    ("savings_plan_effective_cost", money("savings_plan_savings_plan_effective_cost")),
    ("reservation_unused_recurring_fee", money("reservation_unused_recurring_fee")),
    ("reservation_unused_amortized_upfront_fee",
     money("reservation_unused_amortized_upfront_fee_for_billing_period")),
    ("savings_plan_used_commitment", money("savings_plan_used_commitment")),
    ("savings_plan_total_commitment", money("savings_plan_total_commitment_to_date")),
    ("amortized_upfront", or_none("reservation_amortized_upfront_fee_for_billing_period") + " + "
     + or_none("savings_plan_amortized_upfront_commitment_for_billing_period")),
    ("blended_cost", money("line_item_blended_cost")),
]


def classes(data):
    """A connection with the month's classes as the table `classes`, grouped by the full key; `days` has them by day."""
    keys = ", ".join(f"{column if value is SAME else value} AS {name}" for name, column, value in KEY)
    sums = ", ".join(f"coalesce(sum({value}), 0) AS {name}" for name, value in MEASURES)
    connection = duckdb.connect()
    connection.execute(f"""
        CREATE TABLE classes AS SELECT {keys}, {sums}, count(*) AS lines,
            CASE WHEN count(DISTINCT {RATE}) = 1 AND count({RATE}) = count(*) THEN min({RATE}) END AS unblended_rate,
            count(*) - count(line_item_net_unblended_cost) AS lines_without_net
        FROM read_parquet({quoted(data / '**' / '*.parquet')}) GROUP BY ALL""")
    connection.execute(f"""
        CREATE TABLE days AS SELECT {keys}, CAST(line_item_usage_start_date AS DATE)::VARCHAR AS day, {sums}, count(*) AS lines
        FROM read_parquet({quoted(data / '**' / '*.parquet')}) GROUP BY ALL""")
    return connection


def priceable(connection, table="classes"):
    """The classes as dictionaries, costs as units of 10⁻¹⁰."""
    wanted = [name for name, *_ in KEY] + ["unblended_cost", "net_unblended_cost", "public_on_demand_cost", "lines"]
    wanted += ["usage_amount", "day" if table == "days" else "unblended_rate"]
    rows = connection.execute(f"SELECT {', '.join(wanted)} FROM {table}").fetchall()
    lines = [dict(zip(wanted, row)) for row in rows]
    for line in lines:
        line["texts"] = [plain(line[name]) if name in DECIMAL_KEYS else line[name] for name, *_ in KEY]
        line["rate"] = {"+": 1, "0": 0}.get(line["rate_state"])
        line["unblended"], line["net"] = units(line["unblended_cost"]), units(line["net_unblended_cost"])
        line["public"], line["usage"] = units(line["public_on_demand_cost"]), units(line["usage_amount"])
        line["split"] = line["operation"] in ("EKSPod-EC2", "ECSTask-EC2")
        for name in ("public_rate", "unblended_rate"):
            line[name] = units(line[name]) if line.get(name) is not None else None
    return lines


def plain(number):
    """A decimal's plain text, without zeros at its end."""
    return None if number is None else f"{number.normalize():f}"


def assert_same(run, connection):
    """The cube that a run has written holds the same classes, no more and no fewer, with the same sums."""
    of_cube = ", ".join(f"CAST({column} AS DECIMAL(38, 10))" if name in DECIMAL_KEYS else column
                        for name, column, _ in KEY)
    of_classes = ", ".join(name for name, *_ in KEY)
    sums = ", ".join([*(name for name, _ in MEASURES), "lines", "lines_without_net"])
    rate = "CAST(line_item_unblended_rate AS DECIMAL(38, 10))"
    ours = f"SELECT {of_cube}, {rate}, {sums} FROM {run.cube}"
    theirs = f"SELECT {of_classes}, unblended_rate, {sums} FROM classes"

    def count(sql):
        return connection.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0]

    assert run.reconciliation["lines"]["classes"] == count(ours) == count(theirs)
    assert count(f"{ours} EXCEPT ALL {theirs}") == count(f"{theirs} EXCEPT ALL {ours}") == 0
