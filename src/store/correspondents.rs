//! Who an organisation writes with.

use crate::store::error::Error;
use crate::store::tenant::Tenant;

impl Tenant {
    /// Whether the organisation has had mail from this address, or written to
    /// it. The address in lower case. One round trip.
    pub async fn knows_sender(&self, address: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar("SELECT public.sender_is_known($1, $2)")
            .bind(self.id().0)
            .bind(address)
            .fetch_one(self.db().pool())
            .await?)
    }
}
