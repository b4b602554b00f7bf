//! One message's way in sentences, for whoever is asked where it is.

use time::Duration;

use super::list::View;
use super::show::Try;
use crate::cli::output::moment;

/// What happened to it, what each server said, and what is next.
pub(super) fn story(message: &View, tries: &[Try]) -> Vec<String> {
    let mut told = vec![beginning(message)];
    let mut since = message.queued_at;
    for one in tries {
        told.push(attempt(one, one.started_at - since));
        since = one.finished_at;
    }
    told.push(ending(message));
    told
}

fn beginning(message: &View) -> String {
    let how = match message.source {
        "submission" => "submitted by a mail program",
        "forward" => "forwarded by a mailbox here",
        "auto_reply" => "an automatic answer of a mailbox here",
        "bounce" => "a notice of this server to a sender",
        "report" => "a report of this server",
        "campaign" => "part of a campaign",
        "sequence" => "part of a sequence",
        _ => "queued by a program",
    };
    let from = match message.sender.as_str() {
        "" => "nobody (it takes no bounces)".to_owned(),
        sender => format!("<{sender}>"),
    };
    let when = moment(message.queued_at);
    format!("{when}: {how}, {} mail from {from} to <{}>.", message.class, message.recipient)
}

fn attempt(one: &Try, waited: Duration) -> String {
    let by = match (&one.host, &one.ip) {
        (Some(host), Some(ip)) => format!("{host} [{ip}]"),
        (Some(host), None) if host == "local" => "the mailbox here".to_owned(),
        (Some(host), None) => host.clone(),
        (None, _) => "this server itself".to_owned(),
    };
    let tls = match &one.tls {
        Some(tls) => format!(" over {tls}"),
        None if one.ip.is_some() => " without TLS".to_owned(),
        None => String::new(),
    };
    let by_route = one.route.as_ref().map(|route| format!(", by the route {route}"));
    let by_route = by_route.unwrap_or_default();
    let meaning = match one.outcome.as_str() {
        "delivered" => "took it",
        "deferred" => "did not take it now",
        _ => "refused it for good",
    };
    let means = one.means.map(|means| format!(" ({means})")).unwrap_or_default();
    let (when, number, waited) = (moment(one.started_at), one.attempt, span(waited));
    format!(
        "{when}: attempt {number}, after {waited}{by_route}: {by}{tls} {meaning}, saying \"{}\"{means}.",
        one.reply
    )
}

fn ending(message: &View) -> String {
    let ended = moment(message.finished_at);
    let why = message.held_reason.as_deref().unwrap_or("nobody said why");
    match message.state {
        "queued" => format!("Next: it is tried at {}.", moment(message.next_attempt_at)),
        "sending" => "Now: it is being delivered.".to_owned(),
        "held" => format!(
            "Now: it is held ({why}). `koltrix-mail queue release {}` lets it go.",
            message.id
        ),
        "sent" | "delivered" => format!("{ended}: it was handed over; nothing is left to do."),
        "bounced" => format!("{ended}: it failed for good; it is not tried again."),
        "expired" => format!("{ended}: its time was over; it is not tried again."),
        "suppressed" => {
            format!("{ended}: not sent, since the recipient is on the suppression list.")
        }
        "cancelled" => format!("{ended}: cancelled by an operator."),
        "complained" => format!("{ended}: it was handed over, and the recipient complained."),
        other => format!("Now: {other}."),
    }
}

/// A time in its largest units, such as `4 h 10 min`.
fn span(time: Duration) -> String {
    let (hours, minutes) = (time.whole_hours(), time.whole_minutes() % 60);
    match (hours, minutes) {
        (..=0, ..=0) => format!("{} s", time.whole_seconds().max(0)),
        (..=0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_told_in_their_largest_units() {
        let told = |seconds| span(Duration::seconds(seconds));
        assert_eq!(told(-3), "0 s");
        assert_eq!(told(59), "59 s");
        assert_eq!(told(125), "2 min");
        assert_eq!(told(3600), "1 h");
        assert_eq!(told(4 * 3600 + 600), "4 h 10 min");
    }

    #[test]
    fn an_attempt_is_told_with_the_words_of_the_server() {
        let one = Try {
            attempt: 2,
            started_at: datetime!(2026-11-23 12:05 UTC),
            finished_at: datetime!(2026-11-23 12:05:01 UTC),
            outcome: "deferred".to_owned(),
            fault: Some("rate"),
            means: Some("they want less mail, or slower"),
            reply: "451 4.7.1 Come again".to_owned(),
            host: Some("mx.b.example".to_owned()),
            ip: Some("192.0.2.7".to_owned()),
            tls: None,
            route: None,
        };
        assert_eq!(
            attempt(&one, Duration::minutes(5)),
            "2026-11-23 12:05Z: attempt 2, after 5 min: mx.b.example [192.0.2.7] without TLS did not take it now, \
             saying \"451 4.7.1 Come again\" (they want less mail, or slower)."
        );
    }
}
