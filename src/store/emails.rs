//! Emails: what one is made of, and reading back what rebuilds it.

mod store;

use serde::Serialize;
use sqlx::types::Uuid;

use crate::domain::ids::{AddressId, EmailId, FolderId, QueueId, ThreadId};
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// The small columns of `emails`, by name, as `store_emails` reads them.
#[derive(Clone, Debug, Serialize)]
pub struct Fields {
    /// Known beforehand where something must name it in the same transaction.
    #[serde(skip)]
    pub id: EmailId,
    /// `smtp`, `submission`, `append`, `api`, `import` or `system`.
    pub source: &'static str,
    /// The id in the 250 and in Received.
    pub queue_id: Option<QueueId>,
    /// SHA-256 of content, sender and recipients.
    #[serde(skip)]
    pub dedup_key: Option<[u8; 32]>,
    /// The envelope's reverse-path, empty for `<>`.
    pub reverse_path: Option<String>,
    /// Message-ID without `<>`.
    pub message_id: Option<String>,
    /// In-Reply-To without `<>`.
    pub in_reply_to: Vec<String>,
    /// References without `<>`, oldest first.
    pub reference_ids: Vec<String>,
    /// Decoded Subject.
    pub subject: String,
    /// RFC 5256 §2.1, for threads.
    pub base_subject: String,
    /// Whether the subject is that of a reply or a forward.
    pub is_reply: bool,
    /// First address of From as written.
    pub from_address: String,
    /// Its display name.
    pub from_name: Option<String>,
    /// `{"from": [{"name", "address"}], "to": [...], "cc": [...], "bcc": [...], "reply_to": [...]}`.
    pub recipients: serde_json::Value,
    /// Date, in seconds since 1970.
    pub sent_at: Option<i64>,
    /// IMAP INTERNALDATE in seconds since 1970; `None` is now.
    pub internal_date: Option<i64>,
    /// Octets of the whole message.
    #[serde(skip)]
    pub size_bytes: u64,
    /// Begin of the readable text.
    pub snippet: String,
    /// SPF, DKIM, DMARC, ARC, reverse DNS.
    pub verdict: serde_json::Value,
    /// Where it was asked for; higher is worse.
    pub spam_score: Option<f32>,
    /// The organisation's `directory_version` by which targets and actions
    /// were decided, where the directory was asked.
    #[serde(skip)]
    pub directory_version: Option<i64>,
}

/// One row of `attachments`.
#[derive(Clone, Debug, Serialize)]
pub struct Attachment {
    /// The MIME part, as IMAP counts.
    pub section: String,
    /// Decoded file name.
    pub filename: Option<String>,
    /// `type/subtype` in lower case.
    pub content_type: String,
    /// `attachment` or `inline`.
    pub disposition: &'static str,
    /// Content-ID without `<>`.
    pub content_id: Option<String>,
    /// Octets of the object, or of the part where there is none.
    pub size_bytes: u64,
    /// SHA-256 of the object in hex.
    pub sha256: Option<String>,
    /// Where the object is.
    pub bucket: Option<String>,
    /// And its key there.
    pub object_key: Option<String>,
    /// The object is still in its transfer encoding.
    pub encoded: bool,
}

/// A mailbox that gets the email, and how.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Target {
    /// The mailbox.
    pub address_id: Uuid,
    /// The folder; without one, or when it is gone, the INBOX.
    pub folder_id: Option<Uuid>,
    /// The folder by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The folder by its use (RFC 6154).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub special_use: Option<&'static str>,
    /// `\Seen` from the start.
    pub seen: bool,
    /// `\Answered` from the start.
    pub answered: bool,
    /// `\Flagged` from the start.
    pub flagged: bool,
    /// `\Deleted` from the start.
    pub deleted: bool,
    /// `\Draft` from the start.
    pub draft: bool,
    /// Keywords from the start.
    pub keywords: Vec<String>,
}

impl Target {
    /// The INBOX of a mailbox, unseen.
    pub fn inbox(address: AddressId) -> Self {
        Self { address_id: address.0, ..Self::default() }
    }
}

/// What the rules of mailboxes want besides; each element as `act_on_email`
/// reads it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Actions {
    /// Folders to be made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<serde_json::Value>,
    /// Rows of the queue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outbound: Vec<serde_json::Value>,
    /// Targets of mailboxes that forward without keeping a copy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unkept: Vec<Target>,
    /// Webhooks to be called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<serde_json::Value>,
    /// Read receipts for messages that were sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<serde_json::Value>,
}

impl Actions {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
            && self.outbound.is_empty()
            && self.unkept.is_empty()
            && self.webhooks.is_empty()
            && self.receipts.is_empty()
    }
}

/// A message ready to be stored: everything is computed, every object is put.
#[derive(Clone, Debug)]
pub struct NewEmail {
    /// The small columns.
    pub fields: Fields,
    /// Readable text.
    pub text: String,
    /// Where each MIME part lies.
    pub parts: serde_json::Value,
    /// IMAP ENVELOPE.
    pub envelope: Vec<u8>,
    /// IMAP BODY.
    pub body: Vec<u8>,
    /// IMAP BODYSTRUCTURE.
    pub body_structure: Vec<u8>,
    /// The header block.
    pub header: Vec<u8>,
    /// The compressed rest without what was cut out.
    pub skeleton: Vec<u8>,
    /// The recipe to rebuild.
    pub cuts: serde_json::Value,
    /// Rows of `attachments`.
    pub attachments: Vec<Attachment>,
    /// Who gets it; nobody for what is only sent.
    pub targets: Vec<Target>,
    /// What is done besides.
    pub actions: Actions,
}

/// A folder entry that storing made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The folder.
    pub folder: FolderId,
    /// The UID there.
    pub uid: u32,
    /// Its MODSEQ there.
    pub modseq: i64,
    /// The folder's UIDVALIDITY.
    pub uidvalidity: u32,
}

/// What storing did.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The email; the one that was there already for a duplicate.
    pub email: EmailId,
    /// Its thread.
    pub thread: ThreadId,
    /// The same message was stored within the last 72 hours; nothing was done.
    pub duplicate: bool,
    /// The entries made.
    pub placed: Vec<Placed>,
}

/// What rebuilds a message.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// The header block as it stands.
    pub header: Vec<u8>,
    /// The compressed rest.
    pub skeleton: Vec<u8>,
    /// The recipe.
    pub cuts: serde_json::Value,
    /// Octets of the whole message.
    pub size_bytes: u64,
    /// Where each MIME part lies.
    pub parts: serde_json::Value,
}

impl TenantTx {
    /// What rebuilds `email`, or [`Error::NotFound`].
    pub async fn email_source(&mut self, email: EmailId) -> Result<SourceRow, Error> {
        let (header, skeleton, cuts, size, parts): (
            Vec<u8>,
            Vec<u8>,
            serde_json::Value,
            i64,
            serde_json::Value,
        ) = sqlx::query_as(
            "SELECT s.header, s.skeleton, s.cuts, e.size_bytes, e.parts
                 FROM email_sources s JOIN emails e USING (id) WHERE s.id = $1",
        )
        .bind(email.0)
        .fetch_one(self.conn())
        .await?;
        Ok(SourceRow {
            header,
            skeleton,
            cuts,
            size_bytes: u64::try_from(size).unwrap_or(0),
            parts,
        })
    }
}

/// A CHECK keeps UIDs within 32 bits; what breaks it is no UID.
pub(in crate::store) fn to_u32(value: i64) -> Result<u32, Error> {
    u32::try_from(value).map_err(|_| Error::Corrupt(format!("{value} is no UID")))
}
