"""Several servers on one PostgreSQL and one data directory: what one writes the others read, and a run is priced by one of them."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest
from botocore.exceptions import ClientError

from desk import Desk, accounts, at_once, is_conflict, name, pages, until_done
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, PAYER, PREVIOUS, Keys, Server, command, in_period
from test_operations import until

LEASE = 2
# How many sessions wait for a lock.
WAITING = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
# From now on each row of the settings of one payer takes four seconds to be read.
SLOW_SETTINGS = """ALTER TABLE settings RENAME TO quick_settings; CREATE VIEW settings AS SELECT * FROM quick_settings
 WHERE CASE WHEN payer = '888800000000' THEN pg_sleep(4) IS NOT NULL ELSE TRUE END"""


@pytest.fixture(scope="module")
def new_pair(cluster, tmp_path_factory):
    """Makes two servers of one desk; both price, and a run's claim passes after two seconds."""
    made = []

    def make():
        folder = tmp_path_factory.mktemp("pair")
        options = ["--lease-seconds", str(LEASE)]
        one = Server(folder / "data", cluster.database(), options=options).init().start()
        # The same folder by another name, so that each has a log of its own.
        (folder / "again").symlink_to(folder / "data")
        two = Server(folder / "again", one.database, root=one.root, options=options).start()
        made.extend((one, two))
        return one, two

    yield make
    for server in made:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def pair(new_pair):
    return new_pair()


def month_of(server, folder, cost="100"):
    """A group at 10 % and the files of its month."""
    desk, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = desk.rule(ModifierPercentage=10)
    group = desk.group(plan=desk.plan(rule))
    month.line(group.primary, cost=cost)
    return rule, month.write(folder)


def charged(server):
    reports = server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
    return [row["ProformaCost"] for row in reports]


def runs(server):
    return json.loads(server.command("runs", "list", "--output", "json"))["Runs"]


