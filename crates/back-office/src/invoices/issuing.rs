//! Issuing: a document gets the next number of its series in the transaction that keeps it, so that no number is given twice and none is left out.

use super::drafting::{composed, open_draft};
use super::listing::{InvoiceView, found, live_invoice, standing, view};
use super::matching::{Matched, credited, issued as matched_as_issued};
use super::series_of_others::held_by_none;
use super::settings::settings_of;
use super::{day, document_text, kept, sellers_day};
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::hash::sha256;
use crate::invoice_documents::page_row;
use crate::purchasing::PurchaseEdit;
use crate::transaction::Attempt;
use billing::account::AccountId;
use billing::invoice::credit::{Credit, credit};
use billing::invoice::series::{LastNumber, Series};
use billing::invoice::{Date, Invoice, Invoiced, Kind};
use billing::money::Currency;
use std::slice;
use store::{
    DraftState, InvoiceDraftRow, InvoiceFilter, InvoicePaymentRow, IssuedInvoiceRow, IssuedPageRow, Store,
    StoreError,
};

/// What is to be taken back of an invoice.
#[derive(Debug, Clone)]
pub struct NewCredit {
    /// The invoice.
    pub invoice: String,
    /// Its lines, by number, with how much before tax, or all that is left of each; `None`: all that is left of the invoice.
    pub lines: Option<Vec<(String, Option<String>)>>,
    /// Why, for the customer.
    pub reason: Option<String>,
    /// The day of issue; today where none is named.
    pub issued: Option<String>,
}

/// A payment that has arrived.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// The invoice.
    pub invoice: String,
    /// The day; today where none is named.
    pub date: Option<String>,
    /// How much, in the document's currency; below 0 is a payment that was returned.
    pub amount: String,
    /// What the bank says of it.
    pub reference: Option<String>,
}

impl BackOffice {
    /// Issues a draft's document; its number.
    ///
    /// # Errors
    /// [`Error::Refused`] with all that is missing, or where the day is before that of the last document of the series.
    pub async fn issue_invoice(
        &self,
        request: &WriteRequest<'_>,
        id: &str,
        issued: Option<&str>,
    ) -> Answer<String> {
        let payer = &request.caller.payer;
        let Some(draft) = self.0.store.invoice_draft(payer, id).await.map_err(Error::internal)? else {
            return Err(open_draft(&self.0.store, payer, id).await.err().unwrap_or(Error::Denied));
        };
        let issued = day(issued, sellers_day(&self.0.store, request, &draft.billing_group).await?)?;
        let charges = &self.run_charges(payer, &draft.run).await?;
        let done = self.transaction(payer, |store, state| async move {
            if let Some(outcome) = request.answered(&store).await? {
                return Ok((state, (outcome, None)));
            }
            let draft = open_draft(&store, payer, id).await?;
            live_invoice(&store, payer, &draft.billing_group, draft.period, &draft.currency).await?;
            let (composed, options, settings) = composed(&store, payer, &draft, charges, issued).await?;
            let series = settings.series.ok_or_else(no_series)?;
            let residue = composed.residue.to_string();
            let next = next(&store, payer, &series, issued).await?;
            let mut document = composed.numbered(next.number.clone());
            held_by_none(&store, payer, &next.series, &document).await?;
            let number = next.number.clone();
            let mut write = store.write(payer, &state.head).await?;
            let of = Matched {
                billing_group: &draft.billing_group,
                period: draft.period,
                now: request.caller.now,
            };
            let matching = |edit: &mut PurchaseEdit<'_>| matched_as_issued(edit, &options, &mut document, of);
            let ((), purchasing) = self.purchase_within(&mut write, &state, request, matching).await?;
            let row = next.row(request, &document, &draft, residue, None);
            let page = self.page_as_issued(document).await?;
            write.put_issued_invoice(row, page).await.map_err(|error| taken(error, &number))?;
            let of_draft = InvoiceDraftRow { state: DraftState::Issued(number.clone()), ..draft };
            write.put_invoice_draft(of_draft).await?;
            let (state, number) = kept((&state, write), request, &number.clone(), number).await?;
            Ok((state, (number, Some(purchasing))))
        });
        let (number, purchasing) = done.await?;
        self.purchased(payer, purchasing);
        Ok(number)
    }

