"""Who is not meant to see: other payers, levels of a chain, those who were moved away, the anonymous and the late; and what logs and metrics say."""
import json
import os
import pathlib
import socket
import re
import subprocess
import threading
from types import SimpleNamespace

import pytest

from desk import ORGANIZATION, Desk, arn, name, transfers_book
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, PREVIOUS, Keys, in_period, request_of
from test_constraints import NOTHING, examples
from test_isolation import shown
from test_operations import until
from test_repetition import OTHER_PAYER, init_other
from test_signatures import seconds

TRANSFER = f"arn:aws:organizations::{OTHER_PAYER}:transfer/{ORGANIZATION}/billing/inbound/rt-99999999"
MONTH = {"InclusiveStartBillingPeriod": PREVIOUS, "ExclusiveEndBillingPeriod": CURRENT}
# In names, texts, tags, amounts and secrets: what no log and no metric may say.
CANARY, AMOUNT, PASSWORD = "CANARYxNAME", "31415926.5358979323", "CANARYxPASSWORD"


# ---- Another payer of the same server (X1)

@pytest.fixture(scope="module")
def two(new_server):
    """A payer, and another one who has one of everything."""
    server = new_server(start=False)
    other = init_other(server)
    server.start()
    book = pathlib.Path(f"{server.data}.other.json")
    book.write_text(json.dumps(transfers_book([TRANSFER], receiver_account_id=OTHER_PAYER) | {"payer_account_id": OTHER_PAYER}))
    server.command("book", "apply", book, keys=other)
    desk = Desk(server.client(other))
    rule = desk.rule(Tags={"a": "b"})
    group = desk.group(2, plan=desk.plan(rule))
    flat = desk.flat(group)
    theirs = SimpleNamespace(
        rule=rule, group=group.arn, plan=group.plan, member=group.accounts[1], flat=flat, percentage=desk.percentage(group, 5, [flat]),
        spare=desk.group(), spare_item=desk.flat(group), spare_plan=desk.plan(), spare_rule=desk.rule(), transfer=TRANSFER,
        moved=desk.transfer_group(relation=TRANSFER).arn, free=desk.rule(Type="TIERING", ModifierPercentage=None, Tiering={"FreeTier": {"Activated": False}}),
        tiered=desk.rule(Scope="SERVICE", Service="AmazonEC2"))
    return SimpleNamespace(server=server, other=other, theirs=theirs)


def ids_of(of):
    return {kind: value.arn if kind == "spare" else value for kind, value in vars(of).items()}


def nobodys(theirs, rewritten):
    """The same kinds of ids, of which there is none; `rewritten` names them as those of the payer who asks."""
    def of(kind, text):
        unknown = text[:-6] + "000000" if kind != "transfer" else text[:-8] + "00000000"
        return unknown.replace(OTHER_PAYER, "999999999999") if rewritten else unknown
    made = {kind: of(kind, text) for kind, text in ids_of(theirs).items()}
    return SimpleNamespace(**made | {"spare": SimpleNamespace(arn=made["spare"])})


def foreign(theirs, rewritten):
    """The other payer's ids; `rewritten` with the payer who asks in their ARNs."""
    made = {kind: text.replace(OTHER_PAYER, "999999999999") if rewritten else text for kind, text in ids_of(theirs).items()}
    return SimpleNamespace(**made | {"spare": SimpleNamespace(arn=made["spare"])})


def state(two):
    client = two.server.client(two.other)
    lists = [client.list_billing_groups()["BillingGroups"], client.list_pricing_plans()["PricingPlans"], client.list_pricing_rules()["PricingRules"],
             client.list_custom_line_items()["CustomLineItems"], client.list_account_associations()["LinkedAccounts"],
             client.list_tags_for_resource(ResourceArn=two.theirs.rule)["Tags"], client.get_billing_transfer_preference(
                 ResponsibilityTransferArn=TRANSFER)]
    lists[-1].pop("ResponseMetadata")
    return lists


