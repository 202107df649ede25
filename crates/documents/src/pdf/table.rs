//! Tables that go on from page to page: the header is repeated, the sum so far is carried over, and a row that is longer than a page is
//! divided between its lines.

use super::canvas::{Element, InkId, Keep, Meaning, Node, Part};
use super::sheet::{Block, MARGIN, Piece, Sheet, Slot};
use crate::Error;
use crate::colour::Colour;
use crate::measure::{Length, tenth_mm};
use crate::typesetting::Style;

/// Above and below what is in a cell.
const PADDING: Length = tenth_mm(12);
/// At the sides of what is in a cell.
const INDENT: Length = tenth_mm(15);

/// A column: its title, its width with what is around the text, and which side its cells keep to.
#[derive(Debug, Clone)]
pub struct Column {
    pub title: String,
    pub width: Length,
    pub keep: Keep,
}

/// A row, with as many cells as there are columns.
#[derive(Debug, Clone)]
pub struct Row {
    pub cells: Vec<Vec<Piece>>,
    /// The sum up to and with this row, where sums are carried over.
    pub sum: Option<String>,
}

/// How a table looks, and what it says at the end and at the start of pages.
#[derive(Debug, Clone)]
pub struct Look {
    /// What the table is about.
    pub summary: String,
    pub ink: Colour,
    pub soft: Colour,
    pub rule: Colour,
    pub head: Colour,
    pub carried_forward: String,
    pub brought_forward: String,
}

const HEAD: Style = Style::strong(7_800);
const CARRIED: Style = Style::regular(7_800);

/// What stands in a cell that says nothing.
const NOTHING: &str = "\u{2013}";

/// A table while it is written.
struct Writer<'a> {
    sheet: &'a mut Sheet,
    look: &'a Look,
    slots: Vec<Slot>,
    head: Vec<Block>,
    /// The sum of the rows so far.
    sum: Option<String>,
}

impl Sheet {
    /// Writes a table at the next place and gives its structure.
    ///
    /// # Errors
    /// [`Error::NoGlyph`].
    pub fn table(
        &mut self,
        look: &Look,
        columns: &[Column],
        rows: impl Iterator<Item = Row>,
    ) -> Result<Element, Error> {
        let slots = slots(columns);
        let mut head = Vec::new();
        for (column, slot) in columns.iter().zip(&slots) {
            let piece = Piece { text: column.title.clone(), style: HEAD, colour: look.ink };
            head.push(self.block(&[piece], slot.width)?);
        }
        let mut writer = Writer { sheet: self, look, slots, head, sum: None };
        // A header that stands alone at the foot of a page says nothing.
        let first_row = tenth_mm(120);
        writer.sheet.want(writer.head_height() + first_row);
        let mut table = Element::new(Meaning::Table(look.summary.clone()));
        let mut header = Element::new(Meaning::Row);
        for inks in writer.head(Part::Content) {
            header.push(Element::of(Meaning::ColumnHeader, inks));
        }
        let mut of_head = Element::new(Meaning::TableHead);
        of_head.push(header);
        table.push(of_head);
        let mut body = Element::new(Meaning::TableBody);
        for row in rows {
            body.push(writer.row(&row)?);
        }
        table.push(body);
        Ok(table)
    }
}

fn slots(columns: &[Column]) -> Vec<Slot> {
    let mut x = MARGIN;
    let mut slots = Vec::new();
    for column in columns {
        slots.push(Slot { x: x + INDENT, width: column.width - 2 * INDENT, keep: column.keep });
        x += column.width;
    }
    slots
}

