//! Custom line items.

use super::group::account;
use super::{Body, number, parsed, shape, text};
use billing::configuration::{
    AssociatedValue, BillingGroupId, ChargeSettings, CustomLineItemId, ItemSettings,
};
use billing::custom_line_item::{Filter, Kind};
use billing::money::{Cost, Percentage};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    name: String,
    description: String,
    billing_group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    kind: KindShape,
    charge: Charge,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    itemized: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    presentation_service: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindShape {
    Fee,
    Credit,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Charge {
    Flat(String),
    Percentage {
        percentage: String,
        of: Vec<Associated>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filter: Option<FilterShape>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Associated {
    BillingGroup,
    Item(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FilterShape {
    WithoutSavingsPlanNegation,
    OnlyService(String),
    WithoutService(String),
}

impl Body for ItemSettings {
    fn write(&self) -> String {
        text(&Item {
            name: self.name.clone(),
            description: self.description.clone(),
            billing_group: self.billing_group.as_str().to_owned(),
            account: self.account.as_ref().map(|account| account.as_str().to_owned()),
            kind: match self.kind {
                Kind::Fee => KindShape::Fee,
                Kind::Credit => KindShape::Credit,
            },
            charge: charge_shape(&self.charge),
            itemized: self.itemized,
            presentation_service: self.presentation_service.clone(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let item: Item = shape(text)?;
        Ok(Self {
            name: item.name,
            description: item.description,
            billing_group: parsed(
                "billing group",
                &item.billing_group,
                BillingGroupId::parse(&item.billing_group),
            )?,
            account: item.account.as_deref().map(account).transpose()?,
            kind: match item.kind {
                KindShape::Fee => Kind::Fee,
                KindShape::Credit => Kind::Credit,
            },
            charge: charge(item.charge)?,
            itemized: item.itemized,
            presentation_service: item.presentation_service,
        })
    }
}

fn charge_shape(charge: &ChargeSettings) -> Charge {
    match charge {
        ChargeSettings::Flat(cost) => Charge::Flat(cost.to_string()),
        ChargeSettings::Percentage { percentage, of, filter } => {
            let associated = |value: &AssociatedValue| match value {
                AssociatedValue::BillingGroup => Associated::BillingGroup,
                AssociatedValue::Item(id) => Associated::Item(id.as_str().to_owned()),
            };
            let filter = filter.clone().map(|filter| match filter {
                Filter::WithoutSavingsPlanNegation => FilterShape::WithoutSavingsPlanNegation,
                Filter::OnlyService(service) => FilterShape::OnlyService(service),
                Filter::WithoutService(service) => FilterShape::WithoutService(service),
            });
            Charge::Percentage {
                percentage: percentage.to_string(),
                of: of.iter().map(associated).collect(),
                filter,
            }
        }
    }
}

fn charge(charge: Charge) -> Result<ChargeSettings, String> {
    let (percentage, of, filter) = match charge {
        Charge::Flat(cost) => return Ok(ChargeSettings::Flat(number(&cost, Cost::parse(&cost))?)),
        Charge::Percentage { percentage, of, filter } => (percentage, of, filter),
    };
    let associated = |value: Associated| {
        Ok(match value {
            Associated::BillingGroup => AssociatedValue::BillingGroup,
            Associated::Item(id) => {
                AssociatedValue::Item(parsed("custom line item", &id, CustomLineItemId::parse(&id))?)
            }
        })
    };
    Ok(ChargeSettings::Percentage {
        percentage: number(&percentage, Percentage::parse(&percentage))?,
        of: of.into_iter().map(associated).collect::<Result<_, String>>()?,
        filter: filter.map(|filter| match filter {
            FilterShape::WithoutSavingsPlanNegation => Filter::WithoutSavingsPlanNegation,
            FilterShape::OnlyService(service) => Filter::OnlyService(service),
            FilterShape::WithoutService(service) => Filter::WithoutService(service),
        }),
    })
}
