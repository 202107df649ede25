//! Offer files in both forms, in AWS's layout and outside of it: which versions hold, what is kept, and what is refused.

use super::versions::in_force;
use super::{Needs, PriceReport, PriceRequest, kept, read};
use billing::money::Currency;
use billing::period::BillingPeriod;
use billing::price_list::{ListPrice, PriceList};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const EC2: &str = "AmazonEC2";
const SKUS: [&str; 3] = ["SKU1", "SKU2", "SKU3"];

/// What October 2026 needs: three SKUs of EC2 in us-east-1.
fn needs() -> Needs {
    Needs {
        period: "2026-10".to_owned(),
        skus: SKUS.map(str::to_owned).into(),
        currencies: ["USD".to_owned()].into(),
        services: BTreeMap::from([(EC2.to_owned(), ["us-east-1".to_owned()].into())]),
        any_service: false,
    }
}

/// A range: tier code, begin, end, price.
type Range<'a> = (&'a str, &'a str, &'a str, &'a str);

/// An offer of EC2 with these ranges of On-Demand prices by SKU.
fn offer(version: &str, prices: &[(&str, &[Range<'_>])]) -> Value {
    let mut products = json!({});
    let mut terms = json!({});
    for (sku, ranges) in prices {
        products[sku] =
            json!({ "sku": sku, "attributes": { "usagetype": "BoxUsage", "location": "US East" } });
        let mut dimensions = json!({});
        for (tier, begin, end, price) in *ranges {
            let code = format!("{sku}.JRTCKXETXF.{tier}");
            dimensions[&code] = json!({ "rateCode": code, "beginRange": begin, "endRange": end, "unit": "Hrs",
                "pricePerUnit": { "USD": price }, "appliesTo": [] });
        }
        terms[sku] = json!({ format!("{sku}.JRTCKXETXF"):
            { "offerTermCode": "JRTCKXETXF", "sku": sku, "priceDimensions": dimensions } });
    }
    whole(version, products, terms)
}

fn whole(version: &str, products: Value, terms: Value) -> Value {
    let date = [(0..4, '-'), (4..6, '-'), (6..8, 'T'), (8..10, ':'), (10..12, ':'), (12..14, 'Z')];
    let published: String = date.map(|(digits, end)| format!("{}{end}", &version[digits])).concat();
    json!({ "formatVersion": "v1.0", "offerCode": EC2, "version": version, "publicationDate": published,
        "products": products, "terms": { "OnDemand": terms, "Reserved": { "SKU1": { "x": [[[1]]] } } } })
}

/// One price for all usage.
fn flat(price: &str) -> [Range<'_>; 1] {
    [("6YS6EN2CT7", "0", "Inf", price)]
}

fn write(folder: &TempDir, name: &str, content: &[u8]) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, content).expect("a file");
}

fn folder(files: &[(&str, Value)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        write(&folder, name, text(content).as_bytes());
    }
    folder
}

/// JSON in the order of AWS's files: what a file says of itself comes first, then the products, then the terms.
fn text(content: &Value) -> String {
    text_in_order(content, &["formatVersion", "offerCode", "version", "publicationDate", "products", "terms"])
}

fn text_in_order(content: &Value, order: &[&str]) -> String {
    let Value::Object(entries) = content else { return content.to_string() };
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| order.iter().position(|first| first == key).unwrap_or(order.len()));
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
    format!("{{{}}}", entries.join(","))
}

fn outcome(place: &Path, needs: &Needs) -> Result<(PriceList, PriceReport), String> {
    let request =
        PriceRequest { places: vec![place.to_owned()], needs: needs.clone(), threads: 2, scratch: None };
    read(&request).map_err(|refusal| refusal.problems.iter().map(|problem| format!("{problem}\n")).collect())
}

#[track_caller]
fn prices_in(folder: &TempDir) -> (PriceList, PriceReport) {
    outcome(folder.path(), &needs()).expect("a price list")
}

/// The rates of a SKU, by publication.
fn rates(list: &PriceList, sku: &str) -> Vec<(String, String)> {
    let text = |price: &ListPrice| {
        let rates = price.tiers.all().iter().map(|tier| tier.rate.to_string()).collect::<Vec<_>>();
        (list.offers[price.offer].version[..8].to_owned(), rates.join(" "))
    };
    list.prices.get(sku).into_iter().flatten().map(text).collect()
}

