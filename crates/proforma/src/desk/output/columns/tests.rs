//! Every operation that a command asks for, with lists of no, one and several entries.

use super::*;
use crate::desk::output::csv;
use serde_json::{Map, json};

const SERVICES: [&str; 2] = [aws_api::proforma::SERVICE, aws_api::purchase_orders::SERVICE];
const NOON: i64 = 1_794_312_000;

/// An answer of a shape, with so many entries in each of its lists.
fn sample(service: &'static Service, shape: &'static str, entries: usize) -> Value {
    match service.shape(shape).unwrap() {
        // What can stand in itself has an end somewhere.
        Shape::Structure { .. } if is_within_itself(service, shape) => json!({}),
        Shape::Structure { members, .. } => {
            let member = |(name, of): (&'static String, &'static Member)| {
                (name.clone(), sample(service, &of.shape, entries))
            };
            Value::Object(members.iter().map(member).collect())
        }
        Shape::List { member, .. } => vec![sample(service, member, entries); entries].into(),
        Shape::Map { value, .. } => {
            Value::Object(Map::from_iter([("key".to_owned(), sample(service, value, entries))]))
        }
        Shape::Timestamp => json!(NOON),
        Shape::Boolean => json!(true),
        Shape::Integer { .. } | Shape::Long { .. } => json!(7),
        _ => json!("=1+1"),
    }
}

fn read(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = ::csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let texts = |row: &::csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = texts(reader.headers().unwrap());
    (header, reader.records().map(|row| texts(&row.unwrap())).collect())
}

#[test]
fn the_columns_of_an_operation_are_the_same_whatever_it_answers() {
    for service in SERVICES {
        let model = aws_api::services::all().by_signing_name(service).unwrap();
        for operation in model.operations() {
            let columns = Columns::of((service, &operation.name)).unwrap();
            let name = &operation.name;
            for count in [0, 1, 3] {
                let answer = sample(model, operation.output.as_deref().unwrap(), count);
                let text = csv(columns.header(), columns.rows(&columns.in_words(&answer))).unwrap();
                let (header, rows) = read(&text);
                assert_eq!(header, columns.header(), "{name}");
                let listed = count * columns.lists.len();
                // A row of its own where something is said beside lists that are empty.
                let root = columns.root.map_or(&answer, |name| &answer[name]);
                let mut once = columns.said_once.iter().filter_map(|path| at(root, path));
                let says_something = once.any(|value| value.as_array().is_none_or(|of| !of.is_empty()));
                let expected = if says_something { listed.max(1) } else { listed };
                assert_eq!(rows.len(), if header.is_empty() { 0 } else { expected }, "{name}: {text}");
                for cell in rows.iter().flatten() {
                    assert!(!cell.starts_with('=') && cell != &NOON.to_string(), "{name}: {text}");
                }
            }
            let bare = csv(columns.header(), columns.rows(&json!({}))).unwrap();
            assert_eq!(
                read(&bare).0,
                columns.header(),
                "{name}: what an answer leaves out has its column all the same"
            );
        }
    }
}

#[test]
fn no_two_columns_have_one_name() {
    for service in SERVICES {
        for operation in aws_api::services::all().by_signing_name(service).unwrap().operations() {
            let header = Columns::of((service, &operation.name)).unwrap().header();
            let names: BTreeSet<_> = header.iter().collect();
            assert_eq!(names.len(), header.len(), "{}: {header:?}", operation.name);
        }
    }
}

#[test]
fn an_order_is_a_row_for_each_of_its_lines() {
    let columns = Columns::of((aws_api::purchase_orders::SERVICE, "GetPurchaseOrder")).unwrap();
    let order = json!({ "PurchaseOrder": {
        "PurchaseOrderId": "PO-1", "UpdatedOn": NOON, "BillFrom": ["AWS_INC", "AWS_EUROPE"], "Tags": { "team": "red" },
        "ShipTo": { "City": "Dover" }, "Contacts": [{ "Email": "ann@example.com" }],
        "LineItems": [{ "Number": "1", "Description": "=1" }, { "Number": "2", "Tax": { "Percentage": "-20" } }],
    }});
    let (header, rows) = read(&csv(columns.header(), columns.rows(&columns.in_words(&order))).unwrap());
    let cell = |row: usize, name: &str| {
        let place = header.iter().position(|of| of == name).unwrap_or_else(|| panic!("{name} of {header:?}"));
        rows[row][place].as_str()
    };
    assert_eq!(rows.len(), 2);
    for row in 0..2 {
        assert_eq!(cell(row, "PurchaseOrderId"), "PO-1");
        assert_eq!(cell(row, "UpdatedOn"), "2026-11-10T12:00:00Z");
        assert_eq!(cell(row, "BillFrom"), "AWS_INC; AWS_EUROPE");
        assert_eq!(cell(row, "ShipTo.City"), "Dover");
        assert_eq!(cell(row, "Tags"), r#"{"team":"red"}"#);
        assert_eq!(cell(row, "Contacts"), r#"[{"Email":"ann@example.com"}]"#);
    }
    assert_eq!((cell(0, "LineItems.Number"), cell(0, "LineItems.Description")), ("1", "'=1"));
    assert_eq!((cell(1, "LineItems.Number"), cell(1, "LineItems.Tax.Percentage")), ("2", "-20"));
}
