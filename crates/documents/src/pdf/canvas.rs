//! What stands where on which page, and what it means: placed first, drawn once the number of pages is known.
//!
//! Places are counted from the side where reading starts: for a language that is written from right to left the page is mirrored.

use crate::colour::Colour;
use crate::measure::{Length, Paper};
use crate::typesetting::Line;
use std::rc::Rc;

/// Something that is drawn.
#[derive(Debug, Clone)]
pub enum Ink {
    Text { line: Rc<Line>, colour: Colour },
    Box { width: Length, height: Length, colour: Colour },
    Logo { width: Length, height: Length },
}

/// Whether the ink says something of its own, or belongs to the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is read, and has its place in the structure of the document.
    Content,
    /// Repeated at the top of pages.
    Header,
    /// Repeated at the foot of pages.
    Footer,
    /// Carried from page to page.
    Pagination,
    /// Lines and areas.
    Ornament,
}

/// Ink at a place.
#[derive(Debug, Clone)]
pub struct Placed {
    pub page: usize,
    /// From the left, whatever the direction of writing.
    pub x: Length,
    /// From the top.
    pub y: Length,
    pub ink: Ink,
    pub part: Part,
}

/// The number of a piece of content, for the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InkId(pub usize);

/// Which side of its place a text keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Where reading starts.
    Start,
    /// Where it ends: numbers.
    End,
}

/// The pages of a document.
#[derive(Debug)]
pub struct Canvas {
    pub paper: Paper,
    /// Whether places are counted from the right.
    pub mirrored: bool,
    pub pages: usize,
    pub placed: Vec<Placed>,
}

/// A place for something on a page.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub page: usize,
    pub x: Length,
    pub y: Length,
    pub width: Length,
}

impl Canvas {
    pub const fn new(paper: Paper, mirrored: bool) -> Self {
        Self { paper, mirrored, pages: 0, placed: Vec::new() }
    }

    /// Puts one line of text into a place.
    pub fn text(&mut self, place: Place, keep: Keep, line: &Rc<Line>, colour: Colour, part: Part) -> InkId {
        let indent = match keep {
            Keep::Start => 0,
            Keep::End => place.width - line.width,
        };
        let x = self.left_edge(place.x + indent, line.width);
        self.put(Placed {
            page: place.page,
            x,
            y: place.y,
            ink: Ink::Text { line: line.clone(), colour },
            part,
        })
    }

    /// Puts a filled area, or a thin one as a rule, into a place.
    pub fn area(&mut self, place: Place, height: Length, colour: Colour) {
        let x = self.left_edge(place.x, place.width);
        let ink = Ink::Box { width: place.width, height, colour };
        self.put(Placed { page: place.page, x, y: place.y, ink, part: Part::Ornament });
    }

    /// Puts the logo into a place.
    pub fn logo(&mut self, place: Place, height: Length) -> InkId {
        let x = self.left_edge(place.x, place.width);
        let ink = Ink::Logo { width: place.width, height };
        self.put(Placed { page: place.page, x, y: place.y, ink, part: Part::Content })
    }

    fn left_edge(&self, x: Length, width: Length) -> Length {
        if self.mirrored { self.paper.width - x - width } else { x }
    }

    fn put(&mut self, placed: Placed) -> InkId {
        self.placed.push(placed);
        InkId(self.placed.len() - 1)
    }
}

/// What an element of the structure is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A heading of a level from 1 on, with its text.
    Heading(u16, String),
    Paragraph,
    /// A table, with what it is about.
    Table(String),
    TableHead,
    TableBody,
    Row,
    /// The header of a column.
    ColumnHeader,
    /// The header of a row.
    RowHeader,
    Cell,
    /// A picture, with what it shows.
    Figure(String),
}

/// An element of the structure, in the order in which it is read.
#[derive(Debug)]
pub struct Element {
    pub meaning: Meaning,
    pub nodes: Vec<Node>,
}

/// What is in an element.
#[derive(Debug)]
pub enum Node {
    Element(Element),
    Ink(InkId),
}

impl Element {
    pub const fn new(meaning: Meaning) -> Self {
        Self { meaning, nodes: Vec::new() }
    }

    /// An element around pieces of content.
    pub fn of(meaning: Meaning, inks: impl IntoIterator<Item = InkId>) -> Self {
        Self { meaning, nodes: inks.into_iter().map(Node::Ink).collect() }
    }

    pub fn push(&mut self, element: Self) {
        self.nodes.push(Node::Element(element));
    }
}
