//! What is settled about invoices, as JSON: for all customers of a payer, and for one of them what differs.
//!
//! Every key may be left out: what one customer's settings do not say, the payer's say.

use crate::document::{
    PartyData, PaymentData, ReadError, TaxData, amount, currency, date, placed, word, wrong,
};
use billing::invoice::party::is_blank;
use billing::invoice::series::{Restart, Series};
use billing::invoice::soundness::{party_problems, payment_problems};
use billing::invoice::tax_profile::{TaxProfile, TaxRule};
use billing::invoice::terms::{LinesBy, RateDay, Settings};
use billing::invoice::{Invoiced, Party};
use billing::money::Currency;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The page that has the shape.
const PAGE: &str = "docs/invoices.md";

/// Days until payment is due where nothing is settled.
pub const DUE_DAYS: u32 = 30;
/// The longest time until payment is due.
pub const DUE_DAYS_MAX: u32 = 3_650;
/// The language where nothing is settled.
const LANGUAGE: &str = "en";
/// The largest step in which an amount due can be paid, in minor units: no coin is worth more, and more would round invoices away.
const PAYABLE_STEP_MAX: i128 = 1_000;
/// How far the clocks of the world are from Greenwich's at most, in minutes.
const OFFSET_MINUTES_MAX: i64 = 14 * 60;

/// Settings that were read.
#[derive(Debug, Clone)]
pub struct InvoiceSettings {
    /// What documents are made of.
    pub compose: Settings,
    /// How invoices are numbered; none is an error when one is issued.
    pub series: Option<Series>,
    /// How credit notes are numbered; `None`: in the series of invoices.
    pub credit_series: Option<Series>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsData {
    seller: Option<PartyData>,
    buyer: Option<PartyData>,
    buyer_reference: Option<String>,
    contract: Option<String>,
    tax: Option<Vec<TaxRuleData>>,
    currency: Option<String>,
    tax_currency: Option<String>,
    rate_day: Option<String>,
    lines: Option<String>,
    line_name: Option<String>,
    due_days: Option<u32>,
    payment_terms: Option<String>,
    payable_step: Option<String>,
    payment: Option<PaymentData>,
    notes: Option<Vec<String>>,
    language: Option<String>,
    utc_offset: Option<String>,
    series: Option<SeriesData>,
    credit_series: Option<SeriesData>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxRuleData {
    #[serde(default)]
    products: Vec<String>,
    /// Rules that were kept before there were any have none.
    #[serde(default)]
    items: Vec<String>,
    category: String,
    rate: String,
    exemption_reason: Option<String>,
    exemption_code: Option<String>,
    from: String,
    until: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesData {
    template: String,
    restart: Option<String>,
    first: Option<u64>,
}

const RATE_DAYS: [(&str, RateDay); 2] = [("period_end", RateDay::PeriodEnd), ("issue", RateDay::Issue)];
const LINES: [(&str, LinesBy); 3] = [
    ("service", LinesBy::Service),
    ("account_and_service", LinesBy::AccountAndService),
    ("one", LinesBy::One),
];
const RESTARTS: [(&str, Restart); 2] = [("yearly", Restart::Yearly), ("never", Restart::Never)];

/// Checks settings that somebody has written, alone; what they lack others may have. They are returned in one fixed form.
///
/// # Errors
/// [`ReadError`], also for what no e-invoice may have: it is refused here, where it is written, and again where a document is made of it.
pub fn check(text: &str) -> Result<String, ReadError> {
    let map = object(text)?;
    // Any currency will do to see whether an amount is one.
    let read = read_data(of_text(text)?, Currency::parse("EUR"))?.compose;
    for (at, party) in [("seller", &read.seller), ("buyer", &read.buyer)] {
        if let Some(problem) = party_problems(at, party).first() {
            return Err(wrong(at, problem));
        }
    }
    if let Some(problem) = read.payment.iter().flat_map(payment_problems).next() {
        return Err(wrong("payment", problem));
    }
    for (at, text) in [("buyer_reference", &read.buyer_reference), ("contract", &read.contract)] {
        if text.as_deref().is_some_and(is_blank) {
            return Err(wrong(at, "it is blank; write it, or leave it out"));
        }
    }
    Ok(Value::Object(map).to_string())
}

/// Settings of a payer with those of a customer upon them, as JSON: a key of the customer's replaces the payer's.
///
/// # Errors
/// [`ReadError::Shape`].
pub fn merged(payers: Option<&str>, customers: Option<&str>) -> Result<String, ReadError> {
    let mut merged = payers.map(object).transpose()?.unwrap_or_default();
    merged.extend(customers.map(object).transpose()?.unwrap_or_default());
    Ok(Value::Object(merged).to_string())
}

/// Reads settings for documents of charges in a currency.
///
/// # Errors
/// [`ReadError`].
pub fn read(text: &str, charged_in: Currency) -> Result<InvoiceSettings, ReadError> {
    object(text)?;
    read_data(of_text(text)?, Some(charged_in))
}

/// How many seconds the seller's clock is ahead of Greenwich's, by settings; 0 where they do not say.
///
/// # Errors
/// [`ReadError`].
pub fn utc_offset(text: &str) -> Result<i64, ReadError> {
    offset(object(text)?.get("utc_offset").and_then(Value::as_str))
}

/// Reads an offset such as `+09:00` or `-03:30`.
fn offset(text: Option<&str>) -> Result<i64, ReadError> {
    let Some(text) = text else { return Ok(0) };
    let refused = || {
        let reason =
            "is no offset from UTC; write it as +01:00, from -14:00 to +14:00, by the seller's standard time";
        wrong("utc_offset", format!("`{text}` {reason}"))
    };
    let sign = match text.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return Err(refused()),
    };
    let number = |digits: Option<&str>| {
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<i64>().ok()).ok_or_else(refused)
    };
    let (hours, minutes) = (number(text.get(1..3))?, number(text.get(4..6))?);
    let all = hours * 60 + minutes;
    if minutes > 59 || all > OFFSET_MINUTES_MAX { Err(refused()) } else { Ok(sign * all * 60) }
}

fn object(text: &str) -> Result<Map<String, Value>, ReadError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(shape("invoice settings are an object")),
        Err(error) => Err(shape(error)),
    }
}

