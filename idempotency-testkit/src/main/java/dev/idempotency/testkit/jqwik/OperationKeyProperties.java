package dev.idempotency.testkit.jqwik;

import dev.idempotency.Fingerprint;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.testkit.app.Mistake;
import dev.idempotency.testkit.app.MistakeError;
import java.util.function.Supplier;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * What the key and the fingerprint of an operation must be like, as properties to inherit: the same for the same request, at any
 * time, in any process, however often it is made again; and different for different requests.
 *
 * @param <I> the request
 * @param <O> the result
 * @since 0.1.0
 */
public abstract class OperationKeyProperties<I, O> {
    /** For subclasses. */
    protected OperationKeyProperties() {}

    /**
     * Builds the operation as your application does. It is never executed.
     *
     * @param idempotency the library
     * @return the operation
     */
    protected abstract Operation<I, O> operation(Idempotency idempotency);

    /**
     * The requests to try.
     *
     * @return a generator
     */
    protected abstract Arbitrary<I> requests();

    /**
     * Makes the same request again, as a caller does who retries: with new time stamps, trace ids and whatever else a retry does
     * not repeat; and sets and maps filled in another order.
     *
     * @param request the request
     * @return the same wish
     */
    protected abstract I again(I request);

    /**
     * Tells whether two requests are one write.
     *
     * @param a a request
     * @param b another
     * @return whether they are equal, unless overridden; then for instance whether they have one order id
     */
    protected boolean isSameWrite(I a, I b) {
        return a.equals(b);
    }

    /**
     * The requests of the properties.
     *
     * @return {@link #requests()}
     */
    @Provide
    public Arbitrary<I> anyRequest() {
        return requests();
    }

    private Operation<I, O> started() {
        return operation(Idempotency.on(CaffeineIdempotencyStore.create()));
    }

    /**
     * One request has one key, whoever asks, and when.
     *
     * @param request any
     */
    @Property(tries = 200)
    public void key_ofOneRequest_isOneKey(@ForAll("anyRequest") I request) {
        Operation<I, O> one = started();
        Operation<I, O> other = started();
        IdempotencyKey key = keyOf(one, request);
        require(key.equals(keyOf(one, request)), Mistake.RANDOM_KEY, request);
        require(key.equals(keyOf(other, request)), Mistake.RANDOM_KEY, request);
        require(fingerprintOf(one, request).equals(fingerprintOf(other, request)), Mistake.UNSTABLE_PAYLOAD, request);
    }

    /**
     * A retry has the key and the fingerprint of the first try.
     *
     * @param request any
     */
    @Property(tries = 200)
    public void key_ofARequestMadeAgain_isTheSame(@ForAll("anyRequest") I request) {
        Operation<I, O> one = started();
        Operation<I, O> other = started();
        I again = again(request);
        require(keyOf(one, request).equals(keyOf(other, again)), Mistake.VOLATILE_KEY, request, again);
        require(
                fingerprintOf(one, request).equals(fingerprintOf(other, again)),
                Mistake.UNSTABLE_PAYLOAD,
                request,
                again);
    }

    /**
     * Two writes have two keys; and two requests that differ have at least two fingerprints.
     *
     * @param first any
     * @param second any
     */
    @Property(tries = 500)
    public void keys_ofDifferentRequests_differ(@ForAll("anyRequest") I first, @ForAll("anyRequest") I second) {
        Operation<I, O> one = started();
        boolean oneKey = keyOf(one, first).equals(keyOf(one, second));
        require(!oneKey || isSameWrite(first, second), Mistake.COARSE_KEY, first, second);
        require(
                !oneKey || first.equals(second) || !fingerprintOf(one, first).equals(fingerprintOf(one, second)),
                Mistake.BLIND_PAYLOAD,
                first,
                second);
    }

    private static <I> IdempotencyKey keyOf(Operation<I, ?> operation, I request) {
        return taken(() -> operation.keyOf(request), Mistake.RANDOM_KEY, request);
    }

    private static <I> Fingerprint fingerprintOf(Operation<I, ?> operation, I request) {
        return taken(() -> operation.fingerprintOf(request), Mistake.UNSTABLE_PAYLOAD, request);
    }

    /** The library itself may be the first to see that it gets another one each time. */
    private static <T> T taken(Supplier<T> function, Mistake unsteady, Object request) {
        try {
            return function.get();
        } catch (IllegalArgumentException e) {
            require(!String.valueOf(e.getMessage()).contains("is not the same each time"), unsteady, request);
            throw e;
        }
    }

    @SafeVarargs
    private static <T> void require(boolean condition, Mistake otherwise, T... requests) {
        if (!condition) {
            var text = new StringBuilder("Seen at");
            for (T request : requests) {
                text.append("\n  ").append(request);
            }
            throw new MistakeError(otherwise, text.toString());
        }
    }
}
