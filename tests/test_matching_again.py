"""What becomes of an invoice after it was matched: it comes again, its credit memos follow, a person moves it, the rules are asked once more."""
import json
import sqlite3
import time

import pytest

from desk import Desk, name
from policy_months import PolicyMonth
from purchasing import invoice, line, order, orders_client, summary
from server import PREVIOUS, in_period


@pytest.fixture(scope="module")
def orders(server):
    return orders_client(server)


def own(server, operation, **given):
    """The answer of an operation of the desk's own, which must succeed."""
    answer = server.own(operation, given)
    assert answer.status == 200, answer.body
    return answer.json


def refusal(server, operation, **given):
    answer = server.own(operation, given)
    assert answer.status == 400, answer.body
    return answer.json["Message"]


def add(client, *lines, **more):
    return client.add_purchase_order(**order(*lines, **more))["PurchaseOrderId"]


def take(server, *invoices):
    return own(server, "ImportInvoices", Invoices=list(invoices))


def balance(client, of):
    return client.get_purchase_order(PurchaseOrderArn=of)["PurchaseOrder"]["BalanceAmount"]


def match(server, identity):
    return own(server, "GetInvoiceMatch", InvoiceId=identity)


def at(server, identity):
    """The order, what is taken from it, and how the invoice came there."""
    found = match(server, identity)["InvoiceMatch"]
    return found.get("PurchaseOrderId"), found.get("UsedAmount"), found["How"]


def memo(identity, original, **more):
    return invoice(identity, Kind="CREDIT_MEMO", OriginalInvoiceId=original, IssuedDate="2026-11-05T00:00:00Z", **more)


# ---- Credit memos follow

def test_a_rematch_of_one_invoice_takes_its_credit_memos_along(server, orders):
    seller, one, note, other = name("SELLER"), name("INV"), name("MEMO"), name("INV")
    old = add(orders, BillFrom=[seller])
    take(server, invoice(one, BillFrom=seller), memo(note, one, TotalAmount="30", BillFrom=seller), invoice(other, BillFrom=seller))
    new = add(orders, BillFrom=[seller])
    orders.update_purchase_order_status(PurchaseOrderArn=old, Status="SUSPENDED")
    done = own(server, "ApplyRematch", InvoiceIds=[one])
    assert sorted(change["InvoiceId"] for change in done["Changes"]) == sorted([one, note])
    assert (balance(orders, old), balance(orders, new)) == ("900", "930")
    assert at(server, note) == (new, "-30", "REMATCHED") and at(server, other) == (old, "100", "MATCHED")
    # A period that has the invoice and not its memo moves both as well.
    newest, later = add(orders, BillFrom=[seller]), name("MEMO")
    take(server, memo(later, one, TotalAmount="5", BillFrom=seller, BillingPeriod="2026-11"))
    orders.update_purchase_order_status(PurchaseOrderArn=new, Status="SUSPENDED")
    assert {later, one} <= {change["InvoiceId"] for change in own(server, "PlanRematch", BillingPeriod="2026-10")["Changes"]}
    assert "a credit memo goes with its original" in refusal(server, "ApplyRematch", InvoiceIds=[later])
    assert balance(orders, newest) == "1000"


def test_a_rematch_of_one_of_two_purchases_makes_their_order(server, orders):
    number, first, second = name("MP"), name("INV"), name("INV")
    bought = {"Kind": "MARKETPLACE_OUT_OF_CYCLE", "RequestedPurchaseOrderId": number, "BillFrom": "AWS_BRAZIL"}
    take(server, invoice(first, ChargeId="c-1", **bought), invoice(second, ChargeId="c-2", **bought))
    assert match(server, first)["InvoiceMatch"]["Reason"] == "REQUESTED_PURCHASE_ORDER_UNKNOWN"
    sellers = own(server, "GetMatchingSettings")["LineTypeSellers"]
    bought = "AWS_MARKETPLACE_TRANSACTION"
    own(server, "UpdateMatchingSettings", LineTypeSellers=sellers | {bought: [*sellers[bought], "AWS_BRAZIL"]})
    try:
        assert [change["InvoiceId"] for change in own(server, "ApplyRematch", InvoiceIds=[second])["Changes"]] == [second]
        assert at(server, second)[0] == number and at(server, first)[0] is None
    finally:
        own(server, "UpdateMatchingSettings", LineTypeSellers=sellers)


