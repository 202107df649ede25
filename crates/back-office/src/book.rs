//! The book and the desk: the configuration of a period as a book, and a book as the configuration from a period on.

use crate::clock::Clock;
use crate::data_directory::SCRATCH;
use crate::desk::{BackOffice, WriteRequest};
use crate::disk::on_disk;
use crate::engine::{EngineError, RunOrder, RunReport};
use crate::error::{Answer, Error, refused};
use crate::month_book::{self, unread};
use crate::organization::{entries, followed_in_words};
use crate::vault::new_resource_id;
use crate::write::Edited;
use billing::account::AccountId;
use billing::configuration::{BookChanges, Configuration, Followed, OtherSettings, split};
use billing::money::{Cost, Currency};
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::path::Path;

/// A book that somebody sends.
#[derive(Debug, Clone)]
pub struct SentBook {
    /// Its text: TOML, or JSON where the name ends so.
    pub text: String,
    /// Its name, as messages have it.
    pub name: String,
    /// The texts of the files that it names, by name.
    pub files: BTreeMap<String, String>,
}

/// What a book would change.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The period from which on.
    pub period: BillingPeriod,
    /// What is created, changed and ended.
    pub changes: BookChanges,
    /// What each group is charged in that period before and after; `None` where the period has no cost data yet.
    pub effect: Option<Vec<Effect>>,
    /// What the book's check warns of, and the run under it.
    pub warnings: Vec<String>,
}

/// What a billing group is charged before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The group, by name.
    pub billing_group: String,
    /// The currency.
    pub currency: Currency,
    /// Before; 0 where there was no group.
    pub before: Cost,
    /// After.
    pub after: Cost,
}

impl BackOffice {
    /// The book of a period, as text, with the files that it names.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn export_book(
        &self,
        payer: &AccountId,
        period: Option<BillingPeriod>,
    ) -> Answer<(String, BTreeMap<String, String>)> {
        let state = self.state(payer).await?;
        let period = period.unwrap_or_else(|| Clock::period_of(self.now()));
        let (mut draft, files) = month_book::of_period(&state.configuration, period)?;
        state.configuration.add_rules(&mut draft, period);
        Ok((book_file::write(&draft), files))
    }

    /// What a book would change from a period on, and what each group would be charged in that period. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with the book's mistakes, each with its place.
    pub async fn plan_book(&self, request: &WriteRequest<'_>, book: &SentBook) -> Answer<Plan> {
        let payer = &request.caller.payer;
        let state = self.state(payer).await?;
        let edited = applied(&state.configuration, request, book)?;
        let (mut plan, _) = edited.outcome;
        let period = plan.period;
        let _reading = self.reading().await?;
        let Some((_, done)) = self.shown_run(payer, period).await? else { return Ok(plan) };
        let store = &self.0.store;
        let scratch = self.0.options.data.join(SCRATCH).join(new_resource_id().map_err(Error::internal)?);
        let (draft, book_files) = month_book::with_adjustments(store, &edited.next, period).await?;
        let order = RunOrder { period, book: draft, book_files, out: scratch.clone() };
        let source = store.source(payer, &done.source).await.map_err(Error::internal)?;
        let source = source.map(|row| self.registered(payer, row));
        let before = self.folder(&done.folder);
        let priced = self
            .ask_engine(move |engine| {
                // What is wrong with the shown run is not the book's, and its path is not for who sent one.
                let of_desk = |error: EngineError| EngineError::Failed(error.to_string());
                let is_damaged = || engine.manifest(&before).ok().as_ref() != Some(&done.manifest);
                let repriced = engine.reprice(&before, &order);
                let repriced = repriced.map_err(|error| if is_damaged() { of_desk(error) } else { error });
                let outcome = match (repriced?, source) {
                    (Some(outcome), _) => Some(outcome),
                    (None, Some(source)) => Some(engine.run(&source.checked()?, &order)?),
                    (None, None) => None,
                };
                let Some(outcome) = outcome else { return Ok(None) };
                let report = |run: &Path| engine.report(run).map_err(of_desk);
                let reports = (report(&before)?, report(&order.out)?);
                Ok(Some((outcome, reports)))
            })
            .await;
        // What was only tried leaves nothing; what cannot be removed is in the way of nobody.
        let _ = on_disk(move || std::fs::remove_dir_all(&scratch)).await;
        if let Some((outcome, (before, after))) = priced? {
            plan.warnings.extend(outcome.warnings);
            plan.effect = Some(effect(&before, &after)?);
        }
        Ok(plan)
    }

    /// Makes the configuration from a period on what a book says, in one transaction.
    ///
    /// # Errors
    /// [`Error::Refused`] with the book's mistakes, or where `only_first` and something is configured already.
    pub async fn apply_book(
        &self,
        request: &WriteRequest<'_>,
        book: &SentBook,
        only_first: bool,
    ) -> Answer<Plan> {
        let payer = &request.caller.payer;
        let made = self
            .transaction(payer, |store, state| async move {
                let configuration = &state.configuration;
                let is_empty = configuration.groups.iter().next().is_none()
                    && configuration.plans.iter().next().is_none()
                    && configuration.rules.iter().next().is_none();
                if only_first && !is_empty {
                    let message = "something is configured already; see what would change with `book plan`, then `book apply`";
                    return Err(refused(message).into());
                }
                let Edited { next, touched, outcome: (plan, followed) } =
                    applied(configuration, request, book)?;
                let edited = Edited { next, touched, outcome: plan };
                let write = store.write(payer, &state.head).await?;
                let entries = entries(request, &followed);
                edited.commit_with((&state, write), request, &book.name, entries).await
            })
            .await?;
        self.0.wake.notify_one();
        Ok(made)
    }
}

