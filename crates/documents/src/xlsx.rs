//! The lines as a spreadsheet: Office Open XML (ECMA-376), the few parts of it that a table of texts and numbers needs.
//!
//! Texts are cells of the type text, so that nothing is ever a formula. Numbers are written with their exact digits: a spreadsheet shows them as numbers
//! and can add them. It keeps fifteen digits of a number, so one that has more is written as text, and nothing is lost in silence.

use crate::Error;
use crate::table::{COLUMNS, Cell, row_count, rows};
use crate::xml::Xml;
use billing::invoice::Invoice;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

/// The rows of a sheet, the header's included.
pub(crate) const ROWS_MAX: usize = 1_048_576;
/// The characters of a cell.
const CHARACTERS_MAX: usize = 32_767;
/// The digits that a double keeps.
const DIGITS_MAX: usize = 15;
/// Widths of columns, in characters.
pub(crate) const NARROW: &str = "15";
pub(crate) const MIDDLE: &str = "24";
const WIDE: &str = "48";

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OF_DOCUMENTS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const CONTENT: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// The lines of an invoice as a spreadsheet.
///
/// # Errors
/// [`Error::TooManyLines`].
pub fn render(invoice: &Invoice) -> Result<Vec<u8>, Error> {
    if row_count(invoice) >= ROWS_MAX {
        let (number, lines) = (invoice.number.clone(), row_count(invoice));
        return Err(Error::TooManyLines { number, lines, max: ROWS_MAX - 1 });
    }
    let head = COLUMNS
        .iter()
        .enumerate()
        .map(|(at, name)| ((*name).to_owned(), if matches!(at, 5 | 6) { WIDE } else { NARROW }));
    Ok(file("Lines", head.collect(), rows(invoice).map(|cells| (cells.to_vec(), false))))
}

