//! What tests need and users must never meet: cost lines by hand or by seed, writers for every form in which AWS
//! delivers them, and a naive pricer to compare with.
//!
//! Nothing here knows the product's own crates, so that a mistake in them cannot hide here as well.

pub mod amount;
pub mod book;
pub mod calendar;
pub mod focus;
pub mod line;
pub mod month;
pub mod oracle;
pub mod random;
pub mod vectors;
pub mod write;

pub use amount::Amount;
pub use book::SampleBook;
pub use line::Line;
pub use month::{MonthOptions, SampleMonth};
pub use write::{Form, WriteOptions, write_month};
