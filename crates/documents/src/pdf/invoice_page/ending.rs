//! What stands below the lines: totals, taxes, how to pay, notes; and what is repeated on every page.

use super::super::canvas::{Element, InkId, Keep, Meaning, Part};
use super::super::sheet::{Block, MARGIN, Piece, RULE, Slot, TOP};
use super::super::table::{Column, Row};
use super::{
    BODY, FOOT, GAP, HEADING, INK, LABEL, Page, RULES, SMALL, SOFT, STRONG, Style, piece, tax, title,
};
use crate::Error;
use crate::measure::{Length, tenth_mm};
use crate::plain_text::plain_lines;
use crate::wording::Word;
use billing::invoice::{AdjustmentKind, Exchange, Kind, PaymentInstructions, TaxCategory, TaxSubtotal};

/// A row of the totals.
struct Total {
    label: String,
    amount: String,
    strong: bool,
}

/// The width of the totals.
const TOTALS: Length = tenth_mm(860);
const TOTAL_PADDING: Length = tenth_mm(9);
const TOTAL_INSET: Length = tenth_mm(15);

/// A row of the totals that is set and waits for its place.
struct SetTotal {
    label: Block,
    amount: Block,
    height: Length,
    strong: bool,
}

impl Page<'_> {
    /// The totals, and beside them how to pay, together on one page where a page is long enough.
    pub(super) fn totals_and_payment(&mut self) -> Result<(), Error> {
        let rows = self.set_totals()?;
        let height = rows.iter().map(|row| row.height).sum();
        let facts = self.payment_facts();
        let beside = Slot { x: MARGIN, width: self.sheet.width() - TOTALS - tenth_mm(70), keep: Keep::Start };
        let of_facts = self.set_facts(&facts, beside, tenth_mm(285))?;
        let both = of_facts.height() + HEADING.line_height() + tenth_mm(30);
        if both <= self.sheet.bottom - TOP {
            self.sheet.want(both.max(height));
        }
        let (page, top) = (self.sheet.page, self.sheet.y);
        self.totals(rows);
        let under = self.sheet.y;
        let together = self.sheet.page == page && top + both <= self.sheet.bottom;
        if facts.is_empty() {
            return Ok(());
        }
        if together {
            self.sheet.y = top;
            self.section_heading(Word::Payment, 0)?;
            let y = self.put_facts(&of_facts, self.sheet.y);
            self.sheet.y = under.max(y + GAP);
        } else {
            self.section_heading(Word::Payment, tenth_mm(100))?;
            self.facts_below(&facts)?;
            self.sheet.y += GAP;
        }
        Ok(())
    }

    fn set_totals(&mut self) -> Result<Vec<SetTotal>, Error> {
        let mut rows = Vec::new();
        for row in self.total_rows() {
            let style = if row.strong { STRONG } else { BODY };
            let label =
                self.sheet.block(&[piece(&row.label, style, INK)], TOTALS * 6 / 10 - 2 * TOTAL_INSET)?;
            let amount =
                self.sheet.block(&[piece(&row.amount, style, INK)], TOTALS * 4 / 10 - TOTAL_INSET)?;
            let height = label.height().max(amount.height()) + 2 * TOTAL_PADDING;
            rows.push(SetTotal { label, amount, height, strong: row.strong });
        }
        Ok(rows)
    }

    fn totals(&mut self, rows: Vec<SetTotal>) {
        let slot = Slot { x: MARGIN + self.sheet.width() - TOTALS, width: TOTALS, keep: Keep::End };
        let labels = Slot { x: slot.x + TOTAL_INSET, width: TOTALS * 6 / 10, keep: Keep::Start };
        let amounts =
            Slot { x: slot.x + TOTALS * 6 / 10, width: TOTALS * 4 / 10 - TOTAL_INSET, keep: Keep::End };
        self.sheet.want(rows.iter().map(|row| row.height).sum());
        let mut body = Element::new(Meaning::TableBody);
        for SetTotal { label, amount, height, strong } in rows {
            // More rows than a page holds go on on the next.
            self.sheet.want(height);
            if strong {
                self.sheet.rule(slot, self.sheet.y, RULES);
            }
            let y = self.sheet.y + TOTAL_PADDING;
            let mut row = Element::new(Meaning::Row);
            row.push(Element::of(Meaning::RowHeader, self.sheet.put(&label, labels, y, Part::Content)));
            row.push(Element::of(Meaning::Cell, self.sheet.put(&amount, amounts, y, Part::Content)));
            body.push(row);
            self.sheet.y += height;
        }
        // The last row is what the reader came for.
        self.sheet.area(slot, self.sheet.y, 2 * RULE, self.accent);
        let mut table = Element::new(Meaning::Table(self.wording.word(Word::Totals).to_owned()));
        table.push(body);
        self.structure.push(table);
        self.sheet.y += GAP;
    }

    fn total_rows(&self) -> Vec<Total> {
        let (invoice, wording) = (self.invoice, self.wording);
        let totals = invoice.totals;
        let row = |label: &str, amount: String| Total { label: label.to_owned(), amount, strong: false };
        let mut rows = Vec::new();
        if !invoice.adjustments.is_empty() {
            rows.push(row(wording.word(Word::SumOfLines), wording.amount(totals.lines)));
        }
        for adjustment in &invoice.adjustments {
            let amount = match adjustment.kind {
                AdjustmentKind::Allowance => adjustment.amount.negated(),
                AdjustmentKind::Charge => adjustment.amount,
            };
            rows.push(row(&adjustment.reason, wording.amount(amount)));
        }
        rows.push(row(wording.word(Word::Net), wording.amount(totals.net)));
        for subtotal in &invoice.taxes {
            let label = match subtotal.tax.category {
                TaxCategory::Standard => {
                    format!("{} {}", wording.word(Word::Tax), tax(subtotal.tax, wording))
                }
                category => wording.category(category).to_owned(),
            };
            rows.push(row(&label, wording.amount(subtotal.amount)));
        }
        let due = match invoice.kind {
            Kind::Invoice => Word::AmountDue,
            Kind::CreditNote => Word::AmountCredited,
        };
        let simple = totals.prepaid.units() == 0 && totals.rounding.units() == 0;
        if !simple {
            let gross = row(wording.word(Word::Gross), wording.amount(totals.gross));
            rows.push(Total { strong: true, ..gross });
        }
        if totals.prepaid.units() != 0 {
            rows.push(row(wording.word(Word::Prepaid), wording.amount(totals.prepaid.negated())));
        }
        if totals.rounding.units() != 0 {
            rows.push(row(wording.word(Word::Rounding), wording.amount(totals.rounding)));
        }
        rows.push(Total { strong: true, ..row(wording.word(due), wording.money(totals.due)) });
        rows
    }

    /// What is taxed under each category and rate, and why there is no tax where there is none; the exchange rates.
    pub(super) fn taxes(&mut self) -> Result<(), Error> {
        let (invoice, wording) = (self.invoice, self.wording);
        self.section_heading(Word::TaxBreakdown, tenth_mm(200))?;
        let column = |word: Word, width: i32, keep| Column {
            title: wording.word(word).to_owned(),
            width: tenth_mm(width),
            keep,
        };
        let mut columns = vec![
            column(Word::Category, 0, Keep::Start),
            column(Word::Rate, 240, Keep::End),
            column(Word::Taxable, 380, Keep::End),
            column(Word::Tax, 300, Keep::End),
        ];
        let others: Length = columns.iter().map(|column| column.width).sum();
        columns[0].width = self.sheet.width() - others;
        let rows = invoice.taxes.iter().map(|subtotal| {
            let right = [
                tax_rate(subtotal, wording),
                wording.amount(subtotal.taxable),
                wording.amount(subtotal.amount),
            ];
            let mut cells = vec![category(subtotal, wording)];
            cells.extend(right.map(|text| vec![piece(text, BODY, INK)]));
            Row { cells, sum: None }
        });
        let look = self.look(Word::TaxBreakdown);
        let table = self.sheet.table(&look, &columns, rows)?;
        self.structure.push(table);
        self.sheet.y += tenth_mm(25);
        let mut said: Vec<String> = invoice.exchange.iter().map(|rate| self.exchange(rate)).collect();
        if let Some(tax) = &invoice.tax_currency {
            let amount = wording.money(tax.tax);
            said.push(format!("{} {}: {amount}", wording.word(Word::TaxIn), tax.currency));
            said.push(self.exchange(&tax.exchange));
        }
        let pieces: Vec<Piece> = said.into_iter().map(|text| piece(text, SMALL, SOFT)).collect();
        self.own_paragraph(&pieces)?;
        self.sheet.y += GAP / 2;
        Ok(())
    }

    fn exchange(&self, rate: &Exchange) -> String {
        let word = self.wording.word(Word::Exchange);
        let (number, date) = (self.wording.number(&rate.rate.to_string()), self.wording.date(rate.date));
        format!("{word}: 1 {} = {number} {} ({}, {date})", rate.from, rate.to, rate.source)
    }

    pub(super) fn own_paragraph(&mut self, pieces: &[Piece]) -> Result<(), Error> {
        let slot = self.sheet.whole();
        let inks = self.sheet.write(pieces, slot)?;
        if !inks.is_empty() {
            self.structure.push(Element::of(Meaning::Paragraph, inks));
        }
        Ok(())
    }

    /// Where to pay, and on what terms.
    fn payment_facts(&self) -> Vec<(String, String)> {
        let invoice = self.invoice;
        let mut facts: Vec<(Word, String)> = Vec::new();
        facts.extend(invoice.payment_terms.iter().map(|terms| (Word::Terms, terms.clone())));
        facts.extend(invoice.payment.iter().flat_map(accounts));
        facts.into_iter().map(|(word, value)| (self.wording.word(word).to_owned(), value)).collect()
    }

    /// What the operator adds.
    pub(super) fn notes(&mut self) -> Result<(), Error> {
        let notes: Vec<Piece> = self
            .invoice
            .notes
            .iter()
            .flat_map(|note| plain_lines(note))
            .map(|line| piece(line, BODY, INK))
            .collect();
        if notes.is_empty() {
            return Ok(());
        }
        self.section_heading(Word::Notes, BODY.line_height())?;
        for note in notes {
            self.own_paragraph(&[note])?;
        }
        Ok(())
    }

    /// What is repeated, now that the number of pages is known.
    pub(super) fn heads_and_feet(&mut self) -> Result<(), Error> {
        let word = self.wording.word(title(self.invoice.kind)).to_owned();
        let document = format!("{word} {}", self.invoice.number);
        let seller = self.invoice.seller.legal_name.clone();
        let whole = self.sheet.whole();
        let halves = [Slot { width: whole.width / 2, ..whole }, half_at_end(whole)];
        for page in 0..self.sheet.canvas.pages {
            self.sheet.page = page;
            if page > 0 {
                let y = tenth_mm(130);
                self.repeated(&document, LABEL, halves[0], y, Part::Header)?;
                self.repeated(&seller, LABEL, halves[1], y, Part::Header)?;
                self.sheet.rule(whole, y + LABEL.line_height() + tenth_mm(15), RULES);
            }
            let mut y = self.sheet.bottom + tenth_mm(60);
            self.sheet.rule(whole, y, RULES);
            y += tenth_mm(20);
            let number = self.wording.page(page + 1, self.sheet.canvas.pages);
            self.repeated(&number, FOOT, halves[1], y, Part::Footer)?;
            self.repeated(&format!("{seller} \u{b7} {document}"), FOOT, halves[0], y, Part::Footer)?;
            for line in &self.design.footer {
                y += FOOT.line_height();
                self.repeated(line, FOOT, whole, y, Part::Footer)?;
            }
        }
        Ok(())
    }

    /// A text on one line, cut where the line ends.
    fn repeated(
        &mut self,
        text: &str,
        style: Style,
        slot: Slot,
        y: Length,
        part: Part,
    ) -> Result<Vec<InkId>, Error> {
        let mut block = self.sheet.block(&[piece(text, style, SOFT)], slot.width)?;
        block.lines.truncate(1);
        Ok(self.sheet.put(&block, slot, y, part))
    }
}

