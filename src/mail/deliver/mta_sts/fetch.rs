//! A policy from where its domain keeps it (RFC 8461 §3.3).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Unavailable;
use crate::net::dns::Resolver;
use crate::net::http_client::{HttpAnswer, HttpError, HttpService};
use crate::net::public::is_public;
use crate::net::tls::ClientTls;
use crate::wire::mta_sts::Policy;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_mins(1);
/// Octets of a policy.
const MOST: usize = 64 * 1024;
/// Addresses that are tried.
const ADDRESSES: usize = 4;
/// Where only public addresses are asked.
const HTTPS: u16 = 443;
const PATH: &str = "/.well-known/mta-sts.txt";

/// Fetches policies.
pub(super) struct Fetcher {
    pub(super) resolver: Resolver,
    pub(super) tls: ClientTls,
    pub(super) port: u16,
}

impl Fetcher {
    /// The policy of `domain`.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn fetch(&self, domain: &str) -> Result<Policy, Unavailable> {
        let by = Instant::now() + LIMIT;
        let answer = match timeout_at(by, self.ask(&format!("mta-sts.{domain}"))).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(why)) => return Err(why),
            Err(_) => return Err(Unavailable::Fetch),
        };
        // A redirect is no policy.
        if answer.status != 200 || answer.media_type != "text/plain" {
            tracing::info!(domain, status = answer.status, kind = %answer.media_type, "no policy of TLS where one is announced");
            return Err(Unavailable::Fetch);
        }
        Policy::parse(&answer.body).map_err(|error| {
            tracing::info!(domain, %error, "the policy of TLS is not usable");
            Unavailable::Invalid
        })
    }

    async fn ask(&self, host: &str) -> Result<HttpAnswer, Unavailable> {
        let addresses = self.resolver.addresses(host).await.map_err(|error| {
            tracing::info!(host, %error, "the server of a policy of TLS is not found");
            Unavailable::Fetch
        })?;
        let allowed = |ip: &IpAddr| self.port != HTTPS || is_public(*ip);
        let mut why = Unavailable::Fetch;
        for ip in addresses.into_iter().filter(allowed).take(ADDRESSES) {
            let at = SocketAddr::new(ip, self.port);
            let service = HttpService::found(host, at, self.tls.clone(), (LIMIT / 4, MOST));
            let asked = match service {
                Ok(service) => service.get(PATH).await,
                Err(error) => Err(error),
            };
            match asked {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    tracing::info!(host, %ip, %error, "a policy of TLS could not be fetched");
                    let unproven = matches!(error, HttpError::Unproven(_));
                    why = if unproven { Unavailable::Certificate } else { Unavailable::Fetch };
                }
            }
        }
        Err(why)
    }
}