@pytest.mark.parametrize("rewritten", [False, True], ids=["as it is", "as one's own"])
def test_another_payers_things_are_as_good_as_none(two, rewritten):
    """Every operation with every kind of id, by whoever may do everything at home."""
    before, theirs, unknown = state(two), foreign(two.theirs, rewritten), nobodys(two.theirs, rewritten)
    compared = 0
    for (operation, with_theirs), (_, with_unknown) in zip(examples(theirs), examples(unknown), strict=True):
        ids = sorted({part for of in (theirs, unknown) for text in ids_of(of).values() for part in (text, text.rsplit("/", 1)[-1])}, key=len)
        if not any(text in json.dumps(with_theirs) for text in ids_of(theirs).values()):
            continue
        compared += 1
        # What of a request is new each time is told apart by nothing else.
        names = [given[key] for given in (with_theirs, with_unknown) for key in ("Name", "ClientToken") if key in given]
        names += [given.get("AccountGrouping", {}).get("ResponsibilityTransferArn", "ID") for given in (with_theirs, with_unknown)]
        told = [shown(two.server.call(operation, given), *ids, *names) for given in (with_theirs, with_unknown)]
        for answer in told:
            answer[1].pop("content-length", None)
        assert told[0] == told[1], operation
        assert told[0][0] >= 400 or operation.startswith("List") or "Batch" in operation, (operation, told[0])
    assert compared > 35 and state(two) == before


@pytest.mark.parametrize("who", ["anonymous", "late", "forged"])
def test_who_is_nobody_is_told_nothing(two, who):
    """Each operation, of what is there and of what is not: one answer."""
    server, told = two.server, set()
    for of in (two.theirs, NOTHING):
        for operation, given in examples(of):
            if who == "anonymous":
                method, path, body, headers = request_of(operation, given)
                answer = server.send(method, path, body, headers)
            elif who == "late":
                answer = server.call(operation, given, two.other, shift=seconds(-301))
            else:
                answer = server.call(operation, given, Keys(two.other.access_key_id, "x" * 40))
            assert answer.status == 403, (operation, answer.status)
            told.add((answer.error, answer.json["Message"].split(":")[0]))
    assert len(told) == 1, told


@pytest.mark.parametrize("service, path, headers", [
    ("billingconductor", "/create-pricing-plan", {"Content-Type": "application/json"}),
    ("proforma", "/", {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "Proforma.ApplyBook"})])
def test_a_large_body_tells_no_more_of_a_key_than_a_small_one(two, service, path, headers):
    """Whoever has no secret is answered after the whole body, by the same checks in the same order, whatever key is named and however much is sent."""
    server, told = two.server, {}
    unknown, known = Keys("AKIA" + "A" * 16, "x" * 40), Keys(two.other.access_key_id, "x" * 40)
    for size in (100, 2 << 20, 63 << 20):
        for who, keys in (("unknown", unknown), ("known", known)):
            body = b" " * size
            signed = server.signed("POST", path, body, keys, headers, service=service)
            answer = server.send("POST", path, body, signed)
            told[size, who] = shown(answer, keys.access_key_id)
            # A hash that is not the body's, a signature that is none, a time that has passed: which key is named makes no difference.
            for wrong in ({"X-Amz-Content-SHA256": "0" * 64}, {"Authorization": signed["Authorization"].rsplit("Signature=", 1)[0]}):
                changed = server.send("POST", path, body, signed | wrong)
                assert told.setdefault((size, str(wrong.keys())), shown(changed, keys.access_key_id)) == shown(changed, keys.access_key_id), (size, who)
    for who in ("unknown", "known"):
        assert [told[size, who] for size in (2 << 20, 63 << 20)] == [told[100, who]] * 2, who
        assert told[100, who][0] == 403
    # More than anybody may send: refused before it is sent, and in the same bytes.
    for keys in (unknown, known):
        signed = server.signed("POST", path, b"", keys, headers, service=service) | {"Content-Length": str(65 << 20)}
        answer = shown(server.send("POST", path, b"", signed), keys.access_key_id)
        assert answer[0] == 413 and told.setdefault("more", answer) == answer


