"""What goes onto an invoice and what keeps it from being issued: whose amounts, whose ids, whose codes, whose numbers. E-invoices by the official rules."""
import base64
import json
import re
from types import SimpleNamespace

import pytest

import e_invoice_rules as rules
from desk import Desk
from policy_months import PolicyMonth
from program import ROOT
from server import CURRENT, PREVIOUS, in_period
from test_issued_invoices import ACME, ALL, cancel, done, drafted, invoice, issued, refusal, settle
from test_periods import written

CODES = (ROOT / "crates/billing/src/invoice/soundness.rs").read_text()
PEPPOL = (ROOT / "crates/documents/src/ubl.rs").read_text()
REGISTERED = {"company_id": {"scheme": "", "id": "HRB 123456"}}
LOCAL = {"tax_registrations": [{"scheme": "TAX", "id": "12/345/67890"}]}
REACHED = {"electronic_address": {"scheme": "0088", "id": "4012345000009"}}


def taxed(category, rate="0", **more):
    return {"category": category, "rate": rate, "from": "2026-01-01", **more}


STANDARD = taxed("S", "19")


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """A customer charged in two currencies, with a service that was free; and one who has a euro of each."""
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=0))
    acme, globex = desk.group(2, plan=plan, Name="acme"), desk.group(plan=plan, Name="globex")
    month = PolicyMonth()
    month.line(acme.accounts[0], cost="100", service="AmazonEC2")
    month.line(acme.accounts[0], cost="0", service="AmazonS3")
    month.line(acme.accounts[0], cost="0.001", service="AmazonSNS")
    month.line(acme.accounts[1], cost="70", service="AmazonEC2", currency="CNY")
    month.line(globex.primary, cost="10", service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("composing") / "cost"))
    server.command("close", PREVIOUS)
    settle(server, ALL | ACME)
    return SimpleNamespace(server=server, acme=acme, globex=globex)


def previewed(world, draft):
    answer = done(world.server.own("PreviewInvoice", {"DraftId": draft}))
    return json.loads(answer["Document"]), answer["Warnings"]


def discard(world, *drafts):
    for draft in drafts:
        done(world.server.own("DiscardInvoiceDraft", {"DraftId": draft}))


def refused(world, group):
    """Why a draft of a group cannot be issued."""
    draft = drafted(world, group, Currency="USD")
    said = refusal(world.server.own("IssueInvoice", {"DraftId": draft}))
    assert refusal(world.server.own("PreviewInvoice", {"DraftId": draft})) == said
    discard(world, draft)
    return said


# ---- Whose amounts

@pytest.mark.parametrize("amounts,what", [
    ({"PrepaidAmount": "50"}, "what was paid before"),
    ({"Adjustments": [{"Kind": "allowance", "Amount": "10", "Reason": "agreed"}]}, "an allowance or a charge")])
def test_an_amount_is_of_the_invoice_of_one_currency(world, amounts, what):
    asked = {"BillingGroup": world.acme.arn, "BillingPeriod": PREVIOUS}
    assert refusal(world.server.own("DraftInvoice", asked | amounts)) == (
        f"invoices in CNY, USD would be drafted, and {what} is of one of them; name its currency, and draft the others without")
    assert refusal(world.server.own("DraftInvoice", asked | {"Currency": "EUR"})) == (
        f"billing group `{world.acme.arn}` is charged nothing in `EUR` in {PREVIOUS}; name one of CNY, USD")
    of_one = drafted(world, world.acme, Currency="CNY", **amounts)
    of_rest = drafted(world, world.acme)
    (one, _), (rest, _) = previewed(world, of_one), previewed(world, of_rest)
    assert (one["currency"], rest["currency"]) == ("CNY", "USD")
    assert {"50.00", "10.00"} & {one["totals"]["prepaid"], one["totals"]["allowances"]}
    assert (rest["totals"]["prepaid"], rest["totals"]["allowances"]) == ("0.00", "0.00")
    discard(world, of_one, of_rest)
    # What was drafted is free again, and the command line names a currency too.
    made = world.server.command("invoice", "draft", "--group", world.acme.arn, "--period", PREVIOUS, "--currency", "USD", "--prepaid", "50", "--output", "json")
    [draft] = json.loads(made)["DraftIds"]
    assert previewed(world, draft)[0]["totals"]["prepaid"] == "50.00"
    # Of what is left there is one currency only.
    last = drafted(world, world.acme, **amounts)
    assert previewed(world, last)[0]["currency"] == "CNY"
    discard(world, draft, last)


