//! Charge classes: lines that nothing in pricing can tell apart, and the cost cube that sums them.
//!
//! The key is every column that a price, a treatment or a document may depend on; [`KeyColumn::ALL`] is its table.
//! Nothing else of a line is visible to pricing. Never in the key: hours, the *value* of the unblended rate (spot has a new one each
//! hour), and the tags, cost categories and resource ids that no book names.

use crate::abilities::Abilities;
use crate::account::AccountId;
use crate::dimension::{DimensionValue, Dimensions, Kind};
use crate::money::{DecimalError, Quantity};
use crate::period::BillingPeriod;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// When a key column takes part in the key; elsewhere it is null, so that classes stay few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// On every line.
    Always,
    /// Only where a commitment may apply: see [`crate::commitment::may_cover`].
    CommitmentMayApply,
    /// Only on lines whose rate is 0 and on fees, credits, refunds and discounts, which only the description tells apart: see
    /// [`crate::cost_line::LineItemType::is_told_by_description`].
    ZeroRateFeeOrCredit,
}

macro_rules! key_columns {
    ($($variant:ident $name:literal $when:ident $doc:literal,)*) => {
        /// A column of the class key. The order is the order of the canonical key.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum KeyColumn { $(#[doc = $doc] $variant,)* }

        impl KeyColumn {
            /// Every key column, in key order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The column's name: CUR 2.0's, or ours where the key holds a state and not a value.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// When the column takes part in the key.
            #[must_use]
            pub const fn when(self) -> When {
                match self { $(Self::$variant => When::$when,)* }
            }
        }
    };
}

key_columns! {
    UsageAccount "line_item_usage_account_id" Always "Who used it.",
    ServiceCode "product_servicecode" Always "The service as the price list names it; differs from the product code for data transfer.",
    ProductCode "line_item_product_code" Always "The product that is billed.",
    UsageType "line_item_usage_type" Always "What was used.",
    Operation "line_item_operation" Always "What it was used for.",
    LineItemType "line_item_line_item_type" Always "The kind of charge.",
    Sku "product_sku" Always "The price list's key.",
    Region "product_region_code" Always "The region.",
    PricingUnit "pricing_unit" Always "The unit of the usage.",
    PricingTerm "pricing_term" Always "OnDemand, Reserved, Spot, or null on the global free tier.",
    RateCode "pricing_rate_code" Always "Offer and tier. Null matters: global free tier.",
    PublicRate "pricing_public_on_demand_rate" Always "The list rate, as canonical decimal text; also cuts a price change within the month.",
    UnblendedRateState "line_item_unblended_rate_state" Always "Whether the rate is null, `0` or `+`.",
    PublicCostState "pricing_public_on_demand_cost_state" Always "Null where the line has no public cost (null or 0: none, never free), else `+`.",
    ReservationArn "reservation_reservation_a_r_n" Always "The reservation that covers or charges; names its owner.",
    SavingsPlanArn "savings_plan_savings_plan_a_r_n" Always "The Savings Plan that covers or charges; names its owner.",
    AvailabilityZone "line_item_availability_zone" CommitmentMayApply "Zonal reservations apply in one zone.",
    NormalizationFactor "line_item_normalization_factor" CommitmentMayApply "Size-flexible reservations count in normalised units.",
    Description "line_item_line_item_description" ZeroRateFeeOrCredit "Tells free offers, trials, support, domains and credits apart.",
    SplitFlag "split_line_item" Always "`split` on a row of split cost allocation, which repeats cost.",
    BillType "bill_bill_type" Always "Anniversary, Purchase or Refund.",
    BillingEntity "bill_billing_entity" Always "The seller: AWS, AWS Marketplace, AISPL.",
    InvoicingEntity "bill_invoicing_entity" Always "Who invoices.",
    LegalEntity "line_item_legal_entity" Always "The seller of record.",
    InvoiceId "bill_invoice_id" Always "Null until the line is final.",
    Currency "line_item_currency_code" Always "The bill's currency.",
    PricingCurrency "pricing_currency" Always "The price list's currency.",
    DimensionSet "dimension_set" Always "Tag, cost-category or resource values that the book groups by; null without such groups.",
}

