"""Each constraint of AWS's model, at its edges and one beyond, sent as it is: botocore would let most of them out, and the rest not.

Constraints of what only answers hold are checked in every answer of every test (`wire_model.check_answer`).
"""
import copy
import re
from types import SimpleNamespace

import pytest

from desk import Desk, accounts, arn, name, transfer
from server import CURRENT, NEXT
from wire_model import MODEL, shape_pattern

KINDS = ["min", "max", "pattern", "enum"]
CONSTRAINTS = {(shape, kind) for shape, of in MODEL._shape_resolver._shape_map.items() for kind in KINDS if kind in of}
# What is only ever answered.
ANSWERED = {("AssociateResourceErrorReason", "enum"), ("BillingGroupFullArn", "pattern"), ("ConflictExceptionReason", "enum"),
            ("CurrencyCode", "enum"), ("CustomLineItemProductCode", "max"), ("CustomLineItemProductCode", "min"),
            ("NumberOfAccounts", "min"), ("NumberOfAssociatedPricingRules", "min"), ("NumberOfAssociations", "min"),
            ("NumberOfPricingPlansAssociatedWith", "min"), ("ValidationExceptionReason", "enum")}
# AWS has reasons of their own for two lists that are too long; either answers the question.
TOO_LONG = {"AccountIdList": "TOO_MANY_ACCOUNTS_IN_REQUEST",
            "CustomLineItemBatchAssociationsList": "TOO_MANY_CUSTOMLINEITEMS_IN_REQUEST",
            "CustomLineItemBatchDisassociationsList": "TOO_MANY_CUSTOMLINEITEMS_IN_REQUEST"}


