//! What was issued, with where it stands; of customers, their own.

use crate::authorization::{Caller, Scope};
use crate::desk::BackOffice;
use crate::error::{Answer, Error, refused};
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use billing::invoice::state::{CreditedBy, Payment, Standing};
use billing::invoice::{Date, Invoice, Invoiced, Kind};
use billing::money::Currency;
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::slice;
use store::{InvoiceFilter, InvoicePaymentRow, IssuedInvoiceRow, Store};

/// How many documents are read at once.
const ROWS: usize = 200;

/// A document with where it stands.
#[derive(Debug, Clone)]
pub struct InvoiceView {
    /// As it is kept; the document word for word.
    pub row: IssuedInvoiceRow,
    /// The document.
    pub document: Invoice,
    /// Where it stands; none of a credit note.
    pub standing: Option<Standing>,
    /// Its payments.
    pub payments: Vec<InvoicePaymentRow>,
    /// The numbers of its credit notes.
    pub credit_notes: Vec<String>,
}

/// Which documents are asked for.
#[derive(Debug, Clone, Default)]
pub struct InvoiceQuery {
    /// Only of this billing group, by ARN, id or name.
    pub billing_group: Option<String>,
    /// Only of this period.
    pub period: Option<BillingPeriod>,
    /// Only in this state: `OPEN`, `PARTLY_PAID`, `PAID`, `CANCELLED`, `CREDIT_NOTE`.
    pub status: Option<String>,
}

impl InvoiceView {
    /// Where it stands, in a word.
    #[must_use]
    pub fn status(&self) -> &'static str {
        self.standing.as_ref().map_or("CREDIT_NOTE", Standing::word)
    }

    /// Whether it was taken back as a whole.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self.standing, Some(Standing::Cancelled { .. }))
    }

    /// What is still to be paid.
    #[must_use]
    pub fn open(&self) -> Option<Invoiced> {
        match self.standing {
            Some(Standing::Open { open, .. }) => Some(open),
            _ => None,
        }
    }
}

impl BackOffice {
    /// Documents in the order of issue, as far as the caller may see them, after a place.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no such billing group.
    pub async fn invoices(
        &self,
        caller: &Caller,
        query: &InvoiceQuery,
        after_place: u64,
        most: usize,
    ) -> Answer<Vec<InvoiceView>> {
        let payer = &caller.payer;
        let state = self.state(payer).await?;
        let of = query.billing_group.as_deref();
        let of = of.map(|named| caller.billing_group(&state.configuration, named, None));
        let filter = InvoiceFilter {
            billing_group: of.transpose()?.map(|id| id.to_string()),
            period: query.period,
            ..InvoiceFilter::default()
        };
        let (mut views, mut after) = (Vec::new(), after_place);
        while views.len() < most {
            let rows = self.0.store.issued_invoices(payer, &filter, after, ROWS).await;
            let rows = rows.map_err(Error::internal)?;
            let Some(last) = rows.last() else { break };
            after = last.place;
            let seen: Vec<IssuedInvoiceRow> =
                rows.into_iter().filter(|row| is_seen(&caller.scope, row)).collect();
            let standing = standing(&self.0.store, payer, &seen).await?;
            let wanted =
                |view: &InvoiceView| query.status.as_deref().is_none_or(|status| view.status() == status);
            views.extend(standing.into_iter().filter(wanted));
        }
        views.truncate(most);
        Ok(views)
    }

    /// A document that the caller may see. What it may not see is answered like what is not there.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn invoice(&self, caller: &Caller, number: &str) -> Answer<InvoiceView> {
        let store = &self.0.store;
        let row = found(store, &caller.payer, number).await;
        let row =
            row.and_then(|row| if is_seen(&caller.scope, &row) { Ok(row) } else { Err(not_there(number)) })?;
        standing(store, &caller.payer, slice::from_ref(&row)).await?.pop().ok_or_else(|| not_there(number))
    }

    /// Whether an invoice was taken back as a whole.
    pub(crate) async fn is_taken_back(&self, payer: &AccountId, number: &str) -> Answer<bool> {
        let row = found(&self.0.store, payer, number).await?;
        let views = standing(&self.0.store, payer, slice::from_ref(&row)).await?;
        Ok(views.iter().any(InvoiceView::is_cancelled))
    }
}

/// Whether a caller may see a document. One that is narrowed to accounts sees none: a document is about all of its group's.
fn is_seen(scope: &Scope, row: &IssuedInvoiceRow) -> bool {
    match scope {
        Scope::Payer => true,
        Scope::Groups { accounts: Some(_), .. } => false,
        Scope::Groups { groups, accounts: None } => {
            BillingGroupId::parse(&row.billing_group).is_some_and(|id| groups.contains(&id))
        }
    }
}

