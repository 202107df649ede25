//! Purchase orders: adding, changing, suspending, deleting, tagging and reading them.
//!
//! Whatever is wrong with an order is decided in `billing::purchase_order`; every change is kept as a revision of it. An order that has invoices is not deleted, and the
//! number of one that was is not given again: documents still show it.

use super::access::{ORDER, order_arn};
use super::edit::PurchaseEdit;
use super::state::Purchasing;
use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::money::Amount;
use billing::period::BillingPeriod;
use billing::purchase_order::{
    Act, Address, Buyer, Checked, Contact, Draft, DraftLine, Line, LineNumber, Problem, ProblemKind,
    PurchaseOrder, PurchaseOrderId, Status, Surroundings, check, seller_named, with_suspension, with_tags,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{AssociationRow, InvoiceRow, OrderRow};

/// The currency of an order that names none.
pub const CURRENCY: &str = "USD";

/// What an order that was written has become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Its ARN.
    pub arn: String,
    /// Its id.
    pub id: String,
    /// Its revision.
    pub revision: u64,
    /// Its status now.
    pub status: String,
    /// What the user should know of it.
    pub warnings: Vec<String>,
}

/// What is to be changed of an order; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct OrderChange {
    /// The id, which never changes.
    pub id: Option<String>,
    /// The revision that the user has looked at.
    pub expected_revision: Option<u64>,
    /// Notes; an empty text takes them away.
    pub description: Option<String>,
    /// The sellers.
    pub bill_from: Option<Vec<String>>,
    /// The receiver's tax registration numbers.
    pub tax_registration_numbers: Option<Vec<String>>,
    /// The invoice units.
    pub invoice_units: Option<Vec<String>>,
    /// Where the goods would go.
    pub ship_to: Option<Address>,
    /// Where the invoice goes.
    pub bill_to: Option<Address>,
    /// The terms; an empty text takes them away.
    pub payment_terms: Option<String>,
    /// The currency, which never changes.
    pub currency: Option<String>,
    /// The first month.
    pub effective_month: Option<String>,
    /// The last month.
    pub expiration_month: Option<String>,
    /// Who is told.
    pub contacts: Option<Vec<Contact>>,
    /// All lines.
    pub lines: Option<Vec<DraftLine>>,
}

impl OrderChange {
    /// What an order says with the change in it.
    pub(super) fn on(&self, mut draft: Draft) -> Draft {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        if let Some(id) = &self.id {
            draft.id = id.clone();
        }
        if let Some(text) = &self.description {
            draft.description = said(text);
        }
        if let Some(sellers) = &self.bill_from {
            draft.bill_from = sellers.clone();
        }
        if let Some(numbers) = &self.tax_registration_numbers {
            draft.tax_registration_numbers = numbers.clone();
        }
        if let Some(units) = &self.invoice_units {
            draft.invoice_units = units.clone();
        }
        if let Some(address) = &self.ship_to {
            draft.ship_to = Some(address.clone());
        }
        if let Some(address) = &self.bill_to {
            draft.bill_to = Some(address.clone());
        }
        if let Some(text) = &self.payment_terms {
            draft.payment_terms = said(text);
        }
        if let Some(currency) = &self.currency {
            draft.currency = currency.clone();
        }
        if let Some(month) = &self.effective_month {
            draft.effective_month = month.clone();
        }
        if let Some(month) = &self.expiration_month {
            draft.expiration_month = month.clone();
        }
        if let Some(contacts) = &self.contacts {
            draft.contacts = contacts.clone();
        }
        if let Some(lines) = &self.lines {
            draft.lines = lines.clone();
        }
        draft
    }
}

/// A line with what invoices have used of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// The line.
    pub line: Line,
    /// What invoices have used of it, less credit memos, in the order's currency; `None` where that is beyond every amount.
    pub invoiced: Option<Amount>,
    /// What is left of it; may be below 0. `None` where that is beyond every amount.
    pub balance: Option<Amount>,
}

impl LineView {
    /// Whether its balance is followed and used up beyond its value.
    #[must_use]
    pub fn is_out_of_balance(&self) -> bool {
        self.line.balance_tracking && self.balance.is_some_and(|balance| balance < Amount::ZERO)
    }
}

