//! Whether a document's arithmetic holds: what EN 16931 asks of its sums (BR-CO-10 to BR-CO-18), said of an [`Invoice`].
//!
//! A document that this program has made has no problems; one that was read from a file may.

use super::amount::{Invoiced, InvoicedError};
use super::compose::{taxable, totals};
use super::rounding::{tax, tax_in};
use super::{Invoice, Totals};
use crate::money::product;
use std::collections::BTreeSet;

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A document without lines (BR-16).
    #[error("the document has no lines; it needs one at least")]
    NoLines,
    /// Two lines of one number.
    #[error("line `{0}` is there twice; number the lines 1, 2, 3")]
    LineTwice(String),
    /// Quantity × price is not the net amount.
    #[error("line `{line}` is {net}, but its quantity times its price is {product}; correct one of them")]
    LineNet {
        /// The line.
        line: String,
        /// Its net amount.
        net: Invoiced,
        /// Quantity × price.
        product: String,
    },
    /// A price below 0 (BR-27).
    #[error("line `{0}` has a price below 0; make the quantity negative instead")]
    NegativePrice(String),
    /// A total that is not the sum of its parts.
    #[error("`{what}` is {stated}, but it comes to {computed}; correct it")]
    Total {
        /// The total, as the JSON form of a document names it.
        what: &'static str,
        /// What is stated.
        stated: Invoiced,
        /// What it comes to.
        computed: Invoiced,
    },
    /// A tax that is not its rate of what is taxed.
    #[error("the tax under {category} at {rate} % is {stated}, but it comes to {computed}; correct it")]
    Tax {
        /// The category.
        category: &'static str,
        /// The rate.
        rate: String,
        /// What is stated.
        stated: Invoiced,
        /// What it comes to.
        computed: Invoiced,
    },
    /// Taxes that are not those of the lines.
    #[error("the taxes are not those of the lines: {0}")]
    Taxes(String),
    /// A sum that cannot be.
    #[error(transparent)]
    Amount(#[from] InvoicedError),
}

/// All that does not hold, in the order of [`Problem`]; empty of every document that this program makes.
#[must_use]
pub fn problems(document: &Invoice) -> Vec<Problem> {
    let mut problems = line_problems(document);
    for check in [tax_problems, total_problems] {
        match check(document) {
            Ok(found) => problems.extend(found),
            Err(error) => problems.push(error.into()),
        }
    }
    problems
}

fn line_problems(document: &Invoice) -> Vec<Problem> {
    let mut problems = Vec::new();
    if document.lines.is_empty() {
        problems.push(Problem::NoLines);
    }
    let mut seen = BTreeSet::new();
    for line in &document.lines {
        if !seen.insert(&line.id) {
            problems.push(Problem::LineTwice(line.id.clone()));
        }
        let multiplied = product(line.quantity, line.price);
        let net = line.net.number().to_amount();
        if multiplied != net {
            let product = multiplied.map_or_else(|error| error.to_string(), |product| product.to_string());
            problems.push(Problem::LineNet { line: line.id.clone(), net: line.net, product });
        }
        if line.price.units() < 0 {
            problems.push(Problem::NegativePrice(line.id.clone()));
        }
    }
    problems
}

fn tax_problems(document: &Invoice) -> Result<Vec<Problem>, InvoicedError> {
    let nothing = Invoiced::nothing(document.currency)?;
    let mut problems = Vec::new();
    let mut of_lines = taxable(nothing, &document.lines, &document.adjustments)?;
    for subtotal in &document.taxes {
        let (category, rate) = (subtotal.tax.category.code(), subtotal.tax.rate);
        match of_lines.remove(&subtotal.tax) {
            None => {
                problems
                    .push(Problem::Taxes(format!("nothing has {category} at {rate} %; leave that tax out")));
            }
            Some(taxable) if taxable != subtotal.taxable => problems.push(Problem::Taxes(format!(
                "{} under {category} at {rate} % is taxed, the lines come to {taxable}; correct it",
                subtotal.taxable
            ))),
            Some(_) => {}
        }
        let (computed, _) = tax(subtotal.taxable, rate)?;
        // A credit note for the rest of a document takes the rest of its tax, which may be a minor unit from its own.
        let off = subtotal.amount.minus(computed)?.absolute().units();
        if off > i128::from(document.preceding.is_some()) {
            let (rate, stated) = (rate.to_string(), subtotal.amount);
            problems.push(Problem::Tax { category, rate, stated, computed });
        }
    }
    problems.extend(of_lines.keys().map(|of| {
        let (category, rate) = (of.category.code(), of.rate);
        Problem::Taxes(format!("lines have {category} at {rate} %; add that tax"))
    }));
    Ok(problems)
}

fn total_problems(document: &Invoice) -> Result<Vec<Problem>, InvoicedError> {
    let nothing = Invoiced::nothing(document.currency)?;
    let stated = &document.totals;
    let computed =
        totals(nothing, &document.lines, &document.adjustments, &document.taxes, stated.prepaid, None)?;
    let due = computed.due.plus(stated.rounding)?;
    let Totals { lines, allowances, charges, net, tax, gross, .. } = computed;
    let mut pairs = vec![
        ("totals.lines", stated.lines, lines),
        ("totals.allowances", stated.allowances, allowances),
        ("totals.charges", stated.charges, charges),
        ("totals.net", stated.net, net),
        ("totals.tax", stated.tax, tax),
        ("totals.gross", stated.gross, gross),
        ("totals.due", stated.due, due),
    ];
    // A credit note's is what its invoice has left, which may be a minor unit from its own.
    if let Some(of) = document.tax_currency.as_ref().filter(|_| document.preceding.is_none()) {
        pairs.push(("tax_currency.tax", of.tax, tax_in(of.currency, stated.tax, of.exchange.rate)?.0));
    }
    let differs = |(what, stated, computed): (&'static str, Invoiced, Invoiced)| {
        (stated != computed).then_some(Problem::Total { what, stated, computed })
    };
    Ok(pairs.into_iter().filter_map(differs).collect())
}
