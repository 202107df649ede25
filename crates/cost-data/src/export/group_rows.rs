//! A group's rows, back from the scratch file, column by column.

use super::segment::{Part, Scratch, Segment, take_part};
use super::texts::Texts;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::io;

/// Some rows of a group that are written together: pieces of segments, in order.
pub struct Chunk {
    pieces: Vec<Piece>,
    rows: usize,
}

struct Piece {
    content: Vec<u8>,
    segment_rows: usize,
    rows: std::ops::Range<usize>,
}

/// Cuts a group's segments into chunks of `chunk_rows` rows; only the group's own rows say where. At least one, be it empty.
pub fn cut(segments: &[Segment], chunk_rows: usize) -> Vec<Vec<(Segment, std::ops::Range<usize>)>> {
    let mut chunks = vec![Vec::new()];
    let mut free = chunk_rows;
    for segment in segments {
        let (mut from, rows) = (0, segment.rows as usize);
        while from < rows {
            if free == 0 {
                chunks.push(Vec::new());
                free = chunk_rows;
            }
            let to = rows.min(from + free);
            if let Some(chunk) = chunks.last_mut() {
                chunk.push((*segment, from..to));
            }
            free -= to - from;
            from = to;
        }
    }
    chunks
}

/// A column of a chunk.
pub enum Column<'a> {
    /// Distinct texts in the order of their first use, and each row's place among them.
    Texts { distinct: Vec<&'a [u8]>, places: Vec<Option<u32>> },
    /// Eight bytes per row.
    Words(Vec<Option<u64>>),
}

/// Numbers texts by first use, without hashing those that have codes.
pub struct Numbering<'t> {
    texts: &'t Texts,
    /// By code: the use that the place is of, and the place.
    places: Vec<(u32, u32)>,
    uses: u32,
}

impl<'t> Numbering<'t> {
    /// A numbering of these texts.
    pub fn new(texts: &'t Texts) -> Self {
        Self { texts, places: vec![(0, 0); texts.len() + 1], uses: 0 }
    }
}

impl Chunk {
    /// Reads the pieces of a chunk.
    pub fn read(scratch: &Scratch, pieces: &[(Segment, std::ops::Range<usize>)]) -> io::Result<Self> {
        let piece = |(segment, rows): &(Segment, std::ops::Range<usize>)| {
            let content = scratch.read(segment)?;
            Ok(Piece { content, segment_rows: segment.rows as usize, rows: rows.clone() })
        };
        let pieces = pieces.iter().map(piece).collect::<io::Result<Vec<_>>>()?;
        let rows = pieces.iter().map(|piece| piece.rows.len()).sum();
        Ok(Self { pieces, rows })
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, to be taken in order.
    pub fn columns(&self) -> Columns<'_> {
        Columns { chunk: self, rests: self.pieces.iter().map(|piece| piece.content.as_slice()).collect() }
    }
}

/// The columns of a chunk that have not been taken.
pub struct Columns<'a> {
    chunk: &'a Chunk,
    rests: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    /// Takes the next column; `None` where the scratch file does not hold what was written.
    pub fn take<'t: 'a>(&mut self, numbering: &mut Numbering<'t>, is_text: bool) -> Option<Column<'a>> {
        let pieces = self.chunk.pieces.iter().zip(&mut self.rests);
        let parts =
            pieces.map(|(piece, rest)| Some((take_part(rest, piece.segment_rows)?, piece.rows.clone())));
        let parts: Parts<'a> = parts.collect::<Option<_>>()?;
        let rows = self.chunk.rows;
        Some(if is_text { numbered(parts, rows, numbering) } else { words(parts, rows) })
    }
}

type Parts<'a> = Vec<(Part<'a>, std::ops::Range<usize>)>;

fn words<'a>(parts: Parts<'a>, rows: usize) -> Column<'a> {
    let mut all = Vec::with_capacity(rows);
    for (part, rows) in parts {
        match part {
            Part::Words(words) => all.extend_from_slice(&words[rows]),
            Part::SameWord(word) => all.resize(all.len() + rows.len(), Some(word)),
            _ => all.resize(all.len() + rows.len(), None),
        }
    }
    Column::Words(all)
}

/// The texts of a column, by their first use.
struct Distinct<'a> {
    texts: Vec<&'a [u8]>,
    /// Kept only where texts come both by code and as they are: then one text must have one place.
    by_text: Option<HashMap<&'a [u8], u32, FixedState>>,
}

impl<'a> Distinct<'a> {
    fn place(&mut self, text: &'a [u8]) -> u32 {
        // A chunk has fewer rows than u32 holds.
        let next = self.texts.len() as u32;
        let place = self.by_text.as_mut().map_or(next, |by_text| *by_text.entry(text).or_insert(next));
        if place == next {
            self.texts.push(text);
        }
        place
    }

    fn place_of_code<'t: 'a>(&mut self, code: u32, numbering: &mut Numbering<'t>) -> u32 {
        let texts: &'t Texts = numbering.texts;
        let known = &mut numbering.places[code as usize];
        if known.0 != numbering.uses {
            *known = (numbering.uses, self.place(texts.text(code).as_bytes()));
        }
        known.1
    }
}

fn numbered<'a, 't: 'a>(parts: Parts<'a>, rows: usize, numbering: &mut Numbering<'t>) -> Column<'a> {
    numbering.uses += 1;
    let mixed = parts.iter().any(|(part, _)| matches!(part, Part::Texts(_)));
    let by_text = mixed.then(|| HashMap::with_hasher(FixedState::with_seed(0)));
    let mut distinct = Distinct { texts: Vec::new(), by_text };
    let mut places = Vec::with_capacity(rows);
    for (part, rows) in parts {
        match part {
            Part::Same(code) => {
                let place = distinct.place_of_code(code, numbering);
                places.resize(places.len() + rows.len(), Some(place));
            }
            Part::Codes(codes) => {
                let place = |code: &u32| (*code != 0).then(|| distinct.place_of_code(*code, numbering));
                places.extend(codes[rows].iter().map(place));
            }
            Part::Texts(texts) => {
                places.extend(texts[rows].iter().map(|text| text.map(|text| distinct.place(text))));
            }
            _ => places.resize(places.len() + rows.len(), None),
        }
    }
    Column::Texts { distinct: distinct.texts, places }
}
