//! Who may do what with which orders: by role, by billing group, and by what a principal is narrowed to.
//!
//! Source of the operations: AWS service authorization reference, "Actions, resources, and condition keys for AWS Purchase Orders Console"; of tags: AWS Billing user
//! guide, "Managing access to purchase orders with tags". The conditions `aws:ResourceTag`, `aws:RequestTag` and `aws:TagKeys` are what a principal may be narrowed by.

use super::state::Purchasing;
use crate::authorization::{Caller, Scope};
use crate::desk::BackOffice;
use crate::error::{Answer, Declined, Error};
use billing::account::AccountId;
use billing::arn::Arn;
use billing::configuration::{BillingGroupId, Configuration, ResourceType, arn};
use billing::period::BillingPeriod;
use billing::purchase_order::{Buyer, PurchaseOrder, PurchaseOrderId};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{GrantRow, OrderRow};

/// The two actions that AWS has retired, and the ones that came in place of each.
pub const RETIRED_ACTIONS: &[(&str, &[&str])] = &[
    (
        "ViewPurchaseOrders",
        &["GetPurchaseOrder", "ListPurchaseOrders", "ListPurchaseOrderInvoices", "ListTagsForResource"],
    ),
    (
        "ModifyPurchaseOrders",
        &["AddPurchaseOrder", "DeletePurchaseOrder", "UpdatePurchaseOrder", "UpdatePurchaseOrderStatus"],
    ),
];

/// What a refusal calls an order.
pub(crate) const ORDER: &str = "purchase order";
/// What stands before an order's id in its ARN.
const OF_PAYER: &str = "purchase-order/";
/// What stands before the billing group's id in the ARN of a customer's order.
const OF_GROUP: &str = "billinggroup/";

/// The ARN of an order. One of a customer has its billing group in it: two buyers may give the same number.
#[must_use]
pub fn order_arn(payer: &AccountId, buyer: &Buyer, id: &PurchaseOrderId) -> String {
    let start = format!("arn:aws:purchase-orders::{payer}:");
    match buyer {
        Buyer::Payer => format!("{start}{OF_PAYER}{id}"),
        Buyer::BillingGroup(group) => format!("{start}{OF_GROUP}{group}/{OF_PAYER}{id}"),
    }
}

/// The buyer and the id that an ARN names; `None` where it is none of the payer.
fn of_arn(payer: &AccountId, text: &str) -> Option<(Buyer, PurchaseOrderId)> {
    let name = Arn::resource(text, "purchase-orders", payer)?;
    if let Some(id) = name.strip_prefix(OF_PAYER) {
        return Some((Buyer::Payer, PurchaseOrderId::parse(id)?));
    }
    let (group, id) = name.strip_prefix(OF_GROUP)?.split_once('/')?;
    let buyer = Buyer::BillingGroup(BillingGroupId::parse(group)?);
    Some((buyer, PurchaseOrderId::parse(id.strip_prefix(OF_PAYER)?)?))
}

/// What a caller may do with orders.
pub(crate) struct Rights<'a> {
    caller: &'a Caller,
    narrowed: Option<GrantRow>,
}

impl BackOffice {
    /// What a caller may do with orders, as far as it may do an operation of the service at all.
    pub(crate) async fn order_rights<'a>(&self, caller: &'a Caller, action: &str) -> Answer<Rights<'a>> {
        // Whoever is narrowed to accounts of a group has nothing to do with what the group as a whole orders.
        if matches!(&caller.scope, Scope::Groups { accounts: Some(_), .. }) {
            return Err(Error::Denied);
        }
        let rights = self.order_sight(caller).await?;
        let operation = action.split_once(':').map_or(action, |(_, operation)| operation);
        if rights.may(operation) { Ok(rights) } else { Err(Error::Denied) }
    }

    /// Which orders may be named to a caller beside something else, which it may see whatever it may do with orders.
    pub(crate) async fn order_sight<'a>(&self, caller: &'a Caller) -> Answer<Rights<'a>> {
        let narrowed = self.0.store.purchase_order_grant(&caller.payer, &caller.principal).await;
        Ok(Rights { caller, narrowed: narrowed.map_err(Error::internal)? })
    }
}

