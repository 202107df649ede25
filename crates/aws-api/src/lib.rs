//! The operations, from shapes on the wire to use cases of the desk and back.
//!
//! A service is data ([`services`]); what its operations do is code, one file per noun. [`Api::perform`] is the one door to them: the HTTP server
//! ([`http`]) goes through it, and so does the command line at its own data directory.

pub mod billing_conductor;
pub mod billing_views;
pub mod budgets;
pub mod call;
pub mod cost_explorer;
pub mod data_exports;
pub mod documentation;
mod errors;
pub mod http;
pub mod invoicing;
pub mod organizations;
pub mod proforma;
pub mod purchase_orders;
pub mod report_definitions;
pub mod services;
pub mod sts;
mod words;

use aws_wire::errors::WireError;
use aws_wire::json::{self, Value};
use aws_wire::model::{Operation, Service};
use aws_wire::page_token::PageTokens;
use back_office::audit::Decision;
use back_office::authorization::{Caller, is_read};
use back_office::desk::BackOffice;
use back_office::error::Error;
use billing::period::BillingPeriod;
use call::Call;
use services::Services;
use std::sync::Arc;

/// The largest body of a request.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest body of AWS's operations; ours take books and tables.
pub const AWS_BODY_BYTES_MAX: usize = 1024 * 1024;

/// The operations over a desk.
#[derive(Clone)]
pub struct Api {
    /// The desk.
    pub desk: BackOffice,
    /// The services that are served.
    pub services: &'static Services,
    pages: Arc<PageTokens>,
    origin: Option<Arc<str>>,
}

impl Api {
    /// The operations over a desk; `pages` seals page tokens.
    #[must_use]
    pub fn new(desk: BackOffice, pages: PageTokens) -> Self {
        Self { desk, services: services::all(), pages: Arc::new(pages), origin: None }
    }

    /// The same operations, whose answers may have links to the server: `origin` is how whoever asks reaches it, such as `https://desk.example`.
    #[must_use]
    pub fn at(&self, origin: &str) -> Self {
        Self { origin: Some(origin.into()), ..self.clone() }
    }

    /// Authorizes and performs an operation whose input was validated. The answer is JSON.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn perform(
        &self,
        caller: &Caller,
        service: &Service,
        operation: &Operation,
        input: &Value,
        period: Option<BillingPeriod>,
    ) -> Result<Vec<u8>, WireError> {
        let action = format!("{}:{}", service.signing_name, operation.name);
        let token = input.get("ClientToken").or_else(|| input.get("clientToken")).and_then(Value::as_str);
        let canonical = canonical(service, operation, input);
        let call = Call {
            desk: &self.desk,
            pages: &self.pages,
            caller,
            action: &action,
            input,
            canonical: &canonical,
            token,
            period,
            origin: self.origin.as_deref(),
        };
        let answer = match service.signing_name.as_str() {
            billing_conductor::SERVICE => billing_conductor::perform(&call, &operation.name).await,
            billing_views::SERVICE => billing_views::perform(&call, &operation.name).await,
            budgets::SERVICE => budgets::perform(&call, &operation.name).await,
            cost_explorer::SERVICE => cost_explorer::perform(&call, &operation.name).await,
            data_exports::SERVICE => data_exports::perform(&call, &operation.name).await,
            invoicing::SERVICE => invoicing::perform(&call, &operation.name).await,
            organizations::SERVICE => organizations::perform(&call, &operation.name).await,
            proforma::SERVICE => proforma::perform(&call, &operation.name).await,
            purchase_orders::SERVICE => purchase_orders::perform(&call, &operation.name).await,
            report_definitions::SERVICE => report_definitions::perform(&call, &operation.name).await,
            _ => sts::perform(&call, &operation.name),
        };
        let resource = || resource(service, input);
        let answer = match answer {
            // A write that is done says so itself.
            Ok(answer) if !is_read(&operation.name) => Ok(answer),
            Ok(answer) => {
                self.desk.note(caller, &action, resource(), Decision::Read);
                Ok(answer)
            }
            Err(Error::Denied) => Err(self.desk.deny(caller, &action, resource()).await),
            Err(error) => {
                if matches!(
                    error,
                    Error::Refused(_) | Error::Declined(_) | Error::Invoicing(_) | Error::CostExplorer(_)
                ) {
                    self.desk.note(caller, &action, resource(), Decision::Refused);
                }
                Err(error)
            }
        };
        answer.map_err(|error| errors::to_wire(error, service, operation))
    }

    /// Allows or denies an operation, before its input is looked at: who may not ask learns nothing about what would be asked.
    ///
    /// # Errors
    /// `AccessDeniedException`.
    pub async fn authorize(
        &self,
        caller: &Caller,
        service: &Service,
        operation: &Operation,
    ) -> Result<(), WireError> {
        let allowed = self.desk.authorize(caller, &service.signing_name, &operation.name).await;
        allowed.map_err(|error| errors::to_wire(error, service, operation))
    }

    /// The whole of it for an input that is JSON: authorizes, validates, performs.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn ask(
        &self,
        caller: &Caller,
        (service, operation): (&str, &str),
        input: &[u8],
        period: Option<BillingPeriod>,
    ) -> Result<Vec<u8>, WireError> {
        let (service, operation) = self.services.operation(service, operation)?;
        self.authorize(caller, service, operation).await?;
        let value = json::parse(input, json::Limits::of_size(BODY_BYTES_MAX));
        let value = value.map_err(|error| errors::unparsable(service, &error))?;
        let checked = service.input(operation, &Default::default(), &[], &Default::default(), Some(value));
        let checked = checked.map_err(|problems| errors::invalid_fields(service, problems))?;
        self.perform(caller, service, operation, &checked, period).await
    }
}

