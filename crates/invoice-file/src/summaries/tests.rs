//! Lists in every form, and what is wrong with others.

use super::*;

fn ids(text: &str) -> Vec<String> {
    let found = read(text, &[]).unwrap().found;
    found.into_iter().map(|of| Summary::of(&of.summary.unwrap()).unwrap().id).collect()
}

fn one(text: &str) -> Result<Summary, Vec<String>> {
    let found = read(text, &[]).unwrap().found.remove(0);
    found.summary.and_then(|value| Summary::of(&value).map_err(|mistake| vec![mistake]))
}

#[test]
fn answers_come_in_several_forms() {
    let (a, b) = (r#"{"InvoiceId":"A"}"#, r#"{"InvoiceId":"B"}"#);
    let page = |of: &str| format!(r#"{{"InvoiceSummaries":[{of}]}}"#);
    for text in [
        page(&format!("{a},{b}")),
        format!("[{},{}]", page(a), page(b)),
        format!("{}\n{}", page(a), page(b)),
        format!("[{a},{b}]"),
        format!("\u{feff} [{a},{}]", page(b)),
        "InvoiceId\nA\nB\n".to_owned(),
    ] {
        assert_eq!(ids(&text), ["A", "B"], "{text}");
    }
    assert_eq!(ids(a), ["A"]);
    let places = |text: &str| -> Vec<String> {
        read(text, &[]).unwrap().found.iter().map(|found| found.place.to_string()).collect()
    };
    assert_eq!(places(&format!("[{a},{}]", page(b))), ["[0]", "[1].InvoiceSummaries[0]"]);
    assert_eq!(places(&format!("{}{}", page(a), page(b)))[1], "answer 2: InvoiceSummaries[0]");
    assert_eq!(places("invoiceid\nA\n"), ["row 2"], "names in letters of either case");
}

#[test]
fn a_list_is_cut_where_no_page_ends_it() {
    let page = |more: &str| format!(r#"{{"InvoiceSummaries":[]{more}}}"#);
    let (goes_on, ends) = (page(r#","NextToken":"x""#), page(r#","NextToken":null"#));
    for (text, is_cut) in [
        (goes_on.clone(), true),
        (ends.clone(), false),
        (format!("{goes_on}{ends}"), false),
        (format!("[{goes_on},{goes_on}]"), true),
        ("[]".to_owned(), false),
    ] {
        assert_eq!(read(&text, &[]).unwrap().is_cut, is_cut, "{text}");
    }
}

#[test]
fn what_is_there_twice_could_be_taken_for_two_things() {
    let columns = |header: &str| match read(&format!("{header}\n"), &[]) {
        Err(NoList::Columns(said)) => said.split(';').next().unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    };
    for (header, name) in [
        ("InvoiceId,TotalAmount,TotalAmount", "TotalAmount"),
        ("TotalAmount,baseCurrencyAmount.totalAmount", "baseCurrencyAmount.totalAmount"),
        ("BillingPeriod,BillingPeriod.Month", "BillingPeriod.Month"),
        ("BillingPeriod.Year,BillingPeriod", "BillingPeriod"),
    ] {
        assert_eq!(columns(header), format!("column `{name}` is there twice"));
    }
    let inner =
        r#"{"InvoiceSummaries":[{"InvoiceId":"A","Entity":{"BillingEntity":"AWS","BillingEntity":"X"}}]}"#;
    assert_eq!(one(inner).unwrap_err(), ["Entity: `BillingEntity` is there twice; leave one of them"]);
    let outer = r#"{"InvoiceSummaries":[],"InvoiceSummaries":[]}"#;
    let said = read(outer, &[]).unwrap_err().to_string();
    assert_eq!(said, "the file is no JSON: `InvoiceSummaries` is there twice; leave one of them");
}

#[test]
fn instants_are_seconds_whoever_prints_them() {
    let issued =
        |text: &str| one(&format!(r#"[{{"InvoiceId":"A","IssuedDate":{text}}}]"#)).map(|of| of.issued_at);
    for text in [
        "1793577600",
        "1793577600.0",
        "1793577600.987",
        "1.7935776E9",
        "1.7935776004e+9",
        r#""1793577600""#,
        r#""2026-11-02""#,
        r#""2026-11-01T19:00:00.123-05:00""#,
        r#""2026-11-02T01:00:00+01:00""#,
    ] {
        assert_eq!(issued(text), Ok(Some(1_793_577_600)), "{text}");
    }
    assert_eq!(issued("-0.5"), Ok(Some(-1)));
    for text in ["null", r#""""#] {
        assert_eq!(issued(text), Ok(None), "{text}");
    }
    let said = "is no date; write it as 2026-11-03, or with its time as 2026-11-03T12:00:00Z (invoice `A`)";
    for (text, shown) in [
        (r#""03/11/2026""#, "03/11/2026"),
        ("1793577600000", "1793577600000"),
        ("1e99", "1e99"),
        ("true", "true"),
        ("[]", "a list"),
    ] {
        assert_eq!(issued(text), Err(vec![format!("IssuedDate: `{shown}` {said}")]));
    }
}

#[test]
fn what_an_invoice_charges_is_said_or_nobody_knows() {
    let charged = |more: &str| one(&format!(r#"[{{"InvoiceId":"A"{more}}}]"#)).unwrap().charged();
    for (more, expected) in [
        ("", Charged::Bill(None)),
        (r#","InvoiceType":"INVOICE""#, Charged::Bill(None)),
        (r#","BillType":"Anniversary""#, Charged::Bill(Some(BillType::Anniversary))),
        (r#","BillType":"PURCHASE""#, Charged::Bill(Some(BillType::Purchase))),
        (r#","BillType":"REFUND""#, Charged::CreditMemo),
        (r#","BillType":"REFUND","InvoiceType":"INVOICE""#, Charged::CreditMemo),
        (r#","InvoiceType":"CREDIT_MEMO""#, Charged::CreditMemo),
        (r#","BillType":"REFUND","InvoiceType":"PAYMENT_RECEIPT""#, Charged::Receipt),
        (r#","BillType":"PURCHASE","CommercialInvoiceId":"C""#, Charged::TaxInvoiceOf("C".to_owned())),
        (r#","BillType":"PURCHASE","CommercialInvoiceId":"A""#, Charged::Bill(Some(BillType::Purchase))),
    ] {
        assert_eq!(charged(more), Ok(expected), "{more}");
    }
    assert_eq!(
        charged(r#","BillType":"MONTHLY""#),
        Err("BillType: there is no `MONTHLY`; there are ANNIVERSARY, PURCHASE and REFUND".to_owned())
    );
}

#[test]
fn nothing_else_is_a_list() {
    for (text, said) in [
        (" \n", "the file is empty, not even an answer without invoices; was it downloaded whole?"),
        ("{\"a\":1,}", "the file is no JSON: key must be a string at line 1 column 8"),
        (
            "[1]",
            "the file has no `InvoiceSummaries`: `1` is no answer; give answers of `aws invoicing list-invoice-summaries`",
        ),
        (
            r#"{"InvoiceSummaries":"x"}"#,
            "the file has no `InvoiceSummaries`: that is no list; give answers of `aws invoicing list-invoice-summaries`",
        ),
        (
            "InvoiceId,AccountId\nA\n",
            "the file is no CSV: CSV error: record 1 (line: 2, byte: 20): found record with 1 fields, but the previous record has 2 fields",
        ),
    ] {
        assert_eq!(read(text, &[]).unwrap_err().to_string(), said);
    }
    let deep = format!(r#"[{{"InvoiceId":"A","X":{}{}}}]"#, "[".repeat(90), "]".repeat(90));
    assert_eq!(one(&deep).unwrap_err(), ["X: it goes more than 64 deep"]);
}
