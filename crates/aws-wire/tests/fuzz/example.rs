//! The committed models, and inputs that they allow.

use crate::random::Random;
use aws_wire::json::{Number, Value};
use aws_wire::model::{Bounds, Labels, Operation, Place, Service, Shape};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

/// Texts among which each pattern of the models finds one of its own.
const TEXTS: &[&str] = &[
    "123456789012",
    "2026-11",
    "AmazonS3",
    "name-1",
    "a1B2c3D4e5",
    "MONITORED",
    "BasicPricingPlan",
    "arn:aws:billingconductor::123456789012:billinggroup/123456789012",
    "arn:aws:billingconductor::123456789012:pricingplan/a1B2c3D4e5",
    "arn:aws:billingconductor::123456789012:pricingrule/a1B2c3D4e5",
    "arn:aws:billingconductor::123456789012:customlineitem/a1B2c3D4e5",
    "arn:aws:organizations::123456789012:transfer/o-a1b2c3d4e5/billing/inbound/rt-00000001",
    "arn:aws:invoicing::123456789012:invoice-unit/a1B2c3D4e5",
    "arn:aws:invoicing::123456789012:procurement-portal-preference/a1B2c3D4e5",
    "2026-11-05",
    "USD",
    "US",
    "ann@example.com",
    "arn:aws:bcm-data-exports:us-east-1:123456789012:export/a1B2c3D4e5",
    "arn:aws:billing::123456789012:billingview/custom-a1B2c3D4e5",
    "2026-11-05T00:00:00Z",
    "20261105T000000Z",
    "o-a1b2c3d4e5",
    "r-a1b2",
    "ou-a1b2-a1b2c3d4",
    "h-a1b2c3d4",
    "rt-a1b2c3d4",
    "billing:billingview",
    "o-a1b2c3d4e5/r-a1b2/ou-a1b2-a1b2c3d4/",
    "arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5",
    "arn:aws:organizations::123456789012:root/o-a1b2c3d4e5/r-a1b2",
    "arn:aws:organizations::123456789012:ou/o-a1b2c3d4e5/ou-a1b2-a1b2c3d4",
    "arn:aws:organizations::123456789012:account/o-a1b2c3d4e5/123456789012",
];

const NUMBERS: &[&str] =
    &["0", "1", "5", "10", "100", "1.5", "-1", "1e1", "0.000001", "1794312000", "7", "2026", "50"];

pub struct Model {
    /// As the file has it.
    pub text: String,
    pub service: Service,
    /// Method and path template of each operation, by its name.
    pub paths: BTreeMap<String, (String, String)>,
}

pub static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("aws-api").join("models");
    let entries = std::fs::read_dir(&folder).expect("the folder of the models");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let models = files.iter().map(|file| {
        let text = std::fs::read_to_string(file).expect("a model");
        let service = Service::parse(&text).expect("a committed model is read");
        let json: serde_json::Value = serde_json::from_str(&text).expect("a model is JSON");
        let operations = json["operations"].as_object().expect("operations");
        let word = |row: &serde_json::Value, name: &str| row[name].as_str().expect("a text").to_owned();
        let paths =
            operations.iter().map(|(name, row)| (name.clone(), (word(row, "method"), word(row, "path"))));
        let paths = paths.collect();
        Model { text, service, paths }
    });
    models.collect()
});

/// An input, where each of its members stands.
#[derive(Debug, Clone, Default)]
pub struct Input {
    pub labels: Labels,
    pub query: Vec<(String, String)>,
    pub headers: http::HeaderMap,
    pub body: BTreeMap<String, Value>,
}

static OPERATIONS: LazyLock<Vec<(&Model, &Operation)>> = LazyLock::new(|| {
    MODELS.iter().flat_map(|model| model.service.operations().map(move |it| (model, it))).collect()
});

/// Some operation of some model.
pub fn any_operation(random: &mut Random) -> (&'static Model, &'static Operation) {
    *random.pick(&OPERATIONS[..])
}

