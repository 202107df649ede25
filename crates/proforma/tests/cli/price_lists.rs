//! `run --price-list`: what is kept in the run, who uses it afterwards, and what is refused.

use crate::support::{Done, Run, proforma};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use testkit::oracle::Exact;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const BOOK: &str = r#"
payer_account_id = "999999999999"
[[pricing_plans]]
name = "plan"
pricing_rules = []
[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111"]
pricing_plan = "plan"
[[billing_groups]]
name = "beta"
primary_account_id = "222222222222"
accounts = ["222222222222"]
pricing_plan = "plan"
"#;

/// Storage of two groups: the family's lines do not show that its first tier ends at 50.
fn lines() -> Vec<Line> {
    let storage = |account: &str, sku: &str, (tier, rate): (&str, &str), usage: &str, cost: &str| {
        let public = Exact::of(usage).times(&Exact::of("0.03")).to_string();
        let line = Line::usage(account, "AmazonS3", "TimedStorage-ByteHrs", cost).using(usage);
        let line = line.at_public_cost(&public);
        let mut line = line.of_sku(sku, tier).at_rates(rate, "0.03");
        line.pricing_unit = Some("GB-Mo".to_owned());
        line.product_region_code = Some("us-east-1".to_owned());
        line
    };
    vec![
        storage("111111111111", "STORED", ("SECOND", "0.02"), "60", "1.2"),
        storage("222222222222", "STORED", ("FIRST", "0.03"), "10", "0.3"),
        storage("222222222222", "UNLISTED", ("FIRST", "0.03"), "1", "0.03"),
    ]
}

/// The offer file of these prices, with one product that the month does not use.
fn offer() -> String {
    let tier = |tier: &str, begin: &str, end: &str, rate: &str| {
        let code = format!("STORED.JRTCKXETXF.{tier}");
        let range = json!({ "rateCode": code, "beginRange": begin, "endRange": end, "unit": "GB-Mo",
            "pricePerUnit": { "USD": rate }, "appliesTo": [] });
        (code, range)
    };
    let ranges: serde_json::Map<String, Value> =
        [tier("FIRST", "0", "50", "0.0300000000"), tier("SECOND", "50", "Inf", "0.0200000000")]
            .into_iter()
            .collect();
    let of_sku = json!({ "STORED.JRTCKXETXF": { "offerTermCode": "JRTCKXETXF", "priceDimensions": ranges } });
    let terms = json!({ "OnDemand": { "STORED": of_sku, "UNUSED": of_sku } });
    let products =
        json!({ "STORED": { "sku": "STORED", "attributes": { "usagetype": "TimedStorage-ByteHrs" } } });
    format!(
        r#"{{"formatVersion": "v1.0", "offerCode": "AmazonS3", "version": "20260901000000",
        "publicationDate": "2026-09-01T00:00:00Z", "products": {products}, "terms": {terms}}}"#
    )
}

const PLACE: &str = "offers/v1.0/aws/AmazonS3/20260901000000/us-east-1/index.json";

/// A run of the month with `--price-list` at `given` in a folder that `write` fills.
fn with_list(given: &str, write: impl FnOnce(&Path)) -> Run {
    with_list_and_form(Form::Cur2Csv, given, write)
}

fn with_list_and_form(form: Form, given: &str, write: impl FnOnce(&Path)) -> Run {
    let lines = if matches!(form, Form::Focus(_)) { testkit::focus::as_told(&lines()) } else { lines() };
    let run =
        Run::new(PERIOD, BOOK, |cost| drop(write_month(cost, &lines, &WriteOptions::new(form, PERIOD))));
    let list = run.folder.path().join("list");
    fs::create_dir_all(list.join(PLACE).parent().expect("a parent")).expect("a folder");
    write(&list);
    let list = list.join(given).display().to_string();
    run.with(&["--price-list", &list])
}

fn priced() -> Done {
    with_list("", |list| fs::write(list.join(PLACE), offer()).expect("a file")).go().succeeded()
}

#[track_caller]
fn total(done: &Done, group: &str) -> String {
    let statement = done.json(&format!("statements/{group}.json"));
    statement["statements"][0]["total"].as_str().expect("a total").to_owned()
}

