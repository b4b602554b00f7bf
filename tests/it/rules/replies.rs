//! Vacation notices and answers of filters.

use super::Scene;
use crate::support::sql::strings;

impl Scene {
    async fn replies(&self) -> Vec<String> {
        let query = "SELECT recipient || ': ' || subject FROM public.outbound_messages
            WHERE tenant_id = '{t}' AND source = 'auto_reply' ORDER BY queued_at, recipient";
        strings(self.pool(), &self.filled(query)).await
    }
}

#[tokio::test]
async fn a_sender_is_answered_once_in_a_period_and_a_list_never() {
    let scene = Scene::new().await;
    let (mx, domain) = scene.server.remote(false).await;
    scene
        .sql("INSERT INTO {s}.auto_replies (address_id, text_body) VALUES ({bob}, 'I am away.')")
        .await;
    let to = format!("To: {}", scene.bob);
    let ann = format!("ann@{domain}");
    let id = format!("{}@{domain}", uuid::Uuid::new_v4());
    let fields = format!("{to}\r\nSubject: Hello\r\nReferences: <{id}>");
    assert!(scene.send_from(&ann, &[&scene.bob], &fields).await.starts_with("250 "));
    let received = mx.wait_for(1).await.remove(0);
    assert!(received.mail_from.starts_with("<>"), "{}", received.mail_from);
    let text = String::from_utf8(received.data).unwrap().replace("\r\n ", " ");
    for line in ["Auto-Submitted: auto-replied\r\n", "Subject: Auto: Hello\r\n", "\r\nI am away."] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(
        text.contains("In-Reply-To: <") && text.contains(&format!("References: <{id}> <")),
        "{text}"
    );

    assert!(
        scene
            .send_from(&ann, &[&scene.bob], &format!("{to}\r\nSubject: Again"))
            .await
            .starts_with("250 ")
    );
    let list = format!("{to}\r\nSubject: List\r\nList-Id: <x.y>");
    assert!(scene.send_from("eve@list.test", &[&scene.bob], &list).await.starts_with("250 "));
    assert!(
        scene.send_from("joe@else.test", &[&scene.bob], "Subject: Bcc").await.starts_with("250 ")
    );
    assert_eq!(scene.replies().await, [format!("{ann}: Auto: Hello")]);
    // The period is over.
    scene.sql("UPDATE {s}.auto_reply_recipients SET replied_at = now() - interval '8 days'").await;
    assert!(
        scene
            .send_from(&ann, &[&scene.bob], &format!("{to}\r\nSubject: Later"))
            .await
            .starts_with("250 ")
    );
    assert_eq!(
        scene.replies().await,
        [format!("{ann}: Auto: Hello"), format!("{ann}: Auto: Later")]
    );
    assert_eq!(scene.kept(&scene.bob).await.len(), 5, "everything is delivered all the same");
    scene.sql("UPDATE {s}.auto_replies SET ends_at = now() - interval '1 minute'").await;
    assert!(
        scene
            .send_from("new@pal.test", &[&scene.bob], &format!("{to}\r\nSubject: Over"))
            .await
            .starts_with("250 ")
    );
    assert_eq!(scene.replies().await.len(), 2);
}

#[tokio::test]
async fn a_filter_answers_with_its_template_once_a_day() {
    let scene = Scene::new().await;
    let template = uuid::Uuid::new_v4();
    scene
        .sql(&format!(
            "INSERT INTO {{s}}.email_templates (id, name, subject, text_body, defaults) VALUES
             ('{template}', 'receipt', 'Re: {{{{ subject }}}}', 'Dear {{{{ sender_name }}}}, {{{{ when }}}}.',
              '{{\"when\": \"tomorrow\"}}')"
        ))
        .await;
    scene
        .filter(
            1,
            r#"{"all": []}"#,
            &format!(r#"[{{"do": "reply", "template_id": "{template}"}}]"#),
        )
        .await;
    for subject in ["One", "Two"] {
        assert!(
            scene.send(&[&scene.bob], &format!("Subject: {subject}")).await.starts_with("250 ")
        );
    }
    assert_eq!(scene.replies().await, ["ann@shop.test: Re: One"]);
    let texts =
        scene.filled("SELECT text_body FROM public.outbound_messages WHERE tenant_id = '{t}'");
    assert_eq!(strings(scene.pool(), &texts).await, ["Dear Ann, tomorrow."]);
}
