"""What FOCUS 1.2 asks of a Cost and Usage file, as checks over pyarrow: `broken(table)` lists the rules a file breaks.

Written from the specification ("Cost and Usage", the attributes, and the appendix on commitment discounts), not from the
program. Where a pro forma file cannot have what is asked, docs/focus-export.md says so and so does the check.
"""
import json
import re
from collections import defaultdict
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

TEXT, NUMBER, TIME = pa.string(), pa.float64(), pa.timestamp("ms")
COLUMNS = {
    "AvailabilityZone": TEXT, "BilledCost": NUMBER, "BillingAccountId": TEXT, "BillingAccountName": TEXT,
    "BillingAccountType": TEXT, "BillingCurrency": TEXT, "BillingPeriodEnd": TIME, "BillingPeriodStart": TIME,
    "CapacityReservationId": TEXT, "CapacityReservationStatus": TEXT, "ChargeCategory": TEXT, "ChargeClass": TEXT,
    "ChargeDescription": TEXT, "ChargeFrequency": TEXT, "ChargePeriodEnd": TIME, "ChargePeriodStart": TIME,
    "CommitmentDiscountCategory": TEXT, "CommitmentDiscountId": TEXT, "CommitmentDiscountName": TEXT,
    "CommitmentDiscountQuantity": NUMBER, "CommitmentDiscountStatus": TEXT, "CommitmentDiscountType": TEXT,
    "CommitmentDiscountUnit": TEXT, "ConsumedQuantity": NUMBER, "ConsumedUnit": TEXT, "ContractedCost": NUMBER,
    "ContractedUnitPrice": NUMBER, "EffectiveCost": NUMBER, "InvoiceId": TEXT, "InvoiceIssuerName": TEXT,
    "ListCost": NUMBER, "ListUnitPrice": NUMBER, "PricingCategory": TEXT, "PricingCurrency": TEXT,
    "PricingCurrencyContractedUnitPrice": NUMBER, "PricingCurrencyEffectiveCost": NUMBER,
    "PricingCurrencyListUnitPrice": NUMBER, "PricingQuantity": NUMBER, "PricingUnit": TEXT, "ProviderName": TEXT,
    "PublisherName": TEXT, "RegionId": TEXT, "RegionName": TEXT, "ResourceId": TEXT, "ResourceName": TEXT,
    "ResourceType": TEXT, "ServiceCategory": TEXT, "ServiceName": TEXT, "ServiceSubcategory": TEXT, "SkuId": TEXT,
    "SkuMeter": TEXT, "SkuPriceDetails": TEXT, "SkuPriceId": TEXT, "SubAccountId": TEXT, "SubAccountName": TEXT,
    "SubAccountType": TEXT, "Tags": TEXT,
}
OWN_COLUMNS = {"x_Operation": TEXT, "x_ProformaCause": TEXT, "x_ServiceCode": TEXT}
NEVER_NULL = [
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingCurrency",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName", "ServiceSubcategory", "SubAccountId",
    "SubAccountType",
]
# No invoice has been issued, and no line is a correction of an invoiced month.
ALWAYS_NULL = ["ChargeClass", "InvoiceId", "CommitmentDiscountName", "ResourceName", "SkuPriceDetails"]
ALLOWED = {
    "ChargeCategory": ["Usage", "Purchase", "Credit", "Adjustment"],  # Tax is on no pro forma bill.
    "ChargeFrequency": ["One-Time", "Recurring", "Usage-Based"],
    "PricingCategory": ["Standard", "Committed", "Dynamic", "Other"],
    "CommitmentDiscountCategory": ["Spend", "Usage"],
    "CommitmentDiscountStatus": ["Used", "Unused"],
    "CommitmentDiscountType": ["Savings Plan", "Reserved Instance"],
    "CapacityReservationStatus": ["Used", "Unused"],
    "ProviderName": ["AWS"],
    "BillingAccountType": ["Billing group"],
    "SubAccountType": ["AWS account"],
}
SUBCATEGORIES = {
    "AI and Machine Learning": ["AI Platforms", "Bots", "Generative AI", "Machine Learning",
                                "Natural Language Processing"],
    "Analytics": ["Analytics Platforms", "Business Intelligence", "Data Processing", "Search", "Streaming Analytics"],
    "Business Applications": ["Productivity and Collaboration"],
    "Compute": ["Containers", "End User Computing", "Quantum Compute", "Serverless Compute", "Virtual Machines"],
    "Databases": ["Caching", "Data Warehouses", "Ledger Databases", "NoSQL Databases", "Relational Databases",
                  "Time Series Databases"],
    "Developer Tools": ["Developer Platforms", "Continuous Integration and Deployment", "Development Environments",
                        "Source Code Management", "Quality Assurance"],
    "Identity": ["Identity and Access Management"],
    "Integration": ["API Management", "Messaging", "Workflow Orchestration"],
    "Internet of Things": ["IoT Analytics", "IoT Platforms"],
    "Management and Governance": ["Architecture", "Compliance", "Cost Management", "Data Governance",
                                  "Disaster Recovery", "Endpoint Management", "Observability", "Support"],
    "Media": ["Content Creation", "Gaming", "Media Streaming", "Mixed Reality"],
    "Migration": ["Data Migration", "Resource Migration"],
    "Mobile": [], "Multicloud": ["Multicloud Integration"],
    "Networking": ["Application Networking", "Content Delivery", "Network Connectivity", "Network Infrastructure",
                   "Network Routing", "Network Security"],
    "Other": [],
    "Security": ["Secret Management", "Security Posture Management", "Threat Detection and Response"],
    "Storage": ["Backup Storage", "Block Storage", "File Storage", "Object Storage", "Storage Platforms"],
    "Web": ["Application Platforms"],
}
# Both are null or neither is.
TOGETHER = [
    ("ConsumedQuantity", "ConsumedUnit"), ("PricingQuantity", "PricingUnit"), ("RegionId", "RegionName"),
    ("ResourceId", "ResourceType"), ("CapacityReservationId", "CapacityReservationStatus"), ("SkuId", "SkuPriceId"),
    ("CommitmentDiscountId", "CommitmentDiscountCategory"), ("CommitmentDiscountId", "CommitmentDiscountType"),
    ("CommitmentDiscountQuantity", "CommitmentDiscountUnit"), ("SubAccountId", "SubAccountType"),
]
NUMBERS = [name for name, kind in COLUMNS.items() if kind == NUMBER]
TIMES = [name for name, kind in COLUMNS.items() if kind == TIME]
WORD = r"[A-Za-z][A-Za-z0-9]*"
UNIT = re.compile(rf"([0-9]+ )?{WORD}( {WORD})*(-(Hours|Months|Days|Minutes|Seconds|Years))?(/(Hour|Month|Day|Second))?")
SHORT_UNITS = re.compile(r"\b(Hrs?|hrs?|Mo|Hour|Month|Second)\b")

