//! What the views of exports are made of at a moment, and by what that is known: while it is the same, nothing is delivered anew.

use super::NewDefinition;
use super::definition::invalid;
use crate::audit::digest;
use crate::billing_views::{View, WAYS_MAX};
use crate::cost_categories::{AccountNames, CategoriesAsked};
use crate::custom_views::KnownViews;
use crate::desk::BackOffice;
use crate::error::Answer;
use billing::account::AccountId;
use billing::billing_view::ViewName;
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use store::{CurrentRun, DataExportRow};

/// The view of an export, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ViewNow {
    /// What it is made of, or why nothing can be delivered of it.
    pub view: Result<View, String>,
    /// By what a custom view is known; a billing group's is always the same.
    pub made_of: Option<String>,
    /// By what the cost categories that it looks at are known in the months that have runs; nothing where it looks at none.
    pub categories: BTreeMap<BillingPeriod, String>,
}

/// The views of a payer's exports.
pub(super) struct ViewsNow {
    pub of_export: BTreeMap<String, ViewNow>,
}

impl ViewsNow {
    /// The view of an export; `None` of one that was made a moment ago.
    pub fn of(&self, export: &str) -> Option<&ViewNow> {
        self.of_export.get(export)
    }

    /// By what the lines that an export has of a month are known beside its definition and the run.
    pub fn known_by(&self, export: &str, period: BillingPeriod) -> Option<String> {
        let now = self.of_export.get(export)?;
        let made_of = now.made_of.as_ref()?;
        match now.categories.get(&period) {
            Some(categories) => Some(digest(&format!("{made_of} {categories}"))),
            None => Some(made_of.clone()),
        }
    }
}

/// The pro forma lines that a view has.
///
/// # Errors
/// Why it has none.
fn lines_of(known: &KnownViews, name: &ViewName, arn: &str) -> Result<View, String> {
    let view = match name {
        ViewName::Group(group) => {
            return Ok(View::BillingGroups { groups: BTreeSet::from([group.clone()]), accounts: None });
        }
        ViewName::Primary => {
            return Err(format!(
                "billing view `{arn}` has no pro forma lines, and what is exported here are these: AWS delivers the lines of the primary view itself; give a billing group's view, or a custom one of billing groups"
            ));
        }
        // A few views may lead to each other in millions of ways: they are counted before any is gone.
        ViewName::Custom(_) if known.ways(name) > WAYS_MAX => {
            return Err(format!(
                "billing view `{arn}` leads to what is charged by {} ways, at most {WAYS_MAX} can be exported; make it of fewer views",
                known.ways(name)
            ));
        }
        ViewName::Custom(_) => View::of_payer(known, name),
    };
    let Some(view) = view else {
        return Err(format!(
            "billing view `{arn}` is not healthy or not there any more: it, or a view that it is made of, was deleted; disassociate that one and associate another, or export another view"
        ));
    };
    if view.has_primary() {
        return Err(format!(
            "billing view `{arn}` is made of the primary view, too, and what is exported here are pro forma lines: AWS delivers those of the primary view itself; make a view of billing groups alone"
        ));
    }
    Ok(view)
}

/// Whether an export may be of a view as it stands.
pub(super) fn check(known: &KnownViews, name: &ViewName, arn: &str) -> Answer<()> {
    lines_of(known, name, arn).map(drop).map_err(|problem| invalid("BILLING_VIEW_ARN", problem))
}

impl BackOffice {
    /// The views of exports as they stand, and what those months are known by that have runs.
    pub(super) async fn views_of_exports(
        &self,
        payer: &AccountId,
        exports: &[DataExportRow],
        runs: &[CurrentRun],
    ) -> Answer<ViewsNow> {
        let known = self.known_views(payer).await?;
        let definitions = self.cost_categories(payer).await?;
        let current = self.current(payer).await?;
        let names = AccountNames::of(&current.family);
        let mut now = ViewsNow { of_export: BTreeMap::new() };
        for export in exports.iter().filter(|export| !export.is_deleted) {
            let arn = NewDefinition::kept(export)?.view;
            let Some(name) = ViewName::parse(payer, &arn) else { continue };
            let view = lines_of(&known, &name, &arn);
            let made_of = matches!(name, ViewName::Custom(_)).then(|| digest(&format!("{view:?}")));
            let asked = view.as_ref().map_or_else(|_| CategoriesAsked::none(), View::categories_asked);
            let mut categories = BTreeMap::new();
            for run in runs {
                let needed = definitions.of_month(run.period, &names).needed(&asked)?;
                if !needed.is_empty() {
                    let known_by: Vec<&str> = needed.iter().map(|of| of.known_by.as_str()).collect();
                    categories.insert(run.period, known_by.join(" "));
                }
            }
            now.of_export.insert(export.id.clone(), ViewNow { view, made_of, categories });
        }
        Ok(now)
    }
}
