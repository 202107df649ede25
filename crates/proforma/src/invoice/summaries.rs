//! AWS's list of its invoices, as it is held against cost files: the answer of `ListInvoiceSummaries` as the AWS CLI or an SDK prints it, or CSV.

use crate::failure::Failure;
use billing::invoice::aws;
use cost_data::diagnostics::excerpt;
use invoice_file::summaries::{self, CUT, Found, Place, Summary};
use std::path::Path;

/// The columns that a table needs.
const NEEDED: [&str; 3] = ["InvoiceId", "TotalAmount", "CurrencyCode"];
/// How many mistakes are said.
const MISTAKES_MAX: usize = 20;

/// Reads a file: JSON, or CSV where it does not begin as JSON does.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn read(path: &Path) -> Result<Vec<aws::Summary>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("`{shown}` cannot be read: {error}"))
            .hint("give the answer of `aws invoicing list-invoice-summaries` with --against")
    })?;
    let listing =
        summaries::read(&text, &NEEDED).map_err(|mistake| Failure::input(format!("{shown}: {mistake}")))?;
    if listing.is_cut {
        say!("note: {shown}: {CUT}");
    }
    let (mut list, mut mistakes) = (Vec::new(), Vec::new());
    for Found { place, summary } in listing.found {
        match summary.and_then(|value| listed(&value)) {
            // Pages of a list may overlap; two entries of one invoice that differ leave nobody to say which of them holds.
            Ok(summary) => match list.iter().find(|other: &&aws::Summary| other.id == summary.id) {
                None => list.push(summary),
                Some(same) if *same == summary => {}
                Some(_) => {
                    let id = excerpt(&summary.id);
                    mistakes.push(format!(
                        "{shown}: invoice `{id}` is there twice, and not alike; leave one of them"
                    ));
                }
            },
            Err(told) => mistakes.extend(told.iter().map(|mistake| match &place {
                Place::Row(row) => format!("{shown}:{row}: {mistake}"),
                Place::Path(path) => format!("{shown}: {path}: {mistake}"),
            })),
        }
    }
    if mistakes.is_empty() {
        return Ok(list);
    }
    let count = mistakes.len() as u64;
    mistakes.truncate(MISTAKES_MAX);
    Err(Failure::Input { problems: mistakes, count, hint: None })
}

/// A summary as far as it can be compared.
fn listed(value: &summaries::Value) -> Result<aws::Summary, Vec<String>> {
    Summary::of(value).and_then(|summary| summary.listed()).map_err(|mistake| vec![mistake])
}

#[cfg(test)]
mod tests {
    //! Lists in every form, and what is wrong with others.

    use super::*;
    use billing::period::BillingPeriod;

    fn read_as(name: &str, text: &str) -> Result<Vec<aws::Summary>, Vec<String>> {
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
        assert_eq!(
            said("list.json", "{}"),
            [
                "FILE: the file has no `InvoiceSummaries`: it has no `InvoiceId` either; give answers of `aws invoicing list-invoice-summaries`"
            ]
        );
        assert!(said("list.json", "{")[0].starts_with("FILE: the file is no JSON: EOF while parsing"));
        let lacks = &said("list.csv", "InvoiceId\n")[0];
        assert!(
            lacks.starts_with("FILE: the header lacks TotalAmount, CurrencyCode; a column is "),
            "{lacks}"
        );
        assert!(lacks.contains("InvoiceId, AccountId, IssuedDate,"), "every column is told: {lacks}");
        let unknown = &said("list.csv", "InvoiceId,TotalAmount,CurrencyCode,Colour\n")[0];
        assert!(unknown.starts_with("FILE: there is no column `Colour`; a column is "), "{unknown}");
        let rows = "InvoiceId,TotalAmount,CurrencyCode,BillingPeriod,DueDate\n,1,USD,,\nA,1,dollars,,\nB,\"1,5\",USD,,\nC,1,USD,10/2026,\n\
                    D,1,USD,,soon\n";
        assert_eq!(
            said("list.csv", rows),
            [
                "FILE:2: `InvoiceId` is missing",
                "FILE:3: CurrencyCode: `dollars` is no currency; write three capital letters",
                "FILE:4: TotalAmount: `1,5` is not a decimal number",
                "FILE:5: BillingPeriod: `10/2026` is not a billing period; write it as YYYY-MM, for example 2026-10 (invoice `C`)",
                "FILE:6: DueDate: `soon` is no date; write it as 2026-11-03, or with its time as 2026-11-03T12:00:00Z (invoice `D`)",
            ]
        );
        let answer = r#"{"InvoiceSummaries": [{"InvoiceId": "A", "BaseCurrencyAmount": {}}]}"#;
        assert_eq!(
            said("list.json", answer),
            ["FILE: InvoiceSummaries[0]: `BaseCurrencyAmount.TotalAmount` is missing"]
        );
    }
}
