//! The expression of a rule, as clients write it, and what it means: names of accounts are looked up, so that `query` knows accounts alone.

use billing::account::AccountId;
use billing::configuration::FamilyAccount;
use query::dimension::{Dimension, Key};
use query::expression::{Condition, Expression, Matching};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// How deep expressions may stand in each other.
const DEPTH_MAX: usize = 32;
/// The dimension that is no column of the facts.
const ACCOUNT_NAME: &str = "LINKED_ACCOUNT_NAME";
/// What rules tell lines apart by.
const DIMENSIONS: [Dimension; 7] = [
    Dimension::BillingEntity,
    Dimension::LinkedAccount,
    Dimension::RecordType,
    Dimension::Region,
    Dimension::Service,
    Dimension::ServiceCode,
    Dimension::UsageType,
];

/// Which lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RuleExpression {
    #[serde(skip_serializing_if = "Option::is_none")]
    or: Option<Vec<RuleExpression>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    and: Option<Vec<RuleExpression>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not: Option<Box<RuleExpression>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<RuleValues>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<RuleValues>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_categories: Option<RuleValues>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_attributes: Option<RuleValues>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RuleValues {
    key: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    match_options: Vec<String>,
}

/// The names of a payer's accounts.
pub(crate) struct AccountNames<'a> {
    family: &'a BTreeMap<AccountId, FamilyAccount>,
    all: OnceLock<Arc<BTreeMap<String, String>>>,
    known_by: OnceLock<u64>,
}

impl<'a> AccountNames<'a> {
    pub fn of(family: &'a BTreeMap<AccountId, FamilyAccount>) -> Self {
        Self { family, all: OnceLock::new(), known_by: OnceLock::new() }
    }

    fn each(&self) -> impl Iterator<Item = (&'a AccountId, &'a str)> + use<'a> {
        let named = self.family.iter().filter_map(|(id, of)| Some((id, of.name.as_deref()?)));
        named.filter(|(_, name)| !name.is_empty())
    }

    /// The names by account.
    pub fn all(&self) -> Arc<BTreeMap<String, String>> {
        let all = || Arc::new(self.each().map(|(id, name)| (id.to_string(), name.to_owned())).collect());
        self.all.get_or_init(all).clone()
    }

    /// What they are known by: while it is the same within this process, so are they.
    pub fn known_by(&self) -> u64 {
        *self.known_by.get_or_init(|| {
            let mut hash = DefaultHasher::new();
            self.each().for_each(|of| of.hash(&mut hash));
            hash.finish()
        })
    }
}

/// Whether a name or value has no other characters than AWS takes: letters, digits, spaces, `-` and `_`.
pub(super) fn is_in_alphabet(text: &str) -> bool {
    text.chars().all(|of| of.is_alphanumeric() || of.is_whitespace() && !of.is_control() || "-_".contains(of))
}

impl RuleExpression {
    /// Whether names of accounts are looked at.
    pub(super) fn looks_at_names(&self) -> bool {
        let parts = self.or.iter().chain(&self.and).flatten().chain(self.not.as_deref());
        self.dimensions.as_ref().is_some_and(|of| of.key == ACCOUNT_NAME)
            || parts.into_iter().any(Self::looks_at_names)
    }

    /// What it means where accounts have some names; or what is wrong with it.
    pub(super) fn expression(&self, names: &AccountNames<'_>) -> Result<Expression, String> {
        self.within(names, 0)
    }

