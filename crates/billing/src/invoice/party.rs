//! Who sells and who buys, and how to pay: profiles that are copied into a document when it is issued.

/// The seller or the buyer, as the document names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// The name in the register (BT-27, BT-44).
    pub legal_name: String,
    /// The name under which it trades, where that is another (BT-28, BT-45).
    pub trading_name: Option<String>,
    /// Where it is (BG-5, BG-8).
    pub address: Address,
    /// Its tax registrations: a VAT id has the scheme `VAT` (BT-31, BT-48), any other is local (BT-32).
    pub tax_registrations: Vec<SchemedId>,
    /// Its number in a register of companies; the scheme is a code of ISO 6523, or empty (BT-30, BT-47).
    pub company_id: Option<SchemedId>,
    /// Where e-invoices reach it; the scheme is a code of the list EAS, such as `0088` or `9930` (BT-34, BT-49).
    pub electronic_address: Option<SchemedId>,
    /// More that the law wants said, such as share capital (BT-33); of a seller only.
    pub legal_information: Option<String>,
    /// Whom to ask (BG-6, BG-9).
    pub contact: Option<Contact>,
}

impl Party {
    /// The VAT id, if there is one.
    #[must_use]
    pub fn vat_id(&self) -> Option<&str> {
        let vat_id = self.tax_registrations.iter().find(|id| id.scheme == VAT && !is_blank(&id.id));
        vat_id.map(|id| id.id.as_str())
    }

    /// Whether it has a number in a register of companies.
    #[must_use]
    pub fn has_company_id(&self) -> bool {
        self.company_id.as_ref().is_some_and(|id| !is_blank(&id.id))
    }
}

/// Whether nothing of a text can be seen: it is empty, or of blanks, control characters and marks that documents leave out.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// Marks that are not seen and that documents leave out: soft hyphens, byte order marks, and what turns the direction of what follows.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The scheme of a VAT id.
pub const VAT: &str = "VAT";

/// An identifier with the scheme that it is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemedId {
    /// The scheme; empty where none is known.
    pub scheme: String,
    /// The identifier.
    pub id: String,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// Street and number, and up to two more lines (BT-35, BT-36, BT-162).
    pub lines: Vec<String>,
    /// The city (BT-37).
    pub city: Option<String>,
    /// The postal code (BT-38).
    pub postal_code: Option<String>,
    /// The state, province or region (BT-39).
    pub subdivision: Option<String>,
    /// The country, two letters of ISO 3166-1 (BT-40).
    pub country: String,
}

/// Whom to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// A person or a department (BT-41).
    pub name: Option<String>,
    /// The telephone (BT-42).
    pub telephone: Option<String>,
    /// The e-mail address (BT-43).
    pub email: Option<String>,
}

/// How to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentInstructions {
    /// The means, as a code of UNTDID 4461: `30` credit transfer, `58` SEPA credit transfer (BT-81).
    pub means_code: String,
    /// What to write with the payment (BT-83).
    pub remittance: Option<String>,
    /// Where to pay (BG-17).
    pub accounts: Vec<BankAccount>,
}

/// A bank account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// The IBAN, or the number of the account (BT-84).
    pub id: String,
    /// In whose name it is (BT-85).
    pub name: Option<String>,
    /// The BIC, or another number of the bank (BT-86).
    pub bank: Option<String>,
}
