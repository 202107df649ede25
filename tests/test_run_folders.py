"""The folders of runs: what stays when the configuration changes again and again, and what a server that was killed leaves."""
import fcntl
import json
import shutil
import time

import pytest

from desk import Desk
from policy_months import PolicyMonth
from server import PREVIOUS, Server, command, in_period
from test_keeping import told

SECONDS_TO_TIDY = 20


def folders(server, period=PREVIOUS):
    return sorted(path.name for path in (server.data / "payers").glob(f"*/runs/{period}/*"))


def runs(server):
    return json.loads(server.command("runs", "list", "--output", "json"))["Runs"]


def tidied(server, count, period=PREVIOUS):
    """Waits until so many folders are left; folders go after the run is shown that supersedes them."""
    until = time.monotonic() + SECONDS_TO_TIDY
    while len(folders(server, period)) != count and time.monotonic() < until:
        time.sleep(0.05)
    return folders(server, period)


@pytest.fixture
def loaded(new_server, tmp_path):
    """A server that keeps two superseded runs, with a priced month under a rule; the operator's desk, and the rule."""
    server = new_server(transfers=False, options=["--superseded-runs", "2"])
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = past.rule(ModifierPercentage=10)
    group = past.group(plan=past.plan(rule))
    month.line(group.primary, cost="100")
    server.load(month.write(tmp_path / "cost"))
    return server, past, rule


def reported(server):
    rows = server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
    return [row["ProformaCost"] for row in rows]


def change(server, past, rule, percentage):
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=percentage)
    server.settle()
    assert reported(server) == [f"{100 + percentage}"]


def test_superseded_runs_go_and_what_is_shown_stays(loaded, tmp_path):
    server, past, rule = loaded
    for percentage in range(11, 23):
        change(server, past, rule, percentage)
    left = tidied(server, 3)
    done = [run for run in runs(server) if run["Status"] == "DONE"]
    assert len(done) >= 13 and done[0]["IsCurrent"]
    assert {name.split("-")[0] for name in left} == {run["RunId"] for run in done[:3]}
    assert [run.get("FilesRemovedTime") is None for run in done] == [True] * 3 + [False] * (len(done) - 3)
    # The cube was taken over from run to run under one more name: the last one is whole.
    server.restart()
    assert reported(server) == ["122"]
    server.command("close", PREVIOUS)
    verified = told(server, "verify")
    assert verified.returncode == 0, verified.stderr
    command("backup", tmp_path / "backup", *server.stored)
    again = Server(tmp_path / "again", now=server.now, root=server.root)
    command("restore", tmp_path / "backup", *again.stored)
    shutil.copy(server.data / "master.key", again.data / "master.key")
    try:
        again.start()
        assert reported(again) == ["122"] and folders(again) == left
        again.stop()
    finally:
        again.kill()
    assert told(again, "verify").returncode == 0


def test_a_sealed_run_keeps_its_files_whatever_comes(loaded, tmp_path):
    server, past, rule = loaded
    sealed = runs(server)[0]["RunId"]
    server.command("close", PREVIOUS)
    for cost in ("101", "102", "103", "104"):
        month = PolicyMonth()
        month.line(past.client.list_billing_groups()["BillingGroups"][0]["PrimaryAccountId"], cost=cost)
        server.load(month.write(tmp_path / f"late-{cost}"))
    adjusted = {run["RunId"] for run in runs(server) if run["BillingPeriod"] == PREVIOUS and run["Status"] == "DONE"}
    # Each of them made an adjustment: all stay.
    assert len(adjusted) == 5 and sealed in adjusted
    assert {name.split("-")[0] for name in folders(server)} == adjusted
    assert reported(server) == ["110"] and told(server, "verify").returncode == 0


def test_a_missing_folder_of_a_kept_run_is_found(loaded):
    server, past, rule = loaded
    change(server, past, rule, 12)
    kept = next(name for name in folders(server) if name.split("-")[0] != runs(server)[0]["RunId"])
    shutil.rmtree(next((server.data / "payers").glob(f"*/runs/*/{kept}")))
    found = told(server, "verify")
    assert found.returncode == 2 and kept in found.stderr


def test_what_a_killed_server_leaves_goes_at_the_next_start(loaded):
    server, past, rule = loaded
    change(server, past, rule, 12)
    before = folders(server)
    server.kill()
    period = next((server.data / "payers").glob(f"*/runs/{PREVIOUS}"))
    orphans = [period / "aaaaaaaaaa-bbbbbbbbbb", period / ".aaaaaaaaaa-cccccccccc.partial-0", server.data / "scratch" / "dddddddddd"]
    for orphan in orphans:
        shutil.copytree(period / before[0], orphan)
    draft = period.parent.parent / "cost-files" / f".{'0' * 64}.partial-1"
    draft.parent.mkdir(exist_ok=True)
    draft.write_text("half a file")
    server.start()
    # They are gone before the first request is answered.
    assert not (draft.exists() or orphans[2].exists())
    assert tidied(server, len(before)) == before
    assert reported(server) == ["112"] and told(server, "verify").returncode == 0


def test_what_is_unfinished_goes_where_no_runs_are_priced(new_server):
    server = new_server(transfers=False, options=["--no-runs"])
    server.kill()
    tried = server.data / "scratch" / "dddddddddd"
    tried.mkdir(parents=True)
    server.start()
    assert not tried.exists()


def test_no_folder_goes_while_a_backup_reads(loaded):
    server, past, rule = loaded
    with open(server.data / "run-folders.lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        for percentage in range(11, 16):
            change(server, past, rule, percentage)
        assert len(folders(server)) == 6
    assert len(tidied(server, 3)) == 3