impl Writer<'_> {
    fn head_height(&self) -> Length {
        self.head.iter().map(Block::height).max().unwrap_or(0) + 2 * PADDING
    }

    /// The header at the next place, as content or as a repetition.
    fn head(&mut self, part: Part) -> Vec<Vec<InkId>> {
        let height = self.head_height();
        let whole = self.sheet.whole();
        self.sheet.area(whole, self.sheet.y, height, self.look.head);
        let inner = height - 2 * PADDING;
        let mut inks = Vec::new();
        for (block, slot) in self.head.iter().zip(&self.slots) {
            // Titles stand on one line at the foot of the header.
            let y = self.sheet.y + PADDING + inner - block.height();
            inks.push(self.sheet.put(block, *slot, y, part));
        }
        self.sheet.y += height;
        inks
    }

    fn row(&mut self, row: &Row) -> Result<Element, Error> {
        let mut blocks = Vec::new();
        for (pieces, slot) in row.cells.iter().zip(&self.slots) {
            let mut block = self.sheet.block(pieces, slot.width)?;
            if block.lines.is_empty() {
                // A cell without content would be no cell of the structure, and those after it would move.
                let nothing = Piece { text: NOTHING.to_owned(), style: CARRIED, colour: self.look.soft };
                block = self.sheet.block(&[nothing], slot.width)?;
            }
            blocks.push(block);
        }
        let height = blocks.iter().map(Block::height).max().unwrap_or(0) + 2 * PADDING;
        let left_for_sum = self.carried_height(row);
        if self.sheet.room() < height + left_for_sum && self.whole_page() >= height + left_for_sum {
            self.next_page()?;
        }
        let mut cells: Vec<Vec<InkId>> = vec![Vec::new(); blocks.len()];
        self.sheet.y += PADDING;
        for at in 0..blocks.iter().map(|block| block.lines.len()).max().unwrap_or(0) {
            let band: Vec<_> = blocks.iter().map(|block| block.lines.get(at)).collect();
            let height = band.iter().flatten().map(|(line, _)| line.height).max().unwrap_or(0);
            if self.sheet.room() < height + PADDING + left_for_sum {
                self.next_page()?;
                self.sheet.y += PADDING;
            }
            // Small print stands on the same line of writing as what is beside it.
            let baseline = band.iter().flatten().map(|(line, _)| line.baseline).max().unwrap_or(0);
            for ((line, slot), inks) in band.into_iter().zip(&self.slots).zip(&mut cells) {
                let Some(line) = line else { continue };
                let y = self.sheet.y + baseline - line.0.baseline;
                inks.extend(self.sheet.put(&Block { lines: vec![line.clone()] }, *slot, y, Part::Content));
            }
            self.sheet.y += height;
        }
        self.sheet.y += PADDING;
        let whole = self.sheet.whole();
        self.sheet.rule(whole, self.sheet.y, self.look.rule);
        self.sum.clone_from(&row.sum);
        let cells = cells.into_iter().map(|inks| Node::Element(Element::of(Meaning::Cell, inks)));
        Ok(Element { meaning: Meaning::Row, nodes: cells.collect() })
    }

    /// What a page without anything else has room for.
    fn whole_page(&self) -> Length {
        self.sheet.bottom - super::sheet::TOP - self.head_height() - CARRIED.line_height() - 2 * PADDING
    }

    fn carried_height(&self, row: &Row) -> Length {
        if row.sum.is_some() { CARRIED.line_height() + PADDING } else { 0 }
    }

    /// Ends the page with the sum so far, and starts the next with the header and that sum.
    fn next_page(&mut self) -> Result<(), Error> {
        self.carried(&self.look.carried_forward)?;
        self.sheet.next_page();
        self.head(Part::Pagination);
        self.carried(&self.look.brought_forward)?;
        Ok(())
    }

    fn carried(&mut self, word: &str) -> Result<(), Error> {
        let Some(sum) = self.sum.clone() else { return Ok(()) };
        let colour = self.look.soft;
        let y = self.sheet.y + PADDING / 2;
        let last = self.slots.last().copied().unwrap_or(self.sheet.whole());
        let words = Slot { x: MARGIN + INDENT, width: last.x - MARGIN - 3 * INDENT, keep: Keep::End };
        for (text, slot) in [(word.to_owned(), words), (sum, last)] {
            let block = self.sheet.block(&[Piece { text, style: CARRIED, colour }], slot.width)?;
            self.sheet.put(&block, slot, y, Part::Pagination);
        }
        self.sheet.y += CARRIED.line_height() + PADDING;
        Ok(())
    }
}