def test_a_credit_memo_is_not_moved_without_its_invoice(server, orders):
    seller, one, note, orphan = name("SELLER"), name("INV"), name("MEMO"), name("MEMO")
    here, there = add(orders, BillFrom=[seller]), add(orders, BillFrom=[name("OTHER")], EffectiveMonth="2027-01", ExpirationMonth="2027-12", LineItems=[
        line(StartMonth="2027-01", EndMonth="2027-12")])
    take(server, invoice(one, BillFrom=seller), memo(note, one, TotalAmount="30", BillFrom=seller), memo(orphan, "of-last-year", TotalAmount="7", BillFrom=seller))
    said = refusal(server, "MoveInvoice", InvoiceId=note, PurchaseOrderArn=there, LineItemNumber="1", Reason="why not")
    assert said == f"`{note}` is a credit memo and follows its original; correct that one"
    assert (balance(orders, here), balance(orders, there)) == ("930", "1000")
    # One whose original nobody knows follows nothing.
    own(server, "MoveInvoice", InvoiceId=orphan, PurchaseOrderArn=here, LineItemNumber="1", Reason="of last year")
    assert balance(orders, here) == "937"


def test_a_credit_memo_waits_for_its_original(server, orders):
    seller, one, note = name("SELLER"), name("INV"), name("MEMO")
    of = add(orders, BillFrom=[seller])
    take(server, memo(note, one, TotalAmount="30", BillFrom=seller))
    assert match(server, note)["InvoiceMatch"]["Reason"] == "ORIGINAL_WITHOUT_PURCHASE_ORDER"
    done = take(server, invoice(one, BillFrom=seller))
    assert any(f"credit memo `{note}` follows invoice `{one}` to line `1` of purchase order `{of}`" in said for said in done["Warnings"])
    assert at(server, note) == (of, "-30", "REMATCHED") and balance(orders, of) == "930"


def test_a_credit_memo_gives_back_by_the_exchange_of_its_original(server, orders):
    seller, one, note, plain, lost = name("SELLER"), name("INV"), name("MEMO"), name("INV"), name("MEMO")
    of = add(orders, BillFrom=[seller])
    rate = {"ExchangeSource": "EUR", "ExchangeTarget": "USD", "ExchangeRate": "1.1"}
    take(server, invoice(one, BillFrom=seller, Currency="EUR", **rate), memo(note, one, TotalAmount="100", Currency="EUR", BillFrom=seller))
    assert at(server, note)[:2] == (of, "-110") and balance(orders, of) == "1000"
    done = take(server, invoice(plain, BillFrom=seller), memo(lost, plain, TotalAmount="100", Currency="EUR", BillFrom=seller))
    assert any(f"credit memo `{lost}` gives nothing back" in said and "an exchange to USD" in said for said in done["Warnings"])
    assert match(server, lost)["InvoiceMatch"]["Flags"] == ["NOT_EXCHANGED"] and balance(orders, of) == "900"


# ---- What a person has decided

def test_an_invoice_that_was_taken_off_stays_off(server, orders):
    seller, one = name("SELLER"), name("INV")
    of = add(orders, BillFrom=[seller])
    take(server, invoice(one, BillFrom=seller))
    own(server, "MoveInvoice", InvoiceId=one, Reason="disputed")
    for more in ({"DueDate": "2026-12-09T00:00:00Z"}, {"DueDate": "2026-12-09T00:00:00Z", "TotalAmount": "90"}):
        assert take(server, invoice(one, BillFrom=seller, **more))["Changed"] == 1
        assert at(server, one) == (None, None, "MOVED") and balance(orders, of) == "1000"
    said = match(server, one)
    assert len(said["History"]) == 2 and "disputed" in said["Explanation"][0]
    assert "taken off its purchase order already" in refusal(server, "MoveInvoice", InvoiceId=one, Reason="disputed")
    assert len(match(server, one)["History"]) == 2
    assert one not in {change["InvoiceId"] for change in own(server, "PlanRematch")["Changes"]}