# ---- Whose ids: BR-CO-26

def broken_factur_x(made):
    """What breaks Factur-X, without the warning that the schema wants a delivery even where there is nothing to say of it."""
    return [problem for problem in rules.check_factur_x(made)
            if not ("PEPPOL-EN16931-R008" in problem and "warning" in problem[1])]


def held_to_the_rules(world, group):
    """A group's invoice in dollars, issued, held to the rules of each e-invoice, and taken back."""
    number = issued(world, group, Currency="USD", PurchaseOrderNumber="PO-1")
    made = {}
    for form, check in (("UBL", rules.check_ubl), ("FACTUR_X", broken_factur_x)):
        answer = done(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": form}))
        made[form] = base64.b64decode(answer["Document"])
        assert check(made[form]) == [], form
    cancel(world, number)
    return made


@pytest.mark.parametrize("category", ["S", "Z", "E", "AE"])
def test_a_seller_without_vat_id_has_a_company_id(world, category):
    tax = [taxed(category, "19" if category == "S" else "0", **({"exemption_code": "VATEX-EU-132"} if category == "E" else {}))]
    local = {key: value for key, value in ALL["seller"].items()} | LOCAL | REACHED
    buyer = ACME["buyer"] | REACHED
    settle(world.server, {"seller": local, "buyer": buyer, "tax": tax}, world.globex.arn)
    assert refused(world, world.globex) == (
        f"tax category {category} needs a VAT id, or a company id beside another tax registration, in the seller profile; set it")
    settle(world.server, {"seller": local | REGISTERED, "buyer": buyer, "tax": tax}, world.globex.arn)
    held_to_the_rules(world, world.globex)


def test_outside_the_scope_of_vat_a_seller_has_a_company_id(world):
    """Its VAT id does not stand on the document, so that it says nobody who the seller is."""
    settings = {"seller": ALL["seller"] | REACHED, "buyer": ACME["buyer"] | REACHED, "tax": [taxed("O")]}
    settle(world.server, settings, world.globex.arn)
    assert refused(world, world.globex) == "tax category O needs a company id, for its documents name no VAT id, in the seller profile; set it"
    settle(world.server, settings | {"seller": settings["seller"] | REGISTERED}, world.globex.arn)
    held_to_the_rules(world, world.globex)


# ---- Whose codes: BR-CL-11, BR-CL-22, PEPPOL-EN16931-CL008

@pytest.mark.parametrize("settings,said", [
    ({"tax": [taxed("E", exemption_code="NONSENSE")]},
     "`tax`: the exemption code is `NONSENSE`; write one of the list VATEX, such as VATEX-EU-132, or the reason in words"),
    ({"seller": ALL["seller"] | {"company_id": {"scheme": "HRB", "id": "123456"}}},
     "the seller profile's company id has the scheme `HRB`; write a code of ISO 6523, such as 0002 for a SIREN or 0088 for a GLN, or leave the scheme empty"),
    ({"seller": ALL["seller"] | {"electronic_address": {"scheme": "EMAIL", "id": "a@b.example"}}},
     "such as 9930 for a German VAT id or 0088 for a GLN"),
])
def test_a_code_of_no_list_is_refused_where_it_is_written(world, settings, said):
    assert said in refusal(world.server.own("PutInvoiceSettings", {"Settings": json.dumps(settings)}))


@pytest.mark.parametrize("whose", ["seller", "buyer"])
def test_an_address_that_peppol_does_not_reach_is_no_address(world, whose):
    """The norm knows mail, Peppol's network does not; the page and Factur-X do."""
    parties = {"seller": ALL["seller"] | REACHED, "buyer": ACME["buyer"] | REACHED}
    parties[whose] = parties[whose] | {"electronic_address": {"scheme": "EM", "id": "bills@acme.example"}}
    settle(world.server, parties | {"tax": [STANDARD]}, world.globex.arn)
    number = issued(world, world.globex, PurchaseOrderNumber="PO-1")
    said = refusal(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": "UBL"}))
    assert f"the {whose}'s electronic address has the scheme `EM`, which Peppol does not have; set one of its own" in said, said
    made = done(world.server.own("GetInvoiceDocument", {"InvoiceNumber": number, "Format": "FACTUR_X"}))
    assert broken_factur_x(base64.b64decode(made["Document"])) == []
    cancel(world, number)


def own_list(source, name):
    return re.search(rf'const {name}: &str =\s*"([^"]*)"', source).group(1).replace("\\\n", "").split()


def list_of_rule(rule):
    text = rules.UBL_RULES[0].read_text()
    before = text[:text.index(f'id="{rule}"')]
    return re.findall(r"contains\(' ([^']*) '", before)[-1].split()


@pytest.mark.parametrize("name,rule", [("ADDRESS_SCHEMES", "BR-CL-25"), ("COMPANY_SCHEMES", "BR-CL-11"), ("EXEMPTIONS", "BR-CL-22")])
def test_the_lists_of_codes_are_those_of_the_rules(name, rule):
    theirs = list_of_rule(rule)
    assert len(theirs) > 50 and sorted(own_list(CODES, name)) == sorted(theirs)


def test_the_addresses_that_peppol_does_not_reach_are_those_of_its_rules():
    [theirs] = re.findall(r"""name="eaid"\s+select="tokenize\('([^']*)'""", rules.UBL_RULES[1].read_text())
    assert len(theirs.split()) > 50
    assert set(own_list(PEPPOL, "NOT_ON_PEPPOL")) == set(own_list(CODES, "ADDRESS_SCHEMES")) - set(theirs.split())


# ---- What comes to 0

@pytest.mark.parametrize("free", [
    [taxed("S", "19", products=["AmazonEC2", "AmazonSNS"])], [STANDARD, taxed("O", products=["AmazonS3", "AmazonSNS"])],
    [STANDARD, taxed("K", products=["AmazonS3", "AmazonSNS"])]])
def test_what_is_on_no_line_asks_for_no_tax(world, free):
    """S3 was free and SNS is less than half a cent: neither stands on the document, whatever its tax would have been."""
    domestic = {"buyer": {key: value for key, value in ACME["buyer"].items() if key != "tax_registrations"} | REACHED}
    settle(world.server, {"seller": ALL["seller"] | REACHED} | domestic | {"tax": free}, world.acme.arn)
    draft = drafted(world, world.acme, Currency="USD")
    document, _ = previewed(world, draft)
    assert [(line["name"], line["tax"]["category"]) for line in document["lines"]] == [("AmazonEC2", "S")]
    assert [tax["category"] for tax in document["taxes"]] == ["S"]
    discard(world, draft)
    held_to_the_rules(world, world.acme)


def test_a_document_gives_no_reason_of_what_is_not_on_it(world):
    tax = [taxed("E", exemption_reason="education"), taxed("E", exemption_reason="storage", products=["AmazonS3", "AmazonSNS"])]
    settle(world.server, ACME | {"tax": tax}, world.acme.arn)
    draft = drafted(world, world.acme, Currency="USD")
    assert [tax["exemption_reason"] for tax in previewed(world, draft)[0]["taxes"]] == ["education"]
    discard(world, draft)


# ---- Whose numbers

def test_a_series_is_one_sellers(world):
    settle(world.server, ACME, world.acme.arn)
    number = issued(world, world.acme, Currency="USD")
    other = {"seller": ALL["seller"] | {"legal_name": "Other Ltd", "tax_registrations": [{"scheme": "VAT", "id": "GB123456789"}]}}
    settle(world.server, other, world.globex.arn)
    assert refused(world, world.globex) == (
        f"series `INV-{{year}}-{{number:4}}` numbers the documents of another seller, as `{number}`: with those of `Other Ltd` among them, the numbers of "
        "each would have gaps; set a `series` of its own for `Other Ltd`, such as one with another prefix")
    settle(world.server, other | {"series": {"template": "OTHER-{year}-{number:4}"}}, world.globex.arn)
    theirs = issued(world, world.globex)
    assert theirs == "OTHER-2026-0001"
    said = refusal(world.server.own("CreditInvoice", {"InvoiceNumber": theirs}))
    assert said.startswith("series `CN-{year}-{number:4}` numbers the documents of another seller"), said
    settle(world.server, other | {"series": {"template": "OTHER-{year}-{number:4}"}, "credit_series": {"template": "OTHER-CN-{number:4}", "restart": "never"}},
           world.globex.arn)
    assert cancel(world, theirs) == "OTHER-CN-0001"
    # A seller that has another name, and the VAT id that it had, is the same.
    settle(world.server, {"seller": ALL["seller"] | {"legal_name": "Northwind Cloud SE"}}, world.globex.arn)
    assert issued(world, world.globex) == number[:-4] + f"{int(number[-4:]) + 1:04}"


def test_a_year_that_nobody_has_numbered_starts_from_1(new_server, tmp_path):
    """A desk that takes over in mid-year goes on from 500; the next January is all its own."""
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=0))
    groups = [desk.group(plan=plan) for _ in range(4)]
    month = PolicyMonth()
    for group in groups:
        month.line(group.primary, cost="10", service="AmazonEC2")
    server.load(month.write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    settle(server, {**ALL, **ACME, "series": {"template": "INV-{year}-{number:4}", "first": 500}})
    world = SimpleNamespace(server=server)
    numbers = [issued(world, group) for group in groups[:2]]
    server.stop()
    server.now = "2027-01-04T12:00:00Z"
    server.start()
    numbers += [issued(world, group) for group in groups[2:]]
    assert numbers == ["INV-2026-0500", "INV-2026-0501", "INV-2027-0001", "INV-2027-0002"]


# ---- What came late

def test_what_came_late_is_looked_at_where_products_have_taxes_of_their_own(new_server, tmp_path):
    """40 of October came late for S3, which is taxed otherwise than the rest; the adjustment does not say what it is for."""
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(plan=desk.plan(desk.rule(ModifierPercentage=10)), Name="acme")
    month, november = PolicyMonth(), PolicyMonth()
    month.line(group.primary, cost="100", service="AmazonEC2")
    server.load(month.write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    month.line(group.primary, cost="40", service="AmazonS3")
    server.load(month.write(tmp_path / "late"))
    november.line(group.primary, cost="50", service="AmazonEC2")
    server.load(written(november, tmp_path / "november", CURRENT), CURRENT)
    server.stop()
    server.now = "2026-12-10T12:00:00Z"
    server.start()
    server.settle()
    server.command("close", CURRENT)
    item = f"Adjustment-{PREVIOUS}-1"
    world, of_storage = SimpleNamespace(server=server), taxed("Z", products=["AmazonS3"])
    settle(server, {**ALL, **ACME, "tax": [STANDARD, of_storage]})
    draft = drafted(world, group, BillingPeriod=CURRENT)
    document, warned = previewed(world, draft)
    assert [(line["name"], line["net"], line["tax"]["category"]) for line in document["lines"]] == [(item, "44.00", "S"), ("AmazonEC2", "55.00", "S")]
    [warning] = [warning for warning in warned if warning["Code"] == "TAX_OF_LATE_CHARGES"]
    assert warning["Stops"] and warning["Message"] == (
        f"`{item}` charges 44.00 USD that came late to {PREVIOUS}, under S at 19 %, and products of that month have other taxes; look at what came late, and "
        f"name `{item}` among the `items` of the rule whose tax it has")
    server.command("schedule", "set", group.arn, "--policy", "automatic", "--accept-warning", "TAX_OF_LATE_CHARGES", "--email", "desk@northwind.example")
    settle(server, {**ALL, **ACME, "tax": [STANDARD, of_storage | {"items": [item]}]})
    document, warned = previewed(world, draft)
    assert [(line["name"], line["tax"]["category"]) for line in document["lines"]] == [(item, "Z"), ("AmazonEC2", "S")]
    assert "TAX_OF_LATE_CHARGES" not in [warning["Code"] for warning in warned]
