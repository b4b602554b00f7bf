//! Who reads what is written to the server as such.

use crate::domain::address::Address;
use crate::store::db::Db;
use crate::store::error::Error;

impl Db {
    /// Postmaster at the domain that was proven first, and the oldest mailbox there that is not
    /// suspended; empty while no domain is proven.
    pub async fn likely_postmasters(&self) -> Result<Vec<Address>, Error> {
        let texts: Vec<String> = sqlx::query_scalar(
            "WITH first AS (
                SELECT d.id, d.domain FROM public.tenant_domains d
                JOIN public.tenants t ON t.id = d.tenant_id AND t.status = 'active'
                WHERE d.verified_at IS NOT NULL
                    AND EXISTS (SELECT 1 FROM public.email_addresses a WHERE a.domain_id = d.id AND a.status = 'active')
                ORDER BY d.verified_at, d.id LIMIT 1)
             SELECT 'postmaster@' || domain FROM first
             UNION ALL
             (SELECT a.address FROM public.email_addresses a JOIN first ON first.id = a.domain_id
              WHERE a.status = 'active' ORDER BY a.created_at, a.id LIMIT 1)",
        )
        .fetch_all(self.pool())
        .await?;
        Ok(texts.iter().filter_map(|text| Address::parse(text).ok()).collect())
    }
}
