//! FOCUS columns of an exported line that follow from its class and its price.

use super::charge::{Charge, Treated, charge};
use super::plan::Plan;
use super::reference::{HOURS, ON_DEMAND, region_name, service_category};
use super::treatment::FocusText;
use billing::charge_class::{ChargeClass, Cube, KeyColumn};
use billing::class_kind::line_item_type;
use billing::commitment;
use billing::cost_line::LineItemType;

/// A class's text; `None` is null.
pub fn text(
    cube: &Cube,
    class: &ChargeClass,
    treated: Treated,
    plan: &Plan,
    of: FocusText,
) -> Option<String> {
    let value = |column| cube.filled(class, column);
    let charge = charge(cube, class, treated);
    let metered = matches!(charge, Charge::Usage | Charge::Covered);
    let marketplace = value(KeyColumn::BillingEntity) == Some("AWS Marketplace");
    let text = match of {
        FocusText::BillingAccountType => "Billing group",
        FocusText::BillingCurrency => value(KeyColumn::Currency)?,
        FocusText::ChargeCategory if metered => "Usage",
        FocusText::ChargeCategory => category(cube, class),
        FocusText::ChargeFrequency => frequency(cube, class, metered),
        FocusText::ConsumedUnit if !metered => return None,
        FocusText::PricingUnit | FocusText::PricingCategory if charge == Charge::Unpriced => return None,
        FocusText::ConsumedUnit | FocusText::PricingUnit => {
            return Some(unit(value(KeyColumn::PricingUnit).unwrap_or(COUNTED)));
        }
        FocusText::InvoiceIssuer => &plan.issuer,
        FocusText::Operation => value(KeyColumn::Operation)?,
        FocusText::PricingCategory => match (charge, treated) {
            (Charge::Covered, _) => "Committed",
            (_, Treated::Spot) => "Dynamic",
            _ => "Standard",
        },
        FocusText::PricingCurrency => value(KeyColumn::PricingCurrency).or(value(KeyColumn::Currency))?,
        FocusText::Provider => "AWS",
        FocusText::Publisher if marketplace => value(KeyColumn::LegalEntity).unwrap_or("AWS Marketplace"),
        FocusText::Publisher => "AWS",
        FocusText::RegionId => value(KeyColumn::Region)?,
        FocusText::RegionName => return Some(region_name(value(KeyColumn::Region)?).to_owned()),
        FocusText::ServiceCode => cube.product(class),
        FocusText::ServiceCategory => service_category(cube.product(class)).0,
        FocusText::ServiceSubcategory => service_category(cube.product(class)).1,
        FocusText::ServiceName => {
            let product = cube.product(class);
            cube.product_names.get(product).map_or(product, String::as_str)
        }
        FocusText::SkuId => value(KeyColumn::Sku)?,
        FocusText::SkuMeter => value(KeyColumn::Sku).and(value(KeyColumn::UsageType))?,
        FocusText::SkuPriceId => return sku_price(cube, class, treated, metered),
        FocusText::SubAccountId => value(KeyColumn::UsageAccount)?,
        FocusText::SubAccountName => plan.account_names.get(value(KeyColumn::UsageAccount)?)?,
        FocusText::ReservationStatus if value(KeyColumn::UsageType)?.contains("Unused") => "Unused",
        FocusText::ReservationStatus => "Used",
        FocusText::SubAccountType => "AWS account",
        of => return commitment_text(cube, class, charge, of),
    };
    (!text.is_empty()).then(|| text.to_owned())
}

/// What a charge that is no usage is; all but purchases are on bills that are passed through.
fn category(cube: &Cube, class: &ChargeClass) -> &'static str {
    match line_item_type(cube, class) {
        LineItemType::Tax => "Tax",
        LineItemType::Credit => "Credit",
        LineItemType::Refund | LineItemType::Discount => "Adjustment",
        _ => "Purchase",
    }
}

