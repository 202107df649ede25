"""AWS's list of its invoices, whichever way it comes in: `invoice import` and `po import --invoices` read it alike, and neither guesses."""
import json
import os
import subprocess
from types import SimpleNamespace

import pytest

from desk import name
from program import PROGRAM
from purchasing import add, invoice, line, orders_client, own, summary

CONTRADICTION = "contradict each other; it is taken for a credit memo"


@pytest.fixture(scope="module")
def world(new_server):
    server = new_server(transfers=False)
    return SimpleNamespace(server=server, orders=orders_client(server))


@pytest.fixture
def seller(world):
    """A seller with an order of its own: its first line takes a month's usage, its second one purchases."""
    lines = line("1", Type="AWS_MONTHLY_USAGE"), line("2", Type="AWS_SUBSCRIPTION_PURCHASE")
    code = name("SELLER")
    return SimpleNamespace(code=code, arn=add(world.orders, *lines, BillFrom=[code])["PurchaseOrderArn"])


def balances(world, seller):
    return [item["CurrentBalance"] for item in world.orders.get_purchase_order(PurchaseOrderArn=seller.arn)["PurchaseOrder"]["LineItems"]]


def listed(seller, identity, *without, **more):
    """A summary of AWS's over 119 USD, without some members."""
    given = summary(identity, Entity={"InvoicingEntity": seller.code, "BillingEntity": "AWS"}) | more
    return {member: value for member, value in given.items() if member not in without}


def brought(world, *summaries, **more):
    return own(world.server, "ImportInvoiceSummaries", Summaries=json.dumps({"InvoiceSummaries": summaries} | more))


def taken(world, *summaries, **more):
    return own(world.server, "ImportInvoices", Content=json.dumps({"InvoiceSummaries": summaries} | more))


def kind(world, identity):
    return own(world.server, "GetInvoiceMatch", InvoiceId=identity)["InvoiceMatch"]["Kind"]


def ended(world, *arguments):
    """A command of the program that asks the running server, however it ends."""
    env = os.environ | world.server.root.environment | {"RUST_LOG": "off"}
    return subprocess.run([PROGRAM, *map(str, arguments), "--endpoint", world.server.endpoint], capture_output=True, text=True, env=env)


@pytest.fixture(params=[brought, taken], ids=["invoice-import", "po-import"])
def door(request):
    return request.param


# ---- What an invoice charges

def test_an_invoice_without_a_bill_type_is_not_guessed_to_be_a_purchase(world, seller, door):
    new, known = name("N"), name("N")
    own(world.server, "ImportInvoices", Invoices=[invoice(known, BillFrom=seller.code, TotalAmount="100")])
    assert balances(world, seller) == ["900", "1000"]
    done = door(world, listed(seller, new, "BillType"), listed(seller, known, "BillType"))
    assert [said for said in done["Warnings"] if new in said and "say BillType" in said], done
    assert not [said for said in done["Warnings"] if known in said]
    # What is known by now stays what it is, with the total that AWS says.
    assert (kind(world, known), balances(world, seller)) == ("MONTHLY_USAGE", ["881", "1000"])
    assert world.server.own("GetInvoiceMatch", {"InvoiceId": new}).status in (400, 404)
    # Said, it is matched.
    door(world, listed(seller, new))
    assert balances(world, seller) == ["762", "1000"]


def test_a_table_without_a_bill_type_says_what_is_missing(world, seller, tmp_path):
    identity, file = name("N"), tmp_path / "list.csv"
    file.write_text("InvoiceId,AccountId,IssuedDate,BillingPeriod,TotalAmount,CurrencyCode,InvoicingEntity\n"
                    f"{identity},999999999999,2026-11-03,2026-10,119,USD,{seller.code}\n")
    row = json.loads(world.server.command("invoice", "import", file, "--output", "json"))["Files"][0]
    assert row["NewCount"] == 1 and "say BillType" in row["Warnings"][0], row
    assert balances(world, seller) == ["1000", "1000"]
    why = ended(world, "po", "explain", identity)
    assert why.returncode == 2 and f"invoice `{identity}` is in AWS's list and is not matched: it has no `BillType`" in why.stderr, why.stderr


def test_a_refund_is_a_credit_memo_whatever_its_invoice_type_is(world, seller, door):
    first, refund, odd = name("A"), name("A"), name("A")
    back = {"PaymentCurrencyAmount": {"TotalAmount": "-50", "CurrencyCode": "USD"}}
    door(world, listed(seller, first))
    done = door(world, listed(seller, refund, "InvoiceType", BillType="REFUND", OriginalInvoiceId=first, **back))
    assert not [said for said in done["Warnings"] if CONTRADICTION in said]
    assert (kind(world, refund), balances(world, seller)) == ("CREDIT_MEMO", ["931", "1000"])
    done = door(world, listed(seller, odd, BillType="REFUND", OriginalInvoiceId=first, **back))
    assert [said for said in done["Warnings"] if CONTRADICTION in said and odd in said], done
    assert (kind(world, odd), balances(world, seller)) == ("CREDIT_MEMO", ["981", "1000"])


