//! The form of a model file.
//!
//! ```json
//! {"format": 1, "source": "…", "service": "…", "version": "…", "signing_name": "…", "protocol": "rest-json",
//!  "target_prefix": "…", "unknown_members": "ignored", "overrides": [{"at": "…", "was": …, "is": …, "reason": "…"}],
//!  "operations": {"Name": {"method": "POST", "path": "/x/{Label}", "status": 200, "input": "…", "output": "…", "errors": ["…"], "readonly": true}},
//!  "shapes": {"Name": {"type": "structure", "members": {"Name": {"shape": "…", "required": true, "location": "header", "name": "…"}}}}}
//! ```
//!
//! `overrides` records where the file differs from its source, and why; it is already applied.

use super::{Bounds, Member, Operation, Pattern, Place, Protocol, Segment, Service, Shape};
use crate::json::{self, Limits, Number, Value};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// The form described above. Another number is another form.
const FORMAT: i64 = 1;

/// AWS's largest model of a billing service has 400 kB.
const SIZE_BYTES_MAX: usize = 8 << 20;

/// A model file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    #[error("the model is not JSON: {0}")]
    Json(#[from] json::JsonError),

    #[error("the model has another form: {0}")]
    Form(#[from] json::FromValueError),

    #[error("the model has format {0}; format 1 is read")]
    Format(i64),

    #[error("protocol `{0}` is not spoken; `rest-json`, `aws-json-1.0`, `aws-json-1.1` and `query` are")]
    Protocol(String),

    #[error("{place}: {problem}")]
    Content { place: String, problem: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: i64,
    #[serde(rename = "source")]
    _source: String,
    service: String,
    version: String,
    signing_name: String,
    protocol: String,
    target_prefix: Option<String>,
    unknown_members: UnknownMembers,
    #[serde(rename = "overrides")]
    _overrides: Vec<Override>,
    operations: BTreeMap<String, OperationRow>,
    shapes: BTreeMap<String, ShapeRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum UnknownMembers {
    Ignored,
    Refused,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    #[serde(rename = "at")]
    _at: String,
    #[serde(rename = "was")]
    _was: serde::de::IgnoredAny,
    #[serde(rename = "is")]
    _is: serde::de::IgnoredAny,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationRow {
    method: String,
    path: String,
    status: u16,
    input: Option<String>,
    output: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    readonly: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShapeRow {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    members: BTreeMap<String, MemberRow>,
    /// The status of an error.
    error: Option<u16>,
    member: Option<String>,
    key: Option<String>,
    value: Option<String>,
    min: Option<Number>,
    max: Option<Number>,
    pattern: Option<String>,
    #[serde(default, rename = "enum")]
    one_of: Vec<String>,
    #[serde(default, rename = "sensitive")]
    _sensitive: bool,
    /// How instants of answers are written: what makes them knows it.
    #[serde(default, rename = "timestampFormat")]
    _timestamp_format: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberRow {
    shape: String,
    #[serde(default)]
    required: bool,
    location: Option<String>,
    name: Option<String>,
    #[serde(default)]
    idempotency_token: bool,
}

impl Service {
    /// Reads a model and checks that it holds together: every shape that is named exists, every pattern is understood.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let value: Value = json::parse(text.as_bytes(), Limits::of_size(SIZE_BYTES_MAX))?;
        if let Some(Value::Number(number)) = value.get("format") {
            let format = number.to_i64().unwrap_or(-1);
            if format != FORMAT {
                return Err(ModelError::Format(format));
            }
        }
        let file: File = value.read()?;
        debug_assert_eq!(file.format, FORMAT);
        let protocol = match file.protocol.as_str() {
            "rest-json" => Protocol::RestJson,
            "aws-json-1.0" => Protocol::AwsJson10,
            "aws-json-1.1" => Protocol::AwsJson11,
            "query" => Protocol::Query,
            _ => return Err(ModelError::Protocol(file.protocol)),
        };
        let operations = file.operations.into_iter().map(|(name, row)| {
            let operation = operation(&name, row)?;
            Ok((name, operation))
        });
        let shapes = file.shapes.into_iter().map(|(name, row)| {
            let shape = shape(&name, row)?;
            Ok((name, shape))
        });
        let service = Self {
            name: file.service,
            version: file.version,
            signing_name: file.signing_name,
            protocol,
            target_prefix: file.target_prefix,
            refuses_unknown_members: matches!(file.unknown_members, UnknownMembers::Refused),
            operations: operations.collect::<Result<_, ModelError>>()?,
            shapes: shapes.collect::<Result<_, ModelError>>()?,
        };
        service.holds_together()?;
        Ok(service)
    }

    fn holds_together(&self) -> Result<(), ModelError> {
        let exists = |place: &str, name: &String| match self.shapes.contains_key(name) {
            true => Ok(()),
            false => Err(content(place, format!("there is no shape `{name}`"))),
        };
        for (place, operation) in &self.operations {
            let named = operation.input.iter().chain(&operation.output).chain(&operation.errors);
            named.into_iter().try_for_each(|name| exists(place, name))?;
            for segment in &operation.path {
                if let Segment::Label(label) = segment
                    && !self.binds(operation, label)
                {
                    return Err(content(place, format!("no member of its input is the label `{label}`")));
                }
            }
        }
        for (place, shape) in &self.shapes {
            match shape {
                Shape::Structure { members, .. } => {
                    members.values().try_for_each(|member| exists(place, &member.shape))?;
                }
                Shape::List { member, .. } => exists(place, member)?,
                Shape::Map { key, value, .. } => {
                    exists(place, key)?;
                    exists(place, value)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn binds(&self, operation: &Operation, label: &str) -> bool {
        let input = operation.input.as_ref().and_then(|name| self.shapes.get(name));
        let Some(Shape::Structure { members, .. }) = input else { return false };
        members.values().any(|member| matches!(&member.place, Place::Label(name) if name == label))
    }
}

fn content(place: &str, problem: String) -> ModelError {
    ModelError::Content { place: place.to_owned(), problem }
}

fn operation(name: &str, row: OperationRow) -> Result<Operation, ModelError> {
    let Some(path) = row.path.strip_prefix('/').filter(|path| !path.contains(['?', '+'])) else {
        return Err(content(name, format!("path `{}` is not of literals and single labels", row.path)));
    };
    let segments = path.split('/').map(|segment| {
        let label = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        label.map_or_else(|| Segment::Literal(segment.to_owned()), |label| Segment::Label(label.to_owned()))
    });
    Ok(Operation {
        name: name.to_owned(),
        method: row.method,
        path: segments.collect(),
        status: row.status,
        input: row.input,
        output: row.output,
        errors: row.errors,
        readonly: row.readonly,
    })
}

fn shape(name: &str, row: ShapeRow) -> Result<Shape, ModelError> {
    let bounds = Bounds { min: row.min, max: row.max };
    let named =
        |shape: Option<String>, what: &str| shape.ok_or_else(|| content(name, format!("{what} is missing")));
    Ok(match row.kind.as_str() {
        "structure" => {
            let members = row.members.into_iter().map(|(member, row)| {
                let place = place(name, &member, &row)?;
                let (shape, required) = (row.shape, row.required);
                Ok((member, Member { shape, required, place, is_idempotency_token: row.idempotency_token }))
            });
            Shape::Structure { members: members.collect::<Result<_, ModelError>>()?, error_status: row.error }
        }
        "list" => Shape::List { member: named(row.member, "the shape of its elements")?, count: bounds },
        "map" => Shape::Map {
            key: named(row.key, "the shape of its keys")?,
            value: named(row.value, "the shape of its values")?,
            count: bounds,
        },
        "string" => {
            let pattern = row.pattern.map(|text| Pattern::new(&text)).transpose();
            let pattern = pattern.map_err(|error| content(name, format!("its pattern: {error}")))?;
            Shape::String { length: bounds, pattern, one_of: row.one_of }
        }
        "integer" => Shape::Integer { range: bounds },
        "long" => Shape::Long { range: bounds },
        "double" => Shape::Double { range: bounds },
        "boolean" => Shape::Boolean,
        "timestamp" => Shape::Timestamp,
        "blob" => Shape::Blob { length: bounds },
        other => return Err(content(name, format!("type `{other}` is not known"))),
    })
}

fn place(shape: &str, member: &str, row: &MemberRow) -> Result<Place, ModelError> {
    let name = row.name.clone().unwrap_or_else(|| member.to_owned());
    match row.location.as_deref() {
        None => Ok(Place::Body(name)),
        Some("header") => Ok(Place::Header(name)),
        Some("uri") => Ok(Place::Label(name)),
        Some("querystring") => Ok(Place::Query(name)),
        Some(other) => {
            Err(content(shape, format!("member `{member}` stands in `{other}`, which is not read")))
        }
    }
}
