//! Recipients that are hosted here: their mail never leaves the machine.

use crate::domain::address::Address;
use crate::domain::outcome::{Outcome, Via};
use crate::mail::ingest::{Delivery, Ingest};
use crate::mail::recipients::{Local, Recipients};
use crate::mail::render::{Render, trouble};
use crate::mail::{Error, Reason, outcome};
use crate::store::db::Db;
use crate::store::outbound::Leased;
use crate::wire::verp::Verp;

/// Delivers here. Cheap to clone.
#[derive(Clone)]
pub struct Here {
    db: Db,
    recipients: Recipients,
    ingest: Ingest,
    render: Render,
}

/// Whose a recipient is.
pub enum Place {
    /// Somebody's here, in a domain that is proven.
    Here(Local),
    /// Nobody's here: the domain's own server has to be asked.
    Away,
}

impl Here {
    /// Through the one door.
    pub fn new(db: Db, recipients: Recipients, ingest: Ingest, render: Render) -> Self {
        Self { db, recipients, ingest, render }
    }

    /// Whose this recipient is.
    ///
    /// # Errors
    /// What becomes of a row whose recipient may have nothing now.
    pub async fn find(&self, row: &Leased, address: &Address) -> Result<Place, Outcome> {
        match self.recipients.is_elsewhere(address.domain()).await {
            Ok(true) => return Ok(Place::Away),
            Ok(false) => {}
            Err(error) => return Err(trouble(row, &error)),
        }
        match self.recipients.find(address).await {
            // A mere claim must not catch mail of somebody else.
            Ok(Some(found)) if found.proven && found.active => Ok(Place::Here(found.local.clone())),
            Ok(Some(found)) if found.proven => Err(trouble(row, &Reason::Suspended.into())),
            Ok(_) => Ok(Place::Away),
            Err(error) => Err(trouble(row, &error)),
        }
    }

    /// Whether the domain is one of ours, so that nobody else knows its people.
    ///
    /// # Errors
    /// While the database does not tell.
    pub async fn is_ours(&self, domain: &str) -> Result<bool, Error> {
        Ok(self.db.domain_is_proven(domain).await?)
    }

    /// What makes return paths.
    pub(super) fn verp(&self) -> &Verp {
        self.recipients.verp()
    }

    /// Puts a row's message into the mailboxes.
    pub async fn deliver(&self, row: &Leased, address: &Address, local: &Local) -> Outcome {
        let Some(email) = row.email else {
            return Outcome::Deferred(outcome::our_trouble("not composed"));
        };
        let rendered = match self.render.render(row, email).await {
            Ok(rendered) => rendered,
            Err(outcome) => return outcome,
        };
        let delivery = Delivery {
            queue_id: row.queue_id,
            reverse_path: &row.reverse_path,
            recipient: address,
            local,
            content: &rendered.content,
            require_tls: row.require_tls,
        };
        match self.ingest.deliver(delivery).await {
            Ok(()) => Outcome::Delivered(outcome::taken()),
            Err(error) => trouble(row, &error),
        }
    }
}

/// Where that is.
pub fn via() -> Via {
    Via { host: Some("local".to_owned()), ..Via::default() }
}
