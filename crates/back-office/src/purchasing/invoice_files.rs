//! Invoices as AWS lists them: the answers of `ListInvoiceSummaries` of the invoicing service, as boto3 and the AWS CLI print them, as far as they are matched with
//! purchase orders.
//!
//! Source: AWS invoicing API reference, `InvoiceSummary`. What an invoice charges follows from its type, its bill type and its billing entity; professional services cannot
//! be told from other purchases by these. Amounts are those that the customer pays, tax included.

use super::matching::NewInvoice;
use crate::error::{Answer, Declined};
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice, Origin};
use billing::purchase_order::{self, Buyer, Seller};
use invoice_file::summaries::{self, BillType, CUT, Charged, NoList, Summary, Value};

/// Invoices of a file, and what of it was passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadInvoices {
    /// The invoices.
    pub invoices: Vec<NewInvoice>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What a summary is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadSummary {
    /// An invoice, and what is to be known of it.
    Invoice(Box<NewInvoice>, Option<String>),
    /// A payment receipt, which is no invoice.
    Receipt,
    /// The tax invoice of this commercial invoice: it states once more what that one charges.
    TaxInvoiceOf(String),
}

/// How many mistakes of a file are told.
const TOLD_MAX: usize = 50;
/// Why an invoice is not matched that does not say what it charges.
pub(crate) const KIND_UNSAID: &str = "it has no `BillType`, so nobody knows which orders it may be charged to; say BillType (ANNIVERSARY, PURCHASE or REFUND) and import it again";

/// Reads answers of `ListInvoiceSummaries`: one, a list of them, several one after the other, or a list of summaries.
///
/// # Errors
/// [`Error::Declined`](crate::error::Error::Declined) with everything that is wrong, each with the place of the summary.
pub fn read_summaries(text: &str) -> Answer<ReadInvoices> {
    let what = "it takes answers of `aws invoicing list-invoice-summaries`";
    if !text.trim().is_empty() && !summaries::is_json(text) {
        return Err(Declined::invalid(format!("the invoices are no JSON; {what}")).into());
    }
    let listing = match summaries::read(text, &[]) {
        Ok(listing) => listing,
        Err(NoList::Empty) => {
            let message =
                "the invoices are empty, not even an answer without any; was the file downloaded whole?";
            return Err(Declined::invalid(message).into());
        }
        Err(NoList::Json(why)) => {
            return Err(Declined::invalid(format!("the invoices are no JSON: {why}; {what}")).into());
        }
        Err(other) => return Err(Declined::invalid(other.to_string()).into()),
    };
    let (mut read, mut problems) = (ReadInvoices::default(), Vec::new());
    if listing.is_cut {
        read.warnings.push(CUT.to_owned());
    }
    if listing.found.is_empty() {
        read.warnings.push("it lists no invoices: nothing was taken".to_owned());
    }
    for found in &listing.found {
        let place = &found.place;
        match &found.summary {
            Err(mistakes) => problems.extend(mistakes.iter().map(|of| (place.to_string(), of.clone()))),
            Ok(summary) => match read_one(summary, &mut read) {
                Ok(()) => {}
                Err(problem) => problems.push((place.to_string(), problem)),
            },
        }
    }
    if problems.is_empty() {
        return Ok(read);
    }
    problems.truncate(TOLD_MAX);
    let told: Vec<String> = problems.iter().map(|(place, problem)| format!("{place}: {problem}")).collect();
    Err(Declined::Invalid { message: told.join("; "), fields: problems }.into())
}

fn read_one(summary: &Value, read: &mut ReadInvoices) -> Result<(), String> {
    let summary = Summary::of(summary)?;
    let id = &summary.id;
    match summary_of(&summary)? {
        ReadSummary::Invoice(invoice, remark) => {
            read.invoices.push(*invoice);
            read.warnings.extend(remark);
        }
        ReadSummary::Receipt => {
            read.warnings.push(format!("`{id}` is a payment receipt, no invoice: it is passed over"));
        }
        ReadSummary::TaxInvoiceOf(of) => read.warnings.push(format!(
            "`{id}` is the tax invoice of `{of}`, which charges the same amount: it is passed over"
        )),
    }
    Ok(())
}

