"""Changes of orders that are used, made elsewhere or gone: what stays true of balances, limits and history."""
import os
import subprocess

import pytest

from desk import Desk, name
from program import PROGRAM
from purchasing import add, invoice, line, orders_client, own, refused
from server import QUIET


@pytest.fixture(scope="module")
def orders(server):
    return orders_client(server)


def shown(orders, identity):
    return orders.get_purchase_order(PurchaseOrderArn=identity)["PurchaseOrder"]


def listed(orders, identity):
    pages = orders.get_paginator("list_purchase_orders").paginate()
    return next(item for page in pages for item in page["PurchaseOrders"] if item["PurchaseOrderId"] == identity)


# ---- Balances

def test_an_order_says_what_is_used_of_it_and_whether_that_is_too_much(server, orders):
    seller, identity = name("SELLER"), name("USED")
    add(orders, line("1", Amount="100"), line("2", Type="AWS_SUBSCRIPTION_PURCHASE"), PurchaseOrderId=identity, BillFrom=[seller])
    of = lambda: [(item["InvoicedAmount"], item["BalanceAmount"], item["OutOfBalance"]) for item in (listed(orders, identity), shown(orders, identity))]
    assert of() == [("0", "1100", False)] * 2
    own(server, "ImportInvoices", Invoices=[invoice(BillFrom=seller, TotalAmount="150")])
    assert of() == [("150", "950", True)] * 2, "one line is out of balance"


def test_a_line_that_gets_another_number_forgets_nothing(server, orders):
    seller, identity = name("SELLER"), name("RENUMBERED")
    add(orders, PurchaseOrderId=identity, BillFrom=[seller])
    own(server, "ImportInvoices", Invoices=[invoice(BillFrom=seller, TotalAmount="400")])
    done = orders.update_purchase_order(PurchaseOrderArn=identity, LineItems=[line("9")])
    assert "line `1` goes away and has invoices" in done["Warnings"][0]
    own(server, "ImportInvoices", Invoices=[invoice(BillFrom=seller, TotalAmount="450")])
    got = shown(orders, identity)
    assert (got["InvoicedAmount"], got["BalanceAmount"], got["OutOfBalance"]) == ("850", "150", False)
    own(server, "ImportInvoices", Invoices=[invoice(BillFrom=seller, TotalAmount="200")])
    got = listed(orders, identity)
    assert (got["InvoicedAmount"], got["BalanceAmount"], got["OutOfBalance"]) == ("1050", "-50", True)
    assert shown(orders, identity)["LineItems"][0]["OutOfBalance"] is False


def test_a_line_that_is_not_followed_is_never_out_of_balance(server, orders):
    seller, identity = name("SELLER"), name("LOOSE")
    loose = {"Number": "1", "Type": "ALL", "StartMonth": "2026-01", "EndMonth": "2026-12"}
    add(orders, loose, line("2", Type="AWS_SUBSCRIPTION_PURCHASE", Amount="10"), PurchaseOrderId=identity, BillFrom=[seller])
    own(server, "ImportInvoices", Invoices=[invoice(BillFrom=seller, TotalAmount="500")])
    got = listed(orders, identity)
    assert (got["BalanceAmount"], got["OutOfBalance"]) == ("-490", False)


HUGE = [line("1", Amount="999999999999999"), line("2", Amount="999999999999999")]


def test_lines_that_are_too_much_together_are_refused(server, orders):
    group = Desk(server.client()).group()
    customer = orders_client(server, server.keys(name("customer"), "group-viewer", [group.arn]))
    refused(lambda: add(customer, *HUGE), "ValidationException", "are worth more than 1000000000000000")
    identity = name("BIG")
    add(orders, HUGE[0], PurchaseOrderId=identity)
    refused(lambda: orders.update_purchase_order(PurchaseOrderArn=identity, LineItems=HUGE), "ValidationException", "are worth more than")


def test_an_order_whose_sums_are_beyond_every_amount_is_listed_all_the_same(new_server):
    server = new_server(transfers=False)
    orders = orders_client(server)
    add(orders, line("1", Amount="999999999999999"), PurchaseOrderId="SUM")
    add(orders, PurchaseOrderId="OTHER", BillFrom=["AWS_EUROPE"])
    own(server, "ImportInvoices", Invoices=[invoice("A", TotalAmount="999999999999999")])
    own(server, "ImportInvoices", Invoices=[invoice("B", TotalAmount="999999999999999")])
    both = {item["PurchaseOrderId"]: item for item in orders.list_purchase_orders()["PurchaseOrders"]}
    assert both["OTHER"]["BalanceAmount"] == "1000" and both["OTHER"]["OutOfBalance"] is False
    assert both["SUM"]["TotalAmount"] == "999999999999999" and both["SUM"]["OutOfBalance"] is True
    assert "BalanceAmount" not in both["SUM"] and shown(orders, "SUM")["LineItems"][0]["Number"] == "1"


# ---- Orders that are illegal by now

