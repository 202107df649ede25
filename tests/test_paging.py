"""Every paginator of botocore walks many pages; a page token is good for its own query, for its own caller, and after a restart."""
import base64
import threading

import pytest
from botocore import xform_name

from desk import NUMBERS, Desk, accounts, name, pages
from server import CURRENT, PREVIOUS, invalid
from wire_model import MODEL

MANY = 23
PAGES = [1, 7, 23, 24, 100]


@pytest.fixture(scope="module")
def world(server):
    """A group with more accounts than a page holds, a plan of many rules, a rule of many plans, an item of many of everything."""
    desk = Desk(server.client())
    client = desk.client
    rules = [desk.rule(Scope="SERVICE", Service=f"Service{number}") for number in range(MANY)]
    plan = desk.plan(*rules)
    plans = [plan] + [desk.plan(rules[0]) for _ in range(MANY - 1)]
    group = desk.group(30, plan=plan)
    for _ in range(4):
        client.associate_accounts(Arn=group.arn, AccountIds=accounts(30))
    groups = [group] + [desk.group(plan=plan) for _ in range(MANY - 1)]
    flats = [desk.flat(group) for _ in range(MANY - 1)]
    percentage = desk.percentage(group)
    client.batch_associate_resources_to_custom_line_item(TargetArn=percentage, ResourceArns=[group.arn, *flats])
    # Each list: the paginator, its key, what it is asked, what each item is known by, and what must come, in its order.
    return {
        "list_pricing_rules": ("PricingRules", {}, lambda item: item["Arn"], rules),
        "list_pricing_plans": ("PricingPlans", {}, lambda item: item["Arn"], plans),
        "list_billing_groups": ("BillingGroups", {}, lambda item: item["Arn"], [group.arn for group in groups]),
        "list_billing_group_cost_reports": ("BillingGroupCostReports", {}, lambda item: item["Arn"], [group.arn for group in groups]),
        "list_custom_line_items": ("CustomLineItems", {}, lambda item: item["Arn"], [*flats, percentage]),
        "list_custom_line_item_versions": ("CustomLineItemVersions", {"Arn": flats[0]}, lambda item: item["StartBillingPeriod"], [CURRENT]),
        "list_pricing_rules_associated_to_pricing_plan": ("PricingRuleArns", {"PricingPlanArn": plan}, str, rules),
        "list_pricing_plans_associated_with_pricing_rule": ("PricingPlanArns", {"PricingRuleArn": rules[0]}, str, plans),
        "list_resources_associated_to_custom_line_item": ("AssociatedResources", {"Arn": percentage}, lambda item: item["Arn"],
                                                          [group.arn, *flats]),
    }


LISTS = ["list_pricing_rules", "list_pricing_plans", "list_billing_groups", "list_billing_group_cost_reports", "list_custom_line_items",
         "list_custom_line_item_versions", "list_pricing_rules_associated_to_pricing_plan",
         "list_pricing_plans_associated_with_pricing_rule", "list_resources_associated_to_custom_line_item"]


def test_every_paginator_of_botocore_is_here(client):
    paginated = {operation for operation in map(xform_name, MODEL.operation_names) if client.can_paginate(operation)}
    assert paginated == {*LISTS, "list_account_associations"}


