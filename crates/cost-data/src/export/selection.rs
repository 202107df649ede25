//! The columns and rows that a query takes of a group's chunks.
//!
//! A chunk's columns are taken from the scratch file one after the other; those that the query does not name are passed over. What is written of a text column are the texts of the
//! rows that are taken, in the order of their first use: a row that is filtered out leaves nothing behind.

use super::cur_columns::UNREPEATED;
use super::group_rows::{Chunk, Column, Numbering};
use super::output::Output;
use super::treatment::{Kind, Treatment};
use super::view::Takes;
use crate::number;
use export_query::{Cell, Condition, Field, Query};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many rows are taken at once: all columns of them are in memory.
pub const CHUNK_ROWS: usize = 32_768;

/// A query over the columns of the scratch file, or all rows of some columns.
pub struct Selection<'q> {
    condition: Option<&'q Condition>,
    from: &'q [Output],
    /// What the columns that are written have: of a column of the scratch file, which there may not be, all or the value of a key.
    written: Vec<(Option<usize>, Option<&'q str>)>,
    /// The places of the columns that the query names, as far as the cost files have them.
    places: BTreeMap<&'q str, usize>,
    /// The columns that are written.
    pub outputs: Vec<Output>,
    /// How many more rows may be.
    left: u64,
}

/// Texts, and each row's place among them.
type Values = (Vec<String>, Vec<Option<u32>>);

/// What a query takes of a chunk.
pub struct Taken<'a> {
    columns: BTreeMap<usize, Column<'a>>,
    /// The values of maps under a key, by column and key.
    made: BTreeMap<(usize, String), Values>,
    /// The rows, by their places in the chunk.
    rows: Vec<usize>,
}

