"""Commitments inside billing groups: the program against docs/commitments.md written again, to the last digit.

First AWS's own cases of who profits from what and the rules one by one, with figures worked out by hand, which the program
and the model must both give; then months at random, in which both must give the same.
"""
import json
from collections import Counter
from datetime import timedelta
from fractions import Fraction
from types import SimpleNamespace

import pytest

import own_coverage
import pricing
from family_months import (C5_LARGE, FIRST, M5_2XLARGE, M5_DEDICATED, M5_LARGE, M5_UNUSED, M5_WINDOWS, M5_XLARGE, MULTI_ZONE,
                           ONE_ZONE, PAYER, PERIOD, Month, classes, made_by, rates_of, read)
from own_coverage import ONE
from program import priced, report, units
from random_families import RandomMonth

SEEDS, FEW_SEEDS = range(12), range(4)
OWNER, MEMBER, OTHER, OUTSIDE = "111111111111", "222222222222", "333333333333", "444444444444"
COMPUTE, EC2 = "ComputeSavingsPlans", "EC2InstanceSavingsPlans"
LARGE, XLARGE, C5 = M5_LARGE.usage_type, M5_XLARGE.usage_type, C5_LARGE.usage_type


def book_of(*groups, **more):
    """A book of groups at public prices."""
    return {"payer_account_id": PAYER, "pricing_rules": [], "pricing_plans": [],
            "billing_groups": [{"name": f"group-{number}", "primary_account_id": accounts[0], "accounts": accounts,
                                "pricing_plan": "BasicPricingPlan"} for number, accounts in enumerate(groups)], **more}


def run(month, book, folder, *options):
    (folder / "book.json").write_text(json.dumps(book))
    return priced(month.write(folder / "cost"), folder / "book.json", PERIOD, folder / "out", *options)


def statement_of(run, group):
    """Usage and amount of a group's statement lines by what tells them apart; only metered lines show usage."""
    found = {}
    for part in run.statement(group)["statements"]:
        for service in part["services"]:
            for line in service["usage_types"]:
                key = (line["account_id"], service["product"], line["usage_type"], line["operation"], line["region"],
                       line["line_item_type"], line["pricing_unit"])
                found[key] = line["usage_amount"] and units(line["usage_amount"]), units(line["amount"])
    return found


def statement_from(lines, group):
    """The same of the model's lines."""
    amounts, usage = (pricing.statement_lines(lines, group, what) for what in ("amount", "usage"))
    return {key: (usage[key] if key[5] in pricing.METERED else None, amount)
            for key, amount in zip(amounts, pricing.shown(list(amounts.values())))}


def simulated(month, book, folder):
    """The lines of a month as the model prices them, and what it uses of each commitment."""
    lines, book = read(folder), pricing.Book(book)
    month.tell_rates()
    simulation = own_coverage.Simulation(lines, month.commitments, book)
    return pricing.price(classes(simulation.lines), book, real=classes(lines)), simulation


def of_program(month, book, folder):
    result = run(month, book, folder)
    commitments = result.json("commitments.json")["commitments"]
    return statement_of(result, "group-0"), {it["arn"]: exactly(it["used"]) for it in commitments}


def of_model(month, book, folder):
    lines, simulation = simulated(month, book, month.write(folder / "cost"))
    return statement_from(lines, "group-0"), {it["arn"]: simulation.used[it["arn"]] for it in month.commitments}


@pytest.fixture(params=[of_program, of_model], ids=["program", "model"])
def of_group(request, tmp_path):
    """What the first group's customer sees, fees apart, and what is used of the commitments in the order of buying."""
    def look(month, *groups, **more):
        statement, used = request.param(month, book_of(*groups, **more), tmp_path)
        lines = {(account, usage_type, kind): (usage and short(usage), short(amount))
                 for (account, _, usage_type, _, _, kind, _), (usage, amount) in statement.items()
                 if kind not in ("RIFee", "SavingsPlanRecurringFee")}
        return SimpleNamespace(lines=lines, used=[short(used[it["arn"]], ONE * ONE) for it in month.commitments])
    return look


