"""What orders, balances, issued documents and payments say: whatever of it is changed or taken away is found by `proforma verify`, which names it."""
import hashlib
import sqlite3

import pytest

import test_bit_rot
from desk import Desk
from policy_months import PolicyMonth
from purchasing import invoice, line, order, orders_client, own
from server import PREVIOUS, Server, in_period
from test_issued_invoices import ACME, ALL, settle
from test_keeping import told


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A stopped server: three documents, one of them a credit note, two payments, and an order of which an invoice was moved and came again."""
    folder = tmp_path_factory.mktemp("books").resolve()
    server = Server(folder / "data").init().start()
    desk, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    groups = [desk.group(plan=plan) for _ in range(2)]
    for group in groups:
        month.line(group.primary, cost="100", service="AmazonEC2")
    server.load(month.write(folder / "cost"))
    settle(server, ALL)
    for group in groups:
        settle(server, ACME, group.arn)
    server.command("close", PREVIOUS)
    issued = lambda group: own(server, "IssueInvoice", DraftId=own(server, "DraftInvoice", BillingGroup=group.arn, BillingPeriod=PREVIOUS)["DraftIds"][0])
    first = issued(groups[0])["InvoiceNumber"]
    for amount in ("10", "20"):
        own(server, "RecordPayment", InvoiceNumber=first, Amount=amount, Reference="transfer")
    own(server, "CreditInvoice", InvoiceNumber=first)
    issued(groups[1])
    orders_client(server).add_purchase_order(**order(line(Amount="1000"), PurchaseOrderId="PO-1"))
    own(server, "ImportInvoices", Invoices=[invoice("I1"), invoice("I2")])
    own(server, "ImportInvoices", Invoices=[invoice("I2", TotalAmount="120")])
    server.stop()
    # What is left in the log goes into the pages.
    with sqlite3.connect(server.data / "proforma.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert told(server, "verify").returncode == 0, told(server, "verify").stderr
    return server


def assert_found(server, *given):
    """Some changes of the database that `verify` finds and names; they are taken back."""
    *before, statement, named = given
    path = server.data / "proforma.db"
    kept = path.read_bytes()
    database = sqlite3.connect(path)
    with database:
        for one in before:
            database.execute(one)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    test_bit_rot.assert_found(server, statement, named)
    path.write_bytes(kept)


def hashed(*parts):
    """The hash of a row's parts, each with its length."""
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in (str(part).encode() for part in parts))).hexdigest()


@pytest.mark.parametrize("change", ["used = '1'", "used = NULL", "flags = '[\"HELD\"]'", "how = 'moved'", "recorded_at_s = recorded_at_s + 1",
                                    "order_revision = order_revision + 1", "invoice_revision = 1", "trace = '{}'", "row_hash = 'x'"])
def test_a_changed_decision_is_found(server, change):
    assert_found(server, f"UPDATE invoice_associations SET {change} WHERE invoice = 'I2' AND sequence = 2", "association of invoice `I2`, number 2")


def test_a_decision_an_invoice_or_a_revision_that_is_gone_is_found(server):
    for statement, named in [("DELETE FROM invoice_associations WHERE invoice = 'I2'", "a decision of invoice `I2` is gone"),
                             ("DELETE FROM invoice_associations WHERE invoice = 'I2' AND sequence = 1", "a decision of invoice `I2` is gone"),
                             ("DELETE FROM matched_invoices WHERE invoice = 'I1'", "what was known of invoice `I1` is gone"),
                             ("DELETE FROM matched_invoices WHERE invoice = 'I2' AND revision = 2", "what was known of invoice `I2` is gone"),
                             ("DELETE FROM matched_invoices WHERE source = 'issued'", "what was known of invoice `INV-"),
                             ("UPDATE purchase_orders SET revision = 2", "a revision of purchase order `PO-1` is gone")]:
        assert_found(server, statement, named)


# Who has issued it may be taken out of a document's row, and its text has a hash of its own.
@pytest.mark.parametrize("change", ["billing_group = 'x'", "period = '2026-09'", "residue = '5'", "charged_in = 'EUR'", "run = 'x'", "series_count = 9",
                                    "series = 'X-{number}'", "place = 77", "issued_on = '2020-01-01'", "issued_at_ms = 1", "row_hash = 'x'", "page_sha256 = NULL"])
