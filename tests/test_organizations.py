"""AWS Organizations: what is read of it or of a file is kept, answered to unmodified clients, and followed by billing groups."""
import json
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError

import organizations
import s3
from desk import Desk, arn, name, only, pages
from organizations import account, csv_of, row, sync
from policy_months import PolicyMonth
from program import PROGRAM
from server import NEXT, PAYER, PREVIOUS, QUIET, Keys, command, invalid
from test_privacy import told

MOTO_PAYER = "123456789012"
READER = PROGRAM.with_name("proforma-organization")
OF_AWS = pytest.mark.skipif(not READER.exists(), reason="proforma-organization is not built: cargo build -p adopt")
BASE = [
    row(0, "Root", "management", payer=PAYER),
    row(1, "Root/Customers/Harbor", Customer="harbor"),
    row(2, "Root/Customers/Harbor/Prod", "harbor-prod", Customer="harbor", Stage="prod"),
    row(3, "Root/Customers/Quill", status="PENDING_CLOSURE", method="INVITED"),
    row(4, "Root/Sandbox", "sandbox"),
]


def applied(server, rows, *more, place="organization.csv", **options):
    path = server.data.parent / place
    path.write_text(csv_of(rows) if isinstance(rows, list) else rows)
    return json.loads(sync(server, "--file", path, "--output", "json", *more, **options).stdout)


def own(server, operation, given=None, keys=None):
    answer = server.own(operation, given, keys)
    assert answer.status == 200, answer.body
    return answer.json


def told_code(call, *arguments, **given):
    with pytest.raises(ClientError) as raised:
        call(*arguments, **given)
    answer = raised.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return answer["Error"]["Code"], answer.get("Reason")


def audit(server, action):
    events, token = [], None
    while True:
        page = own(server, "ListAuditEvents", {"MaxResults": 1000} | ({"NextToken": token} if token else {}))
        events += page["AuditEvents"]
        if not (token := page.get("NextToken")):
            return [event for event in events if event["Action"] == action]


# ---- Kept and answered

@pytest.fixture(scope="module")
def kept(new_server):
    server = new_server(transfers=False)
    applied(server, BASE)
    return server


@pytest.fixture(scope="module")
def org(kept):
    return kept.client(service="organizations")


def units_of(org, parent):
    return {unit["Name"]: unit for unit in pages(org, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)}


def test_an_organization_is_answered_as_aws_does(org):
    described = org.describe_organization()["Organization"]
    assert described["Id"] == f"o-{PAYER}" and described["MasterAccountId"] == PAYER and described["FeatureSet"] == "ALL"
    assert described["MasterAccountArn"] == f"arn:aws:organizations::{PAYER}:account/o-{PAYER}/{PAYER}"
    assert described["MasterAccountEmail"] == f"root+{PAYER}@example.com"
    root = only(org.list_roots()["Roots"])
    assert root["Name"] == "Root" and root["Arn"].endswith(f"/{root['Id']}")
    top = units_of(org, root["Id"])
    assert sorted(top) == ["Customers", "Sandbox"]
    customers = units_of(org, top["Customers"]["Id"])
    assert sorted(customers) == ["Harbor", "Quill"]
    harbor = customers["Harbor"]
    assert harbor["Path"] == f"o-{PAYER}/{root['Id']}/{top['Customers']['Id']}/{harbor['Id']}/"
    assert org.describe_organizational_unit(OrganizationalUnitId=harbor["Id"])["OrganizationalUnit"] == harbor
    assert [of["Id"] for of in pages(org, "list_accounts_for_parent", "Accounts", ParentId=harbor["Id"])] == [account(1)]
    assert only(org.list_parents(ChildId=account(1))["Parents"]) == {"Id": harbor["Id"], "Type": "ORGANIZATIONAL_UNIT"}
    assert only(org.list_parents(ChildId=PAYER)["Parents"]) == {"Id": root["Id"], "Type": "ROOT"}
    assert only(org.list_parents(ChildId=harbor["Id"])["Parents"])["Id"] == top["Customers"]["Id"]
    children = org.list_children(ParentId=harbor["Id"], ChildType="ORGANIZATIONAL_UNIT")["Children"]
    assert [child["Type"] for child in children] == ["ORGANIZATIONAL_UNIT"]
    assert org.list_children(ParentId=harbor["Id"], ChildType="ACCOUNT")["Children"] == [{"Id": account(1), "Type": "ACCOUNT"}]
    tags = org.list_tags_for_resource(ResourceId=account(2))["Tags"]
    assert tags == [{"Key": "Customer", "Value": "harbor"}, {"Key": "Stage", "Value": "prod"}]
    assert org.list_tags_for_resource(ResourceId=harbor["Id"])["Tags"] == []
    assert org.list_inbound_responsibility_transfers(Type="BILLING")["ResponsibilityTransfers"] == []


