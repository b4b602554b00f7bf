//! Random commands of several sessions on two servers over one database, while both deliver:
//! every client that only follows what it is told ends with what is true.
//!
//! `KOLTRIX_MODEL_SEEDS` is how many runs there are; a failure names its seed, and
//! `KOLTRIX_MODEL_FIRST` begins with that one.

mod client;
mod random;
pub(super) mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use client::Client;
use random::Random;
use tokio::task::JoinSet;

use super::nodes::node;
use crate::support::imap::Imap;
use crate::support::open_folder;
use crate::support::server::{PASSWORD, server};

/// Commands in one run.
const STEPS: usize = 60;
/// Messages that are delivered meanwhile by each server.
const DELIVERED: usize = 4;

/// UIDs and flags, without `\Recent`.
pub(super) type Mailbox = BTreeMap<u32, BTreeSet<String>>;

/// What all sessions of a run share.
struct Run {
    ann: String,
    servers: [SocketAddr; 2],
    random: Random,
    clients: Vec<Client>,
    /// What the commands made of the flags.
    expected: Mailbox,
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn who_follows_what_is_told_knows_what_is_true() {
    let folder = open_folder();
    let other = node(folder.path(), |_| {}).await;
    let servers = [server().await.at.imap_tls.unwrap(), other.addresses.imap_tls.unwrap()];
    let first = from_environment("KOLTRIX_MODEL_FIRST", 1);
    for seed in first..first + from_environment("KOLTRIX_MODEL_SEEDS", 2) {
        println!("seed {seed}");
        Run::new(servers, seed).await.all().await;
    }
    other.stop().await;
}

impl Run {
    async fn new(servers: [SocketAddr; 2], seed: u64) -> Self {
        let ann = server().await.tenant().await.mailbox("ann").await;
        let mut run = Self {
            ann,
            servers,
            random: Random(seed),
            clients: Vec::new(),
            expected: Mailbox::new(),
        };
        let mut imap = run.login(0).await;
        for n in 0..5 {
            imap.put("INBOX", "", &format!("first{n}")).await;
        }
        for n in 0..4 {
            let client = Client::open(run.login(n % 2).await, n >= 2).await;
            run.clients.push(client);
        }
        run.expected = truth(&mut imap).await;
        run
    }

    async fn login(&self, server: usize) -> Imap {
        let mut imap = Imap::greeted_tls(self.servers[server]).await;
        imap.brings(&format!("LOGIN {} \"{PASSWORD}\"", self.ann)).await;
        imap
    }

    async fn all(mut self) {
        let deliveries = self.deliver();
        for _ in 0..STEPS {
            self.step().await;
        }
        deliveries.join_all().await;
        let truth = truth(&mut self.login(0).await).await;
        for (uid, flags) in &self.expected {
            assert_eq!(truth.get(uid), Some(flags), "message {uid}");
        }
        for n in 0..self.clients.len() {
            if self.clients[n].resyncs {
                self.come_back(n).await;
            }
            let client = &mut self.clients[n];
            client.says("NOOP").await;
            client.looks_at_new().await;
            assert_eq!(client.believes(), truth, "client {n}");
        }
    }

    /// Both servers take messages while the sessions talk.
    fn deliver(&self) -> JoinSet<()> {
        let mut deliveries = JoinSet::new();
        for (n, &address) in self.servers.iter().enumerate() {
            let login = format!("LOGIN {} \"{PASSWORD}\"", self.ann);
            deliveries.spawn(async move {
                let mut imap = Imap::greeted_tls(address).await;
                imap.brings(&login).await;
                for i in 0..DELIVERED {
                    imap.put("INBOX", "", &format!("delivered{n}-{i}")).await;
                }
            });
        }
        deliveries
    }

    /// One command of one client.
    async fn step(&mut self) {
        let n = self.random.below(self.clients.len());
        let uids: Vec<u32> = self.clients[n].known().into_iter().collect();
        let some = (!uids.is_empty()).then(|| uids[self.random.below(uids.len())]);
        match (self.random.below(10), some) {
            (0..4, Some(uid)) => self.store(n, uid).await,
            (4, Some(_)) => self.expunge(n).await,
            (5, Some(uid)) => self.r#move(n, uid).await,
            (6, _) => self.clients[n].looks_at_new().await,
            (7, _) => self.clients[n].says("NOOP").await,
            (8, _) if self.clients[n].resyncs => self.come_back(n).await,
            _ => self.clients[n].says("FETCH 1:* (UID FLAGS)").await,
        }
    }

    async fn store(&mut self, n: usize, uid: u32) {
        let flag = ["\\Seen", "\\Flagged", "\\Deleted", "kw"][self.random.below(4)].to_owned();
        let add = self.random.below(3) > 0;
        let silent = if self.random.below(2) == 0 { ".SILENT" } else { "" };
        let sign = if add { '+' } else { '-' };
        self.clients[n].stores(uid, &format!("{sign}FLAGS{silent} ({flag})"), &flag, add).await;
        if let Some(flags) = self.expected.get_mut(&uid) {
            if add {
                flags.insert(flag)
            } else {
                flags.remove(&flag)
            };
        }
    }

    async fn expunge(&mut self, n: usize) {
        self.clients[n].says("EXPUNGE").await;
        self.expected.retain(|_, flags| !flags.contains("\\Deleted"));
    }

    async fn r#move(&mut self, n: usize, uid: u32) {
        self.clients[n].says(&format!("UID MOVE {uid} Archive")).await;
        self.expected.remove(&uid);
    }

    /// The client goes away and comes back, perhaps to the other server.
    async fn come_back(&mut self, n: usize) {
        let server = self.random.below(2);
        let imap = self.login(server).await;
        self.clients[n].comes_back(imap).await;
    }
}

/// INBOX as a session sees it that knows nothing.
async fn truth(imap: &mut Imap) -> Mailbox {
    imap.brings("EXAMINE INBOX").await;
    let told = imap.run("FETCH 1:* (UID FLAGS)").await.untagged;
    told.iter()
        .filter_map(|line| told::fetch(line))
        .map(|f| (f.uid.unwrap(), f.flags.unwrap()))
        .collect()
}
