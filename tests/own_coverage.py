"""docs/commitments.md written again, in Python: which commitment covers how much of which usage of a family, hour by hour.

Nothing here is taken from the program. Usage, rates and factors are whole units of 10⁻¹⁰, what commitments give of 10⁻²⁰: all
exact.

A line is a dictionary as `family_months.read` makes it; its `key` is the number of its class in the order of keys. A commitment
is one with `arn`, `owner`, and the hours `begin` (its first) and `end` (the first without it). A reservation has `service`,
`region`, `operation`, `form` (what its usage type begins with), `instance_type`, `zone` or none, `instances` and `factor` or
none; a Savings Plan has `offering`, `family`, `region`, `commitment`, and `rates` by service, usage type and operation.
"""
from collections import Counter, defaultdict
from fractions import Fraction

import own_tiers
import pricing

ONE = 10**10
ZONAL, REGIONAL, FLEXIBLE = 1, 2, 3
PLAN_ROWS = {"EC2InstanceSavingsPlans": 4, "ComputeSavingsPlans": 5, "SageMakerSavingsPlans": 6}
NOT_FLEXIBLE = set("g4ad g4dn g5 g5g g6 g6e g6f gr6 gr6f hpc7a p5 inf1 inf2 u7i-6tb u7i-8tb".split())
# Engines of RDS: MySQL, PostgreSQL, Aurora MySQL, MariaDB, Aurora PostgreSQL.
FLEXIBLE_ENGINES = {f"CreateDBInstance:{code}" for code in ("0002", "0014", "0016", "0018", "0021")}
SIZES = {"nano": 0.25, "micro": 0.5, "small": 1, "medium": 2, "large": 4, "xlarge": 8, "2xlarge": 16, "4xlarge": 32}
MEASURES = ("usage", "normalized", "public", "unblended", "net")


def is_plan(it):
    return "rates" in it


def parts_of(usage_type):
    """`BoxUsage` and `m5.large` of `USW2-BoxUsage:m5.large`."""
    form, _, instance_type = own_tiers.without_region(usage_type).partition(":")
    return form, instance_type


def family(instance_type):
    return instance_type.rpartition(".")[0]


def normalised_units(service, instance_type, stated):
    """Of an hour of usage: those of the cost file, else for EC2 those of its size."""
    if stated or service != "AmazonEC2":
        return stated
    return int(SIZES[instance_type.rpartition(".")[2]] * ONE)


def is_flexible(it):
    if it["zone"] or not it["factor"]:
        return False
    if it["service"] == "AmazonEC2":
        default = it["operation"] == "RunInstances" and it["form"] == "BoxUsage"
        return default and family(it["instance_type"]) not in NOT_FLEXIBLE
    return it["service"] != "AmazonRDS" or it["operation"] in FLEXIBLE_ENGINES


def gives(it):
    """What a commitment promises for an hour, in units of 10⁻²⁰: money, normalised units or instances."""
    if is_plan(it):
        return it["commitment"] * ONE
    return it["instances"] * (it["factor"] if is_flexible(it) else ONE) * ONE


def reach(it, line):
    """How a commitment reaches a class, or none: the row of the table of orders, what goes first in it, what a unit takes."""
    return plan_reach(it, line) if is_plan(it) else reservation_reach(it, line)


def reservation_reach(it, line):
    if any(it[name] != line[name] for name in ("service", "region", "operation")):
        return None
    form, instance_type = parts_of(line["usage_type"])
    held_unused = form == "UnusedBox"
    form = "BoxUsage" if held_unused else form
    if is_flexible(it):
        units = normalised_units(it["service"], instance_type, line["factor"])
        alike = form == it["form"] or it["service"] == "AmazonRDS"
        if alike and units and family(instance_type) == family(it["instance_type"]):
            return FLEXIBLE, (units,), units
    elif (form, instance_type) == (it["form"], it["instance_type"]):
        if not it["zone"]:
            return REGIONAL, (), ONE
        if it["zone"] == line["zone"] and not held_unused:
            return ZONAL, (), ONE
    return None


def plan_reach(it, line):
    rate, public = it["rates"].get((line["service"], line["usage_type"], line["operation"])), line["public_rate"]
    if not rate:
        return None
    if it["offering"] == "EC2InstanceSavingsPlans":
        region_is_code = it["region"][-1:].isdigit()
        if family(parts_of(line["usage_type"])[1]) != it["family"] or region_is_code and line["region"] != it["region"]:
            return None
    # The highest savings percentage is the lowest share of the public rate.
    return PLAN_ROWS[it["offering"]], (not public, Fraction(rate, public) if public else 0, rate), rate


