//! Finding offer files, and choosing those that a month needs.
//!
//! AWS's own layout says service, version and region in the path: `<service>/<version>/index.json` for all regions,
//! `<service>/<version>/<region>/index.json` for one, with `current` for the newest version. Whatever does not lie so is known by its own first lines, and all
//! offers of the month's services among it are read: what holds is then decided SKU by SKU.

use super::header::{self, HEAD_BYTES, Header, Kind};
use super::versions::{Effective, in_force, read_index, seconds_of};
use super::{Needs, PriceRequest};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::Refusal;
use crate::found::Found;
use crate::limits::{FILES_MAX, MANIFEST_BYTES_MAX};
use crate::location::{Listed, Location, There};
use billing::period::BillingPeriod;
use flate2::read::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

/// Files that are left out, each with the reason.
type Ignored = Vec<(String, String)>;

/// The files to read, and what the version indexes beside them say.
#[derive(Debug)]
pub struct Choice {
    /// The files, by name.
    pub files: Vec<Found>,
    /// Since when versions are in force.
    pub effective: Effective,
    /// What is no offer file, and why.
    pub ignored: Ignored,
}

/// A file that may be an offer.
struct File {
    found: Found,
    /// Where it is, from the root on.
    path: String,
    placed: Option<Placed>,
}

/// What a path in AWS's layout says.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    pub service: String,
    /// The version, or `current`.
    pub version: String,
    pub region: Option<String>,
}

/// An offer file in AWS's layout.
struct Offer {
    file: File,
    region: Option<String>,
    version: String,
    begin: i64,
}

/// Finds the offer files that the month needs.
///
/// # Errors
/// Places that are not there or hold no offer file, and files that cannot be read.
pub fn choose(request: &PriceRequest, period: BillingPeriod) -> Result<Choice, Refusal> {
    let needs = &request.needs;
    let (listed, ignored) = list(&request.places)?;
    let (placed, loose): (Vec<File>, Vec<File>) = listed.into_iter().partition(|file| file.placed.is_some());
    let mut found = Sorting { any: !placed.is_empty(), ignored, ..Sorting::new(needs) };
    for file in loose.into_iter().filter(|file| !says_nothing(file, &placed, needs)) {
        if let Some((file, _)) = found.look(file)? {
            found.loose.push(file);
        }
    }
    let mut by_service: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in placed {
        let service = file.placed.as_ref().map_or("", |placed| &placed.service).to_owned();
        if needs.has_service(&service) {
            by_service.entry(service).or_default().push(file);
        }
    }
    let mut files = Vec::new();
    for (service, of_service) in by_service {
        files.extend(found.choose_versions(&service, first_packing(of_service), period)?);
    }
    if !found.any {
        return Err(no_offers(&request.places).into());
    }
    files.extend(first_packing(found.loose));
    let mut files: Vec<Found> = files.into_iter().map(|file| file.found).collect();
    files.sort();
    found.ignored.sort();
    Ok(Choice { files, effective: found.effective, ignored: found.ignored })
}

fn no_offers(places: &[PathBuf]) -> Diagnostic {
    let shown: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    let hint = "give a folder or prefix of offer files, as https://pricing.us-east-1.amazonaws.com serves them, with --price-list";
    Diagnostic::file(&shown.join(", "), "holds no offer file").hint(hint)
}

/// All files that may be of a price list, each once, and what is not followed.
fn list(places: &[PathBuf]) -> Result<(Vec<File>, Ignored), Refusal> {
    let (mut files, mut ignored) = (Vec::new(), Vec::new());
    for given in places {
        let place = Location::parse(given)?;
        let shown = place.to_string();
        match place.look()? {
            There::File(version) => {
                let found = Found { name: shown, location: place, version, named: true, kept: None };
                files.push(File::new(found));
            }
            There::Folder => {
                let of_price_list = |file: &Listed| ending(&file.name).is_some();
                let listing = place.list()?;
                let reason = "is a link, a pipe or a device, which are not followed in a folder";
                ignored.extend(listing.others.into_iter().map(|name| (name, reason.to_owned())));
                for Listed { name, version } in listing.files.into_iter().filter(of_price_list) {
                    let location = place.join(&name);
                    files.push(File::new(Found { name, location, version, named: false, kept: None }));
                }
            }
            There::Other => return Err(Diagnostic::file(&shown, "is not a regular file").into()),
            There::Nothing => {
                let hint = "give a folder or an offer file with --price-list, of this machine or as s3://bucket/prefix";
                return Err(Diagnostic::file(&shown, "cannot be read: it is not there").hint(hint).into());
            }
        }
    }
    if files.len() > FILES_MAX {
        let problem =
            Diagnostic::file("--price-list", format!("{} files; at most {FILES_MAX} are read", files.len()));
        return Err(problem.hint("name the folder of the services that the month uses").into());
    }
    files.sort_by(|one, other| (&one.path, &one.found.name).cmp(&(&other.path, &other.found.name)));
    files.dedup_by(|one, other| one.path == other.path);
    Ok((files, ignored))
}

