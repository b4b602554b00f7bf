//! What a node does: all of it, or a part.

use std::str::FromStr;

/// A part of the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// SMTP from other servers, and submission.
    Smtp,
    /// IMAP.
    Imap,
    /// The HTTP edge.
    Edge,
    /// The queue and periodic work.
    Worker,
}

/// A set of roles, never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Roles(u8);

impl Role {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Smtp, "smtp"),
        (Self::Imap, "imap"),
        (Self::Edge, "edge"),
        (Self::Worker, "worker"),
    ];
}

impl Roles {
    /// Every role: a single node.
    pub const ALL: Self = Self(0b1111);

    /// Whether `role` is one of them.
    pub fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }
}

/// `smtp,imap,edge,worker`, any of them.
impl FromStr for Roles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').try_fold(Self(0), |roles, word| {
            let word = word.trim();
            match Role::ALL.iter().find(|(_, name)| *name == word) {
                Some((role, _)) => Ok(Self(roles.0 | (1 << *role as u8))),
                None => Err(format!("'{word}' is no role: smtp, imap, edge, worker")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_from_words() {
        let some: Roles = "smtp, worker".parse().unwrap();
        assert!(some.has(Role::Smtp) && some.has(Role::Worker));
        assert!(!some.has(Role::Imap) && !some.has(Role::Edge));
        assert_eq!("smtp,imap,edge,worker".parse(), Ok(Roles::ALL));
        assert!("".parse::<Roles>().is_err() && "smtp,pop3".parse::<Roles>().is_err());
    }
}
