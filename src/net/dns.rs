//! Name resolution, with the one distinction mail needs: "there is none" against "try later".

mod authentic;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as HickoryDnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use rand::seq::SliceRandom;

use crate::config;

/// Asks the configured name servers, or the system's; cheap to clone, clones share one cache.
#[derive(Clone)]
pub struct Resolver {
    inner: TokioResolver,
    config: ResolverConfig,
    options: ResolverOpts,
    /// What the servers call authentic is.
    trusted: bool,
}

/// Answers kept for checking mail; some hundred octets each.
const CHECKS_CACHED: u64 = 65_536;
/// How long a name that is not there is not asked for again, where nothing else is said.
const NO_HOLDS: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name does not exist, has no such record, or is no name at all.
    #[error("no such record")]
    NotFound,
    /// No server gave an answer that can be relied on; the text says why, for the log.
    #[error("name resolution failed: {0}")]
    Temporary(String),
}

/// What a domain's MX records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchanges {
    /// Where to deliver: lowest preference first, equal ones in random order (RFC 5321 §5.1).
    Hosts(Vec<Exchange>),
    /// A null MX: the domain takes no mail (RFC 7505).
    Null,
}

/// One MX record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Lower is tried first.
    pub preference: u16,
    /// A host name, lower case, without the final dot.
    pub host: String,
}

/// One SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Lower is tried first.
    pub priority: u16,
    /// The share of clients among those of one priority.
    pub weight: u16,
    /// Where the service listens.
    pub port: u16,
    /// A host name, lower case, without the final dot; empty: there is no such service.
    pub host: String,
}

impl Resolver {
    /// A resolver for the configured servers, or for the system's when none is configured.
    pub fn new(settings: &config::Dns) -> Result<Self, DnsError> {
        let (config, mut options) = if settings.servers.is_empty() {
            read_system_conf().map_err(|error| DnsError::Temporary(error.to_string()))?
        } else {
            let servers = settings.servers.iter().copied().map(name_server).collect();
            let mut options = ResolverOpts::default();
            options.use_hosts_file = ResolveHosts::Never;
            (ResolverConfig::from_name_servers(servers), options)
        };
        options.timeout = settings.timeout.duration();
        options.attempts = settings.attempts.get();
        let runtime = TokioRuntimeProvider::default();
        let inner = TokioResolver::builder_with_config(config.clone(), runtime)
            .with_options(options.clone())
            .build()
            .map_err(|error| DnsError::Temporary(error.to_string()))?;
        Ok(Self { inner, config, options, trusted: settings.trusted })
    }

    /// What this resolver was built from, for a library that builds its own to check mail with.
    ///
    /// Its cache is larger, and a "no" whose server did not say how long it holds is believed for a
    /// moment: most of what is asked about mail does not exist, and is asked again for the next
    /// message.
    pub fn settings(&self) -> (ResolverConfig, ResolverOpts) {
        let mut options = self.options.clone();
        options.cache_size = CHECKS_CACHED;
        options.negative_min_ttl = Some(NO_HOLDS);
        (self.config.clone(), options)
    }

