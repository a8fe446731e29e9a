package dev.idempotency.benchmarks;

import dev.idempotency.benchmarks.Subject.Path;

/**
 * What is compared with each other: one path, by so many threads, on one store.
 *
 * @param store where the records stand
 * @param sampling one of how many operations is timed
 */
record Group(String store, Path path, int threads, int sampling) {
    String id() {
        return store + " " + (path == Path.FIRST ? "first" : "replay") + " " + threads;
    }
}
