"""Files that people write for commands: what is refused names the file, the row and the column, nothing is taken twice or in silence, and what a command writes
is no formula."""
import csv
import json
import os
import subprocess
from types import SimpleNamespace

import pytest

from desk import Desk, name
from policy_months import PolicyMonth
from program import PROGRAM, ROOT, run
from purchasing import invoice, line, order, orders_client, own, summary
from server import PREVIOUS, QUIET, in_period
from test_issued_invoices import ACME, ALL, done, refusal, settle
from test_order_imports import COLUMNS

NOTHING = "nothing was written"


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Two customers whose month is closed and whose invoices are settled."""
    server = new_server()
    desk = Desk(in_period(server.client(), PREVIOUS))
    plan = desk.plan(desk.rule(ModifierPercentage=10))
    acme, globex = desk.group(plan=plan, Name="acme"), desk.group(plan=plan, Name="globex")
    month = PolicyMonth()
    for group in (acme, globex):
        month.line(group.primary, cost="100", service="AmazonEC2")
    server.load(month.write(tmp_path_factory.mktemp("files") / "cost"))
    server.command("close", PREVIOUS)
    settle(server, ALL | ACME)
    return SimpleNamespace(server=server, acme=acme, globex=globex)


def tried(server, *arguments):
    """A command that need not succeed."""
    return subprocess.run([PROGRAM, *arguments, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=120,
                          env=os.environ | QUIET | server.root.environment)


def not_taken(server, *arguments):
    """Why a command refuses its input: by its exit status, and without anything being done."""
    ended = tried(server, *arguments)
    assert ended.returncode == 2 and ended.stdout == "" and NOTHING in ended.stderr, ended
    return ended.stderr


# ---- What is written

def test_no_cell_of_a_report_is_a_formula(tmp_path):
    book, formula = tmp_path / "book.toml", '=HYPERLINK("http://evil.example")'
    text = (ROOT / "fixtures" / "demo" / "book.toml").read_text()
    assert text.count('name = "goodwill-october"') == 1
    book.write_text(text.replace('name = "goodwill-october"', "name = '" + formula + "'").replace('"old-mill-bakery"', '"=old-mill"'))
    out = tmp_path / "out"
    ended = run(ROOT / "fixtures" / "demo" / "cost", book, "2026-10", out)
    assert ended.exit_code == 0, ended.stderr
    statement = list(csv.DictReader((out / "statements" / "pinecone-games.csv").open()))
    [item] = [row for row in statement if row["kind"] == "custom line item" and row["amount"] == "-150"]
    assert item["name"] == "'" + formula, "what others have named is a text, and an amount below zero is a number"
    report = subprocess.run([PROGRAM, "report", "--run", out, "--by", "group", "--output", "csv"], capture_output=True, text=True, timeout=120).stdout
    assert "'=old-mill" in report
    cells = [cell for path in (*out.glob("*.csv"), *out.glob("statements/*.csv")) for row in csv.reader(path.open()) for cell in row]
    cells += [cell for row in csv.reader(report.splitlines()) for cell in row]
    assert len(cells) > 1000 and not [cell for cell in cells if cell.startswith(("=", "+", "@")) or cell.startswith("-") and not cell[1:].replace(".", "").isdigit()]


# ---- What is read

def test_a_column_or_a_key_that_is_there_twice_is_refused(world, tmp_path):
    server, table, data = world.server, tmp_path / "twice.csv", tmp_path / "twice.json"
    table.write_text(f"{COLUMNS},line_amount\nTW,AWS_INC,USD,2026-01,2026-12,2026-02-03,L,GB,1,ALL,2026-01,2026-12,100,,no,999\n")
    assert "column `line_amount` is there twice" in not_taken(server, "po", "import", table)
    table.write_text("invoice_id,total,total\nA,1,2\n")
    assert "column `total` is there twice" in not_taken(server, "po", "import", "--invoices", table)
    table.write_text("id,name,name\n100000000001,a,b\n")
    assert "column `name` is there twice" in not_taken(server, "accounts", "import", "--file", table)
    data.write_text('[{"PurchaseOrderId": "TW", "LineItems": [{"Amount": "5", "Amount": "500"}]}]')
    assert "line 1, column 58: key `Amount` is given twice in one object" in not_taken(server, "po", "import", data)
    data.write_text('{"Currency": "EUR", "Currency": "USD"}')
    assert "key `Currency` is given twice" in not_taken(server, "po", "add", "--file", data)
    assert "key `Currency` is given twice" in not_taken(server, "invoice", "profile", "put", data)
    data.write_text('{"currency": "EUR", "currency": "USD"}')
    assert "duplicate field `currency`" in not_taken(server, "invoice", "settings", "--file", data)


@pytest.mark.parametrize("command", [("po", "import"), ("po", "import", "--invoices"), ("po", "add", "--file"), ("invoice", "import"), ("invoice", "settings", "--file"),
                                     ("invoice", "rates"), ("invoice", "profile", "put"), ("accounts", "import", "--file")])
def test_what_cannot_be_read_is_refused_alike(world, tmp_path, command):
    folder, other = tmp_path / "folder.json", tmp_path / "latin.json"
    folder.mkdir()
    other.write_bytes('{"a": "ü"}'.encode("latin-1"))
    for path, said in ((tmp_path / "nowhere.json", "nowhere.json` cannot be read: No such file"), (folder, "folder.json` cannot be read: Is a directory"),
                       (other, "latin.json` is not UTF-8")):
        assert said in (told := not_taken(world.server, *command, path)) and "hint: " in told


def test_settings_may_begin_with_a_mark_and_mistakes_have_their_place(world, tmp_path):
    file = tmp_path / "settings.json"
    file.write_text("\ufeff" + json.dumps({"due_days": 15}))
    world.server.command("invoice", "settings", "--group", world.globex.arn, "--file", file)
    for settings, said in (({"due_days": -1}, "`due_days`: invalid value: integer `-1`"), ({"tax": [{"category": "S", "rate": "19"}]}, "`tax[0]`: missing field `from`"),
                           ({"seller": {"address": {"street": "x"}}}, "`seller.address")):
        file.write_text(json.dumps(settings))
        told = not_taken(world.server, "invoice", "settings", "--file", file)
        assert said in told and "docs/invoices.md has the shape" in told


def test_what_is_missing_in_a_table_is_a_row_and_a_column(world, tmp_path):
    file = tmp_path / "orders.csv"
    rows = ["A,AWS_INC,USD,2026-01,2026-12,2026-02-03,L,GB,1,ALL,2026-01,2026-12,1,,no", "A,,,,,,,,2,ALL,2026-01,,1,,no", "B,,USD,2026-01,2026-12,2026-02-03,L,GB,1,ALL,2026-01,2026-12,1,,no"]
    file.write_text("\n".join([COLUMNS, *rows]))
    said = not_taken(world.server, "po", "import", file)
    assert f"`{file}`: row 3, column `line_end` of purchase order `A`: is required" in said
    assert "row 4, column `bill_from` of purchase order `B`: is required" in said
    file.write_text("\n".join([COLUMNS, rows[0].replace("2026-02-03", "soon")]))
    assert "row 2, column `updated_at` of purchase order `A`: `soon` is no instant" in not_taken(world.server, "po", "import", file)
    file.write_text("invoice_id,kind,bill_from,billing_period,total,currency,issued\nIN,MONTHLY_USAGE,AWS_INC,2026-10,1,USD,2026-11-03T00:00:00Z\nIM,MONTHLY_USAGE,,2026-10,1,USD,2026-11-03T00:00:00Z\n")
    assert f"`{file}`: row 3, column `bill_from` of invoice `IM`: is required" in not_taken(world.server, "po", "import", "--invoices", file)


# ---- Several files

def test_files_before_a_broken_one_are_answered_for(world, tmp_path):
    server, good, broken = world.server, tmp_path / "good.json", tmp_path / "broken.json"
    identity = name("GOOD")
    good.write_text(json.dumps({"InvoiceSummaries": [summary(identity)]}))
    assert "nowhere" in not_taken(server, "invoice", "import", good, tmp_path / "nowhere.json")
    assert identity not in json.dumps(done(server.own("ListInvoiceMatches"))), "files are read before any is sent"
    broken.write_text('{"InvoiceSummaries": [{"InvoiceId": "X"}]}')
    ended = tried(server, "invoice", "import", good, broken, "--output", "json")
    [taken] = json.loads(ended.stdout)["Files"]
    assert ended.returncode == 2 and taken["NewCount"] == 1 and NOTHING not in ended.stderr, ended
    assert f"`{broken}`: " in ended.stderr and f"the files before `{broken}` were taken, those from it on were not" in ended.stderr
    assert identity in json.dumps(done(server.own("ListInvoiceMatches")))


def test_profiles_before_a_bad_one_are_answered_for(world, tmp_path):
    server, file = world.server, tmp_path / "profiles.json"
    profile = {"AccountId": "100000000077", "ReceiverName": "Anna", "ReceiverAddress": {"City": "Köln", "CountryCode": "DE"}}
    file.write_text(json.dumps([profile, profile | {"AccountId": "7"}]))
    ended = tried(server, "invoice", "profile", "put", file, "--output", "json")
    assert ended.returncode == 2 and json.loads(ended.stdout) == {"Profiles": 1} and NOTHING not in ended.stderr, ended
    assert "profile 2 (`7`): " in ended.stderr and "the profiles before it were taken" in ended.stderr
    file.write_text(json.dumps([profile | {"AccountId": "7"}]))
    assert "profile 1 (`7`): " in not_taken(server, "invoice", "profile", "put", file)


# ---- Drafts and rates

@pytest.mark.parametrize("flags, said", [(("--prepaid", "abc"), "what was paid before: `abc`"), (("--prepaid", "1.234"), "what was paid before: `1.234`"),
                                         (("--allowance", "1e3=x"), "allowance: `1e3`"), (("--charge", "10= "), "the reason of the charge of `10` is blank")])
def test_a_draft_that_could_never_be_issued_is_not_made(world, flags, said):
    drafts = lambda: len(done(world.server.own("ListInvoiceDrafts"))["Drafts"])
    before = drafts()
    assert said in not_taken(world.server, "invoice", "draft", "--group", world.acme.arn, "--period", PREVIOUS, *flags)
    assert drafts() == before


def test_a_rate_is_corrected_until_a_document_has_taken_it(world, tmp_path):
    server, file = world.server, tmp_path / "rates.csv"
    header = "from,to,rate,source,date\n"
    rates = lambda *flags: not_taken(server, "invoice", "rates", file, *flags)
    file.write_text(header + "USD,EUR,0.9,ECB,2027-10-31\n")
    assert "is of 2027-10-31, which is yet to come" in rates()
    file.write_text(header + 'USD,EUR,"0,9",ECB,2026-10-30\n')
    assert "row 2: rate: `0,9` is not a decimal number" in rates()
    file.write_text(header + "USD,EUR,0.9,E\x1b[2JCB,2026-10-30\n")
    assert "row 2: source: it has the control character U+001B" in rates()
    taken = lambda *flags: json.loads(server.command("invoice", "rates", file, *flags, "--output", "json"))
    file.write_text(header + 'USD,EUR,0.09,"Bank of England, spot",2026-10-30\n')
    assert taken() == {"NewCount": 1, "KnownCount": 0}
    file.write_text(header + 'USD,EUR,0.9,"Bank of England, spot",2026-10-30\n')
    assert "If none has, correct it (`Correct`, --correct)" in rates()
    assert taken("--correct") == {"NewCount": 0, "KnownCount": 0, "CorrectedCount": 1}
    assert taken("--correct") == {"NewCount": 0, "KnownCount": 1, "CorrectedCount": 0}
    [kept] = [row for row in done(server.own("ListAuditEvents"))["AuditEvents"] if row["Resource"] == "USD/EUR 2026-10-30"]
    assert json.loads(kept["Detail"])["Before"] == {"Rate": "0.09", "Source": "Bank of England, spot"}
    settle(server, {"currency": "EUR"}, world.globex.arn)
    [draft] = done(server.own("DraftInvoice", {"BillingGroup": world.globex.arn, "BillingPeriod": PREVIOUS}))["DraftIds"]
    number = done(server.own("IssueInvoice", {"DraftId": draft}))["InvoiceNumber"]
    document = json.loads(done(server.own("GetInvoice", {"InvoiceNumber": number}))["Document"])
    assert document["exchange"]["rate"] == "0.9" and document["totals"]["net"] == "99.00"
    file.write_text(header + "USD,EUR,0.91,ECB,2026-10-30\n")
    assert f"the rate `0.9` from USD to EUR of 2026-10-30 stays: `{number}` was issued with it" in rates("--correct")


# ---- What people read

def test_a_credit_memo_of_an_unknown_invoice_says_how_it_becomes_known(world):
    server, memo, original = world.server, name("CM"), name("NOWHERE")
    orders_client(server).add_purchase_order(**order(line()))
    own(server, "ImportInvoices", Invoices=[invoice(memo, Kind="CREDIT_MEMO", OriginalInvoiceId=original)])
    told = server.command("po", "explain", memo)
    assert f"Invoice `{original}` is not known here." in told and "`proforma invoice import`" in told
    own(server, "ImportInvoices", Invoices=[invoice(original)])
    assert "is not known here" not in (told := server.command("po", "explain", memo)) and "is associated with line" in told


def test_tables_have_words_and_no_json(world):
    server, seller = world.server, name("SELLER")
    orders = orders_client(server)
    added = order(line(), BillFrom=[seller])
    orders.add_purchase_order(**added)
    own(server, "ImportInvoices", Invoices=[invoice(BillFrom=seller, TotalAmount="30"), invoice(BillFrom=name("OTHER"))])
    forecast = server.command("po", "forecast", added["PurchaseOrderId"])
    assert "too few months for a forecast" in " ".join(forecast.split()) and "2026-10: 30" in forecast and "{" not in forecast
    matches = server.command("po", "three-way")
    assert "NO_COST_DATA" in matches and "{" not in matches
    for command, column in ((("po", "forecast", added["PurchaseOrderId"]), "LineItems.BurnDown.Amount"), (("po", "three-way"), "Differences.Reason")):
        header, *rows = csv.reader(server.command(*command, "--output", "csv").splitlines())
        assert column in header and any(row[header.index(column)] for row in rows) and "{" not in str(rows)
