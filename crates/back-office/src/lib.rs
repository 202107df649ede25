//! What the billing desk does: the use cases, one file per noun, each with the caller and the time as arguments.
//!
//! Owns authorization, idempotency, transactions and the job runner. Knows no HTTP, and no more of files than where they are: cost files are behind [`engine`], decisions in
//! the `store`.

pub mod authorization;
pub mod client;
pub mod clock;
pub mod data_directory;
mod declined;
mod disk;
pub mod document_format;
pub mod error;
mod hash;
mod invoicing_refusal;
pub mod vault;

pub mod engine;

pub mod audit;
pub mod audit_chain;
pub mod cost_reports;
pub mod cost_roots;
pub mod index;
pub mod known_keys;
mod known_runs;
mod transaction;
mod unwritten;

mod changes;
mod once;
mod write;

pub mod desk;

pub mod invoice_schedule;
mod notices;
pub mod notifications;
pub mod outbox;
pub mod privacy;

mod month_book;
mod shown;
mod turns;

pub mod billing_views;
pub mod budgets;
pub mod cost_categories;
pub mod cost_explorer;
pub mod facts;
pub mod holder;
pub mod kept_filter;
pub mod saved_reports;

pub mod purchasing;

mod accounts;
pub mod billing_groups;
pub mod book;
pub mod invoice_documents;
pub mod invoices;
pub mod organization;
pub mod organization_sync;
pub mod periods;
pub mod principals;
pub mod run_folders;
pub mod runs;
pub mod sources;

pub mod custom_views;

pub mod exports;

pub mod invoicing;

pub mod aws_invoices;
pub mod invoice_files;
pub mod invoice_profiles;
pub mod invoice_summaries;
pub mod invoice_units;
pub mod procurement_portals;
