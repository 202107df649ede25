//! Billing views: whose cost a question is about, and who may ask.
//!
//! This is the one place where a caller and the ARN of a view become a [`View`]. A view is one of two kinds, or a custom one: others together, narrowed by an
//! expression and a range of days. Each way from a custom view down to what is charged becomes one [`query::answer::Scope`], and an answer is their sum.
//!
//! Source: AWS Billing Conductor user guide, "Viewing pro forma billing data": the view of a standard group is
//! `arn:aws:billing::PAYER:billingview/billing-group-PRIMARY`, and for an account in a group the default is its pro forma data.

use crate::authorization::{Caller, Scope};
use crate::cost_categories::CategoriesAsked;
use crate::cost_explorer::CostExplorerRefusal;
use crate::custom_views::KnownViews;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::facts::FactsOfRun;
use billing::account::AccountId;
use billing::billing_view::{CustomView, FilterLines, ViewFilter, ViewName};
use billing::configuration::BillingGroupId;
use billing::invoice::Date;
use query::answer::{Costs, Scope as Seen};
use query::dimension::{Dimension, Key};
use query::expression::{Expression, Matching};
use std::collections::BTreeSet;
use std::ops::Range;

/// How many ways down a custom view may have to what is charged: each is summed by itself.
pub(crate) const WAYS_MAX: usize = 500;

/// Whose cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// What AWS charges the payer.
    Primary,
    /// What billing groups are charged: pro forma in every metric, and nothing else.
    BillingGroups {
        /// The groups.
        groups: BTreeSet<BillingGroupId>,
        /// The accounts of them that are seen; `None` is every one.
        accounts: Option<BTreeSet<AccountId>>,
    },
    /// Other views together: the sum of what each of them has, so that what two have counts twice.
    Custom {
        /// What it is made of.
        sources: Vec<Self>,
        /// What lines must have.
        filter: Option<Expression>,
        /// The days, counted since 1970-01-01 and the last one excluded; `None` is all of them.
        days: Option<Range<i32>>,
    },
}

