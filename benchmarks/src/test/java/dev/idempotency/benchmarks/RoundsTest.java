package dev.idempotency.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.benchmarks.Subject.Path;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** The harness measures what it says it measures, and refuses what is not the job. */
final class RoundsTest {
    private static final Group FIRST = new Group("memory", Path.FIRST, 2, 1);
    private static final Group REPLAY = new Group("memory", Path.REPLAY, 2, 1);
    private static final Rounds.Plan SHORT = new Rounds.Plan(3, Duration.ofMillis(20), Duration.ofMillis(60));

    private final Downstream downstream = new Downstream();

    private List<Outcome> measured(Group group, Subject... subjects) {
        var rounds = new Rounds(SHORT, 1, new PrintStream(OutputStream.nullOutputStream()));
        return rounds.of(group, List.of(subjects), downstream, () -> -1);
    }

    /** Does the job in a map, after some extra work. */
    private Subject map(String name, Kind kind, Duration extra) {
        var map = new ConcurrentHashMap<String, String>();
        Subject.Work work = order -> {
            long until = System.nanoTime() + extra.toNanos();
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
            return map.computeIfAbsent(order.orderId(), key -> downstream.call());
        };
        return new Subject(name, kind, work, work, () -> {});
    }

    private Subject limit() {
        return map("limit", Kind.LIMIT, Duration.ZERO);
    }

    @Test
    void ratio_ofASubjectThatIsSlowedDown_isLower() {
        for (Group group : List.of(FIRST, REPLAY)) {
            List<Outcome> outcomes = measured(group, limit(), map("slowed", Kind.LIBRARY, Duration.ofMillis(1)));

            Outcome limit = outcomes.get(0);
            Outcome slowed = outcomes.get(1);
            assertThat(slowed.ratioTo(limit).orElseThrow().median()).isLessThan(0.5);
            assertThat(limit.ratioTo(slowed).orElseThrow().median()).isGreaterThan(2);
            assertThat(limit.ratioTo(limit).orElseThrow()).isEqualTo(new Spread(1, 1, 1, 3));
            assertThat(slowed.spread(cell -> cell.micros(50)).orElseThrow().median())
                    .isGreaterThan(900);
            assertThat(slowed.spread(Cell::clientMicros).orElseThrow().median())
                    .isGreaterThan(
                            limit.spread(Cell::clientMicros).orElseThrow().median());
        }
    }

    @Test
    void library_asItIs_isMeasured() {
        for (Group group : List.of(FIRST, REPLAY)) {
            List<Outcome> outcomes = measured(group, limit(), CaffeineSubjects.library(downstream));

            assertThat(outcomes.get(1).failure()).isEmpty();
            assertThat(outcomes.get(1).ratioTo(outcomes.get(0))).isPresent();
            assertThat(outcomes.get(1).cells()).hasSize(3).allMatch(cell -> cell.operations() > 0);
        }
    }

    /** Forgets whatever it is told. */
    private record Forgetful(CaffeineIdempotencyStore store) implements IdempotencyStore {
        @Override
        public StoreClass storeClass() {
            return store.storeClass();
        }

        @Override
        public Snapshot reserve(Write write) {
            return CaffeineIdempotencyStore.create().reserve(write);
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            var other = CaffeineIdempotencyStore.create();
            Snapshot now = other.find(expected.key());
            return new Snapshot(true, write.at(now.now()), now.now());
        }

        @Override
        public Snapshot find(IdempotencyKey key) {
            return store.find(key);
        }

        @Override
        public List<IdempotencyRecord> listUnresolved(IdempotencyRecord after, int limit) {
            return List.of();
        }

        @Override
        public int purge(int limit) {
            return 0;
        }
    }

    @Test
    void library_onAStoreThatForgets_isRefused() {
        var idempotency = Idempotency.on(new Forgetful(CaffeineIdempotencyStore.create()));
        Subject broken = Library.on("forgetful", idempotency, downstream, () -> {});

        List<Outcome> outcomes = measured(REPLAY, limit(), broken);

        assertThat(outcomes.get(1).failure().orElseThrow())
                .startsWith("refused: ")
                .contains("effects");
        assertThat(outcomes.get(1).ratioTo(outcomes.get(0))).isEmpty();
        assertThat(outcomes.get(0).isMeasured()).isTrue();
    }

    @Test
    void subject_thatCallsTwice_isRefused() {
        var idempotency = Idempotency.on(CaffeineIdempotencyStore.create());
        var operation = idempotency
                .operation("order", Order.class, String.class)
                .key(Order::orderId)
                .calling((order, attempt) -> {
                    downstream.call();
                    return downstream.call();
                });
        var twice = new Subject("twice", Kind.LIBRARY, operation::execute, operation::execute, () -> {});

        assertThat(measured(FIRST, limit(), twice).get(1).failure().orElseThrow())
                .startsWith("refused: ");
    }

    @Test
    void subject_thatDoesNotCall_orGivesAnotherResult_isRefused() {
        var idle = new Subject("idle", Kind.PEER, order -> Downstream.RESULT, order -> Downstream.RESULT, () -> {});
        var liar = new Subject(
                "liar",
                Kind.PEER,
                order -> {
                    downstream.call();
                    return "nothing";
                },
                order -> "nothing",
                () -> {});

        List<Outcome> outcomes = measured(FIRST, limit(), idle, liar);

        assertThat(outcomes.get(1).failure().orElseThrow()).startsWith("refused: 0 effects");
        assertThat(outcomes.get(2).failure().orElseThrow()).startsWith("refused: another result");
    }

    @Test
    void subject_thatFails_doesNotKeepOthersFromBeingMeasured() {
        Subject.Work fails = order -> {
            throw new IllegalStateException("out of order");
        };
        var failing = new Subject("failing", Kind.PEER, fails, fails, () -> {});

        List<Outcome> outcomes = measured(REPLAY, limit(), failing, map("other", Kind.PEER, Duration.ZERO));

        assertThat(outcomes.get(1).failure().orElseThrow()).contains("out of order");
        assertThat(outcomes.get(2).ratioTo(outcomes.get(0))).isPresent();
    }

    @Test
    void subject_withoutResults_takesNoPartInReplays() {
        var without = new Subject("without", Kind.PEER, order -> null, null, () -> {});

        assertThat(measured(REPLAY, limit(), without)).hasSize(1);
    }
}
