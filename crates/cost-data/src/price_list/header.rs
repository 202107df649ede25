//! What a file says of itself in its first lines: whether it is an offer, of which service, and when it was published.

use crate::csv_lines;
use crate::limits::{EXPANSION_FREE_BYTES, EXPANSION_RATIO_MAX};
use crate::source::Source;
use crate::timestamp;
use flate2::read::MultiGzDecoder;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// How much of a file is looked at to know what it is.
pub const HEAD_BYTES: u64 = 64 << 10;
/// How much is read at once.
const BUFFER_BYTES: usize = 128 << 10;

/// What an offer file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The offer code.
    pub service: String,
    /// The version.
    pub version: String,
    /// When it was published, as the file says.
    pub published: String,
    /// The same as an instant.
    pub seconds: i64,
}

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// An offer.
    Offer(Header),
    /// The versions of an offer.
    VersionIndex,
    /// A list of services or regions, which says nothing that is needed.
    OtherIndex,
    /// Something else, and why it is no offer.
    Foreign(String),
}

/// The fields of a header, as far as they were found.
#[derive(Debug, Default)]
pub struct Fields {
    pub service: Option<String>,
    pub version: Option<String>,
    pub published: Option<String>,
}

impl Fields {
    /// The header, if nothing is missing.
    pub fn checked(self) -> Result<Header, String> {
        let filled = |field: Option<String>, name: &str| {
            let text = field.filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| format!("is no offer file: it has no {name} at its top"))?;
            // It is shown, and kept in the run.
            match text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
                true => Ok(text),
                false => Err(format!("is no offer file: its {name} is not plain text")),
            }
        };
        let service = filled(self.service, "offer code")?;
        let version = filled(self.version, "version")?;
        let published = filled(self.published, "publication date")?;
        let seconds = timestamp::seconds(&published)
            .ok_or_else(|| format!("is no offer file: its publication date `{published}` is none"))?;
        Ok(Header { service, version, published, seconds })
    }
}

/// Says what a file is from its first bytes, packed or not.
pub fn kind_of(head: &[u8]) -> Kind {
    let mut unpacked = Vec::new();
    let mut text = head;
    if head.starts_with(GZIP) {
        // The end of the head is the end of no member; what comes before it is enough.
        let _ = MultiGzDecoder::new(head).take(HEAD_BYTES).read_to_end(&mut unpacked);
        text = &unpacked;
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    match text.first() {
        Some(b'{') => kind_of_json(text),
        Some(_) => offer_of(csv_fields(text)),
        None => Kind::Foreign("is empty".to_owned()),
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];

fn offer_of(fields: Fields) -> Kind {
    fields.checked().map_or_else(Kind::Foreign, Kind::Offer)
}

/// The metadata of an offer in CSV: five lines of a name and a value.
fn csv_fields(text: &[u8]) -> Fields {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut fields = Fields::default();
    for record in reader.byte_records().take(CSV_METADATA_LINES).map_while(Result::ok) {
        take_csv_metadata(&mut fields, &record);
    }
    fields
}

/// How many lines of metadata an offer in CSV has before its header.
pub const CSV_METADATA_LINES: usize = 5;

/// Takes in a line of metadata.
pub fn take_csv_metadata(fields: &mut Fields, record: &csv::ByteRecord) {
    let text = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned();
    match text(0).trim_start_matches('\u{feff}') {
        "OfferCode" => fields.service = Some(text(1)),
        "Version" => fields.version = Some(text(1)),
        "Publication Date" => fields.published = Some(text(1)),
        _ => {}
    }
}

fn kind_of_json(text: &[u8]) -> Kind {
    let mut top = Top::default();
    // The head is cut off somewhere: what was found until then counts.
    let _ = top.deserialize(&mut serde_json::Deserializer::from_slice(text));
    match top.holds {
        Some("versions") => Kind::VersionIndex,
        Some("regions" | "offers") => Kind::OtherIndex,
        Some(_) => offer_of(top.fields),
        None => Kind::Foreign("is no offer file: it has neither products nor terms".to_owned()),
    }
}

/// The top of a JSON file, up to the first of the parts that files of a price list have.
#[derive(Default)]
struct Top {
    fields: Fields,
    holds: Option<&'static str>,
}

const PARTS: [&str; 5] = ["versions", "regions", "offers", "products", "terms"];

impl<'de> DeserializeSeed<'de> for &mut Top {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Top {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.holds = PARTS.into_iter().find(|part| *part == key);
            if self.holds.is_some() {
                return Ok(());
            }
            match key.as_str() {
                "offerCode" => self.fields.service = Some(map.next_value()?),
                "version" => self.fields.version = Some(map.next_value()?),
                "publicationDate" => self.fields.published = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The text of an offer file, by its form.
pub enum Text {
    Json(BufReader<Capped>),
    Csv(BufReader<Capped>),
}

/// Begins to read a file, packed or not.
pub fn text_of(source: &Source) -> Result<Text, String> {
    let (inner, packed) = csv_lines::text_of(source)?;
    let allowed = EXPANSION_FREE_BYTES.saturating_add(source.bytes().saturating_mul(EXPANSION_RATIO_MAX));
    let left = if packed { allowed } else { u64::MAX };
    let mut text = BufReader::with_capacity(BUFFER_BYTES, Capped { inner, left, allowed });
    let failed = |error: io::Error| format!("cannot be read: {error}");
    if text.fill_buf().map_err(failed)?.starts_with(b"\xef\xbb\xbf") {
        text.consume(3);
    }
    let is_json = text.fill_buf().map_err(failed)?.trim_ascii_start().first() == Some(&b'{');
    Ok(if is_json { Text::Json(text) } else { Text::Csv(text) })
}

/// A text that may not grow beyond measure by being unpacked.
pub struct Capped {
    inner: Box<dyn Read>,
    left: u64,
    allowed: u64,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(format!("decompresses to more than {} bytes", self.allowed)))?;
        Ok(count)
    }
}
