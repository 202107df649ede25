//! The fields of an order: each is read, or says why it cannot be.

use super::super::names::PurchaseOrderId;
use super::super::sellers::{EUROPE, SELLERS, is_unknown_of_aws, seller_named};
use super::super::{
    Address, CONTACTS_MAX, Contact, Draft, ID_CHARACTERS_MAX, MARKETPLACE_ID_CHARACTERS_MAX, Problem,
    ProblemKind, Seller, TAGS_MAX, TEXT_CHARACTERS_MAX,
};
use crate::money::Currency;
use crate::period::BillingPeriod;
use std::collections::BTreeSet;

/// How much is asked of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Everything.
    Strict,
    /// What has become illegal since is a warning.
    Lenient,
    /// It has been checked before.
    Kept,
}

/// What has been found so far.
pub(super) struct Reading {
    mode: Mode,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// The currency that an order has already.
    pub currency_before: Option<Currency>,
}

/// The most characters of a tag's key and value.
const TAG_KEY_MAX: usize = 128;
const TAG_VALUE_MAX: usize = 256;

impl Reading {
    pub fn new(mode: Mode) -> Self {
        Self { mode, problems: Vec::new(), warnings: Vec::new(), currency_before: None }
    }

    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What nobody could read.
    pub fn unreadable(
        &mut self,
        kind: ProblemKind,
        field: &str,
        value: &str,
        message: String,
        way_out: &str,
    ) {
        self.problems.push(problem(kind, field, value, message, way_out));
    }

    /// What no new order may have, wherever it comes from.
    pub fn limit(&mut self, kind: ProblemKind, field: &str, value: &str, message: String, way_out: &str) {
        if self.mode != Mode::Kept {
            self.unreadable(kind, field, value, message, way_out);
        }
    }

    /// What AWS's console refuses today and an existing order may have all the same.
    pub fn illegal(&mut self, kind: ProblemKind, field: &str, value: &str, message: String, way_out: &str) {
        match self.mode {
            Mode::Strict => self.unreadable(kind, field, value, message, way_out),
            Mode::Lenient => self.warn(kind, field, value, message, way_out),
            Mode::Kept => {}
        }
    }

    /// What the user should know.
    pub fn warn(&mut self, kind: ProblemKind, field: &str, value: &str, message: String, way_out: &str) {
        self.warnings.push(problem(kind, field, value, message, way_out));
    }

    /// The form of an id.
    pub fn id_form(&mut self, text: &str, marketplace: bool, number_sign: bool) -> Option<PurchaseOrderId> {
        let (field, text) = ("purchaseOrderId", text.trim_matches(' '));
        let length = text.chars().count();
        if text.is_empty() || length > MARKETPLACE_ID_CHARACTERS_MAX {
            let message = format!("a purchase order's id has 1 to 100 characters, and this one has {length}");
            self.unreadable(ProblemKind::IdLength, field, text, message, "shorten it, or give one");
            return None;
        }
        if length > ID_CHARACTERS_MAX && !marketplace {
            let message = format!("a purchase order's id has 1 to 100 characters, and this one has {length}");
            let way_out = "shorten it: only numbers of AWS Marketplace purchases may have 200";
            self.illegal(ProblemKind::IdLength, field, text, message, way_out);
        }
        if let Some(bad) = text.chars().find(|c| !PurchaseOrderId::allows(*c, number_sign)) {
            let message = format!("a purchase order's id cannot have `{}`", bad.escape_default());
            let way_out = match bad {
                '#' => "leave it out, or allow it by the setting `allowNumberSign`",
                _ => "use letters, digits, blanks and `_ . : / = + - % @`",
            };
            self.unreadable(ProblemKind::IdCharacter, field, text, message, way_out);
            return None;
        }
        PurchaseOrderId::parse(text)
    }

    /// A free text.
    pub fn text(&mut self, field: &str, text: Option<&str>) {
        let text = text.unwrap_or_default();
        let length = text.chars().count();
        if length > TEXT_CHARACTERS_MAX {
            let message = format!("`{field}` has {length} characters");
            self.limit(ProblemKind::Text, field, text, message, "at most 1000 are allowed; shorten it");
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let message = format!("`{field}` has control characters");
            self.limit(ProblemKind::Text, field, text, message, "take them out");
        }
    }

