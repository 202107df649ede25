"""Exported files as other programs read them: pyarrow and DuckDB agree with the statement to the last digit.

A generated month of 100,000 lines, and every cost file of the samples that is accepted. What is copied is compared with the
cost files line by line; what sums to the statement is added as decimals: the shortest text of each double.
"""
import gzip
import json
import subprocess
import sys
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cube
import test_samples
from program import PROGRAM, ROOT, priced, quoted
from test_generated import PERIOD, SMALL, make_book

COST = "line_item_unblended_cost"
TAG = "user_team"
ADDED = r"^(customlineitem|residue)/"
# A line that commitments cover is several rows; the first keeps its id.
FURTHER = r"/(covered-[0-9]+|negation-[0-9]+|rest)$"
CUT = r"/(covered-[0-9]+|rest)$"
# What is cut with a line's usage; a negation has no public cost.
QUANTITIES = {"line_item_usage_amount", "line_item_normalized_usage_amount", "pricing_public_on_demand_cost"}
VARIANTS = {"parquet": ["--edp", "both"], "parquet-int96": ["--edp", "columns", "--ts", "int96", "--seed", "2"],
            "csv": ["--edp", "items", "--seed", "3"]}


# ---- The exported month.

@pytest.fixture(scope="module", params=VARIANTS, ids=list(VARIANTS))
def month(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    command = [sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", "100000", "--period", PERIOD,
               "--out", folder / "month", *SMALL, *VARIANTS[request.param]]
    subprocess.run(command, check=True, capture_output=True)
    data = folder / "month" / "data"
    book = make_book(cube.classes(data), folder / "month") | {
        "custom_line_items": [
            {"name": "desk", "description": "Service desk", "billing_group": "group-0", "type": "FEE",
             "flat_charge_value": "120.5", "start": PERIOD},
            {"name": "partner", "description": "Partner credit", "billing_group": "group-1", "type": "CREDIT",
             "percentage_value": "3.3", "start": PERIOD}],
        "exports": {"columns": ["bill_payer_account_id"], "tags": [TAG]},
    }
    (folder / "book.json").write_text(json.dumps(book))
    written = "csv" if request.param == "csv" else "parquet"
    run = priced(data, folder / "book.json", PERIOD, folder / "out", "--export", "cur2", "--export-format", written)
    return SimpleNamespace(run=run, book=book, data=data, format=written, folder=folder,
                           groups=[group["name"] for group in book["billing_groups"]])


def exported(run, group):
    file, = (run.out / "pro-forma" / group).iterdir()
    return file


def table(file):
    """A file as DuckDB names a table; CSV as texts."""
    if file.suffix == ".parquet":
        return f"read_parquet({quoted(file)})"
    return f"read_csv({quoted(file)}, all_varchar = true, header = true, nullstr = '', quote = '\"', escape = '\"')"


def statement_totals(run, group):
    return {one["currency"]: Decimal(one["total"]) for one in run.statement(group)["statements"]}


def by_duckdb(file):
    rows = duckdb.sql(f"SELECT line_item_currency_code, sum(CAST(CAST({COST} AS VARCHAR) AS DECIMAL(38, 14))) "
                      f"FROM {table(file)} GROUP BY 1").fetchall()
    return {currency: total for currency, total in rows}


def by_pyarrow(file):
    read = pq.read_table(file, columns=["line_item_currency_code", COST]).to_pydict()
    totals = {}
    for currency, cost in zip(read["line_item_currency_code"], read[COST]):
        totals[currency] = totals.get(currency, Decimal(0)) + Decimal(repr(cost))
    return totals


# ---- The tests.

def test_every_reader_sums_a_file_to_its_statement(month):
    for group in month.groups:
        file = exported(month.run, group)
        statement = statement_totals(month.run, group)
        assert by_duckdb(file) == statement, group
        if month.format == "parquet":
            assert by_pyarrow(file) == statement, group


def test_the_rows_are_the_lines_of_the_bill_and_the_added_ones(month):
    mark = month.run.json("pro-forma/export.json")
    files = {file["billing_group"]: file for file in mark["files"]}
    lines = sum(file["rows"] - file["added_rows"] - file.get("further_rows", 0) for file in files.values())
    assert lines == month.run.reconciliation["lines"]["rated"]
    assert any("further_rows" in file for file in files.values()), "no line is covered"
    for group in month.groups:
        rows, added, further = duckdb.sql(f"""
            SELECT count(*), count(*) FILTER (regexp_matches(identity_line_item_id, '{ADDED}')),
                   count(*) FILTER (regexp_matches(identity_line_item_id, '{FURTHER}'))
            FROM {table(exported(month.run, group))}""").fetchall()[0]
        assert (rows, added, further) == tuple(files[group].get(of, 0) for of in ("rows", "added_rows", "further_rows"))
        charges = sum(len(one["custom_line_items"]) for one in month.run.statement(group)["statements"])
        assert added == charges + len(files[group]["residue"])


def test_types_are_those_of_the_cost_files(month):
    if month.format == "csv":
        pytest.skip("a CSV file has no types")
    source = pq.read_schema(next(month.data.rglob("*.parquet")))
    for group in month.groups:
        schema = pq.read_schema(exported(month.run, group))
        assert schema.names == source.names
        for name in schema.names:
            expected = source.field(name).type
            # INT96 has nanoseconds and no zone; AWS's newer files and ours have milliseconds.
            expected = pa.timestamp("ms") if pa.types.is_timestamp(expected) else expected
            assert schema.field(name).type == expected, name
        assert not schema.metadata


def test_copied_columns_are_the_cost_files_values(month):
    mark = month.run.json("pro-forma/export.json")
    copied = [column for column, treated in mark["columns"].items() if treated == "copied"]
    assert "bill_payer_account_id" in copied and "identity_line_item_id" in copied and len(copied) > 20
    source = f"read_parquet({quoted(month.data / '**' / '*.parquet')}, hive_partitioning = false)"
    types = {name: kind for name, kind, *_ in duckdb.sql(f"DESCRIBE FROM {source}").fetchall()}
    repeated, = duckdb.sql(f"""SELECT count(*) FROM (SELECT 1 FROM {source}
        GROUP BY identity_line_item_id, identity_time_interval HAVING count(*) > 1)""").fetchall()[0]
    assert repeated == 0, "a line would be compared with another"
    withheld = 0
    for group in month.groups:
        file = exported(month.run, group)
        counts, of_line = [], f"regexp_replace(identity_line_item_id, '{FURTHER}', '')"
        for column in copied:
            ours, theirs = as_written(f"o.{column}", types[column], month.format), f"s.{column}"
            if types[column].startswith("MAP"):
                ours, theirs = in_order(ours), in_order(theirs)
            elif month.format == "csv" and types[column] == "VARCHAR":
                theirs = f"nullif({theirs}, '')"
            if column == "identity_line_item_id":
                ours = "o.line_id"
            if column in QUANTITIES:
                ours = f"CASE WHEN o.is_whole THEN {ours} ELSE {theirs} END"
            counts += [f"count(*) FILTER ({ours} IS NULL AND {theirs} IS NOT NULL)",
                       f"count(*) FILTER ({ours} IS NOT NULL AND {ours} IS DISTINCT FROM {theirs})"]
        rows = f"""(SELECT *, {of_line} AS line_id, NOT (regexp_matches(identity_line_item_id, '{FURTHER}') OR bool_or(
                regexp_matches(identity_line_item_id, '{CUT}')) OVER (PARTITION BY {of_line}, identity_time_interval)) AS is_whole
            FROM {table(file)})"""
        lines, *counted = duckdb.sql(f"""SELECT count(*), {', '.join(counts)} FROM {rows} o JOIN {source} s
            ON o.line_id = s.identity_line_item_id AND o.identity_time_interval = s.identity_time_interval""").fetchall()[0]
        assert [column for column, different in zip(copied, counted[1::2]) if different] == [], group
        withheld += sum(counted[::2])
        assert lines == duckdb.sql(f"SELECT count(*) FROM {table(file)} "
                                   f"WHERE NOT regexp_matches(identity_line_item_id, '{ADDED}')").fetchall()[0][0]
    assert withheld == mark["values_withheld"]


def test_the_parts_of_a_line_are_the_line(month):
    """What is covered of a line and what is left have its usage and its public cost, to the last digit."""
    source = f"read_parquet({quoted(month.data / '**' / '*.parquet')}, hive_partitioning = false)"
    cut, exact = 0, lambda column: f"CAST(CAST({column} AS VARCHAR) AS DECIMAL(38, 14))"
    sums = ", ".join(f"sum(coalesce({exact(column)}, 0)) AS {column}" for column in QUANTITIES)
    same = " AND ".join(f"abs(o.{column} - coalesce(CAST(s.{column} AS DECIMAL(38, 10)), 0)) < 1e-10" for column in QUANTITIES)
    for group in month.groups:
        lines, right = duckdb.sql(f"""SELECT count(*), count(*) FILTER ({same}) FROM (
            SELECT regexp_replace(identity_line_item_id, '{CUT}', '') AS line_id, identity_time_interval AS of, {sums}
            FROM {table(exported(month.run, group))} WHERE line_item_line_item_type != 'SavingsPlanNegation'
            GROUP BY ALL HAVING count(*) > 1) o JOIN {source} s
            ON o.line_id = s.identity_line_item_id AND o.of = s.identity_time_interval""").fetchall()[0]
        assert lines == right, group
        cut += lines
    # What the CSV month's plans cover, they cover whole.
    assert cut or month.format == "csv", "no line is cut"


def in_order(column):
    """A map by its keys: ours are in order, those of the cost files need not be."""
    return f"list_sort(map_entries({column}))"


def as_written(column, kind, written):
    if written == "parquet":
        return column
    if kind.startswith("TIMESTAMP"):
        return f"strptime({column}, '%Y-%m-%dT%H:%M:%S.%gZ')"
    return f"CAST(CAST({column} AS JSON) AS {kind})" if kind.startswith("MAP") else f"CAST({column} AS {kind})"


def test_tags_are_those_that_the_book_allows(month):
    rows = 0
    for group in month.groups:
        file = exported(month.run, group)
        keys = f"map_keys({'resource_tags' if month.format == 'parquet' else 'CAST(CAST(resource_tags AS JSON) AS MAP(VARCHAR, VARCHAR))'})"
        found = duckdb.sql(f"SELECT DISTINCT unnest({keys}) FROM {table(file)} WHERE resource_tags IS NOT NULL").fetchall()
        assert found in ([], [(TAG,)])
        rows += len(found)
    assert rows


def test_an_exported_file_is_a_cost_file(month, tmp_path):
    """What a customer gets can be priced again, by whoever sells it on: at cost, it costs what was billed."""
    group = month.book["billing_groups"][0]
    book = {"payer_account_id": month.book["payer_account_id"], "currency": "USD",
            "billing_groups": [group | {"pricing_plan": "BasicPricingPlan"}]}
    (tmp_path / "book.json").write_text(json.dumps(book))
    file = exported(month.run, group["name"])
    again = priced(file, tmp_path / "book.json", PERIOD, tmp_path / "out")
    costs = duckdb.sql(f"SELECT CAST({COST} AS VARCHAR) FROM {table(file)}").fetchall()
    at_ten_decimals = sum(Decimal(cost).quantize(Decimal("1e-10"), "ROUND_HALF_UP") for cost, in costs)
    # Cost files have ten decimals; of a double between two of them the reader takes either.
    read = Decimal(again.reconciliation["currencies"]["USD"]["cost_files_unblended_total"])
    assert abs(read - at_ten_decimals) <= len(costs) * Decimal("1e-10")
    assert again.reconciliation["lines"]["read"] == len(costs)


def test_an_export_later_has_the_same_bytes(month):
    out = month.folder / "later"
    ended = subprocess.run([PROGRAM, "export", "--run", month.run.out, "--cost", month.data, "--out", out, "--threads",
                            "1", "--export-format", month.format], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    for group in month.groups:
        file = exported(month.run, group)
        assert (out / group / file.name).read_bytes() == file.read_bytes(), group
    if month.format == "csv":
        header = gzip.open(exported(month.run, month.groups[0]), "rt").readline()
        assert header.startswith("identity_line_item_id,") or "identity_line_item_id" in header


def test_the_focus_file_sums_to_the_statement(month):
    out = month.folder / "focus"
    ended = subprocess.run([PROGRAM, "export", "--run", month.run.out, "--cost", month.data, "--out", out, "--export",
                            "focus", "--export-format", "parquet"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    for group in month.groups:
        file, = (out / group).iterdir()
        read = pq.read_table(file, columns=["BillingCurrency", "BilledCost"]).to_pydict()
        total = sum(Decimal(repr(cost)) for cost in read["BilledCost"])
        assert {"USD": total} == statement_totals(month.run, group)


@pytest.mark.skipif(not test_samples.FOLDER, reason="PROFORMA_SAMPLES does not name the folder of sample files")
@pytest.mark.parametrize("sample", test_samples.ACCEPTED, ids=lambda sample: sample.path)
def test_samples_are_exported(sample, tmp_path):
    cost, for_duckdb = test_samples.readable(sample.path, tmp_path)
    reading = test_samples.Reading(for_duckdb)
    book = test_samples.minimal_book(tmp_path, reading.payer() or "999999999999", reading.accounts())
    layout = "cur" if sample.format == test_samples.LEGACY else "cur2"
    for period in sample.periods:
        for written in ("csv", "parquet"):
            run = priced(cost, book, period, tmp_path / f"{period}-{written}", "--export", layout, "--export-format", written)
            file = exported(run, "everyone")
            slashed = any("/" in column for column in reading.columns) and written == "csv"
            cost_column, currency = (("lineItem/UnblendedCost", "lineItem/CurrencyCode") if slashed
                                     else (COST, "line_item_currency_code"))
            rows = duckdb.sql(f"""SELECT "{currency}", sum(CAST(CAST("{cost_column}" AS VARCHAR) AS DECIMAL(38, 14)))
                                  FROM {table(file)} GROUP BY 1""").fetchall()
            totals = {currency: total for currency, total in rows if total}
            assert totals == {currency: total for currency, total in statement_totals(run, "everyone").items() if total}
