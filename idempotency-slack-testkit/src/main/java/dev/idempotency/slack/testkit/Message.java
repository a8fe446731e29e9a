package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * A message as Slack keeps it.
 *
 * @param threadTs the first message of its thread; null when it is in none
 * @param isBroadcast whether a reply is shown in its channel, too
 * @param isOwn whether the app posted it
 * @param metadata what the app attached; null for nothing
 * @param visibleAt the {@link System#nanoTime} from which on the history shows it
 */
record Message(
        String channel,
        String ts,
        @Nullable String threadTs,
        String user,
        String text,
        boolean isBroadcast,
        boolean isOwn,
        @Nullable JsonNode metadata,
        long visibleAt) {
    static Message ofPerson(
            String channel, String ts, @Nullable String threadTs, String user, String text, boolean isBroadcast) {
        return new Message(channel, ts, threadTs, user, text, isBroadcast, false, null, System.nanoTime());
    }

    /** Whether it is a reply, not a message of the channel and not the first of its thread. */
    boolean isReply() {
        return threadTs != null && !threadTs.equals(ts);
    }

    boolean isVisible() {
        return System.nanoTime() - visibleAt >= 0;
    }
}