def test_an_account_is_described(org):
    described = org.describe_account(AccountId=account(3))["Account"]
    assert described["JoinedTimestamp"].isoformat() == "2026-01-05T10:00:00+00:00"
    assert (described["Status"], described["State"], described["JoinedMethod"]) == ("PENDING_CLOSURE", "PENDING_CLOSURE", "INVITED")
    assert described["Name"] == "account-3" and described["Email"] == f"root+{account(3)}@example.com"
    assert only(described["Paths"]).endswith(f"/{account(3)}/")


def test_lists_have_pages(org):
    listed = [of["Id"] for of in pages(org, "list_accounts", "Accounts")]
    assert listed == sorted([*(account(number) for number in range(1, 5)), PAYER])
    first = org.list_accounts(MaxResults=2)
    assert [of["Id"] for of in first["Accounts"]] == listed[:2]
    second = org.list_accounts(MaxResults=2, NextToken=first["NextToken"])
    assert [of["Id"] for of in second["Accounts"]] == listed[2:4]
    assert told_code(org.list_accounts, NextToken="made-up") == ("InvalidInputException", "INVALID_NEXT_TOKEN")
    root = only(org.list_roots()["Roots"])["Id"]
    assert told_code(org.list_accounts_for_parent, ParentId=root, NextToken=first["NextToken"]) == ("InvalidInputException", "INVALID_NEXT_TOKEN")
    assert told_code(org.list_accounts, MaxResults=21) == ("InvalidInputException", "MAX_VALUE_EXCEEDED")


def test_what_is_not_there_has_aws_names(org):
    nobody, nowhere = account(99), "ou-abcd-abcdefgh"
    assert told_code(org.describe_account, AccountId=nobody) == ("AccountNotFoundException", None)
    assert told_code(org.list_accounts_for_parent, ParentId=nowhere) == ("ParentNotFoundException", None)
    assert told_code(org.list_organizational_units_for_parent, ParentId="r-zzzz") == ("ParentNotFoundException", None)
    assert told_code(org.list_children, ParentId=nowhere, ChildType="ACCOUNT") == ("ParentNotFoundException", None)
    assert told_code(org.list_parents, ChildId=nobody) == ("ChildNotFoundException", None)
    assert told_code(org.list_tags_for_resource, ResourceId=nobody) == ("TargetNotFoundException", None)
    assert told_code(org.describe_organizational_unit, OrganizationalUnitId=nowhere) == ("OrganizationalUnitNotFoundException", None)
    assert told_code(org.describe_responsibility_transfer, Id="rt-aaaaaaaa") == ("ResponsibilityTransferNotFoundException", None)
    assert told_code(org.describe_account, AccountId="12") == ("InvalidInputException", "INVALID_PATTERN")
    assert told_code(org.list_children, ParentId=nowhere, ChildType="ROOT") == ("InvalidInputException", "INVALID_ENUM")


def test_an_organization_that_was_never_read_is_not_in_use(new_server):
    org = new_server(transfers=False).client(service="organizations")
    assert told_code(org.describe_organization) == ("AWSOrganizationsNotInUseException", None)
    assert told_code(org.list_accounts) == ("AWSOrganizationsNotInUseException", None)


def test_the_cli_asks_unmodified(kept):
    def aws(*arguments):
        environment = organizations.plain() | kept.root.environment | {"AWS_PAGER": "", "AWS_ENDPOINT_URL": kept.endpoint}
        ended = subprocess.run([sys.executable, "-m", "awscli", "organizations", *arguments], capture_output=True, text=True, timeout=60, env=environment)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    assert len(aws("list-accounts")["Accounts"]) == 5
    assert aws("describe-account", "--account-id", account(1))["Account"]["Id"] == account(1)
    root = only(aws("list-roots")["Roots"])["Id"]
    assert len(aws("list-organizational-units-for-parent", "--parent-id", root)["OrganizationalUnits"]) == 2


