package dev.idempotency.benchmarks;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.store.IdempotencyStore;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/** How much room records take. */
final class Memory {
    static final String AREA = "memory";

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** How much the store has in use, in bytes. */
    @FunctionalInterface
    interface Room {
        long used() throws Exception;
    }

    private final Results results;
    private final PrintStream log;
    private final int records;

    Memory(Results results, PrintStream log, int records) {
        this.results = results;
        this.log = log;
        this.records = records;
    }

    static long heap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    /** Measures one store: what is in flight with its runs in this process, then the same keys when they are completed. */
    void on(String name, IdempotencyStore store, Room room) throws Exception {
        List<CompletableFuture<String>> answers = new ArrayList<>(records);
        var reserved = new CountDownLatch(records);
        List<CompletableFuture<String>> runs = new ArrayList<>(records);
        try (var idempotency = Idempotency.on(store)) {
            Operation<Order, String> operation = idempotency
                    .operation("memory", Order.class, String.class)
                    .key(Order::orderId)
                    .callingAsync((order, attempt) -> {
                        var answer = new CompletableFuture<String>();
                        synchronized (answers) {
                            answers.add(answer);
                        }
                        reserved.countDown();
                        return answer;
                    });
            long empty = room.used();
            long heapEmpty = heap();
            for (int i = 0; i < records; i++) {
                runs.add(operation.executeAsync(Order.fresh()));
                if (i % 200 == 199) {
                    require(reserved, records - i - 1);
                }
            }
            require(reserved, 0);
            add(name + ", in flight, in the store", room.used() - empty, "");
            add(
                    name + ", in flight, in the process that runs it",
                    heap() - heapEmpty,
                    "heap, with the record where the store is in the process");
            List<CompletableFuture<String>> open;
            synchronized (answers) {
                open = List.copyOf(answers);
            }
            open.forEach(answer -> answer.complete(Downstream.RESULT));
            for (CompletableFuture<String> run : runs) {
                run.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
            runs.clear();
            answers.clear();
            add(name + ", completed, in the store", room.used() - empty, "with a result of 300 bytes");
        }
    }

    private static void require(CountDownLatch reserved, long left) throws TimeoutException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (reserved.getCount() > left) {
            if (System.nanoTime() > until) {
                throw new TimeoutException(reserved.getCount() + " of the runs have not begun");
            }
            LockSupport.parkNanos(100_000);
        }
    }

    private void add(String name, long bytes, String note) {
        double each = (double) bytes / records;
        results.add(new Results.Figure(AREA, name, "bytes/record", Optional.of(Spread.of(each)), note));
        log.printf("%-22s %-44s %s bytes/record%n", AREA, name, Spread.digits(each));
    }
}
