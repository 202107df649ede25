//! The lines of an order: each is read, or says why it cannot be.

use super::super::{
    DraftLine, DraftTax, LINES_MAX, Line, LineNumber, LineType, Price, PriceError, ProblemKind, Seller,
    Settings, Tax, minor_units,
};
use super::fields::{Mode, Reading};
use crate::money::{Cost, Currency, DecimalError, Percentage, Quantity};
use crate::period::BillingPeriod;
use std::collections::BTreeSet;

/// What the order's own fields ask of its lines.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub bill_from: &'a BTreeSet<Seller>,
    pub months: Option<(BillingPeriod, BillingPeriod)>,
    pub currency: Option<Currency>,
    /// `None` of an order that was checked when it was kept.
    pub settings: Option<&'a Settings>,
}

/// A line and its field's path.
struct At<'a> {
    path: String,
    line: &'a DraftLine,
}

impl At<'_> {
    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}

impl Reading {
    /// Every line; `None` where one cannot be read.
    pub fn lines(&mut self, lines: &[DraftLine], terms: Terms<'_>) -> Option<Vec<Line>> {
        let count = lines.len().to_string();
        if lines.is_empty() {
            let message = "a purchase order has no line".to_owned();
            let way_out = "give at least one: without a line nothing can be matched";
            self.illegal(ProblemKind::LinesMissing, "lineItems", &count, message, way_out);
        }
        if lines.len() > LINES_MAX {
            let message = format!("a purchase order has {count} lines");
            let way_out = "at most 100 are allowed; put the others into a second order";
            self.limit(ProblemKind::LinesTooMany, "lineItems", &count, message, way_out);
        }
        let mut seen = BTreeSet::new();
        let mut taken = Vec::with_capacity(lines.len());
        for (line, at) in lines.iter().zip(0..) {
            let at = At { path: format!("lineItems[{at}]"), line };
            taken.extend(self.line(&at, terms, &mut seen));
        }
        (taken.len() == lines.len()).then_some(taken)
    }

    fn line(&mut self, at: &At<'_>, terms: Terms<'_>, seen: &mut BTreeSet<LineNumber>) -> Option<Line> {
        let number = self.number(at, seen);
        self.text(&at.field("description"), at.line.description.as_deref());
        let line_type = self.line_type(at, terms);
        let fields = (at.field("startMonth"), at.field("endMonth"));
        let months = self.months((&fields.0, &fields.1), (&at.line.start_month, &at.line.end_month));
        if let (Some(months), Some(of_order)) = (months, terms.months) {
            self.within(at, months, of_order);
        }
        self.text(&at.field("chargeId"), at.line.charge.as_deref());
        let price = terms.currency.and_then(|currency| self.price(at, currency));
        let (start, end) = months?;
        Some(Line {
            number: number?,
            description: at.line.description.clone(),
            line_type: line_type?,
            start,
            end,
            balance_tracking: at.line.balance_tracking,
            charge: at.line.charge.clone(),
            price: price?,
        })
    }

    fn number(&mut self, at: &At<'_>, seen: &mut BTreeSet<LineNumber>) -> Option<LineNumber> {
        let (field, text) = (at.field("number"), &at.line.number);
        let Some(number) = LineNumber::parse(text) else {
            let message = format!("`{}` is not a line number", text.escape_debug());
            let way_out = "a number has 1 to 50 characters, as `1` or `1.2`";
            self.unreadable(ProblemKind::LineNumber, &field, text, message, way_out);
            return None;
        };
        if !seen.insert(number.clone()) {
            let message = format!("line number `{number}` is there twice");
            self.unreadable(
                ProblemKind::LineNumberTwice,
                &field,
                text,
                message,
                "give each line its own number",
            );
        }
        Some(number)
    }

    fn line_type(&mut self, at: &At<'_>, terms: Terms<'_>) -> Option<LineType> {
        let (field, text) = (at.field("type"), &at.line.line_type);
        let found = match self.mode() {
            Mode::Strict => LineType::parse(text),
            Mode::Lenient | Mode::Kept => LineType::parse_imported(text),
        };
        let is_type = |of: &LineType| terms.settings.is_none_or(|settings| settings.line_types.contains(of));
        let Some(line_type) = found.filter(is_type) else {
            let names = LineType::ALL.iter().filter(|of| is_type(of)).map(|of| of.name());
            let way_out = format!("choose one of {}", names.collect::<Vec<_>>().join(", "));
            let message = format!("`{}` is not a type of line", text.escape_debug());
            self.unreadable(ProblemKind::LineType, &field, text, message, &way_out);
            return None;
        };
        if let Some(settings) = terms.settings {
            self.type_seller(&field, line_type, terms.bill_from, settings);
        }
        Some(line_type)
    }

