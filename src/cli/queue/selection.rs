//! Which messages are meant.

use std::time::Duration;

use koltrix_mail::config::Span;
use koltrix_mail::domain::queue::State;
use koltrix_mail::store::outbound::Selection;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::Error;
use uuid::Uuid;

/// All conditions together; none of them means everything.
#[derive(clap::Args, Default)]
pub(super) struct Which {
    /// These: an id of `queue list`, or the one that was in our 250.
    ids: Vec<Uuid>,
    /// Of this organisation.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// To this domain.
    #[arg(long)]
    domain: Option<String>,
    /// In this state, such as queued, held or bounced.
    #[arg(long)]
    state: Option<State>,
    /// Queued at least so long ago, such as 90s, 4h or 5d.
    #[arg(long, value_name = "TIME", value_parser = time)]
    older_than: Option<Duration>,
}

impl Which {
    /// As the store takes it.
    pub(super) fn selection(self) -> Selection {
        Selection {
            ids: (!self.ids.is_empty()).then_some(self.ids),
            tenant: self.tenant,
            domain: self.domain.map(|domain| domain.to_lowercase()),
            state: self.state,
            older_than: self.older_than,
        }
    }

    /// Whether nothing was said, which is everything.
    pub(super) fn is_all(&self) -> bool {
        self.ids.is_empty()
            && self.tenant.is_none()
            && self.domain.is_none()
            && self.state.is_none()
            && self.older_than.is_none()
    }
}

/// A time as the configuration writes it.
fn time(text: &str) -> Result<Duration, Error> {
    Ok(Span::deserialize(text.into_deserializer())?.duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saying_nothing_is_everything_and_anything_is_less() {
        assert!(Which::default().is_all());
        let some = [
            Which { ids: vec![Uuid::nil()], ..Which::default() },
            Which { tenant: Some("acme".into()), ..Which::default() },
            Which { domain: Some("Example.ORG".into()), ..Which::default() },
            Which { state: Some(State::Held), ..Which::default() },
            Which { older_than: Some(Duration::ZERO), ..Which::default() },
        ];
        assert!(some.iter().all(|which| !which.is_all()));
        let [_, _, domain, ..] = some;
        assert_eq!(domain.selection().domain.as_deref(), Some("example.org"));
    }

    #[test]
    fn times_are_written_as_in_the_configuration() {
        assert_eq!(time("1h30m").unwrap(), Duration::from_mins(90));
        assert!(time("soon").is_err());
    }
}
