//! UBL 2.1 by the rules of Peppol BIS Billing 3.0: `Invoice` and `CreditNote`.
//!
//! Sources: the OASIS schemas for the order of elements, <https://docs.peppol.eu/poacc/billing/3.0/> for which of them and with what in them.
//! Tests hold what is written to the schemas and to CEN's and Peppol's own rules.

use crate::Error;
use crate::e_invoice::{UBL, check, is_credit_note, note, outside_scope, said, within_community};
use crate::peppol_countries::missing;
use crate::xml::Xml;
use billing::invoice::party::VAT;
use billing::invoice::{
    Adjustment, AdjustmentKind, DateRange, Invoice, Invoiced, Line, Party, SchemedId, Tax, TaxCategory,
    TaxSubtotal,
};

const CUSTOMIZATION: &str = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
const PROFILE: &str = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0";

/// Schemes of electronic addresses that the list EAS has and Peppol's network does not reach (PEPPOL-EN16931-CL008).
const NOT_ON_PEPPOL: &str = "0147 0170 0194 0203 0205 0217 0219 0220 0225 AN AQ AS AU EM";

/// The names by which an invoice and a credit note differ.
struct Names {
    root: &'static str,
    type_code: &'static str,
    line: &'static str,
    quantity: &'static str,
}

const INVOICE: Names = Names {
    root: "Invoice",
    type_code: "cbc:InvoiceTypeCode",
    line: "cac:InvoiceLine",
    quantity: "cbc:InvoicedQuantity",
};
const CREDIT_NOTE: Names = Names {
    root: "CreditNote",
    type_code: "cbc:CreditNoteTypeCode",
    line: "cac:CreditNoteLine",
    quantity: "cbc:CreditedQuantity",
};

/// The invoice as UBL.
///
/// # Errors
/// [`Error::EInvoice`] where Peppol wants something that the invoice does not have.
pub fn render(invoice: &Invoice) -> Result<Vec<u8>, Error> {
    check(invoice, UBL)?;
    check_peppol(invoice)?;
    let names = if is_credit_note(invoice) { CREDIT_NOTE } else { INVOICE };
    let schema = format!("urn:oasis:names:specification:ubl:schema:xsd:{}-2", names.root);
    let attributes = [
        ("xmlns", schema.as_str()),
        ("xmlns:cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"),
        ("xmlns:cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"),
    ];
    let mut xml = Xml::new();
    xml.group_with(names.root, &attributes, |xml| {
        header(xml, invoice, &names);
        xml.group("cac:AccountingSupplierParty", |xml| party(xml, &invoice.seller, invoice, true));
        xml.group("cac:AccountingCustomerParty", |xml| party(xml, &invoice.buyer, invoice, false));
        if within_community(invoice) {
            delivery(xml, invoice);
        }
        payment(xml, invoice);
        for adjustment in &invoice.adjustments {
            allowance_charge(xml, adjustment);
        }
        taxes(xml, invoice);
        totals(xml, invoice);
        for line in &invoice.lines {
            self::line(xml, line, &names);
        }
    });
    Ok(xml.into_bytes())
}

/// What Peppol wants beyond EN 16931, and cannot be written where it is not there.
fn check_peppol(invoice: &Invoice) -> Result<(), Error> {
    let refused = |reason: &str| {
        Err(Error::EInvoice { number: invoice.number.clone(), format: UBL, reason: reason.to_owned() })
    };
    // PEPPOL-EN16931-R003, R020, R010.
    if said(invoice.buyer_reference.as_ref()).or(said(invoice.purchase_order.as_ref())).is_none() {
        return refused("it has neither a purchase order number nor a buyer reference; give one of them");
    }
    for (whose, party) in [("seller", &invoice.seller), ("buyer", &invoice.buyer)] {
        let Some(address) = &party.electronic_address else {
            return refused(&format!(
                "the {whose} has no electronic address; set it in the {whose}'s profile"
            ));
        };
        let scheme = &address.scheme;
        if NOT_ON_PEPPOL.split_ascii_whitespace().any(|of| of == scheme) {
            return refused(&format!(
                "the {whose}'s electronic address has the scheme `{scheme}`, which Peppol does not have; set one of its own in the {whose}'s \
                 profile, such as 9930 for a German VAT id or 0088 for a GLN"
            ));
        }
    }
    missing(invoice).map_or(Ok(()), |problem| refused(&problem))
}

