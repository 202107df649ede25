//! Service models for AWS's clients of the services that AWS has no model of: `cargo run -p xtask -- client-models [--check]`.
//!
//! Reads a model of `crates/aws-api/models` that was written by hand, and writes it in botocore's own form to `clients/botocore/SERVICE/VERSION`: that is what
//! `aws configure add-model` takes, and what boto3 finds below `AWS_DATA_PATH`. Nothing is said there that the server's model does not say.

use aws_wire::json::{self, Limits, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Map = BTreeMap<String, Value>;

/// A service that clients are given a model of.
struct Client {
    service: &'static str,
    full_name: &'static str,
    /// How SDKs name the service.
    id: &'static str,
}

const CLIENTS: &[Client] = &[Client {
    service: "purchase-orders",
    full_name: "Purchase orders, as Proforma serves them",
    id: "Purchase Orders",
}];

/// Writes the client models, or with `--check` compares them with the committed ones.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: client-models [--check]".to_owned()),
    };
    let mut differing = Vec::new();
    for client in CLIENTS {
        for (path, text) in files(client)? {
            let shown = path.display();
            if check {
                if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                    differing.push(shown.to_string());
                }
                continue;
            }
            let folder = path.parent().unwrap_or_else(|| Path::new("."));
            fs::create_dir_all(folder).map_err(|error| format!("{shown}: {error}"))?;
            fs::write(&path, text).map_err(|error| format!("{shown}: {error}"))?;
            eprintln!("{shown} written");
        }
    }
    match differing.as_slice() {
        [] => Ok(()),
        _ => Err(format!("out of date, run `cargo run -p xtask -- client-models`: {}", differing.join(", "))),
    }
}

/// The files of a client, with what is in them.
fn files(client: &Client) -> Result<Vec<(PathBuf, String)>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
    let source = root.join("crates/aws-api/models").join(format!("{}.json", client.service));
    let text = fs::read(&source).map_err(|error| format!("{}: {error}", source.display()))?;
    let model = json::parse(&text, Limits::of_size(8 << 20));
    let model = model.map_err(|error| format!("{}: {error}", source.display()))?;
    let version = text_of(&model, "version")?;
    let folder = root.join("clients/botocore").join(client.service).join(version);
    let service = converted(&model, client).map_err(|error| format!("{}: {error}", client.service))?;
    let paginators = paginators(&model).map_err(|error| format!("{}: {error}", client.service))?;
    Ok(vec![
        (folder.join("service-2.json"), written(&service)),
        (folder.join("paginators-1.json"), written(&paginators)),
    ])
}

fn text_of<'a>(model: &'a Value, name: &str) -> Result<&'a str, String> {
    model.get(name).and_then(Value::as_str).ok_or_else(|| format!("no `{name}`"))
}

fn rows<'a>(model: &'a Value, name: &str) -> Result<&'a Map, String> {
    model.get(name).and_then(Value::as_map).ok_or_else(|| format!("no `{name}`"))
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The service model as botocore reads it.
fn converted(model: &Value, client: &Client) -> Result<Value, String> {
    let protocol = text_of(model, "protocol")?;
    let json_version = protocol.strip_prefix("aws-json-").ok_or(format!("`{protocol}` is not written"))?;
    let (service, version) = (text_of(model, "service")?, text_of(model, "version")?);
    let shapes = rows(model, "shapes")?;
    let metadata = object([
        ("apiVersion", Value::from(version)),
        ("auth", Value::List(vec![Value::from("aws.auth#sigv4")])),
        ("endpointPrefix", Value::from(service)),
        ("jsonVersion", Value::from(json_version)),
        ("protocol", Value::from("json")),
        ("protocols", Value::List(vec![Value::from("json")])),
        ("serviceFullName", Value::from(client.full_name)),
        ("serviceId", Value::from(client.id)),
        ("signatureVersion", Value::from("v4")),
        ("signingName", Value::from(text_of(model, "signing_name")?)),
        ("targetPrefix", Value::from(text_of(model, "target_prefix")?)),
        ("uid", Value::from(format!("{service}-{version}"))),
    ]);
    let mut operations = Map::new();
    for (name, row) in rows(model, "operations")? {
        operations.insert(name.clone(), operation(name, row)?);
    }
    let mut converted = Map::new();
    for (name, row) in shapes {
        let row = row.as_map().ok_or(format!("{name} is not an object"))?;
        converted.insert(name.clone(), shape(row).map_err(|error| format!("{name}: {error}"))?);
    }
    Ok(object([
        ("version", Value::from("2.0")),
        ("metadata", metadata),
        ("operations", Value::Map(operations)),
        ("shapes", Value::Map(converted)),
    ]))
}

fn operation(name: &str, row: &Value) -> Result<Value, String> {
    let shape = |name: &Value| object([("shape", name.clone())]);
    let mut kept = Map::from([
        ("name".to_owned(), Value::from(name)),
        (
            "http".to_owned(),
            object([
                ("method", Value::from(text_of(row, "method")?)),
                ("requestUri", Value::from(text_of(row, "path")?)),
            ]),
        ),
    ]);
    for role in ["input", "output"] {
        if let Some(named) = row.get(role) {
            kept.insert(role.to_owned(), shape(named));
        }
    }
    let errors = row.get("errors").and_then(Value::as_list).unwrap_or_default();
    kept.insert("errors".to_owned(), Value::List(errors.iter().map(shape).collect()));
    Ok(Value::Map(kept))
}

