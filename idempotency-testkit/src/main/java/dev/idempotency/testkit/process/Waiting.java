package dev.idempotency.testkit.process;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what another process does, which nothing here can signal. */
final class Waiting {
    private static final Duration STEP = Duration.ofMillis(5);

    private Waiting() {}

    /** Tells whether the condition came true in time. Looks at it every few milliseconds. */
    static boolean until(Duration atMost, BooleanSupplier condition) {
        long end = System.nanoTime() + atMost.toNanos();
        while (!condition.getAsBoolean()) {
            if (end - System.nanoTime() <= 0) {
                return false;
            }
            LockSupport.parkNanos(STEP.toNanos());
        }
        return true;
    }
}
