//! How a payer's purchase orders stand: what notices follow from, read once.

use crate::clock::Clock;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::purchasing::matching::{InvoiceSource, is_held, is_out_of_balance};
use crate::purchasing::state::Purchasing;
use billing::account::AccountId;
use billing::matching::forecast::{LineForecast, forecast_line};
use billing::matching::notices::{BalanceStep, InvoiceState, OrderState};
use billing::matching::{NoOrder, Outcome, Place, Taking};
use billing::money::{Amount, DecimalError};
use billing::period::BillingPeriod;
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrder, PurchaseOrderId, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{AssociationRow, InvoiceRow, OrderRow};

/// How many billing periods back invoices are told of: what was imported of earlier years is history.
const PERIODS_TOLD: usize = 3;

type Balances = BTreeMap<LineNumber, Vec<BalanceStep>>;

/// How a payer's orders and invoices stand.
pub(super) struct Standing {
    purchasing: Arc<Purchasing>,
    balances: BTreeMap<(Buyer, PurchaseOrderId), Balances>,
    forecasts: BTreeMap<(Buyer, PurchaseOrderId), BTreeMap<LineNumber, LineForecast>>,
    outcomes: Vec<(Arc<InvoiceRow>, Outcome)>,
}

impl Standing {
    /// How invoices are matched.
    pub fn settings(&self) -> &Settings {
        &self.purchasing.settings
    }

    /// An order that was not deleted.
    pub fn order(&self, buyer: &Buyer, id: &PurchaseOrderId) -> Option<&PurchaseOrder> {
        self.purchasing.order(buyer, id).map(|row| &row.order)
    }

    /// The orders.
    pub fn orders(&self) -> Vec<OrderState<'_>> {
        let state = |row| {
            let order: &PurchaseOrder = row;
            let key = (order.buyer.clone(), order.id.clone());
            let balances = self.balances.get(&key).cloned().unwrap_or_default();
            let forecasts = self.forecasts.get(&key).cloned().unwrap_or_default();
            OrderState { order, balances, forecasts }
        };
        self.purchasing.orders().map(|row| state(&row.order)).collect()
    }

    /// The invoices that are told of.
    pub fn invoices(&self) -> Vec<InvoiceState<'_>> {
        let state = |(row, outcome)| {
            let (row, outcome): (&Arc<InvoiceRow>, &Outcome) = (row, outcome);
            let invoice = &row.invoice;
            InvoiceState {
                invoice: &invoice.id,
                buyer: &invoice.buyer,
                kind: invoice.kind,
                period: invoice.period,
                outcome,
                seller: &invoice.seller,
            }
        };
        self.outcomes.iter().map(|(row, outcome)| state((row, outcome))).collect()
    }
}

impl BackOffice {
    /// The first billing period that may still get invoices: the one after the last that was closed, but none that has not begun.
    pub(crate) async fn open_period(&self, payer: &AccountId) -> Answer<BillingPeriod> {
        let current = Clock::period_of(self.now());
        let closed = self.state(payer).await?.configuration.closed_through;
        Ok(closed.map_or(current, |last| last.next().min(current)))
    }

    /// How a payer's orders and invoices stand now.
    pub(super) async fn standing(&self, payer: &AccountId) -> Answer<Standing> {
        let purchasing = self.purchasing(payer).await?;
        let open = self.open_period(payer).await?;
        let decided = self.0.store.association_history(payer).await.map_err(Error::internal)?;
        let mut histories = histories(in_order(&purchasing, decided));
        let (mut balances, mut forecasts) = (BTreeMap::new(), BTreeMap::new());
        for row in purchasing.orders() {
            let order = &row.order;
            let key = (order.buyer.clone(), order.id.clone());
            let revisions = self.0.store.order_revisions(payer, &order.buyer, &order.id).await;
            let revisions = revisions.map_err(Error::internal)?;
            let taken = histories.remove(&key).unwrap_or_default();
            let reckoned = steps(order, &revisions, taken)
                .and_then(|steps| Ok((steps, expected(&purchasing, order, open)?)));
            match reckoned {
                Ok((of_balances, of_forecasts)) => {
                    balances.insert(key.clone(), of_balances);
                    forecasts.insert(key, of_forecasts);
                }
                // One order is in the way of no other: its expiry and its invoices are told all the same.
                Err(error) => {
                    tracing::warn!(%payer, order = %order.id, %error, "an order's balances are beyond what can be reckoned with");
                }
            }
        }
        let outcomes = outcomes(&purchasing, Clock::period_of(self.now()));
        Ok(Standing { purchasing, balances, forecasts, outcomes })
    }
}

/// What a decision does to a line: when, in which order, and what is left less afterwards.
type Taken = (i64, u64, LineNumber, Amount);

/// What was decided at one instant was decided by the order of issue, as invoices are matched.
fn in_order(purchasing: &Purchasing, mut decided: Vec<AssociationRow>) -> Vec<AssociationRow> {
    let issued = |row: &AssociationRow| {
        let key = (row.buyer.clone(), row.invoice.clone());
        purchasing.invoices.get(&key).map_or(0, |invoice| invoice.invoice.issued_at)
    };
    decided.sort_by_cached_key(|row| (row.recorded_at_s, issued(row), row.invoice.clone(), row.sequence));
    decided
}