def examples(of):
    """Valid requests; together they have every member of every input."""
    flat, month = {"Flat": {"ChargeValue": 5}, "Type": "FEE"}, {"InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": "2027-03"}
    percentage = {"Percentage": {"PercentageValue": 5, "AssociatedValues": [of.flat]}, "Type": "FEE"}
    service = [{"Attribute": "SERVICE", "MatchOption": "EQUAL", "AttributeValues": ["AmazonS3"]}]
    savings = [{"Attribute": "LINE_ITEM_TYPE", "MatchOption": "NOT_EQUAL", "Values": ["SAVINGS_PLAN_NEGATION"]}]
    tiers = {"CustomTiers": [{"BeginRangeInclusive": 0, "EndRangeExclusive": 10, "RateValue": 0.2}, {"BeginRangeInclusive": 10, "RateValue": 0.1}]}
    free, one, token = {"FreeTier": {"Activated": False}}, accounts(1), {"ClientToken": name("token")}
    page = {"BillingPeriod": CURRENT, "MaxResults": 5}
    sku = {"Scope": "SKU", "Service": "AmazonEC2", "UsageType": "BoxUsage", "Operation": "RunInstances"}
    return [
        ("CreateBillingGroup", token | {
            "Name": name("group"), "AccountGrouping": {"LinkedAccountIds": one, "AutoAssociate": False}, "PrimaryAccountId": one[0],
            "ComputationPreference": {"PricingPlanArn": of.plan}, "Description": "words", "Tags": {"key": "value"}}),
        ("CreateBillingGroup", {"Name": name("group"), "AccountGrouping": {"ResponsibilityTransferArn": transfer()},
                                "ComputationPreference": {"PricingPlanArn": of.plan}}),
        ("UpdateBillingGroup", {"Arn": of.group, "Name": name("group"), "Status": "ACTIVE", "Description": "words",
                                "ComputationPreference": {"PricingPlanArn": of.plan}, "AccountGrouping": {"AutoAssociate": False}}),
        ("UpdateBillingGroup", {"Arn": of.moved, "AccountGrouping": {"ResponsibilityTransferArn": of.transfer}}),
        ("DeleteBillingGroup", {"Arn": of.spare.arn}),
        ("AssociateAccounts", {"Arn": of.group, "AccountIds": accounts(2)}),
        ("DisassociateAccounts", {"Arn": of.group, "AccountIds": [of.member]}),
        ("ListAccountAssociations", {"BillingPeriod": CURRENT, "Filters": {"Association": "MONITORED", "AccountIds": [of.member]}}),
        ("ListAccountAssociations", {"Filters": {"AccountId": of.member}}),
        ("ListBillingGroups", page | {"Filters": {
            "Arns": [of.group], "PricingPlan": of.plan, "Statuses": ["ACTIVE"], "AutoAssociate": False, "PrimaryAccountIds": [of.member],
            "BillingGroupTypes": ["STANDARD"], "Names": [{"SearchOption": "STARTS_WITH", "SearchValue": "a b"}]}}),
        ("ListBillingGroups", {"Filters": {"ResponsibilityTransferArns": [of.transfer]}}),
        ("ListBillingGroupCostReports", page | {"Filters": {"BillingGroupArns": [of.group]}}),
        ("GetBillingGroupCostReport", {"Arn": of.group, "GroupBy": ["PRODUCT_NAME", "BILLING_PERIOD"], "MaxResults": 250, "BillingPeriodRange": {
            "InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": NEXT}}),
        ("CreateCustomLineItem", token | {
            "Name": name("item"), "Description": "words", "BillingGroupArn": of.group, "BillingPeriodRange": month, "Tags": {"key": "value"},
            "ChargeDetails": flat, "AccountId": of.member, "PresentationDetails": {"Service": "AmazonEC2"}}),
        ("CreateCustomLineItem", {"Name": name("item"), "Description": "words", "BillingGroupArn": of.group, "ComputationRule": "CONSOLIDATED",
                                  "ChargeDetails": percentage | {"LineItemFilters": service}}),
        ("CreateCustomLineItem", {"Name": name("item"), "Description": "words", "BillingGroupArn": of.group,
                                  "ChargeDetails": percentage | {"LineItemFilters": savings}}),
        ("UpdateCustomLineItem", {"Arn": of.flat, "Name": name("item"), "Description": "words", "BillingPeriodRange": month,
                                  "ChargeDetails": {"Flat": {"ChargeValue": 6}}}),
        ("UpdateCustomLineItem", {"Arn": of.percentage, "ChargeDetails": {"Percentage": {"PercentageValue": 6}, "LineItemFilters": service}}),
        ("UpdateCustomLineItem", {"Arn": of.percentage, "ChargeDetails": {"LineItemFilters": savings}}),
        ("DeleteCustomLineItem", {"Arn": of.spare_item, "BillingPeriodRange": month}),
        ("ListCustomLineItems", page | {"Filters": {"Names": ["item"], "BillingGroups": [of.group], "Arns": [of.flat], "AccountIds": [of.member]}}),
        ("ListCustomLineItemVersions", {"Arn": of.flat, "MaxResults": 5, "Filters": {"BillingPeriodRange": {
            "StartBillingPeriod": CURRENT, "EndBillingPeriod": "2027-02"}}}),
        ("BatchAssociateResourcesToCustomLineItem", {"TargetArn": of.percentage, "ResourceArns": [of.flat], "BillingPeriodRange": month}),
        ("BatchDisassociateResourcesFromCustomLineItem", {"TargetArn": of.percentage, "ResourceArns": [of.flat], "BillingPeriodRange": month}),
        ("ListResourcesAssociatedToCustomLineItem", page | {"Arn": of.percentage, "Filters": {"Relationship": "CHILD"}}),
        ("CreatePricingPlan", token | {"Name": name("plan"), "Description": "words", "PricingRuleArns": [of.rule], "Tags": {"key": "value"}}),
        ("UpdatePricingPlan", {"Arn": of.plan, "Name": name("plan"), "Description": "words"}),
        ("DeletePricingPlan", {"Arn": of.spare_plan}),
        ("ListPricingPlans", page | {"Filters": {"Arns": [of.plan]}}),
        ("AssociatePricingRules", {"Arn": of.spare_plan, "PricingRuleArns": [of.rule]}),
        ("DisassociatePricingRules", {"Arn": of.plan, "PricingRuleArns": [of.rule]}),
        ("ListPricingRulesAssociatedToPricingPlan", page | {"PricingPlanArn": of.plan}),
        ("CreatePricingRule", token | sku | {"Name": name("rule"), "Description": "words", "Type": "MARKUP", "ModifierPercentage": 5,
                                      "Tags": {"key": "value"}}),
        ("CreatePricingRule", sku | {"Name": name("rule"), "Type": "TIERING", "Tiering": tiers}),
        ("CreatePricingRule", {"Name": name("rule"), "Scope": "GLOBAL", "Type": "TIERING", "Tiering": free}),
        ("CreatePricingRule", {"Name": name("rule"), "Scope": "BILLING_ENTITY", "Type": "MARKUP", "ModifierPercentage": 5, "BillingEntity": "AWS"}),
        ("UpdatePricingRule", {"Arn": of.rule, "Name": name("rule"), "Description": "words", "Type": "MARKUP", "ModifierPercentage": 6}),
        ("UpdatePricingRule", {"Arn": of.tiered, "Tiering": tiers}),
        ("UpdatePricingRule", {"Arn": of.free, "Tiering": free}),
        ("DeletePricingRule", {"Arn": of.spare_rule}),
        ("ListPricingRules", page | {"Filters": {"Arns": [of.rule]}}),
        ("ListPricingPlansAssociatedWithPricingRule", page | {"PricingRuleArn": of.rule}),
        ("GetBillingTransferPreference", {"ResponsibilityTransferArn": of.transfer}),
        ("UpdateBillingTransferPreference", token | {"ResponsibilityTransferArn": of.transfer, "AutoBillingTransferBillingGroupCreation": {
            "Enabled": True, "PricingPlanArn": of.plan}}),
        ("ListTagsForResource", {"ResourceArn": of.rule}),
        ("TagResource", {"ResourceArn": of.rule, "Tags": {"key": "value"}}),
        ("UntagResource", {"ResourceArn": of.rule, "TagKeys": ["key"]}),
    ]


