//! Where a smarthost is. Its MX is not asked for: it was named, not looked for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::mail::deliver::fates::Fate;
use crate::mail::deliver::mta_sts::Standing;
use crate::mail::deliver::route::{Route, Smarthost};
use crate::mail::deliver::target::Target;
use crate::mail::outcome::{self, Phase};
use crate::net::dns::Resolver;

/// The addresses of the smarthost that `route` leads to, in the order to try them.
///
/// # Errors
/// What becomes of the recipients when there is none: they wait, whatever the reason.
pub async fn targets(
    resolver: &Resolver,
    route: &Arc<Route>,
    smarthost: &Smarthost,
) -> Result<Vec<Target>, Fate> {
    let Smarthost { host, port, .. } = smarthost;
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => resolver.addresses(host).await.map_err(|error| {
            let why = format!("the smarthost {host} cannot be found: {error}");
            (Phase::Host, outcome::route_trouble(why))
        })?,
    };
    let target = |ip| Target {
        host: host.clone(),
        at: SocketAddr::new(ip, *port),
        sts: Standing::Unpublished,
        dane: None,
        route: Some(Arc::clone(route)),
    };
    Ok(addresses.into_iter().map(target).collect())
}

/// Those of `targets` that can be reached from the address of ours that `route` names.
///
/// # Errors
/// What becomes of the recipients when there is none.
pub fn reachable(mut targets: Vec<Target>, route: &Arc<Route>) -> Result<Vec<Target>, Fate> {
    let Some(source) = route.source else { return Ok(targets) };
    targets.retain(|target| target.at.is_ipv4() == source.is_ipv4());
    if targets.is_empty() {
        let why = format!(
            "the source address {source} reaches none of the servers: they have addresses of the other IP version only"
        );
        return Err((Phase::Host, outcome::route_trouble(why)));
    }
    for target in &mut targets {
        target.route = Some(Arc::clone(route));
    }
    Ok(targets)
}
