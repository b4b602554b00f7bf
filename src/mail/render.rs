//! A stored message as one recipient gets it: tracked where that is wanted,
//! with its fields where it is bulk, then signed. The same row gives the same octets every time.

use std::borrow::Cow;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::ids::EmailId;
use crate::domain::outcome::Outcome;
use crate::domain::queue::{Class, Source};
use crate::mail::body::Bodies;
use crate::mail::keys::Keys;
use crate::mail::tracking::instrument::Wanted;
use crate::mail::{Error, arc, bulk, dkim, outcome};
use crate::store::db::Db;
use crate::store::outbound::Leased;
use crate::wire::mime::headers::find_all;
use crate::wire::mime::{encode_binary, remove_fields};
use crate::wire::smtp::stuff;

/// Renders. Cheap to clone.
#[derive(Clone)]
pub struct Render {
    db: Db,
    bodies: Bodies,
    keys: Keys,
    /// Begin of tracking URLs where the domain has none of its own.
    public_url: Arc<str>,
    /// Our name in Authentication-Results.
    us: Arc<str>,
    memory: Arc<Semaphore>,
}

/// A message ready to go.
pub struct Rendered {
    /// Its octets.
    pub content: Vec<u8>,
    /// Its part of the memory for messages on their way out.
    _memory: OwnedSemaphorePermit,
}

/// Octets of messages on their way out that may be in memory at once.
const MEMORY: usize = 256 * 1024 * 1024;
const PAGE: usize = 4096;
/// Why a message is refused whose author's domain is not proven.
pub(in crate::mail) const NOT_VERIFIED: &str =
    "the sender's domain is not verified: publish its DNS records and check them";
/// How long what is forwarded waits for the keys of a domain that is proven; then it leaves unsealed.
const KEYS_COME: time::Duration = time::Duration::minutes(15);
/// Messages from here on are signed on a blocking thread.
const HEAVY: usize = 256 * 1024;

impl Render {
    /// Over the stores; tracking URLs begin with `public_url`.
    pub fn new(db: Db, bodies: Bodies, keys: Keys, public_url: &str, us: &str) -> Self {
        let memory = Arc::new(Semaphore::new(MEMORY / PAGE));
        Self { db, bodies, keys, public_url: public_url.into(), us: us.into(), memory }
    }

    /// Renders `email` for `row`.
    ///
    /// # Errors
    /// What becomes of the row: failed when the sender may not send it or the
    /// content is gone, else deferred.
    pub async fn render(&self, row: &Leased, email: EmailId) -> Result<Rendered, Outcome> {
        let host = sending_domain(row)?;
        let (raw, memory) = self.read(row, email).await?;
        let raw = as_lines(raw)?;
        let content = match row.source {
            Source::Forward => self.pass_on(row, &raw).await,
            _ => match self.own_copy(row, raw, host).await {
                Ok(raw) => self.sign(row, raw).await,
                Err(error) => Err(error),
            },
        };
        let content = content.map_err(|error| trouble(row, &error))?;
        Ok(Rendered { content, _memory: memory })
    }

    async fn read(
        &self,
        row: &Leased,
        email: EmailId,
    ) -> Result<(Vec<u8>, OwnedSemaphorePermit), Outcome> {
        if let Some(raw) = self.bodies.fresh(row.tenant, email) {
            let memory = self.reserve(raw.len()).await?;
            return Ok((raw.to_vec(), memory));
        }
        let body = match self.bodies.load(row.tenant, email).await {
            Ok(body) => body,
            Err(Error::NotFound(_)) => return Err(failed((5, 6, 0), "the content is gone")),
            Err(error) => return Err(trouble(row, &error)),
        };
        let memory = self.reserve(body.len()).await?;
        let raw = body.all().await.map_err(|error| trouble(row, &error))?;
        Ok((raw, memory))
    }

    /// Waits until a message of `size` octets may be in memory, as it was and
    /// as it goes.
    async fn reserve(&self, size: usize) -> Result<OwnedSemaphorePermit, Outcome> {
        let pages = (size.saturating_mul(3) / PAGE + 1).min(MEMORY / PAGE);
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        let memory = Arc::clone(&self.memory);
        memory.acquire_many_owned(pages).await.map_err(|_| deferred("stopping"))
    }

    /// What differs from one recipient to the next.
    async fn own_copy(
        &self,
        row: &Leased,
        raw: Vec<u8>,
        host: Option<String>,
    ) -> Result<Vec<u8>, Error> {
        let base = host.map_or_else(|| self.public_url.to_string(), |h| format!("https://{h}"));
        let Leased { tenant, id, track_opens, track_clicks, .. } = *row;
        let (opens, clicks) = (track_opens, track_clicks);
        let wanted = Wanted { tenant, outbound: id, opens, clicks, base: &base };
        let raw = match wanted.instrument(&self.db, &raw).await? {
            Cow::Owned(tracked) => tracked,
            Cow::Borrowed(_) => raw,
        };
        if row.class == Class::Bulk { bulk::mark(&self.db, row, raw, &base).await } else { Ok(raw) }
    }