def test_a_customer_sees_its_own_accounts_and_nothing_of_others(kept, org):
    group = Desk(kept.client()).group([account(1), account(2)])
    keys = kept.keys(name("viewer"), "group-viewer", groups=[group.id])
    narrow = kept.keys(name("viewer"), "group-viewer", groups=[group.id], accounts=[account(2)])
    own_view, one = (kept.client(of, service="organizations") for of in (keys, narrow))
    assert [of["Id"] for of in own_view.list_accounts()["Accounts"]] == group.accounts
    assert [of["Id"] for of in one.list_accounts()["Accounts"]] == [account(2)]
    assert all("Paths" not in of for of in own_view.list_accounts()["Accounts"])
    assert own_view.describe_account(AccountId=account(1))["Account"]["Name"] == "account-1"
    # Another's is answered word for word like one that is not there.
    messages = []
    for other in (account(4), account(98)):
        with pytest.raises(ClientError) as raised:
            own_view.describe_account(AccountId=other)
        messages.append(str(raised.value).replace(other, "X"))
    assert messages[0] == messages[1] and "AccountNotFoundException" in messages[0]
    root = only(org.list_roots()["Roots"])["Id"]
    for call, given in [("describe_organization", {}), ("list_roots", {}), ("list_parents", {"ChildId": account(1)}),
                        ("list_accounts_for_parent", {"ParentId": root}), ("list_organizational_units_for_parent", {"ParentId": root}),
                        ("list_children", {"ParentId": root, "ChildType": "ACCOUNT"}), ("list_tags_for_resource", {"ResourceId": account(1)}),
                        ("describe_organizational_unit", {"OrganizationalUnitId": "ou-abcd-abcdefgh"}),
                        ("list_inbound_responsibility_transfers", {"Type": "BILLING"}), ("describe_responsibility_transfer", {"Id": "rt-aaaaaaaa"})]:
        assert told_code(getattr(own_view, call), **given) == ("AccessDeniedException", None), call
    for operation, given in [("ApplyOrganization", {"Content": "x"}), ("PlanOrganization", {"Content": "x"}), ("ListBillingGroupRules", {}),
                             ("PutBillingGroupRule", {}), ("PlanBillingGroupRule", {}), ("DeleteBillingGroupRule", {}), ("GetOrganizationSync", {}),
                             ("UpdateOrganizationSync", {"EveryHours": 1})]:
        assert kept.own(operation, given, keys).error == "AccessDeniedException", operation
    analyst = kept.keys(name("analyst"), "analyst")
    assert len(kept.client(analyst, service="organizations").list_accounts()["Accounts"]) == 5
    assert kept.own("PutBillingGroupRule", {"BillingGroupArn": group.arn, "Selectors": [{"TagKey": "x"}]}, analyst).error == "AccessDeniedException"


# ---- Files

def test_a_file_is_taken_over_once(new_server):
    server = new_server(transfers=False)
    plan = applied(server, BASE, "--dry-run")
    assert len(plan["JoinedAccounts"]) == 5 and len(plan["NewUnits"]) == 6
    assert server.own("ListAuditEvents").json and told_code(server.client(service="organizations").list_roots)[0].startswith("AWSOrg")
    first = applied(server, BASE)
    assert first == plan
    again = applied(server, BASE)
    assert {key: value for key, value in again.items() if value} == {"OrganizationId": f"o-{PAYER}", "AccountCount": 5, "UnitCount": 6}
    # Account 1 moves, 3 leaves on a day, 4 is gone, 5 is new; a unit with it.
    later = [BASE[0], row(1, "Root/Customers/Quill", "renamed", Customer="harbor"), BASE[2],
             row(3, "Root/Customers/Quill", left="2026-11-03"), row(5, "Root/Customers/New")]
    changed = applied(server, later)
    assert (changed["JoinedAccounts"], changed["LeftAccounts"]) == ([account(5)], [account(3), account(4)])
    assert changed["AccountsInOtherUnit"] == [account(1)]
    assert len(changed["NewUnits"]) == 1 and len(changed["GoneUnits"]) == 1
    org = server.client(service="organizations")
    assert [of["Id"] for of in org.list_accounts()["Accounts"]] == sorted([account(1), account(2), account(5), PAYER])
    assert told_code(org.describe_account, AccountId=account(4))[0] == "AccountNotFoundException"
    # It is there until the month ends: it can be grouped for what it has cost, and not from the next month on.
    linked = {of["AccountId"] for of in pages(server.client(), "list_account_associations", "LinkedAccounts")}
    assert {account(3), account(4)} <= linked
    server.restart()
    assert [of["Id"] for of in server.client(service="organizations").list_accounts()["Accounts"]] == sorted([account(1), account(2), account(5), PAYER])


def test_mistakes_of_a_file_are_told_with_line_and_column(kept):
    path = kept.data.parent / "wrong.csv"
    path.write_text(csv_of([*BASE, row(7, "Root//x", joined="soon")]))
    ended = sync(kept, "--file", path, ok=False)
    assert ended.returncode == 2, ended.stderr
    assert f"{path}:7:3: `organizational_unit`: `Root//x` has a part that is empty" in ended.stderr
    assert f"{path}:7:6: `joined_timestamp`: `soon` is no date" in ended.stderr
    other = {"organization": {"id": "o-abcdefghij", "management_account_id": account(50)}, "accounts": [
        {"account_id": account(50), "organizational_unit": "Root"}]}
    path = kept.data.parent / "other.json"
    path.write_text(json.dumps(other))
    ended = sync(kept, "--file", path, ok=False)
    assert f"is managed by account `{account(50)}`, and this desk's payer is `{PAYER}`" in ended.stderr
    assert len(kept.client(service="organizations").list_accounts()["Accounts"]) == 5


