//! From a priced month to its facts.

use super::{
    BareFacts, DimensionValues, FactsError, Measured, Metric, Missing, MonthFacts, Priced, Sources, Table,
    set,
};
use crate::dimension::{DIMENSIONS, Dimension};
use crate::naming;
use crate::reservations::reservations;
use crate::values::Values;
use billing::abilities::{Abilities, Ability, Feature};
use billing::amortized::{self, amortized_cost};
use billing::breakdown::{self, DayOfClass, Part, Source};
use billing::charge_class::{ChargeClass, ClassId, Cube, KeyColumn, Measure, TextId, Texts};
use billing::class_kind::{LeftOut, has_terms, left_out_of_aws_cost, line_item_type};
use billing::commitment::UsageType;
use billing::cost_line::LineItemType;
use billing::cost_report::product_name;
use billing::dimension::Kind;
use billing::money::Quantity;
use billing::statement::LineKey;
use std::collections::HashMap;

/// The metrics of what AWS charges, in the order of their columns.
const OF_AWS: [Metric; 7] = [
    Metric::UnblendedCost,
    Metric::BlendedCost,
    Metric::NetUnblendedCost,
    Metric::AmortizedCost,
    Metric::NetAmortizedCost,
    Metric::UsageQuantity,
    Metric::NormalizedUsageAmount,
];
/// The metrics of what billing groups are charged.
const OF_GROUPS: [Metric; 2] = [Metric::UnblendedCost, Metric::UsageQuantity];

pub(super) fn facts(month: Priced<'_>) -> Result<(MonthFacts, Sources), FactsError> {
    let Priced { cube, book, .. } = month;
    let dimensions = book.dimensions();
    let mut building = Building {
        month,
        texts: Texts::default(),
        sources: Sources::default(),
        tags: dimensions.tags.iter().cloned().collect(),
        cost_categories: dimensions.cost_categories.iter().cloned().collect(),
        has_terms: has_terms(cube),
        first_day: i32::try_from(cube.period.start_seconds() / 86_400).unwrap_or(0),
        days: u8::try_from((cube.period.end_seconds() - cube.period.start_seconds()) / 86_400).unwrap_or(31),
    };
    let aws = building.aws()?;
    let pro_forma = building.pro_forma()?;
    let Building { texts, sources, tags, cost_categories, .. } = building;
    let facts = BareFacts {
        period: cube.period,
        groups: book.groups.iter().map(|group| group.name.clone()).collect(),
        tags,
        cost_categories,
        has_days: month.days.is_some(),
        reservations: reservations(&month)?.map(Into::into),
        currency: book.currency.to_string(),
        aws,
        pro_forma,
        texts,
    };
    Ok((facts.into(), sources))
}

struct Building<'a> {
    month: Priced<'a>,
    texts: Texts,
    sources: Sources,
    tags: Vec<String>,
    cost_categories: Vec<String>,
    has_terms: bool,
    /// The month's first day, since 1970-01-01.
    first_day: i32,
    /// How many days it has.
    days: u8,
}

/// Who looks at a class.
#[derive(Clone, Copy)]
enum Seen<'a> {
    /// The payer.
    ByPayer,
    /// A billing group, which has it under a line item type of its own and sees no account or commitment of others.
    ByGroup(&'a str),
}

/// A table on its way: rows beside each other by class, summed by day.
struct Rows<const METRICS: usize> {
    table: Table,
    months: Vec<[i128; METRICS]>,
    days: Vec<[i128; METRICS]>,
}

impl<const METRICS: usize> Rows<METRICS> {
    fn new(building: &Building<'_>) -> Self {
        let table = Table {
            tags: vec![Vec::new(); building.tags.len()],
            cost_categories: vec![Vec::new(); building.cost_categories.len()],
            first_row: vec![0],
            ..Table::default()
        };
        Self { table, months: Vec::new(), days: Vec::new() }
    }

