//! Series of numbers: each document's number follows from the one before, without a gap.

use super::date::Date;
use std::fmt::Write as _;

/// The longest number that a document may have.
pub const NUMBER_LENGTH_MAX: usize = 40;

/// When a series starts to count anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Restart {
    /// It never does.
    Never,
    /// With the first document of a year.
    Yearly,
}

/// How the documents of a series are numbered.
///
/// A template such as `INV-{year}-{number:5}`: letters, digits and `-/_.` stand for themselves, `{year}` and `{month}` for those of the
/// day of issue, `{number}` for the count, filled with zeros to as many digits as are written behind a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    parts: Vec<Part>,
    template: String,
    restart: Restart,
    first: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Year,
    Month,
    Number(usize),
}

/// Why a series cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// A brace that does not close, or a name that is none.
    #[error(
        "`{template}`: `{part}` is no part of a number; write {{year}}, {{month}}, {{number}} or {{number:5}}"
    )]
    UnknownPart {
        /// The template.
        template: String,
        /// The part.
        part: String,
    },
    /// A character that file names and bank statements may not survive.
    #[error("`{template}`: `{character}` may not be in a number; use letters, digits and `-/_.`")]
    Character {
        /// The template.
        template: String,
        /// The character.
        character: char,
    },
    /// Not one number.
    #[error("`{0}` has to have {{number}} once, as in INV-{{year}}-{{number:5}}")]
    NotOneNumber(String),
    /// A count that starts anew needs the year to tell its documents apart.
    #[error(
        "`{0}` counts anew every year, so it has to have {{year}}; add it, or let the series never restart"
    )]
    NoYear(String),
    /// A count from 0.
    #[error("the first number of `{0}` is 0; numbers start from 1 or above")]
    FirstIsZero(String),
    /// Numbers would be too long.
    #[error("`{0}` makes numbers of more than {NUMBER_LENGTH_MAX} characters; shorten it")]
    TooLong(String),
}

/// The last number that a series has given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastNumber {
    /// The count.
    pub count: u64,
    /// The day of issue of the document that has it.
    pub issued: Date,
}

/// Why the next number cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NextError {
    /// The day is before that of the last document.
    #[error(
        "the last document of series `{template}` is of {last}, so the next one may not be of {issued}; issue it on {last} or later"
    )]
    Earlier {
        /// The template.
        template: String,
        /// The day of the last one.
        last: Date,
        /// The day that is asked for.
        issued: Date,
    },
    /// The count is at its end.
    #[error("series `{0}` has given its last number; start another series")]
    Exhausted(String),
}

impl Series {
    /// Checks a template. `first` is the first count of the series: 1, unless another program numbered documents before. Where the series restarts,
    /// a later year starts from 1, for nobody else has numbered any of it.
    ///
    /// # Errors
    /// [`SeriesError`], in the order of its variants.
    pub fn new(template: &str, restart: Restart, first: u64) -> Result<Self, SeriesError> {
        let parts = parts(template)?;
        let owned = || template.to_owned();
        let numbers = parts.iter().filter(|part| matches!(part, Part::Number(_))).count();
        if numbers != 1 {
            return Err(SeriesError::NotOneNumber(owned()));
        }
        if restart == Restart::Yearly && !parts.contains(&Part::Year) {
            return Err(SeriesError::NoYear(owned()));
        }
        if first == 0 {
            return Err(SeriesError::FirstIsZero(owned()));
        }
        let series = Self { parts, template: owned(), restart, first };
        if series.text(u64::MAX, Date::of_seconds(0)).len() > NUMBER_LENGTH_MAX {
            return Err(SeriesError::TooLong(owned()));
        }
        Ok(series)
    }

    /// The template.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// When it starts to count anew.
    #[must_use]
    pub const fn restart(&self) -> Restart {
        self.restart
    }

    /// The first count.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The number that follows the last one, for a document that is issued on a day. A function of these alone: whoever holds the last number
    /// of a series knows the next.
    ///
    /// # Errors
    /// [`NextError`], in the order of its variants.
    pub fn next(&self, last: Option<LastNumber>, issued: Date) -> Result<(LastNumber, String), NextError> {
        let count = match last {
            None => self.first,
            Some(last) if last.issued > issued => {
                let (template, last) = (self.template.clone(), last.issued);
                return Err(NextError::Earlier { template, last, issued });
            }
            Some(last) if self.restart == Restart::Yearly && last.issued.year() < issued.year() => 1,
            Some(last) => {
                let next = last.count.checked_add(1);
                next.ok_or_else(|| NextError::Exhausted(self.template.clone()))?
            }
        };
        Ok((LastNumber { count, issued }, self.text(count, issued)))
    }

    fn text(&self, count: u64, issued: Date) -> String {
        let mut text = String::new();
        for part in &self.parts {
            // Writing to a text cannot fail.
            let _ = match part {
                Part::Text(of) => text.write_str(of),
                Part::Year => write!(text, "{:04}", issued.year()),
                Part::Month => write!(text, "{:02}", issued.month().month()),
                Part::Number(width) => write!(text, "{count:0width$}", width = *width),
            };
        }
        text
    }
}

