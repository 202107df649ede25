"""Orders that exist elsewhere and come as files: what is taken, what is kept of an order that is here, what is refused."""
import json
import os
import subprocess

import pytest

from desk import name
from program import PROGRAM
from purchasing import SHIP_TO, add, invoice, line, orders_client, own
from server import QUIET

COLUMNS = ("id,bill_from,currency,effective,expiration,updated_at,ship_to_company,ship_to_country,line_number,line_type,line_start,line_end,line_amount,"
           "line_tax,line_balance_tracking")


@pytest.fixture(scope="module")
def orders(server):
    return orders_client(server)


def imported(identity, *lines, **more):
    """An order of ImportPurchaseOrders."""
    given = {"PurchaseOrderId": identity, "BillFrom": ["AWS_INC"], "EffectiveMonth": "2026-01", "ExpirationMonth": "2026-12", "UpdatedAt": "2026-11-10T12:00:00Z",
             "ShipTo": SHIP_TO, "LineItems": list(lines) or [line()]} | more
    return {key: value for key, value in given.items() if value is not None}


def take(server, *of):
    return own(server, "ImportPurchaseOrders", PurchaseOrders=list(of))


def not_taken(server, *of):
    answer = server.own("ImportPurchaseOrders", {"PurchaseOrders": list(of)})
    assert answer.status == 400, answer.body
    return answer.json["Message"]


def from_file(server, path, *flags):
    """What `po import` of a file prints, or why it does not take it."""
    ended = subprocess.run([PROGRAM, "po", "import", path, *flags, "--endpoint", server.endpoint, "--output", "json"], capture_output=True, text=True, timeout=120,
                           env=os.environ | QUIET | server.root.environment)
    return json.loads(ended.stdout) if ended.returncode == 0 else ended.stderr


def shown(orders, identity):
    return orders.get_purchase_order(PurchaseOrderArn=identity)["PurchaseOrder"]


# ---- Over an order that is here

def test_an_import_over_an_order_is_held_to_what_a_change_is_held_to(server, orders):
    identity, seller = name("OVER"), name("SELLER")
    add(orders, line("1"), line("2"), PurchaseOrderId=identity, BillFrom=[seller])
    own(server, "ImportInvoices", Invoices=[invoice(BillFrom=seller, TotalAmount="400")])
    used = next(item["Number"] for item in shown(orders, identity)["LineItems"] if item["InvoicedAmount"] == "400")
    of = lambda *lines, **more: imported(identity, *lines, BillFrom=[seller], **more)
    assert "the order's currency is `USD` and cannot become `JPY`" in not_taken(server, of(line("1"), line("2"), Currency="JPY"))
    older = not_taken(server, of(line("1", Amount="5"), line("2"), UpdatedAt="2026-02-01"))
    assert "the file is of `2026-02-01T00:00:00Z`, and the order was changed here at `2026-11-10T12:00:00Z`" in older
    assert shown(orders, identity)["Revision"] == 1
    done = take(server, of(line("7")))
    assert done["Changed"] == 1 and any(f"line `{used}` goes away and has invoices" in said for said in done["Warnings"]), done
    # An older file that says what is here is no change, and sets no time back.
    assert take(server, of(line("7"), UpdatedAt="2026-02-01"))["Unchanged"] == 1
    assert shown(orders, identity)["UpdatedOn"].strftime("%Y-%m-%d") == "2026-11-10"


def test_what_a_file_does_not_say_stays(server, orders):
    identity = name("KEEP")
    add(orders, line("1", Tax={"Percentage": "19"}, Quantity="2", Description="compute"), PurchaseOrderId=identity, Currency="EUR", Description="mine", PaymentTerms="Net 30",
        BillTo=SHIP_TO, Tags={"team": "a"}, Contacts=[{"Name": "Ann", "Email": "ann@example.com", "Phone": "1"}], InvoiceUnits=["unit"])
    orders.update_purchase_order_status(PurchaseOrderArn=identity, Status="SUSPENDED")
    before = shown(orders, identity)
    short = {"Number": "1", "Type": "ALL", "StartMonth": "2026-01", "EndMonth": "2026-12"}
    assert take(server, imported(identity, short, ShipTo=None))["Unchanged"] == 1
    assert take(server, imported(identity, short | {"Amount": "7"}, ShipTo=None, Description="", Suspended=False))["Changed"] == 1
    after = shown(orders, identity)
    assert (after["Status"], after["LineItems"][0]["TotalValue"], "Description" in after) == ("ACTIVE", "16.66", False)
    for member in ("Currency", "PaymentTerms", "BillTo", "ShipTo", "Tags", "Contacts", "InvoiceUnits"):
        assert after[member] == before[member], member


def test_a_new_order_without_a_currency_is_in_dollars(server, orders):
    identity = name("NEW")
    assert take(server, imported(identity, CreatedAt="2026-01-05"))["Added"] == 1
    got = shown(orders, identity)
    assert (got["Currency"], got["Status"], got["CreatedOn"].strftime("%Y-%m-%d")) == ("USD", "ACTIVE", "2026-01-05")


