"""Schedules of invoices: what goes out by itself after a close, what waits for approval, what is caught up, and once."""
import base64
import io
import json
import time
from types import SimpleNamespace

import pypdf
import pytest

from desk import Desk
from policy_months import PolicyMonth
from server import PREVIOUS, in_period
from smtp import MailServer
from test_issued_invoices import ACME, ALL, done, settle
from test_outbox import options

CFO = "cfo@example.com"


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Four customers whose October is closed while no server looks at schedules: one by itself, one after approval, one by hand, one without settings."""
    mail = MailServer().start()
    server = new_server(options=options(mail))
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    groups = SimpleNamespace(**{name: desk.group(plan=plan, Name=name) for name in ("automatic", "approval", "manual", "unsettled")})
    month = PolicyMonth()
    for group in vars(groups).values():
        month.line(group.primary, cost="100", service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("schedule") / "cost"))
    for group in (groups.automatic, groups.approval, groups.manual):
        settle(server, ALL | ACME, group.arn)
    server.own("UpdateNotificationSettings", {"Emails": [CFO]})
    server.command("schedule", "set", groups.automatic.arn, "--policy", "automatic", "--first", PREVIOUS, "--email", "ap@automatic.example")
    server.command("schedule", "set", groups.approval.arn, "--policy", "after-approval", "--first", PREVIOUS, "--email", "ap@approval.example")
    server.command("schedule", "set", groups.unsettled.arn, "--policy", "automatic", "--first", PREVIOUS, "--email", "ap@unsettled.example")
    server.command("close", PREVIOUS)
    # A server that was away takes up what is due when it is back.
    server.restart()
    yield SimpleNamespace(server=server, mail=mail, **vars(groups))
    mail.stop()


def steps(world):
    listed = json.loads(world.server.command("schedule", "list", "--output", "json"))["Steps"]
    return {row["BillingGroupArn"]: (row["Step"], row["Detail"]) for row in listed}


def until(world, group, step, seconds=90):
    end = time.monotonic() + seconds
    while steps(world).get(group.arn, ("", ""))[0] != step:
        assert time.monotonic() < end, steps(world)
        time.sleep(0.3)
    return steps(world)[group.arn][1]


def mails(world, recipient):
    return [came for came in world.mail.mails if recipient in came.recipients]


def text(file):
    """A file of a mail as it was before it was sent."""
    return file if isinstance(file, str) else file.decode()


def arrived(world, recipient, count):
    end = time.monotonic() + 40
    while len(mails(world, recipient)) < count:
        assert time.monotonic() < end, [came.message["Subject"] for came in world.mail.mails]
        time.sleep(0.1)
    return mails(world, recipient)


def test_invoices_go_out_by_themselves_once(world):
    number = until(world, world.automatic, "ISSUED")
    document = done(world.server.own("GetInvoice", {"InvoiceNumber": number}))
    came, = arrived(world, "ap@automatic.example", 1)
    assert came.message["Subject"] == f"Invoice {number}" and number in came.text and PREVIOUS in came.text
    assert came.recipients == ("ap@automatic.example",), "nobody else is in the envelope"
    pdf, statement, report = (came.files[name] for name in (f"invoice-{number}.pdf", f"statement-{PREVIOUS}.csv", f"cost-report-{PREVIOUS}.csv"))
    assert len(came.files) == 3 and pdf.startswith(b"%PDF-") and all(name in came.text for name in came.files)
    # The customer's statement as the run has it, and what it is charged by product: no cost of AWS in either.
    [written] = [path for path in world.server.data.rglob("statements/automatic.csv")]
    assert text(statement) == written.read_text() and "AmazonEC2" in text(statement)
    assert text(report).splitlines() == ["product,pro_forma_cost,currency", '"AmazonEC2",110,USD']
    read = pypdf.PdfReader(io.BytesIO(pdf))
    assert any(number in page.extract_text() for page in read.pages) and list(read.attachments) == ["factur-x.xml"]
    made = done(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": "PDF"}))
    assert base64.b64decode(made["Document"]) == pdf, "what was mailed is what is made again"
    for _ in range(2):
        world.server.restart()
        time.sleep(2)
    assert steps(world)[world.automatic.arn] == ("ISSUED", number) and len(mails(world, "ap@automatic.example")) == 1
    listed = done(world.server.own("ListInvoices", {"BillingGroup": world.automatic.arn}))["Invoices"]
    assert len(listed) == 1 and document


def test_what_is_to_be_approved_is_sent_after_it_was(world):
    draft = until(world, world.approval, "DRAFTED")
    assert mails(world, "ap@approval.example") == []
    asked = [came for came in arrived(world, CFO, 2) if "wait for approval" in came.message["Subject"]]
    assert len(asked) == 1 and draft in asked[0].text
    number = done(world.server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"]
    world.server.restart()
    assert until(world, world.approval, "ISSUED") == number
    came, = arrived(world, "ap@approval.example", 1)
    assert came.message["Subject"] == f"Invoice {number}"


def test_what_cannot_go_on_says_why_once(world):
    why = until(world, world.unsettled, "FAILED")
    assert why
    time.sleep(1)
    said = [came for came in mails(world, CFO) if "could not go on" in came.message["Subject"]]
    assert len(said) == 1 and mails(world, "ap@unsettled.example") == []


def test_without_a_schedule_nothing_goes_out(world):
    assert world.manual.arn not in steps(world)
    assert [row for row in done(world.server.own("ListInvoiceDrafts"))["Drafts"] if world.manual.id in row["BillingGroup"]] == []


def test_a_schedule_is_of_a_group_and_refuses_what_is_wrong(world):
    listed = json.loads(world.server.command("schedule", "list", "--output", "json"))["Schedules"]
    assert {row["BillingGroupArn"]: (row["Policy"], row["DaysAfterClose"], row["Emails"]) for row in listed} == {
        world.automatic.arn: ("AUTOMATIC", 0, ["ap@automatic.example"]), world.approval.arn: ("AFTER_APPROVAL", 0, ["ap@approval.example"]),
        world.unsettled.arn: ("AUTOMATIC", 0, ["ap@unsettled.example"])}
    for given, said in [({"BillingGroupArn": world.manual.arn, "Policy": "AUTOMATIC", "Emails": ["x"]}, "is no address of mail"),
                        ({"BillingGroupArn": world.manual.arn, "Policy": "AUTOMATIC", "Emails": ["a@example.com"], "AcceptedWarnings": ["LINES_LEFT_OUT"]}, "AcceptedWarnings"),
                        ({"BillingGroupArn": "arn:aws:billingconductor::999999999999:billinggroup/123456789999", "Policy": "AUTOMATIC"}, "123456789999")]:
        refused = world.server.own("UpdateInvoiceSchedule", given)
        assert refused.status in (400, 404) and said in refused.json["Message"], refused.body
    analyst = world.server.keys("schedule-analyst", "analyst")
    assert world.server.own("UpdateInvoiceSchedule", {"BillingGroupArn": world.manual.arn, "Policy": "AUTOMATIC"}, keys=analyst).status == 403
    world.server.command("schedule", "set", world.unsettled.arn, "--policy", "manual")
    listed = json.loads(world.server.command("schedule", "list", "--output", "json"))["Schedules"]
    assert world.unsettled.arn not in {row["BillingGroupArn"] for row in listed}
