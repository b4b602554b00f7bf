//! THREAD (RFC 5256): conversations among the messages found.

use crate::domain::casemap::fold;
use crate::domain::ids::FolderId;
use crate::domain::threading::{Forest, Threaded, ordered_subject, references};
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::store::search::{Row, Wanted};
use crate::wire::imap::command::{SearchKey, ThreadAlgorithm};
use crate::wire::mime::{base_subject, is_reply};

impl Mailboxes {
    /// The messages for which every key holds, as conversations; the numbers are UIDs. One query.
    pub async fn thread(
        &self,
        who: &Identity,
        folder: FolderId,
        keys: &[SearchKey],
        numbering: Numbering<'_>,
        algorithm: ThreadAlgorithm,
    ) -> Result<Forest, Error> {
        let identifiers = algorithm == ThreadAlgorithm::References;
        let wanted = Wanted { subject: true, people: false, identifiers };
        let mut found = Vec::new();
        let mut tx = self.snapshot(who).await?;
        tx.search_rows(folder, keys, numbering, wanted, |row| {
            // What the client does not know yet is in no conversation.
            if numbering.uids.binary_search(&row.uid).is_ok() {
                found.push(threaded(row));
            }
        })
        .await?;
        drop(tx);
        let work = move || match algorithm {
            ThreadAlgorithm::OrderedSubject => ordered_subject(&found),
            ThreadAlgorithm::References => references(&found),
        };
        // Large folders keep a core busy for a moment.
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::Internal(format!("threading: {error}")))
    }
}

fn threaded(row: Row) -> Threaded {
    let mut references = row.references;
    // The store keeps those of In-Reply-To behind; they count only where there are no others, and
    // then the first of them does.
    references.truncate(references.len().saturating_sub(row.in_reply_to.len()));
    if references.is_empty() {
        references.extend(row.in_reply_to.into_iter().take(1));
    }
    Threaded {
        number: row.uid,
        message_id: row.message_id,
        references,
        base_subject: fold(&base_subject(&row.subject)),
        is_reply: is_reply(&row.subject),
        sent: row.sent,
    }
}
