//! The single methods, each asked of the library and its answer put in our words.

use std::net::IpAddr;

use mail_auth::crypto::Algorithm;
use mail_auth::dkim::VerifySignature as _;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    ArcOutput, AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, DnsError,
    Error as AuthError, MessageAuthenticator, NoCache, SpfOutput, SpfResult,
};

use crate::domain::envelope::MailFrom;
use crate::domain::verdict::{Dmarc, Outcome, Policy, Signature};
use crate::mail::authenticity::policy::Found;
use crate::mail::client::Client;
use crate::wire::auth_results::result_of;

/// Names of one address that are followed back.
const MAX_NAMES: usize = 2;

/// SPF of the reverse-path, or of HELO for `<>` (RFC 7208 §2.4).
pub(super) async fn spf(
    library: &MessageAuthenticator,
    us: &str,
    client: &Client,
    mail_from: &MailFrom,
) -> SpfOutput {
    let ip = client.ip.to_canonical();
    let question = match &mail_from.reverse_path.0 {
        Some(sender) => SpfParameters::mail_from(ip, &client.helo, us, sender.as_str()),
        None => SpfParameters::helo(ip, &client.helo, us),
    };
    library.verify_spf(question).await
}

/// The result, in our words.
pub(super) fn spf_outcome(result: SpfResult) -> Outcome {
    match result {
        SpfResult::Pass => Outcome::Pass,
        SpfResult::Fail => Outcome::Fail,
        SpfResult::SoftFail => Outcome::Softfail,
        SpfResult::Neutral => Outcome::Neutral,
        SpfResult::TempError => Outcome::Temperror,
        SpfResult::PermError => Outcome::Permerror,
        SpfResult::None => Outcome::None,
    }
}

/// Every DKIM signature: as DMARC is to see it, and as it is kept.
///
/// One that says too little counts for nothing, whatever the library found: made with SHA-1
/// (RFC 8301 §3.1), or without From (RFC 6376 §6.1.1). Keys under 1024 bits are no keys to the
/// library (RFC 8301 §3.2), nor is what has `l=` a signature.
pub(super) async fn dkim<'x>(
    library: &MessageAuthenticator,
    message: &'x AuthenticatedMessage<'x>,
) -> (Vec<DkimOutput<'x>>, Vec<Signature>) {
    let mut found = library.verify_dkim(message).await;
    let mut signatures = Vec::with_capacity(found.len());
    for output in &mut found {
        let worthless = output.signature().is_some_and(|signature| {
            signature.algorithm() == Algorithm::RsaSha1
                || !signature.h.iter().any(|name| name.trim().eq_ignore_ascii_case("from"))
        });
        let mut kept = signature(output);
        if worthless {
            kept.result = Outcome::Permerror;
            *output = DkimOutput::from(DkimResult::None);
        }
        signatures.push(kept);
    }
    (found, signatures)
}

fn signature(output: &DkimOutput<'_>) -> Signature {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    Signature {
        result: outcome(output.result()),
        domain: text(output.signature().map(|signature| &signature.d)),
        selector: text(output.signature().map(|signature| &signature.s)),
    }
}

/// The words of DKIM, which ARC shares.
pub(super) fn outcome(result: &DkimResult) -> Outcome {
    match result {
        DkimResult::Pass => Outcome::Pass,
        DkimResult::Neutral(_) => Outcome::Neutral,
        DkimResult::Fail(_) => Outcome::Fail,
        DkimResult::PermError(_) => Outcome::Permerror,
        DkimResult::TempError(_) => Outcome::Temperror,
        DkimResult::None => Outcome::None,
    }
}

