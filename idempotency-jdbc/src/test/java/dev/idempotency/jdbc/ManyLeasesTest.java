package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
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
            while (begun.get() < CALLS || renewed.get() < 2 * CALLS) {
                assertThat(lost).hasValue(0);
                LockSupport.parkNanos(10_000_000);
            }
            answer.complete("done");
            for (var future : running) {
                assertThat(future.get(120, TimeUnit.SECONDS)).isEqualTo("done");
            }
        }
        System.out.println("threads of the library at a renewal, at most: " + most + " of "
                + ManagementFactory.getThreadMXBean().getPeakThreadCount() + " in the process at its peak");
        assertThat(most).hasValueLessThan(64);
    }
}
