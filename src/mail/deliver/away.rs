//! Recipients elsewhere: over as few connections as it takes.

use time::OffsetDateTime;

use crate::domain::outcome::{Outcome, Reply, Via};
use crate::domain::queue::Source;
use crate::mail::deliver::fates::Fate;
use crate::mail::deliver::local::Here;
use crate::mail::deliver::mx::{self, Target};
use crate::mail::deliver::parcel::{Parcel, envelope};
use crate::mail::deliver::session::{Dialer, Session};
use crate::mail::outcome::{self, Phase, judge, tries_next_host};
use crate::mail::queue::{Ended, Queue};
use crate::mail::render::Render;
use crate::mail::reporting::Tally;
use crate::mail::reporting::tls::Sightings;
use crate::net::dns::Resolver;
use crate::store::outbound::Leased;

/// Delivers to other servers. Cheap to clone.
#[derive(Clone)]
pub struct Away {
    /// Records what came of it.
    pub queue: Queue,
    /// Makes the octets.
    pub render: Render,
    /// Finds the servers.
    pub resolver: Resolver,
    /// Opens connections.
    pub dialer: Dialer,
    /// The port of other mail servers.
    pub port: u16,
    /// Counts how TLS went.
    pub tally: Tally,
    /// Knows our own domains.
    pub here: Here,
}

/// The way to one domain: its addresses, and the connection that is open.
struct Line<'a> {
    dialer: &'a Dialer,
    seen: Sightings,
    targets: Vec<Target>,
    next: usize,
    session: Option<Session>,
    /// Why nobody answers: the messages that wait need not ask again.
    dead: Option<Reply>,
}

impl Away {
    /// Delivers rows that all go to `domain`, one message after the other.
    pub async fn deliver(&self, domain: &str, rows: Vec<Leased>) {
        let started_at = OffsetDateTime::now_utc();
        let targets = mx::targets(&self.resolver, domain, &self.dialer.us, self.port).await;
        let targets = match targets {
            Ok(targets) => targets,
            Err(fate) => {
                let (phase, reply) = self.unroutable(domain, fate).await;
                let outcome = judge(phase, reply);
                return self.settle_all(&rows, started_at, &outcome, &Via::default()).await;
            }
        };
        // Reports about reports would never end.
        let tell = rows.iter().any(|row| row.source != Source::Report);
        let tally = if tell { self.tally.clone() } else { Tally::default() };
        let seen = Sightings::new(tally, domain);
        let dialer = &self.dialer;
        let mut line = Line { dialer, seen, targets, next: 0, session: None, dead: None };
        for parcel in Parcel::group(rows) {
            self.send(parcel, &mut line).await;
        }
        line.close().await;
    }

    /// A domain of ours whose mail comes to us, or that has no servers at all:
    /// nobody else would know the address.
    async fn unroutable(&self, domain: &str, fate: Fate) -> Fate {
        if fate.0 == Phase::Rcpt && self.here.is_ours(domain).await {
            return (Phase::Rcpt, outcome::unknown_here());
        }
        fate
    }

    async fn send(&self, parcel: Parcel, line: &mut Line<'_>) {
        let started_at = OffsetDateTime::now_utc();
        let mut waiting = parcel.rows;
        let rendered = match self.render_first(&waiting).await {
            Ok(rendered) => rendered,
            Err(outcome) => {
                return self.settle_all(&waiting, started_at, &outcome, &Via::default()).await;
            }
        };
        while !waiting.is_empty() {
            let session = match line.session().await {
                Ok(session) => session,
                Err((reply, via)) => {
                    let outcome = judge(Phase::Host, reply);
                    return self.settle_all(&waiting, started_at, &outcome, &via).await;
                }
            };
            let (via, reported) = (session.via().clone(), session.reports());
            let keeps_time = session.keeps_time();
            let rest = waiting.split_off(waiting.len().min(session.most_recipients()));
            let fates = session.transact(&envelope(&waiting), &rendered.content).await;
            let mut again = Vec::new();
            for (row, (phase, reply)) in waiting.into_iter().zip(fates) {
                if tries_next_host(phase, &reply) && line.has_more() {
                    again.push(row);
                    continue;
                }
                let (outcome, via) = (judge(phase, reply), via.clone());
                let ended = Ended { started_at, outcome, via, reported, keeps_time };
                self.queue.settle(&row, &ended).await;
            }
            line.after(!again.is_empty()).await;
            again.extend(rest);
            waiting = again;
        }
    }

    async fn render_first(
        &self,
        rows: &[Leased],
    ) -> Result<crate::mail::render::Rendered, Outcome> {
        match rows.first().and_then(|row| Some((row, row.email?))) {
            Some((row, email)) => self.render.render(row, email).await,
            None => Err(Outcome::Deferred(outcome::our_trouble("not composed"))),
        }
    }

    async fn settle_all(
        &self,
        rows: &[Leased],
        started_at: OffsetDateTime,
        outcome: &Outcome,
        via: &Via,
    ) {
        for row in rows {
            let (outcome, via) = (outcome.clone(), via.clone());
            self.queue.settle(row, &Ended::here(started_at, outcome, via)).await;
        }
    }
}

impl Line<'_> {
    /// The open connection, or one to the next address that takes us.
    ///
    /// # Errors
    /// What the last one said, and where, when none does.
    async fn session(&mut self) -> Result<&mut Session, (Reply, Via)> {
        if self.session.is_none() {
            self.session = Some(self.open().await?);
        }
        self.session.as_mut().ok_or_else(|| (outcome::out_of_step("no connection"), Via::default()))
    }

    async fn open(&mut self) -> Result<Session, (Reply, Via)> {
        let mut last =
            self.dead.clone().unwrap_or_else(|| outcome::out_of_step("no address is left to try"));
        let mut via = Via::default();
        if self.dead.is_none() {
            while let Some(target) = self.targets.get(self.next) {
                match self.dialer.open(target, &self.seen).await {
                    Ok(session) => return Ok(session),
                    Err(reply) => {
                        tracing::info!(host = %target.host, at = %target.at, code = reply.code, "host not usable");
                        via = Via {
                            host: Some(target.host.clone()),
                            ip: Some(target.at.ip()),
                            tls: None,
                        };
                        last = reply;
                        self.next += 1;
                    }
                }
            }
            self.dead = Some(last.clone());
        }
        Err((last, via))
    }

    /// Whether there are addresses beyond the one in use.
    fn has_more(&self) -> bool {
        self.next + 1 < self.targets.len()
    }

    /// After a transaction: on to the next address when some recipients need
    /// it, else the connection is kept for the next message.
    async fn after(&mut self, onward: bool) {
        let usable = self.session.as_ref().is_some_and(Session::is_usable);
        if onward {
            self.next += 1;
        } else if !usable {
            self.next = 0;
        }
        if onward || !usable {
            self.close_session().await;
        }
    }

    async fn close_session(&mut self) {
        if let Some(session) = self.session.take() {
            session.quit().await;
        }
    }

    async fn close(mut self) {
        self.close_session().await;
    }
}
