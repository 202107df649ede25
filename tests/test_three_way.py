"""Whether order, invoice and what the invoice should come to agree: AWS's invoices with cost files, customers' invoices with their statements."""
import json
import time

from desk import Desk, name
from policy_months import PolicyMonth
from purchasing import add, invoice, orders_client, own, summary
from server import CURRENT, PREVIOUS, in_period
from test_issued_invoices import ACME, ALL, done, settle
from test_periods import written

AWS = {"bill_bill_type": "Anniversary", "bill_billing_entity": "AWS", "bill_invoicing_entity": "Amazon Web Services, Inc.",
       "line_item_legal_entity": "Amazon Web Services, Inc."}
EMEA = "Amazon Web Services EMEA SARL"


def matched(server, *identities):
    """AWS's invoices of cost files by number, once these are among them: a server matches them after it has shown the run."""
    end = time.monotonic() + 60
    while True:
        rows = {row["InvoiceId"]: row for row in own(server, "ListInvoiceMatches")["InvoiceMatches"]}
        if set(identities) <= set(rows):
            return rows
        assert time.monotonic() < end, rows
        time.sleep(0.3)


def results(server, **given):
    return {row["InvoiceId"]: row["Result"] for row in own(server, "GetThreeWayMatch", **given)["ThreeWayMatches"]}


def total(identity, amount, **more):
    """An entry of AWS's list over an amount without tax."""
    of = {"TotalAmount": amount, "TotalAmountBeforeTax": amount, "CurrencyCode": "USD"}
    return summary(identity, BaseCurrencyAmount=of, PaymentCurrencyAmount=of, **more)


def a_desk(new_server, more=None):
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    return server, desk, desk.group(plan=desk.plan(desk.rule(ModifierPercentage=0)), **(more or {}))


# ---- AWS's invoices

def test_invoices_of_cost_files_are_taken_one_by_one(new_server, tmp_path):
    """What one of them has wrong is in nobody else's way; its seller is whose part is the largest, and its month the first that has it."""
    server, _, group = a_desk(new_server)
    order = add(orders_client(server))["PurchaseOrderArn"]
    month = PolicyMonth()
    for identity, cost, more in (("GOOD", "60", {}), ("TWICE", "10", {}), ("TWICE", "5", {"currency": "CNY"})):
        month.line(group.primary, cost=cost, bill_invoice_id=identity, **AWS, **more)
    for cost, seller in (("-90", AWS["line_item_legal_entity"]), ("-1", EMEA)):
        month.line(group.primary, kind="Refund", cost=cost, bill_invoice_id="BACK", **AWS | {"bill_bill_type": "Refund", "line_item_legal_entity": seller})
    server.load(month.write(tmp_path / "cost"))
    rows = matched(server, "GOOD", "BACK")
    assert set(rows) == {"GOOD", "BACK"}
    assert {identity: (row["BillFrom"], row["TotalAmount"]) for identity, row in rows.items()} == {"GOOD": ("AWS_INC", "60"), "BACK": ("AWS_INC", "-91")}
    why = server.own("GetInvoiceMatch", {"InvoiceId": "TWICE"})
    assert why.status == 400 and why.json["Message"].startswith(
        f"invoice `TWICE` is in the cost files of {PREVIOUS} and is not matched: its lines are in CNY and USD, and it takes one amount from its order"), why.body
    # The operator says its total.
    own(server, "ImportInvoices", Invoices=[invoice("TWICE", TotalAmount="11")])
    assert matched(server, "TWICE")["TWICE"]["UsedAmount"] == "11"
    # The next month's files have one number again.
    november = PolicyMonth()
    for identity in ("GOOD", "NEXT"):
        november.line(group.primary, cost="5", bill_invoice_id=identity, **AWS)
    server.load(written(november, tmp_path / "november", CURRENT), CURRENT)
    rows = matched(server, "NEXT")
    assert [(rows[of]["BillingPeriod"], rows[of]["TotalAmount"], rows[of]["UsedAmount"]) for of in ("GOOD", "NEXT")] == [
        (PREVIOUS, "60", "60"), (CURRENT, "5", "5")]
    assert orders_client(server).get_purchase_order(PurchaseOrderArn=order)["PurchaseOrder"]["BalanceAmount"] == "924"


def test_what_aws_has_rounded_agrees_with_its_cost_files(new_server, tmp_path):
    """Cost files have every digit, and a list has cents and each charge once more on its tax invoice."""
    server, _, group = a_desk(new_server)
    month = PolicyMonth()
    for identity, cost in (("ROUND", "100.0044"), ("CENT", "50.0044"), ("EXACT", "7.0044")):
        month.line(group.primary, cost=cost, bill_invoice_id=identity, **AWS)
    server.load(month.write(tmp_path / "cost"))
    matched(server, "ROUND", "CENT", "EXACT")
    add(orders_client(server))
    listed = [total("ROUND", "100.00"), total("CENT", "50.01"), total("EXACT", "7.00"), total("TAX", "100.00", CommercialInvoiceId="ROUND")]
    for operation, member in (("ImportInvoiceSummaries", "Summaries"), ("ImportInvoices", "Content")):
        said = own(server, operation, **{member: json.dumps({"InvoiceSummaries": listed})})["Warnings"]
        assert [of for of in said if "`TAX`" in of and "the tax invoice of `ROUND`" in of], said
    assert set(matched(server, "ROUND")) == {"ROUND", "CENT", "EXACT"}
    assert results(server) == {"ROUND": "MATCHED", "CENT": "EXCEPTION", "EXACT": "MATCHED"}
    differences = own(server, "ReconcileInvoices", BillingPeriod=PREVIOUS)["Differences"]
    assert {row["InvoiceId"] for row in differences} == {"CENT"}, differences


