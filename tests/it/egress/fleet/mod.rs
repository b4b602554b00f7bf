//! Two hundred destinations of every kind, and what becomes of 5,000 messages to them.

mod kinds;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kinds::Kind;
use rustix::process::Signal;
use sqlx::PgPool;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::cli::{Program, serve::Running};
use crate::support::dns::Dns;
use crate::support::policy_server::{self, PolicyServer};
use crate::support::postgres;
use crate::support::remote_mx::{RemoteMx, trusted_roots};
use crate::support::wait;

const DESTINATIONS: usize = 200;
const MESSAGES: usize = 25;

/// Somebody else's servers, and a database with mail for them.
struct Fleet {
    dns: Dns,
    port: u16,
    servers: Vec<Destination>,
    url: String,
    pool: PgPool,
    /// There is one fleet at a time: each keeps the whole machine busy.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::const_new(());

struct Destination {
    domain: String,
    kind: Kind,
    mx: Option<RemoteMx>,
    _policy: Option<PolicyServer>,
}

/// A row as it ended.
struct Ended {
    recipient: String,
    recipient_domain: String,
    state: String,
    last_enhanced: Option<String>,
    /// Attempts after which nobody knows whether the message arrived.
    in_doubt: i64,
}

impl Fleet {
    async fn start() -> Self {
        let alone = ALONE.lock().await;
        let dns = Dns::start().await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut servers = Vec::new();
        for n in 0..DESTINATIONS {
            let kind = Kind::ALL[n % Kind::ALL.len()];
            let domain = format!("fleet{n}.test");
            let host = format!("mx.{domain}");
            // A network of their own for each fleet, since they share a port.
            let ip = Ipv4Addr::new(127, 78, 0, u8::try_from(n + 1).unwrap());
            let mx = kind.start(SocketAddr::new(IpAddr::V4(ip), port), &host).await;
            match mx {
                Some(_) => dns.mx(&domain, 10, &host).ip(&host, IpAddr::V4(ip)),
                None => dns.mx(&domain, 0, "."),
            };
            let policy = if kind.has_policy() {
                Some(PolicyServer::start(&dns, &domain, "enforce", &host).await)
            } else {
                None
            };
            servers.push(Destination { domain, kind, mx, _policy: policy });
        }
        let url = postgres::empty_database().await;
        let pool = PgPool::connect(&url).await.unwrap();
        Self { dns, port, servers, url, pool, _alone: alone }
    }

    /// A node of ours that does nothing but send.
    async fn node(&self) -> (Program, Running) {
        let program = Program::with(&format!(
            "[server]\nhostname = \"mx.koltrix.test\"\ndata_dir = \"data\"\ncerts_dir = \"certs\"\nlog_filter = \"error\"\n\
             [metrics]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = {:?}\n[dns]\nservers = [\"{}\"]\n\
             [queue]\nsmtp_port = {}\nmta_sts_port = {}\ntrusted_roots = {:?}\nretry = [\"1s\"]\nlease = \"6s\"\n\
             [timeouts]\nremote_connect = \"5s\"\nremote_reply = \"3s\"\nremote_end = \"5s\"\n",
            self.url,
            self.dns.addr(),
            self.port,
            policy_server::port(),
            trusted_roots(),
        ));
        // All nodes of one database have one.
        std::fs::create_dir(program.path("data")).unwrap();
        std::fs::write(program.path("data/master.key"), [7; 32]).unwrap();
        let running = Running::start_by(&program, "serve --roles worker").await;
        (program, running)
    }

    /// An organisation whose mail is signed, and its mail.
    async fn queue(&self) -> Uuid {
        let tenant = postgres::organisation(&self.pool).await.id;
        sqlx::query("INSERT INTO tenant_domains (tenant_id, domain, verified_at) VALUES ($1, 'fleet.test', now())")
            .bind(tenant)
            .execute(&self.pool)
            .await
            .unwrap();
        wait::for_keys(&self.pool, "fleet.test").await;
        let domains: Vec<&str> = self.servers.iter().map(|server| &*server.domain).collect();
        // Who waits for what never comes need not wait for days.
        let hopeless: Vec<bool> =
            self.servers.iter().map(|server| server.kind.is_hopeless()).collect();
        sqlx::query(
            "INSERT INTO outbound_messages (tenant_id, from_address, recipient, subject, text_body, expires_at)
             SELECT $1, 'ann@fleet.test', 'r' || n || '@' || d.domain, 'To ' || n, repeat('A line of text.' || chr(10), 20),
                CASE WHEN d.hopeless THEN now() + interval '20 seconds' END
             FROM generate_series(0, $4 - 1) n, unnest($2::text[], $3::boolean[]) d (domain, hopeless)",
        )
        .bind(tenant)
        .bind(domains)
        .bind(hopeless)
        .bind(i32::try_from(MESSAGES).unwrap())
        .execute(&self.pool)
        .await
        .unwrap();
        tenant
    }

