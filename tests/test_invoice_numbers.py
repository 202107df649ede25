"""Numbers of invoices: two servers issue at once and are killed at random, and no number is left out or given twice."""
import json
import random
import threading
import time

import pytest

from desk import Desk
from policy_months import PolicyMonth
from server import PREVIOUS, Server, in_period

GROUPS = 40
SETTINGS = {"seller": {"legal_name": "S", "address": {"lines": ["1"], "country": "DE"}, "tax_registrations": [{"scheme": "VAT", "id": "DE1"}]},
            "buyer": {"legal_name": "B", "address": {"lines": ["1"], "country": "FR"}},
            "series": {"template": "N-{year}-{number:3}"}, "tax": [{"category": "Z", "rate": "0", "from": "2026-01-01"}]}


def prepared(server, folder):
    """Many groups with charges of a closed month, each with a draft."""
    desk = Desk(in_period(server.client(), PREVIOUS))
    groups, month = [desk.group() for _ in range(GROUPS)], PolicyMonth()
    for number, group in enumerate(groups):
        month.line(group.primary, cost=str(number + 1))
    server.load(month.write(folder))
    server.command("close", PREVIOUS)
    assert server.own("PutInvoiceSettings", {"Settings": json.dumps(SETTINGS)}).status == 200
    drafts = []
    for group in groups:
        answer = server.own("DraftInvoice", {"BillingGroup": group.arn, "BillingPeriod": PREVIOUS})
        assert answer.status == 200, answer.body
        drafts += answer.json["DraftIds"]
    return drafts


def issue(server, drafts, told, strange, stop):
    """Issues drafts until none is left; a server that is gone is asked again."""
    for draft in drafts:
        while not stop.is_set():
            try:
                answer = server.own("IssueInvoice", {"DraftId": draft})
            except OSError:
                time.sleep(0.05)
                continue
            if answer.status == 200:
                told.append((draft, answer.json["InvoiceNumber"]))
                break
            if answer.status == 400:
                if "was issued as" not in answer.json["Message"]:
                    strange.append(answer.body)
                break
            time.sleep(0.02)


def kill_at_random(servers, stop, seed):
    chance = random.Random(seed)
    while not stop.is_set():
        time.sleep(chance.uniform(0.2, 0.8))
        server = chance.choice(servers)
        server.kill()
        server.start()


def numbers_after(servers, drafts, seed):
    stop, killed, told, strange = threading.Event(), threading.Event(), [], []
    chance = random.Random(seed)
    issuers = []
    for server in servers * 2:
        # Each draft is issued by several at once.
        order = chance.sample(drafts, len(drafts))
        issuers.append(threading.Thread(target=issue, args=(server, order, told, strange, stop)))
    killer = threading.Thread(target=kill_at_random, args=(servers, killed, seed))
    killer.start()
    for issuer in issuers:
        issuer.start()
    for issuer in issuers:
        issuer.join(300)
    killed.set()
    killer.join(60)
    stop.set()
    assert strange == [], f"seed {seed}"
    rows = servers[0].own("ListInvoices").json["Invoices"]
    of_drafts = {row["DraftId"]: row.get("InvoiceNumber") for row in servers[0].own("ListInvoiceDrafts").json["Drafts"]}
    return [row["InvoiceNumber"] for row in rows], told, of_drafts


def check(servers, drafts, seed):
    numbers, told, of_drafts = numbers_after(servers, drafts, seed)
    assert numbers == [f"N-2026-{number:03}" for number in range(1, GROUPS + 1)], f"seed {seed}"
    assert sorted(of_drafts[draft] for draft in drafts) == numbers, f"seed {seed}"
    # What was acknowledged is what there is.
    assert all(of_drafts[draft] == number for draft, number in told), f"seed {seed}"


@pytest.fixture
def seed():
    return random.randrange(10**6)


def test_two_servers_on_postgresql_that_are_killed_leave_no_gap(cluster, tmp_path, seed):
    one = Server(tmp_path / "data", cluster.database(), options=["--lease-seconds", "2"]).init().start()
    # The same folder by another name, so that each has a log of its own.
    (tmp_path / "again").symlink_to(tmp_path / "data")
    two = Server(tmp_path / "again", one.database, root=one.root, options=one.options).start()
    try:
        check([one, two], prepared(one, tmp_path / "cost"), seed)
    finally:
        for server in (one, two):
            server.kill()


def test_issuers_at_a_server_on_sqlite_that_is_killed_leave_no_gap(tmp_path, seed):
    server = Server(tmp_path / "data").init().start()
    try:
        check([server], prepared(server, tmp_path / "cost"), seed)
    finally:
        server.kill()
