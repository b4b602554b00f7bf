//! What an organisation's readers said about senders.

use crate::domain::ids::FolderId;
use crate::store::error::Error;
use crate::store::tenant::{Tenant, TenantTx};

/// What is known of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderStanding {
    /// How often somebody moved its mail to Junk.
    pub junked: u32,
    /// How often somebody took its mail out of Junk.
    pub wanted: u32,
    /// Somebody has written to it.
    pub known: bool,
}

impl Tenant {
    /// What is known of the address `sender`, in lower case.
    pub async fn sender_standing(&self, sender: &str) -> Result<SenderStanding, Error> {
        let mut tx = self.snapshot().await?;
        let (junked, wanted, known): (i64, i64, bool) = sqlx::query_as(
            "SELECT coalesce(max(r.junk_count), 0), coalesce(max(r.ham_count), 0),
                 EXISTS (SELECT 1 FROM public.outbound_messages o
                     WHERE o.tenant_id = $2 AND o.recipient = $1 AND o.source = 'submission')
             FROM sender_reputation r WHERE r.sender = $1",
        )
        .bind(sender)
        .bind(self.id().0)
        .fetch_one(tx.conn())
        .await?;
        let count = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(SenderStanding { junked: count(junked), wanted: count(wanted), known })
    }

    /// Whether anything was ever said about anybody.
    pub async fn has_standings(&self) -> Result<bool, Error> {
        let mut tx = self.snapshot().await?;
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sender_reputation)")
            .fetch_one(tx.conn())
            .await?)
    }
}

impl TenantTx {
    /// Counts the senders of messages that are about to go from one folder to another, where one
    /// of the two is Junk; with `teach`, each becomes a lesson. Returns how many counted.
    pub async fn note_junk(
        &mut self,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
        teach: bool,
    ) -> Result<u64, Error> {
        let uids: Vec<i64> = uids.iter().copied().map(i64::from).collect();
        let tenant = self.id();
        let count: i64 = sqlx::query_scalar("SELECT note_junk($1, $2, $3, $4, $5)")
            .bind(tenant.0)
            .bind(from.0)
            .bind(uids)
            .bind(to.0)
            .bind(teach)
            .fetch_one(self.conn())
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
