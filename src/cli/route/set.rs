//! `koltrix-mail route set`

use std::net::IpAddr;

use anyhow::{Context as _, bail, ensure};
use koltrix_mail::config::is_host_name;
use koltrix_mail::domain::ids::RouteId;
use koltrix_mail::domain::smarthost::SmarthostTls;
use koltrix_mail::mail::seal::Seal;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::delivery_routes::{RouteRow, SmarthostRow};
use koltrix_mail::store::master_key::{self, MasterKey};

use super::Whose;
use super::list::show;
use crate::cli::context::Context;
use crate::cli::output::Format;
use crate::cli::secret;

/// Set the route of an organisation or of one of its domains, in the place of the one before. The
/// smarthost's password is asked for, or read from standard input.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  koltrix-mail route set acme --smarthost relay.example --username acme\n  \
                  koltrix-mail route set acme --domain news.acme.example --source 192.0.2.26"
)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
    /// The server that takes the mail: a name or an address.
    #[arg(long, value_name = "HOST", required_unless_present = "source")]
    smarthost: Option<String>,
    /// Where it listens.
    #[arg(long, default_value_t = 587, requires = "smarthost")]
    port: u16,
    /// opportunistic, starttls or implicit; the last two only with a host that proves its name.
    #[arg(long, default_value = "starttls", value_name = "MODE", requires = "smarthost")]
    tls: SmarthostTls,
    /// Log in as this user.
    #[arg(long, value_name = "NAME", requires = "smarthost")]
    username: Option<String>,
    /// Send the password even where there is no TLS; with `--tls opportunistic`.
    #[arg(long, requires = "username")]
    auth_in_clear: bool,
    /// Connect from this address of this machine.
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, db: &Db, context: &Context) -> anyhow::Result<()> {
        let (tenant, domain) = self.whose.find(db).await?;
        let id = RouteId::random();
        let smarthost = match &self.smarthost {
            Some(host) => Some(self.smarthost(host, id, context)?),
            None => None,
        };
        db.set_route(&RouteRow { id, tenant, domain, smarthost, source: self.source }).await?;
        let mut routes = db.list_routes(Some(tenant)).await?;
        routes.retain(|named| named.route.id == id);
        show(&routes, self.format)
    }

    fn smarthost(
        &self,
        host: &str,
        id: RouteId,
        context: &Context,
    ) -> anyhow::Result<SmarthostRow> {
        ensure!(
            is_host_name(host) || host.parse::<IpAddr>().is_ok(),
            "{host} is neither a host name nor an address"
        );
        ensure!(self.port > 0, "a smarthost listens on a port from 1 to 65535");
        ensure!(
            !self.auth_in_clear || self.tls == SmarthostTls::Opportunistic,
            "--auth-in-clear goes with --tls opportunistic: otherwise there always is TLS"
        );
        let login = match &self.username {
            Some(user) => Some((user.clone(), sealed(user, id, context)?)),
            None => None,
        };
        let (host, port) = (host.to_ascii_lowercase(), self.port);
        Ok(SmarthostRow { host, port, tls: self.tls, login, auth_in_clear: self.auth_in_clear })
    }
}

/// The password, which is asked for, sealed for the row.
fn sealed(user: &str, id: RouteId, context: &Context) -> anyhow::Result<Vec<u8>> {
    let data_dir = &context.config.server.data_dir;
    let environment = std::env::var("KOLTRIX_MASTER_KEY").ok();
    ensure!(
        environment.is_some() || data_dir.join(master_key::FILE).is_file(),
        "there is no {} in {}: start the server once, or set KOLTRIX_MASTER_KEY to the key of its nodes",
        master_key::FILE,
        data_dir.display()
    );
    let key = MasterKey::load(data_dir, environment.as_deref())?;
    let password = secret::read()?;
    if user.is_empty() || user.len() > 255 || password.is_empty() {
        bail!("a user name has 1 to 255 octets, and a password at least one");
    }
    // RFC 4616 §2: NUL parts the two.
    ensure!(!user.contains('\0') && !password.contains('\0'), "there is a NUL in what was given");
    Seal::new(&key)?.seal(id.0, password.as_bytes()).context("the password cannot be sealed")
}
