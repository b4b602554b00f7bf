//! The house's rules, read off the source text: which floor may name which,
//! where each library is wrapped, how long a file grows.
//!
//! The rules are in `rules.rs`; `source.rs` finds the paths that a file names.

mod rules;
mod source;

use std::path::{Path, PathBuf};

use source::Source;

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The Rust files under a folder of this package, named from its root.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join(folder), &mut files);
    files.sort();
    assert!(!files.is_empty());
    files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            Source::read(name, &std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn the_house_is_in_order() {
    let src = sources("src");
    let mut wrong = rules::all(&src);
    for test in sources("tests") {
        rules::unfinished(&test, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_key_of_the_configuration_is_explained() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml"));
    assert_eq!(rules::unexplained_keys(&manual.unwrap()), Vec::<String>::new());
    let sample =
        "# A.\n[a]\n# The key.\nx = 1\ny = 2\n\n[b]\nz = 3\n# W.\nw = [\n  'u = 1',\n]\n\nv = 4\n";
    assert_eq!(rules::unexplained_keys(sample), ["b.z", "b.v"]);
}

/// Each rule, broken by a sample.
#[test]
fn the_rules_see_what_breaks_them() {
    let complaint = |name: &str, text: &str| rules::all(&[Source::read(name, text)]).join("; ");
    let cases = [
        ("src/mail/a.rs", "use crate::smtp::reply;", "names smtp, which is above it"),
        ("src/mail/a.rs", "fn f() { koltrix_mail::http::x() }", "names http, which is above it"),
        ("src/mail/a/b.rs", "use super::super::super::imap::x;", "names imap"),
        ("src/mail/a.rs", "use crate::{domain::x, imap::{y, z}};", "names imap"),
        ("src/imap/a.rs", "use crate::smtp;", "names smtp, its neighbour"),
        ("src/imap/cmd/a.rs", "use crate::store::db::Db;", "names store"),
        ("src/news/a.rs", "", "stands on no floor"),
        ("src/mail/a.rs", "type X = sqlx::PgPool;", "names the crate sqlx"),
        ("src/mail/a.rs", "use aws_sdk_s3 as s3;", "names the crate aws_sdk_s3"),
        ("src/smtp/a.rs", "use axum::Router;", "names the crate axum"),
        ("src/mail/a.rs", "use mail_parser::Message;", "names the crate mail_parser"),
        ("src/wire/a.rs", "use mail_auth::Error;", "names the crate mail_auth"),
        ("src/mail/a.rs", "use hickory_resolver::Name;", "names the crate hickory_resolver"),
        ("src/store/a.rs", "fn f() -> anyhow::Result<()> {}", "names the crate anyhow"),
        ("src/wire/a.rs", "async fn f() { tokio::spawn(x) }", "names the crate tokio"),
        ("src/domain/a.rs", "use std::{fmt, fs::File};", "std::fs"),
        ("src/config/a.rs", "fn f() { std::env::var(x) }", "std::env"),
        ("src/smtp/a.rs", "fn f() { TcpListener::bind(x) }", "binds a socket"),
        ("src/http/a.rs", "fn f() { tokio::net::UdpSocket::bind(x) }", "binds a socket"),
        ("src/store/a.rs", "fn f() { todo!() }", "todo!"),
        ("src/store/a.rs", "#[cfg(test)]\nmod tests { #[ignore] fn f() { } }", "#[ignore]"),
        ("src/store/a.rs", &"\n".repeat(351), "351 lines"),
        ("src/mail/a.rs", "#[cfg(test)]\nmod tests;\nuse sqlx::x;", "names the crate sqlx"),
    ];
    for (name, text, expected) in cases {
        let complaint = complaint(name, text);
        assert!(complaint.contains(expected), "{name} {text:.40}: {complaint:?}");
    }
    let cycle = [
        Source::read("src/store/a.rs", "use crate::net::x;"),
        Source::read("src/net/b.rs", "use crate::store::y;"),
    ];
    assert!(rules::all(&cycle).join("; ").contains("cycle"), "{:?}", rules::all(&cycle));
}

/// What looks wrong and is not.
#[test]
fn the_rules_leave_the_rest_alone() {
    let cases = [
        ("src/mail/a.rs", "// use crate::smtp;\n/* sqlx::x /* todo!() */ */ fn f() {}"),
        ("src/mail/a.rs", "const X: &str = \"crate::smtp \\\" sqlx::x\"; const C: char = '\"';"),
        ("src/mail/a.rs", "const X: &str = r#\"use sqlx::x; \" \"#; fn f<'a>(x: &'a str) {}"),
        ("src/mail/a.rs", "use crate::wire::{smtp::Line, imap};\nuse super::http_like::x;"),
        ("src/imap/a.rs", "use crate::imap::x; use crate::net::y; use crate::mail::z;"),
        ("src/store/a.rs", "use sqlx::x; use crate::domain::y;"),
        ("src/app.rs", "use crate::{http, store}; use axum::Router; use anyhow::Result;"),
        (
            "src/store/a.rs",
            &format!("{}#[cfg(test)]\nmod tests {{{}}}", "\n".repeat(300), "\n".repeat(99)),
        ),
        ("src/wire/a.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use tokio::x; use crate::smtp; }"),
        ("src/main.rs", "mod cli; fn main() { cli::main() }"),
    ];
    for (name, text) in cases {
        assert_eq!(rules::all(&[Source::read(name, text)]), Vec::<String>::new(), "{text:.40}");
    }
}
