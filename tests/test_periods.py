"""Billing periods that are open, closed, or never priced: what is priced again after a change, what a run is compared by, and how a run ends."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib

import pytest

from desk import Desk, accounts, only
from policy_months import PolicyMonth
from program import PROGRAM, ROOT
from server import CURRENT, NEXT, PREVIOUS, QUIET, in_period
from test_operations import until

sys.path.insert(0, str(ROOT / "bench"))
import offer_files

EARLIER = "2026-09"
SKU = "TIERS00000000001"


def charged(server, period=PREVIOUS):
    rows = server.client().list_billing_group_cost_reports(BillingPeriod=period)["BillingGroupCostReports"]
    return sorted(row["ProformaCost"] for row in rows)


def runs(server, period=None):
    listed = json.loads(server.command("runs", "list", "--output", "json"))["Runs"]
    return [run for run in listed if period in (None, run["BillingPeriod"])]


def current(server, period=PREVIOUS):
    return only([run for run in runs(server, period) if run["IsCurrent"]])


def ask(server, *arguments):
    """How a command ends that asks the running server."""
    return subprocess.run([PROGRAM, *arguments, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=120,
                          env=os.environ | QUIET | server.root.environment)


def again(server, *options):
    """The same server with other options."""
    server.stop()
    server.options = list(options)
    server.start()


def written(month, folder, period=PREVIOUS):
    """The files of a month, in another period."""
    month.write(folder)
    year, month_number = int(period[:4]), int(period[5:])
    first, after = f"{period}-", f"{year + month_number // 12}-{month_number % 12 + 1:02}-01"
    for file in folder.iterdir():
        file.write_text(file.read_text().replace("2026-11-01", after).replace("2026-10-", first))
    return folder


@pytest.fixture
def desk(new_server, tmp_path):
    """A server without anything closed, whose last month has a group at 10 % more: its accounts, and the rule."""
    server = new_server(transfers=False)
    past = Desk(in_period(server.client(), PREVIOUS))
    rule = past.rule(ModifierPercentage=10)
    group = past.group(2, plan=past.plan(rule))
    month = PolicyMonth()
    month.line(group.accounts[0], cost="100", tags={"user_team": "payments"})
    month.line(group.accounts[1], cost="1000")
    server.load(month.write(tmp_path / "cost"))
    assert charged(server) == ["1210"]
    return server, past, group, rule


# ---- What is priced again

def test_an_account_that_has_left_is_in_no_open_month(desk):
    """Who leaves has a date, who is there by another name has none: neither hides the other."""
    server, _, group, _ = desk
    staying, leaving = group.accounts
    declared = {"Accounts": [{"AccountId": staying, "Name": "Larkfield"}, {"AccountId": leaving, "Left": PREVIOUS}], "Complete": False}
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "Proforma.DeclareAccounts", "X-Proforma-Billing-Period": PREVIOUS}
    assert server.ask("POST", "/", json.dumps(declared).encode(), headers=headers, service="proforma").status == 200
    server.settle()
    assert charged(server) == ["110"]


def test_what_has_no_dates_hides_nothing_that_has(desk, tmp_path):
    """A book that changes a rule from the last month on, and the name of an account, which holds in every month."""
    server, _, group, _ = desk
    book = server.command("book", "export", "--period", PREVIOUS)
    book = book.replace('modifier_percentage = "10"', 'modifier_percentage = "20"')
    (tmp_path / "book.toml").write_text(f'{book}\n[[accounts]]\nid = "{group.primary}"\nname = "Larkfield"\n')
    server.command("book", "apply", tmp_path / "book.toml", "--period", PREVIOUS)
    server.settle()
    assert charged(server) == ["1320"]


def test_a_name_is_in_every_open_month(desk):
    server, _, group, _ = desk
    before = current(server)["RunId"]
    server.own("DeclareAccounts", {"Accounts": [{"AccountId": group.primary, "Name": "Larkfield"}], "Complete": False})
    server.settle()
    assert current(server)["RunId"] != before and charged(server) == ["1210"]


def test_who_prices_a_month_for_the_first_time_does_not_miss_a_change(new_server, tmp_path):
    """The configuration is read when a run begins: a change after that has it priced once more, though the period shows no run yet."""
    server = new_server(transfers=False)
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = past.rule(ModifierPercentage=10)
    group = past.group(plan=past.plan(rule))
    for hour in range(3_000):
        month.line(group.primary, cost="0.1", hour=hour % 700)
    cost = month.write(tmp_path / "cost")
    server.command("import", "--cost", cost, "--period", PREVIOUS, "--no-wait")
    until(lambda: [run for run in runs(server) if run["Status"] == "RUNNING"])
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    server.settle()
    assert charged(server) == ["360"]


# ---- Files that could not be read

def delivered(group, cost, folder, period=PREVIOUS):
    """Files of a month that cannot be read, and what mends them."""
    month = PolicyMonth()
    month.line(group.primary, cost=cost)
    written(month, folder, period)
    whole = {file: file.read_text() for file in folder.iterdir()}
    for file, text in whole.items():
        file.write_text(text.replace(f"{period}-0", f"{period[:-1]}x-0"))
    return lambda: [file.write_text(text) for file, text in whole.items()]


def failing(server, folder, period=PREVIOUS):
    """Imports files that cannot be read; the run that says so."""
    assert ask(server, "import", "--cost", folder, "--period", period).returncode != 0
    failed = runs(server, period)[0]
    assert failed["Status"] == "FAILED"
    return failed


def test_files_that_could_not_be_read_are_not_forgotten_by_a_change(desk, tmp_path):
    """A change prices the month out of what the last run has kept: that would be the files before those that were imported last."""
    server, past, group, rule = desk
    mended = delivered(group, "300", tmp_path / "more")
    failing(server, tmp_path / "more")
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    assert ask(server, "runs", "wait").returncode != 0 and charged(server) == ["1210"]
    mended()
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=30)
    server.settle()
    assert charged(server) == ["390"] and [run["Status"] for run in runs(server)] == ["DONE", "FAILED", "FAILED", "DONE"]
    # A place that is forgotten is not tried again.
    delivered(group, "50", tmp_path / "wrong")
    failing(server, tmp_path / "wrong")
    wrong, = [source for source in server.own("ListSources").json["Sources"] if source["CostFiles"] == [str(tmp_path / "wrong")]]
    server.own("RemoveSource", {"SourceId": wrong["SourceId"]})
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=100)
    server.settle()
    assert charged(server) == ["600"]


def test_a_month_whose_first_files_could_not_be_read_is_tried_again_after_a_change(desk, tmp_path):
    server, _, group, _ = desk
    mended = delivered(group, "70", tmp_path / "first", EARLIER)
    failing(server, tmp_path / "first", EARLIER)
    mended()
    server.own("DeclareAccounts", {"Accounts": [{"AccountId": group.primary, "Name": "Larkfield"}], "Complete": False})
    server.settle()
    assert [run["Status"] for run in runs(server, EARLIER)] == ["DONE", "FAILED"]


# ---- What a run is compared by

def offer(folder):
    """A price list that has one SKU: the first ten at 1, the others at half of that."""
    ranges = [(f"{SKU}.{offer_files.ON_DEMAND}.{code}", begin, end, rate) for code, begin, end, rate in (
        (offer_files.TIER_CODES[0], "0", "10", "1.0000000000"), (offer_files.TIER_CODES[1], "10", "Inf", "0.5000000000"))]
    product = {"sku": SKU, "usage_type": "BoxUsage", "operation": "RunInstances", "unit": "Hrs", "ranges": ranges}
    (folder / "AmazonEC2" / "1").mkdir(parents=True)
    text = offer_files.json_text("AmazonEC2", "20260928170405", "2026-09-28T17:04:05Z", [product])
    (folder / "AmazonEC2" / "1" / "index.json").write_text(text)
    return folder


def test_another_price_list_is_no_unchanged_month(new_server, tmp_path):
    server = new_server(transfers=False)
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = past.rule(ModifierPercentage=0)
    group = past.group(plan=past.plan(rule))
    month.line(group.primary, cost="20", usage="20", product_sku=SKU, pricing_public_on_demand_rate="1.0000000000",
               line_item_unblended_rate="1.0000000000", pricing_rate_code=f"{SKU}.{offer_files.ON_DEMAND}.{offer_files.TIER_CODES[0]}")
    cost = month.write(tmp_path / "cost")
    server.load(cost)
    assert charged(server) == ["20"]
    server.load(cost)
    assert [run["Status"] for run in runs(server)] == ["UNCHANGED", "DONE"]
    server.command("import", "--cost", cost, "--period", PREVIOUS, "--price-list", offer(tmp_path / "list"))
    assert charged(server) == ["15"]
    # What follows is priced by the list that is shown.
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=100)
    server.settle()
    assert charged(server) == ["30"]


def test_the_same_files_at_another_place_are_read_there(desk, tmp_path):
    """The month is of the place that was imported last, also when its files must be read once more."""
    server, *_ = desk
    shutil.copytree(tmp_path / "cost", tmp_path / "moved")
    server.load(tmp_path / "moved")
    source, = [source for source in server.own("ListSources").json["Sources"] if source["CostFiles"] == [str(tmp_path / "cost")]]
    assert server.own("RemoveSource", {"SourceId": source["SourceId"]}).status == 200
    shutil.rmtree(tmp_path / "cost")
    book = server.command("book", "export", "--period", PREVIOUS)
    # A group by tag tells lines apart that the last run has summed.
    other, = accounts(1)
    (tmp_path / "book.toml").write_text(f'''{book}
[[billing_groups]]
name = "by-tag"
primary_account_id = "{other}"
accounts = ["{other}"]
pricing_plan = "BasicPricingPlan"
lines = [{{ tags = {{ user_team = ["payments"] }} }}]
''')
    server.command("book", "apply", tmp_path / "book.toml", "--period", PREVIOUS)
    server.settle()
    assert charged(server) == ["100", "1100"]


def test_what_is_as_it_was_sealed_takes_the_adjustment_back(desk, tmp_path):
    """AWS adds to a closed month, and then takes it away again."""
    server, _, group, _ = desk
    server.command("close", PREVIOUS)
    more = PolicyMonth()
    for account, cost in zip(group.accounts * 2, ("100", "1000", "50", "50")):
        more.line(account, cost=cost)
    adjusted = lambda: [row["Amount"] for row in only(json.loads(server.command("periods", "--output", "json"))["Periods"])["Adjustments"]]
    server.load(more.write(tmp_path / "more"))
    assert adjusted() == ["110"]
    for _ in range(2):
        server.load(tmp_path / "cost")
        assert adjusted() == ["110", "-110"]
    assert charged(server) == ["1210"]


# ---- What is posted of a closed month

def month_of(account, *costs):
    """A month of one account that costs so much: plain numbers in USD, or a number and its currency."""
    month = PolicyMonth()
    for cost in costs:
        number, _, currency = cost.partition(" ")
        month.line(account, cost=number, currency=currency or "USD")
    return month


def by_currency(server, period):
    rows = server.client().list_billing_group_cost_reports(BillingPeriod=period)["BillingGroupCostReports"]
    return {row["Currency"]: row["ProformaCost"] for row in rows}


def items(server, period):
    """The flat custom line items that a period is priced with: name, amount, currency."""
    book, = server.data.glob(f"**/{current(server, period)['RunId']}-*/book.toml")
    listed = tomllib.loads(book.read_text()).get("custom_line_items", [])
    return sorted((item["name"], item["flat_charge_value"], item.get("currency")) for item in listed)


@pytest.fixture
def group_at_10(new_server):
    """A server whose last month has a group at 10 % more."""
    server = new_server(transfers=False)
    past = Desk(in_period(server.client(), PREVIOUS))
    return server, past.group(plan=past.plan(past.rule(ModifierPercentage=10)))


def test_an_adjustment_is_charged_in_its_own_currency(group_at_10, tmp_path):
    """20 EUR more at 10 % are 22 EUR of the next bill, and no dollar; once those are taken back, nothing is left of them."""
    server, group = group_at_10
    server.load(written(month_of(group.primary, "5"), tmp_path / "now", CURRENT), CURRENT)
    server.load(month_of(group.primary, "100", "10 EUR").write(tmp_path / "cost"))
    assert by_currency(server, PREVIOUS) == {"USD": "110", "EUR": "11"}
    server.command("close", PREVIOUS)
    server.load(month_of(group.primary, "100", "30 EUR").write(tmp_path / "late"))
    assert by_currency(server, PREVIOUS) == {"USD": "110", "EUR": "11"}
    assert by_currency(server, CURRENT) == {"USD": "5.5", "EUR": "22"}
    server.load(month_of(group.primary, "104", "10 EUR").write(tmp_path / "later"))
    assert by_currency(server, CURRENT) == {"USD": "9.9", "EUR": "0"}
    assert {item[1:] for item in items(server, CURRENT)} == {("22", "EUR"), ("4.4", "USD")}


def test_no_book_that_is_applied_has_items_of_another_currency(desk, tmp_path):
    server, _, group, _ = desk
    (tmp_path / "book.toml").write_text(f'''{server.command("book", "export", "--period", PREVIOUS)}
[[custom_line_items]]
name = "support"
description = "Support"
billing_group = "{group.name}"
type = "FEE"
flat_charge_value = "3"
currency = "EUR"
start = "{PREVIOUS}"
''')
    ended = ask(server, "book", "apply", tmp_path / "book.toml", "--period", PREVIOUS)
    assert ended.returncode != 0 and "`EUR` is not the book's currency, `USD`" in ended.stderr, ended.stderr


def test_an_adjustment_has_a_name_whatever_others_are_called(group_at_10, tmp_path):
    """What has its name already keeps it, before it is posted and after; each adjustment has the same name in each run."""
    server, group = group_at_10
    now = Desk(server.client())
    server.load(written(month_of(group.primary, "5"), tmp_path / "now", CURRENT), CURRENT)
    server.load(month_of(group.primary, "100").write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    own = f"Adjustment-{PREVIOUS}"
    now.flat(group, 1, Name=f"{own}-2")
    server.load(month_of(group.primary, "110").write(tmp_path / "first"))
    assert items(server, CURRENT) == [(f"{own}-1", "11", "USD"), (f"{own}-2", "1", None)]
    server.load(month_of(group.primary, "130").write(tmp_path / "second"))
    posted = [(f"{own}-1", "11", "USD"), (f"{own}-2", "1", None), (f"{own}-2-2", "22", "USD")]
    assert items(server, CURRENT) == posted
    # 5.5 of its own, 11 and 22 of the month before, and the item.
    assert by_currency(server, CURRENT) == {"USD": "39.5"}
    before = current(server, CURRENT)["RunId"]
    other = now.flat(group, 4, Name="zest")
    server.settle()
    assert items(server, CURRENT) == [*posted, ("zest", "4", None)] and current(server, CURRENT)["RunId"] != before
    now.client.update_custom_line_item(Arn=other, Name=f"{own}-1")
    server.settle()
    assert items(server, CURRENT) == sorted([(f"{own}-1", "4", None), (f"{own}-1-2", "11", "USD"), *posted[1:]])
    assert by_currency(server, CURRENT) == {"USD": "43.5"}


def test_no_month_is_closed_unpriced_in_which_adjustments_stand(group_at_10, tmp_path):
    """The late data of October are charged in November, of which nothing was imported yet; December goes on."""
    server, group = group_at_10
    server.load(month_of(group.primary, "100").write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    server.load(month_of(group.primary, "200").write(tmp_path / "late"))
    server.stop()
    server.now = "2027-01-10T12:00:00Z"
    server.start()
    server.load(written(month_of(group.primary, "70"), tmp_path / "next", NEXT), NEXT)
    ended = ask(server, "close", NEXT)
    assert ended.returncode != 0, ended.stdout
    assert f"billing period {CURRENT} was never priced" in ended.stderr and f"110 USD of billing group `{group.id}`" in ended.stderr, ended.stderr
    server.load(written(month_of(group.primary, "5"), tmp_path / "now", CURRENT), CURRENT)
    assert by_currency(server, CURRENT) == {"USD": "115.5"}
    server.command("close", NEXT)
    assert by_currency(server, CURRENT) == {"USD": "115.5"} and by_currency(server, NEXT) == {"USD": "77"}


def test_a_month_whose_adjustments_come_to_nothing_may_be_closed_unpriced(group_at_10, tmp_path):
    server, group = group_at_10
    cost = month_of(group.primary, "100").write(tmp_path / "cost")
    server.load(cost)
    server.command("close", PREVIOUS)
    server.load(month_of(group.primary, "200").write(tmp_path / "late"))
    server.load(cost)
    server.stop()
    server.now = "2027-01-10T12:00:00Z"
    server.start()
    server.load(written(month_of(group.primary, "70"), tmp_path / "next", NEXT), NEXT)
    server.command("close", NEXT)


# ---- Months that are closed over others

def test_no_month_is_closed_over_one_that_is_still_to_be_priced(desk, tmp_path):
    """Also where that one was never priced, and the month that is named waits for nothing."""
    server, _, group, _ = desk
    month = PolicyMonth()
    month.line(group.primary, cost="70")
    again(server, "--no-runs")
    server.command("import", "--cost", written(month, tmp_path / "earlier", EARLIER), "--period", EARLIER, "--no-wait")
    ended = ask(server, "close", PREVIOUS)
    assert ended.returncode != 0 and f"of {EARLIER} is still to be priced" in ended.stderr, ended.stderr
    again(server)
    server.settle()
    server.command("close", PREVIOUS)
    closed = json.loads(server.command("periods", "--output", "json"))["Periods"]
    assert {view["BillingPeriod"]: view.get("ClosedBy") for view in closed} == {PREVIOUS: "root", EARLIER: "root"}


def test_no_month_is_closed_over_a_change_whose_run_has_failed(desk, tmp_path):
    """What it shows is not what was asked for last: sealed, the change would never be charged."""
    server, past, group, rule = desk
    mended = delivered(group, "300", tmp_path / "more")
    failed = failing(server, tmp_path / "more")
    refused = ask(server, "close", PREVIOUS)
    assert refused.returncode == 2 and f"run `{failed['RunId']}` of {PREVIOUS} has failed: " in refused.stderr, refused.stderr
    assert failed["Error"][:60] in refused.stderr and "--despite-failed-runs" in refused.stderr
    # Any success after it is what was asked for last.
    mended()
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    server.settle()
    server.command("close", PREVIOUS)


def test_no_month_is_closed_over_one_whose_first_import_has_failed(desk, tmp_path):
    """It shows nothing, and would have been closed unpriced, which nothing mends; an operator who means it says so, and the audit has it."""
    server, _, group, _ = desk
    delivered(group, "70", tmp_path / "first", EARLIER)
    failed = failing(server, tmp_path / "first", EARLIER)
    refused = ask(server, "close", PREVIOUS)
    assert refused.returncode == 2 and f"run `{failed['RunId']}` of {EARLIER} has failed: " in refused.stderr, refused.stderr
    assert server.own("ClosePeriod", {"BillingPeriod": PREVIOUS, "DespiteFailedRuns": False}).status == 400
    # Another month's trouble keeps no import from ending well.
    assert ask(server, "import", "--cost", tmp_path / "cost", "--period", PREVIOUS).returncode == 0
    server.command("close", PREVIOUS, "--despite-failed-runs")
    assert [(view["BillingPeriod"], "ClosedBy" in view) for view in json.loads(server.command("periods", "--output", "json"))["Periods"]] == [(PREVIOUS, True)]
    events = server.own("ListAuditEvents", {"MaxResults": 100}).json["AuditEvents"]
    details = [json.loads(event["Detail"]) for event in events if (event["Action"], event["Decision"]) == ("proforma:ClosePeriod", "done")]
    assert details == [{"BillingPeriod": PREVIOUS, "DespiteFailedRuns": True}]


def test_a_month_that_was_closed_unpriced_stays_so(desk, tmp_path):
    """Nothing was charged that could be adjusted: whoever asks for it is told, and who asks for a place has its other months."""
    server, _, group, _ = desk
    server.command("close", PREVIOUS)
    month = PolicyMonth()
    month.line(group.primary, cost="70")
    place = tmp_path / "place"
    written(month, place / f"BILLING_PERIOD={EARLIER}", EARLIER)
    refused = ask(server, "import", "--cost", place, "--period", EARLIER)
    assert refused.returncode != 0 and f"billing period {EARLIER} was closed before it was ever priced" in refused.stderr
    assert f"proforma book export --period {EARLIER}" in refused.stderr
    assert ask(server, "import", "--cost", place).returncode != 0
    assert [source["CostFiles"] for source in server.own("ListSources").json["Sources"]] == [[str(tmp_path / "cost")]]
    month.write(place / f"BILLING_PERIOD={PREVIOUS}")
    imported = json.loads(server.command("import", "--cost", place, "--output", "json"))
    assert imported["BillingPeriods"] == [PREVIOUS]
    server.settle()
    assert runs(server, EARLIER) == [] and charged(server) == ["1210"]


# ---- How a run ends that cannot be ended

def said(server, cluster, sql):
    """A statement in the database of a server that is stopped, or shares it."""
    if server.database:
        cluster.say(server.database, sql)
        return
    with sqlite3.connect(server.data / "proforma.db") as database:
        database.execute(sql)
    database.close()


def test_a_run_that_cannot_be_ended_fails_in_the_end(new_server, cluster, tmp_path):
    """A row that is damaged is damaged at each try: the last one says so."""
    server = new_server(transfers=False)
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group = past.group(plan=past.plan(past.rule(ModifierPercentage=10)))
    month.line(group.primary, cost="100")
    server.load(month.write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    month.line(group.primary, cost="50")
    server.load(month.write(tmp_path / "late"))
    again(server, "--no-runs")
    server.command("import", "--cost", written(PolicyMonth(), tmp_path / "now", CURRENT), "--period", CURRENT, "--no-wait")
    server.stop()
    said(server, cluster, "UPDATE adjustments SET amount = 'none'")
    said(server, cluster, "UPDATE runs SET claim_token = 99 WHERE state = 'queued'")
    server.options = []
    server.start()
    failed, = until(lambda: [run for run in runs(server, CURRENT) if run["Status"] == "FAILED"])
    assert "its log says why" in failed["Error"]
    assert "`amount` is `none`" in server.log.read_text()


def test_who_has_gone_is_invoiced_what_was_adjusted_since(new_server, tmp_path):
    """October's late charges of a customer who left in November: no bill has them, closing says so, and an invoice can."""
    from test_issued_invoices import ACME, ALL, done, settle
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    stays, leaver = desk.group(plan=plan, Name="stays"), desk.group(plan=plan, Name="leaver")
    month = PolicyMonth()
    for group in (stays, leaver):
        month.line(group.primary, cost="100", service="AmazonEC2")
    server.load(month.write(tmp_path / "cost"))
    server.command("close", PREVIOUS)
    server.client().delete_billing_group(Arn=leaver.arn)
    late, november = PolicyMonth(), PolicyMonth()
    for group, cost in ((stays, "100"), (leaver, "130")):
        late.line(group.primary, cost=cost, service="AmazonEC2")
    server.load(late.write(tmp_path / "late"))
    november.line(stays.primary, cost="50", service="AmazonEC2")
    server.load(written(november, tmp_path / "november", CURRENT), CURRENT)
    posted = [of for period in json.loads(server.command("periods", "--output", "json"))["Periods"] for of in period["Adjustments"]]
    assert [(of["Amount"], of["PostedIn"]) for of in posted] == [("33", CURRENT)], posted
    server.stop()
    server.now = "2026-12-10T12:00:00Z"
    server.start()
    closed = done(server.own("ClosePeriod", {"BillingPeriod": CURRENT}))
    [warning] = closed["Warnings"]
    assert leaver.id in warning and "33 USD" in warning and f"proforma invoice draft --group {leaver.id} --period {CURRENT}" in warning
    settle(server, ALL)
    settle(server, ACME, leaver.arn)
    drafted = json.loads(server.command("invoice", "draft", "--group", leaver.id, "--period", CURRENT, "--output", "json"))["DraftIds"]
    number = done(server.own("IssueInvoice", {"DraftId": drafted[0]}))["InvoiceNumber"]
    assert json.loads(done(server.own("GetInvoice", {"InvoiceNumber": number}))["Document"])["totals"]["net"] == "33.00"
    # Who was in no bill and owes nothing has no invoice.
    assert server.own("DraftInvoice", {"BillingGroup": leaver.arn, "BillingPeriod": CURRENT}).status == 400
