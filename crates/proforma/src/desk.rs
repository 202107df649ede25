//! The billing desk of the program: the server, and the commands that are done through it or at its data directory.
//!
//! A command builds the input of an operation and asks a [`door`] for its answer; whether behind it is the data directory or a server makes no
//! difference to what is allowed, checked and written down.

mod aws_reader;
mod command;
mod cost_categories;
mod data;
mod doctor;
mod door;
mod files;
mod instant;
mod invoicing;
mod issuing;
mod keeping;
mod notify;
mod organization;
mod organization_reader;
mod output;
mod privacy;
mod purchase_order_files;
mod purchase_order_places;
mod purchase_order_tables;
mod purchase_order_texts;
mod purchase_orders;
mod saved_reports;
mod schedule;
mod secret_file;
mod serve;
mod settings;
mod tls;

pub use command::{accounts, adopt, book, close, import, init, keys, periods, runs};
pub use cost_categories::cost_category;
pub use doctor::doctor;
pub use invoicing::invoicing;
pub use issuing::own_invoices;
pub use keeping::{backup, migrate, restore, verify};
pub use notify::{notify, outbox};
pub use organization::{rules, sync};
pub use privacy::privacy;
pub use purchase_orders::po;
pub use saved_reports::saved_report;
pub use schedule::schedule;
pub use serve::serve;
