"""Cost categories through boto3, the AWS CLI and our own command, on either store: definitions, what they make of costs, split charges, and who may."""
import csv
import io
import json
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from fractions import Fraction
from types import SimpleNamespace

import pytest

from desk import NUMBERS, Desk, account, name
from policy_months import PolicyMonth
from program import units
from server import CURRENT, PAYER, PREVIOUS, QUIET, Server, command, in_period
from test_cost_explorer import ACCOUNT, OCTOBER, asked, customer, groups, refused, view

V1 = "CostCategoryExpression.v1"
SERVICES = [("AmazonS3", "TimedStorage-ByteHrs", "GB-Mo"), ("AWSLambda", "Lambda-Requests", "Requests"), ("AmazonEC2", "USW2-BoxUsage:m5.large", "Hrs"),
            ("AmazonEC2", "EBS:VolumeUsage.gp3", "GB-Mo")]
WRITES = {"CreateCostCategoryDefinition", "DeleteCostCategoryDefinition", "TagResource", "UntagResource", "UpdateCostCategoryDefinition"}
READS = {"DescribeCostCategoryDefinition", "ListCostCategoryDefinitions", "ListCostCategoryResourceAssociations", "ListTagsForResource"}
NOBODYS = f"arn:aws:ce::{PAYER}:costcategory/nobody0000"
# Accounts of the world by their places, some named: no two names begin alike but for their case.
NAMES = {0: "Web shop", 1: "web api", 2: "Data-lake", 4: "Billing"}


def start(month):
    return f"{month}-01T00:00:00Z"


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers with lines of four services, some with tags and a cost category of the cost files; and viewers of the first."""
    server = new_server(transfers=False)
    reports = {"tags": ["user_team"], "cost_categories": ["Files", "Kind"]}
    server.apply({"payer_account_id": PAYER, "currency": "USD", "reports": reports}, "--period", PREVIOUS)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    ours, theirs, outside = customer(desk, plan), customer(desk, plan, 3), account()
    accounts = [*ours.accounts, *theirs.accounts, outside]
    month, chance, lines = PolicyMonth(), random.Random(3), []
    for number, member in enumerate(accounts):
        for place in range(10):
            service, usage_type, unit = SERVICES[place % 4]
            team, files = ["", "red", "Blue"][(number + place) % 3], ["", "old", "new"][place % 3]
            kind = "Credit" if place == 9 else "Usage"
            cost = f"{'-' if place == 9 else ''}{chance.randrange(1, 10**6)}.{chance.randrange(10**10):010}"
            month.line(member, kind, cost=cost, service=service, usage_type=usage_type, unit=unit, hour=chance.randrange(24 * 31),
                       tags={"user_team": team} if team else {}, categories={"Kind": "file"} | ({"Files": files} if files else {}))
            lines.append({"LINKED_ACCOUNT": member, "LINKED_ACCOUNT_NAME": NAMES.get(number, ""), "SERVICE_CODE": service, "USAGE_TYPE": usage_type,
                          "RECORD_TYPE": kind, "REGION": "us-east-1", "BILLING_ENTITY": "AWS", "team": team, "Files": files, "cost": units(cost)})
    server.load(month.write(tmp_path_factory.mktemp("cost-categories") / "cost"))
    server.own("DeclareAccounts", {"Accounts": [{"AccountId": accounts[number], "Name": text} for number, text in NAMES.items()], "Complete": False})
    viewer = server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [ours.arn])
    return SimpleNamespace(server=server, client=server.client(service="ce"), ours=ours, theirs=theirs, outside=outside, lines=lines, accounts=accounts,
                           viewer=server.client(viewer, service="ce"), viewer_keys=viewer)


def is_of(key, *values, options=(), kind="Dimensions"):
    return {kind: {"Key": key} | ({"Values": list(values)} if values else {}) | ({"MatchOptions": list(options)} if options else {})}


def value(of, rule):
    return {"Value": of, "Rule": rule, "Type": "REGULAR"}


def inherited(dimension, key=None):
    return {"Type": "INHERITED_VALUE", "InheritedValue": {"DimensionName": dimension} | ({"DimensionKey": key} if key else {})}


def define(world, rules, of=None, client=None, **more):
    given = {"Name": of or name("category"), "RuleVersion": V1, "Rules": rules, "EffectiveStart": start(PREVIOUS)} | more
    return given["Name"], (client or world.client).create_cost_category_definition(**{key: of for key, of in given.items() if of is not None})["CostCategoryArn"]


def described(world, arn, **more):
    return world.client.describe_cost_category_definition(CostCategoryArn=arn, **more)["CostCategory"]


def by(client, of, metric="UnblendedCost", **more):
    """The sums of a cost category's values, in whole units."""
    found = groups(asked(client, GroupBy=[{"Type": "COST_CATEGORY", "Key": of}], Metrics=[metric], **more), metric)
    return {keys[0].removeprefix(f"{of}$"): units(amount) for keys, amount in found.items()}


