package dev.idempotency.testkit.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ChaosProgramTest {
    private static final Duration SOON = Duration.ofSeconds(3);

    @Test
    void programs_onCaffeine_showNothing() throws Exception {
        var store = CaffeineIdempotencyStore.create();

        ChaosPrograms.requireSound(() -> store);
    }

    @Test
    void program_onAStoreThatForgets_showsDuplicates() throws Exception {
        var reports = ChaosPrograms.run(
                6, seed -> new ChaosProgram(new Forgetful(), seed, ChaosProgram.Policy.HOLD, SOON).run());

        assertThat(reports).anySatisfy(report -> {
            assertThat(report.duplicates()).isNotEmpty();
            assertThat(report.isSound()).isFalse();
            assertThat(report.story()).anyMatch(line -> line.contains("CALLING"));
        });
        assertThat(reports).anySatisfy(report -> assertThat(report.different()).isNotEmpty());
    }

    @Test
    void program_onAStoreThatNeverReturns_isHung() throws Exception {
        var end = new CountDownLatch(1);
        try {
            var reports = ChaosPrograms.run(
                    3, seed -> new ChaosProgram(new Stuck(end), seed, ChaosProgram.Policy.NATIVE, SOON).run());

            assertThat(reports).anySatisfy(report -> assertThat(report.hung()).isNotEmpty());
        } finally {
            end.countDown();
        }
    }

    /** Is empty again after some steps. */
    private static final class Forgetful extends ForwardingStore {
        private final AtomicInteger steps = new AtomicInteger();
        private volatile IdempotencyStore now = CaffeineIdempotencyStore.create();

        Forgetful() {
            super(CaffeineIdempotencyStore.create());
        }

        @Override
        protected IdempotencyStore store() {
            if (steps.incrementAndGet() % 25 == 0) {
                now = CaffeineIdempotencyStore.create();
            }
            return now;
        }
    }

    /** The third write never ends. */
    private static final class Stuck extends ForwardingStore {
        private final AtomicInteger writes = new AtomicInteger();
        private final CountDownLatch end;

        Stuck(CountDownLatch end) {
            super(CaffeineIdempotencyStore.create());
            this.end = end;
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            if (writes.incrementAndGet() == 3) {
                while (end.getCount() > 0) {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        // A dead server does not hear of it.
                    }
                }
            }
            return super.replace(expected, write);
        }
    }
}
