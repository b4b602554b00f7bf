//! Objects that nothing points to: put for a message that was never committed,
//! or left by one that is gone.
//!
//! An object is asked about twice. The first time, a day after it was last put,
//! it is only set aside: whoever put it just then may be about to commit a row
//! that points to it, and reading still finds it. An hour later, when everybody
//! who was storing a message has long finished, it goes, or is taken back.
//!
//! What belongs to no organisation of this database is left alone: the bucket
//! may be another installation's too.

use std::time::{Duration, SystemTime};

use crate::domain::ids::TenantId;
use crate::mail::Error;
use crate::store;
use crate::store::db::Db;
use crate::store::objects::{Found, Objects};

/// How old an object must be.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    /// Since it was last put, before it is set aside.
    pub unused: Duration,
    /// Since it was set aside, before it is removed.
    pub aside: Duration,
}

impl Default for Ages {
    fn default() -> Self {
        Self { unused: Duration::from_hours(24), aside: Duration::from_hours(1) }
    }
}

/// Looks at every object once; returns how many were removed for good.
///
/// # Errors
/// [`Error::Temporary`] without the database or the store. What was done
/// before stays done.
pub async fn sweep(db: &Db, objects: &Objects, ages: Ages) -> Result<u64, Error> {
    let mut removed = 0;
    for tenant in db.tenant_ids().await? {
        let mut page = None;
        loop {
            let listed = objects.list(tenant, page).await?;
            let due = listed.found.into_iter().filter(|found| is_due(found, ages)).collect();
            removed += sweep_page(db, objects, tenant, due).await?;
            match listed.next {
                Some(next) => page = Some(next),
                None => break,
            }
        }
    }
    Ok(removed)
}

fn is_due(found: &Found, ages: Ages) -> bool {
    let age = if found.set_aside_from().is_some() { ages.aside } else { ages.unused };
    // A clock that went back makes it young.
    SystemTime::now().duration_since(found.modified).is_ok_and(|passed| passed >= age)
}

async fn sweep_page(
    db: &Db,
    objects: &Objects,
    tenant: TenantId,
    due: Vec<Found>,
) -> Result<u64, Error> {
    if due.is_empty() {
        return Ok(0);
    }
    let keys: Vec<String> =
        due.iter().map(|found| found.set_aside_from().unwrap_or(found.key.clone())).collect();
    let used = db.tenant(tenant).snapshot().await?.objects_in_use(&keys).await?;
    let mut removed = 0;
    for (found, key) in due.iter().zip(&keys) {
        let done = match (found.set_aside_from().is_some(), used.contains(key)) {
            (false, true) => Ok(()),
            (false, false) => objects.set_aside(key).await,
            (true, true) => objects.take_back(key).await,
            (true, false) => {
                removed += 1;
                objects.delete(&found.key).await
            }
        };
        match done {
            // Another node was quicker.
            Ok(()) | Err(store::Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(removed)
}
