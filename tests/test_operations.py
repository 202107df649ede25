"""Running a server: ready or not, told to stop, and a database that is not as it was left."""
import contextlib
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

import postgres
from desk import Desk, name
from policy_months import PolicyMonth
from program import PROGRAM
from server import PREVIOUS, QUIET, Server, command, in_period

STOPS_WITHIN, SECONDS_MAX = 10, 30


def until(true, seconds=SECONDS_MAX):
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.02)
    return found


def refused(server, *arguments):
    """What a command at the data directory is refused for."""
    ended = subprocess.run([PROGRAM, *arguments, *server.stored], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2, f"{ended.returncode}: {ended.stdout} {ended.stderr}"
    return ended.stderr


@pytest.fixture
def desk_of_sqlite(tmp_path):
    server = Server(tmp_path / "data").init().start()
    yield server
    if server.process.poll() is None:
        server.stop()


# ---- Ready or not

def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def busy(server, cluster):
    """Nobody else gets at the schema meanwhile: as while another server migrates."""
    if server.database:
        with cluster.locked(server.database, "_sqlx_migrations"):
            yield
        return
    database = sqlite3.connect(server.data / "proforma.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    yield
    database.close()


def test_a_server_that_migrates_is_not_ready(new_server, cluster):
    server = new_server(start=False)
    server.port = free_port()
    with busy(server, cluster):
        process = subprocess.Popen([PROGRAM, "serve", *server.stored, "--listen", f"127.0.0.1:{server.port}"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, env=os.environ | QUIET)

        def answers():
            with contextlib.suppress(ConnectionRefusedError):
                return server.send("GET", "/healthz")
        try:
            assert until(answers).status == 200
            ready = server.send("GET", "/readyz")
            assert (ready.status, ready.body) == (503, b"the server starts: its database is opened and migrated\n")
            asked = server.call("ListBillingGroups")
            assert (asked.status, asked.error) == (503, "ServiceUnavailableException") and int(asked.headers["retry-after"]) >= 1
            assert server.send("GET", "/metrics").status == 503
        except BaseException:
            process.kill()
            raise
    assert process.stdout.readline().startswith(b"listening on ")
    assert server.send("GET", "/readyz").status == 200 and server.call("ListBillingGroups").status == 200
    process.terminate()
    assert process.wait(SECONDS_MAX) == 0


def test_a_server_that_migrates_can_be_stopped(new_server, cluster):
    server = new_server(start=False)
    server.port = free_port()
    with busy(server, cluster):
        process = subprocess.Popen([PROGRAM, "serve", *server.stored, "--listen", f"127.0.0.1:{server.port}"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=os.environ | QUIET)

        def answers():
            with contextlib.suppress(ConnectionRefusedError):
                return server.send("GET", "/readyz").status == 503
        until(answers)
        process.terminate()
        assert process.wait(STOPS_WITHIN) == 0


def test_a_server_without_its_database_is_not_ready(tmp_path):
    """On PostgreSQL, which is stopped and comes back; the server goes on by itself."""
    cluster = postgres.Cluster(durable=True)
    server = Server(tmp_path / "data", cluster.database()).init().start()
    try:
        desk = Desk(server.client())
        group = desk.group()
        cluster.halt()
        started = time.monotonic()
        ready = server.send("GET", "/readyz")
        assert (ready.status, ready.body) == (503, b"the database does not answer\n") and time.monotonic() - started < 5
        assert server.send("GET", "/healthz").status == 200
        cluster.start()
        until(lambda: server.send("GET", "/readyz").status == 200)
        assert desk.members_of(group.arn) == group.accounts
        desk.group()
        server.stop()
    finally:
        server.kill()
        cluster.stop()


@contextlib.contextmanager
def mounted(place):
    """A file system of 80 MiB in a folder."""
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "proforma-test", place], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small file system can be mounted as root only")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def small_disk(tmp_path):
    with mounted(tmp_path / "disk") as place:
        yield place


def test_a_server_without_room_is_not_ready(small_disk):
    server = Server(small_disk / "data").init()
    # Its log is elsewhere.
    server.start()
    try:
        assert server.send("GET", "/readyz").status == 200
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(30 << 20))
        ready = server.send("GET", "/readyz")
        assert (ready.status, ready.body) == (503, b"the disk of the data directory is full\n")
        assert server.send("GET", "/healthz").status == 200
        ballast.unlink()
        assert server.send("GET", "/readyz").status == 200
        server.stop()
    finally:
        server.kill()


def test_a_server_on_postgresql_without_room_reads_on(tmp_path):
    """The disk of PostgreSQL fills: what is written is refused as a failure of the server, what is read is answered, and nothing is to be done
    once there is room again."""
    cluster = postgres.Cluster(durable=True)
    with mounted(cluster.folder / "small") as place:
        shutil.chown(place, "postgres")
        cluster.ask("psql", "-d", "postgres", "-c", f"CREATE TABLESPACE small LOCATION '{place}'")
        server = Server(tmp_path / "data", cluster.database("-D", "small")).init().start()
        try:
            client = server.client(checked=False)
            desk = Desk(client)
            rule = desk.rule()
            ballast = place / "ballast"
            with open(ballast, "wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
                while file.write(bytes(1 << 16)):
                    pass
            # The pages that the tables have already take some more.
            made = []
            with pytest.raises(client.exceptions.InternalServerException):
                for _ in range(5_000):
                    made.append(desk.rule(Description="x" * 900))
            arns = {found["Arn"] for page in client.get_paginator("list_pricing_rules").paginate() for found in page["PricingRules"]}
            assert arns == {rule, *made}
            assert server.send("GET", "/healthz").status == 200
            ballast.unlink()
            until(lambda: server.send("GET", "/readyz").status == 200)
            later = desk.rule()
            server.restart()
            arns = {found["Arn"] for page in server.client().get_paginator("list_pricing_rules").paginate() for found in page["PricingRules"]}
            assert arns == {rule, *made, later}
            server.stop()
        finally:
            server.kill()
            cluster.stop()


# ---- Told to stop

class Load:
    """Threads that write and read without a pause, each over connections that are kept; what became of every request is counted."""

    def __init__(self, server, threads):
        self.server, self.stopped = server, threading.Event()
        self.made, self.reads, self.cut = [], 0, []
        self.threads = [threading.Thread(target=self.run, args=[number]) for number in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=SECONDS_MAX)
        while not self.stopped.is_set():
            rule = name("rule")
            writes = number % 2 == 0
            path = "/create-pricing-rule" if writes else "/list-pricing-rules"
            body = json.dumps({"Name": rule, "Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 1} if writes else {}).encode()
            headers = self.server.signed("POST", path, body, headers={"Content-Type": "application/json"})
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
            except (ConnectionError, http.client.RemoteDisconnected):
                # No answer was begun: the server does not listen any more.
                return
            try:
                answered = json.loads(answer.read())
            except (http.client.HTTPException, OSError, ValueError) as error:
                self.cut.append(error)
                return
            if answer.status == 200 and writes:
                self.made.append((rule, answered["Arn"]))
            elif answer.status == 200:
                self.reads += 1

    def join(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(SECONDS_MAX)


def test_a_server_under_load_stops_without_cutting_an_answer(new_server):
    server = new_server(transfers=False)
    load = Load(server, 12)
    until(lambda: len(load.made) > 20 and load.reads > 20)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < STOPS_WITHIN
    load.join()
    assert load.cut == []
    server.start()
    # What was answered is there.
    rules = {rule["Name"]: rule["Arn"] for page in server.client().get_paginator("list_pricing_rules").paginate() for rule in page["PricingRules"]}
    assert {rule: arn for rule, arn in load.made if rules.get(rule) != arn} == {}


def test_a_request_that_does_not_end_is_not_waited_for(desk_of_sqlite):
    server = desk_of_sqlite
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"POST /list-billing-groups HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.2)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < STOPS_WITHIN


def large_month(server, folder):
    """A month whose reading takes its time."""
    desk, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    # Two of its accounts have no lines, which is worth a warning each.
    group = desk.group(3, plan=desk.plan(desk.rule(ModifierPercentage=10)))
    for hour in range(5_000):
        month.line(group.primary, cost="0.02", hour=hour % 700)
    return month.write(folder)


def statuses(server):
    return [run["Status"] for run in json.loads(server.command("runs", "list", "--output", "json"))["Runs"]]


def children(server):
    """The processes that read cost files for a server."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rsplit(")", 1)[1].split()[1] == str(server.process.pid):
                found.append(int(stat.parent.name))
    return found


def test_a_run_that_goes_on_does_not_hold_up_the_end(new_server, tmp_path):
    server = new_server(transfers=False, options=["--lease-seconds", "2"])
    server.command("import", "--cost", large_month(server, tmp_path / "cost"), "--period", PREVIOUS, "--no-wait")
    pid = until(lambda: children(server))[0]
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 5
    server.start()
    server.settle()
    assert statuses(server) == ["DONE"]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_reader_that_is_killed_fails_its_run_and_no_other(desk_of_sqlite, tmp_path):
    """As the kernel does where memory runs out."""
    server = desk_of_sqlite
    cost = large_month(server, tmp_path / "cost")
    server.command("import", "--cost", cost, "--period", PREVIOUS, "--no-wait")
    os.kill(until(lambda: children(server))[0], signal.SIGKILL)
    until(lambda: statuses(server) == ["FAILED"])
    run = json.loads(server.command("runs", "list", "--output", "json"))["Runs"][0]
    assert "the reader was stopped: it was killed; the machine may be out of memory" in run["Error"]
    assert server.send("GET", "/readyz").status == 200
    server.load(cost)
    assert sorted(statuses(server)) == ["DONE", "FAILED"]


# ---- What an operator reads

def test_a_place_that_is_gone_is_said_in_a_sentence(desk_of_sqlite, tmp_path):
    server = desk_of_sqlite
    cost = large_month(server, tmp_path / "cost")
    server.command("import", "--cost", cost, "--watch")
    shutil.move(cost, tmp_path / "elsewhere")
    # A server looks when it starts, and then every minute.
    server.restart()
    source = until(lambda: [source for source in server.own("ListSources").json["Sources"] if source.get("Problem")])[0]
    assert str(cost) in source["Problem"] and "is not there" in source["Problem"], source
    assert not any(mark in source["Problem"] for mark in ("Input(", "Refused(", "Error", '["')), source


def test_a_hint_is_right_for_whoever_asks(desk_of_sqlite, tmp_path):
    server = desk_of_sqlite
    cost = large_month(server, tmp_path / "cost")
    file = next(cost.iterdir())
    file.write_text(file.read_text().replace("0.02", "much", 1))
    asked = subprocess.run([PROGRAM, "import", "--cost", cost, "--period", PREVIOUS, "--endpoint", server.endpoint], capture_output=True, text=True,
                           timeout=60, env=os.environ | QUIET | server.root.environment)
    error = server.own("ListRuns").json["Runs"][0]["Error"]
    assert asked.returncode == 2 and error in asked.stderr
    assert "add `AcceptRejects` (--accept-rejects) to go on without these rows" in error
    assert server.own("ImportCostData", {"CostFiles": [str(cost)], "BillingPeriod": PREVIOUS, "AcceptRejects": True}).status == 200
    until(lambda: statuses(server)[0] == "DONE")
    warnings = json.loads(server.command("runs", "list", "--output", "json"))["Runs"][0]["Warnings"]
    assert len(warnings) == 2 and len(warnings[0]) > 48
    shown = server.command("runs", "list")
    assert f" 2: {warnings[0][:48]}… " in shown and warnings[0] not in shown


# ---- A database that is not as it was left

def killed(server):
    """A server that was killed after it has acknowledged something."""
    Desk(server.client()).rule(Name="acknowledged")
    server.kill()
    return server


def test_a_second_server_is_refused(desk_of_sqlite):
    assert "is held by a server or another command" in refused(desk_of_sqlite, "serve", "--listen", "127.0.0.1:0")


def test_a_log_that_is_gone_is_missed(desk_of_sqlite, tmp_path):
    server = killed(desk_of_sqlite)
    log = server.data / "proforma.db-wal"
    log.rename(tmp_path / "wal")
    for arguments in (("serve", "--listen", "127.0.0.1:0"), ("keys", "list"), ("verify",), ("backup", tmp_path / "backup")):
        said = refused(server, *arguments)
        assert f"`{log}` is gone, and the last server was killed" in said and "put it back" in said
    (tmp_path / "wal").rename(log)
    # SQLite's shared memory is made again from the log.
    (server.data / "proforma.db-shm").unlink(missing_ok=True)
    server.start()
    assert [rule["Name"] for rule in server.client().list_pricing_rules()["PricingRules"]] == ["acknowledged"]


def test_commands_after_a_kill_leave_nothing_to_miss(desk_of_sqlite, tmp_path):
    for arguments in (("verify",), ("keys", "list"), ("migrate",)):
        server = killed(desk_of_sqlite)
        command(*arguments, *server.stored)
        server.start()
        rules = server.client().list_pricing_rules()["PricingRules"]
        assert [rule["Name"] for rule in rules] == ["acknowledged"]
        server.client().delete_pricing_rule(Arn=rules[0]["Arn"])
    # A server that has stopped has taken its log in.
    server.stop()
    assert not (server.data / "proforma.db-wal").exists()
    server.start()


@pytest.mark.parametrize(("limit", "most"), [(resource.RLIMIT_NOFILE, files) for files in (12, 16, 20, 24, 32)]
                         + [(resource.RLIMIT_AS, megabytes << 20) for megabytes in (128, 192, 256, 384, 512, 1024)])
def test_a_server_short_of_files_or_memory_loses_nothing(desk_of_sqlite, limit, most):
    """It ends, by itself or when it is told to, whether it could answer or not."""
    server = desk_of_sqlite
    kept = server.client().list_pricing_rules()["PricingRules"]
    server.stop()
    few = subprocess.Popen(
        [PROGRAM, "serve", *server.stored, "--listen", "127.0.0.1:0", "--now", server.now], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, preexec_fn=lambda: resource.setrlimit(limit, (most, most)))
    if few.stdout.readline().startswith("listening"):
        few.send_signal(signal.SIGTERM)
    _, said = few.communicate(timeout=STOPS_WITHIN + SECONDS_MAX)
    # Where no thread can be made the runtime has nothing to go on with, and says so.
    assert few.returncode in (0, 1, 2) or limit == resource.RLIMIT_AS, said[-2000:]
    server.start()
    assert server.client().list_pricing_rules()["PricingRules"] == kept


def is_closed(data):
    """Whether the database was let go in order: its log is in it, and the directory's lock says nothing."""
    return not (data / "proforma.db-wal").exists() and (data / "lock").read_text() == ""


@pytest.mark.parametrize("arguments", [
    ["runs", "list", "--payer", "111122223333"], ["periods", "--master-key-file", "other.key"], ["import", "--cost", "nothing-here"],
    ["keys", "rotate-master", "--new-key-file", "nothing-here"], ["keys", "delete", "AKIAAAAAAAAAAAAAAAAA"]])
def test_a_command_that_fails_closes_the_database(tmp_path, arguments):
    server = Server(tmp_path / "data").init()
    key = tmp_path / "other.key"
    key.write_text("0" * 64)
    key.chmod(0o600)
    for _ in range(5):
        failed = subprocess.run([PROGRAM, *arguments, *server.stored], cwd=tmp_path, capture_output=True, text=True, env=os.environ | QUIET)
        assert failed.returncode != 0 and is_closed(server.data), failed.stderr


def test_a_server_that_cannot_show_a_key_closes_the_database(tmp_path):
    with open("/dev/full", "wb") as full:
        failed = subprocess.run([PROGRAM, "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--payer", "111122223333"],
                                stdout=full, stderr=subprocess.PIPE, text=True, timeout=SECONDS_MAX, env=os.environ | QUIET)
    assert failed.returncode != 0 and is_closed(tmp_path / "data"), failed.stderr


def test_a_newer_schema_is_refused(new_server, cluster):
    server = new_server(start=False)
    sql = ("INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) "
           "VALUES (9999, 'of the future', CURRENT_TIMESTAMP, TRUE, '', 0)")
    if server.database:
        cluster.say(server.database, sql)
    else:
        with contextlib.closing(sqlite3.connect(server.data / "proforma.db")) as database, database:
            database.execute(sql)
    for arguments in (("serve", "--listen", "127.0.0.1:0"), ("migrate",), ("keys", "list")):
        assert "the database has schema 9999, this program knows up to" in refused(server, *arguments)


def test_a_header_with_a_flipped_bit_is_refused(tmp_path):
    server = Server(tmp_path / "data").init()
    database = server.data / "proforma.db"
    whole = database.read_bytes()
    for byte in (0, 7, 15, 16, 18, 21, 22, 23, 47):
        database.write_bytes(whole[:byte] + bytes([whole[byte] ^ 0x40]) + whole[byte + 1:])
        said = refused(server, "serve", "--listen", "127.0.0.1:0")
        assert "proforma.db" in said or "the database" in said, (byte, said)
        assert "panicked" not in said
    database.write_bytes(whole)
    command("keys", "list", *server.stored)


def test_a_database_that_cannot_be_written_is_refused(small_disk):
    server = Server(small_disk / "data").init()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for arguments in (("serve", "--listen", "127.0.0.1:0"), ("keys", "list")):
        ended = subprocess.run([PROGRAM, *arguments, *server.stored], capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0 and f"{server.data}" in ended.stderr and "ead-only" in ended.stderr, ended.stderr


def test_a_migration_that_is_killed_is_done_again(new_server, cluster, tmp_path):
    made = new_server(start=False)
    for number in range(4):
        database = cluster.database() if made.database else None
        server = Server(tmp_path / f"data-{number}", database)
        process = subprocess.Popen([PROGRAM, "migrate", *server.stored], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.01 + 0.025 * number)
        process.kill()
        process.wait(SECONDS_MAX)
        # Nobody is told before the whole schema is there.
        server.init()
        assert "From" in command("migrate", *server.stored)
        assert json.loads(command("keys", "list", "--output", "json", *server.stored))["Keys"]


def test_a_clock_that_jumps_does_not_disorder_the_audit(desk_of_sqlite):
    """The billing clock a month on and two back: what is written down goes by its number."""
    server = desk_of_sqlite
    for instant in ("2026-12-10T12:00:00Z", "2026-10-10T11:00:00Z"):
        server.now = instant
        server.restart()
        Desk(server.client()).rule(Name=name("rule"))
    events = server.own("ListAuditEvents").json["AuditEvents"]
    assert len([event for event in events if event["Action"] == "billingconductor:CreatePricingRule"]) == 2
    sequence = [event["Sequence"] for event in events]
    assert sequence == sorted(sequence) == list(range(sequence[0], sequence[0] + len(sequence)))
    command("verify", *server.stored)


# ---- The audit

def audit(server):
    events, token = [], {}
    while True:
        answer = server.own("ListAuditEvents", token).json
        events += answer["AuditEvents"]
        if "NextToken" not in answer:
            return events
        token = {"NextToken": answer["NextToken"]}


def test_whatever_is_asked_is_in_the_audit(new_server):
    """Every operation that was let in, whatever came of it; a denial when it is answered, what was read or refused within a second."""
    server = new_server(transfers=False)
    viewer = server.keys(name("viewer"), "analyst")
    plan, group = ("arn:aws:billingconductor::aws:pricingplan/BasicPricingPlan", f"arn:aws:billingconductor::{server.payer}:billinggroup/111122223333")
    asked = [
        ("UpdatePricingPlan", server.call("UpdatePricingPlan", {"Arn": plan, "Name": "Mine"}), 403, "denied", plan),
        ("ListKeys", server.own("ListKeys", keys=viewer), 403, "denied", ""),
        ("ApplyBook", server.own("ApplyBook", {"Book": ""}, keys=viewer), 403, "denied", ""),
        ("DeleteBillingGroup", server.call("DeleteBillingGroup", {"Arn": group}), 400, "refused", group),
        ("GetBillingGroupCostReport", server.call("GetBillingGroupCostReport", {"Arn": group}), 404, "refused", group),
        ("ClosePeriod", server.own("ClosePeriod", {"BillingPeriod": "2026-01"}), 400, "refused", "2026-01"),
        ("DeleteKey", server.own("DeleteKey", {"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA"}), 400, "refused", "AKIAAAAAAAAAAAAAAAAA"),
        ("RemoveSource", server.own("RemoveSource", {"SourceId": "none"}), 400, "refused", "none"),
        ("ImportCostData", server.own("ImportCostData", {"CostFiles": ["/nothing-here"]}), 400, "refused", ""),
        ("ApplyBook", server.own("ApplyBook", {"Book": "no book"}), 400, "refused", ""),
        ("CreateKey", server.own("CreateKey", {"PrincipalName": "new", "Role": "group-viewer"}), 400, "refused", "new"),
        ("ListKeys", server.own("ListKeys"), 200, "read", ""),
    ]
    time.sleep(1.5)
    events = {event["RequestId"]: event for event in audit(server)}
    for operation, answer, status, decision, resource in asked:
        event = events.get(answer.headers["x-amzn-requestid"])
        assert event, (operation, answer.status, answer.body)
        assert (answer.status, event["Decision"]) == (status, decision), (operation, answer.body)
        assert event["Action"].endswith(f":{operation}") and event["Resource"] == resource, event


def test_when_a_key_was_used_is_written_when_it_can_be(desk_of_sqlite):
    """The database takes neither the audit nor the mark for a while."""
    server = desk_of_sqlite
    bot = server.keys(name("bot"), "analyst")
    time.sleep(1)
    database = sqlite3.connect(server.data / "proforma.db", isolation_level=None)
    for table, change in (("audit", "INSERT"), ("access_keys", "UPDATE")):
        database.execute(f"CREATE TRIGGER no_{table} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'not now'); END")
    read = server.call("ListPricingRules", keys=bot)
    assert read.status == 200
    until(lambda: "they are kept" in server.log.read_text())
    for table in ("audit", "access_keys"):
        database.execute(f"DROP TRIGGER no_{table}")
    database.close()
    time.sleep(1.5)
    used = {key["AccessKeyId"]: key.get("LastUsedTime") for key in server.own("ListKeys").json["Keys"]}
    assert used[bot.access_key_id] is not None
    assert read.headers["x-amzn-requestid"] in [event["RequestId"] for event in audit(server)]
