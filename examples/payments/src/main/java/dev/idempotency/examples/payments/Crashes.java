package dev.idempotency.examples.payments;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.testkit.process.ChildJvm;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Pays in a process of its own, kills it with {@code kill -9} at random moments and starts it again, until it ends by itself.
 * The provider and the server of the store live on.
 */
final class Crashes {
    /** What a Unix says of a process that SIGKILL ended. */
    private static final int KILLED = 128 + 9;

    private static final Duration GLANCE = Duration.ofMillis(5);
    private static final int LONGEST_DELAY_MILLIS = 500;

    /**
     * When to kill: so many milliseconds after so many orders have an answer. By progress and not by the clock alone, so
     * that a slow machine is not killed before it has done anything, nor a fast one when all is done.
     */
    private record Moment(int orders, int millis) {}

    private final Options options;
    private final Provider provider;
    private final PrintStream out;
    private final Counts counts;
    private final Pipe.Reader pipe;
    private final Audit audit;
    private final Orders orders;
    private final Deque<Moment> moments;
    private final AtomicInteger kills = new AtomicInteger();

    Crashes(Options options, Orders orders, Provider provider, PrintStream out) {
        this.options = options;
        this.orders = orders;
        this.provider = provider;
        this.out = out;
        counts = new Counts(out);
        pipe = new Pipe.Reader(orders, counts);
        audit = new Audit(options, orders, provider, out);
        var random = new Random(options.seed());
        moments = random.ints(options.kills(), 0, Math.max(1, orders.ids().size() * 9 / 10))
                .mapToObj(count -> new Moment(count, random.nextInt(LONGEST_DELAY_MILLIS)))
                .sorted(Comparator.comparingInt(Moment::orders))
                .collect(Collectors.toCollection(ArrayDeque::new));
    }

    Report run() throws IOException, InterruptedException, RunFailedException {
        audit.before();
        if (options.protection() == Protection.NONE) {
            payUntilTheEnd(null);
            return audit.after(counts, List.of(), kills.get());
        }
        try (StoreServer server = options.store().start(options)) {
            payUntilTheEnd(server.url());
            return audit.after(counts, unresolved(server), kills.get());
        }
    }

    /** How often it has killed. */
    int kills() {
        return kills.get();
    }

    private void payUntilTheEnd(@Nullable String storeUrl) throws InterruptedException, RunFailedException {
        String[] args = options.forPaying(provider.uri(), storeUrl).toArray(String[]::new);
        var progress = new Progress(out, this::progress);
        try {
            boolean isDone = false;
            while (!isDone) {
                try (ChildJvm process = ChildJvm.start(PayingProcess.class, args)) {
                    process.send(answered());
                    isDone = pay(process, moments.poll());
                }
            }
            audit.awaitLateEffects();
        } finally {
            progress.close();
        }
    }

    /**
     * Lets a process pay until its moment comes.
     *
     * @param moment null if it may end by itself
     * @return whether it did
     */
    private boolean pay(ChildJvm process, @Nullable Moment moment) throws InterruptedException, RunFailedException {
        int heard = 0;
        if (moment == null) {
            heard = hear(process, heard, () -> false);
        } else {
            heard = hear(process, heard, () -> counts.answeredOrders() >= moment.orders());
            long end = System.nanoTime() + Duration.ofMillis(moment.millis()).toNanos();
            heard = hear(process, heard, () -> System.nanoTime() - end >= 0);
            process.kill();
        }
        int status = status(process);
        int unused = hear(process, heard, () -> false);
        if (status != KILLED && status != 0) {
            throw new RunFailedException("The paying process failed, with status " + status);
        }
        if (status == KILLED) {
            kills.incrementAndGet();
        }
        return status == 0;
    }

    /**
     * Counts what the process says, from its first word on, until that is enough or it has ended.
     *
     * @param heard how many lines were counted before
     * @return how many are now
     */
    private int hear(ChildJvm process, int heard, BooleanSupplier isEnough) throws InterruptedException {
        while (true) {
            boolean isOver = !process.isAlive();
            List<String> lines = process.output();
            lines.subList(heard, lines.size()).forEach(pipe::read);
            heard = lines.size();
            if (isOver || (heard > 0 && isEnough.getAsBoolean())) {
                return heard;
            }
            LockSupport.parkNanos(GLANCE.toNanos());
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    private static int status(ChildJvm process) throws InterruptedException {
        try {
            return process.awaitExit(Duration.ofSeconds(10));
        } catch (TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * The rows whose callers have an answer. Without the library the paying process gets them, as a list that it might have
     * kept itself; with the library it gets the same orders again, and the records answer.
     */
    private String answered() {
        return options.protection() == Protection.NONE
                ? counts.answers().stream()
                        .map(answer -> Integer.toString(answer.row().line()))
                        .collect(Collectors.joining(" "))
                : "";
    }

    private String progress() {
        return counts.answeredOrders() + " of " + orders.ids().size() + " orders have an answer, "
                + counts.of(Witness.Sight.CALL).total() + " calls to the provider, " + kills + " kills";
    }

    private List<IdempotencyRecord> unresolved(StoreServer server) {
        if (!options.isWithLibrary()) {
            return List.of();
        }
        try (var opened = options.store().open(server.url())) {
            return opened.store().listUnresolved(null, Integer.MAX_VALUE);
        }
    }
}
