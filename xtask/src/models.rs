//! The models of AWS services as data: `cargo run -p xtask -- models BOTOCORE_DATA [--check]`.
//!
//! Reads the service models of a botocore (`python -c 'import botocore; print(botocore.__path__)'`, folder `data`), keeps the facts that a
//! server routes and validates by, leaves documentation and client hints out, applies the overrides of the table below, and writes
//! `crates/aws-api/models`. A trait that is neither kept nor known to be a client's is an error: nothing is dropped unseen.

use aws_wire::json::{self, Limits, Value};
use aws_wire::model::Service;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

type Map = BTreeMap<String, Value>;

/// A service of AWS's that is served.
struct Served {
    service: &'static str,
    version: &'static str,
    /// The operations that are served, in order; all of them where none is named. What the others alone refer to is left out.
    operations: &'static [&'static str],
}

const SERVICES: &[Served] = &[
    Served { service: "bcm-data-exports", version: "2023-11-26", operations: &[] },
    Served {
        service: "billing",
        version: "2023-09-07",
        operations: &[
            "AssociateSourceViews",
            "CreateBillingView",
            "DeleteBillingView",
            "DisassociateSourceViews",
            "GetBillingView",
            "GetResourcePolicy",
            "ListBillingViews",
            "ListSourceViewsForBillingView",
            "ListTagsForResource",
            "TagResource",
            "UntagResource",
            "UpdateBillingView",
        ],
    },
    Served { service: "billingconductor", version: "2021-07-30", operations: &[] },
    Served {
        service: "budgets",
        version: "2016-10-20",
        operations: &[
            "CreateBudget",
            "CreateNotification",
            "CreateSubscriber",
            "DeleteBudget",
            "DeleteNotification",
            "DeleteSubscriber",
            "DescribeBudget",
            "DescribeBudgetNotificationsForAccount",
            "DescribeBudgetPerformanceHistory",
            "DescribeBudgets",
            "DescribeNotificationsForBudget",
            "DescribeSubscribersForNotification",
            "ListTagsForResource",
            "TagResource",
            "UntagResource",
            "UpdateBudget",
            "UpdateNotification",
            "UpdateSubscriber",
        ],
    },
    Served {
        service: "ce",
        version: "2017-10-25",
        operations: &[
            "CreateCostCategoryDefinition",
            "DeleteCostCategoryDefinition",
            "DescribeCostCategoryDefinition",
            "GetCostAndUsage",
            "GetCostAndUsageComparisons",
            "GetCostAndUsageWithResources",
            "GetCostCategories",
            "GetCostForecast",
            "GetDimensionValues",
            "GetReservationCoverage",
            "GetReservationUtilization",
            "GetSavingsPlansCoverage",
            "GetSavingsPlansUtilization",
            "GetSavingsPlansUtilizationDetails",
            "GetTags",
            "GetUsageForecast",
            "ListCostAllocationTags",
            "ListCostCategoryDefinitions",
            "ListCostCategoryResourceAssociations",
            "ListTagsForResource",
            "TagResource",
            "UntagResource",
            "UpdateCostCategoryDefinition",
        ],
    },
    Served { service: "cur", version: "2017-01-06", operations: &[] },
    Served { service: "invoicing", version: "2024-12-01", operations: &[] },
    Served {
        service: "organizations",
        version: "2016-11-28",
        operations: &[
            "DescribeAccount",
            "DescribeOrganization",
            "DescribeOrganizationalUnit",
            "DescribeResponsibilityTransfer",
            "ListAccounts",
            "ListAccountsForParent",
            "ListChildren",
            "ListInboundResponsibilityTransfers",
            "ListOrganizationalUnitsForParent",
            "ListParents",
            "ListRoots",
            "ListTagsForResource",
        ],
    },
];

/// Where a model differs from botocore's, and why.
struct Override {
    service: &'static str,
    /// Such as `shapes.Arn.pattern`.
    at: &'static str,
    is: Is,
    reason: &'static str,
}