    /// What it begins with: one thing, if it is as it should be.
    fn roots(&self) -> Vec<Root<'_>> {
        let values = [
            self.dimensions.as_ref().map(Root::Dimensions),
            self.tags.as_ref().map(Root::Tags),
            self.cost_categories.as_ref().map(Root::CostCategories),
        ];
        let or = self.or.as_deref().map(Root::Or).into_iter();
        let and = self.and.as_deref().map(Root::And);
        or.chain(and).chain(self.not.as_deref().map(Root::Not)).chain(values.into_iter().flatten()).collect()
    }

    fn within(&self, names: &AccountNames<'_>, depth: usize) -> Result<Expression, String> {
        if depth > DEPTH_MAX {
            return Err(format!(
                "expressions stand in each other more than {DEPTH_MAX} deep; write it flatter"
            ));
        }
        if self.product_attributes.is_some() {
            return Err(
                "product attributes are not in charge classes; use SERVICE_CODE or USAGE_TYPE".to_owned()
            );
        }
        let parts = |name: &str, parts: &[Self]| match parts {
            [] => Err(format!("{name} has no expressions; give it two or more")),
            parts => parts.iter().map(|part| part.within(names, depth + 1)).collect::<Result<Vec<_>, _>>(),
        };
        let one = "an expression has one of And, Or, Not, Dimensions, Tags and CostCategories";
        match self.roots().as_slice() {
            [] => Err(format!("an expression is empty; {one}")),
            [Root::Or(of)] => Ok(Expression::Or(parts("Or", of)?)),
            [Root::And(of)] => Ok(Expression::And(parts("And", of)?)),
            [Root::Not(of)] => Ok(Expression::Not(Box::new(of.within(names, depth + 1)?))),
            [Root::Dimensions(of)] => of.of_dimension(names),
            [Root::Tags(of)] => of.is(Key::Tag(of.named("Tags")?)),
            [Root::CostCategories(of)] => of.is(Key::CostCategory(of.named("CostCategories")?)),
            _ => Err(format!("an expression has more than one root; {one}")),
        }
    }
}

