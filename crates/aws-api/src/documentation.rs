//! `docs/api.md`, from the table that routes: what is served and who may ask for it cannot drift from what the page says.

use crate::services;
use aws_wire::model::Service;
use aws_wire::protocol::Protocol;
use back_office::authorization::{Access, access};
use std::fmt::Write as _;

/// Where the table begins and ends on the page.
const BEGIN: &str = "<!-- operations: begin -->\n";
const END: &str = "<!-- operations: end -->\n";

/// The page with its table made anew; `None` where the page has no place for it.
#[must_use]
pub fn page(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", table()))
}

fn table() -> String {
    let mut text = String::new();
    for service in services::all().iter() {
        // Writing into a text does not fail.
        let _ = writeln!(text, "### `{}`, version {}\n", service.signing_name, service.version);
        let _ = writeln!(text, "| operation | request | who | errors |\n|---|---|---|---|");
        for operation in service.operations() {
            let name = &operation.name;
            let who = access(&service.signing_name, name).map_or("nobody", who);
            let errors: Vec<&str> =
                operation.errors.iter().map(|error| error.trim_end_matches("Exception")).collect();
            let request = request(service, &operation.method, name);
            let _ = writeln!(text, "| {name} | {request} | {who} | {} |", errors.join(", "));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn request(service: &Service, method: &str, name: &str) -> String {
    match (service.protocol, &service.target_prefix) {
        (Protocol::RestJson, _) => {
            let path = service.operation(name).map(|operation| operation.path_text()).unwrap_or_default();
            format!("`{method} {path}`")
        }
        (Protocol::Query, _) => format!("`Action={name}`"),
        (_, prefix) => format!("`X-Amz-Target: {}.{name}`", prefix.as_deref().unwrap_or_default()),
    }
}

const fn who(access: Access) -> &'static str {
    match access {
        Access::Anybody => "everybody",
        Access::CustomerRead => "everybody; a group-viewer its own groups",
        Access::Read => "payer-admin, finance, analyst",
        Access::Documents => "payer-admin, finance",
        Access::Configure | Access::Administer => "payer-admin",
    }
}

#[cfg(test)]
mod tests {
    //! The page is as the table says. `PROFORMA_WRITE_DOCS=1 cargo test -p aws-api` writes it.

    use std::path::Path;

    #[test]
    fn the_page_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let page = super::page(&text).unwrap();
        if std::env::var_os("PROFORMA_WRITE_DOCS").is_some() {
            std::fs::write(&path, &page).unwrap();
        } else {
            assert_eq!(text, page, "run PROFORMA_WRITE_DOCS=1 cargo test -p aws-api");
        }
    }
}
