"""What all tests in this folder share: servers on either store, and the reason of every skipped test, printed once."""
import collections

import pytest

import postgres
from desk import Desk, transfers_book
from server import Server


def pytest_terminal_summary(terminalreporter):
    reasons = collections.Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} tests skipped: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def cluster():
    """One PostgreSQL for all tests that want one."""
    cluster = postgres.Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def new_server(request, tmp_path_factory):
    """Makes servers of a module on either store, each with a data folder and a database of its own; they end with the module."""
    made = []

    def make(start=True, transfers=True, **options):
        database = request.getfixturevalue("cluster").database() if request.param == "postgres" else None
        server = Server(tmp_path_factory.mktemp(request.param) / "data", database, **options).init()
        made.append(server)
        if start:
            server.start()
        if start and transfers:
            server.apply(transfers_book())
        return server

    yield make
    for server in made:
        if server.process and server.process.poll() is None:
            server.stop()
    for server in made:
        if server.database:
            request.getfixturevalue("cluster").drop(server.database)


@pytest.fixture(scope="module")
def server(new_server):
    """The server of a module; tests that share it make things with names of their own."""
    return new_server()


@pytest.fixture(scope="module")
def client(server):
    return server.client()


@pytest.fixture(scope="module")
def desk(client):
    return Desk(client)