    /// The sellers.
    pub fn sellers(&mut self, texts: &[String]) -> BTreeSet<Seller> {
        if texts.is_empty() {
            let message = "a purchase order names no seller".to_owned();
            let way_out = "give the seller of record that invoices you, as `AWS_INC`, or `*` for every one";
            self.unreadable(ProblemKind::BillFromMissing, "billFrom", "", message, way_out);
        }
        let mut sellers = BTreeSet::new();
        for (text, at) in texts.iter().zip(0..) {
            let (field, kept) = (format!("billFrom[{at}]"), self.mode == Mode::Kept);
            let Some(seller) = (if kept { Seller::parse(text) } else { seller_named(text) }) else {
                let message = format!("`{}` is not a seller's code", text.escape_debug());
                let way_out = "a code has 1 to 100 characters without blanks at its ends";
                self.unreadable(ProblemKind::BillFrom, &field, text, message, way_out);
                continue;
            };
            if is_unknown_of_aws(&seller) {
                let message = format!("`{seller}` is none of the sellers of AWS that are known here");
                let codes = SELLERS.map(|seller| seller.code).join(", ");
                let way_out =
                    format!("only invoices that name it in the same letters are matched; known are {codes}");
                self.warn(ProblemKind::SellerUnknown, &field, text, message, &way_out);
            }
            sellers.insert(seller);
        }
        sellers
    }

    /// Tax registration numbers and invoice units.
    pub fn receivers(&mut self, draft: &Draft, bill_from: &BTreeSet<Seller>) {
        let field = "taxRegistrationNumbers";
        let europe = bill_from.iter().any(|seller| seller.as_str() == EUROPE);
        if let Some(first) = draft.tax_registration_numbers.first().filter(|_| !europe) {
            let message =
                format!("tax registration number `{first}` on an order that `{EUROPE}` does not bill");
            let way_out = "add `AWS_EUROPE` to `billFrom`, or leave the tax registration numbers out";
            self.illegal(ProblemKind::TaxRegistrationNumbersSeller, field, first, message, way_out);
        }
        for (text, at) in draft.tax_registration_numbers.iter().zip(0..) {
            if !is_plain(text, 50) {
                let message = format!("`{}` is not a tax registration number", text.escape_debug());
                let way_out = "a number has 1 to 50 characters without blanks at its ends";
                let field = format!("{field}[{at}]");
                self.limit(ProblemKind::TaxRegistrationNumber, &field, text, message, way_out);
            }
        }
        for (text, at) in draft.invoice_units.iter().zip(0..) {
            if !is_plain(text, 256) {
                let message = format!("`{}` is not an invoice unit", text.escape_debug());
                let way_out = "give the unit's ARN";
                self.limit(ProblemKind::InvoiceUnit, &format!("invoiceUnits[{at}]"), text, message, way_out);
            }
        }
    }

    /// Addresses and terms.
    pub fn addresses(&mut self, draft: &Draft) {
        let is_empty = |address: &Option<Address>| address.as_ref().is_none_or(Address::is_empty);
        if is_empty(&draft.ship_to) {
            let message = "a purchase order has no address to ship to".to_owned();
            let way_out = "give `shipTo`; it may be the same as `billTo`";
            self.illegal(ProblemKind::ShipToMissing, "shipTo", "", message, way_out);
        }
        if draft.bill_to.is_some() && is_empty(&draft.bill_to) {
            let message = "`billTo` has nothing in it".to_owned();
            self.limit(ProblemKind::Address, "billTo", "", message, "give the address, or leave it out");
        }
        for (field, address) in [("shipTo", &draft.ship_to), ("billTo", &draft.bill_to)] {
            if let Some(address) = address {
                self.address(field, address);
            }
        }
        self.text("paymentTerms", draft.payment_terms.as_deref());
    }

