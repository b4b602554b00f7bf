//! Discussions as they really come: parents that are missing or late, clients that drop References,
//! lists that put their name into subjects, prefixes of many languages, subjects that change, and
//! subjects that many people write about.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::Scene;
use crate::support::sql::strings;

/// One message, in the order of arrival.
struct Mail {
    /// The conversation it belongs to.
    conversation: &'static str,
    /// Its number; the Message-ID is made of it.
    number: u32,
    /// What it answers; that may be nowhere here.
    answers: Option<u32>,
    /// Which fields say so.
    says: Says,
    from: &'static str,
    /// Separated by spaces. `bob` is the mailbox.
    to: &'static str,
    subject: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// References and In-Reply-To.
    All,
    /// In-Reply-To alone.
    Parent,
    /// Neither: the client drops them.
    Nothing,
}

use Says::{All, Nothing, Parent};

type Row = (&'static str, u32, u32, Says, &'static str, &'static str, &'static str);

/// Conversation, number, what is answered (0 is nothing), From, To, Subject.
const ROWS: &[Row] = &[
    // Two people, from the first word to the last.
    ("offer", 1, 0, All, "ann@shop.test", "bob", "Offer for 200 chairs"),
    ("roof", 2, 0, All, "meg@house.test", "bob joe@tiles.test", "The roof leaks again"),
    ("offer", 3, 1, All, "joe@shop.test", "bob ann@shop.test", "Re: Offer for 200 chairs"),
    ("offer", 4, 3, All, "ann@shop.test", "bob joe@shop.test", "Re: Offer for 200 chairs"),
    ("roof", 5, 2, All, "joe@tiles.test", "meg@house.test bob", "AW: The roof leaks again"),
    ("roof", 6, 5, Parent, "meg@house.test", "joe@tiles.test bob", "Re: AW: The roof leaks again"),
    // Forwarded and taken up with prefixes of other languages.
    (
        "roof",
        7,
        6,
        Nothing,
        "joe@tiles.test",
        "meg@house.test bob",
        "WG: Re: AW: The roof leaks again",
    ),
    ("fair", 8, 0, All, "eva@messe.test", "bob ole@stand.test", "Stand 14 at the fair"),
    ("fair", 9, 8, Nothing, "ole@stand.test", "eva@messe.test bob", "SV: Stand 14 at the fair"),
    (
        "fair",
        10,
        9,
        Nothing,
        "eva@messe.test",
        "ole@stand.test bob",
        "Antw: SV: Stand 14 at the fair",
    ),
    (
        "fair",
        11,
        10,
        All,
        "ole@stand.test",
        "eva@messe.test bob",
        "VS: Antw: SV: Stand 14 at the fair",
    ),
    // A list that writes its name into subjects, and not always in the same place.
    (
        "list-crash",
        12,
        0,
        All,
        "uma@one.test",
        "dev@lists.test",
        "[dev] Crash when the disk is full",
    ),
    (
        "list-crash",
        13,
        12,
        All,
        "vic@two.test",
        "dev@lists.test",
        "Re: [dev] Crash when the disk is full",
    ),
    (
        "list-crash",
        14,
        13,
        Parent,
        "uma@one.test",
        "dev@lists.test",
        "[dev] Re: Crash when the disk is full",
    ),
    (
        "list-crash",
        15,
        12,
        Nothing,
        "wim@three.test",
        "dev@lists.test",
        "Re: [dev] Crash when the disk is full",
    ),
    ("list-release", 16, 0, All, "vic@two.test", "dev@lists.test", "[dev] Release 2.0"),
    (
        "list-release",
        17,
        16,
        All,
        "uma@one.test",
        "dev@lists.test vic@two.test",
        "RE: [dev] Release 2.0",
    ),
    // A subject that changes on the way.
    (
        "list-release",
        18,
        17,
        All,
        "wim@three.test",
        "dev@lists.test",
        "Signing keys (was: Re: [dev] Release 2.0)",
    ),
    (
        "list-release",
        19,
        18,
        All,
        "vic@two.test",
        "dev@lists.test",
        "Re: Signing keys (was: Re: [dev] Release 2.0)",
    ),
    // The first message never came here.
    ("lost", 20, 900, All, "pat@law.test", "bob kim@law.test", "Re: Contract, second draft"),
    ("lost", 21, 20, All, "kim@law.test", "bob pat@law.test", "Re: Contract, second draft"),
    ("lost", 22, 900, All, "sue@law.test", "bob pat@law.test", "Re: Contract, second draft"),
    // It comes last.
    ("late", 23, 25, All, "tom@trip.test", "bob ina@trip.test", "Re: Who drives?"),
    ("late", 24, 23, All, "ina@trip.test", "bob tom@trip.test", "Re: Who drives?"),
    ("late", 25, 0, All, "ina@trip.test", "bob tom@trip.test", "Who drives?"),
    // Many people write about the same, and each for themselves.
    ("invoice-a", 26, 0, All, "acc@a.test", "bob", "Invoice"),
    ("invoice-b", 27, 0, All, "acc@b.test", "bob", "Invoice"),
    ("invoice-c", 28, 0, All, "acc@c.test", "bob", "Invoice"),
    ("invoice-b", 29, 901, All, "acc@b.test", "bob", "Re: Invoice"),
    ("invoice-b", 30, 27, All, "pay@b.test", "bob acc@b.test", "Re: Invoice"),
    ("invoice-a", 31, 26, Nothing, "pay@a.test", "bob acc@a.test", "Re: Invoice"),
    ("hello-d", 32, 0, All, "dan@d.test", "bob", "hello"),
    ("hello-e", 33, 902, All, "eli@e.test", "bob", "Re: hello"),
    // A weekly report is a new conversation each week.
    ("weekly-1", 34, 0, All, "rob@ops.test", "bob", "Weekly report"),
    ("weekly-2", 35, 0, All, "rob@ops.test", "bob", "Weekly report"),
    ("weekly-2", 36, 35, All, "bea@ops.test", "rob@ops.test bob", "Re: Weekly report"),
    ("weekly-3", 37, 0, All, "rob@ops.test", "bob", "Weekly report"),
    // Tickets whose tags are all that tells them apart.
    ("ticket-1", 38, 0, All, "bugs@track.test", "bob", "[Bug 1001] The window is too small"),
    ("ticket-2", 39, 0, All, "bugs@track.test", "bob", "[Bug 1002] The window is too small"),
    ("ticket-1", 40, 38, All, "bugs@track.test", "bob", "[Bug 1001] The window is too small"),
    // Prefixes with counters, wide colons, and none but the prefix.
    ("count", 41, 0, All, "lee@far.test", "bob mao@far.test", "Shipment 7"),
    ("count", 42, 41, Nothing, "mao@far.test", "lee@far.test bob", "Re[2]: Shipment 7"),
    (
        "count",
        43,
        42,
        Nothing,
        "lee@far.test",
        "mao@far.test bob",
        "\u{56de}\u{590d}\u{ff1a}Shipment 7",
    ),
    ("empty-1", 44, 0, All, "zoe@z.test", "bob", "Re:"),
    ("empty-2", 45, 0, All, "zac@z.test", "bob zoe@z.test", "Re:"),
];

