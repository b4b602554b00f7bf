//! Ten thousand connections over IMAP that wait in IDLE, each in one of 8 mailboxes: what one takes
//! of memory, and how soon they hear of a message.
//!
//! `cargo bench --bench load -- idle [CONNECTIONS]`. Each takes a file descriptor here and one there.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::imap::client::Client;
use crate::imap::load::MAILBOXES;
use crate::imap::peer;

/// Connections that are opened at once.
const AT_ONCE: usize = 32;

/// Measures and prints.
pub async fn run_all(arguments: &[String]) {
    let count: usize = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(10_000);
    let peer = peer::this().await;
    let (before, cpu, began) = (peer.memory_kib(), peer.cpu_ms(), Instant::now());
    let mut waiting: Vec<(usize, Client)> = Vec::with_capacity(count);
    while waiting.len() < count {
        let mut opening = JoinSet::new();
        for n in waiting.len()..(waiting.len() + AT_ONCE).min(count) {
            let peer = peer.clone();
            opening.spawn(async move {
                let user = n % MAILBOXES;
                let mut client = Client::open(&peer, user).await;
                client.idle().await;
                (user, client)
            });
        }
        waiting.extend(opening.join_all().await);
        eprint!("\r{} connections", waiting.len());
    }
    let cpu = (peer.cpu_ms() - cpu) / count as f64;
    eprint!("\r{:40}\r", "");
    println!("{count} connections in {:.1?}, {cpu:.1} ms of CPU each", began.elapsed());
    println!("{:.0} KiB each", (peer.memory_kib() - before) / count as f64);

    let cpu = peer.cpu_ms();
    tokio::time::sleep(Duration::from_secs(10)).await;
    println!("{:.2} % of a CPU while nothing happens", (peer.cpu_ms() - cpu) / 100.0);

    let mut sender = Client::open(&peer, 0).await;
    sender.append(b"Subject: hello\r\n\r\nhello\r\n").await;
    let stored = Instant::now();
    let mut hearing = JoinSet::new();
    for (_, mut client) in waiting.into_iter().filter(|(user, _)| *user == 0) {
        hearing.spawn(async move {
            client.until(b" EXISTS\r\n").await;
            client
        });
    }
    let heard = hearing.join_all().await;
    println!("{} heard of a message within {:.0?}", heard.len(), stored.elapsed());
}
