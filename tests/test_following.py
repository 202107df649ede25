"""Billing groups follow the organization from day to day: who joins and leaves within a month, what is priced of it, books with rules, and what a kill leaves."""
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

import organizations
import s3
from desk import TRANSFERS, Desk, arn, only, pages, transfers_book
from organizations import account, csv_of, row, sync
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, NEXT, PAYER, PREVIOUS, QUIET, command, in_period
from test_organizations import BASE, HARBOR, MOTO_PAYER, OF_AWS, READER, applied, audit, aws, begun, created, moto, moves, own, put, read_of, told_code, unit_at

SECONDS_MAX = 60
OCTOBER_DAY = "2026-10-20T12:00:00Z"


def in_month(server, now):
    """The same server at another time of the billing clock."""
    server.stop()
    server.now = now
    return server.start()


def costs(server, period=PREVIOUS):
    reports = server.client().list_billing_group_cost_reports(BillingPeriod=period)["BillingGroupCostReports"]
    return {of["Arn"]: of["ProformaCost"] for of in reports}


# ---- Days within a month

def test_a_whole_month_goes_with_the_group_at_its_end(new_server, tmp_path):
    """Who joins on the 15th, moves on the 20th or leaves on the 12th is priced for the whole month where it is when the month ends."""
    server = new_server(transfers=False, now="2026-10-05T12:00:00Z")
    groups = [row(8, "Root"), row(9, "Root")]
    applied(server, [*BASE, *groups])
    desk = Desk(server.client())
    harbor, quill = desk.group([account(8)], Name="Harbor"), desk.group([account(9)], Name="Quill")
    put(server, harbor, HARBOR)
    put(server, quill, [{"OrganizationalUnit": "Root/Customers/Quill"}])
    month = PolicyMonth()
    for number in (1, 2, 3, 8, 9, 14):
        for day in (1, 13, 25):
            month.line(account(number), cost=str(10 ** (number % 10)), hour=24 * day)
    server.load(month.write(tmp_path / "cost"))
    before = costs(server)
    assert before == {harbor.arn: str(3 * (10 + 100 + 10 ** 8)), quill.arn: str(3 * (1000 + 10 ** 9))}
    # 1 leaves on the 12th, 2 goes to Quill, 14 has joined Harbor's unit on the 15th.
    rows = [BASE[0], row(1, "Root/Customers/Harbor", left="2026-10-12"), row(2, "Root/Customers/Quill"), *BASE[3:], *groups,
            row(14, "Root/Customers/Harbor", joined="2026-10-15T10:00:00Z")]
    in_month(server, OCTOBER_DAY)
    changed = applied(server, rows)
    # That there is an account 14, its cost has told before.
    assert changed["LeftAccounts"] == [account(1)] and account(14) in changed["ChangedAccounts"] and moves(changed)[account(14)][1] == "Harbor"
    server.settle()
    assert costs(server) == {harbor.arn: str(3 * (10 + 10 ** 4 + 10 ** 8)), quill.arn: str(3 * (100 + 1000 + 10 ** 9))}
    # Moved back before the month has ended, it is back for all of it.
    applied(server, [*rows[:2], row(2, "Root/Customers/Harbor"), *rows[3:]])
    server.settle()
    assert costs(server) == {harbor.arn: str(3 * (10 + 100 + 10 ** 4 + 10 ** 8)), quill.arn: str(3 * (1000 + 10 ** 9))}
    # In November the leaver is out, and October stays as it was.
    in_month(server, "2026-11-03T12:00:00Z")
    november = Desk(server.client())
    assert november.members_of(harbor.arn) == [account(number) for number in (2, 8, 14)]
    applied(server, [BASE[0], row(2, "Root/Customers/Quill"), *rows[3:]])
    server.settle()
    assert november.members_of(quill.arn) == [account(number) for number in (2, 3, 9)]
    assert costs(server) == {harbor.arn: str(3 * (10 + 100 + 10 ** 4 + 10 ** 8)), quill.arn: str(3 * (1000 + 10 ** 9))}


