//! The older way of AWS Budgets to say which costs count: `CostFilters` and `CostTypes`, as expressions.

use crate::error::{Answer, Declined};
use query::dimension::{Dimension, Key};
use query::expression::{Expression, Matching};
use query::facts::Metric;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The names of filters, and what they filter by.
const FILTERS: [(&str, Dimension); 14] = [
    ("AZ", Dimension::Az),
    ("BillingEntity", Dimension::BillingEntity),
    ("InstanceType", Dimension::InstanceType),
    ("InstanceTypeFamily", Dimension::InstanceTypeFamily),
    ("InvoicingEntity", Dimension::InvoicingEntity),
    ("LegalEntityName", Dimension::LegalEntityName),
    ("LinkedAccount", Dimension::LinkedAccount),
    ("Operation", Dimension::Operation),
    ("Platform", Dimension::Platform),
    ("PurchaseType", Dimension::PurchaseType),
    ("Region", Dimension::Region),
    ("Service", Dimension::Service),
    ("Tenancy", Dimension::Tenancy),
    ("UsageType", Dimension::UsageType),
];
const TAGS: &str = "TagKeyValue";
const COST_CATEGORIES: &str = "CostCategory";
/// Reserved Instances, as [`Dimension::PurchaseType`] names them.
const RESERVED: &str = "Standard Reserved Instances";

/// Filters as expressions, each of which must hold.
///
/// # Errors
/// [`Declined::Invalid`] for a filter that there is not, or one without values.
pub fn expressions(filters: &BTreeMap<String, Vec<String>>) -> Answer<Vec<Expression>> {
    filters.iter().map(|(name, values)| of_filter(name, values)).collect()
}

fn of_filter(name: &str, values: &[String]) -> Answer<Expression> {
    if values.is_empty() {
        return Err(
            Declined::invalid(format!("CostFilters: `{name}` has no values; give one or more")).into()
        );
    }
    if let Some((_, dimension)) = FILTERS.iter().find(|(of, _)| *of == name) {
        return Ok(Expression::is(Key::Dimension(*dimension), values, Matching::Equals));
    }
    let key: fn(String) -> Key = match name {
        TAGS => Key::Tag,
        COST_CATEGORIES => Key::CostCategory,
        _ => {
            let known = FILTERS.iter().map(|(name, _)| *name).chain([COST_CATEGORIES, TAGS]);
            let known = known.collect::<Vec<_>>().join(", ");
            let message = format!("CostFilters: costs cannot be told apart by `{name}`; filters are {known}");
            return Err(Declined::invalid(message).into());
        }
    };
    // Values of one key are alternatives, as those of a dimension are.
    let mut by_key: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for given in values {
        let Some((of, value)) = given.split_once('$').filter(|(of, _)| !of.is_empty()) else {
            let example = if name == TAGS { "user:Team$web" } else { "Environment$production" };
            let message =
                format!("CostFilters: `{given}` of `{name}` is no key and value; write it as {example}");
            return Err(Declined::invalid(message).into());
        };
        by_key.entry(of).or_default().push(value.to_owned());
    }
    let parts =
        by_key.into_iter().map(|(of, values)| Expression::is(key(of.to_owned()), values, Matching::Equals));
    let mut parts: Vec<_> = parts.collect();
    Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
}

/// `CostTypes`: which kinds of charges count, and at which rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct CostTypes {
    /// Taxes.
    pub include_tax: bool,
    /// Fees of commitments and subscriptions, of whichever of the three kinds below.
    pub include_subscription: bool,
    /// Whether costs are at the family's average rates.
    pub use_blended: bool,
    /// Refunds.
    pub include_refund: bool,
    /// Credits.
    pub include_credit: bool,
    /// Upfront fees of commitments.
    pub include_upfront: bool,
    /// Recurring fees of commitments.
    pub include_recurring: bool,
    /// Fees of other subscriptions.
    pub include_other_subscription: bool,
    /// AWS Support.
    pub include_support: bool,
    /// Discounts.
    pub include_discount: bool,
    /// Whether fees of commitments are spread over what they cover.
    pub use_amortized: bool,
}

