//! A parsed file, the same from TOML and JSON: values with their offsets, numbers as the digits that were written.

use jsonc_parser::ast::Value as JsonValue;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it begins.
#[derive(Debug, Clone)]
pub struct Node {
    pub offset: usize,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub enum Value {
    Text(String),
    /// The digits as written.
    Number(String),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// A kind of value that no book has: dates, null.
    Other(&'static str),
}

/// A key of a table, with its own offset.
#[derive(Debug, Clone)]
pub struct Entry {
    pub key: String,
    pub key_offset: usize,
    pub node: Node,
}

impl Node {
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(nodes) => Some(nodes),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "text",
            Value::Number(_) => "a number",
            Value::Bool(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

/// Where parsing failed, and why.
type Failure = (usize, String);

pub fn toml(text: &str) -> Result<Node, Failure> {
    let table = DeTable::parse(text).map_err(|error| {
        (error.span().map_or(0, |span| span.start), format!("not valid TOML: {}", error.message()))
    })?;
    Ok(toml_table(table.span().start, table.get_ref()))
}

fn toml_table(offset: usize, table: &DeTable<'_>) -> Node {
    let mut entries: Vec<Entry> = (table.iter())
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_offset: key.span().start,
            node: toml_value(value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_offset);
    Node { offset, value: Value::Table(entries) }
}

fn toml_value(value: &Spanned<DeValue<'_>>) -> Node {
    let offset = value.span().start;
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) if digits.radix() == 10 => Value::Number(digits.as_str().replace('_', "")),
        DeValue::Integer(_) => Value::Other("a number that is not decimal"),
        DeValue::Float(digits) => Value::Number(digits.as_str().replace('_', "")),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(values) => Value::List(values.iter().map(toml_value).collect()),
        DeValue::Table(table) => return toml_table(offset, table),
    };
    Node { offset, value }
}

pub fn json(text: &str) -> Result<Node, Failure> {
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict)
        .map_err(|error| (error.range().start, format!("not valid JSON: {}", error.kind())))?;
    parsed
        .value
        .as_ref()
        .map(json_value)
        .unwrap_or_else(|| Err((0, "not valid JSON: the file is empty".to_owned())))
}

fn json_value(value: &JsonValue<'_>) -> Result<Node, Failure> {
    let offset = value.start();
    let value = match value {
        JsonValue::StringLit(text) => Value::Text(text.value.to_string()),
        JsonValue::NumberLit(digits) => Value::Number(digits.value.to_owned()),
        JsonValue::BooleanLit(value) => Value::Bool(value.value),
        JsonValue::NullKeyword(_) => Value::Other("null"),
        JsonValue::Array(array) => {
            Value::List(array.elements.iter().map(json_value).collect::<Result<_, _>>()?)
        }
        JsonValue::Object(object) => {
            let mut entries: Vec<Entry> = Vec::with_capacity(object.properties.len());
            for property in &object.properties {
                let key = property.name.as_str().to_owned();
                if entries.iter().any(|entry| entry.key == key) {
                    return Err((
                        property.start(),
                        format!("not valid JSON: `{key}` stands twice in one object"),
                    ));
                }
                entries.push(Entry { key, key_offset: property.start(), node: json_value(&property.value)? });
            }
            Value::Table(entries)
        }
    };
    Ok(Node { offset, value })
}