def test_a_tax_invoice_is_not_charged_beside_its_commercial_one(world, seller, door):
    commercial, tax, itself = name("C"), name("T"), name("C")
    done = door(world, listed(seller, commercial), listed(seller, tax, CommercialInvoiceId=commercial),
                listed(seller, itself, CommercialInvoiceId=itself))
    assert [said for said in done["Warnings"] if f"`{tax}`" in said and f"tax invoice of `{commercial}`" in said], done
    assert balances(world, seller) == ["762", "1000"]


# ---- Instants

@pytest.mark.parametrize("issued", ["2026-11-03T20:00:00.123-05:00", "2026-11-04T02:00:00+01:00", "2026-11-04 01:00:00", 1793754000.5, 1.793754e9])
def test_an_instant_is_the_same_at_every_door(world, seller, door, issued):
    identity = name("I")
    door(world, listed(seller, identity, IssuedDate=issued))
    [found] = [row for row in own(world.server, "ListInvoiceMatches")["InvoiceMatches"] if row["InvoiceId"] == identity]
    assert found["IssuedDate"] == 1793754000


# ---- Lists that are not whole

def test_a_list_that_is_cut_is_warned_of(world, seller, door):
    assert any("`NextToken`" in said for said in door(world, listed(seller, name("P")), NextToken="there is more")["Warnings"])
    pages = json.dumps([{"InvoiceSummaries": [], "NextToken": "2"}, {"InvoiceSummaries": [listed(seller, name("P"))]}])
    member, operation = ("Summaries", "ImportInvoiceSummaries") if door is brought else ("Content", "ImportInvoices")
    assert not any("NextToken" in said for said in own(world.server, operation, **{member: pages})["Warnings"])


def test_what_says_too_little_to_be_matched_says_why_when_asked(world, seller):
    without_month, odd_currency, receipt = name("T"), name("Y"), name("R")
    done = brought(world, listed(seller, without_month, "BillingPeriod"),
                   listed(seller, odd_currency, PaymentCurrencyAmount={"TotalAmount": "1", "CurrencyCode": "usd"}),
                   listed(seller, receipt, InvoiceType="PAYMENT_RECEIPT"))
    assert (done["NewCount"], done["MatchedCount"]) == (3, 0)
    for identity, why in [(without_month, "`BillingPeriod` is missing"), (odd_currency, "CurrencyCode: `usd` is no currency"), (receipt, "payment receipt")]:
        said = world.server.own("GetInvoiceMatch", {"InvoiceId": identity}).json["Message"]
        assert said.startswith(f"invoice `{identity}` is in AWS's list and is not matched: ") and why in said, said


# ---- What is refused

@pytest.mark.parametrize("text, said", [
    ("InvoiceId,AccountId,TotalAmount,TotalAmount\nA,111122223333,1,2\n", "column `TotalAmount` is there twice"),
    ("InvoiceId,AccountId,TotalAmount,BaseCurrencyAmount.TotalAmount\nA,111122223333,1,2\n", "column `BaseCurrencyAmount.TotalAmount` is there twice"),
    ('[{"InvoiceId": "A", "AccountId": "111122223333", "BillType": "PURCHASE", "BillType": "REFUND"}]', "[0]: `BillType` is there twice"),
    ("InvoiceId,AccountId,TotalAmount\nA,111122223333,\"1,000\"\n", "row 2: BaseCurrencyAmount.TotalAmount: `1,000` is not a decimal number; write it as 1234.56 (invoice `A`)"),
    ("InvoiceId,AccountId\nA,12\n", "it is `12` (invoice `A`)"),
    ("InvoiceId,AccountId,IssuedDate\nA,111122223333,03/11/2026\n", "row 2: IssuedDate: `03/11/2026` is no date; write it as 2026-11-03")])
def test_a_mistake_says_the_file_the_value_and_the_way_out(world, tmp_path, text, said):
    file = tmp_path / "list.txt"
    file.write_text(text)
    answer = ended(world, "invoice", "import", file)
    assert answer.returncode != 0 and str(file) in answer.stderr and said in answer.stderr, answer.stderr


def test_a_column_that_is_there_twice_is_refused_in_files_of_other_systems(world, tmp_path):
    file = tmp_path / "invoices.csv"
    file.write_text("invoice_id,kind,bill_from,billing_period,total,total,currency,issued\nA,MONTHLY_USAGE,AWS_INC,2026-10,1,2,USD,2026-11-03\n")
    answer = ended(world, "po", "import", "--invoices", file)
    assert answer.returncode == 2 and "column `total` is there twice" in answer.stderr, answer.stderr
    double = '{"InvoiceSummaries": [{"InvoiceId": "A", "InvoiceId": "B"}]}'
    assert "`InvoiceId` is there twice" in world.server.own("ImportInvoices", {"Content": double}).json["Message"]
