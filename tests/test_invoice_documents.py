"""Documents of issued invoices through the desk: every format at every door, who has them, links to them, and how the operator has them look."""
import base64
import hashlib
import io
import json
import subprocess
import urllib.request
from types import SimpleNamespace

import pypdf
import pytest

import e_invoice_rules as rules
from desk import Desk, name
from policy_months import PolicyMonth
from program import PROGRAM
from server import PREVIOUS, in_period
from test_issued_invoices import ACME, ALL, done, issued, refusal, settle

PARTIES = {"seller": {**ALL["seller"], "electronic_address": {"scheme": "9930", "id": "DE123456789"}, "contact": {"name": "Billing", "telephone": "+49 40 1", "email": "billing@northwind.example"}},
           "payment": {"means_code": "30", "accounts": [{"id": "DE02120300000000202051"}]}}
BUYER = {"buyer": {**ACME["buyer"], "electronic_address": {"scheme": "9957", "id": "FR12345678901"}}}
MEDIA = {"PDF": "application/pdf", "UBL": "application/xml", "FACTUR_X": "application/xml", "CSV": "text/csv",
         "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "JSON": "application/json"}
DESIGN = 'accent = "#0b6e4f"\nfooter = ["Directors: A. Berg, C. Dahl"]\n[texts]\ninvoice = "Tax invoice"\n'


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers with an invoice each, one of them of a design's words; the first has a credit note of it, too."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "design.toml").write_text(DESIGN)
    server = new_server(options=["--invoice-design", str(folder / "design.toml")])
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    acme, globex = desk.group(2, plan=plan, Name="acme"), desk.group(plan=plan, Name="globex")
    month = PolicyMonth()
    month.line(acme.accounts[0], cost="100.004", service="AmazonEC2")
    month.line(acme.accounts[1], cost="50.5", service="AmazonS3")
    month.line(globex.primary, cost="70", service="AmazonEC2")
    server.load(month.write(folder / "cost"))
    server.command("close", PREVIOUS)
    for group in (acme, globex):
        settle(server, ALL | PARTIES | BUYER, group.arn)
    world = SimpleNamespace(server=server, acme=acme, globex=globex, design=folder / "design.toml")
    world.number = issued(world, acme, PurchaseOrderNumber="PO-4711")
    world.other = issued(world, globex, PurchaseOrderNumber="PO-1")
    world.note = done(server.own("CreditInvoice", {"InvoiceNumber": world.number, "Lines": [{"Line": "1", "Amount": "10.00"}]}))["InvoiceNumber"]
    world.keys = {"analyst": server.keys(name("analyst"), "analyst"), "acme": server.keys(name("acme"), "group-viewer", [acme.arn]),
                  "narrow": server.keys(name("narrow"), "group-viewer", [acme.arn], [acme.accounts[0]])}
    return world


def document(world, number, form, keys=None):
    answer = done(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": form}, keys))
    made = base64.b64decode(answer["Document"])
    assert answer["Sha256"] == hashlib.sha256(made).hexdigest() and answer["MediaType"] == MEDIA[form]
    assert answer["FileName"].startswith(f"invoice-{number}.")
    return made


def text_of(pdf):
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_an_issued_invoice_is_had_in_every_format(world):
    data = done(world.server.own("GetInvoice", {"InvoiceNumber": world.number}))
    assert document(world, world.number, "JSON").decode() == data["Document"], "word for word as it was issued"
    pdf = document(world, world.number, "PDF")
    text = text_of(pdf)
    for said in (world.number, "PO-4711", "Acme SA", "Tax invoice", "Directors: A. Berg", json.loads(data["Document"])["totals"]["due"]):
        assert said in text, said
    assert list(pypdf.PdfReader(io.BytesIO(pdf)).attachments) == ["factur-x.xml"]
    assert pdf == document(world, world.number, "PDF"), "the same bytes whenever it is asked for"
    assert rules.check_ubl(document(world, world.number, "UBL")) == []
    assert world.number.encode() in document(world, world.number, "FACTUR_X")
    assert document(world, world.number, "CSV").startswith(b"invoice,kind,issued")
    assert document(world, world.number, "XLSX").startswith(b"PK")


def test_a_credit_note_is_a_document_too(world):
    text = text_of(document(world, world.note, "PDF"))
    assert world.note in text and world.number in text, "it names the invoice that it corrects"
    assert rules.check_ubl(document(world, world.note, "UBL")) == []


def test_who_has_which_document(world):
    for keys in (world.keys["acme"], world.keys["analyst"]):
        assert document(world, world.number, "PDF", keys) == document(world, world.number, "PDF")
    for keys, number in ((world.keys["acme"], world.other), (world.keys["narrow"], world.number), (None, "INV-2099-0001")):
        for form in MEDIA:
            asked = world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": form}, keys)
            assert refusal(asked) == f"there is no invoice `{number}`"
    document(world, world.other, "PDF", world.keys["analyst"])
    assert "Format" in refusal(world.server.own("GetInvoiceDocument", {"InvoiceNumber": world.number, "Format": "DOCX"}))


def test_what_the_invoice_lacks_is_said(world):
    """Peppol wants a reference, which this invoice was issued without; its page can be made all the same."""
    done(world.server.own("CreditInvoice", {"InvoiceNumber": world.other}))
    number = issued(world, world.globex)
    said = refusal(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": "UBL"}))
    assert number in said and "Peppol" in said, said
    assert number in text_of(document(world, number, "PDF"))


def test_the_link_of_an_issued_invoice_opens_its_pdf(world):
    client = world.server.client(service="invoicing")
    told = client.get_invoice_pdf(InvoiceId=world.number)["InvoicePDF"]
    assert told["InvoiceId"] == world.number and told["SupplementalDocuments"] == []
    with urllib.request.urlopen(told["DocumentUrl"], timeout=30) as answer:
        assert answer.headers["Content-Type"] == "application/pdf" and f"invoice-{world.number}.pdf" in answer.headers["Content-Disposition"]
        assert answer.read() == document(world, world.number, "PDF")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_invoice_pdf(InvoiceId="INV-2099-0001")


def test_a_customer_has_links_to_its_own_documents_only(world, tmp_path):
    """Not to another customer's, not to what AWS has sent the payer, whose invoices are as good as none, and not for a part of its accounts."""
    for number in (world.number, world.note):
        told = world.server.client(world.keys["acme"], service="invoicing").get_invoice_pdf(InvoiceId=number)["InvoicePDF"]
        assert told["SupplementalDocuments"] == []
        with urllib.request.urlopen(told["DocumentUrl"], timeout=30) as answer:
            assert answer.read() == document(world, number, "PDF")
    file = tmp_path / "aws.pdf"
    file.write_bytes(b"%PDF-1.7 of AWS")
    world.server.command("invoice", "attach", "AWS-1", file)
    # What the payer attaches to a number of its own is the payer's, too.
    world.server.command("invoice", "attach", world.number, file, "--type", "TAX_E_INVOICE", "--id", "E-1")
    told = world.server.client(world.keys["acme"], service="invoicing").get_invoice_pdf(InvoiceId=world.number)["InvoicePDF"]
    assert told["SupplementalDocuments"] == []
    for keys, numbers in (("acme", (world.other, "AWS-1", "nowhere")), ("narrow", (world.number, "AWS-1", "nowhere"))):
        customer = world.server.client(world.keys[keys], service="invoicing")
        for number in numbers:
            with pytest.raises(customer.exceptions.ResourceNotFoundException) as caught:
                customer.get_invoice_pdf(InvoiceId=number)
            assert caught.value.response["Error"]["Message"] == f"there is no invoice `{number}`"


def test_the_command_line_writes_the_same(world, tmp_path):
    forms = {"pdf": "PDF", "ubl": "UBL", "factur-x": "FACTUR_X", "csv": "CSV", "xlsx": "XLSX", "json": "JSON"}
    made = {form: document(world, world.number, named) for form, named in forms.items()}
    for form in forms:
        out = tmp_path / f"out.{form}"
        printed = json.loads(world.server.command("invoice", "document", world.number, "--format", form, "--out", out, "--output", "json"))
        assert out.read_bytes() == made[form] and "Document" not in printed, form
    world.server.stop()
    try:
        out = tmp_path / "at-data.pdf"
        ended = at_data(world, "--invoice-design", world.design, "--out", out)
        assert ended.returncode == 0 and out.read_bytes() == made["pdf"], ended.stderr
        ended = at_data(world, "--out", out)
        assert ended.returncode == 0 and out.read_bytes() == made["pdf"], "without the design it is the page that was issued"
        wrong = tmp_path / "wrong.toml"
        wrong.write_text('accent = "red"\n')
        command = [PROGRAM, "invoice", "credit", world.number, "--line", "2=1.00", *world.server.stored, "--invoice-design", wrong]
        ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
        assert ended.returncode == 2 and "the design of invoices cannot be used" in ended.stderr, "nothing is issued that has no page"
    finally:
        world.server.start()


def at_data(world, *more):
    command = [PROGRAM, "invoice", "document", world.number, *world.server.stored, "--format", "pdf", *more]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)


def test_a_server_does_not_start_with_a_design_that_cannot_be(tmp_path):
    wrong = tmp_path / "design.toml"
    wrong.write_text('accent = "red"\n')
    ended = subprocess.run([PROGRAM, "serve", "--data", tmp_path / "desk", "--rate", "0", "--invoice-design", wrong], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and f"design `{wrong}`: `red` is not a colour" in ended.stderr and "--rate" in ended.stderr, ended.stderr
    assert not (tmp_path / "desk").exists()


def test_an_issued_document_is_not_replaced_by_a_file(world, tmp_path):
    """Neither may somebody attach one over it, nor does one that was attached before go before it."""
    file = base64.b64encode(b"%PDF-1.4\n%forged\n").decode()
    attach = lambda number, **more: world.server.own("AttachInvoiceDocument", {"InvoiceId": number, "Document": file} | more)
    refused = attach(world.number)
    assert refused.status == 400 and "whose document nobody replaces" in refused.json["Message"], refused.body
    assert "Warnings" not in done(attach(world.number, DocumentType="SUPPLEMENT", DocumentId="terms"))
    [warning] = done(attach("INV-2026-9999"))["Warnings"]
    assert "INV-2026-9999" in warning and "in no list" in warning
    # The next number of the series, before it is one.
    last = int(world.number.rsplit("-", 1)[1])
    ahead = [f"INV-2026-{number:04}" for number in range(last, last + 9) if world.server.own("GetInvoice", {"InvoiceNumber": f"INV-2026-{number:04}"}).status != 200]
    done(attach(ahead[0]))
    done(world.server.own("CreditInvoice", {"InvoiceNumber": world.number}))
    number = issued(world, world.acme)
    assert number == ahead[0]
    url = world.server.client(service="invoicing").get_invoice_pdf(InvoiceId=number)["InvoicePDF"]["DocumentUrl"]
    with urllib.request.urlopen(url) as opened:
        assert number in text_of(opened.read())
