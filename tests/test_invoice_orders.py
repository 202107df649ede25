"""The operator's invoices and AWS's find their purchase orders: previewed, issued, credited, imported; on both stores."""
import json
from types import SimpleNamespace

import pytest

from desk import Desk, name
from policy_months import PolicyMonth
from purchasing import order, orders_client, summary
from server import PREVIOUS, in_period

SELLER = "Northwind Cloud GmbH"
SETTINGS = {"seller": {"legal_name": SELLER, "address": {"lines": ["Hafenstr. 1"], "city": "Hamburg", "country": "DE"},
                       "tax_registrations": [{"scheme": "VAT", "id": "DE123456789"}]},
            "buyer": {"legal_name": "Acme SA", "address": {"lines": ["1 rue de Lille"], "city": "Paris", "country": "FR"}},
            "series": {"template": "INV-{year}-{number:4}"}, "credit_series": {"template": "CN-{year}-{number:4}"},
            "tax": [{"category": "S", "rate": "19", "from": "2026-01-01"}]}
# Of each customer: 100 at 10 % more, and 19 % of it.
GROSS = "130.90"


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Customers of whom each has the same October, closed; every test takes one that no other has."""
    server = new_server()
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    groups, month = [desk.group(plan=plan) for _ in range(16)], PolicyMonth()
    for group in groups:
        month.line(group.primary, cost="100", service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("orders") / "cost"))
    server.command("close", PREVIOUS)
    done(server.own("PutInvoiceSettings", {"Settings": json.dumps(SETTINGS)}))
    return SimpleNamespace(server=server, groups=iter(groups), orders=orders_client(server))


def done(answer):
    assert answer.status == 200, answer.body
    return answer.json


def refusal(answer):
    assert answer.status == 400, answer.body
    return answer.json["Message"]


def add(world, group, *lines, **more):
    given = order(*lines, **{"BillFrom": [SELLER], "BillingGroupArn": group.arn} | more)
    return SimpleNamespace(arn=world.orders.add_purchase_order(**given)["PurchaseOrderArn"], id=given["PurchaseOrderId"])


def balance(world, order):
    return world.orders.get_purchase_order(PurchaseOrderArn=order.arn)["PurchaseOrder"]["BalanceAmount"]


def draft(world, group, **more):
    [made] = done(world.server.own("DraftInvoice", {"BillingGroup": group.arn, "BillingPeriod": PREVIOUS, **more}))["DraftIds"]
    return made


def preview(world, of):
    """The purchase order and line on the document that a draft would be, and the warnings."""
    found = done(world.server.own("PreviewInvoice", {"DraftId": of}))
    return *printed(json.loads(found["Document"])), {warning["Code"]: warning["Message"] for warning in found["Warnings"]}


def printed(document):
    return document.get("purchase_order"), {line.get("purchase_order_line") for line in document["lines"]}


def issue(world, of):
    return done(world.server.own("IssueInvoice", {"DraftId": of}))["InvoiceNumber"]


def document(world, number, keys=None):
    return json.loads(done(world.server.own("GetInvoice", {"InvoiceNumber": number}, keys))["Document"])


def credit(world, number, **more):
    return done(world.server.own("CreditInvoice", {"InvoiceNumber": number, **more}))["InvoiceNumber"]


def match(world, number, keys=None):
    return done(world.server.own("GetInvoiceMatch", {"InvoiceId": number}, keys))


def matches(world):
    found, token = [], None
    while True:
        page = done(world.server.own("ListInvoiceMatches", {"NextToken": token} if token else {}))
        found += page["InvoiceMatches"]
        token = page.get("NextToken")
        if not token:
            return found


# ---- The operator's invoices

def test_an_invoice_has_the_order_that_its_preview_named(world):
    group = next(world.groups)
    ours, before = add(world, group), matches(world)
    of = draft(world, group)
    assert preview(world, of)[:2] == (ours.id, {"1"}) and "NO_PURCHASE_ORDER" not in preview(world, of)[2]
    assert matches(world) == before and balance(world, ours) == "1000", "a preview keeps nothing"
    number = issue(world, of)
    assert printed(document(world, number)) == (ours.id, {"1"})
    assert balance(world, ours) == "869.1"
    [row] = [row for row in matches(world) if row["InvoiceId"] == number]
    assert (row["PurchaseOrderId"], row["LineItemNumber"], row["UsedAmount"], row["Source"], row["BillFrom"]) == (ours.id, "1", "130.9", "issued", SELLER)
    said = world.server.command("po", "explain", number)
    assert f"Invoice `{number}` (monthly usage, {PREVIOUS}, 130.9 USD from `{SELLER}`) is associated with line `1` of purchase order `{ours.id}`." in said


def test_a_customers_invoice_is_held_against_its_statement(world):
    """Its exact charges and its tax; a credit note leaves less invoiced than the statement says."""
    group = next(world.groups)
    add(world, group)
    number = issue(world, draft(world, group))
    of = lambda: {item["InvoiceId"]: item for item in done(world.server.own("GetThreeWayMatch", {"BillingGroupArn": group.arn}))["ThreeWayMatches"]}
    assert (of()[number]["Result"], of()[number]["MeteredAmount"], of()[number]["MeteredCurrency"]) == ("MATCHED", GROSS.rstrip("0"), "USD")
    note = credit(world, number, Lines=[{"Line": "1", "Amount": "10"}])
    found = of()
    assert found[note]["Result"] == "MATCHED"
    [apart] = found[number]["Differences"]
    assert (apart["Reason"], apart["Against"], apart["Difference"], apart["Direction"]) == ("BEYOND_TOLERANCE", "STATEMENT", "10", "BELOW")


def test_a_customer_sees_the_order_on_its_invoice_and_the_invoice_on_its_order(world):
    group, other = next(world.groups), next(world.groups)
    ours, theirs = add(world, group), add(world, other)
    number, foreign = issue(world, draft(world, group)), issue(world, draft(world, other))
    keys = world.server.keys(name("customer"), "group-viewer", [group.arn])
    assert document(world, number, keys)["purchase_order"] == ours.id
    [listed] = done(world.server.own("ListInvoices", {}, keys))["Invoices"]
    assert (listed["InvoiceNumber"], listed["PurchaseOrderNumber"]) == (number, ours.id)
    mine = orders_client(world.server, keys)
    assert [row["InvoiceId"] for row in mine.list_purchase_order_invoices(PurchaseOrderArn=ours.arn)["Invoices"]] == [number]
    assert match(world, number, keys)["InvoiceMatch"]["PurchaseOrderId"] == ours.id
    assert world.server.own("GetInvoiceMatch", {"InvoiceId": foreign}, keys).error == "ResourceNotFoundException"
    assert theirs.id not in json.dumps(document(world, number, keys))


def test_credit_notes_give_back_to_the_order_where_their_invoice_is(world):
    group = next(world.groups)
    first = add(world, group)
    number = issue(world, draft(world, group))
    part = credit(world, number, Lines=[{"Line": "1", "Amount": "10"}])
    assert printed(document(world, part)) == (first.id, {"1"})
    assert balance(world, first) == "881", "1000 - 130.90 + 11.90"
    second = add(world, group)
    done(world.server.own("MoveInvoice", {"InvoiceId": number, "PurchaseOrderArn": second.arn, "LineItemNumber": "1", "Reason": "asked for"}))
    assert (balance(world, first), balance(world, second)) == ("1000", "881")
    rest = credit(world, number)
    assert printed(document(world, rest)) == (second.id, {"1"}), "D7: it goes where its original is"
    assert (balance(world, first), balance(world, second)) == ("1000", "1000")
    assert document(world, number)["purchase_order"] == first.id, "what was issued stays as it was"


def test_one_invoice_takes_from_one_order(world):
    group = next(world.groups)
    first, second = add(world, group), add(world, group)
    number = issue(world, draft(world, group))
    left = {balance(world, first), balance(world, second)}
    assert left == {"1000", "869.1"} and document(world, number)["purchase_order"] in (first.id, second.id)
    [row] = [row for row in matches(world) if row["InvoiceId"] == number]
    candidates = match(world, number)["Candidates"]
    assert {of["PurchaseOrderId"] for of in candidates} == {first.id, second.id} and row["UsedAmount"] == "130.9"


def test_no_order_is_warned_of_and_explained(world):
    group = next(world.groups)
    foreign, gone = add(world, group, BillFrom=["AWS_INC"]), add(world, group)
    world.orders.update_purchase_order_status(PurchaseOrderArn=gone.arn, Status="SUSPENDED")
    of = draft(world, group)
    number_of, lines, warnings = preview(world, of)
    assert (number_of, lines) == (None, {None})
    fell = sorted([(foreign.id, f"it does not bill from `{SELLER}`"), (gone.id, "it is suspended")])
    told = "; ".join(f"`{order}`: {reason}" for order, reason in fell)
    assert warnings["NO_PURCHASE_ORDER"] == (
        f"no purchase order: none of the buyer's orders is for it ({told}); the customer may not be able to pay without one")
    number = issue(world, of)
    assert printed(document(world, number)) == (None, {None})
    said = world.server.command("po", "explain", number)
    assert "carries no purchase order: none of the buyer's orders is for it." in said
    for order_id, reason in fell:
        assert f"Purchase order `{order_id}` was not a candidate: {reason}." in said
    assert balance(world, foreign) == balance(world, gone) == "1000"
    note = credit(world, number)
    assert f"a credit memo follows its original, and `{number}` has none" in world.server.command("po", "explain", note)


def test_a_warning_names_no_order_that_is_not_for_who_asks(world):
    group = next(world.groups)
    seen, unseen = (add(world, group, BillFrom=["AWS_INC"], Tags={"team": team}) for team in ("blue", "red"))
    finance = world.server.keys(name("blue"), "finance")
    world.server.command("po", "limit", finance.principal, "--action", "ViewPurchaseOrders", "--tag", "team=blue")
    of = draft(world, group)
    for keys, named in ((None, {seen.id, unseen.id}), (finance, {seen.id})):
        found = done(world.server.own("PreviewInvoice", {"DraftId": of}, keys))
        [said] = [warning["Message"] for warning in found["Warnings"] if warning["Code"] == "NO_PURCHASE_ORDER"]
        assert {order.id for order in (seen, unseen) if order.id in said} == named and "none of the buyer's orders is for it" in said


def test_a_customer_whose_orders_are_not_kept_is_not_warned_of(world):
    group = next(world.groups)
    of = draft(world, group)
    assert "NO_PURCHASE_ORDER" not in preview(world, of)[2]
    number = issue(world, of)
    assert "carries no purchase order: the buyer has none." in world.server.command("po", "explain", number)
    # A number that such a customer has told is printed as it was told.
    credit(world, number)
    of = draft(world, group, PurchaseOrderNumber="their own #7", PurchaseOrderLine="3")
    assert preview(world, of)[:2] == ("their own #7", {"3"}) and "NO_PURCHASE_ORDER" not in preview(world, of)[2]
    assert document(world, issue(world, of))["purchase_order"] == "their own #7"


def test_a_number_that_the_operator_names_goes_first(world):
    group = next(world.groups)
    named, newer = add(world, group), add(world, group)
    of = draft(world, group, PurchaseOrderNumber=named.id, PurchaseOrderLine="9")
    number, lines, warnings = preview(world, of)
    assert (number, lines) == (named.id, {"1"}) and "line `9`" in warnings["OTHER_PURCHASE_ORDER_LINE"]
    done(world.server.own("DiscardInvoiceDraft", {"DraftId": of}))
    of = draft(world, group, PurchaseOrderNumber="PO-NOWHERE")
    assert preview(world, of)[0] == "PO-NOWHERE"
    assert "the buyer asked for `PO-NOWHERE`, which does not exist" in preview(world, of)[2]["NO_PURCHASE_ORDER"]
    done(world.server.own("DiscardInvoiceDraft", {"DraftId": of}))
    issued = issue(world, draft(world, group, PurchaseOrderNumber=named.id))
    assert printed(document(world, issued)) == (named.id, {"1"})
    assert (balance(world, named), balance(world, newer)) == ("869.1", "1000")


def test_what_the_rules_say_at_issue_is_printed(world):
    group = next(world.groups)
    first = add(world, group)
    of = draft(world, group)
    assert preview(world, of)[0] == first.id
    world.orders.update_purchase_order_status(PurchaseOrderArn=first.arn, Status="SUSPENDED")
    second = add(world, group)
    number = issue(world, of)
    assert document(world, number)["purchase_order"] == match(world, number)["InvoiceMatch"]["PurchaseOrderId"] == second.id
    assert (balance(world, first), balance(world, second)) == ("1000", "869.1")


def test_a_number_whose_order_is_refused_is_not_printed(world):
    """The customer's order is suspended: its own ledger says that the invoice carries none, and so does the document."""
    group = next(world.groups)
    refused = add(world, group)
    world.orders.update_purchase_order_status(PurchaseOrderArn=refused.arn, Status="SUSPENDED")
    of = draft(world, group, PurchaseOrderNumber=refused.id)
    number_of, lines, warnings = preview(world, of)
    assert (number_of, lines) == (None, {None}) and f"`{refused.id}`" in warnings["NO_PURCHASE_ORDER"] and "suspended" in warnings["NO_PURCHASE_ORDER"]
    number = issue(world, of)
    assert printed(document(world, number)) == (None, {None})
    assert "PurchaseOrderId" not in match(world, number)["InvoiceMatch"]


