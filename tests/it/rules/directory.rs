//! Who a recipient is, at once after every change, although answers are kept.

use super::Scene;
use crate::support::sql::strings;

#[tokio::test]
async fn a_change_by_sql_holds_for_the_very_next_message() {
    let scene = Scene::new().await;
    let mut smtp = scene.smtp().await;
    // The answer for bob is at hand.
    smtp.deliver("a@b.test", &[&scene.bob], b"From: a@b.test\r\nSubject: 0\r\n\r\nx\r\n").await;
    let mut expected = vec!["INBOX: 0".to_owned()];
    for n in 1..=20 {
        // The transaction is begun before the change and ends after it.
        smtp.ask("MAIL FROM:<a@b.test>", "250").await;
        smtp.ask(&format!("RCPT TO:<{}>", scene.bob), "250").await;
        smtp.ask("DATA", "354").await;
        scene
            .sql(&format!(
                "DELETE FROM {{s}}.email_filters; INSERT INTO {{s}}.email_filters (address_id, name, actions)
                 VALUES ({{bob}}, 'n', '[{{\"do\": \"folder\", \"name\": \"F{n}\"}}]')"
            ))
            .await;
        smtp.send(format!("From: a@b.test\r\nSubject: {n}\r\n\r\nx\r\n.\r\n")).await;
        smtp.expect("250 ").await;
        expected.push(format!("F{n}: {n}"));
    }
    assert_eq!(scene.kept(&scene.bob).await, expected);
}

#[tokio::test]
async fn whoever_is_suspended_meanwhile_is_told_to_come_again() {
    let scene = Scene::new().await;
    let suspended = "UPDATE public.email_addresses SET status = 'suspended' WHERE id = {bob}";
    assert!(scene.send(&[&scene.bob], "Subject: 1").await.starts_with("250 "));
    let mut smtp = scene.smtp().await;
    smtp.ask("MAIL FROM:<a@b.test>", "250").await;
    smtp.ask(&format!("RCPT TO:<{}>", scene.bob), "250").await;
    smtp.ask("DATA", "354").await;
    scene.sql(suspended).await;
    smtp.send("From: a@b.test\r\nSubject: 2\r\n\r\nx\r\n.\r\n").await;
    smtp.expect("451 4.3.0").await;
    smtp.ask("MAIL FROM:<a@b.test>", "250").await;
    smtp.ask(&format!("RCPT TO:<{}>", scene.bob), "450 4.2.1").await;
    scene.sql(&suspended.replace("'suspended'", "'active'")).await;
    assert!(scene.send(&[&scene.bob], "Subject: 3").await.starts_with("250 "));
    scene.sql("UPDATE public.tenants SET status = 'suspended' WHERE id = '{t}'").await;
    // Whoever asks sees it as soon as this node has heard; what is stored is asked about in any case.
    let mut smtp = scene.smtp().await;
    smtp.ask("MAIL FROM:<a@b.test>", "250").await;
    smtp.send(format!("RCPT TO:<{}>\r\n", scene.bob)).await;
    if smtp.reply().await.starts_with("250") {
        smtp.ask("DATA", "354").await;
        smtp.send("From: a@b.test\r\nSubject: 4\r\n\r\nx\r\n.\r\n").await;
        smtp.expect("451 4.3.0").await;
    }
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: 1", "INBOX: 3"]);
}

