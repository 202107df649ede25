//! What stands on an invoice, in the order in which it is read.

mod ending;

use super::canvas::{Canvas, Element, Keep, Meaning, Part, Place};
use super::sheet::{Block, MARGIN, Piece, Sheet, Slot};
use super::table::{Column, Look, Row};
use crate::Error;
use crate::colour::Colour;
use crate::design::{self, Design};
use crate::measure::{A4, LETTER, Length, Paper, pt, tenth_mm};
use crate::plain_text::plain_lines;
use crate::typesetting::Style;
use crate::wording::{Word, Wording, unit};
use billing::invoice::{Invoice, Kind, Line, Party, Tax, TaxCategory};
use billing::money::Quantity;

const INK: Colour = Colour(0x1c, 0x22, 0x2b);
/// Dark enough on white for those who see little (contrast 5.9 : 1).
const SOFT: Colour = Colour(0x5b, 0x64, 0x70);
const RULES: Colour = Colour(0xdd, 0xe1, 0xe6);
const ACCENT: Colour = Colour(0x1f, 0x4e, 0x79);

const TITLE: Style = Style::strong(pt(22));
const NAME: Style = Style::strong(pt(14));
const LARGE: Style = Style::strong(pt(17));
const HEADING: Style = Style::strong(10_500);
const BODY: Style = Style::regular(pt(9));
const STRONG: Style = Style::strong(pt(9));
const LABEL: Style = Style::regular(7_800);
const SMALL: Style = Style::regular(7_800);
const FOOT: Style = Style::regular(pt(7));

/// From one part of the page to the next.
const GAP: Length = tenth_mm(70);

/// The pages and what they mean.
pub struct LaidOut {
    pub canvas: Canvas,
    pub structure: Vec<Element>,
}

/// What a kind of document is called.
pub const fn title(kind: Kind) -> Word {
    match kind {
        Kind::Invoice => Word::Invoice,
        Kind::CreditNote => Word::CreditNote,
    }
}

/// Lays out a document.
///
/// # Errors
/// [`Error::NoGlyph`].
pub fn lay_out(invoice: &Invoice, design: &Design, wording: &Wording) -> Result<LaidOut, Error> {
    let paper = paper(design.paper);
    let foot = FOOT.line_height() * i32::try_from(design.footer.len()).unwrap_or(0);
    let sheet = Sheet::new(paper, wording.right_to_left(), &design.fonts, foot);
    let accent = design.accent.unwrap_or(ACCENT);
    let mut page = Page { invoice, design, wording, sheet, structure: Vec::new(), accent };
    page.masthead()?;
    page.parties()?;
    page.amount_due()?;
    page.lines()?;
    page.totals_and_payment()?;
    page.taxes()?;
    page.notes()?;
    page.heads_and_feet()?;
    Ok(LaidOut { canvas: page.sheet.canvas, structure: page.structure })
}

const fn paper(paper: design::Paper) -> Paper {
    match paper {
        design::Paper::A4 => A4,
        design::Paper::Letter => LETTER,
    }
}

struct Page<'a> {
    invoice: &'a Invoice,
    design: &'a Design,
    wording: &'a Wording,
    sheet: Sheet,
    structure: Vec<Element>,
    accent: Colour,
}

/// Labels and values that are set and wait for their place.
struct Facts {
    of_label: Slot,
    of_value: Slot,
    rows: Vec<(Block, Block)>,
}

impl Facts {
    fn height(&self) -> Length {
        self.rows.iter().map(|(label, value)| fact_height(label, value)).sum()
    }
}

fn fact_height(label: &Block, value: &Block) -> Length {
    value.height().max(label.height() + value.baseline() - label.baseline()) + tenth_mm(6)
}

fn piece(text: impl Into<String>, style: Style, colour: Colour) -> Piece {
    Piece { text: text.into(), style, colour }
}

