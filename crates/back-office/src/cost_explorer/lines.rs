//! Questions that classes cannot answer: by the hour, and by resource. They read the cost files of the runs once more, a question at a time; what was
//! answered last is kept, so that a further page reads nothing.

use super::{CostExplorerRefusal, MonthOf, Months, RunOfMonth};
use crate::audit::digest;
use crate::authorization::{Caller, Scope as CallerScope};
use crate::client;
use crate::cost_categories::{AccountNames, CategoriesAsked};
use crate::desk::BackOffice;
use crate::engine::{EngineError, LinesAsked};
use crate::error::{Answer, Error};
use crate::facts::Recent;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use query::cost_category::CostCategory;
use query::dimension::{Dimension, Key};
use query::expression::Expression;
use query::lines::{self, LineAnswer, LineQuery, LineSlice, Times};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How much is kept of answers, in bytes.
const KEPT_BYTES: u64 = 64 << 20;
/// How many conditions on resources a question may have: what holds of them is one of 64 bits.
const RESOURCE_CONDITIONS_MAX: usize = 6;
/// How many parts of a custom view a question is asked of: each reads the cost files once.
const PARTS_MAX: usize = 8;
/// How many questions read cost files at once: each takes every processor.
const READING_AT_ONCE: usize = 1;

/// The answers that are at hand, who reads and who waits.
#[derive(Debug)]
pub(crate) struct KnownLines {
    known: Mutex<Recent<LineAnswer>>,
    reading: Semaphore,
    waiting: Mutex<BTreeSet<Asker>>,
}

/// Who asks: a principal of a payer.
type Asker = (AccountId, String);

/// A place among those that wait; it is free again once this is dropped.
struct Waiting<'a>(&'a KnownLines, Asker);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Default for KnownLines {
    fn default() -> Self {
        let reading = Semaphore::new(READING_AT_ONCE);
        Self { known: Mutex::default(), reading, waiting: Mutex::default() }
    }
}

impl KnownLines {
    /// Waits for the turn to read. Nobody has more than one question waiting, so that nobody keeps the others from theirs, and none waits whose client is gone.
    async fn turn(&self, (payer, principal): (&AccountId, &str)) -> Answer<SemaphorePermit<'_>> {
        if let Ok(turn) = self.reading.try_acquire() {
            return Ok(turn);
        }
        let asker = (payer.clone(), principal.to_owned());
        if !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(asker.clone()) {
            let message = "one of your questions about hours or resources is waiting already, and each reads a month's cost files; ask again when it is answered";
            return Err(CostExplorerRefusal::Limit(message.to_owned()).into());
        }
        let _waiting = Waiting(self, asker);
        tokio::select! {
            biased;
            () = client::gone() => Err(Error::Unavailable("nobody waits for the answer any more")),
            turn = self.reading.acquire() => turn.map_err(Error::internal),
        }
    }
}

/// The answers of months, and the runs that they were answered from.
pub struct LinesOfMonths {
    /// Month after month, with whether it may still change. What is kept is shared: a page copies no rows but its own.
    answers: Vec<(Arc<LineAnswer>, bool)>,
    /// The runs: while they are the same, so is the answer.
    pub runs: Vec<String>,
}

impl LinesOfMonths {
    /// Time after time, with whether it may still change.
    pub fn slices(&self) -> impl Iterator<Item = (&LineSlice, bool)> {
        self.answers.iter().flat_map(|(answer, estimated)| answer.slices.iter().map(|of| (of, *estimated)))
    }
}

