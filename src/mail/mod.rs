//! What mail means here: the decisions and their order.
