"""Months at random for `test_families.py`: usage of a few days by six accounts and a payer, with commitments of everybody.

Products are few and commitments of the same many, so that there is something to decide; savings have few percentages, so that
there are ties.
"""
import random
from datetime import timedelta

import own_coverage
from family_months import (FIRST, LAMBDA, M5_DEDICATED, M5_LARGE, M5_UNUSED, PAYER, PRODUCTS, STORAGE, Month, at_its_table,
                           cost, rate_code, rates_of, start_of)
from own_coverage import ONE

LAMBDA_TIER, LAMBDA_FREE = 60_000 * ONE, 4_000 * ONE
FIRST_TIER, SECOND_TIER = rate_code(LAMBDA, "TIERONE"), rate_code(LAMBDA, "TIERTWO")
FREE = rate_code(LAMBDA, term="A429C66SYZ")
SECOND_RATE = LAMBDA.rate - 20_000
OPTIONS = [("No Upfront", "1yr"), ("All Upfront", "3yr")]
SERVICES = {"EC2InstanceSavingsPlans": {"AmazonEC2"}, "ComputeSavingsPlans": {"AmazonEC2", "AmazonECS", "AWSLambda"},
            "SageMakerSavingsPlans": {"AmazonSageMaker"}}


class RandomMonth(Month):
    """A seed has always the same month, on whose real bill commitments cover anything or, without `real_coverage`, nothing."""

    def __init__(self, seed, real_coverage=True):
        super().__init__()
        self.random = random.Random(seed)
        self.members = [f"{number:012}" for number in range(100000000001, 100000000007)]
        self.apart = "100000000009"
        self.accounts = [*self.members, self.apart, PAYER]
        self.owners = [*self.random.sample(self.members, 4), *self.random.sample(self.accounts, 1)]
        self.used_hours = sorted(self.random.sample(range(72), 20))
        self.discount = self.random.choice([None, 95, 90])
        self.tables = {}
        self.products = self.random.sample(PRODUCTS[:7], 4) + self.random.sample(PRODUCTS[7:], 7)
        reserved = [product for product in self.products if product.factor and product != M5_UNUSED]
        self.reserved = self.random.sample(reserved, min(len(reserved), 4))
        # Tenancy and family may be told by covered usage alone, which a commitment that covers nothing does not have.
        self.real_coverage = real_coverage
        for _ in range(self.random.randint(8, 12)):
            self.add_reservation()
        for _ in range(self.random.randint(4, 6)):
            self.add_plan()
        if real_coverage:
            self.add_untold()
            self.tell_what_lines_must_tell()
        for account in self.accounts:
            for product in self.random.sample(self.products, 7):
                for hour in self.used_hours:
                    for _ in range(self.random.choice([0, 0, 1, 1, 2, 3])):
                        self.add_usage(account, product, hour)
            self.add_what_is_not_covered(account)
        self.fill_tiers()
        self.tell_rates()

    def period(self, whole):
        """The whole month, or a part that begins or ends within the days of usage, at any minute."""
        moment = lambda low, high: FIRST + timedelta(minutes=self.random.randint(low * 60, high * 60))
        if self.random.random() < whole:
            return None, None
        return self.random.choice([(moment(0, 30), start_of(73)), (None, moment(30, 72)),
                                   (moment(0, 30), start_of(self.random.randint(31, 72)))])

    def add_reservation(self):
        product = self.random.choice([product for product in self.reserved if self.real_coverage or product != M5_DEDICATED])
        zone = self.random.choice([None, None, product.region + "a"]) if product.service == "AmazonEC2" else None
        begin, end = self.period(0.5)
        says = self.random.choice(["each", "all", "usage", "edge"]) if begin is None and end is None else "each"
        self.reservation(self.random.choice(self.owners), product, self.random.choice([1, 1, 2]), zone, begin, end, says)

    def table(self, offering, option, term):
        """The rates of all plans of a kind, payment option and term; some are above the public ones."""
        if (offering, option, term) not in self.tables:
            tenths = lambda: self.random.choice([6, 7, 7, 8, 9, 11]) * ONE // 10
            self.tables[offering, option, term] = {rates_of(product): cost(product.rate or ONE // 5, tenths())
                                                   for product in PRODUCTS if product.service in SERVICES[offering]}
        return self.tables[offering, option, term]

    def add_plan(self):
        offering, = self.random.choices(list(SERVICES), [2, 2, 1])
        option, term = self.random.choice(OPTIONS)
        held = {}
        if offering == "EC2InstanceSavingsPlans":
            product = self.random.choice([product for product in self.products if product.service == "AmazonEC2"])
            held = {"family": own_coverage.family(own_coverage.parts_of(product.usage_type)[1]),
                    "region": self.random.choice([product.region, "US East (N. Virginia)"]),
                    "says_family": not self.real_coverage or self.random.random() < 0.8}
        # A plan has a fee in each hour: whole months make many rows.
        begin, end = self.period(0.1)
        commitment = self.random.choice([ONE // 10, ONE // 4, ONE * 3 // 2, self.random.randint(1, 2 * ONE)])
        self.plan(self.random.choice(self.owners), offering, commitment, self.table(offering, option, term), option, term,
                  begin=begin, end=end, **held)

    def add_untold(self):
        """A reservation and a plan that cover usage and of which no fee tells."""
        kind = "ComputeSavingsPlans", "Partial Upfront", "3yr"
        self.reservation(self.random.choice(self.members), M5_LARGE, 1, told=False)
        self.plan(self.random.choice(self.members), kind[0], ONE, self.table(*kind), *kind[1:], told=False)

    def tell_what_lines_must_tell(self):
        """Usage that tells a reservation's tenancy, a plan's family, and some of the rates."""
        for it in self.commitments:
            if not own_coverage.is_plan(it):
                self.usage(self.apart, it["product"], it["begin"], ONE // 4, it, line_item_availability_zone=it["zone"])
                continue
            reached = [product for product in PRODUCTS
                       if own_coverage.reach(at_its_table(it), product._asdict() | {"public_rate": None})]
            for product in self.random.sample(reached, -(-len(reached) * 2 // 3)):
                self.usage(self.apart, product, it["begin"], ONE // 100, it)

    def add_usage(self, account, product, hour):
        odd, tiny = self.random.randint(1, ONE), self.random.randint(1, 9)
        usage = self.random.choice([ONE, ONE, ONE // 2, 2 * ONE, -ONE // 4, odd, tiny])
        rate = (product.rate or ONE // 5) * (self.discount or 100) // 100
        columns = {}
        if product.service == "AmazonEC2":
            columns["line_item_availability_zone"] = product.region + self.random.choice("aab")
            # A bill may leave the factor of EC2 out: AWS's table has it.
            if account == self.members[0]:
                columns |= {"line_item_normalization_factor": 0, "line_item_normalized_usage_amount": 0}
        if product is LAMBDA:
            usage *= 2_000
            tiers = [(LAMBDA.rate, FIRST_TIER), (LAMBDA.rate, FIRST_TIER), (SECOND_RATE, SECOND_TIER)]
            rate, columns["pricing_rate_code"] = self.random.choice(tiers)
        row = self.usage(account, product, hour, usage, None, rate, self.discount and rate * 9 // 10, **columns)
        # A reservation that covered what is held unused would not tell its tenancy.
        able = [it for it in self.commitments + self.untold if self.real_coverage and self.reaches(it, row)
                and (own_coverage.is_plan(it) or product != M5_UNUSED)]
        if able and self.random.random() < 0.5:
            self.cover(row, self.random.choice(able))

    def add_what_is_not_covered(self, account):
        """Spot, the Marketplace, the Always Free Tier, charges; but what is free for twelve months can be covered."""
        hour = self.used_hours[0]
        self.usage(account, STORAGE, hour, 7 * ONE // 3)
        for usage_type in ("SpotUsage:m5.large", "BoxUsage:m5.large"):
            self.usage(account, M5_LARGE, hour, ONE, rate=ONE // 30, pricing_term="Spot", line_item_usage_type=usage_type,
                       pricing_rate_code=None)
        self.usage(account, M5_LARGE, hour, ONE, bill_billing_entity="AWS Marketplace")
        self.usage(account, LAMBDA, hour, 300 * ONE, rate=0, pricing_term=None, pricing_rate_code=FREE)
        self.usage(account, M5_LARGE, hour, ONE, rate=0, line_item_line_item_description="12 months free")
        for kind, charge in (("Tax", 3 * ONE), ("Credit", -2 * ONE), ("EdpDiscount", -ONE)):
            self.add(kind, account, hour, line_item_product_code="AmazonEC2", line_item_unblended_cost=charge,
                     line_item_usage_amount=0)

    def fill_tiers(self):
        """Usage outside of all groups that makes the family's first tier and its free quota of sizes that AWS would choose."""
        of = lambda code: sum(row["line_item_usage_amount"] for row in self.rows
                              if row["pricing_rate_code"] == code and row["line_item_line_item_type"] == "Usage")
        hour, first = self.used_hours[-1], of(FIRST_TIER)
        self.usage(self.apart, LAMBDA, hour, LAMBDA_TIER - first % LAMBDA_TIER, pricing_rate_code=FIRST_TIER)
        self.usage(self.apart, LAMBDA, hour, ONE, rate=SECOND_RATE, pricing_rate_code=SECOND_TIER)
        self.usage(self.apart, LAMBDA, hour, LAMBDA_FREE - of(FREE), rate=0, pricing_term=None, pricing_rate_code=FREE)

    def book(self):
        """Groups of the members, the payer in one of them or in none; rules of the scopes that price usage."""
        members, count = self.random.sample(self.members, self.random.randint(4, 6)), self.random.choice([2, 3])
        groups = [members[number::count] for number in range(count)]
        if self.random.random() < 0.4:
            groups[-1].append(PAYER)
        rules = [
            {"name": "up", "scope": "GLOBAL", "type": "MARKUP", "modifier_percentage": "8.25"},
            {"name": "ec2", "scope": "SERVICE", "service": "AmazonEC2", "type": "DISCOUNT", "modifier_percentage": "3.3333"},
            {"name": "lambda", "scope": "SERVICE", "service": "AWSLambda", "type": "MARKUP", "modifier_percentage": "12.5"},
            {"name": "large", "scope": "SKU", "service": "AmazonEC2", "usage_type": "BoxUsage:m5.large", "type": "MARKUP",
             "modifier_percentage": "1"}]
        plans = {"all": ["up", "ec2", "lambda", "large"], "some": ["ec2"]}
        return {
            "payer_account_id": PAYER, "currency": "USD", "pricing_rules": rules,
            "pricing_plans": [{"name": name, "pricing_rules": of_plan} for name, of_plan in plans.items()],
            "billing_groups": [{"name": f"group-{number}", "primary_account_id": accounts[0], "accounts": accounts,
                                "pricing_plan": [*plans, "BasicPricingPlan"][number]}
                               for number, accounts in enumerate(groups)],
            "sharing": {"commitments": self.random.choice(["members", "members", "keep"])}}
