//! Works in the lane of one destination until nothing waits there.

use std::sync::Arc;
use std::time::Instant;

use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::outcome::Outcome;
use crate::mail::deliver::local::{self, Place};
use crate::mail::deliver::route::Way;
use crate::mail::deliver::worker::Inner;
use crate::mail::outcome;
use crate::mail::queue::Ended;
use crate::net::shutdown::Shutdown;
use crate::store::outbound::Leased;

/// One connection's work: mailboxes here as well as servers elsewhere.
pub(super) struct Carrier {
    inner: Arc<Inner>,
    way: Way,
}

impl Carrier {
    /// For a lane that counts it as open already.
    pub(super) fn new(inner: Arc<Inner>, way: Way) -> Self {
        Self { inner, way }
    }

    /// Until nothing may go, or the end is asked for.
    pub(super) async fn run(self, stop: Shutdown) {
        let Inner { lanes, away, .. } = &*self.inner;
        let mut line = away.line(&self.way);
        while !stop.is_requested()
            && let Some((rows, in_delivery)) = lanes.take(&self.way, Instant::now())
        {
            let rest = self.here(rows).await;
            if !rest.is_empty() {
                let well = away.deliver(rest, &mut line).await;
                lanes.saw(&self.way, well);
            }
            drop(in_delivery);
        }
        line.close().await;
    }

    /// Settles what goes no further than this server; the rows that do are left, composed.
    async fn here(&self, rows: Vec<Leased>) -> Vec<Leased> {
        let mut rest = Vec::new();
        for mut row in rows {
            if self.leaves(&mut row).await {
                rest.push(row);
            }
        }
        rest
    }

    /// Whether the row goes elsewhere; else it has been settled.
    async fn leaves(&self, row: &mut Leased) -> bool {
        let queue = &self.inner.queue;
        if row.suppressed {
            queue.suppress(row).await;
            return false;
        }
        let started_at = OffsetDateTime::now_utc();
        if row.deliver_by.is_some_and(|by| by.is_over(started_at)) {
            queue.expire(row).await;
            return false;
        }
        let outcome = match self.place(row).await {
            Ok(None) => return true,
            Ok(Some(outcome)) | Err(outcome) => outcome,
        };
        self.inner.lanes.saw(&self.way, matches!(outcome, Outcome::Delivered(_)));
        queue.settle(row, &Ended::here(started_at, outcome, local::via())).await;
        false
    }

    /// Composes what is not yet, and delivers what is hosted here.
    async fn place(&self, row: &mut Leased) -> Result<Option<Outcome>, Outcome> {
        let Ok(address) = Address::parse(&row.recipient) else {
            let why = "the recipient is no mail address";
            return Err(Outcome::Failed(outcome::refused((5, 1, 3), why)));
        };
        let Inner { drafts, here, .. } = &*self.inner;
        if row.email.is_none() {
            row.email = Some(drafts.compose(row).await?);
        }
        match here.find(row, &address).await? {
            Place::Away => Ok(None),
            Place::Here(local) => Ok(Some(here.deliver(row, &address, &local).await)),
        }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.inner.lanes.closed(&self.way);
    }
}
