//! Invoices as JSON: the data of a document, what is settled about the documents of a customer, and rates of exchange as CSV; and the list of the formats
//! that a document can be had in; AWS's list of its invoices, as JSON or CSV; and texts as no file that they end in is steered by them.
//!
//! Amounts, rates and quantities are texts of plain digits. What is not known is refused, with its place.

pub mod document;
pub mod format;
pub mod plain_text;
pub mod rates;
pub mod settings;
pub mod summaries;
