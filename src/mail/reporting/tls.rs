//! SMTP TLS reports (RFC 8460): what is counted of each connection to another server, and the
//! report made of a day's counts.
//!
//! Under a policy (MTA-STS) a connection failed when it did not do as the policy says, whether or not
//! mail went over it; without one, when nothing it carried was secret. TLSA records (DANE) are such a
//! policy of one server, and come before the domain's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::report::Kind;
use crate::mail::Error;
use crate::mail::deliver::mta_sts::{Standing, Unavailable};
use crate::mail::deliver::target::Target;
use crate::mail::reporting::Tally;
use crate::net::tls::Unproven;
use crate::wire::report::tls::{DateRange, Failure, Policy, Report, Seen};

/// How a connection was made secret, or was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handshake {
    /// It was; and whether the server has proven its name.
    Done(Result<(), Unproven>),
    /// The server does not offer STARTTLS, or refuses it.
    NotOffered,
    /// The handshake failed.
    Failed,
}

/// What is alike for connections that are counted together.
#[derive(Default, Serialize, Deserialize)]
struct Tuple {
    /// Empty for those that did as they should, and so are host and address.
    result: String,
    host: String,
    ip: String,
    /// The lines of the policy, with their type; without one they did as they should by nobody's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sts: Option<Vec<String>>,
    /// The TLSA records that counted instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tlsa: Vec<String>,
}

/// Counts the connections to the servers of one domain.
pub struct Sightings {
    tally: Tally,
    domain: String,
}

/// Octets of a policy that are quoted.
const QUOTED: usize = 4 * 1024;

impl Sightings {
    /// Of connections that carry mail for `domain`.
    pub fn new(tally: Tally, domain: &str) -> Self {
        Self { tally, domain: domain.to_owned() }
    }

    /// One more.
    pub fn saw(&self, target: &Target, handshake: Handshake) {
        let tuple = match result(target, handshake) {
            Some(result) => Tuple {
                result: result.to_owned(),
                host: target.host.clone(),
                ip: target.at.ip().to_string(),
                ..Tuple::default()
            },
            None => Tuple::default(),
        };
        match target.dane.as_deref() {
            Some(records) if !records.is_empty() => {
                let tlsa = quoted(records.iter().map(ToString::to_string).collect());
                self.count(Tuple { tlsa, ..tuple }, &Standing::Unpublished);
            }
            _ => self.count(tuple, &target.sts),
        }
    }

    /// A server that the policy does not name was not connected to.
    pub fn passed_over(&self, host: &str, sts: &Standing) {
        let result = VALIDATION.to_owned();
        self.count(Tuple { result, host: host.to_owned(), ..Tuple::default() }, sts);
    }

    fn count(&self, mut tuple: Tuple, sts: &Standing) {
        if !self.tally.is_on() {
            return;
        }
        tuple.sts = match sts {
            Standing::Unpublished => None,
            Standing::Unavailable(_) => Some(Vec::new()),
            Standing::Published(policy) => Some(quoted(policy.lines())),
        };
        if let Ok(tuple) = serde_json::to_string(&tuple) {
            self.tally.count(Kind::Tls, &self.domain, tuple);
        }
    }
}

/// Where nothing else says it better (RFC 8460 §4.3.3).
const VALIDATION: &str = "validation-failure";

/// What went wrong, in the words of RFC 8460 §4.3; nothing where nothing did.
fn result(target: &Target, handshake: Handshake) -> Option<&'static str> {
    match (handshake, &target.sts) {
        (Handshake::NotOffered, _) => Some("starttls-not-supported"),
        (Handshake::Failed, _) => Some(VALIDATION),
        (Handshake::Done(proof), _) if target.dane.as_ref().is_some_and(|all| !all.is_empty()) => {
            proof.err().map(|_| VALIDATION)
        }
        (Handshake::Done(_), Standing::Unpublished) => None,
        (Handshake::Done(_), Standing::Unavailable(why)) => Some(match why {
            Unavailable::Fetch => "sts-policy-fetch-error",
            Unavailable::Certificate => "sts-webpki-invalid",
            Unavailable::Invalid => "sts-policy-invalid",
        }),
        (Handshake::Done(_), Standing::Published(policy)) if !policy.allows(&target.host) => {
            Some(VALIDATION)
        }
        (Handshake::Done(proof), Standing::Published(_)) => proof.err().map(|why| match why {
            Unproven::OtherHost => "certificate-host-mismatch",
            Unproven::Expired => "certificate-expired",
            Unproven::Untrusted => "certificate-not-trusted",
            Unproven::NotNamed | Unproven::Unusable => VALIDATION,
        }),
    }
}