/// The configuration that a book makes, and what has followed from its rules.
fn applied(
    configuration: &Configuration,
    request: &WriteRequest<'_>,
    book: &SentBook,
) -> Answer<Edited<(Plan, Followed)>> {
    let SentBook { text, name, files } = book;
    let path = Path::new(name);
    let read_file =
        |of: &str| files.get(of).cloned().ok_or_else(|| "it was not sent with the book".to_owned());
    // Parsed and checked, so that mistakes have their line and column.
    let (parsed, draft) =
        book_file::parse_with_draft(path, text, &read_file).map_err(|findings| unread(name, &findings))?;
    if parsed.book.payer != configuration.payer {
        let (of, payer) = (&parsed.book.payer, &configuration.payer);
        return Err(refused(format!("the book is of payer account `{of}`, not of `{payer}`")));
    }
    let other = OtherSettings { book: book_file::write(&split(&draft)), files: files.clone() };
    request.edit(configuration, |edit| {
        let changes = edit.apply_book(&draft, other).map_err(|problem| refused(problem.to_string()))?;
        let mut warnings: Vec<String> =
            parsed.warnings.iter().map(|warning| format!("{name}:{warning}")).collect();
        // A book of the past ends at a change: what rules want there, they have said already. Who is in no organization that was read has not left it.
        let before = edit.configuration().clone();
        let is_read = before.organization.is_some();
        if !is_read && !before.group_rules.is_empty() {
            warnings.push(format!(
                "{name}: rules of billing groups are followed once the organization is read: `proforma sync organization`"
            ));
        }
        let follows = is_read && changes.until.is_none();
        let followed = if follows { edit.follow_rules(&[]) } else { Followed::default() };
        warnings.extend(followed_in_words(edit, &before, &followed));
        Ok::<_, Error>((Plan { period: edit.moment().period, changes, effect: None, warnings }, followed))
    })
}

/// What each group is charged before and after, where that differs or there was something.
fn effect(before: &RunReport, after: &RunReport) -> Answer<Vec<Effect>> {
    let mut sums: BTreeMap<(&str, Currency), [Cost; 2]> = BTreeMap::new();
    for (side, report) in [before, after].into_iter().enumerate() {
        for row in &report.rows {
            let sum = &mut sums.entry((&row.billing_group, row.currency)).or_default()[side];
            *sum = sum.plus(row.pro_forma_cost).map_err(Error::internal)?;
        }
    }
    let row = |((group, currency), [before, after]): ((&str, _), [Cost; 2])| Effect {
        billing_group: group.to_owned(),
        currency,
        before,
        after,
    };
    Ok(sums.into_iter().map(row).collect())
}
