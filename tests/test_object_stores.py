"""Cost files, results and pinned files on an object store: a real S3 server, and in front of it networks that fail."""
import csv
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import s3
from program import PROGRAM, ROOT, priced, run

PERIOD = "2026-10"
DEMO = ROOT / "fixtures" / "demo" / "cost"
BOOK = ROOT / "fixtures" / "demo" / "book.toml"
DATA = pathlib.PurePath("exports/larkfield-cur2/data/BILLING_PERIOD=2026-10")
MANIFEST = "exports/larkfield-cur2/metadata/BILLING_PERIOD=2026-10/larkfield-cur2-Manifest.json"
FILES = ["larkfield-cur2-00001.snappy.parquet", "larkfield-cur2-00002.snappy.parquet"]
MARK = "reconciliation.json"
# A place without a store: refused connections come at once.
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def server():
    server = s3.Server()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def store(server):
    return s3.client(server.endpoint)


@pytest.fixture
def bucket(store, request):
    """An empty bucket of this test's own."""
    name = "b" + str(abs(hash(request.node.nodeid)))
    store.create_bucket(Bucket=name)
    return name


@pytest.fixture
def env(server):
    return s3.environment(server.endpoint)


@pytest.fixture
def delivery(store, bucket):
    """The demo month on the store; the URL of its prefix."""
    s3.upload(store, bucket, "cur/", DEMO)
    return f"s3://{bucket}/cur"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """The demo month priced from disk."""
    return priced(DEMO, BOOK, PERIOD, tmp_path_factory.mktemp("disk") / "out").out


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of several parts: the demo's lines many times, not compressed, in several row groups."""
    path = tmp_path_factory.mktemp("large") / "large.parquet"
    table = pa.concat_tables([pq.read_table(DEMO / DATA / name) for name in FILES])
    pq.write_table(pa.concat_tables([table] * 12), path, compression="none", use_dictionary=False, row_group_size=5_000)
    assert path.stat().st_size > 16 << 20
    return path


def tree(folder, without=("source.json",)):
    files = (path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name not in without}


def refused(result, *words):
    """A run that was refused with these words, and wrote nothing."""
    assert result.exit_code == 2, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr
    assert "nothing was written" in result.stderr
    assert not result.out.exists()


# --- reading

@pytest.mark.parametrize("given", ["cur", "cur/", f"cur/{MANIFEST}"])
def test_a_month_from_a_store_has_the_bytes_of_one_from_disk(given, disk, delivery, bucket, env, tmp_path):
    done = priced(f"s3://{bucket}/{given}", BOOK, PERIOD, tmp_path / "out", env=env)
    from_disk = disk
    if given.endswith(".json"):
        from_disk = priced(DEMO / MANIFEST, BOOK, PERIOD, tmp_path / "disk").out
    assert tree(done.out) == tree(from_disk)


def test_a_prefix_is_read_as_a_folder_is(store, bucket, env, disk, tmp_path):
    """Without a manifest, with another one's files beside it, with a result of this program and hidden files below it."""
    folder = tmp_path / "cost"
    shutil.copytree(DEMO / DATA, folder / "month")
    shutil.copytree(disk, folder / "result")
    (folder / ".hidden").mkdir()
    shutil.copy(DEMO / DATA / FILES[0], folder / ".hidden" / FILES[0])
    (folder / "notes.txt").write_text("not a cost file")
    s3.upload(store, bucket, "p/", folder)
    s3.upload(store, bucket, "p-of-somebody-else/", DEMO / DATA)
    here, there = (priced(cost, BOOK, PERIOD, tmp_path / out, env=env)
                   for cost, out in [(folder, "here"), (f"s3://{bucket}/p", "there")])
    assert tree(there.out) == tree(here.out)
    assert "`result` was not read: is a result of this program" in there.stderr


def test_places_can_be_mixed(delivery, env, tmp_path):
    one = DEMO / DATA / FILES[0]
    here = priced([one, DEMO / DATA / FILES[1]], BOOK, PERIOD, tmp_path / "here")
    mixed = priced([one, f"{delivery}/{DATA}/{FILES[1]}"], BOOK, PERIOD, tmp_path / "mixed", env=env)
    assert tree(mixed.out) == tree(here.out)


def test_compressed_csv_comes_from_a_store(store, bucket, env, tmp_path):
    folder = tmp_path / "cost"
    folder.mkdir()
    for name in FILES:
        write_csv(DEMO / DATA / name, folder / name.replace(".snappy.parquet", ".csv.gz"))
    s3.upload(store, bucket, "csv/", folder)
    here = priced(folder, BOOK, PERIOD, tmp_path / "here")
    there = priced(f"s3://{bucket}/csv", BOOK, PERIOD, tmp_path / "there", env=env)
    assert tree(there.out) == tree(here.out)


