//! Drafts: what is to be invoiced of a closed period, and what its document would be.

use super::listing::live_invoice;
use super::matching::{Matched, asked};
use super::options::{AdjustmentOption, DraftOptions};
use super::series_of_others::held_by_none;
use super::settings::settings_of;
use super::{day, group, kept, rates, sellers_day};
use crate::desk::{BackOffice, WriteRequest};
use crate::engine::RunCharges;
use crate::error::{Answer, Error, refused};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::invoice::charges::Charges;
use billing::invoice::compose::{Composed, compose};
use billing::invoice::party::is_blank;
use billing::invoice::preview::{Warning, warnings};
use billing::invoice::terms::{ExtraAdjustment, Extras};
use billing::invoice::{AdjustmentKind, Date, Invoiced};
use billing::money::Currency;
use billing::period::BillingPeriod;
use invoice_file::settings::InvoiceSettings;
use store::{DraftState, InvoiceDraftRow, Store};

/// What is to be drafted.
#[derive(Debug, Clone)]
pub struct NewDraft {
    /// The billing group, by ARN or id.
    pub billing_group: String,
    /// The closed period.
    pub period: BillingPeriod,
    /// The currency of the charges to be invoiced; `None`: every one that is free.
    pub currency: Option<String>,
    /// What its documents have of their own.
    pub options: DraftOptions,
}

/// A draft, ready to be answered.
pub type DraftView = InvoiceDraftRow;

/// What a document would be.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The draft.
    pub draft: InvoiceDraftRow,
    /// The document without its number.
    pub composed: Composed,
    /// What the operator should know.
    pub warnings: Vec<Warning>,
}

impl BackOffice {
    /// Drafts the invoices of a billing group for a closed period: one for each currency that it is charged in.
    ///
    /// # Errors
    /// [`Error::Refused`] where the period is open or was never priced, where the group has no charges, or where an invoice or a draft has those
    /// of every currency already.
    pub async fn draft_invoice(&self, request: &WriteRequest<'_>, new: &NewDraft) -> Answer<Vec<String>> {
        let payer = &request.caller.payer;
        let period = new.period;
        if new.options.purchase_order.as_deref().is_some_and(is_blank) {
            return Err(refused("the purchase order's number is blank; write it, or leave it out"));
        }
        let state = self.state(payer).await?;
        let of = &group(&state.configuration, &new.billing_group)?.to_string();
        if !state.configuration.is_closed(period) {
            return Err(refused(format!(
                "billing period {period} is open; close it with `proforma close {period}` before it is invoiced"
            )));
        }
        let shown = self.shown_run(payer, period).await?;
        let (run, _) = shown
            .ok_or_else(|| refused(format!("billing period {period} has no priced run to be invoiced")))?;
        let charges = self.run_charges(payer, &run).await?;
        let currencies = charged_in(charges_of(&charges, of), new)?;
        let (run, currencies, options) =
            (&run, &currencies, &serde_json::to_string(&new.options).map_err(Error::internal)?);
        self.transaction(payer, |store, state| async move {
            if let Some(outcome) = request.answered(&store).await? {
                return Ok((state, outcome));
            }
            let open = store.invoice_drafts(payer).await?;
            let (mut rows, mut taken) = (Vec::new(), Vec::new());
            for currency in currencies {
                let code = currency.as_str();
                // A currency that has its document stands in the way of no other.
                if let Some(why) = in_the_way(&store, payer, &open, (of, period, code)).await? {
                    taken.push(why);
                    continue;
                }
                options_fit(&store, request, of, &new.options, *currency).await?;
                rows.push(InvoiceDraftRow {
                    id: new_resource_id().map_err(Error::internal)?,
                    billing_group: of.clone(),
                    period,
                    currency: code.to_owned(),
                    run: run.clone(),
                    options: options.clone(),
                    state: DraftState::Open,
                    created_at_s: request.caller.now,
                    created_by: request.caller.principal.clone(),
                });
            }
            if rows.is_empty() {
                return Err(refused(taken.join("\n")).into());
            }
            let drafted: Vec<&str> = rows.iter().map(|row| row.currency.as_str()).collect();
            amounts_are_of_one_document(&new.options, &drafted)?;
            let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
            let mut write = store.write(payer, &state.head).await?;
            for row in rows {
                write.put_invoice_draft(row).await?;
            }
            let resource = ids.join(",");
            kept((&state, write), request, &resource, ids).await
        })
        .await
    }

