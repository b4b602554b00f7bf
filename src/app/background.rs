//! Work that nobody waits for.

use tokio::task::JoinSet;

use crate::app::roles::{Role, Roles};
use crate::app::services::Services;
use crate::mail::changes::Changes;
use crate::mail::housekeeping;
use crate::mail::keys::Keys;
use crate::mail::tracking::HitWriter;
use crate::store::db::Db;
use crate::store::notify::{Channel, Heard};

/// Tasks that run until the end. What they do may be cut at any point.
pub(super) struct Background(JoinSet<()>);

impl Background {
    pub(super) fn stop(mut self) {
        self.0.abort_all();
    }
}

/// Starts what `roles` name.
pub(super) fn start(roles: Roles, services: &Services, hits: HitWriter) -> Background {
    let mut tasks = JoinSet::new();
    let changes = services.changes.clone();
    let db = services.db.clone();
    tasks.spawn(async move { changes.tell_others(db).await });
    tasks.spawn(hits.run());
    tasks.spawn(listen(services.db.clone(), services.changes.clone(), services.keys.clone()));
    if roles.has(Role::Worker) {
        tasks.spawn(housekeeping::run(services.db.clone()));
        tasks.spawn(services.keys.clone().keep());
    }
    Background(tasks)
}

/// How long to wait before asking a database again that did not answer.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Hears what other nodes and other programs changed, and passes it on.
async fn listen(db: Db, changes: Changes, keys: Keys) {
    loop {
        match hear(&db, &changes, &keys).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "not hearing of changes; connecting again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn hear(db: &Db, changes: &Changes, keys: &Keys) -> Result<(), crate::store::Error> {
    let mut listener = db.listen().await?;
    // What was told before this moment went unheard.
    changes.wake_all();
    keys.directory_changed();
    loop {
        match listener.next().await? {
            Heard::Changed(Channel::Folder, payload) => changes.heard(&payload),
            Heard::Changed(Channel::Directory, _) => keys.directory_changed(),
            Heard::Changed(Channel::Queue, _) => {}
            Heard::Gap => {
                changes.wake_all();
                keys.directory_changed();
            }
        }
    }
}