const fn half_at_end(whole: Slot) -> Slot {
    Slot { x: whole.x + whole.width / 2, width: whole.width / 2, keep: Keep::End }
}

fn accounts(payment: &PaymentInstructions) -> Vec<(Word, String)> {
    let mut facts = Vec::new();
    for account in &payment.accounts {
        facts.push((Word::PaymentAccount, grouped(&account.id)));
        facts.extend(account.bank.iter().map(|bank| (Word::PaymentBank, bank.clone())));
        facts.extend(account.name.iter().map(|name| (Word::PaymentHolder, name.clone())));
    }
    facts.extend(payment.remittance.iter().map(|text| (Word::Remittance, text.clone())));
    facts
}

/// An IBAN in groups of four, as it is printed (ISO 13616); anything else as it is.
fn grouped(id: &str) -> String {
    let bytes = id.as_bytes();
    let is_iban = bytes.len() >= 15
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    if !is_iban {
        return id.to_owned();
    }
    let groups: Vec<&str> = (0..id.len()).step_by(4).map(|at| &id[at..id.len().min(at + 4)]).collect();
    groups.join(" ")
}

fn tax_rate(subtotal: &TaxSubtotal, wording: &crate::wording::Wording) -> String {
    match subtotal.tax.category {
        TaxCategory::OutsideScope => "\u{2013}".to_owned(),
        _ => wording.percent(&subtotal.tax.rate.to_string()),
    }
}

/// A category's name and code, and why there is no tax.
fn category(subtotal: &TaxSubtotal, wording: &crate::wording::Wording) -> Vec<Piece> {
    let category = subtotal.tax.category;
    let mut pieces = vec![piece(format!("{} ({category})", wording.category(category)), BODY, INK)];
    let reasons = [&subtotal.exemption_reason, &subtotal.exemption_code];
    let reason: Vec<&str> = reasons.into_iter().flatten().map(String::as_str).collect();
    if !reason.is_empty() {
        pieces.push(piece(reason.join(" \u{b7} "), SMALL, SOFT));
    }
    pieces
}
