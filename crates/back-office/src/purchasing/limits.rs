//! What principals are narrowed to among purchase orders: some operations, orders with some tags, some keys of tags.

use super::RETIRED_ACTIONS;
use crate::authorization::ACTIONS;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::account::AccountId;
use std::collections::BTreeMap;
use store::GrantRow;

/// What a principal is narrowed to.
pub type Limits = GrantRow;

/// What a principal is to be narrowed to.
#[derive(Debug, Clone, Default)]
pub struct NewLimits {
    /// The principal.
    pub principal: String,
    /// The operations, by their IAM names, with the service before them or not, the retired ones among them; `*` is every one.
    pub actions: Vec<String>,
    /// The tags that an order has for it: `aws:ResourceTag`, and `aws:RequestTag` of what it adds.
    pub tags: BTreeMap<String, String>,
    /// The keys that it may tag with: `aws:TagKeys`.
    pub tag_keys: Option<Vec<String>>,
    /// Whether it is narrowed no more. That is said on its own: a forgotten operation must not give a principal everything.
    pub none: bool,
}

impl NewLimits {
    /// The operations that are meant, sorted; none where the principal is narrowed no more.
    fn actions(&self) -> Result<Vec<String>, Declined> {
        let of_tags = !self.tags.is_empty() || self.tag_keys.is_some();
        match (self.none, self.actions.is_empty()) {
            (false, true) => {
                let message = format!(
                    "the limits of principal `{}` name no action; name those that it may do, `*` for every one, or say that it has no limits",
                    self.principal
                );
                return Err(Declined::invalid(message));
            }
            (true, has_no_actions) if of_tags || !has_no_actions => {
                let message = format!(
                    "principal `{}` is to have no limits and is given some; give limits, or say that it has none",
                    self.principal
                );
                return Err(Declined::invalid(message));
            }
            _ => {}
        }
        let actions = self.actions.iter().map(|text| known(text)).collect::<Result<Vec<_>, Declined>>()?;
        let mut actions: Vec<String> = actions.into_iter().flatten().collect();
        actions.sort();
        actions.dedup();
        Ok(actions)
    }
}

/// The service's name before an action.
const SERVICE: &str = "purchase-orders";

impl BackOffice {
    /// Narrows a principal, or takes that back.
    ///
    /// # Errors
    /// [`Error::Declined`] where no action is named or one is none, or there is no such principal.
    pub async fn limit_orders(&self, request: &WriteRequest<'_>, new: &NewLimits) -> Answer<()> {
        let payer = &request.caller.payer;
        let actions = &new.actions()?;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            let Some(principal) = write.principal(&new.principal).await? else {
                let declined = Declined::NotFound { kind: "principal", id: new.principal.clone() };
                return Err(Error::from(declined).into());
            };
            if new.none {
                write.delete_purchase_order_grant(&principal.name).await?;
            } else {
                let row = GrantRow {
                    principal: principal.name,
                    actions: actions.clone(),
                    tags: new.tags.clone(),
                    tag_keys: new.tag_keys.clone(),
                    recorded_at_s: request.caller.now,
                    recorded_by: request.caller.principal.clone(),
                };
                write.put_purchase_order_grant(&row).await?;
            }
            Ok((state.commit(write, [request.done(&new.principal)]).await?, ()))
        })
        .await
    }

    /// Every principal that is narrowed.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn order_limits(&self, payer: &AccountId) -> Answer<Vec<Limits>> {
        self.0.store.purchase_order_grants(payer).await.map_err(Error::internal)
    }
}

/// The actions that a text names, those that AWS has retired as the ones that came in their place.
fn known(text: &str) -> Result<Vec<String>, Declined> {
    let action = text.strip_prefix("purchase-orders:").unwrap_or(text);
    let of_service = || ACTIONS.iter().filter(|(service, ..)| *service == SERVICE).map(|(_, name, _)| *name);
    if action == "*" {
        return Ok(of_service().map(str::to_owned).collect());
    }
    if let Some((_, actions)) = RETIRED_ACTIONS.iter().find(|(retired, _)| *retired == action) {
        return Ok(actions.iter().map(|action| (*action).to_owned()).collect());
    }
    let found = of_service().find(|name| *name == action);
    found.map(|name| vec![name.to_owned()]).ok_or_else(|| {
        let retired = RETIRED_ACTIONS.iter().map(|(retired, _)| *retired);
        let all = of_service().chain(retired).collect::<Vec<_>>().join(", ");
        Declined::invalid(format!("`{text}` is no action of purchase orders; there are {all}"))
    })
}
