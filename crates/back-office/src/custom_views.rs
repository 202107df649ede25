//! Billing views: those that follow from the configuration, those that somebody has made of others, and who sees which.
//!
//! What a customer may see of its views is decided here, for every service that takes the ARN of one: a view is seen by whoever sees all that it is made of. See
//! docs/decisions/0019-views-and-exports.md.

mod filter;
mod listing;
mod tags;

use crate::authorization::{Caller, Scope};
use crate::desk::{BackOffice, Current, WriteRequest};
use crate::error::{Answer, Declined, Error};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::billing_view::{CustomView, FilterLines, Refusal, ViewFilter, ViewName, Views};
use billing::configuration::{BillingGroupId, Configuration};
use std::collections::{BTreeMap, BTreeSet};
use store::{BillingViewRow, Write};

pub use listing::{BillingView, ViewType};
pub use tags::new_tags;

/// The kind of a view in errors.
pub const KIND: &str = "billingview";
/// The reason of a conflict that is one of health: the service has an error of its own for it.
pub const UNHEALTHY: &str = "BILLING_VIEW_UNHEALTHY";
/// How a view that is not there is called in sentences.
const IN_WORDS: &str = "billing view";

/// A custom view that somebody makes.
#[derive(Debug, Clone)]
pub struct NewView {
    /// Its name.
    pub name: String,
    /// What the operator says of it.
    pub description: Option<String>,
    /// The ARNs of the views that it is made of.
    pub sources: Vec<String>,
    /// By what it narrows them.
    pub filter: Option<ViewFilter>,
    /// Its first tags.
    pub tags: Vec<(String, String)>,
}

/// What of a view is to be otherwise.
#[derive(Debug, Clone, Default)]
pub struct ViewChange {
    /// Another name.
    pub name: Option<String>,
    /// Another description; an empty one is none.
    pub description: Option<String>,
    /// Another filter, or none.
    pub filter: Option<Option<ViewFilter>>,
}

/// The views of a payer, as they are at a moment.
pub struct KnownViews {
    configuration: Current,
    rows: BTreeMap<String, BillingViewRow>,
    custom: BTreeMap<String, CustomView>,
}

