package dev.idempotency.testkit.lincheck;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/** Executions of one key are as if they came one after the other: the first one's result is everybody's. */
final class SingleFlightLincheckTest {
    private static final ExecutorService EXECUTOR = Executors.newCachedThreadPool(work -> daemon(work));
    private static final ScheduledExecutorService SCHEDULER =
            Executors.newSingleThreadScheduledExecutor(work -> daemon(work));

    private static Thread daemon(Runnable work) {
        var thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    /** A request, and what the provider would answer to it; only the order is the payload. */
    public record Charge(String order, int answer) {}

    public static final class Executions {
        private final dev.idempotency.Operation<Charge, Integer> charge = Idempotency.builder(
                        CaffeineIdempotencyStore.create())
                .executor(EXECUTOR)
                .scheduler(SCHEDULER)
                .build()
                .operation("charge", Charge.class, Integer.class)
                .key(Charge::order)
                .fingerprint(Charge::order)
                .calling((request, attempt) -> request.answer());

        @Operation
        public int execute(
                @Param(gen = IntGen.class, conf = "1:2") int order,
                @Param(gen = IntGen.class, conf = "1:100") int answer) {
            return charge.execute(new Charge("order-" + order, answer));
        }
    }

    /** Looks whether there is a result before it makes the call. */
    public static final class RacyExecutions {
        private final Map<Integer, Integer> results = new java.util.concurrent.ConcurrentHashMap<>();

        @Operation
        public int execute(
                @Param(gen = IntGen.class, conf = "1:2") int order,
                @Param(gen = IntGen.class, conf = "1:100") int answer) {
            Integer result = results.get(order);
            if (result == null) {
                results.put(order, answer);
                result = answer;
            }
            return result;
        }
    }

    public static final class OneByOne {
        private final Map<Integer, Integer> results = new HashMap<>();

        public int execute(int order, int answer) {
            return results.computeIfAbsent(order, o -> answer);
        }
    }

    private static StressOptions options() {
        return new StressOptions()
                .iterations(10)
                .invocationsPerIteration(300)
                .threads(3)
                .actorsPerThread(2)
                .actorsBefore(0)
                .actorsAfter(0)
                .sequentialSpecification(OneByOne.class);
    }

    @Test
    void executions_areLinearizable() {
        options().check(Executions.class);
    }

    @Test
    void executionsThatLookFirst_areNot() {
        assertThatThrownBy(() ->
                        options().iterations(50).invocationsPerIteration(5_000).check(RacyExecutions.class))
                .isInstanceOf(LincheckAssertionError.class);
    }
}
