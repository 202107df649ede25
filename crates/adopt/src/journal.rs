//! What was read by now, in a file, so that a reading that was broken off goes on where it was.
//!
//! A line each, of tags: they are what there is most to ask for, one request per account. A line that is cut off is passed by. Units and accounts are
//! always asked for anew, so that nothing of an hour ago decides who is there.

use anyhow::Context;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// For how long what was read is believed, in seconds.
const BELIEVED: i64 = 3_600;

/// The file, where there is to be one.
pub struct Journal {
    path: Option<PathBuf>,
    now: i64,
    file: Option<File>,
    organization: Option<String>,
    known: BTreeMap<String, BTreeMap<String, String>>,
}

impl Journal {
    /// Reads what an earlier call has left.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub fn open(path: Option<PathBuf>, now: i64) -> anyhow::Result<Self> {
        let mut journal = Self { path, now, file: None, organization: None, known: BTreeMap::new() };
        let Some(path) = &journal.path else { return Ok(journal) };
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(journal),
            Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        };
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let Some(head) = lines.next() else { return Ok(journal) };
        let begun = head.get("begun").and_then(Value::as_i64).unwrap_or_default();
        if now < begun || now - begun > BELIEVED {
            return Ok(journal);
        }
        journal.organization = head.get("organization").and_then(Value::as_str).map(ToOwned::to_owned);
        for line in lines {
            let (Some(of), Some(tags)) = (line.get("of").and_then(Value::as_str), line.get("tags")) else {
                continue;
            };
            if let Ok(tags) = serde_json::from_value(tags.clone()) {
                journal.known.insert(of.to_owned(), tags);
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
        let goes_on = self.organization.as_deref() == Some(organization);
        if !goes_on {
            self.known.clear();
        }
        // It names accounts and what they are for: its owner alone reads it.
        // Always at the end: a reader that outlives whoever has started it may still write lines of its own.
        let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let emptied = opened.and_then(|file| if goes_on { Ok(file) } else { file.set_len(0).map(|()| file) });
        let mut file = emptied.with_context(|| format!("`{}` cannot be written", path.display()))?;
        let head = match goes_on {
            // The last line may have been cut off.
            true => "\n".to_owned(),
            false => format!("{}\n", json!({ "organization": organization, "begun": self.now })),
        };
        file.write_all(head.as_bytes()).with_context(|| format!("`{}` cannot be written", path.display()))?;
        self.file = Some(file);
        Ok(self.known.len())
    }

    /// The tags that an earlier call has read.
    pub fn tags(&self, of: &str) -> Option<&BTreeMap<String, String>> {
        self.known.get(of)
    }

    /// Keeps tags that were read. A disk that is full costs the going on, not the reading.
    pub fn keep(&mut self, of: &str, tags: &BTreeMap<String, String>) {
        let line = format!("{}\n", json!({ "of": of, "tags": tags }));
        if let Some(file) = &mut self.file
            && file.write_all(line.as_bytes()).is_err()
        {
            self.file = None;
        }
    }

    /// Removes the file: everything was read.
    pub fn remove(self) {
        if let Some(path) = self.path {
            // One that stays is of no use in an hour.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Going on, and beginning anew.

    use super::*;

    #[test]
    fn what_was_read_is_known_within_the_hour_and_of_the_same_organization() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let tags = BTreeMap::from([("Customer".to_owned(), "Größe".to_owned())]);
        let mut first = Journal::open(Some(path.clone()), 1_000).expect("no file");
        assert_eq!(first.begin("o-1").expect("a file"), 0);
        first.keep("111111111111", &tags);
        // Cut off in the middle of a line.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"of\":\"22").unwrap();
        drop(first);
        let mut second = Journal::open(Some(path.clone()), 4_000).expect("a file");
        assert_eq!((second.begin("o-1").unwrap(), second.tags("111111111111")), (1, Some(&tags)));
        second.keep("333333333333", &tags);
        let mut third = Journal::open(Some(path.clone()), 4_000).expect("a file");
        assert_eq!(third.begin("o-1").unwrap(), 2);
        let mut late = Journal::open(Some(path.clone()), 5_000).expect("a file");
        assert_eq!(late.tags("111111111111"), None);
        assert_eq!(late.begin("o-1").unwrap(), 0);
        let mut other = Journal::open(Some(path.clone()), 4_500).expect("a file");
        assert_eq!(other.begin("o-2").unwrap(), 0);
        other.remove();
        assert!(!path.exists());
    }
}
