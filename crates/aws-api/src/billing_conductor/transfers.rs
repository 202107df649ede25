//! What becomes of billing transfers that nobody has made a group for.

use super::names::plan_arn;
use super::shapes::transfers::{AutoCreation, OfTransfer, TransferPreference};
use crate::call::{Call, json};
use back_office::error::{Answer, Error};
use billing::configuration::{Configuration, Refusal, ResourceType};

/// `GetBillingTransferPreference`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfTransfer = call.read()?;
    let configuration = call.desk.current(&call.caller.payer).await?;
    json(&preference(&configuration, input.responsibility_transfer_arn)?)
}

/// `UpdateBillingTransferPreference`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: TransferPreference = call.read()?;
    let arn = input.responsibility_transfer_arn;
    let AutoCreation { enabled, pricing_plan_arn } = input.auto_billing_transfer_billing_group_creation;
    let done = call.change(&arn, |edit| {
        edit.update_billing_transfer_preference(&arn, enabled, pricing_plan_arn.as_deref())
    });
    done.await?;
    let configuration = call.desk.current(&call.caller.payer).await?;
    json(&preference(&configuration, arn)?)
}

fn preference(configuration: &Configuration, arn: String) -> Answer<TransferPreference> {
    let transfer = configuration.transfers.get(&arn).filter(|of| of.receiver == configuration.payer);
    if transfer.is_none() {
        return Err(Error::Refused(Refusal::NotFound { kind: ResourceType::BillingGroup, id: arn }));
    }
    let said = configuration.preferences.get(&arn);
    let plan = said.and_then(|said| said.pricing_plan.as_ref());
    Ok(TransferPreference {
        responsibility_transfer_arn: arn,
        auto_billing_transfer_billing_group_creation: AutoCreation {
            enabled: plan.is_some(),
            pricing_plan_arn: plan.map(|plan| plan_arn(&configuration.payer, plan)),
        },
        last_modified_time: said.map(|said| said.modified_at),
    })
}
