package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Rules that say which events are dropped because a bot has written them. They look into edits and deletions too, and ask nobody:
 * who the app is stands in the event. Pure functions.
 *
 * @since 0.1.0
 */
public final class SlackBots {
    private SlackBots() {}

    /**
     * The default: what the app itself has written or done, and every {@code bot_message}.
     *
     * @return a rule that says true for what is dropped
     */
    public static Predicate<SlackEvent> ownAndBotMessages() {
        return own().or(event -> messages(event).anyMatch(SlackBots::isBotMessage));
    }

    /**
     * What the app itself has written or done.
     *
     * @return a rule that says true for what is dropped
     */
    public static Predicate<SlackEvent> own() {
        return SlackBots::isOwn;
    }

    /**
     * What any bot has written.
     *
     * @return a rule that says true for what is dropped
     */
    public static Predicate<SlackEvent> all() {
        return SlackBots::isByBot;
    }

    /** Whether some bot has written or done it, the app or another one. */
    static boolean isByBot(SlackEvent event) {
        return isOwn(event)
                || messages(event)
                        .anyMatch(message -> isBotMessage(message)
                                || SlackEvent.text(message, "bot_id") != null
                                || message.path("bot_profile").isObject());
    }

    private static boolean isBotMessage(JsonNode message) {
        return message.path("subtype").asText("").equals("bot_message");
    }

    /** A bot's edit of its message, and what Slack adds to a message, names the bot in the inner one only. */
    private static Stream<JsonNode> messages(SlackEvent event) {
        JsonNode outer = event.event();
        return event.kind() == SlackEvent.Kind.EVENT
                ? Stream.of(outer, outer.path("message"), outer.path("previous_message"))
                : Stream.empty();
    }

    private static boolean isOwn(SlackEvent event) {
        if (event.kind() != SlackEvent.Kind.EVENT) {
            return false;
        }
        String app = event.appId();
        String bot = ownUser(event);
        boolean isAuthor = Stream.of("message", "previous_message")
                .anyMatch(inner -> isSame(bot, SlackEvent.text(event.event().path(inner), "user")));
        return isAuthor
                || isSame(bot, EventFields.actor(event.type(), event.event()))
                || messages(event)
                        .anyMatch(message -> isSame(app, SlackEvent.text(message, "app_id"))
                                || isSame(app, SlackEvent.text(message.path("bot_profile"), "app_id")));
    }

    private static boolean isSame(@Nullable String own, @Nullable String theirs) {
        return own != null && Objects.equals(own, theirs);
    }

    /** Slack names one authorization with each event; when it is a bot's, that bot is the app's. */
    private static @Nullable String ownUser(SlackEvent event) {
        JsonNode authorizations = event.payload().path("authorizations");
        List<JsonNode> all = Stream.iterate(0, i -> i < authorizations.size(), i -> i + 1)
                .map(authorizations::path)
                .toList();
        return all.stream()
                .filter(one -> one.path("is_bot").asBoolean(false))
                .map(one -> SlackEvent.text(one, "user_id"))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }
}