    /// What is forwarded goes as it came: unsigned, since its author is not
    /// ours, with a seal of the domain that forwards, and without the
    /// Return-Path of a delivery that was not the last (RFC 5321 §4.4). The
    /// mailbox that forwards is named, so that a loop is known by it.
    async fn pass_on(&self, row: &Leased, raw: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(raw.len() + 2048);
        let raw = remove_fields(raw, |name, _| name.eq_ignore_ascii_case(b"Return-Path"));
        if let Some((_, domain)) = row.reverse_path.rsplit_once('@') {
            let signers = self.keys.signers(row.tenant, domain).await?;
            if let Some(signer) = signers.iter().find(|signer| signer.is_rsa()) {
                let at = row.queued_at.unix_timestamp();
                out.extend(arc::seal(&raw, signer, &self.us, at)?.unwrap_or_default().bytes());
            } else if OffsetDateTime::now_utc() - row.queued_at < KEYS_COME
                && self.db.domain_is_proven(domain).await?
            {
                return Err(Error::Temporary("the domain has no keys to seal with yet".to_owned()));
            }
        }
        let mailbox = row.orcpt.as_deref().and_then(|orcpt| orcpt.strip_prefix("rfc822;"));
        if let Some(mailbox) = mailbox.filter(|mailbox| !names(&raw, mailbox)) {
            out.extend(format!("Delivered-To: {mailbox}\r\n").bytes());
        }
        out.extend_from_slice(&raw);
        Ok(out)
    }

    /// Puts the signatures of the author's domain in front. Their time is the
    /// row's, so that another attempt sends the same.
    async fn sign(&self, row: &Leased, raw: Vec<u8>) -> Result<Vec<u8>, Error> {
        let signers = self.keys.signers(row.tenant, author_domain(row)).await?;
        if signers.is_empty() {
            return match row.source {
                Source::Bounce => Ok(raw),
                _ => Err(Error::Temporary("the domain has no DKIM keys yet".to_owned())),
            };
        }
        let at = row.queued_at.unix_timestamp();
        let small = raw.len() < HEAVY;
        let sign = move || {
            let mut signed = dkim::sign(&raw, &signers, at)?;
            signed.extend_from_slice(&raw);
            Ok(signed)
        };
        if small {
            return sign();
        }
        tokio::task::spawn_blocking(sign)
            .await
            .map_err(|error| Error::Internal(format!("signing task: {error}")))?
    }
}

/// The tracking host of the author's domain, which must be proven. Reports are ours, and what is
/// forwarded has an author elsewhere.
fn sending_domain(row: &Leased) -> Result<Option<String>, Outcome> {
    match &row.author {
        _ if matches!(row.source, Source::Bounce | Source::Forward) => Ok(None),
        Some(author) => Ok(author.tracking_host.clone()),
        None => Err(failed((5, 7, 1), NOT_VERIFIED)),
    }
}

/// As every server takes it: what came by BINARYMIME (RFC 3030 §3) is encoded anew, since we send
/// by DATA alone.
fn as_lines(raw: Vec<u8>) -> Result<Vec<u8>, Outcome> {
    if stuff::is_canonical(&raw) {
        return Ok(raw);
    }
    match encode_binary(&raw) {
        Some(encoded) => Ok(stuff::canonical(&encoded).into_owned()),
        None => Err(failed((5, 6, 3), "the message is binary and cannot be converted")),
    }
}

/// Whether a Delivered-To names this mailbox.
fn names(raw: &[u8], mailbox: &str) -> bool {
    find_all(raw, "Delivered-To").any(|f| f.text().eq_ignore_ascii_case(mailbox.as_bytes()))
}

/// The domain that has to sign.
pub(in crate::mail) fn author_domain(row: &Leased) -> &str {
    row.from_address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn failed(status: (u8, u16, u16), why: &str) -> Outcome {
    Outcome::Failed(outcome::refused(status, why))
}

fn deferred(why: &str) -> Outcome {
    Outcome::Deferred(outcome::our_trouble(why))
}

/// What an error makes of a row. Its text goes to the log, not to the sender.
pub(in crate::mail) fn trouble(row: &Leased, error: &Error) -> Outcome {
    match error {
        Error::Rejected(reason) if reason.status().0 == 5 => {
            Outcome::Failed(outcome::refused(reason.status(), reason.text()))
        }
        Error::Rejected(reason) => {
            Outcome::Deferred(outcome::not_now(reason.status(), reason.text()))
        }
        Error::Refused(text) => Outcome::Failed(outcome::refused((5, 7, 1), text)),
        Error::OverQuota => Outcome::Deferred(outcome::not_now((4, 2, 2), "the mailbox is full")),
        error => {
            tracing::warn!(id = %row.id, %error, "a message cannot be sent now");
            Outcome::Deferred(outcome::our_trouble("something of ours does not work; see the log"))
        }
    }
}
