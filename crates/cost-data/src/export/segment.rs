//! Rows of one billing group on their way from a cost file to the group's own file.
//!
//! A batch of lines is taken apart by group, and each group's rows go as one segment into a scratch file: column by
//! column, in the narrowest of a few forms. How a segment is stored never shows in a written file.

use super::texts::TextCode;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a group's rows lie, and which they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// The billing group.
    pub group: u32,
    /// The file, the row group and the batch that the rows come from: their order in the written file.
    pub order: (u32, u32, u32),
    /// How many rows.
    pub rows: u32,
    offset: u64,
    bytes: u32,
}

/// A file without a name that holds segments until they are written.
pub struct Scratch {
    file: File,
    end: AtomicU64,
}

impl Scratch {
    /// A scratch file in a folder.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(folder)?, end: AtomicU64::new(0) })
    }

    /// Appends the segments of a batch; `places` says where in `content` each ends.
    pub fn append(
        &self,
        order: (u32, u32, u32),
        content: &[u8],
        places: &[(u32, u32, usize)],
    ) -> io::Result<Vec<Segment>> {
        let start = self.end.fetch_add(content.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(content, start)?;
        let mut from = 0;
        let segments = places.iter().map(|&(group, rows, to)| {
            // A batch's rows are far below 4 GiB.
            let bytes = u32::try_from(to - from).unwrap_or(u32::MAX);
            let segment = Segment { group, order, rows, offset: start + from as u64, bytes };
            from = to;
            segment
        });
        Ok(segments.collect())
    }

    /// A segment's content.
    pub fn read(&self, segment: &Segment) -> io::Result<Vec<u8>> {
        let mut content = vec![0; segment.bytes as usize];
        self.file.read_exact_at(&mut content, segment.offset)?;
        Ok(content)
    }
}

/// A column's values of the rows of a segment. `None` and code 0 are no value.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// No row has a value.
    Absent,
    /// Every row has this text.
    Same(TextCode),
    /// A code per row.
    Codes(Vec<TextCode>),
    /// A text per row.
    Texts(Vec<Option<&'a [u8]>>),
    /// Every row has these eight bytes.
    SameWord(u64),
    /// Eight bytes per row.
    Words(Vec<Option<u64>>),
}

const ABSENT: u8 = 0;
const SAME: u8 = 1;
const CODES_8: u8 = 2;
const CODES_16: u8 = 3;
const CODES_32: u8 = 4;
const TEXTS: u8 = 5;
const SAME_WORD: u8 = 6;
const WORDS: u8 = 7;
const WORDS_OR_NONE: u8 = 8;

/// Puts a code per row.
pub fn put_codes(codes: &[TextCode], content: &mut Vec<u8>) {
    let first = codes.first().copied().unwrap_or(0);
    let (all, same) = codes.iter().fold((0, true), |(all, same), code| (all | code, same & (*code == first)));
    match all {
        0 => content.push(ABSENT),
        _ if same => {
            content.push(SAME);
            content.extend_from_slice(&first.to_le_bytes());
        }
        1..=0xff => {
            content.push(CODES_8);
            content.extend(codes.iter().map(|code| *code as u8));
        }
        0x100..=0xffff => {
            content.push(CODES_16);
            codes.iter().for_each(|code| content.extend_from_slice(&(*code as u16).to_le_bytes()));
        }
        _ => {
            content.push(CODES_32);
            codes.iter().for_each(|code| content.extend_from_slice(&code.to_le_bytes()));
        }
    }
}

/// Puts a text per row.
pub fn put_texts<'a>(texts: impl Iterator<Item = Option<&'a str>> + Clone, content: &mut Vec<u8>) {
    if texts.clone().all(|text| text.is_none()) {
        content.push(ABSENT);
        return;
    }
    content.push(TEXTS);
    for text in texts.clone() {
        // Texts are cut far below 4 GiB where they are read.
        let length = text.map_or(0, |text| u32::try_from(text.len() + 1).unwrap_or(u32::MAX));
        content.extend_from_slice(&length.to_le_bytes());
    }
    texts.flatten().for_each(|text| content.extend_from_slice(text.as_bytes()));
}

