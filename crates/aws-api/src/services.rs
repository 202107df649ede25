//! The services that are served, as data: AWS's models written by `cargo run -p xtask -- models`, and our own in the same form.

use aws_wire::errors::WireError;
use aws_wire::model::{Operation, Service};
use back_office::authorization::access;
use std::sync::LazyLock;

/// The services.
pub struct Services(Vec<Service>);

const MODELS: [&str; 11] = [
    include_str!("../models/bcm-data-exports.json"),
    include_str!("../models/billing.json"),
    include_str!("../models/billingconductor.json"),
    include_str!("../models/budgets.json"),
    include_str!("../models/ce.json"),
    include_str!("../models/cur.json"),
    include_str!("../models/invoicing.json"),
    include_str!("../models/organizations.json"),
    include_str!("../models/proforma.json"),
    include_str!("../models/purchase-orders.json"),
    include_str!("../models/sts.json"),
];

/// Every service that is served.
///
/// # Panics
/// Where a model that is built in is damaged, or has an operation that [`back_office::authorization::ACTIONS`] does not have: nothing is served then.
#[must_use]
pub fn all() -> &'static Services {
    static ALL: LazyLock<Services> = LazyLock::new(|| {
        let services =
            MODELS.map(|model| Service::parse(model).unwrap_or_else(|error| panic!("a model: {error}")));
        for service in &services {
            for operation in service.operations() {
                let name = &service.signing_name;
                assert!(access(name, &operation.name).is_some(), "{name}:{} is nobody's", operation.name);
            }
        }
        Services(services.into())
    });
    &ALL
}

impl Services {
    /// The service of a signature's scope.
    #[must_use]
    pub fn by_signing_name(&self, name: &str) -> Option<&Service> {
        self.0.iter().find(|service| service.signing_name == name)
    }

    /// The services.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.iter()
    }

    /// An operation by its names.
    ///
    /// # Errors
    /// `UnknownOperationException`.
    pub fn operation(&self, service: &str, operation: &str) -> Result<(&Service, &Operation), WireError> {
        let of = self.by_signing_name(service);
        let found = of.and_then(|service| Some((service, service.operation(operation)?)));
        found.ok_or_else(|| crate::errors::unknown_operation(&format!("{service}:{operation}")))
    }
}
