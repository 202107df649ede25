"""Deliveries of data exports when something goes wrong on the way: servers that are killed, two of them on one desk, a store that breaks off, a folder that is not what it was."""
import gzip
import json
import signal
import threading
import time
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

import s3
from desk import Desk, name
from policy_months import PolicyMonth
from server import PAYER, PREVIOUS, Keys, Server, command, in_period
from test_data_exports import ENDED, SECONDS_TO_DELIVER, charged, csv_rows, definition, delivered, executions, files, refused, succeeded, total

LEASE = 2
LINES = 40


def month_of(server, folder, keys=None):
    """A customer with a priced month, of the payer of the server or another one."""
    desk, month = Desk(in_period(server.client(keys), PREVIOUS)), PolicyMonth()
    group = desk.group(2, Name=name("acme"))
    for number in range(LINES):
        month.line(group.accounts[number % 2], cost="2", public=f"{number}.25", hour=number, bill_payer_account_id=PAYER if keys is None else "888888888888")
    server.command("import", "--cost", month.write(folder), "--period", PREVIOUS, keys=keys)
    server.command("runs", "wait", keys=keys)
    return group


def is_whole(bucket, root, server, group):
    """Whether what a manifest names is there and is the bill; how many manifests there are."""
    manifests = list(root.rglob("*Manifest.json"))
    for manifest in manifests:
        for key in json.loads(manifest.read_text())["dataFiles"]:
            assert total(csv_rows((bucket / key.removeprefix("s3://reports/")).read_bytes())) == charged(server, group)
    return len(manifests)


def test_killed_at_any_moment(new_server, tmp_path):
    """Whatever a server was at when it was killed: the next one delivers it, a manifest names whole files, and nothing is left beside them."""
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    server = new_server(options=["--export-buckets", f"reports={bucket}", "--lease-seconds", str(LEASE)])
    group = month_of(server, tmp_path / "cost")
    exports, arns = [], []
    for number, moment in enumerate((0.05, 0.5, 1, 1.6, 2.3)):
        exports.append(definition(group, versions=["OVERWRITE_REPORT", "CREATE_NEW_REPORT"][number % 2]))
        arns.append(server.client(service="bcm-data-exports").create_export(Export=exports[-1])["ExportArn"])
        time.sleep(moment)
        server.kill()
        server.start()
        for export in exports:
            is_whole(bucket, bucket / "pro-forma" / export["Name"], server, group)
    client = server.client(service="bcm-data-exports")
    for arn, export in zip(arns, exports, strict=True):
        until = time.monotonic() + SECONDS_TO_DELIVER
        while not any(row["ExecutionStatus"]["StatusCode"] == "DELIVERY_SUCCESS" for row in executions(client, arn)):
            assert time.monotonic() < until, executions(client, arn)
            time.sleep(0.2)
        assert is_whole(bucket, bucket / "pro-forma" / export["Name"], server, group) >= 1
        # Once it is delivered, it is not delivered again.
        assert [row["ExecutionStatus"]["StatusCode"] for row in executions(client, arn)].count("DELIVERY_SUCCESS") == 1
    # Nothing is left behind beside the files, nor where they were made.
    assert not [path for path in bucket.rglob(".*")] and not [path for path in server.data.rglob("export-*") if path.is_dir()]


@pytest.fixture(scope="module")
def pair(cluster, tmp_path_factory):
    """Two servers on one database, data folder and bucket."""
    folder = tmp_path_factory.mktemp("pair")
    bucket = folder / "bucket"
    bucket.mkdir()
    options = ["--export-buckets", f"reports={bucket}", "--lease-seconds", str(LEASE)]
    one = Server(folder / "data", cluster.database(), options=options).init().start()
    (folder / "again").symlink_to(folder / "data")
    two = Server(folder / "again", one.database, root=one.root, options=options).start()
    yield one, two, bucket
    for server in (one, two):
        if server.process.poll() is None:
            server.stop()
    cluster.drop(one.database)


