//! Typed identifiers, so that an email's id cannot be passed for a folder's.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The bits of an id that [`EmailId::number`] and [`ThreadId::number`] have: its last 62, which are
/// all random in a version 4 UUID.
pub const NUMBER_MASK: u64 = (1 << 62) - 1;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id as a number that fits into 63 bits, for protocols that know no other kind. The
            /// same for the same id, always; two ids of one mailbox have different ones as surely as
            /// 62 random bits differ.
            pub fn number(self) -> u64 {
                self.0.as_u64_pair().1 & NUMBER_MASK
            }

            /// A fresh random (version 4) identifier.
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    )*};
}

id! {
    /// A row of `public.tenants`: one organisation.
    TenantId
    /// A row of `public.tenant_domains`.
    DomainId
    /// A row of `public.email_addresses`: one mailbox.
    AddressId
    /// A row of a tenant's `emails`: one stored message.
    EmailId
    /// A row of a tenant's `threads`.
    ThreadId
    /// A row of a tenant's `folders`: one IMAP mailbox (RFC 3501 calls it that).
    FolderId
    /// A row of `public.delivery_routes`: how mail leaves.
    RouteId
    /// A row of `public.outbound_messages`: one message to one recipient.
    OutboundId
    /// Names one accepted submission or transaction; shown in the 250 and in Received.
    QueueId
    /// One running server; its own through restarts, so that it knows its leases again.
    NodeId
}
