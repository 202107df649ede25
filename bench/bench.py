#!/usr/bin/env python3
"""Reading and pricing a month of cost data, beside DuckDB building the same cost cube.

    bench.py [--rows N | --quick] [--memory | --export] [--reps N] [--threads N] [--duckdb-only | --s3-only] [--no-s3]

Runs are interleaved, and CPU seconds of whole process trees are compared: on a shared machine wall time says little.
Each run's totals are checked against the generator's exact ones. The result goes to target/bench/result.json.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
from decimal import Decimal

import exports
from measure import run

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
WORK = TARGET / "bench"
PERIOD = "2026-10"
MEMORY_ROWS = 30_000_000
CPU_RATIO_MAX = 0.5
MEMORY_MAX = 200 * 1000 * 1000
EXPORT_MEMORY_MAX = 500 * 1000 * 1000
CLASSES, RULES = 500_000, 500
S3_CPU_RATIO_MAX = 1.3
COVERAGE_CPU_RATIO_MAX = 1.6
PREVIEW_SECONDS_MAX = 1
MATCHING_SECONDS_MAX = 1
INVOICES_SECONDS_MAX = 30
MB = 1_000_000


def main():
    options = arguments()
    binaries = [] if options.duckdb_only else [TARGET / "release" / "proforma"]
    for binary in binaries:
        if not binary.exists():
            sys.exit(f"{binary} is missing: cargo build --release -p proforma -p xtask")
    result = {"machine": machine(), "threads": options.threads, "months": []}
    show_machine(result["machine"])
    if options.export:
        return measure_exports(options, result)
    months = [(options.rows, options.reps)] + ([(MEMORY_ROWS, 1)] if options.memory else [])
    for rows, reps in months:
        if not options.s3_only:
            result["months"].append(measure_month(options, rows, reps))
    if not options.duckdb_only and not options.s3_only:
        result["price_classes"] = price_classes()
        result["matching"] = matching(options.reps)
        result["invoices"] = invoices(options.reps)
        result["preview"] = preview(options.reps)
        result["coverage"] = measure_coverage(options)
    if not options.duckdb_only and not options.no_s3:
        result["s3"] = measure_s3(options)
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nwritten: {WORK / 'result.json'}")
    if not all(month["correct"] for month in [*result["months"], result.get("s3", {"correct": True})]):
        sys.exit("a total is wrong")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--quick", action="store_const", dest="rows", const=1_000_000, help="1 million lines")
    parser.add_argument("--memory", action="store_true", help="also a month of 30 million lines, once")
    parser.add_argument("--export", action="store_true", help="the line export into 300 groups instead")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--duckdb-only", action="store_true", help="leave our own program out")
    parser.add_argument("--s3-only", action="store_true", help="only reading from an object store beside reading from disk")
    parser.add_argument("--no-s3", action="store_true", help="leave that out")
    return parser.parse_args()


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    rustc = shutil.which("rustc") and subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {"cores": os.cpu_count(), "cpu": model.group(1) if model else platform.machine(), "rustc": rustc,
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "kernel": platform.release(),
            "python": platform.python_version(), "load_average": os.getloadavg()[0], "commit": commit.stdout.strip()}


def show_machine(facts):
    print(f"{facts['cores']} cores, {facts['cpu']}, {facts['memory_bytes'] / 1e9:.0f} GB, load {facts['load_average']:.1f}")
    print(f"{facts['rustc']}, Python {facts['python']}, kernel {facts['kernel']}, commit {facts['commit'] or 'none'}")


def generated(rows):
    """The folder of a month of `rows` lines, made if it is not there yet."""
    month = WORK / f"month-{rows}-{PERIOD}"
    if not month.exists():
        unfinished = month.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        print(f"\ngenerating {rows:,} lines into {month}", flush=True)
        subprocess.run([sys.executable, BENCH / "gen_cur.py", "gen", "--rows", str(rows), "--period", PERIOD,
                        "--out", unfinished], check=True)
        unfinished.rename(month)
    return month


def measure_month(options, rows, reps):
    month = generated(rows)
    truth = json.loads((month / "truth" / "truth.json").read_text())
    files = sorted(str(file) for file in (month / "data").glob("*/*.parquet"))
    book = WORK / f"book-{rows}.toml"
    subprocess.run([sys.executable, BENCH / "make_book.py", month, book], check=True)
    out = WORK / "out"
    ours = [TARGET / "release" / "proforma", "run", "--cost", month / "data", "--book", book, "--period", PERIOD,
            "--out", out, "--threads", str(options.threads), "--force", "--timings", "--no-daily", "--no-simulation"]
    theirs = [sys.executable, BENCH / "cube_duckdb.py", str(options.threads), *files]

    print(f"\n{truth['rows']:,} lines in {len(files)} files, {options.threads} threads, {reps} runs each, interleaved")
    proforma_runs, duckdb_runs, correct = [], [], True
    for _ in range(reps):
        if not options.duckdb_only:
            measured = run_proforma(ours)
            correct &= check("proforma", cost_files_total(out), truth)
            proforma_runs.append(measured)
        measured, totals = run_duckdb(theirs)
        column = "net_unblended_cost" if truth["total_net_unblended_cost"] else "unblended_cost"
        correct &= check("duckdb", totals[column], truth) and totals["lines"] == truth["rows"]
        duckdb_runs.append(measured)
    month_result = {"rows": truth["rows"], "files": len(files), "bytes": sum(os.path.getsize(file) for file in files),
                    "duckdb": totals, "correct": correct, "runs": {"proforma": proforma_runs, "duckdb": duckdb_runs}}
    month_result["summary"] = summarize(proforma_runs, duckdb_runs)
    print_summary(month_result["summary"], totals, correct)
    return month_result


def measure_exports(options, result):
    month = generated(options.rows)
    print(f"\n{options.rows:,} lines into {exports.GROUPS} groups, {options.threads} threads, {options.reps} times, interleaved")
    measured = exports.measure(TARGET / "release" / "proforma", month, WORK, PERIOD, options)
    summary = {name: spread([one[name] for one in measured["runs"]]) for name in measured["runs"][0]}
    print(f"{'':34} {'median':>10} {'min':>10} {'max':>10}")
    for name, row in summary.items():
        scale, unit = (MB, " MB") if "bytes" in name else (1000, " thousand") if "rows" in name else (1, "")
        print(f"{name + unit:34} " + " ".join(f"{row[key] / scale:10.2f}" for key in ("median", "min", "max")))
    many = measured["many_groups"]
    print(f"{many['groups']:,} groups, {many['groups with lines']:,} with lines: {many['run --export']:.1f} CPU s")
    verdict("CPU of an exporting run less a run", summary["ratio"]["median"], CPU_RATIO_MAX, "")
    verdict("CPU of an export alone", summary["ratio alone"]["median"], CPU_RATIO_MAX, "")
    verdict("memory of many groups", many["run --export bytes"] / MB, EXPORT_MEMORY_MAX / MB, " MB")
    result["exports"] = measured | {"rows": options.rows, "summary": summary}
    (WORK / "exports.json").write_text(json.dumps(result, indent=1) + "\n")


def run_proforma(command, **options):
    measured = run(command, **options)
    if measured.exit_code:
        sys.exit(f"proforma ended with {measured.exit_code}:\n{measured.stderr}")
    hashing = re.search(r"^timing hashing_cpu_seconds=([0-9.]+)$", measured.stderr, re.MULTILINE)
    if not hashing:
        sys.exit("proforma --timings printed no line `timing hashing_cpu_seconds=...`")
    timings = dict(re.findall(r"^timing (\w+)=(\S+)$", measured.stderr, re.MULTILINE))
    return figures(measured) | {"hashing_cpu_seconds": float(hashing.group(1)), "timings": timings}


def run_duckdb(command):
    measured = run(command)
    if measured.exit_code:
        sys.exit(f"DuckDB ended with {measured.exit_code}:\n{measured.stderr}")
    return figures(measured), json.loads(measured.stdout)


def figures(measured):
    return {"cpu_seconds": measured.cpu_seconds, "wall_seconds": measured.wall_seconds,
            "process_bytes_max": measured.process_bytes_max, "tree_bytes_max": measured.tree_bytes_max}


def cost_files_total(out):
    # Digits, not doubles: a JSON number is kept as its text.
    reconciliation = json.loads((out / "reconciliation.json").read_text(), parse_float=Decimal)
    return reconciliation["currencies"]["USD"]["cost_files_total"]


def check(who, total, truth):
    expected = truth["total_net_unblended_cost"] or truth["total_unblended_cost"]
    same = Decimal(total) == Decimal(expected)
    if not same:
        print(f"WRONG: {who} has a total of {total}, the generator one of {expected}")
    return same


def summarize(proforma_runs, duckdb_runs):
    rows = {}
    for name, runs in (("proforma", proforma_runs), ("duckdb", duckdb_runs)):
        if runs:
            rows |= {f"{name} {key}": spread([one[key] for one in runs]) for key in runs[0] if key != "timings"}
    if proforma_runs:
        both = list(zip(proforma_runs, duckdb_runs))
        rows["cpu ratio"] = spread([one["cpu_seconds"] / other["cpu_seconds"] for one, other in both])
        rows["cpu ratio without hashing"] = spread(
            [(one["cpu_seconds"] - one["hashing_cpu_seconds"]) / other["cpu_seconds"] for one, other in both])
    return rows


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def show_rows(summary):
    print(f"{'':34} {'median':>10} {'min':>10} {'max':>10}")
    for name, row in summary.items():
        scale, unit = (MB, " MB") if "bytes" in name else (1, "")
        label = name.replace("_bytes_max", " memory").replace("_", " ") + unit
        print(f"{label:34} " + " ".join(f"{row[key] / scale:10.2f}" for key in ("median", "min", "max")))


def print_summary(summary, totals, correct):
    show_rows(summary)
    verdict_text = "equal the generator's" if correct else "ARE WRONG"
    print(f"totals {verdict_text}; {totals['classes']:,} classes, DuckDB {totals['duckdb']}")
    ratio, memory = summary.get("cpu ratio without hashing"), summary.get("proforma tree_bytes_max")
    if ratio:
        verdict("CPU without hashing against DuckDB", ratio["median"], CPU_RATIO_MAX, "")
        verdict("memory of the process tree", memory["max"] / MB, MEMORY_MAX / MB, " MB")


def verdict(what, value, most, unit):
    print(f"{'met   ' if value <= most else 'MISSED'} {what}: {value:.2f}{unit}, at most {most:.2f}{unit}")


def measure_s3(options):
    """The same month from disk and from an S3 server on loopback, interleaved: the CPU of our processes, not of the server."""
    month = generated(options.rows)
    truth = json.loads((month / "truth" / "truth.json").read_text())
    book, out = WORK / f"book-{options.rows}.toml", WORK / "out"
    subprocess.run([sys.executable, BENCH / "make_book.py", month, book], check=True)
    print(f"\nfrom disk and from an S3 server on loopback, {truth['rows']:,} lines, {options.reps} runs each, interleaved", flush=True)
    server = subprocess.Popen([sys.executable, BENCH / "serve_month.py", month / "data"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    endpoint = server.stdout.readline().strip()
    store = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}
    runs, correct = {"disk": [], "s3": []}, True
    for _ in range(options.reps):
        for name, cost in (("disk", month / "data"), ("s3", "s3://month")):
            command = [TARGET / "release" / "proforma", "run", "--cost", cost, "--book", book, "--period", PERIOD, "--out", out,
                       "--threads", str(options.threads), "--force", "--timings"]
            runs[name].append(run_proforma(command, env=os.environ | store))
            correct &= check(f"proforma from {name}", cost_files_total(out), truth)
    server.stdin.close()
    server.wait()
    keys = ["cpu_seconds", "wall_seconds", "tree_bytes_max"]
    summary = {f"{name} {key}": spread([one[key] for one in of]) for name, of in runs.items() for key in keys}
    summary["cpu ratio"] = spread([one["cpu_seconds"] / other["cpu_seconds"] for one, other in zip(runs["s3"], runs["disk"])])
    show_rows(summary)
    verdict("CPU from the store against disk", summary["cpu ratio"]["median"], S3_CPU_RATIO_MAX, "")
    return {"rows": truth["rows"], "correct": correct, "runs": runs, "summary": summary}


def measure_coverage(options):
    """A month with its commitments applied hour by hour beside the same month without; then previews of other prices and of other groups."""
    month = generated(options.rows)
    truth = json.loads((month / "truth" / "truth.json").read_text())
    binary, book, out = TARGET / "release" / "proforma", WORK / f"book-{options.rows}.toml", WORK / "out"
    subprocess.run([sys.executable, BENCH / "make_book.py", month, book], check=True)
    print(f"\ncommitments applied hour by hour, {truth['rows']:,} lines, {options.reps} runs each, interleaved", flush=True)
    runs = {"as billed": [], "simulated": []}
    for _ in range(options.reps):
        for name, more in (("as billed", ["--no-simulation"]), ("simulated", [])):
            command = [binary, "run", "--cost", month / "data", "--book", book, "--period", PERIOD, "--out", out,
                       "--threads", str(options.threads), "--force", "--timings", *more]
            runs[name].append(run_proforma(command))
    kept = json.loads((out / "commitments.json").read_text())
    if not kept["simulated"]:
        sys.exit(f"nothing was simulated: {kept['why_not']}")
    keys = ["cpu_seconds", "hashing_cpu_seconds", "wall_seconds", "tree_bytes_max"]
    summary = {f"{name} {key}": spread([one[key] for one in of]) for name, of in runs.items() for key in keys}
    pairs = list(zip(runs["simulated"], runs["as billed"]))
    summary["cpu ratio"] = spread([one["cpu_seconds"] / other["cpu_seconds"] for one, other in pairs])
    summary["memory ratio"] = spread([one["tree_bytes_max"] / other["tree_bytes_max"] for one, other in pairs])
    show_rows(summary)
    verdict("CPU of a simulated month against one as billed", summary["cpu ratio"]["median"], COVERAGE_CPU_RATIO_MAX, "")
    previews = {}
    for name, draft in (("other prices", other_prices), ("other groups", other_groups)):
        (WORK / "draft.toml").write_text(draft(book.read_text()))
        measured = run([binary, "preview", "--run", out, "--book", WORK / "draft.toml"])
        if measured.exit_code:
            sys.exit(f"preview ended with {measured.exit_code}:\n{measured.stderr}")
        previews[name] = figures(measured)
        print(f"  preview of {name}: {measured.wall_seconds:.2f} s, {measured.cpu_seconds:.2f} CPU s")
    return {"rows": truth["rows"], "commitments": len(kept["commitments"]), "runs": runs, "summary": summary, "previews": previews}


def other_prices(book):
    return re.sub(r'modifier_percentage = "?[0-9.]+"?', 'modifier_percentage = "7.25"', book, count=1)


def other_groups(book):
    """Takes the last account of the first group with several out of it."""
    return re.sub(r'(accounts = \[[^\]]*?"[0-9]+"), "[0-9]+"\]', r"\1]", book, count=1)


def price_classes():
    """The time to price many classes under many rules, which the xtask prints."""
    binary = TARGET / "release" / "xtask"
    print(f"\nxtask price-classes {CLASSES} {RULES}")
    if not binary.exists():
        print(f"  left out: {binary} is not built")
        return None
    measured = run([binary, "price-classes", str(CLASSES), str(RULES)])
    if measured.exit_code:
        print(f"  left out: it ended with {measured.exit_code}: {measured.stderr.strip()}")
        return None
    print("  " + measured.stdout.strip().replace("\n", "\n  "))
    print(f"  {measured.cpu_seconds:.2f} CPU s, {measured.wall_seconds:.2f} s, {measured.process_bytes_max / MB:.0f} MB")
    return figures(measured) | {"stdout": measured.stdout.strip()}


def matching(reps):
    """The time to find the purchase orders of 10,000 invoices, which the xtask prints for two shapes of orders: of CPU, or of the wall
    where the system does not say the CPU's."""
    binary = TARGET / "release" / "xtask"
    print(f"\nxtask bench-matching, {reps} times")
    if not binary.exists():
        print(f"  left out: {binary} is not built")
        return None
    runs = [run([binary, "bench-matching"]) for _ in range(reps)]
    failed = next((one for one in runs if one.exit_code), None)
    if failed:
        sys.exit(f"bench-matching ended with {failed.exit_code}:\n{failed.stderr}")
    print("  " + runs[0].stdout.strip().replace("\n", "\n  "))
    kind = "cpu" if "_cpu_seconds=" in runs[0].stdout else "wall"
    told = [dict(re.findall(rf"^(\w+_{kind}_seconds)=([0-9.]+)$", one.stdout, re.MULTILINE)) for one in runs]
    result = {name: spread([float(one[name]) for one in told]) for name in told[0]}
    for name, seconds in result.items():
        verdict(f"matching, {name.replace('_', ' ')}", seconds["median"], MATCHING_SECONDS_MAX, " s")
    return result


