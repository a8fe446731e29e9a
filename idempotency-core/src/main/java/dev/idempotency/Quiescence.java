package dev.idempotency;

import java.time.Duration;
import java.util.Objects;

/**
 * How long a key must have been in doubt before "the provider has nothing" counts: longer than anything in flight can
 * live, {@code Q > P + D + Lag + S}.
 *
 * @param pause P: the longest pause of this process between the last check and the first byte sent
 * @param transit D: how long after the first byte the provider may still act on the request. The provider's own limit or
 *     the request's expiry bounds it; a socket timeout does not
 * @param lag Lag: how long after the effect the provider's lookup may still miss it
 * @param clockError S: how far the store's clock may jump, over a failover for instance
 * @param period Q: the waiting period, from the moment the key came into doubt
 * @since 0.1.0
 */
public record Quiescence(Duration pause, Duration transit, Duration lag, Duration clockError, Duration period) {
    private static final Duration DEFAULT_PAUSE = Duration.ofSeconds(30);
    private static final Duration DEFAULT_CLOCK_ERROR = Duration.ofSeconds(2);
    private static final Duration MARGIN = Duration.ofSeconds(1);

    /**
     * Checks the bounds. That the period is long enough is checked when the operation is built.
     *
     * @param pause as described above
     * @param transit as described above
     * @param lag as described above
     * @param clockError as described above
     * @param period as described above
     * @throws NullPointerException if a duration is null
     * @throws IllegalArgumentException if a duration is negative or longer than 366 days
     */
    public Quiescence {
        Settings.atLeastZero("pause", pause);
        Settings.atLeastZero("transit", transit);
        Settings.atLeastZero("lag", lag);
        Settings.atLeastZero("clockError", clockError);
        Settings.atLeastZero("period", period);
    }

    /**
     * The shortest safe period for a provider, with room for pauses of 30 seconds and clock jumps of 2.
     *
     * @param transit how long after the first byte the provider may still act on the request
     * @param lag how long after the effect the provider's lookup may still miss it
     * @return a quiescence whose period is one second longer than the bound
     * @throws NullPointerException if a duration is null
     * @throws IllegalArgumentException if a duration is negative or longer than 366 days
     */
    public static Quiescence of(Duration transit, Duration lag) {
        Objects.requireNonNull(transit, "transit");
        Objects.requireNonNull(lag, "lag");
        return safest(DEFAULT_PAUSE, transit, lag, DEFAULT_CLOCK_ERROR);
    }

    /**
     * The same with another bound on pauses; the period is computed anew.
     *
     * @param pause the longest pause between the last check and the first byte sent
     * @return a new quiescence
     */
    public Quiescence withPause(Duration pause) {
        Objects.requireNonNull(pause, "pause");
        return safest(pause, transit, lag, clockError);
    }

    /**
     * The same with another bound on clock jumps; the period is computed anew.
     *
     * @param clockError how far the store's clock may jump
     * @return a new quiescence
     */
    public Quiescence withClockError(Duration clockError) {
        Objects.requireNonNull(clockError, "clockError");
        return safest(pause, transit, lag, clockError);
    }

    /**
     * The same with a waiting period of your own.
     *
     * @param period the waiting period; an operation with one that is not longer than {@link #bound()} is refused
     * @return a new quiescence
     */
    public Quiescence withPeriod(Duration period) {
        return new Quiescence(pause, transit, lag, clockError, period);
    }

    /**
     * What the period must exceed.
     *
     * @return {@code P + D + Lag + S}
     */
    public Duration bound() {
        return pause.plus(transit).plus(lag).plus(clockError);
    }

    private static Quiescence safest(Duration pause, Duration transit, Duration lag, Duration clockError) {
        Settings.atLeastZero("pause", pause);
        Settings.atLeastZero("transit", transit);
        Settings.atLeastZero("lag", lag);
        Settings.atLeastZero("clockError", clockError);
        return new Quiescence(
                pause,
                transit,
                lag,
                clockError,
                pause.plus(transit).plus(lag).plus(clockError).plus(MARGIN));
    }
}
