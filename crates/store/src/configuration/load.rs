//! From rows to a configuration.

use super::Kind;
use crate::body::{Body, ClosedThrough, Complete};
use crate::database::Store;
use crate::error::StoreError;
use crate::payer::{Head, head_of};
use crate::sql;
use billing::account::AccountId;
use billing::configuration::{
    BillingGroupId, Configuration, CustomLineItemId, FamilyAccount, GroupSettings, ItemSettings,
    OtherSettings, Placement, PlanSettings, Preference, PricingPlanId, PricingRuleId, Resource, RuleSettings,
    Span, Table, Timeline, TransferSettings,
};
use billing::group_rule::GroupRule;
use billing::organization::{Organization, OrganizationalUnit, UnitId};
use billing::period::BillingPeriod;
use futures_util::TryStreamExt;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use std::sync::Arc;

const SETTINGS: &str = "settings";
const RESOURCES: &str = "resources";

/// A configuration, and where the payer's rows stood when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub configuration: Configuration,
    /// Where the rows stood.
    pub head: Head,
}

impl Store {
    /// What a payer has configured; `None` where there is no such payer.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a row is not what the program has written.
    pub async fn load(&self, payer: &AccountId) -> Result<Option<Loaded>, StoreError> {
        let mut transaction = self.begin_read().await?;
        let sql = "SELECT revision, next_number, audit_sequence, audit_hash FROM payers WHERE payer = $1";
        let found = sqlx::query(sql).bind(payer.as_str()).fetch_optional(&mut *transaction).await?;
        let Some(row) = found else { return Ok(None) };
        let head = head_of(&row)?;
        let next_number = sql::count(&row, "payers", "next_number")?;

        let mut found = Found::default();
        let sql = "SELECT kind, id, from_period, to_period, recorded_at_s, body FROM settings \
             WHERE payer = $1 AND superseded_revision IS NULL";
        let mut rows = sqlx::query(sql).bind(payer.as_str()).fetch(&mut *transaction);
        while let Some(row) = rows.try_next().await? {
            found.take_setting(&row)?;
        }
        drop(rows);

        let mut configuration = Configuration::new(payer.clone());
        configuration.next_number = next_number;
        let sql =
            "SELECT kind, id, number, created_at_s, modified_at_s, tags FROM resources WHERE payer = $1";
        let mut rows = sqlx::query(sql).bind(payer.as_str()).fetch(&mut *transaction);
        while let Some(row) = rows.try_next().await? {
            found.take_resource(&row, &mut configuration)?;
        }
        drop(rows);
        transaction.commit().await?;
        found.finish(&mut configuration)?;
        Ok(Some(Loaded { configuration, head }))
    }
}

/// Spans by the id of what has them, in no order.
type Spans<S> = BTreeMap<String, Vec<Span<S>>>;

/// What the rows of `settings` say.
#[derive(Default)]
struct Found {
    groups: Spans<GroupSettings>,
    plans: Spans<PlanSettings>,
    rules: Spans<RuleSettings>,
    items: Spans<ItemSettings>,
    memberships: Spans<BillingGroupId>,
    other: Spans<OtherSettings>,
    family: BTreeMap<AccountId, FamilyAccount>,
    family_is_complete: bool,
    organization: Option<Organization>,
    units: BTreeMap<UnitId, OrganizationalUnit>,
    group_rules: Spans<GroupRule>,
    placements: Spans<Placement>,
    transfers: BTreeMap<String, TransferSettings>,
    preferences: BTreeMap<String, Preference>,
    closed_through: Option<BillingPeriod>,
}

impl Found {
    fn take_setting(&mut self, row: &AnyRow) -> Result<(), StoreError> {
        let (kind, id): (String, String) = (sql::column(row, 0)?, sql::column(row, 1)?);
        let damaged = |problem: String| StoreError::damaged(SETTINGS, format!("{kind} `{id}`: {problem}"));
        let body: &str = sql::column(row, 5)?;
        match Kind::of(&kind) {
            Some(Kind::Group) => add(&mut self.groups, &kind, id, row),
            Some(Kind::Plan) => add(&mut self.plans, &kind, id, row),
            Some(Kind::Rule) => add(&mut self.rules, &kind, id, row),
            Some(Kind::Item) => add(&mut self.items, &kind, id, row),
            Some(Kind::Membership) => add(&mut self.memberships, &kind, id, row),
            Some(Kind::Other) => add(&mut self.other, &kind, id, row),
            Some(Kind::Family) => {
                let account = AccountId::parse(&id).ok_or_else(|| damaged("is no account".to_owned()))?;
                self.family.insert(account, Body::read(body).map_err(damaged)?);
                Ok(())
            }
            Some(Kind::FamilyIsComplete) => {
                self.family_is_complete = Complete::read(body).map_err(damaged)?.is_complete;
                Ok(())
            }
            Some(Kind::Organization) => {
                self.organization = Some(Body::read(body).map_err(damaged)?);
                Ok(())
            }
            Some(Kind::Unit) => {
                let unit = UnitId::parse(&id).ok_or_else(|| damaged("is no unit".to_owned()))?;
                self.units.insert(unit, Body::read(body).map_err(damaged)?);
                Ok(())
            }
            Some(Kind::GroupRule) => add(&mut self.group_rules, &kind, id, row),
            Some(Kind::Placement) => add(&mut self.placements, &kind, id, row),
            Some(Kind::Transfer) => {
                let transfer = Body::read(body).map_err(damaged)?;
                self.transfers.insert(id, transfer);
                Ok(())
            }
            Some(Kind::Preference) => {
                let preference = Body::read(body).map_err(damaged)?;
                self.preferences.insert(id, preference);
                Ok(())
            }
            Some(Kind::ClosedThrough) => {
                self.closed_through = Some(ClosedThrough::read(body).map_err(damaged)?.0);
                Ok(())
            }
            None => Err(damaged("this program knows no such kind of settings".to_owned())),
        }
    }