impl File {
    fn new(found: Found) -> Self {
        let path = found.location.canonical().to_string();
        Self { placed: placed(&path), found, path }
    }

    /// Its path without the ending.
    fn stem(&self) -> &str {
        self.path.strip_suffix(ending(&self.path).unwrap_or_default()).unwrap_or(&self.path)
    }
}

/// The ending of a file that may be of a price list; of several forms of one file, the first is read.
fn ending(name: &str) -> Option<&'static str> {
    ENDINGS.into_iter().find(|ending| name.ends_with(ending))
}

const ENDINGS: [&str; 4] = [".json", ".json.gz", ".csv", ".csv.gz"];

/// What a path says, if it is one of AWS's layout.
pub fn placed(path: &str) -> Option<Placed> {
    let mut parts = path.rsplit('/');
    let file = parts.next()?;
    if file.strip_suffix(ending(file)?)? != "index" {
        return None;
    }
    let is_version = |part: &str| part == "current" || seconds_of(part).is_some();
    let (version, region) = match parts.next()? {
        version if is_version(version) => (version, None),
        region => (parts.next().filter(|part| is_version(part))?, Some(region.to_owned())),
    };
    let service = parts.next().filter(|part| !part.is_empty())?;
    Some(Placed { service: service.to_owned(), version: version.to_owned(), region })
}

/// Whether a file outside of the version folders says nothing that is needed: a list of regions, or the version index of a service that the
/// month does not use. A mirror of all services has thousands of them.
fn says_nothing(file: &File, placed: &[File], needs: &Needs) -> bool {
    if file.stem().ends_with("/region_index") {
        return true;
    }
    let Some(folder) = file.stem().strip_suffix("index") else { return false };
    let of_service = |other: &&File| other.path.starts_with(folder) && folder.ends_with('/');
    let service = placed.iter().find(of_service).and_then(|other| {
        let placed = other.placed.as_ref()?;
        folder.ends_with(&format!("/{}/", placed.service)).then_some(&placed.service)
    });
    service.is_some_and(|service| !needs.has_service(service))
}

/// Of each file that is there in several forms the first.
fn first_packing(mut files: Vec<File>) -> Vec<File> {
    let rank = |file: &File| ENDINGS.iter().position(|ending| file.path.ends_with(ending));
    files.sort_by(|one, other| (one.stem(), rank(one)).cmp(&(other.stem(), rank(other))));
    files.dedup_by(|one, other| one.stem() == other.stem());
    files
}

/// What is known of the files so far.
struct Sorting<'a> {
    needs: &'a Needs,
    /// Whether there is any offer, be it of a service that the month does not use.
    any: bool,
    loose: Vec<File>,
    effective: Effective,
    ignored: Ignored,
}

impl<'a> Sorting<'a> {
    fn new(needs: &'a Needs) -> Self {
        Self { needs, any: false, loose: Vec::new(), effective: Effective::new(), ignored: Vec::new() }
    }

    /// Looks into a file; gives it back if it is an offer that is needed, and takes in what it says else.
    fn look(&mut self, file: File) -> Result<Option<(File, Header)>, Refusal> {
        let Found { location, version, name, named, .. } = &file.found;
        match header::kind_of(&location.head(HEAD_BYTES, version)?) {
            Kind::Offer(header) => {
                self.any = true;
                return Ok(self.needs.has_service(&header.service).then_some((file, header)));
            }
            Kind::VersionIndex => {
                let bytes = location.read(MANIFEST_BYTES_MAX)?;
                read_index(&unpacked(bytes), &mut self.effective);
            }
            Kind::OtherIndex => {}
            Kind::Foreign(reason) if *named => {
                let hint = "give offer files with --price-list, or their folder";
                return Err(Diagnostic::file(name, reason).hint(hint).into());
            }
            Kind::Foreign(reason) => self.ignored.push((name.clone(), reason)),
        }
        Ok(None)
    }

