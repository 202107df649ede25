//! From the charges of a closed period to a document: drafted, and rounded once.
//!
//! The same function makes the preview and what is issued: a [`Composed`] document has everything but its number.

use super::amount::{Invoiced, InvoicedError};
use super::charges::{Charge, ChargedItem, Charges};
use super::date::Date;
use super::exchange::{NoRate, RateTable};
use super::party::{Party, VAT, is_blank};
use super::rounding::{exchanged, invoiced, payable, tax, tax_in};
use super::soundness::{Unsound, party_problems, payment_problems};
use super::tax::{Tax, TaxCategory, TaxSubtotal};
use super::tax_profile::{NoTax, TaxProfile, TaxRule};
use super::taxed::{category_problems, without_nothing};
use super::terms::{ComposeError, ExtraAdjustment, Extras, LinesBy, OrderReference, RateDay, Settings};
use super::{Adjustment, AdjustmentKind, DateRange, Exchange, Invoice, Kind, Line, TaxCurrency, Totals};
use crate::money::{Amount, Currency, Quantity};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;

/// The number of a document that has none yet.
pub const UNNUMBERED: &str = "DRAFT";
/// The code of UN/ECE Recommendation 20 of what is counted as one.
pub const ONE: &str = "C62";

/// A document with everything but its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The document; its number is [`UNNUMBERED`].
    pub document: Invoice,
    /// The exact charges in the document's currency − the lines' sum: at most half a minor unit.
    pub residue: Amount,
    /// Charges that had to be rounded at twenty decimals when they were exchanged.
    pub rounded_exchanges: usize,
    /// Charges that are not 0 and whose line would be: how many lines were left out.
    pub lines_below_a_minor_unit: usize,
    /// What came late to an earlier month and is taxed as no product in particular, though products of that month have other taxes.
    pub late_taxes: Vec<LateTax>,
}

/// The tax of a line for what came late to an earlier month, where nobody has said which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateTax {
    /// The line's name, by which a rule of tax can be about it.
    pub item: String,
    /// The month that it corrects.
    pub month: BillingPeriod,
    /// How much, before tax.
    pub net: Invoiced,
    /// The tax that it is given.
    pub tax: Tax,
}

impl Composed {
    /// The document under its number.
    #[must_use]
    pub fn numbered(self, number: String) -> Invoice {
        Invoice { number, ..self.document }
    }

    /// The document with a reference to a purchase order, or with none.
    pub fn refer_to(&mut self, order: Option<OrderReference>) {
        self.document.refer_to(order);
    }
}

impl Invoice {
    /// Refers to a purchase order, or to none. One document refers to one: all of its lines to that order's line.
    pub fn refer_to(&mut self, order: Option<OrderReference>) {
        let line = order.as_ref().and_then(|order| order.line.clone());
        self.purchase_order = order.map(|order| order.number);
        self.lines.iter_mut().for_each(|of| of.purchase_order_line.clone_from(&line));
    }
}

/// Makes the document of a period's charges.
///
/// Tax is that of the last day of the period, which is when services of a month are supplied; of what came late to an earlier month, of that
/// month's last day.
///
/// # Errors
/// All that is missing at once: [`ComposeError`], in the order of its variants.
pub fn compose(
    settings: &Settings,
    extras: &Extras,
    period: BillingPeriod,
    charges: &Charges,
    rates: &RateTable,
    issued: Date,
) -> Result<Composed, Vec<ComposeError>> {
    let charges = &without_nothing(settings, period, charges);
    let mut problems = profile_problems("seller", &settings.seller);
    problems.extend(profile_problems("buyer", &settings.buyer));
    problems.extend(settings.payment.iter().flat_map(payment_problems).map(Into::into));
    let supplied = Date::last_of(period);
    let mut categories = Vec::new();
    match &settings.tax {
        None => problems.push(ComposeError::NoTaxProfile),
        Some(profile) => match categories_of(extras, profile, charges, period) {
            Ok(of_charges) => categories = of_charges,
            Err(of_tax) => problems.extend(of_tax),
        },
    }
    if issued < supplied {
        problems.push(ComposeError::BeforeSupply { issued, until: supplied });
    }
    let rate_day = match settings.rate_day {
        RateDay::PeriodEnd => supplied,
        RateDay::Issue => issued,
    };
    let currency = settings.currency.unwrap_or(charges.currency);
    let rate = |from, to| rates.rate(from, to, rate_day);
    let exchange = (currency != charges.currency).then(|| rate(charges.currency, currency)).transpose();
    let tax_currency = settings.tax_currency.filter(|of| *of != currency);
    let tax_exchange = tax_currency.map(|to| rate(currency, to)).transpose();
    let mut failed = |error: NoRate| problems.push(error.into());
    let exchange = exchange.map_err(&mut failed).unwrap_or_default();
    let tax_exchange = tax_exchange.map_err(&mut failed).unwrap_or_default();
    problems.extend(extras.adjustments.iter().filter_map(adjustment_problem));
    let (Some(profile), true) = (&settings.tax, problems.is_empty()) else {
        problems.extend(category_problems(settings, categories));
        return Err(problems);
    };
    let draft = Draft { settings, extras, profile, period, currency, issued, exchange, tax_exchange };
    let composed = draft.compose(charges).map_err(|error| vec![error])?;
    // Only what is on the document has a category: a line that is rounded away asks for nobody's ids.
    let shown = composed.document.taxes.iter().map(|of| of.tax.category).collect();
    let problems = category_problems(settings, shown);
    if problems.is_empty() { Ok(composed) } else { Err(problems) }
}