fn of(version: &str, rates: &str) -> (String, String) {
    (version.to_owned(), rates.to_owned())
}

#[track_caller]
fn refused(folder: &TempDir, words: &[&str]) {
    let said = outcome(folder.path(), &needs()).expect_err("a refusal");
    for word in words {
        assert!(said.contains(word), "no `{word}` in:\n{said}");
    }
}

// --- versions

#[test]
fn the_last_before_the_month_and_those_within_it_are_in_force() {
    let october = BillingPeriod::new(2026, 10).unwrap();
    let (start, end) = (october.start_seconds(), october.end_seconds());
    for (begins, expected) in [
        (vec![], 0..0),
        (vec![start - 9, start - 1], 1..2),
        (vec![start - 9, start, start + 1, end - 1, end], 1..4),
        (vec![start + 1, end], 0..1),
        (vec![end, end + 1], 0..1),
    ] {
        assert_eq!(in_force(&begins, october), expected, "{begins:?}");
    }
}

#[test]
fn versions_in_aws_layout_are_chosen_by_their_publication() {
    let file = |version: &str, price| {
        (format!("offers/v1.0/aws/AmazonEC2/{version}/index.json"), offer(version, &[("SKU1", &flat(price))]))
    };
    let files = [
        file("20260801000000", "1"),
        file("20260930235959", "2"),
        file("20261015000000", "3"),
        file("20261101000000", "4"),
    ];
    let files: Vec<_> = files.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
    let folder = folder(&files);
    let (list, report) = prices_in(&folder);
    assert_eq!(rates(&list, "SKU1"), [of("20260930", "2"), of("20261015", "3")]);
    assert_eq!((report.files, report.warnings), (2, vec![]));
    // Whatever part of the layout is named, and whether or not the file lies in it.
    for below in ["offers", "offers/v1.0/aws", "offers/v1.0/aws/AmazonEC2"] {
        assert_eq!(outcome(&folder.path().join(below), &needs()).unwrap().0, list);
    }
    for (number, (_, content)) in files.iter().enumerate() {
        write(&folder, &format!("loose/{number}.json"), text(content).as_bytes());
    }
    let (loose, report) = outcome(&folder.path().join("loose"), &needs()).unwrap();
    assert_eq!((loose, report.files), (list, 4));
}

#[test]
fn a_price_that_does_not_change_within_the_month_is_one() {
    let file = |version: &str, price| offer(version, &[("SKU1", &flat("1")), ("SKU2", &flat(price))]);
    let files = [
        ("c.json", file("20261020000000", "3")),
        ("a.json", file("20260901000000", "2")),
        ("b.json", file("20261010000000", "2")),
    ];
    let (list, _) = prices_in(&folder(&files));
    assert_eq!(rates(&list, "SKU1"), [of("20260901", "1")]);
    assert_eq!(rates(&list, "SKU2"), [of("20260901", "2"), of("20261020", "3")]);
    assert_eq!(list.offers.len(), 2, "a publication that nothing is kept of is not listed");
}

#[test]
fn a_later_list_is_used_only_where_there_is_no_older_one() {
    let late = offer("20261112101500", &[("SKU1", &flat("9"))]);
    let (list, report) = prices_in(&folder(&[("AmazonEC2/current/index.json", late.clone())]));
    assert_eq!(rates(&list, "SKU1"), [of("20261112", "9")]);
    let [warning] = report.warnings.as_slice() else { panic!("{:?}", report.warnings) };
    assert!(warning.contains("the end of 2026-10") && warning.contains("2026-11-12"), "{warning}");
    let older = offer("20250101000000", &[("SKU1", &flat("8"))]);
    let (list, report) = prices_in(&folder(&[
        ("AmazonEC2/current/index.json", late),
        ("AmazonEC2/20250101000000/index.json", older),
    ]));
    assert_eq!((rates(&list, "SKU1"), report.warnings), (vec![of("20250101", "8")], vec![]));
}

