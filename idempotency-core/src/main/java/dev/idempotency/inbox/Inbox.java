package dev.idempotency.inbox;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One queue of an {@link InboxStore}: messages are offered, each is kept once, and {@link InboxWorker workers} handle them.
 * Thread-safe.
 *
 * @since 0.1.0
 */
public final class Inbox {
    /** Clocks of stores, and timers, do not reach for ever. */
    static final Duration LONGEST = Duration.ofDays(366);

    private static final Logger LOG = LoggerFactory.getLogger(Inbox.class);

    private final InboxStore store;
    private final String queue;
    private final Duration retention;
    private final List<InboxListener> listeners;
    private final List<Runnable> workers = new CopyOnWriteArrayList<>();

    private Inbox(Builder builder) {
        this.store = builder.store;
        this.queue = builder.queue;
        this.retention = builder.retention;
        this.listeners = List.copyOf(builder.listeners);
    }

    /**
     * Describes an inbox.
     *
     * @param store where the messages wait
     * @param queue the name of the queue: 1 to {@value IdempotencyKey#MAX_SCOPE} characters
     * @return a builder with the default settings
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank, too long or has control characters
     */
    public static Builder builder(InboxStore store, String queue) {
        return new Builder(store, queue);
    }

    /** Settings of an inbox. Not thread-safe. */
    public static final class Builder {
        private final InboxStore store;
        private final String queue;
        private Duration retention = Duration.ofDays(7);
        private final List<InboxListener> listeners = new ArrayList<>();

        private Builder(InboxStore store, String queue) {
            this.store = Objects.requireNonNull(store, "store");
            this.queue = new IdempotencyKey(queue, "-").scope();
        }

        /**
         * Sets how long the key of a message is remembered, 7 days by default: longer than its sender repeats it.
         *
         * @param value how long from the offer, more than zero, at most 366 days
         * @return this
         * @throws IllegalArgumentException if {@code value} is out of range
         */
        public Builder retention(Duration value) {
            retention = positive("retention", value);
            return this;
        }

        /**
         * Adds somebody who hears what happens in this inbox and to its workers.
         *
         * @param listener who
         * @return this
         * @throws NullPointerException if {@code listener} is null
         */
        public Builder listener(InboxListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Makes the inbox.
         *
         * @return an inbox
         */
        public Inbox build() {
            return new Inbox(this);
        }
    }

    static Duration positive(String name, Duration value) {
        return atLeast(Duration.ofNanos(1), "more than zero", name, value);
    }

    static Duration atLeast(Duration least, String text, String name, Duration value) {
        if (value.compareTo(least) < 0) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + text);
        }
        if (value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(
                    name + " is " + value + "; it must be at most " + LONGEST.toDays() + " days");
        }
        return value;
    }

    /**
     * Keeps a message, if its key is not remembered. When this returns, whatever it returns, the sender may be told that the
     * message has arrived. When it throws, the sender must offer it again.
     *
     * @param key by what the message is known again, 1 to {@value IdempotencyKey#MAX_VALUE} characters
     * @param payload what arrived
     * @param attributes a few words about it
     * @return what became of it
     * @throws IllegalArgumentException if the key or the attributes are not as {@link IdempotencyKey} and
     *     {@link InboxMessage} want them
     * @throws StoreException if the store failed; the message may have been kept all the same
     */
    public InboxStore.Offered offer(String key, byte[] payload, Map<String, String> attributes) {
        var message = new InboxMessage(new IdempotencyKey(queue, key), payload, attributes);
        InboxStore.Offered offered = store.offer(message, retention);
        boolean isNew = offered == InboxStore.Offered.ACCEPTED;
        if (isNew) {
            workers.forEach(Runnable::run);
        }
        emit(new InboxEvent(
                isNew ? InboxEvent.Type.OFFERED : InboxEvent.Type.DUPLICATE,
                message.key(),
                0,
                Duration.ZERO,
                Duration.ZERO,
                ""));
        return offered;
    }

    /**
     * Counts what is in the queue.
     *
     * @return its depth and its lag
     * @throws StoreException if the store failed
     */
    public InboxDepth depth() {
        return store.depth(queue);
    }

    /**
     * Describes a worker for this inbox.
     *
     * @param task what is done with each message; may be done more than once
     * @return a builder with the default settings
     * @throws NullPointerException if {@code task} is null
     */
    public InboxWorker.Builder worker(InboxWorker.Task task) {
        return new InboxWorker.Builder(this, task);
    }

    void onOffered(Runnable worker) {
        workers.add(worker);
    }

    void forget(Runnable worker) {
        workers.remove(worker);
    }

    InboxStore store() {
        return store;
    }

    String queue() {
        return queue;
    }

    void emit(InboxEvent event) {
        for (InboxListener listener : listeners) {
            try {
                listener.on(event);
            } catch (Throwable e) {
                if (e instanceof InterruptedException) {
                    Thread.currentThread().interrupt();
                }
                LOG.warn("A listener failed on {}; nothing else changes", event, e);
            }
        }
    }
}