def memory(server):
    """What a server has in memory, in MiB."""
    return int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def test_large_bodies_of_whoever_knows_a_key_take_little_memory(new_server):
    """Eight bodies of 20 MiB that never end, named after a key of which nobody has the secret here: a few are kept, the others answered alike."""
    server, size = new_server(transfers=False, options=["--arrival-seconds", "300"]), 20 << 20
    target = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "Proforma.PlanBook"}
    head = "".join(f"{name}: {value}\r\n" for name, value in target.items())
    head = (f"POST / HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {size}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={server.root.access_key_id}"
            "/20261123/us-east-1/proforma/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n").encode()
    before, strangers = memory(server), []

    def send():
        stranger = socket.create_connection(("127.0.0.1", server.port))
        strangers.append(stranger)
        stranger.sendall(head)
        for _ in range((size >> 20) - 1):
            stranger.sendall(bytes(1 << 20))
    senders = [threading.Thread(target=send) for _ in range(8)]
    try:
        [sender.start() for sender in senders]
        [sender.join() for sender in senders]
        assert memory(server) - before < 6 * 20
        # Small ones go on; a large one is asked for again, once it is known whose it is.
        assert server.own("ListRuns").status == 200
        book = json.dumps({"Book": " " * (2 << 20), "Name": "book.toml"}).encode()
        sent = lambda **of: server.ask("POST", "/", book, headers=target, service="proforma", **of)
        assert (sent().status, sent(keys=Keys(server.root.access_key_id, "x" * 40)).status) == (503, 403)
    finally:
        [stranger.close() for stranger in strangers]
    # Who has sent them is gone, and so is what was kept of them.
    assert until(lambda: (answer := sent()).status != 503 and answer).status == 400


def test_a_customer_is_told_nothing_of_the_servers_folders(new_server, tmp_path):
    """A run's files are damaged: what is wrong with them is in the log, and in no answer."""
    server = new_server(transfers=False)
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group(plan=past.plan(past.rule(ModifierPercentage=10)))
    month.line(group.primary, cost="100")
    server.load(month.write(tmp_path / "cost"))
    viewer, analyst = server.keys("viewer", "group-viewer", [group.arn]), server.keys("analyst", "analyst")
    book = server.own("ExportBook", {"BillingPeriod": PREVIOUS}).json["Book"]
    server.stop()
    folder, = (server.data / "payers" / "999999999999" / "runs" / PREVIOUS).iterdir()
    for path in (folder / "cost-report.json", folder / "cost-cube.parquet"):
        path.write_bytes(b"{" + path.read_bytes())
    server.start()
    told = [server.call("ListBillingGroupCostReports", {"BillingPeriod": PREVIOUS}, viewer),
            server.call("GetBillingGroupCostReport", {"Arn": group.arn}, viewer),
            server.own("PlanBook", {"Book": book, "Name": "book.toml", "BillingPeriod": PREVIOUS}, analyst)]
    for answer in told:
        assert b"written" not in answer.body and str(server.data).encode() not in answer.body, answer.body
    assert [answer.status for answer in told][::2] == [500, 500], [answer.body for answer in told]
    assert "is not as the run has written it" in server.log.read_text()


# ---- Levels of a chain of billing transfers (X7)

