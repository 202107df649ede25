"""Small hourly months in CUR 2.0 in which commitments have something to cover, as CSV.

A `Month` collects rows and knows its commitments in the words of `own_coverage`. Usage, rates and costs are whole units of
10⁻¹⁰. What its real bill covers may be nonsense, for a simulation does not copy it: any commitment that could reach the usage
may cover it, whoever owns it and however much it has covered already.
"""
import csv
import random
from collections import defaultdict, namedtuple
from datetime import datetime, timedelta

import duckdb

import cube
import own_coverage
import own_tiers
import pricing
from own_coverage import ONE
from program import quoted, units

PERIOD, FIRST, HOURS = "2026-10", datetime(2026, 10, 1), 744
PAYER = "999999999999"


def named(**families):
    """Column names, by what they begin with."""
    return [f"{family}_{name}" for family, names in families.items() for name in names.split()]


AMOUNTS = named(
    line_item="usage_amount normalization_factor normalized_usage_amount unblended_cost net_unblended_cost",
    pricing="public_on_demand_cost",
    reservation="effective_cost amortized_upfront_fee_for_billing_period unused_recurring_fee "
                "unused_amortized_upfront_fee_for_billing_period",
    savings_plan="savings_plan_rate savings_plan_effective_cost used_commitment total_commitment_to_date "
                 "amortized_upfront_commitment_for_billing_period")
TEXTS = ["product", *named(
    identity="line_item_id time_interval",
    bill="payer_account_id billing_entity bill_type invoice_id invoicing_entity billing_period_start_date "
         "billing_period_end_date",
    line_item="usage_account_id line_item_type usage_start_date usage_end_date product_code usage_type operation "
              "availability_zone currency_code unblended_rate line_item_description legal_entity",
    product="sku servicecode region_code instance_type",
    pricing="rate_code currency public_on_demand_rate term unit",
    reservation="reservation_a_r_n start_time end_time availability_zone number_of_reservations units_per_reservation "
                "total_reserved_units normalized_units_per_reservation",
    savings_plan="savings_plan_a_r_n offering_type payment_option purchase_term region instance_type_family "
                 "start_time end_time")]
COLUMN_OF = {"usage": "line_item_usage_amount", "normalized": "line_item_normalized_usage_amount",
             "public": "pricing_public_on_demand_cost", "unblended": "line_item_unblended_cost",
             "net": "line_item_net_unblended_cost"}

# What can be used: public rate (none where the bill has no public price) and normalisation factor of an hour.
Product = namedtuple("Product", "service usage_type operation region rate factor unit", defaults=(None, "Hrs"))


def ec2(usage_type, rate, region="us-east-1", operation="RunInstances"):
    size = own_coverage.parts_of(usage_type)[1].rpartition(".")[2]
    return Product("AmazonEC2", usage_type, operation, region, rate and units(rate), int(own_coverage.SIZES[size] * ONE))


def other(service, usage_type, operation, rate, factor=None, unit="Hrs"):
    return Product(service, usage_type, operation, "us-east-1", units(rate), factor and factor * ONE, unit)


