"""Cost files that nobody on the project wrote: each is read to the last digit, or refused in the right words.

They cannot be bundled: PROFORMA_SAMPLES names their folder. DuckDB reads the same files as text and adds decimals;
a line's number with more than ten decimals is rounded half away from zero first, as docs/pricing.md says. Every
file of a kind that could hold cost has a row in one of the tables below, or the last test fails.
"""
import csv
import json
import os
import pathlib
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow
import pyarrow.parquet
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

NOT_COST = "not a cost file: no `lineItem/…` or `line_item_…` column, and no `BilledCost` with a `ChargeCategory`"
MISSING = "necessary columns are missing: "

# A path, or a pattern of paths, and the words of the refusal.
REFUSED = [
    # Worked examples of the specification, with the columns that each is about. Completed, they are read: see below.
    ("focus-spec/commitment_*/**/*.csv", [MISSING + "`BillingAccountId`, `SubAccountId`, `BillingCurrency`"]),
    ("focus-spec/saas_examples/virtual_currency_pricing_model_*.csv",
     [MISSING + "`SubAccountId`, `CommitmentDiscountId`, `CommitmentDiscountType`, `CommitmentDiscountStatus`"]),
    # Dates as a spreadsheet writes them, and some amounts as well.
    ("focus-spec/saas_examples/spend_agreements/*.csv", [":row 1:BillingPeriodStart: `4/1/25` is not a readable"]),
    ("focus-spec/saas_examples/simple_agreements/*.csv",
     [":row 1:BillingPeriodStart: `", "/1/2", "` is not a readable billing period start", ":row 1:BilledCost: `$"]),
    # Two payers in one file; each is read by itself below.
    ("focus-toolkit/golden/**/aws_*_cost_and_usage_*.csv",
     ["lines of several payer accounts: `100000000001`", "`100000000002`", "give one payer's delivery with --cost"]),
    # An account that no book can name; read under another name below.
    ("focus-toolkit/client_like/*.csv", [":row 1:BillingAccountId: `BA-1` is not an account id"]),
    ("focus-toolkit/golden/**/scenarios_*.csv", [MISSING + "`BillingPeriodStart`, `BillingAccountId`, `SubAccountId`"]),
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
        # The month of the files of which only some lines are wrong.
        result = run(file, book, "2026-05", tmp_path / "out")
        assert result.exit_code == 2, f"{file.name} is accepted"
        assert not result.out.exists(), f"{file.name} leaves something behind"
        for text in [*words, file.name, "nothing was written"]:
            assert text in result.stderr, f"{file.name}: {result.stderr}"


def test_every_cost_like_file_has_a_row():
    rows = [sample.path for sample in ACCEPTED] + [pattern for pattern, _ in REFUSED] + OTHER_PROVIDERS
    covered = {file for row in rows for file in SAMPLES.glob(row)}
    there = {file for file in SAMPLES.rglob("*") if file.suffix in COST_LIKE}
    assert there - covered == set()


# ---- FOCUS. Files of other providers are read, and reported by provider; those of AWS one payer at a time.

OTHER_PROVIDERS = ["focus-toolkit/golden/**/azure_*_cost_and_usage_*.csv",
                   "focus-toolkit/golden/**/gcp_*_cost_and_usage_*.csv"]
GOLDEN = "focus-toolkit/golden/compatibility_golden"
VERSION = {"1_2": "FOCUS 1.2", "1_3": "FOCUS 1.3"}

# What the charges of the samples are, read from the specification alone.
KIND = """CASE
    WHEN ChargeCategory IN ('Tax', 'Credit') THEN ChargeCategory
    WHEN ChargeCategory = 'Purchase' AND CommitmentDiscountId IS NULL THEN 'Fee'
    WHEN ChargeCategory = 'Usage' AND PricingCategory = 'Standard' THEN 'Usage'
    WHEN CommitmentDiscountType = 'Savings Plan' THEN
        CASE WHEN CommitmentDiscountStatus = 'Used' THEN 'SavingsPlanCoveredUsage'
             WHEN ChargeFrequency = 'One-Time' THEN 'SavingsPlanUpfrontFee' ELSE 'SavingsPlanRecurringFee' END
    WHEN CommitmentDiscountType = 'Reserved Instance' THEN
        CASE WHEN CommitmentDiscountStatus = 'Used' THEN 'DiscountedUsage'
             WHEN ChargeFrequency = 'One-Time' THEN 'Fee' ELSE 'RIFee' END END"""


class FocusReading(Reading):
    """A FOCUS file of a test's own making, as DuckDB reads it."""

    def number(self, column):
        return f"round(CAST({column} AS DECIMAL(38, 24)), 10)"

    def by_charge(self):
        """Lines and exact sums by account and kind of charge."""
        sums = ", ".join(f"coalesce(sum({self.number(column)}), 0)"
                         for column in ("BilledCost", "ListCost", "PricingQuantity"))
        return self.rows(f"SELECT SubAccountId, {KIND}, count(*), {sums} FROM lines GROUP BY 1, 2 ORDER BY 1, 2")

    def effective_cost(self, status):
        condition = f"CommitmentDiscountStatus = '{status}'"
        return self.rows(f"SELECT sum({self.number('EffectiveCost')}) FROM lines WHERE {condition}")[0][0] or 0

    def by_provider(self, column):
        return self.rows(f"""SELECT {column}, BillingCurrency, count(*), sum({self.number('BilledCost')})
                             FROM lines GROUP BY 1, 2 ORDER BY 1, 2""")

    def accounts(self):
        return [account for account, in self.rows("SELECT DISTINCT SubAccountId FROM lines ORDER BY 1")]


def rewritten(source, target, change):
    """A copy of a CSV file in which each row, a dictionary, is what `change` makes of it; without those it drops."""
    with open(source, newline="", encoding="utf-8-sig") as file:
        rows = [change(row) for row in csv.DictReader(file)]
    rows = [row for row in rows if row is not None]
    with open(target, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return target


def assert_focus_as_read(result, reading, format):
    assert [file["format"] for file in result.reconciliation["files"]] == [format]
    kinds = query(f"""SELECT line_item_usage_account_id, line_item_line_item_type, sum(lines), sum(unblended_cost),
                      sum(public_on_demand_cost), sum(usage_amount) FROM {result.cube} GROUP BY 1, 2 ORDER BY 1, 2""")
    assert kinds == reading.by_charge()
    used, = query(f"SELECT sum(savings_plan_effective_cost) + sum(reservation_effective_cost) FROM {result.cube}")[0]
    unused, = query(f"""SELECT sum(savings_plan_total_commitment) + sum(reservation_unused_recurring_fee)
                        FROM {result.cube}""")[0]
    assert (used, unused) == (reading.effective_cost("Used"), reading.effective_cost("Unused"))
    for currency, part in result.reconciliation["currencies"].items():
        assert Decimal(part["cost_files_total"]) == sum(row[3] for row in reading.by_charge()), currency
        assert part["difference"] == "0"


@pytest.mark.parametrize("payer", ["100000000001", "100000000002"])
@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob(f"{GOLDEN}/aws_*_cost_and_usage_*.csv")))
def test_a_focus_file_of_aws_is_read_to_the_last_digit(name, payer, tmp_path):
    of_payer = lambda row: row if row["BillingAccountId"] == payer else None
    (tmp_path / "cost").mkdir()
    file = rewritten(SAMPLES / GOLDEN / name, tmp_path / "cost" / "lines.csv", of_payer)
    reading = FocusReading(file)
    book = minimal_book(tmp_path, payer, reading.accounts())
    result = priced(file, book, "2026-05", tmp_path / "out")
    assert_focus_as_read(result, reading, VERSION[name[4:7]])
    assert result.reconciliation["other_providers"] == []


