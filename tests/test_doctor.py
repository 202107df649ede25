"""`proforma doctor aws` before a second server in AWS's place: the same month agrees to the last digit, and each difference has its reason."""
import csv
import http.client
import http.server
import io
import json
import subprocess
import threading
from types import SimpleNamespace

import pytest

import organizations
from desk import Desk, account, accounts
from policy_months import PolicyMonth
from program import PROGRAM
from server import CURRENT, NEXT, NOW, PAYER, PREVIOUS, Server, in_period

READER = PROGRAM.with_name("proforma-aws-month")
pytestmark = pytest.mark.skipif(not READER.exists(), reason="proforma-aws-month is not built: cargo build -p adopt")
SECONDS_MAX = 120
HARBOR, QUILL, LONER = accounts(2), accounts(2), account()
PRECISE = "31415926.5358979323"


def doctor(server, profiles, *arguments, keys=None, profile="aws", place=None, far=None, **environment):
    """The command at a server, with AWS's place and credentials in a profile of its own."""
    where = place or ["--endpoint", server.endpoint]
    env = organizations.plain() | (keys or server.root).environment | environment | {
        "AWS_CONFIG_FILE": str(profiles.path), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    there = ["--profile", profile] if profile else []
    return subprocess.run([PROGRAM, "doctor", "aws", *where, *there, "--endpoint-url", far or profiles.endpoint, *map(str, arguments)],
                          capture_output=True, text=True, timeout=SECONDS_MAX, env=env)


def judged(ended, status):
    assert ended.returncode == status, ended.stderr + ended.stdout
    return json.loads(ended.stdout)


def profiles_of(server, folder):
    path = folder / "config"
    path.write_text("[profile aws]\nregion = us-east-1\n" + "".join(
        f"{name} = {value}\n" for name, value in [("aws_access_key_id", server.root.access_key_id),
                                                  ("aws_secret_access_key", server.root.secret_access_key)]))
    return SimpleNamespace(path=path, endpoint=server.endpoint)


def configured(server, percentage=10, groups=("harbor", "quill")):
    """Billing groups of October at a price."""
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(Name="all", ModifierPercentage=percentage), Name="gold")
    members = {"harbor": HARBOR, "quill": QUILL, "loner": [LONER]}
    made = {name: desk.group(members[name], plan, Name=name) for name in groups}
    october_on = {"InclusiveStartBillingPeriod": PREVIOUS}
    desk.flat(made["harbor"], 12.5, Name="fee", BillingPeriodRange=october_on)
    return made


def month(left_out=(), s3="AmazonS3", covered="8", usage="3"):
    """October; what is left out is named."""
    lines = PolicyMonth()
    for number, member in enumerate([*HARBOR, *QUILL, LONER]):
        if f"account {member}" in left_out:
            continue
        lines.line(member, cost=PRECISE, public="271", service="AWSLambda", usage_type="Lambda-Requests", unit="Requests")
        lines.line(member, cost=f"1.{number + 1:010}", service=s3, usage_type="TimedStorage-ByteHrs", unit="GB-Mo")
    lines.line(HARBOR[0], cost=usage, public=usage, service="AmazonEC2")
    lines.line(HARBOR[0], "SavingsPlanCoveredUsage", cost=covered, public=covered, service="AmazonEC2", usage_type="BoxUsage:m5.large")
    lines.line(HARBOR[0], "SavingsPlanNegation", cost=f"-{covered}", service="AmazonEC2", usage_type="BoxUsage:m5.large")
    for kind, cost in (("Tax", "1.9"), ("Credit", "-3"), ("Refund", "-0.25")):
        if kind not in left_out:
            lines.line(HARBOR[1], kind, cost=cost, service="AmazonEC2")
    if "Support" not in left_out:
        lines.line(PAYER, cost="100", public="100", service="AWSSupportBusiness", usage_type="Dollar", unit="Dollars")
    return lines


@pytest.fixture(scope="module")
def far(new_server, tmp_path_factory):
    """What stands in AWS's place."""
    server = new_server(transfers=False)
    groups = configured(server)
    server.load(month().write(tmp_path_factory.mktemp("far") / "cost"))
    return SimpleNamespace(server=server, groups=groups, profiles=profiles_of(server, tmp_path_factory.mktemp("profiles")))


def near(new_server, tmp_path, lines, **options):
    server = new_server(transfers=False)
    configured(server, **options)
    server.load(lines.write(tmp_path / "cost"))
    return server


def reasons(answer):
    return {(row["Part"], row.get("BillingGroup", ""), row.get("Name", ""), row["LineType"]): row["Reason"]
            for row in answer["Rows"] if "Reason" in row}


