//! What is done now and then: removing what nothing needs.

use std::time::Duration;

use crate::domain::ids::TenantId;
use crate::mail::Error;
use crate::store::db::Db;

/// Between two rounds.
const PAUSE: Duration = Duration::from_mins(10);

/// Sweeps every organisation, for ever. Several nodes may run it: each takes
/// the organisations that no other is at.
pub async fn run(db: Db) {
    loop {
        match db.tenant_ids().await {
            Ok(tenants) => {
                for tenant in tenants {
                    if let Err(error) = sweep(&db, tenant).await {
                        tracing::warn!(%tenant, %error, "sweep failed; tried again next round");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "sweep could not begin"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Sweeps one organisation, batch by batch.
///
/// Three days of an orphan's life and thirty of an expunged UID's are the
/// store's own figures; see [`crate::store::sweep`].
pub async fn sweep(db: &Db, tenant: TenantId) -> Result<u64, Error> {
    let mut swept = 0;
    loop {
        let mut tx = db.tenant(tenant).begin().await?;
        if !tx.lock_sweep().await? {
            return Ok(swept);
        }
        let emails = tx.sweep_emails().await?;
        tx.sweep_expunged(30).await?;
        tx.commit().await?;
        swept += emails;
        if emails == 0 {
            return Ok(swept);
        }
        tracing::debug!(%tenant, emails, "swept");
    }
}
