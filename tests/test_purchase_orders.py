"""Purchase orders through the server's doors: boto3 with the project's service model, the AWS CLI after `aws configure add-model`, the program's own commands."""
import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError

from desk import Desk, arn, at_once, name
from policy_months import PolicyMonth
from purchasing import CLIENTS, SHIP_TO, add, invoice, line, order, orders_client, own, refused, summary
from server import PREVIOUS, QUIET, Server, command, in_period


@pytest.fixture(scope="module")
def orders(server):
    return orders_client(server)


# ---- One order, from the cradle to the grave

def test_an_order_is_added_read_changed_suspended_and_deleted(server, orders):
    made = orders.add_purchase_order(**order(
        line("1", Tax={"Percentage": "20"}, Quantity="2"), line("2", Type="AWS_MONTHLY_USAGE", Amount="10.50", Tax={"Amount": "1.05"}, BalanceTracking=False),
        PurchaseOrderId="PO/2026: 1", Description="compute", PaymentTerms="Net 30", Tags={"team": "a"},
        Contacts=[{"Name": "Ann", "Email": "ann@example.com", "Phone": "1"}], BillTo=SHIP_TO))
    arn = made["PurchaseOrderArn"]
    assert arn == f"arn:aws:purchase-orders::{server.payer}:purchase-order/PO/2026: 1"
    assert (made["Revision"], made["Status"], made["Warnings"]) == (1, "ACTIVE", [])
    for asked in (arn, "PO/2026: 1"):
        got = orders.get_purchase_order(PurchaseOrderArn=asked)["PurchaseOrder"]
        assert (got["PurchaseOrderId"], got["Buyer"], got["Currency"], got["Description"]) == ("PO/2026: 1", "PAYER", "USD", "compute")
        assert (got["TotalAmount"], got["BalanceAmount"]) == ("2411.55", "2411.55")
        assert got["ShipTo"] == SHIP_TO == got["BillTo"] and got["Contacts"][0]["Email"] == "ann@example.com" and got["Tags"] == {"team": "a"}
    one, two = got["LineItems"]
    assert (one["NetValue"], one["TaxValue"], one["TotalValue"], one["CurrentBalance"]) == ("2000", "400", "2400", "2400")
    assert (two["TotalValue"], two["Tax"], two["Quantity"]) == ("11.55", {"Amount": "1.05"}, "1")
    changed = orders.update_purchase_order(PurchaseOrderArn=arn, Description="", ExpectedRevision=1, ExpirationMonth="2027-01")
    assert changed["Revision"] == 2 and "no line of purchase order" in changed["Warnings"][0]
    got = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    assert "Description" not in got and got["ExpirationMonth"] == "2027-01" and len(got["LineItems"]) == 2
    assert orders.get_purchase_order(PurchaseOrderArn=arn, Revision=1)["PurchaseOrder"]["Description"] == "compute"
    assert orders.update_purchase_order_status(PurchaseOrderArn=arn, Status="SUSPENDED")["Status"] == "SUSPENDED"
    assert orders.update_purchase_order_status(PurchaseOrderArn=arn, Status="SUSPENDED")["Revision"] == 3
    assert orders.update_purchase_order_status(PurchaseOrderArn=arn, Status="ACTIVE")["Status"] == "ACTIVE"
    orders.tag_resource(ResourceArn=arn, Tags={"cost": "x"})
    orders.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert orders.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"cost": "x"}
    assert orders.delete_purchase_order(PurchaseOrderArn=arn)["PurchaseOrderArn"] == arn
    refused(lambda: orders.get_purchase_order(PurchaseOrderArn=arn), "ResourceNotFoundException", "there is no purchase order")
    refused(lambda: add(orders, PurchaseOrderId="PO/2026: 1"), "ConflictException", "a deleted purchase order had the id `PO/2026: 1`")


def test_every_change_is_kept_as_a_revision(server, orders):
    arn = add(orders)["PurchaseOrderArn"]
    orders.update_purchase_order(PurchaseOrderArn=arn, Description="two")
    orders.update_purchase_order(PurchaseOrderArn=arn, Description="two")
    orders.update_purchase_order_status(PurchaseOrderArn=arn, Status="SUSPENDED")
    revisions = own(server, "ListPurchaseOrderRevisions", PurchaseOrderArn=arn)["Revisions"]
    assert [(row["Revision"], row["Action"].split(":")[1], row["By"]) for row in revisions] == [
        (1, "AddPurchaseOrder", "root"), (2, "UpdatePurchaseOrder", "root"), (3, "UpdatePurchaseOrderStatus", "root")]
    refused(lambda: orders.update_purchase_order(PurchaseOrderArn=arn, Description="x", ExpectedRevision=1), "ConflictException", "is at revision 3, not 1")


def test_who_has_written_is_in_the_audit(server, orders):
    arn = add(orders)["PurchaseOrderArn"]
    with pytest.raises(ClientError):
        add(orders, PurchaseOrderId="#")
    entries, given = [], {}
    while True:
        page = own(server, "ListAuditEvents", **given)
        entries += page["AuditEvents"]
        if "NextToken" not in page:
            break
        given = {"NextToken": page["NextToken"]}
    done = [entry for entry in entries if entry["Action"] == "purchase-orders:AddPurchaseOrder" and entry["Decision"] == "done"]
    assert done[-1]["Resource"] == arn and "root" in done[-1]["Principal"]


# ---- What is refused

FIELDS = [
    ({"LineItems": [line(str(number)) for number in range(101)]}, "101 lines"),
    ({"Contacts": [{"Email": f"a{number}@example.com"} for number in range(21)]}, "21 contacts"),
    ({"Tags": {f"k{number}": "v" for number in range(51)}}, "51 tags"),
    ({"LineItems": [line("1"), line("1")]}, "`1`"),
    ({"LineItems": [line(StartMonth="2025-12")]}, "2025-12"),
    ({"LineItems": [line(EndMonth="2027-01")]}, "2027-01"),
    ({"LineItems": [line(Type="AWS_MARKETPLACE_BLANKET_USAGE")], "BillFrom": ["AWS_INDIA"]}, "AWS_MARKETPLACE_BLANKET_USAGE"),
    ({"LineItems": [line(Type="AWS_PROFESSIONAL_SERVICES_AND_TRAINING_PURCHASE")], "BillFrom": ["AWS_EUROPE"]}, "AWS_PROFESSIONAL"),
    ({"LineItems": [line(Type="AWS Marketplace Purchase")]}, "AWS Marketplace Purchase"),
    ({"LineItems": [line(Amount="1.001")]}, "1.001"),
    ({"LineItems": [line(Amount="-1")]}, "-1"),
    ({"LineItems": [line(Amount="one")]}, "one"),
    ({"LineItems": [line(Quantity="0")]}, "`0`"),
    ({"LineItems": [line(Tax={"Percentage": "101"})]}, "101"),
    ({"LineItems": []}, "no line"),
    ({"Currency": "JPY", "LineItems": [line(Amount="1.5")]}, "1.5"),
    ({"EffectiveMonth": "2026-12", "ExpirationMonth": "2026-01"}, "2026-01"),
    ({"TaxRegistrationNumbers": ["GB123"]}, "AWS_EUROPE"),
    ({"PurchaseOrderId": "PO#1"}, "#"),
    ({"PurchaseOrderId": "P" * 101}, "100"),
    ({"BillFrom": []}, "seller"),
    ({"Contacts": [{"Email": "nobody"}]}, "nobody"),
]


@pytest.mark.parametrize("given, said", FIELDS, ids=[f"{next(iter(given))}-{number}" for number, (given, _) in enumerate(FIELDS)])
def test_what_is_wrong_with_an_order_is_said(orders, given, said):
    answer = refused(lambda: add(orders, **given), "ValidationException", said)
    assert answer["Fields"] and all(field["Name"][0].isupper() and field["Message"] for field in answer["Fields"]), answer