impl<'q> Selection<'q> {
    /// A query over these columns.
    pub fn new(query: &'q Query, from: &'q [Output]) -> Self {
        let condition = query.condition.iter().flat_map(|condition| condition.fields());
        let fields = query.columns.iter().map(|column| &column.of).chain(condition);
        let place = |field: &'q Field| {
            let place = from.iter().position(|output| output.key == field.column)?;
            Some((field.column.as_str(), place))
        };
        let output = |column: &export_query::Selected| Output {
            name: column.name.clone(),
            key: column.name.clone(),
            source: String::new(),
            kind: column.kind,
            treatment: Treatment::Copied,
            only_if_filled: false,
            unrepeated: UNREPEATED.contains(&column.of.column.as_str()),
        };
        let places: BTreeMap<&str, usize> = fields.filter_map(place).collect();
        let of = |column: &'q export_query::Selected| {
            (places.get(column.of.column.as_str()).copied(), column.of.key.as_deref())
        };
        Self {
            condition: query.condition.as_ref(),
            from,
            written: query.columns.iter().map(of).collect(),
            places,
            outputs: query.columns.iter().map(output).collect(),
            left: query.limit.unwrap_or(u64::MAX),
        }
    }

    /// All rows of those columns that are written.
    pub fn of_columns(from: &'q [Output], is_written: impl Fn(usize, &Output) -> bool) -> Self {
        let kept = || from.iter().enumerate().filter(|(place, output)| is_written(*place, output));
        Self {
            condition: None,
            from,
            written: kept().map(|(place, _)| (Some(place), None)).collect(),
            places: kept().map(|(place, output)| (output.key.as_str(), place)).collect(),
            outputs: kept().map(|(_, output)| output.clone()).collect(),
            left: u64::MAX,
        }
    }

    /// Whether no row may be written any more.
    pub const fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Takes what the query asks for of a chunk, and of that what a part of a view has; `None` where the scratch file does not hold what was written.
    pub fn take<'a, 't: 'a>(
        &mut self,
        chunk: &'a Chunk,
        numbering: &mut Numbering<'t>,
        part: Option<&Takes>,
    ) -> Option<Taken<'a>> {
        let mut columns = BTreeMap::new();
        let mut taken = chunk.columns();
        for (place, output) in self.from.iter().enumerate() {
            let is_text = !matches!(output.kind, Kind::Number | Kind::Time);
            let column = taken.take(numbering, is_text)?;
            if self.places.values().any(|named| *named == place) {
                columns.insert(place, column);
            }
        }
        let places = match part {
            Some(part) => match taken.take(numbering, false)? {
                Column::Words(places) => Some((part, places)),
                Column::Texts { .. } => return None,
            },
            None => None,
        };
        let is_of_part = |row: &usize| places.as_ref().is_none_or(|(part, places)| part.has(places[*row]));
        let condition = self.condition.iter().flat_map(|condition| condition.fields());
        let looked =
            condition.map(|field| (self.places.get(field.column.as_str()).copied(), field.key.as_deref()));
        let mut made = BTreeMap::new();
        for (place, key) in self.written.iter().copied().chain(looked) {
            if let (Some(key), Some(place)) = (key, place)
                && let Some(Column::Texts { distinct, places }) = columns.get(&place)
            {
                made.entry((place, key.to_owned())).or_insert_with(|| values_of(key, distinct, places));
            }
        }
        let mut taken = Taken { columns, made, rows: Vec::new() };
        taken.rows = self.rows(&taken, chunk.rows(), is_of_part);
        self.left -= taken.rows.len() as u64;
        Some(taken)
    }

    /// The rows that the query takes of those that a part of a view has.
    fn rows(&self, taken: &Taken<'_>, count: usize, is_of_part: impl Fn(&usize) -> bool) -> Vec<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let of_part = (0..count).filter(is_of_part);
        let Some(condition) = self.condition else { return of_part.take(most).collect() };
        let looked: BTreeMap<&Field, Looked<'_>> =
            condition.fields().into_iter().map(|field| (field, self.looked(taken, field))).collect();
        let is_taken = |row: &usize| {
            condition.takes(&|field: &Field| looked.get(field).map_or(Cell::Null, |looked| looked.cell(*row)))
        };
        of_part.filter(is_taken).take(most).collect()
    }

    /// The values of a field.
    fn looked<'t>(&self, taken: &'t Taken<'_>, field: &Field) -> Looked<'t> {
        let Some(place) = self.places.get(field.column.as_str()) else { return Looked::Nothing };
        if let Some(key) = &field.key {
            return match taken.made.get(&(*place, key.clone())) {
                Some((texts, places)) => {
                    Looked::Texts(texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect(), places)
                }
                None => Looked::Nothing,
            };
        }
        match (taken.columns.get(place), self.from[*place].kind) {
            (Some(Column::Texts { distinct, places }), _) => {
                Looked::Texts(distinct.iter().map(|text| String::from_utf8_lossy(text)).collect(), places)
            }
            (Some(Column::Words(words)), Kind::Time) => Looked::Instants(words),
            (Some(Column::Words(words)), _) => {
                Looked::Numbers(words.iter().map(|word| word.map(number::text_of_bits)).collect())
            }
            (None, _) => Looked::Nothing,
        }
    }

    /// The columns that are written of what was taken, in order.
    pub fn written<'t>(&self, taken: &'t Taken<'_>) -> Vec<Column<'t>> {
        let column = |((place, key), output): (&(Option<usize>, Option<&str>), &Output)| {
            let nothing = || match output.kind {
                Kind::Number | Kind::Time => Column::Words(vec![None; taken.rows.len()]),
                _ => Column::Texts { distinct: Vec::new(), places: vec![None; taken.rows.len()] },
            };
            let Some(place) = place else { return nothing() };
            if let Some(key) = key {
                let made = taken.made.get(&(*place, (*key).to_owned())).filter(|_| output.kind == Kind::Text);
                return made.map_or_else(nothing, |(texts, places)| {
                    let distinct: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
                    of_rows(&distinct, places, &taken.rows)
                });
            }
            match taken.columns.get(place) {
                Some(Column::Texts { distinct, places }) => of_rows(distinct, places, &taken.rows),
                Some(Column::Words(words)) => {
                    Column::Words(taken.rows.iter().map(|row| words[*row]).collect())
                }
                None => nothing(),
            }
        };
        self.written.iter().zip(&self.outputs).map(column).collect()
    }
}

