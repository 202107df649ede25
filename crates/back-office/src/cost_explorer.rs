//! Questions about costs: what Cost Explorer, saved reports and budgets are answered from.
//!
//! [`BackOffice::cost_and_usage`] is the door. It resolves the view ([`crate::billing_views`]), takes the facts of the run that each period shows
//! ([`crate::facts`]) and has `query` sum them; no cost file is read.

pub mod lines;

use crate::authorization::Caller;
use crate::billing_views::View;
use crate::clock::Clock;
use crate::cost_categories::{AccountNames, CategoriesAsked};
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::period::BillingPeriod;
use query::answer::{self, Month, QueryError, Scope};
use query::dimension::Key;
use query::expression::Expression;
use query::facts::MonthFacts;
use query::question::{Granularity, Query, Slice};
use query::reservations::{self, ReservedSlice};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// How many months a question may be about: as far back as Cost Explorer goes, and its forecasts forward.
const MONTHS_MAX: usize = 60;
/// How many ways down to what is charged are summed for one question, month by month: a year of a view that has as many as there may be.
const WAYS_OF_MONTHS_MAX: usize = 6_000;

/// What is asked, of which view: its ARN, or the caller's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The ARN of a billing view; `None` is the caller's own.
    pub billing_view: Option<String>,
    /// What is asked.
    pub query: Query,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Time after time.
    pub slices: Vec<Slice>,
    /// The runs that it was answered from: while they are the same, so is the answer.
    pub runs: Vec<String>,
}

/// Where a page of an answer begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageFrom {
    /// The first day of a time, counted since 1970-01-01; `None` is the first one.
    pub day: Option<i32>,
    /// How many of its rows were on the page before.
    pub row: usize,
}

/// Why a question is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostExplorerRefusal {
    /// It cannot be asked so.
    #[error("{0}")]
    Invalid(String),
    /// There is nothing to answer it from.
    #[error("{0}")]
    DataUnavailable(String),
    /// The token of a page was not given out for it.
    #[error("{0}")]
    InvalidNextToken(String),
    /// What is asked, or what it is answered from, is another than at the page before.
    #[error("{0}")]
    RequestChanged(String),
    /// The usage that is asked for has several units.
    #[error("{0}")]
    UnresolvableUnit(String),
    /// There is no such view.
    #[error("{0}")]
    NotFound(String),
    /// A view that the view is made of is gone.
    #[error("{0}")]
    UnhealthyView(String),
    /// There are as many as there may be.
    #[error("{0}")]
    Quota(String),
    /// Too much is asked at once.
    #[error("{0}")]
    Limit(String),
    /// There are as many tags as there may be.
    #[error("{0}")]
    TooManyTags(String),
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Decimal(error) => Self::internal(error),
            error @ QueryError::Reservations(_) => {
                CostExplorerRefusal::DataUnavailable(error.to_string()).into()
            }
            error => CostExplorerRefusal::Invalid(error.to_string()).into(),
        }
    }
}

impl MonthOf {
    fn asked(&self) -> Month<'_> {
        let facts = self.run.as_ref().map(|run| &run.facts);
        Month { period: self.period, facts, scopes: &self.scopes, estimated: self.estimated }
    }
}

/// The months of a question with their facts, of one moment.
pub struct Months {
    /// Whose cost is asked for.
    pub view: View,
    /// The cost categories that may be asked for: those that were named when the months were taken, and the view's own.
    categories: CategoriesAsked,
    months: Vec<MonthOf>,
}

struct MonthOf {
    period: BillingPeriod,
    estimated: bool,
    run: Option<RunOfMonth>,
    scopes: Vec<Scope>,
}

/// The run that a month shows.
struct RunOfMonth {
    id: String,
    /// Its facts, under the cost categories that were asked for.
    facts: MonthFacts,
    /// What these are known by.
    categories_known_by: Vec<String>,
}

impl Months {
    /// The months that have facts.
    pub fn known(&self) -> impl Iterator<Item = BillingPeriod> {
        self.months.iter().filter(|month| month.run.is_some()).map(|month| month.period)
    }

    /// The runs that they show, and what else an answer follows from: cost categories, the parts of a custom view.
    #[must_use]
    pub fn runs(&self) -> Vec<String> {
        let runs = self.months.iter().filter_map(|month| month.run.as_ref());
        let runs = runs.flat_map(|run| std::iter::once(&run.id).chain(&run.categories_known_by)).cloned();
        runs.chain(self.view.parts_known_by()).collect()
    }

