//! Is everything there that mail needs?

use std::time::Duration;

use crate::store::db::Db;
use crate::store::objects::Objects;

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(2);

/// Mail that is due and still not taken after this time says that the queue stands still.
const QUEUE_PATIENCE: Duration = Duration::from_mins(15);

/// Asks the database and the object store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health {
    db: Db,
    objects: Objects,
}

/// Whether one thing that mail needs is there, and works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was asked.
    pub name: &'static str,
    /// It answered; the queue also moves.
    pub ok: bool,
}

impl Health {
    /// Over these two.
    pub fn new(db: Db, objects: Objects) -> Self {
        Self { db, objects }
    }

    /// Asks all at once; two seconds at most.
    pub async fn check(&self) -> [Check; 3] {
        let (database, objects, stuck) = tokio::join!(
            tokio::time::timeout(PATIENCE, self.db.ping()),
            tokio::time::timeout(PATIENCE, self.objects.ping()),
            tokio::time::timeout(PATIENCE, self.db.queue_stands_still(QUEUE_PATIENCE)),
        );
        [
            Check { name: "database", ok: matches!(database, Ok(Ok(()))) },
            Check { name: "objects", ok: matches!(objects, Ok(Ok(()))) },
            Check { name: "queue", ok: matches!(stuck, Ok(Ok(false))) },
        ]
    }
}