#[test]
fn what_the_month_needs_is_kept_and_said() {
    let done = priced();
    let kept = done.json("price-list.json");
    let tier = |name: &str, begin: &str, end: Value, rate: &str| json!({ "begin": begin, "end": end, "rate": rate, "rate_code": format!("STORED.JRTCKXETXF.{name}") });
    let expected = json!({
        "format_version": 1,
        "offers": [{ "service": "AmazonS3", "version": "20260901000000", "published": "2026-09-01T00:00:00Z" }],
        "prices": { "STORED": [{ "offer": 0, "currency": "USD", "unit": "GB-Mo",
            "tiers": [tier("FIRST", "0", json!("50"), "0.03"), tier("SECOND", "50", Value::Null, "0.02")] }] },
        "free_quotas": [],
    });
    assert_eq!(kept, expected);
    let mark = &done.json("reconciliation.json")["price_list"];
    assert_eq!((&mark["offers"], &mark["skus_lacking"]), (&expected["offers"], &json!(1)));
    assert!(mark["sha256"].as_str().is_some_and(|hash| hash.starts_with("sha256:")), "{mark}");
    let said = "price list: 1 of 2 SKUs of the month's usage, 0 free quotas, from 1 offer; it lacks 1 SKU";
    assert!(done.stderr.contains(said), "{}", done.stderr);
    // 50 × 0.03 + 10 × 0.02; 10 × 0.03 and what the list lacks.
    assert_eq!((total(&done, "acme").as_str(), total(&done, "beta").as_str()), ("1.7", "0.33"));
}

#[test]
fn every_format_of_cost_files_needs_the_same_prices() {
    let kept = priced().json("price-list.json");
    for form in Form::ALL.into_iter().chain([Form::FOCUS[0], Form::FOCUS[4]]) {
        let run = with_list_and_form(form, "", |list| fs::write(list.join(PLACE), offer()).expect("a file"));
        let done = run.go().succeeded();
        assert_eq!(done.json("price-list.json"), kept, "{form:?}");
        assert_eq!(total(&done, "acme"), "1.7", "{form:?}");
    }
}

#[test]
fn a_run_without_a_list_has_none() {
    let form = WriteOptions::new(Form::Cur2Csv, PERIOD);
    let done = Run::new(PERIOD, BOOK, |cost| drop(write_month(cost, &lines(), &form))).go().succeeded();
    assert!(!done.out.join("price-list.json").exists() && !done.stderr.contains("price list"));
    assert_eq!(done.json("reconciliation.json")["price_list"], Value::Null);
    assert_eq!(total(&done, "acme"), "1.3", "the lines alone show a first tier of 10");
    let diff = proforma(&["diff", done.folder(), priced().folder()]);
    assert!(diff.stderr.contains("the price lists differ"), "{}", diff.stderr);
    assert!(diff.stdout.contains("1.7"), "{}", diff.stdout);
}

#[test]
fn other_commands_use_what_was_kept() {
    let run = with_list("", |list| fs::write(list.join(PLACE), offer()).expect("a file"));
    let done = run.go().succeeded();
    fs::remove_dir_all(run.folder.path().join("list")).expect("it goes");
    let book = run.folder.path().join("book.toml").display().to_string();
    let preview = proforma(&["preview", "--run", done.folder(), "--book", &book, "--output", "csv"]);
    assert!(preview.stdout.contains("group,acme,,1.7,1.7,0,0,USD,"), "{}", preview.stdout);
    let asked = ["explain", "--run", done.folder(), "--group", "acme", "--product", "AmazonS3"];
    assert!(proforma(&asked).succeeded().stdout.contains("1.7"));
    let report =
        proforma(&["report", "--run", done.folder(), "--by", "group", "--output", "csv"]).succeeded();
    assert!(report.stdout.contains("1.7"), "{}", report.stdout);
    let same = proforma(&["diff", done.folder(), done.folder()]).succeeded();
    assert!(
        same.stdout.contains("no amount differs") && !same.stderr.contains("price list"),
        "{}",
        same.stderr
    );
    // The run may be replaced like any other.
    let out = done.out.display().to_string();
    let cost = run.folder.path().join("cost").display().to_string();
    let again = ["run", "--cost", &cost, "--book", &book, "--period", PERIOD, "--out", &out, "--force"];
    assert_eq!(proforma(&again).status, 0);
    assert!(!done.out.join("price-list.json").exists());
}

