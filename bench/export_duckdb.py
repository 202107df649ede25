"""A month's lines per billing group with DuckDB: `export_duckdb.py JOB`, a JSON file. Prints how many rows it wrote.

The same work as the line export as far as DuckDB is asked for it: lines of accounts in groups, without the types that no
bill has, their list price times the group's factor as the new cost, one Parquet file per group with the columns that
our files fill. Rates, descriptions and commitments are copied as they are, which is less than we do; what is blank in
our files is null in its own.
"""
import json
import pathlib
import sys
import tomllib

import duckdb
import pyarrow as pa

DROPPED = ["Credit", "Tax", "Refund", "EdpDiscount", "PrivateRateDiscount", "BundledDiscount", "SppDiscount", "Discount"]
COSTS = {"line_item_unblended_cost", "line_item_blended_cost"}


def main(path):
    job = json.loads(pathlib.Path(path).read_text())
    connection = duckdb.connect()
    connection.execute(f"SET threads={int(job['threads'])}")
    groups = accounts(tomllib.loads(pathlib.Path(job["book"]).read_text()))
    connection.register("members", groups)
    files = ", ".join(quoted(file) for file in job["files"])
    source = f"read_parquet([{files}], hive_partitioning = false)"
    types = dict(row[:2] for row in connection.execute(f"DESCRIBE FROM {source}").fetchall())
    dropped = ", ".join(quoted(kind) for kind in DROPPED)
    columns = ", ".join(column(name, kind, name in job["filled"]) for name, kind in types.items())
    rows, = connection.execute(f"""
        COPY (SELECT {columns}, billing_group FROM {source} JOIN members ON line_item_usage_account_id = account
              WHERE line_item_line_item_type NOT IN ({dropped}))
        TO {quoted(job['out'])} (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (billing_group), OVERWRITE)""").fetchone()
    print(json.dumps({"duckdb": duckdb.__version__, "rows": rows}))


def accounts(book):
    """Account, its group, and the factor of the group's plan."""
    percentages = {rule["name"]: float(rule["modifier_percentage"]) for rule in book["pricing_rules"]
                   if rule["scope"] == "GLOBAL"}
    factors = {plan["name"]: 1 + percentages[plan["pricing_rules"][0]] / 100 for plan in book["pricing_plans"]}
    rows = [(account, group["name"], factors[group["pricing_plan"]])
            for group in book["billing_groups"] for account in group["accounts"]]
    return pa.table(dict(zip(("account", "billing_group", "factor"), map(list, zip(*rows)))))


def column(name, kind, filled):
    if name in COSTS:
        return f"coalesce(nullif(pricing_public_on_demand_cost, 0), line_item_unblended_cost) * factor AS {name}"
    return name if filled else f"CAST(NULL AS {kind}) AS {name}"


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


if __name__ == "__main__":
    main(sys.argv[1])
