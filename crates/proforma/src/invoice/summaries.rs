//! AWS's list of its invoices: the answer of `ListInvoiceSummaries` as the AWS CLI or an SDK prints it, or CSV.

use crate::failure::Failure;
use billing::invoice::Date;
use billing::invoice::aws::Summary;
use billing::money::{Cost, Currency};
use billing::period::BillingPeriod;
use cost_data::diagnostics::excerpt;
use serde_json::Value;
use std::path::Path;

/// The columns of a CSV file, by the names that the members have in the answer; the first three are needed.
const COLUMNS: [&str; 14] = [
    "InvoiceId",
    "TotalAmount",
    "CurrencyCode",
    "TotalAmountBeforeTax",
    "BillingPeriod",
    "BillingEntity",
    "InvoicingEntity",
    "BillType",
    "InvoiceType",
    "IssuedDate",
    "DueDate",
    "CommercialInvoiceId",
    "OriginalInvoiceId",
    "PurchaseOrderNumber",
];
/// One more, which nothing here needs but people write.
const ACCOUNT: &str = "AccountId";
/// How many columns are needed.
const NEEDED: usize = 3;
/// How many mistakes are said.
const MISTAKES_MAX: usize = 20;

/// Reads a file; its name's ending says whether it is CSV, else it is JSON.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn read(path: &Path) -> Result<Vec<Summary>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("`{shown}` cannot be read: {error}"))
            .hint("give the answer of `aws invoicing list-invoice-summaries` with --against")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let found = if is_csv { of_csv(text) } else { of_json(text) };
    let (mut summaries, mut mistakes) = (Vec::new(), Vec::new());
    for one in found.map_err(|mistake| Failure::input(format!("{shown}: {mistake}")))? {
        match one {
            // Pages of a list may overlap; two entries of one invoice that differ leave nobody to say which of them holds.
            Ok(summary) => match summaries.iter().find(|other: &&Summary| other.id == summary.id) {
                None => summaries.push(summary),
                Some(same) if *same == summary => {}
                Some(_) => {
                    let id = excerpt(&summary.id);
                    mistakes.push(format!(
                        "{shown}: invoice `{id}` is there twice, and not alike; leave one of them"
                    ));
                }
            },
            Err(mistake) => mistakes.push(format!("{shown}:{mistake}")),
        }
    }
    if mistakes.is_empty() {
        return Ok(summaries);
    }
    let count = mistakes.len() as u64;
    mistakes.truncate(MISTAKES_MAX);
    Err(Failure::Input { problems: mistakes, count, hint: None })
}

/// Summaries, or for each what is wrong with it; or what is wrong with the file.
type Found = Result<Vec<Result<Summary, String>>, String>;

/// The texts of one summary: the value of a name, where it has one.
type Texts<'a> = &'a dyn Fn(&str) -> Option<String>;

fn of_csv(text: &str) -> Found {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| format!("it is no CSV: {error}"))?.clone();
    let place = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let missing: Vec<&str> = COLUMNS.into_iter().take(NEEDED).filter(|name| place(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(format!(
            "the header lacks {}; the columns are {}",
            missing.join(", "),
            COLUMNS.join(", ")
        ));
    }
    let known = |name: &str| {
        name.eq_ignore_ascii_case(ACCOUNT) || COLUMNS.iter().any(|of| of.eq_ignore_ascii_case(name))
    };
    if let Some(unknown) = header.iter().find(|name| !known(name)) {
        let unknown = excerpt(unknown);
        return Err(format!("there is no column `{unknown}`; the columns are {}", COLUMNS.join(", ")));
    }
    let mut found = Vec::new();
    for (row, number) in reader.records().zip(2..) {
        let row = row.map_err(|error| format!("it is no CSV: {error}"))?;
        let value = |name: &str| {
            place(name).and_then(|at| row.get(at)).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
        };
        found.push(summary(&value).map_err(|mistake| format!("{number}: {mistake}")));
    }
    Ok(found)
}