def begun(server):
    """The runs that a server has begun to price, by their ids."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line["run"] for line in lines if line.get("message") == "pricing"]


def said(server, words):
    return words in server.log.read_text()


# ---- Reading and writing

def test_what_one_writes_the_other_reads(pair):
    one, two = (Desk(server.client()) for server in pair)
    for writer, reader in ((one, two), (two, one)) * 3:
        group = writer.group(2)
        assert reader.group_of(group.arn)["Name"] == group.name and reader.members_of(group.arn) == sorted(group.accounts)
        reader.client.update_billing_group(Arn=group.arn, Description="changed")
        assert writer.group_of(group.arn)["Description"] == "changed"


def test_writers_at_several_servers_lose_nothing(pair):
    clients = [server.client() for server in pair]
    group = Desk(clients[0]).group()
    joining = accounts(40)
    results = at_once([lambda account=account, client=clients[number % 2]: until_done(
        lambda: client.associate_accounts(Arn=group.arn, AccountIds=[account])) for number, account in enumerate(joining)])
    assert [result for result in results if isinstance(result, Exception)] == []
    for client in clients:
        assert Desk(client).members_of(group.arn) == sorted(group.accounts + joining)


def test_one_of_several_servers_gives_a_name(pair):
    clients = [server.client() for server in pair]
    wanted = name("plan")
    results = at_once([lambda client=clients[number % 2]: until_done(lambda: client.create_pricing_plan(Name=wanted)) for number in range(16)])
    errors = [result for result in results if isinstance(result, ClientError)]
    assert len(errors) == 15 and {error.response["Error"]["Code"] for error in errors} == {"ConflictException"} and not any(map(is_conflict, errors))


def test_a_token_is_one_request_at_all_servers(pair):
    clients = [server.client() for server in pair]
    given = {"Name": name("rule"), "Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 3, "ClientToken": name("token")}
    results = at_once([lambda client=clients[number % 2]: until_done(lambda: client.create_pricing_rule(**given)) for number in range(12)])
    assert len({result["Arn"] for result in results}) == 1


def test_a_page_is_followed_at_another_server(pair):
    one, two = (server.client() for server in pair)
    for _ in range(3):
        Desk(one).rule()
    listed = pages(one, "list_pricing_rules", "PricingRules")
    first = one.list_pricing_rules(MaxResults=2)
    second = two.list_pricing_rules(MaxResults=2, NextToken=first["NextToken"])
    assert [rule["Arn"] for rule in first["PricingRules"] + second["PricingRules"]] == [rule["Arn"] for rule in listed[:4]]


def test_a_key_is_refused_everywhere_within_a_second(pair):
    one, two = pair
    keys = one.keys(name("bot"), "analyst")
    assert two.call("ListBillingGroups", keys=keys).status == 200
    one.command("keys", "deactivate", keys.access_key_id)
    time.sleep(1.1)
    assert [server.call("ListBillingGroups", keys=keys).status for server in pair] == [403, 403]


# ---- The master key

def test_a_server_with_the_old_master_key_answers_nobody_and_seals_nothing(new_pair):
    """Secrets are sealed anew while two servers make keys: a key that was handed out works under the new master key."""
    one, two = new_pair()
    stop, made, errors = threading.Event(), [], []

    def make(server):
        while not stop.is_set():
            principal = name("bot")
            answer = server.own("CreateKey", {"PrincipalName": principal, "Role": "analyst"})
            if answer.status == 200:
                made.append(Keys(answer.json["AccessKeyId"], answer.json["SecretAccessKey"], principal))
            elif answer.error != "ConflictException":
                errors.append(answer)

    makers = [threading.Thread(target=make, args=[server]) for server in (one, two) * 2]
    for maker in makers:
        maker.start()
    until(lambda: len(made) > 20)
    command("keys", "rotate-master", *one.stored)
    handed_out = len(made)
    # Who was known a moment ago may still ask; who is not answered any more is told so.
    until(lambda: len(errors) > 40)
    stop.set()
    for maker in makers:
        maker.join()
    assert {answer.status for answer in errors} <= {500, 503} and handed_out > 20
    time.sleep(1.1)
    for server in (one, two):
        # One answer, whether somebody has the key or nobody.
        answers = [server.call("ListBillingGroups", keys=keys) for keys in (server.root, Keys("AKIA" + "A" * 16, "x" * 40))]
        assert [(answer.status, answer.body) for answer in answers] == [(503, answers[0].body)] * 2
        ready = server.send("GET", "/readyz")
        assert ready.status == 503 and "another master key" in ready.body.decode() and said(server, "start it again with the new one")
        assert server.send("GET", "/healthz").status == 200
    # Nor does a command that has the old key seal anything.
    again = subprocess.run([PROGRAM, "keys", "rotate-master", *two.stored], capture_output=True, text=True, timeout=60, env=os.environ | {
        "PROFORMA_MASTER_KEY": "ab" * 32})
    assert again.returncode == 2 and "is not the one that this database was sealed with" in again.stderr
    one.restart()
    assert one.send("GET", "/readyz").status == 200 and two.send("GET", "/readyz").status == 503
    assert [keys.principal for keys in [one.root, *made] if one.call("ListBillingGroups", keys=keys).status != 200] == []
    two.restart()
    new = two.keys(name("bot"), "analyst")
    assert [server.call("ListBillingGroups", keys=new).status for server in (one, two)] == [200, 200]


def test_of_two_new_master_keys_the_one_that_is_kept_is_the_one_that_holds(new_pair):
    one, two = new_pair()
    keys = [one.keys(name("bot"), "analyst") for _ in range(20)]
    one.stop(), two.stop()
    rotations = [subprocess.Popen([PROGRAM, "keys", "rotate-master", *one.stored], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                 for _ in range(4)]
    ends = [(rotation.communicate(timeout=60)[1], rotation.returncode) for rotation in rotations]
    assert 0 in [code for _, code in ends] and all(code == 0 or "master key" in said for said, code in ends), ends
    one.start()
    assert {one.call("ListBillingGroups", keys=of).status for of in (one.root, *keys)} == {200}
    two.start()


# ---- Payers

def payers(server, count):
    """So many more payers of a server's database, each with its first key."""
    made = []
    for number in range(count):
        payer = f"{888800000000 + number}"
        told = json.loads(command("init", *server.stored, "--payer", payer, "--output", "json"))
        made.append(Keys(told["AccessKeyId"], told["SecretAccessKey"]))
    return made


