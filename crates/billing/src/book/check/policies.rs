//! Policies: distributions, support fees, payer commitments, minimums. Allocations have a file of their own.

use super::{ByName, Check, Entry, Place, unknown};
use crate::book::{DistributionDraft, LineFilterDraft, MinimumDraft, PayerCommitmentDraft, SupportFeeDraft};
use crate::cost_line::LineItemType;
use crate::line_filter::{LineFilter, SUPPORT};
use crate::money::{Cost, Percentage};
use crate::policy::{
    CostMeasure, Distributed, Distribution, InForce, Minimum, PayerCommitment, Policies, SupportFee,
    SupportTier,
};
use std::collections::HashMap;

/// A hundred percent.
pub(super) const WHOLE: i128 = 100 * Percentage::ONE.units();

impl Check<'_> {
    /// All policies; billing groups are known by their names.
    pub(super) fn policies(&mut self, groups: &ByName<'_>) -> Option<Policies> {
        let draft = self.draft;
        let allocations =
            self.by_name("allocations", draft.allocations.iter().map(|allocation| allocation.name.as_str()));
        self.by_name("distributions", draft.distributions.iter().map(|entry| entry.name.as_str()));
        self.by_name("support_fees", draft.support_fees.iter().map(|entry| entry.name.as_str()));
        self.by_name("payer_commitments", draft.payer_commitments.iter().map(|entry| entry.name.as_str()));
        self.by_name("minimums", draft.minimums.iter().map(|entry| entry.name.as_str()));
        self.names_of_charges();
        let checked_allocations = self.allocations(groups, &allocations);
        let entry = |table, number| Entry { table, number };
        let distributions: Vec<_> = (draft.distributions.iter().enumerate())
            .map(|(number, of)| self.distribution(entry("distributions", number), of, &allocations))
            .collect();
        let support_fees: Vec<_> = (draft.support_fees.iter().enumerate())
            .map(|(number, of)| self.support_fee(entry("support_fees", number), of, groups))
            .collect();
        let payer_commitments: Vec<_> = (draft.payer_commitments.iter().enumerate())
            .map(|(number, of)| self.payer_commitment(entry("payer_commitments", number), of, groups))
            .collect();
        let minimums: Vec<_> = (draft.minimums.iter().enumerate())
            .map(|(number, of)| self.minimum(entry("minimums", number), of, groups))
            .collect();
        self.one_for_each_group(&support_fees, &minimums);
        Some(Policies {
            distributions: distributions.into_iter().collect::<Option<_>>()?,
            allocations: checked_allocations?,
            support_fees: support_fees.into_iter().collect::<Option<_>>()?,
            payer_commitments: payer_commitments.into_iter().collect::<Option<_>>()?,
            minimums: minimums.into_iter().collect::<Option<_>>()?,
        })
    }

    /// What is charged has one name over all tables: a customer reads it, and months are compared by it.
    fn names_of_charges(&mut self) {
        let draft = self.draft;
        let mut known: HashMap<&str, &'static str> = HashMap::new();
        let tables: [(&'static str, Vec<&str>); 5] = [
            ("custom_line_items", draft.custom_line_items.iter().map(|item| item.name.as_str()).collect()),
            ("allocations", draft.allocations.iter().map(|of| of.name.as_str()).collect()),
            ("support_fees", draft.support_fees.iter().map(|of| of.name.as_str()).collect()),
            ("payer_commitments", draft.payer_commitments.iter().map(|of| of.name.as_str()).collect()),
            ("minimums", draft.minimums.iter().map(|of| of.name.as_str()).collect()),
        ];
        for (table, names) in tables {
            for (number, name) in names.iter().enumerate() {
                let part_of = draft.allocations.iter().find(|of| {
                    name.strip_prefix(of.name.as_str()).is_some_and(|rest| rest.starts_with(", "))
                });
                if let Some(of) = part_of {
                    let message = format!(
                        "`{name}` is how the parts of allocation `{}` are named; choose another",
                        of.name
                    );
                    self.mistake::<()>(Entry { table, number }.field("name"), message);
                }
                if let Some(other) = known.get(name).filter(|other| **other != table) {
                    let message =
                        format!("`{name}` is already a name in `{other}`; charges have names of their own");
                    self.mistake::<()>(Entry { table, number }.field("name"), message);
                }
            }
            known.extend(names.into_iter().map(|name| (name, table)));
        }
    }

    fn distribution(
        &mut self,
        entry: Entry,
        draft: &DistributionDraft,
        allocations: &ByName<'_>,
    ) -> Option<Distribution> {
        let in_force = self.in_force(entry, draft.start.as_deref(), draft.end.as_deref());
        let lines = self.line_filters(entry, "lines", &draft.lines);
        if draft.lines.is_empty() {
            self.mistake::<()>(
                entry.field("lines"),
                "a distribution needs `lines`: filters with `line_item_types`",
            );
        }
        for (element, filter) in draft.lines.iter().enumerate() {
            let other = filter.line_item_types.iter().find(|name| !can_be_distributed(name));
            let message = match other {
                Some(name) => format!(
                    "lines of type `{name}` are not distributed; use Credit, Refund, Discount, Tax or Support"
                ),
                None if filter.line_item_types.is_empty() => {
                    "a filter of a distribution needs `line_item_types`: Credit, Refund, Discount, Tax or Support"
                        .to_owned()
                }
                None => continue,
            };
            self.mistake::<()>(entry.element("lines", element), message);
        }
        let treatment = match (&*draft.treatment, &draft.allocation) {
            ("drop", None) => Some(Distributed::Drop),
            ("keep", None) => Some(Distributed::Keep),
            ("drop" | "keep", Some(_)) => {
                let message = format!("treatment `{}` has no allocation; remove it", draft.treatment);
                self.mistake(entry.field("allocation"), message)
            }
            ("allocate", Some(name)) => match allocations.get(name.as_str()) {
                Some(number) => Some(Distributed::Allocate(*number)),
                None => self.mistake(entry.field("allocation"), unknown("allocation", name, allocations)),
            },
            ("allocate", None) => self
                .mistake(entry.field("allocation"), "treatment `allocate` needs the name of an allocation"),
            (other, _) => {
                let message = format!("`{other}` is not a treatment; use drop, keep or allocate");
                self.mistake(entry.field("treatment"), message)
            }
        };
        let name = draft.name.clone();
        Some(Distribution { name, lines: lines?, treatment: treatment?, in_force: in_force? })
    }

    /// Filters of a list; all of them are checked.
    pub(super) fn line_filters(
        &mut self,
        entry: Entry,
        field: &'static str,
        drafts: &[LineFilterDraft],
    ) -> Option<Vec<LineFilter>> {
        let filters: Vec<_> = (drafts.iter().enumerate())
            .map(|(element, draft)| self.line_filter(draft, &entry.element(field, element)))
            .collect();
        filters.into_iter().collect()
    }

    /// From a start to an end, both of which may be absent.
    pub(super) fn in_force(
        &mut self,
        entry: Entry,
        start: Option<&str>,
        end: Option<&str>,
    ) -> Option<InForce> {
        let start = start.map(|start| self.period(start, entry.field("start")));
        let end = end.map(|end| self.period(end, entry.field("end")));
        if let (Some(Some(start)), Some(Some(end))) = (start, end)
            && end <= start
        {
            let message = format!("ends at `{end}`, at or before its start `{start}`; the end is exclusive");
            return self.mistake(entry.field("end"), message);
        }
        let known = |period: Option<Option<_>>| period.map_or(Some(None), |period| period.map(Some));
        Some(InForce { start: known(start)?, end: known(end)? })
    }

    /// A measure by name, among some.
    pub(super) fn cost_measure(
        &mut self,
        place: Place,
        name: Option<&str>,
        among: &[(&str, CostMeasure)],
    ) -> Option<CostMeasure> {
        let Some(name) = name else { return among.first().map(|(_, measure)| *measure) };
        match among.iter().find(|(known, _)| *known == name) {
            Some((_, measure)) => Some(*measure),
            None => {
                let names: Vec<String> = among.iter().map(|(name, _)| format!("`{name}`")).collect();
                self.mistake(place, format!("`{name}` is not known here; use {}", names.join(" or ")))
            }
        }
    }

    /// The numbers of billing groups by name.
    pub(super) fn group_numbers(
        &mut self,
        entry: Entry,
        field: &'static str,
        names: &[String],
        groups: &ByName<'_>,
    ) -> Option<Vec<usize>> {
        let mut numbers = Some(Vec::new());
        for (element, name) in names.iter().enumerate() {
            let place = entry.element(field, element);
            let number = match groups.get(name.as_str()) {
                Some(number) if numbers.as_ref().is_some_and(|known| known.contains(number)) => {
                    self.mistake(place, format!("`{name}` is listed twice"))
                }
                Some(number) => Some(*number),
                None => self.mistake(place, unknown("billing group", name, groups)),
            };
            numbers = numbers.zip(number).map(|(mut numbers, number)| {
                numbers.push(number);
                numbers
            });
        }
        numbers
    }

    /// A percentage that is not below 0.
    pub(super) fn share(&mut self, place: Place, percentage: Percentage) -> Option<Percentage> {
        if percentage < Percentage::ZERO {
            return self.mistake(place, format!("`{percentage}` is negative; use 0 or more"));
        }
        Some(percentage)
    }

    fn not_negative(&mut self, place: Place, amount: Cost) -> Option<Cost> {
        if amount < Cost::ZERO {
            return self.mistake(place, format!("`{amount}` is negative; use 0 or more"));
        }
        Some(amount)
    }

    /// A description, if there is one, says something: customers read it.
    pub(super) fn described(&mut self, entry: Entry, description: Option<&String>) {
        if description.is_some_and(|text| text.trim().is_empty()) {
            self.mistake::<()>(entry.field("description"), "is empty; say what is charged, or remove it");
        }
    }

    pub(super) fn presentation(&mut self, entry: Entry, service: Option<&String>) -> Option<Option<String>> {
        if service.is_some_and(String::is_empty) {
            let message = "is empty; name a service, or remove it";
            return self.mistake(entry.field("presentation_service"), message);
        }
        Some(service.cloned())
    }

    fn support_fee(
        &mut self,
        entry: Entry,
        draft: &SupportFeeDraft,
        groups: &ByName<'_>,
    ) -> Option<SupportFee> {
        let in_force = self.in_force(entry, draft.start.as_deref(), draft.end.as_deref());
        let groups = self.group_numbers(entry, "billing_groups", &draft.billing_groups, groups);
        let measures = [("pro_forma", CostMeasure::ProForma), ("aws_cost", CostMeasure::Aws)];
        let of = self.cost_measure(entry.field("of"), draft.of.as_deref(), &measures);
        let minimum = self.not_negative(entry.field("minimum"), draft.minimum.unwrap_or_default());
        let presentation_service = self.presentation(entry, draft.presentation_service.as_ref());
        self.described(entry, draft.description.as_ref());
        let tiers = self.support_tiers(entry, &draft.tiers);
        Some(SupportFee {
            name: draft.name.clone(),
            description: draft.description.clone(),
            groups: groups?,
            of: of?,
            tiers: tiers?,
            minimum: minimum?,
            presentation_service: presentation_service?,
            in_force: in_force?,
        })
    }

    fn support_tiers(
        &mut self,
        entry: Entry,
        drafts: &[(Option<Cost>, Percentage)],
    ) -> Option<Vec<SupportTier>> {
        if drafts.is_empty() {
            return self.mistake(entry.field("tiers"), "a support fee has at least one tier");
        }
        let mut tiers = Vec::new();
        let mut begin = Cost::ZERO;
        for (element, (up_to, percentage)) in drafts.iter().enumerate() {
            let place = entry.element("tiers", element);
            let is_last = element + 1 == drafts.len();
            match up_to {
                Some(_) if is_last => {
                    return self
                        .mistake(place, "the last tier has no `up_to`: it holds for whatever is spent");
                }
                None if !is_last => {
                    return self.mistake(place, "only the last tier has no `up_to`");
                }
                Some(end) if *end <= begin => {
                    let message = format!("ends at `{end}`, at or before it begins, at `{begin}`");
                    return self.mistake(place, message);
                }
                end => begin = end.unwrap_or(begin),
            }
            let percentage = self.share(place, *percentage)?;
            tiers.push(SupportTier { up_to: *up_to, percentage });
        }
        Some(tiers)
    }

    fn payer_commitment(
        &mut self,
        entry: Entry,
        draft: &PayerCommitmentDraft,
        groups: &ByName<'_>,
    ) -> Option<PayerCommitment> {
        let in_force = self.in_force(entry, draft.start.as_deref(), draft.end.as_deref());
        let amount = self.not_negative(entry.field("amount"), draft.amount);
        let measures = [
            ("aws_cost", CostMeasure::Aws),
            ("unblended_cost", CostMeasure::Unblended),
            ("public_cost", CostMeasure::Public),
        ];
        let of = self.cost_measure(entry.field("of"), draft.of.as_deref(), &measures);
        let spend = self.line_filters(entry, "spend", &draft.spend);
        let presentation_service = self.presentation(entry, draft.presentation_service.as_ref());
        let shared = match &*draft.shortfall {
            "own" => Some(false),
            "shared" => Some(true),
            other => {
                let message = format!("`{other}` is not known here; use `own` or `shared`");
                self.mistake(entry.field("shortfall"), message)
            }
        };
        let shares = self.commitment_shares(entry, draft, groups);
        Some(PayerCommitment {
            name: draft.name.clone(),
            amount: amount?,
            of: of?,
            spend: spend?,
            shares: shares?,
            shared: shared?,
            presentation_service: presentation_service?,
            in_force: in_force?,
        })
    }

    fn commitment_shares(
        &mut self,
        entry: Entry,
        draft: &PayerCommitmentDraft,
        groups: &ByName<'_>,
    ) -> Option<Vec<(usize, Percentage)>> {
        let mut shares: Vec<(usize, Percentage)> = Vec::new();
        let mut sum = 0;
        for (element, share) in draft.shares.iter().enumerate() {
            let place = entry.element("shares", element);
            let Some(name) = share
                .billing_group
                .as_ref()
                .filter(|_| share.account.is_none() && share.allocation.is_none() && !share.payer)
            else {
                return self.mistake(
                    place,
                    "a share of a commitment has a `billing_group`; the rest is the payer's",
                );
            };
            let Some(&group) = groups.get(name.as_str()) else {
                return self.mistake(place, unknown("billing group", name, groups));
            };
            if shares.iter().any(|(known, _)| *known == group) {
                return self.mistake(place, format!("`{name}` is listed twice"));
            }
            shares.push((group, self.share(place, share.percentage)?));
            sum += share.percentage.units();
        }
        if shares.is_empty() {
            return self
                .mistake(entry.field("shares"), "nobody stands for the commitment; name billing groups");
        }
        if sum > WHOLE {
            let sum = Percentage::from_units(sum).unwrap_or_default();
            return self.mistake(
                entry.field("shares"),
                format!("the shares sum to {sum} %, at most 100 can be shared"),
            );
        }
        Some(shares)
    }

    fn minimum(&mut self, entry: Entry, draft: &MinimumDraft, groups: &ByName<'_>) -> Option<Minimum> {
        let in_force = self.in_force(entry, draft.start.as_deref(), draft.end.as_deref());
        let group = groups.get(draft.billing_group.as_str()).copied();
        if group.is_none() {
            let message = unknown("billing group", &draft.billing_group, groups);
            self.mistake::<()>(entry.field("billing_group"), message);
        }
        let measures = [("aws_cost", CostMeasure::Aws), ("public_cost", CostMeasure::Public)];
        let of = self.cost_measure(entry.field("of"), draft.of.as_deref(), &measures);
        self.described(entry, draft.description.as_ref());
        if draft.amount.is_none() && draft.percentage.is_none() {
            self.mistake::<()>(entry.field("amount"), "a minimum needs an `amount`, a `percentage`, or both");
        }
        if draft.of.is_some() && draft.percentage.is_none() {
            self.mistake::<()>(
                entry.field("of"),
                "says what a `percentage` is taken of; remove it, or add one",
            );
        }
        let amount = draft.amount.map(|amount| self.not_negative(entry.field("amount"), amount));
        let percentage = draft.percentage.map(|of| self.share(entry.field("percentage"), of));
        let presentation_service = self.presentation(entry, draft.presentation_service.as_ref());
        Some(Minimum {
            name: draft.name.clone(),
            description: draft.description.clone(),
            group: group?,
            amount: amount.map_or(Some(None), |amount| amount.map(Some))?,
            percentage: percentage.map_or(Some(None), |of| of.map(Some))?,
            of: of?,
            presentation_service: presentation_service?,
            in_force: in_force?,
        })
    }

    /// Two support fees, or two minimums, of one group in one period: nothing says which one counts.
    fn one_for_each_group(&mut self, fees: &[Option<SupportFee>], minimums: &[Option<Minimum>]) {
        let all: Vec<usize> = (0..self.draft.billing_groups.len()).collect();
        let of_fee = |fee: &SupportFee| if fee.groups.is_empty() { all.clone() } else { fee.groups.clone() };
        let fees = fees.iter().enumerate().filter_map(|(number, fee)| Some((number, fee.as_ref()?)));
        let fees = fees.map(|(number, fee)| (number, &fee.name, fee.in_force, of_fee(fee)));
        let fees: Vec<_> = fees.collect();
        self.refuse_meetings("support_fees", &fees);
        let minimums = minimums.iter().enumerate().filter_map(|(number, of)| Some((number, of.as_ref()?)));
        let minimums: Vec<_> =
            minimums.map(|(number, of)| (number, &of.name, of.in_force, vec![of.group])).collect();
        self.refuse_meetings("minimums", &minimums);
    }

    fn refuse_meetings(&mut self, table: &'static str, policies: &[(usize, &String, InForce, Vec<usize>)]) {
        let mut by_group: HashMap<usize, Vec<(usize, InForce)>> = HashMap::new();
        for (number, name, in_force, groups) in policies {
            for group in groups {
                let known = by_group.entry(*group).or_default();
                if let Some((first, _)) = known.iter().find(|(_, other)| other.meets(in_force)) {
                    let group = &self.draft.billing_groups[*group].name;
                    let first =
                        policies.iter().find(|(number, ..)| number == first).map(|(_, name, ..)| name);
                    let first = first.map_or("", |name| name.as_str());
                    let message = format!(
                        "`{name}` and `{first}` are both for billing group `{group}` in the same periods; it has one"
                    );
                    self.mistake::<()>(Entry { table, number: *number }.field("name"), message);
                    break;
                }
                known.push((*number, *in_force));
            }
        }
    }
}

/// Whether a line item type is one that AWS leaves out of pro forma bills.
fn can_be_distributed(name: &str) -> bool {
    let kind = LineItemType::parse(name);
    name == SUPPORT
        || matches!(
            kind,
            LineItemType::Credit | LineItemType::Refund | LineItemType::Discount | LineItemType::Tax
        )
}