impl Page<'_> {
    /// The logo, or the seller's name, and what the document is.
    fn masthead(&mut self) -> Result<(), Error> {
        let top = self.sheet.y;
        let half = self.sheet.width() / 2;
        let start = Slot { x: MARGIN, width: half, keep: Keep::Start };
        let end = Slot { x: MARGIN + half, width: half, keep: Keep::End };
        let under_name = match &self.design.logo {
            Some(logo) => {
                let (width, height) = fitted(logo.image.size(), tenth_mm(650), tenth_mm(180));
                let alt = logo.alt.clone().unwrap_or_else(|| self.invoice.seller.legal_name.clone());
                let place = Place { page: 0, x: MARGIN, y: top, width };
                let ink = self.sheet.canvas.logo(place, height);
                self.structure.push(Element::of(Meaning::Figure(alt), [ink]));
                top + height
            }
            None => {
                let seller = &self.invoice.seller;
                let name = seller.trading_name.as_ref().unwrap_or(&seller.legal_name);
                self.paragraph(&[piece(name, NAME, self.accent)], start, top + tenth_mm(12))?
            }
        };
        let word = self.wording.word(title(self.invoice.kind)).to_owned();
        let text = format!("{word} {}", self.invoice.number);
        let block = self.sheet.block(&[piece(word, TITLE, INK)], end.width)?;
        let mut inks = self.sheet.put(&block, end, top, Part::Content);
        let number =
            self.sheet.block(&[piece(&self.invoice.number, Style::regular(pt(11)), SOFT)], end.width)?;
        inks.extend(self.sheet.put(&number, end, top + block.height(), Part::Content));
        self.structure.push(Element::of(Meaning::Heading(1, text), inks));
        self.sheet.y = under_name.max(top + block.height() + number.height()) + GAP + tenth_mm(20);
        Ok(())
    }

    /// Who asks, who pays, and the facts: side by side, or one below the other where they are too long for the first page.
    fn parties(&mut self) -> Result<(), Error> {
        let gap = tenth_mm(50);
        let third = (self.sheet.width() - 2 * gap) / 3 - tenth_mm(45);
        let mut slot = Slot { x: MARGIN, width: third, keep: Keep::Start };
        let parties = [(Word::BillTo, self.buyer_lines()), (Word::From, self.seller_lines())];
        let facts = self.facts();
        let last = Slot {
            x: MARGIN + 2 * (third + gap),
            width: self.sheet.width() - 2 * (third + gap),
            keep: Keep::Start,
        };
        let of_facts = self.set_facts(&facts, last, tenth_mm(275))?;
        let mut height = of_facts.height();
        for (_, lines) in &parties {
            height = height.max(self.sheet.block(lines, third)?.height());
        }
        if height > self.sheet.room() - tenth_mm(500) {
            for (word, lines) in parties {
                self.section_heading(word, tenth_mm(100))?;
                self.own_paragraph(&lines)?;
            }
            self.section_heading(Word::Details, tenth_mm(100))?;
            self.facts_below(&facts)?;
            self.sheet.y += GAP;
            return Ok(());
        }
        let top = self.sheet.y;
        let mut under = top;
        for (word, lines) in parties {
            let y = self.heading(word, slot, top)?;
            under = under.max(self.paragraph(&lines, slot, y)?);
            slot.x += third + gap;
        }
        let y = self.heading(Word::Details, last, top)?;
        self.sheet.y = under.max(self.put_facts(&of_facts, y)) + GAP;
        Ok(())
    }

    fn heading(&mut self, word: Word, slot: Slot, y: Length) -> Result<Length, Error> {
        let text = self.wording.word(word).to_owned();
        let block = self.sheet.block(&[piece(&text, Style::strong(7_800), self.accent)], slot.width)?;
        let inks = self.sheet.put(&block, slot, y, Part::Content);
        self.structure.push(Element::of(Meaning::Heading(2, text), inks));
        Ok(y + block.height() + tenth_mm(5))
    }

    /// Pieces one below the other from `y` on; gives where they end.
    fn paragraph(&mut self, pieces: &[Piece], slot: Slot, y: Length) -> Result<Length, Error> {
        let block = self.sheet.block(pieces, slot.width)?;
        let inks = self.sheet.put(&block, slot, y, Part::Content);
        if !inks.is_empty() {
            self.structure.push(Element::of(Meaning::Paragraph, inks));
        }
        Ok(y + block.height())
    }

    /// Sets labels and the values beside them; `labels` is how wide the labels' column is.
    fn set_facts(&mut self, facts: &[(String, String)], slot: Slot, labels: Length) -> Result<Facts, Error> {
        let of_label = Slot { width: labels - tenth_mm(20), ..slot };
        let of_value = Slot { x: slot.x + labels, width: slot.width - labels, ..slot };
        let mut rows = Vec::new();
        for (label, value) in facts {
            let label = self.sheet.block(&[piece(label, LABEL, SOFT)], of_label.width)?;
            let lines: Vec<Piece> =
                plain_lines(value).into_iter().map(|line| piece(line, BODY, INK)).collect();
            let value = self.sheet.block(&lines, of_value.width)?;
            rows.push((label, value));
        }
        Ok(Facts { of_label, of_value, rows })
    }

    /// Puts them one below the other from `y` on; gives where they end.
    fn put_facts(&mut self, facts: &Facts, mut y: Length) -> Length {
        for (label, value) in &facts.rows {
            // Both stand on one line of writing.
            let baseline = label.baseline().max(value.baseline());
            let mut inks =
                self.sheet.put(label, facts.of_label, y + baseline - label.baseline(), Part::Content);
            inks.extend(self.sheet.put(
                value,
                facts.of_value,
                y + baseline - value.baseline(),
                Part::Content,
            ));
            self.structure.push(Element::of(Meaning::Paragraph, inks));
            y += fact_height(label, value);
        }
        y
    }

    /// Facts over the whole width, going on on the next page where that is needed.
    fn facts_below(&mut self, facts: &[(String, String)]) -> Result<(), Error> {
        let slot = self.sheet.whole();
        for fact in facts {
            let fact = self.set_facts(std::slice::from_ref(fact), slot, tenth_mm(400))?;
            self.sheet.want(fact.height());
            self.sheet.y = self.put_facts(&fact, self.sheet.y);
        }
        Ok(())
    }

    fn facts(&self) -> Vec<(String, String)> {
        let (invoice, wording) = (self.invoice, self.wording);
        let mut facts = vec![
            (Word::Number, invoice.number.clone()),
            (Word::Issued, wording.date(invoice.issued)),
            (Word::Period, wording.dates(invoice.period)),
        ];
        facts.extend(invoice.due.map(|due| (Word::Due, wording.date(due))));
        if let Some(preceding) = &invoice.preceding {
            facts
                .push((Word::Preceding, format!("{}\n{}", preceding.number, wording.date(preceding.issued))));
        }
        let references = [
            (Word::PurchaseOrder, &invoice.purchase_order),
            (Word::BuyerReference, &invoice.buyer_reference),
            (Word::Contract, &invoice.contract),
        ];
        facts.extend(references.into_iter().filter_map(|(word, text)| Some((word, text.clone()?))));
        facts.retain(|(_, value)| !value.trim().is_empty());
        facts.into_iter().map(|(word, value)| (wording.word(word).to_owned(), value)).collect()
    }

    fn buyer_lines(&self) -> Vec<Piece> {
        let buyer = &self.invoice.buyer;
        let mut lines = address_lines(buyer);
        lines.extend(self.registrations(buyer));
        lines
    }

    fn seller_lines(&self) -> Vec<Piece> {
        let seller = &self.invoice.seller;
        let mut lines = address_lines(seller);
        lines.extend(self.registrations(seller));
        let contact = seller.contact.as_ref();
        let ways = contact.map(|contact| [&contact.name, &contact.telephone, &contact.email]);
        lines.extend(ways.into_iter().flatten().flatten().map(|way| piece(way, SMALL, SOFT)));
        let legal = seller.legal_information.iter().flat_map(|text| plain_lines(text));
        lines.extend(legal.map(|line| piece(line, SMALL, SOFT)));
        lines
    }

    fn registrations(&self, party: &Party) -> Vec<Piece> {
        let mut lines: Vec<Piece> = Vec::new();
        for id in &party.tax_registrations {
            let word = if id.scheme == billing::invoice::party::VAT { Word::VatId } else { Word::TaxNumber };
            lines.push(piece(format!("{} {}", self.wording.word(word), id.id), SMALL, SOFT));
        }
        let company = party.company_id.iter();
        lines.extend(
            company.map(|id| piece(format!("{} {}", self.wording.word(Word::CompanyId), id.id), SMALL, SOFT)),
        );
        lines
    }

    /// The one number that everybody looks for.
    fn amount_due(&mut self) -> Result<(), Error> {
        let invoice = self.invoice;
        let word = match invoice.kind {
            Kind::Invoice => Word::AmountDue,
            Kind::CreditNote => Word::AmountCredited,
        };
        let inset = tenth_mm(45);
        let whole = self.sheet.whole();
        let start = Slot { x: MARGIN + inset, width: whole.width / 2 - inset, keep: Keep::Start };
        let end = Slot { x: MARGIN + whole.width / 2, width: whole.width / 2 - inset, keep: Keep::End };
        let label = self.sheet.block(&[piece(self.wording.word(word), LABEL, SOFT)], start.width)?;
        let amount = self.wording.money(invoice.totals.due);
        let amount = self.sheet.block(&[piece(amount, LARGE, self.accent)], start.width)?;
        let mut right = Vec::new();
        if let Some(due) = invoice.due {
            right.push(piece(self.wording.word(Word::Due), LABEL, SOFT));
            right.push(piece(self.wording.date(due), Style::strong(pt(11)), INK));
        }
        let right = self.sheet.block(&right, end.width)?;
        let height = label.height() + amount.height() + tenth_mm(56);
        self.sheet.want(height);
        let top = self.sheet.y;
        self.sheet.area(whole, top, height, self.accent.tint(8));
        let bar = Slot { x: MARGIN, width: tenth_mm(10), keep: Keep::Start };
        self.sheet.area(bar, top, height, self.accent);
        let y = top + tenth_mm(28);
        let mut inks = self.sheet.put(&label, start, y, Part::Content);
        inks.extend(self.sheet.put(&amount, start, y + label.height(), Part::Content));
        self.structure.push(Element::of(Meaning::Paragraph, inks));
        let lower = (label.height() + amount.height() - right.height()) / 2;
        let inks = self.sheet.put(&right, end, y + lower.max(0), Part::Content);
        if !inks.is_empty() {
            self.structure.push(Element::of(Meaning::Paragraph, inks));
        }
        self.sheet.y = top + height + GAP;
        Ok(())
    }

    fn lines(&mut self) -> Result<(), Error> {
        self.section_heading(Word::Lines, tenth_mm(240))?;
        let (invoice, wording) = (self.invoice, self.wording);
        let columns = self.line_columns()?;
        let counted = counted(invoice);
        let mut sum = Some(invoice.totals.lines.zero());
        let rows = invoice.lines.iter().map(|line| {
            // A sum that is too large to be one is not carried.
            sum = sum.and_then(|sum| sum.plus(line.net).ok());
            let mut cells = vec![vec![piece(&line.id, SMALL, SOFT)], description(line, invoice, wording)];
            let of_line =
                if counted { vec![quantity(line, wording), price(line, wording)] } else { Vec::new() };
            let numbers = of_line.into_iter().chain([tax(line.tax, wording), wording.amount(line.net)]);
            cells.extend(numbers.map(|number| vec![piece(number, BODY, INK)]));
            Row { cells, sum: sum.map(|sum| wording.amount(sum)) }
        });
        let look = self.look(Word::Lines);
        let table = self.sheet.table(&look, &columns, rows)?;
        self.structure.push(table);
        self.sheet.y += tenth_mm(40);
        Ok(())
    }

    /// The columns of the lines: those of numbers as wide as the longest number wants, the description as wide as is left.
    fn line_columns(&mut self) -> Result<Vec<Column>, Error> {
        let (invoice, wording) = (self.invoice, self.wording);
        let longest = |text: &dyn Fn(&Line) -> String| {
            invoice.lines.iter().map(text).max_by_key(|text| text.chars().count()).unwrap_or_default()
        };
        let mut numbers = Vec::new();
        if counted(invoice) {
            numbers.push((Word::Quantity, 200, longest(&|line| quantity(line, wording))));
            numbers.push((Word::UnitPrice, 220, longest(&|line| price(line, wording))));
        }
        numbers.push((Word::Tax, 140, longest(&|line| tax(line.tax, wording))));
        let sum = wording.amount(invoice.totals.lines);
        let net = longest(&|line| wording.amount(line.net));
        numbers.push((Word::Amount, 280, if sum.len() > net.len() { sum } else { net }));
        let id = longest(&|line| line.id.clone());
        let column = |word: Word, width, keep| Column { title: wording.word(word).to_owned(), width, keep };
        let id_width = self.sheet.measured(&id, SMALL)?.min(tenth_mm(250)) + tenth_mm(32);
        let mut columns = vec![
            column(Word::Position, id_width.max(tenth_mm(115)), Keep::Start),
            column(Word::Description, 0, Keep::Start),
        ];
        for (word, least, number) in numbers {
            let width = self.sheet.measured(&number, BODY)?.min(tenth_mm(480)) + tenth_mm(32);
            columns.push(column(word, width.max(tenth_mm(least)), Keep::End));
        }
        let others: Length = columns.iter().map(|column| column.width).sum();
        columns[1].width = (self.sheet.width() - others).max(tenth_mm(350));
        if let Some(last) = columns.last_mut() {
            last.title = format!("{} ({})", last.title, invoice.currency);
        }
        Ok(columns)
    }

    fn look(&self, summary: Word) -> Look {
        Look {
            summary: self.wording.word(summary).to_owned(),
            ink: INK,
            soft: SOFT,
            rule: RULES,
            head: self.accent.tint(12),
            carried_forward: self.wording.word(Word::CarriedForward).to_owned(),
            brought_forward: self.wording.word(Word::BroughtForward).to_owned(),
        }
    }

    /// A heading that keeps so much of what it is above on its page.
    fn section_heading(&mut self, word: Word, keeps: Length) -> Result<(), Error> {
        let text = self.wording.word(word).to_owned();
        self.sheet.want(HEADING.line_height() + tenth_mm(15) + keeps);
        let slot = self.sheet.whole();
        let inks = self.sheet.write(&[piece(&text, HEADING, INK)], slot)?;
        self.structure.push(Element::of(Meaning::Heading(2, text), inks));
        self.sheet.y += tenth_mm(15);
        Ok(())
    }
}

