//! Decisions and documents in SQLite or PostgreSQL.
//!
//! A [`Store`] keeps what payers have configured, who may ask, what was asked, and which results are current. One SQL text and one set of
//! migrations serve both engines: columns are text or whole numbers. It stores and finds; it never adds money and decides nothing. Every row
//! that belongs to a payer is asked for with the payer as an argument.
//!
//! A payer's rows change in one [`Write`]: a transaction that begins where the caller has read ([`Head`]) and is refused where somebody else
//! was first. Nothing that was configured is overwritten: what holds no more is marked with the revision that superseded it.

mod database;
mod error;
mod migrations;
mod place;

mod payer;
mod write;

mod body;
mod configuration;

mod audit;
mod replacement;
mod token;

mod access_key;
mod master_key;
mod principal;

mod run;
mod run_files;
mod source;

mod budget_crossing;
mod close;

mod billing_view;
mod cost_category;
mod data_export;

mod desk_settings;
mod invoices;
mod invoicing;
mod outbox;
mod personal;
mod purchasing;
mod schedule;

mod backup;

mod sql;

pub use access_key::{AccessKeyRow, FoundKey};
pub use audit::AuditRow;
pub use backup::Copied;
pub use billing_view::BillingViewRow;
pub use budget_crossing::BudgetCrossingRow;
pub use close::{AdjustmentRow, CloseRow};
pub use configuration::Loaded;
pub use cost_category::CostCategoryRow;
pub use data_export::{DataExportRow, ExecutionRow, PlacedExport};
pub use database::Store;
pub use desk_settings::DeskSettingRow;
pub use error::StoreError;
pub use invoices::{
    DraftState, ExchangeRateRow, InvoiceDraftRow, InvoiceFilter, InvoicePaymentRow, InvoiceSettingsRow,
    IssuedInvoiceRow, IssuedPageRow,
};
pub use invoicing::{
    InvoiceFileRow, InvoiceSummaryRow, InvoiceUnitRow, InvoicingDocument, InvoicingKind, SummariesOf,
};
pub use master_key::{Reseal, Sealed, portal_secret_name};
pub use migrations::Migrated;
pub use outbox::{AttachmentRow, Attempted, Channel, MessageClaim, MessageRow, MessageState, NewMessage};
pub use payer::{AuditHead, Head, PayerRow};
pub use personal::{CATEGORY_FILTERS, FIELDS, PersonalField, PersonalRow, TAG_FILTERS, Written};
pub use place::Place;
pub use principal::{PrincipalRow, Standing};
pub use purchasing::{
    AssociationRow, ChargedTo, DecidedRow, GrantRow, How, InvoiceRow, InvoiceSource, OrderRow, PurchasingRows,
};
pub use replacement::Replacement;
pub use run::{Claim, CurrentRun, DoneRun, NewRun, Outcome, RunRow, RunState};
pub use run_files::RunFiles;
pub use schedule::{ScheduleStep, ScheduleStepRow};
pub use source::SourceRow;
pub use sql::to_hex;
pub use token::{TOKEN_DAYS_KEPT, TokenRow};
pub use write::Write;
