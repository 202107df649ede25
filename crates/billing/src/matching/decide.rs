//! The rules R1 to R18, one after the other.

use super::answer::{Answer, Fits, Loss, Question, Tier, covers};
use super::exchange::converted;
use super::index::{Indexed, Matcher, Orders};
use super::trace::{LineFold, LineReason, OrderReason, OrderTrace, OrderVerdict, Trace};
use super::{Decision, Effect, MatchError, NoOrder, Outcome, Place, Taking};
use crate::money::{Amount, Currency, DecimalError};
use crate::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use crate::purchase_order::{ExpiryBasis, OnInsufficientBalance, PurchaseOrder, Settings};
use std::ops::Range;
use std::sync::Arc;

impl Matcher {
    /// Decides of an invoice and does nothing: see [`Matcher::take`].
    ///
    /// # Errors
    /// [`MatchError`] where an amount is beyond what can be reckoned with.
    pub fn decide(&mut self, invoice: &MatchInvoice) -> Result<Decision, MatchError> {
        match (invoice.kind, &invoice.requested) {
            (InvoiceKind::CreditMemo, _) => self.decide_credit_memo(invoice),
            (kind, Some(requested)) if asks_for_order(kind, &self.settings) => {
                self.decide_requested(invoice, requested)
            }
            _ => {
                let (outcome, trace) = match self.orders.get_mut(&invoice.buyer) {
                    Some(orders) => weigh(invoice, &self.settings, orders, 0..orders.all.len())?,
                    None => (Outcome::None(NoOrder::NoOrders), Trace::default()),
                };
                Ok(decision(invoice, outcome, Vec::new(), trace))
            }
        }
    }

    /// A credit memo goes where its original is at present, whatever has become of that order, and gives its amount back (R17, D7).
    /// Where that has no counterpart in the order's currency, the balance stays as it is, and [`Taking::lacks_exchange`] says so.
    fn decide_credit_memo(&self, invoice: &MatchInvoice) -> Result<Decision, MatchError> {
        let none = |reason| Ok(decision(invoice, Outcome::None(reason), Vec::new(), Trace::default()));
        let Some(original) = &invoice.original else { return none(NoOrder::NoOriginal) };
        let Some(original) = self.placed.get(original).filter(|of| of.buyer == invoice.buyer) else {
            return none(NoOrder::OriginalWithoutOrder);
        };
        let indexed = self.indexed(&invoice.buyer, &original.place.order);
        let used = match indexed {
            Some(indexed) => self.taken_from(invoice, &indexed.order)?,
            None => None,
        };
        let balance = self.balance(&invoice.buyer, &original.place);
        let balance_after = after(invoice, balance, used)?;
        let place = original.place.clone();
        let currency = indexed.map_or(invoice.currency, |indexed| indexed.order.currency);
        let line = indexed.and_then(|indexed| indexed.order.line(&place.line));
        let lacks_exchange = used.is_none() && line.is_some_and(|line| line.balance_tracking);
        let taking = Taking { place, used, currency, balance_after, out_of_balance: false, lacks_exchange };
        Ok(decision(invoice, Outcome::Associated(taking), Vec::new(), Trace::default()))
    }

    /// What an invoice takes from a balance in an order's currency, and a credit memo gives back: by the exchange that the memo states, else by that
    /// of its original, which took the amount. A memo of an invoice below 0 takes what that has given.
    pub(super) fn taken_from(
        &self,
        invoice: &MatchInvoice,
        order: &PurchaseOrder,
    ) -> Result<Option<Amount>, MatchError> {
        let memo = invoice.kind == InvoiceKind::CreditMemo;
        let Some(original) = self.original(invoice).filter(|_| memo) else {
            return used_of(invoice, order);
        };
        let stated = used_of(invoice, order)?;
        let used = match stated {
            None => used_of(&MatchInvoice { exchange: original.exchange, ..invoice.clone() }, order)?,
            some => some,
        };
        Ok(used.map(|used| if original.gives { used.negated() } else { used }))
    }
}

/// Whether an order number on an invoice decides. On monthly AWS Marketplace usage only where the settings allow it (A5).
pub(super) const fn asks_for_order(kind: InvoiceKind, settings: &Settings) -> bool {
    !matches!(kind, InvoiceKind::MarketplaceMonthly) || settings.marketplace_transaction_for_usage
}

