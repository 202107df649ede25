"""Who sees what: every operation for every role, and a customer's answers, which hold nothing of the payer's or of another customer's.

AWS: the payer configures and sees everything; a group's own people see its pro forma, never AWS's cost or the margin.
"""
import itertools
import json
import re
from types import SimpleNamespace

import pytest

from desk import BASIC, NUMBERS, Desk, account, arn, name, present
from policy_months import PolicyMonth
from server import CURRENT, PREVIOUS, in_period
from test_constraints import NOTHING, examples
from wire_model import MODEL

ROLES = ["payer-admin", "finance", "analyst", "group-viewer"]
VIEWED = {"ListBillingGroups", "ListBillingGroupCostReports", "GetBillingGroupCostReport", "ListAccountAssociations", "ListCustomLineItems",
          "ListCustomLineItemVersions"}
READS = {operation for operation in MODEL.operation_names if operation.startswith(("List", "Get"))}
ALLOWED = {"payer-admin": set(MODEL.operation_names), "finance": READS, "analyst": READS, "group-viewer": VIEWED}
# What AWS charges for every line of anybody, and the margin on it: no customer may ever find a digit of these.
CANARY, PRICE = "31415926.5358979323", "271"
WITHIN = {"InclusiveStartBillingPeriod": PREVIOUS, "ExclusiveEndBillingPeriod": CURRENT}
SINCE = {"BillingPeriodRange": {"InclusiveStartBillingPeriod": PREVIOUS}}


def customer(desk, name_, members, plan, fee=10):
    """A customer's group with items, and the lines of its month."""
    group = desk.group(members, plan=plan, Name=name_, Description=f"what the operator knows of {name_}", Tags={"secret": name_})
    flat = desk.flat(group, fee, Name=f"{name_}-fee", Description=f"Care of {name_}", **SINCE)
    percentage = desk.percentage(group, 3, [group.arn, flat], Name=f"{name_}-share", **SINCE)
    return SimpleNamespace(group=group, flat=flat, percentage=percentage, name=name_)


