//! Principals and their access keys: who may ask, how they prove it, and which secrets open under the master key.
//!
//! A principal has at most two keys, so that one can be replaced while the other is in use (as AWS's users have). A secret is shown once, when
//! it is made.

use crate::authorization::{Caller, Role, Scope};
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::known_keys::KnownKey;
use crate::vault::{MasterKey, SealedSecret, new_access_key_id, new_secret};
use argon2::{Argon2, PasswordHasher};
use billing::account::AccountId;
use billing::configuration::{BillingGroupId, group_called};
use std::collections::BTreeSet;
use store::{AccessKeyRow, FoundKey, PrincipalRow, Reseal, Sealed};
use zeroize::Zeroizing;

pub use store::Standing;

/// How many keys a principal has at most.
pub const KEYS_PER_PRINCIPAL_MAX: usize = 2;
/// How many principals a page of the list reads.
const PAGE: usize = 1_000;
/// What is wrong where another process has sealed the secrets anew.
pub const OTHER_MASTER_KEY: &str = "the secrets were sealed under another master key since this process began; start it again with the new one";

/// A key that was made. Its secret is not to be had again.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Zeroizing<String>,
}

/// Whose key is to be made.
#[derive(Debug, Clone)]
pub struct NewPrincipal {
    /// The principal's name; one that is there gets its second key.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The billing groups that a group-viewer sees: ARNs or ids.
    pub billing_groups: Vec<String>,
    /// The accounts of them that it is narrowed to; empty is all.
    pub accounts: Vec<AccountId>,
}

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Whose it is.
    pub principal: String,
    /// The principal's role.
    pub role: String,
    /// The billing groups of a group-viewer, by id.
    pub billing_groups: Vec<String>,
    /// The accounts that it is narrowed to.
    pub accounts: Vec<String>,
    /// The key.
    pub access_key_id: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// When it was made, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// When it was last used.
    pub last_used_at_ms: Option<i64>,
}

impl BackOffice {
    /// The key of an id, as it was at most a second ago; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Internal`] where the store does not answer, or its secrets are not this master key's any more.
    pub async fn key(&self, access_key_id: &str) -> Answer<Option<KnownKey>> {
        if let Some(known) = self.0.keys.get(access_key_id) {
            return Ok(known);
        }
        let found = self.0.store.find_key(access_key_id).await.map_err(Error::internal)?;
        // Asked of an id that nobody has, too: it must not be told apart by what is answered then.
        if !self.has_the_master_key().await? {
            return Err(Error::internal(OTHER_MASTER_KEY));
        }
        let known = found.map(|found| self.opened(found)).transpose()?;
        self.0.keys.remember(access_key_id, known.clone());
        Ok(known)
    }

    /// Whether the secrets are sealed under the master key of this process: another one on the same database may have sealed them anew.
    ///
    /// # Errors
    /// [`Error::Internal`] where the store does not answer.
    pub async fn has_the_master_key(&self) -> Answer<bool> {
        if !self.0.options.shared {
            return Ok(true);
        }
        let check = self.0.store.master_key_check().await.map_err(Error::internal)?;
        Ok(self.is_master_of(check))
    }

    pub(crate) fn is_master_of(&self, check: Option<Sealed>) -> bool {
        check.is_some_and(|Sealed { nonce, ciphertext }| {
            self.0.master.is_checked_by(&SealedSecret { nonce, ciphertext })
        })
    }

    fn opened(&self, found: FoundKey) -> Answer<KnownKey> {
        let FoundKey { payer, key, principal } = found;
        let sealed = SealedSecret { nonce: key.secret.nonce, ciphertext: key.secret.ciphertext };
        let secret = self.0.master.open(&key.access_key_id, &sealed).map_err(Error::internal)?;
        let secret = String::from_utf8(secret.to_vec()).map_err(Error::internal)?;
        let role = Role::parse(&principal.role).ok_or_else(|| Error::internal(principal.role.clone()))?;
        Ok(KnownKey {
            payer,
            is_active: key.standing == Standing::Active && principal.standing == Standing::Active,
            principal: principal.name.clone(),
            principal_since_ms: principal.created_at_ms,
            role,
            scope: scope_of(role, &principal)?,
            secret: Zeroizing::new(secret),
        })
    }

    /// Notes that a key was used; it is written with the next batch of the audit.
    pub fn note_used(&self, access_key_id: &str) {
        self.0.keys.note_used(access_key_id, machine_milliseconds());
    }

