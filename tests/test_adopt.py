"""`proforma adopt` reads a set-up through AWS's API: here that of a first server, which a second one then has without a difference."""
import dataclasses
import os
import subprocess

import pytest

from desk import BASIC, NUMBERS, PASSTHROUGH, SAVINGS, STORAGE, Desk, account, accounts, transfers_book
from program import PROGRAM
from server import CURRENT, NEXT, PAYER, PREVIOUS, QUIET, in_period

ADOPT = PROGRAM.with_name("proforma-adopt")
SECONDS_MAX = 120
MEMBERS = accounts(5)
TRANSFER = f"arn:aws:organizations::{PAYER}:transfer/o-adopted000/billing/inbound/rt-adopted0"
PENDING = f"arn:aws:organizations::{PAYER}:transfer/o-adopted001/billing/inbound/rt-adopted1"

pytestmark = pytest.mark.skipif(not ADOPT.exists(), reason="proforma-adopt is not built: cargo build -p adopt")


def first_book():
    """What the API has no words for: names of accounts, and billing transfers. Dates are what `adopt` takes for those that nobody tells."""
    book = transfers_book([TRANSFER], start=CURRENT)
    pending = transfers_book([PENDING], start=NEXT)["responsibility_transfers"][0]
    source = account()
    pending |= {"source_account_id": source, "accounts": [source]}
    del book["currency"]
    named = [{"id": of, "name": f'Customer {number}, "quoted" ü'} for number, of in enumerate(MEMBERS)]
    return book | {"accounts": named, "responsibility_transfers": book["responsibility_transfers"] + [pending]}


def configure(client):
    """Something of every kind that the API has."""
    desk = Desk(client)
    rules = [
        desk.rule(Name="all", ModifierPercentage=12.75),
        desk.rule(Name="s3", Scope="SERVICE", Service="AmazonS3", Type="DISCOUNT", ModifierPercentage=0.1, Description="at AWS only"),
        desk.rule(Name="market", Scope="BILLING_ENTITY", BillingEntity="AWS Marketplace", ModifierPercentage=0),
        desk.rule(Name="sku", Scope="SKU", Service="AmazonEC2", UsageType="BoxUsage:t3.micro", Operation="RunInstances", ModifierPercentage=5),
        desk.rule(Name="tiers", Scope="SKU", Service="AmazonS3", UsageType="TimedStorage-ByteHrs", Type="TIERING", ModifierPercentage=None,
                  Tiering={"CustomTiers": [{"BeginRangeInclusive": 0, "EndRangeExclusive": 51200, "RateValue": 0.0225},
                                           {"BeginRangeInclusive": 51200, "RateValue": 1e-08}]}),
        desk.rule(Name="no-free", Type="TIERING", ModifierPercentage=None, Tiering={"FreeTier": {"Activated": False}}),
        desk.rule(Name="free-lambda", Scope="SERVICE", Service="AWSLambda", Type="TIERING", ModifierPercentage=None,
                  Tiering={"FreeTier": {"Activated": True}}),
    ]
    gold, empty = desk.plan(*rules, Name="gold", Description="at AWS only"), desk.plan(Name="empty")
    silver = desk.plan(rules[0], rules[5], Name="silver")
    harbor = desk.group(MEMBERS[:2], gold, Name="harbor", Description="The first customer")
    quill = desk.group([MEMBERS[3], MEMBERS[2]], silver, Name="quill",
                       AccountGrouping={"LinkedAccountIds": [MEMBERS[2], MEMBERS[3]], "AutoAssociate": True})
    desk.group([MEMBERS[4]], BASIC, Name="basic")
    transferred = desk.transfer_group(empty, TRANSFER, Name="transferred")
    desk.transfer_group(PASSTHROUGH, PENDING, Name="pending")
    fee = desk.flat(harbor, 99.95, Name="fee")
    one_month = {"InclusiveStartBillingPeriod": CURRENT, "ExclusiveEndBillingPeriod": NEXT}
    desk.flat(harbor, 0.0000000001, Name="one-month", AccountId=MEMBERS[1], BillingPeriodRange=one_month,
              PresentationDetails={"Service": "AmazonEC2"})
    desk.item(quill, {"Flat": {"ChargeValue": 1000000}, "Type": "CREDIT"}, Name="credit", ComputationRule="CONSOLIDATED")
    desk.percentage(harbor, 2.5, Name="of-group")
    desk.percentage(harbor, 3, [harbor.arn, fee], SAVINGS, Name="of-both")
    desk.percentage(harbor, 4, [fee], Name="of-fee")
    desk.percentage(harbor, 5, [], Name="of-nothing")
    desk.percentage(quill, 6, filters=STORAGE, Name="of-storage")
    desk.percentage(quill, 7, Name="itemized", ComputationRule="ITEMIZED")
    desk.flat(transferred, 12, Name="for-the-transfer")
    changed = desk.flat(harbor, 10, Name="changed", BillingPeriodRange={"InclusiveStartBillingPeriod": CURRENT})
    client.update_custom_line_item(Arn=changed, ChargeDetails={"Flat": {"ChargeValue": 20}})
    for number in range(120):  # more than a page
        desk.flat(quill, number, Name=f"page-{number}")


