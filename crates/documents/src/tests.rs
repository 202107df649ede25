//! Documents of the sample invoice and of texts that nobody foresaw. What the files hold is tested from outside, with other programs' readers
//! (`tests/test_documents.py`).

use crate::design::{Design, Fonts, Logo, Settings, colour};
use crate::{Error, Format, render};
use billing::invoice::Invoice;
use invoice_file::document;
use proptest::prelude::*;
use std::path::Path;

const SAMPLE: &[u8] = include_bytes!("../../../fixtures/invoices/standard.json");

const FORMATS: [Format; 6] = Format::ALL;

fn sample() -> Invoice {
    document::read(SAMPLE).unwrap()
}

#[test]
fn the_sample_becomes_every_document_twice_alike() {
    for format in FORMATS {
        let [one, two] = [0, 1].map(|_| render(&sample(), &Design::default(), format).unwrap());
        assert_eq!(one, two, "{format:?}");
        assert!(one.len() > 500, "{format:?}");
    }
}

#[test]
fn data_are_read_as_they_were_written() {
    let json = document::render(&sample());
    assert_eq!(document::read(&json).unwrap(), sample());
}

#[test]
fn the_places_of_objects_are_right_after_the_metadata_has_grown() {
    let pdf = render(&sample(), &Design::default(), Format::Pdf).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    let tail = text.rsplit_once("startxref\n").unwrap().1;
    let table: usize = tail.lines().next().unwrap().parse().unwrap();
    let places = std::str::from_utf8(&pdf[table..]).unwrap();
    let mut lines = places.lines();
    assert_eq!(lines.next(), Some("xref"));
    let count: usize = lines.next().unwrap().strip_prefix("0 ").unwrap().parse().unwrap();
    for (number, line) in lines.take(count).enumerate().filter(|(_, line)| line.contains(" n")) {
        let at: usize = line[..10].parse().unwrap();
        assert!(pdf[at..].starts_with(format!("{number} 0 obj").as_bytes()), "object {number}");
    }
}

#[test]
fn a_character_without_a_font_is_named() {
    let mut invoice = sample();
    invoice.lines[0].name = "漢字 as a name".to_owned();
    let error = render(&invoice, &Design::default(), Format::Pdf).unwrap_err();
    let expected = "no font has the character `漢` (U+6F22) of `漢字 as a name`; put a font that has it into the font folder";
    assert_eq!(error.to_string(), expected);
    assert!(render(&invoice, &Design::default(), Format::Ubl).is_ok(), "only a page needs fonts");
}

#[test]
fn what_a_design_cannot_have_is_said() {
    assert_eq!(colour("#0b6e4F").map(|it| (it.0, it.1, it.2)), Ok((0x0b, 0x6e, 0x4f)));
    for text in ["0b6e4f", "#0b6e4", "#0b6e4g", "#+b6e4f", "#ääa", ""] {
        let expected = format!("`{text}` is not a colour; write it as #1a2b3c");
        assert_eq!(colour(text).unwrap_err().to_string(), expected);
    }
    let logo = |bytes: &[u8]| Logo::new(bytes.to_vec(), None).unwrap_err().to_string();
    assert_eq!(
        logo(b"GIF89a"),
        "the logo cannot be used: it is neither PNG nor JPEG; give a PNG or JPEG picture"
    );
    assert!(logo(b"\x89PNG\r\n\x1a\n broken").starts_with("the logo cannot be used: "));
    let huge =
        [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &100_000_u32.to_be_bytes(), &9_u32.to_be_bytes()]
            .concat();
    assert!(logo(&huge).contains("it is 100000 × 9 pixels, at most 8000 on a side"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fonts = Fonts::with_folder(&folder.join("fonts"), Some("Sans of nobody")).unwrap_err().to_string();
    assert!(
        fonts.ends_with("no font has the family `Sans of nobody`; there are: Roboto, Roboto Medium")
            || fonts.ends_with("no font has the family `Sans of nobody`; there are: Roboto"),
        "{fonts}"
    );
    assert!(matches!(Fonts::with_folder(&folder.join("nowhere"), None), Err(Error::Fonts { .. })));
    let settings =
        |json: &str| serde_json::from_str::<Settings>(json).unwrap().design(folder).unwrap_err().to_string();
    assert_eq!(settings(r#"{"paper": "a3"}"#), "`a3` is not a paper; there are `a4` and `letter`");
    let expected = "`invioce` is not a word of the documents; docs/documents.md lists them";
    assert_eq!(settings(r#"{"texts": {"invioce": "x"}}"#), expected);
}

#[test]
fn every_word_is_in_the_manual() {
    let manual = include_str!("../../../docs/documents.md");
    let missing: Vec<_> =
        crate::design::word_keys().filter(|key| !manual.contains(&format!("`{key}`"))).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any text, anywhere, gives a document or names the character that no font has; it never ends the program.
    #[test]
    fn any_text_gives_a_document_or_a_reason(text in "\\PC{0,40}|[\\x00-\\x7f\u{202a}-\u{202e}\u{5d0}-\u{5ea}α-ωа-я]{0,60}") {
        let mut invoice = sample();
        invoice.lines[0].name = format!("x{text}");
        invoice.lines[1].description = Some(text.clone());
        invoice.buyer.legal_name = format!("x{text}");
        invoice.purchase_order = Some(text.clone());
        invoice.notes = vec![text];
        for format in FORMATS {
            match render(&invoice, &Design::default(), format) {
                Ok(bytes) => prop_assert!(!bytes.is_empty()),
                Err(Error::NoGlyph { .. }) => prop_assert!(format == Format::Pdf),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
