"""Schedules of invoices when things take another turn: taken back, drafted anew, refused, warned of, upgraded, killed, or looked at by two servers."""
import collections
import contextlib
import json
import re
import sqlite3
import time
from types import SimpleNamespace

import pytest

from desk import Desk
from policy_months import PolicyMonth
from server import PREVIOUS, Server, in_period
from smtp import MailServer
from test_issued_invoices import ACME, ALL, done, settle
from test_outbox import options
from test_schedule import arrived, mails, steps, until

CFO = "cfo@example.com"


@contextlib.contextmanager
def a_desk(folder, groups, plans=None, more=None, database=None):
    """A closed October of some customers, each of whom is charged 110 USD under its own plan, or 10 % above cost."""
    mail = MailServer().start()
    server = Server(folder / "data", database, options=options(mail)).init().start()
    try:
        desk = Desk(in_period(server.client(), PREVIOUS))
        plan = desk.plan(desk.rule(ModifierPercentage=10))
        made = {name: desk.group(plan=(plans or {}).get(name, lambda _: plan)(desk), Name=name) for name in groups}
        month = PolicyMonth()
        for group in made.values():
            month.line(group.primary, cost="100", service="AmazonEC2")
        if more:
            more(month, made)
        server.load(month.write(folder / "cost"))
        settle(server, ALL)
        for group in made.values():
            settle(server, ACME, group.arn)
        server.own("UpdateNotificationSettings", {"Emails": [CFO]})
        server.command("close", PREVIOUS)
        yield SimpleNamespace(server=server, mail=mail, **made)
    finally:
        if server.process.poll() is None:
            server.kill()
        mail.stop()


def ap(name):
    """The customer's address."""
    return f"ap@{name.replace('_', '-')}.example"


def schedule(world, group, policy, *more):
    arguments = more or ("--email", ap(group.name))
    world.server.command("schedule", "set", group.arn, "--policy", policy, "--first", PREVIOUS, *arguments)


def draft(world, group):
    [made] = done(world.server.own("DraftInvoice", {"BillingGroup": group.arn, "BillingPeriod": PREVIOUS}))["DraftIds"]
    return made


def issue(world, group):
    return done(world.server.own("IssueInvoice", {"DraftId": draft(world, group)}))["InvoiceNumber"]


def invoices(world, group):
    listed = done(world.server.own("ListInvoices", {"BillingGroup": group.arn}))["Invoices"]
    return {row["InvoiceNumber"]: row["Status"] for row in listed}


def titled(world, recipient):
    return [came.message["Subject"] for came in mails(world, recipient)]


def say(world, sql, *values):
    """Changes rows behind the server's back."""
    with sqlite3.connect(world.server.data / "proforma.db", timeout=30) as database:
        database.execute(sql, values)


def cheap(desk):
    return desk.plan(desk.rule(Type="DISCOUNT", ModifierPercentage=10))


def noise(month, groups):
    """What informs and stops nothing: an account of nobody's, and a line of less than half a cent."""
    month.line("555555555555", cost="70", service="AmazonEC2")
    for group in groups.values():
        month.line(group.primary, cost="0.0004", service="AmazonS3")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    names = ("taken_back", "redrafted", "refused", "below_cost", "accepted", "broken", "unsent", "silent")
    with a_desk(tmp_path_factory.mktemp("turns"), names, {"below_cost": cheap, "accepted": cheap}, noise) as world:
        world.credited = issue(world, world.taken_back)
        done(world.server.own("CreditInvoice", {"InvoiceNumber": world.credited}))
        done(world.server.own("PutInvoiceSettings", {"BillingGroup": world.refused.arn, "Settings": "{}"}))
        world.bad = draft(world, world.broken)
        world.server.stop()
        say(world, "UPDATE invoice_drafts SET options = 'not JSON' WHERE id = ?", world.bad)
        world.server.start()
        schedule(world, world.broken, "automatic")
        for group in (world.taken_back, world.below_cost, world.accepted):
            more = ("--accept-warning", "BELOW_COST") if group is world.accepted else ()
            schedule(world, group, "automatic", "--email", ap(group.name), *more)
        for group in (world.redrafted, world.refused):
            schedule(world, group, "after-approval")
        world.server.restart()
        until(world, world.taken_back, "ISSUED")
        yield world


