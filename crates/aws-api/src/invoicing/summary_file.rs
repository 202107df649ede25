//! Files of invoice summaries: answers of AWS's `ListInvoiceSummaries` as its clients print them, or a table whose columns are members of that shape.

use super::reconstructed::period_of;
use super::second;
use crate::services;
use aws_wire::json::{self, Limits, Value};
use aws_wire::model::{Service, Shape};
use back_office::error::Error;
use back_office::invoice_summaries::ImportedSummary;
use back_office::invoicing::InvoicingRefusal;
use billing::account::AccountId;
use billing::money::Amount;
use billing::period::BillingPeriod;
use std::collections::BTreeMap;

/// A summary that was read.
pub(crate) type ReadSummary = ImportedSummary;

/// How many problems of a file are told.
const PROBLEMS_MAX: usize = 20;
const SHAPE: &str = "InvoiceSummary";
/// Members that are amounts of money, wherever they stand.
const AMOUNTS: [&str; 4] = ["TotalAmount", "TotalAmountBeforeTax", "SubTotalAmount", "Amount"];
/// Columns that stand for a member further in.
const SHORT: [(&str, &str); 5] = [
    ("TotalAmount", "BaseCurrencyAmount.TotalAmount"),
    ("TotalAmountBeforeTax", "BaseCurrencyAmount.TotalAmountBeforeTax"),
    ("CurrencyCode", "BaseCurrencyAmount.CurrencyCode"),
    ("BillingEntity", "Entity.BillingEntity"),
    ("InvoicingEntity", "Entity.InvoicingEntity"),
];
/// What separates several values in one field of a table.
const SEPARATOR: char = ';';

/// Reads a file of summaries: JSON, or CSV where it does not begin as JSON does.
///
/// # Errors
/// Everything that is wrong with it, each with its place: up to twenty sentences.
pub(crate) fn read(text: &str) -> Result<Vec<ReadSummary>, Error> {
    let model = services::all().by_signing_name(super::SERVICE);
    let model = model.ok_or_else(|| Error::internal("the model of invoicing is not there"))?;
    if text.trim().is_empty() {
        return Err(refused(
            "the file is empty, not even an answer without invoices; was it downloaded whole?",
        ));
    }
    let found = match text.trim_start().starts_with(['{', '[']) {
        true => of_json(text)?,
        false => of_csv(text, model)?,
    };
    let mut problems = Vec::new();
    let mut summaries: BTreeMap<String, ReadSummary> = BTreeMap::new();
    for (place, value) in found {
        match checked(model, value) {
            Err(told) => problems.extend(told.into_iter().map(|problem| format!("{place}: {problem}"))),
            Ok(summary) => {
                let id = summary.invoice_id.clone();
                if let Some(other) = summaries.insert(id.clone(), summary)
                    && summaries.get(&id).is_some_and(|last| last.body != other.body)
                {
                    problems.push(format!("{place}: invoice `{id}` is there twice, and not alike"));
                }
            }
        }
    }
    match problems.is_empty() {
        true => Ok(summaries.into_values().collect()),
        false => {
            problems.truncate(PROBLEMS_MAX);
            Err(refused(problems.join("\n")))
        }
    }
}

/// The summaries of an answer, of a list of answers, or of a list of summaries, each with its place.
fn of_json(text: &str) -> Result<Vec<(String, Value)>, Error> {
    let value = json::parse(text.as_bytes(), Limits::of_size(text.len()));
    let value = value.map_err(|error| refused(format!("the file is no JSON: {error}")))?;
    let mut found = Vec::new();
    match value {
        Value::List(values) => {
            for (at, value) in values.into_iter().enumerate() {
                let place = format!("[{at}]");
                match value.get("InvoiceSummaries") {
                    Some(page) => found.extend(of_page(&place, page)?),
                    None => found.push((place, value)),
                }
            }
        }
        answer => match answer.get("InvoiceSummaries") {
            Some(page) => found.extend(of_page("", page)?),
            None => {
                return Err(refused(
                    "the file has no `InvoiceSummaries`: it is no answer of ListInvoiceSummaries",
                ));
            }
        },
    }
    Ok(found)
}

fn of_page(place: &str, page: &Value) -> Result<Vec<(String, Value)>, Error> {
    let list = page.as_list().ok_or_else(|| refused(format!("{place}InvoiceSummaries is no list")))?;
    let named = |(at, value): (usize, &Value)| (format!("{place}InvoiceSummaries[{at}]"), value.clone());
    Ok(list.iter().enumerate().map(named).collect())
}