    /// Ends the class whose keys were just pushed, with its sums by day.
    fn end_class(&mut self, month: [i128; METRICS], mut days: Vec<(u8, [i128; METRICS])>) {
        days.sort_by_key(|(day, _)| *day);
        let begin = self.table.day.len();
        for (day, sums) in days {
            if self.table.day.len() > begin && self.table.day.last() == Some(&day) {
                let known = self.days.iter_mut().last().into_iter().flatten();
                known.zip(sums).for_each(|(sum, more)| *sum += more);
            } else {
                self.table.day.push(day);
                self.days.push(sums);
            }
        }
        // A month has fewer class-days than 2³².
        self.table.first_row.push(u32::try_from(self.table.day.len()).unwrap_or(u32::MAX));
        self.months.push(month);
    }

    /// The table; a metric is there unless `known` says why not, and by day where it says so.
    fn finish(self, metrics: [Metric; METRICS], known: impl Fn(Metric) -> Result<bool, Missing>) -> Table {
        let Self { mut table, months, days } = self;
        for (at, metric) in metrics.into_iter().enumerate() {
            let is_known_by_day = match known(metric) {
                Ok(is_known_by_day) => is_known_by_day,
                Err(missing) => {
                    table.missing.push((metric, missing));
                    continue;
                }
            };
            let column =
                |rows: &[[i128; METRICS]]| Values::new(&rows.iter().map(|row| row[at]).collect::<Vec<_>>());
            let others = || table.measures.iter().map(|(_, of)| of);
            let months = column(&months).shared(others().map(|of| &of.months));
            let days =
                is_known_by_day.then(|| column(&days).shared(others().filter_map(|of| of.days.as_ref())));
            table.measures.push((metric, Measured { months, days }));
        }
        table
    }
}

