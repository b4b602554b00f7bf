//! Which node this is: the same after a restart, so that it knows its leases again.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use crate::domain::ids::NodeId;

const FILE: &str = "node.id";

/// The id in the data directory, made when there is none. What is not an id is
/// replaced: all that is lost is that the leases of before run out by themselves.
pub fn node_id(data_dir: &Path) -> io::Result<NodeId> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            if let Ok(id) = text.trim().parse() {
                return Ok(id);
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let id = NodeId::random();
    let draft = data_dir.join(format!("{FILE}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&draft)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_id() {
        let dir = tempfile::tempdir().unwrap();
        let first = node_id(dir.path()).unwrap();
        assert_eq!(node_id(dir.path()).unwrap(), first);
        fs::write(dir.path().join(FILE), "half an i").unwrap();
        let second = node_id(dir.path()).unwrap();
        assert_ne!(second, first);
        assert_eq!(node_id(dir.path()).unwrap(), second);
        assert!(node_id(&dir.path().join("missing")).is_err());
    }
}
