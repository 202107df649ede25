//! What AWS's service `invoicing` keeps of a payer. Nothing is overwritten: a change is a row with the next version, and what held at an instant is
//! the last row that was recorded until then.

mod document;
mod file;
mod secret;
mod summary;
mod tags;
mod unit;

pub use document::{InvoicingDocument, InvoicingKind};
pub use file::InvoiceFileRow;
pub use summary::{InvoiceSummaryRow, SummariesOf};
pub use unit::InvoiceUnitRow;
