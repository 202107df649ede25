//! Routing, gathering and every kind of constraint, on a small model.

use super::*;
use crate::json::{Limits, Value, parse};
use http::{HeaderMap, HeaderName, HeaderValue};

const MODEL: &str = r#"{
  "format": 1, "source": "by hand", "service": "things", "version": "2026-11-01", "signing_name": "things",
  "protocol": "rest-json", "unknown_members": "ignored",
  "overrides": [{"at": "shapes.Name.max", "was": 9.5, "is": 8, "reason": "a test"}],
  "operations": {
    "CreateThing": {"method": "POST", "path": "/create-thing", "status": 200, "input": "CreateThingInput", "errors": ["Conflict"]},
    "GetTags": {"method": "GET", "path": "/tags/{Arn}", "status": 200, "input": "TagsInput", "readonly": true},
    "GetAllTags": {"method": "GET", "path": "/tags/all", "status": 200},
    "Untag": {"method": "DELETE", "path": "/tags/{Arn}", "status": 204, "input": "TagsInput"}
  },
  "shapes": {
    "CreateThingInput": {"type": "structure", "members": {
      "ClientToken": {"shape": "Token", "location": "header", "name": "X-Amzn-Client-Token", "idempotency_token": true},
      "Name": {"shape": "Name", "required": true},
      "Kind": {"shape": "Kind"}, "Count": {"shape": "Count"}, "At": {"shape": "Instant"}, "Rate": {"shape": "Rate"},
      "On": {"shape": "Flag"}, "Ids": {"shape": "Ids"}, "Tags": {"shape": "Tags"}, "Since": {"shape": "Time"},
      "Data": {"shape": "Data"}, "Arn": {"shape": "Arn"}, "Inner": {"shape": "Inner"}, "Renamed": {"shape": "Flag", "name": "renamed"}}},
    "TagsInput": {"type": "structure", "members": {
      "Arn": {"shape": "Text", "required": true, "location": "uri", "name": "Arn"},
      "Keys": {"shape": "Ids", "location": "querystring", "name": "tagKeys"},
      "Max": {"shape": "Count", "location": "querystring", "name": "max"}}},
    "Inner": {"type": "structure", "members": {"Rate": {"shape": "Rate", "required": true}, "Inner": {"shape": "Inner"}, "Ids": {"shape": "Ids"}}},
    "Conflict": {"type": "structure", "error": 409, "members": {"Message": {"shape": "Text", "required": true}}},
    "Token": {"type": "string", "min": 1, "max": 8, "pattern": "[a-z0-9-]+"},
    "Name": {"type": "string", "min": 2, "max": 4, "pattern": "[a-z\u00e9]+", "sensitive": true},
    "Kind": {"type": "string", "enum": ["ONE", "TWO"]},
    "Arn": {"type": "string", "pattern": "arn:b/[0-9]{2}$|^arn:p/[a-z]{2}$|^(arn:c/)?[a-z]{3}"},
    "Text": {"type": "string"}, "Count": {"type": "integer", "min": 1, "max": 100}, "Instant": {"type": "long", "min": 0},
    "Rate": {"type": "double", "min": 0, "max": 1000000}, "Flag": {"type": "boolean"}, "Time": {"type": "timestamp"},
    "Data": {"type": "blob", "max": 3}, "Id": {"type": "string", "pattern": "\\d{3}"},
    "Ids": {"type": "list", "member": "Id", "min": 1, "max": 3},
    "Tags": {"type": "map", "key": "Id", "value": "Kind", "min": 1, "max": 2}
  }
}"#;

fn service() -> Service {
    Service::parse(MODEL).expect("a model")
}

fn body(text: &str) -> Value {
    parse(text.as_bytes(), Limits::of_size(1 << 20)).expect("JSON")
}

/// What `CreateThing` reads of a body, or its problems as `name: message`.
fn create(service: &Service, text: &str) -> Result<String, Vec<String>> {
    let operation = service.operation("CreateThing").expect("an operation");
    let read = service.input(operation, &Labels::new(), &[], &HeaderMap::new(), Some(body(text)));
    read.map(|value| value.to_json()).map_err(|problems| {
        problems.into_iter().map(|problem| format!("{}: {}", problem.name, problem.message)).collect()
    })
}

