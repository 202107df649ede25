//! Exports of pro forma lines: what somebody has defined, and what is delivered of it when a run lands.
//!
//! A definition names a billing view, a table or report, and a bucket, which the operator of the server has mapped to a place. What is to be delivered follows from the definitions and the runs that periods
//! show, and is nowhere queued: whoever is killed leaves nothing behind that another one would not find. See docs/decisions/0019-views-and-exports.md.

mod bucket;
mod definition;
mod layout;
mod quiet;
mod roots;
mod views;
mod work;

use crate::authorization::Caller;
use crate::custom_views::new_tags;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use crate::vault::new_request_id;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::BTreeMap;

pub use bucket::ExportBucket;
pub use definition::{Definition, NewDefinition, NewLines, Where};
pub(crate) use quiet::QuietExports;
pub(crate) use roots::Places;
pub use store::{DataExportRow, ExecutionRow};

/// How many exports and reports a billing view has at most.
pub const PER_VIEW_MAX: usize = 10;
/// What AWS calls that limit.
const PER_VIEW: &str = "MAX_EXPORTS_PER_BILLING_VIEW";

/// Which of the two services an export is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// `bcm-data-exports`
    Export,
    /// `cur`
    Report,
}

impl ExportKind {
    const fn is_report(self) -> bool {
        matches!(self, Self::Report)
    }

    /// What it is called in sentences.
    const fn words(self) -> &'static str {
        match self {
            Self::Export => "data export",
            Self::Report => "report definition",
        }
    }
}

/// An export that is there, and how its deliveries went.
#[derive(Debug, Clone)]
pub struct KnownExport {
    /// What was defined.
    pub row: DataExportRow,
    /// The last delivery that has ended well.
    pub last_delivered_at_ms: Option<i64>,
    /// A month's last delivery by what is defined now, where one has failed.
    pub failed: Option<ExecutionRow>,
}

impl BackOffice {
    /// The exports of a payer of a kind, by name.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn exports(&self, payer: &AccountId, kind: ExportKind) -> Answer<Vec<DataExportRow>> {
        let rows = self.0.store.data_exports(payer).await.map_err(Error::internal)?;
        let mut rows: Vec<_> =
            rows.into_iter().filter(|row| !row.is_deleted && row.is_report == kind.is_report()).collect();
        rows.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(rows)
    }

    /// An export, and how its deliveries went.
    ///
    /// # Errors
    /// [`Declined::NotFound`].
    pub async fn export(&self, payer: &AccountId, kind: ExportKind, id: &str) -> Answer<KnownExport> {
        let rows = self.exports(payer, kind).await?;
        let row = rows.into_iter().find(|row| row.id == id).ok_or_else(|| not_found(kind, id))?;
        self.known_export(payer, row).await
    }

    /// How the deliveries of an export went.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn known_export(&self, payer: &AccountId, row: DataExportRow) -> Answer<KnownExport> {
        let executions = self.executions(payer, &row.id).await?;
        let ended = || executions.iter().filter(|of| of.ended_at_ms.is_some());
        // Of each month the last one by what is defined now: a month that went well does not hide another one.
        let mut last: BTreeMap<BillingPeriod, &ExecutionRow> = BTreeMap::new();
        for of in ended().filter(|of| of.definition == row.definition) {
            let known = last.entry(of.period).or_insert(of);
            if known.ended_at_ms < of.ended_at_ms {
                *known = of;
            }
        }
        Ok(KnownExport {
            last_delivered_at_ms: ended()
                .filter(|of| of.problem.is_none())
                .filter_map(|of| of.ended_at_ms)
                .max(),
            failed: last.into_values().find(|of| of.problem.is_some()).cloned(),
            row,
        })
    }

    /// The deliveries of an export, the newest first.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn executions(&self, payer: &AccountId, id: &str) -> Answer<Vec<ExecutionRow>> {
        self.0.store.executions(payer, id).await.map_err(Error::internal)
    }

    /// Makes an export; its id.
    ///
    /// # Errors
    /// [`Declined`] where it may not be so.
    pub async fn create_export(
        &self,
        request: &WriteRequest<'_>,
        kind: ExportKind,
        new: &NewDefinition,
        tags: &[(String, String)],
    ) -> Answer<String> {
        let now = request.caller.now;
        let checked = self.checked(request.caller, new).await?;
        let places = self.places_of_all(&request.caller.payer, new).await?;
        let (new, checked, places) = (&new, &checked, &places);
        self.once(request, |mut write, _| async move {
            let tags = new_tags(BTreeMap::new(), tags)?;
            let rows = write.data_exports().await?;
            check_beside(&rows, None, kind, new, checked)?;
            // Within the transaction: of two payers who define the same place at once, one is refused.
            let all = write.placed_exports_of_all().await?;
            self.check_root(&request.caller.payer, (None, *new), (&all, places)).await?;
            let id = match kind {
                ExportKind::Report => new.name.clone(),
                ExportKind::Export => format!("{}-{}", new.name, new_request_id().map_err(Error::internal)?),
            };
            // A report has the name of one that was deleted: its versions go on.
            let earlier = rows.iter().find(|row| row.id == id).map_or(0, |row| row.version);
            let row = DataExportRow {
                id: id.clone(),
                version: earlier + 1,
                definition: earlier + 1,
                recorded_at_s: now,
                created_at_s: now,
                is_deleted: false,
                is_report: kind.is_report(),
                name: new.name.clone(),
                body: new.body.clone(),
                tags,
            };
            write.put_data_export(row).await?;
            Ok((write, id))
        })
        .await
    }

    /// Defines an export anew; what it delivers from then on follows from that.
    ///
    /// # Errors
    /// [`Declined`] where there is no such export, or it may not be so.
    pub async fn update_export(
        &self,
        request: &WriteRequest<'_>,
        kind: ExportKind,
        id: &str,
        new: &NewDefinition,
    ) -> Answer<()> {
        let now = request.caller.now;
        let checked = self.checked(request.caller, new).await?;
        let places = self.places_of_all(&request.caller.payer, new).await?;
        let (new, checked, places) = (&new, &checked, &places);
        self.once(request, |mut write, _| async move {
            let rows = write.data_exports().await?;
            let row = living(&rows, kind, id)?.clone();
            if row.name != new.name {
                let message = format!(
                    "{} `{}` cannot be called `{}`: its name is a part of what it delivers; make another one",
                    kind.words(),
                    row.name,
                    new.name
                );
                return Err(Error::from(Declined::invalid(message)).into());
            }
            check_beside(&rows, Some(&row), kind, new, checked)?;
            let all = write.placed_exports_of_all().await?;
            self.check_root(&request.caller.payer, (Some(&row), *new), (&all, places)).await?;
            let version = row.version + 1;
            if row.body != new.body {
                let body = new.body.clone();
                write
                    .put_data_export(DataExportRow {
                        version,
                        definition: version,
                        recorded_at_s: now,
                        body,
                        ..row
                    })
                    .await?;
            }
            Ok((write, ()))
        })
        .await
    }

    /// Ends an export. What it has delivered stays where it is.
    ///
    /// # Errors
    /// [`Declined::NotFound`].
    pub async fn delete_export(&self, request: &WriteRequest<'_>, kind: ExportKind, id: &str) -> Answer<()> {
        let now = request.caller.now;
        self.once(request, |mut write, _| async move {
            let rows = write.data_exports().await?;
            let row = living(&rows, kind, id)?.clone();
            let version = row.version + 1;
            write
                .put_data_export(DataExportRow { version, recorded_at_s: now, is_deleted: true, ..row })
                .await?;
            Ok((write, ()))
        })
        .await
    }

    /// Gives an export tags, and takes others away.
    ///
    /// # Errors
    /// [`Declined`] for an export that is not there, reserved keys, or too many.
    pub async fn change_export_tags(
        &self,
        request: &WriteRequest<'_>,
        (kind, id): (ExportKind, &str),
        put: &[(String, String)],
        removed: &[String],
    ) -> Answer<()> {
        let now = request.caller.now;
        self.once(request, |mut write, _| async move {
            let rows = write.data_exports().await?;
            let row = living(&rows, kind, id)?.clone();
            let mut tags = new_tags(row.tags.clone(), put)?;
            tags.retain(|key, _| !removed.contains(key));
            let version = row.version + 1;
            if tags != row.tags {
                write.put_data_export(DataExportRow { version, recorded_at_s: now, tags, ..row }).await?;
            }
            Ok((write, ()))
        })
        .await
    }

    /// Looks at what does not depend on other exports: the view, the statement, the bucket.
    async fn checked(&self, caller: &Caller, new: &NewDefinition) -> Answer<Definition> {
        let known = self.known_views(&caller.payer).await?;
        views::check(&known, &known.named(caller, &new.view)?, &new.view)?;
        let definition = Definition::of(new)?;
        bucket::place(&self.0.options.export_buckets, &caller.payer, &definition.to)?;
        Ok(definition)
    }
}