def test_the_same_month_agrees_to_the_last_digit(new_server, far, tmp_path):
    server = near(new_server, tmp_path, month())
    answer = judged(doctor(server, far.profiles, "--period", PREVIOUS, "--output", "json"), 0)
    assert answer["Agrees"] and answer["EstimatedAtAws"] and answer["BillingGroupsAtAws"] and answer["CostExplorerRequests"] == 2
    assert {row["Part"] for row in answer["Rows"]} == {"SERVICE", "ACCOUNT", "BILLING_GROUP", "PRODUCT"}
    assert reasons(answer) == {} and all(row["Agrees"] and row["Aws"] == row["Here"] for row in answer["Rows"])
    total, = answer["Totals"]
    # Compared with Cost Explorer's own answer through another client.
    asked = far.server.client(service="ce").get_cost_and_usage(
        TimePeriod={"Start": "2026-10-01", "End": "2026-11-01"}, Granularity="MONTHLY", Metrics=["UnblendedCost"])
    assert total["Aws"] == total["Here"] == asked["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"]
    # The newest month is taken where none is named, and the words say the same.
    said = doctor(server, far.profiles)
    assert said.returncode == 0 and f"payer {PAYER}, {PREVIOUS}" in said.stdout and "everything agrees: " in said.stdout
    assert "asked 2 times, for which AWS charges USD 0.02" in said.stdout
    # At the data directory itself, where no server holds it.
    server.stop()
    at_home = doctor(server, far.profiles, "--period", PREVIOUS, "--output", "json", "--now", NOW, place=server.stored)
    assert judged(at_home, 0) == answer
    server.start()


def test_each_difference_has_its_reason(new_server, far, tmp_path):
    gone = ("Tax", "Credit", "Refund", "Support")
    server = near(new_server, tmp_path, month(gone, s3="AmazonS3Other", covered="5", usage="2"), percentage=12)
    answer = judged(doctor(server, far.profiles, "--period", PREVIOUS, "--output", "json"), 3)
    said = reasons(answer)
    by_service = {(name, of): reason for (part, _, name, of), reason in said.items() if part == "SERVICE"}
    compute = "Amazon Elastic Compute Cloud - Compute"
    other = {(name, of): reason for (name, of), reason in by_service.items() if "S3" in name}
    assert set(other.values()) == {"NAMED_DIFFERENTLY"} and len(other) == 2
    assert by_service[("Tax", "Tax")] == "TAX_NOT_DELIVERED"
    assert by_service.pop(("AWSSupportBusiness", "Usage")) == "SUPPORT_NOT_DELIVERED"
    late = {of: reason for (_, of), reason in by_service.items() if of in ("Credit", "Refund")}
    assert late == {"Credit": "CREDIT_NOT_DELIVERED", "Refund": "REFUND_NOT_DELIVERED"}
    assert by_service[(compute, "SavingsPlanNegation")] == by_service[(compute, "SavingsPlanCoveredUsage")] == "SAVINGS_PLAN_NEGATION"
    assert by_service[(compute, "Usage")] == "AMOUNTS_DIFFER"
    row = next(row for row in answer["Rows"] if row["Part"] == "SERVICE" and row.get("Name") == compute and row["LineType"] == "Usage")
    assert (row["Aws"], row["Here"], row["Difference"], row["Agrees"]) == ("3", "2", "1", False)
    assert row["Explanation"].startswith("Usage differs by 1: ") and HARBOR[0] in row["Explanation"] and "estimates" in row["Explanation"]
    # The price of a group that costs the same is a price; of one that does not, both.
    groups = {(group, of): reason for (part, group, _, of), reason in said.items() if part == "BILLING_GROUP"}
    assert groups[("quill", "ProformaCost")] == "PRICED_DIFFERENTLY" and ("quill", "AWSCost") not in groups
    assert groups[("quill", "Margin")] == "MARGIN_FOLLOWS"
    assert groups[("harbor", "AWSCost")] == "AWS_COST_DIFFERS" and groups[("harbor", "ProformaCost")] == "AWS_COST_AND_PRICE_DIFFER"
    words = doctor(server, far.profiles, "--period", PREVIOUS)
    assert words.returncode == 3 and "amounts differ; compared: " in words.stdout
    assert "Tax differs by 1.9: not delivered yet" in words.stdout and "AWS still estimates this month" in words.stdout
    rows = list(csv.DictReader(io.StringIO(doctor(server, far.profiles, "--period", PREVIOUS, "--output", "csv").stdout)))
    assert len(rows) == len(answer["Rows"]) and {row["Reason"] for row in rows} - {""} == set(said.values())
    tax = next(row for row in rows if row["Part"] == "SERVICE" and row["LineType"] == "Tax")
    assert tax["Explanation"].startswith("Tax differs by 1.9: not delivered yet") and tax["Agrees"] == "false"