    /// A type must exist for at least one seller of the order; which invoices it takes is decided by each invoice's seller.
    fn type_seller(&mut self, field: &str, of: LineType, bill_from: &BTreeSet<Seller>, settings: &Settings) {
        let exists = |seller: &Seller| seller.is_any() || settings.has_type(seller, of);
        let Some(sellers) = settings.line_type_sellers.get(&of).filter(|_| !bill_from.iter().any(exists))
        else {
            return;
        };
        if bill_from.is_empty() {
            return;
        }
        let names = |of: &BTreeSet<Seller>| of.iter().map(Seller::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("lines of type `{}` do not exist for seller `{}`", of.name(), names(bill_from));
        let way_out = format!("choose type `ALL`, or bill from one of {}", names(sellers));
        self.illegal(ProblemKind::LineTypeSeller, field, of.name(), message, &way_out);
    }

    fn within(
        &mut self,
        at: &At<'_>,
        (start, end): (BillingPeriod, BillingPeriod),
        of_order: (BillingPeriod, BillingPeriod),
    ) {
        let (effective, expiration) = of_order;
        let number = at.line.number.trim();
        if start < effective {
            let message = format!("line `{number}` begins in `{start}`, before its order in `{effective}`");
            let way_out = "begin it with the order, or make the order effective earlier";
            let field = at.field("startMonth");
            self.illegal(ProblemKind::LineBeforeOrder, &field, &start.to_string(), message, way_out);
        }
        if end > expiration {
            let message = format!("line `{number}` ends in `{end}`, after its order in `{expiration}`");
            let way_out = "end it with the order, or let the order expire later";
            let field = at.field("endMonth");
            self.illegal(ProblemKind::LineAfterOrder, &field, &end.to_string(), message, way_out);
        }
    }

    fn price(&mut self, at: &At<'_>, currency: Currency) -> Option<Price> {
        let line = at.line;
        if line.balance_tracking && line.amount.is_none() {
            let message = format!("line `{}` tracks its balance and has no amount", line.number.trim());
            let way_out = "give the amount, or do not track the balance";
            self.illegal(ProblemKind::AmountMissing, &at.field("amount"), "", message, way_out);
        }
        let amount = match &line.amount {
            Some(text) => self.amount(&at.field("amount"), text, currency),
            None => Some(Cost::ZERO),
        };
        let quantity = match &line.quantity {
            Some(text) => self.quantity(&at.field("quantity"), text),
            None => Some(Quantity::ONE),
        };
        let tax = match &line.tax {
            Some(tax) => self.tax(&at.field("tax"), tax, currency).map(Some),
            None => Some(None),
        };
        let (amount, quantity, tax) = (amount?, quantity?, tax?);
        match Price::new(amount, quantity, tax, currency) {
            Ok(price) => Some(price),
            Err(error) => {
                self.no_value(at, error);
                None
            }
        }
    }

    fn no_value(&mut self, at: &At<'_>, error: PriceError) {
        let message = format!("line `{}`: {error}", at.line.number.trim());
        let value = at.line.amount.clone().unwrap_or_default();
        let way_out = "lower the amount or the quantity, or split the line";
        self.unreadable(ProblemKind::ValueTooLarge, &at.field("amount"), &value, message, way_out);
    }

    fn amount(&mut self, field: &str, text: &str, currency: Currency) -> Option<Cost> {
        let digits = minor_units(currency);
        let read = Cost::parse(text);
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
        let too_many = matches!(read, Err(DecimalError::TooManyDecimals(_)))
            || (read.is_ok() && decimals > digits as usize);
        if too_many {
            let message = format!("amount `{text}` has {decimals} decimals and `{currency}` has {digits}");
            let way_out = "round it yourself: amounts are never rounded here";
            self.unreadable(ProblemKind::AmountDecimals, field, text, message, way_out);
            return None;
        }
        let amount = read.ok().filter(|amount| *amount >= Cost::ZERO);
        if amount.is_none() {
            let message = format!("`{}` is not an amount", text.escape_debug());
            let way_out = "give a decimal number of 0 or more, as `1000.00`";
            self.unreadable(ProblemKind::Amount, field, text, message, way_out);
        }
        amount
    }

    fn quantity(&mut self, field: &str, text: &str) -> Option<Quantity> {
        let quantity = Quantity::parse(text).ok().filter(|quantity| *quantity > Quantity::ZERO);
        if quantity.is_none() {
            let message = format!("`{}` is not a quantity", text.escape_debug());
            let way_out = "give a decimal number above 0 with at most 10 decimals, as `12`";
            self.unreadable(ProblemKind::Quantity, field, text, message, way_out);
        }
        quantity
    }

    fn tax(&mut self, field: &str, tax: &DraftTax, currency: Currency) -> Option<Tax> {
        match tax {
            DraftTax::Amount(text) => self.amount(field, text, currency).map(Tax::Amount),
            DraftTax::Percent(text) => {
                let hundred = Percentage::from_units(1_000_000).ok();
                let fits = |percent: &Percentage| *percent >= Percentage::ZERO && Some(*percent) <= hundred;
                let percent = Percentage::parse(text).ok().filter(fits);
                if percent.is_none() {
                    let message = format!("`{}` is not a tax percentage", text.escape_debug());
                    let way_out = "give 0 to 100 with at most 4 decimals, as `19`";
                    self.unreadable(ProblemKind::Tax, field, text, message, way_out);
                }
                percent.map(Tax::Percent)
            }
        }
    }
}