def test_a_document_that_is_matched_again_keeps_the_number_on_it(world):
    group = next(world.groups)
    first = add(world, group)
    number = issue(world, draft(world, group))
    second = add(world, group)
    world.orders.update_purchase_order_status(PurchaseOrderArn=first.arn, Status="SUSPENDED")
    said = f"invoice `{number}` was issued, and its document keeps the purchase order that is printed on it"
    for operation, given in [("PlanRematch", {}), ("ApplyRematch", {"InvoiceIds": [number]})]:
        done_now = done(world.server.own(operation, given))
        assert any(warning.startswith(said) for warning in done_now["Warnings"]), done_now
    assert balance(world, second) == "869.1" and document(world, number)["purchase_order"] == first.id
    moved = done(world.server.own("MoveInvoice", {"InvoiceId": number, "Reason": "disputed"}))
    assert any(warning.startswith(said) for warning in moved["Warnings"])


def test_what_is_refused_leaves_no_match_and_no_gap(world):
    group = next(world.groups)
    ours = add(world, group)
    of = draft(world, group)
    last = sorted(row["InvoiceNumber"] for row in done(world.server.own("ListInvoices"))["Invoices"] if row["InvoiceNumber"].startswith("INV"))[-1]
    following = f"INV-2026-{int(last[-4:]) + 1:04}"
    taken = {"InvoiceId": following, "Kind": "MONTHLY_USAGE", "BillFrom": "AWS_INC", "BillingPeriod": PREVIOUS, "TotalAmount": "1", "Currency": "USD",
             "IssuedDate": "2026-11-03T00:00:00Z"}
    done(world.server.own("ImportInvoices", {"Invoices": [taken]}))
    assert refusal(world.server.own("IssueInvoice", {"DraftId": of})) == (
        f"an invoice `{following}` was imported to be matched with purchase orders; set a series whose numbers are others")
    assert balance(world, ours) == "1000"
    done(world.server.own("PutInvoiceSettings", {"Settings": json.dumps(SETTINGS | {"series": {"template": "R-{number:3}", "restart": "never"}})}))
    try:
        number = issue(world, of)
    finally:
        done(world.server.own("PutInvoiceSettings", {"Settings": json.dumps(SETTINGS)}))
    assert (number, balance(world, ours)) == ("R-001", "869.1")
    # Nor does anybody change afterwards what was issued.
    again = taken | {"InvoiceId": number, "BillingGroupArn": group.arn, "BillFrom": SELLER}
    assert refusal(world.server.own("ImportInvoices", {"Invoices": [again]})) == f"invoice `{number}` was issued here, and its content stays as it is"
    assert balance(world, ours) == "869.1"


