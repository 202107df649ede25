"""Every reason that AWS's model knows for refusing a request, and the request that meets it. AWS documents no triggers: these are ours.

`out/reasons.md` is the table, written by these tests.
"""
from types import SimpleNamespace

import pytest

import desk as desks
from desk import BASIC, PASSTHROUGH, SAVINGS, STORAGE, TRANSFERS, Desk, account, accounts, arn, name, present, transfers_book
from desk import transfer as new_transfer
from program import ROOT
from server import CURRENT, NEXT, PREVIOUS, in_period
from wire_model import MODEL, STATUS

OTHER_PAYER = "111111111111"


def nothing_takes(what):
    return f"unreachable: no operation takes {what}"


def given(operation, error="ValidationException", **values):
    """A case of one request whose values are known beforehand."""
    return lambda of: (operation, values, error)


def flat(of, **more):
    """A flat item of the group, with other members."""
    return "CreateCustomLineItem", {"Name": name("item"), "Description": "words", "BillingGroupArn": of.group.arn,
                                    "ChargeDetails": {"Flat": {"ChargeValue": 1}, "Type": "FEE"}} | more


def group(of, members=None, **more):
    members = members or accounts(1)
    return "CreateBillingGroup", present({"Name": name("group"), "AccountGrouping": {"LinkedAccountIds": members}, "PrimaryAccountId": members[0],
                                          "ComputationPreference": {"PricingPlanArn": of.plan}} | more)