/// What an expression begins with.
enum Root<'a> {
    Or(&'a [RuleExpression]),
    And(&'a [RuleExpression]),
    Not(&'a RuleExpression),
    Dimensions(&'a RuleValues),
    Tags(&'a RuleValues),
    CostCategories(&'a RuleValues),
}

impl RuleValues {
    fn named(&self, member: &str) -> Result<String, String> {
        match self.key.is_empty() {
            true => Err(format!("{member} has no Key; name one")),
            false => Ok(self.key.clone()),
        }
    }

    fn of_dimension(&self, names: &AccountNames<'_>) -> Result<Expression, String> {
        if self.key == ACCOUNT_NAME {
            return self.of_names(names);
        }
        let dimension = DIMENSIONS.into_iter().find(|of| of.name() == self.key);
        let dimension = dimension.ok_or_else(|| {
            let known = DIMENSIONS.map(Dimension::name).join(", ");
            format!("rules do not look at the dimension `{}`; they look at {ACCOUNT_NAME}, {known}", self.key)
        })?;
        self.is(Key::Dimension(dimension))
    }

    /// The accounts whose names fit.
    fn of_names(&self, names: &AccountNames<'_>) -> Result<Expression, String> {
        let condition = self.condition(Key::Dimension(Dimension::LinkedAccount))?;
        let is_absent = condition.matching == Matching::Absent;
        let fitting = names.each().filter(|(_, name)| is_absent || condition.takes(Some(name)));
        let accounts = fitting.map(|(id, _)| id.to_string());
        let accounts = Expression::is(Key::Dimension(Dimension::LinkedAccount), accounts, Matching::Equals);
        Ok(if is_absent { Expression::Not(Box::new(accounts)) } else { accounts })
    }

    fn is(&self, key: Key) -> Result<Expression, String> {
        self.condition(key).map(Expression::Is)
    }

    fn condition(&self, key: Key) -> Result<Condition, String> {
        let (mut matching, mut is_case_sensitive) = (None, None);
        for option in &self.match_options {
            let is_first = match option.as_str() {
                "EQUALS" => matching.replace(Matching::Equals).is_none(),
                "STARTS_WITH" => matching.replace(Matching::StartsWith).is_none(),
                "ENDS_WITH" => matching.replace(Matching::EndsWith).is_none(),
                "CONTAINS" => matching.replace(Matching::Contains).is_none(),
                "ABSENT" => matching.replace(Matching::Absent).is_none(),
                "CASE_SENSITIVE" => is_case_sensitive.replace(true).is_none(),
                "CASE_INSENSITIVE" => is_case_sensitive.replace(false).is_none(),
                other => {
                    return Err(format!(
                        "MatchOptions of {} has `{other}`, which rules do not know",
                        self.key
                    ));
                }
            };
            if !is_first {
                return Err(format!(
                    "MatchOptions of {} has two comparisons, or two of case; give one of each",
                    self.key
                ));
            }
        }
        let matching = matching.unwrap_or(Matching::Equals);
        match (matching == Matching::Absent, self.values.is_empty()) {
            (true, false) => {
                Err(format!("{} has Values with MatchOptions ABSENT; leave Values out", self.key))
            }
            (false, true) => Err(format!("{} has no Values; give one or more", self.key)),
            _ => Ok(Condition {
                key,
                values: self.values.clone(),
                matching,
                is_case_sensitive: is_case_sensitive.unwrap_or(true),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    //! What rules mean, and what is refused of them.

    use super::*;

    fn family() -> BTreeMap<AccountId, FamilyAccount> {
        [("111111111111", Some("Web shop")), ("222222222222", Some("web api")), ("333333333333", None)]
            .into_iter()
            .map(|(id, name)| {
                let of = FamilyAccount { name: name.map(str::to_owned), ..FamilyAccount::default() };
                (AccountId::parse(id).unwrap(), of)
            })
            .collect()
    }

    fn read(text: &str) -> Result<Expression, String> {
        let given: RuleExpression = serde_json::from_str(text).unwrap();
        // What is kept is what clients read again.
        assert_eq!(
            serde_json::to_value(&given).unwrap(),
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
        given.expression(&AccountNames::of(&family()))
    }

    fn accounts(of: &[&str]) -> Expression {
        Expression::is(Key::Dimension(Dimension::LinkedAccount), of.iter().copied(), Matching::Equals)
    }

    #[test]
    fn names_become_the_accounts_that_have_them() {
        let named = |more: &str| read(&format!(r#"{{"Dimensions":{{"Key":"LINKED_ACCOUNT_NAME",{more}}}}}"#));
        assert_eq!(named(r#""Values":["web api"]"#), Ok(accounts(&["222222222222"])));
        assert_eq!(
            named(r#""Values":["web"],"MatchOptions":["STARTS_WITH"]"#),
            Ok(accounts(&["222222222222"]))
        );
        let any_case = r#""Values":["web"],"MatchOptions":["STARTS_WITH","CASE_INSENSITIVE"]"#;
        assert_eq!(named(any_case), Ok(accounts(&["111111111111", "222222222222"])));
        let without = accounts(&["111111111111", "222222222222"]);
        assert_eq!(named(r#""MatchOptions":["ABSENT"]"#), Ok(Expression::Not(Box::new(without))));
    }

    #[test]
    fn an_expression_has_one_root_and_knows_what_rules_look_at() {
        let service = r#"{"Dimensions":{"Key":"SERVICE_CODE","Values":["AmazonS3"]}}"#;
        assert!(read(service).is_ok());
        assert!(matches!(
            read(&format!(r#"{{"And":[{service},{{"Not":{service}}}]}}"#)),
            Ok(Expression::And(_))
        ));
        for (text, says) in [
            ("{}", "is empty"),
            (r#"{"Or":[]}"#, "Or has no expressions"),
            (
                r#"{"Tags":{"Key":"a","Values":["b"]},"CostCategories":{"Key":"a","Values":["b"]}}"#,
                "more than one root",
            ),
            (r#"{"Tags":{"Key":"","Values":["b"]}}"#, "Tags has no Key"),
            (r#"{"Dimensions":{"Key":"AZ","Values":["b"]}}"#, "do not look at the dimension `AZ`"),
            (r#"{"Tags":{"Key":"a"}}"#, "has no Values"),
            (r#"{"Tags":{"Key":"a","Values":["b"],"MatchOptions":["ABSENT"]}}"#, "leave Values out"),
            (
                r#"{"Tags":{"Key":"a","Values":["b"],"MatchOptions":["EQUALS","CONTAINS"]}}"#,
                "two comparisons",
            ),
            (
                r#"{"Tags":{"Key":"a","Values":["1"],"MatchOptions":["GREATER_THAN_OR_EQUAL"]}}"#,
                "do not know",
            ),
        ] {
            assert!(read(text).unwrap_err().contains(says), "{text}");
        }
    }
}