    /// Issues a credit note; its number.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no such invoice, or less of it is left.
    pub async fn credit_invoice(&self, request: &WriteRequest<'_>, new: &NewCredit) -> Answer<String> {
        let payer = &request.caller.payer;
        let of = found(&self.0.store, payer, &new.invoice).await?.billing_group;
        let issued = day(new.issued.as_deref(), sellers_day(&self.0.store, request, &of).await?)?;
        let done = self.transaction(payer, |store, state| async move {
            if let Some(outcome) = request.answered(&store).await? {
                return Ok((state, (outcome, None)));
            }
            let original = found(&store, payer, &new.invoice).await?;
            let of = InvoiceFilter { original: Some(new.invoice.clone()), ..InvoiceFilter::default() };
            let earlier = store.issued_invoices(payer, &of, 0, usize::MAX).await?;
            let earlier: Vec<Invoice> =
                earlier.iter().map(|row| view(row).map(|(document, _)| document)).collect::<Answer<_>>()?;
            let (invoice, charged_in) = view(&original)?;
            let what = what(new, invoice.currency)?;
            let notes = new.reason.iter().cloned().collect();
            let note = credit(&invoice, &earlier, &what, notes, issued);
            let note = note.map_err(|error| refused(error.to_string()))?;
            let settings = settings_of(&store, payer, &original.billing_group, issued.month()).await?;
            let settings = invoice_file::settings::read(&settings, charged_in);
            let settings = settings.map_err(|error| refused(error.to_string()))?;
            let series = settings.credit_series.or(settings.series).ok_or_else(no_series)?;
            let next = next(&store, payer, &series, issued).await?;
            let number = next.number.clone();
            let mut document = Invoice { number: number.clone(), ..note };
            held_by_none(&store, payer, &next.series, &document).await?;
            let draft = InvoiceDraftRow {
                id: String::new(),
                billing_group: original.billing_group.clone(),
                period: original.period,
                currency: original.charged_in.clone(),
                run: original.run.clone(),
                options: String::new(),
                state: DraftState::Open,
                created_at_s: request.caller.now,
                created_by: request.caller.principal.clone(),
            };
            let mut write = store.write(payer, &state.head).await?;
            let of = Matched {
                billing_group: &draft.billing_group,
                period: draft.period,
                now: request.caller.now,
            };
            let matching = |edit: &mut PurchaseEdit<'_>| credited(edit, &mut document, of);
            let ((), purchasing) = self.purchase_within(&mut write, &state, request, matching).await?;
            let row = next.row(request, &document, &draft, "0".to_owned(), Some(original.number));
            let page = self.page_as_issued(document).await?;
            write.put_issued_invoice(row, page).await.map_err(|error| taken(error, &number))?;
            let (state, number) = kept((&state, write), request, &number.clone(), number).await?;
            Ok((state, (number, Some(purchasing))))
        });
        let (number, purchasing) = done.await?;
        self.purchased(payer, purchasing);
        Ok(number)
    }

    /// Records a payment of an invoice; where the invoice stands then.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no such invoice, the amount is none of its currency, or more is returned than was paid.
    pub async fn record_payment(&self, request: &WriteRequest<'_>, new: &NewPayment) -> Answer<InvoiceView> {
        let payer = &request.caller.payer;
        let of = found(&self.0.store, payer, &new.invoice).await?.billing_group;
        let paid_on = day(new.date.as_deref(), sellers_day(&self.0.store, request, &of).await?)?;
        self.transaction(payer, |store, state| async move {
            let row = found(&store, payer, &new.invoice).await?;
            if let Some(()) = request.answered(&store).await? {
                return Ok((state, ()));
            }
            let (invoice, _) = view(&row)?;
            if invoice.kind == Kind::CreditNote {
                let number = &row.number;
                return Err(refused(format!(
                    "`{number}` is a credit note; record what is paid out as a payment below 0 of its invoice"
                ))
                .into());
            }
            if paid_on < invoice.issued {
                let (number, issued) = (&row.number, invoice.issued);
                return Err(refused(format!(
                    "`{number}` is of {issued}, and {paid_on} is before that; name {issued} or a later day. What a customer pays before its \
                     invoice is issued is named when the invoice is drafted, as its prepaid amount"
                ))
                .into());
            }
            let amount = Invoiced::parse(invoice.currency, &new.amount);
            let amount = amount.map_err(|error| refused(error.to_string()))?;
            if amount.units() == 0 {
                return Err(refused("a payment of 0 is none; leave it out").into());
            }
            let before = store.invoice_payments(payer, Some(&row.number)).await?;
            given_back_at_most(&invoice, &before, amount)?;
            let payment = InvoicePaymentRow {
                invoice: row.number.clone(),
                number: before.len() as u64 + 1,
                paid_on: paid_on.to_string(),
                amount: amount.to_string(),
                reference: new.reference.clone(),
                recorded_at_s: request.caller.now,
                recorded_by: request.caller.principal.clone(),
            };
            let mut write = store.write(payer, &state.head).await?;
            write.put_invoice_payment(payment).await?;
            kept((&state, write), request, &row.number, ()).await
        })
        .await?;
        let row = found(&self.0.store, payer, &new.invoice).await?;
        standing(&self.0.store, payer, slice::from_ref(&row)).await?.pop().ok_or(Error::Denied)
    }
}