    fn address(&mut self, field: &str, address: &Address) {
        let parts = [
            ("companyName", &address.company),
            ("districtOrCounty", &address.district),
            ("city", &address.city),
            ("stateOrRegion", &address.state),
            ("postalCode", &address.postal_code),
        ];
        for (name, part) in parts {
            self.text(&format!("{field}.{name}"), part.as_deref());
        }
        for (line, number) in address.lines.iter().zip(1..) {
            self.text(&format!("{field}.addressLine{number}"), Some(line));
        }
        if address.lines.len() > 3 {
            let message = format!("`{field}` has {} address lines", address.lines.len());
            self.limit(ProblemKind::Address, field, "", message, "at most 3 are allowed");
        }
        let country = address.country.as_deref().unwrap_or("XX");
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
            let message = format!("`{}` is not a country", country.escape_debug());
            let way_out = "give the two letters of ISO 3166-1, as `LU`";
            self.limit(ProblemKind::Address, &format!("{field}.countryCode"), country, message, way_out);
        }
    }

    /// The currency.
    pub fn currency(&mut self, text: &str) -> Option<Currency> {
        let currency = Currency::parse(text);
        if currency.is_none() {
            let message = format!("`{}` is not a currency", text.escape_debug());
            let way_out = "give the three letters of ISO 4217, as `USD`";
            self.unreadable(ProblemKind::Currency, "currency", text, message, way_out);
        }
        if let (Some(now), Some(before)) = (currency, self.currency_before.filter(|it| Some(*it) != currency))
        {
            let message = format!("the order's currency is `{before}` and cannot become `{now}`");
            let way_out = "it is frozen when the order is created; create an order in the new currency";
            self.limit(ProblemKind::CurrencyChanged, "currency", text, message, way_out);
        }
        currency
    }

    /// A first and a last month; `None` where one cannot be read.
    pub fn months(
        &mut self,
        (first_field, last_field): (&str, &str),
        (first, last): (&str, &str),
    ) -> Option<(BillingPeriod, BillingPeriod)> {
        let months = (self.month(first_field, first), self.month(last_field, last));
        let (Some(first), Some(last)) = months else { return None };
        if last < first {
            let message = format!("the last month `{last}` lies before the first month `{first}`");
            let way_out = "swap them; both may be the same month";
            self.unreadable(ProblemKind::MonthsReversed, last_field, &last.to_string(), message, way_out);
        }
        Some((first, last))
    }

    fn month(&mut self, field: &str, text: &str) -> Option<BillingPeriod> {
        let month = BillingPeriod::parse(text).ok();
        if month.is_none() {
            let message = format!("`{}` is not a billing period", text.escape_debug());
            let way_out = "write it as YYYY-MM, for example 2026-10";
            self.unreadable(ProblemKind::Month, field, text, message, way_out);
        }
        month
    }

    /// Who is told.
    pub fn contacts(&mut self, contacts: &[Contact]) {
        if contacts.len() > CONTACTS_MAX {
            let message = format!("a purchase order has {} contacts", contacts.len());
            let value = contacts.len().to_string();
            self.limit(ProblemKind::ContactsTooMany, "contacts", &value, message, "at most 20 are allowed");
        }
        for (contact, at) in contacts.iter().zip(0..) {
            self.text(&format!("contacts[{at}].name"), Some(&contact.name));
            self.text(&format!("contacts[{at}].phone"), contact.phone.as_deref());
            if !is_email(&contact.email) {
                let message = format!("`{}` is not an e-mail address", contact.email.escape_debug());
                let field = format!("contacts[{at}].email");
                let way_out = "give one address, as `buyer@example.com`";
                self.limit(ProblemKind::ContactEmail, &field, &contact.email, message, way_out);
            }
        }
    }

    /// The tags.
    pub fn tags(&mut self, tags: &[(String, String)]) {
        if tags.len() > TAGS_MAX {
            let message = format!("a purchase order has {} tags", tags.len());
            let value = tags.len().to_string();
            self.limit(ProblemKind::TagsTooMany, "tags", &value, message, "at most 50 are allowed");
        }
        let mut seen = BTreeSet::new();
        for (key, value) in tags {
            let field = format!("tags[{key}]");
            let long =
                !(1..=TAG_KEY_MAX).contains(&key.chars().count()) || value.chars().count() > TAG_VALUE_MAX;
            if long || key.chars().chain(value.chars()).any(char::is_control) {
                let message = format!("tag `{}` cannot be one", key.escape_debug());
                let way_out =
                    "a key has 1 to 128 characters and a value at most 256, none of them control characters";
                self.limit(ProblemKind::Tag, &field, value, message, way_out);
            } else if key.to_ascii_lowercase().starts_with("aws:") {
                let message = format!("tag `{key}` begins with `aws:`");
                self.limit(
                    ProblemKind::Tag,
                    &field,
                    value,
                    message,
                    "AWS keeps such keys for itself; choose another",
                );
            } else if !seen.insert(key) {
                let message = format!("tag `{key}` is there twice");
                self.limit(ProblemKind::TagTwice, &field, value, message, "leave one of them out");
            }
        }
    }
}

fn problem(kind: ProblemKind, field: &str, value: &str, message: String, way_out: &str) -> Problem {
    Problem { kind, field: field.to_owned(), value: value.to_owned(), message, way_out: way_out.to_owned() }
}

fn is_plain(text: &str, most: usize) -> bool {
    let length = text.chars().count();
    (1..=most).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
}

/// The form that the invoicing API asks of an e-mail address: `[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}`, at most 1,024 characters.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((host, top)) = domain.rsplit_once('.') else { return false };
    let local_fits = local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._%+-".contains(&b));
    let host_fits = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
    let top_fits = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    text.len() <= 1_024 && !local.is_empty() && !host.is_empty() && local_fits && host_fits && top_fits
}