def in_order(commitments, classes):
    """Every commitment with every class that it reaches and what a unit takes, in the order in which they are applied."""
    reached = {it["arn"]: {key: reach(it, line) for key, line in classes.items()} for it in commitments}
    eldest, rank, pairs = {}, {}, []
    for it in sorted(commitments, key=lambda it: (it["begin"], it["arn"])):
        age = it["begin"], it["arn"]
        # Those that reach the same usage on the same terms stand together at the place of the eldest, whoever owns them.
        rank[it["arn"]] = (eldest.setdefault(tuple(reached[it["arn"]].values()), age), age)
    for it in commitments:
        for key, line in classes.items():
            if reached[it["arn"]][key]:
                row, first, takes = reached[it["arn"]][key]
                others, other_in_bill = line["account"] != it["owner"], pricing.commitment(line) != it["arn"]
                pairs.append(((row, others, first, other_in_bill, key, rank[it["arn"]]), it, key, takes))
    return [pair[1:] for pair in sorted(pairs, key=lambda pair: pair[0])]


def cover(lines, commitments):
    """What commitments cover of a family's eligible usage, by hour and class, the first first; and what is used of each."""
    hours, classes = defaultdict(dict), {}
    for line in lines:
        hours[line["hour"]][line["key"]] = line["usage"]
        classes[line["key"]] = line
    pairs = in_order(commitments, classes)
    covered, used = defaultdict(list), Counter()
    for hour, uncovered in hours.items():
        left = {it["arn"]: gives(it) for it in commitments if it["begin"] <= hour < it["end"]}
        for it, key, takes in pairs:
            arn = it["arn"]
            usage = min(uncovered.get(key, 0), left.get(arn, 0) // takes)
            if usage > 0:
                covered[hour, key].append((arn, usage))
                uncovered[key] -= usage
                used[arn] += usage * takes
                left[arn] -= usage * takes
                if left[arn] < takes:
                    del left[arn]
    return covered, used


def is_eligible(line):
    """Whether a line is metered usage that a commitment could cover, whatever covers it in the real bill."""
    if line["type"] not in pricing.METERED or line["split"] or line["billing_entity"] != "AWS":
        return False
    always_free = own_tiers.is_free(line) and not own_tiers.is_limited(line)
    return line["type"] != "Usage" or not pricing.is_spot(line) and not always_free


def by_hour(lines):
    """The lines of a class and an hour as one, in the order of the first: coverage and cutting know nothing smaller."""
    found = {}
    for line in lines:
        whole = found.setdefault((line["hour"], line["key"]), line | dict.fromkeys(MEASURES, 0))
        for name in MEASURES:
            whole[name] += line[name]
    return list(found.values())


def cut(line, covered):
    """The parts of an hour's usage of a class: what covers each, or none, and what it has of every measure."""
    first = lambda usage: {name: pricing.half_away_of(line[name] * usage, line["usage"]) for name in MEASURES}
    at, before = 0, dict.fromkeys(MEASURES, 0)
    for arn, usage in covered:
        at += usage
        yield arn, {name: measure - before[name] for name, measure in first(at).items()}
        before = first(at)
    if at == 0 or at < line["usage"]:
        yield None, {name: line[name] - before[name] for name in MEASURES}


class Simulation:
    """A month as its groups see it: `lines` for `pricing.price`, and what is used of each commitment."""

    def __init__(self, lines, commitments, book):
        told = {it["arn"]: it for it in commitments}
        self.lines, self.used = [], Counter()
        self.group_of = {arn: book.group_of_owner.get(it["owner"]) for arn, it in told.items()}
        families = defaultdict(list)
        for line in lines:
            group = book.group_of.get(line["account"])
            untold_inside = (line["type"] != "Usage" and pricing.commitment(line) not in told
                             and pricing.owned_inside(line, group, book))
            if group and is_eligible(line) and not untold_inside:
                families[group].append(line)
            else:
                gone = line["type"] == "SavingsPlanNegation" and pricing.commitment(line) in told
                self.lines.append(line | {"simulated": "dropped"} if gone else line)
        for group, of_group in families.items():
            of_group = by_hour(of_group)
            covered, used = cover(of_group, [it for arn, it in told.items() if self.group_of[arn] == group])
            self.used.update(used)
            uncovered = defaultdict(list)
            for line in of_group:
                for arn, measures in cut(line, covered[line["hour"], line["key"]]):
                    if arn:
                        self.lines += covered_lines(line | measures, told[arn])
                    else:
                        uncovered[line["key"]].append(line | measures | {"simulated": "priced"})
            for of_class in uncovered.values():
                if any(sum(line[name] for line in of_class) for name in MEASURES):
                    self.lines += of_class


def covered_lines(line, by):
    """What a statement has for covered usage: a reservation's is free, a plan's has its On-Demand cost, which is taken back."""
    of_kind = lambda kind, usage, cost: line | {"type": kind, "usage": usage, "unblended": cost, "simulated": "at cost"}
    if not is_plan(by):
        return [of_kind("DiscountedUsage", line["usage"], 0)]
    cost = line["public"] if line["public_state"] else line["unblended"]
    return [of_kind("SavingsPlanCoveredUsage", line["usage"], cost), of_kind("SavingsPlanNegation", 0, -cost)]
