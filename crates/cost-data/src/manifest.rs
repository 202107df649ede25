//! Manifests: which files AWS says make up a month.
//!
//! Source: AWS, "Cost and Usage Report files" (legacy: `reportKeys`, `assemblyId`) and "Data Exports delivery" (2.0:
//! `dataFiles`, `executionId`). AWS writes the manifest after all files it lists.

use crate::diagnostics::{Diagnostic, excerpt};
use crate::limits::{FILES_MAX, MANIFEST_BYTES_MAX};
use crate::location::Location;
use billing::period::BillingPeriod;
use serde_json::Value;

/// A manifest, as far as reading a month needs it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Where it is.
    pub location: Location,
    /// Its place under the given root.
    pub name: String,
    /// The report or export it describes.
    pub report: String,
    /// The version of the delivery: assembly or execution id.
    pub version: String,
    /// The month, where the manifest or its folder says one.
    pub period: Option<BillingPeriod>,
    /// The keys of the data files, without scheme and bucket.
    pub keys: Vec<String>,
    /// The file's bytes, to see whether it changed.
    pub bytes: Vec<u8>,
}

/// Whether a file name is that of a manifest.
#[must_use]
pub fn is_manifest(name: &str) -> bool {
    name.ends_with("Manifest.json")
}

/// Reads a manifest.
///
/// # Errors
/// A [`Diagnostic`] when it is not a complete CUR or Data Exports manifest, or names a key outside its prefix.
pub fn read(location: &Location, name: &str) -> Result<Manifest, Diagnostic> {
    let named = |problem| Diagnostic { file: name.to_owned(), ..problem };
    let bytes = location.read(MANIFEST_BYTES_MAX).map_err(named)?;
    let broken = |reason: String| {
        Diagnostic::file(name, reason)
            .hint("AWS writes it last; wait until the delivery is complete, or give the data files")
    };
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| broken(format!("not a complete JSON manifest: {error}")))?;
    let text = |field: &str| value.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
    let listed = value.get("reportKeys").or_else(|| value.get("dataFiles")).and_then(Value::as_array);
    let Some(listed) = listed else {
        return Err(broken("has neither `reportKeys` nor `dataFiles`".to_owned()));
    };
    if listed.len() > FILES_MAX {
        let reason = format!("lists {} files; at most {FILES_MAX} are read", listed.len());
        return Err(Diagnostic::file(name, reason).hint("give the data files of one month"));
    }
    let mut keys = Vec::with_capacity(listed.len());
    for key in listed {
        let key = key.as_str().ok_or_else(|| broken("lists a key that is not text".to_owned()))?;
        keys.push(key_path(key).ok_or_else(|| outside(name, key))?);
    }
    let report = text("reportName").or_else(|| text("exportName"));
    Ok(Manifest {
        location: location.clone(),
        name: name.to_owned(),
        report: report.unwrap_or_else(|| location.name().trim_end_matches("-Manifest.json").to_owned()),
        version: text("assemblyId").or_else(|| text("executionId")).unwrap_or_default(),
        period: stated_period(&value).or_else(|| folder_period(name)),
        keys,
        bytes,
    })
}

fn outside(name: &str, key: &str) -> Diagnostic {
    let reason = "a key that leaves the delivery's own folders";
    Diagnostic { value: Some(excerpt(key)), ..Diagnostic::file(name, reason) }
        .hint("this is not a manifest that AWS wrote; do not use it")
}

/// A key without scheme and bucket; `None` when it would leave its prefix.
fn key_path(key: &str) -> Option<String> {
    let path = match key.split_once("://") {
        Some((_, rest)) => rest.split_once('/').filter(|(bucket, _)| !bucket.is_empty())?.1,
        None => key,
    };
    // A report with an empty prefix has keys that begin with a slash.
    let path = path.strip_prefix('/').unwrap_or(path);
    let sound = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    path.split('/').all(sound).then(|| path.to_owned())
}

fn stated_period(value: &Value) -> Option<BillingPeriod> {
    let start = value.get("billingPeriod")?.get("start")?.as_str()?;
    let digits: String = start.chars().filter(char::is_ascii_digit).take(6).collect();
    month_of(&digits)
}

/// The month of `20250101-20250201` or `BILLING_PERIOD=2025-01` among the folders of a path.
pub(crate) fn folder_period(name: &str) -> Option<BillingPeriod> {
    name.split('/').rev().find_map(|folder| {
        let month = folder.strip_prefix("BILLING_PERIOD=").and_then(|month| BillingPeriod::parse(month).ok());
        let range = || folder.split_once('-').filter(|(a, b)| a.len() == 8 && b.len() == 8);
        month.or_else(|| range().and_then(|(start, _)| month_of(start.get(..6)?)))
    })
}

fn month_of(digits: &str) -> Option<BillingPeriod> {
    let sound = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| BillingPeriod::new(digits[..4].parse().ok()?, digits[4..].parse().ok()?)).flatten()
}
