//! XCLIENT: a server in front tells for whom it speaks (Postfix's XCLIENT_README).
//!
//! ```abnf
//! xclient-command = "XCLIENT" 1*( SP attribute-name "=" attribute-value )
//! attribute-name  = "NAME" / "REVERSE_NAME" / "ADDR" / "PORT" / "PROTO" / "HELO" / ...
//! attribute-value = xtext
//! ```

use std::net::IpAddr;

use super::command::{SyntaxError, is_hello};
use super::xtext;

const USAGE: &str = "XCLIENT attribute=value ...";

/// What is offered behind the keyword in the answer to EHLO.
pub const ATTRIBUTES: &str = "NAME REVERSE_NAME ADDR PORT PROTO HELO";

/// What a server in front said about its client.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct XClient {
    /// `ADDR`, where it is known.
    pub addr: Option<IpAddr>,
    /// `HELO`, where it is known.
    pub helo: Option<String>,
    /// `PROTO` is ESMTP.
    pub esmtp: bool,
}

/// Reads the arguments. Names and port are looked at for their form alone: names are asked of the
/// DNS, not of a server in front.
pub(super) fn parse(args: &str) -> Result<XClient, SyntaxError> {
    let mut said = XClient::default();
    let words = args.split(' ').filter(|word| !word.is_empty());
    for (n, word) in words.enumerate() {
        let (name, value) = word.split_once('=').ok_or(SyntaxError::Arguments(USAGE))?;
        let value = xtext::decode(value).ok_or(SyntaxError::Parameter("a value is not xtext"))?;
        if n >= 16 {
            return Err(SyntaxError::Arguments(USAGE));
        }
        set(&mut said, &name.to_ascii_uppercase(), &value)?;
    }
    if args.is_empty() { Err(SyntaxError::Arguments(USAGE)) } else { Ok(said) }
}

fn set(said: &mut XClient, name: &str, value: &str) -> Result<(), SyntaxError> {
    let unknown = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"].iter().any(|w| value.eq_ignore_ascii_case(w));
    match name {
        _ if unknown && ATTRIBUTES.split(' ').any(|known| known == name) => {}
        "ADDR" => {
            let bare =
                value.get(..5).filter(|p| p.eq_ignore_ascii_case("IPV6:")).map_or(0, str::len);
            let ip: Option<IpAddr> = value.get(bare..).and_then(|ip| ip.parse().ok());
            let ip = ip.ok_or(SyntaxError::Parameter("ADDR is no address"))?;
            said.addr = Some(ip.to_canonical());
        }
        // It is copied into the Received field, so it is held to what EHLO takes.
        "HELO" if is_hello(value) => said.helo = Some(value.to_owned()),
        "PROTO" if value.eq_ignore_ascii_case("ESMTP") => said.esmtp = true,
        "PROTO" if value.eq_ignore_ascii_case("SMTP") => said.esmtp = false,
        "PORT" if value.parse::<u16>().is_ok() => {}
        "HELO" | "NAME" | "REVERSE_NAME" => {}
        _ => return Err(SyntaxError::Parameter("an attribute that is not taken")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_server_in_front_says() {
        let said = parse(
            "NAME=spike.porcupine.org ADDR=168.100.189.2 PORT=40000 PROTO=ESMTP HELO=a.example",
        )
        .unwrap();
        let addr = Some("168.100.189.2".parse().unwrap());
        assert_eq!(said, XClient { addr, helo: Some("a.example".to_owned()), esmtp: true });
        let v6 = parse("addr=IPv6:2001:db8::1 name=[UNAVAILABLE]").unwrap();
        assert_eq!(v6.addr, Some("2001:db8::1".parse().unwrap()));
        assert_eq!(parse("ADDR=[TEMPUNAVAIL]").unwrap(), XClient::default());
        // What could not stand in a field is as good as not said.
        assert_eq!(parse("HELO=a+20b").unwrap().helo, None);
    }

    #[test]
    fn refuses_what_it_does_not_take() {
        for bad in ["", "ADDR", "ADDR=x", "ADDR=+0D", "LOGIN=bob", "PORT=x", "PROTO=LMTP"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
