//! What people of an organisation are told of its steps.

use std::time::Duration;

use super::Scene;
use crate::support::imap::Imap;
use crate::support::sql::strings;
use crate::support::wait::until;

#[tokio::test]
async fn the_steps_of_an_organisation_are_written_down_once_each() {
    let scene = Scene::new().await;
    scene.with_keys().await;
    let (mx, domain) = scene.server.remote(false).await;
    for n in 1..=2 {
        assert!(scene.send(&[&scene.bob], "Subject: hello").await.starts_with("250 "));
        Imap::of(&scene.bob).await;
        scene
            .sql(&format!(
                "INSERT INTO public.outbound_messages (tenant_id, from_address, recipient, subject, text_body, html_body,
                    track_opens) VALUES ('{{t}}', '{}', 'x{n}@{domain}', 'out', 'x', '<p>x</p>', true)",
                scene.bob
            ))
            .await;
        mx.wait_for(n).await;
    }
    let settled = "SELECT id::text FROM public.outbound_messages WHERE tenant_id = '{t}' AND state = 'delivered'";
    let delivered = async || strings(scene.pool(), &scene.filled(settled)).await.len() >= 2;
    until("delivered", Duration::from_secs(30), delivered).await;
    scene
        .sql("UPDATE public.outbound_messages SET first_opened_at = now() WHERE tenant_id = '{t}'")
        .await;
    scene.sql("UPDATE public.tenant_domains SET verified_at = NULL WHERE tenant_id = '{t}'").await;
    scene.sql("UPDATE public.tenant_domains SET verified_at = now() WHERE tenant_id = '{t}'").await;
    let told = "SELECT action || ': ' || summary FROM public.activity_log WHERE tenant_id = '{t}' ORDER BY 1";
    let told = strings(scene.pool(), &scene.filled(told)).await;
    let here = &scene.tenant.domain;
    assert_eq!(
        told,
        [
            format!("domain.added: The domain {here} was added"),
            format!("domain.unverified: The domain {here} is no longer proven and cannot send"),
            format!("domain.verified: The DNS records of {here} are there: it can send"),
            "mail.first_hit: A tracked message was opened for the first time".to_owned(),
            "mail.first_received: The first message has arrived".to_owned(),
            "mail.first_sent: The first message was delivered".to_owned(),
            format!("mailbox.added: The mailbox {} was added", scene.bob),
            format!("mailbox.added: The mailbox {} was added", scene.cy),
            format!(
                "mailbox.first_login: A mail client has logged in to {} for the first time",
                scene.bob
            ),
            "tenant.live: Everything is set up: mail comes and goes".to_owned(),
        ]
    );
}
