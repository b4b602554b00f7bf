use proptest::prelude::*;

use super::*;

/// RFC 7677 §3
const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const MORE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

fn iterations() -> NonZeroU32 {
    NonZeroU32::new(4096).unwrap()
}

fn salt() -> Vec<u8> {
    STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap()
}

fn challenge() -> Challenge {
    Challenge::new(ClientFirst::parse(FIRST).unwrap(), MORE, &salt(), iterations())
}

#[test]
fn speaks_as_rfc_7677_shows() {
    let challenge = challenge();
    assert_eq!(
        challenge.message(),
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let answer = challenge.answered(FINAL.as_bytes(), b"").unwrap();
    let keys = Keys::derive(b"pencil", &salt(), iterations());
    let last = answer.verify(&keys);
    assert_eq!(last.as_deref(), Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    assert_eq!(answer.verify(&Keys::derive(b"pencils", &salt(), iterations())), None);
    assert!(!format!("{keys:?}").contains(char::is_numeric));
}

#[test]
fn nothing_may_differ() {
    let challenge = challenge();
    for (was, is) in [("c=biws", "c=eSws"), (",r=rO", ",r=RO"), ("k0,p=", "k,p="), (",p=", ",q=")] {
        assert!(challenge.answered(FINAL.replace(was, is).as_bytes(), b"").is_none(), "{is}");
    }
    // The proof is over the channel's octets as well, and they have to be there.
    assert!(challenge.answered(FINAL.as_bytes(), b"channel").is_none());
    let short = FINAL.replace("dHzb", "");
    assert!(challenge.answered(short.as_bytes(), b"").is_none());
}

#[test]
fn first_messages_are_read() {
    let first = ClientFirst::parse(b"p=tls-exporter,a=b=2Cc,n=u=3Dx,r=abc,x=y").unwrap();
    assert_eq!(first.binding, Binding::Type("tls-exporter".to_owned()));
    assert_eq!((first.authzid.as_str(), first.user.as_str()), ("b,c", "u=x"));
    assert_eq!(first.header, "p=tls-exporter,a=b=2Cc,");
    assert_eq!(ClientFirst::parse(b"y,,n=a,r=b").unwrap().binding, Binding::NotOffered);
    for bad in [
        "",
        "n",
        "n,",
        "n,,",
        "x,,n=a,r=b",
        "p=,,n=a,r=b",
        "n,b,n=a,r=b",
        "n,,m=x,n=a,r=b",
        "n,,n=,r=b",
        "n,,n=a=2,r=b",
        "n,,n=a=00,r=b",
        "n,,n=a",
        "n,,n=a,r=",
        "n,,n=a,r=\u{7f}",
    ] {
        assert_eq!(ClientFirst::parse(bad.as_bytes()), None, "{bad:?}");
    }
}

proptest! {
    #[test]
    fn no_message_panics(first: Vec<u8>, last in "(c=[a-z=]{0,8},)?(r=[!-~]{0,40},)?(p=[a-zA-Z=]{0,50})?") {
        let _ = ClientFirst::parse(&first);
        let _ = challenge().answered(last.as_bytes(), &first);
    }
}
