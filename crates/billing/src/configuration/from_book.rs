//! From a book to a configuration: what a book says is what is configured from its period on.
//!
//! A book that is written for an earlier month holds until the first later one, up to the current, in which the configuration says something
//! else; that month and those after it stay as they are. Three things in a book have times of their own. A custom line item's range is written
//! as the book has it, into earlier months too as long as they are open and its group and account are there. Billing transfers have dates and
//! no versions, names of accounts not even dates: what the book says of them holds for every period.

mod group_rules;
mod groups;
mod items;
mod rules;
mod transfers;

use super::window::Window;
use super::{
    Configuration, ConflictReason, Edit, OtherSettings, PlanOf, PricingPlanId, Refusal, Resource, Span,
    Table, Timeline, Touched,
};
use crate::account::AccountId;
use crate::billing_group::{BillingGroup, UsageWindow};
use crate::book::{Book, Draft, Mistake, Place};
use crate::period::BillingPeriod;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What becomes of the entries of one table, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that were not there.
    pub created: Vec<String>,
    /// Those that are no more as they were.
    pub changed: Vec<String>,
    /// Those that the book does not have.
    pub ended: Vec<String>,
}

impl Changes {
    /// Whether nothing changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty() && self.ended.is_empty()
    }

    fn add(&mut self, name: &str, said: Said) {
        match said {
            Said::Created => self.created.push(name.to_owned()),
            Said::Changed => self.changed.push(name.to_owned()),
            Said::Ended => self.ended.push(name.to_owned()),
            Said::Nothing => {}
        }
    }
}

/// What a book changes. What takes the place of another thing of its name stands in both `created` and `ended`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookChanges {
    /// `accounts`, by id.
    pub accounts: Changes,
    /// `pricing_rules`
    pub pricing_rules: Changes,
    /// `pricing_plans`
    pub pricing_plans: Changes,
    /// `responsibility_transfers`
    pub responsibility_transfers: Changes,
    /// `billing_groups`; one whose accounts change is changed. `lines` and `parent` are among `other`.
    pub billing_groups: Changes,
    /// `custom_line_items`
    pub custom_line_items: Changes,
    /// Whether what the AWS API has no words for changes.
    pub other: bool,
    /// The first period in which the book does not hold any more, because something else was said for it before.
    pub until: Option<BillingPeriod>,
}

impl BookChanges {
    /// The tables, with their names in a book.
    #[must_use]
    pub const fn tables(&self) -> [(&'static str, &Changes); 6] {
        [
            ("accounts", &self.accounts),
            ("pricing_rules", &self.pricing_rules),
            ("pricing_plans", &self.pricing_plans),
            ("responsibility_transfers", &self.responsibility_transfers),
            ("billing_groups", &self.billing_groups),
            ("custom_line_items", &self.custom_line_items),
        ]
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.other && self.tables().iter().all(|(_, changes)| changes.is_empty())
    }
}

/// Why a book is not what is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    /// It has mistakes: all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Mistakes(Vec<Mistake>),
    /// Something that a book cannot say is in the way.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The periods that a book is written to.
#[derive(Debug, Clone, Copy)]
struct Reach {
    from: BillingPeriod,
    until: Option<BillingPeriod>,
    /// The last closed period.
    closed: Option<BillingPeriod>,
    now: i64,
}

impl Reach {
    /// Whether the book is written to a period.
    fn has(self, period: BillingPeriod) -> bool {
        self.from <= period && self.until.is_none_or(|until| period < until)
    }

    /// Whether something is so of a timeline in every period that the book is written to.
    fn all<T: Clone + PartialEq>(self, of: &Timeline<T>, is_so: impl Fn(Option<&T>) -> bool) -> bool {
        let later = of.changes().filter(|change| self.has(*change));
        std::iter::once(self.from).chain(later).all(|period| is_so(of.at(period)))
    }

    /// The periods that the book is written to.
    const fn window(self) -> Window {
        Window { from: self.from, to: self.until }
    }

