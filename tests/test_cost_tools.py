"""Published tools that ask AWS Cost Explorer, installed from PyPI and unmodified: only AWS_ENDPOINT_URL is ours.

awscost and aws-finops-dashboard, in the versions of cost_tools_requirements.txt. Both ask by the machine's date, so the month's lines are moved to the months before it.
"""
import datetime
import json
import os
import pathlib
import re
import subprocess
from types import SimpleNamespace

import pytest

import organizations
from desk import Desk, account, accounts
from policy_months import PolicyMonth
from server import PAYER, REGION, in_period

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = pathlib.Path(os.environ.get("PROFORMA_COST_TOOLS_VENV")
                    or pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "tools" / "cost-tools")
AWSCOST, FINOPS = (VENV / "bin" / program for program in ("awscost", "aws-finops"))
pytestmark = pytest.mark.skipif(not (VENV / "installed").exists(), reason="the published tools are not set up: `make test` does, or `make cost-tools`")
SECONDS_MAX = 240
SERVICE = [{"Type": "DIMENSION", "Key": "SERVICE"}]


def months():
    """The first days of the month before last, of the last and of this one, and today."""
    today = datetime.date.today()
    this = today.replace(day=1)
    last = (this - datetime.timedelta(days=1)).replace(day=1)
    return (last - datetime.timedelta(days=1)).replace(day=1), last, this, today


def month_of(first, month):
    """The lines of an October, moved to another month."""
    after = (first + datetime.timedelta(days=31)).replace(day=1)
    for row in month.rows:
        for name, value in row.items():
            if isinstance(value, str) and "2026-1" in value:
                row[name] = value.replace("2026-11-01T", f"{after}T").replace("2026-10-", f"{first:%Y-%m}-")
    return month


def lines(members, outside, factor):
    month = PolicyMonth()
    for number, member in enumerate(members):
        for place, service in enumerate(["AmazonS3", "AWSLambda", "AmazonEC2"]):
            month.line(member, cost=f"{factor * (number + 1) * (place + 1)}.4567891234", public=f"{factor * 3}.25", service=service, hour=5 + 24 * place,
                       usage_type=["TimedStorage-ByteHrs", "Lambda-Requests", "BoxUsage:m5.large"][place])
    month.line(outside, cost="7.25", service="AmazonEC2", usage_type="EBS:VolumeUsage.gp3", unit="GB-Mo")
    month.line(members[0], "Tax", cost="1.5", service="AmazonEC2")
    return month


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    before, last, this, today = months()
    server = new_server(transfers=False, now=f"{today}T12:00:00Z")
    desk = Desk(in_period(server.client(), f"{before:%Y-%m}"))
    group = desk.group(accounts(2), desk.plan(desk.rule(ModifierPercentage=10)))
    outside = account()
    for first, factor in ((before, 100), (last, 250)):
        folder = tmp_path_factory.mktemp("tools") / "cost"
        server.load(month_of(first, lines(group.accounts, outside, factor)).write(folder), f"{first:%Y-%m}")
    viewer = server.keys("viewer-with-tools", "group-viewer", [group.arn])
    return SimpleNamespace(server=server, viewer=viewer, before=before, last=last, this=this)


def run(world, command, keys, folder):
    """A tool with AWS's own settings alone; what it might ask elsewhere goes nowhere."""
    credentials = folder / "credentials"
    credentials.write_text(f"[default]\naws_access_key_id = {keys.access_key_id}\naws_secret_access_key = {keys.secret_access_key}\n")
    config = folder / "config"
    config.write_text(f"[default]\nregion = {REGION}\n")
    environment = organizations.plain() | {
        "AWS_ENDPOINT_URL": world.server.endpoint, "AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_CONFIG_FILE": str(config), "HOME": str(folder),
        "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1", "COLUMNS": "200", "AWS_MAX_ATTEMPTS": "1"}
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=SECONDS_MAX, env=environment, cwd=folder)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


