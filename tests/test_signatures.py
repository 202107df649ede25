"""Who asks, over the wire: signatures as AWS checks them, and requests that are none of an operation's."""
import datetime
import json
import re
import socket
import subprocess
import sys
import time
from urllib.parse import quote

import pytest

from desk import NUMBERS, Desk, name
from server import PAYER, QUIET, Keys

PATH, BODY = "/list-billing-groups", b"{}"
JSON = {"Content-Type": "application/json"}
UNSIGNED = {"Content-Type": "application/json"}


def seconds(number):
    return datetime.timedelta(seconds=number)


def listed(server, keys=None, path=PATH, body=BODY, method="POST", headers=None, **signing):
    return server.ask(method, path, body, keys, headers=JSON | (headers or {}), **signing)


def assert_refused(answer, error, status=403):
    assert (answer.status, answer.error) == (status, error), f"{answer.status} {answer.headers} {answer.body}"
    assert answer.json["Message"]
    assert answer.headers["x-amzn-requestid"]
    assert answer.headers["content-type"] == "application/json"


def test_a_signed_request_is_answered(server):
    answer = listed(server)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"[0-9a-z-]{10,36}", answer.headers["x-amzn-requestid"])
    assert answer.headers["x-amzn-requestid"] != listed(server).headers["x-amzn-requestid"]
    # What one caller may see no cache may keep for another.
    assert "no-store" in answer.headers["cache-control"]


def test_an_unknown_key(server):
    assert_refused(listed(server, Keys("AKIAIOSFODNN7EXAMPLE", "x" * 40)), "UnrecognizedClientException")


def test_a_wrong_secret(server):
    assert_refused(listed(server, Keys(server.root.access_key_id, "x" * 40)), "InvalidSignatureException")
    assert_refused(listed(server, Keys(server.root.access_key_id, server.root.secret_access_key[:-1])), "InvalidSignatureException")


@pytest.mark.parametrize("shift, accepted", [(-299, True), (299, True), (-301, False), (301, False), (-86400, False), (86400, False)])
def test_the_clock_of_a_signature(server, shift, accepted):
    # Dates are cut to seconds, which makes them older; five minutes to the second are within the window.
    answer = listed(server, shift=seconds(shift + (0 if shift < 0 else 1 if shift < 300 else 2)))
    if accepted:
        assert answer.status == 200, answer.body
    else:
        assert_refused(answer, "InvalidSignatureException")
        words = "Signature expired" if shift < 0 else "Signature not yet current"
        assert words in answer.json["Message"]


def test_no_signature(server):
    assert_refused(server.send("POST", PATH, BODY, UNSIGNED), "MissingAuthenticationTokenException")


@pytest.mark.parametrize("header", [
    "AWS4-HMAC-SHA256", "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256 Credential=AKID", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
    "AWS4-HMAC-SHA256 garbage", "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261110/us-east-1/billingconductor/aws4_request, SignedHeaders=host, Signature=00"])
def test_a_malformed_signature(server, header):
    answer = server.send("POST", PATH, BODY, UNSIGNED | {"Authorization": header, "X-Amz-Date": "20261110T120000Z"})
    assert answer.status in (400, 403) and answer.error in (
        "IncompleteSignatureException", "MissingAuthenticationTokenException", "InvalidSignatureException"), (answer.status, answer.error)


def parts_of(headers):
    return dict(re.findall(r"(Credential|SignedHeaders|Signature)=([^,]+)", headers["Authorization"]))


def written(parts):
    return "AWS4-HMAC-SHA256 " + ", ".join(f"{key}={value}" for key, value in parts.items())


def test_every_part_of_a_signature_must_be_there(server):
    for missing in ("Credential", "SignedHeaders", "Signature"):
        headers = server.signed("POST", PATH, BODY, headers=JSON)
        parts = {key: value for key, value in parts_of(headers).items() if key != missing}
        assert_refused(server.send("POST", PATH, BODY, headers | {"Authorization": written(parts)}), "IncompleteSignatureException", 400)
    headers = server.signed("POST", PATH, BODY, headers=JSON)
    headers.pop("X-Amz-Date")
    assert_refused(server.send("POST", PATH, BODY, headers), "IncompleteSignatureException", 400)


