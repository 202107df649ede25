"""Budgets through boto3 and the AWS CLI, on either store: what they come to, who is told what and how often, what is refused, and who sees what."""
import datetime
import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from desk import NUMBERS, Desk, name
from policy_months import PolicyMonth
from server import PAYER, QUIET
from smtp import MailServer
from test_outbox import options

# The last day of the month: thirty days have costs, of which twenty-nine are not the first of their month.
NOW, DAYS = "2026-10-31T12:00:00Z", 30
# What AWS charges for every line of the other customer, and what it is charged: nobody else may ever find a digit of these.
CANARY, PRICE = "31415926.5358979323", "271.82818"


@pytest.fixture(scope="module")
def mail():
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def world(new_server, mail, tmp_path_factory):
    """Two customers: ours costs 1 a day at AWS and is charged 2 and a tenth of it, and has a fee that nobody charges AWS for."""
    server = new_server(transfers=False, now=NOW, options=options(mail))
    desk = Desk(server.client())
    rule = desk.rule(ModifierPercentage=10)
    ours, theirs = desk.group(2, plan=desk.plan(rule)), desk.group(1)
    month = PolicyMonth()
    for day in range(DAYS):
        month.line(ours.accounts[0], cost="0.75", public="1.5", service="AmazonS3", hour=24 * day + 5, unit="GB-Mo", usage_type="TimedStorage-ByteHrs")
        month.line(ours.accounts[1], cost="0.25", public="0.5", service="AWSLambda", hour=24 * day + 7, unit="Requests", usage_type="Lambda-Requests")
        month.line(theirs.accounts[0], cost=CANARY, public=PRICE, hour=24 * day + 9)
    month.line(ours.accounts[0], "Tax", cost="5", service="AmazonS3")
    server.load(month.write(tmp_path_factory.mktemp("budgets") / "cost"), "2026-10")
    viewer = server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [ours.arn])
    colleague = server.keys(f"colleague-{next(NUMBERS)}", "group-viewer", [ours.arn])
    narrow = server.keys(f"narrow-{next(NUMBERS)}", "group-viewer", [ours.arn], [ours.accounts[1]])
    other = server.keys(f"other-{next(NUMBERS)}", "group-viewer", [theirs.arn])
    world = SimpleNamespace(server=server, ours=ours, theirs=theirs, rule=rule, mail=mail,
                            keys={"client": server.root, "viewer": viewer, "colleague": colleague, "narrow": narrow, "other": other})
    return connected(world)


def connected(world):
    """The same world, with clients for the port that the server has now."""
    world.desk = Desk(world.server.client())
    for who, keys in world.keys.items():
        setattr(world, who, world.server.client(keys, service="budgets"))
    return world


def view(group):
    return f"arn:aws:billing::{PAYER}:billingview/" + ("primary" if group is None else f"billing-group-{group.primary}")


