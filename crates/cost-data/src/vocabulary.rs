//! What a family of formats calls the columns that are read.

use billing::charge_class::{KeyColumn, Measure};

/// CUR 2.0's map of product attributes.
pub const PRODUCT_MAP: &str = "product";

/// What a family of formats calls the columns that are read.
#[derive(Debug)]
pub struct Vocabulary {
    /// The start of the billing period, which decides the month of a line.
    pub period_start: &'static str,
    /// The start of the usage; only counted.
    pub usage_start: &'static str,
    /// The payer account; one per delivery.
    pub payer: &'static str,
    /// The product's name, where it has a column of its own.
    pub product_name: &'static str,
    /// The columns without which no line can be priced.
    pub necessary: &'static [&'static str],
    /// The column that a key column is made from, and the one that stands for it where a file does not have it.
    pub key: fn(KeyColumn) -> [Option<&'static str>; 2],
    /// The columns that a measure sums.
    pub measure: fn(Measure) -> &'static [&'static str],
}

impl Vocabulary {
    /// The name that messages use for a key column.
    #[must_use]
    pub fn key_name(&self, column: KeyColumn) -> &'static str {
        (self.key)(column)[0].unwrap_or_else(|| column.name())
    }

    /// Whether a column is looked at.
    pub fn reads(&self, name: &str) -> bool {
        let key = KeyColumn::ALL.iter().any(|column| (self.key)(*column).contains(&Some(name)));
        let measure = Measure::ALL.iter().any(|measure| (self.measure)(*measure).contains(&name));
        let others = [self.usage_start, self.product_name, PRODUCT_MAP];
        key || measure || self.necessary.contains(&name) || others.contains(&name)
    }
}
