//! A budget as it is kept, and what it says.

use super::cost_filters::{self, CostTypes};
use crate::error::{Answer, Declined, Error};
use crate::holder::Holder;
use crate::kept_filter::KeptFilter;
use billing::budget::{
    Comparison, LAST_DAY, Limits, Notification, NotificationKind, Span, ThresholdKind, TimeUnit,
};
use billing::money::Cost;
use query::expression::Expression;
use query::facts::Metric;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a budget is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BudgetType {
    /// Money.
    Cost,
    /// Usage, in one unit.
    Usage,
}

impl BudgetType {
    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cost => "COST",
            Self::Usage => "USAGE",
        }
    }
}

/// A budget. Days are counted since 1970-01-01, amounts are exact decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptBudget {
    /// Its name, unique among those of its holder.
    pub name: String,
    /// Whose it is.
    pub holder: Holder,
    /// What it is of.
    pub kind: BudgetType,
    /// After which time it begins anew, by its name.
    pub time_unit: String,
    /// The first day that counts.
    pub start: i32,
    /// The first day that does not count any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i32>,
    /// The amount of every period; `None` where it is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// The amounts of periods, by their first days.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub planned: BTreeMap<i32, String>,
    /// The currency, or the unit of the usage.
    pub unit: String,
    /// Which lines, as `CostFilters`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cost_filters: BTreeMap<String, Vec<String>>,
    /// Which kinds of charges, as `CostTypes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_types: Option<CostTypes>,
    /// Which lines, as `FilterExpression`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<KeptFilter>,
    /// What is summed, as `Metrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The ARN of the billing view; `None` is the holder's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// When somebody is told, and who.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<KeptNotification>,
    /// What the holder says of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z at the desk's clock.
    pub created_at_s: i64,
    /// When it was changed last.
    pub updated_at_s: i64,
}

/// When somebody is told, and who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptNotification {
    kind: String,
    comparison: String,
    threshold: String,
    of: String,
    /// The addresses of mail that are told.
    pub emails: Vec<String>,
}

impl KeptNotification {
    /// A notification, to be kept.
    #[must_use]
    pub fn new(notification: Notification, emails: Vec<String>) -> Self {
        Self {
            kind: notification.kind.name().to_owned(),
            comparison: notification.comparison.name().to_owned(),
            threshold: notification.threshold.to_string(),
            of: notification.of.name().to_owned(),
            emails,
        }
    }

    /// When somebody is told.
    ///
    /// # Errors
    /// [`Error::Internal`] where what is kept is damaged.
    pub fn notification(&self) -> Answer<Notification> {
        let damaged = || Error::internal(format!("a budget's notification: {self:?}"));
        Ok(Notification {
            kind: NotificationKind::parse(&self.kind).ok_or_else(damaged)?,
            comparison: Comparison::parse(&self.comparison).ok_or_else(damaged)?,
            threshold: Cost::parse(&self.threshold).map_err(Error::internal)?,
            of: ThresholdKind::parse(&self.of).ok_or_else(damaged)?,
        })
    }
}

impl KeptBudget {
    /// After which time it begins anew.
    ///
    /// # Errors
    /// [`Error::Internal`] where what is kept is damaged.
    pub fn time_unit(&self) -> Answer<TimeUnit> {
        TimeUnit::parse(&self.time_unit).ok_or_else(|| Error::internal(self.time_unit.clone()))
    }

    /// For which time it is.
    ///
    /// # Errors
    /// [`Declined::Invalid`] where it ends before it begins.
    pub fn span(&self) -> Answer<Span> {
        let span = Span::new(self.time_unit()?, self.start, self.end.unwrap_or(LAST_DAY));
        span.map_err(|error| Declined::invalid(error.to_string()).into())
    }

    /// What is planned.
    ///
    /// # Errors
    /// [`Error::Internal`] where what is kept is damaged.
    pub fn limits(&self) -> Answer<Limits> {
        let cost = |text: &String| Cost::parse(text).map_err(Error::internal);
        if let Some(limit) = &self.limit {
            return Ok(Limits::Fixed(cost(limit)?));
        }
        let planned = self.planned.iter().map(|(day, limit)| Ok((*day, cost(limit)?)));
        Ok(Limits::Planned(planned.collect::<Answer<_>>()?))
    }

    /// What is summed.
    ///
    /// # Errors
    /// [`Error::Internal`] where what is kept is damaged.
    pub fn metric(&self) -> Answer<Metric> {
        if let Some(name) = &self.metric {
            return Metric::parse(name).ok_or_else(|| Error::internal(name.clone()));
        }
        Ok(match self.kind {
            BudgetType::Usage => Metric::UsageQuantity,
            BudgetType::Cost => self.cost_types.unwrap_or_default().metric(),
        })
    }

    /// Which lines it is of; `None` is all of them.
    ///
    /// # Errors
    /// [`Declined::Invalid`] with what the filters name that costs cannot be told apart by.
    pub fn expression(&self) -> Answer<Option<Expression>> {
        let mut parts = cost_filters::expressions(&self.cost_filters)?;
        if self.kind == BudgetType::Cost {
            parts.extend(self.cost_types.unwrap_or_default().expressions());
        }
        if let Some(filter) = &self.filter {
            parts.push(filter.expression()?);
        }
        Ok(match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(Expression::And(parts)),
        })
    }

    /// Its notifications, each with who is told.
    ///
    /// # Errors
    /// [`Error::Internal`] where what is kept is damaged.
    pub fn notifications(&self) -> Answer<Vec<(Notification, &[String])>> {
        self.notifications.iter().map(|of| Ok((of.notification()?, of.emails.as_slice()))).collect()
    }
}
