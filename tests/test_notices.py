"""Notices of purchase orders: who is told what, once, and nobody else."""
import json
import subprocess
import time

import pytest

from desk import Desk
from program import PROGRAM
from purchasing import invoice, line, order, summary
from server import Server
from smtp import MailServer, Receiver
from test_outbox import options

CFO = "cfo@example.com"


@pytest.fixture
def mail():
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def server(new_server, mail):
    """A server of its own for each test: what one is told would be told in another."""
    return new_server(transfers=False, options=options(mail))


def told(server, **settings):
    answer = server.own("UpdateNotificationSettings", settings)
    assert answer.status == 200, answer.body


# The messages that a test has counted, by data directory: the server looks at the orders every minute, too.
COUNTED = {}


def check(server):
    """How many messages there are after a look at the orders that were not there after the one before."""
    server.command("notify", "check")
    counted = COUNTED.setdefault(server.data, set())
    new = {row["MessageId"] for row in queued(server)} - counted
    counted |= new
    return len(new)


def told_just_now(server):
    """How many messages a look at the orders makes that is made now, whatever others have made."""
    return json.loads(server.command("notify", "check", "--output", "json"))["MessageCount"]


def take_in(server, *invoices):
    answer = server.own("ImportInvoices", {"Invoices": list(invoices)})
    assert answer.status == 200, answer.body


def add(server, *lines, contact=None, **more):
    contacts = [{"Name": "Ann", "Email": contact}] if contact else None
    return orders(server, "AddPurchaseOrder", **order(*lines, Contacts=contacts, **more))["PurchaseOrderId"]


