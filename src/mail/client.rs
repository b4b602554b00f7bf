//! Who is speaking to us.

use std::net::IpAddr;

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};

/// A mailbox that has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its organisation.
    pub tenant: TenantId,
    /// The mailbox.
    pub address_id: AddressId,
    /// Its address.
    pub address: Address,
}

/// The peer of an SMTP session, as its trace field tells.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where it connects from.
    pub ip: IpAddr,
    /// What it called itself in HELO or EHLO.
    pub helo: String,
    /// TLS protocol and cipher, where TLS is on.
    pub tls: Option<String>,
    /// It said EHLO.
    pub esmtp: bool,
    /// Who it is, after AUTH.
    pub login: Option<Identity>,
}

impl Client {
    /// The `with` word of Received (RFC 3848, RFC 6531).
    pub fn protocol(&self, smtputf8: bool) -> &'static str {
        match (smtputf8, self.esmtp, self.tls.is_some(), self.login.is_some()) {
            (true, _, true, true) => "UTF8SMTPSA",
            (true, _, true, false) => "UTF8SMTPS",
            (true, _, false, true) => "UTF8SMTPA",
            (true, _, false, false) => "UTF8SMTP",
            (false, false, ..) => "SMTP",
            (false, true, true, true) => "ESMTPSA",
            (false, true, true, false) => "ESMTPS",
            (false, true, false, true) => "ESMTPA",
            (false, true, false, false) => "ESMTP",
        }
    }
}
