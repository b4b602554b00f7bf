use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::domain::envelope::Notify;
use crate::mail::deliver::envelope::To;

const QUICK: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    reply: Duration::from_secs(5),
    data: Duration::from_secs(5),
    end: Duration::from_secs(5),
};

/// A peer that plays a script: what it must hear next, and what it says then.
/// It hangs up at the end and returns what it heard after the script.
async fn play(mut peer: DuplexStream, script: &[(&str, &str)]) -> String {
    for (expected, answer) in script {
        let mut heard = vec![0; expected.len()];
        peer.read_exact(&mut heard).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), *expected);
        peer.write_all(answer.as_bytes()).await.unwrap();
    }
    peer.shutdown().await.unwrap();
    let mut rest = String::new();
    peer.read_to_string(&mut rest).await.unwrap();
    rest
}

fn envelope(recipients: &[&str]) -> Envelope {
    let to = |address: &&str| To {
        address: (*address).to_owned(),
        notify: Notify::default(),
        orcpt: None,
    };
    Envelope {
        reverse_path: "me@us.example".to_owned(),
        recipients: recipients.iter().map(to).collect(),
        ..Envelope::default()
    }
}

/// Greets, hands over one message, says goodbye.
async fn send(script: &[(&str, &str)], recipients: &[&str]) -> (Vec<(Phase, u16)>, String) {
    let (ours, theirs) = duplex(1 << 16);
    let us = async {
        let mut conversation = Conversation::greet(ours, "us.example", QUICK).await.unwrap();
        let fates = conversation.transact(&envelope(recipients), b"a: b\r\n\r\n.c\r\n").await;
        conversation.quit().await;
        fates.into_iter().map(|(phase, reply)| (phase, reply.code)).collect()
    };
    tokio::join!(us, play(theirs, script))
}

const GREETING: (&str, &str) = ("", "220 them.example\r\n");
const PLAIN: (&str, &str) = ("EHLO us.example\r\n", "250 them.example\r\n");
const PIPELINED: (&str, &str) = ("EHLO us.example\r\n", "250-them.example\r\n250 PIPELINING\r\n");
const CONTENT: &str = "a: b\r\n\r\n..c\r\n.\r\n";

#[tokio::test]
async fn one_command_at_a_time_without_pipelining() {
    let script = [
        GREETING,
        PLAIN,
        ("MAIL FROM:<me@us.example>\r\n", "250 ok\r\n"),
        ("RCPT TO:<a@x>\r\n", "250 ok\r\n"),
        ("RCPT TO:<b@x>\r\n", "550 5.1.1 no\r\n"),
        ("DATA\r\n", "354 go\r\n"),
        (CONTENT, "250 2.0.0 kept\r\n"),
    ];
    let (fates, rest) = send(&script, &["a@x", "b@x"]).await;
    assert_eq!(fates, [(Phase::Content, 250), (Phase::Rcpt, 550)]);
    assert_eq!(rest, "QUIT\r\n");
}

#[tokio::test]
async fn everything_at_once_with_pipelining() {
    let flight = "MAIL FROM:<me@us.example>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n";
    let answers = "250 ok\r\n450 later\r\n250-yes\r\n250 ok\r\n354 go\r\n";
    let script = [GREETING, PIPELINED, (flight, answers), (CONTENT, "554 no\r\n")];
    let (fates, _) = send(&script, &["a@x", "b@x"]).await;
    assert_eq!(fates, [(Phase::Rcpt, 450), (Phase::Content, 554)]);
}

#[tokio::test]
async fn data_that_was_taken_too_soon_carries_nothing() {
    let flight = "MAIL FROM:<me@us.example>\r\nRCPT TO:<a@x>\r\nDATA\r\n";
    let script = [
        GREETING,
        PIPELINED,
        (flight, "250 ok\r\n550 no\r\n354 go\r\n"),
        (".\r\n", "554 nobody\r\n"),
    ];
    let (fates, rest) = send(&script, &["a@x"]).await;
    assert_eq!((fates, rest.as_str()), (vec![(Phase::Rcpt, 550)], "QUIT\r\n"));
}

#[tokio::test]
async fn a_refused_mail_is_refused_for_everybody() {
    let script = [GREETING, PLAIN, ("MAIL FROM:<me@us.example>\r\n", "553 5.7.1 no\r\n")];
    let (fates, rest) = send(&script, &["a@x", "b@x"]).await;
    assert_eq!(fates, [(Phase::Mail, 553), (Phase::Mail, 553)]);
    assert_eq!(rest, "QUIT\r\n");
}

#[tokio::test]
async fn parting_words_count_for_those_still_waiting() {
    let flight = "MAIL FROM:<me@us.example>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n";
    let script = [GREETING, PIPELINED, (flight, "250 ok\r\n550 no\r\n421 4.3.2 closing\r\n")];
    let (fates, rest) = send(&script, &["a@x", "b@x"]).await;
    assert_eq!(fates, [(Phase::Rcpt, 550), (Phase::Rcpt, 421)]);
    assert_eq!(rest, "");
}

