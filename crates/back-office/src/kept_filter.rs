//! Filters of questions about costs as they are kept: in the form of AWS's `Expression`, so that what is kept is what clients read again.

use crate::error::{Answer, Error};
use query::dimension::{Dimension, Key};
use query::expression::{Condition, Expression, Matching};
use serde::{Deserialize, Serialize};

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum KeptFilter {
    /// All of these.
    And(Vec<Self>),
    /// One of these.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// Values of a dimension.
    Dimensions(KeptValues),
    /// Values of a tag.
    Tags(KeptValues),
    /// Values of a cost category.
    CostCategories(KeptValues),
}

/// A key and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct KeptValues {
    key: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    match_options: Vec<String>,
}

/// How comparisons are named; that of equal values, which Cost Explorer takes for granted, is not said.
const OPTIONS: [(Matching, &str); 5] = [
    (Matching::Equals, "EQUALS"),
    (Matching::StartsWith, "STARTS_WITH"),
    (Matching::EndsWith, "ENDS_WITH"),
    (Matching::Contains, "CONTAINS"),
    (Matching::Absent, "ABSENT"),
];
const ANY_CASE: &str = "CASE_INSENSITIVE";

impl KeptFilter {
    /// An expression, to be kept.
    #[must_use]
    pub fn of(expression: &Expression) -> Self {
        let parts = |parts: &[Expression]| parts.iter().map(Self::of).collect();
        match expression {
            Expression::And(all) => Self::And(parts(all)),
            Expression::Or(any) => Self::Or(parts(any)),
            Expression::Not(part) => Self::Not(Box::new(Self::of(part))),
            Expression::Is(condition) => match &condition.key {
                Key::Dimension(dimension) => Self::Dimensions(KeptValues::of(dimension.name(), condition)),
                Key::Tag(key) => Self::Tags(KeptValues::of(key, condition)),
                Key::CostCategory(name) => Self::CostCategories(KeptValues::of(name, condition)),
            },
        }
    }

    /// The expression that was kept.
    ///
    /// # Errors
    /// [`Error::Internal`] for what is none: it was checked when it was kept.
    pub fn expression(&self) -> Answer<Expression> {
        let parts = |parts: &[Self]| parts.iter().map(Self::expression).collect::<Answer<Vec<_>>>();
        Ok(match self {
            Self::And(all) => Expression::And(parts(all)?),
            Self::Or(any) => Expression::Or(parts(any)?),
            Self::Not(part) => Expression::Not(Box::new(part.expression()?)),
            Self::Dimensions(of) => {
                let dimension = Dimension::parse(&of.key).ok_or_else(|| Error::internal(of.key.clone()))?;
                of.condition(Key::Dimension(dimension))?
            }
            Self::Tags(of) => of.condition(Key::Tag(of.key.clone()))?,
            Self::CostCategories(of) => of.condition(Key::CostCategory(of.key.clone()))?,
        })
    }
}

impl KeptValues {
    fn of(key: &str, condition: &Condition) -> Self {
        let option = OPTIONS.into_iter().find(|(matching, _)| *matching == condition.matching);
        let option = option.map(|(_, name)| name).filter(|name| *name != "EQUALS");
        let case = (!condition.is_case_sensitive).then_some(ANY_CASE);
        Self {
            key: key.to_owned(),
            values: condition.values.clone(),
            match_options: option.into_iter().chain(case).map(str::to_owned).collect(),
        }
    }

    fn condition(&self, key: Key) -> Answer<Expression> {
        let (mut matching, mut is_case_sensitive) = (Matching::Equals, true);
        for option in &self.match_options {
            match OPTIONS.into_iter().find(|(_, name)| name == option) {
                Some((of, _)) => matching = of,
                None if option == ANY_CASE => is_case_sensitive = false,
                None => return Err(Error::internal(option.clone())),
            }
        }
        Ok(Expression::Is(Condition { key, values: self.values.clone(), matching, is_case_sensitive }))
    }
}

#[cfg(test)]
mod tests {
    //! What is kept is what was meant.

    use super::*;

    #[test]
    fn an_expression_is_read_as_it_was_kept() {
        let is = |key, values: &[&str], matching, is_case_sensitive| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            Expression::Is(Condition { key, values, matching, is_case_sensitive })
        };
        let expression = Expression::And(vec![
            is(Key::Dimension(Dimension::Service), &["Amazon S3"], Matching::Equals, true),
            Expression::Not(Box::new(is(Key::Tag("Team".to_owned()), &[], Matching::Absent, true))),
            Expression::Or(vec![
                is(Key::CostCategory("Env".to_owned()), &["prod"], Matching::StartsWith, false),
                is(Key::Dimension(Dimension::RecordType), &["Tax", "Credit"], Matching::Contains, true),
            ]),
        ]);
        let kept = serde_json::to_string(&KeptFilter::of(&expression)).unwrap();
        let expected = r#"{"And":[{"Dimensions":{"Key":"SERVICE","Values":["Amazon S3"]}},{"Not":{"Tags":{"Key":"Team","MatchOptions":["ABSENT"]}}},"#;
        assert!(kept.starts_with(expected), "{kept}");
        let read: KeptFilter = serde_json::from_str(&kept).unwrap();
        assert_eq!(read.expression().unwrap(), expression);
    }
}
