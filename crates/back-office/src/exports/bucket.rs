//! Buckets: what requests call so, and where the operator of the server has it: a folder, or a place on an object store.

use super::Where;
use crate::error::{Answer, Declined};
use billing::account::AccountId;
use std::path::PathBuf;

/// A bucket that exports may be delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportBucket {
    /// The payer; `None` is every payer of the server.
    pub payer: Option<AccountId>,
    /// What requests call it.
    pub name: String,
    /// A folder, or `s3://bucket/prefix`.
    pub place: PathBuf,
}

impl ExportBucket {
    /// A bucket as an operator writes it: `BUCKET=PLACE`, or `PAYER/BUCKET=PLACE` for one payer.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |problem: &str| {
            format!(
                "export bucket `{text}` {problem}; write BUCKET=PLACE, or PAYER/BUCKET=PLACE for one payer"
            )
        };
        let (named, place) = text.split_once('=').ok_or_else(|| wrong("names no place"))?;
        let (payer, name) = match named.split_once('/') {
            None => (None, named),
            Some((payer, name)) => {
                let account = AccountId::parse(payer).filter(AccountId::has_twelve_digits);
                (Some(account.ok_or_else(|| wrong("is of a payer without twelve digits"))?), name)
            }
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(wrong("has a name that no bucket has"));
        }
        let is_whole = place.starts_with("s3://") || place.starts_with('/');
        if !is_whole {
            return Err(wrong("has a place that is neither an absolute path nor s3://bucket/prefix"));
        }
        Ok(Self { payer, name: name.to_owned(), place: place.into() })
    }
}

/// Where a bucket is. One that nobody has mapped, and one of another payer, is told alike.
pub(super) fn place(buckets: &[ExportBucket], payer: &AccountId, to: &Where) -> Answer<PathBuf> {
    let named = |bucket: &&ExportBucket| bucket.name == to.bucket;
    let own = buckets.iter().filter(named).find(|bucket| bucket.payer.as_ref() == Some(payer));
    let found = own.or_else(|| buckets.iter().filter(named).find(|bucket| bucket.payer.is_none()));
    found.map(|bucket| bucket.place.clone()).ok_or_else(|| {
        let message = format!(
            "bucket `{}` is none that this server may write to for the payer; its operator maps it to a place with --export-buckets {}=PLACE",
            to.bucket, to.bucket
        );
        Declined::Invalid { message: message.clone(), fields: vec![("S3Bucket".to_owned(), message)] }.into()
    })
}

#[cfg(test)]
mod tests {
    //! Which bucket is where.

    use super::*;

    #[test]
    fn a_bucket_is_where_the_operator_says() {
        let buckets = ["b=/srv/b", "999999999999/b=s3://x/y", "111111111111/other=/srv/o"]
            .map(|text| ExportBucket::parse(text).unwrap());
        let payer = |text| AccountId::parse(text).unwrap();
        let of = |account, bucket: &str| {
            let to = Where {
                bucket: bucket.to_owned(),
                prefix: "p".to_owned(),
                is_parquet: false,
                is_overwritten: true,
            };
            place(&buckets, &payer(account), &to).ok()
        };
        assert_eq!(of("999999999999", "b"), Some("s3://x/y".into()));
        assert_eq!(of("111111111111", "b"), Some("/srv/b".into()));
        assert_eq!(of("999999999999", "other"), None);
        for wrong in ["b", "b=relative", "=/a", "12/b=/a", "a b=/x", "b=ftp://x"] {
            assert!(ExportBucket::parse(wrong).unwrap_err().contains("BUCKET=PLACE"), "{wrong}");
        }
    }
}
