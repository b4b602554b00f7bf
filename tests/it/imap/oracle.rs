//! Another parser of IMAP beside ours, for what both know: imap-codec takes and refuses the same
//! commands, and reads what the server says.

use imap_codec::decode::Decoder as _;
use imap_codec::imap_types::command::{Command as Theirs, CommandBody};
use imap_codec::imap_types::response::{Data, Response};
use imap_codec::{CommandCodec, ResponseCodec};
use koltrix_mail::wire::imap::command::{Command, Tagged, parse_command};
use proptest::prelude::*;

use crate::support::imap::Imap;
use crate::support::server::server;

fn ours(line: &str) -> Option<Tagged<Command>> {
    parse_command(format!("{line}\r\n").as_bytes()).ok()
}

fn theirs(line: &str) -> Option<Theirs<'static>> {
    let line = format!("{line}\r\n");
    let (rest, command) = CommandCodec::default().decode(line.as_bytes()).ok()?;
    assert!(rest.is_empty(), "{line:?}");
    Some(imap_codec::imap_types::IntoStatic::into_static(command))
}

/// The numbers that a set names where 100 is the largest.
fn their_numbers(set: &imap_codec::imap_types::sequence::SequenceSet) -> Vec<u32> {
    let largest = std::num::NonZeroU32::new(100).unwrap();
    let mut numbers: Vec<u32> = set.iter(largest).map(std::num::NonZeroU32::get).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn our_numbers(set: &koltrix_mail::wire::imap::set::SequenceSet) -> Vec<u32> {
    let ranges = set.resolve(100);
    ranges.ranges().iter().flat_map(|&(from, to)| from..=to).collect()
}

fn sets() -> impl Strategy<Value = String> {
    let number = prop_oneof![(1..=100u32).prop_map(|n| n.to_string()), Just("*".to_owned())];
    let range = (number.clone(), number.clone()).prop_map(|(from, to)| format!("{from}:{to}"));
    prop::collection::vec(prop_oneof![number, range], 1..6).prop_map(|parts| parts.join(","))
}

proptest! {
    #[test]
    fn sets_mean_the_same(set in sets(), uid in any::<bool>()) {
        let line = format!("a {}FETCH {set} FLAGS", if uid { "UID " } else { "" });
        let Some(Tagged { command: Command::Fetch(our), .. }) = ours(&line) else {
            panic!("{line}")
        };
        let Some(Theirs { body: CommandBody::Fetch { sequence_set, uid: is_uid, .. }, .. }) = theirs(&line) else {
            panic!("{line}")
        };
        prop_assert_eq!(our.uid, is_uid);
        prop_assert_eq!(our_numbers(&our.set), their_numbers(&sequence_set));
    }
}

#[test]
fn the_same_commands_are_taken() {
    let taken = [
        "a CAPABILITY",
        "a NOOP",
        "a LOGOUT",
        "a LOGIN joe \"a \\\"quoted\\\" word\"",
        "a AUTHENTICATE PLAIN",
        "a AUTHENTICATE PLAIN AGEAYg==",
        "a SELECT INBOX",
        "a SELECT \"with space\"",
        "a SELECT INBOX (CONDSTORE)",
        "a EXAMINE &U,BTFw-",
        "a CREATE owatagusiam/blurdybloop",
        "a DELETE foo",
        "a RENAME blurdybloop sarasoop",
        "a SUBSCRIBE #news.comp",
        "a LIST \"\" \"*\"",
        "a LIST \"\" %",
        "a LSUB \"#news.\" \"comp.*\"",
        "a STATUS blurdybloop (UIDNEXT MESSAGES UIDVALIDITY UNSEEN RECENT HIGHESTMODSEQ)",
        "a CHECK",
        "a CLOSE",
        "a UNSELECT",
        "a EXPUNGE",
        "a UID EXPUNGE 3000:3002",
        "a SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
        "a UID SEARCH OR (SEEN DELETED) UNDRAFT LARGER 4000 HEADER X-A b",
        "a SEARCH YOUNGER 3600 UID 1:*",
        "a FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])",
        "a FETCH 1 (ENVELOPE BODYSTRUCTURE BODY.PEEK[1.2.MIME]<0.100> INTERNALDATE)",
        "a FETCH 1:* ALL",
        "a FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)",
        "a STORE 2:4 +FLAGS (\\Deleted $Work)",
        "a STORE 2 -FLAGS.SILENT \\Seen",
        "a STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)",
        "a COPY 2:4 MEETING",
        "a UID MOVE 42:69 foo",
        "a ENABLE CONDSTORE",
        "a ID NIL",
        "a ID (\"name\" \"sodr\" \"version\" \"19.34\")",
        "a NAMESPACE",
        "a IDLE",
        "a SORT (REVERSE DATE) UTF-8 ALL",
        "a THREAD REFERENCES US-ASCII SUBJECT x",
        "a GETQUOTA \"\"",
        "a GETQUOTAROOT INBOX",
        "a GETMETADATA INBOX /shared/comment",
    ];
    let tag = |line: &&str| ours(line).is_some_and(|our| our.tag.as_str() == "a");
    let lost: Vec<_> = taken.iter().filter(|line| theirs(line).is_none() || !tag(line)).collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn the_same_commands_are_refused() {
    let refused = [
        "a",
        "NOOP",
        "a  NOOP",
        "a NOOP ",
        "a NOOP x",
        "a+b NOOP",
        "a LOGIN joe",
        "a LOGIN joe pass word",
        "a LOGIN joe \"open",
        "a SELECT",
        "a SELECT a b",
        "a SELECT (INBOX)",
        "a RENAME one",
        "a LIST \"\"",
        "a STATUS INBOX",
        "a STATUS INBOX (NOTHING)",
        "a FETCH FLAGS",
        "a FETCH 0 FLAGS",
        "a FETCH 1:0 FLAGS",
        "a FETCH 1,,2 FLAGS",
        "a FETCH 4294967296 FLAGS",
        "a FETCH 1 (FLAGS",
        "a FETCH 1 (FLAGS  UID)",
        "a FETCH 1 BODY[0]",
        "a FETCH 1 BODY[HEADER.FIELDS ()]",
        "a STORE 1 FLAGS",
        "a STORE 1 *FLAGS (\\Seen)",
        "a STORE 1 +FLAGS (\\Seen",
        "a COPY 1",
        "a UID NOOP",
        "a SEARCH",
        "a SEARCH SINCE 32-Feb-1994",
        "a SEARCH SINCE 1-Foo-1994",
        "a SEARCH NOT",
        "a SEARCH OR ALL",
        "a SEARCH (ALL",
        "a SEARCH LARGER -1",
        "a UNKNOWN",
    ];
    let taken: Vec<_> = refused
        .iter()
        .map(|line| (line, ours(line).is_some(), theirs(line).is_some()))
        .filter(|(_, ours, theirs)| *ours || *theirs)
        .collect();
    assert!(taken.is_empty(), "line, by us, by them: {taken:#?}");
}

/// A message with what makes ENVELOPE and BODYSTRUCTURE hard.
const HARD: &str = "From: \"Quoted \\\"Name\\\"\" <ann@client.example>\r\n\
    To: group: a@x.example, =?utf-8?q?B=C3=B6b?= <b@x.example>;, c@x.example\r\n\
    Date: Wed, 17 Jul 1996 02:23:25 -0700\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
    Message-ID: <hard@client.example>\r\nIn-Reply-To: <one@client.example>\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Language: de, en\r\n\r\nHallo\r\n\
    --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: in@x.example\r\nSubject: inner\r\n\r\nInner.\r\n\
    --b\r\nContent-Type: application/pdf; name=\"a b.pdf\"\r\nContent-ID: <x@y>\r\n\
    Content-Disposition: attachment; filename=\"a b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    AAAA\r\n--b--\r\n";

#[tokio::test]
async fn what_the_server_says_is_read() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "(\\Seen $Work)", "one").await;
    assert!(imap.append("INBOX", "", HARD.as_bytes()).await.starts_with("OK"));
    let mut fetched = 0;
    for command in [
        "CAPABILITY",
        "ID NIL",
        "NAMESPACE",
        "LIST \"\" *",
        "LSUB \"\" *",
        "STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ SIZE)",
        "ENABLE CONDSTORE",
        "SELECT INBOX",
        "FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODY)",
        "FETCH 1:* (BODYSTRUCTURE MODSEQ)",
        "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[]<0.20> BODY.PEEK[1.MIME])",
        "SEARCH ALL",
        "SEARCH MODSEQ 1",
        "SORT (SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "GETQUOTAROOT INBOX",
        "COPY 1 Archive",
        "STORE 1 +FLAGS (\\Deleted)",
        "EXPUNGE",
        "FETCH 9 FLAGS",
        "CLOSE",
        "LOGOUT",
    ] {
        let mut lines = imap.command(command).await;
        let done = format!("t {}", lines.pop().unwrap());
        for line in lines.iter().chain([&done]) {
            let octets = format!("{line}\r\n");
            let (rest, response) = ResponseCodec::default()
                .decode(octets.as_bytes())
                .unwrap_or_else(|error| panic!("{command}: {line:?}: {error:?}"));
            assert!(rest.is_empty(), "{command}: {line:?}");
            fetched += usize::from(matches!(response, Response::Data(Data::Fetch { .. })));
        }
    }
    assert_eq!(fetched, 7, "two messages three times, and what STORE tells");
}
