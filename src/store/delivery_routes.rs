//! `public.delivery_routes`: how mail leaves, where it does not go straight to its recipients' servers.

use std::net::IpAddr;

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Uuid;

use crate::domain::ids::{DomainId, RouteId, TenantId};
use crate::domain::smarthost::SmarthostTls;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::word;

/// One route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteRow {
    /// The row's id, which the password was sealed for.
    pub id: RouteId,
    /// Whose mail takes it.
    pub tenant: TenantId,
    /// And from which domain; `None`: from any.
    pub domain: Option<DomainId>,
    /// Where the smarthost is, if it leads to one.
    pub smarthost: Option<SmarthostRow>,
    /// The address of ours that connections come from.
    pub source: Option<IpAddr>,
}

/// Where a smarthost is, and what it wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmarthostRow {
    /// A name or an address.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// What of TLS there has to be.
    pub tls: SmarthostTls,
    /// The user name and the sealed password.
    pub login: Option<(String, Vec<u8>)>,
    /// The password may be sent without TLS.
    pub auth_in_clear: bool,
}

/// A route with the names of its organisation and domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedRoute {
    /// The organisation's slug.
    pub tenant: String,
    /// The domain.
    pub domain: Option<String>,
    /// The route.
    pub route: RouteRow,
}

/// Columns of [`RouteRow`], with those before them, and where they come from.
macro_rules! select {
    ($first:literal, $rest:literal) => {
        concat!(
            "SELECT ", $first, "r.id, r.tenant_id, r.domain_id, r.host, r.port, r.tls, r.username, r.password_sealed,
                r.auth_in_clear, host(r.source_address) AS source FROM public.delivery_routes r ", $rest
        )
    };
}

impl Db {
    /// The routes of these ids that there are.
    pub async fn routes(&self, ids: &[RouteId]) -> Result<Vec<RouteRow>, Error> {
        let rows = sqlx::query(select!("", "WHERE r.id = ANY ($1)"))
            .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(route).collect()
    }

    /// Every route, or one organisation's; by slug, the organisation's own before its domains'.
    pub async fn list_routes(&self, tenant: Option<TenantId>) -> Result<Vec<NamedRoute>, Error> {
        let rows = sqlx::query(select!(
            "t.slug, d.domain, ",
            "JOIN public.tenants t ON t.id = r.tenant_id LEFT JOIN public.tenant_domains d ON d.id = r.domain_id
             WHERE $1::uuid IS NULL OR r.tenant_id = $1 ORDER BY t.slug, d.domain NULLS FIRST"
        ))
        .bind(tenant.map(|tenant| tenant.0))
        .fetch_all(self.pool())
        .await?;
        let named = |row: &PgRow| {
            let (tenant, domain) = (row.try_get("slug")?, row.try_get("domain")?);
            Ok(NamedRoute { tenant, domain, route: route(row)? })
        };
        rows.iter().map(named).collect()
    }

    /// Puts a route in the place of the one that was there before.
    pub async fn set_route(&self, new: &RouteRow) -> Result<(), Error> {
        let smarthost = new.smarthost.as_ref();
        let login = smarthost.and_then(|smarthost| smarthost.login.as_ref());
        sqlx::query(
            "INSERT INTO public.delivery_routes (id, tenant_id, domain_id, host, port, tls, username, password_sealed,
                auth_in_clear, source_address)
             VALUES ($1, $2, $3, $4, coalesce($5, 587), coalesce($6, 'starttls'), $7, $8, coalesce($9, false), $10::inet)
             ON CONFLICT ON CONSTRAINT delivery_routes_tenant_id_domain_id_key DO UPDATE SET id = excluded.id,
                host = excluded.host, port = excluded.port, tls = excluded.tls, username = excluded.username,
                password_sealed = excluded.password_sealed, auth_in_clear = excluded.auth_in_clear,
                source_address = excluded.source_address, created_at = now()",
        )
        .bind(new.id.0)
        .bind(new.tenant.0)
        .bind(new.domain.map(|domain| domain.0))
        .bind(smarthost.map(|smarthost| smarthost.host.as_str()))
        .bind(smarthost.map(|smarthost| i32::from(smarthost.port)))
        .bind(smarthost.map(|smarthost| smarthost.tls.as_str()))
        .bind(login.map(|(user, _)| user.as_str()))
        .bind(login.map(|(_, sealed)| sealed.as_slice()))
        .bind(smarthost.map(|smarthost| smarthost.auth_in_clear))
        .bind(new.source.map(|source| source.to_string()))
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Removes the route of an organisation, or of one of its domains. Whether there was one.
    pub async fn remove_route(
        &self,
        tenant: TenantId,
        domain: Option<DomainId>,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "DELETE FROM public.delivery_routes WHERE tenant_id = $1 AND domain_id IS NOT DISTINCT FROM $2",
        )
        .bind(tenant.0)
        .bind(domain.map(|domain| domain.0))
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn route(row: &PgRow) -> Result<RouteRow, Error> {
    let source: Option<&str> = row.try_get("source")?;
    let source = source.map(str::parse).transpose();
    Ok(RouteRow {
        id: RouteId(row.try_get("id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        domain: row.try_get::<Option<Uuid>, _>("domain_id")?.map(DomainId),
        smarthost: smarthost(row)?,
        source: source.map_err(|_| Error::Corrupt("a source address is none".to_owned()))?,
    })
}

fn smarthost(row: &PgRow) -> Result<Option<SmarthostRow>, Error> {
    let Some(host) = row.try_get("host")? else { return Ok(None) };
    let user: Option<String> = row.try_get("username")?;
    Ok(Some(SmarthostRow {
        host,
        port: u16::try_from(row.try_get::<i32, _>("port")?).unwrap_or_default(),
        tls: word(row.try_get("tls")?)?,
        login: user.zip(row.try_get("password_sealed")?),
        auth_in_clear: row.try_get("auth_in_clear")?,
    }))
}