def adopt(out, server=None, keys=None, **env):
    """The program asked for a book; its own exit code, whatever that is."""
    command = [ADOPT, "--out", out, "--period", CURRENT]
    command += ["--endpoint", server.endpoint] if server else []
    there = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = there | QUIET | ((keys or server.root).environment if server else {}) | env
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, env=environment)


def adopted(out, server):
    ended = adopt(out, server)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr.splitlines()


def exported(server):
    """A server's book of the current period."""
    return server.command("book", "export", "--period", CURRENT)


@pytest.fixture(scope="module")
def first(new_server):
    server = new_server(transfers=False)
    server.apply(first_book())
    configure(server.client())
    return server


def test_a_second_server_has_what_the_first_has(first, new_server, tmp_path):
    told = adopted(tmp_path / "book.toml", first)
    second = new_server(transfers=False)
    second.command("book", "import", tmp_path / "book.toml")
    assert exported(second) == exported(first)
    assert told[0].startswith(f"read of payer {PAYER} in {CURRENT}: 5 billing groups, "), told[0]
    assert "3 pricing plans, 7 pricing rules, 131 custom line items" in told[0]
    assert told[-1] == f"wrote {tmp_path / 'book.toml'}"


def test_the_program_passes_it_on(first, tmp_path):
    first.command("adopt", "--out", tmp_path / "one.toml", "--period", CURRENT)
    adopted(tmp_path / "two.toml", first)
    assert (tmp_path / "one.toml").read_text() == (tmp_path / "two.toml").read_text()


def test_the_endpoint_may_stand_in_the_environment(first, tmp_path):
    there = first.root.environment | {"AWS_ENDPOINT_URL_BILLINGCONDUCTOR": first.endpoint, "AWS_DEFAULT_REGION": "eu-central-1"}
    ended = adopt(tmp_path / "one.toml", **there)
    assert ended.returncode == 0, ended.stderr
    adopted(tmp_path / "two.toml", first)
    assert (tmp_path / "one.toml").read_text() == (tmp_path / "two.toml").read_text()


def test_what_stays_behind_is_told_and_stands_in_the_book(first, tmp_path):
    told = adopted(tmp_path / "book.toml", first)
    notes = [line.removeprefix("note: ") for line in told if line.startswith("note: ")]
    assert "pricing rule `s3`: its description is not carried over, a book has none" in notes
    assert "pricing plan `gold`: its description is not carried over, a book has none" in notes
    assert any(note.startswith(f"billing transfer `{TRANSFER}`: the API tells neither") and CURRENT in note for note in notes), notes
    assert any(note.startswith(f"billing transfer `{PENDING}`: the API tells neither") and NEXT in note for note in notes), notes
    assert notes[-1].startswith("not carried over, because a book has no words for them: tags")
    heading = (tmp_path / "book.toml").read_text().split("\n\n")[0].splitlines()
    assert heading[1:] == [f"# - {note}" for note in notes]


