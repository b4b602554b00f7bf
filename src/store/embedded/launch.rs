//! The command lines of `initdb` and `postgres`.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::io::FdFlags;

use super::account::Account;
use super::binaries::Binaries;
use super::bootstrap::PORT;
use super::cluster::{Cluster, descriptor_path};
use super::error::EmbeddedError;
use super::{Durability, Settings, log};

/// Ends a child when the thread that started it ends (util-linux).
const SETPRIV: [&str; 3] = ["/usr/bin/setpriv", "--pdeathsig", "INT"];

/// Not for the user to change: what the server relies on, and logs without anybody's data. What is
/// wrong with a statement is told to the server, which asked, and to nobody else.
const OPTIONS: [&str; 16] = [
    "listen_addresses=",
    // Relative to the cluster's folder, so that its length and what lies above it do not matter.
    "unix_socket_directories=.",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    // A migration over all organisations is one transaction.
    "max_locks_per_transaction=1024",
    // A role that the server makes gives it nothing that was not granted by name.
    "createrole_self_grant=",
    "jit=off",
    "timezone=UTC",
    "log_error_verbosity=terse",
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_checkpoints=off",
];
const THROWN_AWAY: [&str; 3] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// How to start one cluster.
pub(super) struct Launch {
    cluster: Cluster,
    binaries: Binaries,
    account: Option<Account>,
    durability: Durability,
    max_connections: u32,
    dies_with_us: bool,
}

impl Launch {
    pub(super) fn new(
        cluster: Cluster,
        binaries: Binaries,
        account: Option<Account>,
        settings: &Settings,
    ) -> Self {
        let [program, flag, signal] = SETPRIV;
        let check = Command::new(program).args([flag, signal, "/bin/true"]).status();
        Self {
            cluster,
            binaries,
            account,
            durability: settings.durability,
            max_connections: settings.max_connections,
            dies_with_us: check.is_ok_and(|status| status.success()),
        }
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Makes the cluster, whole or not at all.
    pub(super) fn initdb(&self) -> Result<(), EmbeddedError> {
        let draft = self.cluster.draft();
        let failed = |error| EmbeddedError::Io { path: draft.clone(), error };
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(failed)?;
        }
        DirBuilder::new().mode(0o700).create(&draft).map_err(failed)?;
        if let Some(Account { uid, gid }) = self.account {
            chown(&draft, Some(uid), Some(gid)).map_err(failed)?;
        }
        let (mut command, dir) = self.command("initdb", &draft)?;
        // One sync of the file system below costs a sixth of initdb's file by file.
        command.args([
            "--no-sync",
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=reject",
        ]);
        command.args(["--encoding=UTF8", "--locale=C.UTF-8"]);
        let output = command.stdin(Stdio::null()).output().map_err(failed)?;
        if !output.status.success() {
            return Err(EmbeddedError::Initdb(log::last_words(&output.stderr)));
        }
        if self.durability == Durability::Full {
            rustix::fs::syncfs(&dir).map_err(|error| failed(error.into()))?;
        }
        fs::rename(&draft, self.cluster.dir()).map_err(failed)
    }

    /// Starts `postgres` in the foreground; it ends with the calling thread where the system can do
    /// that. Its words come on the child's standard error.
    pub(super) fn postgres(&self) -> Result<Child, EmbeddedError> {
        let (mut command, _dir) = self.command("postgres", self.cluster.dir())?;
        command.arg("-c").arg(format!("max_connections={}", self.max_connections));
        command.arg("-c").arg(format!("port={PORT}"));
        let thrown_away = match self.durability {
            Durability::Full => &[][..],
            Durability::None => &THROWN_AWAY[..],
        };
        for option in OPTIONS.iter().chain(thrown_away) {
            command.args(["-c", option]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().map_err(EmbeddedError::io(self.binaries.dir.join("postgres")))
    }

    /// A program on a folder, with an empty environment. The folder's descriptor has to stay open
    /// until the program was started.
    fn command(&self, program: &str, dir: &Path) -> Result<(Command, File), EmbeddedError> {
        let program = self.binaries.dir.join(program);
        let mut command = if self.dies_with_us {
            let [setpriv, flag, signal] = SETPRIV;
            let mut command = Command::new(setpriv);
            command.args([flag, signal]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let open = File::open(dir).map_err(EmbeddedError::io(dir))?;
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/").arg("-D");
        // Ctrl-C is for the server, which still has work to finish on the cluster.
        command.process_group(0);
        if let Some(account) = self.account {
            account.apply(&mut command);
            // By descriptor, inherited: the way from / to here may be closed to the account.
            rustix::io::fcntl_setfd(&open, FdFlags::empty())
                .map_err(|error| EmbeddedError::Io { path: dir.into(), error: error.into() })?;
            command.arg(descriptor_path(&open));
        } else {
            command.arg(dir);
        }
        Ok((command, open))
    }
}