def exactly(text):
    """A decimal as whole units of 10⁻²⁰."""
    scaled = Fraction(text) * ONE * ONE
    assert scaled.denominator == 1, text
    return scaled.numerator


def short(number, scale=ONE):
    """Whole units as plain decimal text."""
    whole, rest = divmod(abs(number), scale)
    digits = str(scale + rest)[1:].rstrip("0")
    return ("-" if number < 0 else "") + str(whole) + ("." + digits if digits else "")


def assert_same(there, expected, what):
    """The first differences only: a month has hundreds of lines."""
    keys = [key for key in {**there, **expected} if there.get(key) != expected.get(key)]
    first = [(key, there.get(key), expected.get(key)) for key in sorted(keys, key=str)[:2]]
    assert not keys, f"{what}: {len(keys)} differ; there, expected: {first}"[:300]


def at_half(*products):
    """Rates of half the public ones, as a plan's table."""
    return {rates_of(product): product.rate // 2 for product in products}


# ---- AWS's cases of utility in billing groups.

def test_a_payers_plan_helps_no_group(of_group):
    month = Month()
    plan = month.plan(PAYER, COMPUTE, ONE, at_half(M5_LARGE))
    month.usage(MEMBER, M5_LARGE, 5, 2 * ONE, plan)
    there = of_group(month, [OWNER, MEMBER])
    assert there.lines == {(MEMBER, LARGE, "Usage"): ("2", "0.192")}
    assert there.used == ["0"]


def test_what_an_outside_reservation_covered_is_paid_for(of_group):
    month = Month()
    reservation = month.reservation(OTHER, M5_LARGE, 1)
    month.usage(OWNER, M5_LARGE, 5, ONE, reservation)
    there = of_group(month, [OWNER], [OTHER])
    assert there.lines == {(OWNER, LARGE, "Usage"): ("1", "0.096")}
    assert there.used == ["0"]


def test_a_members_own_reservation_covers_its_usage(of_group):
    month = Month()
    reservation = month.reservation(OWNER, M5_LARGE, 1)
    month.usage(OWNER, M5_LARGE, 5, ONE, reservation)
    there = of_group(month, [OWNER])
    assert there.lines == {(OWNER, LARGE, "DiscountedUsage"): ("1", "0")}
    # Four normalised units.
    assert there.used == ["4"]


def test_a_reservation_that_nobody_in_the_group_can_use_is_unused(of_group):
    month = Month()
    reservation = month.reservation(OWNER, M5_LARGE, 1)
    month.usage(OUTSIDE, M5_LARGE, 5, ONE, reservation)
    month.usage(MEMBER, M5_WINDOWS, 5, ONE)
    there = of_group(month, [OWNER, MEMBER])
    assert there.lines == {(MEMBER, LARGE, "Usage"): ("1", "0.188")}
    assert there.used == ["0"]


def test_a_reservation_covers_another_member_where_its_owner_uses_nothing(of_group):
    month = Month()
    reservation = month.reservation(OWNER, M5_LARGE, 1)
    month.usage(OUTSIDE, M5_LARGE, 5, ONE, reservation)
    month.usage(MEMBER, M5_LARGE, 5, 3 * ONE // 2)
    there = of_group(month, [OWNER, MEMBER])
    assert there.lines == {(MEMBER, LARGE, "DiscountedUsage"): ("1", "0"), (MEMBER, LARGE, "Usage"): ("0.5", "0.048")}
    assert there.used == ["4"]


# ---- The rules one by one.

def test_a_payer_keeps_what_it_has_bought_if_the_book_says_so(of_group):
    month = Month()
    month.reservation(PAYER, M5_LARGE, 1)
    month.usage(OWNER, M5_LARGE, 5, ONE)
    there = of_group(month, [OWNER, PAYER], sharing={"commitments": "keep"})
    assert (there.lines, there.used) == ({(OWNER, LARGE, "Usage"): ("1", "0.096")}, ["0"])


def test_a_payer_that_is_a_member_shares(of_group):
    month = Month()
    month.reservation(PAYER, M5_LARGE, 1)
    month.usage(OWNER, M5_LARGE, 5, ONE)
    there = of_group(month, [OWNER, PAYER])
    assert (there.lines, there.used) == ({(OWNER, LARGE, "DiscountedUsage"): ("1", "0")}, ["4"])


def test_a_plan_covers_in_part_and_its_line_is_cut(of_group):
    """0.1 at 0.048 covers 2.0833333333, rounded down; the 1.6 × 10⁻¹² left, less than 10⁻¹⁰ of that usage takes, are unused."""
    month = Month()
    plan = month.plan(OWNER, COMPUTE, ONE // 10, at_half(M5_LARGE))
    month.usage(OUTSIDE, M5_LARGE, 1, ONE, plan)
    month.usage(OWNER, M5_LARGE, 5, ONE)
    month.usage(OWNER, M5_LARGE, 5, 3 * ONE)
    there = of_group(month, [OWNER])
    # 4 × 0.096 × 2.0833333333 / 4 = 0.1999999999968, rounded at ten decimals.
    assert there.lines == {(OWNER, LARGE, "SavingsPlanCoveredUsage"): ("2.0833333333", "0.2"),
                           (OWNER, LARGE, "SavingsPlanNegation"): (None, "-0.2"),
                           (OWNER, LARGE, "Usage"): ("1.9166666667", "0.184")}
    assert there.used == ["0.0999999999984"]


def test_hours_stand_by_themselves_and_only_whole_hours_in_force_count(of_group):
    """From half past four to half past six: the hours four and five. What four leaves unused is lost."""
    month = Month()
    month.reservation(OWNER, M5_LARGE, 1, begin=FIRST + timedelta(hours=4.5), end=FIRST + timedelta(hours=6.5))
    for hour, usage in ((3, ONE), (4, ONE // 4), (5, 2 * ONE), (6, ONE)):
        month.usage(OWNER, M5_LARGE, hour, usage)
    there = of_group(month, [OWNER])
    assert there.lines == {(OWNER, LARGE, "DiscountedUsage"): ("1.25", "0"), (OWNER, LARGE, "Usage"): ("3", "0.288")}
    assert there.used == ["5"]


def test_a_zonal_reservation_goes_first_and_stays_in_its_zone(of_group):
    month = Month()
    month.reservation(OWNER, M5_LARGE, 1)
    month.reservation(OWNER, M5_LARGE, 1, "us-east-1a")
    for zone, usage in (("us-east-1a", ONE), ("us-east-1b", 2 * ONE)):
        month.usage(OWNER, M5_LARGE, 5, usage, line_item_availability_zone=zone)
    there = of_group(month, [OWNER])
    assert there.lines == {(OWNER, LARGE, "DiscountedUsage"): ("2", "0"), (OWNER, LARGE, "Usage"): ("1", "0.096")}
    assert there.used == ["4", "1"]


def test_a_size_flexible_reservation_covers_the_smallest_size_first_and_the_owner_before_others(of_group):
    """Eight units: half of the owner's largest takes all; in an hour without it, the member's smaller goes first."""
    month = Month()
    month.reservation(OWNER, M5_XLARGE, 1)
    month.usage(OWNER, M5_2XLARGE, 5, ONE)
    for hour in (5, 6):
        month.usage(MEMBER, M5_LARGE, hour, ONE)
        month.usage(MEMBER, M5_XLARGE, hour, ONE)
    there = of_group(month, [OWNER, MEMBER])
    assert there.lines == {
        (OWNER, M5_2XLARGE.usage_type, "DiscountedUsage"): ("0.5", "0"),
        (OWNER, M5_2XLARGE.usage_type, "Usage"): ("0.5", "0.192"),
        (MEMBER, LARGE, "DiscountedUsage"): ("1", "0"), (MEMBER, LARGE, "Usage"): ("1", "0.096"),
        (MEMBER, XLARGE, "DiscountedUsage"): ("0.5", "0"), (MEMBER, XLARGE, "Usage"): ("1.5", "0.288")}
    assert there.used == ["16"]


def test_databases_are_flexible_over_one_zone_and_several(of_group):
    month = Month()
    month.reservation(OWNER, ONE_ZONE, 3)
    month.usage(OWNER, MULTI_ZONE, 5, ONE)
    month.usage(OWNER, ONE_ZONE, 5, ONE // 2)
    there = of_group(month, [OWNER])
    assert there.lines == {(OWNER, MULTI_ZONE.usage_type, "DiscountedUsage"): ("1", "0"),
                           (OWNER, ONE_ZONE.usage_type, "DiscountedUsage"): ("0.5", "0")}
    assert there.used == ["10"]


def test_tenancy_is_told_by_what_a_reservation_covers(of_group):
    month = Month()
    reservation = month.reservation(OWNER, M5_DEDICATED, 1)
    month.usage(OUTSIDE, M5_DEDICATED, 1, ONE, reservation)
    month.usage(OWNER, M5_DEDICATED, 5, ONE)
    month.usage(OWNER, M5_LARGE, 5, ONE)
    there = of_group(month, [OWNER])
    assert there.lines == {(OWNER, M5_DEDICATED.usage_type, "DiscountedUsage"): ("1", "0"),
                           (OWNER, LARGE, "Usage"): ("1", "0.096")}
    assert there.used == ["1"]


def test_a_capacity_reservation_counts_as_running_for_a_regional_reservation_only(of_group):
    month = Month()
    month.reservation(OWNER, M5_LARGE, 1)
    month.reservation(OWNER, M5_LARGE, 1, "us-east-1a")
    month.usage(OWNER, M5_UNUSED, 5, 3 * ONE, line_item_availability_zone="us-east-1a")
    there = of_group(month, [OWNER])
    assert there.lines == {(OWNER, M5_UNUSED.usage_type, "DiscountedUsage"): ("1", "0"),
                           (OWNER, M5_UNUSED.usage_type, "Usage"): ("2", "0.192")}
    assert there.used == ["4", "0"]


def test_plans_go_after_reservations_by_savings_and_ec2_plans_before_compute_plans(of_group):
    """The reservation has an hour; the EC2 plan, though dearer, another; the compute plan has c5, then what is left."""
    month = Month()
    month.reservation(OWNER, M5_LARGE, 1)
    quarter = C5_LARGE.rate // 4
    compute = month.plan(OWNER, COMPUTE, quarter + 30_000_000, at_half(M5_LARGE) | {rates_of(C5_LARGE): quarter})
    instance = month.plan(OWNER, EC2, ONE * 6 // 100, {rates_of(M5_LARGE): ONE * 6 // 100}, family="m5", region="us-east-1")
    for product, plan in ((M5_LARGE, compute), (C5_LARGE, compute), (M5_LARGE, instance)):
        month.usage(OUTSIDE, product, 1, ONE, plan)
    month.usage(OWNER, M5_LARGE, 5, 3 * ONE)
    month.usage(OWNER, C5_LARGE, 5, ONE)
    there = of_group(month, [OWNER])
    # The compute plan's 0.003 that c5 leaves are 0.0625 of an hour at 0.048.
    assert there.lines == {
        (OWNER, LARGE, "DiscountedUsage"): ("1", "0"), (OWNER, LARGE, "Usage"): ("0.9375", "0.09"),
        (OWNER, LARGE, "SavingsPlanCoveredUsage"): ("1.0625", "0.102"),
        (OWNER, LARGE, "SavingsPlanNegation"): (None, "-0.102"),
        (OWNER, C5, "SavingsPlanCoveredUsage"): ("1", "0.085"), (OWNER, C5, "SavingsPlanNegation"): (None, "-0.085")}
    assert there.used == ["4", "0.02425", "0.06"]


def test_a_reservation_of_one_size_goes_before_a_size_flexible_one(of_group):
    """The fee of the second states no normalised units, so it is held to its own size."""
    month = Month()
    month.reservation(OWNER, ONE_ZONE, 1)
    month.reservation(OWNER, ONE_ZONE, 1, says="no units")
    month.usage(OWNER, ONE_ZONE, 5, ONE)
    assert of_group(month, [OWNER]).used == ["0", "1"]


@pytest.mark.parametrize("third", [OWNER, MEMBER], ids=["one-owner", "two-owners"])
def test_commitments_on_the_same_terms_stand_together(of_group, third):
    """The third is of the terms of the first. The second, older than the third, has a rate of its own for something else."""
    month = Month()
    of_first, of_second = (at_half(M5_LARGE), "No Upfront"), (at_half(M5_LARGE, C5_LARGE), "All Upfront")
    bought = [month.plan(owner, COMPUTE, M5_LARGE.rate // 2, *terms, begin=FIRST + timedelta(hours=age))
              for age, (owner, terms) in enumerate([(OWNER, of_first), (MEMBER, of_second), (third, of_first)])]
    for product, plan in ((M5_LARGE, bought[0]), (M5_LARGE, bought[1]), (C5_LARGE, bought[1]), (M5_LARGE, bought[2])):
        month.usage(OUTSIDE, product, 3, ONE, plan)
    month.usage(OTHER, M5_LARGE, 5, 2 * ONE)
    month.usage(OTHER, C5_LARGE, 6, ONE // 1000)
    assert of_group(month, [OWNER, MEMBER, OTHER]).used == ["0.048", "0.0000425", "0.048"]


def test_a_plan_has_the_lower_of_its_own_rates_else_the_lower_of_those_of_its_kind(of_group):
    """0.02 and 0.048 for m5 are told of itself; 0.03 and 0.04 for c5 of the others; one's 0.01 for m5 is not of the plan."""
    month = Month()
    tenth = lambda *rates: {rates_of(product): rate * ONE // 100 for product, rate in rates}
    plan, *others = (month.plan(owner, COMPUTE, ONE, table) for owner, table in [
        (OWNER, at_half(M5_LARGE)), (OUTSIDE, tenth((C5_LARGE, 3), (M5_LARGE, 1))), (OUTSIDE, tenth((C5_LARGE, 4)))])
    for product, it in ((M5_LARGE, plan), (C5_LARGE, others[0]), (M5_LARGE, others[0]), (C5_LARGE, others[1])):
        month.usage(OUTSIDE, product, 1, ONE, it)
    month.usage(OUTSIDE, M5_LARGE, 2, ONE, plan | {"table": tenth((M5_LARGE, 2))})
    for product in (M5_LARGE, C5_LARGE):
        month.usage(OWNER, product, 5, ONE)
    assert of_group(month, [OWNER]).used == ["0.05", "0", "0"]


def test_without_times_a_reservation_is_in_force_all_month_and_a_plan_in_the_hours_of_its_fees(of_group):
    month = Month()
    month.reservation(OWNER, M5_LARGE, 1)
    plan = month.plan(OWNER, COMPUTE, ONE, at_half(C5_LARGE), begin=FIRST + timedelta(hours=5), end=FIRST + timedelta(hours=7))
    month.usage(OUTSIDE, C5_LARGE, 5, ONE, plan)
    for row in month.rows:
        row |= dict.fromkeys(name for name in row if name.endswith(("_start_time", "_end_time")))
    for hour in (0, 4, 5, 6, 7):
        month.usage(OWNER, C5_LARGE, hour, ONE)
        month.usage(OWNER, M5_LARGE, hour, ONE)
    assert of_group(month, [OWNER]).used == ["20", "0.085"]


def test_usage_below_zero_takes_back_and_what_is_left_of_nothing_has_no_line(of_group):
    """An hour's usage of a class is what its lines sum to: 1 − 0.25 is covered whole, −0.25 is not covered."""
    month = Month()
    month.reservation(OWNER, M5_LARGE, 2)
    for account, usage in ((OWNER, ONE), (MEMBER, ONE), (MEMBER, -ONE // 4), (OTHER, -ONE // 4)):
        month.usage(account, M5_LARGE, 5, usage)
    there = of_group(month, [OWNER, MEMBER, OTHER])
    assert there.lines == {(OWNER, LARGE, "DiscountedUsage"): ("1", "0"), (MEMBER, LARGE, "DiscountedUsage"): ("0.75", "0"),
                           (OTHER, LARGE, "Usage"): ("-0.25", "-0.024")}
    assert there.used == ["7"]


def test_a_commitment_that_no_fee_tells_keeps_its_coverage_inside_and_has_none_outside(of_group):
    month = Month()
    reservation = month.reservation(OWNER, M5_LARGE, 1, told=False)
    # The month has a commitment that is told, too.
    month.reservation(OUTSIDE, M5_WINDOWS, 1)
    month.usage(MEMBER, M5_LARGE, 5, ONE, reservation)
    there = of_group(month, [OWNER, MEMBER])
    assert there.lines == {(MEMBER, LARGE, "DiscountedUsage"): ("1", "0")}


def test_a_percentage_item_takes_covered_usage_and_negation(tmp_path):
    """10% of an hour covered (0.096 − 0.096), two not covered (0.192), and 744 fees of 0.048; the same without negation."""
    month = Month()
    plan = month.plan(OWNER, COMPUTE, M5_LARGE.rate // 2, at_half(M5_LARGE))
    month.usage(OUTSIDE, M5_LARGE, 1, ONE, plan)
    month.usage(OWNER, M5_LARGE, 5, 3 * ONE)
    item = {"billing_group": "group-0", "description": "10%", "type": "FEE", "percentage_value": "10", "start": PERIOD}
    no_negation = [{"attribute": "LINE_ITEM_TYPE", "match_option": "NOT_EQUAL", "values": ["SAVINGS_PLAN_NEGATION"]}]
    items = [item | {"name": "of-all"}, item | {"name": "without-negation", "line_item_filters": no_negation}]
    result = run(month, book_of([OWNER], custom_line_items=items), tmp_path)
    part, = result.statement("group-0")["statements"]
    assert part["services_total"] == "35.904"
    there = {item["name"]: item["amount"] for item in part["custom_line_items"]}
    assert there == {"of-all": "3.5904", "without-negation": "3.6"}


# ---- Months at random.

@pytest.fixture(scope="module", params=SEEDS)
def random_month(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("month")
    month = RandomMonth(request.param)
    book = month.book()
    result = run(month, book, folder)
    lines, simulation = simulated(month, book, folder / "cost")
    return SimpleNamespace(month=month, book=book, result=result, lines=lines, simulation=simulation, folder=folder)


def test_statements_are_those_of_the_model(random_month):
    for group in (group["name"] for group in random_month.book["billing_groups"]):
        assert_same(statement_of(random_month.result, group), statement_from(random_month.lines, group), group)


def test_used_and_unused_are_those_of_the_model(random_month):
    there = random_month.result.json("commitments.json")
    assert (there["simulated"], there["why_not"]) == (True, None)
    assert [it["arn"] for it in there["commitments"]] == sorted(it["arn"] for it in random_month.month.commitments)
    figures = ("owner_account_id", "billing_group", "kind", "hours_in_force", "unit")
    found = {it["arn"]: [it[name] for name in figures] + [exactly(it[name]) for name in ("given", "used", "unused")]
             for it in there["commitments"]}
    expected = {it["arn"]: of_commitment(it, random_month.simulation) for it in random_month.month.commitments}
    assert_same(found, expected, "commitments")


def of_commitment(it, simulation):
    hours = it["end"] - it["begin"]
    given, used = own_coverage.gives(it) * hours, simulation.used[it["arn"]]
    if own_coverage.is_plan(it):
        kind, unit = "savings_plan", "money"
    else:
        kind, unit = "reservation", "normalized units" if own_coverage.is_flexible(it) else "instances"
    return [it["owner"], simulation.group_of[it["arn"]], kind, hours, unit, given, used, given - used]


def test_the_reports_have_the_totals_of_the_statements(random_month):
    totals, of_report, by_day = Counter(), Counter(), Counter()
    for group in random_month.book["billing_groups"]:
        totals[group["name"]] = units(random_month.result.statement(group["name"])["statements"][0]["total"])
    for row in random_month.result.cost_report:
        of_report[row["billing_group"]] += units(row["pro_forma_cost"]) if row["billing_group"] else 0
    for row in report(random_month.result.out, "--by", "group,day"):
        by_day[row["billing_group"]] += units(row["pro_forma_cost"]) if row["billing_group"] else 0
    assert +of_report == +by_day == totals


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_the_order_of_rows_and_threads_has_no_meaning(seed, tmp_path):
    written = []
    for threads in ("1", "2"):
        month = RandomMonth(seed)
        book, folder = month.book(), tmp_path / threads
        folder.mkdir()
        if threads == "2":
            month.random.shuffle(month.rows)
        out = run(month, book, folder, "--threads", threads).out
        written.append({path.name: path.read_bytes() for path in [out / "commitments.json", *out.glob("statements/*")]})
    assert written[0] == written[1]


@pytest.mark.parametrize("seed", FEW_SEEDS)
@pytest.mark.parametrize("way", ["--no-simulation", "daily"])
def test_a_month_that_is_not_simulated_keeps_its_coverage(seed, way, tmp_path):
    month = RandomMonth(seed)
    book = month.book()
    result = run(month, book, tmp_path, way) if way != "daily" else run(month.daily(), book, tmp_path)
    lines = pricing.price(classes(read(tmp_path / "cost")), pricing.Book(book))
    for group in book["billing_groups"]:
        assert_same(statement_of(result, group["name"]), statement_from(lines, group["name"]), group["name"])
    why = not_simulated(result)
    assert way != "daily" or "warning: " in result.stderr and why in result.stderr


def test_shared_as_on_the_real_bill_nothing_is_simulated(tmp_path):
    month = Month()
    reservation = month.reservation(OUTSIDE, M5_LARGE, 1)
    month.reservation(OWNER, M5_LARGE, 1)
    month.usage(OWNER, M5_LARGE, 5, ONE, reservation)
    month.usage(OWNER, M5_LARGE, 6, ONE)
    result = run(month, book_of([OWNER], sharing={"commitments": "real"}), tmp_path)
    usage = {key[5]: figures[0] for key, figures in statement_of(result, "group-0").items() if figures[0] is not None}
    assert usage == {"DiscountedUsage": ONE, "Usage": ONE}
    assert not_simulated(result)


def not_simulated(result):
    """Why a run has kept the coverage of the real bill."""
    there = result.json("commitments.json")
    assert (there["simulated"], there["commitments"]) == (False, [])
    return there["why_not"]


@pytest.mark.parametrize("seed", SEEDS)
def test_one_family_of_everybody_reproduces_a_bill_made_by_these_rules(seed, tmp_path):
    """Usage by line item type and used commitments: those that the rules have made the real bill from."""
    bare = RandomMonth(seed, real_coverage=False)
    month, used = made_by(bare, read(bare.write(tmp_path / "bare")))
    result = run(month, book_of([*bare.members, bare.apart, PAYER]), tmp_path)
    usage = Counter()
    for row in month.rows:
        if row["line_item_line_item_type"] in pricing.METERED:
            usage[row["line_item_usage_account_id"], row["line_item_usage_type"], row["line_item_operation"],
                  row["line_item_line_item_type"]] += row["line_item_usage_amount"]
    found = Counter()
    for (account, _, usage_type, operation, _, kind, _), (of_line, _) in statement_of(result, "group-0").items():
        if of_line is not None:
            found[account, usage_type, operation, kind] += of_line
    assert_same(found, usage, "usage")
    assert_same({it["arn"]: exactly(it["used"]) for it in result.json("commitments.json")["commitments"]},
                {it["arn"]: used[it["arn"]] for it in month.commitments}, "used")
