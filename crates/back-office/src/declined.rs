//! Why something is refused that is no part of the configuration: a purchase order, an invoice.

/// Why it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declined {
    /// The input is not valid.
    Invalid {
        /// The thing, the value and the way out.
        message: String,
        /// The members of the input that are at fault, each with what is wrong.
        fields: Vec<(String, String)>,
    },
    /// There is no such thing, or none that the caller may see.
    NotFound {
        /// What kind of thing, in words.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// It is in conflict with what is there.
    Conflict {
        /// With what, as programs know it.
        reason: &'static str,
        /// The kind of the thing that is in the way.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The thing, the value and the way out.
        message: String,
    },
    /// There are as many as there may be.
    Limit {
        /// The limit, as programs know it.
        code: &'static str,
        /// The kind of the thing that cannot have more.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The limit in words, and the way out.
        message: String,
    },
}

impl Declined {
    /// An input that is not valid, without naming members.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), fields: Vec::new() }
    }

    /// The sentence for whoever has asked.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Invalid { message, .. } | Self::Conflict { message, .. } | Self::Limit { message, .. } => {
                message.clone()
            }
            Self::NotFound { kind, id } => format!("there is no {kind} `{id}`"),
        }
    }
}
