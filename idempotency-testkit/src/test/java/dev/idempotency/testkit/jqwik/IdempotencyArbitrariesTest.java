package dev.idempotency.testkit.jqwik;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.testkit.Fault;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.StoreFaultPlan;
import dev.idempotency.testkit.StoreStep;
import java.text.Normalizer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Tuple.Tuple2;
import net.jqwik.api.sessions.JqwikSession;
import org.junit.jupiter.api.Test;

/** A property is worth what its generators reach: each of them is asked for what it is there for. */
final class IdempotencyArbitrariesTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("scope", "value");

    /** Always the same two thousand. */
    private static <T> List<T> some(Arbitrary<T> arbitrary) {
        var values = new ArrayList<T>();
        JqwikSession.run(() -> {
            var random = new Random(20260101);
            var generator = arbitrary.generator(1000);
            for (int i = 0; i < 2_000; i++) {
                values.add(generator.next(random).value());
            }
        });
        return values;
    }

    private static <T, V> Set<V> all(List<T> values, Function<T, V> what) {
        return values.stream().map(what).collect(Collectors.toSet());
    }

    private static void lookAlike(
            List<Tuple2<IdempotencyKey, IdempotencyKey>> pairs, String how, Function<IdempotencyKey, String> index) {
        assertThat(pairs)
                .as("are the same to whoever " + how)
                .anyMatch(pair -> index.apply(pair.get1()).equals(index.apply(pair.get2())));
    }

    @Test
    void keys_areOfAllLengthsAndScripts() {
        var keys = some(IdempotencyArbitraries.keys());

        assertThat(all(keys, key -> key.value().length())).contains(1, 2, 20).anyMatch(length -> length > 200);
        assertThat(all(keys, IdempotencyKey::value)).contains(":", "%", "*", "'; --", "null", "\ud83d\ude80");
        assertThat(all(keys, IdempotencyKey::scope)).contains(":", "\u05e9\u05dc\u05d5\u05dd");
        assertThat(all(keys, Function.identity())).hasSizeGreaterThan(1_000);
    }

    @Test
    void lookalikeKeys_differ_thoughManyAStoreWouldNotTell() {
        var pairs = some(IdempotencyArbitraries.lookalikeKeys());

        assertThat(pairs).noneMatch(pair -> pair.get1().equals(pair.get2()));
        for (String by : List.of(":", "/", "|", "-", "")) {
            lookAlike(pairs, "joins with '" + by + "'", key -> key.scope() + by + key.value());
        }
        lookAlike(pairs, "ignores case", key -> key.scope() + "\0" + key.value().toLowerCase(Locale.ROOT));
        lookAlike(pairs, "trims", key -> key.scope() + "\0" + key.value().strip());
        lookAlike(
                pairs,
                "normalizes",
                key -> key.scope() + "\0" + Normalizer.normalize(key.value(), Normalizer.Form.NFC));
    }

    @Test
    void fingerprints_meet_andAreOfMoreThanOneAlgorithm() {
        var fingerprints = some(IdempotencyArbitraries.fingerprints());

        assertThat(all(fingerprints, Function.identity())).hasSize(24);
        assertThat(all(fingerprints, Fingerprint::algorithm)).hasSize(2);
    }

    @Test
    void tokens_differ_andDependOnTheSeedAlone() {
        var tokens = some(IdempotencyArbitraries.tokens());

        assertThat(tokens).doesNotHaveDuplicates().isEqualTo(some(IdempotencyArbitraries.tokens()));
    }

    @Test
    void results_areEmptyLargeAndOfEveryKind() {
        var results = some(IdempotencyArbitraries.results());

        assertThat(all(results, StoredResult::kind)).containsExactlyInAnyOrder(StoredResult.Kind.values());
        assertThat(all(results, result -> result.bytes().length)).contains(0).anyMatch(length -> length > 100_000);
        assertThat(all(results, StoredResult::codec)).anyMatch(codec -> codec.contains("\u00fc"));
    }

    @Test
    void terms_areOfEveryPolicy_withAndWithoutTimes() {
        var terms = some(IdempotencyArbitraries.terms());

        assertThat(all(terms, RecoveryTerms::policy)).containsExactlyInAnyOrder(RecoveryTerms.Policy.values());
        assertThat(all(terms, RecoveryTerms::whenMissing))
                .containsExactlyInAnyOrder(RecoveryTerms.WhenMissing.values());
        assertThat(terms)
                .anyMatch(one -> one.quiescence() == null && one.resendWithin() != null)
                .anyMatch(one -> one.quiescence() != null && one.resendWithin() == null);
    }

    @Test
    void durationsAndInstants_areInRangeAndNoFinerThanAMicrosecond() {
        var longest = Duration.ofMinutes(1).plusNanos(1_000);
        var durations = some(IdempotencyArbitraries.durations(longest));
        var instants = some(IdempotencyArbitraries.instants());

        assertThat(durations)
                .allMatch(one -> !one.isNegative() && one.compareTo(longest) <= 0 && one.getNano() % 1_000 == 0)
                .anyMatch(one -> one.getNano() % 1_000_000 != 0)
                .anyMatch(one -> one.compareTo(Duration.ofSeconds(50)) > 0);
        assertThat(all(durations, Function.identity())).hasSizeGreaterThan(1_000);
        assertThat(instants)
                .allMatch(one -> one.getNano() % 1_000 == 0)
                .allMatch(one -> !one.isBefore(Instant.parse("2000-01-01T00:00:00Z")))
                .allMatch(one -> one.isBefore(Instant.parse("2100-01-02T00:00:00Z")));
        assertThat(all(instants, Function.identity())).hasSizeGreaterThan(1_000);
    }

    @Test
    void evidence_isOfEveryKind_withAndWithoutAResult() {
        var evidence = some(IdempotencyArbitraries.evidence());

        assertThat(all(evidence, Evidence::kind)).containsExactlyInAnyOrder(Evidence.Kind.values());
        assertThat(all(evidence, one -> one.result() == null)).containsExactlyInAnyOrder(true, false);
    }

    @Test
    void records_areInEveryState_andFitIt() {
        var records = some(IdempotencyArbitraries.records(KEY));

        assertThat(all(records, IdempotencyRecord::state)).containsExactlyInAnyOrder(State.values());
        assertThat(records).allMatch(one -> one.key().equals(KEY));
        assertThat(records).allMatch(one -> (one.result() != null) == (one.state() == State.COMPLETED));
        assertThat(records).allMatch(one -> one.fingerprint() != null || one.state() == State.OPEN);
        reached(records, one -> one.fingerprint() == null);
        reached(records, one -> one.state() == State.OPEN && one.fingerprint() != null);
        reached(records, one -> one.request() != null);
        reached(records, one -> one.state() == State.IN_DOUBT && one.request() == null);
        reached(records, one -> one.evidence().size() > 2);
        reached(records, one -> one.generation() > 1);
    }

    private static <T> void reached(List<T> values, Predicate<T> what) {
        assertThat(values).anyMatch(what);
    }

    @Test
    void faultPlans_haveFaultsAndNone() {
        var met = EnumSet.noneOf(Fault.class);
        int quiet = 0;
        for (var plan : some(IdempotencyArbitraries.faultPlans()).subList(0, 200)) {
            var faults = IntStream.range(0, 20)
                    .mapToObj(i -> plan.next("order-" + i % 7))
                    .collect(Collectors.toSet());
            met.addAll(faults);
            quiet += faults.equals(Set.of(Fault.NONE)) ? 1 : 0;
        }

        assertThat(met).isEqualTo(EnumSet.allOf(Fault.class));
        assertThat(quiet).isPositive();
    }

    @Test
    void storeFaultPlans_letTheProcessLive() {
        var plans = some(IdempotencyArbitraries.storeFaultPlans());

        assertThat(chosen(plans, 20))
                .containsExactlyInAnyOrder(
                        StoreFault.NONE, StoreFault.NOT_WRITTEN, StoreFault.PERHAPS_WRITTEN, StoreFault.REPLY_LOST);
    }

    @Test
    void crashPlans_killAtEachStepUpToTheLast() {
        var plans = some(IdempotencyArbitraries.crashPlans(3));

        for (int step = 1; step <= 3; step++) {
            int nth = step;
            assertThat(all(plans, plan -> plan.choose(StoreStep.REPLACE, nth, nth)))
                    .containsExactlyInAnyOrder(StoreFault.NONE, StoreFault.CRASH_BEFORE, StoreFault.CRASH_AFTER);
        }
        assertThat(plans).allMatch(plan -> chosen(List.of(plan), 3).size() == 2);
        assertThatIllegalArgumentException().isThrownBy(() -> IdempotencyArbitraries.crashPlans(0));
    }

    private static Set<StoreFault> chosen(List<StoreFaultPlan> plans, int steps) {
        return plans.stream()
                .flatMap(plan ->
                        IntStream.rangeClosed(1, steps).mapToObj(nth -> plan.choose(StoreStep.RESERVE, nth, nth)))
                .collect(Collectors.toSet());
    }
}