M5_LARGE, M5_XLARGE = ec2("BoxUsage:m5.large", "0.096"), ec2("BoxUsage:m5.xlarge", "0.192")
M5_2XLARGE = ec2("BoxUsage:m5.2xlarge", "0.384")
M5_WINDOWS = ec2("BoxUsage:m5.large", "0.188", operation="RunInstances:0002")
C5_LARGE = ec2("BoxUsage:c5.large", "0.085")
M5_DEDICATED, M5_UNUSED = ec2("DedicatedUsage:m5.large", "0.102"), ec2("UnusedBox:m5.large", "0.096")
ONE_ZONE = other("AmazonRDS", "InstanceUsage:db.r5.large", "CreateDBInstance:0014", "0.25", 4)
MULTI_ZONE = other("AmazonRDS", "Multi-AZUsage:db.r5.large", "CreateDBInstance:0014", "0.5", 8)
LAMBDA = other("AWSLambda", "Lambda-GB-Second", "Invoke", "0.0000166667", unit="Second")
STORAGE = other("AmazonS3", "TimedStorage-ByteHrs", "StandardStorage", "0.023", unit="GB-Mo")
PRODUCTS = [
    M5_LARGE, M5_XLARGE, M5_2XLARGE, M5_WINDOWS, M5_DEDICATED, M5_UNUSED, ec2("BoxUsage:t3.micro", "0.0104"),
    C5_LARGE, ec2("BoxUsage:c5.xlarge", "0.17"), ec2("USW2-BoxUsage:c5.large", "0.085", "us-west-2"),
    ec2("EU-BoxUsage:c5.xlarge", None, "eu-west-1"), ec2("BoxUsage:g5.xlarge", "1.006"), ec2("BoxUsage:g5.2xlarge", "1.212"),
    other("AmazonECS", "Fargate-vCPU-Hours:perCPU", "FargateTask", "0.04048", unit="hours"),
    other("AmazonECS", "Fargate-GB-Hours", "FargateTask", "0.004445", unit="hours"), LAMBDA, ONE_ZONE, MULTI_ZONE,
    other("AmazonRDS", "InstanceUsage:db.r5.xlarge", "CreateDBInstance:0014", "0.5", 8),
    other("AmazonRDS", "InstanceUsage:db.m5.large", "CreateDBInstance:0012", "0.977", 4),
    other("AmazonElastiCache", "NodeUsage:cache.r6g.large", "CreateCacheCluster:0002", "0.206", 4),
    other("AmazonElastiCache", "NodeUsage:cache.r6g.xlarge", "CreateCacheCluster:0002", "0.411", 8),
    other("AmazonSageMaker", "USE1-Notebk:ml.t3.medium", "RunInstance", "0.05"),
]


def plain(number):
    """Units of 10⁻¹⁰ as decimal text."""
    if number is None:
        return ""
    sign, number = "-" if number < 0 else "", abs(number)
    return f"{sign}{number // ONE}.{number % ONE:010}"


def cost(usage, rate):
    return pricing.half_away_of(usage * (rate or 0), ONE)