# ---- AWS's invoices

def test_one_import_lists_and_matches_the_invoices_of_aws(world, tmp_path):
    seller = name("SELLER")
    ours = world.orders.add_purchase_order(**order(PurchaseOrderId=name("AWS-PO"), BillFrom=[seller]))["PurchaseOrderArn"]
    known, orphan, thin = name("A"), name("A"), name("A")
    entity = {"Entity": {"InvoicingEntity": seller, "BillingEntity": "AWS"}}
    told = [summary(known, **entity), summary(orphan, Entity={"InvoicingEntity": "NOBODY", "BillingEntity": "AWS"}, PurchaseOrderNumber="THEIRS"),
            {"InvoiceId": thin, "AccountId": "999999999999"}]
    file = tmp_path / "summaries.json"
    file.write_text(json.dumps({"InvoiceSummaries": told}))
    read = lambda: json.loads(world.server.command("invoice", "import", file, "--output", "json"))["Files"][0]
    first, again = read(), read()
    assert (first["NewCount"], first["MatchedCount"]) == (3, 1) and (again["UnchangedCount"], again["MatchedCount"]) == (3, 0)
    assert any(thin in warning and "is not matched with purchase orders" in warning for warning in first["Warnings"])
    assert any(orphan in warning and "`THEIRS`" in warning for warning in first["Warnings"])
    assert world.orders.get_purchase_order(PurchaseOrderArn=ours)["PurchaseOrder"]["BalanceAmount"] == "881"
    assert len([row for row in matches(world) if row["InvoiceId"] == known]) == 1
    # The same list for the matching alone says nothing new.
    twice = done(world.server.own("ImportInvoices", {"Content": json.dumps(told[:2])}))
    assert (twice["New"], twice["Changed"], twice["Unchanged"]) == (0, 0, 2)
    invoicing = world.server.client(service="invoicing")
    number = lambda invoice: invoicing.list_invoice_summaries(Selector={"ResourceType": "INVOICE_ID", "Value": invoice})["InvoiceSummaries"][0].get(
        "PurchaseOrderNumber")
    assert (number(known), number(orphan), number(thin)) == (ours.rsplit("/", 1)[1], "THEIRS", None)
