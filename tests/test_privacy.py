"""Personal data: what is kept of somebody is printed and taken out, the audit stays whole, and what is old is removed."""
import json
import subprocess
import time

import pytest

from desk import name
from program import PROGRAM


def told(server, *arguments):
    """What a command prints as JSON that asks the server."""
    return json.loads(server.command(*arguments, "--output", "json"))


def verified(server):
    ended = subprocess.run([PROGRAM, "verify", *server.stored], capture_output=True, text=True, timeout=120)
    return ended.returncode, ended.stderr


def say(server, sql):
    """Changes rows behind the server's back."""
    if server.database:
        raise AssertionError("for SQLite")
    import sqlite3
    with sqlite3.connect(server.data / "proforma.db", timeout=30) as database:
        database.execute(sql)


@pytest.fixture(scope="module")
def server(new_server):
    return new_server(transfers=False)


class Person:
    """Somebody with an address, a name and a key of its own, who has left traces everywhere."""

    def __init__(self, server, tmp_path):
        self.server, self.login = server, name("ann.example")
        self.email = f"{self.login}@example.com"
        self.keys = server.keys(self.login, "payer-admin")
        client = server.client(self.keys)
        client.create_pricing_rule(Name=name("rule"), Scope="GLOBAL", Type="MARKUP", ModifierPercentage=1)
        server.own("UpdateNotificationSettings", {"Emails": [self.email, "other@example.com"]})
        server.own("UpdateNotificationSettings", {"Emails": ["other@example.com", self.email.upper()]})
        server.own("SendTestNotification", {"Channel": "EMAIL", "Recipient": self.email})
        server.own("SendTestNotification", {"Channel": "EMAIL", "Recipient": f"jo.{self.email}"})
        accounts = tmp_path / f"{self.login}.csv"
        accounts.write_text(f"id,name,email\n111122223333,\"O'Hara, {self.login}\",{self.email}\n")
        server.command("accounts", "import", "--file", accounts, "--partial")

    @property
    def names(self):
        return [self.email, self.login]


@pytest.fixture
def person(server, tmp_path):
    return Person(server, tmp_path)


def test_what_is_kept_of_somebody(server, person):
    kept = told(server, "privacy", "export", *person.names)
    assert [(row["PrincipalName"], row["Role"], row["Status"]) for row in kept["Principals"]] == [(person.login, "payer-admin", "Active")]
    places = {(text["Table"], text["Column"]) for text in kept["Texts"]}
    assert {("outbox", "recipient"), ("desk_settings", "body"), ("settings", "body")} <= places
    assert all(text["Purpose"] for text in kept["Texts"])
    actions = {event["Action"] for event in kept["AuditEvents"]}
    assert {"billingconductor:CreatePricingRule", "proforma:UpdateNotificationSettings", "proforma:CreateKey"} <= actions
    # Somebody whose name only ends alike is somebody else.
    assert not [text for text in kept["Texts"] if text["Text"] == f"jo.{person.email}"]
    nobody = told(server, "privacy", "export", "nobody@example.com")
    assert nobody == {"Principals": [], "Texts": [], "AuditEvents": []}