impl BackOffice {
    /// The views of a payer.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn known_views(&self, payer: &AccountId) -> Answer<KnownViews> {
        let configuration = self.current(payer).await?;
        let rows = self.0.store.billing_views(payer).await.map_err(Error::internal)?;
        let rows = living(rows);
        let custom = custom_of(payer, &rows)?;
        Ok(KnownViews { configuration, rows, custom })
    }

    /// The ARNs of the custom views that a caller sees which filter by a cost category, by its name, in the order of texts.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn views_by_cost_category(
        &self,
        caller: &Caller,
    ) -> Answer<BTreeMap<String, BTreeSet<String>>> {
        let known = self.known_views(&caller.payer).await?;
        let seen = known.views(|views| known.seen_among(&caller.scope, &views.bottom_up()));
        let mut arns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for view in known.custom.values() {
            let name = ViewName::Custom(view.id.clone());
            if let Some(FilterLines::CostCategory(category, _)) =
                view.filter.as_ref().and_then(|filter| filter.lines.as_ref())
                && known.is_seen_where(&caller.scope, &name, &seen)
            {
                arns.entry(category.clone()).or_default().insert(name.arn(&caller.payer));
            }
        }
        Ok(arns)
    }

    /// Makes a custom view: its ARN and when it was made.
    ///
    /// # Errors
    /// [`Declined`] where it may not be so.
    pub async fn create_view(&self, request: &WriteRequest<'_>, new: &NewView) -> Answer<(String, i64)> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        self.once(request, |mut write, state| async move {
            let tags = new_tags(BTreeMap::new(), &new.tags)?;
            let sources = named(payer, &new.sources)?;
            let rows = write.billing_views().await?;
            // An id is never given out twice: whoever knows the ARN of a view that is gone is not to find another one.
            let id = loop {
                let id = new_resource_id().map_err(Error::internal)?;
                if rows.iter().all(|row| row.id != id) {
                    break id;
                }
            };
            let NewView { name, description, filter, .. } = new.clone();
            let description = description.filter(|text| !text.is_empty());
            let view = CustomView { id, name, description, sources, filter };
            let custom = custom_of(payer, &living(rows))?;
            let checked = asked(&state.configuration, &custom, |views| views.check_new(&view));
            checked.map_err(|refusal| declined(payer, refusal))?;
            let arn = ViewName::Custom(view.id.clone()).arn(payer);
            put(&mut write, payer, &view, (1, now, now), tags).await?;
            Ok((write, (arn, now)))
        })
        .await
    }

    /// Changes name, description or filter of a custom view: its ARN and when it was last changed.
    ///
    /// # Errors
    /// [`Declined`] where there is no such view, or it may not be so.
    pub async fn update_view(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        change: &ViewChange,
    ) -> Answer<(String, i64)> {
        self.change_view(request, arn, |views, view| {
            let changed = change.of(view.clone());
            views.check_changed(&changed)?;
            Ok(changed)
        })
        .await
    }

    /// Makes a custom view of more views, beside those that it is made of.
    ///
    /// # Errors
    /// [`Declined`] where one of them is not there, or the view may not be made of it.
    pub async fn associate_sources(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        sources: &[String],
    ) -> Answer<(String, i64)> {
        let added = &named(&request.caller.payer, sources)?;
        self.change_view(request, arn, |views, view| {
            views.check_sources(view, added)?;
            let mut changed = view.clone();
            changed.sources.extend(added.iter().cloned());
            Ok(changed)
        })
        .await
    }

    /// Makes a custom view of some views no more; a source that is gone is taken away like this.
    ///
    /// # Errors
    /// [`Declined`] where it is not made of one of them, or none would be left.
    pub async fn disassociate_sources(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        sources: &[String],
    ) -> Answer<(String, i64)> {
        let payer = &request.caller.payer;
        let removed = &named(payer, sources)?;
        self.change_view(request, arn, |_, view| {
            let invalid = |message: String| Refusal::Invalid { field: "sourceViews", message };
            if let Some(other) = removed.difference(&view.sources).next() {
                return Err(invalid(format!("`{}` is no source of the billing view", other.arn(payer))));
            }
            let left: BTreeSet<_> = view.sources.difference(removed).cloned().collect();
            if left.is_empty() {
                return Err(invalid(
                    "no source would be left; associate another one first, or delete the billing view"
                        .to_owned(),
                ));
            }
            Ok(CustomView { sources: left, ..view.clone() })
        })
        .await
    }

    async fn change_view(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        change: impl Fn(Views<'_>, &CustomView) -> Result<CustomView, Refusal> + Sync,
    ) -> Answer<(String, i64)> {
        let (payer, now, change) = (&request.caller.payer, request.caller.now, &change);
        let id = custom_id(payer, arn)?;
        let id = id.as_str();
        self.once(request, |mut write, state| async move {
            let mut rows = living(write.billing_views().await?);
            let custom = custom_of(payer, &rows)?;
            let (row, view) = rows.remove(id).zip(custom.get(id)).ok_or_else(|| not_found(arn))?;
            let changed = asked(&state.configuration, &custom, |views| change(views, view));
            let changed = changed.map_err(|refusal| declined(payer, refusal))?;
            if changed == *view {
                return Ok((write, (arn.to_owned(), row.recorded_at_s)));
            }
            put(&mut write, payer, &changed, (row.version + 1, now, row.created_at_s), row.tags).await?;
            Ok((write, (arn.to_owned(), now)))
        })
        .await
    }

    /// Deletes a custom view; with `force` also one that others are made of, which are not healthy from then on. One that was deleted before is deleted.
    ///
    /// # Errors
    /// [`Declined`] where there never was such a view, or others are made of it.
    pub async fn delete_view(&self, request: &WriteRequest<'_>, arn: &str, force: bool) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        let id = custom_id(payer, arn)?;
        let id = id.as_str();
        self.once(request, |mut write, state| async move {
            let all = write.billing_views().await?;
            let row = all.iter().find(|row| row.id == id).cloned().ok_or_else(|| not_found(arn))?;
            if row.is_deleted {
                return Ok((write, arn.to_owned()));
            }
            let custom = custom_of(payer, &living(all))?;
            let name = ViewName::Custom(id.to_owned());
            let derived = asked(&state.configuration, &custom, |views| {
                views.derived(&name).first().map(|view| ViewName::Custom(view.id.clone()).arn(payer))
            });
            if let Some(other) = derived.filter(|_| !force) {
                let message =
                    format!("`{other}` is made of `{arn}`; disassociate it first, or delete with `force`");
                let (reason, kind) = ("DERIVED_VIEWS", KIND);
                return Err(Error::from(Declined::Conflict { reason, kind, id: other, message }).into());
            }
            let version = row.version + 1;
            write
                .put_billing_view(BillingViewRow { version, recorded_at_s: now, is_deleted: true, ..row })
                .await?;
            Ok((write, arn.to_owned()))
        })
        .await
    }
}

