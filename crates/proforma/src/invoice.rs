//! `proforma invoice`: invoices, those that AWS has sent and those that the operator sends.

mod aws;
mod documents;
mod summaries;

pub use aws::aws;
pub use documents::render;
