//! What is refused, what is kept, and that serde sees both.

use super::*;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

fn read(text: &str) -> Result<Value, JsonError> {
    parse(text.as_bytes(), Limits::of_size(1 << 20))
}

fn number(text: &str) -> Number {
    text.parse().expect("a number")
}

/// Checks what is refused, and where.
fn refused(text: &str, place: (usize, usize), part: &str) {
    let error = read(text).expect_err(text);
    assert_eq!((error.line, error.column), place, "{text}: {error}");
    assert!(error.to_string().contains(part), "{text}: {error}");
}

#[test]
fn well_formed_json_is_read() {
    let value = read(
        " {\"a\": [1, -2.50, 1e-08, true, false, null, {}, []],\n \"é\\u00e9\\ud83d\\ude00\\n\\/\": \"\"} ",
    );
    let value = value.expect("it is well formed");
    assert_eq!(value.to_json(), r#"{"a":[1,-2.50,1e-08,true,false,null,{},[]],"éé😀\n/":""}"#);
}

#[test]
fn ambiguous_or_broken_json_is_refused() {
    refused("", (1, 1), "ends too early");
    refused("{\"a\":1,\n \"a\":2}", (2, 2), "key `a` is given twice");
    refused("{\"a\":1,\"\\u0061\":2}", (1, 8), "key `a` is given twice");
    refused("\u{feff}{}", (1, 1), "byte order mark");
    refused("{} {}", (1, 4), "more after");
    refused("{}\0", (1, 3), "more after");
    for text in ["NaN", "Infinity", "nul", "True", "'a'", "{a:1}", "[,1]", "{,}", "undefined", "/**/1"] {
        assert!(read(text).is_err(), "{text}");
    }
    for text in
        ["01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "-01", "1_000", "1.e5", "-NaN", "--1", "1e5.0"]
    {
        assert!(read(text).is_err(), "{text}");
    }
    for text in
        ["[1,]", "{\"a\":1,}", "{\"a\"}", "{\"a\" 1}", "[1 2]", "[1", "{\"a\":", "\"a", "\"\\", "\"\\u12"]
    {
        assert!(read(text).is_err(), "{text}");
    }
    refused("\"a\nb\"", (1, 3), "control character");
    refused("\"\\x41\"", (1, 2), "`\\x` is not an escape");
    refused("\"\\u00zz\"", (1, 2), "four hexadecimal digits");
    refused("\"\\u+123\"", (1, 2), "four hexadecimal digits");
    for text in ["\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\u0041\"", "\"\\ud83dx\"", "\"\\ud83d\\ud83d\""] {
        refused(text, (1, 2), "half of a surrogate pair");
    }
    assert_eq!(
        parse(b"\xff\xfe{\0}\0", Limits::of_size(9)).map_err(|e| e.problem),
        Err(Problem::ByteOrderMark)
    );
    assert_eq!(parse(b"{\0}\0", Limits::of_size(9)).map_err(|e| e.problem), Err(Problem::Unexpected('\0')));
    let error = parse(b"[\"\xff\"]", Limits::of_size(9)).expect_err("not UTF-8");
    assert_eq!((error.problem, error.offset), (Problem::NotUtf8, 2));
}

#[test]
fn size_and_depth_have_limits() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(64)).is_ok());
    refused(&nested(65), (1, 65), "more than 64 deep");
    refused(&"[".repeat(100_000), (1, 65), "more than 64 deep");
    refused(&"{\"a\":".repeat(100_000), (1, 321), "more than 64 deep");
    assert!(parse(b"[1]", Limits::of_size(3)).is_ok());
    let error = parse(b"[1] ", Limits::of_size(3)).expect_err("too large");
    assert_eq!(error.problem, Problem::TooLarge { size: 4, max: 3 });
    let many: Vec<_> = (0..50_000).map(|at| format!("\"{at}\":0")).collect();
    assert!(read(&format!("{{{}}}", many.join(","))).is_ok());
}

#[test]
fn numbers_are_handed_out_exactly() {
    for (text, decimal) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0e99999999999999999999", "0"),
        ("1e-08", "0.00000001"),
        ("1E+2", "100"),
        ("100.0", "100"),
        ("-12.340", "-12.34"),
        ("0.1e1", "1"),
        ("12345678901234567890.5", "12345678901234567890.5"),
        ("1234e-2", "12.34"),
        ("0.00123e2", "0.123"),
        ("5e-1", "0.5"),
    ] {
        assert_eq!(number(text).decimal(40).as_deref(), Ok(decimal), "{text}");
    }
    assert_eq!(number("123.45").decimal(5).as_deref(), Ok("123.45"));
    let long = number("1e400").decimal(40).expect_err("too long");
    assert_eq!(long.to_string(), "`1e400` has 401 digits as a plain decimal, at most 40 are read");
    assert!(number("123.45").decimal(4).is_err());
    assert!(number("1e-99999999999999999999").decimal(1000).is_err());
    assert!(number("1e99999999999999999999").decimal(1000).is_err());
}

