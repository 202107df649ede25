"""Cost files that nobody on the project wrote: each is read to the last digit, or refused in the right words.

They cannot be bundled: PROFORMA_SAMPLES names their folder. DuckDB reads the same files as text and adds decimals;
a line's number with more than ten decimals is rounded half away from zero first, as docs/pricing.md says. Every
file of a kind that could hold cost has a row in one of the tables below, or the last test fails.
"""
import json
import os
import pathlib
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pytest

from program import priced, query, quoted, run

FOLDER = os.environ.get("PROFORMA_SAMPLES")
SAMPLES = pathlib.Path(FOLDER or "samples")
COST_LIKE = (".csv", ".gz", ".zip", ".parquet", ".json")

pytestmark = pytest.mark.skipif(not FOLDER, reason="PROFORMA_SAMPLES does not name the folder of sample files")

KOKU_BUCKET = "koku-bucket/test_local_bucket.tar.gz"
LEGACY, CUR2 = "legacy CUR", "CUR 2.0"


@dataclass
class Accepted:
    """A file that is read; `totals` are figures published with it: sums over all its months, by column."""
    path: str
    format: str
    periods: tuple
    lines: int
    totals: dict = None


ACCEPTED = [
    Accepted("keboola/tests/mock_data/cur_1_0/MockTestReport-00001.csv.zip", LEGACY, ("2024-01",), 3),
    Accepted("keboola/tests/mock_data/cur_1_0/sample_billing_data.csv", LEGACY, ("2024-01",), 3),
    # Names of CUR 2.0 without any of its maps: the legacy report for Athena has the same.
    Accepted("keboola/tests/mock_data/cur_2_0/MockTestReportV2-00001.csv.gz", LEGACY, ("2024-09",), 4),
    Accepted("keboola/tests/mock_data/cur_2_0/sample_billing_data_v2.csv", LEGACY, ("2024-09",), 4),
    # Instants with a blank, a payer of six digits; a payer of thirteen digits, and Norwegian kroner.
    Accepted("koku-bucket/aws/2022-07-01-alt-columns.csv", LEGACY, ("2022-07",), 2),
    Accepted("koku-bucket/aws/2023-06-01-not-final.csv", LEGACY, ("2023-06",), 3),
    Accepted("koku-bucket/aws/2023-06-01.csv", LEGACY, ("2023-06",), 3),
    Accepted("koku-bucket/aws/empty_frame.csv", LEGACY, ("2023-06",), 0),
    # Three months in one file, amounts of eighteen digits.
    Accepted(KOKU_BUCKET, LEGACY, ("2018-06", "2018-07", "2018-08"), 13_380,
             {"lineItem/UnblendedCost": "143227.76367818761501799105"}),
    # Scientific notation, ids that repeat, 446 lines at rate 0.
    Accepted("legacy-cur-anonymised/sample-anonymous-aws-export-dataset.csv", LEGACY, ("2023-11",), 1_281,
             {"lineItem/UnblendedCost": "1.6823086974", "pricing/publicOnDemandCost": "3.3561726949"}),
]

FOCUS = "a FOCUS file (columns `BilledCost` and `ChargeCategory`); this version reads CUR and CUR 2.0"
NOT_COST = "not a cost file: no `lineItem/…` or `line_item_…` column"
MISSING = "necessary columns are missing: "

# A path, or a pattern of paths, and the words of the refusal.
REFUSED = [
    ("focus-spec/**/*.csv", [FOCUS]),
    ("focus-toolkit/client_like/*.csv", [FOCUS]),
    ("focus-toolkit/golden/**/*_cost_and_usage_*.csv", [FOCUS]),
    ("focus-toolkit/golden/**/scenarios_*.csv", [FOCUS]),
    ("focus-toolkit/golden/**/*_contract_commitment_*.csv", [NOT_COST]),
    ("focus-toolkit/official/*.json", [NOT_COST]),
    ("keboola/component_config/sample-config/in/tables/test.csv", [NOT_COST]),
    # A comma is missing in the middle of the header, and names without values stand at its end.
    ("koku-bucket/test_cur.csv", ["test_cur.csv:row 1: 130 fields where the header has 131"]),
    ("koku-bucket/test_cur.csv.gz", ["test_cur.csv.gz:row 1: 130 fields where the header has 131"]),
    # An archive of a bucket is no delivery: its content is tested unpacked.
    (KOKU_BUCKET, [NOT_COST]),
    ("legacy-cur-anonymised/rules-*.csv", [NOT_COST]),
    ("minimal/sample-cur.parquet", [MISSING, "`bill_billing_period_start_date`, `bill_payer_account_id`, "
                                    "`line_item_usage_account_id`, `line_item_line_item_type`, "
                                    "`line_item_usage_amount`, `line_item_currency_code`"]),
    ("minimal/account-region-cur.parquet", [MISSING, "`line_item_unblended_cost`"]),
    ("minimal/tagged-cur.parquet", [MISSING, "`line_item_unblended_cost`"]),
    ("minimal/sbroenne/testdata/sample-cur20.csv", [MISSING + "`bill_billing_period_start_date`, "
                                                    "`line_item_line_item_type`, `line_item_currency_code`"]),
    ("minimal/sbroenne/testdata/sample-legacy-csv.csv", [MISSING + "`bill/BillingPeriodStartDate`, "
                                                         "`lineItem/LineItemType`, `lineItem/CurrencyCode`"]),
    ("price-list/*.json", [NOT_COST]),
]


