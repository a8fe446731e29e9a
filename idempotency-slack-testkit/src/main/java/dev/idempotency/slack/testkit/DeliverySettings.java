package dev.idempotency.slack.testkit;

import java.net.URI;
import java.time.Duration;
import java.util.Objects;

/**
 * How a simulator delivers events to an app: where to, how many, how fast, and what goes wrong when the app posts. Immutable.
 *
 * @since 0.1.0
 */
public final class DeliverySettings {
    private final RunSettings run;
    private final Duration patience;
    private final Duration settle;

    private DeliverySettings(RunSettings run, Duration patience, Duration settle) {
        this.run = run;
        this.patience = patience;
        this.settle = settle;
    }

    private static DeliverySettings of(RunSettings run) {
        return new DeliverySettings(run, Duration.ofSeconds(60), Duration.ofSeconds(2));
    }

    /**
     * Deliveries over HTTP: 2000 of them, 60 a second, with Slack's minute in a second.
     *
     * @param appUrl where the app takes events
     * @param signingSecret what requests are signed with
     * @return the settings
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the address is not one of HTTP, or the secret is empty
     */
    public static DeliverySettings http(URI appUrl, String signingSecret) {
        if (appUrl.getHost() == null || !String.valueOf(appUrl.getScheme()).matches("(?i)https?")) {
            throw new IllegalArgumentException(
                    appUrl + " is no address of HTTP: give one such as http://127.0.0.1:3000/slack/events");
        }
        if (Objects.requireNonNull(signingSecret, "signingSecret").isEmpty()) {
            throw new IllegalArgumentException("the signing secret is empty: give the one that the app under test has");
        }
        return of(RunSettings.of(appUrl, signingSecret));
    }

    /**
     * Deliveries over Socket Mode, to whatever app has connected: 2000 of them, 60 a second, with Slack's minute in a second.
     *
     * @return the settings
     */
    public static DeliverySettings socketMode() {
        return of(RunSettings.of(RunSettings.SOCKETS, ""));
    }

    private DeliverySettings with(RunSettings changed) {
        return new DeliverySettings(changed, patience, settle);
    }

    /**
     * Sets how many deliveries are made.
     *
     * @param count how many at least; an event that was begun is told in all its deliveries
     * @param perSecond how many a second, after the first five seconds, in which the rate grows; fewer while many are under way
     * @return other settings
     * @throws IllegalArgumentException if the count is negative or the rate is not positive
     */
    public DeliverySettings deliveries(int count, double perSecond) {
        if (count < 0 || !(perSecond > 0 && perSecond < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(count + " deliveries, " + perSecond
                    + " a second: the count must not be negative, and the rate must be positive");
        }
        return with(run.withDeliveries(count, perSecond));
    }

    /**
     * Sets the seed. The same seed gives the same events and the same faults for the same posts; threads still run as they like.
     *
     * @param value the seed; 1 unless it is set
     * @return other settings
     */
    public DeliverySettings seed(long value) {
        return with(run.withSeed(value));
    }

    /**
     * Sets how much faster than ours Slack's time goes, for what takes Slack minutes: its retries and its late deliveries. The three
     * seconds in which an app has to answer stay three seconds.
     *
     * @param value the factor; 60 unless it is set
     * @return other settings
     * @throws IllegalArgumentException if it is not positive
     */
    public DeliverySettings timeScale(double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("a time scale of " + value + " is not positive");
        }
        return with(run.withTimeScale(value));
    }

    /**
     * Sets what goes wrong when the app posts or looks a post up. At most two posts and two lookups about one thing go wrong, so
     * that an app that does it right succeeds in the end.
     *
     * @param list faults with their rates from 0 to 1, such as {@code reply-cut=0.02,error-after=0.01}; {@code none}, or
     *     {@code default} for a little of each, which holds unless it is set. The faults are {@code reply-cut}, {@code reply-slow},
     *     {@code error-before}, {@code error-after}, {@code fatal-after}, {@code internal-after}, {@code rate-limited},
     *     {@code lookup-error} and {@code lookup-rate-limited}
     * @return other settings
     * @throws IllegalArgumentException if the list cannot be understood
     */
    public DeliverySettings faults(String list) {
        var unused = new Faults(Objects.requireNonNull(list, "list"), 0);
        return with(run.withFaults(list));
    }

    /**
     * Sets how long {@link SlackSimulator#deliver} waits while nothing moves: no delivery is answered, and nothing is posted.
     *
     * @param time 60 seconds unless it is set; positive
     * @return other settings
     * @throws IllegalArgumentException if it is not positive
     */
    public DeliverySettings patience(Duration time) {
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException("a patience of " + time.toMillis() + " ms is not positive");
        }
        return new DeliverySettings(run, time, settle);
    }

    /**
     * Sets how long {@link SlackSimulator#deliver} goes on listening after the last reply that was due, so that a reply too many is
     * seen. Make it longer than the app takes to repeat a post.
     *
     * @param time 2 seconds unless it is set; not negative
     * @return other settings
     * @throws IllegalArgumentException if it is negative
     */
    public DeliverySettings settle(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("a time of " + time.toMillis() + " ms to settle is negative");
        }
        return new DeliverySettings(run, patience, time);
    }

    /** Sets another deadline than Slack's three seconds, for tests that would take long with them. */
    DeliverySettings deadline(Duration time) {
        return with(run.withDeadline(time.toMillis()));
    }

    RunSettings run() {
        return run;
    }

    Duration patience() {
        return patience;
    }

    Duration settle() {
        return settle;
    }

    boolean isOverSockets() {
        return run.appUrl().equals(RunSettings.SOCKETS);
    }
}
