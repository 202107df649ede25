//! Invoice units, with every version of each.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::invoice_unit::InvoiceUnit;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::collections::BTreeSet;

const TABLE: &str = "invoice_units";
const COLUMNS: &str = "id, version, recorded_at_s, is_deleted, name, receiver, description, is_tax_inheritance_disabled, \
     linked_accounts, bill_source_accounts";

/// A version of an invoice unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceUnitRow {
    /// What the unit is since then.
    pub unit: InvoiceUnit,
    /// From 1 on without gaps.
    pub version: u64,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// Whether the unit ends with it.
    pub is_deleted: bool,
}

impl Store {
    /// The invoice units of a payer as they stood at an instant, those that were deleted by then left out, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_units(
        &self,
        payer: &AccountId,
        at_s: i64,
    ) -> Result<Vec<InvoiceUnitRow>, StoreError> {
        let mut rows = units(&mut *self.readers().acquire().await?, payer, at_s, None).await?;
        rows.retain(|row| !row.is_deleted);
        Ok(rows)
    }

    /// An invoice unit as it stood at an instant; `None` where it was not there then, or no more.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_unit(
        &self,
        payer: &AccountId,
        id: &str,
        at_s: i64,
    ) -> Result<Option<InvoiceUnitRow>, StoreError> {
        let rows = units(&mut *self.readers().acquire().await?, payer, at_s, Some(id)).await?;
        Ok(rows.into_iter().find(|row| !row.is_deleted))
    }
}

impl Write {
    /// The last version of every invoice unit of the payer, the deleted ones among them, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_units(&mut self) -> Result<Vec<InvoiceUnitRow>, StoreError> {
        let payer = self.payer().clone();
        units(self.connection(), &payer, i64::MAX, None).await
    }

    /// Keeps a version of an invoice unit.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_invoice_unit(&mut self, row: InvoiceUnitRow) -> Result<(), StoreError> {
        let InvoiceUnitRow { unit, version, recorded_at_s, is_deleted } = row;
        let accounts = |accounts: &BTreeSet<AccountId>| {
            sql::to_json(&accounts.iter().map(AccountId::as_str).collect::<Vec<_>>())
        };
        let values = vec![
            self.payer_value(),
            accounts(&unit.linked_accounts)?.into(),
            accounts(&unit.bill_source_accounts)?.into(),
            unit.id.into(),
            sql::whole(version)?.into(),
            recorded_at_s.into(),
            i64::from(is_deleted).into(),
            unit.name.into(),
            unit.receiver.as_str().into(),
            unit.description.into(),
            i64::from(unit.is_tax_inheritance_disabled).into(),
        ];
        let into = "INSERT INTO invoice_units (payer, linked_accounts, bill_source_accounts, id, version, recorded_at_s, is_deleted, \
             name, receiver, description, is_tax_inheritance_disabled)";
        self.put(into, values, "").await?;
        Ok(())
    }
}

/// The version of each unit that held at an instant, or of one unit.
async fn units(
    connection: &mut AnyConnection,
    payer: &AccountId,
    at_s: i64,
    id: Option<&str>,
) -> Result<Vec<InvoiceUnitRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM invoice_units WHERE payer = $1 AND recorded_at_s <= $2 AND ($3 IS NULL OR id = $3) \
         AND version = (SELECT MAX(later.version) FROM invoice_units later \
             WHERE later.payer = invoice_units.payer AND later.id = invoice_units.id AND later.recorded_at_s <= $2) \
         ORDER BY id"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(sql));
    let query = query.bind(payer.as_str()).bind(at_s).bind(id.map(str::to_owned));
    query.fetch_all(connection).await?.iter().map(unit_row).collect()
}

fn unit_row(row: &AnyRow) -> Result<InvoiceUnitRow, StoreError> {
    let accounts = |name: &str| -> Result<BTreeSet<AccountId>, StoreError> {
        let texts: Vec<String> = sql::json(row, TABLE, name)?;
        let account = |text: &String| {
            AccountId::parse(text).ok_or_else(|| {
                StoreError::damaged(TABLE, format!("`{name}` has `{text}`, which is no account"))
            })
        };
        texts.iter().map(account).collect()
    };
    Ok(InvoiceUnitRow {
        unit: InvoiceUnit {
            id: sql::column(row, "id")?,
            name: sql::column(row, "name")?,
            receiver: sql::account(row, TABLE, "receiver")?,
            description: sql::column(row, "description")?,
            is_tax_inheritance_disabled: sql::flag(row, "is_tax_inheritance_disabled")?,
            linked_accounts: accounts("linked_accounts")?,
            bill_source_accounts: accounts("bill_source_accounts")?,
        },
        version: sql::count(row, TABLE, "version")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        is_deleted: sql::flag(row, "is_deleted")?,
    })
}
