"""What comes again, at once, after an interruption, from somebody else, or in the last second of a month."""
import contextlib
import datetime
import json
import os
import random
import socket
import struct
import subprocess
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from desk import NUMBERS, Desk, account, accounts, at_once, is_conflict, name, only, pages, until_done
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, NEXT, NOW, PAYER, PREVIOUS, QUIET, Keys, command, in_period, invalid, refused
from test_protocol import head_of
from test_signatures import JSON

OTHER_PAYER = "888888888888"
MANY = 100


def token():
    return f"again-{next(NUMBERS)}"


def init_other(server, payer=OTHER_PAYER):
    """A second payer in the same data directory, whose server is not running; the keys of its first principal."""
    made = json.loads(command("init", *server.stored, "--payer", payer, "--output", "json"))
    return Keys(made["AccessKeyId"], made["SecretAccessKey"])


@pytest.fixture(scope="module")
def two(new_server):
    """A server of two payers."""
    server = new_server(start=False)
    other = init_other(server)
    server.start()
    return SimpleNamespace(server=server, other=other, ours=server.client(), theirs=server.client(other))


def after(server, **shift):
    """The same server, later or earlier by its own clock."""
    server.stop()
    server.now = (datetime.datetime.fromisoformat(NOW) + datetime.timedelta(**shift)).strftime("%Y-%m-%dT%H:%M:%SZ")
    server.start()
    return server.client()


# ---- Client tokens (B11, B12)

def test_one_of_a_hundred_repeated_requests_is_carried_out(client):
    """All of them get its ARN: a writer waits for the one before."""
    given = {"ClientToken": token(), "Name": name("plan")}
    results = at_once([lambda: client.create_pricing_plan(**given)["Arn"]] * MANY)
    told = {result if isinstance(result, str) else repr(result) for result in results if not is_conflict(result)}
    assert len(told) == 1 and only(list(told)).startswith("arn:"), told
    assert client.create_pricing_plan(**given)["Arn"] == only(list(told))
    assert [plan["Name"] for plan in pages(client, "list_pricing_plans", "PricingPlans")].count(given["Name"]) == 1


def test_a_hundred_inputs_under_one_token_make_one_thing(client):
    key = token()
    results = at_once([lambda: client.create_pricing_plan(ClientToken=key, Name=name("plan"))["Arn"]] * MANY)
    assert sum(isinstance(result, str) for result in results) == 1, results
    lost = {result.response["Reason"] for result in results if isinstance(result, ClientError)}
    assert lost <= {"OTHER", "WRITE_CONFLICT_RETRY"}, lost


def test_a_token_is_of_one_payer(two):
    """And of the whole payer: another of its admins repeats the same request."""
    given = {"ClientToken": token(), "Name": name("plan")}
    ours, theirs = (client.create_pricing_plan(**given)["Arn"] for client in (two.ours, two.theirs))
    assert ours != theirs and PAYER in ours and OTHER_PAYER in theirs
    again = two.server.client(two.server.keys(f"second-{next(NUMBERS)}", "payer-admin"))
    assert again.create_pricing_plan(**given)["Arn"] == ours
    with invalid("OTHER"):
        two.theirs.create_pricing_plan(**given | {"Name": name("plan")})


def test_a_token_lasts_for_35_days(new_server):
    """A job of one month's end may come again at the next one's; the resource that it made may be gone by then."""
    server = new_server()
    given = {"ClientToken": token(), "Name": name("plan")}
    made = server.client().create_pricing_plan(**given)["Arn"]
    client = after(server, days=34)
    assert client.create_pricing_plan(**given)["Arn"] == made
    client.delete_pricing_plan(Arn=made)
    assert client.create_pricing_plan(**given)["Arn"] == made
    client = after(server, days=35, seconds=1)
    # Tokens are looked through when the server starts, and every day.
    assert until_new(client, given, made) != made


def until_new(client, given, made):
    for _ in range(200):
        if (again := client.create_pricing_plan(**given)["Arn"]) != made:
            return again
    return made


