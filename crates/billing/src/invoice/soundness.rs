//! What no e-invoice may have, whichever the customer: EN 16931's lists of codes, and ids that are there and say nothing.
//!
//! Source: the business rules of EN 16931, release 1.3 (BR-CL-14, BR-CL-16, BR-CL-25, BR-CO-09, BR-61). Tests hold documents to the rules themselves.

use super::Invoice;
use super::party::{Party, PaymentInstructions, SchemedId, VAT, is_blank};

/// Countries of ISO 3166-1, and the two that the norm has besides: Kosovo (`1A`) and Northern Ireland (`XI`).
const COUNTRIES: &str = "1A AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
     CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH \
     GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB \
     LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM \
     PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
     TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XI YE YT ZA ZM ZW";
/// What Greece writes before its VAT ids.
const GREEK_PREFIX: &str = "EL";
/// Schemes of electronic addresses: the list EAS.
const ADDRESS_SCHEMES: &str = "0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0170 0183 0184 0188 0190 0191 0192 0193 \
     0194 0195 0196 0198 0199 0200 0201 0202 0203 0204 0205 0208 0209 0210 0211 0212 0213 0215 0216 0217 0218 0219 0220 0221 0225 0230 9901 \
     9910 9913 9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940 9941 \
     9942 9943 9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959 AN AQ AS AU EM";
/// Means of payment of UNTDID 4461 beside the numbers 1 to 70.
const OTHER_MEANS: &str = "74 75 76 77 78 91 92 93 94 95 96 97 ZZZ";
/// Credit transfers: they need an account (BR-61).
const CREDIT_TRANSFERS: [&str; 2] = ["30", "58"];

/// What no e-invoice may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// A text that is there, and in which nothing can be seen.
    #[error("the {whose} profile's {what} is blank; write it, or leave it out")]
    Blank {
        /// `seller` or `buyer`.
        whose: &'static str,
        /// Of what.
        what: &'static str,
    },
    /// A country that is none (BR-CL-14).
    #[error("the {whose} profile's country is `{country}`; write the two letters of ISO 3166-1, such as DE")]
    Country {
        /// `seller` or `buyer`.
        whose: &'static str,
        /// What is there.
        country: String,
    },
    /// A VAT id that does not say of which country it is (BR-CO-09).
    #[error(
        "the {whose} profile's VAT id is `{id}`; write its country before it, as in DE123456789, or give it another scheme than VAT"
    )]
    VatId {
        /// `seller` or `buyer`.
        whose: &'static str,
        /// What is there.
        id: String,
    },
    /// A scheme of electronic addresses that is none (BR-CL-25).
    #[error(
        "the {whose} profile's electronic address has the scheme `{scheme}`; write a code of the list EAS, such as EM for e-mail or 0088 \
         for a GLN"
    )]
    AddressScheme {
        /// `seller` or `buyer`.
        whose: &'static str,
        /// What is there.
        scheme: String,
    },
    /// A means of payment that is none (BR-CL-16).
    #[error(
        "the means of payment is `{0}`; write a code of UNTDID 4461, such as 30 for a credit transfer or 58 for SEPA"
    )]
    Means(String),
    /// A credit transfer to nowhere (BR-61).
    #[error(
        "the means of payment is a credit transfer (`{0}`), which needs an account; add one with its `id`"
    )]
    NoAccount(String),
}

fn is_in(list: &str, code: &str) -> bool {
    list.split_ascii_whitespace().any(|of| of == code)
}

/// What a party may not have. What it does not have is none of this: others' settings may say it.
#[must_use]
pub fn party_problems(whose: &'static str, party: &Party) -> Vec<Unsound> {
    let is_unseen = |id: &SchemedId| is_blank(&id.id);
    let named_unseen = |name: &String| !name.is_empty() && is_blank(name);
    let blanks = [
        ("legal name", named_unseen(&party.legal_name)),
        ("trading name", party.trading_name.as_ref().is_some_and(named_unseen)),
        ("tax registration", party.tax_registrations.iter().any(is_unseen)),
        ("company id", party.company_id.as_ref().is_some_and(is_unseen)),
        ("electronic address", party.electronic_address.as_ref().is_some_and(is_unseen)),
    ];
    let blank = blanks.into_iter().filter(|(_, is_there)| *is_there);
    let mut problems: Vec<Unsound> = blank.map(|(what, _)| Unsound::Blank { whose, what }).collect();
    let country = &party.address.country;
    if !country.is_empty() && !is_in(COUNTRIES, country) {
        problems.push(Unsound::Country { whose, country: country.clone() });
    }
    let prefix = |id: &str| id.get(..2).is_some_and(|of| of == GREEK_PREFIX || is_in(COUNTRIES, of));
    if let Some(id) = party.vat_id().filter(|id| !prefix(id)) {
        problems.push(Unsound::VatId { whose, id: id.to_owned() });
    }
    if let Some(SchemedId { scheme, .. }) = &party.electronic_address
        && !is_in(ADDRESS_SCHEMES, scheme)
    {
        problems.push(Unsound::AddressScheme { whose, scheme: scheme.clone() });
    }
    problems
}

/// What instructions to pay may not have.
#[must_use]
pub fn payment_problems(payment: &PaymentInstructions) -> Vec<Unsound> {
    let code = &payment.means_code;
    let is_numbered =
        !code.starts_with(['0', '+']) && code.parse().is_ok_and(|number: u8| (1..=70).contains(&number));
    if !is_numbered && !is_in(OTHER_MEANS, code) {
        return vec![Unsound::Means(code.clone())];
    }
    let has_account = payment.accounts.iter().any(|account| !is_blank(&account.id));
    if CREDIT_TRANSFERS.contains(&code.as_str()) && !has_account {
        return vec![Unsound::NoAccount(code.clone())];
    }
    Vec::new()
}

/// What a document has that no e-invoice may have.
#[must_use]
pub fn problems(document: &Invoice) -> Vec<Unsound> {
    let mut buyer = document.buyer.clone();
    // Of a buyer, local registrations stand in no e-invoice.
    buyer.tax_registrations.retain(|id| id.scheme == VAT);
    let mut problems = party_problems("seller", &document.seller);
    problems.extend(party_problems("buyer", &buyer));
    problems.extend(document.payment.iter().flat_map(payment_problems));
    problems
}
