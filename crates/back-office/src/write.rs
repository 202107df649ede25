//! A write: who asks for what, the edit that it makes of a configuration, and how that is kept.

use crate::audit::{Decision, Entry};
use crate::authorization::{Caller, Scope};
use crate::changes;
use crate::clock::Clock;
use crate::error::{Answer, Error, refused};
use crate::hash::sha256;
use crate::transaction::{Attempt, State};
use crate::vault::new_resource_id;
use billing::configuration::{BillingGroupId, Configuration, Edit, Moment, Touched};
use billing::period::BillingPeriod;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Store, StoreError, TokenRow, Write};

/// A write that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct WriteRequest<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// What, as IAM names it: `billingconductor:CreateBillingGroup`.
    pub action: &'a str,
    /// The client's token, where it gave one.
    pub token: Option<&'a str>,
    /// What was asked for, in one fixed form: it is compared where a token comes again, and kept in the audit.
    pub input: &'a str,
    /// On what: an ARN or an id as the client wrote it; empty for what is created.
    pub resource: &'a str,
    /// The period from which on it holds, where the operator says one.
    pub period: Option<BillingPeriod>,
}

impl WriteRequest<'_> {
    /// When it is made, and for when.
    pub(crate) fn moment(&self) -> Moment {
        let now = self.caller.now;
        let current = Clock::period_of(now);
        Moment { now, current, period: self.period.unwrap_or(current) }
    }

    /// The entry that says that it was done, of what it made or changed.
    pub(crate) fn done(&self, resource: &str) -> Entry {
        Entry::now(self.caller, self.action, resource, self.input, Decision::Done)
    }

    /// What was answered when the request came first with its client token; `None` where it has none, or comes for the first time.
    ///
    /// # Errors
    /// [`Error::Refused`] where another request came with the same token.
    pub(crate) async fn answered<T: DeserializeOwned>(&self, store: &Store) -> Result<Option<T>, Attempt> {
        let Some(token) = self.token else { return Ok(None) };
        let earlier = store.token(&self.caller.payer, &self.token_space(), token).await?;
        let Some(earlier) = earlier else { return Ok(None) };
        if earlier.input_hash != sha256(self.input) {
            let message =
                "the client token was used before with another input; give each request a token of its own";
            return Err(refused(message).into());
        }
        Ok(Some(serde_json::from_str(&earlier.outcome).map_err(Error::internal)?))
    }

    /// Keeps what is answered under the client token, where the request has one.
    pub(crate) async fn keep_answer(&self, write: &mut Write, outcome: &str) -> Result<(), StoreError> {
        let Some(token) = self.token else { return Ok(()) };
        let row = TokenRow {
            operation: self.token_space(),
            token: token.to_owned(),
            input_hash: sha256(self.input),
            outcome: outcome.to_owned(),
            created_at_ms: self.caller.now.saturating_mul(1_000),
        };
        write.put_token(row).await
    }

    /// Under what client tokens are kept: those of a customer are its own, so that none is told what another one's request has made. It names nobody.
    fn token_space(&self) -> String {
        match &self.caller.scope {
            Scope::Payer => self.action.to_owned(),
            Scope::Groups { groups, .. } => {
                let groups: Vec<_> = groups.iter().map(BillingGroupId::as_str).collect();
                let whose = token_owner(&self.caller.principal, self.caller.principal_since_ms);
                format!("{} {} {whose}", self.action, groups.join(","))
            }
        }
    }

    /// Edits a configuration.
    pub(crate) fn edit<T, E: Into<Error>>(
        &self,
        configuration: &Configuration,
        operation: impl FnOnce(&mut Edit<'_>) -> Result<T, E>,
    ) -> Answer<Edited<T>> {
        // A system that has random bytes once goes on having them.
        let first = new_resource_id().map_err(Error::internal)?;
        let mut fresh = || new_resource_id().unwrap_or_else(|_| first.clone());
        let mut edit = Edit::begin(configuration, self.moment(), &mut fresh)?;
        let outcome = operation(&mut edit).map_err(Into::into)?;
        let (next, touched) = edit.finish();
        Ok(Edited { next, touched, outcome })
    }
}

/// A principal as client tokens know it: another one that has its name later is another owner.
pub(crate) fn token_owner(principal: &str, since_ms: i64) -> String {
    sha256(&format!("{since_ms} {principal}"))
}

/// What an edit came to.
pub(crate) struct Edited<T> {
    /// The next configuration.
    pub next: Configuration,
    /// What differs in it.
    pub touched: BTreeSet<Touched>,
    /// What the operation answers.
    pub outcome: T,
}

impl<T> Edited<T> {
    /// Commits it in a transaction: the rows that differ, the audit entry, and the runs that follow.
    pub async fn commit(
        self,
        at: (&State, Write),
        request: &WriteRequest<'_>,
        resource: &str,
    ) -> Result<(Arc<State>, T), Attempt> {
        self.commit_with(at, request, resource, Vec::new()).await
    }

    /// Commits it as [`commit`](Self::commit) does, with entries of what followed from it.
    pub async fn commit_with(
        self,
        (state, mut write): (&State, Write),
        request: &WriteRequest<'_>,
        resource: &str,
        followed: Vec<Entry>,
    ) -> Result<(Arc<State>, T), Attempt> {
        let Self { next, touched, outcome } = self;
        write.save(&next, &touched, request.moment().now).await?;
        let reach = changes::reach(&state.configuration, &next, &touched);
        changes::queue_reached(&mut write, &next, reach).await?;
        let entries = std::iter::once(request.done(resource)).chain(followed);
        Ok((state.commit_next(next, write, entries).await?, outcome))
    }
}
