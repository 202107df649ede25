"""AWS's quotas, where they can be reached in a test: 402 with the quota's name. The limits of a single call are the model's."""
import pytest

from desk import SAVINGS, STORAGE, accounts, at_once, until_done
from server import invalid, refused


def limited(resource_type=None):
    """Expects the quota's answer; codes are ours, as AWS publishes none, so a test asks for upper case only."""
    return Limited(resource_type)


class Limited:
    def __init__(self, resource_type):
        self.resource_type, self.refusal = resource_type, refused("ServiceLimitExceededException")

    def __enter__(self):
        self.caught = self.refusal.__enter__()

    def __exit__(self, *of):
        handled = self.refusal.__exit__(*of)
        answer = self.caught.error.response
        assert answer["ServiceCode"] == "billingconductor"
        assert answer["LimitCode"].replace("_", "").isupper(), answer["LimitCode"]
        if self.resource_type:
            assert answer["ResourceType"] == self.resource_type, answer
        return handled


@pytest.fixture(scope="module")
def full(desk):
    """A group of 1,000 accounts, the last of them put in at once."""
    group, client = desk.group(30), desk.client
    rest = [accounts(30) for _ in range(32)] + [accounts(10)]
    for part in rest:
        client.associate_accounts(Arn=group.arn, AccountIds=part)
    return group


def test_a_group_has_1000_accounts(client, desk, full):
    assert desk.group_of(full.arn)["Size"] == 1000
    more = accounts(2)
    with limited("billinggroup"):
        client.associate_accounts(Arn=full.arn, AccountIds=more[:1])
    members = desk.members_of(full.arn)
    assert len(members) == 1000 and more[0] not in members
    leaving = members[1] if members[0] == full.primary else members[0]
    client.disassociate_accounts(Arn=full.arn, AccountIds=[leaving])
    with limited("billinggroup"):
        client.associate_accounts(Arn=full.arn, AccountIds=more)
    client.associate_accounts(Arn=full.arn, AccountIds=more[:1])


def test_a_call_takes_30_accounts(server, desk):
    group = desk.group()
    answer = server.call("AssociateAccounts", {"Arn": group.arn, "AccountIds": accounts(31)})
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert (answer.reason, answer.fields) == ("FIELD_VALIDATION_FAILED", ["AccountIds"])


def test_a_plan_has_500_rules(client, desk):
    rules = [client.create_pricing_rule(Name=f"quota-{number}", Scope="SERVICE", Type="MARKUP", ModifierPercentage=1,
                                        Service=f"Quota{number}")["Arn"] for number in range(501)]
    plan = desk.plan(*rules[:30])
    for start in range(30, 500, 30):
        client.associate_pricing_rules(Arn=plan, PricingRuleArns=rules[start:min(start + 30, 500)])
    assert desk.plan_of(plan)["Size"] == 500
    with limited("pricingplan"):
        client.associate_pricing_rules(Arn=plan, PricingRuleArns=rules[500:])
    assert len(desk.rules_of(plan)) == 500


def test_a_group_has_10_items_with_filters_and_5_itemized(client, desk):
    group = desk.group()
    itemized = [desk.percentage(group, filters=STORAGE, ComputationRule="ITEMIZED") for _ in range(5)]
    with limited():
        desk.percentage(group, ComputationRule="ITEMIZED")
    for _ in range(5):
        desk.percentage(group, filters=SAVINGS)
    with limited():
        desk.percentage(group, filters=SAVINGS)
    bare = desk.percentage(group)
    # The model lets this operation name no quota.
    with invalid("OTHER"):
        client.update_custom_line_item(Arn=bare, ChargeDetails={"Percentage": {"PercentageValue": 1}, "LineItemFilters": SAVINGS})
    client.delete_custom_line_item(Arn=itemized[0])
    desk.percentage(group, filters=STORAGE, ComputationRule="ITEMIZED")
    desk.percentage(desk.group(), filters=SAVINGS, ComputationRule="ITEMIZED")


def test_a_percentage_item_has_100_sources(client, desk):
    """The group is one of them."""
    group = desk.group()
    target, flats = desk.percentage(group, 10, [group.arn]), [desk.flat(group) for _ in range(100)]
    put = lambda of: client.batch_associate_resources_to_custom_line_item(TargetArn=target, ResourceArns=of)
    for start in (0, 30, 60):
        assert len(put(flats[start:start + 30])["SuccessfullyAssociatedResources"]) == 30
    batch = put(flats[90:])
    # A batch says item by item what did not fit.
    assert [item["Arn"] for item in batch["SuccessfullyAssociatedResources"]] == flats[90:99]
    assert [(item["Arn"], item["Error"]["Reason"]) for item in batch["FailedAssociatedResources"]] == [(flats[99], "SERVICE_LIMIT_EXCEEDED")]
    assert desk.item_of(target)["AssociationSize"] == 100


def test_a_flat_item_is_in_100_percentage_items(client, desk):
    group = desk.group()
    flat, targets = desk.flat(group), [desk.percentage(group) for _ in range(101)]
    put = lambda of: client.batch_associate_resources_to_custom_line_item(TargetArn=of, ResourceArns=[flat])
    assert all(put(of)["SuccessfullyAssociatedResources"] for of in targets[:100])
    assert put(targets[100])["FailedAssociatedResources"][0]["Error"]["Reason"] == "SERVICE_LIMIT_EXCEEDED"
    with limited():
        desk.percentage(group, 1, [flat])


def test_an_item_is_made_with_5_sources(server, desk):
    group = desk.group()
    flats = [desk.flat(group) for _ in range(6)]
    given = {"Name": "six", "Description": "six", "BillingGroupArn": group.arn,
             "ChargeDetails": {"Percentage": {"PercentageValue": 1, "AssociatedValues": flats}, "Type": "FEE"}}
    assert server.call("CreateCustomLineItem", given).reason == "FIELD_VALIDATION_FAILED"
    given["ChargeDetails"]["Percentage"]["AssociatedValues"] = flats[:5]
    assert server.call("CreateCustomLineItem", given).status == 200


def test_a_quota_holds_against_many_at_once(client, desk, full):
    """Ten places, twenty that want one: ten get in."""
    members = desk.members_of(full.arn)
    leaving = [one for one in members if one != full.primary][:10]
    client.disassociate_accounts(Arn=full.arn, AccountIds=leaving)
    results = at_once([lambda one=one: until_done(lambda: client.associate_accounts(Arn=full.arn, AccountIds=[one])) for one in accounts(20)])
    assert sum(isinstance(result, dict) for result in results) == 10, results
    assert desk.group_of(full.arn)["Size"] == 1000