/// What was decided of all invoices, by the orders whose lines that has changed: an invoice that goes elsewhere gives back what it took.
fn histories(decided: Vec<AssociationRow>) -> BTreeMap<(Buyer, PurchaseOrderId), Vec<Taken>> {
    let mut before: BTreeMap<(Buyer, String), AssociationRow> = BTreeMap::new();
    let mut histories: BTreeMap<(Buyer, PurchaseOrderId), Vec<Taken>> = BTreeMap::new();
    for (place, row) in (0..).zip(decided) {
        let mut note = |of: &AssociationRow, used: Amount| {
            let Some(to) = &of.charged_to else { return };
            let history = histories.entry((of.buyer.clone(), to.order.clone())).or_default();
            history.push((row.recorded_at_s, place, to.line.clone(), used));
        };
        let key = (row.buyer.clone(), row.invoice.clone());
        let (was, is) = (before.get(&key), row.used.unwrap_or_default());
        let used = was.and_then(|was| was.used).unwrap_or_default();
        match was.filter(|was| is_of_one_line(was, &row)) {
            // What it took is not given back first: the balance has changed once, by the difference.
            Some(_) => note(&row, is.minus(used).unwrap_or_default()),
            None => {
                if let Some(was) = was {
                    note(was, used.negated());
                }
                note(&row, is);
            }
        }
        before.insert(key, row);
    }
    histories
}

/// Whether two decisions of an invoice charge it to the same line.
fn is_of_one_line(one: &AssociationRow, other: &AssociationRow) -> bool {
    let line = |row: &AssociationRow| row.charged_to.as_ref().map(|to| (to.order.clone(), to.line.clone()));
    line(one).is_some() && line(one) == line(other)
}

/// The balances of each line of an order, after each change of its value and after each invoice, in the order in which they came.
fn steps(order: &PurchaseOrder, revisions: &[OrderRow], taken: Vec<Taken>) -> Result<Balances, DecimalError> {
    let mut balances = Balances::new();
    for line in &order.lines {
        let value_in = |row: &OrderRow| Some(row.order.line(&line.number)?.price.value().total);
        let values = revisions.iter().filter_map(|row| Some((row.recorded_at_s, value_in(row)?)));
        let mut changes: Vec<(i64, u64, Option<Amount>, Amount)> =
            values.map(|(at, value)| (at, 0, Some(value), Amount::ZERO)).collect();
        let of_line = taken.iter().filter(|(_, _, number, _)| *number == line.number);
        changes.extend(of_line.map(|(at, place, _, used)| (*at, place + 1, None, *used)));
        changes.sort_by_key(|(at, place, ..)| (*at, *place));
        let (mut value, mut used) = (line.price.value().total, Amount::ZERO);
        if let Some(first) = changes.iter().find_map(|(.., value, _)| *value) {
            value = first;
        }
        let mut steps: Vec<BalanceStep> = Vec::new();
        for (_, _, new_value, more) in changes {
            value = new_value.unwrap_or(value);
            used = used.plus(more)?;
            let step = BalanceStep { balance: value.minus(used)?, value };
            if steps.last() != Some(&step) {
                steps.push(step);
            }
        }
        balances.insert(line.number.clone(), steps);
    }
    Ok(balances)
}

/// What is expected of each line of an order.
fn expected(
    purchasing: &Purchasing,
    order: &PurchaseOrder,
    open: BillingPeriod,
) -> Result<BTreeMap<LineNumber, LineForecast>, DecimalError> {
    let mut taken: BTreeMap<&LineNumber, BTreeMap<BillingPeriod, Amount>> = BTreeMap::new();
    for (row, line) in purchasing.charged_to(order) {
        let key = (row.buyer.clone(), row.invoice.clone());
        let Some(invoice) = purchasing.invoices.get(&key) else { continue };
        let sum = taken.entry(line).or_default().entry(invoice.invoice.period).or_default();
        *sum = sum.plus(row.used.unwrap_or_default())?;
    }
    let nothing = BTreeMap::new();
    let forecast = |line: &billing::purchase_order::Line| {
        let taken = taken.get(&line.number).unwrap_or(&nothing);
        Ok((line.number.clone(), forecast_line(line, taken, open)?))
    };
    order.lines.iter().map(forecast).collect()
}

/// What was decided of the invoices of the last periods. What a person has decided is no news.
fn outcomes(purchasing: &Purchasing, current: BillingPeriod) -> Vec<(Arc<InvoiceRow>, Outcome)> {
    let first = (0..PERIODS_TOLD).fold(current, |period, _| period.previous().unwrap_or(period));
    let told = purchasing.associations.iter().filter_map(|(key, row)| {
        let invoice = purchasing.invoices.get(key).filter(|it| it.invoice.period >= first)?;
        // A customer that keeps no orders here has none that could be missing.
        let is_expected = invoice.source != InvoiceSource::Issued || purchasing.has_orders(&key.0);
        if !is_expected && row.charged_to.is_none() {
            return None;
        }
        Some((invoice.clone(), outcome(invoice, row)?))
    });
    told.collect()
}

fn outcome(invoice: &InvoiceRow, row: &AssociationRow) -> Option<Outcome> {
    match &row.charged_to {
        Some(to) => Some(Outcome::Associated(Taking {
            place: Place { order: to.order.clone(), line: to.line.clone() },
            used: row.used,
            currency: invoice.invoice.currency,
            balance_after: None,
            out_of_balance: is_out_of_balance(row),
            lacks_exchange: false,
        })),
        // One that is held has no order either, for want of balance.
        None if is_held(row) => Some(Outcome::None(NoOrder::NoBalance)),
        None => NoOrder::parse(&row.reason).map(Outcome::None),
    }
}