def test_a_place_that_the_rules_would_not_choose_is_warned_of(server, orders):
    seller, one = name("SELLER"), name("INV")
    add(orders, BillFrom=[seller])
    odd = add(orders, line("1", Type="AWS_SUBSCRIPTION_PURCHASE", Amount="10"), BillFrom=[name("OTHER")])
    take(server, invoice(one, BillFrom=seller))
    said = own(server, "MoveInvoice", InvoiceId=one, PurchaseOrderArn=odd, LineItemNumber="1", Reason="agreed")["Warnings"]
    assert said == [f"the rules would not have taken purchase order `{odd}`: it does not bill from `{seller}`",
                    f"the rules would not have taken line `1` of purchase order `{odd}`: line `1` is not for monthly usage invoices",
                    f"the rules would not have taken line `1` of purchase order `{odd}`: line `1` has too little left for 100 USD"]
    assert match(server, one)["InvoiceMatch"]["Flags"] == ["OUT_OF_BALANCE"]


def test_what_a_person_said_stays_when_aws_lists_the_invoice_again(server, orders):
    one = name("INV")
    listed = {"InvoiceSummaries": [summary(one, BillType="PURCHASE")]}
    own(server, "ImportInvoices", Content=json.dumps(listed))
    assert match(server, one)["InvoiceMatch"]["Kind"] == "SUBSCRIPTION"
    corrected = invoice(one, Kind="PROFESSIONAL_SERVICES_TRAINING", TotalAmount="119", DueDate="2026-12-03T00:00:00Z", ChargeId="charge-7")
    assert take(server, corrected)["Changed"] == 1
    assert own(server, "ImportInvoices", Content=json.dumps(listed))["Unchanged"] == 1
    assert match(server, one)["InvoiceMatch"]["Kind"] == "PROFESSIONAL_SERVICES_TRAINING"


# ---- What comes again

def test_another_content_keeps_the_line_and_the_explanation(server, orders):
    seller, one = name("SELLER"), name("INV")
    of = add(orders, BillFrom=[seller])
    take(server, invoice(one, BillFrom=seller))
    assert take(server, invoice(one, BillFrom=seller, TotalAmount="90"))["Warnings"] == []
    found = match(server, one)
    assert found["Explanation"][0].endswith(f"stays on line `1` of purchase order `{of}`: its content has changed, and what was decided stays.")
    taken = [candidate for candidate in found["Candidates"] if candidate["PurchaseOrderId"] == of]
    assert taken[0]["LineItems"][0]["Reason"] == "TAKEN"
    assert [row["UsedAmount"] for row in found["History"]] == ["100", "90"]
    # Every decision has its own reasons.
    for row in found["History"]:
        assert of in {candidate["PurchaseOrderId"] for candidate in row["Candidates"]} and row["Explanation"]
    assert "is associated with line `1`" in found["History"][0]["Explanation"][0]
    # Another seller moves nothing by itself, and is told.
    other, theirs = name("SELLER"), None
    theirs = add(orders, BillFrom=[other])
    said = take(server, invoice(one, BillFrom=other, TotalAmount="90"))["Warnings"]
    assert len(said) == 1 and f"stays on line `1` of purchase order `{of}`" in said[0] and f"would give line `1` of purchase order `{theirs}`" in said[0]
    assert f"Asked now, the rules would give line `1` of purchase order `{theirs}`." in server.command("po", "explain", one)
    assert [change["ToPurchaseOrderId"] for change in own(server, "PlanRematch")["Changes"] if change["InvoiceId"] == one] == [theirs]


