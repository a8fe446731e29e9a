package dev.idempotency.benchmarks;

import org.jspecify.annotations.Nullable;

/**
 * Something that does the job and is measured.
 *
 * @param name what it is called in the report
 * @param kind what it is
 * @param first executes an order whose key is new
 * @param replay answers an order whose key was executed before, without calling again; null if it keeps no result
 * @param close gives back what it holds
 * @param forget drops what first executions have left, where nothing bounds it; between two of them
 * @param atOnce how many orders a first execution executes: the one that it gets, and new ones
 */
record Subject(String name, Kind kind, Work first, @Nullable Work replay, Closing close, Runnable forget, int atOnce) {
    /** One that bounds what it keeps, or keeps it elsewhere. */
    Subject(String name, Kind kind, Work first, @Nullable Work replay, Closing close) {
        this(name, kind, first, replay, close, () -> {});
    }

    /** One that takes one order at a time. */
    Subject(String name, Kind kind, Work first, @Nullable Work replay, Closing close, Runnable forget) {
        this(name, kind, first, replay, close, forget, 1);
    }

    enum Kind {
        /** The least that a store can be asked to do for the job. */
        LIMIT,
        LIBRARY,
        PEER
    }

    /** One operation. Thread-safe. */
    @FunctionalInterface
    interface Work {
        /**
         * Does it.
         *
         * @return what the caller gets; null if this subject keeps no results
         * @throws Exception if it failed
         */
        @Nullable
        String run(Order order) throws Exception;
    }

    /** Gives back what is held. */
    @FunctionalInterface
    interface Closing {
        void close() throws Exception;
    }

    Work work(Path path) {
        Work work = path == Path.FIRST ? first : replay;
        if (work == null) {
            throw new IllegalStateException(name + " keeps no results");
        }
        return work;
    }

    boolean does(Path path) {
        return path == Path.FIRST || replay != null;
    }

    /** What is done with a key. */
    enum Path {
        /** The key is new: reserve it, call, record the result. */
        FIRST,
        /** The key is known: give its result, and do not call. */
        REPLAY
    }
}
