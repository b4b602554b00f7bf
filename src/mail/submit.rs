//! The door for mail that goes out: from submission.

use crate::domain::envelope::{MailFrom, Recipient, ReversePath};
use crate::domain::ids::QueueId;
use crate::mail::client::{Client, Identity};
use crate::mail::incoming::Incoming;
use crate::mail::{Error, Reason};

/// Takes messages for the queue. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Submit {}

/// A message from a logged-in mailbox, with its envelope.
pub struct Submission {
    /// Who sends it.
    pub identity: Identity,
    /// Its id in the 250 and in Received.
    pub queue_id: QueueId,
    /// What MAIL said.
    pub mail_from: MailFrom,
    /// What each RCPT said.
    pub recipients: Vec<Recipient>,
    /// Over which connection.
    pub client: Client,
    /// The octets between DATA and the end of data.
    pub content: Incoming,
}

impl Submit {
    /// Whether `identity` may use this reverse-path: its own address, or none.
    ///
    /// # Errors
    /// [`Reason::SenderNotYours`].
    #[allow(clippy::unused_async)] // asks the directory once aliases may send
    pub async fn may_send(&self, identity: &Identity, path: &ReversePath) -> Result<(), Error> {
        match &path.0 {
            Some(address) if *address != identity.address => Err(Reason::SenderNotYours.into()),
            _ => Ok(()),
        }
    }

    /// Stores a message once, with a row in the queue for each recipient.
    ///
    /// # Errors
    /// [`Error::Temporary`]: there is no queue yet.
    #[allow(clippy::unused_async)]
    pub async fn accept(&self, _submission: Submission) -> Result<(), Error> {
        Err(Error::Temporary("there is no queue yet".into()))
    }
}