    /// Makes a key, and its principal where there is none of the name.
    ///
    /// # Errors
    /// [`Error::Refused`] for a third key, another role than the principal has, or a group that there is not.
    pub async fn create_key(&self, request: &WriteRequest<'_>, new: &NewPrincipal) -> Answer<NewKey> {
        let payer = &request.caller.payer;
        let configuration = self.state(payer).await?.configuration.clone();
        let group = |text: &String| {
            let no_group = |_| refused(format!("`{text}` is no billing group of payer {payer}"));
            group_called(&configuration, text, None).map_err(no_group)
        };
        let groups = new.billing_groups.iter().map(group).collect::<Answer<BTreeSet<_>>>()?;
        check(new)?;
        let key = NewKey {
            access_key_id: new_access_key_id().map_err(Error::internal)?,
            secret: new_secret().map_err(Error::internal)?,
        };
        let sealed =
            self.0.master.seal(&key.access_key_id, key.secret.as_bytes()).map_err(Error::internal)?;
        let row = PrincipalRow {
            name: new.name.clone(),
            role: new.role.name().to_owned(),
            billing_groups: groups.iter().map(ToString::to_string).collect(),
            accounts: new.accounts.iter().map(ToString::to_string).collect(),
            password_hash: None,
            standing: Standing::Active,
            created_at_ms: machine_milliseconds(),
        };
        let (row, made) = (&row, &key);
        let sealed = &sealed;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            if !self.is_master_of(write.master_key_check().await?) {
                return Err(Error::internal(OTHER_MASTER_KEY).into());
            }
            match write.principal(&row.name).await? {
                None => write.put_principal(row.clone()).await?,
                Some(there) => same_principal(&there, row)?,
            }
            if write.keys(&row.name).await?.len() >= KEYS_PER_PRINCIPAL_MAX {
                let message =
                    format!("principal `{}` has {KEYS_PER_PRINCIPAL_MAX} keys; delete one first", row.name);
                return Err(refused(message).into());
            }
            let secret = Sealed { nonce: sealed.nonce.clone(), ciphertext: sealed.ciphertext.clone() };
            write
                .put_key(AccessKeyRow {
                    access_key_id: made.access_key_id.clone(),
                    principal: row.name.clone(),
                    secret,
                    standing: Standing::Active,
                    created_at_ms: row.created_at_ms,
                    last_used_at_ms: None,
                })
                .await?;
            Ok((state.commit(write, [request.done(&made.access_key_id)]).await?, ()))
        })
        .await?;
        self.0.keys.forget(&key.access_key_id);
        Ok(key)
    }

    /// Every key of a payer, by principal.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn keys(&self, payer: &AccountId) -> Answer<Vec<ListedKey>> {
        let mut listed = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.0.store.principals(payer, &after, PAGE).await.map_err(Error::internal)?;
            let Some(last) = page.last() else { return Ok(listed) };
            after.clone_from(&last.name);
            for principal in page {
                let keys = self.0.store.keys(payer, &principal.name).await.map_err(Error::internal)?;
                listed.extend(keys.into_iter().map(|key| ListedKey {
                    principal: principal.name.clone(),
                    role: principal.role.clone(),
                    billing_groups: principal.billing_groups.clone(),
                    accounts: principal.accounts.clone(),
                    access_key_id: key.access_key_id,
                    is_active: key.standing == Standing::Active,
                    created_at_ms: key.created_at_ms,
                    last_used_at_ms: key.last_used_at_ms,
                }));
            }
        }
    }

    /// Activates or deactivates a key.
    ///
    /// # Errors
    /// [`Error::Refused`] where the payer has no such key.
    pub async fn set_key_standing(&self, request: &WriteRequest<'_>, key: &str, active: bool) -> Answer<()> {
        let standing = if active { Standing::Active } else { Standing::Inactive };
        self.change_key(request, key, Some(standing)).await
    }

    /// Removes a key.
    ///
    /// # Errors
    /// [`Error::Refused`] where the payer has no such key.
    pub async fn delete_key(&self, request: &WriteRequest<'_>, key: &str) -> Answer<()> {
        self.change_key(request, key, None).await
    }

    /// Gives a key another standing, or removes it.
    async fn change_key(
        &self,
        request: &WriteRequest<'_>,
        key: &str,
        standing: Option<Standing>,
    ) -> Answer<()> {
        let payer = &request.caller.payer;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            let was_there = match standing {
                Some(standing) => write.set_key_standing(key, standing).await?,
                None => write.remove_key(key).await?,
            };
            if !was_there {
                return Err(refused(format!("there is no access key `{key}`")).into());
            }
            Ok((state.commit(write, [request.done(key)]).await?, ()))
        })
        .await?;
        self.0.keys.forget(key);
        Ok(())
    }

    /// Makes the first principal of a payer, with a key and the password of the console.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn first_key(&self, caller: &Caller, new: &NewPrincipal, password: &str) -> Answer<NewKey> {
        let hash = Argon2::default().hash_password(password.as_bytes()).map_err(Error::internal)?.to_string();
        let request = WriteRequest {
            caller,
            action: "proforma:Init",
            token: None,
            input: "",
            resource: caller.payer.as_str(),
            period: None,
        };
        let key = self.create_key(&request, new).await?;
        self.transaction(&caller.payer, |store, state| {
            let hash = hash.clone();
            async move {
                let mut write = store.write(&caller.payer, &state.head).await?;
                let there = write.principal(&new.name).await?;
                let row = there.ok_or_else(|| Error::internal(new.name.clone()))?;
                write.put_principal(PrincipalRow { password_hash: Some(hash), ..row }).await?;
                Ok((state.commit(write, []).await?, ()))
            }
        })
        .await?;
        Ok(key)
    }

    /// Holds every secret, to be sealed under another master key: until then no process makes a key.
    ///
    /// # Errors
    /// [`Error::Internal`], also where another process has sealed them anew.
    pub async fn begin_rotation(&self) -> Answer<Reseal> {
        let held = self.0.store.begin_reseal().await.map_err(Error::internal)?;
        match self.is_master_of(held.check.clone()) {
            true => Ok(held),
            false => Err(Error::internal(OTHER_MASTER_KEY)),
        }
    }

    /// Seals every secret under another master key. This desk, and others on the database, are to be closed: they have the old one, and answer
    /// nobody any more. Says how many secrets there are.
    ///
    /// # Errors
    /// [`Error::Internal`]; then every secret is sealed as it was, unless the outcome of the commit is not known.
    pub async fn rotate_master(&self, held: Reseal, new: &MasterKey) -> Answer<usize> {
        let mut resealed = Vec::new();
        for (id, sealed) in &held.secrets {
            let Sealed { nonce, ciphertext } = sealed.clone();
            let secret =
                self.0.master.open(id, &SealedSecret { nonce, ciphertext }).map_err(Error::internal)?;
            let SealedSecret { nonce, ciphertext } = new.seal(id, &secret).map_err(Error::internal)?;
            resealed.push((id.clone(), Sealed { nonce, ciphertext }));
        }
        let SealedSecret { nonce, ciphertext } = new.check().map_err(Error::internal)?;
        held.commit(&resealed, &Sealed { nonce, ciphertext }).await.map_err(Error::internal)?;
        Ok(resealed.len())
    }

    /// Forgets client tokens that are old enough.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn forget_tokens(&self) -> Answer<u64> {
        self.0.store.forget_tokens(self.now().saturating_mul(1_000)).await.map_err(Error::internal)
    }

    /// The operator at the machine's own command line: whoever may open the data directory.
    #[must_use]
    pub fn operator(&self, payer: &AccountId, request_id: String) -> Caller {
        Caller {
            payer: payer.clone(),
            principal: "operator".to_owned(),
            principal_since_ms: 0,
            access_key_id: String::new(),
            role: Role::PayerAdmin,
            scope: Scope::Payer,
            request_id,
            now: self.now(),
        }
    }
}