fn header(xml: &mut Xml, invoice: &Invoice, names: &Names) {
    xml.leaf("cbc:CustomizationID", CUSTOMIZATION);
    xml.leaf("cbc:ProfileID", PROFILE);
    xml.leaf("cbc:ID", &invoice.number);
    xml.leaf("cbc:IssueDate", &invoice.issued.to_string());
    if !is_credit_note(invoice) {
        xml.optional("cbc:DueDate", invoice.due.map(|date| date.to_string()).as_deref());
    }
    xml.leaf(names.type_code, invoice.kind.code());
    xml.lines("cbc:Note", &note(invoice));
    xml.leaf("cbc:DocumentCurrencyCode", invoice.currency.as_str());
    xml.optional(
        "cbc:TaxCurrencyCode",
        invoice.tax_currency.as_ref().map(|tax| tax.currency.to_string()).as_deref(),
    );
    xml.optional("cbc:BuyerReference", invoice.buyer_reference.as_deref());
    period(xml, Some(invoice.period));
    xml.group("cac:OrderReference", |xml| xml.optional("cbc:ID", invoice.purchase_order.as_deref()));
    if let Some(preceding) = &invoice.preceding {
        xml.group("cac:BillingReference", |xml| {
            xml.group("cac:InvoiceDocumentReference", |xml| {
                xml.leaf("cbc:ID", &preceding.number);
                xml.leaf("cbc:IssueDate", &preceding.issued.to_string());
            });
        });
    }
    xml.group("cac:ContractDocumentReference", |xml| xml.optional("cbc:ID", invoice.contract.as_deref()));
}

fn period(xml: &mut Xml, period: Option<DateRange>) {
    if let Some(DateRange { from, to }) = period {
        xml.group("cac:InvoicePeriod", |xml| {
            xml.leaf("cbc:StartDate", &from.to_string());
            xml.leaf("cbc:EndDate", &to.to_string());
        });
    }
}

fn id(xml: &mut Xml, name: &str, id: Option<&SchemedId>) {
    if let Some(SchemedId { scheme, id }) = id {
        xml.leaf_with(name, &[("schemeID", scheme)], id);
    }
}

fn party(xml: &mut Xml, party: &Party, invoice: &Invoice, is_seller: bool) {
    xml.group("cac:Party", |xml| {
        id(xml, "cbc:EndpointID", party.electronic_address.as_ref());
        xml.group("cac:PartyName", |xml| xml.optional("cbc:Name", party.trading_name.as_deref()));
        address(xml, party);
        for registration in &party.tax_registrations {
            tax_scheme(xml, registration, invoice, is_seller);
        }
        xml.group("cac:PartyLegalEntity", |xml| {
            xml.leaf("cbc:RegistrationName", &party.legal_name);
            id(xml, "cbc:CompanyID", party.company_id.as_ref());
            if is_seller {
                xml.optional("cbc:CompanyLegalForm", party.legal_information.as_deref());
            }
        });
        if let Some(contact) = &party.contact {
            xml.group("cac:Contact", |xml| {
                xml.optional("cbc:Name", contact.name.as_deref());
                xml.optional("cbc:Telephone", contact.telephone.as_deref());
                xml.optional("cbc:ElectronicMail", contact.email.as_deref());
            });
        }
    });
}

/// A registration for VAT; of the seller also a local one (BT-32), which has any other scheme.
fn tax_scheme(xml: &mut Xml, registration: &SchemedId, invoice: &Invoice, is_seller: bool) {
    let is_vat = registration.scheme == VAT;
    if is_vat && outside_scope(invoice) || !is_vat && !is_seller {
        return;
    }
    xml.group("cac:PartyTaxScheme", |xml| {
        xml.leaf("cbc:CompanyID", &registration.id);
        xml.group("cac:TaxScheme", |xml| xml.leaf("cbc:ID", if is_vat { VAT } else { "TAX" }));
    });
}

fn address(xml: &mut Xml, party: &Party) {
    let address = &party.address;
    xml.group("cac:PostalAddress", |xml| {
        let mut lines = address.lines.iter().map(String::as_str);
        xml.optional("cbc:StreetName", lines.next());
        xml.optional("cbc:AdditionalStreetName", lines.next());
        xml.optional("cbc:CityName", address.city.as_deref());
        xml.optional("cbc:PostalZone", address.postal_code.as_deref());
        xml.optional("cbc:CountrySubentity", address.subdivision.as_deref());
        // EN 16931 has three lines (BT-162); what is more stands in the third.
        let rest: Vec<&str> = lines.collect();
        xml.group("cac:AddressLine", |xml| xml.leaf("cbc:Line", &rest.join(", ")));
        xml.group("cac:Country", |xml| xml.leaf("cbc:IdentificationCode", &address.country));
    });
}

fn delivery(xml: &mut Xml, invoice: &Invoice) {
    xml.group("cac:Delivery", |xml| {
        xml.group("cac:DeliveryLocation", |xml| {
            xml.group("cac:Address", |xml| {
                xml.group("cac:Country", |xml| {
                    xml.leaf("cbc:IdentificationCode", &invoice.buyer.address.country)
                });
            });
        });
    });
}

