//! STORE: what several sessions change at the same moment, each in a folder of its own, is changed
//! together.

use std::collections::HashSet;

use crate::domain::ids::{FolderId, TenantId};
use crate::mail::batches::{Admitted, Work};
use crate::store::Error;
use crate::store::db::Db;
use crate::store::entries::Entry;
use crate::store::flags::Change;

/// Changes of one batch at most.
const CHANGES: usize = 64;
/// And messages, unless one change alone names more.
const MESSAGES: usize = 4000;

/// Changing flags.
pub(super) struct Flagging;

/// What is in a batch.
#[derive(Default)]
pub(super) struct Batch {
    folders: HashSet<FolderId>,
    messages: usize,
}

impl Work for Flagging {
    type Key = TenantId;
    type One = Change;
    type Done = Vec<Entry>;
    type Batch = Batch;

    fn admit(batch: &mut Batch, change: &Change) -> Admitted {
        let messages = batch.messages.saturating_add(change.uids.len());
        let first = batch.folders.is_empty();
        if batch.folders.len() == CHANGES || !first && messages > MESSAGES {
            return Admitted::Full;
        }
        if !batch.folders.insert(change.folder) {
            return Admitted::Later;
        }
        batch.messages = messages;
        Admitted::Yes
    }

    async fn all(db: &Db, key: TenantId, batch: &[&Change]) -> Result<Vec<Vec<Entry>>, Error> {
        db.tenant(key).store_flags(batch).await
    }

    fn passes(_: &Error) -> bool {
        false
    }
}