def test_an_account_of_which_nothing_is_here(new_server, far, tmp_path):
    server = near(new_server, tmp_path, month([f"account {LONER}"]))
    answer = judged(doctor(server, far.profiles, "--period", PREVIOUS, "--output", "json"), 3)
    told = reasons(answer)
    assert set(told.values()) == {"ACCOUNT_MISSING_HERE"} and ("ACCOUNT", "", LONER, "Usage") in told
    services = [row for row in answer["Rows"] if row["Part"] == "SERVICE" and "Reason" in row]
    assert len(services) == 2 and all(LONER in row["Explanation"] for row in services)


def test_groups_that_one_side_has(new_server, far, tmp_path):
    server = near(new_server, tmp_path, month(), groups=("harbor", "loner"))
    answer = judged(doctor(server, far.profiles, "--period", PREVIOUS, "--output", "json"), 3)
    of_groups = {group: reason for (_, group, _, of), reason in reasons(answer).items() if of == "ProformaCost"}
    assert of_groups == {"quill": "BILLING_GROUP_MISSING_HERE", "loner": "BILLING_GROUP_MISSING_AT_AWS"}
    assert {key[0] for key in reasons(answer)} == {"BILLING_GROUP", "PRODUCT"}


def test_a_tolerance(new_server, far, tmp_path):
    server = near(new_server, tmp_path, month(["Refund"]))
    one = ["--period", PREVIOUS, "--output", "json"]
    assert set(reasons(judged(doctor(server, far.profiles, *one), 3)).values()) >= {"REFUND_NOT_DELIVERED"}
    # The refund is a part of what its billing group costs, too.
    answer = judged(doctor(server, far.profiles, *one, "--tolerance", "0.25"), 0)
    assert set(reasons(answer).values()) == {"ROUNDING"} and answer["Tolerance"] == "0.25"
    for bad in ("-1", "x", ""):
        refused = doctor(server, far.profiles, *one, "--tolerance=" + bad)
        assert refused.returncode == 2 and "is no amount" in refused.stderr


def test_aws_without_billing_groups_is_compared_by_cost_alone(new_server, far, tmp_path):
    """Whoever has no Billing Conductor at AWS compares what AWS charges."""
    bare = new_server(transfers=False)
    bare.load(month().write(tmp_path / "bare"))
    profiles = profiles_of(bare, tmp_path)
    server = near(new_server, tmp_path, month())
    answer = judged(doctor(server, profiles, "--period", PREVIOUS, "--output", "json"), 0)
    assert not answer["BillingGroupsAtAws"] and {row["Part"] for row in answer["Rows"]} == {"SERVICE", "ACCOUNT"}
    assert "the groups here were not compared" in doctor(server, profiles).stdout
    # A month that AWS has invoiced is no estimate any more.
    in_period(bare.client(), PREVIOUS)
    bare.command("close", PREVIOUS)
    assert not judged(doctor(server, profiles, "--period", PREVIOUS, "--output", "json"), 0)["EstimatedAtAws"]


def test_who_may_not_and_what_cannot_be_read(new_server, far, tmp_path, tmp_path_factory):
    server = near(new_server, tmp_path, month())
    group = far.groups["harbor"]
    viewer = server.keys("viewer-of-doctor", "group-viewer", [group.arn])
    refused = doctor(server, far.profiles, "--period", PREVIOUS, keys=viewer)
    assert refused.returncode == 2 and "does not see what AWS charges" in refused.stderr and not refused.stdout
    analyst = server.keys("analyst-of-doctor", "analyst")
    assert doctor(server, far.profiles, "--period", PREVIOUS, keys=analyst).returncode == 0
    # Another payer's credentials are noticed before anything is asked for that costs.
    other = Server(tmp_path_factory.mktemp("other") / "data", payer="888888888888").init().start()
    try:
        refused = doctor(server, profiles_of(other, tmp_path), "--period", PREVIOUS)
        assert refused.returncode == 2 and "of account 888888888888" in refused.stderr and f"payer {PAYER}" in refused.stderr
    finally:
        other.stop()
    # AWS knows nothing of the month; nor does the desk.
    refused = doctor(server, far.profiles, "--period", NEXT)
    assert refused.returncode == 2 and "nothing was compared" not in refused.stderr.splitlines()[0], refused.stderr
    refused = doctor(server, far.profiles, "--period", "2026-13")
    assert refused.returncode == 2 and "2026-13" in refused.stderr
    nobody = doctor(server, far.profiles, "--period", PREVIOUS, profile="nobody")
    assert nobody.returncode == 2 and "nothing was compared" in nobody.stderr
    empty = new_server(transfers=False)
    refused = doctor(empty, far.profiles)
    assert refused.returncode == 2 and "no month is priced here" in refused.stderr