def test_a_currency_that_changed_refuses_its_invoice_alone(server, orders):
    seller, one, other = name("SELLER"), name("INV"), name("INV")
    of = add(orders, BillFrom=[seller])
    take(server, invoice(one, BillFrom=seller))
    euros = invoice(one, BillFrom=seller, Currency="EUR")
    done = take(server, euros, invoice(other, BillFrom=seller))
    assert (done["New"], done["Unchanged"], done["Changed"]) == (1, 1, 0)
    assert f"invoice `{one}` is kept as it was known: it is in EUR now" in done["Warnings"][0] and "--off" in done["Warnings"][0]
    assert balance(orders, of) == "800"
    # The way out that it says.
    server.command("po", "move", one, "--off", "--reason", "in euros")
    assert take(server, euros)["Changed"] == 1
    in_euros = add(orders, BillFrom=[seller], Currency="EUR")
    own(server, "MoveInvoice", InvoiceId=one, PurchaseOrderArn=in_euros, LineItemNumber="1", Reason="in euros")
    assert (balance(orders, of), balance(orders, in_euros)) == ("900", "900")


def test_what_cost_files_do_not_say_is_matched_when_aws_lists_it(new_server, tmp_path):
    """A run brings an invoice without its unit; AWS's list says the unit, and the order of the unit takes it."""
    server = new_server(transfers=False)
    client, past, month = orders_client(server), Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    bill = {"bill_bill_type": "Anniversary", "bill_billing_entity": "AWS", "bill_invoicing_entity": "Amazon Web Services, Inc."}
    primary = past.group().primary
    month.line(primary, cost="119", bill_invoice_id="AWS-1", **bill)
    month.line(primary, cost="50", bill_invoice_id="AWS-2", **bill)
    unit = "arn:aws:invoicing::111122223333:invoice-unit/abc"
    of_unit, general = add(client, InvoiceUnits=[unit]), add(client)
    server.load(month.write(tmp_path / "cost"))
    for _ in range(60):
        if len(own(server, "ListInvoiceMatches")["InvoiceMatches"]) == 2:
            break
        time.sleep(0.5)
    assert at(server, "AWS-1") == (general, "119", "MATCHED")
    # A newer order moves nothing, whatever is listed, as long as the list says nothing else that the rules ask for.
    newer = add(client)
    fifty = {"TotalAmount": "51.00", "CurrencyCode": "USD"}
    done = own(server, "ImportInvoices", Content=json.dumps({"InvoiceSummaries": [
        summary("AWS-1", InvoiceUnitArn=unit), summary("AWS-2", PaymentCurrencyAmount=fifty)]}))
    assert at(server, "AWS-1") == (of_unit, "119", "REMATCHED") and at(server, "AWS-2") == (general, "51", "MATCHED")
    assert done["Warnings"] == [f"invoice `AWS-1` was on line `1` of purchase order `{general}` by what its cost files say; "
                                f"by what is known of it now the rules give line `1` of purchase order `{of_unit}`"]
    assert [row["PurchaseOrderId"] for row in match(server, "AWS-1")["History"]] == [general, of_unit]
    assert (balance(client, of_unit), balance(client, general), balance(client, newer)) == ("881", "949", "1000")


# ---- Numbers and balances

def test_the_number_of_a_deleted_order_stays_reserved(server, orders):
    number, one = name("MP"), name("INV")
    add(orders, PurchaseOrderId=number, BillFrom=["AWS_INC"])
    orders.delete_purchase_order(PurchaseOrderArn=number)
    take(server, invoice(one, Kind="MARKETPLACE_OUT_OF_CYCLE", RequestedPurchaseOrderId=number))
    found = match(server, one)
    assert found["InvoiceMatch"]["Reason"] == "REQUESTED_PURCHASE_ORDER_DELETED" and "its id stays reserved" in found["Explanation"][0]
    assert number not in {of["PurchaseOrderId"] for of in orders.list_purchase_orders(MaxResults=100)["PurchaseOrders"]}


