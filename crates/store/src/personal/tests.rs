//! Every column of the schema that holds text either may name somebody, and is listed, or is left out for a reason.

use super::{CATEGORY_FILTERS, FIELDS, TAG_FILTERS};
use std::collections::BTreeSet;
use std::fs;

/// What names nobody: the columns of a table, or all of them (`*`) but those that are listed, and why.
const EXEMPT: &[(&str, &[&str], &str)] = &[
    ("payers", &["*"], "numbers and hashes"),
    ("resources", &["payer", "kind", "id"], "ids"),
    ("settings", &["payer", "kind", "id", "from_period", "to_period", "row_hash"], "ids, months and hashes"),
    ("client_tokens", &["*"], "whose they are is a hash; what was answered is gone after some weeks"),
    ("principals", &["*"], "a principal gets another name as a whole"),
    ("access_keys", &["*"], "they go with their principal"),
    ("audit", &["*"], "it has a way of its own, which keeps its chain"),
    ("sources", &["*"], "places of cost files"),
    ("runs", &["*"], "what the program says of cost files"),
    ("current_runs", &["*"], "ids"),
    ("closes", &["payer", "period", "run", "manifest_hash"], "ids and hashes"),
    ("adjustments", &["*"], "ids, amounts and words of the program"),
    ("master_key_check", &["*"], "sealed"),
    ("purchasing_heads", &["*"], "numbers"),
    ("purchase_orders", &["*"], "ids"),
    (
        "purchase_order_revisions",
        &["payer", "buyer", "id", "action", "row_hash"],
        "ids and words of the program",
    ),
    ("matched_invoices", &["*"], "numbers, amounts and sellers, which are companies"),
    (
        "invoice_associations",
        &["payer", "buyer", "invoice", "how", "purchase_order", "line", "used", "flags", "trace", "row_hash"],
        "ids and words of the program",
    ),
    ("matching_settings", &["payer", "body"], "words of the program"),
    ("purchase_order_grants", &["payer", "principal", "actions", "tag_keys"], "they go with their principal"),
    ("invoice_units", &["payer", "id", "receiver", "linked_accounts", "bill_source_accounts"], "accounts"),
    ("invoicing_documents", &["payer", "kind", "id"], "ids"),
    ("invoice_summaries", &["*"], "what AWS says of its invoices"),
    ("invoicing_tags", &["payer", "resource"], "ids"),
    ("portal_secrets", &["*"], "sealed"),
    (
        "invoice_files",
        &["payer", "invoice_id", "kind", "document_id", "sha256", "media_type"],
        "ids and hashes",
    ),
    ("outbox", &["payer", "id", "kind", "channel", "attachments", "state", "claimed_by"], "words and ids"),
    ("outbox_attachments", &["*"], "documents; they go with their messages"),
    ("desk_settings", &["payer", "kind", "id"], "ids"),
    ("schedule_steps", &["payer", "billing_group", "period", "step"], "ids"),
    ("budget_crossings", &["*"], "ids, words of the program and amounts"),
    ("invoice_settings", &["payer", "billing_group", "from_period"], "ids"),
    ("exchange_rates", &["payer", "from_currency", "to_currency", "day", "rate", "source"], "rates"),
    (
        "invoice_drafts",
        &["payer", "id", "billing_group", "period", "currency", "run", "state", "invoice"],
        "ids",
    ),
    ("issued_invoices", &["*"], "issued documents are kept as they are"),
    ("billing_views", &["payer", "id", "source_views"], "ids"),
    ("cost_categories", &["payer", "id", "effective_from"], "ids and months"),
    ("data_exports", &["payer", "id", "kind", "name"], "ids, and names of files"),
    (
        "export_executions",
        &["payer", "export", "id", "period", "run", "status", "reason", "problem"],
        "ids and words of the program",
    ),
    ("issued_pages", &["*"], "issued documents are kept as they are"),
    ("invoice_payments", &["payer", "invoice", "paid_on", "amount", "row_hash"], "ids, amounts and hashes"),
];

/// The columns of text that the steps of the schema make, by table.
fn text_columns() -> BTreeSet<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let steps = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let mut found = BTreeSet::new();
    for step in steps {
        let mut table = String::new();
        for line in step.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                // A table that is made anew takes the place of the one of its name.
                ["CREATE", "TABLE", name, ..] => table = name.trim_end_matches("_next").to_owned(),
                ["ALTER", "TABLE", of, "ADD", "COLUMN", column, kind, ..] if kind.starts_with("TEXT") => {
                    found.insert(((*of).to_owned(), (*column).to_owned()));
                }
                [column, kind, ..] if kind.trim_end_matches(',') == "TEXT" && line.starts_with("    ") => {
                    found.insert((table.clone(), (*column).to_owned()));
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn every_column_of_text_is_listed_or_left_out_for_a_reason() {
    let columns = text_columns();
    assert!(columns.len() > 150, "{}", columns.len());
    let is_listed = |table: &str, column: &str| {
        let mut listed = FIELDS.iter().chain(CATEGORY_FILTERS);
        listed.any(|field| field.table == table && (field.column == column))
    };
    let is_exempt = |table: &str, column: &str| {
        EXEMPT
            .iter()
            .any(|(of, columns, _)| *of == table && (columns.contains(&column) || columns.contains(&"*")))
    };
    let neither: Vec<_> = columns
        .iter()
        .filter(|(table, column)| !is_listed(table, column) && !is_exempt(table, column))
        .collect();
    assert!(neither.is_empty(), "neither in FIELDS nor in EXEMPT: {neither:?}");
    let unknown: Vec<_> = FIELDS
        .iter()
        .chain(CATEGORY_FILTERS)
        .chain(TAG_FILTERS)
        .filter(|field| !columns.contains(&(field.table.to_owned(), field.column.to_owned())))
        .collect();
    assert!(unknown.is_empty(), "not in the schema: {unknown:?}");
    for (table, named, _) in EXEMPT {
        for column in named.iter().filter(|column| **column != "*") {
            assert!(
                columns.contains(&((*table).to_owned(), (*column).to_owned())),
                "`{table}.{column}` is not there"
            );
            assert!(!is_listed(table, column), "`{table}.{column}` is listed and left out");
        }
    }
}
