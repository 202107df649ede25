//! What comes once a month: fees, support, credits, refunds, discounts, tax.

use super::lines::{self, MARKETPLACE_SELLER, day_interval, text, whole_month};
use super::price_list::{CLOUDFRONT, EC2, EC2_TRANSFER, GLUE, LAMBDA, REDSHIFT, S3, Service};
use std::collections::BTreeMap;
use testkit::Line;
use testkit::amount::{Amount, amount, divide_half_away};

const REGISTRAR: Service =
    Service { product_code: "AmazonRegistrar", service_code: "AmazonRegistrar", name: "Amazon Registrar" };
const SUPPORT: Service = Service {
    product_code: "AWSSupportBusiness",
    service_code: "AWSSupportBusiness",
    name: "AWS Support (Business)",
};

/// Line item type, account, service, day (none: the whole month), cost, description.
type Charge = (&'static str, &'static str, &'static Service, Option<i64>, &'static str, &'static str);

#[rustfmt::skip]
const CHARGES: &[Charge] = &[
    ("Fee",                  "meadowlark-prod",  &REGISTRAR,    Some(6),  "15",      "Renewal of meadowlark-bikes.example"),
    ("Fee",                  "oldmill",          &REGISTRAR,    Some(19), "15",      "Renewal of oldmill-bakery.example"),
    ("Fee",                  "larkfield-payer",  &SUPPORT,      None,     "1284.6",  "AWS Support (Business): 10% of monthly AWS usage for the first $0-$10K"),
    ("Fee",                  "pinecone-live",    &SUPPORT,      None,     "512.35",  "AWS Support (Business): 10% of monthly AWS usage for the first $0-$10K"),
    ("Fee",                  "saltbox-lake",     &SUPPORT,      None,     "871.12",  "AWS Support (Business): 10% of monthly AWS usage for the first $0-$10K"),
    ("FlatRateSubscription", "oldmill",          &CLOUDFRONT,   None,     "15",      "CloudFront flat-rate plan: Pro"),
    ("FlatRateSubscription", "quill-web",        &CLOUDFRONT,   None,     "200",     "CloudFront flat-rate plan: Business"),
    ("Credit",               "saltbox-lake",     &REDSHIFT,     Some(30), "-400",    "MPE migration credit 2026, October"),
    ("Credit",               "oldmill",          &EC2,          Some(30), "-25",     "AWS Activate credit"),
    ("Refund",               "pinecone-live",    &EC2_TRANSFER, Some(12), "-62.4",   "Refund for case 174422031: transfer metered twice on 9 October"),
    ("PrivateRateDiscount",  "pinecone-live",    &EC2_TRANSFER, None,     "-310",    "Private rate: data transfer out"),
    ("SppDiscount",          "meadowlark-prod",  &EC2,          None,     "-24.18",  "Solution Provider Program discount"),
    ("SppDiscount",          "pinecone-live",    &EC2,          None,     "-41.77",  "Solution Provider Program discount"),
    ("SppDiscount",          "saltbox-lake",     &S3,           None,     "-57.03",  "Solution Provider Program discount"),
    ("BundledDiscount",      "quill-web",        &CLOUDFRONT,   None,     "-12.5",   "Bundled discount: usage that the flat-rate plan includes"),
    ("RiVolumeDiscount",     "larkfield-payer",  &EC2,          None,     "-16.33",  "Reserved Instance volume discount"),
    ("DistributorDiscount",  "larkfield-payer",  &EC2,          None,     "-48",     "Distributor discount"),
    ("Discount",             "saltbox-models",   &GLUE,         None,     "-3.75",   "AWS Glue promotional discount"),
    ("Discount",             "meadowlark-prod",  &LAMBDA,       None,     "-1.2",    "AWS Lambda promotional discount"),
];

/// What the enterprise discount takes off, in percent of the usage and commitment fees of AWS itself.
const ENTERPRISE_PERCENT: i128 = 6;
/// Sales tax in thousandths, for the accounts whose customers are taxed.
const TAX_THOUSANDTHS: i128 = 70;
const TAXED: [&str; 4] = ["oldmill", "meadowlark-prod", "meadowlark-data", "saltbox-lake"];

/// All charges; the discount and the tax follow from the `usage` and `fees` of the month.
pub fn lines(usage: &[Line], fees: &[Line]) -> Vec<Line> {
    let mut lines: Vec<Line> = CHARGES.iter().enumerate().map(|(number, row)| charge(number, row)).collect();
    lines.push(marketplace_contract());
    let before_tax: Vec<&Line> = usage.iter().chain(fees).chain(&lines).collect();
    let enterprise = enterprise_discounts(&before_tax);
    let taxes = taxes(&before_tax.into_iter().chain(&enterprise).collect::<Vec<_>>());
    lines.extend(enterprise);
    lines.extend(taxes);
    lines
}

fn charge(number: usize, (kind, name, service, day, cost, description): &Charge) -> Line {
    let line = lines::of_service(kind, name, service);
    let line = day.map_or_else(|| whole_month(line.clone()), |day| day_interval(line.clone(), day));
    let mut line = lines::costing(line, amount(cost));
    line.identity_line_item_id = Some(format!("charge{number:04}"));
    line.line_item_line_item_description = text(description);
    line.pricing_public_on_demand_cost = Some(Amount::ZERO);
    let is_bought = matches!(*kind, "Fee" | "FlatRateSubscription");
    line.line_item_usage_amount = Some(if is_bought { Amount::whole(1) } else { Amount::ZERO });
    match *kind {
        "FlatRateSubscription" => {
            line.line_item_usage_type = Some("Global-FlatRatePlan".to_owned());
            line.pricing_unit = text("Month");
        }
        "Refund" => line.bill_bill_type = text("Refund"),
        _ if kind.ends_with("Discount") => line.line_item_blended_cost = None,
        _ => {}
    }
    line
}

/// A yearly contract for software of the Marketplace.
fn marketplace_contract() -> Line {
    let line = lines::of_seller("Fee", "saltbox-models");
    let mut line = lines::purchased(lines::costing(day_interval(line, 14), amount("2400")));
    line.identity_line_item_id = text("contract0001");
    line.line_item_usage_type = text("MP:Contract-12Months");
    line.line_item_usage_amount = Some(Amount::whole(1));
    line.line_item_line_item_description = Some(format!("{MARKETPLACE_SELLER}: Lumen Watch Pro, 12 months"));
    line
}

/// The month's cost of AWS itself by account name, product code, service code and product name.
fn by_product(lines: &[&Line], counts: fn(&Line) -> bool) -> BTreeMap<[String; 4], Amount> {
    let mut sums: BTreeMap<[String; 4], Amount> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.bill_billing_entity.as_deref() == Some("AWS") && counts(line))
    {
        let key = [
            &line.line_item_usage_account_name,
            &line.line_item_product_code,
            &line.product_servicecode,
            &line.product_name,
        ];
        *sums.entry(key.map(|value| value.clone().unwrap_or_default())).or_default() += line.unblended_cost();
    }
    sums
}

