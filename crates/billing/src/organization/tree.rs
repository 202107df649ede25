//! The units of an organization as a tree: which is below which.

use super::{OrganizationalUnit, UnitId};
use std::collections::BTreeMap;

/// The units that are there, each with the way to it.
#[derive(Debug, Clone, Copy)]
pub struct UnitTree<'a> {
    units: &'a BTreeMap<UnitId, OrganizationalUnit>,
}

impl<'a> UnitTree<'a> {
    /// The tree of units, those that have gone left out.
    #[must_use]
    pub const fn of(units: &'a BTreeMap<UnitId, OrganizationalUnit>) -> Self {
        Self { units }
    }

    /// A unit that is there.
    #[must_use]
    pub fn get(&self, id: &UnitId) -> Option<&'a OrganizationalUnit> {
        self.units.get(id).filter(|unit| unit.gone_at.is_none())
    }

    /// A unit and those that it is in, up to the root.
    pub fn upwards(&self, id: &'a UnitId) -> impl Iterator<Item = (&'a UnitId, &'a OrganizationalUnit)> {
        let mut next = Some(id);
        // What was kept is a tree; a row that is damaged must not keep us here.
        std::iter::from_fn(move || {
            let (id, unit) = self.units.get_key_value(next?)?;
            next = unit.parent.as_ref();
            Some((id, unit))
        })
        .take(self.units.len())
    }

    /// The names from the root to a unit.
    #[must_use]
    pub fn path(&self, id: &'a UnitId) -> Vec<&'a str> {
        let mut path: Vec<&str> = self.upwards(id).map(|(_, unit)| unit.name.as_str()).collect();
        path.reverse();
        path
    }

    /// The ids from the root to a unit.
    #[must_use]
    pub fn ids(&self, id: &'a UnitId) -> Vec<&'a UnitId> {
        let mut ids: Vec<&UnitId> = self.upwards(id).map(|(id, _)| id).collect();
        ids.reverse();
        ids
    }

    /// The units directly in one, by id.
    pub fn below(&self, parent: &UnitId) -> impl Iterator<Item = (&'a UnitId, &'a OrganizationalUnit)> {
        let units = self.units.iter().filter(|(_, unit)| unit.gone_at.is_none());
        units.filter(move |(_, unit)| unit.parent.as_ref() == Some(parent))
    }
}
