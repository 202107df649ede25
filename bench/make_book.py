"""A book for a generated month: `make_book.py MONTH BOOK [GROUPS]`. The same month gives the same book, byte for byte.

One billing group per customer, or as many as are asked for, 40 pricing plans over about 500 rules of every scope, and a few custom line items.
"""
import pathlib
import random
import sys

import pyarrow.parquet as pq

PLANS = 40
SERVICE_RULES = 80
SKU_RULES = 380
FIRST_TIER_END = 51200


def main(month, book, count=None):
    month = pathlib.Path(month)
    accounts = pq.read_table(month / "truth" / "accounts.parquet").to_pylist()
    skus = pq.read_table(month / "truth" / "skus.parquet").to_pylist()
    data = sorted((month / "data").glob("*/*.parquet"))
    first = pq.ParquetFile(data[0]).read_row_group(0, columns=["bill_payer_account_id", "bill_billing_period_start_date"])
    payer = first.column(0)[0].as_py()
    period = first.column(1)[0].as_py().strftime("%Y-%m")
    random_ = random.Random(payer)

    rules = pricing_rules(random_, skus)
    tables = [("pricing_rules", rule) for rule in rules]
    tables += [("pricing_plans", plan) for plan in pricing_plans(random_, rules)]
    groups = list(dealt_groups(accounts, int(count))) if count else billing_groups(accounts)
    tables += [("billing_groups", group) for group in groups]
    tables += [("custom_line_items", item) for item in custom_line_items(groups, period)]

    text = f'payer_account_id = "{payer}"\ncurrency = "USD"\n'
    for name, table in tables:
        text += f"\n[[{name}]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in table.items())
    text += '\n[sharing]\ncommitments = "members"\n'
    pathlib.Path(book).write_text(text)


def percentage(random_, lowest, highest):
    return f"{random_.randint(lowest * 100, highest * 100) / 100:.2f}"


def pricing_rules(random_, skus):
    """Rules by scope; the number in a name is its place within the scope."""
    rules = []
    for n in range(PLANS):
        rules.append({"name": f"global-{n}", "scope": "GLOBAL", "type": "MARKUP",
                      "modifier_percentage": percentage(random_, 1, 30)})
    rules.append({"name": "marketplace-0", "scope": "BILLING_ENTITY", "type": "MARKUP",
                  "billing_entity": "AWS Marketplace", "modifier_percentage": "0"})
    services = sorted({sku["product_code"] for sku in skus})
    for n in range(SERVICE_RULES):
        kind = random_.choice(["MARKUP", "DISCOUNT"])
        rules.append({"name": f"service-{n}", "scope": "SERVICE", "type": kind, "service": services[n % len(services)],
                      "modifier_percentage": percentage(random_, 0, 20)})
    tiered = [sku for sku in skus if sku["tiers"]]
    plain = [sku for sku in skus if not sku["tiers"]]
    chosen = random_.sample(plain, min(SKU_RULES, len(plain))) + random_.sample(tiered, min(4, len(tiered)))
    for n, sku in enumerate(chosen):
        rule = {"name": f"sku-{n}", "scope": "SKU", "service": sku["product_code"], "usage_type": sku["usage_type"]}
        if n % 3:
            rule["operation"] = sku["operation"]
        if sku["tiers"]:
            rule |= {"type": "TIERING", "custom_tiers": [
                {"begin_range_inclusive": "0", "end_range_exclusive": str(FIRST_TIER_END), "rate_value": "0.02"},
                {"begin_range_inclusive": str(FIRST_TIER_END), "rate_value": "0.015"}]}
        else:
            rule |= {"type": "DISCOUNT", "modifier_percentage": percentage(random_, 1, 40)}
        rules.append(rule)
    return rules


def pricing_plans(random_, rules):
    """Each plan has its own global rule, and of the others one per thing it prices."""
    by_scope = {}
    for rule in rules:
        by_scope.setdefault(rule["scope"], []).append(rule)
    for n in range(PLANS):
        names = [by_scope["GLOBAL"][n]["name"], by_scope["BILLING_ENTITY"][0]["name"]]
        services = {rule["service"]: rule["name"] for rule in random_.sample(by_scope["SERVICE"], 40)}
        skus = {(rule["service"], rule["usage_type"]): rule["name"] for rule in random_.sample(by_scope["SKU"], 120)}
        yield {"name": f"plan-{n}", "pricing_rules": names + sorted(services.values()) + sorted(skus.values())}


def billing_groups(accounts):
    by_customer = {}
    for account in accounts:
        by_customer.setdefault(account["customer"], []).append(account["account_id"])
    return [{"name": customer, "primary_account_id": ids[0], "accounts": ids, "pricing_plan": f"plan-{n % PLANS}"}
            for n, (customer, ids) in enumerate(sorted(by_customer.items()))]


def dealt_groups(accounts, count):
    """So many groups, each with its part of the accounts; those that get none have an account without lines."""
    ids = [account["account_id"] for account in accounts]
    for n in range(count):
        own = ids[n::count] or [f"{n:012}"]
        yield {"name": f"group-{n:04}", "primary_account_id": own[0], "accounts": own, "pricing_plan": f"plan-{n % PLANS}"}


def custom_line_items(groups, period):
    for n, group in enumerate(groups):
        if n % 10 == 0:
            yield {"name": f"service-desk-{n}", "description": "Service desk, monthly", "billing_group": group["name"],
                   "type": "FEE", "flat_charge_value": f"{100 + n}.5", "start": period}
        if n % 10 == 1:
            yield {"name": f"platform-fee-{n}", "description": "Platform fee", "billing_group": group["name"],
                   "type": "FEE", "percentage_value": "2.5", "start": period}


def toml(value):
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return "[" + ", ".join(toml(item) for item in value) + "]"


if __name__ == "__main__":
    main(*sys.argv[1:])