/// How many columns the key has.
pub const KEY_COLUMNS: usize = KeyColumn::ALL.len();

macro_rules! measures {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// A quantity that the cube sums per class, at ten decimals.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Measure { $(#[doc = $doc] $variant,)* }

        impl Measure {
            /// Every measure.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The measure's name in the cube.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

measures! {
    Usage "usage_amount" "In the pricing unit.",
    NormalizedUsage "normalized_usage_amount" "In normalised units.",
    Unblended "unblended_cost" "The cost before discounts that have columns of their own.",
    NetUnblended "net_unblended_cost" "The net cost where the line has one, else its unblended cost: what AWS invoices.",
    PublicOnDemand "public_on_demand_cost" "The cost at list price.",
    ReservationEffective "reservation_effective_cost" "What the covered usage took of its reservation.",
    SavingsPlanEffective "savings_plan_effective_cost" "What the covered usage took of its Savings Plan.",
    UnusedReservationRecurring "reservation_unused_recurring_fee" "The unused part of a monthly fee.",
    UnusedReservationUpfront "reservation_unused_amortized_upfront_fee" "The unused part of a payment up front.",
    SavingsPlanUsedCommitment "savings_plan_used_commitment" "The used part of the commitment.",
    SavingsPlanTotalCommitment "savings_plan_total_commitment" "The commitment.",
    AmortizedUpfront "amortized_upfront" "The month's share of payments up front, reservations and Savings Plans.",
    Blended "blended_cost" "The cost at the average rates of the organization, as the files have it.",
    NetAmortized "net_amortized_cost" "The net amortized cost of lines that the fees of commitments are spread over; 0 on all others, which have it in another sum.",
}

/// How many measures the cube has.
pub const MEASURES: usize = Measure::ALL.len();

/// A text of the cube by number; [`TextId::NULL`] is the absent value, which differs from empty text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(pub u32);

impl TextId {
    /// No value.
    pub const NULL: Self = Self(0);
}

/// A map by numbers of texts, and other small numbers that the program gives out itself.
pub type TextMap<K, V> = HashMap<K, V, BuildHasherDefault<TextHasher>>;

/// Hashes small numbers in a few instructions. Nobody outside can choose them, so no one can make them collide.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        // Turned between numbers, so that their order tells; times the golden ratio, so that neighbours end up far apart.
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        // A table looks at the lower bits first.
        self.0.rotate_left(26)
    }
}

/// The distinct texts of a cube.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    all: Vec<Box<str>>,
    by_text: HashMap<Box<str>, TextId>,
}

impl Texts {
    /// The number of a text, given on first sight.
    pub fn intern(&mut self, text: &str) -> TextId {
        if let Some(id) = self.by_text.get(text) {
            return *id;
        }
        // `CLASSES_MAX` classes of `KEY_COLUMNS` texts stay far below u32::MAX.
        let id = TextId(u32::try_from(self.all.len() + 1).unwrap_or(u32::MAX));
        self.all.push(text.into());
        self.by_text.insert(text.into(), id);
        id
    }

    /// The number of a text that the cube has.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<TextId> {
        self.by_text.get(text).copied()
    }

    /// The text of a number; `None` for [`TextId::NULL`].
    #[must_use]
    pub fn get(&self, id: TextId) -> Option<&str> {
        self.all.get((id.0 as usize).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// How many distinct texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// One charge class: a key and the exact sums of its lines.
#[derive(Debug, Clone)]
pub struct ChargeClass {
    /// The key, in the order of [`KeyColumn::ALL`].
    pub key: [TextId; KEY_COLUMNS],
    /// How many lines.
    pub lines: u64,
    /// How many of them have no net unblended cost of their own.
    pub lines_without_net: u64,
    /// The unblended rate that all lines have, as canonical decimal text; [`TextId::NULL`] where they differ, or one has none. No
    /// part of the key: spot has another one each hour.
    pub unblended_rate: TextId,
    /// The sums, in the order of [`Measure::ALL`].
    pub sums: [Quantity; MEASURES],
}

impl ChargeClass {
    /// The text number of a key column.
    #[must_use]
    pub const fn text(&self, column: KeyColumn) -> TextId {
        self.key[column as usize]
    }

    /// The sum of a measure.
    #[must_use]
    pub const fn sum(&self, measure: Measure) -> Quantity {
        self.sums[measure as usize]
    }

    /// Adds another class's lines to this one.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn absorb(&mut self, other: &Self) -> Result<(), DecimalError> {
        self.lines += other.lines;
        self.lines_without_net += other.lines_without_net;
        if self.unblended_rate != other.unblended_rate {
            self.unblended_rate = TextId::NULL;
        }
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum = sum.plus(more)?;
        }
        Ok(())
    }
}

