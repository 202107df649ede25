"""AWS's SDK for JavaScript, unmodified, asks each operation once, walks pages, and meets errors (`js/operations.test.mjs`).

Its packages, locked in `js/package-lock.json`, are installed beside what cargo builds, so that they outlive a clone on a build machine.
The Billing Conductor client is years older than the one of STS: two generations of the SDK ask.
"""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from desk import transfer
from program import TARGET
from server import QUIET
from wire_model import MODEL

SOURCES = pathlib.Path(__file__).with_name("js")
FOLDER = TARGET / "tools" / "js"
NODE_MIN = 20
INSTALL_SECONDS_MAX, RUN_SECONDS_MAX = 300, 120
# The SDK sends the same to either store.
pytestmark = pytest.mark.parametrize("new_server", ["sqlite"], indirect=True)


def missing():
    """Why Node cannot run the SDK, or nothing."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return "node and npm are not installed (Debian: apt-get install nodejs npm)"
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    return "" if int(version.removeprefix("v").split(".")[0]) >= NODE_MIN else f"node {version} is older than {NODE_MIN}, which the SDK wants"


@pytest.fixture(scope="module")
def installed():
    """The folder with the script and its packages; `npm ci` runs only where the lock is another than the last time."""
    if why := missing():
        pytest.skip(why)
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock, stamp = (SOURCES / "package-lock.json").read_text(), FOLDER / "installed"
    if not stamp.exists() or stamp.read_text() != lock:
        stamp.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, FOLDER)
        ended = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX)
        assert ended.returncode == 0, ended.stderr
        stamp.write_text(lock)
    shutil.copy(SOURCES / "operations.test.mjs", FOLDER)
    return FOLDER


def test_the_javascript_sdk_asks_every_operation(installed, server):
    settings = QUIET | server.root.environment | {
        "PATH": os.environ["PATH"], "PROFORMA_ENDPOINT": server.endpoint, "PROFORMA_PAYER": server.payer, "PROFORMA_TRANSFER": transfer(),
        "PROFORMA_OPERATIONS": str(len(MODEL.operation_names))}
    ended = subprocess.run(["node", "--test", "--test-reporter=tap", "operations.test.mjs"], cwd=installed, capture_output=True, text=True,
                           timeout=RUN_SECONDS_MAX, env=settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"^# skipped 0$", ended.stdout, re.MULTILINE) and re.search(r"^# pass [1-9]", ended.stdout, re.MULTILINE), ended.stdout
