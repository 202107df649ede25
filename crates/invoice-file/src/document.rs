//! An invoice's data as JSON: what a template of the operator's own is filled with, and what [`read`] takes back.
//!
//! The shape is the one of docs/documents.md. Amounts, rates and quantities are texts of plain digits, so that no reader makes doubles of
//! them; what is not there is left out. A later version adds keys at most; anything else gets another `format`.

use billing::invoice::{
    Address, Adjustment, AdjustmentKind, BankAccount, Contact, Date, DateRange, Exchange, Invoice, Invoiced,
    Kind, Line, Party, PaymentInstructions, Preceding, SchemedId, Tax, TaxCategory, TaxCurrency, TaxSubtotal,
    Totals,
};
use billing::money::{Currency, Percentage, Quantity, Rate};
use serde::{Deserialize, Serialize};

/// What `format` says.
pub const FORMAT: &str = "proforma-invoice-1";

/// The page that has the shape.
const PAGE: &str = "docs/documents.md";

/// Why a JSON text is not an invoice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not JSON, or not of this shape.
    #[error("{problem}; {page} has the shape")]
    Shape {
        /// What is wrong, and where.
        problem: String,
        /// Where the shape is described.
        page: &'static str,
    },
    /// A value is not one of its kind.
    #[error("`{at}`: {reason}")]
    Value {
        /// Where, as `lines[2].net`.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The invoice as JSON, with two blanks of indentation and a line break at its end.
#[must_use]
pub fn render(invoice: &Invoice) -> Vec<u8> {
    // Texts only: no value of these types can fail to be written.
    let mut json = serde_json::to_vec_pretty(&InvoiceData::of(invoice)).unwrap_or_default();
    json.push(b'\n');
    json
}

/// The invoice that a JSON text of the same shape describes.
///
/// # Errors
/// [`ReadError`], with line and column or with the value's place.
pub fn read(json: &[u8]) -> Result<Invoice, ReadError> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let data: InvoiceData = serde_path_to_error::deserialize(&mut reader).map_err(shape)?;
    reader.end().map_err(|error| ReadError::Shape { problem: error.to_string(), page: PAGE })?;
    if data.format != FORMAT {
        let reason = format!("`{}` is not a format that is read here; it has to be `{FORMAT}`", data.format);
        return Err(ReadError::Value { at: "format".to_owned(), reason });
    }
    data.invoice()
}

/// What does not fit the shape, with its place as `lines[2].net`.
fn shape(error: serde_path_to_error::Error<serde_json::Error>) -> ReadError {
    ReadError::Shape { problem: placed(&error), page: PAGE }
}