def test_everything_that_is_wrong_is_said_at_once(orders):
    wrong = {"PurchaseOrderId": "#", "LineItems": [line(Amount="1.001", StartMonth="2025-01")], "Contacts": [{"Email": "x"}]}
    answer = refused(lambda: add(orders, **wrong), "ValidationException", "")
    assert [field["Name"] for field in answer["Fields"]] == [
        "PurchaseOrderId", "Contacts[0].Email", "LineItems[0].StartMonth", "LineItems[0].Amount"]


@pytest.mark.parametrize("given, total", [({"Amount": "0", "BalanceTracking": False}, "0"), ({"Amount": "0.01"}, "0.01"), ({"Amount": "1", "Quantity": "0.5"}, "0.5"),
                                          ({"Amount": "999999999999.99"}, "999999999999.99")])
def test_amounts_at_their_edges_are_taken(orders, given, total):
    made = add(orders, line(**given))
    assert orders.get_purchase_order(PurchaseOrderArn=made["PurchaseOrderArn"])["PurchaseOrder"]["TotalAmount"] == total


@pytest.mark.parametrize("given, said", [({"Amount": "1" + "0" * 18}, "1" + "0" * 18), ({"Amount": "-0.01"}, "-0.01"), ({"Amount": "0.001"}, "0.001"),
                                         ({"Quantity": "-1"}, "-1"), ({"Amount": "1e3"}, "1e3"), ({"Amount": "999999999999999", "Quantity": "10"}, "line")])
def test_amounts_beyond_their_edges_are_refused(orders, given, said):
    refused(lambda: add(orders, line(**given)), "ValidationException", said)


def test_ids_at_their_edges(orders):
    long = (name("L") + "x" * 100)[:100]
    assert add(orders, PurchaseOrderId=long)["PurchaseOrderId"] == long
    refused(lambda: add(orders, PurchaseOrderId=long + "y"), "ValidationException", "100")
    refused(lambda: add(orders, PurchaseOrderId="PO\N{ROCKET}"), "ValidationException", "1f680")
    spaced = name("trailing")
    assert add(orders, PurchaseOrderId=f" {spaced} ")["PurchaseOrderId"] == spaced
    refused(lambda: add(orders, PurchaseOrderId=f"{spaced} "), "ConflictException", "there is already")
    # Letters of another case are another id.
    assert add(orders, PurchaseOrderId=spaced.upper())["PurchaseOrderId"] == spaced.upper()


def test_invoices_at_their_edges(server, orders):
    seller, number = name("SELLER"), name("EDGE")
    add(orders, BillFrom=[seller], PurchaseOrderId=number)
    zero, memo, foreign, wrong = (name(kind) for kind in ("ZERO", "MEMO", "YEN", "WRONG"))
    own(server, "ImportInvoices", Invoices=[
        invoice(zero, BillFrom=seller, TotalAmount="0"), invoice(memo, BillFrom=seller, Kind="CREDIT_MEMO", TotalAmount="5"),
        invoice(foreign, BillFrom=seller, Currency="JPY"), invoice(wrong, BillFrom=name("NOBODY"))])
    why = {identity: own(server, "GetInvoiceMatch", InvoiceId=identity)["InvoiceMatch"] for identity in (zero, memo, foreign, wrong)}
    assert (why[zero]["PurchaseOrderId"], why[zero]["UsedAmount"]) == (number, "0")
    assert [why[of]["Reason"] for of in (memo, foreign, wrong)] == ["CREDIT_MEMO_WITHOUT_ORIGINAL", "NO_ELIGIBLE_LINE", "NO_ELIGIBLE_PURCHASE_ORDER"]
    assert orders.get_purchase_order(PurchaseOrderArn=number)["PurchaseOrder"]["BalanceAmount"] == "1000"


def test_a_tax_is_an_amount_or_a_percentage(orders):
    refused(lambda: add(orders, line(Tax={"Amount": "1", "Percentage": "1"})), "ValidationException", "give one of the two")


def test_an_id_and_a_currency_never_change(orders):
    made = add(orders, PurchaseOrderId=name("fixed"))
    arn = made["PurchaseOrderArn"]
    refused(lambda: orders.update_purchase_order(PurchaseOrderArn=arn, PurchaseOrderId="other"), "ValidationException", "an id never changes")
    refused(lambda: orders.update_purchase_order(PurchaseOrderArn=arn, Currency="EUR"), "ValidationException", "EUR")
    refused(lambda: add(orders, PurchaseOrderId=made["PurchaseOrderId"]), "ConflictException", "there is already a purchase order")


@pytest.mark.parametrize("new_server", ["sqlite"], indirect=True)
def test_a_hundred_orders_may_be_active(new_server):
    server = new_server(transfers=False)
    client = orders_client(server)
    for number in range(100):
        client.add_purchase_order(**order(PurchaseOrderId=f"PO-{number}"))
    past = {"EffectiveMonth": "2026-01", "ExpirationMonth": "2026-09", "LineItems": [line(EndMonth="2026-09")]}
    refused(lambda: add(client, PurchaseOrderId="PO-100"), "ServiceLimitExceededException", "at most 100 may be active")
    # One that has expired is not active, nor is one that is suspended.
    add(client, PurchaseOrderId="old", **past)
    refused(lambda: client.update_purchase_order(PurchaseOrderArn="old", ExpirationMonth="2026-12"), "ServiceLimitExceededException", "at most 100")
    client.update_purchase_order_status(PurchaseOrderArn="PO-1", Status="SUSPENDED")
    add(client, PurchaseOrderId="PO-100")
    answer = refused(lambda: client.update_purchase_order_status(PurchaseOrderArn="PO-1", Status="ACTIVE"), "ServiceLimitExceededException", "at most 100")
    assert answer["LimitCode"] == "ACTIVE_PURCHASE_ORDERS" and answer["ServiceCode"] == "purchase-orders"
    # Another buyer has a hundred of its own.
    group = Desk(server.client()).group()
    client.add_purchase_order(**order(BillingGroupArn=group.arn))
    pages = [page["PurchaseOrders"] for page in client.get_paginator("list_purchase_orders").paginate(PaginationConfig={"PageSize": 40})]
    assert [len(page) for page in pages] == [40, 40, 23]
    assert len({item["PurchaseOrderArn"] for page in pages for item in page}) == 103


# ---- Client tokens

def test_a_repeated_request_makes_one_order(orders):
    given = order(ClientToken=name("token"))
    first, again = orders.add_purchase_order(**given), orders.add_purchase_order(**given)
    assert first["PurchaseOrderArn"] == again["PurchaseOrderArn"] and again["Revision"] == 1
    refused(lambda: orders.add_purchase_order(**given | {"Description": "other"}), "ValidationException", "was used before with another input")


# ---- Two writers

def test_two_writers_make_what_one_after_the_other_would(server, orders):
    arn = add(orders)["PurchaseOrderArn"]
    clients = [orders_client(server) for _ in range(8)]
    results = at_once([lambda client=client, number=number: client.update_purchase_order(PurchaseOrderArn=arn, Description=f"by {number}")
                       for number, client in enumerate(clients)])
    revisions = sorted(result["Revision"] for result in results)
    assert revisions == list(range(2, 10))
    same = name("same")
    results = at_once([lambda client=client: client.add_purchase_order(**order(PurchaseOrderId=same)) for client in clients])
    assert sum(isinstance(result, dict) for result in results) == 1
    assert {result.response["Error"]["Code"] for result in results if not isinstance(result, dict)} == {"ConflictException"}


# ---- Matching

