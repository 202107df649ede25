//! As much of JSON as the fixtures need: this crate knows no format.

use std::collections::BTreeMap;

/// A JSON value; numbers are not needed.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

impl Json {
    pub fn read(text: &str) -> Self {
        let mut rest = text;
        value(&mut rest)
    }

    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(key).filter(|value| **value != Self::Null),
            other => panic!("{other:?} has no members"),
        }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(|value| match value {
            Self::Text(text) => text.as_str(),
            other => panic!("`{key}` is {other:?}"),
        })
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).map(|value| *value == Self::Bool(true))
    }

    pub fn list(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            other => panic!("{other:?} is no list"),
        }
    }

    pub fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }
}

fn value(rest: &mut &str) -> Json {
    *rest = rest.trim_start();
    let word = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
    if let Some((text, json)) = word.into_iter().find(|(text, _)| rest.starts_with(text)) {
        *rest = &rest[text.len()..];
        return json;
    }
    match rest.as_bytes()[0] {
        b'"' => Json::Text(string(rest)),
        b'[' => {
            let mut items = Vec::new();
            while !ends(rest, '[', ']') {
                items.push(value(rest));
            }
            Json::List(items)
        }
        b'{' => {
            let mut map = BTreeMap::new();
            while !ends(rest, '{', '}') {
                let key = string(rest);
                *rest = rest.trim_start().strip_prefix(':').unwrap();
                map.insert(key, value(rest));
            }
            Json::Map(map)
        }
        other => panic!("unexpected `{}`", char::from(other)),
    }
}

/// Steps over the opening mark or a comma; whether the closing mark follows.
fn ends(rest: &mut &str, open: char, close: char) -> bool {
    *rest = rest.trim_start();
    *rest = rest.strip_prefix([open, ',']).unwrap_or(rest).trim_start();
    let closed = rest.strip_prefix(close);
    *rest = closed.unwrap_or(rest);
    closed.is_some()
}

fn string(rest: &mut &str) -> String {
    let text = rest.trim_start().strip_prefix('"').unwrap();
    let end = text.find('"').unwrap();
    assert!(!text[..end].contains('\\'), "escapes are not read");
    *rest = &text[end + 1..];
    text[..end].to_owned()
}