#[test]
fn a_damaged_or_foreign_list_in_a_run_is_refused() {
    let sound = priced();
    let done = priced();
    let file = done.out.join("price-list.json");
    let text = fs::read_to_string(&file).expect("JSON");
    let path = done.folder();
    let book = done.out.join("book.toml").display().to_string();
    let check = |words: &[&str]| {
        for arguments in [
            &["preview", "--run", path, "--book", &book][..],
            &["explain", "--run", path, "--group", "acme", "--product", "AmazonS3"],
            &["report", "--run", path, "--by", "service"],
            &["diff", path, sound.folder()],
        ] {
            proforma(arguments).says_no(words).says_no(&["price-list.json", "hint: "]);
        }
    };
    fs::write(&file, text.replace("\"0.02\"", "\"0.01\"")).expect("a file");
    check(&["is damaged, or of another run"]);
    fs::write(&file, &text[..text.len() / 2]).expect("a file");
    check(&["is damaged: EOF"]);
    fs::remove_file(&file).expect("it goes");
    check(&["cannot be read"]);
}

#[test]
fn lists_that_cannot_be_read_are_refused() {
    let refused = |given: &str, name: &str, content: &[u8], words: &[&str]| {
        with_list(given, |list| fs::write(list.join(name), content).expect("a file")).go().refused(words);
    };
    refused("absent", "x", b"", &["list/absent: cannot be read: it is not there", "hint: "]);
    refused("", "notes.json", b"{\"a\": 1}", &["list/: holds no offer file", "hint: "]);
    refused("notes.json", "notes.json", b"{\"a\": 1}", &["notes.json: is no offer file"]);
    let text = offer();
    refused(
        "",
        PLACE,
        &text.as_bytes()[..600],
        &["us-east-1/index.json: is damaged: EOF", "fetch the file again"],
    );
    let negative = text.replace("0.0200000000", "-0.02");
    refused("", PLACE, negative.as_bytes(), &["index.json:STORED: the ranges", "tier 2 has a negative rate"]);
    let gap = text.replace("\"50\"", "\"51\"").replacen("\"51\"", "\"50\"", 1);
    refused("", PLACE, gap.as_bytes(), &["STORED", "tiers must touch"]);
    let exact = text.replace("0.0300000000", "0.03000000001");
    let words = ["index.json:STORED.JRTCKXETXF.FIRST: `0.03000000001`", "prices are not rounded"];
    refused("", PLACE, exact.as_bytes(), &words);
}

#[test]
fn a_packed_file_may_not_grow_beyond_measure() {
    let bomb = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![b' '; 1 << 20];
        std::io::Write::write_all(&mut gzip, b"{").expect("memory");
        for _ in 0..120 {
            std::io::Write::write_all(&mut gzip, &zeros).expect("memory");
        }
        gzip.finish().expect("memory")
    };
    let place = PLACE.replace(".json", ".json.gz");
    let run = with_list("", |list| fs::write(list.join(place), bomb).expect("a file"));
    run.go().refused(&["index.json.gz: is damaged: decompresses to more than"]);
}

const LATER_PLACE: &str = "offers/v1.0/aws/AmazonS3/20261010000000/us-east-1/index.json";

/// The list after its price has gone up within the month: what was the first rate is now the second.
fn later_offer() -> String {
    let raised = offer().replace("0.0300000000", "0.0600000000").replace("0.0200000000", "0.0300000000");
    raised.replace("20260901000000", "20261010000000").replace("2026-09-01T", "2026-10-10T")
}

#[test]
fn a_line_has_the_version_whose_dearest_tier_is_its_public_rate() {
    let done = with_list("", |list| {
        fs::write(list.join(PLACE), offer()).expect("a file");
        fs::create_dir_all(list.join(LATER_PLACE).parent().expect("a parent")).expect("a folder");
        fs::write(list.join(LATER_PLACE), later_offer()).expect("a file");
    });
    let done = done.go().succeeded();
    assert_eq!((total(&done, "acme").as_str(), total(&done, "beta").as_str()), ("1.7", "0.33"));
}

#[test]
fn a_list_that_fits_no_line_is_said_and_not_used() {
    let done = with_list("", |list| fs::write(list.join(PLACE), later_offer()).expect("a file"));
    let done = done.go().succeeded();
    // As the lines show: 10 at the first rate, the rest at the second.
    assert_eq!((total(&done, "acme").as_str(), total(&done, "beta").as_str()), ("1.3", "0.33"));
    assert!(
        done.stderr.contains("the price list has SKU `STORED` at another public rate"),
        "{}",
        done.stderr
    );
}
