//! Every port, bound before anything is accepted.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::app::roles::{Role, Roles};
use crate::app::services::Services;
use crate::app::{Addresses, StartError};
use crate::config::Config;
use crate::http::{self, Edge, Home, Service};
use crate::net::listener::Listener;
use crate::net::shutdown::Shutdown;
use crate::net::stream::Stream;
use crate::smtp::server::{Kind, Server};

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
}

/// The bound ports.
pub(super) struct Listeners(Vec<Port>);

/// Binds what `roles` need.
pub(super) async fn bind(config: &Config, roles: Roles) -> Result<Listeners, StartError> {
    let (submission, imap) = (&config.submission, &config.imap);
    let wanted = [
        (Role::Smtp, Speaks::Smtp, config.smtp.listen, "smtp.listen"),
        (Role::Smtp, Speaks::SubmissionStarttls, submission.listen_starttls, "submission.listen_starttls"),
        (Role::Smtp, Speaks::SubmissionTls, submission.listen_tls, "submission.listen_tls"),
        (Role::Imap, Speaks::ImapStarttls, imap.listen_starttls, "imap.listen_starttls"),
        (Role::Imap, Speaks::ImapTls, imap.listen_tls, "imap.listen_tls"),
        (Role::Edge, Speaks::Http, config.http.listen, "http.listen"),
    ];
    let mut ports = Vec::new();
    for (role, speaks, address, key) in wanted {
        if roles.has(role) {
            ports.push(Port { listener: Listener::bind(address, key).await?, speaks });
        }
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
        }
    }

    fn address(&self, speaks: Speaks) -> Option<SocketAddr> {
        self.0.iter().find(|port| port.speaks == speaks).map(|port| port.listener.address())
    }

    /// Starts to accept on every port.
    pub(super) fn serve(self, config: &Arc<Config>, services: &Services, shutdown: &Shutdown) {
        let home = Arc::new(self.home(services));
        for Port { listener, speaks } in self.0 {
            let context = Context {
                config: Arc::clone(config),
                shutdown: shutdown.clone(),
            };
            match speaks {
                Speaks::Smtp => context.smtp(listener, services.smtp(config, Kind::Ingress), false),
                Speaks::SubmissionStarttls => {
                    context.smtp(listener, services.smtp(config, Kind::Submission), false);
                }
                Speaks::SubmissionTls => {
                    context.smtp(listener, services.smtp(config, Kind::Submission), true);
                }
                Speaks::ImapStarttls => context.imap(listener, services.imap(config), false),
                Speaks::ImapTls => context.imap(listener, services.imap(config), true),
                Speaks::Http => context.http(listener, services.edge(config, Arc::clone(&home))),
            }
        }
    }

    fn home(&self, services: &Services) -> Home {
        let kind = |speaks| match speaks {
            Speaks::Smtp => http::Kind::Smtp,
            Speaks::SubmissionStarttls => http::Kind::SubmissionStarttls,
            Speaks::SubmissionTls => http::Kind::SubmissionTls,
            Speaks::ImapStarttls => http::Kind::ImapStarttls,
            Speaks::ImapTls => http::Kind::ImapTls,
            Speaks::Http => http::Kind::Http,
        };
        let service = |port: &Port| Service {
            kind: kind(port.speaks),
            port: port.listener.address().port(),
        };
        Home { hostname: services.hostname.clone(), services: self.0.iter().map(service).collect() }
    }
}

/// What every accepting loop needs.
struct Context {
    config: Arc<Config>,
    shutdown: Shutdown,
}

impl Context {
    fn smtp(self, listener: Listener, server: Server, tls: bool) {
        let Self { config, shutdown } = self;
        let refusal: &[u8] = if tls { b"" } else { b"421 4.7.0 Too many connections\r\n" };
        let stop = shutdown.clone();
        shutdown.clone().spawn(async move {
            let limit = config.timeouts.tls_handshake.duration();
            let accepted = listener.serve(&config.limits, refusal, shutdown, move |socket, peer| {
                let (server, stop) = (server.clone(), stop.clone());
                async move {
                    let stream = Stream::plain(socket, peer);
                    let stream = match tls {
                        true => match stream.upgrade_server(&server.tls, limit).await {
                            Ok(upgraded) => upgraded.stream,
                            Err(error) => return tracing::debug!(%peer, %error, "no TLS"),
                        },
                        false => stream,
                    };
                    server.serve(stream, stop).await;
                }
            });
            accepted.await;
        });
    }
}
