//! The filters of a mailbox: what there is, what each would do, and doing it to
//! mail that is there already ([`apply`]).

pub mod apply;

use serde::Serialize;
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::EmailId;
use crate::domain::verdict::Verdict;
use crate::mail::Error;
use crate::mail::changes::Changes;
use crate::mail::recipients::Mailbox;
use crate::mail::rules::{Explained, View, evaluate, run};
use crate::store::db::Db;
use crate::wire::mime;

/// Looks at filters, and applies them. Cheap to clone.
#[derive(Clone)]
pub struct Filters {
    db: Db,
    changes: Changes,
}

/// One filter, as far as it can be read.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What it does, in words.
    pub actions: Vec<String>,
    /// Why it is not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What one filter made of a message.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// What people call it.
    pub name: String,
    /// Whether it was asked: one before it may have said stop.
    pub asked: bool,
    /// Whether its conditions hold.
    pub matched: bool,
    /// Each condition with what it came to.
    pub because: Explained,
    /// What it did, in words; empty where it did not match.
    pub actions: Vec<String>,
}

impl Filters {
    /// Over `db`; `changes` is told after each commit.
    pub fn new(db: Db, changes: Changes) -> Self {
        Self { db, changes }
    }

    /// The enabled filters of a mailbox in their order; those that cannot be
    /// read come last.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a mailbox.
    pub async fn list(&self, address: &Address) -> Result<Vec<Listed>, Error> {
        let mailbox = self.mailbox(address).await?;
        let read = mailbox.rules.iter().map(|rule| Listed {
            id: rule.id,
            name: rule.name.clone(),
            actions: rule.then.iter().map(ToString::to_string).collect(),
            error: None,
        });
        let unread = mailbox.unreadable.iter().map(|filter| Listed {
            id: filter.id,
            name: filter.name.clone(),
            actions: Vec::new(),
            error: Some(filter.error.to_string()),
        });
        Ok(read.chain(unread).collect())
    }

    /// What the filters of a mailbox make of `raw`, a whole message that nobody
    /// has looked into: without a verdict on its authenticity. Changes nothing.
    ///
    /// # Errors
    /// As [`Filters::list`].
    pub async fn test(&self, address: &Address, raw: &[u8]) -> Result<Vec<Tried>, Error> {
        let row = self.db.mailbox(address).await.map_err(not_found)?;
        let mailbox = self.mailbox(address).await?;
        let (form, verdict) = (mime::parse(raw), Verdict::default());
        let mut view = View::of_form(raw, &form, &verdict);
        if let Some(sender) = view.from.first().filter(|_| mailbox.asks_for_sender()) {
            view.sender_known = self.db.tenant(row.tenant_id).knows_sender(sender).await?;
        }
        Ok(try_on(&mailbox, &view))
    }

    /// The same for a message that is stored: with what was found out about it
    /// when it came, as it is kept with it.
    ///
    /// # Errors
    /// As [`Filters::list`]; [`Error::NotFound`] also without such an email in
    /// the organisation of the mailbox.
    pub async fn test_stored(
        &self,
        address: &Address,
        email: EmailId,
    ) -> Result<Vec<Tried>, Error> {
        let row = self.db.mailbox(address).await.map_err(not_found)?;
        let mailbox = self.mailbox(address).await?;
        let mut tx = self.db.tenant(row.tenant_id).snapshot().await?;
        let message = tx.rule_message(email).await.map_err(|error| match error {
            crate::store::Error::NotFound => Error::NotFound("email"),
            other => other.into(),
        })?;
        let verdict = message.verdict();
        Ok(try_on(&mailbox, &View::of_stored(&message, &verdict)))
    }

    async fn mailbox(&self, address: &Address) -> Result<Mailbox, Error> {
        let found = self.db.resolve_recipient(address).await?;
        let mailboxes = found.map(|found| found.mailboxes).unwrap_or_default();
        let row = mailboxes.into_iter().find(|mailbox| mailbox.address == address.as_str());
        row.map(Mailbox::read).ok_or(Error::NotFound("mailbox"))
    }
}

/// Asks the rules of a mailbox, one after the other.
fn try_on(mailbox: &Mailbox, view: &View<'_>) -> Vec<Tried> {
    let mut asked = Vec::new();
    run(&mailbox.rules, view, |step| asked.push(step.matched));
    let tried = mailbox.rules.iter().enumerate().map(|(n, rule)| {
        let matched = asked.get(n).copied().unwrap_or(false);
        let actions = rule.then.iter().filter(|_| matched).map(ToString::to_string);
        Tried {
            name: rule.name.clone(),
            asked: n < asked.len(),
            matched,
            because: evaluate::explain(&rule.when, view),
            actions: actions.collect(),
        }
    });
    tried.collect()
}

fn not_found(error: crate::store::Error) -> Error {
    match error {
        crate::store::Error::NotFound => Error::NotFound("mailbox"),
        other => other.into(),
    }
}
