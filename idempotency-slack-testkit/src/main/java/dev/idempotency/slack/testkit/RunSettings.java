package dev.idempotency.slack.testkit;

import java.net.URI;

/**
 * How a run goes, as it is sent to a simulator in another process.
 *
 * @param appUrl where the app takes events
 * @param signingSecret what they are signed with
 * @param deliveries how many deliveries at least
 * @param perSecond how many of them a second, once it has got going; fewer while many are under way
 * @param seed the same seed gives the same happenings
 * @param timeScale how much faster Slack's time goes than ours, for what comes after minutes: its retries, its late and repeated
 *     deliveries
 * @param deadlineMillis how long the app may take to answer, in our time whatever the scale: it was told three seconds
 * @param faults what goes wrong in the Web API, such as {@code reply-cut=0.02,error-after=0.01}; {@code none}, or
 *     {@code default}
 * @param slowMillis how late a slow answer is
 * @param lagMillis how long a post is not yet in the history
 */
record RunSettings(
        URI appUrl,
        String signingSecret,
        int deliveries,
        double perSecond,
        long seed,
        double timeScale,
        long deadlineMillis,
        String faults,
        long slowMillis,
        long lagMillis) {
    /** Instead of an address: the app takes events over Socket Mode. */
    static final URI SOCKETS = URI.create("socket-mode:app");

    /**
     * A run as it is unless somebody wants another one: 2000 deliveries, 60 a second, a minute in a second.
     *
     * @param appUrl where the app takes events
     * @param signingSecret what they are signed with
     * @return the settings
     */
    static RunSettings of(URI appUrl, String signingSecret) {
        return new RunSettings(appUrl, signingSecret, 2000, 60, 1, 60, 3000, "default", 15_000, 200);
    }

    /**
     * Sets the number and the rate of deliveries.
     *
     * @param count how many at least
     * @param rate how many a second
     * @return other settings
     */
    RunSettings withDeliveries(int count, double rate) {
        return new RunSettings(
                appUrl, signingSecret, count, rate, seed, timeScale, deadlineMillis, faults, slowMillis, lagMillis);
    }

    /**
     * Sets how long the app may take to answer.
     *
     * @param value in milliseconds
     * @return other settings
     */
    RunSettings withDeadline(long value) {
        return new RunSettings(
                appUrl, signingSecret, deliveries, perSecond, seed, timeScale, value, faults, slowMillis, lagMillis);
    }

    /**
     * Sets the seed.
     *
     * @param value the seed
     * @return other settings
     */
    RunSettings withSeed(long value) {
        return new RunSettings(
                appUrl,
                signingSecret,
                deliveries,
                perSecond,
                value,
                timeScale,
                deadlineMillis,
                faults,
                slowMillis,
                lagMillis);
    }

    /**
     * Sets how fast Slack's time goes.
     *
     * @param value how much faster than ours
     * @return other settings
     */
    RunSettings withTimeScale(double value) {
        return new RunSettings(
                appUrl,
                signingSecret,
                deliveries,
                perSecond,
                seed,
                value,
                deadlineMillis,
                faults,
                slowMillis,
                lagMillis);
    }

    /**
     * Sets what goes wrong in the Web API.
     *
     * @param spec the list
     * @return other settings
     */
    RunSettings withFaults(String spec) {
        return new RunSettings(
                appUrl,
                signingSecret,
                deliveries,
                perSecond,
                seed,
                timeScale,
                deadlineMillis,
                spec,
                slowMillis,
                lagMillis);
    }
}