/// An order as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// Its ARN.
    pub arn: String,
    /// The order, with which revision of it this is.
    pub row: Arc<OrderRow>,
    /// Its status now.
    pub status: Status,
    /// The month in which it begins, where that is still ahead.
    pub starts_later: Option<BillingPeriod>,
    /// What it is worth, tax included, in its currency; like the sums below `None` where that is beyond every amount, so that one order never keeps a
    /// list of others from being shown.
    pub value: Option<Amount>,
    /// What invoices have used of it, less credit memos, also of lines that are no more.
    pub invoiced: Option<Amount>,
    /// What is left of it.
    pub balance: Option<Amount>,
    /// Whether one of its lines is out of balance, or all that are followed together.
    pub out_of_balance: bool,
    /// Its lines, in the user's order.
    pub lines: Vec<LineView>,
}

/// Which orders are asked for.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// With one of these statuses; empty is any.
    pub statuses: Vec<Status>,
    /// That take this seller's invoices.
    pub bill_from: Option<String>,
    /// Of the payer itself, or of its customers.
    pub of_payer: Option<bool>,
    /// Of these billing groups: ARNs or ids; empty is any.
    pub billing_groups: Vec<String>,
    /// That may be used for this month.
    pub month: Option<BillingPeriod>,
}

/// An invoice that is charged to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedInvoice {
    /// The invoice.
    pub invoice: Arc<InvoiceRow>,
    /// What was decided of it last.
    pub association: Arc<AssociationRow>,
    /// The line.
    pub line: LineNumber,
}