/// The identity of a class across runs and machines: the first half of the SHA-256 of its canonical key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub [u8; 16]);

impl ClassId {
    /// The identity of the class with these values, in the order of [`KeyColumn::ALL`].
    pub fn of<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut hash = Sha256::new();
        for value in values {
            match value {
                None => hash.update([0]),
                Some(text) => {
                    hash.update([1]);
                    hash.update((text.len() as u64).to_le_bytes());
                    hash.update(text);
                }
            }
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        Self(id)
    }

    /// Reads what `Display` has written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 16];
        if text.len() != 2 * id.len() || !text.is_ascii() {
            return None;
        }
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The texts of line item types that coverage gives to lines anew.
#[derive(Debug, Clone, Copy)]
pub struct Kinds {
    /// `Usage`: On-Demand, or On-Demand again.
    pub usage: TextId,
    /// `DiscountedUsage`: under a reservation.
    pub discounted_usage: TextId,
    /// `SavingsPlanCoveredUsage`.
    pub covered_usage: TextId,
    /// `SavingsPlanNegation`.
    pub negation: TextId,
}

impl Kinds {
    fn of(texts: &mut Texts) -> Self {
        Self {
            usage: texts.intern("Usage"),
            discounted_usage: texts.intern("DiscountedUsage"),
            covered_usage: texts.intern("SavingsPlanCoveredUsage"),
            negation: texts.intern("SavingsPlanNegation"),
        }
    }
}

/// A month of one payer's cost, by charge class.
///
/// The classes are in key order and have distinct keys, so the same lines give the same cube in whatever order,
/// files or threads they were read.
#[derive(Debug)]
pub struct Cube {
    /// The month.
    pub period: BillingPeriod,
    /// The one payer account of all lines; `None` for a month without lines.
    pub payer: Option<AccountId>,
    /// The texts that the keys name.
    pub texts: Texts,
    /// The classes, in key order.
    pub classes: Vec<ChargeClass>,
    /// What AWS calls a service or product code.
    pub product_names: BTreeMap<String, String>,
    /// The line item types that coverage gives to lines anew.
    pub kinds: Kinds,
    /// What the cost files can say; everything, unless set.
    pub abilities: Abilities,
    /// Whether it was kept before blended and net amortized costs were summed: they are 0, whatever the cost files said.
    pub is_of_earlier_layout: bool,
    /// The values in each dimension set, by the set's text; set by whoever reads the cube, for the form of the text is theirs.
    pub dimension_sets: TextMap<TextId, Vec<DimensionValue>>,
    /// The dimensions that its lines were told apart by when they were read; set with their values.
    pub dimensions: Dimensions,
}

impl Cube {
    /// Puts classes in key order.
    #[must_use]
    pub fn new(
        period: BillingPeriod,
        payer: Option<AccountId>,
        texts: Texts,
        classes: Vec<ChargeClass>,
        product_names: BTreeMap<String, String>,
    ) -> Self {
        Self::numbered(period, payer, texts, classes, product_names).0
    }

