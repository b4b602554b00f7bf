//! How much mail a young domain may send a day, and what changes that.

use time::Date;

use crate::domain::queue::Class;

/// Whether a warm-up goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// The budget follows the schedule.
    Warming,
    /// The budget stays as it is until it is resumed.
    Paused,
    /// The schedule is over: there is no limit.
    Done,
}

impl Status {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warming => "warming",
            Self::Paused => "paused",
            Self::Done => "done",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Warming, Self::Paused, Self::Done]
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| format!("{word} is no state of a warm-up"))
    }
}

/// A warm-up: of a domain towards all receivers or one group of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warmup {
    /// A group of receivers by their MX; `*` is all of them together.
    pub provider: String,
    /// Messages a day, one number for each good day; at least one.
    pub schedule: Vec<u32>,
    /// Which number of the schedule is reached, from 1.
    pub step: u32,
    /// Messages that may go today.
    pub budget: u32,
    /// The day that the counts are of, in UTC.
    pub day: Date,
    /// Attempts begun that day.
    pub sent: u32,
    /// Attempts that receivers put off because of who sends.
    pub deferred: u32,
    /// Complaints that came that day.
    pub complained: u32,
    /// Whether it goes on.
    pub status: Status,
    /// Why the budget is what it is, in words.
    pub reason: String,
}

/// What a day said about the domain's name.
enum Day {
    Complaints,
    Deferrals,
    Quiet,
    Good,
}

/// Complaints in a thousand messages that large receivers take for too many.
const COMPLAINTS: u32 = 3;
/// Deferrals of a hundred attempts that are too many for a day.
const DEFERRALS: u32 = 10;
/// And those that end the day.
const MANY_DEFERRALS: u32 = 25;
/// Fewer deferrals than this say nothing about a day that is not over.
const FEW: u32 = 10;

impl Warmup {
    /// Whether one more message of `class` may go today. People's own mail
    /// always may; bulk leaves a tenth to what is sent for a reason.
    pub fn admits(&self, class: Class) -> bool {
        let limit = match class {
            _ if self.status == Status::Done => return true,
            Class::Personal => return true,
            Class::Transactional => self.budget,
            Class::Bulk => self.bulk(),
        };
        self.sent < limit
    }

    /// Bulk messages that may still go today.
    pub fn free(&self) -> u32 {
        self.bulk().saturating_sub(self.sent)
    }

    fn bulk(&self) -> u32 {
        self.budget - self.budget.div_ceil(10).min(self.budget.saturating_sub(1))
    }

    /// One more that goes, whatever it is.
    pub fn count(&mut self) {
        self.sent = self.sent.saturating_add(1);
    }

    /// Takes in that it is `today`: what the last day said decides the budget.
    /// Whether anything changed.
    pub fn begin(&mut self, today: Date) -> bool {
        if today <= self.day {
            return false;
        }
        if self.status == Status::Warming {
            self.step_on();
        }
        (self.day, self.sent, self.deferred, self.complained) = (today, 0, 0, 0);
        true
    }

    fn step_on(&mut self) {
        let was = self.budget;
        let (sent, deferred, complained) = (self.sent, self.deferred, self.complained);
        match self.judged() {
            Day::Complaints => {
                self.step_back();
                self.reason = format!(
                    "{complained} complaints about {sent} messages: from {was} a day back to {}",
                    self.budget
                );
            }
            Day::Deferrals => {
                self.step_back();
                self.reason = format!(
                    "{deferred} of {sent} attempts were put off: from {was} a day back to {}",
                    self.budget
                );
            }
            Day::Quiet => {
                self.budget = self.scheduled();
                self.reason = format!(
                    "{sent} messages used less than half of {was}: another day of {}",
                    self.budget
                );
            }
            Day::Good if self.step as usize >= self.schedule.len() => {
                self.status = Status::Done;
                "the schedule is over: no limit any more".clone_into(&mut self.reason);
            }
            Day::Good => {
                self.step += 1;
                self.budget = self.scheduled();
                self.reason = format!("a good day with {sent} messages: on to {}", self.budget);
            }
        }
    }

    fn judged(&self) -> Day {
        if self.complained > 0 && share(self.complained, self.sent, 1000) > COMPLAINTS {
            Day::Complaints
        } else if self.deferred > 1 && share(self.deferred, self.sent, 100) > DEFERRALS {
            Day::Deferrals
        } else if self.sent < self.budget / 2 {
            Day::Quiet
        } else {
            Day::Good
        }
    }

    /// One number back, and half of what it was at most.
    fn step_back(&mut self) {
        self.step = self.step.saturating_sub(1).max(1);
        self.budget = self.scheduled().min(self.budget / 2).max(1);
    }

    fn scheduled(&self) -> u32 {
        let place = (self.step as usize).saturating_sub(1);
        self.schedule.get(place).or(self.schedule.last()).copied().unwrap_or(1)
    }

