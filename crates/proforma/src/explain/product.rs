//! A product of a billing group: every class and custom line item of it, and their sum.

use super::arithmetic::{self, Arithmetic};
use crate::cli::{ExplainArguments, TextFormat};
use crate::failure::Failure;
use crate::pricing::Rated;
use crate::run_folder::RunFolder;
use crate::terminal::{print, to_json};
use crate::wording;
use anyhow::anyhow;
use billing::charge_class::KeyColumn;
use billing::coverage::Coverage;
use billing::custom_line_item;
use billing::hierarchy::Hierarchy;
use billing::money::{Amount, Cost, Currency, DecimalError};
use billing::rate_card::{ItemCharge, RateCard, Treatment};
use billing::statement::{self, Statement};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything under a product in one currency.
#[derive(Debug, Serialize)]
struct Explanation {
    period: String,
    billing_group: String,
    product: String,
    currency: String,
    classes: Vec<Arithmetic>,
    custom_line_items: Vec<Item>,
    /// The exact sum.
    sum: String,
    /// What showing the statement's lines at ten decimals adds to it.
    shown_at_ten_decimals: String,
    amount: String,
    /// Whether this is the whole product, hence the cost report's row.
    whole_product: bool,
}

#[derive(Debug, Serialize)]
struct Item {
    name: String,
    account_id: String,
    charge: String,
    /// What a percentage is taken of.
    base: Option<String>,
    amount: String,
}

/// Explains, and checks that the parts are the cost report's amount.
pub fn explain(
    arguments: &ExplainArguments,
    run: &mut RunFolder,
    group_name: &str,
    product: &str,
) -> Result<(), Failure> {
    let Rated { card, charges, .. } = run.rate()?;
    let run = &*run;
    let (cube, book) = (&run.cube, &run.book);
    let group = book.groups.iter().position(|group| group.name == group_name).ok_or_else(|| {
        let names: Vec<String> = book.groups.iter().map(|group| format!("`{}`", group.name)).collect();
        Failure::input(format!("the run has no billing group `{group_name}`"))
            .hint(format!("it has {}", names.join(", ")))
    })?;
    let coverage = run.coverage()?;
    let statements = statement::statements(cube, book, &card, &charges)?;
    let wanted = Wanted { arguments, run, card: &card, coverage, charges: &charges, group, product };
    let mut explanations = Vec::new();
    for statement in statements.iter().filter(|statement| statement.group == group) {
        explanations.extend(wanted.explanation(statement)?);
    }
    if explanations.is_empty() {
        return Err(wanted.nothing(&statements));
    }
    match arguments.output {
        TextFormat::Json => print(&to_json(&explanations)?)?,
        TextFormat::Text => print(&explanations.iter().map(text).collect::<Vec<_>>().join("\n"))?,
    }
    Ok(())
}

struct Wanted<'a> {
    arguments: &'a ExplainArguments,
    run: &'a RunFolder,
    card: &'a RateCard,
    coverage: Option<&'a Coverage>,
    charges: &'a [ItemCharge],
    group: usize,
    product: &'a str,
}

