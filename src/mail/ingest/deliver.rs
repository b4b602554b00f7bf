//! Messages from our own queue to mailboxes here.

use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::ids::QueueId;
use crate::domain::verdict::Verdict;
use crate::mail::ingest::{Ingest, Origin, check, check_loop, delivery_key, trace};
use crate::mail::recipients::Local;
use crate::mail::{Error, Reason};

/// A message for one recipient here.
pub struct Delivery<'a> {
    /// The send that it is part of.
    pub queue_id: QueueId,
    /// Empty for the null reverse-path.
    pub reverse_path: &'a str,
    /// To whom.
    pub recipient: &'a Address,
    /// And whose mailboxes that is.
    pub local: &'a Local,
    /// The message as it goes to this recipient.
    pub content: &'a [u8],
    /// It required TLS (RFC 8689).
    pub require_tls: bool,
}

impl Ingest {
    /// Stores a message of our own queue, once for each (queue id, recipient)
    /// however often it is tried.
    ///
    /// # Errors
    /// As [`Ingest::accept`].
    pub async fn deliver(&self, delivery: Delivery<'_>) -> Result<(), Error> {
        let Delivery { queue_id, reverse_path, recipient, local, content, require_tls } = delivery;
        let _memory = self.reserve(content.len() as u64).await?;
        if local.returns.is_some() && !reverse_path.is_empty() {
            return Err(Reason::NoReport.into());
        }
        check(content)?;
        check_loop(content, recipient)?;
        let mut raw = format!(
            "Return-Path: <{reverse_path}>\r\nDelivered-To: {recipient}\r\n\
             Received: by {} id {queue_id}\r\n\tfor <{recipient}>; {}\r\n",
            self.hostname,
            trace::date(OffsetDateTime::now_utc()),
        )
        .into_bytes();
        raw.extend_from_slice(content);
        let origin = Origin {
            source: "system",
            queue_id: Some(queue_id),
            reverse_path: Some(reverse_path.to_owned()),
            dedup_key: Some(delivery_key(queue_id, recipient)),
            internal_date: None,
        };
        let recipients = [(recipient, local)];
        let verdict = Verdict::default();
        match self
            .place(local.tenant, raw.into(), origin, &recipients, (&verdict, require_tls))
            .await?
            .refused
        {
            None => Ok(()),
            Some(text) => Err(Error::Refused(text)),
        }
    }
}
