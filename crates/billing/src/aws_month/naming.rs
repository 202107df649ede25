//! Services, products and line types that both sides have, under different names.
//!
//! That amounts are equal is no proof, and neither is that names are alike: a thing has two names where both are so.

use super::{Part, Reason, Row, is_open, set};
use crate::money::Amount;
use std::collections::{BTreeMap, BTreeSet};

/// Line types by the names of cost files, and by those of Cost Explorer's charge types.
const TYPES: [(&str, &str); 6] = [
    ("RIFee", "Recurring"),
    ("Fee", "Upfront"),
    ("EdpDiscount", "Enterprise Discount Program Discount"),
    ("SppDiscount", "Solution Provider Program Discount"),
    ("BundledDiscount", "Bundled Discount"),
    ("PrivateRateDiscount", "Private Rate Discount"),
];
/// What AWS's support is called beside `Support` and `AWS`.
const SUPPORT_PLANS: [&str; 10] =
    ["basic", "developer", "business", "enterprise", "onramp", "on", "ramp", "premium", "plus", "unified"];
/// Words that a name is not known by.
const COMMON: [&str; 6] = ["service", "services", "for", "the", "and", "of"];

/// By how much a thing differs: per line type or measure, and currency.
type Differences = BTreeMap<(String, String), Amount>;

/// One service, or one product of a billing group.
struct Thing {
    part: Part,
    group: String,
    name: String,
    places: Vec<usize>,
    differences: Differences,
    is_at_aws: bool,
    is_here: bool,
}

/// Pairs what differs by the same, the other way round. A pair of which each side has one is one thing with two names, if the names are of one thing; one that
/// both sides have has moved something. What could be paired with two is paired with neither.
pub fn explain_names(rows: &mut [Row]) {
    let things = things(rows);
    let mut by_differences: BTreeMap<(Part, &str, &Differences), Vec<&Thing>> = BTreeMap::new();
    for thing in &things {
        by_differences.entry((thing.part, &thing.group, &thing.differences)).or_default().push(thing);
    }
    let mut found = Vec::new();
    for thing in &things {
        let mirrored: Differences =
            thing.differences.iter().map(|(key, amount)| (key.clone(), amount.negated())).collect();
        let others = by_differences.get(&(thing.part, thing.group.as_str(), &mirrored));
        let equals = by_differences.get(&(thing.part, thing.group.as_str(), &thing.differences));
        let ([other], [_]) = (others.map_or(&[][..], Vec::as_slice), equals.map_or(&[][..], Vec::as_slice))
        else {
            continue;
        };
        let one_each = (thing.is_at_aws && !thing.is_here && other.is_here && !other.is_at_aws)
            || (thing.is_here && !thing.is_at_aws && other.is_at_aws && !other.is_here);
        let reason = match one_each {
            true if is_same_name(&thing.name, &other.name) => Reason::NamedDifferently(other.name.clone()),
            true => Reason::SameAmountUnder(other.name.clone()),
            false => Reason::CountedUnder(other.name.clone()),
        };
        found.push((thing.places.clone(), reason));
    }
    for (places, reason) in found {
        set(rows, &places, |_| reason.clone());
    }
}

/// Pairs, within a service or account, line types that are on one side each and are the same type by two names.
pub fn explain_types(rows: &mut [Row], places: &[usize]) {
    let open = |place: &usize| rows.get(*place).filter(|row| is_open(row)).map(|row| (*place, row));
    let open: Vec<(usize, &Row)> = places.iter().filter_map(open).collect();
    let mut found = Vec::new();
    for (at_aws, there) in open.iter().filter(|(_, row)| row.here.is_zero()) {
        let is_it = |(_, row): &&(usize, &Row)| {
            row.aws.is_zero() && row.here == there.aws && is_same_type(&row.cell.of, &there.cell.of)
        };
        let of_home: Vec<_> = open.iter().filter(is_it).collect();
        if let [(at_home, here)] = of_home.as_slice() {
            found.push((*at_aws, here.cell.of.clone()));
            found.push((*at_home, there.cell.of.clone()));
        }
    }
    for (place, other) in found {
        set(rows, &[place], |_| Reason::NamedDifferently(other.clone()));
    }
}

