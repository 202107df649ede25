//! Cost categories that somebody has defined: who reads and changes them, and what of them holds when.
//!
//! Rules are applied to the facts of a month where they are asked for first ([`crate::facts`]); nothing is computed here. See
//! docs/decisions/0022-cost-categories.md.

mod allocation;
mod kept;
mod rule;
mod tags;
mod timeline;
mod users;

pub use allocation::{Allocation, AllocationQuestion, MonthAllocated};
pub use kept::{KeptCategory, KeptRule, KeptSplit};
pub(crate) use rule::AccountNames;
pub(crate) use timeline::Needed;
pub use timeline::{CategoriesAsked, Definition, Definitions, Version};

use crate::cost_explorer::CostExplorerRefusal;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::arn::Arn;
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::{CostCategoryRow, Head, Write};

/// How many cost categories a payer has at most.
const CATEGORIES_MAX: usize = 50;
/// How many months a definition may begin before the one that has now.
const MONTHS_BACK: u8 = 12;

/// A cost category that somebody defines.
#[derive(Debug, Clone)]
pub struct NewCostCategory {
    /// Its name.
    pub name: String,
    /// The first month that it holds for.
    pub from: BillingPeriod,
    /// What it says.
    pub kept: KeptCategory,
    /// Its first tags.
    pub tags: Vec<(String, String)>,
}

/// The definitions that were read last, by payer, and what they were read from.
#[derive(Debug, Default)]
pub(crate) struct KnownDefinitions(Mutex<BTreeMap<AccountId, Known>>);

#[derive(Debug)]
struct Known {
    head: Head,
    rows: Vec<CostCategoryRow>,
    definitions: Arc<Definitions>,
}

/// The ARN of a cost category.
#[must_use]
pub fn cost_category_arn(payer: &AccountId, id: &str) -> String {
    format!("arn:aws:ce::{payer}:costcategory/{id}")
}

/// The id in an ARN of a payer's cost categories.
fn id_in<'a>(payer: &AccountId, arn: &'a str) -> Answer<&'a str> {
    let id = Arn::resource(arn, "ce", payer).and_then(|resource| resource.strip_prefix("costcategory/"));
    id.ok_or_else(|| not_found(arn))
}

pub(super) fn not_found(arn: &str) -> Error {
    CostExplorerRefusal::NotFound(format!("there is no cost category `{arn}`")).into()
}

fn invalid(message: impl Into<String>) -> Error {
    CostExplorerRefusal::Invalid(message.into()).into()
}

