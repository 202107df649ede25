//! Invoices as AWS lists them: the answers of `ListInvoiceSummaries` of the invoicing service, as boto3 and the AWS CLI print them.
//!
//! Source: AWS invoicing API reference, `InvoiceSummary`. What an invoice charges follows from its type, its bill type and its billing entity; professional services cannot
//! be told from other purchases by these. Amounts are those that the customer pays, tax included.

use super::matching::NewInvoice;
use crate::error::{Answer, Declined, Error};
use billing::money::{Amount, Currency, Rate};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::{Exchange, InvoiceKind, MatchInvoice, Origin};
use billing::purchase_order::{self, Buyer, Seller, parse_instant};
use serde_json::Value;

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
pub enum ReadSummary {
    /// An invoice.
    Invoice(Box<NewInvoice>),
    /// A payment receipt, which is no invoice.
    Receipt,
    /// The tax invoice of this commercial invoice: it states once more what that one charges.
    TaxInvoiceOf(String),
}

/// How many mistakes of a file are told.
const TOLD_MAX: usize = 50;

/// Reads answers of `ListInvoiceSummaries`: one, a list of them, several one after the other, or a list of summaries.
///
/// # Errors
/// [`Error::Declined`] with everything that is wrong, each with the place of the summary.
pub fn read_summaries(text: &str) -> Answer<ReadInvoices> {
    let mut summaries = Vec::new();
    if text.trim().is_empty() {
        let message =
            "the invoices are empty, not even an answer without any; was the file downloaded whole?";
        return Err(Declined::invalid(message).into());
    }
    for answer in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let answer = answer.map_err(|error| {
            let what = "it takes answers of `aws invoicing list-invoice-summaries`";
            Declined::invalid(format!("the invoices are no JSON: {error}; {what}"))
        })?;
        gather(answer, &mut summaries)?;
    }
    let (mut read, mut problems) = (ReadInvoices::default(), Vec::new());
    if summaries.is_empty() {
        read.warnings.push("it lists no invoices: nothing was taken".to_owned());
    }
    for (place, summary) in summaries.iter().enumerate() {
        let id = || text_at(summary, &["InvoiceId"]).unwrap_or_default();
        match summary_of(summary) {
            Ok(ReadSummary::Invoice(invoice)) => read.invoices.push(*invoice),
            Ok(ReadSummary::Receipt) => {
                read.warnings.push(format!("`{}` is a payment receipt, no invoice: it is passed over", id()));
            }
            Ok(ReadSummary::TaxInvoiceOf(of)) => read.warnings.push(format!(
                "`{}` is the tax invoice of `{of}`, which charges the same amount: it is passed over",
                id()
            )),
            Err(problem) => problems.push((format!("InvoiceSummaries[{place}]"), problem)),
        }
    }
    if problems.is_empty() {
        return Ok(read);
    }
    problems.truncate(TOLD_MAX);
    let told: Vec<String> = problems.iter().map(|(place, problem)| format!("{place}: {problem}")).collect();
    Err(Declined::Invalid { message: told.join("; "), fields: problems }.into())
}

/// Reads one summary, JSON in the shape `InvoiceSummary`.
///
/// # Errors
/// What of it is missing or cannot be read.
pub fn read_summary(text: &str) -> Result<ReadSummary, String> {
    let summary: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    summary_of(&summary)
}

fn gather(answer: Value, to: &mut Vec<Value>) -> Result<(), Error> {
    match answer {
        Value::Array(answers) => answers.into_iter().try_for_each(|answer| gather(answer, to)),
        Value::Object(mut members) => {
            match members.remove("InvoiceSummaries") {
                Some(Value::Array(summaries)) => to.extend(summaries),
                Some(_) => return Err(Declined::invalid("`InvoiceSummaries` is no list").into()),
                None if members.contains_key("InvoiceId") => to.push(Value::Object(members)),
                None => {
                    let message = "there is no `InvoiceSummaries` and no `InvoiceId`; it takes answers of `aws invoicing list-invoice-summaries`";
                    return Err(Declined::invalid(message).into());
                }
            }
            Ok(())
        }
        other => Err(Declined::invalid(format!("{other} is no answer of `ListInvoiceSummaries`")).into()),
    }
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name)).filter(|value| !value.is_null())
}

