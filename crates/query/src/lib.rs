//! Questions over cubes: filter, group and sum, exactly; the core of Cost Explorer, of reports and of budgets.
//!
//! The [`facts`] of a month are its charge classes in columns, each class with its days beside each other, once as AWS charges them and once as
//! the billing groups are charged. A [`question`] picks classes by an [`expression`] over their [`dimension`]s, and [`answer`] sums what is
//! left, densely. Nothing here reads a file or a clock, or knows who asks: whoever does hands over the [`answer::Scope`] that he may see.

pub mod dimension;

pub mod expression;

pub mod naming;

pub mod facts;

pub mod cost_category;

pub mod question;

pub mod answer;

pub mod reservations;

pub mod lines;

pub mod forecast;

pub mod values;
