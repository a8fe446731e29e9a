package dev.idempotency.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;

/**
 * A clock that moves only by hand: wall time as an {@link InstantSource}, monotonic time as {@link #nanoTime()}, to be
 * passed as {@code clock::nanoTime}. Thread-safe; each move is one atomic step.
 *
 * @since 0.1.0
 */
public final class ManualClock implements InstantSource {

    private Instant now;
    private long nanos;

    /**
     * Creates a clock that stands still.
     *
     * @param start the wall time to start at; monotonic time starts at zero
     * @throws NullPointerException if the start is null
     */
    public ManualClock(Instant start) {
        now = Objects.requireNonNull(start, "start");
    }

    /**
     * Returns the wall time.
     *
     * @return the wall time, never null
     */
    @Override
    public synchronized Instant instant() {
        return now;
    }

    /**
     * Returns the monotonic time, which never goes backwards, whatever the wall time does.
     *
     * @return nanoseconds since this clock was created
     */
    public synchronized long nanoTime() {
        return nanos;
    }

    /**
     * Moves wall time and monotonic time forward.
     *
     * @param step how far; zero leaves the clock as it is
     * @throws NullPointerException if the step is null
     * @throws IllegalArgumentException if the step is negative
     * @throws ArithmeticException if monotonic time would overflow, which takes 292 years
     */
    public synchronized void advance(Duration step) {
        if (step.isNegative()) {
            throw new IllegalArgumentException("advance goes forward only, not by " + step + "; see turnBack");
        }
        var nanosThen = Math.addExact(nanos, step.toNanos());
        now = now.plus(step);
        nanos = nanosThen;
    }

    /**
     * Moves wall time and monotonic time forward to a wall time.
     *
     * @param then the wall time to move to, not before the present one
     * @throws NullPointerException if the time is null
     * @throws IllegalArgumentException if the time is before the present one
     * @throws ArithmeticException if monotonic time would overflow, which takes 292 years
     */
    public synchronized void set(Instant then) {
        if (then.isBefore(now)) {
            throw new IllegalArgumentException(
                    "set goes forward only, not from " + now + " to " + then + "; see turnBack");
        }
        advance(Duration.between(now, then));
    }

    /**
     * Turns the wall time back, as a correction of the machine's clock does. Monotonic time stays.
     *
     * @param step how far back; zero leaves the clock as it is
     * @throws NullPointerException if the step is null
     * @throws IllegalArgumentException if the step is negative
     */
    public synchronized void turnBack(Duration step) {
        if (step.isNegative()) {
            throw new IllegalArgumentException("turnBack goes backwards only, not by " + step + "; see advance");
        }
        now = now.minus(step);
    }
}