fn accepted(members: &str) {
    let text = format!(r#"{{"Name":"ab",{members}}}"#);
    assert!(create(&service(), &text).is_ok(), "{text}: {:?}", create(&service(), &text));
}

fn refused(members: &str, problems: &[&str]) {
    let text = format!(r#"{{"Name":"ab",{members}}}"#);
    assert_eq!(create(&service(), &text).expect_err(&text), problems, "{text}");
}

#[test]
fn a_model_is_read() {
    let service = service();
    let operation = service.operation("GetTags").expect("an operation");
    assert!(operation.readonly && operation.status == 200);
    assert_eq!(service.operations().count(), 4);
    assert_eq!((service.error_status("Conflict"), service.error_status("Name")), (Some(409), None));
    let Some(Shape::Structure { members, .. }) = service.shape("CreateThingInput") else {
        panic!("a structure")
    };
    assert!(members["ClientToken"].is_idempotency_token && members["Name"].required);
}

#[test]
fn a_model_that_does_not_hold_together_is_refused() {
    for (from, to, part) in [
        ("\"format\": 1", "\"format\": 2", "format 2"),
        ("rest-json", "rest-xml", "protocol `rest-xml`"),
        ("\"errors\": [\"Conflict\"]", "\"errors\": [\"Gone\"]", "no shape `Gone`"),
        ("\"member\": \"Id\"", "\"member\": \"Idd\"", "no shape `Idd`"),
        ("\\\\d{3}", "\\\\d{3", "its pattern"),
        ("\"type\": \"blob\"", "\"type\": \"stream\"", "type `stream`"),
        ("\"location\": \"uri\"", "\"location\": \"body\"", "stands in `body`"),
        ("/tags/all", "/tags/{Other}", "is the label `Other`"),
        ("/tags/all", "/tags/{All+}", "single labels"),
        ("\"readonly\"", "\"readnly\"", "unknown field `readnly`"),
    ] {
        assert!(MODEL.contains(from), "{from}");
        let error = Service::parse(&MODEL.replace(from, to)).expect_err(part);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn rest_json_is_routed_by_method_and_path() {
    let service = service();
    let route = |method: &str, path: &str| {
        service.route(method, path, None).map(|(operation, labels)| (operation.name.clone(), labels))
    };
    let (name, labels) = route("GET", "/tags/arn%3Aaws%2Fx%20y").expect("an operation");
    assert_eq!((name.as_str(), labels["Arn"].as_str()), ("GetTags", "arn:aws/x y"));
    assert_eq!(route("DELETE", "/tags/a+b").map(|it| it.1["Arn"].clone()).as_deref(), Ok("a+b"));
    assert_eq!(
        route("GET", "/tags/all").map(|it| it.0).as_deref(),
        Ok("GetAllTags"),
        "a literal before a label"
    );
    for (method, path) in [
        ("GET", "/create-thing"),
        ("POST", "//create-thing"),
        ("POST", "/create-thing/"),
        ("POST", "/Create-Thing"),
        ("POST", "create-thing"),
        ("GET", "/tags/"),
        ("GET", "/tags"),
        ("GET", "/tags/a/b"),
        ("post", "/create-thing"),
        ("POST", "/create%2Dthing"),
        ("TRACE", "/"),
        ("GET", ""),
    ] {
        assert!(matches!(route(method, path), Err(RouteError::UnknownOperation(_))), "{method} {path}");
    }
    assert_eq!(route("GET", "/tags/%ff"), Err(RouteError::Label("Arn".to_owned())));
}

#[test]
fn aws_json_and_query_are_routed_by_target() {
    let json = MODEL
        .replace("rest-json", "aws-json-1.1")
        .replace("\"unknown_members\"", "\"target_prefix\": \"Things\", \"unknown_members\"");
    let json = Service::parse(&json).expect("a model");
    let route = |method: &str, path: &str, target: Option<&str>| {
        json.route(method, path, target).map(|(operation, _)| operation.name.clone())
    };
    assert_eq!(route("POST", "/", Some("Things.CreateThing")).as_deref(), Ok("CreateThing"));
    for (method, path, target) in [
        ("POST", "/", None),
        ("POST", "/", Some("CreateThing")),
        ("POST", "/", Some("Other.CreateThing")),
        ("GET", "/", Some("Things.CreateThing")),
        ("POST", "/x", Some("Things.CreateThing")),
        ("POST", "/", Some("Things.Nothing")),
        ("POST", "/", Some("ThingsCreateThing")),
    ] {
        assert!(route(method, path, target).is_err(), "{method} {path} {target:?}");
    }
    let query = Service::parse(&MODEL.replace("rest-json", "query")).expect("a model");
    let routed = query.route("POST", "/", Some("CreateThing")).map(|(operation, _)| operation.name.clone());
    assert_eq!(routed.as_deref(), Ok("CreateThing"));
}

#[test]
fn members_are_gathered_from_everywhere() {
    let service = service();
    let operation = service.operation("Untag").expect("an operation");
    let labels = Labels::from([("Arn".to_owned(), "a:b".to_owned())]);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let query = [pair("tagKeys", "123"), pair("other", "x"), pair("tagKeys", "456"), pair("max", "7")];
    let read =
        service.input(operation, &labels, &query, &HeaderMap::new(), None).map(|value| value.to_json());
    assert_eq!(read.as_deref(), Ok(r#"{"Arn":"a:b","Keys":["123","456"],"Max":7}"#));
    let query = [pair("max", "7"), pair("max", "8"), pair("tagKeys", "12")];
    let problems = service.input(operation, &labels, &query, &HeaderMap::new(), None).expect_err("problems");
    let names: Vec<_> = problems.iter().map(|it| (it.name.as_str(), it.message.as_str())).collect();
    assert_eq!(
        names,
        [("Keys[0]", "must match the pattern \\d{3}"), ("Max", "must be a number, not a list")]
    );

    let operation = service.operation("CreateThing").expect("an operation");
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-amzn-client-token"), HeaderValue::from_static("t-1"));
    let text = r#"{"Name":"ab","renamed":true,"ClientToken":"ignored","Kind":null,"Other":1.5}"#;
    let read = service.input(operation, &Labels::new(), &[], &headers, Some(body(text)));
    assert_eq!(
        read.map(|it| it.to_json()).as_deref(),
        Ok(r#"{"ClientToken":"t-1","Name":"ab","Renamed":true}"#)
    );
    headers.insert("x-amzn-client-token", HeaderValue::from_static("T 1"));
    let read = service.input(operation, &Labels::new(), &[], &headers, Some(body(text)));
    assert_eq!(read.expect_err("a pattern")[0].name, "ClientToken");
}

#[test]
fn required_and_null_and_wrong_types() {
    let service = service();
    assert_eq!(create(&service, "{}"), Err(vec!["Name: is required".to_owned()]));
    assert_eq!(create(&service, r#"{"Name":null}"#), Err(vec!["Name: is required".to_owned()]));
    let problems = ["Name: is required".to_owned()];
    assert!(create(&service, "[]").expect_err("a list").ends_with(&problems));
    refused(r#""Inner":{}"#, &["Inner.Rate: is required"]);
    refused(r#""Inner":{"Rate":1,"Inner":{"Rate":null}}"#, &["Inner.Inner.Rate: is required"]);
    refused(r#""Ids":[null]"#, &["Ids[0]: must be a string, not null"]);
    refused(
        r#""Arn":1,"Count":"1","Ids":{},"Inner":[],"On":"true","Rate":true,"Tags":[]"#,
        &[
            "Arn: must be a string, not a number",
            "Count: must be a number, not a string",
            "Ids: must be a list, not an object",
            "Inner: must be an object, not a list",
            "On: must be a boolean, not a string",
            "Rate: must be a number, not a boolean",
            "Tags: must be an object, not a list",
        ],
    );
}

#[test]
fn lengths_count_characters_and_elements() {
    for (name, problem) in [
        ("a", "Name: must have at least 2 characters"),
        ("ab", ""),
        ("\u{e9}\u{e9}\u{e9}\u{e9}", ""),
        ("abcde", "Name: must have at most 4 characters"),
    ] {
        let answer =
            create(&service(), &format!(r#"{{"Name":"{name}"}}"#)).err().unwrap_or_default().concat();
        assert_eq!(answer, problem, "{name}");
    }
    refused(r#""Ids":[]"#, &["Ids: must have at least 1 elements"]);
    accepted(r#""Ids":["123","123","123"]"#);
    refused(
        r#""Ids":["123","123","123","12"]"#,
        &["Ids: must have at most 3 elements", "Ids[3]: must match the pattern \\d{3}"],
    );
    refused(r#""Tags":{}"#, &["Tags: must have at least 1 entries"]);
    accepted(r#""Tags":{"123":"ONE"}"#);
    refused(
        r#""Tags":{"12":"ONE","123":"SIX"}"#,
        &["Tags.12: must match the pattern \\d{3}", "Tags.123: must be one of ONE, TWO"],
    );
    accepted(r#""Data":"AAEC""#);
    refused(r#""Data":"AAECAw==""#, &["Data: must have at most 3 bytes"]);
    refused(r#""Data":"***""#, &["Data: must be bytes in base64"]);
}

#[test]
fn patterns_match_the_whole_text() {
    for id in ["12", "1234", "123\\n", "\\n123", "12a", "\u{661}\u{662}\u{663}", " 123", ""] {
        refused(&format!(r#""Ids":["{id}"]"#), &["Ids[0]: must match the pattern \\d{3}"]);
    }
    for arn in ["arn:b/12", "arn:p/ab", "arn:c/abc", "abc"] {
        accepted(&format!(r#""Arn":"{arn}""#));
    }
    for arn in [
        "arn:b/123",
        "xarn:b/12",
        "arn:p/abc",
        "arn:b/12\\n",
        "abcd",
        "abc\\n",
        "arn:c/abcd",
        "x\\nabc",
        "arn:p/ab\\narn:p/ab",
    ] {
        let text = format!(r#"{{"Name":"ab","Arn":"{arn}"}}"#);
        assert!(create(&service(), &text).is_err(), "{arn}");
    }
}

#[test]
fn numbers_keep_to_their_range_and_digits() {
    for (count, problem) in [
        ("0", "Count: must be at least 1"),
        ("1", ""),
        ("1e2", ""),
        ("101", "Count: must be at most 100"),
        ("1.5", "Count: must be a whole number of 32 bits"),
        ("2147483648", "Count: must be a whole number of 32 bits"),
    ] {
        let answer =
            create(&service(), &format!(r#"{{"Name":"ab","Count":{count}}}"#)).err().unwrap_or_default();
        assert_eq!(answer.concat(), problem, "{count}");
    }
    refused(r#""At":-1"#, &["At: must be at least 0"]);
    refused(r#""At":9223372036854775808"#, &["At: must be a whole number of 64 bits"]);
    refused(r#""Rate":-1e-400"#, &["Rate: must be at least 0"]);
    refused(r#""Rate":1000000.00000000000000000001"#, &["Rate: must be at most 1000000"]);
    refused(r#""Rate":1e400"#, &["Rate: must be a number below 10^308"]);
    accepted(r#""Rate":1000000.000,"Since":1700000000.5"#);
    let kept = create(&service(), r#"{"Name":"ab","Rate":1e-08}"#);
    assert_eq!(kept.as_deref(), Ok(r#"{"Name":"ab","Rate":1e-08}"#));
}

#[test]
fn a_strict_service_refuses_what_it_does_not_name() {
    let strict = Service::parse(&MODEL.replace("ignored", "refused")).expect("a model");
    let text = r#"{"Name":"ab","Nmae":"x","Inner":{"Rate":1,"rate":2}}"#;
    let expected =
        ["Inner.rate: is not a member that is known here", "Nmae: is not a member that is known here"];
    assert_eq!(create(&strict, text), Err(expected.map(str::to_owned).to_vec()));
    assert!(create(&service(), text).is_ok());
}

#[test]
fn only_so_many_problems_are_told() {
    let ids: Vec<_> = (0..100_000).map(|_| "1").collect();
    let text = format!(r#"{{"Name":"ab","Ids":[{}]}}"#, ids.join(","));
    assert_eq!(create(&service(), &text).expect_err("problems").len(), PROBLEMS_MAX);
}
