//! Domains: their keys, their records, their proof.

use std::time::Duration;

use sqlx::PgPool;

use crate::support::postgres::organisation;
use crate::support::server::server;

/// The keys of a domain, once the server has made them.
async fn keys(pool: &PgPool, domain: &str) -> Vec<(String, String)> {
    let made = async {
        loop {
            let rows: Vec<(String, String)> = sqlx::query_as(
                "SELECT k.algorithm, k.selector FROM domain_keys k
                 JOIN tenant_domains d ON d.id = k.domain_id
                 WHERE d.domain = $1 AND k.retired_at IS NULL ORDER BY k.algorithm",
            )
            .bind(domain)
            .fetch_all(pool)
            .await
            .unwrap();
            if !rows.is_empty() {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), made).await.expect("keys are made")
}

#[tokio::test]
async fn a_domain_inserted_by_sql_alone_gets_a_key_of_each_algorithm() {
    let server = server().await;
    let organisation = organisation(&server.pool).await;
    let domain = format!("{}.example", organisation.slug);
    sqlx::query("INSERT INTO tenant_domains (tenant_id, domain) VALUES ($1, $2)")
        .bind(organisation.id)
        .bind(&domain)
        .execute(&server.pool)
        .await
        .unwrap();
    let made = keys(&server.pool, &domain).await;
    let algorithms: Vec<&str> = made.iter().map(|(algorithm, _)| algorithm.as_str()).collect();
    assert_eq!(algorithms, ["ed25519-sha256", "rsa-sha256"]);
    assert!(made[0].1.starts_with("kx-e-20") && made[1].1.starts_with("kx-r-20"), "{made:?}");

    // One that is retired is replaced under a name of its own.
    sqlx::query(
        "UPDATE domain_keys SET retired_at = now() WHERE algorithm = 'ed25519-sha256'
         AND domain_id = (SELECT id FROM tenant_domains WHERE domain = $1)",
    )
    .bind(&domain)
    .execute(&server.pool)
    .await
    .unwrap();
    sqlx::query("NOTIFY kx_directory").execute(&server.pool).await.unwrap();
    let replaced = tokio::time::timeout(Duration::from_mins(1), async {
        loop {
            let now = keys(&server.pool, &domain).await;
            if now.len() == 2 {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let replaced = replaced.await.expect("the key is replaced");
    assert_ne!(replaced[0].1, made[0].1);
    assert_eq!(replaced[1], made[1]);
}
