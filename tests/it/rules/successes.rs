//! Reports of success (RFC 3461, NOTIFY=SUCCESS): to whom, and to whom never.

use super::Scene;
use crate::support::sql::strings;

impl Scene {
    /// Delivers a message that asks for a report of its success.
    async fn ask_for_report(&self, from: &str, rcpt: &[String], subject: &str) {
        let mut smtp = self.smtp().await;
        smtp.ask(&format!("MAIL FROM:<{from}> ENVID=QQ+2B1 RET=FULL"), "250").await;
        for line in rcpt {
            smtp.ask(&format!("RCPT TO:{line}"), "250").await;
        }
        smtp.ask("DATA", "354").await;
        smtp.send(format!("From: ann@shop.test\r\nSubject: {subject}\r\n\r\nsecret\r\n.\r\n"))
            .await;
        smtp.expect("250 ").await;
    }

    async fn reports(&self) -> Vec<String> {
        let query = "SELECT recipient || ' ' || subject FROM public.outbound_messages
             WHERE tenant_id = '{t}' AND source = 'bounce' ORDER BY queued_at";
        strings(self.pool(), &self.filled(query)).await
    }
}

#[tokio::test]
async fn whoever_asks_hears_that_its_message_was_delivered() {
    let scene = Scene::new().await;
    let (mx, domain) = scene.server.remote(false).await;
    scene.server.dns.txt(&domain, "v=spf1 +all");
    let (ann, bob, cy) = (format!("ann@{domain}"), &scene.bob, &scene.cy);
    let wanted = format!("<{bob}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2B@shop.test");
    let rcpt = [wanted, format!("<{cy}> NOTIFY=NEVER")];
    scene.ask_for_report(&ann, &rcpt, "hello").await;
    let report = mx.wait_for(1).await.remove(0);
    assert!(report.mail_from.starts_with("<> "), "{}", report.mail_from);
    assert_eq!(report.rcpt_to, [format!("<{ann}> NOTIFY=NEVER")]);
    let text = String::from_utf8(report.data).unwrap();
    for line in [
        "Original-Envelope-Id: QQ+1",
        "Original-Recipient: rfc822;Bob+@shop.test",
        &format!("Final-Recipient: rfc822; {bob}"),
        "Action: delivered",
        "Status: 2.0.0",
        "Subject: hello",
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
    }
    // Nothing of the others, and RET is for failures (RFC 3461 §4.3).
    assert!(!text.contains(cy) && !text.contains("secret"), "{text}");

    // The same message again, as after a lost reply, is not told again.
    scene.ask_for_report(&ann, &rcpt, "hello").await;
    scene.ask_for_report(&ann, &[format!("<{bob}>")], "no report").await;
    assert_eq!(scene.reports().await.len(), 1);
}

#[tokio::test]
async fn nobody_hears_of_what_it_may_not_have_sent_or_nobody_got() {
    let scene = Scene::new().await;
    let (_mx, domain) = scene.server.remote(false).await;
    scene.server.dns.txt(&domain, "v=spf1 -all");
    let wanted = [format!("<{}> NOTIFY=SUCCESS", scene.bob)];
    scene.ask_for_report(&format!("ann@{domain}"), &wanted, "forged").await;
    scene.ask_for_report("", &wanted, "a report").await;
    let is = r#"{"all": [{"field": "subject", "op": "equals", "value": "REASON"}]}"#;
    scene.filter(1, &is.replace("REASON", "gone"), r#"[{"do": "discard"}]"#).await;
    scene.filter(2, &is.replace("REASON", "no"), r#"[{"do": "reject", "text": "no"}]"#).await;
    scene.ask_for_report("ann@shop.test", &wanted, "gone").await;
    // One that refuses it, beside one that takes it.
    let both = [wanted[0].clone(), format!("<{}>", scene.cy)];
    scene.ask_for_report("ann@shop.test", &both, "no").await;
    assert_eq!(scene.reports().await, Vec::<String>::new());
    // Who has had enough of them today.
    scene
        .sql(
            "INSERT INTO public.outbound_messages (tenant_id, recipient, from_address, text_body, source, state, finished_at)
             SELECT '{t}', 'ann@shop.test', 'x@y.test', 'x', 'bounce', 'delivered', now() FROM generate_series(1, 20)",
        )
        .await;
    scene.ask_for_report("ann@shop.test", &wanted, "one more").await;
    assert_eq!(scene.reports().await.len(), 20);
    scene.ask_for_report("eve@shop.test", &wanted, "mine").await;
    assert_eq!(scene.reports().await.len(), 21);
}

#[tokio::test]
async fn what_is_passed_on_is_said_to_be_so() {
    let scene = Scene::new().await;
    scene
        .sql(
            "INSERT INTO {s}.email_forwards (address_id, forward_to, keep_copy)
             VALUES ({bob}, 'bob@elsewhere.test', false)",
        )
        .await;
    let wanted = [format!("<{}> NOTIFY=SUCCESS", scene.bob)];
    scene.ask_for_report("ann@shop.test", &wanted, "onward").await;
    // The forward itself may have failed by now, which is told by another report.
    assert_eq!(scene.reports().await[0], "ann@shop.test Your message was passed on");
}
