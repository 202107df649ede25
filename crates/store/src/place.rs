//! Where the database is.

use crate::error::StoreError;
use std::fmt;
use std::path::PathBuf;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite; it is made where there is none, its folder is not.
    Sqlite(PathBuf),
    /// A database of PostgreSQL: `postgres://USER:PASSWORD@HOST/DATABASE`.
    Postgres(String),
}

impl Place {
    /// The address that the driver is given.
    pub(crate) fn url(&self) -> Result<String, StoreError> {
        match self {
            Self::Postgres(url) => Ok(url.clone()),
            Self::Sqlite(file) => {
                let failed = |problem: String| StoreError::Open { place: self.to_string(), problem };
                let file = std::path::absolute(file).map_err(|error| failed(error.to_string()))?;
                let file = file.to_str().ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
                Ok(format!("sqlite://{}?mode=rwc", escaped(file)))
            }
        }
    }
}

/// A path as part of an address: what has a meaning there, as `?` and `%` have, is escaped.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

impl fmt::Display for Place {
    /// The file, or the address without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let address = rest.split(['?', '#']).next().unwrap_or_default();
                let host = address.rsplit_once('@').map_or(address, |(_, host)| host);
                write!(f, "postgres://{host}")
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    //! Addresses, and what of them is shown.

    use super::*;

    #[test]
    fn a_place_shows_no_password() {
        for url in [
            "postgres://desk:s3cret@db.internal/proforma?password=s3cret",
            "postgres://desk:s3c@ret@db.internal/proforma#s3cret",
        ] {
            let place = Place::Postgres(url.to_owned());
            assert_eq!(
                format!("{place} {place:?}"),
                "postgres://db.internal/proforma postgres://db.internal/proforma"
            );
        }
    }

    #[test]
    fn a_path_is_escaped_in_an_address() {
        let place = Place::Sqlite(PathBuf::from("/a b/50%/é?x#y.db"));
        assert_eq!(place.url().unwrap(), "sqlite:///a%20b/50%25/%C3%A9%3Fx%23y.db?mode=rwc");
    }
}
