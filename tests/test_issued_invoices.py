"""The operator's invoices through the server: settled, drafted, looked at, issued, credited and paid, on both stores; each refusal, each role."""
import base64
import csv
import hashlib
import io
import json
import zipfile
from decimal import Decimal
from types import SimpleNamespace

import pypdf
import pytest

from desk import Desk, arn, name
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, PREVIOUS, in_period

ALL = {"seller": {"legal_name": "Northwind Cloud GmbH", "address": {"lines": ["Hafenstr. 1"], "city": "Hamburg", "country": "DE"},
                  "tax_registrations": [{"scheme": "VAT", "id": "DE123456789"}]},
       "series": {"template": "INV-{year}-{number:4}"}, "credit_series": {"template": "CN-{year}-{number:4}"},
       "tax": [{"category": "S", "rate": "19", "from": "2026-01-01"}], "due_days": 14, "notes": ["Thank you."]}
ACME = {"buyer": {"legal_name": "Acme SA", "address": {"lines": ["1 rue de Lille"], "city": "Paris", "country": "FR"},
                  "tax_registrations": [{"scheme": "VAT", "id": "FR12345678901"}]}}
CANARY = "27182818.2845904523"


def settle(server, settings, group=None, **more):
    answer = server.own("PutInvoiceSettings", {"Settings": json.dumps(settings), **({"BillingGroup": group} if group else {}), **more})
    assert answer.status == 200, answer.body
    return answer.json


def done(answer):
    assert answer.status == 200, answer.body
    return answer.json


def refusal(answer):
    assert (answer.status, answer.error) == (400, "ValidationException"), answer.body
    return answer.json["Message"]


def drafted(world, group, **more):
    [draft] = done(world.server.own("DraftInvoice", {"BillingGroup": group.arn, "BillingPeriod": PREVIOUS, **more}))["DraftIds"]
    return draft


def issued(world, group, **more):
    return done(world.server.own("IssueInvoice", {"DraftId": drafted(world, group, **more)}))["InvoiceNumber"]


def invoice(world, number, keys=None):
    return done(world.server.own("GetInvoice", {"InvoiceNumber": number}, keys))