@pytest.fixture(scope="module")
def requests(client):
    """The examples, of things that are there."""
    desk = Desk(client)
    rule, relation = desk.rule(), transfer()
    group = desk.group(2, plan=desk.plan(rule))
    flat = desk.flat(group)
    tiers = {"CustomTiers": [{"BeginRangeInclusive": 0, "RateValue": 0.2}]}
    return examples(SimpleNamespace(
        rule=rule, group=group.arn, plan=group.plan, member=group.accounts[1], flat=flat, percentage=desk.percentage(group, 5, [flat]),
        spare=desk.group(), spare_item=desk.flat(group), spare_plan=desk.plan(), spare_rule=desk.rule(), transfer=relation,
        moved=desk.transfer_group(relation=relation).arn, free=desk.rule(Type="TIERING", ModifierPercentage=None, Tiering={"FreeTier": {"Activated": False}}),
        tiered=desk.rule(Scope="SKU", Type="TIERING", ModifierPercentage=None, Service="AmazonEC2", UsageType="Tiered", Tiering=tiers)))


# ---- Where shapes are in requests

NOTHING = SimpleNamespace(**dict.fromkeys(["rule", "group", "plan", "member", "flat", "percentage", "spare_item", "spare_plan", "spare_rule", "transfer",
                                           "moved", "free", "tiered"], "x"), spare=SimpleNamespace(arn="x"))


def places(shape, value, path=()):
    """Each shape in a value, with the path to it; `KEY` and `VALUE` are those of a map's only entry."""
    yield path, shape
    if shape.type_name == "structure":
        for member, item in value.items():
            yield from places(shape.members[member], item, (*path, member))
    elif shape.type_name == "list":
        yield from places(shape.member, value[0], (*path, 0))
    elif shape.type_name == "map":
        yield (*path, "KEY"), shape.key
        yield (*path, "VALUE"), shape.value


# Every place of every example: its number, its operation, the path and the shape there.
PLACES = [(number, operation, path, shape) for number, (operation, given) in enumerate(examples(NOTHING))
          for path, shape in places(MODEL.operation_model(operation).input_shape, given) if path]
