package dev.idempotency.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.idempotency.Codec;
import dev.idempotency.Fingerprint;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.AttemptToken;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** What a run inside the process consists of, one by one and as a whole, beside bare Caffeine. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class SingleCosts {
    private static final int KNOWN = 400;

    private final Downstream downstream = new Downstream();
    private final Idempotency idempotency = Idempotency.on(CaffeineIdempotencyStore.create(CaffeineSubjects.MAXIMUM));
    private final Operation<Order, String> operation = Library.operation(idempotency, downstream);
    private final Codec<String> codec = idempotency.codec(String.class);
    private final Cache<String, String> cache = Caffeine.newBuilder()
            .maximumSize(CaffeineSubjects.MAXIMUM)
            .expireAfterWrite(Duration.ofDays(7))
            .build();
    private final List<Order> known = new ArrayList<>();
    private byte[] encoded = {};

    /** Which of the known orders is next, of each thread. */
    @State(Scope.Thread)
    public static class Next {
        private int next;

        Order of(List<Order> known) {
            next = next == known.size() - 1 ? 0 : next + 1;
            return known.get(next);
        }
    }

    /**
     * Executes the orders that are replayed.
     *
     * @throws Exception if the codec failed
     */
    @Setup
    public void execute() throws Exception {
        encoded = codec.encode(Downstream.RESULT);
        for (int i = 0; i < KNOWN; i++) {
            Order order = Order.fresh();
            known.add(order);
            operation.execute(order);
            cache.put(order.orderId(), Downstream.RESULT);
        }
    }

    private String rawFirst() {
        String key = Order.fresh().orderId();
        if (cache.asMap().putIfAbsent(key, "") != null) {
            throw new IllegalStateException("not new");
        }
        String result = downstream.call();
        cache.asMap().replace(key, "", result);
        return result;
    }

    /**
     * A new key, in bare Caffeine.
     *
     * @return the result
     */
    @Benchmark
    public String firstRaw() {
        return rawFirst();
    }

    /**
     * The same by 16 threads.
     *
     * @return the result
     */
    @Benchmark
    @Threads(16)
    public String firstRaw16() {
        return rawFirst();
    }

    /**
     * A new key, by the library.
     *
     * @return the result
     */
    @Benchmark
    public String firstLibrary() {
        return operation.execute(Order.fresh());
    }

    /**
     * The same by 16 threads.
     *
     * @return the result
     */
    @Benchmark
    @Threads(16)
    public String firstLibrary16() {
        return operation.execute(Order.fresh());
    }

    /**
     * A known key, in bare Caffeine.
     *
     * @param next which
     * @return the result
     */
    @Benchmark
    public @Nullable String replayRaw(Next next) {
        return cache.asMap().get(next.of(known).orderId());
    }

    /**
     * A known key, by the library.
     *
     * @param next which
     * @return the result
     */
    @Benchmark
    public String replayLibrary(Next next) {
        return operation.execute(next.of(known));
    }

    /**
     * The same by 16 threads.
     *
     * @param next which
     * @return the result
     */
    @Benchmark
    @Threads(16)
    public String replayLibrary16(Next next) {
        return operation.execute(next.of(known));
    }

    /**
     * The key of a request.
     *
     * @param next of which
     * @return the key
     */
    @Benchmark
    public IdempotencyKey key(Next next) {
        return operation.keyOf(next.of(known));
    }

    /**
     * The fingerprint of a request.
     *
     * @param next of which
     * @return the fingerprint
     */
    @Benchmark
    public Fingerprint fingerprint(Next next) {
        return operation.fingerprintOf(next.of(known));
    }

    /**
     * An attempt's token.
     *
     * @return the token
     */
    @Benchmark
    public AttemptToken token() {
        return AttemptToken.random();
    }

    /**
     * The same by 16 threads.
     *
     * @return the token
     */
    @Benchmark
    @Threads(16)
    public AttemptToken token16() {
        return AttemptToken.random();
    }

    /**
     * A result of 300 bytes into JSON.
     *
     * @return the JSON
     * @throws Exception never
     */
    @Benchmark
    public byte[] encode() throws Exception {
        return codec.encode(Downstream.RESULT);
    }

    /**
     * The same back.
     *
     * @return the result
     * @throws Exception never
     */
    @Benchmark
    public String decode() throws Exception {
        return codec.decode(encoded);
    }
}