impl BackOffice {
    /// The cost categories of a payer, with every version of each. Who may read them, the table of actions says: whoever sees the whole payer.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn cost_categories(&self, payer: &AccountId) -> Answer<Arc<Definitions>> {
        let head = self.state(payer).await?.head.clone();
        let known = || self.0.cost_categories.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = known().get(payer).filter(|of| of.head == head) {
            return Ok(of.definitions.clone());
        }
        // Whatever is written moves the head, what was read, too; the rows mostly stay.
        let rows = self.0.store.cost_categories(payer).await.map_err(Error::internal)?;
        if let Some(of) = known().get_mut(payer).filter(|of| of.rows == rows) {
            of.head = head;
            return Ok(of.definitions.clone());
        }
        let definitions = Arc::new(Definitions::of(&rows)?);
        known().insert(payer.clone(), Known { head, rows, definitions: definitions.clone() });
        Ok(definitions)
    }

    /// Defines a cost category: its ARN.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::Invalid`] with what is wrong, [`CostExplorerRefusal::Quota`].
    pub async fn create_cost_category(
        &self,
        request: &WriteRequest<'_>,
        new: &NewCostCategory,
    ) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        self.once(request, |mut write, _| async move {
            check_from(request, new.from)?;
            if !rule::is_in_alphabet(&new.name) {
                let message = format!(
                    "Name: `{}` has a character that no name may have; use letters, digits, spaces, `-` and `_`",
                    new.name
                );
                return Err(invalid(message).into());
            }
            let mut rows = write.cost_categories().await?;
            let known = Definitions::of(&rows)?;
            let id = loop {
                let id = new_resource_id().map_err(Error::internal)?;
                if known.get(&id).is_none() {
                    break id;
                }
            };
            let row = CostCategoryRow {
                id,
                version: 1,
                recorded_at_s: now,
                created_at_s: now,
                is_deleted: false,
                effective_from: new.from,
                name: new.name.clone(),
                body: serde_json::to_string(&new.kept).map_err(Error::internal)?,
                tags: tags::with(BTreeMap::new(), &new.tags)?,
            };
            let arn = cost_category_arn(payer, &row.id);
            put(&mut write, (&mut rows, row), &new.kept).await?;
            Ok((write, arn))
        })
        .await
        .inspect(|_| self.0.costs_changed.notify_one())
    }

    /// Changes what a cost category says from a month on. Earlier months stay as they are; what was said before of later ones is taken back.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::NotFound`], [`CostExplorerRefusal::Invalid`] with what is wrong.
    pub async fn update_cost_category(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        (from, kept): (BillingPeriod, &KeptCategory),
    ) -> Answer<()> {
        let now = request.caller.now;
        let id = id_in(&request.caller.payer, arn)?;
        self.once(request, |mut write, _| async move {
            check_from(request, from)?;
            let mut rows = write.cost_categories().await?;
            let last = last_of(&rows, id, arn)?;
            let body = serde_json::to_string(kept).map_err(Error::internal)?;
            let version = last.version + 1;
            let row = CostCategoryRow { version, recorded_at_s: now, effective_from: from, body, ..last };
            put(&mut write, (&mut rows, row), kept).await?;
            Ok((write, ()))
        })
        .await
        .inspect(|()| self.0.costs_changed.notify_one())
    }

    /// Ends a cost category with the month before the one that has now: the first month that it does not hold for. As at AWS, what looks at it is in nobody's way; the
    /// audit says what does.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::NotFound`].
    pub async fn delete_cost_category(&self, request: &WriteRequest<'_>, arn: &str) -> Answer<BillingPeriod> {
        let (end, now) = (current(request), request.caller.now);
        let id = id_in(&request.caller.payer, arn)?;
        let input = users::said(request.input, &self.users_of(request.caller, id).await?);
        let request = &WriteRequest { input: &input, ..*request };
        self.once(request, |mut write, _| async move {
            let last = last_of(&write.cost_categories().await?, id, arn)?;
            let version = last.version + 1;
            let row = CostCategoryRow {
                version,
                recorded_at_s: now,
                effective_from: end,
                is_deleted: true,
                ..last
            };
            write.put_cost_category(row).await?;
            Ok((write, ()))
        })
        .await?;
        self.0.costs_changed.notify_one();
        Ok(end)
    }
}

/// The period that has now, at the desk's clock.
fn current(request: &WriteRequest<'_>) -> BillingPeriod {
    crate::clock::Clock::period_of(request.caller.now)
}

/// Whether a definition may begin with a month.
fn check_from(request: &WriteRequest<'_>, from: BillingPeriod) -> Answer<()> {
    let current = current(request);
    let first = (0..MONTHS_BACK).try_fold(current, |month, _| month.previous()).unwrap_or(current);
    if from > current || from < first {
        return Err(invalid(format!(
            "EffectiveStart: {from} is not within the twelve months before {current}; begin between {first} and {current}"
        )));
    }
    Ok(())
}

/// The last version of a cost category that was not deleted.
fn last_of(rows: &[CostCategoryRow], id: &str, arn: &str) -> Answer<CostCategoryRow> {
    let last = rows.iter().rfind(|row| row.id == id).filter(|row| !row.is_deleted);
    last.cloned().ok_or_else(|| not_found(arn))
}

/// Keeps a version, once it was looked at together with everything that it will stand beside. What names accounts have plays no part in that.
async fn put(
    write: &mut Write,
    (rows, row): (&mut Vec<CostCategoryRow>, CostCategoryRow),
    kept: &KeptCategory,
) -> Result<(), crate::transaction::Attempt> {
    let nobody = BTreeMap::new();
    let names = AccountNames::of(&nobody);
    kept.check().and_then(|()| kept.category(&row.name, &names).map(drop)).map_err(invalid)?;
    rows.push(row.clone());
    rows.sort_by(|one, other| (&one.id, one.version).cmp(&(&other.id, other.version)));
    Definitions::of(rows)?.check(row.effective_from).map_err(Error::from)?;
    write.put_cost_category(row).await?;
    Ok(())
}
