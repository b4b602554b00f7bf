//! Return paths that name the row of the queue they belong to (VERP: variable envelope return
//! paths), so that a report finds it whatever it says.
//!
//! `bounces+row-mac@author's domain`: the row in 32 hexadecimal digits and a MAC over it and the
//! domain, in letters and digits that have no case. Nobody can make one, and whoever has one was
//! sent that message.

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::OutboundId;
use crate::wire::address_mac::AddressMac;

const TAG: &str = "bounces+";
/// Hexadecimal digits of a row.
const ROW: usize = 32;
/// Characters of the MAC: 80 bits.
const MAC: usize = 16;

/// Makes and reads them, with a key.
#[derive(Debug)]
pub struct Verp(AddressMac);

/// Whether `address` has the form.
pub fn is_verp(address: &Address) -> bool {
    parts(address.local()).is_some()
}

/// Row and MAC.
fn parts(local: &str) -> Option<(&str, &str)> {
    let (tag, rest) = local.split_at_checked(TAG.len())?;
    let (row, mac) = rest.split_at_checked(ROW)?;
    let mac = mac.strip_prefix('-')?;
    let is_row = row.bytes().all(|b| b.is_ascii_hexdigit());
    (tag.eq_ignore_ascii_case(TAG) && is_row && mac.len() == MAC && mac.is_ascii())
        .then_some((row, mac))
}

impl Verp {
    /// With a secret of the server, the same on every node.
    pub fn new(secret: &[u8]) -> Self {
        Self(AddressMac::new(secret, "koltrix return paths"))
    }

    /// The return path of `row` in `domain`; `None` when that is no domain.
    pub fn address(&self, row: OutboundId, domain: &str) -> Option<Address> {
        let row = row.0.simple();
        let domain = Address::parse(&format!("bounces@{domain}")).ok()?.domain().to_owned();
        let mac = self.mac(&row.to_string(), &domain);
        Address::parse(&format!("{TAG}{row}-{mac}@{domain}")).ok()
    }

    /// The row that `address` is the return path of; `None` when it was not made here.
    pub fn row(&self, address: &Address) -> Option<OutboundId> {
        let (row, mac) = parts(address.local())?;
        let (row, mac) = (row.to_ascii_lowercase(), mac.to_ascii_lowercase());
        let expected = self.mac(&row, address.domain());
        let is_ours =
            bool::from(subtle::ConstantTimeEq::ct_eq(mac.as_bytes(), expected.as_bytes()));
        is_ours.then(|| Uuid::parse_str(&row).ok().map(OutboundId)).flatten()
    }

    fn mac(&self, row: &str, domain: &str) -> String {
        self.0.letters(&format!("{row}@{domain}"), MAC)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW_ID: OutboundId =
        OutboundId(Uuid::from_u128(0x3f0c_0f4e_8f6c_4a44_9c0b_0f5d_2f6f_3a10));

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn a_return_path_leads_to_its_row_and_nowhere_else() {
        let verp = Verp::new(b"secret");
        let path = verp.address(ROW_ID, "Shop.test").unwrap();
        assert!(path.as_str().starts_with("bounces+3f0c0f4e8f6c4a449c0b0f5d2f6f3a10-"), "{path}");
        assert!(path.as_str().ends_with("@shop.test") && path.local().len() <= 64, "{path}");
        assert_eq!(verp.row(&path), Some(ROW_ID));
        assert_eq!(verp.row(&address(&path.as_str().to_uppercase())), Some(ROW_ID));
        assert_eq!(Verp::new(b"other").row(&path), None);
        assert_eq!(verp.row(&address(&format!("{}@else.test", path.local()))), None);
        assert_eq!(verp.address(ROW_ID, "no domain"), None);
        for other in ["bounces@shop.test", "bounces+a-b@shop.test", "ann@shop.test"] {
            assert!(!is_verp(&address(other)) && verp.row(&address(other)).is_none(), "{other}");
        }
        assert!(is_verp(&path));
    }

    proptest! {
        #[test]
        fn one_other_character_is_forged(at in 0usize..57, with in "[a-z0-9+-]") {
            let verp = Verp::new(b"secret");
            let path = verp.address(ROW_ID, "shop.test").unwrap();
            let mut local = path.local().to_owned();
            prop_assume!(at < local.len());
            local.replace_range(at..=at, &with);
            if let Ok(other) = Address::parse(&format!("{local}@shop.test")) {
                prop_assert!(other == path || verp.row(&other).is_none());
            }
        }

        #[test]
        fn no_local_part_panics(local in "(bounces\\+)?\\PC{0,60}") {
            if let Ok(address) = Address::parse(&format!("{local}@here.test")) {
                let _ = Verp::new(b"secret").row(&address);
            }
        }
    }
}
