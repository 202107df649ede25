//! The rules R1 to R18, one after the other.

use super::exchange::converted;
use super::index::{Answer, Indexed, Matcher};
use super::rules::rank;
use super::trace::{LineReason, OrderReason, OrderTrace, OrderVerdict, Tally, Trace};
use super::{Decision, Effect, MatchError, NoOrder, Outcome, Place, Taking};
use crate::money::{Amount, DecimalError};
use crate::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use crate::purchase_order::{ExpiryBasis, LineType, OnInsufficientBalance, PurchaseOrder, Settings};
use std::cmp::Reverse;
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
                let orders = self.orders.get_mut(&invoice.buyer);
                let orders = orders.into_iter().flat_map(|of| of.values_mut());
                let (outcome, trace) = weigh(invoice, &self.settings, orders)?;
                Ok(decision(invoice, outcome, Vec::new(), trace))
            }
        }
    }

    /// A credit memo goes where its original is at present, whatever has become of that order, and gives its amount back (R17, D7).
    fn decide_credit_memo(&self, invoice: &MatchInvoice) -> Result<Decision, MatchError> {
        let none = |reason| Ok(decision(invoice, Outcome::None(reason), Vec::new(), Trace::default()));
        let Some(original) = &invoice.original else { return none(NoOrder::NoOriginal) };
        let Some(original) = self.placed.get(original).filter(|of| of.buyer == invoice.buyer) else {
            return none(NoOrder::OriginalWithoutOrder);
        };
        let indexed = self.indexed(&invoice.buyer, &original.place.order);
        let used = match indexed {
            Some(indexed) => used_of(invoice, &indexed.order)?,
            None => None,
        };
        let balance = self.balance(&invoice.buyer, &original.place);
        let balance_after = after(invoice, balance, used)?;
        let place = original.place.clone();
        let currency = indexed.map_or(invoice.currency, |indexed| indexed.order.currency);
        let taking = Taking { place, used, currency, balance_after, out_of_balance: false };
        Ok(decision(invoice, Outcome::Associated(taking), Vec::new(), Trace::default()))
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
    if order.suspended {
        return Some(OrderReason::Suspended);
    }
    let (early, late) = match settings.expiry_basis {
        ExpiryBasis::BillingPeriod => (invoice.period < order.effective, invoice.period > order.expiration),
        ExpiryBasis::WallClock => (
            invoice.issued_at < order.effective.start_seconds(),
            invoice.issued_at >= order.expiration.end_seconds(),
        ),
    };
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

/// A line that may take the invoice.
#[derive(Clone, Copy)]
struct Candidate {
    rank: u8,
    covers: bool,
    at: usize,
}

/// An order that passed R2 to R5.
struct Weighing<'a> {
    /// Its place in the trace.
    slot: usize,
    indexed: &'a Indexed,
    answer: Arc<Answer>,
    /// What the invoice would take, in the order's currency.
    used: Option<Amount>,
    /// Lines that fell for reasons of this invoice alone.
    tally: Tally,
    /// Its candidates, the preferred line first.
    candidates: Vec<Candidate>,
    /// Whether it names the invoice's unit: one that names only others has fallen.
    names_unit: bool,
}

/// What decides among candidates.
struct Verdict {
    unit_preferred: bool,
    rank: u8,
    /// Whether any candidate of the rank covers the invoice.
    covered: bool,
    /// The order that is taken, by its place among those weighed, and its line.
    winner: (usize, usize),
    /// When that order was updated.
    updated_at: i64,
}

/// Weighs orders, in the order of their ids, and says which line takes the invoice.
pub(super) fn weigh<'a>(
    invoice: &MatchInvoice,
    settings: &Settings,
    orders: impl Iterator<Item = &'a mut Indexed>,
) -> Result<(Outcome, Trace), MatchError> {
    let mut traces: Vec<OrderTrace> = Vec::with_capacity(orders.size_hint().0);
    let mut weighings: Vec<Weighing<'_>> = Vec::new();
    for indexed in orders {
        let order = indexed.order.id.clone();
        let verdict = match order_reason(invoice, &indexed.order, settings) {
            Some(reason) => OrderVerdict::Fell(reason),
            None => {
                let weighing = weighing(invoice, settings, indexed, traces.len())?;
                let lines = weighing.answer.folds.clone();
                weighings.push(weighing);
                OrderVerdict::Lines(lines)
            }
        };
        traces.push(OrderTrace { order, verdict });
    }
    let (verdict, outcome) = match verdict(&weighings, settings) {
        Some(verdict) => {
            let taken = outcome(invoice, settings, &weighings, &verdict)?;
            (Some(verdict), taken)
        }
        None if traces.is_empty() => (None, Outcome::None(NoOrder::NoOrders)),
        None if weighings.is_empty() => (None, Outcome::None(NoOrder::NoOrderEligible)),
        None => (None, Outcome::None(NoOrder::NoLineEligible)),
    };
    let taken = !matches!(outcome, Outcome::None(_));
    for (at, weighing) in weighings.iter_mut().enumerate() {
        let told = match &verdict {
            Some(verdict) => weighing.tell(at, verdict, taken),
            None => weighing.is_told_apart(),
        };
        if told {
            traces[weighing.slot].verdict = OrderVerdict::Lines(
                weighing.tally.folds(&weighing.indexed.order, &weighing.indexed.balances),
            );
        }
    }
    Ok((outcome, Trace { orders: traces }))
}