/// A spreadsheet of one sheet: its columns with their widths, and its rows, those with `true` as strong as the header.
pub(crate) fn file(
    name: &str,
    head: Vec<(String, &'static str)>,
    rows: impl Iterator<Item = (Vec<Cell>, bool)>,
) -> Vec<u8> {
    let parts = [
        ("[Content_Types].xml", content_types()),
        ("_rels/.rels", relations(&[("officeDocument", "xl/workbook.xml")])),
        ("xl/workbook.xml", workbook(name)),
        (
            "xl/_rels/workbook.xml.rels",
            relations(&[("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")]),
        ),
        ("xl/styles.xml", styles()),
        ("xl/worksheets/sheet1.xml", sheet(head, rows)),
    ];
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // No clock: every part has the first day that a zip file knows.
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for (name, bytes) in parts {
        // Writing to memory does not fail.
        let _ = archive.start_file(name, options);
        let _ = archive.write_all(&bytes);
    }
    archive.finish().map(Cursor::into_inner).unwrap_or_default()
}

fn content_types() -> Vec<u8> {
    let mut xml = Xml::new();
    xml.group_with(
        "Types",
        &[("xmlns", "http://schemas.openxmlformats.org/package/2006/content-types")],
        |xml| {
            let relations = "application/vnd.openxmlformats-package.relationships+xml";
            xml.empty("Default", &[("Extension", "rels"), ("ContentType", relations)]);
            xml.empty("Default", &[("Extension", "xml"), ("ContentType", "application/xml")]);
            for (part, kind) in [
                ("/xl/workbook.xml", "sheet.main"),
                ("/xl/worksheets/sheet1.xml", "worksheet"),
                ("/xl/styles.xml", "styles"),
            ] {
                let kind = format!("{CONTENT}.{kind}+xml");
                xml.empty("Override", &[("PartName", part), ("ContentType", &kind)]);
            }
        },
    );
    xml.into_bytes()
}

fn relations(list: &[(&str, &str)]) -> Vec<u8> {
    let mut xml = Xml::new();
    xml.group_with("Relationships", &[("xmlns", RELATIONS)], |xml| {
        for (number, (kind, target)) in list.iter().enumerate() {
            let (id, kind) = (format!("rId{}", number + 1), format!("{OF_DOCUMENTS}/{kind}"));
            xml.empty("Relationship", &[("Id", &id), ("Type", &kind), ("Target", target)]);
        }
    });
    xml.into_bytes()
}

fn workbook(name: &str) -> Vec<u8> {
    let mut xml = Xml::new();
    xml.group_with("workbook", &[("xmlns", MAIN), ("xmlns:r", OF_DOCUMENTS)], |xml| {
        xml.group("sheets", |xml| xml.empty("sheet", &[("name", name), ("sheetId", "1"), ("r:id", "rId1")]));
    });
    xml.into_bytes()
}

/// Two looks of cells: plain, and the header's.
fn styles() -> Vec<u8> {
    let mut xml = Xml::new();
    xml.group_with("styleSheet", &[("xmlns", MAIN)], |xml| {
        let font = |xml: &mut Xml, bold: bool| {
            xml.group("font", |xml| {
                if bold {
                    xml.empty("b", &[]);
                }
                xml.empty("sz", &[("val", "11")]);
                xml.empty("name", &[("val", "Calibri")]);
            });
        };
        xml.group_with("fonts", &[("count", "2")], |xml| {
            font(xml, false);
            font(xml, true);
        });
        xml.group_with("fills", &[("count", "2")], |xml| {
            xml.group("fill", |xml| xml.empty("patternFill", &[("patternType", "none")]));
            xml.group("fill", |xml| xml.empty("patternFill", &[("patternType", "gray125")]));
        });
        xml.group_with("borders", &[("count", "1")], |xml| {
            xml.group("border", |xml| {
                for side in ["left", "right", "top", "bottom", "diagonal"] {
                    xml.empty(side, &[]);
                }
            });
        });
        let look = |xml: &mut Xml, font: &str| {
            let ids =
                [("numFmtId", "0"), ("fontId", font), ("fillId", "0"), ("borderId", "0"), ("applyFont", "1")];
            xml.empty("xf", &ids);
        };
        xml.group_with("cellStyleXfs", &[("count", "1")], |xml| look(xml, "0"));
        xml.group_with("cellXfs", &[("count", "2")], |xml| {
            look(xml, "0");
            look(xml, "1");
        });
    });
    xml.into_bytes()
}

fn sheet(head: Vec<(String, &'static str)>, rows: impl Iterator<Item = (Vec<Cell>, bool)>) -> Vec<u8> {
    let mut xml = Xml::new();
    xml.group_with("worksheet", &[("xmlns", MAIN)], |xml| {
        xml.group("sheetViews", |xml| {
            xml.group_with("sheetView", &[("workbookViewId", "0")], |xml| {
                let frozen = [
                    ("ySplit", "1"),
                    ("topLeftCell", "A2"),
                    ("activePane", "bottomLeft"),
                    ("state", "frozen"),
                ];
                xml.empty("pane", &frozen);
            });
        });
        xml.group("cols", |xml| {
            for (number, (_, width)) in (1_usize..).zip(&head) {
                let number = number.to_string();
                xml.empty(
                    "col",
                    &[("min", &number), ("max", &number), ("width", width), ("customWidth", "1")],
                );
            }
        });
        xml.group("sheetData", |xml| {
            let names = head.into_iter().map(|(name, _)| Cell::Text(name));
            row_of(xml, 1, names.collect(), "1");
            for ((cells, is_strong), number) in rows.zip(2_usize..) {
                row_of(xml, number, cells, if is_strong { "1" } else { "0" });
            }
        });
    });
    xml.into_bytes()
}

fn row_of(xml: &mut Xml, number: usize, cells: Vec<Cell>, style: &str) {
    xml.group_with("row", &[("r", &number.to_string())], |xml| {
        // Neither an invoice nor a report has more columns than there are letters.
        for (cell, letter) in cells.into_iter().zip('A'..='Z') {
            let place = format!("{letter}{number}");
            match cell {
                Cell::Number(digits) if digits.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX => {
                    xml.group_with("c", &[("r", &place), ("s", style)], |xml| xml.leaf("v", &digits));
                }
                Cell::Number(text) | Cell::Text(text) => text_cell(xml, &place, style, &text),
            }
        }
    });
}

fn text_cell(xml: &mut Xml, place: &str, style: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    let kept: String = text.chars().take(CHARACTERS_MAX).collect();
    xml.group_with("c", &[("r", place), ("s", style), ("t", "inlineStr")], |xml| {
        xml.group("is", |xml| xml.leaf("t", &kept));
    });
}
