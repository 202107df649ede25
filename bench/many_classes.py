"""A month of as many charge classes as wanted, and books for it: `many_classes.py CLASSES FOLDER`.

Every line is a class of its own. 2,000 accounts in 300 billing groups use 20,000 SKUs; the book has 500 rules of every scope in 40 plans and
a percentage item per group; the draft beside it changes one rule. The same arguments give the same bytes.
"""
import pathlib
import random
import sys
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

PERIOD = "2026-10"
ACCOUNTS, GROUPS, PLANS, RULES = 2_000, 300, 40, 500
SERVICES, USAGE_TYPES, OPERATIONS = 200, 100, 11
PAYER = "999999999999"


def main(classes, folder):
    folder = pathlib.Path(folder)
    (folder / "cost").mkdir(parents=True)
    pq.write_table(lines(classes), folder / "cost" / "lines.parquet", compression="zstd")
    (folder / "book.toml").write_text(book("12.5"))
    (folder / "draft.toml").write_text(book("14"))


def account(number):
    return f"{100_000_000_000 + number}"


def lines(classes):
    random_ = random.Random(classes)
    skus = SERVICES * USAGE_TYPES
    # Each account has its own SKUs, spread over all of them.
    uses = [(number % ACCOUNTS, (number // ACCOUNTS * 79 + number % ACCOUNTS * 31) % skus) for number in range(classes)]
    sku = [f"SKU{sku:08}" for _, sku in uses]
    service = [f"AmazonService{sku % SERVICES}" for _, sku in uses]
    rate = [f"0.{1 + sku % 997:04}".rstrip("0") for _, sku in uses]
    usage = [random_.randrange(1, 10**9) / 10**4 for _ in uses]
    cost = [round(usage * float(rate), 10) for usage, rate in zip(usage, rate)]
    same = {
        "bill_payer_account_id": PAYER, "bill_bill_type": "Anniversary", "bill_billing_entity": "AWS",
        "bill_invoicing_entity": "Amazon Web Services, Inc.", "line_item_legal_entity": "Amazon Web Services, Inc.",
        "line_item_line_item_type": "Usage", "line_item_currency_code": "USD", "pricing_currency": "USD",
        "pricing_term": "OnDemand", "product": "",
    }
    columns = {name: pa.array([value] * classes).dictionary_encode() for name, value in same.items()}
    start = pa.array([datetime(2026, 10, 1)] * classes, pa.timestamp("ms"))
    columns |= {"bill_billing_period_start_date": start, "line_item_usage_start_date": start}
    columns |= {
        "line_item_usage_account_id": [account(number) for number, _ in uses],
        "line_item_product_code": service, "product_servicecode": service, "product_sku": sku,
        "line_item_usage_type": [f"Usage{sku // SERVICES}" for _, sku in uses],
        "line_item_operation": [f"Operation{sku % OPERATIONS}" for _, sku in uses],
        "product_region_code": [f"eu-west-{sku % 7}" for _, sku in uses],
        "pricing_unit": [("Hrs", "GB-Mo", "Requests")[sku % 3] for _, sku in uses],
        "pricing_rate_code": [f"{sku}.JRTCKXETXF.6YS6EN2CT7" for sku in sku],
        "pricing_public_on_demand_rate": rate, "line_item_unblended_rate": rate,
        "pricing_public_on_demand_cost": cost, "line_item_unblended_cost": cost, "line_item_usage_amount": usage,
    }
    return pa.table(columns)


def book(percentage):
    tables = []
    for number in range(RULES):
        sku = number % SERVICES + SERVICES * ((number // SERVICES * 31 + number) % USAGE_TYPES)
        service, usage_type = f"AmazonService{sku % SERVICES}", f"Usage{sku // SERVICES}"
        rule = {"name": f"rule-{number}", "type": "MARKUP", "modifier_percentage": f"{number % 40}.25"}
        if number == 0:
            rule |= {"scope": "GLOBAL", "modifier_percentage": percentage}
        elif number == 1:
            rule |= {"scope": "BILLING_ENTITY", "billing_entity": "AWS"}
        elif number < SERVICES:
            rule |= {"scope": "SERVICE", "service": service}
        else:
            rule |= {"scope": "SKU", "service": service, "usage_type": usage_type,
                     "operation": f"Operation{sku % OPERATIONS}"}
        tables.append(("pricing_rules", rule))
    for plan in range(PLANS):
        names = [f"rule-{number}" for number in range(RULES) if number % PLANS != plan]
        tables.append(("pricing_plans", {"name": f"plan-{plan}", "pricing_rules": names}))
    for group in range(GROUPS):
        accounts = [account(number) for number in range(group, ACCOUNTS, GROUPS)]
        tables.append(("billing_groups", {"name": f"group-{group}", "primary_account_id": accounts[0],
                                          "accounts": accounts, "pricing_plan": f"plan-{group % PLANS}"}))
    for group in range(GROUPS):
        tables.append(("custom_line_items", {"name": f"item-{group}", "description": "five percent", "type": "FEE",
                                             "billing_group": f"group-{group}", "percentage_value": "5",
                                             "start": "2026-01"}))
    text = f'payer_account_id = "{PAYER}"\n'
    for name, table in tables:
        text += f"\n[[{name}]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in table.items())
    return text


def toml(value):
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return f'"{value}"'


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
