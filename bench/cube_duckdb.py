"""The cost cube of a month with DuckDB: `cube_duckdb.py THREADS FILE...`. Prints its totals as JSON."""
import json
import pathlib
import sys

import duckdb

SQL = pathlib.Path(__file__).parent / "sql" / "cube.sql"


def main(threads, files):
    connection = duckdb.connect()
    connection.execute(f"SET threads={int(threads)}")
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    result = connection.execute(SQL.read_text().replace("{files}", f"[{listed}]"))
    names = [column[0] for column in result.description]
    rows = result.fetchall()

    def total(name):
        at = names.index(name)
        return sum(row[at] for row in rows if row[at] is not None)

    print(json.dumps({"duckdb": duckdb.__version__, "classes": len(rows), "lines": total("lines"),
                      "unblended_cost": str(total("unblended_cost")),
                      "net_unblended_cost": str(total("net_unblended_cost"))}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