FIRST = {}
for place in PLACES:
    FIRST.setdefault(place[3].name, place)


def test_every_constraint_is_covered():
    covered = {(shape, kind) for shape, kind in CONSTRAINTS if shape in FIRST}
    assert covered | ANSWERED == CONSTRAINTS and not covered & ANSWERED
    assert (len(CONSTRAINTS), len(covered)) == (143, 132)


def test_the_examples_have_every_member_of_every_input():
    there = {(operation, tuple(step for step in path if step not in (0, "KEY", "VALUE"))) for _, operation, path, _ in PLACES}
    for operation in MODEL.operation_names:
        for path in members(MODEL.operation_model(operation).input_shape):
            if path[-1] != "NextToken":
                assert (operation, path) in there, (operation, path)


def members(shape, path=()):
    if shape.type_name == "structure":
        for member, of in shape.members.items():
            yield (*path, member)
            yield from members(of, (*path, member))
    elif shape.type_name == "list":
        yield from members(shape.member, path)


def test_the_examples_are_valid(server, requests):
    # What takes things away comes last.
    last = ("Delete", "Disassociate", "BatchDisassociate", "Untag")
    for operation, given in sorted(requests, key=lambda request: request[0].startswith(last)):
        if operation == "AssociateAccounts":
            given = given | {"AccountIds": accounts(2)}
        answer = server.call(operation, {key: value for key, value in given.items() if key != "ClientToken"} | (
            {"Name": name("example")} if "Name" in given else {}))
        assert answer.status in (200, 204), f"{operation} {given}: {answer.body}"


# ---- Values at the edges

SAMPLES = {
    "AccountId": lambda n: f"{n + 300000000000}", "BillingGroupArn": lambda n: arn("billinggroup", f"{n + 300000000000}"),
    "PricingPlanArn": lambda n: arn("pricingplan", f"{n:010d}"), "PricingRuleArn": lambda n: arn("pricingrule", f"{n:010d}"),
    "CustomLineItemArn": lambda n: arn("customlineitem", f"{n:010d}"), "CustomLineItemAssociationElement": lambda n: arn("customlineitem", f"{n:010d}"),
    "ResponsibilityTransferArn": lambda n: f"arn:aws:organizations::999999999999:transfer/o-larkfield00/billing/inbound/rt-{n:08d}",
    "StringSearch": lambda n: {"SearchOption": "STARTS_WITH", "SearchValue": "a"}, "AttributeValue": lambda n: f"Service{n}",
    "LineItemFilter": lambda n: {"Attribute": "SERVICE", "MatchOption": "EQUAL", "AttributeValues": ["AmazonS3"]},
    "CustomTier": lambda n: {"BeginRangeInclusive": n, "RateValue": 1, "EndRangeExclusive": n + 1}, "TagKey": lambda n: f"key-{n}",
    "CustomLineItemName": lambda n: f"item-{n}"}
ADMITTED = {
    "BillingGroupArn": ["0123456789", "abcdefABCDE", "arn:aws-cn:billingconductor::999999999999:billinggroup/0123456789"],
    "PricingPlanArn": ["BasicPricingPlan", "Passthrough", "0123456789", "arn:aws:billingconductor::aws:pricingplan/Passthrough"],
    "PricingPlanFullArn": ["arn:aws:billingconductor::aws:pricingplan/BasicPricingPlan", "arn:aws-cn:billingconductor::aws:pricingplan/0123456789"],
    "BillingPeriod": ["2026-1", "2026-09"], "Association": ["UNMONITORED", "0123456789ab"],
    "CustomLineItemAssociationElement": ["0123456789", "arn:aws:billingconductor::999999999999:billinggroup/300000000000"],
    "BillingGroupName": ["a_+=.-@Z9"], "SearchValue": [" "], "BillingEntity": ["AWS (other)"], "UsageType": ["é:*/%"], "ClientToken": ["-"]}