def test_personal_data_is_found_and_taken_out(new_server):
    server = new_server(transfers=False)
    login = name("ann.example")
    rows = [BASE[0], row(1, "Root/A", f"of {login}", email=f"{login}@example.com", Owner=login), row(2, "Root/A")]
    applied(server, rows)
    applied(server, [BASE[0], row(1, "Root/A", "renamed", email="other@example.com")])
    kept_of = told(server, "privacy", "export", login)
    assert {text["Column"] for text in kept_of["Texts"]} == {"body"} and len(kept_of["Texts"]) >= 1
    told(server, "privacy", "erase", login, f"{login}@example.com")
    assert told(server, "privacy", "export", login, f"{login}@example.com")["Texts"] == []
    ended = subprocess.run([PROGRAM, "verify", *server.stored], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


# ---- Rules

HARBOR = [{"OrganizationalUnit": "Root/Customers/Harbor"}]


@pytest.fixture
def ruled(new_server):
    """A server with the organization, and two groups that have a primary account each."""
    server = new_server(transfers=False)
    applied(server, BASE + [row(8, "Root"), row(9, "Root")])
    desk = Desk(server.client())
    return server, desk, desk.group([account(8)], Name="Harbor"), desk.group([account(9)], Name="Quill")


def put(server, group, selectors, operation="PutBillingGroupRule", **more):
    return own(server, operation, {"BillingGroupArn": group.arn, "Selectors": selectors} | more)


def moves(followed):
    return {of["AccountId"]: (of.get("FromBillingGroup"), of.get("ToBillingGroup"), of["Reason"]) for of in followed["MovedAccounts"]}


def test_a_rule_takes_the_accounts_of_a_unit_and_follows(ruled):
    server, desk, harbor, quill = ruled
    why = "organizational unit `Root/Customers/Harbor`"
    expected = {account(1): (None, "Harbor", why), account(2): (None, "Harbor", why)}
    planned = put(server, harbor, HARBOR, "PlanBillingGroupRule")
    assert moves(planned) == expected and desk.members_of(harbor.arn) == [account(8)]
    assert moves(put(server, harbor, HARBOR)) == expected
    assert desk.members_of(harbor.arn) == [account(1), account(2), account(8)]
    assert moves(put(server, harbor, HARBOR)) == {}
    listed = only(own(server, "ListBillingGroupRules")["Rules"])
    assert listed["BillingGroupName"] == "Harbor" and listed["Selectors"] == HARBOR and listed["AccountIds"] == [account(1), account(2)]
    # Account 2 is moved to Quill's unit, 10 is new in Harbor's, 1 has left.
    put(server, quill, [{"OrganizationalUnit": "Root/Customers/Quill"}])
    rows = [BASE[0], row(2, "Root/Customers/Quill"), *BASE[3:], row(8, "Root"), row(9, "Root"), row(10, "Root/Customers/Harbor/Test/Deep")]
    changed = applied(server, rows)
    assert moves(changed) == {account(2): ("Harbor", "Quill", "organizational unit `Root/Customers/Quill`"), account(10): (None, "Harbor", why)}
    leaving = only([flag for flag in changed["Flags"] if flag["Code"] == "LEAVES_THE_ORGANIZATION"])
    assert leaving["AccountId"] == account(1) and NEXT in leaving["Message"] and "`Harbor`" in leaving["Message"]
    # Who has left stays for the month.
    assert desk.members_of(harbor.arn) == [account(1), account(8), account(10)]
    assert desk.members_of(quill.arn) == [account(2), account(3), account(9)]
    # The audit says why.
    told_why = {(event["Resource"], json.loads(event["Detail"])["Reason"]) for event in audit(server, "proforma:PlaceAccount")}
    assert (account(10), why) in told_why and (account(2), "organizational unit `Root/Customers/Quill`") in told_why
    assert moves(applied(server, rows)) == {}


def test_a_rule_may_be_a_tag_a_name_or_all_of_them(ruled):
    server, desk, harbor, quill = ruled
    put(server, harbor, [{"TagKey": "Customer", "TagValues": ["harbor", "other"], "NamePattern": "*-prod"}])
    assert desk.members_of(harbor.arn) == [account(2), account(8)]
    put(server, harbor, [{"TagKey": "Stage"}, {"NamePattern": "sand?ox"}], ExceptAccountIds=[account(2)])
    assert desk.members_of(harbor.arn) == [account(4), account(8)]
    said = server.command("rules", "set", "Quill", "--unit", "Root/Customers", "--tag", "Customer=harbor", "--all", "--except", account(1), "--plan")
    assert said.startswith(f"{account(2)} joins `Quill`: organizational unit `Root/Customers` and tag `Customer` = `harbor`\n"), said
    server.command("rules", "set", "Quill", "--unit", "Root/Customers", "--tag", "Customer=harbor", "--all", "--except", account(1))
    assert desk.members_of(quill.arn) == [account(2), account(9)]
    assert "Root/Customers" in server.command("rules", "list", "--output", "csv")
    # Without its rule, a group keeps what it has.
    server.command("rules", "delete", "Quill")
    assert desk.members_of(quill.arn) == [account(2), account(9)]
    assert [rule["BillingGroupName"] for rule in own(server, "ListBillingGroupRules")["Rules"]] == ["Harbor"]


def test_an_account_that_two_rules_want_stays_where_it_is(ruled):
    server, desk, harbor, quill = ruled
    put(server, harbor, HARBOR)
    contested = put(server, quill, [{"TagKey": "Customer"}])
    assert contested["MovedAccounts"] == []
    flags = {flag["AccountId"]: flag["Message"] for flag in contested["Flags"]}
    assert set(flags) == {account(1), account(2)}
    assert "`Harbor` (organizational unit `Root/Customers/Harbor`)" in flags[account(1)] and "`Quill` (tag `Customer`)" in flags[account(1)]
    assert desk.members_of(harbor.arn) == [account(1), account(2), account(8)]
    new = applied(server, [*BASE, row(8, "Root"), row(9, "Root"), row(11, "Root/Customers/Harbor", Customer="both")])
    assert new["MovedAccounts"] == [] and account(11) in {flag.get("AccountId") for flag in new["Flags"]}
    assert desk.members_of(quill.arn) == [account(9)]
    # A rule that excepts it settles it.
    settled = put(server, quill, [{"TagKey": "Customer"}], ExceptAccountIds=[account(1), account(2)])
    assert settled["MovedAccounts"] == []
    settled = put(server, harbor, HARBOR, ExceptAccountIds=[account(11)])
    assert moves(settled)[account(11)][1] == "Quill"


def test_what_somebody_has_put_goes_before_rules(ruled):
    server, desk, harbor, quill = ruled
    client = server.client()
    client.associate_accounts(Arn=quill.arn, AccountIds=[account(1)])
    assert set(moves(put(server, harbor, HARBOR))) == {account(2)}
    with invalid("ILLEGAL_ACCOUNTS") as refused:
        client.disassociate_accounts(Arn=harbor.arn, AccountIds=[account(2)])
    assert "by its rule" in str(refused.error)
    # What a rule has put somewhere, somebody may put elsewhere, and there it stays.
    client.associate_accounts(Arn=quill.arn, AccountIds=[account(2)])
    assert moves(applied(server, [*BASE, row(8, "Root"), row(9, "Root")])) == {}
    assert desk.members_of(quill.arn) == [account(1), account(2), account(9)] and desk.members_of(harbor.arn) == [account(8)]


def test_rules_go_before_auto_associate(ruled):
    server, desk, harbor, quill = ruled
    server.client().update_billing_group(Arn=quill.arn, AccountGrouping={"AutoAssociate": True})
    put(server, harbor, HARBOR)
    rows = [*BASE, row(8, "Root"), row(9, "Root"), row(12, "Root/Customers/Harbor"), row(13, "Root/Sandbox")]
    moved = moves(applied(server, rows))
    assert moved[account(12)][1] == "Harbor" and moved[account(13)][1] == "Quill"
    # What has joined by itself moves once a rule wants it.
    rows[-1] = row(13, "Root/Customers/Harbor")
    assert moves(applied(server, rows))[account(13)][:2] == ("Quill", "Harbor")


def test_rules_that_cannot_be_are_refused(ruled):
    server, desk, harbor, quill = ruled
    for selectors, words in [([{}], "an empty one would match nothing"), ([{"OrganizationalUnit": "Root/Nowhere"}], "`Root/Nowhere` is not there"),
                             ([{"OrganizationalUnit": "Root//x"}], "has an empty part"), ([{"TagValues": ["x"]}], "give TagKey"),
                             ([{"NamePattern": ""}], "empty pattern")]:
        answer = server.own("PutBillingGroupRule", {"BillingGroupArn": harbor.arn, "Selectors": selectors})
        assert answer.error == "ValidationException" and words in answer.json["Message"], answer.body
    assert server.own("PutBillingGroupRule", {"BillingGroupArn": arn("billinggroup", account(77)), "Selectors": HARBOR}).status in (400, 404)
    assert server.own("DeleteBillingGroupRule", {"BillingGroupArn": harbor.arn}).error == "ValidationException"
    # A unit that goes leaves its rule without accounts, and says so.
    put(server, harbor, HARBOR)
    gone = applied(server, [BASE[0], row(1, "Root/Other"), row(2, "Root/Other"), row(8, "Root"), row(9, "Root")])
    assert {of["AccountId"] for of in gone["MovedAccounts"]} == {account(1), account(2)}
    assert "NO_SUCH_ORGANIZATIONAL_UNIT" in {flag["Code"] for flag in gone["Flags"]}


def test_a_new_account_of_a_unit_is_priced_under_its_group(new_server, tmp_path):
    # The months of these tests are Octobers.
    server = new_server(transfers=False, now="2026-10-20T12:00:00Z")
    applied(server, [*BASE, row(8, "Root")])
    harbor = Desk(server.client()).group([account(8)], Name="Harbor")
    put(server, harbor, HARBOR)
    month = PolicyMonth()
    for number in (1, 8, 14):
        month.line(account(number), cost="3")
    server.load(month.write(tmp_path / "cost"))

    def cost():
        return only([of["ProformaCost"] for of in server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
                     if of["Arn"] == harbor.arn])

    assert cost() == "6"
    applied(server, [*BASE, row(8, "Root"), row(14, "Root/Customers/Harbor/Prod")])
    server.settle()
    assert cost() == "9"


def test_a_month_that_begins_ends_the_group_whose_primary_has_left(new_server):
    server = new_server(transfers=False)
    applied(server, [*BASE, row(8, "Root")])
    desk = Desk(server.client())
    harbor = desk.group([account(8)], Name="Harbor")
    put(server, harbor, HARBOR)
    left = applied(server, BASE)
    assert "it is the primary account of billing group `Harbor`, which ends with 2026-12" in only(left["Flags"])["Message"]
    assert desk.group_of(harbor.arn)["Status"] == "PRIMARY_ACCOUNT_MISSING"
    server.stop()
    server.now = "2026-12-01T00:10:00Z"
    server.start()
    for _ in range(100):
        if not server.client().list_billing_groups()["BillingGroups"]:
            break
        time.sleep(0.1)
    assert server.client().list_billing_groups()["BillingGroups"] == []
    assert [event["Resource"] for event in audit(server, "proforma:EndBillingGroup")] == [harbor.arn]
    assert own(server, "ListBillingGroupRules")["Rules"] == []


# ---- AWS itself: moto, which has organizations, and a second server, which has billing transfers

@pytest.fixture(scope="module")
def moto():
    server = s3.Server()
    yield server
    server.stop()


@pytest.fixture
def aws(moto):
    """An organization at moto, new for each test."""
    import urllib.request
    urllib.request.urlopen(urllib.request.Request(f"{moto.endpoint}/moto-api/reset", method="POST")).close()
    org = organizations.client(moto.endpoint)
    org.create_organization(FeatureSet="ALL")
    return org


def created(aws, name, unit=None, **tags):
    id_ = aws.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
    if unit:
        aws.move_account(AccountId=id_, SourceParentId=aws.list_roots()["Roots"][0]["Id"], DestinationParentId=unit)
    if tags:
        aws.tag_resource(ResourceId=id_, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return id_


def unit_at(aws, name, parent=None):
    parent = parent or aws.list_roots()["Roots"][0]["Id"]
    return aws.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]


def read_of(server, endpoint, *more, **options):
    """Reads AWS's place with credentials of a profile: the keys in the environment are the desk's."""
    if "--profile" not in more:
        config = server.data.parent / "reader.config"
        config.write_text("[profile reader]\naws_access_key_id = AKIAPROFORMATESTS000\naws_secret_access_key = x\nregion = us-east-1\n")
        options = {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "reader"} | options
    return sync(server, "--organization-endpoint", endpoint, "--output", "json", *more, **options)


@OF_AWS
def test_aws_is_read_as_it_changes(new_server, moto, aws):
    server = new_server(transfers=False, payer=MOTO_PAYER)
    customers = unit_at(aws, "Customers")
    harbor, quill = unit_at(aws, "Harbor", customers), unit_at(aws, "Quill", customers)
    ids = [created(aws, f"harbor-{number}", harbor, Customer="harbor", Number=str(number)) for number in range(23)]
    for number in range(22):
        unit_at(aws, f"Team {number:02}", quill)
    ended = read_of(server, moto.endpoint)
    first = json.loads(ended.stdout)
    assert f"read 24 accounts in 26 units" in ended.stderr and "reading organization o-" in ended.stderr
    assert first["AccountCount"] == 24 and first["UnitCount"] == 26 and first["OrganizationId"] == aws.describe_organization()["Organization"]["Id"]
    org = server.client(service="organizations")
    assert sorted(of["Id"] for of in pages(org, "list_accounts", "Accounts")) == sorted([*ids, MOTO_PAYER])
    assert len(pages(org, "list_accounts_for_parent", "Accounts", ParentId=harbor)) == 23
    assert len(units_of(org, quill)) == 22
    assert {tag["Key"]: tag["Value"] for tag in org.list_tags_for_resource(ResourceId=ids[7])["Tags"]} == {"Customer": "harbor", "Number": "7"}
    theirs, ours = (of.describe_account(AccountId=ids[3])["Account"] for of in (aws, org))
    assert {key: ours[key] for key in ("Id", "Name", "Email", "Status", "JoinedMethod")} == {key: theirs[key] for key in (
        "Id", "Name", "Email", "Status", "JoinedMethod")}
    again = json.loads(read_of(server, moto.endpoint).stdout)
    assert {key for key, value in again.items() if value} == {"OrganizationId", "AccountCount", "UnitCount"}
    # One is moved, one closed, one removed, one is new.
    aws.move_account(AccountId=ids[0], SourceParentId=harbor, DestinationParentId=quill)
    aws.close_account(AccountId=ids[1])
    aws.remove_account_from_organization(AccountId=ids[2])
    new = created(aws, "newcomer", quill)
    plan = json.loads(read_of(server, moto.endpoint, "--dry-run").stdout)
    changed = json.loads(read_of(server, moto.endpoint).stdout)
    assert changed == plan
    assert (changed["JoinedAccounts"], changed["LeftAccounts"], changed["AccountsInOtherUnit"], changed["ChangedAccounts"]) == (
        [new], [ids[2]], [ids[0]], [ids[1]])
    assert org.describe_account(AccountId=ids[1])["Account"]["Status"] == "SUSPENDED"
    assert only(org.list_parents(ChildId=ids[0])["Parents"])["Id"] == quill


@OF_AWS
def test_a_new_account_at_aws_lands_in_its_group(new_server, moto, aws):
    server = new_server(transfers=False, payer=MOTO_PAYER)
    harbor = unit_at(aws, "Harbor")
    primary = created(aws, "primary")
    read_of(server, moto.endpoint)
    desk = Desk(server.client())
    group = desk.group([primary], Name="Harbor")
    put(server, group, [{"OrganizationalUnit": harbor}])
    new = created(aws, "newcomer", harbor)
    assert moves(json.loads(read_of(server, moto.endpoint).stdout)) == {new: (None, "Harbor", f"organizational unit `{harbor}`")}
    assert desk.members_of(group.arn) == sorted([primary, new])


@OF_AWS
def test_the_organization_of_another_payer_is_not_taken_over(kept, moto, aws):
    ended = read_of(kept, moto.endpoint, ok=False)
    assert ended.returncode == 2 and f"is managed by account `{MOTO_PAYER}`, and this desk's payer is `{PAYER}`" in ended.stderr
    assert len(kept.client(service="organizations").list_accounts()["Accounts"]) == 5


@OF_AWS
def test_a_reading_that_breaks_off_changes_nothing_and_goes_on(new_server, moto, aws):
    server = new_server(transfers=False, payer=MOTO_PAYER)
    unit = unit_at(aws, "Harbor")
    ids = [created(aws, f"harbor-{number}", unit, Number=str(number)) for number in range(6)]
    asked = []

    def fault(limit):
        def of(method, path, headers):
            asked.append(headers.get("X-Amz-Target", "").split(".")[-1])
            if limit is not None and asked.count("ListTagsForResource") > limit:
                return 400, b'{"__type":"AccessDeniedException","Message":"no more"}'
            return None
        return of

    server.stop()
    place = [*server.stored, "--now", server.now]
    with s3.Proxy(moto.endpoint, fault(4)) as proxy:
        ended = read_of(server, proxy.endpoint, ok=False, place=place)
        assert ended.returncode == 2 and "organizations:List*" in ended.stderr and "nothing has changed" in ended.stderr, ended.stderr
    journals = list(server.data.glob("organization-*.journal"))
    assert len(journals) == 1 and journals[0].stat().st_mode & 0o077 == 0
    asked.clear()
    with s3.Proxy(moto.endpoint, fault(None)) as proxy:
        ended = read_of(server, proxy.endpoint, place=place)
    # A root, a unit, the management account and six others have tags; four of them were read before.
    assert "going on: the tags of 4" in ended.stderr and asked.count("ListTagsForResource") == 9 - 4
    assert not journals[0].exists() and json.loads(ended.stdout)["AccountCount"] == 7
    server.start()
    org = server.client(service="organizations")
    assert [tag["Value"] for of in ids for tag in org.list_tags_for_resource(ResourceId=of)["Tags"]] == [str(number) for number in range(6)]


@OF_AWS
def test_throttling_is_waited_for(kept, moto, aws, new_server):
    server = new_server(transfers=False, payer=MOTO_PAYER)
    refused = []

    def throttled(method, path, headers):
        if len(refused) < 3:
            refused.append(path)
            return 400, b'{"__type":"TooManyRequestsException","Type":"RATE_LIMIT","Message":"slow down"}'
        return None

    with s3.Proxy(moto.endpoint, throttled) as proxy:
        assert json.loads(read_of(server, proxy.endpoint).stdout)["AccountCount"] == 1
    assert len(refused) == 3


TRANSFER = f"arn:aws:organizations::{PAYER}:transfer/o-larkfield00/billing/inbound/rt-abcdef01"


@OF_AWS
def test_a_second_server_is_read_with_its_billing_transfers(new_server):
    first, second = new_server(transfers=False), new_server(transfers=False)
    rows = [BASE[0], *(row(number, "Root/Customers/Team %d" % (number % 3), Number=str(number)) for number in range(1, 46))]
    applied(first, rows)
    described = {"organization": {"id": "o-larkfield00", "management_account_id": PAYER}, "accounts": [
        {"account_id": of["account_id"], "account_name": of["account_name"], "email": of["email"], "organizational_unit": of["organizational_unit"],
         "joined_timestamp": of["joined_timestamp"], "joined_method": of["joined_method"],
         "tags": {key[4:]: value for key, value in of.items() if key.startswith("tag:")}} for of in rows],
        "responsibility_transfers": [
            {"arn": TRANSFER, "source_account_id": account(90), "status": "ACCEPTED", "start": "2026-10", "end": "2027-01"}]}
    changed = applied(first, json.dumps(described), place="transfers.json")
    assert changed["ChangedTransfers"] == [TRANSFER]
    listed = only(first.client(service="organizations").list_inbound_responsibility_transfers(Type="BILLING")["ResponsibilityTransfers"])
    assert (listed["Arn"], listed["Id"], listed["Status"], listed["Type"]) == (TRANSFER, "rt-abcdef01", "ACCEPTED", "BILLING")
    assert listed["Source"]["ManagementAccountId"] == account(90) and listed["Target"]["ManagementAccountId"] == PAYER
    assert (listed["StartTimestamp"].isoformat(), listed["EndTimestamp"].isoformat()) == ("2026-10-01T00:00:00+00:00", "2026-12-31T23:59:59+00:00")
    # The command's own key is the second server's: the first one is read with a key of a profile.
    config = second.data.parent / "config"
    config.write_text(f"[profile first]\naws_access_key_id = {first.root.access_key_id}\naws_secret_access_key = {first.root.secret_access_key}\n"
                      "region = us-east-1\n")
    ended = read_of(second, first.endpoint, "--profile", "first", AWS_CONFIG_FILE=str(config))
    read = json.loads(ended.stdout)
    assert read["AccountCount"] == 46 and read["ChangedTransfers"] == [TRANSFER] and read["OrganizationId"] == "o-larkfield00"
    one, other = (of.client(service="organizations") for of in (first, second))
    assert pages(one, "list_accounts", "Accounts") == pages(other, "list_accounts", "Accounts")
    group = Desk(second.client()).transfer_group(relation=TRANSFER)
    assert Desk(second.client()).group_of(group.arn)["Status"] == "ACTIVE"


@OF_AWS
def test_a_server_reads_by_itself(new_server, moto, aws):
    primary = created(aws, "primary")
    server = new_server(start=False, payer=MOTO_PAYER)
    server.options = ["--organization-endpoint", moto.endpoint, "--organization-profiles", f"{MOTO_PAYER}=payer"]
    config = server.data.parent / "config"
    config.write_text("[profile payer]\naws_access_key_id = AKIAPROFORMATESTS000\naws_secret_access_key = x\nregion = us-east-1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(QUIET, "AWS_CONFIG_FILE", str(config))
        server.start()
        assert own(server, "GetOrganizationSync") == {"EveryHours": 0}
        assert server.own("UpdateOrganizationSync", {"EveryHours": 169}).error == "ValidationException"
        said = server.command("sync", "schedule", "--every", "6")
        assert "6" in said
        server.restart()
        for _ in range(200):
            state = own(server, "GetOrganizationSync")
            if "LastReadTime" in state or "Problem" in state:
                break
            time.sleep(0.1)
    assert "Problem" not in state and state["LastAttemptTime"] <= state["LastReadTime"] and state["EveryHours"] == 6
    listed = server.client(service="organizations").list_accounts()["Accounts"]
    assert sorted(of["Id"] for of in listed) == sorted([primary, MOTO_PAYER])
    event = only(audit(server, "proforma:SyncOrganization"))
    assert event["Principal"] == "proforma"


def begun(server, payer):
    """One more payer in a server's data, before it starts; its first key."""
    made = json.loads(command("init", *server.stored, "--payer", payer, "--output", "json"))
    return Keys(made["AccessKeyId"], made["SecretAccessKey"])


@OF_AWS
def test_several_payers_are_read_one_after_the_other(new_server):
    other = "888888888888"
    foreign, ours = (new_server(start=False, transfers=False) for _ in range(2))
    keys = {PAYER: foreign.root, other: begun(foreign, other)}
    begun(ours, other)
    foreign.start()
    for number, (payer, key) in enumerate(keys.items()):
        path = foreign.data.parent / f"{payer}.json"
        path.write_text(json.dumps({"organization": {"id": f"o-larkfield0{number}", "management_account_id": payer}, "accounts": [
            {"account_id": of, "organizational_unit": "Root"} for of in (payer, account(number))]}))
        sync(foreign, "--file", path, keys=key)
    config = ours.data.parent / "config"
    profiles = [f"[profile p{payer}]\naws_access_key_id = {of.access_key_id}\naws_secret_access_key = {of.secret_access_key}\n" for payer, of in keys.items()]
    config.write_text("".join(profiles))
    place = [*ours.stored, "--now", ours.now]
    chosen = [part for payer in keys for part in ("--profile", f"p{payer}")]
    ended = read_of(ours, foreign.endpoint, *chosen, place=place, AWS_CONFIG_FILE=str(config))
    read = json.loads("[" + ended.stdout.replace("}\n{", "},{") + "]")
    assert [(of["OrganizationId"], of["JoinedAccounts"]) for of in read] == [
        ("o-larkfield00", [account(0), PAYER]), ("o-larkfield01", [account(1), other])]
    again = read_of(ours, foreign.endpoint, *chosen, "--dry-run", place=place, AWS_CONFIG_FILE=str(config)).stdout
    assert '"JoinedAccounts": []' in again and account(0) not in again
    # A payer that is named takes no other's organization.
    ended = read_of(ours, foreign.endpoint, "--profile", f"p{other}", ok=False, place=[*place, "--payer", PAYER], AWS_CONFIG_FILE=str(config))
    assert ended.returncode == 2 and f"is managed by account `{other}`, and this desk's payer is `{PAYER}`" in ended.stderr
