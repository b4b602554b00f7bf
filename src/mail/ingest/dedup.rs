//! When two messages are the same one.

use aws_lc_rs::digest::{Context, Digest, SHA256};

use crate::domain::address::Address;
use crate::domain::envelope::{Recipient, ReversePath};
use crate::domain::ids::QueueId;
use crate::mail::recipients::Local;

/// Messages with the same one are the same.
pub type DedupKey = [u8; 32];

/// The key of what a peer may send again because it missed our 250: content,
/// sender and recipients. Never the Message-ID, which anybody can write.
pub fn retry_key(
    content: &Digest,
    sender: &ReversePath,
    recipients: &[&(Recipient, Local)],
) -> DedupKey {
    let mut addresses: Vec<&str> = recipients.iter().map(|(r, _)| r.address.as_str()).collect();
    addresses.sort_unstable();
    let fields = [content.as_ref(), sender.as_str().as_bytes()];
    key(fields.into_iter().chain(addresses.into_iter().map(str::as_bytes)))
}

/// The same for a submission: who submits it stands for the sender.
pub fn submission_key(content: &Digest, login: &Address, recipients: &[Recipient]) -> DedupKey {
    let mut addresses: Vec<&str> = recipients.iter().map(|r| r.address.as_str()).collect();
    addresses.sort_unstable();
    let fields = [b"submission".as_slice(), content.as_ref(), login.as_str().as_bytes()];
    key(fields.into_iter().chain(addresses.into_iter().map(str::as_bytes)))
}

/// The key of a delivery from our own queue to a mailbox here: once for each
/// (queue id, recipient), however often it is tried.
pub fn delivery_key(queue_id: QueueId, recipient: &Address) -> DedupKey {
    key([b"delivery".as_slice(), queue_id.0.as_bytes(), recipient.as_str().as_bytes()].into_iter())
}

/// The key of the report that a message was taken: once for each of the two that there may be.
pub(super) fn report_key(message: &DedupKey, delivered: bool) -> DedupKey {
    key([b"report".as_slice(), message, &[u8::from(delivered)]].into_iter())
}

/// SHA-256 over the fields, each after its length.
fn key<'a>(fields: impl Iterator<Item = &'a [u8]>) -> DedupKey {
    let mut context = Context::new(&SHA256);
    for field in fields {
        context.update(&field.len().to_be_bytes());
        context.update(field);
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}
