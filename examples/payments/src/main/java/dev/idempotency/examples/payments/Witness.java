package dev.idempotency.examples.payments;

import dev.idempotency.examples.payments.Callers.Answer;

/**
 * Is told what a run does, as it happens: counts it in this process ({@link Counts}), or tells the process that started this
 * one ({@link Pipe}). Thread-safe.
 */
interface Witness {
    /** What there is to see. */
    enum Sight {
        /** A text for people; each run says its own once. */
        NOTE,
        /** An event of the library, by its name. */
        EVENT,
        /** Why a key came into doubt. */
        DOUBT,
        /** An answer of the provider to a charge. */
        CALL,
        /** A caller tries again. */
        RETRY
    }

    void saw(Sight sight, String what);

    /** A caller has its answer: from here on, it was told. */
    void answered(Answer answer);
}
