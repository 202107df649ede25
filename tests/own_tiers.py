"""The section "AWS's tiers" of docs/pricing.md written again, in Python: what a group's usage costs at tiers and free quotas of its own.

Nothing here is taken from the program. Quantities and rates are whole units of 10⁻¹⁰, amounts of 10⁻²⁰; shares are made with fractions.
"""
from collections import defaultdict
from fractions import Fraction

TEN = 10**10
ON_DEMAND, BASE = "JRTCKXETXF", "6YS6EN2CT7"
SHORT_REGIONS = ("EU",)


def is_free(line):
    return line["type"] == "Usage" and line["rate"] == 0 and bool(line["public_rate"])


def is_limited(line):
    text = (line["description"] or "").lower()
    return ("12 month" in text or "12-month" in text or "twelve month" in text or "trial" in text
            or "monthly free tier" in text and "global" not in text)


def without_region(usage_type):
    first, *rest = usage_type.split("-")
    if rest and (first in SHORT_REGIONS or len(first) == 4 and first[3].isdigit() and first.upper() == first):
        return "-".join(rest)
    if len(rest) > 2 and len(first) == 2 and len(rest[1]) == 1 and rest[1].isdigit():
        return "-".join(rest[2:])
    return usage_type


def size(usage, lines):
    """A size that AWS would choose, or none."""
    whole = (usage + TEN // 2) // TEN
    if whole <= 0 or abs(usage - whole * TEN) > lines:
        return None
    short = lambda number: len(str(number).rstrip("0")) <= 3
    return whole * TEN if short(whole) or whole % 1024 == 0 and short(whole // 1024) else None


class Tiers:
    """The tiers and quotas of a month. `prices` is what a price list has: tiers as (begin, rate) by SKU, quotas as (quantity, SKUs)."""

    def __init__(self, lines, is_spot, prices=None):
        tiers, quotas = prices or ({}, [])
        own = [line for line in lines if line["type"] == "Usage" and line["sku"] and not is_spot(line)
               and not line["split"]]
        self.listed = tiers
        self.unknown, self.tiers, self.quotas, self.no_quota = set(), dict(tiers), {}, set()
        self.sizes = [quantity for quantity, _ in quotas]
        for number, (_, skus) in enumerate(quotas):
            self.quotas |= dict.fromkeys(skus, number)
        self.take_quotas(own)
        by_sku = defaultdict(list)
        for line in own:
            if line["rate"] and (line["rate_code"] or "").split(".")[1:2] == [ON_DEMAND]:
                by_sku[line["sku"]].append(line)
        for sku, of_sku in by_sku.items():
            if sku not in tiers:
                self.take_tiers(sku, of_sku)

    def take_quotas(self, own):
        charged = {line["sku"] for line in own if line["rate"]}
        free = defaultdict(lambda: defaultdict(list))
        for line in own:
            if is_free(line) and not is_limited(line):
                code = (line["rate_code"] or "").split(".")
                offer = (line["service"] or line["product"], code[2] if len(code) > 2 else "", line["unit"] or "")
                free[offer][without_region(line["usage_type"])].append(line)

        def quota(of_offer):
            """The size, `inf` for one that is not used up, none for one that is not known."""
            if not any(line["sku"] in charged for line in of_offer):
                return float("inf")
            return size(sum(line["usage"] for line in of_offer), sum(line["lines"] for line in of_offer))

        for usage_types in free.values():
            apart = [(quota(of_type), of_type) for of_type in usage_types.values()]
            if any(found is None for found, _ in apart):
                together = [line for of_type in usage_types.values() for line in of_type]
                apart = [(quota(together), together)]
            for found, of_offer in apart:
                skus = {line["sku"] for line in of_offer} - self.quotas.keys()
                skus = {sku for sku in skus if sku not in self.listed or self.listed[sku][0][1] != 0}
                if found is None:
                    self.no_quota |= skus
                else:
                    self.sizes.append(found)
                    self.quotas |= dict.fromkeys(skus, len(self.sizes) - 1)

    def take_tiers(self, sku, lines):
        by_code = defaultdict(list)
        for line in lines:
            by_code[line["rate_code"]].append(line)
        publics = {line["public_rate"] for line in lines}
        if len(by_code) == 1 and next(iter(by_code)).split(".")[2] == BASE:
            return
        self.unknown.add(sku)
        if len(publics) != 1:
            return
        public, = publics
        rated = []
        for of_code in by_code.values():
            rates = {line["unblended_rate"] for line in of_code if line["net"] == line["unblended"]}
            if len(rates) > 1 or None in rates:
                return
            rated.append((next(iter(rates), None), of_code))
        without = [place for place, (rate, _) in enumerate(rated) if rate is None]
        if len(without) > 1:
            return
        for place in without:
            if any(rate is not None and rate >= public for rate, _ in rated):
                return
            rated[place] = (public, rated[place][1])
        rated.sort(key=lambda pair: -pair[0])
        if rated[0][0] != public or len({rate for rate, _ in rated}) < len(rated):
            return
        begin, tiers = 0, []
        for place, (rate, of_code) in enumerate(rated):
            tiers.append((begin, rate))
            if place + 1 < len(rated):
                length = size(sum(line["usage"] for line in of_code), sum(line["lines"] for line in of_code))
                if length is None:
                    return
                begin += length
        self.unknown.discard(sku)
        if len(tiers) > 1:
            self.tiers[sku] = tiers

    def of(self, line):
        """The tiers of a line's SKU; one for a SKU with one price and a quota; none."""
        tiers = self.tiers.get(line["sku"])
        if tiers and line["sku"] in self.listed and line["public_rate"] not in (None, *(rate for _, rate in tiers)):
            return None
        if tiers and (len(tiers) > 1 or line["sku"] in self.quotas):
            return tiers
        if line["sku"] in self.quotas and line["sku"] not in self.unknown and line["public_rate"]:
            return [(0, line["public_rate"])]
        return None


def at_tiers(quantity, tiers):
    """Units of 10⁻²⁰."""
    if quantity < 0:
        return quantity * tiers[0][1]
    ends = [begin for begin, _ in tiers[1:]] + [quantity]
    return sum(max(0, min(quantity, end) - begin) * rate for (begin, rate), end in zip(tiers, ends))


def shares(whole, weights):
    """Parts by weight that sum to the whole: cut, the missing units to the largest remainders."""
    total = sum(weights)
    if total == 0:
        return [whole] + [0] * (len(weights) - 1)
    sign = -1 if whole < 0 else 1
    exact = [Fraction(abs(whole) * weight, total) for weight in weights]
    parts = [part.numerator // part.denominator for part in exact]
    order = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in order[:abs(whole) - sum(parts)]:
        parts[at] += 1
    return [sign * part for part in parts]


def price_pools(lines, tiers, switched_off=lambda line: False):
    """Gives every line that has `tiers` its `share`, in units of 10⁻²⁰. Lines are in the order of their keys."""
    pools = defaultdict(list)
    for line in lines:
        if line.get("tiers"):
            pools[line["group"], line["sku"]].append(line)
    usage = {pool: sum(line["usage"] for line in of_pool) for pool, of_pool in pools.items()}
    free = dict.fromkeys(pools, 0)
    takers = defaultdict(list)
    for group, sku in sorted(pools):
        if sku in tiers.quotas:
            takers[group, tiers.quotas[sku]].append((group, sku))
    for (_, quota), of_quota in takers.items():
        weights = [max(0, usage[pool]) for pool in of_quota]
        for pool, part in zip(of_quota, shares(min(tiers.sizes[quota], sum(weights)), weights)):
            free[pool] = part
    for pool, of_pool in pools.items():
        steps, covered = of_pool[0]["tiers"], free[pool]
        first_paid = next((rate for _, rate in steps if rate), 0)
        amount = 0
        if switched_off(of_pool[0]):
            steps = [(begin, rate or first_paid) for begin, rate in steps]
            amount = covered * first_paid
        amount += at_tiers(usage[pool] - covered, steps)
        for line, part in zip(of_pool, shares(amount, [abs(line["usage"]) for line in of_pool])):
            line["share"] = part
