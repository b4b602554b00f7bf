//! New DKIM keys in place of old ones.

use koltrix_mail::mail::domains::{Domains, Record};
use koltrix_mail::store::domain_keys::Standing;
use koltrix_mail::store::domains::Domain;

use super::{domains, eventually, keys, publish};
use crate::support::server::{Server, Tenant};

/// The selectors of the two signatures of a message that leaves now.
async fn signed_with(server: &Server, tenant: &Tenant, from: &str) -> Vec<String> {
    let (mx, domain) = server.remote(false).await;
    sqlx::query(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, subject, text_body)
         VALUES ($1, $2, $3, 'signed', 'Hello')",
    )
    .bind(tenant.id)
    .bind(from)
    .bind(format!("bob@{domain}"))
    .execute(&server.pool)
    .await
    .unwrap();
    let message = String::from_utf8(mx.wait_for(1).await.remove(0).data).unwrap();
    let tags = message.split(';').filter_map(|tag| tag.trim().strip_prefix("s="));
    let mut selectors: Vec<String> = tags.map(str::to_owned).collect();
    selectors.sort();
    selectors
}

fn selectors<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<String> {
    let labels = records.into_iter().map(|record| record.name.split_once('.').unwrap().0);
    let mut selectors: Vec<String> = labels.map(str::to_owned).collect();
    selectors.sort();
    selectors
}

/// The records of the keys of a domain that stand so.
async fn standing(
    domains: &Domains,
    domain: &Domain,
    so: impl Fn(Standing) -> bool,
) -> Vec<String> {
    let records = domains.dns_records(domain).await.unwrap().records;
    selectors(records.iter().filter(|record| record.key.is_some_and(&so)))
}

#[tokio::test]
async fn new_keys_sign_once_they_are_published_and_the_old_ones_stay_for_a_while() {
    let (domains, server) = domains().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    keys(&server.pool, &tenant.domain).await;
    let domain = domains.find(None, &tenant.domain).await.unwrap();
    let old = standing(&domains, &domain, |key| key == Standing::Active).await;
    assert_eq!(old.len(), 2);
    assert_eq!(signed_with(server, &tenant, &ann).await, old);

    let rotation = domains.rotate_keys(&domain).await.unwrap();
    assert!(rotation.made);
    let new = selectors(&rotation.records);
    assert!(new.len() == 2 && new.iter().all(|selector| !old.contains(selector)), "{new:?}");
    let again = domains.rotate_keys(&domain).await.unwrap();
    assert_eq!(again.records, rotation.records);

    // What is not published does not sign, whoever looks.
    domains.look_for_new_keys().await.unwrap();
    let report = domains.check(&domain).await.unwrap();
    assert!(report.taken_over.is_empty() && !report.keys_pending);
    assert_eq!(signed_with(server, &tenant, &ann).await, old);

    // One of the two is published: it signs beside the old one of the other algorithm.
    publish(server, &rotation.records[..1]);
    let seen = eventually(async || domains.check(&domain).await.unwrap().taken_over.pop()).await;
    assert_eq!([seen.as_str()], [selectors(&rotation.records[..1])[0].as_str()]);
    let retiring = |key| matches!(key, Standing::Retiring { .. });
    let first = standing(&domains, &domain, retiring).await;
    assert_eq!(first.len(), 1);

    publish(server, &rotation.records[1..]);
    eventually(async || {
        domains.look_for_new_keys().await.unwrap();
        let pending = standing(&domains, &domain, |key| key == Standing::Pending).await;
        pending.is_empty().then_some(())
    })
    .await;
    assert_eq!(standing(&domains, &domain, |key| key == Standing::Active).await, new);
    assert_eq!(standing(&domains, &domain, retiring).await, old);
    eventually(async || (signed_with(server, &tenant, &ann).await == new).then_some(())).await;

    retires_at_its_time(&domains, &domain, server).await;
    assert_eq!(standing(&domains, &domain, |_| true).await, new);
}

/// The old keys are to be kept for seven days, and not a moment longer.
async fn retires_at_its_time(domains: &Domains, domain: &Domain, server: &Server) {
    let retired = |days| async move {
        sqlx::query("UPDATE domain_keys SET keep_until = keep_until - make_interval(days => $2) WHERE domain_id = $1")
            .bind(domain.id.0)
            .bind(days)
            .execute(&server.pool)
            .await
            .unwrap();
        domains.look_for_new_keys().await.unwrap();
        let count = "SELECT count(*) FROM domain_keys WHERE domain_id = $1 AND state = 'retired'";
        let retired: i64 =
            sqlx::query_scalar(count).bind(domain.id.0).fetch_one(&server.pool).await.unwrap();
        retired
    };
    assert_eq!(retired(6).await, 0);
    assert_eq!(retired(1).await, 2);
}

#[tokio::test]
async fn nobody_rotates_the_keys_of_somebody_else() {
    let (domains, server) = domains().await;
    let tenant = server.tenant().await;
    let other = server.tenant().await;
    let mut domain = domains.find(None, &tenant.domain).await.unwrap();
    domain.tenant_id = koltrix_mail::domain::ids::TenantId(other.id);
    assert!(domains.rotate_keys(&domain).await.is_err());
}
