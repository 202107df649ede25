//! Writes of rows that are no settings: each once per client token, in one transaction with its audit entry.

use crate::desk::{BackOffice, WriteRequest, repeated};
use crate::error::{Answer, Error};
use crate::hash::sha256;
use crate::transaction::{Attempt, State};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use store::{TokenRow, Write};

impl BackOffice {
    /// Makes a change of rows that are no settings: all that `act` writes in one transaction, once per client token. `act` gives the write back with
    /// what is answered, and may be called again where somebody was faster.
    pub(crate) async fn once<T, F>(
        &self,
        request: &WriteRequest<'_>,
        act: impl Fn(Write, Arc<State>) -> F + Sync,
    ) -> Answer<T>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Future<Output = Result<(Write, T), Attempt>> + Send,
    {
        let payer = &request.caller.payer;
        let (act, input_hash) = (&act, &sha256(request.input));
        self.transaction(payer, |store, state| async move {
            if let Some(token) = request.token
                && let Some(earlier) = store.token(payer, request.action, token).await?
            {
                return Ok((state, repeated(&earlier, input_hash)?));
            }
            let write = store.write(payer, &state.head).await?;
            let (mut write, answer) = act(write, state.clone()).await?;
            let outcome = serde_json::to_string(&answer).map_err(Error::internal)?;
            if let Some(token) = request.token {
                let row = TokenRow {
                    operation: request.action.to_owned(),
                    token: token.to_owned(),
                    input_hash: input_hash.clone(),
                    outcome: outcome.clone(),
                    created_at_ms: request.caller.now.saturating_mul(1_000),
                };
                write.put_token(row).await?;
            }
            let resource = if request.resource.is_empty() { &outcome } else { request.resource };
            Ok((state.commit(write, [request.done(resource)]).await?, answer))
        })
        .await
    }
}
