"""Schedules of a period with several invoices, of which one goes on and another does not; schedules that are said anew; and invoices that are taken back while their mail waits."""
import json
import time

import pytest

from purchasing import invoice, own
from server import PREVIOUS
from test_issued_invoices import ACME, done, settle
from test_outbox import ATTEMPTS, messages
from test_schedule import arrived, mails, steps, until
from test_schedule_turns import a_desk, ap, schedule, titled

CFO = "cfo@example.com"


def in_two_currencies(month, groups):
    for name in ("halved", "refused"):
        month.line(groups[name].primary, cost="70", service="AmazonEC2", currency="CNY")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with a_desk(tmp_path_factory.mktemp("parts"), ("halved", "refused", "resumed", "withdrawn"), more=in_two_currencies) as world:
        done(world.server.own("PutInvoiceSettings", {"BillingGroup": world.resumed.arn, "Settings": "{}"}))
        # The second number of this one's series is an invoice's of another system: issuing is refused, a preview is not.
        settle(world.server, ACME | {"series": {"template": "HALF-{year}-{number:2}"}}, world.refused.arn)
        own(world.server, "ImportInvoices", Invoices=[invoice("HALF-2026-02")])
        yield world


def drafts(world, group):
    listed = done(world.server.own("ListInvoiceDrafts"))["Drafts"]
    return sorted(row["DraftId"] for row in listed if row["BillingGroup"].endswith(group.id) and row["Status"] == "OPEN")


def sent_within_a_look(world, group, detail):
    """A server looks when it starts."""
    world.server.restart()
    end = time.monotonic() + 60
    while steps(world)[group.arn][1] != detail:
        assert time.monotonic() < end, (steps(world)[group.arn], detail)
        time.sleep(0.3)


def held(world, group):
    """The schedule of a group that holds."""
    listed = json.loads(world.server.command("schedule", "list", "--output", "json"))["Schedules"]
    [found] = [row for row in listed if row["BillingGroupArn"] == group.arn]
    return found


def test_what_is_issued_is_sent_while_another_draft_waits(world):
    schedule(world, world.halved, "after-approval", "--email", ap("halved"))
    world.server.restart()
    first, second = drafts_of_step = sorted(until(world, world.halved, "DRAFTED").split(" "))
    assert drafts_of_step == drafts(world, world.halved)
    number = done(world.server.own("IssueInvoice", {"DraftId": first}))["InvoiceNumber"]
    sent_within_a_look(world, world.halved, f"{second}; issued and sent: {number}")
    assert steps(world)[world.halved.arn][0] == "DRAFTED"
    arrived(world, ap("halved"), 1)
    assert titled(world, ap("halved")) == [f"Invoice {number}"]
    # Looked at once more, nothing is sent again.
    world.server.restart()
    time.sleep(3)
    assert len(mails(world, ap("halved"))) == 1
    last = done(world.server.own("IssueInvoice", {"DraftId": second}))["InvoiceNumber"]
    world.server.restart()
    assert sorted(until(world, world.halved, "ISSUED").split(" ")) == sorted([number, last])
    arrived(world, ap("halved"), 2)
    assert sorted(titled(world, ap("halved"))) == sorted([f"Invoice {number}", f"Invoice {last}"])


def test_what_is_issued_is_sent_where_another_draft_is_refused(world):
    schedule(world, world.refused, "automatic", "--email", ap("refused"))
    world.server.restart()
    detail = until(world, world.refused, "FAILED")
    why, numbers = detail.split("; issued and sent: ")
    assert "HALF-2026-02" in why and numbers == "HALF-2026-01"
    arrived(world, ap("refused"), 1)
    assert titled(world, ap("refused")) == ["Invoice HALF-2026-01"]
    world.server.restart()
    time.sleep(3)
    assert steps(world)[world.refused.arn] == ("FAILED", detail) and len(mails(world, ap("refused"))) == 1
    # Somebody gives the other one another series, and says the schedule anew, without a word more than must be.
    settle(world.server, ACME | {"series": {"template": "HALFB-{year}-{number:2}"}}, world.refused.arn)
    world.server.command("schedule", "set", world.refused.arn, "--policy", "automatic")
    world.server.restart()
    assert sorted(until(world, world.refused, "ISSUED").split(" ")) == ["HALF-2026-01", "HALFB-2026-01"]
    arrived(world, ap("refused"), 2)
    assert sorted(titled(world, ap("refused"))) == ["Invoice HALF-2026-01", "Invoice HALFB-2026-01"]