    /// Puts classes in key order, and gives the number in the cube of each, by its place before.
    #[must_use]
    pub fn numbered(
        period: BillingPeriod,
        payer: Option<AccountId>,
        mut texts: Texts,
        mut classes: Vec<ChargeClass>,
        product_names: BTreeMap<String, String>,
    ) -> (Self, Vec<u32>) {
        let kinds = Kinds::of(&mut texts);
        let rank = ranks(&texts);
        let mut order: Vec<u32> = (0..).take(classes.len()).collect();
        order.sort_by_cached_key(|place| classes[*place as usize].key.map(|id| rank[id.0 as usize]));
        let mut numbers = vec![0; classes.len()];
        for (number, place) in (0..).zip(order) {
            numbers[place as usize] = number;
        }
        // Where what stands at each place has yet to go. Every swap brings a class to its own place.
        let mut goals = numbers.clone();
        for place in 0..classes.len() {
            while goals[place] as usize != place {
                let goal = goals[place] as usize;
                classes.swap(place, goal);
                goals.swap(place, goal);
            }
        }
        (Self::of_parts(period, payer, texts, kinds, classes, product_names), numbers)
    }

    /// The cube of classes that are in key order already, as a stored cube has them; `None` where they are not, or where two
    /// have one key. Checking is many times cheaper than sorting.
    #[must_use]
    pub fn in_order(
        period: BillingPeriod,
        payer: Option<AccountId>,
        mut texts: Texts,
        classes: Vec<ChargeClass>,
        product_names: BTreeMap<String, String>,
    ) -> Option<Self> {
        let kinds = Kinds::of(&mut texts);
        let follows = |pair: &[ChargeClass]| {
            let differing = pair[0].key.iter().zip(pair[1].key).find(|(one, other)| **one != *other);
            differing.is_some_and(|(one, other)| texts.get(*one) < texts.get(other))
        };
        if !classes.windows(2).all(follows) {
            return None;
        }
        Some(Self::of_parts(period, payer, texts, kinds, classes, product_names))
    }

    fn of_parts(
        period: BillingPeriod,
        payer: Option<AccountId>,
        texts: Texts,
        kinds: Kinds,
        classes: Vec<ChargeClass>,
        product_names: BTreeMap<String, String>,
    ) -> Self {
        let (abilities, dimension_sets) = (Abilities::ALL_TOLD, TextMap::default());
        let (dimensions, is_of_earlier_layout) = (Dimensions::default(), false);
        Self {
            period,
            payer,
            texts,
            classes,
            product_names,
            kinds,
            abilities,
            is_of_earlier_layout,
            dimension_sets,
            dimensions,
        }
    }

    /// The accounts that have a class, in the order of their ids.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<&str, TextId> {
        let mut ids: Vec<TextId> =
            self.classes.iter().map(|class| class.text(KeyColumn::UsageAccount)).collect();
        // Classes of one account stand together.
        ids.dedup();
        ids.into_iter().filter_map(|id| Some((self.texts.get(id)?, id))).collect()
    }

    /// A key column's value on a class.
    #[must_use]
    pub fn value(&self, class: &ChargeClass, column: KeyColumn) -> Option<&str> {
        self.texts.get(class.text(column))
    }

    /// A key column's value, where null and empty both mean *none*.
    #[must_use]
    pub fn filled(&self, class: &ChargeClass, column: KeyColumn) -> Option<&str> {
        self.value(class, column).filter(|text| !text.is_empty())
    }

    /// What the lines of a class have of a dimension; none where no book asked for it when the cost files were read.
    #[must_use]
    pub fn dimension(&self, class: &ChargeClass, kind: Kind, name: &str) -> Option<&str> {
        let set = self.dimension_sets.get(&class.text(KeyColumn::DimensionSet))?;
        let of = set.iter().find(|of| of.kind == kind && of.name == name)?;
        Some(&of.value)
    }

    /// A text by its number; the absent value is empty.
    #[must_use]
    pub fn text(&self, id: TextId) -> &str {
        self.texts.get(id).unwrap_or_default()
    }

    /// What a class is reported under: its service code, or its product code where it has none.
    #[must_use]
    pub fn product_id(&self, class: &ChargeClass) -> TextId {
        let service = class.text(KeyColumn::ServiceCode);
        if self.text(service).is_empty() { class.text(KeyColumn::ProductCode) } else { service }
    }