def cancel(world, number):
    return done(world.server.own("CreditInvoice", {"InvoiceNumber": number}))["InvoiceNumber"]


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers whose October is priced at 10 % more and closed."""
    server = new_server()
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    acme, globex = desk.group(2, plan=plan, Name="acme"), desk.group(plan=plan, Name="globex")
    month = PolicyMonth()
    month.line(acme.accounts[0], cost="100.004", service="AmazonEC2")
    month.line(acme.accounts[1], cost="50.5", service="AmazonS3")
    month.line(acme.accounts[1], cost="0.001", service="AmazonSNS")
    month.line(globex.primary, cost=CANARY, public="1000", service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("invoices") / "cost"))
    keys = {"finance": server.keys(name("finance"), "finance"), "analyst": server.keys(name("analyst"), "analyst"),
            "acme": server.keys(name("acme"), "group-viewer", [acme.arn]),
            "narrow": server.keys(name("narrow"), "group-viewer", [acme.arn], [acme.accounts[0]])}
    return SimpleNamespace(server=server, acme=acme, globex=globex, keys=keys)


# ---- In the order in which an operator comes to it: these tests share a desk

def test_an_open_period_is_not_invoiced(world):
    asked = {"BillingGroup": world.acme.arn, "BillingPeriod": PREVIOUS}
    assert refusal(world.server.own("DraftInvoice", asked)) == (
        f"billing period {PREVIOUS} is open; close it with `proforma close {PREVIOUS}` before it is invoiced")
    world.server.command("close", PREVIOUS)
    assert refusal(world.server.own("IssueInvoice", {"DraftId": "nothing"})).startswith("there is no draft `nothing`")


def test_a_draft_says_all_that_is_missing(world):
    draft = drafted(world, world.acme)
    said = refusal(world.server.own("PreviewInvoice", {"DraftId": draft})).split("\n")
    assert "the seller profile has no legal name; set it before an invoice is drafted" in said
    assert "the buyer profile has no legal name; set it before an invoice is drafted" in said
    assert any(line.startswith("there is no tax profile, and no rate is assumed") for line in said), said
    again = refusal(world.server.own("DraftInvoice", {"BillingGroup": world.acme.arn, "BillingPeriod": PREVIOUS}))
    assert again == f"draft `{draft}` is of the same charges; issue it, or give it up with `proforma invoice discard {draft}`"
    settle(world.server, {key: value for key, value in ALL.items() if "series" not in key})
    settle(world.server, ACME, world.acme.arn)
    settle(world.server, {"buyer": {**ACME["buyer"], "legal_name": "Globex Ltd"}}, world.globex.arn)
    assert refusal(world.server.own("IssueInvoice", {"DraftId": draft})).startswith("there is no series of numbers; set `series`")
    done(world.server.own("DiscardInvoiceDraft", {"DraftId": draft}))
    assert refusal(world.server.own("PreviewInvoice", {"DraftId": draft})) == f"draft `{draft}` was given up; draft the invoice again"
    settle(world.server, ALL)


def test_settings_that_are_not_right_are_refused_with_their_place(world):
    for settings, said in [({"lines": "hour"}, "`lines`: `hour` is none of"), ({"colour": 1}, "unknown field `colour`"),
                           ({"tax": [{"category": "S", "rate": "0", "from": "2026-01-01"}]}, "`tax`: category S has the rate `0`")]:
        assert refusal(world.server.own("PutInvoiceSettings", {"Settings": json.dumps(settings)})).startswith(said)
    found = done(world.server.own("GetInvoiceSettings", {"BillingGroup": world.acme.arn}))
    settings = json.loads(found["Settings"])
    assert settings["buyer"]["legal_name"] == "Acme SA" and settings["seller"]["legal_name"] == "Northwind Cloud GmbH"
    assert [version["Version"] for version in found["Versions"] if not version["BillingGroup"]] == [1, 2]
    assert "Globex" not in json.dumps(found)


def test_a_preview_comes_to_what_is_issued(world):
    draft = drafted(world, world.acme, PurchaseOrderNumber="PO-4711", PurchaseOrderLine="3", Notes=["October"])
    preview = done(world.server.own("PreviewInvoice", {"DraftId": draft}))
    number = done(world.server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"]
    assert number == "INV-2026-0001"
    found = invoice(world, number)
    before, document = json.loads(preview["Document"]), json.loads(found["Document"])
    assert (before.pop("number"), document.pop("number")) == ("DRAFT", number)
    assert before == document
    # 110.0044 + 55.55 + 0.0011, and 19 % of it.
    assert (document["totals"]["net"], document["totals"]["tax"], document["totals"]["gross"]) == ("165.56", "31.46", "197.02")
    assert Decimal(preview["Residue"]) == Decimal("165.5555") - Decimal("165.56")
    assert [(line["name"], line["net"], line["purchase_order_line"]) for line in document["lines"]] == [
        ("AmazonEC2", "110.01", "3"), ("AmazonS3", "55.55", "3")]
    assert document["purchase_order"] == "PO-4711" and document["notes"] == ["Thank you.", "October"]
    assert (document["issued"], document["due"]) == ("2026-11-10", "2026-11-24")
    assert "LINES_LEFT_OUT" in [warning["Code"] for warning in preview["Warnings"]]
    assert hashlib.sha256(found["Document"].encode()).hexdigest() == found["Sha256"]
    assert refusal(world.server.own("IssueInvoice", {"DraftId": draft})) == f"draft `{draft}` was issued as `{number}`"


def test_charges_are_invoiced_once(world):
    said = refusal(world.server.own("DraftInvoice", {"BillingGroup": world.acme.arn, "BillingPeriod": PREVIOUS}))
    assert said == (f"the charges of {PREVIOUS} in USD are on invoice `INV-2026-0001`; credit it in full before they are invoiced again")


def test_payments_settle_an_invoice(world):
    number = "INV-2026-0001"
    pay = lambda **of: world.server.own("RecordPayment", {"InvoiceNumber": number, **of})
    assert done(pay(Amount="100", Reference="SEPA 1"))["Status"] == "PARTLY_PAID"
    assert done(pay(Amount="97.02", Date="2026-11-10", ClientToken="p1"))["Status"] == "PAID"
    assert done(pay(Amount="97.02", Date="2026-11-10", ClientToken="p1"))["Status"] == "PAID"
    found = invoice(world, number)
    assert [payment["Amount"] for payment in found["Payments"]] == ["100.00", "97.02"], "a token pays once"
    for given, said in [({"Amount": "0"}, "a payment of 0 is none; leave it out"),
                        ({"Amount": "1.005"}, "`1.005` is not an amount of USD: more than 2 decimals; write it with at most 2 decimals"),
                        ({"Amount": "1", "Date": "2026-12-01"}, "2026-12-01 is yet to come; name 2026-11-10 or an earlier day")]:
        assert refusal(pay(**given)) == said
    assert refusal(world.server.own("RecordPayment", {"InvoiceNumber": "INV-1", "Amount": "1"})) == "there is no invoice `INV-1`"


def test_a_document_never_changes(world):
    before = invoice(world, "INV-2026-0001")
    settle(world.server, {"buyer": {**ACME["buyer"], "legal_name": "Acme Renamed"}}, world.acme.arn)
    assert invoice(world, "INV-2026-0001") == before
    settle(world.server, ACME, world.acme.arn)


def test_credit_notes_take_back_what_there_is(world):
    number = "INV-2026-0001"
    credit = lambda **of: world.server.own("CreditInvoice", {"InvoiceNumber": number, **of})
    part = done(credit(Lines=[{"Line": "1", "Amount": "10"}], Reason="agreed"))["InvoiceNumber"]
    note = json.loads(invoice(world, part)["Document"])
    assert part == "CN-2026-0001" and note["kind"] == "credit_note" and note["preceding"] == {"number": number, "issued": "2026-11-10"}
    assert (note["totals"]["gross"], note["notes"]) == ("11.90", ["agreed"])
    assert refusal(credit(Lines=[{"Line": "1", "Amount": "100.02"}])) == (
        f"line `1` of `{number}` has 100.01 left to credit, not 100.02; credit at most that, with its sign")
    assert refusal(credit(Lines=[{"Line": "9"}])) == f"`{number}` has no line `9`; its lines are 1 to 2"
    rest = cancel(world, number)
    found = invoice(world, number)
    assert found["Invoice"]["Status"] == "CANCELLED" and found["CreditNoteNumbers"] == [part, rest]
    assert found["Invoice"]["OverpaidAmount"] == "197.02"
    totals = [json.loads(invoice(world, of)["Document"])["totals"] for of in (part, rest)]
    whole = json.loads(found["Document"])["totals"]
    for key in ("net", "tax", "gross"):
        assert sum(Decimal(total[key]) for total in totals) == Decimal(whole[key])
    assert refusal(credit()) == f"nothing of `{number}` is left to credit; it is cancelled already"
    assert refusal(world.server.own("CreditInvoice", {"InvoiceNumber": rest})) == (
        f"`{rest}` is a credit note; issue a new invoice instead of crediting it")


def test_what_was_cancelled_is_invoiced_again_under_the_next_number(world):
    number = issued(world, world.acme)
    assert number == "INV-2026-0002"
    draft = drafted(world, world.globex)
    said = refusal(world.server.own("IssueInvoice", {"DraftId": draft, "IssueDate": "2026-11-09"}))
    assert said == ("the last document of series `INV-{year}-{number:4}` is of 2026-11-10, so the next one may not be of 2026-11-09; "
                    "issue it on 2026-11-10 or later")
    first = done(world.server.own("IssueInvoice", {"DraftId": draft, "ClientToken": "once"}))
    assert first == done(world.server.own("IssueInvoice", {"DraftId": draft, "ClientToken": "once"})) == {"InvoiceNumber": "INV-2026-0003"}


def test_another_series_gives_other_numbers(world):
    number = cancel(world, "INV-2026-0002")
    settle(world.server, {**ACME, "series": {"template": "INV-2026-{number:4}", "restart": "never", "first": 3}}, world.acme.arn)
    draft = drafted(world, world.acme)
    assert refusal(world.server.own("IssueInvoice", {"DraftId": draft})) == (
        "number `INV-2026-0003` was given by another series; set a series whose numbers are others")
    settle(world.server, ACME, world.acme.arn)
    assert number.startswith("CN-") and done(world.server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"] == "INV-2026-0004"


def test_another_currency_needs_its_rate(world):
    settle(world.server, {**ACME, "currency": "EUR"}, world.acme.arn)
    cancel(world, "INV-2026-0004")
    draft = drafted(world, world.acme)
    preview = {"DraftId": draft}
    missing = ("there is no exchange rate from USD to EUR of 2026-10-31, nor of the 7 days before; import one, and for these two currencies "
               "in this direction")
    assert refusal(world.server.own("PreviewInvoice", preview)) == missing
    rates = "from,to,rate,source,date\nUSD,EUR,0.8543,ECB,2026-10-30\n"
    assert done(world.server.own("ImportExchangeRates", {"Rates": rates})) == {"NewCount": 1, "KnownCount": 0}
    assert done(world.server.own("ImportExchangeRates", {"Rates": rates})) == {"NewCount": 0, "KnownCount": 1}
    other = refusal(world.server.own("ImportExchangeRates", {"Rates": rates.replace("0.8543", "0.9")}))
    assert other.startswith("the rate from USD to EUR of 2026-10-30 is `0.8543` already, and `0.9` is another")
    assert refusal(world.server.own("ImportExchangeRates", {"Rates": "from,to\n"})) == "row 1: the header is to be from,to,rate,source,date"
    document = json.loads(done(world.server.own("PreviewInvoice", preview))["Document"])
    exact = Decimal("165.5555") * Decimal("0.8543")
    assert document["currency"] == "EUR" and document["totals"]["net"] == str(exact.quantize(Decimal("0.01")))
    assert document["exchange"] == {"from": "USD", "to": "EUR", "rate": "0.8543", "source": "ECB", "date": "2026-10-30"}
    done(world.server.own("IssueInvoice", {"DraftId": draft}))
    settle(world.server, ACME, world.acme.arn)


# ---- Who sees what

def test_a_customer_sees_its_own_documents_and_no_cost(world):
    own = done(world.server.own("ListInvoices", {}, world.keys["acme"]))["Invoices"]
    everything = done(world.server.own("ListInvoices"))["Invoices"]
    group = world.acme.arn.rsplit("/", 1)[1]
    assert own == [row for row in everything if row["BillingGroup"] == group] and len(own) < len(everything)
    seen = json.dumps([invoice(world, row["InvoiceNumber"], world.keys["acme"]) for row in own])
    for secret in ("Residue", "RunId", "globex", "Globex", CANARY[:8], "100.004", "margin"):
        assert secret not in seen, secret
    [theirs] = [row["InvoiceNumber"] for row in everything if row["BillingGroup"] != group]
    for keys in (world.keys["acme"], world.keys["narrow"]):
        for number in (theirs, "INV-2099-0001"):
            assert refusal(world.server.own("GetInvoice", {"InvoiceNumber": number}, keys)) == f"there is no invoice `{number}`"
    assert done(world.server.own("ListInvoices", {}, world.keys["narrow"]))["Invoices"] == []
    done(world.server.own("GetInvoice", {"InvoiceNumber": theirs}, world.keys["analyst"]))


def bytes_of(made):
    """A document with everything that is in it: the parts of a spreadsheet, the text and the files of a PDF."""
    if made.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(made)) as parts:
            return b"".join(parts.read(part) for part in parts.namelist())
    if made.startswith(b"%PDF"):
        pdf = pypdf.PdfReader(io.BytesIO(made))
        files = b"".join(content for contents in pdf.attachments.values() for content in contents)
        return "\n".join(page.extract_text() for page in pdf.pages).encode() + files + repr(pdf.metadata).encode() + made
    return made


@pytest.mark.parametrize("form", ["PDF", "XLSX", "CSV", "JSON"])
def test_no_cost_is_in_any_byte_of_a_customers_documents(world, form):
    own = done(world.server.own("ListInvoices", {}, world.keys["acme"]))["Invoices"]
    assert own
    for row in own:
        answer = done(world.server.own("GetInvoiceDocument", {"InvoiceNumber": row["InvoiceNumber"], "Format": form}, world.keys["acme"]))
        content = bytes_of(base64.b64decode(answer["Document"])) + json.dumps(answer | {"Document": ""}).encode()
        assert row["InvoiceNumber"].encode() in content
        for secret in ("Residue", "globex", "Globex", CANARY, CANARY.split(".")[0], "100.004", "margin"):
            assert secret.encode() not in content, (form, row["InvoiceNumber"], secret)


@pytest.mark.parametrize("of", ["acme", "narrow"])
def test_a_customer_cannot_ask_who_else_there_is(world, of):
    """By name, id and ARN: another customer's group is answered as one that nobody has."""
    unknown = arn("billinggroup", "000000000001")
    for foreign, nobody in (("globex", "nobody"), (world.globex.arn, unknown), (world.globex.id, unknown.rsplit("/", 1)[1])):
        answers = [(name_, world.server.own("ListInvoices", {"BillingGroup": name_}, world.keys[of])) for name_ in (foreign, nobody)]
        told = [(answer.status, answer.error, answer.body.decode().replace(name_, "")) for name_, answer in answers]
        assert told[0] == told[1] and told[0][0] in (400, 404), told
        assert answers[0][1].status != 200
    for own in ("acme", world.acme.arn, world.acme.id):
        listed = done(world.server.own("ListInvoices", {"BillingGroup": own}, world.keys[of]))["Invoices"]
        assert bool(listed) == (of == "acme")


