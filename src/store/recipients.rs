//! Whose is a recipient, and may a mailbox log in.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use sqlx::types::{Json, Uuid};

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;

/// The mailboxes behind a recipient address.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Their organisation.
    pub tenant: TenantId,
    /// Whether the organisation is active.
    pub active: bool,
    /// The organisation's `directory_version` that all this is of.
    pub version: i64,
    /// Whether the organisation has proven that the domain is its own.
    pub proven: bool,
    /// Whether every one of these mailboxes is suspended.
    pub suspended: bool,
    /// The mailboxes; several where an alias names several.
    pub mailboxes: Vec<MailboxRow>,
}

/// A mailbox with its rules as they are stored; see `mailbox_rules`.
#[derive(Clone, Debug, Deserialize)]
pub struct MailboxRow {
    /// Its id.
    pub id: Uuid,
    /// Its address.
    pub address: String,
    /// The person's name.
    pub name: Option<String>,
    /// Whether it has a quota.
    pub quota: bool,
    /// Enabled filters in their order.
    #[serde(default)]
    pub filters: Vec<FilterRow>,
    /// Enabled forwards.
    #[serde(default)]
    pub forwards: Vec<ForwardRow>,
    /// Enabled automatic replies.
    #[serde(default)]
    pub auto_replies: Vec<AutoReplyRow>,
    /// The templates that filters answer with.
    #[serde(default)]
    pub templates: HashMap<Uuid, TemplateRow>,
    /// Aliases that lead here, where there are automatic replies.
    #[serde(default)]
    pub own: Vec<String>,
}

/// A row of `email_filters`.
#[derive(Clone, Debug, Deserialize)]
pub struct FilterRow {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// When it acts.
    pub conditions: Value,
    /// What it does.
    pub actions: Value,
}

/// A row of `email_forwards`.
#[derive(Clone, Debug, Deserialize)]
pub struct ForwardRow {
    /// To whom.
    pub to: String,
    /// Whether the mailbox keeps the message too.
    pub keep: bool,
}

/// A row of `auto_replies`.
#[derive(Clone, Debug, Deserialize)]
pub struct AutoReplyRow {
    /// Its id.
    pub id: Uuid,
    /// Its own subject.
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// The HTML beside it.
    pub html: Option<String>,
    /// Seconds since 1970; `None` is since always.
    pub starts_at: Option<i64>,
    /// Seconds since 1970; `None` is until switched off.
    pub ends_at: Option<i64>,
    /// Further addresses that count as the mailbox's own.
    #[serde(default)]
    pub own: Vec<String>,
}

/// A row of `email_templates`.
#[derive(Clone, Debug, Deserialize)]
pub struct TemplateRow {
    /// The subject, with variables.
    pub subject: String,
    /// The text, with variables.
    pub text: Option<String>,
    /// The HTML, with variables.
    pub html: Option<String>,
    /// Values of variables that nobody gives.
    pub defaults: Value,
}

/// Whether mailboxes have room for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// One of them is full now.
    pub full: bool,
    /// The message is larger than all that one of them may hold.
    pub never: bool,
}

type Row = (Uuid, String, i64, bool, bool, Json<Vec<MailboxRow>>);

impl Db {
    /// Exact address, sub-address, alias, catch-all; `None` when nobody's.
    /// One round trip.
    pub async fn resolve_recipient(&self, address: &Address) -> Result<Option<Resolved>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT tenant_id, tenant_status, directory_version, proven, suspended, mailboxes
             FROM public.resolve_recipient($1)",
        )
        .bind(address.as_str())
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(tenant, status, version, proven, suspended, Json(mailboxes))| Resolved {
            tenant: TenantId(tenant),
            active: status == "active",
            version,
            proven,
            suspended,
            mailboxes,
        }))
    }

    /// The organisation that has proven that `domain` is its own, and whether
    /// it is active.
    pub async fn domain_tenant(&self, domain: &str) -> Result<Option<(TenantId, bool)>, Error> {
        let row: Option<(Uuid, bool)> = sqlx::query_as(
            "SELECT t.id, t.status = 'active' FROM public.tenant_domains d JOIN public.tenants t ON t.id = d.tenant_id
             WHERE d.domain = $1 AND d.verified_at IS NOT NULL",
        )
        .bind(domain)
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(tenant, active)| (TenantId(tenant), active)))
    }

    /// Whether `mailboxes` of `tenant` have room for `size` octets.
    pub async fn mailbox_room(
        &self,
        tenant: TenantId,
        mailboxes: &[AddressId],
        size: u64,
    ) -> Result<Room, Error> {
        let (full, never) =
            sqlx::query_as("SELECT is_full, never_fits FROM public.mailbox_room($1, $2, $3)")
                .bind(tenant.0)
                .bind(mailboxes.iter().map(|id| id.0).collect::<Vec<_>>())
                .bind(i64::try_from(size).unwrap_or(i64::MAX))
                .fetch_one(self.pool())
                .await?;
        Ok(Room { full, never })
    }

    /// Whether any organisation has proven that this domain is its own.
    pub async fn domain_is_proven(&self, domain: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.tenant_domains WHERE domain = $1 AND verified_at IS NOT NULL)",
        )
        .bind(domain)
        .fetch_one(self.pool())
        .await?)
    }

    /// Whether any organisation here has this domain, proven or claimed.
    pub async fn hosts_domain(&self, domain: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.tenant_domains WHERE domain = $1)",
        )
        .bind(domain)
        .fetch_one(self.pool())
        .await?)
    }
}