def as_parquet(reading, target):
    """The lines as another tool writes them: typed, names in lower case, columns without a value without a type."""
    numbers = ("Cost", "Quantity", "UnitPrice")
    def typed(name):
        if name.endswith(numbers):
            return f'CAST("{name}" AS DECIMAL(38, 18))'
        return f'CAST("{name}" AS TIMESTAMP)' if name.endswith(("PeriodStart", "PeriodEnd")) else f'"{name}"'
    columns = ", ".join(f'{typed(name)} AS {name.lower()}' for name in reading.columns)
    table = reading.connection.sql(f"SELECT {columns} FROM lines").to_arrow_table()
    empty = [name for name in table.column_names if table[name].null_count == len(table)]
    for name in empty:
        table = table.set_column(table.column_names.index(name), name, pyarrow.nulls(len(table)))
    pyarrow.parquet.write_table(table, target)
    return empty


def test_the_same_focus_lines_as_parquet_give_the_same_cube(tmp_path):
    of_payer = lambda row: row if row["BillingAccountId"] == "100000000001" else None
    name = "aws_1_2_cost_and_usage_rows100_seed42.csv"
    file = rewritten(SAMPLES / GOLDEN / name, tmp_path / "lines.csv", of_payer)
    reading = FocusReading(file)
    book = minimal_book(tmp_path, "100000000001", reading.accounts())
    empty = as_parquet(reading, tmp_path / "lines.parquet")
    assert "chargeclass" in empty
    cubes = []
    for cost in (file, tmp_path / "lines.parquet"):
        result = priced(cost, book, "2026-05", tmp_path / cost.suffix[1:])
        assert_focus_as_read(result, reading, "FOCUS 1.2")
        cubes.append(query(f"SELECT * FROM {result.cube} ORDER BY class_id"))
    assert cubes[0] == cubes[1]