def test_two_servers_deliver_each_export_once(pair, tmp_path):
    one, two, bucket = pair
    group = month_of(one, tmp_path / "cost")
    client = two.client(service="bcm-data-exports")
    exports = [definition(group, versions="CREATE_NEW_REPORT") for _ in range(8)]
    arns = [client.create_export(Export=export)["ExportArn"] for export in exports]
    for arn, export in zip(arns, exports, strict=True):
        assert len(succeeded(client, arn)) == 1
        assert is_whole(bucket, bucket / "pro-forma" / export["Name"], one, group) == 1
    for export in exports:
        assert len(files(bucket / "pro-forma" / export["Name"])) == 2
    # One of them is killed on the way: the other takes over what it has begun, once its time is over.
    more = [definition(group) for _ in range(2)]
    arns = [client.create_export(Export=export)["ExportArn"] for export in more]
    time.sleep(0.7)
    one.kill()
    for arn, export in zip(arns, more, strict=True):
        until = time.monotonic() + SECONDS_TO_DELIVER
        while "DELIVERY_SUCCESS" not in [row["ExecutionStatus"]["StatusCode"] for row in executions(client, arn)]:
            assert time.monotonic() < until, executions(client, arn)
            time.sleep(0.2)
        assert is_whole(bucket, bucket / "pro-forma" / export["Name"], two, group) == 1
    one.start()


