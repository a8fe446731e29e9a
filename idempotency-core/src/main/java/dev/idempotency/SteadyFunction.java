package dev.idempotency;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * A function of the request that must give the same for the same request, such as the key. The first results are computed
 * twice, and some later ones: a function that draws a random value, or reads a clock, is found before anything is written.
 */
final class SteadyFunction<I, T> implements Function<I, T> {
    private static final int FIRST = 16;
    private static final int EVERY = 1024;

    private final String what;
    private final Function<? super I, ? extends T> function;
    private final Function<? super T, String> digest;
    private final AtomicLong count = new AtomicLong();

    /**
     * Watches a function.
     *
     * @param what what it gives, for messages
     * @param digest what may be said about a result
     */
    SteadyFunction(String what, Function<? super I, ? extends T> function, Function<? super T, String> digest) {
        this.what = what;
        this.function = function;
        this.digest = digest;
    }

    @Override
    public T apply(I request) {
        T result = function.apply(request);
        long number = count.getAndIncrement();
        if (number < FIRST || number % EVERY == 0) {
            T again = function.apply(request);
            if (!result.equals(again)) {
                throw new IllegalArgumentException(what + " is not the same each time it is taken of one request ("
                        + digest.apply(result) + ", then " + digest.apply(again) + "), so that a retry would be another"
                        + " write; make it of fields that a retry repeats, never of a clock or a random value. Nothing"
                        + " was written");
            }
        }
        return result;
    }
}