def test_an_account_that_comes_back_is_as_it_was(new_server):
    server = new_server(transfers=False)
    applied(server, [*BASE, row(8, "Root")])
    desk = Desk(server.client())
    harbor = desk.group([account(8)], Name="Harbor")
    put(server, harbor, HARBOR)
    gone = applied(server, [BASE[0], *BASE[2:], row(8, "Root")])
    assert gone["LeftAccounts"] == [account(1)] and only(gone["Flags"])["Code"] == "LEAVES_THE_ORGANIZATION"
    back = applied(server, [*BASE, row(8, "Root")])
    assert back["JoinedAccounts"] == [account(1)] and back["Flags"] == []
    in_month(server, "2026-12-02T12:00:00Z")
    assert account(1) in Desk(server.client()).members_of(harbor.arn)


def test_a_group_without_its_primary_takes_accounts_until_it_ends(new_server):
    """AWS: with auto-associate, a group whose primary account has left absorbs accounts until the month ends, and is deleted then."""
    server = new_server(transfers=False)
    applied(server, [*BASE, row(8, "Root"), row(9, "Root")])
    desk = Desk(server.client())
    harbor, quill = desk.group([account(8)], Name="Harbor"), desk.group([account(9)], Name="Quill")
    server.client().update_billing_group(Arn=quill.arn, AccountGrouping={"AutoAssociate": True})
    rows = [*BASE, row(8, "Root"), row(20, "Root")]
    left = applied(server, rows)
    assert desk.group_of(quill.arn)["Status"] == "PRIMARY_ACCOUNT_MISSING" and desk.group_of(harbor.arn)["Status"] == "ACTIVE"
    assert moves(left)[account(20)][:2] == (None, "Quill")
    leaving = only([flag for flag in left["Flags"] if flag["Code"] == "LEAVES_THE_ORGANIZATION"])
    assert leaving["AccountId"] == account(9) and f"which ends with {NEXT}" in leaving["Message"]
    # It goes on taking accounts in.
    rows.append(row(21, "Root/Sandbox"))
    assert moves(applied(server, rows))[account(21)][:2] == (None, "Quill")
    assert desk.members_of(quill.arn) == [account(9), account(20), account(21)]
    rows.append(row(22, "Root/Sandbox"))
    in_month(server, "2026-12-01T00:10:00Z")
    changed = applied(server, rows)
    assert account(22) in changed["JoinedAccounts"] and account(22) not in moves(changed)
    listed = pages(server.client(), "list_billing_groups", "BillingGroups")
    assert [of["Name"] for of in listed] == ["Harbor"]
    assert [event["Resource"] for event in audit(server, "proforma:EndBillingGroup")] == [quill.arn]
    linked = {of["AccountId"]: of.get("BillingGroupArn") for of in pages(server.client(), "list_account_associations", "LinkedAccounts")}
    assert linked[account(20)] is None and linked[account(22)] is None and account(9) not in linked


def test_a_group_has_room_for_a_thousand(new_server):
    """Whoever leaves makes room; who has none is told, or joins nobody."""
    server = new_server(transfers=False)
    many = [row(number, "Root/Many") for number in range(100, 1150)]
    base = [BASE[0], row(8, "Root"), row(9, "Root"), row(10, "Root/Other")]
    applied(server, base)
    desk = Desk(server.client())
    harbor, quill = desk.group([account(8)], Name="Harbor"), desk.group([account(9)], Name="Quill")
    put(server, harbor, [{"NamePattern": "account-*"}], ExceptAccountIds=[account(9), account(10), PAYER])
    changed = applied(server, base + many)
    full = {flag["AccountId"] for flag in changed["Flags"] if flag["Code"] == "BILLING_GROUP_IS_FULL"}
    assert len(changed["MovedAccounts"]) == 999 and len(full) == 51 and len(desk.members_of(harbor.arn)) == 1000
    assert full == {account(number) for number in range(1099, 1150)}
    # Two are called otherwise: two of the others have room.
    changed = moves(applied(server, base + [row(100, "Root/Many", "x"), row(101, "Root/Many", "y"), *many[2:]]))
    assert {of: to for of, (_, to, _) in changed.items()} == {
        account(100): None, account(101): None, account(1099): "Harbor", account(1100): "Harbor"}
    # The group that takes what no other has takes as many as it has room for.
    server.client().update_billing_group(Arn=quill.arn, AccountGrouping={"AutoAssociate": True})
    more = [row(number, "Root/Other", f"other-{number}") for number in range(2000, 3050)]
    joined = moves(applied(server, base + [row(100, "Root/Many", "x"), row(101, "Root/Many", "y"), *many[2:], *more]))
    assert len(desk.members_of(quill.arn)) == 1000 and {to for _, to, _ in joined.values()} == {"Quill"}
    assert set(joined) == {account(number) for number in range(2000, 2000 + len(joined))}