#[tokio::test]
async fn a_lost_reply_leaves_the_message_in_doubt() {
    let flight = "MAIL FROM:<me@us.example>\r\nRCPT TO:<a@x>\r\nDATA\r\n";
    let script = [GREETING, PIPELINED, (flight, "250 ok\r\n250 ok\r\n354 go\r\n"), (CONTENT, "")];
    let (fates, rest) = send(&script, &["a@x"]).await;
    assert_eq!((fates, rest.as_str()), (vec![(Phase::Content, 421)], ""));
}

#[tokio::test]
async fn a_second_message_begins_afresh() {
    let (ours, theirs) = duplex(1 << 16);
    let script = [
        GREETING,
        ("EHLO us.example\r\n", "502 what\r\n"),
        ("HELO us.example\r\n", "250 hi\r\n"),
        ("MAIL FROM:<me@us.example>\r\n", "451 4.7.1 later\r\n"),
        ("RSET\r\n", "250 ok\r\n"),
        ("MAIL FROM:<me@us.example>\r\n", "250 ok\r\n"),
        ("RCPT TO:<a@x>\r\n", "250 ok\r\n"),
        ("DATA\r\n", "354 go\r\n"),
        (CONTENT, "250 ok\r\n"),
        ("MAIL FROM:<me@us.example>\r\n", "250 ok\r\n"),
        ("RCPT TO:<a@x>\r\n", "junk\r\n"),
    ];
    let us = async {
        let mut conversation = Conversation::greet(ours, "us.example", QUICK).await.unwrap();
        let mut fates = Vec::new();
        for _ in 0..3 {
            assert!(conversation.is_usable());
            fates.extend(conversation.transact(&envelope(&["a@x"]), b"a: b\r\n\r\n.c\r\n").await);
        }
        assert!(!conversation.is_usable());
        conversation.quit().await;
        fates
    };
    let (fates, rest) = tokio::join!(us, play(theirs, &script));
    let fates: Vec<_> = fates.iter().map(|(phase, reply)| (*phase, reply.code)).collect();
    assert_eq!(fates, [(Phase::Mail, 451), (Phase::Content, 250), (Phase::Data, 421)]);
    assert_eq!(rest, "");
}

#[tokio::test]
async fn more_recipients_than_one_flight_wait_for_data() {
    let recipients: Vec<String> = (0..250).map(|n| format!("r{n}@x")).collect();
    let names: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let mut commands = vec!["MAIL FROM:<me@us.example>\r\n".to_owned()];
    commands.extend(recipients.iter().map(|r| format!("RCPT TO:<{r}>\r\n")));
    let flights: Vec<String> = commands.chunks(FLIGHT).map(<[String]>::concat).collect();
    let answers: Vec<String> =
        commands.chunks(FLIGHT).map(|flight| "250 ok\r\n".repeat(flight.len())).collect();
    let mut script = vec![GREETING, PIPELINED];
    script.extend(flights.iter().zip(&answers).map(|(f, a)| (f.as_str(), a.as_str())));
    script.extend([("DATA\r\n", "354 go\r\n"), (CONTENT, "250 ok\r\n")]);
    let (fates, _) = send(&script, &names).await;
    assert_eq!(fates, vec![(Phase::Content, 250); 250]);
}

#[tokio::test]
async fn a_host_that_turns_us_away_is_told_apart() {
    for (script, code) in [
        (vec![("", "554 no service\r\n")], 554),
        (vec![GREETING, ("EHLO us.example\r\n", "550 you are blocked\r\n")], 550),
        (vec![("", "")], 421),
        (vec![("", "hello\r\n")], 421),
    ] {
        let (ours, theirs) = duplex(1 << 16);
        let us = Conversation::greet(ours, "us.example", QUICK);
        let (greeted, _) = tokio::join!(us, play(theirs, &script));
        assert_eq!(greeted.err().map(|reply| reply.code), Some(code));
    }
}

#[tokio::test]
async fn silence_ends_every_wait() {
    let (ours, _theirs) = duplex(1 << 16);
    let soon = Deadlines { reply: Duration::from_millis(20), ..QUICK };
    let reply = Conversation::greet(ours, "us.example", soon).await.err().unwrap();
    assert_eq!((reply.code, reply.enhanced), (421, Some((4, 4, 2))));
}

#[tokio::test]
async fn starttls_frees_the_connection_or_leaves_it() {
    let offer = ("EHLO us.example\r\n", "250-them\r\n250 STARTTLS\r\n");
    for (answer, freed) in [("220 go\r\n", true), ("454 not now\r\n", false)] {
        let (ours, theirs) = duplex(1 << 16);
        let us = async {
            let conversation = Conversation::greet(ours, "us.example", QUICK).await.unwrap();
            assert!(conversation.offer().starttls);
            conversation.start_tls().await.is_ok()
        };
        let script = [GREETING, offer, ("STARTTLS\r\n", answer)];
        assert_eq!(tokio::join!(us, play(theirs, &script)).0, freed);
    }
}
