//! One record: asking for it, and what to make of the answer.

use std::net::IpAddr;

use crate::domain::verdict::Outcome;
use crate::mail::authenticity::spf_of;
use crate::mail::domains::check::{Finding, State};
use crate::mail::domains::records::{Kind, Purpose, Record};
use crate::net::dns::{DnsError, Exchanges, Resolver};
use crate::wire::dkim::tag;

/// What was answered.
#[derive(Default)]
struct Answer {
    /// The values that could be meant.
    found: Vec<String>,
    /// What they are compared with, where that is not the record's own value: the addresses of the
    /// target for CNAME.
    against: Vec<String>,
    /// What SPF says of each of our addresses.
    covered: Vec<(IpAddr, Outcome)>,
}

type Verdict = (State, Option<String>);

/// Asks for a record and judges the answer.
pub(super) async fn look(resolver: &Resolver, record: Record) -> Finding {
    match ask(resolver, &record).await {
        Ok(answer) => {
            let (state, advice) = judge(&record, &answer);
            Finding::new(record, answer.found, state, advice)
        }
        Err(DnsError::NotFound) => {
            let (state, advice) = missing(&record);
            Finding::new(record, Vec::new(), state, advice)
        }
        Err(DnsError::Temporary(text)) => {
            let advice = format!("the name servers gave no answer ({text}): check again later");
            Finding::new(record, Vec::new(), State::Unknown, Some(advice))
        }
    }
}

async fn ask(resolver: &Resolver, record: &Record) -> Result<Answer, DnsError> {
    let mut answer = Answer::default();
    match record.kind {
        Kind::Txt => {
            answer.found = resolver.txt(&record.name).await?;
            answer.found.retain(|text| is_meant(record.purpose, text));
            if record.purpose == Purpose::Spf {
                let host = our_host(record);
                let ours = resolver.addresses(host).await.unwrap_or_default();
                answer.covered = spf_of(resolver, &ours, host, &record.name).await;
            }
        }
        Kind::Mx => answer.found = exchanges(resolver, &record.name).await?,
        Kind::Srv => {
            let services = resolver.srv(&record.name).await?;
            let text = |s: &crate::net::dns::Service| {
                format!("{} {} {} {}", s.priority, s.weight, s.port, s.host)
            };
            answer.found = services.iter().map(text).collect();
        }
        Kind::Cname => {
            answer.found = addresses(resolver, &record.name).await?;
            answer.against = addresses(resolver, &record.value).await.unwrap_or_default();
        }
    }
    Ok(answer)
}

async fn exchanges(resolver: &Resolver, domain: &str) -> Result<Vec<String>, DnsError> {
    Ok(match resolver.mx(domain).await? {
        Exchanges::Null => vec!["0 .".to_owned()],
        Exchanges::Hosts(hosts) => {
            hosts.iter().map(|mx| format!("{} {}", mx.preference, mx.host)).collect()
        }
    })
}

async fn addresses(resolver: &Resolver, host: &str) -> Result<Vec<String>, DnsError> {
    Ok(resolver.addresses(host).await?.iter().map(ToString::to_string).collect())
}

/// Whether a TXT record is of the kind that is looked for: others may stand under the same name.
fn is_meant(purpose: Purpose, text: &str) -> bool {
    let version = match purpose {
        Purpose::Verification => return text.trim().starts_with("koltrix-verify="),
        Purpose::Dkim => return tag(text, "p").is_some(),
        Purpose::Spf => {
            return text.split(' ').next().is_some_and(|v| v.eq_ignore_ascii_case("v=spf1"));
        }
        Purpose::Dmarc => "DMARC1",
        Purpose::MtaSts => "STSv1",
        Purpose::TlsRpt => "TLSRPTv1",
        Purpose::Mx
        | Purpose::MtaStsHost
        | Purpose::Service
        | Purpose::ClientSetup
        | Purpose::TrackingHost => {
            return false;
        }
    };
    tag(text, "v").is_some_and(|found| found == version)
}

