//! Is everything there that mail needs?

use std::time::Duration;

use crate::store::db::Db;
use crate::store::objects::Objects;

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the database and the object store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health {
    db: Db,
    objects: Objects,
}

/// Whether one thing that mail needs is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was asked.
    pub name: &'static str,
    /// It answered, and takes writes.
    pub ok: bool,
}

impl Health {
    /// Over these two.
    pub fn new(db: Db, objects: Objects) -> Self {
        Self { db, objects }
    }

    /// Asks all at once; two seconds at most.
    pub async fn check(&self) -> [Check; 2] {
        let (database, objects) = tokio::join!(
            tokio::time::timeout(PATIENCE, self.db.ping()),
            tokio::time::timeout(PATIENCE, self.objects.ping()),
        );
        [
            Check { name: "database", ok: matches!(database, Ok(Ok(()))) },
            Check { name: "objects", ok: matches!(objects, Ok(Ok(()))) },
        ]
    }
}
