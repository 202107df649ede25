"""Runs the program as a user does, and reads what it has written.

Money is never a float here: amounts are texts, read as `Decimal` or as whole units of 10⁻¹⁰.
"""
import json
import os
import pathlib
import subprocess
from dataclasses import dataclass
from decimal import Decimal

import duckdb

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
PROGRAM = pathlib.Path(os.environ.get("PROFORMA_BIN") or TARGET / "debug" / "proforma")
SECONDS_MAX = 60


@dataclass
class Run:
    """A run that has ended; `out` is its result folder, absent where the run refused its input."""
    exit_code: int
    stdout: str
    stderr: str
    out: pathlib.Path

    def json(self, name):
        return json.loads((self.out / name).read_text())

    @property
    def reconciliation(self):
        return self.json("reconciliation.json")

    @property
    def cost_report(self):
        return self.json("cost-report.json")

    @property
    def cube(self):
        """The cost cube as DuckDB names a table."""
        return f"read_parquet({quoted(self.out / 'cost-cube.parquet')})"

    def statement(self, group):
        return self.json(f"statements/{group}.json")


def run(cost, book, period, out, *options, env=None):
    """Prices the files of a month; `cost` is a path or a list of them."""
    paths = cost if isinstance(cost, list) else [cost]
    command = [PROGRAM, "run", "--cost", *paths, "--book", book, "--period", period, "--out", out, *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, env=env)
    return Run(ended.returncode, ended.stdout, ended.stderr, pathlib.Path(out))


def priced(cost, book, period, out, *options, env=None):
    """A run that must succeed."""
    result = run(cost, book, period, out, *options, env=env)
    assert result.exit_code == 0, result.stderr
    return result


def report(out, *options):
    """The rows of a report of a run."""
    command = [PROGRAM, "report", "--run", out, "--output", "json", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def query(sql, *parameters):
    return duckdb.connect().execute(sql, list(parameters)).fetchall()


def quoted(text):
    """A text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"


def units(text):
    """A plain decimal text as whole units of 10⁻¹⁰."""
    scaled = Decimal(text).scaleb(10)
    assert scaled == scaled.to_integral_value(), f"{text} has more than ten decimals"
    return int(scaled)