enum Is {
    Text(&'static str),
    Number(i64),
}

const OVERRIDES: &[Override] = &[
    Override {
        service: "billing",
        at: "shapes.CostCategoryName.pattern",
        is: Is::Text(r"[^ \r\n](.*[^ \r\n])?"),
        reason: "a name of a cost category that nobody has finds nothing; the engine of patterns knows neither letters of every script nor what surrounds a name",
    },
    Override {
        service: "billingconductor",
        at: "operations.ListTagsForResource.status",
        is: Is::Number(200),
        reason: "HTTP clients drop the body of a 204, and with it the tags: boto3 reads them from a 200 only",
    },
    Override {
        service: "billingconductor",
        at: "shapes.Arn.pattern",
        is: Is::Text(concat!(
            "arn:aws(-cn)?:billingconductor::[0-9]{12}:billinggroup/?[a-zA-Z0-9]{10,12}$",
            "|^arn:aws(-cn)?:billingconductor::[0-9]{12}:pricingplan/[a-zA-Z0-9]{10}$",
            "|^arn:aws(-cn)?:billingconductor::[0-9]{12}:pricingrule/[a-zA-Z0-9]{10}$",
            "|^(arn:aws(-cn)?:billingconductor::[0-9]{12}:customlineitem/)?[a-zA-Z0-9]{10}"
        )),
        reason: "billing groups have ids of 10 to 12 letters and digits since October 2025; AWS's tag operations still name 12 digits",
    },
    Override {
        service: "budgets",
        at: "shapes.BudgetName.pattern",
        is: Is::Text(r"[^:\\]+"),
        reason: "the engine of patterns cannot look ahead: what a name may not have is looked at by back_office::budgets",
    },
    Override {
        service: "ce",
        at: "shapes.CostCategoryName.pattern",
        is: Is::Text(r"[^ ](.*[^ ])?"),
        reason: "letters of every script: the engine of patterns knows neither them nor what stands around a match",
    },
    Override {
        service: "ce",
        at: "shapes.CostCategoryValue.pattern",
        is: Is::Text(r"[^ ](.*[^ ])?"),
        reason: "as of the names of cost categories",
    },
    Override {
        service: "ce",
        at: "shapes.ResourceTagKey.pattern",
        is: Is::Text(r"[\s\S]*"),
        reason: "which letters a tag may have is looked at by back_office::cost_categories: the engine of patterns knows no letters of every script",
    },
    Override {
        service: "ce",
        at: "shapes.ResourceTagValue.pattern",
        is: Is::Text(r"[\s\S]*"),
        reason: "as of the keys of tags",
    },
    Override {
        service: "invoicing",
        at: "shapes.InvoiceUnitName.pattern",
        is: Is::Text(r"[^ \r\n](.*[^ \r\n])?"),
        reason: "letters of every script and what surrounds a name are looked at by billing::invoice_unit: the engine of patterns knows neither",
    },
    Override {
        service: "organizations",
        at: "shapes.TagKey.pattern",
        is: Is::Text(r"[\s\S]*"),
        reason: "tags are answered and never taken, and the engine of patterns knows no letters of every script",
    },
    Override {
        service: "organizations",
        at: "shapes.TagValue.pattern",
        is: Is::Text(r"[\s\S]*"),
        reason: "tags are answered and never taken, and the engine of patterns knows no letters of every script",
    },
];

/// Traits that concern documentation or clients.
const LEFT_OUT: &[&str] = &[
    "box",
    "deprecated",
    "deprecatedMessage",
    "deprecatedSince",
    "documentation",
    "exception",
    "fault",
    "idempotent",
    "retryable",
];

/// Writes the models, or with `--check` compares them with the committed ones.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (data, check) = match arguments {
        [data] => (data, false),
        [data, flag] if flag == "--check" => (data, true),
        _ => return Err("usage: models BOTOCORE_DATA [--check]".to_owned()),
    };
    let mut differing = Vec::new();
    for served in SERVICES {
        let Served { service, .. } = served;
        let text = compact(Path::new(data), served)?;
        Service::parse(&text)
            .map_err(|error| format!("{service}: the model written is not read: {error}"))?;
        let path = folder().join(format!("{service}.json"));
        let shown = path.display();
        if check {
            if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                differing.push(shown.to_string());
            }
            continue;
        }
        fs::create_dir_all(folder()).map_err(|error| format!("{shown}: {error}"))?;
        fs::write(&path, text).map_err(|error| format!("{shown}: {error}"))?;
        eprintln!("{shown} written");
    }
    match differing.as_slice() {
        [] => Ok(()),
        _ => Err(format!("out of date, run `cargo run -p xtask -- models {data}`: {}", differing.join(", "))),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("crates/aws-api/models")
}

