//! What a message says: plain words and facts, without any markup. Whoever sends it makes its form: text and HTML of a mail, JSON of a webhook.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest line of a letter, in characters: what is longer is cut, and says so.
pub const LINE_CHARACTERS_MAX: usize = 1_000;
/// The longest title: mail programs show less.
const TITLE_CHARACTERS_MAX: usize = 200;

/// What a message says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// What it is about, in a line.
    pub title: String,
    /// Its sentences, a paragraph each.
    pub paragraphs: Vec<String>,
    /// Names and values, as a table shows them.
    pub facts: Vec<(String, String)>,
}

impl Letter {
    /// The same without characters that could end a line or turn its direction, and without lines that do not end.
    #[must_use]
    pub fn neutralised(&self) -> Self {
        let line = |text: &String| cut(&plain(text), LINE_CHARACTERS_MAX);
        Self {
            title: cut(&plain(&self.title), TITLE_CHARACTERS_MAX),
            paragraphs: self.paragraphs.iter().map(line).collect(),
            facts: self.facts.iter().map(|(name, value)| (line(name), line(value))).collect(),
        }
    }
}

/// A text of one line: what could begin another header or line, or show it in another order than it is written in, is a space.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_ordinary = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if is_ordinary(c) { c } else { ' ' }).collect::<String>().trim().to_owned()
}

fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The SHA-256 of bytes, in hexadecimal.
pub(super) fn bytes_sha256(bytes: &[u8]) -> String {
    crate::hash::hex(&Sha256::digest(bytes))
}

/// Bytes as base64: how a column of text keeps them.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of base64; `None` where it is none.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
