"""A primary account that joins or leaves within a month: its group has the usage of the days between, whoever of it was there all month.

AWS's own case by hand at a billing desk; at random, against the same month in which the usage of the other days is somebody else's.
"""
import json
import os
import subprocess

import pytest

from desk import Desk
from family_months import PERIOD, PAYER, Month
from organizations import account, row
from policy_months import PolicyMonth
from program import PROGRAM, priced, run
from random_families import RandomMonth
from server import CURRENT, PREVIOUS
from test_following import costs, in_month
from test_organizations import BASE, applied

DAYS = {"usage_from": "2026-10-02", "usage_through": "2026-10-02"}
NOBODY = "999999999999"


def book(members, **more):
    """A book of one group at public prices, and of the others in another."""
    group = lambda name, accounts, **more: {"name": name, "primary_account_id": accounts[0], "accounts": accounts, "pricing_plan": "BasicPricingPlan", **more}
    return {"payer_account_id": PAYER, "pricing_rules": [], "pricing_plans": [], "billing_groups": [group("one", members[:3], **more), group("other", members[3:])]}


def result(folder, cost, of):
    folder.mkdir(exist_ok=True)
    (folder / "book.json").write_text(json.dumps(of))
    return priced(cost, folder / "book.json", PERIOD, folder / "out")


# ---- At a billing desk

@pytest.fixture
def desk(new_server, tmp_path):
    """October of three accounts of a group and one of another: each a dollar a day, its primary account ten."""
    server = new_server(transfers=False, now="2026-10-30T12:00:00Z")
    rows = [*BASE, row(8, "Root"), row(9, "Root")]
    applied(server, rows)
    desk = Desk(server.client())
    desk.harbor, desk.quill = desk.group([account(8), account(1), account(2)], Name="Harbor"), desk.group([account(9), account(3)], Name="Quill")
    month = PolicyMonth()
    for number, cost in ((1, "1"), (2, "1"), (3, "1"), (8, "10"), (9, "10")):
        for day in range(31):
            month.line(account(number), cost=cost, hour=24 * day + day % 24)
    server.load(month.write(tmp_path / "cost"))
    desk.server, desk.rows = server, rows
    return desk


def test_the_group_has_the_days_of_its_primary_account(desk):
    server, harbor, quill = desk.server, desk.harbor, desk.quill
    assert costs(server) == {harbor.arn: str(31 * 12), quill.arn: str(31 * 11)}
    # The primary account has joined on the 15th: every account of its group begins then, and the month is priced again by itself.
    joined = [*BASE, row(8, "Root", joined="2026-10-15T23:59:59Z"), row(9, "Root")]
    applied(server, joined)
    server.settle()
    assert costs(server) == {harbor.arn: str(17 * 12), quill.arn: str(31 * 11)}
    # It leaves on the 28th; the same day of another account, which is no primary one, changes nothing.
    left = [*(one for one in BASE if one["account_id"] != account(2)), row(2, "Root/Customers/Harbor", left="2026-10-20"), row(8, "Root", joined="2026-10-15T23:59:59Z", left="2026-10-28"), row(9, "Root")]
    applied(server, left)
    server.settle()
    assert costs(server) == {harbor.arn: str(14 * 12), quill.arn: str(31 * 11)}
    # Back on the 30th: it has joined then, by what AWS tells.
    applied(server, [row(8, "Root", joined="2026-10-30T08:00:00Z") if of["account_id"] == account(8) else of for of in left])
    server.settle()
    assert costs(server) == {harbor.arn: str(2 * 12), quill.arn: str(31 * 11)}
    applied(server, left)
    server.settle()
    # By day, through Cost Explorer, and with what the operator pays beside.
    view = f"arn:aws:billing::{PAYER}:billingview/billing-group-{account(8)}"
    asked = {"TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"}, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}
    days = {of["TimePeriod"]["Start"]: of["Total"]["UnblendedCost"]["Amount"] for of in server.client(service="ce").get_cost_and_usage(**asked, BillingViewArn=view)["ResultsByTime"]}
    assert days == {f"2026-10-{day:02}": "12" if 15 <= day <= 28 else "0" for day in range(1, 32)}
    report = {of["Arn"]: of for of in server.client().list_billing_group_cost_reports(BillingPeriod=PREVIOUS)["BillingGroupCostReports"]}
    assert report[harbor.arn]["AWSCost"] == str(14 * 12) and report[harbor.arn]["Margin"] == "0"
    # The book says so, applies as it is, and nobody says otherwise by it.
    told = server.command("book", "export", "--period", PREVIOUS)
    assert 'usage_from = "2026-10-15"' in told and 'usage_through = "2026-10-28"' in told
    path = server.data.parent / "book.toml"
    path.write_text(told)
    server.command("book", "apply", path, "--period", PREVIOUS)
    path.write_text(told.replace("2026-10-28", "2026-10-27"))
    ended = subprocess.run([PROGRAM, "book", "apply", path, "--period", PREVIOUS, "--endpoint", server.endpoint], env=os.environ | server.root.environment, capture_output=True, text=True, timeout=60)
    refused = ended.stderr
    assert ended.returncode == 2 and "`usage_through`" in refused and f"primary account `{account(8)}`" in refused and "proforma sync organization" in refused
    # What is charged for November has nothing of this.
    in_month(server, "2026-11-03T12:00:00Z")
    assert "usage_" not in server.command("book", "export", "--period", CURRENT)


