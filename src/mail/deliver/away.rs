//! Recipients elsewhere: over as few connections as it takes.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::domain::outcome::{Outcome, Reply, Via};
use crate::domain::queue::Source;
use crate::mail::Error;
use crate::mail::deliver::fates::{Fate, in_trouble};
use crate::mail::deliver::local::Here;
use crate::mail::deliver::mta_sts::Policies;
use crate::mail::deliver::mx;
use crate::mail::deliver::parcel::envelope;
use crate::mail::deliver::pool::Pool;
use crate::mail::deliver::route::Way;
use crate::mail::deliver::session::{Dialer, Refused, Session};
use crate::mail::deliver::smarthost;
use crate::mail::deliver::target::Target;
use crate::mail::outcome::{self, Phase, judge, judge_smarthost, tries_next_host};
use crate::mail::queue::{Ended, Queue};
use crate::mail::render::Render;
use crate::mail::reporting::Tally;
use crate::mail::reporting::tls::Sightings;
use crate::mail::warmup::Warmups;
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
    /// Knows what domains say about TLS.
    pub policies: Policies,
    /// Opens connections.
    pub dialer: Dialer,
    /// The port of other mail servers.
    pub port: u16,
    /// Counts how TLS went.
    pub tally: Tally,
    /// Knows our own domains.
    pub here: Here,
    /// Connections that may be used again.
    pub pool: Pool,
    /// Holds back what a young domain may not send today.
    pub warmups: Warmups,
}

/// The way to one destination: its addresses, and the connection that is open.
pub(super) struct Line<'a> {
    away: &'a Away,
    way: &'a Way,
    seen: Sightings,
    targets: Vec<Target>,
    next: usize,
    session: Option<Session>,
    /// Why nobody answered, and when: the messages that wait need not ask again.
    dead: Option<(Unreachable, Instant)>,
}

/// Why a message finds no server, and which one was asked last.
#[derive(Clone)]
struct Unreachable {
    phase: Phase,
    reply: Reply,
    via: Via,
}

/// How long nobody is asked again.
const DEAD: Duration = Duration::from_secs(5);

impl Away {
    /// A line along `way`; nothing is looked up or opened yet.
    pub(super) fn line<'a>(&'a self, way: &'a Way) -> Line<'a> {
        let seen = Sightings::new(Tally::default(), &way.domain);
        let targets = Vec::new();
        Line { away: self, way, seen, targets, next: 0, session: None, dead: None }
    }

    /// Delivers one message to recipients that all go along the line. Whether their
    /// server was well: what it refuses for good reason it may refuse.
    pub(super) async fn deliver(&self, rows: Vec<Leased>, line: &mut Line<'_>) -> bool {
        let started_at = OffsetDateTime::now_utc();
        // Reports about reports would never end, and a smarthost is nobody's server of a domain.
        let tell =
            line.way.smarthost().is_none() && rows.iter().any(|row| row.source != Source::Report);
        let tally = if tell { self.tally.clone() } else { Tally::default() };
        line.seen = Sightings::new(tally, &line.way.domain);
        let rendered = match self.render_first(&rows).await {
            Ok(rendered) => rendered,
            Err(outcome) => {
                self.settle_all(&rows, started_at, &outcome, &Via::default()).await;
                return true;
            }
        };
        let (mut waiting, mut well, mut admitted) = (rows, true, false);
        while !waiting.is_empty() {
            let session = match line.session().await {
                Ok(session) => session,
                Err(Unreachable { phase, reply, via }) => {
                    let outcome = line.judge(phase, reply);
                    self.settle_all(&waiting, started_at, &outcome, &via).await;
                    return phase != Phase::Host;
                }
            };
            let (via, reported) = (session.via().clone(), session.reports());
            let (keeps_time, is_new) = (session.keeps_time(), session.is_new());
            if !admitted {
                waiting = self.warmups.admit(waiting, via.host.as_deref()).await;
                admitted = true;
            }
            if waiting.is_empty() {
                break;
            }
            let rest = waiting.split_off(waiting.len().min(session.most_recipients()));
            let fates =
                session.transact(&envelope(&waiting, self.here.verp()), &rendered.content).await;
            if !is_new && fates.iter().all(|(phase, _)| *phase == Phase::Host) {
                // It was closed since the message before; that says nothing about this one.
                line.session = None;
                waiting.extend(rest);
                continue;
            }
            well &= !fates.iter().any(|(phase, reply)| in_trouble(*phase, reply));
            let (mut again, mut ended) = (Vec::new(), Vec::new());
            for (row, (phase, reply)) in waiting.into_iter().zip(fates) {
                if tries_next_host(phase, &reply) && line.has_more() {
                    again.push(row);
                    continue;
                }
                let (outcome, via) = (line.judge(phase, reply), via.clone());
                let relayed = line.way.smarthost().is_some();
                ended
                    .push((row, Ended { started_at, outcome, via, reported, keeps_time, relayed }));
            }
            self.queue.settle_all(&ended).await;
            self.warmups.note(&ended).await;
            line.after(!again.is_empty()).await;
            again.extend(rest);
            waiting = again;
        }
        well
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
        let ended =
            |row: &Leased| (row.clone(), Ended::here(started_at, outcome.clone(), via.clone()));
        let all: Vec<(Leased, Ended)> = rows.iter().map(ended).collect();
        self.queue.settle_all(&all).await;
    }
}