def of_accounts(*accounts):
    return {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": list(accounts)}}


def budget(limit="100", unit="USD", time_unit="MONTHLY", **more):
    given = {"BudgetName": name("budget"), "BudgetLimit": {"Amount": limit, "Unit": unit}, "TimeUnit": time_unit, "BudgetType": "COST"} | more
    return {key: value for key, value in given.items() if value is not None}


def create(client, given=None, alerts=(), **more):
    """A new budget; its name."""
    given = given or budget(**more)
    listed = [{"Notification": notification, "Subscribers": to} for notification, to in alerts]
    client.create_budget(AccountId=PAYER, Budget=given, NotificationsWithSubscribers=listed)
    return given["BudgetName"]


def described(client, of, **more):
    return client.describe_budget(AccountId=PAYER, BudgetName=of, **more)["Budget"]


def spent(client, of):
    spend = described(client, of)["CalculatedSpend"]
    amounts = [spend["ActualSpend"], spend.get("ForecastedSpend")]
    return [amount and f"{amount['Amount']} {amount['Unit']}" for amount in amounts]


def above(threshold, kind="ACTUAL", of="PERCENTAGE", comparison="GREATER_THAN"):
    return {"NotificationType": kind, "ComparisonOperator": comparison, "Threshold": threshold, "ThresholdType": of}


def to(*addresses):
    return [{"SubscriptionType": "EMAIL", "Address": address} for address in addresses]


def refused(act, code="InvalidParameterException"):
    with pytest.raises(ClientError) as raised:
        act()
    assert raised.value.response["Error"]["Code"] == code, raised.value
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return raised.value.response["Error"]["Message"]


def mails(world, address, count, seconds=30):
    """The subjects of an address's mails, once there are so many."""
    end = time.monotonic() + seconds
    while True:
        subjects = [came.message["Subject"] for came in world.mail.mails if address in came.recipients]
        if len(subjects) >= count or time.monotonic() > end:
            assert len(subjects) == count, subjects
            return subjects
        time.sleep(0.1)


def settled(world, seconds=30):
    """Waits until nothing is left to be sent."""
    end = time.monotonic() + seconds
    while [row for row in world.server.own("ListMessages").json["Messages"] if row["State"] in ("QUEUED", "SENDING")]:
        assert time.monotonic() < end
        time.sleep(0.1)


# ---- What a budget comes to

def test_a_budget_knows_what_was_spent_and_is_expected(world):
    ours = of_accounts(*world.ours.accounts)
    # Thirty days of 1 and 5 of tax on the first; one more day of 1 is to come, and of the quarter 62 with two first days of 6.
    for time_unit, expected in [("MONTHLY", ["35 USD", "36 USD"]), ("QUARTERLY", ["35 USD", "107 USD"]), ("ANNUALLY", ["35 USD", "107 USD"]),
                                ("DAILY", ["0 USD", "1 USD"])]:
        made = create(world.client, time_unit=time_unit, FilterExpression=ours, Metrics=["UnblendedCost"])
        assert spent(world.client, made) == expected, time_unit
        assert described(world.client, made)["HealthStatus"]["Status"] == "HEALTHY"


def test_filters_of_either_form_count_the_same(world):
    both = {"LinkedAccount": world.ours.accounts}
    lambda_ = {"Dimensions": {"Key": "SERVICE", "Values": ["AWSLambda"]}}
    for given, expected in [
            ({"CostFilters": both}, "35 USD"), ({"CostFilters": both, "CostTypes": {"IncludeTax": False}}, "30 USD"),
            ({"CostFilters": {**both, "Service": ["AWSLambda"]}}, "7.5 USD"),
            ({"FilterExpression": {"And": [of_accounts(*world.ours.accounts), lambda_]}, "Metrics": ["NetUnblendedCost"]}, "7.5 USD"),
            ({"FilterExpression": {"And": [of_accounts(*world.ours.accounts), {"Not": lambda_}]}, "Metrics": ["AmortizedCost"]}, "27.5 USD"),
            ({"CostFilters": both, "CostTypes": {"UseAmortized": True, "IncludeTax": False, "IncludeSupport": False, "IncludeDiscount": False}}, "30 USD")]:
        assert spent(world.client, create(world.client, **given))[0] == expected, given


def test_a_view_is_of_one_group_and_pro_forma(world):
    assert spent(world.client, create(world.client, BillingViewArn=view(world.ours))) == ["66 USD", "68.2 USD"]
    # A customer has that without asking for it; one that is narrowed has its own account.
    assert spent(world.viewer, create(world.viewer)) == ["66 USD", "68.2 USD"]
    assert spent(world.viewer, create(world.viewer, BillingViewArn=view(world.ours))) == ["66 USD", "68.2 USD"]
    assert spent(world.narrow, create(world.narrow)) == ["16.5 USD", "17.05 USD"]


def test_a_budget_of_usage_is_in_one_unit(world):
    requests = {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["Lambda-Requests"]}}
    made = create(world.client, unit="Requests", BudgetType="USAGE", FilterExpression=requests)
    assert spent(world.client, made) == ["30 Requests", "31 Requests"]
    mixed = create(world.client, unit="Requests", BudgetType="USAGE")
    health = described(world.client, mixed)["HealthStatus"]
    assert (health["Status"], health["StatusReason"]) == ("UNHEALTHY", "FILTER_INVALID")
    assert "CalculatedSpend" not in described(world.client, mixed)
    euros = create(world.client, unit="EUR")
    assert described(world.client, euros)["HealthStatus"]["StatusReason"] == "FILTER_INVALID"


