package dev.idempotency.testkit.engine;

/** The request of these tests. */
record Order(String id, long amount) {}
