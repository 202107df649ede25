//! What is ahead of orders. Nothing here changes anything.

use super::orders::{OrderView, view};
use super::state::Purchasing;
use crate::authorization::Caller;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::matching::forecast::{LineForecast, forecast_order, order_runs_out};
use billing::money::Amount;
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
        let open = self.open_period(&caller.payer).await?;
        let lines = forecast_order(&row.order, &taken, open).map_err(Error::internal)?;
        let runs_out = order_runs_out(&row.order, &lines);
        Ok(OrderForecast { view: view(&purchasing, &caller.payer, row.clone(), caller.now), lines, runs_out })
    }
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
