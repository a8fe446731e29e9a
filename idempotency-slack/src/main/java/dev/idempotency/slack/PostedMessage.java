package dev.idempotency.slack;

import java.util.Objects;

/**
 * A message that Slack has.
 *
 * @param channel where
 * @param ts its id there
 * @since 0.1.0
 */
public record PostedMessage(String channel, String ts) {
    /**
     * Checks the message.
     *
     * @param channel as described above
     * @param ts as described above
     * @throws NullPointerException if an argument is null
     */
    public PostedMessage {
        Objects.requireNonNull(channel, "channel");
        Objects.requireNonNull(ts, "ts");
    }
}
