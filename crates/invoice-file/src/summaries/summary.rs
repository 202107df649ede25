//! A summary as far as anything here goes by it.

use super::Value;
use billing::invoice::Date;
use billing::invoice::aws;
use billing::money::{Amount, Cost, Currency, Rate};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::Exchange;

const BASE: &str = "BaseCurrencyAmount";
const PAYMENT: &str = "PaymentCurrencyAmount";

/// An invoice as AWS's list has it. Members are texts as they came: what is needed of them differs by what the summary is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// `InvoiceId`
    pub id: String,
    /// `AccountId`: the receiver.
    pub account: Option<String>,
    /// `IssuedDate`, in seconds since 1970-01-01T00:00:00Z.
    pub issued_at: Option<i64>,
    /// `DueDate`, likewise.
    pub due_at: Option<i64>,
    /// `BillingPeriod`
    pub period: Option<BillingPeriod>,
    /// `Entity.BillingEntity`
    pub billing_entity: Option<String>,
    /// `Entity.InvoicingEntity`
    pub invoicing_entity: Option<String>,
    /// `BillType`
    pub bill_type: Option<String>,
    /// `InvoiceType`
    pub invoice_type: Option<String>,
    /// `CommercialInvoiceId`: of a tax invoice, the invoice that it is the tax document of.
    pub commercial: Option<String>,
    /// `OriginalInvoiceId`
    pub original: Option<String>,
    /// `PurchaseOrderNumber`
    pub purchase_order: Option<String>,
    /// `TaxRegistrationNumber`, which AWS's list does not have: others write it.
    pub tax_registration_number: Option<String>,
    /// `InvoiceUnitArn`, likewise.
    pub invoice_unit: Option<String>,
    /// `BaseCurrencyAmount`: in the currency of the services.
    pub base: Option<Money>,
    /// `PaymentCurrencyAmount`: in the currency that is paid.
    pub payment: Option<Money>,
}

/// An amount that an invoice states, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    member: &'static str,
    total: Option<String>,
    before_tax: Option<String>,
    currency: Option<String>,
    source: Option<String>,
    target: Option<String>,
    rate: Option<String>,
}

/// What an invoice charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charged {
    /// What a bill type says; none where that is not said.
    Bill(Option<BillType>),
    /// It gives back.
    CreditMemo,
    /// Nothing: it is a payment receipt.
    Receipt,
    /// Nothing: it is the tax invoice of this commercial invoice, which charges the same amount.
    TaxInvoiceOf(String),
}

/// A bill that charges. Source: AWS invoicing API reference, `InvoiceSummary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillType {
    /// `ANNIVERSARY`: usage and recurring fees of a month.
    Anniversary,
    /// `PURCHASE`
    Purchase,
}