/// A mistake of a shape, behind its place where that is more than the whole text.
pub(crate) fn placed(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (place, problem) = (error.path().to_string(), error.inner());
    let problem_says = problem.to_string();
    // What is no JSON at all has a line and a column, and no member; a key of the outermost object is named by the problem itself.
    let says_where = place == "." || !problem.is_data() || problem_says.contains(&format!("`{place}`"));
    if says_where { problem_says } else { format!("`{place}`: {problem_says}") }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvoiceData {
    format: String,
    kind: String,
    number: String,
    issued: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_terms: Option<String>,
    currency: String,
    language: String,
    period: DateRangeData,
    seller: PartyData,
    buyer: PartyData,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    buyer_reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purchase_order: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contract: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preceding: Option<PrecedingData>,
    lines: Vec<LineData>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    adjustments: Vec<AdjustmentData>,
    taxes: Vec<TaxSubtotalData>,
    totals: TotalsData,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax_currency: Option<TaxCurrencyData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exchange: Option<ExchangeData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentData>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DateRangeData {
    from: String,
    to: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartyData {
    legal_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trading_name: Option<String>,
    address: AddressData,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tax_registrations: Vec<SchemedIdData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company_id: Option<SchemedIdData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    electronic_address: Option<SchemedIdData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    legal_information: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact: Option<ContactData>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressData {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subdivision: Option<String>,
    country: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemedIdData {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scheme: String,
    id: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    telephone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrecedingData {
    number: String,
    issued: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaxData {
    pub(crate) category: String,
    pub(crate) rate: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineData {
    id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    quantity: String,
    unit_code: String,
    price: String,
    net: String,
    tax: TaxData,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    period: Option<DateRangeData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purchase_order_line: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustmentData {
    kind: String,
    amount: String,
    tax: TaxData,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason_code: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxSubtotalData {
    category: String,
    rate: String,
    taxable: String,
    amount: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exemption_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exemption_code: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalsData {
    lines: String,
    allowances: String,
    charges: String,
    net: String,
    tax: String,
    gross: String,
    prepaid: String,
    rounding: String,
    due: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeData {
    from: String,
    to: String,
    rate: String,
    source: String,
    date: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxCurrencyData {
    currency: String,
    tax: String,
    exchange: ExchangeData,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentData {
    means_code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remittance: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<BankAccountData>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BankAccountData {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bank: Option<String>,
}

/// How the kinds are written.
const KINDS: [(&str, Kind); 2] = [("invoice", Kind::Invoice), ("credit_note", Kind::CreditNote)];
const ADJUSTMENTS: [(&str, AdjustmentKind); 2] =
    [("allowance", AdjustmentKind::Allowance), ("charge", AdjustmentKind::Charge)];

fn written<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> String {
    table.iter().find(|(_, listed)| *listed == value).map_or("", |(word, _)| *word).to_owned()
}

impl InvoiceData {
    fn of(invoice: &Invoice) -> Self {
        Self {
            format: FORMAT.to_owned(),
            kind: written(&KINDS, invoice.kind),
            number: invoice.number.clone(),
            issued: invoice.issued.to_string(),
            due: invoice.due.map(|date| date.to_string()),
            payment_terms: invoice.payment_terms.clone(),
            currency: invoice.currency.to_string(),
            language: invoice.language.clone(),
            period: DateRangeData::of(invoice.period),
            seller: PartyData::of(&invoice.seller),
            buyer: PartyData::of(&invoice.buyer),
            buyer_reference: invoice.buyer_reference.clone(),
            purchase_order: invoice.purchase_order.clone(),
            contract: invoice.contract.clone(),
            preceding: invoice
                .preceding
                .as_ref()
                .map(|it| PrecedingData { number: it.number.clone(), issued: it.issued.to_string() }),
            lines: invoice.lines.iter().map(LineData::of).collect(),
            adjustments: invoice.adjustments.iter().map(AdjustmentData::of).collect(),
            taxes: invoice.taxes.iter().map(TaxSubtotalData::of).collect(),
            totals: TotalsData::of(&invoice.totals),
            tax_currency: invoice.tax_currency.as_ref().map(|it| TaxCurrencyData {
                currency: it.currency.to_string(),
                tax: it.tax.to_string(),
                exchange: ExchangeData::of(&it.exchange),
            }),
            exchange: invoice.exchange.as_ref().map(ExchangeData::of),
            payment: invoice.payment.as_ref().map(PaymentData::of),
            notes: invoice.notes.clone(),
        }
    }

    fn invoice(self) -> Result<Invoice, ReadError> {
        let currency = currency("currency", &self.currency)?;
        Ok(Invoice {
            kind: word("kind", &self.kind, &KINDS)?,
            issued: date("issued", &self.issued)?,
            due: self.due.map(|text| date("due", &text)).transpose()?,
            payment_terms: self.payment_terms,
            period: self.period.read("period")?,
            seller: self.seller.read("seller")?,
            buyer: self.buyer.read("buyer")?,
            buyer_reference: self.buyer_reference,
            purchase_order: self.purchase_order,
            contract: self.contract,
            preceding: self.preceding.map(PrecedingData::read).transpose()?,
            lines: numbered("lines", self.lines, |at, line| line.read(at, currency))?,
            adjustments: numbered("adjustments", self.adjustments, |at, it| it.read(at, currency))?,
            taxes: numbered("taxes", self.taxes, |at, it| it.read(at, currency))?,
            totals: self.totals.read(currency)?,
            tax_currency: self.tax_currency.map(TaxCurrencyData::read).transpose()?,
            exchange: self.exchange.map(|it| it.read("exchange")).transpose()?,
            payment: self.payment.map(PaymentData::read),
            notes: self.notes,
            language: language(self.language)?,
            number: filled("number", self.number)?,
            currency,
        })
    }
}

pub(crate) fn wrong(at: impl Into<String>, reason: impl std::fmt::Display) -> ReadError {
    ReadError::Value { at: at.into(), reason: reason.to_string() }
}

fn numbered<T, U>(
    at: &str,
    list: Vec<T>,
    mut read: impl FnMut(&str, T) -> Result<U, ReadError>,
) -> Result<Vec<U>, ReadError> {
    list.into_iter().enumerate().map(|(number, item)| read(&format!("{at}[{number}]"), item)).collect()
}

fn filled(at: &str, text: String) -> Result<String, ReadError> {
    if text.trim().is_empty() { Err(wrong(at, "it is empty; give it a text")) } else { Ok(text) }
}

pub(crate) fn word<T: Copy>(at: &str, text: &str, table: &[(&str, T)]) -> Result<T, ReadError> {
    let found = table.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    let words: Vec<_> = table.iter().map(|(word, _)| format!("`{word}`")).collect();
    found.ok_or_else(|| wrong(at, format!("`{text}` is none of {}", words.join(", "))))
}

/// A tag of BCP 47 as far as it is looked at here: letters, digits and hyphens.
pub(crate) fn language(text: String) -> Result<String, ReadError> {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let primary = text.split('-').next().unwrap_or_default();
    let plausible = text.split('-').all(part) && (2..=3).contains(&primary.len());
    if plausible {
        Ok(text)
    } else {
        Err(wrong("language", format!("`{text}` is not a language tag such as `en` or `fr-CA`")))
    }
}

pub(crate) fn currency(at: &str, text: &str) -> Result<Currency, ReadError> {
    Currency::parse(text).ok_or_else(|| {
        wrong(at, format!("`{text}` is not a currency; write three capital letters, such as EUR"))
    })
}

pub(crate) fn date(at: &str, text: &str) -> Result<Date, ReadError> {
    Date::parse(text).map_err(|error| wrong(at, error))
}

pub(crate) fn amount(at: String, currency: Currency, text: &str) -> Result<Invoiced, ReadError> {
    Invoiced::parse(currency, text).map_err(|error| wrong(at, error))
}

fn number(at: String, text: &str) -> Result<Quantity, ReadError> {
    Quantity::parse(text).map_err(|error| wrong(at, format!("`{text}` is {error}")))
}

impl DateRangeData {
    fn of(range: DateRange) -> Self {
        Self { from: range.from.to_string(), to: range.to.to_string() }
    }

    fn read(&self, at: &str) -> Result<DateRange, ReadError> {
        let range = DateRange {
            from: date(&format!("{at}.from"), &self.from)?,
            to: date(&format!("{at}.to"), &self.to)?,
        };
        if range.from > range.to {
            return Err(wrong(
                at,
                format!("`{}` is after `{}`; the first day comes first", range.from, range.to),
            ));
        }
        Ok(range)
    }
}

impl PartyData {
    fn of(party: &Party) -> Self {
        let id = |id: &SchemedId| SchemedIdData { scheme: id.scheme.clone(), id: id.id.clone() };
        let Address { lines, city, postal_code, subdivision, country } = party.address.clone();
        Self {
            legal_name: party.legal_name.clone(),
            trading_name: party.trading_name.clone(),
            address: AddressData { lines, postal_code, city, subdivision, country },
            tax_registrations: party.tax_registrations.iter().map(id).collect(),
            company_id: party.company_id.as_ref().map(id),
            electronic_address: party.electronic_address.as_ref().map(id),
            legal_information: party.legal_information.clone(),
            contact: party.contact.clone().map(|Contact { name, telephone, email }| ContactData {
                name,
                telephone,
                email,
            }),
        }
    }

    pub(crate) fn read(self, at: &str) -> Result<Party, ReadError> {
        let id = |id: SchemedIdData| SchemedId { scheme: id.scheme, id: id.id };
        let AddressData { lines, postal_code, city, subdivision, country } = self.address;
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
            let reason =
                format!("`{country}` is not a country; write two capital letters of ISO 3166-1, such as DE");
            return Err(wrong(format!("{at}.address.country"), reason));
        }
        Ok(Party {
            legal_name: filled(&format!("{at}.legal_name"), self.legal_name)?,
            trading_name: self.trading_name,
            address: Address { lines, city, postal_code, subdivision, country },
            tax_registrations: self.tax_registrations.into_iter().map(id).collect(),
            company_id: self.company_id.map(id),
            electronic_address: self.electronic_address.map(id),
            legal_information: self.legal_information,
            contact: self.contact.map(|ContactData { name, telephone, email }| Contact {
                name,
                telephone,
                email,
            }),
        })
    }
}

impl PrecedingData {
    fn read(self) -> Result<Preceding, ReadError> {
        Ok(Preceding { number: self.number, issued: date("preceding.issued", &self.issued)? })
    }
}

impl TaxData {
    fn of(tax: Tax) -> Self {
        Self { category: tax.category.to_string(), rate: tax.rate.to_string() }
    }

    pub(crate) fn read(&self, at: &str) -> Result<Tax, ReadError> {
        let category = TaxCategory::parse(&self.category);
        let category = category.ok_or_else(|| {
            let codes = TaxCategory::ALL.map(TaxCategory::code).join(", ");
            wrong(
                format!("{at}.category"),
                format!("`{}` is not a tax category; there are {codes}", self.category),
            )
        })?;
        let rate = Percentage::parse(&self.rate);
        let rate =
            rate.map_err(|error| wrong(format!("{at}.rate"), format!("`{}` is {error}", self.rate)))?;
        Ok(Tax { category, rate })
    }
}

impl LineData {
    fn of(line: &Line) -> Self {
        Self {
            id: line.id.clone(),
            name: line.name.clone(),
            description: line.description.clone(),
            account: line.account.clone(),
            quantity: line.quantity.to_string(),
            unit_code: line.unit_code.clone(),
            price: line.price.to_string(),
            net: line.net.to_string(),
            tax: TaxData::of(line.tax),
            period: line.period.map(DateRangeData::of),
            purchase_order_line: line.purchase_order_line.clone(),
        }
    }

    fn read(self, at: &str, currency: Currency) -> Result<Line, ReadError> {
        let price: Rate = number(format!("{at}.price"), &self.price)?;
        Ok(Line {
            quantity: number(format!("{at}.quantity"), &self.quantity)?,
            net: amount(format!("{at}.net"), currency, &self.net)?,
            tax: self.tax.read(&format!("{at}.tax"))?,
            period: self.period.map(|period| period.read(&format!("{at}.period"))).transpose()?,
            id: filled(&format!("{at}.id"), self.id)?,
            name: filled(&format!("{at}.name"), self.name)?,
            description: self.description,
            account: self.account,
            unit_code: filled(&format!("{at}.unit_code"), self.unit_code)?,
            purchase_order_line: self.purchase_order_line,
            price,
        })
    }
}

impl AdjustmentData {
    fn of(it: &Adjustment) -> Self {
        Self {
            kind: written(&ADJUSTMENTS, it.kind),
            amount: it.amount.to_string(),
            tax: TaxData::of(it.tax),
            reason: it.reason.clone(),
            reason_code: it.reason_code.clone(),
        }
    }

    fn read(self, at: &str, currency: Currency) -> Result<Adjustment, ReadError> {
        Ok(Adjustment {
            kind: word(&format!("{at}.kind"), &self.kind, &ADJUSTMENTS)?,
            amount: amount(format!("{at}.amount"), currency, &self.amount)?,
            tax: self.tax.read(&format!("{at}.tax"))?,
            reason: filled(&format!("{at}.reason"), self.reason)?,
            reason_code: self.reason_code,
        })
    }
}

impl TaxSubtotalData {
    fn of(it: &TaxSubtotal) -> Self {
        let TaxData { category, rate } = TaxData::of(it.tax);
        Self {
            category,
            rate,
            taxable: it.taxable.to_string(),
            amount: it.amount.to_string(),
            exemption_reason: it.exemption_reason.clone(),
            exemption_code: it.exemption_code.clone(),
        }
    }

    fn read(self, at: &str, currency: Currency) -> Result<TaxSubtotal, ReadError> {
        Ok(TaxSubtotal {
            taxable: amount(format!("{at}.taxable"), currency, &self.taxable)?,
            amount: amount(format!("{at}.amount"), currency, &self.amount)?,
            tax: TaxData { category: self.category, rate: self.rate }.read(at)?,
            exemption_reason: self.exemption_reason,
            exemption_code: self.exemption_code,
        })
    }
}

impl TotalsData {
    fn of(totals: &Totals) -> Self {
        Self {
            lines: totals.lines.to_string(),
            allowances: totals.allowances.to_string(),
            charges: totals.charges.to_string(),
            net: totals.net.to_string(),
            tax: totals.tax.to_string(),
            gross: totals.gross.to_string(),
            prepaid: totals.prepaid.to_string(),
            rounding: totals.rounding.to_string(),
            due: totals.due.to_string(),
        }
    }

    fn read(&self, currency: Currency) -> Result<Totals, ReadError> {
        let total = |name: &str, text: &str| amount(format!("totals.{name}"), currency, text);
        Ok(Totals {
            lines: total("lines", &self.lines)?,
            allowances: total("allowances", &self.allowances)?,
            charges: total("charges", &self.charges)?,
            net: total("net", &self.net)?,
            tax: total("tax", &self.tax)?,
            gross: total("gross", &self.gross)?,
            prepaid: total("prepaid", &self.prepaid)?,
            rounding: total("rounding", &self.rounding)?,
            due: total("due", &self.due)?,
        })
    }
}

impl ExchangeData {
    fn of(it: &Exchange) -> Self {
        Self {
            from: it.from.to_string(),
            to: it.to.to_string(),
            rate: it.rate.to_string(),
            source: it.source.clone(),
            date: it.date.to_string(),
        }
    }

    fn read(self, at: &str) -> Result<Exchange, ReadError> {
        Ok(Exchange {
            from: currency(&format!("{at}.from"), &self.from)?,
            to: currency(&format!("{at}.to"), &self.to)?,
            rate: number(format!("{at}.rate"), &self.rate)?,
            date: date(&format!("{at}.date"), &self.date)?,
            source: self.source,
        })
    }
}

impl TaxCurrencyData {
    fn read(self) -> Result<TaxCurrency, ReadError> {
        let currency = currency("tax_currency.currency", &self.currency)?;
        Ok(TaxCurrency {
            currency,
            tax: amount("tax_currency.tax".to_owned(), currency, &self.tax)?,
            exchange: self.exchange.read("tax_currency.exchange")?,
        })
    }
}

impl PaymentData {
    fn of(it: &PaymentInstructions) -> Self {
        let account = |it: &BankAccount| {
            let BankAccount { id, name, bank } = it.clone();
            BankAccountData { id, name, bank }
        };
        Self {
            means_code: it.means_code.clone(),
            remittance: it.remittance.clone(),
            accounts: it.accounts.iter().map(account).collect(),
        }
    }

    pub(crate) fn read(self) -> PaymentInstructions {
        let account = |BankAccountData { id, name, bank }| BankAccount { id, name, bank };
        PaymentInstructions {
            means_code: self.means_code,
            remittance: self.remittance,
            accounts: self.accounts.into_iter().map(account).collect(),
        }
    }
}
