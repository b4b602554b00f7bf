//! MULTIAPPEND (RFC 3502): several messages in one APPEND, all of them or none.

use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::run;

/// `{n+}` and the octets.
pub(super) fn literal(content: &str) -> String {
    format!("{{{}+}}\r\n{content}", content.len())
}

/// A message of a conversation that began with `first`.
fn answer(subject: &str, first: &str) -> String {
    format!(
        "From: a@client.example\r\nMessage-ID: <{subject}@client.example>\r\n\
         In-Reply-To: <{first}@client.example>\r\nSubject: Re: {first}\r\n\r\n{subject}\r\n"
    )
}

#[tokio::test]
async fn the_example_of_the_rfc() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.ok("CREATE saved-messages").await;
    // RFC 3502 §6.3.11, with shorter messages.
    let first = "Subject: afternoon meeting\r\n\r\nHello Joe, do you think we can meet?\r\n";
    imap.send(format!("A003 APPEND saved-messages (\\Seen) {{{}}}\r\n", first.len())).await;
    assert!(imap.response().await.starts_with("+ "));
    let second = "Subject: Re: afternoon meeting\r\n\r\n3:30 is fine with me.\r\n";
    let date = "\" 7-Feb-1994 22:43:04 -0800\"";
    imap.send(format!("{first} (\\Seen) {date} {{{}}}\r\n", second.len())).await;
    assert!(imap.response().await.starts_with("+ "));
    imap.send(format!("{second}\r\n")).await;
    let done = imap.until("A003").await.done;
    assert!(done.starts_with("OK [APPENDUID ") && done.contains(" 1:2] "), "{done}");
    imap.ok("SELECT saved-messages").await;
    assert!(imap.literal("FETCH 1 BODY.PEEK[]").await == first.as_bytes());
    assert!(imap.literal("FETCH 2 BODY.PEEK[]").await == second.as_bytes());
    let told = imap.brings("FETCH 1:2 FLAGS").await;
    assert!(told.iter().all(|line| line.contains("\\Seen")), "{told:?}");
    let date = imap.brings("FETCH 2 INTERNALDATE").await;
    assert_eq!(date, ["* 2 FETCH (INTERNALDATE \" 8-Feb-1994 06:43:04 +0000\")"]);
}

#[tokio::test]
async fn they_come_in_order_and_know_one_another() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    // The larger ones are cut apart on their way; each answers the first.
    let mut command = "a APPEND INBOX".to_owned();
    for n in 0..70 {
        let text = answer(&format!("n{n}"), "n0") + &"x".repeat(n * 900);
        command.extend([format!(" (k{n}) "), literal(&text)]);
    }
    imap.send(command + "\r\n").await;
    let reply = imap.until("a").await;
    assert_eq!(reply.untagged, ["* 70 EXISTS", "* 70 RECENT"]);
    assert!(reply.done.contains(" 1:70] "), "{reply:?}");
    for n in [0, 1, 33, 69] {
        let found = imap.brings(&format!("UID SEARCH KEYWORD k{n}")).await;
        assert_eq!(found, [format!("* SEARCH {}", n + 1)]);
    }
    let threads = imap.brings("UID THREAD REFERENCES UTF-8 1:3").await;
    assert_eq!(threads.len(), 1);
    let ids = imap.brings("FETCH 1:70 THREADID").await;
    let thread = |line: &String| line.split_once("THREADID (").unwrap().1.to_owned();
    assert!(ids.iter().all(|line| thread(line) == thread(&ids[0])), "{ids:?}");
}

#[tokio::test]
async fn all_or_none() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    let one = literal("A: b\r\n\r\nc\r\n");
    // Taken back (RFC 3502 §6.3.11), asked for and not.
    imap.send(format!("a APPEND INBOX {one} (\\Seen) {{0}}\r\nb NOOP\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("NO "));
    assert!(imap.until("b").await.untagged.is_empty());
    imap.send(format!("a APPEND INBOX {one} {{0+}}\r\n\r\nb NOOP\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("NO "));
    assert!(imap.until("b").await.untagged.is_empty());
    // Wrong in the middle, and what comes unasked behind it.
    for bad in ["(\\Foo) ", "x ", "\"\" "] {
        imap.send(format!("a APPEND INBOX {one} {bad}{one} {one}\r\nb NOOP\r\n")).await;
        assert!(imap.until("a").await.done.starts_with("BAD "), "{bad}");
        assert!(imap.until("b").await.untagged.is_empty());
    }
    // Too big, before it is sent.
    imap.send(format!("a APPEND INBOX {one} {{52428801}}\r\nb NOOP\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("NO [TOOBIG] "));
    assert!(imap.until("b").await.untagged.is_empty());
    imap.send(format!("a APPEND INBOX {one} {{99999999999+}}\r\n")).await;
    let rest = imap.rest().await;
    assert!(rest.contains("a NO [TOOBIG]") && rest.contains("* BYE"), "{rest}");
}

#[tokio::test]
async fn over_quota_nothing_is_stored() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let limit = format!("UPDATE email_addresses SET quota_messages = 3 WHERE address = '{ann}'");
    run(&server().await.pool, &limit).await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    // Related ones are stored one after the other; the fourth is one too many.
    let all: String =
        (0..4).map(|n| format!(" {}", literal(&answer(&format!("q{n}"), "q0")))).collect();
    imap.send(format!("a APPEND INBOX{all}\r\n")).await;
    let reply = imap.until("a").await;
    assert!(reply.done.starts_with("NO [OVERQUOTA] ") && reply.untagged.is_empty(), "{reply:?}");
    let status = imap.brings("STATUS INBOX (MESSAGES SIZE UIDNEXT)").await;
    assert_eq!(status, ["* STATUS INBOX (MESSAGES 0 SIZE 0 UIDNEXT 1)"]);
    let three = all.rsplit_once(" {").unwrap().0;
    imap.send(format!("a APPEND INBOX{three}\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("OK "));
}

#[tokio::test]
async fn there_is_an_end_to_their_number() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    let many = " {4+}\r\nA: b".repeat(501);
    imap.send(format!("a APPEND INBOX{many}\r\nb NOOP\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("NO [LIMIT] "));
    assert!(imap.until("b").await.untagged.is_empty());
}
