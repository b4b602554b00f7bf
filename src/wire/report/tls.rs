//! SMTP TLS reports in JSON (RFC 8460 §4), and the record that asks for them (§3).

use serde::{Deserialize, Deserializer, Serialize};

use super::ReadError;
use crate::wire::dkim::tag;

/// A whole report.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The reporting organisation.
    #[serde(default)]
    pub organization_name: String,
    /// The time it is about.
    pub date_range: DateRange,
    /// Whom to ask.
    #[serde(default)]
    pub contact_info: String,
    /// Names this report among all of that organisation.
    pub report_id: String,
    /// What was seen, by policy.
    #[serde(default)]
    pub policies: Vec<Seen>,
}

/// A time, its ends in the form of RFC 3339.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DateRange {
    /// Its first second.
    pub start_datetime: String,
    /// Its last one.
    pub end_datetime: String,
}

/// What was seen under one policy.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Seen {
    /// The policy.
    pub policy: Policy,
    /// How many sessions.
    pub summary: Summary,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_details: Vec<Failure>,
}

/// A policy that a domain publishes, or that it has none.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Policy {
    /// `tlsa`, `sts` or `no-policy-found`.
    pub policy_type: String,
    /// Its text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_string: Vec<String>,
    /// Whose it is.
    #[serde(default)]
    pub policy_domain: String,
    /// The servers that a policy of type `sts` names.
    #[serde(default, deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub mx_host: Vec<String>,
}

/// Some write a list (as RFC 8460 appendix B does), some a string.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        More(Vec<String>),
    }
    Ok(match Option::<Either>::deserialize(from)? {
        Some(Either::One(host)) => vec![host],
        Some(Either::More(hosts)) => hosts,
        None => Vec::new(),
    })
}

/// How many sessions went how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Under TLS as the policy asks for.
    #[serde(default)]
    pub total_successful_session_count: u64,
    /// Otherwise.
    #[serde(default)]
    pub total_failure_session_count: u64,
}

/// Sessions that failed alike.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// `starttls-not-supported`, `validation-failure` and so on (RFC 8460 §4.3).
    pub result_type: String,
    /// The host that was asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub receiving_mx_hostname: String,
    /// Its address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub receiving_ip: String,
    /// How many.
    #[serde(default)]
    pub failed_session_count: u64,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// [`ReadError::Json`].
    pub fn read(json: &[u8]) -> Result<Self, ReadError> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        serde_json::from_slice(json).map_err(|error| ReadError::Json(error.to_string()))
    }

    /// The report in JSON.
    ///
    /// # Errors
    /// [`ReadError::Json`].
    pub fn write(&self) -> Result<Vec<u8>, ReadError> {
        serde_json::to_vec_pretty(self).map_err(|error| ReadError::Json(error.to_string()))
    }
}

/// The addresses that `_smtp._tls.<domain>` wants reports sent to (RFC 8460 §3): those of `mailto:`
/// alone, nothing where the record is no such record.
pub fn destinations(record: &str) -> Vec<String> {
    if !record.starts_with("v=TLSRPTv1;") {
        return Vec::new();
    }
    let rua = tag(record, "rua").unwrap_or_default();
    let mail = |uri: &str| {
        let (scheme, rest) = uri.split_once(':')?;
        let address = rest.split(['?', '!']).next().unwrap_or_default();
        // What is percent-encoded is an address that nobody has.
        let plain = scheme.eq_ignore_ascii_case("mailto") && !address.contains('%');
        plain.then(|| address.to_lowercase())
    };
    rua.split(',').filter_map(mail).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 8460 appendix B in form, with other words.
    const REPORT: &str = r#"{
        "organization-name": "Company-X",
        "date-range": {"start-datetime": "2026-04-01T00:00:00Z", "end-datetime": "2026-04-01T23:59:59Z"},
        "contact-info": "sts-reporting@company-x.example",
        "report-id": "5065427c-23d3@company-x.example",
        "policies": [{
            "policy": {"policy-type": "sts", "policy-string": ["version: STSv1", "mode: testing"],
                "policy-domain": "company-y.example", "mx-host": ["*.mail.company-y.example"]},
            "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
            "failure-details": [
                {"result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:12::1",
                 "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100},
                {"result-type": "starttls-not-supported", "receiving-ip": "192.0.2.56",
                 "failed-session-count": 203, "additional-information": "https://reports.example/1"}]
        }]
    }"#;

    #[test]
    fn a_report_is_read_and_written() {
        let report = Report::read(REPORT.as_bytes()).unwrap();
        assert_eq!(report.organization_name, "Company-X");
        let seen = &report.policies[0];
        assert_eq!(seen.policy.policy_domain, "company-y.example");
        assert_eq!(seen.policy.mx_host, ["*.mail.company-y.example"]);
        let other = REPORT.replace("[\"*.mail.company-y.example\"]", "\"mx.example\"");
        assert_eq!(
            Report::read(other.as_bytes()).unwrap().policies[0].policy.mx_host,
            ["mx.example"]
        );
        assert_eq!(seen.summary.total_failure_session_count, 303);
        assert_eq!(seen.failure_details[1].result_type, "starttls-not-supported");
        assert_eq!(Report::read(&report.write().unwrap()).unwrap(), report);
        assert!(Report::read(b"{}").is_err());
    }

    #[test]
    fn the_record_names_addresses() {
        let ask = |record| destinations(record).join(" ");
        assert_eq!(ask("v=TLSRPTv1; rua=mailto:Reports@example.com"), "reports@example.com");
        assert_eq!(
            ask("v=TLSRPTv1;rua=https://r.example/v1, mailto:a@b.example!10m ;"),
            "a@b.example"
        );
        for nothing in
            ["v=TLSRPTv1;", "v=DMARC1; rua=mailto:a@b.example", "rua=mailto:a@b", "", "v=TLSRPTv1"]
        {
            assert_eq!(ask(nothing), "", "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_or_read(octets in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
            let _ = Report::read(&octets);
            let _ = destinations(&text);
        }
    }
}