def test_a_level_of_a_chain_sees_the_level_above_alone(new_server, tmp_path):
    """A distributor charges a seller, and the seller its customer: the customer asks for what its seller is charged, by every name that it could know."""
    server = new_server(start=False)
    seller = init_other(server)
    server.start()
    chain = {"top": (server.root, "999999999999", "700000000001"), "seller": (seller, OTHER_PAYER, "700000000002")}
    groups = {}
    for level, (keys, payer, source) in chain.items():
        relation = f"arn:aws:organizations::{payer}:transfer/{ORGANIZATION}/billing/inbound/rt-{level:0>8}".replace("top", "aaa").replace("seller", "bbbbbb")
        book = tmp_path / f"{level}.json"
        book.write_text(json.dumps({"payer_account_id": payer, "currency": "USD", "responsibility_transfers": [
            {"name": relation, "source_account_id": source, "receiver_account_id": payer, "accounts": [source], "status": "ACCEPTED", "start": "2026-01"}]}))
        server.command("book", "apply", book, keys=keys)
        desk = Desk(in_period(server.client(keys), PREVIOUS))
        plan = desk.plan(desk.rule(ModifierPercentage={"top": 7.77, "seller": 20}[level]))
        groups[level] = desk.transfer_group(plan=plan, relation=relation, Name=f"priced-by-{level}")
    month = PolicyMonth()
    month.line("700000000001", cost="100")
    server.load(month.write(tmp_path / "cost"))
    made = json.loads(server.command("keys", "create", "--principal", "customer", "--role", "group-viewer", "--billing-group", groups["seller"].arn,
                                     "--output", "json", keys=seller))
    customer = Keys(made["AccessKeyId"], made["SecretAccessKey"])
    # The distributor's own report has the price that nobody below the seller may see.
    top = server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]
    assert [row["ProformaCost"] for row in top] == ["107.77"]
    above, unknown = groups["top"].arn, arn("billinggroup", "zzzzzzzzzz")
    for operation, make in [
            ("GetBillingGroupCostReport", lambda of: {"Arn": of}), ("GetBillingGroupCostReport", lambda of: {"Arn": of.rsplit("/", 1)[1]}),
            ("GetBillingGroupCostReport", lambda of: {"Arn": of.replace("999999999999", OTHER_PAYER), "BillingPeriodRange": MONTH}),
            ("ListBillingGroups", lambda of: {"Filters": {"Arns": [of, groups["seller"].arn]}}),
            ("ListBillingGroupCostReports", lambda of: {"BillingPeriod": PREVIOUS, "Filters": {"BillingGroupArns": [of]}}),
            ("ListAccountAssociations", lambda of: {"Filters": {"Association": of}}), ("ListAccountAssociations", lambda of: {"BillingPeriod": PREVIOUS})]:
        told = [shown(server.call(operation, make(of), customer), of, of.rsplit("/", 1)[1], of.replace("999999999999", OTHER_PAYER)) for of in (above, unknown)]
        assert told[0] == told[1], operation
        assert not {"107.77", "7.77", "700000000001", "priced-by-top"} & set(told[0][2].replace('"', " ").split()), told[0]
    listed = server.client(customer).list_billing_groups(BillingPeriod=PREVIOUS)["BillingGroups"]
    assert [group["Arn"] for group in listed] == [groups["seller"].arn]
    # And upwards: the distributor does not see what its seller charges.
    answer = server.call("GetBillingGroupCostReport", {"Arn": groups["seller"].arn})
    assert answer.error in ("ResourceNotFoundException", "ValidationException") and b"ProformaCost" not in answer.body


# ---- An account that is moved (X6)

