"""What the desk's commands print as comma-separated values and as tables: the columns are the operation's own, with no, one and several rows; nothing that the
answer says is lost; no cell is a formula; instants are in words."""
import csv
import io
import json
import os
import re
import subprocess
from types import SimpleNamespace

import pytest

from desk import Desk, name
from policy_months import PolicyMonth
from program import PROGRAM
from purchasing import invoice, line, order, orders_client
from server import PREVIOUS, QUIET, in_period
from test_issued_invoices import ACME, ALL, done, settle

EPOCH = re.compile(r"(?<![\d.])1[789]\d{8}(?![\d.])")
INSTANT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def rows(server, *arguments):
    """Header and rows that a command prints."""
    text = server.command(*arguments, "--output", "csv")
    header, *others = csv.reader(io.StringIO(text))
    assert all(len(row) == len(header) for row in others) and len(set(header)) == len(header), text
    assert not EPOCH.search(re.sub(r"\[?\{.*", "", text)), f"an instant as a number: {text}"
    return header, [dict(zip(header, row)) for row in others]


def answered(server, *arguments):
    return json.loads(server.command(*arguments, "--output", "json"))


def texts(value):
    """Every text and number of an answer, but pages, documents and instants."""
    if isinstance(value, dict):
        return [text for key, of in value.items() if key not in ("NextToken", "Document") for text in texts(of)]
    if isinstance(value, list):
        return [text for of in value for text in texts(of)]
    if isinstance(value, bool):
        return [str(value).lower()]
    return [] if EPOCH.fullmatch(str(value)) else [str(value)]


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """A customer whose month is closed, with settings of its invoices."""
    server = new_server()
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(2, plan=desk.plan(desk.rule(ModifierPercentage=10)), Name="acme")
    month = PolicyMonth()
    month.line(group.accounts[0], cost="100", service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("output") / "cost"))
    return SimpleNamespace(server=server, group=group, orders=orders_client(server))


LISTS = {"orders": ("po", "list"), "matches": ("po", "invoices"), "invoices": ("invoice", "list"), "drafts": ("invoice", "drafts"), "messages": ("outbox", "list"),
         "limits": ("po", "limits"), "changes": ("po", "rematch"), "profiles": ("invoice", "profile", "list"), "schedules": ("schedule", "list"),
         "three-way": ("po", "three-way", "--period", PREVIOUS)}


