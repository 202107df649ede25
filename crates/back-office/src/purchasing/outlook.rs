//! What is ahead of orders, and whether invoices agree with their orders and with what was metered. Nothing here chooses an order or changes anything.

use super::matching::{InvoiceFilter, MatchView};
use super::orders::{OrderView, view};
use super::state::Purchasing;
use crate::authorization::Caller;
use crate::clock::Clock;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::matching::forecast::{LineForecast, forecast_order, order_runs_out};
use billing::matching::three_way::{Terms, ThreeWay, three_way};
use billing::matching::{NoOrder, Outcome, Place, Taking};
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use billing::purchase_order::{LineNumber, PurchaseOrder};
use std::collections::BTreeMap;

/// An order with what is expected of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderForecast {
    /// The order.
    pub view: OrderView,
    /// What is expected of each line, in the order of the view's lines.
    pub lines: Vec<LineForecast>,
    /// The month in which the first of its tracked lines runs out.
    pub runs_out: Option<BillingPeriod>,
}

/// An invoice held against its order and against the cost files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreeWayView {
    /// The invoice, with where it is charged to.
    pub found: MatchView,
    /// What the cost files have under its id, tax included; `None` where they have nothing, or no run of its month is shown.
    pub cost: Option<(Amount, Currency)>,
    /// What came out.
    pub result: ThreeWay,
}

/// What cost files have by invoice id.
type Metered = BTreeMap<String, (Amount, Currency)>;

impl BackOffice {
    /// What is expected of an order: from the mean of what its invoices took in the last months that are over.
    ///
    /// # Errors
    /// [`Error::Declined`] where there is no such order.
    pub async fn order_forecast(&self, caller: &Caller, action: &str, order: &str) -> Answer<OrderForecast> {
        let rights = self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let row = rights.order(&purchasing, order)?;
        let taken = taken(&purchasing, &row.order)?;
        let lines =
            forecast_order(&row.order, &taken, Clock::period_of(caller.now)).map_err(Error::internal)?;
        let runs_out = order_runs_out(&row.order, &lines);
        Ok(OrderForecast { view: view(&purchasing, &caller.payer, row.clone(), caller.now), lines, runs_out })
    }

    /// Holds invoices against their orders and against the cost that was metered under their ids.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn three_way_matches(
        &self,
        caller: &Caller,
        action: &str,
        filter: &InvoiceFilter,
        terms: Terms,
    ) -> Answer<Vec<ThreeWayView>> {
        let found = self.matches(caller, action, filter).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let mut months: BTreeMap<BillingPeriod, Metered> = BTreeMap::new();
        let mut views = Vec::with_capacity(found.len());
        for found in found {
            let invoice = &found.invoice.invoice;
            if let std::collections::btree_map::Entry::Vacant(entry) = months.entry(invoice.period) {
                entry.insert(self.metered(&caller.payer, invoice.period).await?);
            }
            let cost = months.get(&invoice.period).and_then(|month| month.get(&invoice.id)).copied();
            let (outcome, is_tracked) = self.outcome_of(&caller.payer, &purchasing, &found).await?;
            let result = three_way(invoice, &outcome, is_tracked, cost, terms).map_err(Error::internal)?;
            views.push(ThreeWayView { cost, result, found });
        }
        Ok(views)
    }

    /// What the cost files of the run that a period shows have by invoice id.
    async fn metered(&self, payer: &AccountId, period: BillingPeriod) -> Answer<Metered> {
        let Some((_, done)) = self.shown_run(payer, period).await? else { return Ok(Metered::new()) };
        let folder = self.folder(&done.folder);
        let found = self.ask_of_runs(move |engine| engine.aws_invoices(&folder)).await?;
        let mut metered = Metered::new();
        for invoice in found.invoices {
            if let Some(id) = invoice.id {
                let total = invoice.sums.total().and_then(|total| total.to_amount());
                metered.insert(id, (total.map_err(Error::internal)?, invoice.currency));
            }
        }
        Ok(metered)
    }

    /// What was decided of an invoice, with what its line had left then; and whether its line's balance is followed.
    async fn outcome_of(
        &self,
        payer: &AccountId,
        purchasing: &Purchasing,
        found: &MatchView,
    ) -> Answer<(Outcome, bool)> {
        let none = (Outcome::None(NoOrder::NoOrderEligible), false);
        let Some(association) = &found.association else { return Ok(none) };
        let Some(to) = &association.charged_to else { return Ok(none) };
        let invoice = &found.invoice.invoice;
        let order = purchasing.order(&invoice.buyer, &to.order).map(|row| &row.order);
        let line = order.and_then(|order| order.line(&to.line));
        let is_tracked = line.is_some_and(|line| line.balance_tracking);
        let balance_after = if is_tracked {
            let history = self.0.store.associations_of(payer, &invoice.buyer, &invoice.id).await;
            let history = history.map_err(Error::internal)?;
            let trace =
                history.last().and_then(|(_, trace)| serde_json::from_str::<serde_json::Value>(trace).ok());
            let then = trace.as_ref().and_then(|trace| trace.get("BalanceAfter")?.as_str());
            match then.and_then(|text| Amount::parse(text).ok()) {
                Some(then) => Some(then),
                None => left_now(purchasing, order, &to.line)?,
            }
        } else {
            None
        };
        let taking = Taking {
            place: Place { order: to.order.clone(), line: to.line.clone() },
            used: association.used,
            balance_after,
            currency: order.map_or(invoice.currency, |order| order.currency),
            out_of_balance: association.flags.iter().any(|flag| flag == "OUT_OF_BALANCE"),
            lacks_exchange: false,
        };
        Ok((Outcome::Associated(taking), is_tracked))
    }
}

/// What is left of a line at present.
fn left_now(
    purchasing: &Purchasing,
    order: Option<&PurchaseOrder>,
    number: &LineNumber,
) -> Answer<Option<Amount>> {
    let Some((order, line)) = order.and_then(|order| Some((order, order.line(number)?))) else {
        return Ok(None);
    };
    let used = purchasing.used(order).map_err(Error::internal)?;
    let used = used.get(number).copied().unwrap_or_default();
    line.price.value().total.minus(used).map(Some).map_err(Error::internal)
}

/// What invoices took of each line, by billing period, less what credit memos gave back.
fn taken(
    purchasing: &Purchasing,
    order: &PurchaseOrder,
) -> Answer<BTreeMap<LineNumber, BTreeMap<BillingPeriod, Amount>>> {
    let mut taken: BTreeMap<LineNumber, BTreeMap<BillingPeriod, Amount>> = BTreeMap::new();
    for (association, line) in purchasing.charged_to(order) {
        let key = (association.buyer.clone(), association.invoice.clone());
        let Some(invoice) = purchasing.invoices.get(&key) else { continue };
        let of_line = taken.entry(line.clone()).or_default();
        let sum = of_line.entry(invoice.invoice.period).or_default();
        *sum = sum.plus(association.used.unwrap_or_default()).map_err(Error::internal)?;
    }
    Ok(taken)
}