/// What a line is priced by: the commitment's own price, or that at which AWS lists the SKU.
fn sku_price(cube: &Cube, class: &ChargeClass, treated: Treated, metered: bool) -> Option<String> {
    let sku = cube.filled(class, KeyColumn::Sku)?;
    let of_commitment = cube.filled(class, KeyColumn::RateCode).filter(|_| treated == Treated::AtCost);
    Some(match of_commitment {
        Some(rate_code) => rate_code.to_owned(),
        None if metered => format!("{sku}.{ON_DEMAND}"),
        None => sku.to_owned(),
    })
}

fn frequency(cube: &Cube, class: &ChargeClass, metered: bool) -> &'static str {
    match line_item_type(cube, class) {
        _ if metered => "Usage-Based",
        LineItemType::RiFee | LineItemType::SavingsPlanRecurringFee | LineItemType::FlatRateSubscription => {
            "Recurring"
        }
        _ => "One-Time",
    }
}

/// The columns of a commitment, on its purchase and on the usage it covers.
fn commitment_text(cube: &Cube, class: &ChargeClass, charge: Charge, of: FocusText) -> Option<String> {
    if !matches!(charge, Charge::Covered | Charge::CommitmentPurchase) {
        return None;
    }
    let arn = commitment::arn(cube, class)?;
    let plan = cube.filled(class, KeyColumn::SavingsPlanArn).is_some();
    let text = match of {
        FocusText::CommitmentId => arn,
        FocusText::CommitmentCategory if plan => "Spend",
        FocusText::CommitmentCategory => "Usage",
        FocusText::CommitmentType if plan => "Savings Plan",
        FocusText::CommitmentType => "Reserved Instance",
        FocusText::CommitmentUnit if plan => cube.filled(class, KeyColumn::Currency)?,
        FocusText::CommitmentUnit => HOURS,
        FocusText::CommitmentStatus if charge == Charge::Covered => "Used",
        _ => return None,
    };
    Some(text.to_owned())
}

/// What is counted, where AWS names no unit.
const COUNTED: &str = "Units";

/// A unit in FOCUS's spelling: `Hrs` is `Hours`, `GB-Mo` is `GB-Months`, `1K tokens` is `1000 Tokens`.
pub fn unit(of_aws: &str) -> String {
    let of_aws = of_aws.strip_prefix("Lambda-").unwrap_or(of_aws).trim();
    if let Some((count, counted)) = of_aws.split_once(' ')
        && let Some(count) = whole_number(count)
    {
        let mut letters = counted.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        return format!("{count} {}", unit(&format!("{first}{}", letters.as_str())));
    }
    let part = |part: &str| match part {
        "Hrs" | "hrs" | "Hr" | "hours" | "hour" | "Hour" => HOURS.to_owned(),
        "Mo" | "mo" | "month" | "Month" | "months" => "Months".to_owned(),
        "Day" | "day" | "days" => "Days".to_owned(),
        "Minute" | "minute" | "minutes" => "Minutes".to_owned(),
        "second" | "seconds" | "Second" => "Seconds".to_owned(),
        "Request" | "request" | "requests" => "Requests".to_owned(),
        other => other.to_owned(),
    };
    of_aws.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// A count as AWS abbreviates it: `1K` is 1000, `1M` a million.
fn whole_number(text: &str) -> Option<u64> {
    let (digits, factor) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1_000),
        None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1_000_000)),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    //! Units as FOCUS spells them.

    use super::unit;

    #[test]
    fn units_are_spelt_out() {
        for (aws, focus) in [
            ("Hrs", "Hours"),
            ("GB-Mo", "GB-Months"),
            ("LCU-Hrs", "LCU-Hours"),
            ("Requests", "Requests"),
            ("GB", "GB"),
            ("DPU-Hour", "DPU-Hours"),
            ("Lambda-GB-Second", "GB-Seconds"),
            ("1K tokens", "1000 Tokens"),
            ("1M requests", "1000000 Requests"),
            ("10K Requests", "10000 Requests"),
            ("vCPU-Hours", "vCPU-Hours"),
        ] {
            assert_eq!(unit(aws), focus);
        }
    }
}
