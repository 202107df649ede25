"""AWS's cost and usage reports (`cur`) as boto3 meets them: what is defined, and the legacy files of a billing group that are delivered."""
import csv
import json
import time
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from desk import Desk, name
from policy_months import PolicyMonth
from program import priced
from server import PAYER, PREVIOUS, in_period
from test_data_exports import SECONDS_TO_DELIVER, charged, csv_rows, files, show, total, view_of

OPERATIONS = {"DeleteReportDefinition", "DescribeReportDefinitions", "ListTagsForResource", "ModifyReportDefinition", "PutReportDefinition", "TagResource",
              "UntagResource"}
READS = {"DescribeReportDefinitions", "ListTagsForResource"}
COST = "lineItem/UnblendedCost"
MONTH = "20261001-20261101"
STEMS = {"bill_": "bill/", "identity_": "identity/", "line_item_": "lineItem/", "pricing_": "pricing/", "product_": "product/", "reservation_": "reservation/",
         "savings_plan_": "savingsPlan/"}


def legacy(column):
    """The name of a column in a legacy report; none of what only CUR 2.0 has."""
    for stem, category in STEMS.items():
        if column.startswith(stem) and not column.endswith("_account_name"):
            return category + "".join(word.capitalize() for word in column.removeprefix(stem).split("_"))
    return None


def legacy_month(folder, month):
    """The files of a month under the names of legacy reports."""
    month.write(folder)
    for path in folder.iterdir():
        rows = list(csv.reader(path.open(newline="")))
        kept = [place for place, column in enumerate(rows[0]) if legacy(column)]
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([legacy(rows[0][place]) for place in kept])
            writer.writerows([[row[place] for place in kept] for row in rows[1:]])
    return folder


def definition(group, **more):
    return {"ReportName": name("report"), "TimeUnit": "HOURLY", "Format": "textORcsv", "Compression": "GZIP", "AdditionalSchemaElements": ["RESOURCES"],
            "S3Bucket": "reports", "S3Prefix": "cur", "S3Region": "us-east-1", "ReportVersioning": "OVERWRITE_REPORT", "BillingViewArn": view_of(group)} | more


@contextmanager
def refused(code, message=""):
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response
    assert answer["Error"]["Code"] == code and message in answer["Error"]["Message"], caught.value
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400


def ask(server, operation, given=None, keys=None):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AWSOrigamiServiceGatewayService.{operation}"}
    return server.ask("POST", "/", json.dumps(given or {}).encode(), keys, headers=headers, service="cur")


def described(client):
    pages = client.get_paginator("describe_report_definitions").paginate()
    return {report["ReportName"]: report for page in pages for report in page["ReportDefinitions"]}


def delivered(client, report):
    until = time.monotonic() + SECONDS_TO_DELIVER
    while described(client)[report].get("ReportStatus", {}).get("lastStatus") != "SUCCESS":
        assert time.monotonic() < until, described(client)[report]
        time.sleep(0.2)
    return described(client)[report]


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    bucket = tmp_path_factory.mktemp("bucket")
    server = new_server(options=["--export-buckets", f"reports={bucket}"])
    show(server, {"columns": ["bill_payer_account_id"]})
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=3.3))
    ours, theirs = desk.group(2, plan=plan, Name="acme"), desk.group(1, plan=plan, Name="globex")
    month = PolicyMonth()
    for number in range(8):
        for group in (ours, theirs):
            month.line(group.accounts[number % len(group.accounts)], cost="3141.5926", public=f"{number}.41", hour=number, resource=f"i-{group.name}-{number}")
    server.load(legacy_month(tmp_path_factory.mktemp("reports") / "cost", month))
    return SimpleNamespace(server=server, desk=desk, ours=ours, theirs=theirs, bucket=bucket, client=server.client(service="cur"))


def test_a_report_in_aws_s_layout(world, tmp_path):
    report = definition(world.ours)
    world.client.put_report_definition(ReportDefinition=report, Tags=[{"Key": "team", "Value": "a"}])
    said = delivered(world.client, report["ReportName"])
    assert {member: value for member, value in said.items() if member != "ReportStatus"} == report
    assert len(said["ReportStatus"]["lastDelivery"]) == 16
    root = world.bucket / "cur" / report["ReportName"]
    data, manifest = f"{MONTH}/{report['ReportName']}-00001.csv.gz", f"{MONTH}/{report['ReportName']}-Manifest.json"
    assert files(root) == sorted([data, manifest])
    listed = json.loads((root / manifest).read_text())
    assert listed["reportKeys"] == [f"cur/{report['ReportName']}/{data}"] and listed["bucket"] == "reports"
    assert (listed["billingPeriod"]["start"], listed["billingPeriod"]["end"]) == ("20261001T000000.000Z", "20261101T000000.000Z")
    content = (root / data).read_bytes()
    rows = csv_rows(content)
    assert [f"{column['category']}/{column['name']}" for column in listed["columns"]] == list(rows[0])
    assert total(rows, COST) == charged(world.server, world.ours)
    assert {row["lineItem/UsageAccountId"] for row in rows} <= set(world.ours.accounts)
    assert any(row["lineItem/ResourceId"] == "i-acme-3" for row in rows) and not any("globex" in value for row in rows for value in row.values())
    book = tmp_path / "book.json"
    book.write_text(json.dumps({"payer_account_id": PAYER, "currency": "USD", "billing_groups": [
        {"name": "acme", "accounts": world.ours.accounts, "primary_account_id": world.ours.primary, "pricing_plan": "BasicPricingPlan"}]}))
    again = priced(root, book, PREVIOUS, tmp_path / "out")
    assert sum(Decimal(row["aws_cost"]) for row in again.cost_report) == total(rows, COST)
    assert world.client.list_tags_for_resource(ReportName=report["ReportName"])["Tags"] == [{"Key": "team", "Value": "a"}]


