"""Saved reports, on either store: what they say in every format, when they go out and to whom, what is refused, and who sees what."""
import base64
import csv
import io
import json
import time
import zipfile
from types import SimpleNamespace

import pypdf
import pytest

from desk import NUMBERS, Desk, name
from policy_months import PolicyMonth
from server import PAYER
from smtp import MailServer
from test_outbox import options

NOW = "2026-11-02T12:00:00Z"
# What AWS charges for every line of the other customer, and what it is charged: nobody else may ever find a digit of these.
CANARY, PRICE = "31415926.5358979323", "271.82818"
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def mail():
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def world(new_server, mail, tmp_path_factory):
    server = new_server(transfers=False, now=NOW, options=options(mail))
    server.apply({"payer_account_id": PAYER, "currency": "USD", "reports": {"tags": ["user_team"]}}, "--period", "2026-10")
    desk = Desk(server.client())
    desk.client.meta.events.register("before-sign.billingconductor", lambda request, **_: request.headers.__setitem__("X-Proforma-Billing-Period", "2026-10"))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    ours, theirs = desk.group(2, plan=plan), desk.group(1, plan=plan)
    month = PolicyMonth()
    for day in range(10):
        month.line(ours.accounts[0], cost="0.75", public="1.5", service="AmazonS3", hour=24 * day, usage_type="TimedStorage-ByteHrs", tags={"user_team": FORMULA})
        month.line(ours.accounts[1], cost="0.25", public="0.5", service="AWSLambda", hour=24 * day, usage_type="Lambda-Requests")
        month.line(theirs.accounts[0], cost=CANARY, public=PRICE, hour=24 * day)
    server.load(month.write(tmp_path_factory.mktemp("saved-reports") / "cost"), "2026-10")
    viewer = server.keys(f"viewer-{next(NUMBERS)}", "group-viewer", [ours.arn])
    other = server.keys(f"other-{next(NUMBERS)}", "group-viewer", [theirs.arn])
    analyst = server.keys(f"analyst-{next(NUMBERS)}", "analyst")
    return SimpleNamespace(server=server, ours=ours, theirs=theirs, mail=mail, viewer=viewer, other=other, analyst=analyst)


def view(group):
    return f"arn:aws:billing::{PAYER}:billingview/" + ("primary" if group is None else f"billing-group-{group.primary}")


def put(world, keys=None, **more):
    given = {"Name": name("report"), "TimeRange": "LAST_MONTH", "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
             "Filter": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": world.ours.accounts}}} | more
    answer = world.server.own("PutSavedReport", {key: value for key, value in given.items() if value is not None}, keys)
    assert answer.status == 200, answer.body
    return given["Name"]


def made(world, of, format="JSON", keys=None, **more):
    answer = world.server.own("RunSavedReport", {"Name": of, "Format": format} | more, keys)
    assert answer.status == 200, answer.body
    return answer.json["FileName"], base64.b64decode(answer.json["Document"])


def report(world, of, keys=None, **more):
    return json.loads(made(world, of, keys=keys, **more)[1])


def refused(world, operation, keys=None, **given):
    answer = world.server.own(operation, given, keys)
    assert answer.status == 400, answer.body
    return answer.json["message"]


def amounts(told):
    return {line["SERVICE"]: line["UnblendedCost"] for line in told["Lines"]}


# ---- What a report says

def test_a_report_has_its_lines_and_their_sums(world):
    told = report(world, put(world))
    assert told["Columns"] == ["Start", "End", "SERVICE", "UnblendedCost", "UnblendedCost unit", "Estimated"]
    assert amounts(told) == {"AmazonS3": "7.5", "AWSLambda": "2.5"}
    assert [(total["UnblendedCost"], total["UnblendedCost unit"]) for total in told["Totals"]] == [("10", "USD")]
    assert told["Lines"][0]["Start"] == "2026-10-01" and told["Lines"][0]["End"] == "2026-11-01" and told["Lines"][0]["Estimated"] == "yes"


def test_a_range_is_as_of_a_day(world):
    of = put(world, TimeRange="LAST_3_DAYS", Granularity="DAILY", GroupBy=[])
    told = report(world, of, AsOf="2026-10-05")
    assert [(line["Start"], line["UnblendedCost"]) for line in told["Lines"]] == [("2026-10-02", "1"), ("2026-10-03", "1"), ("2026-10-04", "1")]
    assert "no cost data" in refused(world, "RunSavedReport", Name=put(world, TimeRange="2025-01-01/2025-02-01"))


def test_columns_and_metrics_are_picked(world):
    of = put(world, Columns=["UsageQuantity", "SERVICE"], Metrics=["UnblendedCost", "UsageQuantity"])
    told = report(world, of)
    assert told["Columns"] == ["UsageQuantity", "SERVICE"] and all(set(line) == {"UsageQuantity", "SERVICE"} for line in told["Lines"])
    assert "it has Start, End, SERVICE, UnblendedCost" in refused(world, "PutSavedReport", Name="x", TimeRange="LAST_MONTH", Columns=["Cost"],
                                                                  GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}])


