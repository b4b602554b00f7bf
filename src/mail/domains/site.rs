//! Where the services of this installation are.

use std::time::Duration;

use crate::config::{Config, is_host_name};
use crate::net::hostname::hostname;
use crate::wire::mta_sts::Policy;

/// Where the services of this installation are, as the world sees them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// How long records of old keys stay.
    pub key_overlap: Duration,
    /// The mail server: MX, submission and IMAP.
    pub hostname: String,
    /// The HTTP edge.
    pub web_host: String,
    /// Submission over TLS, submission with STARTTLS, IMAP over TLS, IMAP with STARTTLS.
    pub ports: [u16; 4],
    /// What other servers are told about TLS.
    pub policy: Policy,
}

/// How long the policy of TLS is kept (RFC 8461 §3.2 speaks of weeks or more).
const POLICY_HOLDS: Duration = Duration::from_hours(14 * 24);

impl Site {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        let hostname = hostname(&config.server.hostname);
        let url = config.http.public_url.as_str();
        let authority = url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or("");
        let host = authority.split(':').next().unwrap_or("").to_ascii_lowercase();
        // An address or a name of this machine only is nothing that a CNAME can name.
        let public = is_host_name(&host)
            && host.contains('.')
            && !host.ends_with(|last: char| last.is_ascii_digit());
        let web_host = if public { host } else { hostname.clone() };
        let (submission, imap) = (&config.submission, &config.imap);
        let listen = [
            submission.listen_tls,
            submission.listen_starttls,
            imap.listen_tls,
            imap.listen_starttls,
        ];
        let policy = Policy {
            mode: config.smtp.mta_sts,
            max_age: POLICY_HOLDS,
            mx: vec![hostname.to_ascii_lowercase()],
        };
        let ports = listen.map(|address| address.port());
        let key_overlap = config.dkim.overlap.duration();
        Self { key_overlap, hostname, web_host, ports, policy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_without_a_public_name_is_reached_by_the_servers_own() {
        for url in ["http://localhost:8080", "http://192.0.2.1:8080", "http://[::1]:80"] {
            let text = format!("server.hostname = \"mx.host.example\"\nhttp.public_url = {url:?}");
            let site = Site::new(&Config::parse(&text, |_| None).unwrap());
            assert_eq!(site.web_host, "mx.host.example", "{url}");
        }
    }
}