/// Whether the buyer gave an order for AWS Marketplace usage and the settings allow that.
pub(super) const fn usage_ordered(invoice: &MatchInvoice, settings: &Settings) -> bool {
    settings.marketplace_transaction_for_usage && invoice.requested.is_some()
}

pub(super) fn decision(
    invoice: &MatchInvoice,
    outcome: Outcome,
    effects: Vec<Effect>,
    trace: Trace,
) -> Decision {
    let other_numbers = invoice.requested.iter().flat_map(|requested| requested.others.iter().cloned());
    let other_numbers = other_numbers.collect();
    Decision { invoice: invoice.id.clone(), outcome, effects, other_numbers, trace }
}

/// What an invoice takes from a balance in an order's currency, and a credit memo gives back; `None` where it cannot be exchanged.
pub(super) fn used_of(invoice: &MatchInvoice, order: &PurchaseOrder) -> Result<Option<Amount>, MatchError> {
    let signed = if invoice.kind == InvoiceKind::CreditMemo && invoice.total > Amount::ZERO {
        invoice.total.negated()
    } else {
        invoice.total
    };
    let found = converted(signed, invoice.currency, order.currency, invoice.exchange);
    let found = found.map_err(|error| failed(invoice, "its total in the order's currency", error))?;
    Ok(found.map(|converted| converted.total))
}

fn failed(invoice: &MatchInvoice, what: &'static str, error: DecimalError) -> MatchError {
    MatchError { invoice: invoice.id.clone(), what, error }
}

fn after(
    invoice: &MatchInvoice,
    balance: Option<Amount>,
    used: Option<Amount>,
) -> Result<Option<Amount>, MatchError> {
    let Some(balance) = balance else { return Ok(None) };
    let left = balance.minus(used.unwrap_or_default());
    left.map(Some).map_err(|error| failed(invoice, "the balance of its line", error))
}

/// Why an order falls for an invoice: the first reason that holds (R2 to R5).
pub(super) fn order_reason(
    invoice: &MatchInvoice,
    order: &PurchaseOrder,
    settings: &Settings,
) -> Option<OrderReason> {
    let span = (order.effective.start_seconds(), order.expiration.end_seconds());
    fallen(invoice, order, span, instant(invoice, settings))
}

/// The instant by which an order is too late or too early, in seconds since 1970-01-01T00:00:00Z (D1).
const fn instant(invoice: &MatchInvoice, settings: &Settings) -> i64 {
    match settings.expiry_basis {
        ExpiryBasis::BillingPeriod => invoice.period.start_seconds(),
        ExpiryBasis::WallClock => invoice.issued_at,
    }
}

/// The reason to fall of an order that spans these instants.
fn fallen(
    invoice: &MatchInvoice,
    order: &PurchaseOrder,
    (from, until): (i64, i64),
    instant: i64,
) -> Option<OrderReason> {
    if order.suspended {
        return Some(OrderReason::Suspended);
    }
    let (early, late) = (instant < from, instant >= until);
    let trn = &invoice.tax_registration_number;
    let numbers = &order.tax_registration_numbers;
    let unit = &invoice.invoice_unit;
    let units = &order.invoice_units;
    match () {
        () if late => Some(OrderReason::Expired(order.expiration)),
        () if early => Some(OrderReason::NotYetEffective(order.effective)),
        () if !order.bills_from(&invoice.seller) => Some(OrderReason::BillFromMismatch),
        () if !numbers.is_empty() && !trn.as_ref().is_some_and(|trn| numbers.contains(trn)) => {
            Some(OrderReason::TaxRegistrationNumberMismatch)
        }
        () if !units.is_empty() && !unit.as_ref().is_some_and(|unit| units.contains(unit)) => {
            Some(OrderReason::InvoiceUnitMismatch)
        }
        () => None,
    }
}

/// Whether a Transaction line is for the purchase that an invoice is of: by the charge, where both name one; else by the number that the buyer gave.
pub(super) fn is_of_purchase(invoice: &MatchInvoice, order: &PurchaseOrder, at: usize) -> bool {
    let line = &order.lines[at];
    match (&line.charge, &invoice.charge) {
        (Some(of_line), Some(of_invoice)) => of_line == of_invoice,
        _ => invoice.requested.as_ref().is_some_and(|requested| {
            requested.id == order.id && requested.line.as_ref().is_none_or(|number| *number == line.number)
        }),
    }
}

