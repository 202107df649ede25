//! Invoice profiles: to whom at which address the invoices of an account go. The operator says them; AWS takes them from tax settings and contacts.

use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::invoicing::{InvoicingReason, InvoicingRefusal};
use billing::account::AccountId;
use store::{InvoicingDocument, InvoicingKind};

impl BackOffice {
    /// Keeps the profile of an account, in place of the one that it has: JSON in the API's shape `InvoiceProfile`.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where the account is none of the payer's.
    pub async fn put_invoice_profile(
        &self,
        request: &WriteRequest<'_>,
        account: &AccountId,
        profile: &str,
    ) -> Answer<()> {
        let now = request.caller.now;
        self.once(request, |mut write, state| async move {
            let of = &state.configuration;
            let is_there = of.payer == *account
                || of.family.get(account).map_or(!of.family_is_complete, |known| {
                    known.is_there(Clock::period_of(now))
                });
            if !is_there {
                let message = format!(
                    "account {account} is not of the payer's organization; declare it with `proforma accounts import`"
                );
                let reason = InvoicingReason::NonMemberPresent;
                return Err(Error::from(InvoicingRefusal::of(reason, "AccountId", message)).into());
            }
            let rows = write.invoicing_documents(InvoicingKind::Profile).await?;
            let last = rows.iter().find(|row| row.id == account.as_str());
            if last.is_none_or(|last| last.body != profile) {
                let row = InvoicingDocument {
                    id: account.to_string(),
                    version: last.map_or(0, |last| last.version) + 1,
                    recorded_at_s: now,
                    is_deleted: false,
                    body: profile.to_owned(),
                };
                write.put_invoicing_documents(InvoicingKind::Profile, vec![row]).await?;
            }
            Ok((write, ()))
        })
        .await
    }

    /// The profiles that there are, by account: JSON in the API's shape `InvoiceProfile`.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn invoice_profiles(&self, payer: &AccountId) -> Answer<Vec<(String, String)>> {
        let rows = self.0.store.invoicing_documents(payer, InvoicingKind::Profile).await;
        let mut profiles: Vec<_> =
            rows.map_err(Error::internal)?.into_iter().map(|row| (row.id, row.body)).collect();
        profiles.sort();
        Ok(profiles)
    }
}
