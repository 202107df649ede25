//! Everything that may be wrong with an order, told at once and in the order of its fields.
//!
//! Creating and changing refuse whatever AWS's console would. An import of orders that exist elsewhere warns of what has become illegal since:
//! a seller that lost a type, a line outside its order's months. What cannot be read at all is refused by every act.

mod fields;
mod lines;

use super::{
    ACTIVE_ORDERS_MAX, Buyer, Draft, LineNumber, Problem, ProblemKind, PurchaseOrder, PurchaseOrderId,
    Settings, Status, instant_text,
};
use crate::money::{Amount, UNITS_MAX};
use fields::{Mode, Reading};
use lines::Terms;
use std::collections::{BTreeMap, BTreeSet};

/// Why the order is checked.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// The user creates it.
    Create,
    /// The user changes it.
    Update {
        /// The order before.
        before: &'a PurchaseOrder,
        /// What invoices have used of its lines, less credit memos, in the order's currency.
        used: &'a BTreeMap<LineNumber, Amount>,
    },
    /// It exists elsewhere and is taken over.
    Import {
        /// When it was created there, in seconds since 1970-01-01T00:00:00Z.
        created_at: i64,
        /// When the user last changed it there.
        updated_at: i64,
        /// The order that is here already under its id.
        over: Option<Before<'a>>,
    },
    /// AWS Marketplace makes it, from a number that a buyer gave with a purchase.
    Marketplace,
}

/// An order that another content takes the place of.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The order as it is.
    pub order: &'a PurchaseOrder,
    /// What invoices have used of its lines, less credit memos, in the order's currency.
    pub used: &'a BTreeMap<LineNumber, Amount>,
}

impl<'a> Act<'a> {
    const fn before(self) -> Option<Before<'a>> {
        match self {
            Self::Create | Self::Marketplace => None,
            Self::Update { before, used } => Some(Before { order: before, used }),
            Self::Import { over, .. } => over,
        }
    }
}

/// What else there is.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The orders that are there; those of other buyers are passed over.
    pub orders: &'a [PurchaseOrder],
    /// The ids of deleted orders of the same buyer.
    pub reserved: &'a BTreeSet<PurchaseOrderId>,
    /// The payer's settings.
    pub settings: &'a Settings,
    /// Now, in seconds since 1970-01-01T00:00:00Z.
    pub now: i64,
}

/// An order that may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The order.
    pub order: PurchaseOrder,
    /// What the user should know of it.
    pub warnings: Vec<Problem>,
}

/// Reads what somebody says about an order and checks it by every rule.
///
/// # Errors
/// Every problem, in the order of the fields; then those that take the whole order.
pub fn check(
    draft: &Draft,
    buyer: &Buyer,
    act: Act<'_>,
    around: Surroundings<'_>,
) -> Result<Checked, Vec<Problem>> {
    let mode = match act {
        Act::Create | Act::Update { .. } => Mode::Strict,
        Act::Import { .. } | Act::Marketplace => Mode::Lenient,
    };
    let times = match act {
        Act::Create | Act::Marketplace => (around.now, around.now),
        Act::Update { before, .. } => (before.created_at, before.updated_at),
        Act::Import { created_at, updated_at, .. } => (created_at, updated_at),
    };
    let mut reading = Reading::new(mode);
    reading.currency_before = act.before().map(|before| before.order.currency);
    let id = reading.id(&draft.id, buyer, act, around);
    let mut order = reading.order(draft, id, (buyer, times), Some(around.settings));
    if let Some(order) = &mut order {
        if let Act::Update { before, .. } = act
            && order.is_update_of(before)
        {
            order.updated_at = around.now;
        }
        if let Act::Import { over, .. } = act {
            reading.times(order, over.map(|before| before.order), around.now);
        }
        if let Some(before) = act.before() {
            reading.changes(order, before.order, before.used);
        }
        reading.worth(order);
        reading.lasting(order, around.now);
        reading.active(order, around);
    }
    reading.checked(order)
}

/// Suspends an order, or takes that back. Only this change is checked: an order that was taken over, that AWS Marketplace made or whose type has
/// lost its seller since may have what no new order may.
///
/// # Errors
/// The buyer has as many active orders as it may.
pub fn with_suspension(
    order: &PurchaseOrder,
    suspended: bool,
    around: Surroundings<'_>,
) -> Result<Checked, Vec<Problem>> {
    let changed = PurchaseOrder { suspended, updated_at: around.now, ..order.clone() };
    let mut reading = Reading::new(Mode::Strict);
    if !suspended {
        reading.lasting(&changed, around.now);
    }
    reading.active(&changed, around);
    reading.checked(Some(changed))
}

