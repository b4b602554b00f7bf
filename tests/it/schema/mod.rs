//! The schema as the catalogue of a migrated database tells it, and its rules
//! as whoever writes by SQL meets them.

mod catalogue;
mod migrations;
mod rules;
mod tables;
