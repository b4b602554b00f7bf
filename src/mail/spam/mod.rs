//! How much a message looks like spam: rspamd's score where one is configured, else the small one
//! of [`signs`]; on top of either what this organisation's readers said about the sender.

pub mod lessons;
mod rspamd;
pub mod signs;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;

use crate::config;
use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::{QueueId, TenantId};
use crate::domain::verdict::{Disposition, Outcome, Policy, Spam, Symbol, Verdict};
use crate::mail::client::Client;
use crate::mail::{Error, Reason};
use crate::net::http_client::{HttpError, HttpService};
use crate::store::db::Db;
use crate::wire::mime::field;

use rspamd::{Action, Rspamd, Subject};
use signs::Standing;

/// Messages from here on are not sent to rspamd: spam is small.
const MAX_SCANNED: usize = 20 * 1024 * 1024;
/// Organisations of which it is remembered whether their readers ever said anything.
const TENANTS: u64 = 10_000;
/// And for how long.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Scores messages. Cheap to clone.
#[derive(Clone)]
pub struct Spamminess(Arc<Inner>);

struct Inner {
    db: Db,
    rspamd: Option<Rspamd>,
    junk: f32,
    refuse: f32,
    /// Whether any reader of an organisation ever said anything about a sender.
    taught: Cache<TenantId, bool>,
}

/// A message to score.
pub struct Suspect<'a> {
    /// Its id in our log and rspamd's.
    pub queue_id: QueueId,
    /// Who brings it.
    pub client: &'a Client,
    /// What MAIL said.
    pub mail_from: &'a MailFrom,
    /// Whom it is for.
    pub recipients: Vec<&'a Recipient>,
    /// The message.
    pub content: &'a Bytes,
}

impl Spamminess {
    /// As the settings say.
    ///
    /// # Errors
    /// [`HttpError::Address`] when an address of rspamd is none.
    pub fn new(db: Db, settings: &config::Spam) -> Result<Self, HttpError> {
        let service = |url: &str| HttpService::new(url, settings.rspamd_timeout.duration());
        let at = |url: &str| (!url.is_empty()).then(|| service(url)).transpose();
        let controller = at(&settings.rspamd_controller_url)?;
        let password = settings.rspamd_password.expose().to_owned();
        let rspamd = at(&settings.rspamd_url)?;
        Ok(Self(Arc::new(Inner {
            db,
            rspamd: rspamd.map(|scan| Rspamd { scan, controller, password }),
            junk: settings.junk_score,
            refuse: settings.refuse_score,
            taught: Cache::builder().max_capacity(TENANTS).time_to_live(REMEMBERED).build(),
        })))
    }

    /// Adds the score to the verdict, once for all who get the message. Where rspamd does not
    /// answer, the small score stands in.
    ///
    /// # Errors
    /// [`Reason::Spam`] where rspamd is sure.
    pub async fn score(&self, verdict: &mut Verdict, suspect: Suspect<'_>) -> Result<(), Error> {
        if let Some((spam, action)) = self.ask(&suspect).await {
            if action == Action::Refuse || spam.score >= self.0.refuse {
                tracing::info!(queue_id = %suspect.queue_id, score = spam.score, "spam refused");
                return Err(Reason::Spam.into());
            }
            if action == Action::Junk {
                verdict.disposition = Disposition::Junk;
            }
            verdict.spam = spam;
        } else {
            let symbols = signs::of_message(suspect.content, verdict);
            let score = symbols.iter().map(|symbol| symbol.score).sum();
            verdict.spam = Spam { source: "builtin".to_owned(), score, symbols };
        }
        self.put_aside(verdict);
        Ok(())
    }