def test_every_format_says_the_same_and_steers_nothing(world):
    of = put(world, GroupBy=[{"Type": "TAG", "Key": "team"}], Chart="BAR", Description="=1+1")
    file, text = made(world, of, "CSV")
    rows = list(csv.reader(io.StringIO(text.decode())))
    assert rows[0][2] == "team" and rows[-1][0] == "Total" and rows[-1][3] == "10" and file.endswith("-2026-10-01-to-2026-10-31.csv")
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
    sheet = zipfile.ZipFile(io.BytesIO(made(world, of, "XLSX")[1])).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<v>10</v>" in sheet
    page = pypdf.PdfReader(io.BytesIO(made(world, of, "PDF")[1]))
    text = "".join(part.extract_text() for part in page.pages)
    assert of in text and "7.5 USD" in text and "Total" in text and "2026-10-01 to 2026-10-31" in text
    assert made(world, of, "PDF")[1] == made(world, of, "PDF")[1]


def test_a_report_is_kept_as_it_was_given(world):
    of = put(world, Metrics=["UnblendedCost"], Chart="BAR", Schedule="MONDAY", Emails=["ann@example.com"], Formats=["XLSX", "CSV"])
    told = world.server.own("GetSavedReport", {"Name": of}).json["SavedReport"]
    assert told["Filter"] == {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": world.ours.accounts}}
    assert (told["Schedule"], told["Emails"], sorted(told["Formats"]), told["Chart"]) == ("MONDAY", ["ann@example.com"], ["CSV", "XLSX"], "BAR")
    put(world, Name=of, TimeRange="YEAR_TO_DATE")
    told = world.server.own("GetSavedReport", {"Name": of}).json["SavedReport"]
    assert told["TimeRange"] == "YEAR_TO_DATE" and told["Emails"] == [] and "Schedule" not in told
    assert world.server.own("DeleteSavedReport", {"Name": of}).status == 200
    assert f"no saved report `{of}`" in refused(world, "GetSavedReport", Name=of)


@pytest.mark.parametrize("given, says", [
    ({"TimeRange": "LAST_YEAR"}, "`LAST_YEAR` is no time of a report"), ({"Schedule": "DAY_32"}, "`DAY_32` is none"), ({"Schedule": "MONDAY"}, "would go out to nobody"),
    ({"Emails": ["a@example.com"]}, "would never go out"), ({"Emails": ["nobody"], "Schedule": "DAY_1"}, "no address of mail"),
    ({"Metrics": ["Cost"]}, "`Cost` is not one"), ({"GroupBy": [{"Type": "DIMENSION", "Key": "RESOURCE_ID"}]}, "`RESOURCE_ID` is told by lines alone"),
    ({"GroupBy": [{"Type": "DIMENSION", "Key": "USAGE_TYPE_GROUP"}]}, "cannot tell the dimension"),
    ({"GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "TAG", "Key": "SERVICE"}]}, "two columns of the report would be called `SERVICE`"),
    ({"GroupBy": [{"Type": "TAG", "Key": "Start"}]}, "two columns of the report would be called `Start`"),
    ({"Filter": {}}, "an expression is empty"), ({"Name": " x"}, "no name of a report"),
    ({"BillingViewArn": f"arn:aws:billing::{PAYER}:billingview/billing-group-123456789012"}, "is no billing view that costs are told of")])
def test_what_cannot_be_saved_is_refused(world, given, says):
    assert says in refused(world, "PutSavedReport", **({"Name": "x", "TimeRange": "LAST_MONTH"} | given))
    assert "no saved report `x`" in refused(world, "GetSavedReport", Name="x")


# ---- Who gets it

def mails(world, address, count, seconds=30):
    end = time.monotonic() + seconds
    while True:
        came = [mail for mail in world.mail.mails if address in mail.recipients]
        if len(came) >= count or time.monotonic() > end:
            assert len(came) == count, [mail.message["Subject"] for mail in came]
            return came
        time.sleep(0.1)


def test_a_scheduled_report_is_mailed_once(world):
    ann, eve = f"ann-{next(NUMBERS)}@example.com", f"eve-{next(NUMBERS)}@example.com"
    ours = put(world, Schedule="DAY_2", Emails=[ann], Formats=["CSV", "PDF"], Chart="BAR")
    theirs = put(world, world.viewer, Schedule="MONDAY", Emails=[eve], Formats=["JSON"], Filter=None)
    later = put(world, Schedule="DAY_3", Emails=[ann])
    # The second of November is a Monday; a server looks when it starts, and finds what was sent before.
    for _ in range(2):
        world.server.restart()
        came, = mails(world, ann, 1)
        assert came.message["Subject"] == f"Report {ours}" and {file.rsplit(".", 1)[1] for file in came.files} == {"csv", "pdf"}
        of_viewer, = mails(world, eve, 1)
        told = json.loads(next(iter(of_viewer.files.values())))
        assert told["Name"] == theirs and told["Totals"][0]["UnblendedCost"] == "22" and CANARY[:8] not in json.dumps(told)
    world.server.now = "2026-11-03T00:00:00Z"
    world.server.restart()
    assert [came.message["Subject"] for came in mails(world, ann, 2)] == [f"Report {ours}", f"Report {later}"]
    world.server.now = NOW
    world.server.restart()


def test_a_format_that_cannot_be_made_is_told_of_and_the_others_come(world):
    """No font has every letter: the pages are given up, and whoever waits is told once."""
    ann = f"ann-{next(NUMBERS)}@example.com"
    put(world, Name=f"costs of \U00013000 {next(NUMBERS)}", Schedule="DAY_2", Emails=[ann], Formats=["CSV", "PDF"])
    for _ in range(2):
        world.server.restart()
        came, = mails(world, ann, 1)
        assert [file.rsplit(".", 1)[1] for file in came.files] == ["csv"]
        assert "As PDF it could not be made" in came.text


def test_every_digit_is_in_every_format(new_server, tmp_path):
    """Amounts of more digits than a double has: CSV, spreadsheet, pages and JSON say them alike."""
    digits, month = "987654321098.0123456789", PolicyMonth()
    month.line("321321321321", cost=digits, public=digits)
    world = SimpleNamespace(server=new_server(transfers=False, now=NOW), ours=SimpleNamespace(accounts=["321321321321"]))
    world.server.load(month.write(tmp_path / "cost"), "2026-10")
    of = put(world)
    told = report(world, of)
    assert [line["UnblendedCost"] for line in told["Lines"]] == [digits]
    assert digits in made(world, of, "CSV")[1].decode()
    sheet = zipfile.ZipFile(io.BytesIO(made(world, of, "XLSX")[1])).read("xl/worksheets/sheet1.xml").decode()
    page = "".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(made(world, of, "PDF")[1])).pages)
    assert digits in sheet and digits in page.replace("\n", "")


def test_a_downtime_is_caught_up_once_and_a_kill_sends_nothing_twice(world):
    ann = f"ann-{next(NUMBERS)}@example.com"
    of = put(world, TimeRange="LAST_3_DAYS", Schedule="DAY_3", Emails=[ann], Formats=["JSON"])
    # The server was away on the third of November, of December and of January: the last of them goes out, and that one once.
    world.server.now = "2027-01-05T12:00:00Z"
    for _ in range(3):
        world.server.kill()
        world.server.start()
        time.sleep(0.3)
    came, = mails(world, ann, 1)
    assert came.message["Subject"] == f"Report {of}" and "as of 2027-01-03" in came.text
    world.server.now = NOW
    world.server.restart()
    assert len(mails(world, ann, 1)) == 1


def test_a_report_goes_out_after_a_close(new_server, mail, tmp_path):
    server = new_server(transfers=False, now=NOW, options=options(mail))
    month, bob = PolicyMonth(), f"bob-{next(NUMBERS)}@example.com"
    month.line("123123123123", cost="7")
    server.load(month.write(tmp_path / "cost"), "2026-10")
    of = name("report")
    assert server.own("PutSavedReport", {"Name": of, "TimeRange": "LAST_MONTH", "Schedule": "AFTER_CLOSE", "Emails": [bob], "Formats": ["JSON"]}).status == 200
    server.restart()
    assert not [came for came in mail.mails if bob in came.recipients]
    server.command("close", "2026-10")
    server.restart()
    came, = mails(SimpleNamespace(mail=mail), bob, 1)
    told = json.loads(next(iter(came.files.values())))
    assert told["Lines"][0]["UnblendedCost"] == "7" and told["Lines"][0]["Estimated"] == "no"


# ---- Who sees what

def test_nobody_finds_what_others_keep(world):
    secret, mine = put(world), put(world, world.viewer, Filter=None)
    put(world, world.other, Name=mine, Filter=None, TimeRange="YEAR_TO_DATE")
    for operation in ("GetSavedReport", "RunSavedReport", "DeleteSavedReport"):
        for keys in (world.viewer, world.other):
            told = {refused(world, operation, keys, Name=of).replace(of, "X") for of in (secret, f"unknown-{next(NUMBERS)}")}
            assert len(told) == 1
    assert amounts(report(world, mine, world.viewer)) and CANARY[:8] not in json.dumps(report(world, mine, world.viewer))
    assert report(world, mine, world.viewer)["Totals"][0]["UnblendedCost"] == "22"
    names = [row["Name"] for row in world.server.own("ListSavedReports", {}, world.viewer).json["SavedReports"]]
    assert mine in names and secret not in names
    assert f"no saved report `{mine}`" in refused(world, "GetSavedReport", Name=mine)
    answers = [world.server.own("PutSavedReport", {"Name": "y", "TimeRange": "LAST_MONTH", "BillingViewArn": of}, world.viewer) for of in (view(None), view(world.theirs))]
    assert {answer.error for answer in answers} == {"AccessDeniedException"} and len({answer.json["message"] for answer in answers}) == 1
    assert world.server.own("PutSavedReport", {"Name": "y", "TimeRange": "LAST_MONTH"}, world.analyst).error == "AccessDeniedException"
    assert secret in json.dumps(world.server.own("ListSavedReports", {}, world.analyst).json)


def test_the_command_line_saves_and_makes_reports(world, tmp_path):
    of, out = name("report"), tmp_path / "report.xlsx"
    filter_ = tmp_path / "filter.json"
    filter_.write_text(json.dumps({"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": world.ours.accounts}}))
    shown = world.server.command("saved-report", "put", of, "--time-range", "LAST_MONTH", "--group-by", "SERVICE", "--filter", filter_, "--schedule", "day-5",
                                 "--email", "ann@example.com", "--output", "json")
    assert json.loads(shown)["SavedReport"]["Schedule"] == "DAY_5"
    assert of in world.server.command("saved-report", "list")
    assert "Total,,,10,USD," in world.server.command("saved-report", "run", of)
    world.server.command("saved-report", "run", of, "--format", "xlsx", "--out", out)
    assert zipfile.is_zipfile(out)
    world.server.command("saved-report", "delete", of)
    assert of not in world.server.command("saved-report", "list")