    /// Of the files of a service in AWS's layout those that the month needs: for each of its regions the versions in force.
    fn choose_versions(
        &mut self,
        service: &str,
        files: Vec<File>,
        period: BillingPeriod,
    ) -> Result<Vec<File>, Refusal> {
        let region_of = |file: &File| file.placed.as_ref().and_then(|placed| placed.region.clone());
        let there: BTreeSet<Option<String>> = files.iter().map(region_of).collect();
        let wanted = self.wanted_regions(service, &there);
        let version_of = |file: &File| file.placed.as_ref().map(|placed| placed.version.clone());
        let one_version = files.iter().map(version_of).collect::<BTreeSet<_>>().len() == 1;
        let mut offers = Vec::new();
        for file in files {
            let region = region_of(&file);
            if region.is_some() && !wanted.contains(&region) {
                continue;
            }
            match one_version {
                // Nothing to choose, so no file has to say which version it is.
                true => offers.push(Offer { file, region, version: String::new(), begin: 0 }),
                false => offers.extend(self.offer(file, region)?),
            }
        }
        offers.sort_by(|one, other| one.order().cmp(&other.order()));
        // Where the file of all regions is read anyway, no region's own is.
        let by_region = !(wanted.contains(&None) && there.contains(&None));
        let mut chosen = BTreeSet::new();
        for region in &wanted {
            let mut versions: Vec<(i64, &str, usize)> = Vec::new();
            for (number, offer) in offers.iter().enumerate() {
                if offer.region != *region && offer.region.is_some() {
                    continue;
                }
                match versions.last_mut() {
                    // The file of all regions comes before that of the region.
                    Some((begin, version, last))
                        if (*begin, *version) == (offer.begin, offer.version.as_str()) =>
                    {
                        if by_region && offers[*last].region.is_none() {
                            *last = number;
                        }
                    }
                    _ => versions.push((offer.begin, &offer.version, number)),
                }
            }
            let begins: Vec<i64> = versions.iter().map(|(begin, ..)| *begin).collect();
            chosen.extend(versions[in_force(&begins, period)].iter().map(|(.., number)| *number));
        }
        let numbered = offers.into_iter().enumerate();
        Ok(numbered.filter(|(number, _)| chosen.contains(number)).map(|(_, offer)| offer.file).collect())
    }

    /// The regions of a service whose files are wanted; `None` is the file of all regions.
    fn wanted_regions(&self, service: &str, there: &BTreeSet<Option<String>>) -> BTreeSet<Option<String>> {
        let used: BTreeSet<&String> = match self.needs.services.get(service) {
            Some(regions) if !self.needs.any_service => regions.iter().collect(),
            _ => self.needs.services.values().flatten().collect(),
        };
        let mut wanted: BTreeSet<Option<String>> = used
            .into_iter()
            .map(|region| Some(region.clone()).filter(|region| there.contains(&Some(region.clone()))))
            .collect();
        // Products without a region of their own are where no region's name ends in a digit: `aws-global`.
        let is_global = |region: &&Option<String>| {
            region.as_ref().is_some_and(|name| !name.ends_with(|last: char| last.is_ascii_digit()))
        };
        wanted.extend(there.iter().filter(is_global).cloned());
        let found = wanted.iter().any(|region| there.contains(region));
        if found { wanted } else { there.clone() }
    }

    /// A file of AWS's layout with its version: as the path names it, or for `current` as the file says.
    fn offer(&mut self, file: File, region: Option<String>) -> Result<Option<Offer>, Refusal> {
        let Some(placed) = &file.placed else { return Ok(None) };
        let (file, service, version, published) = match seconds_of(&placed.version) {
            Some(published) => {
                let (service, version) = (placed.service.clone(), placed.version.clone());
                (file, service, version, published)
            }
            None => match self.look(file)? {
                Some((file, header)) => (file, header.service, header.version, header.seconds),
                None => return Ok(None),
            },
        };
        let span = self.effective.get(&(service, version.clone()));
        let begin = span.map_or(published, |span| span.begin);
        Ok(Some(Offer { file, region, version, begin }))
    }
}

impl Offer {
    fn order(&self) -> (i64, &str, &Option<String>, &str) {
        (self.begin, &self.version, &self.region, &self.file.path)
    }
}

/// An index as it is when it is not packed.
fn unpacked(bytes: Vec<u8>) -> Vec<u8> {
    let mut text = Vec::new();
    match MultiGzDecoder::new(bytes.as_slice()).take(MANIFEST_BYTES_MAX).read_to_end(&mut text) {
        Ok(_) => text,
        Err(_) => bytes,
    }
}
