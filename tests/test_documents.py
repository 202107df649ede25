"""Documents of invoices through `proforma invoice render`: PDF, e-invoices, tables. The rules that e-invoices are held to are the official ones
(`e_invoice_rules`); PDFs are read by poppler, qpdf and pypdf."""
import base64
import csv
import io
import json
import pathlib
import re
import shutil
import struct
import subprocess
import time
import zipfile
import zlib
from decimal import Decimal

import facturx
import openpyxl
import pypdf
import pytest
import typst
from lxml import etree

import e_invoice_rules as rules
import invoices
from program import PROGRAM, ROOT

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"

needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed (Debian: poppler-utils)")
needs_qpdf = pytest.mark.skipif(not shutil.which("qpdf"), reason="qpdf is not installed")


def tried(invoice, form, folder, design=None):
    data = invoices.write(invoice, folder / "invoice.json")
    command = [PROGRAM, "invoice", "render", "--data", data, "--format", form, "--out", folder / f"out.{form}"]
    if design is not None:
        (folder / "design.toml").write_text(design)
        command += ["--design", folder / "design.toml"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def rendered(invoice, form, folder, design=None):
    ended = tried(invoice, form, folder, design)
    assert ended.returncode == 0, ended.stderr
    return (folder / f"out.{form}").read_bytes()


def text_of(pdf, folder, *options):
    path = folder / "read.pdf"
    path.write_bytes(pdf)
    ended = subprocess.run(["pdftotext", *options, path, "-"], capture_output=True, text=True, timeout=60, check=True)
    return ended.stdout


SAMPLES = {
    "standard": invoices.standard,
    "zero rate": lambda: invoices.taxed("Z"),
    "exempt": lambda: invoices.taxed("E", reason="Exempt under article 135"),
    "reverse charge": lambda: invoices.taxed("AE", reason="Reverse charge", code="VATEX-EU-AE"),
    "intra-community": lambda: invoices.taxed("K", reason="Intra-community supply", code="VATEX-EU-IC"),
    "export": lambda: invoices.taxed("G", reason="Export outside the EU", code="VATEX-EU-G"),
    "outside scope": lambda: invoices.taxed("O", reason="Not subject to VAT", code="VATEX-EU-O"),
    "credit note": invoices.credit_note,
    "two currencies": invoices.in_two_currencies,
    "40 lines": lambda: invoices.long(40),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_ubl_keeps_every_rule_of_cen_and_peppol(name, tmp_path):
    xml = rendered(SAMPLES[name](), "ubl", tmp_path)
    assert rules.check_ubl(xml) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_factur_x_keeps_every_rule_of_its_profile(name, tmp_path):
    xml = rendered(SAMPLES[name](), "factur-x", tmp_path)
    assert broken_factur_x(xml) == []


def broken_factur_x(xml):
    """Without one warning: Peppol minds empty elements, and the schema of CII wants the delivery even where there is nothing to say of it."""
    return [it for it in rules.check_factur_x(xml)
            if not (it[0] == "PEPPOL-EN16931-R008" and it[1].startswith("warning") and "ApplicableHeaderTradeDelivery" in it[1])]


def test_each_rule_set_refuses_a_bad_invoice(tmp_path):
    """What the tests above rely on: none of the validators says yes to everything."""
    ubl = rendered(invoices.standard(), "ubl", tmp_path).decode()
    cen, peppol = rules.UBL_RULES
    no_currency = re.sub("<cbc:DocumentCurrencyCode>.*?</cbc:DocumentCurrencyCode>", "", ubl).encode()
    assert "BR-05" in dict(rules.broken_rules(no_currency, [cen]))
    wrong_sum = ubl.replace('<cbc:PayableAmount currencyID="EUR">29083.81', '<cbc:PayableAmount currencyID="EUR">29083.80').encode()
    assert "BR-CO-16" in dict(rules.broken_rules(wrong_sum, [cen]))
    no_reference = re.sub("<cbc:BuyerReference>.*?</cbc:BuyerReference>|<cac:OrderReference>.*?</cac:OrderReference>", "", ubl).encode()
    assert "PEPPOL-EN16931-R003" in dict(rules.broken_rules(no_reference, [peppol]))
    assert rules.schema_errors(ubl.replace("cbc:IssueDate", "cbc:Issued").encode(), rules.ubl_schema(ubl.encode()))
    cii = rendered(invoices.standard(), "factur-x", tmp_path).decode()
    wrong_sum = cii.replace("<ram:DuePayableAmount>29083.81", "<ram:DuePayableAmount>29083.80").encode()
    assert any("BR-CO-16" in rule + text for rule, text in rules.broken_rules(wrong_sum, rules.FACTUR_X_RULES))
    assert rules.schema_errors(cii.replace("ram:TypeCode>380</ram:TypeCode>", "ram:Type>380</ram:Type>").encode(),
                               rules.FACTURX / "facturx-en16931" / "Factur-X_EN16931.xsd")


def test_e_invoices_hold_the_references(tmp_path):
    ubl = etree.fromstring(rendered(invoices.standard(), "ubl", tmp_path))
    assert ubl.findtext(f"{CAC}OrderReference/{CBC}ID") == "PO-2026-118"
    assert ubl.findtext(f"{CBC}BuyerReference") == "FIN-CLOUD"
    lines = [line.findtext(f"{CAC}OrderLineReference/{CBC}LineID") for line in ubl.iter(f"{CAC}InvoiceLine")]
    assert lines == ["1", "1", "2", "3", None]
    assert ubl.find(f"{CAC}InvoiceLine/{CAC}DocumentReference").findtext(f"{CBC}ID") == "250000000001"
    note = etree.fromstring(rendered(invoices.credit_note(), "ubl", tmp_path))
    assert etree.QName(note).localname == "CreditNote"
    earlier = note.find(f"{CAC}BillingReference/{CAC}InvoiceDocumentReference")
    assert (earlier.findtext(f"{CBC}ID"), earlier.findtext(f"{CBC}IssueDate")) == ("NC-2026-0042", "2026-11-03")
    cii = etree.fromstring(rendered(invoices.standard(), "factur-x", tmp_path))
    agreement = cii.find(f".//{RAM}ApplicableHeaderTradeAgreement")
    assert agreement.findtext(f"{RAM}BuyerOrderReferencedDocument/{RAM}IssuerAssignedID") == "PO-2026-118"
    assert agreement.findtext(f"{RAM}BuyerReference") == "FIN-CLOUD"
    of_lines = f"{RAM}SpecifiedLineTradeAgreement/{RAM}BuyerOrderReferencedDocument/{RAM}LineID"
    assert [line.findtext(of_lines) for line in cii.iter(f"{RAM}IncludedSupplyChainTradeLineItem")] == ["1", "1", "2", "3", None]
    note = etree.fromstring(rendered(invoices.credit_note(), "factur-x", tmp_path))
    assert note.findtext(f".//{RAM}InvoiceReferencedDocument/{RAM}IssuerAssignedID") == "NC-2026-0042"


@pytest.mark.parametrize("change, said", [
    (lambda it: (it.pop("buyer_reference"), it.pop("purchase_order")), "neither a purchase order number nor a buyer reference"),
    (lambda it: it["buyer"].pop("electronic_address"), "the buyer has no electronic address; set it in the buyer's profile"),
    (lambda it: it["seller"].pop("electronic_address"), "the seller has no electronic address; set it in the seller's profile"),
    (lambda it: it.update(invoices.taxed("E")), "tax category E needs a reason for the exemption"),
])
def test_what_peppol_wants_and_is_not_there_is_named(change, said, tmp_path):
    invoice = invoices.standard()
    change(invoice)
    ended = tried(invoice, "ubl", tmp_path)
    assert ended.returncode == 2 and said in ended.stderr, ended.stderr
    assert not (tmp_path / "out.ubl").exists()


@needs_poppler
@needs_qpdf
@pytest.mark.parametrize("name", SAMPLES)
def test_a_pdf_is_sound_archivable_and_an_e_invoice(name, tmp_path):
    invoice = SAMPLES[name]()
    pdf = rendered(invoice, "pdf", tmp_path)
    path = tmp_path / "out.pdf"
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    said = subprocess.run(["pdfinfo", path], capture_output=True, text=True, timeout=60, check=True).stdout
    assert re.search(r"Tagged: +yes", said) and re.search(r"JavaScript: +no", said) and re.search(r"PDF version: +1.7", said), said
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()[2:]
    assert fonts and all(re.search(r" yes +yes +yes +\d+ +\d+$", line) for line in fonts), fonts
    xmp = pypdf.PdfReader(path).xmp_metadata.stream.get_data()
    described = etree.fromstring(xmp[xmp.index(b"<x:xmpmeta"):xmp.index(b"</x:xmpmeta>") + len(b"</x:xmpmeta>")])
    values = {(etree.QName(it).namespace, etree.QName(it).localname): it.text for it in described.iter() if isinstance(it.tag, str)}
    pdfa, pdfua, fx = "http://www.aiim.org/pdfa/ns/id/", "http://www.aiim.org/pdfua/ns/id/", "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
    assert (values[pdfa, "part"], values[pdfa, "conformance"], values[pdfua, "part"]) == ("3", "A", "1")
    of_factur_x = [values[fx, name] for name in ("ConformanceLevel", "DocumentFileName", "DocumentType", "Version")]
    assert of_factur_x == ["EN 16931", "factur-x.xml", "INVOICE", "1.0"]
    assert len(list(described.iter("{http://www.aiim.org/pdfa/ns/extension/}schemas"))) == 1
    name_in_pdf, xml = facturx.get_xml_from_pdf(pdf, check_xsd=True, check_schematron=False)
    assert name_in_pdf == "factur-x.xml" and xml == rendered(invoice, "factur-x", tmp_path)
    root = pypdf.PdfReader(path).trailer["/Root"]
    assert root["/AF"][0].get_object()["/AFRelationship"] == "/Alternative"


@needs_poppler
def test_a_pdf_says_what_the_invoice_says(tmp_path):
    text = text_of(rendered(invoices.standard(), "pdf", tmp_path), tmp_path, "-layout")
    wanted = ["Invoice", "NC-2026-0042", "3 November 2026", "3 December 2026", "October 2026", "PO-2026-118", "FIN-CLOUD", "Quill & Harbor Ltd",
              "Northwind Cloud GmbH", "IE1234567FA", "DE123456789", "HRB 123456", "16.5 h", "140.00", "-250.00", "18,422.17", "Volume discount",
              "-500.00", "25,280.51", "4,803.30", "30,083.81", "-1,000.00", "EUR 29,083.81", "1 USD = 0.9217 EUR (ECB, 31 October 2026)",
              "DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "30 days net", "Amounts follow the price list", "Page 1 of"]
    plain = text.replace("\u00a0", " ")
    assert [words for words in wanted if words not in plain] == []
    note = text_of(rendered(invoices.credit_note(), "pdf", tmp_path), tmp_path, "-layout").replace("\u00a0", " ")
    for words in ["Credit note", "Corrects invoice", "NC-2026-0042", "3 November 2026", "Amount credited", "EUR 5,129.97"]:
        assert words in note, note


@needs_poppler
@pytest.mark.parametrize("language, words", [
    ("de", ["Rechnung", "3. November 2026", "Oktober 2026", "29.083,81 EUR", "Bestellnummer", "Seite 1 von"]),
    ("fr-BE", ["Facture", "3 novembre 2026", "29 083,81 EUR", "Bon de commande", "Page 1 sur"]),
    ("es", ["Factura", "3 de noviembre de 2026", "29.083,81 EUR", "Orden de compra", "Página 1 de"]),
])
def test_a_pdf_speaks_the_invoices_language(language, words, tmp_path):
    pdf = rendered({**invoices.standard(), "language": language}, "pdf", tmp_path)
    text = text_of(pdf, tmp_path, "-layout").replace("\u00a0", " ")
    assert [it for it in words if it not in text] == []
    assert pypdf.PdfReader(tmp_path / "out.pdf").trailer["/Root"]["/Lang"] == language


def structure(node):
    """The kinds of the structure tree below a node, depth first: (depth, kind, attributes of the element)."""
    pending = [(node, 0)]
    while pending:
        at, depth = pending.pop()
        at = at.get_object()
        if not isinstance(at, pypdf.generic.DictionaryObject) or at.get("/Type") in ("/MCR", "/OBJR"):
            continue
        if "/S" in at:
            yield depth, at["/S"][1:], at
        children = at.get("/K", [])
        children = children.get_object()
        children = children if isinstance(children, list) else [children]
        pending.extend((child, depth + 1) for child in reversed(children) if not isinstance(child, (int, pypdf.generic.NumberObject)))


@needs_poppler
def test_a_pdf_is_tagged_in_reading_order(tmp_path):
    rendered(invoices.standard(), "pdf", tmp_path)
    reader = pypdf.PdfReader(tmp_path / "out.pdf")
    tree = list(structure(reader.trailer["/Root"]["/StructTreeRoot"]))
    kinds = [kind for _, kind, _ in tree]
    headings = [it["/T"] for _, kind, it in tree if re.fullmatch("H[1-6]", kind)]
    assert headings == ["Invoice NC-2026-0042", "Bill to", "From", "Details", "Charges", "Payment", "Tax by category and rate", "Notes"]
    assert kinds.index("H1") < kinds.index("Table") and kinds.count("Table") == 3
    lines = kinds[kinds.index("Table"):]
    head = lines[:lines.index("TBody")]
    assert head[:3] == ["Table", "THead", "TR"] and head.count("TH") == 6
    first = lines[lines.index("TBody"):lines.index("Table", 1)]
    assert first.count("TR") == 5 and first.count("TD") == 5 * 6
    spoken = subprocess.run(["pdfinfo", "-struct-text", tmp_path / "out.pdf"], capture_output=True, text=True, timeout=60, check=True).stdout
    order = [spoken.index(words) for words in ["Quill & Harbor Ltd", "Amount due", "Amazon Elastic Compute Cloud", "Volume discount", "COBADEFFXXX",
                                               "Amounts follow"]]
    assert order == sorted(order)
    outline = [entry.title for entry in reader.outline]
    assert outline == headings


@needs_poppler
def test_five_thousand_lines_paginate_with_header_and_sums(tmp_path):
    invoice = invoices.long(5000)
    began = time.monotonic()
    pdf = rendered(invoice, "pdf", tmp_path)
    assert time.monotonic() - began < 60
    pages = text_of(pdf, tmp_path, "-layout").replace("\u00a0", " ").split("\f")[:-1]
    assert len(pages) > 100
    sums, seen = {}, Decimal(0)
    for line in invoice["lines"]:
        seen += Decimal(line["net"])
        sums[line["name"]] = f"{seen:,.2f}"
    numbers = []
    for at, page in enumerate(pages, 1):
        assert f"Page {at} of {len(pages)}" in page
        names = re.findall(r"Service \d+(?=\s)", re.sub("What service.*", "", page))
        names = [name for name in names if name in sums]
        numbers.extend(names)
        if names and at < len(pages) and "Total before tax" not in page:
            assert "Description" in page and re.search(rf"Carried forward +{re.escape(sums[names[-1]])}", page), page
            assert re.search(rf"Brought forward +{re.escape(sums[names[-1]])}", pages[at]), pages[at]
    assert numbers == [f"Service {number}" for number in range(1, 5001)]


@needs_poppler
def test_a_line_longer_than_a_page_goes_on(tmp_path):
    invoice = invoices.standard()
    invoice["lines"][3]["description"] = "\n".join(f"Day {number}" for number in range(1, 301))
    text = text_of(rendered(invoice, "pdf", tmp_path), tmp_path)
    days = [int(number) for number in re.findall(r"^Day (\d+)$", text, re.MULTILINE)]
    assert days == list(range(1, 301))


def test_the_same_invoice_has_the_same_bytes(tmp_path):
    for form in ["pdf", "ubl", "factur-x", "csv", "xlsx", "json"]:
        folders = [tmp_path / f"{form}{number}" for number in range(2)]
        made = []
        for folder in folders:
            folder.mkdir()
            made.append(rendered(invoices.standard(), form, folder))
        assert made[0] == made[1], form


SCRIPTS = {"DejaVuSans.ttf": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
           "DroidSansFallbackFull.ttf": "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"}
needs_fonts = pytest.mark.skipif(not all(pathlib.Path(path).exists() for path in SCRIPTS.values()),
                                 reason="fonts are not installed (Debian: fonts-dejavu-core, fonts-droid-fallback)")
HEBREW = """
fonts = "fonts"
[texts]
invoice = "חשבונית"
bill_to = "לכבוד"
amount_due = "לתשלום"
page = "עמוד {page} מתוך {pages}"
"""


def boxes(pdf, folder):
    """Every word of the first page with its left and right end, in points."""
    page = text_of(pdf, folder, "-bbox", "-l", "1")
    return {word: (float(left), float(right)) for left, right, word in
            re.findall(r'<word xMin="([0-9.]+)" yMin="[0-9.]+" xMax="([0-9.]+)" yMax="[0-9.]+">(.*?)</word>', page)}


@needs_poppler
@needs_fonts
def test_other_scripts_are_set_with_the_fonts_of_a_folder(tmp_path):
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    for name, path in SCRIPTS.items():
        shutil.copy(path, fonts / name)
    invoice = {**invoices.standard(), "language": "he"}
    invoice["buyer"]["legal_name"] = "מגדל הנמל בע״מ"
    names = ["日本語のサービス", "Υπηρεσία", "Хранение данных", "خدمة التخزين", "שירות ענן Amazon EC2"]
    for line, name in zip(invoice["lines"], names):
        line["name"] = name
    pdf = rendered(invoice, "pdf", tmp_path, HEBREW)
    text = re.sub("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", "", text_of(pdf, tmp_path))
    for words in ["חשבונית", "מגדל הנמל", "לכבוד", "לתשלום", "日本語のサービス", "Υπηρεσία", "Хранение данных", "שירות ענן", "Amazon EC2", "29,083.81"]:
        assert words in text, (words, text)
    assert pypdf.PdfReader(tmp_path / "out.pdf").trailer["/Root"]["/ViewerPreferences"]["/Direction"] == "/R2L"
    mirrored, plain = boxes(pdf, tmp_path), boxes(rendered(invoices.standard(), "pdf", tmp_path), tmp_path)
    width = 595.275
    (left, right), (to_left, to_right) = plain["25,780.51"], mirrored["25,780.51"]
    assert abs((width - right) - to_left) < 1 and abs((width - left) - to_right) < 1, "amounts keep to the other side"
    ended = tried(invoice, "pdf", tmp_path)
    assert ended.returncode == 2 and "put a font that has it into the font folder" in ended.stderr


# A green picture of 16 × 8 pixels.
JPEG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/"
    "2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAIABADASIAAhEBAxEB/8QA"
    "FQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAAT/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oA"
    "DAMBAAIRAxEAPwCAARP/2Q=="
)


def png(width, height):
    """A picture with a transparent corner."""
    rows = b"".join(b"\0" + b"".join(bytes((11, 110, 79, 0 if x + y < 8 else 255)) for x in range(width)) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@needs_poppler
@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_logo_stands_on_the_first_page_and_says_what_it_is(kind, tmp_path):
    (tmp_path / "logo").write_bytes(png(400, 100) if kind == "png" else base64.b64decode(JPEG))
    design = 'logo = "logo"\nlogo_says = "The north wind"\naccent = "#0b6e4f"\npaper = "letter"\nfooter = ["Directors: A. Berg, C. Dahl"]\n'
    pdf = rendered(invoices.long(40), "pdf", tmp_path, design)
    reader = pypdf.PdfReader(tmp_path / "out.pdf")
    images = [len(page.images) for page in reader.pages]
    assert images[0] == 1 and sum(images) == 1
    figures = [it for _, kind, it in structure(reader.trailer["/Root"]["/StructTreeRoot"]) if kind == "Figure"]
    assert [it["/Alt"] for it in figures] == ["The north wind"]
    assert reader.pages[0].mediabox[2:] == [612, 792]
    assert all("Directors: A. Berg" in page for page in text_of(pdf, tmp_path).split("\f")[:-1])
    assert b"0.04313" in reader.pages[0].get_contents().get_data()


@pytest.mark.parametrize("design, said", [
    ('accent = "green"', "`green` is not a colour; write it as #1a2b3c"),
    ('logo = "nowhere.png"', "the logo cannot be used"),
    ('logo = "design.toml"', "it is neither PNG nor JPEG; give a PNG or JPEG picture"),
    ('fonts = "nowhere"', "the fonts at"),
    ('paper = "a3"', "`a3` is not a paper; there are `a4` and `letter`"),
    ('colour = "#123456"', "unknown field `colour`"),
    ('[texts]\ninvioce = "x"', "`invioce` is not a word of the documents"),
    ('[texts]\namount_due = ""', "the word `amount_due` is empty; write it, or leave it out"),
    ('[texts]\nnotes = " "', "the word `notes` is empty"),
    ('[texts]\npage = "Seite"', "the word `page` is `Seite`; it needs {page}, where the number stands"),
    ('[texts]\npage = "Seite {page}"', "the word `page` is `Seite {page}`; it needs {pages}"),
])
def test_a_design_that_cannot_be_is_refused(design, said, tmp_path):
    ended = tried(invoices.standard(), "pdf", tmp_path, design)
    assert ended.returncode == 2 and said in ended.stderr and "nothing was written" in ended.stderr, ended.stderr


@needs_poppler
def test_a_currency_of_three_decimals_has_a_page_but_no_e_invoice(tmp_path):
    invoice = json.loads(json.dumps(invoices.standard()).replace("EUR", "KWD"))
    invoice["taxes"][0]["amount"] = "4803.297"
    invoice["totals"].update(tax="4803.297", gross="30083.807", due="29083.807")
    pdf = rendered(invoice, "pdf", tmp_path)
    assert "18,422.170" in text_of(pdf, tmp_path) and pypdf.PdfReader(io.BytesIO(pdf)).attachments == {}
    ended = tried(invoice, "ubl", tmp_path)
    assert ended.returncode == 2 and "EN 16931 has amounts of two decimals, and KWD has more" in ended.stderr


def numbers_alike(data):
    """The same data with every plain number written in one way."""
    if isinstance(data, dict):
        return {key: numbers_alike(value) for key, value in data.items() if value != [] and (key, value) != ("scheme", "")}
    if isinstance(data, list):
        return [numbers_alike(value) for value in data]
    return str(Decimal(data).normalize()) if re.fullmatch(r"-?\d+\.\d+|0", data) else data


def test_json_is_what_was_read(tmp_path):
    for name, sample in SAMPLES.items():
        again = json.loads(rendered(sample(), "json", tmp_path))
        assert numbers_alike(again) == numbers_alike(sample()), name
        assert json.loads(rendered(again, "json", tmp_path)) == again, name


@pytest.mark.parametrize("change, said", [
    (lambda it: it.update(format="proforma-invoice-9"), "`format`: `proforma-invoice-9` is not a format"),
    (lambda it: it.update(surprise=1), "unknown field `surprise`"),
    (lambda it: it.pop("totals"), "missing field `totals`"),
    (lambda it: it["lines"][2].update(net="987.444"), "`lines[2].net`: `987.444` is not an amount of EUR"),
    (lambda it: it["lines"][0]["tax"].update(category="X"), "`lines[0].tax.category`: `X` is not a tax category; there are S, Z"),
    (lambda it: it.update(issued="3.11.2026"), "`issued`: `3.11.2026` is not a date"),
    (lambda it: it.update(currency="XXX"), "`XXX` is no currency that an invoice can be in"),
    (lambda it: it.update(language="english please"), "`english please` is not a language tag"),
    (lambda it: it["period"].update({"from": "2026-11-01"}), "`2026-11-01` is after `2026-10-31`"),
    (lambda it: it["buyer"]["address"].update(country="Ireland"), "`Ireland` is not a country; write two capital letters"),
    (lambda it: it["lines"][0].update(quantity=1), "invalid type: integer `1`, expected a string"),
    (lambda it: it["lines"][4].update(quantity="1", price="-250"), "line `5` has a price below 0; make the quantity negative"),
    (lambda it: it["totals"].update(due="29083.82"), "`totals.due` is 29083.82, but it comes to 29083.81; correct it"),
    (lambda it: it["lines"][0].update(quantity="2"), "line `1` is 18422.17, but its quantity times its price is 36844.34"),
])
def test_data_that_are_no_invoice_are_refused_by_place(change, said, tmp_path):
    invoice = invoices.standard()
    change(invoice)
    ended = tried(invoice, "pdf", tmp_path)
    assert ended.returncode == 2 and said in ended.stderr and "nothing was written" in ended.stderr, ended.stderr
    assert not (tmp_path / "out.pdf").exists()


HOSTILE = ["=1+1", "\u200e=HYPERLINK(1)", "\u00ad=1", "\ufeff+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=cmd|\' /C calc\'!A0', "<script>alert(1)</script>", "a & b < c", "]]>", "bell\u0007null\u0000",
           "safe \u202ecod.exe", "\ufffe", "one\u2028two"]


def hostile():
    invoice = invoices.standard()
    template = invoice["lines"][0]
    invoice["lines"] = [{**template, "id": str(number), "name": name, "description": name, "account": name, "purchase_order_line": None}
                        for number, name in enumerate(HOSTILE, 1)]
    for line in invoice["lines"]:
        line.pop("purchase_order_line")
    invoice["buyer"]["legal_name"] = "=HYPERLINK(\"http://evil.example\")<b>\u202e"
    invoice["purchase_order"] = "@PO"
    invoice["notes"] = ["<img src=x onerror=alert(1)>\u0001"]
    return invoices.summed(invoice)


def test_no_cell_of_csv_or_xlsx_is_a_formula(tmp_path):
    text = rendered(hostile(), "csv", tmp_path).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len([row for row in rows if row["row"] == "line"]) == len(HOSTILE)
    numbers = ("quantity", "price", "net", "tax_rate", "tax_amount", "due")
    texts = [value for row in rows for key, value in row.items() if key not in numbers]
    assert [it for it in texts if it.lstrip().startswith(("=", "+", "-", "@")) or re.search("[\t\r\n\x00-\x1f\u202e]", it)] == []
    assert rows[0]["name"] == "'=1+1" and rows[10]["name"] == "<script>alert(1)</script>" and rows[0]["purchase_order"] == "'@PO"
    sheet = openpyxl.load_workbook(io.BytesIO(rendered(hostile(), "xlsx", tmp_path))).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert sheet.cell(2, 6).value == "'=1+1" and sheet.cell(12, 6).value == "<script>alert(1)</script>"
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        assert b"<f" not in archive.read("xl/worksheets/sheet1.xml").replace(b"<fo", b"")


@needs_poppler
def test_hostile_names_are_plain_text_in_pdf_and_xml(tmp_path):
    pdf = rendered(hostile(), "pdf", tmp_path)
    text = text_of(pdf, tmp_path)
    assert "<script>alert(1)</script>" in text and "safe cod.exe" in text and "\u202e" not in text
    assert b"/JavaScript" not in pdf and b"/JS" not in pdf
    for form, check in (("ubl", rules.check_ubl), ("factur-x", broken_factur_x)):
        xml = rendered(hostile(), form, tmp_path)
        assert check(xml) == []
        words = "".join(etree.fromstring(xml).itertext())
        assert "<script>alert(1)</script>" in words and "bell\ufffdnull\ufffd" in words and "\u202e" not in words


def test_tables_hold_exact_numbers(tmp_path):
    invoice = invoices.standard()
    invoice["lines"][0].update(quantity="123456789012.3456", price="100", net="12345678901234.56")
    invoice["lines"][1].update(quantity="1000000000", price="0.1492204123", net="149220412.30")
    invoice = invoices.summed(invoice)
    rows = list(csv.DictReader(io.StringIO(rendered(invoice, "csv", tmp_path).decode(), newline="")))
    nets = ["12345678901234.56", "149220412.30", "987.44", "2310.00", "-250.00"]
    assert [row["net"] for row in rows if row["row"] == "line"] == nets
    for column, total in (("net", "net"), ("tax_amount", "tax"), ("due", "due")):
        assert sum(Decimal(row[column] or 0) for row in rows) == Decimal(invoice["totals"][total]), column
    assert rows[0]["quantity"] == "123456789012.3456" and rows[3]["unit_code"] == "HUR" and rows[3]["period_from"] == "2026-10-12"
    rendered(invoice, "xlsx", tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    columns = {cell.value: cell.column for cell in sheet[1]}
    assert [Decimal(str(sheet.cell(row, columns["net"]).value)) for row in range(2, 7)] == [Decimal(net) for net in nets]
    assert sheet.cell(2, columns["net"]).data_type == "s" and sheet.cell(3, columns["net"]).data_type == "n"
    quantity = sheet.cell(2, columns["quantity"])
    assert (quantity.data_type, quantity.value) == ("s", "123456789012.3456"), "sixteen digits are more than a number of a spreadsheet keeps"
    assert sheet.cell(3, columns["price"]).data_type == "n" and sheet.freeze_panes == "A2"


@needs_poppler
def test_the_sample_template_makes_a_page(tmp_path):
    """The typst program itself is not here; its compiler is, as a package of PyPI."""
    for name, sample in SAMPLES.items():
        data = tmp_path / "data.json"
        data.write_bytes(rendered(sample(), "json", tmp_path))
        pdf = typst.compile(str(ROOT / "crates/documents/templates/invoice.typ"), root="/", sys_inputs={"data": str(data)})
        text = text_of(pdf, tmp_path, "-layout")
        invoice = sample()
        for words in [invoice["number"], invoice["totals"]["due"], invoice["lines"][0]["name"], invoice["buyer"]["legal_name"]]:
            assert words in text, (name, words)