def test_invoices_find_their_orders_and_change_balances(server, orders):
    seller = name("SELLER")
    arn = add(orders, line("1", Amount="150"), line("2", Type="AWS_SUBSCRIPTION_PURCHASE"), BillFrom=[seller])["PurchaseOrderArn"]
    ids = [name("INV") for _ in range(4)]
    done = own(server, "ImportInvoices", Invoices=[
        invoice(ids[0], BillFrom=seller), invoice(ids[1], BillFrom=seller, Kind="SUBSCRIPTION", TotalAmount="30"),
        invoice(ids[2], BillFrom=seller, TotalAmount="80", IssuedDate="2026-11-04T00:00:00Z"),
        invoice(ids[3], BillFrom=seller, Kind="CREDIT_MEMO", TotalAmount="40", OriginalInvoiceId=ids[0], IssuedDate="2026-11-05T00:00:00Z")])
    assert (done["New"], done["Matched"]) == (4, 4) and "below its balance" in done["Warnings"][0]
    got = orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    assert [(item["InvoicedAmount"], item["CurrentBalance"]) for item in got["LineItems"]] == [("140", "10"), ("30", "970")]
    listed = orders.list_purchase_order_invoices(PurchaseOrderArn=arn, MaxResults=3)
    assert [(item["InvoiceId"], item["LineItemNumber"], item["OutOfBalance"]) for item in listed["Invoices"]] == [
        (ids[0], "1", False), (ids[1], "2", False), (ids[2], "1", True)]
    rest = orders.list_purchase_order_invoices(PurchaseOrderArn=arn, MaxResults=3, NextToken=listed["NextToken"])
    assert [(item["InvoiceId"], item["InvoiceType"], item["OriginalInvoiceId"]) for item in rest["Invoices"]] == [(ids[3], "CREDIT_MEMO", ids[0])]
    assert own(server, "ImportInvoices", Invoices=[invoice(ids[0], BillFrom=seller)])["Unchanged"] == 1
    assert own(server, "ImportInvoices", Invoices=[invoice(ids[0], BillFrom=seller, TotalAmount="90")])["Changed"] == 1
    assert orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["LineItems"][0]["InvoicedAmount"] == "130"
    refused(lambda: orders.delete_purchase_order(PurchaseOrderArn=arn), "ConflictException", "has 4 invoices")


def test_an_invoice_says_why(server, orders):
    seller = name("SELLER")
    taken = add(orders, BillFrom=[seller])["PurchaseOrderId"]
    suspended = add(orders, BillFrom=[seller])["PurchaseOrderId"]
    orders.update_purchase_order_status(PurchaseOrderArn=suspended, Status="SUSPENDED")
    identity, orphan = name("INV"), name("INV")
    own(server, "ImportInvoices", Invoices=[invoice(identity, BillFrom=seller), invoice(orphan, BillFrom=name("NOBODY"))])
    why = own(server, "GetInvoiceMatch", InvoiceId=identity)
    assert (why["InvoiceMatch"]["PurchaseOrderId"], why["BalanceAfter"], why["InvoiceMatch"]["How"]) == (taken, "900", "MATCHED")
    reasons = {item["PurchaseOrderId"]: item.get("Reason") or item["LineItems"][0]["Reason"] for item in why["Candidates"]}
    assert (reasons[taken], reasons[suspended]) == ("TAKEN", "PO_SUSPENDED")
    said = server.command("po", "explain", identity)
    assert f"is associated with line `1` of purchase order `{taken}`" in said and f"Purchase order `{suspended}` was not a candidate" in said
    none = own(server, "GetInvoiceMatch", InvoiceId=orphan)
    assert none["InvoiceMatch"]["Reason"] == "NO_ELIGIBLE_PURCHASE_ORDER" and "PurchaseOrderId" not in none["InvoiceMatch"]
    assert server.own("GetInvoiceMatch", {"InvoiceId": "nowhere"}).error == "ResourceNotFoundException"


def test_an_invoice_is_moved_and_both_places_are_kept(server, orders):
    seller = name("SELLER")
    one, two = (add(orders, BillFrom=[seller], Description=text)["PurchaseOrderId"] for text in ("one", "two"))
    identity, memo = name("INV"), name("MEMO")
    own(server, "ImportInvoices", Invoices=[invoice(identity, BillFrom=seller), invoice(
        memo, BillFrom=seller, Kind="CREDIT_MEMO", TotalAmount="25", OriginalInvoiceId=identity, IssuedDate="2026-11-05T00:00:00Z")])
    there = own(server, "GetInvoiceMatch", InvoiceId=identity)["InvoiceMatch"]["PurchaseOrderId"]
    other = two if there == one else one
    balance = lambda of: orders.get_purchase_order(PurchaseOrderArn=of)["PurchaseOrder"]["BalanceAmount"]
    assert (balance(there), balance(other)) == ("925", "1000")
    server.command("po", "move", identity, "--to", other, "--line", "1", "--reason", "ordered there")
    assert (balance(there), balance(other)) == ("1000", "925")
    history = own(server, "GetInvoiceMatch", InvoiceId=identity)["History"]
    assert [(row["PurchaseOrderId"], row["How"], row["DecidedBy"]) for row in history] == [(there, "MATCHED", "root"), (other, "MOVED", "root")]
    assert "ordered there" in server.command("po", "explain", identity)
    for given, said in [({"PurchaseOrderArn": other, "LineItemNumber": "1"}, "already"), ({"PurchaseOrderArn": other, "LineItemNumber": "9"}, "has no line `9`"),
                        ({"PurchaseOrderArn": "nowhere", "LineItemNumber": "1"}, "there is no purchase order"), ({"PurchaseOrderArn": other}, "name the order and its line")]:
        answer = server.own("MoveInvoice", {"InvoiceId": identity, "Reason": "x"} | given)
        assert answer.status in (400, 404) and said in answer.json["Message"], answer.body
    assert "say why" in server.own("MoveInvoice", {"InvoiceId": identity, "Reason": " "}).json["Message"]
    # The rules leave alone what a person has placed.
    plan = own(server, "PlanRematch")["Changes"]
    assert identity not in {change["InvoiceId"] for change in plan}
    server.command("po", "move", identity, "--off", "--reason", "disputed")
    assert (balance(there), balance(other)) == ("1000", "1000")


def test_matching_again_says_first_what_it_would_do(server, orders):
    seller = name("SELLER")
    identity = name("INV")
    own(server, "ImportInvoices", Invoices=[invoice(identity, BillFrom=seller)])
    arn = add(orders, BillFrom=[seller])["PurchaseOrderArn"]
    mine = lambda: [change for change in own(server, "PlanRematch")["Changes"] if change["InvoiceId"] == identity]
    assert [(change.get("FromPurchaseOrderId"), change["ToLineItemNumber"]) for change in mine()] == [(None, "1")]
    assert orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["BalanceAmount"] == "1000"
    done = own(server, "ApplyRematch", InvoiceIds=[identity])["Changes"]
    assert [change["InvoiceId"] for change in done] == [identity] and mine() == []
    assert orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["BalanceAmount"] == "900"
    assert own(server, "GetInvoiceMatch", InvoiceId=identity)["InvoiceMatch"]["How"] == "REMATCHED"
    assert "leave invoice" in server.own("ApplyRematch", {"InvoiceIds": [identity]}).json["Message"]


