//! MIME: reading, splitting and reassembling messages.
