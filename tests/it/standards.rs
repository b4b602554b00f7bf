//! The README's table of standards is true: every RFC that the code names is
//! in it, and every file it names is there and speaks of that RFC.

use std::collections::BTreeSet;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The numbers behind `RFC ` in a text.
fn cited(text: &str) -> BTreeSet<u32> {
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    text.split("RFC ").skip(1).filter_map(number).collect()
}

fn cited_below(folder: &Path) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            all.extend(cited_below(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.extend(cited(&std::fs::read_to_string(path).unwrap()));
        }
    }
    all
}

/// RFC, yes or partial or no, files.
fn table() -> Vec<(u32, String, Vec<String>)> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = cells.get(1)?.parse().ok()?;
        let files = cells.get(4)?.split(", ").map(|f| f.trim_matches('`').to_owned()).collect();
        Some((number, cells.get(3)?.to_string(), files))
    };
    readme.lines().filter_map(row).collect()
}

#[test]
fn every_standard_that_the_code_names_is_in_the_table() {
    let listed: BTreeSet<u32> = table().iter().map(|(number, ..)| *number).collect();
    let missing: Vec<u32> = cited_below(&root().join("src")).difference(&listed).copied().collect();
    assert!(missing.is_empty(), "not in README's table of standards: {missing:?}");
}

#[test]
fn every_row_of_the_table_leads_to_its_standard() {
    let rows = table();
    assert!(rows.len() > 40, "the table was not found");
    for (number, state, files) in rows {
        assert!(["yes", "partial", "no"].contains(&state.as_str()), "RFC {number}: {state}");
        for file in files {
            let text = std::fs::read_to_string(root().join(&file))
                .unwrap_or_else(|e| panic!("{file}: {e}"));
            assert!(cited(&text).contains(&number), "{file} does not speak of RFC {number}");
        }
    }
}

/// Capabilities that the README says are here are announced.
#[test]
fn the_table_of_extensions_claims_nothing_that_is_not_there() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let announced = read("src/imap/capability.rs") + &read("src/imap/server.rs");
    let readme = read("README.md");
    let claimed: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | yes |"))
        .map(|(name, _)| name)
        .collect();
    assert!(claimed.len() > 20, "the table was not found");
    for name in claimed {
        let found = [format!("\"{name}\""), format!("\"{name}=")];
        assert!(found.iter().any(|found| announced.contains(found)), "{name}");
    }
}
