//! What a level above tells of a charge: the key of the class that it is on the next level.
//!
//! Public facts of the line and what the statement shows. Never an invoice id, the tier of the whole family, AWS's own description, a
//! commitment of somebody else, or a tag.

use super::Above;
use crate::breakdown::Source;
use crate::charge_class::{ChargeClass, Cube, KEY_COLUMNS, KeyColumn};
use crate::class_kind::{has_terms, line_item_type};
use crate::commitment;
use crate::cost_line::LineItemType;
use crate::custom_line_item::Kind;
use crate::membership::Membership;
use crate::money::Cost;
use crate::rate_card::{Base, Entry, Operation, Treatment};
use std::borrow::Cow;

/// The values of a key, in the order of [`KeyColumn::ALL`].
pub(super) type Key<'a> = [Option<Cow<'a, str>>; KEY_COLUMNS];

/// What stands for the ARN of a commitment that somebody outside of the billing group owns: its owner is no account.
pub const WITHHELD_RESERVATION: &str = "arn:aws:ec2::withheld:reserved-instances/withheld";
/// The same of a Savings Plan.
pub const WITHHELD_SAVINGS_PLAN: &str = "arn:aws:savingsplans::withheld:savingsplan/withheld";
/// The offer and tier of a SKU's On-Demand price.
const ON_DEMAND: &str = "JRTCKXETXF.6YS6EN2CT7";

/// Makes keys for what a level is charged.
pub(super) struct Keys<'a> {
    above: Above<'a>,
    membership: Membership<'a>,
    /// Whether the month's lines say their pricing terms at all; where they do not, none is made up.
    has_terms: bool,
}

impl<'a> Keys<'a> {
    pub fn new(above: Above<'a>) -> Self {
        let membership = Membership::new(above.cube, above.book);
        Self { above, membership, has_terms: has_terms(above.cube) }
    }

