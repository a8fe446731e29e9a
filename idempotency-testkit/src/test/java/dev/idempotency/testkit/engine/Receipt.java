package dev.idempotency.testkit.engine;

/** The result of these tests. */
record Receipt(String effect, long amount) {}
