//! Orders that exist elsewhere and are taken over, with when the user last changed them there. What has become illegal since is warned of.

use super::orders::{checked_beside, kept};
use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::purchase_order::{Act, Buyer, Draft, PurchaseOrder, PurchaseOrderId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An order of a file.
#[derive(Debug, Clone, Default)]
pub struct ImportedOrder {
    /// The billing group that orders: an ARN or an id; `None` is the payer.
    pub billing_group: Option<String>,
    /// What the file says of it.
    pub draft: Draft,
    /// When it was created there, in seconds since 1970-01-01T00:00:00Z.
    pub created_at: Option<i64>,
    /// When the user last changed it there.
    pub updated_at: i64,
}

/// What came of a file of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedOrders {
    /// Orders that were not there before.
    pub added: u64,
    /// Orders that were there and say something else now.
    pub changed: u64,
    /// Orders that are there as the file has them.
    pub unchanged: u64,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl BackOffice {
    /// Takes over orders: all of them, or none.
    ///
    /// # Errors
    /// [`Error::Declined`] with everything that cannot be an order at all.
    pub async fn import_orders(
        &self,
        request: &WriteRequest<'_>,
        orders: &[ImportedOrder],
    ) -> Answer<ImportedOrders> {
        let rights = self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let period = Clock::period_of(edit.now());
            let mut done = ImportedOrders::default();
            let mut problems = Vec::new();
            let mut beside: BTreeMap<Buyer, Vec<PurchaseOrder>> = BTreeMap::new();
            for of in orders {
                let buyer = rights.buyer(edit.configuration, of.billing_group.as_deref(), period)?;
                let id = PurchaseOrderId::parse(&of.draft.id);
                let before = id.and_then(|id| edit.next.order(&buyer, &id)).cloned();
                // What is taken over in place of an order that is there does not meet itself.
                let others = beside.entry(buyer.clone()).or_insert_with(|| edit.next.of_buyer(&buyer));
                others.retain(|order| before.as_ref().is_none_or(|before| before.order.id != order.id));
                let there = before.as_ref().map(|row| row.order.created_at);
                let created_at = of.created_at.or(there).unwrap_or(of.updated_at);
                let act = Act::Import { created_at, updated_at: of.updated_at };
                let checked = match checked_beside(edit, &of.draft, &buyer, act, others) {
                    Ok(checked) => checked,
                    Err(Error::Declined(declined)) => {
                        problems.push((of.draft.id.clone(), declined.message()));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let id = &of.draft.id;
                let said = checked.warnings.iter().map(|warning| format!("purchase order `{id}`: {warning}"));
                done.warnings.extend(said);
                others.push(checked.order.clone());
                match before {
                    Some(before) if before.order == checked.order => done.unchanged += 1,
                    before => {
                        if before.is_some() {
                            done.changed += 1;
                        } else {
                            done.added += 1;
                        }
                        kept(edit, checked);
                    }
                }
            }
            if problems.is_empty() {
                return Ok(done);
            }
            let told = problems.iter().map(|(id, problem)| format!("purchase order `{id}`: {problem}"));
            let message = told.collect::<Vec<_>>().join("; ");
            Err(Declined::Invalid { message, fields: problems }.into())
        })
        .await
    }
}