impl Wanted<'_> {
    fn of_account(&self, account: &str) -> bool {
        self.arguments.account.as_ref().is_none_or(|wanted| wanted == account)
    }

    fn of_usage_type(&self, usage_type: &str) -> bool {
        self.arguments.usage_type.as_ref().is_none_or(|wanted| wanted == usage_type)
    }

    /// `None` where the statement has nothing of what is wanted.
    fn explanation(&self, statement: &Statement) -> Result<Option<Explanation>, Failure> {
        let classes = self.classes(statement.currency);
        let items = self.items(statement)?;
        if classes.is_empty() && items.is_empty() {
            return Ok(None);
        }
        let (cube, book) = (&self.run.cube, &self.run.book);
        let amounts = classes.iter().map(|class| self.card.entries[*class].amount);
        let amounts = amounts.chain(items.iter().map(|(_, amount)| *amount));
        let sum = amounts.into_iter().try_fold(Amount::ZERO, |sum: Amount, more| sum.plus(more))?;
        let (exact, shown) = self.leaves(statement)?;
        let whole_product = self.arguments.account.is_none() && self.arguments.usage_type.is_none();
        let reported = whole_product
            .then(|| self.run.reported(&book.groups[self.group].name, self.product, statement.currency));
        let reported = reported.transpose()?.unwrap_or(shown);
        if sum != exact || reported != shown {
            let error = anyhow!(
                "the parts sum to {sum}, the statement has {exact} and shows {shown}, the cost report says {reported}; a fault of the \
                 program, or `cost-report.json` was changed"
            );
            return Err(error.into());
        }
        let arithmetic = |class: &usize| arithmetic::of_class(cube, book, self.card, self.coverage, *class);
        Ok(Some(Explanation {
            period: self.run.period.to_string(),
            billing_group: book.groups[self.group].name.clone(),
            product: self.product.to_owned(),
            currency: statement.currency.to_string(),
            classes: classes.iter().map(arithmetic).collect::<Result<_, _>>()?,
            custom_line_items: items.into_iter().map(|(item, _)| item).collect(),
            sum: sum.to_string(),
            shown_at_ten_decimals: shown.to_amount()?.minus(sum)?.to_string(),
            amount: shown.to_string(),
            whole_product,
        }))
    }

    /// The group's classes of the product, those that the bill leaves out among them.
    fn classes(&self, currency: Currency) -> Vec<usize> {
        let cube = &self.run.cube;
        let wanted = |number: &usize| {
            let class = &cube.classes[*number];
            let text = |column| cube.value(class, column).unwrap_or_default();
            let of_group = self.card.entries[*number].group.is_some_and(|group| group as usize == self.group);
            of_group
                && cube.product(class) == self.product
                && Currency::parse(text(KeyColumn::Currency)).unwrap_or(self.run.book.currency) == currency
                && self.of_account(text(KeyColumn::UsageAccount))
                && self.of_usage_type(text(KeyColumn::UsageType))
        };
        (0..cube.classes.len()).filter(wanted).collect()
    }

    /// The custom line items under the product; they have no usage type.
    fn items(&self, statement: &Statement) -> Result<Vec<(Item, Amount)>, DecimalError> {
        let mut items = Vec::new();
        let (cube, book) = (&self.run.cube, &self.run.book);
        for of_statement in statement.items.iter().filter(|item| self.has_item(&item.product, &item.account))
        {
            let item = &book.items[of_statement.item];
            let base_of = |charge: &&ItemCharge| {
                let beside = charge.class.map(|class| &cube.classes[class]);
                charge.item == of_statement.item
                    && charge.currency == statement.currency
                    && beside.is_none_or(|class| {
                        cube.product(class) == of_statement.product
                            && cube.value(class, KeyColumn::UsageAccount).unwrap_or_default()
                                == of_statement.account
                    })
            };
            let bases = self.charges.iter().filter(base_of).filter_map(|charge| charge.base);
            let mut base: Option<Amount> = None;
            for more in bases {
                base = Some(base.unwrap_or_default().plus(more)?);
            }
            let kind = match item.kind {
                custom_line_item::Kind::Fee => "a fee",
                custom_line_item::Kind::Credit => "a credit",
            };
            let described = Item {
                name: item.name.clone(),
                account_id: of_statement.account.clone(),
                charge: format!("{}, {kind}", wording::charge(book, item)),
                base: base.map(|base| base.to_string()),
                amount: of_statement.amount.to_string(),
            };
            items.push((described, of_statement.amount));
        }
        Ok(items)
    }

    fn has_item(&self, product: &str, account: &str) -> bool {
        product == self.product && self.of_account(account) && self.arguments.usage_type.is_none()
    }

    /// The exact and the shown sum of what the statement has of it.
    fn leaves(&self, statement: &Statement) -> Result<(Amount, Cost), DecimalError> {
        let text = |id| self.run.cube.text(id);
        let lines = statement.lines.iter().filter(|line| {
            text(line.key.product) == self.product
                && self.of_account(text(line.key.account))
                && self.of_usage_type(text(line.key.usage_type))
        });
        let lines = lines.map(|line| (line.amount, line.shown));
        let items = statement.items.iter().filter(|item| self.has_item(&item.product, &item.account));
        let mut sums = (Amount::ZERO, Cost::ZERO);
        for (amount, shown) in lines.chain(items.map(|item| (item.amount, item.shown))) {
            sums = (sums.0.plus(amount)?, sums.1.plus(shown)?);
        }
        Ok(sums)
    }

    /// What the group has, where it has nothing of what is wanted.
    fn nothing(&self, statements: &[Statement]) -> Failure {
        let (cube, book) = (&self.run.cube, &self.run.book);
        let name = &book.groups[self.group].name;
        let mut products: BTreeMap<&str, ()> = BTreeMap::new();
        for (class, entry) in cube.classes.iter().zip(&self.card.entries) {
            if entry.group.is_some_and(|group| group as usize == self.group)
                && entry.treatment != Treatment::Ungrouped
            {
                products.insert(cube.product(class), ());
            }
        }
        let of_group = statements.iter().filter(|statement| statement.group == self.group);
        products
            .extend(of_group.flat_map(|statement| &statement.items).map(|item| (item.product.as_str(), ())));
        let of = |what: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" with {what} `{value}`")).unwrap_or_default()
        };
        let narrowed = of("account", &self.arguments.account) + &of("usage type", &self.arguments.usage_type);
        let problem = format!("billing group `{name}` has nothing of product `{}`{narrowed}", self.product);
        if products.contains_key(self.product) {
            return Failure::input(problem).hint("leave out --account or --usage-type to see what it has");
        }
        if let Some(hint) = self.below(statements) {
            return Failure::input(problem).hint(hint);
        }
        let known: Vec<String> = products.keys().map(|product| format!("`{product}`")).collect();
        Failure::input(problem).hint(format!("its products are {}", known.join(", ")))
    }
}

