package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FaultInjectingStoreTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("charge", "order-1");

    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final ReferenceStore store = new ReferenceStore(clock);

    @ParameterizedTest
    @CsvSource({"NOT_WRITTEN, false, false", "PERHAPS_WRITTEN, true, false", "REPLY_LOST, true, true"})
    void reserve_faultPlanned_failsAsPlanned(StoreFault fault, boolean mayHaveWritten, boolean written) {
        var process = new FaultInjectingStore(store, StoreFaultPlan.scripted(fault));

        var failure = catchThrowableOfType(
                StoreException.class, () -> process.reserve(StoreRecords.reservation("charge", "order-1")));

        assertThat(failure.mayHaveWritten()).isEqualTo(mayHaveWritten);
        assertThat(store.find(KEY).record() != null).isEqualTo(written);
        assertThat(process.isDead()).isFalse();
        assertThat(process.chosen()).isEqualTo(Map.of(fault, 1L));
    }

    @ParameterizedTest
    @CsvSource({"CRASH_BEFORE, false", "CRASH_AFTER, true"})
    void replace_crashPlanned_killsTheProcessAndNotTheStore(StoreFault fault, boolean written) {
        var process = new FaultInjectingStore(store, StoreFaultPlan.at(StoreStep.REPLACE, 1, fault));
        var other = new FaultInjectingStore(store, StoreFaultPlan.none());
        var reserved = StoreRecords.reserved(process, "charge", "order-1");

        assertThatThrownBy(() -> process.replace(reserved, StoreRecords.completion(reserved)))
                .isInstanceOf(SimulatedCrash.class)
                .hasMessageContaining("REPLACE");

        assertThat(process.isDead()).isTrue();
        assertThatThrownBy(() -> process.find(KEY)).isInstanceOf(SimulatedCrash.class);
        assertThatThrownBy(() -> process.purge(1)).isInstanceOf(SimulatedCrash.class);
        assertThatThrownBy(() -> process.listUnresolved(null, 1)).isInstanceOf(SimulatedCrash.class);
        assertThat(process.calls()).isEqualTo(2);
        assertThat(other.find(KEY).record().state().isTerminal()).isEqualTo(written);
    }

    @Test
    void kill_fromOutside_endsEveryLaterCall() {
        var process = new FaultInjectingStore(store, StoreFaultPlan.none());
        StoreRecords.reserved(process, "charge", "order-1");

        process.kill();

        assertThatThrownBy(() -> process.find(KEY)).isInstanceOf(SimulatedCrash.class);
        assertThat(store.find(KEY).record()).isNotNull();
    }

    @Test
    void reads_faultPlanned_neverMayHaveWritten() {
        var process = new FaultInjectingStore(
                store,
                StoreFaultPlan.scripted(
                        StoreFault.REPLY_LOST, StoreFault.PERHAPS_WRITTEN, StoreFault.NOT_WRITTEN, StoreFault.NONE));

        for (var i = 0; i < 3; i++) {
            assertThat(catchThrowableOfType(StoreException.class, () -> process.find(KEY))
                            .mayHaveWritten())
                    .isFalse();
        }
        assertThat(process.find(KEY).record()).isNull();
        assertThat(process.calls(StoreStep.FIND)).isEqualTo(4);
        assertThat(process.calls(StoreStep.PURGE)).isZero();
        assertThat(process.storeClass()).isEqualTo(StoreClass.PROCESS);
    }

    @Test
    void plan_changedMeanwhile_holdsFromTheNextStep() {
        var process = new FaultInjectingStore(store, StoreFaultPlan.at(2, StoreFault.NOT_WRITTEN));
        process.find(KEY);
        process.plan(StoreFaultPlan.none());

        assertThat(process.find(KEY).record()).isNull();
        assertThat(process.purge(1)).isZero();
        assertThat(process.listUnresolved(null, 1)).isEmpty();
        assertThat(process.chosen()).isEqualTo(Map.of(StoreFault.NONE, 4L));
    }

    @Test
    void seeded_sameSeed_choosesTheSameFaults() {
        assertThat(faults(StoreFaultPlan.seeded(7, 0.5))).isEqualTo(faults(StoreFaultPlan.seeded(7, 0.5)));
        assertThat(faults(StoreFaultPlan.seeded(7, 0.5))).isNotEqualTo(faults(StoreFaultPlan.seeded(8, 0.5)));
        assertThat(faults(StoreFaultPlan.seeded(7, 0))).containsOnly(StoreFault.NONE);
        assertThat(faults(StoreFaultPlan.seeded(7, 1)))
                .containsOnly(StoreFault.NOT_WRITTEN, StoreFault.PERHAPS_WRITTEN, StoreFault.REPLY_LOST);
        assertThat(faults(StoreFaultPlan.seeded(7, 1, StoreFault.CRASH_AFTER))).containsOnly(StoreFault.CRASH_AFTER);
        assertThat(faults(StoreFaultPlan.seeded(7, 0.25)).stream()
                        .filter(fault -> fault != StoreFault.NONE)
                        .count())
                .isBetween(150L, 350L);
        assertThat(StoreFaultPlan.seeded(7, 0.5))
                .hasToString(StoreFaultPlan.seeded(7, 0.5).toString());
        assertThat(StoreFaultPlan.seeded(7, 0.5).toString()).contains("seed 7");
    }

    @Test
    void plans_outOfRange_areRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> StoreFaultPlan.seeded(1, 1.1));
        assertThatIllegalArgumentException().isThrownBy(() -> StoreFaultPlan.seeded(1, Double.NaN));
        assertThatIllegalArgumentException().isThrownBy(() -> StoreFaultPlan.at(0, StoreFault.NONE));
        assertThatIllegalArgumentException().isThrownBy(() -> StoreFaultPlan.at(StoreStep.FIND, 0, StoreFault.NONE));
    }

    @Test
    void failover_ofALossyStore_losesWhatWasNotReplicated() {
        var lossy = new LossyStore(clock);
        var kept = StoreRecords.reserved(lossy, "charge", "kept");
        lossy.replicate();
        StoreRecords.completed(lossy, kept);
        StoreRecords.reserved(lossy, "charge", "order-1");

        lossy.failover();

        assertThat(lossy.find(KEY).record()).isNull();
        assertThat(lossy.find(kept.key()).record()).isEqualTo(kept);
        assertThat(lossy.lostWrites()).isEqualTo(2);
        assertThat(lossy.storeClass()).isEqualTo(StoreClass.LOSSY);
    }

    private static ArrayList<StoreFault> faults(StoreFaultPlan plan) {
        var faults = new ArrayList<StoreFault>();
        IntStream.rangeClosed(1, 1_000).forEach(nth -> faults.add(plan.choose(StoreStep.REPLACE, nth, nth)));
        return faults;
    }
}
