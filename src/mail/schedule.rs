//! When a deferred message is tried again, and when it is given up.

use std::time::Duration;

use time::OffsetDateTime;

use crate::config;
use crate::domain::deliver_by::{ByMode, DeliverBy};
use crate::domain::queue::Class;

/// The waits between attempts.
#[derive(Clone, Debug)]
pub struct Schedule {
    waits: Vec<Duration>,
    expire: Duration,
    expire_bulk: Duration,
    /// When people are told that it takes long; zero is never.
    delay_notice: Duration,
}

/// What the schedule has to know of a message.
#[derive(Clone, Copy, Debug)]
pub struct Age {
    /// Attempts made, this one included.
    pub attempts: u32,
    /// Bulk is given up sooner.
    pub class: Class,
    /// When it was queued.
    pub queued_at: OffsetDateTime,
    /// Its own end, where it has one.
    pub expires_at: Option<OffsetDateTime>,
    /// The time that its sender set (RFC 2852).
    pub deliver_by: Option<DeliverBy>,
    /// The sender knows that it takes long, or does not want to.
    pub delay_told: bool,
}

/// By which part of it a wait may be shorter or longer, so that what was
/// deferred together does not come back together.
const JITTER: f64 = 0.1;

impl Schedule {
    /// As configured.
    pub fn new(settings: &config::Queue) -> Self {
        Self {
            waits: settings.retry.iter().map(|wait| wait.duration()).collect(),
            expire: settings.expire_after.duration(),
            expire_bulk: settings.expire_bulk_after.duration(),
            delay_notice: settings.delay_notice_after.duration(),
        }
    }

    /// When a message is given up.
    pub fn deadline(&self, age: &Age) -> OffsetDateTime {
        let expire = if age.class == Class::Bulk { self.expire_bulk } else { self.expire };
        let end = age.expires_at.unwrap_or(age.queued_at + expire);
        match age.deliver_by {
            Some(by) if by.mode == ByMode::Return => end.min(by.at),
            _ => end,
        }
    }

    /// When whoever wrote it is told that it takes long: people are, once.
    fn notice(&self, age: &Age) -> Option<OffsetDateTime> {
        let waits = age.class == Class::Personal && !age.delay_told;
        (waits && !self.delay_notice.is_zero()).then(|| age.queued_at + self.delay_notice)
    }

    /// Whether it is time to tell.
    pub fn is_late(&self, age: &Age, now: OffsetDateTime) -> bool {
        self.notice(age).is_some_and(|at| at <= now)
    }

    /// When to try again after an attempt that was deferred at `now`; `None`
    /// when it is time to give up. The last attempt is at the deadline itself.
    ///
    /// `chance` is from 0 to 1.
    pub fn next(&self, age: &Age, now: OffsetDateTime, chance: f64) -> Option<OffsetDateTime> {
        let deadline = self.deadline(age);
        if now >= deadline {
            return None;
        }
        let place = usize::try_from(age.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = self.waits.get(place).or(self.waits.last()).copied().unwrap_or_default();
        let spread = 1.0 + JITTER * (2.0 * chance.clamp(0.0, 1.0) - 1.0);
        // Who is to be told that it is late is told then, and not at the next turn.
        let told = [age.deliver_by.map(|by| by.at), self.notice(age)];
        let due = told.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(deadline);
        Some((now + wait.mul_f64(spread)).min(deadline).min(due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn schedule() -> Schedule {
        Schedule::new(&Config::parse("", |_| None).unwrap().queue)
    }

    fn age(attempts: u32, class: Class) -> Age {
        Age {
            attempts,
            class,
            queued_at: START,
            expires_at: None,
            deliver_by: None,
            delay_told: true,
        }
    }

    #[test]
    fn the_waits_are_those_of_the_manual() {
        let minutes: Vec<i64> = (1..=11)
            .map(|attempts| {
                let next = schedule().next(&age(attempts, Class::Personal), START, 0.5);
                (next.unwrap() - START).whole_minutes()
            })
            .collect();
        assert_eq!(minutes, [1, 5, 15, 30, 60, 120, 240, 240, 480, 480, 480]);
    }

    #[test]
    fn people_are_told_after_four_hours() {
        let hours = |hours| START + Duration::from_hours(hours);
        let personal = Age { delay_told: false, ..age(6, Class::Personal) };
        let three = hours(3);
        assert_eq!(schedule().next(&personal, three, 0.5), Some(hours(4)));
        assert!(!schedule().is_late(&personal, three) && schedule().is_late(&personal, hours(4)));
        let after = schedule().next(&personal, hours(4), 0.5);
        assert_eq!(after, Some(hours(6)));
        let bulk = Age { class: Class::Bulk, ..personal };
        for other in [bulk, age(6, Class::Personal)] {
            assert_eq!(schedule().next(&other, three, 0.5), Some(hours(5)));
            assert!(!schedule().is_late(&other, hours(5)));
        }
        let off = Config::parse("[queue]\ndelay_notice_after = \"0s\"", |_| None).unwrap().queue;
        assert!(!Schedule::new(&off).is_late(&personal, hours(5)));
    }

    #[test]
    fn jitter_is_a_tenth_either_way() {
        let seconds = |chance| {
            let next = schedule().next(&age(1, Class::Personal), START, chance).unwrap();
            (next - START).whole_seconds()
        };
        assert_eq!((seconds(0.0), seconds(1.0), seconds(7.0)), (54, 66, 66));
    }

    #[test]
    fn the_last_attempt_is_at_the_deadline() {
        for (class, hours) in [(Class::Personal, 72), (Class::Transactional, 72), (Class::Bulk, 48)]
        {
            let end = START + Duration::from_hours(hours);
            let before = end - Duration::from_mins(1);
            assert_eq!(schedule().next(&age(20, class), before, 0.5), Some(end));
            assert_eq!(schedule().next(&age(20, class), end, 0.5), None);
        }
        let own = Age { expires_at: Some(START), ..age(1, Class::Personal) };
        assert_eq!(schedule().next(&own, START, 0.5), None);
    }

    #[test]
    fn the_time_that_the_sender_set_is_not_missed() {
        let at = START + Duration::from_secs(20);
        for (mode, after) in [(ByMode::Return, None), (ByMode::Notify, Some(80))] {
            let deliver_by = Some(DeliverBy { at, mode, trace: false });
            let own = Age { deliver_by, ..age(1, Class::Personal) };
            assert_eq!(schedule().next(&own, START, 0.5), Some(at));
            let later = after.map(|seconds| START + Duration::from_secs(seconds));
            assert_eq!(schedule().next(&own, at, 0.5), later, "{mode:?}");
        }
    }
}
