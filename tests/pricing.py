"""docs/pricing.md written again, in Python: what becomes of every charge class under a book of percentage rules.

Nothing here is taken from the program. Costs are whole units of 10⁻¹⁰, factors of 10⁻⁶, amounts of 10⁻²⁰: all exact.
"""
from collections import defaultdict
from decimal import Decimal

import own_tiers

ONE = 10**6
# Amounts have so many units in one unit of a cost.
AMOUNT = 10**10
DISCOUNTS = ("Credit", "Refund", "Discount")
COMMITMENT_FEES = ("SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "RIFee")
METERED = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")


class Book:
    """The parts of a book that price usage, by account and by plan."""

    def __init__(self, book):
        self.book = book
        self.rules = {rule["name"]: rule for rule in book["pricing_rules"]}
        self.plans = {plan["name"]: [self.rules[name] for name in plan["pricing_rules"]]
                      for plan in book["pricing_plans"]}
        self.group_of = {account: group["name"] for group in book["billing_groups"] for account in group["accounts"]}
        self.plan_of = {group["name"]: group["pricing_plan"] for group in book["billing_groups"]}
        kept = book.get("sharing", {}).get("commitments") == "keep"
        self.group_of_owner = {account: group for account, group in self.group_of.items()
                               if not kept or account != book["payer_account_id"]}

    def factor(self, line, group):
        """The factor of the one rule with the most specific scope."""
        service = line["service"] or line["product"]
        for scope in (
            lambda rule: rule["scope"] == "SKU" and (rule["service"], rule["usage_type"], rule.get("operation"))
            == (service, line["usage_type"], line["operation"]) and "operation" in rule,
            lambda rule: rule["scope"] == "SKU" and "operation" not in rule
            and (rule["service"], rule["usage_type"]) == (service, line["usage_type"]),
            lambda rule: rule["scope"] == "SERVICE" and rule["service"] == service,
            lambda rule: rule["scope"] == "BILLING_ENTITY" and rule["billing_entity"] == line["billing_entity"],
            lambda rule: rule["scope"] == "GLOBAL",
        ):
            for rule in self.plans.get(self.plan_of[group], []):
                if scope(rule):
                    percent = int(Decimal(rule["modifier_percentage"]) * 10**4)
                    return ONE + percent if rule["type"] == "MARKUP" else ONE - percent
        return ONE


def left_out(line):
    """Under which name a line is in nobody's AWS cost."""
    if line["operation"] in ("EKSPod-EC2", "ECSTask-EC2"):
        return "SplitCostAllocation"
    if line["type"] == "Tax":
        return "Tax"
    product = line["product"] or ""
    return "Support" if product.startswith("AWSSupport") or "PremiumSupport" in product else None


def commitment(line):
    return line["savings_plan"] or line["reservation"]


def owned_inside(line, group, book):
    arn = commitment(line)
    owner = arn.split(":")[4] if arn else line["account"]
    return book.group_of_owner.get(owner) == group


def treatment(line, group, book):
    """`dropped`, `at cost`, or `priced`; what a simulation of commitments has decided is in the line."""
    kind = line["type"]
    if "simulated" in line:
        return line["simulated"]
    if left_out(line) or kind.endswith("Discount") or kind in DISCOUNTS:
        return "dropped"
    if kind in ("Usage", "FlatRateSubscription"):
        return "priced"
    inside = owned_inside(line, group, book)
    if kind in ("DiscountedUsage", "SavingsPlanCoveredUsage"):
        return "at cost" if inside else "priced"
    if kind == "Fee" and not commitment(line):
        return "priced"
    if kind in ("SavingsPlanNegation", "Fee", *COMMITMENT_FEES):
        return "at cost" if inside else "dropped"
    return "dropped"


def is_spot(line):
    usage_type, paid = line["usage_type"] or "", line["rate"] is not None and line["rate"] > 0
    return (line["term"] == "Spot" or "SpotUsage" in usage_type
            or "BoxUsage" in usage_type and paid and not line["term"])


def base(line, tiers):
    """The base of a priced line: its name and its cost; usage at AWS's tiers has a share instead of a cost."""
    if line["type"] == "Usage" and is_spot(line):
        return "spot", line["unblended"]
    always_free = own_tiers.is_free(line) and not own_tiers.is_limited(line)
    if own_tiers.is_free(line) and not always_free:
        return ("public", line["public"]) if line["public"] else ("fallen back", line["unblended"])
    known = line["sku"] not in tiers.no_quota or line["type"] != "Usage"
    if line["type"] in METERED and line["public"] and tiers.of(line) and (known or not always_free):
        line["tiers"] = tiers.of(line)
        return "own tiers", 0
    if always_free:
        return "zero rate", 0
    if line["type"] == "Usage" and line["sku"] in tiers.unknown and line["public"] and not own_tiers.is_free(line):
        if line["net"] == line["unblended"]:
            return "tiered, unblended", line["unblended"]
        return "tiered, public", line["public"]
    if line["public"]:
        return "public", line["public"]
    return "fallen back", line["unblended"]


def price(lines, book, prices=None, real=None):
    """Every class with its group, treatment, base and amount. `prices` is what a price list has, as `own_tiers.Tiers` takes it;
    `real` are the classes of the real bill, which tell AWS's tiers, where `lines` are those of a simulation."""
    tiers = own_tiers.Tiers(real or lines, is_spot, prices)
    for line in lines:
        group = book.group_of.get(line["account"])
        line |= {"group": group, "left_out": left_out(line), "treatment": "ungrouped", "base": None, "amount": 0}
        if group is None:
            continue
        line["treatment"] = treatment(line, group, book)
        if line["treatment"] == "at cost":
            line["amount"] = line["unblended"] * AMOUNT
        elif line["treatment"] == "priced":
            line["base"], cost = base(line, tiers)
            line["factor"] = 0 if line["base"] == "zero rate" else book.factor(line, group)
            line["amount"] = cost * line["factor"] * (AMOUNT // ONE)
    in_order = sorted(lines, key=key_order)
    own_tiers.price_pools(in_order, tiers)
    for line in lines:
        if line["base"] == "own tiers":
            line["amount"] = half_away_of(line["share"] * line["factor"], ONE)
    return lines


def key_order(line):
    """The order of classes: that of their keys, null before any text."""
    return [(value is not None, value) for value in line["texts"]]


def statement_lines(lines, group, what="amount"):
    """The exact amounts, or the usage, of a group by what its customer can tell apart, in the order of a statement."""
    amounts = defaultdict(int)
    for line in lines:
        if line["group"] == group and line["treatment"] in ("priced", "at cost"):
            again = line["treatment"] == "priced" and line["type"] in METERED
            kind = "Usage" if again else line["type"]
            key = (line["account"], line["service"] or line["product"], line["usage_type"] or "",
                   line["operation"] or "", line["region"] or "", kind, line["unit"] or "")
            amounts[key] += line[what]
    return dict(sorted(amounts.items()))


def half_away_of(amount, divisor):
    rounded = (abs(amount) + divisor // 2) // divisor
    return rounded if amount >= 0 else -rounded


def half_away(amount):
    """Units of 10⁻²⁰ rounded to units of 10⁻¹⁰."""
    return half_away_of(amount, AMOUNT)


def shown(amounts):
    """Amounts at ten decimals that sum to their rounded total: rounded down, the rest to the largest remainders."""
    parts = [amount // AMOUNT for amount in amounts]
    missing = half_away(sum(amounts)) - sum(parts)
    order = sorted(range(len(parts)), key=lambda at: (-(amounts[at] % AMOUNT), at))
    for at in order[:missing]:
        parts[at] += 1
    return parts
