//! `proforma-organization`: reads an organization through AWS's API and writes it to standard output, as `proforma sync organization --file` reads it.
//!
//! `proforma sync organization` and the schedule of `proforma serve` start it, so that neither carries the AWS SDK. It only reads at AWS.

mod journal;
mod walk;

use adopt::connection::Connection;
use adopt::failure::status;
use adopt::say;
use anyhow::Context;
use clap::Parser;
use journal::Journal;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

const EXAMPLES: &str = "\
Credentials, profile and endpoint are found as by every AWS tool. Nothing is changed at AWS.
The caller needs organizations:Describe* and organizations:List*.

Example:
  proforma-organization --profile payer > organization.json

Exit status: 0 read, 2 the input is not right, or AWS refuses what the credentials ask for, 1 anything else.";

/// Read an organization through AWS's API, and print it as JSON.
#[derive(Debug, Parser)]
#[command(name = "proforma-organization", version, after_help = EXAMPLES)]
struct Arguments {
    /// The AWS profile to read with; by default as AWS_PROFILE and the environment say.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Another place that answers AWS's API.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A file that keeps what was read as long as it is not all: a second call goes on there.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// For how long a second call goes on with what was read, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(i64).range(0..))]
    believed: i64,
}

fn main() -> ExitCode {
    match read(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say!("error: {error:#}");
            ExitCode::from(status(&error))
        }
    }
}

fn read(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut journal = Journal::open(arguments.journal, now()?, arguments.believed)?;
    let draft = runtime.block_on(async {
        let connection = Connection::of_profile(arguments.endpoint, arguments.profile.as_deref()).await?;
        walk::read(&connection.organizations(), &mut journal).await
    })?;
    let text = book_file::organization::write(&draft);
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output is closed")?;
    journal.remove();
    Ok(())
}

/// The machine's clock, in seconds since 1970-01-01T00:00:00Z.
fn now() -> anyhow::Result<i64> {
    // The one place that reads the clock.
    #[allow(clippy::disallowed_methods)]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    i64::try_from(since.as_secs()).context("the clock is not right")
}
