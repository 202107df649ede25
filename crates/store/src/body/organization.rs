//! The organization: itself, its units, its accounts, and the rules by which billing groups follow it.

use super::group::account;
use super::{Body, number, parsed, shape, text};
use billing::configuration::{BillingGroupId, FamilyAccount, PlacedBy, Placement};
use billing::group_rule::{GroupRule, NamePattern, Selector, TagSelector, UnitName};
use billing::organization::{
    AccountDetails, AccountState, FeatureSet, JoinedMethod, Organization, OrganizationalUnit, UnitId,
};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    joined: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    unit: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    joined_at_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    joined_method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_at_s: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

impl Details {
    fn of(details: &AccountDetails) -> Self {
        Self {
            unit: details.unit.to_string(),
            state: details.state.name().to_owned(),
            joined_at_s: details.joined_at,
            joined_method: details.joined_method.map(|method| method.name().to_owned()),
            left_at_s: details.left_at,
            tags: details.tags.clone(),
        }
    }

    fn details(self) -> Result<AccountDetails, String> {
        let method = |name: String| parsed("way to join", &name, JoinedMethod::parse(&name));
        Ok(AccountDetails {
            unit: unit(&self.unit)?,
            state: parsed("state of an account", &self.state, AccountState::parse(&self.state))?,
            joined_at: self.joined_at_s,
            joined_method: self.joined_method.map(method).transpose()?,
            left_at: self.left_at_s,
            tags: self.tags,
        })
    }
}

impl Body for FamilyAccount {
    fn write(&self) -> String {
        let month = |period: BillingPeriod| period.to_string();
        text(&Family {
            name: self.name.clone(),
            email: self.email.clone(),
            joined: self.joined.map(month),
            left: self.left.map(month),
            details: self.details.as_deref().map(Details::of),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Family { name, email, joined, left, details } = shape(text)?;
        let month = |text: String| number(&text, BillingPeriod::parse(&text));
        Ok(Self {
            name,
            email,
            joined: joined.map(month).transpose()?,
            left: left.map(month).transpose()?,
            details: details.map(Details::details).transpose()?.map(Box::new),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationShape {
    id: String,
    management_account: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    management_email: Option<String>,
    features: String,
    root: String,
}

impl Body for Organization {
    fn write(&self) -> String {
        text(&OrganizationShape {
            id: self.id.clone(),
            management_account: self.management_account.to_string(),
            management_email: self.management_email.clone(),
            features: self.features.name().to_owned(),
            root: self.root.to_string(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let OrganizationShape { id, management_account, management_email, features, root } = shape(text)?;
        Ok(Self {
            id,
            management_account: account(&management_account)?,
            management_email,
            features: parsed("set of features", &features, FeatureSet::parse(&features))?,
            root: unit(&root)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unit {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gone_at_s: Option<i64>,
}

impl Body for OrganizationalUnit {
    fn write(&self) -> String {
        text(&Unit {
            name: self.name.clone(),
            parent: self.parent.as_ref().map(ToString::to_string),
            tags: self.tags.clone(),
            gone_at_s: self.gone_at,
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Unit { name, parent, tags, gone_at_s } = shape(text)?;
        Ok(Self { name, parent: parent.as_deref().map(unit).transpose()?, tags, gone_at: gone_at_s })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleShape {
    selectors: Vec<SelectorShape>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    except: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectorShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<TagShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagShape {
    key: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    values: BTreeSet<String>,
}

impl SelectorShape {
    fn of(selector: &Selector) -> Self {
        let (unit, path) = match &selector.unit {
            Some(UnitName::Id(id)) => (Some(id.to_string()), None),
            Some(UnitName::Path(names)) => (None, Some(names.clone())),
            None => (None, None),
        };
        let tag = selector.tag.clone().map(|TagSelector { key, values }| TagShape { key, values });
        Self { unit, path, tag, name: selector.name.as_ref().map(|name| name.as_str().to_owned()) }
    }

    fn selector(self) -> Result<Selector, String> {
        let id = self.unit.as_deref().map(unit).transpose()?.map(UnitName::Id);
        let name = |text: String| parsed("pattern of names", &text, NamePattern::parse(&text));
        Ok(Selector {
            unit: id.or(self.path.map(UnitName::Path)),
            tag: self.tag.map(|TagShape { key, values }| TagSelector { key, values }),
            name: self.name.map(name).transpose()?,
        })
    }
}

impl Body for GroupRule {
    fn write(&self) -> String {
        text(&RuleShape {
            selectors: self.selectors.iter().map(SelectorShape::of).collect(),
            except: self.except.iter().map(ToString::to_string).collect(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let RuleShape { selectors, except } = shape(text)?;
        Ok(Self {
            selectors: selectors.into_iter().map(SelectorShape::selector).collect::<Result<_, _>>()?,
            except: except.iter().map(|id| account(id)).collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlacementShape {
    billing_group: String,
    /// What of the group's rule matched; none where the group takes what no other has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

impl Body for Placement {
    fn write(&self) -> String {
        let rule = match &self.by {
            PlacedBy::Rule(matched) => Some(matched.clone()),
            PlacedBy::AutoAssociate => None,
        };
        text(&PlacementShape { billing_group: self.group.to_string(), rule })
    }

    fn read(text: &str) -> Result<Self, String> {
        let PlacementShape { billing_group, rule } = shape(text)?;
        let group = parsed("billing group", &billing_group, BillingGroupId::parse(&billing_group))?;
        Ok(Self { group, by: rule.map_or(PlacedBy::AutoAssociate, PlacedBy::Rule) })
    }
}

fn unit(id: &str) -> Result<UnitId, String> {
    parsed("organizational unit", id, UnitId::parse(id))
}