/// The archive.
fn archive() -> impl Iterator<Item = Mail> {
    ROWS.iter().map(|&(conversation, number, answers, says, from, to, subject)| Mail {
        conversation,
        number,
        answers: (answers != 0).then_some(answers),
        says,
        from,
        to,
        subject,
    })
}

/// Of all pairs of messages, how many are together that belong together.
#[derive(Debug, Default)]
struct Pairs {
    right: usize,
    wrong: usize,
    missing: usize,
}

impl Pairs {
    /// `(conversation, thread)` of each message.
    fn count(messages: &[(&str, String)]) -> Self {
        let mut pairs = Self::default();
        for (n, one) in messages.iter().enumerate() {
            for other in &messages[n + 1..] {
                match (one.0 == other.0, one.1 == other.1) {
                    (true, true) => pairs.right += 1,
                    (false, true) => pairs.wrong += 1,
                    (true, false) => pairs.missing += 1,
                    (false, false) => {}
                }
            }
        }
        pairs
    }

    /// Of what is together, in percent, what belongs together.
    fn precision(&self) -> usize {
        self.right * 100 / (self.right + self.wrong)
    }

    /// Of what belongs together, in percent, what is together.
    fn recall(&self) -> usize {
        self.right * 100 / (self.right + self.missing)
    }
}

/// Delivers the archive; the thread of each message.
async fn threaded(with_references: bool) -> Vec<(&'static str, String)> {
    let scene = Scene::new().await;
    let here = scene.tenant.domain.clone();
    let mut references: HashMap<u32, String> = HashMap::new();
    let mut smtp = scene.smtp().await;
    for mail in archive() {
        let parent = mail.answers.map(|n| format!("<{n}@{here}>"));
        let before = mail.answers.and_then(|n| references.get(&n).cloned());
        let chain =
            format!("{} {}", before.unwrap_or_default(), parent.clone().unwrap_or_default());
        let chain = chain.trim().to_owned();
        references.insert(mail.number, chain.clone());
        let mut fields = String::new();
        if let Some(parent) = parent.filter(|_| with_references && mail.says != Says::Nothing) {
            let _ = write!(fields, "In-Reply-To: {parent}\r\n");
            if mail.says == Says::All {
                let _ = write!(fields, "References: {chain}\r\n");
            }
        }
        let to: Vec<&str> = mail
            .to
            .split(' ')
            .map(|to| if to == "bob" { scene.bob.as_str() } else { to })
            .collect();
        let text = format!(
            "From: <{}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@{here}>\r\n{fields}\r\nHello.\r\n",
            mail.from,
            to.join(", "),
            mail.subject,
            mail.number
        );
        smtp.deliver(mail.from, &[&scene.bob], text.as_bytes()).await;
    }
    let query = "SELECT split_part(message_id, '@', 1) || ' ' || thread_id FROM {s}.emails";
    let threads: HashMap<String, String> = strings(scene.pool(), &scene.filled(query))
        .await
        .iter()
        .map(|row| row.split_once(' ').unwrap())
        .map(|(number, thread)| (number.to_owned(), thread.to_owned()))
        .collect();
    archive().map(|mail| (mail.conversation, threads[&mail.number.to_string()].clone())).collect()
}

#[tokio::test]
async fn an_archive_falls_into_its_conversations() {
    let messages = threaded(true).await;
    let pairs = Pairs::count(&messages);
    println!(
        "threads, with References: {pairs:?}, precision {} %, recall {} %",
        pairs.precision(),
        pairs.recall()
    );
    assert_eq!((pairs.wrong, pairs.missing), (0, 0), "{pairs:?} {messages:#?}");
}

#[tokio::test]
async fn without_references_what_is_together_belongs_together() {
    let messages = threaded(false).await;
    let pairs = Pairs::count(&messages);
    println!(
        "threads, without References: {pairs:?}, precision {} %, recall {} %",
        pairs.precision(),
        pairs.recall()
    );
    assert!(pairs.precision() >= 95 && pairs.recall() >= 75, "{pairs:?} {messages:#?}");
}