def orders(server, operation, **given):
    """The answer of an operation of purchase orders, which must succeed."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"PurchaseOrders.{operation}"}
    answer = server.ask("POST", "/", json.dumps(given).encode(), headers=headers, service="purchase-orders")
    assert answer.status == 200, answer.body
    return answer.json


def on(day):
    return f"2026-11-{day:02d}T00:00:00Z"


def subjects(mail, recipient):
    return sorted(came.message["Subject"] for came in mail.mails if recipient in came.recipients)


def queued(server, kind=None):
    return [row for row in server.own("ListMessages").json["Messages"] if kind in (None, row["Kind"])]


def settled(server, seconds=30):
    """Waits until nothing is left to be sent."""
    end = time.monotonic() + seconds
    while [row for row in queued(server) if row["State"] in ("QUEUED", "SENDING")]:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_balance_that_falls_is_told_once_per_crossing(server, mail):
    receiver = Receiver()
    told(server, Emails=[CFO], Webhooks=[receiver.url])
    ours = add(server, line(Amount="1000"), contact="ann@example.com", BillFrom=["ONE"], PurchaseOrderId="PO-7")
    add(server, line(Amount="1000"), contact="bob@example.com", BillFrom=["TWO"])
    assert check(server) == 0
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="800", IssuedDate=on(1)))
    # 20 % is left: one step has crossed 75 and 25, and the lower one says it all, to three recipients.
    assert check(server) == 3 and check(server) == 0
    settled(server)
    assert subjects(mail, "ann@example.com") == subjects(mail, CFO) == [f"Purchase order {ours}: line 1 is below 25 %"]
    # Each mail has one recipient, and the contacts of another order have none.
    assert {came.recipients for came in mail.mails} == {("ann@example.com",), (CFO,)}
    requests = receiver.wait(1)
    assert {request.json["key"] for request in requests} == {"payer/PO-7/line:1/balance:25/1"}
    facts = {fact["name"]: fact["value"] for fact in requests[0].json["facts"]}
    assert (facts["Purchase order"], facts["Balance"], facts["Value of the line"], facts["Line"]) == ("PO-7", "200 USD", "1000 USD", "1")
    # The balance rises above 25 % and falls below it again.
    take_in(server, invoice("INV-2", BillFrom="ONE", Kind="CREDIT_MEMO", TotalAmount="500", OriginalInvoiceId="INV-1", IssuedDate=on(2)))
    assert check(server) == 0
    take_in(server, invoice("INV-3", BillFrom="ONE", TotalAmount="600", IssuedDate=on(3)))
    assert check(server) == 3
    settled(server)
    assert "payer/PO-7/line:1/balance:25/2" in {request.json["key"] for request in receiver.requests}
    # Used up, and out of balance.
    take_in(server, invoice("INV-4", BillFrom="ONE", TotalAmount="150", IssuedDate=on(4)))
    assert check(server) == 6
    settled(server)
    said = subjects(mail, "ann@example.com")
    assert f"Purchase order {ours}: line 1 is used up" in said and f"Purchase order {ours}: invoice INV-4 is out of balance" in said
    assert subjects(mail, "bob@example.com") == []
    receiver.stop()


def test_an_expiry_is_told_ahead_and_after_a_restart(server, mail):
    ours = add(server, line(StartMonth="2026-01", EndMonth="2026-11"), contact="ann@example.com", ExpirationMonth="2026-11")
    assert told_just_now(server) == 0
    # The server is away on the day, and tells of it when it is back; no command asks it to.
    for moment, said in [("2026-11-24T08:00:00Z", f"Purchase order {ours} expires in seven days"), ("2026-12-02T08:00:00Z", f"Purchase order {ours} expires today")]:
        before = len(mail.mails)
        server.now = moment
        server.restart()
        mail.wait(before + 1)
        assert mail.mails[-1].message["Subject"] == said and mail.mails[-1].recipients == ("ann@example.com",)
        server.restart()
        assert told_just_now(server) == 0
        settled(server)
        assert len(mail.mails) == before + 1
    assert "2026-11" in mail.mails[-1].text


def test_an_invoice_without_an_order_is_told_to_the_payer(server, mail):
    told(server, Emails=[CFO])
    add(server, contact="ann@example.com", BillFrom=["ONE"])
    take_in(server, invoice("INV-9", BillFrom="NOBODY"))
    assert check(server) >= 1
    settled(server)
    assert "Invoice INV-9 has no purchase order" in subjects(mail, CFO) and subjects(mail, "ann@example.com") == []
    one, = [row for row in queued(server, "invoice-without-purchase-order")]
    assert one["Recipient"] == CFO
    came, = [came for came in mail.mails if came.message["Subject"] == "Invoice INV-9 has no purchase order"]
    assert "has found no purchase order: none was for its seller" in came.text
    # And that one is needed next month, by the same invoice; muted, nobody is told.
    told(server, Muted=["invoice-without-purchase-order", "purchase-order-needed"])
    take_in(server, invoice("INV-10", BillFrom="NOBODY"))
    assert check(server) == 0


def test_what_people_write_is_neutralised(server, mail):
    evil = "<script>alert(1)</script><img src=x onerror=\"y\"> & 'z'"
    add(server, line(Amount="100", Description=evil), contact="ann@example.com", BillFrom=["ONE"], Description=evil)
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="50", IssuedDate=on(1)))
    assert check(server) == 1
    came, = mail.wait(1)
    assert evil in came.text.replace("\n", " ") or evil in came.text
    for bad in ("<script", "<img", "onerror=\"y\""):
        assert bad not in came.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;y&quot;&gt; &amp; &#39;z&#39;" in came.html
    assert came.message["Subject"].count("\n") == 0 and came.recipients == ("ann@example.com",)


def test_a_customers_order_is_told_to_its_own_contacts(server, mail):
    desk = Desk(server.client())
    one, two = desk.group(), desk.group()
    for group, contact in ((one, "one@example.com"), (two, "two@example.com")):
        add(server, line(Amount="1000"), contact=contact, BillFrom=["OPERATOR"], BillingGroupArn=group.arn, PurchaseOrderId="SAME")
    take_in(server, invoice("INV-1", BillFrom="OPERATOR", TotalAmount="500", BillingGroupArn=one.arn, IssuedDate=on(1)))
    assert check(server) == 1
    settled(server)
    came, = mail.mails
    assert came.recipients == ("one@example.com",) and one.id in came.text and two.id not in came.text


def test_thresholds_and_contacts_are_settings(server, mail):
    told(server, BalancePercent=[50, 0], ToContacts=False, Emails=[CFO])
    add(server, line(Amount="1000"), contact="ann@example.com", BillFrom=["ONE"])
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="400", IssuedDate=on(1)))
    assert check(server) == 0
    take_in(server, invoice("INV-2", BillFrom="ONE", TotalAmount="200", IssuedDate=on(2)))
    assert check(server) == 1
    settled(server)
    assert [came.recipients for came in mail.mails] == [(CFO,)]


def test_an_order_that_has_expired_is_not_told_of_its_balance(server, mail):
    old = order(line(StartMonth="2025-01", EndMonth="2025-12", Amount="1000"), EffectiveMonth="2025-01", ExpirationMonth="2025-12", BillFrom=["ONE"],
                Contacts=[{"Name": "Ann", "Email": "ann@example.com"}])
    answer = server.own("ImportPurchaseOrders", {"PurchaseOrders": [old | {"UpdatedAt": "2025-01-02T00:00:00Z"}]})
    assert answer.status == 200, answer.body
    take_in(server, invoice("INV-1", BillFrom="ONE", BillingPeriod="2025-11", TotalAmount="950", IssuedDate="2025-12-03T00:00:00Z"))
    assert server.own("GetInvoiceMatch", {"InvoiceId": "INV-1"}).json["InvoiceMatch"]["PurchaseOrderId"] == old["PurchaseOrderId"]
    assert check(server) == 0 and queued(server) == []


def test_an_invoice_that_comes_again_is_no_further_crossing(server, mail):
    add(server, line(Amount="1000"), contact="ann@example.com", BillFrom=["ONE"])
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="400", IssuedDate=on(1)))
    assert check(server) == 1
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="400", IssuedDate=on(1), DueDate="2026-12-24T00:00:00Z"))
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="450", IssuedDate=on(1)))
    assert check(server) == 0
    # What is given back is: the balance rises above the threshold, and falls once more.
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="100", IssuedDate=on(1)))
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="400", IssuedDate=on(1)))
    assert check(server) == 1


def test_one_order_is_in_the_way_of_no_other(server, mail):
    far = add(server, line(EndMonth="9999-12", Amount="900000000000000"), BillFrom=["ONE"], ExpirationMonth="9999-12")
    add(server, line(Amount="1000"), contact="ann@example.com", BillFrom=["TWO"])
    take_in(server, *(invoice(f"INV-{month}", BillFrom="ONE", TotalAmount="100000000000", BillingPeriod=f"2026-{month:02d}") for month in (8, 9, 10)),
            invoice("INV-1", BillFrom="TWO", TotalAmount="900"))
    assert check(server) == 1
    arn = f"arn:aws:purchase-orders::999999999999:purchase-order/{far}"
    answer = server.own("GetPurchaseOrderForecast", {"PurchaseOrderArn": arn})
    assert answer.status == 200 and answer.json["LineItems"][0]["MonthlyRate"] == "100000000000", answer.body


def test_what_does_not_hold_any_more_is_not_sent(new_server, mail):
    """There was no mail server for a while; when there is one, what has changed by then is not told."""
    server = new_server(start=False, options=[])
    server.start()
    ours = add(server, line(Amount="1000"), contact="ann@example.com", BillFrom=["ONE"], PurchaseOrderId="PO-7")
    add(server, line(Amount="1000"), contact="bob@example.com", BillFrom=["TWO"], PurchaseOrderId="PO-8")
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="800", IssuedDate=on(1)), invoice("INV-2", BillFrom="TWO", TotalAmount="800", IssuedDate=on(1)))
    assert check(server) == 2
    take_in(server, invoice("MEMO-1", BillFrom="ONE", Kind="CREDIT_MEMO", TotalAmount="800", OriginalInvoiceId="INV-1", IssuedDate=on(2)))
    server.stop()
    server.options = options(mail)
    server.start()
    settled(server)
    assert [came.recipients for came in mail.mails] == [("bob@example.com",)]
    old, = [row for row in queued(server) if row["Recipient"] == "ann@example.com"]
    assert old["State"] == "EXPIRED" and "does not hold any more" in old["LastError"]
    # Should the balance fall once more, that is news.
    take_in(server, invoice("INV-3", BillFrom="ONE", TotalAmount="800", IssuedDate=on(3)))
    assert check(server) == 1
    settled(server)
    assert subjects(mail, "ann@example.com") == [f"Purchase order {ours}: line 1 is below 25 %"]


def test_what_was_withdrawn_and_holds_again_is_sent_once(new_server, mail):
    """The balance falls, is raised and falls once more before a mail server is there: by a clock that stands both are the same news."""
    server = new_server(start=False, options=[])
    server.start()
    told(server, Emails=[CFO])
    add(server, line(Amount="100"), PurchaseOrderId="PO-7")
    take_in(server, invoice("INV-1", TotalAmount="95"))
    assert check(server) == 1
    orders(server, "UpdatePurchaseOrder", PurchaseOrderArn="PO-7", LineItems=[line(Amount="1000")])
    server.stop()
    server.options = options(mail)
    server.start()
    settled(server)
    old, = queued(server)
    assert old["State"] == "EXPIRED" and mail.mails == []
    orders(server, "UpdatePurchaseOrder", PurchaseOrderArn="PO-7", LineItems=[line(Amount="100")])
    assert check(server) == 1
    settled(server)
    new, = [row for row in queued(server) if row["MessageId"] != old["MessageId"]]
    refused = server.own("RetryMessages", {"MessageIds": [old["MessageId"]]})
    assert refused.status == 400 and f"queued anew as message `{new['MessageId']}`" in refused.json["Message"], refused.body
    time.sleep(2)
    assert subjects(mail, CFO) == ["Purchase order PO-7: line 1 is below 10 %"]


def test_names_with_a_bar_are_told_of(server, mail):
    """What sets the parts of a key apart may stand in the names of people's own making."""
    receiver = Receiver()
    told(server, Emails=[CFO], Webhooks=[receiver.url])
    add(server, line(Amount="100"), BillFrom=["ONE"])
    take_in(server, invoice("I|2", BillFrom="ONE", TotalAmount="195"), invoice("I|3|email", BillFrom="ACME | Cloud"))
    check(server)
    settled(server)
    assert {row["State"] for row in queued(server)} == {"SENT"}, queued(server)
    said = subjects(mail, CFO)
    assert any("invoice I|2 is out of balance" in title for title in said) and "Invoice I|3|email has no purchase order" in said, said
    keys = {request.json["key"] for request in receiver.wait(len(said))}
    assert any("I|3|email" in key for key in keys) and all("|webhook|" not in key for key in keys), keys
    before = len(queued(server))
    assert check(server) == 0 and len(queued(server)) == before
    receiver.stop()