impl View {
    /// Whether it is the payer's own cost, and nothing of what billing groups are charged.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        match self {
            Self::Primary => true,
            Self::BillingGroups { .. } => false,
            Self::Custom { sources, .. } => sources.iter().all(Self::is_primary),
        }
    }

    /// The billing groups that it is made of.
    pub(crate) fn groups(&self) -> BTreeSet<&BillingGroupId> {
        match self {
            Self::Primary => BTreeSet::new(),
            Self::BillingGroups { groups, .. } => groups.iter().collect(),
            Self::Custom { sources, .. } => sources.iter().flat_map(Self::groups).collect(),
        }
    }

    /// Whether the payer's own cost is a part of it.
    pub(crate) fn has_primary(&self) -> bool {
        match self {
            Self::Primary => true,
            Self::BillingGroups { .. } => false,
            Self::Custom { sources, .. } => sources.iter().any(Self::has_primary),
        }
    }

    /// The cost categories that its filters name: what it has follows from their definitions, too.
    pub(crate) fn categories_asked(&self) -> CategoriesAsked {
        CategoriesAsked::none().and(self.filters())
    }

    /// A custom view as the payer sees it, as long as it is healthy; whoever asks has counted its ways.
    pub(crate) fn of_payer(known: &KnownViews, name: &ViewName) -> Option<Self> {
        let view = known.custom(name).filter(|_| known.is_healthy(name))?;
        Self::custom(known, &Scope::Payer, view)
    }

    /// What narrows it, in whichever part of it.
    pub(crate) fn filters(&self) -> Vec<&Expression> {
        match self {
            Self::Primary | Self::BillingGroups { .. } => Vec::new(),
            Self::Custom { sources, filter, .. } => {
                filter.iter().chain(sources.iter().flat_map(Self::filters)).collect()
            }
        }
    }

    /// What a custom view's parts are known by: while it is the same, so are they.
    pub(crate) fn parts_known_by(&self) -> Option<String> {
        matches!(self, Self::Custom { .. }).then(|| crate::audit::digest(&format!("{self:?}")))
    }

    /// What of a run is seen through it: the sum of these.
    #[must_use]
    pub fn seen(&self, run: &FactsOfRun) -> Vec<Seen> {
        let seen = |cost, accounts| vec![Seen { cost, accounts, filter: None, days: None }];
        match self {
            Self::Primary => seen(Costs::Aws, None),
            Self::BillingGroups { groups, accounts } => seen(
                Costs::ProForma(run.numbers(groups)),
                accounts.as_ref().map(|of| of.iter().map(ToString::to_string).collect()),
            ),
            Self::Custom { sources, filter, days } => {
                let narrowed = |of: Seen| Seen {
                    filter: match (of.filter, filter.clone()) {
                        (Some(inner), Some(outer)) => Some(Expression::And(vec![inner, outer])),
                        (inner, outer) => inner.or(outer),
                    },
                    days: match (of.days, days.clone()) {
                        (Some(inner), Some(outer)) => {
                            Some(inner.start.max(outer.start)..inner.end.min(outer.end))
                        }
                        (inner, outer) => inner.or(outer),
                    },
                    ..of
                };
                sources.iter().flat_map(|source| source.seen(run)).map(narrowed).collect()
            }
        }
    }

    /// A custom view of known ones, of which every part is there.
    fn custom(known: &KnownViews, scope: &Scope, view: &CustomView) -> Option<Self> {
        let source = |name: &ViewName| match (name, scope) {
            (ViewName::Primary, Scope::Payer) => Some(Self::Primary),
            (ViewName::Primary, Scope::Groups { .. }) => None,
            (ViewName::Group(group), _) => {
                let accounts = match scope {
                    Scope::Payer => None,
                    Scope::Groups { accounts, .. } => accounts.clone(),
                };
                Some(Self::BillingGroups { groups: BTreeSet::from([group.clone()]), accounts })
            }
            (ViewName::Custom(_), _) => Self::custom(known, scope, known.custom(name)?),
        };
        let sources = view.sources.iter().map(source).collect::<Option<_>>()?;
        let filter = view.filter.as_ref();
        Some(Self::Custom {
            sources,
            filter: filter.and_then(|of| of.lines.as_ref()).map(expression),
            days: filter.and_then(days),
        })
    }
}

/// Which lines a custom view has.
fn expression(lines: &FilterLines) -> Expression {
    let (key, values) = match lines {
        FilterLines::Accounts(values) => (Key::Dimension(Dimension::LinkedAccount), values),
        FilterLines::Tag(key, values) => (Key::Tag(key.clone()), values),
        FilterLines::CostCategory(name, values) => (Key::CostCategory(name.clone()), values),
    };
    Expression::is(key, values, Matching::Equals)
}

/// Which days a custom view has: those that its first and its last instant are on, and what is between.
fn days(filter: &ViewFilter) -> Option<Range<i32>> {
    let day = |instant: i64| Date::of_seconds(instant).days();
    (filter.begin_s.is_some() || filter.end_s.is_some()).then(|| {
        let start = filter.begin_s.map_or(i32::MIN, day);
        start..filter.end_s.map_or(i32::MAX, |last| day(last) + 1)
    })
}

