//! DMARC aggregate reports (RFC 9990, RFC 7489 §7.2): what is counted of each message, and the
//! report made of a day's counts.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::verdict::{Disposition, Outcome, Verdict};
use crate::mail::Error;
use crate::wire::report::dmarc::{
    AuthResults, DateRange, Dkim, Evaluated, Feedback, Identifiers, Metadata, NAMESPACE, Published,
    Reason, Record, Row, Spf,
};

/// Signatures of one message that are told of.
const MAX_SIGNATURES: usize = 10;

/// One message as its author's domain will be told of it.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Where it came from.
    pub ip: IpAddr,
    /// The domain in MAIL; empty for the null reverse-path.
    pub envelope_from: &'a str,
    /// What was found out.
    pub verdict: &'a Verdict,
    /// Whether it was refused for the policy.
    pub refused: bool,
}

/// What is alike for messages that are counted together.
#[derive(Serialize, Deserialize)]
struct Tuple {
    policy: Published,
    record: Record,
}

/// What the message is counted as.
///
/// # Errors
/// [`Error::Internal`], which nothing should cause.
pub fn tuple(policy: Published, arrived: &Arrived<'_>) -> Result<String, Error> {
    let verdict = arrived.verdict;
    let dkim = verdict.dkim.iter().take(MAX_SIGNATURES).map(|signature| Dkim {
        domain: signature.domain.clone(),
        selector: signature.selector.clone(),
        result: signature.result.as_str().to_owned(),
    });
    let scope = if arrived.envelope_from.is_empty() { "helo" } else { "mfrom" };
    let spf = Spf {
        domain: verdict.spf_domain.clone(),
        scope: scope.to_owned(),
        result: verdict.spf.as_str().to_owned(),
    };
    let record = Record {
        row: Row {
            source_ip: arrived.ip.to_canonical().to_string(),
            count: 0,
            policy_evaluated: evaluated(&policy, arrived),
        },
        identifiers: Identifiers {
            header_from: verdict.dmarc.domain.clone(),
            envelope_from: arrived.envelope_from.to_owned(),
        },
        auth_results: AuthResults { dkim: dkim.collect(), spf: vec![spf] },
    };
    serde_json::to_string(&Tuple { policy, record }).map_err(internal)
}

fn evaluated(policy: &Published, arrived: &Arrived<'_>) -> Evaluated {
    let dmarc = &arrived.verdict.dmarc;
    let word = |passed| if passed { "pass" } else { "fail" }.to_owned();
    let disposition = match arrived.verdict.disposition {
        _ if arrived.refused => "reject",
        Disposition::Junk => "quarantine",
        Disposition::Keep => "none",
    };
    let reason = |kind: &str, comment: String| vec![Reason { kind: kind.to_owned(), comment }];
    let reason = match &dmarc.overridden_by {
        // RFC 8617 §7.2.2
        Some(sealer) => reason("local_policy", format!("arc=pass as.d={sealer}")),
        None if dmarc.result == Outcome::Fail && policy.testing == "y" => {
            reason("policy_test_mode", String::new())
        }
        None => Vec::new(),
    };
    Evaluated {
        disposition: disposition.to_owned(),
        dkim: word(dmarc.dkim_aligned),
        spf: word(dmarc.spf_aligned),
        reason,
    }
}

/// The report of a day's counts, in XML. Where the policy changed on that day, the one that most
/// messages met stands for all.
///
/// # Errors
/// [`Error::Internal`] when the counts cannot be read.
pub fn report(
    (org_name, email, report_id): (&str, &str, &str),
    (begin, end): (i64, i64),
    counts: Vec<(serde_json::Value, i64)>,
) -> Result<Vec<u8>, Error> {
    let mut policy_published = Published::default();
    let mut records = Vec::with_capacity(counts.len());
    for (tuple, total) in counts {
        let Tuple { policy, mut record } = serde_json::from_value(tuple).map_err(internal)?;
        if records.is_empty() {
            policy_published = policy;
        }
        record.row.count = u64::try_from(total).unwrap_or(0);
        records.push(record);
    }
    let feedback = Feedback {
        namespace: NAMESPACE.to_owned(),
        version: "1.0".to_owned(),
        report_metadata: Metadata {
            org_name: org_name.to_owned(),
            email: email.to_owned(),
            report_id: report_id.to_owned(),
            date_range: DateRange { begin, end },
            generator: concat!("koltrix-mail ", env!("CARGO_PKG_VERSION")).to_owned(),
        },
        policy_published,
        record: records,
    };
    feedback.write().map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("DMARC report: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::{Dmarc, Signature};

    fn verdict() -> Verdict {
        Verdict {
            spf: Outcome::Pass,
            spf_domain: "bounce.example.com".to_owned(),
            dkim: vec![Signature {
                result: Outcome::Fail,
                domain: "example.com".to_owned(),
                selector: "s1".to_owned(),
            }],
            dmarc: Dmarc {
                result: Outcome::Pass,
                domain: "example.com".to_owned(),
                spf_aligned: true,
                ..Dmarc::default()
            },
            ..Verdict::default()
        }
    }

    fn counted(verdict: &Verdict, testing: &str, refused: bool) -> serde_json::Value {
        let policy = Published {
            domain: "example.com".to_owned(),
            p: "reject".to_owned(),
            testing: testing.to_owned(),
            ..Published::default()
        };
        let ip = "::ffff:192.0.2.1".parse().unwrap();
        let arrived = Arrived { ip, envelope_from: "bounce.example.com", verdict, refused };
        serde_json::from_str(&tuple(policy, &arrived).unwrap()).unwrap()
    }

    #[test]
    fn a_day_of_counts_is_a_report() {
        let mut failed = verdict();
        failed.dmarc.result = Outcome::Fail;
        failed.dmarc.spf_aligned = false;
        let mut sealed = failed.clone();
        sealed.dmarc.overridden_by = Some("lists.example".to_owned());
        let counts = vec![
            (counted(&verdict(), "n", false), 40),
            (counted(&failed, "n", true), 2),
            (counted(&failed, "y", false), 1),
            (counted(&sealed, "n", false), 1),
        ];
        let xml = report(("Ours", "dmarc@us.example", "7"), (10, 20), counts).unwrap();
        let read = Feedback::read(&xml).unwrap();
        assert_eq!(read.report_metadata.date_range, DateRange { begin: 10, end: 20 });
        assert_eq!(read.policy_published.p, "reject");
        let rows: Vec<_> = read.record.iter().map(|record| &record.row).collect();
        assert_eq!((rows[0].source_ip.as_str(), rows[0].count), ("192.0.2.1", 40));
        let told = |n: usize| {
            let evaluated = &rows[n].policy_evaluated;
            let reason = evaluated.reason.first().map_or("", |reason| reason.kind.as_str());
            [&evaluated.disposition, &evaluated.dkim, &evaluated.spf, reason].join(" ")
        };
        assert_eq!(told(0), "none fail pass ");
        assert_eq!(told(1), "reject fail fail ");
        assert_eq!(told(2), "none fail fail policy_test_mode");
        assert_eq!(told(3), "none fail fail local_policy");
        assert_eq!(read.record[0].auth_results.spf[0].scope, "mfrom");
    }
}
