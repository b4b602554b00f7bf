//! Reports as events of an organisation.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::wire::report::dmarc::{Feedback, Record};
use crate::wire::report::tls::{Report, Seen};

/// Rows of a report that are kept one by one; all are counted.
const MAX_ROWS: usize = 200;
/// Characters of a value.
const MAX_TEXT: usize = 255;
/// Policies of one TLS report.
const MAX_POLICIES: usize = 20;

/// A report about one domain, whoever's that is.
pub(super) struct Told {
    /// `dmarc.report` or `tls.report`.
    pub(super) event: &'static str,
    /// Whom it is about, lower case.
    pub(super) domain: String,
    /// Who reports.
    organization: String,
    /// What they call it.
    report_id: String,
    /// The end of the time it is about.
    pub(super) at: OffsetDateTime,
    /// The rest.
    pub(super) properties: Value,
}

impl Told {
    /// The same for the same report to the same organisation, however often it comes.
    pub(super) fn id(&self, tenant: TenantId) -> Uuid {
        let mut context = Context::new(&SHA256);
        context.update(tenant.0.as_bytes());
        for text in [self.event, &self.domain, &self.organization, &self.report_id] {
            context.update(&text.len().to_be_bytes());
            context.update(text.as_bytes());
        }
        let digest = context.finish();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// What a database takes: bounded, no control characters.
fn clip(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// A DMARC aggregate report: its sums, and its first rows.
pub(super) fn dmarc(report: &Feedback) -> Told {
    let meta = &report.report_metadata;
    let range = meta.date_range;
    let passed = |record: &&Record| {
        let evaluated = &record.row.policy_evaluated;
        evaluated.dkim == "pass" || evaluated.spf == "pass"
    };
    let sum = |records: &mut dyn Iterator<Item = &Record>| {
        records.fold(0_u64, |sum, record| sum.saturating_add(record.row.count))
    };
    let total = sum(&mut report.record.iter());
    let pass = sum(&mut report.record.iter().filter(passed));
    let rows: Vec<Value> = report.record.iter().take(MAX_ROWS).map(row).collect();
    let published = &report.policy_published;
    let domain = clip(&published.domain).to_lowercase();
    let (organization, report_id) = (clip(&meta.org_name), clip(&meta.report_id));
    Told {
        event: "dmarc.report",
        at: OffsetDateTime::from_unix_timestamp(range.end)
            .unwrap_or_else(|_| OffsetDateTime::now_utc()),
        properties: json!({
            "organization": organization, "contact": clip(&meta.email), "report_id": report_id,
            "begin": range.begin, "end": range.end, "domain": domain,
            "policy": {
                "p": clip(&published.p), "sp": clip(&published.sp),
                "adkim": clip(&published.adkim), "aspf": clip(&published.aspf),
            },
            "messages": total, "pass": pass, "fail": total - pass,
            "rows": rows, "rows_left_out": report.record.len().saturating_sub(MAX_ROWS),
        }),
        domain,
        organization,
        report_id,
    }
}

fn row(record: &Record) -> Value {
    let (row, evaluated) = (&record.row, &record.row.policy_evaluated);
    let reasons: Vec<String> =
        evaluated.reason.iter().take(5).map(|reason| clip(&reason.kind)).collect();
    json!({
        "ip": clip(&row.source_ip), "count": row.count, "disposition": clip(&evaluated.disposition),
        "dkim": clip(&evaluated.dkim), "spf": clip(&evaluated.spf), "reasons": reasons,
        "header_from": clip(&record.identifiers.header_from),
        "envelope_from": clip(&record.identifiers.envelope_from),
    })
}

/// A TLS report: one for each policy in it.
pub(super) fn tls(report: &Report) -> Vec<Told> {
    report.policies.iter().take(MAX_POLICIES).map(|seen| policy(report, seen)).collect()
}

fn policy(report: &Report, seen: &Seen) -> Told {
    let failures = seen.failure_details.iter().take(MAX_ROWS).map(|failure| {
        json!({
            "result": clip(&failure.result_type), "count": failure.failed_session_count,
            "host": clip(&failure.receiving_mx_hostname), "ip": clip(&failure.receiving_ip),
        })
    });
    let domain = clip(&seen.policy.policy_domain).to_lowercase();
    let kind = clip(&seen.policy.policy_type);
    let (organization, report_id) = (clip(&report.organization_name), clip(&report.report_id));
    Told {
        event: "tls.report",
        at: OffsetDateTime::parse(&report.date_range.end_datetime, &Rfc3339)
            .unwrap_or_else(|_| OffsetDateTime::now_utc()),
        properties: json!({
            "organization": organization, "contact": clip(&report.contact_info),
            "report_id": report_id, "begin": clip(&report.date_range.start_datetime),
            "end": clip(&report.date_range.end_datetime), "domain": domain, "policy": kind,
            "succeeded": seen.summary.total_successful_session_count,
            "failed": seen.summary.total_failure_session_count,
            "failures": failures.collect::<Vec<Value>>(),
        }),
        // A domain may have two policies in one report.
        report_id: format!("{kind} {report_id}"),
        domain,
        organization,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_event_and_its_values_are_bounded() {
        let mut report = Feedback::default();
        report.report_metadata.org_name = "x\0".repeat(500);
        report.policy_published.domain = "Example.COM".to_owned();
        let mut record = Record::default();
        record.row.count = u64::MAX;
        record.row.policy_evaluated.spf = "pass".to_owned();
        report.record = vec![record; MAX_ROWS + 3];
        report.report_metadata.date_range.end = i64::MAX;
        let told = dmarc(&report);
        assert_eq!(told.domain, "example.com");
        assert_eq!(told.properties["organization"], "x".repeat(MAX_TEXT));
        assert_eq!(told.properties["rows_left_out"], 3);
        assert_eq!(told.properties["messages"], u64::MAX);
        let (one, other) = (TenantId::random(), TenantId::random());
        assert_eq!(told.id(one), dmarc(&report).id(one));
        assert_ne!(told.id(one), told.id(other));
        report.report_metadata.report_id = "2".to_owned();
        assert_ne!(told.id(one), dmarc(&report).id(one));
    }
}
