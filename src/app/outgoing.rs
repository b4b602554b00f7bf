//! The worker of the queue, put together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::app::StartError;
use crate::app::services::Services;
use crate::config::Config;
use crate::mail::deliver::away::Away;
use crate::mail::deliver::conversation::Deadlines;
use crate::mail::deliver::draft::Drafts;
use crate::mail::deliver::local::Here;
use crate::mail::deliver::mta_sts::Policies;
use crate::mail::deliver::pool::Pool;
use crate::mail::deliver::session::Dialer;
use crate::mail::deliver::worker::Worker;
use crate::mail::queue::Queue;
use crate::mail::render::Render;
use crate::mail::report::Reports;
use crate::mail::schedule::Schedule;
use crate::mail::warmup::Warmups;
use crate::net::dns::Resolver;
use crate::net::tls::{ClientTls, Roots};
use crate::store::db::Db;
use crate::store::node::node_id;
use crate::store::notify::Channel;

/// Builds the worker.
pub(super) fn worker(config: &Config, services: &Services) -> Result<Worker, StartError> {
    let data_dir = &config.server.data_dir;
    let node =
        node_id(data_dir).map_err(|error| StartError::DataDir { path: data_dir.clone(), error })?;
    let resolver =
        Resolver::new(&config.dns).map_err(|error| StartError::Other(error.to_string()))?;
    let render = Render::new(
        services.db.clone(),
        services.bodies.clone(),
        services.keys.clone(),
        config.http.public_url.as_str(),
        &services.hostname,
    );
    let queue = Queue::new(
        services.db.clone(),
        node,
        Schedule::new(&config.queue),
        config.queue.lease.duration(),
        Reports::new(services.bodies.clone(), services.ingest.clone(), &services.hostname),
        Arc::clone(&services.queue_wake),
    )
    .counted(services.metrics.clone());
    let here = Here::new(
        services.db.clone(),
        services.recipients.clone(),
        services.ingest.clone(),
        render.clone(),
    );
    let roots = Roots::load(&config.queue.trusted_roots)?;
    let (sts, sts_port) = (config.queue.mta_sts, config.queue.mta_sts_port);
    let policies = Policies::new(sts, sts_port, &resolver, &roots);
    let dialer = Dialer {
        us: services.hostname.clone(),
        tls: ClientTls::opportunistic()?,
        roots,
        deadlines: Deadlines::new(&config.timeouts),
    };
    let port = config.queue.smtp_port;
    let tally = services.tally.clone();
    let pool = Pool::default();
    let (warmups, here_too) = (Warmups::new(services.db.clone(), node), here.clone());
    let away = Away {
        queue,
        render,
        resolver,
        policies,
        dialer,
        port,
        tally,
        here: here_too,
        pool,
        warmups,
    };
    let drafts = Drafts::new(services.db.clone(), services.ingest.clone());
    let routes = (services.routes.clone(), Arc::clone(&services.queue_wake));
    Ok(Worker::new(&config.queue, drafts, here, away, routes))
}

/// How long news are gathered before other nodes are told.
const GATHER: Duration = Duration::from_millis(25);

/// On a node without a worker: tells those who have one that something was
/// queued here.
pub(super) async fn tell_workers(db: Db, wake: Arc<Notify>) {
    loop {
        wake.notified().await;
        if let Err(error) = db.notify(Channel::Queue, "").await {
            tracing::debug!(%error, "workers find what was queued by themselves");
        }
        tokio::time::sleep(GATHER).await;
    }
}