# ---- Rules over again: line by line

def fits(line, expression, defined):
    (root, of), = expression.items()
    if root in ("And", "Or"):
        return {"And": all, "Or": any}[root](fits(line, part, defined) for part in of)
    if root == "Not":
        return not fits(line, of, defined)
    found = {"Dimensions": lambda: line[of["Key"]], "Tags": lambda: line[of["Key"]],
             "CostCategories": lambda: valued(line, defined[of["Key"]], defined) if of["Key"] in defined else line[of["Key"]]}[root]()
    options = of.get("MatchOptions", [])
    if "ABSENT" in options:
        return found == ""
    if root == "Dimensions" and not found:
        # What has no value has one that says so.
        found = "NoLinkedAccountName" if of["Key"] == "LINKED_ACCOUNT_NAME" else found
    fold = (lambda text: text.lower()) if "CASE_INSENSITIVE" in options else (lambda text: text)
    compare = {"STARTS_WITH": str.startswith, "ENDS_WITH": str.endswith, "CONTAINS": str.__contains__}
    how = next((compare[option] for option in options if option in compare), str.__eq__)
    return any(how(fold(found), fold(given)) for given in of["Values"])


def valued(line, definition, defined):
    for rule in definition["Rules"]:
        if "InheritedValue" in rule:
            key = rule["InheritedValue"].get("DimensionKey", "LINKED_ACCOUNT_NAME")
            if line[key]:
                return line[key]
        elif fits(line, rule["Rule"], defined):
            return rule["Value"]
    return definition.get("DefaultValue", "")


def naive(world, definition, defined):
    sums = defaultdict(int)
    for line in world.lines:
        sums[valued(line, definition, defined)] += line["cost"]
    return dict(sums)


def random_rules(world, chance, defined):
    known = {"LINKED_ACCOUNT": world.accounts, "LINKED_ACCOUNT_NAME": list(NAMES.values()), "SERVICE_CODE": ["AmazonS3", "AWSLambda", "AmazonEC2"],
             "USAGE_TYPE": [of for _, of, _ in SERVICES], "RECORD_TYPE": ["Usage", "Credit"], "REGION": ["us-east-1", "eu-west-1"]}

    def leaf():
        kind = chance.choice(["Dimensions", "Dimensions", "Tags", "CostCategories"])
        key = {"Dimensions": chance.choice(list(known)), "Tags": "team", "CostCategories": chance.choice(["Files", *defined])}[kind]
        if kind != "Dimensions" and chance.random() < 0.2:
            return is_of(key, options=["ABSENT"], kind=kind)
        values = known.get(key) or (["red", "Blue"] if kind == "Tags" else ["old", "new", "a", "b", "rest"])
        how = chance.choice([[], [], ["EQUALS"], ["STARTS_WITH"], ["ENDS_WITH"], ["CONTAINS"]]) + chance.choice([[], ["CASE_INSENSITIVE"], ["CASE_SENSITIVE"]])
        picked = chance.sample(values, min(len(values), chance.choice([1, 1, 2])))
        cut = (lambda text: text) if not set(how) & {"STARTS_WITH", "ENDS_WITH", "CONTAINS"} else (
            lambda text: {"STARTS_WITH": text[:3], "ENDS_WITH": text[-3:], "CONTAINS": text[1:4]}[how[0]])
        fold = chance.choice([str, str.upper, str.lower]) if "CASE_INSENSITIVE" in how else str
        return is_of(key, *[fold(cut(text)) for text in picked], options=how, kind=kind)

    def expression(depth):
        kind = chance.choice(["And", "Or", "Not", "Is", "Is"]) if depth else "Is"
        if kind == "Is":
            return leaf()
        return {kind: expression(depth - 1)} if kind == "Not" else {kind: [expression(depth - 1) for _ in range(chance.choice([2, 3]))]}

    rules = [value(chance.choice(["a", "b", "c"]), expression(2)) for _ in range(chance.randrange(1, 5))]
    if chance.random() < 0.5:
        rules.insert(chance.randrange(len(rules) + 1), chance.choice([inherited("TAG", "team"), inherited("LINKED_ACCOUNT_NAME")]))
    return {"Rules": rules} | ({"DefaultValue": "rest"} if chance.random() < 0.5 else {})


