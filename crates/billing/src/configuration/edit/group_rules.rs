//! The rules of billing groups.

use super::Edit;
use super::lookup::Missing;
use crate::account::AccountId;
use crate::configuration::window::Window;
use crate::configuration::{BillingGroupId, PlacedBy, Refusal, Touched, ValidationReason};
use crate::group_rule::{GroupRule, SELECTORS_MAX};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Edit<'_> {
    /// Gives a standard group a rule from the period of the write on, in place of the one that it had, up to what was said for later periods. Which
    /// accounts it moves, [`follow_rules`](Self::follow_rules) says.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where there is no such group in the period, [`ValidationReason::IllegalBillingGroupType`] of a billing transfer's,
    /// [`ValidationReason::FieldValidationFailed`] where the rule selects by nothing, or by a unit that the organization does not have.
    pub fn put_group_rule(&mut self, arn: &str, rule: GroupRule) -> Result<BillingGroupId, Refusal> {
        let (id, settings) = self.group(arn, Missing::NotFound)?;
        if settings.transfer.is_some() {
            let message = format!(
                "billing group `{}` has its accounts from a billing transfer: it takes no rule",
                settings.name
            );
            return Err(Refusal::invalid(ValidationReason::IllegalBillingGroupType, message));
        }
        if rule.selectors.is_empty() || rule.selectors.len() > SELECTORS_MAX {
            return Err(invalid(format!(
                "a rule has 1 to {SELECTORS_MAX} selectors, not {}; to take it away, delete it",
                rule.selectors.len()
            )));
        }
        if rule.selectors.iter().any(|selector| selector.is_empty()) {
            let message = "a selector says an organizational unit, a tag or a name, or several of them; an empty one would match nothing";
            return Err(invalid(message.to_owned()));
        }
        let units = rule.selectors.iter().filter_map(|selector| selector.unit.as_ref());
        let is_read = self.next.organization.is_some();
        if let Some(unit) = units.into_iter().find(|unit| is_read && !unit.is_there(&self.next.units)) {
            return Err(invalid(format!(
                "organizational unit `{unit}` is not there; write its id, or its names from the root on as Root/Customers/Harbor, and read the \
                 organization again where the unit is new"
            )));
        }
        let window = self.until_next_rule(&id);
        if self.next.group_rules.get(&id).and_then(|rules| rules.at(window.from)) != Some(&rule) {
            let rules = Arc::make_mut(&mut self.next.group_rules).entry(id.clone()).or_default();
            rules.set(window.from, window.to, rule, self.moment.now);
            self.touched.insert(Touched::GroupRule(id.clone()));
        }
        Ok(id)
    }

    /// Takes the rule of a group away from the period of the write on, up to what was said for later ones. The accounts that it has put there
    /// stay, as if somebody had.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where there is no such group in the period, [`ValidationReason::FieldValidationFailed`] where it has no rule.
    pub fn delete_group_rule(&mut self, arn: &str) -> Result<BillingGroupId, Refusal> {
        let (id, settings) = self.group(arn, Missing::NotFound)?;
        let (name, period) = (settings.name.clone(), self.moment.period);
        if self.next.group_rule(&id, period).is_none() {
            return Err(invalid(format!("billing group `{name}` has no rule in billing period {period}")));
        }
        let window = self.until_next_rule(&id);
        self.end_group_rule(&id, window);
        let of_rule = |(account, placements): (&AccountId, &crate::configuration::Timeline<_>)| {
            let placement: Option<&crate::configuration::Placement> = placements.at(period);
            let is_its = placement.is_some_and(|of| of.group == id && matches!(of.by, PlacedBy::Rule(_)));
            is_its.then(|| account.clone())
        };
        let placed: Vec<AccountId> = self.next.placements.iter().filter_map(of_rule).collect();
        for account in placed {
            self.unplace(&account, window);
        }
        Ok(id)
    }

    /// The periods from that of the write on in which there is a group and its rule is not said anew.
    fn until_next_rule(&self, id: &BillingGroupId) -> Window {
        let life = self.life(id);
        let rules =
            self.next.group_rules.get(id).into_iter().flat_map(crate::configuration::Timeline::changes);
        let to = rules.filter(|change| *change > life.from).chain(life.to).min();
        Window { to, ..life }
    }

    /// Ends the rule of a group for some periods.
    pub(super) fn end_group_rule(&mut self, id: &BillingGroupId, window: Window) {
        let has_one = |rules: &BTreeMap<BillingGroupId, crate::configuration::Timeline<GroupRule>>| {
            let spans = rules.get(id).map(|rules| rules.spans()).unwrap_or_default();
            spans.iter().any(|span| Window::of(span).meets(window))
        };
        if has_one(&self.next.group_rules) {
            if let Some(rules) = Arc::make_mut(&mut self.next.group_rules).get_mut(id) {
                rules.clear(window.from, window.to);
            }
            self.touched.insert(Touched::GroupRule(id.clone()));
        }
    }
}

/// A rule that cannot be.
fn invalid(message: String) -> Refusal {
    let fields = vec![("Selectors".to_owned(), message.clone())];
    Refusal::Validation { reason: ValidationReason::FieldValidationFailed, message, fields }
}