fn payment(xml: &mut Xml, invoice: &Invoice) {
    let due = invoice.due.filter(|_| is_credit_note(invoice)).map(|date| date.to_string());
    if let Some(payment) = &invoice.payment {
        let accounts = payment.accounts.iter().map(Some);
        let without = payment.accounts.is_empty().then_some(None);
        for account in accounts.chain(without) {
            xml.group("cac:PaymentMeans", |xml| {
                xml.leaf("cbc:PaymentMeansCode", &payment.means_code);
                xml.optional("cbc:PaymentDueDate", due.as_deref());
                xml.optional("cbc:PaymentID", payment.remittance.as_deref());
                let Some(account) = account else { return };
                xml.group("cac:PayeeFinancialAccount", |xml| {
                    xml.leaf("cbc:ID", &account.id);
                    xml.optional("cbc:Name", account.name.as_deref());
                    xml.group("cac:FinancialInstitutionBranch", |xml| {
                        xml.optional("cbc:ID", account.bank.as_deref())
                    });
                });
            });
        }
    }
    xml.group("cac:PaymentTerms", |xml| {
        xml.lines("cbc:Note", invoice.payment_terms.as_deref().unwrap_or_default())
    });
}

fn amount(xml: &mut Xml, name: &str, amount: Invoiced) {
    xml.leaf_with(name, &[("currencyID", amount.currency().as_str())], &amount.to_string());
}

fn category(xml: &mut Xml, name: &str, tax: Tax, subtotal: Option<&TaxSubtotal>) {
    xml.group(name, |xml| {
        xml.leaf("cbc:ID", tax.category.code());
        if tax.category != TaxCategory::OutsideScope {
            xml.leaf("cbc:Percent", &tax.rate.to_string());
        }
        if let Some(subtotal) = subtotal {
            xml.optional("cbc:TaxExemptionReasonCode", subtotal.exemption_code.as_deref());
            xml.optional("cbc:TaxExemptionReason", subtotal.exemption_reason.as_deref());
        }
        xml.group("cac:TaxScheme", |xml| xml.leaf("cbc:ID", VAT));
    });
}

fn allowance_charge(xml: &mut Xml, adjustment: &Adjustment) {
    xml.group("cac:AllowanceCharge", |xml| {
        let is_charge = adjustment.kind == AdjustmentKind::Charge;
        xml.leaf("cbc:ChargeIndicator", if is_charge { "true" } else { "false" });
        xml.optional("cbc:AllowanceChargeReasonCode", adjustment.reason_code.as_deref());
        xml.leaf("cbc:AllowanceChargeReason", &adjustment.reason);
        amount(xml, "cbc:Amount", adjustment.amount);
        category(xml, "cac:TaxCategory", adjustment.tax, None);
    });
}

fn taxes(xml: &mut Xml, invoice: &Invoice) {
    xml.group("cac:TaxTotal", |xml| {
        amount(xml, "cbc:TaxAmount", invoice.totals.tax);
        for subtotal in &invoice.taxes {
            xml.group("cac:TaxSubtotal", |xml| {
                amount(xml, "cbc:TaxableAmount", subtotal.taxable);
                amount(xml, "cbc:TaxAmount", subtotal.amount);
                category(xml, "cac:TaxCategory", subtotal.tax, Some(subtotal));
            });
        }
    });
    if let Some(tax) = &invoice.tax_currency {
        xml.group("cac:TaxTotal", |xml| amount(xml, "cbc:TaxAmount", tax.tax));
    }
}

fn totals(xml: &mut Xml, invoice: &Invoice) {
    let totals = invoice.totals;
    xml.group("cac:LegalMonetaryTotal", |xml| {
        amount(xml, "cbc:LineExtensionAmount", totals.lines);
        amount(xml, "cbc:TaxExclusiveAmount", totals.net);
        amount(xml, "cbc:TaxInclusiveAmount", totals.gross);
        let mut optional = |name, total: Invoiced| {
            if total.units() != 0 {
                amount(xml, name, total);
            }
        };
        optional("cbc:AllowanceTotalAmount", totals.allowances);
        optional("cbc:ChargeTotalAmount", totals.charges);
        optional("cbc:PrepaidAmount", totals.prepaid);
        optional("cbc:PayableRoundingAmount", totals.rounding);
        amount(xml, "cbc:PayableAmount", totals.due);
    });
}

fn line(xml: &mut Xml, line: &Line, names: &Names) {
    xml.group(names.line, |xml| {
        xml.leaf("cbc:ID", &line.id);
        xml.leaf_with(names.quantity, &[("unitCode", &line.unit_code)], &line.quantity.to_string());
        amount(xml, "cbc:LineExtensionAmount", line.net);
        period(xml, line.period);
        xml.group("cac:OrderLineReference", |xml| {
            xml.optional("cbc:LineID", line.purchase_order_line.as_deref())
        });
        if let Some(account) = &line.account {
            xml.group("cac:DocumentReference", |xml| {
                xml.leaf("cbc:ID", account);
                // An invoiced object's identifier (BT-128).
                xml.leaf("cbc:DocumentTypeCode", "130");
            });
        }
        xml.group("cac:Item", |xml| {
            xml.lines("cbc:Description", line.description.as_deref().unwrap_or_default());
            xml.leaf("cbc:Name", &line.name);
            category(xml, "cac:ClassifiedTaxCategory", line.tax, None);
        });
        xml.group("cac:Price", |xml| {
            let currency = line.net.currency();
            xml.leaf_with("cbc:PriceAmount", &[("currencyID", currency.as_str())], &line.price.to_string());
        });
    });
}
