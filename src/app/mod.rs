//! The only wiring: from settings to a running server, and back to nothing.

mod background;
mod listeners;
mod outgoing;
mod roles;
mod services;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::Config;
use crate::net::listener::BindError;
use crate::net::shutdown::Shutdown;
use crate::net::tls::TlsError;
use crate::store::db::Db;
use crate::store::embedded::{Durability, Embedded, EmbeddedError};
use crate::store::master_key::MasterKeyError;
use crate::store::migrate::{self, MIGRATIONS, MigrateError};

pub use roles::{Role, Roles};
use services::Services;

/// Why the server does not start; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory.
    #[error("the directory {} cannot be written: {error}; make it writable or choose another with server.data_dir", path.display())]
    DataDir {
        /// Which.
        path: std::path::PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The private Postgres.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The database.
    #[error("no database: {0}; check database.url and its server")]
    Database(String),
    /// The schema.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A port.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key that seals DKIM keys.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Where each listener was bound; `None` for a role that does not run here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Addresses {
    /// Mail from other servers.
    pub smtp: Option<SocketAddr>,
    /// Submission with STARTTLS.
    pub submission_starttls: Option<SocketAddr>,
    /// Submission over TLS.
    pub submission_tls: Option<SocketAddr>,
    /// IMAP with STARTTLS.
    pub imap_starttls: Option<SocketAddr>,
    /// IMAP over TLS.
    pub imap_tls: Option<SocketAddr>,
    /// The HTTP edge.
    pub http: Option<SocketAddr>,
    /// The HTTP edge under TLS.
    pub https: Option<SocketAddr>,
    /// Metrics; `None` also where they are off.
    pub metrics: Option<SocketAddr>,
}

/// A running server.
pub struct Running {
    /// Where it listens.
    pub addresses: Addresses,
    /// Asking for its end.
    pub shutdown: Shutdown,
    db: Db,
    embedded: Option<Embedded>,
    grace: std::time::Duration,
    background: background::Background,
}

/// Starts what `roles` name: the database and its schema first, then every
/// port, then work. Nothing is accepted before all ports are there.
pub async fn start(
    config: Arc<Config>,
    roles: Roles,
    durability: Durability,
) -> Result<Running, StartError> {
    make_data_dir(&config)?;
    let (db, embedded) = open_database(&config, durability).await?;
    match start_on(&config, roles, &db).await {
        Ok((addresses, shutdown, background)) => {
            let grace = config.timeouts.shutdown.duration();
            Ok(Running { addresses, shutdown, db, embedded, grace, background })
        }
        Err(error) => {
            close(db, embedded).await;
            Err(error)
        }
    }
}

async fn start_on(
    config: &Arc<Config>,
    roles: Roles,
    db: &Db,
) -> Result<(Addresses, Shutdown, background::Background), StartError> {
    let applied = migrate::migrate(db, MIGRATIONS).await?;
    if !applied.is_empty() {
        tracing::info!(migrations = applied.len(), "the schema is up to date");
    }
    let listeners = listeners::bind(config, roles).await?;
    let (services, hits) = Services::build(config, db.clone())?;
    services.keys.warn_of_another_master().await;
    let shutdown = Shutdown::new();
    let addresses = listeners.addresses();
    let mut background = background::start(roles, &services, hits)?;
    if roles.has(Role::Worker) {
        background.report(services.daily_reports(config)?);
        background.rotate_keys(services.domains(config)?);
        let worker = outgoing::worker(config, &services)?;
        shutdown.spawn(worker.run(shutdown.clone()));
    }
    if roles.has(Role::Edge) {
        background.renew_certificates(config, &services);
    }
    listeners.serve(config, &services, &shutdown);
    Ok((addresses, shutdown, background))
}

impl Running {
    /// The database, for whoever started this server.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Finishes what is in hand, within the configured grace, then closes the
    /// database and stops the private Postgres.
    pub async fn stop(self) {
        self.shutdown.request();
        if !self.shutdown.finish(self.grace).await {
            tracing::warn!("some connections did not end in time and were cut");
        }
        self.background.stop(&self.db).await;
        close(self.db, self.embedded).await;
    }
}

async fn close(db: Db, embedded: Option<Embedded>) {
    db.close().await;
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
}

fn make_data_dir(config: &Config) -> Result<(), StartError> {
    let path = &config.server.data_dir;
    std::fs::create_dir_all(path).map_err(|error| StartError::DataDir { path: path.clone(), error })
}

/// The database that is configured, or a private one.
async fn open_database(
    config: &Config,
    durability: Durability,
) -> Result<(Db, Option<Embedded>), StartError> {
    let url = config.database.url.expose();
    let embedded = match url.is_empty() {
        true => Some(Embedded::start(config, durability).await?),
        false => None,
    };
    let url = embedded.as_ref().map_or(url, Embedded::url);
    let connecting = Db::connect_bounded(
        url,
        config.database.max_connections.get(),
        config.timeouts.statement(),
    );
    match connecting.await {
        Ok(db) => Ok((db, embedded)),
        Err(error) => {
            if let Some(embedded) = embedded {
                embedded.stop().await;
            }
            Err(StartError::Database(error.to_string()))
        }
    }
}