REFUSED = {"BillingPeriod": ["2026-00", "2026-13", "26-11", "٢٠٢٦-11", "2026-11-01"], "AccountId": ["12345678901", "1234567890123", "١" * 12],
           "BillingGroupArn": ["arn:aws:billingconductor::999999999999:pricingplan/0123456789", "123456789", "1234567890123",
                               "arn:aws-us-gov:billingconductor::999999999999:billinggroup/0123456789"],
           "PricingPlanFullArn": ["0123456789", "BasicPricingPlan"], "Service": ["Amazon-EC2", "Amazon EC2"], "BillingGroupName": ["a b", "ä"],
           "PricingPlanArn": ["basicpricingplan", "Passthrough2"], "Association": ["monitored", "MONITORED,UNMONITORED"]}


def text_of(shape, length):
    """A text of a length that matches the shape's pattern, where one can be that long."""
    pattern = shape_pattern(shape)
    text = "a" * length
    return text if not pattern or pattern.fullmatch(text) else None


def edges(shape, value):
    """Values that are admitted, and values that are not, by the constraints of a shape; `value` is one that is admitted."""
    of, raw = shape.metadata, MODEL._shape_resolver._shape_map[shape.name]
    good, bad = [value], []
    least, most = raw.get("min"), raw.get("max")
    if shape.type_name == "string":
        if least is not None:
            good += [text_of(shape, least)] if least or not raw.get("pattern") else []
            bad += ["a" * (least - 1)] if least else []
        if most is not None:
            good.append(text_of(shape, most))
            bad.append("a" * (most + 1))
            # Characters are counted, not bytes.
            good += ["é" * most] if not raw.get("pattern") and shape.name != "TagKey" else []
        if pattern := raw.get("pattern"):
            near = [f"{value}\n", f"\n{value}", f"{value}!", f"!{value}", f"{value} ", f" {value}", f"{value}\0", f"{value}\n{value}", f"é{value}"]
            bad += [text for text in near if not re.fullmatch(pattern, text, re.ASCII)]
        if values := of.get("enum"):
            good += values
            bad += [values[0].lower(), f"{values[0]}\n", f" {values[0]}", "", "NONE", values[0][:-1]]
        good, bad = [text for text in good if text is not None] + ADMITTED.get(shape.name, []), bad + REFUSED.get(shape.name, [])
    elif shape.type_name in ("double", "integer"):
        step = 1 if shape.type_name == "integer" else 0.01
        good += [number for number in (least, most) if number is not None] + ([] if step == 1 else [-0.0, 0.30000000000000004])
        bad += ([] if least is None else [least - step, least - 10**9]) + ([] if most is None else [most + step, most + 10**9])
        bad += [1.5] if step == 1 else [-1e-10]
    elif shape.type_name == "list":
        fill = SAMPLES.get(shape.member.name, lambda n: value[0])
        for count, where in [(least, good), (most, good), (least - 1 if least else None, bad), (None if most is None else most + 1, bad)]:
            where += [] if count is None else [[fill(number) for number in range(count)]]
    elif shape.type_name == "map":
        good += [{f"key-{number}": "" for number in range(count)} for count in (1, most)]
        bad += [{}, {f"key-{number}": "" for number in range(most + 1)}]
    return good, bad


WRONG = {"string": [5, True, ["a"], {"a": "b"}], "double": ["5", "NaN", "Infinity", True, [5], {}], "integer": ["5", True, [5], {}, 5.5],
         "list": ["a", {"0": "a"}, 5, [None]], "map": ["a", ["a"], 5, {"a": 5}, {"a": None}], "boolean": ["true", 1, 0, []], "structure": ["a", ["a"], 5, True]}


def with_value(given, path, value):
    """The input with another value at a path."""
    if path[-1] in ("KEY", "VALUE"):
        return with_value(given, path[:-1], {value: "value"} if path[-1] == "KEY" else {"key": value})
    changed = copy.deepcopy(given)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return changed


def value_at(given, path):
    for step in path:
        given = {"KEY": "key", "VALUE": "value"}.get(step) or given[step]
    return given