/// An input in one fixed form, without what only says which time it is, which page and of what size: what is compared where a token comes again.
fn canonical(service: &Service, operation: &Operation, input: &Value) -> String {
    match input {
        Value::Map(members) => {
            let mut members = members.clone();
            for name in [
                "ClientToken",
                "NextToken",
                "NextPageToken",
                "MaxResults",
                "clientToken",
                "nextToken",
                "maxResults",
            ] {
                members.remove(name);
            }
            // A book or a file is kept by what it makes; its hash is enough to know it again.
            for name in ["Book", "Files", "Content", "Summaries", "Document"] {
                if let Some(text) = members.get(name).map(Value::to_json) {
                    members.insert(name.to_owned(), Value::String(back_office::audit::digest(&text)));
                }
            }
            let mut input = Value::Map(members);
            if service.signing_name == invoicing::SERVICE || operation.name == "PutInvoiceProfile" {
                invoicing::private::hide(&mut input);
            }
            input.to_json()
        }
        other => other.to_json(),
    }
}

/// What an input is about: the ARN that it names, or what the desk's own operations have instead.
fn resource<'a>(service: &Service, input: &'a Value) -> &'a str {
    let names: &[&str] = match service.signing_name.as_str() {
        proforma::SERVICE => &[
            "AccessKeyId",
            "PrincipalName",
            "SourceId",
            "InvoiceId",
            "InvoiceNumber",
            "AccountId",
            "BillingPeriod",
            "PurchaseOrderArn",
            "BillingGroupArn",
        ],
        organizations::SERVICE => {
            &["AccountId", "ParentId", "ChildId", "ResourceId", "OrganizationalUnitId", "Id"]
        }
        purchase_orders::SERVICE => &["PurchaseOrderArn", "ResourceArn", "PurchaseOrderId"],
        budgets::SERVICE => &["BudgetName", "ResourceARN"],
        cost_explorer::SERVICE => &["CostCategoryArn", "ResourceArn", "BillingViewArn"],
        invoicing::SERVICE => {
            &["InvoiceUnitArn", "ProcurementPortalPreferenceArn", "ResourceArn", "InvoiceId"]
        }
        billing_views::SERVICE => &["arn", "resourceArn"],
        report_definitions::SERVICE => &["ReportName"],
        data_exports::SERVICE => &["ExportArn", "ResourceArn", "TableName"],
        _ => &[
            "Arn",
            "ResourceArn",
            "TargetArn",
            "PricingRuleArn",
            "PricingPlanArn",
            "ResponsibilityTransferArn",
        ],
    };
    names.iter().find_map(|name| input.get(name)?.as_str()).unwrap_or_default()
}
