//! Routing and validation by the committed models, and the reading of models.
//!
//! What the model allows is accepted. What is accepted has every required member and no other than the model's, all the way down; what is
//! refused is told, and no more than the limit. A damaged model is refused or is one that can be asked.

use crate::campaign;
use crate::example::{self, Input, MODELS, Model};
use crate::mutate;
use crate::random::Random;
use aws_wire::json::{self, Limits, Value};
use aws_wire::model::{Labels, Operation, PROBLEMS_MAX, Protocol, Service, Shape};
use aws_wire::query::parse_query_string;
use http::HeaderMap;
use std::fmt;

struct Case {
    model: &'static Model,
    operation: &'static Operation,
    input: Input,
    /// Instead of the input's own, as bytes.
    body: Vec<u8>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "{} of {}, {:?}, body {body:?}", self.operation.name, self.model.service.name, self.input)
    }
}

fn checked(service: &Service, operation: &Operation, input: &Input, body: Value) {
    match service.input(operation, &input.labels, &input.query, &input.headers, Some(body)) {
        Ok(value) => {
            if let Some(shape) = &operation.input {
                assert_keeps_to(service, shape, &value);
            }
        }
        Err(problems) => {
            assert!((1..=PROBLEMS_MAX).contains(&problems.len()), "{problems:?}");
            assert!(problems.iter().all(|problem| !problem.message.is_empty()));
        }
    }
}

/// Fails where a value that was accepted lacks a required member, or has one that the model does not name.
fn assert_keeps_to(service: &Service, shape: &str, value: &Value) {
    match (service.shape(shape).expect("a shape"), value) {
        (Shape::Structure { members, .. }, Value::Map(given)) => {
            for (name, member) in members {
                assert!(!member.required || given.contains_key(name), "{shape} lacks {name}");
            }
            for (name, value) in given {
                let member = members.get(name).unwrap_or_else(|| panic!("{shape} has no member {name}"));
                assert_keeps_to(service, &member.shape, value);
            }
        }
        (Shape::List { member, .. }, Value::List(values)) => {
            values.iter().for_each(|value| assert_keeps_to(service, member, value));
        }
        (Shape::Map { key, value: of, .. }, Value::Map(given)) => {
            for (name, value) in given {
                assert_keeps_to(service, key, &Value::from(name.as_str()));
                assert_keeps_to(service, of, value);
            }
        }
        (Shape::String { pattern, one_of, .. }, Value::String(text)) => {
            assert!(pattern.as_ref().is_none_or(|it| it.matches(text)), "{shape}: {text:?}");
            assert!(one_of.is_empty() || one_of.contains(text), "{shape}: {text:?}");
        }
        (Shape::Integer { .. } | Shape::Long { .. }, Value::Number(number)) => {
            assert!(number.to_i64().is_some(), "{shape}: {number}");
        }
        (Shape::Double { .. } | Shape::Timestamp, Value::Number(_))
        | (Shape::Boolean, Value::Bool(_))
        | (Shape::Blob { .. }, Value::String(_)) => {}
        (_, other) => panic!("{shape} is {}", other.kind()),
    }
}

#[test]
fn what_the_models_allow_is_accepted() {
    let random = &mut Random::new(1);
    for model in MODELS.iter() {
        for operation in model.service.operations() {
            for _ in 0..20 {
                let input = example::input(random, &model.service, operation);
                let body = Some(Value::Map(input.body.clone()));
                let read = model.service.input(operation, &input.labels, &input.query, &input.headers, body);
                assert!(read.is_ok(), "{}: {input:?}: {read:?}", operation.name);
            }
        }
    }
}

#[test]
fn mutated_inputs_are_refused_or_keep_to_the_model() {
    let make = |random: &mut Random| {
        let (model, operation) = example::any_operation(random);
        let mut input = example::input(random, &model.service, operation);
        let whole = Value::Map(input.body.clone()).to_json().into_bytes();
        let donors =
            [Value::Map(example::input(random, &model.service, operation).body).to_json().into_bytes()];
        let body = if random.percent(85) { mutate::bytes(random, &whole, &donors) } else { whole };
        for value in input.labels.values_mut().chain(input.query.iter_mut().map(|(_, value)| value)) {
            if random.percent(30) {
                *value = mutate::text(random, value);
            }
        }
        Case { model, operation, input, body }
    };
    campaign::run("input", make, |case| {
        let Ok(body) = json::parse(&case.body, Limits::of_size(1 << 20)) else { return };
        checked(&case.model.service, case.operation, &case.input, body);
    });
}

/// A path of an operation, its labels filled in, and what else finds it.
fn request(random: &mut Random) -> (usize, String, String, Option<String>) {
    let at = random.below(MODELS.len());
    let model = &MODELS[at];
    let names: Vec<_> = model.paths.keys().collect();
    let name = (*random.pick(&names)).clone();
    let (method, path) = model.paths[&name].clone();
    let label = "arn%3Aaws%3Abillingconductor%3A%3A123456789012%3Apricingplan%2Fa1B2c3D4e5";
    let filled: Vec<_> =
        path.split('/').map(|segment| if segment.starts_with('{') { label } else { segment }).collect();
    let target = match (model.service.protocol, &model.service.target_prefix) {
        (Protocol::RestJson, _) => None,
        (_, Some(prefix)) => Some(format!("{prefix}.{name}")),
        (_, None) => Some(name),
    };
    (at, method, filled.join("/"), target)
}

#[test]
fn mutated_paths_and_targets_are_routed_or_refused() {
    let make = |random: &mut Random| {
        let (at, mut method, mut path, mut target) = request(random);
        match random.below(4) {
            0 => method = mutate::text(random, &method),
            1 => target = target.map(|it| mutate::text(random, &it)),
            2 => {}
            _ => path = mutate::text(random, &path),
        }
        (at, method, path, target)
    };
    campaign::run("route", make, |(at, method, path, target)| {
        let model = &MODELS[*at];
        let Ok((operation, labels)) = model.service.route(method, path, target.as_deref()) else { return };
        let (wanted, template) = &model.paths[&operation.name];
        assert!(method == wanted || model.service.protocol == Protocol::Query && method == "GET", "{method}");
        assert_eq!(path.split('/').count(), template.split('/').count(), "{template}");
        let segments = template.split('/').filter(|segment| segment.starts_with('{'));
        assert_eq!(labels.len(), segments.count(), "{labels:?}");
    });
}

#[test]
fn a_damaged_model_is_refused_or_can_be_asked() {
    let make = |random: &mut Random| {
        let model = random.pick(&MODELS[..]);
        // Models are long: a change within a piece of one, so that most changes are where something is said.
        mutate::text(random, &model.text)
    };
    campaign::run("model", make, |text| {
        let Ok(service) = Service::parse(text) else { return };
        let (labels, headers) = (Labels::new(), HeaderMap::new());
        let query = parse_query_string("tagKeys=a").expect("pairs");
        let input = Input { labels, query, headers, ..Input::default() };
        for operation in service.operations() {
            let body = operation.input.as_ref().map_or(Value::Null, |_| Value::Map(Default::default()));
            checked(&service, operation, &input, body);
        }
    });
}