def location(operation, path):
    return MODEL.operation_model(operation).input_shape.members[path[0]].serialization.get("location")


def can_be_sent(where, value):
    """What the place of a member in a request can carry: a header no line break and nothing beyond Latin 1, a path nothing that is no text."""
    if where == "header":
        return isinstance(value, str) and value.isascii() and "\n" not in value and "\0" not in value and value.strip() == value
    return where is None or where == "querystring" and isinstance(value, (str, list)) or isinstance(value, str) and value != ""


def field_of(path):
    return [step for step in path if step not in (0, "KEY", "VALUE")][-1]


def assert_refused(answer, path, shape, value):
    shown = f"{'.'.join(map(str, path))} = {str(value)[:120]!r}: {answer.status} {answer.body[:400]}"
    assert (answer.status, answer.error) == (400, "ValidationException"), shown
    if isinstance(value, list) and answer.reason == TOO_LONG.get(shape.name):
        return
    assert answer.reason == "FIELD_VALIDATION_FAILED", shown
    assert any(field_of(path) in field for field in answer.fields), shown
    assert all(item["Message"] for item in answer.json["Fields"])


@pytest.mark.parametrize("shape", sorted({shape for shape, _ in CONSTRAINTS} & set(FIRST)))
def test_constraints_of(server, requests, shape):
    number, operation, path, shape = FIRST[shape]
    where, given = location(operation, path), requests[number][1]
    good, bad = edges(shape, value_at(given, path))
    for value in good:
        if can_be_sent(where, value):
            answer = server.call(operation, with_value(given, path, value))
            assert answer.status < 500 and (answer.status < 300 or answer.reason != "FIELD_VALIDATION_FAILED"), (
                f"{'.'.join(map(str, path))} = {str(value)[:120]!r}: {answer.status} {answer.body[:400]}")
    for value in bad:
        if can_be_sent(where, value):
            assert_refused(server.call(operation, with_value(given, path, value)), path, shape, value)


@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
def test_types_of_all_members_of(server, requests, operation):
    """Nothing is taken for what it is not: no number in a text, no word for a number."""
    for number, _, path, shape in (place for place in PLACES if place[1] == operation):
        if location(operation, path) is None and path[-1] != "KEY":
            for value in WRONG[shape.type_name]:
                assert_refused(server.call(operation, with_value(requests[number][1], path, value)), path, shape, value)


@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
def test_required_members_of(server, requests, operation):
    """A required member must be there; null is as good as absent, for the others, too."""
    for number, _, path, shape in (place for place in PLACES if place[1] == operation):
        given = requests[number][1]
        inner = shape_at(operation, path[:-1])
        if path[-1] in (0, "KEY", "VALUE") or location(operation, path) == "uri":
            continue
        required = path[-1] in inner.required_members
        absent = without(given, path)
        for changed in [absent] if location(operation, path) else [absent, with_value(given, path, None)]:
            answer = server.call(operation, changed)
            if required:
                assert_refused(answer, path, shape, "nothing")
            else:
                assert answer.status < 300 or answer.reason != "FIELD_VALIDATION_FAILED", (path, answer.body)


def shape_at(operation, path):
    shape = MODEL.operation_model(operation).input_shape
    for step in path:
        shape = shape.member if step == 0 else shape.members[step]
    return shape


def without(given, path):
    changed = copy.deepcopy(given)
    at = changed
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return changed


def test_all_that_is_wrong_is_told_at_once(server):
    answer = server.call("CreatePricingRule", {"Name": "a b", "Scope": "WORLD", "ModifierPercentage": -1})
    assert sorted(answer.fields) == ["ModifierPercentage", "Name", "Scope", "Type"]


def test_members_that_nobody_knows_are_passed_over(server):
    # As AWS does: a newer client may send what this server has not heard of.
    answer = server.call("CreatePricingPlan", {"Name": name("plan"), "Colour": "blue", "payerAccountId": "111111111111"})
    assert answer.status == 200 and answer.json["Arn"].split(":")[4] == server.payer
