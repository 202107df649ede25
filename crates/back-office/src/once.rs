//! Writes of rows that are no settings: each once per client token, in one transaction with its audit entry.

use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::transaction::{Attempt, State};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use store::Write;

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
        let act = &act;
        self.transaction(payer, |store, state| async move {
            if let Some(answer) = request.answered(&store).await? {
                return Ok((state, answer));
            }
            let write = store.write(payer, &state.head).await?;
            let (mut write, answer) = act(write, state.clone()).await?;
            let outcome = serde_json::to_string(&answer).map_err(Error::internal)?;
            request.keep_answer(&mut write, &outcome).await?;
            let resource = if request.resource.is_empty() { &outcome } else { request.resource };
            Ok((state.commit(write, [request.done(resource)]).await?, answer))
        })
        .await
    }
}
