//! Keys and manifests in AWS's own layout.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::cell::FieldKind;
use super::fields::Field;
use super::{Codec, Delivery, Form, Packing, WriteOptions, create_parent};
use crate::calendar::{next_period, year_and_month};
use crate::line::PAYER;

/// One version of a month.
#[derive(Clone, Copy)]
pub(super) struct Version {
    assembly_id: &'static str,
    execution_id: &'static str,
    execution_folder: &'static str,
}

/// The version that counts.
pub(super) const NEWEST: Version = Version {
    assembly_id: "20261103T061500Z",
    execution_id: "7f0a6c52-5f0e-4a3b-9d7e-2b1c0d9e8f77",
    execution_folder: "2026-11-03T06-15-00.000Z-7f0a6c52-5f0e-4a3b-9d7e-2b1c0d9e8f77",
};

/// The version that a reader must not count as well.
pub(super) const OLDER: Version = Version {
    assembly_id: "20261019T061500Z",
    execution_id: "11d3f5a7-90bc-4cde-8f01-23456789abcd",
    execution_folder: "2026-10-19T06-15-00.000Z-11d3f5a7-90bc-4cde-8f01-23456789abcd",
};

/// Where a version's manifests and data lie.
pub(super) struct Keys {
    data_folder: String,
    own_manifest: String,
    /// The manifest that names the newest version.
    pub newest_manifest: String,
}

/// Returns the folders of a version; none for loose files.
pub(super) fn keys(options: &WriteOptions, version: Version) -> Option<Keys> {
    if options.delivery == Delivery::Loose {
        return None;
    }
    let name = &options.name;
    let root = join(&options.prefix, name);
    let keeps = matches!(options.delivery, Delivery::KeepVersions { .. });
    if options.form.is_legacy() {
        let month = legacy_month_folder(&root, options);
        let newest_manifest = format!("{month}/{name}-Manifest.json");
        let folder = if keeps { format!("{month}/{}", version.assembly_id) } else { month };
        let own_manifest = format!("{folder}/{name}-Manifest.json");
        return Some(Keys { data_folder: folder, own_manifest, newest_manifest });
    }
    let mut month = format!("BILLING_PERIOD={}", options.period);
    if keeps {
        month = format!("{month}/{}", version.execution_folder);
    }
    let manifest = format!("{root}/metadata/{month}/{name}-Manifest.json");
    let data_folder = format!("{root}/data/{month}");
    Some(Keys { data_folder, own_manifest: manifest.clone(), newest_manifest: manifest })
}

fn legacy_month_folder(root: &str, options: &WriteOptions) -> String {
    let (year, month) = year_and_month(&options.period);
    if options.form == Form::LegacyParquet {
        return format!("{root}/{}/year={year}/month={month}", options.name);
    }
    let day = |period: &str| format!("{}01", period.replace('-', ""));
    format!("{root}/{}-{}", day(&options.period), day(&next_period(&options.period)))
}

fn join(prefix: &str, rest: &str) -> String {
    if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}/{rest}") }
}

/// Returns the keys of a version's data files.
pub(super) fn data_keys(options: &WriteOptions, version: Version) -> Vec<String> {
    let extension = match (options.form.packing(), options.codec) {
        (None, Codec::Snappy) => "snappy.parquet",
        (None, _) => "parquet",
        (Some(Packing::Plain), _) => "csv",
        (Some(Packing::Gzip), _) => "csv.gz",
        (Some(Packing::Zip), _) => "csv.zip",
    };
    let folder = keys(options, version).map_or_else(String::new, |keys| keys.data_folder);
    let key = |number: usize| join(&folder, &format!("{}-{number:05}.{extension}", options.name));
    (1..=options.files.max(1)).map(key).collect()
}

/// Writes the manifests of a version: its own, and the one that names the newest.
pub(super) fn write(
    folder: &Path,
    fields: &[Field],
    data: &[String],
    options: &WriteOptions,
    version: Version,
) {
    let Some(keys) = keys(options, version) else { return };
    let manifest = if options.form.is_legacy() {
        legacy_manifest(fields, data, options, version)
    } else {
        export_manifest(fields, data, options, version)
    };
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is JSON");
    for key in [&keys.own_manifest, &keys.newest_manifest] {
        let path = folder.join(key);
        create_parent(&path);
        fs::write(path, &text).expect("the test folder can be written");
    }
}

fn legacy_manifest(fields: &[Field], data: &[String], options: &WriteOptions, version: Version) -> Value {
    let column = |field: &Field| {
        let (category, name) = field.name.split_once('/').unwrap_or(("", &field.name));
        let kind = match field.kind {
            FieldKind::Number => "OptionalBigDecimal",
            FieldKind::Time => "DateTime",
            FieldKind::Text | FieldKind::Map => "OptionalString",
        };
        json!({ "category": category, "name": name, "type": kind })
    };
    let (content_type, compression) = match options.form {
        Form::LegacyCsv(Packing::Zip) => ("text/csv", "ZIP"),
        Form::LegacyCsv(_) => ("text/csv", "GZIP"),
        _ => ("Parquet", "Parquet"),
    };
    let instant = |period: &str| format!("{}01T000000.000Z", period.replace('-', ""));
    json!({
        "assemblyId": version.assembly_id,
        "account": PAYER,
        "columns": fields.iter().map(column).collect::<Vec<_>>(),
        "charset": "UTF-8",
        "compression": compression,
        "contentType": content_type,
        "reportId": "0123456789abcdef0123456789abcdef",
        "reportName": options.name,
        "billingPeriod": { "start": instant(&options.period), "end": instant(&next_period(&options.period)) },
        "bucket": options.bucket,
        "reportKeys": data,
        "additionalArtifactKeys": [],
    })
}

fn export_manifest(fields: &[Field], data: &[String], options: &WriteOptions, version: Version) -> Value {
    let column = |field: &Field| {
        let kind = match field.kind {
            FieldKind::Number => "OptionalBigDecimal",
            FieldKind::Time => "DateTime",
            FieldKind::Text => "OptionalString",
            FieldKind::Map => "Map",
        };
        json!({ "name": field.name, "type": kind })
    };
    let (content_type, compression) = match options.form.packing() {
        Some(_) => ("text/csv", "GZIP"),
        None => ("application/vnd.apache.parquet", "PARQUET"),
    };
    let instant = |period: &str| format!("{period}-01T00:00:00.000Z");
    let url = |key: &String| format!("s3://{}/{key}", options.bucket);
    json!({
        "exportArn": format!("arn:aws:bcm-data-exports:us-east-1:{PAYER}:export/{}", options.name),
        "exportName": options.name,
        "executionId": version.execution_id,
        "columns": fields.iter().map(column).collect::<Vec<_>>(),
        "contentType": content_type,
        "compression": compression,
        "billingPeriod": { "start": instant(&options.period), "end": instant(&next_period(&options.period)) },
        "dataFiles": data.iter().map(url).collect::<Vec<_>>(),
    })
}
