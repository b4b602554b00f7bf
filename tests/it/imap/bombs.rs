//! Commands that are small and ask for much: what they cost is bounded, and the session goes on.

use std::time::{Duration, Instant};

use crate::support::imap::Imap;
use crate::support::server::server;

/// What a command may take, under the load of all tests at once.
const QUICK: Duration = Duration::from_secs(5);

/// Ann's INBOX, with one message in it.
async fn inbox() -> Imap {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "one").await;
    imap.ok("SELECT INBOX").await;
    imap
}

/// The command is answered soon, with this, and the next one is answered too.
async fn answered(imap: &mut Imap, command: &str, expected: &str) {
    let began = Instant::now();
    let reply = imap.run(command).await;
    let begin: String = command.chars().take(60).collect();
    assert!(reply.done.starts_with(expected), "{begin}: {:?}", reply.done);
    assert!(began.elapsed() < QUICK, "{begin}: {:?}", began.elapsed());
    imap.ok("NOOP").await;
}

#[tokio::test]
async fn keys_within_keys() {
    let mut imap = inbox().await;
    for key in ["(", "NOT ", "OR ALL ", "OR (", "FUZZY ", "UID ", "NOT ("] {
        let deep = key.repeat(30_000 / key.len());
        answered(&mut imap, &format!("SEARCH {deep}ALL"), "BAD").await;
        answered(&mut imap, &format!("UID SEARCH RETURN (ALL) {deep}ALL"), "BAD").await;
    }
    for lists in ["FETCH 1 ", "STORE 1 FLAGS ", "LIST ", "STATUS INBOX ", "SETMETADATA INBOX "] {
        let deep = "(".repeat(30_000);
        answered(&mut imap, &format!("{lists}{deep}"), "BAD").await;
        let closed = format!("{}FLAGS{}", "(".repeat(10_000), ")".repeat(10_000));
        answered(&mut imap, &format!("{lists}{closed}"), "BAD").await;
    }
    let parts = vec!["1"; 20_000].join(".");
    let reply = imap.run(&format!("FETCH 1 BODY.PEEK[{parts}]")).await;
    assert!(!reply.done.is_empty());
    imap.ok("NOOP").await;
}

#[tokio::test]
async fn sets_of_all_sizes() {
    let mut imap = inbox().await;
    for set in
        ["0", "0:1", "1:0", "4294967296", "1:99999999999999999999", "-1", "1:", ":1", "1,,1", ",1"]
    {
        answered(&mut imap, &format!("UID FETCH {set} FLAGS"), "BAD").await;
    }
    for set in ["4294967295:1", "*:*", "*,*,*", "1:*,1:*"] {
        answered(&mut imap, &format!("UID FETCH {set} FLAGS"), "OK").await;
    }
    let wide = vec!["1:*"; 15_000].join(",");
    for command in
        ["UID FETCH {} FLAGS", "UID SEARCH UID {}", "UID SEARCH NOT {}", "UID STORE {} +FLAGS (x)"]
    {
        answered(&mut imap, &command.replace("{}", &wide), "OK").await;
    }
    // From one end to the other, all the time.
    let far =
        (0..3_000).map(|n| format!("{}:{}", n + 1, u32::MAX - n)).collect::<Vec<_>>().join(",");
    answered(&mut imap, &format!("UID FETCH {far} FLAGS"), "OK").await;
    let apart = (0..5_000).map(|n| (n * 500_000_u64 + 1).to_string()).collect::<Vec<_>>().join(",");
    answered(&mut imap, &format!("UID SEARCH UID {apart}"), "OK").await;
}

#[tokio::test]
async fn patterns_that_begin_again_and_again() {
    let mut imap = inbox().await;
    let name = "a".repeat(200);
    imap.ok(&format!("CREATE {name}")).await;
    for star in ["*", "%", "*%", "*a%a", "%a*"] {
        let pattern = star.repeat(8_000 / star.len());
        for command in ["LIST \"\"", "LSUB \"\"", "LIST (SUBSCRIBED) \"\""] {
            answered(&mut imap, &format!("{command} \"{pattern}b\""), "").await;
        }
    }
    let many = vec!["*a*a*a*a*a*a*a*b"; 3_000].join(" ");
    answered(&mut imap, &format!("LIST \"\" ({many})"), "").await;
}

#[tokio::test]
async fn much_is_asked_of_one_message() {
    let mut imap = inbox().await;
    let items = vec!["BODY.PEEK[]"; 4_000].join(" ");
    answered(&mut imap, &format!("FETCH 1 ({items})"), "").await;
    let fields = vec!["Subject"; 6_000].join(" ");
    answered(&mut imap, &format!("FETCH 1 BODY.PEEK[HEADER.FIELDS ({fields})]"), "BAD").await;
    let words = (0..6_000).map(|n| format!("k{n}")).collect::<Vec<_>>().join(" ");
    answered(&mut imap, &format!("STORE 1 +FLAGS ({words})"), "").await;
    let keys = vec!["TEXT x"; 8_000].join(" ");
    answered(&mut imap, &format!("SEARCH {keys}"), "").await;
    let keys = vec!["HEADER a b"; 5_000].join(" ");
    answered(&mut imap, &format!("SEARCH {keys}"), "").await;
    answered(&mut imap, &format!("FETCH 1 BODY.PEEK[]<{}.{}>", u32::MAX, u32::MAX), "OK").await;
}

#[tokio::test]
async fn names_of_no_mailbox() {
    let mut imap = inbox().await;
    for name in [
        "{3+}\r\na\0b",
        "{4+}\r\na\r\nb",
        "{2+}\r\n\u{fc}",
        "{1+}\r\n\u{7f}",
        "{2+}\r\na\t",
        "\"&Jjo!\"",
        "\"&U,BTFw-&ZeVnLIqe-\"",
        "\"&AGE-\"",
        "\"&2D0-\"",
        "\"&\"",
        "\"a&\"",
    ] {
        for command in ["CREATE", "SELECT", "STATUS"] {
            let items = if command == "STATUS" { " (MESSAGES)" } else { "" };
            let reply = imap.run(&format!("{command} {name}{items}")).await;
            assert!(!reply.done.starts_with("OK"), "{command} {name:?}: {reply:?}");
            imap.ok("NOOP").await;
        }
    }
    let long = "x".repeat(30_000);
    answered(&mut imap, &format!("CREATE {long}"), "NO").await;
    let deep = vec!["x"; 10_000].join("/");
    answered(&mut imap, &format!("CREATE {deep}"), "NO").await;
    let all = imap.brings("LIST \"\" *").await;
    assert_eq!(
        all.iter().filter(|line| line.contains('x') && !line.contains("INBOX")).count(),
        0,
        "{all:?}"
    );
}
