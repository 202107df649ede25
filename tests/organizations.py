"""Organizations for tests: as a file, and at moto's server, which has AWS Organizations."""
import csv
import io
import os
import subprocess

import boto3

from program import PROGRAM
from server import QUIET

COLUMNS = ["account_id", "account_name", "organizational_unit", "status", "email", "joined_timestamp", "joined_method", "left_timestamp"]
SECONDS_MAX = 240


def account(number):
    return f"{200000000000 + number}"


def row(number, unit, name=None, email=None, status="ACTIVE", joined="2026-01-05T10:00:00Z", method="CREATED", left="", payer=None, **tags):
    """An account of a file; what begins with a capital is a tag."""
    id_ = payer or account(number)
    return {"account_id": id_, "account_name": f"account-{number}" if name is None else name, "organizational_unit": unit, "status": status,
            "email": email or f"root+{id_}@example.com", "joined_timestamp": joined, "joined_method": method, "left_timestamp": left,
            **{f"tag:{key}": value for key, value in tags.items()}}


def csv_of(rows):
    tags = sorted({name for row in rows for name in row if name.startswith("tag:")})
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS + tags, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def plain():
    """The environment without anything of AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | QUIET


def sync(server, *arguments, keys=None, ok=True, place=None, **environment):
    """`proforma sync organization` that asks the running server; `AWS_…` in the environment are what AWS is read with."""
    where = place or ["--endpoint", server.endpoint]
    env = plain() | (keys or server.root).environment | environment
    ended = subprocess.run([PROGRAM, "sync", "organization", *where, *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS_MAX, env=env)
    assert not ok or ended.returncode == 0, ended.stderr
    return ended


def client(endpoint, key="AKIAPROFORMATESTS000", secret="a-secret-of-these-tests"):
    return boto3.client("organizations", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret)