def test_invoices_are_taken_from_answers_of_aws(server, orders, tmp_path):
    europe, memo = name("EU"), name("MEMO")
    arn = add(orders, BillFrom=["AWS_EUROPE"], Currency="EUR")["PurchaseOrderArn"]
    entity = {"InvoicingEntity": "Amazon Web Services EMEA SARL", "BillingEntity": "AWS"}
    euros = {"TotalAmount": "100.00", "CurrencyCode": "EUR", "CurrencyExchangeDetails": {"SourceCurrencyCode": "USD", "TargetCurrencyCode": "EUR", "Rate": "0.84"}}
    answer = {"InvoiceSummaries": [
        summary(europe, Entity=entity, PaymentCurrencyAmount=euros, PurchaseOrderNumber="elsewhere"),
        summary(memo, Entity=entity, InvoiceType="CREDIT_MEMO", BillType="REFUND", OriginalInvoiceId=europe,
                PaymentCurrencyAmount=euros | {"TotalAmount": "30.00"}, IssuedDate=1793750400),
        summary(name("RECEIPT"), InvoiceType="PAYMENT_RECEIPT")]}
    file = tmp_path / "summaries.json"
    file.write_text(json.dumps(answer) + "\n" + json.dumps({"InvoiceSummaries": []}))
    done = json.loads(server.command("po", "import", "--invoices", file, "--output", "json"))
    assert (done["New"], done["Matched"]) == (2, 2)
    assert any("payment receipt" in said for said in done["Warnings"]) and any("carries purchase order `elsewhere`" in said for said in done["Warnings"])
    assert orders.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["BalanceAmount"] == "930"
    listed = orders.list_purchase_order_invoices(PurchaseOrderArn=arn)["Invoices"]
    assert listed[0]["DueDate"].strftime("%Y-%m-%d") == "2026-12-03"
    for content, said in [("no JSON", "are no JSON"), ("{}", "no `InvoiceSummaries`"), (json.dumps({"InvoiceSummaries": [{"InvoiceId": "x"}]}), "is missing")]:
        answer = server.own("ImportInvoices", {"Content": content})
        assert answer.status == 400 and said in answer.json["Message"], answer.body


def test_a_number_given_in_aws_marketplace_makes_an_order(server, orders):
    number, charge = name("MP"), name("charge")
    bought = {"Kind": "MARKETPLACE_OUT_OF_CYCLE", "ChargeId": charge, "RequestedPurchaseOrderId": number}
    identity = name("INV")
    assert own(server, "ImportInvoices", Invoices=[invoice(identity, **bought)])["Matched"] == 1
    got = orders.get_purchase_order(PurchaseOrderArn=number)["PurchaseOrder"]
    assert [(item["Type"], item["ChargeId"], item["BalanceTracking"]) for item in got["LineItems"]] == [("AWS_MARKETPLACE_TRANSACTION", charge, False)]
    assert (got["EffectiveMonth"], got["ExpirationMonth"]) == ("2026-10", "2026-10")
    # Another purchase under the same number gets a line of its own, and revives the order.
    own(server, "ImportInvoices", Invoices=[invoice(BillingPeriod="2026-11", IssuedDate="2026-11-09T00:00:00Z", **bought | {"ChargeId": name("charge")})])
    again = orders.get_purchase_order(PurchaseOrderArn=number)["PurchaseOrder"]
    assert len(again["LineItems"]) == 2 and again["ExpirationMonth"] == "2026-11" and again["Revision"] > 1
    assert orders.get_purchase_order(PurchaseOrderArn=number, Revision=1)["PurchaseOrder"]["LineItems"][0]["ChargeId"] == charge


def test_an_invoice_has_one_buyer_and_says_one_thing(server, orders):
    group, identity = Desk(server.client()).group(), name("INV")
    own(server, "ImportInvoices", Invoices=[invoice(identity)])
    for given, said in [([invoice(identity, BillingGroupArn=group.arn)], "of another buyer"), ([invoice("TWICE"), invoice("TWICE", TotalAmount="1")], "comes twice"),
                        ([invoice(ExchangeRate="1")], "an exchange has"), ([invoice(TotalAmount="much")], "much"), ([invoice(IssuedDate="soon")], "no instant")]:
        answer = server.own("ImportInvoices", {"Invoices": given})
        assert answer.status == 400 and said in answer.json["Message"], answer.body


def test_orders_are_taken_over_with_what_has_become_illegal(server, orders, tmp_path):
    identity = name("OLD")
    header = "id,bill_from,currency,effective,expiration,updated_at,ship_to_company,ship_to_country,line_number,line_type,line_start,line_end,line_amount,line_tax,line_balance_tracking"
    rows = [f"{identity},AWS_INC,USD,2026-01,2026-12,2026-02-03T04:05:06Z,Larkfield,GB,1,AWS Marketplace Purchase,2026-01,2026-12,100,19%,yes",
            f"{identity},AWS_INC,USD,2026-01,2026-12,2026-02-03T04:05:06Z,Larkfield,GB,2,ALL,2025-01,2026-12,5,,no"]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    done = json.loads(server.command("po", "import", file, "--output", "json"))
    assert done["Added"] == 1 and any("2025-01" in said for said in done["Warnings"]), done
    got = orders.get_purchase_order(PurchaseOrderArn=identity)["PurchaseOrder"]
    assert got["UpdatedOn"].strftime("%Y-%m-%dT%H:%M:%SZ") == "2026-02-03T04:05:06Z"
    assert [(item["Type"], item["TotalValue"]) for item in got["LineItems"]] == [("AWS_MARKETPLACE_BLANKET_USAGE", "119"), ("ALL", "5")]
    assert json.loads(server.command("po", "import", file, "--output", "json"))["Unchanged"] == 1
    file.write_text("\n".join([header, *rows]).replace(",100,", ",200,") + "\n")
    assert json.loads(server.command("po", "import", file, "--output", "json"))["Changed"] == 1
    wrong = [{"PurchaseOrderId": "a", "BillFrom": ["AWS_INC"], "EffectiveMonth": "2026-01", "ExpirationMonth": "2026-12", "UpdatedAt": "yesterday", "LineItems": [line()]}]
    assert "no instant" in server.own("ImportPurchaseOrders", {"PurchaseOrders": wrong}).json["Message"]


def test_how_invoices_are_matched_is_settled(new_server):
    server = new_server(transfers=False)
    client = orders_client(server)
    assert own(server, "GetMatchingSettings")["OnInsufficientBalance"] == "ASSOCIATE"
    server.command("po", "settings", "--on-insufficient-balance", "HOLD", "--allow-number-sign", "true", "--cost-tolerance", "1%", "--cost-tolerance", "0.5",
                   "--line-tolerance", "2", "--require-order", "true", "--approval-above", "5000")
    settled = own(server, "GetMatchingSettings")
    assert (settled["OnInsufficientBalance"], settled["AllowNumberSign"], settled["CostTolerancePercentage"], settled["CostToleranceAmount"],
            settled["LineToleranceAmount"], settled["RequirePurchaseOrder"], settled["ApprovalAbove"]) == ("HOLD", True, "1", "0.5", "2", True, "5000")
    # When contacts are told of a balance is said in one place, the notification settings.
    assert "BalanceThresholds" not in settled and "LineTolerancePercentage" not in settled
    server.command("po", "settings", "--line-tolerance", "NONE")
    settled.pop("LineToleranceAmount")
    assert own(server, "GetMatchingSettings") == settled
    add(client, line(Amount="10"), PurchaseOrderId="PO#1")
    done = own(server, "ImportInvoices", Invoices=[invoice("I1")])
    assert done["Matched"] == 0 and "waits" in done["Warnings"][0]
    assert own(server, "GetInvoiceMatch", InvoiceId="I1")["InvoiceMatch"]["Flags"] == ["HELD"]
    for given, said in [({"LineTypes": ["NONE"]}, "is no type of line"), ({"ApprovalAbove": "much"}, "no amount of 0 or more")]:
        assert said in server.own("UpdateMatchingSettings", given).json["Message"]
    server.restart()
    assert own(server, "GetMatchingSettings") == settled


# ---- What is ahead, and whether all agree

