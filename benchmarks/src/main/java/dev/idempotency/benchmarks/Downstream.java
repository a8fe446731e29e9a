package dev.idempotency.benchmarks;

import java.util.concurrent.atomic.LongAdder;

/** The provider: does nothing but count how often it was called, and answers with 300 bytes of JSON. Thread-safe. */
final class Downstream {
    /** With the quotes that JSON puts around it, 300 bytes. */
    static final String RESULT = "r".repeat(298);

    private final LongAdder calls = new LongAdder();

    /** An effect. */
    String call() {
        calls.increment();
        return RESULT;
    }

    long calls() {
        return calls.sum();
    }
}