# What a double of a price and one of a quantity can be asked: the cost to 10⁻⁹, as AWS rounds the hours that it sums
# up, or to fourteen of its digits.
PRICE_TOLERANCE, PRICE_RELATIVE = 1.01e-9, 1e-14


def broken(table):
    """The rules that a file breaks, each with a row that does."""
    found = _schema(table)
    if found:
        return found
    for number, row in enumerate(table.to_pylist()):
        found += [f"{rule} (row {number})" for rule in _of_row(row)]
    return [*found, *_of_file(table)]


def rules(found):
    """The names of broken rules."""
    return {text.split(" (row")[0] for text in found}


def _schema(table):
    expected = COLUMNS | OWN_COLUMNS
    if table.column_names != list(expected):
        return ["the columns are FOCUS's, in order, and then the file's own"]
    return [f"{field.name} is {field.type}" for field in table.schema if field.type != expected[field.name]]


def _of_row(row):
    there = lambda name: row[name] is not None
    for name, value in row.items():
        if value == "":
            yield f"{name}: null is null"
    for name in NEVER_NULL:
        if not there(name):
            yield f"{name} is never null"
    for name in ALWAYS_NULL:
        if there(name):
            yield f"{name} is always null"
    for name, allowed in ALLOWED.items():
        if there(name) and row[name] not in allowed:
            yield f"{name} is one of its values"
    category = row["ServiceCategory"]
    if row["ServiceSubcategory"] not in [*SUBCATEGORIES.get(category, []), f"Other ({category})"]:
        yield "ServiceSubcategory is one of its category's"
    for one, other in TOGETHER:
        if there(one) != there(other):
            yield f"{one} and {other} are there together"
    if there("SkuMeter") and not there("SkuId"):
        yield "SkuMeter is null without SkuId"
    for name in ("PricingUnit", "ConsumedUnit", "CommitmentDiscountUnit"):
        if there(name) and (not UNIT.fullmatch(row[name]) or SHORT_UNITS.search(row[name])):
            yield f"{name} is spelt as FOCUS spells units"
    if there("AvailabilityZone") and not row["AvailabilityZone"][-1].islower():
        yield "AvailabilityZone is a zone"
    if there("Tags") and not isinstance(json.loads(row["Tags"]), dict):
        yield "Tags are a map"
    yield from _times(row)
    yield from _charge(row)
    yield from _prices(row)


