"""Two payers in one data directory: each has its own keys, books, periods and runs, and the other one does not exist for it."""
import json
import subprocess
from types import SimpleNamespace

import pytest

from desk import Desk, name
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, PREVIOUS, Keys, command, in_period, invalid
from test_constraints import examples
from test_isolation import shown
from test_operations import until
from wire_model import MODEL

OTHER = "222222222222"
WITHIN = {"InclusiveStartBillingPeriod": PREVIOUS, "ExclusiveEndBillingPeriod": CURRENT}
ITEM_DATES = {"BillingPeriodRange": {"InclusiveStartBillingPeriod": PREVIOUS}}


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """One payer with a priced month; another one that is made later."""
    server = new_server(transfers=False)
    desk, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = desk.rule(ModifierPercentage=10)
    group = desk.group(2, plan=desk.plan(rule), Tags={"of": "first"})
    flat = desk.flat(group, **ITEM_DATES)
    share = desk.percentage(group, 5, [group.arn, flat], **ITEM_DATES)
    month.line(group.primary, cost="100")
    cost = month.write(tmp_path_factory.mktemp("payers") / "cost")
    server.load(cost)
    if server.database is None:
        server.stop()
    made = json.loads(command("init", *server.stored, "--payer", OTHER, "--output", "json"))
    if server.database is None:
        server.start()
    other = Keys(made["AccessKeyId"], made["SecretAccessKey"])
    return SimpleNamespace(server=server, other=other, client=server.client(other), desk=Desk(server.client(other)), cost=cost, rule=rule,
                           group=group, flat=flat, share=share, plan=group.plan)


def first_state(world):
    """All that the first payer sees; the order is its own."""
    client, server = world.server.client(), world.server
    lists = [client.list_billing_groups(BillingPeriod=PREVIOUS)["BillingGroups"], client.list_pricing_plans()["PricingPlans"],
             client.list_pricing_rules()["PricingRules"], client.list_custom_line_items()["CustomLineItems"],
             client.list_account_associations()["LinkedAccounts"], client.list_tags_for_resource(ResourceArn=world.group.arn)["Tags"],
             client.list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]]
    return lists, [server.own(of).json for of in ("ListRuns", "ListSources", "ListPeriods", "ExportBook")]


def test_a_new_payer_has_nothing(world):
    assert world.client.list_billing_groups(BillingPeriod=PREVIOUS)["BillingGroups"] == []
    rows = {operation: world.server.call(operation, given, world.other).json for operation, given in [
        ("ListBillingGroups", {}), ("ListPricingPlans", {}), ("ListPricingRules", {}), ("ListCustomLineItems", {}), ("ListAccountAssociations", {}),
        ("ListBillingGroupCostReports", {}), ("ListBillingGroupCostReports", {"BillingPeriod": PREVIOUS})]}
    # The payer account itself is there, as everywhere.
    assert [value for answer in rows.values() for value in answer.values() if value] == [CURRENT, CURRENT, [{"AccountId": OTHER}]], rows
    identity = world.server.client(world.other, service="sts").get_caller_identity()
    assert identity["Account"] == OTHER


def ids(world, known):
    """What requests are made of: things of the first payer, or of the same form and of nobody."""
    def of(arn):
        kind, _, identity = arn.rpartition("/")
        return arn if known else f"{kind}/{''.join('0' if c.isdigit() else 'z' for c in identity)}"

    member = world.group.accounts[1] if known else "000000000009"
    group = of(world.group.arn)
    return SimpleNamespace(group=group, plan=of(world.plan), rule=of(world.rule), flat=of(world.flat), percentage=of(world.share), member=member,
                           moved=group, transfer=f"arn:aws:organizations::{world.server.payer}:transfer/o-first00000/billing/inbound/rt-00000001",
                           spare=SimpleNamespace(arn=group), spare_item=of(world.flat), spare_plan=of(world.plan), spare_rule=of(world.rule),
                           sku_rule=of(world.rule), loose=of(world.rule), attached=of(world.rule))


class Anything(SimpleNamespace):
    """The same id for whatever else an example may want."""

    def __getattr__(self, name_):
        return self.rule


def test_every_operation_answers_alike_for_foreign_ids_and_for_none(world):
    """All 34 operations, with ids of the first payer and with ids of nobody, asked by the second payer."""
    before, seen = first_state(world), set()
    known, nobody = (Anything(**vars(ids(world, known))) for known in (True, False))
    texts = {value for one in (known, nobody) for value in vars(one).values() if isinstance(value, str)}
    texts |= {text.rsplit("/", 1)[-1] for text in texts}
    for (operation, foreign), (_, unknown) in zip(examples(known), examples(nobody), strict=True):
        same = {key: foreign[key] for key in ("Name", "ClientToken", "AccountIds", "PrimaryAccountId", "AccountGrouping") if key in foreign}
        if foreign == unknown | same:
            # Nothing of it is anybody's: it would only make a thing of the second payer's.
            seen.add(operation)
            continue
        one, other = (world.server.call(operation, given | {"Name": "n"} if "Name" in given else given, world.other) for given in (foreign, unknown | same))
        assert shown(one, *texts) == shown(other, *texts), (operation, one.body, other.body)
        assert world.group.name.encode() not in one.body
        seen.add(operation)
    assert seen == set(MODEL.operation_names)
    assert first_state(world) == before