#[test]
fn the_dates_of_a_version_index_win_over_publication() {
    let version = |begin: &str, end: &str| {
        json!({ "versionEffectiveBeginDate": begin, "versionEffectiveEndDate": end,
                "offerVersionUrl": "/offers/v1.0/aws/AmazonEC2/x/index.json" })
    };
    let index = json!({ "formatVersion": "v1.0", "offerCode": EC2, "currentVersion": "x",
        "publicationDate": "2026-11-01T00:00:00Z", "versions": {
        "20260901000000": version("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z"),
        "20261005120000": version("2026-10-01T00:00:00Z", "") } });
    let old = ("AmazonEC2/20260901000000/index.json", offer("20260901000000", &[("SKU1", &flat("1"))]));
    let new = ("AmazonEC2/20261005120000/index.json", offer("20261005120000", &[("SKU1", &flat("2"))]));
    let (list, report) = prices_in(&folder(&[("AmazonEC2/index.json", index.clone()), old.clone(), new]));
    assert_eq!((rates(&list, "SKU1"), report.warnings), (vec![of("20261005", "2")], vec![]));
    // The version that holds is not there: the one before has to do, and that is said.
    let (list, report) = prices_in(&folder(&[("AmazonEC2/index.json", index), old]));
    assert_eq!(rates(&list, "SKU1"), [of("20260901", "1")]);
    assert!(report.warnings[0].contains("in force until 2026-10-01"), "{:?}", report.warnings);
}

// --- regions, services and forms

#[test]
fn regions_and_services_that_the_month_does_not_use_are_not_read() {
    let broken = json!({ "this": "would be refused" });
    let files = [
        ("AmazonEC2/20260901000000/region_index.json", json!({ "regions": {} })),
        ("AmazonEC2/20260901000000/us-east-1/index.json", offer("20260901000000", &[("SKU1", &flat("1"))])),
        ("AmazonEC2/20260901000000/aws-global/index.json", offer("20260901000000", &[("SKU2", &flat("2"))])),
        ("AmazonEC2/20260901000000/eu-west-1/index.json", broken.clone()),
        ("AmazonEC2/20260901000000/index.json", broken.clone()),
        ("AmazonS3/20260901000000/us-east-1/index.json", broken),
        ("index.json", json!({ "offers": {} })),
    ];
    let (list, report) = prices_in(&folder(&files));
    assert_eq!(rates(&list, "SKU1"), [of("20260901", "1")]);
    assert_eq!(rates(&list, "SKU2"), [of("20260901", "2")]);
    assert_eq!((report.files, report.ignored), (2, vec![]));
}

#[test]
fn a_region_without_a_file_is_looked_for_in_that_of_all_regions() {
    let mut needs = needs();
    needs.services.get_mut(EC2).unwrap().insert("us-west-2".to_owned());
    let prices = [("SKU1", &flat("1")[..]), ("SKU2", &flat("2")[..])];
    let files = [
        ("AmazonEC2/20260901000000/us-east-1/index.json", offer("20260901000000", &prices[..1])),
        ("AmazonEC2/20260901000000/index.json", offer("20260901000000", &prices)),
    ];
    let (list, report) = outcome(folder(&files).path(), &needs).unwrap();
    assert_eq!((list.prices.len(), report.files), (2, 1));
    let (list, _) = outcome(folder(&files[..1]).path(), &needs).unwrap();
    assert_eq!(list.prices.len(), 1);
}

#[test]
fn files_of_two_regions_from_two_days_are_both_in_force() {
    let mut needs = needs();
    needs.services.get_mut(EC2).unwrap().insert("eu-west-1".to_owned());
    let files = [
        ("AmazonEC2/current/us-east-1/index.json", offer("20260901000000", &[("SKU1", &flat("1"))])),
        ("AmazonEC2/current/eu-west-1/index.json", offer("20260902000000", &[("SKU2", &flat("2"))])),
    ];
    let (list, _) = outcome(folder(&files).path(), &needs).unwrap();
    assert_eq!((list.offers.len(), list.prices.len()), (2, 2));
}