def lines(month, members, count, price=PRICE):
    for number, member in itertools.product(range(count), members):
        month.line(member, cost=CANARY, public=price, service=["AmazonEC2", "AmazonS3", "AWSLambda"][number % 3])


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers, what each of them is charged, and a viewer of each; one more viewer sees one account only."""
    server = new_server()
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(Name="secret-rule", ModifierPercentage=7.77), Name="secret-plan")
    ours, theirs = customer(desk, "acme", 2, plan), customer(desk, "globex", 3, plan, fee=12345.678)
    month = PolicyMonth()
    for one in (ours, theirs):
        lines(month, one.group.accounts, 6)
    server.load(month.write(tmp_path_factory.mktemp("isolation") / "cost"))
    keys = {role: server.keys(f"{role}-{next(NUMBERS)}", role, [ours.group.arn] if role == "group-viewer" else []) for role in ROLES}
    return SimpleNamespace(server=server, desk=desk, ours=ours, theirs=theirs, plan=plan, keys=keys, viewer=keys["group-viewer"],
                           narrow=server.keys(f"narrow-{next(NUMBERS)}", "group-viewer", [ours.group.arn], [ours.group.accounts[1]]),
                           client=server.client(keys["group-viewer"]))


# ---- Operations and roles

def test_every_operation_is_in_the_table():
    assert len(MODEL.operation_names) == 34 and len(READS) == 13 and VIEWED < READS
    assert {operation for operation, _ in examples(NOTHING)} == set(MODEL.operation_names)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
def test_who_may(world, operation, role):
    requests = [given for of, given in examples(NOTHING) if of == operation]
    if all("ResourceArn" not in given for given in requests):
        requests.append({})
    for given in requests:
        answer = world.server.call(operation, given, world.keys[role])
        # Who may not is told so, whatever the request says; who may is told what is wrong with it, if anything.
        assert (answer.error == "AccessDeniedException") == (operation not in ALLOWED[role]), f"{answer.status} {answer.body[:200]}"
        assert (answer.status == 403) == (operation not in ALLOWED[role])


@pytest.mark.parametrize("role", ROLES[1:])
def test_who_may_not_changes_nothing(world, role):
    before = state(world)
    client = world.server.client(world.keys[role])
    for act in (lambda: client.create_pricing_plan(Name=name("plan")), lambda: client.delete_custom_line_item(Arn=world.ours.percentage),
                lambda: client.update_billing_group(Arn=world.ours.group.arn, Name="mine"),
                lambda: client.tag_resource(ResourceArn=world.ours.group.arn, Tags={"a": "b"}),
                lambda: client.associate_accounts(Arn=world.ours.group.arn, AccountIds=[account()])):
        with pytest.raises(client.exceptions.AccessDeniedException):
            act()
    assert state(world) == before


def state(world):
    client = world.server.client()
    return [client.list_billing_groups()["BillingGroups"], client.list_pricing_plans()["PricingPlans"], client.list_custom_line_items()["CustomLineItems"],
            client.list_account_associations()["LinkedAccounts"], client.list_tags_for_resource(ResourceArn=world.ours.group.arn)["Tags"]]


# ---- What a viewer sees

def test_a_viewer_sees_its_own_group(world):
    groups = world.client.list_billing_groups()["BillingGroups"]
    assert [(group["Arn"], group["Name"], group["Size"], group["PrimaryAccountId"]) for group in groups] == [
        (world.ours.group.arn, "acme", 2, world.ours.group.primary)]
    assert "ComputationPreference" not in groups[0]


def test_a_viewer_sees_what_it_is_charged(world):
    row = world.client.list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
    admin = Desk(world.server.client()).client.list_billing_group_cost_reports(
        BillingPeriod=PREVIOUS, Filters={"BillingGroupArns": [world.ours.group.arn]})["BillingGroupCostReports"][0]
    assert row == [{"Arn": world.ours.group.arn, "ProformaCost": admin["ProformaCost"], "Currency": "USD"}]
    products = world.client.get_billing_group_cost_report(Arn=world.ours.group.arn, BillingPeriodRange=WITHIN, GroupBy=["PRODUCT_NAME"])
    assert all(set(of) == {"Arn", "ProformaCost", "Currency", "Attributes"} for of in products["BillingGroupCostReportResults"])
    assert len(products["BillingGroupCostReportResults"]) == 4


def test_a_viewer_sees_its_own_accounts(world):
    listed = world.client.list_account_associations()["LinkedAccounts"]
    assert {item["AccountId"]: item["BillingGroupArn"] for item in listed} == dict.fromkeys(world.ours.group.accounts, world.ours.group.arn)
    assert world.client.list_account_associations(Filters={"Association": "UNMONITORED"})["LinkedAccounts"] == []
    mixed = {"AccountIds": world.ours.group.accounts + world.theirs.group.accounts}
    assert {item["AccountId"] for item in world.client.list_account_associations(Filters=mixed)["LinkedAccounts"]} == set(world.ours.group.accounts)


def test_a_viewer_sees_its_own_items(world):
    items = world.client.list_custom_line_items()["CustomLineItems"]
    assert [item["Arn"] for item in items] == [world.ours.flat, world.ours.percentage]
    assert world.client.list_custom_line_item_versions(Arn=world.ours.flat)["CustomLineItemVersions"][0]["Name"] == "acme-fee"
    # What a percentage is taken of is the operator's affair.
    assert all("AssociatedValues" not in json.dumps(item) for item in items)


def test_a_viewer_of_an_account_sees_that_account(world):
    client = world.server.client(world.narrow)
    assert [item["AccountId"] for item in client.list_account_associations()["LinkedAccounts"]] == [world.ours.group.accounts[1]]
    items = client.list_custom_line_items()["CustomLineItems"]
    assert all(item["AccountId"] == world.ours.group.accounts[1] for item in items)
    # The group's total is of accounts that it may not see.
    whole = world.client.list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"][0]["ProformaCost"]
    answers = [world.server.call("ListBillingGroupCostReports", {"BillingPeriod": PREVIOUS}, world.narrow),
               world.server.call("GetBillingGroupCostReport", {"Arn": world.ours.group.arn, "BillingPeriodRange": WITHIN}, world.narrow)]
    assert all(whole.encode() not in answer.body for answer in answers)
    assert all(world.ours.group.primary.encode() not in answer.body.replace(world.ours.group.arn.encode(), b"") for answer in answers)


# ---- Foreign and unknown are the same

VOLATILE = {"x-amzn-requestid", "date"}


def shown(answer, *ids):
    """An answer without what differs each time, and with the ids that were asked for replaced."""
    body = answer.body.decode()
    for one in sorted(ids, key=len, reverse=True):
        body = body.replace(one, "ID")
    headers = {key: value for key, value in answer.headers.items() if key not in VOLATILE}
    for of in list(headers):
        if of == "content-length":
            headers[of] = str(len(body))
    return answer.status, headers, body


def pairs(world):
    """Requests with a foreign id, and with one of the same form that nobody has."""
    theirs, unknown = world.theirs, SimpleNamespace(group=arn("billinggroup", "000000000001"), item=arn("customlineitem", "0000000001"), account="000000000001")
    group, item, member = theirs.group.arn, theirs.flat, theirs.group.accounts[1]
    bare = lambda arn_: arn_.rsplit("/", 1)[1]
    return [(operation, make(foreign), make(nobody), foreign, nobody) for foreign, nobody, requests in [
        (group, unknown.group, [
            ("GetBillingGroupCostReport", lambda of: {"Arn": of}), ("GetBillingGroupCostReport", lambda of: {"Arn": bare(of)}),
            ("GetBillingGroupCostReport", lambda of: {"Arn": of, "BillingPeriodRange": WITHIN, "GroupBy": ["PRODUCT_NAME"]}),
            ("ListBillingGroups", lambda of: {"Filters": {"Arns": [of]}}), ("ListBillingGroups", lambda of: {"Filters": {"Arns": [of, world.ours.group.arn]}}),
            ("ListBillingGroupCostReports", lambda of: {"Filters": {"BillingGroupArns": [of]}}),
            ("ListBillingGroupCostReports", lambda of: {"BillingPeriod": PREVIOUS, "Filters": {"BillingGroupArns": [world.ours.group.arn, of]}}),
            ("ListAccountAssociations", lambda of: {"Filters": {"Association": of}}),
            ("ListCustomLineItems", lambda of: {"Filters": {"BillingGroups": [of]}}),
            ("DeleteBillingGroup", lambda of: {"Arn": of}), ("UpdateBillingGroup", lambda of: {"Arn": of}),
            ("TagResource", lambda of: {"ResourceArn": of, "Tags": {"a": "b"}}), ("ListTagsForResource", lambda of: {"ResourceArn": of})]),
        (item, unknown.item, [
            ("ListCustomLineItemVersions", lambda of: {"Arn": of}), ("ListCustomLineItemVersions", lambda of: {"Arn": bare(of)}),
            ("ListCustomLineItems", lambda of: {"Filters": {"Arns": [of]}}), ("ListCustomLineItems", lambda of: {"Filters": {"Arns": [of, world.ours.flat]}}),
            ("ListResourcesAssociatedToCustomLineItem", lambda of: {"Arn": of}), ("DeleteCustomLineItem", lambda of: {"Arn": of})]),
        (member, unknown.account, [
            ("ListAccountAssociations", lambda of: {"Filters": {"AccountId": of}}), ("ListAccountAssociations", lambda of: {"Filters": {"AccountIds": [of]}}),
            ("ListBillingGroups", lambda of: {"Filters": {"PrimaryAccountIds": [of]}}), ("ListCustomLineItems", lambda of: {"Filters": {"AccountIds": [of]}})]),
        ("globex", "nobody", [
            ("ListBillingGroups", lambda of: {"Filters": {"Names": [{"SearchOption": "STARTS_WITH", "SearchValue": of[:5]}]}}),
            ("ListCustomLineItems", lambda of: {"Filters": {"Names": [f"{of}-fee"]}})]),
        (world.plan, arn("pricingplan", "0000000001"), [
            ("ListPricingPlans", lambda of: {"Filters": {"Arns": [of]}}), ("ListPricingRulesAssociatedToPricingPlan", lambda of: {"PricingPlanArn": of})]),
    ] for operation, make in requests]


def test_foreign_ids_are_as_good_as_none(world):
    for operation, foreign, unknown, *ids in pairs(world):
        ids = [part for of in ids for part in (of, of.rsplit("/", 1)[-1], of[:5])]
        with_foreign, with_unknown = (shown(world.server.call(operation, given, world.viewer), *ids) for given in (foreign, unknown))
        assert with_foreign == with_unknown, (operation, foreign)
        assert "globex" not in with_foreign[2]


def test_a_report_of_a_foreign_group_is_not_found(world):
    with pytest.raises(world.client.exceptions.ResourceNotFoundException):
        world.client.get_billing_group_cost_report(Arn=world.theirs.group.arn)


def test_another_payers_ids_are_unknown(world):
    """The payer in an ARN is checked, and never followed."""
    other = world.ours.group.arn.replace(world.server.payer, "111111111111")
    answer = world.server.call("GetBillingGroupCostReport", {"Arn": other}, world.viewer)
    assert answer.error in ("ResourceNotFoundException", "ValidationException")
    assert b"ProformaCost" not in answer.body


def test_what_one_was_given_is_not_in_anothers_filter(world):
    """A viewer cannot ask whether a plan that it does not know has its group."""
    filters = [{"PricingPlan": world.plan}, {"PricingPlan": BASIC}]
    answers = [world.server.call("ListBillingGroups", {"Filters": of}, world.viewer) for of in filters]
    assert shown(answers[0]) == shown(answers[1])


def mixed(world):
    """Filters with own and foreign ids in one list; each with the key of what comes back, and what of it is the viewer's own."""
    ours, theirs = world.ours, world.theirs
    group, item = ours.group.arn, ours.flat
    arns, members = [theirs.group.arn, group, arn("billinggroup", "000000000001")], [*theirs.group.accounts, *ours.group.accounts, "000000000001"]
    return [
        ("ListBillingGroups", {"Filters": {"Arns": arns}}, "BillingGroups", [group]),
        ("ListBillingGroups", {"Filters": {"PrimaryAccountIds": members}}, "BillingGroups", [group]),
        ("ListBillingGroups", {"Filters": {"Names": [{"SearchOption": "STARTS_WITH", "SearchValue": of} for of in ("acme",)]}}, "BillingGroups", [group]),
        ("ListCustomLineItems", {"Filters": {"Arns": [theirs.flat, item, theirs.percentage]}}, "CustomLineItems", [item]),
        ("ListCustomLineItems", {"Filters": {"BillingGroups": arns, "Names": ["globex-fee", "acme-fee"]}}, "CustomLineItems", [item]),
        ("ListCustomLineItems", {"Filters": {"BillingGroups": arns, "AccountIds": members}}, "CustomLineItems", [item, ours.percentage]),
        ("ListAccountAssociations", {"Filters": {"AccountIds": members}}, "LinkedAccounts", ours.group.accounts)]