impl BackOffice {
    /// Answers a question about the lines of some hours, as a caller sees them through a view.
    ///
    /// # Errors
    /// [`Error::Denied`], [`CostExplorerRefusal::Invalid`], [`CostExplorerRefusal::DataUnavailable`] where there are no lines, or none by the hour.
    pub async fn cost_of_lines(
        &self,
        caller: &Caller,
        view: Option<&str>,
        query: &LineQuery,
    ) -> Answer<LinesOfMonths> {
        let conditions = query.resource_conditions().len();
        if conditions > RESOURCE_CONDITIONS_MAX {
            let message = format!(
                "the filter has {conditions} conditions on RESOURCE_ID; give at most {RESOURCE_CONDITIONS_MAX}, each with as many values as needed"
            );
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        let day = |hour: i64| i32::try_from(hour.div_euclid(24)).unwrap_or(i32::MAX);
        let days = day(query.hours.start)..day(query.hours.end - 1) + 1;
        let categories = CategoriesAsked::of(&query.group_by, query.filter.as_ref());
        let months = self.months_of(caller, view, days, categories).await?;
        months.check_keys(&query.group_by, query.filter.as_ref())?;
        let parts = months.months.iter().map(|month| month.scopes.len()).max().unwrap_or(0);
        if parts > PARTS_MAX {
            let message = format!(
                "the billing view leads to what is charged by {parts} ways, and hours and resources are told of {PARTS_MAX} at most, since each reads the cost files again; ask one of the views that it is made of"
            );
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        let mut answers = Vec::with_capacity(months.months.len());
        // A turn is of the question: of one that reads several months no other one of the same principal gets in between.
        let mut turn = None;
        for place in 0..months.months.len() {
            let answer = self.lines_of_month(caller, &months, place, query, &mut turn).await?;
            answers.push((answer, months.months[place].estimated));
        }
        Ok(LinesOfMonths { answers, runs: months.runs() })
    }

    /// The answer of a month.
    async fn lines_of_month<'a>(
        &'a self,
        caller: &Caller,
        months: &Months,
        place: usize,
        query: &LineQuery,
        turn: &mut Option<SemaphorePermit<'a>>,
    ) -> Answer<Arc<LineAnswer>> {
        let month = &months.months[place];
        let Some(RunOfMonth { id: run, facts, categories_known_by }) = &month.run else {
            let slices = lines::without_facts(month.period, query);
            return Ok(Arc::new(LineAnswer { slices, is_hourly: true }));
        };
        for scope in &month.scopes {
            lines::check(facts, scope, query)?;
        }
        let key = digest(&format!("{run} {categories_known_by:?} {:?} {query:?}", month.scopes));
        let known = || self.0.lines.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key);
        if let Some(answer) = known() {
            return told(month.period, query, answer);
        }
        if turn.is_none() {
            *turn = Some(self.0.lines.turn((&caller.payer, &caller.principal)).await?);
        }
        if let Some(answer) = known() {
            return told(month.period, query, answer);
        }
        let _reading = self.reading().await?;
        let row = self.0.store.run(&caller.payer, run).await.map_err(Error::internal)?;
        let Some(done) = row.and_then(|row| row.done().cloned()) else {
            return Err(CostExplorerRefusal::RequestChanged(PRICED_ANEW.to_owned()).into());
        };
        let folder = self.folder(&done.folder);
        let categories = self.categories_of(caller, months, month).await?;
        let asked = LinesAsked { scopes: month.scopes.clone(), categories, query: query.clone() };
        let answer = self.engine(move |engine| engine.lines(&folder, &asked)).await;
        let answer = Arc::new(answer.map_err(|error| unread(caller, month.period, error))??);
        let bytes = bytes(&answer);
        let room = match self.0.options.facts_bytes {
            0 => 0,
            // The last answer always has room: without it each of its pages would read the files again.
            most => most.min(KEPT_BYTES).max(bytes),
        };
        let mut known = self.0.lines.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.put(&key, answer.clone(), bytes, room);
        drop(known);
        told(month.period, query, answer)
    }

    /// The rules of the cost categories that a month was taken under.
    async fn categories_of(
        &self,
        caller: &Caller,
        months: &Months,
        month: &MonthOf,
    ) -> Answer<Vec<CostCategory>> {
        let state = self.state(&caller.payer).await?;
        let definitions = self.cost_categories(&caller.payer).await?;
        let names = AccountNames::of(&state.configuration.family);
        let needed = definitions.of_month(month.period, &names).needed(&months.categories)?;
        let known_by = month.run.iter().flat_map(|run| &run.categories_known_by);
        if !known_by.eq(needed.iter().map(|of| &of.known_by)) {
            return Err(CostExplorerRefusal::RequestChanged(PRICED_ANEW.to_owned()).into());
        }
        needed.iter().map(crate::cost_categories::Needed::category).collect()
    }
}

