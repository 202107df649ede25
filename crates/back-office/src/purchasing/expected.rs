//! What an invoice should come to: AWS's what its month's cost files have under its id, a customer's what its billing group is charged for the month.

use super::matching::{InvoiceRow, InvoiceSource};
use crate::authorization::Scope;
use crate::cost_reports::PeriodReport;
use crate::desk::BackOffice;
use crate::engine::GroupCharges;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use billing::invoice::rounding::exchanged;
use billing::invoice::state::{CreditedBy, Standing};
use billing::invoice::{Invoice, Kind};
use billing::matching::three_way::{Against, Expected};
use billing::money::{Amount, Currency, DecimalError, divide_half_away, ten_to};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::InvoiceKind;
use billing::purchase_order::{Buyer, minor_units};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::iter;
use std::sync::Arc;
use store::IssuedInvoiceRow;

/// What was read of months already.
#[derive(Default)]
pub(super) struct Known {
    metered: BTreeMap<BillingPeriod, Metered>,
    statements: BTreeMap<BillingPeriod, Statements>,
}

/// What cost files have by invoice id.
type Metered = BTreeMap<String, Vec<(Amount, Currency)>>;

/// What a month's billing groups are charged, and the documents that were made of it.
struct Statements {
    report: Option<Arc<PeriodReport>>,
    /// What adjustments charge those who are not in the month's bill any more.
    departed: Vec<GroupCharges>,
    documents: BTreeMap<String, Document>,
}

struct Document {
    row: IssuedInvoiceRow,
    invoice: Invoice,
    /// What its lines come to exactly, before they were rounded; below 0 of a credit note.
    exact: Amount,
    /// Whether credit notes took back the whole of it.
    is_cancelled: bool,
}

impl BackOffice {
    /// What an invoice should come to; `None` where nothing says that.
    pub(super) async fn expected_of(
        &self,
        payer: &AccountId,
        known: &mut Known,
        row: &InvoiceRow,
    ) -> Answer<Option<Expected>> {
        let (invoice, period) = (&row.invoice, row.invoice.period);
        match &invoice.buyer {
            Buyer::Payer => {
                let metered = match known.metered.entry(period) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(entry) => entry.insert(self.metered(payer, period).await?),
                };
                metered.get(&invoice.id).map_or(Ok(None), |sums| of_cost_data(row, sums))
            }
            Buyer::BillingGroup(group) => {
                if row.source != InvoiceSource::Issued && invoice.kind != InvoiceKind::CreditMemo {
                    let of = (invoice.currency, invoice.issued_at);
                    if let Some(amount) = self.with_tax(payer, group, period, of).await? {
                        let (against, currency) = (Against::Statement, invoice.currency);
                        return Ok(Some(Expected { against, amount, currency }));
                    }
                }
                let statements = match known.statements.entry(period) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(entry) => entry.insert(self.statements(payer, period).await?),
                };
                statements.of(group, row)
            }
        }
    }

    /// What the cost files of the run that a period shows have by invoice id.
    async fn metered(&self, payer: &AccountId, period: BillingPeriod) -> Answer<Metered> {
        let mut metered = Metered::new();
        let Some((_, found)) = self.aws_invoices(payer, period).await? else { return Ok(metered) };
        for invoice in &found.invoices {
            if let Some(id) = &invoice.id {
                let total = invoice.sums.total().and_then(|total| total.to_amount());
                let total = (total.map_err(Error::internal)?, invoice.currency);
                metered.entry(id.clone()).or_default().push(total);
            }
        }
        Ok(metered)
    }

    async fn statements(&self, payer: &AccountId, period: BillingPeriod) -> Answer<Statements> {
        let report = self.cost_report(payer, period).await?;
        let filter = store::InvoiceFilter { period: Some(period), ..store::InvoiceFilter::default() };
        let rows = self.0.store.issued_invoices(payer, &filter, 0, usize::MAX).await;
        let document = |row: IssuedInvoiceRow| Ok((row.number.clone(), Document::of(row)?));
        let documents: BTreeMap<String, Document> =
            rows.map_err(Error::internal)?.into_iter().map(document).collect::<Answer<_>>()?;
        let documents = with_cancelled(documents)?;
        let departed = self.departed(payer, period).await?;
        Ok(Statements { report, departed, documents })
    }
}

/// The sum in the invoice's own currency, or the only one that there is. AWS rounds what it invoices, and cost files have every digit: an invoice in whole minor
/// units is held against the sum in such. One that is known by its cost files alone is that sum.
fn of_cost_data(row: &InvoiceRow, sums: &[(Amount, Currency)]) -> Answer<Option<Expected>> {
    let own = sums.iter().find(|(_, currency)| *currency == row.invoice.currency);
    let Some((amount, currency)) = own.or(sums.first()) else { return Ok(None) };
    let is_exact = own.is_none() || row.source == InvoiceSource::Run;
    let amount = if is_exact { *amount } else { in_minor_units(*amount, *currency)? };
    Ok(Some(Expected { against: Against::CostData, amount, currency: *currency }))
}

/// An amount in whole minor units of its currency, rounded half away from zero.
fn in_minor_units(amount: Amount, currency: Currency) -> Answer<Amount> {
    let step = ten_to(20 - minor_units(currency));
    Amount::from_units(divide_half_away(amount.units(), step).0 * step).map_err(Error::internal)
}

