//! `proforma-adopt`: reads an AWS Billing Conductor set-up through its API and writes it down as a book file.
//!
//! A program of its own, so that nobody builds or loads the AWS SDK who does not want it; `proforma adopt` starts it. It only reads at AWS.

mod book;
mod draft;
mod number;
mod set_up;

use adopt::connection::Connection;
use adopt::say;
use anyhow::{Context, bail};
use billing::period::BillingPeriod;
use clap::Parser;
use set_up::SetUp;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

const EXAMPLES: &str = "\
Credentials, profile and endpoint are found as by every AWS tool. Nothing is changed at AWS.
The caller needs billingconductor:List* and billingconductor:GetBillingTransferPreference.

Examples:
  proforma adopt --out book.toml
  AWS_PROFILE=payer proforma adopt --period 2026-10 --out book.toml";

/// Read an AWS Billing Conductor set-up through its API, and write it down as a book.
#[derive(Debug, Parser)]
#[command(name = "proforma-adopt", bin_name = "proforma adopt", version, after_help = EXAMPLES)]
struct Arguments {
    /// The book to write, as TOML; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The billing period; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// Another place that answers AWS's API.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
}

fn main() -> ExitCode {
    match adopt(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            say!("error: {error:#}");
            say!("nothing was written");
            ExitCode::FAILURE
        }
    }
}

/// Reads, checks and writes; whether there is a book.
fn adopt(arguments: Arguments) -> anyhow::Result<bool> {
    let out = &arguments.out;
    if out.symlink_metadata().is_ok() {
        bail!("`{}` exists already; name another file with --out, or remove it", out.display());
    }
    if !book::folder(out).is_dir() {
        bail!("`{}` is not a folder; make it, or name another file with --out", book::folder(out).display());
    }
    let current = current_period()?;
    let period = arguments.period.as_deref().map(BillingPeriod::parse).transpose().context("--period")?;
    let period = period.unwrap_or(current);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let set_up = runtime.block_on(async {
        let connection = Connection::new(arguments.endpoint).await?;
        set_up::read(&connection.billing_conductor(), period, async || connection.caller_account().await)
            .await
    })?;
    say!("read {}", counts(&set_up));
    let (book, notices, warnings) = match book::write(&set_up, current) {
        Ok(written) => written,
        Err(problems) => {
            problems.iter().for_each(|problem| say!("error: {problem}"));
            say!("hint: put it right where it was read, and adopt again");
            say!("nothing was written");
            return Ok(false);
        }
    };
    notices.iter().for_each(|notice| say!("note: {notice}"));
    warnings.iter().for_each(|warning| say!("warning: {warning}"));
    book::save(out, &book)?;
    say!("wrote {}", out.display());
    Ok(true)
}

/// What was read, in numbers.
fn counts(set_up: &SetUp) -> String {
    let SetUp { period, payer, groups, accounts, rules, plans, items, transferred, .. } = set_up;
    let accounts = accounts.len() + transferred.values().map(Vec::len).sum::<usize>();
    format!(
        "of payer {payer} in {period}: {} billing groups, {accounts} accounts, {} pricing plans, {} pricing rules, {} custom line items",
        groups.len(),
        plans.len(),
        rules.len(),
        items.len(),
    )
}

/// The month of the machine's clock, in UTC.
fn current_period() -> anyhow::Result<BillingPeriod> {
    // The one place that reads the clock.
    #[allow(clippy::disallowed_methods)]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let now = i64::try_from(since.as_secs()).context("the clock is not right")?;
    let mut period = BillingPeriod::first();
    while period.end_seconds() <= now {
        period = period.next();
    }
    Ok(period)
}

#[cfg(test)]
mod tests;
