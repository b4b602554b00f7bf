//! What no wall can stop is not written anywhere: a statement that changes its own role.

use std::path::{Path, PathBuf};

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

/// Every file of the server and its migrations that holds one of these, in any case.
fn holding(needles: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(&root.join("src"), &mut all);
    files(&root.join("migrations"), &mut all);
    let mut found = Vec::new();
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        // An element of DMARC reports is no schema, and Postgres's words for a refusal no change.
        let text = text.replace("org_name", "").replace("permission denied to set role", "");
        if needles.iter().any(|needle| text.contains(needle)) {
            found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn only_enter_tenant_changes_the_role() {
    let needles = ["set role", "reset role", "session authorization", "set_config('role'"];
    // The function, and the function as it stands.
    let files = ["migrations/0001_walls.sql", "migrations/0037_plans.sql"];
    assert_eq!(holding(&needles), files);
}

#[test]
fn no_sql_of_the_server_names_an_organisations_schema() {
    let in_src: Vec<String> = holding(&["org_{", "'org_", "\"org_", " org_"])
        .into_iter()
        // The ground floor knows no SQL; there, Clerk's organisations have such names.
        .filter(|name| name.starts_with("src/") && !name.starts_with("src/wire/"))
        .collect();
    assert_eq!(in_src, Vec::<String>::new());
}
