//! What this node has in hand: a lane for each destination, in which people's mail goes first.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config;
use crate::domain::ids::{OutboundId, TenantId};
use crate::domain::queue::Class;
use crate::mail::deliver::parcel::together;
use crate::mail::deliver::route::Way;
use crate::mail::deliver::window::Window;
use crate::mail::queue::Busy;
use crate::store::outbound::Leased;

/// Rows in hand at most.
const ROWS: usize = 2000;
/// Rows that are taken for one lane at once.
pub(super) const ROWS_OF_LANE: usize = 200;
/// A lane with fewer rows may have more.
const REFILL: usize = ROWS_OF_LANE / 2;
/// A destination that takes its mail quickly is given a connection for so many rows.
const ROWS_PER_CONNECTION: usize = 5;
/// One whose mail waits so long is slow: a further connection may help.
const SLOW: Duration = Duration::from_secs(1);
/// Idle lanes that are remembered for their windows.
const REMEMBERED: usize = 10_000;

/// Everything that this node is at.
pub(super) struct Lanes {
    connections: usize,
    per_domain: usize,
    per_tenant: usize,
    per_source: usize,
    /// Told when more may be leased or opened.
    wake: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lanes: HashMap<Way, Lane>,
    /// Deliveries at the moment.
    tenants: HashMap<TenantId, usize>,
    /// Connections from each address that was chosen, and from whichever the system chooses.
    sources: HashMap<Option<IpAddr>, usize>,
    /// Waiting or being delivered, and until when they are this node's.
    rows: HashMap<OutboundId, Instant>,
    running: usize,
    closed: bool,
}

struct Lane {
    window: Window,
    running: usize,
    people: VecDeque<Leased>,
    bulk: VecDeque<Leased>,
    /// When something was last taken out.
    moved: Instant,
}

/// Rows that are being delivered; they are out of hand when this is dropped.
pub(super) struct InDelivery<'a> {
    lanes: &'a Lanes,
    tenant: TenantId,
    ids: Vec<OutboundId>,
}

impl Lanes {
    pub(super) fn new(settings: &config::Queue, wake: Arc<Notify>) -> Self {
        Self {
            wake,
            connections: settings.concurrency.get(),
            per_domain: settings.concurrency_per_domain.get(),
            per_tenant: settings.concurrency_per_tenant.get(),
            per_source: settings.concurrency_per_source.get(),
            state: Mutex::default(),
        }
    }

    /// Rows that there is room for.
    pub(super) fn room(&self) -> usize {
        ROWS.saturating_sub(self.lock().rows.len())
    }

