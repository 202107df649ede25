//! What is true about money, whoever stores or serves it.
//!
//! Modules in reading order. Nothing here reads a file, a clock or the environment, knows JSON or SQL, or logs:
//! a month of cost arrives as a [`charge_class::Cube`], the operator's configuration as a [`book::Book`], and what
//! leaves is a [`rate_card::RateCard`] and the [`statement::Statement`]s and [`cost_report`] made from it.

pub mod arn;
pub mod instant;
pub mod money;
pub mod period;

pub mod account;
pub mod cost_line;

pub mod abilities;

pub mod dimension;

pub mod charge_class;

pub mod class_kind;

pub mod amortized;

pub mod line_filter;

pub mod tiers;

pub mod price_list;

pub mod billing_group;
pub mod hierarchy;

pub mod custom_line_item;
pub mod pricing;
pub mod responsibility_transfer;

pub mod group_rule;
pub mod organization;

pub mod sharing;

pub mod policy;

pub mod book;

pub mod commitment;
pub mod tier_pool;

pub mod allocation;

pub mod membership;

pub mod fate;

pub mod coverage;

pub mod rate_card;

pub mod benefit;

pub mod derived_items;

pub mod margin_guard;

pub mod statement;

pub mod cost_report;

pub mod breakdown;

pub mod reconciliation;

pub mod difference;

pub mod aws_month;

pub mod resale;

pub mod configuration;

pub mod billing_view;

pub mod purchase_order;

pub mod matching;

pub mod invoice_unit;

pub mod procurement_portal;

pub mod budget;
pub mod invoice;
pub mod invoice_schedule;
pub mod saved_report;
pub mod split_charge;
