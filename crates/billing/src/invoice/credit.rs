//! Credit notes: new documents that take back of an issued one, in full or in part, and never more than is left.
//!
//! What credit notes take back sums to the invoice to the last minor unit, tax and tax currency included: each takes the tax of all that
//! is credited with it, less the tax that earlier ones took.

use super::amount::{Invoiced, InvoicedError};
use super::compose::{UNNUMBERED, taxable, totals};
use super::date::Date;
use super::rounding::{tax, tax_in};
use super::tax::{Tax, TaxSubtotal};
use super::{Adjustment, Invoice, Kind, Line, Preceding, TaxCurrency};
use crate::money::{DecimalError, Quantity, divide_half_away};
use std::collections::BTreeMap;

/// What is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credit {
    /// All that is left.
    Rest,
    /// Of some lines, by number; `None` is all that is left of the line. Amounts are before tax and have the sign of their line's.
    Lines(Vec<(String, Option<Invoiced>)>),
}

/// Why a credit note cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreditError {
    /// A credit note of a credit note.
    #[error("`{0}` is a credit note; issue a new invoice instead of crediting it")]
    NotAnInvoice(String),
    /// A day before the invoice's.
    #[error("`{number}` is of {issued}, so its credit note may not be of {date}; date it {issued} or later")]
    Earlier {
        /// The invoice.
        number: String,
        /// Its day of issue.
        issued: Date,
        /// The day that is asked for.
        date: Date,
    },
    /// No line at all.
    #[error("no line of `{0}` is named; name those to credit, or credit the rest")]
    NoLines(String),
    /// A line that is not there.
    #[error("`{number}` has no line `{line}`; its lines are 1 to {lines}")]
    NoLine {
        /// The invoice.
        number: String,
        /// The line.
        line: String,
        /// How many there are.
        lines: usize,
    },
    /// A line that is named twice.
    #[error("line `{0}` is to be credited twice; name it once, with the sum")]
    LineTwice(String),
    /// More than is left.
    #[error(
        "line `{line}` of `{number}` has {left} left to credit, not {asked}; credit at most that, with its sign"
    )]
    MoreThanLeft {
        /// The invoice.
        number: String,
        /// The line.
        line: String,
        /// What is left.
        left: Invoiced,
        /// What is asked for.
        asked: Invoiced,
    },
    /// More than is left of the whole, with tax.
    #[error(
        "the lines come to {asked} with tax, and `{number}` has {left} left to credit; credit less of them, or all that is left"
    )]
    MoreThanLeftOfAll {
        /// The invoice.
        number: String,
        /// What is left, with tax.
        left: Invoiced,
        /// What the lines come to.
        asked: Invoiced,
    },
    /// Lines below 0 alone.
    #[error(
        "taking back these lines of `{number}` would charge {amount} instead of crediting it; name lines that come to more with them"
    )]
    Charges {
        /// The invoice.
        number: String,
        /// How much it would charge, with tax.
        amount: Invoiced,
    },
    /// Nothing to take back.
    #[error("nothing of `{0}` is left to credit; it is cancelled already")]
    NothingLeft(String),
    /// Amounts.
    #[error(transparent)]
    Amount(#[from] InvoicedError),
}

/// A credit note of an invoice, after earlier ones of it; its number is [`UNNUMBERED`].
///
/// Its lines have the numbers of the invoice's. Allowances and charges on the whole document go back in proportion to the lines of their tax,
/// and what is left of them with the rest. It never comes to more than is left of the invoice, and never charges.
///
/// # Errors
/// [`CreditError`], in the order of its variants.
pub fn credit(
    invoice: &Invoice,
    earlier: &[Invoice],
    what: &Credit,
    notes: Vec<String>,
    date: Date,
) -> Result<Invoice, CreditError> {
    let number = || invoice.number.clone();
    if invoice.kind == Kind::CreditNote {
        return Err(CreditError::NotAnInvoice(number()));
    }
    if date < invoice.issued {
        return Err(CreditError::Earlier { number: number(), issued: invoice.issued, date });
    }
    let nothing = Invoiced::nothing(invoice.currency)?;
    let left = left_of_lines(invoice, earlier)?;
    let amounts = amounts(invoice, &left, what)?;
    let all_lines = left.iter().all(|(line, left)| amounts.get(line).copied().unwrap_or(nothing) == *left);
    let share = if all_lines { Share::Rest } else { Share::OfLines(&amounts) };
    let adjustments = adjustments_back(invoice, earlier, &share)?;
    let mut lines: Vec<Line> = Vec::new();
    for line in &invoice.lines {
        if let Some(amount) = amounts.get(line.id.as_str()).filter(|amount| amount.units() != 0) {
            lines.push(credited(line, *amount));
        }
    }
    if lines.is_empty() {
        // Of an invoice over nothing, a line over nothing can be taken back, once.
        let line = invoice.lines.first().filter(|line| line.net.units() == 0 && earlier.is_empty());
        lines.push(line.ok_or_else(|| CreditError::NothingLeft(number()))?.clone());
    }
    let taxes = taxes_back(invoice, earlier, &lines, &adjustments)?;
    let mut sums = totals(nothing, &lines, &adjustments, &taxes, nothing, None)?;
    if all_lines {
        let gone = earlier.iter().try_fold(nothing, |sum, note| sum.plus(note.totals.rounding))?;
        sums.rounding = invoice.totals.rounding.minus(gone)?;
        sums.due = sums.gross.plus(sums.rounding)?;
    }
    fits(invoice, earlier, sums.gross)?;
    let tax_currency = tax_currency_back(invoice, earlier, sums.tax)?;
    Ok(Invoice {
        number: UNNUMBERED.to_owned(),
        kind: Kind::CreditNote,
        issued: date,
        due: None,
        payment_terms: None,
        tax_currency,
        preceding: Some(Preceding { number: number(), issued: invoice.issued }),
        lines,
        adjustments,
        taxes,
        totals: sums,
        notes,
        ..invoice.clone()
    })
}

