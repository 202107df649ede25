//! Split charges: the cost of one value of a cost category, dealt out among others.
//!
//! Source: AWS Cost Management API reference, `CostCategorySplitChargeRule`. What is dealt out is added to the last digit: parts are cut at ten decimals, and the
//! units that are then missing go to the largest remainders ([`crate::tier_pool`]). The cost that is dealt out, and what parts are measured by, is the cost before
//! any split: a source is never a target, so that no split follows from another.

use crate::money::{Cost, DecimalError, Percentage};
use crate::tier_pool::share_quantity;
use std::collections::{BTreeMap, BTreeSet};

/// How many decimals the percentages of a rule have at most, and what they sum to.
const WHOLE: i128 = 100 * 10_000;

/// A split charge rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitCharge {
    /// The value whose cost is dealt out; empty is what has no value.
    pub source: String,
    /// The values that it is dealt out among.
    pub targets: Vec<String>,
    /// By what.
    pub method: SplitMethod,
}

/// By what a cost is dealt out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitMethod {
    /// By percentages, one of each target.
    Fixed(Vec<Percentage>),
    /// By what the targets cost themselves, as far as that is above 0; evenly where none does.
    Proportional,
    /// Evenly.
    Even,
}

/// What a value costs, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocated {
    /// The value; empty is what has none.
    pub value: String,
    /// What its lines cost.
    pub before: Cost,
    /// What was dealt out of it.
    pub split_out: Cost,
    /// What was dealt out to it.
    pub split_in: Cost,
    /// What it comes to.
    pub after: Cost,
}

/// A part of a source that a target has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dealt {
    /// The value whose cost was dealt out.
    pub source: String,
    /// The value that has it now.
    pub target: String,
    /// How much.
    pub amount: Cost,
}

/// Why rules are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitRefusal {
    /// A value has two parts to play.
    #[error(
        "`{0}` is the source of a rule and stands in another place, too; the source of a rule may be neither source nor target of any other, nor its own target"
    )]
    SourceTwice(String),
    /// A target is named twice.
    #[error("`{target}` is a target of the rule of `{source_value}` twice; name it once")]
    TargetTwice {
        /// The value whose cost is dealt out.
        source_value: String,
        /// The target.
        target: String,
    },
    /// There are not as many percentages as targets.
    #[error(
        "the rule of `{source_value}` has {percentages} percentages for {targets} targets; give each target one"
    )]
    Count {
        /// The value whose cost is dealt out.
        source_value: String,
        /// How many percentages.
        percentages: usize,
        /// How many targets.
        targets: usize,
    },
    /// A percentage is below 0, or they do not sum to 100.
    #[error("the percentages of the rule of `{0}` are not above 0 each, and 100 together; correct them")]
    Percentages(String),
}

/// Whether rules may stand beside each other.
///
/// # Errors
/// [`SplitRefusal`].
pub fn check(rules: &[SplitCharge]) -> Result<(), SplitRefusal> {
    let mut sources = BTreeSet::new();
    for rule in rules {
        if !sources.insert(&rule.source) {
            return Err(SplitRefusal::SourceTwice(rule.source.clone()));
        }
    }
    for SplitCharge { source, targets, method } in rules {
        let mut known = BTreeSet::new();
        for target in targets {
            if sources.contains(target) {
                return Err(SplitRefusal::SourceTwice(target.clone()));
            }
            if !known.insert(target) {
                let (source_value, target) = (source.clone(), target.clone());
                return Err(SplitRefusal::TargetTwice { source_value, target });
            }
        }
        let SplitMethod::Fixed(percentages) = method else { continue };
        if percentages.len() != targets.len() {
            let (percentages, targets) = (percentages.len(), targets.len());
            return Err(SplitRefusal::Count { source_value: source.clone(), percentages, targets });
        }
        let sum = percentages.iter().try_fold(0_i128, |sum, of| sum.checked_add(of.units()));
        if sum != Some(WHOLE) || percentages.iter().any(|of| of.units() <= 0) {
            return Err(SplitRefusal::Percentages(source.clone()));
        }
    }
    Ok(())
}

/// Deals the costs of values out by rules that were checked: every value with what it comes to, in the order of texts, and every part. The sum of what values come
/// to is the sum of what they cost.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn allocate(
    costs: &BTreeMap<String, Cost>,
    rules: &[SplitCharge],
) -> Result<(Vec<Allocated>, Vec<Dealt>), DecimalError> {
    let cost = |value: &String| costs.get(value).copied().unwrap_or_default();
    let mut dealt = Vec::new();
    for SplitCharge { source, targets, method } in rules {
        let whole = cost(source);
        let own: Vec<Cost> = targets.iter().map(cost).collect();
        let parts = match method {
            SplitMethod::Fixed(percentages) => share_quantity(whole, percentages)?,
            SplitMethod::Proportional if own.iter().any(|of| *of > Cost::ZERO) => {
                share_quantity(whole, &own)?
            }
            SplitMethod::Proportional | SplitMethod::Even => {
                share_quantity(whole, &vec![Cost::ONE; targets.len()])?
            }
        };
        let parts = targets.iter().zip(parts);
        dealt.extend(parts.map(|(target, amount)| Dealt {
            source: source.clone(),
            target: target.clone(),
            amount,
        }));
    }
    let values: BTreeSet<&String> =
        costs.keys().chain(dealt.iter().flat_map(|of| [&of.source, &of.target])).collect();
    let allocated = values.into_iter().map(|value| {
        let sum = |of: &dyn Fn(&Dealt) -> &String| {
            let own = dealt.iter().filter(|dealt| of(dealt) == value);
            own.map(|dealt| dealt.amount).try_fold(Cost::ZERO, Cost::plus)
        };
        let (before, split_out, split_in) = (cost(value), sum(&|of| &of.source)?, sum(&|of| &of.target)?);
        let after = before.minus(split_out)?.plus(split_in)?;
        Ok(Allocated { value: value.clone(), before, split_out, split_in, after })
    });
    Ok((allocated.collect::<Result<_, DecimalError>>()?, dealt))
}

