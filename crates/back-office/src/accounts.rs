//! The accounts of a payer's organization.

use billing::account::AccountId;
use billing::configuration::Configuration;
use billing::period::BillingPeriod;

/// Whether accounts that cost files name are new to the organization, or could join the group that takes what no group has.
pub(crate) fn has_news(configuration: &Configuration, period: BillingPeriod, accounts: &[AccountId]) -> bool {
    let takes_others = configuration.groups.in_period(period).any(|(.., settings)| settings.auto_associate);
    let is_news = |account: &AccountId| {
        let is_known = configuration.family.contains_key(account);
        let is_free = *account != configuration.payer && configuration.group_of(account, period).is_none();
        !is_known || takes_others && is_free
    };
    accounts.iter().any(is_news)
}