fn shape(row: &Map) -> Result<Value, String> {
    let mut kept = Map::new();
    for (name, value) in row {
        let value = match name.as_str() {
            "type" | "min" | "max" | "pattern" | "enum" | "sensitive" => value.clone(),
            "member" | "key" | "value" => object([("shape", value.clone())]),
            "error" => {
                kept.insert("exception".to_owned(), Value::from(true));
                object([("httpStatusCode", value.clone())])
            }
            "members" => {
                let (members, required) = members(value)?;
                if !required.is_empty() {
                    kept.insert("required".to_owned(), Value::List(required));
                }
                members
            }
            other => return Err(format!("trait `{other}` is not written")),
        };
        kept.insert(name.clone(), value);
    }
    Ok(Value::Map(kept))
}

/// The members of a structure, and the names of those that must be there.
fn members(source: &Value) -> Result<(Value, Vec<Value>), String> {
    let (mut members, mut required) = (Map::new(), Vec::new());
    for (name, traits) in source.as_map().ok_or("`members` is not an object")? {
        let mut row = Map::new();
        for (key, value) in traits.as_map().ok_or_else(|| format!("{name} is not an object"))? {
            match key.as_str() {
                "shape" => row.insert("shape".to_owned(), value.clone()),
                "idempotency_token" => row.insert("idempotencyToken".to_owned(), value.clone()),
                "required" => {
                    required.push(Value::from(name.as_str()));
                    None
                }
                other => return Err(format!("{name}: trait `{other}` is not written")),
            };
        }
        members.insert(name.clone(), Value::Map(row));
    }
    Ok((Value::Map(members), required))
}

/// How clients walk the pages of each list: an operation that takes and gives tokens has one list in its answer.
fn paginators(model: &Value) -> Result<Value, String> {
    let shapes = rows(model, "shapes")?;
    let members = |of: &Value, role: &str| {
        let name = of.get(role).and_then(Value::as_str).unwrap_or_default();
        shapes.get(name).and_then(|shape| shape.get("members")).and_then(Value::as_map)
    };
    let is_list = |shape: &Value| {
        let named = shape.get("shape").and_then(Value::as_str).and_then(|name| shapes.get(name));
        named.and_then(|shape| shape.get("type")).and_then(Value::as_str) == Some("list")
    };
    let mut found = Map::new();
    for (name, row) in rows(model, "operations")? {
        let (Some(input), Some(output)) = (members(row, "input"), members(row, "output")) else { continue };
        if !input.contains_key("NextToken") {
            continue;
        }
        let lists: Vec<_> = output.iter().filter(|(_, shape)| is_list(shape)).collect();
        let [(result, _)] = lists.as_slice() else {
            return Err(format!("{name}: an answer in pages has one list"));
        };
        let of = object([
            ("input_token", Value::from("NextToken")),
            ("limit_key", Value::from("MaxResults")),
            ("output_token", Value::from("NextToken")),
            ("result_key", Value::from(result.as_str())),
        ]);
        found.insert(name.clone(), of);
    }
    Ok(object([("pagination", Value::Map(found))]))
}

/// JSON with one operation or shape a line.
fn written(value: &Value) -> String {
    let key = |name: &str| Value::from(name).to_json();
    let entries = value.as_map().into_iter().flatten().map(|(name, value)| match value {
        Value::Map(rows) => {
            let rows: Vec<_> =
                rows.iter().map(|(name, row)| format!("{}: {}", key(name), row.to_json())).collect();
            format!("  {}: {{\n    {}\n  }}", key(name), rows.join(",\n    "))
        }
        plain => format!("  {}: {}", key(name), plain.to_json()),
    });
    format!("{{\n{}\n}}\n", entries.collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    //! The committed client models are those of the server's.

    use super::*;

    #[test]
    fn committed_client_models_are_up_to_date() {
        let checked = run(&["--check".to_owned()]);
        assert_eq!(checked, Ok(()));
    }

    #[test]
    fn what_has_no_counterpart_is_an_error() {
        let row = |text: &str| {
            let value = json::parse(text.as_bytes(), Limits::of_size(1 << 10)).expect("JSON");
            shape(value.as_map().expect("an object"))
        };
        assert!(row(r#"{"type":"structure","members":{"A":{"shape":"S","location":"header"}}}"#).is_err());
        assert!(row(r#"{"type":"string","invented":true}"#).is_err());
        let kept = row(r#"{"type":"structure","error":404,"members":{"A":{"shape":"S","required":true}}}"#);
        let kept = kept.map(|kept| kept.to_json());
        let expected = r#"{"error":{"httpStatusCode":404},"exception":true,"members":{"A":{"shape":"S"}},"required":["A"],"type":"structure"}"#;
        assert_eq!(kept.as_deref(), Ok(expected));
    }
}
