//! Forwarding: with and without a kept copy, with a way back for reports.

use std::time::Duration;

use super::Scene;
use crate::support::remote_mx::Step;
use crate::support::smtp::Smtp;
use crate::support::sql::strings;
use crate::support::verifier;
use crate::support::wait;

/// What dkimpy says of the ARC chain of a message.
const ARC: &str = "
import sys, json, dkim
records = json.loads(sys.argv[1])
def txt(name, timeout=5):
    return records[(name.decode() if isinstance(name, bytes) else name).rstrip('.')].encode()
print(dkim.arc_verify(sys.stdin.buffer.read(), dnsfunc=txt)[0].decode())
";

/// How long something may take to come about.
const LIMIT: Duration = Duration::from_secs(30);

impl Scene {
    async fn forward(&self, to: &str, keep: bool) {
        self.sql(&format!(
            "INSERT INTO {{s}}.email_forwards (address_id, forward_to, keep_copy) VALUES ({{bob}}, '{to}', {keep})"
        ))
        .await;
    }

    /// Waits for the keys that seal.
    pub async fn with_keys(&self) {
        wait::for_keys(self.pool(), &self.tenant.domain).await;
    }

    async fn states(&self) -> Vec<String> {
        let query = "SELECT source || ' ' || state FROM public.outbound_messages WHERE tenant_id = '{t}' ORDER BY queued_at";
        strings(self.pool(), &self.filled(query)).await
    }
}

#[tokio::test]
async fn a_forward_leaves_with_our_return_address_sealed_and_unsigned() {
    let scene = Scene::new().await;
    scene.with_keys().await;
    let (mx, domain) = scene.server.remote(true).await;
    scene.forward(&format!("bob@{domain}"), false).await;
    let answer = scene.send(&[&scene.bob], "Subject: onward").await;
    assert!(answer.starts_with("250 "), "{answer}");
    let received = mx.wait_for(1).await.remove(0);
    let here = &scene.tenant.domain;
    assert!(received.mail_from.starts_with("<srs0="), "{}", received.mail_from);
    assert!(
        received.mail_from.contains(&format!("=shop.test=ann@{here}>")),
        "{}",
        received.mail_from
    );
    let text = String::from_utf8(received.data).unwrap();
    assert!(text.starts_with("ARC-Seal: i=1; "), "{text}");
    assert!(text.contains(&format!("cv=none; d={here}")), "{text}");
    assert!(text.contains(&format!("\r\nDelivered-To: {}\r\n", scene.bob)), "{text}");
    assert!(!text.contains("\r\nReturn-Path:") && !text.contains("DKIM-Signature"), "{text}");
    assert!(scene.kept(&scene.bob).await.is_empty(), "no copy was wanted");

    // An implementation that is not ours accepts the seal, and sees what was changed below it.
    let records = verifier::records(scene.server, &scene.tenant).await;
    assert_eq!(verifier::ask(ARC, text.as_bytes(), &records), "pass", "{text}");
    let forged = text.replacen("Subject: onward", "Subject: inward", 1);
    assert_eq!(verifier::ask(ARC, forged.as_bytes(), &records), "fail");

    // A report comes back to the return address and goes on to the sender.
    let back = received.mail_from.trim_start_matches('<').split('>').next().unwrap().to_owned();
    let mut smtp = scene.smtp().await;
    smtp.ask("MAIL FROM:<eve@x.test>", "250").await;
    smtp.ask(&format!("RCPT TO:<{back}>"), "550 5.7.1").await;
    smtp.ask("RSET", "250").await;
    smtp.ask("MAIL FROM:<>", "250").await;
    smtp.ask(&format!("RCPT TO:<{}>", back.replace("=ann@", "=bob@")), "550 5.1.1").await;
    smtp.ask("RSET", "250").await;
    smtp.deliver("", &[&back], b"From: mailer-daemon@y.test\r\nSubject: failed\r\n\r\nx\r\n").await;
    let rows = scene.filled(
        "SELECT recipient || ' <' || reverse_path || '>' FROM public.outbound_messages
         WHERE tenant_id = '{t}' AND subject = 'failed'",
    );
    assert_eq!(strings(scene.pool(), &rows).await, ["ann@shop.test <>"]);
}

