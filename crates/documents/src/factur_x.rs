//! Cross Industry Invoice by the profile EN 16931 of Factur-X 1.0 (ZUGFeRD 2): the XML inside the PDF, or alone.
//!
//! Source: FNFE-MPE and FeRD, Factur-X 1.0; UN/CEFACT D16B for the order of elements. Tests hold what is written to the schema and to the profile's
//! own rules.

use crate::Error;
use crate::e_invoice::{FACTUR_X, check, note, outside_scope, within_community};
use crate::xml::Xml;
use billing::invoice::party::VAT;
use billing::invoice::{
    Adjustment, AdjustmentKind, Date, DateRange, Invoice, Invoiced, Line, Party, Tax, TaxCategory,
    TaxSubtotal,
};

const GUIDELINE: &str = "urn:cen.eu:en16931:2017";

/// The invoice as Cross Industry Invoice.
///
/// # Errors
/// [`Error::EInvoice`] where EN 16931 wants something that the invoice does not have.
pub fn render(invoice: &Invoice) -> Result<Vec<u8>, Error> {
    check(invoice, FACTUR_X)?;
    let attributes = [
        ("xmlns:rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"),
        ("xmlns:qdt", "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"),
        ("xmlns:ram", "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"),
        ("xmlns:udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"),
    ];
    let mut xml = Xml::new();
    xml.group_with("rsm:CrossIndustryInvoice", &attributes, |xml| {
        xml.group("rsm:ExchangedDocumentContext", |xml| {
            xml.group("ram:GuidelineSpecifiedDocumentContextParameter", |xml| xml.leaf("ram:ID", GUIDELINE));
        });
        xml.group("rsm:ExchangedDocument", |xml| {
            xml.leaf("ram:ID", &invoice.number);
            xml.leaf("ram:TypeCode", invoice.kind.code());
            date(xml, "ram:IssueDateTime", invoice.issued);
            xml.group("ram:IncludedNote", |xml| xml.lines("ram:Content", &note(invoice)));
        });
        xml.group("rsm:SupplyChainTradeTransaction", |xml| {
            for line in &invoice.lines {
                self::line(xml, line);
            }
            agreement(xml, invoice);
            delivery(xml, invoice);
            settlement(xml, invoice);
        });
    });
    Ok(xml.into_bytes())
}

/// Format 102 of UNTDID 2379: `20261103`.
fn day(date: Date) -> String {
    date.to_string().replace('-', "")
}

fn date(xml: &mut Xml, name: &str, date: Date) {
    xml.group(name, |xml| xml.leaf_with("udt:DateTimeString", &[("format", "102")], &day(date)));
}

fn period(xml: &mut Xml, period: Option<DateRange>) {
    if let Some(DateRange { from, to }) = period {
        xml.group("ram:BillingSpecifiedPeriod", |xml| {
            date(xml, "ram:StartDateTime", from);
            date(xml, "ram:EndDateTime", to);
        });
    }
}

fn line(xml: &mut Xml, line: &Line) {
    xml.group("ram:IncludedSupplyChainTradeLineItem", |xml| {
        xml.group("ram:AssociatedDocumentLineDocument", |xml| xml.leaf("ram:LineID", &line.id));
        xml.group("ram:SpecifiedTradeProduct", |xml| {
            xml.leaf("ram:Name", &line.name);
            xml.lines("ram:Description", line.description.as_deref().unwrap_or_default());
        });
        xml.group("ram:SpecifiedLineTradeAgreement", |xml| {
            xml.group("ram:BuyerOrderReferencedDocument", |xml| {
                xml.optional("ram:LineID", line.purchase_order_line.as_deref());
            });
            xml.group("ram:NetPriceProductTradePrice", |xml| {
                xml.leaf("ram:ChargeAmount", &line.price.to_string())
            });
        });
        xml.group("ram:SpecifiedLineTradeDelivery", |xml| {
            xml.leaf_with("ram:BilledQuantity", &[("unitCode", &line.unit_code)], &line.quantity.to_string());
        });
        xml.group("ram:SpecifiedLineTradeSettlement", |xml| {
            xml.group("ram:ApplicableTradeTax", |xml| category(xml, line.tax));
            period(xml, line.period);
            xml.group("ram:SpecifiedTradeSettlementLineMonetarySummation", |xml| {
                xml.leaf("ram:LineTotalAmount", &line.net.to_string());
            });
            if let Some(account) = &line.account {
                xml.group("ram:AdditionalReferencedDocument", |xml| {
                    xml.leaf("ram:IssuerAssignedID", account);
                    // An invoiced object's identifier (BT-128).
                    xml.leaf("ram:TypeCode", "130");
                });
            }
        });
    });
}

fn category(xml: &mut Xml, tax: Tax) {
    xml.leaf("ram:TypeCode", VAT);
    xml.leaf("ram:CategoryCode", tax.category.code());
    rate(xml, tax);
}

