package dev.idempotency.slack.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.slack.api.bolt.context.builtin.DefaultContext;
import com.slack.api.bolt.middleware.Middleware;
import com.slack.api.bolt.response.Response;
import com.slack.api.model.event.MessageEvent;
import com.slack.api.model.event.ReactionAddedEvent;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.UnprocessableException;
import dev.idempotency.slack.HandlerContext;
import dev.idempotency.slack.SlackEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

final class BoltHandlerTest {
    private static final String MESSAGE = """
            {"type":"event_callback","team_id":"T1","api_app_id":"A1","event_id":"Ev1","event_time":1760000000,
             "authorizations":[{"team_id":"T1","user_id":"U0BOT","is_bot":true}],
             "event":{"type":"%s","channel":"C1","user":"U1","text":"hi","ts":"1.000100","event_ts":"1.000100"}}""";

    private final Idempotency idempotency = Idempotency.on(CaffeineIdempotencyStore.create());
    private final Queue<String> calls = new ConcurrentLinkedQueue<>();
    /** Without the middleware that asks Slack who the app is. */
    private final App app = new App(AppConfig.builder().signingSecret("unused").build(), List.<Middleware>of());

    private final HandlerContext context = new HandlerContext() {
        @Override
        public String key(String purpose) {
            return "bolt:A1:C1:1.000100:" + purpose;
        }

        @Override
        public Optional<EntityVersion> version() {
            return Optional.empty();
        }
    };

    private static SlackEvent event(String json) {
        return SlackEvent.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void event_reachesTheAppsHandler_withItsKeys() throws Exception {
        app.event(MessageEvent.class, (payload, ctx) -> {
            calls.add(payload.getEventId() + " " + payload.getEvent().getText() + " " + BoltHandler.key(ctx, "reply"));
            return ctx.ack();
        });

        BoltHandler.of(app, idempotency).handle(event(MESSAGE.formatted("message")), context);

        assertThat(calls).containsExactly("Ev1 hi bolt:A1:C1:1.000100:bolt:reply");
    }

    @Test
    void event_thatTheAppHasNoHandlerFor_isNotSwallowed_unlessTheAppSaysSo() throws Exception {
        app.event(ReactionAddedEvent.class, (payload, ctx) -> {
            calls.add("reaction");
            return ctx.ack();
        });

        assertThatThrownBy(() -> BoltHandler.of(app, idempotency).handle(event(MESSAGE.formatted("message")), context))
                .isInstanceOf(UnprocessableException.class);
        app.config().setAllEventsApiAutoAckEnabled(true);
        BoltHandler.of(app, idempotency).handle(event(MESSAGE.formatted("message")), context);

        assertThat(calls).isEmpty();
    }

    @Test
    void handler_thatFails_isAFailure() {
        app.event(MessageEvent.class, (payload, ctx) -> {
            throw new IOException("no");
        });

        assertThatThrownBy(() -> BoltHandler.of(app, idempotency).handle(event(MESSAGE.formatted("message")), context))
                .isInstanceOf(IOException.class);
    }

    @Test
    void handler_thatAnswersWithFailure_isNotTakenForDone() {
        app.event(MessageEvent.class, (payload, ctx) -> Response.error(500));
        app.command("/deploy", (request, ctx) -> Response.error(500));

        assertThatThrownBy(() -> BoltHandler.of(app, idempotency).handle(event(MESSAGE.formatted("message")), context))
                .isInstanceOf(UnprocessableException.class);
        assertThatThrownBy(() -> BoltHandler.of(app, idempotency)
                        .handle(event("{\"command\":\"/deploy\",\"team_id\":\"T1\"}"), context))
                .hasMessage("Bolt's handlers answered with status 500");
    }

    @Test
    void slashCommandAndInteraction_reachTheirHandlers() throws Exception {
        app.command("/deploy", (request, ctx) -> {
            calls.add(request.getPayload().getText());
            return ctx.ack();
        });
        app.blockAction("approve", (request, ctx) -> {
            calls.add(request.getPayload().getActions().get(0).getValue());
            return ctx.ack();
        });
        var handler = BoltHandler.of(app, idempotency);

        handler.handle(
                event("{\"command\":\"/deploy\",\"text\":\"a & b\",\"team_id\":\"T1\",\"trigger_id\":\"1.2\"}"),
                context);
        handler.handle(
                event("{\"type\":\"block_actions\",\"team\":{\"id\":\"T1\"},\"user\":{\"id\":\"U1\"},"
                        + "\"actions\":[{\"type\":\"button\",\"action_id\":\"approve\",\"value\":\"yes\"}]}"),
                context);

        assertThat(calls).containsExactly("a & b", "yes");
    }

    @Test
    void event_thatBoltDoesNotKnow_isGivenUp() {
        assertThatThrownBy(() -> BoltHandler.of(app, idempotency)
                        .handle(
                                event("{\"type\":\"app_rate_limited\",\"team_id\":\"T1\",\"minute_rate_limited\":1,"
                                        + "\"api_app_id\":\"A1\"}"),
                                context))
                .isInstanceOf(UnprocessableException.class);
    }

    @Test
    void context_ofAnotherCaller_isRefused() {
        assertThatIllegalStateException().isThrownBy(() -> BoltHandler.key(new DefaultContext(), "reply"));
    }
}
