//! Which rows go in one transaction.

use time::OffsetDateTime;

use crate::domain::deliver_by::DeliverBy;
use crate::domain::envelope::DsnReturn;
use crate::domain::ids::{EmailId, QueueId, TenantId};
use crate::mail::deliver::envelope::{Envelope, To};
use crate::store::outbound::Leased;

/// Rows whose rendered octets are the same: one message with several
/// recipients. One that is tracked is alone.
#[derive(Debug)]
pub struct Parcel {
    /// At least one.
    pub rows: Vec<Leased>,
}

/// What must be alike.
#[derive(PartialEq)]
struct Kind<'a> {
    tenant: TenantId,
    queue_id: QueueId,
    email: Option<EmailId>,
    reverse_path: &'a str,
    ret: DsnReturn,
    envid: Option<&'a str>,
    require_tls: bool,
    deliver_by: Option<DeliverBy>,
}

/// Recipients of one transaction; what every server takes (RFC 5321 §4.5.3.1.8).
const MOST: usize = 100;

fn kind(row: &Leased) -> Option<Kind<'_>> {
    let tracked = row.track_opens || row.track_clicks;
    (!tracked).then(|| Kind {
        tenant: row.tenant,
        queue_id: row.queue_id,
        email: row.email,
        reverse_path: &row.reverse_path,
        ret: row.ret,
        envid: row.envid.as_deref(),
        require_tls: row.require_tls,
        deliver_by: row.deliver_by,
    })
}

impl Parcel {
    /// Groups rows, keeping their order.
    pub fn group(rows: Vec<Leased>) -> Vec<Self> {
        let mut parcels: Vec<Self> = Vec::new();
        for row in rows {
            let own = kind(&row);
            let fitting = parcels.iter_mut().find(|parcel| {
                parcel.rows.len() < MOST
                    && own.is_some()
                    && parcel.rows.first().is_some_and(|first| kind(first) == own)
            });
            match fitting {
                Some(parcel) => parcel.rows.push(row),
                None => parcels.push(Self { rows: vec![row] }),
            }
        }
        parcels
    }
}

/// The envelope of rows that go together.
pub fn envelope(rows: &[Leased]) -> Envelope {
    let to = |row: &Leased| To {
        address: row.recipient.clone(),
        notify: row.notify,
        orcpt: row.orcpt.clone(),
    };
    let recipients = rows.iter().map(to).collect();
    match rows.first() {
        Some(first) => Envelope {
            reverse_path: first.reverse_path.clone(),
            ret: first.ret,
            envid: first.envid.clone(),
            require_tls: first.require_tls,
            deliver_by: first.deliver_by.map(|by| (by, by.remaining(OffsetDateTime::now_utc()))),
            recipients,
        },
        None => Envelope::default(),
    }
}