fn rate(xml: &mut Xml, tax: Tax) {
    if tax.category != TaxCategory::OutsideScope {
        xml.leaf("ram:RateApplicablePercent", &tax.rate.to_string());
    }
}

fn agreement(xml: &mut Xml, invoice: &Invoice) {
    xml.group("ram:ApplicableHeaderTradeAgreement", |xml| {
        xml.optional("ram:BuyerReference", invoice.buyer_reference.as_deref());
        xml.group("ram:SellerTradeParty", |xml| party(xml, &invoice.seller, invoice, true));
        xml.group("ram:BuyerTradeParty", |xml| party(xml, &invoice.buyer, invoice, false));
        xml.group("ram:BuyerOrderReferencedDocument", |xml| {
            xml.optional("ram:IssuerAssignedID", invoice.purchase_order.as_deref());
        });
        xml.group("ram:ContractReferencedDocument", |xml| {
            xml.optional("ram:IssuerAssignedID", invoice.contract.as_deref());
        });
    });
}

fn party(xml: &mut Xml, party: &Party, invoice: &Invoice, is_seller: bool) {
    xml.leaf("ram:Name", &party.legal_name);
    if is_seller {
        xml.optional("ram:Description", party.legal_information.as_deref());
    }
    xml.group("ram:SpecifiedLegalOrganization", |xml| {
        if let Some(id) = &party.company_id {
            xml.leaf_with("ram:ID", &[("schemeID", &id.scheme)], &id.id);
        }
        xml.optional("ram:TradingBusinessName", party.trading_name.as_deref());
    });
    if let Some(contact) = &party.contact {
        xml.group("ram:DefinedTradeContact", |xml| {
            xml.optional("ram:PersonName", contact.name.as_deref());
            xml.group("ram:TelephoneUniversalCommunication", |xml| {
                xml.optional("ram:CompleteNumber", contact.telephone.as_deref());
            });
            xml.group("ram:EmailURIUniversalCommunication", |xml| {
                xml.optional("ram:URIID", contact.email.as_deref())
            });
        });
    }
    address(xml, party);
    if let Some(address) = &party.electronic_address {
        xml.group("ram:URIUniversalCommunication", |xml| {
            xml.leaf_with("ram:URIID", &[("schemeID", &address.scheme)], &address.id);
        });
    }
    for registration in &party.tax_registrations {
        let is_vat = registration.scheme == VAT;
        if is_vat && outside_scope(invoice) || !is_vat && !is_seller {
            continue;
        }
        let scheme = if is_vat { "VA" } else { "FC" };
        xml.group("ram:SpecifiedTaxRegistration", |xml| {
            xml.leaf_with("ram:ID", &[("schemeID", scheme)], &registration.id);
        });
    }
}

fn address(xml: &mut Xml, party: &Party) {
    let address = &party.address;
    xml.group("ram:PostalTradeAddress", |xml| {
        xml.optional("ram:PostcodeCode", address.postal_code.as_deref());
        let mut lines = address.lines.iter().map(String::as_str);
        xml.optional("ram:LineOne", lines.next());
        xml.optional("ram:LineTwo", lines.next());
        // EN 16931 has three lines (BT-162); what is more stands in the third.
        let rest: Vec<&str> = lines.collect();
        xml.leaf("ram:LineThree", &rest.join(", "));
        xml.optional("ram:CityName", address.city.as_deref());
        xml.leaf("ram:CountryID", &address.country);
        xml.optional("ram:CountrySubDivisionName", address.subdivision.as_deref());
    });
}

fn delivery(xml: &mut Xml, invoice: &Invoice) {
    if !within_community(invoice) {
        // The schema wants the element even where nothing is in it.
        xml.empty("ram:ApplicableHeaderTradeDelivery", &[]);
        return;
    }
    xml.group("ram:ApplicableHeaderTradeDelivery", |xml| {
        xml.group("ram:ShipToTradeParty", |xml| {
            xml.group("ram:PostalTradeAddress", |xml| {
                xml.leaf("ram:CountryID", &invoice.buyer.address.country)
            });
        });
    });
}

