"""A PostgreSQL server for one run of the tests: a cluster of its own in a folder of its own, gone afterwards.

PostgreSQL refuses to run as root; as root it is started as the user that Debian's package makes for it. Texts sort by a language's rules there,
as in most installed clusters: a query that needs the order of bytes must say so.
"""
import contextlib
import itertools
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

SECONDS_TO_START = 60
USER = "proforma"
# Nothing here outlives the tests, so nothing is forced to disk.
SETTINGS = {"listen_addresses": "127.0.0.1", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
            "max_connections": "300", "shared_buffers": "64MB", "autovacuum": "off"}


class Cluster:
    """A running server; `durable` makes it keep its promises at a power loss."""

    def __init__(self, durable=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="proforma-postgres-", dir="/tmp"))
        self.owner = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self.owner = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = self.folder / "log"
        self.numbers = itertools.count(1)
        self.run("initdb", "-k", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu",
                 "--icu-locale=en-US", "--no-sync", "-D", self.folder / "data")
        settings = {"unix_socket_directories": self.folder} | (
            {key: value for key, value in SETTINGS.items() if value != "off"} if durable else SETTINGS)
        self.options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [program("postgres"), "-D", self.folder / "data", "-p", str(self.port), *self.options], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=open(self.folder / "out", "ab"), stderr=subprocess.STDOUT, **self.owner)
        self.wait()

    def run(self, name, *arguments):
        ended = subprocess.run([program(name), *arguments], cwd=self.folder, capture_output=True, text=True,
                               timeout=SECONDS_TO_START, **self.owner)
        if ended.returncode != 0:
            raise RuntimeError(f"{name}: {ended.stderr}")
        return ended.stdout

    def ask(self, name, *arguments):
        """A client program of PostgreSQL against this server."""
        return self.run(name, "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, *arguments)

    def wait(self):
        until = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                return self.ask("pg_isready", "-q", "-d", "postgres")
            except RuntimeError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'out').read_text()}") from None
                time.sleep(0.05)

    def database(self, *options):
        """The address of a new, empty database, made with options of `createdb`."""
        name = f"test_{next(self.numbers)}"
        self.ask("createdb", *options, name)
        return f"postgres://{USER}@127.0.0.1:{self.port}/{name}"

    def drop(self, address):
        """A database goes with its tests: hundreds of them at the end of a run take minutes to remove."""
        self.ask("dropdb", "--force", "--if-exists", address.rsplit("/", 1)[1])

    def say(self, address, sql):
        """What a statement answers, in the database of an address."""
        return self.ask("psql", "-d", address.rsplit("/", 1)[1], "-v", "ON_ERROR_STOP=1", "-qAt", "-c", sql)

    def locked(self, address, table, mode="ACCESS EXCLUSIVE"):
        """Nobody else reads or writes a table meanwhile, or whatever the mode lets them do."""
        return self.begun(address, f"LOCK TABLE {table} IN {mode} MODE")

    @contextlib.contextmanager
    def begun(self, address, statement):
        """A transaction that has begun with a statement does nothing more meanwhile."""
        name = address.rsplit("/", 1)[1]
        session = subprocess.Popen([program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", name, "-qAt"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **self.owner, cwd=self.folder)
        session.stdin.write(f"BEGIN; {statement}; SELECT 'locked';\n")
        session.stdin.flush()
        assert session.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            session.stdin.close()
            session.wait(SECONDS_TO_START)

    def halt(self):
        """Ends the server at once; what it keeps stays for `start`."""
        # SIGQUIT is its immediate shutdown: sessions that are still open do not hold it up.
        self.process.send_signal(3)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def stop(self):
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)


def program(name):
    """Where a program of PostgreSQL is; Debian keeps them off the path, by version."""
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} is missing; these tests need PostgreSQL (Debian: apt-get install postgresql)")
    return found