/// What every document has to say of a party (BR-06 to BR-11).
fn profile_problems(whose: &'static str, party: &Party) -> Vec<ComposeError> {
    let mut problems = Vec::new();
    if party.legal_name.is_empty() {
        problems.push(ComposeError::Profile { whose, what: "legal name" });
    }
    let mut address = party.address.lines.iter().chain(&party.address.city);
    if address.all(|line| is_blank(line)) {
        problems.push(ComposeError::Profile { whose, what: "address" });
    }
    problems.extend(party_problems(whose, party).into_iter().map(ComposeError::from));
    if party.address.country.is_empty() {
        problems.push(Unsound::Country { whose, country: String::new() }.into());
    }
    problems
}

fn adjustment_problem(of: &ExtraAdjustment) -> Option<ComposeError> {
    let what = match of.kind {
        AdjustmentKind::Allowance => "allowance",
        AdjustmentKind::Charge => "charge",
    };
    let (reason, amount) = (of.reason.clone(), of.amount);
    (amount.units() < 0).then_some(ComposeError::Adjustment { what, reason, amount })
}

/// The categories of all charges and adjustments, or what is wrong with the tax of any.
fn categories_of(
    extras: &Extras,
    profile: &TaxProfile,
    charges: &Charges,
    period: BillingPeriod,
) -> Result<Vec<TaxCategory>, Vec<ComposeError>> {
    let mut problems: Vec<ComposeError> = profile.problems().into_iter().map(Into::into).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let of_leaf = |leaf: &'_ Charge| (leaf.product.clone(), item_name(leaf), leaf.supplied_in(period));
    let leaves = charges.leaves.iter().map(of_leaf);
    let mut taxed: Vec<(String, Option<String>, BillingPeriod)> =
        leaves.chain(extras.adjustments.iter().map(|of| (of.product.clone(), None, period))).collect();
    if taxed.is_empty() {
        taxed.push((String::new(), None, period));
    }
    taxed.sort_unstable();
    taxed.dedup();
    let mut categories = Vec::new();
    for (product, item, month) in taxed {
        match profile.rule_of(item.as_deref(), &product, Date::last_of(month)) {
            Ok(rule) => categories.push(rule.tax.category),
            Err(error) => problems.push(error.into()),
        }
    }
    if problems.is_empty() { Ok(categories) } else { Err(problems) }
}

fn item_name(charge: &Charge) -> Option<String> {
    charge.item.as_ref().map(|item| item.name.clone())
}

/// A line before it is rounded.
struct ExactLine<'a> {
    first: &'a Charge,
    rule: &'a TaxRule,
    amount: Amount,
}

/// A line that is not 0, with what it comes to.
type ShownLine<'a> = (&'a ExactLine<'a>, Invoiced);

struct Draft<'a> {
    settings: &'a Settings,
    extras: &'a Extras,
    profile: &'a TaxProfile,
    period: BillingPeriod,
    currency: Currency,
    issued: Date,
    exchange: Option<Exchange>,
    tax_exchange: Option<Exchange>,
}