impl Building<'_> {
    /// What AWS charges, class by class.
    fn aws(&mut self) -> Result<Table, FactsError> {
        let Priced { cube, days, .. } = self.month;
        let mut rows = Rows::new(self);
        let mut days_of: HashMap<ClassId, &[DayOfClass]> = HashMap::new();
        for of_class in days.into_iter().flat_map(|days| days.classes.chunk_by(|a, b| a.class == b.class)) {
            days_of.insert(of_class[0].class, of_class);
        }
        let mut known = KnownOfAws::of(cube, days.is_some());
        for (number, class) in cube.classes.iter().enumerate() {
            let kind = line_item_type(cube, class);
            if left_out_of_aws_cost(cube, class, kind) == Some(LeftOut::SplitCostAllocation) {
                continue;
            }
            let own_days = match days {
                Some(_) => days_of.remove(&cube.class_id(class)).unwrap_or_default(),
                None => &[],
            };
            let net = NetAmortizing::of(cube, class);
            known.note(cube.abilities, kind, net, own_days);
            let metered = |quantity| if kind.is_metered() { quantity } else { Quantity::ZERO };
            let values = |of: [Quantity; OF_AWS.len()]| of.map(Quantity::units);
            let sum = |measure| class.sum(measure);
            let amortized = amortized_cost(cube, class)?;
            let month = values([
                sum(Measure::Unblended),
                sum(Measure::Blended),
                sum(Measure::NetUnblended),
                amortized,
                net.value(sum(Measure::NetUnblended), amortized, sum(Measure::NetAmortized)),
                metered(sum(Measure::Usage)),
                metered(sum(Measure::NormalizedUsage)),
            ]);
            let by_day = own_days.iter().map(|day| {
                let beyond = day.beyond_prices.map(|beyond| (beyond.normalized_usage, beyond.amortized));
                let (normalized, amortized) = beyond.unwrap_or_default();
                let later = day.beyond_prices.and_then(|beyond| beyond.blended_and_net);
                let later = later.map(|of| (of.blended, of.net_amortized));
                // Of what a level is charged no average is told, and none is needed.
                let (blended, net_amortized) = later.unwrap_or((day.unblended, Quantity::ZERO));
                let values = values([
                    day.unblended,
                    blended,
                    day.net_unblended,
                    amortized,
                    net.value(day.net_unblended, amortized, net_amortized),
                    metered(day.usage),
                    metered(normalized),
                ]);
                (self.day(day.date), values)
            });
            let by_day = by_day.collect();
            self.sources.aws.push(number);
            self.push_class(&mut rows.table, class, Seen::ByPayer);
            self.push_owner(&mut rows.table, class, u32::MAX);
            rows.end_class(month, by_day);
        }
        Ok(rows.finish(OF_AWS, |metric| known.metric(metric)))
    }

    /// What the billing groups are charged, part by part.
    fn pro_forma(&mut self) -> Result<Table, FactsError> {
        let Priced { cube, book, card, statements, days, .. } = self.month;
        let parts = breakdown::parts(cube, book, card, statements, days)?;
        let mut rows = Rows::new(self);
        for of_source in parts.chunk_by(|one, other| one.source == other.source) {
            let first = &of_source[0];
            let Some(group) = first.group.filter(|_| first.pro_forma.is_some()) else { continue };
            let values = |part: &Part| {
                [part.pro_forma.unwrap_or_default().units(), part.usage.unwrap_or_default().units()]
            };
            let mut month = [0; OF_GROUPS.len()];
            for part in of_source {
                month.iter_mut().zip(values(part)).for_each(|(sum, more)| *sum += more);
            }
            let by_day = of_source.iter().map(|part| (self.day(part.date), values(part))).collect();
            let group = u32::try_from(group).unwrap_or(u32::MAX);
            self.sources.pro_forma.push(first.source);
            self.push_part(&mut rows.table, first, group);
            rows.end_class(month, by_day);
        }
        let has_days = days.is_some();
        Ok(rows.finish(OF_GROUPS, |_| Ok(has_days)))
    }

    /// The day of the month that a date is shown on.
    fn day(&self, date: Option<i32>) -> u8 {
        let day = date.map_or(0, |date| date.saturating_sub(self.first_day));
        u8::try_from(day.clamp(0, i32::from(self.days) - 1)).unwrap_or(0)
    }

    /// Adds the keys of what a part of a group's bill is of.
    fn push_part(&mut self, table: &mut Table, part: &Part, group: u32) {
        let Priced { cube, card, statements, .. } = self.month;
        let (class, kind) = match part.source {
            Source::Class(number) => {
                let class = card.class(cube, number);
                (class, LineKey::of(cube, class, card.entries[number].operation).line_item_type)
            }
            Source::Covered(number) => {
                let part = &card.covered[number];
                (part.class(cube), part.line_item_type)
            }
            Source::Negation(number) => (card.covered[number].class(cube), cube.kinds.negation),
            Source::Item(statement, item) => {
                let charge = &statements[statement].items[item];
                let name = product_name(cube, &charge.product);
                let mut values: DimensionValues<'_> = [None; DIMENSIONS];
                set(&mut values, Dimension::LinkedAccount, Some(&charge.account));
                set(&mut values, Dimension::Service, Some(name.as_deref().unwrap_or(&charge.product)));
                set(&mut values, Dimension::ServiceCode, Some(&charge.product));
                set(&mut values, Dimension::RecordType, Some(charge.line_item_type));
                self.push(table, values, None);
                let currency = self.texts.intern(part.currency.as_str());
                table.currency.push(currency);
                table.unit.push(TextId::NULL);
                table.group.push(group);
                return;
            }
        };
        self.push_class(table, class, Seen::ByGroup(cube.text(kind)));
        self.push_owner(table, class, group);
    }

    /// Adds whose a class is, its currency and its unit.
    fn push_owner(&mut self, table: &mut Table, class: &ChargeClass, group: u32) {
        let Priced { cube, book, .. } = self.month;
        let currency = cube.filled(class, KeyColumn::Currency).unwrap_or(book.currency.as_str());
        table.currency.push(self.texts.intern(currency));
        let unit = cube.filled(class, KeyColumn::PricingUnit);
        table.unit.push(unit.map_or(TextId::NULL, |unit| self.texts.intern(unit)));
        table.group.push(group);
    }

    /// Adds the keys of a class.
    fn push_class(&mut self, table: &mut Table, class: &ChargeClass, seen: Seen<'_>) {
        let cube = self.month.cube;
        let text = |column| cube.filled(class, column);
        let (record_type, is_of_payer) = match seen {
            Seen::ByPayer => (text(KeyColumn::LineItemType), true),
            Seen::ByGroup(kind) => (Some(kind).filter(|kind| !kind.is_empty()), false),
        };
        let kind = record_type.map_or(LineItemType::Unknown, LineItemType::parse);
        let usage_type = UsageType::parse(text(KeyColumn::UsageType).unwrap_or_default());
        // What follows the colon of `EBS:VolumeUsage.gp3` is no instance type: those begin with a small letter.
        let is_instance =
            usage_type.instance.is_some_and(|of| of.starts_with(|c: char| c.is_ascii_lowercase()));
        let of_payer = |value: Option<_>| value.filter(|_| is_of_payer);
        let reservation = of_payer(text(KeyColumn::ReservationArn));
        let mut values: DimensionValues<'_> = [None; DIMENSIONS];
        for (dimension, value) in [
            (Dimension::Az, text(KeyColumn::AvailabilityZone)),
            (
                Dimension::InstanceType,
                usage_type.instance.filter(|_| is_instance && usage_type.size().is_some()),
            ),
            (Dimension::InstanceTypeFamily, usage_type.family().filter(|_| is_instance)),
            (Dimension::LegalEntityName, text(KeyColumn::LegalEntity)),
            (Dimension::InvoicingEntity, text(KeyColumn::InvoicingEntity)),
            (Dimension::BillingEntity, text(KeyColumn::BillingEntity)),
            (Dimension::LinkedAccount, text(KeyColumn::UsageAccount)),
            (Dimension::PayerAccount, of_payer(cube.payer.as_ref().map(|payer| payer.as_str()))),
            (Dimension::Operation, text(KeyColumn::Operation)),
            (Dimension::Platform, naming::platform(cube, class)),
            (Dimension::PurchaseType, naming::purchase_type(cube, class, kind, self.has_terms)),
            (Dimension::Region, text(KeyColumn::Region)),
            (Dimension::Service, naming::service(cube, class)),
            (Dimension::Tenancy, naming::tenancy(cube, class)),
            (Dimension::RecordType, record_type),
            (Dimension::UsageType, text(KeyColumn::UsageType)),
            (Dimension::ReservationId, reservation.map(naming::reservation_id)),
            (Dimension::SavingsPlanArn, of_payer(text(KeyColumn::SavingsPlanArn))),
            (Dimension::ServiceCode, text(KeyColumn::ProductCode).or_else(|| text(KeyColumn::ServiceCode))),
        ] {
            set(&mut values, dimension, value);
        }
        self.push(table, values, Some(class));
    }

    /// Adds keys to the columns.
    fn push(&mut self, table: &mut Table, values: DimensionValues<'_>, class: Option<&ChargeClass>) {
        let cube = self.month.cube;
        let texts = &mut self.texts;
        let mut intern = |value: Option<&str>| value.map_or(TextId::NULL, |text| texts.intern(text));
        for (column, value) in table.dimensions.iter_mut().zip(values) {
            column.push(intern(value));
        }
        let tags = (Kind::Tag, &self.tags, &mut table.tags);
        let cost_categories = (Kind::CostCategory, &self.cost_categories, &mut table.cost_categories);
        for (kind, names, columns) in [tags, cost_categories] {
            for (name, column) in names.iter().zip(columns.iter_mut()) {
                column.push(intern(class.and_then(|class| cube.dimension(class, kind, name))));
            }
        }
    }
}

