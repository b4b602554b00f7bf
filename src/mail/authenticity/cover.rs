//! What others will find when mail of a domain comes from us.

use std::net::IpAddr;

use mail_auth::MessageAuthenticator;
use mail_auth::spf::verify::SpfParameters;

use crate::domain::verdict::Outcome;
use crate::mail::authenticity::checks::spf_outcome;
use crate::net::dns::Resolver;

/// The result of SPF (RFC 7208 §4) for mail from `domain` by each of our addresses, where `host`
/// is the name we greet with. Nothing that was found out before is used: whoever asks has just
/// changed the record.
pub(in crate::mail) async fn spf_of(
    resolver: &Resolver,
    ours: &[IpAddr],
    host: &str,
    domain: &str,
) -> Vec<(IpAddr, Outcome)> {
    let (config, options) = resolver.settings();
    let Ok(library) = MessageAuthenticator::new(config, options) else {
        return ours.iter().map(|ip| (*ip, Outcome::Temperror)).collect();
    };
    let sender = format!("postmaster@{domain}");
    let mut results = Vec::with_capacity(ours.len());
    for ip in ours {
        let question = SpfParameters::mail_from(*ip, host, host, &sender);
        let found = library.verify_spf(question).await;
        results.push((*ip, spf_outcome(found.result())));
    }
    results
}
