//! A cost category as it is kept: in the form of AWS's API, so that what is kept is what clients read again; and what its rules mean.

use super::rule::{AccountNames, Compares, RuleExpression, is_in_alphabet};
use billing::money::Percentage;
use billing::split_charge::{self, SplitCharge, SplitMethod};
use query::cost_category::{CostCategory, Rule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many values the rules of a cost category compare with at most.
const VALUES_MAX: usize = 10_000;
/// How many of them are searched for within others, or are names of accounts: these are compared one by one.
const SEARCHED_MAX: usize = 2_000;

/// What a cost category says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeptCategory {
    /// The rules, in their order.
    pub rules: Vec<KeptRule>,
    /// The value of what no rule fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// Which costs are dealt out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub split_charge_rules: Vec<KeptSplit>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeptRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<RuleExpression>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inherited_value: Option<InheritedValue>,
    #[serde(default = "regular")]
    r#type: String,
}

const REGULAR: &str = "REGULAR";
const INHERITED: &str = "INHERITED_VALUE";

fn regular() -> String {
    REGULAR.to_owned()
}

/// Of what lines have their value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InheritedValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dimension_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dimension_key: Option<String>,
}

/// A split charge rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeptSplit {
    source: String,
    targets: Vec<String>,
    method: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<KeptParameter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeptParameter {
    r#type: String,
    values: Vec<String>,
}

impl KeptCategory {
    /// The values that rules name, each once, in their order.
    #[must_use]
    pub fn values(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let values = self.rules.iter().filter_map(|rule| rule.value.as_deref());
        values.filter(|value| seen.insert(*value)).collect()
    }

    /// The names of the cost categories that rules look at.
    pub(super) fn looks_at(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let expressions = self.rules.iter().filter_map(|rule| rule.rule.as_ref());
        expressions.for_each(|expression| {
            expression.each_values(&mut |of| {
                if let Compares::CostCategory(name) = of.compares {
                    names.insert(name.to_owned());
                }
            });
        });
        names
    }

    /// Whether names of accounts decide.
    pub(super) fn looks_at_names(&self) -> bool {
        self.rules.iter().any(|rule| {
            rule.inherits_names() || rule.rule.as_ref().is_some_and(RuleExpression::looks_at_names)
        })
    }

    /// What the rules mean where accounts have some names; or what is wrong with them.
    pub(super) fn category(&self, name: &str, names: &AccountNames<'_>) -> Result<CostCategory, String> {
        let rule = |(number, rule): (usize, &KeptRule)| {
            rule.rule(names).map_err(|message| format!("Rules[{number}]: {message}"))
        };
        let rules = self.rules.iter().enumerate().map(rule).collect::<Result<_, _>>()?;
        Ok(CostCategory { name: name.to_owned(), rules, default_value: self.default_value.clone() })
    }

    /// Whether rules compare with no more than a month can be asked of.
    fn check_size(&self) -> Result<(), String> {
        let (mut values, mut searched) = (0, 0);
        for expression in self.rules.iter().filter_map(|rule| rule.rule.as_ref()) {
            expression.each_values(&mut |of| {
                values += of.count.max(1);
                searched += if of.is_searched { of.count.max(1) } else { 0 };
            });
        }
        if values > VALUES_MAX {
            return Err(format!(
                "Rules: they have {values} Values in all, at most {VALUES_MAX} are allowed; make two cost categories, the second one looking at the first"
            ));
        }
        if searched > SEARCHED_MAX {
            return Err(format!(
                "Rules: {searched} Values are compared by STARTS_WITH, ENDS_WITH or CONTAINS, or with names of accounts, at most {SEARCHED_MAX} are allowed; compare by EQUALS where the whole value is known"
            ));
        }
        let by_name = self.rules.iter().filter(|rule| rule.inherits_names()).count();
        if by_name > 1 {
            return Err(format!(
                "Rules: {by_name} rules inherit LINKED_ACCOUNT_NAME, and the first one decides for all accounts that have a name; leave the others out"
            ));
        }
        Ok(())
    }

