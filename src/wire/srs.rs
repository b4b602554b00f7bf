//! The Sender Rewriting Scheme: what a forwarder puts into the envelope so that
//! the reverse-path is in a domain of its own and reports still find their way.
//!
//! `SRS0=hash=time=domain=local@forwarder` is for a sender as it is;
//! `SRS1=hash=forwarder0=rest@forwarder` for one that a forwarder before us has
//! rewritten: the report goes to that forwarder, which has `rest` and checks it
//! itself. Addresses lose their case here, so hash and time are in letters
//! and digits that have none.

use crate::domain::address::Address;
use crate::wire::address_mac::{ALPHABET, AddressMac};

/// Days after which an address is no longer answered for: longer than any
/// server keeps trying.
const DAYS: u16 = 30;
/// The time is in days, modulo this.
const CYCLE: u16 = 1024;
/// Characters of the hash: 50 bits.
const HASH: usize = 10;

/// Rewrites and reads back, with a key.
#[derive(Debug)]
pub struct Srs(AddressMac);

/// Why an address of this form is not answered for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SrsError {
    /// We did not make it, or it was changed since.
    #[error("that return address was not made here")]
    Forged,
    /// It is too old.
    #[error("that return address is too old")]
    Expired,
}

/// Whether `address` has the form.
pub fn is_rewritten(address: &Address) -> bool {
    kind(address.local()).is_some()
}

fn kind(local: &str) -> Option<(bool, &str)> {
    let (tag, rest) = local.split_at_checked(5)?;
    match tag.as_bytes() {
        [b's' | b'S', b'r' | b'R', b's' | b'S', digit, b'=' | b'-' | b'+'] => match digit {
            b'0' => Some((false, rest)),
            b'1' => Some((true, rest)),
            _ => None,
        },
        _ => None,
    }
}

impl Srs {
    /// With a secret of the server, the same on every node.
    pub fn new(secret: &[u8]) -> Self {
        Self(AddressMac::new(secret, "koltrix sender rewriting"))
    }

    /// The return address in `domain` for `sender`, on a day since 1970;
    /// `None` when it would be longer than an address may be.
    pub fn forward(&self, sender: &Address, domain: &str, day: u64) -> Option<Address> {
        let local = match kind(sender.local()) {
            None => {
                let body = format!("{}={}={}", stamp(day), sender.domain(), sender.local());
                format!("srs0={}={body}", self.0.letters(&body, HASH))
            }
            Some((false, rest)) => {
                let body = format!("{}={rest}", sender.domain());
                format!("srs1={}={body}", self.0.letters(&body, HASH))
            }
            // One hop in between is enough: the first forwarder is kept, and
            // ours is the address in between.
            Some((true, rest)) => {
                let (_, body) = rest.split_once('=')?;
                format!("srs1={}={body}", self.0.letters(body, HASH))
            }
        };
        Address::parse(&format!("{local}@{domain}")).ok()
    }

    /// Where a report to `address` goes.
    ///
    /// # Errors
    /// [`SrsError`]; also for an address that has not this form at all.
    pub fn back(&self, address: &Address, day: u64) -> Result<Address, SrsError> {
        let (hopped, rest) = kind(address.local()).ok_or(SrsError::Forged)?;
        let (hash, body) = rest.split_once('=').ok_or(SrsError::Forged)?;
        let expected = self.0.letters(body, HASH);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(hash.as_bytes(), expected.as_bytes())) {
            return Err(SrsError::Forged);
        }
        if hopped {
            let (domain, inner) = body.split_once('=').ok_or(SrsError::Forged)?;
            return Address::parse(&format!("srs0={inner}@{domain}")).map_err(|_| SrsError::Forged);
        }
        let mut parts = body.splitn(3, '=');
        let (Some(time), Some(domain), Some(local)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(SrsError::Forged);
        };
        let made = days_of(time).ok_or(SrsError::Forged)?;
        if (today(day) + CYCLE - made) % CYCLE > DAYS {
            return Err(SrsError::Expired);
        }
        Address::parse(&format!("{local}@{domain}")).map_err(|_| SrsError::Forged)
    }
}