fn not_there(number: &str) -> Error {
    refused(format!("there is no invoice `{number}`"))
}

/// A document by its number.
pub(super) async fn found(store: &Store, payer: &AccountId, number: &str) -> Answer<IssuedInvoiceRow> {
    let of = InvoiceFilter { number: Some(number.to_owned()), ..InvoiceFilter::default() };
    let mut rows = if number.is_empty() {
        Vec::new()
    } else {
        store.issued_invoices(payer, &of, 0, 1).await.map_err(Error::internal)?
    };
    rows.pop().ok_or_else(|| not_there(number))
}

/// The document of a row, and the currency that it was charged in.
pub(super) fn view(row: &IssuedInvoiceRow) -> Answer<(Invoice, Currency)> {
    let document = invoice_file::document::read(row.document.as_bytes()).map_err(Error::internal)?;
    let charged_in =
        Currency::parse(&row.charged_in).ok_or_else(|| Error::internal(row.charged_in.clone()))?;
    Ok((document, charged_in))
}

/// Documents with their payments and credit notes.
pub(super) async fn standing(
    store: &Store,
    payer: &AccountId,
    rows: &[IssuedInvoiceRow],
) -> Answer<Vec<InvoiceView>> {
    let only = if let [row] = rows { Some(row.number.as_str()) } else { None };
    let paid = store.invoice_payments(payer, only).await.map_err(Error::internal)?;
    let mut payments: BTreeMap<String, Vec<InvoicePaymentRow>> = BTreeMap::new();
    paid.into_iter().for_each(|row| payments.entry(row.invoice.clone()).or_default().push(row));
    let mut views = Vec::new();
    for row in rows {
        let (document, _) = view(row)?;
        if document.kind == Kind::CreditNote {
            let (payments, credit_notes) = (Vec::new(), Vec::new());
            views.push(InvoiceView { row: row.clone(), document, standing: None, payments, credit_notes });
            continue;
        }
        let payments = payments.remove(&row.number).unwrap_or_default();
        let of = InvoiceFilter { original: Some(row.number.clone()), ..InvoiceFilter::default() };
        let notes = store.issued_invoices(payer, &of, 0, usize::MAX).await.map_err(Error::internal)?;
        let credits = notes.iter().map(credited).collect::<Answer<Vec<_>>>()?;
        let arrived =
            payments.iter().map(|row| payment(row, document.currency)).collect::<Answer<Vec<_>>>()?;
        let totals = &document.totals;
        let whole = totals.gross.plus(totals.rounding).map_err(Error::internal)?;
        let standing = Standing::of(whole, totals.due, &arrived, &credits).map_err(Error::internal)?;
        let credit_notes = notes.into_iter().map(|note| note.number).collect();
        views.push(InvoiceView {
            row: row.clone(),
            document,
            standing: Some(standing),
            payments,
            credit_notes,
        });
    }
    Ok(views)
}

fn credited(row: &IssuedInvoiceRow) -> Answer<CreditedBy> {
    let (note, _) = view(row)?;
    Ok(CreditedBy { number: note.number, date: note.issued, amount: note.totals.due })
}

fn payment(row: &InvoicePaymentRow, currency: Currency) -> Answer<Payment> {
    Ok(Payment {
        date: Date::parse(&row.paid_on).map_err(Error::internal)?,
        amount: Invoiced::parse(currency, &row.amount).map_err(Error::internal)?,
        reference: row.reference.clone(),
    })
}

/// Refuses where a billing group has an invoice of a period and currency that is not taken back as a whole.
pub(super) async fn live_invoice(
    store: &Store,
    payer: &AccountId,
    of: &str,
    period: BillingPeriod,
    currency: &str,
) -> Answer<()> {
    let filter = InvoiceFilter {
        billing_group: Some(of.to_owned()),
        period: Some(period),
        ..InvoiceFilter::default()
    };
    let rows = store.issued_invoices(payer, &filter, 0, usize::MAX).await.map_err(Error::internal)?;
    let of_currency: Vec<_> =
        rows.into_iter().filter(|row| row.charged_in == currency && row.original.is_none()).collect();
    let views = standing(store, payer, &of_currency).await?;
    match views.iter().find(|view| !view.is_cancelled()) {
        Some(view) => Err(refused(format!(
            "the charges of {period} in {currency} are on invoice `{}`; credit it in full before they are invoiced again",
            view.row.number
        ))),
        None => Ok(()),
    }
}
