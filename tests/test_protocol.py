"""HTTP and the protocols on it, byte by byte: what a client, a proxy or an attacker can send that no SDK would.

The store has no part in it, so one is enough. What takes its time to go wrong begins with the module and is looked at in its last tests.
"""
import contextlib
import gzip
import json
import select
import socket
import time
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote

import pytest
from botocore.credentials import Credentials

from desk import NUMBERS, Desk, arn, name, present
from server import PAYER, Keys
from test_signatures import BODY, JSON, PATH, assert_invalid, assert_refused, listed, seconds

pytestmark = pytest.mark.parametrize("new_server", ["sqlite"], indirect=True, scope="module")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
SECONDS_TO_ARRIVE = 3
# How long an answer may take, whose time begins when its request has arrived.
SECONDS_TO_ANSWER = 120
HALF_OPEN = 400


@pytest.fixture(scope="module")
def server(new_server):
    return new_server(transfers=False, options=["--arrival-seconds", str(SECONDS_TO_ARRIVE), "--concurrency", "8"])


@pytest.fixture(scope="module", autouse=True)
def slow(server):
    """Connections on which nothing goes on, in three states: no byte, half a head, half a body; and one that sends a byte now and then."""
    started = time.monotonic()
    signed = server.signed("POST", PATH, b" " * 100, headers=JSON) | {"Content-Length": "100"}
    parts = {"silent": b"", "head": f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-".encode(), "body": head_of("POST", PATH, signed) + b" " * 50}
    made = {kind: [connected(server) for _ in range(HALF_OPEN // len(parts))] for kind in parts}
    for kind, connections in made.items():
        for connection in connections:
            connection.sendall(parts[kind])
    yield started, made
    for connections in made.values():
        for connection in connections:
            connection.close()


@pytest.fixture(scope="module", autouse=True)
def patient(new_server):
    """A server that waits long for a body, and a connection on which half of one came when the module began."""
    server = new_server(transfers=False, options=["--arrival-seconds", "600"])
    connection = connected(server)
    signed = server.signed("POST", PATH, BODY, headers=JSON) | {"Content-Length": str(len(BODY))}
    connection.sendall(head_of("POST", PATH, signed) + BODY[:1])
    yield server, connection, time.monotonic()
    connection.close()


def connected(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def head_of(method, target, headers, version="HTTP/1.1"):
    return f"{method} {target} {version}\r\n{''.join(f'{key}: {value}' + chr(13) + chr(10) for key, value in headers.items())}\r\n".encode()


def exchanged(server, request, end=False, first=5.0, more=0.1):
    """What comes back: until the server closes, or nothing came for so many seconds; `end` closes our half after the request."""
    with contextlib.closing(connected(server)) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        told = b""
        with contextlib.suppress(ConnectionResetError):
            while select.select([connection], [], [], more if told else first)[0]:
                piece = connection.recv(65536)
                if not piece:
                    return told, True
                told += piece
        return told, False


def statuses(told):
    """The status of each answer in what came back."""
    return [int(line.split()[1]) for line in told.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")] + [
        int(piece.split()[0]) for piece in told.split(b"}HTTP/1.1 ")[1:]]


# ---- Clocks (B2)

def test_the_window_of_signatures_is_settable(new_server):
    wide = new_server(transfers=False, options=["--signature-minutes", "15"])
    for off, accepted in ((-301, True), (-898, True), (-901, False), (302, True), (898, True), (903, False)):
        answer = listed(wide, shift=seconds(off))
        assert (answer.status, answer.error) == ((200, "") if accepted else (403, "InvalidSignatureException")), off


# ---- Scopes and partitions (B3)

@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1"])
def test_regions_of_other_partitions_are_regions(server, region):
    """The clients sign for the region that they are set to; there is one server."""
    assert listed(server, region=region).status == 200


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-iso", "", "AWS"])
def test_resources_are_of_the_partition_of_billing_conductor(server, partition):
    # AWS's pattern takes China's, which names the same resource here.
    other = Desk(server.client()).plan().replace("arn:aws:", f"arn:{partition}:")
    answer = server.call("DeletePricingPlan", {"Arn": other})
    assert_invalid(answer, "FIELD_VALIDATION_FAILED", ["Arn"])
    assert server.call("ListTagsForResource", {"ResourceArn": other}).status in (400, 404)


# ---- Keys (B4)

def test_the_second_key_works_while_the_first_is_replaced(server):
    called = f"rotating-{next(NUMBERS)}"
    first = server.keys(called, "analyst")
    second = server.keys(called, "analyst")
    assert [listed(server, keys).status for keys in (first, second)] == [200, 200]
    # A principal has two keys at most.
    answer = server.ask("POST", "/", json.dumps({"PrincipalName": called, "Role": "analyst"}).encode(), service="proforma", headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "Proforma.CreateKey"})
    assert (answer.status, answer.error) == (400, "ValidationException") and first.access_key_id not in answer.body.decode()
    # What was signed before the key was replaced, and arrives after.
    signed = server.signed("POST", PATH, BODY, first, JSON)
    server.command("keys", "deactivate", first.access_key_id)
    until = time.monotonic() + 1
    while (answer := server.send("POST", PATH, BODY, signed)).status == 200 and time.monotonic() < until:
        time.sleep(0.02)
    assert_refused(answer, "UnrecognizedClientException")
    assert listed(server, second).status == 200
    server.command("keys", "activate", first.access_key_id)
    until = time.monotonic() + 1
    while (answer := listed(server, first)).status == 403 and time.monotonic() < until:
        time.sleep(0.02)
    assert answer.status == 200
    third = (server.command("keys", "delete", first.access_key_id), server.keys(called, "analyst"))[1]
    assert [listed(server, keys).status for keys in (second, third)] == [200, 200]


def test_there_are_no_sessions(server):
    """A session token is of a session that this server has not begun: expired, or never there."""
    root = server.root

    class Session(Keys):
        @property
        def credentials(self):
            return Credentials(self.access_key_id, self.secret_access_key, "FwoGZXIvYXdzEBYaDH")

    answer = listed(server, Session(root.access_key_id, root.secret_access_key))
    assert answer.status == 403 and answer.error in ("UnrecognizedClientException", "ExpiredTokenException"), answer.body
    path = server.presigned("GET", "/tags/" + quote(Desk(server.client()).rule(), safe=""), Session(root.access_key_id, root.secret_access_key))
    assert server.send("GET", path).status == 403


# ---- Bodies (B5)

def test_a_compressed_body_is_none(server):
    body = gzip.compress(b'{"Name": "squeezed"}')
    for headers in ({}, {"Content-Encoding": "gzip"}):
        assert_invalid(listed(server, path="/create-pricing-plan", body=body, headers=headers), "CANNOT_PARSE")


def test_a_body_that_ends_early(server):
    headers = server.signed("POST", PATH, BODY, headers=JSON) | {"Content-Length": "10"}
    told, closed = exchanged(server, head_of("POST", PATH, headers) + BODY, end=True)
    assert closed and (statuses(told) in ([400], []))


def test_bytes_after_a_body_are_no_part_of_it(server):
    """They are the next request, or none: never the first one's, and never answered under its signature."""
    headers = server.signed("POST", PATH, BODY, headers=JSON) | {"Content-Length": "2"}
    told, closed = exchanged(server, head_of("POST", PATH, headers) + BODY + b"trailing bytes\r\n\r\n", more=5.0)
    assert statuses(told) == [200, 400] and closed, told
    unsigned = head_of("POST", "/create-pricing-plan", {"Host": "x", "Content-Type": "application/json", "Content-Length": "15"}) + b'{"Name": "next"}'
    told, _ = exchanged(server, head_of("POST", PATH, headers) + BODY + unsigned, more=1.0)
    assert statuses(told)[:2] == [200, 403], told


def test_a_huge_body_is_refused_before_it_is_sent(server):
    # Whether somebody has the key that is named is not told before there is a signature to check.
    for keys in (server.root, Keys("AKIAIOSFODNN7EXAMPLE", "x" * 40)):
        for size in (1 << 21, 1 << 30, 1 << 62):
            headers = server.signed("POST", PATH, BODY, keys, JSON) | {"Content-Length": str(size)}
            told, _ = exchanged(server, head_of("POST", PATH, headers), first=0.5 if size < 1 << 26 else 5.0)
            # A book may be larger than what AWS's operations take, whoever names a key; no more than that is waited for.
            assert statuses(told) == ([413] if size > 1 << 26 else []), (size, told)
    assert statuses(exchanged(server, head_of("POST", PATH, {"Host": "x", "Content-Length": str(1 << 21)}))[0]) == [413]
    for length in ("18446744073709551616", "-1", "2, 2", "+2", "0x2", ""):
        headers = server.signed("POST", PATH, BODY, headers=JSON) | {"Content-Length": length}
        assert statuses(exchanged(server, head_of("POST", PATH, headers) + BODY)[0])[0] in (200, 400, 413), length


# ---- JSON (B6)

def test_a_million_members(server):
    members = ",".join(f'"a{number}":1' for number in range(1_000_000))
    assert listed(server, body=f"{{{members}}}".encode()).status == 413
    members = ",".join(f'"{number:x}":1' for number in range(100_000))
    started = time.monotonic()
    assert listed(server, body=f"{{{members}}}".encode()).status == 200
    rules = ",".join(f'"{arn("pricingrule", f"{number:010}")}"' for number in range(15_000))
    assert_invalid(listed(server, body=f'{{"Filters": {{"Arns": [{rules}]}}}}'.encode()), "FIELD_VALIDATION_FAILED")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("operation, given, field", [
    ("CreatePricingPlan", {"Name": None}, "Name"), ("CreatePricingRule", {"Name": "n", "Scope": None, "Type": "MARKUP"}, "Scope"),
    ("CreateBillingGroup", {"Name": "n", "AccountGrouping": None, "ComputationPreference": None}, "AccountGrouping"),
    ("AssociateAccounts", {"Arn": "0000000001", "AccountIds": None}, "AccountIds")])
def test_null_for_what_is_required_is_nothing(server, operation, given, field):
    answer = server.call(operation, given)
    assert_invalid(answer, "FIELD_VALIDATION_FAILED")
    assert field in answer.fields


def test_null_for_what_is_optional_is_absent(server):
    answer = server.call("CreatePricingPlan", {"Name": name("plan"), "Description": None, "PricingRuleArns": None})
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1"])
def test_json_is_utf_8(server, encoding):
    body = '{"Name": "café"}'.encode(encoding)
    assert_invalid(listed(server, path="/create-pricing-plan", body=body), "CANNOT_PARSE")


# ---- HTTP (B21)

def test_what_is_no_request(server):
    for bytes_ in (b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"POST /list-billing-groups\r\n\r\n", b"G\xc3\xa9T / HTTP/1.1\r\nHost: x\r\n\r\n",
                   b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"):
        told, closed = exchanged(server, bytes_, more=5.0)
        assert closed and statuses(told) in ([400], []), (bytes_, told)


@pytest.mark.parametrize("method, target", [
    ("TRACE", "/list-billing-groups"), ("CONNECT", "127.0.0.1:22"), ("CONNECT", "/list-billing-groups"), ("OPTIONS", "*"), ("HEAD", "/list-billing-groups"),
    ("GET", "http://169.254.169.254/latest/meta-data/"), ("POST", "http://elsewhere.example/list-billing-groups"), ("BREW", "/"), ("GET", "//"),
    ("POST", "//list-billing-groups"), ("POST", "/list-billing-groups//"), ("POST", "/./list-billing-groups"), ("POST", "/x/../list-billing-groups"),
    ("POST", "/list-billing-groups#x"), ("POST", "/list%2dbilling-groups"), ("POST", "/list-billing-groups%00"), ("POST", "/list-billing-groups;a=b")])
def test_no_form_of_a_target_is_a_way_around_the_signature(server, method, target):
    headers = {"Host": "x", "Content-Type": "application/json", "X-Canary": "echo-me", "Content-Length": "2"}
    told, _ = exchanged(server, head_of(method, target, headers) + BODY)
    assert statuses(told) and all(400 <= status < 500 for status in statuses(told)), told
    assert b"echo-me" not in told and b"BillingGroups" not in told


def test_the_absolute_form_is_the_same_request(server):
    """A proxy may write it; the host that was signed is the header's."""
    headers = server.signed("POST", PATH, BODY, headers=JSON) | {"Content-Length": "2"}
    told, _ = exchanged(server, head_of("POST", server.endpoint + PATH, headers) + BODY)
    assert statuses(told) == [200], told


def test_a_slash_within_an_arn_is_encoded(server):
    made = Desk(server.client()).rule(Tags={"a": "b"})
    encoded = quote(made, safe="")
    assert server.ask("GET", "/tags/" + encoded).json == {"Tags": {"a": "b"}}
    assert server.ask("GET", "/tags/" + encoded.replace("%2F", "%2f").replace("%3A", ":")).json == {"Tags": {"a": "b"}}
    for other in (made, encoded.replace("%2F", "/"), encoded.replace("%2F", "%252F"), encoded.replace("%2F", "%2F%2F"), encoded + "%2F", "/" + encoded):
        answer = server.ask("GET", "/tags/" + other)
        assert 400 <= answer.status < 500 and b'"b"' not in answer.body, other


def test_two_framings_are_refused_and_end_the_connection(server):
    """What follows is neither answered nor taken for a request: whoever stands before the server may have read it otherwise."""
    signed = server.signed("POST", PATH, BODY, headers=JSON)
    smuggled = head_of("POST", PATH, signed | {"Content-Length": "2"}) + BODY
    for headers, body in (({"Content-Length": "2", "Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n"), ({"Transfer-Encoding": "chunked"}, b"0\r\n\r\n"),
                          ({"Content-Length": "5", "Transfer-Encoding": "chunked"}, b"0\r\n\r\n"), ({"Transfer-Encoding": "chunked, identity"}, b"2\r\n{}\r\n0\r\n\r\n"),
                          ({"Transfer-Encoding": "xchunked", "Content-Length": "2"}, b"{}"), ({"Transfer-Encoding": "gzip, chunked"}, b"0\r\n\r\n")):
        told, closed = exchanged(server, head_of("POST", PATH, signed | headers) + body + smuggled, more=5.0)
        assert closed and len(statuses(told)) <= 1 and set(statuses(told)) <= {400}, (headers, told)
    twice = head_of("POST", PATH, signed | {"Content-Length": "2"})[:-2] + b"Content-Length: 3\r\n\r\n"
    told, closed = exchanged(server, twice + BODY + smuggled, more=5.0)
    assert closed and statuses(told) == [400], told


def test_headers_have_a_limit(server):
    for size, expected in ((16_000, [200]), (64_000, [431]), (300_000, [431])):
        told, _ = exchanged(server, head_of("POST", PATH, server.signed("POST", PATH, BODY, headers=JSON) | {
            "Content-Length": "2", "X-Filler": "a" * size}) + BODY)
        assert statuses(told)[:1] == expected, (size, told[:200])
    many = {f"X-{number}": "a" for number in range(200)}
    told, _ = exchanged(server, head_of("POST", PATH, server.signed("POST", PATH, BODY, headers=JSON) | many | {"Content-Length": "2"}) + BODY)
    assert statuses(told)[:1] == [431], told[:200]
    told, _ = exchanged(server, head_of("GET", "/tags/" + "a" * 70_000, {"Host": "x"}))
    assert statuses(told)[0] in (400, 403, 414, 431)


def test_headers_that_end_lines_are_none(server):
    for header in (b"X-A: b\nX-B: c\rX-C: d", b"X-A : b", b"X-A: b\0c", b" X-A: b", b"X A: b", b"X-A: b\r\n folded"):
        told, _ = exchanged(server, head_of("POST", PATH, {"Host": "x", "Content-Length": "2"})[:-2] + header + b"\r\n\r\n" + BODY)
        assert all(400 <= status < 500 for status in statuses(told)), (header, told)


# ---- Protocols (B22)

@pytest.mark.parametrize("kind, status", [
    ("application/json", 200), ("application/json; charset=utf-8", 200), ("APPLICATION/JSON", 200), ("application/x-amz-json-1.0", 415),
    ("application/x-amz-json-1.1", 415), ("application/x-www-form-urlencoded", 415), ("text/xml", 415), ("text/plain", 415), ("", 415)])
def test_rest_json_is_json(server, kind, status):
    answer = listed(server, headers={"Content-Type": kind})
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind, target, status", [
    ("application/x-amz-json-1.0", "Proforma.ListKeys", 200), ("application/x-amz-json-1.1", "Proforma.ListKeys", 415),
    ("application/json", "Proforma.ListKeys", 415), ("application/x-amz-json-1.0", "Proforma.Nothing", 404),
    ("application/x-amz-json-1.0", "AWSBillingConductor.ListBillingGroups", 404), ("application/x-amz-json-1.0", None, 404)])
def test_our_own_service_is_json_1_0(server, kind, target, status):
    answer = server.ask("POST", "/", BODY, service="proforma", headers=present({"Content-Type": kind, "X-Amz-Target": target}))
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    if status != 200:
        assert answer.json["__type"] == answer.error


def xml_of(answer):
    assert answer.headers["content-type"] == "text/xml", answer.headers
    tree = ElementTree.fromstring(answer.body)
    return {element.tag.rpartition("}")[2]: element.text for element in tree.iter()}


def test_sts_speaks_forms_and_xml(server):
    for answer in (server.ask("POST", "/", IDENTITY, service="sts", headers=FORM), server.ask("GET", "/?" + IDENTITY.decode(), service="sts"),
                   server.send("GET", server.presigned("GET", "/?" + IDENTITY.decode(), service="sts"))):
        assert answer.status == 200, answer.body
        told = xml_of(answer)
        assert told["Account"] == PAYER and told["RequestId"] == answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize("body", [b"Action=AssumeRole&Version=2011-06-15", b"Action=GetCallerIdentity&Version=2010-05-08", b"Version=2011-06-15", b"",
                                  b"{}", b"Action=%zz", b"Action=getcalleridentity&Version=2011-06-15", b"&=&==" * 1000, b"Action=" + b"a" * 50_000])
def test_what_sts_does_not_do(server, body):
    answer = server.ask("POST", "/", body, service="sts", headers=FORM)
    assert (answer.status, answer.error) == (400, "InvalidAction"), answer.body
    assert xml_of(answer)["Code"] == "InvalidAction"


def test_sts_has_the_names_of_its_protocol(server):
    strangers, wrong = Keys("AKIAIOSFODNN7EXAMPLE", "x" * 40), Keys(server.root.access_key_id, "x" * 40)
    for keys, error in ((strangers, "InvalidClientTokenId"), (wrong, "SignatureDoesNotMatch")):
        answer = server.ask("POST", "/", IDENTITY, keys, FORM, service="sts")
        assert (answer.status, xml_of(answer)["Code"]) == (403, error)
    answer = server.send("POST", "/", IDENTITY, FORM)
    assert (answer.status, xml_of(answer)["Code"]) == (403, "MissingAuthenticationToken")
    # A path of another protocol, signed for STS.
    assert server.ask("POST", PATH, BODY, headers=JSON, service="sts").status in (400, 404)


# ---- What takes its time (B5, B21)

def test_a_server_with_many_idle_connections_answers(server, slow):
    """They take no place from whoever has sent a request."""
    assert [listed(server).status for _ in range(20)] == [200] * 20
    many = [connected(server) for _ in range(300)]
    try:
        assert listed(server).status == 200
    finally:
        for connection in many:
            connection.close()


def test_connections_on_which_nothing_arrives_end(server, slow):
    """After their time, and however they are kept alive a byte at a time."""
    drip = connected(server)
    signed = server.signed("POST", PATH, b" " * 100, headers=JSON) | {"Content-Length": "100"}
    drip.sendall(head_of("POST", PATH, signed))
    began, started, made = time.monotonic(), *slow
    told = b""
    while time.monotonic() - began < SECONDS_TO_ARRIVE + 2 and not told:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            drip.sendall(b" ")
        if select.select([drip], [], [], 0.2)[0]:
            told = drip.recv(1000)
    drip.close()
    assert statuses(told) == [408], told
    assert time.monotonic() - started > SECONDS_TO_ARRIVE + 1
    for kind, connections in made.items():
        for connection in connections:
            connection.settimeout(5)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(1000):
                    answer += piece
            assert statuses(answer) in ([408], []), kind
    assert listed(server).status == 200


def test_a_body_may_take_longer_to_arrive_than_its_answer(patient):
    """An upload over a slow line is no slow answer."""
    server, connection, began = patient
    time.sleep(max(0.0, began + SECONDS_TO_ANSWER + 2 - time.monotonic()))
    connection.sendall(BODY[1:])
    assert statuses(connection.recv(65536)) == [200]
    assert listed(server).status == 200
