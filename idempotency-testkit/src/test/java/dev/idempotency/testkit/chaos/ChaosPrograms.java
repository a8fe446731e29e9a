package dev.idempotency.testkit.chaos;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.idempotency.store.IdempotencyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;

/** Many random programs at the same time, for the tests of each store: {@code -Dchaos.programs} of them. */
public final class ChaosPrograms {
    private static final int AT_ONCE = 32;
    private static final int PROGRAMS = Integer.getInteger("chaos.programs", 24);

    /** One program. */
    public interface Run {
        ChaosProgram.Report of(long seed) throws InterruptedException;
    }

    private ChaosPrograms() {}

    /** Fails with the first program that shows anything. */
    public static void requireSound(Supplier<IdempotencyStore> store) throws Exception {
        long faults = 0;
        for (ChaosProgram.Report report : run(PROGRAMS, seed -> ChaosProgram.run(store.get(), seed))) {
            if (!report.isSound()) {
                throw new AssertionError("seed " + report.seed() + " with " + report.policy() + ": duplicates "
                        + report.duplicates() + ", different " + report.different() + ", lost " + report.lost()
                        + ", hung "
                        + report.hung() + "\n  " + String.join("\n  ", report.story()));
            }
            faults += report.faults();
        }
        if (faults == 0) {
            throw new AssertionError("nothing went wrong around these programs");
        }
    }

    static List<ChaosProgram.Report> run(int programs, Run run) throws Exception {
        var log = (Logger) LoggerFactory.getLogger("dev.idempotency");
        Level before = log.getLevel();
        log.setLevel(Level.OFF);
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try {
            var running = new ArrayList<Future<ChaosProgram.Report>>();
            for (int i = 0; i < programs; i++) {
                long seed = ThreadLocalRandom.current().nextLong();
                running.add(threads.submit(() -> run.of(seed)));
            }
            var reports = new ArrayList<ChaosProgram.Report>();
            for (Future<ChaosProgram.Report> one : running) {
                reports.add(one.get());
            }
            return reports;
        } finally {
            threads.shutdownNow();
            log.setLevel(before);
        }
    }
}
