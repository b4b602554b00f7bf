//! SEARCH.

use std::time::Duration;

use crate::support::imap::Imap;
use crate::support::server::{Tenant, server};
use crate::support::sql::strings;
use crate::support::wait::until;

const ODD: &str = "From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <j.mueller@client.example>, second@client.example\r\n\
    To: undisclosed:;\r\nCc: Carla <carla@client.example>\r\nBcc: hidden@client.example\r\n\
    Date: Tue, 1 Feb 1994 23:30:00 -0700\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\n\
    X-Folded: one\r\n two\r\nX-Odd: back\\slash\r\n\r\nNothing but a needle, in HAY.\r\n";

async fn mailbox() -> (Tenant, Imap) {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "(\\Seen)", "alpha").await;
    let done =
        imap.append("INBOX", "(\\Flagged work) \"02-Feb-1994 12:00:00 +0000\"", ODD.as_bytes());
    assert!(done.await.starts_with("OK"));
    imap.put("INBOX", "(\\Deleted \\Answered)", "gamma").await;
    imap.brings("SELECT INBOX").await;
    (tenant, imap)
}

/// Waits until every message of the organisation is in the index.
async fn indexed(tenant: &Tenant) {
    let missing = format!(
        "SELECT m.id::text FROM {0}.emails m LEFT JOIN {0}.email_search x USING (id) WHERE x.id IS NULL",
        tenant.schema
    );
    let all = async || strings(&server().await.pool, &missing).await.is_empty();
    until("indexed", Duration::from_mins(1), all).await;
}

#[tokio::test]
async fn every_key_finds_what_it_means() {
    let (tenant, mut imap) = mailbox().await;
    check_every_key(&mut imap).await;
    indexed(&tenant).await;
    check_every_key(&mut imap).await;
    let refused = imap.fails("SEARCH CHARSET KOI8-R ALL").await;
    assert!(refused.starts_with("NO [BADCHARSET (US-ASCII UTF-8)]"), "{refused}");
}

async fn check_every_key(imap: &mut Imap) {
    for (keys, found) in [
        ("ALL", "1 2 3"),
        ("SEEN", "1"),
        ("UNSEEN", "2 3"),
        ("FLAGGED UNANSWERED", "2"),
        ("NOT DELETED", "1 2"),
        ("KEYWORD WORK", "2"),
        ("UNKEYWORD work", "1 3"),
        ("NEW", "2 3"),
        ("OLD", ""),
        ("FROM ann", "1 3"),
        ("FROM \"J\u{dc}RGEN\"", "2"),
        ("FROM second@", "2"),
        ("TO bob@", "1 3"),
        ("CC carla", "2"),
        ("BCC hidden", "2"),
        ("SUBJECT \"gr\u{fc}\u{df}e\"", "2"),
        ("BODY needle", "2"),
        ("TEXT hay", "2"),
        ("TEXT \"x-folded\"", "2"),
        ("HEADER X-Folded \"one two\"", "2"),
        ("HEADER X-FOLDED \"\"", "2"),
        ("HEADER X-Odd \"back\\\\slash\"", "2"),
        ("HEADER Subject \"gr\u{fc}\u{df}\"", "2"),
        ("HEADER Message-ID <alpha@client.example>", "1"),
        ("HEADER X-None \"\"", ""),
        ("SENTON 1-Feb-1994", "2"),
        ("SENTSINCE 2-Feb-1994", "1 3"),
        ("SENTBEFORE 17-Jul-1996", "2"),
        ("ON 2-Feb-1994", "2"),
        ("SINCE 3-Feb-1994", "1 3"),
        ("BEFORE 3-Feb-1994", "2"),
        ("OLDER 86400", "2"),
        ("YOUNGER 86400", "1 3"),
        ("NOT OLDER 600", "1 3"),
        ("SAVEDATESUPPORTED", "1 2 3"),
        ("SAVEDSINCE 3-Feb-1994", "1 2 3"),
        ("SAVEDBEFORE 3-Feb-1994", ""),
        ("SAVEDON 2-Feb-1994", ""),
        ("EMAILID M00000001", ""),
        ("NOT THREADID T8", "1 2 3"),
        ("LARGER 250", "2"),
        ("SMALLER 250", "1 3"),
        ("2:*", "2 3"),
        ("UID 1,3", "1 3"),
        ("OR SUBJECT alpha (FLAGGED NOT SEEN)", "1 2"),
        ("NOT (OR SEEN FLAGGED)", "3"),
        ("NOT SENTSINCE 1-Jan-1995 2:3", "2"),
        ("CHARSET UTF-8 BODY needle", "2"),
    ] {
        let expected = format!("* SEARCH {found}");
        assert_eq!(imap.brings(&format!("SEARCH {keys}")).await, [expected.trim_end()], "{keys}");
    }
}

