"""A real S3 server (moto's) on a free port, and a proxy in front of it that does to answers what networks and stores do.

Nothing here stands in for the program or for the store: the proxy passes bytes on, or answers as Amazon S3 does when it has had enough.
"""
import http.client
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config

KEY, SECRET = "AKIAPROFORMATESTS000", "a-secret-of-these-tests"
SECONDS_TO_START = 30


class Server:
    """moto's server; `options` are its own, `environment` is added to its environment."""

    def __init__(self, *options, scheme="http", **environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.endpoint = f"{scheme}://127.0.0.1:{self.port}"
        program = pathlib.Path(sys.executable).with_name("moto_server")
        self.process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(self.port), *options],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=os.environ | environment)
        self.wait()

    def wait(self):
        until = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("moto's server does not start") from None
                time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def client(endpoint, **options):
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEY,
                        aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}), **options)


def environment(endpoint, **more):
    """What the program needs to know to reach a store, beside what it needs to run at all."""
    plain = {name: value for name, value in os.environ.items()
             if not name.startswith("AWS_") and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")}
    return plain | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1",
                    "AWS_ENDPOINT_URL": endpoint} | more


def upload(s3, bucket, prefix, folder):
    """Puts all files of a folder under a prefix."""
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file():
            s3.upload_file(str(path), bucket, f"{prefix}{path.relative_to(folder)}")


def keys(s3, bucket, prefix=""):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def download(s3, bucket, prefix):
    """The content of all objects under a prefix, by the rest of their keys."""
    return {key.removeprefix(prefix): s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in keys(s3, bucket, prefix)}


class Cut(Exception):
    """The connection ends here."""


class Proxy:
    """Passes requests on to `endpoint`. `fault(request)` may answer first, or give a function that sees the body pass.

    A fault is called with the method, path and headers of every request, and gives None (pass it on), a pair of status and
    body (answer so), or a function from (headers, body) to the body that is sent, which may raise `Cut`.
    """

    def __init__(self, endpoint, fault):
        self.requests = []
        self.fault = fault
        host = endpoint.removeprefix("http://")
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.requests.append((self.command, self.path, dict(self.headers)))
                fault = proxy.fault(self.command, self.path, self.headers)
                if isinstance(fault, tuple):
                    return self.answer(fault[0], {"Content-Type": "application/xml"}, fault[1])
                upstream = http.client.HTTPConnection(host, timeout=60)
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                content, headers = answer.read(), dict(answer.getheaders())
                upstream.close()
                try:
                    self.answer(answer.status, headers, content, fault)
                except Cut:
                    # A reset, not an orderly end: what was sent may be lost on the way.
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    self.close_connection = True

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

            def answer(self, status, headers, content, change=None):
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                length = headers.get("Content-Length", len(content)) if self.command == "HEAD" else len(content)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(change(self, content) if change else content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def count(self, method, part=""):
        return sum(1 for of, path, _ in self.requests if of == method and part in path)


def refusal(code, message):
    """The body of a refusal as Amazon S3 writes it."""
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
            f"<RequestId>0</RequestId></Error>").encode()
