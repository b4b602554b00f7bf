//! What the conversations ask, built once from the settings.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::Notify;

use crate::app::StartError;
use crate::config::Config;
use crate::http::{Edge, Home, router};
use crate::imap;
use crate::mail::authenticity::Authenticity;
use crate::mail::body::Bodies;
use crate::mail::changes::Changes;
use crate::mail::deliver::route::Routes;
use crate::mail::directory::Postmaster;
use crate::mail::discovery::Discovery;
use crate::mail::domains::{Domains, Site};
use crate::mail::gate::Gate;
use crate::mail::health::Health;
use crate::mail::ingest::{self, Ingest};
use crate::mail::judge::Judge;
use crate::mail::keys::Keys;
use crate::mail::login::{Issuer, Login};
use crate::mail::mailbox::Mailboxes;
use crate::mail::metrics::Metrics;
use crate::mail::opt_in::OptIns;
use crate::mail::recipients::Recipients;
use crate::mail::reporting::{Daily, Post, Tally};
use crate::mail::search_index::SearchIndex;
use crate::mail::spam::Spamminess;
use crate::mail::spam::lessons::Lessons;
use crate::mail::submit::Submit;
use crate::mail::tracking::{HitWriter, Tracking};
use crate::mail::unsubscribe::Unsubscribe;
use crate::net::acme::Challenges;
use crate::net::dns::Resolver;
use crate::net::hostname::hostname;
use crate::net::rate::Rate;
use crate::net::tls::ServerTls;
use crate::smtp;
use crate::store::db::Db;
use crate::store::master_key::MasterKey;
use crate::store::objects::Objects;
use crate::wire::srs::Srs;
use crate::wire::verp::Verp;

/// Everything that is shared by listeners and background work.
pub(super) struct Services {
    pub(super) hostname: String,
    pub(super) db: Db,
    pub(super) tls: ServerTls,
    pub(super) challenges: Challenges,
    pub(super) changes: Changes,
    pub(super) login: Login,
    pub(super) recipients: Recipients,
    pub(super) postmaster: Postmaster,
    /// How often one client may say MAIL, on all listeners together.
    pub(super) messages: Rate,
    pub(super) ingest: Ingest,
    pub(super) mailboxes: Mailboxes,
    pub(super) bodies: Bodies,
    pub(super) submit: Submit,
    pub(super) tracking: Tracking,
    pub(super) opt_ins: OptIns,
    pub(super) discovery: Discovery,
    pub(super) health: Health,
    pub(super) objects: Objects,
    pub(super) keys: Keys,
    pub(super) lessons: Lessons,
    pub(super) search_index: SearchIndex,
    pub(super) gate: Gate,
    pub(super) routes: Routes,
    /// What reports will tell.
    pub(super) tally: Tally,
    pub(super) authenticity: Authenticity,
    pub(super) metrics: Metrics,
    /// Wakes the queue of this node.
    pub(super) queue_wake: Arc<Notify>,
}

/// Octets of messages that may be in memory at once.
const MESSAGE_MEMORY: usize = 512 * 1024 * 1024;

/// Who knows whom mail from outside is really from.
fn authenticity(
    config: &Config,
    hostname: &str,
    tally: &Tally,
) -> Result<Authenticity, StartError> {
    let other = |error: &dyn std::fmt::Display| StartError::Other(error.to_string());
    let resolver = Resolver::new(&config.dns).map_err(|e| other(&e))?;
    let sealers = config.authenticity.trusted_arc_sealers.clone();
    Authenticity::new(&resolver, hostname, sealers, tally.clone()).map_err(|e| other(&e))
}

/// How mail is taken in.
fn ingest_settings(config: &Config, hostname: &str, judge: Judge) -> ingest::Settings {
    ingest::Settings {
        hostname: hostname.to_owned(),
        spool: config.server.data_dir.join("spool"),
        cut_from: usize::try_from(config.objects.attachment_size.bytes()).unwrap_or(usize::MAX),
        memory: MESSAGE_MEMORY,
        judge,
    }
}

/// Who may log in, and how.
fn login(config: &Config, db: &Db, master: &MasterKey) -> Result<Login, StartError> {
    let issuer = Issuer::new(&config.oauth)
        .map_err(|error| StartError::Other(format!("[oauth]: {error}")))?;
    let login = Login::new(db.clone()).map_err(|error| StartError::Other(error.to_string()))?;
    let login = login.salting_with(master.bytes()).offering_scram(config.submission.scram);
    Ok(login.believing(issuer))
}