def test_as_many_payers_write_as_there_are_connections(new_pair, cluster):
    """Each waits with a transaction of its own for the same lock; what each has to read then must not need another connection."""
    one, _ = new_pair()
    clients = [one.client(keys) for keys in payers(one, 10)]
    # Each payer's desk is loaded.
    [client.list_pricing_rules() for client in clients]
    rules = []
    started = [threading.Thread(target=lambda client=client: rules.append(Desk(client).rule())) for client in clients]
    with cluster.locked(one.database, "payers", "SHARE ROW EXCLUSIVE"):
        [thread.start() for thread in started]
        until(lambda: int(cluster.say(one.database, WAITING)) >= 10)
    begun_at = time.monotonic()
    [thread.join() for thread in started]
    assert len(rules) == 10 and time.monotonic() - begun_at < 10


def test_a_payer_whose_rows_are_held_holds_up_no_other(new_pair, cluster):
    """Somebody stands still within a transaction: that payer's audit and writes wait, for a while; the others' audit, writes and runs go on."""
    one, two = new_pair()
    two.stop()
    held, free = payers(one, 2)
    [one.call("ListPricingRules", keys=keys) for keys in (held, free)]
    seen = lambda: one.own("ListAuditEvents", keys=free).body.count(b"ListPricingPlans")
    with cluster.begun(one.database, f"UPDATE payers SET revision = revision WHERE payer = '888800000000'"):
        [one.call("ListPricingPlans", keys=keys) for keys in (held, free, held)]
        until(seen, 4)
        began = time.monotonic()
        rule = {"Name": "held", "Type": "MARKUP", "Scope": "GLOBAL", "ModifierPercentage": 1}
        refused = one.call("CreatePricingRule", rule, held)
        assert (refused.status, refused.error) == (503, "ServiceUnavailableException") and time.monotonic() - began < 25
        assert one.call("CreatePricingRule", rule, free).status in (200, 201)
        # Again, while the other's part waits a second time.
        one.call("ListCustomLineItems", {}, free)
        until(lambda: b"ListCustomLineItems" in one.own("ListAuditEvents", keys=free).body, 4)
    until(lambda: one.own("ListAuditEvents", keys=held).body.count(b"ListPricingPlans") >= 2, 15)
    assert one.call("CreatePricingRule", rule, held).status in (200, 201)
    one.stop()
    command("verify", *one.stored)


def test_a_payer_that_loads_slowly_holds_up_no_other(new_pair, cluster):
    one, two = new_pair()
    slow, quick = payers(one, 2)
    Desk(one.client(slow)).rule()
    two.stop()
    cluster.say(one.database, SLOW_SETTINGS)
    two.start()
    waiting = threading.Thread(target=two.call, args=["ListPricingRules"], kwargs={"keys": slow})
    waiting.start()
    time.sleep(0.5)
    begun_at = time.monotonic()
    assert two.call("ListPricingRules", keys=quick).status == 200
    assert waiting.is_alive() and time.monotonic() - begun_at < 2
    waiting.join()


# ---- Runs

def test_each_run_is_priced_once(new_pair, tmp_path):
    one, two = new_pair()
    rule, cost = month_of(one, tmp_path / "cost")
    one.load(cost)
    for number in range(4):
        server = (one, two)[number % 2]
        in_period(server.client(), PREVIOUS).update_pricing_rule(Arn=rule, ModifierPercentage=number)
        server.settle()
        assert charged(one) == charged(two) == [str(100 + number)]
    done = runs(one)
    assert {run["Status"] for run in done} <= {"DONE", "UNCHANGED"}
    assert sorted(begun(one) + begun(two)) == sorted(run["RunId"] for run in done)
    command("verify", *one.stored)


def claimed(cluster, server):
    """Who has the run: how often it was claimed, where it runs."""
    return cluster.say(server.database, "SELECT claim_token FROM runs WHERE state = 'running'").strip()


def begin(cluster, one, two, cost):
    """Makes the first server claim a run and wait within it; the second one does not run yet."""
    two.stop()
    with_lock = cluster.locked(one.database, "current_runs")
    with_lock.__enter__()
    one.command("import", "--cost", cost, "--period", PREVIOUS, "--no-wait")
    until(lambda: claimed(cluster, one) == "1")
    return with_lock