def test_a_budget_is_described_as_it_was_given(world):
    given = budget(limit="0.50", FilterExpression={"Or": [of_accounts(world.ours.accounts[0]), {"Tags": {"Key": "Team", "MatchOptions": ["ABSENT"]}}]},
                   Metrics=["UnblendedCost"], TimePeriod={"Start": datetime.datetime(2026, 10, 5, tzinfo=datetime.UTC)}, BillingViewArn=view(None))
    create(world.client, given)
    plain, full = described(world.client, given["BudgetName"]), described(world.client, given["BudgetName"], ShowFilterExpression=True)
    assert "FilterExpression" not in plain and full["FilterExpression"] == given["FilterExpression"] and full["Metrics"] == ["UnblendedCost"]
    assert full["BudgetLimit"] == {"Amount": "0.5", "Unit": "USD"} and full["BillingViewArn"] == view(None)
    assert [full["TimePeriod"][key].date().isoformat() for key in ("Start", "End")] == ["2026-10-05", "2087-06-15"]
    assert "CostFilters" not in full and "CostTypes" not in full
    # From the fifth on, at 0.75 a day.
    assert described(world.client, create(world.client, {**given, "BudgetName": name("budget"), "FilterExpression": of_accounts(world.ours.accounts[0])})
                     )["CalculatedSpend"]["ActualSpend"]["Amount"] == "19.5"
    old = described(world.client, create(world.client, CostFilters={"Region": ["eu-west-1"]}))
    assert old["CostFilters"] == {"Region": ["eu-west-1"]} and old["CostTypes"]["IncludeTax"] is True and old["CostTypes"]["UseBlended"] is False
    assert [old["TimePeriod"]["Start"].date().isoformat(), old["TimeUnit"], old["BudgetType"]] == ["2026-10-01", "MONTHLY", "COST"]


