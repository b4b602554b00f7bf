//! SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2; RFC 9051 §6.3.2), with CONDSTORE (RFC 7162 §3.1.8).

use crate::domain::flags::{Flags, Keyword};
use crate::imap::answer::Answer;
use crate::imap::dispatch::Done;
use crate::imap::enabled::Enabled;
use crate::imap::selected::Selected;
use crate::imap::session::Then;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Select;
use crate::wire::imap::response::{ChildInfo, Code, ListLine, State, Writer};

/// Opens a mailbox. When that fails none is open, also if one was before.
pub(in crate::imap) async fn select(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    enabled: &mut Enabled,
    select: &Select,
) -> Done {
    if select.condstore {
        enabled.use_condstore();
    }
    let read_only = select.read_only;
    let opened = match mailboxes.open(who, select.mailbox.as_str(), read_only).await {
        Ok(opened) => opened,
        Err(error) => return Done { answer: error.into(), then: Then::Deselect },
    };
    let mod_seq = opened.folder.highestmodseq.unsigned_abs();
    let flags = Flags {
        seen: true,
        answered: true,
        flagged: true,
        deleted: true,
        draft: true,
        keywords: opened.keywords.iter().filter_map(|keyword| Keyword::new(keyword)).collect(),
    };
    let (uidvalidity, uidnext) = (opened.folder.uidvalidity, opened.folder.uidnext);
    let first_unseen = opened.first_unseen;
    let changes = mailboxes.watch(opened.folder.id);
    let selected = Selected::new(opened, changes, read_only);
    let unseen = first_unseen.and_then(|uid| selected.view.sequence_of(uid));

    out.flags(&flags);
    out.exists(selected.view.len());
    if enabled.rev2() {
        let attributes = &[];
        out.list(ListLine { name: &select.mailbox, attributes, child_info: ChildInfo::default() });
    } else {
        out.recent(selected.view.recent());
        if let Some(unseen) = unseen {
            out.untagged(State::Ok, Some(Code::Unseen(unseen)), "The first unseen message");
        }
    }
    let permanent = if read_only { &Flags::default() } else { &flags };
    let permanent = Code::PermanentFlags { flags: permanent, any_keyword: !read_only };
    out.untagged(State::Ok, Some(permanent), "Flags that can be kept");
    out.untagged(State::Ok, Some(Code::UidValidity(uidvalidity)), "UIDs hold as long as this");
    out.untagged(State::Ok, Some(Code::UidNext(uidnext)), "The next UID");
    out.untagged(State::Ok, Some(Code::HighestModSeq(mod_seq)), "The last change");
    let mode = if read_only { Code::ReadOnly } else { Code::ReadWrite };
    Done { answer: Answer::ok("Opened").with(mode), then: Then::Select(Box::new(selected)) }
}