@pytest.mark.parametrize("operation", LISTS)
def test_pages_of_any_size_add_up(client, world, operation):
    key, given, known_by, expected = world[operation]
    for size in PAGES:
        walked = list(client.get_paginator(operation).paginate(**given, PaginationConfig={"PageSize": size}))
        items = [known_by(item) for page in walked for item in page[key]]
        # By their making, and where an association is listed, by the making of it; a batch is in any order.
        assert sorted(items) == sorted(expected), f"pages of {size}"
        if key not in ("PricingRuleArns", "AssociatedResources", "BillingGroupCostReports"):
            assert items == expected, f"pages of {size}"
        assert [len(page[key]) for page in walked[:-1]] == [size] * (len(walked) - 1)
        assert len(walked) == -(-len(expected) // size) and "NextToken" not in walked[-1]


def test_accounts_come_a_hundred_at_a_time(client, world):
    group = world["list_billing_groups"][3][0]
    walked = list(client.get_paginator("list_account_associations").paginate(Filters={"Association": group}))
    assert [len(page["LinkedAccounts"]) for page in walked] == [100, 50]
    assert len({item["AccountId"] for page in walked for item in page["LinkedAccounts"]}) == 150


def test_what_exists_throughout_a_walk_comes_once(server, client, world):
    there = set(world["list_pricing_plans"][3])
    done, made, errors = threading.Event(), [], []
    writer = server.client()

    def write():
        try:
            while not done.is_set():
                made.append(writer.create_pricing_plan(Name=name("walk"))["Arn"])
                if len(made) % 3 == 0:
                    writer.delete_pricing_plan(Arn=made[-2])
        except Exception as raised:
            errors.append(raised)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            walked = [plan["Arn"] for plan in pages(client, "list_pricing_plans", "PricingPlans", PaginationConfig={"PageSize": 2})
                      if plan["Arn"] in there]
            assert sorted(walked) == sorted(there)
    finally:
        done.set()
        thread.join()
    assert not errors and made


# ---- Tokens

@pytest.fixture(scope="module")
def token(client, world):
    return client.list_pricing_rules(MaxResults=5)["NextToken"]


def test_a_token_goes_on_where_its_page_ended(client, token, world):
    following = client.list_pricing_rules(NextToken=token, MaxResults=5)
    assert [rule["Arn"] for rule in following["PricingRules"]] == world["list_pricing_rules"][3][5:10]
    # Pages of another size go on at the same place; none is the size of before.
    rest = world["list_pricing_rules"][3][5:]
    for other, size in (({"MaxResults": 2}, 2), ({"MaxResults": 100}, 100), ({}, 100)):
        page = client.list_pricing_rules(NextToken=token, **other)
        assert [rule["Arn"] for rule in page["PricingRules"]] == rest[:size]


def test_a_token_is_opaque(token):
    padded = token + "=" * (-len(token) % 4)
    content = base64.urlsafe_b64decode(padded.replace("+", "-").replace("/", "_"))
    assert b"billingconductor" not in content and b"arn" not in content.lower() and b"{" not in content[:1]


def spoilt(token):
    for place in range(0, len(token), max(1, len(token) // 40)):
        yield token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1:]
    yield from ("", token[:-1], token + "A", token * 2, "A" * 100_000, "é", "null", token.swapcase())


def test_a_spoilt_token_is_refused(server, token):
    for other in spoilt(token):
        answer = server.call("ListPricingRules", {"NextToken": other, "MaxResults": 5})
        assert (answer.status, answer.error) == (400, "ValidationException"), other[:80]


def test_a_token_is_good_for_its_own_query(server, client, token, world):
    rule = world["list_pricing_rules"][3][0]
    asked = {"NextToken": token, "MaxResults": 5}
    for act in (lambda: client.list_pricing_plans(**asked), lambda: client.list_billing_groups(**asked),
                lambda: client.list_pricing_rules(**asked, Filters={"Arns": [rule]}),
                lambda: client.list_pricing_rules(**asked, BillingPeriod=PREVIOUS)):
        with invalid("OTHER"):
            act()


def test_a_token_is_good_for_its_own_caller(server, token):
    other = server.client(server.keys(f"analyst-{next(NUMBERS)}", "analyst"))
    with invalid("OTHER"):
        other.list_pricing_rules(NextToken=token, MaxResults=5)


def test_a_token_survives_a_restart(new_server):
    server = new_server()
    desk = Desk(server.client())
    rules = [desk.rule() for _ in range(3)]
    token = desk.client.list_pricing_rules(MaxResults=2)["NextToken"]
    server.restart()
    assert [rule["Arn"] for rule in server.client().list_pricing_rules(NextToken=token, MaxResults=2)["PricingRules"]] == rules[2:]