fn settlement(xml: &mut Xml, invoice: &Invoice) {
    xml.group("ram:ApplicableHeaderTradeSettlement", |xml| {
        let payment = invoice.payment.as_ref();
        xml.optional("ram:PaymentReference", payment.and_then(|payment| payment.remittance.as_deref()));
        xml.optional(
            "ram:TaxCurrencyCode",
            invoice.tax_currency.as_ref().map(|tax| tax.currency.to_string()).as_deref(),
        );
        xml.leaf("ram:InvoiceCurrencyCode", invoice.currency.as_str());
        means(xml, invoice);
        for subtotal in &invoice.taxes {
            tax(xml, subtotal);
        }
        period(xml, Some(invoice.period));
        for adjustment in &invoice.adjustments {
            allowance_charge(xml, adjustment);
        }
        xml.group("ram:SpecifiedTradePaymentTerms", |xml| {
            xml.lines("ram:Description", invoice.payment_terms.as_deref().unwrap_or_default());
            if let Some(due) = invoice.due {
                date(xml, "ram:DueDateDateTime", due);
            }
        });
        summation(xml, invoice);
        if let Some(preceding) = &invoice.preceding {
            xml.group("ram:InvoiceReferencedDocument", |xml| {
                xml.leaf("ram:IssuerAssignedID", &preceding.number);
                xml.group("ram:FormattedIssueDateTime", |xml| {
                    xml.leaf_with("qdt:DateTimeString", &[("format", "102")], &day(preceding.issued));
                });
            });
        }
    });
}

fn means(xml: &mut Xml, invoice: &Invoice) {
    let Some(payment) = &invoice.payment else { return };
    let accounts = payment.accounts.iter().map(Some);
    let without = payment.accounts.is_empty().then_some(None);
    for account in accounts.chain(without) {
        xml.group("ram:SpecifiedTradeSettlementPaymentMeans", |xml| {
            xml.leaf("ram:TypeCode", &payment.means_code);
            let Some(account) = account else { return };
            xml.group("ram:PayeePartyCreditorFinancialAccount", |xml| {
                // SEPA pays to IBANs only; any other number is the bank's own.
                let is_iban = account.id.as_bytes().first_chunk::<4>().is_some_and(|[a, b, c, d]| {
                    a.is_ascii_uppercase()
                        && b.is_ascii_uppercase()
                        && c.is_ascii_digit()
                        && d.is_ascii_digit()
                });
                if is_iban {
                    xml.leaf("ram:IBANID", &account.id);
                }
                xml.optional("ram:AccountName", account.name.as_deref());
                if !is_iban {
                    xml.leaf("ram:ProprietaryID", &account.id);
                }
            });
            xml.group("ram:PayeeSpecifiedCreditorFinancialInstitution", |xml| {
                xml.optional("ram:BICID", account.bank.as_deref());
            });
        });
    }
}

fn tax(xml: &mut Xml, subtotal: &TaxSubtotal) {
    xml.group("ram:ApplicableTradeTax", |xml| {
        xml.leaf("ram:CalculatedAmount", &subtotal.amount.to_string());
        xml.leaf("ram:TypeCode", VAT);
        xml.optional("ram:ExemptionReason", subtotal.exemption_reason.as_deref());
        xml.leaf("ram:BasisAmount", &subtotal.taxable.to_string());
        xml.leaf("ram:CategoryCode", subtotal.tax.category.code());
        xml.optional("ram:ExemptionReasonCode", subtotal.exemption_code.as_deref());
        rate(xml, subtotal.tax);
    });
}

fn allowance_charge(xml: &mut Xml, adjustment: &Adjustment) {
    xml.group("ram:SpecifiedTradeAllowanceCharge", |xml| {
        let is_charge = adjustment.kind == AdjustmentKind::Charge;
        xml.group("ram:ChargeIndicator", |xml| {
            xml.leaf("udt:Indicator", if is_charge { "true" } else { "false" });
        });
        xml.leaf("ram:ActualAmount", &adjustment.amount.to_string());
        xml.optional("ram:ReasonCode", adjustment.reason_code.as_deref());
        xml.leaf("ram:Reason", &adjustment.reason);
        xml.group("ram:CategoryTradeTax", |xml| category(xml, adjustment.tax));
    });
}

fn summation(xml: &mut Xml, invoice: &Invoice) {
    let totals = invoice.totals;
    xml.group("ram:SpecifiedTradeSettlementHeaderMonetarySummation", |xml| {
        xml.leaf("ram:LineTotalAmount", &totals.lines.to_string());
        optional(xml, "ram:ChargeTotalAmount", totals.charges);
        optional(xml, "ram:AllowanceTotalAmount", totals.allowances);
        xml.leaf("ram:TaxBasisTotalAmount", &totals.net.to_string());
        let taxes = std::iter::once(totals.tax).chain(invoice.tax_currency.as_ref().map(|tax| tax.tax));
        for tax in taxes {
            xml.leaf_with("ram:TaxTotalAmount", &[("currencyID", tax.currency().as_str())], &tax.to_string());
        }
        optional(xml, "ram:RoundingAmount", totals.rounding);
        xml.leaf("ram:GrandTotalAmount", &totals.gross.to_string());
        optional(xml, "ram:TotalPrepaidAmount", totals.prepaid);
        xml.leaf("ram:DuePayableAmount", &totals.due.to_string());
    });
}

fn optional(xml: &mut Xml, name: &str, amount: Invoiced) {
    if amount.units() != 0 {
        xml.leaf(name, &amount.to_string());
    }
}
