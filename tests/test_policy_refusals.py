"""What must not matter to policies, and what is refused: by name, value and place."""
import json

import pytest

from family_months import M5_LARGE, PERIOD, STORAGE
from own_coverage import ONE
from policy_bills import ACME, GLOBEX, OUTSIDE, TIERS, allocation, book_of, commitment, of_program, shared, with_shared, written
from policy_months import read
from program import run
from random_policies import RandomPolicies

FEW_SEEDS = range(8)

# The result files that tell of the input as it is: the book, hashes, places.
APART = {"book.json", "book-files.json", "source.json", "reading.json", "reconciliation.json"}


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_the_order_of_tables_rows_and_weights_has_no_meaning(seed, tmp_path):
    written_files = []
    for shuffled in (False, True):
        drawn = RandomPolicies(seed)
        folder = tmp_path / str(shuffled)
        folder.mkdir()
        lines = read(drawn.month.write(folder / "lines"), drawn.month)
        book, files, _ = drawn.find_book(lines)
        if shuffled:
            drawn.random.shuffle(drawn.month.rows)
            # Billing groups and custom line items are listed in the order of the book.
            listed = {name: book[name] for name in ("billing_groups", "custom_line_items")}
            book = shuffle(book, drawn.random) | listed
            for name, text in files.items():
                header, *rows = text.splitlines()
                drawn.random.shuffle(rows)
                files[name] = "\n".join([header, *rows]) + "\n"
        out = of_program(drawn.month, book, files, folder).result.out
        here = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        reconciliation = json.loads(here["reconciliation.json"])
        here["reconciliation"] = json.dumps({name: value for name, value in reconciliation.items()
                                             if name not in ("snapshot", "book", "files", "reading")})
        written_files.append({name: content for name, content in here.items() if name not in APART})
    first, second = written_files
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def shuffle(value, random):
    """A book with the entries of every list and table in another order, those of tiers apart."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: value[key] if key == "tiers" else shuffle(value[key], random) for key in keys}
    if isinstance(value, list):
        return random.sample([shuffle(it, random) for it in value], len(value))
    return value


def refused(month, book, folder, files=None):
    """What a run says that must be refused, with nothing written."""
    cost, path = written(month, book, folder, files)
    result = run(cost, path, PERIOD, folder / "out", "--no-simulation")
    assert result.exit_code != 0, "not refused"
    assert not result.out.exists()
    return result.stderr


def to_tools(**more):
    return allocation("network", targets={"allocations": ["tools"]}, **more)


OF_ACME, OF_EC2 = {"line_item_types": ["Credit"], "accounts": [ACME]}, {"line_item_types": ["Credit"], "services": ["AmazonEC2"]}
KEPT = {"lines": [{"line_item_types": ["Credit"]}], "treatment": "keep"}
SHARES = [{"billing_group": "acme", "percentage": "60"}, {"billing_group": "globex", "percentage": "39.9999"}]
TO_A_ROW = {"method": "weights", "weights": "weights.csv"}
REFUSALS = {
    "a target of the same step": (
        book_of(allocations=[to_tools(), allocation("tools", source=None)]), ["network", "tools", "step"]),
    "a target of an earlier step": (
        book_of(allocations=[to_tools(step=3), allocation("tools", source=None, step=2)]), ["network", "tools"]),
    "a cycle": (
        book_of(allocations=[to_tools(), allocation("tools", step=2, targets={"allocations": ["network"]})]), ["network", "tools"]),
    "a target that is itself": (book_of(allocations=[to_tools() | {"name": "tools"}]), ["tools"]),
    "shares below 100": (shared(method="fixed", shares=SHARES), ["shared network", "99.9999"]),
    "shares above 100": (
        shared(method="fixed", shares=[*SHARES, {"payer": True, "percentage": "1"}]), ["shared network", "100.9999"]),
    "a share of nobody": (
        shared(method="fixed", shares=[{"billing_group": "umbrella", "percentage": "100"}]), ["shared network", "umbrella"]),
    "a group that does not exist": (shared(targets={"billing_groups": ["umbrella"]}), ["shared network", "umbrella"]),
    "an allocation that does not exist": (shared(targets={"allocations": ["umbrella"]}), ["shared network", "umbrella"]),
    "no such excepted group": (shared(targets={"except_billing_groups": ["umbrella"]}), ["shared network", "umbrella"]),
    "an account in no group": (shared(targets={"accounts": [OUTSIDE]}), ["shared network", OUTSIDE]),
    "a share of an account in no group": (shared(method="fixed", shares=[{"account": OUTSIDE, "percentage": "100"}]),
                                          ["shared network", OUTSIDE]),
    "a filter without a condition": (shared(source=[{}]), ["shared network"]),
    "usage by nothing": (shared(method="proportional_to_usage"), ["shared network", "weigh_lines"]),
    "no file of weights": (shared(method="weights"), ["shared network", "weights"]),
    "a method of no name": (shared(method="by mood"), ["by mood"]),
    "a distribution of usage": (
        book_of(distributions=[{"name": "d", "treatment": "keep", "lines": [{"line_item_types": ["Usage"]}]}]),
                                ["d", "Usage"]),
    "a distribution without types": (
        book_of(distributions=[{"name": "credits", "treatment": "keep", "lines": [{"accounts": [ACME]}]}]),
                                     ["credits", "line_item_types"]),
    "sent nowhere": (book_of(distributions=[KEPT | {"name": "credits", "treatment": "allocate"}]), ["credits", "allocation"]),
    "sent to no such allocation": (
        book_of(distributions=[KEPT | {"name": "credits", "treatment": "allocate", "allocation": "umbrella"}]),
                                   ["credits", "umbrella"]),
    "two support fees": (
        book_of(support_fees=[{"name": name, "tiers": TIERS} for name in ("gold", "silver")]), ["gold", "silver", "acme"]),
    "two minimums": (book_of(minimums=[{"name": name, "billing_group": "acme", "amount": "1"} for name in ("high", "low")]),
                     ["high", "low", "acme"]),
    "a minimum of nothing": (book_of(minimums=[{"name": "low", "billing_group": "acme"}]), ["low"]),
    "promised by more than all": (commitment(shares=[{"billing_group": "acme", "percentage": "60"},
                                                     {"billing_group": "globex", "percentage": "40.0001"}]), ["EDP 2026", "100.0001"]),
    "nothing to weigh by": (shared(method="proportional_to_cost", weigh_lines=[{"services": ["AmazonS3"]}], empty_base="fail"),
                            ["shared network"]),
    "two general policies": (book_of(distributions=[KEPT | {"name": "one"}, KEPT | {"name": "two"}]), ["`one`", "`two`"]),
    "two specific policies": (book_of(allocations=[allocation("one"), allocation("two", source=[{"services": ["AmazonVPC"]}])]),
                              ["`one`", "`two`"]),
    "a distribution and an allocation": (
        book_of(distributions=[{"name": "one", "treatment": "keep", "lines": [OF_ACME]}],
                allocations=[allocation("two", source=[OF_EC2])]), ["`one`", "`two`"]),
    "a tag that no line has": (shared(source=[{"tags": {"user_nobody": ["network"]}}]), ["shared network", "user_nobody"]),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused(case, tmp_path):
    month = with_shared("9", tags={"user_team": "red"})
    month.line(ACME, "Credit", "-5")
    book, words = REFUSALS[case]
    said = refused(month, book, tmp_path)
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize("rows, words", [
    ("target,weight\nacme,1\numbrella,2\n", ["umbrella", "3"]), ("target,weight\nacme,-1\n", ["-1", "2"]),
    ("target,weight\nacme,0.00000000001\n", ["0.00000000001", "2"]), ("target,weight\nacme,many\n", ["many", "2"]),
    ("target,weight\nacme,1\nglobex\n", ["3"]), ("target,amount\nacme,1\n", ["weight"]), ("weight\n1\n", ["target"]),
    ("target,weight,period\nacme,1,October\n", ["October", "2"]), (None, [])])
def test_a_bad_file_of_weights_is_refused_by_file_and_line(rows, words, tmp_path):
    said = refused(with_shared("9"), shared(**TO_A_ROW), tmp_path, rows and {"weights.csv": rows})
    assert [word for word in ["weights.csv", *words] if word not in said] == [], said


def test_usage_in_two_units_is_refused(tmp_path):
    month = with_shared("9")
    month.usage(ACME, M5_LARGE, 3, ONE)
    month.usage(ACME, STORAGE, 3, ONE)
    more = {"method": "proportional_to_usage", "weigh_lines": [{"accounts": [ACME, GLOBEX]}]}
    said = refused(month, shared(**more), tmp_path)
    assert [word for word in ("shared network", "Hrs", "GB-Mo") if word not in said] == [], said


def test_the_run_keeps_a_copy_of_the_weights(tmp_path):
    rows = "target,weight\nglobex,0.5\n"
    out = of_program(with_shared("9"), shared(**TO_A_ROW), {"weights.csv": rows}, tmp_path).result.out
    assert json.dumps(rows) in (out / "book-files.json").read_text()