def test_what_was_signed_is_what_arrives(server):
    """A byte of anything that the signature covers is changed after signing."""
    base = server.signed("POST", PATH + "?a=1&b=2", BODY, headers=JSON | {"X-Amzn-Client-Token": "token"})
    assert server.send("POST", PATH + "?a=1&b=2", BODY, base).status == 200
    changed = [
        ("POST", PATH + "?a=1&b=2", b"{ }", {}), ("POST", PATH + "?a=1&b=3", BODY, {}), ("POST", PATH + "?a=1", BODY, {}),
        ("POST", "/list-pricing-plans?a=1&b=2", BODY, {}), ("PUT", PATH + "?a=1&b=2", BODY, {}), ("POST", PATH + "/?a=1&b=2", BODY, {}),
        ("POST", PATH + "?a=1&b=2", BODY, {"Content-Type": "text/plain"}), ("POST", PATH + "?a=1&b=2", BODY, {"X-Amzn-Client-Token": "other"}),
        ("POST", PATH + "?a=1&b=2", BODY, {"Host": "localhost"}), ("POST", PATH + "?a=1&b=2", BODY, {"X-Amz-Date": "20261110T120000Z"})]
    for method, path, body, headers in changed:
        answer = server.send(method, path, body, base | headers)
        assert answer.status in (403, 404) and answer.status != 200, (method, path, headers, answer.body)
        assert answer.error == "InvalidSignatureException", (method, path, headers, answer.body)


def test_a_flipped_signature(server):
    headers = server.signed("POST", PATH, BODY, headers=JSON)
    parts = parts_of(headers)
    for place in (0, 31, 63):
        other = parts["Signature"][:place] + ("0" if parts["Signature"][place] != "0" else "1") + parts["Signature"][place + 1:]
        assert_refused(server.send("POST", PATH, BODY, headers | {"Authorization": written(parts | {"Signature": other})}), "InvalidSignatureException")
    for signature in ("", parts["Signature"][:-1], parts["Signature"] + "0", parts["Signature"].upper()):
        answer = server.send("POST", PATH, BODY, headers | {"Authorization": written(parts | {"Signature": signature})})
        assert answer.error in ("InvalidSignatureException", "IncompleteSignatureException"), signature


def test_headers_that_say_something_must_be_signed(server):
    """An `x-amz-*` header that is added on the way is none of the caller's."""
    headers = server.signed("POST", PATH, BODY, headers=JSON)
    for added in ({"X-Amz-Security-Token": "x"}, {"X-Amz-Target": "x"}, {"X-Amzn-Client-Token": "x"}, {"X-Proforma-Billing-Period": "2026-09"}):
        answer = server.send("POST", PATH, BODY, headers | added)
        assert answer.status == 403, (added, answer.status)
    unhosted = server.signed("POST", PATH, BODY, headers=JSON)
    parts = parts_of(unhosted)
    assert "host" in parts["SignedHeaders"].split(";")
    without = parts | {"SignedHeaders": ";".join(item for item in parts["SignedHeaders"].split(";") if item != "host")}
    assert server.send("POST", PATH, BODY, unhosted | {"Authorization": written(without)}).status in (400, 403)


def test_another_services_signature(server):
    for service in ("invoicing", "s3", "sts", ""):
        answer = listed(server, service=service)
        # The scope says which service is asked, and none of these has the operation.
        assert (answer.status, answer.error) in [(404, "UnknownOperationException"), (403, "InvalidSignatureException"),
                                                 (400, "IncompleteSignatureException"), (400, "InvalidAction")], (service, answer.body)
        assert b"BillingGroups" not in answer.body


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "aws-global", "mars-1"])
def test_any_region_will_do(server, region):
    assert listed(server, region=region).status == 200
    assert server.client(region=region).list_billing_groups()["BillingGroups"] == []


def test_the_day_of_the_scope_is_that_of_the_date(server):
    headers = server.signed("POST", PATH, BODY, headers=JSON)
    parts = parts_of(headers)
    key, _, *rest = parts["Credential"].split("/")
    other = written(parts | {"Credential": "/".join([key, "20200101", *rest])})
    assert_refused(server.send("POST", PATH, BODY, headers | {"Authorization": other}), "InvalidSignatureException")


def test_a_key_that_is_deactivated_or_deleted(server):
    keys = server.keys(f"leaver-{next(NUMBERS)}", "analyst")
    assert listed(server, keys).status == 200
    server.command("keys", "deactivate", keys.access_key_id)
    until = time.monotonic() + 1
    while (answer := listed(server, keys)).status == 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert_refused(answer, "UnrecognizedClientException")
    deleted = server.keys(f"leaver-{next(NUMBERS)}", "analyst")
    server.command("keys", "delete", deleted.access_key_id)
    assert_refused(listed(server, deleted), "UnrecognizedClientException")
    shown = server.command("keys", "list", "--output", "json")
    assert keys.access_key_id in shown and deleted.access_key_id not in shown
    assert keys.secret_access_key not in shown


