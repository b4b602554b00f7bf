//! QUOTA (RFC 9208): what a mailbox holds and may hold.

use super::{Mailboxes, Quota};
use crate::mail::Error;
use crate::mail::client::Identity;

impl Mailboxes {
    /// What whoever logged in holds, and may hold.
    pub async fn quota(&self, who: &Identity) -> Result<Quota, Error> {
        Ok(self.snapshot(who).await?.quota(who.address_id).await?)
    }
}
