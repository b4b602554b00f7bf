//! SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2; RFC 9051 §6.3.2), with CONDSTORE and QRESYNC
//! (RFC 7162 §3.1.8, §3.2.5).

use crate::domain::flags::{Flags, Keyword};
use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::dispatch::Done;
use crate::imap::enabled::Enabled;
use crate::imap::resync;
use crate::imap::selected::Selected;
use crate::imap::session::Then;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Folder, Mailboxes};
use crate::wire::imap::command::Select;
use crate::wire::imap::response::{ChildInfo, Code, ListLine, State, Writer};

/// Opens a mailbox. When that fails none is open, also if one was before.
pub(in crate::imap) async fn select(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    enabled: &mut Enabled,
    select: &Select,
) -> Result<Done, Gone> {
    if select.known.is_some() && !enabled.qresync() {
        return Ok(closed(Answer::bad("ENABLE QRESYNC comes first")));
    }
    if select.condstore {
        enabled.use_condstore();
    }
    let read_only = select.read_only;
    let opened = match mailboxes.open(who, select.mailbox.as_str(), read_only).await {
        Ok(opened) => opened,
        Err(error) => return Ok(closed(error.into())),
    };
    let flags = flags(&opened.keywords);
    let (folder, first_unseen) = (opened.folder.clone(), opened.first_unseen);
    let changes = mailboxes.watch(folder.id);
    let mut selected = Selected::new(opened, changes, read_only, folder.owner != who.address_id);

    let out = &mut channel.out;
    out.flags(&flags);
    out.exists(selected.view.len());
    if enabled.rev2() {
        let attributes = &[];
        out.list(ListLine { name: &select.mailbox, attributes, child_info: ChildInfo::default() });
    } else {
        out.recent(selected.view.recent());
        let first_unseen = first_unseen.filter(|_| !enabled.uid_only());
        if let Some(unseen) = first_unseen.and_then(|uid| selected.view.sequence_of(uid)) {
            out.untagged(State::Ok, Some(Code::Unseen(unseen)), "The first unseen message");
        }
    }
    let read_only = selected.read_only;
    tell_codes(out, &folder, &flags, &selected);
    if let Some(known) = select.known.as_ref().filter(|k| k.uid_validity == folder.uidvalidity) {
        let told = resync::tell(mailboxes, channel, who, &mut selected, *enabled, known).await?;
        if let Err(error) = told {
            return Ok(closed(error.into()));
        }
    }
    let mode = if read_only { Code::ReadOnly } else { Code::ReadWrite };
    Ok(Done { answer: Answer::ok("Opened").with(mode), then: Then::Select(Box::new(selected)) })
}

/// No mailbox is open now.
fn closed(answer: Answer) -> Done {
    Done { answer, then: Then::Deselect }
}

/// The flags that can be set.
fn flags(keywords: &[String]) -> Flags {
    Flags {
        seen: true,
        answered: true,
        flagged: true,
        deleted: true,
        draft: true,
        keywords: keywords.iter().filter_map(|keyword| Keyword::new(keyword)).collect(),
    }
}

fn tell_codes(out: &mut Writer, folder: &Folder, flags: &Flags, selected: &Selected) {
    let rights = if selected.read_only { Rights::NONE } else { selected.rights };
    let permanent = Code::PermanentFlags {
        flags: &rights.allow(flags),
        any_keyword: rights.contain(Rights::WRITE),
    };
    let codes = [
        (permanent, "Flags that can be kept"),
        (Code::UidValidity(folder.uidvalidity), "UIDs hold as long as this"),
        (Code::UidNext(folder.uidnext), "The next UID"),
        (Code::HighestModSeq(folder.highestmodseq.unsigned_abs()), "The last change"),
        (Code::MailboxId(folder.id), "The same under any name"),
    ];
    for (code, text) in codes {
        out.untagged(State::Ok, Some(code), text);
    }
}
