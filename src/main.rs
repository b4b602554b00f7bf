//! The koltrix-mail command.

fn main() {}