/// What is known of a month's AWS cost, and whether by day.
struct KnownOfAws {
    blended: Result<(), Missing>,
    amortized: Result<(), Missing>,
    net_amortized: Result<(), Missing>,
    has_days: bool,
    /// Whether every day has what was kept beyond prices, its blended cost, and its net amortized cost where that is a sum of its own.
    has_beyond_prices: bool,
    has_blended: bool,
    has_net_amortized: bool,
    /// Why net costs of commitments are not there, where they are not.
    missing: Missing,
    /// Whether the month is what a level is charged.
    is_of_level: bool,
}

impl KnownOfAws {
    fn of(cube: &Cube, has_days: bool) -> Self {
        let missing = if cube.is_of_earlier_layout { Missing::EarlierRun } else { Missing::Column };
        let is_of_level = cube.abilities.of(Feature::Lines) == Ability::Absent;
        let has_blended = cube.abilities.of(Feature::BlendedCost) != Ability::Absent;
        Self {
            blended: if has_blended { Ok(()) } else { Err(missing) },
            amortized: Ok(()),
            net_amortized: Ok(()),
            has_days,
            has_beyond_prices: true,
            has_blended: true,
            has_net_amortized: true,
            missing,
            is_of_level,
        }
    }

    /// Takes a class of a line item type into account.
    fn note(&mut self, abilities: Abilities, kind: LineItemType, net: NetAmortizing, days: &[DayOfClass]) {
        if amortized_from_feature(kind).is_some_and(|needed| abilities.of(needed) == Ability::Absent) {
            self.amortized = Err(if self.is_of_level { Missing::OfLevel } else { Missing::Commitments });
        }
        if net == NetAmortizing::Unknown {
            self.net_amortized = Err(self.missing);
        }
        let has_later = |day: &DayOfClass| day.beyond_prices.is_some_and(|of| of.blended_and_net.is_some());
        let have_later = days.iter().all(has_later);
        self.has_beyond_prices &= days.iter().all(|day| day.beyond_prices.is_some());
        self.has_blended &= have_later || self.is_of_level;
        self.has_net_amortized &= have_later || net != NetAmortizing::OfItsOwn;
    }