/// Hours are told where cost files tell them.
fn told(period: BillingPeriod, query: &LineQuery, answer: Arc<LineAnswer>) -> Answer<Arc<LineAnswer>> {
    if query.times != Times::Hourly || answer.is_hourly {
        return Ok(answer);
    }
    let message = format!(
        "the cost files of {period} tell usage by the day and not by the hour; ask for DAILY, or have AWS deliver hourly reports"
    );
    Err(CostExplorerRefusal::DataUnavailable(message).into())
}

/// The months have other runs than a moment ago.
const PRICED_ANEW: &str = "the costs are being priced anew; ask again";

/// Why cost files were not read. What the sentence says of places on the server is for the operator alone.
fn unread(caller: &Caller, period: BillingPeriod, error: EngineError) -> Error {
    match error {
        EngineError::Input(problems) => {
            let why = match caller.scope {
                CallerScope::Payer => format!(": {}", problems.join("; ")),
                CallerScope::Groups { .. } => "; ask whoever runs this server".to_owned(),
            };
            let message = format!(
                "the cost files of {period} cannot be read again, which HOURLY data and RESOURCE_ID need{why}"
            );
            CostExplorerRefusal::DataUnavailable(message).into()
        }
        error @ (EngineError::Disk(_) | EngineError::Failed(_)) => Error::internal(error),
    }
}

/// What an answer takes in memory, about.
fn bytes(answer: &LineAnswer) -> u64 {
    let rows = answer.slices.iter().flat_map(|slice| &slice.rows);
    let each =
        rows.map(|row| 64 + row.keys.iter().map(|key| key.len() + 24).sum::<usize>() + 64 * row.values.len());
    u64::try_from(each.sum::<usize>()).unwrap_or(u64::MAX)
}

/// The keys of a question of which classes know nothing.
pub(super) fn of_lines(group_by: &[Key], filter: Option<&Expression>) -> BTreeSet<Dimension> {
    let conditions = filter.into_iter().flat_map(|filter| filter.conditions());
    let keys = group_by.iter().chain(conditions.map(|condition| &condition.key));
    let of_lines = keys.filter_map(|key| match key {
        Key::Dimension(dimension) if dimension.is_of_lines() => Some(*dimension),
        _ => None,
    });
    of_lines.collect()
}

#[cfg(test)]
mod tests {
    //! Who waits, and for how long.

    use super::*;
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::task::Poll;

    async fn waits(mut future: Pin<&mut impl Future>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn nobody_has_two_questions_waiting() {
        let lines = KnownLines::default();
        let payer = AccountId::parse("999999999999").unwrap();
        let turn = |principal| lines.turn((&payer, principal));
        let first = turn("ops").await.unwrap();
        let mut second = Box::pin(turn("ops"));
        assert!(waits(second.as_mut()).await);
        assert!(matches!(turn("ops").await, Err(Error::CostExplorer(CostExplorerRefusal::Limit(_)))));
        let mut other = pin!(turn("customer"));
        assert!(waits(other.as_mut()).await);
        // Whoever gives up leaves its place.
        drop(second);
        let mut third = pin!(turn("ops"));
        assert!(waits(third.as_mut()).await);
        drop(first);
        drop(other.await.unwrap());
        drop(third.await.unwrap());
        assert!(lines.waiting.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_question_stops_waiting_with_its_client() {
        let lines = KnownLines::default();
        let payer = AccountId::parse("999999999999").unwrap();
        let _first = lines.turn((&payer, "ops")).await.unwrap();
        let (connected, client) = client::connected();
        let mut second = pin!(client.served(lines.turn((&payer, "ops"))));
        assert!(waits(second.as_mut()).await);
        drop(connected);
        assert!(matches!(second.await, Err(Error::Unavailable(_))));
        assert!(lines.waiting.lock().unwrap().is_empty());
    }
}
