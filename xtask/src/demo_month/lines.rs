//! What all lines of the demo month have in common.

use super::accounts::{PAYER, account};
use super::price_list::Service;
use std::ops::Range;
use testkit::Line;
use testkit::amount::Amount;
use testkit::calendar::hour_of;

/// The month of the demo.
pub const PERIOD: &str = "2026-10";
/// How many days it has.
pub const DAYS: i64 = 31;
/// The seller of the Marketplace product, and the product.
pub const MARKETPLACE_SELLER: &str = "Brightwater Metrics, Inc.";
pub const MARKETPLACE_PRODUCT: &str = "8f3kq0zt5m2wv7x1b9c6d4hjr";
/// The month is final: AWS and the Marketplace have sent their invoices.
const INVOICES: [&str; 2] = ["2201847731", "2201847902"];

pub fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// A line of a service of AWS, for the whole month until something else is said.
pub fn of_service(line_item_type: &str, name: &str, service: &Service) -> Line {
    let (id, environment) = account(name);
    let mut line = Line::new(line_item_type, id).in_period(PERIOD);
    line.bill_invoice_id = text(INVOICES[0]);
    line.bill_payer_account_name = text(PAYER);
    line.line_item_usage_account_name = text(name);
    line.line_item_product_code = text(service.product_code);
    line.product_servicecode = text(service.service_code);
    line.product_name = text(service.name);
    line.product.insert("servicename".to_owned(), service.service_name().to_owned());
    line.resource_tags.insert("user_environment".to_owned(), environment.to_owned());
    line
}

/// A line of the Marketplace: another seller, another invoice, no service code.
pub fn of_seller(line_item_type: &str, name: &str) -> Line {
    let product = Service { product_code: MARKETPLACE_PRODUCT, service_code: "", name: "Lumen Watch" };
    let mut line = of_service(line_item_type, name, &product).of_billing_entity("AWS Marketplace");
    line.product_servicecode = None;
    line.bill_invoice_id = text(INVOICES[1]);
    line.line_item_legal_entity = text(MARKETPLACE_SELLER);
    line
}

/// The hours of a day, both counted from 0 in the month.
pub const fn hours_of(day: i64) -> Range<i64> {
    day * 24..(day + 1) * 24
}

/// Moves a line to some hours of the month.
pub fn interval(line: Line, hours: &Range<i64>) -> Line {
    line.during(&hour_of(PERIOD, hours.start), &hour_of(PERIOD, hours.end))
}

/// Moves a line to one day, counted from 0.
pub fn day_interval(line: Line, day: i64) -> Line {
    interval(line, &hours_of(day))
}

/// Moves a line to the whole month.
pub fn whole_month(line: Line) -> Line {
    line.in_period(PERIOD)
}

/// Makes a line one that was bought once and not used.
pub fn purchased(mut line: Line) -> Line {
    line.bill_bill_type = text("Purchase");
    line
}

/// Sets unblended and blended cost.
pub fn costing(mut line: Line, cost: Amount) -> Line {
    line.line_item_unblended_cost = Some(cost);
    line.line_item_blended_cost = Some(cost);
    line
}
