//! A question, and what is answered.

use crate::dimension::Key;
use crate::expression::Expression;
use crate::facts::Metric;
use billing::money::Cost;
use std::ops::Range;

/// How long the times are that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// Days.
    Daily,
    /// Calendar months, cut by the range that is asked for.
    Monthly,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The days, counted since 1970-01-01, the last one excluded.
    pub days: Range<i32>,
    /// Days or months.
    pub granularity: Granularity,
    /// Which lines; all of them where nothing is said.
    pub filter: Option<Expression>,
    /// What they are told apart by: at most two keys.
    pub group_by: Vec<Key>,
    /// What is summed.
    pub metrics: Vec<Metric>,
}

/// A time, and what was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The days, counted since 1970-01-01, the last one excluded.
    pub days: Range<i32>,
    /// Whether it may still change.
    pub estimated: bool,
    /// A row per group that has anything in that time, in the order of their keys; the one row of all where nothing is told apart.
    pub rows: Vec<Row>,
}

/// A group's sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The values of the keys; of tags and cost categories with their name: `Project$web`.
    pub keys: Vec<String>,
    /// What was asked for, in its order.
    pub values: Vec<Value>,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// How much, exactly.
    pub amount: Cost,
    /// The currency, or the unit of the usage: `N/A` where several were added.
    pub unit: String,
}

/// The unit of what has several, or none.
pub const NO_UNIT: &str = "N/A";
