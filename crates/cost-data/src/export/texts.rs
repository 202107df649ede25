//! The distinct texts of an export, and whose account each mentions.

use foldhash::fast::FixedState;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The number of a text; 0 is no text.
pub type TextCode = u32;

/// How much text is numbered, in bytes; what comes later is carried as it is.
const BYTES_MAX: usize = 64 << 20;

/// How many digits AWS's account ids have.
const ACCOUNT_DIGITS: usize = 12;
/// How many characters of a UUID come before its last twelve: `123e4567-e89b-12d3-a456-`.
const UUID_BEFORE: usize = 24;

/// How short an account id may be: AWS's have twelve digits, those of anonymised files some fewer or more.
const ACCOUNT_DIGITS_MIN: usize = 10;

/// Whose account a text mentions, other than nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mentions {
    /// No account that is known.
    Nobody,
    /// Accounts that the files of these billing groups may name, in their order: one group, unless an account's lines are divided.
    Groups(Arc<[u32]>),
    /// An account of no group, or accounts of several.
    Outsiders,
}

impl Mentions {
    /// Whether a group's file may hold the text.
    pub fn may_reach(&self, group: u32) -> bool {
        matches!(self, Self::Nobody) || self.is_of(group)
    }

    /// Whether it mentions accounts, all of which a group's file may name.
    pub fn is_of(&self, group: u32) -> bool {
        matches!(self, Self::Groups(groups) if groups.binary_search(&group).is_ok())
    }
}

/// The accounts of the month, and the groups whose files may name each.
#[derive(Debug, Default)]
pub struct Accounts {
    groups: HashMap<Box<str>, Arc<[u32]>, FixedState>,
    lengths: HashSet<usize>,
}

impl Accounts {
    /// Knows these accounts.
    pub fn new<'a>(accounts: impl IntoIterator<Item = (&'a str, &'a [u32])>) -> Self {
        let mut known = Self::default();
        for (account, groups) in accounts {
            // Shorter ids are no account's, and digits like theirs are everywhere.
            if account.len() >= ACCOUNT_DIGITS_MIN && account.bytes().all(|byte| byte.is_ascii_digit()) {
                known.lengths.insert(account.len());
                let groups: BTreeSet<u32> = groups.iter().copied().collect();
                known.groups.insert(account.into(), groups.into_iter().collect());
            }
        }
        known
    }

    /// Whose accounts a text mentions: a run of digits that is a known account's id, or a word of twelve digits.
    ///
    /// Such a word is an account even if nobody else's lines or book name it: what a file leaves out must not depend on them.
    pub fn mentioned(&self, text: &str) -> Mentions {
        let mut found = Mentions::Nobody;
        for (_, groups) in self.named(text) {
            let Some(of_run) = groups else { return Mentions::Outsiders };
            let both: Arc<[u32]> = match &found {
                Mentions::Groups(groups) if groups != of_run => {
                    groups.iter().filter(|group| of_run.contains(group)).copied().collect()
                }
                _ => Arc::clone(of_run),
            };
            if both.is_empty() {
                return Mentions::Outsiders;
            }
            found = Mentions::Groups(both);
        }
        found
    }

    /// Whether a text names no account but these.
    pub fn names_only(&self, text: &str, accounts: &BTreeSet<String>) -> bool {
        self.named(text).all(|(account, _)| accounts.contains(account))
    }

    /// What a text has that is an account's id, or reads as one, each with its groups where it is known.
    fn named<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a str, Option<&'a Arc<[u32]>>)> {
        let (bytes, mut end) = (text.as_bytes(), 0);
        std::iter::from_fn(move || {
            loop {
                let start = end + bytes[end..].iter().position(u8::is_ascii_digit)?;
                let rest = &bytes[start..];
                let length = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
                end = start + length;
                let run = &text[start..end];
                let known = self.lengths.contains(&length).then(|| self.groups.get(run)).flatten();
                if known.is_some() || is_account_id(bytes, start..end) {
                    return Some((run, known));
                }
            }
        })
    }
}

