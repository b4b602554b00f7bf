//! The commit of what was prepared, and the news of it.

use crate::domain::ids::TenantId;
use crate::mail::ingest::Ingest;
use crate::mail::ingest::batch::{Sent, Waiting};
use crate::mail::ingest::together::Together;
use crate::mail::{Error, Reason};
use crate::store;
use crate::store::emails::{NewEmail, Stored};

impl Ingest {
    /// Commits, and tells who waits. Gives the email back.
    pub(super) async fn commit(
        &self,
        tenant: TenantId,
        email: Box<NewEmail>,
    ) -> Result<(Box<NewEmail>, Result<Stored, store::Error>), Error> {
        match self.ask(tenant, Waiting::One(email)).await? {
            (Waiting::One(email), stored) => {
                let stored = stored.and_then(|mut all| all.pop().ok_or(store::Error::NotFound));
                Ok((email, stored))
            }
            _ => Err(Error::Internal("the wrong answer".to_owned())),
        }
    }

    /// Commits a message and the queue's rows for it. Whether they were not there before.
    pub(in crate::mail) async fn commit_sent(
        &self,
        tenant: TenantId,
        sent: Box<Sent>,
    ) -> Result<bool, Error> {
        let (_, stored) = self.ask(tenant, Waiting::Sent(sent)).await?;
        let stored = stored?;
        Ok(stored.iter().any(|stored| !stored.duplicate))
    }

    /// Commits all of it or nothing, and tells who waits.
    ///
    /// # Errors
    /// [`Reason::MessageGone`] when what was to be replaced is not there.
    pub(super) async fn commit_all(
        &self,
        tenant: TenantId,
        together: Together,
    ) -> Result<Vec<Stored>, Error> {
        let replaced = together.replaced;
        let (_, stored) = self.ask(tenant, Waiting::Together(together)).await?;
        let stored = stored?;
        if stored.is_empty() {
            return Err(Reason::MessageGone.into());
        }
        self.published(replaced.map(|replaced| replaced.folder));
        Ok(stored)
    }

    async fn ask(
        &self,
        tenant: TenantId,
        waiting: Waiting,
    ) -> Result<(Waiting, Result<Vec<Stored>, store::Error>), Error> {
        let answer = self.batches.ask(tenant, waiting).await;
        let (waiting, stored) =
            answer.ok_or_else(|| Error::Temporary("storing ended half-way".to_owned()))?;
        if let Ok(stored) = &stored {
            for placed in stored.iter().flat_map(|stored| &stored.placed) {
                self.changes.publish_at(placed.folder, placed.modseq);
            }
            self.index.noted(tenant);
        }
        Ok((waiting, stored))
    }
}
