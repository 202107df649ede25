//! Saved reports: for which days one is, when it goes out by itself, and the table that it is. Pure; what is asked and who gets it is the desk's affair.

mod schedule;
mod table;
mod time_range;

pub use schedule::{Schedule, WEEKDAYS};
pub use table::{Answered, Bar, Cell, Column, Line, Measured, ReportTable, columns};
pub use time_range::{NotATimeRange, TimeRange};
