//! Where deliveries lie: the folder below which an export puts all that it does, wherever the names of buckets lead.
//!
//! Buckets of payers may be one folder, or one within the other, by name or by a link. So what two exports deliver is told apart by the resolved places. Whoever comes later is refused when it is defined, within the
//! transaction that would define it; and since an operator may map buckets anew, once more before anything is put. What was delivered stays where it is, whatever becomes of its export: among it no other payer delivers.

use super::definition::{self, NewDefinition, Where};
use super::{ExportBucket, bucket};
use crate::desk::BackOffice;
use crate::disk::on_disk;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{DataExportRow, PlacedExport};
use tokio::sync::Mutex;

/// Whose export has which root. Of one payer: those of others may not be beside or within its own; its own may only not be the same.
pub(super) struct Root {
    payer: AccountId,
    /// Since when, and its id: whoever was there first keeps its place.
    made: (i64, String),
    place: PathBuf,
    /// Whether it is of what was delivered: that may be nobody else's place any more, whatever became of the export. Of one payer it is in no way.
    has_put: bool,
}

/// How long somebody waits for a disk to say where places lead.
const LOOKS_FOR: Duration = Duration::from_secs(10);
/// What is said where it does not.
const SILENT: &str = "the place of a bucket does not answer; try again";

impl Root {
    /// Whether deliveries of the two would lie in each other's way.
    fn collides(&self, other: &Self) -> bool {
        match self.payer == other.payer {
            true => self.place == other.place && !self.has_put && !other.has_put,
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

/// The roots of what is defined, and after them of what was delivered; where a bucket is not mapped any more there is none.
fn roots(buckets: &[ExportBucket], exports: &[PlacedExport]) -> Answer<Vec<Root>> {
    let mut all = Vec::new();
    for PlacedExport { payer, row, has_put } in exports {
        let to = NewDefinition::kept(row)?.to;
        if let Ok(place) = bucket::place(buckets, payer, &to) {
            let place = unresolved(&place, &to, &row.name);
            let made = (row.created_at_s, row.id.clone());
            all.push(Root { payer: payer.clone(), made, place, has_put: *has_put });
        }
    }
    Ok(all)
}

/// Places as they are reached.
pub(super) type Reached = BTreeMap<PathBuf, PathBuf>;

/// Who looks where places lead: one look at a time, so that a file system that hangs takes one thread, whatever number of requests wait for it, and each of them for a while only.
#[derive(Debug, Default)]
pub(crate) struct Places(Arc<Mutex<()>>);

impl Places {
    /// Where places lead.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where that is not said in time.
    async fn reached(
        &self,
        places: BTreeSet<PathBuf>,
        limit: Duration,
        look: impl Fn(&Path) -> PathBuf + Send + 'static,
    ) -> Answer<Reached> {
        let turn = self.0.clone();
        let looked = async move {
            let turn = turn.lock_owned().await;
            on_disk(move || {
                // It is somebody else's turn when the disk has answered, not when nobody waits any more.
                let _turn = turn;
                Ok(places.into_iter().map(|place| (place.clone(), look(&place))).collect())
            })
            .await
        };
        match tokio::time::timeout(limit, looked).await {
            Ok(looked) => looked.map_err(Error::internal),
            Err(_) => Err(Error::Unavailable(SILENT)),
        }
    }
}

impl BackOffice {
    /// Where the places of all exports, and that of a new definition, lead: looked up before anything is locked for it, since a disk may take its time.
    pub(super) async fn places_of_all(&self, payer: &AccountId, new: &NewDefinition) -> Answer<Reached> {
        let exports = self.0.store.placed_exports_of_all().await.map_err(Error::internal)?;
        let buckets = &self.0.options.export_buckets;
        let own = unresolved(&bucket::place(buckets, payer, &new.to)?, &new.to, &new.name);
        let all = roots(buckets, &exports)?.into_iter().map(|root| root.place);
        self.0.places.reached(all.chain([own]).collect(), LOOKS_FOR, resolved).await
    }

    /// Whether a new definition, or another one of an export that there is, would deliver into the way of one that there is, or among what another payer's has left. What was defined since places were
    /// looked up is looked up now.
    pub(super) async fn check_root(
        &self,
        payer: &AccountId,
        (own, new): (Option<&DataExportRow>, &NewDefinition),
        (exports, reached): (&[PlacedExport], &Reached),
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
        let mine = Root { payer: payer.clone(), made: (i64::MAX, id.to_owned()), place, has_put: false };
        let others = roots(buckets, exports)?;
        if self.first_in_the_way(mine, others, reached, |_, _| true).await?.is_none() {
            return Ok(());
        }
        // Whose it is, is nobody's business.
        let message = format!(
            "`{}/{}` of bucket `{}` is where something else is delivered, or was by another payer, or lies within such a place, or has one in it; take another prefix",
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
        let exports = self.0.store.placed_exports_of_all().await.map_err(Error::internal)?;
        let all = roots(&self.0.options.export_buckets, &exports)?;
        let is_own = |root: &Root| !root.has_put && root.payer == *payer && root.made.1 == export.id;
        let (mine, others): (Vec<Root>, Vec<Root>) = all.into_iter().partition(is_own);
        let Some(mine) = mine.into_iter().next() else { return Ok(None) };
        let was_first = |mine: &Root, other: &Root| other.order() < mine.order();
        let found = self.first_in_the_way(mine, others, &Reached::new(), was_first).await?;
        Ok(found.map(|place| {
            format!(
                "`{}` is where something else is delivered, or was by another payer, or lies within such a place, or has one in it, as buckets are mapped now; map them to places of their own (--export-buckets), or make another export",
                place.display()
            )
        }))
    }

    /// The place of a root that another one is in the way of; which of those count is asked.
    async fn first_in_the_way(
        &self,
        mine: Root,
        others: Vec<Root>,
        reached: &Reached,
        counts: impl Fn(&Root, &Root) -> bool + Send,
    ) -> Answer<Option<PathBuf>> {
        let is_new = |place: &PathBuf| !reached.contains_key(place);
        let new: BTreeSet<PathBuf> =
            others.iter().chain([&mine]).map(|root| root.place.clone()).filter(is_new).collect();
        let more = match new.is_empty() {
            true => Reached::new(),
            false => self.0.places.reached(new, LOOKS_FOR, resolved).await?,
        };
        let resolve = |root: Root| {
            let place = reached.get(&root.place).or_else(|| more.get(&root.place)).cloned();
            Root { place: place.unwrap_or_else(|| root.place.clone()), ..root }
        };
        let mine = resolve(mine);
        let is_other = |other: &Root| other.payer != mine.payer || other.made.1 != mine.made.1;
        let mut others = others.into_iter().map(resolve).filter(is_other);
        let found = others.any(|other| counts(&mine, &other) && mine.collides(&other));
        Ok(found.then_some(mine.place))
    }
}

#[cfg(test)]
mod tests {
    //! Places that are one, or one within the other.

    use super::*;

    fn root(payer: &str, place: &Path) -> Root {
        let payer = AccountId::parse(payer).unwrap();
        Root { payer, made: (0, "e".to_owned()), place: resolved(place), has_put: false }
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

    #[test]
    fn what_was_put_is_in_the_way_of_other_payers_alone() {
        let mine = root("111111111111", Path::new("/b/p/n"));
        let left = |payer, place| Root { has_put: true, ..root(payer, Path::new(place)) };
        assert!(!mine.collides(&left("111111111111", "/b/p/n")));
        assert!(mine.collides(&left("999999999999", "/b/p/n")));
        assert!(
            mine.collides(&left("999999999999", "/b/p")) && !mine.collides(&left("999999999999", "/b/q"))
        );
    }

    #[tokio::test]
    async fn a_disk_that_hangs_is_waited_for_by_one_thread_and_for_a_while() {
        let (places, short) = (Places::default(), Duration::from_millis(20));
        let of = || BTreeSet::from([PathBuf::from("/b")]);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let hangs = move |place: &Path| {
            let _ = wait.recv();
            place.to_owned()
        };
        assert!(matches!(places.reached(of(), short, hangs).await, Err(Error::Unavailable(SILENT))));
        // Whoever comes while it hangs does not come to look, and waits no longer either.
        let looks = |_: &Path| -> PathBuf { panic!("a second thread looks") };
        assert!(matches!(places.reached(of(), short, looks).await, Err(Error::Unavailable(SILENT))));
        go.send(()).unwrap();
        let found = places.reached(of(), LOOKS_FOR, Path::to_owned).await.unwrap();
        assert_eq!(found, Reached::from([("/b".into(), "/b".into())]));
    }
}