# ---- A book of one's own

@pytest.mark.parametrize("seed", range(4))
def test_other_days_are_as_if_somebody_else_had_them(tmp_path, seed):
    """Commitments, tiers and all: what the group is charged is what it would be, had another account used what is of other days."""
    month = RandomMonth(seed)
    windowed = result(tmp_path / "windowed", month.write(tmp_path / "cost"), book(month.members, **DAYS))
    moved = Month()
    moved.rows = [row | {"line_item_usage_account_id": NOBODY} if row["line_item_usage_account_id"] in month.members[:3] and row["line_item_usage_start_date"][:10] != "2026-10-02"
                  else row for row in month.rows]
    beside = result(tmp_path / "beside", moved.write(tmp_path / "moved"), book(month.members))
    whole = result(tmp_path / "whole", tmp_path / "cost", book(month.members))
    amounts = lambda of, name: of.statement(name)["statements"]
    assert amounts(windowed, "one") == amounts(beside, "one") != amounts(whole, "one")
    # Nobody else is charged anything else, line by line.
    assert amounts(windowed, "other") == amounts(beside, "other") == amounts(whole, "other")


def test_days_of_other_months_are_passed_over(tmp_path):
    month = PolicyMonth()
    for hour in (0, 24, 700):
        month.line("111111111111", cost="1", hour=hour)
    cost = month.write(tmp_path / "cost")
    members = ["111111111111", "222222222222", "333333333333", "444444444444"]
    of = lambda name, **days: result(tmp_path / name, cost, book(members, **days)).statement("one")["statements"]
    assert of("all") == of("before", usage_from="2026-09-20") == of("after", usage_through="2026-11-03") == of("edges", usage_from="2026-10-01", usage_through="2026-10-31")
    assert [of(name, **days)[0]["total"] for name, days in (("later", {"usage_from": "2026-11-01"}), ("earlier", {"usage_through": "2026-09-30"}))] == ["0", "0"]


@pytest.mark.parametrize("days, said", [
    ({"usage_from": "2026-10-32"}, "`2026-10-32` is not a date; write it as YYYY-MM-DD"),
    ({"usage_from": "2026-10-20", "usage_through": "2026-10-19"}, "is before `usage_from`"),
])
def test_days_that_are_none_are_refused(tmp_path, days, said):
    (tmp_path / "book.json").write_text(json.dumps(book(["111111111111", "222222222222", "333333333333", "444444444444"], **days)))
    month = PolicyMonth()
    month.line("111111111111")
    ended = run(month.write(tmp_path / "cost"), tmp_path / "book.json", PERIOD, tmp_path / "out")
    assert ended.exit_code == 2 and said in ended.stderr and "billing_groups" in ended.stderr and not ended.out.exists()