def months(first, count):
    starts = [datetime.datetime(2026 + (first + month - 1) // 12, (first + month - 1) % 12 + 1, 1, tzinfo=datetime.UTC) for month in range(count)]
    return [str(int(start.timestamp())) for start in starts]


def test_limits_are_planned_month_by_month(world):
    planned = {start: {"Amount": str(100 + number), "Unit": "USD"} for number, start in enumerate(months(10, 12))}
    made = create(world.client, budget(BudgetLimit=None, PlannedBudgetLimits=planned))
    told = described(world.client, made)
    assert told["PlannedBudgetLimits"] == planned and told["BudgetLimit"] == {"Amount": "100", "Unit": "USD"}
    # What was described is taken again.
    world.client.update_budget(AccountId=PAYER, NewBudget={key: told[key] for key in (
        "BudgetName", "BudgetLimit", "PlannedBudgetLimits", "TimeUnit", "BudgetType", "TimePeriod", "CostFilters", "CostTypes")})
    for keys, says in [(months(10, 11), "2027-09-01 is not planned"), (months(9, 12), "2026-09-01 is not planned"), (months(10, 13), "2027-10-01 is not planned")]:
        wrong = budget(BudgetLimit=None, PlannedBudgetLimits={key: {"Amount": "1", "Unit": "USD"} for key in keys})
        assert says in refused(lambda: create(world.client, wrong))
    daily = budget(time_unit="DAILY", BudgetLimit=None, PlannedBudgetLimits=planned)
    assert "a budget of TimeUnit DAILY has none" in refused(lambda: create(world.client, daily))


def test_history_has_what_was_planned_and_spent(world):
    made = create(world.client, CostFilters={"LinkedAccount": world.ours.accounts}, TimePeriod={"Start": datetime.datetime(2026, 8, 1, tzinfo=datetime.UTC)})
    history = world.client.describe_budget_performance_history(AccountId=PAYER, BudgetName=made)["BudgetPerformanceHistory"]
    rows = [(row["TimePeriod"]["Start"].date().isoformat(), row["BudgetedAmount"]["Amount"], row["ActualAmount"]["Amount"])
            for row in history["BudgetedAndActualAmountsList"]]
    assert rows == [("2026-08-01", "100", "0"), ("2026-09-01", "100", "0"), ("2026-10-01", "100", "35")]
    page = world.client.describe_budget_performance_history(AccountId=PAYER, BudgetName=made, MaxResults=2)
    rest = world.client.describe_budget_performance_history(AccountId=PAYER, BudgetName=made, MaxResults=2, NextToken=page["NextToken"])
    counts = [len(part["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]) for part in (page, rest)]
    assert counts == [2, 1] and "NextToken" not in rest
    daily = create(world.client, time_unit="DAILY", CostFilters={"LinkedAccount": world.ours.accounts}, TimePeriod={"Start": datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC)})
    within = {"Start": datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC), "End": datetime.datetime(2026, 10, 4, tzinfo=datetime.UTC)}
    history = world.client.describe_budget_performance_history(AccountId=PAYER, BudgetName=daily, TimePeriod=within)["BudgetPerformanceHistory"]
    assert [row["ActualAmount"]["Amount"] for row in history["BudgetedAndActualAmountsList"]] == ["6", "1", "1"]
    years = create(world.client, time_unit="ANNUALLY")
    assert "is ANNUALLY" in refused(lambda: world.client.describe_budget_performance_history(AccountId=PAYER, BudgetName=years))


# ---- Who is told

def test_a_crossing_is_told_once_and_a_later_one_again(world):
    ann, bob = f"ann-{next(NUMBERS)}@example.com", f"bob-{next(NUMBERS)}@example.com"
    made = create(world.viewer, limit="60", alerts=[(above(100), to(ann, bob)), (above(120), to(ann)), (above(67, "FORECASTED", "ABSOLUTE_VALUE"), to(bob))])
    assert mails(world, ann, 1) == [f"Budget {made}: actual cost is above 100 % of 60 USD"]
    assert sorted(mails(world, bob, 2)) == [f"Budget {made}: actual cost is above 100 % of 60 USD", f"Budget {made}: forecasted cost is above 67 USD"]
    states = {of["Threshold"]: of["NotificationState"] for of in world.viewer.describe_notifications_for_budget(AccountId=PAYER, BudgetName=made)["Notifications"]}
    assert states == {100: "ALARM", 120: "OK", 67: "ALARM"}
    # Neither a restart nor pricing the month again tells it twice.
    world.server.restart()
    connected(world)
    # Public prices are 60, which is not above it; a fifth more is.
    for percent in (0, 20):
        world.desk.client.update_pricing_rule(Arn=world.rule, ModifierPercentage=percent)
        world.server.settle()
        wait_for_state(world, made, 100, "OK" if percent == 0 else "ALARM")
    assert len(mails(world, ann, 2)) == 2
    world.desk.client.update_pricing_rule(Arn=world.rule, ModifierPercentage=10)
    world.server.settle()
    time.sleep(2)
    settled(world)
    assert len(mails(world, ann, 2)) == 2
    facts = next(came for came in world.mail.mails if ann in came.recipients).text
    assert "2026-10-01 to 2026-10-31" in facts and "66 USD" in facts and CANARY[:8] not in facts


def wait_for_state(world, of, threshold, state, seconds=30):
    """Waits until a look at the budgets has noted a state: the one of what is described is always that of now."""
    end = time.monotonic() + seconds
    while True:
        told = world.viewer.describe_notifications_for_budget(AccountId=PAYER, BudgetName=of)["Notifications"]
        if state in [notification["NotificationState"] for notification in told if notification["Threshold"] == threshold]:
            time.sleep(1.5)
            return
        assert time.monotonic() < end
        time.sleep(0.2)


def test_the_payers_budgets_are_told_to_whom_it_has_named_too(world):
    cfo, ann, eve = (f"{who}-{next(NUMBERS)}@example.com" for who in ("cfo", "ann", "eve"))
    assert world.server.own("UpdateNotificationSettings", {"Emails": [cfo]}).status == 200
    ours = create(world.client, limit="1", alerts=[(above(50), to(ann))])
    theirs = create(world.viewer, limit="1", alerts=[(above(50), to(eve))])
    assert mails(world, ann, 1) == mails(world, cfo, 1) == [f"Budget {ours}: actual cost is above 50 % of 1 USD"]
    assert mails(world, eve, 1) == [f"Budget {theirs}: actual cost is above 50 % of 1 USD"]
    assert world.server.own("UpdateNotificationSettings", {"Emails": [], "Muted": ["budget"]}).status == 200
    create(world.client, limit="2", alerts=[(above(50), to(ann))])
    time.sleep(2)
    assert len(mails(world, ann, 1)) == 1
    assert world.server.own("UpdateNotificationSettings", {"Muted": []}).status == 200


def test_what_somebody_keeps_who_may_see_nothing_any_more_is_told_to_nobody(world):
    leaver = world.server.keys(f"leaver-{next(NUMBERS)}", "group-viewer", [world.ours.arn, world.theirs.arn])
    ann, eve = f"ann-{next(NUMBERS)}@example.com", f"eve-{next(NUMBERS)}@example.com"
    client = world.server.client(leaver, service="budgets")
    # 66 now, 72 with the higher price.
    create(client, limit="70", BillingViewArn=view(world.ours), alerts=[(above(100), to(eve))])
    create(world.viewer, limit="70", alerts=[(above(100), to(ann))])
    world.server.command("privacy", "erase", leaver.principal)
    world.desk.client.update_pricing_rule(Arn=world.rule, ModifierPercentage=20)
    world.server.settle()
    assert len(mails(world, ann, 1)) == 1
    settled(world)
    assert not [came for came in world.mail.mails if eve in came.recipients]
    world.desk.client.update_pricing_rule(Arn=world.rule, ModifierPercentage=10)
    world.server.settle()


def test_notifications_and_subscribers_change(world):
    of = {"AccountId": PAYER, "BudgetName": create(world.client, limit="100000000000000", alerts=[(above(80), to("a@example.com"))])}
    client, at = world.client, {"Notification": above(80)}
    client.create_notification(**of, Notification=above(90.5, "FORECASTED"), Subscribers=to("b@example.com", "c@example.com"))
    client.create_subscriber(**of, **at, Subscriber=to("d@example.com")[0])
    client.update_subscriber(**of, **at, OldSubscriber=to("a@example.com")[0], NewSubscriber=to("e@example.com")[0])
    told = client.describe_subscribers_for_notification(**of, **at)["Subscribers"]
    assert [one["Address"] for one in told] == ["e@example.com", "d@example.com"] and {one["SubscriptionType"] for one in told} == {"EMAIL"}
    client.delete_subscriber(**of, **at, Subscriber=to("e@example.com")[0])
    assert "would tell nobody" in refused(lambda: client.delete_subscriber(**of, **at, Subscriber=to("d@example.com")[0]))
    client.update_notification(**of, OldNotification=above(80), NewNotification=above(85))
    listed = client.describe_notifications_for_budget(**of)["Notifications"]
    assert sorted((one["NotificationType"], one["Threshold"], one["NotificationState"]) for one in listed) == [("ACTUAL", 85, "OK"), ("FORECASTED", 90.5, "OK")]
    everything = [page for page in client.get_paginator("describe_budget_notifications_for_account").paginate(AccountId=PAYER, PaginationConfig={"PageSize": 3})]
    assert of["BudgetName"] in {one["BudgetName"] for page in everything for one in page["BudgetNotificationsForAccount"]}
    client.delete_notification(**of, Notification=above(85))
    assert len(client.describe_notifications_for_budget(**of)["Notifications"]) == 1
    for act, code, says in [
            (lambda: client.create_notification(**of, Notification=above(90.5, "FORECASTED"), Subscribers=to("x@example.com")), "DuplicateRecordException", "already"),
            (lambda: client.create_subscriber(**of, Notification=above(90.5, "FORECASTED"), Subscriber=to("B@example.com")[0]), "DuplicateRecordException", "already"),
            (lambda: client.describe_subscribers_for_notification(**of, Notification=above(1)), "NotFoundException", "ACTUAL/GREATER_THAN/1/PERCENTAGE"),
            (lambda: client.create_subscriber(**of, Notification=above(90.5, "FORECASTED"), Subscriber={"SubscriptionType": "SNS", "Address": "arn:aws:sns:x"}),
             "InvalidParameterException", "--webhook"),
            (lambda: client.create_subscriber(**of, Notification=above(90.5, "FORECASTED"), Subscriber=to("nobody")[0]), "InvalidParameterException", "no address of mail"),
            (lambda: client.create_notification(**of, Notification=above(2), Subscribers=to(*[f"{n}@example.com" for n in range(11)])),
             "CreationLimitExceededException", "10 at most")]:
        assert says in refused(act, code)
    for number in range(9):
        client.create_notification(**of, Notification=above(number), Subscribers=to("a@example.com"))
    assert "10 at most" in refused(lambda: client.create_notification(**of, Notification=above(99), Subscribers=to("a@example.com")), "CreationLimitExceededException")


def test_budgets_follow_definitions_of_cost_categories(world):
    of, address = name("category"), f"{name('category')}@example.com"
    create(world.client, limit="1", CostFilters={"CostCategory": [f"{of}$storage"]}, alerts=[(above(100), to(address))])
    rules = [{"Value": "storage", "Rule": {"Dimensions": {"Key": "SERVICE_CODE", "Values": ["AmazonS3"]}}}]
    mails(world, address, 0, seconds=0)
    world.server.client(service="ce").create_cost_category_definition(Name=of, RuleVersion="CostCategoryExpression.v1", Rules=rules)
    mails(world, address, 1)


# ---- What is refused

@pytest.mark.parametrize("given, says", [
    ({"BudgetType": "RI_UTILIZATION"}, "COST or USAGE"), ({"TimeUnit": "CUSTOM"}, "DAILY, MONTHLY, QUARTERLY, ANNUALLY"),
    ({"BudgetLimit": None}, "BudgetLimit: a budget has one"), ({"BudgetLimit": {"Amount": "0", "Unit": "USD"}}, "above 0"),
    ({"BudgetLimit": {"Amount": "1", "Unit": "Dollars"}}, "no currency"), ({"BudgetLimit": {"Amount": "0.12345678901", "Unit": "USD"}}, "more than 10 decimals"),
    ({"AutoAdjustData": {"AutoAdjustType": "FORECAST"}}, "not served"), ({"CostFilters": {"Resource": ["x"]}}, "filters are AZ, "),
    ({"CostFilters": {"Service": ["x"]}, "Metrics": ["UnblendedCost"]}, "give the ones or the others"),
    ({"FilterExpression": {"Dimensions": {"Key": "USAGE_TYPE_GROUP", "Values": ["x"]}}}, "cannot tell the dimension"),
    ({"FilterExpression": {"Dimensions": {"Key": "SERVICE", "Values": ["x"]}}, "Metrics": ["UsageQuantity"]}, "not what a budget of type COST is of"),
    ({"BudgetName": "a/action/b"}, "/action/"), ({"BudgetName": "a\u0000"}, "control characters"), ({"BudgetName": "a\nb"}, "control characters"),
    ({"TimePeriod": {"Start": datetime.datetime(2026, 11, 1), "End": datetime.datetime(2026, 10, 1)}}, "is not before End"),
    ({"BillingViewArn": f"arn:aws:billing::{PAYER}:billingview/billing-group-123456789012"}, "is no billing view"),
])
def test_what_cannot_be_planned_is_refused(world, given, says):
    before = len(world.client.describe_budgets(AccountId=PAYER, MaxResults=1000)["Budgets"])
    assert says in refused(lambda: create(world.client, budget(**given)))
    assert len(world.client.describe_budgets(AccountId=PAYER, MaxResults=1000)["Budgets"]) == before


def test_a_name_is_given_once(world):
    made = create(world.client)
    assert f"`{made}`" in refused(lambda: create(world.client, budget(BudgetName=made)), "DuplicateRecordException")
    world.client.delete_budget(AccountId=PAYER, BudgetName=made)
    assert f"`{made}`" in refused(lambda: described(world.client, made), "NotFoundException")
    create(world.client, budget(BudgetName=made, limit="7"))
    assert described(world.client, made)["BudgetLimit"]["Amount"] == "7"
    assert refused(lambda: world.client.update_budget(AccountId=PAYER, NewBudget=budget()), "NotFoundException")


# ---- Who sees what

def test_nobody_finds_what_others_keep(world):
    secret = create(world.client, budget(BudgetName=name("secret")), [(above(80), to("cfo@example.com"))])
    mine = create(world.viewer, alerts=[(above(80), to("me@example.com"))])
    create(world.other, budget(BudgetName=mine, limit="3"))
    for client in (world.viewer, world.narrow, world.other):
        unknown = f"unknown-{next(NUMBERS)}"
        for act in ("describe_budget", "delete_budget", "describe_notifications_for_budget", "describe_budget_performance_history"):
            messages = {refused(lambda: getattr(client, act)(AccountId=PAYER, BudgetName=of), "NotFoundException").replace(of, "X") for of in (secret, unknown)}
            assert len(messages) == 1
        given = {"AccountId": PAYER, "BudgetName": secret}
        refused(lambda: client.create_notification(**given, Notification=above(1), Subscribers=to("eve@example.com")), "NotFoundException")
        refused(lambda: client.describe_subscribers_for_notification(**given, Notification=above(80)), "NotFoundException")
        refused(lambda: client.list_tags_for_resource(ResourceARN=arn(secret)), "NotFoundException")
        refused(lambda: client.update_budget(AccountId=PAYER, NewBudget=budget(BudgetName=secret)), "NotFoundException")
        everything = json.dumps([client.describe_budgets(AccountId=PAYER), client.describe_budget_notifications_for_account(AccountId=PAYER)], default=str)
        assert secret not in everything and "cfo@example.com" not in everything and CANARY[:8] not in everything
    # Whoever sees the same has the same budgets; who sees less has its own, and a name that somebody else has is free.
    assert described(world.colleague, mine)["BudgetLimit"]["Amount"] == "100" and described(world.other, mine)["BudgetLimit"]["Amount"] == "3"
    refused(lambda: described(world.narrow, mine), "NotFoundException")
    refused(lambda: described(world.client, mine), "NotFoundException")


def test_nobody_plans_on_what_it_does_not_see(world):
    denied = {refused(lambda: create(world.viewer, BillingViewArn=of), "AccessDeniedException")
              for of in (view(None), view(world.theirs), f"arn:aws:billing::{PAYER}:billingview/billing-group-123456789012")}
    assert len(denied) == 1
    amounts = spent(world.viewer, create(world.viewer, FilterExpression=of_accounts(world.theirs.primary), Metrics=["UnblendedCost"]))
    assert amounts == ["0 USD", "0 USD"]
    for client in (world.client, world.viewer):
        refused(lambda: client.describe_budgets(AccountId="123456789012"), "AccessDeniedException")
    analyst = world.server.client(world.server.keys(f"analyst-{next(NUMBERS)}", "analyst"), service="budgets")
    assert analyst.describe_budgets(AccountId=PAYER)["Budgets"]
    refused(lambda: create(analyst), "AccessDeniedException")


def arn(of):
    return f"arn:aws:budgets::{PAYER}:budget/{of}"


def test_tags_of_a_budget(world):
    given = budget()
    world.client.create_budget(AccountId=PAYER, Budget=given, ResourceTags=[{"Key": "team", "Value": "web"}])
    of = arn(given["BudgetName"])
    world.client.tag_resource(ResourceARN=of, ResourceTags=[{"Key": "env", "Value": "prod"}, {"Key": "team", "Value": "db"}])
    world.client.untag_resource(ResourceARN=of, ResourceTagKeys=["env"])
    assert world.client.list_tags_for_resource(ResourceARN=of)["ResourceTags"] == [{"Key": "team", "Value": "db"}]
    assert "reserved" in refused(lambda: world.client.tag_resource(ResourceARN=of, ResourceTags=[{"Key": "aws:x", "Value": "y"}]))


def test_pages_and_the_aws_cli(world):
    names = {create(world.other) for _ in range(5)}
    pages = list(world.other.get_paginator("describe_budgets").paginate(AccountId=PAYER, PaginationConfig={"PageSize": 2}))
    assert names <= {of["BudgetName"] for page in pages for of in page["Budgets"]} and len(pages) > 2
    environment = QUIET | world.server.root.environment | {"PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
    answer = subprocess.run([sys.executable, "-m", "awscli", "budgets", "describe-budgets", "--account-id", PAYER, "--endpoint-url", world.server.endpoint,
                             "--output", "json"], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["Budgets"]


def test_a_person_is_taken_out_of_budgets(world):
    ann = f"ann.privacy-{next(NUMBERS)}@example.com"
    made = create(world.client, limit="100000000000000", alerts=[(above(80), to(ann, "other@example.com"))])
    assert ann in world.server.command("privacy", "export", ann)
    world.server.command("privacy", "erase", ann)
    told = world.client.describe_subscribers_for_notification(AccountId=PAYER, BudgetName=made, Notification=above(80))["Subscribers"]
    assert ann not in json.dumps(told) and "other@example.com" in json.dumps(told)
    assert ann not in world.server.command("privacy", "export", ann, "--output", "json")
