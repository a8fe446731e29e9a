package dev.idempotency.slack.testkit;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What somebody did, once, however often and under however many names Slack tells of it. Thread-safe. */
final class LogicalEvent {
    /** How many replies it asks for. */
    enum Due {
        /** One: a message of a person. */
        ONE,
        /** None, or one when the app heard of it before it was deleted. */
        AT_MOST_ONE,
        /** None: an edit, a bot's message. */
        NONE
    }

    private static final Pattern TOKEN = Pattern.compile("ref-[0-9a-z]+");

    private final String token;
    private final String what;
    private final Due due;
    private final String channel;
    private final Set<String> threads;
    private volatile boolean isAcked;

    /**
     * Somebody's doing.
     *
     * @param token stands in the text, so that an answer that repeats the text tells what it answers
     * @param what for people
     * @param threads where a reply belongs: one for each name that Slack has for the message
     */
    LogicalEvent(String token, String what, Due due, String channel, Set<String> threads) {
        this.token = token;
        this.what = what;
        this.due = due;
        this.channel = channel;
        this.threads = Set.copyOf(threads);
    }

    /** The token in a text; null if there is none. */
    static @Nullable String tokenIn(String text) {
        Matcher matcher = TOKEN.matcher(text);
        return matcher.find() ? matcher.group() : null;
    }

    String token() {
        return token;
    }

    Due due() {
        return due;
    }

    String channel() {
        return channel;
    }

    Set<String> threads() {
        return threads;
    }

    /** Whether the app has told Slack, of one delivery at least, that it has it. */
    boolean isAcked() {
        return isAcked;
    }

    void acked() {
        isAcked = true;
    }

    @Override
    public String toString() {
        return token + " (" + what + ") in " + channel + " " + threads;
    }
}
