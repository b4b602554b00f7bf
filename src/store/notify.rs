//! Postgres NOTIFY: how nodes and other programs tell each other of changes.

use sqlx::postgres::PgListener;

use crate::store::db::Db;
use crate::store::error::Error;

/// What a NOTIFY is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    /// Organisations, domains, mailboxes or their credentials changed.
    Directory,
    /// Rows of the queue became due.
    Queue,
    /// Folders changed; the payload is their ids, separated by spaces.
    Folder,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Directory, Self::Queue, Self::Folder];

    fn name(self) -> &'static str {
        match self {
            Self::Directory => "kx_directory",
            Self::Queue => "kx_queue",
            Self::Folder => "kx_folder",
        }
    }
}

/// Listens on every channel.
pub struct Listener(PgListener);

/// What a listener hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Something changed.
    Changed(Channel, String),
    /// The connection is lost: anything may have changed. Listen anew.
    Gap,
}

impl Db {
    /// Opens a connection that hears every channel.
    pub async fn listen(&self) -> Result<Listener, Error> {
        let mut listener = PgListener::connect_with(self.pool()).await?;
        // Whoever listens is to know when nothing is heard.
        listener.eager_reconnect(false);
        listener.listen_all(Channel::ALL.map(Channel::name)).await?;
        Ok(Listener(listener))
    }

    /// Tells every node. A transaction of its own, not waiting for the disk:
    /// a NOTIFY holds a database-wide lock until its commit is done.
    pub async fn notify(&self, channel: Channel, payload: &str) -> Result<(), Error> {
        sqlx::query("SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)")
            .bind(channel.name())
            .bind(payload)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

impl Listener {
    /// Waits for the next change.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while the database cannot be reached; call again.
    pub async fn next(&mut self) -> Result<Heard, Error> {
        loop {
            let Some(heard) = self.0.try_recv().await? else {
                return Ok(Heard::Gap);
            };
            if let Some(channel) = Channel::ALL.into_iter().find(|c| c.name() == heard.channel()) {
                return Ok(Heard::Changed(channel, heard.payload().to_owned()));
            }
        }
    }
}
