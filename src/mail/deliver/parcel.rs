//! Which rows go in one transaction.

use std::collections::VecDeque;

use time::OffsetDateTime;

use crate::domain::deliver_by::DeliverBy;
use crate::domain::envelope::DsnReturn;
use crate::domain::ids::{EmailId, QueueId, TenantId};
use crate::domain::queue::Class;
use crate::mail::deliver::envelope::{Envelope, To};
use crate::mail::deliver::return_path::{self, return_path};
use crate::store::outbound::Leased;
use crate::wire::verp::Verp;

/// What must be alike.
#[derive(PartialEq)]
struct Kind<'a> {
    tenant: TenantId,
    queue_id: QueueId,
    email: EmailId,
    reverse_path: &'a str,
    ret: DsnReturn,
    envid: Option<&'a str>,
    require_tls: bool,
    deliver_by: Option<DeliverBy>,
}

/// Recipients of one transaction; what every server takes (RFC 5321 §4.5.3.1.8).
const MOST: usize = 100;

/// `None` for what goes alone: it is tracked, bulk that each reader leaves by a link of their own,
/// has a return path of its own, or is not composed yet.
fn kind(row: &Leased) -> Option<Kind<'_>> {
    let own = row.track_opens || row.track_clicks || row.class == Class::Bulk;
    Some(Kind {
        tenant: row.tenant,
        queue_id: row.queue_id,
        email: row.email.filter(|_| !own && !return_path::has_own(row))?,
        reverse_path: &row.reverse_path,
        ret: row.ret,
        envid: row.envid.as_deref(),
        require_tls: row.require_tls,
        deliver_by: row.deliver_by,
    })
}

/// `first`, and out of `others` those that go in one transaction with it: their rendered octets
/// are the same. The order is kept.
pub(super) fn together(first: Leased, others: &mut VecDeque<Leased>) -> Vec<Leased> {
    let mut rows = vec![first];
    let mut rest = VecDeque::with_capacity(others.len());
    for row in others.drain(..) {
        let first = rows.first().and_then(kind);
        if first.is_some() && kind(&row) == first && rows.len() < MOST {
            rows.push(row);
        } else {
            rest.push_back(row);
        }
    }
    *others = rest;
    rows
}

/// The envelope of rows that go together.
pub(super) fn envelope(rows: &[Leased], verp: &Verp) -> Envelope {
    let to = |row: &Leased| To {
        address: row.recipient.clone(),
        notify: return_path::notify(row),
        orcpt: row.orcpt.clone(),
    };
    let recipients = rows.iter().map(to).collect();
    match rows.first() {
        Some(first) => Envelope {
            reverse_path: return_path(first, verp),
            ret: first.ret,
            envid: first.envid.clone(),
            require_tls: first.require_tls,
            deliver_by: first.deliver_by.map(|by| (by, by.remaining(OffsetDateTime::now_utc()))),
            recipients,
        },
        None => Envelope::default(),
    }
}
