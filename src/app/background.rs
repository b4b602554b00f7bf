//! Work that nobody waits for.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::app::StartError;
use crate::app::outgoing::tell_workers;
use crate::app::roles::{Role, Roles};
use crate::app::services::Services;
use crate::config::Config;
use crate::mail::changes::Changes;
use crate::mail::deliver::route::Routes;
use crate::mail::domains::Domains;
use crate::mail::gate::Gate;
use crate::mail::housekeeping;
use crate::mail::keys::Keys;
use crate::mail::recipients::Recipients;
use crate::mail::reporting::{Daily, Tally};
use crate::mail::tracking::HitWriter;
use crate::net::acme::Acme;
use crate::net::tls::hangup;
use crate::store::db::Db;
use crate::store::notify::{Channel, Heard};

/// Tasks that run until the end. What they do may be cut at any point.
pub(super) struct Background {
    tasks: JoinSet<()>,
    tally: Tally,
}

impl Background {
    /// On a node with a worker.
    pub(super) fn report(&mut self, daily: Option<Daily>) {
        if let Some(daily) = daily {
            self.tasks.spawn(daily.run());
        }
    }

    /// On a node with a worker.
    pub(super) fn rotate_keys(&mut self, domains: Domains) {
        self.tasks.spawn(domains.keep_keys());
    }

    /// On a node whose edge can prove its names.
    pub(super) fn renew_certificates(&mut self, config: &Config, services: &Services) {
        let (tls, challenges) = (services.tls.clone(), services.challenges.clone());
        if let Some(acme) = Acme::new(config, &services.hostname, tls, challenges) {
            let discovery = services.discovery.clone();
            self.tasks.spawn(acme.run(move || {
                let discovery = discovery.clone();
                async move { discovery.names().await }
            }));
        }
    }

    /// Ends them; what was counted is written down.
    pub(super) async fn stop(mut self, db: &Db) {
        self.tasks.abort_all();
        if let Err(error) = self.tally.flush(db).await {
            tracing::warn!(%error, "the last counts for reports are lost");
        }
    }
}

/// Starts what `roles` name.
pub(super) fn start(
    roles: Roles,
    services: &Services,
    hits: HitWriter,
) -> Result<Background, StartError> {
    let mut tasks = JoinSet::new();
    let changes = services.changes.clone();
    let db = services.db.clone();
    tasks.spawn(async move { changes.tell_others(db).await });
    tasks.spawn(hits.run());
    tasks.spawn(services.tally.clone().keep(services.db.clone()));
    let hangup = hangup().map_err(|error| StartError::Other(format!("SIGHUP: {error}")))?;
    tasks.spawn(services.tls.clone().watch(hangup));
    let hearing = Hearing {
        changes: services.changes.clone(),
        keys: services.keys.clone(),
        recipients: services.recipients.clone(),
        gate: services.gate.clone(),
        routes: services.routes.clone(),
        queue: roles.has(Role::Worker).then(|| Arc::clone(&services.queue_wake)),
    };
    tasks.spawn(listen(services.db.clone(), hearing));
    if roles.has(Role::Worker) {
        tasks.spawn(housekeeping::run(services.db.clone(), services.objects.clone()));
        tasks.spawn(services.opt_ins.clone().ask());
        tasks.spawn(services.keys.clone().keep());
        tasks.spawn(services.gate.clone().sweep());
        let index = services.search_index.clone();
        tasks.spawn(index.keep(services.db.clone(), services.bodies.clone()));
        let lessons = services.lessons.clone();
        tasks.spawn(lessons.teach(services.db.clone(), services.bodies.clone()));
        tasks.spawn(services.ingest.reports().read(services.bodies.clone()));
    } else {
        let wake = Arc::clone(&services.queue_wake);
        tasks.spawn(tell_workers(services.db.clone(), wake));
    }
    Ok(Background { tasks, tally: services.tally.clone() })
}

/// How long to wait before asking a database again that did not answer.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Who is told of what.
struct Hearing {
    changes: Changes,
    keys: Keys,
    recipients: Recipients,
    gate: Gate,
    routes: Routes,
    /// On a node with a worker: elsewhere waking means telling, and it would
    /// hear itself.
    queue: Option<Arc<Notify>>,
}

impl Hearing {
    fn all(&self) {
        self.changes.wake_all();
        self.directory_changed();
        self.wake_queue();
    }

    fn directory_changed(&self) {
        self.keys.directory_changed();
        self.recipients.directory_changed();
        self.gate.directory_changed();
        self.routes.directory_changed();
    }

    fn wake_queue(&self) {
        if let Some(queue) = &self.queue {
            queue.notify_one();
        }
    }
}

/// Hears what other nodes and other programs changed, and passes it on.
async fn listen(db: Db, hearing: Hearing) {
    loop {
        let ended = hear(&db, &hearing).await;
        hearing.recipients.hears(false);
        match ended {
            Ok(()) => tracing::warn!("the connection that hears of changes was lost"),
            Err(error) => {
                tracing::warn!(%error, "not hearing of changes; connecting again");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Until the connection is lost.
async fn hear(db: &Db, hearing: &Hearing) -> Result<(), crate::store::Error> {
    let mut listener = db.listen().await?;
    // What was told before this moment went unheard.
    hearing.recipients.hears(true);
    hearing.all();
    loop {
        match listener.next().await? {
            Heard::Changed(Channel::Folder, payload) => hearing.changes.heard(&payload),
            Heard::Changed(Channel::Directory, _) => hearing.directory_changed(),
            Heard::Changed(Channel::Queue, _) => hearing.wake_queue(),
            Heard::Gap => return Ok(()),
        }
    }
}