    /// The cost allocation tags that the runs keep, as cost files write them, each with the last month that keeps it.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, BillingPeriod> {
        let of = |month: &MonthOf| month.run.as_ref().map(|run| (month.period, run.facts.tags.clone()));
        let tags = self.months.iter().filter_map(of);
        tags.flat_map(|(period, tags)| tags.into_iter().map(move |tag| (tag, period))).collect()
    }

    /// The cost categories that the runs keep, and those that were defined and asked for.
    #[must_use]
    pub fn cost_categories(&self) -> BTreeSet<String> {
        let runs = self.months.iter().filter_map(|month| month.run.as_ref());
        runs.flat_map(|run| run.facts.cost_category_names()).map(str::to_owned).collect()
    }

    fn asked(&self) -> Vec<Month<'_>> {
        self.months.iter().map(MonthOf::asked).collect()
    }

    /// The answer to a query about days of these months.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::Invalid`] with what the months cannot tell.
    pub async fn answer(self: &Arc<Self>, query: &Query) -> Answer<Vec<Slice>> {
        self.check(query)?;
        let query = query.clone();
        self.summed(move |months| Ok(answer::answer(&months.asked(), &query)?)).await
    }

    /// Has something summed on a thread that may take its time: many ways of a view over many months take seconds.
    async fn summed<T: Send + 'static>(
        self: &Arc<Self>,
        sum: impl FnOnce(&Self) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let months = self.clone();
        tokio::task::spawn_blocking(move || sum(&months)).await.map_err(Error::internal)?
    }

    /// What was bought and used of the reservations that a filter picks, time after time; the payer's own, whoever asks.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::DataUnavailable`] where a month cannot tell, [`CostExplorerRefusal::Invalid`] where it cannot by day.
    pub fn reservations(
        &self,
        days: &Range<i32>,
        granularity: Granularity,
        filter: Option<&Expression>,
    ) -> Answer<Vec<ReservedSlice<'_>>> {
        Ok(reservations::answer(&self.asked(), days, granularity, filter)?)
    }

    /// A page of the answer: so many rows from a place on, and the place where the next page begins. Later months are not looked at.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::Invalid`] with what the months cannot tell.
    pub async fn answer_from(
        self: &Arc<Self>,
        query: &Query,
        from: PageFrom,
        rows_max: usize,
    ) -> Answer<(Vec<Slice>, Option<PageFrom>)> {
        self.check(query)?;
        let days = from.day.unwrap_or(query.days.start)..query.days.end;
        let query = Query { days, ..query.clone() };
        self.summed(move |months| months.page_from(&query, from, rows_max)).await
    }

    fn page_from(
        &self,
        query: &Query,
        from: PageFrom,
        rows_max: usize,
    ) -> Answer<(Vec<Slice>, Option<PageFrom>)> {
        let (mut slices, mut room, mut skip) = (Vec::new(), rows_max, from.row);
        for month in &self.asked() {
            for mut slice in answer::answer(std::slice::from_ref(month), query)? {
                let begin = slice.days.start;
                slice.rows.drain(..skip.min(slice.rows.len()));
                if room == 0 {
                    return Ok((slices, Some(PageFrom { day: Some(begin), row: skip })));
                }
                if slice.rows.len() > room {
                    slice.rows.truncate(room);
                    slices.push(slice);
                    return Ok((slices, Some(PageFrom { day: Some(begin), row: skip + room })));
                }
                // A time without groups takes room, too.
                room -= slice.rows.len().max(1);
                skip = 0;
                slices.push(slice);
            }
        }
        Ok((slices, None))
    }

    /// The values that the first key of a query has, each with the sum of its first metric; in the order of texts.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::Invalid`] with what the months cannot tell.
    pub async fn values(
        self: &Arc<Self>,
        query: &Query,
    ) -> Answer<Vec<(String, Option<billing::money::Cost>)>> {
        self.check(query)?;
        let query = query.clone();
        self.summed(move |months| Ok(answer::values_of(&months.asked(), &query)?)).await
    }

    /// Whether everything that a query names may be asked of the view.
    fn check(&self, query: &Query) -> Answer<()> {
        let (group_by, filter) = (&query.group_by, query.filter.as_ref());
        if let Some(dimension) = lines::of_lines(group_by, filter).first() {
            let message = format!(
                "{} is told by lines alone; ask GetCostAndUsageWithResources for it",
                dimension.name()
            );
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        self.check_keys(group_by, filter)
    }

    /// Whether some keys may be asked of the view.
    fn check_keys(&self, group_by: &[Key], filter: Option<&Expression>) -> Answer<()> {
        let conditions = filter.into_iter().flat_map(|filter| filter.conditions());
        for key in group_by.iter().chain(conditions.map(|condition| &condition.key)) {
            if !self.categories.has(key) {
                // Of a cost category that nobody has applied all lines would be told to have no value.
                return Err(Error::internal(format!("{key} was not named when the months were taken")));
            }
            if let Key::Dimension(dimension) = key
                && !self.view.is_primary()
                && !dimension.is_for_customers()
            {
                let message = format!(
                    "{} is not known in a billing view that has a billing group's pro forma, whose bill has no accounts and commitments of others; leave it out",
                    dimension.name()
                );
                return Err(CostExplorerRefusal::Invalid(message).into());
            }
        }
        Ok(())
    }
}