impl Line<'_> {
    /// The open connection, or one to the next address that takes us.
    ///
    /// # Errors
    /// What the last one said, and where, when none does.
    async fn session(&mut self) -> Result<&mut Session, Unreachable> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.open().await?,
        };
        Ok(self.session.insert(session))
    }

    async fn open(&mut self) -> Result<Session, Unreachable> {
        if let Some((why, at)) = &self.dead
            && at.elapsed() < DEAD
        {
            return Err(why.clone());
        }
        let opened = self.try_open().await;
        self.dead = opened.as_ref().err().map(|why| (why.clone(), Instant::now()));
        opened
    }

    async fn try_open(&mut self) -> Result<Session, Unreachable> {
        let Away { dialer, pool, .. } = self.away;
        if self.next == 0 {
            self.targets = match self.find().await {
                Ok(targets) => targets,
                Err(fate) => {
                    let (phase, reply) = self.unroutable(fate).await;
                    let route = self.way.route.as_ref().map(ToString::to_string);
                    return Err(Unreachable { phase, reply, via: Via { route, ..Via::default() } });
                }
            };
        }
        let reply = outcome::out_of_step("no address is left to try");
        let mut last = Refused { reply, via: Via::default() };
        while let Some(target) = self.targets.get(self.next) {
            if let Some(session) = pool.take(target).await {
                return Ok(session);
            }
            match dialer.open(target, &self.seen).await {
                Ok(session) => return Ok(session),
                Err(refused) => {
                    let code = refused.reply.code;
                    tracing::info!(host = %target.host, at = %target.at, code, "host not usable");
                    last = refused;
                    self.next += 1;
                }
            }
        }
        self.next = 0;
        Err(Unreachable { phase: Phase::Host, reply: last.reply, via: last.via })
    }

    /// The addresses to try.
    async fn find(&self) -> Result<Vec<Target>, Fate> {
        let Away { resolver, policies, dialer, port, .. } = self.away;
        let targets =
            if let (Some(route), Some(smarthost)) = (&self.way.route, self.way.smarthost()) {
                smarthost::targets(resolver, route, smarthost).await?
            } else {
                let (ways, domain) = ((resolver, policies), self.way.domain.as_str());
                mx::targets(ways, domain, &dialer.us, *port, &self.seen).await?
            };
        match &self.way.route {
            Some(route) => smarthost::reachable(targets, route),
            None => Ok(targets),
        }
    }

    /// What a reply on this line means for a message.
    fn judge(&self, phase: Phase, reply: Reply) -> Outcome {
        match self.way.smarthost() {
            Some(_) => judge_smarthost(phase, reply),
            None => judge(phase, reply),
        }
    }

    /// What becomes of mail that finds no server.
    async fn unroutable(&self, fate: Fate) -> Fate {
        match fate.0 {
            Phase::Rcpt => nowhere(fate, self.away.here.is_ours(&self.way.domain).await),
            _ => fate,
        }
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
        if (onward || !usable)
            && let Some(session) = self.session.take()
        {
            session.quit().await;
        }
    }

    /// The connection is left to whoever goes there next.
    pub(super) async fn close(self) {
        if let (Some(session), Some(target)) = (self.session, self.targets.get(self.next)) {
            self.away.pool.put(target, session).await;
        }
    }
}

/// A domain of ours whose mail comes to us, or that has no servers at all: nobody else would know
/// the address.
fn nowhere(fate: Fate, is_ours: Result<bool, Error>) -> Fate {
    match is_ours {
        Ok(true) => (Phase::Rcpt, outcome::unknown_here()),
        Ok(false) => fate,
        Err(error) => {
            tracing::warn!(%error, "whether a domain is ours is not known");
            (Phase::Rcpt, outcome::our_trouble("whose the domain is cannot be looked up"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_refused_while_the_database_does_not_tell_whose_a_domain_is() {
        let fate = || (Phase::Rcpt, outcome::loops_back());
        let code = |is_ours| nowhere(fate(), is_ours).1.enhanced;
        assert_eq!(code(Ok(true)), Some((5, 1, 1)));
        assert_eq!(code(Ok(false)), Some((5, 4, 6)));
        assert_eq!(code(Err(Error::Temporary("gone".to_owned()))), Some((4, 3, 0)));
    }
}
