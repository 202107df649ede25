//! One value from all the places where a request keeps its members.

use super::validate::Check;
use super::{FieldProblem, Labels, Member, Operation, Place, Service, Shape};
use crate::json::{Number, Value};
use http::HeaderMap;
use std::collections::BTreeMap;

impl Service {
    /// Gathers the input of an operation and checks all of it. What comes back holds only members that the model names, under their
    /// names in the model; an optional member that is null is absent. At most [`super::PROBLEMS_MAX`] problems are told.
    pub fn input(
        &self,
        operation: &Operation,
        labels: &Labels,
        query: &[(String, String)],
        headers: &HeaderMap,
        body: Option<Value>,
    ) -> Result<Value, Vec<FieldProblem>> {
        let mut check = Check::new(self);
        let none = BTreeMap::new();
        let members = match operation.input.as_ref().and_then(|name| self.shape(name)) {
            Some(Shape::Structure { members, .. }) => members,
            _ => &none,
        };
        let mut body = match body {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Map(members)) => members,
            Some(other) => {
                check.problem("", format!("the body must be an object, not {}", other.kind()));
                BTreeMap::new()
            }
        };
        let mut input = BTreeMap::new();
        for (name, member) in members {
            let given = match &member.place {
                Place::Body(wire) => body.remove(wire),
                Place::Label(wire) => labels.get(wire).map(|text| self.typed(member, &[text])),
                Place::Header(wire) => {
                    let values = headers.get_all(wire.as_str()).iter();
                    let texts: Vec<_> =
                        values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
                    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).collect();
                    (!texts.is_empty()).then(|| self.typed(member, &texts))
                }
                Place::Query(wire) => {
                    let given = query.iter().filter(|(name, _)| name == wire);
                    let texts: Vec<_> = given.map(|(_, value)| value.as_str()).collect();
                    (!texts.is_empty()).then(|| self.typed(member, &texts))
                }
            };
            check.member(&mut input, name, member, given);
        }
        if self.refuses_unknown_members {
            body.keys().for_each(|name| check.unknown(name));
        }
        check.finish(Value::Map(input))
    }

    /// Checks a value that came otherwise than as a request, against a shape by its name; members that the shape does not name are left out, where the
    /// service leaves them out. A shape that is not there takes anything.
    pub fn checked(&self, shape: &str, value: Value) -> Result<Value, Vec<FieldProblem>> {
        let mut check = Check::new(self);
        let value = check.value(shape, value);
        check.finish(value)
    }

    /// What text outside a body says, by the shape it stands for. A text that does not fit stays text, and several texts for one value stay a
    /// list, so that the check names them.
    fn typed(&self, member: &Member, texts: &[&str]) -> Value {
        let shape = self.shape(&member.shape);
        if let Some(Shape::List { member, .. }) = shape {
            let element = self.shape(member);
            return Value::List(texts.iter().map(|text| typed_text(element, text)).collect());
        }
        match texts {
            [text] => typed_text(shape, text),
            several => Value::List(several.iter().map(|text| Value::from(*text)).collect()),
        }
    }
}

fn typed_text(shape: Option<&Shape>, text: &str) -> Value {
    match (shape, text) {
        (Some(Shape::Boolean), "true") => Value::Bool(true),
        (Some(Shape::Boolean), "false") => Value::Bool(false),
        (Some(Shape::Integer { .. } | Shape::Long { .. } | Shape::Double { .. } | Shape::Timestamp), _) => {
            text.parse::<Number>().map_or_else(|_| Value::from(text), Value::Number)
        }
        _ => Value::from(text),
    }
}