    /// Whether a span has a period that the book is written to.
    fn meets<T>(self, span: &Span<T>) -> bool {
        self.until.is_none_or(|until| span.from < until) && span.to.is_none_or(|to| self.from < to)
    }

    /// Where a range ends that does not go beyond the book.
    fn end_of(self, to: Option<BillingPeriod>) -> Option<BillingPeriod> {
        to.into_iter().chain(self.until).min()
    }
}

/// What becomes of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Created,
    Changed,
    Ended,
    Nothing,
}

impl Edit<'_> {
    /// Makes the configuration from the period of the edit on what a book says, `other` being the part of it that [`split`](super::split)
    /// yields, as text. Entries are known by their names; a group is the one of its primary account or its billing transfer, whatever its name.
    /// Rules whose scope, and custom line items whose group, type or kind of charge is another, are new ones in place of the old. AWS's
    /// quotas do not bind a book. Nothing is changed where an error is returned.
    ///
    /// # Errors
    /// [`NotApplied::Mistakes`] where the book is not sound, or another payer's; [`NotApplied::Refused`] with
    /// [`ConflictReason::PricingPlanReferencedByPreferenceDeleteConflict`] where it lacks a plan that groups of billing transfers are made with.
    pub fn apply_book(&mut self, draft: &Draft, other: OtherSettings) -> Result<BookChanges, NotApplied> {
        let book = draft.check().book.map_err(NotApplied::Mistakes)?;
        self.is_ours(&book)?;
        is_in_one_currency(&book)?;
        corrects_nothing(&book)?;
        self.days_are_known(&book)?;
        self.plans_of_preferences(&book)?;
        let reach = self.reach();
        let shown_items = self.own_shown_items(reach);
        let (rules, pricing_rules) = self.rules_of_book(&book.rules, reach);
        let (plans, pricing_plans) = self.plans_of_book(&book.plans, &rules, reach);
        let responsibility_transfers = self.transfers_of_book(&book.transfers, reach);
        let (groups, mut billing_groups) = self.groups_of_book(&book, &plans, reach);
        for name in self.group_rules_of_book(draft, &groups, reach) {
            let is_told = billing_groups.created.contains(&name) || billing_groups.changed.contains(&name);
            billing_groups.changed.extend((!is_told).then_some(name));
        }
        let other = self.other_of_book(other, reach);
        let custom_line_items = self.items_of_book(draft, &book, &groups, &shown_items, reach);
        let changes = BookChanges {
            accounts: self.names_of_book(&book.account_names),
            pricing_rules,
            pricing_plans,
            responsibility_transfers,
            billing_groups,
            custom_line_items,
            other,
            until: reach.until,
        };
        Ok(changes)
    }

    fn is_ours(&self, book: &Book) -> Result<(), NotApplied> {
        if book.payer == self.next.payer {
            return Ok(());
        }
        let message =
            format!("the book is of payer `{}`, and the configuration of `{}`", book.payer, self.next.payer);
        let place = Place { table: "payer_account_id", entry: 0, field: "", element: None };
        Err(NotApplied::Mistakes(vec![Mistake { place, message }]))
    }

    /// Whether groups have the days that follow from the organization: nothing else is kept of them.
    fn days_are_known(&self, book: &Book) -> Result<(), NotApplied> {
        let period = self.moment.period;
        let wrong = |(entry, group): (usize, &BillingGroup)| {
            let own = match group.transfer {
                None => self.next.usage_window(&group.primary_account, period),
                Some(_) => UsageWindow::default(),
            };
            let said = group.usage.within(period);
            let field = if said.from == own.from { "usage_through" } else { "usage_from" };
            (!said.is_all() && said != own).then(|| Mistake {
                place: Place { table: "billing_groups", entry, field, element: None },
                message: format!(
                    "`{field}` of billing group `{}`: at a billing desk this follows from when its primary account `{}` joined and left the organization; remove it, or have the organization say so: `proforma sync organization`",
                    group.name, group.primary_account
                ),
            })
        };
        let mistakes: Vec<Mistake> = book.groups.iter().enumerate().filter_map(wrong).collect();
        if mistakes.is_empty() { Ok(()) } else { Err(NotApplied::Mistakes(mistakes)) }
    }

    /// Whether the plans that groups of transfers will be made with are in the book.
    fn plans_of_preferences(&self, book: &Book) -> Result<(), Refusal> {
        let names: HashSet<&str> = book.plans.iter().map(|plan| plan.name.as_str()).collect();
        for (transfer, preference) in &*self.next.preferences {
            let Some(PlanOf::Own(id)) = &preference.pricing_plan else { continue };
            let Some((_, plan)) = self.next.plans.at(id, self.moment.period) else { continue };
            if !names.contains(plan.name.as_str()) {
                return Err(Refusal::conflict(
                    ConflictReason::PricingPlanReferencedByPreferenceDeleteConflict,
                    &self.next.payer,
                    (PricingPlanId::KIND, id.as_str()),
                    format!(
                        "pricing plan `{}` is the plan of new billing groups of billing transfer `{transfer}`; keep it in the book, or change that first",
                        plan.name
                    ),
                ));
            }
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach {
            from: self.moment.period,
            until: next_change(&self.next, self.moment.period, self.moment.current),
            closed: self.next.closed_through,
            now: self.moment.now,
        }
    }

    /// The names of accounts. An account that the book does not name stays known.
    fn names_of_book(&mut self, names: &BTreeMap<AccountId, String>) -> Changes {
        let mut changes = Changes::default();
        let nameless = |(id, account): (&AccountId, &super::FamilyAccount)| {
            (account.name.is_some() && !names.contains_key(id)).then(|| (id.clone(), None))
        };
        let ended: Vec<(AccountId, Option<String>)> = self.next.family.iter().filter_map(nameless).collect();
        for (id, name) in names.iter().map(|(id, name)| (id.clone(), Some(name.clone()))).chain(ended) {
            let before = self.next.family.get(&id).and_then(|account| account.name.as_ref());
            let said = match (before, &name) {
                (before, name) if before == name.as_ref() => continue,
                (None, _) => Said::Created,
                (Some(_), Some(_)) => Said::Changed,
                (Some(_), None) => Said::Ended,
            };
            changes.add(id.as_str(), said);
            Arc::make_mut(&mut self.next.family).entry(id.clone()).or_default().name = name;
            self.touched.insert(Touched::Family(id));
        }
        changes
    }

    fn other_of_book(&mut self, other: OtherSettings, reach: Reach) -> bool {
        let is_new =
            self.next.other.at(reach.from).map_or(other != OtherSettings::default(), |of| *of != other);
        if is_new {
            write(&mut self.next.other, reach, Some(other));
            self.touched.insert(Touched::Other);
        }
        is_new
    }

    /// An id that is not taken.
    fn fresh_id<I>(
        &mut self,
        parse: fn(&str) -> Option<I>,
        is_taken: impl Fn(&Configuration, &I) -> bool,
    ) -> I {
        loop {
            if let Some(id) = parse(&(self.fresh)()).filter(|id| !is_taken(&self.next, id)) {
                return id;
            }
        }
    }

    /// A resource that nothing has been said of yet.
    fn blank<S>(&mut self) -> Resource<S> {
        let now = self.moment.now;
        Resource {
            number: self.next_number(),
            created_at: now,
            modified_at: now,
            versions: Timeline::default(),
            tags: BTreeMap::new(),
        }
    }
}