def test_rules_are_applied_as_line_by_line(world):
    chance, defined, made, ever = random.Random(17), {}, {}, set()
    for _ in range(30):
        if len(defined) == 8:
            # As many as stand beside each other well; the first ones are looked at by later ones.
            gone = next(reversed(defined))
            world.client.delete_cost_category_definition(CostCategoryArn=made.pop(gone))
            defined.pop(gone)
        definition = random_rules(world, chance, defined)
        of, arn = define(world, definition["Rules"], DefaultValue=definition.get("DefaultValue"))
        defined[of], made[of] = definition, arn
        ever.add(of)
        assert by(world.client, of) == naive(world, definition, defined), definition
        values = world.client.get_cost_categories(TimePeriod=OCTOBER, CostCategoryName=of)["CostCategoryValues"]
        assert values == sorted(naive(world, definition, defined))
        picked = chance.choice(values)
        chosen = asked(world.client, Filter=is_of(of, picked, kind="CostCategories"))["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"]
        assert units(chosen) == naive(world, definition, defined)[picked]
    names = world.client.get_cost_categories(TimePeriod=OCTOBER)["CostCategoryNames"]
    # Those that have ended hold for October; one whose rules fit nothing has no value to be named by.
    assert {"Files", "Kind"} <= set(names) <= {"Files", "Kind", *ever}
    for arn in made.values():
        world.client.delete_cost_category_definition(CostCategoryArn=arn)


def test_a_definition_goes_before_the_cost_files(world):
    assert by(world.client, "Kind").keys() == {"file"}
    _, arn = define(world, [value("all", is_of("RECORD_TYPE", "Usage"))], "Kind", DefaultValue="else")
    assert by(world.client, "Kind").keys() == {"all", "else"}
    assert world.client.get_cost_categories(TimePeriod=OCTOBER, CostCategoryName="Kind")["CostCategoryValues"] == ["all", "else"]
    # It ends with the month before this one, so that October keeps it; an update from October on takes it back.
    ended = world.client.delete_cost_category_definition(CostCategoryArn=arn)
    assert ended == {"CostCategoryArn": arn, "EffectiveEnd": "2026-10-31T23:59:59Z", "ResponseMetadata": ended["ResponseMetadata"]}
    assert by(world.client, "Kind").keys() == {"all", "else"}
    refused(lambda: described(world, arn), "ResourceNotFoundException")
    assert described(world, arn, EffectiveOn="2026-10-15T12:00:00Z")["EffectiveEnd"] == "2026-10-31T23:59:59Z"


def test_what_is_changed_holds_from_a_month_on(world):
    of, arn = define(world, [value("one", is_of("RECORD_TYPE", "Usage"))], ResourceTags=[{"Key": "owner", "Value": "finance"}])
    assert by(world.client, of).keys() == {"", "one"}
    changed = world.client.update_cost_category_definition(CostCategoryArn=arn, RuleVersion=V1, Rules=[value("two", is_of("RECORD_TYPE", "Usage"))])
    assert changed["EffectiveStart"] == start(CURRENT)
    assert by(world.client, of).keys() == {"", "one"}, "earlier months keep their rules"
    assert (described(world, arn)["Rules"][0]["Value"], described(world, arn)["EffectiveStart"]) == ("two", start(CURRENT))
    october = described(world, arn, EffectiveOn="2026-10-31T23:59:59Z")
    assert (october["Rules"][0]["Value"], october["EffectiveStart"], october["EffectiveEnd"]) == ("one", start(PREVIOUS), "2026-10-31T23:59:59Z")
    world.client.update_cost_category_definition(CostCategoryArn=arn, RuleVersion=V1, EffectiveStart=start("2026-08"),
                                                 Rules=[value("three", is_of("RECORD_TYPE", "Usage"))], DefaultValue="none")
    assert by(world.client, of).keys() == {"none", "three"}
    assert described(world, arn)["EffectiveStart"] == start("2026-08") and "EffectiveEnd" not in described(world, arn)
    refused(lambda: described(world, arn, EffectiveOn="2026-07-31T23:59:59Z"), "ResourceNotFoundException")
    assert world.client.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == [{"Key": "owner", "Value": "finance"}]