def test_foreign_ids_among_own_ones_are_absent(world):
    """In any order, and page by page: what is not the viewer's takes no place on a page, and makes no further one."""
    for operation, given, key, own in mixed(world):
        for filters in (given["Filters"], {of: value[::-1] for of, value in given["Filters"].items()}):
            answer = world.server.call(operation, given | {"Filters": filters}, world.viewer)
            assert answer.status == 200, (operation, filters, answer.body)
            items = answer.json[key]
            assert sorted(item.get("Arn") or item["AccountId"] for item in items) == sorted(own), (operation, filters, answer.body)
            assert "NextToken" not in answer.json and b"globex" not in answer.body
        if key != "LinkedAccounts":
            answer = world.server.call(operation, given | {"MaxResults": len(own)}, world.viewer)
            assert len(answer.json[key]) == len(own) and "NextToken" not in answer.json


# ---- Caches

def test_no_cache_keeps_an_answer(world):
    """The same address for two callers: nothing that a shared cache could keep, compare or measure."""
    asked = [("ListBillingGroups", {}), ("ListTagsForResource", {"ResourceArn": world.ours.group.arn}), ("ListPricingPlans", {}), ("CreateBillingGroup", {}),
             ("GetBillingGroupCostReport", {"Arn": world.theirs.group.arn})]
    conditions = {"If-None-Match": "*", "If-Modified-Since": "Wed, 21 Oct 2099 07:28:00 GMT", "Accept-Encoding": "gzip, br, zstd", "Range": "bytes=0-1",
                  "Cache-Control": "only-if-cached"}
    answers = [world.server.call(operation, given, keys, headers=conditions) for operation, given in asked for keys in (world.viewer, None)]
    answers += [world.server.send("POST", "/list-billing-groups", b"{}"), world.server.send("GET", "/tags/x")]
    for answer in answers:
        assert answer.headers["cache-control"] == "private, no-store"
        assert not {"etag", "last-modified", "expires", "content-encoding", "age", "content-range"} & set(answer.headers), answer.headers
        assert answer.status not in (206, 304) and int(answer.headers["content-length"]) == len(answer.body)
    assert answers[0].body != answers[1].body