#[tokio::test]
async fn the_index_holds_all_text_whatever_its_case_and_length() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let long = "Some words that stand before.\r\n".repeat(5000);
    let people: String = (0..300).map(|n| format!(" p{n}@client.example,\r\n")).collect();
    let message = format!(
        "From: a@client.example\r\nTo:{people} last@client.example\r\nSubject: Long\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         {long}\u{416}\u{443}\u{440}\u{43d}\u{430}\u{43b} of the far end, f\u{e9}\u{df}\r\n"
    );
    assert!(imap.append("INBOX", "", message.as_bytes()).await.starts_with("OK"));
    imap.put("INBOX", "", "other").await;
    imap.brings("SELECT INBOX").await;
    indexed(&tenant).await;
    for (keys, found) in [
        ("BODY \"far end\"", " 1"),
        ("TEXT \"FAR END\"", " 1"),
        ("BODY \"\u{436}\u{423}\u{420}\u{41d}\"", " 1"),
        ("BODY \"F\u{c9}\u{df}\"", " 1"),
        ("BODY \"f\u{e9}\"", " 1"),
        ("BODY \"\u{e9}\"", " 1"),
        ("BODY \"near end\"", ""),
        ("BODY x", ""),
        ("BODY b", " 1 2"),
        ("TO p299@client", " 1"),
        ("TO last@", " 1"),
        ("TO subject", ""),
        ("HEADER To P150", " 1"),
        ("SUBJECT subject", ""),
        ("SUBJECT \"\"", " 1 2"),
        ("BCC \"\"", ""),
        ("NOT BODY \"far end\"", " 2"),
        ("OR BODY \"far end\" SUBJECT OTHER", " 1 2"),
    ] {
        let expected = [format!("* SEARCH{found}")];
        assert_eq!(imap.brings(&format!("SEARCH {keys}")).await, expected, "{keys}");
    }
}

#[tokio::test]
async fn what_is_searched_for_is_never_sql() {
    let (tenant, mut imap) = mailbox().await;
    indexed(&tenant).await;
    for text in ["'", "%", "_", "\\\\", "$1", "'; DROP TABLE emails; --", "(", ".*", "[a"] {
        for key in ["SUBJECT", "TEXT", "FROM", "HEADER Subject"] {
            imap.brings(&format!("SEARCH {key} \"{text}\"")).await;
        }
    }
    for name in ["(", "a|b", ".*", "[", "a{9}", "$", "^"] {
        let reply = imap.brings(&format!("SEARCH HEADER \"{name}\" \"\"")).await;
        assert_eq!(reply, ["* SEARCH"], "{name} is no pattern");
    }
    imap.brings(&format!("SEARCH {}ALL", "NOT ".repeat(50))).await;
    imap.brings(&format!("SEARCH {}", vec!["SUBJECT x"; 900].join(" "))).await;
}

#[tokio::test]
async fn only_what_the_client_knows_is_found() {
    let (_, mut imap) = mailbox().await;
    assert_eq!(imap.brings("UID SEARCH UID 2:*").await, ["* SEARCH 2 3"]);
    let reply = imap.brings("SEARCH 9").await;
    assert_eq!(reply, ["* SEARCH"]);
}
