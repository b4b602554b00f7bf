//! Step 2 of the main job: mail is read, with real clients and with raw bytes.

mod append;
mod bombs;
mod clients;
mod condstore;
mod daily;
mod esearch;
mod fetch;
mod hostile;
mod login;
mod mailboxes;
mod metadata;
mod model;
mod nodes;
mod notify;
mod objectid;
mod other_programs;
mod progress;
mod qresync;
mod quota;
mod quota_race;
mod rev2;
mod search;
mod sort;
mod thread;
mod uidonly;
mod updates;
