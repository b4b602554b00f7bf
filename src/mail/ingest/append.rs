//! Messages that a mail client puts into a folder itself (RFC 3501 §6.3.11, RFC 3502).

use bytes::Bytes;

use crate::domain::flags::{Flags, Keyword};
use crate::domain::ids::FolderId;
use crate::domain::label::Label;
use crate::mail::client::Identity;
use crate::mail::incoming::Incoming;
use crate::mail::ingest::prepare::blocking;
use crate::mail::ingest::together::Together;
use crate::mail::ingest::{HEAVY, Ingest, Origin};
use crate::mail::mailbox::Folder;
use crate::mail::{Error, Reason};
use crate::store::emails::{NewEmail, Placed, Target};
use crate::wire::mime::encode_binary;

/// What a client brings in one command.
pub struct Upload {
    /// The octets of all messages, one behind the other.
    pub content: Incoming,
    /// The messages, in order.
    pub messages: Vec<Uploaded>,
}

/// A message that goes when another one comes (RFC 8508).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// Where it is.
    pub folder: FolderId,
    /// Its UID there.
    pub uid: u32,
}

/// A message that a client brings.
pub struct Uploaded {
    /// The flags it gets.
    pub flags: Flags,
    /// INTERNALDATE in seconds since 1970; `None` is now.
    pub internal_date: Option<i64>,
    /// Its octets.
    pub len: u64,
    /// It may have NUL octets.
    pub binary: bool,
}

impl Ingest {
    /// Stores messages in a folder of `who`, and takes `replaced` away: all of it, or nothing.
    /// What is binary in them is kept as base64 where it has NUL octets, which no literal of
    /// FETCH may have (RFC 3516 §4.4).
    ///
    /// # Errors
    /// [`Error::NotFound`] when the folder went meanwhile, [`Error::OverQuota`] without counting
    /// what goes; [`Reason::MessageGone`] when that went before;
    /// [`Reason::UnknownEncoding`] for NUL octets in a part that is not binary.
    pub async fn append(
        &self,
        who: &Identity,
        folder: &Folder,
        upload: Upload,
        replaced: Option<Replaced>,
    ) -> Result<Vec<Placed>, Error> {
        let Upload { content, messages } = upload;
        let size = if messages.len() == 1 { content.held() } else { content.len() };
        let _memory = self.reserve(size).await?;
        let (octets, _) = content.finish().await?;
        self.label(who, folder, &messages).await?;
        let mut rest = octets;
        let mut emails = Vec::with_capacity(messages.len());
        for message in messages {
            let len = usize::try_from(message.len).unwrap_or(usize::MAX).min(rest.len());
            let raw = rest.split_to(len);
            emails.push(self.uploaded(who, folder, message, raw).await?);
        }
        let stored = match (emails.pop(), replaced) {
            (Some(email), None) if emails.is_empty() => {
                vec![self.commit(who.tenant, Box::new(email)).await?.1?]
            }
            (last, replaced) => {
                emails.extend(last);
                let together = Together { emails, folder: folder.id, replaced };
                self.commit_all(who.tenant, together).await?
            }
        };
        let placed = stored.into_iter().map(|stored| stored.placed.into_iter().next());
        placed.collect::<Option<_>>().ok_or(Error::NotFound("folder"))
    }

    /// The keywords that messages bring are labels from then on, as those are that STORE gives.
    async fn label(
        &self,
        who: &Identity,
        folder: &Folder,
        messages: &[Uploaded],
    ) -> Result<(), Error> {
        let allowed = messages.iter().map(|message| folder.rights.allow(&message.flags));
        let keywords: Vec<Keyword> = allowed.flat_map(|flags| flags.keywords).collect();
        // Those that programs have agreed on are nobody's labels.
        if keywords.iter().all(Keyword::is_agreed_on) {
            return Ok(());
        }
        let mut tx = self.db.tenant(who.tenant).begin().await?;
        for keyword in keywords.into_iter().filter(|keyword| !keyword.is_agreed_on()) {
            let name = keyword.as_str().to_owned();
            tx.make_label(folder.id, &Label { keyword, name }).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn uploaded(
        &self,
        who: &Identity,
        folder: &Folder,
        message: Uploaded,
        raw: Bytes,
    ) -> Result<NewEmail, Error> {
        let raw = if message.binary { without_nul(raw).await? } else { raw };
        let origin = Origin {
            source: "append",
            queue_id: None,
            reverse_path: None,
            dedup_key: None,
            internal_date: message.internal_date,
        };
        // What whoever appends may not set is not set (RFC 4314 §4).
        let flags = folder.rights.allow(&message.flags);
        let target = Target {
            folder_id: Some(folder.id.0),
            seen: flags.seen,
            answered: flags.answered,
            flagged: flags.flagged,
            deleted: flags.deleted,
            draft: flags.draft,
            keywords: flags.keywords.iter().map(Keyword::as_str).map(str::to_owned).collect(),
            ..Target::inbox(folder.owner)
        };
        self.prepare(who.tenant, raw, origin, vec![target]).await
    }
}

/// `raw` with its binary parts encoded, if there is NUL in it.
async fn without_nul(raw: Bytes) -> Result<Bytes, Error> {
    if raw.len() < HEAVY { encoded(raw) } else { blocking(move || encoded(raw)).await }
}

fn encoded(raw: Bytes) -> Result<Bytes, Error> {
    if !raw.contains(&0) {
        return Ok(raw);
    }
    let encoded = encode_binary(&raw).filter(|encoded| !encoded.contains(&0));
    encoded.map(Bytes::from).ok_or(Error::Rejected(Reason::UnknownEncoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_kept_in_binary_parts_only() {
        let binary = Bytes::from_static(b"Content-Transfer-Encoding: binary\r\n\r\na\0b");
        let kept = encoded(binary).unwrap();
        assert_eq!(kept, b"Content-Transfer-Encoding: base64\r\n\r\nYQBi"[..]);
        let plain = Bytes::from_static(b"A: b\r\n\r\na\0b");
        assert!(matches!(encoded(plain), Err(Error::Rejected(Reason::UnknownEncoding))));
        let none = Bytes::from_static(b"Content-Transfer-Encoding: binary\r\n\r\na\nb");
        assert_eq!(encoded(none.clone()).unwrap(), none);
    }
}