def test_values_are_the_names_that_accounts_have_now(world):
    of, arn = define(world, [inherited("LINKED_ACCOUNT_NAME")], DefaultValue="unnamed")
    assert by(world.client, of).keys() == {*NAMES.values(), "unnamed"}
    # Names are those of now.
    world.server.own("DeclareAccounts", {"Accounts": [{"AccountId": world.outside, "Name": "Outside"}], "Complete": False})
    assert by(world.client, of).keys() == {*NAMES.values(), "Outside", "unnamed"}
    world.client.delete_cost_category_definition(CostCategoryArn=arn)


def test_a_definition_comes_back_as_it_was_given(world):
    rules = [value("Web-1", {"And": [is_of("LINKED_ACCOUNT_NAME", "web", options=["STARTS_WITH", "CASE_INSENSITIVE"]),
                                     {"Not": is_of("team", options=["ABSENT"], kind="Tags")}]}),
             value("rest_2", {"Or": [is_of("REGION", "us-east-1"), is_of("Files", "old", kind="CostCategories")]}), inherited("TAG", "team")]
    splits = [{"Source": "shared", "Targets": ["Web-1", "rest_2"], "Method": "FIXED", "Parameters": [{"Type": "ALLOCATION_PERCENTAGES", "Values": ["33.3", "66.7"]}]},
              {"Source": "", "Targets": ["Web-1"], "Method": "EVEN"}]
    of, arn = define(world, rules, DefaultValue="shared", SplitChargeRules=splits)
    assert described(world, arn) == {
        "CostCategoryArn": arn, "Name": of, "EffectiveStart": start(PREVIOUS), "RuleVersion": V1, "Rules": rules, "DefaultValue": "shared",
        "SplitChargeRules": splits, "ProcessingStatus": [{"Component": "COST_EXPLORER", "Status": "APPLIED"}]}
    listed = pages(world)
    assert [entry["Name"] for entry in listed] == sorted(entry["Name"] for entry in listed)
    assert next(entry for entry in listed if entry["Name"] == of) == {
        "CostCategoryArn": arn, "Name": of, "EffectiveStart": start(PREVIOUS), "NumberOfRules": 3, "Values": ["Web-1", "rest_2"], "DefaultValue": "shared",
        "ProcessingStatus": [{"Component": "COST_EXPLORER", "Status": "APPLIED"}], "SupportedResourceTypes": ["billing:billingview"]}
    assert world.client.list_cost_category_definitions(EffectiveOn="2026-09-30T00:00:00Z")["CostCategoryReferences"] == [
        entry for entry in listed if entry["EffectiveStart"] < start(PREVIOUS)]
    assert world.client.list_cost_category_definitions(SupportedResourceTypes=["billing:creditsharing"])["CostCategoryReferences"] == []
    arn_of_view = world.server.client(service="billing").create_billing_view(
        name=name("view"), sourceViews=[view()], dataFilterExpression={"costCategories": {"key": of, "values": ["Web-1"]}})["arn"]
    associated = world.client.list_cost_category_resource_associations(CostCategoryArn=arn)["CostCategoryResourceAssociations"]
    assert associated == [{"ResourceArn": arn_of_view, "CostCategoryName": of, "CostCategoryArn": arn}]
    assert units(asked(world.client, BillingViewArn=arn_of_view)["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"]) == by(world.client, of)["Web-1"]
    refused(lambda: world.client.list_cost_category_resource_associations(CostCategoryArn=NOBODYS), "ResourceNotFoundException")
    world.client.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    world.client.untag_resource(ResourceArn=arn, ResourceTagKeys=["a", "nobody"])
    assert world.client.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": f"key-{number}", "Value": ""} for number in range(50)]
    assert "51 tags" in refused(lambda: world.client.tag_resource(ResourceArn=arn, ResourceTags=many), "TooManyTagsException")
    assert described(world, arn)["EffectiveStart"] == start(PREVIOUS), "tags change no rules"


def pages(world):
    found, given = [], {"MaxResults": 1}
    while True:
        page = world.client.list_cost_category_definitions(**given)
        found += page["CostCategoryReferences"]
        if not (token := page.get("NextToken")):
            return found
        given["NextToken"] = token


# ---- What else asks by cost categories

