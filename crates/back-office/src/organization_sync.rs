//! When the organization is read of AWS by itself: every so many hours, or never.
//!
//! Who reads is somebody else ([`OrganizationReader`]); what is read is taken over as if a person had asked for it. An attempt is noted before it is made, so
//! that of several servers one reads; a server that dies in between is followed by another one a while later.

use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::organization::RESOURCE;
use crate::transaction::Attempt;
use billing::account::AccountId;
use billing::configuration::Configuration;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use store::DeskSettingRow;
use tokio::task::{Id, JoinSet};

/// The kind of the setting, and of what became of it last.
const SETTING: &str = "organization-sync";
const STATE: &str = "organization-sync-state";
/// What is read by itself is called, where mistakes are told.
const READ: &str = "organization.json";
/// After how long what has failed is tried again.
const AGAIN_MS: i64 = 15 * 60 * 1_000;
const HOUR_MS: i64 = 3_600_000;
/// How often whoever reads says that it still does: a large organization takes longer than a pause.
const STILL_READING: Duration = Duration::from_secs(5 * 60);

/// How many organizations a server reads at once.
const AT_ONCE: usize = 16;

/// The organizations that a server is reading, one reading of a payer at most; dropping them ends their readings.
#[derive(Debug, Default)]
pub struct Readings {
    tasks: JoinSet<()>,
    payers: HashMap<Id, AccountId>,
    /// The payer whose reading was begun last.
    last: Option<AccountId>,
}

impl Readings {
    /// Forgets those that have ended.
    fn forget_ended(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
            self.payers.remove(&id);
        }
    }

    /// The payers of which none is under way, the one after the last first: who is read slowly takes nobody's turn.
    fn in_turn(&self, mut payers: Vec<AccountId>) -> Vec<AccountId> {
        let after = payers.partition_point(|payer| self.last.as_ref().is_some_and(|last| payer <= last));
        payers.rotate_left(after);
        payers.retain(|payer| !self.payers.values().any(|of| of == payer));
        payers
    }

    fn has_room(&self) -> bool {
        self.payers.len() < AT_ONCE
    }

    fn begin(&mut self, payer: AccountId, reading: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(reading).id();
        self.payers.insert(id, payer.clone());
        self.last = Some(payer);
    }
}

/// Reads the organization of a payer at AWS.
pub trait OrganizationReader: Send + Sync {
    /// Reads it: JSON as [`book_file::organization`] reads it, or why that cannot be. It ends some time, whatever AWS does, and when it is dropped.
    fn read(&self, payer: &AccountId) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    every_hours: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    attempted_at_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_at_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl State {
    /// When the next reading is due. What was begun and did not end is tried again as what has failed is.
    fn next_at_ms(&self, every_hours: u32) -> i64 {
        let has_ended =
            self.problem.is_none() && self.read_at_ms.is_some_and(|at| at >= self.attempted_at_ms);
        let pause = i64::from(every_hours) * HOUR_MS;
        self.attempted_at_ms + if has_ended { pause } else { pause.min(AGAIN_MS) }
    }
}

/// How the organization is read by itself, and what became of it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationSync {
    /// Every so many hours; 0 is never.
    pub every_hours: u32,
    /// When it was begun last, in milliseconds since 1970-01-01T00:00:00Z.
    pub attempted_at_ms: Option<i64>,
    /// When it was read last.
    pub read_at_ms: Option<i64>,
    /// Why it could not be read since.
    pub problem: Option<String>,
}

impl OrganizationSync {
    /// Whether a reading is to begin.
    fn is_due(&self, now: i64) -> bool {
        let next = self.attempted_at_ms.map(|attempted_at_ms| {
            let state = State { attempted_at_ms, read_at_ms: self.read_at_ms, problem: self.problem.clone() };
            state.next_at_ms(self.every_hours)
        });
        self.every_hours > 0 && next.is_none_or(|at| at <= now)
    }
}

fn of<T: for<'d> Deserialize<'d>>(rows: &[DeskSettingRow]) -> Answer<Option<T>> {
    let row = rows.first();
    row.map(|row| serde_json::from_str(&row.body).map_err(Error::internal)).transpose()
}

