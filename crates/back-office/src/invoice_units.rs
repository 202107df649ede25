//! Invoice units: made, changed, deleted, and as they stood at any time.

use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::invoicing::{InvoicingRefusal, InvoicingResource, name, tagged};
use crate::transaction::Attempt;
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::configuration::Configuration;
use billing::invoice_unit::{Family, InvoiceUnit, check_new, check_rule};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use store::Write;

pub use store::InvoiceUnitRow;

const KIND: InvoicingResource = InvoicingResource::InvoiceUnit;

/// An invoice unit that somebody makes.
#[derive(Debug, Clone)]
pub struct NewInvoiceUnit {
    /// Its name, for good.
    pub name: String,
    /// The account that gets its invoices, for good.
    pub receiver: AccountId,
    /// What the operator says of it.
    pub description: Option<String>,
    /// Whether the tax settings of the receiver are not those of the accounts.
    pub is_tax_inheritance_disabled: bool,
    /// Whose charges it has.
    pub rule: UnitRule,
    /// Its first tags.
    pub tags: Vec<(String, String)>,
}

/// Whose charges a unit has.
#[derive(Debug, Clone, Default)]
pub struct UnitRule {
    /// Accounts of the organization.
    pub linked_accounts: BTreeSet<AccountId>,
    /// Payers of other organizations.
    pub bill_source_accounts: BTreeSet<AccountId>,
}

/// What of a unit is to be otherwise.
#[derive(Debug, Clone, Default)]
pub struct UnitChange {
    /// Another description.
    pub description: Option<String>,
    /// Another inheritance of tax settings.
    pub is_tax_inheritance_disabled: Option<bool>,
    /// Other accounts, in place of all that it has.
    pub rule: Option<UnitRule>,
}

impl BackOffice {
    /// Makes an invoice unit; its ARN.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where it may not stand beside those that there are.
    pub async fn create_invoice_unit(
        &self,
        request: &WriteRequest<'_>,
        new: NewInvoiceUnit,
    ) -> Answer<String> {
        let (payer, now, new) = (&request.caller.payer, request.caller.now, &new);
        self.once(request, |mut write, state| async move {
            let tags = tagged(BTreeMap::new(), &new.tags).map_err(Error::from)?;
            let rows = write.invoice_units().await?;
            // An id is never given out twice: tags and invoices of the old unit would be the new one's.
            let unit = loop {
                let id = new_resource_id().map_err(Error::internal)?;
                if rows.iter().all(|row| row.unit.id != id) {
                    break new.unit(id);
                }
            };
            let family = FamilyOf { configuration: &state.configuration, period: Clock::period_of(now) };
            check_new(&living(&rows), &unit, &family).map_err(refused)?;
            let id = unit.id.clone();
            let row = InvoiceUnitRow { unit, version: 1, recorded_at_s: now, is_deleted: false };
            write.put_invoice_unit(row).await?;
            if !tags.is_empty() {
                write.put_invoicing_tags(&name(KIND, &id), &tags).await?;
            }
            Ok((write, KIND.arn(payer, &id)))
        })
        .await
    }

    /// Changes an invoice unit; its ARN. Invoices that are made from the end of the month on go by it.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where there is no such unit, or it may not be so beside the others.
    pub async fn update_invoice_unit(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        change: UnitChange,
    ) -> Answer<String> {
        let (payer, now, change) = (&request.caller.payer, request.caller.now, &change);
        let id = KIND.id_of(payer, arn)?;
        self.once(request, |mut write, state| async move {
            let (rows, row) = found(&mut write, id, arn).await?;
            let unit = change.of(row.unit.clone());
            let family = FamilyOf { configuration: &state.configuration, period: Clock::period_of(now) };
            check_rule(&living(&rows), &unit, &family).map_err(refused)?;
            if unit != row.unit {
                let version = row.version + 1;
                write
                    .put_invoice_unit(InvoiceUnitRow { unit, version, recorded_at_s: now, is_deleted: false })
                    .await?;
            }
            Ok((write, KIND.arn(payer, id)))
        })
        .await
    }