def test_being_told_to_slow_down_is_waited_for(new_server, far, tmp_path):
    """Cost Explorer's own name for it, and everybody's."""
    server = near(new_server, tmp_path, month())
    said, counts = ["LimitExceededException", "ThrottlingException"], []

    class Slow(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "GetCostAndUsage" in (self.headers.get("X-Amz-Target") or ""):
                counts.append(self.path)
                if said:
                    error = json.dumps({"__type": said.pop(0), "message": "Slow down."}).encode()
                    return self.answer(400, "application/x-amz-json-1.1", error)
            there = http.client.HTTPConnection("127.0.0.1", far.server.port, timeout=60)
            there.request("POST", self.path, body, dict(self.headers.items()))
            answer = there.getresponse()
            self.answer(answer.status, answer.getheader("Content-Type"), answer.read())

        def answer(self, status, kind, content):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    slow = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=slow.serve_forever, daemon=True).start()
    try:
        ended = doctor(server, far.profiles, "--period", PREVIOUS, far=f"http://127.0.0.1:{slow.server_port}")
        assert ended.returncode == 0, ended.stderr
        assert len(counts) == 4 and said == [], ended.stderr
    finally:
        slow.shutdown()


# ---- What is no proof, and what goes unseen

def test_equal_amounts_of_unlike_things_are_not_the_same(new_server, far, tmp_path):
    """Another service of the same amounts is no other name, and neither is a line type that means something else."""
    lines = month(["Refund"], s3="AmazonRedshift")
    lines.line(HARBOR[1], "Fee", cost="-0.25", service="AmazonEC2")
    server = near(new_server, tmp_path, lines)
    answer = judged(doctor(server, far.profiles, "--period", PREVIOUS, "--output", "json"), 3)
    said = reasons(answer)
    of_services = {(name, of): reason for (part, _, name, of), reason in said.items() if part == "SERVICE"}
    assert {of_services[(name, "Usage")] for name in ("AmazonS3", "AmazonRedshift")} == {"SAME_AMOUNT_UNDER_ANOTHER_NAME"}, of_services
    assert {reason for (_, of), reason in of_services.items() if of in ("Fee", "Refund")} == {"OTHER_LINE_TYPE"}, of_services
    row = next(row for row in answer["Rows"] if row.get("Name") == "AmazonRedshift" and row["Part"] == "SERVICE")
    assert not row["Agrees"] and "exactly this amount under `AmazonS3`" in row["Explanation"]


def test_a_group_that_costs_nothing_is_not_overlooked(new_server, far, tmp_path):
    server = near(new_server, tmp_path, month())
    empty = account()
    Desk(in_period(server.client(), PREVIOUS)).group([empty], Name="empty")
    server.settle()
    asked = ["--period", PREVIOUS, "--output", "json"]
    answer = judged(doctor(server, far.profiles, *asked), 3)
    assert set(reasons(answer).values()) == {"BILLING_GROUP_MISSING_AT_AWS"} and {key[1] for key in reasons(answer)} == {"empty"}
    other_way = judged(doctor(far.server, profiles_of(server, tmp_path), *asked, "--tolerance", "5"), 3)
    assert set(reasons(other_way).values()) == {"BILLING_GROUP_MISSING_HERE"} and {key[1] for key in reasons(other_way)} == {"empty"}
    # AWS's only group is an empty one.
    bare, one = new_server(transfers=False), new_server(transfers=False)
    for name, of in (("bare", bare), ("only", one)):
        of.load(month().write(tmp_path / f"{name}-cost"))
    Desk(in_period(one.client(), PREVIOUS)).group([empty], Name="empty")
    one.settle()
    (tmp_path / "one").mkdir()
    answer = judged(doctor(bare, profiles_of(one, tmp_path / "one"), *asked), 3)
    assert set(reasons(answer).values()) == {"BILLING_GROUP_MISSING_HERE"}


