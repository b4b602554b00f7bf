//! Labels are keywords, folders are mailboxes, both ways: another program edits them by SQL.

use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::{run, strings};

#[tokio::test]
async fn a_keyword_that_is_stored_is_a_label() {
    let server = server().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "one").await;
    imap.brings("SELECT INBOX").await;
    imap.brings("STORE 1 +FLAGS (work $Junk)").await;
    let labels = format!("SELECT keyword || ' ' || name FROM {}.labels", tenant.schema);
    assert_eq!(strings(&server.pool, &labels).await, ["work work"]);
    imap.put("INBOX", "(\\Seen Work play $Junk)", "two").await;
    let labels = format!("{labels} ORDER BY keyword");
    assert_eq!(strings(&server.pool, &labels).await, ["play play", "work work"]);
}

#[tokio::test]
async fn labels_edited_by_sql_are_keywords_to_open_sessions() {
    let server = server().await;
    let tenant = server.tenant().await;
    let (ann, bob) = (tenant.mailbox("ann").await, tenant.mailbox("bob").await);
    let schema = &tenant.schema;
    let sql = async |text: &str| run(&server.pool, &text.replace("$S", schema)).await;
    let mut imap = Imap::of(&ann).await;
    let mut bobs = Imap::of(&bob).await;
    for imap in [&mut imap, &mut bobs] {
        imap.put("INBOX", "(urgent)", "one").await;
        imap.brings("SELECT INBOX").await;
        imap.idle().await;
    }
    let of_ann = format!("(SELECT id FROM public.email_addresses WHERE address = '{ann}')");
    sql(&format!(
        "INSERT INTO $S.labels (address_id, keyword, name) VALUES ({of_ann}, 'tax', 'Taxes')"
    ))
    .await;
    sql(&format!(
        "UPDATE $S.folder_entries SET keywords = keywords || '{{tax}}'::text[] WHERE folder_id IN
         (SELECT id FROM $S.folders WHERE address_id = {of_ann})"
    ))
    .await;
    imap.wait_for("* 1 FETCH (UID 1 FLAGS (urgent tax").await;
    sql("UPDATE $S.labels SET keyword = 'dues' WHERE keyword = 'tax'").await;
    imap.wait_for("* 1 FETCH (UID 1 FLAGS (urgent dues").await;
    sql(&format!("DELETE FROM $S.labels WHERE keyword = 'urgent' AND address_id = {of_ann}")).await;
    imap.wait_for("* 1 FETCH (UID 1 FLAGS (dues").await;
    imap.done().await;
    let opened = imap.brings("SELECT INBOX").await;
    let flags = opened.iter().find(|line| line.starts_with("* FLAGS")).unwrap();
    assert!(flags.contains(" dues") && !flags.contains("tax"), "{flags}");
    assert_eq!(imap.brings("SEARCH KEYWORD dues").await, ["* SEARCH 1"]);
    assert_eq!(imap.brings("SEARCH KEYWORD urgent").await, ["* SEARCH"]);
    // The keyword of somebody else is another label.
    bobs.done().await;
    assert!(bobs.brings("FETCH 1 FLAGS").await[0].contains("urgent"));
    // A keyword without a label gets one.
    sql("UPDATE $S.folder_entries SET keywords = '{fresh}'").await;
    let fresh = format!("SELECT name FROM {schema}.labels WHERE keyword = 'fresh'");
    assert_eq!(strings(&server.pool, &fresh).await, ["fresh", "fresh"]);
}

#[tokio::test]
async fn folders_edited_by_sql_are_listed() {
    let server = server().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let schema = &tenant.schema;
    let sql = async |text: &str| run(&server.pool, &text.replace("$S", schema)).await;
    let mut imap = Imap::of(&ann).await;
    let of_ann = format!("(SELECT id FROM public.email_addresses WHERE address = '{ann}')");
    sql(&format!("INSERT INTO $S.folders (address_id, name) VALUES ({of_ann}, 'Work')")).await;
    let names = |lines: Vec<String>| {
        lines.iter().filter(|line| line.ends_with("Work") || line.ends_with("Play")).count()
    };
    assert_eq!(names(imap.brings("LIST \"\" *").await), 1);
    imap.put("Work", "", "one").await;
    imap.brings("SELECT Work").await;
    sql("UPDATE $S.folders SET name = 'Play' WHERE name = 'Work'").await;
    assert!(imap.brings("LIST \"\" Play").await[0].ends_with(" Play"));
    assert!(imap.brings("LIST \"\" Work").await.is_empty());
    // Whoever has it open keeps it, and hears when it goes.
    assert!(imap.brings("FETCH 1 (UID)").await[0].contains("UID 1"));
    imap.idle().await;
    sql("DELETE FROM $S.folders WHERE name = 'Play'").await;
    imap.wait_for("* 1 EXPUNGE").await;
    imap.done().await;
    assert_eq!(names(imap.brings("LIST \"\" *").await), 0);
}
