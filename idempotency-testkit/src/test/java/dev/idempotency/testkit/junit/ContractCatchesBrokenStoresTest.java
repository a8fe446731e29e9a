package dev.idempotency.testkit.junit;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.BrokenStores;
import dev.idempotency.testkit.LossyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

@Execution(ExecutionMode.SAME_THREAD)
final class ContractCatchesBrokenStoresTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    /** Threads race here: a store with another fault may fail it too, or may not. */
    private static final String RACE = "S37";

    private static final Comparator<String> BY_NUMBER = Comparator.comparingInt(clause -> number(clause));

    /** The store that {@link Candidate} is given; one engine runs at a time. */
    private static volatile Function<ManualClock, IdempotencyStore> candidate = ReferenceStore::new;

    /** The contract, run on {@link #candidate}. Not found by the build, only by these tests. */
    static final class Candidate extends IdempotencyStoreContract {
        private final ManualClock clock = new ManualClock(START);
        private final IdempotencyStore store = candidate.apply(clock);

        @Override
        protected IdempotencyStore store() {
            return store;
        }

        @Override
        protected void elapse(Duration duration) {
            clock.advance(duration);
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_brokenStore_failsExactlyItsClauses(BrokenStores broken) {
        var failed = clausesFailedBy(broken::on);
        if (!broken.violates().contains(RACE)) {
            failed.remove(RACE);
        }

        assertThat(failed).isEqualTo(sorted(broken.violates()));
    }

    @Test
    void contract_referenceStoreAndLossyStoreWithoutFailover_failNone() {
        assertThat(clausesFailedBy(ReferenceStore::new)).isEmpty();
        assertThat(clausesFailedBy(LossyStore::new)).isEmpty();
    }

    @Test
    void contract_eachClause_isBrokenBySomeStore() {
        var broken = new TreeSet<>(BY_NUMBER);
        EnumSet.allOf(BrokenStores.class).forEach(store -> broken.addAll(store.violates()));

        assertThat(broken).isEqualTo(sorted(clauses().keySet()));
    }

    @Test
    void contract_clauses_areNumberedWithoutGapsAndNamedLikeTheirNumber() {
        var clauses = clauses();

        assertThat(clauses.keySet()).allMatch(clause -> clause.matches("S[1-9]\\d*"));
        assertThat(sorted(clauses.keySet()).stream().map(clause -> number(clause)))
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, clauses.size()).boxed().toList());
        assertThat(clauses)
                .allSatisfy((clause, sentence) -> assertThat(sentence).endsWith("."));
    }

    @Test
    void document_clauses_areThoseOfTheTests() throws IOException {
        var document = Files.readString(Path.of("..", "docs", "store-contract.md"));
        var documented = new LinkedHashMap<String, String>();
        var clause = Pattern.compile("(?m)^\\*\\*(S\\d+)\\.\\*\\* (.+)$").matcher(document);
        while (clause.find()) {
            assertThat(documented.put(clause.group(1), clause.group(2)))
                    .as(clause.group(1) + " stands there once")
                    .isNull();
        }

        assertThat(List.copyOf(documented.keySet())).isSortedAccordingTo(BY_NUMBER);
        assertThat(documented).containsExactlyInAnyOrderEntriesOf(clauses());
    }

    /** Numbers and sentences, as the tests have them. */
    private static Map<String, String> clauses() {
        var clauses = new LinkedHashMap<String, String>();
        for (var method : IdempotencyStoreContract.class.getDeclaredMethods()) {
            var clause = method.getAnnotation(Clause.class);
            var isTest = method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class);
            assertThat(clause != null).as(method + " has a clause").isEqualTo(isTest);
            if (clause != null) {
                var name = method.getAnnotation(DisplayName.class).value();
                assertThat(name).startsWith(clause.value() + ". ");
                assertThat(clauses.put(
                                clause.value(), name.substring(clause.value().length() + 2)))
                        .as(clause.value() + " has one test")
                        .isNull();
            }
        }
        return clauses;
    }

    private static Set<String> clausesFailedBy(Function<ManualClock, IdempotencyStore> store) {
        candidate = store;
        var results = EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(Candidate.class))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .execute();
        assertThat(results.testEvents().finished().count())
                .isGreaterThanOrEqualTo(clauses().size());
        assertThat(results.testEvents().skipped().count()).isZero();
        return results.testEvents()
                .finished()
                .filter(event ->
                        event.getRequiredPayload(TestExecutionResult.class).getStatus()
                                != TestExecutionResult.Status.SUCCESSFUL)
                .map(ContractCatchesBrokenStoresTest::clause)
                .collect(toCollection(() -> new TreeSet<>(BY_NUMBER)));
    }

    private static String clause(Event event) {
        var source = (MethodSource) event.getTestDescriptor().getSource().orElseThrow();
        return Arrays.stream(IdempotencyStoreContract.class.getDeclaredMethods())
                .filter(method -> method.getName().equals(source.getMethodName()))
                .map((Method method) -> method.getAnnotation(Clause.class).value())
                .findFirst()
                .orElseThrow();
    }

    private static Set<String> sorted(Set<String> clauses) {
        var sorted = new TreeSet<>(BY_NUMBER);
        sorted.addAll(clauses);
        return sorted;
    }

    private static int number(String clause) {
        return clause.isEmpty() ? 0 : Integer.parseInt(clause.substring(1));
    }
}
