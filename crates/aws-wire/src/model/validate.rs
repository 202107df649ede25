//! Whether a value is what its shape says, all the way down.

use super::{Bounds, FieldProblem, Member, PROBLEMS_MAX, Pattern, Place, Service, Shape};
use crate::json::{Number, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How much of a map's key is told.
const KEY_CHARACTERS_SHOWN: usize = 64;

/// The check of one input: where it is, and what it found.
pub(super) struct Check<'a> {
    service: &'a Service,
    /// Steps such as `Tags`, `.Name` or `[3]`.
    path: Vec<String>,
    problems: Vec<FieldProblem>,
}

impl<'a> Check<'a> {
    pub fn new(service: &'a Service) -> Self {
        Self { service, path: Vec::new(), problems: Vec::new() }
    }

    pub fn finish(self, value: Value) -> Result<Value, Vec<FieldProblem>> {
        if self.problems.is_empty() { Ok(value) } else { Err(self.problems) }
    }

    /// A problem with a member of what is being checked; with that itself if the name is empty.
    pub fn problem(&mut self, member: &str, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            let mut name = self.path.concat();
            if !member.is_empty() {
                name += &self.step(member);
            }
            self.problems.push(FieldProblem { name, message });
        }
    }

    pub fn unknown(&mut self, name: &str) {
        let shown: String = name.chars().take(KEY_CHARACTERS_SHOWN).collect();
        self.problem(&shown, "is not a member that is known here".to_owned());
    }

    fn step(&self, member: &str) -> String {
        if self.path.is_empty() { member.to_owned() } else { format!(".{member}") }
    }

    /// Checks what was given for a member, and keeps it.
    pub fn member(
        &mut self,
        kept: &mut BTreeMap<String, Value>,
        name: &str,
        member: &Member,
        given: Option<Value>,
    ) {
        match given {
            None | Some(Value::Null) if member.required => self.problem(name, "is required".to_owned()),
            None | Some(Value::Null) => {}
            Some(value) => {
                let value = self.within(self.step(name), &member.shape, value);
                kept.insert(name.to_owned(), value);
            }
        }
    }

    /// Checks a value one step further in. Once enough problems are told, the rest is not looked at.
    fn within(&mut self, step: String, shape: &str, value: Value) -> Value {
        if self.problems.len() == PROBLEMS_MAX {
            return value;
        }
        self.path.push(step);
        let value = self.value(shape, value);
        self.path.pop();
        value
    }

    /// A value held to a shape.
    pub fn value(&mut self, shape: &str, value: Value) -> Value {
        // Every name was looked up when the model was read.
        let Some(shape) = self.service.shape(shape) else { return value };
        match (shape, value) {
            (Shape::Structure { members, .. }, Value::Map(given)) => self.structure(members, given),
            (Shape::List { member, count }, Value::List(values)) => self.list(member, count, values),
            (Shape::Map { key, value, count }, Value::Map(given)) => self.map(key, value, count, given),
            (Shape::String { length, pattern, one_of }, Value::String(text)) => {
                self.text(length, pattern.as_ref(), one_of, &text);
                Value::String(text)
            }
            (Shape::Integer { range }, Value::Number(number)) => {
                let fits = number.to_i64().is_some_and(|whole| i32::try_from(whole).is_ok());
                self.number(number, fits, "a whole number of 32 bits", range)
            }
            (Shape::Long { range }, Value::Number(number)) => {
                let fits = number.to_i64().is_some();
                self.number(number, fits, "a whole number of 64 bits", range)
            }
            (Shape::Double { range }, Value::Number(number)) => {
                let fits = number.is_in_range_of_a_double();
                self.number(number, fits, "a number below 10^308", range)
            }
            (Shape::Timestamp, Value::Number(number)) => {
                let fits = number.is_in_range_of_a_double();
                self.number(number, fits, "seconds since 1970", &Bounds::default())
            }
            (Shape::Boolean, value @ Value::Bool(_)) => value,
            (Shape::Blob { length }, Value::String(text)) => {
                match STANDARD.decode(&text) {
                    Ok(bytes) => self.bounds(length, &count(bytes.len()), "must have", " bytes"),
                    Err(_) => self.problem("", "must be bytes in base64".to_owned()),
                }
                Value::String(text)
            }
            (shape, value) => {
                self.problem("", format!("must be {}, not {}", wanted(shape), value.kind()));
                value
            }
        }
    }

    fn structure(&mut self, members: &BTreeMap<String, Member>, mut given: BTreeMap<String, Value>) -> Value {
        let mut kept = BTreeMap::new();
        for (name, member) in members {
            let wire = match &member.place {
                Place::Body(wire) => wire,
                // Inside a body every member stands in it, whatever its place at the top.
                Place::Header(_) | Place::Label(_) | Place::Query(_) => name,
            };
            let value = given.remove(wire);
            self.member(&mut kept, name, member, value);
        }
        if self.service.refuses_unknown_members {
            given.keys().for_each(|name| self.unknown(name));
        }
        Value::Map(kept)
    }

    fn list(&mut self, member: &str, bounds: &Bounds, values: Vec<Value>) -> Value {
        self.bounds(bounds, &count(values.len()), "must have", " elements");
        let checked = values.into_iter().zip(0_usize..).map(|(value, at)| {
            let step = format!("[{at}]");
            self.within(step, member, value)
        });
        Value::List(checked.collect())
    }

    fn map(&mut self, key: &str, value: &str, bounds: &Bounds, given: BTreeMap<String, Value>) -> Value {
        self.bounds(bounds, &count(given.len()), "must have", " entries");
        let mut kept = BTreeMap::new();
        for (name, given) in given {
            let shown: String = name.chars().take(KEY_CHARACTERS_SHOWN).collect();
            let step = self.step(&shown);
            self.within(step.clone(), key, Value::String(name.clone()));
            let given = self.within(step, value, given);
            kept.insert(name, given);
        }
        Value::Map(kept)
    }

    fn text(&mut self, length: &Bounds, pattern: Option<&Pattern>, one_of: &[String], text: &str) {
        let before = self.problems.len();
        self.bounds(length, &count(text.chars().count()), "must have", " characters");
        if !one_of.is_empty() && !one_of.iter().any(|allowed| allowed == text) {
            self.problem("", format!("must be one of {}", one_of.join(", ")));
        }
        // A text that is too long is not matched: the time of that grows with it.
        if self.problems.len() == before
            && let Some(pattern) = pattern
            && !pattern.matches(text)
        {
            self.problem("", format!("must match the pattern {}", pattern.text));
        }
    }

    fn number(&mut self, number: Number, fits: bool, wanted: &str, range: &Bounds) -> Value {
        if fits {
            self.bounds(range, &number, "must be", "");
        } else {
            self.problem("", format!("must be {wanted}"));
        }
        Value::Number(number)
    }

    fn bounds(&mut self, bounds: &Bounds, given: &Number, verb: &str, unit: &str) {
        if let Some(min) = &bounds.min
            && given.compare(min) == Ordering::Less
        {
            self.problem("", format!("{verb} at least {min}{unit}"));
        }
        if let Some(max) = &bounds.max
            && given.compare(max) == Ordering::Greater
        {
            self.problem("", format!("{verb} at most {max}{unit}"));
        }
    }
}

fn count(count: usize) -> Number {
    Number::from(count as u64)
}

/// What a shape is, for messages.
fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Structure { .. } | Shape::Map { .. } => "an object",
        Shape::List { .. } => "a list",
        Shape::String { .. } | Shape::Blob { .. } => "a string",
        Shape::Integer { .. } | Shape::Long { .. } | Shape::Double { .. } | Shape::Timestamp => "a number",
        Shape::Boolean => "a boolean",
    }
}
