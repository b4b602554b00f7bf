//! Read receipts (RFC 8098) for what was sent.

use super::Scene;
use crate::support::imap::Imap;
use crate::support::remote_mx::RemoteMx;
use crate::support::sql::strings;

impl Scene {
    /// Sends a message of bob's to each of these; its Message-ID.
    async fn sent(&self, mx: &RemoteMx, readers: &[&str]) -> String {
        for reader in readers {
            self.sql(&format!(
                "INSERT INTO public.outbound_messages (tenant_id, queue_id, from_address, recipient, subject, text_body)
                 VALUES ('{{t}}', gen_random_uuid(), '{}', '{reader}', 'read me', 'x')",
                self.bob
            ))
            .await;
        }
        let received = mx.wait_for(readers.len()).await.remove(0);
        let text = String::from_utf8(received.data).unwrap();
        let id = text.split("Message-ID: <").nth(1).unwrap().split('>').next().unwrap();
        id.to_owned()
    }

    /// A receipt of `reader` comes in, sent by `from`.
    async fn receipt(&self, from: &str, reader: &str, id: &str, disposition: &str) {
        let text = format!(
            "From: <{from}>\r\nSubject: Read: read me\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n\
             --b\r\n\r\nIt was read.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n\
             Reporting-UA: pc; Mail 1\r\nFinal-Recipient: rfc822; {reader}\r\nOriginal-Message-ID: <{id}>\r\n\
             Disposition: manual-action/MDN-sent-manually; {disposition}\r\n--b--"
        );
        assert!(self.send_from("", &[&self.bob], &text).await.starts_with("250 "));
    }

    async fn reads(&self) -> Vec<String> {
        let reads = "SELECT r.reader || ' ' || r.source || ' ' || m.subject FROM {s}.email_reads r
            JOIN {s}.emails m ON m.id = r.email_id ORDER BY 1";
        strings(self.pool(), &self.filled(reads)).await
    }
}

#[tokio::test]
async fn a_receipt_of_who_got_the_message_counts_once() {
    let scene = Scene::new().await;
    scene.with_keys().await;
    let (mx, domain) = scene.server.remote(false).await;
    let (ann, eve) = (format!("ann@{domain}"), format!("eve@{domain}"));
    let id = scene.sent(&mx, &[&ann]).await;

    scene.receipt(&ann, &ann, &id, "deleted").await;
    scene.receipt(&ann, &ann, "another@id.test", "displayed").await;
    scene.receipt(&eve, &eve, &id, "displayed").await;
    scene.receipt(&eve, &ann, &id, "displayed").await;
    assert_eq!(scene.reads().await, Vec::<String>::new(), "none of them says anything");
    for _ in 0..2 {
        scene.receipt(&format!("Ann@{domain}"), &ann, &id, "displayed").await;
    }
    assert_eq!(scene.reads().await, [format!("{ann} mdn read me")]);
    let events = "SELECT o.recipient FROM public.analytics_events a JOIN public.outbound_messages o
        ON o.id = a.outbound_message_id WHERE a.tenant_id = '{t}' AND a.event = 'email.read'";
    assert_eq!(strings(scene.pool(), &scene.filled(events)).await, [ann.as_str()]);
    assert_eq!(scene.kept(&scene.bob).await.len(), 6, "receipts are mail as well");

    // Another organisation sent nothing of the kind.
    let other = Scene::new().await;
    other.receipt(&ann, &ann, &id, "displayed").await;
    assert_eq!(other.reads().await, Vec::<String>::new());
}

#[tokio::test]
async fn who_marks_a_message_as_seen_has_read_it_once() {
    let scene = Scene::new().await;
    assert!(scene.send(&[&scene.bob, &scene.cy], "Subject: to both").await.starts_with("250 "));
    let mut imap = Imap::select(&scene.bob, "INBOX").await;
    for command in ["STORE 1 +FLAGS (\\Seen)", "STORE 1 -FLAGS (\\Seen)", "FETCH 1 BODY[TEXT]"] {
        imap.brings(command).await;
    }
    assert_eq!(scene.reads().await, [format!("{} imap to both", scene.bob)]);
}
