#!/usr/bin/env python3
"""Writes the price list of a generated month as AWS's offer files.

    python offer_files.py MONTH/truth OUT [--format json|csv|both] [--published 2026-09-28T17:04:05Z] [--quota]

MONTH/truth/skus.parquet is the list that gen_cur.py rated the month with. OUT gets AWS's own layout,
`offers/v1.0/aws/<service>/<version>/index.json|csv`. A free tier is a first range at price 0. With --quota the free ranges of
requests become one quota of a product without a region, as AWS publishes its Always Free Tier: `appliesTo` in JSON, `RelatedTo` in
CSV.

Rates are texts from the Parquet file to the offer file: nothing here is a float.
"""
import argparse
import csv
import datetime
import json
import pathlib
from collections import defaultdict

import pyarrow.parquet

ON_DEMAND, FREE_TIER = "JRTCKXETXF", "A429C66SYZ"
# The tier codes that gen_cur_rows.py gives to the lines.
TIER_CODES = ("6YS6EN2CT7", "PGHJ3S3EYE", "D42MF2PVJS", "VXGXCWQKTY")
QUOTA_TIER = "SB2VSFF4TP"
CSV_COLUMNS = ("SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange",
               "EndingRange", "Unit", "PricePerUnit", "Currency", "RelatedTo", "LeaseContractLength", "PurchaseOption",
               "OfferingClass", "Product Family", "serviceCode", "Location", "Location Type", "Group", "usageType", "operation",
               "Region Code")
DISCLAIMER = "This pricing list is for informational purposes only."


def products(truth, quota=False):
    """The products of the month: by service, a list of dictionaries with `ranges` of (code, begin, end, rate)."""
    by_service = defaultdict(list)
    for row in pyarrow.parquet.read_table(pathlib.Path(truth) / "skus.parquet").to_pylist():
        tiers = json.loads(row["tiers"]) if row["tiers"] else [[0, row["public_rate"]]]
        begins = [str(begin) for begin, _ in tiers]
        ranges = []
        for number, (begin, end, (_, rate)) in enumerate(zip(begins, begins[1:] + ["Inf"], tiers)):
            term = FREE_TIER if is_free(rate) and len(tiers) > 1 else ON_DEMAND
            ranges.append((f"{row['sku']}.{term}.{TIER_CODES[number]}", begin, end, rate))
        by_service[row["product_code"]].append({**row, "ranges": ranges, "quota": None})
    if quota:
        for service, of_service in sorted(by_service.items()):
            by_service[service] = of_service + quotas(service, of_service)
    return dict(by_service)


def is_free(rate):
    return not rate.strip("0.")


def quotas(service, of_service):
    """Takes the free first range from the SKUs of one unit and size, and gives it to a product of no region."""
    members = defaultdict(list)
    for product in of_service:
        if len(product["ranges"]) == 2 and is_free(product["ranges"][0][3]):
            members[product["unit"], product["ranges"][0][2]].append(product)
    made = []
    for number, ((unit, size), of_quota) in enumerate(sorted(members.items())):
        sku = f"QUOTA{number}{service.upper()}"[:16].ljust(16, "0")
        for product in of_quota:
            code, _, _, rate = product["ranges"][1]
            product["ranges"] = [(code, "0", "Inf", rate)]
            product["quota"] = sku
        made.append({"sku": sku, "usage_type": f"Global-{unit}", "operation": "", "unit": unit, "quota": None,
                     "ranges": [(f"{sku}.{FREE_TIER}.{QUOTA_TIER}", "0", size, "0.0000000000")],
                     "members": [product["sku"] for product in of_quota]})
    return made


def location(product):
    return "Any" if "members" in product else "US East (N. Virginia)"


def json_text(service, version, published, of_service):
    """An offer file in JSON, in the order of AWS's: what it says of itself, the products, the terms."""
    listed, terms = {}, {}
    for product in of_service:
        sku = product["sku"]
        listed[sku] = {"sku": sku, "productFamily": "", "attributes": {
            "servicecode": service, "location": location(product), "locationType": "AWS Region",
            "usagetype": product["usage_type"], "operation": product["operation"]}}
        by_term = defaultdict(dict)
        for code, begin, end, rate in product["ranges"]:
            by_term[code.split(".")[1]][code] = {
                "rateCode": code, "description": f"${rate} per {product['unit']}", "beginRange": begin, "endRange": end,
                "unit": product["unit"], "pricePerUnit": {"USD": rate}, "appliesTo": product.get("members", [])}
        terms[sku] = {f"{sku}.{term}": {"offerTermCode": term, "sku": sku, "effectiveDate": published,
                                        "priceDimensions": dimensions, "termAttributes": {}}
                      for term, dimensions in by_term.items()}
    return json.dumps({"formatVersion": "v1.0", "disclaimer": DISCLAIMER, "offerCode": service, "version": version,
                       "publicationDate": published, "products": listed, "terms": {"OnDemand": terms, "Reserved": {}}})


def write_csv(path, service, version, published, of_service):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([("FormatVersion", "v1.0"), ("Disclaimer", DISCLAIMER), ("Publication Date", published),
                          ("Version", version), ("OfferCode", service), CSV_COLUMNS])
        for product in of_service:
            for code, begin, end, rate in product["ranges"]:
                row = {"SKU": product["sku"], "OfferTermCode": code.split(".")[1], "RateCode": code, "TermType": "OnDemand",
                       "PriceDescription": f"${rate} per {product['unit']}, \"On Demand\"", "EffectiveDate": published[:10],
                       "StartingRange": begin, "EndingRange": end, "Unit": product["unit"], "PricePerUnit": rate,
                       "Currency": "USD", "RelatedTo": product["quota"] or "", "serviceCode": service,
                       "Location": location(product), "usageType": product["usage_type"], "operation": product["operation"]}
                writer.writerow(row.get(column, "") for column in CSV_COLUMNS)


def write(truth, out, formats=("json", "csv"), published="2026-09-28T17:04:05Z", quota=False):
    """Writes the offer files of one publication; gives their folder."""
    aws = pathlib.Path(out) / "offers" / "v1.0" / "aws"
    version = datetime.datetime.fromisoformat(published).strftime("%Y%m%d%H%M%S")
    for service, of_service in products(truth, quota).items():
        folder = aws / service / version
        folder.mkdir(parents=True, exist_ok=True)
        if "json" in formats:
            (folder / "index.json").write_text(json_text(service, version, published, of_service))
        if "csv" in formats:
            write_csv(folder / "index.csv", service, version, published, of_service)
        (folder / "region_index.json").write_text(json.dumps({"formatVersion": "v1.0", "regions": {}}))
    return aws


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth")
    parser.add_argument("out")
    parser.add_argument("--format", choices=("json", "csv", "both"), default="both")
    parser.add_argument("--published", default="2026-09-28T17:04:05Z")
    parser.add_argument("--quota", action="store_true")
    a = parser.parse_args()
    formats = ("json", "csv") if a.format == "both" else (a.format,)
    print(write(a.truth, a.out, formats, a.published, a.quota))


if __name__ == "__main__":
    main()
