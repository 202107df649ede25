"""AWS's data exports as boto3 meets them: what is defined, what is delivered in AWS's layout when a run lands, and that it is the group's bill."""
import csv
import gzip
import io
import json
import pathlib
import time
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

import s3
from desk import Desk, name, transfers_book
from policy_months import PolicyMonth
from program import priced
from server import CURRENT, PAYER, PREVIOUS, in_period

OPERATIONS = {"CreateExport", "DeleteExport", "GetExecution", "GetExport", "GetTable", "ListExecutions", "ListExports", "ListTables",
              "ListTagsForResource", "TagResource", "UntagResource", "UpdateExport"}
READS = {operation for operation in OPERATIONS if operation.startswith(("Get", "List"))}
CUR2, FOCUS = "COST_AND_USAGE_REPORT", "FOCUS_1_2_AWS"
COST = "line_item_unblended_cost"
ENDED = {"DELIVERY_SUCCESS", "DELIVERY_FAILURE", "QUERY_FAILURE"}
SECONDS_TO_DELIVER = 90
NOBODYS = f"arn:aws:bcm-data-exports:us-east-1:{PAYER}:export/nobody"
# What AWS charges and no customer may find.
CANARY = "31415926.5358979323"


def view_of(group):
    return f"arn:aws:billing::{PAYER}:billingview/billing-group-{group.id}"


def definition(group, statement=f"SELECT * FROM {CUR2}", prefix="pro-forma", bucket="reports", table=CUR2, kind="TEXT_OR_CSV", versions="OVERWRITE_REPORT", **more):
    properties = {"BILLING_VIEW_ARN": view_of(group)} | ({"INCLUDE_RESOURCES": "TRUE"} if table == CUR2 else {}) | more.pop("properties", {})
    output = {"OutputType": "CUSTOM", "Format": kind, "Compression": "PARQUET" if kind == "PARQUET" else "GZIP", "Overwrite": versions}
    return {"Name": name("export"), "DataQuery": {"QueryStatement": statement, "TableConfigurations": {table: properties}},
            "DestinationConfigurations": {"S3Destination": {"S3Bucket": bucket, "S3Prefix": prefix, "S3Region": "us-east-1", "S3OutputConfigurations": output}},
            "RefreshCadence": {"Frequency": "SYNCHRONOUS"}} | more


@contextmanager
def refused(code, message=""):
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response
    assert answer["Error"]["Code"] == code and message in answer["Error"]["Message"], caught.value
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400


def ask(server, operation, given=None, keys=None):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AWSBillingAndCostManagementDataExports.{operation}"}
    return server.ask("POST", "/", json.dumps(given or {}).encode(), keys, headers=headers, service="bcm-data-exports")


def executions(client, arn):
    pages = client.get_paginator("list_executions").paginate(ExportArn=arn)
    return [row for page in pages for row in page["Executions"]]


def delivered(client, arn, count=1):
    """The deliveries of an export once so many have ended, the newest first."""
    until = time.monotonic() + SECONDS_TO_DELIVER
    while True:
        rows = executions(client, arn)
        ended = [row for row in rows if row["ExecutionStatus"]["StatusCode"] in ENDED]
        if len(ended) >= count:
            return ended
        assert time.monotonic() < until, rows
        time.sleep(0.2)


def succeeded(client, arn, count=1):
    rows = delivered(client, arn, count)
    assert [row["ExecutionStatus"]["StatusCode"] for row in rows] == ["DELIVERY_SUCCESS"] * len(rows), rows
    return rows


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def csv_rows(content):
    return list(csv.DictReader(io.StringIO(gzip.decompress(content).decode())))


def total(rows, column=COST):
    return sum((Decimal(row[column] or 0) for row in rows), Decimal(0))


def charged(server, group, period=PREVIOUS):
    rows = server.client().list_billing_group_cost_reports(BillingPeriod=period, Filters={"BillingGroupArns": [group.arn]})["BillingGroupCostReports"]
    return Decimal(rows[0]["ProformaCost"])