impl BackOffice {
    /// Adds an order, for the payer or for a billing group.
    ///
    /// # Errors
    /// [`Error::Declined`] with everything that is wrong with it.
    pub async fn add_order(
        &self,
        request: &WriteRequest<'_>,
        group: Option<&str>,
        draft: &Draft,
    ) -> Answer<Changed> {
        let rights = self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let period = Clock::period_of(edit.now());
            let buyer = rights.buyer(edit.configuration, group, period)?;
            let tags: BTreeMap<String, String> = draft.tags.iter().cloned().collect();
            rights.may_add_with(&tags)?;
            let checked = checked(edit, draft, &buyer, Act::Create)?;
            Ok(kept(edit, checked))
        })
        .await
    }

    /// Changes an order.
    ///
    /// # Errors
    /// [`Error::Declined`] with everything that is wrong with it.
    pub async fn update_order(
        &self,
        request: &WriteRequest<'_>,
        order: &str,
        change: &OrderChange,
    ) -> Answer<Changed> {
        let rights = self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let before = rights.order(&edit.next, order)?.clone();
            if let Some(expected) = change.expected_revision
                && expected != before.revision
            {
                return Err(changed_meanwhile(&before, expected, request));
            }
            let draft = change.on(Draft::of(&before.order));
            updated(edit, &before, &draft)
        })
        .await
    }

    /// Suspends an order, or takes its suspension back.
    ///
    /// # Errors
    /// [`Error::Declined`] where the buyer has as many active orders as it may.
    pub async fn set_order_status(
        &self,
        request: &WriteRequest<'_>,
        order: &str,
        suspended: bool,
    ) -> Answer<Changed> {
        let rights = self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let before = rights.order(&edit.next, order)?.clone();
            if before.order.suspended == suspended {
                // Nothing changes: asking twice leaves one revision.
                return Ok(shown_change(edit, &before, Vec::new()));
            }
            let orders = edit.next.of_buyer(&before.order.buyer);
            let act = |around: Surroundings<'_>| with_suspension(&before.order, suspended, around);
            let checked = beside(edit, (&before.order.buyer, before.order.id.as_str()), &orders, act)?;
            Ok(kept(edit, checked))
        })
        .await
    }

    /// Deletes an order that has no invoices. Its number is not given again.
    ///
    /// # Errors
    /// [`Error::Declined`] where invoices are charged to it.
    pub async fn delete_order(&self, request: &WriteRequest<'_>, order: &str) -> Answer<String> {
        let rights = self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let before = rights.order(&edit.next, order)?.clone();
            let count = edit.next.charged_to(&before.order).count();
            let (payer, id) = (&request.caller.payer, &before.order.id);
            let arn = order_arn(payer, &before.order.buyer, id);
            if count > 0 {
                let message = format!(
                    "purchase order `{id}` has {count} invoice{}; suspend it, and no further invoice is charged to it",
                    if count == 1 { "" } else { "s" }
                );
                let reason = "PURCHASE_ORDER_HAS_INVOICES";
                return Err(Declined::Conflict { reason, kind: ORDER, id: arn, message }.into());
            }
            edit.put_order(before.order.clone(), true);
            Ok(arn)
        })
        .await
    }

    /// Sets tags of an order and takes others away.
    ///
    /// # Errors
    /// [`Error::Declined`] where there would be too many, or one is none; [`Error::Denied`] where the caller is narrowed by them.
    pub async fn tag_order(
        &self,
        request: &WriteRequest<'_>,
        order: &str,
        set: &BTreeMap<String, String>,
        taken: &[String],
    ) -> Answer<()> {
        let rights = self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let before = rights.order(&edit.next, order)?.clone();
            let mut tags = before.order.tags.clone();
            tags.extend(set.iter().map(|(key, value)| (key.clone(), value.clone())));
            tags.retain(|key, _| !taken.contains(key));
            rights.may_tag(&tags, set.keys().chain(taken))?;
            if tags != before.order.tags {
                let (buyer, id) = (&before.order.buyer, before.order.id.as_str());
                let checked = with_tags(&before.order, tags);
                kept(edit, checked.map_err(|problems| declined(edit, (buyer, id), &problems))?);
            }
            Ok(())
        })
        .await
    }

    /// An order as it is shown, or a revision of it; of one that was deleted only its revisions.
    ///
    /// # Errors
    /// [`Error::Declined`] where there is none.
    pub async fn order(
        &self,
        caller: &crate::authorization::Caller,
        action: &str,
        order: &str,
        revision: Option<u64>,
    ) -> Answer<OrderView> {
        let rights = self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let row = match revision {
            None => rights.order(&purchasing, order)?,
            Some(_) => rights.order_ever(&purchasing, order)?,
        };
        let Some(revision) = revision.filter(|revision| *revision != row.revision) else {
            return Ok(view(&purchasing, &caller.payer, row.clone(), caller.now));
        };
        let revisions = self.revisions_of(caller, row).await?;
        let asked = revisions.into_iter().find(|row| row.revision == revision);
        let asked = asked.ok_or_else(|| Declined::NotFound {
            kind: "revision of the purchase order",
            id: revision.to_string(),
        })?;
        Ok(view(&purchasing, &caller.payer, Arc::new(asked), caller.now))
    }

    /// Every revision of an order, the first one first; also of one that was deleted.
    ///
    /// # Errors
    /// [`Error::Declined`] where there never was such an order.
    pub async fn order_revisions(
        &self,
        caller: &crate::authorization::Caller,
        action: &str,
        order: &str,
    ) -> Answer<Vec<OrderRow>> {
        let rights = self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        self.revisions_of(caller, rights.order_ever(&purchasing, order)?).await
    }

    async fn revisions_of(
        &self,
        caller: &crate::authorization::Caller,
        row: &OrderRow,
    ) -> Answer<Vec<OrderRow>> {
        let (store, order) = (&self.0.store, &row.order);
        store.order_revisions(&caller.payer, &order.buyer, &order.id).await.map_err(Error::internal)
    }

    /// The orders that a caller sees, by the number of their creation.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn orders(
        &self,
        caller: &crate::authorization::Caller,
        action: &str,
        filter: &OrderFilter,
    ) -> Answer<Vec<OrderView>> {
        let rights = self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let named = |group: &billing::configuration::BillingGroupId| {
            filter.billing_groups.iter().any(|text| text.rsplit('/').next() == Some(group.as_str()))
        };
        let seller = filter.bill_from.as_ref().map(|text| seller_named(text));
        let is_meant = |order: &PurchaseOrder| {
            let buyer = match &order.buyer {
                Buyer::Payer => filter.of_payer != Some(false) && filter.billing_groups.is_empty(),
                Buyer::BillingGroup(group) => {
                    filter.of_payer != Some(true) && (filter.billing_groups.is_empty() || named(group))
                }
            };
            buyer
                && (filter.statuses.is_empty() || filter.statuses.contains(&order.status(caller.now)))
                && seller.as_ref().is_none_or(|seller| seller.as_ref().is_some_and(|it| order.bills_from(it)))
                && filter.month.is_none_or(|month| order.effective <= month && month <= order.expiration)
        };
        let mut rows: Vec<&Arc<OrderRow>> =
            purchasing.orders().filter(|row| rights.sees(&row.order) && is_meant(&row.order)).collect();
        rows.sort_by_key(|row| row.number);
        let shown = |row: &Arc<OrderRow>| view(&purchasing, &caller.payer, row.clone(), caller.now);
        Ok(rows.into_iter().map(shown).collect())
    }

    /// The invoices that are charged to an order, by the instant of their issue.
    ///
    /// # Errors
    /// [`Error::Declined`] where there is no such order.
    pub async fn order_invoices(
        &self,
        caller: &crate::authorization::Caller,
        action: &str,
        order: &str,
    ) -> Answer<Vec<ChargedInvoice>> {
        let rights = self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let order = &rights.order(&purchasing, order)?.order;
        let charged = purchasing.charged_to(order).filter_map(|(association, line)| {
            let key = (association.buyer.clone(), association.invoice.clone());
            let invoice = purchasing.invoices.get(&key)?.clone();
            Some(ChargedInvoice { invoice, association: association.clone(), line: line.clone() })
        });
        let mut charged: Vec<ChargedInvoice> = charged.collect();
        let order_of = |of: &ChargedInvoice| (of.invoice.invoice.issued_at, of.invoice.invoice.id.clone());
        charged.sort_by_key(order_of);
        Ok(charged)
    }
}

