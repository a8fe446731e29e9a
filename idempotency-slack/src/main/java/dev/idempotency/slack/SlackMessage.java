package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A message to be posted once.
 *
 * @param key by what it is known again, such as {@link HandlerContext#key}
 * @param channel where to
 * @param threadTs the thread that it belongs into; null for none
 * @param text what it says
 * @param blocks its layout; null for none
 * @since 0.1.0
 */
public record SlackMessage(
        String key,
        String channel,
        @Nullable String threadTs,
        String text,
        @Nullable JsonNode blocks) {
    /**
     * Checks the message.
     *
     * @param key as described above
     * @param channel as described above
     * @param threadTs as described above
     * @param text as described above
     * @param blocks as described above
     * @throws NullPointerException if an argument other than {@code threadTs} and {@code blocks} is null
     */
    public SlackMessage {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(channel, "channel");
        Objects.requireNonNull(text, "text");
    }

    /**
     * A message of text alone.
     *
     * @param key as described above
     * @param channel as described above
     * @param threadTs as described above
     * @param text as described above
     * @throws NullPointerException if an argument other than {@code threadTs} is null
     */
    public SlackMessage(String key, String channel, @Nullable String threadTs, String text) {
        this(key, channel, threadTs, text, null);
    }

    /** Names where to; never the text. */
    @Override
    public String toString() {
        return "SlackMessage[" + key + ", to " + channel + "]";
    }
}
