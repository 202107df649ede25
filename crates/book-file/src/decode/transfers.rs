//! Billing transfers.

use super::Table;
use billing::book::TransferDraft;

/// An entry of `[[responsibility_transfers]]`.
pub fn transfer(table: &Table<'_>) -> TransferDraft {
    table.allow(&["name", "source_account_id", "receiver_account_id", "accounts", "status", "start", "end"]);
    TransferDraft {
        name: table.required("name"),
        source_account_id: table.required("source_account_id"),
        receiver_account_id: table.required("receiver_account_id"),
        accounts: table.texts("accounts").unwrap_or_default(),
        status: table.required("status"),
        start: table.required("start"),
        end: table.text("end"),
    }
}

/// The primary account of a billing group; that of a billing transfer is its source.
pub fn primary_account(group: &Table<'_>) -> String {
    match group.node.get("responsibility_transfer") {
        Some(_) => group.text("primary_account_id").unwrap_or_default(),
        None => group.required("primary_account_id"),
    }
}