#[tokio::test]
async fn copies_are_kept_where_that_is_wanted_or_nothing_may_leave() {
    let scene = Scene::new().await;
    let (mx, domain) = scene.server.remote(false).await;
    mx.on("RCPT", Step::Reply("250 2.1.5 Ok".into()));
    let to = format!("bob@{domain}");
    scene.forward(&to, true).await;
    assert!(scene.send(&[&scene.bob], "Subject: both").await.starts_with("250 "));
    mx.wait_for(1).await;
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: both"]);
    scene.sql("UPDATE {s}.email_forwards SET keep_copy = false").await;
    scene
        .sql(&format!(
            "INSERT INTO public.suppression_list (tenant_id, address) VALUES ('{{t}}', '{to}')"
        ))
        .await;
    assert!(scene.send(&[&scene.bob], "Subject: stays").await.starts_with("250 "));
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: both", "INBOX: stays"]);
    assert!(scene.states().await.contains(&"forward suppressed".to_owned()));
    assert_eq!(mx.messages().len(), 1);
}

#[tokio::test]
async fn a_loop_ends_in_the_mailbox() {
    let scene = Scene::new().await;
    let (mx, domain) = scene.server.remote(false).await;
    scene.forward(&format!("bob@{domain}"), false).await;
    let fields = format!("Subject: round\r\nDelivered-To: {}", scene.bob);
    assert!(scene.send(&[&scene.bob], &fields).await.starts_with("250 "));
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: round"]);
    assert!(scene.states().await.is_empty() && mx.messages().is_empty());
    // Two mailboxes here that forward to each other.
    let (bob, cy) = (&scene.bob, &scene.cy);
    scene.sql("DELETE FROM {s}.email_forwards").await;
    scene
        .sql(&format!(
            "INSERT INTO {{s}}.email_forwards (address_id, forward_to, keep_copy)
             VALUES ({{bob}}, '{cy}', false), ({{cy}}, '{bob}', false)"
        ))
        .await;
    assert!(scene.send(&[bob], "Subject: ping").await.starts_with("250 "));
    let kept = async || scene.kept(bob).await.contains(&"INBOX: ping".to_owned());
    wait::until("kept", LIMIT, kept).await;
    assert_eq!(scene.states().await.len(), 2);
    assert!(scene.kept(cy).await.is_empty());
}