fn judge(record: &Record, answer: &Answer) -> Verdict {
    let found = answer.found.as_slice();
    let same = |name| found.iter().any(|text| tag(text, name) == tag(&record.value, name));
    match (record.purpose, found) {
        (_, []) => missing(record),
        (Purpose::Mx | Purpose::Service, _) => place(record, found),
        (Purpose::MtaStsHost | Purpose::ClientSetup | Purpose::TrackingHost, _) => {
            settle(found.iter().any(|ip| answer.against.contains(ip)), record)
        }
        (Purpose::Verification, _) => {
            settle(found.iter().any(|text| text.trim() == record.value), record)
        }
        (Purpose::Dkim, _) => settle(publishes_key(found, &record.value), record),
        // RFC 7208 §4.5, RFC 9989 §4.7, RFC 8461 §3.1, RFC 8460 §3.
        (_, [_, _, ..]) => {
            let advice = "several such records count as none: keep one of them";
            (State::Wrong, Some(advice.to_owned()))
        }
        (Purpose::Spf, [_]) => spf(record, &answer.covered),
        (Purpose::Dmarc, [text]) => {
            let policy = tag(text, "p").unwrap_or_default();
            let known =
                ["none", "quarantine", "reject"].contains(&policy.to_ascii_lowercase().as_str());
            settle(known, record)
        }
        (Purpose::MtaSts, _) => settle(same("id"), record),
        (Purpose::TlsRpt, [text]) => settle(tag(text, "rua").is_some(), record),
    }
}

/// Whether one of the texts publishes the key of a record as it is to be: also under another order
/// of tags.
pub(super) fn publishes_key(texts: &[String], wanted: &str) -> bool {
    texts.iter().any(|text| tag(text, "p").is_some_and(|key| Some(key) == tag(wanted, "p")))
}

/// MX and SRV: whether one of those found leads to the same host and port. Preference and weight are
/// the domain's own business.
fn place(record: &Record, found: &[String]) -> Verdict {
    let place = |value: &str| -> Vec<String> {
        let ignored = if record.kind == Kind::Mx { 1 } else { 2 };
        value.split(' ').skip(ignored).map(str::to_owned).collect()
    };
    let wanted = place(&record.value);
    settle(found.iter().any(|value| place(value) == wanted), record)
}

/// The host that a record for SPF names.
fn our_host(record: &Record) -> &str {
    let term = record.value.split(' ').nth(1).unwrap_or_default();
    term.strip_prefix("a:").unwrap_or(term)
}

/// Whether mail from each of our addresses passes, whatever the record says to that end.
fn spf(record: &Record, covered: &[(IpAddr, Outcome)]) -> Verdict {
    let host = our_host(record);
    if covered.is_empty() {
        let advice = format!(
            "{host} has no address in the DNS, so nobody knows where mail comes from: give it one"
        );
        return (State::Unknown, Some(advice));
    }
    if covered.iter().any(|(_, result)| *result == Outcome::Permerror) {
        let advice = "it cannot be evaluated: it has a mistake, or needs more than ten look-ups";
        return (State::Wrong, Some(advice.to_owned()));
    }
    let left_out = |result: Outcome| result != Outcome::Pass && result != Outcome::Temperror;
    let missed: Vec<String> = covered
        .iter()
        .filter(|(_, result)| left_out(*result))
        .map(|(ip, result)| format!("{ip} ({})", result.as_str()))
        .collect();
    if !missed.is_empty() {
        let advice =
            format!("it does not cover {}: add a:{host} behind v=spf1", missed.join(" and "));
        return (State::Wrong, Some(advice));
    }
    if covered.iter().all(|(_, result)| *result == Outcome::Pass) {
        return (State::Ok, None);
    }
    let advice = "the name servers gave no answer for all that it names: check again later";
    (State::Unknown, Some(advice.to_owned()))
}

fn settle(right: bool, record: &Record) -> Verdict {
    if right {
        (State::Ok, None)
    } else {
        (State::Wrong, Some(format!("it should be: {}", record.zone_line)))
    }
}

