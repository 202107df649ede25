//! Names of somebody in texts, and what is said instead.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How many characters a name has at most that is only found as it is written: more of these are everyday words than names.
const SHORT: usize = 2;

/// Texts that name somebody, each with what is said instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    names: Vec<Name>,
    /// What stands for an address in the key of a message, each with what stands there instead.
    recipients: Vec<(String, String)>,
    /// In which texts alone of JSON, as a whole; `None` for any.
    texts: Option<BTreeSet<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    text: String,
    /// As JSON writes it, where that differs: in texts that quote JSON.
    escaped: Option<String>,
    instead: String,
}

impl Replacement {
    /// Replaces each of some texts by another; none of them is empty.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let named = pairs.into_iter().filter(|(name, _)| !name.is_empty()).map(|(text, instead)| {
            let quoted = Value::from(text.as_str()).to_string();
            let within = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let escaped = within.filter(|within| *within != text).map(str::to_owned);
            Name { text, escaped, instead }
        });
        Self { names: named.collect(), recipients: Vec::new(), texts: None }
    }

    /// Replaces what stands for recipients in the keys of messages, too.
    #[must_use]
    pub fn with_recipients(self, recipients: Vec<(String, String)>) -> Self {
        Self { recipients, ..self }
    }

    /// Replaces in JSON only in strings that are one of some texts.
    #[must_use]
    pub fn in_texts(self, texts: BTreeSet<String>) -> Self {
        Self { texts: Some(texts), ..self }
    }

    /// The key of a message without the recipients; `None` where it is of none of them. The rest of a key names what is told: were it changed, the same
    /// would be told again, so that only a whole part is replaced, and none by a name.
    #[must_use]
    pub fn of_key(&self, key: &str) -> Option<String> {
        let instead =
            |part: &str| self.recipients.iter().find_map(|(of, to)| (of == part).then_some(to.clone()));
        let is_of_one = key.split('|').any(|part| instead(part).is_some());
        let without = || key.split('|').map(|part| instead(part).unwrap_or_else(|| part.to_owned()));
        is_of_one.then(|| without().collect::<Vec<_>>().join("|"))
    }

    /// A text without the names; `None` where it has none of them. Letters are compared without regard to case, but of a name of two characters, and a
    /// name within a longer word is none.
    #[must_use]
    pub fn of(&self, text: &str) -> Option<String> {
        self.without_all(text, |name| [Some(name.text.as_str()), None])
    }

    /// JSON without the names in what its strings say, and nowhere else: not in keys, and of the strings only in those at some paths. What is no JSON is
    /// taken as a text that may quote some.
    #[must_use]
    pub fn of_json(&self, json: &str, paths: &[&str]) -> Option<String> {
        match serde_json::from_str(json) {
            Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
                let paths: Vec<Vec<&str>> = paths.iter().map(|path| path.split('.').collect()).collect();
                let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
                self.within(&mut value, &paths).then(|| value.to_string())
            }
            _ => self.without_all(json, |name| [name.escaped.as_deref(), Some(name.text.as_str())]),
        }
    }

    /// Replaces in the strings of a value that paths lead to; whether there was something to replace.
    fn within(&self, value: &mut Value, paths: &[&[&str]]) -> bool {
        let mut is_changed = false;
        match value {
            Value::String(text) if paths.iter().any(|path| path.is_empty() || *path == ["**"]) => {
                let is_meant = self.texts.as_ref().is_none_or(|texts| texts.contains(text));
                if let Some(without) = self.of(text).filter(|_| is_meant) {
                    *text = without;
                    is_changed = true;
                }
            }
            // JSON that is kept as a text within JSON.
            Value::String(text) => {
                let inner = following(paths, "{}");
                if !inner.is_empty()
                    && let Ok(mut within) = serde_json::from_str(text)
                    && self.within(&mut within, &inner)
                {
                    *text = within.to_string();
                    is_changed = true;
                }
            }
            Value::Array(values) => {
                let inner = following(paths, "[]");
                values.iter_mut().for_each(|value| is_changed |= self.within(value, &inner));
            }
            Value::Object(members) => {
                let paths = holding(paths, members);
                for (key, value) in members {
                    is_changed |= self.within(value, &following(&paths, key));
                }
            }
            _ => {}
        }
        is_changed
    }

    fn without_all<'n>(
        &'n self,
        text: &str,
        written: impl Fn(&'n Name) -> [Option<&'n str>; 2],
    ) -> Option<String> {
        let mut replaced: Option<String> = None;
        for name in &self.names {
            for form in written(name).into_iter().flatten() {
                let from = replaced.as_deref().unwrap_or(text);
                if let Some(without) = without(from, form, &name.instead) {
                    replaced = Some(without);
                }
            }
        }
        replaced
    }
}