def test_the_run_of_a_worker_that_is_killed_is_taken_over(new_pair, cluster, tmp_path):
    one, two = new_pair()
    _, cost = month_of(one, tmp_path / "cost")
    lock = begin(cluster, one, two, cost)
    one.kill()
    lock.__exit__(None, None, None)
    two.start()
    two.settle()
    assert charged(two) == ["110"]
    assert [run["Status"] for run in runs(two)] == ["DONE"] and begun(two) == [runs(two)[0]["RunId"]]
    one.start()
    assert charged(one) == ["110"]


def test_a_worker_that_was_paused_does_not_publish(new_pair, cluster, tmp_path):
    one, two = new_pair()
    rule, cost = month_of(one, tmp_path / "cost")
    lock = begin(cluster, one, two, cost)
    one.process.send_signal(signal.SIGSTOP)
    lock.__exit__(None, None, None)
    two.start()
    two.settle()
    # The world goes on: the run that is shown is not the one that the first server was about to make.
    in_period(two.client(), PREVIOUS).update_pricing_rule(Arn=rule, ModifierPercentage=20)
    two.settle()
    shown = [run["RunId"] for run in runs(two) if run["IsCurrent"]]
    one.process.send_signal(signal.SIGCONT)
    until(lambda: said(one, "another worker has taken the run over") or said(one, "what was priced does not count any more"))
    time.sleep(0.5)
    assert [run["RunId"] for run in runs(one) if run["IsCurrent"]] == shown
    assert charged(one) == charged(two) == ["120"]
    assert cluster.say(one.database, "SELECT MAX(claim_token) FROM runs").strip() == "2"
    command("verify", *one.stored)


def test_a_database_that_goes_away_fails_no_run(new_pair, cluster, tmp_path):
    """However often it was tried: the last try is counted only where the database answers."""
    one, two = new_pair()
    two.stop()
    _, cost = month_of(one, tmp_path / "cost")
    options = one.options
    one.options = [*options, "--no-runs"]
    one.restart()
    one.command("import", "--cost", cost, "--period", PREVIOUS, "--no-wait")
    cluster.say(one.database, "UPDATE runs SET claim_token = 150")
    one.stop()
    one.options = options
    with cluster.locked(one.database, "adjustments"):
        one.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until(lambda: cluster.say(one.database, waiting).strip())
        cluster.say(one.database, f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS waits")
    until(lambda: said(one, "the worker could not go on"))
    assert [run["Status"] for run in runs(one)] == ["RUNNING"]
    # It rests for two minutes after so many tries.
    cluster.say(one.database, "UPDATE runs SET claim_expires_at_ms = 0 WHERE state = 'running'")
    one.settle()
    assert charged(one) == ["110"] and [run["Status"] for run in runs(one)] == ["DONE"]


def test_what_one_has_begun_another_does_not_remove(new_pair):
    one, two = new_pair()
    two.stop()
    tried, kept = (one.data / place for place in ("scratch/dddddddddd", f"payers/{PAYER}/cost-files"))
    tried.mkdir(parents=True)
    kept.mkdir(parents=True, exist_ok=True)
    draft = kept / f".{'0' * 64}.partial-1"
    draft.write_text("half a file")
    two.start()
    assert tried.exists() and draft.exists()
    # The second one goes on: the first one that comes back removes nothing either.
    one.restart()
    assert tried.exists() and draft.exists()
    one.stop()
    two.stop()
    one.start()
    two.start()
    assert not tried.exists() and not draft.exists()


def test_a_server_that_prices_nothing_leaves_it_to_others(new_pair, tmp_path):
    one, two = new_pair()
    one.options = [*one.options, "--no-runs"]
    one.restart()
    _, cost = month_of(one, tmp_path / "cost")
    one.load(cost)
    assert charged(one) == ["110"] and begun(two) and not [run for run in begun(one) if run in begun(two)]
    assert one.client().list_billing_groups(BillingPeriod=CURRENT)["BillingGroups"]