/// An order with other tags. Only they are checked, and they are no update of it.
///
/// # Errors
/// There are too many, or one is none.
pub fn with_tags(order: &PurchaseOrder, tags: BTreeMap<String, String>) -> Result<Checked, Vec<Problem>> {
    let mut reading = Reading::new(Mode::Strict);
    let pairs: Vec<(String, String)> = tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    reading.tags(&pairs);
    reading.checked(Some(PurchaseOrder { tags, ..order.clone() }))
}

/// Reads an order that was checked when it was kept: only what cannot be an order at all is refused, so that it can be read again after the
/// settings have changed. `created_at` and `updated_at` are in seconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// Every problem, in the order of the fields.
pub fn read(
    draft: &Draft,
    buyer: &Buyer,
    created_at: i64,
    updated_at: i64,
) -> Result<PurchaseOrder, Vec<Problem>> {
    let mut reading = Reading::new(Mode::Kept);
    let id = reading.id_form(&draft.id, true, true);
    let order = reading.order(draft, id, (buyer, (created_at, updated_at)), None);
    order.filter(|_| reading.problems.is_empty()).ok_or(reading.problems)
}

impl Reading {
    /// What has come of it.
    fn checked(self, order: Option<PurchaseOrder>) -> Result<Checked, Vec<Problem>> {
        match order {
            Some(order) if self.problems.is_empty() => Ok(Checked { order, warnings: self.warnings }),
            _ => Err(self.problems),
        }
    }

    /// When an order that is taken over was made and changed. The later of two equal orders takes the invoice, so neither time may lie ahead; and
    /// a file that is older than what is here would take back what was changed here since.
    fn times(&mut self, order: &mut PurchaseOrder, before: Option<&PurchaseOrder>, now: i64) {
        for (field, at) in [("createdAt", order.created_at), ("updatedAt", order.updated_at)] {
            if at > now {
                let text = instant_text(at);
                let message = format!("`{text}` lies ahead: now it is `{}`", instant_text(now));
                let way_out = "give the time in UTC at which it was";
                self.limit(ProblemKind::TimeAhead, field, &text, message, way_out);
            }
        }
        let Some(before) = before.filter(|before| order.updated_at < before.updated_at) else { return };
        let (of_file, here) = (instant_text(order.updated_at), instant_text(before.updated_at));
        order.updated_at = before.updated_at;
        if (PurchaseOrder { created_at: before.created_at, ..order.clone() }) != *before {
            let message = format!("the file is of `{of_file}`, and the order was changed here at `{here}`");
            let way_out =
                "leave it out of the file, or give the time since which the file holds as `updatedAt`";
            self.limit(ProblemKind::ImportOlder, "updatedAt", &of_file, message, way_out);
        }
    }

    /// The sum of the lines: each may fit where all together do not.
    fn worth(&mut self, order: &PurchaseOrder) {
        if order.value().is_err() {
            let message =
                format!("the lines of purchase order `{}` are worth more than {UNITS_MAX}", order.id);
            let way_out = "lower their amounts, or put some of them into a second order";
            self.limit(ProblemKind::ValueTooLarge, "lineItems", "", message, way_out);
        }
    }

    /// The id: its form, that it is free, that it stays.
    fn id(
        &mut self,
        text: &str,
        buyer: &Buyer,
        act: Act<'_>,
        around: Surroundings<'_>,
    ) -> Option<PurchaseOrderId> {
        let field = "purchaseOrderId";
        let trimmed = text.trim_matches(' ');
        if let Act::Update { before, .. } = act {
            if before.id.as_str() != trimmed {
                let message = format!("purchase order `{}` cannot become `{trimmed}`", before.id);
                let way_out = "an id never changes; create an order with the new id and suspend this one";
                self.limit(ProblemKind::IdChanged, field, text, message, way_out);
            }
            return Some(before.id.clone());
        }
        if let Act::Import { over: Some(before), .. } = act {
            return Some(before.order.id.clone());
        }
        let sign = around.settings.allow_number_sign;
        let id = self.id_form(text, matches!(act, Act::Marketplace), sign)?;
        if around.orders.iter().any(|order| order.buyer == *buyer && order.id == id) {
            let message = format!("there is already a purchase order `{id}`");
            self.limit(ProblemKind::IdTaken, field, text, message, "choose another id, or change that order");
        } else if around.reserved.contains(&id) {
            let message = format!("a deleted purchase order had the id `{id}`");
            let way_out = "choose another id: invoices may still show that one";
            self.limit(ProblemKind::IdReserved, field, text, message, way_out);
        }
        Some(id)
    }

