"""What tests make on a server: each thing with a name and accounts that no other test has."""
import itertools
import threading
from dataclasses import dataclass

from botocore.exceptions import ClientError

from server import PAYER

NUMBERS = itertools.count(1)
ORGANIZATION = "o-larkfield00"
BASIC = "arn:aws:billingconductor::aws:pricingplan/BasicPricingPlan"
PASSTHROUGH = "arn:aws:billingconductor::aws:pricingplan/Passthrough"
# Filters of a percentage: all but the discount of Savings Plans, and one service.
SAVINGS = [{"Attribute": "LINE_ITEM_TYPE", "MatchOption": "NOT_EQUAL", "Values": ["SAVINGS_PLAN_NEGATION"]}]
STORAGE = [{"Attribute": "SERVICE", "MatchOption": "EQUAL", "AttributeValues": ["AmazonS3"]}]


def name(kind="thing"):
    return f"{kind}-{next(NUMBERS)}"


def account():
    """An account of nobody else; without a declared family any twelve digits are one."""
    return f"{next(NUMBERS) + 100000000000}"


def accounts(count):
    return [account() for _ in range(count)]


def arn(kind, identity, payer=PAYER):
    return f"arn:aws:billingconductor::{payer}:{kind}/{identity}"


# Billing transfers that every server knows from its start, each with an organization of one account.
TRANSFERS = [f"arn:aws:organizations::{PAYER}:transfer/{ORGANIZATION}/billing/inbound/rt-{number:08d}" for number in range(120)]
UNUSED = itertools.count()


def transfer():
    """A billing transfer that no other test has."""
    return TRANSFERS[next(UNUSED) % len(TRANSFERS)]


def transfers_book(transfers=TRANSFERS, **more):
    """A book that makes billing transfers known; the API has no words for that."""
    listed = [{"name": of, "source_account_id": (source := f"{800000000000 + number}"), "receiver_account_id": PAYER, "accounts": [source],
               "status": "ACCEPTED", "start": "2026-01"} | more for number, of in enumerate(transfers)]
    return {"payer_account_id": PAYER, "currency": "USD", "responsibility_transfers": listed}


@dataclass(frozen=True)
class Group:
    """A billing group that a test has made."""
    arn: str
    name: str
    accounts: list
    plan: str

    @property
    def primary(self):
        return self.accounts[0]

    @property
    def id(self):
        return self.arn.rsplit("/", 1)[1]


class Desk:
    """The operator at work: makes things, with what a test does not care about filled in."""

    def __init__(self, client):
        self.client = client

    def rule(self, **more):
        given = {"Name": name("rule"), "Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 10} | more
        return self.client.create_pricing_rule(**present(given))["Arn"]

    def plan(self, *rules, **more):
        given = {"Name": name("plan"), "PricingRuleArns": list(rules) or None} | more
        return self.client.create_pricing_plan(**present(given))["Arn"]

    def group(self, members=1, plan=None, **more):
        """A group of `members` new accounts, or of these accounts."""
        members = accounts(members) if isinstance(members, int) else members
        plan = plan or self.plan()
        given = {"Name": name("group"), "AccountGrouping": {"LinkedAccountIds": members}, "PrimaryAccountId": members[0],
                 "ComputationPreference": {"PricingPlanArn": plan}} | more
        return Group(self.client.create_billing_group(**present(given))["Arn"], given["Name"], members, plan)

    def transfer_group(self, plan=None, relation=None, **more):
        relation = relation or transfer()
        plan = plan or self.plan()
        given = {"Name": name("transfer"), "AccountGrouping": {"ResponsibilityTransferArn": relation},
                 "ComputationPreference": {"PricingPlanArn": plan}} | more
        return Group(self.client.create_billing_group(**present(given))["Arn"], given["Name"], [], plan)

    def flat(self, group, value=10, **more):
        return self.item(group, {"Flat": {"ChargeValue": value}, "Type": "FEE"}, **more)

    def percentage(self, group, value=10, associated=None, filters=None, **more):
        charge = {"Percentage": present({"PercentageValue": value, "AssociatedValues": associated}), "Type": "FEE"}
        return self.item(group, charge | ({"LineItemFilters": filters} if filters else {}), **more)

    def item(self, group, charge, **more):
        given = {"Name": name("item"), "Description": "Managed service", "BillingGroupArn": group.arn,
                 "ChargeDetails": charge, "BillingPeriodRange": {"InclusiveStartBillingPeriod": "2026-11"}} | more
        return self.client.create_custom_line_item(**present(given))["Arn"]

    # ---- Reading back

    def plan_of(self, arn, **more):
        return only(self.client.list_pricing_plans(Filters={"Arns": [arn]}, **more)["PricingPlans"])

    def rule_of(self, arn, **more):
        return only(self.client.list_pricing_rules(Filters={"Arns": [arn]}, **more)["PricingRules"])

    def group_of(self, arn, **more):
        return only(self.client.list_billing_groups(Filters={"Arns": [arn]}, **more)["BillingGroups"])

    def item_of(self, arn, **more):
        return only(self.client.list_custom_line_items(Filters={"Arns": [arn]}, **more)["CustomLineItems"])

    def members_of(self, arn, **more):
        """The accounts of a group, by number."""
        listed = pages(self.client, "list_account_associations", "LinkedAccounts", Filters={"Association": arn}, **more)
        return sorted(item["AccountId"] for item in listed)

    def rules_of(self, plan, **more):
        return pages(self.client, "list_pricing_rules_associated_to_pricing_plan", "PricingRuleArns", PricingPlanArn=plan, **more)

    def plans_of(self, rule, **more):
        return pages(self.client, "list_pricing_plans_associated_with_pricing_rule", "PricingPlanArns", PricingRuleArn=rule, **more)

    def resources_of(self, item, **more):
        return pages(self.client, "list_resources_associated_to_custom_line_item", "AssociatedResources", Arn=item, **more)

    def versions_of(self, item, **more):
        return pages(self.client, "list_custom_line_item_versions", "CustomLineItemVersions", Arn=item, **more)


def present(given):
    """What of an input is there: None stands for absent."""
    return {key: value for key, value in given.items() if value is not None}


def only(items):
    assert len(items) == 1, items
    return items[0]


def pages(client, operation, key, **given):
    """All items of a list, page after page, as botocore walks them."""
    return [item for page in client.get_paginator(operation).paginate(**given) for item in page.get(key, [])]


def at_once(acts):
    """Runs calls in threads that start together; what each returned, or the error that it raised, in their order."""
    results, start = [None] * len(acts), threading.Barrier(len(acts))

    def run(number, act):
        start.wait()
        try:
            results[number] = act()
        except Exception as raised:  # the test looks at it
            results[number] = raised

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def is_conflict(result):
    return isinstance(result, ClientError) and result.response.get("Reason") == "WRITE_CONFLICT_RETRY"


def until_done(act):
    """Tries again as long as the answer is to try again, as WRITE_CONFLICT_RETRY says."""
    for _ in itertools.repeat(None, 50):
        try:
            return act()
        except ClientError as raised:
            if not is_conflict(raised):
                raise
    raise AssertionError("the conflict does not end")
