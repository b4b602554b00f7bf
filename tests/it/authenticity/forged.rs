//! Nobody speaks in our name (RFC 8601 §5), and a signature covers what it should.

use super::{Sender, deliver, stored};
use crate::support::server::server;

const SPF_ELSEWHERE: &str = "v=spf1 ip4:192.0.2.1 -all";

#[tokio::test]
async fn results_in_our_name_are_taken_out_and_nothing_else() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let domain = Sender::new(SPF_ELSEWHERE, "").await;
    let theirs = "Authentication-Results: mx.example.net; spf=pass\r\n";
    let message = format!(
        "Authentication-Results: mx.koltrix.test; dmarc=pass\r\n{theirs}\
         authentication-results :\r\n (c) MX.Koltrix.Test 1; dkim=pass\r\n{}",
        domain.message("in-our-name")
    );
    let from = format!("ann@{}", domain.domain);
    assert!(deliver(&tenant, &from, &message).await.starts_with("250 "));
    let header = stored(&tenant, "in-our-name").await.remove(0).header;
    let lower = header.to_ascii_lowercase();
    assert_eq!(lower.matches("mx.koltrix.test;").count(), 1, "{header}");
    assert!(lower.contains("\r\nauthentication-results: mx.koltrix.test;\r\n\tiprev="), "{header}");
    assert!(!lower.contains("dmarc=pass") && !lower.contains("dkim=pass"), "{header}");
    let rest = format!("{theirs}From: Ann <ann@{}>\r\n", domain.domain);
    assert!(header.contains(&rest), "{header}");
}

#[tokio::test]
async fn a_signature_over_part_of_a_body_proves_nothing() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let bank = Sender::new(SPF_ELSEWHERE, "v=DMARC1; p=reject").await;
    let from = format!("ann@{}", bank.domain);
    let message = bank.signed(&bank.message("short"));
    let short = message.replacen("DKIM-Signature: ", "DKIM-Signature: l=4; ", 1);
    assert!(deliver(&tenant, &from, &short).await.starts_with("550 5.7.26 "));
    // A line that is no field ends the header for some readers, and not for others.
    let split = message.replacen("\r\n\r\n", "\r\nno field\r\nX: y\r\n\r\n", 1);
    assert!(deliver(&tenant, &from, &split).await.starts_with("550 5.7.26 "));
    let crowd = "DKIM-Signature: v=1\r\n".repeat(500) + &message;
    assert!(deliver(&tenant, &from, &crowd).await.starts_with("550 5.7.26 "));
    assert!(deliver(&tenant, &from, &message).await.starts_with("250 "));
}