@pytest.mark.parametrize("role,allowed", [
    ("finance", {"reads", "writes"}), ("analyst", {"reads"}), ("acme", set())])
def test_who_may(world, role, allowed):
    requests = {"reads": [("PreviewInvoice", {"DraftId": "x"}), ("ListInvoiceDrafts", {}), ("GetInvoiceSettings", {})],
                "writes": [("IssueInvoice", {"DraftId": "x"}), ("CreditInvoice", {"InvoiceNumber": "x"}), ("DiscardInvoiceDraft", {"DraftId": "x"}),
                           ("RecordPayment", {"InvoiceNumber": "x", "Amount": "1"}), ("PutInvoiceSettings", {"Settings": "[]"}),
                           ("ImportExchangeRates", {"Rates": "x"}), ("DraftInvoice", {"BillingGroup": world.acme.arn, "BillingPeriod": CURRENT})]}
    for kind, given in requests.items():
        for operation, request in given:
            answer = world.server.own(operation, request, world.keys[role])
            assert (answer.error == "AccessDeniedException") == (kind not in allowed), f"{role} {operation}: {answer.body}"


def test_lists_are_paged_and_filtered(world):
    everything = done(world.server.own("ListInvoices"))["Invoices"]
    numbers, token = [], None
    while True:
        page = done(world.server.own("ListInvoices", {"MaxResults": 2, **({"NextToken": token} if token else {})}))
        numbers += [row["InvoiceNumber"] for row in page["Invoices"]]
        token = page.get("NextToken")
        if not token:
            break
    assert numbers == [row["InvoiceNumber"] for row in everything]
    for status in {row["Status"] for row in everything}:
        rows = done(world.server.own("ListInvoices", {"Status": status}))["Invoices"]
        assert rows == [row for row in everything if row["Status"] == status]
    assert done(world.server.own("ListInvoices", {"BillingPeriod": CURRENT}))["Invoices"] == []