    /// Gives a draft up.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is none, or it was issued.
    pub async fn discard_invoice_draft(&self, request: &WriteRequest<'_>, id: &str) -> Answer<()> {
        let payer = &request.caller.payer;
        self.transaction(payer, |store, state| async move {
            let draft = open_draft(&store, payer, id).await?;
            let mut write = store.write(payer, &state.head).await?;
            write.put_invoice_draft(InvoiceDraftRow { state: DraftState::Discarded, ..draft }).await?;
            Ok((state.commit(write, [request.done(id)]).await?, ()))
        })
        .await
    }

    /// The drafts of a payer, the earlier first.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn invoice_drafts(&self, payer: &AccountId) -> Answer<Vec<InvoiceDraftRow>> {
        self.0.store.invoice_drafts(payer).await.map_err(Error::internal)
    }

    /// What a draft's document would be if it were issued on a day; today where none is named. It writes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with all that is missing.
    pub async fn preview_invoice(
        &self,
        request: &WriteRequest<'_>,
        id: &str,
        issued: Option<&str>,
    ) -> Answer<Preview> {
        let payer = &request.caller.payer;
        let draft = open_draft(&self.0.store, payer, id).await?;
        let charges = self.run_charges(payer, &draft.run).await?;
        let issued = day(issued, sellers_day(&self.0.store, request, &draft.billing_group).await?)?;
        let (mut composed, options, settings) =
            composed(&self.0.store, payer, &draft, &charges, issued).await?;
        if let Some(series) = &settings.series {
            held_by_none(&self.0.store, payer, series.template(), &composed.document).await?;
        }
        let of =
            Matched { billing_group: &draft.billing_group, period: draft.period, now: request.caller.now };
        let purchasing = self.purchasing(payer).await?;
        let sight = self.order_sight(request.caller).await?;
        let (order, reference) = asked(&purchasing, &sight, &options, &composed.document, of)?;
        composed.refer_to(reference);
        // What has no page is not issued: it is known here, before it has a number.
        self.page(composed.document.clone()).await?;
        let number = charges.groups.iter().position(|of| of.billing_group == draft.billing_group);
        let charged_in =
            Currency::parse(&draft.currency).ok_or_else(|| Error::internal(draft.currency.clone()))?;
        let (left_out, charged) =
            (composed.lines_below_a_minor_unit, (number.unwrap_or(usize::MAX), charged_in));
        let mut warnings = warnings(&composed.document, left_out, charged, &charges.findings, &order);
        warnings.extend(composed.late_taxes.iter().cloned().map(Warning::LateTax));
        Ok(Preview { draft, composed, warnings })
    }
}

/// A draft that may be issued.
pub(super) async fn open_draft(store: &Store, payer: &AccountId, id: &str) -> Answer<InvoiceDraftRow> {
    let draft = store.invoice_draft(payer, id).await.map_err(Error::internal)?;
    let draft = draft
        .ok_or_else(|| refused(format!("there is no draft `{id}`; `proforma invoice drafts` lists them")))?;
    match &draft.state {
        DraftState::Open => Ok(draft),
        DraftState::Issued(number) => Err(refused(format!("draft `{id}` was issued as `{number}`"))),
        DraftState::Discarded => Err(refused(format!("draft `{id}` was given up; draft the invoice again"))),
    }
}

/// The currencies of a billing group's charges that are to be drafted.
fn charged_in(charges: Option<&Vec<Charges>>, new: &NewDraft) -> Answer<Vec<Currency>> {
    let (named, period) = (&new.billing_group, new.period);
    let all: Vec<Currency> = charges.into_iter().flatten().map(|of| of.currency).collect();
    if all.is_empty() {
        return Err(refused(format!(
            "billing group `{named}` is not in the bill of {period}; draft another one"
        )));
    }
    let Some(wanted) = &new.currency else { return Ok(all) };
    let found = all.iter().find(|of| of.as_str() == wanted);
    found.map(|of| vec![*of]).ok_or_else(|| {
        let all: Vec<&str> = all.iter().map(Currency::as_str).collect();
        let all = all.join(", ");
        refused(format!(
            "billing group `{named}` is charged nothing in `{wanted}` in {period}; name one of {all}"
        ))
    })
}

/// Refuses amounts that would stand on the documents of several currencies: they are of one.
fn amounts_are_of_one_document(options: &DraftOptions, drafted: &[&str]) -> Answer<()> {
    let what = match (&options.prepaid, options.adjustments.as_slice()) {
        _ if drafted.len() < 2 => return Ok(()),
        (Some(_), _) => "what was paid before",
        (None, [_, ..]) => "an allowance or a charge",
        (None, []) => return Ok(()),
    };
    Err(refused(format!(
        "invoices in {} would be drafted, and {what} is of one of them; name its currency, and draft the others without",
        drafted.join(", ")
    )))
}

