//! Keeps `email_search` up with the mail: a moment behind, in batches, so that storing waits for
//! nothing. A search does not depend on it: what is not there yet is searched as it stands, save for
//! text behind the first 64 KiB.

mod document;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::domain::ids::TenantId;
use crate::mail::Error;
use crate::mail::body::Bodies;
use crate::store::db::Db;
use crate::store::search_index::{Indexed, Unindexed};
use crate::wire::mime;

/// How long messages gather once one is told of.
const GATHER: Duration = Duration::from_millis(250);
/// How often every organisation is looked at when nobody tells of mail there: other nodes store too.
const POLL: Duration = Duration::from_mins(1);
/// How often all emails of an organisation are compared with its rows.
const WHOLE: Duration = Duration::from_hours(6);
/// Emails that came so long before the last look may have been committed after it.
const OVERLAP: time::Duration = time::Duration::minutes(2);
/// Emails of one transaction.
const BATCH: i64 = 256;
/// Octets of a message's text that are searched.
const MAX_TEXT: usize = 1024 * 1024;
/// Octets of an object that are read for its text: enough in base64.
const MAX_OBJECT: usize = MAX_TEXT / 2 * 3;

/// Told of new mail. Cheap to clone.
#[derive(Clone, Default)]
pub struct SearchIndex {
    fresh: Arc<Mutex<HashSet<TenantId>>>,
    wake: Arc<Notify>,
}

/// How far an organisation has been looked through.
struct Progress {
    since: OffsetDateTime,
    whole: Instant,
}

impl SearchIndex {
    /// An organisation has a new email, and it is committed.
    pub(in crate::mail) fn noted(&self, tenant: TenantId) {
        if self.lock().insert(tenant) {
            self.wake.notify_one();
        }
    }

    /// Indexes, for ever. Every node may run it: one at a time works for an organisation.
    pub async fn keep(self, db: Db, bodies: Bodies) {
        let mut progress = HashMap::new();
        let mut polled: Option<Instant> = None;
        loop {
            let due = polled.is_none_or(|at| at.elapsed() >= POLL);
            let fresh = std::mem::take(&mut *self.lock());
            let tenants = if due {
                polled = Some(Instant::now());
                db.tenant_ids().await.map_err(Error::from)
            } else {
                Ok(fresh.into_iter().collect())
            };
            if let Err(error) = self.round(&db, &bodies, tenants, &mut progress).await {
                tracing::warn!(%error, "mail is indexed for searching later");
            }
            let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
            tokio::time::sleep(GATHER).await;
        }
    }

    async fn round(
        &self,
        db: &Db,
        bodies: &Bodies,
        tenants: Result<Vec<TenantId>, Error>,
        progress: &mut HashMap<TenantId, Progress>,
    ) -> Result<(), Error> {
        for tenant in tenants? {
            let known = progress.entry(tenant).or_insert_with(Progress::none);
            if let Err(error) = catch_up(db, bodies, tenant, known).await {
                tracing::warn!(%tenant, %error, "mail is indexed for searching later");
                self.lock().insert(tenant);
            }
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<TenantId>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn none() -> Self {
        Self { since: OffsetDateTime::UNIX_EPOCH, whole: Instant::now() }
    }
}

/// Indexes what an organisation has got since.
async fn catch_up(
    db: &Db,
    bodies: &Bodies,
    tenant: TenantId,
    progress: &mut Progress,
) -> Result<(), Error> {
    if progress.whole.elapsed() >= WHOLE {
        *progress = Progress::none();
    }
    let begun = OffsetDateTime::now_utc();
    loop {
        let mut tx = db.tenant(tenant).begin().await?;
        if !tx.lock_index().await? {
            return Ok(());
        }
        let emails = tx.unindexed(progress.since, BATCH).await?;
        if emails.is_empty() {
            break;
        }
        let emails = some_whole(bodies, tenant, emails).await?;
        // A batch may end between two that came at the same moment: it begins there again.
        let next = emails.last().map_or(progress.since, |last| last.received_at);
        tx.index(&rows(emails).await?).await?;
        tx.commit().await?;
        progress.since = next;
    }
    progress.since = progress.since.max(begun - OVERLAP);
    Ok(())
}

/// The first of `emails`, each with all its text: as many as fit into the memory for one long text.
async fn some_whole(
    bodies: &Bodies,
    tenant: TenantId,
    emails: Vec<Unindexed>,
) -> Result<Vec<Unindexed>, Error> {
    let mut some = Vec::with_capacity(emails.len());
    let mut octets = 0;
    for mut email in emails {
        if email.more {
            email.text = whole_text(bodies, tenant, &email).await?;
        }
        octets += email.text.len();
        some.push(email);
        if octets >= MAX_TEXT {
            break;
        }
    }
    Ok(some)
}

async fn rows(emails: Vec<Unindexed>) -> Result<Vec<Indexed>, Error> {
    let work = move || {
        let row = |email: Unindexed| document::document(email.id, &email.header, &email.text);
        emails.into_iter().map(row).collect()
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal(format!("search index: {error}")))
}

/// The text of a message of which the email keeps the begin. What cannot be read stays short: a
/// search that misses its end is better than none.
async fn whole_text(bodies: &Bodies, tenant: TenantId, email: &Unindexed) -> Result<String, Error> {
    let body = match bodies.load(tenant, email.id).await {
        Ok(body) => body,
        Err(error) => return kept(tenant, email, error),
    };
    match body.excerpt(MAX_OBJECT).await {
        Ok(raw) => tokio::task::spawn_blocking(move || mime::read_whole_text(&raw, MAX_TEXT))
            .await
            .map_err(|error| Error::Internal(format!("search index: {error}"))),
        Err(error) => kept(tenant, email, error),
    }
}

/// What a lasting error leaves; one that passes is tried again.
fn kept(tenant: TenantId, email: &Unindexed, error: Error) -> Result<String, Error> {
    match error {
        Error::Temporary(_) | Error::Storage(_) => Err(error),
        error => {
            tracing::warn!(%tenant, email = %email.id, %error, "only the begin of its text is searched");
            Ok(email.text.clone())
        }
    }
}