impl Wanted<'_> {
    /// Which groups below this one have the product; `None` where the group is no parent, or has products of its own and none below has this.
    fn below(&self, statements: &[Statement]) -> Option<String> {
        let (cube, book) = (&self.run.cube, &self.run.book);
        let below = Hierarchy::of(book, cube.period).subtree(self.group);
        let below = below.get(1..).filter(|below| !below.is_empty())?;
        let has = |group: &&usize| {
            let mut of_group = statements.iter().filter(|statement| statement.group == **group);
            of_group.any(|statement| {
                let mut lines = statement.lines.iter().map(|line| cube.text(line.key.product));
                let mut items = statement.items.iter().map(|item| item.product.as_str());
                lines.any(|product| product == self.product) || items.any(|product| product == self.product)
            })
        };
        let names = |groups: Vec<&usize>| {
            let names: Vec<String> =
                groups.iter().map(|group| format!("`{}`", book.groups[**group].name)).collect();
            names.join(", ")
        };
        let with_product: Vec<&usize> = below.iter().filter(has).collect();
        if !with_product.is_empty() {
            return Some(format!("below it, {} have it: name one with --group", names(with_product)));
        }
        let charged = statements.iter().any(|statement| {
            statement.group == self.group && !(statement.lines.is_empty() && statement.items.is_empty())
        });
        let own = format!("it has no charges of its own; below it are {}", names(below.iter().collect()));
        (!charged).then_some(own)
    }
}

/// The explanation for reading.
fn text(explanation: &Explanation) -> String {
    let Explanation { period, billing_group, product, currency, .. } = explanation;
    let mut text = format!("{billing_group}, {product}, {period}, in {currency}\n\n");
    for class in &explanation.classes {
        text += &(class_text(class) + "\n");
    }
    for item in &explanation.custom_line_items {
        let base = item.base.as_ref().map(|base| format!(", of {base}")).unwrap_or_default();
        text += &format!("  {}  custom line item `{}`\n", item.account_id, item.name);
        text += &format!("    {}{base}\n    = {}\n\n", item.charge, item.amount);
    }
    text += &format!("  sum                     {}\n", explanation.sum);
    if explanation.shown_at_ten_decimals != "0" {
        text += &format!("  shown at ten decimals   {}\n", explanation.shown_at_ten_decimals);
    }
    let what = if explanation.whole_product { "cost report" } else { "statement" };
    text + &format!("  {what:<24}{} {currency}\n", explanation.amount)
}

/// A class as a paragraph: what it is, what it comes from, what it costs.
pub fn class_text(class: &Arithmetic) -> String {
    let mut text = format!("  {}\n    {}\n", class.title(), class.size());
    class.covered_lines().for_each(|line| text += &format!("    {line}\n"));
    let rest = if class.covered.is_empty() || class.base.is_none() { "" } else { "the rest: " };
    text += &format!("    {rest}{}\n", class.treatment);
    if let Some(base) = class.base_line() {
        text += &format!("    {}\n    {base}\n", class.rule_line());
    }
    text + &format!("    = {}\n", class.amount)
}
