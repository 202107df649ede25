//! Texts of an exported line that follow from its class and its price.

use super::charge::Treated;
use super::focus_by_class;
use super::plan::{ClassPlan, Plan};
use super::reference::ON_DEMAND;
use super::treatment::ClassText;
use billing::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use billing::class_kind::line_item_type;
use billing::cost_line::LineItemType;
use billing::money::{Factor, Rate, divide_half_away, ten_to};
use billing::rate_card::LinePrice;

/// A class's text; `None` is blank.
pub fn text(
    cube: &Cube,
    class: &ChargeClass,
    (treated, rate): (Treated, Option<&str>),
    plan: &Plan,
    of: ClassText,
) -> Option<String> {
    let value = |column| cube.filled(class, column).map(ToOwned::to_owned);
    let kind = line_item_type(cube, class);
    match of {
        ClassText::LineItemType if kind.is_metered() && !covered(treated) => Some("Usage".to_owned()),
        ClassText::LineItemType => value(KeyColumn::LineItemType),
        ClassText::PricingTerm => match treated {
            Treated::AtCost | Treated::AsInvoiced => value(KeyColumn::PricingTerm),
            Treated::Covered if kind == LineItemType::DiscountedUsage => Some("Reserved".to_owned()),
            Treated::Covered => Some("OnDemand".to_owned()),
            Treated::Spot => Some("Spot".to_owned()),
            Treated::Listed | Treated::CustomTiers | Treated::ZeroRate if kind.is_metered() => {
                Some("OnDemand".to_owned())
            }
            _ => None,
        },
        ClassText::RateCode => match treated {
            Treated::AtCost | Treated::AsInvoiced => value(KeyColumn::RateCode),
            // The offer of a commitment that does not cover the line in the real bill is not known.
            Treated::Covered if kind == LineItemType::DiscountedUsage => None,
            Treated::Listed | Treated::ZeroRate | Treated::Covered if kind.is_metered() => {
                value(KeyColumn::Sku).map(|sku| format!("{sku}.{ON_DEMAND}"))
            }
            _ => None,
        },
        ClassText::Description => {
            let rate = rate.filter(|_| treated != Treated::Covered);
            Some(description(cube, class, kind, rate))
        }
        ClassText::Focus(of) => focus_by_class::text(cube, class, treated, plan, of),
    }
}

/// Whether lines keep their line item type: usage stays under its commitment.
const fn covered(treated: Treated) -> bool {
    matches!(treated, Treated::AsInvoiced | Treated::AtCost | Treated::AtEffectiveCost | Treated::Covered)
}

fn description(cube: &Cube, class: &ChargeClass, kind: LineItemType, rate: Option<&str>) -> String {
    let value = |column| cube.filled(class, column);
    let what = value(KeyColumn::UsageType).unwrap_or_else(|| cube.product(class));
    let what = match kind {
        LineItemType::SavingsPlanNegation => format!("{what}, covered by a Savings Plan"),
        LineItemType::SavingsPlanRecurringFee | LineItemType::SavingsPlanUpfrontFee => {
            "Savings Plan fee".to_owned()
        }
        LineItemType::RiFee => format!("Reservation fee: {what}"),
        LineItemType::Fee => format!("Fee: {}", cube.product(class)),
        // What is passed on, AWS's own words say.
        LineItemType::Credit | LineItemType::Refund | LineItemType::Discount => {
            value(KeyColumn::Description).unwrap_or(what).to_owned()
        }
        _ => what.to_owned(),
    };
    match (rate, value(KeyColumn::PricingUnit), value(KeyColumn::Currency)) {
        (Some(rate), Some(unit), Some(currency)) if kind.is_metered() => {
            format!("{what}, {rate} {currency} per {unit}")
        }
        _ => what,
    }
}

/// How the rate of a line comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateOf {
    /// One rate for the whole class, as text with ten decimals; or none.
    Class(Option<String>),
    /// The line's own unblended rate times a factor.
    Line(Factor),
}

/// The pro forma rate of a class's lines.
pub fn rate(cube: &Cube, class: &ChargeClass, plan: &ClassPlan) -> RateOf {
    let Some((treated, price)) = plan.priced else { return RateOf::Class(None) };
    match (treated, price.line_price()) {
        (Treated::ZeroRate, _) | (Treated::Covered, Some(LinePrice::Scale(_, Factor::ZERO))) => {
            RateOf::Class(Some(rate_text(0)))
        }
        (Treated::AtEffectiveCost, Some(LinePrice::Scale(effective, _))) => {
            RateOf::Class(average(class.sum(effective).units(), class.sum(Measure::Usage).units()))
        }
        (Treated::UnusedPart, _) => RateOf::Class(None),
        // The net rate of a line is in no class; where nothing was taken off, it is the line's own.
        (Treated::AsInvoiced, _) if class.sum(Measure::NetUnblended) == class.sum(Measure::Unblended) => {
            RateOf::Line(Factor::ONE)
        }
        (Treated::AsInvoiced, _) => RateOf::Class(None),
        (_, Some(LinePrice::Scale(Measure::PublicOnDemand, factor))) => {
            let public = cube.filled(class, KeyColumn::PublicRate).and_then(|rate| Rate::parse(rate).ok());
            RateOf::Class(public.map(|rate| scaled(rate.units(), factor)))
        }
        (_, Some(LinePrice::Scale(_, factor))) => RateOf::Line(factor),
        (_, Some(LinePrice::Share(amount, usage))) if usage.units() != 0 => {
            // The amount has ten decimals more than the usage, as the rate has.
            let sign = usage.units().signum();
            RateOf::Class(Some(rate_text(divide_half_away(amount.units() * sign, usage.units() * sign).0)))
        }
        _ => RateOf::Class(None),
    }
}

/// What a unit costs on average, both in units of 10⁻¹⁰.
fn average(cost: i128, usage: i128) -> Option<String> {
    let dividend = cost.checked_mul(ten_to(10) * usage.signum())?;
    (usage != 0).then(|| rate_text(divide_half_away(dividend, usage.abs()).0))
}

/// A rate times a factor, half away from zero at ten decimals, as text. For reading: no amount is made from it.
pub fn scaled(rate_units: i128, factor: Factor) -> String {
    let product = rate_units.saturating_mul(factor.units());
    rate_text(divide_half_away(product, ten_to(6)).0)
}

/// A rate with ten decimals, as AWS writes rates.
fn rate_text(units: i128) -> String {
    let (whole, fraction) = (units.unsigned_abs() / 10_000_000_000, units.unsigned_abs() % 10_000_000_000);
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{whole}.{fraction:010}")
}

#[cfg(test)]
mod tests {
    //! Rates as text.

    use super::*;

    #[test]
    fn rates_have_ten_decimals() {
        let scaled = |rate: &str, factor: &str| {
            scaled(Rate::parse(rate).unwrap().units(), Factor::parse(factor).unwrap())
        };
        assert_eq!(scaled("0.0104", "1.05"), "0.0109200000");
        assert_eq!(scaled("0.0000000001", "1.5"), "0.0000000002");
        assert_eq!(scaled("-2", "1"), "-2.0000000000");
    }
}
