"""The line export beside DuckDB writing a file per group: what `bench.py --export` measures.

CPU seconds of whole process trees, interleaved. Ours is told in two ways: a run that exports less a run that does not, and
`proforma export` of a run. Both hash the cost files, which is told apart as everywhere.
"""
import json
import pathlib
import shutil
import subprocess
import sys

from measure import run

BENCH = pathlib.Path(__file__).resolve().parent
GROUPS, MANY_GROUPS = 300, 3_000


def measure(proforma, month, work, period, options):
    """The figures of each repetition, and the memory of an export into many groups."""
    jobs = Jobs(proforma, month, work, period, options.threads)
    book = jobs.book(GROUPS)
    runs = []
    for _ in range(options.reps):
        plain = succeeded(jobs.run(book))
        with_export = succeeded(jobs.run(book, "--export", "cur2"))
        mark = json.loads((jobs.out / "pro-forma" / "export.json").read_text())
        alone = succeeded(jobs.export())
        theirs = succeeded(jobs.duckdb(book, mark))
        hashing = float(plain.stderr.split("timing hashing_cpu_seconds=")[1].split()[0])
        runs.append({
            "run": plain.cpu_seconds, "run --export": with_export.cpu_seconds, "export": alone.cpu_seconds,
            "hashing": hashing, "duckdb": theirs.cpu_seconds, "export bytes": alone.tree_bytes_max,
            "duckdb bytes": theirs.tree_bytes_max, "export wall": alone.wall_seconds, "duckdb wall": theirs.wall_seconds,
            "ratio": (with_export.cpu_seconds - plain.cpu_seconds - hashing) / theirs.cpu_seconds,
            "ratio alone": (alone.cpu_seconds - hashing) / theirs.cpu_seconds,
            "rows": sum(file["rows"] - file["added_rows"] for file in mark["files"]),
            "duckdb rows": json.loads(theirs.stdout)["rows"],
            "exported bytes": sum(file["bytes"] for file in mark["files"]),
            "duckdb written bytes": sum(file.stat().st_size for file in jobs.theirs.rglob("*.parquet")),
        })
    many = jobs.book(MANY_GROUPS)
    measured = succeeded(jobs.run(many, "--export", "cur2"))
    files = json.loads((jobs.out / "pro-forma" / "export.json").read_text())["files"]
    jobs.clear()
    return {"groups": GROUPS, "runs": runs, "many_groups": {
        "groups": len(files), "groups with lines": sum(file["rows"] > file["added_rows"] for file in files),
        "run --export bytes": measured.tree_bytes_max, "run --export": measured.cpu_seconds}}


class Jobs:
    """The commands, and where they write."""

    def __init__(self, proforma, month, work, period, threads):
        self.proforma, self.month, self.period, self.threads = proforma, month, period, threads
        self.work = work / "exports"
        self.out, self.ours, self.theirs = (self.work / name for name in ("run", "export", "duckdb"))
        self.clear()
        self.work.mkdir(parents=True)

    def clear(self):
        shutil.rmtree(self.work, ignore_errors=True)

    def book(self, groups):
        path = self.work / f"book-{groups}.toml"
        subprocess.run([sys.executable, BENCH / "make_book.py", self.month, path, str(groups)], check=True)
        return path

    def run(self, book, *more):
        return run([self.proforma, "run", "--cost", self.month / "data", "--book", book, "--period", self.period, "--out",
                    self.out, "--threads", str(self.threads), "--force", "--timings", *more])

    def export(self):
        return run([self.proforma, "export", "--run", self.out, "--cost", self.month / "data", "--out", self.ours,
                    "--threads", str(self.threads), "--force"])

    def duckdb(self, book, mark):
        shutil.rmtree(self.theirs, ignore_errors=True)
        filled = [column for column, treated in mark["columns"].items() if treated not in ("blank", "allowed keys")]
        job = {"threads": self.threads, "book": str(book), "out": str(self.theirs), "filled": filled,
               "files": sorted(str(file) for file in (self.month / "data").glob("*/*.parquet"))}
        (self.work / "job.json").write_text(json.dumps(job))
        return run([sys.executable, BENCH / "export_duckdb.py", self.work / "job.json"])


def succeeded(measured):
    if measured.exit_code:
        sys.exit(f"a command ended with {measured.exit_code}:\n{measured.stderr}")
    return measured
