"""A second signer: what botocore signs, in headers and in addresses, is accepted; changed after that it is refused.

The verifier is asked by itself (`crates/aws-wire/examples/verify.rs`), so that paths and queries need not be an operation's.
`PROFORMA_SEED` repeats the requests of a run that printed it.
"""
import collections
import datetime
import hashlib
import json
import os
import random
import subprocess
import time
from urllib.parse import quote, urlsplit

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from program import ROOT, TARGET
from server import QuerySigner, Signer

REQUESTS = 2000
KEY, SECRET, SERVICE = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "billingconductor"
UNRESERVED = "-_.~"
TEXTS = ["a", "arn:aws:billingconductor::123456789012:pricingplan/a1B2", "a b", "a  b", "a+b", "a=b", "a&b", "é", "日本", "😀", "100%", "%2F", "%25",
         "/", "..", "?#", "~", "*", "(x)", "'\"", "a,b;c", "", "A", "\t", "\\", "{}", "^|`<>", "a%zz"]
NOT_SIGNED = {"user-agent", "x-amzn-trace-id", "expect", "transfer-encoding"}


def escaped(text):
    return quote(text, safe=UNRESERVED)


def path(chance):
    # Sub-delimiters stand in paths as they are or as escapes, and the signature tells these apart.
    texts = [text for text in TEXTS if text != ".."]
    segments = [chance.choice([escaped(chance.choice(texts)), "list-billing-groups", "a!$'(),:;=@b", "a&b+c", ".", ""]) for _ in range(chance.randint(0, 4))]
    # A step back has something to go back from.
    if chance.random() < 0.2:
        segments += ["x", ".."]
    return "/" + "/".join(segments)


def query(chance):
    names = [chance.choice(TEXTS[:14]) or "n" for _ in range(chance.randint(0, 5))]
    pairs = [f"{escaped(name)}={escaped(chance.choice(TEXTS))}" for name in names]
    if pairs and chance.random() < 0.5:
        pairs += [f"tagKeys={escaped(chance.choice(TEXTS))}", f"tagKeys={escaped(chance.choice(TEXTS))}", "empty=", "bare"]
    chance.shuffle(pairs)
    return "&".join(pairs)


def headers(chance, body):
    values = ["v", "two  spaces", " around ", "a\tb", "a, b", '"quoted  text"', "x" * 200, "semi;colon=1"]
    names = ["My-Header", "accept", "x-proforma-billing-period", "X-Amz-Target", "x-amzn-client-token", "User-Agent", "X-Amzn-Trace-Id", "Zeta", "_a.b"]
    given = [(name, chance.choice(values)) for name in chance.sample(names, chance.randint(0, 5))]
    if chance.random() < 0.3:
        given += [("repeated", chance.choice(values)), ("repeated", chance.choice(values))]
    if chance.random() < 0.7:
        given.append(("Content-Type", "application/json; charset=utf-8"))
    if chance.random() < 0.3:
        given.append(("X-Amz-Content-SHA256", hashlib.sha256(body).hexdigest()))
    return given


def signed(chance):
    """A request with its signature, as the verifier is asked about it."""
    presigned = chance.random() < 0.4
    method = "GET" if presigned else chance.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"])
    body = b"" if presigned or method in ("GET", "HEAD") else chance.choice(["", "{}", '{"Name":"é"}', "\0" * 3, "😀" * 50]).encode()
    host = chance.choice(["localhost:8080", "billingconductor.us-east-1.amazonaws.com", "127.0.0.1:1", "[::1]:8080"])
    request = AWSRequest(method, f"http://{host}{path(chance)}?{query(chance)}".rstrip("?"), data=body)
    for name, value in headers(chance, body):
        # A presigned address carries what would be such a header.
        if not (presigned and name.lower() in ("content-type", "x-amz-content-sha256")):
            request.headers.add_header(name, value)
    region, shift = chance.choice(["us-east-1", "eu-central-1", "aws-global"]), datetime.timedelta(seconds=chance.randint(-200, 200))
    credentials = Credentials(KEY, SECRET)
    if presigned:
        QuerySigner(credentials, SERVICE, region, shift, expires=chance.randint(300, 604800)).add_auth(request)
    else:
        Signer(credentials, SERVICE, region, shift).add_auth(request)
    parts = urlsplit(request.url)
    sent = [(name, value) for name, value in request.headers.items() if name.lower() != "host"] + [("Host", host)]
    return {"method": method, "path": parts.path, "query": parts.query, "headers": sent, "body": body.decode(), "service": SERVICE,
            "now_seconds": int(time.time()), "access_key_id": KEY, "secret": SECRET}


