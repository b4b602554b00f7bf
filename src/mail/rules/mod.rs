//! The rules of mailboxes: what becomes of a message, decided before the
//! transaction that stores it, and without any I/O.
//!
//! [`view`] is a message as rules see it, [`evaluate`] asks it, [`run`] goes
//! through the rules of one mailbox, [`plan`] makes of all mailboxes of an
//! organisation what the storing transaction does.

pub mod evaluate;
mod forward;
pub mod plan;
mod reply;
pub mod run;
mod template;
pub mod view;

pub use evaluate::Explained;
pub use plan::{Envelope, Plan, plan};
pub use run::{Effects, Step, run};
pub use view::View;
