//! GETMETADATA, SETMETADATA (RFC 5464), and METADATA in LIST (RFC 9590).

use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::run;

#[tokio::test]
async fn the_dialogs_of_rfc_5464_section_4() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    assert_eq!(
        imap.brings("GETMETADATA \"INBOX\" /private/comment").await,
        ["* METADATA INBOX (/private/comment NIL)"]
    );
    imap.brings("SETMETADATA INBOX (/private/comment \"My comment\" /shared/comment \"Its sunny outside!\")")
        .await;
    assert_eq!(
        imap.brings("GETMETADATA \"INBOX\" (/Private/Comment /shared/comment)").await,
        [
            "* METADATA INBOX (/private/comment \"My comment\" /shared/comment \"Its sunny outside!\")"
        ]
    );
    imap.brings(
        "SETMETADATA INBOX (/private/comment {33+}\r\nMy new comment across\r\ntwo lines.)",
    )
    .await;
    assert_eq!(
        imap.brings("GETMETADATA INBOX /private/comment").await,
        ["* METADATA INBOX (/private/comment {33}\r\nMy new comment across\r\ntwo lines.)"]
    );
    imap.brings("SETMETADATA INBOX (/private/comment NIL /shared/comment ~{2+}\r\n\0a)").await;
    assert_eq!(
        imap.brings("GETMETADATA INBOX (/private/comment /shared/comment)").await,
        ["* METADATA INBOX (/private/comment NIL /shared/comment ~{2}\r\n\0a)"]
    );
}

#[tokio::test]
async fn depth_and_size() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.brings(
        "SETMETADATA INBOX (/private/filters/values/small \"SMALLER 5000\" \
         /private/filters/values/boss \"FROM boss@example.com\" /private/filters/values/boss/x \"1\")",
    )
    .await;
    let values = "/private/filters/values";
    assert_eq!(
        imap.brings(&format!("GETMETADATA \"INBOX\" (DEPTH 1) ({values})")).await,
        [format!(
            "* METADATA INBOX ({values}/boss \"FROM boss@example.com\" {values}/small \"SMALLER 5000\")"
        )]
    );
    let all = imap.brings("GETMETADATA (DEPTH infinity) INBOX /private").await;
    assert!(all[0].contains("/boss/x \"1\""), "{all:?}");
    // Nothing is below, and nothing is said.
    assert!(imap.brings("GETMETADATA (DEPTH 1) INBOX /shared").await.is_empty());
    let reply = imap.run(&format!("GETMETADATA (MAXSIZE 15 DEPTH 1) INBOX {values}")).await;
    assert_eq!(reply.untagged, [format!("* METADATA INBOX ({values}/small \"SMALLER 5000\")")]);
    assert!(reply.done.starts_with("OK [METADATA LONGENTRIES 21]"), "{reply:?}");
}

#[tokio::test]
async fn the_server_has_annotations_too() {
    let tenant = server().await.tenant().await;
    let (ann, bob) = (tenant.mailbox("ann").await, tenant.mailbox("bob").await);
    let mut imap = Imap::of(&ann).await;
    imap.brings("SETMETADATA \"\" (/private/comment \"mine\")").await;
    assert!(
        imap.fails("SETMETADATA \"\" (/shared/comment \"x\")").await.starts_with("NO [NOPERM]")
    );
    run(
        &server().await.pool,
        &format!(
            "INSERT INTO {}.annotations (private, entry, value) VALUES (false, '/admin', 'mailto:a@b.example')",
            tenant.schema
        ),
    )
    .await;
    let admin = "/shared/admin \"mailto:a@b.example\"";
    let both = "GETMETADATA \"\" (/private/comment /shared/admin)";
    assert_eq!(
        imap.brings(both).await,
        [format!("* METADATA \"\" (/private/comment \"mine\" {admin})")]
    );
    let mut imap = Imap::of(&bob).await;
    assert_eq!(
        imap.brings(both).await,
        [format!("* METADATA \"\" (/private/comment NIL {admin})")]
    );
}

#[tokio::test]
async fn list_tells_them_of_every_folder() {
    // The example of RFC 9590 §3.
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let color = "/shared/vendor/cmu/cyrus-imapd/color";
    imap.brings("CREATE foo").await;
    imap.brings("CREATE foo/bar").await;
    imap.brings(&format!("SETMETADATA foo ({color} \"#b71c1c\")")).await;
    // It stays with the folder under another name.
    imap.brings("RENAME foo fuu").await;
    assert_eq!(
        imap.brings(&format!("LIST \"\" fuu* RETURN (METADATA (\"{color}\") CHILDREN)")).await,
        [
            "* LIST (\\HasChildren) \"/\" fuu".to_owned(),
            format!("* METADATA fuu ({color} \"#b71c1c\")"),
            "* LIST (\\HasNoChildren) \"/\" fuu/bar".to_owned(),
            format!("* METADATA fuu/bar ({color} NIL)"),
        ]
    );
}

#[tokio::test]
async fn what_is_too_much_is_refused_whole() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let large = "x".repeat(65_537);
    let set = format!("SETMETADATA INBOX (/private/a {{65537+}}\r\n{large})");
    assert!(imap.fails(&set).await.starts_with("NO [METADATA MAXSIZE 65536]"));
    for n in 0..10 {
        let entries: Vec<_> = (0..100).map(|i| format!("/private/{n}/{i} \"v\"")).collect();
        imap.brings(&format!("SETMETADATA INBOX ({})", entries.join(" "))).await;
    }
    let more = imap.fails("SETMETADATA Sent (/shared/a \"v\")").await;
    assert!(more.starts_with("NO [METADATA TOOMANY]"), "{more}");
    imap.brings("SETMETADATA INBOX (/private/0/0 NIL)").await;
    imap.brings("SETMETADATA Sent (/shared/a \"v\")").await;
    for (bad, refusal) in [
        ("GETMETADATA nowhere /shared/a", "NO [NONEXISTENT]"),
        ("SETMETADATA nowhere (/shared/a \"\")", "NO [NONEXISTENT]"),
        ("GETMETADATA ../INBOX /shared/a", "NO [CANNOT]"),
        ("GETMETADATA \"&AAA-\" /shared/a", "NO [CANNOT]"),
        ("GETMETADATA INBOX /shared/*", "BAD"),
        ("SETMETADATA INBOX (/vendor/a \"\")", "BAD"),
    ] {
        let done = imap.fails(bad).await;
        assert!(done.starts_with(refusal), "{bad}: {done}");
    }
}
