//! One address that mail is brought to, and what there has to be of TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::domain::outcome::{Reply, Via};
use crate::domain::smarthost::SmarthostTls;
use crate::mail::deliver::mta_sts::Standing;
use crate::mail::deliver::route::{Login, Route, Smarthost};
use crate::mail::deliver::session::Refused;
use crate::mail::outcome;
use crate::net::stream::Stream;
use crate::net::tls::{Roots, Tlsa, Unproven};

/// One address to try. An open connection to it serves all mail for which all of this is alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The host's name.
    pub host: String,
    /// Where it listens.
    pub at: SocketAddr,
    /// What the domain says about TLS with it.
    pub sts: Standing,
    /// What the DNS, which is authentic, names it by; empty where nothing there can be used. It comes
    /// before `sts` (RFC 8461 §2).
    pub dane: Option<Arc<[Tlsa]>>,
    /// The route that leads there, where one was chosen.
    pub route: Option<Arc<Route>>,
}

impl Target {
    fn smarthost(&self) -> Option<&Smarthost> {
        self.route.as_ref()?.smarthost.as_ref()
    }

    /// Who we are to it.
    pub(super) fn login(&self) -> Option<&Login> {
        self.smarthost()?.login.as_ref()
    }

    /// Whether TLS comes before the greeting.
    pub(super) fn is_implicit(&self) -> bool {
        self.smarthost().is_some_and(|smarthost| smarthost.tls == SmarthostTls::Implicit)
    }

    /// Whether mail goes there only under TLS with a host that has proven its name.
    pub fn must_prove(&self) -> bool {
        match (self.smarthost(), &self.dane) {
            (Some(smarthost), _) => smarthost.tls.is_required(),
            (None, Some(records)) => !records.is_empty(),
            (None, None) => self.sts.enforced().is_some(),
        }
    }

    /// Whether mail goes there only under TLS, with whoever it is (RFC 7672 §2.2).
    pub(super) fn must_encrypt(&self) -> bool {
        self.dane.is_some() || self.must_prove()
    }

    /// Whether the other end of a connection under TLS is whom it should be.
    pub(super) fn is_proven_by(&self, stream: &Stream, roots: &Roots) -> Result<(), Unproven> {
        match &self.dane {
            Some(records) if !records.is_empty() => stream.is_named_by(records, &self.host),
            _ => stream.proves(roots, &self.host),
        }
    }

    /// What is said of it when it does not.
    pub(super) fn tls_needed(&self, why: impl std::fmt::Display) -> Reply {
        match (self.smarthost(), &self.dane) {
            (Some(_), _) => outcome::smarthost_tls_needed(why),
            (None, Some(_)) => outcome::dane_needed(why),
            (None, None) => outcome::tls_needed(why),
        }
    }

    /// Why a connection under TLS is as it is, for people.
    pub(super) fn why(&self, proof: Result<(), Unproven>) -> String {
        let asks = match (self.smarthost(), &self.dane) {
            (None, None) => return self.sts.why(proof),
            (None, Some(records)) if records.is_empty() => "DANE asks for TLS, by no usable record",
            (None, Some(_)) => "DANE",
            (Some(_), _) if self.must_prove() => "the route asks for it",
            (Some(_), _) => "the route does not ask for it",
        };
        match proof {
            Ok(()) => format!("verified ({asks})"),
            Err(why) => format!("not verified: {why} ({asks})"),
        }
    }

    /// Where that is.
    pub(super) fn via(&self) -> Via {
        Via { ip: Some(self.at.ip()), ..self.untried_via() }
    }

    /// It was asked, and this came of it.
    pub(super) fn refused(&self, reply: Reply) -> Refused {
        Refused { reply, via: self.via() }
    }

    /// It was not asked at all.
    pub(super) fn untried(&self, reply: Reply) -> Refused {
        Refused { reply, via: self.untried_via() }
    }

    fn untried_via(&self) -> Via {
        let route = self.route.as_ref().map(ToString::to_string);
        Via { host: Some(self.host.clone()), ip: None, tls: None, route }
    }
}
