//! An organization from a file: CSV, or JSON, with every mistake by line and column; and a draft becomes JSON again ([`write`]).
//!
//! A list, as CSV or JSON, has an entry per account with the path of its unit. A JSON object has units with their ids beside the accounts, and says of the
//! organization what a list cannot: it is what is read of AWS, too.

mod rows;
mod units;
mod written;

use crate::{Finding, is_json};
use billing::account::AccountId;
use billing::instant::printed_instant;
use billing::organization::{AccountDetails, AccountDraft, AccountState, JoinedMethod, OrganizationDraft};
use rows::{Given, Rows, Written};
use std::collections::BTreeMap;
use std::path::Path;
use units::Units;

pub use rows::COLUMNS;
pub use written::write;

/// The most characters of a value that a message shows.
const SHOWN_MAX: usize = 80;

/// Reads an organization from a file's text; the name's ending says whether it is JSON, else it is CSV.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn read(name: &Path, text: &str) -> Result<OrganizationDraft, Vec<Finding>> {
    // Spreadsheets write a mark before UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut mistakes = Mistakes::default();
    let rows =
        if is_json(name) { rows::of_json(text, &mut mistakes) } else { rows::of_csv(text, &mut mistakes) };
    let draft = draft(&rows, &mut mistakes);
    mistakes.0.sort();
    match draft {
        Some(draft) if mistakes.0.is_empty() => Ok(draft),
        _ => Err(mistakes.0),
    }
}

/// What is wrong with a file.
#[derive(Default)]
struct Mistakes(Vec<Finding>);

impl Mistakes {
    fn add(&mut self, (line, column): (usize, usize), message: String) {
        self.0.push(Finding { line, column, what: String::new(), message });
    }

    /// What a value is, or nothing where it is wrong.
    fn take<T>(&mut self, given: Option<&Given>, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let given = given?;
        match parse(&given.text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(given.at, message);
                None
            }
        }
    }
}

fn draft(rows: &Rows, mistakes: &mut Mistakes) -> Option<OrganizationDraft> {
    let mut units = Units::of(rows, mistakes);
    let accounts = accounts(&rows.accounts, &mut units, mistakes);
    let transfers = rows.transfers.as_ref().map(|rows| units::transfers(rows, mistakes));
    if accounts.is_empty() && mistakes.0.is_empty() {
        mistakes.add((1, 1), "no account is in it; write a row for each".to_owned());
    }
    let of = &rows.organization;
    let id = mistakes.take(of.get("id"), organization_id);
    let management_account = mistakes.take(of.get("management_account_id"), |text| {
        account_id(text).map_err(|message| format!("`management_account_id`: {message}"))
    });
    let features = mistakes.take(of.get("feature_set"), units::features);
    let (root, units) = units.finish()?;
    Some(OrganizationDraft {
        id,
        management_account,
        management_email: of.get("management_account_email").map(|given| given.text.clone()),
        features,
        root,
        units,
        accounts,
        transfers,
    })
}

/// The accounts as far as they are sound; each is listed once.
fn accounts(
    rows: &[Written],
    units: &mut Units,
    mistakes: &mut Mistakes,
) -> BTreeMap<AccountId, AccountDraft> {
    let mut accounts = BTreeMap::new();
    let mut lines: BTreeMap<AccountId, usize> = BTreeMap::new();
    for row in rows {
        let id = mistakes.take(Some(&row.needed("account_id")), |text| {
            account_id(text).map_err(|message| format!("`account_id`: {message}"))
        });
        let unit = units.of_account(row, mistakes);
        let state = match row.get("status") {
            Some(given) => mistakes.take(Some(given), state),
            None => Some(AccountState::Active),
        };
        let joined_at = mistakes.take(row.get("joined_timestamp"), |text| instant("joined_timestamp", text));
        let left_at = mistakes.take(row.get("left_timestamp"), |text| instant("left_timestamp", text));
        let joined_method = mistakes.take(row.get("joined_method"), joined_method);
        if let (Some(joined), Some(left)) = (joined_at, left_at)
            && left < joined
        {
            let at = row.get("left_timestamp").map_or(row.at, |given| given.at);
            mistakes.add(at, "`left_timestamp` is before `joined_timestamp`".to_owned());
        }
        let (Some(id), Some(unit), Some(state)) = (id, unit, state) else { continue };
        if let Some(first) = lines.insert(id.clone(), row.at.0) {
            let message =
                format!("account `{id}` is listed twice, in line {first} first; an account is in one unit");
            mistakes.add(row.needed("account_id").at, message);
            continue;
        }
        let details =
            AccountDetails { unit, state, joined_at, joined_method, left_at, tags: row.tags.clone() };
        let text = |column| row.get(column).map(|given| given.text.clone());
        accounts.insert(id, AccountDraft { name: text("account_name"), email: text("email"), details });
    }
    accounts
}

/// An account id as AWS has it.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn account_id(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).filter(AccountId::has_twelve_digits).ok_or_else(|| {
        format!(
            "`{}` is not an account id of twelve digits; spreadsheets drop zeros in front, so keep the column as text",
            excerpt(text)
        )
    })
}

/// The names of the units of a path.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn unit_path(path: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = path.split('/').map(|name| name.trim().to_owned()).collect();
    let sound = |name: &String| !name.is_empty() && !name.chars().any(char::is_control);
    if names.iter().all(sound) {
        return Ok(names);
    }
    Err(format!(
        "`{}` has a part that is empty or has control characters; write it as Root/Prod/Team A",
        excerpt(path)
    ))
}

fn organization_id(text: &str) -> Result<String, String> {
    let own = text.strip_prefix("o-").unwrap_or_default();
    let sound =
        (10..=32).contains(&own.len()) && own.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    match sound {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`id`: `{}` is no id of an organization: it takes `o-` and 10 to 32 small letters and digits, or leave it out",
            excerpt(text)
        )),
    }
}

fn state(text: &str) -> Result<AccountState, String> {
    AccountState::parse(text).ok_or_else(|| {
        // In the order in which AWS's own words and then those of states came to be.
        let known = "ACTIVE, SUSPENDED, PENDING_CLOSURE, PENDING_ACTIVATION, CLOSED";
        format!("`status`: `{}` is none of {known}; or leave it empty", excerpt(text))
    })
}

fn joined_method(text: &str) -> Result<JoinedMethod, String> {
    JoinedMethod::parse(text).ok_or_else(|| {
        format!("`joined_method`: `{}` is neither INVITED nor CREATED; or leave it empty", excerpt(text))
    })
}

fn instant(column: &str, text: &str) -> Result<i64, String> {
    printed_instant(text).ok_or_else(|| {
        format!("`{column}`: `{}` is no date; write it as 2026-11-05 or 2026-11-05T12:00:00Z", excerpt(text))
    })
}

/// The beginning of a value, in one line, as messages show it.
fn excerpt(value: &str) -> String {
    let mut text: String = value.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN_MAX).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
