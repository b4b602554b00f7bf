//! Messages per second sent to other servers: this server beside Postfix, where that is installed.
//!
//! Twenty clients submit mails of 10 KB, each to one recipient, to one destination and to two
//! hundred; one sink on loopback takes them all. What is measured is the time from the first
//! message submitted to the last one taken by the sink, the connections that took, and the CPU. Both
//! are durable: 250 means on the disk. This server is asked with a login over TLS and signs with two
//! DKIM keys; Postfix takes what loopback brings and signs nothing. Neither keeps a copy in Sent.
//!
//! `cargo bench --bench load -- send [MESSAGES] [ROUNDS]`: 2,000 and 3 when not given. Postfix
//! wants root and the package `postfix`; without it its lines stay away.

mod client;
mod dns;
mod peer;
mod postfix;
mod sink;

use std::time::Duration;

use peer::Peer;
use sink::Sink;

/// Destinations of a line.
const DESTINATIONS: [usize; 2] = [1, 200];
const CLIENTS: usize = 20;

/// What one round has shown.
#[derive(Clone, Copy)]
struct Figure {
    rate: f64,
    /// Seconds until all were submitted.
    submitted: f64,
    connections: usize,
    cpu_ms: f64,
}

/// Measures and prints.
pub async fn run_all(arguments: &[String]) {
    let mut numbers = arguments.iter().filter_map(|a| a.parse().ok());
    let (messages, rounds) = (numbers.next().unwrap_or(2000), numbers.next().unwrap_or(3));
    let sink = Sink::start().await;
    let mut peers = vec![peer::this(&sink).await];
    peers.extend(postfix::start(&sink).await);
    println!(
        "{:>12} {:<12} {:>8} {:>12} {:>12} {:>10}",
        "destinations", "server", "msg/s", "submitted s", "connections", "cpu ms"
    );
    for destinations in DESTINATIONS {
        let mut results = vec![Vec::new(); peers.len()];
        for _ in 0..rounds {
            for (peer, results) in peers.iter().zip(&mut results) {
                results.push(measure(peer, &sink, messages, destinations).await);
            }
        }
        for (peer, results) in peers.iter().zip(results) {
            print_line(destinations, peer.name, median(results));
        }
    }
}

async fn measure(peer: &Peer, sink: &Sink, messages: usize, destinations: usize) -> Figure {
    // Connections that are kept for the round before are no help for this one.
    sink.until_idle(Duration::from_mins(1)).await;
    sink.forget();
    let (cpu, started) = (peer.cpu_ms(), std::time::Instant::now());
    let each = messages / CLIENTS;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| tokio::spawn(client::submit(peer.clone(), n * each..(n + 1) * each, destinations)))
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let submitted = started.elapsed().as_secs_f64();
    sink.until_taken(each * CLIENTS, Duration::from_mins(5)).await;
    let elapsed = started.elapsed().as_secs_f64();
    Figure {
        rate: (each * CLIENTS) as f64 / elapsed,
        submitted,
        connections: sink.connections(),
        cpu_ms: (peer.cpu_ms() - cpu) / (each * CLIENTS) as f64,
    }
}

fn median(mut figures: Vec<Figure>) -> Figure {
    figures.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    figures[figures.len() / 2]
}

fn print_line(destinations: usize, name: &str, figure: Figure) {
    let Figure { rate, submitted, connections, cpu_ms } = figure;
    println!(
        "{destinations:>12} {name:<12} {rate:>8.0} {submitted:>12.2} {connections:>12} {cpu_ms:>10.2}"
    );
}
