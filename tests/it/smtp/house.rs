//! An organisation with two mailboxes, and the ports that lead to them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use koltrix_mail::app::{self, Addresses, Running};
use koltrix_mail::config::{Config, Smtp};
use koltrix_mail::store::embedded::Durability;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};

use crate::support::postgres;
use crate::support::server::{configuration, server};
use crate::support::wait;

/// Who is served, and where.
pub struct House {
    pub smtp: SocketAddr,
    pub submission: SocketAddr,
    pub submission_tls: SocketAddr,
    pub domain: String,
    /// An address.
    pub ann: String,
    /// Another one.
    pub bob: String,
    /// Where the certificates of its node lie.
    pub certs: PathBuf,
    schema: String,
    pool: PgPool,
}

impl House {
    /// On the server that all tests share.
    pub async fn start() -> Self {
        Self::at(server().await.at, postgres::folder().join("server/certs")).await
    }

    /// On a node of its own beside that, with these `[limits]`, `[timeouts]` and other settings of
    /// `[smtp]`.
    pub async fn start_with(settings: &str) -> (Self, Running) {
        let folder = postgres::folder().join(format!("node-{}", uuid::Uuid::new_v4().simple()));
        let dns = server().await.dns.addr();
        let config =
            with_settings(configuration(&folder, &postgres::url().await, dns, 25), settings);
        let roles = "smtp".parse().unwrap();
        let node = Box::pin(app::start(config, roles, Durability::None)).await.unwrap();
        (Self::at(node.addresses, folder.join("certs")).await, node)
    }

    /// On the shared server, able to send: mail waits for the DKIM keys of its domain.
    pub async fn with_keys() -> Self {
        let house = Self::start().await;
        wait::for_keys(&house.pool, &house.domain).await;
        house
    }

    /// Waits until a recipient of a submission is in `state`; the enhanced code that put it there.
    pub async fn ended(&self, queue_id: uuid::Uuid, to: &str, state: &str) -> Option<String> {
        let query = "SELECT last_enhanced FROM outbound_messages
             WHERE queue_id = $1 AND recipient = $2 AND state = $3";
        let reached = async || {
            let row = sqlx::query_scalar(query).bind(queue_id).bind(to).bind(state);
            row.fetch_optional(&self.pool).await.unwrap()
        };
        wait::within(Duration::from_secs(30), reached).await.expect(state)
    }

    async fn at(at: Addresses, certs: PathBuf) -> Self {
        let server = server().await;
        let tenant = server.tenant().await;
        Self {
            smtp: at.smtp.unwrap(),
            submission: at.submission_starttls.unwrap(),
            submission_tls: at.submission_tls.unwrap(),
            domain: tenant.domain.clone(),
            ann: tenant.mailbox("ann").await,
            bob: tenant.mailbox("bob").await,
            certs,
            schema: tenant.schema,
            pool: server.pool.clone(),
        }
    }

    /// How many messages `address` has.
    pub async fn messages_of(&self, address: &str) -> usize {
        self.stored(address).await.len()
    }

    /// The one message that `address` has.
    pub async fn only_message_of(&self, address: &str) -> String {
        let stored = self.stored(address).await;
        let [(header, rest)] = &stored[..] else { panic!("{} messages", stored.len()) };
        let rest = zstd::decode_all(&rest[..]).unwrap();
        String::from_utf8([&header[..], &rest].concat()).unwrap()
    }

    /// Keeps anything from being stored here until the transaction ends.
    pub async fn hold_mail(&self) -> Transaction<'static, Postgres> {
        let mut transaction = self.pool.begin().await.unwrap();
        let lock = format!("LOCK TABLE {}.emails IN ACCESS EXCLUSIVE MODE", self.schema);
        sqlx::query(AssertSqlSafe(lock)).execute(&mut *transaction).await.unwrap();
        transaction
    }

    /// Waits until Ann's mailbox can be opened by SCRAM.
    pub async fn has_scram_keys(&self) {
        let query = "SELECT scram_keys IS NOT NULL FROM email_addresses WHERE address = $1";
        let known = async || {
            let known = sqlx::query_scalar(query).bind(&self.ann);
            known.fetch_one(&self.pool).await.unwrap()
        };
        wait::until("SCRAM keys", Duration::from_secs(30), known).await;
    }

    /// Whether a session of the database waits to store something here.
    pub async fn somebody_waits(&self) -> bool {
        let query = "SELECT EXISTS (SELECT 1 FROM pg_locks
             WHERE NOT granted AND relation = format('%I.emails', $1::text)::regclass)";
        sqlx::query_scalar(query).bind(&self.schema).fetch_one(&self.pool).await.unwrap()
    }

    /// Header and compressed rest of each message; nothing here is large enough to be cut out.
    async fn stored(&self, address: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let query = format!(
            "SELECT s.header, s.skeleton FROM {0}.folder_entries x
             JOIN {0}.folders f ON f.id = x.folder_id
             JOIN {0}.email_sources s ON s.id = x.email_id
             JOIN public.email_addresses a ON a.id = f.address_id WHERE a.address = $1",
            self.schema
        );
        sqlx::query_as(AssertSqlSafe(query)).bind(address).fetch_all(&self.pool).await.unwrap()
    }
}

/// The configuration of a test, with what it wants otherwise.
fn with_settings(mut config: Config, settings: &str) -> Arc<Config> {
    let wanted = Config::parse(settings, |_| None).unwrap();
    (config.limits, config.timeouts) = (wanted.limits, wanted.timeouts);
    config.smtp = Smtp { listen: config.smtp.listen, ..wanted.smtp };
    Arc::new(config)
}
