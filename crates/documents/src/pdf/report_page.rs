//! What stands on a saved report: what it is, its bars, and its lines with their sums.

use super::canvas::{Canvas, Element, InkId, Keep, Meaning, Part};
use super::sheet::{MARGIN, Piece, Sheet, Slot};
use super::table::{Column, Look, Row};
use crate::Error;
use crate::colour::Colour;
use crate::design::{self, Design};
use crate::measure::{A4, LETTER, Length, Paper, pt, tenth_mm};
use crate::typesetting::Style;
use crate::wording::Wording;
use billing::saved_report::{Cell, Line, ReportTable};

const INK: Colour = Colour(0x1c, 0x22, 0x2b);
const SOFT: Colour = Colour(0x5b, 0x64, 0x70);
const RULES: Colour = Colour(0xdd, 0xe1, 0xe6);
const ACCENT: Colour = Colour(0x1f, 0x4e, 0x79);

const TITLE: Style = Style::strong(pt(18));
const BODY: Style = Style::regular(7_800);
const STRONG: Style = Style::strong(7_800);
const FOOT: Style = Style::regular(pt(7));

const GAP: Length = tenth_mm(60);
/// What is at both sides of a cell.
const AROUND: Length = tenth_mm(32);
/// How wide a column is at most before all are fitted to the page.
const WIDEST: Length = tenth_mm(700);
/// Of how many lines the widths are taken: the first and the last ones.
const MEASURED: usize = 200;
/// A bar's height, and that of what it takes.
const BAR: Length = tenth_mm(32);
const OF_BAR: Length = tenth_mm(46);
/// How wide labels and amounts of bars are.
const OF_LABEL: Length = tenth_mm(620);
const OF_AMOUNT: Length = tenth_mm(520);

/// The pages and what they mean.
pub struct LaidOut {
    pub canvas: Canvas,
    pub structure: Vec<Element>,
}

/// Lays out a report, on pages that lie on their long side.
///
/// # Errors
/// [`Error::NoGlyph`].
pub fn lay_out(report: &ReportTable, design: &Design, wording: &Wording) -> Result<LaidOut, Error> {
    let Paper { width, height } = match design.paper {
        design::Paper::A4 => A4,
        design::Paper::Letter => LETTER,
    };
    let lying = Paper { width: height, height: width };
    let sheet = Sheet::new(lying, false, &design.fonts, 0);
    let accent = design.accent.unwrap_or(ACCENT);
    let mut page = Page { report, wording, sheet, structure: Vec::new(), accent };
    page.head()?;
    page.bars()?;
    page.lines()?;
    page.feet()?;
    Ok(LaidOut { canvas: page.sheet.canvas, structure: page.structure })
}

struct Page<'a> {
    report: &'a ReportTable,
    wording: &'a Wording,
    sheet: Sheet,
    structure: Vec<Element>,
    accent: Colour,
}

fn piece(text: impl Into<String>, style: Style, colour: Colour) -> Piece {
    Piece { text: text.into(), style, colour }
}

