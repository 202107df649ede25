//! What a custom line item charges, as the client says it.
//!
//! Source: AWS Billing Conductor API reference, `CustomLineItemChargeDetails` and `LineItemFilter`.

use super::numbers::{flat_charge_value, percentage_value};
use crate::configuration::{ChargeSettings, Refusal, ValidationReason};
use crate::custom_line_item::Filter;
use crate::money::Percentage;

/// A `LineItemFilter`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterText {
    /// `Attribute`: `LINE_ITEM_TYPE` or `SERVICE`.
    pub attribute: String,
    /// `MatchOption`: `EQUAL` or `NOT_EQUAL`.
    pub match_option: String,
    /// `Values`, of `LINE_ITEM_TYPE`.
    pub values: Vec<String>,
    /// `AttributeValues`, of `SERVICE`.
    pub attribute_values: Vec<String>,
}

/// A `CustomLineItemPercentageChargeDetails`.
#[derive(Debug, Clone, Default)]
pub struct NewPercentage {
    /// The digits of the percentage.
    pub value: String,
    /// The ARNs or ids of what it is a percentage of; `None` is the billing group, an empty list nothing.
    pub of: Option<Vec<String>>,
}

/// What a charge is before it is known what a percentage is taken of.
pub(super) fn new_charge(
    flat: Option<&str>,
    percentage: Option<&NewPercentage>,
    filters: &[FilterText],
) -> Result<ChargeSettings, Refusal> {
    let reason = ValidationReason::IllegalChargeDetails;
    match (flat, percentage) {
        (Some(_), None) if !filters.is_empty() => Err(filter_on_flat()),
        (Some(flat), None) => Ok(ChargeSettings::Flat(flat_charge_value(flat, reason)?)),
        (None, Some(percentage)) => Ok(ChargeSettings::Percentage {
            percentage: percentage_value(&percentage.value, reason)?,
            of: std::collections::BTreeSet::new(),
            filter: read_filter(filters)?,
        }),
        _ => Err(Refusal::invalid(reason, "`ChargeDetails` has either `Flat` or `Percentage`")),
    }
}

/// What an update changes of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChargeChange {
    Amount(ChargeSettings),
    Percentage(Percentage),
    Filter(Option<Filter>),
}

/// What an update says of a charge: the same kind, with another amount or filter.
pub(super) fn charge_changes(
    before: &ChargeSettings,
    flat: Option<&str>,
    percentage: Option<&str>,
    filters: Option<&[FilterText]>,
) -> Result<Vec<ChargeChange>, Refusal> {
    let reason = ValidationReason::IllegalUpdateChargeDetails;
    match (before, flat, percentage) {
        (ChargeSettings::Flat(_), _, Some(_)) => {
            Err(Refusal::invalid(reason, "the item has a flat charge and keeps that; give `Flat`"))
        }
        (ChargeSettings::Percentage { .. }, Some(_), _) => {
            Err(Refusal::invalid(reason, "the item has a percentage and keeps that; give `Percentage`"))
        }
        (ChargeSettings::Flat(_), ..) if filters.is_some_and(|filters| !filters.is_empty()) => {
            Err(filter_on_flat())
        }
        (ChargeSettings::Flat(_), flat, _) => {
            let value = flat.map(|flat| flat_charge_value(flat, reason)).transpose()?;
            Ok(value.map(|value| ChargeChange::Amount(ChargeSettings::Flat(value))).into_iter().collect())
        }
        (ChargeSettings::Percentage { .. }, _, percentage) => {
            let value = percentage.map(|digits| percentage_value(digits, reason)).transpose()?;
            let filter = filters.map(read_filter).transpose()?;
            let value = value.map(ChargeChange::Percentage);
            Ok(value.into_iter().chain(filter.map(ChargeChange::Filter)).collect())
        }
    }
}

impl ChargeChange {
    /// Whether two charges are alike in what this changes.
    pub(super) fn is_alike(&self, one: &ChargeSettings, other: &ChargeSettings) -> bool {
        use ChargeSettings::Percentage;
        match (self, one, other) {
            (
                Self::Percentage(_),
                Percentage { percentage: one, .. },
                Percentage { percentage: other, .. },
            ) => one == other,
            (Self::Filter(_), Percentage { filter: one, .. }, Percentage { filter: other, .. }) => {
                one == other
            }
            _ => one == other,
        }
    }

    /// Makes the change.
    pub(super) fn apply(&self, charge: &mut ChargeSettings) {
        match (self, charge) {
            (Self::Percentage(value), ChargeSettings::Percentage { percentage, .. }) => *percentage = *value,
            (Self::Filter(value), ChargeSettings::Percentage { filter, .. }) => *filter = value.clone(),
            (Self::Amount(value), charge) => *charge = value.clone(),
            // An item never turns from one kind into the other.
            (Self::Percentage(_) | Self::Filter(_), ChargeSettings::Flat(_)) => {}
        }
    }
}

fn filter_on_flat() -> Refusal {
    let message = "`LineItemFilters` narrow what a percentage is taken of; a flat charge has none";
    Refusal::invalid(ValidationReason::IllegalLineItemFilter, message)
}

fn read_filter(filters: &[FilterText]) -> Result<Option<Filter>, Refusal> {
    let refused = |message| Err(Refusal::invalid(ValidationReason::IllegalLineItemFilter, message));
    let filter = match filters {
        [] => return Ok(None),
        [filter] => filter,
        _ => return refused("an item has at most one line item filter"),
    };
    let FilterText { attribute, match_option, values, attribute_values } = filter;
    match (attribute.as_str(), match_option.as_str(), values.as_slice(), attribute_values.as_slice()) {
        ("LINE_ITEM_TYPE", "NOT_EQUAL", [value], []) if value == "SAVINGS_PLAN_NEGATION" => {
            Ok(Some(Filter::WithoutSavingsPlanNegation))
        }
        ("SERVICE", "EQUAL", [], [service]) if !service.is_empty() => {
            Ok(Some(Filter::OnlyService(service.clone())))
        }
        ("SERVICE", "NOT_EQUAL", [], [service]) if !service.is_empty() => {
            Ok(Some(Filter::WithoutService(service.clone())))
        }
        _ => refused(
            "a filter is LINE_ITEM_TYPE NOT_EQUAL with `Values` [\"SAVINGS_PLAN_NEGATION\"], or SERVICE EQUAL or NOT_EQUAL \
             with one service code in `AttributeValues`",
        ),
    }
}