/// Custom line items of the API have no currency of their own.
fn is_in_one_currency(book: &Book) -> Result<(), NotApplied> {
    let of = |(entry, currency)| {
        let message = format!(
            "`{currency}` is not the book's currency, `{}`, and a server's custom line items have no other one; remove it, or price the month \
             with `proforma run`",
            book.currency
        );
        Mistake {
            place: Place { table: "custom_line_items", entry, field: "currency", element: None },
            message,
        }
    };
    let own = book.items.iter().enumerate().filter_map(|(number, item)| Some((number, item.currency?)));
    let mistakes: Vec<Mistake> = own.map(of).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(NotApplied::Mistakes(mistakes)) }
}

/// What came late to a closed month is the server's own to post: custom line items of the API correct none.
fn corrects_nothing(book: &Book) -> Result<(), NotApplied> {
    let of = |(entry, corrects)| Mistake {
        place: Place { table: "custom_line_items", entry, field: "corrects", element: None },
        message: format!(
            "a server posts what comes late to a closed month itself, so no custom line item corrects `{corrects}`; remove it"
        ),
    };
    let own = book.items.iter().enumerate().filter_map(|(number, item)| Some((number, item.corrects?)));
    let mistakes: Vec<Mistake> = own.map(of).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(NotApplied::Mistakes(mistakes)) }
}