/// The model of one service in our form.
fn compact(data: &Path, served: &Served) -> Result<String, String> {
    let Served { service, version, operations } = *served;
    let file = data.join(service).join(version).join("service-2.json");
    let source = json::parse(&read(&file)?, Limits::of_size(64 << 20));
    let source = source.map_err(|error| format!("{}: {error}", file.display()))?;
    let mut model = converted(&source, service, version).map_err(|error| format!("{service}: {error}"))?;
    if !operations.is_empty() {
        keep_only(&mut model, operations).map_err(|error| format!("{service}: {error}"))?;
    }
    let botocore = botocore_version(data)?;
    let from = format!("botocore {botocore} (Apache-2.0), data/{service}/{version}/service-2.json");
    model.insert("source".to_owned(), Value::from(from));
    let applied = OVERRIDES.iter().filter(|it| it.service == service).map(|it| apply(&mut model, it));
    let applied = applied.collect::<Result<Vec<_>, _>>()?;
    model.insert("overrides".to_owned(), Value::List(applied));
    Ok(written(&model))
}

/// A file, or its compressed form beside it.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let compressed = path.with_extension("json.gz");
    let mut bytes = Vec::new();
    let result = if compressed.exists() {
        fs::File::open(&compressed)
            .and_then(|file| flate2::read::GzDecoder::new(file).read_to_end(&mut bytes))
    } else {
        fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    result.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes)
}

/// The version that the package around the folder says it has.
fn botocore_version(data: &Path) -> Result<String, String> {
    let path = data.join("../__init__.py");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "));
    let version = line.map(|quoted| quoted.trim_matches(['\'', '"']).to_owned());
    version.ok_or_else(|| format!("{}: no `__version__`", path.display()))
}

fn converted(source: &Value, service: &str, version: &str) -> Result<Map, String> {
    let metadata = source.get("metadata").ok_or("no `metadata`")?;
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    let protocol = match (text("protocol"), text("jsonVersion")) {
        (Some("json"), Some(version)) => format!("aws-json-{version}"),
        (Some(protocol), _) => protocol.to_owned(),
        (None, _) => return Err("no `protocol`".to_owned()),
    };
    let signing_name = text("signingName").or(text("endpointPrefix")).ok_or("no `signingName`")?;
    let mut model = Map::from([
        ("format".to_owned(), Value::from(1)),
        ("service".to_owned(), Value::from(service)),
        ("version".to_owned(), Value::from(version)),
        ("signing_name".to_owned(), Value::from(signing_name)),
        ("protocol".to_owned(), Value::from(protocol)),
        ("unknown_members".to_owned(), Value::from("ignored")),
    ]);
    if let Some(prefix) = text("targetPrefix") {
        model.insert("target_prefix".to_owned(), Value::from(prefix));
    }
    let rows = |name: &str, convert: fn(&Map) -> Result<Map, String>| -> Result<Value, String> {
        let rows = source.get(name).and_then(Value::as_map).ok_or(format!("no `{name}`"))?;
        let rows = rows.iter().map(|(key, row)| {
            let row = row.as_map().ok_or(format!("{key} is not an object")).and_then(convert);
            row.map(|row| (key.clone(), Value::Map(row))).map_err(|error| format!("{key}: {error}"))
        });
        rows.collect::<Result<Map, String>>().map(Value::Map)
    };
    model.insert("operations".to_owned(), rows("operations", operation)?);
    model.insert("shapes".to_owned(), rows("shapes", shape)?);
    Ok(model)
}

