//! Another node on the same database: it hears what the first one does, keeps its deadlines, and
//! says goodbye.

use std::sync::Arc;
use std::time::{Duration, Instant};

use koltrix_mail::app::{self, Roles, Running};
use koltrix_mail::config::Config;
use koltrix_mail::store::embedded::Durability;

use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, configuration, server};
use crate::support::sql::strings;
use crate::support::wait::until;
use crate::support::{open_folder, postgres};

/// A second server, with these timeouts of IMAP.
pub(super) async fn node(folder: &std::path::Path, change: impl FnOnce(&mut Config)) -> Running {
    let server = server().await;
    let mut config = configuration(folder, &postgres::url().await, server.dns.addr(), 1);
    change(&mut config);
    let roles: Roles = "imap".parse().unwrap();
    app::start(Arc::new(config), roles, Durability::None).await.unwrap()
}

/// A time as the configuration has it.
fn config_with(text: &str) -> Config {
    Config::parse(text, |_| None).unwrap()
}

#[tokio::test]
async fn idle_hears_the_other_node_and_the_end() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let folder = open_folder();
    let node = node(folder.path(), |_| {}).await;
    let mut there = Imap::greeted_tls(node.addresses.imap_tls.unwrap()).await;
    there.brings(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
    there.brings("SELECT INBOX").await;
    there.send("i IDLE\r\n").await;
    assert!(there.response().await.starts_with("+ "));

    Imap::of(&ann).await.put("INBOX", "", "from here").await;
    let stored = Instant::now();
    assert_eq!(there.response().await, "* 1 EXISTS");
    assert!(stored.elapsed() < Duration::from_secs(1), "{:?}", stored.elapsed());
    assert_eq!(there.response().await, "* 1 RECENT");

    let mut idle = Imap::greeted_tls(node.addresses.imap_tls.unwrap()).await;
    node.stop().await;
    for imap in [&mut there, &mut idle] {
        assert!(imap.rest().await.starts_with("* BYE [UNAVAILABLE] "));
    }
}

#[tokio::test]
async fn idle_survives_a_lost_listener() {
    let server = server().await;
    let ann = server.tenant().await.mailbox("ann").await;
    let mut here = Imap::of(&ann).await;
    let [started] =
        strings(&server.pool, "SELECT clock_timestamp()::text").await.try_into().unwrap();
    let folder = open_folder();
    let node = node(folder.path(), |_| {}).await;
    let mut there = Imap::greeted_tls(node.addresses.imap_tls.unwrap()).await;
    there.brings(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
    there.brings("SELECT INBOX").await;
    there.idle().await;
    for n in 1..=3 {
        lose_listeners(&server.pool, &started).await;
        here.put("INBOX", "", &format!("from here {n}")).await;
        there.wait_for(&format!("* {n} EXISTS")).await;
    }
    there.done().await;
    node.stop().await;
}

/// Ends the connections that listen and were opened after `started`, as soon as there are any.
pub(super) async fn lose_listeners(pool: &sqlx::PgPool, started: &str) {
    let end = format!(
        "SELECT pid::text FROM pg_stat_activity WHERE query LIKE 'LISTEN %'
         AND backend_start > '{started}' AND pg_terminate_backend(pid)"
    );
    let ended = async || !strings(pool, &end).await.is_empty();
    until("somebody listens", Duration::from_mins(1), ended).await;
}

#[tokio::test]
async fn silence_ends() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let folder = open_folder();
    let short = config_with("[timeouts]\nimap_login = \"3s\"\nimap_idle = \"1s\"").timeouts;
    let node = node(folder.path(), |config| config.timeouts = short).await;
    let tls = node.addresses.imap_tls.unwrap();
    // Talking does not put off the deadline before login.
    let mut imap = Imap::greeted_tls(tls).await;
    imap.brings("NOOP").await;
    assert_eq!(imap.rest().await, "* BYE Autologout; idle for too long\r\n");
    // A handshake that is never begun ends as well.
    let mut imap = Imap::greeted(node.addresses.imap_starttls.unwrap()).await;
    assert!(imap.rest().await.starts_with("* BYE"));

    for last in ["NOOP", "IDLE"] {
        let mut imap = Imap::greeted_tls(tls).await;
        imap.brings(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
        imap.send(format!("x {last}\r\n")).await;
        let rest = imap.rest().await;
        assert!(rest.ends_with("* BYE Autologout; idle for too long\r\n"), "{rest}");
    }
    node.stop().await;
}
