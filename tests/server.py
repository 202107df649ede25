"""`proforma serve` as its users meet it: set up and started as a program, asked through boto3 or byte by byte, and stopped."""
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

import boto3
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from program import PROGRAM
from wire_model import MODEL, STATUS, check_answer

PAYER = "999999999999"
# The clock of billing decisions stands still; signatures are judged by the real one.
NOW = "2026-11-10T12:00:00Z"
SECONDS_NOW = 1794312000
CURRENT, PREVIOUS, NEXT = "2026-11", "2026-10", "2026-12"
REGION = "us-east-1"
SECONDS_TO_START, SECONDS_TO_STOP, SECONDS_TO_ANSWER = 60, 30, 60
# Nothing of the machine's own settings reaches the clients.
QUIET = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


@dataclass(frozen=True)
class Keys:
    """An access key pair, and what `proforma` calls the principal that has it."""
    access_key_id: str
    secret_access_key: str
    principal: str = "root"

    @property
    def credentials(self):
        return Credentials(self.access_key_id, self.secret_access_key)

    @property
    def environment(self):
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
                "AWS_DEFAULT_REGION": REGION}


@dataclass(frozen=True)
class Answer:
    """An answer as it came; header names are in lower case."""
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.headers.get("x-amzn-errortype", "").split(":")[0]

    @property
    def reason(self):
        return self.json.get("Reason")

    @property
    def fields(self):
        return [item["Name"] for item in self.json.get("Fields", [])]


@dataclass
class Server:
    """A data folder and, once started, the server on it; `database` is the address of a PostgreSQL database."""
    data: pathlib.Path
    database: str | None = None
    payer: str = PAYER
    now: str = NOW
    root: Keys = None
    port: int = None
    process: subprocess.Popen = None
    log: pathlib.Path = None
    options: list = field(default_factory=list)
    scheme: str = "http"
    cost_roots: str = "/"

    @property
    def endpoint(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def stored(self):
        """How commands that need no running server name the store."""
        return ["--data", self.data] + (["--database", self.database] if self.database else [])

    def init(self):
        made = json.loads(command("init", *self.stored, "--payer", self.payer, "--output", "json"))
        assert made["Payer"] == self.payer
        self.root = Keys(made["AccessKeyId"], made["SecretAccessKey"])
        return self

    def start(self):
        self.log = pathlib.Path(f"{self.data}.log")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", *self.stored, "--listen", "127.0.0.1:0", "--now", self.now, "--cost-roots", self.cost_roots, *self.options],
            stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True, env=os.environ | QUIET)
        lines = queue.Queue()
        threading.Thread(target=lambda out: [lines.put(line) for line in out], args=[self.process.stdout], daemon=True).start()
        try:
            line = lines.get(timeout=SECONDS_TO_START).strip()
        except queue.Empty:
            self.kill()
            raise RuntimeError(f"the server does not start: {self.log.read_text()}") from None
        prefix = f"listening on {self.scheme}://127.0.0.1:"
        assert line.startswith(prefix), line
        self.port = int(line.removeprefix(prefix))
        return self

    def stop(self):
        """Ends it as a service manager does; a server that does not end, or ends badly, fails the test."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(SECONDS_TO_STOP) == 0, self.log.read_text()[-2000:]

    def kill(self):
        self.process.kill()
        self.process.wait(SECONDS_TO_STOP)

    def restart(self):
        self.stop()
        return self.start()

    # ---- Asking

    def client(self, keys=None, service="billingconductor", region=REGION, checked=True, **options):
        """An unmodified client of boto3 that tries once; its answers are held to the model."""
        keys = keys or self.root
        session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, region_name=region)
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=40, read_timeout=SECONDS_TO_ANSWER)
        client = session.client(service, endpoint_url=self.endpoint, config=config, **options)
        if checked and service == "billingconductor":
            client.meta.events.register("after-call.billingconductor", checked_by_model)
        return client

    def command(self, *arguments, keys=None):
        """What a command of the program prints that asks the running server."""
        return command(*arguments, "--endpoint", self.endpoint, env=(keys or self.root).environment)

    def keys(self, principal, role, groups=(), accounts=()):
        """New keys of a new principal."""
        narrowed = [part for group in groups for part in ("--billing-group", group)]
        narrowed += [part for account in accounts for part in ("--account", account)]
        made = json.loads(self.command("keys", "create", "--principal", principal, "--role", role, *narrowed, "--output", "json"))
        return Keys(made["AccessKeyId"], made["SecretAccessKey"], principal)

    def apply(self, book, *options):
        """Puts a book's settings in."""
        path = pathlib.Path(f"{self.data}.book.json")
        path.write_text(json.dumps(book))
        self.command("book", "apply", path, *options)

    def load(self, folder, period=PREVIOUS):
        """Registers cost files, and waits until the month is priced."""
        self.command("import", "--cost", folder, "--period", period)
        self.settle()

    def settle(self):
        """Waits until every month is priced as the configuration now is."""
        self.command("runs", "wait")

    def call(self, operation, given=None, keys=None, **options):
        """An operation with any input at all: what botocore would refuse to send goes out as it is."""
        method, path, body, headers = request_of(operation, {} if given is None else given)
        return self.ask(method, path, body, keys, headers=headers | options.pop("headers", {}), **options)

    def own(self, operation, given=None, keys=None):
        """An operation of the desk's own service, with any input at all."""
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"Proforma.{operation}"}
        return self.ask("POST", "/", json.dumps(given or {}).encode(), keys, headers=headers, service="proforma")

    def ask(self, method, path, body=b"", keys=None, headers=None, **signing):
        """A signed request, byte by byte; `path` is sent as it stands."""
        signed = self.signed(method, path, body, keys, headers, **signing)
        return self.send(method, path, body, signed)

    def signed(self, method, path, body=b"", keys=None, headers=None, service="billingconductor", region=REGION,
               shift=datetime.timedelta(), signer=None):
        """The headers of a request with its signature of now + `shift`."""
        request = AWSRequest(method, self.endpoint + path, headers=headers or {}, data=body)
        (signer or Signer)((keys or self.root).credentials, service, region, shift).add_auth(request)
        return {"Host": urlsplit(self.endpoint).netloc} | dict(request.headers.items())

    def presigned(self, method, path, keys=None, shift=datetime.timedelta(), expires=300, **of):
        """A path and query that carry their signature."""
        request = AWSRequest(method, self.endpoint + path, headers={})
        QuerySigner((keys or self.root).credentials, of.get("service", "billingconductor"), of.get("region", REGION), shift,
                    expires).add_auth(request)
        return request.url.removeprefix(self.endpoint)

    def send(self, method, path, body=b"", headers=None):
        """A request without a signature but what `headers` has."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_TO_ANSWER)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if "Content-Length" not in (headers or {}) and (body or method in ("POST", "PUT")):
                connection.putheader("Content-Length", str(len(body)))
            # A server may refuse a body that is too large before it has read it.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(body or None)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


class Signer(SigV4Auth):
    """botocore's signature at another time than now."""

    def __init__(self, credentials, service, region, shift):
        super().__init__(credentials, service, region)
        self.shift = shift

    def _modify_request_before_signing(self, request):
        request.context["timestamp"] = (datetime.datetime.now(datetime.UTC) + self.shift).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)