/// Reads one summary that was imported, JSON in the shape `InvoiceSummary`.
///
/// # Errors
/// What of it is missing or cannot be read.
pub(crate) fn read_summary(text: &str) -> Result<ReadSummary, String> {
    summary_of(&Summary::of_json(text)?)
}

/// Why a summary that was imported is not matched; `None` where it is, or its kind was known otherwise.
pub(crate) fn why_not_matched(text: &str) -> Option<String> {
    match read_summary(text) {
        Ok(ReadSummary::Invoice(invoice, _)) if invoice.says_kind => None,
        Ok(ReadSummary::Invoice(..)) => Some(KIND_UNSAID.to_owned()),
        Ok(ReadSummary::Receipt) => Some("it is a payment receipt, no invoice".to_owned()),
        Ok(ReadSummary::TaxInvoiceOf(of)) => {
            Some(format!("it is the tax invoice of `{of}`, which charges the same amount"))
        }
        Err(problem) => Some(problem),
    }
}

fn summary_of(summary: &Summary) -> Result<ReadSummary, String> {
    let (is_credit_memo, bill_type) = match summary.charged()? {
        Charged::Receipt => return Ok(ReadSummary::Receipt),
        Charged::TaxInvoiceOf(of) => return Ok(ReadSummary::TaxInvoiceOf(of)),
        Charged::CreditMemo => (true, None),
        Charged::Bill(bill_type) => (false, bill_type),
    };
    let entity = summary.billing_entity.as_deref().unwrap_or_default().to_lowercase();
    let is_anniversary = bill_type == Some(BillType::Anniversary);
    let kind = InvoiceKind::of(is_credit_memo, entity.contains("marketplace"), is_anniversary);
    let missing = |name: &str| format!("`{name}` is missing");
    let paid = summary.paid().ok_or_else(|| missing("PaymentCurrencyAmount"))?;
    let seller = summary.invoicing_entity.as_deref().ok_or_else(|| missing("Entity.InvoicingEntity"))?;
    let invoice = MatchInvoice {
        id: summary.id.clone(),
        origin: Origin::Provider,
        buyer: Buyer::Payer,
        kind,
        seller: seller_named(seller)?,
        period: summary.period.ok_or_else(|| missing("BillingPeriod"))?,
        total: paid.total()?,
        currency: paid.currency()?,
        exchange: paid.exchange()?,
        tax_registration_number: summary.tax_registration_number.clone(),
        invoice_unit: summary.invoice_unit.clone(),
        issued_at: summary.issued_at.ok_or_else(|| missing("IssuedDate"))?,
        charge: None,
        requested: None,
        original: summary.original.clone(),
    };
    let remark = summary.contradiction().filter(|_| is_credit_memo);
    let remark = remark.map(|remark| format!("invoice `{}`: {remark}", summary.id));
    let new = NewInvoice {
        invoice,
        due_at_s: summary.due_at,
        carries: summary.purchase_order.clone(),
        says_kind: is_credit_memo || bill_type.is_some(),
        is_listed: true,
    };
    Ok(ReadSummary::Invoice(Box::new(new), remark))
}

/// The code of a seller that is named by its code or by its legal name.
///
/// # Errors
/// What is wrong with it.
pub fn seller_named(text: &str) -> Result<Seller, String> {
    purchase_order::seller_named(text).ok_or_else(|| format!("`{text}` is no seller"))
}

#[cfg(test)]
mod tests {
    //! What AWS lists.

    use super::*;
    use crate::error::Error;