def test_an_account_that_was_moved_leaves_its_month_and_keeps_the_months_before(new_server, tmp_path):
    """In October one account leaves, in November another: of October the old customer sees what it had when October ended."""
    server = new_server(transfers=False, now="2026-10-20T12:00:00Z")
    desk, client, month = Desk(server.client()), server.client(), PolicyMonth()
    left, right = desk.group(3, plan=desk.plan(desk.rule(ModifierPercentage=10))), desk.group(plan=desk.plan(desk.rule(ModifierPercentage=50)))
    stays, early, late = left.accounts
    for number, one in enumerate([*left.accounts, *right.accounts]):
        for hour in (5, 400):
            month.line(one, cost=f"{10 ** number}", hour=hour)
    october = {"BillingPeriodRange": {"InclusiveStartBillingPeriod": PREVIOUS}}
    item, gone = (client.create_custom_line_item(Name=name("item"), Description="of one account", BillingGroupArn=left.arn, AccountId=of, ChargeDetails={
        "Flat": {"ChargeValue": 7}, "Type": "FEE"}, **october)["Arn"] for of in (late, early))
    server.load(month.write(tmp_path / "cost"))
    keys = {"left": server.keys("left", "group-viewer", [left.arn]), "right": server.keys("right", "group-viewer", [right.arn]),
            "early": server.keys("early", "group-viewer", [left.arn], [early]), "late": server.keys("late", "group-viewer", [left.arn], [late])}
    viewers = lambda: {who: server.client(of) for who, of in keys.items()}
    cost = lambda of, period: [row["ProformaCost"] for row in of.list_billing_group_cost_reports(BillingPeriod=period)["BillingGroupCostReports"]]
    seen = lambda of, period: {one["AccountId"] for one in of.list_account_associations(BillingPeriod=period)["LinkedAccounts"]}
    move = lambda of, one: (of.disassociate_accounts(Arn=left.arn, AccountIds=[one]), of.associate_accounts(Arn=right.arn, AccountIds=[one]))
    of = viewers()
    assert [cost(of[who], PREVIOUS) for who in ("left", "right", "early")] == [["258.2"], ["3000"], ["29"]]
    move(client, early)
    server.settle()
    # The whole of the month in which it moves is the new group's, the days before the move too; the fee that it carried stays with the old one.
    assert [cost(of[who], PREVIOUS) for who in ("left", "right")] == [["236.2"], ["3030"]]
    assert seen(of["left"], PREVIOUS) == {stays, late} and early in seen(of["right"], PREVIOUS)
    assert seen(of["early"], PREVIOUS) == set() and cost(of["early"], PREVIOUS) in ([], ["0"])
    server.stop()
    server.now = "2026-11-10T12:00:00Z"
    server.start()
    move(server.client(), late)
    server.settle()
    of = viewers()
    # Last month stays as it was when it ended, for the one and for the other; this month the account is not there any more.
    assert [cost(of[who], PREVIOUS) for who in ("left", "right", "late")] == [["236.2"], ["3030"], ["227"]]
    assert [seen(of["left"], period) for period in (PREVIOUS, CURRENT)] == [{stays, late}, {stays}]
    assert late not in seen(of["right"], PREVIOUS) and late in seen(of["right"], CURRENT)
    assert seen(of["late"], PREVIOUS) == {late} and seen(of["late"], CURRENT) == set()
    both = {"Arn": left.arn, "BillingPeriodRange": {"InclusiveStartBillingPeriod": PREVIOUS, "ExclusiveEndBillingPeriod": "2026-12"}, "GroupBy": ["BILLING_PERIOD"]}
    rows = of["left"].get_billing_group_cost_report(**both)["BillingGroupCostReportResults"]
    assert [row["ProformaCost"] for row in rows if row["ProformaCost"] != "0"] == ["236.2"]
    # An item says who carries it in the month: the group's primary account, once its own has left.
    carriers = lambda period, **of: {row["Arn"]: row["AccountId"] for row in server.client().list_custom_line_items(
        BillingPeriod=period, Filters={"Arns": [item, gone], **of})["CustomLineItems"]}
    assert carriers(PREVIOUS) == {item: late, gone: stays} and carriers(CURRENT) == {item: stays, gone: stays}
    assert carriers(CURRENT, AccountIds=[late]) == {} and carriers(PREVIOUS, AccountIds=[stays]) == {gone: stays}


# ---- Logs, metrics, errors (X10)