def test_an_order_says_when_it_runs_out(server, orders):
    seller = name("SELLER")
    arn = add(orders, line("1", Amount="400"), line("2", StartMonth="2026-01", EndMonth="2026-02", Type="AWS_SUBSCRIPTION_PURCHASE"), BillFrom=[seller])["PurchaseOrderArn"]
    assert own(server, "GetPurchaseOrderForecast", PurchaseOrderArn=arn)["LineItems"][0]["State"] == "INSUFFICIENT_DATA"
    own(server, "ImportInvoices", Invoices=[
        invoice(BillFrom=seller, BillingPeriod=period, TotalAmount=total) for period, total in (("2026-08", "100"), ("2026-09", "120"), ("2026-10", "110"))])
    forecast = own(server, "GetPurchaseOrderForecast", PurchaseOrderArn=arn)
    one, two = forecast["LineItems"]
    assert (one["State"], one["MonthlyRate"], one["CurrentBalance"], one["RunsOutMonth"], one["BalanceAtEnd"]) == ("FORECAST", "110", "70", "2026-11", "-150")
    assert one["MonthAboveBalance"] is True and forecast["RunsOutMonth"] == "2026-11"
    assert [(month["BillingPeriod"], month["Amount"]) for month in one["BurnDown"]] == [("2026-08", "100"), ("2026-09", "120"), ("2026-10", "110")]
    assert (two["State"], two["UnusedAtExpiry"]) == ("ENDED", "1000")
    assert "2026-11" in server.command("po", "forecast", arn)


def test_a_month_whose_invoice_is_still_to_come_is_no_month_of_nothing(new_server):
    server = new_server(transfers=False, now="2026-12-02T08:00:00Z")
    arn = add(orders_client(server), line("1", Amount="1000"))["PurchaseOrderArn"]
    own(server, "ImportInvoices", Invoices=[invoice(BillingPeriod=period, TotalAmount="120") for period in ("2026-08", "2026-09", "2026-10")])
    one, = own(server, "GetPurchaseOrderForecast", PurchaseOrderArn=arn)["LineItems"]
    # November and December are still to come of 640.
    assert (one["MonthlyRate"], one["CurrentBalance"], one["BalanceAtEnd"]) == ("120", "640", "400")
    own(server, "ImportInvoices", Invoices=[invoice(BillingPeriod="2026-11", TotalAmount="30", IssuedDate="2026-12-01T00:00:00Z")])
    assert own(server, "GetPurchaseOrderForecast", PurchaseOrderArn=arn)["LineItems"][0]["MonthlyRate"] == "90"


def test_invoices_of_cost_files_find_their_orders_and_are_held_against_them(new_server, tmp_path):
    """A run that becomes shown brings AWS's invoices: matched once, and held against what AWS lists later."""
    server = new_server(transfers=False)
    client, past, month = orders_client(server), Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group()
    bill = {"bill_invoice_id": "AWS-1", "bill_bill_type": "Anniversary", "bill_billing_entity": "AWS", "bill_invoicing_entity": "Amazon Web Services, Inc."}
    month.line(group.primary, cost="70", **bill)
    month.line(group.primary, cost="30", **bill)
    arn = add(client, line(Amount="1000"))["PurchaseOrderArn"]
    server.load(month.write(tmp_path / "cost"))
    for _ in range(60):
        listed = own(server, "ListInvoiceMatches")["InvoiceMatches"]
        if listed:
            break
        time.sleep(0.5)
    assert [(item["InvoiceId"], item["TotalAmount"], item["Source"], item["Kind"], item["PurchaseOrderId"]) for item in listed] == [
        ("AWS-1", "100", "run", "MONTHLY_USAGE", client.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["PurchaseOrderId"])]
    assert client.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["BalanceAmount"] == "900"
    assert [item["Result"] for item in own(server, "GetThreeWayMatch")["ThreeWayMatches"]] == ["MATCHED"]
    # AWS's own list says another total and when it was issued: that goes before.
    own(server, "ImportInvoices", Content=json.dumps({"InvoiceSummaries": [summary("AWS-1", PaymentCurrencyAmount={"TotalAmount": "101.00", "CurrencyCode": "USD"})]}))
    assert client.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["BalanceAmount"] == "899"
    found = own(server, "GetThreeWayMatch")["ThreeWayMatches"][0]
    assert (found["Result"], found["MeteredAmount"]) == ("EXCEPTION", "100")
    assert [(of["Reason"], of["Against"], of["Difference"], of["Direction"]) for of in found["Differences"]] == [("BEYOND_TOLERANCE", "COST_DATA", "1", "ABOVE")]
    assert own(server, "GetThreeWayMatch", CostToleranceAmount="1")["ThreeWayMatches"][0]["Result"] == "MATCHED_WITHIN_TOLERANCE"
    assert own(server, "GetThreeWayMatch", CostToleranceAmount="1", ApprovalAbove="50")["ThreeWayMatches"][0]["Differences"][0]["Reason"] == "NEEDS_APPROVAL"
    own(server, "ImportInvoices", Invoices=[invoice("LOST", BillFrom="NOBODY")])
    results = {item["InvoiceId"]: item["Result"] for item in own(server, "GetThreeWayMatch", CostToleranceAmount="1")["ThreeWayMatches"]}
    assert results["LOST"] == "UNMATCHED"
    results = {item["InvoiceId"]: item["Result"] for item in own(server, "GetThreeWayMatch", RequirePurchaseOrder=True)["ThreeWayMatches"]}
    assert results["LOST"] == "EXCEPTION"
    assert "EXCEPTION" in server.command("po", "three-way", "--period", PREVIOUS, "--cost-tolerance", "1%", "--cost-tolerance", "0.5", "--require-order")
    assert "no amount of 0 or more" in server.own("GetThreeWayMatch", {"CostToleranceAmount": "-1"}).json["Message"]
    # A run that is shown again takes nothing back of what AWS has listed.
    server.restart()
    assert client_balance(server, arn) == "899"


def test_an_invoice_whose_lines_have_no_bill_type_is_matched_all_the_same(new_server, tmp_path):
    """FOCUS has no bill type: what the lines are tells the kind. A bill type that nobody knows does not, and that is said."""
    server = new_server(transfers=False)
    client, past, month = orders_client(server), Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group()
    bill = {"bill_billing_entity": "AWS", "bill_invoicing_entity": "Amazon Web Services, Inc."}
    month.line(group.primary, cost="70", bill_invoice_id="AWS-1", bill_bill_type="", **bill)
    month.line(group.primary, cost="30", bill_invoice_id="AWS-2", bill_bill_type="Odd", **bill)
    arn = add(client, line(Amount="1000"))["PurchaseOrderArn"]
    server.load(month.write(tmp_path / "cost"))
    for _ in range(60):
        if listed := own(server, "ListInvoiceMatches")["InvoiceMatches"]:
            break
        time.sleep(0.5)
    assert [(item["InvoiceId"], item["Kind"], item["TotalAmount"]) for item in listed] == [("AWS-1", "MONTHLY_USAGE", "70")]
    assert client_balance(server, arn) == "930"
    why = server.own("GetInvoiceMatch", {"InvoiceId": "AWS-2"})
    assert why.status == 400 and "is in the cost files of 2026-10 and is not matched: its lines have bill type `Odd`" in why.json["Message"], why.body
    # The operator says the kind.
    own(server, "ImportInvoices", Invoices=[invoice("AWS-2", TotalAmount="30")])
    assert client_balance(server, arn) == "900"
    assert {item["InvoiceId"]: item["Result"] for item in own(server, "GetThreeWayMatch")["ThreeWayMatches"]} == {"AWS-1": "MATCHED", "AWS-2": "MATCHED"}