/// How much of the adjustments goes back.
enum Share<'a> {
    /// All that is left of them.
    Rest,
    /// In proportion to what is taken back of lines, by number.
    OfLines(&'a BTreeMap<&'a str, Invoiced>),
}

/// The allowances and charges that go back. Those that a document has twice are one: nobody could tell which of them is left.
fn adjustments_back(
    invoice: &Invoice,
    earlier: &[Invoice],
    share: &Share<'_>,
) -> Result<Vec<Adjustment>, InvoicedError> {
    let nothing = Invoiced::nothing(invoice.currency)?;
    let mut all: Vec<Adjustment> = Vec::new();
    for adjustment in &invoice.adjustments {
        match all.iter_mut().find(|known| is_same(known, adjustment)) {
            Some(known) => known.amount = known.amount.plus(adjustment.amount)?,
            None => all.push(adjustment.clone()),
        }
    }
    let mut back = Vec::new();
    for adjustment in all {
        let of_notes = earlier.iter().flat_map(|note| &note.adjustments);
        let mut same = of_notes.filter(|other| is_same(other, &adjustment)).map(|other| other.amount);
        let taken = same.try_fold(nothing, |sum, more| sum.plus(more))?;
        let left = adjustment.amount.minus(taken)?;
        let amount = match share {
            Share::Rest => left,
            Share::OfLines(amounts) => {
                let so_far = proportion(invoice, earlier, amounts, &adjustment)?.minus(taken)?;
                Invoiced::from_units(invoice.currency, so_far.units().clamp(0, left.units().max(0)))?
            }
        };
        if amount.units() != 0 {
            back.push(Adjustment { amount, ..adjustment });
        }
    }
    Ok(back)
}

fn is_same(one: &Adjustment, other: &Adjustment) -> bool {
    let key = |of: &Adjustment| (of.kind, of.tax, of.reason.clone(), of.reason_code.clone());
    key(one) == key(other)
}

/// How much of an adjustment should have gone back once these lines have: as much of it as of the lines under its tax, to the nearest minor unit.
fn proportion(
    invoice: &Invoice,
    earlier: &[Invoice],
    amounts: &BTreeMap<&str, Invoiced>,
    adjustment: &Adjustment,
) -> Result<Invoiced, InvoicedError> {
    let under = |line: &&Line| line.tax == adjustment.tax;
    let total: i128 = invoice.lines.iter().filter(under).map(|line| line.net.units()).sum();
    let of_notes = earlier.iter().flat_map(|note| &note.lines).filter(under).map(|line| line.net.units());
    let of_this = invoice.lines.iter().filter(under).filter_map(|line| amounts.get(line.id.as_str()));
    let credited: i128 = of_notes.chain(of_this.map(|amount| amount.units())).sum();
    if total == 0 {
        return Ok(adjustment.amount.zero());
    }
    let (credited, total) = (credited * total.signum(), total.abs());
    let exact =
        adjustment.amount.units().checked_mul(credited.clamp(0, total)).ok_or(DecimalError::TooLarge)?;
    Invoiced::from_units(invoice.currency, divide_half_away(exact, total).0)
}

/// Holds what a credit note comes to between 0 and what is left of its invoice, on the invoice's side of 0.
fn fits(invoice: &Invoice, earlier: &[Invoice], asked: Invoiced) -> Result<(), CreditError> {
    let number = || invoice.number.clone();
    let mut left = invoice.totals.gross;
    for note in earlier {
        left = left.minus(note.totals.gross)?;
    }
    let sign = invoice.totals.gross.units().signum();
    if asked.units() * sign < 0 || (sign == 0 && asked.units() < 0) {
        return Err(CreditError::Charges { number: number(), amount: asked.absolute() });
    }
    if asked.units().abs() > left.units().abs() {
        return Err(CreditError::MoreThanLeftOfAll { number: number(), left, asked });
    }
    Ok(())
}