/// Documents that know which of them were taken back as a whole.
fn with_cancelled(mut documents: BTreeMap<String, Document>) -> Answer<BTreeMap<String, Document>> {
    let mut credits: BTreeMap<String, Vec<CreditedBy>> = BTreeMap::new();
    for note in documents.values() {
        let Some(original) = &note.row.original else { continue };
        let (number, date, amount) = (note.row.number.clone(), note.invoice.issued, note.invoice.totals.due);
        credits.entry(original.clone()).or_default().push(CreditedBy { number, date, amount });
    }
    for (number, credits) in credits {
        let Some(document) = documents.get_mut(&number) else { continue };
        let totals = &document.invoice.totals;
        let whole = totals.gross.plus(totals.rounding).map_err(Error::internal)?;
        let standing = Standing::of(whole, totals.due, &[], &credits).map_err(Error::internal)?;
        document.is_cancelled = matches!(standing, Standing::Cancelled { .. });
    }
    Ok(documents)
}

impl Document {
    fn of(row: IssuedInvoiceRow) -> Answer<Self> {
        let invoice = invoice_file::document::read(row.document.as_bytes()).map_err(Error::internal)?;
        let lines = Amount::parse(&invoice.totals.lines.to_string()).map_err(Error::internal)?;
        let residue = Amount::parse(&row.residue).map_err(Error::internal)?;
        let exact = match invoice.kind {
            Kind::Invoice => lines.plus(residue).map_err(Error::internal)?,
            // A credit note takes back shown amounts; it may be written with either sign.
            Kind::CreditNote if lines > Amount::ZERO => lines.negated(),
            Kind::CreditNote => lines,
        };
        Ok(Self { row, invoice, exact, is_cancelled: false })
    }

    /// Whether another document is an invoice of the same charges that holds. There is one at most: charges are invoiced again once their invoice was taken back.
    fn is_replaced_by(&self, other: &Self) -> bool {
        let of = |it: &Self| (it.row.billing_group.clone(), it.row.charged_in.clone());
        of(self) == of(other) && other.invoice.kind == Kind::Invoice && !other.is_cancelled
    }
}

impl Statements {
    /// What a customer's invoice should come to.
    fn of(&self, group: &BillingGroupId, row: &InvoiceRow) -> Answer<Option<Expected>> {
        let invoice = &row.invoice;
        let expected = |amount, currency| Expected { against: Against::Statement, amount, currency };
        // A credit note takes back of an invoice: with what is left of that one the statement is compared.
        if invoice.kind == InvoiceKind::CreditMemo {
            let gives_back =
                if invoice.total > Amount::ZERO { invoice.total.negated() } else { invoice.total };
            return Ok(Some(expected(gives_back, invoice.currency)));
        }
        if self.report.is_none() {
            return Ok(None);
        }
        let charged = self.charged(group)?;
        if row.source == InvoiceSource::Issued {
            let Some(document) = self.documents.get(&invoice.id) else { return Ok(None) };
            let of_document =
                charged.iter().find(|(currency, _)| currency.as_str() == document.row.charged_in);
            let differs =
                self.differs(document, of_document.map_or(Amount::ZERO, |(_, charges)| *charges))?;
            let amount = invoice.total.plus(differs).map_err(Error::internal)?;
            return Ok(Some(expected(amount, invoice.currency)));
        }
        let own = charged.iter().find(|(currency, _)| *currency == invoice.currency);
        let Some((currency, charges)) = own.or(charged.first()) else { return Ok(None) };
        Ok(Some(expected(*charges, *currency)))
    }

    /// What a billing group is charged for the month, by currency: by its bill, or where it has none by the adjustments that stand in the month.
    fn charged(&self, group: &BillingGroupId) -> Answer<Vec<(Currency, Amount)>> {
        let totals = self.report.as_ref().map(|report| report.totals(group, &Scope::Payer)).transpose();
        let of_bill = totals.map_err(Error::internal)?.unwrap_or_default().into_iter();
        let of_bill = of_bill.map(|(currency, costs)| Ok((currency, costs.pro_forma.to_amount()?)));
        let id = group.to_string();
        let departed = self.departed.iter().filter(|of| of.billing_group == id).flat_map(|of| &of.charges);
        let departed = departed.map(|of| {
            let mut amounts = of.leaves.iter().map(|leaf| leaf.amount);
            Ok((of.currency, amounts.try_fold(Amount::ZERO, Amount::plus)?))
        });
        of_bill.chain(departed).collect::<Result<_, DecimalError>>().map_err(Error::internal)
    }

    /// By how much the statement is above what was invoiced of it, credit notes taken off: 0 where all of it was, at the document's minor unit. What a
    /// document has of its own, its tax and its allowances, is no part of the statement and as it should be. Nor is what was taken back as a whole: nothing of
    /// the statement is on it, and where another document has its charges by now, that one answers for them, in whichever currency it is.
    fn differs(&self, document: &Document, charges: Amount) -> Answer<Amount> {
        if document.is_cancelled && self.documents.values().any(|other| document.is_replaced_by(other)) {
            return Ok(Amount::ZERO);
        }
        let exact = match &document.invoice.exchange {
            Some(exchange) => exchanged(charges, exchange.rate).map(|(amount, _)| amount),
            None => Ok(charges),
        };
        let is_note = |of: &&Document| of.row.original.as_deref() == Some(document.row.number.as_str());
        let notes = self.documents.values().filter(is_note);
        let mut invoiced = iter::once(document).chain(notes).filter(|_| !document.is_cancelled);
        let differs = exact.and_then(|exact| invoiced.try_fold(exact, |left, of| left.minus(of.exact)));
        in_minor_units(differs.map_err(Error::internal)?, document.invoice.currency)
    }
}
