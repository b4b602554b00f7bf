//! PREVIEW (RFC 8970).

use crate::support::imap::Imap;
use crate::support::server::server;

#[tokio::test]
async fn the_beginning_of_the_text_is_told() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let html = "<html><head><title>No</title><style>p { color: red }</style></head>\
        <body><script>alert(1)</script><p>Gr&uuml;&szlig;e &amp;\r\n  so</p><!-- no --></body></html>";
    let long = "lorem ipsum ".repeat(100);
    for (kind, body) in [
        ("text/plain", "Hello,\r\n\r\n  \"you\"\tthere.\r\n"),
        ("text/html; charset=utf-8", html),
        ("image/png", "no text"),
        ("text/plain", long.as_str()),
        ("text/plain; charset=utf-8", ""),
    ] {
        let message = format!("MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}");
        assert!(imap.append("INBOX", "", message.as_bytes()).await.starts_with("OK"));
    }
    assert!(imap.brings("CAPABILITY").await[0].contains(" PREVIEW"));
    imap.brings("SELECT INBOX").await;
    let told = imap.brings("FETCH 1:5 (PREVIEW)").await;
    let long = "lorem ipsum ".repeat(17);
    let expected = [
        "* 1 FETCH (PREVIEW \"Hello, \\\"you\\\" there.\")",
        "* 2 FETCH (PREVIEW {12}\r\nGrüße & so)",
        "* 3 FETCH (PREVIEW \"\")",
        &format!("* 4 FETCH (PREVIEW \"{}\")", long[..200].trim_end()),
        "* 5 FETCH (PREVIEW \"\")",
    ];
    assert_eq!(told, expected);
    assert_eq!(imap.brings("FETCH 1:5 (PREVIEW (LAZY))").await, expected);
    assert_eq!(imap.brings("FETCH 3 PREVIEW (LAZY)").await, expected[2..3]);
    let with_more = imap.brings("UID FETCH 1 (PREVIEW (LAZY) FLAGS)").await;
    let (_, rest) = expected[0].split_once("(PREVIEW").unwrap();
    let rest = rest.trim_end_matches(')');
    // A preview is not a reading: `\Seen` stays off.
    assert_eq!(with_more, [format!("* 1 FETCH (UID 1 PREVIEW{rest} FLAGS (\\Recent))")]);
    for bad in ["FETCH 1 (PREVIEW (EAGER))", "FETCH 1 (PREVIEW ())", "FETCH 1 PREVIEW (LAZY"] {
        assert!(imap.fails(bad).await.starts_with("BAD"), "{bad}");
    }
}
