//! The bodies of settings, as JSON that stays readable: numbers are exact text, and a field that nobody knows is refused.
//!
//! The golden files in `tests/golden` are what rows of the past hold. A new field is optional; one that is no more is still read.

mod group;
mod item;
mod organization;
mod others;
mod plan;
pub(crate) mod purchasing;

use std::fmt::Display;

pub(crate) use others::{ClosedThrough, Complete};

/// What is kept as the body of a setting.
pub(crate) trait Body: Sized {
    /// The JSON of it.
    fn write(&self) -> String;

    /// What JSON says.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn read(text: &str) -> Result<Self, String>;
}

/// The JSON of a shape. The shapes here hold texts, flags and lists only, which can always be written.
fn text<T: serde::Serialize>(shape: &T) -> String {
    serde_json::to_string(shape).unwrap_or_default()
}

/// The shape of JSON.
fn shape<'t, T: serde::Deserialize<'t>>(text: &'t str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// What a parser makes of a text, or the text in an error.
fn parsed<T>(what: &str, text: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("`{text}` is no {what}"))
}

/// What a parser with an error of its own makes of a text.
fn number<T, E: Display>(text: &str, value: Result<T, E>) -> Result<T, String> {
    value.map_err(|error| format!("`{text}`: {error}"))
}

#[cfg(test)]
mod tests;