def test_what_is_not_named_stays_as_it_was(world):
    more = ("--email", ap("resumed"), "--days-after-close", "0", "--accept-warning", "BELOW_COST")
    schedule(world, world.resumed, "automatic", *more)
    before = held(world, world.resumed)
    assert (before["FirstBillingPeriod"], before["Emails"], before["AcceptedWarnings"]) == (PREVIOUS, [ap("resumed")], ["BELOW_COST"])
    world.server.restart()
    until(world, world.resumed, "FAILED")
    end = time.monotonic() + 30
    while not (said := [came for came in mails(world, CFO) if "could not go on" in came.message["Subject"] and world.resumed.id in came.text]):
        assert time.monotonic() < end, titled(world, CFO)
        time.sleep(0.1)
    [said] = said
    assert f"proforma schedule set {world.resumed.id} --policy automatic" in " ".join(said.text.split())
    # What the mail says, word for word.
    settle(world.server, ACME, world.resumed.arn)
    world.server.command("schedule", "set", world.resumed.id, "--policy", "automatic")
    assert held(world, world.resumed) == before
    world.server.restart()
    number = until(world, world.resumed, "ISSUED")
    arrived(world, ap("resumed"), 1)
    assert titled(world, ap("resumed")) == [f"Invoice {number}"]
    # Each is changed by itself, and emptied where that is said.
    world.server.command("schedule", "set", world.resumed.id, "--policy", "automatic", "--days-after-close", "7", "--accept-no-warning")
    assert held(world, world.resumed) == before | {"DaysAfterClose": 7, "AcceptedWarnings": []}
    world.server.command("schedule", "set", world.resumed.id, "--policy", "after-approval", "--no-emails", "--first", "2026-12")
    assert held(world, world.resumed) == before | {"DaysAfterClose": 7, "AcceptedWarnings": [], "Emails": [], "Policy": "AFTER_APPROVAL", "FirstBillingPeriod": "2026-12"}
    own(world.server, "UpdateInvoiceSchedule", BillingGroupArn=world.resumed.arn, Policy="AUTOMATIC", Emails=[ap("resumed")])
    assert held(world, world.resumed)["Emails"] == [ap("resumed")] and held(world, world.resumed)["DaysAfterClose"] == 7
    # Taken away, it is gone: the next one begins with the current period.
    world.server.command("schedule", "set", world.resumed.id, "--policy", "manual")
    world.server.command("schedule", "set", world.resumed.id, "--policy", "automatic", "--email", ap("resumed"))
    again = held(world, world.resumed)
    assert (again["FirstBillingPeriod"], again["DaysAfterClose"]) == ("2026-11", 0)


def test_an_invoice_that_is_taken_back_while_its_mail_waits_is_not_sent(world):
    """The mail server puts it off; by the time it would take it, the invoice is credited in full."""
    world.mail.answers += ["451 4.3.0 later"] * ATTEMPTS * 2
    schedule(world, world.withdrawn, "automatic", "--email", ap("withdrawn"))
    world.server.restart()
    number = until(world, world.withdrawn, "ISSUED")

    def waiting():
        return [row for row in messages(world.server) if row["Subject"] == f"Invoice {number}"]

    end = time.monotonic() + 20
    while not all("LastError" in row for row in waiting()):
        assert time.monotonic() < end, waiting()
        time.sleep(0.1)
    own(world.server, "CreditInvoice", InvoiceNumber=number)
    world.mail.answers.clear()
    while {row["State"] for row in waiting()} != {"EXPIRED"}:
        assert time.monotonic() < end + 20, waiting()
        time.sleep(0.2)
    assert len(waiting()) == 2 and all("does not hold any more" in row["LastError"] for row in waiting())
    assert mails(world, ap("withdrawn")) == [] and f"Invoice {number}" not in titled(world, CFO)
