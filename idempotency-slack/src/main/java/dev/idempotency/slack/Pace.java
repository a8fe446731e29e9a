package dev.idempotency.slack;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Gives out the moments at which things may be sent, so many to a time. */
final class Pace {
    private static final Duration LONGEST_BLOCK = Duration.ofHours(1);
    private static final int MOST_KEYS = 100_000;

    private final LongSupplier nanoTime;
    private final Cache<String, AtomicLong> nextFree = Caffeine.newBuilder()
            .expireAfterAccess(LONGEST_BLOCK)
            .maximumSize(MOST_KEYS)
            .build();

    Pace(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Takes the next free moment.
     *
     * @return how many nanoseconds it is away; -1 when that is further than {@code mayWait}, and then it is not taken
     */
    long take(String key, long interval, long mayWait) {
        long now = nanoTime.getAsLong();
        AtomicLong next = nextFree.get(key, k -> new AtomicLong(now));
        while (true) {
            long free = next.get();
            long at = free - now > 0 ? free : now;
            if (at - now > mayWait) {
                return -1;
            }
            if (next.compareAndSet(free, at + interval)) {
                return at - now;
            }
        }
    }

    /** Nothing more of this key for so long. */
    void block(String key, Duration time) {
        long until = nanoTime.getAsLong() + Math.min(time.toNanos(), LONGEST_BLOCK.toNanos());
        nextFree.get(key, k -> new AtomicLong(until)).accumulateAndGet(until, (a, b) -> a - b > 0 ? a : b);
    }
}