def write_csv(parquet, path):
    table = pq.read_table(parquet)
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.column_names)
        for row in zip(*(column.to_pylist() for column in table.columns)):
            writer.writerow(csv_text(value) for value in row)


def csv_text(value):
    if isinstance(value, list):
        return json.dumps(dict(value))
    return value.strftime("%Y-%m-%dT%H:%M:%S.000Z") if hasattr(value, "strftime") else value


def test_a_large_object_is_fetched_once_in_parts_of_one_version(server, store, bucket, large, tmp_path):
    store.upload_file(str(large), bucket, "large.parquet")
    here = priced(large, BOOK, PERIOD, tmp_path / "here")
    with s3.Proxy(server.endpoint, lambda *_: None) as proxy:
        there = priced(f"s3://{bucket}/large.parquet", BOOK, PERIOD, tmp_path / "there", "--threads", "1",
                       env=s3.environment(proxy.endpoint))
    assert tree(there.out) == tree(here.out)
    gets = [headers for method, path, headers in proxy.requests if method == "GET" and "large" in path]
    ranges = sorted(tuple(map(int, of["range"].removeprefix("bytes=").split("-"))) for of in gets)
    assert ranges[0][0] == 0 and ranges[-1][1] == large.stat().st_size - 1
    assert all(one[1] + 1 == other[0] for one, other in zip(ranges, ranges[1:])), "no byte is fetched twice"
    etag = store.head_object(Bucket=bucket, Key="large.parquet")["ETag"]
    assert {of["if-match"] for of in gets} == {etag}


def test_https_is_spoken_with_a_certificate_that_the_system_trusts(store, tmp_path):
    certificate, key = certificate_of("127.0.0.1", tmp_path)
    server = s3.Server("-c", certificate, "-k", key, scheme="https")
    try:
        https = s3.client(server.endpoint, verify=str(certificate))
        https.create_bucket(Bucket="safe")
        s3.upload(https, "safe", "cur/", DEMO)
        env = s3.environment(server.endpoint, SSL_CERT_FILE=str(certificate))
        priced("s3://safe/cur", BOOK, PERIOD, "s3://safe/out", "--pin", "s3://safe/pins", env=env)
        assert f"out/{MARK}" in s3.keys(https, "safe") and len(s3.keys(https, "safe", "pins/")) == 2
        stranger = run("s3://safe/cur", BOOK, PERIOD, tmp_path / "out", env=s3.environment(server.endpoint))
        refused(stranger, "s3://safe/cur", "certificate", "hint:")
    finally:
        server.stop()


