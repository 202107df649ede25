//! What was read by now, in a file, so that a reading that was broken off goes on where it was.
//!
//! A line each, of tags, with when they were read: they are what there is most to ask for, one request per account. A line that is cut off is passed by.
//! Units and accounts are always asked for anew, so that nothing of an hour ago decides who is there.

use anyhow::Context;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Tags, and when they were read.
type Read = (i64, BTreeMap<String, String>);

/// The file, where there is to be one.
pub struct Journal {
    path: Option<PathBuf>,
    now: i64,
    file: Option<File>,
    organization: Option<String>,
    known: BTreeMap<String, Read>,
}

impl Journal {
    /// Reads what earlier calls have left, as far as it was read within so many seconds.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub fn open(path: Option<PathBuf>, now: i64, believed: i64) -> anyhow::Result<Self> {
        let mut journal = Self { path, now, file: None, organization: None, known: BTreeMap::new() };
        let Some(path) = &journal.path else { return Ok(journal) };
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(journal),
            Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        };
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let Some(head) = lines.next() else { return Ok(journal) };
        journal.organization = head.get("organization").and_then(Value::as_str).map(ToOwned::to_owned);
        for line in lines {
            let read_at = line.get("at").and_then(Value::as_i64);
            let read_at = read_at.filter(|at| (now.saturating_sub(believed)..=now).contains(at));
            let of = line.get("of").and_then(Value::as_str);
            let (Some(at), Some(of), Some(tags)) = (read_at, of, line.get("tags")) else { continue };
            if let Ok(tags) = serde_json::from_value(tags.clone()) {
                journal.known.insert(of.to_owned(), (at, tags));
            }
        }
        Ok(journal)
    }

    /// Begins to write of an organization. What was read of another one is forgotten. Returns how much is known of this one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&mut self, organization: &str) -> anyhow::Result<usize> {
        let Some(path) = &self.path else { return Ok(0) };
        if self.organization.as_deref() != Some(organization) {
            self.known.clear();
        }
        // What is known goes before what is read now, and what is too old goes.
        let mut text = format!("{}\n", json!({ "organization": organization }));
        text.extend(self.known.iter().map(|(of, (at, tags))| line(of, *at, tags)));
        // It names accounts and what they are for: its owner alone reads it.
        // Always at the end: a reader that outlives whoever has started it may still write lines of its own.
        let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let written = opened.and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(text.as_bytes())?;
            Ok(file)
        });
        self.file = Some(written.with_context(|| format!("`{}` cannot be written", path.display()))?);
        Ok(self.known.len())
    }

    /// The tags that an earlier call has read.
    pub fn tags(&self, of: &str) -> Option<&BTreeMap<String, String>> {
        self.known.get(of).map(|(_, tags)| tags)
    }

    /// Keeps tags that were read. A disk that is full costs the going on, not the reading.
    pub fn keep(&mut self, of: &str, tags: &BTreeMap<String, String>) {
        if let Some(file) = &mut self.file
            && file.write_all(line(of, self.now, tags).as_bytes()).is_err()
        {
            self.file = None;
        }
    }

    /// Removes the file: everything was read.
    pub fn remove(self) {
        if let Some(path) = self.path {
            // One that stays is of no use after a while.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A line of the file. Whatever a reading takes, what it reads counts as read when it began.
fn line(of: &str, at: i64, tags: &BTreeMap<String, String>) -> String {
    format!("{}\n", json!({ "of": of, "at": at, "tags": tags }))
}

#[cfg(test)]
mod tests {
    //! Going on, and beginning anew.

    use super::*;

    #[test]
    fn what_was_read_is_known_for_a_while_and_of_the_same_organization() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let open = |now| Journal::open(Some(path.clone()), now, 3_600).expect("a journal");
        let tags = BTreeMap::from([("Customer".to_owned(), "Größe".to_owned())]);
        let mut first = open(1_000);
        assert_eq!(first.begin("o-1").expect("a file"), 0);
        first.keep("111111111111", &tags);
        // Cut off in the middle of a line.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"of\":\"22").unwrap();
        drop(first);
        let mut second = open(4_000);
        assert_eq!((second.begin("o-1").unwrap(), second.tags("111111111111")), (1, Some(&tags)));
        second.keep("333333333333", &tags);
        assert_eq!(open(4_000).begin("o-1").unwrap(), 2);
        assert_eq!(open(900).begin("o-1").unwrap(), 0, "a clock that was set back");
        // Each line by its own time: however long a reading takes from its beginning on, what was read a moment ago is not read again.
        let mut first = open(1_000);
        assert_eq!(first.begin("o-1").unwrap(), 0);
        first.keep("111111111111", &tags);
        let mut second = open(4_000);
        assert_eq!(second.begin("o-1").unwrap(), 1);
        second.keep("333333333333", &tags);
        let mut late = open(5_000);
        assert_eq!((late.tags("111111111111"), late.tags("333333333333")), (None, Some(&tags)));
        assert_eq!(late.begin("o-1").unwrap(), 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2, "what is too old is gone");
        let mut other = open(5_000);
        assert_eq!(other.begin("o-2").unwrap(), 0);
        other.remove();
        assert!(!path.exists());
    }
}
