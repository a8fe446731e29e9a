package dev.idempotency.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.springframework.integration.metadata.SimpleMetadataStore;

/** In this process. All that are bounded keep as many results. */
final class CaffeineSubjects {
    static final int MAXIMUM = 100_000;
    private static final Duration RETENTION = Duration.ofDays(7);
    private static final String RESERVED = "";

    private CaffeineSubjects() {}

    /** Reserves and records, bounded and with an end; looks at nothing twice, and drops reservations when it is full. */
    static Subject raw(Downstream downstream) {
        Cache<String, String> cache = Caffeine.newBuilder()
                .maximumSize(MAXIMUM)
                .expireAfterWrite(RETENTION)
                .build();
        ConcurrentMap<String, String> map = cache.asMap();
        return new Subject(
                "raw putIfAbsent + replace; get",
                Kind.LIMIT,
                order -> {
                    String standing = map.putIfAbsent(order.orderId(), RESERVED);
                    if (standing != null) {
                        return standing;
                    }
                    String result = downstream.call();
                    map.replace(order.orderId(), RESERVED, result);
                    return result;
                },
                order -> cache.getIfPresent(order.orderId()),
                () -> {});
    }

    static Subject library(Downstream downstream) {
        return Library.on(CaffeineIdempotencyStore.create(MAXIMUM), downstream, () -> {});
    }

    /** A map that grows for ever. */
    static Subject springIntegration(Downstream downstream) {
        var map = new ConcurrentHashMap<String, String>();
        var store = new SimpleMetadataStore(map);
        Subject.Work work = MetadataStoreWork.on(store, downstream);
        return new Subject(
                "Spring Integration SimpleMetadataStore (unbounded)", Kind.PEER, work, work, () -> {}, map::clear);
    }
}
