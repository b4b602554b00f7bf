//! Raw bytes from somebody who means no good (security rules 11, 13, 22, 26).

use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, server};

#[tokio::test]
async fn nobody_logs_in_in_plain_text() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::greeted(server().await.at.imap_starttls.unwrap()).await;
    let can = imap.brings("CAPABILITY").await;
    assert!(can[0].contains("LOGINDISABLED") && !can[0].contains("AUTH="), "{can:?}");
    let refused = imap.fails(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
    assert!(refused.starts_with("NO [PRIVACYREQUIRED]"), "{refused}");
    assert!(imap.fails("AUTHENTICATE PLAIN =").await.starts_with("NO [PRIVACYREQUIRED]"));
}

#[tokio::test]
async fn starttls_forgets_what_was_said_before() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::greeted(server().await.at.imap_starttls.unwrap()).await;
    // Commands put into the plain text behind STARTTLS (CVE-2011-0411).
    imap.send(format!("a STARTTLS\r\nb LOGIN {ann} \"{PASSWORD}\"\r\nc NOOP\r\n")).await;
    assert!(imap.response().await.starts_with("a OK"));
    let mut imap = imap.handshake().await;
    let reply = imap.run("CAPABILITY").await;
    assert!(reply.untagged[0].contains("AUTH=PLAIN"), "{reply:?}");
    assert!(!reply.untagged[0].contains("STARTTLS"), "{reply:?}");
    assert!(imap.fails("SELECT INBOX").await.starts_with("BAD"), "nobody has logged in");
    assert!(imap.fails("STARTTLS").await.starts_with("BAD"));
}

#[tokio::test]
async fn three_bad_commands_before_login_are_enough() {
    let mut imap = Imap::tls().await;
    imap.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nd NOOP\r\n").await;
    let rest = imap.rest().await;
    assert!(rest.contains("* BYE") && !rest.contains("d OK"), "{rest}");
}

#[tokio::test]
async fn literal_bombs_before_login() {
    // Waiting to be asked for it: never asked.
    let mut imap = Imap::tls().await;
    imap.send("a LOGIN {1025}\r\n").await;
    assert!(imap.until("a").await.done.starts_with("BAD"));
    // Sent unasked: not even listened to.
    let mut imap = Imap::tls().await;
    imap.send("a LOGIN {1000000000+}\r\n").await;
    let rest = imap.rest().await;
    assert!(rest.contains("a BAD") && rest.contains("* BYE"), "{rest}");
    // Many small ones.
    let mut imap = Imap::tls().await;
    imap.send(["a LOGIN".to_owned(), " {1+}\r\nx".repeat(50), "\r\n".to_owned()].concat()).await;
    assert!(imap.until("a").await.done.starts_with("BAD"));
    // A line without end.
    let mut imap = Imap::tls().await;
    imap.send([&b"a LOGIN "[..], &[b'x'; 9000], b"\r\n"].concat()).await;
    assert!(imap.until("a").await.done.starts_with("BAD"));
}

#[tokio::test]
async fn literal_bombs_after_login() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    assert!(imap.fails("SEARCH TEXT {200000}").await.starts_with("BAD"));
    let many = " TEXT {1+}\r\nx".repeat(1001);
    imap.send(format!("a SEARCH{many}\r\nb NOOP\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("BAD"));
    assert!(imap.until("b").await.untagged.is_empty(), "the rest was skipped");
    let deep = "(".repeat(5000);
    assert!(imap.fails(&format!("SEARCH {deep}ALL")).await.starts_with("BAD"));
    let wide: Vec<String> = (0..8000).map(|n| (n * 2 + 1).to_string()).collect();
    imap.brings(&format!("UID FETCH {} FLAGS", wide.join(","))).await;
    imap.brings("UID SEARCH UID 1:4294967295").await;
}

#[tokio::test]
async fn commands_in_the_wrong_state() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    for command in ["SELECT INBOX", "FETCH 1 FLAGS", "IDLE", "APPEND INBOX {3+}\r\na:b", "CLOSE"] {
        let mut imap = Imap::tls().await;
        assert!(imap.fails(command).await.starts_with("BAD"), "{command}");
    }
    let mut imap = Imap::of(&ann).await;
    for command in ["FETCH 1 FLAGS", "CLOSE", "SEARCH ALL", "UID EXPUNGE 1", "STARTTLS"] {
        assert!(imap.fails(command).await.starts_with("BAD"), "{command}");
    }
    assert!(imap.fails(&format!("LOGIN {ann} \"{PASSWORD}\"")).await.starts_with("BAD"));
    imap.brings("SELECT INBOX").await;
    assert!(imap.fails("SELECT Nowhere").await.starts_with("NO [NONEXISTENT]"));
    // A SELECT that fails leaves no mailbox open (RFC 3501 §6.3.1).
    assert!(imap.fails("FETCH 1 FLAGS").await.starts_with("BAD"));
}

#[tokio::test]
async fn names_are_keys_never_paths() {
    let tenant = server().await.tenant().await;
    let (ann, eve) = (tenant.mailbox("ann").await, tenant.mailbox("eve").await);
    let mut imap = Imap::of(&ann).await;
    imap.brings("CREATE secret").await;
    let mut imap = Imap::of(&eve).await;
    for name in ["../ann/secret", "..", "a/../b", "/etc/passwd", "./x", "a//b", "&AAA-", "&bad"] {
        for command in ["CREATE", "SELECT", "DELETE", "SUBSCRIBE"] {
            let done = imap.fails(&format!("{command} \"{name}\"")).await;
            assert!(done.starts_with("NO ["), "{command} {name}: {done}");
        }
    }
    assert!(imap.fails("SELECT secret").await.starts_with("NO [NONEXISTENT]"));
    let all = imap.brings("LIST \"\" *").await;
    assert!(!all.is_empty() && !all.iter().any(|line| line.contains("secret")), "{all:?}");
}

#[tokio::test]
async fn answers_are_not_made_of_what_the_client_says() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.send("a CREATE {11+}\r\nx\r\n* BYE \r\n\r\nb NOOP\r\n").await;
    let reply = imap.until("b").await;
    assert_eq!(reply.untagged.len(), 1, "{reply:?}");
    assert!(reply.untagged[0].starts_with("a NO [CANNOT]"), "{reply:?}");
    imap.send("\r\n(c) NOOP\r\n").await;
    for _ in 0..2 {
        assert!(imap.response().await.starts_with("* BAD"));
    }
}