def test_the_desks_own_operations_are_of_one_payer(world):
    before = first_state(world)
    ask = lambda operation, given=None: world.server.own(operation, given, world.other)
    source, key = world.server.own("ListSources").json["Sources"][0]["SourceId"], world.server.root.access_key_id
    assert ask("ListSources").json == {"Sources": []} and ask("ListRuns").json == {"Runs": []}
    assert {listed["AccessKeyId"] for listed in ask("ListKeys").json["Keys"]} == {world.other.access_key_id}
    for period in ask("ListPeriods").json["Periods"]:
        assert period.get("RunId") is None, period
    assert world.group.name not in ask("ExportBook").json["Book"] and world.server.payer not in ask("ExportBook").json["Book"]
    events = json.dumps(ask("ListAuditEvents").json)
    assert world.server.payer not in events.replace(OTHER, "") or world.group.arn in events  # only what this payer asked with
    for operation, foreign, none in [
            ("RemoveSource", {"SourceId": source}, {"SourceId": "0" * 16}),
            ("UpdateKey", {"AccessKeyId": key, "Status": "Inactive"}, {"AccessKeyId": "AKIA" + "A" * 16, "Status": "Inactive"}),
            ("DeleteKey", {"AccessKeyId": key}, {"AccessKeyId": "AKIA" + "A" * 16}),
            ("CreateKey", {"PrincipalName": "spy", "Role": "group-viewer", "BillingGroups": [world.group.arn]},
             {"PrincipalName": "spy", "Role": "group-viewer", "BillingGroups": [world.group.arn.replace(world.group.id, "000000000009")]})]:
        one, other = ask(operation, foreign), ask(operation, none)
        assert one.status == 400 and shown(one, *map(str, foreign.values()), world.group.id, world.group.arn) == shown(
            other, *map(str, none.values()), "000000000009", world.group.arn.replace(world.group.id, "000000000009")), (one.body, other.body)
    assert first_state(world) == before


