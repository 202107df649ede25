"""`proforma serve` under load: `serve.py [--seconds 5]`, SQLite, loopback, every request signed. Needs the release builds of proforma and xtask.

One desk is full (2,000 groups, 50,000 rules, 50,000 custom line items): how many requests it answers, how fast, and how long 1,000 new groups take.
A second one has a month of 100,000 classes in 300 groups: how long its cost report takes, and until a changed rule shows in it.
A third one has the month of 10 million lines: how long until a changed rule shows.
The load comes from the same machine, and takes a good part of its processors.
"""
import argparse
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
os.environ["PROFORMA_BIN"] = str(TARGET / "release" / "proforma")
sys.path.insert(0, str(ROOT / "tests"))
import bench  # noqa: E402
import many_classes                                             # noqa: E402
from server import Server, command, request_of                  # noqa: E402

WORK = TARGET / "bench" / "serve"
NOW, PERIOD = "2026-10-20T12:00:00Z", "2026-10"
CONNECTIONS = 16
GROUPS, RULES, ITEMS, RULES_OF_PLAN = 2_000, 50_000, 50_000, 500
NEW_GROUPS = 1_000
CLASSES = 100_000
LINES = 10_000_000
REPORTED_GROUPS = 300
UPDATES, PATIENCE_SECONDS = 5, 30
UNLIMITED = ["--rate", "1000000", "--concurrency", "1024"]
DEEP_PAGE = 150


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of load per operation")
    options = parser.parse_args()
    xtask = TARGET / "release" / "xtask"
    for binary in (xtask, pathlib.Path(os.environ["PROFORMA_BIN"])):
        if not binary.exists():
            sys.exit(f"{binary} is missing: cargo build --release -p proforma -p xtask")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    print(f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}, {options.seconds} s "
          f"of {CONNECTIONS} connections each")
    full = full_desk()
    try:
        reads(xtask, full, options.seconds)
        new_groups(xtask, full)
    finally:
        full.stop()
    priced = priced_desk()
    try:
        report(xtask, priced, options.seconds)
        updates(priced, "rule-5")
    finally:
        priced.stop()
    large = large_desk()
    try:
        updates(large, "global-0")
    finally:
        large.stop()


# ---- The full desk

def full_desk():
    server = Server(WORK / "full", now=NOW, options=[*UNLIMITED, "--no-runs"]).init()
    book = WORK / "full.toml"
    book.write_text(full_book(server.payer))
    started = time.monotonic()
    command("book", "import", book, "--data", server.data, "--now", NOW)
    print(f"{GROUPS} groups, {RULES} rules, {ITEMS} items: imported in {time.monotonic() - started:.1f} s, "
          f"{book.stat().st_size / 1e6:.0f} MB of TOML, database {(server.data / 'proforma.db').stat().st_size / 1e6:.0f} MB")
    started = time.monotonic()
    server.start()
    server.call("ListBillingGroups", {"MaxResults": 1})
    print(f"started, and answered for the first time, in {time.monotonic() - started:.1f} s")
    return server


def full_book(payer):
    """One line per thing and short names."""
    def array(name, tables):
        return f"{name} = [\n" + "".join(f"{{{table}}},\n" for table in tables) + "]\n"
    def rule(number):
        return (f'name="r{number}",scope="SKU",type="MARKUP",service="A",usage_type="u{number % RULES_OF_PLAN}",'
                f'modifier_percentage="{number % 40}.25"')
    def plan(number):
        rules = ",".join(f'"r{number * RULES_OF_PLAN + at}"' for at in range(RULES_OF_PLAN))
        return f'name="p{number}",pricing_rules=[{rules}]'
    def group(number):
        account = f"{100_000_000_000 + number}"
        return f'name="g{number}",primary_account_id="{account}",accounts=["{account}"],pricing_plan="p{number % plans}"'
    def item(number):
        return f'name="i{number}",description="d",billing_group="g{number % GROUPS}",type="FEE",flat_charge_value="5",start="{PERIOD}"'
    plans = RULES // RULES_OF_PLAN
    return (f'payer_account_id = "{payer}"\n' + array("pricing_rules", map(rule, range(RULES)))
            + array("pricing_plans", map(plan, range(plans))) + array("billing_groups", map(group, range(GROUPS)))
            + array("custom_line_items", map(item, range(ITEMS))))


def reads(xtask, server, seconds):
    show_head()
    one = server.call("ListBillingGroups", {"MaxResults": 1}).json["BillingGroups"][0]
    item = server.call("ListCustomLineItems", {"MaxResults": 1}).json["CustomLineItems"][0]
    for label, operation, given in [
        ("list of 10", "ListBillingGroups", {"MaxResults": 10}),
        ("list of 10", "ListPricingRules", {"MaxResults": 10}),
        ("list of 10", "ListCustomLineItems", {"MaxResults": 10}),
        ("one by ARN", "ListBillingGroups", {"Filters": {"Arns": [one["Arn"]]}}),
        ("one by ARN", "ListCustomLineItems", {"Filters": {"Arns": [item["Arn"]]}}),
        ("get", "ListTagsForResource", {"ResourceArn": one["Arn"]}),
        ("get", "GetBillingGroupCostReport", {"Arn": one["Arn"]}),
        ("list of 100", "ListBillingGroups", {"MaxResults": 100}),
        ("list of 100", "ListPricingRules", {"MaxResults": 100}),
        ("list of 100", "ListCustomLineItems", {"MaxResults": 100}),
        (f"page {DEEP_PAGE}", "ListPricingRules", deep(server, "ListPricingRules")),
        (f"page {DEEP_PAGE}", "ListCustomLineItems", deep(server, "ListCustomLineItems")),
    ]:
        show(f"{operation}, {label}", load(xtask, server, f"{seconds}", operation, given))


