//! JSON, numbers, forms and page tokens.
//!
//! JSON agrees with serde_json on what is JSON, but for what is refused here by name; what was read is written and read again the same.
//! A decimal says what its number says. Pairs survive being written. No token opens but the very one that was sealed, in its context.

use crate::campaign;
use crate::example::{self, MODELS, Model};
use crate::mutate;
use crate::random::Random;
use aws_wire::json::{self, Limits, Number, Problem, Value};
use aws_wire::page_token::PageTokens;
use aws_wire::query::{PAIRS_MAX, parse_form, parse_query_string};
use serde::de::IgnoredAny;
use std::cmp::Ordering;
use std::sync::LazyLock;

const SIZE_BYTES_MAX: usize = 1 << 16;

/// Three bodies of each operation.
static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let random = &mut Random::new(3);
    let operations = MODELS.iter().flat_map(|model| model.service.operations().map(move |it| (model, it)));
    let mut body = |model: &Model, operation| {
        Value::Map(example::input(random, &model.service, operation).body).to_json().into_bytes()
    };
    operations.flat_map(|(model, operation)| [(); 3].map(|()| body(model, operation))).collect()
});

#[test]
fn json_is_read_as_serde_json_reads_it_or_refused_by_name() {
    let make = |random: &mut Random| {
        let original = random.pick(&BODIES[..]);
        mutate::bytes(random, original, &BODIES)
    };
    campaign::run("json", make, |bytes| {
        let theirs = serde_json::from_slice::<IgnoredAny>(bytes);
        match json::parse(bytes, Limits::of_size(SIZE_BYTES_MAX)) {
            Ok(value) => {
                assert!(theirs.is_ok(), "read, though serde_json says {theirs:?}");
                let again = json::parse(value.to_json().as_bytes(), Limits::of_size(usize::MAX));
                assert_eq!(again, Ok(value), "what is written reads the same");
            }
            Err(error) => {
                assert!(error.offset <= bytes.len() && error.line > 0 && error.column > 0, "{error:?}");
                // serde_json does not look into texts that it ignores, and its numbers may have any size.
                let stricter = matches!(
                    error.problem,
                    Problem::DuplicateKey(_)
                        | Problem::LoneSurrogate(_)
                        | Problem::NotUtf8
                        | Problem::TooDeep(_)
                        | Problem::TooLarge { .. }
                );
                assert!(stricter || theirs.is_err(), "refused, though serde_json reads it: {error}");
            }
        }
    });
}

#[test]
fn a_decimal_says_what_its_number_says() {
    const NUMBERS: &[&str] =
        &["0", "-0.0", "1e-08", "123.4500", "-9.99E+3", "1e999999999", "18446744073709551616", "0.10e1"];
    let make = |random: &mut Random| {
        let original = *random.pick(NUMBERS);
        let text = if random.percent(50) {
            // Digits in and out keep it a number.
            let mut text = original.to_owned();
            for _ in 0..=random.below(6) {
                let at = random.below(text.len() + 1);
                text.insert(at, *random.pick(&['0', '1', '9', '.', 'e', '-']));
            }
            text
        } else {
            mutate::text(random, original)
        };
        (text, random.draw() % 60)
    };
    campaign::run("number", make, |(text, digits_max)| {
        let theirs =
            serde_json::from_str::<IgnoredAny>(text).is_ok() && !text.contains(|c: char| c.is_whitespace());
        let number = text.parse::<Number>();
        assert!(number.is_err() || theirs, "`{text}` is no JSON number");
        let Ok(number) = number else { return };
        let Ok(decimal) = number.decimal(*digits_max) else { return };
        let digits = decimal.bytes().filter(u8::is_ascii_digit).count() as u64;
        assert!(digits <= (*digits_max).max(1), "{decimal}");
        let again: Number = decimal.parse().expect("a decimal is a JSON number");
        assert_eq!(again.compare(&number), Ordering::Equal, "{decimal}");
        assert_eq!(again.decimal(*digits_max), Ok(decimal.clone()), "a decimal of itself");
        if let Some(whole) = number.to_i64() {
            assert_eq!(decimal, whole.to_string());
        }
    });
}

#[test]
fn pairs_survive_being_written() {
    const QUERIES: &[&str] = &[
        "Action=GetCallerIdentity&Version=2011-06-15",
        "tagKeys=a%20b&tagKeys=c%2Bd&tagKeys=%C3%A9",
        "a=1&&b&=c&d=e=f&%F0%9F%98%80=%26%3D+",
    ];
    let make = |random: &mut Random| {
        let original = *random.pick(QUERIES);
        mutate::text(random, original)
    };
    campaign::run("query", make, |text| {
        for (parsed, form) in [(parse_query_string(text), false), (parse_form(text), true)] {
            let Ok(pairs) = parsed else { continue };
            assert!(pairs.len() <= PAIRS_MAX);
            let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let pieces = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
            let written = pieces.collect::<Vec<_>>().join("&");
            let again = if form { parse_form(&written) } else { parse_query_string(&written) };
            assert_eq!(again, Ok(pairs), "{written}");
        }
    });
}

#[test]
fn no_page_token_opens_but_the_sealed_one() {
    let tokens = PageTokens::new(&[7; 32]);
    let context: [&[u8]; 3] = [b"123456789012", b"ListBillingGroups", b"100"];
    let make = |random: &mut Random| {
        let position: Vec<u8> = (0..random.below(60)).map(|_| random.draw().to_le_bytes()[0]).collect();
        let token = tokens.seal(&position, &context).expect("sealed");
        let other = random.percent(20).then(|| mutate::bytes(random, context[1], &[]));
        let given = if other.is_some() { token.clone() } else { mutate::text(random, &token) };
        (position, token, given, other)
    };
    campaign::run("page token", make, |(position, token, given, other)| {
        let asked = [context[0], other.as_deref().unwrap_or(context[1]), context[2]];
        let same = given == token && asked == context;
        let opened = tokens.open(given, &asked);
        assert_eq!(opened.is_ok(), same, "{opened:?}");
        assert!(opened.is_err() || opened.as_ref() == Ok(position));
    });
}
