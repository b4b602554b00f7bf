//! Settings: `config.toml` is the manual and the default, and a user's file overrides single keys.
//!
//! Nothing here reads a file or the environment: both are handed in, and the result is passed on
//! as a value.

mod acme;
mod authenticity;
mod dkim;
mod error;
mod limits;
mod listen;
mod merge;
mod metrics;
mod oauth;
mod queue;
mod reports;
mod server;
mod spam;
mod storage;
mod units;
mod values;

use serde::Deserialize;

pub use acme::Acme;
pub use authenticity::Authenticity;
pub use dkim::Dkim;
pub use error::Error;
pub use limits::{Limits, Timeouts};
pub use listen::{Http, Imap, Smtp, Submission};
pub use metrics::Metrics;
pub use oauth::Oauth;
pub use queue::{Dns, Queue, Relay, Tracking};
pub use reports::Reports;
pub use server::{LogFormat, Server};
pub use spam::Spam;
pub use storage::{Database, EmbeddedDatabase, ObjectKind, Objects, S3};
pub use units::{Size, Span};
pub use values::{BaseUrl, Secret, is_host_name};

/// The manual and default, as shipped.
pub const DEFAULTS: &str = include_str!("../../config.toml");

/// Every setting of a node; each field is a table of `config.toml`, which documents its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Names, folders and logs.
    pub server: Server,
    /// PostgreSQL: external, or private and embedded.
    pub database: Database,
    /// The object store.
    pub objects: Objects,
    /// Mail from other servers.
    pub smtp: Smtp,
    /// Mail from account holders.
    pub submission: Submission,
    /// Mail clients.
    pub imap: Imap,
    /// The HTTP edge.
    pub http: Http,
    /// Numbers for whoever watches.
    pub metrics: Metrics,
    /// Certificates that are asked for.
    pub acme: Acme,
    /// Tokens that open mailboxes.
    pub oauth: Oauth,
    /// Bounds on what one peer may ask for.
    pub limits: Limits,
    /// A deadline for each phase of a conversation.
    pub timeouts: Timeouts,
    /// Outgoing mail.
    pub queue: Queue,
    /// The keys of signatures.
    pub dkim: Dkim,
    /// Name resolution.
    pub dns: Dns,
    /// Who mail from outside is really from.
    pub authenticity: Authenticity,
    /// How much mail from outside looks like spam.
    pub spam: Spam,
    /// What domains are told of their mail.
    pub reports: Reports,
    /// Opens and clicks.
    pub tracking: Tracking,
}

impl Config {
    /// Reads a user's file over the defaults, then the environment over both. An empty `user` is the
    /// default configuration; `env` answers with the value of an environment variable.
    pub fn parse(user: &str, env: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut config: Config = merge::over_defaults(DEFAULTS, user)?;
        config.take_environment(env);
        config.check()?;
        Ok(config)
    }

    fn take_environment(&mut self, env: impl Fn(&str) -> Option<String>) {
        let set = |name, to: &mut Secret| {
            if let Some(value) = env(name).filter(|value| !value.is_empty()) {
                *to = Secret::new(value);
            }
        };
        set("KOLTRIX_DATABASE_URL", &mut self.database.url);
        set("KOLTRIX_RELAY_PASSWORD", &mut self.queue.relay.password);
        set("KOLTRIX_RSPAMD_PASSWORD", &mut self.spam.rspamd_password);
        set("KOLTRIX_S3_ACCESS_KEY", &mut self.objects.s3.access_key);
        set("KOLTRIX_S3_SECRET_KEY", &mut self.objects.s3.secret_key);
        if let Some(dir) = env("KOLTRIX_PG_BIN").filter(|dir| !dir.is_empty()) {
            self.database.embedded.bin_dir = dir.into();
        }
    }

    /// What no single key can say about itself.
    fn check(&self) -> Result<(), Error> {
        if self.objects.kind == ObjectKind::S3 {
            let s3 = &self.objects.s3;
            for (key, empty) in [
                ("objects.s3.endpoint", s3.endpoint.is_empty()),
                ("objects.s3.bucket", s3.bucket.is_empty()),
                ("objects.s3.access_key", s3.access_key.is_empty()),
                ("objects.s3.secret_key", s3.secret_key.is_empty()),
            ] {
                if empty {
                    return Err(Error::Needed { key, because: "objects.kind is \"s3\"" });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_defaults_stand_on_their_own() {
        let config = Config::parse("", none).unwrap();
        assert_eq!(config.smtp.listen.port(), 2525);
        assert_eq!(config.limits.message_size.bytes(), 50 * 1024 * 1024);
        assert_eq!(config.objects.kind, ObjectKind::Dir);
        assert!(config.database.url.is_empty());
        assert!(!config.tracking.enabled);
    }

    #[test]
    fn a_user_file_overrides_single_keys_deep_down() {
        let user =
            "[objects.s3]\nbucket = \"mail\"\n[limits]\nrecipients = 5\n[queue]\nretry = [\"2s\"]";
        let config = Config::parse(user, none).unwrap();
        assert_eq!(config.objects.s3.bucket, "mail");
        assert_eq!(config.objects.s3.region, "us-east-1");
        assert_eq!(config.limits.recipients.get(), 5);
        assert_eq!(config.limits.errors.get(), 20);
        assert_eq!(config.queue.retry.len(), 1);
    }

    #[test]
    fn the_environment_wins_and_secrets_stay_out_of_debug_output() {
        let env = |name: &str| match name {
            "KOLTRIX_DATABASE_URL" => Some("postgres://u:hunter2@db/x".to_owned()),
            "KOLTRIX_PG_BIN" => Some("/opt/pg/bin".to_owned()),
            "KOLTRIX_S3_SECRET_KEY" => Some(String::new()),
            _ => None,
        };
        let config = Config::parse("[objects.s3]\nsecret_key = \"s3cr3t\"", env).unwrap();
        assert_eq!(config.database.url.expose(), "postgres://u:hunter2@db/x");
        assert_eq!(config.database.embedded.bin_dir, std::path::Path::new("/opt/pg/bin"));
        assert_eq!(config.objects.s3.secret_key.expose(), "s3cr3t");
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("s3cr3t"), "{shown}");
    }

    #[test]
    fn s3_needs_its_keys() {
        let error = Config::parse("objects.kind = \"s3\"", none).unwrap_err();
        assert_eq!(
            error.to_string(),
            "objects.s3.endpoint must be set, because objects.kind is \"s3\""
        );
    }
}