const CSV_TOP: &str = "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"as is, and no more\"\n\
    \"Publication Date\",\"2026-09-01T00:00:00Z\"\n\"Version\",\"20260901000000\"\n\"OfferCode\",\"AmazonEC2\"\n";
const CSV_HEADER: &str = "\"SKU\",\"OfferTermCode\",\"RateCode\",\"TermType\",\"PriceDescription\",\"StartingRange\",\
    \"EndingRange\",\"Unit\",\"PricePerUnit\",\"Currency\",\"RelatedTo\",\"Location\",\"usageType\",\"Group\"\n";

fn csv(rows: &str) -> Vec<u8> {
    format!("{CSV_TOP}{CSV_HEADER}{rows}").into_bytes()
}

#[test]
fn csv_and_json_packed_or_not_give_the_same() {
    let ranges = [("A", "0", "10", "0.5000000000"), ("B", "10", "Inf", "0.2500000000")];
    let json = text(&offer("20260901000000", &[("SKU1", &ranges), ("OTHER", &flat("7"))]));
    let rows = "\"SKU1\",\"JRTCKXETXF\",\"SKU1.JRTCKXETXF.B\",\"OnDemand\",\"b\",\"10\",\"Inf\",\"Hrs\",\"0.2500000000\",\"USD\",\"\",\"US East\",\"BoxUsage\",\"\"\n\
        \"SKU1\",\"HU7G6KETJZ\",\"SKU1.HU7G6KETJZ.2TG2D8R56U\",\"Reserved\",\"fee\",\"\",\"\",\"Quantity\",\"100\",\"USD\",\"\",\"US East\",\"BoxUsage\",\"\"\n\
        \"SKU1\",\"JRTCKXETXF\",\"SKU1.JRTCKXETXF.A\",\"OnDemand\",\"a, first\",\"0\",\"10\",\"Hrs\",\"0.5000000000\",\"USD\",\"\",\"US East\",\"BoxUsage\",\"\"\n";
    let mut lists = Vec::new();
    for (name, content) in [("a.json", json.as_bytes()), ("a.csv", &csv(rows))] {
        let plain = tempfile::tempdir().unwrap();
        write(&plain, name, content);
        lists.push(prices_in(&plain).0);
        let packed = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        let mut gzip = flate2::read::GzEncoder::new(content, flate2::Compression::fast());
        std::io::Read::read_to_end(&mut gzip, &mut bytes).unwrap();
        write(&packed, &format!("{name}.gz"), &bytes);
        lists.push(prices_in(&packed).0);
        // The first of two forms is read, the other is not even looked at.
        write(&plain, "a.csv.gz", b"\x1f\x8b no gzip");
        assert_eq!(prices_in(&plain).1.files, 1);
    }
    assert_eq!(rates(&lists[0], "SKU1"), [of("20260901", "0.5 0.25")]);
    assert_eq!(lists[0].prices["SKU1"][0].rate_codes, ["SKU1.JRTCKXETXF.A", "SKU1.JRTCKXETXF.B"]);
    assert!(lists.iter().all(|list| *list == lists[0]));
}

#[test]
fn terms_may_come_before_products() {
    let offer = quota_offer("Global-Requests", "0", "100");
    let order = ["offerCode", "version", "publicationDate", "terms", "products"];
    let terms_first = tempfile::tempdir().unwrap();
    write(&terms_first, "a.json", text_in_order(&offer, &order).as_bytes());
    let products_first = folder(&[("a.json", offer)]);
    let (list, _) = prices_in(&terms_first);
    assert_eq!(list, prices_in(&products_first).0);
    assert_eq!((list.quotas.len(), list.prices.len()), (1, 1));
}

#[test]
fn the_kept_file_holds_everything() {
    let ranges = [("A", "0", "10.5", "0"), ("B", "10.5", "Inf", "0.0000000001")];
    let Value::Object(mut offer) = quota_offer("Global-Requests", "0", "100") else { panic!("an object") };
    let more = self::offer("20260901000000", &[("SKU2", &ranges)]);
    for part in ["products", "terms"] {
        let (to, from) = (offer[part].clone(), more[part].clone());
        offer[part] = joined(to, from);
    }
    let (list, _) = prices_in(&folder(&[("a.json", Value::Object(offer))]));
    assert_eq!((list.prices.len(), list.quotas.len()), (2, 1));
    let file = tempfile::tempdir().unwrap();
    let bytes = kept::bytes(&list).unwrap();
    write(&file, "kept.json", &bytes);
    let (again, _) = kept::read(&file.path().join("kept.json")).unwrap();
    assert_eq!(again, list);
    assert_eq!(kept::bytes(&again).unwrap(), bytes);
    assert!(String::from_utf8(bytes).unwrap().contains("\"rate\": \"0.0000000001\""));
}

