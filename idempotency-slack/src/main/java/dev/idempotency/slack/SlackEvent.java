package dev.idempotency.slack;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One thing that Slack tells an app: an event, an interaction, a slash command. It reads the JSON that Slack delivers, tolerates
 * what it does not know, and answers null for what is not there. Immutable, thread-safe.
 *
 * @since 0.1.0
 */
public final class SlackEvent {
    /** What Slack delivers. */
    public enum Kind {
        /** {@code event_callback}: an event of the Events API. */
        EVENT,
        /** {@code app_rate_limited}: Slack has left events out during a minute. */
        RATE_LIMITED,
        /** {@code url_verification}: Slack asks whether this address is ours. */
        URL_VERIFICATION,
        /** Buttons, menus, shortcuts and views. */
        INTERACTIVE,
        /** A slash command. */
        SLASH_COMMAND,
        /** Something newer than this library. */
        OTHER
    }

    private static final int DEEPEST = 200;

    /** Without polymorphic types; what is nested deeper than anything of Slack's is refused. */
    static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEEPEST)
                            .build())
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final byte[] bytes;
    private final JsonNode payload;
    private final Kind kind;

    private SlackEvent(byte[] bytes, JsonNode payload) {
        this.bytes = bytes;
        this.payload = payload;
        this.kind = kind(payload);
    }

    /**
     * Reads what Slack has delivered: the body of a request to the Events API, or the {@code payload} of an envelope of Socket
     * Mode, or of a form.
     *
     * @param json the bytes, UTF-8; copied
     * @return the event
     * @throws MalformedEventException if it is not a JSON object, or an event without its inner event
     */
    public static SlackEvent parse(byte[] json) {
        JsonNode payload;
        try {
            payload = JSON.readTree(json);
        } catch (IOException e) {
            throw new MalformedEventException("it is not JSON");
        }
        if (payload == null || !payload.isObject()) {
            throw new MalformedEventException("it is not a JSON object");
        }
        var event = new SlackEvent(json.clone(), payload);
        if (event.kind == Kind.EVENT && !payload.path("event").isObject()) {
            throw new MalformedEventException("it has no event object");
        }
        if (event.kind == Kind.URL_VERIFICATION && !payload.path("challenge").isTextual()) {
            throw new MalformedEventException("it has no challenge");
        }
        return event;
    }

    private static Kind kind(JsonNode payload) {
        return switch (payload.path("type").asText("")) {
            case "event_callback" -> Kind.EVENT;
            case "app_rate_limited" -> Kind.RATE_LIMITED;
            case "url_verification" -> Kind.URL_VERIFICATION;
            case "block_actions",
                    "block_suggestion",
                    "interactive_message",
                    "message_action",
                    "shortcut",
                    "view_submission",
                    "view_closed",
                    "dialog_submission",
                    "dialog_cancellation",
                    "dialog_suggestion",
                    "workflow_step_edit" -> Kind.INTERACTIVE;
            default -> payload.path("command").isTextual() ? Kind.SLASH_COMMAND : Kind.OTHER;
        };
    }

    /**
     * What was delivered.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * The whole of what was delivered.
     *
     * @return a JSON object; not to be modified
     */
    public JsonNode payload() {
        return payload;
    }

    /**
     * The event itself.
     *
     * @return for an {@link Kind#EVENT} the inner event, else the whole payload; not to be modified
     */
    public JsonNode event() {
        return kind == Kind.EVENT ? payload.path("event") : payload;
    }

    /**
     * What was delivered, byte for byte.
     *
     * @return a copy
     */
    public byte[] bytes() {
        return bytes.clone();
    }

    /**
     * The type, by which events are routed.
     *
     * @return of an event its type, such as {@code message}; of a slash command the command, such as {@code /deploy}; else the
     *     payload's type. Empty when there is none
     */
    public String type() {
        return kind == Kind.SLASH_COMMAND
                ? payload.path("command").asText("")
                : event().path("type").asText("");
    }

    /**
     * The subtype of a message. Slack leaves {@code message_replied} out where it should be said: what has another message in it
     * and says nothing itself is one (docs.slack.dev/reference/events/message/message_replied, "Bug alert").
     *
     * @return such as {@code message_changed}; null when there is none
     */
    public @Nullable String subtype() {
        String said = text(event(), "subtype");
        return said == null && isReplied(event()) ? "message_replied" : said;
    }

    private static boolean isReplied(JsonNode event) {
        return event.path("type").asText("").equals("message")
                && event.path("message").isObject()
                && text(event, "text") == null
                && text(event, "user") == null
                && text(event, "bot_id") == null;
    }

    /**
     * The app that this was delivered to.
     *
     * @return {@code api_app_id}; null when Slack did not say
     */
    public @Nullable String appId() {
        return text(payload, "api_app_id");
    }

    /**
     * The workspace that it was delivered for.
     *
     * @return its id; null when Slack did not say
     */
    public @Nullable String teamId() {
        String flat = text(payload, "team_id");
        return flat != null ? flat : first(id(payload, "team"), text(event(), "team"));
    }

    /**
     * Slack's id of the event, the same in every retry.
     *
     * @return {@code event_id}; null when there is none
     */
    public @Nullable String eventId() {
        return text(payload, "event_id");
    }

    /**
     * When Slack dispatched the event.
     *
     * @return seconds since 1970, before the year 10000; 0 when Slack did not say, or said what cannot be
     */
    public long eventTime() {
        return EnvelopeNumbers.time(payload.path("event_time"));
    }

    /**
     * Where it happened, whatever the event calls it: {@code channel}, {@code channel_id}, {@code item.channel} and others.
     *
     * @return the id of the channel; null when there is none
     */
    public @Nullable String channel() {
        return EventFields.channel(event());
    }

    /**
     * Whose doing it is, or whom it is about, whatever the event calls it: {@code user}, {@code user_id},
     * {@code channel.creator} and others.
     *
     * @return the id of the user; null when there is none, as with most messages of bots
     */
    public @Nullable String user() {
        return EventFields.user(type(), event());
    }

    /**
     * The id of the message within its channel.
     *
     * @return {@code ts}; null when there is none
     */
    public @Nullable String ts() {
        return text(event(), "ts");
    }

    /**
     * The thread that the message is in.
     *
     * @return {@code thread_ts}; null when there is none
     */
    public @Nullable String threadTs() {
        return text(event(), "thread_ts");
    }

    /**
     * When it happened.
     *
     * @return {@code event_ts}; null when there is none
     */
    public @Nullable String eventTs() {
        return text(event(), "event_ts");
    }

    /**
     * The id that the user's client gave the message.
     *
     * @return {@code client_msg_id} at the top level of the event; null when there is none
     */
    public @Nullable String clientMessageId() {
        return text(event(), "client_msg_id");
    }

    static @Nullable String text(JsonNode node, String name) {
        JsonNode value = node == null ? MissingNode.getInstance() : node.path(name);
        return value.isTextual() && !value.asText().isEmpty() ? value.asText() : null;
    }

    /** Some events name a thing by its id, some by an object that has one. */
    private static @Nullable String id(JsonNode node, String name) {
        JsonNode value = node.path(name);
        return value.isObject() ? text(value, "id") : text(node, name);
    }

    private static @Nullable String first(@Nullable String one, @Nullable String other) {
        return one != null ? one : other;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SlackEvent that && payload.equals(that.payload);
    }

    @Override
    public int hashCode() {
        return Objects.hash(payload);
    }

    /** Names the kind and the size; never the content. */
    @Override
    public String toString() {
        return "SlackEvent[" + kind + (subtype() == null ? "" : ", with a subtype") + ", " + bytes.length + " bytes]";
    }
}
