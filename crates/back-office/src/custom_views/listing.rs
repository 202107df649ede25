//! The views that a caller sees, in one order: the primary one, those of billing groups as they were created, those that somebody has made.

use super::{KnownViews, filter};
use crate::authorization::{Caller, Scope};
use billing::billing_view::{Unhealthy, ViewName};
use billing::configuration::BillingGroupId;
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};

/// What kind of view it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewType {
    /// All that AWS charges the payer.
    Primary,
    /// The pro forma of a billing group.
    BillingGroup,
    /// The pro forma of the organization whose bill is transferred.
    Showback,
    /// Made of others.
    Custom,
}

impl ViewType {
    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::BillingGroup => "BILLING_GROUP",
            Self::Showback => "BILLING_TRANSFER_SHOWBACK",
            Self::Custom => "CUSTOM",
        }
    }
}

/// A view as a caller sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct BillingView {
    /// What its ARN names.
    pub of: ViewName,
    /// Its place in lists.
    pub position: String,
    /// What it is called.
    pub name: String,
    /// What the operator says of it; nothing of that to customers.
    pub description: Option<String>,
    /// What kind it is.
    pub kind: ViewType,
    /// By what it narrows its sources, as the API has it.
    pub filter: Option<serde_json::Value>,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z.
    pub created_at_s: Option<i64>,
    /// When it was last changed.
    pub updated_at_s: Option<i64>,
    /// How many views that the caller sees are made of it.
    pub derived: usize,
    /// Of how many it is made.
    pub sources: usize,
    /// What is wrong with it.
    pub unhealthy: BTreeSet<Unhealthy>,
}

/// What a caller sees of the custom views, worked out for all of them at once.
struct Sight<'a> {
    /// Those of which every part is there, by id.
    whole: BTreeSet<String>,
    /// Those that are seen, by id.
    seen: BTreeSet<String>,
    /// How many of these are made of a view.
    derived: BTreeMap<&'a ViewName, usize>,
}

impl KnownViews {
    /// The views that a caller sees, in order; with a period, of billing groups those that were active in it.
    #[must_use]
    pub fn seen(&self, caller: &Caller, period: Option<BillingPeriod>) -> Vec<BillingView> {
        let is_active = |id: &BillingGroupId| match period {
            None => true,
            Some(period) => {
                self.configuration.group_status(id, period).is_some_and(|status| status != "PENDING")
            }
        };
        let groups = self.configuration.groups.iter().map(|(id, _)| id).filter(|id| is_active(id));
        let names = [ViewName::Primary].into_iter().chain(groups.cloned().map(ViewName::Group));
        let mut custom: Vec<_> = self.rows.values().map(|row| (row.created_at_s, row.id.clone())).collect();
        custom.sort_unstable();
        let names = names.chain(custom.into_iter().map(|(_, id)| ViewName::Custom(id)));
        let sight = self.sight(caller);
        names.filter_map(|name| self.view_in(&sight, caller, name)).collect()
    }

    /// A view as a caller sees it.
    #[must_use]
    pub fn view(&self, caller: &Caller, name: ViewName) -> Option<BillingView> {
        self.view_in(&self.sight(caller), caller, name)
    }

    /// What a caller sees of the custom views.
    fn sight(&self, caller: &Caller) -> Sight<'_> {
        let (whole, seen) = self.views(|views| {
            let order = views.bottom_up();
            (views.whole(), self.seen_among(&caller.scope, &order))
        });
        let mut derived: BTreeMap<&ViewName, usize> = BTreeMap::new();
        for view in self.custom.values() {
            if self.is_seen_where(&caller.scope, &ViewName::Custom(view.id.clone()), &seen) {
                view.sources.iter().for_each(|source| *derived.entry(source).or_default() += 1);
            }
        }
        Sight { whole, seen, derived }
    }

    fn view_in(&self, sight: &Sight<'_>, caller: &Caller, name: ViewName) -> Option<BillingView> {
        if !self.is_seen_where(&caller.scope, &name, &sight.seen) {
            return None;
        }
        let derived = sight.derived.get(&name).copied().unwrap_or_default();
        let unhealthy = self.views(|views| views.unhealthy_among(&name, &sight.whole));
        let view = match &name {
            ViewName::Primary => BillingView {
                position: "0".to_owned(),
                name: "Primary View".to_owned(),
                ..blank(name.clone(), ViewType::Primary)
            },
            ViewName::Group(id) => {
                let group = self.configuration.groups.get(id)?;
                let settings = &group.versions.spans().last()?.value;
                let kind =
                    if settings.transfer.is_some() { ViewType::Showback } else { ViewType::BillingGroup };
                BillingView {
                    position: format!("1:{:020}", group.number),
                    name: settings.name.clone(),
                    created_at_s: Some(group.created_at),
                    updated_at_s: Some(group.modified_at),
                    ..blank(name.clone(), kind)
                }
            }
            ViewName::Custom(id) => {
                let (row, view) = (self.rows.get(id)?, self.custom.get(id)?);
                BillingView {
                    position: format!("2:{:020}:{id}", row.created_at_s),
                    name: view.name.clone(),
                    description: view.description.clone().filter(|_| caller.scope == Scope::Payer),
                    filter: view.filter.as_ref().map(filter::to_json),
                    created_at_s: Some(row.created_at_s),
                    updated_at_s: Some(row.recorded_at_s),
                    sources: view.sources.len(),
                    ..blank(name.clone(), ViewType::Custom)
                }
            }
        };
        Some(BillingView { derived, unhealthy, ..view })
    }
}

fn blank(of: ViewName, kind: ViewType) -> BillingView {
    BillingView {
        of,
        position: String::new(),
        name: String::new(),
        description: None,
        kind,
        filter: None,
        created_at_s: None,
        updated_at_s: None,
        derived: 0,
        sources: 0,
        unhealthy: BTreeSet::new(),
    }
}
