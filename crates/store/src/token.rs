//! Client tokens: a request that is repeated with its token is answered as it was the first time.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;

/// How long a client token is kept: a job of the end of one month may be repeated at the end of the next.
pub const TOKEN_DAYS_KEPT: i64 = 35;
const DAY_MS: i64 = 86_400_000;

/// A client token, and what came of the request that had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The operation.
    pub operation: String,
    /// The token.
    pub token: String,
    /// The hash of the request, so that another one with the same token is refused.
    pub input_hash: String,
    /// What was answered.
    pub outcome: String,
    /// When.
    pub created_at_ms: i64,
}

impl Store {
    /// What came of the request that had a token.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn token(
        &self,
        payer: &AccountId,
        operation: &str,
        token: &str,
    ) -> Result<Option<TokenRow>, StoreError> {
        let sql = "SELECT input_hash, outcome, created_at_ms FROM client_tokens \
             WHERE payer = $1 AND operation = $2 AND token = $3";
        let query = sqlx::query(sql).bind(payer.as_str()).bind(operation).bind(token);
        let Some(row) = query.fetch_optional(self.readers()).await? else { return Ok(None) };
        Ok(Some(TokenRow {
            operation: operation.to_owned(),
            token: token.to_owned(),
            input_hash: sql::column(&row, "input_hash")?,
            outcome: sql::column(&row, "outcome")?,
            created_at_ms: sql::column(&row, "created_at_ms")?,
        }))
    }

    /// Forgets the tokens of all payers that are older than [`TOKEN_DAYS_KEPT`]; how many.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn forget_tokens(&self, now_ms: i64) -> Result<u64, StoreError> {
        let query = sqlx::query("DELETE FROM client_tokens WHERE created_at_ms < $1");
        let done = query.bind(now_ms - TOKEN_DAYS_KEPT * DAY_MS).execute(self.writer()).await?;
        Ok(done.rows_affected())
    }
}

impl Write {
    /// Keeps a client token.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_token(&mut self, row: TokenRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.operation.into(),
            row.token.into(),
            row.input_hash.into(),
            row.outcome.into(),
            row.created_at_ms.into(),
        ];
        let into = "INSERT INTO client_tokens (payer, operation, token, input_hash, outcome, created_at_ms)";
        self.put(into, values, "").await?;
        Ok(())
    }

    /// Forgets the client tokens whose operation ends with a word of their owner's.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn forget_tokens_of(&mut self, owner: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM client_tokens WHERE payer = $1 AND operation LIKE '% ' || $2";
        let query = sqlx::query(sql).bind(self.payer().as_str().to_owned()).bind(owner.to_owned());
        query.execute(self.connection()).await?;
        Ok(())
    }
}
