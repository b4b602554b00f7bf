//! Replies of our own making, for what no remote server said.

use crate::domain::outcome::Reply;

fn ours(code: u16, enhanced: (u8, u16, u16), text: impl Into<String>) -> Reply {
    Reply { code, enhanced: Some(enhanced), text: text.into() }
}

/// The host cannot be reached or the connection broke.
pub fn connection(why: impl std::fmt::Display) -> Reply {
    ours(421, (4, 4, 2), format!("connection failed: {why}"))
}

/// The server's replies make no sense.
pub fn out_of_step(why: &str) -> Reply {
    ours(451, (4, 5, 0), why)
}

/// The message needs an extension that the server does not have.
pub fn not_offered(what: &str, enhanced: (u8, u16, u16)) -> Reply {
    ours(550, enhanced, format!("the server does not offer {what}, which this message needs"))
}

/// The domain wants TLS with a server that proves its name (MTA-STS), and this is not that.
pub fn tls_needed(why: impl std::fmt::Display) -> Reply {
    ours(451, (4, 7, 5), format!("the domain asks for verified TLS (MTA-STS), but {why}"))
}

/// The server's TLSA records want TLS with whom they name (RFC 7672), and this is not that.
pub fn dane_needed(why: impl std::fmt::Display) -> Reply {
    ours(451, (4, 7, 5), format!("the server's TLSA records (DANE) ask for TLS, but {why}"))
}

/// The route asks for TLS with a smarthost that proves its name, and this is not that.
pub fn smarthost_tls_needed(why: impl std::fmt::Display) -> Reply {
    ours(451, (4, 7, 5), format!("the route asks for verified TLS with its smarthost, but {why}"))
}

/// The smarthost does not believe us. Nothing of it is about the message or its recipients.
pub fn login_refused(said: &Reply) -> Reply {
    // What is no "later" is for us to set right, whatever words they have for it.
    let (code, what) = match said.code {
        400..500 => (said.code, "cannot check our user name and password now"),
        _ => (535, "does not take our user name and password"),
    };
    Reply { code, enhanced: said.enhanced, text: format!("the smarthost {what}: {}", said.text) }
}

/// The smarthost knows no way to log in that we know.
pub fn no_login_offered() -> Reply {
    ours(534, (5, 7, 9), "the smarthost offers no way to log in that we know (PLAIN, LOGIN)")
}

/// The password would have to be sent in the clear.
pub fn login_in_clear() -> Reply {
    ours(
        534,
        (5, 7, 9),
        "there is no TLS with the smarthost, and the route does not let its password go in the clear",
    )
}

/// Something of a route does not work on our side.
pub fn route_trouble(why: impl std::fmt::Display) -> Reply {
    ours(451, (4, 3, 5), why.to_string())
}

/// The message is larger than the server says it takes (RFC 1870 §6.1).
pub fn too_big(limit: u64) -> Reply {
    ours(552, (5, 3, 4), format!("the server takes at most {limit} octets"))
}

/// RFC 7505 §3
pub fn null_mx() -> Reply {
    ours(556, (5, 1, 10), "the domain takes no mail (null MX)")
}

/// There is no such domain, or nothing there that could take mail.
pub fn no_route() -> Reply {
    ours(550, (5, 1, 2), "the domain has no mail server")
}

/// The name servers did not answer.
pub fn dns_trouble(why: impl std::fmt::Display) -> Reply {
    ours(451, (4, 4, 3), format!("name resolution failed: {why}"))
}

/// The domain's mail servers are ourselves, and we do not know the address
/// (RFC 5321 §5.1).
pub fn loops_back() -> Reply {
    ours(550, (5, 4, 6), "mail for this domain comes back to this server, which does not host it")
}

/// A mailbox here took it.
pub fn taken() -> Reply {
    ours(250, (2, 1, 5), "delivered to a mailbox here")
}

/// A domain of ours without that mailbox.
pub fn unknown_here() -> Reply {
    ours(550, (5, 1, 1), "there is no such mailbox here")
}

/// A mailbox here cannot take it for a reason of its own; it may again.
pub fn not_now(enhanced: (u8, u16, u16), why: impl Into<String>) -> Reply {
    ours(450, enhanced, why)
}

/// Something of ours does not work.
pub fn our_trouble(why: &str) -> Reply {
    ours(451, (4, 3, 0), why)
}

/// The sender may not send it as it stands.
pub fn refused(enhanced: (u8, u16, u16), why: impl Into<String>) -> Reply {
    ours(550, enhanced, why)
}

/// The time that the sender set for it is over (RFC 2852 §4).
pub fn time_is_over() -> Reply {
    ours(550, (5, 4, 7), "it could not be delivered by the time that you set for it")
}

/// The recipient is on the organisation's suppression list.
pub fn suppressed() -> Reply {
    ours(550, (5, 7, 1), "the recipient is on the suppression list of your organisation")
}
