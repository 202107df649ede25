//! Who reads the organization at AWS: the program `proforma-organization`, which carries AWS's SDK, as another process.

use super::aws_reader::{aws_reader, printed};
use super::organization::journal_name;
use crate::failure::Failure;
use back_office::organization_sync::OrganizationReader;
use billing::account::AccountId;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, Stdio};

/// The program, beside this one or on the path.
const PROGRAM: &str = "proforma-organization";

/// What to read with.
pub struct Reading<'a> {
    /// The profile of the credentials; `None` takes those that every AWS tool finds.
    pub profile: Option<&'a str>,
    /// Another place that answers the API.
    pub endpoint: Option<&'a str>,
    /// Where a reading that is broken off goes on.
    pub journal: Option<&'a Path>,
}

impl Reading<'_> {
    fn command(&self) -> (PathBuf, Command) {
        let (program, mut command) = aws_reader(PROGRAM, self.profile, self.endpoint);
        if let Some(journal) = self.journal {
            command.arg("--journal").arg(journal);
        }
        (program, command)
    }
}

/// Reads an organization; how far it is goes to standard error.
pub fn read_at_aws(reading: &Reading<'_>) -> Result<String, Failure> {
    printed(reading.command(), "nothing has changed")?.ok_or_else(|| {
        Failure::input("the organization was not read; nothing has changed")
            .hint("once that is put right, the same command goes on where it was")
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
}

impl OrganizationReader for ServerReader {
    fn read(&self, payer: &AccountId) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> {
        let journal = self.data.join(journal_name(Some(payer.as_str())));
        let reading = Reading {
            profile: self.profiles.get(payer).map(String::as_str),
            endpoint: self.endpoint.as_deref(),
            journal: Some(&journal),
        };
        let (program, mut command) = reading.command();
        command.stderr(Stdio::piped());
        Box::pin(async move {
            let started = tokio::task::spawn_blocking(move || command.output()).await;
            let ended = started.map_err(|error| error.to_string())?;
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
