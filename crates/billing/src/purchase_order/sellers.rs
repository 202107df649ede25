//! AWS's sellers of record: who issues invoices in which country.
//!
//! Source: AWS Billing user guide, "Finding the seller of record". `AWS_INC` and `AWS_EUROPE` are codes that AWS's API documents; it publishes
//! no others, so the rest are ours. AWS adds sellers, therefore an order may name any code, also one that is not here.

use super::Seller;

/// A legal entity that issues AWS's invoices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SellerOfRecord {
    /// Its code in orders and invoices.
    pub code: &'static str,
    /// Its legal name, as it stands on invoices.
    pub legal_name: &'static str,
    /// Whose accounts it invoices.
    pub accounts_in: &'static str,
}

const fn seller(code: &'static str, legal_name: &'static str, accounts_in: &'static str) -> SellerOfRecord {
    SellerOfRecord { code, legal_name, accounts_in }
}

/// The sellers that are known.
pub const SELLERS: [SellerOfRecord; 15] = [
    seller("AWS_AUSTRALIA", "Amazon Web Services Australia Pty Ltd", "Australia"),
    seller("AWS_BRAZIL", "Amazon AWS Serviços Brasil Ltda.", "Brazil"),
    seller("AWS_CANADA", "Amazon Web Services Canada, Inc.", "Canada"),
    seller("AWS_INDIA", "Amazon Web Services India Private Limited", "India"),
    seller("AWS_INDONESIA", "PT Amazon Web Services Indonesia", "Indonesia"),
    seller("AWS_JAPAN", "Amazon Web Services Japan G.K.", "Japan"),
    seller("AWS_MALAYSIA", "Amazon Web Services Malaysia Sdn. Bhd.", "Malaysia"),
    seller("AWS_NEW_ZEALAND", "Amazon Web Services New Zealand Limited", "New Zealand"),
    seller("AWS_SINGAPORE", "Amazon Web Services Singapore Private Limited", "Singapore"),
    seller("AWS_SOUTH_AFRICA", "Amazon Web Services South Africa Proprietary Limited", "South Africa"),
    seller("AWS_KOREA", "Amazon Web Services Korea LLC", "South Korea"),
    seller("AMCS_KOREA", "AMCS Korea LLC", "South Korea, telecom services"),
    seller(
        "AWS_TURKEY",
        "Amazon Web Services Turkey Pazarlama, Teknoloji ve Danışmanlık Hizmetleri Limited Şirketi",
        "Turkey",
    ),
    seller("AWS_EUROPE", "Amazon Web Services EMEA SARL", "EMEA except South Africa and Turkey"),
    seller("AWS_INC", "Amazon Web Services, Inc.", "everywhere else"),
];

/// The only seller whose invoices name the receiver's tax registration number, so that an order may ask for one.
pub(super) const EUROPE: &str = "AWS_EUROPE";

/// The legal name of a seller, where it is known.
#[must_use]
pub fn legal_name(code: &str) -> Option<&'static str> {
    SELLERS.iter().find(|seller| seller.code == code).map(|seller| seller.legal_name)
}

/// The seller that a text names: one of AWS's by its code or its legal name, in letters of either case; else the text is somebody's own code. `None`
/// where it cannot be one.
///
/// Orders and invoices both go by this, so that an order that names a seller as its invoices do takes them.
#[must_use]
pub fn seller_named(text: &str) -> Option<Seller> {
    let is_named = |seller: &&SellerOfRecord| {
        seller.code.eq_ignore_ascii_case(text) || seller.legal_name.eq_ignore_ascii_case(text)
    };
    Seller::parse(SELLERS.iter().find(is_named).map_or(text, |seller| seller.code))
}

/// Whether a code reads as one of AWS's and is none that is known: a mistake, or a seller that AWS has added since.
pub(super) fn is_unknown_of_aws(seller: &Seller) -> bool {
    let first = seller.as_str().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let is_of_aws = ["AWS", "AMCS", "AMAZON"].iter().any(|word| word.eq_ignore_ascii_case(first));
    is_of_aws && legal_name(seller.as_str()).is_none()
}
