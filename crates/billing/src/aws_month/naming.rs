//! Services and products that both sides have, under different names.

use super::{Part, Reason, Row, is_open, set};
use crate::money::{Amount, DecimalError};
use std::collections::BTreeMap;

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

/// Pairs what differs by the same, the other way round. A pair of which each side has one is one thing with two names; any other has moved something. What
/// could be paired with two is paired with neither: an amount alone is no proof then.
pub fn explain_names(rows: &mut [Row]) -> Result<(), DecimalError> {
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
            true => Reason::NamedDifferently(other.name.clone()),
            false => Reason::CountedUnder(other.name.clone()),
        };
        found.push((thing.places.clone(), reason));
    }
    for (places, reason) in found {
        set(rows, &places, |_| reason.clone());
    }
    Ok(())
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