/// What earlier credit notes have left of each line, before tax.
///
/// # Errors
/// [`InvoicedError`].
pub fn left_of_lines<'a>(
    invoice: &'a Invoice,
    earlier: &[Invoice],
) -> Result<BTreeMap<&'a str, Invoiced>, InvoicedError> {
    let mut left: BTreeMap<&str, Invoiced> =
        invoice.lines.iter().map(|line| (line.id.as_str(), line.net)).collect();
    for line in earlier.iter().flat_map(|note| &note.lines) {
        if let Some(of) = left.get_mut(line.id.as_str()) {
            *of = of.minus(line.net)?;
        }
    }
    Ok(left)
}

/// What is taken back of each line.
fn amounts<'a>(
    invoice: &Invoice,
    left: &BTreeMap<&'a str, Invoiced>,
    what: &Credit,
) -> Result<BTreeMap<&'a str, Invoiced>, CreditError> {
    let Credit::Lines(asked) = what else { return Ok(left.clone()) };
    if asked.is_empty() {
        return Err(CreditError::NoLines(invoice.number.clone()));
    }
    let mut amounts = BTreeMap::new();
    for (line, amount) in asked {
        let (number, owned) = (invoice.number.clone(), line.clone());
        let Some((line, left)) = left.get_key_value(line.as_str()) else {
            return Err(CreditError::NoLine { number, line: owned, lines: invoice.lines.len() });
        };
        let amount = amount.unwrap_or(*left);
        // Of another sign, nothing is left at all.
        let sign = left.units().signum();
        let fits = left.currency() == amount.currency()
            && amount.units() * sign >= 0
            && amount.units().abs() <= left.units().abs();
        if !fits {
            return Err(CreditError::MoreThanLeft { number, line: owned, left: *left, asked: amount });
        }
        if amounts.insert(*line, amount).is_some() {
            return Err(CreditError::LineTwice(owned));
        }
    }
    Ok(amounts)
}

/// A line of which an amount is taken back: the whole of it as it was counted, a part as one.
fn credited(line: &Line, amount: Invoiced) -> Line {
    if amount == line.net {
        return line.clone();
    }
    let once = if amount.units() < 0 { Quantity::ONE.negated() } else { Quantity::ONE };
    let unit_code = super::compose::ONE.to_owned();
    Line { quantity: once, unit_code, price: amount.absolute().number(), net: amount, ..line.clone() }
}

/// The tax that goes back, by category and rate: that of all that is credited, less what earlier credit notes took.
fn taxes_back(
    invoice: &Invoice,
    earlier: &[Invoice],
    lines: &[Line],
    adjustments: &[Adjustment],
) -> Result<Vec<TaxSubtotal>, InvoicedError> {
    let nothing = Invoiced::nothing(invoice.currency)?;
    let taken = |of: Tax, what: fn(&TaxSubtotal) -> Invoiced| {
        let of_notes = earlier.iter().flat_map(|note| &note.taxes).filter(move |other| other.tax == of);
        of_notes.map(what).try_fold(nothing, |sum, more| sum.plus(more))
    };
    let mut taxes = Vec::new();
    for (of, taxable) in taxable(nothing, lines, adjustments)? {
        let so_far = taken(of, |other| other.taxable)?.plus(taxable)?;
        let amount = tax(so_far, of.rate)?.0.minus(taken(of, |other| other.amount)?)?;
        let original = invoice.taxes.iter().find(|other| other.tax == of);
        taxes.push(TaxSubtotal {
            tax: of,
            taxable,
            amount,
            exemption_reason: original.and_then(|of| of.exemption_reason.clone()),
            exemption_code: original.and_then(|of| of.exemption_code.clone()),
        });
    }
    Ok(taxes)
}

/// The tax that goes back in the currency of the tax office, at the invoice's own rate.
fn tax_currency_back(
    invoice: &Invoice,
    earlier: &[Invoice],
    tax: Invoiced,
) -> Result<Option<TaxCurrency>, InvoicedError> {
    let Some(of) = &invoice.tax_currency else { return Ok(None) };
    let (mut all, mut taken) = (tax, of.tax.zero());
    for note in earlier {
        all = all.plus(note.totals.tax)?;
        taken = taken.plus(note.tax_currency.as_ref().map_or(of.tax.zero(), |of| of.tax))?;
    }
    let (amount, _) = tax_in(of.currency, all, of.exchange.rate)?;
    Ok(Some(TaxCurrency { tax: amount.minus(taken)?, ..of.clone() }))
}
