//! One request, after it was authenticated, routed and validated: who asks, for which operation, with which input.

use aws_wire::json::Value;
use aws_wire::page_token::{PageTokenError, PageTokens};
use back_office::authorization::Caller;
use back_office::clock::Clock;
use back_office::desk::{BackOffice, WriteRequest};
use back_office::error::{Answer, Error};
use billing::configuration::{Edit, Refusal, ValidationReason};
use billing::period::BillingPeriod;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// How much room an answer begins with.
const ANSWER_BYTES: usize = 16 * 1024;

/// A request for an operation.
pub struct Call<'a> {
    /// The desk that it is for.
    pub desk: &'a BackOffice,
    /// Seals page tokens.
    pub pages: &'a PageTokens,
    /// Who asks.
    pub caller: &'a Caller,
    /// What for, as IAM names it: `billingconductor:CreateBillingGroup`.
    pub action: &'a str,
    /// The validated input.
    pub input: &'a Value,
    /// The input as JSON in one fixed form, without client token, page token and size of the page: what is compared and what the audit keeps.
    pub canonical: &'a str,
    /// The client's token.
    pub token: Option<&'a str>,
    /// The period from which on a write holds, where the operator says one.
    pub period: Option<BillingPeriod>,
    /// How whoever asks reaches the server; `None` at the data directory itself.
    pub origin: Option<&'a str>,
}

/// A page of a list that is asked for.
pub struct Page {
    /// After which entry it begins; empty is the first page.
    pub after: String,
    /// How many entries it holds at most.
    pub max: usize,
}

impl Call<'_> {
    /// The input as an operation's own shape.
    ///
    /// # Errors
    /// [`Error::Internal`]: the model has let something through that the shape does not take.
    pub fn read<T: DeserializeOwned>(&self) -> Answer<T> {
        self.input.clone().read().map_err(Error::internal)
    }

    /// The write that the request asks for, of a resource.
    #[must_use]
    pub fn write<'b>(&'b self, resource: &'b str) -> WriteRequest<'b> {
        WriteRequest {
            caller: self.caller,
            action: self.action,
            token: self.token,
            input: self.canonical,
            resource,
            period: self.period,
        }
    }

    /// Makes the change of the configuration that the request asks for.
    ///
    /// # Errors
    /// [`Error::Refused`] with why the configuration refuses it.
    pub async fn change<T: Serialize + DeserializeOwned + Send>(
        &self,
        resource: &str,
        operation: impl Fn(&mut Edit<'_>) -> Result<T, Refusal> + Sync,
    ) -> Answer<T> {
        self.desk.write(&self.write(resource), operation).await
    }

    /// The period that has now.
    #[must_use]
    pub fn current(&self) -> BillingPeriod {
        Clock::period_of(self.caller.now)
    }

    /// The period from which on a write of this request holds.
    #[must_use]
    pub fn write_period(&self) -> BillingPeriod {
        self.period.unwrap_or_else(|| self.current())
    }

    /// A period that a read is for: the current one where it names none.
    ///
    /// # Errors
    /// [`ValidationReason::IllegalBillingPeriod`] for one that has not begun.
    pub fn period_or_current(&self, text: Option<&str>) -> Answer<BillingPeriod> {
        let Some(text) = text else { return Ok(self.current()) };
        let period = period(text)?;
        if period > self.current() {
            let message = format!(
                "billing period {period} has not begun; ask for {} or an earlier one",
                self.current()
            );
            return Err(Error::invalid(ValidationReason::IllegalBillingPeriod, message));
        }
        Ok(period)
    }

    /// The page that a request asks for. Its token is good for the same caller, operation and input only; how many entries the page has may change.
    ///
    /// # Errors
    /// [`ValidationReason::Other`] for a token that was not given out for this request.
    pub fn page(&self, max_results: Option<u32>, token: Option<&str>, most: usize) -> Answer<Page> {
        let max = max_results.map_or(most, |max| usize::try_from(max).unwrap_or(most));
        let after = match token {
            None => String::new(),
            Some(token) => {
                let refused =
                    |error: PageTokenError| Error::invalid(ValidationReason::Other, error.to_string());
                let position = self.pages.open(token, &self.page_context()).map_err(refused)?;
                String::from_utf8(position).map_err(Error::internal)?
            }
        };
        Ok(Page { after, max })
    }

    /// What a page token is good for: this caller, this operation, this input.
    fn page_context(&self) -> [&[u8]; 4] {
        let Caller { payer, principal, .. } = self.caller;
        [payer.as_str(), principal, self.action, self.canonical].map(str::as_bytes)
    }

    /// The token of the page after a position.
    ///
    /// # Errors
    /// [`Error::Internal`] for a position that no token has room for.
    pub fn next_token(&self, position: Option<String>) -> Answer<Option<String>> {
        let seal = |position: String| self.pages.seal(position.as_bytes(), &self.page_context());
        position.map(seal).transpose().map_err(Error::internal)
    }

    /// Cuts a page out of the entries of a list, each with its position, and the token of the next one.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn cut<P: Display, T>(
        &self,
        page: &Page,
        entries: impl IntoIterator<Item = (P, T)>,
    ) -> Answer<(Vec<T>, Option<String>)> {
        let mut cut = Vec::with_capacity(page.max.min(100));
        let mut last = None;
        for (position, entry) in entries {
            if cut.len() == page.max {
                return Ok((cut, self.next_token(last.map(|last: P| last.to_string()))?));
            }
            last = Some(position);
            cut.push(entry);
        }
        Ok((cut, None))
    }
}

impl Page {
    /// The number of the resource after which the page begins.
    #[must_use]
    pub fn after_number(&self) -> u64 {
        self.after.parse().unwrap_or_default()
    }
}

/// The place of a resource in a list, by its number.
pub struct Position(pub u64);

impl Display for Position {
    /// Of a length that tells nothing of how many there are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:020}", self.0)
    }
}

/// An answer as JSON.
///
/// # Errors
/// [`Error::Internal`].
pub fn json(answer: &impl Serialize) -> Answer<Vec<u8>> {
    let mut text = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut text, answer).map_err(Error::internal)?;
    Ok(text)
}

/// A billing period as the API takes it: the month may have one digit.
///
/// # Errors
/// [`ValidationReason::IllegalBillingPeriod`].
pub fn period(text: &str) -> Answer<BillingPeriod> {
    let padded = match text.split_once('-') {
        Some((year, month)) if month.len() == 1 => format!("{year}-0{month}"),
        _ => text.to_owned(),
    };
    BillingPeriod::parse(&padded)
        .map_err(|error| Error::invalid(ValidationReason::IllegalBillingPeriod, error.to_string()))
}

/// An input of which one member is at fault.
#[must_use]
pub fn field(name: &str, message: &str) -> Error {
    Error::Refused(Refusal::Validation {
        reason: ValidationReason::FieldValidationFailed,
        message: format!("{name}: {message}"),
        fields: vec![(name.to_owned(), message.to_owned())],
    })
}