def test_the_configuration_stays_as_it_was(first, tmp_path):
    before = exported(first)
    adopted(tmp_path / "book.toml", first)
    assert exported(first) == before


def test_versions_in_two_periods_give_that_of_the_period(new_server, tmp_path):
    server = new_server(transfers=False)
    # The group has to be there in the earlier month as well.
    past = Desk(in_period(server.client(), PREVIOUS))
    group = past.group()
    item = past.flat(group, 10, Name="fee", BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    server.client().update_custom_line_item(Arn=item, ChargeDetails={"Flat": {"ChargeValue": 20}},
                                            BillingPeriodRange={"InclusiveStartBillingPeriod": CURRENT})
    told = adopted(tmp_path / "book.toml", server)
    assert f"note: custom line item `fee`: has 2 versions; the book has the one of {CURRENT}, for the periods that it holds in" in told
    second = new_server(transfers=False)
    second.command("book", "import", tmp_path / "book.toml")
    assert exported(second) == exported(server)
    assert f'flat_charge_value = "20"\nstart = "{CURRENT}"' in (tmp_path / "book.toml").read_text()


def test_accounts_of_a_transferred_organization_are_in_the_book(new_server, tmp_path):
    server = new_server(transfers=False)
    source, other = accounts(2)
    server.apply(transfers_book([TRANSFER], source_account_id=source, accounts=[source, other]))
    Desk(server.client()).transfer_group(BASIC, TRANSFER)
    told = adopted(tmp_path / "book.toml", server)
    assert not [line for line in told if "has 2 accounts" in line], told
    assert other in (tmp_path / "book.toml").read_text()


def test_a_server_without_anything_gives_its_payer(new_server, tmp_path):
    server = new_server(transfers=False)
    told = adopted(tmp_path / "book.toml", server)
    assert told[0] == (f"read of payer {PAYER} in {CURRENT}: 0 billing groups, 1 accounts, 0 pricing plans, 0 pricing rules, "
                       "0 custom line items")
    assert f'payer_account_id = "{PAYER}"' in (tmp_path / "book.toml").read_text()


# ---- What goes wrong

def refused(ended, out, words):
    assert ended.returncode == 1, ended.stderr
    assert words in ended.stderr and ended.stderr.endswith("nothing was written\n"), ended.stderr
    assert not out.exists()


def test_a_file_that_is_there_stays(first, tmp_path):
    out = tmp_path / "book.toml"
    out.write_text("mine")
    ended = adopt(out, first)
    assert ended.returncode == 1 and "exists already" in ended.stderr, ended.stderr
    assert out.read_text() == "mine"


def test_missing_credentials_are_told(tmp_path):
    ended = adopt(tmp_path / "book.toml")
    refused(ended, tmp_path / "book.toml", "no AWS credentials; log in")


def test_wrong_credentials_are_told(first, tmp_path):
    ended = adopt(tmp_path / "book.toml", first, AWS_SECRET_ACCESS_KEY="wrong")
    refused(ended, tmp_path / "book.toml", "the credentials are not accepted")


def test_a_caller_who_may_not_is_told_what_he_needs(first, tmp_path):
    group = first.client().list_billing_groups()["BillingGroups"][0]["Arn"].rsplit("/", 1)[1]
    narrowed = first.keys(f"viewer-{next(NUMBERS)}", "group-viewer", groups=[group])
    ended = adopt(tmp_path / "book.toml", first, narrowed)
    refused(ended, tmp_path / "book.toml", "the caller needs billingconductor:List*")


def test_an_endpoint_that_nobody_answers_at_is_told(first, tmp_path):
    nobody = dataclasses.replace(first, port=1)
    ended = adopt(tmp_path / "book.toml", nobody)
    refused(ended, tmp_path / "book.toml", "is the endpoint right and reachable?")
