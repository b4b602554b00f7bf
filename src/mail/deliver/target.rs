//! One address that mail is brought to, and what there has to be of TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::domain::outcome::{Reply, Via};
use crate::domain::smarthost::SmarthostTls;
use crate::mail::deliver::mta_sts::Standing;
use crate::mail::deliver::route::{Login, Route, Smarthost};
use crate::mail::deliver::session::Refused;
use crate::mail::outcome;
use crate::net::tls::Unproven;

/// One address to try. An open connection to it serves all mail for which all of this is alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The host's name.
    pub host: String,
    /// Where it listens.
    pub at: SocketAddr,
    /// What the domain says about TLS with it.
    pub sts: Standing,
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
        match self.smarthost() {
            Some(smarthost) => smarthost.tls.is_required(),
            None => self.sts.enforced().is_some(),
        }
    }

    /// What is said of it when it does not.
    pub(super) fn tls_needed(&self, why: impl std::fmt::Display) -> Reply {
        match self.smarthost() {
            Some(_) => outcome::smarthost_tls_needed(why),
            None => outcome::tls_needed(why),
        }
    }

    /// Why a connection under TLS is as it is, for people.
    pub(super) fn why(&self, proof: Result<(), Unproven>) -> String {
        let asks = match self.smarthost() {
            None => return self.sts.why(proof),
            Some(_) if self.must_prove() => "the route asks for it",
            Some(_) => "the route does not ask for it",
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
