//! The one way in which a command reads a file that somebody has written for it.

use crate::failure::Failure;
use aws_wire::json::{Limits, parse};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The way out where a file is no file of text.
const HINT_TEXT: &str = "save it as text in UTF-8; a workbook is exported as CSV first";

/// The bytes of a file.
pub fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    fs::read(path).map_err(|error| {
        let failure = Failure::input(format!("`{shown}` cannot be read: {error}"));
        match error.kind() {
            std::io::ErrorKind::NotFound => failure.hint("is its name right, from this folder?"),
            std::io::ErrorKind::IsADirectory => failure.hint("name one file of the folder"),
            _ => failure,
        }
    })
}

/// The text of a file in UTF-8. A mark of the byte order, as spreadsheets write one, is none of it.
pub fn text_of(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(bytes_of(path)?)
        .map_err(|_| Failure::input(format!("`{}` is not UTF-8", path.display())).hint(HINT_TEXT))?;
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

/// The same of a file that says something: what is left of a download that has failed must not pass for a month without entries.
pub fn filled_text_of(path: &Path) -> Result<String, Failure> {
    let text = text_of(path)?;
    if text.trim().is_empty() {
        return Err(Failure::input(format!("`{}` is empty", path.display()))
            .hint("a file without entries has its header, or `[]`; was it downloaded whole?"));
    }
    Ok(text)
}

/// The JSON of a file. A key that is given twice is refused: which of its values is meant, nobody knows.
pub fn json_of(path: &Path) -> Result<Value, Failure> {
    let text = filled_text_of(path)?;
    let refused = |problem: String| Failure::input(format!("`{}` is no JSON: {problem}", path.display()));
    parse(text.as_bytes(), Limits::of_size(usize::MAX)).map_err(|error| refused(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| refused(error.to_string()))
}

/// The names of the columns of a CSV file, each of which is there once.
pub fn header_of<R: std::io::Read>(
    reader: &mut csv::Reader<R>,
    path: &Path,
) -> Result<csv::StringRecord, Failure> {
    let refused = |problem: String| Failure::input(format!("`{}`: {problem}", path.display()));
    let header = reader.headers().map_err(|error| refused(error.to_string()))?.clone();
    let twice =
        header.iter().enumerate().find(|(at, name)| header.iter().take(*at).any(|before| before == *name));
    match twice {
        Some((_, name)) => Err(refused(format!("column `{name}` is there twice"))
            .hint("leave the one whose values are meant, and take the other out")),
        None => Ok(header),
    }
}