def three_way(server, identity, **given):
    """What holding one invoice against its order and its cost says: the result, and why."""
    found, = [item for item in own(server, "GetThreeWayMatch", **given)["ThreeWayMatches"] if item["InvoiceId"] == identity]
    return found["Result"], {of["Reason"] for of in found["Differences"]}, found


def test_orders_invoices_and_cost_agree_as_they_are_now(new_server, tmp_path):
    server = new_server(transfers=False)
    client, past, month = orders_client(server), Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group()
    for identity, cost in (("USAGE", "100"), ("EURO", "33.33"), ("MEMO", "-30"), ("SECOND", "60")):
        kind = {"bill_bill_type": "Refund", "kind": "Refund"} if identity == "MEMO" else {"bill_bill_type": "Anniversary"}
        month.line(group.primary, cost=cost, bill_invoice_id=identity, bill_billing_entity="AWS", bill_invoicing_entity="Amazon Web Services, Inc.", **kind)
    arn = add(client, line("1", Amount="150"), line("2", Type="AWS_SUBSCRIPTION_PURCHASE", Amount="1"))["PurchaseOrderArn"]
    server.load(month.write(tmp_path / "cost"))
    for _ in range(60):
        if len(own(server, "ListInvoiceMatches")["InvoiceMatches"]) == 4:
            break
        time.sleep(0.5)
    exchange = {"ExchangeSource": "USD", "ExchangeTarget": "EUR", "ExchangeRate": "0.9137"}
    own(server, "ImportInvoices", Invoices=[
        invoice("USAGE", TotalAmount="100", IssuedDate="2026-11-01T00:00:00Z"),
        invoice("EURO", TotalAmount="30.45", Currency="EUR", **exchange, IssuedDate="2026-11-01T00:00:00Z"),
        invoice("MEMO", Kind="CREDIT_MEMO", OriginalInvoiceId="USAGE", TotalAmount="30", IssuedDate="2026-11-04T00:00:00Z"),
        invoice("SECOND", TotalAmount="60", IssuedDate="2026-11-02T00:00:00Z")])
    # A memo takes back what its cost takes back, whichever sign it is listed with; an exchange that an invoice states is gone by.
    assert three_way(server, "USAGE")[0] == three_way(server, "MEMO")[0] == "MATCHED"
    assert three_way(server, "EURO")[0] == "MATCHED"
    # The second one is more than what the line has left for it; once the order is raised it is not, and what was then is still said.
    result, why, found = three_way(server, "SECOND")
    assert (result, why, found["WasOutOfBalance"]) == ("EXCEPTION", {"BEYOND_TOLERANCE"}, True)
    client.update_purchase_order(PurchaseOrderArn=arn, LineItems=[line("1", Amount="500"), line("2", Type="AWS_SUBSCRIPTION_PURCHASE", Amount="1")])
    result, why, found = three_way(server, "SECOND")
    assert (result, why, found["WasOutOfBalance"]) == ("MATCHED", set(), True)
    # One that is held waits for a person, and is no invoice without an order.
    own(server, "UpdateMatchingSettings", OnInsufficientBalance="HOLD")
    own(server, "ImportInvoices", Invoices=[invoice("HELD", Kind="SUBSCRIPTION", TotalAmount="900")])
    assert "HELD" in three_way(server, "HELD")[1]
    # Terms are settings, and others for once.
    own(server, "UpdateMatchingSettings", ApprovalAbove="50")
    assert three_way(server, "USAGE")[:2] == ("EXCEPTION", {"NEEDS_APPROVAL"})
    assert three_way(server, "USAGE", ApprovalAbove="NONE")[0] == "MATCHED"
    assert "Reason" in server.own("ApproveInvoice", {"InvoiceId": "USAGE", "Reason": " "}).json["Message"]
    keys = server.keys(name("boss"), "finance")
    assert own(server, "ApproveInvoice", keys, InvoiceId="USAGE", Reason="as agreed")["ApprovedBy"] == keys.principal
    result, _, found = three_way(server, "USAGE")
    assert (result, found["Approval"]["ApprovedBy"], found["Approval"]["Reason"]) == ("MATCHED", keys.principal, "as agreed")
    assert any("ApproveInvoice" in event["Action"] for event in own(server, "ListAuditEvents")["AuditEvents"])
    # With another total it is to be looked at again.
    own(server, "ImportInvoices", Invoices=[invoice("USAGE", TotalAmount="101", IssuedDate="2026-11-01T00:00:00Z")])
    result, why, found = three_way(server, "USAGE", CostToleranceAmount="1")
    assert (result, why) == ("EXCEPTION", {"NEEDS_APPROVAL"}) and "Approval" not in found
    assert server.own("ApproveInvoice", {"InvoiceId": "NONE", "Reason": "x"}).error == "ResourceNotFoundException"
    # Page by page the list is the same.
    whole, token, pages = [item["InvoiceId"] for item in own(server, "GetThreeWayMatch")["ThreeWayMatches"]], None, []
    while True:
        page = own(server, "GetThreeWayMatch", MaxResults=2, **({"NextToken": token} if token else {}))
        pages += [item["InvoiceId"] for item in page["ThreeWayMatches"]]
        token = page.get("NextToken")
        if not token:
            break
    assert pages == whole and len(whole) == 5
    assert set(whole) == {item["InvoiceId"] for item in json.loads(server.command("po", "three-way", "--output", "json"))["ThreeWayMatches"]}


def client_balance(server, arn):
    return orders_client(server).get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["BalanceAmount"]


# ---- Who may what

@pytest.fixture(scope="module")
def customers(server):
    """Two customers, each with a key and an order of its own; the operator has one too. All have the same number."""
    desk, client = Desk(server.client()), orders_client(server)
    number = name("SAME")
    add(client, PurchaseOrderId=number, Description="secret of the operator")
    made = []
    for of in range(2):
        group = desk.group()
        keys = server.keys(name("customer"), "group-viewer", [group.arn])
        buyer = orders_client(server, keys)
        arn = buyer.add_purchase_order(**order(PurchaseOrderId=number, BillFrom=["LARKFIELD"], Description=f"of customer {of}"))["PurchaseOrderArn"]
        own(server, "ImportInvoices", Invoices=[invoice(f"C{of}-{number}", BillingGroupArn=group.arn, BillFrom="LARKFIELD")])
        made.append((group, keys, buyer, arn))
    return number, made


