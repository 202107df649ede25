//! What Peppol BIS Billing 3.0 wants of sellers in single countries: those rules that a profile breaks easily. What is not looked at here, the access
//! point of the receiver checks.
//!
//! Source: <https://docs.peppol.eu/poacc/billing/3.0/rules/>, the national rules of Denmark, the Netherlands, Norway and Sweden.

use crate::e_invoice::{is_credit_note, said};
use billing::invoice::{Invoice, Party, TaxCategory};

/// The digits of a Norwegian organization number, by which its last digit is checked.
const NORWEGIAN_WEIGHTS: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];
/// The means of payment of the Netherlands.
const DUTCH_MEANS: [&str; 6] = ["30", "48", "49", "57", "58", "59"];
/// Sweden's rates of VAT.
const SWEDISH_RATES: [&str; 3] = ["6", "12", "25"];

/// The first thing that the rules of the seller's country miss, with its rule and where to set it.
pub fn missing(invoice: &Invoice) -> Option<String> {
    match invoice.seller.address.country.as_str() {
        "DK" => danish(invoice),
        "NL" => dutch(invoice),
        "NO" => norwegian(invoice),
        "SE" => swedish(invoice),
        _ => None,
    }
}

fn danish(invoice: &Invoice) -> Option<String> {
    let id = invoice.seller.company_id.as_ref();
    match id {
        None => Some(
            "a seller in Denmark has a CVR number; set `company_id` with the scheme 0184 in the seller's profile (DK-R-002)".to_owned(),
        ),
        Some(id) if id.scheme != "0184" => Some(format!(
            "a seller in Denmark has a CVR number; its company id `{}` has the scheme `{}`, set 0184 (DK-R-014)",
            id.id, id.scheme
        )),
        Some(_) => None,
    }
}

fn dutch(invoice: &Invoice) -> Option<String> {
    let both = [("seller", &invoice.seller), ("buyer", &invoice.buyer)];
    for (whose, party) in both.into_iter().filter(|(_, party)| party.address.country == "NL") {
        let has_kvk =
            party.company_id.as_ref().is_some_and(|id| ["0106", "0190"].contains(&id.scheme.as_str()));
        if !has_kvk {
            return Some(format!(
                "a {whose} in the Netherlands has a KVK or OIN number; set `company_id` with the scheme 0106 or 0190 in the {whose}'s profile \
                 (NL-R-003, NL-R-005)"
            ));
        }
        if !is_dutch_address(party) {
            return Some(format!(
                "a {whose} in the Netherlands has a street, a city and a postal code; set them in the {whose}'s profile (NL-R-002, NL-R-004)"
            ));
        }
    }
    let means = invoice.payment.as_ref().map(|payment| payment.means_code.as_str());
    if !is_credit_note(invoice) && invoice.totals.due.units() > 0 && means.is_none() {
        return Some("a seller in the Netherlands says how to pay; set `payment` (NL-R-007)".to_owned());
    }
    let means = means.filter(|code| !DUTCH_MEANS.contains(code))?;
    Some(format!(
        "the means of payment is `{means}`; of a seller in the Netherlands it is one of {} (NL-R-008)",
        DUTCH_MEANS.join(", ")
    ))
}

fn is_dutch_address(party: &Party) -> bool {
    let address = &party.address;
    [address.lines.first(), address.city.as_ref(), address.postal_code.as_ref()]
        .into_iter()
        .all(|text| said(text).is_some())
}

fn norwegian(invoice: &Invoice) -> Option<String> {
    let id = invoice.seller.vat_id()?;
    let number = id.strip_prefix("NO").and_then(|rest| rest.strip_suffix("MVA")).unwrap_or_default();
    (!is_norwegian_number(number)).then(|| {
        format!(
            "a seller in Norway has a VAT id of NO, its organization number and MVA, as in NO995525828MVA; `{id}` is none, set it in the seller's \
             profile (NO-R-001)"
        )
    })
}

/// Nine digits, the last of which checks the others (modulo 11).
fn is_norwegian_number(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let Some([first @ .., last]) = digits.as_deref().filter(|digits| digits.len() == 9) else { return false };
    let sum: u32 = first.iter().zip(NORWEGIAN_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 11 == *last
}

fn swedish(invoice: &Invoice) -> Option<String> {
    let seller = &invoice.seller;
    if let Some(id) = seller.vat_id().filter(|id| id.starts_with("SE")) {
        let is_one = id.len() == 14 && id[2..].bytes().all(|b| b.is_ascii_digit());
        if !is_one {
            return Some(format!(
                "a Swedish VAT id is SE and twelve digits; `{id}` is none, set it in the seller's profile (SE-R-001, SE-R-002)"
            ));
        }
    }
    if let Some(id) = &seller.company_id {
        let is_one = id.id.len() == 10 && id.id.bytes().all(|b| b.is_ascii_digit());
        if !is_one {
            return Some(format!(
                "a Swedish organization number has ten digits; `{}` has not, set it in the seller's profile (SE-R-003, SE-R-004)",
                id.id
            ));
        }
    }
    let standard = invoice.taxes.iter().map(|of| of.tax).filter(|tax| tax.category == TaxCategory::Standard);
    let other =
        standard.map(|tax| tax.rate.to_string()).find(|rate| !SWEDISH_RATES.contains(&rate.as_str()))?;
    (seller.vat_id().is_some_and(|id| id.starts_with("SE"))).then(|| {
        format!("Swedish VAT is at 6, 12 or 25 %, and the document has {other} %; correct the tax rules (SE-R-006)")
    })
}

#[cfg(test)]
mod tests {
    //! What a seller's country wants, and the field that is to be set.

    use super::*;
    use billing::invoice::SchemedId;

    fn of(country: &str, vat_id: &str, company_id: Option<(&str, &str)>) -> Invoice {
        let sample = include_bytes!("../../../fixtures/invoices/standard.json");
        let mut invoice = invoice_file::document::read(sample).unwrap();
        let id = |(scheme, id): (&str, &str)| SchemedId { scheme: scheme.to_owned(), id: id.to_owned() };
        invoice.seller.address.country = country.to_owned();
        invoice.seller.tax_registrations = vec![id(("VAT", vat_id))];
        invoice.seller.company_id = company_id.map(id);
        invoice
    }

    #[test]
    fn the_rule_of_the_sellers_country_is_named() {
        for (country, vat_id, company_id, rule) in [
            ("DK", "DK12345678", None, "DK-R-002"),
            ("DK", "DK12345678", Some(("0106", "12345678")), "DK-R-014"),
            ("NL", "NL123456789B01", None, "NL-R-003"),
            ("NO", "NO995525828", None, "NO-R-001"),
            ("NO", "NO995525827MVA", None, "NO-R-001"),
            ("SE", "SE5560360793", None, "SE-R-001"),
            ("SE", "SE556036079301", Some(("0007", "556036-0793")), "SE-R-003"),
        ] {
            let said = missing(&of(country, vat_id, company_id)).unwrap();
            assert!(said.contains(rule), "{country} {vat_id}: {said}");
        }
        let said = missing(&of("SE", "SE556036079301", None)).unwrap();
        assert!(said.starts_with("Swedish VAT is at 6, 12 or 25 %"), "{said}");
        for (country, vat_id, company_id) in [
            ("DK", "DK12345678", Some(("0184", "12345678"))),
            ("NO", "NO995525828MVA", None),
            ("DE", "DE123456789", None),
        ] {
            assert_eq!(missing(&of(country, vat_id, company_id)), None, "{country}");
        }
    }
}
