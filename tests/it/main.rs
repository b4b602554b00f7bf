//! Integration tests: the real server, a real Postgres, real sockets.
