//! UIDs and mod-sequences come in the order in which sessions see them (RFC 9051 section 2.3.1.1,
//! RFC 7162 section 3.1), while two servers write to one folder.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use super::model::told;
use super::nodes::node;
use crate::support::imap::Imap;
use crate::support::open_folder;
use crate::support::server::{PASSWORD, server};

/// Messages that each writer brings.
const MESSAGES: usize = 12;

async fn login(address: SocketAddr, ann: &str) -> Imap {
    let mut imap = Imap::greeted_tls(address).await;
    imap.ok(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
    imap
}

/// Brings messages, and sets flags of others' in between.
async fn write(mut imap: Imap, writer: usize) {
    imap.ok("SELECT INBOX").await;
    for n in 0..MESSAGES {
        imap.put("INBOX", "", &format!("{writer}-{n}")).await;
        imap.ok(&format!("UID STORE {}:* +FLAGS.SILENT (kw{writer}{n})", 1 + n)).await;
    }
}

/// Looks again and again, until all `writers` are done and once more; how many messages it saw.
/// What is seen for the first time is above all that was seen or could have been.
async fn watch(mut imap: Imap, writers: Arc<AtomicUsize>) -> usize {
    imap.ok("SELECT INBOX (CONDSTORE)").await;
    let (mut known, mut reached) = (BTreeMap::<u32, u64>::new(), 0);
    loop {
        let last = writers.load(Ordering::Acquire) == 0;
        let lines = imap.brings("STATUS INBOX (HIGHESTMODSEQ)").await;
        let status = lines.iter().find(|line| line.starts_with("* STATUS ")).unwrap();
        let number = status.rsplit_once(' ').unwrap().1.trim_end_matches(')');
        let highest: u64 = number.parse().unwrap();
        assert!(highest >= reached, "{highest} after {reached}");
        imap.ok("NOOP").await;
        let lines = imap.brings("UID FETCH 1:* (MODSEQ)").await;
        let top = known.keys().next_back().copied().unwrap_or(0);
        for entry in lines.iter().filter_map(|line| told::fetch(line)) {
            let (uid, mod_seq) = (entry.uid.unwrap(), entry.mod_seq.unwrap());
            match known.insert(uid, mod_seq) {
                Some(before) if before == mod_seq => {}
                Some(before) => assert!(mod_seq > before.max(reached), "{uid}: {mod_seq}"),
                None => assert!(uid > top && mod_seq > reached, "{uid} after {top}: {mod_seq}"),
            }
        }
        if last {
            return known.len();
        }
        reached = highest;
    }
}

#[tokio::test]
async fn what_is_seen_later_has_the_higher_numbers() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let folder = open_folder();
    let other = node(folder.path(), |_| {}).await;
    let servers = [server().await.at.imap_tls.unwrap(), other.addresses.imap_tls.unwrap()];
    let writers = Arc::new(AtomicUsize::new(4));
    let (mut writing, mut watching) = (JoinSet::new(), JoinSet::new());
    for n in 0..4 {
        let (imap, left) = (login(servers[n % 2], &ann).await, Arc::clone(&writers));
        writing.spawn(async move {
            write(imap, n).await;
            left.fetch_sub(1, Ordering::Release);
        });
    }
    for address in servers {
        watching.spawn(watch(login(address, &ann).await, Arc::clone(&writers)));
    }
    writing.join_all().await;
    assert_eq!(watching.join_all().await, [4 * MESSAGES; 2]);
    other.stop().await;
}
