package dev.idempotency.testkit.junit;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.BrokenTrails;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import dev.idempotency.testkit.StoreWithTrail;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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
final class ContractCatchesBrokenTrailsTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.987654321Z");

    /** The store that {@link Candidate} is given; one engine runs at a time. */
    private static volatile Function<ManualClock, AuditedStore> candidate = ReferenceStore::new;

    /** The contract, run on {@link #candidate}. Not found by the build, only by these tests. */
    static final class Candidate extends AuditedStoreContract {
        private final ManualClock clock = new ManualClock(START);
        private final AuditedStore store = candidate.apply(clock);

        @Override
        protected AuditedStore store() {
            return store;
        }

        @Override
        protected void elapse(Duration duration) {
            clock.advance(duration);
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_brokenTrail_failsExactlyItsClauses(BrokenTrails broken) {
        assertThat(clausesFailedBy(broken::on)).isEqualTo(new TreeSet<>(broken.violates()));
    }

    @Test
    void contract_referenceStoreAndTrailBesideOne_failNone() {
        assertThat(clausesFailedBy(ReferenceStore::new)).isEmpty();
        assertThat(clausesFailedBy(clock -> new StoreWithTrail(new ReferenceStore(clock))))
                .isEmpty();
    }

    @Test
    void contract_eachClause_isBrokenBySomeTrail() {
        var broken = new TreeSet<String>();
        EnumSet.allOf(BrokenTrails.class).forEach(trail -> broken.addAll(trail.violates()));

        assertThat(broken).isEqualTo(clauses().keySet());
    }

    @Test
    void document_clauses_areThoseOfTheTests() throws IOException {
        var documented = new LinkedHashMap<String, String>();
        var clause = Pattern.compile("(?m)^\\*\\*(A\\d+)\\.\\*\\* (.+)$")
                .matcher(Files.readString(Path.of("..", "docs", "store-contract.md")));
        while (clause.find()) {
            assertThat(documented.put(clause.group(1), clause.group(2)))
                    .as(clause.group(1) + " stands there once")
                    .isNull();
        }

        assertThat(documented).containsExactlyInAnyOrderEntriesOf(clauses());
        assertThat(documented.keySet())
                .containsExactlyElementsOf(IntStream.rangeClosed(1, documented.size())
                        .mapToObj(number -> "A" + number)
                        .toList());
    }

    /** Numbers and sentences, as the tests have them. */
    private static Map<String, String> clauses() {
        var clauses = new TreeMap<String, String>();
        for (var method : AuditedStoreContract.class.getDeclaredMethods()) {
            var clause = method.getAnnotation(Clause.class);
            var isTest = method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class);
            assertThat(clause != null).as(method + " has a clause").isEqualTo(isTest);
            if (clause != null) {
                var name = method.getAnnotation(DisplayName.class).value();
                assertThat(name).startsWith(clause.value() + ". ").endsWith(".");
                assertThat(clauses.put(
                                clause.value(), name.substring(clause.value().length() + 2)))
                        .as(clause.value() + " has one test")
                        .isNull();
            }
        }
        return clauses;
    }

    private static Set<String> clausesFailedBy(Function<ManualClock, AuditedStore> store) {
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
                .map(ContractCatchesBrokenTrailsTest::clause)
                .collect(toCollection(TreeSet::new));
    }

    private static String clause(Event event) {
        var source = (MethodSource) event.getTestDescriptor().getSource().orElseThrow();
        return Arrays.stream(AuditedStoreContract.class.getDeclaredMethods())
                .filter(method -> method.getName().equals(source.getMethodName()))
                .map(method -> method.getAnnotation(Clause.class))
                .filter(clause -> clause != null)
                .map(Clause::value)
                .findFirst()
                .orElseThrow();
    }
}