impl Taken<'_> {
    /// How many rows.
    pub const fn rows(&self) -> usize {
        self.rows.len()
    }
}

/// The values of a field that a condition looks at.
enum Looked<'t> {
    Texts(Vec<Cow<'t, str>>, &'t [Option<u32>]),
    Numbers(Vec<Option<String>>),
    Instants(&'t [Option<u64>]),
    /// The cost files do not have the column.
    Nothing,
}

impl Looked<'_> {
    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Texts(distinct, places) => {
                places[row].map_or(Cell::Null, |place| Cell::Text(&distinct[place as usize]))
            }
            Self::Numbers(numbers) => numbers[row].as_deref().map_or(Cell::Null, Cell::Number),
            Self::Instants(words) => words[row].map_or(Cell::Null, |word| Cell::Instant(word.cast_signed())),
            Self::Nothing => Cell::Null,
        }
    }
}

/// The texts of some rows, by their first use among them.
fn of_rows<'t>(distinct: &[&'t [u8]], places: &[Option<u32>], rows: &[usize]) -> Column<'t> {
    let mut renumbered: Vec<Option<u32>> = vec![None; distinct.len()];
    let mut used = Vec::new();
    let place = |row: &usize| {
        let place = places[*row]? as usize;
        Some(*renumbered[place].get_or_insert_with(|| {
            used.push(distinct[place]);
            // A chunk has fewer rows than u32 holds.
            (used.len() - 1) as u32
        }))
    };
    let places = rows.iter().map(place).collect();
    Column::Texts { distinct: used, places }
}

/// The values under a key of maps that are written as JSON: each distinct map is read once.
fn values_of(key: &str, distinct: &[&[u8]], places: &[Option<u32>]) -> Values {
    let mut texts = Vec::new();
    let value = |json: &&[u8]| {
        let map: BTreeMap<String, Option<String>> = serde_json::from_slice(json).ok()?;
        texts.push(map.get(key)?.clone()?);
        Some((texts.len() - 1) as u32)
    };
    let values: Vec<Option<u32>> = distinct.iter().map(value).collect();
    (texts, places.iter().map(|place| values[(*place)? as usize]).collect())
}

#[cfg(test)]
mod tests {
    //! The tables of queries are those of the files, and rows that are not taken leave nothing.

    use super::super::{cur_columns, focus_columns};
    use super::*;
    use export_query::Table;

    #[test]
    fn the_tables_are_those_of_the_files() {
        let of_query = |table: Table| -> Vec<(&str, Kind)> { table.all_columns().to_vec() };
        let of_cur: Vec<_> = cur_columns::COLUMNS.iter().map(|(name, kind, _)| (*name, *kind)).collect();
        let of_focus: Vec<_> = focus_columns::COLUMNS.iter().map(|(name, kind, ..)| (*name, *kind)).collect();
        assert_eq!(of_query(Table::CostAndUsageReport), of_cur);
        assert_eq!(of_query(Table::Focus12), of_focus);
    }

    #[test]
    fn texts_of_rows_that_are_not_taken_are_gone() {
        let distinct: Vec<&[u8]> = vec![b"a", b"secret", b"c"];
        let places = [Some(0), Some(1), None, Some(2), Some(0)];
        let Column::Texts { distinct, places } = of_rows(&distinct, &places, &[3, 2, 0, 4]) else { panic!() };
        assert_eq!((distinct, places), (vec![&b"c"[..], b"a"], vec![Some(0), None, Some(1), Some(1)]));
        let maps: Vec<&[u8]> = vec![br#"{"team":"x"}"#, br#"{"other":"y"}"#, b"no map"];
        let made = values_of("team", &maps, &[Some(1), Some(0), None, Some(2)]);
        assert_eq!(made, (vec!["x".to_owned()], vec![None, Some(0), None, None]));
    }
}
