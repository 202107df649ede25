//! `GetTags`, `GetCostCategories` and `ListCostAllocationTags`: what lines are marked with, as far as the book of a month's run names it.

use super::invalid;
use super::shapes::Search;
use super::values::Asked;
use crate::call::{Call, json};
use back_office::cost_categories::CategoriesAsked;
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::invoice::Date;
use query::dimension::{Key, is_same_tag, shown_tag};
use serde::{Deserialize, Serialize};

/// How many days back tags are looked for: the months that Cost Explorer shows.
const DAYS_BACK: i32 = 400;
/// How many tags a page has, unless it is said.
const PAGE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    return_size: usize,
    total_size: usize,
    tags: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CostCategories {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    return_size: usize,
    total_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_category_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_category_values: Option<Vec<String>>,
}

/// `GetTags`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Search = call.read()?;
    let asked = Asked::of(call, &input, None, CategoriesAsked::none()).await?;
    let found = match input.tag_key.as_deref().filter(|key| !key.is_empty()) {
        Some(key) => values(&asked, Key::Tag(key.to_owned())).await?,
        None => {
            let keys = asked.months.tags().into_keys().map(|tag| (shown_tag(&tag).to_owned(), Key::Tag(tag)));
            used(&asked, keys).await?
        }
    };
    let cut = asked.cut(call, found)?;
    json(&Tags {
        next_page_token: cut.next_page_token,
        return_size: cut.values.len(),
        total_size: cut.total,
        tags: cut.values,
    })
}

/// `GetCostCategories`
pub(super) async fn cost_categories(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Search = call.read()?;
    let name = input.cost_category_name.as_deref();
    let key = name.map(|name| Key::CostCategory(name.to_owned()));
    let categories = key.as_slice();
    // Names are those of cost categories that lines have values of: of all of them.
    let categories = match categories {
        [] => CategoriesAsked::All,
        key => CategoriesAsked::of(key, None),
    };
    let asked = Asked::of(call, &input, None, categories).await?;
    let found = match key {
        Some(key) => values(&asked, key).await?,
        None => {
            let names = asked.months.cost_categories().into_iter();
            used(&asked, names.map(|name| (name.clone(), Key::CostCategory(name)))).await?
        }
    };
    let cut = asked.cut(call, found)?;
    let (names, of_name) = if name.is_some() { (None, Some(cut.values)) } else { (Some(cut.values), None) };
    json(&CostCategories {
        next_page_token: cut.next_page_token,
        return_size: names.iter().chain(&of_name).map(Vec::len).sum(),
        total_size: cut.total,
        cost_category_names: names,
        cost_category_values: of_name,
    })
}

/// The values of a key without its name before them; of lines that have none the value is empty.
async fn values(asked: &Asked<'_>, key: Key) -> Answer<Vec<String>> {
    let found = asked.values(&key).await?;
    let before = match &key {
        Key::Tag(name) | Key::CostCategory(name) => format!("{name}$"),
        Key::Dimension(_) => String::new(),
    };
    Ok(found.into_iter().map(|value| value.strip_prefix(&before).unwrap_or_default().to_owned()).collect())
}

/// The names of those keys of which a line that is seen has a value.
async fn used(asked: &Asked<'_>, keys: impl Iterator<Item = (String, Key)>) -> Answer<Vec<String>> {
    let mut names = Vec::new();
    for (name, key) in keys {
        if values(asked, key).await?.iter().any(|value| !value.is_empty()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListCostAllocationTags {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    tag_keys: Option<Vec<String>>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    max_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CostAllocationTags {
    cost_allocation_tags: Vec<CostAllocationTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CostAllocationTag {
    tag_key: String,
    r#type: &'static str,
    status: &'static str,
}

/// `ListCostAllocationTags`: those that the books of the last months name; each of them is active.
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListCostAllocationTags = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE).map_err(|_| {
        let message = "the token was not given out for this list; begin again without NextToken";
        Error::from(CostExplorerRefusal::InvalidNextToken(message.to_owned()))
    })?;
    let today = Date::of_seconds(call.caller.now).days();
    let days = today - DAYS_BACK..today + 1;
    let known = match call.desk.months_of(call.caller, None, days, CategoriesAsked::none()).await {
        Ok(months) => months.tags(),
        Err(Error::CostExplorer(CostExplorerRefusal::DataUnavailable(_))) => Default::default(),
        Err(error) => return Err(error),
    };
    if input.tag_keys.as_ref().is_some_and(Vec::is_empty) {
        return Err(invalid("TagKeys: it is empty; name a key, or leave it out"));
    }
    let is_asked =
        |tag: &str| input.tag_keys.as_ref().is_none_or(|keys| keys.iter().any(|key| is_same_tag(tag, key)));
    let is_active = input.status.as_deref().is_none_or(|status| status == "Active");
    let tags = known.into_keys().filter(|tag| is_active && is_asked(tag)).map(|tag| {
        let r#type = if tag.starts_with("aws") { "AWSGenerated" } else { "UserDefined" };
        CostAllocationTag { tag_key: shown_tag(&tag).to_owned(), r#type, status: "Active" }
    });
    let of_type = tags.filter(|tag| input.r#type.as_deref().is_none_or(|of| of == tag.r#type));
    let entries = of_type.map(|tag| (tag.tag_key.clone(), tag)).filter(|(key, _)| *key > page.after);
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    entries.dedup_by(|one, other| one.0 == other.0);
    let (cost_allocation_tags, next_token) = call.cut(&page, entries)?;
    json(&CostAllocationTags { cost_allocation_tags, next_token })
}
