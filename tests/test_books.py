"""The configuration as a file, and cost files that AWS rewrites: `proforma book` and `proforma import --watch` against a server."""
import contextlib
import json
import os
import sqlite3
import time

import pytest
from botocore.exceptions import ClientError

from desk import Desk, only
from policy_months import PolicyMonth
from server import PREVIOUS, in_period
from test_operations import until

SECONDS_TO_LOOK = 30


@pytest.fixture
def priced(new_server, tmp_path):
    """A server, its group, and the month of it."""
    server = new_server(transfers=False)
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group(plan=past.plan(past.rule(ModifierPercentage=10)))
    month.line(group.primary, cost="100")
    return server, group, month


def charged(server):
    return only(server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"])["ProformaCost"]


def test_a_plan_says_what_it_would_cost_and_changes_nothing(priced, tmp_path):
    server, group, month = priced
    server.load(month.write(tmp_path / "cost"))
    book = tmp_path / "book.toml"
    book.write_text(server.command("book", "export", "--period", PREVIOUS).replace('modifier_percentage = "10"', 'modifier_percentage = "20"'))
    plan = json.loads(server.command("book", "plan", book, "--period", PREVIOUS, "--output", "json"))
    assert [(change["Table"], len(change["Changed"])) for change in plan["Changes"]] == [("pricing_rules", 1)]
    assert plan["Effect"] == [{"BillingGroup": group.name, "Currency": "USD", "Before": "110", "After": "120", "Difference": "10"}]
    server.settle()
    assert charged(server) == "110"
    server.command("book", "apply", book, "--period", PREVIOUS)
    server.settle()
    assert charged(server) == "120"
    assert json.loads(server.command("book", "plan", book, "--period", PREVIOUS, "--output", "json"))["Changes"] == []


def test_a_book_with_mistakes_changes_nothing(priced, tmp_path):
    server, _, _ = priced
    before = server.command("book", "export")
    book = tmp_path / "book.toml"
    book.write_text(before.replace("[[pricing_plans]]", "[[pricing_planes]]"))
    with pytest.raises(AssertionError, match="pricing_planes"):
        server.command("book", "apply", book)
    with pytest.raises(AssertionError, match="something is configured already"):
        book.write_text(before)
        server.command("book", "import", book)
    assert server.command("book", "export") == before


def test_a_group_that_a_file_of_weights_names_keeps_its_name(priced, tmp_path):
    server, group, _ = priced
    (tmp_path / "telemetry.csv").write_text(f"target,weight\n{group.name},1\n")
    book = tmp_path / "book.toml"
    book.write_text(server.command("book", "export") + """
[[allocations]]
name = "network"
source = [{ services = ["AmazonVPC"] }]
method = "weights"
weights = "telemetry.csv"
""")
    server.command("book", "apply", book)
    with pytest.raises(ClientError, match="files of weights name billing group .*telemetry.csv"):
        server.client().update_billing_group(Arn=group.arn, Name="another")
    with pytest.raises(ClientError, match="telemetry.csv"):
        server.client().delete_billing_group(Arn=group.arn)
    assert f'name = "{group.name}"' in server.command("book", "export")


def test_files_that_are_rewritten_are_read_again(priced, tmp_path):
    server, group, month = priced
    folder = month.write(tmp_path / "cost")
    server.command("import", "--cost", folder, "--period", PREVIOUS, "--watch")
    assert charged(server) == "110"
    month.line(group.primary, cost="50")
    for old in sorted(folder.iterdir()):
        old.unlink()
    folder.rmdir()
    month.write(folder)
    # A server looks when it begins, and every minute.
    server.restart()
    deadline = time.monotonic() + SECONDS_TO_LOOK
    while charged(server) != "165" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert charged(server) == "165"


def looked_at(server):
    """The ends of the runs, the latest first, once the server has looked at its places again; times are whole seconds."""
    time.sleep(1)
    begun = int(time.time())
    server.restart()
    until(lambda: all(source.get("LastCheckedTime", 0) >= begun for source in server.own("ListSources").json["Sources"] if source["Watch"]))
    with contextlib.suppress(AssertionError):
        server.settle()
    return [run["Status"] for run in server.own("ListRuns").json["Runs"]]


def test_a_watched_place_does_not_come_back_over_a_newer_import(priced, cluster, tmp_path):
    """Nothing has changed there since it was registered; what was imported from elsewhere meanwhile is what the month shows."""
    server, group, month = priced
    old = month.write(tmp_path / "old")
    server.command("import", "--cost", old, "--period", PREVIOUS, "--watch")
    month.line(group.primary, cost="50")
    new = month.write(tmp_path / "new")
    server.command("import", "--cost", new, "--period", PREVIOUS)
    assert looked_at(server) == ["DONE", "DONE"] and charged(server) == "165"
    # Nor where it could not be read, before the other one was imported.
    whole = {path: path.read_bytes() for path in old.iterdir()}
    for path in whole:
        path.unlink()
    put({path: bytes(len(content)) for path, content in whole.items()}, moment := int(time.time()))
    assert looked_at(server)[0] == "FAILED" and charged(server) == "165"
    month.line(group.primary, cost="100")
    server.command("import", "--cost", month.write(tmp_path / "newest"), "--period", PREVIOUS)
    put(whole, moment)
    a_while_ago(server, cluster, 3_600_000)
    assert looked_at(server) == ["DONE", "FAILED", "DONE", "DONE"] and charged(server) == "275"


def a_while_ago(server, cluster, milliseconds):
    """Every run of a server ended that much earlier."""
    sql = f"UPDATE runs SET finished_at_ms = finished_at_ms - {milliseconds}"
    if server.database:
        return cluster.say(server.database, sql)
    with contextlib.closing(sqlite3.connect(server.data / "proforma.db")) as database, database:
        database.execute(sql)


def put(files, moment):
    """Writes files with one time of change."""
    for path, content in files.items():
        path.write_bytes(content)
        os.utime(path, (moment, moment))


def test_files_that_could_not_be_read_are_tried_again(priced, cluster, tmp_path):
    """Nothing tells the two deliveries apart but that the second one can be read: as after an object store was away."""
    server, group, month = priced
    folder = month.write(tmp_path / "cost")
    server.command("import", "--cost", folder, "--period", PREVIOUS, "--watch")
    month.line(group.primary, cost="50")
    whole = {folder / path.name: path.read_bytes() for path in month.write(tmp_path / "later").iterdir()}

    def looked():
        """How the runs ended once the server has looked again; times are whole seconds."""
        time.sleep(1)
        begun = int(time.time())
        server.restart()
        until(lambda: server.own("ListSources").json["Sources"][0].get("LastCheckedTime", 0) >= begun)

        def ends():
            ends = [run["Status"] for run in server.own("ListRuns").json["Runs"]]
            return ends if not {"QUEUED", "RUNNING"} & set(ends) else None
        return until(ends)
    for old in folder.iterdir():
        old.unlink()
    put({path: bytes(len(content)) for path, content in whole.items()}, moment := int(time.time()))
    assert looked()[0] == "FAILED" and charged(server) == "110"
    put(whole, moment)
    before = looked()
    assert before[0] == "FAILED" and charged(server) == "110"
    a_while_ago(server, cluster, 3_600_000)
    assert looked()[0] == "DONE" and charged(server) == "165"
    # What went well is not read again.
    a_while_ago(server, cluster, 3_600_000)
    assert looked() == ["DONE", *before]
