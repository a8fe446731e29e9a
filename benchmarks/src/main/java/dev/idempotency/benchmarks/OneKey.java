package dev.idempotency.benchmarks;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.store.IdempotencyStore;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** 64 threads execute one new key at once: how often it is called, and how soon everybody knows. */
final class OneKey {
    private static final int CALLERS = 64;
    private static final long CALL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** Writes what a record's end costs, without the library. */
    @FunctionalInterface
    interface Commit {
        void run(String key) throws Exception;
    }

    /** One repetition: lags in milliseconds, and what was done. */
    private record Crowd(double p50, double p95, double calls, double asked) {}

    private final Results results;
    private final PrintStream log;
    private final int repetitions;
    private final Random random;

    OneKey(Results results, PrintStream log, int repetitions, long seed) {
        this.results = results;
        this.log = log;
        this.repetitions = repetitions;
        this.random = new Random(seed);
    }

    /**
     * Measures one store.
     *
     * @param store where the records stand
     * @param commit the end of a record on the same server, without the library
     */
    void on(String name, IdempotencyStore store, Commit commit) throws Exception {
        var steps = new AtomicLong();
        List<Crowd> ours = new ArrayList<>();
        List<Crowd> bare = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        ExecutorService executor = Executors.newFixedThreadPool(CALLERS);
        try (var idempotency = Idempotency.on(counted(store, steps))) {
            for (int i = 0; i <= repetitions; i++) {
                Crowd[] pair = new Crowd[2];
                List<Integer> order = new ArrayList<>(List.of(0, 1));
                Collections.shuffle(order, random);
                for (int which : order) {
                    pair[which] = which == 0 ? library(executor, idempotency, steps) : bare(executor, commit);
                }
                // The first one warms up.
                if (i > 0) {
                    ours.add(pair[0]);
                    bare.add(pair[1]);
                    ratios.add(pair[0].p50() / pair[1].p50());
                }
            }
        } finally {
            executor.shutdownNow();
        }
        add(
                name + " calls",
                "calls for one key",
                ours.stream().map(Crowd::calls).toList(),
                "");
        add(name + " lag", "x the bare hand-off's", ratios, "p50 against p50 of the same repetition");
        add(name + " lag p50", "ms", ours.stream().map(Crowd::p50).toList(), "");
        add(name + " lag p95", "ms", ours.stream().map(Crowd::p95).toList(), "");
        add(name + " bare hand-off p50", "ms", bare.stream().map(Crowd::p50).toList(), "");
        add(name + " bare hand-off p95", "ms", bare.stream().map(Crowd::p95).toList(), "");
        add(
                name + " asked",
                "steps of the store",
                ours.stream().map(Crowd::asked).toList(),
                "beside the two of the run that calls, for all 63 who wait");
    }

    private void add(String name, String unit, List<Double> figures, String note) {
        Spread spread =
                Spread.of(figures.stream().mapToDouble(Double::doubleValue).toArray());
        results.add(new Results.Figure(Targets.ONE_KEY, name, unit, Optional.of(spread), note));
        log.printf("%-22s %-34s %s %s (%s)%n", Targets.ONE_KEY, name, spread.middle(), unit, spread.quartiles());
    }

    private static Crowd library(ExecutorService executor, Idempotency idempotency, AtomicLong steps) throws Exception {
        var downstream = new Downstream();
        var endedAt = new AtomicLong();
        Operation<Order, String> operation = idempotency
                .operation("one-key", Order.class, String.class)
                .key(Order::orderId)
                .calling((order, attempt) -> {
                    await();
                    String result = downstream.call();
                    endedAt.set(System.nanoTime());
                    return result;
                });
        Order order = Order.fresh();
        long before = steps.get();
        double[] lags = together(executor, () -> operation.execute(order), endedAt);
        return new Crowd(p(lags, 0.5), p(lags, 0.95), downstream.calls(), steps.get() - before - 2);
    }

    private static Crowd bare(ExecutorService executor, Commit commit) throws Exception {
        var endedAt = new AtomicLong();
        var first = new java.util.concurrent.atomic.AtomicBoolean();
        var answer = new CompletableFuture<String>();
        String key = Order.fresh().orderId();
        double[] lags = together(
                executor,
                () -> {
                    if (first.compareAndSet(false, true)) {
                        await();
                        endedAt.set(System.nanoTime());
                        commit.run(key);
                        answer.complete(Downstream.RESULT);
                    }
                    return answer.get();
                },
                endedAt);
        return new Crowd(p(lags, 0.5), p(lags, 0.95), 1, 0);
    }

    /** The downstream at work. */
    private static void await() {
        long until = System.nanoTime() + CALL_NANOS;
        for (long left = CALL_NANOS; left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private static double[] together(
            ExecutorService executor, java.util.concurrent.Callable<String> each, AtomicLong endedAt) throws Exception {
        var go = new CountDownLatch(1);
        List<Future<Long>> answers = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            answers.add(executor.submit(() -> {
                go.await();
                if (!Downstream.RESULT.equals(each.call())) {
                    throw new RefusedException("another result came back than the downstream gave");
                }
                return System.nanoTime();
            }));
        }
        go.countDown();
        double[] lags = new double[CALLERS];
        for (int i = 0; i < CALLERS; i++) {
            lags[i] = answers.get(i).get(1, TimeUnit.MINUTES);
        }
        for (int i = 0; i < CALLERS; i++) {
            lags[i] = (lags[i] - endedAt.get()) / 1e6;
        }
        Arrays.sort(lags);
        return lags;
    }

    private static double p(double[] sorted, double at) {
        return Spread.quantile(sorted, at);
    }

    /** The same store, whose steps are counted; what else it can do it still can. */
    static IdempotencyStore counted(IdempotencyStore store, AtomicLong steps) {
        Set<String> counted = Set.of("reserve", "replace", "find", "reserveAsync", "replaceAsync", "findAsync");
        return (IdempotencyStore) Proxy.newProxyInstance(
                OneKey.class.getClassLoader(),
                interfaces(store.getClass()).toArray(new Class<?>[0]),
                (self, method, arguments) -> {
                    if (counted.contains(method.getName())) {
                        steps.incrementAndGet();
                    }
                    try {
                        return method.invoke(store, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static Set<Class<?>> interfaces(Class<?> type) {
        Set<Class<?>> all = new LinkedHashSet<>();
        for (Class<?> one = type; one != null; one = one.getSuperclass()) {
            for (Class<?> each : one.getInterfaces()) {
                if (IdempotencyStore.class.isAssignableFrom(each)) {
                    all.add(each);
                }
            }
        }
        return all;
    }
}
