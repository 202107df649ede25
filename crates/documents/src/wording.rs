//! The document's own words, dates and numbers in its language.
//!
//! English, German, French and Spanish are built in. The operator can say any word otherwise, in any language
//! (`texts` of the design, by the keys of this table); a language without words of its own has the English ones.

use crate::Error;
use billing::invoice::party::is_blank;
use billing::invoice::{Date, DateRange, Invoiced, TaxCategory};
use std::collections::BTreeMap;

macro_rules! words {
    ($($(#[$doc:meta])* $word:ident $key:literal: $en:literal, $de:literal, $fr:literal, $es:literal;)*) => {
        /// A word, or a few, that documents say.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Word { $($(#[$doc])* $word,)* }

        /// Every word with the key under which an operator can say it otherwise, and in English, German, French and Spanish.
        const WORDS: &[(Word, &str, [&str; 4])] = &[$((Word::$word, $key, [$en, $de, $fr, $es]),)*];
    };
}

words! {
    Invoice "invoice": "Invoice", "Rechnung", "Facture", "Factura";
    CreditNote "credit_note": "Credit note", "Rechnungskorrektur", "Avoir", "Factura rectificativa";
    Number "number": "Number", "Nummer", "Numéro", "Número";
    Issued "issued": "Date of issue", "Rechnungsdatum", "Date d’émission", "Fecha de emisión";
    Due "due": "Due date", "Zahlbar bis", "Échéance", "Vencimiento";
    Period "period": "Billing period", "Leistungszeitraum", "Période", "Periodo";
    PurchaseOrder "purchase_order": "Purchase order", "Bestellnummer", "Bon de commande", "Orden de compra";
    BuyerReference "buyer_reference": "Your reference", "Ihre Referenz", "Votre référence", "Su referencia";
    Contract "contract": "Contract", "Vertrag", "Contrat", "Contrato";
    Preceding "preceding": "Corrects invoice", "Korrigiert Rechnung", "Rectifie la facture", "Rectifica la factura";
    From "from": "From", "Von", "De", "De";
    BillTo "bill_to": "Bill to", "Rechnung an", "Facturé à", "Facturar a";
    Details "details": "Details", "Angaben", "Détails", "Datos";
    VatId "vat_id": "VAT ID", "USt-IdNr.", "N° TVA", "NIF-IVA";
    TaxNumber "tax_number": "Tax number", "Steuernummer", "N° fiscal", "Número fiscal";
    CompanyId "company_id": "Company no.", "Register-Nr.", "N° d’immatriculation", "Registro mercantil";
    AmountDue "amount_due": "Amount due", "Zahlbetrag", "Montant dû", "Importe a pagar";
    AmountCredited "amount_credited": "Amount credited", "Gutschriftbetrag", "Montant crédité", "Importe abonado";
    Lines "lines": "Charges", "Positionen", "Détail des prestations", "Detalle";
    Position "position": "No.", "Pos.", "N°", "N.º";
    Description "description": "Description", "Beschreibung", "Désignation", "Descripción";
    Quantity "quantity": "Quantity", "Menge", "Quantité", "Cantidad";
    UnitPrice "unit_price": "Unit price", "Einzelpreis", "Prix unitaire", "Precio unitario";
    Tax "tax": "Tax", "USt.", "TVA", "IVA";
    Amount "amount": "Amount", "Betrag", "Montant", "Importe";
    Account "account": "Account", "Konto", "Compte", "Cuenta";
    PurchaseOrderLine "purchase_order_line": "PO line", "Bestellposition", "Ligne de commande", "Línea de pedido";
    CarriedForward "carried_forward": "Carried forward", "Übertrag", "À reporter", "Suma y sigue";
    BroughtForward "brought_forward": "Brought forward", "Übertrag", "Report", "Suma anterior";
    Totals "totals": "Totals", "Summen", "Totaux", "Totales";
    SumOfLines "sum_of_lines": "Sum of lines", "Summe der Positionen", "Total des lignes", "Suma de líneas";
    Net "net": "Total before tax", "Nettobetrag", "Total HT", "Total sin impuestos";
    Gross "gross": "Total with tax", "Bruttobetrag", "Total TTC", "Total con impuestos";
    Prepaid "prepaid": "Already paid", "Bereits bezahlt", "Déjà réglé", "Ya pagado";
    Rounding "rounding": "Rounding", "Rundung", "Arrondi", "Redondeo";
    TaxBreakdown "tax_breakdown": "Tax by category and rate", "Steuer nach Kategorie und Satz", "TVA par catégorie et taux",
        "Impuestos por categoría y tipo";
    Category "category": "Category", "Kategorie", "Catégorie", "Categoría";
    Rate "rate": "Rate", "Satz", "Taux", "Tipo";
    Taxable "taxable": "Taxable amount", "Bemessungsgrundlage", "Base HT", "Base imponible";
    StandardRate "standard_rate": "Taxed", "Steuerpflichtig", "Imposable", "Sujeto";
    ZeroRate "zero_rate": "Zero rate", "Nullsatz", "Taux zéro", "Tipo cero";
    Exempt "exempt": "Exempt", "Steuerbefreit", "Exonéré", "Exento";
    ReverseCharge "reverse_charge": "Reverse charge", "Steuerschuldnerschaft des Leistungsempfängers", "Autoliquidation",
        "Inversión del sujeto pasivo";
    IntraCommunity "intra_community": "Intra-community supply", "Innergemeinschaftliche Leistung",
        "Livraison intracommunautaire", "Operación intracomunitaria";
    Export "export": "Export", "Ausfuhr", "Exportation", "Exportación";
    OutsideScope "outside_scope": "Outside the scope of tax", "Nicht steuerbar", "Hors champ de la TVA", "No sujeto";
    Exchange "exchange": "Exchange rate", "Wechselkurs", "Taux de change", "Tipo de cambio";
    TaxIn "tax_in": "Tax in", "Steuer in", "TVA en", "Impuesto en";
    Payment "payment": "Payment", "Zahlung", "Paiement", "Pago";
    PaymentAccount "payment_account": "Account (IBAN)", "Konto (IBAN)", "Compte (IBAN)", "Cuenta (IBAN)";
    PaymentHolder "payment_holder": "Account holder", "Kontoinhaber", "Titulaire", "Titular";
    PaymentBank "payment_bank": "Bank (BIC)", "Bank (BIC)", "Banque (BIC)", "Banco (BIC)";
    Remittance "remittance": "Payment reference", "Verwendungszweck", "Référence de paiement", "Concepto";
    Terms "terms": "Terms", "Bedingungen", "Conditions", "Condiciones";
    Notes "notes": "Notes", "Hinweise", "Remarques", "Notas";
    /// `{page}` and `{pages}` stand for the numbers.
    Page "page": "Page {page} of {pages}", "Seite {page} von {pages}", "Page {page} sur {pages}", "Página {page} de {pages}";
}

/// The words, dates and numbers of one language.
#[derive(Debug, Clone)]
pub struct Wording {
    /// The column of [`WORDS`].
    column: usize,
    /// What the operator says otherwise.
    texts: BTreeMap<String, String>,
    group: &'static str,
    decimal: &'static str,
    months: Option<&'static [&'static str; 12]>,
    right_to_left: bool,
}

/// The keys of all words, for an operator's texts.
pub fn keys() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(_, key, _)| *key)
}

