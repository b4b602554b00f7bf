//! Messages that are stored together or not at all (RFC 3502), also in the place of another
//! (RFC 8508).

use crate::domain::ids::FolderId;
use crate::mail::batches::Admitted;
use crate::mail::ingest::Replaced;
use crate::mail::ingest::batch::Kin;
use crate::store;
use crate::store::emails::{NewEmail, Stored};
use crate::store::tenant::Tenant;

/// Messages for one transaction, in their order.
pub(super) struct Together {
    /// At least one.
    pub(super) emails: Vec<NewEmail>,
    /// Where they go.
    pub(super) folder: FolderId,
    /// What goes for them.
    pub(super) replaced: Option<Replaced>,
}

impl Together {
    /// Stores them, or nothing where what was to be replaced is not there. They may belong to
    /// one another, which those of one statement cannot see: so they go in several, each as
    /// large as it can be.
    pub(super) async fn store(&self, tenant: &Tenant) -> Result<Vec<Stored>, store::Error> {
        let mut tx = tenant.begin().await?;
        // First, so that the quota does not count both.
        if let Some(Replaced { folder, uid }) = self.replaced
            && !tx.make_way(folder, uid, self.folder).await?
        {
            return Ok(Vec::new());
        }
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