# ---- Canaries

def script(world):
    """Everything that a viewer may ask, in all ways that are in this file."""
    ours = world.ours
    simple = [("ListBillingGroups", {}), ("ListBillingGroups", {"BillingPeriod": PREVIOUS}), ("ListBillingGroups", {"MaxResults": 1}),
              ("ListAccountAssociations", {}), ("ListAccountAssociations", {"BillingPeriod": PREVIOUS, "Filters": {"Association": "MONITORED"}}),
              ("ListCustomLineItems", {}), ("ListCustomLineItems", {"BillingPeriod": PREVIOUS}), ("ListCustomLineItemVersions", {"Arn": ours.flat}),
              ("ListBillingGroupCostReports", {}), ("ListBillingGroupCostReports", {"BillingPeriod": PREVIOUS}), ("ListBillingGroups", {"MaxResults": 0})]
    keys = [None, [], ["PRODUCT_NAME"], ["BILLING_PERIOD"], ["PRODUCT_NAME", "BILLING_PERIOD"]]
    simple += [("GetBillingGroupCostReport", {"Arn": ours.group.arn, "BillingPeriodRange": WITHIN} | ({} if of is None else {"GroupBy": of})) for of in keys]
    return simple + [(operation, given) for operation, *requests in pairs(world) for given in requests[:2]]


