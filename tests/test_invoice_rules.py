"""What an issued invoice may be, at the desk's own door: its page is kept, what came late is taxed as then, numbers are a seller's, clocks its own."""
import base64
import csv
import io
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest

from desk import Desk, name
from policy_months import PolicyMonth
from server import CURRENT, PREVIOUS, Keys, command, in_period
from test_invoice_documents import text_of
from test_issued_invoices import ACME, ALL, done, drafted, invoice, issued, refusal, settle
from test_payers import OTHER

BUYER = {"electronic_address": {"scheme": "9957", "id": "FR12345678901"}}


def priced(server, folder, *lines):
    """A customer of the desk with these lines in October, which is closed."""
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(2, plan=desk.plan(desk.rule(ModifierPercentage=0)), Name=name("customer"))
    month = PolicyMonth()
    for line in lines:
        month.line(group.accounts[0], **line)
    server.load(month.write(folder / "cost"))
    server.command("close", PREVIOUS)
    return SimpleNamespace(server=server, group=group, desk=desk, month=month)


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """A customer charged in two currencies, with a fee and a credit."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "design.toml").write_text('accent = "#0b6e4f"\nfooter = ["First design"]\n')
    server = new_server(options=["--invoice-design", str(folder / "design.toml")])
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(2, plan=desk.plan(desk.rule(ModifierPercentage=0)), Name="acme")
    for item, kind, value in (("Managed-fee", "FEE", 50), ("Goodwill", "CREDIT", 20)):
        desk.client.create_custom_line_item(Name=item, Description=f"{item} of October", BillingGroupArn=group.arn,
                                            ChargeDetails={"Flat": {"ChargeValue": value}, "Type": kind})
    month = PolicyMonth()
    month.line(group.accounts[0], cost="100", service="AmazonEC2")
    month.line(group.accounts[1], cost="70", service="AmazonEC2", currency="CNY")
    server.load(month.write(folder / "cost"))
    server.command("close", PREVIOUS)
    settle(server, ALL)
    settle(server, ACME, group.arn)
    return SimpleNamespace(server=server, group=group, design=folder / "design.toml")


def pdf(world, number):
    answer = done(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": "PDF"}))
    return base64.b64decode(answer["Document"])


# ---- In this order: these tests share a desk

def test_what_has_no_page_has_no_number(world):
    """A name that no font has is said in the preview and at issue, before a number is given."""
    settle(world.server, {"buyer": {**ACME["buyer"], "legal_name": "株式会社テスト"}}, world.group.arn)
    drafts = done(world.server.own("DraftInvoice", {"BillingGroup": world.group.arn, "BillingPeriod": PREVIOUS}))["DraftIds"]
    assert len(drafts) == 2
    for operation in ("PreviewInvoice", "IssueInvoice"):
        said = refusal(world.server.own(operation, {"DraftId": drafts[0]}))
        assert said.startswith("no font has the character `株` (U+682A) of `株式会社テスト`; put a font that has it"), said
    assert done(world.server.own("ListInvoices"))["Invoices"] == []
    settle(world.server, ACME, world.group.arn)
    numbers = [done(world.server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"] for draft in drafts]
    assert numbers == ["INV-2026-0001", "INV-2026-0002"], "no number was left out"
    world.numbers = {json.loads(invoice(world, number)["Document"])["currency"]: number for number in numbers}


def test_each_custom_line_item_is_a_line(world):
    lines = json.loads(invoice(world, world.numbers["USD"])["Document"])["lines"]
    assert [(line["name"], line.get("description"), line["net"]) for line in lines] == [
        ("Goodwill", "Goodwill of October", "-20.00"), ("Managed-fee", "Managed-fee of October", "50.00"), ("AmazonEC2", None, "100.00")]


def test_the_page_of_an_issued_document_is_kept(world):
    """Another design changes the pages of documents to come, and no page that a customer has."""
    number = world.numbers["USD"]
    before = pdf(world, number)
    assert "First design" in text_of(before)
    world.design.write_text('accent = "#aa0000"\nfooter = ["Second design"]\n')
    world.server.restart()
    assert pdf(world, number) == before
    note = done(world.server.own("CreditInvoice", {"InvoiceNumber": number}))["InvoiceNumber"]
    assert "Second design" in text_of(pdf(world, note))


def test_a_currency_that_is_free_is_invoiced_again(world):
    """The USD invoice was credited; that the one in CNY holds is in nobody's way."""
    asked = {"BillingGroup": world.group.arn, "BillingPeriod": PREVIOUS}
    [draft] = done(world.server.own("DraftInvoice", asked))["DraftIds"]
    document = json.loads(done(world.server.own("PreviewInvoice", {"DraftId": draft}))["Document"])
    assert document["currency"] == "USD"
    said = refusal(world.server.own("DraftInvoice", asked)).split("\n")
    assert len(said) == 2 and any(line.startswith(f"draft `{draft}`") for line in said), said
    assert any(line.startswith(f"the charges of {PREVIOUS} in CNY are on invoice") for line in said), said
    done(world.server.own("IssueInvoice", {"DraftId": draft}))


