"""docs/policies.md written again, in Python: what distributions, allocations, support fees, commitments and minimums charge.

Nothing here is taken from the program. Costs are whole units of 10⁻¹⁰, amounts of 10⁻²⁰, percentages of 10⁻⁴, so that a
percentage of an amount is a whole number of 10⁻²⁶. All exact.

A line is what `policy_months.read` makes: with `tags`, `categories`, `resource`, `text` (its description), `unused` and
`effective` cost.
"""
from collections import Counter, defaultdict, namedtuple
from decimal import Decimal

import own_coverage
import own_tiers
import pricing
from pricing import AMOUNT

CONDUCTOR = "AWSBillingConductor"
NO_SPEND = ("Tax", "Support", "Credit", "Refund")
LEFT_OUT = ("Tax", "Credit", "Refund", "Discount", "Support")
# The order of ties; the payer is last.
RANKS = ("group", "account", "allocation", "payer")
FEES = ("RIFee", "SavingsPlanRecurringFee")

Charge = namedtuple("Charge", "group currency name description type account product amount policy")


class Refused(Exception):
    """A run that the text refuses, with the names of what it is about."""


# ---- Lines and filters.

def kind(line):
    """A line's type as filters name it: whatever a support plan charges is `Support`, tax apart."""
    return "Support" if pricing.left_out(line) == "Support" else line["type"]


def is_of(line, types):
    return any(kind(line) == name or name == "Discount" and kind(line).endswith(name) for name in types)


def passes(condition, line):
    """Whether a filter passes a line: all its conditions hold, of the values of one any."""
    text = (line["text"] or "").lower()
    tests = {
        "accounts": lambda values: line["account"] in values,
        "services": lambda values: product_of(line) in values,
        "usage_types": lambda values: line["usage_type"] in values,
        "line_item_types": lambda values: is_of(line, values),
        "descriptions": lambda values: any(value.lower() in text for value in values),
        "tags": lambda keys: all(line["tags"].get(key) in values for key, values in keys.items()),
        "cost_categories": lambda keys: all(line["categories"].get(key) in values for key, values in keys.items()),
        "resources": lambda values: line["resource"] in values,
        "without_tags": lambda keys: all(not line["tags"].get(key) for key in keys),
        "without_cost_categories": lambda keys: all(not line["categories"].get(key) for key in keys),
    }
    return all(tests[name](values) for name, values in condition.items())


def passes_any(conditions, line):
    return any(passes(condition, line) for condition in conditions)


def product_of(line):
    return line["service"] or line["product"]


def is_general(condition):
    return set(condition) == {"line_item_types"}


def units_of(text, scale):
    """A decimal of the book as whole units of 10^-scale."""
    scaled = Decimal(str(text)).scaleb(scale)
    assert scaled == scaled.to_integral_value(), text
    return int(scaled)


def percentage_of(amount, percentage):
    """Half away from zero, where the unit of the amount is too large."""
    return pricing.half_away_of(amount * units_of(percentage, 4), 10**6)


def plain(number, scale=10):
    """Whole units as plain decimal text without zeros at its end."""
    whole, rest = divmod(abs(number), 10**scale)
    digits = str(10**scale + rest)[1:].rstrip("0")
    return ("-" if number < 0 else "") + str(whole) + ("." + digits if digits else "")


