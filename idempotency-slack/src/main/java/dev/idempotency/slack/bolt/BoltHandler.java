package dev.idempotency.slack.bolt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.slack.api.bolt.App;
import com.slack.api.bolt.context.Context;
import com.slack.api.bolt.request.Request;
import com.slack.api.bolt.request.RequestHeaders;
import com.slack.api.bolt.response.Response;
import com.slack.api.bolt.util.SlackRequestParser;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Recovery;
import dev.idempotency.inbox.UnprocessableException;
import dev.idempotency.slack.HandlerContext;
import dev.idempotency.slack.SlackEvent;
import dev.idempotency.slack.SlackHandler;
import dev.idempotency.slack.SlackKeys;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives events to an app that was written for Bolt, once each. Put {@code EventsEndpoint} or {@code SocketModeClient} where Bolt's
 * servlet or socket was. Thread-safe.
 *
 * <p>Events are answered before, from the inbox, and the app's handlers run after that: so a slow handler is no failed delivery, a
 * crash loses nothing, and a repeated delivery runs no handler. Everything Bolt asks Slack for, such as {@code auth.test}, it asks
 * after the answer too.
 *
 * <p>Interactions and slash commands are in the inbox too, but their handlers run at once, because Slack wants to know what they
 * answer: the errors of a view, the options of a menu, the text for who gave the command. That is what {@link #answers} is for.
 * The answer is recorded, so that a repeated delivery gets it without running a handler. A handler that is slower than the intake's
 * budget runs to its end, and its answer is lost; one that failed, or that died with its process, runs again in the worker.
 *
 * <pre>{@code
 * BoltHandler bolt = BoltHandler.of(app, idempotency);
 * SlackIntake intake = SlackIntake.builder(inbox).responding(bolt.answers()).build();
 * SlackConsumer.named("bolt").on("*").handle(bolt);
 * }</pre>
 *
 * @since 0.1.0
 */
public final class BoltHandler implements SlackHandler {
    private static final Logger LOG = LoggerFactory.getLogger(BoltHandler.class);
    private static final String KEY = "dev.idempotency.slack.key";
    private static final int NOBODY = 404;
    private static final Duration REMEMBERED = Duration.ofDays(7);
    private static final JsonMapper JSON = new JsonMapper();

    private final App app;
    private final SlackRequestParser parser;
    private final Operation<Question, String> answer;
    private volatile boolean isAsked;

    /** What Slack waits for the answer to; the engine sees the key alone. */
    private record Question(String key, SlackEvent event) {}

    /** What a handler threw, so that the engine takes nothing in it for the outcome of the handler itself. */
    private static final class NotAnsweredException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotAnsweredException(Exception cause) {
            super("A handler of Bolt's failed", cause);
        }
    }

    private BoltHandler(App app, Idempotency idempotency) {
        this.app = app;
        this.parser = new SlackRequestParser(app.config());
        this.answer = idempotency
                .operation("slack.bolt-answer", Question.class, String.class)
                .key(Question::key)
                .fingerprint(Question::key)
                // A handler may run again: its writes are known by their keys for as long as they are remembered.
                .recovery(Recovery.nativeKey(ProviderProfile.of(
                        "The app's own handlers",
                        "Each write of a handler is an operation that remembers its key for this long",
                        ProviderProfile.KeyFormat.uuid(),
                        REMEMBERED)))
                .retention(REMEMBERED.plusMinutes(1))
                .calling((question, attempt) -> {
                    // The handlers' writes are known by keys of their own, the same in every run.
                    attempt.nativeKey();
                    return answered(question);
                });
    }

    /**
     * A handler that runs an app's handlers.
     *
     * @param app the app, with its handlers; is started
     * @param idempotency the library, on the store that remembers what was answered; the one that the worker has
     * @return a handler for a consumer of everything, {@code "*"}
     * @throws NullPointerException if an argument is null
     */
    public static BoltHandler of(App app, Idempotency idempotency) {
        var handler =
                new BoltHandler(Objects.requireNonNull(app, "app"), Objects.requireNonNull(idempotency, "idempotency"));
        app.start();
        return handler;
    }

    /**
     * What the app's handlers answer to interactions and slash commands. Runs them, unless they have run for this delivery. Must
     * be what the intake is {@code responding}: otherwise the handlers run in the worker, and their answers reach nobody.
     *
     * @return a function that answers null where the app says nothing, and throws what a handler has thrown
     */
    public Function<SlackEvent, @Nullable JsonNode> answers() {
        isAsked = true;
        return event -> {
            try {
                return json(isSuggestion(event) ? run(event, key(event)) : once(event));
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new NotAnsweredException(e);
            }
        };
    }

    /**
     * The key for one write of a Bolt handler, as {@link HandlerContext#key}.
     *
     * @param context what Bolt has given the handler
     * @param purpose which of the app's writes: 1 to 50 letters, digits, dots, hyphens and underscores
     * @return a key, at most 255 characters
     * @throws IllegalArgumentException if {@code purpose} is not as it should be
     * @throws IllegalStateException if the handler was not called by a worker, or for an answer
     */
    public static String key(Context context, String purpose) {
        String base = context.getAdditionalValues().get(KEY);
        if (base == null) {
            throw new IllegalStateException("this handler was not called by a SlackWorker");
        }
        if (!purpose.matches("[A-Za-z0-9._-]{1,50}")) {
            throw new IllegalArgumentException(
                    "purpose must be 1 to 50 letters, digits, dots, hyphens and underscores");
        }
        return base + ":" + purpose;
    }

    /** True: an app on Bolt has a handler for each type of event. */
    @Override
    public boolean tellsTypesApart() {
        return true;
    }

    /**
     * Runs the app's handlers, unless they have answered this delivery already.
     *
     * @param event what Slack has told
     * @param context the keys for what is written
     * @throws UnprocessableException if Bolt does not know such an event, or no handler of the app's took it. An app that
     *     subscribes to more than it handles sets {@code allEventsApiAutoAckEnabled} in its {@code AppConfig}
     * @throws Exception if a handler failed, or did not answer with success
     */
    @Override
    public void handle(SlackEvent event, HandlerContext context) throws Exception {
        boolean isAnswered =
                event.kind() == SlackEvent.Kind.INTERACTIVE || event.kind() == SlackEvent.Kind.SLASH_COMMAND;
        if (isNamelessReply(event)) {
            LOG.debug("{} is a message_replied without its subtype, which Bolt would take for a message", event);
        } else if (!isAnswered) {
            run(event, context.key("bolt"));
        } else if (!isSuggestion(event) && !once(event).isEmpty() && !isAsked) {
            LOG.warn(
                    "A handler of Bolt's has answered {}, but nobody tells Slack: build the SlackIntake with"
                            + " responding(boltHandler.answers())",
                    event);
        }
    }

    /** Bolt would give it to the handlers of messages that people have written. */
    private static boolean isNamelessReply(SlackEvent event) {
        return "message_replied".equals(event.subtype()) && !event.event().has("subtype");
    }

    /** Asks for options while somebody types: nothing is done by it, and the same question may have another answer soon. */
    private static boolean isSuggestion(SlackEvent event) {
        return event.type().equals("block_suggestion") || event.type().equals("dialog_suggestion");
    }

    private static String key(SlackEvent event) {
        return "b:" + SlackKeys.delivery(event);
    }

    /** Throws what the handler threw, where it was the handler. */
    private String once(SlackEvent event) throws Exception {
        try {
            return answer.execute(new Question(key(event), event));
        } catch (RuntimeException e) {
            for (Throwable t = e; t != null; t = t.getCause()) {
                if (t instanceof NotAnsweredException && t.getCause() instanceof Exception thrown) {
                    throw thrown;
                }
            }
            throw e;
        }
    }

    private String answered(Question question) {
        try {
            return run(question.event, question.key);
        } catch (Exception e) {
            throw new NotAnsweredException(e);
        }
    }

    /** Answers the body, which may be empty. */
    private String run(SlackEvent event, String key) throws Exception {
        // As if by Socket Mode: the signature was checked before.
        var http = new SlackRequestParser.HttpRequest(
                "/slack/events",
                Map.of(),
                new String(event.bytes(), StandardCharsets.UTF_8),
                new RequestHeaders(Map.of()),
                "",
                true);
        Request<?> request = parser.parse(http);
        if (request == null) {
            throw new UnprocessableException("Bolt does not know such an event");
        }
        request.getContext().getAdditionalValues().put(KEY, key);
        Response response = app.run(request);
        int status = response == null ? 500 : response.getStatusCode();
        if (status == NOBODY) {
            // Also what Bolt makes of an event handler that answers with another status than 200.
            throw new UnprocessableException("no handler of Bolt's took it");
        }
        if (status < 200 || status >= 300) {
            throw new IllegalStateException("Bolt's handlers answered with status " + status);
        }
        return response == null ? "" : Objects.requireNonNullElse(response.getBody(), "");
    }

    /** Slack takes a plain text for a message to the user who has given the command. */
    private static @Nullable JsonNode json(String body) {
        if (body.isBlank()) {
            return null;
        }
        try {
            JsonNode json = JSON.readTree(body);
            if (json.isObject()) {
                return json;
            }
        } catch (JsonProcessingException e) {
            LOG.trace("It is text", e);
        }
        return JSON.createObjectNode().put("text", body);
    }
}
