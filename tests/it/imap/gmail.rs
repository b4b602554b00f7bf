//! X-GM-EXT-1, by the dialogs of its public documentation.

use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::{run, strings};

/// The number behind `name`.
fn number(line: &str, name: &str) -> u64 {
    let (_, rest) = line.split_once(&format!("{name} ")).unwrap_or_else(|| panic!("{line}"));
    rest.split([')', ' ']).next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn messages_and_threads_have_numbers() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    assert!(imap.brings("CAPABILITY").await[0].contains(" X-GM-EXT-1"));
    imap.brings("CREATE Work").await;
    imap.put("INBOX", "", "one").await;
    imap.put("INBOX", "", "two").await;
    let reply = b"From: b@client.example\r\nSubject: Re: one\r\nIn-Reply-To: <one@client.example>\r\n\r\nHi\r\n";
    imap.append("INBOX", "", reply).await;
    imap.brings("SELECT INBOX").await;
    let told = imap.brings("FETCH 1:3 (X-GM-MSGID X-GM-THRID)").await;
    let (first, thread) = (number(&told[0], "X-GM-MSGID"), number(&told[0], "X-GM-THRID"));
    assert_ne!(number(&told[1], "X-GM-MSGID"), first);
    assert_eq!(number(&told[2], "X-GM-THRID"), thread);
    assert_ne!(number(&told[1], "X-GM-THRID"), thread);
    assert_eq!(imap.brings(&format!("UID SEARCH X-GM-MSGID {first}")).await, ["* SEARCH 1"]);
    assert_eq!(imap.brings(&format!("UID SEARCH X-GM-THRID {thread}")).await, ["* SEARCH 1 3"]);
    assert_eq!(imap.brings("SEARCH X-GM-MSGID 1278455344230334865").await, ["* SEARCH"]);
    // The same message elsewhere has the same number.
    imap.brings("COPY 1 Work").await;
    imap.brings("SELECT Work").await;
    assert_eq!(number(&imap.brings("FETCH 1 (X-GM-MSGID)").await[0], "X-GM-MSGID"), first);
    for bad in ["SEARCH X-GM-MSGID", "SEARCH X-GM-THRID x", "FETCH 1 (X-GM-RAW)"] {
        assert!(imap.fails(bad).await.starts_with("BAD"), "{bad}");
    }
}

#[tokio::test]
async fn labels_are_keywords_by_their_names() {
    let server = server().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "(\\Flagged \\Seen $Important $Junk)", "one").await;
    imap.put("INBOX", "", "two").await;
    imap.brings("SELECT INBOX").await;
    let told = imap.brings("STORE 1 +X-GM-LABELS (\"Muy Importante\")").await;
    assert_eq!(told, ["* 1 FETCH (X-GM-LABELS (\\Starred \\Important \"Muy Importante\"))"]);
    let told = imap.brings("STORE 1 +X-GM-LABELS (foo)").await;
    assert_eq!(told, ["* 1 FETCH (X-GM-LABELS (\\Starred \\Important \"Muy Importante\" foo))"]);
    assert_eq!(imap.brings("FETCH 1 (X-GM-LABELS)").await, told);
    let flags = imap.brings("FETCH 1 (FLAGS)").await;
    assert!(flags[0].contains(" Muy_Importante foo"), "{flags:?}");
    let rows = format!("SELECT name FROM {}.labels ORDER BY name", tenant.schema);
    assert_eq!(strings(&server.pool, &rows).await, ["Muy Importante", "foo"]);
    // Whoever renames it finds it by its new name.
    let rename = format!("UPDATE {}.labels SET name = 'Müll' WHERE keyword = 'foo'", tenant.schema);
    run(&server.pool, &rename).await;
    let told = imap.brings("UID FETCH 1 (X-GM-LABELS)").await;
    assert!(told[0].ends_with("\"Muy Importante\" M&APw-ll))"), "{told:?}");
    for (label, found) in [
        ("M&APw-ll", "* SEARCH 1"),
        ("foo", "* SEARCH 1"),
        ("\"muy importante\"", "* SEARCH 1"),
        ("\\Starred", "* SEARCH 1"),
        ("\\Important", "* SEARCH 1"),
        ("\\Inbox", "* SEARCH 1 2"),
        ("\\Sent", "* SEARCH"),
        ("nobody", "* SEARCH"),
    ] {
        let search = format!("SEARCH X-GM-LABELS {label}");
        assert_eq!(imap.brings(&search).await, [found], "{label}");
    }
    // As a whole: what is no label stays.
    let told = imap.brings("STORE 1:2 X-GM-LABELS (M&APw-ll bar)").await;
    assert_eq!(
        told,
        ["* 1 FETCH (X-GM-LABELS (M&APw-ll bar))", "* 2 FETCH (X-GM-LABELS (M&APw-ll bar))"]
    );
    let flags = imap.brings("FETCH 1 (FLAGS)").await;
    assert!(flags[0].contains("\\Seen") && flags[0].contains("$Junk"), "{flags:?}");
    let told = imap.brings("STORE 1 -X-GM-LABELS (M&APw-ll bar)").await;
    assert_eq!(told, ["* 1 FETCH (X-GM-LABELS ())"]);
    assert!(imap.brings("STORE 2 -X-GM-LABELS.SILENT bar").await.is_empty());
    assert!(imap.fails("STORE 1 +X-GM-LABELS (\\Trash)").await.starts_with("NO [CANNOT]"));
    assert!(imap.fails("STORE 1 +X-GM-LABELS ($Junk)").await.starts_with("NO"));
    assert!(imap.fails("STORE 1 +X-GM-LABELS").await.starts_with("BAD"));
    imap.brings("EXAMINE INBOX").await;
    assert!(imap.fails("STORE 1 +X-GM-LABELS (bar)").await.starts_with("NO [READ-ONLY]"));
}

#[tokio::test]
async fn searches_as_people_type_them() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "(\\Seen work)", "dinner").await;
    imap.put("INBOX", "(\\Flagged)", "movie").await;
    let attached = b"From: Amy <amy@client.example>\r\nSubject: plans\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the paper.\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n\
        x\r\n--b--\r\n";
    imap.append("INBOX", "", attached).await;
    imap.brings("SELECT INBOX").await;
    for (raw, found) in [
        ("has:attachment in:unread", " 3"),
        ("is:unread", " 2 3"),
        ("is:starred OR has:attachment", " 2 3"),
        ("from:amy", " 3"),
        ("-from:amy", " 1 2"),
        ("subject:dinner", " 1"),
        ("subject:(dinner OR movie) -is:starred", " 1"),
        ("\\\"body of movie\\\"", " 2"),
        ("paper", " 3"),
        ("label:work", " 1"),
        ("after:2020/01/01 smaller:1M", " 1 2 3"),
        ("before:2020/01/01", ""),
        ("larger:1M", ""),
    ] {
        let search = format!("SEARCH X-GM-RAW \"{raw}\"");
        assert_eq!(imap.brings(&search).await, [format!("* SEARCH{found}")], "{raw}");
    }
    let search = "UID SEARCH NOT X-GM-RAW paper UNSEEN";
    assert_eq!(imap.brings(search).await, ["* SEARCH 2"]);
    let much = format!("SEARCH X-GM-RAW \"{}\"", "a ".repeat(200));
    assert!(imap.fails(&much).await.starts_with("BAD"));
}
