//! The lines of the table.

use std::time::Duration;

use tokio::task::JoinSet;

use super::client::Client;
use super::messages::{NEEDLE, message};
use super::peer::Peer;

pub const MAILBOXES: usize = 8;
pub const MESSAGES: usize = 500;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Open,
    Headers,
    Flags,
    Bodies,
    SearchText,
    SearchHeader,
    Store,
    Append,
}

pub const LINES: [Line; 8] = [
    Line::Open,
    Line::Headers,
    Line::Flags,
    Line::Bodies,
    Line::SearchText,
    Line::SearchHeader,
    Line::Store,
    Line::Append,
];

impl Line {
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "LOGIN and SELECT",
            Self::Headers => "FETCH FLAGS UID ENVELOPE SIZE",
            Self::Flags => "FETCH FLAGS",
            Self::Bodies => "FETCH BODY.PEEK[]",
            Self::SearchText => "SEARCH TEXT",
            Self::SearchHeader => "SEARCH HEADER",
            Self::Store => "STORE +FLAGS, one message each",
            Self::Append => "APPEND",
        }
    }

    /// How often a client does it in a round.
    fn repeats(self) -> usize {
        match self {
            Self::Open | Self::Bodies => 5,
            Self::Headers | Self::Flags => 20,
            Self::SearchText | Self::SearchHeader => 10,
            Self::Store => 100,
            Self::Append => 50,
        }
    }
}

/// Fills the mailboxes.
pub async fn fill(peer: &Peer) {
    each_mailbox(peer, |mut client, user| async move {
        for n in 0..MESSAGES {
            client.append(&message(user, n)).await;
        }
        MESSAGES
    })
    .await;
}

/// One round; how many of what the line counts were done.
pub async fn run(peer: &Peer, line: Line, round: usize) -> usize {
    if line == Line::Open {
        let mut clients = JoinSet::new();
        for user in 0..MAILBOXES {
            let peer = peer.clone();
            clients.spawn(async move {
                for _ in 0..line.repeats() {
                    Client::open(&peer, user).await;
                }
                line.repeats()
            });
        }
        return clients.join_all().await.into_iter().sum();
    }
    each_mailbox(peer, move |mut client, user| async move {
        let mut done = 0;
        for n in 0..line.repeats() {
            done += once(&mut client, line, user, round, n).await;
        }
        done
    })
    .await
}

async fn once(client: &mut Client, line: Line, user: usize, round: usize, n: usize) -> usize {
    // Messages that APPEND added in earlier rounds are left alone.
    let all = format!("1:{MESSAGES}");
    match line {
        Line::Open => return 0,
        Line::Headers => {
            return client.ask(&format!("FETCH {all} (FLAGS UID ENVELOPE RFC822.SIZE)")).await;
        }
        Line::Flags => return client.ask(&format!("FETCH {all} (FLAGS)")).await,
        Line::Bodies => return client.ask(&format!("FETCH {all} (BODY.PEEK[])")).await,
        Line::SearchText => client.ask(&format!("SEARCH {all} TEXT {NEEDLE}")).await,
        Line::SearchHeader => client.ask(&format!("SEARCH {all} HEADER X-Ticket ticket-{n}")).await,
        Line::Store => {
            let sign = if round.is_multiple_of(2) { '+' } else { '-' };
            client.ask(&format!("STORE {} {sign}FLAGS (\\Flagged)", n + 1)).await
        }
        Line::Append => {
            client.append(&message(user, MESSAGES + n)).await;
            1
        }
    };
    1
}

/// A client for each mailbox at once, on an open connection; the sum of what they return.
async fn each_mailbox<F>(peer: &Peer, work: impl Fn(Client, usize) -> F) -> usize
where
    F: Future<Output = usize> + Send + 'static,
{
    let mut clients = JoinSet::new();
    for user in 0..MAILBOXES {
        clients.spawn(work(Client::open(peer, user).await, user));
    }
    clients.join_all().await.into_iter().sum()
}

/// KiB that each of `count` connections takes which are in a mailbox and idle.
pub async fn idle(peer: &Peer, count: usize) -> f64 {
    let before = peer.memory_kib();
    let mut clients = Vec::new();
    for n in 0..count {
        clients.push(Client::open(peer, n % MAILBOXES).await);
    }
    // Until it has settled.
    let mut grown = peer.memory_kib() - before;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = peer.memory_kib() - before;
        if (now - grown).abs() < 100.0 {
            return now / count as f64;
        }
        grown = now;
    }
}
