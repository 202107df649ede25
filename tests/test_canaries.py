"""No byte of a customer's folder holds what is not the customer's: recognisable values are planted and searched for.

They are searched as text and as doubles, in the files as they lie and unpacked: Parquet page by page, CSV out of its
gzip, and in the names of files and folders. Each is first found in the cost files, or the search would prove nothing.
"""
import csv
import datetime
import gzip
import json
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parquet_pages import pages
from program import priced

PERIOD = "2026-10"
PAYER, ACME, OTHER, LOOSE, OUTSIDE = "999999999999", "111111111111", "222222222222", "333333333333", "444444444444"

BOOK = {
    "payer_account_id": PAYER,
    "currency": "USD",
    "accounts": [{"id": OTHER, "name": "CANARY other account"}, {"id": PAYER, "name": "CANARY payer account"}],
    "pricing_rules": [{"name": "up", "scope": "GLOBAL", "type": "MARKUP", "modifier_percentage": "10"}],
    "pricing_plans": [{"name": "CANARY plan", "pricing_rules": ["up"]}],
    "billing_groups": [
        {"name": "acme", "primary_account_id": ACME, "accounts": [ACME], "pricing_plan": "CANARY plan"},
        {"name": "CANARY group", "primary_account_id": OTHER, "accounts": [OTHER], "pricing_plan": "CANARY plan"},
    ],
    "custom_line_items": [
        {"name": "CANARY item", "description": "CANARY item description", "billing_group": "CANARY group",
         "type": "FEE", "flat_charge_value": "31.4159265", "start": PERIOD},
        {"name": "desk", "description": "Service desk", "billing_group": "acme", "type": "FEE",
         "flat_charge_value": "5", "start": PERIOD},
    ],
    "exports": {"tags": ["user_team"]},
}

# Every column that a line of ours fills, and its kind.
TEXT, NUMBER, TIME, MAP, NUMBER_MAP = "text", "number", "time", "map", "number map"
NUMBERS = {
    "line_item_usage_amount", "line_item_unblended_cost", "line_item_blended_cost", "line_item_net_unblended_cost",
    "pricing_public_on_demand_cost", "discount_total_discount", "split_line_item_split_cost",
    "reservation_effective_cost", "reservation_net_effective_cost", "reservation_unused_recurring_fee",
    "savings_plan_savings_plan_effective_cost", "savings_plan_net_savings_plan_effective_cost",
    "savings_plan_used_commitment", "savings_plan_savings_plan_rate", "mystery_number",
}
TIMES = {"bill_billing_period_start_date", "bill_billing_period_end_date", "line_item_usage_start_date",
         "line_item_usage_end_date"}
MAPS = {"resource_tags", "tags", "cost_category", "product"}


def kind_of(column):
    if column == "discount":
        return NUMBER_MAP
    return NUMBER if column in NUMBERS else TIME if column in TIMES else MAP if column in MAPS else TEXT