def test_who_is_narrowed_to_some_orders_has_no_news_of_all(server):
    finance = server.keys("narrowed", "finance")
    told(server, Emails=[CFO])
    red = add(server, line(Amount="150"), contact="red@example.com", BillFrom=["AWS_INC"], Tags={"team": "red"})
    listed = [summary("I-7"), summary("I-8", PurchaseOrderNumber=red, InvoiceType="CREDIT_MEMO")]
    answer = server.own("ImportInvoiceSummaries", {"Summaries": json.dumps(listed)})
    assert answer.status == 200 and answer.json["MatchedCount"] == 1, answer.body
    assert check(server) >= 1

    def numbers(keys=None):
        client = server.client(keys, service="invoicing") if keys else server.client(service="invoicing")
        found = client.list_invoice_summaries(Selector={"ResourceType": "ACCOUNT_ID", "Value": "999999999999"})["InvoiceSummaries"]
        return {row["InvoiceId"]: row.get("PurchaseOrderNumber") for row in found}

    assert numbers() == numbers(finance) == {"I-7": red, "I-8": red}
    asked = {"ListMessages": {}, "GetNotificationSettings": {}, "UpdateNotificationSettings": {"Emails": ["nar@example.com"]}, "CheckNotices": {},
             "RetryMessages": {"MessageIds": [queued(server)[0]["MessageId"]]}, "DropMessages": {"MessageIds": [queued(server)[0]["MessageId"]]}}
    for tag, is_seen in (("blue", False), ("red", True)):
        server.command("po", "limit", finance.principal, "--action", "ViewPurchaseOrders", "--tag", f"team={tag}")
        for operation, given in asked.items():
            assert server.own(operation, given, finance).status == 403, operation
        assert numbers(finance) == ({"I-7": red, "I-8": red} if is_seen else {"I-7": None, "I-8": None})
    server.command("po", "limit", finance.principal, "--action", "AddPurchaseOrder")
    assert numbers(finance) == {"I-7": None, "I-8": None}, "it may not list the invoices of orders at all"
    server.command("po", "limit", finance.principal, "--none")
    assert server.own("ListMessages", {}, finance).json["Messages"] and server.own("CheckNotices", {}, finance).status == 200
    assert numbers(finance) == {"I-7": red, "I-8": red}