impl Default for CostTypes {
    fn default() -> Self {
        Self {
            include_tax: true,
            include_subscription: true,
            use_blended: false,
            include_refund: true,
            include_credit: true,
            include_upfront: true,
            include_recurring: true,
            include_other_subscription: true,
            include_support: true,
            include_discount: true,
            use_amortized: false,
        }
    }
}

impl CostTypes {
    /// What is summed.
    pub(super) const fn metric(self) -> Metric {
        match (self.use_amortized, self.use_blended) {
            (true, _) => Metric::AmortizedCost,
            (false, true) => Metric::BlendedCost,
            (false, false) => Metric::UnblendedCost,
        }
    }

    /// What is left out, as expressions that must hold.
    pub(super) fn expressions(self) -> Vec<Expression> {
        let without = |parts: Vec<Expression>| Expression::Not(Box::new(Expression::And(parts)));
        let is = |dimension: Dimension, values: &[&str], matching| {
            Expression::is(Key::Dimension(dimension), values.iter().copied(), matching)
        };
        let types = |types: &[&str]| is(Dimension::RecordType, types, Matching::Equals);
        let reserved = || is(Dimension::PurchaseType, &[RESERVED], Matching::Equals);
        let support = || {
            let names = ["AWS Support", "AWSSupport", "AWS Premium Support"];
            is(Dimension::Service, &names, Matching::StartsWith)
        };
        let has = |includes: bool| self.include_subscription && includes;
        let mut left_out = Vec::new();
        if !self.include_tax {
            left_out.push(without(vec![types(&["Tax"])]));
        }
        if !self.include_refund {
            left_out.push(without(vec![types(&["Refund"])]));
        }
        if !self.include_credit {
            left_out.push(without(vec![types(&["Credit"])]));
        }
        if !self.include_discount {
            let of_type = is(Dimension::RecordType, &["Discount"], Matching::EndsWith);
            left_out.push(without(vec![of_type]));
        }
        if !has(self.include_recurring) {
            left_out.push(without(vec![types(&["RIFee", "SavingsPlanRecurringFee"])]));
        }
        if !has(self.include_upfront) {
            left_out.push(without(vec![types(&["SavingsPlanUpfrontFee"])]));
            left_out.push(without(vec![types(&["Fee"]), reserved()]));
        }
        if !has(self.include_other_subscription) {
            left_out.push(without(vec![types(&["FlatRateSubscription"])]));
            left_out.push(without(vec![types(&["Fee"]), Expression::Not(Box::new(reserved()))]));
        }
        if !self.include_support {
            left_out.push(without(vec![support()]));
        }
        left_out
    }
}

#[cfg(test)]
mod tests {
    //! What filters are refused.

    use super::*;
    use crate::error::Error;

    fn read(name: &str, values: &[&str]) -> Result<Expression, String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        of_filter(name, &values).map_err(|error| match error {
            Error::Declined(declined) => declined.message(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn filters_have_names_and_values() {
        assert!(matches!(read("Service", &["Amazon S3"]), Ok(Expression::Is(_))));
        assert!(matches!(read("TagKeyValue", &["user:Team$a", "user:Team$b$c"]), Ok(Expression::Is(_))));
        assert!(matches!(read("TagKeyValue", &["Team$a", "Env$b"]), Ok(Expression::Or(_))));
        for (name, values, says) in [
            ("Service", &[][..], "has no values"),
            ("Savings", &["a"], "filters are AZ, "),
            ("TagKeyValue", &["Team"], "write it as user:Team$web"),
            ("CostCategory", &["$a"], "write it as Environment$production"),
        ] {
            assert!(read(name, values).unwrap_err().contains(says), "{name}");
        }
    }

    #[test]
    fn everything_counts_that_is_not_left_out() {
        assert!(CostTypes::default().expressions().is_empty());
        let given: CostTypes =
            serde_json::from_str(r#"{"IncludeTax": false, "IncludeSubscription": false}"#).unwrap();
        assert_eq!(given.expressions().len(), 6);
        assert_eq!(
            CostTypes { use_amortized: true, use_blended: true, ..given }.metric(),
            Metric::AmortizedCost
        );
    }
}