fn text_at(value: &Value, path: &[&str]) -> Option<String> {
    match at(value, path)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn needed(value: &Value, path: &[&str]) -> Result<String, String> {
    text_at(value, path).ok_or_else(|| format!("`{}` is missing", path.join(".")))
}

fn summary_of(summary: &Value) -> Result<ReadSummary, String> {
    let id = needed(summary, &["InvoiceId"])?;
    if let Some(of) = text_at(summary, &["CommercialInvoiceId"]).filter(|of| *of != id) {
        return Ok(ReadSummary::TaxInvoiceOf(of));
    }
    let invoice_type = text_at(summary, &["InvoiceType"]).unwrap_or_else(|| "INVOICE".to_owned());
    let is_credit_memo = match invoice_type.as_str() {
        "INVOICE" => false,
        "CREDIT_MEMO" => true,
        "PAYMENT_RECEIPT" => return Ok(ReadSummary::Receipt),
        other => {
            return Err(format!(
                "`InvoiceType` is `{other}`; there are INVOICE, CREDIT_MEMO and PAYMENT_RECEIPT"
            ));
        }
    };
    let entity = text_at(summary, &["Entity", "BillingEntity"]).unwrap_or_default().to_lowercase();
    let bill_type = text_at(summary, &["BillType"]).unwrap_or_default().to_uppercase();
    let kind = InvoiceKind::of(is_credit_memo, entity.contains("marketplace"), bill_type == "ANNIVERSARY");
    let period = |name: &str| needed(summary, &["BillingPeriod", name]);
    let (year, month) = (period("Year")?, period("Month")?);
    let period = BillingPeriod::parse(&format!("{year}-{month:0>2}"))
        .map_err(|error| format!("`BillingPeriod` is {year}-{month}: {error}"))?;
    let paid = ["PaymentCurrencyAmount", "BaseCurrencyAmount"].into_iter();
    let amount = paid.filter_map(|name| Some((name, at(summary, &[name])?))).next();
    let (name, amount) = amount.ok_or("`PaymentCurrencyAmount` is missing")?;
    let total = needed(amount, &["TotalAmount"])?;
    let total =
        Amount::parse(&total).map_err(|error| format!("`{name}.TotalAmount` is `{total}`: {error}"))?;
    let invoice = MatchInvoice {
        id,
        origin: Origin::Provider,
        buyer: Buyer::Payer,
        kind,
        seller: seller_named(&needed(summary, &["Entity", "InvoicingEntity"])?)?,
        period,
        total,
        currency: currency_of(&needed(amount, &["CurrencyCode"])?)?,
        exchange: exchange_of(amount)?,
        tax_registration_number: text_at(summary, &["TaxRegistrationNumber"]),
        invoice_unit: text_at(summary, &["InvoiceUnitArn"]),
        issued_at: instant_at(summary, "IssuedDate")?.ok_or("`IssuedDate` is missing")?,
        charge: None,
        requested: None,
        original: text_at(summary, &["OriginalInvoiceId"]),
    };
    let due_at_s = instant_at(summary, "DueDate")?;
    let carries = text_at(summary, &["PurchaseOrderNumber"]);
    Ok(ReadSummary::Invoice(Box::new(NewInvoice { invoice, due_at_s, carries, is_listed: true })))
}

/// The code of a seller that is named by its code or by its legal name.
///
/// # Errors
/// What is wrong with it.
pub fn seller_named(text: &str) -> Result<Seller, String> {
    purchase_order::seller_named(text).ok_or_else(|| format!("`{text}` is no seller"))
}

fn currency_of(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| format!("`{text}` is no currency; write three capital letters"))
}

fn exchange_of(amount: &Value) -> Result<Option<Exchange>, String> {
    let Some(details) = at(amount, &["CurrencyExchangeDetails"]) else { return Ok(None) };
    let Some(rate) = text_at(details, &["Rate"]) else { return Ok(None) };
    Ok(Some(Exchange {
        source: currency_of(&needed(details, &["SourceCurrencyCode"])?)?,
        target: currency_of(&needed(details, &["TargetCurrencyCode"])?)?,
        rate: Rate::parse(&rate).map_err(|error| format!("the exchange rate is `{rate}`: {error}"))?,
    }))
}

