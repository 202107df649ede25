//! What looks at a cost category. None of it keeps the cost category from being deleted, as at AWS: from the month on that has it no more, lines have no value of it (or
//! that of the cost files, where these have one of the name), and whatever looks at it goes on by that.

use super::CategoriesAsked;
use crate::authorization::Caller;
use crate::desk::BackOffice;
use crate::error::Answer;
use query::dimension::Key;
use serde_json::{Value, json};

impl BackOffice {
    /// The other cost categories, billing views, budgets and saved reports that look at a cost category now, each by what it is and its name or ARN.
    pub(super) async fn users_of(&self, caller: &Caller, id: &str) -> Answer<Vec<(&'static str, String)>> {
        let payer = &caller.payer;
        let known = self.cost_categories(payer).await?;
        let Some(name) = known.get(id).filter(|of| !of.is_deleted()).map(|of| of.name.clone()) else {
            return Ok(Vec::new());
        };
        let key = Key::CostCategory(name);
        let Key::CostCategory(name) = &key else { return Ok(Vec::new()) };
        let mut users = Vec::new();
        let month = crate::clock::Clock::period_of(caller.now);
        let others =
            known.holding(month).filter(|(of, _, kept)| of.id != id && kept.looks_at().contains(name));
        users.extend(others.map(|(of, ..)| ("CostCategory", of.name.clone())));
        let views = self.views_by_cost_category(caller).await?;
        users.extend(views.get(name).into_iter().flatten().map(|arn| ("BillingView", arn.clone())));
        for row in self.budgets_of(payer).await? {
            // What cannot be asked any more looks at nothing.
            if CategoriesAsked::of(&[], row.budget.expression().ok().flatten().as_ref()).has(&key) {
                users.push(("Budget", row.budget.name));
            }
        }
        for row in self.saved_reports_of(payer).await? {
            let filter = row.report.filter.as_ref().and_then(|filter| filter.expression().ok());
            let keys = row.report.group_by.iter().filter_map(|of| of.key().ok()).collect::<Vec<_>>();
            if CategoriesAsked::of(&keys, filter.as_ref()).has(&key) {
                users.push(("SavedReport", row.report.name));
            }
        }
        Ok(users)
    }
}

/// What was asked for, with what looked at the cost category then: it stands in the audit.
pub(super) fn said(input: &str, users: &[(&'static str, String)]) -> String {
    if users.is_empty() {
        return input.to_owned();
    }
    let users: Vec<Value> = users.iter().map(|(kind, name)| json!({"Type": kind, "Name": name})).collect();
    match serde_json::from_str(input) {
        Ok(Value::Object(mut members)) => {
            members.insert("LookedAtBy".to_owned(), users.into());
            Value::Object(members).to_string()
        }
        _ => input.to_owned(),
    }
}