def test_a_changed_document_is_found(server, change):
    assert_found(server, f"UPDATE issued_invoices SET {change} WHERE place = 3", "document `INV-2026-0002`")


def test_a_document_that_is_gone_is_found(server):
    """Its number would be given again. Who takes it away takes what hangs on it, too; the audit still knows."""
    without = ["DELETE FROM issued_pages", "DELETE FROM invoice_payments", "UPDATE invoice_drafts SET state = 'open', invoice = NULL"]
    gone = "DELETE FROM issued_invoices WHERE place = {}".format
    renamed = "UPDATE issued_invoices SET number = 'INV-2026-0099' WHERE place = 3"
    assert_found(server, *without, gone(3), "document `INV-2026-0002` was issued and is gone")
    assert_found(server, *without, gone(2), "the document in place 2 is gone, before `INV-2026-0002`")
    assert_found(server, "DELETE FROM audit", gone(3), "document `INV-2026-0002` was issued and is gone")
    assert_found(server, renamed, "what is recorded of document `INV-2026-0099`")
    assert_found(server, "UPDATE issued_invoices SET row_hash = NULL", renamed, "what is recorded as `INV-2026-0099` of")
    assert_found(server, "UPDATE issued_invoices SET row_hash = NULL", "UPDATE issued_invoices SET series_count = 5 WHERE place = 3",
                 "`INV-2026-0002` does not follow `INV-2026-0001`")
    assert_found(server, "UPDATE issued_invoices SET document = replace(document, 'Acme', 'Bcme') WHERE place = 3",
                 "`INV-2026-0002` is not the one that was issued")


def test_a_changed_page_or_payment_is_found(server):
    assert_found(server, "DELETE FROM issued_pages WHERE invoice = 'INV-2026-0002'", "the page of document `INV-2026-0002`")
    other = "(SELECT {0} FROM issued_pages other WHERE other.invoice <> issued_pages.invoice)"
    swapped = ", ".join(f"{column} = {other.format(column)}" for column in ("pdf", "sha256"))
    assert_found(server, f"UPDATE issued_pages SET {swapped} WHERE invoice = 'INV-2026-0002'", "the page of document `INV-2026-0002`")
    for change in ("amount = '9999'", "paid_on = '2020-01-01'", "recorded_at_s = 1", "row_hash = 'x'"):
        assert_found(server, f"UPDATE invoice_payments SET {change} WHERE number = 2", "payment 2 of invoice `INV-2026-0001`")
    for which in ("number = 1", "number = 2", "number > 0"):
        assert_found(server, f"DELETE FROM invoice_payments WHERE {which}", "of invoice `INV-2026-0001` 2 payments were recorded")


def test_a_desk_of_before_is_verified_by_what_it_has(server):
    """Rows of the schema before have no hash, or one of less: what is there is still looked at, and nothing else is missed."""
    path = server.data / "proforma.db"
    kept = path.read_bytes()
    database = sqlite3.connect(path)
    with database:
        for statement in ("ALTER TABLE issued_invoices DROP COLUMN page_sha256", "ALTER TABLE issued_invoices DROP COLUMN row_hash",
                          "ALTER TABLE invoice_payments DROP COLUMN row_hash", "DELETE FROM _sqlx_migrations WHERE version = 11",
                          "INSERT INTO client_tokens SELECT payer, 'purchase-orders:AddPurchaseOrder dana.viewer', 'token', '', '', 1 FROM payers"):
            database.execute(statement)
        for row in database.execute("SELECT rowid, purchase_order || ' ' || line || ' ' || trace, payer, buyer, invoice, sequence FROM invoice_associations "
                                    "WHERE purchase_order IS NOT NULL").fetchall():
            database.execute("UPDATE invoice_associations SET row_hash = ? WHERE rowid = ?", (hashed(*row[2:], row[1]), row[0]))
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    migrated = told(server, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    verified = told(server, "verify")
    assert verified.returncode == 0, verified.stderr
    with sqlite3.connect(path) as database:
        assert not database.execute("SELECT * FROM client_tokens WHERE operation LIKE '% %'").fetchall(), "they named whose they were"
    assert_found(server, "UPDATE issued_invoices SET issued_on = '2020-01-01' WHERE place = 3", "what is recorded as `INV-2026-0002` of 2020-01-01")
    assert_found(server, "UPDATE invoice_associations SET line = '2' WHERE invoice = 'I1'", "association of invoice `I1`, number 1")
    path.write_bytes(kept)
