//! The one screen of a start: what runs where, and three lines to try it with.

use std::fmt::Write as _;
use std::net::SocketAddr;

use koltrix_mail::app::Addresses;
use koltrix_mail::config::{Config, ObjectKind};

use super::demo::Accounts;

/// What the screen is made of.
pub(super) struct Screen<'a> {
    /// The settings in force.
    pub(super) config: &'a Config,
    /// The name told to peers.
    pub(super) hostname: &'a str,
    /// What was bound.
    pub(super) addresses: Addresses,
    /// The demo accounts, where there are any.
    pub(super) demo: Option<Accounts>,
}

impl std::fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let version = env!("CARGO_PKG_VERSION");
        writeln!(f, "\nkoltrix-mail {version} runs as {}\n", self.hostname)?;
        for (what, place) in self.services().into_iter().chain(self.storage()) {
            writeln!(f, "  {what:<13}{place}")?;
        }
        if let Some(demo) = &self.demo {
            writeln!(f, "\n  {:<13}{}", "Accounts", demo.addresses.join(" and "))?;
            writeln!(f, "  {:<13}{}", "Password", demo.password)?;
            let lines = self.lines(demo);
            if !lines.is_empty() {
                writeln!(f, "\nTo try it:")?;
            }
            for line in lines {
                writeln!(f, "  {line}")?;
            }
        }
        writeln!(f, "\nCtrl-C stops it.")
    }
}

impl Screen<'_> {
    fn services(&self) -> Vec<(&'static str, String)> {
        let Addresses {
            smtp, submission_starttls, submission_tls, imap_starttls, imap_tls, ..
        } = self.addresses;
        let Addresses { http, https, metrics, .. } = self.addresses;
        let both = |starttls: Option<SocketAddr>, tls: Option<SocketAddr>| {
            Some(format!("{} with STARTTLS, {} with TLS", starttls?, tls?))
        };
        [
            ("SMTP", smtp.map(|at| format!("{at}, mail from other servers"))),
            ("Submission", both(submission_starttls, submission_tls)),
            ("IMAP", both(imap_starttls, imap_tls)),
            ("HTTP", http.map(|at| format!("{at}, links start {}", self.public_url()))),
            ("HTTPS", https.map(|at| format!("{at}, with TLS"))),
            ("Metrics", metrics.map(|at| format!("http://{at}/metrics"))),
        ]
        .into_iter()
        .filter_map(|(what, place)| Some((what, place?)))
        .collect()
    }

    fn storage(&self) -> Vec<(&'static str, String)> {
        let config = self.config;
        let data_dir = config.server.data_dir.display();
        let database = if config.database.url.is_empty() {
            format!("a private PostgreSQL, for {data_dir}")
        } else {
            "as database.url says".to_owned()
        };
        let objects = match config.objects.kind {
            ObjectKind::Dir => format!("{data_dir}/objects"),
            ObjectKind::S3 => {
                format!("bucket {} at {}", config.objects.s3.bucket, config.objects.s3.endpoint)
            }
        };
        let certificate = format!("{}/fullchain.pem", config.server.certs_dir.display());
        vec![("Database", database), ("Objects", objects), ("Certificate", certificate)]
    }

    fn public_url(&self) -> &str {
        self.config.http.public_url.as_str()
    }

    /// Send, read, look: as far as this node does them.
    fn lines(&self, demo: &Accounts) -> Vec<String> {
        let mut lines = Vec::new();
        let Some(to) = demo.addresses.first() else { return lines };
        if let Some(smtp) = self.addresses.smtp {
            let mut line = String::new();
            // Infallible: a String takes everything.
            let _ = write!(
                line,
                "printf 'From: you@example.org\\nTo: {to}\\nSubject: Hello\\n\\nIt works.\\n' | \
                 curl -sS --crlf -T - smtp://localhost:{} --mail-from you@example.org --mail-rcpt {to}",
                smtp.port()
            );
            lines.push(line);
        }
        if let Some(imap) = self.addresses.imap_tls {
            lines.push(format!(
                "curl -sS --cacert {}/ca.pem -u {to}:{} 'imaps://localhost:{}/INBOX;MAILINDEX=1'",
                self.config.server.certs_dir.display(),
                demo.password,
                imap.port()
            ));
        }
        if let Some(http) = self.addresses.http {
            lines.push(format!("xdg-open http://localhost:{}/", http.port()));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        ([0, 0, 0, 0], port).into()
    }

    fn demo() -> Accounts {
        Accounts {
            addresses: vec!["alice@demo.test".into(), "bob@demo.test".into()],
            password: "secret-one".into(),
        }
    }

    #[test]
    fn a_first_start_tells_all_and_fits_one_screen() {
        let config = Config::parse("", |_| None).unwrap();
        let addresses = Addresses {
            smtp: Some(at(2525)),
            submission_starttls: Some(at(2587)),
            submission_tls: Some(at(2465)),
            imap_starttls: Some(at(2143)),
            imap_tls: Some(at(2993)),
            http: Some(at(8080)),
            metrics: Some(at(9464)),
            https: Some(at(8443)),
        };
        let screen = Screen { config: &config, hostname: "mx.test", addresses, demo: Some(demo()) };
        let text = screen.to_string();
        for expected in [
            "runs as mx.test",
            "0.0.0.0:2525",
            "0.0.0.0:2587 with STARTTLS, 0.0.0.0:2465 with TLS",
            "alice@demo.test and bob@demo.test",
            "secret-one",
            "smtp://localhost:2525",
            "imaps://localhost:2993/INBOX;MAILINDEX=1",
            "http://localhost:8080/",
        ] {
            assert!(text.contains(expected), "{expected} is missing:\n{text}");
        }
        assert!(text.lines().count() <= 24, "{text}");
    }

    #[test]
    fn production_shows_no_secret_and_only_what_runs() {
        let file = "[database]\nurl = \"postgres://u:hunter2@db/mail\"\n[objects]\nkind = \"s3\"\n\
                    [objects.s3]\nendpoint = \"http://minio:9000\"\nbucket = \"mail\"\n\
                    access_key = \"a\"\nsecret_key = \"hunter3\"";
        let config = Config::parse(file, |_| None).unwrap();
        let addresses = Addresses { smtp: Some(at(25)), ..Addresses::default() };
        let text =
            Screen { config: &config, hostname: "mx.test", addresses, demo: None }.to_string();
        assert!(text.contains("bucket mail at http://minio:9000"), "{text}");
        assert!(!text.contains("hunter") && !text.contains("IMAP"), "{text}");
    }
}
