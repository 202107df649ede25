"""FOCUS exports before the FinOps Foundation's focus-validator: they fail no rule but those that are listed with a reason.

Needs Python 3.12 or later beside the one that runs the tests; `make test` sets it up where there is one.
"""
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import focus_validator
from program import priced
from test_focus_exports import demo_month, exports, generated_month

pytestmark = pytest.mark.skipif(bool(focus_validator.missing()), reason=focus_validator.missing())

LIST = pathlib.Path(__file__).with_name("focus_validator_allowed.txt")
ALLOWED = {line.split()[0] for line in LIST.read_text().splitlines() if line and not line.startswith("#")}
ALL = ["--applicability-criteria", "ALL"]


def exported(month, folder):
    """The files of all billing groups as one table."""
    run = priced(month.cost, month.book, month.period, folder / "out", "--export", "focus")
    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in exports(run).values()])


def failing(table, folder, *options):
    pq.write_table(table, folder / "focus.parquet")
    return focus_validator.failing(folder / "focus.parquet", folder / "report.xml", *options)


def test_the_demo_month_fails_the_listed_rules_alone(tmp_path):
    table = exported(demo_month(tmp_path), tmp_path)
    for_every_provider = failing(table, tmp_path)
    with_every_feature = failing(table, tmp_path, *ALL)
    assert for_every_provider - ALLOWED == with_every_feature - ALLOWED == set()
    assert ALLOWED - for_every_provider - with_every_feature == set(), "listed, but no longer failing"


def test_a_generated_month_fails_the_listed_rules_alone(tmp_path):
    assert failing(exported(generated_month(tmp_path), tmp_path), tmp_path, *ALL) - ALLOWED == set()


def test_a_bad_file_fails_more(tmp_path):
    """Allowed values it does not look at, which tests/focus_rules.py does."""
    table = exported(demo_month(tmp_path), tmp_path)
    rows = table.to_pylist()
    rows[0] |= {"BilledCost": None, "BillingCurrency": "US Dollars"}
    rows[1] |= {"ServiceSubcategory": "Clouds", "PricingUnit": None}
    found = failing(pa.Table.from_pylist(rows, table.schema), tmp_path)
    expected = {"BilledCost-C-003-M", "BillingCurrency-C-003-M", "PricingUnit-C-006-C", "ServiceName-C-008-C"}
    assert expected <= found - ALLOWED
