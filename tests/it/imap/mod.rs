//! Step 2 of the main job: mail is read, with real clients and with raw bytes.

mod append;
mod daily;
mod fetch;
mod hostile;
mod mailboxes;
mod search;
mod updates;
