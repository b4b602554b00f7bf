//! The page for people: what runs where and how to connect a client.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};

use crate::http::page;
use crate::http::router::Edge;

/// What the page tells. Everything on it is public anyway.
#[derive(Clone, Debug)]
pub struct Home {
    /// The name that clients connect to.
    pub hostname: String,
    /// What listens, in the order shown.
    pub services: Vec<Service>,
}

/// One listener.
#[derive(Clone, Debug)]
pub struct Service {
    /// What it is for.
    pub kind: Kind,
    /// The port that was bound.
    pub port: u16,
}

/// What a listener is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Mail from other servers.
    Smtp,
    /// Mail from clients, STARTTLS.
    SubmissionStarttls,
    /// Mail from clients, TLS.
    SubmissionTls,
    /// Reading mail, STARTTLS.
    ImapStarttls,
    /// Reading mail, TLS.
    ImapTls,
    /// This page, tracking, health.
    Http,
    /// The same under TLS.
    Https,
}

impl Kind {
    /// Name and security as shown.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Smtp => ("SMTP: mail from other servers", "STARTTLS offered"),
            Self::SubmissionStarttls => ("Submission: mail from clients", "STARTTLS"),
            Self::SubmissionTls => ("Submission: mail from clients", "TLS"),
            Self::ImapStarttls => ("IMAP: reading mail", "STARTTLS"),
            Self::ImapTls => ("IMAP: reading mail", "TLS"),
            Self::Http => ("HTTP: this page, tracking, health", "none"),
            Self::Https => ("HTTPS: this page, tracking, health", "TLS"),
        }
    }
}

impl Home {
    /// The port of a service, or a dash where it does not run on this node.
    fn port(&self, kind: Kind) -> String {
        let found = self.services.iter().find(|service| service.kind == kind);
        found.map_or_else(|| "–".to_owned(), |service| service.port.to_string())
    }

    fn render(&self) -> Html<String> {
        let rows = page::join(self.services.iter().map(|service| {
            let (name, security) = service.kind.words();
            page::fill(
                include_str!("pages/home_service.html"),
                &[("name", name), ("port", &service.port.to_string()), ("security", security)],
            )
        }));
        let content = page::fill(
            include_str!("pages/home.html"),
            &[
                ("hostname", &self.hostname),
                ("imap_tls", &self.port(Kind::ImapTls)),
                ("imap_starttls", &self.port(Kind::ImapStarttls)),
                ("submission_tls", &self.port(Kind::SubmissionTls)),
                ("submission_starttls", &self.port(Kind::SubmissionStarttls)),
            ],
        );
        page::page(&self.hostname, &page::insert(&content, "services", &rows))
    }
}

/// `GET /`
pub(super) async fn home(State(edge): State<Edge>) -> Html<String> {
    edge.home.render()
}

/// `GET /style.css`
pub(super) async fn style() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")],
        include_str!("pages/style.css"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_every_service_and_leaves_nothing_open() {
        let home = Home {
            hostname: "mail.example.org".to_owned(),
            services: vec![
                Service { kind: Kind::Smtp, port: 2525 },
                Service { kind: Kind::ImapTls, port: 2993 },
            ],
        };
        let html = home.render().0;
        assert!(!html.contains("{{"), "{html}");
        for part in ["mail.example.org", "<code>2525</code>", "<code>2993</code>", "<code>–</code>"]
        {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
