package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.Delivered.Verdict;
import dev.idempotency.slack.SocketEvent.Reason;
import dev.idempotency.slack.SocketFleet.Command;
import io.github.resilience4j.core.IntervalFunction;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives events over Slack's Socket Mode, and acknowledges each when it is safe in the inbox. A connection that is to end is
 * read and acknowledged until another one has heard Slack's {@code hello}. Thread-safe.
 *
 * <p>The threads that read do nothing else: what they read is put into the inbox on a pool of its own, and handlers run
 * elsewhere, in a {@code SlackWorker}. What fails is tried again for ever, with a backoff; only what a person has to repair at
 * Slack ends it: see {@link SocketState#stopped}.
 *
 * @since 0.1.0
 */
public final class SocketModeClient implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketModeClient.class);
    private static final IntervalFunction BACKOFF =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(500), 2.0, 0.5, Duration.ofSeconds(30));
    private static final Duration TICK = Duration.ofMillis(50);
    /** Envelopes that wait for a thread; Slack delivers again what comes on top. */
    private static final int MAY_WAIT = 1_000;
    /** The same in characters. */
    private static final long MAY_WAIT_CHARACTERS = 1L << 26;

    private static final Duration ACK_WAITS = Duration.ofSeconds(5);

    private final SlackIntake intake;
    private final HttpClient http;
    private final ConnectionsOpen slack;
    private final SocketTiming timing;
    private final SocketFleet fleet;
    private final Map<Integer, SlackSocket> sockets = new ConcurrentSkipListMap<>();
    private final ScheduledExecutorService coordinator;
    private final ExecutorService pool;
    private final AtomicLong waitingCharacters = new AtomicLong();
    private final AtomicLong acked = new AtomicLong();
    private final AtomicLong ackedElsewhere = new AtomicLong();
    private final AtomicLong ackFailed = new AtomicLong();
    private final AtomicLong notAcked = new AtomicLong();
    private final AtomicLong ignored = new AtomicLong();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final CountDownLatch closed = new CountDownLatch(1);

    private SocketModeClient(Builder builder) {
        intake = builder.intake;
        timing = builder.timing;
        http = builder.http == null
                ? HttpClient.newBuilder()
                        .connectTimeout(timing.open())
                        .version(HttpClient.Version.HTTP_1_1)
                        .build()
                : builder.http;
        slack = new ConnectionsOpen(http, builder.apiUrl, builder.appToken, builder.debugReconnects, timing.open());
        fleet = new SocketFleet(
                builder.connections,
                timing,
                builder.backoff,
                () -> ThreadLocalRandom.current().nextDouble(),
                System.nanoTime());
        var scheduler = new ScheduledThreadPoolExecutor(1, work -> daemon(work, "slack-socket"));
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        coordinator = scheduler;
        var number = new AtomicInteger();
        pool = new ThreadPoolExecutor(
                builder.concurrency,
                builder.concurrency,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MAY_WAIT),
                work -> daemon(work, "slack-envelopes-" + number.incrementAndGet()));
    }

    private static Thread daemon(Runnable work, String name) {
        var thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Describes a client.
     *
     * @param intake where events go; its response function answers interactions and slash commands, its listeners hear of the
     *     connections. It is closed after the client
     * @param appToken the app-level token, {@code xapp-...}, with {@code connections:write}
     * @return a builder with the default settings
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the token is blank or has other characters than a header may have
     */
    public static Builder builder(SlackIntake intake, String appToken) {
        return new Builder(intake, appToken);
    }

    /** Settings of a client. Not thread-safe. */
    public static final class Builder {
        private final SlackIntake intake;
        private final String appToken;
        private URI apiUrl = URI.create("https://slack.com/api/");
        private int connections = 2;
        private int concurrency = 16;
        private @Nullable HttpClient http;
        private boolean debugReconnects;
        private SocketTiming timing = SocketTiming.DEFAULT;
        private IntervalFunction backoff = BACKOFF;

        private Builder(SlackIntake intake, String appToken) {
            this.intake = Objects.requireNonNull(intake, "intake");
            this.appToken = Objects.requireNonNull(appToken, "appToken");
            if (!appToken.matches("[!-~]+")) {
                throw new IllegalArgumentException("appToken must be printable ASCII without spaces");
            }
        }

        /**
         * Sets where Slack's Web API is, {@code https://slack.com/api/} by default.
         *
         * @param value the address in front of the methods' names
         * @return this
         * @throws IllegalArgumentException if it is neither http nor https
         */
        public Builder apiUrl(URI value) {
            if (!"http".equals(value.getScheme()) && !"https".equals(value.getScheme())) {
                throw new IllegalArgumentException("apiUrl must be http or https");
            }
            apiUrl = value;
            return this;
        }

        /**
         * Sets how many connections serve at once, 2 by default, so that the sudden death of one leaves no gap. While one is
         * replaced there is one more. Slack allows 10 for an app, all its processes together.
         *
         * @param value from 1 to 10
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder connections(int value) {
            if (value < 1 || value > SocketFleet.LIMIT) {
                throw new IllegalArgumentException(
                        "connections is " + value + "; it must be from 1 to " + SocketFleet.LIMIT);
            }
            connections = value;
            return this;
        }

        /**
         * Sets how many envelopes are put into the inbox at once, 16 by default.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if {@code value} is below 1
         */
        public Builder concurrency(int value) {
            concurrency = Bounds.atLeastOne("concurrency", value);
            return this;
        }

        /**
         * Sets the HTTP client, for those who need a proxy or certificates of their own.
         *
         * @param value a client; not closed by this one
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder http(HttpClient value) {
            http = Objects.requireNonNull(value, "value");
            return this;
        }

        /**
         * Sets how a dead connection is noticed: by pings, every 10 seconds by default, each to be answered within 5. That
         * nothing is delivered says nothing.
         *
         * @param every from ping to ping, more than zero
         * @param within how long an answer may take, more than zero
         * @return this
         * @throws IllegalArgumentException if one is not more than zero
         */
        public Builder ping(Duration every, Duration within) {
            timing = timing.withPing(Bounds.positive("every", every), Bounds.positive("within", within));
            return this;
        }

        /**
         * Sets how often Slack is asked for a connection: 20 times at once and then once a minute by default, which is what the
         * lowest of Slack's limits allows. Processes do not share it.
         *
         * @param atOnce how many times without a pause, from 1
         * @param every when those are used up, once in each time of this length; more than zero
         * @return this
         * @throws IllegalArgumentException if one is not as described
         */
        public Builder opens(int atOnce, Duration every) {
            timing = timing.withOpens(Bounds.atLeastOne("atOnce", atOnce), Bounds.positive("every", every));
            return this;
        }

        /**
         * Asks Slack for connections that live for six minutes instead of hours, to see the replacing. For tests; with more than
         * four connections, {@link #opens} must allow more than once a minute.
         *
         * @return this
         */
        public Builder debugReconnects() {
            debugReconnects = true;
            return this;
        }

        Builder timing(SocketTiming value, IntervalFunction pauses) {
            timing = value;
            backoff = pauses;
            return this;
        }

        /**
         * Starts a client. Does not wait for Slack, and does not fail when Slack cannot be reached: {@link #state} tells.
         *
         * @return a client that runs until it is closed
         */
        public SocketModeClient start() {
            var client = new SocketModeClient(this);
            var unused = client.coordinator.scheduleWithFixedDelay(
                    () -> client.apply(client.fleet::tick), 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
            return client;
        }
    }

    /**
     * Tells how the connections are.
     *
     * @return a snapshot
     */
    public SocketState state() {
        synchronized (fleet) {
            return new SocketState(
                    fleet.connections(System.nanoTime()),
                    fleet.stopped(),
                    closing.get(),
                    acked.get(),
                    ackedElsewhere.get(),
                    ackFailed.get(),
                    notAcked.get(),
                    ignored.get(),
                    fleet.elsewhere(),
                    fleet.reconnects());
        }
    }

    /**
     * Takes no more events, finishes those that were read and acknowledges them, for 10 seconds at most, then closes the
     * connections. Slack delivers elsewhere, or again, what was not acknowledged. Start the next process before, and there is no
     * gap.
     */
    @Override
    public void close() {
        closing.set(true);
        submit(fleet::close);
        try {
            Duration atMost = timing.shutdown().plus(timing.close()).plus(TICK.multipliedBy(4));
            if (!closed.await(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
                LOG.warn("Connections did not end in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        sockets.values().forEach(SlackSocket::abort);
        pool.shutdownNow();
        coordinator.shutdownNow();
    }

    private void submit(LongFunction<List<Command>> input) {
        try {
            coordinator.execute(() -> apply(input));
        } catch (RejectedExecutionException e) {
            LOG.debug("The client is closed", e);
        }
    }

    /** On the coordinator's thread. Whatever fails here must not end it. */
    private void apply(LongFunction<List<Command>> input) {
        try {
            List<Command> commands;
            boolean isClosed;
            synchronized (fleet) {
                commands = input.apply(System.nanoTime());
                isClosed = fleet.isClosed();
            }
            for (Command command : commands) {
                try {
                    run(command);
                } catch (Throwable e) {
                    LOG.error("Socket Mode could not {}", command, e);
                }
            }
            if (isClosed) {
                closed.countDown();
            }
        } catch (Throwable e) {
            LOG.error("Socket Mode goes on after a failure", e);
        }
    }

    private void run(Command command) {
        if (command instanceof Command.Open open) {
            open(open.id());
        } else if (command instanceof Command.Tell tell) {
            tell(tell.event());
        } else if (command instanceof Command.Ping ping) {
            SlackSocket socket = sockets.get(ping.id());
            if (socket != null) {
                socket.ping();
            }
        } else if (command instanceof Command.Close close) {
            SlackSocket socket = sockets.get(close.id());
            if (socket != null) {
                socket.close();
            }
        } else if (command instanceof Command.Abort abort) {
            SlackSocket socket = sockets.remove(abort.id());
            if (socket != null) {
                socket.abort();
            }
        }
    }

    private void open(int id) {
        var socket = new SlackSocket(id, reader);
        sockets.put(id, socket);
        var unused = slack.ask().thenAccept(answer -> {
            if (answer instanceof ConnectionsOpen.Answer.Address address) {
                try {
                    socket.open(http, address.uri(), timing.open());
                } catch (RuntimeException e) {
                    LOG.warn("Connection {} could not be opened: {}", id, ConnectionsOpen.name(e));
                    socket.abort();
                }
                return;
            }
            sockets.remove(id);
            if (answer instanceof ConnectionsOpen.Answer.RateLimited limited) {
                submit(now -> fleet.rateLimited(id, limited.pause(), now));
            } else if (answer instanceof ConnectionsOpen.Answer.Refused refused) {
                submit(now -> fleet.refused(id, refused.error(), now));
            } else if (answer instanceof ConnectionsOpen.Answer.Failed failed) {
                submit(now -> fleet.notOpened(id, failed.why(), now));
            }
        });
    }

    private final SlackSocket.Reader reader = new SlackSocket.Reader() {
        @Override
        public void opened(int id) {
            submit(now -> fleet.connected(id, now));
        }

        @Override
        public void text(int id, String message) {
            read(id, message);
        }

        @Override
        public void unreadable(int id, String why) {
            ignore(id, why);
        }

        @Override
        public void pong(int id) {
            submit(now -> fleet.pong(id, now));
        }

        @Override
        public void ended(int id, String why) {
            sockets.remove(id);
            submit(now -> fleet.closed(id, why, now));
        }
    };

    private void read(int id, String message) {
        SocketFrame frame = SocketFrame.parse(message);
        if (frame instanceof SocketFrame.Hello hello) {
            submit(now -> fleet.hello(id, hello.lifetime(), hello.connections(), now));
        } else if (frame instanceof SocketFrame.Disconnect disconnect) {
            submit(now -> fleet.disconnect(id, disconnect.reason(), now));
        } else if (frame instanceof SocketFrame.Envelope envelope) {
            // What comes while the client closes is for another process.
            if (!closing.get()) {
                received(id, envelope, message.length());
            }
        } else if (frame instanceof SocketFrame.Unknown unknown) {
            ignore(id, unknown.why());
        }
    }

    private void ignore(int id, String why) {
        ignored.incrementAndGet();
        tell(new SocketEvent(SocketEvent.Type.IGNORED, id, Reason.NONE, Duration.ZERO, why));
    }

    private void received(int id, SocketFrame.Envelope envelope, int length) {
        var delivery = new Delivery(id, envelope, System.nanoTime(), intake.deadline());
        submit(now -> fleet.received(id, now));
        if (waitingCharacters.addAndGet(length) > MAY_WAIT_CHARACTERS) {
            waitingCharacters.addAndGet(-length);
            delivery.notAcked(Verdict.SHED);
            return;
        }
        try {
            pool.execute(() -> {
                waitingCharacters.addAndGet(-length);
                delivery.run();
            });
        } catch (RejectedExecutionException e) {
            waitingCharacters.addAndGet(-length);
            delivery.notAcked(Verdict.SHED);
        }
    }

    /** One envelope, from its reading to its acknowledgement. */
    private final class Delivery {
        private final int from;
        private final SocketFrame.Envelope envelope;
        private final long readAt;
        private final long deadline;
        private final AtomicBoolean answered = new AtomicBoolean();
        private @Nullable SlackEvent event;

        Delivery(int from, SocketFrame.Envelope envelope, long readAt, long deadline) {
            this.from = from;
            this.envelope = envelope;
            this.readAt = readAt;
            this.deadline = deadline;
        }

        void run() {
            try {
                Taken taken = take();
                if (!taken.isSafe()) {
                    notAcked(Verdict.valueOf(taken.name()));
                    return;
                }
                Verdict verdict = event == null ? Verdict.MALFORMED : Verdict.valueOf(taken.name());
                SlackEvent asked = envelope.acceptsResponse() ? event : null;
                ack(verdict, asked == null ? null : response(asked));
            } catch (Throwable e) {
                LOG.error("An envelope could not be dealt with; Slack will deliver it again", e);
                notAcked(Verdict.FAILED);
            }
        }

        private Taken take() {
            byte[] bytes = Objects.requireNonNullElse(envelope.payload(), "").getBytes(StandardCharsets.UTF_8);
            try {
                event = SlackEvent.parse(bytes);
            } catch (MalformedEventException e) {
                return intake.takeMalformed(
                        bytes, Transport.SOCKET, envelope.retry(), envelope.retryReason(), deadline);
            }
            return intake.take(event, Transport.SOCKET, envelope.retry(), envelope.retryReason(), deadline);
        }

        private @Nullable JsonNode response(SlackEvent asked) {
            return intake.response(asked, deadline, why -> tellAck(SocketEvent.Type.RESPONSE_FAILED, why));
        }

        private void ack(Verdict verdict, @Nullable JsonNode response) {
            if (!answered.compareAndSet(false, true)) {
                return;
            }
            ObjectNode answer = SlackEvent.JSON.createObjectNode().put("envelope_id", envelope.id());
            if (response != null) {
                answer.set("payload", response);
            }
            String text = answer.toString();
            SlackSocket own = sockets.get(from);
            if (own == null) {
                ackElsewhere(text, verdict);
                return;
            }
            var unused = send(own, text).whenComplete((sent, failure) -> {
                if (failure == null) {
                    acknowledged(verdict, false);
                } else {
                    ackElsewhere(text, verdict);
                }
            });
        }

        private void ackElsewhere(String text, Verdict verdict) {
            SlackSocket other = anyLiveBut(from);
            if (other == null) {
                failed(verdict);
                return;
            }
            var unused = send(other, text).whenComplete((sent, failure) -> {
                if (failure == null) {
                    acknowledged(verdict, true);
                } else {
                    failed(verdict);
                }
            });
        }

        private static CompletableFuture<Void> send(SlackSocket socket, String text) {
            return socket.send(text).orTimeout(ACK_WAITS.toNanos(), TimeUnit.NANOSECONDS);
        }

        private void acknowledged(Verdict verdict, boolean elsewhere) {
            acked.incrementAndGet();
            if (elsewhere) {
                ackedElsewhere.incrementAndGet();
            }
            tellAck(elsewhere ? SocketEvent.Type.ACKED_ELSEWHERE : SocketEvent.Type.ACKED, "");
            settle(verdict, 200);
        }

        private void failed(Verdict verdict) {
            ackFailed.incrementAndGet();
            tellAck(SocketEvent.Type.ACK_FAILED, "");
            settle(verdict, 0);
        }

        void notAcked(Verdict verdict) {
            if (answered.compareAndSet(false, true)) {
                notAcked.incrementAndGet();
                tellAck(SocketEvent.Type.NOT_ACKED, verdict.name());
                settle(verdict, 0);
            }
        }

        private void tellAck(SocketEvent.Type type, String detail) {
            tell(new SocketEvent(type, from, Reason.NONE, age(), detail));
        }

        private Duration age() {
            return Duration.ofNanos(System.nanoTime() - readAt);
        }

        private void settle(Verdict verdict, int status) {
            submit(now -> fleet.settled(from, now));
            Duration late = event == null ? Duration.ZERO : EnvelopeNumbers.late(event, Instant.now());
            var delivered = new Delivered(
                    Transport.SOCKET,
                    verdict,
                    status,
                    event == null ? "" : event.type(),
                    envelope.retry(),
                    envelope.retryReason(),
                    age(),
                    late);
            intake.listeners().tell(listener -> listener.onDelivered(delivered));
        }
    }

    /** The youngest that has heard hello. */
    private @Nullable SlackSocket anyLiveBut(int id) {
        List<SocketState.Connection> connections;
        synchronized (fleet) {
            connections = fleet.connections(System.nanoTime());
        }
        SlackSocket found = null;
        for (SocketState.Connection connection : connections) {
            SlackSocket socket = sockets.get(connection.number());
            if (socket != null && connection.phase() == SocketState.Phase.LIVE && connection.number() != id) {
                found = socket;
            }
        }
        return found;
    }

    private void tell(SocketEvent event) {
        switch (event.type()) {
            case STOPPED ->
                LOG.error(
                        "Socket Mode has stopped: {}. Somebody has to repair this at Slack, and start it again",
                        event.detail());
            case COUNTED_ELSEWHERE ->
                LOG.info(
                        "Slack counts {} connections of the app that are not this client's. What belongs to no other"
                                + " process is a ghost: Slack delivers to it, and nobody reads",
                        event.detail());
            case OPEN_FAILED ->
                LOG.warn("Connection {} failed: {}, {}", event.connection(), event.reason(), event.detail());
            case LIVE, DRAINING, CLOSED, OPENING ->
                LOG.debug("Connection {} {} {}", event.connection(), event.type(), event.reason());
            default -> LOG.trace("{}", event);
        }
        intake.listeners().tell(listener -> listener.onSocket(event));
    }
}
