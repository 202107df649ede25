"""docs/pricing.md written again, in Python: what becomes of every charge class under a book of percentage rules.

Nothing here is taken from the program. Costs are whole units of 10⁻¹⁰, factors of 10⁻⁶, amounts of 10⁻¹⁶: all exact.
"""
from collections import defaultdict
from decimal import Decimal

ONE = 10**6
DISCOUNTS = ("Credit", "Refund", "Discount")
COMMITMENT_FEES = ("SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "RIFee")
METERED = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")
ON_DEMAND_OFFER, BASE_TIER = "JRTCKXETXF", "6YS6EN2CT7"


class Book:
    """The parts of a book that price usage, by account and by plan."""

    def __init__(self, book):
        self.book = book
        self.rules = {rule["name"]: rule for rule in book["pricing_rules"]}
        self.plans = {plan["name"]: [self.rules[name] for name in plan["pricing_rules"]]
                      for plan in book["pricing_plans"]}
        self.group_of = {account: group["name"] for group in book["billing_groups"] for account in group["accounts"]}
        self.plan_of = {group["name"]: group["pricing_plan"] for group in book["billing_groups"]}

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


def tiered_skus(lines):
    """SKUs with two On-Demand rate codes in the month, or one of another tier than the base."""
    codes = defaultdict(set)
    for line in lines:
        parts = (line["rate_code"] or "").split(".")
        if len(parts) == 3 and parts[1] == ON_DEMAND_OFFER:
            codes[line["sku"]].add(line["rate_code"])
    return {sku for sku, of_sku in codes.items()
            if len(of_sku) > 1 or any(code.split(".")[2] != BASE_TIER for code in of_sku)}


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
    return book.group_of.get(owner) == group


def treatment(line, group, book):
    """`dropped`, `at cost`, or `priced`; and whether a priced line is usage on its own account."""
    kind = line["type"]
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


def base(line, tiered):
    """The base of a priced line: its name and its cost."""
    if line["type"] == "Usage":
        if is_spot(line):
            return "spot", line["unblended"]
        if line["rate"] == 0 and line["public_rate"] is not None and line["public_rate"] > 0:
            return "zero rate", 0
        if line["sku"] in tiered and line["public"]:
            if line["net"] == line["unblended"]:
                return "tiered, unblended", line["unblended"]
            return "tiered, public", line["public"]
    if line["public"]:
        return "public", line["public"]
    return "fallen back", line["unblended"]


def price(lines, book):
    """Every class with its group, treatment, base and amount."""
    tiered = tiered_skus(lines)
    for line in lines:
        group = book.group_of.get(line["account"])
        line |= {"group": group, "left_out": left_out(line), "treatment": "ungrouped", "base": None, "amount": 0}
        if group is None:
            continue
        line["treatment"] = treatment(line, group, book)
        if line["treatment"] == "at cost":
            line["amount"] = line["unblended"] * ONE
        elif line["treatment"] == "priced":
            line["base"], cost = base(line, tiered)
            line["factor"] = 0 if line["base"] == "zero rate" else book.factor(line, group)
            line["amount"] = cost * line["factor"]
    return lines


def statement_lines(lines, group):
    """The exact amounts of a group by what its customer can tell apart, in the order of a statement."""
    amounts = defaultdict(int)
    for line in lines:
        if line["group"] == group and line["treatment"] in ("priced", "at cost"):
            again = line["treatment"] == "priced" and line["type"] in METERED
            kind = "Usage" if again else line["type"]
            key = (line["account"], line["service"] or line["product"], line["usage_type"] or "",
                   line["operation"] or "", line["region"] or "", kind, line["unit"] or "")
            amounts[key] += line["amount"]
    return dict(sorted(amounts.items()))


def half_away(amount):
    """Units of 10⁻¹⁶ rounded to units of 10⁻¹⁰."""
    rounded = (abs(amount) + ONE // 2) // ONE
    return rounded if amount >= 0 else -rounded


def shown(amounts):
    """Amounts at ten decimals that sum to their rounded total: rounded down, the rest to the largest remainders."""
    parts = [amount // ONE for amount in amounts]
    missing = half_away(sum(amounts)) - sum(parts)
    order = sorted(range(len(parts)), key=lambda at: (-(amounts[at] % ONE), at))
    for at in order[:missing]:
        parts[at] += 1
    return parts
