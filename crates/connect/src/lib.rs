//! The port: connectors, transport, errors with evidence.
