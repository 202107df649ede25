"""What happens over several calls: repeated and racing writes, versions of items, names, and things in use."""
import pytest
from botocore.exceptions import ClientError

from desk import NUMBERS, Desk, account, accounts, at_once, is_conflict, name, only, pages, until_done
from desk import transfer as new_transfer
from server import CURRENT, PREVIOUS, in_period, invalid, refused

RACERS = 20


def token():
    return f"token-{next(NUMBERS)}"


# ---- Client tokens

def creates(desk):
    """Each operation with a client token: how it is called, and with another input."""
    group, relation, plan = desk.group(), new_transfer(), desk.plan()
    members = accounts(1)
    on = {"Enabled": True, "PricingPlanArn": plan}
    client = desk.client
    return {
        "CreatePricingRule": (client.create_pricing_rule, {"Name": name("rule"), "Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 1},
                              {"ModifierPercentage": 2}),
        "CreatePricingPlan": (client.create_pricing_plan, {"Name": name("plan"), "Description": "one"}, {"Description": "two"}),
        "CreateBillingGroup": (client.create_billing_group, {
            "Name": name("group"), "AccountGrouping": {"LinkedAccountIds": members}, "PrimaryAccountId": members[0],
            "ComputationPreference": {"PricingPlanArn": plan}}, {"Tags": {"a": "b"}}),
        "CreateCustomLineItem": (client.create_custom_line_item, {
            "Name": name("item"), "Description": "words", "BillingGroupArn": group.arn,
            "ChargeDetails": {"Flat": {"ChargeValue": 1}, "Type": "FEE"}}, {"Description": "other words"}),
        "UpdateBillingTransferPreference": (client.update_billing_transfer_preference, {
            "ResponsibilityTransferArn": relation, "AutoBillingTransferBillingGroupCreation": on},
            {"AutoBillingTransferBillingGroupCreation": {"Enabled": False}})}


CREATES = ["CreatePricingRule", "CreatePricingPlan", "CreateBillingGroup", "CreateCustomLineItem", "UpdateBillingTransferPreference"]


def answer(response):
    response.pop("ResponseMetadata")
    return response


@pytest.mark.parametrize("operation", CREATES)
def test_a_repeated_request_makes_one_thing(desk, operation):
    act, given, other = creates(desk)[operation]
    key = token()
    first = answer(act(ClientToken=key, **given))
    assert answer(act(ClientToken=key, **given)) == first
    with invalid("OTHER"):
        act(ClientToken=key, **given | other)
    assert answer(act(ClientToken=key, **given)) == first


@pytest.mark.parametrize("operation", CREATES)
def test_requests_repeated_at_once_make_one_thing(desk, operation):
    act, given, _ = creates(desk)[operation]
    key = token()
    results = at_once([lambda: answer(act(ClientToken=key, **given))] * RACERS)
    # Whoever came while the first was at work may be told to come again, and then hears what all heard.
    again = [answer(act(ClientToken=key, **given)) if is_conflict(result) else result for result in results]
    assert all(result == again[0] for result in again), results


def test_a_token_is_of_one_operation(desk):
    key = token()
    rule = desk.rule(ClientToken=key)
    plan = desk.plan(ClientToken=key)
    assert "pricingrule" in rule and "pricingplan" in plan


def test_a_refused_request_leaves_its_token_free(client):
    key = token()
    with invalid("ILLEGAL_MODIFIER_PERCENTAGE"):
        client.create_pricing_rule(ClientToken=key, Name=name(), Scope="GLOBAL", Type="DISCOUNT", ModifierPercentage=101)
    assert client.create_pricing_rule(ClientToken=key, Name=name(), Scope="GLOBAL", Type="DISCOUNT", ModifierPercentage=99)["Arn"]


def test_a_token_remembers_what_is_gone(client, desk):
    key, called = token(), name("plan")
    plan = desk.plan(ClientToken=key, Name=called)
    client.delete_pricing_plan(Arn=plan)
    assert desk.plan(ClientToken=key, Name=called) == plan
    assert client.list_pricing_plans(Filters={"Arns": [plan]})["PricingPlans"] == []


def test_a_token_survives_a_restart(new_server):
    server = new_server()
    given = {"ClientToken": "once", "Name": "kept"}
    plan = server.client().create_pricing_plan(**given)["Arn"]
    server.restart()
    assert server.client().create_pricing_plan(**given)["Arn"] == plan


# ---- Names

def named(desk):
    group = desk.group()
    return {"rule": (lambda called: desk.rule(Name=called), lambda it, called: desk.client.update_pricing_rule(Arn=it, Name=called),
                     lambda it: desk.client.delete_pricing_rule(Arn=it)),
            "plan": (lambda called: desk.plan(Name=called), lambda it, called: desk.client.update_pricing_plan(Arn=it, Name=called),
                     lambda it: desk.client.delete_pricing_plan(Arn=it)),
            "group": (lambda called: desk.group(Name=called).arn, lambda it, called: desk.client.update_billing_group(Arn=it, Name=called),
                      lambda it: desk.client.delete_billing_group(Arn=it)),
            "item": (lambda called: desk.flat(group, Name=called), lambda it, called: desk.client.update_custom_line_item(Arn=it, Name=called),
                     lambda it: desk.client.delete_custom_line_item(Arn=it))}


@pytest.mark.parametrize("kind", ["rule", "plan", "group", "item"])
def test_names_of_a_kind_are_unique(desk, kind):
    make, rename, delete = named(desk)[kind]
    called = name("Same")
    first, second = make(called), make(name())
    for act in (lambda: make(called), lambda: rename(second, called)):
        with refused("ConflictException", "RESOURCE_NAME_CONFLICT"):
            act()
    make(called.lower())  # names are told apart by case
    rename(first, called)  # its own name is no conflict
    delete(first)
    rename(second, called)


def test_items_share_a_name_in_different_periods_only(server, desk):
    # AWS's own samples make one of a name each month.
    past, called = Desk(in_period(server.client(), "2026-08")), name("same")
    group, other = past.group(), past.group()
    month = lambda start, end: {"Name": called, "BillingPeriodRange": {"InclusiveStartBillingPeriod": start, "ExclusiveEndBillingPeriod": end}}
    made = [past.flat(group, **month("2026-08", "2026-09")), past.flat(group, **month("2026-09", CURRENT)), desk.flat(other, **month(CURRENT, "2027-02"))]
    assert len(set(made)) == 3
    for group_of, start, end in ((group, PREVIOUS, CURRENT), (other, PREVIOUS, CURRENT), (group, PREVIOUS, "2026-12"), (group, CURRENT, "2026-12")):
        with refused("ConflictException", "RESOURCE_NAME_CONFLICT"):
            past.flat(group_of, **month(start, end))


def test_one_of_many_gets_a_name(desk):
    called = name("raced")
    results = at_once([lambda: desk.client.create_pricing_plan(Name=called)] * RACERS)
    won = [result for result in results if isinstance(result, dict)]
    lost = [result.response["Reason"] for result in results if isinstance(result, ClientError)]
    assert len(won) == 1 and len(lost) == RACERS - 1, results
    assert set(lost) <= {"RESOURCE_NAME_CONFLICT", "WRITE_CONFLICT_RETRY"}


# ---- Racing writers

def test_an_account_enters_one_of_many_groups(client, desk):
    groups, wanted = [desk.group() for _ in range(RACERS)], account()
    results = at_once([lambda it=it: client.associate_accounts(Arn=it.arn, AccountIds=[wanted]) for it in groups])
    won = [result["Arn"] for result in results if isinstance(result, dict)]
    lost = {result.response["Reason"] for result in results if isinstance(result, ClientError)}
    assert len(won) == 1 and lost <= {"ACCOUNTS_ALREADY_ASSOCIATED", "WRITE_CONFLICT_RETRY"}, results
    assert desk.members_of(won[0])[-1:] == [wanted] or wanted in desk.members_of(won[0])
    assert sum(wanted in desk.members_of(it.arn) for it in groups) == 1


def test_accounts_entered_at_once_are_all_there(client, desk):
    group, wanted = desk.group(), accounts(RACERS)
    results = at_once([lambda one=one: until_done(lambda: client.associate_accounts(Arn=group.arn, AccountIds=[one])) for one in wanted])
    assert all(isinstance(result, dict) for result in results), results
    assert desk.members_of(group.arn) == sorted(group.accounts + wanted)


def test_rules_entered_at_once_are_all_there(client, desk):
    plan = desk.plan()
    rules = [desk.rule(Scope="SERVICE", Service=f"Raced{number}") for number in range(RACERS)]
    results = at_once([lambda rule=rule: until_done(lambda: client.associate_pricing_rules(Arn=plan, PricingRuleArns=[rule])) for rule in rules])
    assert all(isinstance(result, dict) for result in results), results
    assert sorted(desk.rules_of(plan)) == sorted(rules)
    assert desk.plan_of(plan)["Size"] == RACERS


def test_updates_at_once_lose_nothing(client, desk):
    """Half of the writers change the name, half the description: no one may undo what another has done."""
    rule = desk.rule(Description="before")
    names, words = [name("raced") for _ in range(RACERS // 2)], [f"words {number}" for number in range(RACERS // 2)]
    acts = [lambda of=of: until_done(lambda: client.update_pricing_rule(Arn=rule, Name=of)) for of in names]
    acts += [lambda of=of: until_done(lambda: client.update_pricing_rule(Arn=rule, Description=of)) for of in words]
    results = at_once(acts)
    assert all(isinstance(result, dict) for result in results), results
    there = desk.rule_of(rule)
    assert there["Name"] in names and there["Description"] in words


def test_a_plan_is_deleted_or_attached(client, desk):
    """A group never has a plan that is gone."""
    for _ in range(5):
        plan, group = desk.plan(), desk.group()
        attach = lambda: client.update_billing_group(Arn=group.arn, ComputationPreference={"PricingPlanArn": plan})
        attached, deleted = at_once([attach, lambda: client.delete_pricing_plan(Arn=plan)])
        assert isinstance(attached, dict) != isinstance(deleted, dict) or is_conflict(attached) or is_conflict(deleted), (attached, deleted)
        there = client.list_pricing_plans(Filters={"Arns": [plan]})["PricingPlans"]
        assert bool(there) or desk.group_of(group.arn)["ComputationPreference"]["PricingPlanArn"] == group.plan


def test_an_account_that_is_moved_both_ways_is_in_one_group(client, desk):
    start, left, right = desk.group(2), desk.group(), desk.group()
    moved = start.accounts[1]
    client.disassociate_accounts(Arn=start.arn, AccountIds=[moved])
    for _ in range(3):
        at_once([lambda it=it: client.associate_accounts(Arn=it.arn, AccountIds=[moved]) for it in (left, right)])
        holders = [it for it in (start, left, right) if moved in desk.members_of(it.arn)]
        assert len(holders) == 1
        client.disassociate_accounts(Arn=holders[0].arn, AccountIds=[moved])


# ---- Versions of custom line items

def test_a_change_of_a_recurring_item_makes_a_version(client, server):
    """D-7: from January on 10, from March on 12."""
    past = Desk(in_period(server.client(), "2026-01"))
    group = past.group()
    item = past.flat(group, 10, BillingPeriodRange={"InclusiveStartBillingPeriod": "2026-01"})
    in_period(server.client(), "2026-03").update_custom_line_item(
        Arn=item, ChargeDetails={"Flat": {"ChargeValue": 12}}, BillingPeriodRange={"InclusiveStartBillingPeriod": "2026-03"})
    desk = Desk(client)
    versions = [(version["StartBillingPeriod"], version.get("EndBillingPeriod"), version["ChargeDetails"]["Flat"]["ChargeValue"])
                for version in desk.versions_of(item)]
    assert sorted(versions) == [("2026-01", "2026-03", 10), ("2026-03", None, 12)]
    assert [desk.item_of(item, BillingPeriod=of)["ChargeDetails"]["Flat"]["ChargeValue"]
            for of in ("2026-01", "2026-02", "2026-03", CURRENT)] == [10, 10, 12, 12]
    within = lambda **of: sorted(version["StartBillingPeriod"] for version in desk.versions_of(item, Filters={"BillingPeriodRange": of}))
    assert within(StartBillingPeriod="2026-03") == ["2026-03"]
    assert within(StartBillingPeriod="2026-02", EndBillingPeriod="2026-03") == ["2026-01"]
    assert within() == ["2026-01", "2026-03"]


def test_an_update_without_a_range_counts_from_this_month_on(client, server):
    past = Desk(in_period(server.client(), PREVIOUS))
    item = past.flat(past.group(), 10, BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    client.update_custom_line_item(Arn=item, ChargeDetails={"Flat": {"ChargeValue": 12}})
    desk = Desk(client)
    assert [desk.item_of(item, BillingPeriod=of)["ChargeDetails"]["Flat"]["ChargeValue"] for of in (PREVIOUS, CURRENT)] == [10, 12]


def test_an_item_that_is_deleted_stays_in_the_months_before(client, server):
    past = Desk(in_period(server.client(), PREVIOUS))
    item = past.flat(past.group(), BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    client.delete_custom_line_item(Arn=item)
    desk = Desk(client)
    assert desk.item_of(item, BillingPeriod=PREVIOUS)["Arn"] == item
    assert client.list_custom_line_items(Filters={"Arns": [item]})["CustomLineItems"] == []
    assert only(desk.versions_of(item))["EndBillingPeriod"] == CURRENT


def test_an_association_that_ends_says_when(client, server):
    past = Desk(in_period(server.client(), PREVIOUS))
    since = {"BillingPeriodRange": {"InclusiveStartBillingPeriod": PREVIOUS}}
    group = past.group()
    flat, percentage = past.flat(group, **since), past.percentage(group, **since)
    client.batch_associate_resources_to_custom_line_item(TargetArn=percentage, ResourceArns=[flat], **since)
    client.batch_disassociate_resources_from_custom_line_item(
        TargetArn=percentage, ResourceArns=[flat], BillingPeriodRange={"InclusiveStartBillingPeriod": CURRENT})
    desk = Desk(client)
    of_group = {"Arn": group.arn, "Relationship": "CHILD"}
    assert desk.resources_of(percentage, BillingPeriod=PREVIOUS) == [of_group, {"Arn": flat, "Relationship": "CHILD", "EndBillingPeriod": CURRENT}]
    assert desk.resources_of(percentage) == [of_group]


# ---- What goes with a group

def test_items_of_a_deleted_group_end_with_it(client, server):
    past = Desk(in_period(server.client(), PREVIOUS))
    group = past.group()
    item = past.flat(group, BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    client.delete_billing_group(Arn=group.arn)
    assert client.list_custom_line_items(Filters={"Arns": [item]})["CustomLineItems"] == []
    assert Desk(client).item_of(item, BillingPeriod=PREVIOUS)["BillingGroupArn"] == group.arn


def test_nothing_of_a_refused_request_stays(client, desk):
    before = len(pages(client, "list_billing_groups", "BillingGroups"))
    members, taken = accounts(2), desk.group()
    with invalid("ACCOUNTS_ALREADY_ASSOCIATED"):
        desk.group([*members, taken.primary], plan=taken.plan)
    assert len(pages(client, "list_billing_groups", "BillingGroups")) == before + 1
    desk.group(members, plan=taken.plan)


def test_everything_is_there_after_a_restart(new_server):
    server = new_server()
    desk = Desk(server.client())
    rule = desk.rule()
    group = desk.group(2, plan=desk.plan(rule))
    item = desk.percentage(group, 10, [group.arn])
    read = lambda of: [of.group_of(group.arn), of.plan_of(group.plan), of.rule_of(rule), of.item_of(item), of.members_of(group.arn),
                       of.rules_of(group.plan), of.resources_of(item), of.versions_of(item)]
    before = read(desk)
    server.restart()
    assert read(Desk(server.client())) == before
    server.kill()
    assert read(Desk(server.start().client())) == before
