"""Taking somebody out, whatever it is called: every row that names it loses the name and stays what it was for the program."""
import json
import sqlite3
import subprocess

import pytest

from desk import Desk, name
from policy_months import PolicyMonth
from program import PROGRAM
from purchasing import invoice, line, order, orders_client, own
from server import PREVIOUS, in_period
from smtp import MailServer
from test_issued_invoices import ACME, ALL, done, settle
from test_outbox import options


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


def traces(server, *names):
    """Where the database still says one of some names, by table and column."""
    left = set()
    with sqlite3.connect(server.data / "proforma.db", timeout=30) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = database.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in rows.description]
            left |= {(table, column) for row in rows for column, value in zip(columns, row)
                     if isinstance(value, str) and any(called.lower() in value.lower() for called in names)}
    return left


@pytest.fixture
def mailing(new_server):
    """A desk with a mail server; whoever is told something of an order is told it by it."""
    mail = MailServer().start()
    server = new_server(start=False)
    server.options = options(mail)
    yield server.start(), mail
    mail.stop()


def told(server, mail):
    """Has the desk tell what is due, and waits until all of it has come; how many mails that are."""
    own(server, "CheckNotices")
    queued = len(own(server, "ListMessages")["Messages"])
    assert queued and len(mail.wait(queued)) == queued
    return queued


def test_two_addresses_of_one_person_that_were_told_the_same(mailing):
    server, mail = mailing
    both = ["ann@a.example.com", "ann@b.example.com"]
    orders = orders_client(server)
    arn = orders.add_purchase_order(**order(line(Amount="100"), Contacts=[{"Name": "Ann", "Email": to} for to in both]))["PurchaseOrderArn"]
    own(server, "ImportInvoices", Invoices=[invoice(TotalAmount="95")])
    before = told(server, mail)
    gone = erased(server, "ANN@a.example.com", both[1], "Ann")["Replacement"]
    instead = [f"{gone}@erased.invalid", f"{gone}-2@erased.invalid"]
    assert {row["Recipient"] for row in own(server, "ListMessages")["Messages"]} == set(instead)
    contacts = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["Contacts"]
    assert contacts == [{"Name": gone, "Email": to} for to in instead]
    # The order is still one that may be changed, and nobody is told anything again.
    orders.update_purchase_order(PurchaseOrderArn=arn, Description="as it was")
    own(server, "CheckNotices")
    assert len(own(server, "ListMessages")["Messages"]) == before == len(mail.mails)
    assert verified(server) == (0, ""), verified(server)[1]


def test_a_name_that_is_an_orders_number_has_nothing_told_again(mailing):
    server, mail = mailing
    orders_client(server).add_purchase_order(**order(line(Amount="100"), PurchaseOrderId="Smith", Contacts=[{"Name": "Jo", "Email": "jo@example.com"}]))
    own(server, "ImportInvoices", Invoices=[invoice(TotalAmount="95", RequestedPurchaseOrderId="Smith")])
    before = told(server, mail)
    keys = lambda: sorted(row["Key"] for row in own(server, "ListMessages")["Messages"])
    told_before = keys()
    assert before == len(told_before) and any("Smith" in key for key in told_before)
    erased(server, "Smith")
    own(server, "CheckNotices")
    assert keys() == told_before
    assert verified(server) == (0, ""), verified(server)[1]


def test_who_has_approved_of_an_invoice_and_why(server):
    one = invoice()["InvoiceId"]
    own(server, "ImportInvoices", Invoices=[invoice(one)])
    keys = server.keys("erin.finance", "finance")
    own(server, "ApproveInvoice", keys, InvoiceId=one, Reason="after a call with Frank Miller")
    exported = own(server, "ExportPersonalData", Names=["erin.finance", "Frank Miller"])["Texts"]
    assert [text for text in exported if text["Table"] == "desk_settings" and "invoice" in text["Purpose"]], exported
    gone = erased(server, "erin.finance", "Frank Miller")["Replacement"]
    [found] = [row for row in own(server, "GetThreeWayMatch", MaxResults=100)["ThreeWayMatches"] if row["InvoiceId"] == one]
    assert (found["Approval"]["ApprovedBy"], found["Approval"]["Reason"]) == (gone, f"after a call with {gone}")
    assert own(server, "ExportPersonalData", Names=["erin.finance", "Frank Miller"]) == {"Principals": [], "Texts": [], "AuditEvents": []}


def test_what_is_said_of_a_billing_group(server):
    desk = Desk(server.client())
    plan = desk.plan(desk.rule(Description="as Gus Gray asked"), Description="for gus@example.com", Tags={"asked-by": "Gus Gray"})
    group = desk.group(plan=plan, Name=name("gus"), Tags={"owner": "gus@example.com", "Gus Gray": "x"}, Description="contact gus@example.com")
    exported = own(server, "ExportPersonalData", Names=["gus@example.com", "Gus Gray"])["Texts"]
    assert {(text["Table"], text["Column"]) for text in exported} >= {("resources", "tags"), ("settings", "body")}
    before = server.client().list_billing_groups()["BillingGroups"]
    gone = erased(server, "gus@example.com", "Gus Gray")["Replacement"]
    client, to = server.client(), f"{gone}@erased.invalid"
    # A tag has the key that it had, and the rest of a group is as it was.
    assert client.list_tags_for_resource(ResourceArn=group.arn)["Tags"] == {"owner": to, "Gus Gray": "x"}
    [after] = [row for row in client.list_billing_groups()["BillingGroups"] if row["Arn"] == group.arn]
    assert after == {row["Arn"]: row for row in before}[group.arn] | {"Description": f"contact {to}"}
    assert [row["Description"] for row in client.list_pricing_plans(Filters={"Arns": [plan]})["PricingPlans"]] == [f"for {to}"]
    assert gone in json.dumps(client.list_pricing_rules()["PricingRules"])
    client.update_billing_group(Arn=group.arn, Description="another")
    assert verified(server) == (0, ""), verified(server)[1]
    server.restart()
    assert server.client().list_tags_for_resource(ResourceArn=group.arn)["Tags"]["owner"] == to


def test_a_client_token_goes_with_whose_it_is(server):
    desk = Desk(server.client())
    one, other = desk.group(), desk.group()
    given = order(PurchaseOrderId=name("PO"), BillFrom=["Seller"], ClientToken="token-1")
    add = lambda keys: orders_client(server, keys).add_purchase_order(**given)["PurchaseOrderArn"]
    first = server.keys("dana.viewer", "group-viewer", [one.arn])
    arn = add(first)
    assert add(first) == arn, "a repetition is answered as the first time"
    erased(server, "dana.viewer")
    # Somebody else of that name is answered of its own group.
    second = server.keys("dana.viewer", "group-viewer", [other.arn])
    others = add(second)
    assert others != arn and other.arn.rsplit("/", 1)[1] in others
    assert add(second) == others
    if not server.database:
        assert not {table for table, _ in traces(server, "dana.viewer")} & {"client_tokens"}


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
    left = traces(server, "ann example", "ann@example", "carol.finance")
    # A client token's answer goes after some weeks.
    assert left - {("client_tokens", "outcome")} == {("issued_invoices", "document")}, left
    assert done(server.own("GetInvoice", {"InvoiceNumber": number}))["Document"] == document["Document"]
    assert verified(server) == (0, ""), verified(server)[1]
    with sqlite3.connect(server.data / "proforma.db", timeout=30) as database:
        database.execute("UPDATE invoice_settings SET body = '{' WHERE billing_group = ''")
    code, said = verified(server)
    assert code == 2 and "the invoice settings of all billing groups" in said, said