    /// Waits until a question is answered with yes.
    async fn until(&self, what: &str, limit: Duration, question: &'static str) {
        let asked = async || sqlx::query_scalar(question).fetch_one(&self.pool).await.unwrap();
        let reached = wait::within(limit, async || Some(asked().await).filter(|yes| *yes)).await;
        if reached.is_none() {
            let left: Vec<(String, String, i64)> = sqlx::query_as(
                "SELECT state, recipient_domain, count(*) FROM outbound_messages
                 WHERE state IN ('queued', 'sending') GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20",
            )
            .fetch_all(&self.pool)
            .await
            .unwrap();
            panic!("{what}: not within {limit:?}; left: {left:?}");
        }
    }

    async fn until_all_ended(&self) {
        let question = "SELECT NOT EXISTS (SELECT 1 FROM outbound_messages WHERE state IN ('queued', 'sending'))";
        self.until("everything ended", Duration::from_mins(10), question).await;
    }

    async fn ended(&self) -> Vec<Ended> {
        let rows: Vec<(String, String, String, Option<String>, i64)> = sqlx::query_as(
            "SELECT o.recipient, o.recipient_domain, o.state, o.last_enhanced,
                (SELECT count(*) FROM delivery_attempts a WHERE a.outbound_message_id = o.id
                    AND (a.enhanced = '4.4.2' OR a.reply LIKE 'the server stopped during this attempt%')) AS in_doubt
             FROM outbound_messages o WHERE o.source = 'api'",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(recipient, recipient_domain, state, last_enhanced, in_doubt)| Ended {
                recipient,
                recipient_domain,
                state,
                last_enhanced,
                in_doubt,
            })
            .collect()
    }

    /// Every recipient is where its server's kind says, and has its message once; twice only
    /// where a reply was lost. How many did, by kind.
    async fn assert_all_right(&self) -> BTreeMap<Kind, i64> {
        let rows = self.ended().await;
        assert_eq!(rows.len(), DESTINATIONS * MESSAGES);
        let mut wrong = Vec::new();
        let mut doubles: BTreeMap<Kind, i64> = BTreeMap::new();
        for server in &self.servers {
            let came = server.came();
            if server.kind == Kind::KeepsItsPolicy {
                assert!(server.mx.iter().flat_map(RemoteMx::messages).all(|message| message.tls));
            }
            for row in rows.iter().filter(|row| row.recipient_domain == server.domain) {
                let times = came.get(&row.recipient).copied().unwrap_or(0);
                let (state, enhanced) = server.kind.expected(&row.recipient);
                let delivered = state == "delivered";
                let right = row.state == state
                    && (enhanced.is_empty() || row.last_enhanced.as_deref() == Some(enhanced))
                    && (times >= i64::from(delivered))
                    && (times <= i64::from(delivered) + row.in_doubt);
                if !right {
                    wrong.push(format!(
                        "{:?} {}: {} {:?}, came {times} times, {} in doubt",
                        server.kind, row.recipient, row.state, row.last_enhanced, row.in_doubt
                    ));
                }
                if times > 1 {
                    *doubles.entry(server.kind).or_default() += times - 1;
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
        doubles
    }
}

impl Destination {
    /// How often each recipient's message came whole, answered or not.
    fn came(&self) -> BTreeMap<String, i64> {
        let mut came = BTreeMap::new();
        for message in self.mx.iter().flat_map(RemoteMx::messages) {
            for to in message.rcpt_to {
                let address = to.trim_start_matches('<').split('>').next().unwrap().to_owned();
                *came.entry(address).or_default() += 1;
            }
        }
        came
    }
}

#[tokio::test]
async fn every_message_ends_where_it_should() {
    let fleet = Fleet::start().await;
    let (_data, node) = fleet.node().await;
    fleet.queue().await;
    fleet.until_all_ended().await;
    let doubles = fleet.assert_all_right().await;
    assert_eq!(doubles.keys().collect::<Vec<_>>(), [&Kind::DropsAfterTheDot]);
    node.end(Signal::TERM).await;
}

#[tokio::test]
async fn two_nodes_share_the_messages_also_when_one_is_killed() {
    let fleet = Fleet::start().await;
    let (_first_data, first) = fleet.node().await;
    let (_second_data, second) = fleet.node().await;
    fleet.queue().await;
    let some = "SELECT count(*) > 1000 FROM outbound_messages WHERE state = 'delivered'";
    fleet.until("a thousand delivered", Duration::from_mins(5), some).await;
    first.end(Signal::KILL).await;
    fleet.until_all_ended().await;
    fleet.assert_all_right().await;
    second.end(Signal::TERM).await;
}