impl Services {
    /// Builds them; the writer of hits has to run beside.
    pub(super) fn build(config: &Config, db: Db) -> Result<(Self, HitWriter), StartError> {
        let other = |error: &dyn std::fmt::Display| StartError::Other(error.to_string());
        let hostname = hostname(&config.server.hostname);
        let objects = Objects::open(&config.objects, &config.server.data_dir)
            .map_err(|e| StartError::Other(format!("the object store cannot be opened: {e}")))?;
        let changes = Changes::default();
        let spam = Spamminess::new(db.clone(), &config.spam)
            .map_err(|e| StartError::Other(format!("[spam]: {e}")))?;
        let lessons = Lessons::new(spam.clone());
        let tally = Tally::new(config.reports.from.is_some());
        let authenticity = authenticity(config, &hostname, &tally)?;
        let judge = Judge::new(authenticity.clone(), spam.clone());
        let settings = ingest_settings(config, &hostname, judge);
        let environment = std::env::var("KOLTRIX_MASTER_KEY").ok();
        let master = MasterKey::load(&config.server.data_dir, environment.as_deref())?;
        let (srs, verp) = (Srs::new(master.bytes()), Verp::new(master.bytes()));
        let recipients = Recipients::new(db.clone(), Arc::new(srs), Arc::new(verp));
        let queue_wake = Arc::new(Notify::new());
        let stores = (db.clone(), objects.clone());
        let search_index = SearchIndex::default();
        let wakes = (changes.clone(), Arc::clone(&queue_wake), search_index.clone());
        let ingest = Ingest::new(stores, recipients.clone(), wakes, settings);
        let bodies = Bodies::new(db.clone(), objects.clone());
        let submit = Submit::new(
            db.clone(),
            recipients.clone(),
            ingest.clone(),
            bodies.clone(),
            &hostname,
            Arc::clone(&queue_wake),
        )
        .naming_clients(config.submission.received_client);
        let resolver = Resolver::new(&config.dns).map_err(|e| other(&e))?;
        let (tracking, hits) = Tracking::new(db.clone()).map_err(|e| other(&e))?;
        let services = Self {
            challenges: Challenges::default(),
            tls: ServerTls::open(config.server.certs_dir.clone(), &hostname)?,
            login: login(config, &db, &master)?,
            mailboxes: Mailboxes::new(
                db.clone(),
                changes.clone(),
                lessons.clone(),
                u64::from(config.imap.cache_mib) << 20,
            ),
            lessons,
            search_index,
            gate: Gate::new(db.clone(), resolver.clone()),
            routes: Routes::new(db.clone(), recipients.clone(), &master, &config.queue.relay)
                .map_err(|e| other(&e))?,
            bodies,
            opt_ins: OptIns::new(db.clone(), config.http.public_url.as_str()),
            discovery: Discovery::new(db.clone(), resolver, Site::new(config)),
            health: Health::new(db.clone(), objects.clone()),
            objects,
            keys: Keys::new(db.clone(), &master).map_err(|e| other(&e))?,
            postmaster: Postmaster::new(
                db.clone(),
                recipients.clone(),
                config.smtp.postmaster.as_ref(),
                &hostname,
            ),
            messages: Rate::new(
                Duration::from_hours(1),
                config.limits.messages_per_hour,
                config.limits.messages_per_hour_network,
            ),
            recipients,
            ingest,
            submit,
            tracking,
            queue_wake,
            tally,
            metrics: Metrics::default(),
            authenticity,
            hostname,
            db,
            changes,
        };
        Ok((services, hits))
    }

    /// Who tells domains of their mail, where that is wanted.
    pub(super) fn daily_reports(&self, config: &Config) -> Result<Option<Daily>, StartError> {
        let stores = (self.db.clone(), self.ingest.clone(), Arc::clone(&self.queue_wake));
        let Some(post) = Post::new(&config.reports, &self.hostname, stores) else {
            return Ok(None);
        };
        let resolver = Resolver::new(&config.dns);
        let resolver = resolver.map_err(|error| StartError::Other(error.to_string()))?;
        let (db, authenticity) = (self.db.clone(), self.authenticity.clone());
        Ok(Some(Daily { db, authenticity, resolver, post }))
    }

    /// Who sees to the keys of domains.
    pub(super) fn domains(&self, config: &Config) -> Result<Domains, StartError> {
        let resolver = Resolver::new(&config.dns);
        let resolver = resolver.map_err(|error| StartError::Other(error.to_string()))?;
        Ok(Domains::new(self.db.clone(), resolver, Site::new(config)))
    }

    /// An SMTP server of one kind.
    pub(super) fn smtp(&self, config: &Config, kind: smtp::Kind) -> Arc<smtp::Server> {
        Arc::new(smtp::Server {
            kind,
            hostname: self.hostname.clone(),
            limits: config.limits.clone(),
            timeouts: config.timeouts.clone(),
            services: smtp::Services {
                recipients: self.recipients.clone(),
                postmaster: self.postmaster.clone(),
                gate: self.gate.clone(),
                login: self.login.clone(),
                ingest: self.ingest.clone(),
                submit: self.submit.clone(),
                metrics: self.metrics.clone(),
            },
            tls: self.tls.clone(),
            messages: self.messages.clone(),
            hold_at_most: match kind {
                smtp::Kind::Ingress => Duration::ZERO,
                smtp::Kind::Submission => config.submission.hold_at_most.duration(),
            },
            xclient: match kind {
                smtp::Kind::Ingress => config.smtp.xclient.clone(),
                smtp::Kind::Submission => Vec::new(),
            },
        })
    }

    /// The IMAP server.
    pub(super) fn imap(&self, config: &Config) -> Arc<imap::Server> {
        let services = imap::Services {
            login: self.login.clone(),
            mailboxes: self.mailboxes.clone(),
            bodies: self.bodies.clone(),
            ingest: self.ingest.clone(),
        };
        let (limits, timeouts) = (config.limits.clone(), config.timeouts.clone());
        Arc::new(imap::Server::new(limits, timeouts, services, self.tls.clone()))
    }

    /// The HTTP edge.
    pub(super) fn edge(&self, config: &Config, home: Arc<Home>) -> Router {
        router(Edge {
            tracking: self.tracking.clone(),
            unsubscribe: Unsubscribe::new(self.db.clone()),
            opt_ins: self.opt_ins.clone(),
            discovery: self.discovery.clone(),
            health: self.health.clone(),
            home,
            challenges: self.challenges.clone(),
            trusted_proxies: config.http.trusted_proxies.clone().into(),
        })
    }
}
