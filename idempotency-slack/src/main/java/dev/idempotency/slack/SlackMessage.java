package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A message to be posted once.
 *
 * @param key by what it is known again, such as {@link HandlerContext#key}
 * @param channel where to: the id of a conversation, as events have it, and not of a user, nor a {@code #name}
 * @param threadTs the thread that it belongs into; null for none
 * @param text what it says. Half of a character becomes the replacement character, in the blocks too
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
     * @throws IllegalArgumentException if {@code channel} is not the id of a conversation
     */
    public SlackMessage {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(channel, "channel");
        if (!channel.matches("[CDG][A-Z0-9]+")) {
            throw new IllegalArgumentException(
                    "channel is not the id of a conversation (C..., D... or G...): Slack would"
                            + " post there, but a message whose sending is in doubt could not be looked up. For a user, ask"
                            + " conversations.open for the conversation; for a #name, take the id of the channel");
        }
        text = WellFormed.text(Objects.requireNonNull(text, "text"));
        blocks = blocks == null ? null : WellFormed.json(blocks);
    }

    /**
     * A message of text alone.
     *
     * @param key as described above
     * @param channel as described above
     * @param threadTs as described above
     * @param text as described above
     * @throws NullPointerException if an argument other than {@code threadTs} is null
     * @throws IllegalArgumentException if {@code channel} is not the id of a conversation
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
