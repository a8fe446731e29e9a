package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.Attempt;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.HttpFailures;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.slack.Called.Outcome;
import dev.idempotency.store.StoreException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls methods of Slack's Web API for one token, within Slack's limits: so many calls of a method in a minute, and one message in
 * a second to each channel. What Slack says about waiting ({@code Retry-After}) is kept to by every caller of this object, and by
 * other processes where a {@link Builder#sharing guard} is shared. Never sends anything again that may have been done.
 * Thread-safe.
 *
 * <p>Limits are as in docs.slack.dev/apis/web-api/rate-limits.
 */
public final class SlackWebApi {
    private static final Logger LOG = LoggerFactory.getLogger(SlackWebApi.class);
    private static final String RATE_LIMITED = "ratelimited";
    private static final String NO_ANSWER = "no_answer";
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);
    private static final Duration DEFAULT_RETRY_AFTER = Duration.ofSeconds(30);

    /**
     * Errors by which Slack says that it has done nothing, as documented for its methods (docs.slack.dev/reference/methods). What
     * is not here, such as {@code fatal_error}, says nothing.
     */
    private static final Set<String> REFUSALS = Set.of(
            "access_denied",
            "account_inactive",
            "as_user_not_supported",
            "attachment_payload_limit_exceeded",
            "block_mismatch",
            "cannot_reply_to_message",
            "channel_is_archived",
            "channel_not_found",
            "deprecated_endpoint",
            "duplicate_channel_not_found",
            "duplicate_message_not_found",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "invalid_arg_name",
            "invalid_arguments",
            "invalid_array_arg",
            "invalid_auth",
            "invalid_blocks",
            "invalid_blocks_format",
            "invalid_charset",
            "invalid_cursor",
            "invalid_form_data",
            "invalid_limit",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "invalid_post_type",
            "invalid_ts_latest",
            "invalid_ts_oldest",
            "is_archived",
            "markdown_text_conflict",
            "message_limit_exceeded",
            "messages_tab_disabled",
            "metadata_must_be_sent_from_app",
            "metadata_too_large",
            "method_deprecated",
            "method_not_supported_for_channel_type",
            "missing_argument",
            "missing_post_type",
            "missing_scope",
            "msg_blocks_too_long",
            "msg_too_long",
            "no_permission",
            "no_text",
            "not_allowed_token_type",
            "not_authed",
            "not_in_channel",
            "org_login_required",
            "restricted_action",
            "restricted_action_non_threadable_channel",
            "restricted_action_read_only_channel",
            "restricted_action_thread_locked",
            "restricted_action_thread_only_channel",
            "slack_connect_canvas_sharing_blocked",
            "slack_connect_file_link_sharing_blocked",
            "slack_connect_lists_sharing_blocked",
            "team_access_not_granted",
            "team_not_found",
            "thread_not_found",
            "token_expired",
            "token_revoked",
            "too_many_attachments",
            "too_many_contact_cards",
            "two_factor_setup_required",
            "unknown_method",
            "user_not_found");

    private final String token;
    private final URI url;
    private final HttpClient client;
    private final Duration timeout;
    private final long waitNanos;
    private final int attempts;
    private final Map<String, Integer> perMinute;
    private final int perMinuteElse;
    private final int perMinutePerChannel;
    private final Pace pace;
    private final @Nullable VersionGuard guard;
    private final String sharedName;
    private final Clock clock;
    private final LongSupplier nanoTime;
    private final Pause pause;
    private final Listeners listeners;

    /** Waits; for tests to put another time in. */
    @FunctionalInterface
    interface Pause {
        void pause(long nanos) throws InterruptedException;
    }

    private SlackWebApi(Builder builder) {
        token = builder.token;
        url = builder.url;
        client = builder.client;
        timeout = builder.timeout;
        waitNanos = builder.waitAtMost.toNanos();
        attempts = builder.attempts;
        perMinute = Map.copyOf(builder.perMinute);
        perMinuteElse = builder.perMinuteElse;
        perMinutePerChannel = builder.perMinutePerChannel;
        nanoTime = builder.nanoTime;
        pace = new Pace(nanoTime);
        guard = builder.guard;
        sharedName = builder.sharedName;
        clock = builder.clock;
        pause = builder.pause;
        listeners = new Listeners(builder.listeners);
    }

    /**
     * Describes a caller.
     *
     * @param token a bot's, a user's or an app-level token
     * @return a builder with the default settings
     * @throws IllegalArgumentException if {@code token} is blank
     */
    public static Builder builder(String token) {
        return new Builder(token);
    }

    /** Settings of a caller. Not thread-safe. */
    public static final class Builder {
        private final String token;
        private URI url = URI.create("https://slack.com/api/");
        private HttpClient client = HttpClient.newBuilder()
                .connectTimeout(Duration.ofSeconds(5))
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
        private Duration timeout = Duration.ofSeconds(10);
        private Duration waitAtMost = Duration.ofSeconds(30);
        private int attempts = 3;
        private final Map<String, Integer> perMinute = new HashMap<>(Map.of("chat.postMessage", 300));
        private int perMinuteElse = 50;
        private int perMinutePerChannel = 60;
        private @Nullable VersionGuard guard;
        private String sharedName = "";
        private Clock clock = Clock.systemUTC();
        private LongSupplier nanoTime = System::nanoTime;
        private Pause pause = TimeUnit.NANOSECONDS::sleep;
        private final List<SlackListener> listeners = new ArrayList<>();

        private Builder(String token) {
            if (token.isBlank()) {
                throw new IllegalArgumentException("token is blank");
            }
            this.token = token;
        }

        /**
         * Sets where the API is, {@code https://slack.com/api/} by default.
         *
         * @param value the address that method names are appended to; must end with a slash
         * @return this
         * @throws IllegalArgumentException if it does not
         */
        public Builder url(URI value) {
            if (!value.isAbsolute() || !value.toString().endsWith("/")) {
                throw new IllegalArgumentException("url must be absolute and end with a slash");
            }
            url = value;
            return this;
        }

        /**
         * Sets how long Slack may take to answer, 10 seconds by default. A call that takes longer may have been done.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if {@code value} is not more than zero
         */
        public Builder timeout(Duration value) {
            timeout = Bounds.positive("timeout", value);
            return this;
        }

        /**
         * Sets how long limits may keep a call back, 30 seconds by default. One that would have to wait longer is not sent.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if {@code value} is not more than zero
         */
        public Builder waitAtMost(Duration value) {
            waitAtMost = Bounds.positive("waitAtMost", value);
            return this;
        }

        /**
         * Sets how often a call is sent that Slack answers with "too many", 3 times by default.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if {@code value} is below 1
         */
        public Builder attempts(int value) {
            attempts = Bounds.atLeastOne("attempts", value);
            return this;
        }

        /**
         * Sets how often a method may be called in a minute: 300 times for {@code chat.postMessage} and 50 times, which is tier 3,
         * for any other by default.
         *
         * @param method such as {@code conversations.history}
         * @param calls from 1
         * @return this
         * @throws IllegalArgumentException if {@code calls} is below 1
         */
        public Builder perMinute(String method, int calls) {
            perMinute.put(Objects.requireNonNull(method, "method"), Bounds.atLeastOne("calls", calls));
            return this;
        }

        /**
         * Sets how many messages may be posted to one channel in a minute, 60 by default.
         *
         * @param calls from 1
         * @return this
         * @throws IllegalArgumentException if {@code calls} is below 1
         */
        public Builder perMinutePerChannel(int calls) {
            perMinutePerChannel = Bounds.atLeastOne("calls", calls);
            return this;
        }

        /**
         * Shares what Slack says about waiting with other processes. Costs a step of the store for each call; while the store does
         * not answer, each process keeps to what it was told itself. The clocks of the processes should agree to a second or so.
         *
         * @param with the guard of the shared store
         * @param name the same in all processes that use one token, and no secret: such as the id of the workspace
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder sharing(VersionGuard with, String name) {
            guard = Objects.requireNonNull(with, "with");
            sharedName = Objects.requireNonNull(name, "name");
            return this;
        }

        /**
         * Adds somebody who hears of each call.
         *
         * @param listener who
         * @return this
         * @throws NullPointerException if {@code listener} is null
         */
        public Builder listener(SlackListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        Builder time(Clock wall, LongSupplier nanos, Pause waiting) {
            clock = wall;
            nanoTime = nanos;
            pause = waiting;
            return this;
        }

        /**
         * Makes the caller.
         *
         * @return a caller
         */
        public SlackWebApi build() {
            return new SlackWebApi(this);
        }
    }

    /**
     * What failures of calls say about them, for operations whose call this is.
     *
     * @return a classifier
     */
    public static FailureClassifier failures() {
        return failure -> failure instanceof SlackApiException slack
                ? slack.failureClass()
                : HttpFailures.classifier().classify(failure);
    }

    /**
     * Calls a method. For what only reads; what writes should be the call of an operation, see
     * {@link #call(Attempt, String, Map)}.
     *
     * @param method such as {@code conversations.history}
     * @param arguments its arguments: texts, numbers, booleans, or JSON; nulls are left out
     * @return Slack's answer, which is "ok"
     * @throws SlackApiException if it is not, or none came; says whether the call may have been done
     * @throws InterruptedException if the thread was interrupted; the call may have been done
     */
    public JsonNode call(String method, Map<String, ? extends @Nullable Object> arguments) throws InterruptedException {
        return call(method, arguments, () -> {});
    }

    /**
     * Calls a method as the call of an operation: once its turn has come, it makes sure that the attempt may still send.
     *
     * @param attempt the attempt
     * @param method such as {@code chat.postMessage}
     * @param arguments as above
     * @return Slack's answer, which is "ok"
     * @throws SlackApiException if it is not, or none came; says whether the call may have been done
     * @throws dev.idempotency.NotExecutedException if the attempt may not send any more; nothing was sent
     * @throws InterruptedException if the thread was interrupted; the call may have been done
     */
    public JsonNode call(Attempt attempt, String method, Map<String, ? extends @Nullable Object> arguments)
            throws InterruptedException {
        return call(method, arguments, attempt::checkMaySend);
    }

    private JsonNode call(String method, Map<String, ? extends @Nullable Object> arguments, Runnable beforeEachSend)
            throws InterruptedException {
        var request = HttpRequest.newBuilder(url.resolve(method))
                .timeout(timeout)
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
                .POST(HttpRequest.BodyPublishers.ofString(form(arguments)))
                .build();
        long last = nanoTime.getAsLong() + waitNanos;
        for (int number = 1; ; number++) {
            Duration waited = await(method, arguments, last);
            beforeEachSend.run();
            long sentAt = nanoTime.getAsLong();
            HttpResponse<byte[]> response;
            try {
                response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            } catch (IOException e) {
                FailureClass failure = HttpFailures.classifier().classify(e);
                Outcome outcome = failure == FailureClass.NOT_SENT ? Outcome.NOT_SENT : Outcome.AMBIGUOUS;
                tell(method, outcome, waited, sentAt);
                throw new SlackApiException(
                        method, failure == FailureClass.NOT_SENT ? "not_sent" : NO_ANSWER, failure, e);
            }
            JsonNode answer = answer(response);
            String error = error(response.statusCode(), answer);
            if (error == null) {
                tell(method, Outcome.OK, waited, sentAt);
                return answer;
            }
            if (!error.equals(RATE_LIMITED)) {
                boolean refused = REFUSALS.contains(error);
                tell(method, refused ? Outcome.REFUSED : Outcome.AMBIGUOUS, waited, sentAt);
                throw new SlackApiException(
                        method, error, refused ? FailureClass.NOT_EXECUTED : FailureClass.AMBIGUOUS, null);
            }
            tell(method, Outcome.RATE_LIMITED, waited, sentAt);
            keepTo(method, retryAfter(response));
            if (number == attempts) {
                throw new SlackApiException(method, RATE_LIMITED, FailureClass.NOT_EXECUTED, null);
            }
        }
    }

    private static String form(Map<String, ? extends @Nullable Object> arguments) {
        return arguments.entrySet().stream()
                .filter(argument -> argument.getValue() != null)
                .map(argument -> encoded(argument.getKey()) + "=" + encoded(String.valueOf(argument.getValue())))
                .collect(Collectors.joining("&"));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Until the call's turn has come; answers how long that took. */
    private Duration await(String method, Map<String, ? extends @Nullable Object> arguments, long last)
            throws InterruptedException {
        long from = nanoTime.getAsLong();
        long turn = pace.take(method, interval(perMinute.getOrDefault(method, perMinuteElse)), last - from);
        if (turn >= 0 && method.equals("chat.postMessage") && arguments.get("channel") != null) {
            long inChannel =
                    pace.take(method + " " + arguments.get("channel"), interval(perMinutePerChannel), last - from);
            turn = inChannel < 0 ? inChannel : Math.max(turn, inChannel);
        }
        if (turn > 0) {
            pause.pause(turn);
        }
        while (turn >= 0 && isBlockedByOthers(method)) {
            if (nanoTime.getAsLong() + LOOK_AGAIN.toNanos() - last > 0) {
                turn = -1;
            } else {
                pause.pause(LOOK_AGAIN.toNanos());
            }
        }
        Duration waited = Duration.ofNanos(nanoTime.getAsLong() - from);
        if (turn < 0) {
            var called = new Called(method, Outcome.NOT_SENT, waited, Duration.ZERO);
            listeners.tell(listener -> listener.onCalled(called));
            throw new SlackApiException(method, "not_sent", FailureClass.NOT_SENT, null);
        }
        return waited;
    }

    private static long interval(int perMinute) {
        return TimeUnit.MINUTES.toNanos(1) / perMinute;
    }

    /** The guard remembers the latest moment that it was told: what is before it, is too early. */
    private boolean isBlockedByOthers(String method) {
        if (guard == null) {
            return false;
        }
        try {
            return guard.advance(shared(method), new EntityVersion(clock.millis(), "", false), DEFAULT_RETRY_AFTER)
                    == VersionGuard.Verdict.STALE;
        } catch (StoreException e) {
            LOG.warn("Whether others were told to wait with {} is not known", method, e);
            return false;
        }
    }

    private IdempotencyKey shared(String method) {
        return new IdempotencyKey("slack.wait", sharedName + ":" + method);
    }

    private void keepTo(String method, Duration retryAfter) {
        pace.block(method, retryAfter);
        if (guard == null) {
            return;
        }
        try {
            var until = new EntityVersion(clock.millis() + retryAfter.toMillis(), "", false);
            guard.advance(shared(method), until, retryAfter.plus(DEFAULT_RETRY_AFTER));
        } catch (StoreException e) {
            LOG.warn("Others could not be told to wait with {}", method, e);
        }
    }

    private static Duration retryAfter(HttpResponse<?> response) {
        String seconds = response.headers().firstValue("Retry-After").orElse("");
        return seconds.matches("[0-9]{1,6}") ? Duration.ofSeconds(Long.parseLong(seconds)) : DEFAULT_RETRY_AFTER;
    }

    private static JsonNode answer(HttpResponse<byte[]> response) {
        try {
            return Objects.requireNonNullElse(
                    SlackEvent.JSON.readTree(response.body()), SlackEvent.JSON.createObjectNode());
        } catch (IOException e) {
            return SlackEvent.JSON.createObjectNode();
        }
    }

    /** Null when it is done. */
    private static @Nullable String error(int status, JsonNode answer) {
        if (status == 429) {
            return RATE_LIMITED;
        }
        if (status != 200) {
            return "http_" + status;
        }
        if (answer.path("ok").asBoolean(false)) {
            return null;
        }
        String error = answer.path("error").asText("");
        // Goes into messages and logs.
        return error.matches("[a-z0-9_.:-]{1,80}") ? error : NO_ANSWER;
    }

    private void tell(String method, Outcome outcome, Duration waited, long sentAt) {
        var called = new Called(method, outcome, waited, Duration.ofNanos(nanoTime.getAsLong() - sentAt));
        listeners.tell(listener -> listener.onCalled(called));
    }
}
