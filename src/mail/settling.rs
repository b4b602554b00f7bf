//! What became of attempts that end at the same moment is recorded in one transaction.

use std::collections::HashSet;

use crate::domain::ids::OutboundId;
use crate::mail::batches::{Admitted, Work};
use crate::store::Error;
use crate::store::db::Db;
use crate::store::outbound::Settlement;

/// Attempts of one batch at most.
const ATTEMPTS: usize = 128;

/// Recording attempts. Whether the row was still this node's.
pub(super) struct Settling;

impl Work for Settling {
    type Key = ();
    type One = Settlement;
    type Done = bool;
    type Batch = HashSet<OutboundId>;

    fn admit(batch: &mut HashSet<OutboundId>, one: &Settlement) -> Admitted {
        if batch.len() == ATTEMPTS {
            return Admitted::Full;
        }
        if batch.insert(one.id) { Admitted::Yes } else { Admitted::Later }
    }

    async fn all(db: &Db, (): (), batch: &[&Settlement]) -> Result<Vec<bool>, Error> {
        let settled = db.settle(batch).await?;
        Ok(batch.iter().map(|one| settled.contains(&one.id)).collect())
    }

    fn passes(_: &Error) -> bool {
        false
    }
}