class Bill:
    """A month under a book with policies: `billed`, its lines as AWS has them; `lines` as the rate card has priced them, which are
    others where a simulation of commitments has cut them; `charges`, and what the payer keeps.

    `period` is `2026-10`; `files` has the text of each file of weights by its name; `simulate` makes other lines of those that
    are nobody's source.
    """

    def __init__(self, lines, book, period, files=None, simulate=None):
        self.raw, self.period, self.files = book, period, files or {}
        self.book = pricing.Book(book)
        self.sharing = book.get("sharing", {}).get("commitments", "members")
        if self.sharing == "real":
            self.book.group_of_owner = self.book.group_of
        self.currency = book.get("currency", "USD")
        self.groups = {group["name"]: group for group in book["billing_groups"]}
        self.allocations = {it["name"]: it for it in self.active("allocations")}
        self.charges, self.kept_by_payer, self.without_base, self.warnings = [], Counter(), [], []
        self.billed = [line | {"group": self.book.group_of.get(line["account"]), "left_out": pricing.left_out(line)}
                       for line in lines]
        for line in self.billed:
            self.take_policy(line)
            # What is kept is on a bill, so nothing is kept of an account that has none.
            counts = line["policy"] == "allocate" or line["policy"] == "keep" and line["group"] or not line["left_out"]
            line["aws"] = line["net"] if counts else 0
        self.price(simulate)
        self.charge_items()
        self.allocate()
        self.charge_support()
        self.charge_commitments()
        self.charge_minimums()

    def active(self, table):
        """The policies of a table that count in the period; texts of periods are in the order of time."""
        return [it for it in self.raw.get(table, [])
                if it.get("start", "") <= self.period and ("end" not in it or self.period < it["end"])]

    # ---- One policy for a line, and its price.

    def take_policy(self, line):
        """Gives a line its policy, `keep`, `drop` or `source` with the allocation, or none."""
        found = {True: {}, False: {}}
        for it in self.active("distributions"):
            for condition in it["lines"]:
                if passes(condition, line):
                    found[is_general(condition)]["distribution", it["name"]] = it["treatment"], it.get("allocation")
        for it in self.allocations.values():
            for general in self.sources(it, line):
                found[general]["allocation", it["name"]] = "allocate", it["name"]
        matching = found[False] or found[True]
        if len(matching) > 1:
            raise Refused(*sorted(name for _, name in matching))
        line["policy"], line["allocation"] = next(iter(matching.values()), (None, None))
        line["of_unused"] = bool(line["allocation"]) and self.is_unused(self.allocations[line["allocation"]], line)

    def sources(self, it, line):
        """How an allocation's own source matches a line: by general filters (True), by specific ones (False)."""
        if pricing.left_out(line) == "SplitCostAllocation":
            return
        for condition in it.get("source", []):
            if passes(condition, line) and ("line_item_types" in condition or not is_of(line, LEFT_OUT)):
                yield is_general(condition)
        if it.get("payer_usage") and line["account"] == self.raw["payer_account_id"]:
            if is_of(line, (*pricing.METERED, "SavingsPlanNegation")):
                yield False
        if self.is_unused(it, line):
            yield False

    def is_unused(self, it, line):
        """Whether an allocation takes a fee of a commitment for what nobody has used of it."""
        if not it.get("unused_commitments") or line["type"] not in FEES or kind(line) == "Support":
            return False
        on_its_bill = line["group"] and pricing.owned_inside(line, line["group"], self.book)
        return self.sharing == "real" or not on_its_bill

    def price(self, simulate):
        rest = [line for line in self.billed if not line["policy"]]
        if simulate:
            rest = simulate(rest, self.book)
        if self.sharing == "real":
            rest = [shared_as_billed(line) for line in rest]
        # A line that is kept is charged at what AWS charges, and no rule applies.
        apart = [line | {"simulated": "at cost" if line["policy"] == "keep" else "dropped", "unblended": line["net"]}
                 for line in self.billed if line["policy"]]
        self.lines = pricing.price(as_classes(rest + apart), self.book, real=as_classes(self.billed))

    def own(self, group=None, account=None, priced=False):
        """The lines of a group, or of one account of it, that are nobody's source, as AWS has them or as they are priced."""
        return [line for line in (self.lines if priced else self.billed)
                if line["policy"] != "allocate" and line["group"]
                and line["group"] == (group or line["group"]) and line["account"] == (account or line["account"])]

    # ---- What is charged.

    def charge(self, policy, group, amount, description, account=None, product=None, name=None, currency=None):
        if amount == 0:
            return
        service = product or policy.get("presentation_service") or CONDUCTOR
        what = "Fee" if amount > 0 else "Credit"
        self.charges.append(Charge(
            group, currency or self.currency, name or policy["name"], description,
            what if service == CONDUCTOR else f"Proforma_{what}",
            account or self.groups[group]["primary_account_id"], service, amount, policy["name"]))

    def charge_items(self):
        """The book's own custom line items: flat ones, and percentages in one charge."""
        flat = {}
        items = self.active("custom_line_items")
        sign = lambda item: 1 if item["type"] == "FEE" else -1
        for item in items:
            if "flat_charge_value" in item:
                amount = flat[item["name"]] = sign(item) * units_of(item["flat_charge_value"], 20)
                self.charge_item(item, self.currency, amount)
        for item in items:
            if "percentage_value" not in item:
                continue
            bases, associated = Counter(), item.get("associated_values", ["billing_group"])
            for line in self.own(item["billing_group"], priced=True):
                if line["treatment"] in ("priced", "at cost") and line["policy"] != "keep" and "billing_group" in associated:
                    bases[line["currency"]] += line["amount"] if passes_item(item, line) else 0
            for name in associated:
                if name != "billing_group":
                    bases[self.currency] += flat[name]
            for currency, base in bases.items():
                self.charge_item(item, currency, sign(item) * percentage_of(base, item["percentage_value"]))

    def charge_item(self, item, currency, amount):
        before = len(self.charges)
        self.charge(item, item["billing_group"], amount, item["description"], item.get("account_id"), currency=currency)
        # An item that turns its sign is still of the type that the book gives it.
        for charge in self.charges[before:]:
            word = "Fee" if item["type"] == "FEE" else "Credit"
            kind_of = charge.type.replace("Fee", word).replace("Credit", word)
            self.charges[before] = charge._replace(type=kind_of)

    # ---- Allocations.

    def allocate(self):
        """Step by step; allocations of one step do not see each other."""
        self.source = defaultdict(Counter)
        for line in self.billed:
            if line["allocation"]:
                self.source[line["allocation"], line["currency"]][product_of(line)] += self.source_amount(line)
        self.parts = []
        for step in sorted({it.get("step", 1) for it in self.allocations.values()}):
            fed = []
            for it in self.allocations.values():
                if it.get("step", 1) == step:
                    fed += self.distribute(it)
            for name, currency, product, amount in fed:
                self.source[name, currency][product] += amount

    def source_amount(self, line):
        if line["of_unused"]:
            return line["unused"]
        public = self.allocations[line["allocation"]].get("cost") == "public"
        return line["public"] if public and line["public"] else line["net"]

    def distribute(self, it):
        """Charges the parts of an allocation, and returns those of other allocations."""
        fed = []
        for currency in sorted(currency for name, currency in self.source if name == it["name"]):
            products = {name: amount for name, amount in self.source[it["name"], currency].items() if amount}
            itemized = it.get("computation_rule") == "ITEMIZED"
            if not itemized:
                total = sum(products.values())
                products = {None: total} if total else {}
            if not products:
                continue
            weights = self.weights(it, currency)
            whole = sum(weight for _, weight in weights)
            if whole == 0:
                self.without_base.append((it["name"], currency))
                if it.get("empty_base") == "fail":
                    raise Refused(it["name"])
                if it.get("empty_base") != "even" or not weights:
                    self.kept_by_payer[it["name"], currency] += sum(products.values())
                    continue
                weights, whole = [(target, 1) for target, _ in weights], len(weights)
            for product, amount in products.items():
                parts = own_tiers.shares(amount, [weight for _, weight in weights])
                assert sum(parts) == amount
                for (target, weight), part in zip(weights, parts):
                    self.parts.append((it["name"], currency, product, target, part))
                    percent = plain(pricing.half_away_of(weight * 100 * 10**4, whole), 4)
                    text = f"{it.get('description', it['name'])}: {percent} % of {plain(amount)} {currency}"
                    rank, name = target
                    if rank == "payer":
                        self.kept_by_payer[it["name"], currency] += part
                    elif rank == "allocation":
                        takes = self.allocations[name].get("computation_rule") == "ITEMIZED"
                        fed.append((name, currency, product if itemized and takes else CONDUCTOR, part))
                    elif part:
                        of_part = ", ".join([it["name"], *([name] if rank == "account" else []), *([product] if product else [])])
                        group = name if rank == "group" else self.book.group_of[name]
                        self.charge(it, group, part * AMOUNT, text, name if rank == "account" else None, product, of_part, currency)
        return fed

    def targets(self, it):
        """The targets in the order of ties."""
        if it["method"] == "fixed":
            return [target for target, _ in fixed_shares(it)]
        given = it.get("targets", {})
        named = [("account", name) for name in given.get("accounts", [])]
        named += [("allocation", name) for name in given.get("allocations", [])]
        groups = given.get("billing_groups", [])
        if not named and not groups and it["method"] == "weights":
            found = {target for _, target, _ in self.rows_of(it)}
            named = [("account", name) for name in found if name.isdigit()]
            named += [("allocation", name) for name in found if name in self.allocations]
            groups = found & self.groups.keys()
        elif not named and not groups:
            groups = {line["group"] for line in self.own()}
        for group in set(groups) - set(given.get("except_billing_groups", [])):
            if given.get("by_account"):
                accounts = {line["account"] for line in self.own(group)} or {self.groups[group]["primary_account_id"]}
                named += [("account", account) for account in accounts]
            else:
                named.append(("group", group))
        away = {("account", name) for name in given.get("except_accounts", [])}
        for rank, name in named:
            if rank == "account" and name not in self.book.group_of:
                raise Refused(it["name"], name)
        return sorted(set(named) - away, key=order_of)

    def weights(self, it, currency):
        """Every target with its weight; below 0 counts as 0."""
        if it["method"] == "fixed":
            return sorted(fixed_shares(it), key=lambda pair: order_of(pair[0]))
        weigh = {"even": lambda target: 1, "weights": self.from_file(it),
                 "proportional_to_cost": lambda target: self.cost_of(it, target, currency),
                 "proportional_to_usage": self.usage_of(it)}[it["method"]]
        weights = [(target, weigh(target)) for target in self.targets(it)]
        self.warnings += [(it["name"], name, currency) for (_, name), weight in weights if weight < 0]
        return [(target, max(weight, 0)) for target, weight in weights]

    def of_target(self, target, priced=False):
        rank, name = target
        return self.own(name, None, priced) if rank == "group" else self.own(None, name, priced)

    def cost_of(self, it, target, currency):
        rank, name = target
        if rank == "allocation":
            return sum(self.source[name, currency].values()) * AMOUNT
        weight, of_aws = 0, it.get("weigh_by") == "aws_cost"
        for line in self.of_target(target, not of_aws):
            counts = line["currency"] == currency and line["policy"] != "keep" and not is_of(line, LEFT_OUT)
            if counts and ("weigh_lines" not in it or passes_any(it["weigh_lines"], line)):
                weight += line["aws"] * AMOUNT if of_aws else line["amount"]
        return weight

    def usage_of(self, it):
        """Usage of all targets, which must be in one unit."""
        if it["method"] != "proportional_to_usage":
            return None
        found, units = {}, set()
        for rank, name in self.targets(it):
            own = [line for line in self.billed if line["allocation"] == name] if rank == "allocation" \
                else self.of_target((rank, name))
            metered = [line for line in own if line["type"] in pricing.METERED and not line["left_out"]
                       and passes_any(it["weigh_lines"], line)]
            units |= {line["unit"] for line in metered}
            found[rank, name] = sum(line["usage"] for line in metered)
        if len(units) > 1:
            raise Refused(it["name"], *sorted(units))
        return found.get

    def from_file(self, it):
        """The sum of each target's rows of the file that count in the period."""
        if it["method"] != "weights":
            return None
        by_name, found = {name: (rank, name) for rank, name in self.targets(it)}, Counter()
        for number, target, weight in self.rows_of(it):
            if target not in by_name:
                raise Refused(it["weights"], number, target)
            found[by_name[target]] += units_of(weight, 10)
        return lambda target: found[target]

    def rows_of(self, it):
        """The rows of a file that count in the period, with their numbers."""
        header, *rows = [row.split(",") for row in self.files[it["weights"]].splitlines()]
        rows = [(number, dict(zip(header, row))) for number, row in enumerate(rows, 2)]
        return [(number, row["target"], row["weight"]) for number, row in rows if row.get("period") in (None, "", self.period)]

    # ---- Support, commitments, minimums: in the book's currency.

    def charge_support(self):
        for it in self.active("support_fees"):
            for group in it.get("billing_groups") or sorted({line["group"] for line in self.own()}):
                spend, of_aws = 0, it.get("of") == "aws_cost"
                for line in self.own(group, priced=not of_aws):
                    if line["currency"] == self.currency and line["policy"] != "keep" and not is_of(line, LEFT_OUT):
                        spend += line["aws"] * AMOUNT if of_aws else line["amount"]
                spend, begin, fee = max(spend, 0), 0, 0
                for tier in it["tiers"]:
                    end = units_of(tier["up_to"], 20) if "up_to" in tier else spend
                    fee += percentage_of(max(0, min(spend, end) - begin), tier["percentage"])
                    begin = end
                text = it.get("description", it["name"])
                if not of_aws:
                    text += f": on a spend of {plain(spend, 20)} {self.currency}"
                self.charge(it, group, max(fee, units_of(it.get("minimum", "0"), 20)), text)

    def charge_commitments(self):
        for it in self.active("payer_commitments"):
            spent, total = Counter(), 0
            for line in self.billed:
                if line["currency"] == self.currency and self.is_spend(it, line):
                    cost = {"aws_cost": line["net"], "unblended_cost": line["unblended"],
                            "public_cost": line["public"] or line["unblended"]}[it.get("of", "aws_cost")]
                    spent[line["group"]] += cost
                    total += cost
            amount, shares = units_of(it["amount"], 10), {share["billing_group"]: share["percentage"] for share in it["shares"]}
            stands = {("group", group): units_of(percentage, 4) * amount * 10**4 for group, percentage in shares.items()}
            # The payer has the rest of the commitment, and the spend of all whom no share names.
            stands["payer", ""] = amount * AMOUNT - sum(stands.values())
            has = {("group", group): spent[group] for group in shares}
            has["payer", ""] = total - sum(has.values())
            short = {target: max(0, stands[target] - has[target] * AMOUNT) for target in sorted(stands, key=order_of)}
            left = max(0, amount - total)
            parts = dict(short)
            if it.get("shortfall", "own") == "shared":
                parts = dict.fromkeys(short, 0)
                if any(short.values()):
                    parts = dict(zip(short, (part * AMOUNT for part in own_tiers.shares(left, list(short.values())))))
            for target, part in parts.items():
                if target[0] == "payer":
                    continue
                group = target[1]
                text = f"{it['name']}: {plain(units_of(shares[group], 4), 4)} % of {plain(amount)} is {plain(stands[target], 20)}"
                # What AWS charges is not the customer's to read.
                if it.get("of", "aws_cost") == "public_cost":
                    text += f", spent {plain(has[target])}, short {plain(short[target], 20)}"
                    if it.get("shortfall", "own") == "shared":
                        text += f", {plain(part, 20)} of {plain(left)} {self.currency}"
                self.charge(it, group, part, text)

    def is_spend(self, it, line):
        if line["left_out"] == "SplitCostAllocation":
            return False
        if "spend" in it:
            return any(passes(condition, line) and ("line_item_types" in condition or kind(line) not in NO_SPEND)
                       for condition in it["spend"])
        return kind(line) not in NO_SPEND

    def charge_minimums(self):
        fees = []
        for it in self.active("minimums"):
            group, base = it["billing_group"], 0
            # Of its own lines: those of a source are somebody else's to pay.
            for line in self.own(group):
                split = line["left_out"] == "SplitCostAllocation"
                counts = not split and (line["policy"] == "keep" or not is_of(line, LEFT_OUT))
                if line["currency"] == self.currency and counts:
                    public = line["public"] or line["unblended"]
                    base += (public if it.get("of") == "public_cost" else line["net"]) * AMOUNT
            least = [units_of(it["amount"], 20)] if "amount" in it else []
            least += [percentage_of(base, it["percentage"])] if "percentage" in it else []
            fees.append((it, group, max(least), self.total(group, self.currency)))
        for it, group, least, total in fees:
            text = f"{it.get('description', it['name'])}: at least {plain(least, 20)} {self.currency}, charged {plain(total, 20)}"
            self.charge(it, group, max(least - total, 0), text)

    # ---- What bills come to.

    def total(self, group, currency):
        """The exact amount of a bill."""
        return sum(line["amount"] for line in self.lines if line["group"] == group and line["currency"] == currency) \
            + sum(charge.amount for charge in self.charges if (charge.group, charge.currency) == (group, currency))


