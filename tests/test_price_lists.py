"""The price list of a generated month as offer files, and real offer files: what a run keeps of them is what was published.

bench/offer_files.py writes the list that the generator rated the month with in AWS's layout and forms; what `run --price-list` keeps is
compared with that list itself, SKU by SKU and range by range.
"""
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
from types import SimpleNamespace

import duckdb
import pytest

import s3
from program import ROOT, priced, quoted, run

sys.path.insert(0, str(ROOT / "bench"))
import offer_files

PERIOD = "2026-10"
PUBLISHED, VERSION = "2026-09-28T17:04:05Z", "20260928170405"
SAMPLES = os.environ.get("PROFORMA_SAMPLES")
METERED = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """A month of 60,000 lines, a book with one group of all its accounts, and the SKUs of its usage."""
    folder = tmp_path_factory.mktemp("month")
    command = [sys.executable, ROOT / "bench" / "gen_cur.py", "gen", "--rows", "60000", "--period", PERIOD, "--out",
               folder / "month", "--skus", "3000", "--products", "60", "--accounts", "100", "--customers", "5",
               "--tag-profiles", "50", "--jobs", "1", "--seed", "7"]
    subprocess.run(command, check=True, capture_output=True)
    lines = f"read_parquet({quoted(folder / 'month' / 'data' / '**' / '*.parquet')})"
    one = lambda sql: duckdb.execute(sql).fetchall()
    (payer,), = one(f"SELECT any_value(bill_payer_account_id) FROM {lines}")
    accounts = [account for account, in one(f"SELECT DISTINCT line_item_usage_account_id FROM {lines} ORDER BY 1")]
    skus = {sku for sku, in one(f"SELECT DISTINCT product_sku FROM {lines} WHERE product_sku <> '' "
                                f"AND line_item_line_item_type IN {METERED}")}
    book = {"payer_account_id": payer, "pricing_plans": [{"name": "plan", "pricing_rules": []}],
            "billing_groups": [{"name": "all", "primary_account_id": accounts[0], "accounts": accounts,
                                "pricing_plan": "plan"}]}
    (folder / "book.json").write_text(json.dumps(book))
    return SimpleNamespace(cost=folder / "month" / "data", truth=folder / "month" / "truth", book=folder / "book.json",
                           skus=skus)


def price(month, out, *places, env=None):
    return priced(month.cost, month.book, PERIOD, out, "--price-list", *places, env=env)


def plain(text):
    """A decimal as the program writes it."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def expected(month, quota=False):
    """`price-list.json` from the generator's own list."""
    offers, prices, quotas = [], {}, []
    for service, of_service in sorted(offer_files.products(month.truth, quota).items()):
        used = [product for product in of_service if product["sku"] in month.skus]
        members = [(product, sorted(set(product["members"]) & month.skus)) for product in of_service if "members" in product]
        members = [(product, skus) for product, skus in members if skus]
        if not used and not members:
            continue
        offer = len(offers)
        offers.append({"service": service, "version": VERSION, "published": PUBLISHED})
        for product in used:
            tiers = [{"begin": begin, "end": None if end == "Inf" else end, "rate": plain(rate), "rate_code": code}
                     for code, begin, end, rate in product["ranges"]]
            prices[product["sku"]] = [{"offer": offer, "currency": "USD", "unit": product["unit"], "tiers": tiers}]
        for product, skus in members:
            (code, _, end, _), = product["ranges"]
            quotas.append({"offer": offer, "rate_code": code, "quantity": end, "skus": skus})
    return {"format_version": 1, "offers": offers, "prices": dict(sorted(prices.items())),
            "free_quotas": sorted(quotas, key=lambda quota: quota["rate_code"])}


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("quota", [False, True], ids=["tiers", "quotas"])
def test_what_is_kept_is_the_generators_list(month, form, quota, tmp_path):
    place = offer_files.write(month.truth, tmp_path / "list", (form,), PUBLISHED, quota)
    done = price(month, tmp_path / "out", place)
    kept = done.json("price-list.json")
    assert kept == expected(month, quota)
    assert len(kept["prices"]) == len(month.skus) > 100
    assert bool(kept["free_quotas"]) == quota
    assert any(len(of_sku[0]["tiers"]) > 2 for of_sku in kept["prices"].values())
    assert f"from {len(kept['offers'])} offers; it lacks 0 SKUs" in done.stderr
    mark = done.reconciliation["price_list"]
    assert (mark["offers"], mark["skus"], mark["skus_lacking"]) == (kept["offers"], len(month.skus), 0)