/// The widest that a count is filled to.
const WIDTH_MAX: usize = 12;

fn parts(template: &str) -> Result<Vec<Part>, SeriesError> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let unknown =
            |part: &str| SeriesError::UnknownPart { template: template.to_owned(), part: part.to_owned() };
        if first == '{' {
            let end = rest.find('}').ok_or_else(|| unknown(rest))? + 1;
            let part = &rest[..end];
            parts.push(placeholder(part).ok_or_else(|| unknown(part))?);
            rest = &rest[end..];
            continue;
        }
        let end = rest.find('{').unwrap_or(rest.len());
        let text = &rest[..end];
        let stands_for_itself = |c: &char| c.is_ascii_alphanumeric() || "-/_.".contains(*c);
        if let Some(character) = text.chars().find(|c| !stands_for_itself(c)) {
            return Err(SeriesError::Character { template: template.to_owned(), character });
        }
        parts.push(Part::Text(text.to_owned()));
        rest = &rest[end..];
    }
    Ok(parts)
}

fn placeholder(part: &str) -> Option<Part> {
    match part {
        "{year}" => Some(Part::Year),
        "{month}" => Some(Part::Month),
        "{number}" => Some(Part::Number(1)),
        _ => {
            let width = part.strip_prefix("{number:")?.strip_suffix('}')?;
            let width = width.parse().ok().filter(|width| (1..=WIDTH_MAX).contains(width))?;
            Some(Part::Number(width))
        }
    }
}

#[cfg(test)]
mod tests {
    //! Numbers follow each other without a gap, whatever the template.

    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn refused(template: &str, restart: Restart, first: u64) -> String {
        Series::new(template, restart, first).unwrap_err().to_string()
    }

    #[test]
    fn a_template_is_checked() {
        let never = Restart::Never;
        for (said, expected) in [
            (
                refused("INV-{jahr}-{number}", never, 1),
                "`INV-{jahr}-{number}`: `{jahr}` is no part of a number; write {year}, {month}, {number} or {number:5}",
            ),
            (
                refused("{number", never, 1),
                "`{number`: `{number` is no part of a number; write {year}, {month}, {number} or {number:5}",
            ),
            (
                refused("{number:99}", never, 1),
                "`{number:99}`: `{number:99}` is no part of a number; write {year}, {month}, {number} or {number:5}",
            ),
            (
                refused("R {number}", never, 1),
                "`R {number}`: ` ` may not be in a number; use letters, digits and `-/_.`",
            ),
            (refused("INV", never, 1), "`INV` has to have {number} once, as in INV-{year}-{number:5}"),
            (
                refused("{number}{number}", never, 1),
                "`{number}{number}` has to have {number} once, as in INV-{year}-{number:5}",
            ),
            (
                refused("R{number}", Restart::Yearly, 1),
                "`R{number}` counts anew every year, so it has to have {year}; add it, or let the series never restart",
            ),
            (
                refused("R{number}", never, 0),
                "the first number of `R{number}` is 0; numbers start from 1 or above",
            ),
            (
                refused(&format!("{}{{number}}", "A".repeat(30)), never, 1),
                "`AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA{number}` makes numbers of more than 40 characters; shorten it",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn numbers_follow_each_other() {
        let series = Series::new("INV-{year}{month}-{number:4}", Restart::Yearly, 7).unwrap();
        let mut last = None;
        let mut numbers = Vec::new();
        for date in ["2026-11-30", "2026-12-01", "2026-12-01", "2027-01-02", "2027-01-02"] {
            let (next, number) = series.next(last, day(date)).unwrap();
            numbers.push(number);
            last = Some(next);
        }
        let expected =
            ["INV-202611-0007", "INV-202612-0008", "INV-202612-0009", "INV-202701-0001", "INV-202701-0002"];
        assert_eq!(numbers, expected);
        assert_eq!(
            series.next(last, day("2026-12-31")).unwrap_err().to_string(),
            "the last document of series `INV-{year}{month}-{number:4}` is of 2027-01-02, so the next one may not be of 2026-12-31; \
             issue it on 2027-01-02 or later"
        );
        let end = LastNumber { count: u64::MAX, issued: day("2027-01-02") };
        assert_eq!(
            series.next(Some(end), day("2027-01-02")).unwrap_err().to_string(),
            "series `INV-{year}{month}-{number:4}` has given its last number; start another series"
        );
    }

    #[test]
    fn no_two_documents_of_a_series_have_one_number() {
        for (template, restart) in [
            ("{number}", Restart::Never),
            ("{year}/{number:2}", Restart::Yearly),
            ("A{number:3}-{month}", Restart::Never),
        ] {
            let series = Series::new(template, restart, 1).unwrap();
            let (mut last, mut seen) = (None, std::collections::BTreeSet::new());
            for i in 0..500 {
                let (next, number) = series.next(last, day("2026-06-01").plus_days(i * 3)).unwrap();
                assert!(seen.insert(number.clone()), "{number} twice");
                last = Some(next);
            }
        }
    }
}