impl KnownViews {
    fn views<T>(&self, ask: impl FnOnce(Views<'_>) -> T) -> T {
        asked(&self.configuration, &self.custom, ask)
    }

    /// Whether a scope sees a view: all that it is made of. A part that is gone could have been anybody's. Nobody reads in a filter of accounts that it does not see: the operator may
    /// have narrowed a group by an account that was never in it.
    #[must_use]
    pub fn is_seen(&self, scope: &Scope, name: &ViewName) -> bool {
        let within = |views: Views<'_>| match self.custom(name) {
            Some(view) => self.seen_among(scope, &views.within(view)),
            None => BTreeSet::new(),
        };
        let custom = self.views(within);
        self.is_seen_where(scope, name, &custom)
    }

    /// The same where it is known which custom views are seen, by id.
    fn is_seen_where(&self, scope: &Scope, name: &ViewName, custom: &BTreeSet<String>) -> bool {
        match (name, scope) {
            (ViewName::Custom(id), Scope::Groups { .. }) => custom.contains(id),
            (ViewName::Group(group), Scope::Groups { groups, .. }) => {
                groups.contains(group) && self.views(|views| views.has(name))
            }
            (ViewName::Primary, Scope::Groups { .. }) => false,
            (_, Scope::Payer) => self.views(|views| views.has(name)),
        }
    }

    /// Which of some custom views are seen, by id, each standing behind those that it is made of.
    fn seen_among(&self, scope: &Scope, order: &[&CustomView]) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        for view in order {
            let is_seen = view.sources.iter().all(|source| self.is_seen_where(scope, source, &seen));
            if is_seen && self.names_only(scope, view) {
                seen.insert(view.id.clone());
            }
        }
        seen
    }

    /// A custom view, for whoever computes what it shows. Who may see it is another question: [`Self::is_seen`].
    pub(crate) fn custom(&self, name: &ViewName) -> Option<&CustomView> {
        let ViewName::Custom(id) = name else { return None };
        self.custom.get(id)
    }

    /// Whether every part of a view that is there is there.
    pub(crate) fn is_healthy(&self, name: &ViewName) -> bool {
        self.views(|views| views.unhealthy(name)).is_empty()
    }

    /// Whether an account is or was in one of these groups.
    fn was_ever_in(&self, account: &AccountId, groups: &BTreeSet<BillingGroupId>) -> bool {
        let membership = self.configuration.memberships.get(account);
        membership.is_some_and(|of| of.spans().iter().any(|span| groups.contains(&span.value)))
    }

    /// Whether a view's own filter names accounts alone that are seen.
    fn names_only(&self, scope: &Scope, view: &CustomView) -> bool {
        let is_seen = |account: &AccountId| match scope {
            Scope::Payer => true,
            Scope::Groups { accounts: Some(accounts), .. } => accounts.contains(account),
            Scope::Groups { groups, accounts: None } => self.was_ever_in(account, groups),
        };
        match view.filter.as_ref().and_then(|filter| filter.lines.as_ref()) {
            Some(FilterLines::Accounts(named)) => {
                named.iter().all(|text| AccountId::parse(text).is_some_and(|account| is_seen(&account)))
            }
            _ => true,
        }
    }

    /// How many ways a view has down to what is charged.
    pub(crate) fn ways(&self, name: &ViewName) -> usize {
        self.views(|views| views.ways(name))
    }

    /// The view that an ARN names, as a caller sees it.
    ///
    /// # Errors
    /// [`Declined::NotFound`]: what is not seen is not there.
    pub fn named(&self, caller: &Caller, arn: &str) -> Answer<ViewName> {
        let name = ViewName::parse(&caller.payer, arn).filter(|name| self.is_seen(&caller.scope, name));
        name.ok_or_else(|| not_found(arn))
    }

    /// The ARNs of what a view is made of, in the order of their texts; a derived view is made of none.
    #[must_use]
    pub fn sources(&self, name: &ViewName) -> Vec<String> {
        let ViewName::Custom(id) = name else { return Vec::new() };
        let sources = self.custom.get(id).into_iter().flat_map(|view| &view.sources);
        let mut arns: Vec<_> = sources.map(|source| source.arn(&self.configuration.payer)).collect();
        arns.sort_unstable();
        arns
    }
}

impl ViewChange {
    fn of(&self, view: CustomView) -> CustomView {
        let Self { name, description, filter } = self.clone();
        let description = match description {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => view.description,
        };
        CustomView {
            name: name.unwrap_or(view.name),
            description,
            filter: filter.unwrap_or(view.filter),
            ..view
        }
    }
}