# ---- Rules in books

def exported(server, *more):
    return server.command("book", "export", *more)


def book_command(server, command, text, tmp_path, ok=True):
    path = tmp_path / "book.toml"
    path.write_text(text)
    ended = subprocess.run([PROGRAM, "book", command, path, "--endpoint", server.endpoint, "--output", "json"], capture_output=True, text=True,
                           timeout=SECONDS_MAX, env=organizations.plain() | server.root.environment)
    assert not ok or ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout) if ok else ended


def rules_of(server):
    return {of["BillingGroupName"]: (of["Selectors"], of["ExceptAccountIds"], of["AccountIds"]) for of in own(server, "ListBillingGroupRules")["Rules"]}


def with_rules(new_server):
    server = new_server(transfers=False)
    applied(server, [*BASE, row(8, "Root"), row(9, "Root")])
    desk = Desk(server.client())
    harbor, quill = desk.group([account(8)], Name="Harbor"), desk.group([account(9), account(3)], Name="Quill")
    put(server, harbor, [*HARBOR, {"TagKey": "Customer", "TagValues": ["harbor", "other"], "NamePattern": "*-prod"}], ExceptAccountIds=[account(1)])
    return server, harbor, quill


def test_a_rule_goes_out_in_a_book_and_comes_back(new_server, tmp_path):
    server, harbor, quill = with_rules(new_server)
    text = exported(server)
    assert 'organizational_unit = "Root/Customers/Harbor"' in text and f'rule_except = ["{account(1)}"]' in text
    assert f'rule_accounts = ["{account(2)}"]' in text and text.count("rule_accounts") == 1
    planned = book_command(server, "plan", text, tmp_path)
    assert "Harbor" not in json.dumps(planned["Changes"] if "Changes" in planned else planned), planned
    book_command(server, "apply", text, tmp_path)
    assert exported(server) == text
    # A second desk that knows the organization has the same rule, and the accounts are where they are for the same reason.
    second = new_server(transfers=False)
    rows = [*BASE, row(8, "Root"), row(9, "Root")]
    applied(second, rows)
    book_command(second, "apply", text, tmp_path)
    assert rules_of(second) == rules_of(server) and exported(second) == text
    moved = moves(applied(second, [*BASE[:2], row(2, "Root/Sandbox"), *rows[3:], row(12, "Root/Customers/Harbor")]))
    assert moved[account(2)][:2] == ("Harbor", None) and moved[account(12)][:2] == (None, "Harbor")
    # What somebody has put there is nobody's to move.
    assert account(3) in Desk(second.client()).members_of(second_group(second, "Quill"))


def test_rules_of_a_book_wait_for_the_organization(new_server, tmp_path):
    server, _, _ = with_rules(new_server)
    text = exported(server)
    fresh = new_server(transfers=False)
    told = json.dumps(book_command(fresh, "apply", text, tmp_path))
    assert "once the organization is read" in told and "leaves" not in told
    assert account(2) in Desk(fresh.client()).members_of(second_group(fresh, "Harbor"))
    assert exported(fresh) == text and "Harbor" not in json.dumps(book_command(fresh, "plan", text, tmp_path).get("Changes", []))
    # Then the rule moves whom it has put there.
    rows = [*BASE[:2], row(2, "Root/Sandbox"), *BASE[3:], row(8, "Root"), row(9, "Root")]
    assert moves(applied(fresh, rows))[account(2)][:2] == ("Harbor", None)


