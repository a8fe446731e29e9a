package dev.idempotency.testkit.jqwik;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.idempotency.Operation;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.app.App;
import dev.idempotency.testkit.app.AppProcess;
import dev.idempotency.testkit.app.BrokenApps;
import dev.idempotency.testkit.app.BrokenApps.Order;
import dev.idempotency.testkit.app.BrokenApps.Receipt;
import dev.idempotency.testkit.app.Mistake;
import dev.idempotency.testkit.app.Program;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;

@Execution(ExecutionMode.SAME_THREAD)
final class PropertiesNameMistakesTest {
    /** What {@link Candidate} is given; one engine runs at a time. */
    private static volatile App<Order, Receipt> app = BrokenApps.SOUND_HOLD.app();

    /** The property with a fixed seed. Not found by the build, only by these tests. */
    static final class Candidate extends EffectAtMostOnceProperties<Order, Receipt> {
        @Override
        protected Arbitrary<Order> requests() {
            return Arbitraries.integers()
                    .between(1, 9)
                    .map(id -> new Order(
                            "order-" + id, 1 + id % 2, List.of("a", "b"), Instant.parse("2026-01-01T00:00:00Z")));
        }

        @Override
        public Operation<Order, Receipt> start(AppProcess process) {
            return app.start(process);
        }

        @Override
        public Receipt execute(Operation<Order, Receipt> operation, AppProcess process, Order order) {
            return app.execute(operation, process, order);
        }

        @Override
        public Order again(Order order) {
            return app.again(order);
        }

        @Override
        public boolean isAbout(Receipt answer, Effect effect) {
            return app.isAbout(answer, effect);
        }

        @Override
        public ProviderBehavior provider() {
            return app.provider();
        }

        @Override
        public Duration longestTransit() {
            return app.longestTransit();
        }

        @Override
        public Duration longestPause() {
            return app.longestPause();
        }

        @Override
        @Property(seed = "20260101", tries = 120, shrinking = ShrinkingMode.OFF)
        public void programs_ofAnyKind_haveOneEffectPerRequest(@ForAll("programs") Program<Order> program) {
            super.programs_ofAnyKind_haveOneEffectPerRequest(program);
        }
    }

    private static Stream<String> messages(BrokenApps one) {
        app = one.app();
        return EngineTestKit.engine("jqwik")
                .selectors(selectClass(Candidate.class))
                .configurationParameter("jqwik.database", "")
                .configurationParameter("jqwik.reporting.onlyfailures", "true")
                .execute()
                .testEvents()
                .finished()
                .stream()
                .map(event -> event.getRequiredPayload(TestExecutionResult.class))
                .map(result -> result.getThrowable().map(String::valueOf).orElse("holds"));
    }

    @ParameterizedTest
    @EnumSource
    void properties_ofEachApplication_nameItsMistake(BrokenApps one) {
        String message = messages(one).collect(Collectors.joining());

        if (one.mistake() == null) {
            assertThat(message).isEqualTo("holds");
        } else {
            assertThat(message).contains(one.mistake() + ": " + one.mistake().sentence());
        }
    }

    /** The others are about keys alone, about levels, and about what nothing else explains: those have tests of their own. */
    @Test
    void everyMistake_isMadeBySomeCandidate() {
        var made = EnumSet.of(Mistake.BLIND_PAYLOAD, Mistake.LEVEL_TOO_LOW, Mistake.UNEXPLAINED);
        for (BrokenApps one : BrokenApps.values()) {
            if (one.mistake() != null) {
                made.add(one.mistake());
            }
        }

        assertThat(made).isEqualTo(EnumSet.allOf(Mistake.class));
    }
}
