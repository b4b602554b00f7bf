//! The rules of mailboxes as values: conditions and actions, read from the
//! JSON that `email_filters` holds.
//!
//! What SQL lets in by its CHECKs is what is read here; what cannot be read is
//! an error that names the part, never a panic.

mod action;
mod condition;
mod pattern;

pub use action::Action;
pub use condition::{Bound, Condition, Test, TextField};
pub use pattern::Pattern;

use serde_json::Value;
use uuid::Uuid;

/// One row of `email_filters`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The row.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// When it acts.
    pub when: Condition,
    /// What it does, in order.
    pub then: Vec<Action>,
}

/// Why a rule cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleError {
    /// Not of the shape that is documented at `email_filters`.
    #[error("{0} is not of the shape that a rule has")]
    Shape(&'static str),
    /// A field that there is not.
    #[error("there is no field {0:?} to ask for")]
    Field(String),
    /// A field that cannot be compared so.
    #[error("the field {field:?} cannot be compared with {op:?}")]
    Op {
        /// The field.
        field: String,
        /// The comparison.
        op: String,
    },
    /// An expression that is none, or one that would take too much memory.
    #[error("that is no regular expression that can be used: {0}")]
    Regex(String),
}

impl Rule {
    /// Reads a rule from its two columns.
    ///
    /// # Errors
    /// [`RuleError`], which names what cannot be read.
    pub fn parse(
        id: Uuid,
        name: &str,
        conditions: &Value,
        actions: &Value,
    ) -> Result<Self, RuleError> {
        let actions = actions.as_array().ok_or(RuleError::Shape("the list of actions"))?;
        Ok(Self {
            id,
            name: name.to_owned(),
            when: Condition::parse(conditions)?,
            then: actions.iter().map(Action::parse).collect::<Result<_, _>>()?,
        })
    }
}
