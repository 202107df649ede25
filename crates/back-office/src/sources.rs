//! The places of cost files: registering them, looking at those that are watched, and forgetting them.

use crate::changes::new_run;
use crate::clock::machine_milliseconds;
use crate::cost_roots::Bounds;
use crate::data_directory;
use crate::desk::{BackOffice, WriteRequest};
use crate::engine::{CostSource, Engine, EngineError};
use crate::error::{Answer, Error, refused};
use crate::hash::sha256;
use crate::periods::{closed_unpriced, is_unsealed};
use crate::transaction::{Attempt, State};
use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use store::{Outcome, RunRow, RunState, Write};

pub use store::SourceRow;

/// How long a watched place that could not be read rests; after each further failure twice as long, up to a day.
const READ_AGAIN: Duration = Duration::from_secs(3_600);
const READ_AGAIN_MAX: Duration = Duration::from_secs(86_400);
const PAUSES_DOUBLED: usize = 5;
/// How many runs of a period are looked through for those that have read a place.
const RUNS_LOOKED_AT: usize = 100;

/// Cost files that somebody registers.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// Where they are.
    pub inputs: Vec<PathBuf>,
    /// AWS's price list for them.
    pub price_list: Option<PathBuf>,
    /// Only this period of them; `None` is every period that the place has.
    pub period: Option<BillingPeriod>,
    /// Whether the place is looked at again and again.
    pub is_watched: bool,
    /// Whether the place never changes what it has.
    pub is_immutable: bool,
    /// Whether rows that cannot be read are left out.
    pub accept_rejects: bool,
}