def cut(server, request, bytes_read=0, wait=0.0):
    """Sends a request, and hangs up without a word after a while."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as connection:
        connection.sendall(request)
        connection.settimeout(max(wait, 1e-6))
        with contextlib.suppress(TimeoutError, BlockingIOError):
            connection.recv(bytes_read or 1, 0 if bytes_read else socket.MSG_PEEK)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_request_whose_answer_never_came_is_asked_again(server, client):
    """The client hangs up before, while and after the write is made: asking again tells the same ARN, and every reader knows of it."""
    seconds = [0, 0.0003, 0.001, 0.002, 0.003, 0.004, 0.005, 0.007, 0.01, 0.05] * 3
    random.Random(20261122).shuffle(seconds)
    for wait in seconds:
        called, key = name("cut"), token()
        body = f'{{"Name": "{called}"}}'.encode()
        signed = server.signed("POST", "/create-pricing-plan", body, headers=JSON | {"X-Amzn-Client-Token": key}) | {"Content-Length": str(len(body))}
        cut(server, head_of("POST", "/create-pricing-plan", signed) + body, wait=wait)
        made = until_done(lambda key=key, called=called: client.create_pricing_plan(Name=called, ClientToken=key))["Arn"]
        assert only(client.list_pricing_plans(Filters={"Arns": [made]})["PricingPlans"])["Name"] == called
        with refused("ConflictException", "RESOURCE_NAME_CONFLICT"):
            client.create_pricing_plan(Name=called)


def test_what_a_client_that_hung_up_has_begun_is_finished(server, client):
    """Without a token: what was written is seen, and what is seen was written; the server's readers never lag behind its writers."""
    desk = Desk(client)
    for wait in [0, 0.001, 0.003, 0.005, 0.01] * 3:
        group, new = desk.group(), account()
        body = f'{{"Arn": "{group.arn}", "AccountIds": ["{new}"]}}'.encode()
        signed = server.signed("POST", "/associate-accounts", body, headers=JSON) | {"Content-Length": str(len(body))}
        cut(server, head_of("POST", "/associate-accounts", signed) + body, wait=wait)
        # Another write comes after it; only then is it told whether it was made.
        with contextlib.suppress(client.exceptions.ValidationException):
            until_done(lambda group=group, new=new: client.associate_accounts(Arn=group.arn, AccountIds=[new]))
        assert desk.members_of(group.arn) == sorted([*group.accounts, new])


# ---- Page tokens (B10)

def test_a_page_token_is_of_one_payer(two):
    for client in (two.ours, two.theirs):
        for _ in range(3):
            client.create_pricing_plan(Name=name("plan"))
    following = two.ours.list_pricing_plans(MaxResults=2)["NextToken"]
    with invalid("OTHER"):
        two.theirs.list_pricing_plans(MaxResults=2, NextToken=following)
    assert two.ours.list_pricing_plans(MaxResults=2, NextToken=following)["PricingPlans"]


def test_every_byte_of_a_page_token_counts(two):
    following = two.ours.list_pricing_plans(MaxResults=1)["NextToken"]
    for place in range(len(following)):
        other = following[:place] + ("A" if following[place] != "A" else "B") + following[place + 1:]
        answer = two.server.call("ListPricingPlans", {"MaxResults": 1, "NextToken": other})
        # The last character may have bits that stand for nothing; such a form of it is none.
        assert (answer.status, answer.reason) == (400, "OTHER"), place


def test_a_page_token_of_ten_megabytes(two):
    answer = two.server.call("ListPricingPlans", {"NextToken": "A" * 10_000_000})
    assert answer.status == 413
    answer = two.server.call("ListPricingPlans", {"NextToken": "A" * 1_000_000})
    assert (answer.status, answer.error) == (400, "ValidationException")


# ---- Racing writers (B13)

def holders(client, groups, one):
    listed = pages(client, "list_account_associations", "LinkedAccounts", Filters={"AccountIds": [one]})
    found = [item["BillingGroupArn"] for item in listed if item.get("BillingGroupArn")]
    assert set(found) <= set(groups)
    return found