def test_what_was_taken_back_is_not_sent(world):
    number = until(world, world.taken_back, "ISSUED")
    assert invoices(world, world.taken_back)[world.credited] == "CANCELLED" and number != world.credited
    arrived(world, ap("taken_back"), 1)
    assert titled(world, ap("taken_back")) == [f"Invoice {number}"]


def test_an_error_of_one_group_is_in_the_way_of_no_other(world):
    assert "an error of its own" in until(world, world.broken, "FAILED")
    assert steps(world)[world.taken_back.arn][0] == "ISSUED", "which comes after it"
    assert "Invoices of 2026-10 could not go on" in titled(world, CFO)


def test_only_what_stops_is_left_to_somebody(world):
    waiting = until(world, world.below_cost, "DRAFTED")
    warned = done(world.server.own("PreviewInvoice", {"DraftId": waiting}))["Warnings"]
    levels = {warning["Code"]: warning["Stops"] for warning in warned}
    assert levels == {"BELOW_COST": True, "ACCOUNT_IN_NO_GROUP": False, "LINES_LEFT_OUT": False}
    # The same, looked at and meant; and what only informs has stopped nobody.
    number = until(world, world.accepted, "ISSUED")
    assert titled(world, ap("accepted")) == [f"Invoice {number}"] or arrived(world, ap("accepted"), 1)
    listed = json.loads(world.server.command("schedule", "list", "--output", "json"))["Schedules"]
    assert {row["BillingGroupArn"]: row["AcceptedWarnings"] for row in listed}[world.accepted.arn] == ["BELOW_COST"]


def test_what_is_drafted_anew_is_sent(world):
    waiting = until(world, world.redrafted, "DRAFTED")
    done(world.server.own("DiscardInvoiceDraft", {"DraftId": waiting}))
    world.server.restart()
    until(world, world.redrafted, "SKIPPED")
    again = draft(world, world.redrafted)
    world.server.restart()
    assert until(world, world.redrafted, "DRAFTED") == again
    number = done(world.server.own("IssueInvoice", {"DraftId": again}))["InvoiceNumber"]
    world.server.restart()
    assert until(world, world.redrafted, "ISSUED") == number
    arrived(world, ap("redrafted"), 1)
    assert titled(world, ap("redrafted")) == [f"Invoice {number}"]


def test_what_was_refused_and_issued_by_hand_is_sent(world):
    until(world, world.refused, "FAILED")
    settle(world.server, ACME, world.refused.arn)
    [left] = [row["DraftId"] for row in done(world.server.own("ListInvoiceDrafts"))["Drafts"] if row["BillingGroup"].endswith(world.refused.id)]
    number = done(world.server.own("IssueInvoice", {"DraftId": left}))["InvoiceNumber"]
    world.server.restart()
    assert until(world, world.refused, "ISSUED") == number
    arrived(world, ap("refused"), 1)
    assert titled(world, ap("refused")) == [f"Invoice {number}"]
    assert len([title for title in titled(world, CFO) if "wait for approval" in title]) == 2, "of two other groups"


def test_an_invoice_that_nobody_would_be_told_of_does_not_go_out(world):
    server = world.server
    done(server.own("UpdateNotificationSettings", {"Emails": []}))
    refused = server.own("UpdateInvoiceSchedule", {"BillingGroupArn": world.silent.arn, "Policy": "AUTOMATIC", "FirstBillingPeriod": PREVIOUS})
    assert refused.status == 400 and "nobody would be told" in refused.json["Message"], refused.body
    schedule(world, world.unsent, "automatic", "--email", "ann@unsent.example")
    done(server.own("ErasePersonalData", {"Names": ["ann@unsent.example"]}))
    server.restart()
    assert "nobody is left" in until(world, world.unsent, "FAILED")
    assert invoices(world, world.unsent) == {}
    # Whoever says the schedule anew need not wait for a day.
    schedule(world, world.unsent, "automatic", "--email", "bob@unsent.example")
    server.restart()
    number = until(world, world.unsent, "ISSUED")
    arrived(world, "bob@unsent.example", 1)
    assert titled(world, "bob@unsent.example") == [f"Invoice {number}"]
    done(server.own("UpdateNotificationSettings", {"Emails": [CFO]}))