/// What is left of paths after a step; `*` is any step, `**` any number of them.
fn following<'p>(paths: &[&'p [&'p str]], step: &str) -> Vec<&'p [&'p str]> {
    let mut left = Vec::new();
    for path in paths {
        match **path {
            ["**"] => left.push(*path),
            ["**", ref rest @ ..] => {
                left.push(*path);
                left.extend(following(&[rest], step));
            }
            [first, ref rest @ ..] if first == step || (first == "*" && step != "{}") => left.push(rest),
            _ => {}
        }
    }
    left
}

/// The paths that lead on into an object: `?Key=NAME` does only where its member says so.
fn holding<'p>(paths: &[&'p [&'p str]], members: &Map<String, Value>) -> Vec<&'p [&'p str]> {
    let on = |path: &&'p [&'p str]| match **path {
        [first, ref rest @ ..] if first.starts_with('?') => {
            let (key, wanted) = first.trim_start_matches('?').split_once('=')?;
            (members.get(key).and_then(Value::as_str) == Some(wanted)).then_some(rest)
        }
        _ => Some(*path),
    };
    paths.iter().filter_map(on).collect()
}

/// A text with every occurrence of a name replaced; `None` where there is none.
fn without(text: &str, name: &str, instead: &str) -> Option<String> {
    let (mut out, mut rest, mut before, mut is_found) = (String::new(), text, None, false);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = stripped(rest, name)
            && !before.is_some_and(is_of_name)
            && !goes_on(after)
        {
            out.push_str(instead);
            before = name.chars().next_back();
            rest = after;
            is_found = true;
            continue;
        }
        out.push(first);
        before = Some(first);
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    is_found.then_some(out)
}

/// What comes after a name at the beginning of a text, whatever the case of its letters.
fn stripped<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    if name.chars().nth(SHORT).is_none() {
        return text.strip_prefix(name);
    }
    let mut chars = text.chars();
    for wanted in name.chars() {
        let is_it = chars.next().is_some_and(|c| c == wanted || c.to_lowercase().eq(wanted.to_lowercase()));
        if !is_it {
            return None;
        }
    }
    Some(chars.as_str())
}

const fn is_sign(c: char) -> bool {
    matches!(c, '_' | '%' | '+' | '-' | '@')
}

/// Whether a character before a name makes it the end of a longer one.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || is_sign(c) || c == '.'
}