@pytest.mark.parametrize("given, said", [
    ({"UpdatedAt": "2099-01-01"}, "`2099-01-01T00:00:00Z` lies ahead: now it is `2026-11-10T12:00:00Z`"),
    ({"CreatedAt": "2026-12-01"}, "`2026-12-01T00:00:00Z` lies ahead"),
    ({"Currency": "dollars", "ExpirationMonth": "2026-13"}, "`dollars` is not a currency"),
    ({"Currency": "dollars", "ExpirationMonth": "2026-13"}, "`2026-13` is not a billing period"),
    ({"LineItems": [line("1", Amount="999999999999999"), line("2", Amount="999999999999999")]}, "are worth more than 1000000000000000"),
])
def test_what_no_order_may_have_is_refused_of_a_file_too(server, given, said):
    assert said in not_taken(server, imported(name("BAD"), **given))


def test_an_empty_address_is_none(server, orders):
    done = take(server, imported(name("NOWHERE"), ShipTo={}))
    assert any("no address to ship to" in said for said in done["Warnings"])


def test_an_order_comes_once_in_a_file(server, orders):
    identity = name("TWICE")
    assert f"purchase order `{identity}`: it is there twice" in not_taken(server, imported(identity), imported(f" {identity} ", line(Amount="5")))
    assert take(server, imported(identity))["Added"] == 1


# ---- CSV

def test_a_table_has_everything_of_an_order(server, orders, tmp_path):
    identity, file = name("WIDE"), tmp_path / "orders.csv"
    file.write_text("\ufeffid,bill_from,effective,expiration,updated_at,suspended,tags,contacts,ship_to_company,ship_to_lines,ship_to_city,ship_to_postal_code,ship_to_country,"
                    "bill_to_company,bill_to_lines,bill_to_state,bill_to_district,bill_to_country,line_number,line_type,line_start,line_end,line_amount\n"
                    f'{identity},AWS_INC; AWS_EUROPE,2026-01,2026-12,2026-02-03,yes,team=a; cost=x=1,Ann <ann@example.com> +44 1; bob@example.com,Larkfield,1 Mill Lane; Floor 2,Dover,CT16,GB,'
                    f'"Larkfield, Inc.",PO Box 1,Kent,East,GB,1,ALL,2026-01,2026-12,100\n')
    assert from_file(server, file)["Added"] == 1
    got = shown(orders, identity)
    assert got["Tags"] == {"team": "a", "cost": "x=1"} and got["BillFrom"] == ["AWS_EUROPE", "AWS_INC"] and got["Status"] == "SUSPENDED"
    assert got["Contacts"] == [{"Name": "Ann", "Email": "ann@example.com", "Phone": "+44 1"}, {"Name": "", "Email": "bob@example.com"}]
    assert got["ShipTo"] == {"Company": "Larkfield", "Lines": ["1 Mill Lane", "Floor 2"], "City": "Dover", "PostalCode": "CT16", "Country": "GB"}
    assert got["BillTo"] == {"Company": "Larkfield, Inc.", "Lines": ["PO Box 1"], "District": "East", "State": "Kent", "Country": "GB"}
    # A table without these columns, or with nothing in them, keeps them.
    file.write_text(f"id,bill_from,effective,expiration,updated_at,tags,line_number,line_type,line_start,line_end,line_amount\n{identity},AWS_INC; AWS_EUROPE,2026-01,2026-12,2026-02-04,,1,ALL,2026-01,2026-12,200\n")
    assert from_file(server, file)["Changed"] == 1
    after = shown(orders, identity)
    assert after["TotalAmount"] == "200" and all(after[member] == got[member] for member in ("Tags", "Contacts", "ShipTo", "BillTo", "Status"))


def test_rows_of_one_order_that_contradict_each_other_are_named(server, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text(f"{COLUMNS}\nCS,AWS_INC,USD,2026-01,2026-12,2026-02-03,L,GB,1,ALL,2026-01,2026-12,1,,no\nCS,AWS_EUROPE,EUR,,2027-12,,L,,2,ALL,2026-01,2026-12,1,,no\n")
    said = from_file(server, file)
    for column, second, first in (("bill_from", "AWS_EUROPE", "AWS_INC"), ("currency", "EUR", "USD"), ("expiration", "2027-12", "2026-12")):
        assert f"row 3 has `{second}` as `{column}` of purchase order `CS`, and row 2 has `{first}`" in said
    assert "ship_to" not in said and "effective" not in said


# ---- Nothing

def test_an_empty_file_is_no_file_without_entries(server, tmp_path):
    for ending in ("csv", "json"):
        file = tmp_path / f"nothing.{ending}"
        file.write_text(" \n")
        for flags in ((), ("--invoices",)):
            assert "is empty" in from_file(server, file, *flags)
        ended = subprocess.run([PROGRAM, "invoice", "import", file, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=120,
                               env=os.environ | QUIET | server.root.environment)
        assert ended.returncode != 0 and "is empty" in ended.stderr, ended
    assert "are empty" in server.own("ImportInvoices", {"Content": " "}).json["Message"]


def test_a_file_without_entries_says_so(server, tmp_path):
    table, answer = tmp_path / "none.csv", tmp_path / "none.json"
    table.write_text(COLUMNS + "\n")
    assert from_file(server, table)["Warnings"] == ["it has no orders: nothing was taken"]
    answer.write_text(json.dumps({"InvoiceSummaries": []}))
    assert from_file(server, answer, "--invoices")["Warnings"] == ["it lists no invoices: nothing was taken"]
    table.write_text("invoice_id,kind\n")
    assert from_file(server, table, "--invoices")["Warnings"] == ["it lists no invoices: nothing was taken"]
    done = json.loads(server.command("invoice", "import", answer, "--output", "json"))["Files"][0]
    assert (done["NewCount"], done["Warnings"]) == (0, ["it lists no invoices: nothing was taken"])
