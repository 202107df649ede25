//! Pricing a cube under a book: what every command that prices does alike.

use crate::failure::Failure;
use crate::publish::BOOK_FILES;
use billing::book::Book;
use billing::charge_class::Cube;
use billing::coverage::Coverage;
use billing::custom_line_item::Origin;
use billing::derived_items::{Derived, derive};
use billing::price_list::PriceList;
use billing::rate_card::{ItemCharge, PricingError, RateCard, item_charges, rate_card};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// A book that was read.
pub struct ReadBook {
    /// The checked configuration.
    pub book: Book,
    /// The book word for word.
    pub text: String,
    /// The texts of the files that it names.
    pub files: BTreeMap<String, String>,
}

/// A book as it goes into a run.
pub struct BookText<'a> {
    /// Its name, which says how it is written.
    pub path: &'a Path,
    /// The book word for word.
    pub text: &'a str,
    /// The texts of the files that it names.
    pub files: &'a BTreeMap<String, String>,
}

/// Reads and checks a book; its warnings are said. Files that it names stand beside it.
pub fn read_book(path: &Path) -> Result<ReadBook, Failure> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        Failure::input(format!("book `{shown}` cannot be read: {error}"))
            .hint("give the book file with --book")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::input(format!("book `{shown}` is not UTF-8 text: byte {at} begins no character"))
    })?;
    let beside = |name: &str| {
        let folder = path.parent().unwrap_or(Path::new(""));
        match fs::read_to_string(folder.join(name)) {
            // The book of a run has its files in one.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                kept(folder, name).ok_or_else(|| error.to_string())
            }
            read => read.map_err(|error| error.to_string()),
        }
    };
    let parsed = book_file::parse(path, &text, &beside).map_err(|mistakes| {
        Failure::inputs(mistakes.into_iter().map(|mistake| format!("{shown}:{mistake}")).collect())
    })?;
    for warning in parsed.warnings {
        say!("warning: {shown}:{warning}");
    }
    Ok(ReadBook { book: parsed.book, text, files: parsed.files })
}

/// What a run has kept of a file that its book names.
fn kept(folder: &Path, name: &str) -> Option<String> {
    let files: BTreeMap<String, String> =
        serde_json::from_slice(&fs::read(folder.join(BOOK_FILES)).ok()?).ok()?;
    files.get(name).cloned()
}

/// Whether a book may price a cube: they are of one payer.
pub fn check_payer(book: &Book, cube: &Cube) -> Result<(), Failure> {
    match &cube.payer {
        Some(payer) if *payer != book.payer => {
            let problem =
                format!("the cost files are of payer account `{payer}`, the book of `{}`", book.payer);
            Err(Failure::input(problem).hint("check --cost, --book and the book's payer_account_id"))
        }
        _ => Ok(()),
    }
}

/// A month priced under a book, policies included.
pub struct Rated {
    /// What becomes of every class.
    pub card: RateCard,
    /// What custom line items charge, those of policies among them.
    pub charges: Vec<ItemCharge>,
    /// What the policies came to.
    pub derived: Derived,
}

/// Prices a cube under a book, which gets the custom line items that its policies make of the month.
pub fn rate(
    cube: &Cube,
    book: &mut Book,
    prices: &PriceList,
    coverage: Option<&Coverage>,
) -> Result<Rated, Failure> {
    // What was made of the month before is made anew.
    book.items.retain(|item| matches!(item.origin, None | Some(Origin::Sharing)));
    let card = rate_card(cube, book, prices, coverage).map_err(not_priced)?;
    let mut derived = derive(cube, book, &card).map_err(|error| Failure::input(error.to_string()))?;
    book.items.append(&mut derived.items);
    let charges = item_charges(cube, book, &card).map_err(not_priced)?;
    Ok(Rated { card, charges, derived })
}

/// Why a month cannot be priced.
fn not_priced(error: PricingError) -> Failure {
    Failure::input(error.to_string())
}