    fn take_resource(&mut self, row: &AnyRow, to: &mut Configuration) -> Result<(), StoreError> {
        let (kind, id): (String, String) = (sql::column(row, 0)?, sql::column(row, 1)?);
        match Kind::of(&kind) {
            Some(Kind::Group) => {
                put(&mut to.groups, BillingGroupId::parse(&id), &mut self.groups, row, &kind, &id)
            }
            Some(Kind::Plan) => {
                put(&mut to.plans, PricingPlanId::parse(&id), &mut self.plans, row, &kind, &id)
            }
            Some(Kind::Rule) => {
                put(&mut to.rules, PricingRuleId::parse(&id), &mut self.rules, row, &kind, &id)
            }
            Some(Kind::Item) => {
                put(&mut to.items, CustomLineItemId::parse(&id), &mut self.items, row, &kind, &id)
            }
            _ => Err(StoreError::damaged(RESOURCES, format!("{kind} `{id}` is no kind of resources"))),
        }
    }

    fn finish(self, to: &mut Configuration) -> Result<(), StoreError> {
        let left = (self.groups.keys().chain(self.plans.keys()))
            .chain(self.rules.keys())
            .chain(self.items.keys())
            .next();
        if let Some(id) = left {
            return Err(StoreError::damaged(SETTINGS, format!("`{id}` is in no row of `{RESOURCES}`")));
        }
        to.memberships = Arc::new(timelines(Kind::Membership, self.memberships, AccountId::parse)?);
        to.placements = Arc::new(timelines(Kind::Placement, self.placements, AccountId::parse)?);
        to.group_rules = Arc::new(timelines(Kind::GroupRule, self.group_rules, BillingGroupId::parse)?);
        for (id, spans) in self.other {
            to.other = timeline(Kind::Other.name(), &id, spans)?;
        }
        to.organization = self.organization.map(Arc::new);
        to.units = Arc::new(self.units);
        to.family = Arc::new(self.family);
        to.family_is_complete = self.family_is_complete;
        to.transfers = Arc::new(self.transfers);
        to.preferences = Arc::new(self.preferences);
        to.closed_through = self.closed_through;
        Ok(())
    }
}

/// Adds a span, as a row of `settings` has it.
fn add<S: Body>(to: &mut Spans<S>, kind: &str, id: String, row: &AnyRow) -> Result<(), StoreError> {
    let damaged = |problem: String| StoreError::damaged(SETTINGS, format!("{kind} `{id}`: {problem}"));
    let period = |text: &str| BillingPeriod::parse(text).map_err(|error| damaged(error.to_string()));
    let span = Span {
        from: period(sql::column(row, 2)?)?,
        to: sql::column::<Option<&str>, _>(row, 3)?.map(period).transpose()?,
        recorded_at: sql::column(row, 4)?,
        value: S::read(sql::column(row, 5)?).map_err(damaged)?,
    };
    to.entry(id).or_default().push(span);
    Ok(())
}

/// Puts a resource in, with the spans that were found of it.
fn put<I: Ord + Clone, S: Clone + PartialEq>(
    table: &mut Table<I, S>,
    parsed: Option<I>,
    found: &mut Spans<S>,
    row: &AnyRow,
    kind: &str,
    id: &str,
) -> Result<(), StoreError> {
    let parsed =
        parsed.ok_or_else(|| StoreError::damaged(RESOURCES, format!("{kind} `{id}` has no such id")))?;
    let tags: &str = sql::column(row, 5)?;
    let resource = Resource {
        number: sql::count(row, RESOURCES, "number")?,
        created_at: sql::column(row, 3)?,
        modified_at: sql::column(row, 4)?,
        versions: timeline(kind, id, found.remove(id).unwrap_or_default())?,
        tags: serde_json::from_str(tags)
            .map_err(|error| StoreError::damaged(RESOURCES, format!("tags of {kind} `{id}`: {error}")))?,
    };
    table.put(parsed, resource);
    Ok(())
}

/// The timelines of a kind, by what has them.
fn timelines<I: Ord, S: Clone + PartialEq>(
    kind: Kind,
    found: Spans<S>,
    parse: impl Fn(&str) -> Option<I>,
) -> Result<BTreeMap<I, Timeline<S>>, StoreError> {
    let of = |(id, spans): (String, Vec<Span<S>>)| {
        let damaged =
            || StoreError::damaged(SETTINGS, format!("{} of `{id}`: it has no such id", kind.name()));
        let parsed = parse(&id).ok_or_else(damaged)?;
        Ok((parsed, timeline(kind.name(), &id, spans)?))
    };
    found.into_iter().map(of).collect()
}

fn timeline<S: Clone + PartialEq>(
    kind: &str,
    id: &str,
    mut spans: Vec<Span<S>>,
) -> Result<Timeline<S>, StoreError> {
    spans.sort_by_key(|span| span.from);
    Timeline::of(spans).ok_or_else(|| {
        StoreError::damaged(SETTINGS, format!("{kind} `{id}`: two rows are in force in one period"))
    })
}
