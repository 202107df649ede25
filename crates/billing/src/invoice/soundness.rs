//! What no e-invoice may have, whichever the customer: EN 16931's lists of codes, and ids that are there and say nothing.
//!
//! Source: the business rules of EN 16931, release 1.3 (BR-CL-11, BR-CL-14, BR-CL-16, BR-CL-22, BR-CL-25, BR-CO-09, BR-61). Tests hold documents to the
//! rules themselves, and the lists of schemes and exemptions to theirs.

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
/// Schemes of numbers of companies: the codes of ISO 6523.
const COMPANY_SCHEMES: &str = "0002 0003 0004 0005 0006 0007 0008 0009 0010 0011 0012 0013 0014 0015 0016 0017 0018 0019 0020 0021 0022 0023 0024 0025 0026 0027 0028 \
     0029 0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 0040 0041 0042 0043 0044 0045 0046 0047 0048 0049 0050 0051 0052 0053 0054 0055 \
     0056 0057 0058 0059 0060 0061 0062 0063 0064 0065 0066 0067 0068 0069 0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 0080 0081 0082 \
     0083 0084 0085 0086 0087 0088 0089 0090 0091 0093 0094 0095 0096 0097 0098 0099 0100 0101 0102 0104 0105 0106 0107 0108 0109 0110 0111 \
     0112 0113 0114 0115 0116 0117 0118 0119 0120 0121 0122 0123 0124 0125 0126 0127 0128 0129 0130 0131 0132 0133 0134 0135 0136 0137 0138 \
     0139 0140 0141 0142 0143 0144 0145 0146 0147 0148 0149 0150 0151 0152 0153 0154 0155 0156 0157 0158 0159 0160 0161 0162 0163 0164 0165 \
     0166 0167 0168 0169 0170 0171 0172 0173 0174 0175 0176 0177 0178 0179 0180 0183 0184 0185 0186 0187 0188 0189 0190 0191 0192 0193 0194 \
     0195 0196 0197 0198 0199 0200 0201 0202 0203 0204 0205 0206 0207 0208 0209 0210 0211 0212 0213 0214 0215 0216 0217 0218 0219 0220 0221 \
     0222 0223 0224 0225 0226 0227 0228 0229 0230";
/// Why no tax is charged: the list VATEX.
const EXEMPTIONS: &str = "VATEX-EU-79-C VATEX-EU-132 VATEX-EU-132-1A VATEX-EU-132-1B VATEX-EU-132-1C VATEX-EU-132-1D VATEX-EU-132-1E VATEX-EU-132-1F \
     VATEX-EU-132-1G VATEX-EU-132-1H VATEX-EU-132-1I VATEX-EU-132-1J VATEX-EU-132-1K VATEX-EU-132-1L VATEX-EU-132-1M \
     VATEX-EU-132-1N VATEX-EU-132-1O VATEX-EU-132-1P VATEX-EU-132-1Q VATEX-EU-143 VATEX-EU-143-1A VATEX-EU-143-1B VATEX-EU-143-1C \
     VATEX-EU-143-1D VATEX-EU-143-1E VATEX-EU-143-1F VATEX-EU-143-1FA VATEX-EU-143-1G VATEX-EU-143-1H VATEX-EU-143-1I \
     VATEX-EU-143-1J VATEX-EU-143-1K VATEX-EU-143-1L VATEX-EU-309 VATEX-EU-148 VATEX-EU-148-A VATEX-EU-148-B VATEX-EU-148-C \
     VATEX-EU-148-D VATEX-EU-148-E VATEX-EU-148-F VATEX-EU-148-G VATEX-EU-151 VATEX-EU-151-1A VATEX-EU-151-1AA VATEX-EU-151-1B \
     VATEX-EU-151-1C VATEX-EU-151-1D VATEX-EU-151-1E VATEX-EU-G VATEX-EU-O VATEX-EU-IC VATEX-EU-AE VATEX-EU-D VATEX-EU-F \
     VATEX-EU-I VATEX-EU-J";
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
        "the {whose} profile's electronic address has the scheme `{scheme}`; write a code of the list EAS, such as 9930 for a German VAT id \
         or 0088 for a GLN"
    )]
    AddressScheme {
        /// `seller` or `buyer`.
        whose: &'static str,
        /// What is there.
        scheme: String,
    },
    /// A scheme of companies' numbers that is none (BR-CL-11).
    #[error(
        "the {whose} profile's company id has the scheme `{scheme}`; write a code of ISO 6523, such as 0002 for a SIREN or 0088 for a GLN, or \
         leave the scheme empty"
    )]
    CompanyScheme {
        /// `seller` or `buyer`.
        whose: &'static str,
        /// What is there.
        scheme: String,
    },
    /// A code of an exemption that is none (BR-CL-22).
    #[error(
        "the exemption code is `{0}`; write one of the list VATEX, such as VATEX-EU-132, or the reason in words"
    )]
    Exemption(String),
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
    if let Some(SchemedId { scheme, .. }) = &party.company_id
        && !scheme.is_empty()
        && !is_in(COMPANY_SCHEMES, scheme)
    {
        problems.push(Unsound::CompanyScheme { whose, scheme: scheme.clone() });
    }
    problems
}

/// What is wrong with the code of an exemption.
#[must_use]
pub fn exemption_problem(code: &str) -> Option<Unsound> {
    (!is_in(EXEMPTIONS, code)).then(|| Unsound::Exemption(code.to_owned()))
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
    let codes = document.taxes.iter().filter_map(|of| of.exemption_code.as_deref());
    problems.extend(codes.filter_map(exemption_problem));
    problems
}