fn missing(record: &Record) -> Verdict {
    (State::Missing, Some(format!("publish: {}", record.zone_line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::domains::records::records;
    use crate::mail::domains::records::tests::{claim, keys, site};

    fn record(purpose: Purpose) -> Record {
        let all = records(&site(), &claim(), &keys()).records;
        all.into_iter().find(|record| record.purpose == purpose).unwrap()
    }

    fn state(purpose: Purpose, found: &[&str], against: &[&str]) -> State {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let answer = Answer { found: own(found), against: own(against), ..Answer::default() };
        let (state, advice) = judge(&record(purpose), &answer);
        assert_eq!(advice.is_none(), state == State::Ok, "{purpose:?} {found:?}");
        state
    }

    #[test]
    fn every_record_as_it_is_to_be_published_is_right() {
        for record in records(&site(), &claim(), &keys()).records {
            let is_host = record.kind == Kind::Cname;
            let value = if is_host { "192.0.2.1".to_owned() } else { record.value.clone() };
            assert!(record.kind != Kind::Txt || is_meant(record.purpose, &value), "{value}");
            let answer = Answer {
                found: vec![value],
                against: vec!["192.0.2.1".to_owned()],
                covered: vec![(IpAddr::from([192, 0, 2, 1]), Outcome::Pass)],
            };
            assert_eq!(judge(&record, &answer), (State::Ok, None), "{record:?}");
            assert_eq!(judge(&record, &Answer::default()).0, State::Missing);
        }
    }

    #[test]
    fn spf_is_right_when_all_our_addresses_pass() {
        let record = record(Purpose::Spf);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let two: IpAddr = "2001:db8::1".parse().unwrap();
        let judged = |covered: &[(IpAddr, Outcome)]| spf(&record, covered);
        assert_eq!(judged(&[(one, Outcome::Pass), (two, Outcome::Pass)]), (State::Ok, None));
        assert_eq!(
            judged(&[(one, Outcome::Softfail), (two, Outcome::Pass)]),
            (
                State::Wrong,
                Some(
                    "it does not cover 192.0.2.1 (softfail): add a:mx.host.example behind v=spf1"
                        .to_owned()
                )
            )
        );
        assert_eq!(judged(&[(one, Outcome::Pass), (two, Outcome::Neutral)]).0, State::Wrong);
        assert_eq!(judged(&[(one, Outcome::Permerror)]).0, State::Wrong);
        assert_eq!(judged(&[(one, Outcome::Pass), (two, Outcome::Temperror)]).0, State::Unknown);
        assert_eq!(judged(&[]).0, State::Unknown);
        assert_eq!(state(Purpose::Spf, &["v=spf1 mx", "v=spf1 mx"], &[]), State::Wrong);
    }

    #[test]
    fn other_values_are_wrong() {
        use Purpose::*;
        for (purpose, found) in [
            (Verification, "koltrix-verify=00000000000000000000000000000000"),
            (Mx, "10 mx.other.example"),
            (Mx, "0 ."),
            (Dkim, "v=DKIM1; k=rsa; p="),
            (Dkim, "v=DKIM1; k=rsa; p=AAAA"),
            (Dmarc, "v=DMARC1; p=nothing"),
            (MtaSts, "v=STSv1; id=old"),
            (TlsRpt, "v=TLSRPTv1"),
            (Service, "0 1 466 mx.host.example"),
            (TrackingHost, "192.0.2.2"),
        ] {
            assert_eq!(state(purpose, &[found], &["192.0.2.1"]), State::Wrong, "{found}");
        }
    }

    #[test]
    fn what_a_domain_may_decide_itself_is_right() {
        use Purpose::*;
        for (purpose, found) in [
            (Mx, "5 mx.host.example"),
            (Dmarc, "v=DMARC1;p=reject"),
            (TlsRpt, "v=TLSRPTv1; rua=https://reports.example"),
            (Service, "7 9 465 mx.host.example"),
        ] {
            assert_eq!(state(purpose, &[found], &[]), State::Ok, "{found}");
        }
    }

    #[test]
    fn texts_of_others_under_the_same_name_are_left_out() {
        assert!(!is_meant(Purpose::Spf, "v=spf10 mx"));
        assert!(!is_meant(Purpose::Spf, "site-verification=1"));
        assert!(!is_meant(Purpose::Dmarc, "v=spf1 -all"));
        assert!(!is_meant(Purpose::Dkim, "hello"));
    }
}