impl Draft<'_> {
    fn compose(self, charges: &Charges) -> Result<Composed, ComposeError> {
        let lines = self.exact_lines(charges)?;
        let mut rounded_exchanges = 0;
        let mut exact = Vec::with_capacity(lines.len());
        for line in &lines {
            let (amount, rounded) = match &self.exchange {
                Some(exchange) => exchanged(line.amount, exchange.rate).map_err(InvoicedError::from)?,
                None => (line.amount, false),
            };
            rounded_exchanges += usize::from(rounded);
            exact.push(amount);
        }
        let rounded = invoiced(self.currency, &exact)?;
        let below = |(line, part): &(&ExactLine<'_>, &Invoiced)| part.units() == 0 && !line.amount.is_zero();
        let lines_below_a_minor_unit = lines.iter().zip(&rounded.parts).filter(below).count();
        let shown: Vec<ShownLine<'_>> =
            lines.iter().zip(rounded.parts).filter(|(_, net)| net.units() != 0).collect();
        let late_taxes = self.late_taxes(&shown);
        let nothing_shown = lines.first().map(|line| line.rule);
        let document = self.document(&shown, nothing_shown)?;
        let residue = rounded.residue;
        Ok(Composed { document, residue, rounded_exchanges, lines_below_a_minor_unit, late_taxes })
    }

    /// What came late and has the tax of whatever no rule names, where products of its month have others.
    fn late_taxes(&self, shown: &[ShownLine<'_>]) -> Vec<LateTax> {
        let late = |(line, net): &ShownLine<'_>| {
            let item = line.first.item.as_ref()?;
            let (month, tax) = (item.corrects?, line.rule.tax);
            let is_unsaid = self.profile.differs_by_product(&item.name, tax, Date::last_of(month));
            is_unsaid.then(|| LateTax { item: item.name.clone(), month, net: *net, tax })
        };
        shown.iter().filter_map(late).collect()
    }

    /// The charges by what lines are told apart by; lines of one name have one tax.
    fn exact_lines<'c>(&'c self, charges: &'c Charges) -> Result<Vec<ExactLine<'c>>, ComposeError> {
        let mut lines: BTreeMap<(&str, &str, Option<&str>, Tax), ExactLine<'c>> = BTreeMap::new();
        for charge in &charges.leaves {
            let supplied = Date::last_of(charge.supplied_in(self.period));
            let named = charge.item.as_ref().map(|item| item.name.as_str());
            let rule = self.profile.rule_of(named, &charge.product, supplied)?;
            let (account, product) = match self.settings.lines {
                LinesBy::Service => ("", charge.product.as_str()),
                LinesBy::AccountAndService => (charge.account.as_str(), charge.product.as_str()),
                LinesBy::One => ("", ""),
            };
            let own = self.item_of_its_own(charge).map(|item| item.name.as_str());
            let key = (account, product, own, rule.tax);
            let line = lines.entry(key).or_insert(ExactLine { first: charge, rule, amount: Amount::ZERO });
            line.amount = line.amount.plus(charge.amount).map_err(InvoicedError::from)?;
        }
        Ok(lines.into_values().collect())
    }

    /// The custom line item that has a line of its own. Where all is on one line, only what corrects another month has.
    fn item_of_its_own<'c>(&self, charge: &'c Charge) -> Option<&'c ChargedItem> {
        let is_apart = |item: &&ChargedItem| self.settings.lines != LinesBy::One || item.corrects.is_some();
        charge.item_of_its_own().filter(is_apart)
    }

    /// Why no tax is charged, by tax: every reason of the rules that come together under one on what is shown.
    fn reasons(&self, of_lines: &[&TaxRule]) -> Result<Reasons, ComposeError> {
        let mut rules: BTreeMap<Tax, Vec<&TaxRule>> = BTreeMap::new();
        let of_lines = of_lines.iter().copied();
        let of_extras = self.extras.adjustments.iter().map(|of| self.rule(&of.product));
        for rule in of_lines.map(Ok).chain(of_extras) {
            let rule = rule?;
            rules.entry(rule.tax).or_default().push(rule);
        }
        Ok(rules.into_iter().map(|(tax, rules)| (tax, joined_reasons(&rules))).collect())
    }

    /// The document of the lines that are not 0; where there is none, it has one of 0 under a rule.
    fn document(
        &self,
        shown: &[ShownLine<'_>],
        nothing_shown: Option<&TaxRule>,
    ) -> Result<Invoice, ComposeError> {
        let settings = self.settings;
        let nothing = Invoiced::nothing(self.currency)?;
        let adjustments = self.adjustments()?;
        let mut rules: Vec<&TaxRule> = shown.iter().map(|(line, _)| line.rule).collect();
        if rules.is_empty() {
            rules.push(nothing_shown.map_or_else(|| self.rule(""), Ok)?);
        }
        let reasons = self.reasons(&rules)?;
        let lines = self.lines(shown, rules[0])?;
        let taxes = subtotals(nothing, &lines, &adjustments, &reasons)?;
        let prepaid = self.extras.prepaid.unwrap_or(nothing);
        let totals = totals(nothing, &lines, &adjustments, &taxes, prepaid, settings.payable_step)?;
        if prepaid.units() < 0 || prepaid.units() > totals.gross.units().max(0) {
            let (currency, gross) = (self.currency, totals.gross);
            return Err(ComposeError::Prepaid { prepaid, currency, gross });
        }
        let mut seller = settings.seller.clone();
        let mut buyer = settings.buyer.clone();
        if taxes.iter().any(|of| of.tax.category == TaxCategory::OutsideScope) {
            // BR-O-02: what is outside the scope of VAT names no VAT id.
            seller.tax_registrations.retain(|id| id.scheme != VAT);
            buyer.tax_registrations.retain(|id| id.scheme != VAT);
        }
        let tax_currency = self.tax_exchange.clone().map(|exchange| {
            let (tax, _) = tax_in(exchange.to, totals.tax, exchange.rate)?;
            Ok::<_, InvoicedError>(TaxCurrency { currency: exchange.to, exchange, tax })
        });
        let mut document = Invoice {
            number: UNNUMBERED.to_owned(),
            kind: Kind::Invoice,
            issued: self.issued,
            due: Some(self.issued.plus_days(settings.due_days)),
            payment_terms: settings.payment_terms.clone(),
            currency: self.currency,
            tax_currency: tax_currency.transpose()?,
            exchange: self.exchange.clone(),
            period: DateRange { from: Date::first_of(self.period), to: Date::last_of(self.period) },
            seller,
            buyer,
            buyer_reference: settings.buyer_reference.clone(),
            purchase_order: None,
            contract: settings.contract.clone(),
            preceding: None,
            lines,
            adjustments,
            taxes,
            totals,
            payment: settings.payment.clone(),
            notes: settings.notes.iter().chain(&self.extras.notes).cloned().collect(),
            language: settings.language.clone(),
        };
        document.refer_to(self.extras.purchase_order.clone());
        Ok(document)
    }

    fn rule(&self, product: &str) -> Result<&TaxRule, NoTax> {
        self.profile.rule(product, Date::last_of(self.period))
    }

    fn adjustments(&self) -> Result<Vec<Adjustment>, ComposeError> {
        let of = |extra: &ExtraAdjustment| {
            let tax = self.rule(&extra.product)?.tax;
            let (kind, amount, reason) = (extra.kind, extra.amount, extra.reason.clone());
            Ok(Adjustment { kind, amount, tax, reason, reason_code: None })
        };
        self.extras.adjustments.iter().map(of).collect()
    }

    /// The lines that are shown; one of 0 where there is no other, for a document has a line (BR-16).
    fn lines(&self, lines: &[ShownLine<'_>], first: &TaxRule) -> Result<Vec<Line>, ComposeError> {
        let mut shown: Vec<Line> =
            lines.iter().map(|(line, net)| self.line(line.first, line.rule.tax, *net)).collect();
        if shown.is_empty() {
            let name = Charge {
                account: String::new(),
                account_name: None,
                product: String::new(),
                product_name: self.one_line_name(),
                item: None,
                amount: Amount::ZERO,
            };
            shown.push(self.line(&name, first.tax, Invoiced::nothing(self.currency)?));
        }
        for (line, number) in shown.iter_mut().zip(1..) {
            line.id = i32::to_string(&number);
        }
        Ok(shown)
    }

    fn one_line_name(&self) -> String {
        self.settings.line_name.clone().unwrap_or_else(|| "Cloud services".to_owned())
    }

    fn line(&self, charge: &Charge, tax: Tax, net: Invoiced) -> Line {
        let by_account = self.settings.lines == LinesBy::AccountAndService && !charge.account.is_empty();
        let item = self.item_of_its_own(charge);
        let name = match (item, self.settings.lines) {
            (Some(item), _) => item.name.clone(),
            (None, LinesBy::One) => self.one_line_name(),
            (None, LinesBy::Service | LinesBy::AccountAndService) => charge.product_name.clone(),
        };
        let description = match item {
            Some(item) => Some(item.description.clone()).filter(|of| !is_blank(of) && *of != item.name),
            None => by_account.then(|| charge.account_name.clone()).flatten(),
        };
        // A price is never below 0 (BR-27): what is taken back is taken back minus one time.
        let once = if net.units() < 0 { Quantity::ONE.negated() } else { Quantity::ONE };
        Line {
            id: String::new(),
            name,
            description,
            account: by_account.then(|| charge.account.clone()),
            quantity: once,
            unit_code: ONE.to_owned(),
            price: net.absolute().number(),
            net,
            tax,
            period: None,
            purchase_order_line: None,
        }
    }
}

/// The reasons why no tax is charged, in words and as a code, by tax.
pub(super) type Reasons = BTreeMap<Tax, (Option<String>, Option<String>)>;

/// The reasons of several rules as one: each that is said in words once, and the code where all have the same, for a document has one code (BT-121).
fn joined_reasons(rules: &[&TaxRule]) -> (Option<String>, Option<String>) {
    let mut reasons: Vec<(Option<String>, Option<String>)> = Vec::new();
    for reason in rules.iter().map(|rule| rule.reason()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if let [only] = reasons.as_slice() {
        return only.clone();
    }
    let mut words: Vec<&str> = Vec::new();
    for (reason, code) in &reasons {
        let said = reason.as_deref().or(code.as_deref());
        words.extend(said.filter(|said| !words.contains(said)));
    }
    let code = reasons.first().and_then(|(_, code)| code.clone());
    let is_of_all = reasons.iter().all(|(_, other)| *other == code);
    (Some(words.join("; ")).filter(|words| !words.is_empty()), code.filter(|_| is_of_all))
}

/// What is taxed under each category and rate: lines − allowances + charges.
pub(super) fn taxable(
    nothing: Invoiced,
    lines: &[Line],
    adjustments: &[Adjustment],
) -> Result<BTreeMap<Tax, Invoiced>, InvoicedError> {
    let mut taxable: BTreeMap<Tax, Invoiced> = BTreeMap::new();
    let of_lines = lines.iter().map(|line| (line.tax, line.net));
    let of_adjustments = adjustments.iter().map(|of| match of.kind {
        AdjustmentKind::Allowance => (of.tax, of.amount.negated()),
        AdjustmentKind::Charge => (of.tax, of.amount),
    });
    for (tax, amount) in of_lines.chain(of_adjustments) {
        let sum = taxable.entry(tax).or_insert(nothing);
        *sum = sum.plus(amount)?;
    }
    Ok(taxable)
}

/// The tax by category and rate, each rounded once.
fn subtotals(
    nothing: Invoiced,
    lines: &[Line],
    adjustments: &[Adjustment],
    reasons: &Reasons,
) -> Result<Vec<TaxSubtotal>, InvoicedError> {
    let of = |(of, taxable): (Tax, Invoiced)| {
        let (amount, _) = tax(taxable, of.rate)?;
        let (exemption_reason, exemption_code) = reasons.get(&of).cloned().unwrap_or_default();
        Ok(TaxSubtotal { tax: of, taxable, amount, exemption_reason, exemption_code })
    };
    taxable(nothing, lines, adjustments)?.into_iter().map(of).collect()
}

/// The totals that follow.
pub(super) fn totals(
    nothing: Invoiced,
    lines: &[Line],
    adjustments: &[Adjustment],
    taxes: &[TaxSubtotal],
    prepaid: Invoiced,
    payable_step: Option<Invoiced>,
) -> Result<Totals, InvoicedError> {
    let of_kind = |kind| adjustments.iter().filter(move |of| of.kind == kind).map(|of| of.amount);
    let of_lines = sum(nothing, lines.iter().map(|line| line.net))?;
    let allowances = sum(nothing, of_kind(AdjustmentKind::Allowance))?;
    let charges = sum(nothing, of_kind(AdjustmentKind::Charge))?;
    let net = of_lines.minus(allowances)?.plus(charges)?;
    let tax = sum(nothing, taxes.iter().map(|of| of.amount))?;
    let gross = net.plus(tax)?;
    let unpaid = gross.minus(prepaid)?;
    let rounding = payable_step.map(|step| payable(unpaid, step)).transpose()?.unwrap_or(nothing);
    let due = unpaid.plus(rounding)?;
    Ok(Totals { lines: of_lines, allowances, charges, net, tax, gross, prepaid, rounding, due })
}

fn sum(nothing: Invoiced, mut amounts: impl Iterator<Item = Invoiced>) -> Result<Invoiced, InvoicedError> {
    amounts.try_fold(nothing, Invoiced::plus)
}