# ---- The independent reading.

class Reading:
    """A CSV file as DuckDB reads it: all text, bound by name in either spelling."""

    def __init__(self, path):
        self.connection = duckdb.connect()
        source = f"read_csv({quoted(path)}, all_varchar=true, header=true, quote='\"', escape='\"')"
        self.connection.execute(f"CREATE TABLE lines AS FROM {source}")
        self.columns = {row[0] for row in self.connection.execute("DESCRIBE lines").fetchall()}

    def column(self, legacy, cur2):
        return next((f'"{name}"' for name in (legacy, cur2) if name in self.columns), "NULL")

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def payer(self):
        column = self.column("bill/PayerAccountId", "bill_payer_account_id")
        return self.rows(f"SELECT any_value({column}) FROM lines")[0][0]

    def accounts(self):
        column = self.column("lineItem/UsageAccountId", "line_item_usage_account_id")
        return [account for account, in self.rows(f"SELECT DISTINCT {column} FROM lines ORDER BY 1")]

    def total(self, column):
        """The exact sum of a column, at twenty-four decimals."""
        return self.rows(f'SELECT sum(CAST("{column}" AS DECIMAL(38, 24))) FROM lines')[0][0]

    def by_kind(self, period):
        """Lines, unblended and net unblended cost of the period by currency and line item type."""
        start = self.column("bill/BillingPeriodStartDate", "bill_billing_period_start_date")
        currency = self.column("lineItem/CurrencyCode", "line_item_currency_code")
        kind = self.column("lineItem/LineItemType", "line_item_line_item_type")
        unblended = self.cost("lineItem/UnblendedCost", "line_item_unblended_cost")
        net = self.cost("lineItem/NetUnblendedCost", "line_item_net_unblended_cost")
        return self.rows(f"""
            SELECT {currency}, {kind}, count(*), coalesce(sum({unblended}), 0),
                   coalesce(sum(coalesce({net}, {unblended})), 0)
            FROM lines WHERE starts_with({start}, '{period}') GROUP BY 1, 2 ORDER BY 1, 2""")

    def cost(self, legacy, cur2):
        return f"round(CAST({self.column(legacy, cur2)} AS DECIMAL(38, 24)), 10)"


def readable(path, folder):
    """A file that both can read: what DuckDB cannot unpack is unpacked for it. Returns ours, and DuckDB's."""
    source = SAMPLES / path
    if path == KOKU_BUCKET:
        file = next(unpacked_bucket(folder).rglob("*.csv.gz"))
        return file, file
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            return source, archive.extract(archive.namelist()[0], folder)
    return source, source


def unpacked_bucket(folder):
    with tarfile.open(SAMPLES / KOKU_BUCKET) as archive:
        archive.extractall(folder / "bucket", filter="data")
    return folder / "bucket"


def minimal_book(folder, payer, accounts):
    """One group of all accounts at public prices; its primary account has no lines, for the payer may not be it."""
    members = ["111111111111", *accounts]
    group = {"name": "everyone", "primary_account_id": members[0], "accounts": members,
             "pricing_plan": "BasicPricingPlan"}
    book = {"payer_account_id": payer, "currency": "USD", "billing_groups": [group]}
    path = folder / "book.json"
    path.write_text(json.dumps(book))
    return path


def assert_as_read(result, reading, period):
    """The run's totals are those of DuckDB, as a whole and by line item type."""
    expected = reading.by_kind(period)
    kinds = query(f"""SELECT line_item_currency_code, line_item_line_item_type, sum(lines), sum(unblended_cost),
                      sum(net_unblended_cost) FROM {result.cube} GROUP BY 1, 2 ORDER BY 1, 2""")
    assert kinds == expected
    reconciliation = result.reconciliation
    currencies = reconciliation["currencies"]
    # A month without lines has a statement of 0 in the book's currency.
    assert set(currencies) == ({currency for currency, *_ in expected} or {"USD"})
    for currency, part in currencies.items():
        of_currency = [row for row in expected if row[0] == currency]
        assert Decimal(part["cost_files_unblended_total"]) == sum(row[3] for row in of_currency)
        assert Decimal(part["cost_files_total"]) == sum(row[4] for row in of_currency)
        left_out = sum(Decimal(cost) for cost in part["left_out_of_aws_cost"].values())
        assert Decimal(part["groups_total"]) + left_out == Decimal(part["cost_files_total"])
        assert part["difference"] == "0"
    lines = reconciliation["lines"]
    accepted = sum(row[2] for row in expected)
    assert lines["rated"] + lines["dropped_from_pro_forma"] == accepted
    assert (lines["passed_by"], lines["rejected"]) == (lines["read"] - accepted, 0)


