//! Commands: from the bytes that framing delivered to a value (RFC 3501 §6, §9).
//!
//! Every parser here starts behind its command's name and leaves the line's end to
//! [`parse_command`].

mod acl;
mod append;
mod auth;
mod catenate;
mod compress;
mod fetch;
mod filter;
mod gm_labels;
mod gm_raw;
mod list;
mod mailbox;
mod message;
mod metadata;
mod multi_search;
mod notify;
mod preview;
mod quota;
mod replace;
mod search;
mod search_key;
mod search_return;
mod select;
mod sort;
mod status;
mod tag;
mod thread;

pub use acl::{AclEntry, RightsChange, SetAcl};
pub use append::{Append, AppendLine, AppendLiteral, AppendMessage, AppendStep, parse_append_line};
pub use auth::{
    Authenticate, IdParameter, Login, SaslResponse, Secret, is_done, parse_sasl_response,
};
pub use catenate::CatPart;
pub use compress::Algorithm;
pub use fetch::{ChangedSince, Content, Fetch, FetchItem, Partial};
pub use filter::Filter;
pub use gm_labels::StoreLabels;
pub use list::{List, ListReturn, ListSelect, Lsub};
pub use mailbox::{Create, Rename};
pub use message::{Store, Transfer};
pub use metadata::{GetMetadata, SetMetadata};
pub use multi_search::MultiSearch;
pub use notify::{Events, Group, Notify, Selected};
pub use quota::SetQuota;
pub use replace::Replace;
pub use search::Search;
pub use search_key::{SearchFlag, SearchKey};
pub use search_return::Returns;
pub use select::{Known, Select};
pub use sort::{Sort, SortCriterion, SortKey};
pub use status::{Status, StatusItem};
pub use tag::{Tag, Tagged};
pub use thread::{Thread, ThreadAlgorithm};

use super::cursor::{Cursor, Parsed};
use super::error::{ParseError, SyntaxError, What};
use super::mailbox::MailboxName;
use super::name_form::NameForm;
use super::set::SequenceSet;

/// What a client asks for. States and permissions are the session's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// `CAPABILITY`
    Capability,
    /// `NOOP`
    Noop,
    /// `LOGOUT`
    Logout,
    /// `ID` (RFC 2971); empty for `NIL`.
    Id(Vec<IdParameter>),
    /// `STARTTLS`
    StartTls,
    /// `AUTHENTICATE`
    Authenticate(Authenticate),
    /// `LOGIN`
    Login(Login),
    /// `ENABLE` (RFC 5161): capability names in upper case, known or not.
    Enable(Vec<String>),
    /// `COMPRESS` (RFC 4978)
    Compress(Algorithm),
    /// `SELECT`, `EXAMINE`
    Select(Select),
    /// `CREATE`
    Create(Create),
    /// `DELETE`
    Delete(MailboxName),
    /// `RENAME`
    Rename(Rename),
    /// `SUBSCRIBE`
    Subscribe(MailboxName),
    /// `UNSUBSCRIBE`
    Unsubscribe(MailboxName),
    /// `LIST`
    List(List),
    /// `LSUB`
    Lsub(Lsub),
    /// `NAMESPACE` (RFC 2342)
    Namespace,
    /// `STATUS`
    Status(Status),
    /// `GETMETADATA` (RFC 5464 §4.2)
    GetMetadata(GetMetadata),
    /// `SETMETADATA` (RFC 5464 §4.3)
    SetMetadata(SetMetadata),
    /// `SETACL` (RFC 4314 §3.1)
    SetAcl(SetAcl),
    /// `DELETEACL` (RFC 4314 §3.2)
    DeleteAcl(AclEntry),
    /// `GETACL` (RFC 4314 §3.3)
    GetAcl(MailboxName),
    /// `LISTRIGHTS` (RFC 4314 §3.4)
    ListRights(AclEntry),
    /// `MYRIGHTS` (RFC 4314 §3.5)
    MyRights(MailboxName),
    /// `GETQUOTA` (RFC 9208 §4.1.1): the name of a quota root.
    GetQuota(String),
    /// `GETQUOTAROOT` (RFC 9208 §4.1.2)
    GetQuotaRoot(MailboxName),
    /// `SETQUOTA` (RFC 9208 §4.1.3)
    SetQuota(SetQuota),
    /// `APPEND`, up to its first literal.
    Append(Append),
    /// `NOTIFY` (RFC 5465)
    Notify(Notify),
    /// `IDLE` (RFC 2177); [`is_done`] knows the line that ends it.
    Idle,
    /// `CHECK`
    Check,
    /// `CLOSE`
    Close,
    /// `UNSELECT` (RFC 3691)
    Unselect,
    /// `EXPUNGE`
    Expunge,
    /// `UID EXPUNGE` (RFC 4315 §2.1)
    UidExpunge(SequenceSet),
    /// `SEARCH`, `UID SEARCH`
    Search(Search),
    /// `ESEARCH` (RFC 7377)
    MultiSearch(MultiSearch),
    /// `SORT`, `UID SORT` (RFC 5256)
    Sort(Sort),
    /// `THREAD`, `UID THREAD` (RFC 5256)
    Thread(Thread),
    /// `FETCH`, `UID FETCH`
    Fetch(Fetch),
    /// `STORE`, `UID STORE`
    Store(Store),
    /// `STORE`, `UID STORE` of labels (X-GM-EXT-1)
    StoreLabels(StoreLabels),
    /// `COPY`, `UID COPY`
    Copy(Transfer),
    /// `MOVE`, `UID MOVE` (RFC 6851)
    Move(Transfer),
    /// `REPLACE`, `UID REPLACE` (RFC 8508), up to its first literal.
    Replace(Replace),
}