def second_group(server, name):
    return only([of["Arn"] for of in pages(server.client(), "list_billing_groups", "BillingGroups") if of["Name"] == name])


def test_a_book_says_which_rules_there_are(new_server, tmp_path):
    server, harbor, quill = with_rules(new_server)
    text = exported(server)
    without = re.sub(r"^rule = \[\n(?: .*\n)*\]\n|^rule.*\n", "", text, flags=re.MULTILINE)
    assert "rule" not in without.replace("pricing_rules", "")
    planned = book_command(server, "plan", without, tmp_path)
    assert "Harbor" in json.dumps(planned) and rules_of(server).keys() == {"Harbor"}
    book_command(server, "apply", without, tmp_path)
    assert rules_of(server) == {} and account(2) in Desk(server.client()).members_of(harbor.arn)
    # Without its rule, nobody takes the account away.
    assert account(2) not in moves(applied(server, [*BASE[:2], row(2, "Root/Sandbox"), *BASE[3:], row(8, "Root"), row(9, "Root")]))
    # A rule that comes with a book is followed at once, and the audit and the answer say so.
    sandbox = without.replace('name = "Quill"\n', 'name = "Quill"\nrule = [{ organizational_unit = "Root/Sandbox" }]\n')
    planned = book_command(server, "plan", sandbox, tmp_path)
    told = f"account `{account(4)}` joins `Quill`: organizational unit `Root/Sandbox`"
    assert told in json.dumps(planned) and account(4) not in Desk(server.client()).members_of(quill.arn)
    assert told in json.dumps(book_command(server, "apply", sandbox, tmp_path))
    assert account(4) in Desk(server.client()).members_of(quill.arn)
    assert account(4) in {event["Resource"] for event in audit(server, "proforma:PlaceAccount")}


def test_a_book_of_an_earlier_month_leaves_what_begins_later(new_server, tmp_path):
    """October's book says another rule, and that it has put an account there; November's rule, and who has put the account there, stay."""
    server = new_server(transfers=False)
    applied(server, [*BASE, row(8, "Root"), row(9, "Root")])
    harbor = Desk(in_period(server.client(), PREVIOUS)).group([account(8), account(1)], Name="Harbor")
    put(server, harbor, [{"TagKey": "november"}])
    november = exported(server)
    book = exported(server, "--period", PREVIOUS).replace('name = "Harbor"\n', f'name = "Harbor"\nrule = [{{ tag_key = "october" }}]\nrule_accounts = ["{account(1)}"]\n')
    (tmp_path / "october.toml").write_text(book)
    for _ in range(2):
        applying = json.loads(server.command("book", "apply", tmp_path / "october.toml", "--period", PREVIOUS, "--output", "json"))
        assert applying["Until"] == CURRENT
        assert exported(server) == november
        now, then = (only(own(server, "ListBillingGroupRules", {"BillingPeriod": period})["Rules"]) for period in (CURRENT, PREVIOUS))
        assert (now["Selectors"], now["AccountIds"]) == ([{"TagKey": "november"}], [])
        assert (then["Selectors"], then["AccountIds"]) == ([{"TagKey": "october"}], [account(1)])
    # Whom somebody has put there in November, no rule takes away.
    assert applied(server, [*BASE, row(8, "Root"), row(9, "Root", name="renamed")])["MovedAccounts"] == []
    assert account(1) in Desk(server.client()).members_of(harbor.arn)


