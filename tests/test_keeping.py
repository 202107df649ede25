"""Keeping a desk: backup while it serves, restore elsewhere, verification, a new master key, health and limits."""
import json
import shutil
import subprocess
import threading

import pytest

from desk import Desk
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, PREVIOUS, Server, command, in_period


def told(server, *arguments):
    """How a command ends at a data directory."""
    return subprocess.run([PROGRAM, *arguments, *server.stored], capture_output=True, text=True, timeout=120)


@pytest.fixture
def kept(new_server, tmp_path):
    """A server with a group, a rule and a priced month."""
    server = new_server(transfers=False)
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group(plan=past.plan(past.rule(ModifierPercentage=10)))
    month.line(group.primary, cost="100")
    server.load(month.write(tmp_path / "cost"))
    return server


def answers(server):
    client = server.client()
    groups = client.list_billing_groups(BillingPeriod=CURRENT)["BillingGroups"]
    reports = client.list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
    assert [row["ProformaCost"] for row in reports] == ["110"]
    return groups, reports


def test_a_backup_is_restored_elsewhere(kept, tmp_path):
    before = answers(kept)
    command("backup", tmp_path / "backup", *kept.stored)
    again = Server(tmp_path / "again", now=kept.now, root=kept.root)
    command("restore", tmp_path / "backup", *again.stored)
    shutil.copy(kept.data / "master.key", again.data / "master.key")
    shutil.move(kept.data / "payers", tmp_path / "gone")
    try:
        again.start()
        assert answers(again) == before
        again.stop()
        assert told(again, "verify").returncode == 0
    finally:
        again.kill()
    refused = told(again, "restore", tmp_path / "backup")
    assert refused.returncode == 2 and "no new data directory" in refused.stderr


def test_backups_during_writes_are_of_one_moment(kept, tmp_path):
    """Each is put back elsewhere: the same rows, files that verify, and the report of one of the rules."""
    past = in_period(kept.client(), PREVIOUS)
    rule = past.list_pricing_rules()["PricingRules"][0]["Arn"]
    told_to_stop = threading.Event()

    def change():
        for number in range(1_000):
            past.update_pricing_rule(Arn=rule, ModifierPercentage=number % 50)
            if told_to_stop.wait(0.02):
                return

    writer = threading.Thread(target=change)
    writer.start()
    try:
        for number in range(3):
            command("backup", tmp_path / f"backup-{number}", *kept.stored)
    finally:
        told_to_stop.set()
        writer.join()
    for number in range(3):
        again = Server(tmp_path / f"again-{number}", now=kept.now, root=kept.root)
        command("restore", tmp_path / f"backup-{number}", *again.stored)
        shutil.copy(kept.data / "master.key", again.data / "master.key")
        command("backup", tmp_path / f"once-more-{number}", *again.stored)
        rows = [(tmp_path / name / "rows.jsonl").read_bytes() for name in (f"backup-{number}", f"once-more-{number}")]
        assert rows[0] == rows[1]
        assert told(again, "verify").returncode == 0
    # What is newer than a backup is not mixed with it.
    refused = told(kept, "restore", tmp_path / "backup-0")
    assert refused.returncode == 2


def test_what_was_changed_is_found(kept):
    assert told(kept, "verify").returncode == 0
    statement = next((kept.data / "payers").rglob("statements/*.json"))
    statement.write_text(statement.read_text().replace("110", "111"))
    found = told(kept, "verify")
    assert found.returncode == 2 and "is not as the run has written it" in found.stderr


def test_secrets_are_sealed_anew(kept):
    before = (kept.data / "master.key").read_text()
    kept.stop()
    assert told(kept, "keys", "rotate-master").returncode == 0
    new = (kept.data / "master.key").read_text()
    assert new != before
    kept.start()
    answers(kept)
    kept.stop()
    (kept.data / "master.key").write_text(before)
    refused = told(kept, "keys", "list")
    assert refused.returncode == 2 and "is not the one that this database was sealed with" in refused.stderr
    # As one that was killed before it put the new key in its place has left it.
    sealed, key = kept.data / "master.key.new", kept.data / "master.key"
    sealed.write_text(new)
    sealed.chmod(0o600)
    refused = told(kept, "keys", "list")
    assert refused.returncode == 2 and f"mv {sealed} {key}" in refused.stderr
    sealed.rename(key)
    assert told(kept, "keys", "list").returncode == 0


def test_one_process_holds_a_data_directory(new_server):
    server = new_server(transfers=False)
    if server.database:
        pytest.skip("on PostgreSQL several servers may share a data directory")
    refused = told(server, "keys", "list")
    assert refused.returncode == 2 and "is held by a server" in refused.stderr
    server.stop()
    assert json.loads(command("keys", "list", "--output", "json", *server.stored))["Keys"]
    server.start()


def test_a_key_that_asks_too_much_is_told_to_wait(new_server):
    server = new_server(transfers=False, options=["--rate", "5"])
    statuses = {}
    for _ in range(40):
        answer = server.ask("POST", "/list-billing-groups", b"{}", headers={"Content-Type": "application/json"})
        statuses.setdefault(answer.status, answer)
    assert set(statuses) == {200, 429}
    assert statuses[429].error == "ThrottlingException" and int(statuses[429].headers["retry-after"]) >= 1


def test_a_server_says_how_it_is(new_server):
    server = new_server(transfers=False)
    assert server.send("GET", "/healthz").status == 200
    assert server.send("GET", "/readyz").status == 200
    server.client().list_billing_groups()
    metrics = server.send("GET", "/metrics").body.decode()
    assert 'proforma_requests_total{operation="billingconductor:ListBillingGroups",status="200"}' in metrics


def test_a_killed_server_prices_what_it_had_begun(new_server, tmp_path):
    server = new_server(transfers=False)
    if server.database:
        pytest.skip("on PostgreSQL the claim of a server that was killed passes after a minute; the store's tests have that")
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group(plan=past.plan(past.rule(ModifierPercentage=10)))
    for hour in range(500):
        month.line(group.primary, cost="0.2", hour=hour)
    cost = month.write(tmp_path / "cost")
    for _ in range(3):
        server.command("import", "--cost", cost, "--period", PREVIOUS, "--no-wait")
        server.kill()
        server.start()
    server.settle()
    answers(server)
    runs = json.loads(server.command("runs", "list", "--output", "json"))["Runs"]
    # The same files under the same book again are the run that is there.
    assert {run["Status"] for run in runs} <= {"DONE", "UNCHANGED"} and len([run for run in runs if run["IsCurrent"]]) == 1
    assert told(server, "verify").returncode == 0
