"""Taking somebody out, whatever it is called: every row that names it loses the name and stays what it was for the program."""
import json
import sqlite3
import subprocess

import pytest

from desk import Desk
from policy_months import PolicyMonth
from program import PROGRAM
from purchasing import order, orders_client
from server import PREVIOUS, in_period
from test_issued_invoices import ACME, ALL, done, settle


def verified(server):
    ended = subprocess.run([PROGRAM, "verify", *server.stored], capture_output=True, text=True, timeout=120)
    return ended.returncode, ended.stderr


def erased(server, *names):
    return done(server.own("ErasePersonalData", {"Names": list(names)}))


@pytest.fixture(scope="module")
def server(new_server):
    return new_server(transfers=False)


def test_an_order_stays_an_order_whatever_its_contact_is_called(server):
    orders = orders_client(server)
    given = order(Contacts=[{"Name": 'Ann "Annie"', "Email": "annie@example.com"}], Description="Dear\nJoe All,\tthank you")
    arn = orders.add_purchase_order(**given)["PurchaseOrderArn"]
    before = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    settle(server, {**ALL, "seller": {**ALL["seller"], "contact": {"name": 'Ann "Annie"', "email": "annie@example.com"}}, "notes": ["Dear\nJoe All"]})
    exported = done(server.own("ExportPersonalData", {"Names": ["Joe All"]}))["Texts"]
    assert {text["Table"] for text in exported} >= {"purchase_order_revisions", "invoice_settings"}, "after a line's end, too"
    gone = erased(server, 'Ann "Annie"', "annie@example.com", "Joe All")["Replacement"]
    after = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    assert after["Contacts"] == [{"Name": gone, "Email": f"{gone}@erased.invalid"}] and after["Description"] == f"Dear\n{gone},\tthank you"
    same = lambda row: {key: value for key, value in row.items() if key not in ("Contacts", "Description")}
    assert same(after) == same(before)
    kept = json.loads(done(server.own("GetInvoiceSettings"))["Versions"][-1]["Settings"])
    assert kept["seller"]["contact"] == {"name": gone, "email": f"{gone}@erased.invalid"} and kept["notes"] == [f"Dear\n{gone}"]
    assert verified(server) == (0, ""), verified(server)[1]


@pytest.mark.parametrize("called", ["Name", "City", "USD", "All", "ALL", "AWS_INC", "line", "currency", "bill_from", "2026-01", "S", "VAT", "entries"])
def test_words_of_the_program_are_nobody(server, called):
    if len(called) < 2 or not any(letter.isalpha() for letter in called):
        assert server.own("ErasePersonalData", {"Names": [called]}).status == 400
        return
    orders = orders_client(server)
    arn = orders.add_purchase_order(**order(Contacts=[{"Name": f"X {called}", "Email": "x@example.com"}]))["PurchaseOrderArn"]
    before = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    gone = erased(server, called)["Replacement"]
    after = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    assert after["Contacts"][0]["Name"] == f"X {gone}"
    assert after | {"Contacts": 0} == before | {"Contacts": 0}
    assert len(orders.list_purchase_orders()["PurchaseOrders"]) > 0
    assert verified(server) == (0, ""), verified(server)[1]


def test_a_principal_is_found_whatever_the_case(server):
    keys = server.keys("bob.smith", "payer-admin")
    assert server.call("ListBillingGroups", keys=keys).status == 200
    exported = done(server.own("ExportPersonalData", {"Names": ["Bob.Smith"]}))
    assert [row["PrincipalName"] for row in exported["Principals"]] == ["bob.smith"]
    assert erased(server, "Bob.Smith")["Principals"] == 1
    assert server.call("ListBillingGroups", keys=keys).status == 403
    assert "bob.smith" not in server.command("keys", "list", "--output", "json")
    assert verified(server) == (0, ""), verified(server)[1]


def test_a_name_of_two_letters(server):
    orders = orders_client(server)
    arn = orders.add_purchase_order(**order(Contacts=[{"Name": "Wu", "Email": "x@example.com"}], Description="for Wu of Wuhan, wu"))["PurchaseOrderArn"]
    gone = erased(server, "Wu")["Replacement"]
    found = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    assert (found["Contacts"][0]["Name"], found["Description"]) == (gone, f"for {gone} of Wuhan, wu")


def test_nothing_is_left_of_somebody_but_issued_documents(new_server, tmp_path):
    server = new_server(transfers=False)
    if server.database:
        pytest.skip("the rows of SQLite are at hand")
    desk = Desk(in_period(server.client(), PREVIOUS))
    group, month = desk.group(plan=desk.plan(desk.rule(ModifierPercentage=10)), Name="acme"), PolicyMonth()
    month.line(group.primary, cost="100", service="AmazonEC2")
    server.load(month.write(tmp_path / "cost"))
    settle(server, ALL)
    settle(server, ACME, group.arn)
    done(server.own("ClosePeriod", {"BillingPeriod": PREVIOUS}))
    keys = server.keys("carol.finance", "finance")
    own = lambda operation, **given: done(server.own(operation, given, keys=keys))
    drafted = own("DraftInvoice", BillingGroup=group.arn, BillingPeriod=PREVIOUS, Notes=["Contact Ann Example"])["DraftIds"][0]
    number = own("IssueInvoice", DraftId=drafted)["InvoiceNumber"]
    own("RecordPayment", InvoiceNumber=number, Amount="10", Reference="transfer of Ann Example")
    done(server.own("PutInvoiceProfile", {"AccountId": "123456789012", "ReceiverName": "Ann Example", "ReceiverEmail": "ann@example.com"}))
    server.client(service="invoicing").create_invoice_unit(
        Name="Ann Example unit", InvoiceReceiver="123456789012", Rule={"LinkedAccounts": ["123456789012"]}, Description="for Ann Example",
        ResourceTags=[{"Key": "owner", "Value": "Ann Example"}])
    orders_client(server).add_purchase_order(**order(Description="Ann Example asked", Tags={"owner": "Ann Example"}))
    server.command("schedule", "set", group.arn, "--policy", "automatic", "--email", "ann@example.com")
    document = done(server.own("GetInvoice", {"InvoiceNumber": number}))
    erased(server, "Ann Example", "ann@example.com", "carol.finance")
    left = set()
    with sqlite3.connect(server.data / "proforma.db") as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = database.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in rows.description]
            left |= {(table, column) for row in rows for column, value in zip(columns, row)
                     if isinstance(value, str) and any(name in value.lower() for name in ("ann example", "ann@example", "carol.finance"))}
    # A client token's answer goes after some weeks.
    assert left - {("client_tokens", "outcome")} == {("issued_invoices", "document")}, left
    assert done(server.own("GetInvoice", {"InvoiceNumber": number}))["Document"] == document["Document"]
    assert verified(server) == (0, ""), verified(server)[1]
    with sqlite3.connect(server.data / "proforma.db", timeout=30) as database:
        database.execute("UPDATE invoice_settings SET body = '{' WHERE billing_group = ''")
    code, said = verified(server)
    assert code == 2 and "the invoice settings of all billing groups" in said, said