def test_logs_and_metrics_say_nothing_of_anybody(new_server, tmp_path, monkeypatch):
    """At the level that says most: no name, text, tag or amount of a customer, no secret, signature or password; not in errors and labels either."""
    server = new_server(start=False)
    if server.database:
        server.database = server.database.replace("postgres://proforma@", f"postgres://proforma:{PASSWORD}@")
    monkeypatch.setenv("RUST_LOG", "trace")
    server.start()
    monkeypatch.delenv("RUST_LOG")
    desk = Desk(in_period(server.client(), PREVIOUS))
    rule = desk.rule(Name=f"{CANARY}-rule", Description=f"{CANARY} words", Tags={CANARY: CANARY}, ModifierPercentage=12.34)
    group = desk.group(2, plan=desk.plan(rule, Name=f"{CANARY}-plan"), Name=f"{CANARY}-group", Description=f"{CANARY} words")
    desk.flat(group, 271828.18, Name=f"{CANARY}-item", Description=f"{CANARY} words", BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    viewer = server.keys("viewer", "group-viewer", [desk.group().arn])
    month = PolicyMonth()
    month.line(group.primary, cost=AMOUNT, resource=f"{CANARY}-resource", tags={"user_team": CANARY}, text=f"{CANARY} per hour")
    server.load(month.write(tmp_path / "cost"))
    client = server.client()
    for period in (PREVIOUS, CURRENT):
        client.list_billing_group_cost_reports(BillingPeriod=period)
        client.get_billing_group_cost_report(Arn=group.arn, BillingPeriodRange=MONTH, GroupBy=["PRODUCT_NAME"])
    # What goes wrong, with the canary in what was sent.
    presigned = server.presigned("GET", "/tags/x")
    answers = [server.call("CreatePricingPlan", {"Name": f"{CANARY}-plan"}), server.call("CreatePricingPlan", {"Name": f"{CANARY} no name"}),
               server.call("CreatePricingPlan", {"Name": "ok", "PricingRuleArns": [rule, arn("pricingrule", "0000000000")]}),
               server.call("DeletePricingPlan", {"Arn": group.plan}), server.call("ListBillingGroups", {"NextToken": CANARY}),
               server.call("AssociateAccounts", {"Arn": desk.group().arn, "AccountIds": [group.primary]}), server.send("GET", presigned),
               server.ask("POST", f"/{CANARY}", CANARY.encode()), server.call("ListBillingGroups", {}, Keys(server.root.access_key_id, CANARY)),
               *(server.call(operation, given, viewer) for operation, given in examples(NOTHING)),
               server.call("GetBillingGroupCostReport", {"Arn": group.arn}, viewer), server.call("DeleteBillingGroup", {"Arn": group.arn}, viewer)]
    assert {answer.status for answer in answers} >= {400, 403, 404, 409}
    # A customer's errors name nothing but what it has sent itself.
    for answer in answers[-len(examples(NOTHING)) - 2:]:
        told = answer.body + repr(answer.headers).encode()
        assert CANARY.encode() not in told and b"31415926" not in told and group.name.encode() not in told
    assert not any(answer.status >= 500 for answer in answers)
    metrics = server.send("GET", "/metrics").body.decode()
    server.stop()
    log = server.log.read_text()
    signature = presigned.split("X-Amz-Signature=")[1][:64]
    secrets = [server.root.secret_access_key, viewer.secret_access_key, (server.data / "master.key").read_text().strip(), PASSWORD, signature, "AWS4-HMAC-SHA256"]
    assert len(log.splitlines()) > 200 and '"level":"DEBUG"' in log, log[:500]
    # The item's amount in money and in its smallest units; fewer of its digits may be those of a stopwatch.
    for secret in [*secrets, CANARY, "31415926", "271828.18", "27182818"]:
        lines = [line for line in log.splitlines() if secret in line]
        assert not lines, (secret, len(lines), lines[:3])
        assert secret not in metrics
    # The percentage, which may well begin what a clock or a stopwatch says.
    said = [line for line in (log + metrics).splitlines() if re.search(r"(?<![\d:.])12\.34(?![\dms])", line)]
    assert not said, said[:3]
    assert set(part.split("=")[0] for line in metrics.splitlines() if "{" in line for part in line.split("{")[1].split("}")[0].split(",")) <= {
        "operation", "status", "le"}
    assert group.primary not in metrics and server.root.access_key_id not in metrics


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path):
    for address in (f"postgres://proforma:{PASSWORD}@127.0.0.1:1/none", f"postgres://proforma:{PASSWORD}@127.0.0.1:1/none?password={PASSWORD}",
                    f"postgres://{PASSWORD}:{PASSWORD}@[::1"):
        ended = subprocess.run([PROGRAM, "init", "--data", tmp_path / "data", "--database", address, "--payer", "999999999999"], capture_output=True, text=True,
                               timeout=60, env=os.environ | {"RUST_LOG": "trace"})
        assert ended.returncode != 0 and ended.stderr
        assert PASSWORD not in ended.stdout + ended.stderr, ended.stderr[:2000]
