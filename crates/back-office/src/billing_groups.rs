//! Billing groups: the two changes that reach what only a book can say. Policies name groups, so a name that changes changes there too, and a
//! group that a policy names is not deleted.

use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::month_book;
use billing::configuration::{
    BillingGroupChange, BillingGroupId, Configuration, Edit, OtherSettings, Refusal, ValidationReason,
    names_in_other, remove_group, rename_group,
};
use billing::period::BillingPeriod;

impl BackOffice {
    /// Changes a billing group.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn update_billing_group(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        change: &BillingGroupChange,
    ) -> Answer<BillingGroupId> {
        let made = self.write(request, |edit| {
            let period = edit.moment().period;
            let before = edit.configuration().clone();
            let id = edit.update_billing_group(arn, change.clone())?;
            let old = before.groups.at(&id, period).map(|(_, settings)| settings.name.clone());
            if let (Some(old), Some(new)) = (old, change.name.as_ref())
                && old != *new
            {
                rename(edit, &before, period, &old, new)?;
            }
            Ok(id.to_string())
        });
        group_id(&made.await?)
    }

    /// Deletes a billing group.
    ///
    /// # Errors
    /// [`Error::Refused`], also where a policy names it.
    pub async fn delete_billing_group(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
    ) -> Answer<BillingGroupId> {
        let made = self.write(request, |edit| {
            let period = edit.moment().period;
            let before = edit.configuration().clone();
            let id = edit.delete_billing_group(arn)?;
            if let Some(name) = before.groups.at(&id, period).map(|(_, settings)| settings.name.clone()) {
                forget(edit, &before, period, &name)?;
            }
            Ok(id.to_string())
        });
        group_id(&made.await?)
    }
}

fn group_id(text: &str) -> Answer<BillingGroupId> {
    BillingGroupId::parse(text).ok_or_else(|| Error::internal(text.to_owned()))
}

fn rename(
    edit: &mut Edit<'_>,
    before: &Configuration,
    period: BillingPeriod,
    old: &str,
    new: &str,
) -> Result<(), Refusal> {
    let Some((mut draft, files)) = month_book::rest(before, period)? else { return Ok(()) };
    let named = rename_group(&mut draft, old, new);
    if !named.is_empty() {
        let named = named.join(", ");
        let message = format!(
            "files of weights name billing group `{old}`: {named}; give it its new name with `proforma book apply`"
        );
        return Err(Refusal::invalid(ValidationReason::Other, message));
    }
    edit.set_other(OtherSettings { book: book_file::write(&draft), files });
    Ok(())
}

fn forget(
    edit: &mut Edit<'_>,
    before: &Configuration,
    period: BillingPeriod,
    name: &str,
) -> Result<(), Refusal> {
    let Some((mut draft, files)) = month_book::rest(before, period)? else { return Ok(()) };
    let named = names_in_other(&draft, name);
    if !named.is_empty() {
        let named = named.join(", ");
        let message = format!(
            "billing group `{name}` is named by {named}; change that with `proforma book apply` first"
        );
        return Err(Refusal::invalid(ValidationReason::Other, message));
    }
    if remove_group(&mut draft, name) {
        edit.set_other(OtherSettings { book: book_file::write(&draft), files });
    }
    Ok(())
}
