//! What the conversations ask, built once from the settings.

use std::sync::Arc;

use crate::app::StartError;
use crate::config::{Config, ObjectKind};
use crate::mail::body::Bodies;
use crate::mail::changes::Changes;
use crate::mail::ingest::{self, Ingest};
use crate::mail::login::Login;
use crate::mail::mailbox::Mailboxes;
use crate::mail::recipients::Recipients;
use crate::net::hostname::hostname;
use crate::net::tls::ServerTls;
use crate::store::db::Db;
use crate::store::objects::{Dir, Objects, S3, S3Settings};

/// Everything that is shared by listeners and background work.
pub(super) struct Services {
    pub(super) hostname: String,
    pub(super) db: Db,
    pub(super) tls: ServerTls,
    pub(super) changes: Changes,
    pub(super) login: Login,
    pub(super) recipients: Recipients,
    pub(super) ingest: Ingest,
    pub(super) mailboxes: Mailboxes,
    pub(super) bodies: Bodies,
}

/// Octets of messages that may be in memory at once.
const MESSAGE_MEMORY: usize = 512 * 1024 * 1024;

impl Services {
    pub(super) fn build(config: &Arc<Config>, db: Db) -> Result<Self, StartError> {
        let other = |error: &dyn std::fmt::Display| StartError::Other(error.to_string());
        let hostname = hostname(&config.server.hostname);
        let objects = open_objects(config)?;
        let changes = Changes::default();
        let settings = ingest::Settings {
            hostname: hostname.clone(),
            spool: config.server.data_dir.join("spool"),
            cut_from: usize::try_from(config.objects.attachment_size.bytes()).unwrap_or(usize::MAX),
            memory: MESSAGE_MEMORY,
        };
        Ok(Self {
            tls: ServerTls::open(config.server.certs_dir.clone(), &hostname)?,
            login: Login::new(db.clone()).map_err(|e| other(&e))?,
            recipients: Recipients::new(db.clone()),
            ingest: Ingest::new(db.clone(), objects.clone(), changes.clone(), settings),
            mailboxes: Mailboxes::new(db.clone(), changes.clone()),
            bodies: Bodies::new(db.clone(), objects),
            hostname,
            db,
            changes,
        })
    }
}

fn open_objects(config: &Config) -> Result<Objects, StartError> {
    match config.objects.kind {
        ObjectKind::Dir => Dir::open(&config.server.data_dir.join("objects"))
            .map(Objects::from)
            .map_err(|e| StartError::Other(format!("the object store cannot be opened: {e}"))),
        ObjectKind::S3 => {
            let s3 = &config.objects.s3;
            Ok(S3::new(&S3Settings {
                endpoint: s3.endpoint.clone(),
                region: s3.region.clone(),
                bucket: s3.bucket.clone(),
                access_key: s3.access_key.expose().to_owned(),
                secret_key: s3.secret_key.expose().to_owned(),
            })
            .into())
        }
    }
}
