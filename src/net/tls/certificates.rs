//! The certificates of this server: one for its own name, and one for each hosted domain that has
//! a folder of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::load::{self, CHAIN, KEY};
use super::{TlsError, is_host_name};

/// What is presented, chosen by the name that a client asks for; can be replaced while running.
#[derive(Debug)]
pub(super) struct Certificates {
    dir: PathBuf,
    /// Our own name: the pair in a folder of that name goes before the one beside it.
    hostname: String,
    loaded: RwLock<Arc<Loaded>>,
}

#[derive(Debug)]
struct Loaded {
    own: Arc<CertifiedKey>,
    hosted: HashMap<String, Arc<CertifiedKey>>,
    /// What the files looked like.
    seen: Seen,
}

/// Each file with its time and its length.
type Seen = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl Certificates {
    /// Reads `fullchain.pem` and `privkey.pem` in `dir`, and in each folder there that has the name
    /// of a host.
    pub(super) fn open(dir: PathBuf, hostname: &str) -> Result<Self, TlsError> {
        let seen = look(&dir);
        let own = Arc::new(load::pair(&dir)?);
        let hosted = hosted(&dir, &HashMap::new());
        let hostname = hostname.to_ascii_lowercase();
        let loaded = RwLock::new(Arc::new(Loaded { own, hosted, seen }));
        Ok(Self { dir, hostname, loaded })
    }

    /// Whether the files are others than those that were read.
    pub(super) fn is_stale(&self) -> bool {
        look(&self.dir) != self.loaded().seen
    }

    /// Reads them again. What is unusable now stays as it was.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let (before, seen) = (self.loaded(), look(&self.dir));
        let hosted = hosted(&self.dir, &before.hosted);
        let own = load::pair(&self.dir);
        // Where the pair does not fit together, it is half replaced: to be looked at again.
        let seen = if own.is_ok() { seen } else { Seen::new() };
        let (own, result) = match own {
            Ok(own) => (Arc::new(own), Ok(())),
            Err(error) => (Arc::clone(&before.own), Err(error)),
        };
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Loaded { own, hosted, seen });
        result
    }

    /// The certificate for `name`: its own folder's, that of the domain above it where it names
    /// this host too, else the server's.
    pub(super) fn for_name(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let loaded = self.loaded();
        let found = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let above = || {
                let (_, domain) = name.split_once('.')?;
                loaded.hosted.get(domain).filter(|pair| names(pair, &name))
            };
            loaded.hosted.get(&name).or_else(above)
        });
        let own = || loaded.hosted.get(&self.hostname).unwrap_or(&loaded.own);
        Arc::clone(found.unwrap_or_else(own))
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.for_name(hello.server_name()))
    }
}

/// The folders of hosts; `before` stands in for one that cannot be read.
fn hosted(
    dir: &Path,
    before: &HashMap<String, Arc<CertifiedKey>>,
) -> HashMap<String, Arc<CertifiedKey>> {
    let pair = |name: String| match load::pair(&dir.join(&name)) {
        Ok(pair) => Some((name, Arc::new(pair))),
        Err(error) => {
            tracing::warn!(%error, "a domain's certificate is not usable; the old one stays");
            before.get(&name).map(|pair| (name, Arc::clone(pair)))
        }
    };
    hosts(dir).filter_map(pair).collect()
}

fn hosts(dir: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_host_name(name) && *name == name.to_ascii_lowercase())
}

fn look(dir: &Path) -> Seen {
    let mut folders: Vec<PathBuf> = hosts(dir).map(|name| dir.join(name)).collect();
    folders.sort_unstable();
    folders.push(dir.to_owned());
    let files = folders.iter().flat_map(|folder| [folder.join(CHAIN), folder.join(KEY)]);
    files
        .map(|file| {
            // Through links: a renewal often moves where they point.
            let facts = std::fs::metadata(&file).ok();
            let time = facts.as_ref().and_then(|facts| facts.modified().ok());
            (file, time, facts.map_or(0, |facts| facts.len()))
        })
        .collect()
}

fn names(pair: &CertifiedKey, host: &str) -> bool {
    let leaf = pair.end_entity_cert().and_then(ParsedCertificate::try_from);
    let name = ServerName::try_from(host);
    leaf.is_ok_and(|leaf| name.is_ok_and(|name| verify_server_name(&leaf, &name).is_ok()))
}