def test_the_same_request_twice(server):
    """boto3 repeats a request within the second with the same bytes: a signature that was seen is no replay."""
    headers = server.signed("POST", PATH, BODY, headers=JSON)
    assert [server.send("POST", PATH, BODY, headers).status for _ in range(3)] == [200] * 3


def test_unsigned_and_streamed_payloads(server):
    for payload in ("UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"):
        answer = listed(server, headers={"X-Amz-Content-SHA256": payload})
        assert answer.status in (400, 403), payload


# ---- Presigned

def tags_path(server):
    return "/tags/" + quote(Desk(server.client()).rule(Tags={"a": "b"}), safe="")


def test_a_presigned_read(server):
    path = server.presigned("GET", tags_path(server))
    answer = server.send("GET", path)
    assert (answer.status, answer.json) == (200, {"Tags": {"a": "b"}})
    assert_refused(server.send("GET", path + "&more=1"), "InvalidSignatureException")
    assert server.send("DELETE", path).status in (400, 403, 404)


def test_a_presigned_read_expires(server):
    path = server.presigned("GET", tags_path(server), shift=seconds(-120), expires=60)
    assert_refused(server.send("GET", path), "InvalidSignatureException")
    assert server.send("GET", server.presigned("GET", tags_path(server), shift=seconds(-120), expires=300)).status == 200
    for expires in (0, 604801):
        assert server.send("GET", server.presigned("GET", tags_path(server), expires=expires)).status in (400, 403)


def test_nothing_is_written_by_a_presigned_request(server):
    path = tags_path(server)
    answer = server.send("DELETE", server.presigned("DELETE", path + "?tagKeys=a"))
    assert answer.status in (400, 403)
    assert server.send("GET", server.presigned("GET", path)).json == {"Tags": {"a": "b"}}


def test_a_header_and_a_query_at_once(server):
    path = server.presigned("GET", tags_path(server))
    answer = server.send("GET", path, headers=server.signed("GET", path))
    assert answer.status in (400, 403)


# ---- Who am I

def test_sts_tells_who_asks(server):
    who = server.client(service="sts").get_caller_identity()
    assert who["Account"] == PAYER and who["Arn"].startswith(f"arn:aws:iam::{PAYER}:") and who["UserId"]
    keys = server.keys(called := f"viewer-{next(NUMBERS)}", "analyst")
    assert called in server.client(keys, service="sts").get_caller_identity()["Arn"]


