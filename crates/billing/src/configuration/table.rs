//! The resources of one kind: by id, and in the order in which they were created.

use super::Timeline;
use crate::period::BillingPeriod;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A resource with all its versions. One that was deleted stays, so that past periods and its id are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource<S> {
    /// Its place in lists: resources are numbered as they are created.
    pub number: u64,
    /// When it was created, in seconds since 1970-01-01T00:00:00Z.
    pub created_at: i64,
    /// When it was last changed.
    pub modified_at: i64,
    /// What it is, from which period to which.
    pub versions: Timeline<S>,
    /// Its tags; they have no versions.
    pub tags: BTreeMap<String, String>,
}

/// A resource beside its id.
type Named<I, S> = (I, Arc<Resource<S>>);

/// Resources of one kind. A clone shares everything with its original until one of the two is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<I, S> {
    by_id: Arc<BTreeMap<I, Arc<Resource<S>>>>,
    in_order: Arc<BTreeMap<u64, Named<I, S>>>,
}

impl<I, S> Default for Table<I, S> {
    fn default() -> Self {
        Self { by_id: Arc::default(), in_order: Arc::default() }
    }
}

impl<I: Ord + Clone, S: Clone + PartialEq> Table<I, S> {
    /// The resource of an id, deleted or not.
    #[must_use]
    pub fn get(&self, id: &I) -> Option<&Resource<S>> {
        self.by_id.get(id).map(Arc::as_ref)
    }

    /// What the resource of an id is in a period.
    #[must_use]
    pub fn at(&self, id: &I, period: BillingPeriod) -> Option<(&Resource<S>, &S)> {
        let resource = self.get(id)?;
        Some((resource, resource.versions.at(period)?))
    }

    /// Every resource, in the order of creation.
    pub fn iter(&self) -> impl Iterator<Item = (&I, &Resource<S>)> {
        self.after(0)
    }

    /// The resources that were created after the one of a number, in order.
    pub fn after(&self, number: u64) -> impl Iterator<Item = (&I, &Resource<S>)> {
        let beyond = (std::ops::Bound::Excluded(number), std::ops::Bound::Unbounded);
        self.in_order.range(beyond).map(|(_, (id, resource))| (id, resource.as_ref()))
    }

    /// The resources of a period with their settings then, in the order of creation.
    pub fn in_period(&self, period: BillingPeriod) -> impl Iterator<Item = (&I, &Resource<S>, &S)> {
        self.iter().filter_map(move |(id, resource)| Some((id, resource, resource.versions.at(period)?)))
    }

    /// How many resources there are in a period.
    #[must_use]
    pub fn count(&self, period: BillingPeriod) -> usize {
        self.by_id.values().filter(|resource| resource.versions.at(period).is_some()).count()
    }

    /// Puts a resource in, in place of the one of the same id.
    pub fn put(&mut self, id: I, resource: Resource<S>) {
        if let Some(earlier) = self.get(&id).map(|earlier| earlier.number)
            && earlier != resource.number
        {
            Arc::make_mut(&mut self.in_order).remove(&earlier);
        }
        self.keep(id, Arc::new(resource));
    }

    /// Changes a resource; `None` where there is none.
    pub fn change<T>(&mut self, id: &I, change: impl FnOnce(&mut Resource<S>) -> T) -> Option<T> {
        let mut resource = self.by_id.get(id)?.clone();
        let made = change(Arc::make_mut(&mut resource));
        self.keep(id.clone(), resource);
        Some(made)
    }

    fn keep(&mut self, id: I, resource: Arc<Resource<S>>) {
        Arc::make_mut(&mut self.in_order).insert(resource.number, (id.clone(), resource.clone()));
        Arc::make_mut(&mut self.by_id).insert(id, resource);
    }
}