/// One answer, a list of answers, or a list of summaries.
fn of_json(text: &str) -> Found {
    let root: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let answers = match &root {
        Value::Array(answers) => answers.iter().collect(),
        one => vec![one],
    };
    let mut found = Vec::new();
    for answer in answers {
        let summaries = match answer.get("InvoiceSummaries") {
            Some(Value::Array(summaries)) => summaries.iter().collect(),
            None if answer.get("InvoiceId").is_some() => vec![answer],
            _ => {
                return Err(
                    "it has no InvoiceSummaries; give the answer of `aws invoicing list-invoice-summaries`"
                        .to_owned(),
                );
            }
        };
        for of in summaries {
            let number = found.len() + 1;
            let value = |name: &str| json_text(of, name);
            found.push(summary(&value).map_err(|mistake| format!(" InvoiceSummaries[{number}]: {mistake}")));
        }
    }
    Ok(found)
}

/// What a summary has under a name, wherever in it that stands.
fn json_text(summary: &Value, name: &str) -> Option<String> {
    let path = match name {
        "TotalAmount" | "CurrencyCode" | "TotalAmountBeforeTax" => format!("/BaseCurrencyAmount/{name}"),
        "BillingEntity" | "InvoicingEntity" => format!("/Entity/{name}"),
        "BillingPeriod" => {
            let number = |part: &str| summary.pointer(&format!("/BillingPeriod/{part}"))?.as_u64();
            return Some(format!("{:04}-{:02}", number("Year")?, number("Month")?));
        }
        _ => format!("/{name}"),
    };
    match summary.pointer(&path)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        // Dates are seconds since 1970-01-01T00:00:00Z on the wire.
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn summary(text: Texts<'_>) -> Result<Summary, String> {
    let needed = |name: &str| text(name).ok_or_else(|| format!("there is no {name}"));
    let amount = |name: &str, text: &str| {
        Cost::parse(text).map_err(|error| format!("{name}: `{}` is {error}", excerpt(text)))
    };
    let code = needed("CurrencyCode")?;
    let currency = Currency::parse(&code)
        .ok_or_else(|| format!("CurrencyCode: `{}` is not three capital letters", excerpt(&code)))?;
    let period = text("BillingPeriod").map(|text| BillingPeriod::parse(&text));
    let before_tax = text("TotalAmountBeforeTax").map(|text| amount("TotalAmountBeforeTax", &text));
    Ok(Summary {
        id: needed("InvoiceId")?,
        account: text(ACCOUNT),
        issued: text("IssuedDate").map(|text| date("IssuedDate", &text)).transpose()?,
        due: text("DueDate").map(|text| date("DueDate", &text)).transpose()?,
        period: period.transpose().map_err(|error| format!("BillingPeriod: {error}"))?,
        billing_entity: text("BillingEntity"),
        invoicing_entity: text("InvoicingEntity"),
        bill_type: text("BillType"),
        invoice_type: text("InvoiceType"),
        commercial: text("CommercialInvoiceId"),
        original: text("OriginalInvoiceId"),
        purchase_order: text("PurchaseOrderNumber"),
        currency,
        total: amount("TotalAmount", &needed("TotalAmount")?)?,
        before_tax: before_tax.transpose()?,
    })
}

/// A date: `2026-11-03`, an instant that begins with it, or seconds since 1970-01-01T00:00:00Z.
fn date(name: &str, text: &str) -> Result<Date, String> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if let Ok(seconds) = whole.parse::<i64>() {
        return Ok(Date::of_seconds(seconds));
    }
    let day = text.split_once(['T', ' ']).map_or(text, |(day, _)| day);
    Date::parse(day).map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    //! Lists in every form, and what is wrong with others.

    use super::*;

    fn read_as(name: &str, text: &str) -> Result<Vec<Summary>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let shown = format!("{}", path.display());
        read(&path).map_err(|failure| match failure {
            Failure::Input { problems, .. } => {
                problems.iter().map(|problem| problem.replace(&shown, "FILE")).collect()
            }
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn an_answer_of_aws_is_read() {
        let of_cli = r#"{"InvoiceSummaries": [{"AccountId": "999999999999", "InvoiceId": "EUIN-1",
            "IssuedDate": "2026-11-02T00:00:00+00:00", "DueDate": 1764633600.0,
            "Entity": {"InvoicingEntity": "Amazon Web Services EMEA SARL", "BillingEntity": "AWS"},
            "BillingPeriod": {"Month": 10, "Year": 2026}, "InvoiceType": "INVOICE", "BillType": "ANNIVERSARY",
            "BaseCurrencyAmount": {"TotalAmount": "107.10", "TotalAmountBeforeTax": "90", "CurrencyCode": "USD"}}]}"#;
        let [summary] = &read_as("list.json", of_cli).unwrap()[..] else { panic!("one summary") };
        assert_eq!(
            (summary.total.to_string(), summary.period),
            ("107.1".to_owned(), BillingPeriod::new(2026, 10))
        );
        assert_eq!(summary.issued.unwrap().to_string(), "2026-11-02");
        assert_eq!(summary.due.unwrap().to_string(), "2025-12-02");
        assert_eq!(summary.invoicing_entity.as_deref(), Some("Amazon Web Services EMEA SARL"));
        let pages = format!("[{of_cli}, {of_cli}]");
        assert_eq!(read_as("list.json", &pages).unwrap().len(), 1, "the same page twice");
        let other = format!("[{of_cli}, {}]", of_cli.replace("107.10", "1.00"));
        let twice = "FILE: invoice `EUIN-1` is there twice, and not alike; leave one of them";
        assert_eq!(read_as("list.json", &other).unwrap_err(), [twice]);
        let csv = "InvoiceId,TotalAmount,CurrencyCode,BillingPeriod,AccountId\nEUIN-1,107.10,USD,2026-10,999999999999\n";
        assert_eq!(read_as("list.csv", csv).unwrap()[0].total, summary.total);
    }

    #[test]
    fn what_is_wrong_with_a_list_is_said() {
        let said = |name, text| read_as(name, text).unwrap_err();
        let columns = COLUMNS.join(", ");
        assert_eq!(
            said("list.json", "{}"),
            ["FILE: it has no InvoiceSummaries; give the answer of `aws invoicing list-invoice-summaries`"]
        );
        assert!(said("list.json", "{")[0].starts_with("FILE: it is no JSON: EOF while parsing"));
        assert_eq!(
            said("list.csv", "InvoiceId,Total\n"),
            [format!("FILE: the header lacks TotalAmount, CurrencyCode; the columns are {columns}")]
        );
        assert_eq!(
            said("list.csv", "InvoiceId,TotalAmount,CurrencyCode,Colour\n"),
            [format!("FILE: there is no column `Colour`; the columns are {columns}")]
        );
        let rows = "InvoiceId,TotalAmount,CurrencyCode,BillingPeriod,DueDate\n,1,USD,,\nA,1,dollars,,\nB,\"1,5\",USD,,\nC,1,USD,10/2026,\n\
                    D,1,USD,,soon\n";
        assert_eq!(
            said("list.csv", rows),
            [
                "FILE:2: there is no InvoiceId",
                "FILE:3: CurrencyCode: `dollars` is not three capital letters",
                "FILE:4: TotalAmount: `1,5` is not a decimal number",
                "FILE:5: BillingPeriod: `10/2026` is not a billing period; write it as YYYY-MM, for example 2026-10",
                "FILE:6: DueDate: `soon` is not a date; write it as YYYY-MM-DD, for example 2026-11-03",
            ]
        );
        let answer = r#"{"InvoiceSummaries": [{"InvoiceId": "A"}]}"#;
        assert_eq!(said("list.json", answer), ["FILE: InvoiceSummaries[1]: there is no CurrencyCode"]);
    }
}
