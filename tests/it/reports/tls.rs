//! What domains are told of TLS with their servers (RFC 8460).

use koltrix_mail::wire::report::Found;
use koltrix_mail::wire::report::tls::Report;

use super::{counted, home, report, send, until};
use crate::support::remote_mx::RemoteMx;
use crate::support::server::{REPORTS_FROM, server};

async fn write_to(domain: &str) {
    let tenant = home().await;
    sqlx::query(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, text_body) VALUES ($1, $2, $3, 'Hello')",
    )
    .bind(tenant.id)
    .bind(REPORTS_FROM)
    .bind(format!("bob@{domain}"))
    .execute(&server().await.pool)
    .await
    .unwrap();
}

/// The report that the second message to a domain is.
async fn told(mx: &RemoteMx, domain: &str) -> (String, Report) {
    server().await.dns.txt(
        &format!("_smtp._tls.{domain}"),
        &format!("v=TLSRPTv1; rua=https://reports.{domain}/v1,mailto:tls@{domain}"),
    );
    write_to(domain).await;
    mx.wait_for(1).await;
    until(&counted("tls", domain), 1).await;
    send(domain).await;
    let (header, found) = report(&mx.wait_for(2).await[1]);
    let Found::Tls(report) = found else { panic!("{found:?}") };
    (header, *report)
}

#[tokio::test]
async fn a_domain_is_told_how_its_tls_did() {
    let server = server().await;
    let (mx, domain) = server.remote(true).await;
    let (header, report) = told(&mx, &domain).await;
    assert!(header.contains(&format!("TLS-Report-Domain: {domain}")), "{header}");
    assert!(header.contains("TLS-Report-Submitter: reports.koltrix.test"), "{header}");
    assert!(header.contains("report-type=\"tlsrpt\""), "{header}");
    let seen = &report.policies[0];
    assert_eq!(seen.policy.policy_type, "no-policy-found");
    assert_eq!(seen.policy.policy_domain, domain);
    assert_eq!(seen.summary.total_successful_session_count, 1);
    assert_eq!(seen.summary.total_failure_session_count, 0);

    let (mx, domain) = server.remote(false).await;
    let seen = told(&mx, &domain).await.1.policies.remove(0);
    assert_eq!(seen.summary.total_successful_session_count, 0);
    let failure = &seen.failure_details[0];
    assert_eq!(failure.result_type, "starttls-not-supported");
    assert_eq!(
        (failure.failed_session_count, &failure.receiving_mx_hostname),
        (1, &format!("mx.{domain}"))
    );
}