impl Summary {
    /// Reads a summary, whose instants are whole seconds.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn of(value: &Value) -> Result<Self, String> {
        let text = |name: &str| value.get(name).and_then(Value::text).map(ToOwned::to_owned);
        let of_entity = |name: &str| Some(value.get("Entity")?.get(name)?.text()?.to_owned());
        Ok(Self {
            id: text("InvoiceId").ok_or_else(|| missing("InvoiceId"))?,
            account: text("AccountId"),
            issued_at: seconds(value, "IssuedDate")?,
            due_at: seconds(value, "DueDate")?,
            period: period(value)?,
            billing_entity: of_entity("BillingEntity"),
            invoicing_entity: of_entity("InvoicingEntity"),
            bill_type: text("BillType"),
            invoice_type: text("InvoiceType"),
            commercial: text("CommercialInvoiceId"),
            original: text("OriginalInvoiceId"),
            purchase_order: text("PurchaseOrderNumber"),
            tax_registration_number: text("TaxRegistrationNumber"),
            invoice_unit: text("InvoiceUnitArn"),
            base: money(value, BASE),
            payment: money(value, PAYMENT),
        })
    }

    /// Reads a summary that is kept as JSON.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn of_json(text: &str) -> Result<Self, String> {
        Self::of(&Value::of_json(text)?)
    }

    /// What it charges. Where its types contradict each other it gives back: nobody is charged for a refund.
    ///
    /// # Errors
    /// A type that there is not.
    pub fn charged(&self) -> Result<Charged, String> {
        if let Some(of) = self.commercial.as_ref().filter(|of| **of != self.id) {
            return Ok(Charged::TaxInvoiceOf(of.clone()));
        }
        let is_memo = match upper(self.invoice_type.as_ref()).as_deref() {
            None | Some("INVOICE") => false,
            Some("CREDIT_MEMO") => true,
            Some("PAYMENT_RECEIPT") => return Ok(Charged::Receipt),
            Some(_) => {
                return Err(unknown(
                    "InvoiceType",
                    self.invoice_type.as_ref(),
                    "INVOICE, CREDIT_MEMO and PAYMENT_RECEIPT",
                ));
            }
        };
        Ok(match upper(self.bill_type.as_ref()).as_deref() {
            Some("REFUND") => Charged::CreditMemo,
            Some("ANNIVERSARY" | "PURCHASE") | None if is_memo => Charged::CreditMemo,
            Some("ANNIVERSARY") => Charged::Bill(Some(BillType::Anniversary)),
            Some("PURCHASE") => Charged::Bill(Some(BillType::Purchase)),
            None => Charged::Bill(None),
            Some(_) => {
                return Err(unknown("BillType", self.bill_type.as_ref(), "ANNIVERSARY, PURCHASE and REFUND"));
            }
        })
    }

    /// What is to be known of types that contradict each other.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        let (bill, invoice) = (self.bill_type.as_ref()?, self.invoice_type.as_ref()?);
        let is_refund = bill.eq_ignore_ascii_case("REFUND");
        let is_memo = invoice.eq_ignore_ascii_case("CREDIT_MEMO");
        (is_refund != is_memo).then(|| {
            format!("its `BillType` {bill} and its `InvoiceType` {invoice} contradict each other; it is taken for a credit memo")
        })
    }

    /// The amount that is paid: in the currency of the payment, where that is said, or else of the services.
    #[must_use]
    pub fn paid(&self) -> Option<&Money> {
        self.payment.as_ref().or(self.base.as_ref())
    }

    /// The summary as it is held against cost files, which are in the currency of the services.
    ///
    /// # Errors
    /// What is missing, or cannot be read.
    pub fn listed(&self) -> Result<aws::Summary, String> {
        let base = self.base.as_ref().ok_or_else(|| missing("BaseCurrencyAmount.TotalAmount"))?;
        let cost =
            |name: &str, text: &str| Cost::parse(text).map_err(|error| base.unread(name, text, &error));
        let total = base.total.as_ref().ok_or_else(|| base.missing("TotalAmount"))?;
        let before_tax = base.before_tax.as_ref().map(|text| cost("TotalAmountBeforeTax", text));
        Ok(aws::Summary {
            id: self.id.clone(),
            account: self.account.clone(),
            issued: self.issued_at.map(Date::of_seconds),
            due: self.due_at.map(Date::of_seconds),
            period: self.period,
            billing_entity: self.billing_entity.clone(),
            invoicing_entity: self.invoicing_entity.clone(),
            bill_type: self.bill_type.clone(),
            invoice_type: self.invoice_type.clone(),
            commercial: self.commercial.clone(),
            original: self.original.clone(),
            purchase_order: self.purchase_order.clone(),
            currency: base.currency()?,
            total: cost("TotalAmount", total)?,
            before_tax: before_tax.transpose()?,
        })
    }
}

impl Money {
    /// The total, tax included.
    ///
    /// # Errors
    /// That it is missing, or is no amount.
    pub fn total(&self) -> Result<Amount, String> {
        let total = self.total.as_ref().ok_or_else(|| self.missing("TotalAmount"))?;
        Amount::parse(total).map_err(|error| self.unread("TotalAmount", total, &error))
    }