/// An order that passed R2 to R5.
struct Weighed {
    /// Its place among the buyer's orders.
    place: usize,
    /// Which of its answers is to the invoice.
    answer: usize,
    /// What the invoice would take, in the order's currency.
    used: Option<Amount>,
    /// How many candidates of its highest rank have too little for that.
    short: usize,
    /// Whether it names the invoice's unit: one that names only others has fallen.
    names_unit: bool,
}

/// What decides among orders with candidates; the greatest wins, and of equal ones the first (D5, R8, R9, R10, D4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Merit {
    unit_preferred: bool,
    rank: u8,
    /// Whether any candidate of the rank covers the invoice.
    covers: bool,
    updated_at: i64,
}

/// The order that is taken: its place among those weighed, and its line.
struct Winner {
    at: usize,
    line: usize,
    merit: Merit,
}

/// Weighs a range of a buyer's orders, which stand by id, and says which line takes the invoice.
pub(super) fn weigh(
    invoice: &MatchInvoice,
    settings: &Settings,
    orders: &mut Orders,
    range: Range<usize>,
) -> Result<(Outcome, Trace), MatchError> {
    let number = orders.number(Question::of(invoice, usage_ordered(invoice, settings)), settings);
    let instant = instant(invoice, settings);
    let mut traces: Vec<OrderTrace> = Vec::with_capacity(range.len());
    let mut weighed: Vec<Weighed> = Vec::with_capacity(range.len());
    let mut best: Option<(usize, Merit)> = None;
    let mut exchanged = Exchanged::default();
    for place in range.clone() {
        let indexed = &mut orders.all[place];
        if let Some(reason) = fallen(invoice, &indexed.order, indexed.span, instant) {
            traces.push(OrderTrace { order: indexed.order.id.clone(), verdict: OrderVerdict::Fell(reason) });
            continue;
        }
        let used = exchanged.used(invoice, &indexed.order)?;
        let at = answered(invoice, indexed, &orders.fits[number], number, used.is_some());
        let names_unit = !indexed.order.invoice_units.is_empty();
        let answer = &mut indexed.answers[at];
        answer.look_at(&indexed.balances, indexed.changes);
        let short = answer.short_of(used);
        if let Some(tier) = answer.tiers.first() {
            let merit = Merit {
                unit_preferred: settings.prefer_invoice_unit && names_unit,
                rank: tier.rank,
                covers: short < tier.lines.len(),
                updated_at: indexed.order.updated_at,
            };
            if best.is_none_or(|(_, best)| merit > best) {
                best = Some((weighed.len(), merit));
            }
        }
        weighed.push(Weighed { place, answer: at, used, short, names_unit });
        // What it is told is known when all are weighed.
        let verdict = OrderVerdict::Lines(Arc::default());
        traces.push(OrderTrace { order: indexed.order.id.clone(), verdict });
    }
    let winner = best.and_then(|(at, merit)| winner(orders, &weighed, at, merit));
    let outcome = match &winner {
        Some(winner) => outcome(invoice, settings, orders, &weighed[winner.at], winner)?,
        None if traces.is_empty() => Outcome::None(NoOrder::NoOrders),
        None if weighed.is_empty() => Outcome::None(NoOrder::NoOrderEligible),
        None => Outcome::None(NoOrder::NoLineEligible),
    };
    let taken = !matches!(outcome, Outcome::None(_));
    for (at, of) in weighed.iter().enumerate() {
        let lines = told(&mut orders.all[of.place], of, at, winner.as_ref(), taken);
        traces[of.place - range.start].verdict = OrderVerdict::Lines(lines);
    }
    Ok((outcome, Trace { orders: traces }))
}

/// What an invoice takes in the currencies of orders, each computed once.
#[derive(Default)]
struct Exchanged(Vec<(Currency, Option<Amount>)>);

impl Exchanged {
    fn used(&mut self, invoice: &MatchInvoice, order: &PurchaseOrder) -> Result<Option<Amount>, MatchError> {
        if let Some((_, used)) = self.0.iter().find(|(currency, _)| *currency == order.currency) {
            return Ok(*used);
        }
        let used = used_of(invoice, order)?;
        self.0.push((order.currency, used));
        Ok(used)
    }
}