fn joined(mut to: Value, from: Value) -> Value {
    for (key, value) in from.as_object().unwrap() {
        match to.get_mut(key) {
            Some(there) if value.is_object() => *there = joined(there.clone(), value.clone()),
            _ => to[key] = value.clone(),
        }
    }
    to
}

// --- free quotas

/// SKU1 at a price, and a product of which a range is free to SKU1, to another SKU and to a rate code of SKU2.
fn quota_offer(usage_type: &str, begin: &str, end: &str) -> Value {
    let mut whole = offer("20260901000000", &[("SKU1", &flat("1"))]);
    whole["products"]["FREE"] = json!({ "sku": "FREE", "attributes": { "usagetype": usage_type, "location": "x",
        "group": if usage_type.contains("trial") { "FreeTrial" } else { "" } } });
    whole["terms"]["OnDemand"]["FREE"] = json!({ "FREE.A429C66SYZ": { "offerTermCode": "A429C66SYZ", "sku": "FREE",
        "priceDimensions": { "FREE.A429C66SYZ.T": { "rateCode": "FREE.A429C66SYZ.T", "beginRange": begin,
            "endRange": end, "unit": "Requests", "pricePerUnit": { "USD": "0.0000000000" },
            "appliesTo": ["SKU1", "ELSEWHERE", "SKU2.JRTCKXETXF.6YS6EN2CT7"] } } } });
    whole
}

#[test]
fn a_free_quota_is_kept_with_the_members_that_the_month_uses() {
    let (list, report) = prices_in(&folder(&[("a.json", quota_offer("Global-Requests", "0", "20000"))]));
    let [quota] = list.quotas.as_slice() else { panic!("{:?}", list.quotas) };
    assert_eq!(
        (quota.rate_code.as_str(), quota.quantity.to_string().as_str()),
        ("FREE.A429C66SYZ.T", "20000")
    );
    assert_eq!(quota.skus.iter().collect::<Vec<_>>(), ["SKU1", "SKU2"]);
    assert_eq!(list.prices.len(), 1);
    assert_eq!(report.warnings, Vec::<String>::new());
}

#[test]
fn what_does_not_end_or_is_of_a_region_or_a_trial_is_no_quota() {
    for (usage_type, end) in
        [("Global-Requests", "Inf"), ("USE1-Requests", "5"), ("Global-BoxUsage:freetrial", "750")]
    {
        let (list, report) = prices_in(&folder(&[("a.json", quota_offer(usage_type, "0", end))]));
        assert_eq!((list.quotas.len(), list.prices.len()), (0, 1), "{usage_type}");
        let trial =
            report.warnings.iter().any(|warning| warning.contains("`FREE.A429C66SYZ.T` is a trial's"));
        assert_eq!(trial, usage_type.contains("trial"), "{:?}", report.warnings);
    }
}

