//! The cluster on disk: where it is, how it is made, how it is run.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use super::Durability;
use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::owner::{self, Owner};
use super::process::{self, Process};

/// Where and as whom the cluster runs.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    home: PathBuf,
    socket_dir: PathBuf,
    binaries: Binaries,
    owner: Option<Owner>,
    durability: Durability,
}

/// A socket's path has 107 octets (unix(7)); the file's name takes some.
const LONGEST_SOCKET_DIR: usize = 80;
/// Root's data directory may lie where the other user cannot go.
const SHARED: &str = "/var/lib/koltrix-mail";
/// The log begins anew when it has grown beyond this.
const LONGEST_LOG: u64 = 16 * 1024 * 1024;

impl Cluster {
    /// Makes the folders that hold it.
    pub(super) fn locate(
        data_dir: &Path,
        binaries: Binaries,
        durability: Durability,
    ) -> Result<Self, EmbeddedError> {
        let owner = owner::choose()?;
        let data_dir = data_dir.canonicalize().map_err(EmbeddedError::io(data_dir))?;
        let name = short_name(&data_dir);
        let home = match owner {
            Some(_) if !owner::open_to_all(&data_dir) => Path::new(SHARED).join(&name),
            _ => data_dir.join("postgres"),
        };
        make_private(&home, owner)?;
        let socket_dir = match home.as_os_str().len() {
            ..LONGEST_SOCKET_DIR => home.join("run"),
            _ => std::env::temp_dir().join(name),
        };
        make_private(&socket_dir, owner)?;
        Ok(Self { home, socket_dir, binaries, owner, durability })
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// How to connect as `role` to `database`.
    pub(super) fn url(&self, role: &str, database: &str) -> String {
        let host: String = self
            .socket_dir
            .as_os_str()
            .as_encoded_bytes()
            .iter()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(*byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect();
        format!("postgres://{role}@localhost/{database}?host={host}&port=5432")
    }

    /// One process at a time: the lock goes with the file that is returned.
    pub(super) fn lock(&self) -> Result<File, EmbeddedError> {
        let path = self.home.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(EmbeddedError::io(&path))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            EmbeddedError::Taken { dir: self.home.clone(), url: self.url("koltrix", "koltrix") }
        })?;
        Ok(file)
    }

    /// We have the lock, so a postmaster that still runs here has lost its
    /// server; it is stopped, and what it knows is on disk.
    pub(super) async fn stop_leftover(&self) -> Result<(), EmbeddedError> {
        let Some(pid) = self.leftover() else { return Ok(()) };
        tracing::info!(pid, "stopping the Postgres of a server that was killed");
        for signal in [Signal::INT, Signal::QUIT] {
            process::signal(pid, signal);
            for _ in 0..300 {
                if self.leftover().is_none() {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Err(self.failed(format!("an old one with pid {pid} does not stop")))
    }

    /// The pid in postmaster.pid, when that process is a Postgres on this cluster.
    fn leftover(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid: i32 = text.lines().next()?.trim().parse().ok()?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command);
        let here = self.data().display().to_string();
        command.split('\0').any(|word| word == here).then_some(pid)
    }

    /// Makes the cluster beside its place and moves it there when it is whole.
    pub(super) async fn create_if_missing(&self) -> Result<(), EmbeddedError> {
        if let Ok(version) = std::fs::read_to_string(self.data().join("PG_VERSION")) {
            let version = version.trim();
            if version != self.binaries.major.to_string() {
                return Err(EmbeddedError::OtherVersion {
                    dir: self.home.clone(),
                    cluster: version.to_owned(),
                    binaries: self.binaries.major,
                });
            }
            return Ok(());
        }
        let new = self.home.join("data.new");
        if new.exists() {
            std::fs::remove_dir_all(&new).map_err(EmbeddedError::io(&new))?;
        }
        let mut command = self.command("initdb", false);
        command
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D"])
            .arg(&new);
        if self.durability == Durability::None {
            command.arg("--no-sync");
        }
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .map_err(std::io::Error::other)
            .and_then(|output| output)
            .map_err(EmbeddedError::io(&self.binaries.dir))?;
        if !output.status.success() {
            return Err(self.failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        std::fs::rename(&new, self.data()).map_err(EmbeddedError::io(&new))
    }

    /// Starts the postmaster, in a process group of its own: Ctrl-C is for us.
    pub(super) fn spawn(&self) -> Result<Process, EmbeddedError> {
        let log = self.open_log().map_err(EmbeddedError::io(self.log()))?;
        let mut command = self.command("postgres", true);
        command.arg("-D").arg(self.data()).args(self.settings());
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Process::start(command).map_err(EmbeddedError::io(&self.binaries.dir))
    }

    fn settings(&self) -> Vec<String> {
        let socket_dir = self.socket_dir.display();
        let durable = self.durability == Durability::Full;
        let mut settings = vec![
            "listen_addresses=".into(),
            format!("unix_socket_directories={socket_dir}"),
            "unix_socket_permissions=0700".into(),
            "port=5432".into(),
            "max_connections=100".into(),
            "shared_buffers=128MB".into(),
            // One migration may touch every organisation's tables at once.
            "max_locks_per_transaction=1024".into(),
            "jit=off".into(),
        ];
        if !durable {
            settings.extend(
                ["fsync", "synchronous_commit", "full_page_writes"].map(|s| format!("{s}=off")),
            );
        }
        settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }

    /// A server program as its owner, its environment cleared; with us it ends.
    fn command(&self, program: &str, tied: bool) -> Command {
        let path = self.binaries.dir.join(program);
        let mut command = match setpriv() {
            Some(setpriv) if tied => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "INT"]);
                if let Some(owner) = self.owner {
                    command.args([
                        "--reuid",
                        &owner.uid.to_string(),
                        "--regid",
                        &owner.gid.to_string(),
                    ]);
                    command.arg("--clear-groups");
                }
                command.arg(path);
                command
            }
            _ => {
                let mut command = Command::new(path);
                if let Some(owner) = self.owner {
                    command.uid(owner.uid).gid(owner.gid);
                }
                command
            }
        };
        command.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", "/usr/bin:/bin").current_dir("/");
        command
    }

    fn open_log(&self) -> std::io::Result<File> {
        let path = self.log();
        let long = path.metadata().is_ok_and(|m| m.len() > LONGEST_LOG);
        OpenOptions::new().create(true).write(true).truncate(long).append(!long).open(path)
    }

    /// With the last words of the log.
    pub(super) fn failed(&self, reason: String) -> EmbeddedError {
        EmbeddedError::Failed { reason, log: self.log() }
    }
}

/// util-linux's, which every Debian and Ubuntu has.
fn setpriv() -> Option<PathBuf> {
    ["/usr/bin/setpriv", "/bin/setpriv"].map(PathBuf::from).into_iter().find(|path| path.is_file())
}

/// A name for the data directory that is short and its own.
fn short_name(data_dir: &Path) -> String {
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        data_dir.as_os_str().as_encoded_bytes(),
    );
    let head: String = digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("koltrix-mail-{head}")
}

/// A folder that only the cluster's owner can enter.
fn make_private(path: &Path, owner: Option<Owner>) -> Result<(), EmbeddedError> {
    if path.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(EmbeddedError::io(path))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
        .map_err(EmbeddedError::io(path))?;
    owner.map_or(Ok(()), |owner| owner.take(path))
}
