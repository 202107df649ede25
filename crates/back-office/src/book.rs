//! The book and the desk: the configuration of a period as a book, and a book as the configuration from a period on.

use crate::audit;
use crate::clock::Clock;
use crate::cost_reports::Costs;
use crate::desk::{BackOffice, State, WriteRequest};
use crate::engine::RunOrder;
use crate::error::{Answer, Error};
use crate::periods::refused;
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::book::Draft;
use billing::configuration::{BookChanges, Configuration, Edit, Moment, OtherSettings, Touched, split};
use billing::money::{Cost, Currency};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use store::RunRow;

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

/// The book of a period, and the texts of the files that it names.
pub(crate) fn of_period(
    configuration: &Configuration,
    period: BillingPeriod,
) -> Answer<(Draft, BTreeMap<String, String>)> {
    let other = configuration.other.at(period).cloned().unwrap_or_default();
    let draft = match other.book.is_empty() {
        true => Draft::default(),
        false => read(&other.book, "book.toml", &other.files)?.0,
    };
    Ok((configuration.draft(period, &draft), other.files))
}

/// A book's draft and the files that it names.
fn read(
    text: &str,
    name: &str,
    files: &BTreeMap<String, String>,
) -> Answer<(Draft, BTreeMap<String, String>)> {
    let draft = book_file::draft(std::path::Path::new(name), text).map_err(|findings| {
        refused(findings.iter().map(|it| format!("{name}:{it}")).collect::<Vec<_>>().join("\n"))
    })?;
    Ok((draft, files.clone()))
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
        let (draft, files) = of_period(&state.configuration, period)?;
        Ok((book_file::write(&draft), files))
    }

    /// What a book would change from a period on, and what each group would be charged in that period. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with the book's mistakes, each with its place.
    pub async fn plan_book(&self, request: &WriteRequest<'_>, book: &SentBook) -> Answer<Plan> {
        let payer = &request.caller.payer;
        let state = self.state(payer).await?;
        let (next, _, applied) = applied(&state.configuration, request, book)?;
        let Applied { changes, warnings } = applied;
        let period = request.period.unwrap_or_else(|| Clock::period_of(request.caller.now));
        let mut plan = Plan { period, changes, effect: None, warnings };
        let store = &self.0.store;
        let _reading = self.reading().await?;
        let Some(current) = store.current_run(payer, period).await.map_err(Error::internal)? else {
            return Ok(plan);
        };
        let run = store.run(payer, &current.run).await.map_err(Error::internal)?;
        let Some(done) = run.as_ref().and_then(RunRow::done).cloned() else { return Ok(plan) };
        let scratch = self.0.options.data.join("scratch").join(new_resource_id().map_err(Error::internal)?);
        let (draft, book_files) = self.book_with_adjustments(payer, &next, period).await?;
        let order = RunOrder { period, book: draft, book_files, out: scratch.clone() };
        let source = store.source(payer, &done.source).await.map_err(Error::internal)?;
        let source = source.map(|row| self.cost_source(payer, row));
        let before = self.folder(&done.folder);
        let priced = self
            .blocking(move |engine| {
                let outcome = match (engine.reprice(&before, &order)?, source) {
                    (Some(outcome), _) => Some(outcome),
                    (None, Some(source)) => Some(engine.run(&source, &order)?),
                    (None, None) => None,
                };
                let Some(outcome) = outcome else { return Ok(None) };
                let reports = (engine.report(&before)?, engine.report(&order.out)?);
                Ok(Some((outcome, reports)))
            })
            .await;
        // What was only tried leaves nothing; what cannot be removed is in the way of nobody.
        let _ = std::fs::remove_dir_all(&scratch);
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
                let (next, touched, applied) = applied(configuration, request, book)?;
                let mut write = store.write(payer, &state.head).await?;
                write.save(&next, &touched, request.caller.now).await?;
                write.audit(&audit::rows(&state.head.audit, [request.done(&book.name)])).await?;
                let periods = crate::runs::changed_periods(configuration, &next, &touched, request);
                crate::runs::queue(&store, &mut write, payer, &periods).await?;
                Ok((State::new(next, write.commit().await?), applied))
            })
            .await?;
        self.0.wake.notify_one();
        let period = request.period.unwrap_or_else(|| Clock::period_of(request.caller.now));
        Ok(Plan { period, changes: made.changes, effect: None, warnings: made.warnings })
    }
}

struct Applied {
    changes: BookChanges,
    warnings: Vec<String>,
}

/// The configuration that a book makes.
fn applied(
    configuration: &Configuration,
    request: &WriteRequest<'_>,
    book: &SentBook,
) -> Answer<(Configuration, BTreeSet<Touched>, Applied)> {
    let read_file =
        |of: &str| book.files.get(of).cloned().ok_or_else(|| "it was not sent with the book".to_owned());
    // Parsed and checked, so that mistakes have their line and column.
    let path = std::path::Path::new(&book.name);
    let parsed = book_file::parse(path, &book.text, &read_file).map_err(|findings| {
        refused(findings.iter().map(|it| format!("{}:{it}", book.name)).collect::<Vec<_>>().join("\n"))
    })?;
    if parsed.book.payer != configuration.payer {
        let (of, payer) = (&parsed.book.payer, &configuration.payer);
        return Err(refused(format!("the book is of payer account `{of}`, not of `{payer}`")));
    }
    let (draft, files) = read(&book.text, &book.name, &book.files)?;
    let rest = split(&draft);
    let other = OtherSettings { book: book_file::write(&rest), files };
    let current = Clock::period_of(request.caller.now);
    let period = request.period.unwrap_or(current);
    let first = new_resource_id().map_err(Error::internal)?;
    let mut fresh = || new_resource_id().unwrap_or_else(|_| first.clone());
    let mut edit =
        Edit::begin(configuration, Moment { now: request.caller.now, current, period }, &mut fresh)?;
    let changes = edit.apply_book(&draft, other).map_err(|problem| refused(problem.to_string()))?;
    let (next, touched) = edit.finish();
    let warnings = parsed.warnings.iter().map(|warning| format!("{}:{warning}", book.name)).collect();
    Ok((next, touched, Applied { changes, warnings }))
}

/// What each group is charged before and after, where that differs or there was something.
fn effect(before: &crate::engine::RunReport, after: &crate::engine::RunReport) -> Answer<Vec<Effect>> {
    let mut sums: BTreeMap<(String, Currency), (Costs, Costs)> = BTreeMap::new();
    for row in &before.rows {
        let of = sums.entry((row.billing_group.clone(), row.currency)).or_default();
        of.0.pro_forma = of.0.pro_forma.plus(row.pro_forma_cost).map_err(Error::internal)?;
    }
    for row in &after.rows {
        let of = sums.entry((row.billing_group.clone(), row.currency)).or_default();
        of.1.pro_forma = of.1.pro_forma.plus(row.pro_forma_cost).map_err(Error::internal)?;
    }
    let row = |((billing_group, currency), (before, after)): ((String, Currency), (Costs, Costs))| Effect {
        billing_group,
        currency,
        before: before.pro_forma,
        after: after.pro_forma,
    };
    Ok(sums.into_iter().map(row).collect())
}