/// Which of the order's answers is to the invoice; it is there afterwards.
fn answered(
    invoice: &MatchInvoice,
    indexed: &mut Indexed,
    fits: &Fits,
    question: usize,
    exchanged: bool,
) -> usize {
    let of_purchase = fits.asks_for_purchase() && indexed.may_be_of_purchase(invoice);
    let answer_to = &mut indexed.answer_to[usize::from(exchanged)];
    if answer_to.len() <= question {
        answer_to.resize(question + 1, None);
    }
    if let Some(at) = answer_to[question].filter(|_| !of_purchase) {
        return at;
    }
    let (order, preferred) = (&indexed.order, &indexed.preferred);
    let is_of_purchase = |at| of_purchase && is_of_purchase(invoice, order, at);
    let answer = Answer::new(order, preferred, fits, exchanged, is_of_purchase);
    let at = indexed.answers.iter().position(|it| it.says_as(&answer)).unwrap_or(indexed.answers.len());
    if at == indexed.answers.len() {
        indexed.answers.push(answer);
    }
    // Which purchase an invoice is of is not among the question.
    if !of_purchase {
        answer_to[question] = Some(at);
    }
    at
}

/// The best order's line: the preferred one of those that cover the invoice, or of all where none does.
fn winner(orders: &Orders, weighed: &[Weighed], at: usize, merit: Merit) -> Option<Winner> {
    let of = weighed.get(at)?;
    let indexed = &orders.all[of.place];
    let tier = indexed.answers[of.answer].tiers.first()?;
    let fits = |line: &&usize| !merit.covers || covers(&indexed.order, **line, of.used, &indexed.balances);
    tier.lines.iter().find(fits).map(|line| Winner { at, line: *line, merit })
}

/// What the trace says of an order's lines.
fn told(
    indexed: &mut Indexed,
    of: &Weighed,
    at: usize,
    winner: Option<&Winner>,
    taken: bool,
) -> Arc<[LineFold]> {
    let Indexed { order, balances, answers, .. } = indexed;
    let answer = &mut answers[of.answer];
    let top = answer.tiers.first().map(|tier| tier.rank);
    let loss = match (winner, top) {
        (Some(winner), Some(top)) => {
            let Merit { unit_preferred, rank, covers: covered, updated_at } = winner.merit;
            let short = (covered || !taken).then_some(of.short);
            if at == winner.at {
                let reason = |tier: &Tier, line: usize| match () {
                    () if tier.rank < rank => LineReason::LessSpecific,
                    () if short.is_some() && !covers(order, line, of.used, balances) => {
                        LineReason::InsufficientBalance
                    }
                    () if line != winner.line => LineReason::OtherLine,
                    () => LineReason::Taken,
                };
                return answer.tell(order, balances, reason);
            }
            let reason =
                if order.updated_at < updated_at { LineReason::UpdatedEarlier } else { LineReason::LaterId };
            match () {
                () if unit_preferred && !of.names_unit => Loss::All(LineReason::UnitPreferred),
                () if top < rank => Loss::All(LineReason::LessSpecific),
                () => Loss::Tied { reason, short },
            }
        }
        _ => Loss::Nothing,
    };
    answer.lost(loss, of.used, order, balances)
}

/// What becomes of the invoice, given the line that wins.
fn outcome(
    invoice: &MatchInvoice,
    settings: &Settings,
    orders: &Orders,
    of: &Weighed,
    winner: &Winner,
) -> Result<Outcome, MatchError> {
    let indexed = &orders.all[of.place];
    let order = &indexed.order;
    let covered = winner.merit.covers;
    let taking = Taking {
        place: Place { order: order.id.clone(), line: order.lines[winner.line].number.clone() },
        used: of.used,
        currency: order.currency,
        balance_after: after(invoice, Some(indexed.balances[winner.line]), of.used)?,
        out_of_balance: !covered,
        lacks_exchange: false,
    };
    Ok(match settings.on_insufficient_balance {
        OnInsufficientBalance::Hold if !covered => Outcome::Held(taking),
        OnInsufficientBalance::LeaveUnmatched if !covered => Outcome::None(NoOrder::NoBalance),
        _ => Outcome::Associated(taking),
    })
}
