//! Private, throw-away database servers: for the demo, the tests and the benches.