def test_somebody_is_taken_out(server, person):
    gone = told(server, "privacy", "erase", *person.names)
    assert gone["Replacement"].startswith("erased-") and gone["Principals"] == 1 and gone["Texts"] >= 4 and gone["AuditEvents"] >= 4
    assert told(server, "privacy", "export", *person.names) == {"Principals": [], "Texts": [], "AuditEvents": []}
    # Nowhere in the database is a trace, whatever the table, but of who is called alike.
    rows = json.dumps(server.own("ListAuditEvents").json) + json.dumps(server.own("ListMessages").json) + server.command("keys", "list", "--output", "json")
    assert person.login not in rows.replace(f"jo.{person.email}", "")
    assert gone["Replacement"] in rows
    # What it did stays one person's work.
    audit = server.own("ListAuditEvents").json["AuditEvents"]
    assert [event for event in audit if event["Principal"].startswith(gone["Replacement"]) and event["Action"] == "billingconductor:CreatePricingRule"]
    # It gets in no more, and is told nothing more.
    assert server.call("ListBillingGroups", keys=person.keys).status == 403
    assert server.own("GetNotificationSettings").json["Emails"] == ["other@example.com"]
    assert [row["State"] for row in server.own("ListMessages").json["Messages"] if row["Recipient"] == f"{gone['Replacement']}@erased.invalid"] == ["DROPPED"]
    # What readers hold is without it at once, and the rows are as they were hashed.
    linked = server.client().list_account_associations(Filters={"Association": "UNMONITORED"})["LinkedAccounts"]
    assert [account["AccountEmail"] for account in linked if account["AccountId"] == "111122223333"] == [f"{gone['Replacement']}@erased.invalid"]
    assert verified(server) == (0, ""), verified(server)[1]
    server.restart()
    assert verified(server) == (0, ""), verified(server)[1]
    linked = server.client().list_account_associations(Filters={"Association": "UNMONITORED"})["LinkedAccounts"]
    assert person.login not in json.dumps(linked)


def test_filters_follow_what_is_replaced_and_those_by_tags_of_costs_stay(new_server, tmp_path):
    server = new_server(transfers=False)
    person = Person(server, tmp_path)
    ce, called = server.client(service="ce"), person.login.replace(".", " ")
    holds = lambda part, **key: {part: {**key, "Values": [called]}}
    by_name, by_tag = holds("Dimensions", Key="LINKED_ACCOUNT_NAME"), holds("Tags", Key="user:Owner")
    category = ce.create_cost_category_definition(Name="Owners", RuleVersion="CostCategoryExpression.v1", Rules=[
        {"Value": f"Team {called}", "Rule": {"Or": [by_name, by_tag]}}])["CostCategoryArn"]
    of_category = {"CostCategories": {"Key": "Owners", "Values": [f"Team {called}"]}}
    # What cost files say stays: values of tags, and those that a cost category inherits of them.
    ce.create_cost_category_definition(Name="Inherited", RuleVersion="CostCategoryExpression.v1", Rules=[
        {"Type": "INHERITED_VALUE", "InheritedValue": {"DimensionName": "TAG", "DimensionKey": "user:Owner"}}])
    of_files = {"CostCategories": {"Key": "Inherited", "Values": [called]}}
    report = {"Name": "report", "TimeRange": "LAST_MONTH", "Filter": {"And": [of_category, {"Not": by_tag}, of_files]}}
    assert server.own("PutSavedReport", report).status == 200
    gone = told(server, "privacy", "erase", *person.names, called)
    instead = gone["Replacement"]
    assert gone["Filters"] == 3
    kept = told(server, "privacy", "export", *person.names, called)["Texts"]
    assert sorted((text["Table"], text["Purpose"].split(" that ")[0]) for text in kept) == [
        ("cost_categories", "tags of costs"), ("desk_settings", "cost categories"), ("desk_settings", "tags of costs")]
    rule, = ce.describe_cost_category_definition(CostCategoryArn=category)["CostCategory"]["Rules"]
    assert rule["Value"] == f"Team {instead}" and [part[kind]["Values"] for part, kind in zip(rule["Rule"]["Or"], ("Dimensions", "Tags"))] == [[instead], [called]]
    found = server.own("GetSavedReport", {"Name": "report"}).json["SavedReport"]
    assert found["Filter"]["And"][0] == {"CostCategories": {"Key": "Owners", "Values": [f"Team {instead}"]}}
    assert found["Filter"]["And"][1]["Not"]["Tags"]["Values"] == [called] and found["Filter"]["And"][2] == of_files
    # Once they are changed they hold no more, and what held before is replaced.
    assert server.own("PutSavedReport", report | {"Filter": found["Filter"]["And"][0]}).status == 200
    assert told(server, "privacy", "erase", *person.names, called)["Filters"] == 1
    assert [text["Table"] for text in told(server, "privacy", "export", *person.names, called)["Texts"]] == ["cost_categories"]
    assert verified(server) == (0, ""), verified(server)[1]