/// Leaves out all other operations, and the shapes that these do not refer to.
fn keep_only(model: &mut Map, operations: &[&str]) -> Result<(), String> {
    let Some(Value::Map(all)) = model.get_mut("operations") else { return Err("no `operations`".to_owned()) };
    if let Some(missing) = operations.iter().find(|name| !all.contains_key(**name)) {
        return Err(format!("there is no operation `{missing}`"));
    }
    all.retain(|name, _| operations.contains(&name.as_str()));
    let mut waiting: Vec<String> = Vec::new();
    for row in all.values().filter_map(Value::as_map) {
        let errors = row.get("errors").and_then(Value::as_list).unwrap_or_default();
        let named = [row.get("input"), row.get("output")].into_iter().flatten().chain(errors);
        waiting.extend(named.filter_map(Value::as_str).map(ToOwned::to_owned));
    }
    let Some(Value::Map(shapes)) = model.get_mut("shapes") else { return Err("no `shapes`".to_owned()) };
    let mut kept = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if !kept.insert(name.clone()) {
            continue;
        }
        let row = shapes.get(&name).and_then(Value::as_map).ok_or(format!("there is no shape `{name}`"))?;
        let members = row.get("members").and_then(Value::as_map).into_iter().flat_map(Map::values);
        let members = members.filter_map(|member| member.get("shape"));
        let named = ["member", "key", "value"].iter().filter_map(|key| row.get(*key)).chain(members);
        waiting.extend(named.filter_map(Value::as_str).map(ToOwned::to_owned));
    }
    shapes.retain(|name, _| kept.contains(name));
    Ok(())
}

fn operation(source: &Map) -> Result<Map, String> {
    let mut row = Map::new();
    for (name, value) in source {
        match name.as_str() {
            "http" => {
                for (name, value) in value.as_map().ok_or("`http` is not an object")? {
                    let name = match name.as_str() {
                        "method" => "method",
                        "requestUri" => "path",
                        "responseCode" => "status",
                        other => return Err(format!("http trait `{other}` is not known")),
                    };
                    row.insert(name.to_owned(), value.clone());
                }
                row.entry("status".to_owned()).or_insert(Value::from(200));
            }
            "input" | "output" => {
                row.insert(name.clone(), referred(value)?);
            }
            "errors" => {
                let errors = value.as_list().unwrap_or_default().iter().map(referred);
                row.insert(name.clone(), Value::List(errors.collect::<Result<_, _>>()?));
            }
            "readonly" => {
                row.insert(name.clone(), value.clone());
            }
            "name" => {}
            left_out if LEFT_OUT.contains(&left_out) => {}
            other => return Err(format!("trait `{other}` is not known")),
        }
    }
    Ok(row)
}

/// The name in `{"shape": "Name"}`.
fn referred(value: &Value) -> Result<Value, String> {
    value.get("shape").cloned().ok_or_else(|| "no `shape`".to_owned())
}

