//! NOTIFY (RFC 5465): what a client wants to hear of without asking.

use super::fetch::{FetchItem, fetch_atts};
use super::filter::{Filter, filter};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};

/// The most groups of events, and events of a group.
const MAX: usize = 200;

/// `NOTIFY SET`; of `NOTIFY NONE` nothing is in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notify {
    /// `STATUS`: a STATUS answer for each mailbox before the command ends.
    pub status: bool,
    /// What to tell of the open mailbox; `None` where nothing is said of it.
    pub selected: Option<Selected>,
    /// What to tell of the others: for each the first group that it is in.
    pub others: Vec<Group>,
    /// An event was named that the server does not know: `NO [BADEVENT]` (RFC 5465 §5).
    pub unknown: bool,
}

/// What to tell of the open mailbox (RFC 5465 §6.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selected {
    /// `SELECTED-DELAYED`: messages that are gone only when sequence numbers may change.
    pub delayed: bool,
    /// What happens in it.
    pub events: Events,
    /// What to fetch of each new message; empty for nothing.
    pub fetch: Vec<FetchItem>,
}

/// Some mailboxes, and what to tell of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// Which.
    pub mailboxes: Filter,
    /// What happens to them.
    pub events: Events,
}

/// What may happen (RFC 5465 §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Events {
    /// `MessageNew` and `MessageExpunge`, which only go together.
    pub messages: bool,
    /// `FlagChange`
    pub flags: bool,
    /// `MailboxName`
    pub names: bool,
    /// `SubscriptionChange`
    pub subscriptions: bool,
}

/// ```abnf
/// notify           = "NOTIFY" SP ("SET" [SP "STATUS"] 1*(SP event-group) / "NONE")
/// event-group      = "(" filter-mailboxes SP events ")"
/// filter-mailboxes =/ "selected" / "selected-delayed"
/// ```
pub(super) fn notify(cursor: &mut Cursor<'_>) -> Parsed<Notify> {
    cursor.sp()?;
    let mut notify = Notify::default();
    if cursor.eat(b"NONE") {
        return Ok(notify);
    }
    cursor.expect("SET")?;
    notify.status = cursor.eat(b" STATUS");
    for _ in 0..MAX {
        cursor.sp()?;
        cursor.expect("(")?;
        group(cursor, &mut notify)?;
        cursor.expect(")")?;
        if cursor.peek() != Some(b' ') {
            return Ok(notify);
        }
    }
    cursor.fail(What::Limit("event groups"))
}

fn group(cursor: &mut Cursor<'_>, notify: &mut Notify) -> Parsed<()> {
    let offset = cursor.offset();
    let word = cursor.word("a mailbox filter")?;
    let mailboxes = match word.as_slice() {
        b"SELECTED" | b"SELECTED-DELAYED" => {
            let (events, fetch) = events(cursor, true, &mut notify.unknown)?;
            let delayed = word.ends_with(b"DELAYED");
            if notify.selected.replace(Selected { delayed, events, fetch }).is_some() {
                return Err(SyntaxError { what: What::Expected("one group of SELECTED"), offset });
            }
            return Ok(());
        }
        word => {
            let what = What::Expected("a mailbox filter");
            filter(cursor, word)?.ok_or(SyntaxError { what, offset })?
        }
    };
    let (events, _) = events(cursor, false, &mut notify.unknown)?;
    notify.others.push(Group { mailboxes, events });
    Ok(())
}

