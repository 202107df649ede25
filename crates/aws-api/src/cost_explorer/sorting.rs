//! By what rows of coverage and utilization are sorted.

use super::invalid;
use super::shapes::SortDefinition;
use back_office::error::Answer;

/// How rows are sorted; without a key they keep their order.
pub(super) struct Sorting<'a> {
    key: Option<&'a str>,
    is_descending: bool,
}

impl<'a> Sorting<'a> {
    /// What a request asks for.
    pub fn of(given: Option<&'a SortDefinition>) -> Answer<Self> {
        let order = given.and_then(|given| given.sort_order.as_deref());
        let is_descending = match order {
            None | Some("ASCENDING") => false,
            Some("DESCENDING") => true,
            Some(other) => {
                return Err(invalid(format!("SortBy: `{other}` is no order; give ASCENDING or DESCENDING")));
            }
        };
        Ok(Self { key: given.map(|given| given.key.as_str()), is_descending })
    }

    /// Refuses a key that rows do not have.
    pub fn check(&self, is_known: impl Fn(&str) -> bool, known: &str) -> Answer<()> {
        match self.key.filter(|key| !is_known(key)) {
            Some(key) => Err(invalid(format!("SortBy: `{key}` is none of the {known}"))),
            None => Ok(()),
        }
    }
}

/// Rows in the order that is asked for; equal ones stay as they are.
pub(super) fn sorted<T, K: Ord>(
    mut rows: Vec<T>,
    sorting: &Sorting<'_>,
    key_of: impl Fn(&T, &str) -> K,
) -> Vec<T> {
    let Some(key) = sorting.key else { return rows };
    match sorting.is_descending {
        true => rows.sort_by_cached_key(|row| std::cmp::Reverse(key_of(row, key))),
        false => rows.sort_by_cached_key(|row| key_of(row, key)),
    }
    rows
}