def made_elsewhere(server):
    """An order without an address, with a line before its months, that was taken over."""
    identity = name("TAKEN")
    own(server, "ImportPurchaseOrders", PurchaseOrders=[{
        "PurchaseOrderId": identity, "BillFrom": ["AWS_INC"], "EffectiveMonth": "2026-01", "ExpirationMonth": "2026-12", "UpdatedAt": "2026-02-01",
        "LineItems": [line("1", StartMonth="2025-06")]}])
    return identity


def made_in_marketplace(server):
    identity = name("MP") + "#1"
    own(server, "ImportInvoices", Invoices=[invoice(Kind="MARKETPLACE_OUT_OF_CYCLE", ChargeId=name("charge"), RequestedPurchaseOrderId=identity)])
    return identity


@pytest.mark.parametrize("made", [made_elsewhere, made_in_marketplace])
def test_status_and_tags_of_an_order_that_would_not_be_taken_today_change(server, orders, made):
    identity = made(server)
    if shown(orders, identity)["Status"] == "EXPIRED":
        assert orders.update_purchase_order_status(PurchaseOrderArn=identity, Status="SUSPENDED")["Status"] == "SUSPENDED_EXPIRED"
    else:
        assert orders.update_purchase_order_status(PurchaseOrderArn=identity, Status="SUSPENDED")["Status"] == "SUSPENDED"
        assert orders.update_purchase_order_status(PurchaseOrderArn=identity, Status="ACTIVE")["Status"] == "ACTIVE"
    updated = shown(orders, identity)["UpdatedOn"]
    orders.tag_resource(ResourceArn=identity, Tags={"team": "a"})
    got = shown(orders, identity)
    assert got["Tags"] == {"team": "a"} and got["UpdatedOn"] == updated
    refused(lambda: orders.tag_resource(ResourceArn=identity, Tags={"aws:x": "a"}), "ValidationException", "begins with `aws:`")


def test_an_order_whose_type_has_lost_its_seller_can_be_suspended(new_server):
    server = new_server(transfers=False)
    orders = orders_client(server)
    add(orders, line(Type="AWS_MARKETPLACE_BLANKET_USAGE"), PurchaseOrderId="BL")
    server.command("po", "settings", "--line-type-sellers", "AWS_MARKETPLACE_BLANKET_USAGE=AWS_EUROPE")
    assert orders.update_purchase_order_status(PurchaseOrderArn="BL", Status="SUSPENDED")["Status"] == "SUSPENDED"


# ---- Sellers and addresses

def test_an_order_names_its_sellers_as_invoices_do(server, orders):
    identity = name("NAMED")
    made = add(orders, PurchaseOrderId=identity, BillFrom=["Amazon Web Services EMEA SARL", "aws_inc"], TaxRegistrationNumbers=["LU1"])
    assert made["Warnings"] == [] and shown(orders, identity)["BillFrom"] == ["AWS_EUROPE", "AWS_INC"]
    for text in ("Amazon Web Services EMEA SARL", "aws_europe"):
        found = orders.list_purchase_orders(Filters={"BillFrom": text})["PurchaseOrders"]
        assert identity in {item["PurchaseOrderId"] for item in found}
    one = invoice(BillFrom="Aws_Europe", TaxRegistrationNumber="LU1")
    own(server, "ImportInvoices", Invoices=[one])
    assert own(server, "GetInvoiceMatch", InvoiceId=one["InvoiceId"])["InvoiceMatch"]["PurchaseOrderId"] == identity
    warned = add(orders, BillFrom=["AWS_MARS"])["Warnings"]
    assert len(warned) == 1 and "`AWS_MARS` is none of the sellers of AWS that are known here" in warned[0]


@pytest.mark.parametrize("given, said", [({"ShipTo": {}}, "no address to ship to"), ({"ShipTo": {"Company": " "}}, "no address to ship to"),
                                         ({"BillTo": {}}, "`billTo` has nothing in it")])
def test_an_empty_address_is_refused(orders, given, said):
    refused(lambda: add(orders, **given), "ValidationException", said)


def test_every_mistake_is_said_at_once_and_in_words(server, orders):
    wrong = {"EffectiveMonth": "2026-1x", "Currency": "usd", "Contacts": [{"Email": "x"}], "LineItems": [line(Amount="1.001", EndMonth="soon", Type="NONE")], "ShipTo": {}}
    answer = refused(lambda: add(orders, **wrong), "ValidationException", "`usd` is not a currency")
    assert [field["Name"] for field in answer["Fields"]] == [
        "ShipTo", "Currency", "EffectiveMonth", "Contacts[0].Email", "LineItems[0].Type", "LineItems[0].EndMonth"]
    assert "pattern" not in answer["Error"]["Message"]
    refused(lambda: add(orders, BillingGroupArn="nobody"), "ResourceNotFoundException", "there is no billing group `nobody`")
    answer = server.own("ImportInvoices", {"Invoices": [invoice(BillingGroupArn="arn:aws:billingconductor::999999999999:billinggroup/000000000000")]})
    assert "there is no billing group `" in answer.json["Message"], answer.body