def test_a_store_that_breaks_off_has_no_manifest_of_what_is_not_there(new_server, tmp_path, monkeypatch):
    """The data are put first; where that fails, no manifest says that there is a delivery, and it is tried again."""
    store = s3.Server()
    broken = {"is": True}

    def fault(method, path, _):
        return (403, s3.refusal("AccessDenied", "Access Denied")) if broken["is"] and method in ("PUT", "POST") and ".csv.gz" in path else None

    with s3.Proxy(store.endpoint, fault) as proxy:
        client = s3.client(store.endpoint)
        client.create_bucket(Bucket="customers")
        for variable, value in {"AWS_ACCESS_KEY_ID": s3.KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": proxy.endpoint}.items():
            monkeypatch.setenv(variable, value)
        server = new_server(options=["--export-buckets", "reports=s3://customers/desk"])
        group = month_of(server, tmp_path / "cost")
        exports = server.client(service="bcm-data-exports")
        export = definition(group)
        arn = exports.create_export(Export=export)["ExportArn"]
        failed = delivered(exports, arn)[0]["ExecutionStatus"]
        assert (failed["StatusCode"], failed["StatusReason"]) == ("DELIVERY_FAILURE", "INTERNAL_FAILURE")
        assert [key for key in s3.keys(client, "customers") if export["Name"] in key] == []
        assert f"{export['Name']}-00001.csv.gz" in server.log.read_text()
        # It is tried again by itself, and then it is whole.
        broken["is"] = False
        until = time.monotonic() + SECONDS_TO_DELIVER
        while executions(exports, arn)[0]["ExecutionStatus"]["StatusCode"] != "DELIVERY_SUCCESS":
            assert time.monotonic() < until, executions(exports, arn)
            time.sleep(0.5)
        found = s3.download(client, "customers", f"desk/pro-forma/{export['Name']}/")
        assert sorted(key.rsplit("/", 1)[1] for key in found) == [f"{export['Name']}-00001.csv.gz", f"{export['Name']}-Manifest.json"]
        data, = [content for key, content in found.items() if key.endswith(".csv.gz")]
        assert total(csv_rows(data)) == charged(server, group) > Decimal(0)
    store.stop()


def test_payers_of_a_shared_bucket_write_over_nothing_of_each_other(new_server, tmp_path):
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    server = new_server(transfers=False, options=["--export-buckets", f"reports={bucket}"])
    if server.database is None:
        server.stop()
    made = json.loads(command("init", *server.stored, "--payer", "888888888888", "--output", "json"))
    if server.database is None:
        server.start()
    other = Keys(made["AccessKeyId"], made["SecretAccessKey"])
    ours, theirs = Desk(server.client()).group(), Desk(server.client(other)).group()
    view = f"arn:aws:billing::888888888888:billingview/billing-group-{theirs.id}"
    export = definition(ours)
    server.client(service="bcm-data-exports").create_export(Export=export)
    client = server.client(other, service="bcm-data-exports")
    taken = definition(theirs, properties={"BILLING_VIEW_ARN": view}) | {"Name": export["Name"]}
    with refused("ValidationException", "take another prefix"):
        client.create_export(Export=taken)
    taken["DestinationConfigurations"]["S3Destination"]["S3Prefix"] = "of-others"
    assert client.create_export(Export=taken)["ExportArn"]


def second_payer(server):
    """The keys of another payer of a server."""
    if server.database is None:
        server.stop()
    made = json.loads(command("init", *server.stored, "--payer", "888888888888", "--output", "json"))
    if server.database is None:
        server.start()
    return Keys(made["AccessKeyId"], made["SecretAccessKey"])


def of_payer(group, prefix, bucket="reports", name=None, payer="888888888888"):
    """The definition of another payer's export."""
    export = definition(group, prefix=prefix, bucket=bucket, properties={"BILLING_VIEW_ARN": f"arn:aws:billing::{payer}:billingview/billing-group-{group.id}"})
    return export | ({"Name": name} if name else {})


def test_places_of_payers_are_compared_as_they_are_reached(new_server, tmp_path):
    """Buckets that are one folder, or one in the other, by name or by a link: what another payer delivers is neither written over nor lies among one's own."""
    bucket, alias = tmp_path / "bucket", tmp_path / "alias"
    (bucket / "pro-forma" / "deep").mkdir(parents=True)
    alias.symlink_to(bucket)
    mapped = [f"reports={bucket}", f"888888888888/linked={alias}", f"888888888888/within={bucket}/pro-forma", "888888888888/store=s3://b/x", "other=s3://b"]
    server = new_server(transfers=False, options=["--export-buckets", ",".join(mapped)])
    keys = second_payer(server)
    group, theirs = Desk(server.client()).group(), Desk(server.client(keys)).group()
    ours, client = server.client(service="bcm-data-exports"), server.client(keys, service="bcm-data-exports")
    first = name("export")
    ours.create_export(Export=definition(group) | {"Name": first})
    ours.create_export(Export=definition(group, prefix="x/pro-forma", bucket="other") | {"Name": first + "-s3"})
    for prefix, of, called in [("pro-forma", "linked", first), ("pro-forma", "reports", first), (f"pro-forma/{first}", "linked", name("export")),
                               (f"{first}/data", "within", name("export")), ("pro-forma", "store", first + "-s3"), (f"pro-forma/{first}-s3/data", "store", name("export"))]:
        with refused("ValidationException", "take another prefix") as caught:
            client.create_export(Export=of_payer(theirs, prefix, of, called))
        assert caught.value.response["Fields"][0]["Name"] == "S3Prefix" and PAYER not in str(caught.value)
    # What lies around another's place is refused like what lies in it; beside it is well.
    nested = client.create_export(Export=of_payer(theirs, "deep/of-mine", "within"))["ExportArn"]
    with refused("ValidationException", "take another prefix"):
        ours.create_export(Export=definition(group, prefix="pro-forma") | {"Name": "deep"})
    with refused("ValidationException", "take another prefix"):
        client.update_export(ExportArn=nested, Export=client.get_export(ExportArn=nested)["Export"] | {
            "DestinationConfigurations": of_payer(theirs, f"{first}/x", "within")["DestinationConfigurations"]})
    # Folders in folders of one payer are its own affair.
    assert ours.create_export(Export=definition(group, prefix=f"pro-forma/{first}"))["ExportArn"]


def test_of_two_payers_who_take_a_place_at_once_one_has_it(new_server, tmp_path):
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    server = new_server(transfers=False, options=["--export-buckets", f"reports={bucket}"])
    keys = second_payer(server)
    group, theirs = Desk(server.client()).group(), Desk(server.client(keys)).group()
    clients = server.client(service="bcm-data-exports"), server.client(keys, service="bcm-data-exports")
    for number in range(6):
        called, outcomes = name("export"), []
        exports = definition(group) | {"Name": called}, of_payer(theirs, "pro-forma", name=called)

        def create(client, export, outcomes=outcomes):
            try:
                outcomes.append(client.create_export(Export=export)["ExportArn"])
            except client.exceptions.ValidationException as error:
                outcomes.append(str(error))

        threads = [threading.Thread(target=create, args=of) for of in zip(clients, exports, strict=True)][::1 if number % 2 else -1]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert sorted("take another prefix" in outcome for outcome in outcomes) == [False, True], outcomes


def test_a_place_in_which_another_payer_has_delivered_stays_its_own(new_server, tmp_path):
    """An export that was deleted, or delivers elsewhere by now, leaves what it has delivered: nobody else's lines come to lie among it."""
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    server = new_server(options=["--export-buckets", f"reports={bucket}"])
    group = month_of(server, tmp_path / "cost")
    keys = second_payer(server)
    theirs = Desk(server.client(keys)).group()
    ours, client = server.client(service="bcm-data-exports"), server.client(keys, service="bcm-data-exports")
    gone, moved = definition(group), definition(group)
    arns = [ours.create_export(Export=export)["ExportArn"] for export in (gone, moved)]
    [succeeded(ours, arn) for arn in arns]
    ours.delete_export(ExportArn=arns[0])
    elsewhere = json.loads(json.dumps(moved))
    elsewhere["DestinationConfigurations"]["S3Destination"]["S3Prefix"] = "elsewhere"
    ours.update_export(ExportArn=arns[1], Export=elsewhere)
    succeeded(ours, arns[1], 2)
    there = {path: (bucket / path).read_bytes() for path in files(bucket)}
    for prefix, called in [("pro-forma", gone["Name"]), (f"pro-forma/{gone['Name']}", "data"), ("pro-forma", moved["Name"]), ("elsewhere", moved["Name"])]:
        with refused("ValidationException", "take another prefix"):
            client.create_export(Export=of_payer(theirs, prefix, name=called))
    assert {path: (bucket / path).read_bytes() for path in files(bucket)} == there
    # It is still its own payer's; and a place that nothing was ever put to is anybody's.
    succeeded(ours, ours.create_export(Export=gone)["ExportArn"])
    never = definition(Desk(server.client()).group(), prefix="never")
    ours.delete_export(ExportArn=ours.create_export(Export=never)["ExportArn"])
    assert client.create_export(Export=of_payer(theirs, "never", name=never["Name"]))["ExportArn"]


def test_a_place_that_comes_to_be_another_s_is_not_written_to(new_server, tmp_path):
    """Buckets that are mapped anew: who was there first keeps the place, and of two of a moment the lower account; nothing is written over."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    server = new_server(options=["--export-buckets", f"reports={two},888888888888/reports={one}"])
    group = month_of(server, tmp_path / "cost")
    keys = second_payer(server)
    theirs = month_of(server, tmp_path / "of-others", keys)
    export = definition(group)
    ours, client = server.client(service="bcm-data-exports"), server.client(keys, service="bcm-data-exports")
    succeeded(client, client.create_export(Export=of_payer(theirs, "pro-forma", name=export["Name"]))["ExportArn"])
    there = {path: (one / path).read_bytes() for path in files(one)}
    arn = ours.create_export(Export=export)["ExportArn"]
    succeeded(ours, arn)
    server.stop()
    server.options = ["--export-buckets", f"reports={one}"]
    server.start()
    ours = server.client(service="bcm-data-exports")
    ours.update_export(ExportArn=arn, Export=export | {"Description": "another"})
    status = delivered(ours, arn, 2)[0]["ExecutionStatus"]
    assert (status["StatusCode"], status["StatusReason"]) == ("DELIVERY_FAILURE", "INSUFFICIENT_PERMISSION")
    assert {path: (one / path).read_bytes() for path in files(one)} == there and "--export-buckets" in server.log.read_text()


def test_a_run_that_does_not_know_the_group_any_more(new_server, tmp_path):
    """What was delivered of a customer that is gone does not stay as what is charged now: a file without rows takes its place."""
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    server = new_server(transfers=False, options=["--export-buckets", f"reports={bucket}"])
    desk, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    group, other = desk.group(1), desk.group(1)
    for of in (group, other):
        month.line(of.primary, cost="2", public="3.25")
    server.load(month.write(tmp_path / "cost"))
    client = server.client(service="bcm-data-exports")
    exports = [definition(group), definition(group, kind="PARQUET"), definition(other)]
    arns = [client.create_export(Export=export)["ExportArn"] for export in exports]
    [succeeded(client, arn) for arn in arns]
    in_period(server.client(), PREVIOUS).delete_billing_group(Arn=group.arn)
    server.settle()
    for arn, export in zip(arns[:2], exports, strict=False):
        succeeded(client, arn, 2)
        data, = (bucket / "pro-forma" / export["Name"] / "data" / f"BILLING_PERIOD={PREVIOUS}").iterdir()
        if data.suffix == ".parquet":
            assert pq.read_table(data).num_rows == 0
        else:
            assert gzip.decompress(data.read_bytes()).decode().count("\n") == 1
        manifest, = (bucket / "pro-forma" / export["Name"]).rglob("*Manifest.json")
        assert json.loads(manifest.read_text())["executionId"] == executions(client, arn)[0]["ExecutionId"]
    assert len(succeeded(client, arns[2], 2)[0]) > 0


def test_data_that_a_server_puts_late_are_delivered_again(cluster, tmp_path, monkeypatch):
    """A server stands still while its data are on their way, another one takes the delivery over, and the data come through: it says so, and the month is delivered once more."""
    store = s3.Server()
    held, going = threading.Event(), threading.Event()

    def fault(method, path, _):
        if method == "PUT" and ".csv.gz" in path and not held.is_set():
            held.set()
            going.wait(SECONDS_TO_DELIVER)

    with s3.Proxy(store.endpoint, fault) as proxy:
        bucket = s3.client(store.endpoint)
        bucket.create_bucket(Bucket="customers")
        for variable, value in {"AWS_ACCESS_KEY_ID": s3.KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": proxy.endpoint}.items():
            monkeypatch.setenv(variable, value)
        options = ["--export-buckets", "reports=s3://customers/desk", "--lease-seconds", str(LEASE)]
        one = Server(tmp_path / "data", cluster.database(), options=options).init().start()
        group = month_of(one, tmp_path / "cost")
        export = definition(group)
        arn = one.client(service="bcm-data-exports").create_export(Export=export)["ExportArn"]
        assert held.wait(SECONDS_TO_DELIVER)
        one.process.send_signal(signal.SIGSTOP)
        (tmp_path / "again").symlink_to(tmp_path / "data")
        two = Server(tmp_path / "again", one.database, root=one.root, options=options).start()
        client = two.client(service="bcm-data-exports")
        codes = lambda: [row["ExecutionStatus"]["StatusCode"] for row in executions(client, arn)]  # noqa: E731
        until = time.monotonic() + SECONDS_TO_DELIVER
        while "DELIVERY_SUCCESS" not in codes():
            assert time.monotonic() < until, codes()
            time.sleep(0.2)
        going.set()
        one.process.send_signal(signal.SIGCONT)
        while codes().count("DELIVERY_SUCCESS") < 2:
            assert time.monotonic() < until, codes()
            time.sleep(0.2)
        # Who had begun, who has taken it over, who was late, and what was delivered after that.
        assert sorted(codes()) == ["DELIVERY_FAILURE", "DELIVERY_FAILURE", "DELIVERY_SUCCESS", "DELIVERY_SUCCESS"] and codes()[0] == "DELIVERY_SUCCESS"
        found = s3.download(bucket, "customers", f"desk/pro-forma/{export['Name']}/")
        manifest, = [json.loads(content) for key, content in found.items() if key.endswith("Manifest.json")]
        assert manifest["executionId"] == executions(client, arn)[0]["ExecutionId"]
        data, = [content for key, content in found.items() if key.endswith(".csv.gz")]
        assert total(csv_rows(data)) == charged(two, group)
        for server in (one, two):
            server.stop()
        cluster.drop(one.database)
    store.stop()


def test_what_ends_its_server_is_in_no_other_delivery_s_way(new_server, tmp_path, monkeypatch):
    """A delivery that its server never came to the end of is taken up when nothing else is due, and not before."""
    store = s3.Server()
    reached, going = threading.Event(), threading.Event()

    def fault(method, path, _):
        if method == "PUT" and "/aaa" in path and ".csv.gz" in path and not going.is_set():
            reached.set()
            going.wait(2 * SECONDS_TO_DELIVER)

    with s3.Proxy(store.endpoint, fault) as proxy:
        s3.client(store.endpoint).create_bucket(Bucket="customers")
        for variable, value in {"AWS_ACCESS_KEY_ID": s3.KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": proxy.endpoint}.items():
            monkeypatch.setenv(variable, value)
        server = new_server(options=["--export-buckets", "reports=s3://customers/desk", "--lease-seconds", str(LEASE)])
        group = month_of(server, tmp_path / "cost")
        client = server.client(service="bcm-data-exports")
        first = client.create_export(Export=definition(group) | {"Name": name("aaa")})["ExportArn"]
        assert reached.wait(SECONDS_TO_DELIVER)
        # By their names this one comes after that one.
        second = client.create_export(Export=definition(group) | {"Name": name("zzz")})["ExportArn"]
        server.kill()
        time.sleep(LEASE + 1)
        reached.clear()
        client = server.start().client(service="bcm-data-exports")
        succeeded(client, second)
        # Then it is its turn again; it counts as no try, however often it is begun.
        assert reached.wait(SECONDS_TO_DELIVER)
        going.set()
        until = time.monotonic() + SECONDS_TO_DELIVER
        while executions(client, first)[0]["ExecutionStatus"]["StatusCode"] != "DELIVERY_SUCCESS":
            assert time.monotonic() < until, executions(client, first)
            time.sleep(0.2)
        server.stop()
    store.stop()


def test_a_bucket_that_is_not_what_it_was(new_server, tmp_path):
    """A folder that vanishes is told of and not made anew; a link in it leads nowhere."""
    bucket, elsewhere = tmp_path / "bucket", tmp_path / "elsewhere"
    bucket.mkdir()
    elsewhere.mkdir()
    server = new_server(options=["--export-buckets", f"reports={bucket}", "--lease-seconds", str(LEASE)])
    group = month_of(server, tmp_path / "cost")
    exports = server.client(service="bcm-data-exports")
    (bucket / "pro-forma").symlink_to(elsewhere)
    linked = exports.create_export(Export=definition(group))["ExportArn"]
    failed = delivered(exports, linked)[0]["ExecutionStatus"]
    assert failed["StatusReason"] == "INSUFFICIENT_PERMISSION" and list(elsewhere.iterdir()) == []
    assert "remove the link" in server.log.read_text()
    exports.delete_export(ExportArn=linked)
    (bucket / "pro-forma").unlink()
    bucket.rmdir()
    gone = exports.create_export(Export=definition(group))["ExportArn"]
    failed = delivered(exports, gone)[0]["ExecutionStatus"]
    assert failed["StatusCode"] in ENDED - {"DELIVERY_SUCCESS"} and not bucket.exists()
    assert str(bucket) in server.log.read_text()
    # What passes is tried again.
    bucket.mkdir()
    until = time.monotonic() + SECONDS_TO_DELIVER
    while executions(exports, gone)[0]["ExecutionStatus"]["StatusCode"] != "DELIVERY_SUCCESS":
        assert time.monotonic() < until, executions(exports, gone)
        time.sleep(0.5)
