//! `proforma invoice`: invoices, those that AWS has sent and those that the operator sends.

mod aws;
mod design;
mod documents;
mod summaries;

pub use aws::aws;
pub use design::InvoiceDesign;
pub use documents::render;