def test_a_closed_month_is_invoiced_after_an_upgrade(world):
    server = world.server
    before = server.own("ReconcileInvoices", {"BillingPeriod": PREVIOUS})
    server.stop()
    marks = list(server.data.rglob("reconciliation.json"))
    for mark in marks:
        text = mark.read_text()
        other = re.sub(r'("program_version":\s*")[^"]*"', r'\g<1>0.0.9"', text)
        assert other != text
        mark.chmod(0o644)
        mark.write_text(other)
    assert marks
    server.start()
    number = issue(world, world.silent)
    document = json.loads(done(server.own("GetInvoice", {"InvoiceNumber": number}))["Document"])
    assert document["totals"]["net"] == "110.00"
    after = server.own("ReconcileInvoices", {"BillingPeriod": PREVIOUS})
    assert before.status == 200 and (after.status, after.body) == (before.status, before.body)
    reports = server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
    assert len(reports) == 8
    # A format that is not known is refused, whatever says so, and the reason is in the log.
    server.stop()
    for mark in marks:
        mark.write_text(mark.read_text().replace('"run_format": 1', '"run_format": 2'))
    server.start()
    other = server.own("DraftInvoice", {"BillingGroup": world.below_cost.arn, "BillingPeriod": PREVIOUS})
    assert other.status == 500 and "in format 2 of a run" in server.log.read_text()


# ---- Two servers, and one that is killed

def test_two_servers_take_a_period_up_once(cluster, tmp_path):
    names = [f"group_{number}" for number in range(12)]
    with a_desk(tmp_path, names, database=cluster.database()) as world:
        for name in names:
            policy = "automatic" if int(name.split("_")[1]) % 2 else "after-approval"
            schedule(world, getattr(world, name), policy, "--email", ap(name))
        world.server.stop()
        (tmp_path / "again").symlink_to(tmp_path / "data")
        other = Server(tmp_path / "again", world.server.database, root=world.server.root, options=options(world.mail))
        # Both look when they start: at the same time.
        world.server.start()
        other.start()
        try:
            deadline = time.monotonic() + 60
            while len(steps(world)) < len(names) or {step for step, _ in steps(world).values()} - {"ISSUED", "DRAFTED"}:
                assert time.monotonic() < deadline, steps(world)
                time.sleep(0.3)
            for name in names[1::2]:
                arrived(world, ap(name), 1)
            time.sleep(2)
            counted = collections.Counter(step for step, _ in steps(world).values())
            assert counted == {"ISSUED": 6, "DRAFTED": 6}, steps(world)
            assert not [title for title in titled(world, CFO) if "could not go on" in title]
            assert all(len(mails(world, ap(name))) == 1 for name in names[1::2])
            drafts = done(world.server.own("ListInvoiceDrafts"))["Drafts"]
            assert len(drafts) == len(names), "one each"
        finally:
            other.stop()


def test_a_server_that_is_killed_half_way_leaves_no_gap_and_sends_nothing_twice(tmp_path):
    names = [f"group_{number}" for number in range(10)]
    with a_desk(tmp_path, names) as world:
        for name in names:
            schedule(world, getattr(world, name), "automatic", "--email", ap(name))
        for pause in (0.1, 0.4, 0.8, 1.2, 0.2, 0.6):
            world.server.kill()
            world.server.start()
            time.sleep(pause)
        world.server.kill()
        world.server.start()
        for name in names:
            until(world, getattr(world, name), "ISSUED")
            arrived(world, ap(name), 1)
        numbers = sorted(number for name in names for number in invoices(world, getattr(world, name)))
        assert numbers == [f"INV-2026-{place:04}" for place in range(1, 11)], "one each, and no gap"
        for name in names:
            # A mail that was taken and not yet noted is sent once more under its own name, by which mail programs know it.
            ids = {came.message["Message-ID"] for came in mails(world, ap(name))}
            assert len(ids) == 1, titled(world, ap(name))
