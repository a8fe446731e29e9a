package dev.idempotency.testkit.lincheck;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each step of the Caffeine store takes effect at one moment between its call and its return. */
final class StoreLincheckTest {
    private static final Duration LONG = Duration.ofDays(1);

    /** What is asked of a store, with answers that do not depend on the time. */
    abstract static class Steps {
        private final IdempotencyStore store;

        Steps(IdempotencyStore store) {
            this.store = store;
        }

        @Operation
        public String reserve(
                @Param(gen = IntGen.class, conf = "1:2") int key, @Param(gen = IntGen.class, conf = "1:3") int token) {
            return told(store.reserve(new Write(record(key, token), true, true, true, LONG, LONG, Duration.ZERO)));
        }

        @Operation
        public String complete(
                @Param(gen = IntGen.class, conf = "1:2") int key, @Param(gen = IntGen.class, conf = "1:3") int token) {
            IdempotencyRecord expected = record(key, token);
            var next = expected.with()
                    .state(State.COMPLETED)
                    .version(2)
                    .result(new StoredResult(StoredResult.Kind.RESULT, "json", new byte[] {1}))
                    .build();
            return told(store.replace(expected, new Write(next, true, false, true, null, LONG, Duration.ZERO)));
        }

        @Operation
        public String find(@Param(gen = IntGen.class, conf = "1:2") int key) {
            return told(store.find(new IdempotencyKey("pay", "order-" + key)));
        }

        private static String told(Snapshot snapshot) {
            IdempotencyRecord record = snapshot.record();
            return snapshot.applied()
                    + (record == null ? " none" : " " + record.token().value() + " " + record.state());
        }

        private static IdempotencyRecord record(int key, int token) {
            var terms = new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null);
            return new IdempotencyRecord(
                    new IdempotencyKey("pay", "order-" + key),
                    1,
                    new Fingerprint(Fingerprint.JCS_SHA256, "ab".repeat(32)),
                    State.IN_FLIGHT,
                    1,
                    new AttemptToken(token(token)),
                    1,
                    "native",
                    terms,
                    null,
                    null,
                    List.of(),
                    Times.UNSET);
        }
    }

    static String token(int number) {
        return Integer.toString(number).repeat(32);
    }

    /** The same, one after the other. */
    public static final class OneByOne {
        private final Map<Integer, String> standing = new HashMap<>();

        public String reserve(int key, int token) {
            String stands = standing.get(key);
            if (stands != null) {
                return "false " + stands;
            }
            standing.put(key, token(token) + " IN_FLIGHT");
            return "true " + standing.get(key);
        }

        public String complete(int key, int token) {
            String stands = standing.get(key);
            if (!(token(token) + " IN_FLIGHT").equals(stands)) {
                return "false " + (stands == null ? "none" : stands);
            }
            standing.put(key, token(token) + " COMPLETED");
            return "true " + standing.get(key);
        }

        public String find(int key) {
            @Nullable String stands = standing.get(key);
            return "false " + (stands == null ? "none" : stands);
        }
    }

    public static final class OfCaffeine extends Steps {
        public OfCaffeine() {
            super(CaffeineIdempotencyStore.create());
        }
    }

    /** Looks before it reserves. */
    public static final class OfRacyStore extends Steps {
        public OfRacyStore() {
            super(new ForwardingStore(CaffeineIdempotencyStore.create()) {
                private final Map<IdempotencyKey, IdempotencyRecord> records = new HashMap<>();

                @Override
                public Snapshot reserve(Write write) {
                    Snapshot stands = find(write.next().key());
                    if (stands.record() == null) {
                        records.put(write.next().key(), write.next());
                        return new Snapshot(true, write.next(), stands.now());
                    }
                    return stands;
                }

                @Override
                public Snapshot find(IdempotencyKey key) {
                    return new Snapshot(false, records.get(key), super.find(key).now());
                }
            });
        }
    }

    private static ModelCheckingOptions options() {
        // Without operations before: they would use up the one reservation that the race is about.
        return new ModelCheckingOptions()
                .iterations(20)
                .invocationsPerIteration(300)
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(0)
                .sequentialSpecification(OneByOne.class);
    }

    @Test
    void caffeineStore_isLinearizable() {
        options().check(OfCaffeine.class);
    }

    @Test
    void storeThatLooksFirst_isNot() {
        assertThatThrownBy(() -> options().check(OfRacyStore.class)).isInstanceOf(LincheckAssertionError.class);
    }
}
