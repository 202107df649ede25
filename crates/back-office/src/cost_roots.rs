//! Cost roots: where cost files may be that a request names. The operator of a server gives them, each for one payer or for all.
//!
//! A place is looked at each time that it is read, and not only when it is registered: a link may lead elsewhere by then, and the operator may
//! have given other roots. Below a place no links are followed; what a manifest that is named by itself lists may be beside it or above it, so a
//! request names the folder.

use crate::engine::{CostSource, EngineError};
use billing::account::AccountId;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where cost files may be that requests of a payer name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostRoot {
    /// The payer; `None` is every payer of the server.
    pub payer: Option<AccountId>,
    /// A folder, or `s3://bucket/prefix`.
    pub place: PathBuf,
}

impl CostRoot {
    /// A root as an operator writes it: a place, or `PAYER=` and a place.
    ///
    /// # Errors
    /// What stands before `=` has digits alone, and is no account.
    pub fn parse(text: &str) -> Result<Self, String> {
        let of_payer =
            text.split_once('=').filter(|(before, _)| before.bytes().all(|byte| byte.is_ascii_digit()));
        let Some((before, place)) = of_payer else { return Ok(Self { payer: None, place: text.into() }) };
        let payer = AccountId::parse(before).filter(AccountId::has_twelve_digits);
        let payer = payer.ok_or_else(|| {
            format!("cost root `{text}` is of payer `{before}`; a payer account has twelve digits")
        })?;
        Ok(Self { payer: Some(payer), place: place.into() })
    }
}

/// Below what the places of a source must be.
#[derive(Debug, Clone)]
pub(crate) enum Bounds {
    /// The operator named them, at the command line.
    Anywhere,
    /// A request did.
    Below(Vec<PathBuf>),
}

impl Bounds {
    /// The bounds of what a payer's request names.
    pub fn of(roots: &[CostRoot], payer: &AccountId) -> Self {
        let serves = |root: &&CostRoot| root.payer.as_ref().is_none_or(|of| of == payer);
        Self::Below(roots.iter().filter(serves).map(|root| root.place.clone()).collect())
    }

    /// A source whose places are within the bounds now, without links on the way to them. Asks the file system.
    ///
    /// # Errors
    /// [`EngineError::Input`], which names the place that is not.
    pub fn checked(&self, source: CostSource) -> Result<CostSource, EngineError> {
        let Self::Below(roots) = self else { return Ok(source) };
        let inputs = source.inputs.iter().map(|place| {
            let found = below(place, roots)?;
            // Where a link leads counts, and not what it is called.
            if found.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
                let shown = place.display();
                return Err(EngineError::Input(vec![format!(
                    "`{shown}` lists other files; name the folder that it is in, or import with --data"
                )]));
            }
            Ok(found)
        });
        let inputs = inputs.collect::<Result<_, _>>()?;
        let price_list = source.price_list.as_ref().map(|place| below(place, roots)).transpose()?;
        Ok(CostSource { inputs, price_list, ..source })
    }
}

/// A place below one of some roots, without links.
fn below(place: &Path, roots: &[PathBuf]) -> Result<PathBuf, EngineError> {
    let outside = || {
        let shown = place.display();
        EngineError::Input(vec![format!(
            "`{shown}` is below none of the server's cost roots for this payer; start it with --cost-roots, or import with --data"
        )])
    };
    if place.components().any(|part| part == Component::ParentDir) {
        return Err(outside());
    }
    let is_object = |place: &Path| place.as_os_str().as_encoded_bytes().windows(3).any(|part| part == b"://");
    if is_object(place) {
        let text = place.to_string_lossy();
        let is_below = |root: &PathBuf| {
            let root = root.to_string_lossy();
            text == root || text.starts_with(&format!("{}/", root.trim_end_matches('/')))
        };
        return roots
            .iter()
            .filter(|root| is_object(root))
            .any(is_below)
            .then(|| place.to_owned())
            .ok_or_else(outside);
    }
    // Of a place that is gone, what is left above it says whether its owner may be told so.
    let there = place.ancestors().find_map(|above| Some((above, fs::canonicalize(above).ok()?)));
    let (above, resolved) = there.ok_or_else(outside)?;
    let is_below = |root: &PathBuf| fs::canonicalize(root).is_ok_and(|root| resolved.starts_with(root));
    if !roots.iter().filter(|root| root.as_os_str() != OsStr::new("")).any(is_below) {
        return Err(outside());
    }
    if above != place {
        return Err(EngineError::Input(vec![format!(
            "`{}` cannot be read: it is not there",
            place.display()
        )]));
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    //! Which places are within which roots.

    use super::*;

    #[test]
    fn a_root_says_whose_it_is() {
        let of =
            |text: &str| CostRoot::parse(text).map(|root| (root.payer.map(|of| of.to_string()), root.place));
        assert_eq!(of("/a"), Ok((None, "/a".into())));
        assert_eq!(of("123456789012=/a=b"), Ok((Some("123456789012".to_owned()), "/a=b".into())));
        assert_eq!(of("s3://bucket/dt=2026"), Ok((None, "s3://bucket/dt=2026".into())));
        assert!(of("12345=/a").unwrap_err().contains("twelve digits") && of("=/a").is_err());
    }

    #[test]
    fn only_whoever_may_read_a_place_is_told_that_it_is_gone() {
        let folder = tempfile::TempDir::new().unwrap();
        let mine = folder.path().join("mine");
        fs::create_dir(&mine).unwrap();
        let said = |place: &Path| match below(place, std::slice::from_ref(&mine)) {
            Err(EngineError::Input(said)) => said.concat(),
            other => panic!("{other:?}"),
        };
        assert!(said(&mine.join("gone/2026-10")).ends_with("it is not there"));
        let (another, nobodys) = (folder.path().join("another"), folder.path().join("nobodys"));
        fs::create_dir(&another).unwrap();
        assert!(said(&another).contains("below none") && said(&nobodys).contains("below none"));
        std::os::unix::fs::symlink(&another, mine.join("link")).unwrap();
        assert!(said(&mine.join("link/x")).contains("below none"));
    }

    #[test]
    fn objects_are_below_a_root_by_their_names() {
        let roots = [PathBuf::from("s3://bucket/a/"), PathBuf::from("/")];
        let allowed = |place: &str| below(Path::new(place), &roots).is_ok();
        assert!(allowed("s3://bucket/a/b") && allowed("s3://bucket/a/"));
        assert!(!allowed("s3://bucket/ab") && !allowed("s3://bucket") && !allowed("s3://bucket/a/../b"));
    }
}
