//! Files of invoice summaries, held to AWS's model: what `invoice_file::summaries` reads of them, as it is kept and listed again.

use super::reconstructed::period_of;
use crate::services;
use aws_wire::json::{Number, Value};
use aws_wire::model::{FieldProblem, Service};
use back_office::error::Error;
use back_office::invoice_summaries::{self, CUT, Found, ImportedSummary};
use back_office::invoicing::{InvoicingReason, InvoicingRefusal};
use billing::account::AccountId;
use billing::money::Amount;
use std::collections::BTreeMap;

/// How many problems of a file are told.
const PROBLEMS_MAX: usize = 20;
const SHAPE: &str = "InvoiceSummary";
/// Members that are amounts of money, wherever they stand.
const AMOUNTS: [&str; 4] = ["TotalAmount", "TotalAmountBeforeTax", "SubTotalAmount", "Amount"];

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct ReadSummaries {
    /// Its summaries.
    pub(crate) summaries: Vec<ImportedSummary>,
    /// What the user should know of the file.
    pub(crate) warnings: Vec<String>,
}

/// Reads a file of summaries: JSON, or CSV where it does not begin as JSON does.
///
/// # Errors
/// Everything that is wrong with it, each with its place: up to twenty sentences.
pub(crate) fn read(text: &str) -> Result<ReadSummaries, Error> {
    let model = services::all().by_signing_name(super::SERVICE);
    let model = model.ok_or_else(|| Error::internal("the model of invoicing is not there"))?;
    let listing = invoice_summaries::read_list(text, &[]).map_err(|error| refused(error.to_string()))?;
    let mut problems = Vec::new();
    let mut summaries: BTreeMap<String, ImportedSummary> = BTreeMap::new();
    for Found { place, summary } in listing.found {
        match summary.and_then(|summary| checked(model, on_the_wire(summary)?)) {
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
    if !problems.is_empty() {
        problems.truncate(PROBLEMS_MAX);
        return Err(refused(problems.join("\n")));
    }
    let mut warnings: Vec<String> = listing.is_cut.then(|| CUT.to_owned()).into_iter().collect();
    if summaries.is_empty() {
        warnings.push("it lists no invoices: nothing was taken".to_owned());
    }
    Ok(ReadSummaries { summaries: summaries.into_values().collect(), warnings })
}

/// A value as the wire has it.
fn on_the_wire(value: invoice_summaries::Value) -> Result<Value, Vec<String>> {
    use invoice_summaries::Value as Read;
    Ok(match value {
        Read::Null => Value::Null,
        Read::Bool(value) => Value::Bool(value),
        Read::Number(digits) => {
            Value::Number(digits.parse::<Number>().map_err(|error| vec![error.to_string()])?)
        }
        Read::Text(text) => Value::String(text),
        Read::List(values) => Value::List(values.into_iter().map(on_the_wire).collect::<Result<_, _>>()?),
        Read::Map(members) => {
            let member = |(name, value)| Ok::<_, Vec<String>>((name, on_the_wire(value)?));
            Value::Map(members.into_iter().map(member).collect::<Result<_, _>>()?)
        }
    })
}

/// A summary held to the model.
fn checked(model: &Service, value: Value) -> Result<ImportedSummary, Vec<String>> {
    let given = value.clone();
    let of = given.get("InvoiceId").and_then(Value::as_str).filter(|id| !id.is_empty());
    let of = of.map_or_else(String::new, |id| format!(" (invoice `{id}`)"));
    let value = model.checked(SHAPE, value).map_err(|problems| {
        let told = |problem: FieldProblem| {
            let is = scalar_at(&given, &problem.name);
            let is = is.map_or_else(String::new, |is| format!("; it is `{is}`"));
            format!("{} {}{is}{of}", problem.name, problem.message)
        };
        problems.into_iter().map(told).collect::<Vec<_>>()
    })?;
    let mut problems = Vec::new();
    amounts(&value, "", &mut problems);
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (id, account) = (text("InvoiceId"), text("AccountId").and_then(AccountId::parse));
    for (is_there, name) in [(id.is_some(), "InvoiceId"), (account.is_some(), "AccountId")] {
        if !is_there {
            problems.push(format!("{name} is required"));
        }
    }
    match (id, account, problems.is_empty()) {
        (Some(id), Some(account), true) => Ok(ImportedSummary {
            invoice_id: id.to_owned(),
            account,
            period: period_of(&value),
            body: value.to_json(),
        }),
        _ => Err(problems.into_iter().map(|problem| format!("{problem}{of}")).collect()),
    }
}

/// A text or number at a path such as `AmountBreakdown.Taxes.Breakdown[0].Amount`, as a message shows it.
fn scalar_at(value: &Value, path: &str) -> Option<String> {
    let mut steps = path.split(['.', '[']);
    let found = steps.try_fold(value, |value, step| match step.strip_suffix(']') {
        Some(at) => value.as_list()?.get(at.parse::<usize>().ok()?),
        None => value.get(step),
    })?;
    let shown = match found {
        Value::String(text) => invoice_summaries::Value::Text(text.clone()),
        Value::Number(number) => invoice_summaries::Value::Number(number.as_str().to_owned()),
        _ => return None,
    };
    Some(shown.shown())
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
                            let shown = invoice_summaries::Value::Text(text.to_owned()).shown();
                            problems.push(format!("{path}: `{shown}` is {error}; write it as 1234.56"));
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

fn refused(message: impl Into<String>) -> Error {
    InvoicingRefusal::of(InvoicingReason::Other, "", message).into()
}

#[cfg(test)]
mod tests {
    //! Files as they come, and files that are refused.

    use super::*;
    use aws_wire::model::Shape;

    fn told(text: &str) -> String {
        match read(text) {
            Err(Error::Invoicing(refusal)) => refusal.to_string(),
            other => panic!("{other:?}"),
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
        assert_eq!(
            read(&numbers).unwrap().summaries[0].body,
            read(json).unwrap().summaries[0].body,
            "as it is on the wire"
        );
        let (json, csv) = (read(json).unwrap().summaries, read(csv).unwrap().summaries);
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
        assert_eq!(read(&format!("[{twice},{twice}]")).unwrap().summaries.len(), 1);
        assert!(told("InvoiceId,Total\nA,1\n").starts_with("there is no column `Total`"));
        assert!(told(" \n").starts_with("the file is empty"));
        let nothing = read(r#"{"InvoiceSummaries":[]}"#).unwrap();
        assert_eq!(nothing.warnings, ["it lists no invoices: nothing was taken"]);
        let cut = read(&format!(r#"{{"InvoiceSummaries":[{twice}],"NextToken":"x"}}"#)).unwrap();
        assert_eq!(cut.warnings, [CUT]);
        assert!(told("{}").starts_with("the file has no `InvoiceSummaries`"));
        assert!(
            told("InvoiceId,AccountId,BillType\nA,111122223333,MONTHLY\n")
                .starts_with("row 2: BillType must be one of")
        );
    }
    #[test]
    fn a_mistake_is_told_with_what_stands_there_and_of_which_invoice() {
        for (members, said) in [
            (r#""AccountId":"12""#, "AccountId must match the pattern \\d{12}; it is `12` (invoice `A`)"),
            (
                r#""AccountId":"111122223333","BaseCurrencyAmount":{"TotalAmount":"1,000"}"#,
                "BaseCurrencyAmount.TotalAmount: `1,000` is not a decimal number; write it as 1234.56 (invoice `A`)",
            ),
            (
                r#""AccountId":"111122223333","IssuedDate":"03/11/2026""#,
                "IssuedDate: `03/11/2026` is no date; write it as 2026-11-03, or with its time as 2026-11-03T12:00:00Z (invoice `A`)",
            ),
            (
                r#""AccountId":"111122223333","AccountId":"444455556666""#,
                "`AccountId` is there twice; leave one of them",
            ),
        ] {
            assert_eq!(told(&format!(r#"[{{"InvoiceId":"A",{members}}}]"#)), format!("[0]: {said}"));
        }
    }

    /// The table of columns has no model to go by; this one has.
    #[test]
    fn every_scalar_member_of_the_model_is_a_column() {
        fn leaves(model: &Service, shape: &str, path: &str, found: &mut Vec<String>) {
            match model.shape(shape) {
                Some(Shape::Structure { members, .. }) => {
                    if path == "BillingPeriod" {
                        found.push(path.to_owned());
                    }
                    for (name, member) in members {
                        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                        leaves(model, &member.shape, &path, found);
                    }
                }
                // Lists of what has members of its own do not fit into a field.
                Some(Shape::List { member, .. })
                    if !matches!(model.shape(member), Some(Shape::String { .. })) => {}
                _ => found.push(path.to_owned()),
            }
        }
        let model = services::all().by_signing_name(super::super::SERVICE).unwrap();
        let mut expected = Vec::new();
        leaves(model, SHAPE, "", &mut expected);
        let mut found: Vec<String> = invoice_summaries::columns().collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}