def test_every_form_packing_and_order_gives_the_same_bytes(month, tmp_path):
    places = {}
    for form in ("json", "csv"):
        places[form] = offer_files.write(month.truth, tmp_path / form, (form,), PUBLISHED, True)
    places["both"] = offer_files.write(month.truth, tmp_path / "both", ("json", "csv"), PUBLISHED, True)
    places["packed"] = tmp_path / "packed"
    shutil.copytree(places["json"], places["packed"])
    for path in places["packed"].rglob("index.json"):
        path.with_name("index.json.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    places["loose"] = tmp_path / "loose"
    places["loose"].mkdir()
    for number, path in enumerate(places["json"].rglob("index.json")):
        shutil.copy(path, places["loose"] / f"{997 * number % 101}-{number}.json")
    kept = {name: (price(month, tmp_path / f"out-{name}", place, "--threads", str(1 + number % 2)).out
                   / "price-list.json").read_bytes() for number, (name, place) in enumerate(places.items())}
    assert set(kept.values()) == {kept["json"]}, "one and the same"
    # Each offer file by itself, the last first.
    files = sorted(places["json"].rglob("index.json"), reverse=True)
    assert (price(month, tmp_path / "out-files", *files).out / "price-list.json").read_bytes() == kept["json"]


def test_versions_within_the_month_and_after_it(month, tmp_path):
    """A rate that changes on 10 October has two prices; a list of November is used for nothing."""
    aws = offer_files.write(month.truth, tmp_path / "list", ("json",), PUBLISHED)
    rate = offer_files.products(month.truth)["AmazonEC2"]
    sku, old = next((product["sku"], product["ranges"][0][3]) for product in rate
                    if product["sku"] in month.skus and len(product["ranges"]) == 1 and product["ranges"][0][3][0] == "0")
    for published, new in [("2026-10-10T00:00:00Z", "7.0000000000"), ("2026-11-01T00:00:00Z", "9.0000000000")]:
        version = published.translate(str.maketrans("", "", "-:TZ"))
        text = (aws / "AmazonEC2" / VERSION / "index.json").read_text()
        offer = json.loads(text.replace(VERSION, version).replace(PUBLISHED, published))
        for term in offer["terms"]["OnDemand"][sku].values():
            for of_range in term["priceDimensions"].values():
                of_range["pricePerUnit"]["USD"] = new
        (aws / "AmazonEC2" / version).mkdir()
        (aws / "AmazonEC2" / version / "index.json").write_text(json.dumps(offer))
    kept = price(month, tmp_path / "out", aws).json("price-list.json")
    rates = [(kept["offers"][of["offer"]]["published"], of["tiers"][0]["rate"]) for of in kept["prices"][sku]]
    assert rates == [(PUBLISHED, plain(old)), ("2026-10-10T00:00:00Z", "7")]
    others = {name: of_sku for name, of_sku in kept["prices"].items() if name != sku}
    assert all(len(of_sku) == 1 for of_sku in others.values())
    assert len(kept["offers"]) == len(expected(month)["offers"]) + 1


def test_a_list_on_an_object_store(month, tmp_path):
    place = offer_files.write(month.truth, tmp_path / "list", ("json", "csv"), PUBLISHED, True)
    here = price(month, tmp_path / "here", place)
    server = s3.Server()
    try:
        store = s3.client(server.endpoint)
        store.create_bucket(Bucket="prices")
        s3.upload(store, "prices", "mirror/offers/v1.0/aws/", place)
        env = s3.environment(server.endpoint)
        with s3.Proxy(server.endpoint, lambda *_: None) as proxy:
            there = price(month, tmp_path / "there", "s3://prices/mirror", env=s3.environment(proxy.endpoint))
        fetched = [path for method, path, _ in proxy.requests if method == "GET" and "index." in path]
        assert not [path for path in fetched if path.endswith((".csv", "region_index.json"))]
        # A file by itself, and what is not there.
        path = f"s3://prices/mirror/offers/v1.0/aws/AmazonEC2/{VERSION}/index.csv"
        of_one = price(month, tmp_path / "one", path, env=env).json("price-list.json")
        absent = run(month.cost, month.book, PERIOD, tmp_path / "absent", "--price-list", "s3://prices/nothing", env=env)
    finally:
        server.stop()
    for name in ("price-list.json", "reconciliation.json"):
        assert (there.out / name).read_bytes() == (here.out / name).read_bytes()
    assert [offer["service"] for offer in of_one["offers"]] == ["AmazonEC2"]
    assert absent.exit_code == 2 and "s3://prices/nothing: cannot be read: it is not there" in absent.stderr


# ---- Offer files that AWS has published.

REAL = {
    "VA8Q43DVPX4YV6NG": ("AmazonEC2", "BoxUsage:t2.small", "0.023"),
    "K85NNPWP7ZVFM9N2": ("AmazonEC2", "APS1-BoxUsage:c5.9xlarge", "15.264"),
    "35AEEWH98DECPC35": ("AmazonEC2", "BoxUsage:c5.xlarge", "0.17"),
    "22ANV4NNQP3UUCWY": ("AmazonRDS", "InstanceUsage:db.m4.4xlarge", "1.401"),
    "HCRJPSSTVQ4JAU49": ("AmazonRDS", "Multi-AZUsage:db.m4.4xlarge", "2.802"),
}


@pytest.mark.skipif(not SAMPLES, reason="PROFORMA_SAMPLES does not name the folder of sample files")
@pytest.mark.parametrize("period", ["2017-08", "2017-12"])
def test_real_offer_files(period, tmp_path):
    cost = tmp_path / "cost.csv"
    columns = ["identity_line_item_id", "identity_time_interval", "bill_payer_account_id", "bill_billing_period_start_date",
               "bill_billing_entity", "bill_bill_type", "line_item_usage_account_id", "line_item_line_item_type",
               "line_item_usage_start_date", "line_item_product_code", "line_item_usage_type", "line_item_operation",
               "line_item_usage_amount", "line_item_currency_code", "line_item_unblended_rate", "line_item_unblended_cost",
               "product", "product_sku", "product_servicecode", "product_region_code", "pricing_public_on_demand_cost",
               "pricing_public_on_demand_rate", "pricing_unit", "pricing_term", "pricing_rate_code", "pricing_currency"]
    rows = [",".join(columns)]
    for sku, (service, usage_type, rate) in REAL.items():
        values = ["line", f"{period}-01T00:00:00Z/{period}-01T01:00:00Z", "999999999999", f"{period}-01T00:00:00Z", "AWS",
                  "Anniversary", "111111111111", "Usage", f"{period}-01T00:00:00Z", service, usage_type, "op", "1", "USD", rate,
                  rate, "{}", sku, service, "us-east-1", rate, rate, "Hrs", "OnDemand", f"{sku}.JRTCKXETXF.6YS6EN2CT7", "USD"]
        rows.append(",".join(values))
    cost.write_text("\n".join(rows) + "\n")
    book = tmp_path / "book.json"
    book.write_text(json.dumps({"payer_account_id": "999999999999"}))
    done = priced(cost, book, period, tmp_path / "out", "--price-list", pathlib.Path(SAMPLES) / "price-list")
    kept = done.json("price-list.json")
    assert {sku: of_sku[0]["tiers"][0]["rate"] for sku, of_sku in kept["prices"].items()} == {
        sku: rate for sku, (_, _, rate) in REAL.items()}
    assert [(offer["service"], offer["version"]) for offer in kept["offers"]] == [
        ("AmazonEC2", "20170803003029"), ("AmazonRDS", "20171026230010")]
    # RDS's list is of October: before that month, it is used because there is no older one, and that is said.
    assert ("AmazonRDS: no price list of before the end of 2017-08" in done.stderr) == (period == "2017-08")