    /// Deletes an invoice unit; its ARN. What it was can be read with the time when it was.
    ///
    /// # Errors
    /// [`InvoicingRefusal::NotFound`].
    pub async fn delete_invoice_unit(&self, request: &WriteRequest<'_>, arn: &str) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        let id = KIND.id_of(payer, arn)?;
        self.once(request, |mut write, _| async move {
            let (_, row) = found(&mut write, id, arn).await?;
            let version = row.version + 1;
            write
                .put_invoice_unit(InvoiceUnitRow { version, recorded_at_s: now, is_deleted: true, ..row })
                .await?;
            Ok((write, KIND.arn(payer, id)))
        })
        .await
    }

    /// An invoice unit as it stood at an instant, in seconds since 1970-01-01T00:00:00Z, or as it stands.
    ///
    /// # Errors
    /// [`InvoicingRefusal::NotFound`] where it was not there then.
    pub async fn invoice_unit(
        &self,
        payer: &AccountId,
        arn: &str,
        as_of: Option<i64>,
    ) -> Answer<InvoiceUnitRow> {
        let id = KIND.id_of(payer, arn)?;
        let row = self.0.store.invoice_unit(payer, id, as_of.unwrap_or(i64::MAX)).await;
        let row = row.map_err(Error::internal)?;
        row.ok_or_else(|| InvoicingRefusal::not_found(KIND.name(), arn).into())
    }

    /// The invoice units as they stood at an instant, or as they stand, by id.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn invoice_units(&self, payer: &AccountId, as_of: Option<i64>) -> Answer<Vec<InvoiceUnitRow>> {
        let rows = self.0.store.invoice_units(payer, as_of.unwrap_or(i64::MAX)).await;
        let mut rows = rows.map_err(Error::internal)?;
        // By their bytes, whatever the database holds for the order of letters.
        rows.sort_by(|one, other| one.unit.id.cmp(&other.unit.id));
        Ok(rows)
    }
}

impl NewInvoiceUnit {
    fn unit(&self, id: String) -> InvoiceUnit {
        InvoiceUnit {
            id,
            name: self.name.clone(),
            receiver: self.receiver.clone(),
            description: self.description.clone(),
            is_tax_inheritance_disabled: self.is_tax_inheritance_disabled,
            linked_accounts: self.rule.linked_accounts.clone(),
            bill_source_accounts: self.rule.bill_source_accounts.clone(),
        }
    }
}

impl UnitChange {
    /// The unit as it is to be.
    fn of(&self, unit: InvoiceUnit) -> InvoiceUnit {
        let Self { description, is_tax_inheritance_disabled, rule } = self.clone();
        let rule = rule.unwrap_or_else(|| UnitRule {
            linked_accounts: unit.linked_accounts.clone(),
            bill_source_accounts: unit.bill_source_accounts.clone(),
        });
        InvoiceUnit {
            description: description.or(unit.description),
            is_tax_inheritance_disabled: is_tax_inheritance_disabled
                .unwrap_or(unit.is_tax_inheritance_disabled),
            linked_accounts: rule.linked_accounts,
            bill_source_accounts: rule.bill_source_accounts,
            ..unit
        }
    }
}

/// Every unit, and the one of an id.
async fn found(
    write: &mut Write,
    id: &str,
    arn: &str,
) -> Result<(Vec<InvoiceUnitRow>, InvoiceUnitRow), Attempt> {
    let rows = write.invoice_units().await?;
    let row = rows.iter().find(|row| row.unit.id == id && !row.is_deleted).cloned();
    let row = row.ok_or_else(|| Error::from(InvoicingRefusal::not_found(KIND.name(), arn)))?;
    Ok((rows, row))
}

fn living(rows: &[InvoiceUnitRow]) -> Vec<InvoiceUnit> {
    rows.iter().filter(|row| !row.is_deleted).map(|row| row.unit.clone()).collect()
}

fn refused(refusal: billing::invoice_unit::Refusal) -> Error {
    InvoicingRefusal::from(refusal).into()
}

/// The accounts of a payer, as far as they are known: where nobody has declared them, any account may be one.
struct FamilyOf<'a> {
    configuration: &'a Configuration,
    period: BillingPeriod,
}

impl Family for FamilyOf<'_> {
    fn has(&self, account: &AccountId) -> bool {
        let Configuration { payer, family, family_is_complete, .. } = self.configuration;
        account == payer
            || family.get(account).map_or(!family_is_complete, |known| known.is_there(self.period))
    }

    fn has_source(&self, account: &AccountId) -> bool {
        let transfers = &self.configuration.transfers;
        transfers.is_empty() || transfers.values().any(|transfer| transfer.source == *account)
    }
}