impl BackOffice {
    /// The page of a document as it looks now, to be kept with it. One that cannot be made is not issued: a customer could never have it.
    async fn page_as_issued(&self, document: Invoice) -> Answer<Option<IssuedPageRow>> {
        let number = document.number.clone();
        Ok(self.page(document).await?.map(|page| page_row(&number, &page)))
    }
}

fn no_series() -> Error {
    refused(
        "there is no series of numbers; set `series` with a template such as `INV-{year}-{number:5}` with `proforma invoice settings`",
    )
}

/// What is to be taken back.
fn what(new: &NewCredit, currency: Currency) -> Answer<Credit> {
    let Some(lines) = &new.lines else { return Ok(Credit::Rest) };
    let line = |(line, amount): &(String, Option<String>)| {
        let amount = amount.as_deref().map(|text| Invoiced::parse(currency, text)).transpose();
        Ok((line.clone(), amount.map_err(|error| refused(error.to_string()))?))
    };
    Ok(Credit::Lines(lines.iter().map(line).collect::<Answer<_>>()?))
}

/// Refuses a payment that gives back more than was paid, before the invoice and after it. Of an invoice below 0, which the seller pays, the signs are the other way
/// round.
fn given_back_at_most(invoice: &Invoice, before: &[InvoicePaymentRow], amount: Invoiced) -> Answer<()> {
    let is_debt = invoice.totals.gross.units() < 0;
    let paid = before.iter().try_fold(invoice.totals.prepaid, |sum, row| {
        let amount = Invoiced::parse(invoice.currency, &row.amount).map_err(Error::internal)?;
        sum.plus(amount).map_err(Error::internal)
    })?;
    let after = paid.plus(amount).map_err(Error::internal)?;
    let against = |of: Invoiced| if is_debt { of.units() > 0 } else { of.units() < 0 };
    if against(amount) && against(after) {
        let (number, currency) = (&invoice.number, invoice.currency);
        return Err(refused(format!(
            "a payment of {amount} {currency} gives back more than the {paid} {currency} that was paid of `{number}`; what lowers an invoice itself is a credit note"
        )));
    }
    Ok(())
}

/// Why a number cannot be given: what was read holds once the write has begun, so that only another series can have given it.
fn taken(error: StoreError, number: &str) -> Attempt {
    match error {
        StoreError::AlreadyThere(_) => {
            let message = format!(
                "number `{number}` was given by another series; set a series whose numbers are others"
            );
            refused(message).into()
        }
        error => error.into(),
    }
}

/// The number that a document gets, and its places.
struct Next {
    number: String,
    count: u64,
    place: u64,
    series: String,
}

/// The next number of a series. It is the document's only if the transaction that has read it commits: somebody else's would have been first.
async fn next(store: &Store, payer: &AccountId, series: &Series, issued: Date) -> Answer<Next> {
    let template = series.template();
    let last = store.last_issued_invoice(payer, Some(template)).await.map_err(Error::internal)?;
    let last = last.map(|row| {
        let issued = Date::parse(&row.issued_on).map_err(Error::internal)?;
        Ok::<_, Error>(LastNumber { count: row.series_count, issued })
    });
    let (LastNumber { count, .. }, number) =
        series.next(last.transpose()?, issued).map_err(|error| refused(error.to_string()))?;
    let before = store.last_issued_invoice(payer, None).await.map_err(Error::internal)?;
    let place = before.map_or(0, |row| row.place) + 1;
    Ok(Next { number, count, place, series: template.to_owned() })
}

impl Next {
    fn row(
        self,
        request: &WriteRequest<'_>,
        document: &Invoice,
        draft: &InvoiceDraftRow,
        residue: String,
        original: Option<String>,
    ) -> IssuedInvoiceRow {
        let text = document_text(document);
        IssuedInvoiceRow {
            number: self.number,
            place: self.place,
            series: self.series,
            series_count: self.count,
            billing_group: draft.billing_group.clone(),
            period: draft.period,
            charged_in: draft.currency.clone(),
            issued_on: document.issued.to_string(),
            original,
            run: draft.run.clone(),
            residue,
            sha256: sha256(&text),
            document: text,
            issued_at_ms: machine_milliseconds(),
            issued_by: request.caller.principal.clone(),
        }
    }
}