def test_a_customer_has_its_own_orders_and_no_others(server, orders, customers):
    number, ((group, keys, mine, arn), (other_group, _, _, other)) = customers
    assert arn == f"arn:aws:purchase-orders::{server.payer}:billinggroup/{group.id}/purchase-order/{number}"
    listed = mine.list_purchase_orders()["PurchaseOrders"]
    assert [(item["PurchaseOrderArn"], item["Buyer"], item["BillingGroupArn"], item["BalanceAmount"]) for item in listed] == [(arn, "BILLING_GROUP", group.arn, "900")]
    assert mine.get_purchase_order(PurchaseOrderArn=number)["PurchaseOrder"]["Description"] == "of customer 0"
    operators = f"arn:aws:purchase-orders::{server.payer}:purchase-order/{number}"
    nowhere = f"arn:aws:purchase-orders::{server.payer}:purchase-order/nowhere"
    for foreign in (other, operators):
        for act in (mine.get_purchase_order, mine.list_purchase_order_invoices, mine.delete_purchase_order):
            told = refused(lambda act=act, foreign=foreign: act(PurchaseOrderArn=foreign), "ResourceNotFoundException", "there is no purchase order")
            absent = refused(lambda act=act: act(PurchaseOrderArn=nowhere), "ResourceNotFoundException", "there is no purchase order")
            assert told["Error"]["Message"].replace(foreign, "") == absent["Error"]["Message"].replace(nowhere, "")
        refused(lambda foreign=foreign: mine.update_purchase_order(PurchaseOrderArn=foreign, Description="x"), "ResourceNotFoundException", "")
        refused(lambda foreign=foreign: mine.update_purchase_order_status(PurchaseOrderArn=foreign, Status="SUSPENDED"), "ResourceNotFoundException", "")
        refused(lambda foreign=foreign: mine.tag_resource(ResourceArn=foreign, Tags={"a": "b"}), "ResourceNotFoundException", "")
    refused(lambda: mine.add_purchase_order(**order(BillingGroupArn=other_group.arn)), "ResourceNotFoundException", "there is no billing group")
    assert mine.list_purchase_orders(Filters={"BillingGroupArns": [other_group.arn]})["PurchaseOrders"] == []
    assert mine.list_purchase_orders(Filters={"Buyer": "PAYER"})["PurchaseOrders"] == []
    matches = own(server, "ListInvoiceMatches", keys)["InvoiceMatches"]
    assert [(item["InvoiceId"], item["PurchaseOrderId"]) for item in matches] == [(f"C0-{number}", number)] and "DecidedBy" not in matches[0]
    assert server.own("GetInvoiceMatch", {"InvoiceId": f"C1-{number}"}, keys).error == "ResourceNotFoundException"
    answers = [server.own("ListInvoiceMatches", {}, keys).body, server.own("GetInvoiceMatch", {"InvoiceId": f"C0-{number}"}, keys).body,
               json.dumps(mine.list_purchase_orders(), default=str).encode()]
    assert all(secret not in answer for answer in answers for secret in (b"secret", b"customer 1", other_group.id.encode()))
    # The operator sees them all, and tells them apart.
    everything = {item["PurchaseOrderArn"] for page in orders.get_paginator("list_purchase_orders").paginate() for item in page["PurchaseOrders"]}
    assert {arn, other, operators} <= everything


def asked_of_aws(server, operation, given, keys):
    """A request of the service `purchase-orders`, byte by byte."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"PurchaseOrders.{operation}"}
    return server.ask("POST", "/", json.dumps(given).encode(), keys, service="purchase-orders", headers=headers)


def test_a_customer_cannot_ask_who_else_there_is(server, customers):
    """Wherever a group may be named, by name, id or ARN: another customer's is answered as one that nobody has."""
    _, ((group, keys, mine, _), (other, *_)) = customers
    nobody = {other.arn: arn("billinggroup", "000000000001"), other.id: "000000000001", other.name: "nobody-has-this-name"}
    for foreign, unknown in nobody.items():
        requests = [("ListInvoiceMatches", "proforma", lambda of: {"BillingGroupArn": of}),
                    ("ListInvoices", "proforma", lambda of: {"BillingGroup": of}),
                    ("AddPurchaseOrder", "purchase-orders", lambda of: order(BillingGroupArn=of)),
                    ("ListPurchaseOrders", "purchase-orders", lambda of: {"Filters": {"BillingGroupArns": [of]}}),
                    ("ListPurchaseOrders", "purchase-orders", lambda of: {"Filters": {"BillingGroupArns": [group.arn, of], "Buyer": "BILLING_GROUP"}})]
        for operation, service, asked in requests:
            told = []
            for of in (foreign, unknown):
                answer = server.own(operation, asked(of), keys) if service == "proforma" else asked_of_aws(server, operation, asked(of), keys)
                told.append((answer.status, answer.error, answer.body.decode().replace(of, "GROUP")))
            assert told[0] == told[1], operation
            assert operation == "ListPurchaseOrders" or told[0][0] in (400, 404), told
    for own_ in (group.arn, group.id, group.name):
        assert len(own(server, "ListInvoiceMatches", keys, BillingGroupArn=own_)["InvoiceMatches"]) == 1


def test_a_customer_is_not_told_who_of_the_operators_people_decided(server, orders, customers):
    number, ((_, keys, mine, arn), _) = customers
    orders.update_purchase_order(PurchaseOrderArn=arn, PaymentTerms="Net 30")
    assert "UpdatedBy" not in mine.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]
    revisions = own(server, "ListPurchaseOrderRevisions", keys, PurchaseOrderArn=arn)["Revisions"]
    assert [row.get("By") for row in revisions] == [keys.principal, None]
    own(server, "MoveInvoice", InvoiceId=f"C0-{number}", Reason="between us")
    try:
        told = server.own("GetInvoiceMatch", {"InvoiceId": f"C0-{number}"}, keys)
        assert told.json["Explanation"][0].startswith("Invoice") and b"between us" not in told.body and b"root" not in told.body
    finally:
        own(server, "MoveInvoice", InvoiceId=f"C0-{number}", PurchaseOrderArn=arn, LineItemNumber="1", Reason="back")


def test_the_token_of_a_customer_is_its_own(server, customers):
    _, ((_, _, mine, _), (_, _, theirs, _)) = customers
    given = order(ClientToken=name("token"))
    assert mine.add_purchase_order(**given)["PurchaseOrderArn"] != theirs.add_purchase_order(**given)["PurchaseOrderArn"]


WRITES = {"AddPurchaseOrder", "DeletePurchaseOrder", "TagResource", "UntagResource", "UpdatePurchaseOrder", "UpdatePurchaseOrderStatus"}
OWN = {"ImportPurchaseOrders": "finance", "ImportInvoices": "finance", "MoveInvoice": "finance", "ApplyRematch": "finance", "UpdateMatchingSettings": "finance", "ApproveInvoice": "finance",
       "PlanRematch": "analyst", "GetMatchingSettings": "analyst", "LimitPurchaseOrders": "payer-admin", "ListPurchaseOrderLimits": "payer-admin",
       "GetThreeWayMatch": "analyst", "ListInvoiceMatches": "group-viewer", "GetInvoiceMatch": "group-viewer", "ListPurchaseOrderRevisions": "group-viewer",
       "GetPurchaseOrderForecast": "group-viewer"}
ROLES = ["payer-admin", "finance", "analyst", "group-viewer"]


@pytest.mark.parametrize("role", ROLES)
def test_who_may(server, orders, role):
    group = Desk(server.client()).group()
    keys = server.keys(name(role), role, [group.arn] if role == "group-viewer" else [])
    client = orders_client(server, keys)
    for operation in client.meta.service_model.operation_names:
        answer = asked_of_aws(server, operation, {}, keys)
        assert (answer.status == 403) == (role == "analyst" and operation in WRITES), (operation, answer.body)
    for operation, least in OWN.items():
        answer = server.own(operation, {}, keys)
        assert (answer.status == 403) == (ROLES.index(role) > ROLES.index(least)), (operation, answer.body)


def test_a_key_of_some_accounts_has_nothing_to_do_with_orders(server):
    group = Desk(server.client()).group(2)
    narrow = server.keys(name("narrow"), "group-viewer", [group.arn], [group.accounts[1]])
    refused(lambda: orders_client(server, narrow).list_purchase_orders(), "AccessDeniedException", "not authorized")