def test_the_aws_cli_asks_sts(server):
    ended = subprocess.run([sys.executable, "-m", "awscli", "sts", "get-caller-identity", "--output", "json"], capture_output=True, text=True,
                           env=QUIET | server.root.environment | {"AWS_ENDPOINT_URL": server.endpoint, "PATH": "/usr/bin:/bin"}, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["Account"] == PAYER


# ---- Requests that are none

def assert_invalid(answer, reason, fields=None):
    assert (answer.status, answer.error) == (400, "ValidationException"), f"{answer.status} {answer.headers} {answer.body[:300]}"
    assert answer.reason == reason, answer.body[:300]
    assert fields is None or answer.fields == fields


@pytest.mark.parametrize("method, path", [
    ("GET", "/"), ("POST", "/"), ("POST", "/list-everything"), ("GET", PATH), ("DELETE", PATH), ("PUT", PATH), ("POST", PATH + "/"), ("POST", "/" + PATH),
    ("POST", PATH.upper()), ("PATCH", "/update-pricing-rule"), ("POST", "/update-pricing-rule"), ("GET", "/tags"), ("GET", "/tags/a/b"),
    ("PUT", "/tags/abcdefghij"), ("OPTIONS", PATH), ("POST", "/%6Cist-billing-groups/x")])
def test_what_no_operation_has(server, method, path):
    assert_invalid(server.ask(method, path, BODY if method != "GET" else b"", headers=JSON), "UNKNOWN_OPERATION")


CANNOT_PARSE = {
    "half": b'{"Name": "a"', "trailing": b'{"Name": "a"} x', "two": b'{"Name": "a"}{"Name": "b"}', "comma": b'{"Name": "a",}',
    "single quotes": b"{'Name': 'a'}", "bare": b"{Name: 1}", "NaN": b'{"Name": NaN}', "Infinity": b'{"Name": -Infinity}',
    "comment": b'{/* */"Name": "a"}', "text": b"hello", "not UTF-8": b'{"Name": "\xff"}', "UTF-16": '{"Name": "a"}'.encode("utf-16"),
    "BOM": b'\xef\xbb\xbf{"Name": "a"}', "lone surrogate": b'{"Name": "\\ud800"}', "raw control": b'{"Name": "a\nb"}',
    "duplicate keys": b'{"Name": "a", "Name": "b"}', "duplicate keys within": b'{"Name": "a", "Tags": {"a": "1", "a": "2"}}',
    "leading zero": b'{"Name": "a", "x": 01}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000, "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deep, cut": b'{"Tags":' * 100_000, "nul": b"\0"}


@pytest.mark.parametrize("body", CANNOT_PARSE.values(), ids=CANNOT_PARSE)
def test_a_body_that_is_no_json(server, body):
    assert_invalid(listed(server, path="/create-pricing-plan", body=body), "CANNOT_PARSE")


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"5", b"null", b"true"])
def test_a_body_that_is_no_object(server, body):
    answer = listed(server, path="/create-pricing-plan", body=body)
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert answer.reason in ("CANNOT_PARSE", "FIELD_VALIDATION_FAILED")


@pytest.mark.parametrize("digits", ["1e400", "-1e400", "1e999999999", "9" * 400, "1" + "0" * 20, "0." + "0" * 300 + "1x"])
def test_numbers_beyond_all_bounds(server, digits):
    body = b'{"Name": "huge", "Scope": "GLOBAL", "Type": "DISCOUNT", "ModifierPercentage": %s}' % digits.encode()
    answer = listed(server, path="/create-pricing-rule", body=body)
    assert (answer.status, answer.error) == (400, "ValidationException"), answer.body
    assert answer.reason in ("CANNOT_PARSE", "FIELD_VALIDATION_FAILED", "ILLEGAL_MODIFIER_PERCENTAGE")


def test_a_body_may_be_absent_where_nothing_is_required(server):
    assert listed(server, body=b"").status == 200
    assert_invalid(listed(server, path="/create-pricing-plan", body=b""), "FIELD_VALIDATION_FAILED", ["Name"])


def test_a_body_may_have_spaces_and_escapes(server):
    assert listed(server, path="/create-pricing-plan", body=b' \r\n\t{ "\\u004eame" : "escaped-%d" } \n' % next(NUMBERS)).status == 200


def test_a_body_that_is_too_large(server):
    huge = b'{"Name": "' + b"a" * (1 << 20) + b'"}'
    answer = listed(server, path="/create-pricing-plan", body=huge)
    assert answer.status in (400, 413), answer.status
    claimed = server.signed("POST", PATH, BODY, headers=JSON) | {"Content-Length": str(1 << 40)}
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = "".join(f"{key}: {value}\r\n" for key, value in claimed.items())
        connection.sendall(f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + BODY)
        assert connection.recv(100).split()[1] in (b"400", b"413")
    assert listed(server).status == 200


def test_a_request_of_two_lengths(server):
    headers = server.signed("POST", PATH, BODY, headers=JSON) | {"Content-Length": "2", "Transfer-Encoding": "chunked"}
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        connection.sendall(f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + b"2\r\n{}\r\n0\r\n\r\n")
        assert connection.recv(100).split()[1].startswith(b"4")


def test_paths_are_not_walked(server):
    for path in ("/tags/..%2f..%2fetc%2fpasswd", "/../../etc/passwd", "/tags/%2e%2e/list-billing-groups", "/tags/%zz", "/tags/%00"):
        answer = server.ask("GET", path)
        assert answer.status in (400, 403, 404), path
        assert b"root:" not in answer.body


def test_secrets_are_not_in_the_log(server):
    keys = server.keys(f"quiet-{next(NUMBERS)}", "analyst")
    listed(server, keys)
    listed(server, Keys(keys.access_key_id, "not-the-secret-of-anyone-0123456789abcdef"))
    log = server.log.read_text()
    assert keys.secret_access_key not in log and server.root.secret_access_key not in log
    # A line of the log is one JSON object, whatever a caller has put into names.
    server.call("CreatePricingPlan", {"Name": "a\r\n{\"level\": \"forged\"}"})
    assert all(json.loads(line) for line in log.splitlines()), log[-500:]


def test_names_with_anything_in_them_come_back(server):
    words = "<script>alert('x')</script> =1+1 \u202e \U0001f600 ${jndi} %s \x7f"
    desk = Desk(server.client())
    assert desk.plan_of(desk.plan(Name=name("plan"), Description=words))["Description"] == words
