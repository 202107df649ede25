//! Every table, each after those that it names. A test holds this against the schema.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
}

/// A table.
#[derive(Debug)]
pub(super) struct TableShape {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Type)],
    /// The columns by which rows are told apart: their order in a copy.
    pub(super) key: &'static [&'static str],
}

/// Columns that tables were given later, with the schema that has them first. They are the last ones of their table.
const LATER: &[(&str, &str, u64)] =
    &[("runs", "files_removed_at_ms", 2), ("settings", "row_hash", 2), ("sources", "is_confined", 3)];

impl TableShape {
    /// The columns that the table has in a schema: those of an older copy are fewer.
    pub(super) fn columns_in(&self, schema: u64) -> &'static [(&'static str, Type)] {
        let is_there = |column: &&(&str, Type)| {
            !LATER
                .iter()
                .any(|(table, name, since)| *table == self.name && *name == column.0 && *since > schema)
        };
        &self.columns[..self.columns.iter().filter(is_there).count()]
    }

    /// The columns in a schema, as SQL lists them.
    pub(super) fn column_list(&self, schema: u64) -> String {
        self.columns_in(schema).iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

use Type::{Number, Text};

/// Every table.
pub(super) const TABLES: &[TableShape] = &[
    TableShape {
        name: "payers",
        columns: &[
            ("payer", Text),
            ("created_at_ms", Number),
            ("revision", Number),
            ("next_number", Number),
            ("audit_sequence", Number),
            ("audit_hash", Text),
        ],
        key: &["payer"],
    },
    TableShape {
        name: "resources",
        columns: &[
            ("payer", Text),
            ("kind", Text),
            ("id", Text),
            ("number", Number),
            ("created_at_s", Number),
            ("modified_at_s", Number),
            ("tags", Text),
        ],
        key: &["payer", "kind", "id"],
    },
    TableShape {
        name: "settings",
        columns: &[
            ("payer", Text),
            ("kind", Text),
            ("id", Text),
            ("from_period", Text),
            ("to_period", Text),
            ("recorded_at_s", Number),
            ("revision", Number),
            ("superseded_revision", Number),
            ("body", Text),
            ("row_hash", Text),
        ],
        key: &["payer", "kind", "id", "from_period", "revision"],
    },
    TableShape {
        name: "client_tokens",
        columns: &[
            ("payer", Text),
            ("operation", Text),
            ("token", Text),
            ("input_hash", Text),
            ("outcome", Text),
            ("created_at_ms", Number),
        ],
        key: &["payer", "operation", "token"],
    },
    TableShape {
        name: "principals",
        columns: &[
            ("payer", Text),
            ("name", Text),
            ("role", Text),
            ("billing_groups", Text),
            ("accounts", Text),
            ("password_hash", Text),
            ("status", Text),
            ("created_at_ms", Number),
        ],
        key: &["payer", "name"],
    },
    TableShape {
        name: "access_keys",
        columns: &[
            ("access_key_id", Text),
            ("payer", Text),
            ("principal", Text),
            ("secret_nonce", Text),
            ("secret_ciphertext", Text),
            ("status", Text),
            ("created_at_ms", Number),
            ("last_used_at_ms", Number),
        ],
        key: &["access_key_id"],
    },
    TableShape {
        name: "audit",
        columns: &[
            ("payer", Text),
            ("sequence", Number),
            ("at_ms", Number),
            ("principal", Text),
            ("action", Text),
            ("resource", Text),
            ("decision", Text),
            ("request_id", Text),
            ("detail", Text),
            ("previous_hash", Text),
            ("hash", Text),
        ],
        key: &["payer", "sequence"],
    },
    TableShape {
        name: "sources",
        columns: &[
            ("payer", Text),
            ("id", Text),
            ("inputs", Text),
            ("price_list", Text),
            ("is_watched", Number),
            ("is_immutable", Number),
            ("accepts_rejects", Number),
            ("period", Text),
            ("fingerprint", Text),
            ("checked_at_ms", Number),
            ("problem", Text),
            ("created_at_ms", Number),
            ("is_confined", Number),
        ],
        key: &["payer", "id"],
    },
    TableShape {
        name: "runs",
        columns: &[
            ("payer", Text),
            ("id", Text),
            ("period", Text),
            ("reads", Text),
            ("state", Text),
            ("result", Text),
            ("warnings", Text),
            ("error", Text),
            ("created_at_ms", Number),
            ("started_at_ms", Number),
            ("finished_at_ms", Number),
            ("claim_token", Number),
            ("claim_expires_at_ms", Number),
            ("files_removed_at_ms", Number),
        ],
        key: &["payer", "id"],
    },
    TableShape {
        name: "current_runs",
        columns: &[("payer", Text), ("period", Text), ("run", Text), ("set_at_ms", Number)],
        key: &["payer", "period"],
    },
    TableShape {
        name: "closes",
        columns: &[
            ("payer", Text),
            ("period", Text),
            ("run", Text),
            ("manifest_hash", Text),
            ("closed_at_ms", Number),
            ("closed_by", Text),
        ],
        key: &["payer", "period"],
    },
    TableShape {
        name: "adjustments",
        columns: &[
            ("payer", Text),
            ("id", Text),
            ("period", Text),
            ("posted_in", Text),
            ("run", Text),
            ("billing_group", Text),
            ("currency", Text),
            ("amount", Text),
            ("detail", Text),
            ("created_at_ms", Number),
        ],
        key: &["payer", "id"],
    },
    TableShape {
        name: "purchasing_heads",
        columns: &[("payer", Text), ("revision", Number), ("next_number", Number)],
        key: &["payer"],
    },
    TableShape {
        name: "purchase_orders",
        columns: &[
            ("payer", Text),
            ("buyer", Text),
            ("id", Text),
            ("number", Number),
            ("revision", Number),
            ("deleted_at_s", Number),
        ],
        key: &["payer", "buyer", "id"],
    },
    TableShape {
        name: "purchase_order_revisions",
        columns: &[
            ("payer", Text),
            ("buyer", Text),
            ("id", Text),
            ("revision", Number),
            ("recorded_at_s", Number),
            ("recorded_by", Text),
            ("action", Text),
            ("body", Text),
            ("row_hash", Text),
        ],
        key: &["payer", "buyer", "id", "revision"],
    },
    TableShape {
        name: "matched_invoices",
        columns: &[
            ("payer", Text),
            ("buyer", Text),
            ("invoice", Text),
            ("revision", Number),
            ("recorded_at_s", Number),
            ("source", Text),
            ("body", Text),
            ("row_hash", Text),
        ],
        key: &["payer", "buyer", "invoice", "revision"],
    },
    TableShape {
        name: "invoice_associations",
        columns: &[
            ("payer", Text),
            ("buyer", Text),
            ("invoice", Text),
            ("sequence", Number),
            ("recorded_at_s", Number),
            ("recorded_by", Text),
            ("how", Text),
            ("purchase_order", Text),
            ("line", Text),
            ("order_revision", Number),
            ("used", Text),
            ("flags", Text),
            ("reason", Text),
            ("trace", Text),
            ("row_hash", Text),
        ],
        key: &["payer", "buyer", "invoice", "sequence"],
    },
    TableShape {
        name: "matching_settings",
        columns: &[
            ("payer", Text),
            ("revision", Number),
            ("recorded_at_s", Number),
            ("recorded_by", Text),
            ("body", Text),
        ],
        key: &["payer", "revision"],
    },
    TableShape {
        name: "purchase_order_grants",
        columns: &[
            ("payer", Text),
            ("principal", Text),
            ("actions", Text),
            ("tags", Text),
            ("tag_keys", Text),
            ("recorded_at_s", Number),
            ("recorded_by", Text),
        ],
        key: &["payer", "principal"],
    },
    TableShape {
        name: "outbox",
        columns: &[
            ("payer", Text),
            ("id", Text),
            ("dedupe_key", Text),
            ("kind", Text),
            ("channel", Text),
            ("recipient", Text),
            ("subject", Text),
            ("body", Text),
            ("attachments", Text),
            ("state", Text),
            ("attempts", Number),
            ("next_attempt_at_ms", Number),
            ("last_error", Text),
            ("claim_token", Number),
            ("claimed_by", Text),
            ("claim_expires_at_ms", Number),
            ("created_at_ms", Number),
            ("ended_at_ms", Number),
        ],
        key: &["payer", "id"],
    },
    TableShape {
        name: "outbox_attachments",
        columns: &[("payer", Text), ("sha256", Text), ("content", Text)],
        key: &["payer", "sha256"],
    },
    TableShape {
        name: "desk_settings",
        columns: &[
            ("payer", Text),
            ("kind", Text),
            ("id", Text),
            ("revision", Number),
            ("recorded_at_ms", Number),
            ("body", Text),
        ],
        key: &["payer", "kind", "id", "revision"],
    },
    TableShape {
        name: "schedule_steps",
        columns: &[
            ("payer", Text),
            ("billing_group", Text),
            ("period", Text),
            ("step", Text),
            ("detail", Text),
            ("at_ms", Number),
        ],
        key: &["payer", "billing_group", "period"],
    },
    TableShape {
        name: "invoice_units",
        columns: &[
            ("payer", Text),
            ("id", Text),
            ("version", Number),
            ("recorded_at_s", Number),
            ("is_deleted", Number),
            ("name", Text),
            ("receiver", Text),
            ("description", Text),
            ("is_tax_inheritance_disabled", Number),
            ("linked_accounts", Text),
            ("bill_source_accounts", Text),
        ],
        key: &["payer", "id", "version"],
    },
    TableShape {
        name: "invoicing_documents",
        columns: &[
            ("payer", Text),
            ("kind", Text),
            ("id", Text),
            ("version", Number),
            ("recorded_at_s", Number),
            ("is_deleted", Number),
            ("body", Text),
        ],
        key: &["payer", "kind", "id", "version"],
    },
    TableShape {
        name: "invoice_summaries",
        columns: &[
            ("payer", Text),
            ("invoice_id", Text),
            ("version", Number),
            ("recorded_at_s", Number),
            ("account", Text),
            ("billing_period", Text),
            ("body", Text),
        ],
        key: &["payer", "invoice_id", "version"],
    },
    TableShape {
        name: "invoicing_tags",
        columns: &[("payer", Text), ("resource", Text), ("tags", Text)],
        key: &["payer", "resource"],
    },
    TableShape {
        name: "portal_secrets",
        columns: &[("payer", Text), ("id", Text), ("secret_nonce", Text), ("secret_ciphertext", Text)],
        key: &["payer", "id"],
    },
    TableShape {
        name: "invoice_files",
        columns: &[
            ("payer", Text),
            ("invoice_id", Text),
            ("kind", Text),
            ("document_id", Text),
            ("version", Number),
            ("sha256", Text),
            ("size_bytes", Number),
            ("media_type", Text),
            ("attached_at_s", Number),
            ("attached_by", Text),
        ],
        key: &["payer", "invoice_id", "kind", "document_id", "version"],
    },
    TableShape {
        name: "invoice_settings",
        columns: &[
            ("payer", Text),
            ("billing_group", Text),
            ("from_period", Text),
            ("version", Number),
            ("recorded_at_s", Number),
            ("recorded_by", Text),
            ("body", Text),
        ],
        key: &["payer", "billing_group", "from_period", "version"],
    },
    TableShape {
        name: "exchange_rates",
        columns: &[
            ("payer", Text),
            ("from_currency", Text),
            ("to_currency", Text),
            ("day", Text),
            ("rate", Text),
            ("source", Text),
            ("recorded_at_s", Number),
            ("recorded_by", Text),
        ],
        key: &["payer", "from_currency", "to_currency", "day"],
    },
    TableShape {
        name: "invoice_drafts",
        columns: &[
            ("payer", Text),
            ("id", Text),
            ("billing_group", Text),
            ("period", Text),
            ("currency", Text),
            ("run", Text),
            ("options", Text),
            ("state", Text),
            ("invoice", Text),
            ("created_at_s", Number),
            ("created_by", Text),
        ],
        key: &["payer", "id"],
    },
    TableShape {
        name: "issued_invoices",
        columns: &[
            ("payer", Text),
            ("number", Text),
            ("place", Number),
            ("series", Text),
            ("series_count", Number),
            ("billing_group", Text),
            ("period", Text),
            ("kind", Text),
            ("charged_in", Text),
            ("issued_on", Text),
            ("original", Text),
            ("run", Text),
            ("residue", Text),
            ("document", Text),
            ("sha256", Text),
            ("issued_at_ms", Number),
            ("issued_by", Text),
        ],
        key: &["payer", "place"],
    },
    TableShape {
        name: "issued_pages",
        columns: &[("payer", Text), ("invoice", Text), ("sha256", Text), ("pdf", Text)],
        key: &["payer", "invoice"],
    },
    TableShape {
        name: "invoice_payments",
        columns: &[
            ("payer", Text),
            ("invoice", Text),
            ("number", Number),
            ("paid_on", Text),
            ("amount", Text),
            ("reference", Text),
            ("recorded_at_s", Number),
            ("recorded_by", Text),
        ],
        key: &["payer", "invoice", "number"],
    },
    TableShape {
        name: "master_key_check",
        columns: &[("id", Number), ("nonce", Text), ("ciphertext", Text)],
        key: &["id"],
    },
];