/// Whether a principal may be as it is asked for: only a group-viewer has groups, and it has some.
fn check(new: &NewPrincipal) -> Answer<()> {
    let is_name = |name: &str| {
        (1..=128).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
    };
    if !is_name(&new.name) {
        let what = "1 to 128 letters, digits or any of +=,.@_-";
        return Err(refused(format!("`{}` is no name of a principal: it takes {what}", new.name)));
    }
    match new.role {
        Role::GroupViewer if new.billing_groups.is_empty() => {
            Err(refused("a group-viewer sees billing groups: name them with --billing-group"))
        }
        Role::GroupViewer => Ok(()),
        _ if new.billing_groups.is_empty() && new.accounts.is_empty() => Ok(()),
        role => {
            Err(refused(format!("{} sees the whole payer: it takes no groups and no accounts", role.name())))
        }
    }
}

/// A second key is for the principal as it is.
fn same_principal(there: &PrincipalRow, asked: &PrincipalRow) -> Answer<()> {
    let same = |one: &[String], other: &[String]| {
        one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
    };
    let is_same = there.role == asked.role
        && same(&there.billing_groups, &asked.billing_groups)
        && same(&there.accounts, &asked.accounts);
    if is_same {
        return Ok(());
    }
    let (name, role) = (&there.name, &there.role);
    Err(refused(format!(
        "principal `{name}` is there as {role}, with its own groups and accounts; a second key is for the same ones"
    )))
}

/// What a principal of a role may see.
pub(crate) fn scope_of(role: Role, principal: &PrincipalRow) -> Answer<Scope> {
    if role != Role::GroupViewer {
        return Ok(Scope::Payer);
    }
    let group = |id: &String| BillingGroupId::parse(id).ok_or_else(|| Error::internal(id.clone()));
    let account = |id: &String| AccountId::parse(id).ok_or_else(|| Error::internal(id.clone()));
    let accounts = principal.accounts.iter().map(account).collect::<Answer<BTreeSet<_>>>()?;
    Ok(Scope::Groups {
        groups: principal.billing_groups.iter().map(group).collect::<Answer<_>>()?,
        accounts: (!accounts.is_empty()).then_some(accounts),
    })
}