/// An order with its balances.
pub(crate) fn view(
    purchasing: &Purchasing,
    payer: &billing::account::AccountId,
    row: Arc<OrderRow>,
    now: i64,
) -> OrderView {
    let order = &row.order;
    let used = purchasing.used(order).ok();
    let of_line = |line: &Line| {
        let invoiced = used.as_ref().map(|used| used.get(&line.number).copied().unwrap_or_default());
        let balance = invoiced.and_then(|invoiced| line.price.value().total.minus(invoiced).ok());
        LineView { line: line.clone(), invoiced, balance }
    };
    let lines: Vec<LineView> = order.lines.iter().map(of_line).collect();
    let value = order.value().ok();
    let invoiced = used.as_ref().and_then(|used| sum(used.values().copied()));
    OrderView {
        arn: order_arn(payer, &order.buyer, &order.id),
        status: order.status(now),
        starts_later: order.starts_later(now),
        value,
        invoiced,
        balance: value.zip(invoiced).and_then(|(value, invoiced)| value.minus(invoiced).ok()),
        out_of_balance: is_out_of_balance(order, &lines, used.as_ref()),
        lines,
        row,
    }
}

fn sum(amounts: impl IntoIterator<Item = Amount>) -> Option<Amount> {
    amounts.into_iter().try_fold(Amount::ZERO, |sum, amount| sum.plus(amount).ok())
}

/// Whether a line is used beyond its value, or all lines that are followed together: what invoices have used of lines that are no more counts against
/// those that are, so that a line which gets another number forgets nothing. What cannot be told is worth a look.
fn is_out_of_balance(
    order: &PurchaseOrder,
    lines: &[LineView],
    used: Option<&BTreeMap<LineNumber, Amount>>,
) -> bool {
    let followed = || lines.iter().filter(|of| of.line.balance_tracking);
    if followed().next().is_none() {
        return false;
    }
    let gone = used.and_then(|used| {
        sum(used.iter().filter(|(number, _)| order.line(number).is_none()).map(|(_, used)| *used))
    });
    let left = followed().map(|of| of.balance).collect::<Option<Vec<_>>>().and_then(sum);
    let together = left.zip(gone).and_then(|(left, gone)| left.minus(gone).ok());
    lines.iter().any(LineView::is_out_of_balance) || together.is_none_or(|left| left < Amount::ZERO)
}

/// Checks an order by every rule, beside the others of its buyer.
fn checked(edit: &PurchaseEdit<'_>, draft: &Draft, buyer: &Buyer, act: Act<'_>) -> Answer<Checked> {
    checked_beside(edit, draft, buyer, act, &edit.next.of_buyer(buyer))
}