#[test]
fn members_in_csv_point_to_their_quota() {
    let rows = "\"FREE\",\"A429C66SYZ\",\"FREE.A429C66SYZ.T\",\"OnDemand\",\"\",\"0\",\"20000\",\"Requests\",\"0.0000000000\",\"USD\",\"\",\"Any\",\"Global-Requests\",\"\"\n\
        \"SKU1\",\"JRTCKXETXF\",\"SKU1.JRTCKXETXF.6YS6EN2CT7\",\"OnDemand\",\"\",\"0\",\"Inf\",\"Hrs\",\"1\",\"USD\",\"FREE\",\"US East\",\"BoxUsage\",\"\"\n\
        \"SKU2\",\"JRTCKXETXF\",\"SKU2.JRTCKXETXF.6YS6EN2CT7\",\"OnDemand\",\"\",\"0\",\"Inf\",\"Hrs\",\"1\",\"USD\",\"FREE.A429C66SYZ.T\",\"US East\",\"BoxUsage\",\"\"\n\
        \"OTHER\",\"JRTCKXETXF\",\"OTHER.JRTCKXETXF.6YS6EN2CT7\",\"OnDemand\",\"\",\"0\",\"Inf\",\"Hrs\",\"1\",\"USD\",\"FREE\",\"US East\",\"BoxUsage\",\"\"\n";
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "a.csv", &csv(rows));
    let (list, _) = prices_in(&folder);
    let from_json = prices_in(&self::folder(&[("a.json", quota_offer("Global-Requests", "0", "20000"))])).0;
    assert_eq!(list.quotas, from_json.quotas);
    assert_eq!(list.prices.len(), 2);
}

#[test]
fn a_quota_that_changes_within_the_month_is_the_latest_and_that_is_said() {
    let mut later = quota_offer("Global-Requests", "0", "30000");
    later["version"] = json!("20261010000000");
    later["publicationDate"] = json!("2026-10-10T00:00:00Z");
    let (list, report) =
        prices_in(&folder(&[("a.json", quota_offer("Global-Requests", "0", "20000")), ("b.json", later)]));
    assert_eq!(list.quotas.len(), 1);
    assert_eq!(list.quotas[0].quantity.to_string(), "30000");
    assert!(report.warnings[0].contains("from 20000 to that of 2026-10-10"), "{:?}", report.warnings);
}

// --- ranges

#[test]
fn a_free_range_of_an_offer_of_its_own_joins_the_paid_ones() {
    let mut whole = offer("20260901000000", &[("SKU1", &[("P", "100", "Inf", "0.09")])]);
    whole["terms"]["OnDemand"]["SKU1"]["SKU1.A429C66SYZ"] = json!({ "offerTermCode": "A429C66SYZ", "sku": "SKU1",
        "priceDimensions": { "SKU1.A429C66SYZ.F": { "rateCode": "SKU1.A429C66SYZ.F", "beginRange": "0",
            "endRange": "100", "unit": "Hrs", "pricePerUnit": { "USD": "0" }, "appliesTo": [] } } });
    let (list, _) = prices_in(&folder(&[("a.json", whole.clone())]));
    assert_eq!(rates(&list, "SKU1"), [of("20260901", "0 0.09")]);
    // A price that begins at 0 is whole without it.
    whole["terms"]["OnDemand"]["SKU1"]["SKU1.JRTCKXETXF"]["priceDimensions"]["SKU1.JRTCKXETXF.P"]["beginRange"] =
        json!("0");
    let (list, _) = prices_in(&folder(&[("a.json", whole)]));
    assert_eq!(rates(&list, "SKU1"), [of("20260901", "0.09")]);
}

#[test]
fn other_currencies_are_not_kept() {
    let mut whole = offer("20260901000000", &[("SKU1", &flat("1"))]);
    let path = "/terms/OnDemand/SKU1/SKU1.JRTCKXETXF/priceDimensions/SKU1.JRTCKXETXF.6YS6EN2CT7/pricePerUnit";
    whole.pointer_mut(path).unwrap()["CNY"] = json!("6.5");
    let folder = folder(&[("a.json", whole)]);
    assert_eq!(prices_in(&folder).0.prices["SKU1"].len(), 1);
    let needs = Needs { currencies: ["CNY".to_owned(), "EUR".to_owned()].into(), ..needs() };
    let (list, _) = outcome(folder.path(), &needs).unwrap();
    assert_eq!(rates(&list, "SKU1"), [of("20260901", "6.5")]);
    assert_eq!(list.prices["SKU1"][0].currency, Currency::parse("CNY").unwrap());
}