impl BackOffice {
    /// The view that a caller asks for, or its own. A customer has its own groups' views and no other: whatever else it names is denied, whether it
    /// is there or not.
    ///
    /// # Errors
    /// [`Error::Denied`] for a customer, [`CostExplorerRefusal::NotFound`] for a payer that names a view that there is not,
    /// [`CostExplorerRefusal::UnhealthyView`] for one of which a part is gone.
    pub async fn billing_view(&self, caller: &Caller, arn: Option<&str>) -> Answer<View> {
        let Some(arn) = arn else {
            return Ok(match &caller.scope {
                Scope::Payer => View::Primary,
                Scope::Groups { groups, accounts } => {
                    View::BillingGroups { groups: groups.clone(), accounts: accounts.clone() }
                }
            });
        };
        let unknown = || match caller.scope {
            Scope::Payer => Error::from(CostExplorerRefusal::NotFound(format!(
                "`{arn}` is no billing view that costs are told of; leave BillingViewArn out for the payer's own, name a custom one, or a billing group's: {}",
                format_args!(
                    "arn:aws:billing::{}:billingview/billing-group-PRIMARY_ACCOUNT_ID",
                    caller.payer
                )
            ))),
            Scope::Groups { .. } => Error::Denied,
        };
        let group = match ViewName::parse(&caller.payer, arn) {
            Some(ViewName::Primary) if caller.sees_payer() => return Ok(View::Primary),
            Some(ViewName::Group(group)) => group,
            Some(name @ ViewName::Custom(_)) => return self.custom_view(caller, arn, &name, unknown).await,
            Some(ViewName::Primary) | None => return Err(unknown()),
        };
        let accounts = match &caller.scope {
            // A group that was deleted has months that it was charged for.
            Scope::Payer => {
                let current = self.current(&caller.payer).await?;
                current.groups.get(&group).map(|_| None)
            }
            Scope::Groups { groups, accounts } => groups.contains(&group).then(|| accounts.clone()),
        };
        let accounts = accounts.ok_or_else(unknown)?;
        Ok(View::BillingGroups { groups: BTreeSet::from([group]), accounts })
    }

    /// A custom view. A customer sees those alone that are made of nothing but its own; of one of which a part is gone it is not told that it is there.
    async fn custom_view(
        &self,
        caller: &Caller,
        arn: &str,
        name: &ViewName,
        unknown: impl Fn() -> Error,
    ) -> Answer<View> {
        let known = self.known_views(&caller.payer).await?;
        let found = known.custom(name).filter(|_| known.is_seen(&caller.scope, name));
        let found = found.ok_or_else(&unknown)?;
        let unhealthy = || match &caller.scope {
            Scope::Groups { .. } => unknown(),
            Scope::Payer => {
                let message = format!(
                    "billing view `{arn}` is not healthy: a view that it is made of is gone; disassociate that one, and associate another"
                );
                CostExplorerRefusal::UnhealthyView(message).into()
            }
        };
        if !known.is_healthy(name) {
            return Err(unhealthy());
        }
        // A few views may lead to each other in millions of ways: they are counted before any is gone.
        let ways = known.ways(name);
        if ways > WAYS_MAX {
            let message = format!(
                "billing view `{arn}` leads to what is charged by {ways} ways, at most {WAYS_MAX} can be summed; make it of fewer views"
            );
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        View::custom(&known, &caller.scope, found).ok_or_else(unhealthy)
    }
}

#[cfg(test)]
mod tests {
    //! ARNs of views, and days of filters.

    use super::*;

    #[test]
    fn the_days_of_a_filter_are_those_of_its_instants() {
        let of = |begin_s, end_s| days(&ViewFilter { lines: None, begin_s, end_s });
        let day = 86_400;
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(3 * day), None), Some(3..i32::MAX));
        assert_eq!(of(None, Some(3 * day - 1)), Some(i32::MIN..3));
        assert_eq!(of(Some(3 * day + 5), Some(4 * day)), Some(3..5));
    }

    #[test]
    fn a_view_is_of_one_payer() {
        let payer = AccountId::parse("999999999999").unwrap();
        let group = BillingGroupId::parse("111111111111").map(ViewName::Group);
        for (arn, name) in [
            ("arn:aws:billing::999999999999:billingview/primary", Some(ViewName::Primary)),
            ("arn:aws-cn:billing::999999999999:billingview/billing-group-111111111111", group),
            ("arn:aws:billing::888888888888:billingview/primary", None),
            ("arn:aws:billingconductor::999999999999:billinggroup/111111111111", None),
            ("primary", None),
        ] {
            assert_eq!(ViewName::parse(&payer, arn), name, "{arn}");
        }
        let primary = ViewName::Primary;
        assert_eq!(ViewName::parse(&payer, &primary.arn(&payer)), Some(primary));
    }
}