def _times(row):
    start, end = row["BillingPeriodStart"], row["BillingPeriodEnd"]
    months = (end.year - start.year) * 12 + end.month - start.month
    if (start.day, start.hour, end.day, end.hour, months) != (1, 0, 1, 0, 1):
        yield "the billing period is a month, its end exclusive"
    if row["ChargePeriodStart"] > row["ChargePeriodEnd"] or row["ChargePeriodEnd"].second == 59:
        yield "the charge period's end is exclusive"


def _charge(row):
    category, cause = row["ChargeCategory"], row["x_ProformaCause"]
    commitment, status = row["CommitmentDiscountId"], row["CommitmentDiscountStatus"]
    is_metered = category == "Usage" and status != "Unused"
    if (row["ChargeFrequency"] == "Usage-Based") != (category == "Usage"):
        yield "usage and nothing else is usage-based"
    if (row["ConsumedQuantity"] is not None) != is_metered:
        yield "ConsumedQuantity is there on used usage"
    if (row["PricingCategory"] is None) != (category in ("Adjustment", "Credit", "Tax")):
        yield "PricingCategory is there on usage and purchases"
    if (row["PricingCategory"] == "Committed") != (status is not None):
        yield "usage under a commitment is Committed"
    if (status is not None) != (category == "Usage" and commitment is not None):
        yield "CommitmentDiscountStatus is there on usage under a commitment"
    if commitment is not None and category not in ("Usage", "Purchase"):
        yield "commitments are bought and used"
    if (commitment is None) != (row["CommitmentDiscountQuantity"] is None):
        yield "CommitmentDiscountQuantity is there with a commitment"
    if status is not None and row["BilledCost"] != 0:
        yield "what a commitment covers is billed nothing"
    if category == "Purchase" and commitment is not None and row["EffectiveCost"] != 0:
        yield "a purchase for later usage has no effective cost"
    if status is None and commitment is None and row["EffectiveCost"] != row["BilledCost"]:
        yield "EffectiveCost is BilledCost without a commitment"
    if category in ("Adjustment", "Credit") and len({row[name] for name in COSTS}) != 1:
        yield "a charge without a price costs the same everywhere"
    if category == "Credit" and row["BilledCost"] > 0:
        yield "a credit takes away"
    # A credit may be one of AWS's that is passed on, or a custom line item.
    if category != "Credit" and (cause is None) != (category in ("Usage", "Purchase") and status != "Unused"):
        yield "a row without a source line names its cause"
    if row["PricingCurrency"] == row["BillingCurrency"] and row["PricingCurrencyEffectiveCost"] != row["EffectiveCost"]:
        yield "PricingCurrencyEffectiveCost is EffectiveCost in the same currency"


COSTS = ["BilledCost", "EffectiveCost", "ContractedCost", "ListCost"]


def _prices(row):
    quantity = row["PricingQuantity"]
    is_priced = row["ChargeCategory"] in ("Usage", "Purchase")
    for cost, price in (("ContractedCost", "ContractedUnitPrice"), ("ListCost", "ListUnitPrice")):
        if (row[price] is not None) != is_priced or (quantity is not None) != is_priced:
            yield f"{price} and a quantity are there on usage and purchases"
        elif is_priced:
            # The product of two doubles, exactly.
            product = Decimal(row[price]) * Decimal(quantity)
            if abs(product - Decimal(row[cost])) > PRICE_TOLERANCE + PRICE_RELATIVE * abs(row[cost]):
                yield f"{cost} is {price} × PricingQuantity"
            if row[price] < 0:
                yield f"{price} is not negative"
        if row["PricingCurrency"] == row["BillingCurrency"] and row[f"PricingCurrency{price}"] != row[price]:
            yield f"PricingCurrency{price} is {price} in the same currency"


def _of_file(table):
    for one, other in (("ServiceName", "ServiceCategory"), ("SkuPriceId", "SkuId"),
                       ("CommitmentDiscountId", "CommitmentDiscountUnit")):
        others = defaultdict(set)
        for key, value in zip(table[one].to_pylist(), table[other].to_pylist()):
            if key is not None and value is not None:
                others[key].add(value)
        if any(len(values) > 1 for values in others.values()):
            yield f"a {one} has one {other}"
    for name in ("BillingAccountId", "BillingPeriodStart", "InvoiceIssuerName"):
        if pc.count_distinct(table[name]).as_py() > 1:
            yield f"a file has one {name}"
