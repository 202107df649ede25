"""AWS's own invoices out of a run: what they come to by another way, and what differs from AWS's list of them."""
import csv
import io
import json
import subprocess
from decimal import Decimal

import pytest

from program import PROGRAM, ROOT, SECONDS_MAX, priced, query

COST = ROOT / "fixtures" / "demo" / "cost"
BOOK = ROOT / "fixtures" / "demo" / "book.toml"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return priced(COST, BOOK, "2026-10", tmp_path_factory.mktemp("demo") / "out")


def invoices(run, *options):
    command = [PROGRAM, "invoice", "aws", "--run", run.out, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)


def listed(run):
    ended = invoices(run, "--output", "json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def total_by_duckdb(run):
    """Net cost per invoice id and currency, straight from the cube."""
    rows = query(f"""SELECT nullif(bill_invoice_id, ''), line_item_currency_code, sum(net_unblended_cost)
                     FROM {run.cube} GROUP BY ALL""")
    return {(invoice, currency): Decimal(total) for invoice, currency, total in rows}


def test_the_invoices_and_the_rest_are_the_whole_month(demo):
    """Every line is on one invoice or on none yet; DuckDB sums the same."""
    rows = listed(demo)
    assert rows, "the demo month has invoices"
    shown = {(row["invoice_id"], row["currency"]): Decimal(row["total"]) for row in rows}
    assert len(shown) == len(rows), "an invoice is shown once per currency"
    assert shown == total_by_duckdb(demo)
    totals = demo.reconciliation["currencies"]
    for currency in {row["currency"] for row in rows}:
        of_currency = sum(Decimal(row["total"]) for row in rows if row["currency"] == currency)
        assert of_currency == Decimal(totals[currency]["cost_files_total"])
    for row in rows:
        parts = [Decimal(row[part]) for part in ("charges", "discounts", "credits", "refunds", "tax")]
        assert sum(parts) == Decimal(row["total"]), row


def test_an_invoice_says_what_kind_it_is(demo):
    for row in listed(demo):
        if row["invoice_id"] is None:
            assert row["kind"] == "NOT_INVOICED"
        else:
            assert row["kind"] != "UNKNOWN" and row["bill_type"], row


def test_csv_and_json_say_the_same(demo):
    ended = invoices(demo, "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert [{**row, "invoice_id": row["invoice_id"] or None, "seller": row["seller"] or None,
             "accounts": int(row["accounts"]), "lines": int(row["lines"])} for row in rows] == listed(demo)
    table = invoices(demo).stdout
    assert "before tax" in table and all((row["invoice_id"] or "not yet") in table for row in rows)


def summary(row, **changes):
    """An invoice as AWS's list has it, rounded as AWS rounds; the demo's monthly invoice carries a purchase and a refund."""
    cents = Decimal(row["total"]).quantize(Decimal("0.01"))
    before = (Decimal(row["total"]) - Decimal(row["tax"])).quantize(Decimal("0.01"))
    year, month = row["billing_period"].split("-")
    return {"InvoiceId": row["invoice_id"], "AccountId": "999999999999", "IssuedDate": "2026-11-03T00:00:00+00:00",
            "BillingPeriod": {"Month": int(month), "Year": int(year)},
            "Entity": {"BillingEntity": row["billing_entity"].upper().replace(" ", "_"),
                       "InvoicingEntity": row["invoicing_entity"]},
            "BillType": row["bill_type"].upper().split(", ")[0],
            "BaseCurrencyAmount": {"TotalAmount": str(cents), "TotalAmountBeforeTax": str(before),
                                   "CurrencyCode": row["currency"]}, **changes}


def numbered(run):
    return [row for row in listed(run) if row["invoice_id"]]


def written(path, summaries):
    path.write_text(json.dumps({"InvoiceSummaries": summaries}))
    return path


def test_a_list_that_agrees_leaves_nothing_to_say(demo, tmp_path):
    agreed = written(tmp_path / "list.json", [summary(row) for row in numbered(demo)])
    ended = invoices(demo, "--against", agreed)
    assert (ended.returncode, ended.stdout) == (0, "the cost files and the list agree\n"), ended.stderr
    rows = [{"InvoiceId": row["invoice_id"], "TotalAmount": row["total"], "CurrencyCode": row["currency"]}
            for row in numbered(demo)]
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert invoices(demo, "--against", path).returncode == 0


def test_every_difference_is_listed_and_the_exit_status_says_so(demo, tmp_path):
    first, *rest = numbered(demo)
    off = summary(first)
    off["BaseCurrencyAmount"]["TotalAmount"] = str(Decimal(off["BaseCurrencyAmount"]["TotalAmount"]) + 1)
    strange = summary(first, InvoiceId="STRANGE-1")
    path = written(tmp_path / "list.json", [off, strange])
    ended = invoices(demo, "--against", path, "--output", "json")
    assert ended.returncode == 3, ended.stderr
    found = {(row["invoice_id"], row["difference"]) for row in json.loads(ended.stdout)}
    missing = {(row["invoice_id"], "MISSING_IN_LIST") for row in rest}
    assert found == missing | {(first["invoice_id"], "TOTAL"), ("STRANGE-1", "MISSING_IN_COST_FILES")}
    assert invoices(demo, "--against", path, "--tolerance", "2", "--output", "json").returncode == 3


def test_a_list_is_read_as_the_import_reads_it(demo, tmp_path):
    """Content says whether it is CSV; receipts and tax invoices charge nothing; a list that is cut is told, and nothing is there twice."""
    rows = numbered(demo)
    tax = summary(rows[0], InvoiceId="TAX-1", CommercialInvoiceId=rows[0]["invoice_id"])
    paid = summary(rows[0], InvoiceId="PAID-1", InvoiceType="PAYMENT_RECEIPT")
    path = tmp_path / "list.txt"
    path.write_text("\n".join(json.dumps({"InvoiceSummaries": [of], "NextToken": "more"}) for of in [*map(summary, rows), tax, paid]))
    ended = invoices(demo, "--against", path)
    assert (ended.returncode, ended.stdout) == (0, "the cost files and the list agree\n"), ended.stderr
    assert "`NextToken`" in ended.stderr
    path.write_text("invoiceid,TOTALAMOUNT,CurrencyCode\n" + "".join(f"{row['invoice_id']},{row['total']},{row['currency']}\n" for row in rows))
    assert invoices(demo, "--against", path).returncode == 0
    path.write_text("InvoiceId,TotalAmount,totalamount,CurrencyCode\nA,1,2,USD\n")
    ended = invoices(demo, "--against", path)
    assert ended.returncode == 2 and f"error: {path}: column `totalamount` is there twice" in ended.stderr


def test_what_is_wrong_with_the_list_is_said_with_its_place(demo, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("InvoiceId,TotalAmount,CurrencyCode\nA,1.2.3,USD\n")
    ended = invoices(demo, "--against", path)
    assert ended.returncode == 2
    assert f"error: {path}:2: TotalAmount: `1.2.3` is not a decimal number" in ended.stderr
    ended = invoices(demo, "--against", tmp_path / "none.json")
    assert ended.returncode == 2 and "cannot be read" in ended.stderr
    ended = invoices(demo, "--against", path, "--tolerance", "-1")
    assert "--tolerance: `-1` is no amount of 0 or above" in ended.stderr or ended.returncode == 2
