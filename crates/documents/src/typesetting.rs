//! Text to glyphs: fonts, fallback from font to font, line breaks and both directions of writing, by `parley`.
//!
//! Widths come as single-precision numbers and leave as whole thousandths of a point, rounded up, so that what is laid out by
//! them is laid out alike everywhere. Floats stay in this file; `drawing` only hands them on.
#![allow(clippy::float_arithmetic, reason = "lengths of glyphs, which are no amounts")]

use crate::Error;
use crate::measure::Length;
use crate::plain_text::printable;
use krilla::text::{Font, GlyphId, KrillaGlyph, Tag};
use parley::fontique::{Blob, Collection, CollectionOptions, SourceCache};
use parley::style::{FontFamily, FontFamilyName, FontWeight, LineHeight, OverflowWrap, StyleProperty};
use parley::{Alignment, AlignmentOptions, FontContext, LayoutContext};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

const REGULAR: &[u8] = include_bytes!("../fonts/Roboto-Regular.ttf");
const MEDIUM: &[u8] = include_bytes!("../fonts/Roboto-Medium.ttf");
const BUNDLED_FAMILY: &str = "Roboto";

/// The font files of a folder that are read: more, or larger, are refused by name.
const FONT_FILES_MAX: usize = 200;
const FONT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The fonts that documents are set in: the bundled one, and those of the operator's folder.
#[derive(Clone)]
pub struct Fonts {
    context: FontContext,
    /// In the order in which they are asked for a character.
    families: Vec<String>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fonts").field("families", &self.families).finish_non_exhaustive()
    }
}

impl Default for Fonts {
    fn default() -> Self {
        Self::bundled()
    }
}

impl Fonts {
    /// The bundled font alone: Latin, Greek and Cyrillic. Fonts of the machine are never looked for, so that a document has the same bytes
    /// on every machine.
    #[must_use]
    pub fn bundled() -> Self {
        let collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
        let mut context = FontContext { collection, source_cache: SourceCache::default() };
        for font in [REGULAR, MEDIUM] {
            context.collection.register_fonts(Blob::new(Arc::new(font)), None);
        }
        Self { context, families: vec![BUNDLED_FAMILY.to_owned()] }
    }

    /// The bundled font and every font of a folder (`.ttf`, `.otf`, `.ttc`, `.otc`), which are asked for what the bundled one does not have, in
    /// the order of their file names. `first` names a family of theirs that is asked before the bundled one.
    ///
    /// # Errors
    /// [`Error::Fonts`] where the folder or a file of it cannot be read, is no font or is too large, or where no font has the family `first`.
    pub fn with_folder(folder: &Path, first: Option<&str>) -> Result<Self, Error> {
        let mut fonts = Self::bundled();
        for path in font_files(folder)? {
            let bytes = std::fs::read(&path).map_err(|error| refused(&path, &error.to_string()))?;
            let added = fonts.context.collection.register_fonts(Blob::new(Arc::new(bytes)), None);
            if added.is_empty() {
                return Err(refused(&path, "it is not a font; take it out of the folder"));
            }
            for (family, _) in added {
                let name = fonts.context.collection.family_name(family).unwrap_or_default().to_owned();
                if !fonts.families.contains(&name) {
                    fonts.families.push(name);
                }
            }
        }
        if let Some(first) = first {
            let Some(at) = fonts.families.iter().position(|name| name.eq_ignore_ascii_case(first)) else {
                let reason =
                    format!("no font has the family `{first}`; there are: {}", fonts.families.join(", "));
                return Err(refused(folder, &reason));
            };
            fonts.families[..=at].rotate_right(1);
        }
        Ok(fonts)
    }
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::Fonts { path: path.display().to_string(), reason: reason.to_owned() }
}

fn font_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let unreadable = |error: std::io::Error| refused(folder, &error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !["ttf", "otf", "ttc", "otc"].iter().any(|font| ending.eq_ignore_ascii_case(font)) {
            continue;
        }
        let bytes = std::fs::metadata(&path).map_err(|error| refused(&path, &error.to_string()))?.len();
        if bytes > FONT_BYTES_MAX {
            return Err(refused(&path, &format!("it has {bytes} bytes, at most {FONT_BYTES_MAX}")));
        }
        files.push(path);
    }
    files.sort();
    if files.len() > FONT_FILES_MAX {
        let reason = format!("it has {} fonts, at most {FONT_FILES_MAX}", files.len());
        return Err(refused(folder, &reason));
    }
    Ok(files)
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Style {
    /// The size of the font.
    pub size: Length,
    /// Whether it is set in the heavier weight.
    pub strong: bool,
}

impl Style {
    /// The regular weight.
    pub const fn regular(size: Length) -> Self {
        Self { size, strong: false }
    }

    /// The heavier weight.
    pub const fn strong(size: Length) -> Self {
        Self { size, strong: true }
    }

    /// From one line to the next: 1.32 of the size.
    pub const fn line_height(self) -> Length {
        self.size * 132 / 100
    }
}

/// Glyphs of one font, from left to right.
#[derive(Debug)]
pub struct Run {
    pub font: Font,
    pub glyphs: Vec<KrillaGlyph>,
    /// From the left end of the line.
    pub x: f32,
}

/// One line of a text, as wide as it is seen.
#[derive(Debug)]
pub struct Line {
    /// The whole text that the glyphs' ranges are of.
    pub text: Rc<str>,
    pub runs: Vec<Run>,
    pub size: Length,
    /// Without blanks at its end.
    pub width: Length,
    pub height: Length,
    /// From the top of the line.
    pub baseline: Length,
}