def test_a_missing_account_explains_no_service_that_has_more_here(new_server, far, tmp_path):
    lines = month([f"account {LONER}"])
    lines.line(HARBOR[0], cost="5", service="AmazonS3", usage_type="TimedStorage-ByteHrs", unit="GB-Mo")
    lines.line(HARBOR[0], cost="-5", service="AWSLambda", usage_type="Lambda-Requests", unit="Requests")
    server = near(new_server, tmp_path, lines)
    said = reasons(judged(doctor(server, far.profiles, "--period", PREVIOUS, "--output", "json"), 3))
    assert {reason for (part, *_), reason in said.items() if part == "SERVICE"} == {"AMOUNTS_DIFFER"}
    assert said[("ACCOUNT", "", LONER, "Usage")] == "ACCOUNT_MISSING_HERE"


def test_a_tolerance_holds_for_what_amounts_come_to(new_server, far, tmp_path):
    """A cent of three accounts, each in a service of its own."""
    lines = month()
    lines.line(HARBOR[0], cost="0.01", public="0.01", service="AWSLambda", usage_type="Lambda-Requests", unit="Requests")
    lines.line(QUILL[0], cost="0.01", service="AmazonS3", usage_type="TimedStorage-ByteHrs", unit="GB-Mo")
    lines.line(LONER, cost="0.01", public="0.01", service="AmazonEC2")
    server = near(new_server, tmp_path, lines)
    asked = ["--period", PREVIOUS, "--tolerance", "0.015"]
    answer = judged(doctor(server, far.profiles, *asked, "--output", "json"), 3)
    assert all(row["Agrees"] for row in answer["Rows"]) and set(reasons(answer).values()) == {"ROUNDING"}
    total, = answer["Totals"]
    assert (total["Difference"], total["Agrees"], answer["Agrees"]) == ("-0.03", False, False)
    assert {of["LineType"]: of["Agrees"] for of in answer["BillingGroupTotals"]}["AWSCost"] is False
    words = doctor(server, far.profiles, *asked)
    assert words.returncode == 3 and "all charges together differ by -0.03 USD, more than the tolerance of 0.015" in words.stdout
    assert judged(doctor(server, far.profiles, "--period", PREVIOUS, "--tolerance", "0.03", "--output", "json"), 0)["Agrees"]


def test_nothing_is_late_of_a_month_that_is_invoiced(new_server, tmp_path):
    bare = new_server(transfers=False)
    bare.load(month().write(tmp_path / "bare"))
    bare.command("close", PREVIOUS)
    server = near(new_server, tmp_path, month(["Tax", "Credit", "Support"]))
    answer = judged(doctor(server, profiles_of(bare, tmp_path), "--period", PREVIOUS, "--output", "json"), 3)
    assert not answer["EstimatedAtAws"]
    assert not [reason for reason in reasons(answer).values() if "DELIVERED" in reason or reason.startswith(("TAX", "CREDIT", "SUPPORT"))]


# ---- Whose key, and whose fault

class Recorded(http.server.BaseHTTPRequestHandler):
    """Answers nothing anybody wants, and keeps what it was asked with."""
    protocol_version = "HTTP/1.1"
    asked_with = []

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked_with.append(str(self.headers))
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_the_desks_key_is_never_shown_to_aws(new_server, far, tmp_path):
    server = near(new_server, tmp_path, month())
    Recorded.asked_with.clear()
    place = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorded)
    threading.Thread(target=place.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{place.server_port}"
    try:
        ended = doctor(server, far.profiles, "--period", PREVIOUS, profile=None, far=there)
        assert ended.returncode == 2 and "no AWS credentials" in ended.stderr, ended.stderr
        assert "AWS_ACCESS_KEY_ID is the desk's key" in ended.stderr and "--profile" in ended.stderr
        synced = organizations.sync(server, "--organization-endpoint", there, ok=False)
        assert synced.returncode == 2 and "AWS_ACCESS_KEY_ID is the desk's key" in synced.stderr, synced.stderr
        assert Recorded.asked_with == []
        # A profile that the environment names is asked with, and AWS's refusal is nobody's success.
        ended = doctor(server, far.profiles, "--period", PREVIOUS, profile=None, far=there, AWS_PROFILE="aws")
        assert ended.returncode == 2 and far.server.root.access_key_id in Recorded.asked_with[0], ended.stderr
        assert not [headers for headers in Recorded.asked_with if server.root.access_key_id in headers]
    finally:
        place.shutdown()
    assert doctor(server, far.profiles, "--period", PREVIOUS, profile=None, AWS_PROFILE="aws").returncode == 0


def test_that_aws_does_not_answer_is_no_mistake_of_the_input(new_server, far, tmp_path):
    server = near(new_server, tmp_path, month())
    ended = doctor(server, far.profiles, "--period", PREVIOUS, far="http://127.0.0.1:1")
    assert ended.returncode == 1 and "no answer" in ended.stderr and "nothing was compared" in ended.stderr, ended.stderr
