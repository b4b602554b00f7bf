//! The name that we greet with, and the addresses behind it.

use std::net::IpAddr;

use koltrix_mail::config::Config;
use koltrix_mail::net::dns::{DnsError, Resolver};
use koltrix_mail::net::hostname::hostname;
use koltrix_mail::net::public::is_public;

use super::{Finding, ok, problem};

/// What is said where name servers do not answer.
const AGAIN: &str = "check [dns] and the network, and try again";

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let host = hostname(&config.server.hostname);
    let resolver = match Resolver::new(&config.dns) {
        Ok(resolver) => resolver,
        Err(error) => return vec![problem("name", error.to_string(), AGAIN)],
    };
    let addresses = match resolver.addresses(&host).await {
        Ok(addresses) => addresses,
        Err(DnsError::NotFound) => {
            return vec![problem(
                "name",
                format!("{host} has no address in the DNS"),
                "publish its A and AAAA records, or set server.hostname to a name that has them: \
                 receivers refuse mail of a server that they cannot find",
            )];
        }
        Err(error) => return vec![problem("name", format!("{host}: {error}"), AGAIN)],
    };
    let mut findings = vec![name(&host, &addresses)];
    for ip in addresses.into_iter().filter(|ip| is_public(*ip)) {
        findings.push(reverse(&host, ip, resolver.ptr(ip).await));
    }
    findings
}

fn name(host: &str, addresses: &[IpAddr]) -> Finding {
    let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let found = format!("{host} is {}", all.join(", "));
    if addresses.iter().any(|ip| is_public(*ip)) {
        return ok("name", found);
    }
    problem(
        "name",
        format!("{found}: no address that others can reach"),
        "publish the public addresses that mail leaves from under this name",
    )
}

/// Forward-confirmed reverse DNS: the address names the host, and the host has the address.
fn reverse(host: &str, ip: IpAddr, names: Result<Vec<String>, DnsError>) -> Finding {
    let advice = format!("have whoever gave you {ip} set its PTR record to {host}");
    match names {
        Ok(names) if names.iter().any(|name| name.eq_ignore_ascii_case(host)) => {
            ok("reverse name", format!("{ip} is {host}"))
        }
        Ok(names) => {
            problem("reverse name", format!("{ip} calls itself {}", names.join(", ")), advice)
        }
        Err(DnsError::NotFound) => problem("reverse name", format!("{ip} has none"), advice),
        Err(error) => problem("reverse name", format!("{ip}: {error}"), AGAIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_to_name_the_host() {
        let ip = IpAddr::from([8, 8, 8, 8]);
        let judged = |names: Result<&[&str], DnsError>| {
            let names = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            reverse("mx.host.example", ip, names)
        };
        assert!(judged(Ok(&["other.example", "MX.host.example"])).ok);
        let other = judged(Ok(&["other.example"]));
        assert!(!other.ok && other.found.ends_with("other.example"), "{}", other.found);
        assert!(judged(Err(DnsError::NotFound)).advice.contains("PTR record to mx.host.example"));
    }

    #[test]
    fn a_name_needs_an_address_that_others_reach() {
        assert!(name("mx.host.example", &[IpAddr::from([8, 8, 8, 8])]).ok);
        assert!(!name("mx.host.example", &[IpAddr::from([127, 0, 0, 1])]).ok);
    }
}