impl Command {
    /// Whether a command takes or tells sequence numbers, which is over once UIDONLY is on
    /// (RFC 9586 §3).
    pub fn uses_sequence_numbers(&self) -> bool {
        match self {
            Self::Fetch(fetch) => !fetch.uid,
            Self::Store(store) => !store.uid,
            Self::StoreLabels(store) => !store.uid,
            Self::Copy(transfer) | Self::Move(transfer) => !transfer.uid,
            Self::Replace(replace) => !replace.uid,
            Self::Search(Search { uid, keys, .. })
            | Self::Sort(Sort { uid, keys, .. })
            | Self::Thread(Thread { uid, keys, .. }) => {
                !uid || keys.iter().any(SearchKey::names_sequence_numbers)
            }
            Self::MultiSearch(search) => search.keys.iter().any(SearchKey::names_sequence_numbers),
            Self::Select(select) => select.known.as_ref().is_some_and(|known| known.by_sequence),
            _ => false,
        }
    }

    /// Whether a command speaks of mod-sequences: that turns CONDSTORE on
    /// (RFC 7162 §3.1).
    pub fn uses_condstore(&self) -> bool {
        match self {
            Self::Fetch(fetch) => fetch.items.contains(&FetchItem::ModSeq),
            Self::Store(store) => store.unchanged_since.is_some(),
            Self::StoreLabels(store) => store.unchanged_since.is_some(),
            Self::Search(Search { keys, .. })
            | Self::MultiSearch(MultiSearch { keys, .. })
            | Self::Sort(Sort { keys, .. })
            | Self::Thread(Thread { keys, .. }) => keys.iter().any(SearchKey::is_of_mod_seq),
            Self::Status(status) => status.items.contains(&StatusItem::HighestModSeq),
            _ => false,
        }
    }
}

/// Reads one whole command, as [`Framer`](super::frame::Framer) delivers it: the line with its
/// literals in place and its CRLF. For APPEND that is the line as far as the message literal's
/// size, as it comes with [`Event::AppendLiteral`](super::frame::Event::AppendLiteral).
///
/// ```abnf
/// command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
/// ```
pub fn parse_command(bytes: &[u8]) -> Result<Tagged<Command>, ParseError> {
    parse_command_with(bytes, NameForm::default())
}

/// The same, with mailbox names in this form.
///
/// # Errors
/// As [`parse_command`].
pub fn parse_command_with(bytes: &[u8], names: NameForm) -> Result<Tagged<Command>, ParseError> {
    let mut cursor = Cursor::spelling(bytes, names);
    let tag = tag::tag(&mut cursor).map_err(|error| ParseError::new(None, error))?;
    match command(&mut cursor) {
        Ok(command) => Ok(Tagged { tag, command }),
        Err(error) => Err(ParseError::new(Some(tag), error)),
    }
}

