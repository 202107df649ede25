//! Where deliveries lie: the folder below which an export puts all that it does, wherever the names of buckets lead.
//!
//! Buckets of payers may be one folder, or one within the other, by name or by a link. So what two exports deliver is told apart by the resolved places. Whoever comes later is refused when it is defined, within the
//! transaction that would define it; and since an operator may map buckets anew, once more before anything is put.

use super::definition::{self, NewDefinition, Where};
use super::{ExportBucket, bucket};
use crate::desk::BackOffice;
use crate::disk::on_disk;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use store::DataExportRow;

/// Whose export has which root. Of one payer: those of others may not be beside or within its own; its own may only not be the same.
pub(super) struct Root {
    payer: AccountId,
    /// Since when, and its id: whoever was there first keeps its place.
    made: (i64, String),
    place: PathBuf,
}

impl Root {
    /// Whether deliveries of the two would lie in each other's way.
    fn collides(&self, other: &Self) -> bool {
        match self.payer == other.payer {
            true => self.place == other.place,
            false => self.place.starts_with(&other.place) || other.place.starts_with(&self.place),
        }
    }

    /// Who of two was there first.
    fn order(&self) -> (i64, &AccountId, &str) {
        (self.made.0, &self.payer, &self.made.1)
    }
}

/// The root of what an export of a name puts to a place.
fn unresolved(place: &Path, to: &Where, name: &str) -> PathBuf {
    place.join(&to.prefix).join(name)
}

/// A place as it is reached by no link: of a folder as far as it is there, of a store by its bucket and what follows.
fn resolved(place: &Path) -> PathBuf {
    if !place.is_absolute() {
        // `s3://bucket//prefix/` and `s3://bucket/prefix` are one place: parts of paths have no empty ones.
        return place.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    }
    let real = |above: &Path| {
        let rest = place.strip_prefix(above).unwrap_or(Path::new(""));
        fs::canonicalize(above).ok().map(|real| real.join(rest))
    };
    place.ancestors().find_map(real).unwrap_or_else(|| place.to_owned())
}

/// The roots of exports that are there; of one whose bucket is not mapped any more there is none.
fn roots(buckets: &[ExportBucket], exports: &[(AccountId, DataExportRow)]) -> Answer<Vec<Root>> {
    let mut all = Vec::new();
    for (payer, row) in exports.iter().filter(|(_, row)| !row.is_deleted) {
        let to = NewDefinition::kept(row)?.to;
        if let Ok(place) = bucket::place(buckets, payer, &to) {
            let place = unresolved(&place, &to, &row.name);
            all.push(Root { payer: payer.clone(), made: (row.created_at_s, row.id.clone()), place });
        }
    }
    Ok(all)
}

impl BackOffice {
    /// Whether a new definition, or another one of an export that there is, would deliver into the way of one that there is.
    pub(super) async fn check_root(
        &self,
        payer: &AccountId,
        (own, new): (Option<&DataExportRow>, &NewDefinition),
        exports: &[(AccountId, DataExportRow)],
    ) -> Answer<()> {
        let buckets = &self.0.options.export_buckets;
        let place = unresolved(&bucket::place(buckets, payer, &new.to)?, &new.to, &new.name);
        if let Some(own) = own {
            let before = NewDefinition::kept(own)?.to;
            // What stays where it is, is in nobody's way more than it was.
            if bucket::place(buckets, payer, &before)
                .is_ok_and(|of| unresolved(&of, &before, &own.name) == place)
            {
                return Ok(());
            }
        }
        let id = own.map_or("", |own| own.id.as_str());
        let mine = Root { payer: payer.clone(), made: (i64::MAX, id.to_owned()), place };
        let others = roots(buckets, exports)?;
        if self.first_in_the_way(mine, others, |_, _| true).await?.is_none() {
            return Ok(());
        }
        // Whose it is, is nobody's business.
        let message = format!(
            "`{}/{}` of bucket `{}` is where something else is delivered, or lies within such a place, or has one in it; take another prefix",
            new.to.prefix, new.name, new.to.bucket
        );
        Err(definition::invalid("S3Prefix", message))
    }