impl BackOffice {
    /// Registers cost files and queues a run of each of their periods, but of those that were closed before they were ever priced. The answer
    /// names the source and the periods.
    ///
    /// # Errors
    /// [`Error::Refused`] where there are no cost files, none that can still be priced, or a request may not name the place.
    pub async fn import(
        &self,
        request: &WriteRequest<'_>,
        new: NewSource,
    ) -> Answer<(String, Vec<BillingPeriod>)> {
        let payer = &request.caller.payer;
        let (only, bounds) = (new.period, self.bounds(payer, self.0.options.cost_roots.is_some()));
        let named = CostSource {
            inputs: new.inputs.clone(),
            price_list: new.price_list.clone(),
            ..CostSource::default()
        };
        let is_watched = new.is_watched;
        let found = self.ask_engine(move |engine| {
            let inputs = bounds.checked(named)?.inputs;
            let periods = only.map_or_else(|| engine.periods(&inputs), |period| Ok(vec![period]))?;
            // A place that cannot be listed now has been seen by nobody: its run says so, and what it has one day is news.
            let prints = is_watched.then(|| fingerprints(engine, &inputs, &periods).ok()).flatten();
            Ok((periods, prints))
        });
        let (periods, prints) = found.await?;
        if periods.is_empty() {
            return Err(refused("the place has no cost files of any billing period"));
        }
        let id = source_id(&new);
        let row = SourceRow {
            id: id.clone(),
            inputs: new.inputs.iter().map(|input| input.display().to_string()).collect(),
            price_list: new.price_list.as_ref().map(|place| place.display().to_string()),
            is_watched: new.is_watched,
            is_immutable: new.is_immutable,
            accepts_rejects: new.accept_rejects,
            period: new.period,
            // Its run reads what is there now. Else the first look would have it read again, over what was imported from elsewhere meanwhile.
            fingerprint: prints.as_ref().map(print_text),
            checked_at_ms: None,
            problem: None,
            created_at_ms: machine_milliseconds(),
            is_confined: self.0.options.cost_roots.is_some(),
        };
        let (row, source, found) = (&row, &id, &periods);
        let queued = self
            .transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                write.put_source(row.clone()).await?;
                let queued = queue(&state, &mut write, found, source).await?;
                if let (true, Some(period)) = (queued.is_empty(), found.last()) {
                    return Err(refused(closed_unpriced(*period)).into());
                }
                Ok((state.commit(write, [request.done(source)]).await?, queued))
            })
            .await?;
        self.0.wake.notify_one();
        Ok((id, queued))
    }

    /// The registered places of a payer's cost files.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn sources(&self, payer: &AccountId) -> Answer<Vec<SourceRow>> {
        self.0.store.sources(payer).await.map_err(Error::internal)
    }

    /// Forgets a place. What was read from it stays.
    ///
    /// # Errors
    /// [`Error::Refused`] where it is not registered.
    pub async fn remove_source(&self, request: &WriteRequest<'_>, id: &str) -> Answer<()> {
        let payer = &request.caller.payer;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            if !write.remove_source(id).await? {
                return Err(refused(format!("there is no source `{id}`")).into());
            }
            Ok((state.commit(write, [request.done(id)]).await?, ()))
        })
        .await
    }

    /// Where a payer's places must be. A command at the data directory is the operator's, and reads what is registered, wherever it is.
    fn bounds(&self, payer: &AccountId, is_confined: bool) -> Bounds {
        match &self.0.options.cost_roots {
            Some(roots) if is_confined => Bounds::of(roots, payer),
            _ => Bounds::Anywhere,
        }
    }

    /// Looks at the places that are watched; what has changed since is queued to be read. What it finds wrong is kept beside the source.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn look_at_sources(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            let payer = payer.payer;
            let sources = self.0.store.sources(&payer).await.map_err(Error::internal)?;
            for source in sources.into_iter().filter(|source| source.is_watched) {
                self.look_at(&payer, &source).await?;
            }
        }
        Ok(())
    }

    async fn look_at(&self, payer: &AccountId, source: &SourceRow) -> Answer<()> {
        let (only, registered) = (source.period, self.registered(payer, source.clone()));
        let found = self
            .engine(move |engine| {
                let CostSource { inputs, .. } = registered.checked()?;
                let periods = match only {
                    Some(period) => vec![period],
                    None => engine.periods(&inputs)?,
                };
                fingerprints(engine, &inputs, &periods)
            })
            .await;
        let now = machine_milliseconds();
        let prints = match found {
            Ok(prints) => prints,
            Err(error) => {
                let problem = error.to_string();
                let noted = self.0.store.note_source_checked(payer, &source.id, Err(&problem), now).await;
                return noted.map_err(Error::internal);
            }
        };
        let to_read = &self.to_read(payer, source, &prints, now).await?;
        if !to_read.is_empty() {
            self.transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                queue(&state, &mut write, to_read, &source.id).await?;
                Ok((state.commit(write, []).await?, ()))
            })
            .await?;
            self.0.wake.notify_one();
        }
        let text = print_text(&prints);
        self.0.store.note_source_checked(payer, &source.id, Ok(&text), now).await.map_err(Error::internal)
    }

    /// Which periods of a watched place are to be read: those that have changed, and those that could not be read a while ago.
    async fn to_read(
        &self,
        payer: &AccountId,
        source: &SourceRow,
        prints: &Prints,
        now_ms: i64,
    ) -> Answer<Vec<BillingPeriod>> {
        let known: Option<BTreeSet<&str>> = source.fingerprint.as_deref().map(|text| text.lines().collect());
        let closes = self.0.store.closes(payer).await.map_err(Error::internal)?;
        let state = self.state(payer).await?;
        let mut to_read = Vec::new();
        for (period, print) in prints {
            if is_unsealed(&state.configuration, &closes, *period) {
                continue;
            }
            let has_changed = known.as_ref().map(|known| !known.contains(print_line(period, print).as_str()));
            if has_changed == Some(true) || self.is_read_again(payer, source, *period, now_ms).await? {
                to_read.push(*period);
            }
        }
        Ok(to_read)
    }

    /// Whether a watched place is read though nothing is known to have changed there: nobody has seen it yet, or it could not be read, and what
    /// was in the way may be gone, and nobody else will look. Not where the period has been read from another place since, or will be.
    async fn is_read_again(
        &self,
        payer: &AccountId,
        source: &SourceRow,
        period: BillingPeriod,
        now_ms: i64,
    ) -> Answer<bool> {
        let runs = self.0.store.runs_page(payer, Some(period), None, RUNS_LOOKED_AT).await;
        let runs = runs.map_err(Error::internal)?;
        let of_source = |run: &&RunRow| run.asked.reads.as_ref() == Some(&source.id);
        let failed_at_ms = |run: &RunRow| match run.state {
            RunState::Ended { finished_at_ms, outcome: Outcome::Failed { .. }, .. } => Some(finished_at_ms),
            _ => None,
        };
        let reading = runs.iter().filter(|run| run.asked.reads.is_some());
        // What another place has failed with is in nobody's way.
        let mut reading = reading.skip_while(|run| !of_source(run) && failed_at_ms(run).is_some()).peekable();
        if reading.peek().is_some_and(|run| !of_source(run)) {
            return Ok(false);
        }
        let mut failed = reading.filter(of_source).map_while(failed_at_ms);
        let (last, is_unseen) = (failed.next(), source.fingerprint.is_none());
        let Some(last) = last.filter(|_| !is_unseen) else { return Ok(is_unseen) };
        let pause = READ_AGAIN.saturating_mul(1 << failed.count().min(PAUSES_DOUBLED)).min(READ_AGAIN_MAX);
        Ok(last.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)) <= now_ms)
    }

    /// A place that is to be read.
    pub(crate) fn registered(&self, payer: &AccountId, row: SourceRow) -> Registered {
        let pins = data_directory::cost_files(&self.0.options.data, payer);
        let source = CostSource {
            inputs: row.inputs.into_iter().map(PathBuf::from).collect(),
            price_list: row.price_list.map(PathBuf::from),
            pin: (!row.is_immutable).then_some(pins),
            accept_rejects: row.accepts_rejects,
        };
        Registered { bounds: self.bounds(payer, row.is_confined), source }
    }
}