def line(account, number, **more):
    """A line of usage with a canary in every column that no customer may see."""
    return {
        "identity_line_item_id": f"line{number}", "identity_time_interval": "2026-10-01T00:00:00Z/2026-10-01T01:00:00Z",
        "bill_bill_type": "Anniversary", "bill_billing_entity": "AWS", "bill_invoice_id": "CANARY invoice",
        "bill_invoicing_entity": "CANARY invoicing entity", "bill_payer_account_id": PAYER,
        "bill_payer_account_name": "CANARY payer", "bill_billing_period_start_date": "2026-10-01T00:00:00Z",
        "bill_billing_period_end_date": "2026-11-01T00:00:00Z", "line_item_usage_account_id": account,
        "line_item_line_item_type": "Usage", "line_item_usage_start_date": "2026-10-01T00:00:00Z",
        "line_item_usage_end_date": "2026-10-01T01:00:00Z", "line_item_product_code": "AmazonEC2",
        "line_item_usage_type": "BoxUsage:m5.large", "line_item_operation": "RunInstances",
        "line_item_usage_amount": 1.0, "line_item_currency_code": "USD", "line_item_unblended_rate": "0.0777177",
        "line_item_unblended_cost": 7.7771777, "line_item_blended_rate": "0.0555155",
        "line_item_blended_cost": 5.5551555, "line_item_net_unblended_cost": 6.6661666,
        "line_item_net_unblended_rate": "0.0666166", "line_item_line_item_description": "CANARY $0.0777177 per hour",
        "line_item_tax_type": "CANARY tax", "line_item_iam_principal": "CANARY principal",
        "line_item_user_identifier": "CANARY user", "pricing_public_on_demand_cost": 10.0,
        "pricing_public_on_demand_rate": "10.0", "pricing_rate_id": "CANARY rate id",
        "pricing_rate_code": "SKU1.JRTCKXETXF.CANARYTIER", "pricing_term": "OnDemand", "pricing_unit": "Hrs",
        "pricing_currency": "USD", "product_sku": "SKU1", "product_servicecode": "AmazonEC2",
        "product": {"product_name": "Amazon EC2", "vcpu": "2"},
        "resource_tags": {"user_team": "blue", "user_canary_key": "CANARY tag"},
        "tags": {"accountTag/CANARY": "CANARY account tag"}, "cost_category": {"CANARY category": "CANARY value"},
        "discount": {"CanaryDiscount": -1.1119111}, "discount_total_discount": -1.2229222,
        "mystery_text": "CANARY unknown", "mystery_number": 8.8881888,
    } | more


def savings_plan(owner):
    return f"arn:aws:savingsplans::{owner}:savingsplan/CANARY-plan"


def reservation(owner):
    return f"arn:aws:ec2:us-east-1:{owner}:reserved-instances/CANARY-reservation"


def covered(account, number, owner):
    """Usage that somebody's Savings Plan covers, and its negation."""
    plan = {"savings_plan_savings_plan_a_r_n": savings_plan(owner), "savings_plan_savings_plan_rate": 0.3331333,
            "savings_plan_savings_plan_effective_cost": 3.3331333, "savings_plan_used_commitment": 3.4441444,
            "savings_plan_net_savings_plan_effective_cost": 3.2221222,
            "savings_plan_offering_type": "CANARY offering", "savings_plan_start_time": "CANARY start",
            "pricing_purchase_option": "CANARY purchase"}
    negation = {"line_item_line_item_type": "SavingsPlanNegation", "line_item_unblended_cost": -7.7771777,
                "line_item_line_item_description": f"CANARY negation of {owner}", "pricing_public_on_demand_cost": None}
    return [line(account, number, line_item_line_item_type="SavingsPlanCoveredUsage", **plan),
            line(account, number + 1, **plan, **negation)]