/// A line of the whole month that stands under a product.
fn under_product(kind: &str, [name, product, service, product_name]: &[String; 4], cost: Amount) -> Line {
    let none = Service { product_code: "", service_code: "", name: "" };
    let mut line = lines::costing(whole_month(lines::of_service(kind, name, &none)), cost);
    line.identity_line_item_id = Some(format!("{}{name}{product}{service}", kind.to_lowercase()));
    line.line_item_product_code = Some(product.clone());
    line.product_servicecode = Some(service.clone());
    line.product_name = Some(product_name.clone());
    line
}

fn enterprise_discounts(lines: &[&Line]) -> Vec<Line> {
    let counts = |line: &Line| {
        matches!(
            line.line_item_line_item_type.as_deref(),
            Some("Usage" | "SavingsPlanRecurringFee" | "RIFee")
        )
    };
    let discount = |(key, cost): (&[String; 4], &Amount)| {
        let off = Amount(divide_half_away(cost.0 * ENTERPRISE_PERCENT, 100));
        let mut line = under_product("EdpDiscount", key, -off);
        line.line_item_line_item_description = text("Enterprise Program Discount");
        line.line_item_blended_cost = None;
        line.line_item_usage_amount = Some(Amount::ZERO);
        line
    };
    by_product(lines, counts).iter().filter(|(_, cost)| **cost > amount("1")).map(discount).collect()
}

fn taxes(lines: &[&Line]) -> Vec<Line> {
    let tax = |(key, cost): (&[String; 4], &Amount)| {
        // To the cent.
        let cents = divide_half_away(cost.0 * TAX_THOUSANDTHS, 1_000 * 100_000_000);
        let mut line = under_product("Tax", key, Amount(cents * 100_000_000));
        line.product_servicecode = None;
        line.line_item_tax_type = text("USSalesTax");
        line.line_item_usage_amount = Some(Amount::whole(1));
        line.line_item_line_item_description = Some(format!("US Sales Tax for product code {}", key[1]));
        line
    };
    let sums = by_product(lines, |_| true);
    let taxed = sums.iter().filter(|(key, cost)| TAXED.contains(&key[0].as_str()) && **cost > amount("1"));
    taxed.map(tax).collect()
}
