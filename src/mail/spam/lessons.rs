//! What readers say by moving mail to Junk or out of it: counted where they say it, and told to
//! rspamd later. Lessons wait in a table, so that moving waits for nobody and nothing said is lost.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::domain::ids::{FolderId, TenantId};
use crate::mail::Error;
use crate::mail::body::Bodies;
use crate::mail::spam::Spamminess;
use crate::store::db::Db;
use crate::store::lessons::Lesson;
use crate::store::tenant::TenantTx;

/// How often lessons are looked for when nobody tells of one.
const POLL: Duration = Duration::from_mins(1);
/// Lessons taken at once.
const BATCH: u32 = 16;
/// After so many tries a lesson is given up.
const MAX_ATTEMPTS: u32 = 8;
/// Messages larger than this teach nothing.
const MAX_SIZE: usize = 20 * 1024 * 1024;

/// Takes lessons and passes them on. Cheap to clone.
#[derive(Clone)]
pub struct Lessons {
    spam: Spamminess,
    wake: Arc<Notify>,
}

impl Lessons {
    /// For the filter `spam`.
    pub fn new(spam: Spamminess) -> Self {
        Self { spam, wake: Arc::new(Notify::new()) }
    }

    /// Takes note of messages that are about to go from one folder to another, in the transaction
    /// that moves them. Says whether anything is to be learnt of it: then [`Lessons::noted`] is
    /// due after the commit.
    pub(in crate::mail) async fn note(
        &self,
        tx: &mut TenantTx,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<bool, Error> {
        Ok(tx.note_junk(from, uids, to, self.spam.learns()).await? > 0)
    }

    /// What was noted is committed.
    pub(in crate::mail) fn noted(&self, tenant: TenantId) {
        self.spam.taught(tenant);
        self.wake.notify_one();
    }

    /// Tells rspamd, for ever; returns at once where there is none. Every node may run it.
    pub async fn teach(self, db: Db, bodies: Bodies) {
        while self.spam.learns() {
            match self.round(&db, &bodies).await {
                Ok(0) => {
                    // Either way it is time to look.
                    let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "lessons for rspamd wait");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn round(&self, db: &Db, bodies: &Bodies) -> Result<usize, Error> {
        let lessons = db.lease_lessons(BATCH).await?;
        for lesson in &lessons {
            match self.pass_on(bodies, lesson).await {
                Ok(()) | Err(Error::NotFound(_)) => db.end_lesson(lesson.id).await?,
                Err(error) if lesson.attempts >= MAX_ATTEMPTS => {
                    tracing::warn!(tenant = %lesson.tenant, email = %lesson.email, %error, "lesson given up");
                    db.end_lesson(lesson.id).await?;
                }
                Err(error) => {
                    tracing::info!(tenant = %lesson.tenant, email = %lesson.email, %error, "lesson not taken yet");
                }
            }
        }
        Ok(lessons.len())
    }

    async fn pass_on(&self, bodies: &Bodies, lesson: &Lesson) -> Result<(), Error> {
        let body = bodies.load(lesson.tenant, lesson.email).await?;
        if body.len() > MAX_SIZE {
            return Ok(());
        }
        self.spam.learn(lesson.spam, Bytes::from(body.all().await?)).await
    }
}
