"""Every operation of AWS Billing Conductor through unmodified boto3: its answer, member by member.

Each answer is also held to botocore's model (`wire_model`), which botocore itself does not do.
"""
import pytest

import desk as desks
from desk import BASIC, PASSTHROUGH, SAVINGS, STORAGE, account, accounts, arn, name, only, pages, present
from server import CURRENT, NEXT, NOW, PREVIOUS, SECONDS_NOW, in_period, invalid, refused
from wire_model import MODEL

GLOBAL = {"Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 12.5}
TIERS = [{"BeginRangeInclusive": 0, "EndRangeExclusive": 10240, "RateValue": 0.085}, {"BeginRangeInclusive": 10240, "RateValue": 0.0000000001}]


def test_the_model_has_34_operations():
    assert len(MODEL.operation_names) == 34


def stamps(item):
    """Takes the two instants off an item; both are whole seconds of the billing clock."""
    created, changed = item.pop("CreationTime"), item.pop("LastModifiedTime")
    assert type(created) is int and type(changed) is int
    assert created == changed == SECONDS_NOW, NOW
    return item


# ---- Pricing rules

RULES = {
    "global markup": GLOBAL,
    "global discount": {"Scope": "GLOBAL", "Type": "DISCOUNT", "ModifierPercentage": 100},
    "service markup": {"Scope": "SERVICE", "Type": "MARKUP", "ModifierPercentage": 0, "Service": "AmazonEC2"},
    "seller": {"Scope": "BILLING_ENTITY", "Type": "MARKUP", "ModifierPercentage": 3, "BillingEntity": "AWS Marketplace"},
    "free tier off": {"Scope": "GLOBAL", "Type": "TIERING", "Tiering": {"FreeTier": {"Activated": False}}},
    "free tier of a service": {"Scope": "SERVICE", "Type": "TIERING", "Service": "AWSLambda", "Tiering": {"FreeTier": {"Activated": True}}},
    "sku": {"Scope": "SKU", "Type": "DISCOUNT", "ModifierPercentage": 5, "Service": "AmazonEC2",
            "UsageType": "EUC1-BoxUsage:t4g.medium", "Operation": "RunInstances"},
    "sku of any operation": {"Scope": "SKU", "Type": "MARKUP", "ModifierPercentage": 5, "Service": "AmazonS3",
                             "UsageType": "TimedStorage-ByteHrs"},
    "own tiers": {"Scope": "SKU", "Type": "TIERING", "Service": "AWSDataTransfer", "UsageType": "DataTransfer-Out-Bytes",
                  "Tiering": {"CustomTiers": TIERS}},
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_pricing_rule_is_listed_as_it_was_made(desk, rule):
    made = desk.rule(Name=(called := name("rule")), Description="for tests", **{"ModifierPercentage": None} | rule)
    assert made.startswith(arn("pricingrule", "")) and len(made.rsplit("/", 1)[1]) == 10
    assert stamps(desk.rule_of(made)) == {"Name": called, "Arn": made, "Description": "for tests",
                                          "AssociatedPricingPlanCount": 0} | rule


@pytest.mark.parametrize("given, kept", [(10.005, 10.01), (10.004999, 10.0), (0.1 + 0.2, 0.3), (1e9, 1e9), (1e-08, 0.0), (33.333, 33.33)])
def test_percentages_are_kept_at_two_decimals(desk, given, kept):
    # Half up of the decimal digits that were sent; how AWS breaks ties is unknown.
    assert desk.rule_of(desk.rule(ModifierPercentage=given))["ModifierPercentage"] == kept


def test_a_pricing_rule_is_updated(client, desk):
    made = desk.rule(Description="before", **GLOBAL)
    desk.plan(made)
    updated = client.update_pricing_rule(Arn=made, Name=(called := name("rule")), Type="DISCOUNT", ModifierPercentage=7.25)
    updated.pop("ResponseMetadata")
    assert updated == {"Arn": made, "Name": called, "Description": "before", "Scope": "GLOBAL", "Type": "DISCOUNT",
                       "ModifierPercentage": 7.25, "AssociatedPricingPlanCount": 1, "LastModifiedTime": SECONDS_NOW}
    assert desk.rule_of(made)["Type"] == "DISCOUNT"
    # An id stands for an ARN, and an empty description for none.
    assert client.update_pricing_rule(Arn=made.rsplit("/", 1)[1], Description="")["Description"] == ""
    assert desk.rule_of(made).get("Description", "") == ""


def test_tiers_are_updated_whole(client, desk):
    made = desk.rule(ModifierPercentage=None, **RULES["own tiers"])
    one = {"CustomTiers": [{"BeginRangeInclusive": 0, "RateValue": 0.09}]}
    assert client.update_pricing_rule(Arn=made, Tiering=one)["Tiering"] == one
    assert desk.rule_of(made)["Tiering"] == one


def test_a_pricing_rule_is_deleted(client, desk):
    made = desk.rule()
    assert client.delete_pricing_rule(Arn=made)["Arn"] == made
    assert client.list_pricing_rules(Filters={"Arns": [made]})["PricingRules"] == []
    # Delete* list no ResourceNotFoundException.
    with invalid("PRICINGRULES_NOT_EXIST"):
        client.delete_pricing_rule(Arn=made)
    with refused("ResourceNotFoundException") as caught:
        client.update_pricing_rule(Arn=made, Name=name())
    assert (caught.error.response["ResourceType"], caught.error.response["ResourceId"]) == ("pricingrule", made)


# ---- Pricing plans

def test_a_pricing_plan_is_listed_as_it_was_made(client, desk):
    rules = [desk.rule(), desk.rule(**RULES["service markup"])]
    plan = desk.plan(*rules, Name=(called := name("plan")), Description="d" * 1024)
    listed = client.list_pricing_plans(Filters={"Arns": [plan]})
    assert listed["BillingPeriod"] == CURRENT
    assert stamps(only(listed["PricingPlans"])) == {"Name": called, "Arn": plan, "Description": "d" * 1024, "Size": 2}
    assert sorted(desk.rules_of(plan)) == sorted(rules)
    assert [desk.plans_of(rule) for rule in rules] == [[plan], [plan]]
    assert [desk.rule_of(rule)["AssociatedPricingPlanCount"] for rule in rules] == [1, 1]


def test_an_empty_plan_has_size_0(desk):
    plan = desk.plan()
    assert desk.plan_of(plan)["Size"] == 0
    assert desk.client.list_pricing_rules_associated_to_pricing_plan(PricingPlanArn=plan)["PricingRuleArns"] == []
    assert desk.client.list_pricing_plans_associated_with_pricing_rule(PricingRuleArn=desk.rule())["PricingPlanArns"] == []


def test_lists_of_associations_echo_what_was_asked(client, desk):
    rule = desk.rule()
    plan = desk.plan(rule)
    for_plan = client.list_pricing_rules_associated_to_pricing_plan(PricingPlanArn=plan, BillingPeriod="2026-11")
    for_rule = client.list_pricing_plans_associated_with_pricing_rule(PricingRuleArn=rule)
    assert (for_plan["BillingPeriod"], for_plan["PricingPlanArn"]) == (CURRENT, plan)
    assert (for_rule["BillingPeriod"], for_rule["PricingRuleArn"]) == (CURRENT, rule)
    assert "NextToken" not in for_plan and "NextToken" not in for_rule


def test_a_pricing_plan_is_updated(client, desk):
    plan = desk.plan(desk.rule(), Description="before")
    updated = client.update_pricing_plan(Arn=plan, Name=(called := name("plan")))
    updated.pop("ResponseMetadata")
    assert updated == {"Arn": plan, "Name": called, "Description": "before", "Size": 1, "LastModifiedTime": SECONDS_NOW}
    assert desk.plan_of(plan)["Name"] == called


def test_rules_enter_and_leave_a_plan(client, desk):
    plan, first = desk.plan(), desk.rule()
    others = [desk.rule(Scope="SERVICE", Service=f"Service{number}") for number in range(30)]
    assert client.associate_pricing_rules(Arn=plan, PricingRuleArns=[first])["Arn"] == plan
    assert client.associate_pricing_rules(Arn=plan, PricingRuleArns=others)["Arn"] == plan
    assert sorted(desk.rules_of(plan)) == sorted([first, *others])
    with invalid("PRICINGRULES_ALREADY_ASSOCIATED"):
        client.associate_pricing_rules(Arn=plan, PricingRuleArns=[others[0]])
    assert client.disassociate_pricing_rules(Arn=plan, PricingRuleArns=others)["Arn"] == plan
    assert desk.rules_of(plan) == [first]


def test_rules_enter_a_plan_all_or_none(client, desk):
    plan, good = desk.plan(), desk.rule()
    with invalid("PRICINGRULES_NOT_EXIST"):
        client.associate_pricing_rules(Arn=plan, PricingRuleArns=[good, arn("pricingrule", "0000000000")])
    assert desk.rules_of(plan) == []


def test_a_pricing_plan_in_use_stays(client, desk):
    group = desk.group()
    rule = desk.rule()
    client.associate_pricing_rules(Arn=group.plan, PricingRuleArns=[rule])
    with refused("ConflictException", "PRICING_PLAN_ATTACHED_TO_BILLING_GROUP_DELETE_CONFLICT") as caught:
        client.delete_pricing_plan(Arn=group.plan)
    assert (caught.error.response["ResourceType"], caught.error.response["ResourceId"]) == ("pricingplan", group.plan)
    with refused("ConflictException", "PRICING_RULE_ATTACHED_TO_PRICING_PLAN_DELETE_CONFLICT"):
        client.delete_pricing_rule(Arn=rule)
    client.delete_billing_group(Arn=group.arn)
    assert client.delete_pricing_plan(Arn=group.plan)["Arn"] == group.plan
    assert client.delete_pricing_rule(Arn=rule)["Arn"] == rule
    with invalid("MISSING_PRICINGPLAN"):
        client.delete_pricing_plan(Arn=group.plan)


def test_managed_plans_are_there_to_be_used_only(client, desk):
    # Shown when asked for by name only, as whoever lists plans wants those that can be edited.
    assert not {BASIC, PASSTHROUGH} & {plan["Arn"] for plan in pages(client, "list_pricing_plans", "PricingPlans")}
    assert {plan["Arn"] for plan in client.list_pricing_plans(Filters={"Arns": [BASIC, PASSTHROUGH]})["PricingPlans"]} == {
        BASIC, PASSTHROUGH}
    assert desk.group_of(desk.group(plan=BASIC).arn)["ComputationPreference"] == {"PricingPlanArn": BASIC}
    for act in (lambda: client.update_pricing_plan(Arn=BASIC, Name=name()), lambda: client.delete_pricing_plan(Arn=BASIC),
                lambda: client.associate_pricing_rules(Arn=PASSTHROUGH, PricingRuleArns=[desk.rule()])):
        with refused("AccessDeniedException"):
            act()


# ---- Billing groups

def test_a_billing_group_is_listed_as_it_was_made(client, desk):
    group = desk.group(3, Description="a customer", Tags={"team": "blue"})
    assert group.arn == arn("billinggroup", group.primary)
    assert stamps(desk.group_of(group.arn)) == {
        "Name": group.name, "Arn": group.arn, "Description": "a customer", "PrimaryAccountId": group.primary,
        "ComputationPreference": {"PricingPlanArn": group.plan}, "Size": 3, "Status": "ACTIVE",
        "AccountGrouping": {"AutoAssociate": False}, "BillingGroupType": "STANDARD"}
    assert desk.members_of(group.arn) == sorted(group.accounts)
    assert client.list_tags_for_resource(ResourceArn=group.arn)["Tags"] == {"team": "blue"}


def test_a_group_of_a_billing_transfer_is_listed_as_it_was_made(desk):
    group = desk.transfer_group(plan=PASSTHROUGH, relation=(relation := desks.transfer()))
    listed = stamps(desk.group_of(group.arn))
    assert len(group.id) == 10
    assert listed["AccountGrouping"]["ResponsibilityTransferArn"] == relation
    assert (listed["BillingGroupType"], listed["ComputationPreference"]) == ("TRANSFER_BILLING", {"PricingPlanArn": PASSTHROUGH})
    assert listed["Status"] in ("ACTIVE", "PENDING")


def test_a_billing_group_is_updated(client, desk):
    group, plan = desk.group(2, Description="before"), desk.plan()
    updated = client.update_billing_group(Arn=group.arn, Name=(called := name("group")), Status="ACTIVE",
                                          ComputationPreference={"PricingPlanArn": plan})
    updated.pop("ResponseMetadata")
    assert updated == {"Arn": group.arn, "Name": called, "Description": "before", "PrimaryAccountId": group.primary,
                       "PricingPlanArn": plan, "Size": 2, "LastModifiedTime": SECONDS_NOW, "Status": "ACTIVE",
                       "AccountGrouping": {"AutoAssociate": False}}
    assert desk.group_of(group.id)["ComputationPreference"] == {"PricingPlanArn": plan}


def test_one_group_may_take_accounts_by_itself(client, desk):
    first, second = desk.group(), desk.group()
    on, off = {"AutoAssociate": True}, {"AutoAssociate": False}
    assert client.update_billing_group(Arn=first.arn, AccountGrouping=on)["AccountGrouping"] == on
    with invalid("TOO_MANY_AUTO_ASSOCIATE_BILLING_GROUPS"):
        client.update_billing_group(Arn=second.arn, AccountGrouping=on)
    assert [group["Arn"] for group in client.list_billing_groups(Filters={"AutoAssociate": True})["BillingGroups"]] == [first.arn]
    with invalid("CANNOT_DELETE_AUTO_ASSOCIATE_BILLING_GROUP"):
        client.delete_billing_group(Arn=first.arn)
    assert client.update_billing_group(Arn=first.arn, AccountGrouping=off)["AccountGrouping"] == off
    client.delete_billing_group(Arn=first.arn)


def test_accounts_enter_and_leave_a_group(client, desk):
    group, new = desk.group(), accounts(30)
    assert client.associate_accounts(Arn=group.arn, AccountIds=new)["Arn"] == group.arn
    assert desk.members_of(group.arn) == sorted(group.accounts + new)
    assert desk.group_of(group.arn)["Size"] == 31
    assert client.disassociate_accounts(Arn=group.id, AccountIds=new[1:])["Arn"] == group.arn
    assert desk.members_of(group.arn) == sorted([*group.accounts, new[0]])


def test_accounts_enter_a_group_all_or_none(client, desk):
    taken, group, new = desk.group(), desk.group(), account()
    with invalid("ACCOUNTS_ALREADY_ASSOCIATED"):
        client.associate_accounts(Arn=group.arn, AccountIds=[new, taken.primary])
    with invalid("ACCOUNTS_NOT_ASSOCIATED"):
        client.disassociate_accounts(Arn=taken.arn, AccountIds=[new])
    assert desk.members_of(group.arn) == group.accounts


def test_a_deleted_group_frees_its_accounts(client, desk):
    group = desk.group(2)
    assert client.delete_billing_group(Arn=group.arn)["Arn"] == group.arn
    assert client.list_billing_groups(Filters={"Arns": [group.arn]})["BillingGroups"] == []
    with invalid("MISSING_BILLINGGROUP"):
        client.delete_billing_group(Arn=group.arn)
    # The same accounts may be grouped anew in the same month.
    assert desk.members_of(desk.group(group.accounts[::-1]).arn) == sorted(group.accounts)


def test_billing_groups_are_filtered(client, desk):
    prefix, plan = name("find"), desk.plan()
    first, second = desk.group(Name=f"{prefix}-a", plan=plan), desk.group(Name=f"{prefix}-b")
    moved = desk.transfer_group(Name=f"{prefix}-c", relation=(relation := desks.transfer()))
    found = lambda **filters: sorted(group["Arn"] for group in client.list_billing_groups(Filters=filters)["BillingGroups"])
    starts = [{"SearchOption": "STARTS_WITH", "SearchValue": prefix}]
    assert found(Names=starts) == sorted([first.arn, second.arn, moved.arn])
    assert found(Names=starts, BillingGroupTypes=["STANDARD"]) == sorted([first.arn, second.arn])
    assert found(Names=starts, BillingGroupTypes=["TRANSFER_BILLING", "STANDARD"]) == found(Names=starts)
    assert found(PricingPlan=plan) == [first.arn]
    assert found(PrimaryAccountIds=[second.primary, account()]) == [second.arn]
    assert found(Arns=[first.id, second.arn], PricingPlan=plan) == [first.arn]
    assert found(ResponsibilityTransferArns=[relation]) == [moved.arn]
    assert found(Arns=[first.arn], Statuses=["PRIMARY_ACCOUNT_MISSING"]) == []
    assert found(Arns=[first.arn], Statuses=["ACTIVE", "PENDING"]) == [first.arn]
    assert found(Arns=[first.arn], AutoAssociate=True) == []
    assert found(Arns=[arn("billinggroup", account())]) == []
    # The characters of a search stand for themselves.
    assert found(Names=[{"SearchOption": "STARTS_WITH", "SearchValue": prefix.replace("-", "_")}]) == []


def test_account_associations_are_filtered(client, desk):
    group, alone = desk.group(2), account()
    found = lambda **filters: pages(client, "list_account_associations", "LinkedAccounts", Filters=filters)
    one = {"AccountId": group.primary, "BillingGroupArn": group.arn}
    assert [present(item) for item in found(AccountId=group.primary)] == [one]
    assert len(found(AccountIds=group.accounts + [alone])) in (2, 3)  # nobody knows of the third without a family
    assert {item["AccountId"] for item in found(Association=group.id)} == set(group.accounts)
    assert set(group.accounts) <= {item["AccountId"] for item in found(Association="MONITORED")}
    assert not set(group.accounts) & {item["AccountId"] for item in found(Association="UNMONITORED")}


# ---- Custom line items

FLAT = {"Flat": {"ChargeValue": 1000000}, "Type": "FEE"}
ITEMS = {
    "flat fee": ({"ChargeDetails": FLAT}, {}),
    "flat credit to the last digit": ({"ChargeDetails": {"Flat": {"ChargeValue": 0.1}, "Type": "CREDIT"}}, {}),
    "tiny": ({"ChargeDetails": {"Flat": {"ChargeValue": 1e-08}, "Type": "FEE"}}, {}),
    "flat under a service": ({"ChargeDetails": FLAT, "PresentationDetails": {"Service": "AmazonGuardDuty"}}, {"ProductCode": "AmazonGuardDuty"}),
    "percentage": ({"ChargeDetails": {"Percentage": {"PercentageValue": 2.5}, "Type": "FEE"}}, {}),
    "percentage without discounts": ({"ChargeDetails": {"Percentage": {"PercentageValue": 10000}, "Type": "FEE",
                                                        "LineItemFilters": SAVINGS}}, {}),
    "beside each line": ({"ChargeDetails": {"Percentage": {"PercentageValue": 4}, "Type": "CREDIT", "LineItemFilters": STORAGE},
                          "ComputationRule": "ITEMIZED"}, {}),
}


@pytest.mark.parametrize("given, more", ITEMS.values(), ids=ITEMS)
def test_a_custom_line_item_is_listed_as_it_was_made(client, desk, given, more):
    group = desk.group(2)
    item = desk.item(group, Name=(called := name("item")), Description="words, and more", AccountId=group.accounts[1],
                     Tags={"kind": "fee"}, charge=None, **given)
    assert item.startswith(arn("customlineitem", "")) and len(item.rsplit("/", 1)[1]) == 10
    shown = {"ComputationRule": "CONSOLIDATED"} | given
    # A percentage of nothing that is named is one of the group, which counts as any other source.
    size = 1 if "Percentage" in given["ChargeDetails"] else 0
    assert stamps(desk.item_of(item)) == {
        "Arn": item, "Name": called, "CurrencyCode": "USD", "Description": "words, and more", "ProductCode": "AWSBillingConductor",
        "BillingGroupArn": group.arn, "AssociationSize": size, "AccountId": group.accounts[1]} | shown | more
    assert client.list_tags_for_resource(ResourceArn=item)["Tags"] == {"kind": "fee"}


def test_a_custom_line_item_is_the_primary_accounts_unless_said(desk):
    group = desk.group(2)
    assert desk.item_of(desk.flat(group))["AccountId"] == group.primary


def test_a_custom_line_item_is_updated(client, desk):
    group = desk.group()
    item = desk.percentage(group, 5, [group.arn], filters=SAVINGS)
    updated = client.update_custom_line_item(Arn=item, Name=(called := name("item")), Description="after",
                                             ChargeDetails={"Percentage": {"PercentageValue": 6}, "LineItemFilters": STORAGE})
    updated.pop("ResponseMetadata")
    assert updated == {"Arn": item, "BillingGroupArn": group.arn, "Name": called, "Description": "after",
                       "ChargeDetails": {"Percentage": {"PercentageValue": 6}, "Type": "FEE", "LineItemFilters": STORAGE},
                       "LastModifiedTime": SECONDS_NOW, "AssociationSize": 1}


def test_a_custom_line_item_is_deleted(client, desk):
    item = desk.flat(desk.group())
    assert client.delete_custom_line_item(Arn=item)["Arn"] == item
    assert client.list_custom_line_items(Filters={"Arns": [item]})["CustomLineItems"] == []
    with invalid("MISSING_CUSTOMLINEITEM"):
        client.delete_custom_line_item(Arn=item)


def test_custom_line_items_are_filtered(client, desk):
    group, other = desk.group(2), desk.group()
    first, second = desk.flat(group, Name=(called := name("item"))), desk.flat(group, AccountId=group.accounts[1])
    third = desk.flat(other)
    found = lambda **filters: [item["Arn"] for item in client.list_custom_line_items(Filters=filters)["CustomLineItems"]]
    assert found(BillingGroups=[group.arn, other.id]) == [first, second, third]  # in the order of their making
    assert found(BillingGroups=[group.arn], AccountIds=[group.accounts[1]]) == [second]
    assert found(Names=[called]) == [first]
    assert found(Arns=[third.rsplit("/", 1)[1], first], BillingGroups=[other.arn]) == [third]


def test_resources_of_a_custom_line_item(client, desk):
    group = desk.group()
    flat, percentage = desk.flat(group), desk.percentage(group, 10, [group.arn])
    batch = client.batch_associate_resources_to_custom_line_item(TargetArn=percentage, ResourceArns=[flat])
    batch.pop("ResponseMetadata")
    assert batch == {"SuccessfullyAssociatedResources": [{"Arn": flat}], "FailedAssociatedResources": []}
    assert desk.resources_of(percentage) == [{"Arn": group.arn, "Relationship": "CHILD"}, {"Arn": flat, "Relationship": "CHILD"}]
    assert desk.resources_of(flat) == [{"Arn": percentage, "Relationship": "PARENT"}]
    assert desk.resources_of(flat, Filters={"Relationship": "CHILD"}) == []
    assert (desk.item_of(percentage)["AssociationSize"], desk.item_of(flat)["AssociationSize"]) == (2, 1)
    batch = client.batch_disassociate_resources_from_custom_line_item(TargetArn=percentage, ResourceArns=[group.arn, flat])
    batch.pop("ResponseMetadata")
    assert batch == {"SuccessfullyDisassociatedResources": [{"Arn": group.arn}, {"Arn": flat}], "FailedDisassociatedResources": []}
    assert desk.item_of(percentage)["AssociationSize"] == 0
    assert desk.resources_of(percentage) == [] == desk.resources_of(flat)


def test_a_batch_says_what_went_in_and_what_did_not(client, desk):
    group, other = desk.group(), desk.group()
    good = [desk.flat(group) for _ in range(26)]
    bad = [desk.flat(other), desk.percentage(group), other.arn, arn("customlineitem", "0000000000")]
    target = desk.percentage(group)
    batch = client.batch_associate_resources_to_custom_line_item(TargetArn=target, ResourceArns=[*bad[:2], *good, *bad[2:]])
    assert [item["Arn"] for item in batch["SuccessfullyAssociatedResources"]] == good
    failed = {item["Arn"]: item["Error"]["Reason"] for item in batch["FailedAssociatedResources"]}
    assert failed == dict.fromkeys(bad, "ILLEGAL_CUSTOMLINEITEM")
    assert sorted(item["Arn"] for item in desk.resources_of(target)) == sorted([group.arn, *good])


def test_a_batch_of_what_is_there_already_and_of_what_is_not(client, desk):
    """What is associated stays so; nothing is associated or taken off twice, nor taken off where it is not."""
    group = desk.group()
    there, absent, target = desk.flat(group), desk.flat(group), desk.percentage(group)
    put = lambda *of: client.batch_associate_resources_to_custom_line_item(TargetArn=target, ResourceArns=of)
    take = lambda *of: client.batch_disassociate_resources_from_custom_line_item(TargetArn=target, ResourceArns=of)
    failures = lambda of: [(item["Arn"], item["Error"]["Reason"]) for item in of]
    for _ in range(2):
        batch = put(there, group.arn)
        assert (batch["SuccessfullyAssociatedResources"], batch["FailedAssociatedResources"]) == ([{"Arn": there}, {"Arn": group.arn}], [])
    batch = put(absent, absent)
    assert batch["SuccessfullyAssociatedResources"] == [{"Arn": absent}]
    assert failures(batch["FailedAssociatedResources"]) == [(absent, "ILLEGAL_CUSTOMLINEITEM")]
    take(absent)
    batch = take(absent, there, there)
    assert batch["SuccessfullyDisassociatedResources"] == [{"Arn": there}]
    assert failures(batch["FailedDisassociatedResources"]) == [(absent, "ILLEGAL_CUSTOMLINEITEM"), (there, "ILLEGAL_CUSTOMLINEITEM")]
    assert desk.resources_of(target) == [{"Arn": group.arn, "Relationship": "CHILD"}]


def test_versions_of_a_custom_line_item(client, desk):
    group = desk.group()
    item = desk.flat(group, 10, BillingPeriodRange={"InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": "2027-02"})
    version = stamps(only(desk.versions_of(item)))
    assert type(version.pop("StartTime")) is int
    called = version.pop("Name")
    assert version == {
        "Arn": item, "ChargeDetails": {"Flat": {"ChargeValue": 10}, "Type": "FEE"}, "CurrencyCode": "USD", "AccountId": group.primary,
        "Description": "Managed service", "ProductCode": "AWSBillingConductor", "BillingGroupArn": group.arn, "AssociationSize": 0,
        "StartBillingPeriod": CURRENT, "EndBillingPeriod": "2027-02", "ComputationRule": "CONSOLIDATED"}
    within = lambda **of: desk.versions_of(item, Filters={"BillingPeriodRange": of})
    assert [version["Name"] for version in within(StartBillingPeriod=CURRENT, EndBillingPeriod=NEXT)] == [called]
    assert within(EndBillingPeriod=CURRENT) == [] == within(StartBillingPeriod="2027-02")


# ---- Tags

TAGGED = ["group", "plan", "rule", "item"]


@pytest.mark.parametrize("kind", TAGGED)
def test_tags_are_added_overwritten_and_removed(client, desk, kind):
    group = desk.group()
    it = {"group": lambda: group.arn, "plan": desk.plan, "rule": desk.rule, "item": lambda: desk.flat(group)}[kind]()
    assert client.list_tags_for_resource(ResourceArn=it)["Tags"] == {}
    odd = {"a b": "c&d=é/%", "+:/@": "", "k" * 128: "v" * 256, "日本": "語"}
    answer = client.tag_resource(ResourceArn=it, Tags=odd)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    client.tag_resource(ResourceArn=it, Tags={"a b": "changed"})
    assert client.list_tags_for_resource(ResourceArn=it)["Tags"] == odd | {"a b": "changed"}
    answer = client.untag_resource(ResourceArn=it, TagKeys=["a b", "+:/@", "never there", "aws:never"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.list_tags_for_resource(ResourceArn=it)["Tags"] == {key: odd[key] for key in ("k" * 128, "日本")}


def test_a_resource_has_200_tags_at_most(client, desk):
    plan = desk.plan(Tags={f"key-{number}": "" for number in range(200)})
    client.tag_resource(ResourceArn=plan, Tags={"key-0": "again"})
    with invalid("FIELD_VALIDATION_FAILED"):
        client.tag_resource(ResourceArn=plan, Tags={"one more": ""})
    assert len(client.list_tags_for_resource(ResourceArn=plan)["Tags"]) == 200


def test_tags_of_what_is_not_there(client):
    for act in (lambda it: client.list_tags_for_resource(ResourceArn=it), lambda it: client.tag_resource(ResourceArn=it, Tags={"a": "b"}),
                lambda it: client.untag_resource(ResourceArn=it, TagKeys=["a"])):
        for kind, identity in [("billinggroup", account()), ("pricingplan", "0000000000"), ("customlineitem", "0000000000")]:
            with refused("ResourceNotFoundException") as caught:
                act(arn(kind, identity))
            assert caught.error.response["ResourceType"] == kind


# ---- Billing transfers' preferences

def test_the_preference_of_a_billing_transfer(client, desk):
    relation, plan = desks.transfer(), desk.plan()
    given = {"ResponsibilityTransferArn": relation}
    answer = client.get_billing_transfer_preference(**given)
    answer.pop("ResponseMetadata")
    assert answer == given | {"AutoBillingTransferBillingGroupCreation": {"Enabled": False}}
    on = given | {"AutoBillingTransferBillingGroupCreation": {"Enabled": True, "PricingPlanArn": plan}}
    for operation in (lambda: client.update_billing_transfer_preference(**on), lambda: client.get_billing_transfer_preference(**given)):
        answer = operation()
        answer.pop("ResponseMetadata")
        assert answer == on | {"LastModifiedTime": SECONDS_NOW}
    with refused("ConflictException", "PRICING_PLAN_REFERENCED_BY_PREFERENCE_DELETE_CONFLICT"):
        client.delete_pricing_plan(Arn=plan)
    off = client.update_billing_transfer_preference(**given, AutoBillingTransferBillingGroupCreation={"Enabled": False})
    assert off["AutoBillingTransferBillingGroupCreation"] == {"Enabled": False}
    client.delete_pricing_plan(Arn=plan)


# ---- Periods

def test_configuration_counts_from_the_current_month_on(client, desk):
    group = desk.group()
    assert client.list_billing_groups(BillingPeriod=PREVIOUS, Filters={"Arns": [group.arn]})["BillingGroups"] == []
    assert client.list_pricing_plans(BillingPeriod=PREVIOUS, Filters={"Arns": [group.plan]})["PricingPlans"] == []
    assert desk.group_of(group.arn, BillingPeriod="2026-11")["Name"] == group.name
    assert client.list_pricing_rules(BillingPeriod="2026-9")["BillingPeriod"] == "2026-09"
    for period in (NEXT, "2027-1", "9999-12"):
        with invalid("ILLEGAL_BILLING_PERIOD"):
            client.list_billing_groups(BillingPeriod=period)


def test_writes_can_count_from_an_open_month_of_the_past_on(server, client, desk):
    past = desks.Desk(in_period(server.client(), "2026-08"))
    rule = past.rule()
    group = past.group(2, plan=past.plan(rule))
    moved = group.accounts[1]
    past.client.disassociate_accounts(Arn=group.arn, AccountIds=[moved])
    assert desk.group_of(group.arn, BillingPeriod="2026-08")["Size"] == 1
    client.associate_accounts(Arn=group.arn, AccountIds=[moved])
    assert [desk.group_of(group.arn, BillingPeriod=of)["Size"] for of in ("2026-08", PREVIOUS, CURRENT)] == [1, 1, 2]
    assert client.list_billing_groups(BillingPeriod="2026-07", Filters={"Arns": [group.arn]})["BillingGroups"] == []
    september = in_period(server.client(), "2026-09")
    september.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    assert [desk.rule_of(rule, BillingPeriod=of)["ModifierPercentage"] for of in ("2026-08", "2026-09", CURRENT)] == [10, 20, 20]
    client.delete_billing_group(Arn=group.arn)
    assert desk.group_of(group.arn, BillingPeriod=PREVIOUS)["Name"] == group.name
    assert client.list_billing_groups(Filters={"Arns": [group.arn]})["BillingGroups"] == []


def test_no_write_counts_from_the_future_or_from_no_month(server):
    for period, reason in [(NEXT, "INVALID_BILLING_PERIOD_FOR_OPERATION"), ("2026-13", "ILLEGAL_BILLING_PERIOD"), ("soon", "ILLEGAL_BILLING_PERIOD")]:
        with invalid(reason):
            in_period(server.client(), period).create_pricing_plan(Name=name("plan"))


def test_custom_line_items_of_the_previous_month(client, desk, server):
    group = desks.Desk(in_period(server.client(), PREVIOUS)).group()
    one = {"InclusiveStartBillingPeriod": PREVIOUS, "ExclusiveEndBillingPeriod": CURRENT}
    item = desk.flat(group, BillingPeriodRange=one)
    assert desk.item_of(item, BillingPeriod=PREVIOUS)["Arn"] == item
    assert client.list_custom_line_items(Filters={"Arns": [item]})["CustomLineItems"] == []
    client.update_custom_line_item(Arn=item, ChargeDetails={"Flat": {"ChargeValue": 11}}, BillingPeriodRange=one)
    assert desk.item_of(item, BillingPeriod=PREVIOUS)["ChargeDetails"]["Flat"] == {"ChargeValue": 11}
    client.delete_custom_line_item(Arn=item, BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    assert client.list_custom_line_items(BillingPeriod=PREVIOUS, Filters={"Arns": [item]})["CustomLineItems"] == []


def test_an_item_without_a_range_is_one_of_this_month(desk):
    version = only(desk.versions_of(desk.flat(desk.group(), BillingPeriodRange=None)))
    assert (version["StartBillingPeriod"], version["EndBillingPeriod"]) == (CURRENT, NEXT)


def test_months_of_one_digit_are_written_with_two(desk, server):
    item = desk.flat(desk.group(), BillingPeriodRange={"InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": "2027-1"})
    assert only(desk.versions_of(item))["EndBillingPeriod"] == "2027-01"