def test_one_account_is_wanted_by_two_groups_a_hundred_times(client, desk):
    left, right, wanted = desk.group(), desk.group(), account()
    put = lambda group: client.associate_accounts(Arn=group.arn, AccountIds=[wanted])
    results = at_once([lambda group=group: put(group) for group in (left, right) for _ in range(MANY // 2)])
    assert sum(isinstance(result, dict) for result in results) == 1, results
    assert {result.response["Reason"] for result in results if isinstance(result, ClientError)} <= {"ACCOUNTS_ALREADY_ASSOCIATED", "WRITE_CONFLICT_RETRY"}
    assert len(holders(client, {left.arn, right.arn}, wanted)) == 1


def test_accounts_that_are_moved_around_at_once_are_never_in_two_groups(client, desk):
    """A→B, B→C and C→A of six accounts, with readers all the while: at most one group at any time, one in the end, and the rest stays."""
    groups, moving = [desk.group() for _ in range(3)], accounts(6)
    for number, one in enumerate(moving):
        client.associate_accounts(Arn=groups[number % 3].arn, AccountIds=[one])
    seen = []

    def move(one, number):
        here, there = groups[number % 3], groups[(number + 1) % 3]
        until_done(lambda: client.disassociate_accounts(Arn=here.arn, AccountIds=[one]))
        until_done(lambda: client.associate_accounts(Arn=there.arn, AccountIds=[one]))

    def read():
        for _ in range(20):
            listed = pages(client, "list_account_associations", "LinkedAccounts", Filters={"AccountIds": moving})
            grouped = [item["AccountId"] for item in listed if item.get("BillingGroupArn")]
            seen.append(len(grouped) == len(set(grouped)))

    for step in range(2):
        results = at_once([lambda one=one, number=number: move(one, number + step) for number, one in enumerate(moving)] + [read])
        assert results == [None] * 7, results
    assert all(seen)
    for number, one in enumerate(moving):
        assert holders(client, {group.arn for group in groups}, one) == [groups[(number + 2) % 3].arn]
    assert [desk.group_of(group.arn)["Size"] for group in groups] == [3, 3, 3]
    assert all(group.primary in desk.members_of(group.arn) for group in groups)


def test_an_update_and_a_delete_at_once(client, desk):
    """Whichever comes first: nothing comes back from the dead."""
    for _ in range(5):
        rule = desk.rule()
        updated, deleted = at_once([lambda: client.update_pricing_rule(Arn=rule, Name=name()), lambda: client.delete_pricing_rule(Arn=rule)])
        assert isinstance(deleted, dict) or is_conflict(deleted), deleted
        if isinstance(updated, ClientError) and not is_conflict(updated):
            assert updated.response["Error"]["Code"] == "ResourceNotFoundException"
        if isinstance(deleted, dict):
            assert client.list_pricing_rules(Filters={"Arns": [rule]})["PricingRules"] == []


# ---- The end of a month (B16)

def test_a_write_counts_for_the_month_in_which_it_was_asked(new_server):
    """The last second of November is November's, the next one December's."""
    server = new_server(transfers=False, now="2026-11-30T23:59:59Z")
    desk = Desk(server.client())
    group = desk.group(2)
    before = server.client().create_custom_line_item(Name=name("item"), Description="late", BillingGroupArn=group.arn,
                                                     ChargeDetails={"Flat": {"ChargeValue": 1}, "Type": "FEE"})["Arn"]
    server.stop()
    server.now = "2026-12-01T00:00:00Z"
    server.start()
    client = server.client()
    later = Desk(client)
    client.disassociate_accounts(Arn=group.arn, AccountIds=[group.accounts[1]])
    after_ = client.create_custom_line_item(Name=name("item"), Description="new", BillingGroupArn=group.arn,
                                            ChargeDetails={"Flat": {"ChargeValue": 1}, "Type": "FEE"})["Arn"]
    assert later.members_of(group.arn, BillingPeriod=CURRENT) == sorted(group.accounts)
    assert later.members_of(group.arn) == later.members_of(group.arn, BillingPeriod=NEXT) == [group.primary]
    items = lambda period: {item["Arn"] for item in client.list_custom_line_items(BillingPeriod=period)["CustomLineItems"]}
    # Without a range an item is one of its month.
    assert (items(CURRENT), items(NEXT)) == ({before}, {after_})
    client.update_custom_line_item(Arn=before, Description="still", BillingPeriodRange={
        "InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": NEXT})
    with invalid("ILLEGAL_BILLING_PERIOD"):
        client.list_billing_groups(BillingPeriod="2027-01")


def test_a_month_is_not_closed_over_what_is_still_to_be_priced(new_server, tmp_path):
    """A run that waits holds the close up, whoever is to price it; the closed month is that run's."""
    server = new_server(transfers=False)
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = past.rule(ModifierPercentage=10)
    group = past.group(plan=past.plan(rule))
    month.line(group.primary, cost="100")
    server.load(month.write(tmp_path / "cost"))
    server.stop()
    server.options = ["--no-runs"]
    server.start()
    in_period(server.client(), PREVIOUS).update_pricing_rule(Arn=rule, ModifierPercentage=20)
    close = lambda: subprocess.run([PROGRAM, "close", PREVIOUS, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=60,
                                   env=os.environ | QUIET | server.root.environment)
    ended = close()
    assert ended.returncode != 0 and "still to be priced" in ended.stderr, ended.stderr
    server.stop()
    server.options = []
    server.start()
    server.settle()
    assert close().returncode == 0
    with invalid("INVALID_BILLING_PERIOD_FOR_OPERATION"):
        in_period(server.client(), PREVIOUS).update_billing_group(Arn=group.arn, Name=name())
    assert [row["ProformaCost"] for row in server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]] == ["120"]
    assert close().returncode != 0


# ---- Names (B18)

def test_names_are_bytes(server, client, desk):
    """By case, by a dot, by what looks alike: one name is one row of bytes, and AWS's pattern keeps the rest out."""
    called = name("Name")
    for form in (called, called.lower(), called.upper(), called + ".", called + "..", "." + called, called + "-", called + "_", called + "@"):
        assert desk.plan_of(desk.plan(Name=form))["Name"] == form
        with refused("ConflictException", "RESOURCE_NAME_CONFLICT"):
            desk.plan(Name=form)
    for form in ("café", "cafe\u0301", "ﬁve", "Ａ", "а", "İ", "name\u200b", "\u202ename", "na me", "name ", " name", "name\n", "name\0", "na/me", ""):
        answer = server.call("CreatePricingPlan", {"Name": form})
        assert (answer.status, answer.reason) == (400, "FIELD_VALIDATION_FAILED"), repr(form)
        assert server.call("UpdatePricingPlan", {"Arn": desk.plan(), "Name": form}).reason == "FIELD_VALIDATION_FAILED", repr(form)


# ---- Rates (B20)

def test_who_asks_too_much_takes_nothing_from_others(new_server):
    """A burst of one key; another one, of the same payer or not, asks as if there were none."""
    server = new_server(start=False, options=["--rate", "10"])
    stranger = init_other(server)
    server.start()
    calm = server.keys("calm", "analyst")
    ask = lambda keys: server.ask("POST", "/list-billing-groups", b"{}", keys, JSON)
    burst = [ask(server.root) for _ in range(60)]
    assert {answer.status for answer in burst} == {200, 429}
    throttled = [answer for answer in burst if answer.status == 429]
    assert all(answer.error == "ThrottlingException" and 1 <= int(answer.headers["retry-after"]) <= 5 for answer in throttled)
    # Both at once: the one goes on being told to wait, the others are answered.
    told = at_once([lambda: [ask(server.root).status for _ in range(20)], lambda: [ask(calm).status for _ in range(10)],
                    lambda: [ask(stranger).status for _ in range(10)]])
    assert 429 in told[0] and told[1] == told[2] == [200] * 10, told
    # A wrong signature in somebody's name does not use up what that one may ask.
    forged = Keys(calm.access_key_id, "x" * 40)
    assert {ask(forged).status for _ in range(60)} == {403}
    assert ask(calm).status == 200
