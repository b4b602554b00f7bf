use super::*;
use proptest::prelude::*;
use smtp_proto::Request;

fn ok(line: &str) -> Command {
    parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

fn refused(line: &str) -> SyntaxError {
    match parse(line.as_bytes()) {
        Err(error) => error,
        Ok(command) => panic!("{line:?}: {command:?}"),
    }
}

#[test]
fn knows_the_verbs_in_any_case() {
    for (line, command) in [
        ("data", Command::Data),
        ("DATA  ", Command::Data),
        ("RSET", Command::Rset),
        ("noop what ever", Command::Noop),
        ("Quit", Command::Quit),
        ("VRFY ann", Command::Vrfy),
        ("EXPN", Command::Expn),
        ("HELP MAIL", Command::Help),
        ("starttls", Command::StartTls),
        ("LHLO x", Command::Lhlo),
        ("BDAT 0", Command::Bdat { size: 0, last: false }),
        ("bdat 12 last", Command::Bdat { size: 12, last: true }),
        ("EHLO mx.example.org", Command::Ehlo("mx.example.org".to_owned())),
        ("HELO [IPv6:2001:db8::1]", Command::Helo("[IPv6:2001:db8::1]".to_owned())),
    ] {
        assert_eq!(ok(line), command);
    }
}

#[test]
fn arguments_where_none_belong_are_refused() {
    for line in ["DATA x", "RSET x", "QUIT x", "STARTTLS x", "VRFY"] {
        assert!(matches!(refused(line), SyntaxError::Arguments(_)), "{line}");
    }
    for line in ["", " ", " EHLO x", "ETRN x", "DATA\u{a0}", "MAILFROM:<>", "BDAT1", "EHLO:x"] {
        assert_eq!(refused(line), SyntaxError::Verb, "{line:?}");
    }
}

#[test]
fn control_characters_are_refused_anywhere() {
    for line in ["NOOP \0", "NOOP \t", "DATA\r", "MAIL FROM:<a\u{7f}@b.c>", "EHLO x\ny"] {
        assert_eq!(refused(line), SyntaxError::Text, "{line:?}");
    }
    assert_eq!(parse(b"NOOP \xff"), Err(SyntaxError::Text));
}

#[test]
fn a_client_name_cannot_carry_syntax() {
    for name in ["", "a b", "a(b)", "a;b", "[a", "a]", "[a b]", "[<x>]", "-a", "a..b", "bücher.de"]
    {
        assert!(matches!(refused(&format!("EHLO {name}")), SyntaxError::Arguments(_)), "{name}");
    }
    assert!(matches!(refused(&format!("HELO {}", "a".repeat(256))), SyntaxError::Arguments(_)));
}

#[test]
fn chunk_sizes_are_exact_or_refused() {
    assert_eq!(ok(&format!("BDAT {}", u64::MAX)), Command::Bdat { size: u64::MAX, last: false });
    for args in ["", "LAST", "x", "-1", "+1", "1x", "12LAST", "1 FIRST", "1 LAST x", "0x10"] {
        assert_eq!(refused(&format!("BDAT {args}")), SyntaxError::ChunkSize, "{args}");
    }
    // One more digit than fits: smtp-proto starts counting over here.
    assert_eq!(refused("BDAT 184467440737095516155"), SyntaxError::ChunkSize);
}

/// Lines that are commands, or nearly.
fn nearly_a_command() -> impl Strategy<Value = String> {
    let verb = "(?i:EHLO|HELO|MAIL FROM:|RCPT TO:|DATA|BDAT|RSET|NOOP|QUIT|STARTTLS|AUTH)";
    let path = "( ?<([a-z@.:%!\"+]{0,12}|[a-z]{1,3}@[a-z]{1,3}\\.[a-z])>)?";
    let params = "( (SIZE=[0-9]{1,22}|SMTPUTF8|BODY=8BITMIME|RET=FULL|ENVID=[a-z+0-9]{1,4}\
        |NOTIFY=NEVER|NOTIFY=DELAY,SUCCESS|ORCPT=rfc822;[a-z@+0-9]{1,6}|[0-9]{1,22}|LAST|PLAIN\
        |[a-z.]{1,8})){0,3}";
    (verb, path, params).prop_map(|(verb, path, params)| verb + &path + &params)
}

proptest! {
    #[test]
    fn any_bytes_are_answered(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&line);
    }

    #[test]
    fn smtp_proto_reads_what_is_accepted_alike(line in nearly_a_command()) {
        let Ok(command) = parse(line.as_bytes()) else { return Ok(()) };
        let bytes = format!("{line}\r\n").into_bytes();
        let other = Request::parse(&mut bytes.iter());
        prop_assert!(same(&command, &other), "{line:?}: {command:?} against {other:?}");
    }
}

type Theirs<'a> = Request<std::borrow::Cow<'a, str>>;

/// Whether smtp-proto read the line as we did, up to letter case.
fn same(ours: &Command, theirs: &Result<Theirs<'_>, smtp_proto::Error>) -> bool {
    let Ok(theirs) = theirs else {
        // A size of twenty digits may pass 2^64, and then it knows none.
        return matches!(ours, Command::Mail(mail) if mail.size == Some(u64::MAX));
    };
    match (ours, theirs) {
        (Command::Ehlo(name), Request::Ehlo { host })
        | (Command::Helo(name), Request::Helo { host }) => name == host,
        (Command::Mail(mail), Request::Mail { from }) => {
            let full = mail.from.ret == crate::domain::envelope::DsnReturn::Full;
            mail.from.reverse_path.as_str().eq_ignore_ascii_case(&from.address)
                && same_size(mail.size, from.size)
                && mail.from.envid.as_deref() == from.env_id.as_deref()
                && mail.from.smtputf8 == (from.flags & smtp_proto::MAIL_SMTPUTF8 != 0)
                && full == (from.flags & smtp_proto::MAIL_RET_FULL != 0)
        }
        (Command::Rcpt(Rcpt::Postmaster), Request::Rcpt { to }) => to.address.is_empty(),
        (Command::Rcpt(Rcpt::To(recipient)), Request::Rcpt { to }) => {
            let orcpt = to.orcpt.as_ref().map(|address| format!("rfc822;{address}"));
            let notify = recipient.notify;
            recipient.address.as_str().eq_ignore_ascii_case(&to.address)
                && recipient.orcpt == orcpt
                && notify.success == (to.flags & smtp_proto::RCPT_NOTIFY_SUCCESS != 0)
        }
        (Command::Bdat { size, last }, Request::Bdat { chunk_size, is_last }) => {
            u64::try_from(*chunk_size) == Ok(*size) && last == is_last
        }
        (Command::Auth(auth), Request::Auth { mechanism, initial_response }) => {
            let plain = auth.mechanism == Some(crate::wire::sasl::Mechanism::Plain);
            let initial = auth.initial.as_ref().map_or("", |secret| secret.0.as_str());
            plain == (*mechanism == smtp_proto::AUTH_PLAIN) && initial == initial_response
        }
        (Command::Data, Request::Data)
        | (Command::Rset, Request::Rset)
        | (Command::Noop, Request::Noop { .. })
        | (Command::Quit, Request::Quit)
        | (Command::StartTls, Request::StartTls) => true,
        _ => false,
    }
}

/// Past 2^64 smtp-proto's number means nothing.
fn same_size(ours: Option<u64>, theirs: usize) -> bool {
    ours == Some(u64::MAX) || u64::try_from(theirs) == Ok(ours.unwrap_or(0))
}