/// An instant as the API has it, in seconds since 1970-01-01T00:00:00Z, or as AWS's clients print it.
fn instant_at(summary: &Value, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = text_at(summary, &[name]) else { return Ok(None) };
    let whole = text.split('.').next().unwrap_or_default();
    if let Ok(seconds) = whole.parse::<i64>() {
        return Ok(Some(seconds));
    }
    let found = printed_instant(&text);
    found.map(Some).ok_or_else(|| format!("`{name}` is `{text}`; write it as 2026-11-03T00:00:00Z, in UTC"))
}

/// An instant as the AWS CLI prints it in the time zone of whoever asks, or boto3 as a `datetime`: a blank may stand for the `T`, and seconds may have parts, which are
/// left out. Without an offset it is UTC.
fn printed_instant(text: &str) -> Option<i64> {
    let Some((date, time)) = text.split_once(['T', ' ']) else { return parse_instant(text) };
    let (time, offset) = match (time.strip_suffix('Z'), time.rfind(['+', '-'])) {
        (Some(time), _) => (time, 0),
        (None, None) => (time, 0),
        (None, Some(at)) => {
            let (time, offset) = time.split_at(at);
            let (sign, hours) = offset.split_at(1);
            let seconds = parse_instant(&format!("1970-01-01T{hours}:00Z"))?;
            (time, if sign == "-" { -seconds } else { seconds })
        }
    };
    let whole = time.split_once('.').map_or(time, |(whole, _)| whole);
    Some(parse_instant(&format!("{date}T{whole}Z"))? - offset)
}

#[cfg(test)]
mod tests {
    //! What AWS lists.

    use super::*;

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
            (r#","InvoiceType":"CREDIT_MEMO""#, InvoiceKind::CreditMemo),
        ] {
            let read = read_summaries(&summary(more)).unwrap();
            let invoice = &read.invoices[0].invoice;
            assert_eq!(
                (invoice.kind, invoice.seller.as_str(), invoice.period.to_string().as_str()),
                (kind, "AWS_INC", "2026-09")
            );
        }
        let market = summary(r#","BillType":"ANNIVERSARY""#)
            .replace(r#""BillingEntity":"AWS""#, r#""BillingEntity":"AWS Marketplace""#);
        assert_eq!(
            read_summaries(&market).unwrap().invoices[0].invoice.kind,
            InvoiceKind::MarketplaceMonthly
        );
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
    fn instants_are_those_that_clients_print() {
        for text in [
            "1793577600",
            "1793577600.0",
            "2026-11-02T00:00:00Z",
            "2026-11-02T00:00:00+00:00",
            "2026-11-02T01:00:00+01:00",
            "2026-11-01 16:00:00-08:00",
            "2026-11-02T05:30:00.123+05:30",
            "2026-11-02T00:00:00.123",
            "2026-11-02",
        ] {
            let found = instant_at(&serde_json::json!({ "IssuedDate": text }), "IssuedDate");
            assert_eq!(found, Ok(Some(1_793_577_600)), "{text}");
        }
        for text in ["2026-11-02T00:00:00+", "2026-11-02T00:00:00+24:00", "2.11.2026", "2026-11-31"] {
            let found = instant_at(&serde_json::json!({ "IssuedDate": text }), "IssuedDate");
            let said = format!("`IssuedDate` is `{text}`; write it as 2026-11-03T00:00:00Z, in UTC");
            assert_eq!(found, Err(said));
        }
    }

    #[test]
    fn answers_come_in_several_forms() {
        let one = summary("");
        let answer = format!(r#"{{"InvoiceSummaries":[{one}]}}"#);
        for text in [format!("{answer}\n{answer}"), format!("[{answer},{answer}]"), format!("[{one},{one}]")]
        {
            assert_eq!(read_summaries(&text).unwrap().invoices.len(), 2, "{text}");
        }
        let wrong = one.replace("1.50", "much").replace("2026-11-03T00:00:00+00:00", "2026-11-03");
        let Err(Error::Declined(Declined::Invalid { message, .. })) = read_summaries(&wrong) else {
            panic!("read")
        };
        assert_eq!(
            message,
            "InvoiceSummaries[0]: `PaymentCurrencyAmount.TotalAmount` is `much`: not a decimal number"
        );
    }
}