def test_an_invoice_has_one_number_and_the_others_are_told(server, orders, tmp_path):
    one, seller = name("INV"), name("SELLER")
    first, second = add(orders, BillFrom=[seller]), add(orders, BillFrom=[seller])
    file = tmp_path / "invoices.csv"
    file.write_text("invoice_id,kind,bill_from,billing_period,total,currency,issued,requested_order\n"
                    f"{one},MONTHLY_USAGE,{seller},2026-10,100,USD,2026-11-03T00:00:00Z,{first}; {second}\n")
    done = json.loads(server.command("po", "import", "--invoices", file, "--output", "json"))
    assert done["Warnings"] == [f"a charge on invoice `{one}` has the number `{second}` as well; an invoice carries one purchase order only"]
    found = match(server, one)["InvoiceMatch"]
    assert (found["PurchaseOrderId"], found["Flags"]) == (first, ["OTHER_PURCHASE_ORDERS"])
    assert "name that one" in refusal(server, "ImportInvoices", Invoices=[invoice(OtherRequestedPurchaseOrderIds=[second])])


def test_what_takes_nothing_is_not_held_and_a_purchase_by_the_wall_clock_has_its_order(new_server):
    server = new_server(transfers=False)
    client = orders_client(server)
    server.command("po", "settings", "--on-insufficient-balance", "HOLD", "--expiry-basis", "WALL_CLOCK")
    of = add(client, line(Amount="10"), BillFrom=["LARKFIELD"])
    take(server, invoice("BIG", BillFrom="LARKFIELD"), invoice("NOTHING", BillFrom="LARKFIELD", TotalAmount="0"))
    own(server, "MoveInvoice", InvoiceId="BIG", PurchaseOrderArn=of, LineItemNumber="1", Reason="all the same")
    take(server, invoice("FREE", BillFrom="LARKFIELD", TotalAmount="0"), invoice("ONE", BillFrom="LARKFIELD", TotalAmount="1"))
    assert (at(server, "FREE")[0], match(server, "ONE")["InvoiceMatch"]["Flags"]) == (of, ["HELD"])
    # October's purchase is issued in November: by the wall clock its order must last until then.
    take(server, invoice("BOUGHT", Kind="MARKETPLACE_OUT_OF_CYCLE", RequestedPurchaseOrderId="MP-NEW"))
    got = client.get_purchase_order(PurchaseOrderArn="MP-NEW")["PurchaseOrder"]
    assert (at(server, "BOUGHT")[0], got["EffectiveMonth"], got["ExpirationMonth"]) == ("MP-NEW", "2026-10", "2026-11")


# ---- What is kept

@pytest.mark.parametrize("new_server", ["sqlite"], indirect=True)
def test_orders_with_the_same_reason_are_kept_once_and_rows_from_before_are_read(new_server):
    server = new_server(transfers=False)
    client = orders_client(server)
    for _ in range(60):
        add(client, BillFrom=["LARKFIELD"])
    taken = add(client)
    take(server, invoice("I1"))
    found = match(server, "I1")
    assert len(found["Candidates"]) == 61 and len(found["Explanation"]) == 63
    assert sum("it does not bill from `AWS_INC`" in said for said in found["Explanation"]) == 60
    assert [of["PurchaseOrderId"] for of in found["Candidates"]] == sorted(of["PurchaseOrderId"] for of in found["Candidates"])
    with sqlite3.connect(server.data / "proforma.db") as database:
        [(kept,)] = database.execute("SELECT trace FROM invoice_associations WHERE invoice = 'I1'").fetchall()
        assert len(kept) < 3_000, kept
        # As it was kept before: every order with its reason, and every sentence.
        old = {"Outcome": "ASSOCIATED", "Total": "100", "Currency": "USD", "PurchaseOrderId": taken, "LineItemNumber": "1", "OutOfBalance": False, "BalanceAfter": "900",
               "Explanation": ["As it was said."], "Candidates": [{"PurchaseOrderId": taken, "LineItems": [{"Reason": "TAKEN", "Count": 1, "FirstLineItemNumber": "1"}]}]}
        database.execute("UPDATE invoice_associations SET trace = ?", [json.dumps(old)])
    again = match(server, "I1")
    assert (again["Explanation"], again["Candidates"], again["BalanceAfter"]) == (old["Explanation"], old["Candidates"], "900")