def test_an_issue_date_is_not_before_the_supply(world):
    done(world.server.own("CreditInvoice", {"InvoiceNumber": world.numbers["CNY"]}))
    settle(world.server, {**ALL, **ACME}, FromBillingPeriod="2026-01")
    draft = drafted(world, world.group)
    for operation in ("PreviewInvoice", "IssueInvoice"):
        said = refusal(world.server.own(operation, {"DraftId": draft, "IssueDate": "2026-01-02"}))
        assert said == ("the document would be of 2026-01-02, and what it charges is supplied until 2026-10-31; issue it on 2026-10-31 or later")
    done(world.server.own("DiscardInvoiceDraft", {"DraftId": draft}))


def test_a_prepayment_and_a_step_are_within_reason(world):
    for prepaid in ("-500", "5000"):
        draft = drafted(world, world.group, PrepaidAmount=prepaid)
        said = refusal(world.server.own("PreviewInvoice", {"DraftId": draft}))
        assert said.endswith("a prepayment is 0 or above and no more than that"), said
        done(world.server.own("DiscardInvoiceDraft", {"DraftId": draft}))
    said = refusal(world.server.own("PutInvoiceSettings", {"Settings": json.dumps({"payable_step": "1000"})}))
    assert said == "`payable_step`: `1000` is more than 10.00; it is the smallest coin that can be paid, such as 0.05"
    draft = drafted(world, world.group, PrepaidAmount="83.30")
    warned = done(world.server.own("PreviewInvoice", {"DraftId": draft}))["Warnings"]
    assert "NOTHING_DUE" in [warning["Code"] for warning in warned]
    done(world.server.own("DiscardInvoiceDraft", {"DraftId": draft}))


def test_a_payment_is_not_before_its_invoice(world):
    number = done(world.server.own("IssueInvoice", {"DraftId": drafted(world, world.group)}))["InvoiceNumber"]
    said = refusal(world.server.own("RecordPayment", {"InvoiceNumber": number, "Amount": "1", "Date": "2026-11-09"}))
    assert said.startswith(f"`{number}` is of 2026-11-10, and 2026-11-09 is before that; name 2026-11-10 or a later day"), said
    for _ in range(2):
        world.server.command("invoice", "pay", number, "--amount", "10", "--reference", "SEPA 1")
    assert [row["Amount"] for row in invoice(world, number)["Payments"]] == ["10.00"], "the same command again pays once"
    world.server.command("invoice", "pay", number, "--amount", "10", "--reference", "SEPA 2")
    assert [row["Amount"] for row in invoice(world, number)["Payments"]] == ["10.00", "10.00"]


@pytest.mark.parametrize("settings,said", [
    ({"buyer": {**ACME["buyer"], "tax_registrations": [{"scheme": "VAT", "id": ""}]}}, "the buyer profile's tax registration is blank"),
    ({"buyer": {**ACME["buyer"], "legal_name": "\u202e\u200f"}}, "the buyer profile's legal name is blank"),
    ({"buyer": {**ACME["buyer"], "address": {"country": "ZZ"}}}, "the buyer profile's country is `ZZ`"),
    ({"seller": {**ALL["seller"], "tax_registrations": [{"scheme": "VAT", "id": "123456789"}]}}, "the seller profile's VAT id is `123456789`"),
    ({"seller": {**ALL["seller"], "electronic_address": {"scheme": "EMAIL", "id": "a@b.example"}}}, "has the scheme `EMAIL`"),
    ({"payment": {"means_code": "58", "accounts": []}}, "needs an account"),
    ({"payment": {"means_code": "XX", "accounts": [{"id": "DE02120300000000202051"}]}}, "the means of payment is `XX`"),
    ({"buyer_reference": " "}, "`buyer_reference`: it is blank"),
    ({"utc_offset": "Tokyo"}, "`utc_offset`: `Tokyo` is no offset from UTC"),
])
def test_settings_that_no_e_invoice_may_have_are_refused(world, settings, said):
    assert said in refusal(world.server.own("PutInvoiceSettings", {"Settings": json.dumps(settings)}))


def test_a_blank_order_number_is_none(world):
    asked = {"BillingGroup": world.group.arn, "BillingPeriod": PREVIOUS, "PurchaseOrderNumber": "\u200e"}
    assert refusal(world.server.own("DraftInvoice", asked)) == "the purchase order's number is blank; write it, or leave it out"


def test_a_table_sums_to_what_is_due(world):
    """Allowances, charges, taxes and what was paid before are rows of their own."""
    last = done(world.server.own("ListInvoices", {"Status": "PARTLY_PAID"}))["Invoices"][-1]["InvoiceNumber"]
    done(world.server.own("CreditInvoice", {"InvoiceNumber": last}))
    draft = drafted(world, world.group, PrepaidAmount="1.50", Adjustments=[{"Kind": "allowance", "Amount": "60", "Reason": "=agreed"}])
    number = done(world.server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"]
    totals = json.loads(invoice(world, number)["Document"])["totals"]
    answer = done(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": "CSV"}))
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(answer["Document"]).decode())))
    total = lambda column: sum(Decimal(row[column] or 0) for row in rows)
    assert (total("net"), total("tax_amount"), total("due")) == tuple(Decimal(totals[of]) for of in ("net", "tax", "due"))
    assert [row["row"] for row in rows] == ["line", "allowance", "tax", "prepaid"]
    assert rows[1]["name"] == "'=agreed"


