//! Reading mail over IMAP: this server beside Dovecot on Maildir, where that is installed.
//!
//! Both get the same 8 mailboxes of 500 mixed messages, over TLS, from 8 clients at once. Each line
//! is measured in rounds, the servers in turn, and the median told: what a second brings, the
//! CPU a unit takes of server and database, and the ratio to Dovecot. Then what an idle connection
//! takes of memory. Nothing is asserted but that every answer is `OK`.
//!
//! `cargo bench --bench load -- imap [ROUNDS]`: 3 rounds when not given. Dovecot wants root and the
//! package `dovecot-imapd`; without it the column stays empty.

mod arrival;
pub mod client;
mod dovecot;
pub mod load;
mod messages;
pub mod peer;

use load::{LINES, Line};
use peer::Peer;

const IDLE: usize = 500;

/// Measures and prints.
pub async fn run_all(arguments: &[String]) {
    let rounds = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(3);
    let mut peers = vec![peer::this().await];
    peers.extend(dovecot::start().await);
    let mut results: Vec<Vec<Vec<Figure>>> = vec![vec![Vec::new(); LINES.len()]; peers.len()];
    for round in 0..rounds {
        for (peer, results) in peers.iter().zip(&mut results) {
            for (line, results) in LINES.iter().zip(results) {
                eprint!("\rround {}, {}: {:<40}", round + 1, peer.name, line.name());
                results.push(measure(peer, *line, round).await);
            }
        }
    }
    eprint!("\r{:60}\r", "");
    println!(
        "{:<34} {:>12} {:>9} {:>12} {:>9} {:>7}",
        "a second", "this", "ms each", "dovecot", "ms each", "ratio"
    );
    for (at, line) in LINES.iter().enumerate() {
        let figures: Vec<Figure> = results.iter().map(|peer| median(&peer[at])).collect();
        print_line(line.name(), &figures);
    }
    for peer in &peers {
        if let Some(smtp) = peer.smtp {
            let after = arrival::median(peer, smtp).await;
            println!("{}: EXISTS {after:.1?} after the final dot", peer.name);
        }
        println!(
            "{}: {:.0} KiB an idle connection in a mailbox",
            peer.name,
            load::idle(peer, IDLE).await
        );
    }
}

/// What one round has shown.
#[derive(Clone, Copy, Default)]
struct Figure {
    per_second: f64,
    cpu_ms: f64,
}

async fn measure(peer: &Peer, line: Line, round: usize) -> Figure {
    let (cpu, started) = (peer.cpu_ms(), std::time::Instant::now());
    let count = load::run(peer, line, round).await as f64;
    Figure {
        per_second: count / started.elapsed().as_secs_f64(),
        cpu_ms: (peer.cpu_ms() - cpu) / count,
    }
}

fn median(figures: &[Figure]) -> Figure {
    let mut figures = figures.to_vec();
    figures.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn print_line(name: &str, figures: &[Figure]) {
    let this = figures[0];
    print!("{name:<34} {:>12.0} {:>9.3}", this.per_second, this.cpu_ms);
    if let Some(other) = figures.get(1) {
        let ratio = this.per_second / other.per_second;
        print!(" {:>12.0} {:>9.3} {ratio:>7.2}", other.per_second, other.cpu_ms);
    }
    println!();
}