impl Rights<'_> {
    /// Whether an operation is among those that the caller is narrowed to. Those of the desk's own that show orders go with the one that AWS has for it; the
    /// others are about all of them, and nobody who is narrowed has them.
    fn may(&self, operation: &str) -> bool {
        let Some(narrowed) = &self.narrowed else { return true };
        let of_aws = match operation {
            "ListPurchaseOrderRevisions" | "GetPurchaseOrderForecast" => "GetPurchaseOrder",
            other => other,
        };
        let expands = |action: &String| {
            let of = RETIRED_ACTIONS.iter().find(|(retired, _)| action == retired);
            action == of_aws || of.is_some_and(|(_, actions)| actions.contains(&of_aws))
        };
        narrowed.actions.iter().any(expands)
    }

    /// Whether an order is one that the caller may see: `aws:ResourceTag`.
    pub fn sees(&self, order: &PurchaseOrder) -> bool {
        self.sees_buyer(&order.buyer) && self.has_tags(&order.tags)
    }

    /// Whether an order may be named to the caller beside an invoice.
    pub fn names(&self, order: &PurchaseOrder) -> bool {
        self.may("ListPurchaseOrderInvoices") && self.sees(order)
    }

    /// Whether a buyer is one that the caller may see.
    pub fn sees_buyer(&self, buyer: &Buyer) -> bool {
        match (&self.caller.scope, buyer) {
            (Scope::Payer, _) => true,
            (Scope::Groups { groups, .. }, Buyer::BillingGroup(group)) => groups.contains(group),
            (Scope::Groups { .. }, Buyer::Payer) => false,
        }
    }

    fn has_tags(&self, tags: &BTreeMap<String, String>) -> bool {
        let needed = self.narrowed.iter().flat_map(|narrowed| &narrowed.tags);
        needed.into_iter().all(|(key, value)| tags.get(key) == Some(value))
    }

    /// Whether an order may be left with these tags, of which some are set or taken by the request: `aws:RequestTag`, `aws:TagKeys`.
    ///
    /// # Errors
    /// [`Error::Denied`]: the order would be out of the caller's own sight, or a key is none of its.
    pub fn may_tag<'k>(
        &self,
        after: &BTreeMap<String, String>,
        keys: impl IntoIterator<Item = &'k String>,
    ) -> Answer<()> {
        let of_request = |key: &String| {
            let allowed = self.narrowed.as_ref().and_then(|narrowed| narrowed.tag_keys.as_ref());
            allowed.is_none_or(|allowed| allowed.contains(key))
        };
        match self.has_tags(after) && keys.into_iter().all(of_request) {
            true => Ok(()),
            false => Err(Error::Denied),
        }
    }

    /// Whether an order may be added with these tags. Tagging is an operation of its own, also where the tags come with the order: else a principal could
    /// give itself what others are narrowed by.
    ///
    /// # Errors
    /// [`Error::Denied`], as of [`Self::may_tag`].
    pub fn may_add_with(&self, tags: &BTreeMap<String, String>) -> Answer<()> {
        if !tags.is_empty() && !self.may("TagResource") {
            return Err(Error::Denied);
        }
        self.may_tag(tags, tags.keys())
    }

    /// The order that a text names: an ARN, or the id alone where it is the caller's own. One that the caller may not see is answered like one that is not there.
    pub fn order<'p>(&self, purchasing: &'p Purchasing, text: &str) -> Answer<&'p Arc<OrderRow>> {
        self.named(text, |buyer, id| purchasing.order(buyer, id))
    }

    /// The same, also one that was deleted: what it was stays to be read.
    pub fn order_ever<'p>(&self, purchasing: &'p Purchasing, text: &str) -> Answer<&'p Arc<OrderRow>> {
        self.named(text, |buyer, id| purchasing.order_ever(buyer, id))
    }

    fn named<'p>(
        &self,
        text: &str,
        look: impl Fn(&Buyer, &PurchaseOrderId) -> Option<&'p Arc<OrderRow>>,
    ) -> Answer<&'p Arc<OrderRow>> {
        let named = match of_arn(&self.caller.payer, text) {
            Some((buyer, id)) => look(&buyer, &id),
            None => PurchaseOrderId::parse(text).and_then(|id| {
                let mut own = self.own_buyers().into_iter().filter_map(|buyer| look(&buyer, &id));
                own.next().filter(|_| own.next().is_none())
            }),
        };
        let found = named.filter(|row| self.sees(&row.order));
        found.ok_or_else(|| Declined::NotFound { kind: ORDER, id: text.to_owned() }.into())
    }

    /// The buyers that a bare id may be of.
    fn own_buyers(&self) -> Vec<Buyer> {
        match &self.caller.scope {
            Scope::Payer => vec![Buyer::Payer],
            Scope::Groups { groups, .. } => groups.iter().cloned().map(Buyer::BillingGroup).collect(),
        }
    }

    /// Who buys, where a request names a billing group or none.
    ///
    /// # Errors
    /// [`Declined::NotFound`] where the group is none of the caller's; [`Declined::Invalid`] where it has to be named.
    pub fn buyer(
        &self,
        configuration: &Configuration,
        group: Option<&str>,
        period: BillingPeriod,
    ) -> Answer<Buyer> {
        let not_found = |text: &str| Declined::NotFound { kind: "billing group", id: text.to_owned() };
        let own = match &self.caller.scope {
            Scope::Payer => None,
            Scope::Groups { groups, .. } => Some(groups),
        };
        let named = group;
        let group = match (group, own) {
            (None, None) => return Ok(Buyer::Payer),
            (Some(text), _) => {
                self.caller.billing_group(configuration, text, Some(period)).map_err(|_| not_found(text))?
            }
            (None, Some(own)) => match own.iter().collect::<Vec<_>>().as_slice() {
                [only] => (*only).clone(),
                _ => {
                    let message = "your key is of several billing groups; name the one that orders";
                    let fields = vec![("BillingGroupArn".to_owned(), message.to_owned())];
                    let message = format!("BillingGroupArn: {message}");
                    return Err(Declined::Invalid { message, fields }.into());
                }
            },
        };
        match configuration.groups.at(&group, period).is_some() {
            true => Ok(Buyer::BillingGroup(group)),
            false if named.is_some() => Err(not_found(named.unwrap_or_default()).into()),
            false => {
                Err(not_found(&arn(configuration.payer.as_str(), ResourceType::BillingGroup, group.as_str()))
                    .into())
            }
        }
    }
}