/// What has to stand in a word: pages are known by their numbers.
const IN_WORDS: [(&str, &str); 2] = [("page", "{page}"), ("page", "{pages}")];

/// Refuses words that would leave a document without what it has to say.
///
/// # Errors
/// [`Error::EmptyWord`], [`Error::WordWithoutNumber`].
pub fn sound(texts: &BTreeMap<String, String>) -> Result<(), Error> {
    if let Some((key, _)) = texts.iter().find(|(_, text)| is_blank(text)) {
        return Err(Error::EmptyWord(key.clone()));
    }
    for (key, missing) in IN_WORDS {
        if let Some(text) = texts.get(key).filter(|text| !text.contains(missing)) {
            return Err(Error::WordWithoutNumber { key, text: text.clone(), missing });
        }
    }
    Ok(())
}

impl Wording {
    /// The wording of a language, given as a BCP 47 tag, with what the operator says otherwise.
    #[must_use]
    pub fn new(language: &str, texts: &BTreeMap<String, String>) -> Self {
        let tag = language.to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or_default();
        let column = ["en", "de", "fr", "es"].iter().position(|known| *known == primary);
        let (group, decimal) = match (primary, tag.as_str()) {
            (_, "de-ch" | "fr-ch" | "it-ch" | "de-li") => ("\u{2019}", "."),
            (_, "es-mx" | "es-us") => (",", "."),
            ("de" | "es" | "it" | "nl" | "pt" | "da" | "el" | "tr" | "id" | "ro" | "hr" | "sl", _) => {
                (".", ",")
            }
            (
                "fr" | "pl" | "cs" | "sk" | "ru" | "uk" | "sv" | "nb" | "nn" | "no" | "fi" | "hu" | "bg"
                | "et" | "lv" | "lt",
                _,
            ) => ("\u{a0}", ","),
            _ => (",", "."),
        };
        Self {
            column: column.unwrap_or(0),
            texts: texts.clone(),
            group,
            decimal,
            months: column.map(|at| &MONTHS[at]),
            right_to_left: matches!(
                primary,
                "ar" | "dv" | "fa" | "he" | "iw" | "ps" | "sd" | "ug" | "ur" | "yi"
            ),
        }
    }