def show(server, exports):
    """Says, for past months too, what customers' files hold."""
    path = pathlib.Path(f"{server.data}.exports.json")
    path.write_text(json.dumps(transfers_book() | {"exports": exports}))
    server.command("book", "apply", path, "--period", PREVIOUS)


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers with a priced month, and a bucket that is a folder."""
    bucket = tmp_path_factory.mktemp("bucket")
    server = new_server(options=["--export-buckets", f"reports={bucket},888888888888/others={bucket}", "--lease-seconds", "2"])
    # What a customer's files hold of the payer and of tags is the operator's to say.
    show(server, {"columns": ["bill_payer_account_id"], "tags": ["user_team"]})
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=7.77))
    ours, theirs = desk.group(2, plan=plan, Name="acme"), desk.group(1, plan=plan, Name="globex")
    desk.flat(ours, 12.5, Name="care", Description="Care of acme", BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    month = PolicyMonth()
    services = ["AmazonEC2", "AmazonS3", "AWSLambda"]
    for number in range(9):
        for group in (ours, theirs):
            month.line(group.accounts[number % len(group.accounts)], cost=CANARY, public=f"{number + 1}.37", service=services[number % 3], hour=number,
                       resource=f"i-{group.name}-{number}", tags={"user_team": f"team-{number % 2}"})
    folder = month.write(tmp_path_factory.mktemp("exports") / "cost")
    server.load(folder)
    return SimpleNamespace(server=server, desk=desk, ours=ours, theirs=theirs, bucket=bucket, folder=folder,
                           client=server.client(service="bcm-data-exports"))


# ---- What is delivered

def test_a_group_s_lines_in_aws_s_layout(world, tmp_path):
    export = definition(world.ours)
    arn = world.client.create_export(Export=export)["ExportArn"]
    assert arn.startswith(f"arn:aws:bcm-data-exports:us-east-1:{PAYER}:export/{export['Name']}-")
    execution = succeeded(world.client, arn)[0]
    root = world.bucket / "pro-forma" / export["Name"]
    month = f"BILLING_PERIOD={PREVIOUS}"
    data, manifest = f"data/{month}/{export['Name']}-00001.csv.gz", f"metadata/{month}/{export['Name']}-Manifest.json"
    assert files(root) == sorted([data, manifest])
    said = json.loads((root / manifest).read_text())
    assert (said["exportArn"], said["executionId"]) == (arn, execution["ExecutionId"])
    assert said["dataFiles"] == [f"s3://reports/pro-forma/{export['Name']}/{data}"]
    rows = csv_rows((root / data).read_bytes())
    assert [column["name"] for column in said["columns"]] == list(rows[0])
    # It is the bill, to the last digit, and nothing of AWS's cost or of the other customer.
    assert total(rows) == charged(world.server, world.ours)
    assert {row["line_item_usage_account_id"] for row in rows} <= set(world.ours.accounts)
    text = gzip.decompress((root / data).read_bytes()).decode()
    assert "3141592" not in text and "globex" not in text and world.theirs.primary not in text and "i-acme-3" in text
    # And it is a month that can be read in again.
    book = tmp_path / "book.json"
    book.write_text(json.dumps({"payer_account_id": PAYER, "currency": "USD", "billing_groups": [
        {"name": "acme", "accounts": world.ours.accounts, "primary_account_id": world.ours.primary, "pricing_plan": "BasicPricingPlan"}]}))
    again = priced(root, book, PREVIOUS, tmp_path / "out")
    assert sum(Decimal(row["aws_cost"]) for row in again.cost_report) == total(rows)
    status = world.client.get_export(ExportArn=arn)["ExportStatus"]
    assert status["StatusCode"] == "HEALTHY" and status["LastRefreshedAt"] >= status["CreatedAt"].replace(year=2000)


def test_a_statement_selects_renames_filters_and_ends(world):
    statement = f"""SELECT line_item_usage_account_id AS account, {COST} AS cost, resource_tags.user_team, line_item_usage_start_date
        FROM {CUR2} WHERE line_item_product_code IN ('AmazonEC2', 'AmazonS3') AND NOT line_item_resource_id LIKE '%-3'
        AND {COST} > 1.5 AND line_item_usage_start_date >= '{PREVIOUS}-01' LIMIT 3"""
    for kind in ("TEXT_OR_CSV", "PARQUET"):
        export = definition(world.ours, statement, kind=kind)
        arn = world.client.create_export(Export=export)["ExportArn"]
        succeeded(world.client, arn)
        folder = world.bucket / "pro-forma" / export["Name"] / "data" / f"BILLING_PERIOD={PREVIOUS}"
        file, = folder.iterdir()
        if kind == "PARQUET":
            table = pq.read_table(file)
            assert [str(of) for of in table.schema.types] == ["string", "double", "string", "timestamp[ms]"]
            rows = table.to_pylist()
            # A row that is not taken leaves nothing behind: neither its values nor their dictionary.
            assert b"team-1" not in file.read_bytes() or any(row["user_team"] == "team-1" for row in rows)
        else:
            rows = csv_rows(file.read_bytes())
        assert len(rows) == 3 and list(rows[0]) == ["account", "cost", "user_team", "line_item_usage_start_date"]
        assert all(Decimal(str(row["cost"])) > Decimal("1.5") and row["user_team"].startswith("team-") for row in rows)


def test_focus_in_parquet_is_the_bill_too(world):
    export = definition(world.ours, f"SELECT * FROM {FOCUS}", table=FOCUS, kind="PARQUET")
    arn = world.client.create_export(Export=export)["ExportArn"]
    succeeded(world.client, arn)
    file, = (world.bucket / "pro-forma" / export["Name"] / "data" / f"BILLING_PERIOD={PREVIOUS}").iterdir()
    assert file.name == f"{export['Name']}-00001.snappy.parquet"
    rows = pq.read_table(file).to_pylist()
    assert sum(Decimal(repr(row["BilledCost"])) for row in rows) == charged(world.server, world.ours)
    assert {row["BillingAccountId"] for row in rows} == {world.ours.primary}


def test_another_definition_and_another_run_are_delivered(world):
    export = definition(world.theirs, versions="CREATE_NEW_REPORT")
    arn = world.client.create_export(Export=export)["ExportArn"]
    first = succeeded(world.client, arn)[0]["ExecutionId"]
    root = world.bucket / "pro-forma" / export["Name"]
    before = charged(world.server, world.theirs)
    world.client.update_export(ExportArn=arn, Export=export | {"DataQuery": export["DataQuery"] | {"QueryStatement": f"SELECT {COST} FROM {CUR2}"}})
    second = succeeded(world.client, arn, 2)[0]["ExecutionId"]
    world.desk.flat(world.theirs, 3, Name=name("late"), BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    world.server.settle()
    third = succeeded(world.client, arn, 3)[0]["ExecutionId"]
    assert charged(world.server, world.theirs) == before + 3
    # Each version stays as it was, with the manifest of its own.
    of = {execution: [json.loads(path.read_text()) for path in root.rglob("*Manifest.json") if execution in str(path)] for execution in (first, second, third)}
    assert [len(found) for found in of.values()] == [1, 1, 1]
    totals = []
    for (manifest,) in of.values():
        key = manifest["dataFiles"][0].removeprefix("s3://reports/")
        totals.append(total(csv_rows((world.bucket / key).read_bytes())))
    assert totals == [before, before, before + 3]
    # What was asked for then.
    assert "SELECT *" in world.client.get_execution(ExportArn=arn, ExecutionId=first)["Export"]["DataQuery"]["QueryStatement"]
    assert COST in world.client.get_execution(ExportArn=arn, ExecutionId=third)["Export"]["DataQuery"]["QueryStatement"]
    # Tags deliver nothing anew, and what is deleted is delivered no more.
    world.client.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "a", "Value": "b"}])
    world.client.delete_export(ExportArn=arn)
    time.sleep(2)
    assert len([path for path in root.rglob("*Manifest.json")]) == 3


def test_a_format_that_takes_another_s_place_leaves_nothing_of_it(world):
    export = definition(world.ours)
    arn = world.client.create_export(Export=export)["ExportArn"]
    succeeded(world.client, arn)
    destination = definition(world.ours, kind="PARQUET")["DestinationConfigurations"]
    world.client.update_export(ExportArn=arn, Export=export | {"DestinationConfigurations": destination})
    succeeded(world.client, arn, 2)
    found = files(world.bucket / "pro-forma" / export["Name"])
    assert [path.rsplit("/", 1)[1] for path in found] == [f"{export['Name']}-00001.snappy.parquet", f"{export['Name']}-Manifest.json"]


def test_what_a_killed_server_has_begun_is_delivered_by_the_next(world):
    export = definition(world.ours)
    arn = world.client.create_export(Export=export)["ExportArn"]
    time.sleep(0.3)
    world.server.kill()
    world.server.start()
    world.client = world.server.client(service="bcm-data-exports")
    world.desk = Desk(in_period(world.server.client(), PREVIOUS))
    until = time.monotonic() + SECONDS_TO_DELIVER
    while not any(row["ExecutionStatus"]["StatusCode"] == "DELIVERY_SUCCESS" for row in executions(world.client, arn)):
        assert time.monotonic() < until, executions(world.client, arn)
        time.sleep(0.2)
    root = world.bucket / "pro-forma" / export["Name"]
    manifest, = root.rglob("*Manifest.json")
    key = json.loads(manifest.read_text())["dataFiles"][0].removeprefix("s3://reports/")
    assert total(csv_rows((world.bucket / key).read_bytes())) == charged(world.server, world.ours)
    assert not [path for path in root.rglob(".*")]


# ---- What is refused

def test_a_definition_that_cannot_be_is_refused_by_its_clause(world):
    create = lambda *given, **more: world.client.create_export(Export=definition(*given, **more))  # noqa: E731
    for statement, clause in [
            (f"SELECT sum({COST}) FROM {CUR2}", "SELECT"), (f"SELECT {COST} FROM {CUR2} GROUP BY {COST}", "GROUP BY"),
            (f"SELECT {COST} FROM {CUR2} ORDER BY {COST}", "ORDER BY"), ("SELECT x FROM somewhere", "FROM"),
            (f"SELECT {COST} FROM {CUR2} WHERE {COST} = 'a'", "WHERE"), (f"SELECT {COST} FROM {CUR2} LIMIT 1 OFFSET 2", "LIMIT"),
            (f"SELECT split_line_item_split_cost FROM {CUR2}", "TableConfigurations"), ("nothing", "no SQL")]:
        with refused("ValidationException", clause) as caught:
            create(world.ours, statement)
        assert caught.value.response["Fields"][0]["Name"] == "QueryStatement"
    for more, said in [
            ({"bucket": "nobodys"}, "nobodys"), ({"bucket": "others"}, "others"), ({"prefix": "../up"}, "../up"), ({"prefix": ""}, "prefix ``"),
            ({"properties": {"TIME_GRANULARITY": "WEEKLY"}}, "TIME_GRANULARITY"), ({"properties": {"SPEED": "1"}}, "SPEED"),
            ({"properties": {"INCLUDE_SPLIT_COST_ALLOCATION_DATA": "TRUE"}}, "INCLUDE_SPLIT_COST_ALLOCATION_DATA"),
            ({"properties": {"BILLING_VIEW_ARN": f"arn:aws:billing::{PAYER}:billingview/primary"}}, "pro forma"),
            ({"properties": {"BILLING_VIEW_ARN": view_of(world.ours).replace(PAYER, "888888888888")}}, "billing view")]:
        with refused("ValidationException", said):
            create(world.ours, **more)
    without = definition(world.ours)
    without["DataQuery"].pop("TableConfigurations")
    with refused("ValidationException", "BILLING_VIEW_ARN"):
        world.client.create_export(Export=without)
    export = definition(world.ours)
    arn = world.client.create_export(Export=export)["ExportArn"]
    with refused("ValidationException", export["Name"]):
        world.client.create_export(Export=export)
    with refused("ValidationException", "name"):
        world.client.update_export(ExportArn=arn, Export=export | {"Name": name("export")})
    world.client.delete_export(ExportArn=arn)
    for act in (lambda: world.client.get_export(ExportArn=arn), lambda: world.client.list_executions(ExportArn=arn), lambda: world.client.delete_export(ExportArn=arn),
                lambda: world.client.list_tags_for_resource(ResourceArn=NOBODYS), lambda: world.client.update_export(ExportArn=NOBODYS, Export=export)):
        with refused("ResourceNotFoundException") as caught:
            act()
        assert {"ResourceId", "ResourceType"} <= set(caught.value.response)


def test_a_view_has_ten_exports(world):
    group = world.desk.group()
    arns = [world.client.create_export(Export=definition(group))["ExportArn"] for _ in range(10)]
    with refused("ServiceQuotaExceededException", view_of(group)) as caught:
        world.client.create_export(Export=definition(group))
    assert caught.value.response["QuotaCode"] and caught.value.response["ServiceCode"] == "AWSBillingAndCostManagementDataExports"
    listed = [row["ExportArn"] for page in world.client.get_paginator("list_exports").paginate(PaginationConfig={"PageSize": 3}) for row in page["Exports"]]
    assert set(arns) <= set(listed) and len(listed) == len(set(listed))
    world.client.delete_export(ExportArn=arns[0])
    assert world.client.create_export(Export=definition(group))["ExportArn"]
    # The group had no lines in a month that was priced before it was there.
    assert all(executions(world.client, arn) == [] or group for arn in arns[1:])


def test_an_export_is_answered_as_it_was_asked_for(world):
    export = definition(world.ours, Description="for the office")
    arn = world.client.create_export(Export=export, ResourceTags=[{"Key": "team", "Value": "a"}])["ExportArn"]
    assert world.client.get_export(ExportArn=arn)["Export"] == export | {"ExportArn": arn}
    tags = lambda: {tag["Key"]: tag["Value"] for tag in world.client.list_tags_for_resource(ResourceArn=arn)["ResourceTags"]}  # noqa: E731
    world.client.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "more", "Value": "b"}])
    world.client.untag_resource(ResourceArn=arn, ResourceTagKeys=["team"])
    assert tags() == {"more": "b"}
    world.client.delete_export(ExportArn=arn)


def test_the_tables_that_there_are(world):
    tables = {table["TableName"]: table for table in world.client.list_tables()["Tables"]}
    assert set(tables) == {CUR2, FOCUS} and {of["Name"] for of in tables[FOCUS]["TableProperties"]} == {"BILLING_VIEW_ARN", "TIME_GRANULARITY"}
    columns = lambda **more: {column["Name"]: column["Type"] for column in world.client.get_table(TableName=CUR2, **more)["Schema"]}  # noqa: E731
    assert columns()[COST] == "double" and "line_item_resource_id" not in columns()
    assert columns(TableProperties={"INCLUDE_RESOURCES": "TRUE"})["line_item_resource_id"] == "string"
    with refused("ValidationException", "FOCUS_1_0_AWS"):
        world.client.get_table(TableName="FOCUS_1_0_AWS")


# ---- Who

@pytest.mark.parametrize("role", ["payer-admin", "finance", "analyst", "group-viewer"])
def test_who_may(world, role):
    keys = world.server.keys(name(role), role, [world.ours.arn] if role == "group-viewer" else [])
    for operation in OPERATIONS:
        may = role == "payer-admin" or (operation in READS and role != "group-viewer")
        answer = ask(world.server, operation, {}, keys)
        assert (answer.error == "AccessDeniedException") == (not may), (operation, answer.body)
        assert answer.status == 400 or answer.status == 200, (operation, answer.body)


def test_another_payer_sees_nothing(new_server, world):
    arn = world.client.create_export(Export=definition(world.ours))["ExportArn"]
    other = new_server(payer="888888888888", transfers=False).client(service="bcm-data-exports")
    assert other.list_exports()["Exports"] == []
    with refused("ResourceNotFoundException"):
        other.get_export(ExportArn=arn)
    world.client.delete_export(ExportArn=arn)


# ---- A bucket on an object store

@pytest.fixture(scope="module")
def store():
    server = s3.Server()
    yield server
    server.stop()


def test_a_bucket_on_an_object_store(new_server, store, tmp_path, monkeypatch):
    client = s3.client(store.endpoint)
    client.create_bucket(Bucket="customers")
    for variable, value in {"AWS_ACCESS_KEY_ID": s3.KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": store.endpoint}.items():
        monkeypatch.setenv(variable, value)
    server = new_server(options=["--export-buckets", "reports=s3://customers/of-the-desk,gone=s3://nowhere"])
    desk = Desk(in_period(server.client(), PREVIOUS))
    group = desk.group(1, Name="acme")
    month = PolicyMonth()
    for number in range(4):
        month.line(group.primary, cost="2", public=f"{number}.25")
    server.load(month.write(tmp_path / "cost"))
    exports = server.client(service="bcm-data-exports")
    export, lost = definition(group), definition(group, bucket="gone")
    arn, gone = exports.create_export(Export=export)["ExportArn"], exports.create_export(Export=lost)["ExportArn"]
    succeeded(exports, arn)
    found = s3.download(client, "customers", f"of-the-desk/pro-forma/{export['Name']}/")
    data, = [content for key, content in found.items() if key.endswith(".csv.gz")]
    manifest, = [json.loads(content) for key, content in found.items() if key.endswith("Manifest.json")]
    assert total(csv_rows(data)) == charged(server, group)
    assert manifest["dataFiles"] == [f"s3://reports/pro-forma/{export['Name']}/data/BILLING_PERIOD={PREVIOUS}/{export['Name']}-00001.csv.gz"]
    failed = delivered(exports, gone)[0]["ExecutionStatus"]
    assert (failed["StatusCode"], failed["StatusReason"]) == ("DELIVERY_FAILURE", "INTERNAL_FAILURE")
    status = exports.get_export(ExportArn=gone)["ExportStatus"]
    assert (status["StatusCode"], status["StatusReason"]) == ("UNHEALTHY", "INTERNAL_FAILURE")
    assert CURRENT != PREVIOUS
