//! Filters act in the transaction that stores a message.

use super::Scene;
use crate::support::sql::{refusal, strings};

#[tokio::test]
async fn filters_put_label_flag_and_mark_in_order_until_one_stops() {
    let scene = Scene::new().await;
    scene
        .filter(1, r#"{"field": "subject", "op": "contains", "value": "invoice"}"#,
            r#"[{"do": "folder", "name": "Money/In"}, {"do": "label", "keyword": "pay"}, {"do": "flag"}]"#)
        .await;
    scene
        .filter(
            2,
            r#"{"field": "from_domain", "op": "equals", "value": "shop.test"}"#,
            r#"[{"do": "read"}, {"do": "stop"}]"#,
        )
        .await;
    scene.filter(3, r#"{"all": []}"#, r#"[{"do": "discard"}]"#).await;
    assert!(
        scene.send(&[&scene.bob, &scene.cy], "Subject: Your Invoice").await.starts_with("250 ")
    );
    assert!(scene.send(&[&scene.bob], "Subject: other").await.starts_with("250 "));
    let answer = scene.send_from("eve@else.test", &[&scene.bob], "Subject: gone").await;
    assert!(answer.starts_with("250 "), "{answer}");
    assert_eq!(
        scene.kept(&scene.bob).await,
        ["Money/In: Your Invoice seen flagged pay", "INBOX: other seen"]
    );
    assert_eq!(scene.kept(&scene.cy).await, ["INBOX: Your Invoice"], "its own rules only");
    let folders = strings(scene.pool(), &scene.filled(
        "SELECT name FROM {s}.folders WHERE address_id = {bob} AND name LIKE 'Money%' ORDER BY name")).await;
    assert_eq!(folders, ["Money", "Money/In"], "with the level above");
}

#[tokio::test]
async fn a_refusal_is_said_when_every_recipient_refuses_and_nobody_is_told_else() {
    let scene = Scene::new().await;
    scene
        .filter(
            1,
            r#"{"field": "subject", "op": "glob", "value": "*offer*"}"#,
            r#"[{"do": "reject", "text": "No offers here\r\n250 Ok"}]"#,
        )
        .await;
    let answer = scene.send(&[&scene.bob], "Subject: an offer").await;
    assert_eq!(answer, "550 5.7.1 No offers here  250 Ok");
    let answer = scene.send(&[&scene.bob, &scene.cy], "Subject: an offer").await;
    assert!(answer.starts_with("250 "), "{answer}");
    assert!(scene.kept(&scene.bob).await.is_empty());
    assert_eq!(scene.kept(&scene.cy).await, ["INBOX: an offer"]);
    let reports =
        scene.filled("SELECT source FROM public.outbound_messages WHERE tenant_id = '{t}'");
    assert!(strings(scene.pool(), &reports).await.is_empty());
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_loses_no_mail_and_is_noted_once() {
    let scene = Scene::new().await;
    // As an older version may have let in.
    scene
        .sql(r#"ALTER TABLE {s}.email_filters DISABLE TRIGGER email_filters_check;
            INSERT INTO {s}.email_filters (address_id, name, position, conditions, actions) VALUES
            ({bob}, 'broken', 1, '{"field": "subject", "op": "regex", "value": "("}', '[{"do": "discard"}]');
            ALTER TABLE {s}.email_filters ENABLE TRIGGER email_filters_check"#)
        .await;
    scene.filter(2, r#"{"all": []}"#, r#"[{"do": "flag"}]"#).await;
    for n in ["one", "two"] {
        assert!(scene.send(&[&scene.bob], &format!("Subject: {n}")).await.starts_with("250 "));
    }
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: one flagged", "INBOX: two flagged"]);
    let notes = scene.filled("SELECT summary FROM public.activity_log WHERE tenant_id = '{t}' AND action = 'filter.unreadable'");
    let notes = strings(scene.pool(), &notes).await;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("broken"), "{notes:?}");
}

#[tokio::test]
async fn what_cannot_be_a_rule_is_refused_when_it_is_written() {
    let scene = Scene::new().await;
    let insert = |conditions: &str, actions: &str| {
        scene.filled(&format!(
            "INSERT INTO {{s}}.email_filters (address_id, name, conditions, actions)
             VALUES ({{bob}}, 'x', '{conditions}', '{actions}')"
        ))
    };
    let (every, flag) = (r#"{"all": []}"#, r#"[{"do": "flag"}]"#);
    let regex =
        |value: &str| format!(r#"{{"field": "subject", "op": "regex", "value": "{value}"}}"#);
    for (conditions, actions, constraint) in [
        (regex("(").as_str(), flag, "email_filters_regex_check"),
        (&regex("a)"), flag, "email_filters_regex_check"),
        (&regex("[a"), flag, "email_filters_regex_check"),
        (&regex("*a"), flag, "email_filters_regex_check"),
        (&regex(r"a\\\\\\"), flag, "email_filters_regex_check"),
        (&regex("a(?=b)"), flag, "email_filters_regex_check"),
        (&regex(r"(a)\\1"), flag, "email_filters_regex_check"),
        (r#"{"field": "size", "op": "contains", "value": "3"}"#, flag, "email_filters_op_check"),
        (
            r#"{"not": {"field": "subject", "op": "over", "value": 3}}"#,
            flag,
            "email_filters_op_check",
        ),
        (
            r#"{"field": "mood", "op": "equals", "value": "3"}"#,
            flag,
            "email_filters_conditions_check",
        ),
        (every, r#"[{"do": "dance"}]"#, "email_filters_actions_check"),
        (every, r#"[{"do": "folder", "name": "a//b"}]"#, "email_filters_folder_check"),
        (every, r#"[{"do": "label", "keyword": "two words"}]"#, "email_filters_label_check"),
        (every, r#"[{"do": "forward", "address": "nobody"}]"#, "email_filters_forward_check"),
        (every, r#"[{"do": "reply", "template_id": "7"}]"#, "email_filters_template_check"),
        (
            every,
            r#"[{"do": "webhook", "webhook_id": "00000000-0000-0000-0000-000000000000"}]"#,
            "email_filters_webhook_check",
        ),
    ] {
        assert_eq!(
            refusal(scene.pool(), &insert(conditions, actions)).await,
            constraint,
            "{conditions} {actions}"
        );
    }
    for good in [r"^a(b|c)+\\[x\\]$", "[]a]", "[^)(]*", r"(?i)\\p{L}{2,}?", "(?P<n>x)|", r"\\("] {
        scene.sql(&insert(&regex(good), flag)).await;
    }
}

#[tokio::test]
async fn whether_the_sender_is_known_is_what_came_and_went_before() {
    let scene = Scene::new().await;
    scene
        .filter(
            1,
            r#"{"field": "sender_known", "op": "is", "value": false}"#,
            r#"[{"do": "label", "keyword": "new"}]"#,
        )
        .await;
    for subject in ["first", "second"] {
        assert!(
            scene.send(&[&scene.bob], &format!("Subject: {subject}")).await.starts_with("250 ")
        );
    }
    scene
        .sql("INSERT INTO public.outbound_messages (tenant_id, recipient, from_address, text_body, state, held_reason)
              VALUES ('{t}', 'pen@pal.test', 'x@y.test', 'x', 'held', 'test')")
        .await;
    let answer = scene.send_from("Pen@Pal.test", &[&scene.bob], "Subject: third").await;
    assert!(answer.starts_with("250 "), "{answer}");
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: first new", "INBOX: second", "INBOX: third"]);
}

#[tokio::test]
async fn a_webhook_is_told_in_the_same_transaction() {
    let scene = Scene::new().await;
    let hook = uuid::Uuid::new_v4();
    scene.sql(&format!("INSERT INTO public.webhooks (id, tenant_id, url) VALUES ('{hook}', '{{t}}', 'https://h.test/')")).await;
    scene
        .filter(
            1,
            r#"{"all": []}"#,
            &format!(r#"[{{"do": "webhook", "webhook_id": "{hook}"}}, {{"do": "discard"}}]"#),
        )
        .await;
    assert!(scene.send(&[&scene.bob], "Subject: tell").await.starts_with("250 "));
    assert!(scene.kept(&scene.bob).await.is_empty());
    let told = strings(scene.pool(), &format!(
        "SELECT event_type || ' ' || (payload ->> 'subject') FROM public.webhook_deliveries WHERE webhook_id = '{hook}'")).await;
    assert_eq!(told, ["filter.matched tell"]);
}