    /// Whether everything but the rules' expressions is as it should be.
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_size()?;
        let named = self.rules.iter().enumerate().filter_map(|(number, rule)| {
            rule.value.as_deref().map(|value| (format!("Rules[{number}].Value"), value))
        });
        let default = self.default_value.as_deref().map(|value| ("DefaultValue".to_owned(), value));
        for (member, value) in named.chain(default) {
            if !is_in_alphabet(value) {
                return Err(format!(
                    "{member}: `{value}` has a character that no value may have; use letters, digits, spaces, `-` and `_`"
                ));
            }
        }
        let splits = self.splits()?;
        split_charge::check(&splits).map_err(|error| format!("SplitChargeRules: {error}"))?;
        if self.rules.iter().any(|rule| rule.r#type == INHERITED) {
            // Which values there are, only the costs say.
            return Ok(());
        }
        let known: BTreeSet<&str> =
            self.values().into_iter().chain(self.default_value.as_deref()).chain([""]).collect();
        let used = splits.iter().flat_map(|split| split.targets.iter().chain([&split.source]));
        match used.into_iter().find(|value| !known.contains(value.as_str())) {
            Some(value) => Err(format!(
                "SplitChargeRules: no rule gives the value `{value}`; name a value of the cost category, or an empty one as the source of what has none"
            )),
            None => Ok(()),
        }
    }

    /// Which costs are dealt out.
    pub(super) fn splits(&self) -> Result<Vec<SplitCharge>, String> {
        let split = |(number, split): (usize, &KeptSplit)| {
            split.split().map_err(|message| format!("SplitChargeRules[{number}]: {message}"))
        };
        self.split_charge_rules.iter().enumerate().map(split).collect()
    }
}

impl KeptRule {
    /// Whether values are names of accounts.
    fn inherits_names(&self) -> bool {
        self.inherited_value.as_ref().is_some_and(|of| of.dimension_name.as_deref() != Some("TAG"))
    }

    fn rule(&self, names: &AccountNames<'_>) -> Result<Rule, String> {
        let Self { value, rule, inherited_value, r#type } = self;
        match (r#type.as_str(), value, rule, inherited_value) {
            (REGULAR, Some(value), Some(rule), None) => {
                Ok(Rule::Value(value.clone(), rule.expression(names)?))
            }
            (REGULAR, ..) => {
                Err(format!("a rule of type {REGULAR} has Value and Rule, and no InheritedValue"))
            }
            (INHERITED, None, None, Some(inherited)) => inherited.rule(names),
            (INHERITED, ..) => {
                Err(format!("a rule of type {INHERITED} has InheritedValue, and neither Value nor Rule"))
            }
            (other, ..) => Err(format!("Type: `{other}` is none; a rule is {REGULAR} or {INHERITED}")),
        }
    }
}

impl InheritedValue {
    fn rule(&self, names: &AccountNames<'_>) -> Result<Rule, String> {
        let key = self.dimension_key.as_deref().filter(|key| !key.is_empty());
        match (self.dimension_name.as_deref().unwrap_or_default(), key) {
            ("LINKED_ACCOUNT_NAME", None) => Ok(Rule::AccountNames(names.all())),
            ("LINKED_ACCOUNT_NAME", Some(key)) => {
                Err(format!("InheritedValue: an account has one name; leave DimensionKey `{key}` out"))
            }
            ("TAG", Some(key)) => Ok(Rule::Tag(key.to_owned())),
            ("TAG", None) => Err("InheritedValue: TAG needs the tag's key; give DimensionKey".to_owned()),
            (other, _) => Err(format!(
                "InheritedValue: values are not inherited of `{other}`; give LINKED_ACCOUNT_NAME or TAG as DimensionName"
            )),
        }
    }
}

impl KeptSplit {
    fn split(&self) -> Result<SplitCharge, String> {
        let Self { source, targets, method, parameters } = self;
        let method = match (method.as_str(), parameters.as_slice()) {
            ("FIXED", [KeptParameter { r#type, values }]) if r#type == "ALLOCATION_PERCENTAGES" => {
                let percentage = |text: &String| {
                    let why = |error| format!("`{text}` is no percentage: {error}; write it as 33.3333");
                    Percentage::parse(text).map_err(why)
                };
                SplitMethod::Fixed(values.iter().map(percentage).collect::<Result<_, _>>()?)
            }
            ("FIXED", _) => {
                return Err(
                    "the method FIXED has one parameter, ALLOCATION_PERCENTAGES, with a value of each target"
                        .to_owned(),
                );
            }
            ("PROPORTIONAL", []) => SplitMethod::Proportional,
            ("EVEN", []) => SplitMethod::Even,
            ("PROPORTIONAL" | "EVEN", _) => {
                return Err(format!("the method {method} has no parameters; leave Parameters out"));
            }
            (other, _) => {
                return Err(format!("Method: `{other}` is none; give FIXED, PROPORTIONAL or EVEN"));
            }
        };
        if targets.iter().any(String::is_empty) {
            return Err("a target is empty; costs are dealt out to values".to_owned());
        }
        Ok(SplitCharge { source: source.clone(), targets: targets.clone(), method })
    }
}
