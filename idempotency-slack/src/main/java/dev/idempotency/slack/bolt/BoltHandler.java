package dev.idempotency.slack.bolt;

import com.slack.api.bolt.App;
import com.slack.api.bolt.context.Context;
import com.slack.api.bolt.request.Request;
import com.slack.api.bolt.request.RequestHeaders;
import com.slack.api.bolt.response.Response;
import com.slack.api.bolt.util.SlackRequestParser;
import dev.idempotency.inbox.UnprocessableException;
import dev.idempotency.slack.HandlerContext;
import dev.idempotency.slack.SlackEvent;
import dev.idempotency.slack.SlackHandler;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;

/**
 * Gives events to an app that was written for Bolt: Slack is answered before, from the inbox, and what the app's handlers answer is
 * only looked at for success. So a slow handler is no failed delivery, a crash loses nothing, and a repeated delivery runs no
 * handler. Put {@code EventsEndpoint} or {@code SocketModeClient} where Bolt's servlet or socket was. Thread-safe.
 *
 * <p>Everything Bolt asks Slack for, such as {@code auth.test}, it asks after the answer too.
 *
 * <pre>{@code
 * SlackConsumer.named("bolt").on("*").handle(BoltHandler.of(app));
 * }</pre>
 *
 * @since 0.1.0
 */
public final class BoltHandler implements SlackHandler {
    private static final String KEY = "dev.idempotency.slack.key";
    private static final int NOBODY = 404;

    private final App app;
    private final SlackRequestParser parser;

    private BoltHandler(App app) {
        this.app = app;
        this.parser = new SlackRequestParser(app.config());
    }

    /**
     * A handler that runs an app's handlers.
     *
     * @param app the app, with its handlers; is started
     * @return a handler for a consumer of everything, {@code "*"}
     * @throws NullPointerException if {@code app} is null
     */
    public static BoltHandler of(App app) {
        Objects.requireNonNull(app, "app").start();
        return new BoltHandler(app);
    }

    /**
     * The key for one write of a Bolt handler, as {@link HandlerContext#key}.
     *
     * @param context what Bolt has given the handler
     * @param purpose which of the app's writes: 1 to 50 letters, digits, dots, hyphens and underscores
     * @return a key, at most 255 characters
     * @throws IllegalArgumentException if {@code purpose} is not as it should be
     * @throws IllegalStateException if the handler was not called by a worker
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
     * Runs the app's handlers.
     *
     * @param event what Slack has told
     * @param context the keys for what is written
     * @throws UnprocessableException if Bolt does not know such an event, or no handler of the app's took it. An app that
     *     subscribes to more than it handles sets {@code allEventsApiAutoAckEnabled} in its {@code AppConfig}
     * @throws Exception if a handler failed, or did not answer with success
     */
    @Override
    public void handle(SlackEvent event, HandlerContext context) throws Exception {
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
        request.getContext().getAdditionalValues().put(KEY, context.key("bolt"));
        Response response = app.run(request);
        int status = response == null ? 500 : response.getStatusCode();
        if (status == NOBODY) {
            // Also what Bolt makes of an event handler that answers with another status than 200.
            throw new UnprocessableException("no handler of Bolt's took it");
        }
        if (status < 200 || status > 299) {
            throw new IllegalStateException("Bolt's handlers answered with status " + status);
        }
    }
}
