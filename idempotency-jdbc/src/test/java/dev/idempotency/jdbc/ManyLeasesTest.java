package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls that hold no thread hold none for their leases either. */
@Timeout(300)
final class ManyLeasesTest {
    private static final int CALLS = 2_000;

    record Order(String id) {}

    /** This test is not the only one with threads in this process; so it counts the library's. */
    private static int threads() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("idempotency-"))
                .count();
    }

    @Test
    void twoThousandCallsAtTheSameTime_areRenewedByFewThreads() throws Exception {
        var begun = new AtomicInteger();
        var renewed = new AtomicInteger();
        var lost = new AtomicInteger();
        var most = new AtomicInteger();
        var answer = new CompletableFuture<String>();
        try (var idempotency = Idempotency.builder(Database.store())
                .listener(event -> {
                    if (event.type() == Type.RENEWED) {
                        renewed.incrementAndGet();
                        most.accumulateAndGet(threads(), Math::max);
                    } else if (event.type() == Type.LEASE_LOST) {
                        lost.incrementAndGet();
                    }
                })
                .build()) {
            var charge = idempotency
                    .operation("many-leases", Order.class, String.class)
                    .key(Order::id)
                    .lease(Duration.ofSeconds(30))
                    .callingAsync((order, attempt) -> {
                        begun.incrementAndGet();
                        return answer;
                    });
            List<CompletableFuture<String>> running = IntStream.range(0, CALLS)
                    .mapToObj(i -> charge.executeAsync(new Order("o-" + i)))
                    .toList();
            await(lost, () -> begun.get() == CALLS);
            // What began them all at the same moment, and other tests of this process, may have left idle threads
            // behind.
            await(lost, () -> threads() < 48);
            int before = renewed.get();
            most.set(0);
            await(lost, () -> renewed.get() >= before + 2 * CALLS);
            int renewing = most.get();
            System.out.println("threads of the library at a renewal, at most: " + renewing);
            assertThat(renewing).isPositive().isLessThan(64);
            answer.complete("done");
            for (var future : running) {
                assertThat(future.get(120, TimeUnit.SECONDS)).isEqualTo("done");
            }
        }
    }

    private static void await(AtomicInteger lost, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            assertThat(lost).as("leases that were lost meanwhile").hasValue(0);
            LockSupport.parkNanos(10_000_000);
        }
    }
}
