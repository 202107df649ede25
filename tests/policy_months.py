"""Small months for docs/policies.md: lines of any type with tags, cost categories, resources, descriptions and currencies.

A line costs what it is said to cost, in whole units of 10⁻¹⁰, or as decimal text.
"""
import csv
import json

import family_months
from family_months import AMOUNTS, TEXTS, Month, named, plain
from own_coverage import ONE
from program import units

MAPS = ["resource_tags", "cost_category"]
MORE = [*MAPS, "line_item_resource_id"]
# Columns of discounts and averages: each is in the files of a month that has a line with it.
DISCOUNTED = named(
    line_item="blended_cost",
    reservation="net_effective_cost net_unused_recurring_fee net_unused_amortized_upfront_fee_for_billing_period",
    savings_plan="net_savings_plan_effective_cost recurring_commitment_for_billing_period net_recurring_commitment_for_billing_period "
                 "net_amortized_upfront_commitment_for_billing_period")


class PolicyMonth(Month):
    """The rows of a month; `write` adds what only policies look at."""

    def line(self, account, kind="Usage", cost="1", service="AmazonEC2", hour=5, public=None, **columns):
        """A line at a cost that is its public cost, too, where it is metered; other columns by their names or for short."""
        short = {"usage_type": "line_item_usage_type", "text": "line_item_line_item_description",
                 "net": "line_item_net_unblended_cost",
                 "resource": "line_item_resource_id", "unit": "pricing_unit", "usage": "line_item_usage_amount",
                 "operation": "line_item_operation", "tags": "resource_tags", "categories": "cost_category",
                 "unused": "reservation_unused_recurring_fee", "blended": "line_item_blended_cost"}
        columns = {short.get(name, name): value for name, value in columns.items()}
        if "currency" in columns:
            currency = columns.pop("currency")
            columns |= {"line_item_currency_code": currency, "pricing_currency": currency}
        amount = {name: units(value) for name, value in columns.items() if name in AMOUNTS + DISCOUNTED and isinstance(value, str)}
        metered = kind in ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")
        row = self.add(kind, account, hour, **{
            "line_item_product_code": service, "product_servicecode": service, "line_item_usage_type": "BoxUsage",
            "line_item_operation": "RunInstances", "product_region_code": "us-east-1",
            "pricing_unit": "Hrs" if metered else None,
            "line_item_usage_amount": ONE if metered else 0, "line_item_unblended_cost": units(cost),
            "pricing_public_on_demand_cost": units(cost if public is None else public) if metered else None,
            "pricing_term": "OnDemand" if metered else None} | columns | amount)
        return row

    def write(self, folder, files=2):
        folder.mkdir(parents=True)
        discounted = [name for name in DISCOUNTED if any(row.get(name) is not None for row in self.rows)]
        for number in range(files):
            with open(folder / f"cost-{number + 1:05}.csv", "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(TEXTS + MORE + AMOUNTS + discounted)
                for row in self.rows[number * len(self.rows) // files:(number + 1) * len(self.rows) // files]:
                    texts = [row[name] or "" for name in TEXTS]
                    maps = [json.dumps(row.get(name) or {}) for name in MAPS]
                    writer.writerow([*texts, *maps, row.get(MORE[2]) or "", *(plain(row.get(name)) for name in AMOUNTS + discounted)])
        return folder


def read(folder, month):
    """The lines of a written month, with what policies look at."""
    lines = family_months.read(folder)
    for line, row in zip(lines, month.rows, strict=True):
        of = lambda name: row[name] or 0
        effective = row["reservation_effective_cost"], row["savings_plan_savings_plan_effective_cost"]
        if line["type"] == "RIFee":
            unused = of("reservation_unused_recurring_fee") + of("reservation_unused_amortized_upfront_fee_for_billing_period")
        else:
            unused = of("savings_plan_total_commitment_to_date") - of("savings_plan_used_commitment")
        line |= {"tags": row.get("resource_tags") or {}, "categories": row.get("cost_category") or {},
                 "resource": row.get("line_item_resource_id"), "text": row["line_item_line_item_description"],
                 "unused": unused, "effective": effective[line["type"] == "SavingsPlanCoveredUsage"] or 0}
    return lines
