//! OBJECTID (RFC 8474) and STATUS=SIZE (RFC 8438).

use crate::support::imap::Imap;
use crate::support::server::server;

/// What stands in parentheses behind `name`.
fn id(line: &str, name: &str) -> String {
    let (_, rest) = line.split_once(&format!("{name} (")).unwrap_or_else(|| panic!("{line}"));
    rest.split(')').next().unwrap().to_owned()
}

#[tokio::test]
async fn messages_and_mailboxes_keep_their_ids() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let made = id(&imap.run("CREATE Work").await.done, "[MAILBOXID");
    imap.put("INBOX", "", "one").await;
    imap.brings("SELECT INBOX").await;
    let here = imap.brings("FETCH 1 (EMAILID THREADID)").await;
    imap.brings("COPY 1 Work").await;
    imap.brings("RENAME Work Play").await;
    let status = imap.brings("STATUS Play (MAILBOXID SIZE MESSAGES)").await;
    assert_eq!(id(&status[0], "MAILBOXID"), made, "RFC 8474 section 4: a rename keeps it");
    let size = imap.brings("FETCH 1 RFC822.SIZE").await;
    let (_, octets) = size[0].split_once("RFC822.SIZE ").unwrap();
    assert!(status[0].contains(&format!(" SIZE {} MESSAGES 1)", octets.trim_end_matches(')'))));
    let opened = imap.brings("SELECT Play").await;
    assert!(opened.iter().any(|line| line.contains(&format!("[MAILBOXID ({made})]"))));
    let copy = imap.brings("UID FETCH 1 (EMAILID THREADID)").await;
    for name in ["EMAILID", "THREADID"] {
        assert_eq!(id(&here[0], name), id(&copy[0], name));
    }
    let found = imap.brings(&format!("SEARCH EMAILID {}", id(&here[0], "EMAILID"))).await;
    assert_eq!(found, ["* SEARCH 1"]);
}