@pytest.fixture(scope="module")
def filled(world):
    """What each list prints while nothing is there, with one entry, and with several."""
    server, group = world.server, world.group
    printed = {key: [rows(server, *command)] for key, command in LISTS.items()}
    server.command("close", PREVIOUS)
    settle(server, ALL | ACME, group.arn)
    for count in (1, 2):
        identity = name("PO")
        world.orders.add_purchase_order(**order(line(), line("2", Type="AWS_SUBSCRIPTION_PURCHASE"), PurchaseOrderId=identity, Description="=cmd()|' /c calc'!A0",
                                                Contacts=[{"Name": "@ann", "Email": "ann@example.com"}], Tags={"team": "red"}))
        done(server.own("ImportInvoices", {"Invoices": [invoice(f"IN-{count}-{identity}")]}))
        server.command("po", "limit", server.keys(f"some-{count}", "finance").principal, "--action", "GetPurchaseOrder", "--tag", "team=red")
        server.own("PutInvoiceProfile", {"AccountId": f"{100000000000 + count}", "ReceiverName": "+Anna", "ReceiverAddress": {"City": "Köln", "CountryCode": "DE"}})
        server.own("SendTestNotification", {"Channel": "EMAIL", "Recipient": f"ap{count}@example.com"})
        [draft] = done(server.own("DraftInvoice", {"BillingGroup": group.arn, "BillingPeriod": PREVIOUS}))["DraftIds"]
        world.number = done(server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"]
        if count == 1:
            done(server.own("RecordPayment", {"InvoiceNumber": world.number, "Amount": "1.00", "Reference": "=1+1"}))
            note = done(server.own("CreditInvoice", {"InvoiceNumber": world.number}))["InvoiceNumber"]
            world.credited, world.note = world.number, note
        server.command("schedule", "set", group.arn, "--policy", "after-approval", "--email", "ap@acme.example")
        for key, command in LISTS.items():
            printed[key].append(rows(server, *command))
    return printed


@pytest.mark.parametrize("of", LISTS)
def test_a_list_has_its_columns_whatever_is_in_it(world, filled, of):
    (none, empty), (one, _), (several, last) = filled[of]
    assert none == one == several and none != [""], of
    assert empty == [] or of == "three-way"
    if of in ("orders", "matches", "invoices", "drafts", "messages", "profiles"):
        assert len(last) >= 2
    command = LISTS[of]
    answer = answered(world.server, *command)
    for text in texts(answer):
        cells = [cell for row in rows(world.server, *command)[1] for cell in row.values()]
        assert any(text in cell for cell in cells), (of, text)


def test_nobody_is_a_header_only(world):
    header, there = rows(world.server, "privacy", "export", "nobody@example.com")
    assert there == [] and {"Principals.PrincipalName", "Texts.Table", "AuditEvents.Action"} <= set(header)


def whole(server, *command):
    """The rows of a command whose answer is all in them."""
    header, there = rows(server, *command)
    cells = [cell for row in there for cell in row.values()]
    for text in texts(answered(server, *command)):
        assert any(text in cell for cell in cells), (command, text, header)
    return there


def test_what_is_no_list_is_printed_whole(world, filled):
    server, number = world.server, world.credited
    [settings] = whole(server, "notify", "settings")
    assert settings["BalancePercent"] and settings["ToContacts"] == "true"
    whole(server, "po", "settings")
    [paid] = whole(server, "invoice", "get", number)
    assert paid["Invoice.InvoiceNumber"] == number and paid["Payments.Amount"] == "1.00" and paid["CreditNoteNumbers"] == world.note
    assert paid["Payments.Reference"] == "'=1+1"
    [unpaid] = whole(server, "invoice", "get", world.number)
    assert unpaid["Invoice.InvoiceNumber"] == world.number and unpaid["Payments.Amount"] == ""
    [reconciled] = whole(server, "invoice", "reconcile", PREVIOUS)
    assert reconciled["BillingPeriod"] == PREVIOUS and reconciled["InvoiceCount"]


def test_an_order_is_a_row_for_each_line_with_all_that_it_says(world, filled):
    server = world.server
    identity = name("CSV")
    added = list(csv.DictReader(io.StringIO(server.command(
        "po", "add", "--id", identity, "--bill-from", "AWS_INC", "--effective", "2026-01", "--expiration", "2026-12", "--ship-to", "company=-Larkfield,city=Dover,country=GB",
        "--contact", "Ann <ann@example.com>", "--tag", "team=x", "--line", "number=1,type=ALL,start=2026-01,end=2026-12,amount=100,description==1+1", "--output", "csv"))))
    assert [row["PurchaseOrderId"] for row in added] == [identity] and added[0]["PurchaseOrderArn"].endswith(identity)
    [got] = whole(server, "po", "get", identity)
    assert got["ShipTo.Company"] == "'-Larkfield" and got["LineItems.Description"] == "'=1+1" and json.loads(got["Tags"]) == {"team": "x"}
    assert json.loads(got["Contacts"]) == [{"Email": "ann@example.com", "Name": "Ann"}] and INSTANT.fullmatch(got["UpdatedOn"])
    [only] = whole(server, "po", "history", identity)
    assert INSTANT.fullmatch(only["Time"])
    explained = whole(server, "po", "explain", done(server.own("ListInvoiceMatches"))["InvoiceMatches"][0]["InvoiceId"])
    assert all(row["Explanation"] and INSTANT.fullmatch(row["InvoiceMatch.IssuedDate"]) for row in explained)
    assert whole(server, "po", "forecast", identity)[0]["LineItems.LineItemNumber"] == "1"


def test_tables_have_instants_in_words(world, filled):
    for command in (*LISTS.values(), ("keys", "list"), ("runs", "list"), ("periods",), ("po", "history", orders_of(world)[0])):
        printed = world.server.command(*command)
        assert not EPOCH.search(printed), printed
    # The API's own answer has them as the API has them.
    assert isinstance(answered(world.server, "keys", "list")["Keys"][0]["CreationTime"], int)


def orders_of(world):
    return [item["PurchaseOrderId"] for item in world.orders.list_purchase_orders()["PurchaseOrders"]]


def test_a_schedule_that_is_set_is_printed(world, filled):
    said = world.server.command("schedule", "set", world.group.arn, "--policy", "automatic", "--days-after-close", "3", "--email", "ap@acme.example")
    assert "AUTOMATIC" in said and world.group.id in said and "ap@acme.example" in said
    [row] = answered(world.server, "schedule", "set", world.group.arn, "--policy", "after-approval")["Schedules"]
    assert (row["Policy"], row["DaysAfterClose"], row["Emails"]) == ("AFTER_APPROVAL", 3, ["ap@acme.example"]), "what is not named stays"
    assert answered(world.server, "schedule", "set", world.group.arn, "--policy", "manual")["Schedules"] == []


def refused(server, *arguments):
    ended = subprocess.run([PROGRAM, *arguments, "--endpoint", server.endpoint], capture_output=True, text=True, env=os.environ | QUIET | server.root.environment)
    assert ended.returncode == 2, ended
    return ended


def test_erasing_somebody_unknown_is_no_success(world):
    ended = refused(world.server, "privacy", "erase", "nobody@example.com", "No Body")
    assert "nothing here says `nobody@example.com` or `No Body`: nothing was taken out" in ended.stderr and "privacy export" in ended.stderr


@pytest.mark.parametrize("act", ["retry", "drop"])
def test_all_that_were_given_up_are_named_by_a_flag(world, act):
    assert "--dead" in refused(world.server, "outbox", act).stderr
    usage = subprocess.run([PROGRAM, "outbox", act, "--help"], capture_output=True, text=True, check=True).stdout
    assert "--dead" in next(text for text in usage.splitlines() if text.startswith("Usage:"))
    assert "MessageCount: 0" in world.server.command("outbox", act, "--dead")
