"""Months and books at random for `test_policies.py`: every policy of docs/policies.md at once, allocations that feed each other.

Amounts have few digits or all ten, so that there are ties and remainders; weights may be below 0, and bases empty.
"""
import random

import own_policies
from family_months import C5_LARGE, LAMBDA, M5_LARGE, M5_XLARGE, PAYER, PERIOD, STORAGE, rate_code
from own_coverage import ONE
from own_policies import plain
from policy_months import PolicyMonth
from program import units
from random_families import FIRST_TIER, LAMBDA_TIER, SECOND_RATE, SECOND_TIER

MEMBERS = [f"{number:012}" for number in range(100000000001, 100000000007)]
SHARED, APART = "100000000008", "100000000009"
PRODUCTS = [M5_LARGE, M5_XLARGE, C5_LARGE, STORAGE]
CREDITS = ["PROMO-2026 for start-ups", "Migration Programme 77", "promo-2026, second half", None]
SUPPORT = ["AWSSupportEnterprise", "AWSSupportBusiness"]
TRIES = 400


class RandomPolicies:
    """A seed has always the same `month`; books of odd ones tell lines apart by accounts, services and types alone, those of even
    ones by tags, cost categories, resources and descriptions, too."""

    def __init__(self, seed):
        self.random, self.marked = random.Random(seed), seed % 2 == 0
        self.month, self.files = PolicyMonth(), {}
        self.two_currencies = self.random.random() < 0.4
        self.members = MEMBERS[:self.random.randint(3, 6)]
        self.accounts = [*self.members, SHARED, APART, PAYER]
        for account in self.accounts:
            self.add_usage(account)
            self.add_charges(account)
        self.add_commitments()
        self.add_tiers()

    def amount(self, low=1, high=400):
        """An amount of few digits, or of all ten."""
        whole = self.random.randint(low, high) * ONE
        return whole // 4 if self.random.random() < 0.6 else whole + self.random.randint(-ONE // 2, ONE // 2)

    def marks(self):
        """Tags, categories, resource and currency of a line."""
        tags = {"user_team": self.random.choice(["red", "blue", None]), "user_other": "x",
                "user_shared": self.random.choice(["network", "tools", None, None, None])}
        marks = {"resource_tags": {key: value for key, value in tags.items() if value},
                 "cost_category": self.random.choice([{}, {"Unit": "web"}, {"Unit": "data"}]),
                 "line_item_resource_id": self.random.choice(["i-1", "i-2", None])}
        if self.two_currencies and self.random.random() < 0.3:
            marks |= {"line_item_currency_code": "CNY", "pricing_currency": "CNY"}
        return marks

    def add_usage(self, account):
        if account == MEMBERS[2] and self.random.random() < 0.5:
            return
        for _ in range(self.random.randint(6, 20)):
            product = self.random.choice(PRODUCTS)
            usage = self.random.choice([ONE, 3 * ONE, 100 * ONE, self.random.randint(1, 10**13), -ONE // 4])
            rate = product.rate * self.random.choice([100, 100, 95]) // 100
            net = self.random.choice([None, None, rate * 9 // 10])
            marks = self.marks()
            if "line_item_currency_code" in marks:
                marks |= {"product_sku": f"CN{product.usage_type}", "pricing_rate_code": None}
            self.month.usage(account, product, self.random.randint(0, 700), usage, None, rate, net, **marks)
        self.month.usage(account, M5_LARGE, 3, 2 * ONE, rate=ONE // 30, pricing_term="Spot",
                         line_item_usage_type="SpotUsage:m5.large", pricing_rate_code=None, **self.marks())
        self.month.line(account, "Usage", "7.77", "AWSMarketplaceThing", bill_billing_entity="AWS Marketplace", public="0",
                        **self.marks())
        if self.random.random() < 0.3:
            self.month.line(account, "Usage", "3", operation="EKSPod-EC2", **self.marks())

    def add_charges(self, account):
        def line(kind, amount, service, **columns):
            self.month.line(account, kind, plain(amount), service, **columns | self.marks())

        service = lambda: self.random.choice(["AmazonEC2", "AmazonS3"])
        for text in self.random.sample(CREDITS, self.random.randint(1, 3)):
            line("Credit", -self.amount(1, 40), service(), text=text)
        line("Fee", self.amount(1, 30), "AmazonRoute53", text="A domain")
        line("Tax", self.amount(1, 60), service())
        if self.random.random() < 0.5:
            line("Refund", -self.amount(1, 20), service(), text="Refund for June")
        for kind in ("EdpDiscount", "PrivateRateDiscount"):
            line(kind, -self.amount(1, 20), service())
        if account in (PAYER, SHARED) or self.random.random() < 0.3:
            line("Fee", self.amount(20, 200), self.random.choice(SUPPORT))
            line("Tax", self.amount(1, 20), SUPPORT[0])

    def add_commitments(self):
        """Reservations and plans with what is unused of them, and usage that they cover in any account."""
        for number, owner in enumerate([PAYER, *self.random.sample(self.accounts, 3)]):
            ri = f"arn:aws:ec2:us-east-1:{owner}:reserved-instances/{number:08}"
            plan = f"arn:aws:savingsplans::{owner}:savingsplan/{number:08}"
            total = self.amount(20, 60)
            self.month.line(owner, "RIFee", plain(self.amount(20, 60)), reservation_reservation_a_r_n=ri, **self.marks(),
                            reservation_unused_recurring_fee=self.amount(1, 19),
                            reservation_unused_amortized_upfront_fee_for_billing_period=self.random.choice([0, 0, 12345]))
            self.month.line(owner, "SavingsPlanRecurringFee", plain(total), "ComputeSavingsPlans", **self.marks(),
                            savings_plan_savings_plan_a_r_n=plan, savings_plan_total_commitment_to_date=total,
                            savings_plan_used_commitment=self.random.choice([total, total // 3]))
            for account in self.random.sample(self.accounts, 2):
                cost, marks = plain(self.amount(1, 9)), self.marks()
                self.month.line(account, "DiscountedUsage", "0", public=cost, reservation_reservation_a_r_n=ri,
                                reservation_effective_cost=units(cost) // 2, **marks)
                covered = {"savings_plan_savings_plan_a_r_n": plan, **marks}
                self.month.line(account, "SavingsPlanCoveredUsage", cost, **covered,
                                savings_plan_savings_plan_effective_cost=units(cost) * 7 // 10)
                self.month.line(account, "SavingsPlanNegation", f"-{cost}", **covered)

    def add_tiers(self):
        """Usage of all accounts that fills the family's first tier to a size that AWS would choose."""
        first = 0
        for account in self.accounts:
            usage = self.random.randint(1, 8_000) * ONE
            self.month.usage(account, LAMBDA, 9, usage, pricing_rate_code=FIRST_TIER, resource_tags=self.marks()["resource_tags"])
            self.month.usage(account, LAMBDA, 9, usage // 3, rate=SECOND_RATE, pricing_rate_code=SECOND_TIER)
            first += usage
        self.month.usage(APART, LAMBDA, 9, -first % LAMBDA_TIER, pricing_rate_code=FIRST_TIER)

    # ---- Books.

    def find_book(self, lines):
        """Draws books until the model refuses one no more; gives the book, the files of weights and the priced bill."""
        for _ in range(TRIES):
            self.files = {}
            book = self.draw_book()
            try:
                return book, self.files, own_policies.Bill(lines, book, PERIOD, self.files)
            except own_policies.Refused:
                continue
        raise AssertionError("no book that the text does not refuse")

    def draw_book(self):
        groups = self.draw_groups()
        self.names = [group["name"] for group in groups]
        self.grouped = [account for group in groups for account in group["accounts"]]
        rules = [{"name": "up", "scope": "GLOBAL", "type": "MARKUP", "modifier_percentage": "8.25"},
                 {"name": "ec2", "scope": "SERVICE", "service": "AmazonEC2", "type": "DISCOUNT", "modifier_percentage": "3.3333"},
                 {"name": "lambda", "scope": "SERVICE", "service": "AWSLambda", "type": "MARKUP", "modifier_percentage": "12.5"}]
        allocations = self.draw_allocations()
        book = {
            "payer_account_id": PAYER, "currency": "USD", "pricing_rules": rules, "billing_groups": groups,
            "pricing_plans": [{"name": "all", "pricing_rules": ["up", "ec2", "lambda"]},
                              {"name": "some", "pricing_rules": ["ec2"]}],
            "sharing": {"commitments": self.random.choice(["members", "keep", "real"])},
            "custom_line_items": self.draw_items(), "allocations": allocations,
            "distributions": self.draw_distributions([it["name"] for it in allocations]),
            "support_fees": self.draw_support(), "payer_commitments": self.draw_commitments(), "minimums": self.draw_minimums()}
        for table in ("allocations", "distributions", "support_fees", "payer_commitments", "minimums"):
            for it in book[table]:
                it |= self.random.choice([{}, {}, {"start": PERIOD}, {"start": "2026-01", "end": "2026-11"}])
        over = {"name": "over", "lines": [{"line_item_types": ["Credit"]}], "treatment": "drop", "end": PERIOD}
        book["distributions"].append(over)
        return book

    def draw_groups(self):
        count = self.random.choice([2, 3])
        parts = [self.members[number::count] for number in range(count)]
        if self.random.random() < 0.3:
            parts[-1].append(PAYER)
        return [{"name": f"group-{number}", "primary_account_id": accounts[0], "accounts": accounts,
                 "pricing_plan": ["all", "some", "BasicPricingPlan"][number]} for number, accounts in enumerate(parts)]

    def draw_items(self):
        item = lambda name, **more: {"name": name, "billing_group": self.random.choice(self.names), "description": f"the {name}",
                                     "start": "2026-01"} | more
        negation = [{"attribute": "LINE_ITEM_TYPE", "match_option": "NOT_EQUAL", "values": ["SAVINGS_PLAN_NEGATION"]}]
        service = [{"attribute": "SERVICE", "match_option": "NOT_EQUAL", "attribute_values": ["AmazonS3"]}]
        return [item("managed-service", type="FEE", flat_charge_value="17.5"),
                item("platform-fee", type="FEE", percentage_value="3.1234", line_item_filters=negation),
                item("rebate", type="CREDIT", percentage_value="1.5", line_item_filters=service,
                     presentation_service="AmazonEC2")]

    def draw_distributions(self, allocations):
        def of(name, *conditions, **more):
            treatment = self.random.choice(["drop", "keep", "allocate", "allocate"])
            send = {"allocation": self.random.choice(allocations)} if treatment == "allocate" else {}
            return {"name": name, "lines": list(conditions), "treatment": treatment, **send, **more}

        types = lambda *names, **more: {"line_item_types": list(names), **more}
        two = self.random.sample(self.accounts, 2)
        if not self.marked:
            drawn = [of("promo", types("Credit", services=["AmazonS3"])), of("credits", types("Credit")),
                     of("refunds", types("Refund")), of("edp", types("EdpDiscount")), of("rates", types("PrivateRateDiscount")), of("tax", types("Tax")),
                     of("tax of some", types("Tax", accounts=two)), of("support", types("Support")),
                     of("support of some", types("Support", services=SUPPORT[:1]), types("Support", accounts=two)),
                     of("discounts of some", types("Discount", accounts=two[:1]))]
            return self.random.sample(drawn, self.random.randint(5, len(drawn)))
        drawn = [of("promo", types("Credit", descriptions=["promo-2026"])), of("credits", types("Credit")),
                 of("refunds", types("Refund")), of("edp", types("EdpDiscount")), of("rates", types("PrivateRateDiscount")),
                 of("tax", types("Tax")), of("tax of some", types("Tax", accounts=two)), of("support", types("Support")),
                 of("support of some", types("Support", services=SUPPORT[:1]), types("Support", tags={"user_team": ["red"]})),
                 of("migration", types("Credit", "Refund", descriptions=["MIGRATION programme", "june"])),
                 of("discounts of some", types("Discount", accounts=two[:1], without_tags=["user_team"]))]
        return self.random.sample(drawn, self.random.randint(5, len(drawn)))

    def draw_allocations(self):
        unmarked = [
            {"source": [{"services": ["AmazonS3"], "accounts": self.members[:1]}]},
            {"source": [{"usage_types": ["BoxUsage:m5.xlarge"], "accounts": [*self.members, SHARED]},
                        {"services": ["AWSMarketplaceThing"]}]},
            {"source": [{"accounts": [SHARED], "line_item_types": ["Usage"], "services": ["AmazonEC2", "AmazonS3"],
                         "usage_types": ["BoxUsage:m5.large", "BoxUsage:c5.large", "TimedStorage-ByteHrs"]}]}]
        sources = self.random.sample([*([
            {"source": [{"tags": {"user_shared": ["network"]}}]},
            {"source": [{"tags": {"user_shared": ["tools"]}, "cost_categories": {"Unit": ["web", "data"]}},
                        {"tags": {"user_shared": ["tools"]}, "accounts": self.members}]},
            {"source": [{"accounts": [SHARED], "without_tags": ["user_shared"]}]}] if self.marked else unmarked),
            {"source": [{"line_item_types": ["Fee"], "accounts": [APART], "services": ["AmazonRoute53"]}]},
            {"source": [{"line_item_types": ["RIFee", "SavingsPlanRecurringFee"]}, {"line_item_types": ["RIFee"]}]},
            {"unused_commitments": True},
            {"payer_usage": True} if self.random.random() < 0.5 else
            {"source": [{"accounts": [PAYER], "line_item_types": ["Usage"], **({"resources": ["i-1"]} if self.marked else {})}]},
            {"source": [{"line_item_types": ["Fee"], "accounts": self.members[-1:], "services": ["AmazonRoute53"]}]}],
            self.random.randint(3, 6))
        drawn = [{"name": f"share-{number}", "description": f"Part {number} of all", "step": self.random.randint(1, 3), **source}
                 for number, source in enumerate(sources)]
        for it in drawn:
            self.draw_method(it, [other["name"] for other in drawn if other.get("step", 1) > it["step"]])
            if it["step"] == 1 and self.random.random() < 0.5:
                del it["step"]
        return drawn

    def draw_method(self, it, later):
        it |= self.random.choice([{}, {}, {"cost": "public"}])
        it |= self.random.choice([{}, {"computation_rule": "CONSOLIDATED", "presentation_service": "AmazonVPC"},
                                  {"computation_rule": "ITEMIZED"}])
        it["method"] = self.random.choice(["even", "proportional_to_cost", "proportional_to_cost", "proportional_to_usage",
                                           "fixed", "weights"])
        it |= self.random.choice([{}, {}, {"empty_base": "payer"}, {"empty_base": "even"}])
        if it["method"] == "fixed":
            it["shares"] = self.draw_shares(later)
            return
        targets = self.random.choice([{}, {}, {"billing_groups": self.random.sample(self.names, 2)},
                                      {"accounts": self.random.sample(self.grouped, 2)}])
        feeds = {"allocations": later[:2]} if later and self.random.random() < 0.6 else {}
        if feeds and not targets:
            targets = {"billing_groups": self.names}
        away = self.random.choice([{}, {"except_billing_groups": self.names[:1]}, {"except_accounts": self.grouped[:1]}])
        if "billing_groups" in targets:
            away.pop("except_billing_groups", None)
        if targets or feeds or away:
            it["targets"] = targets | feeds | ({} if "accounts" in targets else away)
        if "accounts" not in targets and self.random.random() < 0.5:
            it.setdefault("targets", {})["by_account"] = True
        if not it.get("targets", {}).get("by_account"):
            # Accounts are taken away where they stand for their groups.
            it.get("targets", {}).pop("except_accounts", None)
        if it["method"] == "proportional_to_cost":
            it |= self.random.choice([{}, {"weigh_by": "aws_cost"}])
            it |= self.random.choice([{}, {"weigh_lines": [{"services": ["AmazonEC2"]}, {"tags": {"user_team": ["red"]}}]},
                                      {"weigh_lines": [{"services": ["AmazonNothing"]}]}] if self.marked else
                                     [{}, {"weigh_lines": [{"services": ["AmazonEC2"]}, {"accounts": self.members[1:3]}]}])
        elif it["method"] == "proportional_to_usage":
            it["weigh_lines"] = self.random.choice([
                [{"services": ["AmazonS3"]}], [{"usage_types": ["BoxUsage:m5.large", "BoxUsage:c5.large"]}],
                [{"services": ["AmazonEC2"], **({"without_cost_categories": ["Unit"]} if self.marked else {})}]])
        elif it["method"] == "weights":
            self.draw_file(it)

    def draw_shares(self, later):
        able = [{"billing_group": name} for name in self.names] + [{"allocation": name} for name in later] + [{"payer": True}]
        able.append({"account": self.random.choice(self.grouped)})
        chosen = self.random.sample(able, self.random.randint(2, min(4, len(able))))
        if chosen == [{"payer": True}]:
            chosen = [{"billing_group": self.names[0]}]
        cuts = sorted(self.random.choice([self.random.randint(0, 10**6), 250_000, 500_000]) for _ in chosen[1:])
        return [share | {"percentage": plain(high - low, 4)} for share, low, high in zip(chosen, [0, *cuts], [*cuts, 10**6])]

    def draw_file(self, it):
        """Rows for targets that are sure to be there: groups, accounts or allocations that are named."""
        targets = it.setdefault("targets", {})
        if not targets.keys() & {"billing_groups", "accounts", "allocations"} and self.random.random() < 0.5:
            targets["billing_groups"] = self.names
        for name in ("by_account", "except_billing_groups", "except_accounts"):
            targets.pop(name, None)
        named = [name for kind in ("billing_groups", "accounts", "allocations") for name in targets.get(kind, [])]
        named = named or [self.names[-1], self.grouped[0]]
        rows = ["target,weight,period"]
        for name in named[self.random.randint(0, 1):]:
            for _ in range(self.random.randint(1, 2)):
                weight = self.random.choice(["1", "2", "0", "7.25", "0.0000000001", "11"])
                rows.append(f"{name},{weight},{self.random.choice(['', PERIOD, '2026-09'])}")
        it["weights"] = f"{it['name']}.csv"
        self.files[it["weights"]] = "\n".join(rows) + "\n"

    def draw_support(self):
        tiers = [{"up_to": "100", "percentage": "10"}, {"up_to": "800.5", "percentage": "7.0003"}, {"percentage": "5"}]
        some = {"name": "Business Support", "billing_groups": self.names[:1], "minimum": "50", "tiers": tiers}
        other = {"name": "Other Support", "billing_groups": self.names[1:], "tiers": tiers[2:], "of": "aws_cost"}
        everybody = {"name": "Support of all", "tiers": tiers, "minimum": "29"} | self.random.choice([{}, {"of": "aws_cost"}])
        return self.random.choice([[some, other], [some], [everybody]])

    def draw_commitments(self):
        percentages = self.random.choice([["40", "35", "25"], ["12.5", "33.3333"]])
        shares = [{"billing_group": name, "percentage": percentage} for name, percentage in zip(self.names, percentages)]
        spend = [{"line_item_types": ["Usage", "Fee"]}]

        def of(name, amount):
            more = self.random.choice([{}, {"of": "public_cost"}, {"of": "unblended_cost"}])
            more |= self.random.choice([{}, {"spend": spend}])
            return {"name": name, "amount": amount, "shares": shares, "shortfall": self.random.choice(["own", "shared"]), **more}

        return [of("EDP 2026", self.random.choice(["2000", "9000.5", "100000"])), of("PPA", "3000.0000000001")]

    def draw_minimums(self):
        what = [{"amount": "1000"}, {"percentage": "105.0005"}, {"amount": "500.25", "percentage": "130", "of": "public_cost"}]
        return [{"name": f"Minimum of {name}", "billing_group": name, **self.random.choice(what)}
                for name in self.names if self.random.random() < 0.7]