# ---- What principals are narrowed to

def test_limits_go_only_when_that_is_said(server, orders):
    keys = server.keys(name("bob"), "finance")
    client = orders_client(server, keys)
    own(server, "LimitPurchaseOrders", PrincipalName=keys.principal, Actions=["ListPurchaseOrders"], Tags={"team": "b"})
    for given in ({}, {"Actions": []}, {"Tags": {"team": "b"}}, {"Actions": [], "TagKeys": ["team"]}):
        answer = server.own("LimitPurchaseOrders", {"PrincipalName": keys.principal} | given)
        assert answer.status == 400 and "name no action" in answer.json["Message"], answer.body
    for given in ({"Actions": ["*"]}, {"Tags": {"team": "b"}}, {"TagKeys": ["team"]}):
        answer = server.own("LimitPurchaseOrders", {"PrincipalName": keys.principal, "NoLimits": True} | given)
        assert answer.status == 400 and "is to have no limits and is given some" in answer.json["Message"], answer.body
    for flags in ((), ("--tag", "team=b"), ("--none", "--tag", "team=b")):
        ended = subprocess.run([PROGRAM, "po", "limit", keys.principal, *flags, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=120,
                               env=os.environ | QUIET | server.root.environment)
        assert ended.returncode != 0, flags
    refused(lambda: add(client), "AccessDeniedException", "not authorized")
    server.command("po", "limit", keys.principal, "--none")
    add(client)


def test_tags_that_come_with_an_order_need_the_right_to_tag(server):
    keys = server.keys(name("eve"), "finance")
    client = orders_client(server, keys)
    own(server, "LimitPurchaseOrders", PrincipalName=keys.principal, Actions=["ModifyPurchaseOrders"])
    add(client)
    refused(lambda: add(client, Tags={"team": "red"}), "AccessDeniedException", "not authorized")
    own(server, "LimitPurchaseOrders", PrincipalName=keys.principal, Actions=["ModifyPurchaseOrders", "TagResource"])
    add(client, Tags={"team": "red"})


# ---- History

def test_a_deleted_order_is_read_by_its_revisions(server, orders):
    identity = name("GONE")
    arn = add(orders, PurchaseOrderId=identity, Description="one")["PurchaseOrderArn"]
    orders.update_purchase_order(PurchaseOrderArn=arn, LineItems=[line(Amount="5")])
    orders.delete_purchase_order(PurchaseOrderArn=arn)
    rows = own(server, "ListPurchaseOrderRevisions", PurchaseOrderArn=identity)["Revisions"]
    assert [(row["Revision"], row["TotalAmount"], row["Action"].split(":")[1]) for row in rows] == [
        (1, "1000", "AddPurchaseOrder"), (2, "5", "UpdatePurchaseOrder"), (3, "5", "DeletePurchaseOrder")]
    for revision in (1, 3):
        assert orders.get_purchase_order(PurchaseOrderArn=arn, Revision=revision)["PurchaseOrder"]["Description"] == "one"
    refused(lambda: shown(orders, arn), "ResourceNotFoundException", "there is no purchase order")
    assert "DeletePurchaseOrder" in server.command("po", "history", identity)


def test_each_decision_is_shown_of_the_content_that_it_was_of(server, orders):
    seller, identity = name("SELLER"), name("AGAIN")
    add(orders, PurchaseOrderId=name("PO"), BillFrom=[seller])
    for total in ("100", "90", "95"):
        own(server, "ImportInvoices", Invoices=[invoice(identity, BillFrom=seller, TotalAmount=total)])
    found = own(server, "GetInvoiceMatch", InvoiceId=identity)
    assert [(row["TotalAmount"], row["UsedAmount"]) for row in found["History"]] == [("100", "100"), ("90", "90"), ("95", "95")]
    assert found["InvoiceMatch"]["TotalAmount"] == "95"


def test_types_of_lines_are_settled(new_server):
    server = new_server(transfers=False)
    server.command("po", "settings", "--line-types", "ALL,AWS_MONTHLY_USAGE")
    assert own(server, "GetMatchingSettings")["LineTypes"] == ["ALL", "AWS_MONTHLY_USAGE"]
    refused(lambda: add(orders_client(server), line(Type="AWS_SUBSCRIPTION_PURCHASE")), "ValidationException", "choose one of ALL, AWS_MONTHLY_USAGE")


def test_flags_that_cannot_be_read_are_all_named(server):
    ended = subprocess.run([PROGRAM, "po", "add", "--id", "X", "--ship-to", "company", "--line", "foo", "--line", "number=1,amout=5", "--endpoint", server.endpoint],
                           capture_output=True, text=True, timeout=120, env=os.environ | QUIET | server.root.environment)
    assert ended.returncode == 2
    for said in ("--ship-to: `company` is no KEY=VALUE", "--line `foo`: `foo` is no KEY=VALUE", "`amout` is nothing that a line has; it takes number, type"):
        assert said in ended.stderr
