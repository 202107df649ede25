//! Tax categories and what a document charges under each.

use super::amount::Invoiced;
use crate::money::Percentage;
use std::fmt;

/// A category of tax: the codes of UNCL 5305 that EN 16931 has for VAT and that a bill for services can need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxCategory {
    /// `S`: at a rate above 0.
    Standard,
    /// `Z`: at the rate 0.
    Zero,
    /// `E`: exempt.
    Exempt,
    /// `AE`: the buyer owes the tax (reverse charge).
    ReverseCharge,
    /// `K`: supplied to another country of the EU.
    IntraCommunity,
    /// `G`: exported.
    Export,
    /// `O`: outside the scope of the tax.
    OutsideScope,
}

impl TaxCategory {
    /// Every category, in the order in which documents list them.
    pub const ALL: [Self; 7] = [
        Self::Standard,
        Self::Zero,
        Self::Exempt,
        Self::ReverseCharge,
        Self::IntraCommunity,
        Self::Export,
        Self::OutsideScope,
    ];

    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Standard => "S",
            Self::Zero => "Z",
            Self::Exempt => "E",
            Self::ReverseCharge => "AE",
            Self::IntraCommunity => "K",
            Self::Export => "G",
            Self::OutsideScope => "O",
        }
    }

    /// The category with a code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.code() == code)
    }

    /// What documents say of why no tax is charged, where the category itself is the reason: the code of the list VATEX, and words. An
    /// exemption has reasons of many kinds, so its own must be given.
    #[must_use]
    pub const fn usual_reason(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Standard | Self::Zero | Self::Exempt => None,
            Self::ReverseCharge => Some(("VATEX-EU-AE", "Reverse charge")),
            Self::IntraCommunity => Some(("VATEX-EU-IC", "Intra-Community supply")),
            Self::Export => Some(("VATEX-EU-G", "Export outside the EU")),
            Self::OutsideScope => Some(("VATEX-EU-O", "Not subject to VAT")),
        }
    }

    /// Whether a document has to say why no tax is charged (BR-E-10, BR-AE-10, BR-IC-10, BR-G-10, BR-O-10).
    #[must_use]
    pub const fn needs_reason(self) -> bool {
        !matches!(self, Self::Standard | Self::Zero)
    }
}

impl fmt::Display for TaxCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The category and rate of a line's tax. Outside category `S` the rate is 0; under `O` a document shows none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tax {
    /// The category.
    pub category: TaxCategory,
    /// The rate, in percent.
    pub rate: Percentage,
}

/// What a document charges under one category and rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxSubtotal {
    /// The category and rate (BT-118, BT-119).
    pub tax: Tax,
    /// What is taxed (BT-116).
    pub taxable: Invoiced,
    /// The tax (BT-117), rounded once.
    pub amount: Invoiced,
    /// Why no tax is charged, in words (BT-120).
    pub exemption_reason: Option<String>,
    /// Why no tax is charged, as a code of the list VATEX (BT-121).
    pub exemption_code: Option<String>,
}