/// A picture's size, scaled down to fit; never made larger than a point for a pixel.
fn fitted((width, height): (u32, u32), width_max: Length, height_max: Length) -> (Length, Length) {
    let (w, h) = (i64::from(width) * 1000, i64::from(height) * 1000);
    let (w_max, h_max) = (i64::from(width_max), i64::from(height_max));
    // The narrower of the two ways to fit, in whole thousandths.
    let (w, h) = if w <= w_max && h <= h_max {
        (w, h)
    } else if w * h_max >= h * w_max {
        (w_max, h * w_max / w)
    } else {
        (w * h_max / h, h_max)
    };
    // Both are at most the largest, which are lengths.
    (Length::try_from(w.max(1)).unwrap_or(width_max), Length::try_from(h.max(1)).unwrap_or(height_max))
}

fn address_lines(party: &Party) -> Vec<Piece> {
    let address = &party.address;
    let mut lines = vec![piece(&party.legal_name, STRONG, INK)];
    if let Some(trading) = party.trading_name.as_ref().filter(|name| **name != party.legal_name) {
        lines.push(piece(trading, BODY, INK));
    }
    lines.extend(address.lines.iter().map(|line| piece(line, BODY, INK)));
    let place =
        [&address.postal_code, &address.city].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let place = [Some(place).filter(|place| !place.is_empty()), address.subdivision.clone()];
    let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let country = address.country.clone();
    let last =
        [place, country].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" \u{b7} ");
    lines.push(piece(last, BODY, INK));
    lines
}