/// The rows of a table. A column is a member by its path, such as `BaseCurrencyAmount.TotalAmount`; `BillingPeriod` is YYYY-MM.
fn of_csv(text: &str, model: &Service) -> Result<Vec<(String, Value)>, Error> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let failed = |error: csv::Error| refused(format!("the file is no CSV: {error}"));
    let headers = reader.headers().map_err(failed)?.clone();
    let long =
        |name| SHORT.iter().find_map(|(short, long)| (*short == name).then_some(*long)).unwrap_or(name);
    let headers: Vec<&str> = headers.iter().map(long).collect();
    let unknown: Vec<&str> = headers
        .iter()
        .copied()
        .filter(|name| *name != "BillingPeriod" && shape_at(model, name).is_none())
        .collect();
    if !unknown.is_empty() {
        return Err(refused(format!(
            "there is no column {}; a column is a member of InvoiceSummary by its path, such as `InvoiceId` or `BaseCurrencyAmount.TotalAmount`",
            unknown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        )));
    }
    let mut found = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(failed)?;
        let mut summary = Value::Map(BTreeMap::new());
        for (name, text) in headers.iter().copied().zip(record.iter()).filter(|(_, text)| !text.is_empty()) {
            match (name, text.split_once('-')) {
                ("BillingPeriod", Some((year, month))) => {
                    put(&mut summary, "BillingPeriod.Year", number(year));
                    put(&mut summary, "BillingPeriod.Month", number(month));
                }
                _ => put(&mut summary, name, typed(shape_at(model, name), text)),
            }
        }
        // The first row is that of the names.
        found.push((format!("row {}", row + 2), summary));
    }
    Ok(found)
}

/// The shape of a member by its path; `None` where there is none that a field can hold.
fn shape_at<'m>(model: &'m Service, path: &str) -> Option<&'m Shape> {
    let mut shape = model.shape(SHAPE)?;
    for step in path.split('.') {
        let Shape::Structure { members, .. } = shape else { return None };
        shape = model.shape(&members.get(step)?.shape)?;
    }
    match shape {
        Shape::List { member, .. } => matches!(model.shape(member)?, Shape::String { .. }).then_some(shape),
        Shape::Structure { .. } | Shape::Map { .. } => None,
        scalar => Some(scalar),
    }
}

/// A field by the shape that it is for; what does not fit stays text, so that the check names it.
fn typed(shape: Option<&Shape>, text: &str) -> Value {
    match shape {
        Some(Shape::Integer { .. } | Shape::Long { .. }) => number(text),
        Some(Shape::List { .. }) => {
            Value::List(text.split(SEPARATOR).map(|part| Value::from(part.trim())).collect())
        }
        _ => Value::from(text),
    }
}

/// A whole number; leading zeros, as months have them, are none of it.
fn number(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

/// Puts a value at a path.
fn put(summary: &mut Value, path: &str, value: Value) {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let Value::Map(members) = summary else { return };
    match rest {
        None => {
            members.insert(first.to_owned(), value);
        }
        Some(rest) => {
            let inner = members.entry(first.to_owned()).or_insert_with(|| Value::Map(BTreeMap::new()));
            put(inner, rest, value);
        }
    }
}

/// A summary held to the model, its instants as numbers.
fn checked(model: &Service, mut value: Value) -> Result<ReadSummary, Vec<String>> {
    if let Value::Map(members) = &mut value {
        for name in ["IssuedDate", "DueDate"] {
            let Some(date) = members.get_mut(name) else { continue };
            let whole = match &*date {
                Value::String(text) => instant(text),
                Value::Number(number) => Some(second(number)),
                _ => None,
            };
            if let Some(whole) = whole {
                *date = whole.into();
            }
        }
    }
    let value = model.checked(SHAPE, value).map_err(|problems| {
        problems
            .into_iter()
            .map(|problem| format!("{} {}", problem.name, problem.message))
            .collect::<Vec<_>>()
    })?;
    let mut problems = Vec::new();
    amounts(&value, "", &mut problems);
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("InvoiceId").is_none() {
        problems.push("InvoiceId is required".to_owned());
    }
    let account = text("AccountId").and_then(AccountId::parse);
    match (text("InvoiceId"), account, problems.is_empty()) {
        (Some(id), Some(account), true) => Ok(ReadSummary {
            invoice_id: id.to_owned(),
            account,
            period: period_of(&value),
            body: value.to_json(),
        }),
        (_, account, _) => {
            if account.is_none() {
                problems.push("AccountId is required".to_owned());
            }
            Err(problems)
        }
    }
}

/// Every amount is a decimal that can be added exactly.
fn amounts(value: &Value, path: &str, problems: &mut Vec<String>) {
    match value {
        Value::Map(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match value.as_str() {
                    Some(text) if AMOUNTS.contains(&name.as_str()) => {
                        if let Err(error) = Amount::parse(text) {
                            problems.push(format!("{path}: {error}"));
                        }
                    }
                    _ => amounts(value, &path, problems),
                }
            }
        }
        Value::List(values) => {
            for (at, value) in values.iter().enumerate() {
                amounts(value, &format!("{path}[{at}]"), problems);
            }
        }
        _ => {}
    }
}

