package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.Delivered.Verdict;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Slack's requests over HTTP: checks the signature on the raw bytes, puts the event into the inbox, and only then says 200. No
 * handler runs here, and nothing but the inbox is asked. Thread-safe.
 *
 * <p>A request answers one of these, never 404 or 500:
 *
 * <ul>
 *   <li>200: it is in the inbox, was there before, or is in the spill buffer; or it is Slack's question for this address, or
 *       whether it is served over TLS
 *   <li>401: it has no signature, a wrong one, or one that is too old or from the future
 *   <li>400, 405, 413: it broke off, is no POST, is too large. Slack sends no such request
 *   <li>503: the store did not take it in time, or there is too much at once. Slack delivers it again
 * </ul>
 *
 * @since 0.1.0
 */
public final class EventsEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(EventsEndpoint.class);
    private static final String FORM = "application/x-www-form-urlencoded";
    private static final int MAX_HEADER = 100;
    private static final long ONE_MINUTE = Duration.ofMinutes(1).toNanos();
    private static final int LONGEST_TLS_CHECK = 200;

    private final SlackIntake intake;
    private final SlackSignature signature;
    private final int maxBody;
    private final Clock clock;
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong nextRefusalLogged = new AtomicLong(System.nanoTime());

    private EventsEndpoint(Builder builder) {
        intake = builder.intake;
        signature = new SlackSignature(builder.secrets);
        maxBody = builder.maxBody;
        clock = builder.clock;
    }

    /**
     * Describes an endpoint.
     *
     * @param intake where events go
     * @return a builder; its signing secret is still to be set
     * @throws NullPointerException if {@code intake} is null
     */
    public static Builder builder(SlackIntake intake) {
        return new Builder(intake);
    }

    /** Settings of an endpoint. Not thread-safe. */
    public static final class Builder {
        private final SlackIntake intake;
        private List<String> secrets = List.of();
        private int maxBody = 1 << 20;
        private Clock clock = Clock.systemUTC();

        private Builder(SlackIntake intake) {
            this.intake = Objects.requireNonNull(intake, "intake");
        }

        /**
         * Sets the app's signing secrets. To replace one without a gap, name both for a while.
         *
         * @param values one or more
         * @return this
         * @throws NullPointerException if one is null
         */
        public Builder signingSecrets(String... values) {
            secrets = List.of(values);
            return this;
        }

        /**
         * Sets the largest body that is read, a mebibyte by default.
         *
         * @param bytes from 1
         * @return this
         * @throws IllegalArgumentException if {@code bytes} is below 1
         */
        public Builder maxBody(int bytes) {
            maxBody = Bounds.atLeastOne("maxBody", bytes);
            return this;
        }

        /**
         * Sets the clock that timestamps of requests are held against; the system's by default.
         *
         * @param value a clock
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder clock(Clock value) {
            clock = Objects.requireNonNull(value, "value");
            return this;
        }

        /**
         * Makes the endpoint.
         *
         * @return an endpoint
         * @throws IllegalArgumentException if no signing secret was set, or a blank one
         */
        public EventsEndpoint build() {
            return new EventsEndpoint(this);
        }
    }

    /** What is known of a request while it is answered. */
    private static final class Exchange {
        final long startedAt = System.nanoTime();
        Verdict verdict = Verdict.UNREADABLE;
        String type = "";
        int retry;
        String retryReason = "";
        Duration late = Duration.ZERO;

        SlackResponse ended(Verdict how, SlackResponse response) {
            verdict = how;
            return response;
        }
    }

    /**
     * Answers a request. Takes no longer than the intake's budget once the body is there; a server should limit how long a body
     * takes to arrive.
     *
     * @param request what came in
     * @return what to answer
     */
    public SlackResponse handle(SlackRequest request) {
        var exchange = new Exchange();
        SlackResponse response;
        try {
            response = answer(request, exchange);
        } catch (IOException e) {
            LOG.debug("A request broke off", e);
            response = exchange.ended(Verdict.UNREADABLE, SlackResponse.empty(400));
        } catch (RuntimeException e) {
            LOG.error("A request could not be answered; Slack will send it again", e);
            response = exchange.ended(Verdict.FAILED, SlackResponse.empty(503));
        }
        var delivered = new Delivered(
                Transport.HTTP,
                exchange.verdict,
                response.status(),
                exchange.type,
                exchange.retry,
                exchange.retryReason,
                Duration.ofNanos(System.nanoTime() - exchange.startedAt),
                exchange.late);
        intake.listeners().tell(listener -> listener.onDelivered(delivered));
        return response;
    }

    private SlackResponse answer(SlackRequest request, Exchange exchange) throws IOException {
        long deadline = intake.deadline();
        if (request.method().equals("GET") && isTlsCheck(request.query())) {
            return exchange.ended(Verdict.CHALLENGED, SlackResponse.empty(200));
        }
        if (!request.method().equals("POST")) {
            return exchange.ended(Verdict.UNREADABLE, new SlackResponse(405, Map.of("Allow", "POST"), ""));
        }
        byte[] body = body(request);
        if (body == null) {
            // It will not become smaller.
            return exchange.ended(Verdict.TOO_LARGE, new SlackResponse(413, Map.of("X-Slack-No-Retry", "1"), ""));
        }
        if (body.length <= LONGEST_TLS_CHECK
                && isForm(request.header("content-type"))
                && isTlsCheck(new String(body, StandardCharsets.UTF_8))) {
            return exchange.ended(Verdict.CHALLENGED, SlackResponse.empty(200));
        }
        Verdict fault = signature.fault(
                request.header(SlackSignature.TIMESTAMP),
                request.header(SlackSignature.SIGNATURE),
                body,
                clock.instant().getEpochSecond());
        if (fault != null) {
            logRefusal(fault);
            return exchange.ended(fault, SlackResponse.empty(401));
        }
        // What anybody could have written counts for nothing, and is not told either.
        exchange.retry = EnvelopeNumbers.retry(request.header("x-slack-retry-num"));
        exchange.retryReason = shortened(request.header("x-slack-retry-reason"));
        SlackEvent event;
        try {
            event = SlackEvent.parse(json(request.header("content-type"), body));
        } catch (MalformedEventException e) {
            Taken taken = intake.takeMalformed(body, Transport.HTTP, exchange.retry, exchange.retryReason, deadline);
            return exchange.ended(
                    taken.isSafe() ? Verdict.MALFORMED : Verdict.valueOf(taken.name()), acknowledgement(taken, null));
        }
        exchange.type = event.type();
        if (event.kind() == SlackEvent.Kind.URL_VERIFICATION) {
            return exchange.ended(Verdict.CHALLENGED, challenge(event));
        }
        exchange.late = EnvelopeNumbers.late(event, clock.instant());
        Taken taken = intake.take(event, Transport.HTTP, exchange.retry, exchange.retryReason, deadline);
        return exchange.ended(
                Verdict.valueOf(taken.name()),
                acknowledgement(taken, taken.isSafe() ? intake.response(event, deadline, why -> {}) : null));
    }

    /**
     * Slack asks now and then whether the address of a slash command is served over TLS, unsigned
     * (docs.slack.dev/interactivity/implementing-slash-commands, "ssl_check"). There may be a token besides, and nothing else:
     * whatever else has the word in it needs its signature.
     */
    private static boolean isTlsCheck(String form) {
        return form.length() <= LONGEST_TLS_CHECK && form.matches("(token=[^&]*&)?ssl_check=1(&token=[^&]*)?");
    }

    /** Anybody can send such requests: a line in the log for the first, and then one a minute. */
    private void logRefusal(Verdict fault) {
        long count = refused.incrementAndGet();
        long now = System.nanoTime();
        long due = nextRefusalLogged.get();
        if (now - due >= 0 && nextRefusalLogged.compareAndSet(due, now + ONE_MINUTE)) {
            LOG.warn(
                    "A request was refused with 401: {}. {} were since the start. If Slack has sent it, the signing secret"
                            + " or this clock is wrong, or something in between has changed the body",
                    fault,
                    count);
        }
    }

    /** Null when it is too large: then no more than one byte beyond the cap was read. */
    private byte @Nullable [] body(SlackRequest request) throws IOException {
        long length = length(request.header("content-length"));
        if (length > maxBody) {
            return null;
        }
        byte[] body;
        try {
            body = request.body().readNBytes(maxBody + 1);
        } catch (RuntimeException e) {
            // So some servers say that a request is not as it should be.
            throw new IOException(e);
        }
        if (body.length < length) {
            throw new EOFException();
        }
        return body.length > maxBody ? null : body;
    }

    private static long length(@Nullable String header) throws IOException {
        if (header == null) {
            return 0;
        }
        if (!header.matches("[0-9]+")) {
            throw new IOException("Content-Length is not a number");
        }
        return header.length() > 18 ? Long.MAX_VALUE : Long.parseLong(header);
    }

    private static SlackResponse challenge(SlackEvent event) {
        return new SlackResponse(
                200,
                Map.of("Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff"),
                event.payload().path("challenge").asText());
    }

    private static SlackResponse acknowledgement(Taken taken, @Nullable JsonNode response) {
        if (!taken.isSafe()) {
            return SlackResponse.empty(503);
        }
        return response == null
                ? SlackResponse.empty(200)
                : new SlackResponse(
                        200, Map.of("Content-Type", "application/json; charset=utf-8"), response.toString());
    }

    /** Interactions and slash commands come as forms: they become what Socket Mode would deliver. */
    private static byte[] json(@Nullable String contentType, byte[] body) {
        if (!isForm(contentType)) {
            return body;
        }
        ObjectNode form = SlackEvent.JSON.createObjectNode();
        try {
            for (String field : new String(body, StandardCharsets.UTF_8).split("&", -1)) {
                String[] parts = field.split("=", 2);
                if (parts.length == 2) {
                    form.put(decoded(parts[0]), decoded(parts[1]));
                }
            }
        } catch (IllegalArgumentException e) {
            throw new MalformedEventException("it is not a form");
        }
        JsonNode payload = form.path("payload");
        return payload.isTextual()
                ? payload.asText().getBytes(StandardCharsets.UTF_8)
                : form.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static boolean isForm(@Nullable String contentType) {
        return contentType != null && contentType.toLowerCase(Locale.ROOT).startsWith(FORM);
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static String shortened(@Nullable String header) {
        return header == null ? "" : header.substring(0, Math.min(header.length(), MAX_HEADER));
    }

    /**
     * This endpoint for the JDK's own server. Give that server an executor that has a thread for each request at once, such as a
     * cached pool: the intake bounds what waits, and what waits for a thread instead loses its time unseen. It has one thread
     * without.
     *
     * @return a handler, to be given a context such as {@code /slack/events}
     */
    public HttpHandler httpHandler() {
        return exchange -> {
            try (exchange) {
                SlackResponse response = handle(new SlackRequest(
                        exchange.getRequestMethod(),
                        exchange.getRequestHeaders(),
                        exchange.getRequestBody(),
                        Objects.requireNonNullElse(exchange.getRequestURI().getRawQuery(), "")));
                answer(exchange, response);
            }
        };
    }

    private static void answer(HttpExchange exchange, SlackResponse response) throws IOException {
        response.headers()
                .forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
        byte[] body = response.bytes();
        exchange.sendResponseHeaders(response.status(), body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
    }
}