impl BackOffice {
    /// Answers a question about costs. What a caller does not see is not summed: a customer's amounts are what its own billing groups are charged, in every
    /// metric, and views of others are denied.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::CostExplorer`].
    pub async fn cost_and_usage(&self, caller: &Caller, question: &Question) -> Answer<Answered> {
        let days = question.query.days.clone();
        let categories = CategoriesAsked::of(&question.query.group_by, question.query.filter.as_ref());
        let months = self.months_of(caller, question.billing_view.as_deref(), days, categories).await?;
        Ok(Answered { slices: months.answer(&question.query).await?, runs: months.runs() })
    }

    /// The months of some days, counted since 1970-01-01 and the last one excluded, as a caller sees them through a view, under the cost categories that will be asked
    /// for: no others are looked at.
    ///
    /// # Errors
    /// [`Error::Denied`], [`CostExplorerRefusal::DataUnavailable`] where no month has been priced.
    pub async fn months_of(
        &self,
        caller: &Caller,
        view: Option<&str>,
        days: Range<i32>,
        categories: CategoriesAsked,
    ) -> Answer<Arc<Months>> {
        let view = self.billing_view(caller, view).await?;
        let categories = categories.and(view.filters());
        let periods = periods(days)?;
        let payer = &caller.payer;
        let state = self.state(payer).await?;
        let mut run_of = self.runs_of_periods(payer).await?;
        // Folders that are to be read stay; those that were superseded before are not read.
        let is_at_hand = |period| run_of.get(period).is_none_or(|run| self.0.facts.has(run));
        let reading = match periods.iter().all(is_at_hand) {
            true => None,
            false => Some(self.reading().await?),
        };
        if reading.is_some() {
            run_of = self.runs_of_periods(payer).await?;
        }
        let definitions = self.cost_categories(payer).await?;
        let names = AccountNames::of(&state.configuration.family);
        let mut months = Vec::with_capacity(periods.len());
        for period in periods {
            let estimated = !state.configuration.is_closed(period);
            let mut month = MonthOf { period, estimated, run: None, scopes: Vec::new() };
            if let Some(id) = run_of.get(&period) {
                let needed = definitions.of_month(period, &names).needed(&categories)?;
                if let Some((of_run, facts)) = self.facts_under(payer, id, &needed).await? {
                    month.scopes = view.seen(&of_run);
                    let categories_known_by = needed.into_iter().map(|of| of.known_by).collect();
                    month.run = Some(RunOfMonth { id: id.clone(), facts, categories_known_by });
                }
            }
            months.push(month);
        }
        check_ways(&months)?;
        if months.iter().all(|month| month.run.is_none()) {
            let (first, last) = (months.first().map(|of| of.period), months.last().map(|of| of.period));
            let asked: BTreeSet<String> = first.into_iter().chain(last).map(|of| of.to_string()).collect();
            let asked = asked.into_iter().collect::<Vec<_>>().join(" to ");
            let message = format!(
                "no cost data of {asked} has been priced; import the cost files of these months first"
            );
            return Err(CostExplorerRefusal::DataUnavailable(message).into());
        }
        Ok(Arc::new(Months { view, categories, months }))
    }

    /// The run that each period shows.
    async fn runs_of_periods(&self, payer: &AccountId) -> Answer<BTreeMap<BillingPeriod, String>> {
        let current = self.0.store.current_runs(payer).await.map_err(Error::internal)?;
        Ok(current.into_iter().map(|current| (current.period, current.run)).collect())
    }

    /// The names that some accounts have in the organization.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn account_names<'a>(
        &self,
        caller: &Caller,
        accounts: impl IntoIterator<Item = &'a String>,
    ) -> Answer<BTreeMap<&'a str, String>> {
        let current = self.current(&caller.payer).await?;
        let named = accounts.into_iter().filter_map(|account| {
            let of_family = current.family.get(&AccountId::parse(account)?)?;
            Some((account.as_str(), of_family.name.clone()?))
        });
        Ok(named.collect())
    }
}

/// Whether so much may be summed at once.
fn check_ways(months: &[MonthOf]) -> Answer<()> {
    let ways: usize = months.iter().map(|month| month.scopes.len()).sum();
    if ways <= WAYS_OF_MONTHS_MAX {
        return Ok(());
    }
    let message = format!(
        "the billing view leads to what is charged by {ways} ways in these {} months together, at most {WAYS_OF_MONTHS_MAX} can be summed at once; ask for fewer months",
        months.len()
    );
    Err(CostExplorerRefusal::Invalid(message).into())
}

/// The billing periods of some days.
fn periods(days: Range<i32>) -> Answer<Vec<BillingPeriod>> {
    let mut periods = vec![Clock::period_of_day(days.start)];
    let last = Clock::period_of_day(days.end.saturating_sub(1));
    while let Some(period) = periods.last().copied().filter(|period| *period < last) {
        if periods.len() >= MONTHS_MAX {
            let message = format!("the time period has more than {MONTHS_MAX} months; ask for fewer at once");
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        periods.push(period.next());
    }
    Ok(periods)
}
