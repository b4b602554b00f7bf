use uuid::Uuid;

use super::*;
use crate::config::Config;
use crate::domain::envelope::{DsnReturn, Notify};
use crate::domain::ids::{EmailId, QueueId};
use crate::domain::queue::Source;

fn row(tenant: u128, domain: &str, class: Class) -> Leased {
    Leased {
        id: OutboundId(Uuid::new_v4()),
        tenant: TenantId(Uuid::from_u128(tenant)),
        queue_id: QueueId::random(),
        email: Some(EmailId(Uuid::new_v4())),
        address: None,
        source: Source::Api,
        class,
        reverse_path: "a@x.test".to_owned(),
        recipient: format!("b@{domain}"),
        recipient_domain: domain.to_owned(),
        from_address: "a@x.test".to_owned(),
        attempts: 1,
        queued_at: time::OffsetDateTime::UNIX_EPOCH,
        expires_at: None,
        notify: Notify { success: false, failure: true, delay: true },
        ret: DsnReturn::Headers,
        envid: None,
        orcpt: None,
        deliver_by: None,
        delay_told: false,
        require_tls: false,
        smtputf8: false,
        track_opens: false,
        track_clicks: false,
        suppressed: false,
        author: None,
        route: None,
    }
}

fn way(domain: &str) -> Way {
    Way { route: None, domain: domain.to_owned() }
}

/// Straight to the servers of each domain.
fn straight(rows: Vec<Leased>) -> impl Iterator<Item = (Way, Leased)> {
    rows.into_iter().map(|row| (way(&row.recipient_domain), row))
}

fn many(count: usize, tenant: u128, domain: &str, class: Class) -> Vec<Leased> {
    (0..count).map(|_| row(tenant, domain, class)).collect()
}

fn lanes(connections: usize, per_domain: usize, per_tenant: usize) -> Lanes {
    let text = format!(
        "[queue]\nconcurrency = {connections}\nconcurrency_per_domain = {per_domain}\n\
         concurrency_per_tenant = {per_tenant}"
    );
    Lanes::new(&Config::parse(&text, |_| None).unwrap().queue, Arc::default())
}

/// A lease that lasts.
fn later() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

#[test]
fn people_go_before_bulk_and_the_recipients_of_one_message_go_together() {
    let lanes = lanes(10, 10, 10);
    let bulk = row(1, "x.test", Class::Bulk);
    let first = row(1, "x.test", Class::Personal);
    let mut same = first.clone();
    same.id = OutboundId(Uuid::new_v4());
    let other = row(1, "x.test", Class::Transactional);
    let ids = [first.id, same.id];
    lanes.add(straight(vec![bulk, first, other, same]), Instant::now(), later());
    let (rows, _first) = lanes.take(&way("x.test"), Instant::now()).unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
    let (rows, _second) = lanes.take(&way("x.test"), Instant::now()).unwrap();
    assert_eq!(rows[0].class, Class::Transactional);
    let (rows, _third) = lanes.take(&way("x.test"), Instant::now()).unwrap();
    assert_eq!(rows[0].class, Class::Bulk);
    assert!(lanes.take(&way("x.test"), Instant::now()).is_none());
}

#[test]
fn a_lane_gets_a_connection_for_five_rows_and_more_where_its_server_is_slow() {
    let lanes = lanes(100, 20, 100);
    let now = Instant::now();
    lanes.add(straight(many(4, 1, "x.test", Class::Personal)), now, later());
    assert_eq!(lanes.open(now).len(), 1);
    lanes.add(straight(many(4, 1, "x.test", Class::Personal)), now, later());
    assert_eq!(lanes.open(now).len(), 1, "eight rows: one more");
    lanes.add(straight(many(80, 1, "x.test", Class::Personal)), now, later());
    assert_eq!(lanes.open(now).len(), 0, "two are the begin");
    for _ in 0..5 {
        lanes.saw(&way("x.test"), true);
    }
    assert_eq!(lanes.open(now).len(), 2, "the window has grown to four");
    for _ in 0..4 {
        lanes.closed(&way("x.test"));
    }
    lanes.saw(&way("x.test"), false);
    lanes.saw(&way("x.test"), false);
    assert_eq!(lanes.open(now).len(), 1, "and shrunk to one");

    let slow = lanes_with_three_rows(now);
    assert_eq!(slow.open(now).len(), 1);
    assert_eq!(slow.open(now).len(), 0);
    assert_eq!(slow.open(now + SLOW).len(), 1);
}

fn lanes_with_three_rows(now: Instant) -> Lanes {
    let lanes = lanes(100, 20, 100);
    lanes.add(straight(many(3, 1, "x.test", Class::Personal)), now, later());
    lanes
}

#[test]
fn bulk_leaves_a_quarter_of_the_connections_to_people() {
    let lanes = lanes(8, 2, 100);
    let now = Instant::now();
    for domain in 0..20 {
        lanes.add(straight(many(1, 1, &format!("news{domain}.test"), Class::Bulk)), now, later());
    }
    assert_eq!(lanes.open(now).len(), 6);
    lanes.add(straight(many(1, 2, "people.test", Class::Personal)), now, later());
    assert_eq!(lanes.open(now), [way("people.test")]);
}

#[test]
fn an_organisation_has_its_share_of_deliveries_and_others_pass_it() {
    let lanes = lanes(100, 20, 1);
    let now = Instant::now();
    lanes.add(straight(many(2, 1, "x.test", Class::Personal)), now, later());
    lanes.add(straight(many(1, 2, "x.test", Class::Personal)), now, later());
    let (first, held) = lanes.take(&way("x.test"), Instant::now()).unwrap();
    let (second, _other) = lanes.take(&way("x.test"), Instant::now()).unwrap();
    assert_ne!(first[0].tenant, second[0].tenant);
    assert!(lanes.take(&way("x.test"), Instant::now()).is_none());
    drop(held);
    assert_eq!(lanes.take(&way("x.test"), Instant::now()).unwrap().0[0].tenant, first[0].tenant);
}

#[test]
fn what_is_in_hand_is_told_until_it_is_delivered_or_given_back() {
    let lanes = lanes(100, 20, 100);
    lanes.add(straight(many(REFILL, 1, "x.test", Class::Personal)), Instant::now(), later());
    assert_eq!((lanes.rows().len(), lanes.room()), (REFILL, ROWS - REFILL));
    assert_eq!(lanes.busy().domains, ["x.test"]);
    assert!(lanes.busy().tenants.is_empty());
    let (_, taken) = lanes.take(&way("x.test"), Instant::now()).unwrap();
    assert_eq!(lanes.rows().len(), REFILL);
    drop(taken);
    assert_eq!(lanes.rows().len(), REFILL - 1);
    assert_eq!(lanes.close().len(), REFILL - 1);
    assert!(lanes.rows().is_empty() && lanes.take(&way("x.test"), Instant::now()).is_none());
}

#[test]
fn what_is_no_longer_ours_is_left_alone() {
    let lanes = lanes(100, 20, 100);
    let now = Instant::now();
    let rows = many(2, 1, "x.test", Class::Personal);
    let renewed = rows[1].id;
    lanes.add(straight(rows), now, now + Duration::from_secs(1));
    lanes.renewed(&[renewed], now + Duration::from_secs(9));
    let (taken, _delivering) = lanes.take(&way("x.test"), now + Duration::from_secs(5)).unwrap();
    assert_eq!(taken.iter().map(|row| row.id).collect::<Vec<_>>(), [renewed]);
    assert!(lanes.take(&way("x.test"), now + Duration::from_secs(5)).is_none());
    assert_eq!(lanes.rows(), [renewed]);
}
