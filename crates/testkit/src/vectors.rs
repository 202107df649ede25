//! The worked examples of `fixtures/pricing.json`, their short lines turned into full ones.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::amount::{Amount, ONE, amount};
use crate::book::SampleBook;
use crate::calendar::hour_of;
use crate::line::{BASE_TIER, Line, ON_DEMAND_TERM};

/// One worked example.
#[derive(Clone, Debug)]
pub struct Vector {
    /// A short name: `D-1a`.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The month.
    pub period: String,
    /// The cost lines.
    pub lines: Vec<Line>,
    /// The book as the file has it.
    pub book_json: Value,
    /// The expected numbers as the file has them.
    pub expect: Value,
    /// AWS's prices as the file has them; null where the example needs none.
    pub price_list: Value,
}

impl Vector {
    /// Returns the book.
    pub fn book(&self) -> SampleBook {
        SampleBook::from_json(&self.book_json)
    }
}

impl Vector {
    /// Writes the example's prices as offer files in AWS's layout; tells whether it has any.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn write_price_list(&self, folder: &Path) -> bool {
        let skus = self.price_list.as_array().map_or(&[][..], Vec::as_slice);
        for sku in skus {
            let text = |key: &str| sku[key].as_str().unwrap_or_default();
            let term = format!("{}.{ON_DEMAND_TERM}", text("sku"));
            let tiers = sku["tiers"].as_array().into_iter().flatten().enumerate();
            let ranges: serde_json::Map<String, Value> = tiers
                .map(|(number, tier)| {
                    let code = format!("{term}.TIER{number}");
                    let range = json!({ "rateCode": code, "beginRange": tier["begin"], "endRange": tier["end"],
                        "unit": "GB-Mo", "pricePerUnit": { "USD": tier["rate"] }, "appliesTo": [] });
                    (code, range)
                })
                .collect();
            let of_sku = json!({ term: { "offerTermCode": ON_DEMAND_TERM, "priceDimensions": ranges } });
            let attributes = json!({ "usagetype": text("usage_type"), "operation": text("operation") });
            let offer = json!({ "formatVersion": "v1.0", "offerCode": text("service"), "version": "1",
                "publicationDate": format!("{}-01T00:00:00Z", self.period),
                "products": { text("sku"): { "sku": text("sku"), "attributes": attributes } },
                "terms": { "OnDemand": { text("sku"): of_sku } } });
            let place = folder.join("offers/v1.0/aws").join(text("service")).join("current");
            fs::create_dir_all(&place).expect("a folder");
            fs::write(place.join("index.json"), offer.to_string()).expect("an offer file");
        }
        !skus.is_empty()
    }
}

/// Reads all worked examples.
///
/// # Panics
/// When the file is missing or not what the tests agreed on.
pub fn load() -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pricing.json");
    let text = fs::read_to_string(&path).expect("the fixtures lie beside the crates");
    let examples: Vec<Value> = serde_json::from_str(&text).expect("the fixtures are a JSON list");
    examples.iter().map(vector).collect()
}

/// Returns the example with this id.
///
/// # Panics
/// When there is none.
pub fn vector_with_id(id: &str) -> Vector {
    load().into_iter().find(|vector| vector.id == id).unwrap_or_else(|| panic!("no worked example `{id}`"))
}

fn vector(example: &Value) -> Vector {
    let text = |key: &str| example[key].as_str().unwrap_or_default().to_owned();
    let (period, currency) = (text("period"), example["book"]["currency"].as_str().unwrap_or("USD"));
    let lines = example["lines"].as_array().into_iter().flatten();
    Vector {
        id: text("id"),
        title: text("title"),
        lines: lines.enumerate().map(|(index, line)| full_line(line, index, &period, currency)).collect(),
        period,
        book_json: example["book"].clone(),
        expect: example["expect"].clone(),
        price_list: example["price_list"].clone(),
    }
}

fn full_line(short: &Value, index: usize, period: &str, currency: &str) -> Line {
    let text = |key: &str| short.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key: &str| text(key).map(|digits| amount(&digits));
    let line_item_type = text("line_item_type").unwrap_or_default();
    let mut line = Line::new(&line_item_type, &text("account").unwrap_or_default());
    line = line.in_period(period).in_currency(currency);
    if let Some((start, end)) = interval(short, period) {
        line = line.during(&start, &end);
    }
    line.identity_line_item_id = Some(format!("line-{index}"));
    line.bill_billing_entity = text("billing_entity");
    line.line_item_product_code = text("service");
    line.product_servicecode = text("service");
    line.line_item_usage_type = text("usage_type");
    line.line_item_operation = text("operation");
    line.line_item_usage_amount = number("usage_amount");
    line.line_item_unblended_cost = number("unblended_cost");
    line.line_item_blended_cost = number("unblended_cost");
    line.pricing_public_on_demand_cost = number("public_on_demand_cost");
    line.line_item_unblended_rate = rate(line.line_item_unblended_cost, line.line_item_usage_amount);
    let public_cost = line.pricing_public_on_demand_cost.filter(|cost| *cost != Amount::ZERO);
    line.pricing_public_on_demand_rate = rate(public_cost, line.line_item_usage_amount);
    line.savings_plan_savings_plan_a_r_n = text("savings_plan_arn");
    line.savings_plan_savings_plan_effective_cost = number("savings_plan_effective_cost");
    line.savings_plan_savings_plan_rate = number("savings_plan_rate");
    line.savings_plan_total_commitment_to_date = number("savings_plan_total_commitment");
    line.savings_plan_used_commitment = number("savings_plan_used_commitment");
    let is_metered = matches!(line_item_type.as_str(), "Usage" | "SavingsPlanCoveredUsage");
    if is_metered && line.bill_billing_entity.as_deref() == Some("AWS") {
        line.pricing_term = Some("OnDemand".to_owned());
    }
    match text("sku") {
        Some(sku) => line.of_sku(&sku, BASE_TIER),
        None => line,
    }
}

/// The hour or the day that a short line names; none means the whole month.
fn interval(short: &Value, period: &str) -> Option<(String, String)> {
    let number = |key: &str| short.get(key).and_then(Value::as_i64);
    let day = number("day").map(|day| (day - 1) * 24);
    let (first, last) = match (day, number("hour")) {
        (day, Some(hour)) => (day.unwrap_or(0) + hour, day.unwrap_or(0) + hour + 1),
        (Some(day), None) => (day, day + 24),
        (None, None) => return None,
    };
    Some((hour_of(period, first), hour_of(period, last)))
}

/// The rate with ten decimals, where cost and usage have one.
fn rate(cost: Option<Amount>, usage: Option<Amount>) -> Option<String> {
    let (cost, usage) = (cost?, usage.filter(|usage| *usage != Amount::ZERO)?);
    let is_exact = (cost.0 * ONE) % usage.0 == 0;
    is_exact.then(|| Amount(cost.0 * ONE / usage.0).to_fixed())
}
