//! The names in an order: its id, the numbers of its lines, sellers of record.

use super::MARKETPLACE_ID_CHARACTERS_MAX;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A newtype of a text that has passed its `parse`.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

text_type! {
    /// The buyer's own number of an order: case-sensitive, without blanks at its ends.
    PurchaseOrderId
}

impl PurchaseOrderId {
    /// Whether a character may stand in an id. AWS's list leaves digits out, which all its examples use, and `#`, which one example uses:
    /// digits are allowed, `#` only where the settings say so.
    #[must_use]
    pub const fn allows(character: char, number_sign: bool) -> bool {
        character.is_ascii_alphanumeric()
            || matches!(character, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '%' | '@')
            || (number_sign && character == '#')
    }

    /// The id as the user wrote it, blanks at its ends taken off; `None` where it is empty, longer than any id, or holds a character that no
    /// setting allows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        let fits = (1..=MARKETPLACE_ID_CHARACTERS_MAX).contains(&text.len());
        (fits && text.chars().all(|c| Self::allows(c, true))).then(|| Self(text.into()))
    }
}

text_type! {
    /// The number of a line: unique in its order, as `1` or `1.2`.
    LineNumber
}

/// Characters of a line's number.
const NUMBER_CHARACTERS_MAX: usize = 50;

impl LineNumber {
    /// The number as the user wrote it, blanks at its ends taken off; `None` where it is empty, longer than 50 characters or holds a control
    /// character.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=NUMBER_CHARACTERS_MAX).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.into()))
    }

    /// A whole number as a line's number.
    #[must_use]
    pub fn of(number: usize) -> Self {
        Self(number.to_string().into())
    }

    /// The order in which a person lists numbers: `2` before `10`, `1.2` before `1.10`. Different numbers are never equal in it.
    #[must_use]
    pub fn natural_order(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (&*self.0, &*other.0);
        while !a.is_empty() && !b.is_empty() {
            let ((run_a, rest_a), (run_b, rest_b)) = (first_run(a), first_run(b));
            let order = match (is_number(run_a), is_number(run_b)) {
                (true, true) => {
                    let (x, y) = (run_a.trim_start_matches('0'), run_b.trim_start_matches('0'));
                    x.len().cmp(&y.len()).then_with(|| x.cmp(y))
                }
                _ => run_a.cmp(run_b),
            };
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
        }
        a.len().cmp(&b.len()).then_with(|| self.0.cmp(&other.0))
    }
}

fn is_number(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

/// The digits, or the characters other than digits, that a text begins with; and the rest.
fn first_run(text: &str) -> (&str, &str) {
    let digits = is_number(text);
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len()))
}

text_type! {
    /// A seller of record by its code, as `AWS_INC`; free text, because AWS adds sellers and an operator has its own.
    Seller
}

/// Characters of a seller's code.
const SELLER_CHARACTERS_MAX: usize = 100;

impl Seller {
    /// The code as written; `None` where it is empty, has blanks at its ends, is longer than 100 characters or holds a control character.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=SELLER_CHARACTERS_MAX).contains(&text.chars().count()) && text.trim() == text;
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.into()))
    }

    /// Whether this is `*`, every seller.
    #[must_use]
    pub fn is_any(&self) -> bool {
        &*self.0 == "*"
    }
}