def as_classes(lines):
    """The lines that agree in all that a price or a policy looks at, as one."""
    found = {}
    for line in lines:
        marks = [tuple(sorted(line[name].items())) for name in ("tags", "categories")]
        key = (line["key"], line["type"], line.get("simulated"), line["policy"], line["allocation"], *marks, line["resource"],
               line["text"])
        if key not in found:
            found[key] = line | {"lines": 1}
            continue
        found[key]["lines"] += 1
        for name in own_coverage.MEASURES:
            found[key][name] += line[name]
        if found[key]["unblended_rate"] != line["unblended_rate"]:
            found[key]["unblended_rate"] = None
    return list(found.values())


def shared_as_billed(line):
    """A line of a month whose commitments are shared as on the real bill."""
    if line["type"] in ("DiscountedUsage", "SavingsPlanCoveredUsage"):
        return line | {"simulated": "at cost", "unblended": line["effective"]}
    if line["type"] in FEES:
        return line | {"simulated": "at cost", "unblended": line["unused"]}
    if line["type"] in ("SavingsPlanNegation", "SavingsPlanUpfrontFee") or line["type"] == "Fee" and pricing.commitment(line):
        return line | {"simulated": "dropped"}
    return line


def passes_item(item, line):
    """Whether a percentage item's filter, of which there is at most one, passes a line."""
    for condition in item.get("line_item_filters", []):
        if condition["attribute"] == "LINE_ITEM_TYPE":
            return line["type"] != "SavingsPlanNegation"
        equal = product_of(line) in condition["attribute_values"]
        return equal if condition["match_option"] == "EQUAL" else not equal
    return True


def order_of(target):
    return RANKS.index(target[0]), target[1]


def fixed_shares(it):
    """Targets of a fixed allocation with their percentages in units of 10⁻⁴."""
    for share in it["shares"]:
        rank, = {"billing_group", "account", "allocation", "payer"} & share.keys()
        name = "" if rank == "payer" else share[rank]
        yield ("group" if rank == "billing_group" else rank, name), units_of(share["percentage"], 4)

