//! Names of files and manifests, as AWS has them.
//!
//! Sources: AWS, "Data Exports delivery"; "Cost and Usage Report files". The manifest of a version comes after its data, the one that names the newest version last.

use super::{ExportKind, Where};
use billing::account::AccountId;
use billing::instant::instant_text;
use billing::period::BillingPeriod;
use serde_json::{Value, json};

/// A delivery of an export.
pub(super) struct Delivery<'a> {
    pub payer: &'a AccountId,
    pub kind: ExportKind,
    /// The export's id and name.
    pub export: (&'a str, &'a str),
    pub to: &'a Where,
    pub period: BillingPeriod,
    /// Unique among those of the export.
    pub execution: &'a str,
    /// When it was begun, in seconds since 1970-01-01T00:00:00Z.
    pub began_at_s: i64,
}

/// The ARN of an export.
pub(super) fn arn(payer: &AccountId, id: &str) -> String {
    format!("arn:aws:bcm-data-exports:us-east-1:{payer}:export/{id}")
}

impl Delivery<'_> {
    fn root(&self) -> String {
        format!("{}/{}", self.to.prefix, self.export.1)
    }

    /// The folder of the month's data or metadata.
    fn month(&self, part: &str) -> String {
        let (root, period) = (self.root(), self.period);
        match self.kind {
            ExportKind::Export => format!("{root}/{part}/BILLING_PERIOD={period}"),
            // Reports in Parquet are laid out as partitions of a table.
            ExportKind::Report if self.to.is_parquet => {
                format!("{root}/{}/year={:04}/month={}", self.export.1, period.year(), period.month())
            }
            ExportKind::Report => format!("{root}/{}-{}", day(period), day(period.next())),
        }
    }

    /// The folder of what this delivery alone has.
    fn own(&self, part: &str) -> String {
        let month = self.month(part);
        match (self.to.is_overwritten, self.kind) {
            (true, _) => month,
            (false, ExportKind::Export) => {
                let began = instant_text(self.began_at_s).replace(':', "-").replace('Z', ".000Z");
                format!("{month}/{began}-{}", self.execution)
            }
            (false, ExportKind::Report) => format!("{month}/{}", self.assembly()),
        }
    }

    /// What a legacy report calls a version.
    fn assembly(&self) -> String {
        match self.to.is_overwritten {
            true => self.execution.to_owned(),
            // Two within a second are two all the same.
            false => format!("{}-{}", instant_text(self.began_at_s).replace(['-', ':'], ""), self.execution),
        }
    }

    /// The name of the data file.
    pub fn data(&self) -> String {
        let ending = if self.to.is_parquet { "snappy.parquet" } else { "csv.gz" };
        format!("{}/{}-00001.{ending}", self.own("data"), self.export.1)
    }

    /// What an earlier delivery in the other format has left, where this one takes its place: its data, and a manifest that would name them.
    pub fn outdated(&self) -> Vec<String> {
        if !self.to.is_overwritten {
            return Vec::new();
        }
        let other = Delivery { to: &Where { is_parquet: !self.to.is_parquet, ..self.to.clone() }, ..*self };
        let own = self.manifest_names();
        let manifests = other.manifest_names().into_iter().filter(|name| !own.contains(name));
        [other.data()].into_iter().chain(manifests).collect()
    }

    /// The names of the manifests, in the order in which they are written.
    fn manifest_names(&self) -> Vec<String> {
        let name = format!("{}-Manifest.json", self.export.1);
        let mut names = vec![format!("{}/{name}", self.own("metadata"))];
        if self.kind == ExportKind::Report && !self.to.is_overwritten {
            names.push(format!("{}/{name}", self.month("metadata")));
        }
        names
    }

    /// The manifests with their names, in the order in which they are written.
    pub fn manifests(&self, columns: &[(String, String)]) -> Vec<(String, Vec<u8>)> {
        let manifest = match self.kind {
            ExportKind::Export => self.of_export(columns),
            ExportKind::Report => self.of_report(columns),
        };
        let text = format!("{manifest:#}\n").into_bytes();
        self.manifest_names().into_iter().map(|name| (name, text.clone())).collect()
    }

    fn of_export(&self, columns: &[(String, String)]) -> Value {
        let (content_type, compression) = match self.to.is_parquet {
            true => ("application/vnd.apache.parquet", "PARQUET"),
            false => ("text/csv", "GZIP"),
        };
        let columns: Vec<_> =
            columns.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
        let instant = |period: BillingPeriod| format!("{period}-01T00:00:00.000Z");
        json!({
            "exportArn": arn(self.payer, self.export.0),
            "exportName": self.export.1,
            "executionId": self.execution,
            "columns": columns,
            "contentType": content_type,
            "compression": compression,
            "billingPeriod": {"start": instant(self.period), "end": instant(self.period.next())},
            "dataFiles": [format!("s3://{}/{}", self.to.bucket, self.data())],
        })
    }

    fn of_report(&self, columns: &[(String, String)]) -> Value {
        let (content_type, compression) =
            if self.to.is_parquet { ("Parquet", "Parquet") } else { ("text/csv", "GZIP") };
        let column = |(name, kind): &(String, String)| {
            let (category, name) = name.split_once('/').unwrap_or(("", name));
            json!({"category": category, "name": name, "type": kind})
        };
        let instant = |period: BillingPeriod| format!("{}T000000.000Z", day(period));
        json!({
            "assemblyId": self.assembly(),
            "account": self.payer.as_str(),
            "columns": columns.iter().map(column).collect::<Vec<_>>(),
            "charset": "UTF-8",
            "compression": compression,
            "contentType": content_type,
            "reportId": self.export.0,
            "reportName": self.export.1,
            "billingPeriod": {"start": instant(self.period), "end": instant(self.period.next())},
            "bucket": self.to.bucket,
            "reportKeys": [self.data()],
            "additionalArtifactKeys": [],
        })
    }
}