#[tokio::test]
async fn a_filter_forwards_as_well_and_keeps() {
    let scene = Scene::new().await;
    let (mx, domain) = scene.server.remote(false).await;
    scene
        .filter(1, r#"{"field": "subject", "op": "begins", "value": "copy"}"#,
            &format!(r#"[{{"do": "forward", "address": "x@{domain}"}}, {{"do": "folder", "name": "Sent on"}}]"#))
        .await;
    assert!(scene.send(&[&scene.bob], "Subject: copy me").await.starts_with("250 "));
    mx.wait_for(1).await;
    assert_eq!(scene.kept(&scene.bob).await, ["Sent on: copy me"]);
}

#[tokio::test]
async fn a_forward_waits_for_the_keys_that_seal_it() {
    let scene = Scene::new().await;
    let (mx, domain) = scene.server.remote(false).await;
    scene.forward(&format!("bob@{domain}"), false).await;
    // The domain is some milliseconds old, and its keys take longer.
    assert!(scene.send(&[&scene.bob], "Subject: soon").await.starts_with("250 "));
    let received = mx.wait_for(1).await.remove(0);
    assert!(received.data.starts_with(b"ARC-Seal: i=1; "));
}

#[tokio::test]
async fn what_cannot_be_forwarded_and_nobody_is_told_of_stays_here() {
    let scene = Scene::new().await;
    let (mx, domain) = scene.server.remote(false).await;
    mx.on("RCPT", Step::Reply("550 5.7.1 Not from you".into()));
    let to = format!("bob@{domain}");
    scene.forward(&to, false).await;
    let forged = format!("forged-{}.test", uuid::Uuid::new_v4().simple());
    scene.server.dns.txt(&forged, "v=spf1 -all");
    let answer = scene.send_from(&format!("ann@{forged}"), &[&scene.bob], "Subject: lost?").await;
    assert!(answer.starts_with("250 "), "{answer}");
    let mut imap = crate::support::imap::Imap::select(&scene.bob, "INBOX").await;
    if !imap.brings("NOOP").await.contains(&"* 1 EXISTS".to_owned())
        && scene.kept(&scene.bob).await.is_empty()
    {
        imap.idle().await;
        imap.wait_for("* 1 EXISTS").await;
        imap.done().await;
    }
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: lost?"]);
    let notes = "SELECT summary FROM public.activity_log WHERE tenant_id = '{t}' AND action = 'forward.failed'";
    let notes = strings(scene.pool(), &scene.filled(notes)).await;
    assert!(notes.len() == 1 && notes[0].contains(&to), "{notes:?}");
    let orphans = "SELECT subject FROM {s}.emails WHERE orphaned_at IS NOT NULL";
    assert!(strings(scene.pool(), &scene.filled(orphans)).await.is_empty());

    // Whoever may have sent it is told, and then it is not kept.
    // Short enough for a return address: else the report would come back here.
    let honest = format!("h{}.test", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    scene.server.dns.txt(&honest, "v=spf1 +all");
    scene.send_from(&format!("ann@{honest}"), &[&scene.bob], "Subject: told").await;
    let told = async || scene.states().await.iter().any(|state| state.starts_with("bounce "));
    wait::until("told", LIMIT, told).await;
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: lost?"]);

    // An operator ends one that waits.
    mx.on("RCPT", Step::Reply("450 4.2.0 Later".into()));
    scene.send_from(&format!("ann@{honest}"), &[&scene.bob], "Subject: ended").await;
    let ended = "WITH gone AS (UPDATE public.outbound_messages SET state = 'cancelled', leased_until = NULL
        WHERE tenant_id = '{t}' AND subject = 'ended' AND source = 'forward' AND state IN ('queued', 'sending') RETURNING 1)
        SELECT 'x' FROM gone";
    assert_eq!(strings(scene.pool(), &scene.filled(ended)).await.len(), 1);
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: lost?", "INBOX: ended"]);
}

#[tokio::test]
async fn what_requires_tls_is_passed_on_with_it_or_not_at_all() {
    let scene = Scene::new().await;
    scene.with_keys().await;
    let (good, good_domain) = scene.server.proven_remote().await;
    good.offer(&["REQUIRETLS"]);
    let (old, old_domain) = scene.server.proven_remote().await;
    for domain in [&good_domain, &old_domain] {
        scene.forward(&format!("bob@{domain}"), false).await;
    }
    let mut smtp = Smtp::greeted(scene.server.at.smtp.unwrap()).await.starttls().await;
    smtp.ask("EHLO client.test", "250").await;
    smtp.ask("MAIL FROM:<ann@shop.test> REQUIRETLS", "250").await;
    smtp.ask(&format!("RCPT TO:<{}>", scene.bob), "250").await;
    smtp.ask("DATA", "354").await;
    smtp.send("From: ann@shop.test\r\nSubject: secret\r\n\r\nx\r\n.\r\n").await;
    smtp.expect("250 ").await;
    let received = good.wait_for(1).await.remove(0);
    assert!(received.tls && received.mail_from.contains(" REQUIRETLS"), "{}", received.mail_from);
    let refused = scene.filled(&format!(
        "SELECT last_enhanced FROM public.outbound_messages
         WHERE tenant_id = '{{t}}' AND recipient = 'bob@{old_domain}' AND state = 'bounced'"
    ));
    let refused = async || strings(scene.pool(), &refused).await == ["5.7.30"];
    wait::until("refused", LIMIT, refused).await;
    assert!(old.commands().iter().all(|line| !line.starts_with("MAIL")));
}
