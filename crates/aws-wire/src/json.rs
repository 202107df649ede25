//! Strict JSON (RFC 8259) that keeps the digits of its numbers.
//!
//! What two readers could take for two things is refused: a key given twice, a lone surrogate, a byte order mark, bytes after the
//! value. Numbers never pass through a double: [`Number`] holds the text as it came, and hands it out exactly.
//! `serde_json` is not the reader, because its digits come only with a feature that changes it for every crate of the build.

mod de;
mod number;
mod parse;
mod ser;
#[cfg(test)]
mod tests;

pub use de::FromValueError;
pub use number::{Number, NumberError};
pub use parse::{JsonError, Limits, Problem, parse};

use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A JSON value. Members of a map are in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// Reads any type that serde can: a field of type [`Number`] gets its digits, an integer only a whole number that fits it.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, FromValueError> {
        T::deserialize(self)
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Map(members) = self { Some(members) } else { None }
    }

    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    /// A member of a map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_map()?.get(name)
    }

    /// What the value is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::List(values)
    }
}