def test_lines_of_a_focus_file_are_exported_as_focus_and_as_nothing_else(tmp_path):
    of_payer = lambda row: row if row["BillingAccountId"] == "100000000001" else None
    name = "aws_1_3_cost_and_usage_rows100_seed42.csv"
    file = rewritten(SAMPLES / GOLDEN / name, tmp_path / "lines.csv", of_payer)
    reading = FocusReading(file)
    book = minimal_book(tmp_path, "100000000001", reading.accounts())
    result = priced(file, book, "2026-05", tmp_path / "out", "--export", "focus")
    exported, = (tmp_path / "out" / "pro-forma").rglob("*.csv.gz")
    written = FocusReading(exported)
    total, = written.rows(f"SELECT sum({written.number('BilledCost')}) FROM lines")[0]
    assert total == Decimal(result.reconciliation["currencies"]["USD"]["pro_forma_total"])
    # Not resource ids: here they are ARNs of the payer, which is in no group.
    usage = """SELECT SubAccountId, CAST(ChargePeriodStart AS TIMESTAMP), CAST(PricingQuantity AS DECIMAL(38, 10)),
               CAST(ConsumedQuantity AS DECIMAL(38, 10)), SkuMeter, PricingCategory, CommitmentDiscountId FROM lines
               WHERE ChargeCategory = 'Usage' AND coalesce(CommitmentDiscountStatus, 'Used') = 'Used' ORDER BY ALL"""
    assert written.rows(usage) == reading.rows(usage)
    refused = run(file, book, "2026-05", tmp_path / "cur", "--export", "cur2")
    assert refused.exit_code == 2 and "CUR 2.0 cannot be exported from FOCUS 1.3 files" in refused.stderr


@pytest.mark.parametrize("pattern", OTHER_PROVIDERS)
def test_files_of_other_providers_are_reported_by_provider(pattern, tmp_path):
    book = minimal_book(tmp_path, "999999999999", [])
    for file in sorted(SAMPLES.glob(pattern)):
        result = priced(file, book, "2026-05", tmp_path / file.stem)
        assert_others(result, FocusReading(file).by_provider("ProviderName"))
        assert result.reconciliation["currencies"]["USD"]["cost_files_total"] == "0"
        assert "no line of 2026-05 that AWS provides" in result.stderr


def assert_others(result, expected):
    found = [(other["provider"], other["currency"], other["lines"], Decimal(other["billed_cost"]))
             for other in result.reconciliation["other_providers"]]
    assert found == expected
    assert result.reconciliation["lines"]["other_providers"] == sum(row[2] for row in expected)
    for provider, currency, *_ in expected:
        assert f" of {provider}, " in result.stderr and f" {currency} billed" in result.stderr


def test_of_a_consolidated_file_only_the_lines_of_aws_are_priced(tmp_path):
    source = SAMPLES / "focus-toolkit/client_like/consolidated_multi_provider_1_3.csv"
    named = lambda row: row | {"BillingAccountId": row["BillingAccountId"].replace("BA-1", "999999999999"),
                               "SubAccountId": row["SubAccountId"].replace("sub-1", "222222222222")}
    file = rewritten(source, tmp_path / "lines.csv", named)
    reading = FocusReading(file)
    result = priced(file, minimal_book(tmp_path, "999999999999", ["222222222222"]), "2026-05", tmp_path / "out")
    by_provider = reading.by_provider("ServiceProviderName")
    assert_others(result, [row for row in by_provider if row[0] != "AWS"])
    usd = result.reconciliation["currencies"]["USD"]
    assert Decimal(usd["cost_files_total"]) == sum(row[3] for row in by_provider if row[0] == "AWS") == 108
    assert (usd["groups_total"], usd["left_out_of_aws_cost"], usd["pro_forma_total"]) == ("100", {"Tax": "8"}, "120")


COMMITMENTS = sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("focus-spec/commitment_*/**/*.csv"))


@pytest.mark.parametrize("kind", ["Savings Plan", "Reserved Instance"])
@pytest.mark.parametrize("path", COMMITMENTS)
def test_the_worked_examples_of_commitments_are_read_when_they_are_complete(path, kind, tmp_path):
    usual = {"BillingAccountId": "999999999999", "SubAccountId": "222222222222", "BillingCurrency": "USD",
             "ServiceName": "AmazonEC2", "ChargeClass": "", "ProviderName": "AWS", "PricingQuantity": "1",
             "ListCost": "", "CommitmentDiscountStatus": ""}

    def complete(row):
        row = usual | {name: "" if value == "null" else value for name, value in row.items()}
        owned = "arn:aws:savingsplans::222222222222:savingsplan/1" if row["CommitmentDiscountId"] else ""
        return row | {"CommitmentDiscountId": owned, "CommitmentDiscountType": kind if owned else ""}

    file = rewritten(SAMPLES / path, tmp_path / "lines.csv", complete)
    reading = FocusReading(file)
    book = minimal_book(tmp_path, "999999999999", reading.accounts())
    result = priced(file, book, "2023-01", tmp_path / "out")
    version = "FOCUS 1.1"  # They have `CommitmentDiscountUnit`, which 1.1 has added.
    assert_focus_as_read(result, reading, version)
    # The fee pays for what is covered; what is not covered costs its list price, or else what was billed.
    on_demand = [Decimal(row[4] or row[3]) for row in reading.by_charge() if row[1] == "Usage"]
    fees = [Decimal(row[3]) for row in reading.by_charge() if row[1] != "Usage"]
    pro_forma = Decimal(result.reconciliation["currencies"]["USD"]["pro_forma_total"])
    assert pro_forma == sum(on_demand) + sum(fees)


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
