//! Every port, bound before anything is accepted.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::app::roles::{Role, Roles};
use crate::app::services::Services;
use crate::app::{Addresses, StartError};
use crate::config::Config;
use crate::http::{self, Home, Service};
use crate::imap;
use crate::mail::metrics::Page;
use crate::net::listener::Listener;
use crate::net::shutdown::Shutdown;
use crate::smtp;

/// A bound port and what it speaks.
struct Port {
    listener: Listener,
    speaks: Speaks,
}

/// What a port speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Speaks {
    Smtp,
    SubmissionStarttls,
    SubmissionTls,
    ImapStarttls,
    ImapTls,
    Http,
    Https,
    Metrics,
}

impl Speaks {
    /// The word for it in metrics.
    fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::SubmissionStarttls => "submission-starttls",
            Self::SubmissionTls => "submission-tls",
            Self::ImapStarttls => "imap-starttls",
            Self::ImapTls => "imap-tls",
            Self::Http => "http",
            Self::Https => "https",
            Self::Metrics => "metrics",
        }
    }
}

/// The bound ports.
pub(super) struct Listeners(Vec<Port>);

/// Binds what `roles` need.
pub(super) async fn bind(config: &Config, roles: Roles) -> Result<Listeners, StartError> {
    let (submission, imap) = (&config.submission, &config.imap);
    let wanted = [
        (Role::Smtp, Speaks::Smtp, config.smtp.listen, "smtp.listen"),
        (
            Role::Smtp,
            Speaks::SubmissionStarttls,
            submission.listen_starttls,
            "submission.listen_starttls",
        ),
        (Role::Smtp, Speaks::SubmissionTls, submission.listen_tls, "submission.listen_tls"),
        (Role::Imap, Speaks::ImapStarttls, imap.listen_starttls, "imap.listen_starttls"),
        (Role::Imap, Speaks::ImapTls, imap.listen_tls, "imap.listen_tls"),
        (Role::Edge, Speaks::Http, config.http.listen, "http.listen"),
        (Role::Edge, Speaks::Https, config.http.listen_tls, "http.listen_tls"),
    ];
    let mut ports = Vec::new();
    for (role, speaks, address, key) in wanted {
        if roles.has(role) {
            ports.push(Port { listener: Listener::bind(address, key).await?, speaks });
        }
    }
    // Every node has numbers of its own.
    if let Some(address) = config.metrics.listen {
        let listener = Listener::bind(address, "metrics.listen").await?;
        ports.push(Port { listener, speaks: Speaks::Metrics });
    }
    Ok(Listeners(ports))
}

impl Listeners {
    /// Where each was bound.
    pub(super) fn addresses(&self) -> Addresses {
        Addresses {
            smtp: self.address(Speaks::Smtp),
            submission_starttls: self.address(Speaks::SubmissionStarttls),
            submission_tls: self.address(Speaks::SubmissionTls),
            imap_starttls: self.address(Speaks::ImapStarttls),
            imap_tls: self.address(Speaks::ImapTls),
            http: self.address(Speaks::Http),
            https: self.address(Speaks::Https),
            metrics: self.address(Speaks::Metrics),
        }
    }

    fn address(&self, speaks: Speaks) -> Option<SocketAddr> {
        self.0.iter().find(|port| port.speaks == speaks).map(|port| port.listener.address())
    }

    /// Starts to accept on every port.
    pub(super) fn serve(self, config: &Arc<Config>, services: &Services, shutdown: &Shutdown) {
        let home = Arc::new(self.home(services));
        let smtp = |kind, start, listener| {
            shutdown.spawn(services.smtp(config, kind).serve(listener, start, shutdown.clone()));
        };
        let imap = |start, listener| {
            shutdown.spawn(services.imap(config).serve(listener, start, shutdown.clone()));
        };
        for Port { listener, speaks } in self.0 {
            let listener = listener.counted(services.metrics.listener(speaks.as_str()));
            match speaks {
                Speaks::Smtp => {
                    let listener = listener.behind(&config.smtp.proxies);
                    smtp(smtp::Kind::Ingress, smtp::Start::Plain, listener);
                }
                Speaks::SubmissionStarttls => {
                    let listener = listener.behind(&config.submission.proxies);
                    smtp(smtp::Kind::Submission, smtp::Start::Plain, listener);
                }
                Speaks::SubmissionTls => {
                    let listener = listener.behind(&config.submission.proxies);
                    smtp(smtp::Kind::Submission, smtp::Start::Tls, listener);
                }
                Speaks::ImapStarttls => {
                    imap(imap::Start::Plain, listener.behind(&config.imap.proxies));
                }
                Speaks::ImapTls => imap(imap::Start::Tls, listener.behind(&config.imap.proxies)),
                Speaks::Http | Speaks::Https => {
                    let router = services.edge(config, Arc::clone(&home));
                    let tls = (speaks == Speaks::Https).then(|| services.tls.clone());
                    let server = http::Server::new(config, router, tls);
                    shutdown.spawn(server.serve(listener, shutdown.clone()));
                }
                Speaks::Metrics => {
                    let page = Page::new(services.metrics.clone(), services.db.clone());
                    let server = http::Server::new(config, http::metrics(page), None);
                    shutdown.spawn(server.serve(listener, shutdown.clone()));
                }
            }
        }
    }

    fn home(&self, services: &Services) -> Home {
        let kind = |speaks| {
            Some(match speaks {
                Speaks::Smtp => http::Kind::Smtp,
                Speaks::SubmissionStarttls => http::Kind::SubmissionStarttls,
                Speaks::SubmissionTls => http::Kind::SubmissionTls,
                Speaks::ImapStarttls => http::Kind::ImapStarttls,
                Speaks::ImapTls => http::Kind::ImapTls,
                Speaks::Http => http::Kind::Http,
                Speaks::Https => http::Kind::Https,
                Speaks::Metrics => return None,
            })
        };
        let service = |port: &Port| {
            Some(Service { kind: kind(port.speaks)?, port: port.listener.address().port() })
        };
        Home {
            hostname: services.hostname.clone(),
            services: self.0.iter().filter_map(service).collect(),
        }
    }
}
