//! SMTP TLS reports (RFC 8460): what is counted of each connection to another server, and the
//! report made of a day's counts.
//!
//! Neither MTA-STS nor DANE is asked for yet, so that the policy is always `no-policy-found` and a
//! connection failed when nothing it carried was secret.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::report::Kind;
use crate::mail::Error;
use crate::mail::deliver::mx::Target;
use crate::mail::reporting::Tally;
use crate::wire::report::tls::{DateRange, Failure, Policy, Report, Seen, Summary};

/// How a connection was made secret, or was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handshake {
    /// It was.
    Done,
    /// The server does not offer STARTTLS, or refuses it.
    NotOffered,
    /// The handshake failed.
    Failed,
}

/// What is alike for connections that are counted together; all empty for those that were secret.
#[derive(Default, Serialize, Deserialize)]
struct Tuple {
    result: String,
    host: String,
    ip: String,
}

/// Counts the connections to the servers of one domain.
pub struct Sightings {
    tally: Tally,
    domain: String,
}

impl Sightings {
    /// Of connections that carry mail for `domain`.
    pub fn new(tally: Tally, domain: &str) -> Self {
        Self { tally, domain: domain.to_owned() }
    }

    /// One more.
    pub fn saw(&self, target: &Target, handshake: Handshake) {
        if !self.tally.is_on() {
            return;
        }
        let failed = |result: &str| Tuple {
            result: result.to_owned(),
            host: target.host.clone(),
            ip: target.at.ip().to_string(),
        };
        // RFC 8460 §4.3
        let tuple = match handshake {
            Handshake::Done => Tuple::default(),
            Handshake::NotOffered => failed("starttls-not-supported"),
            Handshake::Failed => failed("validation-failure"),
        };
        if let Ok(tuple) = serde_json::to_string(&tuple) {
            self.tally.count(Kind::Tls, &self.domain, tuple);
        }
    }
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
    let mut summary = Summary::default();
    let mut failure_details = Vec::new();
    for (tuple, total) in counts {
        let tuple: Tuple = serde_json::from_value(tuple).map_err(internal)?;
        let total = u64::try_from(total).unwrap_or(0);
        if tuple.result.is_empty() {
            summary.total_successful_session_count += total;
            continue;
        }
        summary.total_failure_session_count += total;
        failure_details.push(Failure {
            result_type: tuple.result,
            receiving_mx_hostname: tuple.host,
            receiving_ip: tuple.ip,
            failed_session_count: total,
        });
    }
    let policy = Policy {
        policy_type: "no-policy-found".to_owned(),
        policy_string: Vec::new(),
        policy_domain: domain.to_owned(),
    };
    let moment = |at: OffsetDateTime| at.format(&Rfc3339).map_err(internal);
    let report = Report {
        organization_name: organization.to_owned(),
        date_range: DateRange { start_datetime: moment(begin)?, end_datetime: moment(end)? },
        contact_info: contact.to_owned(),
        report_id: report_id.to_owned(),
        policies: vec![Seen { policy, summary, failure_details }],
    };
    report.write().map_err(internal)
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
    }
}
