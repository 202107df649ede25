//! How the operator's documents look: logo, colour, paper, fonts, words.

use crate::Error;
pub use crate::colour::Colour;
pub use crate::typesetting::Fonts;
use crate::wording;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything about a page that is the operator's to choose. The default is plain and has no logo.
#[derive(Debug, Clone, Default)]
pub struct Design {
    /// The picture at the top of the first page.
    pub logo: Option<Logo>,
    /// The colour of headings and areas.
    pub accent: Option<Colour>,
    /// The size of the paper.
    pub paper: Paper,
    /// What documents are set in.
    pub fonts: Fonts,
    /// Words that are to be said otherwise, by their keys ([`word_keys`]).
    pub texts: BTreeMap<String, String>,
    /// Lines at the foot of every page, such as the names of directors.
    pub footer: Vec<String>,
}

/// The size of the paper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Paper {
    /// 210 × 297 mm.
    #[default]
    A4,
    /// 8.5 × 11 inches.
    Letter,
}

/// A logo, decoded and known to be one.
#[derive(Debug, Clone)]
pub struct Logo {
    pub(crate) image: krilla::image::Image,
    /// What it says, for those who do not see it.
    pub(crate) alt: Option<String>,
}

/// The largest logo file, and the most pixels on a side.
const LOGO_BYTES_MAX: usize = 5 * 1024 * 1024;
const LOGO_SIDE_MAX: u32 = 8_000;

impl Logo {
    /// A PNG or JPEG picture, known by its first bytes; `alt` is what it says, by default the seller's name.
    ///
    /// # Errors
    /// [`Error::Logo`] for another format, a picture that cannot be read, or one that is too large.
    pub fn new(bytes: Vec<u8>, alt: Option<String>) -> Result<Self, Error> {
        let refused = |reason: String| Error::Logo { reason };
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(refused(format!("it has {} bytes, at most {LOGO_BYTES_MAX}", bytes.len())));
        }
        let image = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            let (width, height) = png_size(&bytes);
            if width > LOGO_SIDE_MAX || height > LOGO_SIDE_MAX {
                return Err(refused(format!(
                    "it is {width} × {height} pixels, at most {LOGO_SIDE_MAX} on a side"
                )));
            }
            krilla::image::Image::from_png(bytes.into(), false)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            krilla::image::Image::from_jpeg(bytes.into(), false)
        } else {
            Err("it is neither PNG nor JPEG".to_owned())
        };
        let image = image.map_err(refused)?;
        let (width, height) = image.size();
        if width.max(height) > LOGO_SIDE_MAX || width.min(height) == 0 {
            return Err(refused(format!(
                "it is {width} × {height} pixels, at most {LOGO_SIDE_MAX} on a side"
            )));
        }
        Ok(Self { image, alt })
    }
}

/// Width and height as the header of a PNG states them; the picture is not decoded for that.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    let at = |start: usize| {
        let field = bytes.get(start..start + 4).and_then(|field| field.try_into().ok());
        field.map_or(0, u32::from_be_bytes)
    };
    (at(16), at(20))
}

/// A design as an operator writes it; docs/documents.md has the keys. Files are named from the folder that [`Settings::design`] is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    logo: Option<PathBuf>,
    logo_says: Option<String>,
    accent: Option<String>,
    paper: Option<String>,
    fonts: Option<PathBuf>,
    font_family: Option<String>,
    footer: Vec<String>,
    texts: BTreeMap<String, String>,
}

impl Settings {
    /// The design, with its logo and its fonts read. `folder` is where files are looked for that are not named from the root.
    ///
    /// # Errors
    /// [`Error`] for the first thing that is not right.
    pub fn design(&self, folder: &Path) -> Result<Design, Error> {
        if let Some(key) = self.texts.keys().find(|key| !word_keys().any(|known| known == **key)) {
            return Err(Error::UnknownWord(key.clone()));
        }
        wording::sound(&self.texts)?;
        let logo = match &self.logo {
            Some(path) => {
                let path = folder.join(path);
                let refused =
                    |reason: String| Error::Logo { reason: format!("{}: {reason}", path.display()) };
                let bytes = std::fs::read(&path).map_err(|error| refused(error.to_string()))?;
                Some(Logo::new(bytes, self.logo_says.clone())?)
            }
            None => None,
        };
        let fonts = match &self.fonts {
            Some(path) => Fonts::with_folder(&folder.join(path), self.font_family.as_deref())?,
            None => Fonts::bundled(),
        };
        let paper = match self.paper.as_deref() {
            None | Some("a4") => Paper::A4,
            Some("letter") => Paper::Letter,
            Some(other) => return Err(Error::UnknownPaper(other.to_owned())),
        };
        let accent = self.accent.as_deref().map(colour).transpose()?;
        Ok(Design { logo, accent, paper, fonts, texts: self.texts.clone(), footer: self.footer.clone() })
    }
}

/// Reads a colour as `#1a2b3c`.
///
/// # Errors
/// [`Error::Colour`].
pub fn colour(text: &str) -> Result<Colour, Error> {
    let refused = || Error::Colour(text.to_owned());
    let digits = text
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .ok_or_else(refused)?;
    let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| refused());
    Ok(Colour(channel(0)?, channel(2)?, channel(4)?))
}

/// The keys of the words that an operator can say otherwise.
pub fn word_keys() -> impl Iterator<Item = &'static str> {
    wording::keys()
}