/// An input that the model allows.
pub fn input(random: &mut Random, service: &Service, operation: &Operation) -> Input {
    let mut input = Input::default();
    let shape = operation.input.as_ref().and_then(|name| service.shape(name));
    let Some(Shape::Structure { members, .. }) = shape else { return input };
    for member in members.values() {
        if !member.required && random.percent(40) {
            continue;
        }
        let value = value(random, service, &member.shape, 1);
        let texts: Vec<String> = match &value {
            Value::List(values) => values.iter().map(plain).collect(),
            other => vec![plain(other)],
        };
        match &member.place {
            Place::Body(name) => drop(input.body.insert(name.clone(), value)),
            Place::Label(name) => drop(input.labels.insert(name.clone(), texts.concat())),
            Place::Query(name) => input.query.extend(texts.into_iter().map(|text| (name.clone(), text))),
            Place::Header(name) => {
                let name: http::HeaderName = name.parse().expect("a header name");
                input.headers.insert(name, texts.concat().parse().expect("a header value"));
            }
        }
    }
    input
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json(), str::to_owned)
}

fn value(random: &mut Random, service: &Service, shape: &str, depth: usize) -> Value {
    match service.shape(shape).expect("a model holds together") {
        Shape::Structure { members, .. } => {
            let mut given = BTreeMap::new();
            for (name, member) in members {
                if member.required || depth < 8 && random.percent(60) {
                    let wire = if let Place::Body(wire) = &member.place { wire } else { name };
                    given.insert(wire.clone(), value(random, service, &member.shape, depth + 1));
                }
            }
            Value::Map(given)
        }
        Shape::List { member, count } => {
            let count = size(random, count, 3);
            Value::List((0..count).map(|_| value(random, service, member, depth + 1)).collect())
        }
        Shape::Map { key, value: of, count } => {
            let count = size(random, count, 2);
            let entries = (0..count).map(|_| {
                let key = value(random, service, key, depth + 1);
                (plain(&key), value(random, service, of, depth + 1))
            });
            Value::Map(entries.collect())
        }
        Shape::String { one_of, .. } if !one_of.is_empty() => Value::from(random.pick(one_of).as_str()),
        Shape::String { length, pattern: Some(pattern), .. } => {
            let fits =
                |text: &&&str| pattern.matches(text) && within(length, &Number::from(text.len() as u64));
            let fitting: Vec<_> = TEXTS.iter().filter(fits).collect();
            assert!(!fitting.is_empty(), "no text of TEXTS matches {}", pattern.text);
            Value::from(**random.pick(&fitting))
        }
        Shape::String { length, .. } => {
            let count = size(random, length, 30);
            Value::from(
                (0..count)
                    .map(|_| *random.pick(&['a', 'Z', '0', ' ', 'é', '"', '😀', '+']))
                    .collect::<String>(),
            )
        }
        Shape::Integer { range } | Shape::Long { range } => {
            number(random, range, |number| number.to_i64().is_some())
        }
        Shape::Double { range } => number(random, range, |_| true),
        Shape::Timestamp => Value::from(1_794_312_000),
        Shape::Boolean => Value::from(random.percent(50)),
        Shape::Blob { .. } => Value::from("AAAA"),
    }
}

/// From the least on, so many more at most.
fn size(random: &mut Random, bounds: &Bounds, more: usize) -> usize {
    let bound = |of: &Option<Number>| of.as_ref().and_then(|it| usize::try_from(it.to_u64()?).ok());
    let min = bound(&bounds.min).unwrap_or(0);
    (min + random.below(more + 1)).min(bound(&bounds.max).unwrap_or(usize::MAX))
}

fn number(random: &mut Random, range: &Bounds, fits: impl Fn(&Number) -> bool) -> Value {
    let listed = NUMBERS.iter().map(|text| text.parse::<Number>().expect("a number"));
    let all: Vec<_> = listed.chain(range.min.clone()).chain(range.max.clone()).collect();
    let fitting: Vec<_> = all.into_iter().filter(|number| within(range, number) && fits(number)).collect();
    Value::Number(random.pick(&fitting).clone())
}

fn within(bounds: &Bounds, number: &Number) -> bool {
    let outside = |bound: &Option<Number>, side| bound.as_ref().is_some_and(|it| number.compare(it) == side);
    !outside(&bounds.min, Ordering::Less) && !outside(&bounds.max, Ordering::Greater)
}