def other(digit):
    return "0" if digit != "0" else "1"


def without_last_digit(text):
    """Its last character is another one."""
    return text[:-1] + other(text[-1])


def changes(asked):
    """Everything that can be changed about a request, by what it is called; each makes it another request."""
    headers, presigned = asked["headers"], "X-Amz-Signature" in asked["query"]
    covered = [at for at, (name, _) in enumerate(headers) if name.lower() not in NOT_SIGNED | {"authorization"}]
    pairs = asked["query"].split("&") if asked["query"] else []

    def header(at, value):
        return {"headers": headers[:at] + ([(headers[at][0], value)] if value is not None else []) + headers[at + 1:]}

    yield "body", {"body": asked["body"] + "x"}
    yield "path", {"path": asked["path"] + "x"}
    if asked["path"][-1].isalnum():
        yield "path, a byte as an escape", {"path": f"{asked['path'][:-1]}%{ord(asked['path'][-1]):02X}"}
    yield "method", {"method": "PUT" if asked["method"] != "PUT" else "POST"}
    yield "query, a pair more", {"query": "&".join([*pairs, "zz=1"])}
    if len(pairs) > 1:
        yield "query, a pair less", {"query": "&".join(pairs[1:])}
    yield "secret", {"secret": without_last_digit(SECRET)}
    yield "key", {"access_key_id": "AKIDOTHER"}
    yield "service", {"service": "sts"}
    yield "earlier", {"now_seconds": asked["now_seconds"] - 600}
    yield "later", {"now_seconds": asked["now_seconds"] + (604800 if presigned else 300) + 201}
    yield "decisive header more", {"headers": [*headers, ("X-Amz-Extra", "1")]}
    for at in covered:
        yield "header changed", header(at, headers[at][1] + "x")
        yield "header removed", header(at, None)
    if presigned:
        yield "signature", {"query": without_last_digit(asked["query"])}
    else:
        place = next(at for at, (name, _) in enumerate(headers) if name == "Authorization")
        yield "signature", header(place, without_last_digit(headers[place][1]))
        yield "signature removed", header(place, None)


@pytest.fixture(scope="module")
def judged():
    """Asks the verifier about requests, a line each."""
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--workspace", "--example", "verify"], cwd=ROOT, check=True)

    def judged(asked):
        lines = "".join(json.dumps(one) + "\n" for one in asked)
        ended = subprocess.run([TARGET / "debug" / "examples" / "verify"], input=lines, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
        answers = ended.stdout.splitlines()
        assert len(answers) == len(asked)
        return answers

    return judged


def test_what_botocore_signs_is_accepted_and_changed_refused(judged):
    seed = int(os.environ.get("PROFORMA_SEED") or random.SystemRandom().getrandbits(32))
    print(f"PROFORMA_SEED={seed}")
    chance = random.Random(seed)
    asked = [signed(chance) for _ in range(REQUESTS)]
    refused = [(answer, one) for answer, one in zip(judged(asked), asked) if answer != "accepted"]
    assert not refused, f"{len(refused)} refused, such as {refused[0]}"
    wrong, kinds = [], collections.Counter()
    for one in asked:
        kind, change = chance.choice(list(changes(one)))
        kinds[kind] += 1
        wrong.append((kind, one | change))
    assert len(kinds) == 16, kinds
    accepted = [one for answer, one in zip(judged([one for _, one in wrong]), wrong) if answer == "accepted"]
    assert not accepted, f"{len(accepted)} accepted, such as {accepted[0]}"