/// The lines of a text.
pub type Lines = Rc<[Rc<Line>]>;

/// Sets texts for one document.
pub struct Typesetter {
    fonts: Fonts,
    layouts: LayoutContext<()>,
    opened: HashMap<(u64, u32, bool), Font>,
    set: HashMap<(String, Style, Length), Lines>,
}

/// Settings of texts that are kept, because tables say the same again and again.
const KEPT_MAX: usize = 20_000;

impl Typesetter {
    pub fn new(fonts: &Fonts) -> Self {
        Self {
            fonts: fonts.clone(),
            layouts: LayoutContext::new(),
            opened: HashMap::new(),
            set: HashMap::new(),
        }
    }

    /// The lines of a text within a width; one line without a width. A word that is wider than the width is broken where it must be.
    pub fn set(&mut self, text: &str, style: Style, width: Option<Length>) -> Result<Lines, Error> {
        let key = (text.to_owned(), style, width.unwrap_or(Length::MAX));
        if let Some(lines) = self.set.get(&key) {
            return Ok(lines.clone());
        }
        let lines: Lines = self.lay_out(text, style, width)?.into();
        if self.set.len() < KEPT_MAX {
            self.set.insert(key, lines.clone());
        }
        Ok(lines)
    }

    fn lay_out(&mut self, text: &str, style: Style, width: Option<Length>) -> Result<Vec<Rc<Line>>, Error> {
        let text: Rc<str> = printable(text).trim().into();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let names = self.fonts.families.iter();
        let families: Vec<_> =
            names.map(|name| FontFamilyName::Named(Cow::Borrowed(name.as_str()))).collect();
        let mut builder = self.layouts.ranged_builder(&mut self.fonts.context, &text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::List(Cow::Owned(families))));
        builder.push_default(StyleProperty::FontSize(points(style.size)));
        builder.push_default(StyleProperty::FontWeight(FontWeight::new(if style.strong {
            500.0
        } else {
            400.0
        })));
        builder.push_default(StyleProperty::LineHeight(LineHeight::Absolute(points(style.line_height()))));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        let mut layout = builder.build(&*text);
        layout.break_all_lines(width.map(points));
        layout.align(Alignment::Left, AlignmentOptions::default());
        let rtl = layout.is_rtl();
        let mut lines = Vec::new();
        for line in layout.lines() {
            lines.push(Rc::new(self.line(&text, style, rtl, &line)?));
        }
        Ok(lines)
    }

    fn line(
        &mut self,
        text: &Rc<str>,
        style: Style,
        rtl: bool,
        line: &parley::Line<'_, ()>,
    ) -> Result<Line, Error> {
        let metrics = line.metrics();
        // Blanks at the end of a line are seen by nobody: where writing goes to the left, they are at its left end.
        let mut x = if rtl { -metrics.trailing_whitespace } else { 0.0 };
        let mut runs = Vec::new();
        for run in line.runs() {
            let start = x;
            let mut glyphs: Vec<KrillaGlyph> = Vec::new();
            for cluster in run.visual_clusters() {
                if cluster.is_ligature_continuation() {
                    if let Some(glyph) = glyphs.last_mut() {
                        glyph.text_range.end = glyph.text_range.end.max(cluster.text_range().end);
                        glyph.text_range.start = glyph.text_range.start.min(cluster.text_range().start);
                    }
                    continue;
                }
                for glyph in cluster.glyphs() {
                    if glyph.id == 0 {
                        return Err(no_glyph(text, &text[cluster.text_range()]));
                    }
                    let size = run.font_size();
                    let (advance, dx, dy) = (glyph.advance / size, glyph.x / size, glyph.y / size);
                    let id = GlyphId::new(glyph.id);
                    glyphs.push(KrillaGlyph::new(id, advance, dx, dy, 0.0, cluster.text_range(), None));
                    x += glyph.advance;
                }
            }
            let font = self.font(&run, style.strong)?;
            runs.push(Run { font, glyphs, x: start });
        }
        Ok(Line {
            text: text.clone(),
            runs,
            size: style.size,
            width: thousandths(metrics.advance - metrics.trailing_whitespace),
            height: style.line_height(),
            baseline: thousandths(metrics.baseline - metrics.block_min_coord),
        })
    }

    fn font(&mut self, run: &parley::layout::Run<'_, ()>, strong: bool) -> Result<Font, Error> {
        let font = run.font();
        let (data, id) = font.data.clone().into_raw_parts();
        if let Some(font) = self.opened.get(&(id, font.index, strong)) {
            return Ok(font.clone());
        }
        let variations: Vec<_> = run
            .synthesis()
            .variation_settings()
            .iter()
            .map(|(tag, value)| (Tag::new(&tag.into_bytes()), *value))
            .collect();
        let opened = Font::new_variable(data.into(), font.index, &variations)
            .ok_or_else(|| Error::Pdf("a font of the folder cannot be embedded".to_owned()))?;
        self.opened.insert((id, font.index, strong), opened.clone());
        Ok(opened)
    }
}

fn no_glyph(text: &str, cluster: &str) -> Error {
    let missing = cluster.chars().next().unwrap_or_default();
    Error::NoGlyph { character: missing, text: text.chars().take(60).collect() }
}

/// A length as krilla and parley have it.
pub fn points(length: Length) -> f32 {
    length as f32 / 1000.0
}

/// A length of parley's in whole thousandths of a point, rounded up.
fn thousandths(points: f32) -> Length {
    // `as` stops at the largest length, which no page reaches.
    (points * 1000.0).ceil() as Length
}
