package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.testkit.Transport.Attempt;
import dev.idempotency.slack.testkit.Transport.End;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class DelivererTest {
    private static final double SCALE = 60_000;

    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
    private final Statistics statistics = new Statistics();
    private final List<String> told = new ArrayList<>();
    private final LogicalEvent event = new LogicalEvent("ref-1", "message", LogicalEvent.Due.ONE, "C1", Set.of("1.0"));
    private final Delivery delivery = Delivery.of(EventJson.urlVerification("x"), event);

    @AfterEach
    void stop() {
        clock.shutdownNow();
    }

    /** An app that answers so, and then with 200. */
    private Deliverer deliverer(Attempt... answers) {
        Deque<Attempt> left = new ArrayDeque<>(List.of(answers));
        Transport transport = (given, retryNum, reason) -> {
            told.add(retryNum + reason);
            Attempt answer = left.poll();
            return CompletableFuture.completedFuture(answer == null ? attempt(End.ACKED, 200, false) : answer);
        };
        return new Deliverer(clock, transport, SCALE, statistics);
    }

    private static Attempt attempt(End end, int status, boolean refusesRetry) {
        return new Attempt(end, status, Duration.ofMillis(7), refusesRetry);
    }

    private void run(Deliverer deliverer, Delivery what) {
        deliverer.deliver(new Planned(what, Duration.ZERO));
        await(() -> deliverer.outstanding() == 0);
        assertThat(deliverer.failing() + deliverer.lastChance()).isZero();
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) {
            LockSupport.parkNanos(100_000);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    @Test
    void deliver_acknowledged_isToldOnceWithoutHeaders() {
        run(deliverer(), delivery);

        assertThat(told).containsExactly("0");
        assertThat(event.isAcked()).isTrue();
        assertThat(statistics.ackMillis().longest()).isEqualTo(7);
    }

    @Test
    void deliver_failing_isTriedAgainWithNumberAndReason() {
        run(
                deliverer(
                        attempt(End.REFUSED, 503, false),
                        attempt(End.LATE, 0, false),
                        attempt(End.UNREACHABLE, 0, false)),
                delivery);

        assertThat(told).containsExactly("0", "1http_error", "2http_timeout", "3connection_failed");
        assertThat(event.isAcked()).isTrue();
        assertThat(statistics.late()).isEqualTo(1);
        assertThat(statistics.statuses())
                .containsEntry("5xx", 1)
                .containsEntry("2xx", 1)
                .containsEntry("http_timeout", 1)
                .containsEntry("connection_failed", 1);
    }

    @Test
    void deliver_failingFourTimes_isGivenUp() {
        Attempt failure = attempt(End.REFUSED, 500, false);
        run(deliverer(failure, failure, failure, failure), delivery);

        assertThat(told).hasSize(4);
        assertThat(event.isAcked()).isFalse();
        assertThat(statistics.givenUp()).isEqualTo(1);
    }

    @Test
    void hold_lastAttempt_waitsForRelease() {
        Attempt failure = attempt(End.REFUSED, 500, false);
        Deliverer deliverer = deliverer(failure, failure, failure);
        deliverer.hold();
        deliverer.deliver(new Planned(delivery, Duration.ZERO));
        await(() -> statistics.attempts() == 3 && deliverer.lastChance() == 1);

        assertThat(deliverer.lastUnderWay()).isZero();
        deliverer.release();
        await(() -> deliverer.outstanding() == 0);

        assertThat(event.isAcked()).isTrue();
        assertThat(statistics.givenUp()).isZero();
    }

    @Test
    void deliver_refusedWithoutRetry_isGivenUpAtOnce() {
        run(deliverer(attempt(End.REFUSED, 400, true)), delivery);

        assertThat(told).hasSize(1);
        assertThat(statistics.givenUp()).isEqualTo(1);
    }

    @Test
    void deliver_claimingARetry_saysSoTheFirstTime() {
        run(deliverer(), delivery.claimingRetry(2));

        assertThat(told).containsExactly("2http_timeout");
        assertThat(statistics.retries()).containsEntry("2", 1);
    }
}