#[test]
fn integers_are_whole_and_fit() {
    for (text, whole) in [
        ("10", Some(10)),
        ("1e1", Some(10)),
        ("10.0", Some(10)),
        ("-0", Some(0)),
        ("10.5", None),
        ("1e19", None),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
    ] {
        assert_eq!(number(text).to_i64(), whole, "{text}");
    }
    assert_eq!(number("18446744073709551615").to_u64(), Some(u64::MAX));
    assert_eq!(number("-1").to_u64(), None);
}

#[test]
fn numbers_compare_by_value() {
    let ordered = [
        "-1e400",
        "-20",
        "-2",
        "-1e-400",
        "0",
        "1e-400",
        "0.99",
        "1",
        "1.01",
        "9",
        "10",
        "1e400",
        "1e99999999999999999999",
    ];
    for (at, a) in ordered.iter().enumerate() {
        for (other, b) in ordered.iter().enumerate() {
            assert_eq!(number(a).compare(&number(b)), at.cmp(&other), "{a} {b}");
        }
    }
    for (a, b) in [("1", "1.000"), ("100", "1e2"), ("0", "-0.0"), ("-1.50", "-15e-1")] {
        assert_eq!(number(a).compare(&number(b)), Ordering::Equal, "{a} {b}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    charge_value: Number,
    max_results: Option<u32>,
    at: Option<i64>,
    #[serde(default)]
    names: Vec<String>,
    kind: Option<Kind>,
    inner: Option<Box<Details>>,
    ids: Option<Vec<Number>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Flat,
    Named { name: String },
    Value(Number),
}

fn details(text: &str) -> Result<Details, String> {
    read(text).expect("it is JSON").read().map_err(|error: FromValueError| error.to_string())
}

#[test]
fn structs_get_digits_and_integers() {
    let read = details(
        r#"{"ChargeValue":1e-08,"MaxResults":100,"At":null,"Names":["a","b"],"Kind":"FLAT","Unknown":1.5,"Ids":[0.10]}"#,
    );
    let expected = Details {
        charge_value: number("1e-08"),
        max_results: Some(100),
        at: None,
        names: vec!["a".to_owned(), "b".to_owned()],
        kind: Some(Kind::Flat),
        inner: None,
        ids: Some(vec![number("0.10")]),
    };
    assert_eq!(read, Ok(expected));
    let kind = |text: &str| details(&format!(r#"{{"ChargeValue":1,"Kind":{text}}}"#)).map(|it| it.kind);
    assert_eq!(kind(r#"{"NAMED":{"name":"x"}}"#), Ok(Some(Kind::Named { name: "x".to_owned() })));
    assert_eq!(
        kind(r#"{"VALUE":12345678901234567890.123}"#),
        Ok(Some(Kind::Value(number("12345678901234567890.123"))))
    );
}

#[test]
fn what_does_not_fit_is_placed() {
    for (text, place) in [
        (r#"{"ChargeValue":"1"}"#, "ChargeValue: a string is not a number"),
        (r#"{"ChargeValue":1,"MaxResults":1.5}"#, "MaxResults: `1.5` is not a whole number"),
        (r#"{"ChargeValue":1,"MaxResults":4294967296}"#, "MaxResults: invalid value"),
        (r#"{"ChargeValue":1,"Names":["a",1]}"#, "Names[1]: invalid type"),
        (r#"{"ChargeValue":1,"Names":[null]}"#, "Names[0]: invalid type"),
        (
            r#"{"ChargeValue":1,"Inner":{"ChargeValue":1,"Ids":[1,true]}}"#,
            "Inner.Ids[1]: a boolean is not a number",
        ),
        (r#"{"ChargeValue":1,"Kind":{"NAMED":{"name":1}}}"#, "Kind.NAMED.name: invalid type"),
        (r#"{"ChargeValue":1,"Kind":"OTHER"}"#, "Kind: unknown variant"),
        (r#"{"MaxResults":1}"#, "missing field `ChargeValue`"),
    ] {
        let error = details(text).expect_err(text);
        assert!(error.starts_with(place), "{text}: {error}");
    }
}

#[test]
fn structs_write_digits() {
    #[derive(Serialize)]
    struct Out {
        rate: Number,
        list: Vec<Value>,
    }
    let out = Out { rate: number("1e-08"), list: vec![number("0.10").into_value(), Value::from(7_i64)] };
    assert_eq!(serde_json::to_string(&out).expect("written"), r#"{"rate":1e-08,"list":[0.10,7]}"#);
}

impl Number {
    fn into_value(self) -> Value {
        Value::Number(self)
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|text| Value::Number(number(&text))),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            proptest::collection::btree_map(any::<String>(), inner, 0..6).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        prop_assert_eq!(read(&value.to_json()), Ok(value));
    }

    #[test]
    fn nothing_panics_and_serde_json_agrees_on_what_is_json(text in "[\\[\\]{}:,\"0-9eE+.\\\\ua-f \\-tn]{0,12}") {
        if read(&text).is_ok() {
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = parse(&bytes, Limits::of_size(64));
    }
}