# ---- Desks of their own

def test_what_came_late_is_taxed_as_in_its_own_month(new_server, tmp_path):
    """40 of October that arrived in November are on November's invoice, under October's rate, and say so."""
    server = new_server(transfers=False)
    world = priced(server, tmp_path, {"cost": "100", "service": "AmazonEC2"})
    tax = [{"category": "S", "rate": "19", "from": "2026-01-01", "until": "2026-11-01"}, {"category": "S", "rate": "25", "from": "2026-11-01"}]
    settle(server, {**ALL, **ACME, "tax": tax})
    world.month.line(world.group.accounts[0], cost="40", service="AmazonS3")
    server.load(world.month.write(tmp_path / "late"))
    november = PolicyMonth()
    november.line(world.group.accounts[0], cost="100", service="AmazonEC2")
    november.write(tmp_path / "november")
    for file in (tmp_path / "november").glob("*.csv"):
        file.write_text(file.read_text().replace("2026-11-01", "2026-12-01").replace("2026-10", "2026-11"))
    server.load(tmp_path / "november", CURRENT)
    server.stop()
    server.now = "2026-12-05T12:00:00Z"
    server.start()
    server.settle()
    server.command("close", CURRENT)
    [draft] = done(server.own("DraftInvoice", {"BillingGroup": world.group.arn, "BillingPeriod": CURRENT}))["DraftIds"]
    document = json.loads(done(server.own("PreviewInvoice", {"DraftId": draft}))["Document"])
    lines = [(line["name"], line.get("description"), line["net"], line["tax"]["rate"]) for line in document["lines"]]
    assert lines == [(f"Adjustment-{PREVIOUS}-1", f"Adjustment of billing period {PREVIOUS}", "40.00", "19"), ("AmazonEC2", None, "100.00", "25")]
    assert document["totals"]["tax"] == "32.60"


def test_a_seller_gives_no_number_twice_on_one_desk(new_server, tmp_path):
    server = new_server(transfers=False)
    world = priced(server, tmp_path, {"cost": "100", "service": "AmazonEC2"})
    settle(server, {**ALL, **ACME})
    number = issued(world, world.group)
    if server.database is None:
        server.stop()
    made = json.loads(command("init", *server.stored, "--payer", OTHER, "--output", "json"))
    if server.database is None:
        server.start()
    other = Keys(made["AccessKeyId"], made["SecretAccessKey"])
    desk = Desk(in_period(server.client(other), PREVIOUS))
    group = desk.group(plan=desk.plan(desk.rule(ModifierPercentage=0)), Name="other")
    month = PolicyMonth()
    month.line(group.primary, cost="10", service="AmazonEC2")
    folder = month.write(tmp_path / "other")
    for file in folder.glob("*.csv"):
        file.write_text(file.read_text().replace("999999999999", OTHER))
    server.command("import", "--cost", folder, "--period", PREVIOUS, keys=other)
    server.command("runs", "wait", keys=other)
    server.command("close", PREVIOUS, keys=other)
    own = lambda operation, given: server.own(operation, given, other)
    done(own("PutInvoiceSettings", {"Settings": json.dumps({**ALL, **ACME})}))
    [draft] = done(own("DraftInvoice", {"BillingGroup": group.arn, "BillingPeriod": PREVIOUS}))["DraftIds"]
    for operation in ("PreviewInvoice", "IssueInvoice"):
        said = refusal(own(operation, {"DraftId": draft}))
        assert said.startswith("series `INV-{year}-{number:4}` is counted for another payer of this desk under the same seller"), said
    done(own("PutInvoiceSettings", {"Settings": json.dumps({**ALL, **ACME, "series": {"template": "INV-2026-{number:4}", "restart": "never"}})}))
    assert refusal(own("IssueInvoice", {"DraftId": draft})).startswith(f"number `{number}` was given for another payer of this desk")
    done(own("PutInvoiceSettings", {"Settings": json.dumps({**ALL, **ACME, "series": {"template": "B-{year}-{number:4}"}})}))
    assert done(own("IssueInvoice", {"DraftId": draft})) == {"InvoiceNumber": "B-2026-0001"}


def test_a_document_is_of_the_sellers_day(new_server, tmp_path):
    """At noon in London on New Year's Eve it is the new year in Auckland."""
    server = new_server(transfers=False)
    world = priced(server, tmp_path, {"cost": "100", "service": "AmazonEC2"})
    server.stop()
    server.now = "2026-12-31T12:00:00Z"
    server.start()
    settle(server, {**ALL, **ACME, "utc_offset": "+13:00"})
    number = issued(world, world.group)
    assert number == "INV-2027-0001"
    assert json.loads(invoice(world, number)["Document"])["issued"] == "2027-01-01"
