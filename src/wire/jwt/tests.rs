//! The examples of RFC 7515, and what forgers try.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// RFC 7515 appendix A.2.1: an RSA key, and the signature over A.2's payload with it. Its header
/// names no key, which is asked for here.
const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1\
    Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5\
    z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhy\
    xXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l\
    eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5\
    RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyW\
    zO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6B\
    fI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77R\
    w";
/// Appendix A.3.1.
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l\
    eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8\
    ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn set(keys: &Value) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn rsa() -> Value {
    json!({ "kty": "RSA", "kid": "r", "n": N, "e": "AQAB" })
}

fn ec() -> Value {
    json!({ "kty": "EC", "kid": "e", "crv": "P-256", "x": X, "y": Y })
}

/// Message and signature of an example.
fn example(token: &str) -> (&[u8], Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed.as_bytes(), URL_SAFE_NO_PAD.decode(signature).unwrap())
}

fn token(header: &Value, payload: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(payload), URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn the_examples_of_the_rfc_verify() {
    let keys = set(&json!([rsa(), ec()]));
    let (rsa, ec) = (keys.get("r").unwrap(), keys.get("e").unwrap());
    for (key, with, other, text) in [
        (rsa, Algorithm::Rs256, Algorithm::Es256, RS256),
        (ec, Algorithm::Es256, Algorithm::Rs256, ES256),
    ] {
        let (message, signature) = example(text);
        assert!(key.has_signed(with, message, &signature));
        assert!(!key.has_signed(other, message, &signature));
        assert!(!key.has_signed(with, &message[1..], &signature));
        assert!(!key.has_signed(with, message, &signature[1..]));
        assert!(!key.has_signed(with, message, &[]));
    }
}

#[test]
fn keys_that_are_of_no_use_are_left_out() {
    let with = |mut key: Value, name: &str, value: Value| {
        key[name] = value;
        key
    };
    for bad in [
        with(rsa(), "use", json!("enc")),
        with(rsa(), "alg", json!("RS512")),
        with(rsa(), "kid", json!(1)),
        with(rsa(), "n", json!("!")),
        with(ec(), "crv", json!("P-384")),
        with(ec(), "x", json!("AA")),
        json!({ "kty": "oct", "kid": "o", "k": "AAAA" }),
        json!("key"),
    ] {
        assert!(set(&json!([bad.clone()])).is_empty(), "{bad}");
    }
    assert!(set(&json!([with(ec(), "alg", json!("ES256"))])).get("e").is_some());
    assert!(KeySet::parse(b"{}").is_none() && KeySet::parse(b"").is_none());
    let many: Vec<Value> = (0..500).map(|n| with(rsa(), "kid", json!(n.to_string()))).collect();
    let set = set(&json!(many));
    assert!(set.get("63").is_some() && set.get("64").is_none());
}

#[test]
fn tokens_that_could_not_be_believed_are_not_read() {
    let payload = json!({ "iss": "i", "sub": "s", "exp": 1 });
    let read = |header: &Value| Unverified::parse(&token(header, &payload, b"x")).is_some();
    assert!(read(&json!({ "alg": "RS256", "kid": "r", "typ": "JWT" })));
    for alg in ["none", "None", "", "HS256", "RS1", "PS256", "rs256", "RS256 "] {
        assert!(!read(&json!({ "alg": alg, "kid": "r" })), "{alg}");
    }
    assert!(!read(&json!({ "alg": "RS256" })));
    assert!(!read(&json!({ "alg": "RS256", "kid": "r", "crit": ["exp"] })));
    for bad in ["", ".", "..", "a.b.c", RS256] {
        assert!(Unverified::parse(bad).is_none(), "{bad}");
    }
    let long = token(
        &json!({ "alg": "RS256", "kid": "r" }),
        &json!({ "x": "x".repeat(MAX_LENGTH) }),
        b"x",
    );
    assert!(Unverified::parse(&long).is_none());
}

#[test]
fn claims_have_to_fit() {
    let good = json!({ "iss": "https://id.example", "sub": "user_1", "exp": 1000, "nbf": 900,
        "aud": ["imap", "other"], "azp": "https://app.example", "o": { "id": "org_2" } });
    let expected = Expected {
        issuer: "https://id.example".to_owned(),
        audiences: vec!["imap".to_owned()],
        parties: vec!["https://app.example".to_owned()],
    };
    let check = |claims: &Value, now: f64| {
        serde_json::from_value::<Claims>(claims.clone()).unwrap().check(&expected, now)
    };
    assert_eq!(check(&good, 950.0), Ok(()));
    assert_eq!(check(&good, 1009.0), Ok(()));
    assert_eq!(check(&good, 1010.0), Err(Wrong::Expired));
    assert_eq!(check(&good, 890.0), Ok(()));
    assert_eq!(check(&good, 889.0), Err(Wrong::Early));
    for (name, value, wrong) in [
        ("iss", json!("https://id.example/"), Err(Wrong::Issuer)),
        ("aud", json!("other"), Err(Wrong::Audience)),
        ("aud", Value::Null, Err(Wrong::Audience)),
        ("azp", json!("https://evil.example"), Err(Wrong::Party)),
        ("azp", Value::Null, Err(Wrong::Party)),
        ("sts", json!("pending"), Err(Wrong::Pending)),
        ("sts", json!("active"), Ok(())),
        ("aud", json!("imap"), Ok(())),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        assert_eq!(check(&claims, 950.0), wrong, "{claims}");
    }
    let claims: Claims = serde_json::from_value(good).unwrap();
    assert_eq!((claims.subject(), claims.organisation()), ("user_1", Some("org_2")));
    for bad in [json!({ "iss": "i", "sub": "s" }), json!({ "iss": "i", "sub": 1, "exp": 1 })] {
        assert!(serde_json::from_value::<Claims>(bad).is_err());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(token in ".{0,200}", json: Vec<u8>) {
        let _ = (Unverified::parse(&token).is_some(), KeySet::parse(&json).is_some());
    }
}