class QuerySigner(SigV4QueryAuth):
    """The same in the query of an address."""

    def __init__(self, credentials, service, region, shift, expires):
        super().__init__(credentials, service, region, expires=expires)
        self.shift = shift

    def _modify_request_before_signing(self, request):
        request.context["timestamp"] = (datetime.datetime.now(datetime.UTC) + self.shift).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)


def command(*arguments, env=None):
    """What a command of the program prints; it must succeed."""
    ended = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, env=os.environ | QUIET | (env or {}))
    assert ended.returncode == 0, f"proforma {' '.join(map(str, arguments))}: {ended.stderr}"
    return ended.stdout


def request_of(operation, given):
    """Method, path, body and headers of an operation, by botocore's model; the input need not be valid."""
    model = MODEL.operation_model(operation)
    path, query, headers, body = model.http["requestUri"], [], {}, {}
    members = model.input_shape.members
    for name, value in given.items() if isinstance(given, dict) else ():
        where = members[name].serialization if name in members else {}
        if where.get("location") == "uri":
            path = path.replace("{" + where["name"] + "}", quote(value, safe="-_.~"))
        elif where.get("location") == "querystring":
            query += [(where["name"], item) for item in value]
        elif where.get("location") == "header":
            headers[where["name"]] = value
        else:
            body[name] = value
    if query:
        path += "?" + urlencode(query, quote_via=quote)
    if model.http["method"] in ("GET", "DELETE"):
        return model.http["method"], path, b"", headers
    content = json.dumps(body if isinstance(given, dict) else given).encode()
    return model.http["method"], path, content, headers | {"Content-Type": "application/json"}


def checked_by_model(http_response, parsed, model, **_):
    headers = {name.lower(): value for name, value in http_response.headers.items()}
    check_answer(model, http_response.status_code, headers, http_response.content)


@contextlib.contextmanager
def refused(error, reason=None):
    """Expects boto3 to raise an error of a name, its status and a reason; what it raised is in the result's `error`."""
    class Caught:
        error = None
    caught = Caught()
    try:
        yield caught
    except ClientError as raised:
        caught.error = raised
        answer = raised.response
        there = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer.get("Reason")
        assert there == (error, STATUS[error], reason), f"{there}: {raised}"
    else:
        raise AssertionError(f"expected {error} {reason or ''}, but it succeeded")


def invalid(reason):
    """Expects a ValidationException."""
    return refused("ValidationException", reason)


def in_period(client, period):
    """The same client, whose writes count from an open month of the past on: a header of ours, signed as any other."""
    def add(request, **_):
        request.headers["X-Proforma-Billing-Period"] = period
    client.meta.events.register("before-sign.billingconductor", add)
    return client
