//! Messages per second received over SMTP, and what one costs.
//!
//! Starts the server of this build with durable settings on a database of its
//! own in a temporary folder, sends mails of 4 KB over 1, 10 and 50
//! connections to ten mailboxes, and prints for each: messages answered 250 a
//! second, CPU of server and database a message, transactions and WAL syncs a
//! message. Then the same on another new database, with ten filters and an
//! automatic answer in every mailbox. Nothing is asserted but that the rules
//! acted.
//!
//! `cargo bench --bench load -- receive [SECONDS] [plain | rules]`: 10 a line and
//! both tables when not given.

mod rules;
mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::server::Server;
use crate::smtp::{expect, message};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

const MAILBOXES: usize = 10;
const SIZE: usize = 4096;

/// Measures and prints.
pub async fn run_all(arguments: &[String]) {
    let seconds = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(10);
    let only = |name: &str| arguments.iter().any(|a| a == name);
    if !only("rules") {
        println!("without rules");
        measure(seconds, false).await;
    }
    if !only("plain") {
        println!("ten filters and an automatic answer in every mailbox");
        measure(seconds, true).await;
    }
}

async fn measure(seconds: u64, rules: bool) {
    let server = Server::start().await;
    server.add_mailboxes(MAILBOXES).await;
    if rules {
        rules::add(&server.pool).await;
    }
    println!(
        "{:>11} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "connections", "msg/s", "server ms", "db ms", "commits", "wal syncs"
    );
    run(&server, 1, Duration::from_secs(2)).await; // warm
    for connections in [1, 10, 50] {
        let before = usage::of(&server).await;
        let started = Instant::now();
        let messages = run(&server, connections, Duration::from_secs(seconds)).await;
        let elapsed = started.elapsed().as_secs_f64();
        let used = usage::of(&server).await - before;
        let each = |total: f64| total / messages as f64;
        println!(
            "{connections:>11} {:>10.0} {:>10.2} {:>10.2} {:>10.2} {:>10.2}",
            messages as f64 / elapsed,
            each(used.server_ms),
            each(used.database_ms),
            each(used.commits),
            each(used.wal_syncs),
        );
    }
    if rules {
        rules::assert_acted(&server.pool).await;
    }
}

/// Sends for `time` over `connections`; returns how many 250s came.
async fn run(server: &Server, connections: usize, time: Duration) -> u64 {
    let accepted = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + time;
    let tasks: Vec<_> = (0..connections)
        .map(|n| tokio::spawn(send(server.smtp, n, end, Arc::clone(&accepted))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    accepted.load(Ordering::Relaxed)
}

async fn send(
    address: std::net::SocketAddr,
    connection: usize,
    end: Instant,
    accepted: Arc<AtomicU64>,
) {
    let mut smtp = BufReader::new(TcpStream::connect(address).await.unwrap());
    expect(&mut smtp, "220").await;
    smtp.write_all(b"EHLO load.example\r\n").await.unwrap();
    expect(&mut smtp, "250").await;
    for n in 0.. {
        if Instant::now() >= end {
            return;
        }
        let mailbox = (connection + n) % MAILBOXES;
        // The envelope goes in one write, as PIPELINING allows (RFC 2920).
        let envelope = format!(
            "MAIL FROM:<sender@load.example>\r\nRCPT TO:<user{mailbox}@bench.test>\r\nDATA\r\n"
        );
        smtp.write_all(envelope.as_bytes()).await.unwrap();
        for code in ["250", "250", "354"] {
            expect(&mut smtp, code).await;
        }
        smtp.write_all(&message("sender@load.example", &format!("user{mailbox}@bench.test"), SIZE))
            .await
            .unwrap();
        expect(&mut smtp, "250").await;
        accepted.fetch_add(1, Ordering::Relaxed);
    }
}