/// The trusted one among those who sealed a whole chain with a DMARC pass in it
/// (RFC 8617 §7.2.1): the last to seal, or nobody.
pub(super) fn trusted_sealer(chain: &ArcOutput<'_>, trusted: &[String]) -> Option<String> {
    let is_trusted = |domain: &str| trusted.iter().any(|name| name.eq_ignore_ascii_case(domain));
    let last = chain.chain().last().filter(|set| is_trusted(&set.seal.header.d))?;
    let passed = chain.chain().iter().any(|set| {
        is_trusted(&set.seal.header.d)
            && result_of(set.results.value, "dmarc").is_some_and(|result| result == "pass")
    });
    (passed && *chain.result() == DkimResult::Pass).then(|| last.seal.header.d.clone())
}

/// DMARC for one domain of From (RFC 9989 §4.10).
pub(super) async fn dmarc(
    library: &MessageAuthenticator,
    domain: &str,
    mail_from_domain: &str,
    spf: &SpfOutput,
    dkim: &[DkimOutput<'_>],
) -> Found {
    // The library reads the domain from a From field: it is given one that says this and no more.
    let stand_in = format!("From: <x@{domain}>\r\n\r\n");
    let Some(message) = AuthenticatedMessage::parse(stand_in.as_bytes()) else {
        return (Dmarc { domain: domain.to_owned(), ..Dmarc::default() }, None);
    };
    let question = DmarcParameters::new(&message, dkim, mail_from_domain, spf);
    let found = library.verify_dmarc(question).await;
    let dmarc = Dmarc {
        result: dmarc_outcome(&found),
        domain: domain.to_owned(),
        // Lowered already where `t=y` asks for it (RFC 9989 §4.7).
        policy: match found.policy() {
            mail_auth::dmarc::Policy::Reject => Policy::Reject,
            mail_auth::dmarc::Policy::Quarantine => Policy::Quarantine,
            _ => Policy::None,
        },
        spf_aligned: *found.spf_result() == DmarcResult::Pass,
        dkim_aligned: *found.dkim_result() == DmarcResult::Pass,
        overridden_by: None,
    };
    (dmarc, found.record().cloned())
}

fn dmarc_outcome(found: &DmarcOutput) -> Outcome {
    match found.result() {
        DmarcResult::Pass => Outcome::Pass,
        DmarcResult::Fail(_) => Outcome::Fail,
        DmarcResult::TempError(_) => Outcome::Temperror,
        DmarcResult::PermError(_) => Outcome::Permerror,
        DmarcResult::None => Outcome::None,
    }
}

/// The name of an address that leads back to it (RFC 8601 §2.7.3).
pub(super) async fn iprev(library: &MessageAuthenticator, ip: IpAddr) -> (Outcome, Option<String>) {
    let ip = ip.to_canonical();
    let names = match library.ptr_lookup(ip, None::<&NoCache>).await {
        Ok(names) => names.records,
        Err(error) => return (doubt(&error), None),
    };
    let mut outcome = Outcome::Fail;
    // "A limit on the number of PTR records" (RFC 8601 §2.7.3, RFC 7208 §4.6.4)
    for name in names.iter().take(MAX_NAMES) {
        match leads_to(library, name, ip).await {
            Ok(true) => return (Outcome::Pass, Some(name.trim_end_matches('.').to_owned())),
            Ok(false) => {}
            Err(error) => outcome = doubt(&error),
        }
    }
    (outcome, None)
}

async fn leads_to(
    library: &MessageAuthenticator,
    name: &str,
    ip: IpAddr,
) -> Result<bool, AuthError> {
    match ip {
        IpAddr::V4(ip) => {
            let found = library.ipv4_lookup(name, None::<&NoCache>).await?;
            Ok(found.records.contains(&ip))
        }
        IpAddr::V6(ip) => {
            let found = library.ipv6_lookup(name, None::<&NoCache>).await?;
            Ok(found.records.contains(&ip))
        }
    }
}

fn doubt(error: &AuthError) -> Outcome {
    match error {
        AuthError::Dns(DnsError::Resolver(_)) => Outcome::Temperror,
        _ => Outcome::Permerror,
    }
}