/// An instant as AWS's clients print it, in seconds since 1970-01-01T00:00:00Z: a date, perhaps a time, perhaps an offset; without one it is UTC.
fn instant(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let period = BillingPeriod::new(year, u8::try_from(month).ok()?)?;
    let midnight = period.start_seconds().checked_add((i64::from(day) - 1) * 86_400)?;
    if day == 0 || midnight >= period.end_seconds() {
        return None;
    }
    let Some(time) = rest.strip_prefix(['T', ' ']) else {
        return rest.is_empty().then_some(midnight);
    };
    let (time, offset) = match time.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => match time.rfind(['+', '-']) {
            Some(at) => {
                let (time, offset) = time.split_at(at);
                let seconds = of_day(&offset[1..])?;
                (time, if offset.starts_with('-') { -seconds } else { seconds })
            }
            None => (time, 0),
        },
    };
    // Parts of a second are none of it.
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    Some(midnight + of_day(time)? - offset)
}

/// The seconds of hours, minutes and perhaps seconds.
fn of_day(text: &str) -> Option<i64> {
    let parts = text.split(':').map(|part| part.parse::<u8>().ok()).collect::<Option<Vec<_>>>()?;
    match parts.as_slice() {
        [hour @ 0..=23, minute @ 0..=59] => Some(i64::from(*hour) * 3_600 + i64::from(*minute) * 60),
        [hour @ 0..=23, minute @ 0..=59, second @ 0..=59] => {
            Some(i64::from(*hour) * 3_600 + i64::from(*minute) * 60 + i64::from(*second))
        }
        _ => None,
    }
}

fn refused(message: impl Into<String>) -> Error {
    InvoicingRefusal::of(back_office::invoicing::InvoicingReason::Other, "", message).into()
}

#[cfg(test)]
mod tests {
    //! Files as they come, and files that are refused.

    use super::*;

    fn told(text: &str) -> String {
        match read(text) {
            Err(Error::Invoicing(refusal)) => refusal.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn instants_are_those_that_clients_print() {
        for text in [
            "2026-11-02T00:00:00Z",
            "2026-11-02",
            "2026-11-02 00:00:00+00:00",
            "2026-11-02T01:30:00.123+01:30",
            "2026-11-01T19:00:00-05:00",
        ] {
            assert_eq!(instant(text), Some(1_793_577_600), "{text}");
        }
        for text in ["2026-11-31", "2026-13-01", "2026-11-02T24:00:00Z", "2.11.2026", "é026-11-02", ""] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_table_says_what_the_answer_says() {
        let json = r#"{"InvoiceSummaries":[{"AccountId":"111122223333","InvoiceId":"A1","IssuedDate":"2026-11-02T00:00:00+00:00",
            "BillingPeriod":{"Month":10,"Year":2026},"BillSourceAccounts":["222233334444"],
            "BaseCurrencyAmount":{"TotalAmount":"12.30","CurrencyCode":"USD"},"SomethingNew":1}]}"#;
        let csv = "AccountId,InvoiceId,IssuedDate,BillingPeriod,BillSourceAccounts,BaseCurrencyAmount.TotalAmount,BaseCurrencyAmount.CurrencyCode\n\
            111122223333,A1,2026-11-02,2026-10,222233334444,12.30,USD\n";
        let numbers = json.replace(r#""2026-11-02T00:00:00+00:00""#, "1793577600.0");
        assert_eq!(read(&numbers).unwrap()[0].body, read(json).unwrap()[0].body, "as it is on the wire");
        let (json, csv) = (read(json).unwrap(), read(csv).unwrap());
        assert_eq!(json[0].body, csv[0].body);
        assert_eq!(json[0].period.unwrap().to_string(), "2026-10");
        assert!(json[0].body.contains(r#""IssuedDate":1793577600"#), "{}", json[0].body);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let of = |summary: &str| told(&format!("[{summary}]"));
        assert_eq!(of(r#"{"AccountId":"111122223333"}"#), "[0]: InvoiceId is required");
        assert!(
            of(r#"{"AccountId":"1","InvoiceId":"A"}"#).starts_with("[0]: AccountId must match the pattern")
        );
        let amount = of(
            r#"{"AccountId":"111122223333","InvoiceId":"A","BaseCurrencyAmount":{"AmountBreakdown":{"Taxes":{"Breakdown":[{"Amount":"1,5"}]}}}}"#,
        );
        assert!(
            amount.starts_with("[0]: BaseCurrencyAmount.AmountBreakdown.Taxes.Breakdown[0].Amount: "),
            "{amount}"
        );
        let twice = r#"{"AccountId":"111122223333","InvoiceId":"A"}"#;
        let other = r#"{"AccountId":"111122223333","InvoiceId":"A","BillType":"PURCHASE"}"#;
        assert_eq!(of(&format!("{twice},{other}")), "[1]: invoice `A` is there twice, and not alike");
        assert_eq!(read(&format!("[{twice},{twice}]")).unwrap().len(), 1);
        assert!(told("InvoiceId,Total\nA,1\n").starts_with("there is no column `Total`"));
        assert!(told(" \n").starts_with("the file is empty"));
        assert!(read(r#"{"InvoiceSummaries":[]}"#).unwrap().is_empty());
        assert!(told("{}").starts_with("the file has no `InvoiceSummaries`"));
        assert!(
            told("InvoiceId,AccountId,BillType\nA,111122223333,MONTHLY\n")
                .starts_with("row 2: BillType must be one of")
        );
    }
}
