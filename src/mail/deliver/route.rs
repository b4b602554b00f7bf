//! How mail leaves: straight to its recipients' servers, or by a smarthost, or from an address of
//! ours that was chosen.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use moka::sync::Cache;

use crate::config::{self, Secret};
use crate::domain::address::Address;
use crate::domain::ids::RouteId;
use crate::domain::smarthost::SmarthostTls;
use crate::mail::Error;
use crate::mail::recipients::Recipients;
use crate::mail::seal::Seal;
use crate::store::db::Db;
use crate::store::delivery_routes::{RouteRow, SmarthostRow};
use crate::store::master_key::MasterKey;
use crate::store::outbound::Leased;

/// A route. Two are the same when all of it is: no connection that was made for one is used for another.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Route {
    /// The row; `None` for the settings' own.
    pub id: Option<RouteId>,
    /// Where it leads, where it leads to one server.
    pub smarthost: Option<Smarthost>,
    /// The address of ours that connections come from.
    pub source: Option<IpAddr>,
}

/// A server that takes all mail.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Smarthost {
    /// A name or an address.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// What of TLS there has to be.
    pub tls: SmarthostTls,
    /// Who we are to it.
    pub login: Option<Login>,
}

/// A user name and its password.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// `None`: it was sealed with another master key.
    pub password: Option<Secret>,
    /// It may be sent without TLS.
    pub in_clear: bool,
}

/// What has a lane of its own: all mail of it may go over the same connections.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Way {
    /// `None`: straight to the domain's servers, from any address.
    pub route: Option<Arc<Route>>,
    /// The recipients' domain; empty where a smarthost takes mail for all of them.
    pub domain: String,
}

/// Routes kept at hand; some hundred octets each.
const CACHED: u64 = 10_000;

/// Every route. Cheap to clone.
#[derive(Clone)]
pub struct Routes(Arc<Inner>);

struct Inner {
    db: Db,
    seal: Seal,
    recipients: Recipients,
    default: Option<Arc<Route>>,
    known: Cache<RouteId, Arc<Route>>,
}

impl Routes {
    /// Those in `db`, with passwords sealed under `master`; mail that has none takes the settings'.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cipher cannot be set up.
    pub fn new(
        db: Db,
        recipients: Recipients,
        master: &MasterKey,
        default: &config::Relay,
    ) -> Result<Self, Error> {
        let (seal, known) = (Seal::new(master)?, Cache::new(CACHED));
        let default = of_settings(default).map(Arc::new);
        Ok(Self(Arc::new(Inner { db, seal, recipients, default, known })))
    }

    /// Takes in that routes may have changed.
    pub fn directory_changed(&self) {
        self.0.known.invalidate_all();
    }

    /// The way of each row, in their order.
    ///
    /// # Errors
    /// The database's: no mail goes straight because its route cannot be read.
    pub async fn ways(&self, rows: &[Leased]) -> Result<Vec<Way>, Error> {
        self.learn(rows).await?;
        let mut ways = Vec::with_capacity(rows.len());
        for row in rows {
            let route = match row.route {
                // Without it, it was removed a moment ago.
                Some(id) => self.0.known.get(&id).or_else(|| self.0.default.clone()),
                None => self.0.default.clone(),
            };
            let domain = match &route {
                Some(route) if route.smarthost.is_some() && self.leaves(row).await => String::new(),
                _ => row.recipient_domain.clone(),
            };
            ways.push(Way { route, domain });
        }
        Ok(ways)
    }

    /// Reads the routes that are not at hand.
    async fn learn(&self, rows: &[Leased]) -> Result<(), Error> {
        let Inner { db, seal, known, .. } = &*self.0;
        let missing: HashSet<RouteId> =
            rows.iter().filter_map(|row| row.route).filter(|id| !known.contains_key(id)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<RouteId> = missing.into_iter().collect();
        for row in db.routes(&missing).await? {
            known.insert(row.id, Arc::new(of_row(seal, row)));
        }
        Ok(())
    }

    /// Whether it is for nobody here: mail for mailboxes here waits for no smarthost.
    async fn leaves(&self, row: &Leased) -> bool {
        match Address::parse(&row.recipient) {
            Ok(address) => self.0.recipients.is_elsewhere(address.domain()).await.unwrap_or(true),
            Err(_) => true,
        }
    }
}

fn of_row(seal: &Seal, row: RouteRow) -> Route {
    let login = |user: String, sealed: &[u8], in_clear| {
        let opened = seal.open(row.id.0, sealed).ok().and_then(|text| String::from_utf8(text).ok());
        Login { user, password: opened.map(Secret::new), in_clear }
    };
    let smarthost =
        row.smarthost.map(|SmarthostRow { host, port, tls, login: own, auth_in_clear }| {
            let login = own.map(|(user, sealed)| login(user, &sealed, auth_in_clear));
            Smarthost { host, port, tls, login }
        });
    Route { id: Some(row.id), smarthost, source: row.source }
}

fn of_settings(relay: &config::Relay) -> Option<Route> {
    let login = (!relay.username.is_empty()).then(|| Login {
        user: relay.username.clone(),
        password: Some(relay.password.clone()),
        in_clear: relay.auth_in_clear,
    });
    let smarthost = (!relay.host.is_empty()).then(|| Smarthost {
        host: relay.host.clone(),
        port: relay.port,
        tls: relay.tls,
        login,
    });
    let source = relay.source_address;
    (smarthost.is_some() || source.is_some()).then_some(Route { id: None, smarthost, source })
}

impl Way {
    /// The server that takes it all, where there is one.
    pub fn smarthost(&self) -> Option<&Smarthost> {
        self.route.as_ref()?.smarthost.as_ref()
    }

    /// The address of ours that was chosen for it.
    pub fn source(&self) -> Option<IpAddr> {
        self.route.as_ref()?.source
    }
}

/// For people.
impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(smarthost) = &self.smarthost {
            write!(f, "smarthost {smarthost}")?;
        }
        match (&self.smarthost, self.source) {
            (Some(_), Some(source)) => write!(f, ", from {source}"),
            (None, Some(source)) => write!(f, "from {source}"),
            (_, None) => Ok(()),
        }
    }
}

/// `host:port`, and as whom.
impl std::fmt::Display for Smarthost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
        match &self.login {
            Some(login) => write!(f, " as {}", login.user),
            None => Ok(()),
        }
    }
}
