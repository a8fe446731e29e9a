package dev.idempotency.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.idempotency.DeclinedException;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.IdempotencyListener.Outcome;
import dev.idempotency.IdempotencyListener.Run;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ObservationTracingTest {
    private record Order(String id) {}

    private static final Order ORDER = new Order("o-4711");
    private static final String DIGEST = new IdempotencyKey("charge", "o-4711").digest();

    private final TestObservationRegistry registry = TestObservationRegistry.create();
    private final List<Observation.Context> stopped = new CopyOnWriteArrayList<>();
    private final Idempotency idempotency = Idempotency.builder(CaffeineIdempotencyStore.create())
            .tracing(ObservationTracing.on(registry))
            .build();

    ObservationTracingTest() {
        registry.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public void onStop(Observation.Context context) {
                stopped.add(context);
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
    }

    @AfterEach
    void close() {
        idempotency.close();
    }

    private Operation.Builder<Order, String> charge() {
        return idempotency.operation("charge", Order.class, String.class).key(Order::id);
    }

    /** What an instrumented HTTP client does. */
    private String http() {
        return Observation.createNotStarted("http", registry).observe(() -> "ok");
    }

    private Observation.Context only(String name) {
        var named = stopped.stream()
                .filter(context -> name.equals(context.getName()))
                .toList();
        assertThat(named).as(name + " among " + stopped).hasSize(1);
        return named.get(0);
    }

    private static void fails(ThrowingCallable execution) {
        assertThat(catchThrowable(execution)).isInstanceOf(IdempotencyException.class);
    }

    private static @Nullable String parent(Observation.Context context) {
        var parent = context.getParentObservation();
        return parent == null ? null : parent.getContextView().getName();
    }

    private static String tag(Observation.Context context, String key) {
        for (KeyValue value : context.getAllKeyValues()) {
            if (value.getKey().equals(key)) {
                return value.getValue();
            }
        }
        throw new AssertionError("no " + key + " in " + context);
    }

    @Test
    void execute_isASpan_thatTheCallsSpansAreIn() {
        var operation = charge().calling((order, attempt) -> http());

        Observation.createNotStarted("caller", registry).observe(() -> operation.execute(ORDER));

        assertThat(parent(only("http"))).isEqualTo("idempotency.execute");
        assertThat(parent(only("idempotency.execute"))).isEqualTo("caller");
        TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo("idempotency.execute")
                .that()
                .hasContextualNameEqualTo("execute charge")
                .hasLowCardinalityKeyValue("operation", "charge")
                .hasLowCardinalityKeyValue("outcome", "executed")
                .hasHighCardinalityKeyValue("key.digest", DIGEST)
                .hasHighCardinalityKeyValue("attempt", "1")
                .hasBeenStopped()
                .doesNotHaveError();
        TestObservationRegistryAssert.assertThat(registry).doesNotHaveAnyRemainingCurrentObservation();
    }

    @Test
    void execute_again_isReplayed() {
        var operation = charge().calling((order, attempt) -> "ok");
        operation.execute(ORDER);
        stopped.clear();
        operation.execute(ORDER);

        assertThat(tag(only("idempotency.execute"), "outcome")).isEqualTo("replayed");
        assertThat(only("idempotency.execute").getError()).isNull();
    }

    @Test
    void execute_inDoubt_isAnError_withoutWhatItsMessageSays() {
        var operation = charge().calling((order, attempt) -> {
            throw new IOException("secret-4711");
        });
        assertThatThrownBy(() -> operation.execute(ORDER)).isInstanceOf(InDoubtException.class);

        var span = only("idempotency.execute");
        assertThat(tag(span, "outcome")).isEqualTo("in_doubt");
        assertThat(span.getError()).hasMessage("in_doubt").hasNoCause();
        assertThat(span.getError().getStackTrace()).isEmpty();
        assertThat(span.toString()).doesNotContain("4711");
        TestObservationRegistryAssert.assertThat(registry).doesNotHaveAnyRemainingCurrentObservation();
    }

    @Test
    void execute_declined_isNoError() {
        var operation = charge().calling((order, attempt) -> {
            throw new DeclinedException("no funds");
        });
        fails(() -> operation.execute(ORDER));

        assertThat(tag(only("idempotency.execute"), "outcome")).isEqualTo("declined");
        assertThat(only("idempotency.execute").getError()).isNull();
    }

    @Test
    void execute_thatBreaks_endsItsSpan() {
        try (var broken = Idempotency.builder(CaffeineIdempotencyStore.create())
                .tracing(ObservationTracing.on(registry))
                .tokens(() -> {
                    throw new IllegalStateException("no random numbers");
                })
                .build()) {
            var operation = broken.operation("charge", Order.class, String.class)
                    .key(Order::id)
                    .calling((order, attempt) -> "ok");
            assertThatThrownBy(() -> operation.execute(ORDER)).isInstanceOf(IllegalStateException.class);
        }

        assertThat(tag(only("idempotency.execute"), "outcome")).isEqualTo("failed");
        assertThat(only("idempotency.execute").getError()).hasMessage("failed");
        TestObservationRegistryAssert.assertThat(registry).doesNotHaveAnyRemainingCurrentObservation();
    }

    @Test
    void lookup_isASpanInTheExecutions_onAnotherThread() {
        var operation = charge().recovery(Recovery.lookup((order, attempt) -> Finding.found(http())))
                .calling((order, attempt) -> {
                    throw new IOException("reset");
                });
        operation.execute(ORDER);

        var lookup = only("idempotency.lookup");
        assertThat(parent(lookup)).isEqualTo("idempotency.execute");
        assertThat(parent(only("http"))).isEqualTo("idempotency.lookup");
        assertThat(tag(lookup, "outcome")).isEqualTo("found");
        assertThat(tag(lookup, "key.digest")).isEqualTo(DIGEST);
        assertThat(tag(only("idempotency.execute"), "outcome")).isEqualTo("found");
        assertThat(lookup.getError()).isNull();
    }

    @Test
    void recovery_withoutACaller_isASpanOfItsOwn_thatTheLookupIsIn() {
        var found = new AtomicBoolean();
        var operation = charge().keepRequests()
                .recovery(Recovery.lookup(
                        (order, attempt) -> found.get() ? Finding.found(http()) : Finding.unknown("busy")))
                .calling((order, attempt) -> {
                    throw new IOException("reset");
                });
        fails(() -> operation.execute(ORDER));
        stopped.clear();
        found.set(true);
        try (var reconciler = Reconciler.on(idempotency).operations(operation).build()) {
            assertThat(reconciler.sweep().resolved()).isEqualTo(1);
        }

        var recover = only("idempotency.recover");
        assertThat(parent(recover)).isNull();
        assertThat(tag(recover, "outcome")).isEqualTo("found");
        assertThat(tag(recover, "key.digest")).isEqualTo(DIGEST);
        assertThat(parent(only("idempotency.lookup"))).isEqualTo("idempotency.recover");
        assertThat(parent(only("http"))).isEqualTo("idempotency.lookup");
    }

    @Test
    void seal_thatFails_isAnError() {
        var operation = charge().recovery(Recovery.seal((order, attempt) -> {
                    throw new IOException("secret-4711");
                }))
                .calling((order, attempt) -> {
                    throw new IOException("reset");
                });
        fails(() -> operation.execute(ORDER));

        assertThat(tag(only("idempotency.seal"), "outcome")).isEqualTo("failed");
        assertThat(only("idempotency.seal").getError()).hasMessage("failed");
    }

    @Test
    void lookup_thatHangs_endsItsSpanAllTheSame() throws Exception {
        var hanging = new CountDownLatch(1);
        var operation = charge().recoveryTimeout(Duration.ofMillis(20))
                .recovery(Recovery.lookup((order, attempt) -> {
                    hanging.await();
                    return Finding.missing();
                }))
                .calling((order, attempt) -> {
                    throw new IOException("reset");
                });
        fails(() -> operation.execute(ORDER));
        hanging.countDown();

        assertThat(tag(only("idempotency.lookup"), "outcome")).isEqualTo("failed");
    }

    @Test
    void executeAsync_spanEndsWithTheCall_andCallsStartInIt() throws Exception {
        var answer = new CompletableFuture<String>();
        var started = new CountDownLatch(1);
        var operation = charge().callingAsync((order, attempt) -> {
            http();
            started.countDown();
            return answer;
        });

        var caller = Observation.start("caller", registry);
        CompletableFuture<String> result;
        try (var scope = caller.openScope()) {
            result = operation.executeAsync(ORDER);
        }
        assertThat(started.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(parent(only("http"))).isEqualTo("idempotency.execute");
        assertThat(stopped).noneMatch(context -> "idempotency.execute".equals(context.getName()));
        answer.complete("ok");

        assertThat(result.get(30, TimeUnit.SECONDS)).isEqualTo("ok");
        assertThat(parent(only("idempotency.execute"))).isEqualTo("caller");
        assertThat(tag(only("idempotency.execute"), "outcome")).isEqualTo("executed");
        caller.stop();
        TestObservationRegistryAssert.assertThat(registry).doesNotHaveAnyRemainingCurrentObservation();
    }

    @Test
    void executeAsync_fails_isAnError() {
        var operation = charge().callingAsync((order, attempt) -> CompletableFuture.failedFuture(new IOException("x")));

        assertThat(catchThrowable(() -> operation.executeAsync(ORDER).get(30, TimeUnit.SECONDS)))
                .hasCauseInstanceOf(InDoubtException.class);

        assertThat(tag(only("idempotency.execute"), "outcome")).isEqualTo("in_doubt");
        assertThat(only("idempotency.execute").getError()).isNotNull();
    }

    @Test
    void callers_whoWaitInTheSameProcess_haveASpanEach() throws Exception {
        var calling = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var operation = charge().calling((order, attempt) -> {
            calling.countDown();
            assertThat(goOn.await(30, TimeUnit.SECONDS)).isTrue();
            return "ok";
        });
        var first = CompletableFuture.supplyAsync(() -> operation.execute(ORDER));
        assertThat(calling.await(30, TimeUnit.SECONDS)).isTrue();
        var second = operation.executeAsync(ORDER);
        goOn.countDown();
        first.get(30, TimeUnit.SECONDS);
        second.get(30, TimeUnit.SECONDS);

        assertThat(stopped.stream().map(context -> tag(context, "outcome")))
                .containsExactlyInAnyOrder("executed", "replayed");
    }

    /** A tracer that fails must not fail a charge. */
    @Test
    void tracing_thatThrows_changesNothing() {
        Idempotency.Tracing.Span failing = new Idempotency.Tracing.Span() {
            @Override
            public Idempotency.Tracing.Scope enter() {
                return () -> {
                    throw new IllegalStateException("close");
                };
            }

            @Override
            public void end(Outcome outcome, int attempt) {
                throw new IllegalStateException("end");
            }
        };
        for (Idempotency.Tracing tracing :
                List.<Idempotency.Tracing>of((run, operation, digest) -> failing, (run, operation, digest) -> {
                    throw new IllegalStateException("start");
                })) {
            try (var traced = Idempotency.builder(CaffeineIdempotencyStore.create())
                    .tracing(tracing)
                    .build()) {
                assertThat(traced.operation("charge", Order.class, String.class)
                                .key(Order::id)
                                .calling((order, attempt) -> "ok")
                                .execute(ORDER))
                        .isEqualTo("ok");
            }
        }
    }

    @Test
    void tracing_isToldOperationAndDigest_andNoKey() {
        var told = new CopyOnWriteArrayList<String>();
        try (var traced = Idempotency.builder(CaffeineIdempotencyStore.create())
                .tracing((run, operation, digest) -> {
                    told.add(run + " " + operation + " " + digest);
                    return ObservationTracing.on(registry).start(run, operation, digest);
                })
                .build()) {
            traced.operation("charge", Order.class, String.class)
                    .tenant(order -> "acme")
                    .key(Order::id)
                    .calling((order, attempt) -> "ok")
                    .execute(ORDER);
        }

        assertThat(told)
                .containsExactly(Run.EXECUTE + " charge " + new IdempotencyKey("charge/acme", "o-4711").digest());
        assertThat(DIGEST).matches("[0-9a-f]{16}").isNotEqualTo(new IdempotencyKey("charg", "eo-4711").digest());
    }
}
