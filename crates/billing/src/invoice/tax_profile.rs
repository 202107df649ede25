//! Tax profiles: which tax a customer's documents charge, on what, and since when.
//!
//! Nothing is assumed: without a profile, or with one that says nothing of a day, no document is made. What is true of whom is the
//! operator's to know.

use super::date::Date;
use super::soundness::{Unsound, exemption_problem};
use super::tax::{Tax, TaxCategory};
use crate::money::Percentage;

/// The rules of tax of one customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxProfile {
    /// The rules, in the order in which they were written.
    pub rules: Vec<TaxRule>,
}

/// One rule of tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRule {
    /// The products that it is about, by service code; empty, and without items: all that no other rule names.
    pub products: Vec<String>,
    /// The custom line items that it is about, by name; they go before products.
    pub items: Vec<String>,
    /// The category and rate.
    pub tax: Tax,
    /// Why no tax is charged, in words; `None` says what the category says.
    pub exemption_reason: Option<String>,
    /// The same as a code of the list VATEX.
    pub exemption_code: Option<String>,
    /// The first day.
    pub from: Date,
    /// The first day no more; `None` goes on.
    pub until: Option<Date>,
}

/// What is wrong with a tax profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxProblem {
    /// Category `S` at 0, or a rate outside of it.
    #[error("category {category} has the rate `{rate}`; {}", if *.category == TaxCategory::Standard { "write one above 0 and up to 100, or category Z, E, AE, K, G or O" } else { "its rate is 0" })]
    Rate {
        /// The category.
        category: TaxCategory,
        /// The rate.
        rate: Percentage,
    },
    /// An exemption that does not say which.
    #[error(
        "category E has to say why no tax is charged; add an exemption reason or its code of the list VATEX"
    )]
    NoReason,
    /// A reason where tax is charged.
    #[error("category {0} charges tax, so it has no exemption reason; leave it out")]
    NeedlessReason(TaxCategory),
    /// An exemption code that is none.
    #[error(transparent)]
    Code(#[from] Unsound),
    /// Days that end before they start.
    #[error("a rule of tax from {from} is in force until {until}; the end is a day after the start")]
    Days {
        /// The first day.
        from: Date,
        /// The first day no more.
        until: Date,
    },
    /// Two rules of one product and day.
    #[error("two rules of tax are about {of} from {from}; end the earlier one on that day")]
    TwoRules {
        /// What both are about.
        of: String,
        /// The first day of both.
        from: Date,
    },
}

/// No tax is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no tax is known for product `{product}` on {date}; set a tax profile with a category (S, Z, E, AE, K, G or O) and a rate that \
     is in force on that day"
)]
pub struct NoTax {
    /// The product.
    pub product: String,
    /// The day.
    pub date: Date,
}

impl TaxRule {
    /// Whether it is about all that no other rule names.
    const fn is_about_the_rest(&self) -> bool {
        self.products.is_empty() && self.items.is_empty()
    }

    fn is_in_force(&self, date: Date) -> bool {
        self.from <= date && self.until.is_none_or(|until| date < until)
    }

    /// Why no tax is charged: the rule's own words, else the category's.
    #[must_use]
    pub fn reason(&self) -> (Option<String>, Option<String>) {
        let usual = self.tax.category.usual_reason();
        let owned = |text: &str| text.to_owned();
        if self.exemption_reason.is_some() || self.exemption_code.is_some() {
            return (self.exemption_reason.clone(), self.exemption_code.clone());
        }
        (usual.map(|(_, words)| owned(words)), usual.map(|(code, _)| owned(code)))
    }
}

impl TaxProfile {
    /// All that is wrong with it, in the order of [`TaxProblem`] within each rule.
    #[must_use]
    pub fn problems(&self) -> Vec<TaxProblem> {
        let mut problems = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let Tax { category, rate } = rule.tax;
            let hundred = Percentage::from_units(1_000_000).unwrap_or_default();
            let fits = match category {
                TaxCategory::Standard => rate > Percentage::ZERO && rate <= hundred,
                _ => rate.is_zero(),
            };
            if !fits {
                problems.push(TaxProblem::Rate { category, rate });
            }
            let has_reason = rule.exemption_reason.is_some() || rule.exemption_code.is_some();
            if category == TaxCategory::Exempt && !has_reason {
                problems.push(TaxProblem::NoReason);
            }
            if !category.needs_reason() && has_reason {
                problems.push(TaxProblem::NeedlessReason(category));
            }
            problems.extend(rule.exemption_code.as_deref().and_then(exemption_problem).map(TaxProblem::from));
            if let Some(until) = rule.until.filter(|until| *until <= rule.from) {
                problems.push(TaxProblem::Days { from: rule.from, until });
            }
            problems.extend(self.rules[..number].iter().filter_map(|earlier| two_rules(earlier, rule)));
        }
        problems
    }

    /// The rule for a product on a day: one that names it, else one that names none.
    ///
    /// # Errors
    /// [`NoTax`].
    pub fn rule(&self, product: &str, date: Date) -> Result<&TaxRule, NoTax> {
        self.rule_of(None, product, date)
    }

    /// The rule for a custom line item under a product: one that names the item, else that of the product.
    ///
    /// # Errors
    /// [`NoTax`].
    pub fn rule_of(&self, item: Option<&str>, product: &str, date: Date) -> Result<&TaxRule, NoTax> {
        let in_force = || self.rules.iter().filter(|rule| rule.is_in_force(date));
        let of_item = item.and_then(|name| in_force().find(|rule| rule.items.iter().any(|of| of == name)));
        let named = || in_force().find(|rule| rule.products.iter().any(|of| of == product));
        let rule = of_item.or_else(named).or_else(|| in_force().find(|rule| rule.is_about_the_rest()));
        rule.ok_or_else(|| NoTax { product: product.to_owned(), date })
    }

    /// Whether products have other taxes on a day than a custom line item that no rule names is given: what it is for may be one of these.
    #[must_use]
    pub fn differs_by_product(&self, item: &str, given: Tax, date: Date) -> bool {
        let in_force = || self.rules.iter().filter(|rule| rule.is_in_force(date));
        let is_named = in_force().any(|rule| rule.items.iter().any(|of| of == item));
        let is_of_products = |rule: &&TaxRule| rule.is_about_the_rest() || !rule.products.is_empty();
        !is_named && in_force().filter(is_of_products).any(|rule| rule.tax != given)
    }
}