def test_a_rule_from_an_earlier_month_on(new_server):
    server = new_server(transfers=False)
    applied(server, [*BASE, row(8, "Root"), row(9, "Root")])
    past = Desk(in_period(server.client(), PREVIOUS))
    harbor, quill = past.group([account(8)], Name="Harbor"), past.group([account(9)], Name="Quill")
    # Somebody has put account 1 there in November.
    server.client().associate_accounts(Arn=harbor.arn, AccountIds=[account(1)])
    rules = lambda period: {of["BillingGroupName"]: of["AccountIds"] for of in own(server, "ListBillingGroupRules", {"BillingPeriod": period})["Rules"]}
    setting = ["rules", "set", "Harbor", "--unit", "Root/Customers/Harbor", "--period", PREVIOUS, "--output", "json"]
    planned = json.loads(server.command(*setting, "--plan"))
    assert set(moves(planned)) == {account(1), account(2)} and rules(PREVIOUS) == {}
    server.command(*setting)
    assert rules(PREVIOUS) == {"Harbor": [account(1), account(2)]} and rules(CURRENT) == {"Harbor": [account(2)]}
    assert past.client.list_account_associations(BillingPeriod=PREVIOUS, Filters={"AccountId": account(1)})["LinkedAccounts"][0]["BillingGroupArn"] == harbor.arn
    # A later rule stays, whatever is said of the month before it.
    server.command("rules", "set", "Quill", "--tag", "november")
    server.command("rules", "set", "Quill", "--tag", "october", "--period", PREVIOUS)
    tags = [{of["BillingGroupName"]: of["Selectors"] for of in own(server, "ListBillingGroupRules", {"BillingPeriod": period})["Rules"]}["Quill"]
            for period in (PREVIOUS, CURRENT)]
    assert tags == [[{"TagKey": "october"}], [{"TagKey": "november"}]]
    server.command("rules", "delete", "Quill", "--period", PREVIOUS)
    assert "Quill" not in rules(PREVIOUS) and "Quill" in rules(CURRENT)
    refused = server.own("PutBillingGroupRule", {"BillingGroupArn": quill.arn, "Selectors": HARBOR, "BillingPeriod": "2027-01"})
    assert refused.status == 400, refused.body


@pytest.mark.parametrize("line, words", [
    ("rule = [{}]", "give `organizational_unit`, `tag_key` or `name_pattern`"),
    ('rule = [{ tag_values = ["x"] }]', "values of a tag need its key: give `tag_key`"),
    ('rule = [{ organizational_unit = "Root//x" }]', "`Root//x` has an empty part"),
    ('rule = [{ name_pattern = "" }]', "an empty pattern fits no name"),
    ('rule = [{ unit = "Root" }]', "unit"),
    ('rule_except = ["222222222222"]', "the billing group has no `rule`"),
    ('rule = [{ tag_key = "x" }]\nrule_accounts = ["222222222222"]', "account `222222222222` is not among `accounts`"),
    ('rule = [{ tag_key = "x" }]\nrule_except = ["x"]', "`x` is no account id"),
])
def test_a_rule_that_cannot_be_is_refused_with_its_place(server, tmp_path, line, words):
    text = (f'payer_account_id = "{PAYER}"\n\n[[billing_groups]]\nname = "Harbor"\nprimary_account_id = "{account(8)}"\naccounts = ["{account(8)}"]\n'
            f'pricing_plan = "BasicPricingPlan"\n{line}\n')
    ended = book_command(server, "plan", text, tmp_path, ok=False)
    assert ended.returncode == 2 and words in ended.stderr and "book.toml:" in ended.stderr, ended.stderr


# ---- Killed for real

def descendants(process):
    """They may be children of any of its threads."""
    found = []
    for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*/children"):
        found += [int(pid) for pid in task.read_text().split()]
    return found