#[test]
fn ranges_that_are_no_tiers_are_refused() {
    let cases: [(&[Range<'_>], &str); 7] = [
        (&[("A", "1", "Inf", "1")], "the first tier begins at 0, this one at 1"),
        (&[("A", "0", "10", "1"), ("B", "11", "Inf", "1")], "tier 2 begins at 11"),
        (&[("A", "0", "10", "1"), ("B", "5", "Inf", "1")], "tier 2 begins at 5"),
        (&[("A", "0", "10", "1")], "the last tier must have no end"),
        (&[("A", "0", "Inf", "-1")], "a negative rate"),
        (&[("A", "0", "Inf", "0.00000000001")], "`0.00000000001` is a number with more than ten decimals"),
        (&[("A", "zero", "Inf", "1")], "`zero` is not a number"),
    ];
    for (ranges, word) in cases {
        let folder = folder(&[("a.json", offer("20260901000000", &[("SKU1", ranges)]))]);
        refused(&folder, &["a.json:SKU1", word, "hint: "]);
        // What the month does not use may be as it likes.
        let needs = Needs { skus: ["SKU9".to_owned()].into(), ..needs() };
        assert!(outcome(folder.path(), &needs).is_ok());
    }
    refused(
        &folder(&[(
            "a.json",
            offer("20260901000000", &[("SKU1", &[("A", "0", "10", "1"), ("B", "11", "Inf", "1")])]),
        )]),
        &["`SKU1.JRTCKXETXF.A`, `SKU1.JRTCKXETXF.B`"],
    );
}

#[test]
fn two_files_of_one_version_must_agree() {
    let files = [
        ("a.json", offer("20260901000000", &[("SKU1", &flat("1"))])),
        ("b.json", offer("20260901000000", &[("SKU1", &flat("2"))])),
    ];
    refused(&folder(&files), &["b.json: `SKU1` is said otherwise in `a.json`", "20260901000000"]);
}

// --- damaged and foreign files

#[test]
fn what_is_no_offer_file_is_listed_and_alone_refused() {
    let files = [
        ("a.json", offer("20260901000000", &[("SKU1", &flat("1"))])),
        ("notes.json", json!({ "some": "thing" })),
        ("list.json", json!([1, 2])),
    ];
    let some = folder(&files);
    write(&some, "costs.csv", b"account,cost\n1,2\n");
    write(&some, "readme.txt", b"not looked at");
    let (_, report) = prices_in(&some);
    let names: Vec<_> = report.ignored.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["costs.csv", "list.json", "notes.json"]);
    refused(&folder(&files[1..]), &["holds no offer file", "hint: "]);
    let said = outcome(&some.path().join("notes.json"), &needs()).unwrap_err();
    assert!(said.contains("notes.json: is no offer file"), "{said}");
    let said = outcome(&some.path().join("absent"), &needs()).unwrap_err();
    assert!(said.contains("it is not there"), "{said}");
}

#[test]
fn damaged_files_are_refused_by_name() {
    let text = text(&offer("20260901000000", &[("SKU1", &flat("1"))]));
    let deep = text.replace("[[[1]]]", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let nested =
        text.replace("\"usagetype\":\"BoxUsage\"", &format!("\"usagetype\":{}", "[".repeat(100_000)));
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("cut.json", text.as_bytes()[..text.len() - 30].to_vec(), "is damaged: EOF"),
        ("more.json", format!("{text} x").into_bytes(), "is damaged: trailing characters"),
        ("types.json", text.replace("\"0\"", "0").into_bytes(), "is damaged: invalid type"),
        ("nested.json", nested.into_bytes(), "is damaged: "),
        ("date.json", text.replace("2026-09-01T", "soon").into_bytes(), "publication date `soon"),
        ("short.csv", csv("\"SKU1\",\"JRTCKXETXF\"\n"), "row 1: 2 fields where the header has 14"),
    ];
    for (name, content, word) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(
            &folder,
            &format!("AmazonEC2/20260901000000/{}", name.replace(name.split('.').next().unwrap(), "index")),
            &content,
        );
        refused(&folder, &["index.", word]);
    }
    // What is not needed is skipped without being built.
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "deep.json", deep.as_bytes());
    assert_eq!(prices_in(&folder).0.prices.len(), 1);
    let columns = CSV_HEADER.replace("\"RateCode\",", "");
    write(&folder, "deep.json", format!("{CSV_TOP}{columns}").as_bytes());
    refused(&folder, &["it has no column `RateCode` in line 6"]);
}