def certificate_of(address, folder):
    """A certificate that signs itself, as a company's own store may have one."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "store")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    built = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
             .not_valid_after(now + datetime.timedelta(days=1)).add_extension(names, critical=False)
             .sign(key, hashes.SHA256()))
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return paths


# --- what networks and stores do

def of_data(method, path):
    return method == "GET" and path.split("?")[0].endswith(".parquet")


def times(count, fault):
    """A fault of the first `count` requests for data, each file and part counted apart."""
    seen = {}

    def of(method, path, headers):
        if not of_data(method, path):
            return None
        seen[path] = seen.get(path, 0) + 1
        return fault if seen[path] <= count else None
    return of


def reset(handler, body):
    handler.wfile.write(body[:len(body) // 2])
    handler.wfile.flush()
    raise s3.Cut


def truncated(handler, body):
    """Less than was announced, then an orderly end."""
    handler.close_connection = True
    return body[:len(body) // 3]


SLOW_DOWN = (503, s3.refusal("SlowDown", "Please reduce your request rate."))


@pytest.mark.parametrize("fault, count", [(SLOW_DOWN, 3), (reset, 2), (truncated, 2)],
                         ids=["throttled", "reset", "truncated"])
def test_a_passing_fault_changes_nothing(fault, count, server, disk, delivery, tmp_path):
    with s3.Proxy(server.endpoint, times(count, fault)) as proxy:
        done = priced(delivery, BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    assert tree(done.out) == tree(disk)
    assert sum(of_data(method, path) for method, path, _ in proxy.requests) >= 2 * (count + 1)


@pytest.mark.parametrize("fault", [reset, truncated], ids=["reset", "truncated"])
def test_a_part_that_breaks_off_goes_on_where_it_broke_off(fault, server, store, bucket, large, tmp_path):
    store.upload_file(str(large), bucket, "large.parquet")
    with s3.Proxy(server.endpoint, times(3, fault)) as proxy:
        done = priced(f"s3://{bucket}/large.parquet", BOOK, PERIOD, tmp_path / "out",
                      env=s3.environment(proxy.endpoint))
    assert tree(done.out) == tree(priced(large, BOOK, PERIOD, tmp_path / "here").out)
    starts = [int(headers["range"].removeprefix("bytes=").split("-")[0])
              for method, path, headers in proxy.requests if of_data(method, path)]
    assert len(set(starts)) == len(starts), "no part is begun twice from the same byte"


def test_a_store_that_only_throttles_is_given_up_soon(server, delivery, tmp_path):
    began = time.monotonic()
    with s3.Proxy(server.endpoint, lambda *_: SLOW_DOWN) as proxy:
        done = run(delivery, BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    refused(done, delivery, "hint:")
    assert time.monotonic() - began < 60


def test_objects_that_never_come_whole_are_named(server, delivery, tmp_path):
    def nothing(handler, body):
        handler.close_connection = True
        return b""
    with s3.Proxy(server.endpoint, times(10_000, nothing)) as proxy:
        done = run(delivery, BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    refused(done, f"{delivery}/{DATA}/{FILES[0]}", "hint:")


def test_an_object_that_changes_while_it_is_read_makes_the_reading_start_again(server, store, bucket, tmp_path):
    """The first version is cut in two by the second: nothing of the first may be in the result."""
    s3.upload(store, bucket, "cur/", DEMO)
    key, changes = f"cur/{DATA}/{FILES[0]}", []

    def change_once(method, path, headers):
        if of_data(method, path) and path.endswith(FILES[0]) and not changes:
            changes.append(store.put_object(Bucket=bucket, Key=key, Body=smaller(DEMO / DATA / FILES[0], tmp_path)))
    with s3.Proxy(server.endpoint, change_once) as proxy:
        done = priced(f"s3://{bucket}/cur", BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    assert changes
    after = tmp_path / "after"
    shutil.copytree(DEMO, after)
    (after / DATA / FILES[0]).write_bytes(smaller(DEMO / DATA / FILES[0], tmp_path))
    assert tree(done.out) == tree(priced(after, BOOK, PERIOD, tmp_path / "here").out)


def smaller(path, folder, rows=500):
    """A month to date that was written again with fewer lines."""
    target = folder / "smaller.parquet"
    pq.write_table(pq.read_table(path).slice(0, rows), target, compression="snappy")
    return target.read_bytes()


def test_a_delivery_that_changes_behind_the_reading_makes_it_start_again(server, store, bucket, tmp_path):
    """Nobody asks for the first file again when the second comes: only the listing can tell."""
    s3.upload(store, bucket, "cur/", DEMO / DATA)
    asked = []

    def change(method, path, headers):
        if of_data(method, path) and path.endswith(FILES[1]):
            asked.append(path)
            if len(asked) == 1:
                time.sleep(0.5)
                store.put_object(Bucket=bucket, Key=f"cur/{FILES[0]}", Body=smaller(DEMO / DATA / FILES[0], tmp_path))
    with s3.Proxy(server.endpoint, change) as proxy:
        done = priced(f"s3://{bucket}/cur", BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    assert len(asked) == 2
    assert done.reconciliation["lines"]["read"] == 500 + pq.read_metadata(DEMO / DATA / FILES[1]).num_rows


def test_an_object_that_always_changes_is_refused(server, store, bucket, tmp_path):
    s3.upload(store, bucket, "cur/", DEMO)
    key, rows = f"cur/{DATA}/{FILES[0]}", iter(range(100, 200))

    def change(method, path, headers):
        if of_data(method, path) and path.endswith(FILES[0]):
            store.put_object(Bucket=bucket, Key=key, Body=smaller(DEMO / DATA / FILES[0], tmp_path, next(rows)))
    with s3.Proxy(server.endpoint, change) as proxy:
        done = run(f"s3://{bucket}/cur", BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    refused(done, f"s3://{bucket}/cur: changed 3 times while it was read", "run again when it has finished")


# --- what is wrong, and the way out

def test_what_is_wrong_is_named_with_the_way_out(bucket, delivery, env, tmp_path):
    without_credentials = {name: value for name, value in env.items() if name != "AWS_SECRET_ACCESS_KEY"}
    cases = [
        ("s3://no-such-bucket-here/cur", env, ["there is no bucket `no-such-bucket-here`", "AWS_ENDPOINT_URL"]),
        (f"s3://{bucket}/nothing", env, [f"s3://{bucket}/nothing: cannot be read: it is not there", "--cost"]),
        (delivery, without_credentials, ["no credentials", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"]),
        (delivery, env | {"AWS_ENDPOINT_URL": NOBODY}, [NOBODY, "refused", "check AWS_ENDPOINT_URL"]),
        (delivery, env | {"AWS_ENDPOINT_URL_S3": NOBODY}, [NOBODY, "check AWS_ENDPOINT_URL"]),
        (delivery, env | {"AWS_ENDPOINT_URL": "no url"}, [delivery, "`no url` is not an http", "check AWS_ENDPOINT_URL"]),
        ("s3://", env, ["names no bucket"]),
        (f"s3://{bucket}/a//b", env, ["one slash between the parts"]),
        ("gs://bucket/cur", env, ["`gs://` locations are not read"]),
    ]
    for cost, environment, words in cases:
        began = time.monotonic()
        refused(run(cost, BOOK, PERIOD, tmp_path / "out", env=environment), *words)
        assert time.monotonic() - began < 30, cost


def test_credentials_that_the_store_does_not_know_are_refused(server, delivery, tmp_path):
    answer = (403, s3.refusal("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."))
    with s3.Proxy(server.endpoint, lambda *_: answer) as proxy:
        done = run(delivery, BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    refused(done, delivery, "access is denied", "check AWS_ACCESS_KEY_ID")
    assert s3.SECRET not in done.stderr + done.stdout


def test_objects_that_may_be_listed_but_not_read_are_named(server, delivery, tmp_path):
    answer = (403, s3.refusal("AccessDenied", "Access Denied"))
    with s3.Proxy(server.endpoint, lambda method, path, _: answer if of_data(method, path) else None) as proxy:
        done = run(delivery, BOOK, PERIOD, tmp_path / "out", env=s3.environment(proxy.endpoint))
    refused(done, f"{delivery}/{DATA}/", "access is denied", "AccessDenied", "what they are allowed to do")


def test_a_damaged_object_is_refused_as_a_damaged_file_is(store, bucket, env, tmp_path):
    content = (DEMO / DATA / FILES[0]).read_bytes()[:-100]
    store.put_object(Bucket=bucket, Key="cut.parquet", Body=content)
    refused(run(f"s3://{bucket}/cut.parquet", BOOK, PERIOD, tmp_path / "out", env=env), "cut.parquet", "hint:")


def test_a_scratch_folder_that_is_not_there_is_named(delivery, env, tmp_path):
    done = run(delivery, BOOK, PERIOD, tmp_path / "out", "--scratch", tmp_path / "nowhere", env=env)
    refused(done, str(tmp_path / "nowhere"), "--scratch")


# --- writing

def test_a_result_on_a_store_has_the_bytes_of_one_on_disk(store, bucket, delivery, env, tmp_path):
    here = priced(delivery, BOOK, PERIOD, tmp_path / "here", env=env)
    run_ = run(delivery, BOOK, PERIOD, f"s3://{bucket}/out/october", "--scratch", tmp_path / "scratch", env=env)
    assert run_.exit_code == 0 and run_.stdout == here.stdout, run_.stderr
    there = s3.download(store, bucket, "out/october/")
    assert {name: content for name, content in there.items()} == tree(here.out, without=())
    assert not list((tmp_path / "scratch").iterdir()), "the draft is gone"


def test_a_result_comes_with_the_mark_last(server, bucket, delivery):
    with s3.Proxy(server.endpoint, lambda *_: None) as proxy:
        done = run(delivery, BOOK, PERIOD, f"s3://{bucket}/out", env=s3.environment(proxy.endpoint))
    assert done.exit_code == 0, done.stderr
    puts = [path for method, path, _ in proxy.requests if method == "PUT"]
    assert len(puts) > 10 and puts[-1].endswith(f"/out/{MARK}")


def test_only_an_earlier_run_is_replaced(server, store, bucket, delivery, env):
    out = f"s3://{bucket}/out"
    store.put_object(Bucket=bucket, Key="out/notes.txt", Body=b"mine")
    result = run(delivery, BOOK, PERIOD, out, "--force", env=env)
    assert result.exit_code == 2 and "is not empty and is not an earlier run" in result.stderr, result.stderr
    store.delete_object(Bucket=bucket, Key="out/notes.txt")

    assert run(delivery, BOOK, PERIOD, out, env=env).exit_code == 0
    again = run(delivery, BOOK, PERIOD, out, env=env)
    assert again.exit_code == 2 and "add --force" in again.stderr, again.stderr
    first = s3.download(store, bucket, "out/")

    store.put_object(Bucket=bucket, Key="out/statements/gone-customer.json", Body=b"{}")
    with s3.Proxy(server.endpoint, lambda *_: None) as proxy:
        assert run(delivery, BOOK, PERIOD, out, "--force", env=s3.environment(proxy.endpoint)).exit_code == 0
    assert s3.download(store, bucket, "out/") == first, "what the earlier run had beside is gone"
    writes = [(method, path) for method, path, _ in proxy.requests if method in ("PUT", "DELETE")]
    assert writes[0][0] == "DELETE" and writes[0][1].endswith(MARK), "the old mark goes first"

    store.put_object(Bucket=bucket, Key="out/notes.txt", Body=b"mine")
    beside = run(delivery, BOOK, PERIOD, out, "--force", env=env)
    assert beside.exit_code == 2 and "`notes.txt`, which no run has" in beside.stderr, beside.stderr
    assert store.get_object(Bucket=bucket, Key="out/notes.txt")["Body"].read() == b"mine"


@pytest.mark.parametrize("force", [False, True], ids=["new", "replacing"])
def test_an_upload_that_breaks_off_leaves_no_mark(force, server, store, bucket, delivery, env):
    out = f"s3://{bucket}/out"
    if force:
        assert run(delivery, BOOK, PERIOD, out, env=env).exit_code == 0
    puts = []

    def after_five(method, path, headers):
        puts.extend([path] if method == "PUT" else [])
        return (403, s3.refusal("AccessDenied", "Access Denied")) if method == "PUT" and len(puts) > 5 else None
    with s3.Proxy(server.endpoint, after_five) as proxy:
        done = run(delivery, BOOK, PERIOD, out, *(["--force"] if force else []), env=s3.environment(proxy.endpoint))
    assert done.exit_code == 1 and done.stdout == "", done.stderr
    assert "is not published" in done.stderr and "what was sent is removed again" in done.stderr, done.stderr
    assert s3.keys(store, bucket, "out/") == []
    assert run(delivery, BOOK, PERIOD, out, env=env).exit_code == 0, "the next run is free to write"


def test_a_throttled_upload_arrives(server, store, bucket, delivery):
    seen = set()

    def first_time(method, path, headers):
        if method == "PUT" and path not in seen:
            seen.add(path)
            return SLOW_DOWN
    with s3.Proxy(server.endpoint, first_time) as proxy:
        done = run(delivery, BOOK, PERIOD, f"s3://{bucket}/out", env=s3.environment(proxy.endpoint))
    assert done.exit_code == 0 and f"out/{MARK}" in s3.keys(store, bucket), done.stderr


def test_a_whole_bucket_is_no_place_for_a_result(bucket, env):
    done = run(DEMO, BOOK, PERIOD, f"s3://{bucket}", env=env)
    assert done.exit_code == 2 and "whole bucket" in done.stderr, done.stderr


# --- pinned files and source.json

@pytest.fixture(params=["disk", "store"])
def pins(request, bucket, tmp_path):
    """A place to pin files in, of each kind."""
    return str(tmp_path / "pins") if request.param == "disk" else f"s3://{bucket}/pins"


def pinned(pins, store):
    """What is pinned, and what would change if it were written again."""
    if pins.startswith("s3://"):
        bucket, prefix = pins.removeprefix("s3://").split("/")
        return {key.removeprefix(f"{prefix}/"): store.head_object(Bucket=bucket, Key=key)["LastModified"]
                for key in s3.keys(store, bucket, f"{prefix}/")}
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in pathlib.Path(pins).iterdir()}


def copy_of_demo(tmp_path):
    shutil.copytree(DEMO, tmp_path / "cost")
    return tmp_path / "cost"


def test_pinned_files_are_kept_by_content_and_written_once(pins, store, env, tmp_path):
    cost = copy_of_demo(tmp_path)
    first = priced(cost, BOOK, PERIOD, tmp_path / "first", "--pin", pins, env=env)
    files = first.json("source.json")["files"]
    assert set(pinned(pins, store)) == {f"{file['sha256']}.parquet" for file in files}
    assert [file["pinned"] for file in files] == [f"{pins}/{file['sha256']}.parquet" for file in files]
    assert [file["sha256"] for file in files] == [file["sha256"] for file in first.reconciliation["files"]]
    assert [file["read_from"] for file in files] == [str(cost / DATA / name) for name in FILES]

    before = pinned(pins, store)
    time.sleep(1.1)             # a store's times are whole seconds
    shutil.copytree(cost, tmp_path / "elsewhere")
    again = priced(tmp_path / "elsewhere", BOOK, PERIOD, tmp_path / "again", "--pin", pins, env=env)
    assert pinned(pins, store) == before, "the same content again writes nothing"
    assert tree(again.out) == tree(first.out)


def test_a_pinned_month_is_read_again_when_its_files_are_gone(pins, store, env, tmp_path):
    cost = copy_of_demo(tmp_path)
    first = priced(cost, BOOK, PERIOD, tmp_path / "first", "--pin", pins, env=env)
    shutil.rmtree(cost)
    again = priced(first.out / "source.json", BOOK, PERIOD, tmp_path / "again", env=env)
    assert tree(again.out) == tree(first.out)
    assert again.json("source.json")["files"] == first.json("source.json")["files"]
    third = priced(again.out / "source.json", BOOK, PERIOD, tmp_path / "third", env=env)
    assert tree(third.out) == tree(first.out), "a snapshot of a snapshot is the snapshot"


def test_a_pinned_file_is_read_rather_than_the_new_one_in_the_old_place(pins, store, env, tmp_path):
    cost = copy_of_demo(tmp_path)
    first = priced(cost, BOOK, PERIOD, tmp_path / "first", "--pin", pins, env=env)
    (cost / DATA / FILES[0]).write_bytes(smaller(DEMO / DATA / FILES[0], tmp_path))
    again = priced(first.out / "source.json", BOOK, PERIOD, tmp_path / "again", env=env)
    assert tree(again.out) == tree(first.out)


def test_a_large_pinned_file_goes_to_a_store_in_parts(store, bucket, env, large, tmp_path):
    cost = tmp_path / "large.parquet"
    shutil.copy(large, cost)
    first = priced(cost, BOOK, PERIOD, tmp_path / "first", "--pin", f"s3://{bucket}/pins", env=env)
    key, = s3.keys(store, bucket)
    assert store.get_object(Bucket=bucket, Key=key)["Body"].read() == large.read_bytes()
    assert store.head_object(Bucket=bucket, Key=key)["ETag"].strip('"').count("-") == 1, "sent in parts"
    before = pinned(f"s3://{bucket}/pins", store)
    time.sleep(1.1)
    priced(cost, BOOK, PERIOD, tmp_path / "second", "--pin", f"s3://{bucket}/pins", env=env)
    assert pinned(f"s3://{bucket}/pins", store) == before
    cost.unlink()
    assert tree(priced(first.out / "source.json", BOOK, PERIOD, tmp_path / "again", env=env).out) == tree(first.out)


FAILED_WITH_200 = (200, s3.refusal("InternalError", "We encountered an internal error. Please try again."))


def test_parts_whose_completion_fails_with_200_are_completed_again(server, store, bucket, large, tmp_path):
    """Amazon S3 begins its answer to `CompleteMultipartUpload` before it knows how it ends: status 200, and a body that is an error."""
    failed = []

    def first_completion(method, path, headers):
        if method == "POST" and "uploadId=" in path and not failed:
            failed.append(path)
            return FAILED_WITH_200
    with s3.Proxy(server.endpoint, first_completion) as proxy:
        priced(large, BOOK, PERIOD, tmp_path / "out", "--pin", f"s3://{bucket}/pins", env=s3.environment(proxy.endpoint))
    assert failed
    key, = s3.keys(store, bucket)
    assert store.get_object(Bucket=bucket, Key=key)["Body"].read() == large.read_bytes()


def test_an_upload_in_parts_that_breaks_off_leaves_nothing(server, store, bucket, large, tmp_path):
    """Neither an object nor parts that are paid for: not where a part is refused, nor where all are there and they are never put together."""
    def never_completed(method, path, headers):
        return FAILED_WITH_200 if method == "POST" and "uploadId=" in path else None

    def second_part_refused(method, path, headers):
        return (403, s3.refusal("AccessDenied", "Access Denied")) if method == "PUT" and "partNumber=2" in path else None
    for fault, said in ((never_completed, "again and again"), (second_part_refused, "access is denied")):
        with s3.Proxy(server.endpoint, fault) as proxy:
            done = run(large, BOOK, PERIOD, tmp_path / fault.__name__, "--pin", f"s3://{bucket}/pins", env=s3.environment(proxy.endpoint))
        assert done.exit_code == 2 and said in done.stderr, done.stderr
        assert not (tmp_path / fault.__name__).exists()
        assert s3.keys(store, bucket) == []
        assert store.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


@pytest.mark.parametrize("same_size", [True, False])
def test_a_pinned_file_that_was_changed_is_refused_by_name(same_size, pins, store, env, tmp_path):
    cost = copy_of_demo(tmp_path)
    first = priced(cost, BOOK, PERIOD, tmp_path / "first", "--pin", pins, env=env)
    victim = first.json("source.json")["files"][1]["pinned"]
    content = bytearray((DEMO / DATA / FILES[1]).read_bytes() + (b"" if same_size else b"!"))
    content[200] ^= 1
    if victim.startswith("s3://"):
        bucket, key = victim.removeprefix("s3://").split("/", 1)
        store.put_object(Bucket=bucket, Key=key, Body=bytes(content))
    else:
        pathlib.Path(victim).write_bytes(content)
    words = [victim, "is pinned, but its content has another SHA-256 than its name says", "remove it"]
    refused(run(first.out / "source.json", BOOK, PERIOD, tmp_path / "again", env=env), *words)
    if not same_size or not victim.startswith("s3://"):
        refused(run(cost, BOOK, PERIOD, tmp_path / "pin-again", "--pin", pins, env=env), *words)


def test_files_that_were_not_pinned_and_have_changed_are_refused(delivery, store, bucket, env, tmp_path):
    cost = copy_of_demo(tmp_path)
    for number, (given, change) in enumerate([
        (cost, lambda content: (cost / DATA / FILES[0]).write_bytes(content)),
        (delivery, lambda content: store.put_object(Bucket=bucket, Key=f"cur/{DATA}/{FILES[0]}", Body=content)),
    ]):
        first = priced(given, BOOK, PERIOD, tmp_path / f"first-{number}", env=env)
        assert [file["pinned"] for file in first.json("source.json")["files"]] == [None, None]
        same = priced(first.out / "source.json", BOOK, PERIOD, tmp_path / f"same-{number}", env=env)
        assert tree(same.out) == tree(first.out)
        words = [FILES[0], "is not the file that the run has read",
                 "the file changed since the run; pin the snapshot with --pin"]
        flipped = bytearray((DEMO / DATA / FILES[0]).read_bytes())
        flipped[200] ^= 1
        for content in [smaller(DEMO / DATA / FILES[0], tmp_path), bytes(flipped)]:
            change(content)
            refused(run(first.out / "source.json", BOOK, PERIOD, tmp_path / "out", env=env), *words)
        change((DEMO / DATA / FILES[0]).read_bytes())
    shutil.rmtree(cost)
    gone = run(tmp_path / "first-0" / "source.json", BOOK, PERIOD, tmp_path / "out", env=env)
    refused(gone, str(cost / DATA / FILES[0]), "is gone", "was not pinned", "--cost")


def test_a_run_on_a_store_is_read_again_from_its_source_file(store, bucket, delivery, env, tmp_path):
    pins = f"s3://{bucket}/pins"
    assert run(delivery, BOOK, PERIOD, f"s3://{bucket}/out", "--pin", pins, env=env).exit_code == 0
    for key in s3.keys(store, bucket, "cur/"):
        store.delete_object(Bucket=bucket, Key=key)
    again = priced(f"s3://{bucket}/out/source.json", BOOK, PERIOD, tmp_path / "again", env=env)
    assert tree(again.out) == {name: content for name, content in s3.download(store, bucket, "out/").items()
                               if name != "source.json"}


def test_a_source_file_that_is_none_is_refused(tmp_path, env):
    done = priced(DEMO, BOOK, PERIOD, tmp_path / "first")
    good = done.json("source.json")
    place = tmp_path / "source.json"
    cases = [
        ("{", "not the source file of a run"),
        ("{}", "it has no `format_version`"),
        (json.dumps(good | {"format_version": 2}), "has format version 2; this version of the program reads 1"),
        (json.dumps({"format_version": 1}), "missing field"),
        (json.dumps(good | {"period": "2026-09"}), "is the snapshot of 2026-09, not of 2026-10"),
    ]
    for text, words in cases:
        place.write_text(text)
        refused(run(place, BOOK, PERIOD, tmp_path / "out"), words, "hint:")


def test_what_is_pinned_can_be_read_in_full_or_not_at_all(server, store, bucket, delivery, tmp_path):
    """Pinning that fails refuses the run, and leaves nothing under a name that a reader would trust."""
    answer = (403, s3.refusal("AccessDenied", "Access Denied"))
    with s3.Proxy(server.endpoint, lambda method, path, _: answer if method == "PUT" else None) as proxy:
        done = run(delivery, BOOK, PERIOD, tmp_path / "out", "--pin", f"s3://{bucket}/pins",
                   env=s3.environment(proxy.endpoint))
    refused(done, f"s3://{bucket}/pins/", "access is denied")
    assert s3.keys(store, bucket, "pins/") == []
    if os.getuid() == 0:
        (tmp_path / "a-file").write_text("")
        refused(run(DEMO, BOOK, PERIOD, tmp_path / "out", "--pin", tmp_path / "a-file"), "a-file", "--pin")


# --- deliveries over time

def test_the_same_delivery_again_has_the_same_snapshot(pins, store, env, tmp_path):
    """Another assembly id around the same content: nothing is kept twice, and the snapshot has the same identity."""
    first = priced(DEMO, BOOK, PERIOD, tmp_path / "first", "--pin", pins, env=env)
    cost = copy_of_demo(tmp_path)
    manifest = json.loads((cost / MANIFEST).read_text())
    (cost / MANIFEST).write_text(json.dumps(manifest | {"executionId": "00000000-0000-0000-0000-000000000000"}))
    before = pinned(pins, store)
    again = priced(cost, BOOK, PERIOD, tmp_path / "again", "--pin", pins, env=env)
    assert again.reconciliation["snapshot"] == first.reconciliation["snapshot"]
    assert tree(again.out) == tree(first.out) and pinned(pins, store) == before


def test_a_month_to_date_that_is_written_again_replaces_the_whole_month(store, bucket, env, tmp_path):
    """Fewer lines than before: the new delivery counts alone, and the old one is still there, pinned."""
    s3.upload(store, bucket, "cur/", DEMO)
    cost, pins = f"s3://{bucket}/cur", f"s3://{bucket}/pins"
    first = priced(cost, BOOK, PERIOD, tmp_path / "first", "--pin", pins, env=env)
    store.put_object(Bucket=bucket, Key=f"cur/{DATA}/{FILES[0]}", Body=smaller(DEMO / DATA / FILES[0], tmp_path))
    second = priced(cost, BOOK, PERIOD, tmp_path / "second", "--pin", pins, env=env)
    assert second.reconciliation["lines"]["read"] == 500 + pq.read_metadata(DEMO / DATA / FILES[1]).num_rows
    assert second.reconciliation["snapshot"] != first.reconciliation["snapshot"]
    assert len(s3.keys(store, bucket, "pins/")) == 3, "the file that stayed the same is kept once"
    old = priced(first.out / "source.json", BOOK, PERIOD, tmp_path / "old", env=env)
    assert tree(old.out) == tree(first.out)


# --- other commands

def proforma(env, *arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=env, timeout=60)


def test_export_and_explain_find_the_cost_files_of_a_run_by_themselves(store, bucket, delivery, env, tmp_path):
    """From a store, and from the pinned copies when the store has them no more."""
    first = priced(delivery, BOOK, PERIOD, tmp_path / "run", "--pin", f"s3://{bucket}/pins", env=env)
    line = pq.read_table(DEMO / DATA / FILES[0], columns=["identity_line_item_id"])[0][0].as_py()
    answers = []
    for out in ["one", "other"]:
        exported = proforma(env, "export", "--run", first.out, "--out", tmp_path / out)
        assert exported.returncode == 0, exported.stderr
        explained = proforma(env, "explain", "--run", first.out, "--line", line)
        assert explained.returncode == 0, explained.stderr
        answers.append((tree(tmp_path / out), explained.stdout))
        for key in s3.keys(store, bucket, "cur/"):
            store.delete_object(Bucket=bucket, Key=key)
    assert answers[0] == answers[1]
    for key in s3.keys(store, bucket, "pins/"):
        store.delete_object(Bucket=bucket, Key=key)
    for command in [("export", "--out", tmp_path / "none"), ("explain", "--line", line)]:
        gone = proforma(env, command[0], "--run", first.out, *command[1:])
        assert gone.returncode == 2 and "is gone" in gone.stderr, gone.stderr


def test_a_run_with_its_export_comes_whole_to_a_store(store, bucket, delivery, env, tmp_path):
    here = priced(delivery, BOOK, PERIOD, tmp_path / "here", "--export", "cur2", env=env)
    done = run(delivery, BOOK, PERIOD, f"s3://{bucket}/out", "--export", "cur2", env=env)
    assert done.exit_code == 0, done.stderr
    assert s3.download(store, bucket, "out/") == tree(here.out, without=())
    assert any(name.startswith("pro-forma/") for name in tree(here.out))
    again = run(delivery, BOOK, PERIOD, f"s3://{bucket}/out", "--force", env=env)
    assert again.exit_code == 0, again.stderr
    assert not s3.keys(store, bucket, "out/pro-forma/")


def test_an_export_that_loses_the_store_says_so(server, delivery, env, tmp_path):
    first = priced(delivery, BOOK, PERIOD, tmp_path / "run", env=env)
    answer = (403, s3.refusal("AccessDenied", "Access Denied"))
    with s3.Proxy(server.endpoint, lambda method, path, _: answer if of_data(method, path) else None) as proxy:
        there = s3.environment(proxy.endpoint)
        done = proforma(there, "export", "--run", first.out, "--out", tmp_path / "out")
    assert done.returncode == 2 and "access is denied" in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()
