//! A file as the rules see it: its place in the tree and the paths it names.

/// One Rust file, split into what ships and all of it.
pub(crate) struct Source {
    /// From the package's root, such as `src/mail/login.rs`.
    pub(crate) name: String,
    /// The module path, such as `["mail", "login"]`; empty for `lib.rs`.
    pub(crate) module: Vec<String>,
    /// Lines before the tests.
    pub(crate) lines: usize,
    /// Tokens before the tests.
    pub(crate) code: Vec<String>,
    /// Tokens with the tests.
    pub(crate) all: Vec<String>,
}

impl Source {
    /// Reads a file; one that is called `tests` is tests throughout.
    pub(crate) fn read(name: &str, text: &str) -> Self {
        let path = name.strip_suffix(".rs").unwrap_or(name);
        let mut module: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        let shipped = match module.last().map(String::as_str) {
            Some(last) if last == "tests" || last.ends_with("_tests") => "",
            _ => before_tests(text),
        };
        Self {
            name: name.to_owned(),
            lines: shipped.lines().count(),
            code: tokens(shipped),
            all: tokens(text),
            module,
        }
    }

    /// The module below the crate's root that this file belongs to.
    pub(crate) fn top(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    /// Every path that the shipped code names, `use` trees unfolded, `crate`, `koltrix_mail` and
    /// enough `super`s made the leading `crate`.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        let mut at = 0;
        while at < self.code.len() {
            if self.code[at] == "use" {
                at = use_tree(&self.code, at + 1, &[], &mut paths);
            } else if is_name(&self.code[at]) {
                let mut path = vec![self.code[at].clone()];
                while self.code.get(at + 1).is_some_and(|t| t == "::")
                    && self.code.get(at + 2).is_some_and(|t| is_name(t))
                {
                    path.push(self.code[at + 2].clone());
                    at += 2;
                }
                paths.push(path);
                at += 1;
            } else {
                at += 1;
            }
        }
        paths.into_iter().map(|path| self.resolve(path)).collect()
    }

    fn resolve(&self, path: Vec<String>) -> Vec<String> {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let skip = match path[0].as_str() {
            "crate" | "koltrix_mail" => 1,
            "super" if supers >= self.module.len() => supers,
            _ => return path,
        };
        std::iter::once("crate".to_owned()).chain(path.into_iter().skip(skip)).collect()
    }
}

/// Unfolds the tree that begins at `at`; returns where it ends.
fn use_tree(
    code: &[String],
    mut at: usize,
    before: &[String],
    into: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = code.get(at) {
        match token.as_str() {
            "{" => loop {
                at = use_tree(code, at + 1, &path, into);
                if code.get(at).is_none_or(|t| t != ",") {
                    return at + 1;
                }
            },
            "}" | "," | ";" => break,
            "as" => at += 1,
            name if is_name(name) => path.push(name.to_owned()),
            _ => {}
        }
        at += 1;
    }
    if path.len() > before.len() {
        into.push(path);
    }
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters; comments and the insides of literals are left out.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        if c == '/' && next == '/' {
            at = find(&chars, at, |c| c == '\n');
        } else if c == '/' && next == '*' {
            at = after_comment(&chars, at);
        } else if c == '"' {
            at = after_string(&chars, at + 1);
        } else if c == '\'' {
            at = after_quote(&chars, at);
        } else if c.is_alphanumeric() || c == '_' {
            let end = find(&chars, at, |c| !(c.is_alphanumeric() || c == '_'));
            let word: String = chars[at..end].iter().collect();
            at = end;
            if word.ends_with('r') && matches!(chars.get(at), Some('"' | '#')) {
                at = after_raw_string(&chars, at);
            }
            tokens.push(word);
        } else if c == ':' && next == ':' {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            at += 1;
        }
    }
    tokens
}

fn find(chars: &[char], from: usize, stop: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|&at| stop(chars[at])).unwrap_or(chars.len())
}

fn after_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) if depth == 1 => return at + 2,
            ('*', Some('/')) => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    at
}

fn after_string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"…"` and `r#"…"#`, from behind the `r`; a raw name such as `r#type` is not a string.
fn after_raw_string(chars: &[char], at: usize) -> usize {
    let open = find(chars, at, |c| c != '#');
    if chars.get(open) != Some(&'"') {
        return at;
    }
    let hashes = open - at;
    let closes = |end: usize| {
        chars[end] == '"' && chars[end + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    let end = (open + 1..chars.len()).find(|&end| closes(end)).unwrap_or(chars.len());
    end + 1 + hashes
}

/// A character, or the name of a lifetime.
fn after_quote(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => find(chars, at + 3, |c| c == '\'') + 1,
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// Up to `#[cfg(test)] mod … {`, which stands last (clippy::items_after_test_module); a declaration
/// of tests in another file cuts nothing off.
fn before_tests(text: &str) -> &str {
    let opens = |at: &usize| {
        let module = text[*at..].lines().nth(1).unwrap_or_default();
        module.starts_with("mod ") && module.contains('{')
    };
    let mut marks = text.match_indices("#[cfg(test)]\n").map(|(at, _)| at);
    marks.find(opens).map_or(text, |at| &text[..at])
}