def instant(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def start_of(hour):
    return FIRST + timedelta(hours=hour)


class Month:
    """The rows of a month and its commitments."""

    def __init__(self):
        self.rows, self.commitments, self.untold = [], [], []

    def add(self, kind, account, hour, hours=1, **columns):
        begin, end = instant(start_of(hour)), instant(start_of(hour + hours))
        row = dict.fromkeys(TEXTS + AMOUNTS) | {
            "identity_line_item_id": f"line-{len(self.rows)}", "bill_payer_account_id": PAYER, "bill_billing_entity": "AWS",
            "bill_bill_type": "Anniversary", "bill_invoicing_entity": "Amazon Web Services, Inc.", "product": "{}",
            "bill_billing_period_start_date": instant(FIRST), "bill_billing_period_end_date": instant(start_of(HOURS)),
            "identity_time_interval": f"{begin}/{end}", "line_item_usage_start_date": begin, "line_item_usage_end_date": end,
            "line_item_legal_entity": "Amazon Web Services, Inc.", "line_item_currency_code": "USD",
            "pricing_currency": "USD", "line_item_usage_account_id": account, "line_item_line_item_type": kind,
            "line_item_usage_amount": ONE} | columns
        self.rows.append(row)
        return row

    def usage(self, account, product, hour, usage, by=None, rate=None, net=None, **columns):
        """A line of usage at its public rate, or at another, that a commitment covers or none; with its negation."""
        rate = product.rate if rate is None else rate
        columns = {
            "line_item_product_code": product.service, "product_servicecode": product.service, "pricing_unit": product.unit,
            "line_item_usage_type": product.usage_type, "line_item_operation": product.operation, "pricing_term": "OnDemand",
            "product_region_code": product.region, "product_sku": sku(product), "pricing_rate_code": rate_code(product),
            "line_item_usage_amount": usage, "line_item_normalization_factor": product.factor,
            "line_item_normalized_usage_amount": product.factor and usage * product.factor // ONE,
            "line_item_unblended_rate": plain(rate), "line_item_unblended_cost": cost(usage, rate),
            "line_item_net_unblended_cost": None if net is None else cost(usage, net),
            "pricing_public_on_demand_rate": plain(product.rate),
            "pricing_public_on_demand_cost": product.rate and cost(usage, product.rate)} | columns
        return self.cover(self.add("Usage", account, hour, **columns), by)

    def cover(self, row, by):
        """Makes a row of On-Demand usage what a commitment covers."""
        if by and own_coverage.is_plan(by):
            rate = by["table"][rate_key(row)]
            row |= plan_columns(by) | {
                "line_item_line_item_type": "SavingsPlanCoveredUsage", "pricing_term": None,
                "savings_plan_savings_plan_rate": rate,
                "savings_plan_savings_plan_effective_cost": cost(row["line_item_usage_amount"], rate)}
            back = row | {
                "line_item_line_item_type": "SavingsPlanNegation", "pricing_public_on_demand_cost": 0,
                "savings_plan_savings_plan_rate": None, "savings_plan_savings_plan_effective_cost": None}
            for name in ("line_item_unblended_cost", "line_item_net_unblended_cost"):
                back[name] = row[name] and -row[name]
            self.rows.append(back)
        elif by:
            row |= {"line_item_line_item_type": "DiscountedUsage", "pricing_term": "Reserved",
                    "reservation_reservation_a_r_n": by["arn"], "line_item_unblended_rate": plain(0),
                    "line_item_unblended_cost": 0, "line_item_net_unblended_cost": row["line_item_net_unblended_cost"] and 0}
        return row

    def reservation(self, owner, product, instances, zone=None, begin=None, end=None, says="each", told=True):
        """A reservation of a product with its monthly fee, which `says` how many in one of the ways of cost files."""
        form, instance_type = own_coverage.parts_of(product.usage_type)
        service = {"AmazonEC2": "ec2", "AmazonRDS": "rds", "AmazonElastiCache": "elasticache"}[product.service]
        it = {"arn": f"arn:aws:{service}:{product.region}:{owner}:reserved-instances/{self.number():08}", "owner": owner,
              "service": product.service, "region": product.region, "operation": product.operation, "form": form,
              "instance_type": instance_type, "zone": zone, "instances": instances,
              "factor": None if says == "no units" else product.factor, **in_force(begin, end), "product": product}
        if not told:
            self.untold.append(it)
            return it
        hours = it["end"] - it["begin"]
        unit_hours, factor = instances * hours, {"line_item_normalization_factor": product.factor}
        each = {"reservation_number_of_reservations": str(instances), "reservation_units_per_reservation": str(hours)}
        # An hour more than it is in force, as AWS counts at the edge of a term.
        edge = each | {"reservation_units_per_reservation": str(hours + 1)}
        ways = {
            "each": each | {"reservation_total_reserved_units": str(unit_hours),
                            "reservation_normalized_units_per_reservation": plain(hours * product.factor)},
            "edge": edge | {"reservation_total_reserved_units": str(unit_hours + instances)} | factor,
            "all": {"reservation_total_reserved_units": f"{unit_hours}.0"} | factor, "usage": factor, "no units": {}}
        prefix = product.usage_type.removesuffix(f"{form}:{instance_type}")
        self.add("RIFee", owner, it["begin"], hours, **ways[says], **{
            "line_item_product_code": product.service, "product_servicecode": product.service, "pricing_unit": "Hrs",
            "line_item_usage_type": f"{prefix}HeavyUsage:{instance_type}", "line_item_operation": product.operation,
            "product_region_code": product.region, "line_item_usage_amount": unit_hours * ONE, "pricing_term": "Reserved",
            "line_item_unblended_cost": cost(unit_hours * ONE, (product.rate or ONE) // 2),
            "reservation_reservation_a_r_n": it["arn"], "reservation_availability_zone": zone,
            "reservation_start_time": instant(it["starts"]), "reservation_end_time": instant(it["ends"])})
        self.commitments.append(it)
        return it

    def plan(self, owner, offering, commitment, table, option="No Upfront", term="1yr", family=None, region="Any",
             begin=None, end=None, told=True, says_family=True):
        """A Savings Plan with a fee in each hour. `table` has what it could cover at which rate, told by a line or not."""
        it = {"arn": f"arn:aws:savingsplans::{owner}:savingsplan/{self.number():08}", "owner": owner, "offering": offering,
              "commitment": commitment, "family": family, "region": region, "rates": {}, "table": table, "option": option,
              "term": term, "says_family": says_family, **in_force(begin, end)}
        if not told:
            self.untold.append(it)
            return it
        fee = {"line_item_product_code": "ComputeSavingsPlans", "product_servicecode": "ComputeSavingsPlans",
               "pricing_unit": "Hrs", "line_item_usage_type": f"{offering}:{term}{option}",
               "line_item_unblended_cost": commitment, "savings_plan_total_commitment_to_date": commitment}
        for hour in range(it["begin"], it["end"]):
            self.add("SavingsPlanRecurringFee", owner, hour, **fee, **plan_columns(it))
        self.commitments.append(it)
        return it

    def number(self):
        return len(self.commitments) + len(self.untold)

    def reaches(self, it, row):
        """Whether a commitment could cover a row of On-Demand usage in its hour, whatever it has left."""
        line = {"service": row["product_servicecode"], "region": row["product_region_code"], "public_rate": None,
                "operation": row["line_item_operation"], "usage_type": row["line_item_usage_type"],
                "zone": row["line_item_availability_zone"], "factor": row["line_item_normalization_factor"]}
        hour = (datetime.fromisoformat(row["line_item_usage_start_date"][:-1]) - FIRST) // timedelta(hours=1)
        return it["begin"] <= hour < it["end"] and own_coverage.reach(at_its_table(it), line) is not None

    def tell_rates(self):
        """Gives plans the rates that lines tell: their own, and those of plans of the same kind, payment option and term."""
        alike = lambda it: (it["offering"], it["option"], it["term"])
        kind_of = {it["arn"]: alike(it) for it in self.commitments if own_coverage.is_plan(it)}
        told = defaultdict(dict)
        for row in self.rows:
            if row["savings_plan_savings_plan_rate"] and row["savings_plan_savings_plan_a_r_n"] in kind_of:
                for whose in (row["savings_plan_savings_plan_a_r_n"], kind_of[row["savings_plan_savings_plan_a_r_n"]]):
                    rate = row["savings_plan_savings_plan_rate"]
                    told[whose][rate_key(row)] = min(rate, told[whose].get(rate_key(row), rate))
        for it in self.commitments:
            if own_coverage.is_plan(it):
                it["rates"] = told[alike(it)] | told[it["arn"]]

    def daily(self):
        """The same month by days: rows that differ in nothing else are one."""
        days = {}
        apart = {"line_item_normalization_factor", "savings_plan_savings_plan_rate"}
        for row in self.rows:
            day = datetime.fromisoformat(row["line_item_usage_start_date"][:10])
            begin, end = instant(day), instant(day + timedelta(days=1))
            row = row | {"line_item_usage_start_date": begin, "line_item_usage_end_date": end, "identity_line_item_id": "line",
                         "identity_time_interval": f"{begin}/{end}"}
            key = tuple(row[name] for name in [*TEXTS, *sorted(apart)])
            if key not in days:
                days[key] = row
                continue
            for name in set(AMOUNTS) - apart:
                if row[name] is not None:
                    days[key][name] = (days[key][name] or 0) + row[name]
        month = Month()
        month.rows = list(days.values())
        return month

    def write(self, folder, files=2):
        """Writes the rows into so many files, in their order."""
        folder.mkdir(parents=True)
        for number in range(files):
            with open(folder / f"cost-{number + 1:05}.csv", "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(TEXTS + AMOUNTS)
                for row in self.rows[number * len(self.rows) // files:(number + 1) * len(self.rows) // files]:
                    writer.writerow([row[name] or "" for name in TEXTS] + [plain(row[name]) for name in AMOUNTS])
        return folder


def sku(product):
    return f"{random.Random(' '.join(product[:4])).getrandbits(64):016X}"


def rate_code(product, tier=own_tiers.BASE, term=own_tiers.ON_DEMAND):
    return f"{sku(product)}.{term}.{tier}"


def rate_key(row):
    return row["product_servicecode"], row["line_item_usage_type"], row["line_item_operation"]


def rates_of(product):
    """What a Savings Plan's rate is for."""
    return product[:3]


def plan_columns(it):
    return {"savings_plan_savings_plan_a_r_n": it["arn"], "savings_plan_offering_type": it["offering"],
            "savings_plan_region": it["region"], "savings_plan_payment_option": it["option"],
            "savings_plan_purchase_term": it["term"],
            "savings_plan_instance_type_family": it["family"] if it["says_family"] else None,
            "savings_plan_start_time": instant(it["starts"]), "savings_plan_end_time": instant(it["ends"])}


def at_its_table(it):
    """A plan with all the rates that it could have; a reservation as it is."""
    return it | {"rates": it["table"]} if own_coverage.is_plan(it) else it


def in_force(begin, end):
    """Instants of begin and end, long before and after the month where there are none, and the hours of the month between."""
    starts, ends = begin or datetime(2026, 3, 11, 8, 30), end or datetime(2027, 3, 11, 8, 29, 59)
    hours = lambda moment: min(max((moment - FIRST) // timedelta(hours=1), 0), HOURS)
    return {"starts": starts, "ends": ends, "begin": hours(starts), "end": hours(ends)}


# ---- Reading a month as the program does.

def read(folder):
    """The lines of a month's CSV files, as `lines_of` has them."""
    typed = ", ".join(f"CAST({name} AS DECIMAL(38, 10)) AS {name}" for name in AMOUNTS)
    return lines_of(f"(SELECT * REPLACE ({typed}) FROM read_csv({quoted(folder / '*.csv')}, all_varchar = true, quote = '\"'))")


def lines_of(rows):
    """Rows in their order, with the keys of their classes and measures as units of 10⁻¹⁰."""
    keys = ", ".join(f"{column if value is cube.SAME else value} AS {name}" for name, column, value in cube.KEY)
    measures = ", ".join(f"{column} AS {name}" for name, column in COLUMN_OF.items())
    rows = duckdb.execute(f"""
        SELECT {keys}, {cube.RATE} AS unblended_rate, {measures}, line_item_normalization_factor AS factor,
            CAST(date_diff('hour', TIMESTAMP '{FIRST}', CAST(line_item_usage_start_date AS TIMESTAMP)) AS INTEGER) AS hour
        FROM (SELECT *, row_number() OVER () AS place FROM {rows})
        ORDER BY place""")
    names = [column[0] for column in rows.description]
    lines = [dict(zip(names, row)) for row in rows.fetchall()]
    for line in lines:
        line["texts"] = [cube.plain(line[name]) if name in cube.DECIMAL_KEYS else line[name] for name, *_ in cube.KEY]
        line["rate"] = {"+": 1, "0": 0}.get(line["rate_state"])
        line["split"] = line["operation"] in ("EKSPod-EC2", "ECSTask-EC2")
        line["net"] = line["unblended"] if line["net"] is None else line["net"]
        for name in own_coverage.MEASURES:
            line[name] = units(line[name] or 0)
        for name in ("public_rate", "unblended_rate", "factor"):
            line[name] = None if line[name] is None else units(line[name])
    numbers = {}
    for line in sorted(lines, key=pricing.key_order):
        line["key"] = numbers.setdefault(tuple(line["texts"]), len(numbers))
    return lines


def classes(lines):
    """Lines as classes, for `pricing.price`."""
    found = {}
    for line in lines:
        key = line["key"], line["type"], line.get("simulated")
        if key not in found:
            found[key] = line | {"lines": 1}
            continue
        found[key]["lines"] += 1
        for name in own_coverage.MEASURES:
            found[key][name] += line[name]
        if found[key]["unblended_rate"] != line["unblended_rate"]:
            found[key]["unblended_rate"] = None
    return list(found.values())


def made_by(bare, lines):
    """A month of On-Demand usage as the bill of one family of everybody would have it, and what is used of commitments."""
    month = Month()
    month.commitments = bare.commitments
    for line, row in zip(lines, bare.rows):
        line["row"] = row
    eligible = own_coverage.by_hour(filter(own_coverage.is_eligible, lines))
    covered, used = own_coverage.cover(eligible, [at_its_table(it) for it in bare.commitments])
    month.rows = [line["row"] for line in lines if not own_coverage.is_eligible(line)]
    by_arn = {it["arn"]: it for it in bare.commitments}
    for line in eligible:
        for arn, measures in own_coverage.cut(line, covered[line["hour"], line["key"]]):
            row = dict(line["row"])
            row |= {column: measures[name] for name, column in COLUMN_OF.items() if row[column] is not None}
            month.rows.append(row)
            month.cover(row, by_arn.get(arn))
    return month, used
