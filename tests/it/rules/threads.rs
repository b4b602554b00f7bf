//! Which messages are one conversation.

use super::Scene;
use crate::support::sql::strings;

impl Scene {
    /// The subjects of each thread, oldest thread first, and whether its
    /// counter is right.
    async fn threads(&self) -> Vec<String> {
        let query = "SELECT string_agg(e.subject, ', ' ORDER BY e.received_at) ||
                CASE WHEN count(*) = t.message_count THEN '' ELSE ' miscounted' END
            FROM {s}.threads t LEFT JOIN {s}.emails e ON e.thread_id = t.id
            GROUP BY t.id ORDER BY min(e.received_at)";
        strings(self.pool(), &self.filled(query)).await
    }

    async fn say(&self, from: &str, fields: &str) {
        let answer = self.send_from(from, &[&self.bob], fields).await;
        assert!(answer.starts_with("250 "), "{answer}");
    }
}

#[tokio::test]
async fn a_parent_that_comes_late_joins_what_it_is_the_parent_of() {
    let scene = Scene::new().await;
    let id = |n: &str| format!("<{n}.{}>", scene.tenant.domain);
    scene.say("a@x.test", &format!("Subject: one\r\nIn-Reply-To: {}", id("p"))).await;
    scene.say("b@x.test", &format!("Subject: two\r\nReferences: {}", id("q"))).await;
    scene.say("c@x.test", "Subject: apart").await;
    assert_eq!(scene.threads().await, ["one", "two", "apart"]);
    // It is p, and it answers what q is the parent of.
    let mut smtp = scene.smtp().await;
    let late = format!(
        "From: d@x.test\r\nSubject: late\r\nMessage-ID: {}\r\nReferences: {}\r\n\r\nx\r\n",
        id("p"),
        id("q")
    );
    smtp.deliver("d@x.test", &[&scene.bob], late.as_bytes()).await;
    assert_eq!(scene.threads().await, ["one, late", "two", "apart"]);
    let parent =
        format!("From: e@x.test\r\nSubject: first\r\nMessage-ID: {}\r\n\r\nx\r\n", id("q"));
    smtp.deliver("e@x.test", &[&scene.bob], parent.as_bytes()).await;
    assert_eq!(scene.threads().await, ["one, two, late, first", "apart"]);
}

#[tokio::test]
async fn an_answer_without_references_is_found_by_its_subject_and_people() {
    let scene = Scene::new().await;
    let bob = &scene.bob;
    scene.say("ann@x.test", &format!("To: {bob}, joe@y.test\r\nSubject: Budget")).await;
    scene.say("joe@y.test", &format!("To: ann@x.test, {bob}\r\nSubject: RE: budget")).await;
    scene.say("eve@z.test", &format!("To: {bob}\r\nSubject: Re: Budget")).await;
    scene.say("ann@x.test", &format!("To: {bob}, joe@y.test\r\nSubject: Budget")).await;
    assert_eq!(scene.threads().await, ["Budget, RE: budget", "Re: Budget", "Budget"]);
    scene.sql("UPDATE {s}.threads SET last_message_at = now() - interval '31 days'").await;
    scene.say("joe@y.test", &format!("To: ann@x.test, {bob}\r\nSubject: Re: Budget")).await;
    assert_eq!(scene.threads().await.len(), 4);
}