def test_a_principal_is_narrowed_to_operations_and_tags(server, orders):
    keys = server.keys(name("buyer"), "finance")
    client = orders_client(server, keys)
    red = add(orders, Tags={"team": "red"})["PurchaseOrderArn"]
    blue = add(orders, Tags={"team": "blue"})["PurchaseOrderArn"]
    server.command("po", "limit", keys.principal, "--action", "ViewPurchaseOrders", "--action", "purchase-orders:AddPurchaseOrder", "--action", "TagResource",
                   "--tag", "team=red", "--tag-key", "team", "--tag-key", "cost")
    limits = own(server, "ListPurchaseOrderLimits")["Limits"]
    assert [limit["Actions"] for limit in limits if limit["PrincipalName"] == keys.principal] == [
        ["AddPurchaseOrder", "GetPurchaseOrder", "ListPurchaseOrderInvoices", "ListPurchaseOrders", "ListTagsForResource", "TagResource"]]
    assert {item["PurchaseOrderArn"] for item in client.list_purchase_orders()["PurchaseOrders"]} == {red}
    refused(lambda: client.get_purchase_order(PurchaseOrderArn=blue), "ResourceNotFoundException", "there is no purchase order")
    for act in (lambda: client.update_purchase_order(PurchaseOrderArn=red, Description="x"), lambda: client.delete_purchase_order(PurchaseOrderArn=red),
                lambda: add(client), lambda: add(client, Tags={"team": "blue"}), lambda: add(client, Tags={"team": "red", "other": "x"}),
                lambda: client.tag_resource(ResourceArn=red, Tags={"team": "blue"}), lambda: client.tag_resource(ResourceArn=red, Tags={"other": "x"})):
        refused(act, "AccessDeniedException", "not authorized")
    add(client, Tags={"team": "red", "cost": "1"})
    client.tag_resource(ResourceArn=red, Tags={"cost": "2"})
    for operation in ("ImportInvoices", "ListInvoiceMatches", "PlanRematch", "GetInvoiceMatch"):
        assert server.own(operation, {"InvoiceId": "x"} if operation == "GetInvoiceMatch" else {"Content": "[]"} if operation == "ImportInvoices" else {}, keys).status == 403
    server.command("po", "limit", keys.principal, "--none")
    assert len(client.list_purchase_orders()["PurchaseOrders"]) > 2
    refusal = server.own("LimitPurchaseOrders", {"PrincipalName": keys.principal, "Actions": ["DoAnything"]})
    assert "is no action of purchase orders" in refusal.json["Message"]


# ---- The doors

def test_the_aws_cli_has_the_service_after_add_model(server, orders, tmp_path):
    made = add(orders, Tags={"team": "cli"})
    model = next((CLIENTS / "purchase-orders").glob("*/service-2.json"))
    environment = {key: value for key, value in (QUIET | server.root.environment).items()} | {
        "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_ENDPOINT_URL": server.endpoint}

    def aws(*arguments):
        ended = subprocess.run([sys.executable, "-m", "awscli", *arguments], capture_output=True, text=True, timeout=120, env=environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    aws("configure", "add-model", "--service-model", f"file://{model}")
    version = model.parent.name
    assert (tmp_path / ".aws" / "models" / "purchase-orders" / version / "service-2.json").exists()
    shutil.copy(model.with_name("paginators-1.json"), tmp_path / ".aws" / "models" / "purchase-orders" / version)
    listed = json.loads(aws("purchase-orders", "list-purchase-orders", "--page-size", "1"))
    assert made["PurchaseOrderArn"] in {item["PurchaseOrderArn"] for item in listed["PurchaseOrders"]}
    got = json.loads(aws("purchase-orders", "get-purchase-order", "--purchase-order-arn", made["PurchaseOrderId"]))
    assert got["PurchaseOrder"]["Tags"] == {"team": "cli"}


def test_the_commands_of_the_program(server, orders, tmp_path):
    identity = name("CLI")
    made = json.loads(server.command(
        "po", "add", "--id", identity, "--bill-from", "AWS_INC", "--effective", "2026-01", "--expiration", "2026-12", "--ship-to",
        "company=Larkfield, Inc.,line=1 Mill Lane,city=Dover,country=GB", "--contact", "Ann <ann@example.com>", "--tag", "team=x", "--line",
        "number=1,type=ALL,start=2026-01,end=2026-12,amount=100,tax=20%,track=yes,description==1+1", "--output", "json"))
    assert made["PurchaseOrderId"] == identity
    got = orders.get_purchase_order(PurchaseOrderArn=identity)["PurchaseOrder"]
    assert got["ShipTo"]["Company"] == "Larkfield, Inc." and got["Contacts"] == [{"Name": "Ann", "Email": "ann@example.com"}]
    assert (got["TotalAmount"], got["LineItems"][0]["Description"]) == ("120", "=1+1")
    server.command("po", "update", identity, "--description", "=cmd()")
    assert "SUSPENDED" in server.command("po", "suspend", identity)
    assert "ACTIVE" in server.command("po", "reactivate", identity)
    listed = server.command("po", "list", "--output", "csv").splitlines()
    assert listed[0].startswith("BalanceAmount,") and any(identity in row for row in listed[1:])
    # What a spreadsheet would take for a formula is neutralised.
    assert "'=cmd()" in server.command("po", "get", identity, "--output", "csv")
    assert identity in server.command("po", "get", identity)
    assert len(json.loads(server.command("po", "history", identity, "--output", "json"))["Revisions"]) == 4
    server.command("po", "tag", identity, "--set", "a=b", "--remove", "team")
    assert orders.list_tags_for_resource(ResourceArn=identity)["Tags"] == {"a": "b"}
    own(server, "ImportInvoices", Invoices=[invoice("LOST-1", BillFrom=name("NOBODY"))])
    assert "LOST-1" in server.command("po", "invoices", "--unmatched", "--period", "2026-10", "--output", "csv")
    server.command("po", "invoices", identity)
    server.command("po", "rematch", "--period", "2026-10", "--output", "csv")
    server.command("po", "delete", identity)
    ended = subprocess.run([os.environ["PROFORMA_BIN"], "po", "get", identity, "--endpoint", server.endpoint], capture_output=True, text=True,
                           env=os.environ | QUIET | server.root.environment)
    assert ended.returncode == 2 and "there is no purchase order" in ended.stderr


# ---- Keeping

def test_a_backup_has_the_orders(new_server, tmp_path):
    server = new_server(transfers=False)
    client = orders_client(server)
    arn = add(client, Tags={"a": "b"})["PurchaseOrderArn"]
    client.update_purchase_order(PurchaseOrderArn=arn, Description="x")
    identity = name("INV")
    own(server, "ImportInvoices", Invoices=[invoice(identity)])
    own(server, "UpdateMatchingSettings", AllowNumberSign=True)
    keys = server.keys(name("buyer"), "finance")
    own(server, "LimitPurchaseOrders", PrincipalName=keys.principal, Actions=["*"], Tags={"a": "b"})
    before = [client.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"], own(server, "GetInvoiceMatch", InvoiceId=identity),
              own(server, "GetMatchingSettings"), own(server, "ListPurchaseOrderLimits"), own(server, "ListPurchaseOrderRevisions", PurchaseOrderArn=arn)]
    command("backup", tmp_path / "backup", *server.stored)
    again = Server(tmp_path / "again", now=server.now, root=server.root)
    command("restore", tmp_path / "backup", *again.stored)
    shutil.copy(server.data / "master.key", again.data / "master.key")
    again.start()
    try:
        client = orders_client(again)
        after = [client.get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"], own(again, "GetInvoiceMatch", InvoiceId=identity),
                 own(again, "GetMatchingSettings"), own(again, "ListPurchaseOrderLimits"), own(again, "ListPurchaseOrderRevisions", PurchaseOrderArn=arn)]
        assert after == before
        # Numbers go on where they were.
        refused(lambda: add(client, PurchaseOrderId=before[0]["PurchaseOrderId"]), "ConflictException", "there is already")
        add(client)
        again.stop()
        command("verify", *again.stored)
    finally:
        if again.process.poll() is None:
            again.kill()


def test_no_order_is_lost_by_a_kill(new_server):
    server = new_server(transfers=False)
    client = orders_client(server)
    arn = add(client)["PurchaseOrderArn"]
    server.kill()
    server.start()
    assert orders_client(server).get_purchase_order(PurchaseOrderArn=arn)["PurchaseOrder"]["Status"] == "ACTIVE"