LINES = [
    line(ACME, 1, line_item_resource_id="i-0123456789abcdef0"),
    *covered(ACME, 2, OTHER),
    line(ACME, 4, line_item_line_item_type="DiscountedUsage", line_item_unblended_cost=0.0,
         reservation_reservation_a_r_n=reservation(LOOSE), reservation_subscription_id="CANARY subscription",
         reservation_effective_cost=2.2212221, reservation_net_effective_cost=2.1112111,
         reservation_unused_recurring_fee=2.3332333, pricing_lease_contract_length="CANARY lease",
         pricing_offering_class="CANARY class", pricing_term="Reserved"),
    # Accounts that are not the customer's: of another group, of none, of the payer, and one that no line has.
    *(line(ACME, 10 + place, line_item_resource_id=f"arn:aws:s3:us-east-1:{account}:bucket/{place}-canary")
      for place, account in enumerate((OTHER, LOOSE, PAYER, OUTSIDE))),
    line(ACME, 20, resource_tags={"user_team": f"shared with {OTHER}"}),
    line(ACME, 21, product={"product_name": "Amazon EC2", "owner": OUTSIDE}),
    line(ACME, 22, capacity_reservation_capacity_reservation_arn=f"arn:aws:ec2:us-east-1:{OTHER}:capacity-reservation/cr",
         capacity_reservation_capacity_reservation_status="CANARY status",
         capacity_reservation_capacity_reservation_type="CANARY type"),
    line(ACME, 23, line_item_usage_account_name="Acme, main", split_line_item_parent_resource_id=""),
    line(ACME, 24, line_item_line_item_type="Credit", line_item_unblended_cost=-9.9919991,
         line_item_line_item_description="CANARY credit"),
    line(ACME, 25, line_item_line_item_type="Tax", line_item_unblended_cost=9.1119111, line_item_tax_type="CANARY VAT"),
    *(line(account, 30 + place, line_item_unblended_cost=4.4441444, line_item_usage_account_name="CANARY name",
           pricing_public_on_demand_cost=4.5551555, pricing_public_on_demand_rate="4.5551555",
           line_item_resource_id="CANARY resource", line_item_usage_amount=1.7771777,
           line_item_usage_type="CANARY:usage", line_item_operation="CANARYOperation", product_sku="CANARYSKU",
           product={"product_name": "CANARY product", "canary_attribute": "CANARY attribute"},
           resource_tags={"user_team": "CANARY team", "user_canary_other": "x"})
      for place, account in enumerate((OTHER, LOOSE, PAYER))),
    line(OTHER, 40, split_line_item_parent_resource_id="CANARY parent", split_line_item_split_cost=0.9991999),
]
TEXTS = ["canary", "0.0777177", "0.0555155", "0.0666166", PAYER, OTHER, LOOSE, OUTSIDE]
DOUBLES = [7.7771777, -7.7771777, 5.5551555, 6.6661666, -1.1119111, -1.2229222, 8.8881888, 3.3331333, 3.4441444,
           3.2221222, 2.2212221, 2.1112111, 2.3332333, -9.9919991, 9.1119111, 4.4441444, 4.5551555, 1.7771777,
           0.9991999, 0.3331333, 31.4159265, 5.01067105]
# The custom line item is in the book and not in the cost files; the marked-up price is nowhere but in the bill.
NOT_IN_COST_FILES = {31.4159265, 5.01067105}


# ---- The cost files.

def columns():
    names = dict.fromkeys(name for row in LINES for name in row)
    return list(names)


def write_cur2_parquet(folder):
    types = {TEXT: pa.string(), NUMBER: pa.float64(), TIME: pa.timestamp("ms"), MAP: pa.map_(pa.string(), pa.string()),
             NUMBER_MAP: pa.map_(pa.string(), pa.float64())}

    def value(row, name):
        found, kind = row.get(name), kind_of(name)
        if found is None or kind in (TEXT, NUMBER):
            return found
        return list(found.items()) if kind in (MAP, NUMBER_MAP) else datetime.datetime.fromisoformat(found[:-1])

    arrays = {name: pa.array([value(row, name) for row in LINES], types[kind_of(name)]) for name in columns()}
    pq.write_table(pa.table(arrays), folder / "lines.snappy.parquet")


def write_cur2_csv(folder):
    def value(found):
        return json.dumps(found) if isinstance(found, dict) else "" if found is None else found

    write_csv(folder, columns(), [[value(row.get(name)) for name in columns()] for row in LINES])


def write_legacy_csv(folder):
    """A column for each tag, product attribute, category and discount that any customer has."""
    categories = {"resource_tags": "resourceTags/user:", "cost_category": "costCategory/", "product": "product/",
                  "discount": "discount/", "tags": None}
    header, cells = {}, []
    for row in LINES:
        flat = {}
        for name, found in row.items():
            if name not in categories:
                flat[legacy(name)] = "" if found is None else found
            elif categories[name]:
                flat |= {categories[name] + key.removeprefix("user_"): text for key, text in found.items()}
        header |= dict.fromkeys(flat)
        cells.append(flat)
    write_csv(folder, list(header), [[row.get(name, "") for name in header] for row in cells])