/// Whether two rules are about one product on one day.
fn two_rules(one: &TaxRule, other: &TaxRule) -> Option<TaxProblem> {
    let from = one.from.max(other.from);
    if !one.is_in_force(from) || !other.is_in_force(from) {
        return None;
    }
    let of = if one.is_about_the_rest() && other.is_about_the_rest() {
        "all products that no other names".to_owned()
    } else if let Some(product) = one.products.iter().find(|of| other.products.contains(of)) {
        format!("product `{product}`")
    } else {
        format!("custom line item `{}`", one.items.iter().find(|of| other.items.contains(of))?)
    };
    Some(TaxProblem::TwoRules { of, from })
}

#[cfg(test)]
mod tests {
    //! Every day and product has one tax, or an error that says how to set one.

    use super::*;

    fn rule(products: &[&str], category: &str, rate: &str, from: &str, until: Option<&str>) -> TaxRule {
        TaxRule {
            products: products.iter().map(|of| (*of).to_owned()).collect(),
            items: Vec::new(),
            tax: Tax {
                category: TaxCategory::parse(category).unwrap(),
                rate: Percentage::parse(rate).unwrap(),
            },
            exemption_reason: None,
            exemption_code: None,
            from: Date::parse(from).unwrap(),
            until: until.map(|until| Date::parse(until).unwrap()),
        }
    }

    #[test]
    fn a_profile_says_all_that_is_wrong_with_it() {
        let reason = |mut rule: TaxRule| {
            rule.exemption_reason = Some("because".to_owned());
            rule
        };
        let rules = vec![
            rule(&[], "S", "0", "2026-01-01", Some("2026-01-01")),
            rule(&["A", "B"], "AE", "19", "2026-01-01", None),
            rule(&["B"], "E", "0", "2026-06-01", None),
            reason(rule(&["C"], "S", "19", "2026-01-01", None)),
            rule(&[], "Z", "0", "2026-02-01", None),
            rule(&[], "Z", "0", "2026-03-01", None),
            rule(&["D"], "S", "100.0001", "2026-03-01", None),
        ];
        let said: Vec<String> = TaxProfile { rules }.problems().iter().map(ToString::to_string).collect();
        let expected = [
            "category S has the rate `0`; write one above 0 and up to 100, or category Z, E, AE, K, G or O",
            "a rule of tax from 2026-01-01 is in force until 2026-01-01; the end is a day after the start",
            "category AE has the rate `19`; its rate is 0",
            "category E has to say why no tax is charged; add an exemption reason or its code of the list VATEX",
            "two rules of tax are about product `B` from 2026-06-01; end the earlier one on that day",
            "category S charges tax, so it has no exemption reason; leave it out",
            "two rules of tax are about all products that no other names from 2026-03-01; end the earlier one on that day",
            "category S has the rate `100.0001`; write one above 0 and up to 100, or category Z, E, AE, K, G or O",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn the_rule_of_the_day_and_product_is_taken() {
        let profile = TaxProfile {
            rules: vec![
                rule(&[], "S", "19", "2026-01-01", Some("2027-01-01")),
                rule(&[], "S", "21", "2027-01-01", None),
                rule(&["AmazonS3"], "Z", "0", "2026-06-01", None),
            ],
        };
        assert_eq!(profile.problems(), []);
        let tax = |product: &str, date: &str| {
            let rule = profile.rule(product, Date::parse(date).unwrap());
            rule.map(|rule| format!("{} {}", rule.tax.category, rule.tax.rate))
                .map_err(|error| error.to_string())
        };
        assert_eq!(tax("AmazonEC2", "2026-12-31").unwrap(), "S 19");
        assert_eq!(tax("AmazonEC2", "2027-01-01").unwrap(), "S 21");
        assert_eq!(tax("AmazonS3", "2026-05-31").unwrap(), "S 19");
        assert_eq!(tax("AmazonS3", "2026-06-01").unwrap(), "Z 0");
        assert_eq!(
            tax("AmazonS3", "2025-12-31").unwrap_err(),
            "no tax is known for product `AmazonS3` on 2025-12-31; set a tax profile with a category (S, Z, E, AE, K, G or O) and a \
             rate that is in force on that day"
        );
    }

    #[test]
    fn a_category_says_why_no_tax_is_charged() {
        let said = |category| rule(&[], category, "0", "2026-01-01", None).reason();
        assert_eq!(said("AE"), (Some("Reverse charge".to_owned()), Some("VATEX-EU-AE".to_owned())));
        assert_eq!(said("Z"), (None, None));
        let mut own = rule(&[], "K", "0", "2026-01-01", None);
        own.exemption_code = Some("VATEX-EU-132".to_owned());
        assert_eq!(own.reason(), (None, Some("VATEX-EU-132".to_owned())));
    }
}