    /// Whether the language is written from right to left.
    #[must_use]
    pub const fn right_to_left(&self) -> bool {
        self.right_to_left
    }

    /// A word.
    #[must_use]
    pub fn word(&self, word: Word) -> &str {
        // Every word has its row: the table and the type are one list.
        let row = WORDS.iter().find(|(listed, _, _)| *listed == word);
        let (key, texts) = row.map_or(("", ["", "", "", ""]), |(_, key, texts)| (*key, *texts));
        self.texts.get(key).map_or(texts[self.column], String::as_str)
    }

    /// The name of a tax category.
    #[must_use]
    pub fn category(&self, category: TaxCategory) -> &str {
        self.word(match category {
            TaxCategory::Standard => Word::StandardRate,
            TaxCategory::Zero => Word::ZeroRate,
            TaxCategory::Exempt => Word::Exempt,
            TaxCategory::ReverseCharge => Word::ReverseCharge,
            TaxCategory::IntraCommunity => Word::IntraCommunity,
            TaxCategory::Export => Word::Export,
            TaxCategory::OutsideScope => Word::OutsideScope,
        })
    }

    /// A day: `5 November 2026`, or `2026-11-05` in a language whose months are not known here.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        let Some(months) = self.months else { return date.to_string() };
        let month = date.month();
        let name = months[usize::from(month.month()) - 1];
        let day = date.days() - Date::first_of(month).days() + 1;
        match self.column {
            1 => format!("{day}. {name} {}", month.year()),
            3 => format!("{day} de {name} de {}", month.year()),
            _ => format!("{day} {name} {}", month.year()),
        }
    }

    /// A span of days; a whole month by its name.
    #[must_use]
    pub fn dates(&self, range: DateRange) -> String {
        let month = range.from.month();
        let whole = range.from == Date::first_of(month) && range.to == Date::last_of(month);
        match self.months {
            Some(months) if whole => {
                let of = if self.column == 3 { " de" } else { "" };
                format!("{}{of} {}", months[usize::from(month.month()) - 1], month.year())
            }
            _ if range.from == range.to => self.date(range.from),
            _ => format!("{} \u{2013} {}", self.date(range.from), self.date(range.to)),
        }
    }

    /// An amount without its currency: `-1,234.50`.
    #[must_use]
    pub fn amount(&self, amount: Invoiced) -> String {
        self.number(&amount.to_string())
    }

    /// An amount with its currency, on one line: `EUR 1,234.50`, or `1.234,50 EUR`.
    #[must_use]
    pub fn money(&self, amount: Invoiced) -> String {
        let (number, currency) = (self.amount(amount), amount.currency());
        if self.decimal == "." {
            format!("{currency}\u{a0}{number}")
        } else {
            format!("{number}\u{a0}{currency}")
        }
    }

    /// Plain digits as the language writes them; no digit is added or lost.
    #[must_use]
    pub fn number(&self, digits: &str) -> String {
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
        let (whole, fraction) =
            digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        let mut text = sign.to_owned();
        for (at, digit) in whole.char_indices() {
            // Three by three from the right; four digits stay together in no language here.
            if at > 0 && (whole.len() - at) % 3 == 0 {
                text.push_str(self.group);
            }
            text.push(digit);
        }
        if let Some(fraction) = fraction {
            text.push_str(self.decimal);
            text.push_str(fraction);
        }
        text
    }

    /// A rate of tax: `20 %`.
    #[must_use]
    pub fn percent(&self, digits: &str) -> String {
        format!("{}\u{a0}%", self.number(digits))
    }

    /// `Page 1 of 3`.
    #[must_use]
    pub fn page(&self, page: usize, pages: usize) -> String {
        self.word(Word::Page).replace("{page}", &page.to_string()).replace("{pages}", &pages.to_string())
    }
}