    /// Whether a metric is known by day, if it is at all.
    fn metric(&self, metric: Metric) -> Result<bool, Missing> {
        match metric {
            Metric::BlendedCost => self.blended.map(|()| self.has_days && self.has_blended),
            Metric::NetAmortizedCost => {
                let has_all = self.has_beyond_prices && self.has_net_amortized;
                self.amortized.and(self.net_amortized).map(|()| self.has_days && has_all)
            }
            Metric::AmortizedCost => self.amortized.map(|()| self.has_days && self.has_beyond_prices),
            Metric::NormalizedUsageAmount => Ok(self.has_days && self.has_beyond_prices),
            _ => Ok(self.has_days),
        }
    }
}

/// What cost files must say for the amortized cost of lines of a type.
const fn amortized_from_feature(kind: LineItemType) -> Option<Feature> {
    match kind {
        LineItemType::DiscountedUsage => Some(Feature::ReservationEffectiveCost),
        LineItemType::SavingsPlanCoveredUsage => Some(Feature::SavingsPlanEffectiveCost),
        LineItemType::RiFee => Some(Feature::UnusedReservations),
        LineItemType::SavingsPlanRecurringFee => Some(Feature::UnusedSavingsPlans),
        _ => None,
    }
}

/// How a class's net amortized cost follows from its sums.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NetAmortizing {
    /// It is the net unblended cost: nothing of it is spread.
    NetUnblended,
    /// It is the amortized cost: of commitments, and no line has a net cost of its own.
    Amortized,
    /// It is a sum of its own.
    OfItsOwn,
    /// The cost files have net costs, but not of what commitments are spread over.
    Unknown,
}

impl NetAmortizing {
    fn of(cube: &Cube, class: &ChargeClass) -> Self {
        match amortized::of_class(cube, class) {
            None => return Self::NetUnblended,
            Some([]) => return Self::Amortized,
            Some(_) => {}
        }
        let needed = match line_item_type(cube, class) {
            LineItemType::DiscountedUsage | LineItemType::RiFee => Feature::NetReservations,
            _ => Feature::NetSavingsPlans,
        };
        match cube.abilities.of(needed) {
            Ability::Absent if class.lines_without_net == class.lines => Self::Amortized,
            Ability::Absent => Self::Unknown,
            Ability::Told | Ability::Derived => Self::OfItsOwn,
        }
    }

    /// The cost, by what it may be.
    const fn value(self, net_unblended: Quantity, amortized: Quantity, own: Quantity) -> Quantity {
        match self {
            Self::NetUnblended => net_unblended,
            Self::Amortized => amortized,
            Self::OfItsOwn | Self::Unknown => own,
        }
    }
}