def is_running(pid):
    """Whether a process has not ended; who has taken it over may not have asked how."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Held:
    """Lets requests through up to one of a kind, which waits until it is let go."""

    def __init__(self, operation, number):
        self.operation, self.number = operation, number
        self.reached, self.go = threading.Event(), threading.Event()
        self.asked = []

    def __call__(self, method, path, headers):
        target = headers.get("X-Amz-Target", "").split(".")[-1]
        self.asked.append(target)
        if target == self.operation and self.asked.count(target) == self.number:
            self.reached.set()
            self.go.wait(SECONDS_MAX)
        return None


MOMENTS = [("DescribeOrganization", 1), ("ListAccountsForParent", 2), ("ListAccounts", 1), ("ListTagsForResource", 1), ("ListTagsForResource", 6)]


@OF_AWS
def test_a_reader_that_is_killed_leaves_nothing_half_written(new_server, moto, aws):
    server = new_server(transfers=False, payer=MOTO_PAYER)
    unit = unit_at(aws, "Harbor")
    for number in range(6):
        created(aws, f"harbor-{number}", unit, Number=str(number))
    read_of(server, moto.endpoint)
    created(aws, "newcomer", unit, Number="new")
    server.stop()
    place = [*server.stored, "--now", server.now]
    for operation, number in MOMENTS:
        held = Held(operation, number)
        with s3.Proxy(moto.endpoint, held) as proxy:
            process = subprocess.Popen([PROGRAM, "sync", "organization", *map(str, place), "--organization-endpoint", proxy.endpoint],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=organizations.plain() | server.root.environment)
            assert held.reached.wait(SECONDS_MAX), (operation, number)
            for pid in descendants(process):
                os.kill(pid, signal.SIGKILL)
            _, said = process.communicate(timeout=SECONDS_MAX)
            held.go.set()
        assert process.returncode == 1 and "was stopped by a signal; nothing has changed" in said, said
        server.start()
        assert len(pages(server.client(service="organizations"), "list_accounts", "Accounts")) == 7
        server.stop()
    # Every tag that was read before is known to the next reading.
    ended = read_of(server, moto.endpoint, place=place)
    assert "going on: the tags of 5" in ended.stderr and json.loads(ended.stdout)["AccountCount"] == 8
    assert not list(server.data.glob("organization-*.journal"))


def whole(server):
    """What the server has of the organization: how many accounts, and of which reading they all are."""
    accounts = pages(server.client(service="organizations"), "list_accounts", "Accounts")
    return len(accounts), {of["Name"].split("-")[0] for of in accounts}


def test_a_server_that_is_killed_has_all_of_it_or_nothing(new_server):
    """At moments from before a request arrives to after it is answered."""
    server = new_server(transfers=False)

    def rows(generation):
        return [row(0, "Root", f"g{generation}-payer", payer=PAYER),
                *(row(number, f"Root/Team {number % 40}", f"g{generation}-{number}", Number=str(generation)) for number in range(1, 1501))]

    applied(server, rows(0))
    began = time.monotonic()
    applied(server, rows(1))
    took = time.monotonic() - began
    generation, seen = 1, set()
    for part in (0.15, 0.4, 0.55, 0.7, 0.85, 1.0):
        path = server.data.parent / "next.csv"
        path.write_text(csv_of(rows(generation + 1)))
        process = subprocess.Popen([PROGRAM, "sync", "organization", "--endpoint", server.endpoint, "--file", path], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=organizations.plain() | server.root.environment)
        time.sleep(took * part)
        server.kill()
        process.wait(SECONDS_MAX)
        server.start()
        count, generations = whole(server)
        assert count == 1501 and generations in ({f"g{generation}"}, {f"g{generation + 1}"}), (count, generations)
        seen.add(only(sorted(generations)) == f"g{generation}")
        # The next one goes on.
        assert applied(server, rows(generation + 1))["AccountCount"] == 1501
        generation += 1
        assert whole(server) == (1501, {f"g{generation}"})
    assert True in seen, "no kill came before the end"
    server.stop()
    ended = subprocess.run([PROGRAM, "verify", *server.stored], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


@OF_AWS
def test_a_server_that_is_killed_while_it_reads_by_itself(new_server, moto, aws):
    unit = unit_at(aws, "Harbor")
    for number in range(3):
        created(aws, f"harbor-{number}", unit)
    held = Held("ListTagsForResource", 2)
    with s3.Proxy(moto.endpoint, held) as proxy:
        server = new_server(start=False, payer=MOTO_PAYER)
        server.options = ["--organization-endpoint", proxy.endpoint]
        key = {"AWS_ACCESS_KEY_ID": "AKIAPROFORMATESTS000", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in key.items():
                patch.setenv(name, value)
            server.start()
            server.command("sync", "schedule", "--every", "6")
            server.restart()
            assert held.reached.wait(SECONDS_MAX)
            readers = descendants(server.process)
            server.kill()
        assert told_code(server.start().client(service="organizations").list_roots) == ("AWSOrganizationsNotInUseException", None)
        state = own(server, "GetOrganizationSync")
        assert "LastAttemptTime" in state and "LastReadTime" not in state
        # Somebody need not wait for it to be tried again; the reader that nobody listens to any more ends by itself.
        assert json.loads(read_of(server, moto.endpoint).stdout)["AccountCount"] == 4
        held.go.set()
        for _ in range(600):
            if not any(map(is_running, readers)):
                break
            time.sleep(0.05)
        assert readers and not any(map(is_running, readers))
        assert len(pages(server.client(service="organizations"), "list_accounts", "Accounts")) == 4


@OF_AWS
def test_what_was_read_is_dropped_where_somebody_has_taken_over_something_newer(new_server, moto, aws):
    created(aws, "harbor", unit_at(aws, "Harbor"))
    held = Held("ListTagsForResource", 2)
    with s3.Proxy(moto.endpoint, held) as proxy:
        server = new_server(start=False, payer=MOTO_PAYER)
        server.options = ["--organization-endpoint", proxy.endpoint]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (("AWS_ACCESS_KEY_ID", "AKIAPROFORMATESTS000"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_REGION", "us-east-1")):
                patch.setenv(name, value)
            server.start()
            server.command("sync", "schedule", "--every", "6")
            server.restart()
        assert held.reached.wait(SECONDS_MAX)
        applied(server, [row(0, "Root", payer=MOTO_PAYER), row(1, "Root/New"), row(2, "Root/New")])
        held.go.set()
        for _ in range(600):
            if "Problem" in (state := own(server, "GetOrganizationSync")):
                break
            time.sleep(0.05)
    assert "was changed here while it was read at AWS" in state["Problem"] and "LastReadTime" not in state
    accounts = server.client(service="organizations").list_accounts()["Accounts"]
    assert [of["Id"] for of in accounts] == sorted([MOTO_PAYER, account(1), account(2)])


@OF_AWS
def test_what_was_read_is_dropped_where_a_book_has_told_of_billing_transfers(new_server, moto, aws):
    """A transfer that a book tells of is of the organization, too."""
    created(aws, "harbor", unit_at(aws, "Harbor"))
    held = Held("ListTagsForResource", 2)
    with s3.Proxy(moto.endpoint, held) as proxy:
        server = new_server(start=False, payer=MOTO_PAYER)
        server.options = ["--organization-endpoint", proxy.endpoint, "--organization-profiles", f"{MOTO_PAYER}=reader"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(QUIET, "AWS_CONFIG_FILE", str(reader_config(server)))
            server.start()
            server.command("sync", "schedule", "--every", "6")
            server.restart()
        assert held.reached.wait(SECONDS_MAX)
        server.apply(transfers_book(TRANSFERS[:1], receiver_account_id=MOTO_PAYER) | {"payer_account_id": MOTO_PAYER})
        held.go.set()
        state = until_told(lambda: own(server, "GetOrganizationSync"), "Problem")
    assert "was changed here while it was read at AWS" in state["Problem"] and "LastReadTime" not in state


@OF_AWS
def test_a_reading_that_does_not_end_is_in_nobodys_way(new_server, moto, aws):
    """Two payers, of which one's credentials never come."""
    created(aws, "harbor")
    server = new_server(start=False, payer=MOTO_PAYER)
    stuck = "111111111111"
    keys = begun(server, stuck)
    for payer in (stuck, MOTO_PAYER):
        command("sync", "schedule", *server.stored, "--payer", payer, "--every", "6")
    credentials = f"sleep 300.{os.getpid()}"
    config = reader_config(server, f"[profile stuck]\ncredential_process = {credentials}\nregion = us-east-1\n")
    # The good reading has all this time, too, however busy the machine is.
    server.options = ["--organization-endpoint", moto.endpoint, "--organization-profiles", f"{MOTO_PAYER}=reader,{stuck}=stuck",
                      "--organization-time-limit", "60"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(QUIET, "AWS_CONFIG_FILE", str(config))
        server.start()
    sync_of = lambda of: server.own("GetOrganizationSync", keys=of).json
    assert "LastReadTime" in until_told(lambda: sync_of(server.root), "LastReadTime")
    for _ in range(20 * SECONDS_MAX):
        if hanging := processes_of(credentials):
            break
        time.sleep(0.05)
    told = until_told(lambda: sync_of(keys), "Problem", 2 * SECONDS_MAX)
    assert "did not answer to the end within 60 seconds (--organization-time-limit)" in told["Problem"] and "LastReadTime" not in told
    # What the reader has started ends with it.
    assert hanging and not [pid for pid in hanging if is_running(pid)]


def processes_of(words):
    """Processes whose command line has some words."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in path.read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


@OF_AWS
def test_a_reading_that_the_limit_ends_goes_on(new_server, moto, aws):
    """The next one asks for the tags that are missing, though it comes later than the limit was long."""
    unit = unit_at(aws, "Harbor")
    for number in range(6):
        created(aws, f"harbor-{number}", unit, Number=str(number))
    held = Held("ListTagsForResource", 5)
    with s3.Proxy(moto.endpoint, held) as proxy:
        server = new_server(start=False, payer=MOTO_PAYER)
        server.options = ["--organization-endpoint", proxy.endpoint, "--organization-profiles", f"{MOTO_PAYER}=reader", "--organization-time-limit", "30"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(QUIET, "AWS_CONFIG_FILE", str(reader_config(server)))
            server.start()
            server.command("sync", "schedule", "--every", "6")
            server.restart()
            assert held.reached.wait(SECONDS_MAX)
            reader, = descendants(server.process)
            arguments = pathlib.Path(f"/proc/{reader}/cmdline").read_bytes().decode().split("\0")[1:-1]
            state = until_told(lambda: own(server, "GetOrganizationSync"), "Problem")
        assert "the next reading goes on where this one was" in state["Problem"] and not is_running(reader)
        held.go.set()
        # As it is some time later: what was read is believed for longer than an hour, which a limit may be.
        journal, = server.data.glob("organization-*.journal")
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        assert len(lines) == 5, lines
        journal.write_text("".join(json.dumps(line | ({"at": int(time.time()) - 3620} if "of" in line else {})) + "\n" for line in lines))
        before = held.asked.count("ListTagsForResource")
        again = subprocess.run([READER, *arguments], capture_output=True, text=True, timeout=SECONDS_MAX,
                               env=organizations.plain() | QUIET | {"AWS_CONFIG_FILE": str(server.data.parent / "reader.config")})
        assert again.returncode == 0 and "going on: the tags of 4" in again.stderr, again.stderr
        of_all = json.loads(again.stdout)
        asked = held.asked.count("ListTagsForResource") - before
    assert asked == len(of_all["accounts"]) + len(of_all["organizational_units"]) - 4, (asked, of_all)
    assert not journal.exists()


def reader_config(server, more=""):
    """A settings file of AWS's tools with a profile that moto takes."""
    path = server.data.parent / "reader.config"
    path.write_text("[profile reader]\naws_access_key_id = AKIAPROFORMATESTS000\naws_secret_access_key = x\nregion = us-east-1\n" + more)
    return path


def until_told(ask, name, seconds=SECONDS_MAX):
    for _ in range(20 * seconds):
        if name in (state := ask()):
            return state
        time.sleep(0.05)
    raise AssertionError(f"no {name}: {state}")