fn shape(problem: impl std::fmt::Display) -> ReadError {
    ReadError::Shape { problem: problem.to_string(), page: PAGE }
}

/// Settings of their shape. Of the text itself they are read, not of a map: only there is a key that is given twice still there twice.
fn of_text(text: &str) -> Result<SettingsData, ReadError> {
    let read = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text));
    read.map_err(|error| shape(placed(&error)))
}

fn read_data(data: SettingsData, charged_in: Option<Currency>) -> Result<InvoiceSettings, ReadError> {
    let chosen = data.currency.as_deref().map(|text| currency("currency", text)).transpose()?;
    let tax_currency = data.tax_currency.as_deref().map(|text| currency("tax_currency", text)).transpose()?;
    let of_documents = chosen.or(charged_in);
    let payable_step = match (&data.payable_step, of_documents) {
        (Some(text), Some(currency)) => {
            let step = amount("payable_step".to_owned(), currency, text)?;
            if step.units() <= 0 {
                return Err(wrong("payable_step", format!("`{text}` is not above 0; leave it out for none")));
            }
            if step.units() > PAYABLE_STEP_MAX {
                let most = Invoiced::from_units(currency, PAYABLE_STEP_MAX)
                    .map_or_else(|error| error.to_string(), |most| most.to_string());
                let reason = format!(
                    "`{text}` is more than {most}; it is the smallest coin that can be paid, such as 0.05"
                );
                return Err(wrong("payable_step", reason));
            }
            Some(step)
        }
        _ => None,
    };
    offset(data.utc_offset.as_deref())?;
    let due_days = data.due_days.unwrap_or(DUE_DAYS);
    if due_days > DUE_DAYS_MAX {
        return Err(wrong("due_days", format!("`{due_days}` is more than {DUE_DAYS_MAX}")));
    }
    let party = |at: &str, data: Option<PartyData>| -> Result<Party, ReadError> {
        data.map(|data| data.read(at)).transpose().map(Option::unwrap_or_default)
    };
    let compose = Settings {
        seller: party("seller", data.seller)?,
        buyer: party("buyer", data.buyer)?,
        buyer_reference: data.buyer_reference,
        contract: data.contract,
        tax: data.tax.map(tax_profile).transpose()?,
        currency: chosen,
        tax_currency,
        rate_day: choice("rate_day", data.rate_day, &RATE_DAYS)?,
        lines: choice("lines", data.lines, &LINES)?,
        line_name: data.line_name,
        due_days,
        payment_terms: data.payment_terms,
        payable_step,
        payment: data.payment.map(PaymentData::read),
        notes: data.notes.unwrap_or_default(),
        language: crate::document::language(data.language.unwrap_or_else(|| LANGUAGE.to_owned()))?,
    };
    let series = |at: &str, data: Option<SeriesData>| data.map(|data| series(at, data)).transpose();
    let (one, other) = (series("series", data.series)?, series("credit_series", data.credit_series)?);
    Ok(InvoiceSettings { compose, series: one, credit_series: other })
}

/// One of several words; the first where none is said.
fn choice<T: Copy>(at: &str, text: Option<String>, table: &[(&str, T)]) -> Result<T, ReadError> {
    word(at, text.as_deref().unwrap_or(table[0].0), table)
}

