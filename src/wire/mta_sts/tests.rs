use proptest::prelude::*;

use super::*;

fn id(records: &[&str]) -> Option<String> {
    let records: Vec<String> = records.iter().map(|text| (*text).to_owned()).collect();
    record_id(&records).map(ToOwned::to_owned)
}

#[test]
fn one_record_announces_a_policy() {
    // The example of RFC 8461 §3.1.
    let example = "v=STSv1; id=20160831085700Z;";
    assert_eq!(id(&[example]).unwrap(), "20160831085700Z");
    assert_eq!(id(&["v=spf1 -all", example]).unwrap(), "20160831085700Z");
    assert_eq!(id(&["v=STSv1 ;\tx-y=a:b ; id=1 ; id=2"]).unwrap(), "1");
    for none in [
        &[][..],
        &[example, "v=STSv1; id=2"],
        &["v=STSv1"],
        &["v=STSv1;"],
        &["v=STSv2; id=1"],
        &["V=STSv1; id=1"],
        &["id=1; v=STSv1"],
        &["v=STSv1; id="],
        &["v=STSv1; id=a-b"],
        &["v=STSv1; id=123456789012345678901234567890123"],
        &["v=STSv1; x=1"],
        &["v=STSv1; id=1; rubbish"],
    ] {
        assert_eq!(id(none), None, "{none:?}");
    }
}

/// RFC 8461 §3.2.
const EXAMPLE: &[u8] = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n";

#[test]
fn the_example_of_the_rfc() {
    let policy = Policy::parse(EXAMPLE).unwrap();
    assert_eq!((policy.mode, policy.max_age.as_secs()), (Mode::Enforce, 604_800));
    assert_eq!(policy.mx, ["mail.example.com", "*.example.net", "backupmx.example.com"]);
    let lines = policy.lines();
    assert_eq!(lines.join("\r\n").as_bytes(), EXAMPLE.strip_suffix(b"\r\n").unwrap());
}

#[test]
fn a_policy_is_read_with_its_bounds() {
    let parse = |text: &str| Policy::parse(text.as_bytes());
    let none = parse("version: STSv1\nmode:none\nmax_age: 9999999999").unwrap();
    assert_eq!((none.mode, none.max_age.as_secs()), (Mode::None, MOST_AGE));
    let first =
        "max_age: 1 \nx_new: y\nversion:\tSTSv1\nmode: testing\nmode: enforce\nmx: A.B.\n\n";
    let first = parse(first).unwrap();
    assert_eq!((first.mode, first.mx.as_slice()), (Mode::Testing, &["a.b".to_owned()][..]));
    for (text, expected) in [
        ("", PolicyError::Version),
        ("version: STSv2\nmode: none\nmax_age: 1", PolicyError::Version),
        ("version: STSv1\nmode: Enforce\nmx: a.b\nmax_age: 1", PolicyError::Field("mode")),
        ("version: STSv1\nmode: enforce\nmax_age: 1", PolicyError::Field("mx")),
        ("version: STSv1\nmode: enforce\nmx: *\nmax_age: 1", PolicyError::Field("mx")),
        ("version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1", PolicyError::Field("mx")),
        ("version: STSv1\nmode: none", PolicyError::Field("max_age")),
        ("version: STSv1\nmode: none\nmax_age: -1", PolicyError::Field("max_age")),
        ("version: STSv1\nmode: none\nmax_age: 12345678901", PolicyError::Field("max_age")),
        ("<html>", PolicyError::Syntax),
        ("version: STSv1\n: x", PolicyError::Syntax),
    ] {
        assert_eq!(parse(text), Err(expected), "{text}");
    }
    assert_eq!(Policy::parse(b"version: \xff"), Err(PolicyError::Syntax));
}

#[test]
fn a_star_is_one_label() {
    let policy = Policy::parse(EXAMPLE).unwrap();
    for host in ["mail.example.com", "MAIL.example.com.", "mx1.example.net", "Mx.Example.NET"] {
        assert!(policy.allows(host), "{host}");
    }
    for host in [
        "example.net",
        ".example.net",
        "a.b.example.net",
        "mx.example.net.test",
        "mail.example.com.test",
        "amail.example.com",
        "mxexample.net",
        "",
    ] {
        assert!(!policy.allows(host), "{host}");
    }
}

proptest! {
    #[test]
    fn rubbish_is_refused_or_read(
        octets in prop::collection::vec(any::<u8>(), 0..200),
        text in "(version: STSv1\r\n|mode: enforce\n|mx: [a*.]{1,5}\n|max_age: [0-9]{1,11}\r\n|.{0,9}\n){0,8}",
        record in "(v=STSv1)?[ ;=a-z0-9]{0,30}",
    ) {
        let _ = Policy::parse(&octets);
        let _ = record_id(&[record]);
        if let Ok(policy) = Policy::parse(text.as_bytes()) {
            prop_assert_eq!(Policy::parse(policy.lines().join("\n").as_bytes()), Ok(policy));
        }
    }

    #[test]
    fn what_a_star_allows_ends_as_the_pattern(label in "[a-z0-9]{1,8}", rest in "[a-z]{1,8}\\.[a-z]{2,3}") {
        let policy = Policy { mode: Mode::Enforce, max_age: Duration::ZERO, mx: vec![format!("*.{rest}")] };
        let (one, two) = (format!("{label}.{rest}"), format!("a.{label}.{rest}"));
        prop_assert!(policy.allows(&one));
        prop_assert!(!policy.allows(&rest));
        prop_assert!(!policy.allows(&two));
    }
}