/// The views that were not deleted, by id.
fn living(rows: Vec<BillingViewRow>) -> BTreeMap<String, BillingViewRow> {
    rows.into_iter().filter(|row| !row.is_deleted).map(|row| (row.id.clone(), row)).collect()
}

/// What rows say.
fn custom_of(
    payer: &AccountId,
    rows: &BTreeMap<String, BillingViewRow>,
) -> Answer<BTreeMap<String, CustomView>> {
    let damaged =
        |row: &BillingViewRow, what: &str| Error::internal(format!("billing view `{}` has {what}", row.id));
    let mut custom = BTreeMap::new();
    for (id, row) in rows {
        let mut sources = BTreeSet::new();
        for arn in &row.source_views {
            let source = ViewName::parse(payer, arn);
            sources.insert(source.ok_or_else(|| damaged(row, "a source that is no view"))?);
        }
        let filter = row.filter.as_deref().map(filter::of_text).transpose();
        let view = CustomView {
            id: id.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            sources,
            filter: filter.map_err(|what| damaged(row, &what))?,
        };
        custom.insert(id.clone(), view);
    }
    Ok(custom)
}

/// Asks the views that there are. A billing group that was ever there has a view: what it was billed stays.
fn asked<T>(
    configuration: &Configuration,
    custom: &BTreeMap<String, CustomView>,
    ask: impl FnOnce(Views<'_>) -> T,
) -> T {
    let has_group = |id: &BillingGroupId| {
        configuration.groups.get(id).is_some_and(|group| !group.versions.spans().is_empty())
    };
    ask(Views { custom, has_group: &has_group })
}

async fn put(
    write: &mut Write,
    payer: &AccountId,
    view: &CustomView,
    (version, recorded_at_s, created_at_s): (u64, i64, i64),
    tags: BTreeMap<String, String>,
) -> Result<(), store::StoreError> {
    let row = BillingViewRow {
        id: view.id.clone(),
        version,
        recorded_at_s,
        created_at_s,
        is_deleted: false,
        name: view.name.clone(),
        description: view.description.clone(),
        source_views: view.sources.iter().map(|source| source.arn(payer)).collect(),
        filter: view.filter.as_ref().map(|filter| filter::to_json(filter).to_string()),
        tags,
    };
    write.put_billing_view(row).await
}

/// What ARNs name. A view that is named twice is one.
fn named(payer: &AccountId, arns: &[String]) -> Answer<BTreeSet<ViewName>> {
    arns.iter().map(|arn| ViewName::parse(payer, arn).ok_or_else(|| not_found(arn))).collect()
}

/// The id of a custom view; what is derived can be neither changed nor deleted.
fn custom_id(payer: &AccountId, arn: &str) -> Answer<String> {
    match ViewName::parse(payer, arn) {
        Some(ViewName::Custom(id)) => Ok(id),
        Some(ViewName::Primary | ViewName::Group(_)) => {
            let message = format!(
                "billing view `{arn}` follows from the payer and its billing groups; change the billing group, or make a custom view of it"
            );
            Err(Declined::Invalid { message: message.clone(), fields: vec![("arn".to_owned(), message)] }
                .into())
        }
        None => Err(not_found(arn)),
    }
}

pub(crate) fn not_found(arn: &str) -> Error {
    Declined::NotFound { kind: IN_WORDS, id: arn.to_owned() }.into()
}

fn declined(payer: &AccountId, refusal: Refusal) -> Error {
    let custom = |id: String| ViewName::Custom(id).arn(payer);
    match refusal {
        Refusal::Invalid { field, message } => {
            Declined::Invalid { message: message.clone(), fields: vec![(field.to_owned(), message)] }.into()
        }
        Refusal::NoSource(name) => not_found(&name.arn(payer)),
        Refusal::Unhealthy(name) => {
            let id = name.arn(payer);
            let message = format!(
                "billing view `{id}` is not healthy: a view that it is made of is gone; disassociate that one first"
            );
            Declined::Conflict { reason: UNHEALTHY, kind: KIND, id, message }.into()
        }
        Refusal::NameTaken(id) => {
            let id = custom(id);
            let message = format!("billing view `{id}` has the name; take another name");
            Declined::Conflict { reason: "NAME_TAKEN", kind: KIND, id, message }.into()
        }
        Refusal::Quota { code, message } => {
            Declined::Limit { code, kind: KIND, id: payer.to_string(), message }.into()
        }
    }
}