def test_versions_are_kept_with_the_newest_named(world):
    report = definition(world.theirs, ReportVersioning="CREATE_NEW_REPORT", AdditionalSchemaElements=[])
    world.client.put_report_definition(ReportDefinition=report)
    delivered(world.client, report["ReportName"])
    root = world.bucket / "cur" / report["ReportName"] / MONTH
    newest = json.loads((root / f"{report['ReportName']}-Manifest.json").read_text())
    folder = root / newest["assemblyId"]
    assert json.loads((folder / f"{report['ReportName']}-Manifest.json").read_text()) == newest
    rows = csv_rows((folder / f"{report['ReportName']}-00001.csv.gz").read_bytes())
    assert total(rows, COST) == charged(world.server, world.theirs) and "lineItem/ResourceId" not in rows[0]


def test_a_report_in_parquet(world):
    report = definition(world.ours, Format="Parquet", Compression="Parquet")
    world.client.put_report_definition(ReportDefinition=report)
    delivered(world.client, report["ReportName"])
    file = world.bucket / "cur" / report["ReportName"] / report["ReportName"] / "year=2026" / "month=10" / f"{report['ReportName']}-00001.snappy.parquet"
    rows = pq.read_table(file).to_pylist()
    assert sum(Decimal(repr(row["line_item_unblended_cost"] or 0.0)) for row in rows) == charged(world.server, world.ours)


def test_a_definition_from_its_making_to_its_end(world):
    report = definition(world.ours)
    world.client.put_report_definition(ReportDefinition=report)
    with refused("DuplicateReportNameException", report["ReportName"]):
        world.client.put_report_definition(ReportDefinition=report)
    changed = report | {"S3Prefix": "elsewhere"}
    world.client.modify_report_definition(ReportName=report["ReportName"], ReportDefinition=changed)
    delivered(world.client, report["ReportName"])
    assert described(world.client)[report["ReportName"]]["S3Prefix"] == "elsewhere"
    world.client.tag_resource(ReportName=report["ReportName"], Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    world.client.untag_resource(ReportName=report["ReportName"], TagKeys=["a"])
    assert world.client.list_tags_for_resource(ReportName=report["ReportName"])["Tags"] == [{"Key": "c", "Value": "d"}]
    assert world.client.delete_report_definition(ReportName=report["ReportName"])["ResponseMessage"]
    assert report["ReportName"] not in described(world.client)
    with refused("ValidationException", report["ReportName"]):
        world.client.delete_report_definition(ReportName=report["ReportName"])
    with refused("ResourceNotFoundException"):
        world.client.list_tags_for_resource(ReportName=report["ReportName"])
    # Its name is free.
    world.client.put_report_definition(ReportDefinition=report)
    world.client.delete_report_definition(ReportName=report["ReportName"])


def test_what_a_report_may_not_be(world):
    for more, said in [({"TimeUnit": "WEEKLY"}, "TimeUnit"), ({"Compression": "ZIP"}, "ZIP"), ({"AdditionalSchemaElements": ["SPLIT_COST_ALLOCATION_DATA"]}, "SPLIT"),
                       ({"AdditionalArtifacts": ["ATHENA"]}, "ATHENA"), ({"S3Bucket": "nobodys"}, "nobodys"), ({"S3Prefix": "a/../b"}, "a/../b"),
                       ({"ReportName": ".."}, ".."), ({"BillingViewArn": f"arn:aws:billing::{PAYER}:billingview/primary"}, "pro forma")]:
        with refused("ValidationException", said):
            world.client.put_report_definition(ReportDefinition=definition(world.ours, **more))
    with refused("ValidationException", "BillingViewArn"):
        report = definition(world.ours)
        report.pop("BillingViewArn")
        world.client.put_report_definition(ReportDefinition=report)


def test_a_view_has_ten_reports(world):
    group = world.desk.group()
    reports = [definition(group, BillingViewArn=f"billing-group-{group.id}" if number else view_of(group)) for number in range(11)]
    for report in reports[:10]:
        world.client.put_report_definition(ReportDefinition=report)
    with refused("ReportLimitReachedException", view_of(group)):
        world.client.put_report_definition(ReportDefinition=reports[10])
    assert {report["ReportName"] for report in reports[:10]} <= set(described(world.client))


@pytest.mark.parametrize("role", ["payer-admin", "finance", "analyst", "group-viewer"])
def test_who_may(world, role):
    keys = world.server.keys(name(role), role, [world.ours.arn] if role == "group-viewer" else [])
    for operation in OPERATIONS:
        may = role == "payer-admin" or (operation in READS and role != "group-viewer")
        answer = ask(world.server, operation, {}, keys)
        assert (answer.error == "AccessDeniedException") == (not may), (operation, answer.body)
        assert answer.status in (200, 400), (operation, answer.body)


def test_another_payer_sees_nothing(new_server, world):
    report = definition(world.ours)
    world.client.put_report_definition(ReportDefinition=report)
    other = new_server(payer="888888888888", transfers=False).client(service="cur")
    assert described(other) == {}
    with refused("ResourceNotFoundException"):
        other.list_tags_for_resource(ReportName=report["ReportName"])