#[tokio::test]
async fn exact_goes_before_sub_address_before_alias_before_catch_all() {
    let scene = Scene::new().await;
    let domain = &scene.tenant.domain;
    let at = |local: &str| format!("{local}@{domain}");
    let mut smtp = scene.smtp().await;
    smtp.ask("MAIL FROM:<a@b.test>", "250").await;
    smtp.ask(&format!("RCPT TO:<nobody@{domain}>"), "550 5.1.1").await;
    smtp.ask("RCPT TO:<nobody@elsewhere.test>", "550 5.7.1").await;
    scene
        .sql(&format!(
            "INSERT INTO {{s}}.aliases (alias_address, address_id) VALUES
             ('team@{domain}', {{bob}}), ('team@{domain}', {{cy}}), ('@{domain}', {{cy}}), ('bob+x@{domain}', {{cy}})"
        ))
        .await;
    for (to, subject) in [("bob", "exact"), ("bob+x", "sub"), ("team", "alias"), ("nobody", "rest")]
    {
        assert!(scene.send(&[&at(to)], &format!("Subject: {subject}")).await.starts_with("250 "));
    }
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: exact", "INBOX: sub", "INBOX: alias"]);
    assert_eq!(scene.kept(&scene.cy).await, ["INBOX: alias", "INBOX: rest"]);
    // One copy each, however many ways lead there.
    assert!(
        scene
            .send(&[&at("team"), &scene.bob, &at("any")], "Subject: once")
            .await
            .starts_with("250 ")
    );
    assert_eq!(scene.kept(&scene.bob).await.len(), 4);
    assert_eq!(scene.kept(&scene.cy).await.len(), 3);
}

#[tokio::test]
async fn a_full_mailbox_says_so_at_rcpt() {
    let scene = Scene::new().await;
    scene.sql("UPDATE public.email_addresses SET quota_bytes = 2000 WHERE id = {bob}").await;
    assert!(scene.send(&[&scene.bob], "Subject: fits").await.starts_with("250 "));
    let mut smtp = scene.smtp().await;
    smtp.ask("MAIL FROM:<a@b.test> SIZE=1900", "250").await;
    smtp.ask(&format!("RCPT TO:<{}>", scene.bob), "452 4.2.2").await;
    smtp.ask(&format!("RCPT TO:<{}>", scene.cy), "250").await;
    smtp.ask("RSET", "250").await;
    smtp.ask("MAIL FROM:<a@b.test> SIZE=5000", "250").await;
    smtp.ask(&format!("RCPT TO:<{}>", scene.bob), "552 5.2.3").await;
    smtp.ask("RSET", "250").await;
    scene.sql("UPDATE public.email_addresses SET quota_messages = 1 WHERE id = {bob}").await;
    smtp.ask("MAIL FROM:<a@b.test>", "250").await;
    smtp.ask(&format!("RCPT TO:<{}>", scene.bob), "452 4.2.2").await;
}

#[tokio::test]
async fn the_version_moves_once_with_every_change_that_recipients_rest_on() {
    let scene = Scene::new().await;
    let version = || async {
        let query =
            scene.filled("SELECT directory_version::text FROM public.tenants WHERE id = '{t}'");
        strings(scene.pool(), &query).await[0].parse::<i64>().unwrap()
    };
    let mut last = version().await;
    for change in [
        "INSERT INTO {s}.aliases (alias_address, address_id) VALUES ('x@y.test', {bob})",
        "UPDATE {s}.aliases SET enabled = false",
        "INSERT INTO {s}.email_forwards (address_id, forward_to) VALUES ({bob}, 'z@y.test')",
        "INSERT INTO {s}.auto_replies (address_id, text_body) VALUES ({bob}, 'away')",
        "INSERT INTO {s}.email_templates (name, text_body) VALUES ('t', 'x')",
        "INSERT INTO {s}.email_filters (address_id, name, actions) VALUES ({bob}, 'f', '[{\"do\": \"flag\"}]')",
        "DELETE FROM {s}.email_filters",
        "UPDATE public.email_addresses SET status = 'suspended' WHERE id = {bob}",
        "UPDATE public.tenants SET status = 'suspended' WHERE id = '{t}'",
        "UPDATE public.tenant_domains SET verified_at = NULL WHERE tenant_id = '{t}'",
        "DELETE FROM public.email_addresses WHERE id = {cy}",
    ] {
        scene.sql(change).await;
        let now = version().await;
        assert!(now > last, "{change}");
        last = now;
    }
    scene.sql("UPDATE public.email_addresses SET last_login_at = now() WHERE id = {bob}").await;
    assert_eq!(version().await, last, "a login changes nothing of it");
}
