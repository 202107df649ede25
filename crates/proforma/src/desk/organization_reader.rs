//! Who reads the organization at AWS: the program `proforma-organization`, which carries AWS's SDK, as another process.

use super::aws_reader::{Credentials, aws_reader, printed};
use super::organization::journal_name;
use crate::failure::Failure;
use back_office::organization_sync::OrganizationReader;
use billing::account::AccountId;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The program, beside this one or on the path.
const PROGRAM: &str = "proforma-organization";

/// What to read with.
pub struct Reading<'a> {
    /// Whose credentials.
    pub credentials: Credentials<'a>,
    /// Another place that answers the API.
    pub endpoint: Option<&'a str>,
    /// Where a reading that is broken off goes on.
    pub journal: Option<&'a Path>,
}

impl Reading<'_> {
    fn command(&self) -> (PathBuf, Command) {
        let (program, mut command) = aws_reader(PROGRAM, self.credentials, self.endpoint);
        if let Some(journal) = self.journal {
            command.arg("--journal").arg(journal);
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

impl OrganizationReader for ServerReader {
    fn read(&self, payer: &AccountId) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> {
        let journal = self.data.join(journal_name(Some(payer.as_str())));
        let profile = self.profiles.get(payer);
        let reading = Reading {
            credentials: profile.map_or(Credentials::Found, |profile| Credentials::Profile(profile)),
            endpoint: self.endpoint.as_deref(),
            journal: Some(&journal),
        };
        let (program, mut command) = reading.command();
        command.stderr(Stdio::piped());
        // Whoever waits no longer, at the limit or because the server ends, ends the reader.
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        let limit = self.time_limit;
        Box::pin(async move {
            let ended = tokio::time::timeout(limit, command.output()).await.map_err(|_| {
                format!(
                    "AWS did not answer to the end within {} seconds (--organization-time-limit); the next reading goes on where this one was",
                    limit.as_secs()
                )
            })?;
            let ended = ended.map_err(|error| {
                let program = program.display();
                format!("`{program}` cannot be started: {error}; it is built with `cargo build -p adopt` and stands beside proforma")
            })?;
            if ended.status.success() {
                return String::from_utf8(ended.stdout).map_err(|error| error.to_string());
            }
            let said = String::from_utf8_lossy(&ended.stderr);
            let last = said.lines().rfind(|line| !line.is_empty()).unwrap_or("it was stopped").to_owned();
            Err(last.trim_start_matches("error: ").to_owned())
        })
    }
}