    /// The key of what a level is charged so much for.
    pub fn of(&self, source: Source, charged: Cost) -> Key<'a> {
        match source {
            Source::Class(number) => self.of_class(number, charged),
            Source::Covered(number) => self.of_covered(number, charged),
            Source::Negation(number) => self.of_negation(number),
            Source::Item(statement, item) => self.of_item(statement, item),
        }
    }

    /// The key of a class without what nobody else may see.
    fn public_facts(&self, class: &ChargeClass) -> Key<'a> {
        use KeyColumn::{Description, DimensionSet, InvoiceId, InvoicingEntity, RateCode, SplitFlag};
        let cube: &'a Cube = self.above.cube;
        let mut key = KeyColumn::ALL.map(|column| cube.value(class, column).map(Cow::Borrowed));
        for column in [Description, DimensionSet, InvoiceId, InvoicingEntity, RateCode, SplitFlag] {
            key[column as usize] = None;
        }
        for column in [KeyColumn::ReservationArn, KeyColumn::SavingsPlanArn] {
            key[column as usize] = None;
        }
        key
    }

    fn of_class(&self, number: usize, charged: Cost) -> Key<'a> {
        let Above { cube, card, .. } = self.above;
        let (class, entry) = (&cube.classes[number], &card.entries[number]);
        let kind = line_item_type(cube, class);
        let mut key = self.public_facts(class);
        if let Treatment::Priced(base) = entry.treatment {
            self.priced(&mut key, class, kind, base);
        } else {
            key[KeyColumn::RateCode as usize] = cube.value(class, KeyColumn::RateCode).map(Cow::Borrowed);
        }
        if kind.is_metered() && !is_kept(entry) {
            key[KeyColumn::LineItemType as usize] = Some(Cow::Borrowed("Usage"));
        } else {
            self.commitment(&mut key, class, entry);
        }
        // Free is what the level above charges nothing for; what AWS gave away is none of the next level's business.
        if cube.value(class, KeyColumn::UnblendedRateState) == Some("0") {
            if charged.is_zero() {
                let description = cube.value(class, KeyColumn::Description);
                key[KeyColumn::Description as usize] =
                    description.filter(|_| kind == LineItemType::Usage).map(Cow::Borrowed);
            } else {
                key[KeyColumn::UnblendedRateState as usize] = Some(Cow::Borrowed("+"));
            }
        }
        key
    }

    /// Usage and fees at a price of the level above: the offer is that of the SKU, whatever applied on the real bill.
    fn priced(&self, key: &mut Key<'a>, class: &ChargeClass, kind: LineItemType, base: Base) {
        let cube = self.above.cube;
        let listed = !matches!(base, Base::CustomTiers | Base::Spot | Base::FallenBack);
        let sku = cube.filled(class, KeyColumn::Sku).filter(|_| listed && kind.is_metered());
        key[KeyColumn::RateCode as usize] = sku.map(|sku| Cow::Owned(format!("{sku}.{ON_DEMAND}")));
        if kind.is_metered() && self.has_terms {
            let term = if base == Base::Spot { "Spot" } else { "OnDemand" };
            key[KeyColumn::PricingTerm as usize] = Some(Cow::Borrowed(term));
        }
    }

    /// The commitment that covers or charges a class: by name only where it is of the billing group.
    fn commitment(&self, key: &mut Key<'a>, class: &ChargeClass, entry: &Entry) {
        let cube: &'a Cube = self.above.cube;
        let owned = self.membership.group_of_account(commitment::owner(cube, class)) == entry.group;
        for (column, withheld) in [
            (KeyColumn::ReservationArn, WITHHELD_RESERVATION),
            (KeyColumn::SavingsPlanArn, WITHHELD_SAVINGS_PLAN),
        ] {
            let arn = cube.filled(class, column).map(|arn| if owned { arn } else { withheld });
            key[column as usize] = arn.map(Cow::Borrowed);
        }
    }

    /// What a commitment of the group covers of a class.
    fn of_covered(&self, number: usize, charged: Cost) -> Key<'a> {
        let Above { cube, card, .. } = self.above;
        let part = &card.covered[number];
        let mut key = self.public_facts(part.class(cube));
        let reserved = part.negated.is_none();
        key[KeyColumn::LineItemType as usize] = cube.texts.get(part.line_item_type).map(Cow::Borrowed);
        self.covering(&mut key, number, reserved);
        if self.has_terms {
            let term = if reserved { "Reserved" } else { "OnDemand" };
            key[KeyColumn::PricingTerm as usize] = Some(Cow::Borrowed(term));
        }
        let state = if charged.is_zero() { "0" } else { "+" };
        key[KeyColumn::UnblendedRateState as usize] = Some(Cow::Borrowed(state));
        key
    }

    /// The negation of what that costs On-Demand.
    fn of_negation(&self, number: usize) -> Key<'a> {
        use KeyColumn::{
            AvailabilityZone, NormalizationFactor, PricingTerm, PublicCostState, PublicRate,
            UnblendedRateState,
        };
        let Above { cube, card, .. } = self.above;
        let mut key = self.public_facts(card.covered[number].class(cube));
        key[KeyColumn::LineItemType as usize] = cube.texts.get(cube.kinds.negation).map(Cow::Borrowed);
        self.covering(&mut key, number, false);
        for column in [
            AvailabilityZone,
            NormalizationFactor,
            PricingTerm,
            PublicCostState,
            PublicRate,
            UnblendedRateState,
        ] {
            key[column as usize] = None;
        }
        key
    }

    fn covering(&self, key: &mut Key<'a>, number: usize, reserved: bool) {
        let commitment = self.above.card.covered[number].covered.commitment as usize;
        let commitments = self.above.coverage.map_or(&[][..], |coverage| &coverage.commitments);
        let column = if reserved { KeyColumn::ReservationArn } else { KeyColumn::SavingsPlanArn };
        key[column as usize] = commitments.get(commitment).map(|of| Cow::Borrowed(of.arn.as_str()));
    }

    /// A custom line item of the level above: a fee or a credit under its product, by its name.
    fn of_item(&self, statement: usize, item: usize) -> Key<'a> {
        let statement = &self.above.statements[statement];
        let item = &statement.items[item];
        let of_book = &self.above.book.items[item.item];
        let kind = match of_book.kind {
            Kind::Fee => "Fee",
            Kind::Credit => "Credit",
        };
        let mut key: Key<'a> = [const { None }; KEY_COLUMNS];
        for (column, value) in [
            (KeyColumn::UsageAccount, item.account.as_str()),
            (KeyColumn::ProductCode, &item.product),
            (KeyColumn::UsageType, &of_book.name),
            (KeyColumn::LineItemType, kind),
            (KeyColumn::Description, &of_book.description),
            (KeyColumn::BillType, "Anniversary"),
            (KeyColumn::BillingEntity, "AWS"),
        ] {
            key[column as usize] = Some(Cow::Borrowed(value));
        }
        key[KeyColumn::Currency as usize] = Some(Cow::Owned(statement.currency.to_string()));
        key
    }
}

/// Whether a class stays what it is: it is at cost, and no price of the level above is on it.
const fn is_kept(entry: &Entry) -> bool {
    matches!(entry.operation, Operation::Keep(_) | Operation::KeepUnused)
}
