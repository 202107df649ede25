//! The accounts of an organization with their units, from the file that `proforma sync organization` reads, too.

use crate::failure::Failure;
use billing::account::AccountId;
use billing::organization::AccountState;
use std::fs;
use std::path::Path;

/// An account of the organization.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    /// Empty where it has none.
    pub name: String,
    /// The names of its units from the root on.
    pub unit: Vec<String>,
    /// What AWS says of it where that is not `ACTIVE`, in small letters.
    pub status: Option<String>,
}

/// Reads a file; its name's ending says whether it is JSON, else it is CSV.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn read(path: &Path) -> Result<Vec<Account>, Failure> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        Failure::input(format!("`{shown}` cannot be read: {error}"))
            .hint("give the organization's accounts with --organization")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::input(format!("`{shown}` is not UTF-8 text: byte {at} begins no character"))
    })?;
    let draft = book_file::organization::read(path, &text).map_err(|mistakes| {
        Failure::inputs(mistakes.iter().map(|mistake| format!("{shown}:{mistake}")).collect())
    })?;
    let account = |(id, of): (&AccountId, &billing::organization::AccountDraft)| Account {
        id: id.clone(),
        name: of.name.clone().unwrap_or_default(),
        unit: draft.path(&of.details.unit),
        status: status(of.details.state),
    };
    Ok(draft.accounts.iter().map(account).collect())
}

/// An account id as AWS has it.
pub fn account_id(text: &str) -> Result<AccountId, String> {
    book_file::organization::account_id(text).map_err(|message| format!("`account_id`: {message}"))
}

/// The units of a path.
pub fn unit(path: &str) -> Result<Vec<String>, String> {
    book_file::organization::unit_path(path).map_err(|message| format!("`organizational_unit`: {message}"))
}

fn status(state: AccountState) -> Option<String> {
    (state != AccountState::Active).then(|| state.name().to_ascii_lowercase().replace('_', " "))
}
