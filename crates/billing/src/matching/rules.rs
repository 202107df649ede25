//! Which types of line take which invoices, and which of them comes first.

use crate::purchase_order::LineType;
use crate::purchase_order::invoice::InvoiceKind;

/// How specific a type of line is for a kind of invoice: the highest wins; `None` where it does not apply. `usage_ordered` says whether the buyer
/// gave an order for AWS Marketplace usage and the settings allow that.
///
/// AWS documents one order (Subscription Purchase before ALL) and one replacement (Transaction for Blanket Usage); the others never meet. A credit
/// memo follows its original and has no rank of its own.
///
/// Source: AWS Billing user guide, "Managing your purchase orders".
#[must_use]
pub const fn rank(of: LineType, kind: InvoiceKind, usage_ordered: bool) -> Option<u8> {
    match (of, kind) {
        (_, InvoiceKind::CreditMemo) => None,
        (LineType::All, _) => Some(10),
        (LineType::MonthlyUsage, InvoiceKind::MonthlyUsage)
        | (LineType::SubscriptionPurchase, InvoiceKind::Subscription)
        | (
            LineType::MarketplaceBlanketUsage,
            InvoiceKind::MarketplaceMonthly | InvoiceKind::MarketplaceOutOfCycle,
        )
        | (LineType::ProfessionalServicesAndTraining, InvoiceKind::ProfessionalServicesTraining) => Some(20),
        (LineType::MarketplaceTransaction, InvoiceKind::MarketplaceOutOfCycle) => Some(30),
        (LineType::MarketplaceTransaction, InvoiceKind::MarketplaceMonthly) if usage_ordered => Some(30),
        _ => None,
    }
}
