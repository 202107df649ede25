"""A mail server and a receiver of webhooks that tests start: they take what comes, or refuse it as a test says."""
import asyncio
import contextlib
import email
import email.policy
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

SECONDS_TO_ARRIVE = 40


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@dataclass(frozen=True)
class Mail:
    """A mail as it came: the envelope, and what is in it."""
    sender: str
    recipients: tuple
    message: email.message.EmailMessage
    was_covered: bool

    @property
    def text(self):
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self):
        return self.message.get_body(("html",)).get_content()

    @property
    def files(self):
        return {part.get_filename(): part.get_content() for part in self.message.iter_attachments()}


@dataclass
class MailServer:
    """A mail server; `answers` are what it says to the next mails in place of taking them, `unknown` whom it does not know."""
    port: int = field(default_factory=free_port)
    mails: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    unknown: set = field(default_factory=set)
    attempts: int = 0
    seconds: float = 0
    # How many of the next mails it takes without a word: the connection is gone.
    silent: int = 0
    options: dict = field(default_factory=dict)
    controller: Controller = None

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=20, **self.options)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.unknown:
            self.attempts += 1
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.attempts += 1
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.silent:
            self.silent -= 1
            server.transport.abort()
            return "250 nobody hears this"
        if self.answers:
            answer = self.answers.pop(0)
            if answer:
                return answer
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append(Mail(envelope.mail_from, tuple(envelope.rcpt_tos), message, session.ssl is not None))
        return "250 taken"

    def wait(self, count=1, seconds=SECONDS_TO_ARRIVE):
        """The mails, once there are so many."""
        until = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < until, f"{len(self.mails)} of {count} mails have arrived"
            time.sleep(0.02)
        return self.mails


def covered(folder, user=None):
    """What a mail server is started with that speaks STARTTLS, and takes nothing without it; and the certificate by which it is known."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=mail",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "mail.key", "-out", folder / "mail.pem"],
                   check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem", folder / "mail.key")
    options = {"tls_context": context, "require_starttls": True}
    if user:
        def known(server, session, envelope, mechanism, given):
            is_known = isinstance(given, LoginPassword) and (given.login.decode(), given.password.decode()) == user
            return AuthResult(success=is_known, handled=False)
        options |= {"authenticator": known, "auth_required": True}
    return options, folder / "mail.pem"


@dataclass(frozen=True)
class Request:
    """A request as it came."""
    path: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Receiver:
    """A receiver of webhooks; `answers` are the statuses of the next requests, each a number or one with headers; it answers after `seconds`."""

    def __init__(self):
        self.requests, self.answers, self.body, self.seconds = [], [], b"", 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append(Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                time.sleep(receiver.seconds)
                status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(receiver.body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count=1, seconds=SECONDS_TO_ARRIVE):
        until = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < until, f"{len(self.requests)} of {count} requests have come"
            time.sleep(0.02)
        return self.requests

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
