package dev.idempotency.testkit.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

final class ChaosTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void around_planned_failsAtThatMethodAndNoMore() {
        try (Chaos chaos = Chaos.planned()) {
            Function<String, String> around = chaos.around("same", Function.class, Function.<String>identity());
            var error = new StackOverflowError("planned");
            chaos.fail("same.apply", error);

            assertThatThrownBy(() -> around.apply("a")).isSameAs(error);
            assertThat(around.apply("b")).isEqualTo("b");
            assertThat(chaos.thrown()).containsOnlyKeys("same.apply");
        }
    }

    @Test
    void around_seeded_failsBeforeAndAfterTheWork_theSameVisitsForTheSameSeed() {
        List<String> first = failures(7);

        assertThat(failures(7)).isEqualTo(first);
        assertThat(failures(8)).isNotEqualTo(first);
        assertThat(first).anyMatch(line -> line.startsWith("before ")).anyMatch(line -> line.startsWith("after "));
        assertThat(first)
                .anyMatch(line -> line.contains("LinkageError"))
                .anyMatch(line -> line.contains("StackOverflowError"))
                .anyMatch(line -> line.contains("AssertionError"))
                .anyMatch(line -> line.contains("OutOfMemoryError"))
                .anyMatch(line -> line.contains("IllegalStateException"));
    }

    private static List<String> failures(long seed) {
        var lines = new ArrayList<String>();
        var worked = new ArrayList<String>();
        try (Chaos chaos = Chaos.seeded(seed, 0.5)) {
            Consumer<String> around = chaos.around("list", Consumer.class, (Consumer<String>) worked::add);
            around.accept("quiet");
            chaos.begin();
            for (int i = 0; i < 200; i++) {
                int before = worked.size();
                try {
                    around.accept("item");
                } catch (RuntimeException | Error e) {
                    lines.add((worked.size() == before ? "before " : "after ") + i + " " + e);
                }
            }
            chaos.calm();
            around.accept("quiet");
        }
        return lines;
    }

    interface Later {
        CompletionStage<String> later(String text);
    }

    @Test
    void around_whatReturnsStages_failsThem_andKeepsItsOtherInterfaces() {
        final class Both implements Later, Supplier<String> {
            @Override
            public CompletionStage<String> later(String text) {
                return CompletableFuture.completedFuture(text);
            }

            @Override
            public String get() {
                return "other";
            }
        }
        try (Chaos chaos = Chaos.planned()) {
            Later around = chaos.around("both", Later.class, (Later) new Both());
            chaos.fail("both.later", new IllegalStateException("planned"));

            assertThat(around.later("a").toCompletableFuture()).isCompletedExceptionally();
            assertThat(around.later("b").toCompletableFuture()).isCompletedWithValue("b");
            assertThat(around).isInstanceOf(Supplier.class);
        }
    }

    @Test
    void executor_ofEachKind_runsTasksWhereItSays_andCountsThem() throws InterruptedException {
        for (Chaos.Threads kind : Chaos.Threads.values()) {
            try (Chaos chaos = Chaos.planned()) {
                var executor = chaos.executor(kind);
                var open = new CountDownLatch(1);
                var threads = new ArrayList<String>();
                var done = new CountDownLatch(2);
                for (int i = 0; i < 2; i++) {
                    executor.execute(() -> {
                        await(open);
                        done.countDown();
                    });
                }
                if (kind == Chaos.Threads.CALLER_RUNS) {
                    executor.execute(() -> threads.add(Thread.currentThread().getName()));
                    assertThat(threads).containsExactly(Thread.currentThread().getName());
                }

                assertThat(chaos.busy()).isEqualTo(2);
                assertThat(chaos.awaitIdle(Duration.ZERO)).isFalse();
                open.countDown();
                assertThat(done.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
                assertThat(chaos.awaitIdle(LONG)).isTrue();
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void threads_planned_cannotBeMadeForAMoment() {
        try (Chaos chaos = Chaos.planned()) {
            var executor = chaos.executor(Chaos.Threads.AS_NEEDED);
            var scheduler = chaos.scheduler();
            chaos.fail("executor.execute", Chaos.noThread());
            chaos.fail("scheduler.schedule", new RejectedExecutionException("planned"));

            assertThatThrownBy(() -> executor.execute(() -> {})).isInstanceOf(OutOfMemoryError.class);
            assertThatThrownBy(() -> scheduler.schedule(() -> {}, 1, TimeUnit.NANOSECONDS))
                    .isInstanceOf(RejectedExecutionException.class);
            Future<Integer> executed = executor.submit(() -> 1);
            Future<Integer> scheduled = scheduler.schedule(() -> 1, 1, TimeUnit.NANOSECONDS);
            assertThat(executed).succeedsWithin(LONG);
            assertThat(scheduled).succeedsWithin(LONG);
            assertThat(chaos.awaitIdle(LONG)).isTrue();
        }
    }
}