    async fn ask(&self, suspect: &Suspect<'_>) -> Option<(Spam, Action)> {
        let rspamd = self.0.rspamd.as_ref()?;
        if suspect.content.len() > MAX_SCANNED {
            return None;
        }
        let subject = Subject {
            queue_id: suspect.queue_id,
            client: suspect.client,
            mail_from: suspect.mail_from,
            recipients: suspect.recipients.clone(),
            content: suspect.content.clone(),
        };
        match rspamd.check(subject).await {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::warn!(queue_id = %suspect.queue_id, %error, "rspamd did not answer");
                None
            }
        }
    }

    fn put_aside(&self, verdict: &mut Verdict) {
        if verdict.spam.score >= self.0.junk {
            verdict.disposition = Disposition::Junk;
        }
    }

    /// The verdict for one organisation, with what its readers said about `sender`: the database is
    /// asked only where they ever said anything, or where it could save the message from Junk.
    pub async fn for_tenant(&self, tenant: TenantId, sender: &str, verdict: &Verdict) -> Verdict {
        let mut verdict = verdict.clone();
        let at_stake = verdict.spam.score >= self.0.junk;
        if sender.is_empty() || !(at_stake || self.is_taught(tenant).await) {
            return verdict;
        }
        let standing = match self.0.db.tenant(tenant).sender_standing(sender).await {
            Ok(standing) => standing,
            Err(error) => {
                tracing::warn!(%tenant, %error, "a sender's standing is not known");
                return verdict;
            }
        };
        let standing =
            Standing { junked: standing.junked, wanted: standing.wanted, known: standing.known };
        self.weigh(standing, &mut verdict);
        verdict
    }

    fn weigh(&self, standing: Standing, verdict: &mut Verdict) {
        let symbols = signs::of_sender(standing, verdict);
        if symbols.is_empty() {
            return;
        }
        verdict.spam.score += symbols.iter().map(|symbol| symbol.score).sum::<f32>();
        verdict.spam.symbols.extend(symbols);
        // Readers outvote the score; they do not outvote the owner of the From domain.
        let by_policy = verdict.dmarc.result == Outcome::Fail
            && verdict.dmarc.policy == Policy::Quarantine
            && verdict.dmarc.overridden_by.is_none();
        if verdict.spam.score < self.0.junk && !by_policy {
            verdict.disposition = Disposition::Keep;
        }
        self.put_aside(verdict);
    }

    async fn is_taught(&self, tenant: TenantId) -> bool {
        if let Some(taught) = self.0.taught.get(&tenant) {
            return taught;
        }
        match self.0.db.tenant(tenant).has_standings().await {
            Ok(taught) => {
                self.0.taught.insert(tenant, taught);
                taught
            }
            Err(_) => false,
        }
    }

    /// Takes in that a reader of `tenant` said something.
    pub fn taught(&self, tenant: TenantId) {
        self.0.taught.insert(tenant, true);
    }

    /// Whether there is somebody to teach.
    pub fn learns(&self) -> bool {
        self.0.rspamd.as_ref().is_some_and(|rspamd| rspamd.controller.is_some())
    }

    /// Teaches rspamd.
    ///
    /// # Errors
    /// [`Error::Temporary`] when it does not take it.
    pub async fn learn(&self, spam: bool, content: Bytes) -> Result<(), Error> {
        let Some(rspamd) = &self.0.rspamd else { return Ok(()) };
        rspamd.learn(spam, content).await.map_err(|e| Error::Temporary(format!("rspamd: {e}")))
    }

    /// `X-Spam-Status`, in front with the trace fields.
    pub fn field(&self, verdict: &Verdict) -> String {
        write_field(verdict, self.0.junk)
    }
}

fn write_field(verdict: &Verdict, junk: f32) -> String {
    let spam = &verdict.spam;
    let word = if verdict.disposition == Disposition::Junk { "Yes" } else { "No" };
    let symbols: Vec<String> = spam.symbols.iter().map(shown).collect();
    let value = format!(
        "{word}, score={:.1} required={junk:.1} by={} tests={}",
        spam.score,
        spam.source,
        symbols.join(", ")
    );
    // What somebody else named can keep the field from being written, and nothing else.
    field("X-Spam-Status", &value).unwrap_or_default()
}

fn shown(symbol: &Symbol) -> String {
    let name: String =
        symbol.name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
    format!("{name}({:.1})", symbol.score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_shows_the_score_and_what_it_is_made_of() {
        let symbols = vec![
            Symbol { name: "SPF_FAIL".into(), score: 2.0 },
            Symbol { name: "X\r\nBcc: y".into(), score: 4.25 },
        ];
        let spam = Spam { source: "builtin".into(), score: 6.25, symbols };
        let verdict = Verdict { spam, disposition: Disposition::Junk, ..Verdict::default() };
        assert_eq!(
            write_field(&verdict, 6.0),
            "X-Spam-Status: Yes, score=6.2 required=6.0 by=builtin tests=SPF_FAIL(2.0),\r\n\
             \x20XBccy(4.2)\r\n"
        );
    }
}
