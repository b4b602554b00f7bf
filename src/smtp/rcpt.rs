//! RCPT: who is to have it (RFC 5321 §4.1.1.3).

use std::net::IpAddr;

use super::reply::Reply;
use super::server::Server;
use super::session::{Envelope, Phase, Recipients, Session};
use crate::domain::envelope::Recipient;
use crate::mail::recipients::Local;
use crate::mail::{Error, Reason};
use crate::wire::smtp::rcpt::Rcpt;

/// Adds a recipient to the transaction, or says why not.
pub(super) async fn rcpt(session: &mut Session, server: &Server, rcpt: Rcpt) -> Reply {
    let client = session.peer;
    let Phase::Mail(envelope) = &mut session.phase else {
        return Reply::wrong_time("Say MAIL first");
    };
    match add(envelope, server, client, rcpt).await {
        Ok(()) => Reply::ok((2, 1, 5), "Ok"),
        Err(reply) => reply,
    }
}

async fn add(
    envelope: &mut Envelope,
    server: &Server,
    client: IpAddr,
    rcpt: Rcpt,
) -> Result<(), Reply> {
    let recipient = match rcpt {
        Rcpt::To(recipient) => recipient,
        Rcpt::Postmaster => postmaster(server).await?,
    };
    if !recipient.address.is_ascii() && !envelope.mail_from.smtputf8 {
        return Err(Reply::needs_smtputf8());
    }
    if envelope.seen.contains(&recipient.address) {
        return Ok(());
    }
    // RFC 5321 §4.5.3.1.10: the sender splits the message and comes again with the rest.
    if envelope.recipients.len() >= server.limits.recipients.get() {
        return Err(Reply::new(452, (4, 5, 3), "Too many recipients at once"));
    }
    let recipients = &server.services.recipients;
    let address = recipient.address.clone();
    match &mut envelope.recipients {
        Recipients::Local(list) => {
            let local = recipients.resolve(&address).await.map_err(|e| refusal(&e))?;
            if local.takes_reports_only() && !envelope.mail_from.reverse_path.is_null() {
                return Err(Reply::error(&Reason::NoReport.into()));
            }
            let room = recipients.room(&local, envelope.size).await;
            room.map_err(|e| refusal(&e))?;
            let sender = &envelope.mail_from.reverse_path;
            let gate = &server.services.gate;
            gate.check(local.tenant, client, sender, &address).await.map_err(|e| refusal(&e))?;
            list.push((recipient, local));
        }
        Recipients::Any(list) => {
            if !recipients.is_elsewhere(address.domain()).await.map_err(|e| refusal(&e))? {
                is_sendable(recipients.resolve(&address).await)?;
            }
            list.push(recipient);
        }
    }
    envelope.seen.insert(address);
    Ok(())
}

/// A logged-in user may write to everybody; that an address of ours does not exist is better said
/// now than in a report. A suspended one may be back when the queue tries.
fn is_sendable(found: Result<Local, Error>) -> Result<(), Reply> {
    match found {
        Ok(_) | Err(Error::Rejected(Reason::RelayDenied | Reason::Suspended)) => Ok(()),
        Err(error) => Err(refusal(&error)),
    }
}

fn refusal(error: &Error) -> Reply {
    if !matches!(error, Error::Rejected(_) | Error::OverQuota | Error::Refused(_)) {
        tracing::warn!(%error, "RCPT failed");
    }
    Reply::error(error)
}

/// `<Postmaster>` has a mailbox behind it like any other (RFC 5321 §4.5.1).
async fn postmaster(server: &Server) -> Result<Recipient, Reply> {
    let found = server.services.postmaster.find().await;
    found.map(Recipient::plain).map_err(|error| refusal(&error))
}