def test_budgets_and_comparisons_ask_by_definitions(world):
    of, _ = define(world, [value("storage", is_of("SERVICE_CODE", "AmazonS3"))], DefaultValue="else")
    expected = by(world.client, of)["storage"]
    budgets = world.server.client(service="budgets")
    budget = {"BudgetName": name("budget"), "BudgetLimit": {"Amount": "100", "Unit": "USD"}, "TimeUnit": "QUARTERLY", "BudgetType": "COST",
              "CostFilters": {"CostCategory": [f"{of}$storage"]}}
    budgets.create_budget(AccountId=PAYER, Budget=budget)
    spent = budgets.describe_budget(AccountId=PAYER, BudgetName=budget["BudgetName"])["Budget"]["CalculatedSpend"]["ActualSpend"]
    assert units(spent["Amount"]) == expected
    compared = world.client.get_cost_and_usage_comparisons(
        BaselineTimePeriod=OCTOBER, ComparisonTimePeriod=OCTOBER, MetricForComparison="UnblendedCost", GroupBy=[{"Type": "COST_CATEGORY", "Key": of}])
    told = {of["CostAndUsageSelector"]["CostCategories"]["Values"][0]: of["Metrics"]["UnblendedCost"]["BaselineTimePeriodAmount"]
            for of in compared["CostAndUsageComparisons"]}
    assert units(told["storage"]) == expected and told.keys() == {"storage", "else"}


def test_a_customer_sees_values_on_its_own_pro_forma(world):
    rules = [value("red", is_of("team", "red", kind="Tags")), value("theirs", is_of("LINKED_ACCOUNT", *world.theirs.accounts)), inherited("LINKED_ACCOUNT_NAME")]
    of, arn = define(world, rules, DefaultValue="margin")
    for client, more in ((world.viewer, {}), (world.client, {"BillingViewArn": view(world.ours)})):
        found = by(client, of, **more)
        assert found.keys() == {"red", "Web shop", "web api"}
        total = asked(client, **more)["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"]
        assert sum(found.values()) == units(total)
        per_account = groups(asked(client, GroupBy=[*ACCOUNT, {"Type": "COST_CATEGORY", "Key": of}], **more))
        assert {keys[1] for keys in per_account if keys[0] == world.ours.primary} == {f"{of}$red", f"{of}$Web shop"}
    assert world.viewer.get_cost_categories(TimePeriod=OCTOBER, CostCategoryName=of)["CostCategoryValues"] == ["Web shop", "red", "web api"]
    # Definitions name accounts and teams of others: they are the payer's.
    for act in (lambda: world.viewer.describe_cost_category_definition(CostCategoryArn=arn), world.viewer.list_cost_category_definitions,
                lambda: world.viewer.describe_cost_category_definition(CostCategoryArn=NOBODYS)):
        refused(act, "AccessDeniedException")


# ---- Split charges

def shares(whole, weights):
    """Parts of whole units, cut, with what is missing for the largest remainders."""
    total = sum(weights)
    if not total:
        weights, total = [1] * len(weights), len(weights)
    exact = [Fraction(abs(whole) * weight, total) for weight in weights]
    parts = [int(of) for of in exact]
    order = sorted(range(len(parts)), key=lambda place: (-(exact[place] - parts[place]), place))
    for place in order[:abs(whole) - sum(parts)]:
        parts[place] += 1
    return [part if whole >= 0 else -part for part in parts]


def allocated(world, of, **more):
    answer = world.server.own("GetCostCategoryAllocation", {"CostCategory": of, "BillingPeriod": PREVIOUS} | more)
    assert answer.status == 200, answer.body
    return answer.json