fn today(day: u64) -> u16 {
    u16::try_from(day % u64::from(CYCLE)).unwrap_or(0)
}

fn stamp(day: u64) -> String {
    let day = usize::from(today(day));
    [day / 32, day % 32].iter().map(|n| char::from(ALPHABET[n % 32])).collect()
}

fn days_of(time: &str) -> Option<u16> {
    let [high, low] = time.as_bytes() else { return None };
    let digit = |c: &u8| ALPHABET.iter().position(|a| a == c).and_then(|n| u16::try_from(n).ok());
    Some(digit(high)? * 32 + digit(low)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn a_sender_comes_back_while_the_address_is_young() {
        let (srs, sender) = (Srs::new(b"secret"), address("ann=x@shop.test"));
        let ours = srs.forward(&sender, "here.test", 20_000).unwrap();
        assert!(
            ours.as_str().starts_with("srs0=")
                && ours.as_str().ends_with("=shop.test=ann=x@here.test")
        );
        for day in [20_000, 20_030] {
            assert_eq!(srs.back(&ours, day), Ok(sender.clone()));
        }
        for day in [19_999, 20_031, 20_500] {
            assert_eq!(srs.back(&ours, day), Err(SrsError::Expired), "{day}");
        }
        assert_eq!(Srs::new(b"other").back(&ours, 20_000), Err(SrsError::Forged));
    }

    #[test]
    fn a_second_and_a_third_forwarder_send_reports_to_the_first() {
        let srs = [Srs::new(b"1"), Srs::new(b"2"), Srs::new(b"3")];
        let sender = address("ann@shop.test");
        let first = srs[0].forward(&sender, "one.test", 9).unwrap();
        let second = srs[1].forward(&first, "two.test", 9).unwrap();
        let third = srs[2].forward(&second, "three.test", 9).unwrap();
        assert!(second.as_str().starts_with("srs1=") && third.as_str().starts_with("srs1="));
        assert_eq!(srs[1].back(&second, 9), Ok(first.clone()));
        assert_eq!(srs[2].back(&third, 9), Ok(first.clone()));
        assert_eq!(srs[0].back(&first, 9), Ok(sender));
    }

    #[test]
    fn what_is_too_long_is_not_made_and_rubbish_is_forged() {
        let srs = Srs::new(b"secret");
        let long = address(&format!("{}@shop.test", "a".repeat(60)));
        assert_eq!(srs.forward(&long, "here.test", 1), None);
        for bad in [
            "srs0=@h.test",
            "srs0=a=b@h.test",
            "srs1=a@h.test",
            "bob@h.test",
            "srs2=a=b=c=d@h.test",
        ] {
            if let Ok(bad) = Address::parse(bad) {
                assert_eq!(srs.back(&bad, 1), Err(SrsError::Forged), "{bad}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_but_the_very_address_is_answered_for(at in 0usize..60, with in "[a-z2-7=.]") {
            let srs = Srs::new(b"secret");
            let ours = srs.forward(&address("ann@shop.test"), "here.test", 77).unwrap();
            let mut text = ours.local().to_owned();
            prop_assume!(at < text.len());
            text.replace_range(at..=at, &with);
            if let Ok(other) = Address::parse(&format!("{text}@here.test")) {
                prop_assert!(other == ours || srs.back(&other, 77).is_err());
            }
        }

        #[test]
        fn no_local_part_panics(local in "(srs|SRS)[01][=+-]\\PC{0,40}") {
            if let Ok(address) = Address::parse(&format!("{local}@here.test")) {
                let srs = Srs::new(b"secret");
                let _ = (srs.back(&address, 1), srs.forward(&address, "x.test", 1));
            }
        }
    }
}