impl Page<'_> {
    /// The title, and what the report says of itself.
    fn head(&mut self) -> Result<(), Error> {
        let (report, whole) = (self.report, self.sheet.whole());
        let inks = self.sheet.write(&[piece(&report.title, TITLE, self.accent)], whole)?;
        self.structure.push(Element::of(Meaning::Heading(1, report.title.clone()), inks));
        self.sheet.y += tenth_mm(20);
        for (name, value) in &report.facts {
            let inks = self.sheet.write(&[piece(format!("{name}: {value}"), BODY, SOFT)], whole)?;
            self.structure.push(Element::of(Meaning::Paragraph, inks));
        }
        self.sheet.y += GAP;
        Ok(())
    }

    /// The bars, each with its label before it and its amount behind it. Their lengths are an ornament: what they say is said in words.
    fn bars(&mut self) -> Result<(), Error> {
        let report = self.report;
        let room = self.sheet.width() - OF_LABEL - OF_AMOUNT;
        let label = Slot { x: MARGIN, width: OF_LABEL - AROUND, keep: Keep::End };
        for bar in &report.bars {
            self.sheet.want(OF_BAR);
            let length = i64::from(room) * i64::from(bar.length) / 1_000;
            let length = Length::try_from(length).unwrap_or(room);
            let mut inks = self.one_line(&bar.label, label, INK)?;
            if length > 0 {
                let area = Slot { x: MARGIN + OF_LABEL, width: length, keep: Keep::Start };
                self.sheet.area(area, self.sheet.y, BAR, self.accent);
            }
            let amount =
                Slot { x: MARGIN + OF_LABEL + length + AROUND, width: OF_AMOUNT - AROUND, keep: Keep::Start };
            inks.extend(self.one_line(&bar.amount, amount, SOFT)?);
            self.structure.push(Element::of(Meaning::Paragraph, inks));
            self.sheet.y += OF_BAR;
        }
        if !report.bars.is_empty() {
            self.sheet.y += GAP;
        }
        Ok(())
    }

    /// A text at this height, cut where its line ends.
    fn one_line(&mut self, text: &str, slot: Slot, colour: Colour) -> Result<Vec<InkId>, Error> {
        let mut block = self.sheet.block(&[piece(text, BODY, colour)], slot.width)?;
        block.lines.truncate(1);
        Ok(self.sheet.put(&block, slot, self.sheet.y, Part::Content))
    }

    fn lines(&mut self) -> Result<(), Error> {
        let columns = self.columns()?;
        let row = |line: &Line| {
            let style = if line.is_sum { STRONG } else { BODY };
            let cells = line.cells.iter().map(|cell| vec![piece(text(cell), style, INK)]);
            Row { cells: cells.collect(), sum: None }
        };
        let look = Look {
            summary: self.report.title.clone(),
            ink: INK,
            soft: SOFT,
            rule: RULES,
            head: self.accent.tint(12),
            carried_forward: String::new(),
            brought_forward: String::new(),
        };
        let table = self.sheet.table(&look, &columns, self.report.lines.iter().map(row))?;
        self.structure.push(table);
        Ok(())
    }

    /// The columns, as wide as what is in them wants; where that is too much, all become narrower alike.
    fn columns(&mut self) -> Result<Vec<Column>, Error> {
        let report = self.report;
        let lines = || report.lines.iter().take(MEASURED).chain(report.lines.iter().rev().take(MEASURED));
        let mut columns = Vec::with_capacity(report.columns.len());
        for (at, column) in report.columns.iter().enumerate() {
            let texts = lines().filter_map(|line| line.cells.get(at)).map(text);
            let longest = texts.max_by_key(|text| text.chars().count()).unwrap_or_default();
            let width =
                self.sheet.measured(&longest, STRONG)?.max(self.sheet.measured(&column.name, STRONG)?);
            let keep = if column.is_amount() { Keep::End } else { Keep::Start };
            columns.push(Column { title: column.name.clone(), width: width.min(WIDEST) + AROUND, keep });
        }
        let (all, room) =
            (columns.iter().map(|column| i64::from(column.width)).sum::<i64>(), self.sheet.width());
        for column in &mut columns {
            // What is left over goes to all, too, so that the table is as wide as its page.
            let width = i64::from(column.width) * i64::from(room) / all.max(1);
            column.width = Length::try_from(width).unwrap_or(room);
        }
        Ok(columns)
    }

    /// What the report is and the number of the page, at the foot of each.
    fn feet(&mut self) -> Result<(), Error> {
        let pages = self.sheet.canvas.pages;
        let whole = self.sheet.whole();
        let half = whole.width / 2;
        for page in 0..pages {
            self.sheet.page = page;
            let y = self.sheet.bottom + tenth_mm(60);
            self.sheet.rule(whole, y, RULES);
            let title = Slot { width: half, ..whole };
            let number = Slot { x: whole.x + half, width: half, keep: Keep::End };
            for (text, slot) in
                [(self.report.title.clone(), title), (self.wording.page(page + 1, pages), number)]
            {
                let mut block = self.sheet.block(&[piece(text, FOOT, SOFT)], slot.width)?;
                block.lines.truncate(1);
                let place = y + tenth_mm(20);
                self.sheet.put(&block, slot, place, Part::Footer);
            }
        }
        Ok(())
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Amount(amount) => amount.to_string(),
    }
}
