//! Connections to procurement portals: in which state one is, and which state may follow.
//!
//! Source: the service model of AWS Invoicing, version 2024-12-01, whose states these are. AWS documents no order among them; this is ours: what was
//! not validated is never active, and a test needs an environment to test in.

/// The state of one feature of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortalStatus {
    /// Nobody has shown yet that the portal is the customer's.
    PendingVerification,
    /// It was shown.
    Validated,
    /// A test has begun.
    TestInitialized,
    /// A test could not begin.
    TestInitializationFailed,
    /// A test has failed.
    TestFailed,
    /// In use.
    Active,
    /// Not in use.
    Suspended,
}

/// What is known of a connection besides the states of its features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// Whether its validation code was given back, since its endpoint is what it is.
    pub is_verified: bool,
    /// Whether it has a test environment.
    pub has_test_environment: bool,
}

impl PortalStatus {
    /// Every state with its name in the API.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::PendingVerification, "PENDING_VERIFICATION"),
        (Self::Validated, "VALIDATED"),
        (Self::TestInitialized, "TEST_INITIALIZED"),
        (Self::TestInitializationFailed, "TEST_INITIALIZATION_FAILED"),
        (Self::TestFailed, "TEST_FAILED"),
        (Self::Active, "ACTIVE"),
        (Self::Suspended, "SUSPENDED"),
    ];

    /// The state of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(status, of)| (of == name).then_some(status))
    }

    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(status, name)| (status == self).then_some(name)).unwrap_or_default()
    }

    /// Whether the operator may say that another state follows; a state that is said again changes nothing but its reason.
    ///
    /// # Errors
    /// Why not, with the way out.
    pub fn may_become(self, next: Self, of: Connection) -> Result<(), String> {
        use PortalStatus::{
            Active, PendingVerification, Suspended, TestFailed, TestInitializationFailed, TestInitialized,
            Validated,
        };
        if self == next || next == Suspended {
            return Ok(());
        }
        if !of.is_verified {
            return Err(format!(
                "{} follows a validation only: send one, and give its code back",
                next.name()
            ));
        }
        let is_order = match next {
            PendingVerification => {
                return Err(
                    "a connection is verified again when its endpoint changes, not by a status".to_owned()
                );
            }
            TestInitialized if !of.has_test_environment => {
                return Err(
                    "there is no test environment to test in: give one with TestEnvPreference".to_owned()
                );
            }
            TestInitialized => matches!(self, Validated | TestInitializationFailed | TestFailed | Suspended),
            TestInitializationFailed | TestFailed => self == TestInitialized,
            Validated => matches!(self, TestInitialized | TestInitializationFailed | TestFailed | Suspended),
            Active => matches!(self, Validated | TestInitialized | Suspended),
            Suspended => true,
        };
        match is_order {
            true => Ok(()),
            false => Err(format!("{} does not follow {}", next.name(), self.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Every state after every other one.

    use super::*;

    const VERIFIED: Connection = Connection { is_verified: true, has_test_environment: true };

    #[test]
    fn what_follows_what() {
        let allowed: Vec<String> = PortalStatus::ALL
            .into_iter()
            .map(|(from, name)| {
                let next = PortalStatus::ALL.into_iter().filter(|(next, _)| {
                    *next != from
                        && *next != PortalStatus::Suspended
                        && from.may_become(*next, VERIFIED).is_ok()
                });
                format!("{name}: {}", next.map(|(_, name)| name).collect::<Vec<_>>().join(" "))
            })
            .collect();
        assert_eq!(
            allowed,
            [
                "PENDING_VERIFICATION: ",
                "VALIDATED: TEST_INITIALIZED ACTIVE",
                "TEST_INITIALIZED: VALIDATED TEST_INITIALIZATION_FAILED TEST_FAILED ACTIVE",
                "TEST_INITIALIZATION_FAILED: VALIDATED TEST_INITIALIZED",
                "TEST_FAILED: VALIDATED TEST_INITIALIZED",
                "ACTIVE: ",
                "SUSPENDED: VALIDATED TEST_INITIALIZED ACTIVE",
            ]
        );
    }

    #[test]
    fn nothing_is_active_that_was_not_verified() {
        let unverified = Connection { is_verified: false, ..VERIFIED };
        for (from, _) in PortalStatus::ALL {
            for (next, name) in PortalStatus::ALL {
                let may = from.may_become(next, unverified).is_ok();
                assert_eq!(may, next == from || next == PortalStatus::Suspended, "{} {name}", from.name());
            }
        }
        let untestable = Connection { has_test_environment: false, ..VERIFIED };
        assert!(PortalStatus::Validated.may_become(PortalStatus::TestInitialized, untestable).is_err());
        assert_eq!(PortalStatus::parse("ACTIVE"), Some(PortalStatus::Active));
        assert_eq!(PortalStatus::parse("active"), None);
    }
}