def deep(server, operation):
    """The input of a page far into a list."""
    given = {"MaxResults": 100}
    for _ in range(DEEP_PAGE - 1):
        given["NextToken"] = server.call(operation, given).json["NextToken"]
    return given


def new_groups(xtask, server):
    plan = server.call("ListPricingPlans", {"MaxResults": 1}).json["PricingPlans"][0]["Arn"]
    account = "900000{n}"
    given = {"Name": "new-{n}", "PrimaryAccountId": account, "AccountGrouping": {"LinkedAccountIds": [account]},
             "ComputationPreference": {"PricingPlanArn": plan}}
    seen = load(xtask, server, f"{NEW_GROUPS}x", "CreateBillingGroup", given)
    show("CreateBillingGroup", seen)
    print(f"{NEW_GROUPS} groups created in {int(seen['wall_ms']) / 1000:.2f} s")


# ---- The desk with a priced month

def priced_desk():
    many_classes.main(CLASSES, WORK / "month")
    server = Server(WORK / "priced", now=NOW, options=UNLIMITED).init().start()
    server.command("book", "apply", WORK / "month" / "book.toml")
    started = time.monotonic()
    server.load(WORK / "month" / "cost", PERIOD)
    print(f"\n{CLASSES} classes, {REPORTED_GROUPS} groups: read and priced in {time.monotonic() - started:.1f} s")
    return server


def report(xtask, server, seconds):
    took = []
    for _ in range(20):
        started = time.monotonic()
        groups, given = 0, {"BillingPeriod": PERIOD}
        while given:
            page = server.call("ListBillingGroupCostReports", given).json
            groups += len(page["BillingGroupCostReports"])
            given = page.get("NextToken") and {"BillingPeriod": PERIOD, "NextToken": page["NextToken"]}
        took.append(time.monotonic() - started)
    assert groups == REPORTED_GROUPS, groups
    print(f"cost report of {groups} groups, in three pages: first {took[0] * 1000:.1f} ms, then median "
          f"{statistics.median(took[1:]) * 1000:.1f} ms, at most {max(took[1:]) * 1000:.1f} ms; botocore's signing among it")
    show_head()
    one = page["BillingGroupCostReports"][0]["Arn"]
    show("ListBillingGroupCostReports, 100", load(xtask, server, f"{seconds}", "ListBillingGroupCostReports", {"BillingPeriod": PERIOD}))
    show("GetBillingGroupCostReport", load(xtask, server, f"{seconds}", "GetBillingGroupCostReport", {"Arn": one}))
    show("the same by product", load(xtask, server, f"{seconds}", "GetBillingGroupCostReport", {"Arn": one, "GroupBy": ["PRODUCT_NAME"]}))


def large_desk():
    """The desk with the month that `make bench` reads."""
    month, book = bench.generated(LINES), WORK / "large.toml"
    subprocess.run([sys.executable, ROOT / "bench" / "make_book.py", month, book], check=True)
    payer = tomllib.loads(book.read_text())["payer_account_id"]
    server = Server(WORK / "large", now=NOW, options=UNLIMITED, payer=payer).init().start()
    server.command("book", "apply", book)
    started = time.monotonic()
    server.load(month / "data", PERIOD)
    print(f"\n{LINES} lines: read and priced in {time.monotonic() - started:.1f} s")
    return server


def updates(server, rule):
    """Changes a rule, and asks for the report until it says something else."""
    named = {known["Name"]: known["Arn"] for known in server.call("ListPricingRules", {"MaxResults": 100}).json["PricingRules"]}
    asked = {"BillingPeriod": PERIOD}
    before, took = server.call("ListBillingGroupCostReports", asked).body, []
    for number in range(UPDATES):
        started = time.monotonic()
        answer = server.call("UpdatePricingRule", {"Arn": named[rule], "ModifierPercentage": 20.5 + number})
        assert answer.status == 200, answer.body
        now = before
        while now == before and time.monotonic() - started < PATIENCE_SECONDS:
            now = server.call("ListBillingGroupCostReports", asked).body
            time.sleep(0.01)
        assert now != before, "a changed rule does not show"
        took.append(time.monotonic() - started)
        before = now
    print(f"a changed rule shows in the cost report after {', '.join(f'{seconds:.2f}' for seconds in took)} s")


# ---- Load

def load(xtask, server, until, operation, given):
    method, path, body, headers = request_of(operation, given)
    ended = subprocess.run(
        [xtask, "serve-load", f"127.0.0.1:{server.port}", str(CONNECTIONS), until, operation, method, path, body.decode()],
        capture_output=True, text=True, env=os.environ | server.root.environment)
    if ended.returncode:
        sys.exit(f"{ended.stdout}{ended.stderr}")
    return dict(pair.split("=", 1) for pair in ended.stdout.split())


def show_head():
    print(f"{'':40} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'bytes':>7}")


def show(label, seen):
    print(f"{label:40} {int(seen['requests_per_second']):>10,} {seen['p50_ms']:>8} {seen['p99_ms']:>8} {seen['max_ms']:>8} "
          f"{int(seen['bytes_per_answer']):>7,}", flush=True)


if __name__ == "__main__":
    main()
