//! The rules of the house, each a function that writes down what breaks it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// The floors, from the ground up; `lib` is `src/lib.rs` itself.
const FLOORS: [&[&str]; 5] = [
    &["domain", "wire", "config"],
    &["store", "net"],
    &["mail"],
    &["smtp", "imap", "http"],
    &["main", "cli", "app", "demo", "lib"],
];
/// Modules that speak a protocol: they know neither each other nor the store.
const CONVERSATIONS: usize = 3;
const TOP: usize = 4;

/// Where each crate is wrapped.
const WRAPPED: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("aws_sdk_s3", &["store"]),
    ("axum", &["http", "app"]),
    ("smtp_proto", &["wire"]),
    ("mail_parser", &["wire"]),
    ("mail_builder", &["wire"]),
    ("mail_auth", &["mail"]),
    ("mail_send", &["mail"]),
    ("hickory_resolver", &["net"]),
    ("anyhow", FLOORS[TOP]),
    ("clap", &["main", "cli"]),
];

/// What the ground floor does without.
const NO_IO: &[&[&str]] = &[
    &["tokio"],
    &["sqlx"],
    &["std", "fs"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "net", "TcpStream"],
    &["std", "net", "TcpListener"],
    &["std", "net", "UdpSocket"],
];

const SOCKETS: &[&str] = &["TcpListener", "TcpSocket", "UdpSocket", "UnixListener"];
const LONGEST_FILE: usize = 350;

/// Every complaint about the files of `src`.
pub(crate) fn all(files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let paths: Vec<_> = files.iter().map(Source::paths).collect();
    for (file, paths) in files.iter().zip(&paths) {
        for path in paths {
            imports(file, path, &mut wrong);
            crates(file, path, &mut wrong);
            sockets(file, path, &mut wrong);
            if let Some(to) = module_named(path)
                && to != file.top()
                && file.top() != "lib"
            {
                edges.entry(file.top()).or_default().insert(to);
            }
        }
        if floor(file.top()).is_none() {
            wrong.push(format!("{}: {} stands on no floor", file.name, file.top()));
        }
        if file.lines > LONGEST_FILE {
            wrong.push(format!("{}: {} lines before its tests", file.name, file.lines));
        }
        unfinished(file, &mut wrong);
    }
    cycles(&edges, &mut wrong);
    wrong.dedup();
    wrong
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The module below the root that a path leads into.
fn module_named(path: &[String]) -> Option<&str> {
    match path {
        [root, module, ..] if root == "crate" && floor(module).is_some() => Some(module),
        _ => None,
    }
}

fn imports(file: &Source, path: &[String], wrong: &mut Vec<String>) {
    let (from, Some(to)) = (file.top(), module_named(path)) else { return };
    let (Some(here), Some(there)) = (floor(from), floor(to)) else { return };
    let complaint = if there > here {
        "which is above it"
    } else if here == CONVERSATIONS && there == here && from != to {
        "its neighbour"
    } else if here == CONVERSATIONS && to == "store" {
        "which is for mail to ask"
    } else {
        return;
    };
    wrong.push(format!("{}: names {to}, {complaint}: {}", file.name, path.join("::")));
}

fn crates(file: &Source, path: &[String], wrong: &mut Vec<String>) {
    for (name, homes) in WRAPPED {
        if path[0] == *name && !homes.contains(&file.top()) {
            wrong.push(format!("{}: names the crate {name}, wrapped in {homes:?}", file.name));
        }
    }
    if floor(file.top()) == Some(0) {
        for banned in
            NO_IO.iter().filter(|banned| path.iter().zip(**banned).count() == banned.len())
        {
            if path.iter().zip(*banned).all(|(a, b)| a == b) {
                let what = banned.join("::");
                wrong.push(format!("{}: names the crate {what}: no I/O here", file.name));
            }
        }
    }
}

fn sockets(file: &Source, path: &[String], wrong: &mut Vec<String>) {
    let binds = path.windows(2).any(|two| SOCKETS.contains(&two[0].as_str()) && two[1] == "bind");
    if binds && file.top() != "net" {
        wrong.push(format!("{}: binds a socket, which only net does", file.name));
    }
}

/// Work that was put off, also in tests.
pub(crate) fn unfinished(file: &Source, wrong: &mut Vec<String>) {
    for window in file.all.windows(3) {
        let [first, second, third] = window else { continue };
        if ["todo", "unimplemented", "dbg"].contains(&first.as_str()) && second == "!" {
            wrong.push(format!("{}: {first}!", file.name));
        }
        if first == "#" && second == "[" && third == "ignore" {
            wrong.push(format!("{}: #[ignore]", file.name));
        }
    }
}

/// Modules that reach themselves through others.
fn cycles(edges: &BTreeMap<&str, BTreeSet<&str>>, wrong: &mut Vec<String>) {
    for start in edges.keys() {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = edges[start].iter().copied().collect();
        while let Some(module) = open.pop() {
            if seen.insert(module) {
                open.extend(edges.get(module).into_iter().flatten());
            }
        }
        if seen.contains(start) {
            wrong.push(format!("{start} is part of a cycle of modules"));
        }
    }
}

/// Keys of a TOML manual without a comment: in the lines above them, with only keys between, or
/// above their table's name.
pub(crate) fn unexplained_keys(manual: &str) -> Vec<String> {
    let (mut table, mut explained, mut missing) = (String::new(), false, Vec::new());
    for line in manual.lines() {
        if line.starts_with('#') {
            explained = true;
        } else if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut table);
        } else if line.is_empty() {
            explained = false;
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !explained
        {
            missing.push(format!("{table}.{key}"));
        }
    }
    missing
}