def test_a_list_takes_nothing_away_that_it_does_not_say(new_server):
    server, _, _ = a_desk(new_server)
    orders, unit, known = orders_client(server), "arn:aws:invoicing::999999999999:invoice-unit/u1", name("INV")
    ours = add(orders, InvoiceUnits=[unit])["PurchaseOrderId"]
    add(orders)
    note = {"Kind": "CREDIT_MEMO", "OriginalInvoiceId": known, "TotalAmount": "30", "IssuedDate": "2026-11-05T00:00:00Z"}
    said = {"InvoiceUnit": unit, "TaxRegistrationNumber": "DE1"}
    own(server, "ImportInvoices", Invoices=[invoice(known, **said), invoice("NOTE", **note)])
    read = lambda of: own(server, "GetInvoiceMatch", InvoiceId=of)["InvoiceMatch"]
    place = lambda of: (read(of).get("PurchaseOrderId"), read(of)["UsedAmount"])
    before = read(known), read("NOTE")
    assert (place(known), place("NOTE")) == ((ours, "100"), (ours, "-30"))
    listed = [total(known, "100.00"), total("NOTE", "-30", InvoiceType="CREDIT_MEMO", BillType="REFUND")]
    own(server, "ImportInvoiceSummaries", Summaries=json.dumps({"InvoiceSummaries": listed}))
    assert (place(known), place("NOTE")) == ((ours, "100"), (ours, "-30"))
    assert own(server, "PlanRematch")["Changes"] == []
    for after, then in zip((read(known), read("NOTE")), before):
        assert {member: after.get(member) for member in (*said, "OriginalInvoiceId")} == {member: then.get(member) for member in (*said, "OriginalInvoiceId")}


# ---- Customers' invoices

def issued(server, group, period=PREVIOUS):
    [draft] = done(server.own("DraftInvoice", {"BillingGroup": group.arn, "BillingPeriod": period}))["DraftIds"]
    return done(server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"]


def ordered(server, *groups):
    """Each customer has an order for whatever it is invoiced."""
    for group in groups:
        add(orders_client(server), BillFrom=["*"], BillingGroupArn=group.arn)


def taken_back(server, number):
    return done(server.own("CreditInvoice", {"InvoiceNumber": number}))["InvoiceNumber"]


def test_customers_invoices_agree_with_their_statements(new_server, tmp_path):
    """Taken back and issued again, twice and in another currency; and those of another system, tax included."""
    server, desk, again = a_desk(new_server)
    plan = desk.plan(desk.rule(ModifierPercentage=0))
    euro, elsewhere, undone = (desk.group(plan=plan) for _ in range(3))
    month = PolicyMonth()
    for group in (again, euro, elsewhere, undone):
        month.line(group.primary, cost="100.004")
    server.load(month.write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    settle(server, {**ALL, **ACME})
    ordered(server, again, euro, elsewhere, undone)
    for _ in range(2):
        taken_back(server, issued(server, again))
    issued(server, again)
    taken_back(server, issued(server, euro))
    (tmp_path / "rates.csv").write_text("from,to,rate,source,date\nUSD,EUR,0.9,ECB,2026-10-30\n")
    server.command("invoice", "rates", tmp_path / "rates.csv")
    settle(server, {"currency": "EUR"}, euro.arn)
    issued(server, euro)
    own(server, "ImportInvoices", Invoices=[invoice(of, BillFrom="X", TotalAmount=amount, BillingGroupArn=elsewhere.arn)
                                            for of, amount in (("WITH-TAX", "119"), ("NET", "100"))])
    found = results(server)
    assert len(found) == 5 + 3 + 2
    assert {of for of, result in found.items() if result != "MATCHED"} == {"NET"}, found
    # What is taken back and not issued again is not invoiced.
    gone = issued(server, undone)
    note = taken_back(server, gone)
    found = results(server, BillingGroupArn=undone.arn)
    assert found == {gone: "EXCEPTION", note: "MATCHED"}, found


def test_a_departed_customers_invoice_agrees_with_what_was_adjusted(new_server, tmp_path):
    server, desk, stays = a_desk(new_server)
    leaver = desk.group(plan=desk.plan(desk.rule(ModifierPercentage=10)))
    month, late, november = PolicyMonth(), PolicyMonth(), PolicyMonth()
    for group in (stays, leaver):
        month.line(group.primary, cost="100")
    server.load(month.write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    server.client().delete_billing_group(Arn=leaver.arn)
    for group in (stays, leaver):
        late.line(group.primary, cost="130")
    server.load(late.write(tmp_path / "late"))
    november.line(stays.primary, cost="50")
    server.load(written(november, tmp_path / "november", CURRENT), CURRENT)
    server.stop()
    server.now = "2026-12-10T12:00:00Z"
    server.start()
    server.settle()
    done(server.own("ClosePeriod", {"BillingPeriod": CURRENT}))
    settle(server, {**ALL, **ACME})
    ordered(server, stays)
    numbers = [issued(server, group, CURRENT) for group in (leaver, stays)]
    rows = {row["InvoiceId"]: (row["Result"], row["MeteredAmount"]) for row in own(server, "GetThreeWayMatch")["ThreeWayMatches"]}
    # 33 at 10 % more, and 30 and 50 at cost; each with 19 %. Who has gone has no order any more.
    assert rows == dict(zip(numbers, [("UNMATCHED", "39.27"), ("MATCHED", "95.2")]))
