//! Recipients: who is behind an address, may they have mail now, and by what
//! rules they get it.

mod cache;
mod mailbox;

use std::sync::Arc;

use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, OutboundId, TenantId};
use crate::mail::{Error, Reason};
use crate::store::db::Db;
use crate::wire::srs::{self, Srs};
use crate::wire::verp::{Verp, is_verp};
use cache::Cache;

pub use mailbox::{AutoReply, Forward, Mailbox, Template, Unreadable};

/// The mailboxes behind a recipient.
#[derive(Clone, Debug)]
pub struct Local {
    /// Their organisation.
    pub tenant: TenantId,
    /// The organisation's `directory_version` that all this is of. Whoever
    /// stores a message by it names it, and hears when it is not the last one.
    /// `None` where nothing rests on it.
    pub version: Option<i64>,
    /// The mailboxes, at least one; none for a return address.
    pub mailboxes: Vec<Arc<Mailbox>>,
    /// It is the return address of a forwarding, and reports to it go on to
    /// this address.
    pub back_to: Option<Address>,
    /// It is the return path of this row of the queue.
    pub returns: Option<OutboundId>,
}

impl Local {
    /// Whether it is there for reports alone.
    pub fn takes_reports_only(&self) -> bool {
        self.back_to.is_some() || self.returns.is_some()
    }

    /// Whether this mailbox is among them.
    pub fn leads_to(&self, mailbox: AddressId) -> bool {
        self.mailboxes.iter().any(|m| m.id == mailbox)
    }
}

/// What the directory knows of an address of ours.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose it is.
    pub local: Local,
    /// Whether it may have mail now.
    pub active: bool,
    /// Whether the organisation has proven that the domain is its own.
    pub proven: bool,
}

/// Asks the directory. Cheap to clone.
///
/// Answers are kept while this node hears of changes; see [`cache`]. What is
/// kept may be a moment behind, so the transaction that stores a message asks
/// whether it is not.
#[derive(Clone)]
pub struct Recipients {
    db: Db,
    srs: Arc<Srs>,
    verp: Arc<Verp>,
    cache: Arc<Cache>,
}

impl Recipients {
    /// Over `db`; return addresses of forwardings are checked with `srs`, those of the queue with
    /// `verp`.
    pub fn new(db: Db, srs: Arc<Srs>, verp: Arc<Verp>) -> Self {
        Self { db, srs, verp, cache: Arc::default() }
    }

    /// What makes and reads return paths of the queue.
    pub(in crate::mail) fn verp(&self) -> &Arc<Verp> {
        &self.verp
    }

    /// What makes and reads return addresses.
    pub(in crate::mail) fn srs(&self) -> &Srs {
        &self.srs
    }

    /// Exact address, sub-address (RFC 5233), alias, catch-all. One round trip
    /// for a recipient that exists, none for one that was asked for before.
    ///
    /// # Errors
    /// [`Reason::UnknownRecipient`] in a domain of ours,
    /// [`Reason::RelayDenied`] elsewhere, [`Reason::Suspended`].
    pub async fn resolve(&self, address: &Address) -> Result<Local, Error> {
        match self.find(address).await? {
            Some(found) if found.active => Ok(found.local.clone()),
            Some(_) => Err(Reason::Suspended.into()),
            None if self.db.hosts_domain(address.domain()).await? => {
                Err(Reason::UnknownRecipient.into())
            }
            None => Err(Reason::RelayDenied.into()),
        }
    }

    /// Whether mail for `domain` leaves: nobody here has mailboxes of it. A domain that is new
    /// here may be taken for one for as long as it takes to hear of it.
    pub async fn is_elsewhere(&self, domain: &str) -> Result<bool, Error> {
        if self.cache.is_elsewhere(domain) {
            return Ok(true);
        }
        let asked = self.cache.asking();
        if self.db.hosts_domain(domain).await? {
            return Ok(false);
        }
        self.cache.keep_elsewhere(asked, domain);
        Ok(true)
    }