    /// Its currency.
    ///
    /// # Errors
    /// That it is missing, or is no currency.
    pub fn currency(&self) -> Result<Currency, String> {
        self.currency_of("CurrencyCode", self.currency.as_ref())
    }

    /// The exchange that it comes from, where one is stated.
    ///
    /// # Errors
    /// What of it is missing, or cannot be read.
    pub fn exchange(&self) -> Result<Option<Exchange>, String> {
        let Some(rate) = &self.rate else { return Ok(None) };
        let of = |name: &str, code| self.currency_of(&format!("CurrencyExchangeDetails.{name}"), code);
        Ok(Some(Exchange {
            source: of("SourceCurrencyCode", self.source.as_ref())?,
            target: of("TargetCurrencyCode", self.target.as_ref())?,
            rate: Rate::parse(rate)
                .map_err(|error| self.unread("CurrencyExchangeDetails.Rate", rate, &error))?,
        }))
    }

    fn currency_of(&self, name: &str, code: Option<&String>) -> Result<Currency, String> {
        let code = code.ok_or_else(|| self.missing(name))?;
        Currency::parse(code).ok_or_else(|| {
            format!("{}: `{}` is no currency; write three capital letters", self.named(name), shown(code))
        })
    }

    /// A member as a table names it: those of the base currency by themselves.
    fn named(&self, name: &str) -> String {
        if self.member == BASE { name.to_owned() } else { format!("{}.{name}", self.member) }
    }

    fn missing(&self, name: &str) -> String {
        missing(&format!("{}.{name}", self.member))
    }

    fn unread(&self, name: &str, text: &str, error: &dyn std::fmt::Display) -> String {
        format!("{}: `{}` is {error}", self.named(name), shown(text))
    }
}

fn missing(name: &str) -> String {
    format!("`{name}` is missing")
}

fn unknown(name: &str, text: Option<&String>, known: &str) -> String {
    format!(
        "{name}: there is no `{}`; there are {known}",
        shown(text.map(String::as_str).unwrap_or_default())
    )
}

fn shown(text: &str) -> String {
    Value::Text(text.to_owned()).shown()
}

fn upper(text: Option<&String>) -> Option<String> {
    text.map(|text| text.to_ascii_uppercase())
}

fn seconds(value: &Value, name: &str) -> Result<Option<i64>, String> {
    let Some(instant) = value.get(name).filter(|instant| **instant != Value::Null) else { return Ok(None) };
    let found = instant.text().and_then(|text| text.parse().ok());
    found.map(Some).ok_or_else(|| format!("{name}: `{}` is no date", instant.shown()))
}

fn period(value: &Value) -> Result<Option<BillingPeriod>, String> {
    let Some(period) = value.get("BillingPeriod").filter(|period| **period != Value::Null) else {
        return Ok(None);
    };
    let part = |name: &str| {
        let part = period.get(name).and_then(Value::text);
        part.ok_or_else(|| missing(&format!("BillingPeriod.{name}")))
    };
    let text = format!("{}-{:0>2}", part("Year")?, part("Month")?);
    BillingPeriod::parse(&text).map(Some).map_err(|error| format!("BillingPeriod: {error}"))
}

fn money(value: &Value, member: &'static str) -> Option<Money> {
    let money = value.get(member).filter(|money| **money != Value::Null)?;
    let text = |value: Option<&Value>| value.and_then(Value::text).map(ToOwned::to_owned);
    let exchange = |name: &str| text(money.get("CurrencyExchangeDetails").and_then(|of| of.get(name)));
    Some(Money {
        member,
        total: text(money.get("TotalAmount")),
        before_tax: text(money.get("TotalAmountBeforeTax")),
        currency: text(money.get("CurrencyCode")),
        source: exchange("SourceCurrencyCode"),
        target: exchange("TargetCurrencyCode"),
        rate: exchange("Rate"),
    })
}
