//! FOCUS columns of an exported line that follow from its class and its price.

use super::plan::Treated;
use super::reference::{region_name, service_category};
use billing::charge_class::{ChargeClass, Cube, KeyColumn};
use billing::commitment;
use billing::cost_line::LineItemType;
use billing::rate_card::line_item_type;

/// A FOCUS column that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FocusText {
    BillingAccountType,
    BillingCurrency,
    ChargeCategory,
    ChargeFrequency,
    CommitmentCategory,
    CommitmentId,
    CommitmentStatus,
    CommitmentType,
    CommitmentUnit,
    ConsumedUnit,
    InvoiceIssuer,
    ListUnitPrice,
    Operation,
    PricingCategory,
    PricingCurrency,
    PricingUnit,
    Provider,
    Publisher,
    RegionId,
    RegionName,
    ServiceCategory,
    ServiceCode,
    ServiceName,
    ServiceSubcategory,
    SkuId,
    SkuMeter,
    SubAccountId,
    SubAccountType,
}

/// What a line is to FOCUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Metered usage that no commitment covers.
    Usage,
    /// Usage that a commitment of the group covers: it is paid by the commitment's fee.
    Covered,
    /// A fee of a commitment.
    CommitmentPurchase,
    /// Any other fee.
    Purchase,
    /// The negation of covered usage: FOCUS has no such row, the covered usage costs nothing instead.
    Negation,
}

/// What the lines of a class are to FOCUS.
pub fn charge(cube: &Cube, class: &ChargeClass, treated: Treated) -> Charge {
    match line_item_type(cube, class) {
        LineItemType::SavingsPlanNegation => Charge::Negation,
        LineItemType::DiscountedUsage | LineItemType::SavingsPlanCoveredUsage
            if treated == Treated::AtCost =>
        {
            Charge::Covered
        }
        kind if kind.is_metered() => Charge::Usage,
        _ if treated == Treated::AtCost => Charge::CommitmentPurchase,
        _ => Charge::Purchase,
    }
}

/// A class's text; `None` is null. `issuer` is who invoices the customer.
pub fn text(
    cube: &Cube,
    class: &ChargeClass,
    treated: Treated,
    issuer: &str,
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
        FocusText::ChargeCategory => "Purchase",
        FocusText::ChargeFrequency => frequency(cube, class, metered),
        FocusText::ConsumedUnit if !metered => return None,
        FocusText::ConsumedUnit | FocusText::PricingUnit => {
            return Some(unit(value(KeyColumn::PricingUnit)?));
        }
        FocusText::InvoiceIssuer => issuer,
        FocusText::ListUnitPrice if !metered => return None,
        FocusText::ListUnitPrice => value(KeyColumn::PublicRate)?,
        FocusText::Operation => value(KeyColumn::Operation)?,
        FocusText::PricingCategory => match (charge, treated) {
            (Charge::Covered, _) => "Committed",
            (_, Treated::Spot) => "Dynamic",
            _ => "Standard",
        },
        FocusText::PricingCurrency => value(KeyColumn::PricingCurrency)?,
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
        FocusText::SkuMeter => value(KeyColumn::UsageType)?,
        FocusText::SubAccountId => value(KeyColumn::UsageAccount)?,
        FocusText::SubAccountType => "AWS account",
        of => return commitment_text(cube, class, charge, of),
    };
    (!text.is_empty()).then(|| text.to_owned())
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
        FocusText::CommitmentUnit => return Some(unit(cube.filled(class, KeyColumn::PricingUnit)?)),
        FocusText::CommitmentStatus if charge == Charge::Covered => "Used",
        _ => return None,
    };
    Some(text.to_owned())
}

/// A unit in FOCUS's spelling: `Hrs` is `Hours`, `GB-Mo` is `GB-Months`.
pub fn unit(of_aws: &str) -> String {
    let part = |part: &str| match part {
        "Hrs" | "hrs" | "Hr" | "hours" | "hour" => "Hours".to_owned(),
        "Mo" | "month" | "Month" => "Months".to_owned(),
        "Request" | "request" | "requests" => "Requests".to_owned(),
        "second" | "seconds" | "Second" | "Lambda-GB-Second" => "Seconds".to_owned(),
        other => other.to_owned(),
    };
    of_aws.split('-').map(part).collect::<Vec<_>>().join("-")
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
        ] {
            assert_eq!(unit(aws), focus);
        }
    }
}