    /// The limit of active orders: where this one becomes active by being created, taken back from suspension or extended.
    fn active(&mut self, order: &PurchaseOrder, around: Surroundings<'_>) {
        let active = |it: &PurchaseOrder| it.status(around.now) == Status::Active;
        let of_buyer = || around.orders.iter().filter(|it| it.buyer == order.buyer);
        let was_active = of_buyer().any(|it| it.id == order.id && active(it));
        let others = of_buyer().filter(|it| it.id != order.id && active(it)).count();
        if active(order) && !was_active && others >= ACTIVE_ORDERS_MAX {
            let message =
                format!("purchase order `{}` would be active order {} of its buyer", order.id, others + 1);
            let way_out = "at most 100 may be active; suspend or delete one first";
            self.limit(ProblemKind::ActiveOrders, "status", order.id.as_str(), message, way_out);
        }
    }

    /// Whether any line lasts as long as its order: where the expiration alone is moved, nothing will match in the months gained.
    fn lasting(&mut self, order: &PurchaseOrder, now: i64) {
        let last = order.lines.iter().map(|line| line.end).max();
        let Some(last) = last.filter(|last| *last < order.expiration && now < order.expiration.end_seconds())
        else {
            return;
        };
        let message = format!("no line of purchase order `{}` goes beyond `{last}`", order.id);
        let way_out = "extend the lines' end months as well, or invoices of later months find no line";
        let value = order.expiration.to_string();
        self.warn(ProblemKind::NoLineToTheEnd, "expirationMonth", &value, message, way_out);
    }

    /// What a change does to lines that have invoices. AWS lets a user change anything; nothing is matched again by it.
    fn changes(
        &mut self,
        order: &PurchaseOrder,
        before: &PurchaseOrder,
        used: &BTreeMap<LineNumber, Amount>,
    ) {
        for (number, used) in used {
            let Some(at) = order.lines.iter().position(|line| line.number == *number) else {
                let message = format!("line `{number}` goes away and has invoices");
                let way_out = "they stay with it and show its number; nothing is matched again";
                self.warn(ProblemKind::UsedLineRemoved, "lineItems", number.as_str(), message, way_out);
                continue;
            };
            let (line, field) = (&order.lines[at], |name: &str| format!("lineItems[{at}].{name}"));
            let Some(old) = before.line(number) else { continue };
            if old.line_type != line.line_type {
                let message = format!(
                    "line `{number}` has invoices as `{}` and becomes `{}`",
                    old.line_type.name(),
                    line.line_type.name()
                );
                let way_out = "they stay with it; nothing is matched again";
                self.warn(ProblemKind::UsedLineType, &field("type"), line.line_type.name(), message, way_out);
            }
            let total = line.price.value().total;
            if total != old.price.value().total && total < *used {
                let message =
                    format!("line `{number}` becomes worth `{total}` and invoices have used `{used}` of it");
                let way_out = "its balance is below 0 until the amount is raised";
                self.warn(
                    ProblemKind::ValueBelowUsed,
                    &field("amount"),
                    &total.to_string(),
                    message,
                    way_out,
                );
            }
        }
    }

    /// The order, where everything that it needs could be read. What could not is among the problems.
    fn order(
        &mut self,
        draft: &Draft,
        id: Option<PurchaseOrderId>,
        (buyer, (created_at, updated_at)): (&Buyer, (i64, i64)),
        settings: Option<&Settings>,
    ) -> Option<PurchaseOrder> {
        self.text("description", draft.description.as_deref());
        let bill_from = self.sellers(&draft.bill_from);
        self.receivers(draft, &bill_from);
        self.addresses(draft);
        let currency = self.currency(&draft.currency);
        let months = self
            .months(("effectiveMonth", "expirationMonth"), (&draft.effective_month, &draft.expiration_month));
        self.contacts(&draft.contacts);
        self.tags(&draft.tags);
        let terms = Terms { bill_from: &bill_from, months, currency, settings };
        let lines = self.lines(&draft.lines, terms);
        let (effective, expiration) = months?;
        Some(PurchaseOrder {
            id: id?,
            buyer: buyer.clone(),
            description: draft.description.clone(),
            bill_from,
            tax_registration_numbers: draft.tax_registration_numbers.iter().cloned().collect(),
            invoice_units: draft.invoice_units.iter().cloned().collect(),
            ship_to: draft.ship_to.clone().filter(|address| !address.is_empty()),
            bill_to: draft.bill_to.clone(),
            payment_terms: draft.payment_terms.clone(),
            currency: currency?,
            effective,
            expiration,
            contacts: draft.contacts.clone(),
            tags: draft.tags.iter().cloned().collect(),
            suspended: draft.suspended,
            created_at,
            updated_at,
            lines: lines?,
        })
    }
}