fn tax_profile(rules: Vec<TaxRuleData>) -> Result<TaxProfile, ReadError> {
    let mut read = Vec::new();
    for (number, rule) in rules.into_iter().enumerate() {
        let at = format!("tax[{number}]");
        let tax = TaxData { category: rule.category, rate: rule.rate }.read(&at)?;
        let until = rule.until.map(|text| date(&format!("{at}.until"), &text)).transpose()?;
        read.push(TaxRule {
            products: rule.products,
            items: rule.items,
            tax,
            exemption_reason: rule.exemption_reason,
            exemption_code: rule.exemption_code,
            from: date(&format!("{at}.from"), &rule.from)?,
            until,
        });
    }
    let profile = TaxProfile { rules: read };
    match profile.problems().first() {
        Some(problem) => Err(wrong("tax", problem)),
        None => Ok(profile),
    }
}

fn series(at: &str, data: SeriesData) -> Result<Series, ReadError> {
    let restart = choice(&format!("{at}.restart"), data.restart, &RESTARTS)?;
    let first = data.first.unwrap_or(1);
    Series::new(&data.template, restart, first).map_err(|error| wrong(format!("{at}.template"), error))
}

#[cfg(test)]
mod tests {
    //! Settings in, and every mistake with its place.

    use super::*;

    fn dollars() -> Currency {
        Currency::parse("USD").unwrap()
    }

    #[test]
    fn a_customers_settings_go_before_the_payers() {
        let payers = r#"{"seller": {"legal_name": "Reseller", "address": {"country": "DE"}}, "due_days": 14,
            "series": {"template": "R{year}-{number:4}"}, "notes": ["thank you"]}"#;
        let customers = r#"{"buyer": {"legal_name": "Acme", "address": {"country": "FR"}}, "due_days": 60,
            "tax": [{"category": "AE", "rate": "0", "from": "2026-01-01"}], "currency": "EUR", "payable_step": "0.05"}"#;
        let merged = merged(Some(&check(payers).unwrap()), Some(&check(customers).unwrap())).unwrap();
        let read = read(&merged, dollars()).unwrap();
        assert_eq!((read.compose.due_days, read.compose.seller.legal_name.as_str()), (60, "Reseller"));
        assert_eq!((read.compose.buyer.legal_name.as_str(), read.compose.notes.len()), ("Acme", 1));
        assert_eq!(read.compose.payable_step.unwrap().currency().as_str(), "EUR");
        assert_eq!(read.compose.tax.unwrap().rules.len(), 1);
        let series = read.series.unwrap();
        assert_eq!(
            (series.template(), series.restart(), series.first()),
            ("R{year}-{number:4}", Restart::Yearly, 1)
        );
        assert!(read.credit_series.is_none());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("[]", "invoice settings are an object; docs/invoices.md has the shape"),
            (r#"{"colour": 1}"#, "unknown field `colour`"),
            (
                r#"{"due_days": -1}"#,
                "`due_days`: invalid value: integer `-1`, expected u32 at line 1 column 15; docs/invoices.md has the shape",
            ),
            (
                r#"{"tax": [{"category": "S", "rate": "19"}]}"#,
                "`tax[0]`: missing field `from` at line 1 column 40; docs/invoices.md has the shape",
            ),
            (
                r#"{"currency": "EUR", "currency": "USD"}"#,
                "duplicate field `currency` at line 1 column 30; docs/invoices.md has the shape",
            ),
            (
                r#"{"seller": {"address": {"country": "DE", "country": "FR"}}}"#,
                "`seller.address`: duplicate field `country` at line 1",
            ),
            (r#"{"due_days": 14} {}"#, "trailing characters at line 1 column 18"),
            (r#"{"due_days": 9999}"#, "`due_days`: `9999` is more than 3650"),
            (r#"{"lines": "hour"}"#, "`lines`: `hour` is none of `service`, `account_and_service`, `one`"),
            (r#"{"payable_step": "0"}"#, "`payable_step`: `0` is not above 0; leave it out for none"),
            (
                r#"{"tax": [{"category": "S", "rate": "0", "from": "2026-01-01"}]}"#,
                "`tax`: category S has the rate `0`; write one above 0 and up to 100, or category Z, E, AE, K, G or O",
            ),
            (
                r#"{"tax": [{"category": "S", "rate": "19", "from": "2026"}]}"#,
                "`tax[0].from`: `2026` is not a date; write it as YYYY-MM-DD, for example 2026-11-03",
            ),
            (
                r#"{"series": {"template": "INV"}}"#,
                "`series.template`: `INV` has to have {number} once, as in INV-{year}-{number:5}",
            ),
            (r#"{"currency": "euro"}"#, "`currency`: `euro` is not a currency"),
        ] {
            let error = check(text).unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }
}