def legacy(name):
    prefixes = {"identity_": "identity", "bill_": "bill", "line_item_": "lineItem", "pricing_": "pricing",
                "reservation_": "reservation", "savings_plan_": "savingsPlan", "split_line_item_": "splitLineItem",
                "discount_": "discount", "capacity_reservation_": "capacityReservation"}
    if name == "pricing_public_on_demand_cost" or name == "pricing_public_on_demand_rate":
        return "pricing/publicOnDemand" + name[-4:].capitalize()
    if name in ("pricing_unit", "pricing_term", "pricing_currency"):
        return "pricing/" + name[8:]
    if name.startswith("product_"):
        return "product/" + name[8:]
    prefix = next((prefix for prefix in prefixes if name.startswith(prefix)), None)
    if not prefix:
        return name
    rest = name[len(prefix):].replace("a_r_n", "ARN")
    return f"{prefixes[prefix]}/" + "".join(word[:1].upper() + word[1:] for word in rest.split("_"))


def write_csv(folder, header, rows):
    with gzip.open(folder / "lines.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


# ---- The search.

def contents(folder):
    """Every byte below a folder by where it lies: as stored, unpacked, and the names."""
    for path in sorted(folder.rglob("*")):
        yield f"name of {path}", str(path.relative_to(folder)).encode()
        if path.is_file():
            yield str(path), path.read_bytes()
        if path.suffix == ".parquet":
            yield from ((f"{path}: a page of {page.column}", page.content) for page in pages(path))
        if path.suffix == ".gz":
            yield f"{path} unpacked", gzip.decompress(path.read_bytes())


def found(folder):
    """The canaries that are below a folder, and where."""
    places = {}
    for where, content in contents(folder):
        lowered = content.lower()
        for canary in TEXTS:
            if canary.encode() in lowered:
                places.setdefault(canary, where)
        for canary in DOUBLES:
            forms = [repr(canary).encode(), repr(abs(canary)).encode(), struct.pack("<d", canary),
                     struct.pack("<d", abs(canary))]
            if any(form in content for form in forms):
                places.setdefault(canary, where)
    return places


@pytest.fixture(scope="module", params=[write_cur2_parquet, write_cur2_csv, write_legacy_csv],
                ids=["cur2-parquet", "cur2-csv", "legacy-csv"])
def cost(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cost")
    request.param(folder)
    return folder, "cur" if request.param is write_legacy_csv else "cur2"


@pytest.mark.parametrize("written", ["parquet", "csv"])
@pytest.mark.parametrize("focus", [False, True], ids=["cur", "focus"])
def test_no_byte_is_of_anybody_else(cost, written, focus, tmp_path):
    folder, layout = cost
    there = found(folder)
    assert set(TEXTS) | set(DOUBLES) == set(there) | NOT_IN_COST_FILES
    book = tmp_path / "book.json"
    book.write_text(json.dumps(BOOK))
    export = ["--export", "focus" if focus else layout, "--export-format", written]
    run = priced(folder, book, PERIOD, tmp_path / "out", *export)
    assert "name an account outside of their billing group and were left blank" in run.stderr
    customer = run.out / "pro-forma" / "acme"
    assert found(customer) == {}
    unpacked = b"".join(content for _, content in contents(customer))
    for own in (ACME.encode(), b"i-0123456789abcdef0", b"blue", b"Service desk", b"BoxUsage:m5.large"):
        assert own in unpacked, own
    others = found(run.out / "pro-forma" / "CANARY%20group")
    assert {"canary", OTHER, 1.7771777, 5.01067105, 31.4159265} <= set(others), "the other customer's own file has its own values"
