//! The query of a data export: the tables that there are, AWS's SQL over them, and which rows it takes.
//!
//! AWS's Data Exports take a statement in SQL that selects and renames columns, filters rows and ends after some. [`Query::parse`] understands exactly that and names whatever else a statement has;
//! [`Condition::takes`] decides about a row. Nothing here reads a cost file, and no amount is ever a float: numbers are compared digit by digit ([`number`]).

mod columns;
mod condition;
pub mod number;
mod parse;
mod table;

pub use condition::{Cell, Comparison, Condition, Literal};
pub use parse::QueryError;
pub use table::{Granularity, Kind, Property, Table};

use serde::{Deserialize, Serialize};

/// A statement that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The table.
    pub table: Table,
    /// Which lines are one row of the table.
    pub granularity: Granularity,
    /// The columns that the table does not have as it is configured: what they say keeps no rows apart.
    pub without: Vec<String>,
    /// The columns that are written, in order.
    pub columns: Vec<Selected>,
    /// Which rows are; all of them where there is none.
    pub condition: Option<Condition>,
    /// How many rows at most.
    pub limit: Option<u64>,
}

/// A column that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// What it is called in the file.
    pub name: String,
    /// What it holds.
    pub of: Field,
    /// What kind of value that is.
    pub kind: Kind,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Field {
    /// The column of the table.
    pub column: String,
    /// The key, where it is a value of a map.
    pub key: Option<String>,
}