    /// Why an export does not deliver to its place any more: another one was there before it, by the buckets as they are mapped now.
    pub(super) async fn root_is_another_s(
        &self,
        payer: &AccountId,
        export: &DataExportRow,
    ) -> Answer<Option<String>> {
        let exports = self.0.store.data_exports_of_all().await.map_err(Error::internal)?;
        let all = roots(&self.0.options.export_buckets, &exports)?;
        let is_own = |root: &Root| root.payer == *payer && root.made.1 == export.id;
        let (mine, others): (Vec<Root>, Vec<Root>) = all.into_iter().partition(is_own);
        let Some(mine) = mine.into_iter().next() else { return Ok(None) };
        let found = self.first_in_the_way(mine, others, |mine, other| other.order() < mine.order()).await?;
        Ok(found.map(|place| {
            format!(
                "`{}` is where something else is delivered, or lies within such a place, or has one in it, as buckets are mapped now; map them to places of their own (--export-buckets), or make another export",
                place.display()
            )
        }))
    }

    /// The place of a root that another one is in the way of; which of those count is asked.
    async fn first_in_the_way(
        &self,
        mine: Root,
        others: Vec<Root>,
        counts: impl Fn(&Root, &Root) -> bool + Send + 'static,
    ) -> Answer<Option<PathBuf>> {
        let looked = on_disk(move || {
            let mut known: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
            let mut resolve = |root: Root| {
                let place = known.entry(root.place.clone()).or_insert_with(|| resolved(&root.place)).clone();
                Root { place, ..root }
            };
            let mine = resolve(mine);
            let is_other = |other: &Root| other.payer != mine.payer || other.made.1 != mine.made.1;
            let found = others.into_iter().map(resolve).filter(is_other);
            let found = found.filter(|other| counts(&mine, other)).any(|other| mine.collides(&other));
            Ok(found.then_some(mine.place))
        });
        looked.await.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    //! Places that are one, or one within the other.

    use super::*;

    fn root(payer: &str, place: &Path) -> Root {
        let payer = AccountId::parse(payer).unwrap();
        Root { payer, made: (0, "e".to_owned()), place: resolved(place) }
    }

    #[test]
    fn places_are_told_apart_by_where_they_lead() {
        let folder = tempfile::TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("bucket/within")).unwrap();
        std::os::unix::fs::symlink(at("bucket"), at("alias")).unwrap();
        std::os::unix::fs::symlink(at("bucket/within"), at("bucket/link")).unwrap();
        let collides = |one: &Path, other: &Path| {
            let [mine, theirs] = [one, other].map(|place| root("111111111111", place));
            let foreign = root("999999999999", other);
            (mine.collides(&foreign), mine.collides(&theirs))
        };
        for (one, other, expected) in [
            ("bucket/p/n", "bucket/p/n", (true, true)),
            ("bucket/p/n", "alias/p/n", (true, true)),
            ("bucket/within/n", "bucket/link/n", (true, true)),
            ("bucket/within/n", "bucket/within/n/p/other", (true, false)),
            ("alias/p/n", "bucket/p", (true, false)),
            ("bucket/p/n", "bucket/p/nn", (false, false)),
            ("bucket/p/n", "bucket/q/n", (false, false)),
        ] {
            assert_eq!(collides(&at(one), &at(other)), expected, "{one} {other}");
        }
        for (one, other, expected) in [
            ("s3://b/p/n", "s3://b//p/n/", true),
            ("s3://b/p", "s3://b/p/n", true),
            ("s3://b/p", "s3://bb/p", false),
            ("s3://b/p", "/b/p", false),
        ] {
            assert_eq!(collides(Path::new(one), Path::new(other)).0, expected, "{one} {other}");
        }
    }
}
