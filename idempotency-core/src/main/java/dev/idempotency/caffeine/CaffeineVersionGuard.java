package dev.idempotency.caffeine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;

/** Versions in this process, in a cache that forgets each at the end of its retention and none before. Thread-safe. */
final class CaffeineVersionGuard implements VersionGuard {
    private record Standing(EntityVersion version, Instant expiresAt) {}

    private final Cache<IdempotencyKey, Standing> versions;

    private final Supplier<Instant> clock;

    CaffeineVersionGuard(Ticker ticker, Supplier<Instant> clock) {
        this.clock = clock;
        versions = Caffeine.newBuilder()
                .ticker(ticker)
                .executor(Runnable::run)
                .expireAfter(new ExpiryAfterWrite<>((IdempotencyKey entity, Standing standing) ->
                        Duration.between(clock.get(), standing.expiresAt())))
                .build();
    }

    @Override
    public Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention) {
        Bounds.requirePositive("retention", retention);
        var verdict = new Verdict[] {Verdict.NEWER};
        versions.asMap().compute(entity, (key, standing) -> {
            int order = standing == null ? 1 : version.compareTo(standing.version());
            verdict[0] = order > 0 ? Verdict.NEWER : order == 0 ? Verdict.SAME : Verdict.STALE;
            return order > 0 || standing == null ? new Standing(version, Bounds.end(clock.get(), retention)) : standing;
        });
        return verdict[0];
    }

    @Override
    public Verdict compare(IdempotencyKey entity, EntityVersion version) {
        Standing standing = versions.getIfPresent(entity);
        int order = standing == null ? 1 : version.compareTo(standing.version());
        return order > 0 ? Verdict.NEWER : order == 0 ? Verdict.SAME : Verdict.STALE;
    }

    /** The cache forgets by itself. */
    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        versions.cleanUp();
        return 0;
    }
}
