//! What an invoice should come to: AWS's what its month's cost files have under its id, a customer's what its billing group is charged for the month.

use super::matching::{InvoiceRow, InvoiceSource};
use crate::authorization::Scope;
use crate::cost_reports::PeriodReport;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use billing::invoice::{Invoice, Kind};
use billing::matching::three_way::{Against, Expected};
use billing::money::{Amount, Cost, Currency, divide_half_away, product, ten_to};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use billing::purchase_order::{Buyer, minor_units};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
    documents: BTreeMap<String, Document>,
}

struct Document {
    row: IssuedInvoiceRow,
    invoice: Invoice,
    /// What its lines come to exactly, before they were rounded; below 0 of a credit note.
    exact: Amount,
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
                Ok(metered.get(&invoice.id).and_then(|sums| of_cost_data(invoice, sums)))
            }
            Buyer::BillingGroup(group) => {
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
        let documents = rows.map_err(Error::internal)?.into_iter().map(document).collect::<Answer<_>>()?;
        Ok(Statements { report, documents })
    }
}

/// The sum in the invoice's own currency, or the only one that there is.
fn of_cost_data(invoice: &MatchInvoice, sums: &[(Amount, Currency)]) -> Option<Expected> {
    let own = sums.iter().find(|(_, currency)| *currency == invoice.currency);
    let (amount, currency) = own.or(sums.first())?;
    Some(Expected { against: Against::CostData, amount: *amount, currency: *currency })
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
        Ok(Self { row, invoice, exact })
    }

    /// Whether two documents share what they are made of.
    fn is_beside(&self, other: &Self) -> bool {
        let of = |it: &Self| (it.row.billing_group.clone(), it.row.charged_in.clone(), it.invoice.currency);
        of(self) == of(other)
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
        let Some(report) = &self.report else { return Ok(None) };
        let totals = report.totals(group, &Scope::Payer).map_err(Error::internal)?;
        let charged = |code: &str| totals.iter().find(|(currency, _)| currency.as_str() == code);
        if row.source == InvoiceSource::Issued {
            let Some(document) = self.documents.get(&invoice.id) else { return Ok(None) };
            let charges = charged(&document.row.charged_in).map_or(Cost::ZERO, |(_, costs)| costs.pro_forma);
            let differs = self.differs(document, charges)?;
            let amount = invoice.total.plus(differs).map_err(Error::internal)?;
            return Ok(Some(expected(amount, invoice.currency)));
        }
        let total = charged(invoice.currency.as_str()).or(totals.first());
        let Some((currency, costs)) = total else { return Ok(None) };
        Ok(Some(expected(costs.pro_forma.to_amount().map_err(Error::internal)?, *currency)))
    }

    /// By how much the statement is above what was invoiced of it, credit notes taken off: 0 where all of it was, at the document's minor unit. What a
    /// document has of its own, its tax and its allowances, is no part of the statement and as it should be.
    fn differs(&self, document: &Document, charges: Cost) -> Answer<Amount> {
        let exact = match &document.invoice.exchange {
            Some(exchange) => product(charges, exchange.rate),
            None => charges.to_amount(),
        };
        let beside = self.documents.values().filter(|other| other.is_beside(document));
        let differs =
            exact.and_then(|exact| beside.into_iter().try_fold(exact, |left, of| left.minus(of.exact)));
        let step = ten_to(20 - minor_units(document.invoice.currency));
        let units = divide_half_away(differs.map_err(Error::internal)?.units(), step).0 * step;
        Amount::from_units(units).map_err(Error::internal)
    }
}
