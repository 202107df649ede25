"""`proforma serve` through whatever happens to its process and its disk, while a month is imported, priced, priced again and closed.

A library that is preloaded (`crates/store/tests/store/faultshim.c`) counts the calls that change the data directory; at one of them the process group is killed,
within a write or before it, the power goes and takes what was not forced to the disk, or calls fail. The points are spread over all calls, others each time:
`PROFORMA_FAULT_POINTS` is how many of each kind there are (`all` for every one), `PROFORMA_FAULT_SEED` repeats a time.

Afterwards a server starts without a word, what was acknowledged is there, a report is of one configuration or another and of nothing between, `verify` finds
nothing, and everything goes on to the end.
"""
import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from desk import Desk
from policy_months import PolicyMonth
from program import PROGRAM, ROOT
from server import PREVIOUS, QUIET, Server, in_period
from test_keeping import told

SHIM = ROOT / "crates" / "store" / "tests" / "store" / "faultshim.c"
POINTS = os.environ.get("PROFORMA_FAULT_POINTS", "4")
SEED = int(os.environ.get("PROFORMA_FAULT_SEED", os.getpid()))
# How many calls in a row fail where a disk is full for a while.
CALLS_WHILE_FULL = 25
SECONDS_TO_PRICE = 150
BEFORE, AFTER = "110", "120"


class Gone(Exception):
    """The server does not answer any more."""