def test_several_servers_tell_once(cluster, tmp_path, mail):
    one = Server(tmp_path / "data", cluster.database(), options=options(mail)).init().start()
    (tmp_path / "again").symlink_to(tmp_path / "data")
    two = Server(tmp_path / "again", one.database, root=one.root, options=options(mail))
    try:
        for number in range(12):
            add(one, line(EndMonth="2026-11"), contact=f"a{number}@example.com", ExpirationMonth="2026-11")
        one.stop()
        one.now = two.now = "2026-11-25T00:00:00Z"
        one.start()
        two.start()
        mail.wait(12)
        assert told_just_now(one) == told_just_now(two) == 0
        time.sleep(3)
        assert sorted(came.recipients for came in mail.mails) == sorted((f"a{number}@example.com",) for number in range(12))
    finally:
        one.stop()
        two.stop()


def test_a_contact_that_is_taken_out_is_told_nothing(server, mail):
    ours = add(server, line(Amount="1000"), contact="ann@example.com", BillFrom=["ONE"])
    orders(server, "UpdatePurchaseOrder", PurchaseOrderArn=ours, Description="changed")
    kept = json.loads(server.command("privacy", "export", "ann@example.com", "--output", "json"))
    assert len([text for text in kept["Texts"] if text["Table"] == "purchase_order_revisions"]) == 2
    gone = json.loads(server.command("privacy", "erase", "ann@example.com", "--output", "json"))
    take_in(server, invoice("INV-1", BillFrom="ONE", TotalAmount="900", IssuedDate=on(1)))
    assert check(server) == 0 and mail.mails == []
    contacts = orders(server, "GetPurchaseOrder", PurchaseOrderArn=ours)["PurchaseOrder"]["Contacts"]
    assert [contact["Email"] for contact in contacts] == [f"{gone['Replacement']}@erased.invalid"]
    ended = subprocess.run([PROGRAM, "verify", *server.stored], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(server.command("privacy", "export", "ann@example.com", "--output", "json"))["Texts"] == []
