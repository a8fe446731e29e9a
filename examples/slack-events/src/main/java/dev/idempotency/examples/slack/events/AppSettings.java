package dev.idempotency.examples.slack.events;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What an app is given when it starts.
 *
 * @param port where it listens; 0 for a free one
 * @param slackApi Slack's Web API
 * @param signingSecret what Slack signs with
 * @param botToken who the app is
 * @param spill where deliveries go while the store is away; null for nowhere
 * @param timeScale how much faster than ours Slack's time goes, where it is simulated; 1 for the real one
 * @param thinking how long it thinks about one message of forty
 * @param halt where the process dies
 */
record AppSettings(
        int port,
        URI slackApi,
        String signingSecret,
        String botToken,
        @Nullable Path spill,
        double timeScale,
        Duration thinking,
        HaltAt halt) {
    /** How many messages are handled at once. */
    static final int WORKERS = 24;

    private static final int THOUGHTFUL = 40;

    /** Where Slack's requests go. */
    static final String PATH = "/slack/events";

    boolean isSimulated() {
        return timeScale > 1;
    }

    /** As many calls of a simulated Slack as of the real one, in a minute that is shorter. */
    int perMinute(int calls) {
        return (int) (calls * timeScale);
    }

    /** What takes long with some messages, such as a question to a model. */
    void think(String text) {
        if (!thinking.isZero() && Math.floorMod(text.hashCode(), THOUGHTFUL) == 0) {
            long end = System.nanoTime() + thinking.toNanos();
            for (long left = thinking.toNanos(); left > 0; left = end - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
        }
    }
}