def test_no_cost_is_in_any_byte_of_a_customers_answers(world):
    admin = world.server.client()
    secrets = {"31415926", "5358979323", "secret", "globex", "what the operator knows", "7.77", world.plan.rsplit("/", 1)[1],
               *world.theirs.group.accounts}
    for row in admin.list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]:
        secrets |= {row["AWSCost"], row["Margin"].removeprefix("-"), row["MarginPercentage"].removeprefix("-")}
        products = admin.get_billing_group_cost_report(Arn=row["Arn"], BillingPeriodRange=WITHIN, GroupBy=["PRODUCT_NAME"])
        for of in products["BillingGroupCostReportResults"]:
            secrets |= {of["AWSCost"], of["Margin"].removeprefix("-"), of["MarginPercentage"].removeprefix("-")}
    # What is sold at cost has one amount on both sides, and the customer's own side is its own.
    own = [row["ProformaCost"] for keys in (None, ["PRODUCT_NAME"], ["BILLING_PERIOD"]) for row in world.client.get_billing_group_cost_report(**present({
        "Arn": world.ours.group.arn, "BillingPeriodRange": WITHIN, "GroupBy": keys}))["BillingGroupCostReportResults"]]
    secrets = {of for of in secrets - set(own) if len(of) > 3}
    assert any("31415926" in of or "188495559" in of for of in secrets), "the canary is in the operator's own report"
    for operation, given in script(world):
        for keys in (world.viewer, world.narrow):
            answer = world.server.call(operation, given, keys)
            told = answer.body + repr(answer.headers).encode()
            asked = json.dumps(given)
            for secret in secrets:
                # What a request says itself may come back with its error.
                assert secret.encode() not in told or secret in asked, (operation, given, secret)
            assert not re.search(rb"AWSCost|Margin|ComputationPreference|Tags", answer.body), (operation, answer.body)


# ---- Two worlds