fn command(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    cursor.sp()?;
    let offset = cursor.offset();
    let name = cursor.atom("a command")?.to_ascii_uppercase();
    let command = bare(&name)
        .map(Ok)
        .or_else(|| about_session(cursor, &name))
        .or_else(|| about_mailboxes(cursor, &name))
        .or_else(|| about_messages(cursor, &name))
        .unwrap_or(Err(SyntaxError { what: What::UnknownCommand, offset }))?;
    // The line of APPEND may go on behind a literal, which is not here.
    if !matches!(command, Command::Append(_) | Command::Replace(_)) {
        cursor.end()?;
    }
    Ok(command)
}

/// Commands without arguments.
fn bare(name: &str) -> Option<Command> {
    Some(match name {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge,
        _ => return None,
    })
}

fn about_session(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Command>> {
    Some(match name {
        "ID" => auth::id(cursor).map(Command::Id),
        "AUTHENTICATE" => auth::authenticate(cursor).map(Command::Authenticate),
        "LOGIN" => auth::login(cursor).map(Command::Login),
        "ENABLE" => auth::enable(cursor).map(Command::Enable),
        "COMPRESS" => compress::compress(cursor).map(Command::Compress),
        _ => return None,
    })
}

fn about_mailboxes(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Command>> {
    Some(match name {
        "SELECT" => select::select(cursor, false).map(Command::Select),
        "EXAMINE" => select::select(cursor, true).map(Command::Select),
        "CREATE" => mailbox::create(cursor).map(Command::Create),
        "DELETE" => mailbox::one(cursor).map(Command::Delete),
        "RENAME" => mailbox::rename(cursor).map(Command::Rename),
        "SUBSCRIBE" => mailbox::one(cursor).map(Command::Subscribe),
        "UNSUBSCRIBE" => mailbox::one(cursor).map(Command::Unsubscribe),
        "LIST" => list::list(cursor).map(Command::List),
        "LSUB" => list::lsub(cursor).map(Command::Lsub),
        "STATUS" => status::status(cursor).map(Command::Status),
        "GETMETADATA" => metadata::get_metadata(cursor).map(Command::GetMetadata),
        "SETMETADATA" => metadata::set_metadata(cursor).map(Command::SetMetadata),
        "SETACL" => acl::set_acl(cursor).map(Command::SetAcl),
        "DELETEACL" => acl::entry(cursor).map(Command::DeleteAcl),
        "GETACL" => mailbox::one(cursor).map(Command::GetAcl),
        "LISTRIGHTS" => acl::entry(cursor).map(Command::ListRights),
        "MYRIGHTS" => mailbox::one(cursor).map(Command::MyRights),
        "GETQUOTA" => quota::get_quota(cursor).map(Command::GetQuota),
        "GETQUOTAROOT" => mailbox::one(cursor).map(Command::GetQuotaRoot),
        "SETQUOTA" => quota::set_quota(cursor).map(Command::SetQuota),
        "ESEARCH" => multi_search::multi_search(cursor).map(Command::MultiSearch),
        "NOTIFY" => notify::notify(cursor).map(Command::Notify),
        "APPEND" => append::append(cursor).map(Command::Append),
        _ => return None,
    })
}

fn about_messages(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Command>> {
    if name == "UID" {
        return Some(uid(cursor));
    }
    by_set(cursor, name, false)
}

/// ```abnf
/// uid = "UID" SP (copy / move / fetch / replace / search / sort / store / thread / uid-expunge)
/// ```
fn uid(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    cursor.sp()?;
    let offset = cursor.offset();
    let name = cursor.atom("a command")?.to_ascii_uppercase();
    if name == "EXPUNGE" {
        return message::uid_expunge(cursor).map(Command::UidExpunge);
    }
    by_set(cursor, &name, true).unwrap_or(Err(SyntaxError { what: What::UnknownCommand, offset }))
}

/// Commands that also exist behind `UID`.
fn by_set(cursor: &mut Cursor<'_>, name: &str, uid: bool) -> Option<Parsed<Command>> {
    Some(match name {
        "COPY" => message::copy(cursor, uid).map(Command::Copy),
        "MOVE" => message::copy(cursor, uid).map(Command::Move),
        "REPLACE" => replace::replace(cursor, uid).map(Command::Replace),
        "STORE" => message::store(cursor, uid),
        "FETCH" => fetch::fetch(cursor, uid).map(Command::Fetch),
        "SEARCH" => search::search(cursor, uid).map(Command::Search),
        "SORT" => sort::sort(cursor, uid).map(Command::Sort),
        "THREAD" => thread::thread(cursor, uid).map(Command::Thread),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_without_arguments() {
        let read = |line: &str| parse_command(line.as_bytes());
        let logout = read("A023 LOGOUT\r\n").unwrap();
        assert_eq!((logout.tag.as_str(), logout.command), ("A023", Command::Logout));
        for (name, command) in [
            ("capability", Command::Capability),
            ("NOOP", Command::Noop),
            ("STARTTLS", Command::StartTls),
            ("Namespace", Command::Namespace),
            ("IDLE", Command::Idle),
            ("CHECK", Command::Check),
            ("CLOSE", Command::Close),
            ("UNSELECT", Command::Unselect),
            ("EXPUNGE", Command::Expunge),
        ] {
            assert_eq!(read(&format!("a {name}\r\n")).unwrap().command, command);
            assert!(read(&format!("a {name} \r\n")).is_err());
            assert!(read(&format!("a {name}")).is_err());
        }
    }

    #[test]
    fn errors_carry_the_tag_and_the_place() {
        let error = |line: &[u8]| parse_command(line).unwrap_err();
        let unknown = error(b"A1 FROBNICATE x\r\n");
        assert_eq!(
            (unknown.tag.unwrap().as_str(), unknown.what, unknown.offset),
            ("A1", What::UnknownCommand, 3)
        );
        assert_eq!(error(b"A1 UID NOOP\r\n").what, What::UnknownCommand);
        assert_eq!(error(b"A1 UID CAPABILITY\r\n").offset, 7);
        assert_eq!(error(b"+1 NOOP\r\n").tag, None);
        assert_eq!(error(b"\r\n").tag, None);
        assert_eq!(error(b"A1\r\n").tag.unwrap().as_str(), "A1");
        assert_eq!(error(b"A1 SELECT a/../b\r\n").what, What::MailboxName);
        assert_eq!(
            error(b"A1 NOOP\r\nA2 NOOP\r\n").to_string(),
            "expected the end of the line at byte 7"
        );
    }

    /// Lines close to real ones, so that bytes reach every parser.
    fn likely_line() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            "[a-z0-9*:,.]{0,6}",
            prop::sample::select(vec![
                "UID",
                "FETCH",
                "SEARCH",
                "SORT",
                "THREAD",
                "REFERENCES",
                "(DATE)",
                "$",
                "STORE",
                "LIST",
                "RETURN",
                "STATUS",
                "APPEND",
                "ID",
                "NIL",
                "LOGIN",
                "AUTHENTICATE",
                "CREATE",
                "ENABLE",
                "+FLAGS.SILENT",
                "\\Seen",
                "BODY[",
                "HEADER.FIELDS",
                "]",
                "<1.2>",
                "(",
                ")",
                "\"",
                "\"a\"",
                "{1}\r\na",
                "{3+}\r\n",
                "NOT",
                "OR",
                "HEADER",
                "SINCE",
                "1-Feb-1994",
                "CHARSET",
                "UTF-8",
                "1:*",
                "&",
                "&Jjo-",
                "\"17-Jul-1996 02:44:25 -0700\"",
                "%",
            ])
            .prop_map(str::to_owned),
        ];
        proptest::collection::vec((word, "[ ]?"), 0..14)
            .prop_map(|words| words.into_iter().flat_map(|(word, space)| [word, space]).collect())
    }

    proptest! {
        #[test]
        fn never_panics_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_command(&bytes);
            for part in [None, Some(CatPart::Text)] {
                let _ = parse_append_line(&bytes, AppendLiteral { binary: true, utf8: false, part });
            }
            let _ = parse_sasl_response(&bytes);
        }

        #[test]
        fn never_panics_on_likely_lines(line in likely_line()) {
            let line = format!("a {line}\r\n");
            if let Err(error) = parse_command(line.as_bytes()) {
                prop_assert!(error.offset <= line.len());
                prop_assert!(error.tag.is_some());
            }
        }
    }
}
