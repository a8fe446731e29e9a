package dev.idempotency.testkit.app;

import dev.idempotency.Operation;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ProviderBehavior;
import java.time.Duration;

/**
 * Your application, as far as one kind of write goes: how it builds its operation, how it executes it, and what its provider is
 * like.
 *
 * @param <I> the request
 * @param <O> the result
 * @since 0.1.0
 */
public interface App<I, O> {
    /**
     * Builds the operation as your application does at its start: with its own key, recovery, classifier and settings, and
     * with its own adapter on {@link AppProcess#provider()}. Called once for each process. The call must be a blocking one
     * ({@link Operation.Builder#calling}).
     *
     * @param process what the application runs in
     * @return a new operation, on a library made with {@link AppProcess#idempotency()}
     */
    Operation<I, O> start(AppProcess process);

    /**
     * Executes a request as your application does, with whatever it has around {@link Operation#execute}.
     *
     * @param operation what {@link #start} built
     * @param process where it runs
     * @param request the request
     * @return what the caller is told
     */
    default O execute(Operation<I, O> operation, AppProcess process, I request) {
        return operation.execute(request);
    }

    /**
     * Makes the same request again, as a caller does who retries: with new time stamps, trace ids and whatever else a retry
     * does not repeat.
     *
     * @param request the request
     * @return the same wish; by default the same object
     */
    default I again(I request) {
        return request;
    }

    /**
     * Tells whether an answer speaks of an effect.
     *
     * @param answer what a caller was told
     * @param effect one thing that the provider did
     * @return true if the answer has its id
     */
    boolean isAbout(O answer, Effect effect);

    /**
     * What the provider really does. Take it from its documentation, not from your settings: they are what is tested.
     *
     * @return its abilities, its window and its lag
     */
    ProviderBehavior provider();

    /**
     * How long a request may really be under way to the provider after it was sent.
     *
     * @return 30 seconds unless overridden
     */
    default Duration longestTransit() {
        return Duration.ofSeconds(30);
    }

    /**
     * How long a process may really stand still between its last check and its first byte.
     *
     * @return 10 seconds unless overridden
     */
    default Duration longestPause() {
        return Duration.ofSeconds(10);
    }

    /**
     * For how long after its first try callers repeat a request.
     *
     * @return two windows of the provider if it has one; a day otherwise; unless overridden
     */
    default Duration retriedFor() {
        Duration window = provider().window();
        return window == null ? Duration.ofDays(1) : window.multipliedBy(2);
    }
}