fn living<'r>(rows: &'r [DataExportRow], kind: ExportKind, id: &str) -> Answer<&'r DataExportRow> {
    let found = rows.iter().find(|row| !row.is_deleted && row.is_report == kind.is_report() && row.id == id);
    found.ok_or_else(|| not_found(kind, id))
}

/// Whether an export may stand beside the others: names and places are its own, and its view has not too many.
fn check_beside(
    rows: &[DataExportRow],
    own: Option<&DataExportRow>,
    kind: ExportKind,
    new: &NewDefinition,
    checked: &Definition,
) -> Answer<()> {
    let others: Vec<_> =
        rows.iter().filter(|row| !row.is_deleted && own.is_none_or(|own| own.id != row.id)).collect();
    let mut of_view = 0;
    for other in &others {
        let is_of_kind = other.is_report == kind.is_report();
        if is_of_kind && other.name == new.name {
            let (reason, id) = ("NAME_TAKEN", other.id.clone());
            let message = format!(
                "{} `{}` has the name; take another name, or update that one",
                kind.words(),
                other.name
            );
            return Err(Declined::Conflict { reason, kind: "export", id, message }.into());
        }
        let known = NewDefinition::kept(other)?;
        of_view += usize::from(last_part(&known.view) == last_part(&new.view));
        if known.to.prefix == checked.to.prefix
            && known.to.bucket == checked.to.bucket
            && other.name == new.name
        {
            let message = format!(
                "bucket `{}` has what `{}` delivers below `{}`; take another prefix",
                new.to.bucket, other.name, new.to.prefix
            );
            return Err(Declined::invalid(message).into());
        }
    }
    if of_view >= PER_VIEW_MAX {
        let message = format!(
            "billing view `{}` has {PER_VIEW_MAX} exports and reports, the most that are allowed; delete one first",
            new.view
        );
        return Err(
            Declined::Limit { code: PER_VIEW, kind: "billingview", id: new.view.clone(), message }.into()
        );
    }
    Ok(())
}

/// The id in the ARN of a view of the payer, however the partition is written.
fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

fn not_found(kind: ExportKind, id: &str) -> Error {
    Declined::NotFound { kind: kind.words(), id: id.to_owned() }.into()
}
