//! What becomes of a column of a customer's file.

use super::by_class::ClassText;
use super::focus_columns::{AmountOf, GroupText};

/// What kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; rates included, as AWS writes them.
    Text,
    /// A double.
    Number,
    /// An instant in milliseconds.
    Time,
    /// A map of text to text: a Parquet map, JSON in CSV.
    Map,
    /// A map of text to double, always empty here.
    NumberMap,
}

/// What becomes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Copied from the line.
    Copied,
    /// Copied from the line, an end a second before the hour made the hour.
    End,
    /// Copied from metered lines.
    ConsumedQuantity,
    /// The type of the resource whose id is copied.
    ResourceType,
    /// Copied from lines of a commitment whose owner is in the group, blank elsewhere.
    OwnCommitment,
    /// Copied where the capacity reservation's owner is in the group.
    OwnReservation,
    /// What the line is billed: its pro forma amount.
    Cost,
    /// Another amount of the line.
    Amount(AmountOf),
    /// The pro forma price of one unit, as text.
    Rate,
    /// The same as a number, on metered lines.
    UnitPrice,
    /// A text of the billing group.
    Group(GroupText),
    /// A text that follows from the line's class and price.
    Class(ClassText),
    /// Blank unless the operator allows the column by name.
    Ask,
    /// The keys that the operator allows by name.
    Tags,
    /// Always blank.
    Blank,
}