def test_every_write_is_in_the_audit(world):
    events, token = [], None
    while True:
        page = done(world.server.own("ListAuditEvents", {"MaxResults": 1000, **({"NextToken": token} if token else {})}))
        events += page["AuditEvents"]
        token = page.get("NextToken")
        if not token:
            break
    of = [(event["Action"], event["Resource"]) for event in events if event["Decision"] == "done"]
    for row in done(world.server.own("ListInvoices"))["Invoices"]:
        action = "proforma:CreditInvoice" if row["Kind"] == "CREDIT_NOTE" else "proforma:IssueInvoice"
        assert of.count((action, row["InvoiceNumber"])) == 1


# ---- The command line

def test_the_command_line_does_the_same(world, tmp_path):
    last = done(world.server.own("ListInvoices", {"BillingPeriod": PREVIOUS, "Status": "OPEN"}))["Invoices"][-1]["InvoiceNumber"]
    settings = tmp_path / "acme.json"
    settings.write_text(json.dumps(ACME))
    command = world.server.command
    command("invoice", "settings", "--group", world.acme.arn, "--file", settings)
    assert "Acme SA" in command("invoice", "settings", "--group", world.acme.arn)
    note = json.loads(command("invoice", "credit", last, "--reason", "again", "--output", "json"))["InvoiceNumber"]
    [draft] = json.loads(command("invoice", "draft", "--group", world.acme.arn, "--period", PREVIOUS, "--allowance", "5.56=agreed",
                                 "--note", "by hand", "--output", "json"))["DraftIds"]
    assert draft in command("invoice", "drafts")
    preview = tmp_path / "preview.json"
    assert "TotalAmount: 190.40" in command("invoice", "preview", draft, "--document", preview)
    number = json.loads(command("invoice", "issue", draft, "--output", "json"))["InvoiceNumber"]
    out = tmp_path / "document.json"
    command("invoice", "get", number, "--document", out)
    assert json.loads(out.read_text()) == {**json.loads(preview.read_text()), "number": number}
    assert "PAID" in command("invoice", "pay", number, "--amount", "190.40", "--reference", "bank")
    listed = list(csv.DictReader(io.StringIO(command("invoice", "list", "--output", "csv"))))
    assert note in [row["InvoiceNumber"] for row in listed]
    assert len(listed) == len(done(world.server.own("ListInvoices"))["Invoices"])


def test_a_backup_has_every_document(world, tmp_path):
    from server import Server, command
    before = done(world.server.own("ListInvoices"))["Invoices"]
    world.server.stop()
    command("backup", *world.server.stored, tmp_path / "backup")
    key = world.server.data / "master.key"
    again = tmp_path / "again"
    command("restore", "--data", again, "--master-key-file", key, tmp_path / "backup")
    restored = Server(again, root=world.server.root, options=["--master-key-file", str(key)]).start()
    try:
        assert done(restored.own("ListInvoices"))["Invoices"] == before
    finally:
        restored.stop()
        world.server.start()
