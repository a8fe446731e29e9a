package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What is kept when reads and writes of one key overtake each other. */
final class NearCacheOrderTest {
    private static final Instant NOW = Standing.NOW;

    private final NearCache near = NearCache.create(1 << 20, Duration.ofMinutes(1));

    private static IdempotencyRecord outcome(long version, String result) {
        return Standing.in(State.COMPLETED)
                .with()
                .version(version)
                .result(Standing.result(result))
                .times(new IdempotencyRecord.Times(
                        NOW.minusSeconds(200),
                        NOW.minusSeconds(100),
                        NOW.minusSeconds(50),
                        null,
                        NOW.plusSeconds(3600),
                        NOW.plusSeconds(7200)))
                .build();
    }

    private IdempotencyRecord kept() {
        return Objects.requireNonNull(Objects.requireNonNull(near.find(Standing.KEY, 0), "nothing is kept")
                .record());
    }

    @Test
    void keep_slowReadOfAnOlderOutcomeEndsLate_newerOneStays() {
        near.keep(outcome(43, "corrected"), NOW.plusSeconds(2), 0);
        near.keep(outcome(41, "wrong"), NOW, 0);

        assertThat(kept().result()).isEqualTo(Standing.result("corrected"));
    }

    @Test
    void keep_newerOutcome_replacesTheOlderOne() {
        near.keep(outcome(41, "wrong"), NOW, 0);
        near.keep(outcome(43, "corrected"), NOW.plusSeconds(2), 0);

        assertThat(kept().result()).isEqualTo(Standing.result("corrected"));
    }

    @Test
    void drop_cacheIsFullOfOtherOutcomes_staleReadIsStillNotKept() {
        var small = NearCache.create(5_000, Duration.ofMinutes(1));
        small.drop(Standing.KEY);
        for (int i = 0; i < 1_000; i++) {
            var like = outcome(41, "other");
            var other = new IdempotencyRecord(
                    new IdempotencyKey("charge", "order-" + (1_000 + i)),
                    like.generation(),
                    like.fingerprint(),
                    like.state(),
                    like.version(),
                    like.token(),
                    like.attempt(),
                    like.nativeKey(),
                    like.terms(),
                    like.result(),
                    null,
                    like.evidence(),
                    like.times());
            small.keep(other, NOW, 0);
        }

        small.keep(outcome(41, "overridden"), NOW, 0);

        assertThat(small.find(Standing.KEY, 0)).isNull();
    }
}
