//! koltrix-mail: a self-hosted, multi-tenant mail server with a tracking edge.
//!
//! One binary takes mail by SMTP, keeps it for many organisations in one
//! Postgres (a schema each) and an object store, lets ordinary clients read it
//! over IMAP and send over submission, signs, queues and tracks what leaves,
//! and answers the pixels and links that come back.
//!
//! # The house
//!
//! Five floors; imports only go down. `tests/it/tidy` reads the `use` lines and
//! says so.
//!
//! | floor | modules | what is there |
//! |---|---|---|
//! | 4 | `main`, `cli`, [`app`] | arguments, one file per command, the only wiring |
//! | 3 | [`smtp`], [`imap`], [`http`] | conversations: read, parse, is it allowed now?, call `mail`, answer |
//! | 2 | [`mail`] | what mail means here: recipients, login, ingest, submit, queue, deliver, tracking |
//! | 1 | [`store`], [`net`] | Postgres and objects; sockets, TLS, DNS |
//! | 0 | [`domain`], [`wire`], [`config`] | values; bytes to values and back; settings. No I/O |
//!
//! A file is named after the one thing in it: a verb of SMTP (`smtp/rcpt.rs`),
//! a command of IMAP (`imap/cmd/fetch.rs`), a noun of the store
//! (`store/folders.rs`). Each error is translated once per protocol:
//! `smtp/reply.rs`, `imap/status.rs`, `http/error.rs`.
//!
//! # The life of a message that comes in
//!
//! 1. `net::listener` accepts within bounds, `smtp::conn` reads verbs. RCPT
//!    asks [`mail::recipients`] once; the answer, with the rules of the
//!    mailboxes, stays in the session and at hand for the next one.
//! 2. DATA or BDAT is read to its true end into [`mail::incoming`]: small ones
//!    in memory, large ones in an unlinked file that is mapped, so that what
//!    follows reads them without holding them ([`mail::spool`]).
//! 3. [`mail::ingest`] is the one door. Once per organisation: trace fields,
//!    [`wire::mime::parse`] once, large attachments cut out, proof that the
//!    original can be put together again, objects made durable; then
//!    [`mail::rules`] decides for each mailbox without any I/O; then one call
//!    of the SQL function `store_emails`: thread, email, source, attachments and
//!    a folder entry with UID and MODSEQ for each mailbox, in one transaction
//!    and one round trip.
//! 4. Then, and only then, `250`. What fails before the commit is a 4xx; a
//!    retry of the same octets within 72 hours finds itself stored.
//! 5. [`mail::changes`] wakes whoever is in IDLE on those folders.
//!
//! # The life of a message that leaves
//!
//! 1. [`mail::submit`]: may this login use this author; then the message and
//!    one `outbound_messages` row per recipient, in one transaction; then `250`.
//! 2. The worker in `mail::deliver` leases rows (SKIP LOCKED) and commits.
//!    For each it makes that recipient's own octets (tracking, then DKIM; the
//!    same each time it is tried), and hands them to a mailbox here or to the
//!    MX. No transaction is open across the network.
//! 3. The result is settled in one statement: attempt, event, suppression,
//!    next state. `mail/outcome.rs` alone decides what a reply means. A bounce
//!    is stored and queued before the row it speaks of is settled.
//! 4. What comes back later, a bounce or a complaint, finds its row by the
//!    return path or by what it says of the message: [`mail::returned`].
//!
//! # What always holds
//!
//! - 250 means committed. Object first, then row, then reply.
//! - A tenant's tables are reached through a [`store::tenant::Tenant`] handle
//!   only. Its transactions run in the tenant's own database role and
//!   search_path; row-level security on `public` asks that role.
//! - Only `store` names sqlx or the S3 client, only `http` names axum, only
//!   `net` binds a socket; each protocol crate is wrapped once.
//! - No octet from outside panics, hangs or grows memory without bound.
//!
//! # Where this differs from what one would expect, and why
//!
//! - **No NOTIFY in a transaction that stores mail.** Postgres holds a
//!   database-wide lock from the NOTIFY until that commit is on disk, so one
//!   in every delivery would make all commits wait for each other. Waiters on
//!   this node are woken in process after the commit; other nodes are told by a
//!   gathering notifier some times a second, and ask for everything after a
//!   lost connection. Triggers still notify for rows that other programs write:
//!   the server's own connections set `koltrix.quiet`.
//! - **Role and search_path are local to a transaction, always.** `enter_tenant`
//!   travels with BEGIN in one round trip, so there is nothing to reset when a
//!   connection goes back to the pool, and `store/tx.rs` sees to it that a
//!   future dropped half-way takes its transaction with it.
//! - **Functions over a tenant's tables live in its schema.** One in `public`
//!   that works on whatever schema is entered is planned anew each time a
//!   connection turns to another tenant: twice the CPU per message.
//! - **Answers of the directory are kept, and still never old.** NOTIFY drops
//!   them, but comes a moment after the commit it speaks of. So the storing
//!   transaction compares `directory_version` with the one it was decided by,
//!   and what is behind is decided anew.
//! - **The MIME shape is read by our own linear pass**, since everything stored
//!   is a range of the original; mail-parser decodes values.
//!
//! # Where to start reading
//!
//! `app/mod.rs` for what runs, `mail/ingest/mod.rs` for what comes in,
//! `mail/submit/mod.rs` and `mail/deliver/` for what leaves,
//! `migrations/0004_tenant_mail.sql` for what is kept.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod app;
pub mod config;
pub mod domain;
pub mod http;
pub mod imap;
pub mod mail;
pub mod net;
pub mod smtp;
pub mod store;
pub mod wire;