fn shape(source: &Map) -> Result<Map, String> {
    let mut row = Map::new();
    for (name, value) in source {
        let kept = match name.as_str() {
            "type" | "min" | "max" | "pattern" | "enum" | "sensitive" | "timestampFormat" => value.clone(),
            // Of shapes that operations refer to which are not served; the reader of models refuses one that stays.
            "union" => value.clone(),
            "member" | "key" | "value" => referred(value)?,
            "error" => value.get("httpStatusCode").cloned().ok_or("an error without `httpStatusCode`")?,
            "members" => members(value, source.get("required"))?,
            "required" => continue,
            left_out if LEFT_OUT.contains(&left_out) => continue,
            other => return Err(format!("trait `{other}` is not known")),
        };
        row.insert(name.clone(), kept);
    }
    Ok(row)
}

fn members(source: &Value, required: Option<&Value>) -> Result<Value, String> {
    let required: Vec<_> = required.and_then(Value::as_list).unwrap_or_default().iter().collect();
    let mut members = Map::new();
    for (name, traits) in source.as_map().ok_or("`members` is not an object")? {
        let mut row = Map::new();
        for (key, value) in traits.as_map().ok_or_else(|| format!("{name} is not an object"))? {
            let kept = match key.as_str() {
                "shape" | "location" => key,
                "locationName" => "name",
                "idempotencyToken" => "idempotency_token",
                left_out if LEFT_OUT.contains(&left_out) => continue,
                other => return Err(format!("{name}: trait `{other}` is not known")),
            };
            row.insert(kept.to_owned(), value.clone());
        }
        if required.contains(&&Value::from(name.as_str())) {
            row.insert("required".to_owned(), Value::from(true));
        }
        members.insert(name.clone(), Value::Map(row));
    }
    Ok(Value::Map(members))
}

/// Applies one override, and returns its record. An override of what is not there, or of what is already so, is an error.
fn apply(model: &mut Map, change: &Override) -> Result<Value, String> {
    let missing = || format!("override {}: there is no such value", change.at);
    let (path, last) = change.at.rsplit_once('.').ok_or_else(missing)?;
    let mut place = model;
    for step in path.split('.') {
        place = match place.get_mut(step) {
            Some(Value::Map(inner)) => inner,
            _ => return Err(missing()),
        };
    }
    let is = match change.is {
        Is::Text(text) => Value::from(text),
        Is::Number(number) => Value::from(number),
    };
    let was = place.insert(last.to_owned(), is.clone()).ok_or_else(missing)?;
    if was == is {
        return Err(format!("override {}: botocore says so itself; take it from the table", change.at));
    }
    Ok(Value::Map(Map::from([
        ("at".to_owned(), Value::from(change.at)),
        ("was".to_owned(), was),
        ("is".to_owned(), is),
        ("reason".to_owned(), Value::from(change.reason)),
    ])))
}