def test_split_charges_deal_costs_out_and_lose_nothing(world):
    chance = random.Random(5)
    rules = [value(of, is_of("LINKED_ACCOUNT", member)) for of, member in zip("abcde", world.accounts)]
    of, arn = define(world, rules, DefaultValue="shared")
    for _ in range(12):
        values = ["", "a", "b", "c", "d", "e", "shared"]
        sources = chance.sample(values, chance.choice([1, 2, 3]))
        splits = []
        for source in sources:
            targets = chance.sample([of for of in values if of and of not in sources], chance.randrange(1, 4))
            split = {"Source": source, "Targets": targets, "Method": chance.choice(["FIXED", "PROPORTIONAL", "EVEN"])}
            if split["Method"] == "FIXED":
                cut = sorted(chance.sample(range(1, 1_000_000), len(targets) - 1))
                parts = [high - low for low, high in zip([0, *cut], [*cut, 1_000_000])]
                split["Parameters"] = [{"Type": "ALLOCATION_PERCENTAGES", "Values": [f"{part // 10_000}.{part % 10_000:04}" for part in parts]}]
            splits.append(split)
        world.client.update_cost_category_definition(CostCategoryArn=arn, RuleVersion=V1, EffectiveStart=start(PREVIOUS), Rules=rules,
                                                     DefaultValue="shared", SplitChargeRules=splits)
        metric, more = chance.choice([("UnblendedCost", {}), ("AmortizedCost", {}), ("UnblendedCost", {"BillingViewArn": view(world.theirs)})])
        costs = by(world.client, of, metric, **more)
        expected = {of: [cost, 0, 0] for of, cost in costs.items()}
        for split in splits:
            own = [max(costs.get(target, 0), 0) for target in split["Targets"]]
            weights = {"EVEN": [1] * len(own), "PROPORTIONAL": own}.get(split["Method"]) or [
                int(text.replace(".", "")) for text in split["Parameters"][0]["Values"]]
            expected.setdefault(split["Source"], [0, 0, 0])[1] += costs.get(split["Source"], 0)
            for target, part in zip(split["Targets"], shares(costs.get(split["Source"], 0), weights)):
                expected.setdefault(target, [0, 0, 0])[2] += part
        told = allocated(world, chance.choice([of, arn]), Metric=metric, **more)
        found = {row["Value"]: [units(row[member]) for member in ("Cost", "SplitOut", "SplitIn")] for row in told["Allocations"]}
        assert found == expected, splits
        assert all(units(row["Total"]) == units(row["Cost"]) - units(row["SplitOut"]) + units(row["SplitIn"]) for row in told["Allocations"])
        assert sum(units(row["Total"]) for row in told["Allocations"]) == sum(costs.values())
        assert sum(units(row["Amount"]) for row in told["Splits"]) == sum(of[1] for of in expected.values())
        assert by(world.client, of, metric, **more) == costs, "Cost Explorer shows costs as they were"


def test_a_month_keeps_its_splits_when_the_name_is_used_again(world):
    rules = [value("a", is_of("LINKED_ACCOUNT", world.accounts[0]))]
    split = {"Source": "rest", "Targets": ["a"], "Method": "EVEN"}
    of, arn = define(world, rules, DefaultValue="rest", SplitChargeRules=[split])
    before = allocated(world, of)
    assert any(units(row["SplitIn"]) for row in before["Allocations"])
    world.client.delete_cost_category_definition(CostCategoryArn=arn)
    again = world.client.create_cost_category_definition(Name=of, RuleVersion=V1, Rules=rules, DefaultValue="rest", EffectiveStart=start(CURRENT))["CostCategoryArn"]
    by_name = allocated(world, of, LastBillingPeriod=CURRENT)
    assert (by_name["Allocations"], by_name["Splits"]) == (before["Allocations"], before["Splits"]), "nobody has priced the current month"
    assert allocated(world, again)["Allocations"] == []


def test_the_command_prints_what_values_come_to(world):
    of, _ = define(world, [value("web", is_of("LINKED_ACCOUNT", world.accounts[0]))], DefaultValue="shared",
                   SplitChargeRules=[{"Source": "shared", "Targets": ["web"], "Method": "EVEN"}])
    told = allocated(world, of)
    assert json.loads(world.server.command("cost-category", "allocation", of, "--period", PREVIOUS, "--output", "json")) == told
    rows = list(csv.DictReader(io.StringIO(world.server.command("cost-category", "allocation", of, "--period", PREVIOUS, "--output", "csv"))))
    assert [row["Allocations.Total"] for row in rows if row["Allocations.Value"] == "web"] == [told["Allocations"][1]["Total"]]
    table = world.server.command("cost-category", "allocation", of, "--period", PREVIOUS, "--output", "table")
    assert told["Allocations"][1]["Total"] in table and "SplitIn" in table


def test_of_a_category_of_cost_files_nothing_is_dealt_out(world):
    files = [of for of in by(world.client, "Files")]
    told = allocated(world, "Files")
    assert [row["Value"] for row in told["Allocations"]] == sorted(files) and told["Splits"] == []
    for wrong, says in (({"CostCategory": "Nobody"}, "no cost category `Nobody`"), ({"CostCategory": NOBODYS}, "no cost category"),
                        ({"Metric": "UsageQuantity"}, "is no cost"), ({"Metric": "Cost"}, "`Cost`"), ({"LastBillingPeriod": "2026-09"}, "before")):
        answer = world.server.own("GetCostCategoryAllocation", {"CostCategory": "Files", "BillingPeriod": PREVIOUS} | wrong)
        assert answer.status == 400 and says in answer.json["message"], answer.body
    assert world.server.own("GetCostCategoryAllocation", {"CostCategory": "Files", "BillingPeriod": PREVIOUS}, world.viewer_keys).status == 403


