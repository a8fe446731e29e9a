package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** How often a store that fails is asked, and by whose patience. */
final class StoreStepsTest {
    private static final Step.Request FIND = Step.Request.find(Standing.KEY);

    private final AtomicLong nanoTime = new AtomicLong();
    private final List<IdempotencyEvent> events = new ArrayList<>();
    private final Ports ports =
            new Ports(nanoTime::get, AttemptToken::random, new StateMachine(), tries -> 1L, lease -> {}, events::add);

    private StoreException failure = new StoreException("gone", false, null);

    /** How often the store is asked, each try taking so long. */
    private int tries(StoreSteps steps, Duration each) {
        var asked = new AtomicInteger();
        Step<String> step = steps.ask(
                FIND, snapshot -> new Step.Done<>("found", null), failed -> new Step.Done<>("given up", null));
        while (!(step instanceof Step.Done<String>)) {
            if (step instanceof Step.Ask<String> ask) {
                asked.incrementAndGet();
                nanoTime.addAndGet(each.toNanos());
                step = ask.then().apply(new Step.Reply(null, failure));
            } else if (step instanceof Step.Pause<String> pause) {
                step = pause.then().get();
            }
        }
        return asked.get();
    }

    @Test
    void ask_storeFailsAtOnce_isAskedFiveTimes() {
        assertThat(tries(new StoreSteps(ports, Standing.KEY, Duration.ofSeconds(10)), Duration.ZERO))
                .isEqualTo(5);
        assertThat(tries(new StoreSteps(ports, Standing.KEY, Duration.ZERO), Duration.ZERO))
                .isEqualTo(5);
    }

    @Test
    void ask_poolGivesNoConnectionForHalfAMinute_callerWaitsForItOnceAndNotFiveTimes() {
        assertThat(tries(new StoreSteps(ports, Standing.KEY, Duration.ofSeconds(10)), Duration.ofSeconds(30)))
                .isEqualTo(1);
        assertThat(tries(new StoreSteps(ports, Standing.KEY, Duration.ofSeconds(10)), Duration.ofSeconds(4)))
                .isEqualTo(3);
    }

    @Test
    void ask_storeSaysThatAnotherTryWouldMeetTheSame_isNotAskedAgain() {
        failure = StoreException.notRetryable("the pool has given no connection within 30 s", null);

        assertThat(tries(new StoreSteps(ports, Standing.KEY, Duration.ofSeconds(10)), Duration.ZERO))
                .isEqualTo(1);
    }

    @Test
    void afterwards_storeIsGoneForTooLong_isSaidAloud() {
        var steps = new StoreSteps(ports, Standing.KEY, Duration.ZERO);

        Step<Boolean> step =
                steps.afterwards(StoreSteps.TRIES_AFTERWARDS + 1, FIND, reply -> new Step.Done<>(true, null));

        assertThat(step).isEqualTo(new Step.Done<>(false, null));
        assertThat(events)
                .singleElement()
                .satisfies(event -> assertThat(event.detail()).contains("given up"));
    }

    // ---- the caller's time for waiting

    @Test
    void execution_timeWasSpentOnARunOfThisProcess_waitsNoMoreForAnother() {
        var spec = Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("charge", String.class, String.class)
                .key(request -> request)
                .waitAtMost(Duration.ofSeconds(3))
                .calling((request, attempt) -> request)
                .spec;
        var execution = new Execution<>(
                spec, ports, "order-1", Standing.KEY, Standing.FINGERPRINT, nanoTime.get(), lease -> {});
        var standing = Standing.in(State.IN_FLIGHT);

        Step<Answer<String>> step = execution.meet(new Snapshot(false, standing, Standing.NOW.minusSeconds(1)), null);

        assertThat(step).isInstanceOf(Step.Done.class);
        assertThat(((Step.Done<Answer<String>>) step).answer().failure().get()).isInstanceOf(InFlightException.class);
    }
}