def rule(**more):
    values = {"Name": name("rule"), "Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 1} | more
    return "CreatePricingRule", {key: value for key, value in values.items() if value is not None}


def tiers(*ranges):
    """A rule of own tiers: begin, end, rate."""
    keys = ("BeginRangeInclusive", "EndRangeExclusive", "RateValue")
    listed = [{key: value for key, value in zip(keys, of, strict=True) if value is not None} for of in ranges]
    return rule(Scope="SKU", Type="TIERING", Service="AmazonEC2", UsageType="Tiered", ModifierPercentage=None, Tiering={"CustomTiers": listed})


def month(start, end=None):
    return {"BillingPeriodRange": {"InclusiveStartBillingPeriod": start} | ({"ExclusiveEndBillingPeriod": end} if end else {})}


def percentage(of, **charge):
    return flat(of, ChargeDetails={"Percentage": {"PercentageValue": 1}, "Type": "FEE"} | charge)


def filters(attribute, option, **values):
    return [{"Attribute": attribute, "MatchOption": option} | values]


SKU = {"Scope": "SKU", "Service": "AmazonEC2", "UsageType": "BoxUsage", "Operation": "RunInstances"}
FREE = {"FreeTier": {"Activated": False}}
ONE_TIER = {"CustomTiers": [{"BeginRangeInclusive": 0, "RateValue": 1}]}
UNKNOWN = {kind: arn(kind, "0000000000") for kind in ("pricingplan", "pricingrule", "customlineitem")} | {
    "billinggroup": arn("billinggroup", "000000000000"), "transfer": f"{TRANSFERS[0]}999"}

# Each reason: requests that it refuses, or why none does.
VALIDATION = {
    "UNKNOWN_OPERATION": [("POST", "/no-such-operation", b"{}")],
    "CANNOT_PARSE": [("POST", "/list-billing-groups", b"{")],
    "FIELD_VALIDATION_FAILED": [given("CreatePricingPlan", Name="a b"), given("CreatePricingPlan"), given("ListPricingPlans", MaxResults=101),
                                lambda of: preference(Enabled=False, PricingPlanArn=of.plan),
                                lambda of: ("TagResource", {"ResourceArn": of.rule, "Tags": {"aws:mine": "a"}}),
                                given("CreatePricingPlan", Name="reserved", Tags={"AWS:mine": "a"}),
                                lambda of: ("AssociateAccounts", {"Arn": of.group.arn, "AccountIds": accounts(31)}),
                                lambda of: ("BatchAssociateResourcesToCustomLineItem", {
                                    "TargetArn": of.percentage, "ResourceArns": [arn("customlineitem", f"{number:010d}") for number in range(31)]})],
    "OTHER": [given("ListPricingPlans", NextToken="none of ours"), lambda of: token_twice(of)],
    "PRIMARY_NOT_ASSOCIATED": [lambda of: group(of, PrimaryAccountId=account()), lambda of: without(group(of), "PrimaryAccountId")],
    "PRIMARY_CANNOT_DISASSOCIATE": [lambda of: ("DisassociateAccounts", {"Arn": of.group.arn, "AccountIds": [of.group.primary]})],
    "ACCOUNTS_NOT_ASSOCIATED": [lambda of: ("DisassociateAccounts", {"Arn": of.group.arn, "AccountIds": [account()]})],
    "ACCOUNTS_ALREADY_ASSOCIATED": [lambda of: ("AssociateAccounts", {"Arn": of.group.arn, "AccountIds": [of.second.primary]}),
                                    lambda of: ("AssociateAccounts", {"Arn": of.group.arn, "AccountIds": [of.group.accounts[1]]})],
    "ILLEGAL_PRIMARY_ACCOUNT": [lambda of: group(of, [of.payer])],
    "ILLEGAL_ACCOUNTS": "below: `test_accounts_of_the_family_only` has an organization that is known",
    "MISMATCHED_BILLINGGROUP_ARN": [lambda of: ("UpdateBillingGroup", {"Arn": arn("billinggroup", of.group.id, OTHER_PAYER), "Description": "x"})],
    "MISSING_BILLINGGROUP": [given("DeleteBillingGroup", Arn=UNKNOWN["billinggroup"]), lambda of: flat(of, BillingGroupArn=UNKNOWN["billinggroup"])],
    "MISMATCHED_CUSTOMLINEITEM_ARN": [lambda of: ("UpdateCustomLineItem", {"Arn": arn("customlineitem", of.flat[-10:], OTHER_PAYER), "Description": "x"})],
    "ILLEGAL_BILLING_PERIOD": [given("ListBillingGroups", BillingPeriod=NEXT), given("ListCustomLineItems", BillingPeriod="9999-12")],
    "ILLEGAL_BILLING_PERIOD_RANGE": [lambda of: flat(of, **month(CURRENT, CURRENT)), lambda of: flat(of, **month(NEXT)),
                                     lambda of: flat(of, **month("2026-09")),
                                     lambda of: ("GetBillingGroupCostReport", {"Arn": of.group.arn} | month("2025-10", CURRENT)),
                                     lambda of: ("GetBillingGroupCostReport", {"Arn": of.group.arn} | month(CURRENT, PREVIOUS))],
    "TOO_MANY_ACCOUNTS_IN_REQUEST": "unreachable: more than 30 break the list's own maximum first",
    "DUPLICATE_ACCOUNT": [lambda of: ("AssociateAccounts", {"Arn": of.group.arn, "AccountIds": accounts(1) * 2}), lambda of: group(of, accounts(1) * 2)],
    "INVALID_BILLING_GROUP_STATUS": [lambda of: ("UpdateBillingGroup", {"Arn": of.group.arn, "Status": "PENDING"})],
    "MISMATCHED_PRICINGPLAN_ARN": [lambda of: ("UpdatePricingPlan", {"Arn": arn("pricingplan", of.plan[-10:], OTHER_PAYER), "Description": "x"}),
                                   lambda of: group(of, ComputationPreference={"PricingPlanArn": arn("pricingplan", of.plan[-10:], OTHER_PAYER)})],
    "MISSING_PRICINGPLAN": [given("DeletePricingPlan", Arn=UNKNOWN["pricingplan"]),
                            lambda of: group(of, ComputationPreference={"PricingPlanArn": UNKNOWN["pricingplan"]})],
    "MISMATCHED_PRICINGRULE_ARN": [lambda of: ("UpdatePricingRule", {"Arn": arn("pricingrule", of.rule[-10:], OTHER_PAYER), "Description": "x"})],
    "DUPLICATE_PRICINGRULE_ARNS": [lambda of: ("AssociatePricingRules", {"Arn": of.plan, "PricingRuleArns": [of.spare, of.spare[-10:]]})],
    "MISSING_COSTCATEGORY": nothing_takes("a cost category"),
    "ILLEGAL_EXPRESSION": nothing_takes("an expression"),
    # Other members that do not go with a scope have reasons of their own.
    "ILLEGAL_SCOPE": [lambda of: rule(Service="AmazonEC2"), lambda of: rule(Scope="BILLING_ENTITY", BillingEntity="AWS", Service="AmazonEC2")],
    "ILLEGAL_SERVICE": [lambda of: rule(Scope="SERVICE"), lambda of: rule(Scope="SKU", UsageType="BoxUsage")],
    "PRICINGRULES_NOT_EXIST": [given("DeletePricingRule", Arn=UNKNOWN["pricingrule"]),
                               lambda of: ("AssociatePricingRules", {"Arn": of.plan, "PricingRuleArns": [UNKNOWN["pricingrule"]]})],
    "PRICINGRULES_ALREADY_ASSOCIATED": [lambda of: ("AssociatePricingRules", {"Arn": of.plan, "PricingRuleArns": [of.rule]})],
    "PRICINGRULES_NOT_ASSOCIATED": [lambda of: ("DisassociatePricingRules", {"Arn": of.plan, "PricingRuleArns": [of.spare]})],
    "INVALID_TIME_RANGE": nothing_takes("a range of instants"),
    "INVALID_BILLINGVIEW_ARN": nothing_takes("a billing view"),
    "MISMATCHED_BILLINGVIEW_ARN": nothing_takes("a billing view"),
    "ILLEGAL_CUSTOMLINEITEM": [lambda of: ("BatchAssociateResourcesToCustomLineItem", {"TargetArn": of.flat, "ResourceArns": [of.group.arn]})],
    "MISSING_CUSTOMLINEITEM": [given("DeleteCustomLineItem", Arn=UNKNOWN["customlineitem"]),
                               given("ListCustomLineItemVersions", Arn=UNKNOWN["customlineitem"])],
    "ILLEGAL_CUSTOMLINEITEM_UPDATE": "unreachable: UpdateCustomLineItem has no member that may not change",
    "TOO_MANY_CUSTOMLINEITEMS_IN_REQUEST": "unreachable: more than 30 break the list's own maximum first",
    "ILLEGAL_CHARGE_DETAILS": [lambda of: flat(of, ChargeDetails={"Type": "FEE"}),
                               lambda of: percentage(of, Flat={"ChargeValue": 1})],
    "ILLEGAL_UPDATE_CHARGE_DETAILS": [
        lambda of: ("UpdateCustomLineItem", {"Arn": of.percentage, "ChargeDetails": {"Flat": {"ChargeValue": 1}}}),
        lambda of: ("UpdateCustomLineItem", {"Arn": of.flat, "ChargeDetails": {"Percentage": {"PercentageValue": 1}}})],
    # What is no ARN at all breaks the pattern of its member; this is one that nothing has.
    "INVALID_ARN": [lambda of: group(of, AccountGrouping={"ResponsibilityTransferArn": UNKNOWN["transfer"]}, PrimaryAccountId=None)],
    "ILLEGAL_RESOURCE_ARNS": [lambda of: percentage(of, Percentage={"PercentageValue": 1, "AssociatedValues": [of.flat, of.flat[-10:]]})],
    "ILLEGAL_CUSTOMLINEITEM_MODIFICATION": [lambda of: ended_item(of)],
    "MISSING_LINKED_ACCOUNT_IDS": [lambda of: group(of, AccountGrouping={"LinkedAccountIds": []}), lambda of: group(of, AccountGrouping={})],
    "MULTIPLE_LINKED_ACCOUNT_IDS": "unreachable: nothing takes one account where a list could hold more",
    "MISSING_PRICING_PLAN_ARN": [lambda of: preference(Enabled=True)],
    "MULTIPLE_PRICING_PLAN_ARN": "unreachable: nothing takes more than one pricing plan",
    "ILLEGAL_CHILD_ASSOCIATE_RESOURCE": [
        lambda of: percentage(of, Percentage={"PercentageValue": 1, "AssociatedValues": [of.percentage]}),
        lambda of: percentage(of, Percentage={"PercentageValue": 1, "AssociatedValues": [of.second.arn]})],
    "CUSTOM_LINE_ITEM_ASSOCIATION_EXISTS": [lambda of: ("DeleteCustomLineItem", {"Arn": used(of)})],
    "INVALID_BILLING_GROUP": "unreachable: each way in which a group cannot take an item has its own reason",
    "INVALID_BILLING_PERIOD_FOR_OPERATION": [lambda of: in_future(of)],
    "ILLEGAL_BILLING_ENTITY": [lambda of: rule(BillingEntity="AWS"), lambda of: rule(Scope="BILLING_ENTITY")],
    "ILLEGAL_MODIFIER_PERCENTAGE": [lambda of: rule(ModifierPercentage=None), lambda of: rule(Type="DISCOUNT", ModifierPercentage=100.01),
                                    lambda of: rule(Type="TIERING", Tiering=FREE),
                                    lambda of: ("UpdatePricingRule", {"Arn": of.spare, "Type": "DISCOUNT", "ModifierPercentage": 101})],
    "ILLEGAL_TYPE": [lambda of: rule(Scope="BILLING_ENTITY", BillingEntity="AWS", Type="TIERING", ModifierPercentage=None, Tiering=FREE),
                     lambda of: ("UpdatePricingRule", {"Arn": of.entity, "Type": "TIERING", "Tiering": FREE})],
    "ILLEGAL_BILLING_GROUP_TYPE": [lambda of: ("AssociateAccounts", {"Arn": of.moved.arn, "AccountIds": accounts(1)}),
                                   lambda of: ("UpdateBillingGroup", {"Arn": of.moved.arn, "AccountGrouping": {"AutoAssociate": True}}),
                                   lambda of: ("UpdateBillingGroup", {"Arn": of.moved.arn, "AccountGrouping": {"ResponsibilityTransferArn": new_transfer()}}),
                                   lambda of: group(of, AccountGrouping={"LinkedAccountIds": accounts(1), "ResponsibilityTransferArn": new_transfer()})],
    "ILLEGAL_BILLING_GROUP_PRICING_PLAN": [lambda of: group(of, ComputationPreference={"PricingPlanArn": PASSTHROUGH}),
                                           lambda of: flat(of, BillingGroupArn=of.basic.arn, PresentationDetails={"Service": "AmazonEC2"})],
    "ILLEGAL_ENDED_BILLINGGROUP": "below: `test_a_group_ends_with_its_transfer` has a transfer that has ended",
    "ILLEGAL_TIERING_INPUT": [
        lambda of: tiers((0, None, 1), (10, None, 1)), lambda of: tiers((5, None, 1)), lambda of: tiers((0, 10, 1)),
        lambda of: tiers((0, 10, 1), (11, None, 1)), lambda of: tiers((0, 10, 1), (9, None, 1)),
        lambda of: tiers((0, 0, 1), (0, None, 1)), lambda of: tiers((0, None, 0.12345678901)),
        lambda of: rule(**SKU, Type="TIERING", ModifierPercentage=None, Tiering=FREE), lambda of: rule(**SKU, Type="TIERING", ModifierPercentage=None),
        lambda of: rule(Tiering=FREE), lambda of: rule(Type="TIERING", ModifierPercentage=None, Tiering=ONE_TIER),
        lambda of: rule(**SKU, Type="TIERING", ModifierPercentage=None, Tiering=FREE | ONE_TIER)],
    "ILLEGAL_OPERATION": [lambda of: rule(Operation="RunInstances"), lambda of: rule(Scope="SERVICE", Service="AmazonEC2", Operation="RunInstances")],
    "ILLEGAL_USAGE_TYPE": [lambda of: rule(UsageType="BoxUsage"), lambda of: rule(Scope="SKU", Service="AmazonEC2")],
    "INVALID_SKU_COMBO": "unreachable: without AWS's catalogue nobody knows which combinations exist; a rule that no line meets is a warning of the run",
    "INVALID_FILTER": [lambda of: ("ListAccountAssociations", {"Filters": {"AccountId": account(), "AccountIds": accounts(1)}})],
    "TOO_MANY_AUTO_ASSOCIATE_BILLING_GROUPS": [
        lambda of: ("UpdateBillingGroup", {"Arn": of.group.arn, "AccountGrouping": {"AutoAssociate": True}}),
        lambda of: group(of, AccountGrouping={"LinkedAccountIds": (one := accounts(1)), "AutoAssociate": True}, PrimaryAccountId=one[0])],
    "CANNOT_DELETE_AUTO_ASSOCIATE_BILLING_GROUP": [lambda of: ("DeleteBillingGroup", {"Arn": of.automatic.arn})],
    "ILLEGAL_ACCOUNT_ID": [lambda of: flat(of, AccountId=account()), lambda of: flat(of, AccountId=of.second.primary)],
    "BILLING_GROUP_ALREADY_EXIST_IN_CURRENT_BILLING_PERIOD": [lambda of: group(of, [of.group.primary])],
    "ILLEGAL_COMPUTATION_RULE": [lambda of: flat(of, ComputationRule="ITEMIZED"),
                                 lambda of: flat(of, ChargeDetails={"Percentage": {"PercentageValue": 1}, "Type": "FEE"}, ComputationRule="ITEMIZED",
                                                 PresentationDetails={"Service": "AmazonEC2"})],
    "ILLEGAL_LINE_ITEM_FILTER": [
        lambda of: flat(of, ChargeDetails={"Flat": {"ChargeValue": 1}, "Type": "FEE", "LineItemFilters": STORAGE}),
        lambda of: percentage(of, LineItemFilters=filters("LINE_ITEM_TYPE", "EQUAL", Values=["SAVINGS_PLAN_NEGATION"])),
        lambda of: percentage(of, LineItemFilters=filters("SERVICE", "EQUAL", Values=["SAVINGS_PLAN_NEGATION"])),
        lambda of: percentage(of, LineItemFilters=filters("SERVICE", "EQUAL")),
        lambda of: percentage(of, LineItemFilters=filters("LINE_ITEM_TYPE", "NOT_EQUAL", AttributeValues=["AmazonS3"])),
        lambda of: ("UpdateCustomLineItem", {"Arn": of.flat, "ChargeDetails": {"LineItemFilters": SAVINGS}})],
}

CONFLICT = {
    "RESOURCE_NAME_CONFLICT": [lambda of: group(of, Name=of.group.name)],
    "PRICING_RULE_IN_PRICING_PLAN_CONFLICT": [lambda of: ("AssociatePricingRules", {"Arn": of.plan, "PricingRuleArns": [of.twin]}),
                                              lambda of: ("CreatePricingPlan", {"Name": name("plan"), "PricingRuleArns": [of.rule, of.twin]})],
    "PRICING_PLAN_ATTACHED_TO_BILLING_GROUP_DELETE_CONFLICT": [lambda of: ("DeletePricingPlan", {"Arn": of.plan})],
    "PRICING_PLAN_REFERENCED_BY_PREFERENCE_DELETE_CONFLICT": [lambda of: ("DeletePricingPlan", {"Arn": of.preferred})],
    "PRICING_RULE_ATTACHED_TO_PRICING_PLAN_DELETE_CONFLICT": [lambda of: ("DeletePricingRule", {"Arn": of.rule})],
    "WRITE_CONFLICT_RETRY": "unreachable here: writers that race are served one after the other; `test_scenarios` lets them race",
}

# What is answered of one item of a batch, while the call succeeds.
BATCH = {
    "INVALID_ARN": lambda of: arn("customlineitem", of.flat[-10:], OTHER_PAYER),
    "SERVICE_LIMIT_EXCEEDED": "unreachable here: `test_quotas` puts in the 101st",
    "ILLEGAL_CUSTOMLINEITEM": lambda of: UNKNOWN["customlineitem"],
    "INTERNAL_SERVER_EXCEPTION": "unreachable: a batch is one write, and either all of it is done or none",
    "INVALID_BILLING_PERIOD_RANGE": lambda of: of.of_one_month,
}


def without(request, member):
    return request[0], {key: value for key, value in request[1].items() if key != member}


def preference(**of):
    return "UpdateBillingTransferPreference", {"ResponsibilityTransferArn": new_transfer(), "AutoBillingTransferBillingGroupCreation": of}


def token_twice(of):
    of.client.create_pricing_plan(Name=(called := name("plan")), ClientToken=called)
    return "CreatePricingPlan", {"Name": name("plan"), "ClientToken": called}


def ended_item(of):
    past = Desk(in_period(of.server.client(), "2026-08"))
    item = past.flat(past.group(), BillingPeriodRange={"InclusiveStartBillingPeriod": "2026-08", "ExclusiveEndBillingPeriod": "2026-09"})
    return "UpdateCustomLineItem", {"Arn": item, "Description": "too late"}


def used(of):
    item = of.desk.flat(of.group)
    of.desk.percentage(of.group, 1, [item])
    return item


def in_future(of):
    return "CreatePricingPlan", {"Name": name("plan")}, {"X-Proforma-Billing-Period": NEXT}


@pytest.fixture(scope="module")
def world(server):
    desk = Desk(server.client())
    client, one = desk.client, desk.rule()
    group = desk.group(2, plan=desk.plan(one))
    preferred, moved = desk.plan(), desk.transfer_group(relation=new_transfer())
    client.update_billing_transfer_preference(ResponsibilityTransferArn=new_transfer(), AutoBillingTransferBillingGroupCreation={
        "Enabled": True, "PricingPlanArn": preferred})
    automatic = desk.group(AccountGrouping={"LinkedAccountIds": (its := accounts(1)), "AutoAssociate": True}, PrimaryAccountId=its[0])
    return SimpleNamespace(
        server=server, client=client, desk=desk, payer=server.payer, group=group, plan=group.plan, second=desk.group(), rule=one, twin=desk.rule(),
        spare=desk.rule(), entity=desk.rule(Scope="BILLING_ENTITY", BillingEntity="AWS Marketplace"), flat=desk.flat(group), percentage=desk.percentage(group),
        of_one_month=desk.flat(group, BillingPeriodRange={"InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": NEXT}),
        preferred=preferred, moved=moved, automatic=automatic, basic=desk.transfer_group(plan=BASIC))


def refusals(table, error):
    return [pytest.param(error, reason, number, id=f"{reason}-{number}") for reason, cases in table.items() if not isinstance(cases, str)
            for number in range(len(cases))]


def reason_enum(name):
    return set(MODEL.shape_for(name).enum)


def test_every_reason_is_in_a_table():
    assert set(VALIDATION) == reason_enum("ValidationExceptionReason") and len(VALIDATION) == 66
    assert set(CONFLICT) == reason_enum("ConflictExceptionReason") and len(CONFLICT) == 6
    assert set(BATCH) == reason_enum("AssociateResourceErrorReason")
    assert all(isinstance(cases, str) == str(cases).startswith(("unreachable", "below")) for table in (VALIDATION, CONFLICT, BATCH) for cases in table.values())


@pytest.mark.parametrize("error, reason, number", refusals(VALIDATION, "ValidationException") + refusals(CONFLICT, "ConflictException"))
def test_a_reason(world, error, reason, number):
    case = (VALIDATION if error == "ValidationException" else CONFLICT)[reason][number]
    if isinstance(case, tuple):
        answer = world.server.ask(*case, headers={"Content-Type": "application/json"})
    else:
        operation, values, *more = case(world)
        headers = more[0] if more and isinstance(more[0], dict) else {}
        answer = world.server.call(operation, values, headers=headers)
    assert (answer.status, answer.error, answer.json.get("Reason")) == (STATUS[error], error, reason), answer.body
    assert answer.json["Message"] and not answer.json["Message"].endswith(".")
    if error == "ConflictException":
        assert answer.json["ResourceId"].startswith("arn:") and answer.json["ResourceType"]


@pytest.mark.parametrize("reason", [reason for reason, case in BATCH.items() if callable(case)])
def test_a_reason_of_one_item(world, reason):
    resource = BATCH[reason](world)
    target = world.desk.percentage(world.group, BillingPeriodRange={"InclusiveStartBillingPeriod": CURRENT})
    range_ = month(CURRENT, "2027-02") if reason == "INVALID_BILLING_PERIOD_RANGE" else {}
    good = world.desk.flat(world.group)
    batch = world.client.batch_associate_resources_to_custom_line_item(TargetArn=target, ResourceArns=[good, resource], **range_)
    failed = {item["Arn"]: item["Error"] for item in batch["FailedAssociatedResources"]}
    assert set(failed) == {resource} and batch["SuccessfullyAssociatedResources"] == [{"Arn": good}]
    assert failed[resource]["Reason"] == reason and failed[resource]["Message"]


def test_the_table_is_written():
    rows = [("ValidationException", VALIDATION), ("ConflictException", CONFLICT), ("of an item in a batch", BATCH)]
    lines = ["| error | reason | met by |", "|---|---|---|"]
    for error, table in rows:
        for reason, cases in table.items():
            met = cases if isinstance(cases, str) else f"{len(cases) if isinstance(cases, list) else 1} requests"
            lines.append(f"| {error} | `{reason}` | {met} |")
    text = "\n".join(lines) + "\n"
    print(text)
    (ROOT / "out").mkdir(exist_ok=True)
    (ROOT / "out" / "reasons.md").write_text(text)


def test_missing_members_are_counted_before_anything_is_looked_up(world):
    """The order of refusals: who asks, whether it can be read, the shape of the input, what it names, how these stand to each other."""
    call = world.server.call
    assert call("UpdateBillingGroup", {"Arn": UNKNOWN["billinggroup"], "Name": "a b"}).reason == "FIELD_VALIDATION_FAILED"
    assert call("AssociateAccounts", {"Arn": UNKNOWN["billinggroup"], "AccountIds": [world.second.primary]}).error == "ResourceNotFoundException"


@pytest.fixture(scope="module")
def family(new_server, tmp_path_factory):
    """A payer whose organization is known: two accounts there, one that has left, and one that comes next month."""
    server = new_server(transfers=False)
    there, left, coming = accounts(2), account(), account()
    rows = [f"{server.payer},payer,payer@example.com,,", *(f"{one},one-{one},{one}@example.com,2026-01," for one in there),
            f"{left},left,left@example.com,2026-01,2026-10", f"{coming},coming,coming@example.com,2026-12,"]
    path = tmp_path_factory.mktemp("family") / "accounts.csv"
    path.write_text("id,name,email,joined,left\n" + "\n".join(rows) + "\n")
    server.command("accounts", "import", "--file", path)
    return SimpleNamespace(server=server, desk=Desk(server.client()), there=there, left=left, coming=coming)


def test_accounts_of_the_family_only(family):
    group = family.desk.group([family.there[0]])
    for outside in (account(), family.left, family.coming):
        answer = family.server.call("AssociateAccounts", {"Arn": group.arn, "AccountIds": [outside]})
        assert answer.reason == "ILLEGAL_ACCOUNTS", answer.body
        answer = family.server.call("CreateBillingGroup", {
            "Name": name(), "AccountGrouping": {"LinkedAccountIds": [outside]}, "PrimaryAccountId": outside,
            "ComputationPreference": {"PricingPlanArn": group.plan}})
        assert answer.reason == "ILLEGAL_PRIMARY_ACCOUNT", answer.body
    listed = {item["AccountId"]: item for item in desks.pages(family.desk.client, "list_account_associations", "LinkedAccounts")}
    assert set(listed) == {family.server.payer, *family.there}
    assert listed[family.there[0]] == {"AccountId": family.there[0], "BillingGroupArn": group.arn, "AccountName": f"one-{family.there[0]}",
                                       "AccountEmail": f"{family.there[0]}@example.com"}
    assert "BillingGroupArn" not in listed[family.there[1]]


def test_a_group_ends_with_its_transfer(new_server):
    server = new_server(transfers=False)
    past, relation = Desk(in_period(server.client(), "2026-08")), TRANSFERS[0]
    server.apply(transfers_book([relation]))
    group = past.transfer_group(plan=BASIC, relation=relation)
    # A book says everything that there is: what it leaves out would end with this month.
    kept = {"name": group.name, "pricing_plan": "BasicPricingPlan", "responsibility_transfer": relation}
    server.apply(transfers_book([relation], status="WITHDRAWN", end=PREVIOUS) | {"billing_groups": [kept]})
    for operation, values in [("UpdateBillingGroup", {"Arn": group.arn, "Description": "too late"}), ("CreateBillingGroup", {
            "Name": name(), "AccountGrouping": {"ResponsibilityTransferArn": relation}, "ComputationPreference": {"PricingPlanArn": group.plan}})]:
        answer = server.call(operation, values)
        assert (answer.status, answer.reason) == (400, "ILLEGAL_ENDED_BILLINGGROUP"), answer.body
    listed = lambda period: server.client().list_billing_groups(BillingPeriod=period)["BillingGroups"]
    assert [of["Arn"] for of in listed("2026-09")] == [group.arn] and listed(CURRENT) == []