/// JSON with one operation, shape or override a line: small, and a difference shows where it is.
fn written(model: &Map) -> String {
    let order = [
        "format",
        "source",
        "service",
        "version",
        "signing_name",
        "protocol",
        "target_prefix",
        "unknown_members",
        "overrides",
        "operations",
        "shapes",
    ];
    let key = |name: &str| Value::from(name).to_json();
    let entries = order.iter().filter_map(|name| {
        let value = model.get(*name)?;
        let (open, rows, close) = match value {
            Value::Map(rows) => {
                let rows = rows.iter().map(|(name, row)| format!("{}: {}", key(name), row.to_json()));
                ('{', rows.collect::<Vec<_>>(), '}')
            }
            Value::List(rows) => ('[', rows.iter().map(Value::to_json).collect(), ']'),
            plain => return Some(format!("  {}: {}", key(name), plain.to_json())),
        };
        let inner =
            if rows.is_empty() { String::new() } else { format!("\n    {}\n  ", rows.join(",\n    ")) };
        Some(format!("  {}: {open}{inner}{close}", key(name)))
    });
    format!("{{\n{}\n}}\n", entries.collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_wire::model::Shape;

    fn map(text: &str) -> Map {
        let value = json::parse(text.as_bytes(), Limits::of_size(1 << 20)).expect("JSON");
        value.as_map().expect("an object").clone()
    }

    #[test]
    fn facts_are_kept_and_hints_left_out() {
        let row = shape(&map(r#"{"type":"structure","documentation":"x","required":["A"],"members":{
                "A":{"shape":"S","location":"header","locationName":"X-A","idempotencyToken":true},"B":{"shape":"S","box":true}}}"#));
        let kept = r#"{"members":{"A":{"idempotency_token":true,"location":"header","name":"X-A","required":true,"shape":"S"},"B":{"shape":"S"}},"type":"structure"}"#;
        assert_eq!(row.map(|row| Value::Map(row).to_json()).as_deref(), Ok(kept));
        let row =
            shape(&map(r#"{"type":"double","min":0.10,"max":1e2}"#)).map(|row| Value::Map(row).to_json());
        assert_eq!(row.as_deref(), Ok(r#"{"max":1e2,"min":0.10,"type":"double"}"#));
    }

    #[test]
    fn an_unknown_trait_is_an_error() {
        assert!(shape(&map(r#"{"type":"structure","members":{},"eventstream":true}"#)).is_err());
        assert!(
            shape(&map(r#"{"type":"structure","members":{"A":{"shape":"S","streaming":true}}}"#)).is_err()
        );
        assert!(operation(&map(r#"{"name":"A","http":{"method":"POST"},"endpoint":{}}"#)).is_err());
    }

    #[test]
    fn an_override_changes_something_that_is_there() {
        let change = |at, is| Override { service: "s", at, is: Is::Number(is), reason: "r" };
        let mut model = map(r#"{"operations":{"A":{"status":204}}}"#);
        assert!(apply(&mut model, &change("operations.B.status", 200)).is_err());
        assert!(apply(&mut model, &change("operations.A.status", 204)).is_err());
        let record = apply(&mut model, &change("operations.A.status", 200)).map(|record| record.to_json());
        assert_eq!(record.as_deref(), Ok(r#"{"at":"operations.A.status","is":200,"reason":"r","was":204}"#));
        assert_eq!(Value::Map(model).to_json(), r#"{"operations":{"A":{"status":200}}}"#);
    }

    #[test]
    fn resources_of_tag_operations_match_as_a_whole() {
        let text = fs::read_to_string(folder().join("billingconductor.json")).expect("a committed model");
        let model = Service::parse(&text).expect("a model");
        let Some(Shape::String { pattern: Some(pattern), .. }) = model.shape("Arn") else {
            panic!("a pattern")
        };
        let arn = |resource: &str| format!("arn:aws:billingconductor::123456789012:{resource}");
        for resource in [
            "billinggroup/123456789012",
            "billinggroup/a1B2c3D4e5",
            "pricingplan/a1B2c3D4e5",
            "customlineitem/a1B2c3D4e5",
        ] {
            assert!(pattern.matches(&arn(resource)), "{resource}");
            for bent in
                [format!("{resource}\n"), format!("{resource}/x"), format!("{resource}\n{}", arn(resource))]
            {
                assert!(!pattern.matches(&arn(&bent)), "{bent}");
            }
            assert!(!pattern.matches(&format!("x{}", arn(resource))), "{resource}");
        }
        for resource in [
            "billinggroup/123456789",
            "billinggroup/1234567890123",
            "pricingplan/12345678901",
            "billingview/a1B2c3D4e5",
        ] {
            assert!(!pattern.matches(&arn(resource)), "{resource}");
        }
        assert!(
            pattern.matches("a1B2c3D4e5") && !pattern.matches("a1B2c3D4e"),
            "a bare id is a custom line item's"
        );
    }

    #[test]
    fn committed_models_are_read() {
        for Served { service, version, .. } in SERVICES {
            let text =
                fs::read_to_string(folder().join(format!("{service}.json"))).expect("a committed model");
            let model = Service::parse(&text).expect("a model");
            assert_eq!((model.name.as_str(), model.version.as_str()), (*service, *version));
        }
    }
}