/// Whether a line has more to say than one piece of something: then quantity and price are columns.
fn counted(invoice: &Invoice) -> bool {
    let one = |line: &Line| line.quantity == Quantity::ONE && unit(&line.unit_code).is_empty();
    !invoice.lines.iter().all(one)
}

fn description(line: &Line, invoice: &Invoice, wording: &Wording) -> Vec<Piece> {
    let mut pieces = vec![piece(&line.name, BODY, INK)];
    let about = line.description.iter().flat_map(|text| plain_lines(text));
    pieces.extend(about.map(|text| piece(text, SMALL, SOFT)));
    let account = line.account.as_ref().map(|id| format!("{} {id}", wording.word(Word::Account)));
    let period = line.period.filter(|period| *period != invoice.period).map(|period| wording.dates(period));
    let ordered =
        line.purchase_order_line.as_ref().map(|id| format!("{} {id}", wording.word(Word::PurchaseOrderLine)));
    let more: Vec<String> = [account, period, ordered].into_iter().flatten().collect();
    if !more.is_empty() {
        pieces.push(piece(more.join(" \u{b7} "), SMALL, SOFT));
    }
    pieces
}

fn quantity(line: &Line, wording: &Wording) -> String {
    let (number, unit) = (wording.number(&line.quantity.to_string()), unit(&line.unit_code));
    if unit.is_empty() { number } else { format!("{number}\u{a0}{unit}") }
}

/// The price, with the decimals of the currency at least.
fn price(line: &Line, wording: &Wording) -> String {
    let mut digits = line.price.to_string();
    let decimals = line.net.zero().to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let has = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if has == 0 && decimals > 0 {
        digits.push('.');
    }
    digits.extend(std::iter::repeat_n('0', decimals.saturating_sub(has)));
    wording.number(&digits)
}

/// The rate, or the category's code where the rate is 0 and the category says why.
fn tax(tax: Tax, wording: &Wording) -> String {
    match tax.category {
        TaxCategory::Standard => wording.percent(&tax.rate.to_string()),
        TaxCategory::OutsideScope => "\u{2013}".to_owned(),
        _ => format!("{} ({})", wording.percent("0"), tax.category),
    }
}
