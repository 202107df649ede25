//! What of a configuration is kept under a key.

use super::Kind;
use crate::body::{Body, ClosedThrough, Complete};
use billing::configuration::{Configuration, Resource, Timeline, Touched};
use billing::period::BillingPeriod;
use std::collections::BTreeMap;

/// The rows of one key. A key that the configuration no more has has none.
pub(super) struct Kept {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) settings: Vec<SettingRow>,
    pub(super) resource: Option<ResourceRow>,
}

/// One span, or a setting without periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingRow {
    /// Empty of a setting without periods.
    pub(super) from: String,
    pub(super) to: Option<String>,
    pub(super) recorded_at_s: i64,
    pub(super) body: String,
}

/// What of a resource has no versions.
pub(super) struct ResourceRow {
    pub(super) number: u64,
    pub(super) created_at_s: i64,
    pub(super) modified_at_s: i64,
    pub(super) tags: BTreeMap<String, String>,
}

/// The rows of a key. What has no periods does not say itself when it was said: then `now_s`.
pub(super) fn kept(configuration: &Configuration, touched: &Touched, now_s: i64) -> Kept {
    let once = |kind, id: &str, body: Option<String>| {
        let row = |body| SettingRow { from: String::new(), to: None, recorded_at_s: now_s, body };
        Kept { kind, id: id.to_owned(), settings: body.map(row).into_iter().collect(), resource: None }
    };
    match touched {
        Touched::Group(id) => of_resource(Kind::Group, id.as_str(), configuration.groups.get(id)),
        Touched::Plan(id) => of_resource(Kind::Plan, id.as_str(), configuration.plans.get(id)),
        Touched::Rule(id) => of_resource(Kind::Rule, id.as_str(), configuration.rules.get(id)),
        Touched::Item(id) => of_resource(Kind::Item, id.as_str(), configuration.items.get(id)),
        Touched::Membership(account) => {
            let settings = configuration.memberships.get(account).map(spans).unwrap_or_default();
            Kept { kind: Kind::Membership, id: account.as_str().to_owned(), settings, resource: None }
        }
        Touched::Family(account) => {
            once(Kind::Family, account.as_str(), configuration.family.get(account).map(Body::write))
        }
        Touched::FamilyIsComplete => {
            let is_complete = configuration.family_is_complete;
            once(Kind::FamilyIsComplete, "", Some(Complete { is_complete }.write()))
        }
        Touched::Organization => {
            once(Kind::Organization, "", configuration.organization.as_deref().map(Body::write))
        }
        Touched::Unit(id) => once(Kind::Unit, id.as_str(), configuration.units.get(id).map(Body::write)),
        Touched::GroupRule(id) => {
            let settings = configuration.group_rules.get(id).map(spans).unwrap_or_default();
            Kept { kind: Kind::GroupRule, id: id.as_str().to_owned(), settings, resource: None }
        }
        Touched::Placement(account) => {
            let settings = configuration.placements.get(account).map(spans).unwrap_or_default();
            Kept { kind: Kind::Placement, id: account.as_str().to_owned(), settings, resource: None }
        }
        Touched::Transfer(name) => {
            once(Kind::Transfer, name, configuration.transfers.get(name).map(Body::write))
        }
        Touched::Preference(arn) => {
            once(Kind::Preference, arn, configuration.preferences.get(arn).map(Body::write))
        }
        Touched::Other => Kept {
            kind: Kind::Other,
            id: String::new(),
            settings: spans(&configuration.other),
            resource: None,
        },
        Touched::ClosedThrough => {
            let last = configuration.closed_through.map(|period| ClosedThrough(period).write());
            once(Kind::ClosedThrough, "", last)
        }
    }
}

fn of_resource<S: Body + Clone + PartialEq>(kind: Kind, id: &str, resource: Option<&Resource<S>>) -> Kept {
    Kept {
        kind,
        id: id.to_owned(),
        settings: resource.map(|resource| spans(&resource.versions)).unwrap_or_default(),
        resource: resource.map(|resource| ResourceRow {
            number: resource.number,
            created_at_s: resource.created_at,
            modified_at_s: resource.modified_at,
            tags: resource.tags.clone(),
        }),
    }
}

fn spans<S: Body + Clone + PartialEq>(timeline: &Timeline<S>) -> Vec<SettingRow> {
    let month = |period: BillingPeriod| period.to_string();
    let row = |span: &billing::configuration::Span<S>| SettingRow {
        from: month(span.from),
        to: span.to.map(month),
        recorded_at_s: span.recorded_at,
        body: span.value.write(),
    };
    timeline.spans().iter().map(row).collect()
}