def test_an_audit_that_was_changed_is_still_found(new_server, tmp_path):
    server = new_server(transfers=False)
    if server.database:
        pytest.skip("the rows of SQLite are at hand")
    person = Person(server, tmp_path)
    gone = told(server, "privacy", "erase", *person.names)
    assert verified(server) == (0, ""), verified(server)[1]
    server.stop()
    say(server, f"UPDATE audit SET principal = 'mallory' WHERE sequence = (SELECT MIN(sequence) FROM audit WHERE principal LIKE '{gone['Replacement']}%')")
    code, said = verified(server)
    assert code == 2 and "of the audit is not as it was written" in said


def test_who_asks_is_not_taken_out_and_what_is_no_name_neither(server):
    for names, said in [(["root"], "nobody takes out itself"), (["operator"], "is what the desk itself is called"), (["a"], "is no name of a person"),
                        (["12345"], "is no name of a person"), (["a\nbcd"], "is no name of a person")]:
        refused = server.own("ErasePersonalData", {"Names": names})
        assert refused.status == 400 and said in refused.json["Message"], refused.json
    for role in ("finance", "analyst"):
        keys = server.keys(name(role), role)
        for operation, given in (("ExportPersonalData", {"Names": ["somebody"]}), ("ErasePersonalData", {"Names": ["somebody"]}), ("UpdateRetention", {}), ("GetRetention", {})):
            assert server.own(operation, given, keys=keys).status == 403


def test_how_long_what_is_kept(new_server):
    server = new_server(transfers=False)
    assert told(server, "privacy", "retention") == {"MessageDays": 90, "AuditDays": 0, "RevisionDays": 0}
    told(server, "privacy", "retention", "--message-days", "30", "--audit-days", "400")
    assert told(server, "privacy", "retention") == {"MessageDays": 30, "AuditDays": 400, "RevisionDays": 0}
    told(server, "privacy", "retention", "--message-days", "0", "--revision-days", "10")
    assert told(server, "privacy", "retention") == {"MessageDays": 0, "AuditDays": 400, "RevisionDays": 10}


def test_what_is_old_is_removed(new_server):
    server = new_server(transfers=False)
    if server.database:
        pytest.skip("the rows of SQLite are at hand")
    for address in ("old@example.com", "new@example.com"):
        server.own("SendTestNotification", {"Channel": "EMAIL", "Recipient": address})
        server.own("UpdateNotificationSettings", {"Emails": [address]})
    ids = {row["Recipient"]: row["MessageId"] for row in server.own("ListMessages").json["Messages"]}
    server.own("DropMessages", {"MessageIds": list(ids.values())})
    server.own("UpdateRetention", {"MessageDays": 30, "AuditDays": 30, "RevisionDays": 30})
    before = server.own("ListAuditEvents").json["AuditEvents"]
    server.stop()
    old = int(time.time() * 1000) - 31 * 86_400_000
    say(server, f"UPDATE outbox SET ended_at_ms = {old} WHERE id = '{ids['old@example.com']}'")
    say(server, f"UPDATE desk_settings SET recorded_at_ms = {old} WHERE kind = 'notifications'")
    server.start()
    time.sleep(2)
    rows = server.own("ListMessages").json["Messages"]
    assert sorted((row["Recipient"], row["State"]) for row in rows) == [("", "DROPPED"), ("new@example.com", "DROPPED")]
    # What holds stays, however old it is; what it said before does not.
    assert server.own("GetNotificationSettings").json["Emails"] == ["new@example.com"]
    assert {text["Column"] for text in told(server, "privacy", "export", "old@example.com")["Texts"]} == {"dedupe_key"}, "so that it is not told twice"
    # The audit's times are part of its hashes, so nothing of it is old here; it is whole.
    assert server.own("ListAuditEvents").json["AuditEvents"][:len(before)] == before
    assert verified(server) == (0, ""), verified(server)[1]
