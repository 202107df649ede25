//! Names and descriptions as plain text: nothing in them can steer the file that they end in.
//!
//! Every format takes its texts through [`plain`]. What is left for a format of its own: XML escapes markup (`xml`), a
//! spreadsheet keeps a text from being read as a formula ([`unlike_a_formula`], [`cell`]), a page shows what no font may stand for
//! as [`REPLACEMENT`] ([`printable`]).

use billing::invoice::party::is_invisible;
use std::borrow::Cow;

/// What stands in place of a character that a document cannot hold.
pub const REPLACEMENT: char = '\u{fffd}';

/// The text on one line, without what would act instead of being read.
///
/// Tabs, line and paragraph breaks become spaces. Control characters and noncharacters, which XML does not allow, become
/// [`REPLACEMENT`]. Marks that turn the direction of what follows (bidirectional embeddings, overrides and isolates), byte
/// order marks and soft hyphens are left out: they are invisible, and the first make `cod.exe` read `exe.doc`.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !is_space(c) && !is_invisible(c) && !is_forbidden(c)) {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().filter(|c| !is_invisible(*c)).map(|c| match c {
        c if is_space(c) => ' ',
        c if is_forbidden(c) => REPLACEMENT,
        c => c,
    });
    Cow::Owned(replaced.collect())
}

/// A text of several lines, each as [`plain`] has it.
#[must_use]
pub fn plain_lines(text: &str) -> Vec<Cow<'_, str>> {
    text.lines().map(|line| plain(line.trim_end())).collect()
}

/// A [`plain`] text as a page of an archivable PDF can hold it: private-use characters become [`REPLACEMENT`], because
/// nobody but their font knows what they mean (ISO 19005-3, 6.2.11.7.3).
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    if !text.contains(is_private) {
        return text;
    }
    Cow::Owned(text.chars().map(|c| if is_private(c) { REPLACEMENT } else { c }).collect())
}

/// A [`plain`] text as a cell that no spreadsheet takes for a formula: an apostrophe is set before a first `=`, `+`, `-` or `@`,
/// also behind blanks, and before a first tab or carriage return, as OWASP has it for CSV.
#[must_use]
pub fn unlike_a_formula(text: &str) -> Cow<'_, str> {
    // What is left out may stand before the sign: the cell decides, not the text that it comes of.
    let cell = plain(text);
    let starts =
        cell.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if starts || text.starts_with(['\t', '\r', '\n']) { Cow::Owned(format!("'{cell}")) } else { cell }
}

/// A value as a cell of a table that people open in a spreadsheet: a number is its exact digits, also below zero; a text is [`unlike_a_formula`].
#[must_use]
pub fn cell(value: &str) -> Cow<'_, str> {
    if is_number(value) { Cow::Borrowed(value) } else { unlike_a_formula(value) }
}

/// Plain digits, with a sign and a point or without.
fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    //! Each kind of character, in and out.

    use super::*;

    #[test]
    fn what_would_act_is_shown_or_left_out() {
        assert_eq!(plain("Müller & <b>Söhne</b>"), "Müller & <b>Söhne</b>");
        assert_eq!(plain("a\tb\r\nc\u{2028}d"), "a b  c d");
        assert_eq!(plain("bell\u{7}, null\0, last\u{9f}"), "bell\u{fffd}, null\u{fffd}, last\u{fffd}");
        assert_eq!(plain("no\u{fffe} char\u{1ffff}"), "no\u{fffd} char\u{fffd}");
        assert_eq!(plain("safe \u{202e}cod.exe\u{202c}\u{2066}x\u{2069}"), "safe cod.exex");
        assert_eq!(
            plain("zero-width \u{200c} joiners \u{200d} stay"),
            "zero-width \u{200c} joiners \u{200d} stay"
        );
        assert_eq!(plain_lines("one\r\ntwo \n\nfour"), ["one", "two", "", "four"]);
        assert_eq!(printable("logo \u{e000}"), "logo \u{fffd}");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =1",
            "\u{ff1d}1",
            "\ttext",
            "\u{202e}=1",
            "\u{200e}=1",
            "\u{ad}=1",
            "\u{feff}@x",
            " \u{200e} +1",
        ] {
            let cell = unlike_a_formula(text).into_owned();
            let first = cell.trim_start().chars().next().unwrap();
            assert!(!"=+-@".contains(first), "{text:?} became {cell:?}");
        }
        assert_eq!(unlike_a_formula("\ttext"), "' text");
        assert_eq!(unlike_a_formula("a=b"), "a=b");
        assert_eq!(unlike_a_formula(""), "");
    }

    #[test]
    fn a_number_below_zero_is_a_number() {
        for number in ["-1", "-0.000000001", "12.50", "0"] {
            assert_eq!(cell(number), number);
        }
        for (text, shown) in [
            ("-1+1", "'-1+1"),
            ("-", "'-"),
            ("-.5", "'-.5"),
            ("-1.", "'-1."),
            ("=1", "'=1"),
            ("+1", "'+1"),
            ("a-1", "a-1"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
