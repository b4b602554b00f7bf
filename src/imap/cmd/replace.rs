//! REPLACE and UID REPLACE (RFC 8508): a message is stored and another one goes, in one.
//!
//! What went and what came is told behind the command, as what other sessions did.

use crate::domain::ids::FolderId;
use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::cmd::append::{self, Ended, Literal, Session};
use crate::imap::enabled::Enabled;
use crate::imap::selected::Selected;
use crate::imap::server::Server;
use crate::mail::client::Identity;
use crate::mail::ingest::Replaced;
use crate::wire::imap::command::Replace;
use crate::wire::imap::response::Code;

/// Reads a message and puts it into a mailbox in the place of another.
pub(in crate::imap) async fn replace(
    server: &Server,
    channel: &mut Channel,
    (who, selected, enabled): (&Identity, &Selected, Enabled),
    replace: Replace,
    literal: Option<Literal>,
) -> Result<Ended, Gone> {
    let uid = match outgoing(selected, enabled, &replace) {
        Ok(uid) => uid,
        Err(answer) => return Ok(Ended { answer, left: literal }),
    };
    let folder: FolderId = selected.folder;
    let session =
        Session { who, enabled, open: Some(folder), replaced: Some(Replaced { folder, uid }) };
    append::append(server, channel, session, replace.append, literal).await
}

/// The UID of the message that goes, if it may.
fn outgoing(selected: &Selected, enabled: Enabled, replace: &Replace) -> Result<u32, Answer> {
    if enabled.uid_only() && !replace.uid {
        return Err(Answer::uid_required());
    }
    let uids = selected.uids(&replace.message, replace.uid).ok_or_else(Answer::no_such_number)?;
    if selected.read_only {
        return Err(Answer::read_only());
    }
    if !selected.rights.contain(Rights::DELETE_MESSAGES.with(Rights::EXPUNGE)) {
        return Err(Answer::no_rights());
    }
    let gone = Answer::no(Code::ExpungeIssued, "There is no such message any more");
    uids.first().copied().ok_or(gone)
}