/// Whether a name goes on with what comes after it: a full stop that ends a sentence does not.
fn goes_on(after: &str) -> bool {
    let mut chars = after.chars();
    match chars.next() {
        Some('.') => chars.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric() || is_sign(c),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    //! Which texts name somebody.

    use super::*;

    fn names(name: &str) -> Replacement {
        Replacement::new(vec![(name.to_owned(), "erased-1".to_owned())])
    }

    #[test]
    fn a_name_is_a_whole_one() {
        let ann = names("ann@example.com");
        for (text, expected) in [
            ("ann@example.com", Some("erased-1")),
            ("to ANN@Example.com.", Some("to erased-1.")),
            ("[\"ann@example.com\",\"b@example.com\"]", Some("[\"erased-1\",\"b@example.com\"]")),
            ("ann@example.com,ann@example.com", Some("erased-1,erased-1")),
            ("joann@example.com", None),
            ("jo.ann@example.com", None),
            ("ann@example.com.au", None),
            ("ann@example.community", None),
            ("ann", None),
            ("", None),
        ] {
            assert_eq!(ann.of(text).as_deref(), expected, "{text}");
        }
        assert_eq!(names("ann").of("ann (AKIA) and annual").as_deref(), Some("erased-1 (AKIA) and annual"));
        let quoted = names("Zoë \"Zo\" O'Hara");
        let read = |json: &str| quoted.of_json(json, &["**"]);
        assert_eq!(read(r#"{"Name":"zoë \"Zo\" O'Hara"}"#).as_deref(), Some(r#"{"Name":"erased-1"}"#));
        assert_eq!(
            read(r#"said {"Name":"zoë \"Zo\" O'Hara"}"#).as_deref(),
            Some(r#"said {"Name":"erased-1"}"#)
        );
        assert_eq!(Replacement::new(vec![(String::new(), "x".to_owned())]).of("a"), None);
    }

    #[test]
    fn the_key_of_a_message_loses_its_recipient_only() {
        let pairs = vec![("Smith".to_owned(), "erased-1".to_owned())];
        let hashes = vec![("00ff".to_owned(), "11ee".to_owned())];
        let smith = Replacement::new(pairs).with_recipients(hashes);
        for (key, expected) in [
            ("payer/Smith/line:1:below:25|email|00ff", Some("payer/Smith/line:1:below:25|email|11ee")),
            ("payer/Smith/invoice:A|B|email|00ff|m-1", Some("payer/Smith/invoice:A|B|email|11ee|m-1")),
            ("payer/Smith/line:1|email|22dd", None),
            ("payer/Smith/invoice:00ff1|email|22dd", None),
            ("", None),
        ] {
            assert_eq!(smith.of_key(key).as_deref(), expected, "{key}");
        }
        assert_eq!(smith.of("00ff"), None);
    }

    #[test]
    fn a_name_of_two_letters_is_found_as_it_is_written() {
        assert_eq!(names("Wu").of("Wu and Wuhan").as_deref(), Some("erased-1 and Wuhan"));
        assert_eq!(names("To").of("sent to Jo"), None);
    }

    #[test]
    fn json_stays_json_whatever_a_name_is() {
        let said = |name: &str, json: &str, paths: &[&str]| names(name).of_json(json, paths);
        // A name that ends in a quote, as JSON writes it, and one after a newline.
        let ann = r#"{"name":"Ann \"Annie\"","x":1}"#;
        assert_eq!(said("Ann \"Annie\"", ann, &["name"]).as_deref(), Some(r#"{"name":"erased-1","x":1}"#));
        let note = r#"{"notes":["Dear\nAnn,\tAnn"]}"#;
        assert_eq!(
            said("Ann", note, &["notes.[]"]).as_deref(),
            Some(r#"{"notes":["Dear\nerased-1,\terased-1"]}"#)
        );
        // Neither keys nor what is at no path.
        let order = r#"{"contacts":[{"name":"USD Name","email":"e"}],"currency":"USD","name":"USD"}"#;
        let paths = ["contacts.[].name", "contacts.[].email"];
        assert_eq!(
            said("USD", order, &paths).as_deref(),
            Some(r#"{"contacts":[{"email":"e","name":"erased-1 Name"}],"currency":"USD","name":"USD"}"#)
        );
        assert_eq!(said("currency", order, &paths), None);
        // Everything, one step, and JSON that is a text.
        assert_eq!(said("Ann", r#"[["Ann"]]"#, &["**"]).as_deref(), Some(r#"[["erased-1"]]"#));
        assert_eq!(
            said("Ann", r#"{"k":"Ann","d":{"k":"Ann"}}"#, &["*"]).as_deref(),
            Some(r#"{"d":{"k":"Ann"},"k":"erased-1"}"#)
        );
        let nested = r#"{"shown":"{\"Contacts\":[{\"Name\":\"Ann\"}]}"}"#;
        assert_eq!(
            said("Ann", nested, &["shown.{}.Contacts.[].Name"]).as_deref(),
            Some(r#"{"shown":"{\"Contacts\":[{\"Name\":\"erased-1\"}]}"}"#)
        );
        // At any depth, and where a member says so.
        let names = ["f.**.Is.?Key=NAME.Values.[]"];
        let filter = r#"{"f":{"And":[{"Is":{"Key":"NAME","Values":["Ann"]}},{"Is":{"Key":"TEAM","Values":["Ann"]}}]}}"#;
        let without = filter.replacen("Ann", "erased-1", 1);
        assert_eq!(said("Ann", filter, &names).as_deref(), Some(without.as_str()));
        assert_eq!(said("Ann", r#"{"Is":{"Key":"NAME","Values":["Ann"]}}"#, &names), None);
        assert_eq!(said("Ann", r#"{"f":{"Is":{"Values":["Ann"]}}}"#, &names), None);
    }
}
