//! What is done now and then: removing what nothing needs.

pub mod objects;

use std::time::{Duration, Instant};

use crate::domain::ids::TenantId;
use crate::mail::{Error, warmup};
use crate::store::db::Db;
use crate::store::objects::Objects;

/// Between two rounds.
const PAUSE: Duration = Duration::from_mins(10);
/// Between two looks at every object.
const OBJECTS_PAUSE: Duration = Duration::from_hours(2);

/// Sweeps every organisation, for ever. Several nodes may run it: each takes
/// the organisations that no other is at.
pub async fn run(db: Db, store: Objects) {
    let mut looked = Instant::now();
    loop {
        if looked.elapsed() >= OBJECTS_PAUSE {
            match objects::sweep(&db, &store, objects::Ages::default()).await {
                Ok(removed) => tracing::info!(removed, "objects swept"),
                Err(error) => tracing::warn!(%error, "objects are swept next time"),
            }
            looked = Instant::now();
        }
        match db.tenant_ids().await {
            Ok(tenants) => {
                for tenant in tenants {
                    if let Err(error) = sweep(&db, tenant).await {
                        tracing::warn!(%tenant, %error, "sweep failed; tried again next round");
                    }
                    if let Err(error) = warmup::release(&db, tenant).await {
                        tracing::warn!(%tenant, %error, "warm-ups are looked at next round");
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
