//! Values and their invariants: no I/O, no wire format, no table.