/// What has the charges of a billing group, period and currency already: a draft, or an invoice; in words.
async fn in_the_way(
    store: &Store,
    payer: &AccountId,
    drafts: &[InvoiceDraftRow],
    (of, period, currency): (&str, BillingPeriod, &str),
) -> Answer<Option<String>> {
    let is_free = match nothing_is_drafted(drafts, of, period, currency) {
        Ok(()) => live_invoice(store, payer, of, period, currency).await,
        drafted => drafted,
    };
    match is_free {
        Ok(()) => Ok(None),
        Err(Error::Refused(refusal)) => Ok(Some(refusal.to_string())),
        Err(error) => Err(error),
    }
}

fn nothing_is_drafted(
    drafts: &[InvoiceDraftRow],
    of: &str,
    period: BillingPeriod,
    currency: &str,
) -> Answer<()> {
    let is_same = |draft: &&InvoiceDraftRow| {
        draft.state == DraftState::Open
            && draft.billing_group == of
            && draft.period == period
            && draft.currency == currency
    };
    match drafts.iter().find(is_same) {
        Some(InvoiceDraftRow { id, .. }) => Err(refused(format!(
            "draft `{id}` is of the same charges; issue it, or give it up with `proforma invoice discard {id}`"
        ))),
        None => Ok(()),
    }
}

/// What a billing group is charged, by id.
pub(super) fn charges_of<'c>(charges: &'c RunCharges, of: &str) -> Option<&'c Vec<Charges>> {
    charges.groups.iter().find(|group| group.billing_group == of).map(|group| &group.charges)
}

/// A draft's document under the settings of the month in which it is issued, what the draft says of its own, and the settings. It refers to no purchase order yet.
pub(super) async fn composed(
    store: &Store,
    payer: &AccountId,
    draft: &InvoiceDraftRow,
    charges: &RunCharges,
    issued: Date,
) -> Answer<(Composed, DraftOptions, InvoiceSettings)> {
    let of_currency = charges_of(charges, &draft.billing_group).into_iter().flatten();
    let charges = of_currency.into_iter().find(|of| of.currency.as_str() == draft.currency);
    let charges = charges.ok_or_else(|| Error::internal(format!("draft `{}` has no charges", draft.id)))?;
    let settings = settings_of(store, payer, &draft.billing_group, issued.month()).await?;
    let settings = invoice_file::settings::read(&settings, charges.currency);
    let settings = settings.map_err(|error| refused(error.to_string()))?;
    let options: DraftOptions = serde_json::from_str(&draft.options).map_err(Error::internal)?;
    let currency = settings.compose.currency.unwrap_or(charges.currency);
    let extras = extras(&options, currency)?;
    let rates = rates(store, payer).await?;
    let composed = compose(&settings.compose, &extras, draft.period, charges, &rates, issued);
    let composed = composed.map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        refused(problems.join("\n"))
    })?;
    Ok((composed, options, settings))
}

/// Refuses what no document in the currency of today's settings could have: a draft of it would stand in the way of the right one.
async fn options_fit(
    store: &Store,
    request: &WriteRequest<'_>,
    of: &str,
    options: &DraftOptions,
    charged_in: Currency,
) -> Answer<()> {
    if let Some(blank) = options.adjustments.iter().find(|of| is_blank(&of.reason)) {
        return Err(refused(format!(
            "the reason of the {} of `{}` is blank; say why it is given",
            blank.kind, blank.amount
        )));
    }
    let month = sellers_day(store, request, of).await?.month();
    let settings = settings_of(store, &request.caller.payer, of, month).await?;
    let settings = invoice_file::settings::read(&settings, charged_in);
    let settings = settings.map_err(|error| refused(error.to_string()))?;
    extras(options, settings.compose.currency.unwrap_or(charged_in)).map(|_| ())
}

/// What a document has of its own, in its currency.
fn extras(options: &DraftOptions, currency: Currency) -> Answer<Extras> {
    let amount = |what: &str, text: &str| {
        Invoiced::parse(currency, text).map_err(|error| refused(format!("{what}: {error}")))
    };
    let adjustment = |of: &AdjustmentOption| {
        let kind = match of.kind.as_str() {
            "allowance" => AdjustmentKind::Allowance,
            "charge" => AdjustmentKind::Charge,
            other => return Err(refused(format!("`{other}` is neither `allowance` nor `charge`"))),
        };
        let (reason, product) = (of.reason.clone(), of.product.clone());
        Ok(ExtraAdjustment { kind, amount: amount(&of.kind, &of.amount)?, reason, product })
    };
    Ok(Extras {
        purchase_order: None,
        adjustments: options.adjustments.iter().map(adjustment).collect::<Answer<_>>()?,
        prepaid: options.prepaid.as_deref().map(|text| amount("what was paid before", text)).transpose()?,
        notes: options.notes.clone(),
    })
}
