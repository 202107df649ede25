"""Cost Explorer's answers to random questions, against DuckDB over the same cost files, to the last digit; billing groups' against their statements.

A generated month of 20,000 lines with Savings Plans, reservations, discounts, credits, tax, support and the Marketplace, cut by tags.
"""
import json
import subprocess
import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest

import cube
from cost_explorer import Lines, Questions, answered, compare
from program import ROOT, units
from server import CURRENT
from test_generated import PERIOD, SMALL, make_book

SEED = 20261123
QUESTIONS = 300
MONTH = {"Start": f"{PERIOD}-01", "End": f"{CURRENT}-01"}
# As cost files write them, by the key that a user gave.
TAGS = {"team": "user_team", "Environment": "user_environment"}
# The answers are the store's in nothing but which run a month shows.
pytestmark = pytest.mark.parametrize("new_server", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", "20000", "--period", PERIOD, "--out", folder / "month", *SMALL,
               "--edp", "both", "--seed", str(SEED % 1000)]
    subprocess.run(command, check=True, capture_output=True)
    data = folder / "month" / "data"
    book = make_book(cube.classes(data), folder / "month") | {"reports": {"tags": list(TAGS.values())}}
    server = new_server(start=False, payer=book["payer_account_id"]).start()
    server.apply(book, "--period", PERIOD)
    server.load(data, PERIOD)
    return SimpleNamespace(server=server, client=server.client(service="ce"), lines=Lines(data, PERIOD, TAGS), book=book)


def test_random_questions_are_answered_as_duckdb_does(world):
    questions = Questions(world.lines, SEED)
    for _ in range(QUESTIONS):
        compare(world.client, world.lines, questions.question())


def test_the_values_of_dimensions_are_those_of_the_lines(world):
    for name in world.lines.dimensions:
        page = world.client.get_dimension_values(TimePeriod=MONTH, Dimension=name)
        expected = world.lines.values(name)
        assert page["TotalSize"] == len(expected), name
        assert [of["Value"] for of in page["DimensionValues"]] == sorted(expected)[:1000], name
    for key in TAGS:
        assert world.client.get_tags(TimePeriod=MONTH, TagKey=key)["Tags"] == world.lines.values(f"tag {key}")
    assert world.client.get_tags(TimePeriod=MONTH)["Tags"] == ["environment", "team"]


def test_amortized_cost_is_the_unblended_cost_of_another_time(world):
    """What commitments cost is spread, not changed: both sums are the same but for what is paid or spread beyond the month."""
    question = {"TimePeriod": MONTH, "Granularity": "MONTHLY", "Metrics": ["AmortizedCost", "UnblendedCost"]}
    compare(world.client, world.lines, question)
    daily = answered(world.client, question | {"Granularity": "DAILY"})
    total = answered(world.client, question)[f"{PERIOD}-01", ()][0]
    assert {name: sum(amounts[name] for amounts, _ in daily.values()) for name in total} == total


def statements(world):
    """The lines of every group's statement, by group."""
    folder, = [path.parent for path in world.server.data.glob("payers/*/runs/**/reconciliation.json")]
    for path in (folder / "statements").glob("*.json"):
        yield json.loads(path.read_text())


def view(world, group):
    primary = next(of["primary_account_id"] for of in world.book["billing_groups"] if of["name"] == group)
    return f"arn:aws:billing::{world.server.payer}:billingview/billing-group-{primary}"


def test_a_billing_group_view_is_the_group_s_statement(world):
    seen = 0
    for statement in statements(world):
        of_currency, = statement["statements"]
        arn = view(world, statement["billing_group"])
        for keys, members in ((["LINKED_ACCOUNT", "USAGE_TYPE"], ("account_id", "usage_type")), (["OPERATION", "REGION"], ("operation", "region"))):
            expected = defaultdict(int)
            for service in of_currency["services"]:
                for line in service["usage_types"]:
                    named = zip(keys, (line[member] for member in members))
                    absent = {"OPERATION": "NoOperation", "REGION": "NoRegion", "USAGE_TYPE": "NoUsageType"}
                    expected[tuple(value or absent[key] for key, value in named)] += units(line["amount"])
            question = {"TimePeriod": MONTH, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost", "NetAmortizedCost"], "BillingViewArn": arn,
                        "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in keys]}
            found = {keys: amounts for (_, keys), (amounts, _) in answered(world.client, question).items()}
            assert {keys: amounts["UnblendedCost"] for keys, amounts in found.items()} == expected
            # Whatever the metric is called, it is what the group is charged.
            assert all(amounts["NetAmortizedCost"] == amounts["UnblendedCost"] for amounts in found.values())
        daily = answered(world.client, {"TimePeriod": MONTH, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], "BillingViewArn": arn})
        assert sum(amounts["UnblendedCost"] for amounts, _ in daily.values()) == units(of_currency["total"])
        seen += 1
    assert seen == len(world.book["billing_groups"])
