//! A client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): its sums are done here, not by the code
//! under test.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The nonce of every client: RFC 5802 §5.
const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";

/// One login: `flag` and `channel` say what it binds to.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// `SCRAM-SHA-256`, with `-PLUS` or not.
    pub mechanism: &'a str,
    /// What it says of the channel.
    pub flag: &'a str,
    /// The octets that it binds to.
    pub channel: &'a [u8],
    /// Who it is.
    pub user: &'a str,
    /// What proves that.
    pub password: &'a str,
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes()).as_ref().to_vec()
}

impl Client<'_> {
    /// Its first message.
    pub fn first(&self) -> String {
        format!("{},,n={},r={NONCE}", self.flag, self.user)
    }

    /// Its last one, to the server's challenge, and what a server that knows the password says
    /// then.
    pub fn last(&self, challenge: &str) -> (String, String) {
        let value = |name: &str| challenge.split(',').find_map(|a| a.strip_prefix(name)).unwrap();
        let (nonce, salt) = (value("r="), STANDARD.decode(value("s=")).unwrap());
        let iterations: NonZeroU32 = value("i=").parse().unwrap();
        assert!(nonce.starts_with(NONCE) && nonce.len() > 40, "{nonce}");
        let mut salted = [0; 32];
        let password = self.password.as_bytes();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, password, &mut salted);
        let client = hmac(&salted, "Client Key");
        let stored = digest::digest(&digest::SHA256, &client);
        let binding = [format!("{},,", self.flag).as_bytes(), self.channel].concat();
        let unproven = format!("c={},r={nonce}", STANDARD.encode(binding));
        let signed = format!("n={},r={NONCE},{challenge},{unproven}", self.user);
        let proof: Vec<u8> =
            hmac(stored.as_ref(), &signed).iter().zip(client).map(|(a, b)| a ^ b).collect();
        let signature = hmac(&hmac(&salted, "Server Key"), &signed);
        let last = format!("{unproven},p={}", STANDARD.encode(proof));
        (last, format!("v={}", STANDARD.encode(signature)))
    }
}
