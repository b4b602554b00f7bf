//! What is found out about a message before it is stored: who it is from, then how much it looks
//! like spam. Once, whoever it is for; what readers said before is added for each organisation.

use bytes::Bytes;

use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::{QueueId, TenantId};
use crate::domain::verdict::Verdict;
use crate::mail::authenticity::Authenticity;
use crate::mail::client::Client;
use crate::mail::recipients::Local;
use crate::mail::spam::{Spamminess, Suspect};
use crate::mail::{Error, Reason};
use crate::wire::mime::headers::{block_len, fields, find};
use crate::wire::mime::parse;

/// The fields that hold body hashes.
const SIGNATURES: [&str; 2] = ["DKIM-Signature", "ARC-Message-Signature"];
/// Signed messages from here on are hashed on a blocking thread.
const HEAVY: usize = 256 * 1024;
/// A header over this size is not written anew.
const MAX_HEADER: usize = 256 * 1024;

/// Judges what comes from outside. Cheap to clone.
#[derive(Clone)]
pub struct Judge {
    authenticity: Authenticity,
    spam: Spamminess,
}

/// A message at the door.
pub struct Case<'a> {
    /// Its id.
    pub queue_id: QueueId,
    /// What MAIL said.
    pub mail_from: &'a MailFrom,
    /// Whom it is for.
    pub recipients: &'a [(Recipient, Local)],
    /// Who brings it.
    pub client: &'a Client,
    /// The message.
    pub content: &'a Bytes,
}

/// A message that may come in.
pub struct Judged {
    /// What was found out, where somebody had to be judged.
    found: Option<Found>,
    /// The header, where somebody wrote in our name in it and that was taken out; else empty.
    pub header: Vec<u8>,
    /// What follows that: else the whole message.
    pub rest: Bytes,
}

struct Found {
    verdict: Verdict,
    /// Our Authentication-Results.
    results: String,
    /// The address in From, lower case; empty where there is none.
    sender: String,
}

impl Judge {
    /// With these to ask.
    pub fn new(authenticity: Authenticity, spam: Spamminess) -> Self {
        Self { authenticity, spam }
    }

    /// Looks at a message. Who has logged in is known, and not judged.
    ///
    /// # Errors
    /// As [`Authenticity::judge`] and [`Spamminess::score`]; [`Reason::TooBig`] for a huge header
    /// in which somebody wrote in our name.
    pub async fn judge(&self, case: Case<'_>) -> Result<Judged, Error> {
        let content = case.content;
        if case.client.login.is_some() {
            return Ok(Judged { found: None, header: Vec::new(), rest: content.clone() });
        }
        let (header, _) = content.split_at(block_len(content));
        let forged = self.authenticity.has_forged(header);
        if forged && header.len() > MAX_HEADER {
            return Err(Reason::TooBig.into());
        }
        let mut verdict = self.authentic(&case).await?;
        let results = self.authenticity.field(&verdict, case.client, case.mail_from);
        let suspect = Suspect {
            queue_id: case.queue_id,
            client: case.client,
            mail_from: case.mail_from,
            recipients: case.recipients.iter().map(|(recipient, _)| recipient).collect(),
            content,
        };
        Box::pin(self.spam.score(&mut verdict, suspect)).await?;
        let found = Some(Found { verdict, results, sender: sender(header) });
        if forged {
            let rest = content.slice(header.len()..);
            return Ok(Judged { found, header: self.authenticity.without_forged(header), rest });
        }
        Ok(Judged { found, header: Vec::new(), rest: content.clone() })
    }

    async fn authentic(&self, case: &Case<'_>) -> Result<Verdict, Error> {
        if case.content.len() < HEAVY || !is_signed(case.content) {
            // Boxed: whoever waits for a message should not hold room for all of this.
            let work = self.authenticity.judge(case.content, case.client, case.mail_from);
            return Box::pin(work).await;
        }
        let (this, content) = (self.authenticity.clone(), case.content.clone());
        let (client, mail_from) = (case.client.clone(), case.mail_from.clone());
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            runtime.block_on(this.judge(&content, &client, &mail_from))
        })
        .await
        .unwrap_or_else(|e| Err(Error::Internal(format!("judge task: {e}"))))
    }

    /// The verdict for one organisation, and the header fields that tell of it, to stand among the
    /// trace fields. Neither where nobody had to be judged.
    pub async fn for_tenant(&self, tenant: TenantId, judged: &Judged) -> (Verdict, String) {
        let Some(found) = &judged.found else { return (Verdict::default(), String::new()) };
        let verdict = self.spam.for_tenant(tenant, &found.sender, &found.verdict).await;
        let fields = found.results.clone() + &self.spam.field(&verdict);
        (verdict, fields)
    }
}

/// Whether there is a body hash to compare, by DKIM or ARC.
fn is_signed(content: &[u8]) -> bool {
    let mut names = fields(content).map(|field| field.name);
    names.any(|name| SIGNATURES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())))
}

/// The first address in From, lower case.
fn sender(header: &[u8]) -> String {
    let Some(from) = find(header, "From") else { return String::new() };
    let alone = [b"From: ".as_slice(), &from.text(), b"\r\n\r\n"].concat();
    parse(&alone).from.first().map(|mailbox| mailbox.address.to_lowercase()).unwrap_or_default()
}
