//! Who reads the organization at AWS: the program `proforma-organization`, which carries AWS's SDK, as another process.

use super::aws_reader::{Credentials, aws_reader, printed};
use super::organization::journal_name;
use crate::failure::Failure;
use back_office::organization_sync::OrganizationReader;
use billing::account::AccountId;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::process::Child;

/// The program, beside this one or on the path.
const PROGRAM: &str = "proforma-organization";

/// How long a server believes what was read, in limits of a reading with the pause after it; an hour where that is longer, as of a person's reading.
const BELIEVED_LIMITS: u32 = 4;
const PAUSE: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(3_600);

/// What to read with.
pub struct Reading<'a> {
    /// Whose credentials.
    pub credentials: Credentials<'a>,
    /// Another place that answers the API.
    pub endpoint: Option<&'a str>,
    /// Where a reading that is broken off goes on.
    pub journal: Option<&'a Path>,
    /// For how long it does, where that is not as the reader has it.
    pub believed: Option<Duration>,
}

impl Reading<'_> {
    fn command(&self) -> (PathBuf, Command) {
        let (program, mut command) = aws_reader(PROGRAM, self.credentials, self.endpoint);
        if let Some(journal) = self.journal {
            command.arg("--journal").arg(journal);
        }
        if let Some(believed) = self.believed {
            command.arg("--believed").arg(believed.as_secs().to_string());
        }
        (program, command)
    }
}

/// Reads an organization; how far it is goes to standard error.
pub fn read_at_aws(reading: &Reading<'_>) -> Result<String, Failure> {
    printed(reading.command(), "nothing has changed")?.ok_or_else(|| {
        let refused = Failure::input("the organization was not read; nothing has changed")
            .hint("once that is put right, the same command goes on where it was");
        reading.credentials.hinted(refused)
    })
}

/// Reads for a server, by the profile of each payer.
pub struct ServerReader {
    /// The data directory, for readings that are broken off.
    pub data: PathBuf,
    /// The profile of a payer, where it has one of its own.
    pub profiles: BTreeMap<AccountId, String>,
    /// Another place that answers the API.
    pub endpoint: Option<String>,
    /// How long one reading may take.
    pub time_limit: Duration,
}

impl ServerReader {
    /// For how long what was read is believed. A reading that the limit ends is followed by another one after a pause: an organization that takes as long as several limits is read at last.
    fn believed(&self) -> Duration {
        (BELIEVED_LIMITS * (self.time_limit + PAUSE)).max(HOUR)
    }
}

/// The readers that run, with all that they have started: a process group, which ends when nobody waits for it any more. A profile's `credential_process` may hang like AWS.
struct Group(Option<Pid>);

impl Group {
    /// Of a process that leads one.
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // What has ended by itself is not there any more.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl OrganizationReader for ServerReader {
    fn read(&self, payer: &AccountId) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> {
        let journal = self.data.join(journal_name(Some(payer.as_str())));
        let profile = self.profiles.get(payer);
        let reading = Reading {
            credentials: profile.map_or(Credentials::Found, |profile| Credentials::Profile(profile)),
            endpoint: self.endpoint.as_deref(),
            journal: Some(&journal),
            believed: Some(self.believed()),
        };
        let (program, mut command) = reading.command();
        command.stderr(Stdio::piped());
        // Whoever waits no longer, at the limit or because the server ends, ends the reader.
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true).process_group(0);
        let limit = self.time_limit;
        Box::pin(async move {
            let shown = program.display();
            let reader = command.spawn().map_err(|error| {
                format!("`{shown}` cannot be started: {error}; it is built with `cargo build -p adopt` and stands beside proforma")
            })?;
            let group = Group::of(&reader);
            let ended = tokio::time::timeout(limit, reader.wait_with_output()).await;
            drop(group);
            let ended = ended.map_err(|_| {
                format!(
                    "AWS did not answer to the end within {} seconds (--organization-time-limit); the next reading goes on where this one was",
                    limit.as_secs()
                )
            })?;
            let ended = ended.map_err(|error| format!("`{shown}` broke off: {error}"))?;
            if ended.status.success() {
                return String::from_utf8(ended.stdout).map_err(|error| error.to_string());
            }
            let said = String::from_utf8_lossy(&ended.stderr);
            let last = said.lines().rfind(|line| !line.is_empty()).unwrap_or("it was stopped").to_owned();
            Err(last.trim_start_matches("error: ").to_owned())
        })
    }
}
