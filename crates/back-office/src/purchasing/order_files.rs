//! Orders that exist elsewhere and are taken over, with when the user last changed them there. What has become illegal since is warned of.

use super::PurchaseEdit;
use super::access::Rights;
use super::orders::{CURRENCY, OrderChange, checked_beside, kept};
use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::period::BillingPeriod;
use billing::purchase_order::{
    Act, Before, Buyer, Checked, Draft, DraftLine, PurchaseOrder, PurchaseOrderId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An order of a file. What the file does not say stays as it is of an order that is here.
#[derive(Debug, Clone, Default)]
pub struct ImportedOrder {
    /// The billing group that orders: an ARN or an id; `None` is the payer.
    pub billing_group: Option<String>,
    /// Its id.
    pub id: String,
    /// What the file says of it; its lines are beside.
    pub said: OrderChange,
    /// Its tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether it is suspended.
    pub suspended: Option<bool>,
    /// All lines.
    pub lines: Vec<ImportedLine>,
    /// When it was created there, in seconds since 1970-01-01T00:00:00Z.
    pub created_at: Option<i64>,
    /// When the user last changed it there.
    pub updated_at: i64,
}

/// A line of an order of a file.
#[derive(Debug, Clone, Default)]
pub struct ImportedLine {
    /// What the file says of it.
    pub line: DraftLine,
    /// Whether its balance is followed.
    pub is_tracked: Option<bool>,
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
            let mut import = Import {
                period: Clock::period_of(edit.now()),
                edit,
                rights: &rights,
                beside: BTreeMap::new(),
                taken: BTreeSet::new(),
                done: ImportedOrders::default(),
                problems: Vec::new(),
            };
            for order in orders {
                import.take(order)?;
            }
            import.done()
        })
        .await
    }
}

/// An import that is being made.
struct Import<'i, 'e> {
    edit: &'i mut PurchaseEdit<'e>,
    rights: &'i Rights<'i>,
    period: BillingPeriod,
    /// The orders of each buyer as they are by now.
    beside: BTreeMap<Buyer, Vec<PurchaseOrder>>,
    /// What the file has had already.
    taken: BTreeSet<(Buyer, PurchaseOrderId)>,
    done: ImportedOrders,
    /// Ids, and what is wrong with each order.
    problems: Vec<(String, String)>,
}

impl Import<'_, '_> {
    fn take(&mut self, of: &ImportedOrder) -> Answer<()> {
        let buyer = self.rights.buyer(self.edit.configuration, of.billing_group.as_deref(), self.period)?;
        let id = PurchaseOrderId::parse(&of.id);
        let name = id.as_ref().map_or_else(|| of.id.clone(), ToString::to_string);
        if let Some(id) = &id
            && !self.taken.insert((buyer.clone(), id.clone()))
        {
            let problem = "it is there twice; leave out the one that does not hold";
            self.problems.push((name, problem.to_owned()));
            return Ok(());
        }
        let before = id.and_then(|id| self.edit.next.order(&buyer, &id)).cloned();
        let before = before.as_ref().map(|row| &row.order);
        let checked = match self.checked(of, &buyer, before) {
            Ok(checked) => checked,
            Err(Error::Declined(declined)) => {
                self.problems.push((name, declined.message()));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let told = checked.warnings.iter().map(|warning| format!("purchase order `{name}`: {warning}"));
        self.done.warnings.extend(told);
        self.beside.entry(buyer).or_default().push(checked.order.clone());
        match before {
            Some(before) if *before == checked.order => {
                self.done.unchanged += 1;
                return Ok(());
            }
            Some(_) => self.done.changed += 1,
            None => self.done.added += 1,
        }
        kept(self.edit, checked);
        Ok(())
    }

    fn checked(
        &mut self,
        of: &ImportedOrder,
        buyer: &Buyer,
        before: Option<&PurchaseOrder>,
    ) -> Answer<Checked> {
        let used = match before {
            Some(before) => self.edit.next.used(before).map_err(Error::internal)?,
            None => BTreeMap::new(),
        };
        let there = before.map(|before| before.created_at);
        let act = Act::Import {
            created_at: of.created_at.or(there).unwrap_or(of.updated_at),
            updated_at: of.updated_at,
            over: before.map(|order| Before { order, used: &used }),
        };
        let edit = &*self.edit;
        let orders = self.beside.entry(buyer.clone()).or_insert_with(|| edit.next.of_buyer(buyer));
        let checked = checked_beside(edit, &of.draft(before), buyer, act, orders)?;
        // From here on the new content stands beside the others.
        orders.retain(|order| order.id != checked.order.id);
        Ok(checked)
    }

    fn done(mut self) -> Answer<ImportedOrders> {
        if self.problems.is_empty() {
            if self.taken.is_empty() {
                self.done.warnings.push("it has no orders: nothing was taken".to_owned());
            }
            return Ok(self.done);
        }
        let told = self.problems.iter().map(|(id, problem)| format!("purchase order `{id}`: {problem}"));
        let message = told.collect::<Vec<_>>().join("; ");
        Err(Declined::Invalid { message, fields: self.problems }.into())
    }
}

impl ImportedOrder {
    /// What the order says when the file is taken: what it says itself, and where it says nothing what is here.
    fn draft(&self, before: Option<&PurchaseOrder>) -> Draft {
        let new = || Draft { id: self.id.clone(), currency: CURRENCY.to_owned(), ..Draft::default() };
        let mut draft = self.said.on(before.map_or_else(new, Draft::of));
        if let Some(tags) = &self.tags {
            draft.tags = tags.clone().into_iter().collect();
        }
        draft.suspended = self.suspended.unwrap_or(draft.suspended);
        let here = |number: &str| draft.lines.iter().find(|line| line.number == number.trim());
        let lines = self.lines.iter().map(|line| line.over(here(&line.line.number)));
        draft.lines = lines.collect();
        draft
    }
}

impl ImportedLine {
    fn over(&self, before: Option<&DraftLine>) -> DraftLine {
        let (said, before) = (self.line.clone(), before.cloned().unwrap_or_default());
        DraftLine {
            description: said.description.or(before.description),
            charge: said.charge.or(before.charge),
            amount: said.amount.or(before.amount),
            quantity: said.quantity.or(before.quantity),
            tax: said.tax.or(before.tax),
            balance_tracking: self.is_tracked.unwrap_or(before.balance_tracking),
            ..said
        }
    }
}
