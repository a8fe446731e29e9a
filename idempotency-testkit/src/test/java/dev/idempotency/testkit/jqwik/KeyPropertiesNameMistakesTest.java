package dev.idempotency.testkit.jqwik;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.testkit.app.Mistake;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;

@Execution(ExecutionMode.SAME_THREAD)
final class KeyPropertiesNameMistakesTest {
    /** Tags are a set; the trace differs with each try. */
    record Request(String id, long amount, List<String> tags, String trace) {}

    private record Keying(Function<Request, ?> key, Function<Request, ?> payload) {}

    /** What {@link Candidate} is given; one engine runs at a time. */
    private static volatile Keying keying = new Keying(Request::id, KeyPropertiesNameMistakesTest::payload);

    private static List<?> payload(Request request) {
        return List.of(
                request.id(), request.amount(), request.tags().stream().sorted().toList());
    }

    /** The properties. Not found by the build, only by these tests. */
    static final class Candidate extends OperationKeyProperties<Request, String> {
        @Override
        protected Operation<Request, String> operation(Idempotency idempotency) {
            return idempotency
                    .operation("charge", Request.class, String.class)
                    .key(keying.key())
                    .fingerprint(keying.payload())
                    .calling((request, attempt) -> "done");
        }

        @Override
        protected Arbitrary<Request> requests() {
            return Combinators.combine(
                            Arbitraries.integers().between(1, 20),
                            Arbitraries.longs().between(1, 3))
                    .as((id, amount) -> new Request("order-" + id, amount, List.of("a", "b"), "trace"));
        }

        @Override
        protected Request again(Request request) {
            var tags = new ArrayList<>(request.tags());
            Collections.reverse(tags);
            return new Request(
                    request.id(), request.amount(), tags, UUID.randomUUID().toString());
        }

        @Override
        protected boolean isSameWrite(Request a, Request b) {
            return a.id().equals(b.id());
        }
    }

    static Stream<Arguments> keyings() {
        Function<Request, ?> payload = KeyPropertiesNameMistakesTest::payload;
        return Stream.of(
                Arguments.of(null, new Keying(Request::id, payload)),
                Arguments.of(Mistake.RANDOM_KEY, new Keying(request -> UUID.randomUUID(), payload)),
                Arguments.of(Mistake.VOLATILE_KEY, new Keying(request -> request.id() + request.trace(), payload)),
                Arguments.of(Mistake.COARSE_KEY, new Keying(Request::amount, payload)),
                Arguments.of(Mistake.UNSTABLE_PAYLOAD, new Keying(Request::id, Request::tags)),
                Arguments.of(Mistake.UNSTABLE_PAYLOAD, new Keying(Request::id, request -> UUID.randomUUID())),
                Arguments.of(Mistake.BLIND_PAYLOAD, new Keying(Request::id, Request::id)));
    }

    @ParameterizedTest
    @MethodSource("keyings")
    void properties_ofAKey_nameItsMistake(@Nullable Mistake mistake, Keying candidate) {
        keying = candidate;
        String messages = EngineTestKit.engine("jqwik")
                .selectors(selectClass(Candidate.class))
                .configurationParameter("jqwik.database", "")
                .configurationParameter("jqwik.reporting.onlyfailures", "true")
                .execute()
                .testEvents()
                .finished()
                .stream()
                .map(event -> event.getRequiredPayload(TestExecutionResult.class))
                .map(result -> result.getThrowable().map(String::valueOf).orElse("holds"))
                .collect(Collectors.joining("\n"));

        if (mistake == null) {
            assertThat(messages.lines()).containsExactly("holds", "holds", "holds");
        } else {
            assertThat(messages).contains(mistake + ": " + mistake.sentence());
        }
    }
}