/// Puts eight bytes per row.
pub fn put_words(words: impl Iterator<Item = Option<u64>> + Clone, content: &mut Vec<u8>) {
    let first = words.clone().next().flatten();
    if words.clone().all(|word| word == first) {
        match first {
            None => content.push(ABSENT),
            Some(word) => {
                content.push(SAME_WORD);
                content.extend_from_slice(&word.to_le_bytes());
            }
        }
        return;
    }
    let filled = words.clone().all(|word| word.is_some());
    content.push(if filled { WORDS } else { WORDS_OR_NONE });
    if !filled {
        content.extend(words.clone().map(|word| u8::from(word.is_some())));
    }
    words.for_each(|word| content.extend_from_slice(&word.unwrap_or(0).to_le_bytes()));
}

/// Takes a column's part off the front of a segment's content; `None` where the content is not a segment's.
pub fn take_part<'a>(content: &mut &'a [u8], rows: usize) -> Option<Part<'a>> {
    let mut take = |bytes: usize| {
        let (front, rest) = content.split_at_checked(bytes)?;
        *content = rest;
        Some(front)
    };
    let u32_of = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
    let u64_of = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
    Some(match *take(1)?.first()? {
        ABSENT => Part::Absent,
        SAME => Part::Same(u32_of(take(4)?)),
        CODES_8 => Part::Codes(take(rows)?.iter().map(|code| u32::from(*code)).collect()),
        CODES_16 => {
            let codes = take(2 * rows)?.chunks_exact(2);
            Part::Codes(codes.map(|code| u32::from(u16::from_le_bytes([code[0], code[1]]))).collect())
        }
        CODES_32 => Part::Codes(take(4 * rows)?.chunks_exact(4).map(u32_of).collect()),
        TEXTS => {
            let lengths = take(4 * rows)?.chunks_exact(4).map(u32_of);
            let text = |length: u32| match length.checked_sub(1) {
                None => Some(None),
                Some(length) => take(length as usize).map(Some),
            };
            Part::Texts(lengths.map(text).collect::<Option<_>>()?)
        }
        SAME_WORD => Part::SameWord(u64_of(take(8)?)),
        WORDS => Part::Words(take(8 * rows)?.chunks_exact(8).map(|word| Some(u64_of(word))).collect()),
        WORDS_OR_NONE => {
            let there = take(rows)?;
            let words = take(8 * rows)?.chunks_exact(8).zip(there);
            Part::Words(words.map(|(word, there)| (*there == 1).then(|| u64_of(word))).collect())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! Parts come back as they were put.

    use super::*;

    #[test]
    fn parts_come_back() {
        let mut content = Vec::new();
        put_codes(&[0, 0], &mut content);
        put_codes(&[7, 7], &mut content);
        put_codes(&[0, 255], &mut content);
        put_codes(&[1, 256], &mut content);
        put_codes(&[1, 65_536], &mut content);
        put_texts([None, Some("ab")].into_iter(), &mut content);
        put_texts([Some(""), Some("c")].into_iter(), &mut content);
        put_texts([None, None].into_iter(), &mut content);
        put_words([Some(3), Some(3)].into_iter(), &mut content);
        put_words([Some(3), Some(4)].into_iter(), &mut content);
        put_words([Some(3), None].into_iter(), &mut content);
        let mut rest = content.as_slice();
        let expected = [
            Part::Absent,
            Part::Same(7),
            Part::Codes(vec![0, 255]),
            Part::Codes(vec![1, 256]),
            Part::Codes(vec![1, 65_536]),
            Part::Texts(vec![None, Some(b"ab")]),
            Part::Texts(vec![Some(b""), Some(b"c")]),
            Part::Absent,
            Part::SameWord(3),
            Part::Words(vec![Some(3), Some(4)]),
            Part::Words(vec![Some(3), None]),
        ];
        for part in expected {
            assert_eq!(take_part(&mut rest, 2), Some(part));
        }
        assert_eq!(take_part(&mut rest, 2), None);
    }
}
