//! SORT (RFC 5256), SORT=DISPLAY (RFC 5957), ESORT (RFC 5267).

use crate::support::imap::Imap;
use crate::support::server::server;

async fn mailbox() -> Imap {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for (from, to, subject, date, arrival, padding) in [
        (
            "Zoe <anna@z.example>",
            "x@a.example",
            "Re: beta",
            "2 Feb 1994 10:00:00 +0000",
            "03-Feb-1994",
            10,
        ),
        (
            "Adam <zed@a.example>",
            "Bea <y@a.example>",
            "alpha",
            "1 Feb 1994 23:00:00 -0500",
            "01-Feb-1994",
            300,
        ),
        (
            "\"\u{e9}mile\" <mid@a.example>",
            "a@a.example",
            "[list] Fwd: BETA",
            "1 Feb 1994 23:00:00 +0000",
            "02-Feb-1994",
            10,
        ),
    ] {
        let message = format!(
            "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nSubject: {subject}\r\n\r\n{}\r\n",
            "x".repeat(padding)
        );
        let options = format!("() \"{arrival} 12:00:00 +0000\"");
        assert!(imap.append("INBOX", &options, message.as_bytes()).await.starts_with("OK"));
    }
    imap.brings("SELECT INBOX").await;
    imap
}

#[tokio::test]
async fn every_key_sorts() {
    let mut imap = mailbox().await;
    for (criteria, expected) in [
        ("ARRIVAL", "2 3 1"),
        ("REVERSE ARRIVAL", "1 3 2"),
        ("DATE", "3 2 1"),
        ("FROM", "1 3 2"),
        ("DISPLAYFROM", "2 3 1"),
        ("TO", "3 1 2"),
        ("DISPLAYTO", "3 2 1"),
        ("CC", "1 2 3"),
        ("REVERSE CC", "1 2 3"),
        ("SUBJECT", "2 1 3"),
        ("SUBJECT REVERSE DATE", "2 1 3"),
        ("REVERSE SUBJECT DATE", "3 1 2"),
    ] {
        let sorted = imap.brings(&format!("SORT ({criteria}) UTF-8 ALL")).await;
        assert_eq!(sorted, [format!("* SORT {expected}")], "{criteria}");
    }
    let sizes = imap.brings("UID SORT (REVERSE SIZE) US-ASCII ALL").await;
    assert!(sizes[0].starts_with("* SORT 2 "), "{sizes:?}");
    assert_eq!(imap.brings("SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"").await, ["* SORT"]);
    assert_eq!(imap.brings("SORT (DATE) UTF-8 2:3").await, ["* SORT 3 2"]);
    let refused = imap.fails("SORT (DATE) KOI8-R ALL").await;
    assert!(refused.starts_with("NO [BADCHARSET (US-ASCII UTF-8)]"), "{refused}");
}

#[tokio::test]
async fn a_sorted_result_can_be_asked_for_in_part() {
    let mut imap = mailbox().await;
    for (command, expected) in [
        ("UID SORT RETURN () (REVERSE DATE) UTF-8 ALL", " UID ALL 1,2,3"),
        ("UID SORT RETURN (MIN MAX COUNT) (DATE) UTF-8 ALL", " UID MIN 3 MAX 1 COUNT 3"),
        ("SORT RETURN (PARTIAL 2:3) (DATE) UTF-8 ALL", " PARTIAL (2:3 2,1)"),
        ("SORT RETURN (PARTIAL -1:-1) (DATE) UTF-8 ALL", " PARTIAL (-1:-1 1)"),
    ] {
        let told = imap.brings(command).await;
        assert!(told[0].ends_with(&format!("\"){expected}")), "{told:?}");
        assert!(told[0].starts_with("* ESEARCH (TAG "), "{told:?}");
    }
    assert!(imap.brings("SORT RETURN (SAVE) (DATE) UTF-8 2:3").await.is_empty());
    assert_eq!(imap.brings("SEARCH $").await, ["* SEARCH 2 3"]);
}

/// RFC 7162 §3.1.9.
#[tokio::test]
async fn a_search_for_modseqs_tells_the_highest_when_sorted_too() {
    let mut imap = mailbox().await;
    imap.brings("ENABLE CONDSTORE").await;
    let fetched = imap.brings("FETCH 1,3 (MODSEQ)").await;
    let of = |line: &str| -> u64 {
        line.split("MODSEQ (").nth(1).unwrap().split(')').next().unwrap().parse().unwrap()
    };
    let (first, last) = (of(&fetched[0]), of(&fetched[1]));
    assert!(first < last, "{fetched:?}");
    let sorted = imap.brings(&format!("SORT (ARRIVAL) UTF-8 MODSEQ {first} 1:2")).await;
    assert_eq!(sorted, [format!("* SORT 2 1 (MODSEQ {})", first + 1)]);
    let some = imap.brings("SORT RETURN (MAX) (DATE) UTF-8 MODSEQ 1").await;
    assert!(some[0].ends_with(&format!(" MAX 1 MODSEQ {first}")), "{some:?}");
    let threads = imap.brings("THREAD REFERENCES UTF-8 MODSEQ 1 1").await;
    assert_eq!(threads, ["* THREAD (1)"]);
}
