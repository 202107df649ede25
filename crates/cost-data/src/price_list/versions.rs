//! Which publications of an offer are in force in a month.

use crate::timestamp;
use billing::period::BillingPeriod;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// Since when the versions of offers are in force, and until when, by service and version: what version indexes say.
pub type Effective = BTreeMap<(String, String), Span>;

/// When a version of an offer is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub begin: i64,
    /// Until then, where AWS has said so.
    pub end: Option<i64>,
}

/// Of publications in the order of their begins, those that are in force in the month: the last at or before its first instant, and
/// those within it. Where there is none before the month ends, the next one after it has to do.
pub fn in_force(begins: &[i64], period: BillingPeriod) -> Range<usize> {
    let at_start = begins.partition_point(|begin| *begin <= period.start_seconds());
    let within = begins.partition_point(|begin| *begin < period.end_seconds());
    if within == 0 { 0..begins.len().min(1) } else { at_start.saturating_sub(1)..within }
}

/// The instant in the name of a version, `20260928170405`.
pub fn seconds_of(version: &str) -> Option<i64> {
    if version.len() != 14 || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: Range<usize>| version.get(range).unwrap_or_default();
    let [year, month, day] = [0..4, 4..6, 6..8].map(part);
    let [hour, minute, second] = [8..10, 10..12, 12..14].map(part);
    timestamp::seconds(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// The version index of a service.
#[derive(Deserialize)]
struct VersionIndex {
    #[serde(rename = "offerCode")]
    service: String,
    versions: BTreeMap<String, Version>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "versionEffectiveBeginDate")]
    begin: String,
    #[serde(rename = "versionEffectiveEndDate", default)]
    end: Option<String>,
}

/// Takes in what a version index says. One of Savings Plans has another form and says nothing of offers.
pub fn read_index(bytes: &[u8], effective: &mut Effective) {
    let Ok(index) = serde_json::from_slice::<VersionIndex>(bytes) else { return };
    for (name, version) in index.versions {
        let end = version.end.as_deref().and_then(timestamp::seconds);
        if let Some(begin) = timestamp::seconds(&version.begin) {
            effective.insert((index.service.clone(), name), Span { begin, end });
        }
    }
}
