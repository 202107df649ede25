//! The places of cost files: registering them, looking at those that are watched, and forgetting them.

use crate::changes::new_run;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::disk::on_disk;
use crate::engine::CostSource;
use crate::error::{Answer, Error, refused};
use crate::hash::sha256;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use store::SourceRow;

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
    /// Registers cost files and queues a run of each of their periods. The answer names the source and the periods.
    ///
    /// # Errors
    /// [`Error::Refused`] where there are no cost files, or a request may not name the place.
    pub async fn import(
        &self,
        request: &WriteRequest<'_>,
        new: NewSource,
    ) -> Answer<(String, Vec<BillingPeriod>)> {
        for place in new.inputs.iter().chain(&new.price_list) {
            self.check_place(place).await?;
        }
        let periods = match new.period {
            Some(period) => vec![period],
            None => {
                let inputs = new.inputs.clone();
                self.ask_engine(move |engine| engine.periods(&inputs)).await?
            }
        };
        if periods.is_empty() {
            return Err(refused("the place has no cost files of any billing period"));
        }
        let id = source_id(&new);
        let payer = &request.caller.payer;
        let row = SourceRow {
            id: id.clone(),
            inputs: new.inputs.iter().map(|input| input.display().to_string()).collect(),
            price_list: new.price_list.as_ref().map(|place| place.display().to_string()),
            is_watched: new.is_watched,
            is_immutable: new.is_immutable,
            accepts_rejects: new.accept_rejects,
            period: new.period,
            fingerprint: None,
            checked_at_ms: None,
            problem: None,
            created_at_ms: machine_milliseconds(),
        };
        let (row, source, asked) = (&row, &id, &periods);
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            write.put_source(row.clone()).await?;
            for period in asked {
                write.queue_run(new_run(*period, Some(source.clone()))?).await?;
            }
            Ok((state.commit(write, [request.done(source)]).await?, ()))
        })
        .await?;
        self.0.wake.notify_one();
        Ok((id, periods))
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

    /// Whether a request may name a place. The operator's own command line may name any.
    async fn check_place(&self, place: &Path) -> Answer<()> {
        let Some(roots) = self.0.options.cost_roots.clone() else { return Ok(()) };
        let asked = place.to_owned();
        let is_below = on_disk(move || Ok(is_below_any(&asked, &roots))).await;
        if is_below.map_err(Error::internal)? {
            return Ok(());
        }
        let text = place.display();
        Err(refused(format!(
            "`{text}` is below none of the server's cost roots; start it with --cost-roots, or import with --data"
        )))
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
        let inputs: Vec<PathBuf> = source.inputs.iter().map(PathBuf::from).collect();
        let only = source.period;
        let found = self
            .engine(move |engine| {
                let periods = match only {
                    Some(period) => vec![period],
                    None => engine.periods(&inputs)?,
                };
                let mut prints = BTreeMap::new();
                for period in periods {
                    prints.insert(period, engine.fingerprint(&inputs, period)?);
                }
                Ok(prints)
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
        let print_text = |print: (&BillingPeriod, &String)| format!("{} {}", print.0, print.1);
        let text = prints.iter().map(print_text).collect::<Vec<_>>().join("\n");
        let known: BTreeSet<&str> = source.fingerprint.as_deref().unwrap_or_default().lines().collect();
        let changed: Vec<BillingPeriod> = prints
            .iter()
            .filter(|print| !known.contains(print_text((print.0, print.1)).as_str()))
            .map(|(period, _)| *period)
            .collect();
        if !changed.is_empty() {
            let changed = &changed;
            self.transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                for period in changed {
                    write.queue_run(new_run(*period, Some(source.id.clone()))?).await?;
                }
                Ok((state.commit(write, []).await?, ()))
            })
            .await?;
            self.0.wake.notify_one();
        }
        self.0.store.note_source_checked(payer, &source.id, Ok(&text), now).await.map_err(Error::internal)
    }

    /// A place as the engine reads it.
    pub(crate) fn cost_source(&self, payer: &AccountId, row: SourceRow) -> CostSource {
        let pins = self.0.options.data.join("payers").join(payer.as_str()).join("cost-files");
        CostSource {
            inputs: row.inputs.into_iter().map(PathBuf::from).collect(),
            price_list: row.price_list.map(PathBuf::from),
            pin: (!row.is_immutable).then_some(pins),
            accept_rejects: row.accepts_rejects,
        }
    }
}

/// Whether a place is below one of some roots.
fn is_below_any(place: &Path, roots: &[PathBuf]) -> bool {
    let text = place.to_string_lossy();
    let goes_up = place.components().any(|part| matches!(part, std::path::Component::ParentDir));
    let is_below = |root: &PathBuf| {
        let root_text = root.to_string_lossy();
        match root_text.contains("://") {
            true => text == root_text || text.starts_with(&format!("{}/", root_text.trim_end_matches('/'))),
            // A link must not lead out of the root.
            false => std::fs::canonicalize(place)
                .ok()
                .zip(std::fs::canonicalize(root).ok())
                .is_some_and(|(place, root)| place.starts_with(root)),
        }
    };
    !goes_up && roots.iter().any(is_below)
}

/// The same places are the same source.
fn source_id(new: &NewSource) -> String {
    let period = new.period.map(|period| period.to_string()).unwrap_or_default();
    let places = new.inputs.iter().map(|input| input.display().to_string()).collect::<Vec<_>>().join("\n");
    sha256(&format!("{period}\n{places}"))[..16].to_owned()
}