def invoices(reps):
    """The time to issue 300 invoices of 60 lines and make their PDFs, which the xtask prints: the whole process, one thread, wall time."""
    binary = TARGET / "release" / "xtask"
    print(f"\nxtask bench-invoices, {reps} times")
    if not binary.exists():
        print(f"  left out: {binary} is not built")
        return None
    runs = [run([binary, "bench-invoices"]) for _ in range(reps)]
    failed = next((one for one in runs if one.exit_code), None)
    if failed:
        sys.exit(f"bench-invoices ended with {failed.exit_code}:\n{failed.stderr}")
    print("  " + runs[0].stdout.strip().replace("\n", "\n  "))
    result = {key: spread([figures(one)[key] for one in runs]) for key in ("wall_seconds", "cpu_seconds")}
    verdict("issuing and rendering 300 invoices", result["wall_seconds"]["median"], INVOICES_SECONDS_MAX, " s")
    return result


def preview(reps):
    """The time of `proforma preview` after a rule change, on a run of many classes: the whole process, wall time."""
    binary = TARGET / "release" / "proforma"
    month = WORK / f"classes-{CLASSES}"
    if not month.exists():
        unfinished = month.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run([sys.executable, BENCH / "many_classes.py", str(CLASSES), unfinished], check=True)
        unfinished.rename(month)
    priced = run([binary, "run", "--cost", month / "cost", "--book", month / "book.toml", "--period", PERIOD,
                  "--out", month / "run", "--force"])
    if priced.exit_code:
        sys.exit(f"proforma ended with {priced.exit_code}:\n{priced.stderr}")
    print(f"\nproforma preview, {CLASSES:,} classes, {reps} runs each")
    result = {}
    for name, more in (("per group", []), ("per product", ["--by-product"])):
        runs = [run([binary, "preview", "--run", month / "run", "--book", month / "draft.toml", *more]) for _ in range(reps)]
        failed = next((one for one in runs if one.exit_code), None)
        if failed:
            sys.exit(f"preview ended with {failed.exit_code}:\n{failed.stderr}")
        result[name] = [figures(one) for one in runs]
        spreads = {key: spread([one[key] for one in result[name]]) for key in result[name][0]}
        wall, cpu, memory = (spreads[key] for key in ("wall_seconds", "cpu_seconds", "process_bytes_max"))
        print(f"  {name}: {wall['median']:.2f} s ({wall['min']:.2f}–{wall['max']:.2f}), {cpu['median']:.2f} CPU s, "
              f"{memory['max'] / MB:.0f} MB")
    fastest = min(one["wall_seconds"] for one in result["per group"])
    verdict("seconds of a preview", fastest, PREVIEW_SECONDS_MAX, " s")
    return result


if __name__ == "__main__":
    main()
