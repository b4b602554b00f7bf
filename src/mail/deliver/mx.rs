//! Where a domain's mail goes (RFC 5321 §5.1).

use std::net::SocketAddr;
use std::sync::Arc;

use crate::mail::deliver::fates::Fate;
use crate::mail::deliver::mta_sts::{Policies, Standing};
use crate::mail::deliver::target::Target;
use crate::mail::outcome::{self, Phase};
use crate::mail::reporting::tls::Sightings;
use crate::net::dns::{DnsError, Exchange, Exchanges, Resolver};
use crate::net::tls::Tlsa;

/// Addresses tried for one domain at most.
const MOST: usize = 8;

/// The addresses that take mail for `domain`, in the order to try them.
/// `us` is our own name; `port` the one that all servers listen on. Hosts that an enforced policy
/// of the domain does not name are not among them (RFC 8461 §5.1); they are `seen`.
///
/// # Errors
/// What becomes of the recipients when there is none.
pub async fn targets(
    (resolver, policies): (&Resolver, &Policies),
    domain: &str,
    us: &str,
    port: u16,
    seen: &Sightings,
) -> Result<Vec<Target>, Fate> {
    let (answer, sts, signed) =
        tokio::join!(resolver.mx(domain), policies.of(domain), is_signed(resolver, domain));
    let hosts = match answer {
        Ok(Exchanges::Null) => return Err((Phase::Rcpt, outcome::null_mx())),
        Ok(Exchanges::Hosts(hosts)) => hosts,
        // The domain's own addresses are its exchange.
        Err(DnsError::NotFound) => vec![Exchange { preference: 0, host: domain.to_owned() }],
        Err(error) => return Err((Phase::Host, outcome::dns_trouble(error))),
    };
    let hosts = before_us(hosts, us).ok_or((Phase::Rcpt, outcome::loops_back()))?;
    let hosts = allowed(hosts, &sts, seen)
        .ok_or((Phase::Host, outcome::tls_needed("no mail server is named in the policy")))?;
    let signed = signed.map_err(|error| (Phase::Host, outcome::dns_trouble(error)))?;
    let (mut found, mut trouble) = (Vec::new(), None);
    for exchange in &hosts {
        let (addresses, dane) = tokio::join!(
            resolver.addresses(&exchange.host),
            named_by(resolver, signed, &exchange.host, port)
        );
        let dane = match dane {
            Ok(dane) => dane,
            // Whoever can keep the answer away must not be able to take TLS away (RFC 7672 §2.1.2).
            Err(error) => {
                trouble = Some(error);
                continue;
            }
        };
        match addresses {
            Ok(addresses) => {
                found.extend(addresses.into_iter().map(|ip| Target {
                    host: exchange.host.clone(),
                    at: SocketAddr::new(ip, port),
                    sts: sts.clone(),
                    dane: dane.clone(),
                    route: None,
                }));
            }
            Err(DnsError::NotFound) => {}
            Err(error) => trouble = Some(error),
        }
        if found.len() >= MOST {
            break;
        }
    }
    found.truncate(MOST);
    match trouble {
        _ if !found.is_empty() => Ok(found),
        Some(error) => Err((Phase::Host, outcome::dns_trouble(error))),
        None => Err((Phase::Rcpt, outcome::no_route())),
    }
}

/// Whether the DNS vouches for who the servers of `domain` are.
async fn is_signed(resolver: &Resolver, domain: &str) -> Result<bool, DnsError> {
    if resolver.is_trusted() { resolver.has_authentic_mx(domain).await } else { Ok(false) }
}

/// What the DNS names a server by, as far as that can be used; `None` where it says nothing.
async fn named_by(
    resolver: &Resolver,
    signed: bool,
    host: &str,
    port: u16,
) -> Result<Option<Arc<[Tlsa]>>, DnsError> {
    if !signed {
        return Ok(None);
    }
    let records = resolver.tlsa(host, port).await?;
    let usable = || records.iter().filter(|record| record.is_usable()).cloned().collect();
    Ok((!records.is_empty()).then(usable))
}

/// Without ourselves and every host that is no nearer than we are: sending
/// there would send it in circles. `None` when nobody is left.
fn before_us(mut hosts: Vec<Exchange>, us: &str) -> Option<Vec<Exchange>> {
    let ours = hosts
        .iter()
        .filter(|exchange| exchange.host.eq_ignore_ascii_case(us))
        .map(|exchange| exchange.preference)
        .min();
    if let Some(ours) = ours {
        hosts.retain(|exchange| exchange.preference < ours);
    }
    (!hosts.is_empty()).then_some(hosts)
}

/// Those that the domain's policy allows. `None` when that is nobody.
fn allowed(mut hosts: Vec<Exchange>, sts: &Standing, seen: &Sightings) -> Option<Vec<Exchange>> {
    if let Some(policy) = sts.enforced() {
        hosts.retain(|exchange| {
            let allowed = policy.allows(&exchange.host);
            if !allowed {
                tracing::info!(host = %exchange.host, "the policy of the domain (MTA-STS) does not name this server");
                seen.passed_over(&exchange.host, sts);
            }
            allowed
        });
    }
    (!hosts.is_empty()).then_some(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[(u16, &str)]) -> Vec<Exchange> {
        let exchange = |(preference, host): &(u16, &str)| Exchange {
            preference: *preference,
            host: (*host).to_owned(),
        };
        list.iter().map(exchange).collect()
    }

    #[test]
    fn only_hosts_nearer_than_we_are() {
        let all =
            hosts(&[(10, "a.example"), (20, "us.example"), (20, "b.example"), (30, "c.example")]);
        assert_eq!(before_us(all.clone(), "US.example"), Some(hosts(&[(10, "a.example")])));
        assert_eq!(before_us(all.clone(), "other.example"), Some(all));
        assert_eq!(before_us(hosts(&[(0, "us.example"), (5, "a.example")]), "us.example"), None);
    }
}