def test_one_name_is_free_for_each(world):
    own = Desk(world.server.client())
    one, other = own.rule(Name="same"), world.desk.rule(Name="same")
    assert one.split(":")[4] == world.server.payer and other.split(":")[4] == OTHER
    # An account is in a group of each; the client token of one is nothing to the other.
    members, token = world.group.accounts, name("token")
    world.desk.group(list(members))
    given = {"Name": name("rule"), "Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 1, "ClientToken": token}
    assert own.client.create_pricing_rule(**given)["Arn"] != world.client.create_pricing_rule(**given)["Arn"]
    page = own.client.list_pricing_rules(MaxResults=1)["NextToken"]
    stolen = world.server.call("ListPricingRules", {"NextToken": page}, world.other)
    assert stolen.error == "ValidationException"


def test_the_bill_of_one_payer_is_not_priced_for_another(world):
    """Both name one place: its files say whose bill they are."""
    before = first_state(world)
    asked = subprocess.run([PROGRAM, "import", "--cost", world.cost, "--period", PREVIOUS, "--endpoint", world.server.endpoint], capture_output=True,
                           text=True, timeout=60, env=world.other.environment | {"PATH": "/usr/bin"})
    assert asked.returncode == 2, asked.stdout
    runs = world.server.own("ListRuns", keys=world.other).json["Runs"]
    assert [run["Status"] for run in runs] == ["FAILED"] and "payer" in runs[0]["Error"], runs
    # The way out is right for whoever uses the API, too.
    assert "`CostFiles` (--cost)" in runs[0]["Error"], runs
    report = world.client.list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
    assert all(row["AWSCost"] in ("0", "0.0") for row in report), report
    after = first_state(world)
    assert after == before


def test_a_command_says_for_which_payer_it_is(world):
    server = world.server
    if server.database is None:
        server.stop()
    try:
        asked = subprocess.run([PROGRAM, "keys", "list", *server.stored], capture_output=True, text=True, timeout=60)
        assert asked.returncode == 2 and f"there are several payers: {OTHER}, {server.payer}" in asked.stderr and "--payer" in asked.stderr
        for payer, keys in ((OTHER, world.other), (server.payer, server.root)):
            listed = json.loads(command("keys", "list", "--payer", payer, "--output", "json", *server.stored))["Keys"]
            assert [key["AccessKeyId"] for key in listed] == [keys.access_key_id]
        none = subprocess.run([PROGRAM, "keys", "list", "--payer", "333333333333", *server.stored], capture_output=True, text=True, timeout=60)
        assert none.returncode == 2 and "there is no payer `333333333333`" in none.stderr
        again = subprocess.run([PROGRAM, "init", "--payer", OTHER, *server.stored], capture_output=True, text=True, timeout=60)
        assert again.returncode == 2 and "is there already" in again.stderr
    finally:
        if server.database is None:
            server.start()


def test_a_period_is_closed_for_one_payer(world):
    server = world.server
    assert server.own("ClosePeriod", {"BillingPeriod": PREVIOUS}).status == 200
    closed = {keys: [period["BillingPeriod"] for period in server.own("ListPeriods", keys=keys).json["Periods"] if period.get("ClosedTime")]
              for keys in (server.root, world.other)}
    assert closed == {server.root: [PREVIOUS], world.other: []}
    Desk(in_period(server.client(world.other), PREVIOUS)).rule()
    with invalid("INVALID_BILLING_PERIOD_FOR_OPERATION"):
        Desk(in_period(server.client(), PREVIOUS)).rule()


# ---- Whose files a key may name

@pytest.fixture
def folders(new_server, tmp_path):
    """Two payers with a cost root of their own each, and one of both; each has a month in its root."""
    server = new_server(start=False)
    made = json.loads(command("init", *server.stored, "--payer", OTHER, "--output", "json"))
    payers = {server.payer: server.root, OTHER: Keys(made["AccessKeyId"], made["SecretAccessKey"])}
    for folder in (*payers, "both", "nobodys"):
        month = PolicyMonth()
        month.line("100000000001", cost="100")
        month.write(tmp_path / folder / "cur")
    server.cost_roots = ",".join([*(f"{payer}={tmp_path / payer}" for payer in payers), str(tmp_path / "both")])
    return SimpleNamespace(server=server.start(), payers=payers, path=tmp_path)


def registered(folders, payer, *places, **given):
    """What a payer is told who names places as its own."""
    of = {"CostFiles": [str(place) for place in places], "BillingPeriod": PREVIOUS}
    return folders.server.own("ImportCostData", of | given, folders.payers[payer])


def is_outside(answer):
    return answer.status == 400 and "is below none of the server's cost roots for this payer" in answer.body.decode()


def test_a_payer_names_files_of_its_own_roots_only(folders):
    path, (one, other) = folders.path, folders.payers
    (path / one / "link").symlink_to(path / other / "cur")
    (path / one / "Manifest.json").write_text(json.dumps({"reportKeys": [f"{other}/cur/cost.csv"], "billingPeriod": {}}))
    (path / one / "cost.csv").symlink_to(path / one / "Manifest.json")
    for payer in (one, other):
        assert registered(folders, payer, path / payer / "cur").status == registered(folders, payer, path / "both" / "cur").status == 200
    for place in (path / other / "cur", path / one / "link", path / one / ".." / other / "cur", path / "nobodys" / "cur", path, f"s3://{other}/cur",
                  path / other / "absent", path / f"{one}x"):
        assert is_outside(registered(folders, one, place)), place
        assert is_outside(registered(folders, one, path / one / "cur", place)), place
        assert is_outside(registered(folders, one, path / one / "cur", PriceList=str(place))), place
    # A manifest may list what is beside its folder and above it.
    for named in ("Manifest.json", "cost.csv"):
        answer = registered(folders, one, path / one / named)
        assert answer.status == 400 and "name the folder that it is in" in answer.body.decode(), answer.body
    assert [source["CostFiles"] for source in folders.server.own("ListSources").json["Sources"]].count([str(path / other / "cur")]) == 0


def test_a_place_that_leads_elsewhere_by_now_is_not_read(folders):
    """A link that is laid after the place was registered: neither looked at nor priced."""
    server, path, (one, other) = folders.server, folders.path, folders.payers
    own = path / one / "cur"
    server.options = ["--no-runs"]
    server.restart()
    assert registered(folders, one, own, Watch=True).status == 200
    own.rename(path / one / "before")
    own.symlink_to(path / other / "cur")
    server.options = []
    server.restart()
    ended = subprocess.run([PROGRAM, "runs", "wait", "--endpoint", server.endpoint], capture_output=True, text=True, timeout=60,
                           env=server.root.environment | {"PATH": "/usr/bin"})
    assert ended.returncode == 2 and "is below none of the server's cost roots for this payer" in ended.stderr
    until(lambda: server.own("ListSources").json["Sources"][0].get("Problem"))
    problem = server.own("ListSources").json["Sources"][0]["Problem"]
    assert f"`{own}` is below none of the server's cost roots for this payer" in problem
    # It leads home again: within the root a link is one like any other.
    own.unlink()
    own.symlink_to(path / one / "before")
    assert registered(folders, one, own).status == 200
    server.settle()
    assert [run["Status"] for run in server.own("ListRuns").json["Runs"]] == ["DONE", "FAILED"]


def test_the_operator_registers_what_no_key_may(folders):
    """At the data directory any place: the server goes on reading it."""
    server, place = folders.server, folders.path / "nobodys" / "cur"
    assert is_outside(registered(folders, server.payer, place))
    server.stop()
    command("import", "--cost", place, "--period", PREVIOUS, "--watch", "--payer", server.payer, *server.stored)
    server.start()
    until(lambda: server.own("ListSources").json["Sources"][0].get("LastCheckedTime"))
    assert server.own("ListSources").json["Sources"][0].get("Problem") is None
