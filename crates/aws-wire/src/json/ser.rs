//! Values written as JSON, numbers as their digits.

use super::{Number, Value};
use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.as_str().to_owned()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(members) => serializer.collect_map(members),
        }
    }
}

impl Value {
    /// The value as compact JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a value has text keys and numbers in JSON's form only")
    }
}