/// ```abnf
/// events = SP ("(" event *(SP event) ")" / "NONE")
/// event  = "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"] / "MessageExpunge" / "FlagChange" /
///          "MailboxName" / "SubscriptionChange" / event-ext
/// ```
///
/// What to fetch is said of the open mailbox alone, and events of mailboxes are told of the others
/// alone. Flags need both events about messages, and each of these the other (RFC 5465 §5).
fn events(
    cursor: &mut Cursor<'_>,
    selected: bool,
    unknown: &mut bool,
) -> Parsed<(Events, Vec<FetchItem>)> {
    cursor.sp()?;
    let start = cursor.offset();
    let (mut events, mut fetch) = (Events::default(), Vec::new());
    if cursor.eat(b"NONE") {
        return Ok((events, fetch));
    }
    let mut expunge = false;
    cursor.list(MAX, "events", false, |cursor| {
        match cursor.word("an event")?.as_slice() {
            b"MESSAGENEW" => {
                events.messages = true;
                if selected && cursor.rest().starts_with(b" (") {
                    cursor.sp()?;
                    fetch = fetch_atts(cursor)?;
                }
            }
            b"MESSAGEEXPUNGE" => expunge = true,
            b"FLAGCHANGE" => events.flags = true,
            b"MAILBOXNAME" => events.names = true,
            b"SUBSCRIPTIONCHANGE" => events.subscriptions = true,
            _ => *unknown = true,
        }
        Ok(())
    })?;
    let refuse = |what| Err(SyntaxError { what: What::Expected(what), offset: start });
    if events.messages != expunge {
        return refuse("MessageNew and MessageExpunge together");
    }
    if events.flags && !events.messages {
        return refuse("MessageNew and MessageExpunge with FlagChange");
    }
    if selected && (events.names || events.subscriptions) {
        return refuse("events of messages alone");
    }
    Ok((events, fetch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};
    use crate::wire::imap::mailbox::MailboxName;

    fn parse(text: &str) -> Option<Notify> {
        match parse_command(format!("a NOTIFY {text}\r\n").as_bytes()).ok()?.command {
            Command::Notify(notify) => Some(notify),
            other => panic!("{other:?}"),
        }
    }

    /// The dialog of RFC 5465 §3.1, with the parentheses and pairs that its §5 and §8 ask for.
    #[test]
    fn the_example_of_rfc_5465_section_3_1() {
        let set = parse(
            "set status (selected (MessageNew (uid body.peek[header.fields (from to subject)]) \
             MessageExpunge)) (subtree Lists (MessageNew MessageExpunge))",
        )
        .unwrap();
        let selected = set.selected.unwrap();
        assert!(set.status && selected.events.messages && !selected.delayed);
        assert_eq!((selected.fetch.len(), set.others.len()), (2, 1));
        let name = |name| MailboxName::new(name).unwrap();
        let lists = &set.others[0].mailboxes;
        assert!(lists.matches(&name("Lists/Lemonade"), false));
        assert!(!lists.matches(&name("Listserv"), true));
        assert_eq!(parse("NONE").unwrap(), Notify::default());
    }

    #[test]
    fn filters_and_events() {
        let both = "(MessageNew MessageExpunge FlagChange)";
        let set = parse(&format!("SET (selected-delayed {both}) (mailboxes (INBOX a/b) {both})"));
        let set = set.unwrap();
        assert!(set.selected.unwrap().delayed && set.others[0].events.flags);
        for filter in ["inboxes", "personal", "subscribed", "mailboxes INBOX"] {
            let set = parse(&format!("SET ({filter} (MailboxName SubscriptionChange))")).unwrap();
            assert!(set.others[0].events.names && !set.unknown, "{filter}");
        }
        assert!(parse(&format!("SET (personal {both}) (selected NONE)")).is_some());
        let annotations = "SET (personal (MessageNew MessageExpunge AnnotationChange))";
        assert!(parse(annotations).unwrap().unknown);
    }

    #[test]
    fn what_is_no_notify() {
        for bad in [
            "",
            "SET",
            "SET STATUS",
            "NONE STATUS",
            "SET (personal ())",
            "SET (personal (MessageNew))",
            "SET (personal (MessageExpunge))",
            "SET (selected (FlagChange))",
            "SET (selected (MailboxName))",
            "SET (selected NONE) (selected-delayed NONE)",
            "SET (personal (MessageNew (UID) MessageExpunge))",
            "SET (subtree (MailboxName))",
            "SET (everything NONE)",
            "SET (selected (MessageNew () MessageExpunge))",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