    /// Whether anything waits.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().lanes.values().any(|lane| lane.len() > 0)
    }

    /// Every row in hand.
    pub(super) fn rows(&self) -> Vec<OutboundId> {
        self.lock().rows.keys().copied().collect()
    }

    /// Where enough is waiting already.
    pub(super) fn busy(&self) -> Busy {
        let state = self.lock();
        let mut waiting: HashMap<TenantId, usize> = HashMap::new();
        for row in state.lanes.values().flat_map(Lane::waiting) {
            *waiting.entry(row.tenant).or_default() += 1;
        }
        // A fair lease leaves room for those who come next.
        let tenants = waiting.into_iter().filter(|(_, rows)| *rows >= ROWS / 4);
        // Whether a domain's mail takes a route depends on who sends it.
        let full = |(way, lane): &(&Way, &Lane)| way.route.is_none() && lane.len() >= REFILL;
        Busy {
            domains: state.lanes.iter().filter(full).map(|(way, _)| way.domain.clone()).collect(),
            tenants: tenants.map(|(tenant, _)| tenant).collect(),
        }
    }

    /// Takes in that the leases of these rows last until then.
    pub(super) fn renewed(&self, rows: &[OutboundId], until: Instant) {
        let mut state = self.lock();
        for id in rows {
            state.rows.entry(*id).and_modify(|lease| *lease = until);
        }
    }

    /// Puts rows that are leased until then into their lanes.
    pub(super) fn add(
        &self,
        rows: impl IntoIterator<Item = (Way, Leased)>,
        now: Instant,
        until: Instant,
    ) {
        let mut state = self.lock();
        for (way, row) in rows {
            state.rows.insert(row.id, until);
            let lane = state.lanes.entry(way).or_insert_with(|| Lane::new(self.per_domain, now));
            if lane.len() == 0 {
                lane.moved = now;
            }
            if row.class == Class::Bulk { &mut lane.bulk } else { &mut lane.people }.push_back(row);
        }
    }

    /// The lanes in which one connection more should work from now on; they count as open.
    /// Bulk alone never has more than three quarters of all connections.
    pub(super) fn open(&self, now: Instant) -> Vec<Way> {
        let mut guard = self.lock();
        let State { lanes, tenants, sources, running, .. } = &mut *guard;
        let mut opened = Vec::new();
        let may = |row: &Leased| self.may_have_more(tenants, row);
        for (people, most) in [(true, self.connections), (false, self.most_for_bulk())] {
            for (way, lane) in lanes.iter_mut() {
                let queue = if people { &lane.people } else { &lane.bulk };
                let from = sources.entry(way.source()).or_default();
                let room = |running, from| running < most && from < self.per_source;
                while room(*running, *from) && lane.wants_more(now) && queue.iter().any(may) {
                    lane.running += 1;
                    *from += 1;
                    *running += 1;
                    opened.push(way.clone());
                }
            }
        }
        opened
    }

    fn most_for_bulk(&self) -> usize {
        (self.connections * 3 / 4).max(1)
    }

    fn may_have_more(&self, tenants: &HashMap<TenantId, usize>, row: &Leased) -> bool {
        tenants.get(&row.tenant).is_none_or(|at_once| *at_once < self.per_tenant)
    }

    /// What a connection along `way` delivers next: one message and all its recipients that wait.
    /// `None` when nothing may go now: then the connection is no longer wanted. Rows whose lease
    /// could not be renewed are left alone: another node may be at them.
    pub(super) fn take(&self, way: &Way, now: Instant) -> Option<(Vec<Leased>, InDelivery<'_>)> {
        let mut state = self.lock();
        let State { lanes, tenants, rows: leases, closed, .. } = &mut *state;
        if *closed {
            return None;
        }
        let lane = lanes.get_mut(way)?;
        let before = lane.len();
        for queue in [&mut lane.people, &mut lane.bulk] {
            queue.retain(|row| {
                let is_ours = leases.get(&row.id).is_some_and(|until| now < *until);
                if !is_ours {
                    leases.remove(&row.id);
                }
                is_ours
            });
        }
        let may = |row: &Leased| self.may_have_more(tenants, row);
        let rows = [&mut lane.people, &mut lane.bulk].into_iter().find_map(|queue| {
            let first = queue.iter().position(may)?;
            let first = queue.remove(first)?;
            Some(together(first, queue))
        })?;
        lane.moved = now;
        if before >= REFILL && lane.len() < REFILL {
            self.wake.notify_one();
        }
        let tenant = rows.first()?.tenant;
        *tenants.entry(tenant).or_default() += 1;
        let ids = rows.iter().map(|row| row.id).collect();
        Some((rows, InDelivery { lanes: self, tenant, ids }))
    }

    /// How a delivery along `way` went.
    pub(super) fn saw(&self, way: &Way, well: bool) {
        if let Some(lane) = self.lock().lanes.get_mut(way) {
            if well { lane.window.went_well() } else { lane.window.had_trouble() }
        }
    }

    /// A connection along `way` has no more to do.
    pub(super) fn closed(&self, way: &Way) {
        let mut state = self.lock();
        let mut wanted = state.running >= self.most_for_bulk();
        state.running = state.running.saturating_sub(1);
        if let Some(from) = state.sources.get_mut(&way.source()) {
            wanted |= *from >= self.per_source;
            *from = from.saturating_sub(1);
            if *from == 0 {
                state.sources.remove(&way.source());
            }
        }
        if let Some(lane) = state.lanes.get_mut(way) {
            lane.running = lane.running.saturating_sub(1);
            wanted |= lane.len() > 0;
            if lane.is_idle() && lane.window.is_new() {
                state.lanes.remove(way);
            }
        }
        if wanted {
            self.wake.notify_one();
        }
        if state.lanes.len() > REMEMBERED {
            state.lanes.retain(|_, lane| !lane.is_idle());
        }
    }

    /// Nothing is begun from here on. The rows that wait.
    pub(super) fn close(&self) -> Vec<OutboundId> {
        let mut state = self.lock();
        state.closed = true;
        let ids: Vec<OutboundId> =
            state.lanes.values().flat_map(Lane::waiting).map(|row| row.id).collect();
        for id in &ids {
            state.rows.remove(id);
        }
        state.lanes.clear();
        ids
    }

    /// Nothing here can panic while it holds the lock, so a poisoned one is still right.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn new(most: usize, now: Instant) -> Self {
        let window = Window::new(most);
        Self { window, running: 0, people: VecDeque::new(), bulk: VecDeque::new(), moved: now }
    }

    fn len(&self) -> usize {
        self.people.len() + self.bulk.len()
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && self.len() == 0
    }

    fn waiting(&self) -> impl Iterator<Item = &Leased> {
        self.people.iter().chain(&self.bulk)
    }

    fn wants_more(&self, now: Instant) -> bool {
        let slow = now.saturating_duration_since(self.moved) >= SLOW;
        self.running < self.window.size()
            && self.len() > 0
            && (self.running == 0 || self.len() > self.running * ROWS_PER_CONNECTION || slow)
    }
}

impl Drop for InDelivery<'_> {
    fn drop(&mut self) {
        let Lanes { per_tenant, wake, .. } = self.lanes;
        let mut state = self.lanes.lock();
        let was_full = ROWS - ROWS_OF_LANE < state.rows.len();
        for id in &self.ids {
            state.rows.remove(id);
        }
        if was_full && state.rows.len() <= ROWS - ROWS_OF_LANE {
            wake.notify_one();
        }
        if let Some(at_once) = state.tenants.get_mut(&self.tenant) {
            if *at_once == *per_tenant {
                wake.notify_one();
            }
            *at_once = at_once.saturating_sub(1);
            if *at_once == 0 {
                state.tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests;