/// Whether two line types are one: written otherwise, or by the other name that it has.
fn is_same_type(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let (one, other) = (plain(one), plain(other));
    let are = |a: &str, b: &str| one == plain(a) && other == plain(b);
    one == other || TYPES.iter().any(|(file, explorer)| are(file, explorer) || are(explorer, file))
}

/// Whether a service is AWS's support, and none that has the word in its name.
pub fn is_support(name: &str) -> bool {
    let is_of_aws = name.trim_start().get(..3).is_some_and(|start| start.eq_ignore_ascii_case("aws"));
    let words = words(name);
    let is_known = |word: &String| word == "support" || SUPPORT_PLANS.contains(&word.as_str());
    is_of_aws && words.iter().any(|word| word == "support") && words.iter().all(is_known)
}

/// Whether two names are of one service or product: the words of one are among those of the other, or one is the initials of the other, as `AmazonEC2` is of `Amazon
/// Elastic Compute Cloud - Compute`.
fn is_same_name(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let telling = |words: &[String]| -> BTreeSet<String> {
        words.iter().filter(|word| !COMMON.contains(&word.as_str())).cloned().collect()
    };
    let (a, b) = (telling(&one), telling(&other));
    let is_within = !a.is_empty() && !b.is_empty() && (a.is_subset(&b) || b.is_subset(&a));
    is_within || is_short_for(&one, &other) || is_short_for(&other, &one)
}

/// Whether a name of one word is the initials of another name.
fn is_short_for(short: &[String], long: &[String]) -> bool {
    let [short] = short else { return false };
    let mut letters = String::new();
    for c in short.chars() {
        // The 2 of EC2 and the 3 of S3 say how often the letter comes.
        match (c.to_digit(10), letters.chars().next_back()) {
            (Some(times), Some(last)) => letters.extend((1..times).map(|_| last)),
            _ => letters.push(c),
        }
    }
    let initials: String = long.iter().filter_map(|word| word.chars().next()).collect();
    letters.len() > 1 && long.len() > 1 && initials.starts_with(&letters)
}

/// The words of a name in lower case, without whose service it is: `AWSLambda` and `AWS Lambda` have one.
fn words(name: &str) -> Vec<String> {
    let all: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (place, c) in all.iter().enumerate() {
        let (before, after) = (place.checked_sub(1).and_then(|at| all.get(at)), all.get(place + 1));
        let begins = c.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    if let Some(first) = words.iter_mut().find(|word| !word.is_empty()) {
        // Some codes are written as one: awskms.
        let plain = first.strip_prefix("aws").unwrap_or(first.as_str()).to_owned();
        *first = plain;
    }
    words.retain(|word| !word.is_empty() && word != "amazon" && word != "aws");
    words
}

/// The services and products that differ.
fn things(rows: &[Row]) -> Vec<Thing> {
    let mut things: BTreeMap<(Part, &str, &str), Thing> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let cell = &row.cell;
        if !matches!(cell.part, Part::Service | Part::Product) {
            continue;
        }
        let thing = things.entry((cell.part, &cell.group, &cell.name)).or_insert_with(|| Thing {
            part: cell.part,
            group: cell.group.clone(),
            name: cell.name.clone(),
            places: Vec::new(),
            differences: BTreeMap::new(),
            is_at_aws: false,
            is_here: false,
        });
        thing.is_at_aws |= !row.aws.is_zero();
        thing.is_here |= !row.here.is_zero();
        if is_open(row) {
            thing.places.push(place);
            thing.differences.insert((cell.of.clone(), cell.currency.clone()), row.difference);
        }
    }
    things.into_values().filter(|thing| !thing.places.is_empty()).collect()
}