    /// The text of [`Self::product_id`].
    #[must_use]
    pub fn product<'a>(&'a self, class: &ChargeClass) -> &'a str {
        self.text(self.product_id(class))
    }

    /// A class's identity.
    #[must_use]
    pub fn class_id(&self, class: &ChargeClass) -> ClassId {
        ClassId::of(class.key.into_iter().map(|id| self.texts.get(id)))
    }

    /// The identities of all classes, in their order.
    ///
    /// # Errors
    /// An identity that two classes have, which nobody will ever see and every lookup by identity relies on.
    pub fn class_ids(&self) -> Result<Vec<ClassId>, ClassId> {
        let ids: Vec<ClassId> = self.classes.iter().map(|class| self.class_id(class)).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(pair[0]),
            None => Ok(ids),
        }
    }
}

/// Each text's place in text order, by number; null comes first.
fn ranks(texts: &Texts) -> Vec<u32> {
    let mut order: Vec<u32> = (0..=texts.len()).map(|i| u32::try_from(i).unwrap_or(u32::MAX)).collect();
    order.sort_by_key(|&id| texts.get(TextId(id)));
    let mut rank = vec![0; order.len()];
    for (place, id) in order.into_iter().enumerate() {
        rank[id as usize] = u32::try_from(place).unwrap_or(u32::MAX);
    }
    rank
}

#[cfg(test)]
mod tests {
    //! The cube does not depend on the order in which its classes came.

    use super::*;

    fn cube(order: [usize; 3]) -> Cube {
        numbered(order).0
    }

    fn numbered(order: [usize; 3]) -> (Cube, Vec<u32>) {
        let mut texts = Texts::default();
        let keys = [("111111111111", Some("AmazonEC2")), ("111111111111", None), ("222222222222", Some(""))];
        let classes = order.map(|i| {
            let mut key = [TextId::NULL; KEY_COLUMNS];
            key[KeyColumn::UsageAccount as usize] = texts.intern(keys[i].0);
            key[KeyColumn::ServiceCode as usize] = keys[i].1.map_or(TextId::NULL, |text| texts.intern(text));
            ChargeClass {
                key,
                lines: 1,
                lines_without_net: 0,
                unblended_rate: TextId::NULL,
                sums: [Quantity::ZERO; MEASURES],
            }
        });
        let period = BillingPeriod::new(2026, 10).unwrap();
        Cube::numbered(period, None, texts, classes.to_vec(), BTreeMap::new())
    }

    #[test]
    fn any_order_gives_the_same_cube() {
        let ids = |cube: &Cube| cube.classes.iter().map(|c| cube.class_id(c)).collect::<Vec<_>>();
        assert_eq!(ids(&cube([0, 1, 2])), ids(&cube([2, 0, 1])));
        assert_eq!(cube([0, 1, 2]).class_ids().unwrap(), ids(&cube([0, 1, 2])));
    }

    #[test]
    fn every_class_is_told_its_number() {
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]] {
            // In key order the class without a service code comes first.
            let numbers = order.map(|class| [1, 0, 2][class]);
            assert_eq!(numbered(order).1, numbers, "{order:?}");
        }
    }

    #[test]
    fn a_stored_order_is_checked() {
        let in_order = |order: [usize; 3]| {
            let Cube { period, texts, classes, .. } = cube([0, 1, 2]);
            let classes = order.map(|place| classes[place].clone()).to_vec();
            Cube::in_order(period, None, texts, classes, BTreeMap::new()).is_some()
        };
        assert!(in_order([0, 1, 2]));
        assert!(!in_order([1, 0, 2]), "another order");
        assert!(!in_order([0, 1, 1]), "one key twice");
    }

    #[test]
    fn null_and_empty_are_different_classes() {
        let cube = cube([0, 1, 2]);
        assert_eq!(cube.value(&cube.classes[0], KeyColumn::ServiceCode), None);
        assert_eq!(cube.value(&cube.classes[2], KeyColumn::ServiceCode), Some(""));
        assert_eq!(cube.filled(&cube.classes[2], KeyColumn::ServiceCode), None);
    }

    #[test]
    fn key_columns_have_distinct_names() {
        let mut names: Vec<_> = KeyColumn::ALL.iter().map(|c| c.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KEY_COLUMNS);
    }
}