/// As many lines as a report has room for.
fn quoted(lines: Vec<String>) -> Vec<String> {
    let mut room = QUOTED;
    let fits = |line: &String| {
        room = room.saturating_sub(line.len() + 3);
        room > 0
    };
    lines.into_iter().take_while(fits).collect()
}

/// The report of a day's counts about `domain`, in JSON.
///
/// # Errors
/// [`Error::Internal`] when the counts cannot be read.
pub fn report(
    (organization, contact, report_id): (&str, &str, &str),
    domain: &str,
    (begin, end): (OffsetDateTime, OffsetDateTime),
    counts: Vec<(serde_json::Value, i64)>,
) -> Result<Vec<u8>, Error> {
    let mut policies: BTreeMap<_, Seen> = BTreeMap::new();
    for (tuple, total) in counts {
        let tuple: Tuple = serde_json::from_value(tuple).map_err(internal)?;
        let total = u64::try_from(total).unwrap_or(0);
        let seen = policies.entry((tuple.sts, tuple.tlsa)).or_default();
        if tuple.result.is_empty() {
            seen.summary.total_successful_session_count += total;
            continue;
        }
        seen.summary.total_failure_session_count += total;
        seen.failure_details.push(Failure {
            result_type: tuple.result,
            receiving_mx_hostname: tuple.host,
            receiving_ip: tuple.ip,
            failed_session_count: total,
        });
    }
    let policies = policies.into_iter();
    let moment = |at: OffsetDateTime| at.format(&Rfc3339).map_err(internal);
    let report = Report {
        organization_name: organization.to_owned(),
        date_range: DateRange { start_datetime: moment(begin)?, end_datetime: moment(end)? },
        contact_info: contact.to_owned(),
        report_id: report_id.to_owned(),
        policies: policies
            .map(|((sts, tlsa), seen)| Seen { policy: policy(domain, sts, tlsa), ..seen })
            .collect(),
    };
    report.write().map_err(internal)
}

/// What a report says of a policy, or of there being none.
fn policy(domain: &str, sts: Option<Vec<String>>, tlsa: Vec<String>) -> Policy {
    let (policy_type, policy_string) = match sts {
        _ if !tlsa.is_empty() => ("tlsa", tlsa),
        Some(sts) => ("sts", sts),
        None => ("no-policy-found", Vec::new()),
    };
    let mx = policy_string.iter().filter_map(|line| line.strip_prefix("mx: "));
    Policy {
        policy_type: policy_type.to_owned(),
        mx_host: mx.map(ToOwned::to_owned).collect(),
        policy_string,
        policy_domain: domain.to_owned(),
    }
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("TLS report: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_day_of_counts_is_a_report() {
        let day = time::macros::date!(2026 - 11 - 22);
        let counts = vec![
            (json!({ "result": "", "host": "", "ip": "" }), 5),
            (
                json!({ "result": "starttls-not-supported", "host": "mx.b.example", "ip": "192.0.2.1" }),
                2,
            ),
        ];
        let lines = ["version: STSv1", "mode: testing", "mx: *.b.example", "max_age: 60"];
        let sts = json!({ "result": "", "host": "", "ip": "", "sts": lines });
        let dane = json!({ "result": "", "host": "", "ip": "", "tlsa": ["3 1 1 ab01"] });
        let counts = [counts, vec![(sts, 7), (dane, 9)]].concat();
        let bounds = crate::mail::reporting::bounds(day);
        let json = report(("Ours", "a@us.example", "7"), "b.example", bounds, counts).unwrap();
        let read = Report::read(&json).unwrap();
        assert_eq!(read.date_range.start_datetime, "2026-11-22T00:00:00Z");
        assert_eq!(read.date_range.end_datetime, "2026-11-22T23:59:59Z");
        let seen = &read.policies[0];
        assert_eq!(seen.policy.policy_type, "no-policy-found");
        assert_eq!(seen.summary.total_successful_session_count, 5);
        assert_eq!(seen.summary.total_failure_session_count, 2);
        assert_eq!(seen.failure_details[0].receiving_mx_hostname, "mx.b.example");
        let seen = &read.policies[1];
        assert_eq!(seen.policy.policy_type, "tlsa");
        assert_eq!(seen.policy.policy_string, ["3 1 1 ab01"]);
        assert_eq!(seen.summary.total_successful_session_count, 9);
        let seen = &read.policies[2];
        assert_eq!(seen.policy.policy_type, "sts");
        assert_eq!(seen.policy.policy_string, lines);
        assert_eq!(seen.policy.mx_host, ["*.b.example"]);
        assert_eq!(seen.summary.total_successful_session_count, 7);
    }

    #[test]
    fn a_long_policy_is_quoted_in_part() {
        let lines = vec!["x".repeat(1000); 10];
        assert_eq!(quoted(lines).len(), 4);
    }
}
