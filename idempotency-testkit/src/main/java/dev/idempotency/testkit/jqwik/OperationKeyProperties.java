package dev.idempotency.testkit.jqwik;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.testkit.app.Mistake;
import dev.idempotency.testkit.app.MistakeError;
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
        IdempotencyKey key = one.keyOf(request);
        require(key.equals(one.keyOf(request)), Mistake.RANDOM_KEY, request);
        require(key.equals(other.keyOf(request)), Mistake.RANDOM_KEY, request);
        require(one.fingerprintOf(request).equals(other.fingerprintOf(request)), Mistake.UNSTABLE_PAYLOAD, request);
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
        require(one.keyOf(request).equals(other.keyOf(again)), Mistake.VOLATILE_KEY, request, again);
        require(
                one.fingerprintOf(request).equals(other.fingerprintOf(again)),
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
        boolean oneKey = one.keyOf(first).equals(one.keyOf(second));
        require(!oneKey || isSameWrite(first, second), Mistake.COARSE_KEY, first, second);
        require(
                !oneKey || first.equals(second) || !one.fingerprintOf(first).equals(one.fingerprintOf(second)),
                Mistake.BLIND_PAYLOAD,
                first,
                second);
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
