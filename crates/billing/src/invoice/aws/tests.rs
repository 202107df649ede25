//! Invoices out of classes, and what they differ in from AWS's list.

use super::*;
use crate::charge_class::{KEY_COLUMNS, MEASURES, Texts};
use crate::invoice::Date;

/// One class: values of key columns, and its net cost.
type Row<'a> = (&'a [(KeyColumn, &'a str)], &'a str);

fn cube(rows: &[Row<'_>]) -> Cube {
    let mut texts = Texts::default();
    let mut classes = Vec::new();
    for ((row, net), number) in rows.iter().zip(0..) {
        let mut key = [crate::charge_class::TextId::NULL; KEY_COLUMNS];
        // Distinct keys, whatever the row says.
        key[KeyColumn::UsageType as usize] = texts.intern(&i32::to_string(&number));
        for (column, value) in *row {
            key[*column as usize] = texts.intern(value);
        }
        let mut sums = [Cost::ZERO; MEASURES];
        sums[Measure::NetUnblended as usize] = Cost::parse(net).unwrap();
        let unblended_rate = crate::charge_class::TextId::NULL;
        classes.push(ChargeClass { key, lines: 2, lines_without_net: 0, unblended_rate, sums });
    }
    Cube::new(BillingPeriod::new(2026, 10).unwrap(), None, texts, classes, BTreeMap::new())
}

use KeyColumn::{
    BillType, BillingEntity, InvoiceId, InvoicingEntity, LegalEntity, LineItemType as Type, ProductCode,
    SplitFlag,
};

const CURRENCY: (KeyColumn, &str) = (KeyColumn::Currency, "USD");

fn dollars() -> Currency {
    Currency::parse("USD").unwrap()
}

fn month() -> AwsInvoices {
    let usual = [(BillingEntity, "AWS"), (InvoicingEntity, "Amazon Web Services EMEA SARL"), CURRENCY];
    let with = |more: &[(KeyColumn, &'static str)]| -> Vec<(KeyColumn, &'static str)> {
        usual.iter().chain(more).copied().collect()
    };
    let monthly = [(InvoiceId, "EUINDE26-1"), (BillType, "Anniversary"), (LegalEntity, "AWS EMEA")];
    let monthly = |kind| with(&[&monthly[..], &[(Type, kind)]].concat());
    let market = [
        (BillingEntity, "AWS Marketplace"),
        (InvoiceId, "MP-1"),
        (BillType, "Purchase"),
        (LegalEntity, "Seller Inc."),
        (Type, "Fee"),
    ];
    let support =
        [(InvoiceId, "S-1"), (BillType, "Purchase"), (ProductCode, "AWSSupportBusiness"), (Type, "Fee")];
    let rows: Vec<(Vec<(KeyColumn, &str)>, &str)> = vec![
        (monthly("Usage"), "100.0000000001"),
        (monthly("EdpDiscount"), "-7"),
        (monthly("Credit"), "-3"),
        (monthly("Tax"), "17.1"),
        (with(&market), "50"),
        (with(&support), "29"),
        (with(&[(InvoiceId, "R-1"), (BillType, "Refund"), (Type, "Refund")]), "-4"),
        (with(&[(BillType, "Anniversary"), (Type, "Usage")]), "1.25"),
        (with(&[(InvoiceId, "EUINDE26-1"), (SplitFlag, "split"), (Type, "Usage")]), "0.5"),
    ];
    let rows: Vec<Row<'_>> = rows.iter().map(|(row, net)| (row.as_slice(), *net)).collect();
    reconstruct(&cube(&rows), dollars()).unwrap()
}

#[test]
fn each_kind_of_invoice_is_told() {
    let found = month();
    let told: Vec<String> = (found.invoices.iter())
        .map(|of| format!("{} {} {}", of.id.as_deref().unwrap(), of.kind.code(), of.sums.total().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "EUINDE26-1 MONTHLY_USAGE 107.1000000001",
            "MP-1 MARKETPLACE_PURCHASE 50",
            "R-1 CREDIT_MEMO -4",
            "S-1 SUPPORT_PURCHASE 29"
        ]
    );
    let monthly = &found.invoices[0];
    assert_eq!(monthly.sums.before_tax().unwrap().to_string(), "90.0000000001");
    assert_eq!(
        (monthly.sums.discounts.to_string(), monthly.sums.credits.to_string()),
        ("-7".into(), "-3".into())
    );
    assert_eq!((monthly.seller(), monthly.lines), (Some("AWS EMEA"), 8));
    assert_eq!(found.not_invoiced[0].sums.total().unwrap().to_string(), "1.25");
    assert_eq!(found.repeated[&dollars()].to_string(), "0.5");
    assert_eq!(AwsKind::CreditMemo.as_summary(), Some(("REFUND", "ONE_TIME", "CREDIT_MEMO")));
}

#[test]
fn an_invoice_without_bill_types_is_what_its_lines_are() {
    let kind = |types: &[&'static str], product: &'static str| {
        let rows: Vec<Vec<(KeyColumn, &str)>> = types
            .iter()
            .map(|of| vec![(InvoiceId, "A"), (Type, of), (ProductCode, product), CURRENCY])
            .collect();
        let rows: Vec<Row<'_>> = rows.iter().map(|row| (row.as_slice(), "1")).collect();
        reconstruct(&cube(&rows), dollars()).unwrap().invoices[0].kind
    };
    assert_eq!(kind(&["Usage", "Tax", "Fee"], "AmazonEC2"), AwsKind::MonthlyUsage);
    assert_eq!(kind(&["Fee", "Tax"], "AmazonEC2"), AwsKind::Purchase);
    assert_eq!(kind(&["Fee", "Tax"], "AWSSupportBusiness"), AwsKind::SupportPurchase);
    assert_eq!(kind(&["Refund", "Tax"], "AmazonEC2"), AwsKind::CreditMemo);
    assert_eq!(kind(&["Credit", "Tax"], "AmazonEC2"), AwsKind::MonthlyUsage);
    assert_eq!(kind(&["RIFee"], "AmazonEC2"), AwsKind::MonthlyUsage);
}

#[test]
fn invoices_and_the_rest_sum_to_the_cube() {
    use crate::invoice::tests::Numbers;
    for seed in 0..100 {
        let mut numbers = Numbers(seed);
        let mut pick = |of: &[&'static str]| of[usize::try_from(numbers.below(of.len() as u64)).unwrap()];
        let mut rows: Vec<(Vec<(KeyColumn, &str)>, String)> = Vec::new();
        for _ in 0..60 {
            let mut row = vec![
                (InvoiceId, pick(&["", "A", "B", "C"])),
                (BillType, pick(&["Anniversary", "Purchase", "Refund", "Odd"])),
                (Type, pick(&["Usage", "Tax", "Credit", "Refund", "EdpDiscount", "Fee", "Novel"])),
                (BillingEntity, pick(&["AWS", "AWS Marketplace"])),
                (KeyColumn::Currency, pick(&["USD", "EUR"])),
            ];
            if pick(&["no", "no", "split"]) == "split" {
                row.push((SplitFlag, "split"));
            }
            let net =
                format!("{}{}.{}", pick(&["", "-"]), pick(&["1", "20", "3000"]), pick(&["0000000001", "5"]));
            rows.push((row, net));
        }
        let rows: Vec<Row<'_>> = rows.iter().map(|(row, net)| (row.as_slice(), net.as_str())).collect();
        let cube = cube(&rows);
        let found = reconstruct(&cube, dollars()).unwrap();
        for code in ["USD", "EUR"] {
            let currency = Currency::parse(code).unwrap();
            let of_cube = cube.classes.iter().filter(|of| cube.value(of, KeyColumn::Currency) == Some(code));
            let of_cube =
                of_cube.map(|of| of.sum(Measure::NetUnblended)).fold(Cost::ZERO, |a, b| a.plus(b).unwrap());
            let all = found.invoices.iter().chain(&found.not_invoiced).filter(|of| of.currency == currency);
            let all = all.map(|of| of.sums.total().unwrap()).chain(found.repeated.get(&currency).copied());
            assert_eq!(all.fold(Cost::ZERO, |a, b| a.plus(b).unwrap()), of_cube, "seed {seed}");
        }
        for of in &found.invoices {
            let sellers = of.legal_entities.values().fold(Cost::ZERO, |a, b| a.plus(*b).unwrap());
            assert_eq!(sellers, of.sums.total().unwrap(), "seed {seed}");
        }
    }
}

fn summary(id: &str, total: &str) -> Summary {
    Summary {
        id: id.to_owned(),
        account: None,
        issued: Some(Date::parse("2026-11-02").unwrap()),
        due: None,
        period: BillingPeriod::new(2026, 10),
        billing_entity: Some("AWS".to_owned()),
        invoicing_entity: Some("Amazon Web Services EMEA SARL".to_owned()),
        bill_type: None,
        invoice_type: None,
        commercial: None,
        original: None,
        purchase_order: None,
        currency: dollars(),
        total: Cost::parse(total).unwrap(),
        before_tax: None,
    }
}

fn differences(list: &[Summary]) -> Vec<String> {
    let found = month();
    let period = BillingPeriod::new(2026, 10).unwrap();
    let found = reconcile(period, &found.invoices, list, Cost::parse(TOLERANCE).unwrap()).unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_list_that_agrees_has_no_differences() {
    let monthly = Summary {
        before_tax: Some(Cost::parse("90").unwrap()),
        bill_type: Some("ANNIVERSARY".to_owned()),
        ..summary("EUINDE26-1", "107.10")
    };
    let market = Summary { billing_entity: Some("AWS_MARKETPLACE".to_owned()), ..summary("MP-1", "50") };
    let memo = summary("R-1", "4");
    let earlier = Summary { period: BillingPeriod::new(2026, 9), ..summary("OLD", "1") };
    // A tax invoice and a receipt state again what the invoice charges, and are in no cost file.
    let tax = Summary { commercial: Some("EUINDE26-1".to_owned()), ..summary("TAX-1", "107.10") };
    let receipt = Summary { invoice_type: Some("PAYMENT_RECEIPT".to_owned()), ..summary("PAID-1", "107.10") };
    let itself = Summary { commercial: Some("S-1".to_owned()), ..summary("S-1", "29") };
    assert_eq!(differences(&[monthly, market, memo, earlier, tax, receipt, itself]), Vec::<String>::new());
}

/// Cost files name the company that bills in India; the list knows AWS and its Marketplace only.
#[test]
fn an_entity_of_a_country_is_aws_in_the_list() {
    let row = [(InvoiceId, "AIN-1"), (BillType, "Anniversary"), (BillingEntity, "AISPL"), (Type, "Usage")];
    let found = reconstruct(&cube(&[(&row, "10")]), dollars()).unwrap();
    let of = |entity: &str| {
        let listed = Summary {
            billing_entity: Some(entity.to_owned()),
            invoicing_entity: None,
            period: None,
            ..summary("AIN-1", "10")
        };
        let period = BillingPeriod::new(2026, 10).unwrap();
        reconcile(period, &found.invoices, &[listed], Cost::parse(TOLERANCE).unwrap()).unwrap().len()
    };
    assert_eq!([of("AWS"), of("AISPL"), of("AWS_MARKETPLACE")], [0, 0, 1]);
}

#[test]
fn every_difference_is_said() {
    let monthly = Summary {
        before_tax: Some(Cost::parse("91").unwrap()),
        bill_type: Some("PURCHASE".to_owned()),
        invoicing_entity: Some("Amazon Web Services, Inc.".to_owned()),
        period: BillingPeriod::new(2026, 9),
        ..summary("EUINDE26-1", "107.11")
    };
    let market = Summary { currency: Currency::parse("EUR").unwrap(), ..summary("MP-1", "50") };
    assert_eq!(
        differences(&[monthly, market, summary("S-1", "29"), summary("X-1", "3")]),
        [
            "invoice `EUINDE26-1`: its total is `107.1000000001` in the cost files and `107.11` in the list",
            "invoice `EUINDE26-1`: its total before tax is `90.0000000001` in the cost files and `91` in the list",
            "invoice `EUINDE26-1`: its invoicing entity is `Amazon Web Services EMEA SARL` in the cost files and `Amazon Web Services, \
             Inc.` in the list",
            "invoice `EUINDE26-1`: its bill type is `Anniversary` in the cost files and `PURCHASE` in the list",
            "invoice `EUINDE26-1`: its billing period is `2026-10` in the cost files and `2026-09` in the list",
            "invoice `MP-1`: its currency is `USD` in the cost files and `EUR` in the list",
            "invoice `R-1` over -4 USD is in the cost files and not in the list",
            "invoice `X-1` over 3 USD is in the list and not in the cost files",
        ]
    );
    let market = Summary { billing_entity: Some("AISPL".to_owned()), ..summary("MP-1", "50") };
    assert!(differences(&[market]).contains(
        &"invoice `MP-1`: its billing entity is `AWS Marketplace` in the cost files and `AISPL` in the list".to_owned()
    ));
}
