package dev.idempotency.redis;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/** Versions, each in a key with a time to live. Thread-safe. */
final class RedisVersionGuard implements VersionGuard {
    private final Steps steps;
    private final Script advance;
    private final Layout layout;

    RedisVersionGuard(Steps steps, Script advance, Layout layout) {
        this.steps = steps;
        this.advance = advance;
        this.layout = layout;
    }

    @Override
    public Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention) {
        return step(entity, version, Bounds.positive("retention", retention));
    }

    @Override
    public Verdict compare(IdempotencyKey entity, EntityVersion version) {
        return step(entity, version, Bounds.notNegative("retention", Duration.ZERO));
    }

    /** A retention of zero changes nothing. */
    private Verdict step(IdempotencyKey entity, EntityVersion version, byte[] span) {
        Object verdict = steps.write(advance, List.of(layout.version(entity)), sortable(version), span)
                .get(0);
        return verdict.equals(2L) ? Verdict.NEWER : verdict.equals(1L) ? Verdict.SAME : Verdict.STALE;
    }

    /** Bytes that are in the same order as versions are. */
    private static byte[] sortable(EntityVersion version) {
        byte[] tieBreak = Layout.bytes(version.tieBreak());
        return ByteBuffer.allocate(Long.BYTES + 1 + tieBreak.length)
                .putLong(version.number())
                .put((byte) (version.deleted() ? 1 : 0))
                .put(tieBreak)
                .array();
    }

    /** Redis forgets by itself. */
    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        return 0;
    }
}
