//! Units and billing transfers: a tree below one root, whether ids or paths tell it.

use super::rows::{At, Given, Rows, Written};
use super::{Mistakes, account_id, excerpt, unit_path};
use billing::organization::{FeatureSet, InboundTransfer, UnitDraft, UnitId, derived_unit};
use billing::period::BillingPeriod;
use billing::responsibility_transfer::Status;
use std::collections::BTreeMap;

/// The units that are known by now.
pub struct Units {
    units: BTreeMap<UnitId, UnitDraft>,
    /// Whether they have been told with their ids: then accounts are in no others.
    told: bool,
    root: Option<UnitId>,
}

impl Units {
    /// The units that a file tells with their ids.
    pub fn of(rows: &Rows, mistakes: &mut Mistakes) -> Self {
        let mut told = Self { units: BTreeMap::new(), told: rows.units.is_some(), root: None };
        let mut places: BTreeMap<UnitId, At> = BTreeMap::new();
        for row in rows.units.iter().flatten() {
            let id = mistakes.take(Some(&row.needed("id")), |text| unit_id("id", text));
            let parent = mistakes.take(row.get("parent_id"), |text| unit_id("parent_id", text));
            let Some(id) = id else { continue };
            let Some(name) = row.get("name") else {
                mistakes.add(row.at, format!("unit `{id}` has no `name`"));
                continue;
            };
            if places.insert(id.clone(), row.at).is_some() {
                mistakes.add(row.at, format!("unit `{id}` is listed twice"));
                continue;
            }
            if parent.is_none() && row.get("parent_id").is_none() {
                told.take_root(&id, row.at, mistakes);
            }
            let unit = UnitDraft { name: name.text.clone(), parent, tags: row.tags.clone() };
            told.units.insert(id, unit);
        }
        told.hangs_together(&places, mistakes);
        told
    }

    fn take_root(&mut self, id: &UnitId, at: At, mistakes: &mut Mistakes) {
        match &self.root {
            Some(root) => mistakes.add(
                at,
                format!("unit `{id}` has no `parent_id`, and `{root}` is the root already; an organization has one root"),
            ),
            None if !id.is_root() => {
                mistakes.add(at, format!("unit `{id}` has no `parent_id`; only a root, `r-…`, is in no other unit"));
            }
            None => self.root = Some(id.clone()),
        }
    }

    /// Whether every unit is below the root.
    fn hangs_together(&self, places: &BTreeMap<UnitId, At>, mistakes: &mut Mistakes) {
        for (id, unit) in &self.units {
            let at = places.get(id).copied().unwrap_or((1, 1));
            let Some(parent) = &unit.parent else { continue };
            if !self.units.contains_key(parent) {
                mistakes.add(at, format!("unit `{id}` is in `{parent}`, which is not among the units"));
                continue;
            }
            let (mut above, mut steps) = (Some(parent), 0);
            while let Some(next) = above.filter(|next| *next != id && steps <= self.units.len()) {
                above = self.units.get(next).and_then(|unit| unit.parent.as_ref());
                steps += 1;
            }
            if above.is_some() {
                mistakes.add(
                    at,
                    format!("unit `{id}` is below itself; a unit's `parent_id` leads up to the root"),
                );
            }
        }
        if self.told && self.root.is_none() && mistakes.0.is_empty() {
            mistakes.add(
                (1, 1),
                "there is no root among the units: one with an id `r-…` and no `parent_id`".to_owned(),
            );
        }
    }

    /// The unit of an account.
    pub fn of_account(&mut self, row: &Written, mistakes: &mut Mistakes) -> Option<UnitId> {
        if let Some(given) = row.get("organizational_unit_id") {
            let id = mistakes.take(Some(given), |text| unit_id("organizational_unit_id", text))?;
            if self.units.contains_key(&id) {
                return Some(id);
            }
            mistakes.add(given.at, format!("`organizational_unit_id`: `{id}` is not among the units"));
            return None;
        }
        let given = row.needed("organizational_unit");
        let path = mistakes.take(Some(&given), |text| {
            unit_path(text).map_err(|message| format!("`organizational_unit`: {message}"))
        })?;
        if self.told { self.told_path(&path, &given, mistakes) } else { self.path(&path, &given, mistakes) }
    }

