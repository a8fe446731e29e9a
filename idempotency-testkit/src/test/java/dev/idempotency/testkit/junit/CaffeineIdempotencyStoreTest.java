package dev.idempotency.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.StoreClass;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.StoreRecords;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

final class CaffeineIdempotencyStoreTest extends IdempotencyStoreContract {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.123456789Z");

    private final ManualClock clock = new ManualClock(START);
    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create(10_000, clock::nanoTime, START);

    @Override
    protected IdempotencyStore store() {
        return store;
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }

    @Test
    void storeClass_isProcess() {
        assertThat(store.storeClass()).isEqualTo(StoreClass.PROCESS);
    }

    @Test
    void liveKeys_aHundredTimesTheBound_areNeverEvicted() {
        var small = CaffeineIdempotencyStore.create(100, clock::nanoTime, START);
        var live = new ArrayList<IdempotencyKey>();
        for (var i = 0; i < 10_000; i++) {
            var reserved = StoreRecords.reserved(small, "live", "key-" + i);
            if (i % 2 == 0) {
                StoreRecords.doubted(small, reserved);
            }
            live.add(reserved.key());
        }
        for (var i = 0; i < 1_000; i++) {
            StoreRecords.completed(small, StoreRecords.reserved(small, "done", "key-" + i));
        }

        assertThat(live).allSatisfy(key -> assertThat(small.find(key).record()).isNotNull());
        assertThat(small.listUnresolved(null, 20_000)).hasSize(10_000);
    }

    @Test
    void results_moreThanTheBound_areEvictedAndCounted() {
        var small = CaffeineIdempotencyStore.create(100, clock::nanoTime, START);
        for (var i = 0; i < 1_000; i++) {
            StoreRecords.completed(small, StoreRecords.reserved(small, "done", "key-" + i));
        }

        var left = 0;
        for (var i = 0; i < 1_000; i++) {
            left += small.find(new IdempotencyKey("done", "key-" + i)).record() == null ? 0 : 1;
        }
        assertThat(left).isLessThanOrEqualTo(100).isPositive();
        assertThat(small.evicted()).isEqualTo(1_000 - left);
    }

    @Test
    void results_withinTheBound_areNotEvicted() {
        for (var i = 0; i < 1_000; i++) {
            StoreRecords.completed(store, StoreRecords.reserved(store, "done", "key-" + i));
        }

        assertThat(store.evicted()).isZero();
    }

    @Test
    void results_whoseRetentionIsOver_areNotCountedAsEvicted() {
        StoreRecords.completed(store, StoreRecords.reserved(store, "done", "key"));
        clock.advance(StoreRecords.RETENTION);

        assertThat(store.find(new IdempotencyKey("done", "key")).record()).isNull();
        assertThat(store.evicted()).isZero();
    }

    @Test
    void create_withoutRoom_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CaffeineIdempotencyStore.create(0))
                .withMessageContaining("maximumResults is 0");
    }

    @Test
    void create_onTheSystemsClock_isInThePresent() {
        var before = Instant.now();

        var now = CaffeineIdempotencyStore.create()
                .find(new IdempotencyKey("any", "key"))
                .now();

        assertThat(now).isBetween(before, Instant.now().plusSeconds(60));
    }
}
