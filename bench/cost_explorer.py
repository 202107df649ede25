"""Cost Explorer over twelve months: `cost_explorer.py [--rows 10000000] [--months 12] [--questions 200]`. Needs the release build of proforma.

Generates the months of one payer (kept for the next time), has a server price them, and asks, one question after the other: monthly by service, and
daily by linked account with a filter that is another one each time. Signing is not in the times. The goals are 50 ms and 150 ms, p99, on two cores.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
os.environ["PROFORMA_BIN"] = str(TARGET / "release" / "proforma")
sys.path.insert(0, str(ROOT / "tests"))
from server import Server                                       # noqa: E402

WORK = TARGET / "bench" / "cost-explorer"
NOW, LAST = "2026-11-10T12:00:00Z", (2026, 10)
GOALS = {"monthly by service": 50, "daily by linked account": 150}
HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSInsightsIndexService.GetCostAndUsage"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=10_000_000, help="cost lines of each month")
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--questions", type=int, default=200, help="of each kind")
    options = parser.parse_args()
    if not pathlib.Path(os.environ["PROFORMA_BIN"]).exists():
        sys.exit(f"{os.environ['PROFORMA_BIN']} is missing: cargo build --release -p proforma")
    months = list(periods(options.months))
    folders = [generated(options.rows, text) for text in months]
    server = priced(options, months, folders)
    try:
        missed = ask(server, options, months)
    finally:
        server.stop()
    sys.exit(1 if missed else 0)


def periods(count):
    """The last months, the earliest first."""
    year, month = LAST
    for back in reversed(range(count)):
        number = year * 12 + month - 1 - back
        yield f"{number // 12:04}-{number % 12 + 1:02}"


def generated(rows, period):
    folder = WORK.parent / f"cost-explorer-{rows}" / period
    if not (folder / "truth" / "truth.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"generating {rows:,} lines of {period}", flush=True)
        subprocess.run([sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", str(rows), "--period", period, "--out", folder],
                       check=True, stdout=subprocess.DEVNULL)
    return folder


def priced(options, months, folders):
    """A server with every month priced under one book."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    book = WORK / "book.toml"
    subprocess.run([sys.executable, ROOT / "bench" / "make_book.py", folders[-1], book], check=True)
    payer = tomllib.loads(book.read_text())["payer_account_id"]
    server = Server(WORK / "desk", now=NOW, payer=payer, options=["--rate", "1000000", "--facts-memory", "4096"]).init().start()
    server.command("book", "apply", book, "--period", months[0])
    for period, folder in zip(months, folders):
        started = time.monotonic()
        server.load(folder / "data", period)
        print(f"{period}: {options.rows:,} lines read and priced in {time.monotonic() - started:.1f} s", flush=True)
    return server


def asked(server, question):
    """How long an answer takes, in milliseconds, and what it is."""
    body = json.dumps(question).encode()
    signed = server.signed("POST", "/", body, headers=HEADERS, service="ce")
    started = time.monotonic()
    answer = server.send("POST", "/", body, signed)
    took = (time.monotonic() - started) * 1000
    assert answer.status == 200, answer.body[:500]
    return took, answer


def ask(server, options, months):
    """Asks all questions; whether a goal was missed."""
    year, month = LAST
    period = {"Start": f"{months[0]}-01", "End": f"{year + month // 12:04}-{month % 12 + 1:02}-01"}
    whole = {"TimePeriod": period, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}
    by = lambda key: [{"Type": "DIMENSION", "Key": key}]
    took, first = asked(server, whole | {"GroupBy": by("SERVICE")})
    print(f"\nfirst question after the months have landed: {took:.1f} ms")
    services = sorted({group["Keys"][0] for of in first.json["ResultsByTime"] for group in of["Groups"]})
    kinds = {
        "monthly by service": [whole | {"GroupBy": by("SERVICE")}] * options.questions,
        "daily by linked account": [
            whole | {"Granularity": "DAILY", "GroupBy": by("LINKED_ACCOUNT"),
                     "Filter": {"Dimensions": {"Key": "SERVICE", "Values": [services[number % len(services)], services[number * 7 % len(services)]]}}}
            for number in range(options.questions)],
        "daily totals of all, amortized": [whole | {"Granularity": "DAILY", "Metrics": ["AmortizedCost"]}] * options.questions,
        "monthly by account and usage type": [
            whole | {"GroupBy": by("LINKED_ACCOUNT") + by("USAGE_TYPE")}] * (options.questions // 10),
    }
    missed = False
    print(f"{'':36} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'bytes':>9}")
    for label, questions in kinds.items():
        answers = [asked(server, question) for question in questions]
        times = sorted(took for took, _ in answers)
        p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
        size = max(len(answer.body) for _, answer in answers)
        is_missed = p99 >= GOALS.get(label, float("inf"))
        missed |= is_missed
        print(f"{label:36} {times[len(times) // 2]:8.1f} {p99:8.1f} {times[-1]:8.1f} {size:9,}{'  above its goal' if is_missed else ''}", flush=True)
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    print("memory of the server:", next(line.split(":")[1].strip() for line in status.splitlines() if line.startswith("VmRSS")))
    return missed


if __name__ == "__main__":
    main()
