"""Bit rot: a flipped bit of whatever a data directory keeps is found by `proforma verify`, which names what it is in.

`PROFORMA_ROT_FLIPS` is how many bits are flipped in files, and in the database; `PROFORMA_ROT_SEED` repeats a time.
"""
import os
import random
import sqlite3

import pytest

from desk import Desk
from policy_months import PolicyMonth
from server import PREVIOUS, Server, in_period
from test_keeping import told

FLIPS = int(os.environ.get("PROFORMA_ROT_FLIPS", 120))
SEED = int(os.environ.get("PROFORMA_ROT_SEED", os.getpid()))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A stopped server: a rule that was changed, so a superseded run and a current one, kept cost files, a closed month."""
    folder = tmp_path_factory.mktemp("rot").resolve()
    server = Server(folder / "data").init().start()
    past, month = Desk(in_period(server.client(), PREVIOUS)), PolicyMonth()
    rule = past.rule(ModifierPercentage=10)
    month.line(past.group(plan=past.plan(rule)).primary, cost="100")
    server.load(month.write(folder / "cost"))
    past.client.update_pricing_rule(Arn=rule, ModifierPercentage=20)
    server.settle()
    server.command("close", PREVIOUS)
    server.stop()
    # What is left in the log goes into the pages.
    with sqlite3.connect(server.data / "proforma.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert told(server, "verify").returncode == 0
    return server


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at // 8] ^= 1 << at % 8
    path.write_bytes(content)


def test_a_flipped_bit_of_a_file_is_found(server):
    chance = random.Random(SEED)
    payer = server.data / "payers" / server.payer
    files = sorted(path for path in payer.rglob("*") if path.is_file() and path.stat().st_size)
    assert {path.relative_to(payer).parts[0] for path in files} == {"runs", "cost-files"}
    for number in range(FLIPS):
        path = files[number % len(files)]
        at = chance.randrange(8 * path.stat().st_size)
        flip(path, at)
        found = told(server, "verify")
        of = path.relative_to(payer).parts
        # Files of a run are known by its folder; runs share what they took over.
        named = path.name if of[0] == "cost-files" else of[2]
        assert found.returncode == 2 and named in found.stderr, (path, at, SEED, found.stderr)
        flip(path, at)
    assert told(server, "verify").returncode == 0


def test_a_changed_entry_of_the_audit_is_found(server):
    with sqlite3.connect(server.data / "proforma.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(audit)") if row[1] != "payer"]
        last = database.execute("SELECT MAX(sequence) FROM audit").fetchone()[0]
        assert last > 5 and len(columns) == 10
    for sequence in (1, last // 2, last):
        for column in columns:
            change = f"{column} = {column} + 1000" if column in ("at_ms", "sequence") else f"{column} = {column} || '.'"
            assert_found(server, f"UPDATE audit SET {change} WHERE sequence = {sequence}", "of the audit")
        assert_found(server, f"DELETE FROM audit WHERE sequence = {sequence}", "of the audit")


def test_a_changed_setting_is_found(server):
    with sqlite3.connect(server.data / "proforma.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(settings)")]
        rows = database.execute("SELECT kind, id, revision FROM settings").fetchall()
        assert {kind for kind, _, _ in rows} >= {"billing_group", "pricing_plan", "pricing_rule", "membership"}
    for kind, setting, revision in rows:
        where = f"kind = '{kind}' AND id = '{setting}' AND revision = {revision}"
        for column, change in {"body": "replace(body, '2', '3') || ' '", "recorded_at_s": "recorded_at_s + 1", "to_period": "'2031-01'",
                               "row_hash": "replace(row_hash, 'a', 'b') || '0'"}.items():
            assert column in columns
            assert_found(server, f"UPDATE settings SET {column} = {change} WHERE {where}", f"setting {kind} `{setting}`")


def test_a_changed_schema_is_found(server):
    """Nobody reads a column by a name that has rotted: what it held looks as if it had never been written."""
    for rotten in ("CAST(x'6f70f4696f6e73' AS TEXT)", "'optionz'"):
        change = f"UPDATE sqlite_master SET sql = replace(sql, 'options', {rotten}) WHERE name = 'invoice_drafts'"
        assert_found(server, change, "the schema's table invoice_drafts")


def test_a_row_of_nobody_is_found(server):
    """Nobody reads a row whose payer or run has rotted: it looks as if it had never been written."""
    for table, column in (("settings", "payer"), ("closes", "payer"), ("current_runs", "period"), ("access_keys", "payer")):
        change = f"UPDATE {table} SET {column} = replace({column}, '9', '8') || '0' WHERE rowid = (SELECT MIN(rowid) FROM {table})"
        assert_found(server, change, f"{table} has rows of")


def test_a_change_of_any_column_is_found(server):
    """The last value of each column of each table that has rows; `UNHASHED` and `WITHOUT_HASH` are what nothing holds."""
    path = server.data / "proforma.db"
    kept, silent = path.read_bytes(), []
    for table, of in rows(path).items():
        for column in of[0] if of else ():
            if table in WITHOUT_HASH or f"{table}.{column}" in UNHASHED or table.startswith("sqlite_"):
                continue
            try:
                with sqlite3.connect(path) as database:
                    database.execute("PRAGMA ignore_check_constraints = ON")
                    last = f"(SELECT MAX(rowid) FROM {table} WHERE {column} IS NOT NULL)"
                    database.execute(f"UPDATE {table} SET {column} = CASE typeof({column}) WHEN 'integer' THEN {column} + 1 "
                                     f"ELSE substr({column}, 1, length({column}) - 1) || '~' END WHERE rowid = {last}")
                    changes = database.total_changes
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                database.close()
                if changes and told(server, "verify").returncode == 0:
                    silent.append(f"{table}.{column}")
            finally:
                put_back(path, kept)
    assert silent == []


def assert_found(server, statement, named):
    """A change of the database that `verify` finds and names; it is taken back."""
    path = server.data / "proforma.db"
    kept = path.read_bytes()
    try:
        database = sqlite3.connect(path)
        with database:
            database.execute("PRAGMA writable_schema = ON")
            database.execute(statement)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        found = told(server, "verify")
        assert found.returncode == 2 and named in found.stderr, (statement, found.stderr)
    finally:
        put_back(path, kept)


def put_back(path, kept):
    """The database as it was, without what is beside it."""
    for beside in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    path.write_bytes(kept)


def rows(path):
    """Every row of the database by column, as text, table by table; None where it cannot be read."""
    database = sqlite3.connect(path)
    database.text_factory = bytes
    try:
        tables = [name.decode() for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        found = {}
        for table in tables:
            read = database.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY rowid")
            columns = [of[0] for of in read.description]
            found[table] = [dict(zip(columns, map(repr, row))) for row in read]
        return found
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None
    finally:
        database.close()


def changed(before, now):
    """What is otherwise: columns of the rows that are still there, or tables whose rows are others."""
    found = set()
    for table, were in before.items():
        if len(were) != len(now[table]):
            found.add(f"{table}.*")
        for one, other in zip(were, now[table]):
            found |= {f"{table}.{column}" for column in one if one[column] != other[column]}
    return found


# Rows that are written again and again, and have no hash. What they say of money is in the files that runs and seals are held to. What is sealed
# is hexadecimal, whose other case says the same.
WITHOUT_HASH = {"runs", "resources", "client_tokens", "sources", "access_keys", "principals", "payers", "master_key_check", "_sqlx_migrations"}
# Columns that have none: when a row was set or superseded, which is noted later, and who closed a period, which the audit says, too.
UNHASHED = {"current_runs.set_at_ms", "settings.superseded_revision", "closes.closed_at_ms", "closes.closed_by"}


def is_told(place):
    """Whether a change is to be found."""
    table, column = place.split(".")
    return column == "payer" or table not in WITHOUT_HASH and place not in UNHASHED


def test_a_flipped_bit_of_the_database_is_found(server):
    """Where it changes what a table says, or breaks a page; most bits of a small database are of nothing."""
    chance = random.Random(SEED)
    path = server.data / "proforma.db"
    kept, before = path.read_bytes(), rows(path)
    assert before is not None
    found, silent = 0, []
    # One bit in a few says something; whatever this file holds, the search ends.
    for _ in range(100 * FLIPS):
        if found == FLIPS // 4:
            break
        at = chance.randrange(8 * len(kept))
        flip(path, at)
        try:
            now = rows(path)
            if now != before:
                verified = told(server, "verify")
                assert "panicked" not in verified.stderr, (at, SEED, verified.stderr)
                found += bool(verified.returncode)
                if not verified.returncode:
                    assert now is not None, (at, SEED)
                    silent.append(changed(before, now))
                    assert not any(is_told(place) for place in silent[-1]), (at, SEED, silent[-1])
        finally:
            put_back(path, kept)
    assert found == FLIPS // 4 and len(silent) <= found, (found, silent)