# ---- The tests.

@pytest.mark.parametrize("sample", ACCEPTED, ids=lambda sample: sample.path)
def test_a_file_is_read_to_the_last_digit(sample, tmp_path):
    cost, for_duckdb = readable(sample.path, tmp_path)
    reading = Reading(for_duckdb)
    for column, total in (sample.totals or {}).items():
        assert reading.total(column) == Decimal(total)
    book = minimal_book(tmp_path, reading.payer() or "999999999999", reading.accounts())
    for period in sample.periods:
        result = priced(cost, book, period, tmp_path / period)
        assert [file["format"] for file in result.reconciliation["files"]] == [sample.format]
        assert result.reconciliation["lines"]["read"] == sample.lines
        assert_as_read(result, reading, period)
    there = reading.rows("SELECT count(*) FROM lines")[0][0]
    assert there == sample.lines
    assert there == sum(row[2] for period in sample.periods for row in reading.by_kind(period)), "a month is left out"


@pytest.mark.parametrize("pattern, words", REFUSED, ids=[pattern for pattern, _ in REFUSED])
def test_a_file_is_refused_in_the_right_words(pattern, words, tmp_path):
    book = minimal_book(tmp_path, "999999999999", [])
    files = sorted(SAMPLES.glob(pattern))
    assert files, "no such file among the samples"
    for file in files:
        result = run(file, book, "2026-10", tmp_path / "out")
        assert result.exit_code == 2, f"{file.name} is accepted"
        assert not result.out.exists(), f"{file.name} leaves something behind"
        for text in [*words, file.name, "nothing was written"]:
            assert text in result.stderr, f"{file.name}: {result.stderr}"


def test_every_cost_like_file_has_a_row():
    rows = [sample.path for sample in ACCEPTED] + [pattern for pattern, _ in REFUSED]
    covered = {file for row in rows for file in SAMPLES.glob(row)}
    there = {file for file in SAMPLES.rglob("*") if file.suffix in COST_LIKE}
    assert there - covered == set()


# ---- The bucket with its manifests. AWS writes keys that begin with a slash where the report's prefix is empty.

MONTH_FOLDER = "koku-local/20180801-20180901"
ASSEMBLY = "16e57707-f9e3-49be-8be6-b84e684b5194"
MANIFEST = "koku-local-Manifest.json"


@pytest.fixture(scope="module")
def bucket_reading(tmp_path_factory):
    return Reading(next(unpacked_bucket(tmp_path_factory.mktemp("koku")).rglob("*.csv.gz")))


def bucket_run(folder, reading, cost, period="2018-08"):
    return run(cost, minimal_book(folder, reading.payer(), reading.accounts()), period, folder / "out")


def add_older_assembly(bucket):
    """An earlier delivery of the month beside the current one, with other lines."""
    older = bucket / MONTH_FOLDER / "0a1b2c3d-0000-4000-8000-000000000000"
    older.mkdir()
    manifest = json.loads((bucket / MONTH_FOLDER / MANIFEST).read_text())
    manifest["assemblyId"] = older.name
    manifest["reportKeys"] = [key.replace(ASSEMBLY, older.name) for key in manifest["reportKeys"]]
    (older / MANIFEST).write_text(json.dumps(manifest))
    shutil.copy(SAMPLES / "koku-bucket" / "test_cur.csv.gz", older / "koku-local-1.csv.gz")


def without_leading_slash(bucket):
    for manifest in bucket.rglob(MANIFEST):
        manifest.write_text(manifest.read_text().replace('"/koku-local/', '"koku-local/'))


@pytest.mark.parametrize("cost, leading_slash", [
    ("", False), ("koku-local", False), (MONTH_FOLDER, False), (f"{MONTH_FOLDER}/{MANIFEST}", False),
    (f"{MONTH_FOLDER}/{ASSEMBLY}/{MANIFEST}", False),
    ("", True), (f"{MONTH_FOLDER}/{MANIFEST}", True),
])
def test_a_bucket_is_read_by_its_manifest(cost, leading_slash, bucket_reading, tmp_path):
    bucket = unpacked_bucket(tmp_path)
    add_older_assembly(bucket)
    if not leading_slash:
        without_leading_slash(bucket)
    result = bucket_run(tmp_path, bucket_reading, bucket / cost)
    assert result.exit_code == 0, result.stderr
    assert_as_read(result, bucket_reading, "2018-08")


def test_a_month_without_a_manifest_is_refused(bucket_reading, tmp_path):
    bucket = unpacked_bucket(tmp_path)
    without_leading_slash(bucket)
    result = bucket_run(tmp_path, bucket_reading, bucket, "2018-06")
    assert result.exit_code == 2
    assert "has no manifest for 2018-06, only for 2018-08" in result.stderr