# ---- What is refused

S3 = is_of("SERVICE_CODE", "AmazonS3")
EVEN = {"Source": "a", "Targets": ["b"], "Method": "EVEN"}
TWO = [value("a", S3), value("b", S3)]


@pytest.mark.parametrize("given, says", [
    ({"Rules": [value("a", {})]}, "Rules[0]: an expression is empty"),
    ({"Rules": [value("a", S3), value("b", S3 | is_of("x", "y", kind="Tags"))]}, "Rules[1]: an expression has more than one root"),
    ({"Rules": [value("a", is_of("AZ", "x"))]}, "do not look at the dimension `AZ`"),
    ({"Rules": [value("a/b", S3)]}, "Rules[0].Value: `a/b`"),
    ({"Rules": [{"Value": "a"}]}, "a rule of type REGULAR has Value and Rule"),
    ({"Rules": [{"Rule": S3}]}, "a rule of type REGULAR has Value and Rule"),
    ({"Rules": [value("a", S3) | {"Type": "INHERITED_VALUE"}]}, "has InheritedValue"),
    ({"Rules": [inherited("TAG")]}, "give DimensionKey"),
    ({"Rules": [inherited("LINKED_ACCOUNT_NAME", "x")]}, "leave DimensionKey `x` out"),
    ({"Name": "a.b"}, "Name: `a.b`"),
    ({"DefaultValue": "a&b"}, "DefaultValue: `a&b`"),
    ({"EffectiveStart": "2026-10-02T00:00:00Z"}, "not the first instant of a month"),
    ({"EffectiveStart": start("2026-12")}, "begin between 2025-11 and 2026-11"),
    ({"EffectiveStart": start("2025-10")}, "begin between 2025-11 and 2026-11"),
    ({"SplitChargeRules": [EVEN, EVEN]}, "`a` is the source"),
    ({"SplitChargeRules": [EVEN | {"Targets": ["nobody"]}]}, "no rule gives the value `nobody`"),
    ({"SplitChargeRules": [EVEN | {"Method": "FIXED"}]}, "ALLOCATION_PERCENTAGES"),
    ({"SplitChargeRules": [EVEN | {"Method": "FIXED", "Parameters": [{"Type": "ALLOCATION_PERCENTAGES", "Values": ["99"]}]}]}, "100 together"),
    ({"SplitChargeRules": [EVEN | {"Method": "FIXED", "Parameters": [{"Type": "ALLOCATION_PERCENTAGES", "Values": ["1e2"]}]}]}, "`1e2` is no percentage"),
    ({"ResourceTags": [{"Key": "aws:x", "Value": ""}]}, "reserved"),
    ({"ResourceTags": [{"Key": "a", "Value": "b;c"}]}, "`b;c`"),
])
def test_what_is_refused_says_why(world, given, says):
    more = {"Rules": TWO} | given
    assert says in refused(lambda: define(world, more.pop("Rules"), more.pop("Name", None), **more))


def test_names_and_circles_are_refused(world):
    first, arn = define(world, TWO)
    assert f"`{first}` is the name of" in refused(lambda: define(world, TWO, first))
    second, _ = define(world, [value("x", is_of(first, "a", kind="CostCategories"))])
    circle = [value("y", {"Not": {"And": [S3, is_of(second, "x", kind="CostCategories")]}})]
    said = refused(lambda: world.client.update_cost_category_definition(CostCategoryArn=arn, RuleVersion=V1, Rules=circle))
    one, other = sorted([first, second])
    assert f"`{one}` looks at `{other}` looks at `{one}`" in said and "in 2026-11" in said
    own = name("category")
    assert f"`{own}` looks at `{own}`" in refused(lambda: define(world, [value("y", is_of(own, "x", kind="CostCategories"))], own))
    # A name is free again once the one that had it has ended.
    world.client.delete_cost_category_definition(CostCategoryArn=arn)
    assert "in 2026-10" in refused(lambda: define(world, TWO, first))
    define(world, TWO, first, EffectiveStart=None)


