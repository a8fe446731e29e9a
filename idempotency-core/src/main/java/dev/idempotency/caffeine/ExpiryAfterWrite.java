package dev.idempotency.caffeine;

import com.github.benmanes.caffeine.cache.Expiry;
import java.time.Duration;
import java.util.function.BiFunction;

/**
 * Each write says how long the entry then lives; a read changes nothing. Caffeine has that itself from 3.2 on, but programs on
 * Spring Boot 3 bring an older one. Thread-safe if the function is.
 */
final class ExpiryAfterWrite<K, V> implements Expiry<K, V> {
    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

    private final BiFunction<K, V, Duration> lifetime;

    ExpiryAfterWrite(BiFunction<K, V, Duration> lifetime) {
        this.lifetime = lifetime;
    }

    @Override
    public long expireAfterCreate(K key, V value, long currentTime) {
        Duration left = lifetime.apply(key, value);
        return left.compareTo(LONGEST) >= 0 ? Long.MAX_VALUE : left.isNegative() ? 0 : left.toNanos();
    }

    @Override
    public long expireAfterUpdate(K key, V value, long currentTime, long currentDuration) {
        return expireAfterCreate(key, value, currentTime);
    }

    @Override
    public long expireAfterRead(K key, V value, long currentTime, long currentDuration) {
        return currentDuration;
    }
}
