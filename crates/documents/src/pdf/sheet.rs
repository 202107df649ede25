//! The sheet that is written on from top to bottom: where the next thing goes, and when the page is full.

use super::canvas::{Canvas, InkId, Keep, Part, Place};
use crate::Error;
use crate::colour::Colour;
use crate::measure::{Length, Paper, tenth_mm};
use crate::typesetting::{Fonts, Line, Style, Typesetter};
use std::rc::Rc;

/// The margin at both sides.
pub const MARGIN: Length = tenth_mm(190);
/// Where the body starts on the first page, and on those after it.
pub const TOP_FIRST: Length = tenth_mm(170);
pub const TOP: Length = tenth_mm(240);
/// Above the foot, for a foot of one line.
const BOTTOM: Length = tenth_mm(220);

/// A text with the way it looks.
#[derive(Debug, Clone)]
pub struct Piece {
    pub text: String,
    pub style: Style,
    pub colour: Colour,
}

/// A column on the sheet.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    pub x: Length,
    pub width: Length,
    pub keep: Keep,
}

/// Lines that are set and wait for their place.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub lines: Vec<(Rc<Line>, Colour)>,
}

impl Block {
    pub fn height(&self) -> Length {
        self.lines.iter().map(|(line, _)| line.height).sum()
    }

    /// Where the first line of writing is, from the top.
    pub fn baseline(&self) -> Length {
        self.lines.first().map_or(0, |(line, _)| line.baseline)
    }
}

/// The document while it is written.
pub struct Sheet {
    pub canvas: Canvas,
    pub typesetter: Typesetter,
    /// The page that is written on, from 0.
    pub page: usize,
    /// Where the next thing goes, from the top.
    pub y: Length,
    /// Where the foot starts.
    pub bottom: Length,
}

impl Sheet {
    /// The first page, with room for so many lines of `foot` at the foot of each.
    pub fn new(paper: Paper, mirrored: bool, fonts: &Fonts, foot: Length) -> Self {
        let mut canvas = Canvas::new(paper, mirrored);
        canvas.pages = 1;
        let bottom = paper.height - BOTTOM - foot;
        Self { canvas, typesetter: Typesetter::new(fonts), page: 0, y: TOP_FIRST, bottom }
    }

    /// The width between the margins.
    pub const fn width(&self) -> Length {
        self.canvas.paper.width - 2 * MARGIN
    }

    /// The whole width as a slot.
    pub const fn whole(&self) -> Slot {
        Slot { x: MARGIN, width: self.width(), keep: Keep::Start }
    }

    /// How wide a text is on one line.
    pub fn measured(&mut self, text: &str, style: Style) -> Result<Length, Error> {
        let lines = self.typesetter.set(text, style, None)?;
        Ok(lines.iter().map(|line| line.width).max().unwrap_or(0))
    }

    /// What is left of the page.
    pub const fn room(&self) -> Length {
        self.bottom - self.y
    }

    /// Goes to the next page where less than `height` is left of this one.
    pub const fn want(&mut self, height: Length) {
        if self.room() < height {
            self.next_page();
        }
    }

    /// Goes to the next page.
    pub const fn next_page(&mut self) {
        self.page += 1;
        self.y = TOP;
        self.canvas.pages = self.page + 1;
    }

    /// Sets pieces within a width, one below the other.
    pub fn block(&mut self, pieces: &[Piece], width: Length) -> Result<Block, Error> {
        let mut block = Block::default();
        for piece in pieces {
            let lines = self.typesetter.set(&piece.text, piece.style, Some(width))?;
            block.lines.extend(lines.iter().map(|line| (line.clone(), piece.colour)));
        }
        Ok(block)
    }

    /// Puts a block at a height of the page, and says what it put there.
    pub fn put(&mut self, block: &Block, slot: Slot, y: Length, part: Part) -> Vec<InkId> {
        let mut y = y;
        let mut inks = Vec::with_capacity(block.lines.len());
        for (line, colour) in &block.lines {
            let place = Place { page: self.page, x: slot.x, y, width: slot.width };
            inks.push(self.canvas.text(place, slot.keep, line, *colour, part));
            y += line.height;
        }
        inks
    }

    /// Writes pieces at the next place, going to the next page between lines where that is needed.
    pub fn write(&mut self, pieces: &[Piece], slot: Slot) -> Result<Vec<InkId>, Error> {
        let block = self.block(pieces, slot.width)?;
        let mut inks = Vec::new();
        for line in block.lines {
            let height = line.0.height;
            self.want(height);
            inks.extend(self.put(&Block { lines: vec![line] }, slot, self.y, Part::Content));
            self.y += height;
        }
        Ok(inks)
    }

    /// A thin line across a slot.
    pub fn rule(&mut self, slot: Slot, y: Length, colour: Colour) {
        self.area(slot, y, RULE, colour);
    }

    /// A filled area.
    pub fn area(&mut self, slot: Slot, y: Length, height: Length, colour: Colour) {
        let place = Place { page: self.page, x: slot.x, y, width: slot.width };
        self.canvas.area(place, height, colour);
    }
}

/// The thickness of a line.
pub const RULE: Length = 500;