def test_what_is_not_there_is_told_alike(world):
    others = [NOBODYS, NOBODYS.replace(PAYER, "888888888888"), "arn:aws:budgets::123456789012:budget/xyz"]
    for act in (lambda arn: world.client.describe_cost_category_definition(CostCategoryArn=arn), lambda arn: world.client.delete_cost_category_definition(CostCategoryArn=arn),
                lambda arn: world.client.update_cost_category_definition(CostCategoryArn=arn, RuleVersion=V1, Rules=TWO),
                lambda arn: world.client.list_tags_for_resource(ResourceArn=arn), lambda arn: world.client.tag_resource(ResourceArn=arn, ResourceTags=[])):
        assert len({refused(lambda arn=arn: act(arn), "ResourceNotFoundException").replace(arn, "ARN") for arn in others}) == 1
    _, arn = define(world, TWO)
    world.client.delete_cost_category_definition(CostCategoryArn=arn)
    for act in (lambda: world.client.delete_cost_category_definition(CostCategoryArn=arn), lambda: world.client.list_tags_for_resource(ResourceArn=arn),
                lambda: world.client.update_cost_category_definition(CostCategoryArn=arn, RuleVersion=V1, Rules=TWO)):
        refused(act, "ResourceNotFoundException")


@pytest.mark.parametrize("role", ["payer-admin", "finance", "analyst", "group-viewer"])
def test_who_may(world, role):
    keys = world.server.keys(name(role), role, [world.ours.arn] if role == "group-viewer" else [])
    for operation in WRITES | READS:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AWSInsightsIndexService.{operation}"}
        answer = world.server.ask("POST", "/", b"{}", keys, headers=headers, service="ce")
        may = role == "payer-admin" or role != "group-viewer" and operation in READS
        assert (answer.error == "AccessDeniedException") == (not may), (operation, answer.body)
        assert answer.status < 500, (operation, answer.body)


def test_another_payer_has_its_own(world, new_server):
    of, _ = define(world, TWO)
    other = new_server(payer="777777777777", transfers=False).client(service="ce")
    assert other.list_cost_category_definitions()["CostCategoryReferences"] == []
    define(None, TWO, of, client=other)


def test_there_are_fifty_at_most(new_server):
    client = new_server(payer="666666666666", transfers=False).client(service="ce")
    arns = [define(None, TWO, client=client)[1] for _ in range(50)]
    assert "50 cost categories" in refused(lambda: define(None, TWO, client=client), "ServiceQuotaExceededException")
    client.delete_cost_category_definition(CostCategoryArn=arns[0])
    define(None, TWO, client=client)


# ---- What is kept

def test_definitions_outlive_a_restart_and_a_backup_and_are_in_the_audit(new_server, tmp_path):
    server = new_server(payer="555555555555", transfers=False)
    of, arn = define(None, TWO, client=server.client(service="ce"))
    server.restart()
    client = server.client(service="ce")
    kept = client.describe_cost_category_definition(CostCategoryArn=arn)["CostCategory"]
    assert (kept["Name"], kept["Rules"]) == (of, TWO)
    events = server.own("ListAuditEvents", {}).json["AuditEvents"]
    assert any("CreateCostCategoryDefinition" in json.dumps(event) for event in events)
    command("backup", tmp_path / "backup", *server.stored)
    again = Server(tmp_path / "again", now=server.now, root=server.root)
    command("restore", tmp_path / "backup", *again.stored)
    shutil.copy(server.data / "master.key", again.data / "master.key")
    try:
        again.start()
        restored = again.client(service="ce").describe_cost_category_definition(CostCategoryArn=arn)["CostCategory"]
        assert restored == kept
        again.stop()
        command("verify", *again.stored)
    finally:
        again.kill()


def test_the_aws_cli_defines_and_asks_unmodified(world):
    plain = QUIET | world.server.root.environment | {"PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
    ask = [sys.executable, "-m", "awscli", "ce", "--endpoint-url", world.server.endpoint]

    def cli(*arguments):
        ran = subprocess.run([*ask, *arguments], capture_output=True, text=True, timeout=60, env=plain)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    of = name("category")
    arn = cli("create-cost-category-definition", "--name", of, "--rule-version", V1, "--rules", json.dumps(TWO), "--effective-start", start(PREVIOUS))["CostCategoryArn"]
    assert cli("describe-cost-category-definition", "--cost-category-arn", arn)["CostCategory"]["Rules"] == TWO
    assert of in [entry["Name"] for entry in cli("list-cost-category-definitions")["CostCategoryReferences"]]
    told = cli("get-cost-and-usage", "--granularity", "MONTHLY", "--time-period", "Start=2026-10-01,End=2026-11-01", "--metrics", "UnblendedCost",
               "--group-by", f"Type=COST_CATEGORY,Key={of}")
    assert {group["Keys"][0] for group in told["ResultsByTime"][0]["Groups"]} == {f"{of}$", f"{of}$a"}
    cli("delete-cost-category-definition", "--cost-category-arn", arn)