@functools.cache
def shim():
    library = pathlib.Path(tempfile.mkdtemp()) / "faults.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl", "-lpthread"], check=True)
    return library


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A data directory with a group and a rule, a month to import, and the rule."""
    folder = tmp_path_factory.mktemp("base").resolve()
    server = Server(folder / "data").init().start()
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = past.rule(ModifierPercentage=10)
    month.line(past.group(plan=past.plan(rule)).primary, cost="100")
    server.stop()
    return server, month.write(folder / "cost"), rule


class Scene:
    """A copy of the base, and a server on it that goes through the steps; what was acknowledged."""

    def __init__(self, base, folder):
        self.base, self.cost, self.rule = base
        self.server = Server(folder / "data", root=self.base.root, options=["--superseded-runs", "0"])
        shutil.copytree(self.base.data, self.server.data)
        self.counter = folder / "counter"
        self.counter.write_bytes(bytes(8))
        self.acknowledged = []

    @property
    def calls(self):
        return int.from_bytes(self.counter.read_bytes(), "little")

    def start(self, mode="kill", at=0, calls=1, seed=0):
        """Starts the server with the library, in a process group of its own; `Gone` where it is killed before it listens."""
        environment = {"LD_PRELOAD": shim(), "FAULT_FOLDER": self.server.data, "FAULT_COUNTER": self.counter, "FAULT_MODE": mode,
                       "FAULT_AT": str(at), "FAULT_CALLS": str(calls), "FAULT_SEED": str(seed)}
        server = self.server
        server.log = pathlib.Path(f"{server.data}.log")
        server.process = subprocess.Popen(
            [PROGRAM, "serve", *server.stored, "--listen", "127.0.0.1:0", "--now", server.now, "--cost-roots", "/", *server.options],
            stdout=subprocess.PIPE, stderr=open(server.log, "ab"), text=True, env=os.environ | QUIET | environment, process_group=0)
        line = server.process.stdout.readline().strip()
        if not line:
            server.process.wait(30)
            raise Gone
        server.port = int(line.rsplit(":", 1)[1])

    def asked(self, act):
        """What a call answers; `Gone` where nobody answers it."""
        try:
            return act()
        except ClientError:
            raise
        except BotoCoreError as error:
            raise Gone from error

    def told(self, *arguments):
        ended = subprocess.run([PROGRAM, *arguments, "--endpoint", self.server.endpoint], capture_output=True, text=True, timeout=120,
                               env=os.environ | QUIET | self.server.root.environment)
        if ended.returncode and self.server.process.poll() is not None:
            raise Gone
        return ended

    def report(self):
        rows = self.asked(lambda: self.client.list_billing_group_cost_reports(BillingPeriod=PREVIOUS))["BillingGroupCostReports"]
        assert len(rows) <= 1 and all(row["ProformaCost"] in (BEFORE, AFTER, "0") for row in rows), rows
        return rows[0]["ProformaCost"] if rows else None

    # ---- The steps: each may be gone through again

    def imports(self):
        ended = self.told("import", "--cost", self.cost, "--period", PREVIOUS, "--no-wait")
        return ended.returncode == 0

    def changes(self):
        past = in_period(self.server.client(), PREVIOUS)
        self.asked(lambda: past.update_pricing_rule(Arn=self.rule, ModifierPercentage=20))
        return True

    def closes(self):
        ended = self.told("close", PREVIOUS)
        return ended.returncode == 0 or "is closed" in ended.stderr

    def shows(self, expected):
        """Waits until the report is what it is to be; until then it is what it was."""
        until = time.monotonic() + SECONDS_TO_PRICE
        while time.monotonic() < until:
            try:
                if self.report() == expected:
                    return True
            except ClientError as error:
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500, error
            time.sleep(0.03)
        raise AssertionError(f"{expected} does not come: {self.told('runs', 'list').stdout}")

    def settles(self):
        """Waits until nothing is left to be priced, so that the month may be closed."""
        until = time.monotonic() + SECONDS_TO_PRICE
        while (ended := self.told("runs", "wait")).returncode:
            assert time.monotonic() < until, ended.stderr
            time.sleep(0.1)
        return True

    STEPS = ["imports", "shows before", "changes", "shows after", "settles", "closes"]

    def go(self, tries=1):
        """Goes through the steps that were not acknowledged yet."""
        self.client = self.server.client()
        for step in self.STEPS[len(self.acknowledged):]:
            act = {"shows before": lambda: self.shows(BEFORE), "shows after": lambda: self.shows(AFTER)}.get(step) or getattr(self, step)
            for left in reversed(range(tries)):
                try:
                    if act():
                        break
                except ClientError as error:
                    # The disk is at fault, and the client is told to come again.
                    assert error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 and left, error
                assert left, f"{step} is refused: {self.server.log.read_text()[-3000:]}"
                time.sleep(0.1)
            self.acknowledged.append(step)

    def check_after_a_kill(self):
        """Nobody repairs anything: the server starts, and all is as it was or as it was to be."""
        verified = told(self.server, "verify")
        assert verified.returncode == 0, verified.stderr
        self.server.start()
        self.client = self.server.client()
        report = self.report()
        if "shows after" in self.acknowledged:
            assert report == AFTER
        elif "shows before" in self.acknowledged:
            assert report in (BEFORE, AFTER)
        rules = self.client.list_pricing_rules(BillingPeriod=PREVIOUS, Filters={"Arns": [self.rule]})["PricingRules"]
        percentage = rules[0]["ModifierPercentage"]
        assert percentage in ([20] if "changes" in self.acknowledged else [10, 20])
        if percentage == 20 and "changes" not in self.acknowledged:
            # It was kept, and nobody was told. The month is priced by it.
            if "shows before" not in self.acknowledged:
                self.acknowledged = ["imports", "shows before"]
            self.acknowledged.append("changes")
        sealed = json.loads(self.server.command("periods", "--output", "json"))["Periods"]
        if "closes" in self.acknowledged:
            assert sealed[0].get("ClosedTime")
        self.go()
        self.check_the_end()

    def check_the_end(self):
        assert self.report() == AFTER
        periods = json.loads(self.server.command("periods", "--output", "json"))["Periods"]
        assert len(periods) == 1 and periods[0].get("ClosedTime") and periods[0]["Adjustments"] == [], periods
        runs = json.loads(self.server.command("runs", "list", "--output", "json"))["Runs"]
        current = [run["RunId"] for run in runs if run["IsCurrent"]]
        folders = self.server.data / "payers" / self.server.payer / "runs" / PREVIOUS
        # What the fault has left goes, too.
        until = time.monotonic() + SECONDS_TO_PRICE
        while [path.name.split("-")[0] for path in folders.iterdir()] != current and time.monotonic() < until:
            time.sleep(0.05)
        assert [path.name.split("-")[0] for path in folders.iterdir()] == current
        self.server.stop()
        verified = told(self.server, "verify")
        assert verified.returncode == 0, verified.stderr


def points(calls):
    """Numbers of calls that are spread over all, in an order of which any first part is."""
    count = calls if POINTS == "all" else min(calls, int(POINTS))
    step = calls * 618 // 1000 | 1
    while any(step % prime == 0 and calls % prime == 0 for prime in range(2, calls)):
        step += 1
    return [1 + (SEED + number * step) % calls for number in range(count)]


@pytest.fixture(scope="module")
def calls(base, tmp_path_factory):
    """How many calls there are without a fault."""
    scene = Scene(base, tmp_path_factory.mktemp("clean").resolve())
    scene.start()
    scene.go()
    scene.check_the_end()
    assert scene.calls > 100
    return scene.calls


def visited(base, calls, folder, mode, seeds=(0,)):
    """Kills the server at points of its way; everything goes on from there."""
    met = 0
    for at in points(calls):
        for seed in seeds:
            scene = Scene(base, (folder / f"{at}-{seed}").resolve())
            try:
                scene.start(mode, at, seed=seed and seed + at)
                scene.go()
                scene.server.stop()
            except (Gone, AssertionError) as error:
                scene.server.process.wait(30)
                assert scene.server.process.returncode == -signal.SIGKILL, (mode, at, SEED, error)
                met += 1
            try:
                if scene.server.process.returncode:
                    scene.check_after_a_kill()
            except BaseException as error:
                error.add_note(f"{mode} at {at} of {calls}, seed {seed}, PROFORMA_FAULT_SEED={SEED}: {scene.server.log.read_text()[-3000:]}")
                raise
            finally:
                if scene.server.process.poll() is None:
                    scene.server.kill()
            shutil.rmtree(scene.server.data)
    return met


@pytest.fixture
def ground(tmp_path):
    class Ground:
        def __truediv__(self, name):
            (tmp_path / name).mkdir()
            return tmp_path / name
    return Ground()


def test_a_killed_server_goes_on(base, calls, ground):
    assert visited(base, calls, ground, "kill") > 0


def test_a_server_killed_within_a_write_goes_on(base, calls, ground):
    assert visited(base, calls, ground, "torn") > 0


def test_a_server_goes_on_after_a_power_loss(base, calls, ground):
    assert visited(base, calls, ground, "loss", seeds=(0, 1)) > 0


@pytest.mark.parametrize("mode, in_a_row", [("EIO", 1), ("ENOSPC", 1), ("ENOSPC", CALLS_WHILE_FULL), ("EDQUOT", 3), ("EROFS", 3)])
def test_a_server_gets_over_a_disk_that_fails(base, calls, ground, mode, in_a_row):
    """Without a restart: what was shown goes on being shown, what fails is said, and what was not priced is when the disk is back."""
    goes_on(base, points(calls), ground, mode, in_a_row, CALLS_WHILE_FULL)


@pytest.mark.parametrize("mode", ["short", "EINTR"])
def test_a_write_that_is_cut_short_is_taken_up_again(base, calls, ground, mode):
    """Nobody notices."""
    goes_on(base, points(calls)[:2], ground, mode, 1, 1)


def goes_on(base, points, ground, mode, in_a_row, tries):
    for at in points:
        scene = Scene(base, (ground / f"{at}").resolve())
        try:
            scene.start(mode, at, in_a_row)
        except Gone:
            # Where it cannot even begin it says so; the next start goes well.
            assert tries > 1 and scene.server.process.returncode in (1, 2), scene.server.log.read_text()
            scene.start()
        try:
            scene.go(tries)
            scene.check_the_end()
        except BaseException as error:
            error.add_note(f"{mode} at {at}, {in_a_row} in a row, PROFORMA_FAULT_SEED={SEED}: {scene.server.log.read_text()[-4000:]}")
            raise
        finally:
            if scene.server.process.poll() is None:
                scene.server.kill()
        shutil.rmtree(scene.server.data)


@pytest.mark.parametrize("mode", ["kill", "torn", "loss"])
def test_an_interrupted_set_up_is_begun_again(ground, mode):
    """`init` may be killed anywhere: the same command again, or a key made at the directory, and the desk serves."""
    clean = set_up(ground / "clean", mode, 0)[1]
    for at in points(clean):
        folder = ground / f"{at}"
        ended, _ = set_up(folder, mode, at)
        assert ended.returncode in (0, -signal.SIGKILL)
        server = Server(folder.resolve() / "data")
        again = told(server, "init", "--payer", server.payer, "--output", "json")
        if again.returncode:
            # The payer was there already, without its key having been printed.
            assert "already" in again.stderr or "is there" in again.stderr, again.stderr
            again = told(server, "keys", "create", "--principal", f"again-{at}", "--role", "payer-admin", "--output", "json")
        assert again.returncode == 0, (mode, at, SEED, again.stderr)
        assert told(server, "verify").returncode == 0


def set_up(folder, mode, at):
    folder = folder.resolve()
    counter = folder / "counter"
    counter.write_bytes(bytes(8))
    environment = {"LD_PRELOAD": shim(), "FAULT_FOLDER": folder / "data", "FAULT_COUNTER": counter, "FAULT_MODE": mode, "FAULT_AT": str(at)}
    ended = subprocess.run([PROGRAM, "init", "--data", folder / "data", "--payer", "999999999999"], capture_output=True, text=True, timeout=60,
                           env=os.environ | QUIET | environment, process_group=0)
    return ended, int.from_bytes(counter.read_bytes(), "little")
