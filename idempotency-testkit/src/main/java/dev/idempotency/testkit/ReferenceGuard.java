package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A version guard in a map, in parts that can be made wrong. Thread-safe. */
class ReferenceGuard implements VersionGuard {
    record Standing(EntityVersion version, Instant expiresAt) {}

    final Map<Object, Standing> versions = new HashMap<>();
    private final InstantSource clock;

    ReferenceGuard(InstantSource clock) {
        this.clock = clock;
    }

    // ---- what can be made wrong

    Instant now() {
        return clock.instant();
    }

    Object identity(IdempotencyKey entity) {
        return entity;
    }

    EntityVersion kept(EntityVersion version) {
        return version;
    }

    int compare(EntityVersion version, EntityVersion standing) {
        return version.compareTo(standing);
    }

    boolean isForgotten(Standing standing) {
        return !standing.expiresAt().isAfter(now());
    }

    void told(IdempotencyKey entity, Standing standing, Duration retention) {}

    // ---- the guard

    @Nullable
    Standing standing(IdempotencyKey entity) {
        Standing standing = versions.get(identity(entity));
        return standing == null || isForgotten(standing) ? null : standing;
    }

    void put(IdempotencyKey entity, EntityVersion version, Duration retention) {
        versions.put(identity(entity), new Standing(kept(version), now().plus(retention)));
    }

    @Override
    public synchronized Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention) {
        requirePositive(retention);
        Standing standing = standing(entity);
        int order = standing == null ? 1 : compare(version, standing.version());
        if (standing == null || order > 0) {
            put(entity, version, retention);
            return Verdict.NEWER;
        }
        told(entity, standing, retention);
        return order == 0 ? Verdict.SAME : Verdict.STALE;
    }

    @Override
    public synchronized Verdict compare(IdempotencyKey entity, EntityVersion version) {
        Standing standing = standing(entity);
        int order = standing == null ? 1 : compare(version, standing.version());
        return order > 0 ? Verdict.NEWER : order == 0 ? Verdict.SAME : Verdict.STALE;
    }

    @Override
    public synchronized int purge(int limit) {
        requireLimit(limit);
        List<Object> due = versions.entrySet().stream()
                .filter(entry -> isForgotten(entry.getValue()))
                .limit(limit)
                .map(Map.Entry::getKey)
                .toList();
        due.forEach(versions::remove);
        return due.size();
    }

    void requireLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be at least 1");
        }
    }

    void requirePositive(Duration span) {
        if (span.isNegative() || span.isZero()) {
            throw new IllegalArgumentException(span + " is not more than zero");
        }
    }
}
