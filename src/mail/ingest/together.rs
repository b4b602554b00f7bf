//! Messages that are stored together or not at all (RFC 3502).

use crate::mail::batches::Admitted;
use crate::mail::ingest::batch::Kin;
use crate::store;
use crate::store::emails::{NewEmail, Stored};
use crate::store::tenant::Tenant;

/// Messages for one transaction, in their order.
pub(super) struct Together {
    /// At least one.
    pub(super) emails: Vec<NewEmail>,
}

impl Together {
    /// Stores them. They may belong to one another, which those of one statement cannot see: so
    /// they go in several, each as large as it can be.
    pub(super) async fn store(&self, tenant: &Tenant) -> Result<Vec<Stored>, store::Error> {
        let mut tx = tenant.begin().await?;
        let mut stored = Vec::with_capacity(self.emails.len());
        let mut rest = self.emails.as_slice();
        while !rest.is_empty() {
            let mut kin = Kin::default();
            let joins = |email: &&NewEmail| matches!(kin.admit(email), Admitted::Yes);
            let count = rest.iter().take_while(joins).count().max(1);
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            stored.extend(tx.store_emails(&now.iter().collect::<Vec<_>>()).await?);
            rest = later;
        }
        tx.commit().await?;
        Ok(stored)
    }
}