    /// What the directory knows of `address`; `None` when it is nobody's here.
    pub async fn find(&self, address: &Address) -> Result<Option<Arc<Found>>, Error> {
        if let Some(found) = self.cache.get(address) {
            return Ok(Some(found));
        }
        // Before a catch-all, or a mailbox of that name with sub-addresses, gets it.
        if is_verp(address) {
            return self.find_row(address).await;
        }
        let asked = self.cache.asking();
        let Some(row) = self.db.resolve_recipient(address).await? else {
            return self.find_return(address).await;
        };
        let mut weight = 0;
        let mut mailboxes = Vec::with_capacity(row.mailboxes.len());
        for row in row.mailboxes {
            let mailbox = Mailbox::read(row);
            weight += mailbox.weight();
            mailboxes.push(Arc::new(mailbox));
        }
        let found = Arc::new(Found {
            local: Local {
                tenant: row.tenant,
                version: Some(row.version),
                mailboxes,
                back_to: None,
                returns: None,
            },
            active: row.active && !row.suspended,
            proven: row.proven,
        });
        self.cache.keep(asked, address, &found, weight);
        self.note_unreadable(&found.local).await;
        Ok(Some(found))
    }

    /// Where a report to a return address of ours goes; `None` when it is none,
    /// or none any more.
    async fn find_return(&self, address: &Address) -> Result<Option<Arc<Found>>, Error> {
        if !srs::is_rewritten(address) {
            return Ok(None);
        }
        let back_to = match self.srs.back(address, today()) {
            Ok(back_to) => back_to,
            Err(error) => {
                tracing::info!(%error, "a return address is not answered for");
                return Ok(None);
            }
        };
        let Some((tenant, active)) = self.db.domain_tenant(address.domain()).await? else {
            return Ok(None);
        };
        let back_to = Some(back_to);
        let local = Local { tenant, version: None, mailboxes: Vec::new(), back_to, returns: None };
        Ok(Some(Arc::new(Found { local, active, proven: true })))
    }

    /// A return path of the queue; `None` when it was not made here.
    async fn find_row(&self, address: &Address) -> Result<Option<Arc<Found>>, Error> {
        let Some(row) = self.verp.row(address) else { return Ok(None) };
        let Some((tenant, active)) = self.db.domain_tenant(address.domain()).await? else {
            return Ok(None);
        };
        let (mailboxes, returns) = (Vec::new(), Some(row));
        let local = Local { tenant, version: None, mailboxes, back_to: None, returns };
        Ok(Some(Arc::new(Found { local, active, proven: true })))
    }

    /// Tells about filters that cannot be read. Mail goes on without them, and
    /// without this.
    async fn note_unreadable(&self, local: &Local) {
        for filter in local.mailboxes.iter().flat_map(|mailbox| &mailbox.unreadable) {
            tracing::warn!(filter = %filter.id, error = %filter.error, "a filter cannot be read");
            let summary: String =
                format!("The filter \"{}\" is not applied: {}", filter.name, filter.error)
                    .replace(char::is_control, " ")
                    .chars()
                    .take(500)
                    .collect();
            let noted = self.db.note_unreadable_filter(local.tenant, filter.id, &summary).await;
            if let Err(error) = noted {
                tracing::warn!(%error, "that could not be written down");
            }
        }
    }

    /// Whether every mailbox of `local` has room for `size` octets; 0 where
    /// that is not known yet. Asks only where there is a quota: a round trip.
    ///
    /// A full mailbox is a temporary trouble, since its owner can make room
    /// and the sender's server keeps the message meanwhile; what is larger
    /// than the whole mailbox will never fit (RFC 3463 X.2.2, X.2.3).
    ///
    /// # Errors
    /// [`Error::OverQuota`], [`Reason::NeverFits`].
    pub async fn room(&self, local: &Local, size: u64) -> Result<(), Error> {
        let limited: Vec<AddressId> =
            local.mailboxes.iter().filter(|m| m.has_quota).map(|m| m.id).collect();
        if limited.is_empty() {
            return Ok(());
        }
        let room = self.db.mailbox_room(local.tenant, &limited, size).await?;
        match room {
            _ if room.never => Err(Reason::NeverFits.into()),
            _ if room.full => Err(Error::OverQuota),
            _ => Ok(()),
        }
    }

    /// Takes in that the directory changed, here or elsewhere.
    pub fn directory_changed(&self) {
        self.cache.clear();
    }

    /// Takes in whether changes are heard of from now on. While they are not,
    /// nothing is kept.
    pub fn hears(&self, hears: bool) {
        self.cache.hears(hears);
    }
}

/// Days since 1970.
pub(in crate::mail) fn today() -> u64 {
    u64::try_from(OffsetDateTime::now_utc().unix_timestamp() / 86_400).unwrap_or(0)
}
