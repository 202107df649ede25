//! What may be wrong with an order: each problem with its field, its value and the way out.

use std::fmt;

/// A kind of problem with a name that programs can go by.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind {
            $($(#[$doc])* $variant,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// The id is empty or too long.
    IdLength = "ID_LENGTH",
    /// The id has a character that ids may not have.
    IdCharacter = "ID_CHARACTER",
    /// Another order of the buyer has the id.
    IdTaken = "ID_TAKEN",
    /// A deleted order of the buyer had the id.
    IdReserved = "ID_RESERVED",
    /// The id of an order never changes.
    IdChanged = "ID_CHANGED",
    /// A free text is too long or holds control characters.
    Text = "TEXT",
    /// No seller is named.
    BillFromMissing = "BILL_FROM_MISSING",
    /// A seller's code cannot be one.
    BillFrom = "BILL_FROM",
    /// Tax registration numbers without the seller that has them on its invoices.
    TaxRegistrationNumbersSeller = "TAX_REGISTRATION_NUMBERS_SELLER",
    /// A tax registration number cannot be one.
    TaxRegistrationNumber = "TAX_REGISTRATION_NUMBER",
    /// An invoice unit's name cannot be one.
    InvoiceUnit = "INVOICE_UNIT",
    /// There is no address to ship to.
    ShipToMissing = "SHIP_TO_MISSING",
    /// An address is not one.
    Address = "ADDRESS",
    /// The currency is not an ISO 4217 code.
    Currency = "CURRENCY",
    /// The currency of an order never changes.
    CurrencyChanged = "CURRENCY_CHANGED",
    /// A month is not written `YYYY-MM`.
    Month = "MONTH",
    /// The last month lies before the first.
    MonthsReversed = "MONTHS_REVERSED",
    /// There are too many contacts.
    ContactsTooMany = "CONTACTS_TOO_MANY",
    /// A contact's e-mail address is not one.
    ContactEmail = "CONTACT_EMAIL",
    /// There are too many tags.
    TagsTooMany = "TAGS_TOO_MANY",
    /// A tag's key or value is not one.
    Tag = "TAG",
    /// A tag's key occurs twice.
    TagTwice = "TAG_TWICE",
    /// The order has no line.
    LinesMissing = "LINES_MISSING",
    /// The order has too many lines.
    LinesTooMany = "LINES_TOO_MANY",
    /// A line's number is empty or too long.
    LineNumber = "LINE_NUMBER",
    /// Two lines have the same number.
    LineNumberTwice = "LINE_NUMBER_TWICE",
    /// There is no such type of line.
    LineType = "LINE_TYPE",
    /// None of the order's sellers has invoices of the line's type.
    LineTypeSeller = "LINE_TYPE_SELLER",
    /// A line begins before its order.
    LineBeforeOrder = "LINE_BEFORE_ORDER",
    /// A line ends after its order.
    LineAfterOrder = "LINE_AFTER_ORDER",
    /// A balance is tracked and there is no amount.
    AmountMissing = "AMOUNT_MISSING",
    /// An amount is not a number that an amount may be.
    Amount = "AMOUNT",
    /// An amount has more decimals than its currency.
    AmountDecimals = "AMOUNT_DECIMALS",
    /// A quantity is not a number above 0.
    Quantity = "QUANTITY",
    /// A tax is not one.
    Tax = "TAX",
    /// The value of a line, or of all lines together, is beyond what amounts may be.
    ValueTooLarge = "VALUE_TOO_LARGE",
    /// A time of an order that is taken over lies ahead.
    TimeAhead = "TIME_AHEAD",
    /// An order that is taken over was changed here since.
    ImportOlder = "IMPORT_OLDER",
    /// A seller reads as one of AWS's and is none that is known.
    SellerUnknown = "SELLER_UNKNOWN",
    /// The buyer has as many active orders as it may.
    ActiveOrders = "ACTIVE_ORDERS",
    /// The order lasts longer than any of its lines.
    NoLineToTheEnd = "NO_LINE_TO_THE_END",
    /// A line's value is below what invoices have used of it.
    ValueBelowUsed = "VALUE_BELOW_USED",
    /// The type of a line that has invoices changes.
    UsedLineType = "USED_LINE_TYPE",
    /// A line that has invoices goes away.
    UsedLineRemoved = "USED_LINE_REMOVED",
}

/// One thing that is wrong with an order, or that the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// The field, by its path in the API's names: `lineItems[3].startMonth`.
    pub field: String,
    /// What was given there.
    pub value: String,
    /// What is wrong: the thing and the value.
    pub message: String,
    /// What to do about it.
    pub way_out: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.way_out)
    }
}