    /// Ends a day that goes wrong before it is over: what has not gone waits.
    /// Whether anything changed.
    pub fn shrink(&mut self) -> bool {
        let deferrals =
            self.deferred >= FEW && share(self.deferred, self.sent, 100) > MANY_DEFERRALS;
        let complaints =
            self.complained > 1 && share(self.complained, self.sent, 1000) > COMPLAINTS;
        if self.status != Status::Warming || self.sent >= self.budget || !(deferrals || complaints)
        {
            return false;
        }
        let (was, what) = (self.budget, if complaints { "complaints" } else { "deferrals" });
        let many = if complaints { self.complained } else { self.deferred };
        self.budget = self.sent;
        self.reason = format!(
            "{many} {what} about {} messages: no more than these today instead of {was}",
            self.sent
        );
        true
    }
}

/// `part` of `whole`, in parts of `of`.
fn share(part: u32, whole: u32, of: u32) -> u32 {
    let share = u64::from(part) * u64::from(of) / u64::from(whole.max(1));
    u32::try_from(share).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    const FIRST: Date = date!(2026 - 11 - 23);

    fn warmup(step: u32, sent: u32, deferred: u32, complained: u32) -> Warmup {
        let schedule = vec![50, 100, 200];
        let budget = schedule[step as usize - 1];
        let (provider, reason, status) = ("*".to_owned(), String::new(), Status::Warming);
        let day = FIRST;
        Warmup { provider, schedule, step, budget, day, sent, deferred, complained, status, reason }
    }

    fn next(mut day: Warmup) -> (u32, u32, Status, String) {
        assert!(day.begin(FIRST.next_day().unwrap()));
        (day.step, day.budget, day.status, day.reason)
    }

    #[test]
    fn a_day_decides_the_next_one_and_says_why() {
        let table = [
            (warmup(1, 45, 1, 0), (2, 100, "a good day with 45 messages: on to 100")),
            (
                warmup(2, 40, 0, 0),
                (2, 100, "40 messages used less than half of 100: another day of 100"),
            ),
            (
                warmup(3, 190, 30, 0),
                (2, 100, "30 of 190 attempts were put off: from 200 a day back to 100"),
            ),
            (
                warmup(2, 90, 0, 1),
                (1, 50, "1 complaints about 90 messages: from 100 a day back to 50"),
            ),
            (
                warmup(1, 45, 20, 0),
                (1, 25, "20 of 45 attempts were put off: from 50 a day back to 25"),
            ),
        ];
        for (day, (step, budget, reason)) in table {
            assert_eq!(next(day), (step, budget, Status::Warming, reason.to_owned()));
        }
        assert_eq!(next(warmup(3, 190, 0, 0)).2, Status::Done);
        let paused = Warmup { status: Status::Paused, ..warmup(2, 90, 90, 9) };
        assert_eq!(next(paused).1, 100);
        assert!(!warmup(1, 45, 0, 0).begin(FIRST));
    }

    #[test]
    fn bulk_waits_first_and_people_never() {
        let at = |sent| {
            let day = warmup(1, sent, 0, 0);
            [Class::Bulk, Class::Transactional, Class::Personal].map(|class| day.admits(class))
        };
        assert_eq!(at(44), [true; 3]);
        assert_eq!(at(45), [false, true, true]);
        assert_eq!(at(50), [false, false, true]);
        assert!(Warmup { status: Status::Done, ..warmup(1, 50, 0, 0) }.admits(Class::Bulk));
    }

    #[test]
    fn a_day_that_goes_wrong_ends_early() {
        let mut bad = warmup(2, 40, 12, 0);
        assert!(bad.shrink() && !bad.shrink());
        assert_eq!((bad.budget, bad.free()), (40, 0));
        assert!(bad.reason.starts_with("12 deferrals about 40 messages"), "{}", bad.reason);
        assert!(!warmup(2, 40, 9, 1).shrink());
        assert!(warmup(2, 40, 0, 2).shrink());
    }

    proptest! {
        #[test]
        fn budgets_stay_within_the_schedule(
            days in proptest::collection::vec((0u32..500, 0u32..500, 0u32..5), 1..40),
        ) {
            let mut warmup = warmup(1, 0, 0, 0);
            for (sent, deferred, complained) in days {
                let before = warmup.budget;
                (warmup.sent, warmup.deferred, warmup.complained) = (sent, deferred, complained);
                let trouble = warmup.complained > 1 || warmup.deferred > warmup.sent.max(1);
                warmup.shrink();
                let tomorrow = warmup.day.next_day().unwrap();
                warmup.begin(tomorrow);
                prop_assert!((1..=200).contains(&warmup.budget));
                prop_assert!((1..=3).contains(&warmup.step) && !warmup.reason.is_empty());
                prop_assert!(!trouble || warmup.status == Status::Done || warmup.budget <= before);
                prop_assert!(warmup.free() < warmup.budget.max(2));
            }
        }
    }
}
