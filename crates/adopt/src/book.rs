//! The book file: the draft as text with what is to be known of it, checked as any book, and written whole or not at all.

use crate::draft::{Adopted, adopted};
use crate::set_up::SetUp;
use anyhow::Context;
use billing::period::BillingPeriod;
use book_file::Finding;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// A book's text, what is to be known of it, and what its check warns of.
type Written = (String, Vec<String>, Vec<String>);

/// The book of a set-up.
///
/// # Errors
/// Every problem that stands in the way of a sound book.
pub fn write(set_up: &SetUp, current: BillingPeriod) -> Result<Written, Vec<String>> {
    let Adopted { draft, mut notices } = adopted(set_up)?;
    if set_up.period < current {
        let period = set_up.period;
        notices.push(format!(
            "what begins after {period} is not in the book; leave out --period to read {current}"
        ));
    }
    let text = format!("{}\n{}", heading(set_up, &notices), book_file::write(&draft));
    let no_files = |name: &str| Err(format!("`{name}` is not there"));
    let told = |findings: Vec<Finding>| findings.into_iter().map(message).collect::<Vec<_>>();
    match book_file::parse(Path::new("book.toml"), &text, &no_files) {
        Ok(book) => Ok((text, notices, told(book.warnings))),
        Err(mistakes) => Err(told(mistakes)),
    }
}

/// A finding without its line: there is no file to look into.
fn message(finding: Finding) -> String {
    match finding.what.is_empty() {
        true => finding.message,
        false => format!("{}: {}", finding.what, finding.message),
    }
}

/// Comments at the head of the book.
fn heading(set_up: &SetUp, notices: &[String]) -> String {
    let SetUp { payer, period, .. } = set_up;
    let mut heading = format!("# What AWS Billing Conductor tells of payer {payer} in {period}.\n");
    for notice in notices {
        // A name may hold what no comment may.
        let line: String = notice.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        heading.push_str(&format!("# - {line}\n"));
    }
    heading
}

/// Writes a file that must not be there: whole, or not at all. It holds prices, and only its owner reads it.
///
/// # Errors
/// The file cannot be written, or has come into being meanwhile.
pub fn save(out: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write `{}`", out.display());
    let mut file = NamedTempFile::new_in(folder(out)).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist_noclobber(out).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}

/// The folder that a file is in.
pub fn folder(out: &Path) -> &Path {
    out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
