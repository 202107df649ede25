"""Bills under docs/policies.md, from the program and from the model in one form; books and months for worked examples."""
import json
from types import SimpleNamespace

import own_coverage
import own_policies
import pricing
from family_months import PAYER, PERIOD
from policy_months import PolicyMonth, read
from program import priced, units

ACME, SECOND, GLOBEX, SHARED, OUTSIDE = "111111111111", "222222222222", "333333333333", "444444444444", "555555555555"


def book_of(**policies):
    """ACME has two accounts, Globex one, at public prices."""
    groups = [("acme", [ACME, SECOND]), ("globex", [GLOBEX])]
    return {"payer_account_id": PAYER, "currency": "USD", "pricing_rules": [], "pricing_plans": [],
            "billing_groups": [{"name": name, "primary_account_id": accounts[0], "accounts": accounts,
                                "pricing_plan": "BasicPricingPlan"} for name, accounts in groups], **policies}


def shared(**more):
    """A book with an allocation of what the shared account costs."""
    return book_of(allocations=[allocation(**more)])


def allocation(name="shared network", **more):
    more = {"source": [{"accounts": [SHARED]}], "method": "even", **more}
    return {"name": name, "description": "Gateways", **{key: value for key, value in more.items() if value is not None}}


def written(month, book, folder, files=None):
    """The places of a month and a book, with the files beside it."""
    folder.mkdir(exist_ok=True)
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    (folder / "book.json").write_text(json.dumps(book))
    return month.write(folder / "cost"), folder / "book.json"


def of_program(month, book, files, folder):
    cost, path = written(month, book, folder, files)
    result = priced(cost, path, PERIOD, folder / "out", *([] if month.commitments else ["--no-simulation"]))
    bills = {}
    for name in (group["name"] for group in book["billing_groups"]):
        for part in result.statement(name)["statements"]:
            bills[name, part["currency"]] = SimpleNamespace(
                total=units(part["total"]), lines=statement_lines(part),
                items=[item_of(item) for item in part["custom_line_items"]])
    return SimpleNamespace(bills=bills, result=result)


def statement_lines(part):
    found = {}
    for service in part["services"]:
        for line in service["usage_types"]:
            key = (line["account_id"], service["product"], line["usage_type"], line["operation"], line["region"],
                   line["line_item_type"], line["pricing_unit"])
            found[key] = units(line["amount"])
    return found


def item_of(item):
    return (*(item[name] for name in ("name", "description", "line_item_type", "account_id", "product")), units(item["amount"]))


def of_model(month, book, files, folder):
    cost, _ = written(month, book, folder)
    return of_bill(own_policies.Bill(read(cost, month), book, PERIOD, files, simulation_of(month)))


def simulation_of(month):
    """What becomes of lines in a month whose commitments are known, and are applied hour by hour."""
    month.tell_rates()
    return month.commitments and (lambda lines, book: own_coverage.Simulation(lines, month.commitments, book).lines)


def of_bill(bill):
    """A model's bill as statements have it: amounts at ten decimals, of lines and charges together."""
    bills = {}
    for group in bill.groups:
        currencies = {line["currency"] for line in bill.own(group)} | {it.currency for it in bill.charges if it.group == group}
        for currency in sorted(currencies):
            exact = pricing.statement_lines([line for line in bill.lines if line["currency"] == currency], group)
            charges = [it for it in bill.charges if (it.group, it.currency) == (group, currency)]
            if not exact and not charges:
                continue
            amounts = pricing.shown([*exact.values(), *(it.amount for it in charges)])
            items = [(*it[2:7], amount) for it, amount in zip(charges, amounts[len(exact):])]
            bills[group, currency] = SimpleNamespace(total=sum(amounts), lines=dict(zip(exact, amounts)), items=items)
    return SimpleNamespace(bills=bills, bill=bill)


def two_groups():
    """ACME uses 60 and 10, Globex 110."""
    month = PolicyMonth()
    for account, cost in ((ACME, "60"), (SECOND, "10"), (GLOBEX, "110")):
        month.line(account, cost=cost)
    return month


def with_shared(cost="120.5", **columns):
    month = two_groups()
    month.line(SHARED, cost=cost, service="AmazonVPC", **columns)
    return month


TIERS = [{"up_to": "50", "percentage": "10"}, {"up_to": "100", "percentage": "7"}, {"percentage": "5"}]


def commitment(**more):
    shares = [{"billing_group": "acme", "percentage": "40"}, {"billing_group": "globex", "percentage": "35"}]
    return book_of(payer_commitments=[{"name": "EDP 2026", "amount": "100000", "of": "aws_cost", "shares": shares, **more}])
