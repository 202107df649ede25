"""Invoices as data (docs/documents.md): the sample, and what is made of it for a test. Amounts are texts, computed as `Decimal`."""
import copy
import json
import pathlib
from decimal import ROUND_HALF_UP, Decimal

from program import ROOT

STANDARD = ROOT / "fixtures" / "invoices" / "standard.json"
CENT = Decimal("0.01")


def standard():
    return json.loads(STANDARD.read_text())


def rounded(number):
    return number.quantize(CENT, ROUND_HALF_UP)


def summed(invoice):
    """The same with taxes and totals that follow from its lines and adjustments, as EN 16931 computes them; reasons of exemptions stay."""
    invoice = copy.deepcopy(invoice)
    reasons = {tax["category"]: {k: v for k, v in tax.items() if k.startswith("exemption")} for tax in invoice["taxes"]}
    lines = sum((Decimal(line["net"]) for line in invoice["lines"]), Decimal(0))
    adjusted = {"allowance": Decimal(0), "charge": Decimal(0)}
    taxable = {}
    for line in invoice["lines"]:
        key = (line["tax"]["category"], line["tax"]["rate"])
        taxable[key] = taxable.get(key, Decimal(0)) + Decimal(line["net"])
    for it in invoice.get("adjustments", []):
        amount = Decimal(it["amount"])
        adjusted[it["kind"]] += amount
        key = (it["tax"]["category"], it["tax"]["rate"])
        taxable[key] = taxable.get(key, Decimal(0)) + (amount if it["kind"] == "charge" else -amount)
    taxes = [{"category": category, "rate": rate, "taxable": str(rounded(base)), "amount": str(rounded(base * Decimal(rate) / 100)),
              **reasons.get(category, {})} for (category, rate), base in taxable.items()]
    net = lines - adjusted["allowance"] + adjusted["charge"]
    tax = sum((Decimal(it["amount"]) for it in taxes), Decimal(0))
    prepaid, extra = Decimal(invoice["totals"]["prepaid"]), Decimal(invoice["totals"]["rounding"])
    totals = {"lines": lines, "allowances": adjusted["allowance"], "charges": adjusted["charge"], "net": net, "tax": tax,
              "gross": net + tax, "prepaid": prepaid, "rounding": extra, "due": net + tax - prepaid + extra}
    invoice["taxes"] = taxes
    invoice["totals"] = {name: str(total) for name, total in totals.items()}
    return invoice


def taxed(category, rate="0", reason=None, code=None):
    """The sample under another tax category."""
    invoice = standard()
    for it in invoice["lines"] + invoice["adjustments"]:
        it["tax"] = {"category": category, "rate": rate}
    tax = {"category": category, "rate": rate, "taxable": "0", "amount": "0"}
    if reason:
        tax["exemption_reason"] = reason
    if code:
        tax["exemption_code"] = code
    invoice["taxes"] = [tax]
    return summed(invoice)


def credit_note():
    """A credit note for the second line of the sample."""
    invoice = standard()
    invoice.update(kind="credit_note", number="NC-2026-0043", issued="2026-11-05", lines=invoice["lines"][1:2], adjustments=[], notes=[],
                   preceding={"number": "NC-2026-0042", "issued": "2026-11-03"})
    for gone in ("due", "payment", "exchange", "payment_terms"):
        invoice.pop(gone)
    invoice["totals"]["prepaid"] = "0"
    return summed(invoice)


def in_two_currencies():
    """The sample with its tax once more in pounds."""
    invoice = standard()
    rate = {"from": "EUR", "to": "GBP", "rate": "0.8712", "source": "HMRC", "date": "2026-10-31"}
    tax = rounded(Decimal(invoice["totals"]["tax"]) * Decimal(rate["rate"]))
    invoice["tax_currency"] = {"currency": "GBP", "tax": str(tax), "exchange": rate}
    return invoice


def long(lines):
    """The sample with so many lines, every seventh with a description of its own."""
    invoice = standard()
    line = invoice["lines"][0]
    invoice["lines"] = []
    for number in range(1, lines + 1):
        net = str(Decimal(number * 37 % 9973) / 100)
        it = {**line, "id": str(number), "name": f"Service {number}", "price": net, "net": net, "account": f"{number:012}"}
        if number % 7 == 0:
            it["description"] = f"What service {number} did, in words that do not fit on one line of their column, however small the print may be"
        invoice["lines"].append(it)
    return summed(invoice)


def write(invoice, path):
    path = pathlib.Path(path)
    path.write_text(json.dumps(invoice, ensure_ascii=False))
    return path