/// Whether a run of digits reads as an account id: twelve digits that are a word, and not the end of a UUID.
fn is_account_id(text: &[u8], run: std::ops::Range<usize>) -> bool {
    let glued = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let before = &text[..run.start];
    let uuid = before.len().checked_sub(UUID_BEFORE).is_some_and(|from| {
        let place = |(place, byte): (usize, &u8)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        before[from..].iter().enumerate().all(place)
    });
    run.len() == ACCOUNT_DIGITS && !glued(before.last()) && !glued(text.get(run.end)) && !uuid
}

/// Texts by number.
#[derive(Default)]
pub struct Texts {
    codes: HashMap<Box<str>, TextCode, FixedState>,
    texts: Vec<Box<str>>,
    mentions: Vec<Mentions>,
    bytes: usize,
}

impl Texts {
    /// The number of a text, given on first sight; `None` when there are too many.
    pub fn code(&mut self, text: &str, accounts: &Accounts) -> Option<TextCode> {
        if let Some(code) = self.codes.get(text) {
            return Some(*code);
        }
        if self.bytes + text.len() > BYTES_MAX {
            return None;
        }
        self.code_of_made(text, accounts)
    }

    /// The same for a text that is made here, of which there are no more than classes and rates: it is never carried as it is.
    pub fn code_of_made(&mut self, text: &str, accounts: &Accounts) -> Option<TextCode> {
        if let Some(code) = self.codes.get(text) {
            return Some(*code);
        }
        let code = TextCode::try_from(self.texts.len() + 1).ok()?;
        self.bytes += text.len() + size_of::<Box<str>>();
        self.codes.insert(text.into(), code);
        self.texts.push(text.into());
        self.mentions.push(accounts.mentioned(text));
        Some(code)
    }

    /// A text by its number.
    pub fn text(&self, code: TextCode) -> &str {
        (code as usize).checked_sub(1).and_then(|place| self.texts.get(place)).map_or("", AsRef::as_ref)
    }

    /// Whose account a text mentions.
    pub fn mentions(&self, code: TextCode) -> Mentions {
        let place = (code as usize).checked_sub(1);
        place.and_then(|place| self.mentions.get(place)).cloned().unwrap_or(Mentions::Nobody)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }
}

#[cfg(test)]
mod tests {
    //! Accounts in texts.

    use super::*;

    #[test]
    fn accounts_are_found_in_texts() {
        let accounts = Accounts::new([
            ("111111111111", &[0][..]),
            ("222222222222", &[0]),
            ("333333333333", &[1]),
            ("555555555555", &[2, 0]),
            ("999999999999", &[]),
        ]);
        let groups = |groups: &[u32]| Mentions::Groups(groups.into());
        for (text, expected) in [
            ("", Mentions::Nobody),
            ("i-0123456789abcdef0", Mentions::Nobody),
            ("1111111111112", Mentions::Nobody),
            ("arn:aws:ec2:us-east-1:111111111111:instance/i-1", groups(&[0])),
            ("from 111111111111 to 222222222222", groups(&[0])),
            ("from 111111111111 to 333333333333", Mentions::Outsiders),
            ("of 555555555555", groups(&[0, 2])),
            ("from 111111111111 to 555555555555", groups(&[0])),
            ("from 333333333333 to 555555555555", Mentions::Outsiders),
            ("arn:aws:savingsplans::999999999999:savingsplan/x", Mentions::Outsiders),
            ("arn:aws:ec2:us-east-1:444444444444:instance/i-1", Mentions::Outsiders),
            ("111111111111/444444444444", Mentions::Outsiders),
            ("logs111111111111", groups(&[0])),
            ("i-444444444444abcde", Mentions::Nobody),
            ("volume/123e4567-e89b-12d3-a456-444444444444", Mentions::Nobody),
            ("bucket-444444444444", Mentions::Outsiders),
        ] {
            assert_eq!(accounts.mentioned(text), expected, "{text}");
        }
    }
}
