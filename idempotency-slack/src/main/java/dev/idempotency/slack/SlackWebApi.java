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
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
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
 *
 * @since 0.1.0
 */
public final class SlackWebApi {
    private static final Logger LOG = LoggerFactory.getLogger(SlackWebApi.class);
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

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
        private boolean mayRepeat;
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
         * Sets how often a call is sent that Slack answers with "too many", 3 times by default. It is sent again only if
         * {@code Retry-After}, 30 seconds where Slack does not say, fits into {@link #waitAtMost}.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if {@code value} is below 1
         */
        public Builder attempts(int value) {
            attempts = Bounds.atLeastOne("attempts", value);
            mayRepeat = value > 1;
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
            if (mayRepeat && waitAtMost.compareTo(SlackHttp.DEFAULT_RETRY_AFTER) <= 0) {
                LOG.warn(
                        "attempts is {}, but waitAtMost is {}: a call that Slack answers with a Retry-After of {} or more"
                                + " is not sent again. Make waitAtMost longer than the Retry-After that it is to wait for",
                        attempts,
                        waitAtMost,
                        SlackHttp.DEFAULT_RETRY_AFTER);
            }
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
        var request = SlackHttp.request(url, method, token, arguments, timeout);
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
                        method, failure == FailureClass.NOT_SENT ? "not_sent" : SlackHttp.NO_ANSWER, failure, e);
            }
            var answer = SlackHttp.Answer.of(response);
            String error = answer.error();
            if (error == null) {
                tell(method, Outcome.OK, waited, sentAt);
                return answer.json();
            }
            if (!answer.isRateLimited()) {
                boolean refused = answer.isRefusal();
                tell(method, refused ? Outcome.REFUSED : Outcome.AMBIGUOUS, waited, sentAt);
                throw new SlackApiException(
                        method, error, refused ? FailureClass.NOT_EXECUTED : FailureClass.AMBIGUOUS, null);
            }
            tell(method, Outcome.RATE_LIMITED, waited, sentAt);
            keepTo(method, answer.retryAfter());
            if (number == attempts) {
                throw new SlackApiException(method, error, FailureClass.NOT_EXECUTED, null);
            }
        }
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
            return guard.compare(shared(method), new EntityVersion(clock.millis(), "", false))
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
            guard.advance(shared(method), until, retryAfter.plus(SlackHttp.DEFAULT_RETRY_AFTER));
        } catch (StoreException e) {
            LOG.warn("Others could not be told to wait with {}", method, e);
        }
    }

    private void tell(String method, Outcome outcome, Duration waited, long sentAt) {
        var called = new Called(method, outcome, waited, Duration.ofNanos(nanoTime.getAsLong() - sentAt));
        listeners.tell(listener -> listener.onCalled(called));
    }
}
