package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.Attempt;
import dev.idempotency.FailureClass;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * {@code chat.postMessage} as an operation. Slack offers no key for it, so each message carries one in its metadata, and one whose
 * sending is in doubt is looked up by that key in its thread or channel. The token needs {@code chat:write}, and the scope that
 * reads the history of the channels.
 *
 * <p>Metadata can be read by every app of the workspace: the key in it is a digest.
 *
 * @since 0.1.0
 */
public final class SlackMessages {
    /** The {@code event_type} of the metadata. */
    public static final String EVENT_TYPE = "idempotency";

    private static final String POST = "chat.postMessage";
    private static final int PAGE = 200;
    private static final int MOST_PAGES = 10;

    private final SlackWebApi api;

    private SlackMessages(SlackWebApi api) {
        this.api = api;
    }

    /**
     * An operation that posts messages, and leaves those in doubt that it does not find.
     *
     * @param idempotency the library
     * @param api how to reach Slack
     * @param name the operation's name
     * @param settings is given the operation's settings, and answers them
     * @return the operation; level E
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if {@code name} is not as an operation's
     */
    public static Operation<SlackMessage, PostedMessage> operation(
            Idempotency idempotency,
            SlackWebApi api,
            String name,
            UnaryOperator<Operation.Builder<SlackMessage, PostedMessage>> settings) {
        var messages = new SlackMessages(Objects.requireNonNull(api, "api"));
        return messages.operation(idempotency, name, Recovery.lookup(messages::find), settings);
    }

    /**
     * An operation that posts messages, and posts those again that Slack still does not have after a while. Slack publishes neither
     * how long it may take to act on a request nor how late a message may show: what you set here is your word for it.
     *
     * @param idempotency the library
     * @param api how to reach Slack
     * @param name the operation's name
     * @param quiescence after how long "Slack does not have it" counts
     * @param settings is given the operation's settings, and answers them
     * @return the operation; level D
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if {@code name} is not as an operation's
     */
    public static Operation<SlackMessage, PostedMessage> operation(
            Idempotency idempotency,
            SlackWebApi api,
            String name,
            Quiescence quiescence,
            UnaryOperator<Operation.Builder<SlackMessage, PostedMessage>> settings) {
        var messages = new SlackMessages(Objects.requireNonNull(api, "api"));
        return messages.operation(
                idempotency, name, Recovery.lookupThenReexecute(messages::find, quiescence), settings);
    }

    private Operation<SlackMessage, PostedMessage> operation(
            Idempotency idempotency,
            String name,
            Recovery<SlackMessage, PostedMessage> recovery,
            UnaryOperator<Operation.Builder<SlackMessage, PostedMessage>> settings) {
        return settings.apply(idempotency
                        .operation(name, SlackMessage.class, PostedMessage.class)
                        .key(SlackMessage::key)
                        .recovery(recovery)
                        .failures(SlackWebApi.failures()))
                .calling(this::post);
    }

    private PostedMessage post(SlackMessage message, Attempt attempt) throws InterruptedException {
        Map<String, @Nullable Object> arguments = new HashMap<>();
        arguments.put("channel", message.channel());
        arguments.put("thread_ts", message.threadTs());
        arguments.put("text", message.text());
        arguments.put("blocks", message.blocks());
        var metadata = SlackEvent.JSON.createObjectNode().put("event_type", EVENT_TYPE);
        metadata.putObject("event_payload").put("key", attempt.nativeKey());
        arguments.put("metadata", metadata);
        JsonNode answer = api.call(attempt, POST, arguments);
        String ts = SlackEvent.text(answer, "ts");
        if (ts == null) {
            throw new SlackApiException(POST, "no_ts", FailureClass.AMBIGUOUS, null);
        }
        return new PostedMessage(Objects.requireNonNullElse(SlackEvent.text(answer, "channel"), message.channel()), ts);
    }

    private Finding<PostedMessage> find(SlackMessage message, Attempt attempt) throws InterruptedException {
        Map<String, @Nullable Object> arguments = new HashMap<>();
        arguments.put("channel", message.channel());
        arguments.put("include_all_metadata", true);
        arguments.put("limit", PAGE);
        String method = "conversations.history";
        if (message.threadTs() != null) {
            method = "conversations.replies";
            arguments.put("ts", message.threadTs());
        }
        for (int page = 0; page < MOST_PAGES; page++) {
            JsonNode answer = api.call(method, arguments);
            for (JsonNode found : answer.path("messages")) {
                String ts = SlackEvent.text(found, "ts");
                if (ts != null && isThat(found.path("metadata"), attempt.nativeKey())) {
                    return Finding.found(new PostedMessage(message.channel(), ts));
                }
            }
            String next = SlackEvent.text(answer.path("response_metadata"), "next_cursor");
            if (next == null) {
                return Finding.missing();
            }
            arguments.put("cursor", next);
        }
        return Finding.unknown("not among the " + PAGE * MOST_PAGES + " messages that were looked at");
    }

    private static boolean isThat(JsonNode metadata, String key) {
        return metadata.path("event_type").asText("").equals(EVENT_TYPE)
                && metadata.path("event_payload").path("key").asText("").equals(key);
    }
}