#[cfg(test)]
mod tests {
    //! What comes to whom, and that nothing is lost.

    use super::*;

    fn cost(text: &str) -> Cost {
        Cost::parse(text).unwrap()
    }

    fn sum(of: impl IntoIterator<Item = Cost>) -> Cost {
        of.into_iter().try_fold(Cost::ZERO, Cost::plus).unwrap()
    }

    fn rule(source: &str, targets: &[&str], method: SplitMethod) -> SplitCharge {
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        SplitCharge { source: source.to_owned(), targets, method }
    }

    fn percentages(of: &[&str]) -> SplitMethod {
        SplitMethod::Fixed(of.iter().map(|text| Percentage::parse(text).unwrap()).collect())
    }

    #[track_caller]
    fn check_dealt(costs: &[(&str, &str)], rules: &[SplitCharge], expected: &[(&str, &str)]) {
        let costs: BTreeMap<String, Cost> =
            costs.iter().map(|(value, text)| ((*value).to_owned(), cost(text))).collect();
        check(rules).unwrap();
        let (allocated, dealt) = allocate(&costs, rules).unwrap();
        let after: Vec<(&str, String)> =
            allocated.iter().map(|of| (of.value.as_str(), of.after.to_string())).collect();
        let after: Vec<(&str, &str)> = after.iter().map(|(value, text)| (*value, text.as_str())).collect();
        assert_eq!(after, expected);
        assert_eq!(sum(allocated.iter().map(|of| of.after)), sum(costs.values().copied()));
        assert_eq!(sum(dealt.iter().map(|of| of.amount)), sum(allocated.iter().map(|of| of.split_in)));
    }

    #[test]
    fn a_source_is_dealt_out_to_the_last_digit() {
        let costs = &[("a", "10"), ("b", "30"), ("shared", "0.0000000001")];
        check_dealt(
            costs,
            &[rule("shared", &["a", "b"], SplitMethod::Even)],
            &[("a", "10.0000000001"), ("b", "30"), ("shared", "0")],
        );
        let costs = &[("", "1"), ("a", "10"), ("b", "30"), ("shared", "100")];
        check_dealt(
            costs,
            &[
                rule("shared", &["a", "b"], SplitMethod::Proportional),
                rule("", &["a", "b", "c"], SplitMethod::Even),
            ],
            &[
                ("", "0"),
                ("a", "35.3333333334"),
                ("b", "105.3333333333"),
                ("c", "0.3333333333"),
                ("shared", "0"),
            ],
        );
        let fixed = percentages(&["33.3333", "66.6667"]);
        check_dealt(
            &[("shared", "-3")],
            &[rule("shared", &["a", "b"], fixed)],
            &[("a", "-0.999999"), ("b", "-2.000001"), ("shared", "0")],
        );
        // Where no target costs anything above 0, each has the same part.
        check_dealt(
            &[("a", "-5"), ("shared", "3")],
            &[rule("shared", &["a", "b"], SplitMethod::Proportional)],
            &[("a", "-3.5"), ("b", "1.5"), ("shared", "0")],
        );
    }

    #[test]
    fn rules_that_contradict_each_other_are_refused() {
        let even = || SplitMethod::Even;
        for (rules, says) in [
            (vec![rule("a", &["b"], even()), rule("a", &["c"], even())], "`a` is the source"),
            (vec![rule("a", &["b"], even()), rule("b", &["c"], even())], "`b` is the source"),
            (vec![rule("a", &["a"], even())], "`a` is the source"),
            (vec![rule("a", &["b", "b"], even())], "`b` is a target of the rule of `a` twice"),
            (vec![rule("a", &["b"], percentages(&["50", "50"]))], "2 percentages for 1 targets"),
            (vec![rule("a", &["b", "c"], percentages(&["50", "49.9999"]))], "100 together"),
            (vec![rule("a", &["b", "c"], percentages(&["101", "-1"]))], "above 0 each"),
        ] {
            assert!(check(&rules).unwrap_err().to_string().contains(says), "{says}");
        }
        let both = [rule("a", &["c"], even()), rule("b", &["c"], even())];
        assert_eq!(check(&both), Ok(()));
    }
}