    /// The mail exchanges of a domain. [`DnsError::NotFound`] says that there is no MX record, not
    /// that the domain takes no mail: its own addresses are then the exchange (RFC 5321 §5.1).
    pub async fn mx(&self, domain: &str) -> Result<Exchanges, DnsError> {
        let lookup = self.lookup(domain, RecordType::MX).await?;
        let records = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::MX(mx) => Some((mx.preference, &mx.exchange)),
            _ => None,
        });
        exchanges(records)
    }

    /// The IPv4 and IPv6 addresses of a host, IPv6 first.
    ///
    /// An address of one kind is enough, whatever became of the question for the other.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let (v6, v4) =
            tokio::join!(self.lookup(host, RecordType::AAAA), self.lookup(host, RecordType::A));
        let found: Vec<IpAddr> = [&v6, &v4]
            .into_iter()
            .flatten()
            .flat_map(Lookup::answers)
            .filter_map(|record| record.data.ip_addr())
            .collect();
        if found.is_empty() {
            let failed = |result: Result<Lookup, DnsError>| {
                result.err().filter(|error| *error != DnsError::NotFound)
            };
            return Err(failed(v6).or(failed(v4)).unwrap_or(DnsError::NotFound));
        }
        Ok(found)
    }

    /// The TXT records of a name, the strings of each put together (RFC 7208 §3.3); bytes that are
    /// no UTF-8 are replaced.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let lookup = self.lookup(name, RecordType::TXT).await?;
        let texts = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        });
        let texts: Vec<String> = texts.collect();
        if texts.is_empty() { Err(DnsError::NotFound) } else { Ok(texts) }
    }

    /// The SRV records of a name, in no order.
    pub async fn srv(&self, name: &str) -> Result<Vec<Service>, DnsError> {
        let lookup = self.lookup(name, RecordType::SRV).await?;
        let services = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(Service {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                host: host_name(&srv.target),
            }),
            _ => None,
        });
        let services: Vec<Service> = services.collect();
        if services.is_empty() { Err(DnsError::NotFound) } else { Ok(services) }
    }

    /// The names that an address says are its own, lower case; whether they are is theirs to say.
    pub async fn ptr(&self, ip: IpAddr) -> Result<Vec<String>, DnsError> {
        let lookup = self.lookup(&Name::from(ip).to_ascii(), RecordType::PTR).await?;
        let names = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::PTR(name) => Some(host_name(name)),
            _ => None,
        });
        let names: Vec<String> = names.collect();
        if names.is_empty() { Err(DnsError::NotFound) } else { Ok(names) }
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Lookup, DnsError> {
        let mut name = Name::from_str_relaxed(name).map_err(|_| DnsError::NotFound)?;
        // Absolute: the system's search list must not send mail for example.com elsewhere.
        name.set_fqdn(true);
        self.inner.lookup(name, kind).await.map_err(|error| classify(&error))
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    (udp.port, tcp.port) = (address.port(), address.port());
    NameServerConfig::new(address.ip(), true, vec![udp, tcp])
}

/// Only an authoritative "no" is a no; SERVFAIL, REFUSED and silence are doubt.
fn classify(error: &NetError) -> DnsError {
    match error {
        NetError::Dns(HickoryDnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NXDomain | ResponseCode::NoError,
            ..
        })) => DnsError::NotFound,
        other => DnsError::Temporary(other.to_string()),
    }
}

/// A domain as the DNS and certificates have it: lower case, what is beyond ASCII in A-labels,
/// without the final dot.
pub fn ascii_domain(domain: &str) -> Option<String> {
    Name::from_str_relaxed(domain).ok().map(|name| host_name(&name))
}

/// A domain as people write it: lower case, A-labels decoded, without the final dot.
pub fn unicode_domain(domain: &str) -> Option<String> {
    let name = Name::from_str_relaxed(domain).ok()?;
    Some(name.to_utf8().trim_end_matches('.').to_lowercase())
}

/// Lower case, without the final dot.
fn host_name(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

fn exchanges<'a>(records: impl Iterator<Item = (u16, &'a Name)>) -> Result<Exchanges, DnsError> {
    let mut null = false;
    let mut hosts = Vec::new();
    for (preference, exchange) in records {
        if exchange.is_root() {
            null = true;
        } else {
            hosts.push(Exchange { preference, host: host_name(exchange) });
        }
    }
    if hosts.is_empty() {
        return if null { Ok(Exchanges::Null) } else { Err(DnsError::NotFound) };
    }
    hosts.shuffle(&mut rand::rng());
    hosts.sort_by_key(|exchange| exchange.preference);
    Ok(Exchanges::Hosts(hosts))
}

#[cfg(test)]
mod tests;