/// The same beside orders of the buyer that the caller has at hand.
pub(super) fn checked_beside(
    edit: &PurchaseEdit<'_>,
    draft: &Draft,
    buyer: &Buyer,
    act: Act<'_>,
    orders: &[PurchaseOrder],
) -> Answer<Checked> {
    beside(edit, (buyer, &draft.id), orders, |around| check(draft, buyer, act, around))
}

/// Asks for a check of an order of a buyer, named by its id, beside others of it.
fn beside(
    edit: &PurchaseEdit<'_>,
    (buyer, id): (&Buyer, &str),
    orders: &[PurchaseOrder],
    act: impl FnOnce(Surroundings<'_>) -> Result<Checked, Vec<Problem>>,
) -> Answer<Checked> {
    let around = Surroundings {
        orders,
        reserved: &edit.next.reserved(buyer),
        settings: &edit.next.settings,
        now: edit.now(),
    };
    act(around).map_err(|problems| declined(edit, (buyer, id), &problems))
}

fn updated(edit: &mut PurchaseEdit<'_>, before: &OrderRow, draft: &Draft) -> Answer<Changed> {
    let used = edit.next.used(&before.order).map_err(Error::internal)?;
    let act = Act::Update { before: &before.order, used: &used };
    let checked = checked(edit, draft, &before.order.buyer, act)?;
    if checked.order == before.order {
        return Ok(shown_change(edit, before, warnings(&checked.warnings)));
    }
    Ok(kept(edit, checked))
}

fn warnings(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Keeps an order that was checked.
pub(super) fn kept(edit: &mut PurchaseEdit<'_>, checked: Checked) -> Changed {
    let row = edit.put_order(checked.order, false);
    shown_change(edit, &row, warnings(&checked.warnings))
}

fn shown_change(edit: &PurchaseEdit<'_>, row: &OrderRow, warnings: Vec<String>) -> Changed {
    let order = &row.order;
    Changed {
        arn: order_arn(&edit.request.caller.payer, &order.buyer, &order.id),
        id: order.id.to_string(),
        revision: row.revision,
        status: order.status(edit.now()).name().to_owned(),
        warnings,
    }
}

fn changed_meanwhile(before: &OrderRow, expected: u64, request: &WriteRequest<'_>) -> Error {
    let (order, revision) = (&before.order, before.revision);
    let message = format!(
        "purchase order `{}` is at revision {revision}, not {expected}; read it again and decide again",
        order.id
    );
    let id = order_arn(&request.caller.payer, &order.buyer, &order.id);
    Declined::Conflict { reason: "PURCHASE_ORDER_CHANGED", kind: ORDER, id, message }.into()
}

/// What is wrong with an order, for whoever has asked: a conflict or a limit where that is all, else every field with what is wrong.
fn declined(edit: &PurchaseEdit<'_>, (buyer, id): (&Buyer, &str), problems: &[Problem]) -> Error {
    let message = warnings(problems).join("; ");
    let id = || match PurchaseOrderId::parse(id) {
        Some(id) => order_arn(&edit.request.caller.payer, buyer, &id),
        None => id.to_owned(),
    };
    let declined = match problems {
        [Problem { kind: ProblemKind::IdTaken | ProblemKind::IdReserved, .. }] => {
            Declined::Conflict { reason: "PURCHASE_ORDER_ID_TAKEN", kind: ORDER, id: id(), message }
        }
        [Problem { kind: ProblemKind::ActiveOrders, .. }] => {
            Declined::Limit { code: "ACTIVE_PURCHASE_ORDERS", kind: ORDER, id: id(), message }
        }
        _ => {
            let field = |problem: &Problem| (member_path(&problem.field), problem.to_string());
            Declined::Invalid { message, fields: problems.iter().map(field).collect() }
        }
    };
    declined.into()
}

/// A path of members as the API names them: `lineItems[3].startMonth` is `LineItems[3].StartMonth`.
pub(super) fn member_path(path: &str) -> String {
    let capital = |part: &str| {
        let mut characters = part.chars();
        characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
    };
    path.split('.').map(capital).collect::<Vec<_>>().join(".")
}
