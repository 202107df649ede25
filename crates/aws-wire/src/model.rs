//! A service as data: its operations, shapes and constraints, and what they say of a request.
//!
//! A model is a JSON file, written from AWS's own service models or by hand for a service of one's own (its form: [`Service::parse`]).
//! [`Service::route`] finds the operation, [`Service::input`] gathers one value from labels, query, headers and body, and checks every
//! required member, type, length, range, pattern and enum of it. Patterns must match the whole text, though models write them without
//! anchors; AWS's clients check few of these, so the server must.

mod file;
mod input;
mod route;
#[cfg(test)]
mod tests;
mod validate;

pub use crate::protocol::Protocol;
pub use file::ModelError;
pub use route::{Labels, RouteError};

use crate::json::Number;
use regex_lite::Regex;
use std::collections::BTreeMap;

/// How many problems of one request are told.
pub const PROBLEMS_MAX: usize = 50;

/// A service by its model.
#[derive(Debug, Clone)]
pub struct Service {
    pub name: String,
    /// Of the API, a date.
    pub version: String,
    /// In the scope of a signature.
    pub signing_name: String,
    pub protocol: Protocol,
    /// Before the dot in `X-Amz-Target`.
    pub target_prefix: Option<String>,
    /// Whether a member that the model does not name is refused. AWS ignores them.
    pub refuses_unknown_members: bool,
    operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    pub name: String,
    pub method: String,
    path: Vec<Segment>,
    /// Of a success.
    pub status: u16,
    /// The name of a structure.
    pub input: Option<String>,
    pub output: Option<String>,
    /// The names of the errors that it declares.
    pub errors: Vec<String>,
    pub readonly: bool,
}

impl Operation {
    /// The path of every request for it; none where a request's own values stand in it.
    #[must_use]
    pub fn fixed_path(&self) -> Option<String> {
        let literal = |segment: &Segment| match segment {
            Segment::Literal(text) => Some(text.clone()),
            Segment::Label(_) => None,
        };
        let parts: Option<Vec<String>> = self.path.iter().map(literal).collect();
        Some(format!("/{}", parts?.join("/")))
    }
}

/// A part of a path template between slashes.
#[derive(Debug, Clone)]
enum Segment {
    Literal(String),
    Label(String),
}

/// A type, with its constraints. Bounds are inclusive.
#[derive(Debug, Clone)]
pub enum Shape {
    Structure {
        members: BTreeMap<String, Member>,
        error_status: Option<u16>,
    },
    List {
        member: String,
        count: Bounds,
    },
    Map {
        key: String,
        value: String,
        count: Bounds,
    },
    /// Length in Unicode code points.
    String {
        length: Bounds,
        pattern: Option<Pattern>,
        one_of: Vec<String>,
    },
    /// 32 bits.
    Integer {
        range: Bounds,
    },
    /// 64 bits.
    Long {
        range: Bounds,
    },
    /// Kept as its digits.
    Double {
        range: Bounds,
    },
    Boolean,
    /// Seconds since 1970, as a number.
    Timestamp,
    /// Bytes in base64; length in bytes.
    Blob {
        length: Bounds,
    },
}

/// A member of a structure.
#[derive(Debug, Clone)]
pub struct Member {
    pub shape: String,
    pub required: bool,
    pub place: Place,
    /// Filled by clients with a fresh token, so that a repeated call makes one thing.
    pub is_idempotency_token: bool,
}

/// Where a member stands in a request, with its name there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Body(String),
    Header(String),
    Label(String),
    Query(String),
}

/// The least and the most.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    pub min: Option<Number>,
    pub max: Option<Number>,
}

/// A pattern that must match from the first character to the last.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As the model writes it.
    pub text: String,
    regex: Regex,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, regex_lite::Error> {
        // Anchors inside, as in `^a$|^b$`, keep their meaning: without the multi-line mode `$` is the end of the text, not a line's.
        Regex::new(&format!(r"\A(?:{text})\z")).map(|regex| Self { text: text.to_owned(), regex })
    }

    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// What is wrong with one member of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Such as `ChargeDetails.Flat.ChargeValue` or `AccountIds[3]`; empty for the body as a whole.
    pub name: String,
    /// Never holds the value, which may be meant for few eyes.
    pub message: String,
}

impl Operation {
    /// The template of the path, as the model writes it.
    pub fn path_text(&self) -> String {
        let segment = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Label(name) => format!("/{{{name}}}"),
        };
        self.path.iter().map(segment).collect()
    }
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// In the order of their names.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// The status that an error of the model is answered with.
    pub fn error_status(&self, name: &str) -> Option<u16> {
        match self.shapes.get(name)? {
            Shape::Structure { error_status, .. } => *error_status,
            _ => None,
        }
    }
}