def answered(world, keys, first, end, group_by=None):
    """The server's own answer: what each service costs, or the whole."""
    client = world.server.client(keys, service="ce")
    given = {"GroupBy": group_by} if group_by else {}
    result, = client.get_cost_and_usage(TimePeriod={"Start": str(first), "End": str(end)}, Granularity="MONTHLY", Metrics=["UnblendedCost"], **given)["ResultsByTime"]
    if not group_by:
        return float(result["Total"]["UnblendedCost"]["Amount"])
    return {group["Keys"][0]: float(group["Metrics"]["UnblendedCost"]["Amount"]) for group in result["Groups"]}


@pytest.mark.parametrize("who", ["payer", "customer"])
def test_awscost_prints_what_the_server_answers(world, tmp_path, who):
    keys = world.server.root if who == "payer" else world.viewer
    said = run(world, [AWSCOST, "--start", world.before, "--end", world.this, "--tablefmt", "tsv"], keys, tmp_path)
    header, *rows = [line.split("\t") for line in said.splitlines()]
    assert header[0].strip() == "key" and [name.strip() for name in header[1:]] == [f"{world.before:%Y-%m}", f"{world.last:%Y-%m}"]
    printed = {row[0].strip(): [float(cell) for cell in row[1:]] for row in rows}
    of_months = [(world.before, world.last), (world.last, world.this)]
    by_service = [answered(world, keys, *of, SERVICE) for of in of_months]
    expected = {service: [round(of.get(service, 0), 2) for of in by_service] for service in set().union(*by_service)}
    expected["Total"] = [round(answered(world, keys, *of), 2) for of in of_months]
    assert printed == expected and len(printed) == (6 if who == "payer" else 4)
    # Other dimensions, a filter and days.
    first_week = world.last + datetime.timedelta(days=7)
    said = run(world, [AWSCOST, "-g", "DAILY", "--start", world.last, "--end", first_week, "-d", "LINKED_ACCOUNT", "--tablefmt", "tsv", "--no-total",
                       "--filter", '{"Dimensions": {"Key": "SERVICE", "Values": ["AmazonS3"]}}'], keys, tmp_path)
    assert len(said.splitlines()) == 3 and len(said.splitlines()[0].split("\t")) == 8


@pytest.mark.parametrize("who", ["payer", "customer"])
def test_aws_finops_dashboard_reports_what_the_server_answers(world, tmp_path, who):
    """It asks sts, ce and budgets; EC2, which is not here, it passes by."""
    keys = world.server.root if who == "payer" else world.viewer
    client = world.server.client(world.server.root, service="budgets")
    if who == "payer":
        client.create_budget(AccountId=PAYER, Budget={"BudgetName": "tools", "BudgetType": "COST", "TimeUnit": "MONTHLY",
                                                      "BudgetLimit": {"Amount": "5000", "Unit": "USD"}})
    run(world, [FINOPS, "--time-range", "last-month", "--regions", REGION, "--report-name", "costs", "--report-type", "json", "--dir", tmp_path], keys, tmp_path)
    report, = [json.loads(path.read_text()) for path in tmp_path.glob("costs*.json")]
    of, = report if isinstance(report, list) else report["profiles"]
    assert of["account_id"] == PAYER and of["success"]
    assert of["current_month"] == answered(world, keys, world.last, world.this)
    assert of["last_month"] == answered(world, keys, world.before, world.last)
    by_service = answered(world, keys, world.last, world.this, SERVICE)
    assert {service: cost for service, cost in of["service_costs"]} == {service: cost for service, cost in by_service.items() if cost > 0.001}
    assert any("tools limit: $5000" in line for line in of["budget_info"]) == (who == "payer")
    said = run(world, [FINOPS, "--trend"], keys, tmp_path)
    for first, end in ((world.before, world.last), (world.last, world.this)):
        assert re.search(rf"{first:%b %Y}\W+\$?{answered(world, keys, first, end):,.2f}", said), said