const MONTHS: [[&str; 12]; 4] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
];

/// The sign of a unit of UN/ECE Recommendation 20 that a reader knows; nothing for pieces, the code itself for the rest.
#[must_use]
pub fn unit(code: &str) -> &str {
    match code {
        "C62" | "EA" | "H87" | "1" | "ZZ" => "",
        "HUR" => "h",
        "MIN" => "min",
        "SEC" => "s",
        "KWH" => "kWh",
        "2P" => "kB",
        "4L" => "MB",
        "E34" => "GB",
        "E35" => "TB",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    //! Languages, and an operator's own words.

    use super::*;
    use billing::money::Currency;

    fn wording(language: &str) -> Wording {
        Wording::new(language, &BTreeMap::new())
    }

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn numbers_and_days_are_as_the_language_writes_them() {
        let amount = Invoiced::parse(Currency::parse("EUR").unwrap(), "-1234567.8").unwrap();
        let cases = [
            ("en", "EUR\u{a0}-1,234,567.80", "5 November 2026", "October 2026"),
            ("de-AT", "-1.234.567,80\u{a0}EUR", "5. November 2026", "Oktober 2026"),
            ("de-CH", "EUR\u{a0}-1\u{2019}234\u{2019}567.80", "5. November 2026", "Oktober 2026"),
            ("fr", "-1\u{a0}234\u{a0}567,80\u{a0}EUR", "5 novembre 2026", "octobre 2026"),
            ("es", "-1.234.567,80\u{a0}EUR", "5 de noviembre de 2026", "octubre de 2026"),
            ("he", "EUR\u{a0}-1,234,567.80", "2026-11-05", "2026-10-01 \u{2013} 2026-10-31"),
        ];
        for (language, money, date, month) in cases {
            let wording = wording(language);
            let october = DateRange { from: day("2026-10-01"), to: day("2026-10-31") };
            let said = (wording.money(amount), wording.date(day("2026-11-05")), wording.dates(october));
            assert_eq!(said, (money.to_owned(), date.to_owned(), month.to_owned()), "{language}");
        }
        assert_eq!(wording("en").number("999"), "999");
        assert_eq!(wording("en").number("1000.0001"), "1,000.0001");
        assert!(wording("ar-EG").right_to_left() && !wording("en").right_to_left());
    }

    #[test]
    fn an_operator_says_a_word_otherwise() {
        let texts = BTreeMap::from([("invoice".to_owned(), "חשבונית".to_owned())]);
        let wording = Wording::new("he", &texts);
        assert_eq!((wording.word(Word::Invoice), wording.word(Word::Due)), ("חשבונית", "Due date"));
        assert_eq!(wording.page(2, 3), "Page 2 of 3");
    }

    #[test]
    fn every_key_is_there_once_and_every_word_is_said() {
        let mut all: Vec<_> = keys().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), WORDS.len());
        assert!(WORDS.iter().all(|(_, _, texts)| texts.iter().all(|text| !text.is_empty())));
    }
}
