"""What was paid of an invoice, what of it is given back, and what its preview warns of in each currency; a schedule accepts whatever may stop it."""
import json
import os
import subprocess
from types import SimpleNamespace

import pytest

from desk import Desk
from policy_months import PolicyMonth
from program import PROGRAM
from server import PREVIOUS, in_period
from test_issued_invoices import ACME, ALL, cancel, done, drafted, invoice, issued, refusal, settle


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """A customer charged in two currencies, at a loss in dollars alone; its dollars are invoiced at 119."""
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(2, plan=desk.plan(desk.rule(ModifierPercentage=0)), Name="acme")
    desk.client.create_custom_line_item(Name="given", Description="given", BillingGroupArn=group.arn,
                                        ChargeDetails={"Flat": {"ChargeValue": 20}, "Type": "CREDIT"})
    month = PolicyMonth()
    month.line(group.accounts[0], cost="120")
    month.line(group.accounts[1], cost="70", currency="CNY")
    server.load(month.write(tmp_path_factory.mktemp("settling") / "cost"))
    server.command("close", PREVIOUS)
    settle(server, ALL | ACME)
    return SimpleNamespace(server=server, group=group)


def warned(world, **more):
    """The codes that a draft's preview warns of, and whether each stops."""
    draft = drafted(world, world.group, **more)
    found = {of["Code"]: of["Stops"] for of in done(world.server.own("PreviewInvoice", {"DraftId": draft}))["Warnings"]}
    done(world.server.own("DiscardInvoiceDraft", {"DraftId": draft}))
    return found


def paid(world, number, amount, reference):
    return world.server.own("RecordPayment", {"InvoiceNumber": number, "Amount": amount, "Reference": reference})


def test_a_preview_warns_of_what_it_charges(world):
    """What is lost in one currency is no matter of the other one's document."""
    assert "BELOW_COST" in warned(world, Currency="USD")
    assert "BELOW_COST" not in warned(world, Currency="CNY")


def test_no_more_is_given_back_than_was_paid(world):
    number = issued(world, world.group, Currency="USD")
    more = "a payment of {} USD gives back more than the {} USD that was paid of `" + number + "`; what lowers an invoice itself is a credit note"
    assert refusal(paid(world, number, "-1", "too early")) == more.format("-1.00", "0.00")
    done(paid(world, number, "50", "transfer"))
    assert refusal(paid(world, number, "-50.01", "back")) == more.format("-50.01", "50.00")
    assert done(paid(world, number, "-50", "back"))["Status"] == "OPEN"
    cancel(world, number)


def test_a_cancelled_invoice_says_all_that_its_customer_has_paid(world):
    """Before the invoice and after it; what is given back of it counts against both."""
    number = issued(world, world.group, Currency="USD", PrepaidAmount="30")
    done(paid(world, number, "20", "transfer"))
    cancel(world, number)
    assert invoice(world, number)["Invoice"]["OverpaidAmount"] == "50.00"
    assert done(paid(world, number, "-45", "returned"))["Status"] == "CANCELLED"
    assert invoice(world, number)["Invoice"]["OverpaidAmount"] == "5.00"
    assert "5.01 USD" in refusal(paid(world, number, "-5.01", "too much"))


def test_a_document_that_was_paid_before_is_credited_in_parts(world):
    number = issued(world, world.group, Currency="USD", PrepaidAmount="119")
    assert invoice(world, number)["Invoice"]["Status"] == "PAID"
    done(world.server.own("CreditInvoice", {"InvoiceNumber": number, "Lines": [{"Line": "2", "Amount": "20"}]}))
    found = invoice(world, number)["Invoice"]
    assert (found["Status"], found["OverpaidAmount"]) == ("PAID", "23.80")
    cancel(world, number)
    found = invoice(world, number)["Invoice"]
    assert (found["Status"], found["OverpaidAmount"]) == ("CANCELLED", "119.00")


def test_a_schedule_accepts_whatever_stops(world):
    assert warned(world, Currency="CNY", PrepaidAmount="83.30") == {"NOTHING_DUE": True}
    settle(world.server, {"tax": [{"category": "K", "rate": "0", "from": "2026-01-01", "exemption_reason": "intra-community"}],
                          "buyer": ACME["buyer"] | {"address": {**ACME["buyer"]["address"], "country": "DE"}}}, world.group.arn)
    assert warned(world, Currency="CNY")["UNLIKELY_TAX"] is True
    accepted = [part for code in ("NOTHING_DUE", "UNLIKELY_TAX") for part in ("--accept-warning", code)] + ["--email", "desk@example.com"]
    said = json.loads(world.server.command("schedule", "set", world.group.arn, "--policy", "automatic", *accepted, "--output", "json"))
    assert "UNLIKELY_TAX" in json.dumps(said) and "NOTHING_DUE" in json.dumps(said)
    ended = subprocess.run([PROGRAM, "schedule", "set", world.group.arn, "--policy", "automatic", "--accept-warning", "LINES_LEFT_OUT", "--endpoint",
                            world.server.endpoint], capture_output=True, text=True, timeout=120, env=os.environ | world.server.root.environment)
    assert ended.returncode == 2 and "must be one of BELOW_COST" in ended.stderr, ended.stderr