impl BackOffice {
    /// How the organization of a payer is read by itself.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn organization_sync(&self, payer: &AccountId) -> Answer<OrganizationSync> {
        let rows = async |kind| self.0.store.desk_settings(payer, kind).await.map_err(Error::internal);
        let kept: Option<Kept> = of(&rows(SETTING).await?)?;
        let state: Option<State> = of(&rows(STATE).await?)?;
        let every_hours = kept.map_or(0, |kept| kept.every_hours);
        let Some(State { attempted_at_ms, read_at_ms, problem }) = state else {
            return Ok(OrganizationSync { every_hours, ..OrganizationSync::default() });
        };
        Ok(OrganizationSync { every_hours, attempted_at_ms: Some(attempted_at_ms), read_at_ms, problem })
    }

    /// Says how often the organization is read by itself; 0 is never.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn set_organization_sync(&self, request: &WriteRequest<'_>, every_hours: u32) -> Answer<()> {
        self.once(request, |mut write, _| async move {
            let body = match every_hours {
                0 => String::new(),
                _ => serde_json::to_string(&Kept { every_hours }).map_err(Error::internal)?,
            };
            write.put_desk_setting((SETTING, ""), &body, machine_milliseconds()).await?;
            Ok((write, ()))
        })
        .await
    }

    /// Begins to read the organizations that are due, beside those that are being read already, and waits for none.
    ///
    /// # Errors
    /// [`Error::Internal`] of the payers; one that cannot be read is in the log and in its state, and in the way of no other.
    pub async fn sync_organizations(
        &self,
        reader: &Arc<dyn OrganizationReader>,
        readings: &mut Readings,
    ) -> Answer<()> {
        readings.forget_ended();
        let payers = self.0.store.payers().await.map_err(Error::internal)?;
        let mut payers: Vec<AccountId> = payers.into_iter().map(|of| of.payer).collect();
        payers.sort_unstable();
        for payer in readings.in_turn(payers) {
            if !readings.has_room() {
                break;
            }
            match self.organization_sync(&payer).await {
                Ok(sync) if sync.is_due(machine_milliseconds()) => {}
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(?error, %payer, "whether the organization is to be read could not be seen");
                    continue;
                }
            }
            let (desk, reader, of) = (self.clone(), reader.clone(), payer.clone());
            readings.begin(payer, async move {
                if let Err(error) = desk.sync_organization(&of, &reader).await {
                    tracing::warn!(?error, payer = %of, "the organization could not be taken over");
                }
            });
        }
        Ok(())
    }

    async fn sync_organization(&self, payer: &AccountId, reader: &Arc<dyn OrganizationReader>) -> Answer<()> {
        let now = machine_milliseconds();
        let sync = self.organization_sync(payer).await?;
        let mut begun = State { attempted_at_ms: now, read_at_ms: sync.read_at_ms, problem: sync.problem };
        if !self.take_turn(payer, &begun, sync.every_hours).await? {
            return Ok(());
        }
        let before = self.current(payer).await?;
        let mut reading = reader.read(payer);
        let read = loop {
            if let Ok(read) = tokio::time::timeout(STILL_READING, &mut reading).await {
                break read;
            }
            begun.attempted_at_ms = machine_milliseconds();
            if let Err(error) = self.note_sync(payer, &begun).await {
                tracing::warn!(?error, %payer, "that the organization is still being read could not be noted");
            }
        };
        let applied = match read {
            Ok(text) => self.take_over(payer, &text, &before).await,
            Err(problem) => Err(problem),
        };
        let ended = match applied {
            Ok(()) => State { read_at_ms: Some(machine_milliseconds()), problem: None, ..begun },
            Err(problem) => {
                tracing::warn!(%payer, problem, "the organization could not be read");
                State { problem: Some(problem), ..begun }
            }
        };
        self.note_sync(payer, &ended).await
    }

    /// Takes over what was read since the configuration was as it was `before`; why not, in words.
    async fn take_over(&self, payer: &AccountId, text: &str, before: &Configuration) -> Result<(), String> {
        let caller = Caller { principal: "proforma".to_owned(), ..self.operator(payer, String::new()) };
        let input = format!("{{\"Content\":\"{}\"}}", crate::audit::digest(text));
        let request = WriteRequest {
            caller: &caller,
            action: "proforma:SyncOrganization",
            token: None,
            input: &input,
            resource: RESOURCE,
            period: None,
        };
        match self.apply_read_organization(&request, (READ, text), before).await {
            Ok(_) => Ok(()),
            Err(Error::Refused(refusal)) => Err(refusal.to_string()),
            Err(error) => {
                tracing::error!(?error, "what was read of the organization could not be kept");
                Err("what was read could not be kept; the log says why".to_owned())
            }
        }
    }

    /// Notes that a reading begins, unless another server has meanwhile.
    async fn take_turn(&self, payer: &AccountId, begun: &State, every_hours: u32) -> Answer<bool> {
        let body = serde_json::to_string(begun).map_err(Error::internal)?;
        let (body, now) = (&body, begun.attempted_at_ms);
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            let before: Option<State> = of(&write.desk_settings(STATE).await?)?;
            if before.is_some_and(|before| now < before.next_at_ms(every_hours)) {
                return Ok((state, false));
            }
            write.put_desk_setting((STATE, ""), body, now).await?;
            Ok::<_, Attempt>((state.commit(write, []).await?, true))
        })
        .await
    }

    async fn note_sync(&self, payer: &AccountId, ended: &State) -> Answer<()> {
        let body = serde_json::to_string(ended).map_err(Error::internal)?;
        let body = &body;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            write.put_desk_setting((STATE, ""), body, machine_milliseconds()).await?;
            Ok::<_, Attempt>((state.commit(write, []).await?, ()))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    //! When the next reading is due.

    use super::*;

    #[test]
    fn what_has_failed_is_tried_again_sooner() {
        let state = |read: Option<i64>, problem: Option<&str>| State {
            attempted_at_ms: 1_000,
            read_at_ms: read,
            problem: problem.map(ToOwned::to_owned),
        };
        assert_eq!(state(Some(2_000), None).next_at_ms(6), 1_000 + 6 * HOUR_MS);
        for begun in [state(None, None), state(Some(500), None), state(Some(2_000), Some("no"))] {
            assert_eq!(begun.next_at_ms(6), 1_000 + AGAIN_MS);
        }
    }
}