/// The first period after one, up to the current, in which the configuration says something else. That a custom line item begins or ends is what
/// it says all the time; that it is another one than before is not.
fn next_change(of: &Configuration, period: BillingPeriod, current: BillingPeriod) -> Option<BillingPeriod> {
    if period == current {
        return None;
    }
    let groups = of.groups.iter().flat_map(|(_, resource)| resource.versions.changes());
    let plans = of.plans.iter().flat_map(|(_, resource)| resource.versions.changes());
    let rules = of.rules.iter().flat_map(|(_, resource)| resource.versions.changes());
    let members = of.memberships.values().flat_map(Timeline::changes);
    let followed = group_rules::changes(of);
    let all = groups.chain(plans).chain(rules).chain(members).chain(of.other.changes()).chain(followers(of));
    all.chain(followed).filter(|change| period < *change && *change <= current).min()
}

/// The periods in which a version of a custom line item follows another one, of it or of its name.
fn followers(of: &Configuration) -> Vec<BillingPeriod> {
    let mut by_name: HashMap<&str, Vec<BillingPeriod>> = HashMap::new();
    let mut later = Vec::new();
    for (_, item) in of.items.iter() {
        let spans = item.versions.spans();
        later.extend(spans.iter().skip(1).map(|span| span.from));
        for span in spans {
            by_name.entry(&span.value.name).or_default().push(span.from);
        }
    }
    for begins in by_name.values_mut() {
        begins.sort_unstable();
        later.extend(begins.iter().skip(1));
    }
    later
}

/// Says what holds where a book reaches, or that nothing does.
fn write<T: Clone + PartialEq>(timeline: &mut Timeline<T>, reach: Reach, value: Option<T>) {
    match value {
        Some(value) => timeline.set(reach.from, reach.until, value, reach.now),
        None => timeline.clear(reach.from, reach.until),
    }
    timeline.join();
}

/// Says what a resource is where a book reaches, or that it is not.
fn say<I: Ord + Clone, S: Clone + PartialEq>(
    table: &mut Table<I, S>,
    id: &I,
    value: Option<S>,
    reach: Reach,
) -> Said {
    let before = table.at(id, reach.from).map(|(_, settings)| settings);
    let said = match (before, &value) {
        (before, value) if before == value.as_ref() => return Said::Nothing,
        (None, _) => Said::Created,
        (Some(_), Some(_)) => Said::Changed,
        (Some(_), None) => Said::Ended,
    };
    table.change(id, |resource| {
        write(&mut resource.versions, reach, value);
        resource.modified_at = reach.now;
    });
    said
}

/// The resources that a book's names mean: those of its period, and where the book ends at a change, those that are there then and were not
/// before, so that one that comes earlier is the same.
fn by_name<I: Ord + Clone, S: Clone + PartialEq>(
    table: &Table<I, S>,
    reach: Reach,
    name: impl Fn(&S) -> &String,
) -> HashMap<String, (I, S)> {
    let later = reach.until.into_iter().flat_map(|until| table.in_period(until));
    let later = later.filter(|(_, resource, _)| resource.versions.at(reach.from).is_none());
    // What comes last wins: the period's own.
    (later.chain(table.in_period(reach.from)))
        .map(|(id, _, settings)| (name(settings).clone(), (id.clone(), settings.clone())))
        .collect()
}

#[cfg(test)]
mod tests;