/// A registered place that is to be read.
pub(crate) struct Registered {
    bounds: Bounds,
    source: CostSource,
}

impl Registered {
    /// The place as it may be read now. Asks the file system.
    ///
    /// # Errors
    /// [`EngineError::Input`] where it is out of its bounds by now.
    pub fn checked(self) -> Result<CostSource, EngineError> {
        self.bounds.checked(self.source)
    }
}

/// What was found at a place, in short, by period.
type Prints = BTreeMap<BillingPeriod, String>;

fn fingerprints(
    engine: &dyn Engine,
    inputs: &[PathBuf],
    periods: &[BillingPeriod],
) -> Result<Prints, EngineError> {
    periods.iter().map(|period| Ok((*period, engine.fingerprint(inputs, *period)?))).collect()
}

fn print_line(period: &BillingPeriod, print: &str) -> String {
    format!("{period} {print}")
}

/// What is kept of it beside the source.
fn print_text(prints: &Prints) -> String {
    prints.iter().map(|(period, print)| print_line(period, print)).collect::<Vec<_>>().join("\n")
}

/// Queues runs of the periods of a source that can still be priced; which those are.
async fn queue(
    state: &State,
    write: &mut Write,
    found: &[BillingPeriod],
    source: &str,
) -> Result<Vec<BillingPeriod>, Attempt> {
    let closes = write.closes().await?;
    let is_unsealed = |period: &BillingPeriod| is_unsealed(&state.configuration, &closes, *period);
    let periods: Vec<_> = found.iter().copied().filter(|period| !is_unsealed(period)).collect();
    for period in &periods {
        write.queue_run(new_run(*period, Some(source.to_owned()))?).await?;
    }
    Ok(periods)
}

/// The same places are the same source.
fn source_id(new: &NewSource) -> String {
    let period = new.period.map(|period| period.to_string()).unwrap_or_default();
    let places = new.inputs.iter().map(|input| input.display().to_string()).collect::<Vec<_>>().join("\n");
    sha256(&format!("{period}\n{places}"))[..16].to_owned()
}