/// The first day of a month: `20261001`.
fn day(period: BillingPeriod) -> String {
    format!("{:04}{:02}01", period.year(), period.month())
}

#[cfg(test)]
mod tests {
    //! Names as AWS documents them.

    use super::*;

    fn asked<T>(
        (kind, is_parquet, is_overwritten): (ExportKind, bool, bool),
        ask: impl Fn(&Delivery<'_>) -> T,
    ) -> T {
        let to = Where { bucket: "b".to_owned(), prefix: "p".to_owned(), is_parquet, is_overwritten };
        let payer = AccountId::parse("999999999999").unwrap();
        let period = BillingPeriod::parse("2026-12").unwrap();
        let delivery = Delivery {
            payer: &payer,
            kind,
            export: ("id", "n"),
            to: &to,
            period,
            execution: "e",
            began_at_s: 0,
        };
        ask(&delivery)
    }

    fn named(kind: ExportKind, is_parquet: bool, is_overwritten: bool) -> Vec<String> {
        asked((kind, is_parquet, is_overwritten), |delivery| {
            let manifests = delivery.manifests(&[]).into_iter().map(|(name, _)| name);
            [delivery.data()].into_iter().chain(manifests).collect()
        })
    }

    #[test]
    fn files_are_where_aws_has_them() {
        assert_eq!(
            named(ExportKind::Export, true, true),
            [
                "p/n/data/BILLING_PERIOD=2026-12/n-00001.snappy.parquet",
                "p/n/metadata/BILLING_PERIOD=2026-12/n-Manifest.json"
            ]
        );
        assert_eq!(
            named(ExportKind::Export, false, false),
            [
                "p/n/data/BILLING_PERIOD=2026-12/1970-01-01T00-00-00.000Z-e/n-00001.csv.gz",
                "p/n/metadata/BILLING_PERIOD=2026-12/1970-01-01T00-00-00.000Z-e/n-Manifest.json",
            ]
        );
        assert_eq!(
            named(ExportKind::Report, false, true),
            ["p/n/20261201-20270101/n-00001.csv.gz", "p/n/20261201-20270101/n-Manifest.json"]
        );
        assert_eq!(
            named(ExportKind::Report, false, false),
            [
                "p/n/20261201-20270101/19700101T000000Z-e/n-00001.csv.gz",
                "p/n/20261201-20270101/19700101T000000Z-e/n-Manifest.json",
                "p/n/20261201-20270101/n-Manifest.json",
            ]
        );
        assert_eq!(
            named(ExportKind::Report, true, true)[0],
            "p/n/n/year=2026/month=12/n-00001.snappy.parquet"
        );
    }

    #[test]
    fn what_the_other_format_has_left_goes_with_its_manifest() {
        let outdated = |kind, is_parquet, is_overwritten| {
            asked((kind, is_parquet, is_overwritten), |delivery| delivery.outdated().join(" "))
        };
        // An export's manifest is in one place; a report's is with its data.
        assert_eq!(
            outdated(ExportKind::Export, false, true),
            "p/n/data/BILLING_PERIOD=2026-12/n-00001.snappy.parquet"
        );
        assert_eq!(
            outdated(ExportKind::Report, true, true),
            "p/n/20261201-20270101/n-00001.csv.gz p/n/20261201-20270101/n-Manifest.json"
        );
        assert_eq!(outdated(ExportKind::Report, true, false), "");
    }
}
