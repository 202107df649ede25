//! AWS's list of its invoices: answers of `ListInvoiceSummaries` as the AWS CLI or an SDK prints them, or a table whose columns are members of that shape.
//!
//! [`read`] is the one reader. What it gives is seen in three ways: as AWS's members, to be kept and listed again; as a [`Summary`], to be matched with
//! purchase orders; and as [`Summary::listed`], to be held against cost files. Source: AWS invoicing API reference, `InvoiceSummary`.

mod json;
mod summary;
mod table;

pub use json::Value;
pub use summary::{BillType, Charged, Money, Summary};
pub use table::columns;

use billing::instant::{month_of, printed_instant};
use std::fmt;

/// What `IssuedDate` and `DueDate` are to be written like.
const AS_A_DATE: &str = "write it as 2026-11-03, or with its time as 2026-11-03T12:00:00Z";
/// Members that are instants.
const INSTANTS: [&str; 2] = ["IssuedDate", "DueDate"];

/// The summaries of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Each in the order of the file, or what is wrong with it.
    pub found: Vec<Found>,
    /// Whether the list goes on where the file ends.
    pub is_cut: bool,
}

/// What to know of a list that is cut.
pub const CUT: &str = "the list is cut: it ends with a `NextToken`, so AWS has more invoices than it lists; fetch the rest with `--starting-token`, or all of it without `--max-items`";

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands.
    pub place: Place,
    /// Its members, with instants as whole seconds since 1970-01-01T00:00:00Z; or everything that cannot be read of it.
    pub summary: Result<Value, Vec<String>>,
}

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The row of a table; the first row has the names.
    Row(usize),
    /// A path in JSON.
    Path(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "row {row}"),
            Self::Path(path) => f.write_str(path),
        }
    }
}

/// Why a file is no list of invoices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoList {
    /// There is nothing in it.
    #[error("the file is empty, not even an answer without invoices; was it downloaded whole?")]
    Empty,
    /// It begins as JSON does and is none.
    #[error("the file is no JSON: {0}")]
    Json(String),
    /// It is JSON of something else.
    #[error(
        "the file has no `InvoiceSummaries`: {0}; give answers of `aws invoicing list-invoice-summaries`"
    )]
    Another(String),
    /// It is no table.
    #[error("the file is no CSV: {0}")]
    Csv(String),
    /// It is a table of something else.
    #[error("{0}")]
    Columns(String),
}

/// Whether a text begins as JSON does. What does not is a table.
#[must_use]
pub fn is_json(text: &str) -> bool {
    without_mark(text).trim_start().starts_with(['{', '['])
}

/// Reads answers of `ListInvoiceSummaries`: one, a list of them, several one after the other, a list of summaries; or CSV, where it does not begin as JSON
/// does. `needed` are columns without which a table cannot be used.
///
/// # Errors
/// [`NoList`]. What is wrong with an entry is said in its place.
pub fn read(text: &str, needed: &[&str]) -> Result<Listing, NoList> {
    let text = without_mark(text);
    if text.trim().is_empty() {
        return Err(NoList::Empty);
    }
    let mut listing = if is_json(text) { json::read(text)? } else { table::read(text, needed)? };
    for found in &mut listing.found {
        if let Ok(summary) = &mut found.summary {
            let mistakes = settle_instants(summary);
            if !mistakes.is_empty() {
                found.summary = Err(of_invoice(summary, mistakes));
            }
        }
    }
    Ok(listing)
}

/// Mistakes with the invoice that they are of, where it has an id: a place alone is hard to find in a long list.
fn of_invoice(summary: &Value, mut mistakes: Vec<String>) -> Vec<String> {
    if let Some(Value::Text(id)) = summary.get("InvoiceId").filter(|id| id.text().is_some()) {
        let shown = Value::Text(id.clone()).shown();
        mistakes.iter_mut().for_each(|mistake| mistake.push_str(&format!(" (invoice `{shown}`)")));
    }
    mistakes
}

/// A mark of the byte order, as spreadsheets write one, is none of the text.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Makes instants whole seconds, and says which cannot be read. An empty one is none.
fn settle_instants(summary: &mut Value) -> Vec<String> {
    let Value::Map(members) = summary else { return Vec::new() };
    let mut mistakes = Vec::new();
    for name in INSTANTS {
        let Some(instant) = members.get_mut(name) else { continue };
        let seconds = match &*instant {
            Value::Null => continue,
            Value::Text(text) if text.trim().is_empty() => {
                members.remove(name);
                continue;
            }
            Value::Text(text) => printed_instant(text.trim()).or_else(|| whole_seconds(text.trim())),
            Value::Number(number) => whole_seconds(number),
            Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        };
        // Milliseconds, which some programs count in, would be a time after all months.
        match seconds.filter(|seconds| month_of(*seconds).is_some()) {
            Some(seconds) => *instant = Value::Number(seconds.to_string()),
            None => mistakes.push(format!("{name}: `{}` is no date; {AS_A_DATE}", instant.shown())),
        }
    }
    mistakes
}

/// The second that a number of seconds is in: `1793577600.0`, and `1.7935776E9` of programs in Java.
fn whole_seconds(text: &str) -> Option<i64> {
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    // An instant has ten digits; more than a few zeros behind them are no time of an invoice.
    let exponent: usize =
        exponent.strip_prefix('+').unwrap_or(exponent).parse().ok().filter(|by| *by < 19)?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let moved = part.chars().chain(std::iter::repeat('0')).take(exponent);
    let seconds: i64 = whole.chars().chain(moved).collect::<String>().parse().ok()?;
    let has_part = part.chars().skip(exponent).any(|digit| digit != '0');
    // Half a second before 1970 is in the second that begins at -1.
    Some(if is_negative { -seconds - i64::from(has_part) } else { seconds })
}

#[cfg(test)]
mod tests;