    /// The unit of a path among those that were told.
    fn told_path(&self, path: &[String], given: &Given, mistakes: &mut Mistakes) -> Option<UnitId> {
        let mut at =
            self.root.clone().filter(|root| self.units.get(root).is_some_and(|of| of.name == path[0]));
        for name in &path[1..] {
            let inside = at.as_ref();
            let mut units = self.units.iter();
            let next = units
                .find(|(_, unit)| inside.is_some() && unit.parent.as_ref() == inside && unit.name == *name);
            at = next.map(|(id, _)| id.clone());
        }
        if at.is_none() {
            let message = format!(
                "`organizational_unit`: there is no unit `{}` among the units",
                excerpt(&path.join("/"))
            );
            mistakes.add(given.at, message);
        }
        at
    }

    /// The unit of a path, which makes it and those above known.
    fn path(&mut self, path: &[String], given: &Given, mistakes: &mut Mistakes) -> Option<UnitId> {
        let root = derived_unit(&path[..1])?;
        let first = self.root.get_or_insert_with(|| root.clone());
        if *first != root {
            let first = self.units.get(first).map(|unit| unit.name.clone()).unwrap_or_default();
            let message = format!(
                "`organizational_unit`: `{}` does not begin at `{}`, as the first account's does; write every path from the organization's root on",
                excerpt(&path.join("/")),
                excerpt(&first)
            );
            mistakes.add(given.at, message);
            return None;
        }
        let mut parent = None;
        for depth in 1..=path.len() {
            let id = derived_unit(&path[..depth])?;
            let unit =
                UnitDraft { name: path[depth - 1].clone(), parent: parent.take(), tags: BTreeMap::new() };
            self.units.entry(id.clone()).or_insert(unit);
            parent = Some(id);
        }
        parent
    }

    /// The root and all units; `None` where there is no root.
    pub fn finish(self) -> Option<(UnitId, BTreeMap<UnitId, UnitDraft>)> {
        Some((self.root?, self.units))
    }
}

fn unit_id(column: &str, text: &str) -> Result<UnitId, String> {
    UnitId::parse(text).ok_or_else(|| {
        format!(
            "`{column}`: `{}` is no id of a unit: those are r-… and ou-…-…, as AWS writes them",
            excerpt(text)
        )
    })
}

pub fn features(text: &str) -> Result<FeatureSet, String> {
    FeatureSet::parse(text)
        .ok_or_else(|| format!("`feature_set`: `{}` is neither ALL nor CONSOLIDATED_BILLING", excerpt(text)))
}

/// The billing transfers as far as they are sound.
pub fn transfers(rows: &[Written], mistakes: &mut Mistakes) -> Vec<InboundTransfer> {
    let mut transfers = Vec::new();
    for row in rows {
        let arn = mistakes.take(Some(&row.needed("arn")), |text| match text.starts_with("arn:") {
            true => Ok(text.to_owned()),
            false => Err(format!("`arn`: `{}` is no ARN of a billing transfer", excerpt(text))),
        });
        let source = mistakes.take(Some(&row.needed("source_account_id")), |text| {
            account_id(text).map_err(|message| format!("`source_account_id`: {message}"))
        });
        let status = mistakes.take(Some(&row.needed("status")), |text| {
            let known: Vec<_> = Status::ALL.iter().map(|(_, name)| *name).collect();
            let message = || format!("`status`: `{}` is none of {}", excerpt(text), known.join(", "));
            Status::parse(text).ok_or_else(message)
        });
        let start = mistakes.take(Some(&row.needed("start")), |text| month("start", text));
        let end = mistakes.take(row.get("end"), |text| month("end", text));
        if let (Some(arn), Some(source), Some(status), Some(start)) = (arn, source, status, start) {
            transfers.push(InboundTransfer { arn, source, status, start, end });
        }
    }
    transfers
}

fn month(column: &str, text: &str) -> Result<BillingPeriod, String> {
    BillingPeriod::parse(text)
        .map_err(|_| format!("`{column}`: `{}` is no month; write it as 2026-11", excerpt(text)))
}
