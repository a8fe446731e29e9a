package dev.idempotency.slack;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.ProviderProfile;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxWorker;
import dev.idempotency.inbox.UnprocessableException;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.slack.Handled.Outcome;
import dev.idempotency.store.IdempotencyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes Slack's events from an inbox and gives them to consumers, each event once to each of them as far as can be told. Any
 * number of workers, in any number of processes, may share an inbox and its store. Thread-safe.
 *
 * <p>An event goes through this: what bots have written is dropped; consumers that hear of its type are looked up; each of them may
 * leave it out; an edit or a deletion that is older than one that the consumer has handled is dropped; and only then it counts as
 * taken, under the key of its message, and the handler runs. One that fails is tried again,
 * and becomes a dead letter in the end; consumers that have handled it are not called again.
 *
 * @since 0.1.0
 */
public final class SlackWorker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SlackWorker.class);

    private static final int MOST_CAUSES = 5;

    private final List<Consuming> consumers;
    private final Identities identities;
    private final Predicate<SlackEvent> fromBot;
    private final LoopBreaker loops;
    private final boolean keepUnrouted;
    private final Listeners listeners;
    private final InboxWorker worker;

    /** What its parts need to know. */
    record Settings(
            Duration retention,
            Duration lease,
            ProviderProfile itself,
            boolean clientMessageIds,
            @Nullable IdempotencyStore renamedChannels) {
        /** How long it must be known that a handler has run. */
        Duration remembered() {
            Duration window = Objects.requireNonNull(itself.window(), "window");
            return window.plus(itself.clockError());
        }
    }

    private SlackWorker(Builder builder) {
        var settings = new Settings(
                builder.retention,
                builder.lease,
                ProviderProfile.of(
                        "The app's own handlers",
                        "Each write of a handler is an operation that remembers its key for this long",
                        ProviderProfile.KeyFormat.uuid(),
                        builder.writesRemembered),
                builder.clientMessageIds,
                builder.renamedChannels);
        consumers = builder.consumers.stream()
                .map(consumer -> new Consuming(consumer, builder.idempotency, builder.guard, settings))
                .toList();
        identities = new Identities(builder.idempotency, settings);
        fromBot = builder.bots;
        loops = new LoopBreaker(builder.mostOfBots, builder.mostWithin, Ticker.systemTicker());
        keepUnrouted = builder.keepUnrouted;
        listeners = new Listeners(builder.listeners);
        worker = builder.working
                .apply(builder.inbox.worker(this::run).lease(builder.lease))
                .start();
    }

    /**
     * Describes a worker.
     *
     * @param inbox where the events are
     * @param idempotency the library, on the store that remembers what was handled
     * @param guard tells late edits and deletions from newer ones
     * @return a builder; its consumers are still to be added
     * @throws NullPointerException if an argument is null
     */
    public static Builder builder(Inbox inbox, Idempotency idempotency, VersionGuard guard) {
        return new Builder(inbox, idempotency, guard);
    }

    /** Settings of a worker. Not thread-safe. */
    public static final class Builder {
        private final Inbox inbox;
        private final Idempotency idempotency;
        private final VersionGuard guard;
        private final List<SlackConsumer> consumers = new ArrayList<>();
        private Predicate<SlackEvent> bots = SlackBots.ownAndBotMessages();
        private int mostOfBots = 20;
        private Duration mostWithin = Duration.ofMinutes(1);
        private boolean keepUnrouted;
        private boolean clientMessageIds = true;
        private @Nullable IdempotencyStore renamedChannels;
        private Duration retention = Duration.ofHours(3);
        private Duration writesRemembered = Duration.ofDays(7);
        private Duration lease = Duration.ofSeconds(30);
        private UnaryOperator<InboxWorker.Builder> working = UnaryOperator.identity();
        private final List<SlackListener> listeners = new ArrayList<>();

        private Builder(Inbox inbox, Idempotency idempotency, VersionGuard guard) {
            this.inbox = Objects.requireNonNull(inbox, "inbox");
            this.idempotency = Objects.requireNonNull(idempotency, "idempotency");
            this.guard = Objects.requireNonNull(guard, "guard");
        }

        /**
         * Adds a consumer.
         *
         * @param consumer who
         * @return this
         * @throws NullPointerException if {@code consumer} is null
         */
        public Builder consumer(SlackConsumer consumer) {
            consumers.add(Objects.requireNonNull(consumer, "consumer"));
            return this;
        }

        /**
         * Sets which events are dropped because a bot has written them: {@link SlackBots#ownAndBotMessages()} by default.
         *
         * @param dropped a rule, true for what is dropped
         * @return this
         * @throws NullPointerException if {@code dropped} is null
         */
        public Builder bots(Predicate<SlackEvent> dropped) {
            bots = Objects.requireNonNull(dropped, "dropped");
            return this;
        }

        /**
         * Sets how many messages of bots are let through in one thread, or in a channel outside of threads: 20 in a minute by
         * default. What is more is dropped as a loop, and told as {@link Outcome#LOOP}. Counted in each process by itself.
         *
         * @param most how many, from 0
         * @param within in which time, from the first of them; more than zero
         * @return this
         * @throws IllegalArgumentException if a number is not as described
         */
        public Builder breakLoops(int most, Duration within) {
            if (most < 0) {
                throw new IllegalArgumentException("most is " + most + "; it must be at least 0");
            }
            mostOfBots = most;
            mostWithin = Bounds.positive("within", within);
            return this;
        }

        /**
         * Makes dead letters of events that no consumer hears of, so that they can be replayed once there is one. They are dropped
         * by default.
         *
         * @return this
         */
        public Builder keepUnrouted() {
            keepUnrouted = true;
            return this;
        }

        /**
         * Does not look at {@code client_msg_id}: two messages that a user's client has sent by one act are then two.
         *
         * @return this
         */
        public Builder ignoreClientMessageIds() {
            clientMessageIds = false;
            return this;
        }

        /**
         * Knows messages of a channel again after the channel has got another id, as happens when a private channel is shared. The
         * app must be subscribed to {@code channel_id_changed}. Costs one more reading of the store for each message.
         *
         * @param store the one that the library is on
         * @return this
         * @throws NullPointerException if {@code store} is null
         */
        public Builder followRenamedChannels(IdempotencyStore store) {
            renamedChannels = Objects.requireNonNull(store, "store");
            return this;
        }

        /**
         * Sets how long a message that was handled is known again, and the latest version of one: 3 hours by default. Slack may be
         * two hours late; with Delayed Events switched on, make it 26 hours.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if {@code value} is not more than zero
         */
        public Builder retention(Duration value) {
            retention = Bounds.positive("retention", value);
            return this;
        }

        /**
         * Sets how long the operations that handlers write by remember their keys, 7 days by default, as operations do. A handler
         * that has begun is not run again after that: its event stays in doubt, and a person decides.
         *
         * @param value longer than 10 minutes, and not longer than the retention of any of them
         * @return this
         * @throws IllegalArgumentException if {@code value} is not longer than 10 minutes
         */
        public Builder writesRemembered(Duration value) {
            if (value.compareTo(Duration.ofMinutes(10)) <= 0) {
                throw new IllegalArgumentException(
                        "writesRemembered is " + value + "; it must be more than " + Duration.ofMinutes(10));
            }
            writesRemembered = value;
            return this;
        }

        /**
         * Sets how long a claim, and the run of a handler, lasts without being renewed: 30 seconds by default. So long the events of
         * a process that has died wait.
         *
         * @param value as {@link InboxWorker.Builder#lease} wants it
         * @return this
         * @throws IllegalArgumentException if {@code value} is too short
         */
        public Builder lease(Duration value) {
            lease = Bounds.positive("lease", value);
            return this;
        }

        /**
         * Sets how the inbox is worked through: how many events at once, how often one is tried, and after what pause.
         *
         * @param settings is given the settings of the inbox's worker, and answers them
         * @return this
         * @throws NullPointerException if {@code settings} is null
         */
        public Builder working(UnaryOperator<InboxWorker.Builder> settings) {
            working = Objects.requireNonNull(settings, "settings");
            return this;
        }

        /**
         * Adds somebody who hears what becomes of each event.
         *
         * @param listener who
         * @return this
         * @throws NullPointerException if {@code listener} is null
         */
        public Builder listener(SlackListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Starts a worker.
         *
         * @return a worker that runs until it is closed
         * @throws IllegalStateException if there is no consumer, or two have one name
         * @throws IllegalArgumentException if a setting is not as the engine wants it
         */
        public SlackWorker start() {
            var names = new HashSet<String>();
            for (SlackConsumer consumer : consumers) {
                if (!names.add(consumer.name())) {
                    throw new IllegalStateException("two consumers are named " + consumer.name());
                }
            }
            if (names.isEmpty()) {
                throw new IllegalStateException("there is no consumer: call consumer(...)");
            }
            return new SlackWorker(this);
        }
    }

    private void run(InboxClaim claim) throws Exception {
        long startedAt = System.nanoTime();
        SlackEvent event;
        try {
            event = SlackEvent.parse(claim.message().payload());
        } catch (MalformedEventException e) {
            throw new UnprocessableException("malformed: " + e.getMessage());
        }
        if (event.kind() == SlackEvent.Kind.RATE_LIMITED) {
            tell("", event, Outcome.RATE_LIMITED, startedAt);
        }
        if (fromBot.test(event)) {
            tell("", event, Outcome.FROM_BOT, startedAt);
            return;
        }
        // Another attempt at a message is not another message.
        if (claim.attempt() == 1 && loops.isLoop(event)) {
            LOG.warn(
                    "Bots write in a loop; message {} is dropped",
                    claim.message().key());
            tell("", event, Outcome.LOOP, startedAt);
            return;
        }
        identities.note(event);
        dispatch(event, startedAt);
    }

    private void dispatch(SlackEvent event, long startedAt) throws Exception {
        List<Consuming> hearing = consumers.stream()
                .filter(consuming -> consuming.consumer().hears(event))
                .toList();
        if (hearing.isEmpty() && event.kind() != SlackEvent.Kind.RATE_LIMITED) {
            tell("", event, Outcome.UNROUTED, startedAt);
            if (keepUnrouted) {
                throw new UnprocessableException("no consumer hears of its type");
            }
        }
        Throwable failure = null;
        for (Consuming consuming : hearing) {
            long began = System.nanoTime();
            Outcome outcome;
            try {
                outcome = consuming.handle(event, identities);
            } catch (RuntimeException e) {
                outcome = Outcome.FAILED;
                LOG.warn(
                        "Consumer {} failed at {}: {}",
                        consuming.consumer().name(),
                        SlackKeys.delivery(event),
                        reasons(e));
                // One that may succeed later outweighs one that never will.
                failure = failure == null || failure instanceof UnprocessableException ? cause(e) : failure;
            }
            if (outcome == Outcome.STALE) {
                LOG.info(
                        "Consumer {} has handled a newer state of the message that {} tells of, and leaves it out",
                        consuming.consumer().name(),
                        SlackKeys.delivery(event));
            }
            tell(consuming.consumer().name(), event, outcome, began);
        }
        if (failure instanceof Exception e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }

    /** What the handler threw, where it was the handler. */
    private static Throwable cause(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof Consuming.HandlerFailedException && t.getCause() != null) {
                return t.getCause();
            }
            if (!(t instanceof IdempotencyException)) {
                return t;
            }
        }
        return failure;
    }

    /** What each in the chain says. An engine's failure and the wrapper of a handler's say nothing about why. */
    private static String reasons(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .limit(MOST_CAUSES)
                .filter(cause -> !(cause instanceof Consuming.HandlerFailedException))
                .map(Throwable::toString)
                .collect(Collectors.joining("; because of "));
    }

    private void tell(String consumer, SlackEvent event, Outcome outcome, long since) {
        var handled = new Handled(consumer, event.type(), outcome, Duration.ofNanos(System.nanoTime() - since));
        listeners.tell(listener -> listener.onHandled(handled));
    }

    /** Claims no more events, and waits for the handlers that run, as long as the inbox's worker is told to. */
    @Override
    public void close() {
        worker.close();
    }
}
