//! What stands in a row of a written column.

use crate::amount::Amount;
use std::collections::BTreeMap;

/// What a written column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    Text,
    Time,
    Number,
    Map,
}

/// The value of one row in one written column.
pub(super) enum Cell<'a> {
    Text(Option<&'a str>),
    Number(Option<Amount>),
    Map(BTreeMap<&'a str, &'a str>),
}
