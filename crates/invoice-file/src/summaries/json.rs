//! Answers as JSON, strictly: a member that is there twice could be taken for two things, and is refused. Numbers keep their digits.

use super::{Found, Listing, NoList, Place};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// How deep lists and objects may lie in each other: far deeper than a summary goes, and far from the end of the stack.
const DEPTH_MAX: usize = 64;
const LIST: &str = "InvoiceSummaries";

/// A member's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Members by name.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// A member of members.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        if let Self::Map(members) = self { members.get(name) } else { None }
    }

    /// A text or a number, as text; `None` of what is neither, and of what is blank.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The value as a message shows it: what is long is cut, and control characters do nothing.
    #[must_use]
    pub fn shown(&self) -> String {
        const LONGEST: usize = 80;
        let text = match self {
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(text) | Self::Text(text) => text,
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        };
        let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
        if text.chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        shown
    }

    /// Reads one value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_json(text: &str) -> Result<Self, String> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        value(raw, DEPTH_MAX)
    }
}

/// The members of an object as they are written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of an object, each name once.
    fn of(raw: &'a RawValue) -> Result<Self, String> {
        let members: Self = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
        match members.twice() {
            Some(mistake) => Err(mistake),
            None => Ok(members),
        }
    }

    /// What to say of a name that is there twice.
    fn twice(&self) -> Option<String> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1])?;
        Some(format!("`{}` is there twice; leave one of them", Value::Text(twice[0].to_owned()).shown()))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find_map(|(of, value)| (of == name).then_some(*value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Each).map(Members)
    }
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// The entries of a list; `None` of what is none.
fn entries(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

fn value(raw: &RawValue, depth_left: usize) -> Result<Value, String> {
    let text = raw.get();
    let deeper = || depth_left.checked_sub(1).ok_or_else(|| format!("it goes more than {DEPTH_MAX} deep"));
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let left = deeper()?;
            let read = |(name, raw): (String, &RawValue)| {
                let value = value(raw, left).map_err(|mistake| format!("{name}: {mistake}"))?;
                Ok::<_, String>((name, value))
            };
            Value::Map(Members::of(raw)?.0.into_iter().map(read).collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let left = deeper()?;
            let entries = entries(raw).unwrap_or_default();
            Value::List(entries.into_iter().map(|raw| value(raw, left)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(text).map_err(|error| error.to_string())?),
        Some(b'n') => Value::Null,
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        _ => Value::Number(text.to_owned()),
    })
}

/// What is being gathered of a file.
#[derive(Default)]
struct Gathered {
    found: Vec<Found>,
    /// Answers that have summaries, and how many of them go on.
    pages: usize,
    pages_that_go_on: usize,
}

/// Answers one after the other, each by itself or in a list.
pub(super) fn read(text: &str) -> Result<Listing, NoList> {
    let no_json = |error: serde_json::Error| NoList::Json(error.to_string());
    let answers = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let answers = answers.collect::<Result<Vec<_>, _>>().map_err(no_json)?;
    let mut gathered = Gathered::default();
    for (at, answer) in answers.iter().enumerate() {
        let before = if answers.len() == 1 { String::new() } else { format!("answer {}: ", at + 1) };
        match entries(answer) {
            None => gathered.answer(answer, &before, None)?,
            Some(answers) => {
                for (at, answer) in answers.into_iter().enumerate() {
                    gathered.answer(answer, &before, Some(at))?;
                }
            }
        }
    }
    // Pages of one list follow each other, in whatever order they lie here: the last one has no token.
    let is_cut = gathered.pages > 0 && gathered.pages == gathered.pages_that_go_on;
    Ok(Listing { found: gathered.found, is_cut })
}

impl Gathered {
    /// An answer, or a summary by itself.
    fn answer(&mut self, answer: &RawValue, before: &str, at: Option<usize>) -> Result<(), NoList> {
        let at = at.map(|at| format!("[{at}]"));
        let place = |inner: &str| {
            let path = match (&at, inner) {
                (Some(at), "") => at.clone(),
                (Some(at), inner) => format!("{at}.{inner}"),
                (None, inner) => inner.to_owned(),
            };
            Place::Path(format!("{before}{path}"))
        };
        if !is_object(answer) {
            let what = value(answer, 1).map_or_else(|mistake| mistake, |value| value.shown());
            return Err(NoList::Another(format!("`{what}` is no answer")));
        }
        let members: Members<'_> =
            serde_json::from_str(answer.get()).map_err(|error| NoList::Json(error.to_string()))?;
        let Some(list) = members.get(LIST) else {
            if at.is_none() && members.get("InvoiceId").is_none() {
                return Err(NoList::Another("it has no `InvoiceId` either".to_owned()));
            }
            // A summary by itself.
            self.push(place(""), answer);
            return Ok(());
        };
        if let Some(mistake) = members.twice() {
            return Err(NoList::Json(mistake));
        }
        let Some(summaries) = entries(list) else {
            return Err(NoList::Another("that is no list".to_owned()));
        };
        self.pages += 1;
        let token = members.get("NextToken").map(|token| value(token, DEPTH_MAX));
        self.pages_that_go_on +=
            usize::from(token.is_some_and(|token| token.is_ok_and(|of| of.text().is_some())));
        for (at, summary) in summaries.into_iter().enumerate() {
            self.push(place(&format!("{LIST}[{at}]")), summary);
        }
        Ok(())
    }

    fn push(&mut self, place: Place, summary: &RawValue) {
        let summary = match value(summary, DEPTH_MAX) {
            Ok(summary @ Value::Map(_)) => Ok(summary),
            Ok(other) => Err(vec![format!("`{}` is no summary", other.shown())]),
            Err(mistake) => Err(vec![mistake]),
        };
        self.found.push(Found { place, summary });
    }
}
