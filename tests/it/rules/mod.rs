//! Recipients and the rules of mailboxes: SQL in, SMTP in, rows out.

mod activity;
mod apply;
mod archive;
mod directory;
mod filters;
mod forwards;
mod receipts;
mod replies;
mod successes;
mod threads;

use sqlx::{AssertSqlSafe, PgPool, Row as _};

use crate::support::server::{Server, Tenant, server};
use crate::support::smtp::Smtp;
use crate::support::sql::run;

/// An organisation with mailboxes `bob` and `cy`, and a connection to the
/// server that has said EHLO.
pub struct Scene {
    pub server: &'static Server,
    pub tenant: Tenant,
    pub bob: String,
    pub cy: String,
}

impl Scene {
    pub async fn new() -> Self {
        let server = server().await;
        let tenant = server.tenant().await;
        let bob = tenant.mailbox("bob").await;
        let cy = tenant.mailbox("cy").await;
        Self { server, tenant, bob, cy }
    }

    pub fn pool(&self) -> &PgPool {
        &self.server.pool
    }

    /// Runs a statement with `{s}` as the schema, and `{bob}`, `{cy}` as the
    /// ids of the mailboxes.
    pub async fn sql(&self, statement: &str) {
        run(self.pool(), &self.filled(statement)).await;
    }

    pub fn filled(&self, statement: &str) -> String {
        let id = |address| {
            format!("(SELECT id FROM public.email_addresses WHERE address = '{address}')")
        };
        statement
            .replace("{s}", &self.tenant.schema)
            .replace("{t}", &self.tenant.id.to_string())
            .replace("{bob}", &id(&self.bob))
            .replace("{cy}", &id(&self.cy))
    }

    /// A filter of bob.
    pub async fn filter(&self, position: i32, conditions: &str, actions: &str) {
        self.sql(&format!(
            "INSERT INTO {{s}}.email_filters (address_id, name, position, conditions, actions)
             VALUES ({{bob}}, 'rule {position}', {position}, '{conditions}', '{actions}')"
        ))
        .await;
    }

    pub async fn smtp(&self) -> Smtp {
        let mut smtp = Smtp::greeted(self.server.at.smtp.unwrap()).await;
        smtp.ask("EHLO client.test", "250").await;
        smtp
    }

    /// Sends a message with these fields to these recipients; the answer to
    /// its end.
    pub async fn send(&self, to: &[&str], fields: &str) -> String {
        self.send_from("ann@shop.test", to, fields).await
    }

    pub async fn send_from(&self, from: &str, to: &[&str], fields: &str) -> String {
        let mut smtp = self.smtp().await;
        smtp.ask(&format!("MAIL FROM:<{from}>"), "250").await;
        for recipient in to {
            smtp.ask(&format!("RCPT TO:<{recipient}>"), "250").await;
        }
        smtp.ask("DATA", "354").await;
        let from = if fields.starts_with("From:") || fields.contains("\nFrom:") {
            String::new()
        } else {
            format!("From: Ann <{from}>\r\n")
        };
        let id = uuid::Uuid::new_v4();
        smtp.send(format!(
            "{from}Message-ID: <{id}@shop.test>\r\n{fields}\r\n\r\nHello there.\r\n.\r\n"
        ))
        .await;
        smtp.reply().await
    }

    /// Where a mailbox has its messages: folder, subject, flags.
    pub async fn kept(&self, address: &str) -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT f.name, e.subject, x.seen, x.flagged, x.keywords FROM {0}.folder_entries x
             JOIN {0}.folders f ON f.id = x.folder_id JOIN {0}.emails e ON e.id = x.email_id
             JOIN public.email_addresses a ON a.id = f.address_id
             WHERE a.address = $1 ORDER BY e.received_at, f.name",
            self.tenant.schema
        )))
        .bind(address)
        .fetch_all(self.pool())
        .await
        .unwrap();
        rows.iter()
            .map(|row| {
                let mut text = format!("{}: {}", row.get::<&str, _>(0), row.get::<&str, _>(1));
                for (on, word) in [(row.get(2), " seen"), (row.get(3), " flagged")] {
                    if on {
                        text.push_str(word);
                    }
                }
                for keyword in row.get::<Vec<String>, _>(4) {
                    text.push(' ');
                    text.push_str(&keyword);
                }
                text
            })
            .collect()
    }
}
