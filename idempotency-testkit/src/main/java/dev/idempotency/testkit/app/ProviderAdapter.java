package dev.idempotency.testkit.app;

import dev.idempotency.Attempt;
import dev.idempotency.Finding;
import java.io.IOException;

/**
 * An adapter of your application as the engine uses it: its call, and its lookup and seal if it has them.
 *
 * @param <I> the request
 * @param <O> the result
 * @since 0.1.0
 */
public interface ProviderAdapter<I, O> extends AutoCloseable {
    /**
     * The write: what the operation is built around.
     *
     * @param request the request
     * @param attempt the attempt, with the native key to send
     * @return the result
     * @throws Exception as the application throws it
     */
    O call(I request, Attempt attempt) throws Exception;

    /**
     * The lookup of the operation's recovery.
     *
     * @param request the request in doubt
     * @param attempt the attempt in doubt
     * @return what the provider said; unknown unless overridden
     * @throws Exception if it did not say
     */
    default Finding<O> lookup(I request, Attempt attempt) throws Exception {
        return Finding.unknown("no lookup");
    }

    /**
     * The seal of the operation's recovery.
     *
     * @param request the request in doubt
     * @param attempt the attempt in doubt
     * @return what the provider said; unknown unless overridden
     * @throws Exception if it did not say
     */
    default Finding<O> seal(I request, Attempt attempt) throws Exception {
        return Finding.unknown("no seal");
    }

    /**
     * Closes what was opened for the adapter; does nothing unless overridden.
     *
     * @throws IOException if it cannot be closed
     */
    @Override
    default void close() throws IOException {}
}