/// What an order's lines say to an invoice.
fn weighing<'a>(
    invoice: &MatchInvoice,
    settings: &Settings,
    indexed: &'a mut Indexed,
    slot: usize,
) -> Result<Weighing<'a>, MatchError> {
    let ordered = usage_ordered(invoice, settings);
    let answer = indexed.answer(invoice, ordered, settings);
    let indexed = &*indexed;
    let order = &indexed.order;
    let used = used_of(invoice, order)?;
    let mut weighing = Weighing {
        slot,
        used,
        tally: answer.fallen,
        candidates: Vec::with_capacity(answer.candidates.len()),
        names_unit: !order.invoice_units.is_empty(),
        answer: answer.clone(),
        indexed,
    };
    let transaction_rank = rank(LineType::MarketplaceTransaction, invoice.kind, ordered).unwrap_or_default();
    for &at in &answer.transactions {
        if !is_of_purchase(invoice, order, at) {
            weighing.tally.add(LineReason::TransactionMismatch, at);
        } else if !order.lines[at].has_period(invoice.period) {
            weighing.tally.add(LineReason::PeriodOutsideLine, at);
        } else {
            weighing.consider(transaction_rank, at);
        }
    }
    for &(rank, at) in &answer.candidates {
        weighing.consider(rank, at);
    }
    Ok(weighing)
}

impl Weighing<'_> {
    /// A line that the invoice's kind, seller, period and purchase fit.
    fn consider(&mut self, rank: u8, at: usize) {
        let tracked = self.indexed.order.lines[at].balance_tracking;
        match self.used {
            None if tracked => self.tally.add(LineReason::CurrencyMismatch, at),
            // A line without balance tracking always has enough (D3).
            used => {
                let covers = !tracked || used.is_some_and(|used| self.indexed.balances[at] >= used);
                self.candidates.push(Candidate { rank, covers, at });
            }
        }
    }

    /// Counts the candidates by what became of them; whether there is anything that the answer alone does not tell.
    fn tell(&mut self, place: usize, verdict: &Verdict, taken: bool) -> bool {
        let (winner, line) = verdict.winner;
        for candidate in &self.candidates {
            let reason = match () {
                () if verdict.unit_preferred && !self.names_unit => LineReason::UnitPreferred,
                () if candidate.rank < verdict.rank => LineReason::LessSpecific,
                () if (verdict.covered || !taken) && !candidate.covers => LineReason::InsufficientBalance,
                () if place != winner && self.indexed.order.updated_at < verdict.updated_at => {
                    LineReason::UpdatedEarlier
                }
                () if place != winner => LineReason::LaterId,
                () if candidate.at != line => LineReason::OtherLine,
                () => LineReason::Taken,
            };
            self.tally.add(reason, candidate.at);
        }
        self.is_told_apart()
    }

    /// Whether there is anything that the answer alone does not tell.
    fn is_told_apart(&self) -> bool {
        !self.candidates.is_empty() || !self.answer.transactions.is_empty() || self.used.is_none()
    }
}

/// Which candidate wins: R8, R9, R10, and D4 and D5 where AWS is silent.
fn verdict(weighings: &[Weighing<'_>], settings: &Settings) -> Option<Verdict> {
    let names_unit = |it: &Weighing<'_>| it.names_unit && !it.candidates.is_empty();
    let unit_preferred = settings.prefer_invoice_unit && weighings.iter().any(names_unit);
    let left = || weighings.iter().enumerate().filter(|(_, it)| !unit_preferred || it.names_unit);
    let candidates = || left().flat_map(|(place, it)| it.candidates.iter().map(move |of| (place, of)));
    let rank = candidates().map(|(_, of)| of.rank).max()?;
    let covered = candidates().any(|(_, of)| of.rank == rank && of.covers);
    let first = |it: &Weighing<'_>| {
        let mut fitting = it.candidates.iter().filter(|of| of.rank == rank && of.covers == covered);
        fitting.next().map(|of| of.at)
    };
    let places = left().filter_map(|(place, it)| Some((place, first(it)?)));
    // Orders come by id, so that of equal ones the first stays.
    let winner =
        places.min_by_key(|(place, _)| (Reverse(weighings[*place].indexed.order.updated_at), *place))?;
    let updated_at = weighings[winner.0].indexed.order.updated_at;
    Some(Verdict { unit_preferred, rank, covered, winner, updated_at })
}

/// What becomes of the invoice, given the line that wins.
fn outcome(
    invoice: &MatchInvoice,
    settings: &Settings,
    weighings: &[Weighing<'_>],
    verdict: &Verdict,
) -> Result<Outcome, MatchError> {
    let (place, at) = verdict.winner;
    let Weighing { indexed, used, .. } = &weighings[place];
    let order = &indexed.order;
    let taking = Taking {
        place: Place { order: order.id.clone(), line: order.lines[at].number.clone() },
        used: *used,
        currency: order.currency,
        balance_after: after(invoice, Some(indexed.balances[at]), *used)?,
        out_of_balance: !verdict.covered,
    };
    Ok(match settings.on_insufficient_balance {
        OnInsufficientBalance::Hold if !verdict.covered => Outcome::Held(taking),
        OnInsufficientBalance::LeaveUnmatched if !verdict.covered => Outcome::None(NoOrder::NoBalance),
        _ => Outcome::Associated(taking),
    })
}