def other_world(new_server, folder, count, members, price, names):
    """Acme as it always is; and other customers, who differ from world to world."""
    server = new_server()
    desk = Desk(in_period(server.client(), PREVIOUS))
    month, acme = PolicyMonth(), ["610000000001", "610000000002"]
    plan = desk.plan(desk.rule(Name="rule", ModifierPercentage=10), Name="plan")
    before = [customer(desk, of, [f"{620000000000 + 100 * number + one}" for one in range(members)], plan, fee=number + 1)
              for number, of in enumerate(names[:count // 2])]
    ours = customer(desk, "acme", acme, plan)
    after = [customer(desk, of, [f"{630000000000 + 100 * number + one}" for one in range(members)], plan, fee=number + 1)
             for number, of in enumerate(names[count // 2:count])]
    for one in before + after:
        lines(month, one.group.accounts, members, price)
    lines(month, acme, 5)
    server.load(month.write(folder / "cost"))
    return SimpleNamespace(server=server, ours=ours, viewer=server.keys("viewer", "group-viewer", [ours.group.arn]))


def questions(world):
    ours = world.ours
    keys = [[], ["PRODUCT_NAME"], ["BILLING_PERIOD", "PRODUCT_NAME"]]
    yield from [("ListBillingGroups", {"MaxResults": 1}), ("ListBillingGroups", {"BillingPeriod": PREVIOUS}), ("ListAccountAssociations", {}),
                ("ListAccountAssociations", {"Filters": {"Association": "MONITORED"}}), ("ListAccountAssociations", {"Filters": {"AccountId": "620000000000"}}),
                ("ListCustomLineItems", {}), ("ListCustomLineItems", {"MaxResults": 1}),
                ("ListCustomLineItems", {"Filters": {"Names": ["b0-fee", "acme-fee"]}}),
                ("ListCustomLineItemVersions", {"Arn": ours.percentage}), ("ListBillingGroupCostReports", {"BillingPeriod": PREVIOUS, "MaxResults": 1}),
                ("ListBillingGroups", {"Filters": {"PrimaryAccountIds": ["620000000000"]}}), ("ListPricingPlans", {}),
                ("GetBillingGroupCostReport", {"Arn": arn("billinggroup", "620000000000"), "BillingPeriodRange": WITHIN}),
                ("CreateBillingGroup", {"Name": "b0"}), ("DeleteBillingGroup", {"Arn": arn("billinggroup", "620000000000")})]
    yield from (("GetBillingGroupCostReport", {"Arn": ours.group.arn, "BillingPeriodRange": WITHIN, "GroupBy": of}) for of in keys)


def test_a_customers_answers_do_not_depend_on_another(new_server, tmp_path):
    """Non-interference: whatever others have, use and pay, the same questions have the same bytes for an answer."""
    shapes = [(1, 1, PRICE, ["b0"]), (7, 3, "999983", [f"b{number}" for number in range(7)])]
    for number in range(2):
        (tmp_path / str(number)).mkdir()
    left, right = (other_world(new_server, tmp_path / str(number), *shape) for number, shape in enumerate(shapes))
    ids = [[of for one in (world.ours.flat, world.ours.percentage) for of in (one, one.rsplit("/", 1)[1])] for world in (left, right)]
    for (operation, one), (_, other) in zip(questions(left), questions(right), strict=True):
        told = [told_of(world, operation, given, ids[number]) for number, (world, given) in enumerate([(left, one), (right, other)])]
        assert told[0] == told[1], (operation, one)


def told_of(world, operation, given, ids):
    """All pages of an answer, without ids that are random and tokens that are sealed; whether there is one is told."""
    pages, token = [], None
    for _ in range(20):
        answer = world.server.call(operation, given | ({"NextToken": token} if token else {}), world.viewer)
        status, headers, body = shown(answer)
        token = json.loads(body).get("NextToken")
        body = body.replace(token, "TOKEN") if token else body
        for number, of in enumerate(ids):
            body = body.replace(of, f"ID{number % 2 + number // 2 * 2}")
        headers.pop("content-length", None)
        pages.append((status, headers, body, len(token) if token else 0))
        if not token:
            break
    return pages


# ---- Who has moved or left

def test_an_account_that_moves_takes_its_month_along(world):
    """Of this month its new group sees it, of the months before the old one."""
    desk, client = Desk(world.server.client()), world.server.client()
    group, other = world.desk.group(2), world.desk.group()
    moved = group.accounts[1]
    old, new = (world.server.client(world.server.keys(f"mover-{next(NUMBERS)}", "group-viewer", [of.arn])) for of in (group, other))
    client.disassociate_accounts(Arn=group.arn, AccountIds=[moved])
    client.associate_accounts(Arn=other.arn, AccountIds=[moved])
    seen = lambda of, period: moved in {item["AccountId"] for item in of.list_account_associations(BillingPeriod=period)["LinkedAccounts"]}
    assert [seen(old, PREVIOUS), seen(old, CURRENT), seen(new, PREVIOUS), seen(new, CURRENT)] == [True, False, False, True]
    assert desk.members_of(other.arn) == sorted([*other.accounts, moved])


def test_a_viewer_of_nothing_sees_nothing(world):
    group = Desk(world.server.client()).group()
    client = world.server.client(world.server.keys(f"gone-{next(NUMBERS)}", "group-viewer", [group.arn]))
    world.server.client().delete_billing_group(Arn=group.arn)
    assert client.list_billing_groups()["BillingGroups"] == [] == client.list_account_associations()["LinkedAccounts"]
    assert client.list_billing_group_cost_reports()["BillingGroupCostReports"] == []