    fn summary(more: &str) -> String {
        format!(
            r#"{{"InvoiceId":"I","IssuedDate":"2026-11-03T00:00:00+00:00","Entity":{{"InvoicingEntity":"Amazon Web Services, Inc.","BillingEntity":"AWS"}},
                "BillingPeriod":{{"Month":9,"Year":2026}},"PaymentCurrencyAmount":{{"TotalAmount":"1.50","CurrencyCode":"USD"}}{more}}}"#
        )
    }

    #[test]
    fn the_invoice_says_what_it_charges() {
        for (more, kind) in [
            (r#","BillType":"ANNIVERSARY""#, InvoiceKind::MonthlyUsage),
            (r#","BillType":"PURCHASE""#, InvoiceKind::Subscription),
            (r#","BillType":"REFUND""#, InvoiceKind::CreditMemo),
            (r#","InvoiceType":"CREDIT_MEMO""#, InvoiceKind::CreditMemo),
        ] {
            let read = read_summaries(&summary(more)).unwrap();
            let NewInvoice { invoice, says_kind, .. } = &read.invoices[0];
            assert_eq!(
                (invoice.kind, invoice.seller.as_str(), invoice.period.to_string().as_str(), *says_kind),
                (kind, "AWS_INC", "2026-09", true)
            );
            assert_eq!(read.warnings, Vec::<String>::new());
        }
        let market = summary(r#","BillType":"ANNIVERSARY""#)
            .replace(r#""BillingEntity":"AWS""#, r#""BillingEntity":"AWS Marketplace""#);
        assert_eq!(
            read_summaries(&market).unwrap().invoices[0].invoice.kind,
            InvoiceKind::MarketplaceMonthly
        );
        assert!(!read_summaries(&summary("")).unwrap().invoices[0].says_kind, "a purchase is not guessed");
    }

    #[test]
    fn types_that_contradict_each_other_give_back_and_are_told() {
        for more in [
            r#","BillType":"REFUND","InvoiceType":"INVOICE""#,
            r#","BillType":"PURCHASE","InvoiceType":"CREDIT_MEMO""#,
        ] {
            let read = read_summaries(&summary(more)).unwrap();
            assert_eq!(read.invoices[0].invoice.kind, InvoiceKind::CreditMemo);
            assert!(read.warnings[0].contains("contradict each other"), "{:?}", read.warnings);
        }
    }

    #[test]
    fn a_tax_invoice_and_a_receipt_charge_nothing() {
        let tax = summary(r#","CommercialInvoiceId":"C""#);
        let receipt = summary(r#","InvoiceType":"PAYMENT_RECEIPT""#);
        let read = read_summaries(&format!("[{tax},{receipt}]")).unwrap();
        assert_eq!(read.invoices, []);
        assert_eq!(
            read.warnings,
            [
                "`I` is the tax invoice of `C`, which charges the same amount: it is passed over",
                "`I` is a payment receipt, no invoice: it is passed over"
            ]
        );
        let itself = summary(r#","CommercialInvoiceId":"I""#);
        assert_eq!(read_summaries(&itself).unwrap().invoices.len(), 1);
    }

    #[test]
    fn answers_come_in_several_forms() {
        let one = summary("");
        let answer = format!(r#"{{"InvoiceSummaries":[{one}]}}"#);
        for text in [format!("{answer}\n{answer}"), format!("[{answer},{answer}]"), format!("[{one},{one}]")]
        {
            assert_eq!(read_summaries(&text).unwrap().invoices.len(), 2, "{text}");
        }
        let wrong = format!(r#"{{"InvoiceSummaries":[{}]}}"#, one.replace("1.50", "much"));
        let Err(Error::Declined(Declined::Invalid { message, .. })) = read_summaries(&wrong) else {
            panic!("read")
        };
        assert_eq!(
            message,
            "InvoiceSummaries[0]: PaymentCurrencyAmount.TotalAmount: `much` is not a decimal number"
        );
    }
}
