//! CATENATE (RFC 4469): octets of stored messages, on their way into a new one.

use crate::domain::ids::FolderId;
use crate::imap::cmd::fetch::content::{Piece, Source};
use crate::imap::server::Services;
use crate::mail::client::Identity;
use crate::mail::mailbox::Columns;
use crate::mail::{Error, Reason};
use crate::wire::imap::command::Content;
use crate::wire::imap::url::MessageUrl;

/// Whose messages may be named, and by what.
#[derive(Clone, Copy)]
pub(super) struct Base<'a> {
    /// Who asks: nobody else's mailboxes are seen.
    pub(super) who: &'a Identity,
    /// The mailbox that is open, for URLs that name none.
    pub(super) open: Option<FolderId>,
}

/// The message that was named last. Most URLs of a command are of one message.
#[derive(Default)]
pub(super) struct Sources {
    last: Option<(FolderId, u32, Source)>,
}

impl Sources {
    /// What `url` names; `None` where that is nothing (RFC 4469 §3, BADURL).
    pub(super) async fn find(
        &mut self,
        services: &Services,
        base: Base<'_>,
        url: &MessageUrl,
    ) -> Result<Option<(&Source, Piece)>, Error> {
        let Some(folder) = folder(services, base, url).await? else { return Ok(None) };
        let is_last = |(of, uid, _): &(FolderId, u32, Source)| (*of, *uid) == (folder, url.uid);
        if !self.last.as_ref().is_some_and(is_last) {
            let Some(source) = open(services, base.who, folder, url.uid).await? else {
                return Ok(None);
            };
            self.last = Some((folder, url.uid, source));
        }
        let Some((_, _, source)) = &self.last else { return Ok(None) };
        let content = Content::Section { section: &url.section, partial: url.partial };
        Ok(match source.piece(content).await? {
            Piece::None => None,
            piece => Some((source, piece)),
        })
    }
}

/// The folder of a URL, if it is still the one that is meant.
async fn folder(
    services: &Services,
    base: Base<'_>,
    url: &MessageUrl,
) -> Result<Option<FolderId>, Error> {
    let Some(mailbox) = &url.mailbox else { return Ok(base.open) };
    match services.mailboxes.readable(base.who, mailbox.as_str()).await {
        Ok(folder) => {
            let valid = url.uid_validity.is_none_or(|validity| validity == folder.uidvalidity);
            Ok(valid.then_some(folder.id))
        }
        Err(Error::NotFound(_) | Error::Rejected(Reason::NoRights)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn open(
    services: &Services,
    who: &Identity,
    folder: FolderId,
    uid: u32,
) -> Result<Option<Source>, Error> {
    let columns = Columns { source: true, ..Columns::default() };
    let found = services.mailboxes.fetch(who, folder, &[uid], columns).await?;
    let Some(mut fetched) = found.into_iter().next() else { return Ok(None) };
    Source::open(&services.bodies, who, &mut fetched)
}
